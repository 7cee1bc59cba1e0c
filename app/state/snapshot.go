package state

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// BoundRows are the rows of a view that have a leaf, in ascending order of the leaf's path.
type BoundRows struct {
	v    *View
	keys []byte // each: its length (2) and the key
	refs []boundRef
}

type boundRef struct {
	path uint64 // its first bytes
	at   uint64 // in keys
}

// Bound finds the rows of the view that have a leaf. It reads their tables once and takes some 40 bytes of memory a row.
func (v *View) Bound(ctx context.Context) (*BoundRows, error) {
	if err := v.enter(); err != nil {
		return nil, err
	}
	defer v.s.ops.Done()
	r := &BoundRows{v: v}
	b := v.bindingOf()
	for _, t := range b.Tables {
		err := v.s.scan(ctx, v.height, keyRange{prefix: rowKey(t)}, func(key, _ []byte) error {
			path, bound, err := b.leafPath(key)
			if bound {
				r.refs = append(r.refs, boundRef{binary.BigEndian.Uint64(path[:]), uint64(len(r.keys))})
				r.keys = append(binary.BigEndian.AppendUint16(r.keys, uint16(len(key))), key...)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(r.refs, func(a, c boundRef) int {
		if a.path != c.path {
			return cmp.Compare(a.path, c.path)
		}
		x, _, _ := b.leafPath(r.key(a)) // it was computed once without an error
		y, _, _ := b.leafPath(r.key(c))
		return comparePaths(&x, &y)
	})
	return r, nil
}

func (v *View) bindingOf() *Binding {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	return v.s.binding
}

func (r *BoundRows) key(ref boundRef) []byte {
	n := uint64(binary.BigEndian.Uint16(r.keys[ref.at:]))
	return r.keys[ref.at+2 : ref.at+2+n]
}

// Len is the number of the rows.
func (r *BoundRows) Len() int { return len(r.refs) }

// Each visits the rows until fn returns an error, which it returns. fn may read the view and keep what it is given.
func (r *BoundRows) Each(fn func(key, row []byte, leaf tree.Leaf) error) error {
	b := r.v.bindingOf()
	for _, ref := range r.refs {
		key := bytes.Clone(r.key(ref))
		row, found, err := r.v.Get(key)
		if err == nil && !found {
			err = r.v.s.damaged(fmt.Errorf("row %x is gone", key))
		}
		if err != nil {
			return err
		}
		leaf, _, err := b.leaf(key, row)
		if err != nil {
			return r.v.s.damaged(err)
		}
		if err := fn(key, row, leaf); err != nil {
			return err
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
