package tree

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plainTree is a tree built from the definition, one slice cell per node.
type plainTree struct{ nodes []plainNode }

type plainNode struct {
	l, r   Ref
	branch bool
	hash   Hash
	leaf   Leaf
}

func newPlainTree(leaves []Leaf) *plainTree {
	leaves = slices.Clone(leaves)
	slices.SortFunc(leaves, func(a, b Leaf) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	t := &plainTree{nodes: make([]plainNode, 2)} // 0 is NoRef, 1 holds the root
	root := t.add(leaves, 0)
	t.nodes[1] = plainNode{l: root}
	return t
}

func (t *plainTree) add(leaves []Leaf, depth int) Ref {
	var n plainNode
	switch len(leaves) {
	case 0:
		return NoRef
	case 1:
		n = plainNode{leaf: leaves[0], hash: LeafHash(leaves[0].Path, leaves[0].ValueHash)}
	default:
		cut, _ := slices.BinarySearchFunc(leaves, 1, func(l Leaf, want int) int { return Bit(&l.Path, depth) - want })
		n = plainNode{branch: true, l: t.add(leaves[:cut], depth+1), r: t.add(leaves[cut:], depth+1)}
		n.hash = InnerHash(t.hashOf(n.l), t.hashOf(n.r))
	}
	t.nodes = append(t.nodes, n)
	return Ref(len(t.nodes) - 1)
}

func (t *plainTree) hashOf(r Ref) Hash {
	if r == NoRef {
		return Empty
	}
	return t.nodes[r].hash
}

func (t *plainTree) Root() Ref       { return t.nodes[1].l }
func (t *plainTree) Leaf(r Ref) Leaf { return t.nodes[r].leaf }
func (t *plainTree) Children(r Ref) (Ref, Ref, bool) {
	return t.nodes[r].l, t.nodes[r].r, t.nodes[r].branch
}

func (t *plainTree) SideHash(branch Ref, right bool) Hash {
	if right {
		return t.hashOf(t.nodes[branch].r)
	}
	return t.hashOf(t.nodes[branch].l)
}

// drawPath prefers crowded places: most paths share long prefixes with others,
// which random hashes never do.
func drawPath(t *rapid.T, label string) Hash {
	var h Hash
	switch rapid.IntRange(0, 3).Draw(t, label+" kind") {
	case 0: // anywhere
		copy(h[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
	case 1: // few first bits
		h[0] = rapid.Byte().Draw(t, label)
	case 2: // differ at the very end
		h[31] = rapid.ByteRange(0, 15).Draw(t, label)
	case 3: // one bit anywhere
		bit := rapid.IntRange(0, 255).Draw(t, label)
		h[bit>>3] = 1 << (7 - bit&7)
	}
	return h
}

func drawLeaves(t *rapid.T, max int) []Leaf {
	n := rapid.IntRange(0, max).Draw(t, "leaves")
	seen := map[Hash]bool{}
	var out []Leaf
	for range n {
		p := drawPath(t, "leaf")
		if !seen[p] {
			seen[p] = true
			out = append(out, Leaf{p, numbered(uint64(len(out)))})
		}
	}
	return out
}

// drawPaths mixes paths that are there with others, sorted.
func drawPaths(t *rapid.T, leaves []Leaf) []Hash {
	var out []Hash
	for range rapid.IntRange(1, 12).Draw(t, "claims") {
		if len(leaves) > 0 && rapid.Bool().Draw(t, "there") {
			out = append(out, leaves[rapid.IntRange(0, len(leaves)-1).Draw(t, "which")].Path)
		} else {
			out = append(out, drawPath(t, "claim"))
		}
	}
	slices.SortFunc(out, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

func numbered(n uint64) Hash {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return ValueHash(b[:])
}

// numberedLeaves is a made-up tree of n leaves at hashed places.
func numberedLeaves(n int) []Leaf {
	out := make([]Leaf, n)
	for i := range out {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(i))
		out[i] = Leaf{PathOf(b[:]), numbered(uint64(i) << 32)}
	}
	return out
}

func mustProve(t testing.TB, src Walker, paths []Hash) ([]Claim, Proof) {
	t.Helper()
	p, present, values, err := Prove(src, paths)
	if err != nil {
		t.Fatal(err)
	}
	return Claims(paths, present, values), p
}
