package state

import "github.com/xinlian-ledger/xinlian/x/attest/tree"

// Tree is the tree alone, without rows and without a folder: for who executes blocks and keeps the rows itself. It has no older version to
// show. For one goroutine.
type Tree struct {
	f       *forest
	applied uint64
}

// NewTree gives an empty tree.
func NewTree() *Tree {
	f := newForest()
	f.keep(1, 0)
	return &Tree{f: f}
}

// Apply changes leaves, in strictly ascending order of their paths, and gives the new root.
func (t *Tree) Apply(changes []Change) (tree.Hash, error) {
	root, err := t.f.stage(changes)
	if err != nil {
		t.f.discard()
		return tree.Hash{}, err
	}
	t.applied++
	t.f.publish(t.applied)
	return root, nil
}
