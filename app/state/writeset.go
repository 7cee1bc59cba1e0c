package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// WriteSet is what one block changes. For each key the last call wins. It copies what it is given. The order of calls never
// matters otherwise: the set is sorted when it is used, which costs little where the calls came in ascending order of the
// keys. For one goroutine.
type WriteSet struct {
	rows   []entry // in the order of the calls; keys as in the folder
	memory []byte  // of keys and values: what is not in use yet
	taken  int     // how much memory was taken the last time
}

// Memory is taken a chunk at a time: little for a small block, twice as much each time.
const (
	chunkMin = 4 << 10
	chunkMax = 256 << 10
)

// entry is one Badger write.
type entry struct {
	key, value []byte
	delete     bool
}

func (e entry) size() int { return len(e.key) + len(e.value) }

// NewWriteSet returns an empty set.
func NewWriteSet() *WriteSet { return &WriteSet{} }

// Grow makes room for so many rows more, so that the set need not be moved while it fills.
func (w *WriteSet) Grow(rows int) { w.rows = slices.Grow(w.rows, rows) }

// Set writes a row.
func (w *WriteSet) Set(key, value []byte) {
	// Key and value in one piece of memory: neither grows into the other.
	n := 1 + len(key) + len(value)
	if n > len(w.memory) {
		w.taken = min(max(2*w.taken, chunkMin), chunkMax)
		w.memory = make([]byte, max(n, w.taken))
	}
	both := w.memory[:n:n]
	w.memory = w.memory[n:]
	both[0] = keyRow
	k := 1 + copy(both[1:], key)
	copy(both[k:], value)
	w.rows = append(w.rows, entry{key: both[:k:k], value: both[k:]})
}

// Delete removes a row; a row that does not exist stays absent.
func (w *WriteSet) Delete(key []byte) { w.rows = append(w.rows, entry{key: rowKey(key), delete: true}) }

// Len is the number of rows in the set.
func (w *WriteSet) Len() int { return len(lastOfEach(w.rows)) }

// Merge applies a later set on top of this one (the genesis set, then block 1's).
func (w *WriteSet) Merge(later *WriteSet) { w.rows = append(w.rows, later.rows...) }

func compareEntries(a, b entry) int { return bytes.Compare(a.key, b.key) }

// lastOfEach gives the entries in ascending order of their keys, of those of one key the last. The argument stays as it is.
func lastOfEach(calls []entry) []entry {
	sorted := slices.Clone(calls)
	if !slices.IsSortedFunc(sorted, compareEntries) {
		// The calls are sorted by the first bytes of their keys, then by the rest, then by their order: that is stable, and
		// an entry is moved once.
		type call struct {
			first uint64
			n     int
		}
		order := make([]call, len(calls))
		for i := range calls {
			order[i] = call{firstBytes(calls[i].key), i}
		}
		slices.SortFunc(order, func(a, b call) int {
			if a.first != b.first {
				return cmp.Compare(a.first, b.first)
			}
			return cmp.Or(compareEntries(calls[a.n], calls[b.n]), a.n-b.n)
		})
		for i, c := range order {
			sorted[i] = calls[c.n]
		}
	}
	kept := sorted[:0]
	for i := range sorted {
		if i+1 == len(sorted) || !bytes.Equal(sorted[i].key, sorted[i+1].key) {
			kept = append(kept, sorted[i])
		}
	}
	return kept
}

// firstBytes of a key as a number, zeros for what is not there: of two keys with different numbers the smaller one comes first.
func firstBytes(key []byte) (n uint64) {
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// freeze turns the set into writes in ascending key order and applies the limits. The result does not change when the set
// does.
func (w *WriteSet) freeze() ([]entry, error) {
	entries := lastOfEach(w.rows)
	for _, e := range entries {
		if n := len(e.key) - 1; n == 0 || n > maxKeyLen {
			return nil, fmt.Errorf("row key of %d bytes, limit is 1 to %d", n, maxKeyLen)
		}
		if len(e.value) > maxValueLen {
			return nil, fmt.Errorf("row value of %d bytes, limit is %d", len(e.value), maxValueLen)
		}
	}
	return entries, nil
}

// find gives the place of a key of the keyspace among entries in ascending order.
func find(entries []entry, key []byte) (n int, found bool) {
	return slices.BinarySearchFunc(entries, key, func(e entry, k []byte) int { return bytes.Compare(e.key, k) })
}

// getter reads rows of the set itself: before block 1 there are no others.
func getter(entries []entry) Getter {
	return func(key []byte) (row []byte, found bool, err error) {
		i, found := find(entries, rowKey(key))
		if !found || entries[i].delete {
			return nil, false, nil
		}
		return bytes.Clone(entries[i].value), true, nil
	}
}
