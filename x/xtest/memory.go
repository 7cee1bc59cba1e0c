// Package xtest is a State for tests of rules that need no application.
//
// Trust: none is needed.
package xtest

import (
	"bytes"
	"sort"
)

// Memory is a State without a disk. It holds the rules to the contract of x.State: no write while an iteration runs.
type Memory struct {
	Rows      map[string][]byte
	iterating int
}

// NewMemory is an empty one.
func NewMemory() *Memory { return &Memory{Rows: map[string][]byte{}} }

// Get implements x.Reader.
func (m *Memory) Get(key []byte) ([]byte, bool) {
	v, ok := m.Rows[string(key)]
	return bytes.Clone(v), ok
}

// Iterate implements x.Reader.
func (m *Memory) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	var keys []string
	for k := range m.Rows {
		if bytes.HasPrefix([]byte(k), prefix) && k >= string(start) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	m.iterating++
	defer func() { m.iterating-- }()
	for _, k := range keys {
		key, value := []byte(k), bytes.Clone(m.Rows[k])
		more := fn(key, value)
		clear(key) // the slices are ours: whoever kept one sees zeros
		clear(value)
		if !more {
			return
		}
	}
}

// Set implements x.State.
func (m *Memory) Set(key, value []byte) {
	if m.iterating > 0 {
		panic("a write while an iteration runs")
	}
	m.Rows[string(key)] = bytes.Clone(value)
}

// Delete implements x.State.
func (m *Memory) Delete(key []byte) {
	if m.iterating > 0 {
		panic("a write while an iteration runs")
	}
	delete(m.Rows, string(key))
}

// Clone is a copy for before-and-after.
func (m *Memory) Clone() *Memory {
	c := NewMemory()
	for k, v := range m.Rows {
		c.Rows[k] = bytes.Clone(v)
	}
	return c
}

// Equal compares all rows.
func (m *Memory) Equal(o *Memory) bool {
	if len(m.Rows) != len(o.Rows) {
		return false
	}
	for k, v := range m.Rows {
		w, ok := o.Rows[k]
		if !ok || !bytes.Equal(v, w) {
			return false
		}
	}
	return true
}
