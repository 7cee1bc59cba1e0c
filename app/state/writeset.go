package state

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// WriteSet is what one block changes: rows, and leaves of the tree. For each key the last call wins. It copies what it is
// given. The order of calls never matters otherwise: the set is sorted when it is used, which costs little where the calls
// came in ascending order of the keys. For one goroutine.
type WriteSet struct {
	rows   []entry // in the order of the calls; keys as in the folder
	leaves []leafEntry
}

type leafEntry struct {
	key       []byte
	path      tree.Hash
	valueHash tree.Hash
	delete    bool
}

// entry is one Badger write.
type entry struct {
	key, value []byte
	delete     bool
}

func (e entry) size() int { return len(e.key) + len(e.value) }

// NewWriteSet returns an empty set.
func NewWriteSet() *WriteSet { return &WriteSet{} }

// Grow makes room for so many rows and leaves more, so that the set need not be moved while it fills.
func (w *WriteSet) Grow(rows, leaves int) {
	w.rows, w.leaves = slices.Grow(w.rows, rows), slices.Grow(w.leaves, leaves)
}

// Set writes a row.
func (w *WriteSet) Set(key, value []byte) {
	// Key and value in one piece of memory: neither grows into the other.
	both := make([]byte, 1+len(key)+len(value))
	both[0] = keyRow
	k := 1 + copy(both[1:], key)
	copy(both[k:], value)
	w.rows = append(w.rows, entry{key: both[:k:k], value: both[k:]})
}

// Delete removes a row; a row that does not exist stays absent.
func (w *WriteSet) Delete(key []byte) { w.rows = append(w.rows, entry{key: rowKey(key), delete: true}) }

// SetLeaf puts a leaf into the tree: key as in a proof, and the SHA-256 of its value.
func (w *WriteSet) SetLeaf(leafKey []byte, valueHash tree.Hash) {
	w.leaves = append(w.leaves, leafEntry{key: bytes.Clone(leafKey), path: tree.PathOf(leafKey), valueHash: valueHash})
}

// DeleteLeaf takes a leaf out of the tree; a leaf that does not exist stays absent.
func (w *WriteSet) DeleteLeaf(leafKey []byte) {
	w.leaves = append(w.leaves, leafEntry{key: bytes.Clone(leafKey), path: tree.PathOf(leafKey), delete: true})
}

// Len is the number of rows and leaves in the set.
func (w *WriteSet) Len() int {
	return len(lastOfEach(w.rows, compareRows)) + len(lastOfEach(w.leaves, compareLeaves))
}

// Merge applies a later set on top of this one (the genesis set, then block 1's).
func (w *WriteSet) Merge(later *WriteSet) {
	w.rows = append(w.rows, later.rows...)
	w.leaves = append(w.leaves, later.leaves...)
}

func compareRows(a, b entry) int       { return bytes.Compare(a.key, b.key) }
func compareLeaves(a, b leafEntry) int { return bytes.Compare(a.path[:], b.path[:]) }

// lastOfEach gives the calls in ascending order, of those that are equal the last one. The argument stays as it is.
func lastOfEach[T any](calls []T, compare func(a, b T) int) []T {
	sorted := slices.Clone(calls)
	if !slices.IsSortedFunc(sorted, compare) {
		slices.SortStableFunc(sorted, compare)
	}
	kept := sorted[:0]
	for i := range sorted {
		if i+1 == len(sorted) || compare(sorted[i], sorted[i+1]) != 0 {
			kept = append(kept, sorted[i])
		}
	}
	return kept
}

// freeze turns the set into writes in ascending key order and into tree changes in ascending path order, and applies the
// limits. The result does not change when the set does.
func (w *WriteSet) freeze() ([]entry, []Change, error) {
	rows, leaves := lastOfEach(w.rows, compareRows), lastOfEach(w.leaves, compareLeaves)
	entries, changes := make([]entry, 0, len(rows)+len(leaves)), make([]Change, 0, len(leaves))
	// Leaf rows first: keyLeaf comes before keyRow.
	for _, l := range leaves {
		if len(l.key) == 0 || len(l.key) > maxKeyLen {
			return nil, nil, fmt.Errorf("leaf key of %d bytes, limit is 1 to %d", len(l.key), maxKeyLen)
		}
		e := entry{key: leafRowKey(l.path), delete: l.delete}
		if !l.delete {
			e.value = encodeLeafRow(l.valueHash, l.key)
		}
		entries = append(entries, e)
		changes = append(changes, Change{Path: l.path, ValueHash: l.valueHash, Delete: l.delete})
	}
	for _, e := range rows {
		if n := len(e.key) - 1; n == 0 || n > maxKeyLen {
			return nil, nil, fmt.Errorf("row key of %d bytes, limit is 1 to %d", n, maxKeyLen)
		}
		if len(e.value) > maxValueLen {
			return nil, nil, fmt.Errorf("row value of %d bytes, limit is %d", len(e.value), maxValueLen)
		}
		entries = append(entries, e)
	}
	return entries, changes, nil
}

// keyLeaf < keyRow, which freeze builds on: the array would have a negative length otherwise.
var _ [keyRow - keyLeaf - 1]struct{}
