package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// leavesOf computes all leaves of a height from its rows and calls next for them in ascending order of path, until it returns false. It reads every
// row of the bound tables, with several goroutines, and takes 64 bytes of memory a leaf.
//
// DETERMINISM: the goroutines read and compute; the leaves are sorted before anybody sees them.
func (s *Store) leavesOf(ctx context.Context, height uint64, next func(tree.Leaf) bool) error {
	s.mu.RLock()
	b := s.binding
	s.mu.RUnlock()
	var ranges []keyRange
	for _, t := range b.Tables {
		ranges = append(ranges, s.ranges(rowKey(t))...)
	}
	// By the first byte of the path: sorted one after the other, they need no second copy of all.
	var buckets [256][][]tree.Leaf
	var mu sync.Mutex // guards buckets, taken and failed
	var failed error
	taken := 0
	var wg sync.WaitGroup
	for range sideBySide {
		wg.Go(func() {
			var mine [256][]tree.Leaf
			for {
				mu.Lock()
				if taken == len(ranges) || failed != nil {
					for i := range mine {
						if len(mine[i]) > 0 {
							buckets[i] = append(buckets[i], mine[i])
						}
					}
					mu.Unlock()
					return
				}
				r := ranges[taken]
				taken++
				mu.Unlock()
				err := s.scan(ctx, height, r, func(key, row []byte) error {
					leaf, bound, err := b.leaf(key, row)
					if bound {
						mine[leaf.Path[0]] = append(mine[leaf.Path[0]], leaf)
					}
					return err
				})
				if err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	// Sorted ahead of whoever consumes them.
	sorted := make([][]tree.Leaf, len(buckets))
	ready := make([]chan struct{}, len(buckets))
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	ahead := make(chan struct{}, sideBySide) // how many buckets may be in their second copy
	go func() {
		for i := range buckets {
			ahead <- struct{}{}
			go func() {
				defer close(ready[i])
				all := slices.Concat(buckets[i]...)
				buckets[i] = nil
				slices.SortFunc(all, func(a, b tree.Leaf) int { return comparePaths(&a.Path, &b.Path) })
				sorted[i] = all
			}()
		}
	}()
	more := true
	for i := range buckets {
		<-ready[i]
		for j := 0; more && j < len(sorted[i]); j++ {
			more = next(sorted[i][j])
		}
		sorted[i] = nil
		<-ahead
	}
	return nil
}

// keyRange is a part of a table: keys of the keyspace from left (without it: from the beginning of the prefix) up to, without it, right.
type keyRange struct{ prefix, left, right []byte }

// rangesMax bounds into how many pieces a table is cut. Each costs the opening of an iterator.
const rangesMax = 64

// ranges cuts the keys with a prefix where Badger's files end. Where is of no matter for what is in all of them.
func (s *Store) ranges(prefix []byte) []keyRange {
	var cuts [][]byte
	for _, t := range s.db.Tables() {
		const ts = 8 // bytes of the timestamp at the end
		if key := t.Right[:max(len(t.Right)-ts, 0)]; len(key) > len(prefix) && bytes.HasPrefix(key, prefix) {
			cuts = append(cuts, bytes.Clone(key))
		}
	}
	slices.SortFunc(cuts, bytes.Compare)
	cuts = slices.CompactFunc(cuts, bytes.Equal)
	var out []keyRange
	var left []byte
	step := len(cuts)/rangesMax + 1
	for i := step - 1; i < len(cuts); i += step {
		out = append(out, keyRange{prefix, left, cuts[i]})
		left = cuts[i]
	}
	return append(out, keyRange{prefix, left, nil})
}

// scan visits the rows of a range as they are at a height. Key (without the keyspace's prefix) and row are fn's only during the call.
func (s *Store) scan(ctx context.Context, height uint64, r keyRange, fn func(key, row []byte) error) error {
	txn := s.db.NewTransactionAt(height, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: r.prefix})
	defer it.Close()
	start := r.prefix
	if r.left != nil {
		start = r.left
	}
	n := 0
	for it.Seek(start); it.Valid(); it.Next() {
		if n++; n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		item := it.Item()
		key := item.Key()
		if r.right != nil && bytes.Compare(key, r.right) >= 0 {
			return nil
		}
		if err := item.Value(func(row []byte) error { return fn(key[1:], row) }); err != nil {
			return fmt.Errorf("state row %x: %w", key[1:], err)
		}
	}
	return nil
}
