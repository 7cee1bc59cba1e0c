package state

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// WriteSet is what one block changes: rows, and leaves of the tree. For each key the last call wins. It copies what it is
// given. The order of calls never matters: the set is sorted when it is used. For one goroutine.
type WriteSet struct {
	rows   map[string]rowChange
	leaves map[string]leafChange // by leaf key
}

type rowChange struct {
	value  []byte
	delete bool
}

type leafChange struct {
	valueHash tree.Hash
	delete    bool
}

// NewWriteSet returns an empty set.
func NewWriteSet() *WriteSet {
	return &WriteSet{rows: make(map[string]rowChange), leaves: make(map[string]leafChange)}
}

// Set writes a row.
func (w *WriteSet) Set(key, value []byte) {
	w.rows[string(key)] = rowChange{value: append([]byte{}, value...)}
}

// Delete removes a row; a row that does not exist stays absent.
func (w *WriteSet) Delete(key []byte) { w.rows[string(key)] = rowChange{delete: true} }

// SetLeaf puts a leaf into the tree: key as in a proof, and the SHA-256 of its value.
func (w *WriteSet) SetLeaf(leafKey []byte, valueHash tree.Hash) {
	w.leaves[string(leafKey)] = leafChange{valueHash: valueHash}
}

// DeleteLeaf takes a leaf out of the tree; a leaf that does not exist stays absent.
func (w *WriteSet) DeleteLeaf(leafKey []byte) { w.leaves[string(leafKey)] = leafChange{delete: true} }

// Len is the number of rows and leaves in the set.
func (w *WriteSet) Len() int { return len(w.rows) + len(w.leaves) }

// Merge applies a later set on top of this one (the genesis set, then block 1's).
func (w *WriteSet) Merge(later *WriteSet) {
	maps.Copy(w.rows, later.rows)
	maps.Copy(w.leaves, later.leaves)
}

// entry is one Badger write.
type entry struct {
	key, value []byte
	delete     bool
}

func (e entry) size() int { return len(e.key) + len(e.value) }

// freeze turns the set into writes in ascending key order and into tree changes in ascending path order, and applies the
// limits. The result does not change when the set does.
func (w *WriteSet) freeze() ([]entry, []Change, error) {
	entries := make([]entry, 0, w.Len())
	for key, c := range w.rows { // DETERMINISM: sorted below
		if len(key) == 0 || len(key) > maxKeyLen {
			return nil, nil, fmt.Errorf("row key of %d bytes, limit is 1 to %d", len(key), maxKeyLen)
		}
		if len(c.value) > maxValueLen {
			return nil, nil, fmt.Errorf("row value of %d bytes, limit is %d", len(c.value), maxValueLen)
		}
		entries = append(entries, entry{key: rowKey([]byte(key)), value: c.value, delete: c.delete})
	}
	changes := make([]Change, 0, len(w.leaves))
	for key, c := range w.leaves { // DETERMINISM: sorted below
		if len(key) == 0 || len(key) > maxKeyLen {
			return nil, nil, fmt.Errorf("leaf key of %d bytes, limit is 1 to %d", len(key), maxKeyLen)
		}
		path := tree.PathOf([]byte(key))
		e := entry{key: leafRowKey(path), delete: c.delete}
		if !c.delete {
			e.value = encodeLeafRow(c.valueHash, []byte(key))
		}
		entries = append(entries, e)
		changes = append(changes, Change{Path: path, ValueHash: c.valueHash, Delete: c.delete})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	slices.SortFunc(changes, func(a, b Change) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	return entries, changes, nil
}
