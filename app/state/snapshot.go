package state

import (
	"fmt"
	"sort"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Leaves visits the leaves of the view in ascending order of path until fn returns false. The leaf key is a copy. fn may read
// the view.
func (v *View) Leaves(fn func(path, valueHash tree.Hash, leafKey []byte) (more bool)) error {
	if err := v.enter(); err != nil {
		return err
	}
	defer v.s.ops.Done()
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: []byte{keyLeaf}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		value, err := item.ValueCopy(nil)
		if err != nil {
			return fmt.Errorf("read leaf: %w", err)
		}
		path, valueHash, leafKey, err := decodeLeafRow(item.Key(), value)
		if err != nil {
			return v.s.damaged(err)
		}
		if !fn(path, valueHash, leafKey) {
			return nil
		}
	}
	return nil
}

// Subtree is the hash of a part of the tree together with what kind of part it is: the hash alone does not say whether it is
// that of one leaf, which rises to the place where it is alone.
type Subtree struct {
	Kind SubtreeKind
	Hash tree.Hash
}

// SubtreeKind says how many leaves a subtree has, as far as hashing asks.
type SubtreeKind byte

const (
	NoLeaf SubtreeKind = iota
	OneLeaf
	ManyLeaves
)

// MaxSubtreeDepth bounds the depth at which the tree is cut into parts.
const MaxSubtreeDepth = 16

// SubtreeAt is the number of the subtree at a depth in which a path lies: the first bits of the path.
func SubtreeAt(path tree.Hash, depth int) int {
	if depth == 0 {
		return 0
	}
	return (int(path[0])<<16 | int(path[1])<<8 | int(path[2])) >> (24 - depth)
}

// SubtreeOf hashes the leaves of one subtree at a depth. They ascend by path and share its first bits.
func SubtreeOf(leaves []tree.Leaf, depth int) Subtree {
	switch len(leaves) {
	case 0:
		return Subtree{}
	case 1:
		return Subtree{OneLeaf, tree.LeafHash(leaves[0].Path, leaves[0].ValueHash)}
	}
	cut := sort.Search(len(leaves), func(i int) bool { return tree.Bit(&leaves[i].Path, depth) == 1 })
	l, r := SubtreeOf(leaves[:cut], depth+1), SubtreeOf(leaves[cut:], depth+1)
	return Subtree{ManyLeaves, tree.InnerHash(l.Hash, r.Hash)}
}

// JoinSubtrees gives the root of the tree from all of its subtrees at one depth, in order. Their number is a power of two.
func JoinSubtrees(parts []Subtree) Subtree {
	if len(parts) == 1 {
		return parts[0]
	}
	half := len(parts) / 2
	l, r := JoinSubtrees(parts[:half]), JoinSubtrees(parts[half:])
	switch {
	case l.Kind == NoLeaf && r.Kind != ManyLeaves:
		return r
	case r.Kind == NoLeaf && l.Kind != ManyLeaves:
		return l
	}
	return Subtree{ManyLeaves, tree.InnerHash(l.Hash, r.Hash)}
}
