package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// CheckLeaves rebuilds the root from the leaf rows of the last block, by other code than the tree in memory, and compares
// it with the marker's. It reads everything and takes 64 bytes of memory a leaf: for fsck, not for serving.
func (s *Store) CheckLeaves(ctx context.Context) error {
	s.mu.RLock()
	m := s.latest
	s.mu.RUnlock()
	v, err := s.View(m.Height) // holds back pruning meanwhile
	if err != nil {
		return err
	}
	defer v.Close()
	if err := v.enter(); err != nil {
		return err
	}
	defer s.ops.Done()
	rows := s.leafRows(ctx, m.Height)
	defer rows.close()
	var leaves []tree.Leaf
	for {
		leaf, ok := rows.next()
		if !ok {
			break
		}
		leaves = append(leaves, leaf)
	}
	if errors.Is(rows.err, context.Canceled) || errors.Is(rows.err, context.DeadlineExceeded) {
		return rows.err
	}
	if rows.err != nil {
		return s.damaged(rows.err)
	}
	if root := tree.RootOfLeaves(leaves); root != m.Root {
		return s.damaged(fmt.Errorf("the leaves of height %d give root %x, the marker says %x", m.Height, root, m.Root))
	}
	return nil
}

// CheckFiles verifies the checksum of every table file. It reads the whole folder: for fsck.
func (s *Store) CheckFiles() (err error) {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.ops.Done()
	defer func() {
		// Badger 4.9.6 panics when it words the error about a block that it could not read.
		if r := recover(); r != nil {
			err = s.damaged(errors.New("a block of a table file does not match its checksum"))
		}
	}()
	if err := s.db.VerifyChecksum(); err != nil {
		return s.damaged(err)
	}
	return nil
}

// leafReader walks the leaf rows of one height in path order.
type leafReader struct {
	ctx  context.Context
	txn  *badger.Txn
	it   *badger.Iterator
	last []byte
	n    int
	err  error // why next stopped early
}

func (s *Store) leafRows(ctx context.Context, height uint64) *leafReader {
	txn := s.db.NewTransactionAt(height, false)
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{keyLeaf}})
	it.Rewind()
	return &leafReader{ctx: ctx, txn: txn, it: it}
}

func (r *leafReader) close() {
	r.it.Close()
	r.txn.Discard()
}

// next returns leaves until there is none, or until r.err is set.
func (r *leafReader) next() (leaf tree.Leaf, ok bool) {
	if r.err != nil || !r.it.Valid() {
		return leaf, false
	}
	if r.n++; r.n%1024 == 0 {
		if r.err = r.ctx.Err(); r.err != nil {
			return leaf, false
		}
	}
	item := r.it.Item()
	key := item.Key()
	if r.last != nil && bytes.Compare(r.last, key) >= 0 {
		r.err = fmt.Errorf("leaf row %x is out of order", key)
		return leaf, false
	}
	r.last = append(r.last[:0], key...)
	var path, valueHash tree.Hash
	err := item.Value(func(value []byte) error {
		var err error
		path, valueHash, _, err = decodeLeafRow(key, value)
		return err
	})
	if err != nil {
		r.err = err
		return leaf, false
	}
	r.it.Next()
	return tree.Leaf{Path: path, ValueHash: valueHash}, true
}
