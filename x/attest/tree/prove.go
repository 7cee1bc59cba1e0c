package tree

import (
	"bytes"
	"errors"
	"fmt"
)

// Ref names a node of a tree to the tree itself. NoRef is the empty subtree.
type Ref uint32

// NoRef is the Ref of a subtree without leaves.
const NoRef Ref = 0

// Walker is a tree that proofs can be read from. The tree must not change while
// Prove runs. Methods are never called with NoRef.
type Walker interface {
	// Root is NoRef if the tree is empty.
	Root() Ref
	// Children gives the two sides of a branch; ok is false for a leaf.
	Children(Ref) (l, r Ref, ok bool)
	// SideHash is the hash of one of the sides that Children gave. It is asked of the branch, which may have both at hand.
	SideHash(branch Ref, right bool) Hash
	// Leaf is called only where Children said that the node is a leaf.
	Leaf(Ref) Leaf
}

// Errors of a prover. They concern the asker or the tree, never a verifier.
var (
	ErrPaths = errors.New("paths to prove: need 1 to 16384, strictly ascending")
	errDeep  = fmt.Errorf("tree: a branch below depth %d", MaxDepth-1)
)

// Prove writes the proof for paths, strictly ascending. For each path it says
// whether a leaf is there and which value hash it has; with these as claims
// RootOf gives the hash of the root.
func Prove(src Walker, paths []Hash) (Proof, []bool, []Hash, error) {
	if len(paths) == 0 || len(paths) > MaxClaims {
		return Proof{}, nil, nil, ErrPaths
	}
	for i := 1; i < len(paths); i++ {
		if bytes.Compare(paths[i-1][:], paths[i][:]) >= 0 {
			return Proof{}, nil, nil, ErrPaths
		}
	}
	w := prover{
		src:         src,
		paths:       paths,
		present:     make([]bool, len(paths)),
		valueHashes: make([]Hash, len(paths)),
		// Enough for one path of a tree of millions of leaves; more grow.
		shape:  make([]byte, 0, 16),
		hashes: make([]byte, 0, 28*len(Hash{})),
	}
	if err := w.visit(src.Root(), 0, len(paths), 0); err != nil {
		return Proof{}, nil, nil, err
	}
	return Proof{Shape: w.shape, Hashes: w.hashes}, w.present, w.valueHashes, nil
}

// Claims puts the answers of Prove beside the paths.
func Claims(paths []Hash, present []bool, valueHashes []Hash) []Claim {
	claims := make([]Claim, len(paths))
	for i := range paths {
		claims[i] = Claim{Path: paths[i], ValueHash: valueHashes[i], Present: present[i]}
	}
	return claims
}

type prover struct {
	src         Walker
	paths       []Hash
	present     []bool
	valueHashes []Hash
	shape       []byte
	hashes      []byte
	bits        int
}

func (w *prover) visit(ref Ref, lo, hi, depth int) error {
	if ref == NoRef {
		w.bit(0, 0, 0)
		return nil
	}
	l, r, ok := w.src.Children(ref)
	if !ok {
		w.leaf(w.src.Leaf(ref), lo, hi)
		return nil
	}
	if depth >= MaxDepth {
		return errDeep
	}
	w.bit(1)
	cut := lo
	for cut < hi && Bit(&w.paths[cut], depth) == 0 {
		cut++
	}
	if err := w.side(ref, false, l, lo, cut, depth+1); err != nil {
		return err
	}
	return w.side(ref, true, r, cut, hi, depth+1)
}

func (w *prover) side(branch Ref, right bool, ref Ref, lo, hi, depth int) error {
	switch {
	case lo < hi:
		return w.visit(ref, lo, hi, depth)
	case ref == NoRef:
		w.bit(0)
	default:
		w.bit(1)
		h := w.src.SideHash(branch, right)
		w.hashes = append(w.hashes, h[:]...)
	}
	return nil
}

func (w *prover) leaf(leaf Leaf, lo, hi int) {
	for i := lo; i < hi; i++ {
		if w.paths[i] == leaf.Path {
			w.present[i], w.valueHashes[i] = true, leaf.ValueHash
			w.bit(0, 1, 0)
			return
		}
	}
	w.bit(0, 1, 1)
	w.hashes = append(w.hashes, leaf.Path[:]...)
	w.hashes = append(w.hashes, leaf.ValueHash[:]...)
}

func (w *prover) bit(bits ...byte) {
	for _, b := range bits {
		if w.bits&7 == 0 {
			w.shape = append(w.shape, 0)
		}
		w.shape[len(w.shape)-1] |= b << (7 - w.bits&7)
		w.bits++
	}
}
