package attesttest

import (
	"slices"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// walker is a tree held node by node, for the prover of package tree.
type walker struct {
	nodes []node // nodes[0] is unused: tree.NoRef
	root  tree.Ref
}

type node struct {
	l, r   tree.Ref
	hash   tree.Hash
	leaf   tree.Leaf
	branch bool
}

func (w *walker) Root() tree.Ref            { return w.root }
func (w *walker) Leaf(r tree.Ref) tree.Leaf { return w.nodes[r].leaf }
func (w *walker) Children(r tree.Ref) (l, rr tree.Ref, ok bool) {
	n := &w.nodes[r]
	return n.l, n.r, n.branch
}

func (w *walker) hash(r tree.Ref) tree.Hash { return w.nodes[r].hash }

func (w *walker) SideHash(branch tree.Ref, right bool) tree.Hash {
	ref := w.nodes[branch].l
	if right {
		ref = w.nodes[branch].r
	}
	return w.nodes[ref].hash
}

func (w *walker) add(n node) tree.Ref {
	w.nodes = append(w.nodes, n)
	return tree.Ref(len(w.nodes) - 1)
}

func (w *walker) addLeaf(l tree.Leaf) tree.Ref {
	return w.add(node{leaf: l, hash: tree.LeafHash(l.Path, l.ValueHash)})
}

func (w *walker) addBranch(l, r tree.Ref) tree.Ref {
	var lh, rh tree.Hash
	if l != tree.NoRef {
		lh = w.nodes[l].hash
	}
	if r != tree.NoRef {
		rh = w.nodes[r].hash
	}
	return w.add(node{l: l, r: r, branch: true, hash: tree.InnerHash(lh, rh)})
}

func newWalker(leaves []tree.Leaf) *walker {
	w := &walker{nodes: make([]node, 1)}
	leaves = slices.Clone(leaves)
	w.root = w.build(leaves, 0)
	return w
}

func (w *walker) build(leaves []tree.Leaf, depth int) tree.Ref {
	switch len(leaves) {
	case 0:
		return tree.NoRef
	case 1:
		return w.addLeaf(leaves[0])
	}
	var side [2][]tree.Leaf
	for _, l := range leaves {
		b := tree.Bit(&l.Path, depth)
		side[b] = append(side[b], l)
	}
	return w.addBranch(w.build(side[0], depth+1), w.build(side[1], depth+1))
}

// deepWalker is a tree in which a leaf stands at a depth, beside subtrees of which only the hashes exist.
func deepWalker(leaf tree.Leaf, depth int) *walker {
	w := &walker{nodes: make([]node, 1)}
	w.root = w.chain(&leaf.Path, w.addLeaf(leaf), depth)
	return w
}

// deepWalkerTo is a tree that has, where path would stand, the leaf of somebody else.
func deepWalkerTo(path tree.Hash, depth int) *walker {
	w := &walker{nodes: make([]node, 1)}
	other := path
	other[31] ^= 1
	w.root = w.chain(&path, w.addLeaf(tree.Leaf{Path: other, ValueHash: tree.ValueHash(Sum("neighbour"))}), depth)
	return w
}

func (w *walker) chain(path *tree.Hash, at tree.Ref, depth int) tree.Ref {
	for d := depth - 1; d >= 0; d-- {
		beside := w.add(node{hash: tree.Hash(Sum("beside", d))})
		if tree.Bit(path, d) == 0 {
			at = w.addBranch(at, beside)
		} else {
			at = w.addBranch(beside, at)
		}
	}
	return at
}
