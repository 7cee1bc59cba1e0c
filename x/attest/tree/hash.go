package tree

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// Hash is a SHA-256 output, or Empty.
type Hash [32]byte

// Empty stands for a subtree without leaves. No input is known to hash to it.
var Empty Hash

// MaxDepth is the number of bits in a path. A node at this depth is never a
// branch.
const MaxDepth = 256

const (
	leafByte  = 0x00 // of the tree and of the log (RFC 6962)
	innerByte = 0x01
)

// PathOf gives the place of a key in the tree.
func PathOf(key []byte) Hash { return sha256.Sum256(key) }

// ValueHash is what a leaf says of its value.
func ValueHash(value []byte) Hash { return sha256.Sum256(value) }

// LeafHash hashes one leaf of the tree.
func LeafHash(path, valueHash Hash) Hash {
	var b [65]byte
	b[0] = leafByte
	copy(b[1:33], path[:])
	copy(b[33:], valueHash[:])
	return sha256.Sum256(b[:])
}

// InnerHash hashes a subtree of two leaves or more.
func InnerHash(l, r Hash) Hash {
	var b [65]byte
	b[0] = innerByte
	copy(b[1:33], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// Bit is the bit of path that decides the side below a node at depth, which
// must be in [0, MaxDepth). Most significant bit first.
func Bit(path *Hash, depth int) int {
	return int(path[depth>>3]>>(7-depth&7)) & 1
}

// samePrefix says whether two paths agree in their first depth bits.
func samePrefix(a, b *Hash, depth int) bool {
	n := depth >> 3
	if !bytes.Equal(a[:n], b[:n]) {
		return false
	}
	rest := depth & 7
	return rest == 0 || (a[n]^b[n])>>(8-rest) == 0
}

// Leaf is one entry of the tree.
type Leaf struct{ Path, ValueHash Hash }

// RootOfLeaves computes the root of a set of leaves from nothing but the
// definition. It is the root of a genesis and the reference for every faster
// way. Order does not matter; a path that occurs twice is a bug of the caller
// and panics.
func RootOfLeaves(leaves []Leaf) Hash {
	byPath := func(a, b Leaf) int { return bytes.Compare(a.Path[:], b.Path[:]) }
	if !slices.IsSortedFunc(leaves, byPath) {
		leaves = slices.Clone(leaves)
		slices.SortFunc(leaves, byPath)
	}
	for i := 1; i < len(leaves); i++ {
		if leaves[i].Path == leaves[i-1].Path {
			panic("tree: RootOfLeaves: a path occurs twice")
		}
	}
	return rootOfSorted(leaves, 0)
}

func rootOfSorted(leaves []Leaf, depth int) Hash {
	switch len(leaves) {
	case 0:
		return Empty
	case 1:
		return LeafHash(leaves[0].Path, leaves[0].ValueHash)
	}
	cut := 0
	for cut < len(leaves) && Bit(&leaves[cut].Path, depth) == 0 {
		cut++
	}
	return InnerHash(rootOfSorted(leaves[:cut], depth+1), rootOfSorted(leaves[cut:], depth+1))
}
