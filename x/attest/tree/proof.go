package tree

import (
	"bytes"
	"errors"
	"fmt"
)

// MaxClaims is the most claims one proof may carry.
const MaxClaims = 16384

// Claim is a statement about one path: the leaf is there with this value hash,
// or (Present false, ValueHash zero) there is no leaf.
type Claim struct {
	Path      Hash
	ValueHash Hash
	Present   bool
}

// Proof is the two byte strings described in the package comment.
type Proof struct {
	Shape  []byte
	Hashes []byte
}

// The two ways in which a proof fails. Every error of RootOf and Verify is one
// of them: malformed means that no tree has such a proof, false that the proof
// speaks of other claims or of another root.
var (
	ErrMalformed = errors.New("malformed tree proof")
	ErrFalse     = errors.New("tree proof does not show the claims")
)

func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }
func untrue(why string) error    { return fmt.Errorf("%w: %s", ErrFalse, why) }

var (
	errNoClaims     = malformed("no claims")
	errManyClaims   = malformed(fmt.Sprintf("more than %d claims", MaxClaims))
	errOrder        = malformed("claims are not in strictly ascending order of path")
	errAbsentValue  = malformed("an absent claim carries a value hash")
	errDepth        = malformed("a branch at depth 256")
	errShapeShort   = malformed("shape ends too early")
	errShapeSurplus = malformed("shape has surplus bytes")
	errShapePadding = malformed("shape is not filled up with zero bits")
	errHashShort    = malformed("hashes end too early")
	errHashSurplus  = malformed("hashes has surplus bytes")
	errZeroHash     = malformed("an empty side is given as a hash")
	errTerminal     = malformed("unknown kind of terminal")
	errThinBranch   = malformed("a branch holds fewer than two leaves")
	errForeignPlace = malformed("a foreign leaf stands outside its subtree")

	errForeignClaim = untrue("a foreign leaf is one of the claims")
	errShownAbsent  = untrue("a claim of presence ends without its leaf")
	errShownPresent = untrue("a leaf is shown that no claim calls present")
	errTwoPresent   = untrue("one leaf is shown for two claims of presence")
	errRoot         = untrue("it leads to another root")
	errZeroRoot     = untrue("the root to compare with is not set")
)

// Verify reports whether, in the tree with this root, every claim holds.
//
// The zero root is refused, so that a root nobody set proves nothing. The state
// tree of a running ledger is never empty; for an empty tree use RootOf.
func Verify(root Hash, claims []Claim, p Proof) error {
	if root == Empty {
		return errZeroRoot
	}
	got, err := RootOf(claims, p)
	if err != nil {
		return err
	}
	if got != root {
		return errRoot
	}
	return nil
}

// RootOf computes the root of the only trees in which the claims hold by this
// proof. The root means nothing until it is compared with a trusted one.
//
// Work and stack are bounded by MaxClaims, MaxDepth and the length of the
// proof; nothing is allocated.
func RootOf(claims []Claim, p Proof) (Hash, error) {
	if err := checkClaims(claims); err != nil {
		return Hash{}, err
	}
	w := walk{claims: claims, shape: p.Shape, hashes: p.Hashes}
	root, _, err := w.visit(0, len(claims), 0)
	if err != nil {
		return Hash{}, err
	}
	if err := w.finish(); err != nil {
		return Hash{}, err
	}
	return root, nil
}

func checkClaims(claims []Claim) error {
	if len(claims) == 0 {
		return errNoClaims
	}
	if len(claims) > MaxClaims {
		return errManyClaims
	}
	for i := range claims {
		if i > 0 && bytes.Compare(claims[i-1].Path[:], claims[i].Path[:]) >= 0 {
			return errOrder
		}
		if !claims[i].Present && claims[i].ValueHash != Empty {
			return errAbsentValue
		}
	}
	return nil
}

// kind is what the walk knows of a subtree it has passed.
type kind uint8

const (
	isEmpty kind = iota
	isLeaf
	isOther // a branch, or a hash of which nothing else is known
)

// walk reads a proof from front to back.
type walk struct {
	claims []Claim
	shape  []byte
	hashes []byte // not yet consumed
	bits   int    // consumed from shape
}

// visit passes the subtree at depth that holds claims[lo:hi], lo < hi. It
// recurses at most MaxDepth deep.
func (w *walk) visit(lo, hi, depth int) (Hash, kind, error) {
	branch, err := w.bit()
	if err != nil {
		return Hash{}, 0, err
	}
	if !branch {
		return w.terminal(lo, hi, depth)
	}
	if depth >= MaxDepth {
		return Hash{}, 0, errDepth
	}
	cut := w.cut(lo, hi, depth)
	l, lk, err := w.side(lo, cut, depth+1)
	if err != nil {
		return Hash{}, 0, err
	}
	r, rk, err := w.side(cut, hi, depth+1)
	if err != nil {
		return Hash{}, 0, err
	}
	// A subtree with one leaf is that leaf and one with none is Empty, so
	// neither is ever a branch. A lone side known only by its hash is not
	// judged: it may be a branch further down.
	if lk == isEmpty && rk != isOther || rk == isEmpty && lk != isOther {
		return Hash{}, 0, errThinBranch
	}
	return InnerHash(l, r), isOther, nil
}

// cut finds the first of claims[lo:hi] that goes to side 1 below depth.
func (w *walk) cut(lo, hi, depth int) int {
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if Bit(&w.claims[mid].Path, depth) == 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (w *walk) side(lo, hi, depth int) (Hash, kind, error) {
	if lo < hi {
		return w.visit(lo, hi, depth)
	}
	given, err := w.bit()
	if err != nil || !given {
		return Hash{}, isEmpty, err
	}
	h, err := w.hash()
	if err != nil {
		return Hash{}, 0, err
	}
	if h == Empty {
		return Hash{}, 0, errZeroHash
	}
	return h, isOther, nil
}

func (w *walk) terminal(lo, hi, depth int) (Hash, kind, error) {
	leaf, err := w.bit()
	if err != nil {
		return Hash{}, 0, err
	}
	foreign, err := w.bit()
	if err != nil {
		return Hash{}, 0, err
	}
	if !leaf && foreign {
		return Hash{}, 0, errTerminal
	}
	present := -1
	for i := lo; i < hi; i++ {
		if !w.claims[i].Present {
			continue
		}
		if !leaf || foreign {
			return Hash{}, 0, errShownAbsent
		}
		if present >= 0 {
			return Hash{}, 0, errTwoPresent
		}
		present = i
	}
	switch {
	case !leaf:
		return Hash{}, isEmpty, nil
	case !foreign:
		if present < 0 {
			return Hash{}, 0, errShownPresent
		}
		c := &w.claims[present]
		return LeafHash(c.Path, c.ValueHash), isLeaf, nil
	}
	path, err := w.hash()
	if err != nil {
		return Hash{}, 0, err
	}
	valueHash, err := w.hash()
	if err != nil {
		return Hash{}, 0, err
	}
	if !samePrefix(&path, &w.claims[lo].Path, depth) {
		return Hash{}, 0, errForeignPlace
	}
	for i := lo; i < hi; i++ {
		if w.claims[i].Path == path {
			return Hash{}, 0, errForeignClaim
		}
	}
	return LeafHash(path, valueHash), isLeaf, nil
}

func (w *walk) bit() (bool, error) {
	i := w.bits >> 3
	if i >= len(w.shape) {
		return false, errShapeShort
	}
	set := w.shape[i]>>(7-w.bits&7)&1 == 1
	w.bits++
	return set, nil
}

func (w *walk) hash() (h Hash, err error) {
	if len(w.hashes) < len(h) {
		return h, errHashShort
	}
	copy(h[:], w.hashes)
	w.hashes = w.hashes[len(h):]
	return h, nil
}

func (w *walk) finish() error {
	if len(w.shape) != (w.bits+7)>>3 {
		return errShapeSurplus
	}
	if rest := w.bits & 7; rest != 0 && w.shape[len(w.shape)-1]<<rest != 0 {
		return errShapePadding
	}
	if len(w.hashes) != 0 {
		return errHashSurplus
	}
	return nil
}
