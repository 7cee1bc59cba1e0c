package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"sync"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Binding (绑定) says how the tree follows from the rows. Leaves are computed and never stored: a row and its leaf cannot disagree, and a block
// writes one entry for both.
type Binding struct {
	// Tables are the prefixes of the keys of all rows that may have a leaf; none begins with another.
	Tables [][]byte
	// Key gives the key of the leaf that binds a row of these tables, from the key of the row alone; nil: the row has no leaf. Two rows never have the
	// same leaf key.
	Key func(key []byte) []byte
	// Value gives the hash of the value of that leaf. Several goroutines call Key and Value at a time.
	Value func(key, row []byte) (tree.Hash, error)
}

// A Getter reads rows. The caller may keep what it gives.
type Getter func(key []byte) (row []byte, found bool, err error)

// bind asks for the binding. The rows that it may need are there: at the marker when a folder is opened, else in the first block or in what was
// restored.
func (s *Store) bind(get Getter) error {
	if s.opts.Bind == nil {
		if s.latest.Root != tree.Empty {
			return errors.New("the state has a tree, and nobody has said how its rows are bound") // bug of the caller
		}
		return nil
	}
	b, err := s.opts.Bind(get)
	if err != nil {
		return fmt.Errorf("how rows are bound: %w", err)
	}
	slices.SortFunc(b.Tables, bytes.Compare)
	for i, t := range b.Tables {
		if len(t) == 0 || i > 0 && bytes.HasPrefix(t, b.Tables[i-1]) {
			return fmt.Errorf("how rows are bound: table %x begins with another, or with anything", t)
		}
	}
	s.setBinding(&b)
	return nil
}

func (s *Store) setBinding(b *Binding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.binding = b
}

// leafPath is the place of the leaf of a row; false: it has none.
func (b *Binding) leafPath(key []byte) (path tree.Hash, bound bool, err error) {
	leafKey := b.Key(key)
	if leafKey == nil {
		return path, false, nil
	}
	if len(leafKey) == 0 || len(leafKey) > maxKeyLen {
		return path, false, fmt.Errorf("leaf key of %d bytes, limit is 1 to %d", len(leafKey), maxKeyLen)
	}
	return tree.PathOf(leafKey), true, nil
}

// leaf of a row; false: it has none.
func (b *Binding) leaf(key, row []byte) (leaf tree.Leaf, bound bool, err error) {
	if leaf.Path, bound, err = b.leafPath(key); err != nil || !bound {
		return leaf, false, err
	}
	leaf.ValueHash, err = b.Value(key, row)
	return leaf, err == nil, err
}

// sideBySide is how many goroutines compute leaves at a time, and atOnce how many rows are worth one.
const (
	sideBySide = 4
	atOnce     = 256
)

// changes gives the changes of the tree that entries, ascending by key, make; ascending by path.
//
// DETERMINISM: the goroutines compute, each for a range of rows; the result is sorted.
func (b *Binding) changes(entries []entry) ([]Change, error) {
	var bound []entry // in runs of the bound tables
	for _, t := range b.Tables {
		from := sort.Search(len(entries), func(i int) bool { return bytes.Compare(entries[i].key[1:], t) >= 0 })
		to := from + sort.Search(len(entries)-from, func(i int) bool { return !bytes.HasPrefix(entries[from+i].key[1:], t) })
		bound = append(bound, entries[from:to]...)
	}
	out := make([]Change, len(bound))
	has := make([]bool, len(bound))
	parts := min(sideBySide, len(bound)/atOnce+1, runtime.GOMAXPROCS(0))
	errs := make([]error, parts)
	var wg sync.WaitGroup
	for p := range parts {
		work := func() {
			for i := p * len(bound) / parts; i < (p+1)*len(bound)/parts && errs[p] == nil; i++ {
				e := bound[i]
				c := Change{Delete: e.delete}
				if e.delete {
					c.Path, has[i], errs[p] = b.leafPath(e.key[1:])
				} else {
					var l tree.Leaf
					l, has[i], errs[p] = b.leaf(e.key[1:], e.value)
					c.Path, c.ValueHash = l.Path, l.ValueHash
				}
				out[i] = c
			}
		}
		if p == parts-1 {
			work()
		} else {
			wg.Go(work)
		}
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	n := 0
	for i := range out {
		if has[i] {
			out[n] = out[i]
			n++
		}
	}
	out = out[:n]
	slices.SortFunc(out, func(a, b Change) int { return comparePaths(&a.Path, &b.Path) })
	return out, nil
}

// comparePaths is bytes.Compare; the first eight bytes nearly always decide.
func comparePaths(a, b *tree.Hash) int {
	x, y := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:])
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return bytes.Compare(a[:], b[:])
}
