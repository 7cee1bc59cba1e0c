package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// CheckLeaves computes the root from the rows of the last block, by other code than the tree in memory, and compares it with
// the marker's: no row without its leaf, no leaf without its row. It reads all bound rows and takes 64 bytes of memory a
// leaf: for fsck, not for serving.
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
	var leaves []tree.Leaf
	err = s.leavesOf(ctx, m.Height, func(l tree.Leaf) bool { leaves = append(leaves, l); return true })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.damaged(err)
	}
	for i := 1; i < len(leaves); i++ {
		if leaves[i-1].Path == leaves[i].Path {
			return s.damaged(fmt.Errorf("two rows of height %d have one leaf", m.Height))
		}
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
