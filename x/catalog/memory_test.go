package catalog_test

import (
	"bytes"
	"sort"
)

// memory is a State without a disk. It holds the rules to the contract of x.State: no write while an iteration runs.
type memory struct {
	rows      map[string][]byte
	iterating int
}

func newMemory() *memory { return &memory{rows: map[string][]byte{}} }

func (m *memory) Get(key []byte) ([]byte, bool) {
	v, ok := m.rows[string(key)]
	return bytes.Clone(v), ok
}

func (m *memory) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	var keys []string
	for k := range m.rows {
		if bytes.HasPrefix([]byte(k), prefix) && k >= string(start) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	m.iterating++
	defer func() { m.iterating-- }()
	for _, k := range keys {
		key, value := []byte(k), bytes.Clone(m.rows[k])
		more := fn(key, value)
		clear(key) // the slices are ours: whoever kept one sees zeros
		clear(value)
		if !more {
			return
		}
	}
}

func (m *memory) Set(key, value []byte) {
	if m.iterating > 0 {
		panic("a write while an iteration runs")
	}
	m.rows[string(key)] = bytes.Clone(value)
}

func (m *memory) Delete(key []byte) {
	if m.iterating > 0 {
		panic("a write while an iteration runs")
	}
	delete(m.rows, string(key))
}

// clone is a copy for before-and-after.
func (m *memory) clone() *memory {
	c := newMemory()
	for k, v := range m.rows {
		c.rows[k] = bytes.Clone(v)
	}
	return c
}

// equal compares all rows.
func (m *memory) equal(o *memory) bool {
	if len(m.rows) != len(o.rows) {
		return false
	}
	for k, v := range m.rows {
		w, ok := o.rows[k]
		if !ok || !bytes.Equal(v, w) {
			return false
		}
	}
	return true
}
