package tree

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRootIsAFunctionOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := drawLeaves(t, 40)
		want := RootOfLeaves(leaves)
		shuffled := rapid.Permutation(leaves).Draw(t, "order")
		before := slices.Clone(shuffled)
		if got := RootOfLeaves(shuffled); got != want {
			t.Fatalf("another order, another root: %x, %x", got, want)
		}
		if !slices.Equal(before, shuffled) {
			t.Fatal("RootOfLeaves reordered its argument")
		}
		pt := newPlainTree(leaves)
		if got := pt.hashOf(pt.Root()); got != want {
			t.Fatalf("plain tree has root %x, definition %x", got, want)
		}
	})
}

// TestProofsHold: every honest proof verifies, every answer is the truth, and
// no other answer and no changed bit of proof or claims verifies.
func TestProofsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := drawLeaves(t, 40)
		there := map[Hash]Hash{}
		for _, l := range leaves {
			there[l.Path] = l.ValueHash
		}
		root := RootOfLeaves(leaves)
		paths := drawPaths(t, leaves)
		p, present, values, err := Prove(newPlainTree(leaves), paths)
		if err != nil {
			t.Fatal(err)
		}
		claims := Claims(paths, present, values)
		for i, c := range claims {
			v, ok := there[c.Path]
			if ok != c.Present || v != c.ValueHash || c.Path != paths[i] {
				t.Fatalf("claim %d says %v %x, tree has %v %x", i, c.Present, c.ValueHash, ok, v)
			}
		}
		got, err := RootOf(claims, p)
		if err != nil || got != root {
			t.Fatalf("honest proof: root %x, %v; want %x", got, err, root)
		}
		if len(leaves) > 0 {
			if err := Verify(root, claims, p); err != nil {
				t.Fatal(err)
			}
		}
		everyFlip(p, claims, func(what string, at int, p Proof, claims []Claim) {
			if got, err := RootOf(claims, p); err == nil && got == root {
				t.Fatalf("accepted after flipping bit %d of %s", at, what)
			} else if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrFalse) {
				t.Fatalf("error of no class: %v", err)
			}
		})
		for _, cutOff := range []Proof{
			{append(slices.Clone(p.Shape), 0), p.Hashes},
			{p.Shape[:len(p.Shape)-1], p.Hashes},
			{p.Shape, append(slices.Clone(p.Hashes), 0)},
			{p.Shape, append(slices.Clone(p.Hashes), make([]byte, 32)...)},
			{p.Shape, p.Hashes[:max(0, len(p.Hashes)-32)]},
		} {
			if len(cutOff.Shape) == len(p.Shape) && len(cutOff.Hashes) == len(p.Hashes) {
				continue // there were no hashes to cut
			}
			if _, err := RootOf(claims, cutOff); !errors.Is(err, ErrMalformed) {
				t.Fatalf("lengths changed: %v", err)
			}
		}
	})
}

// everyFlip calls f with each single bit changed in turn.
func everyFlip(p Proof, claims []Claim, f func(what string, at int, p Proof, claims []Claim)) {
	flipped := func(b []byte, at int) []byte {
		b = slices.Clone(b)
		b[at>>3] ^= 1 << (7 - at&7)
		return b
	}
	for at := range 8 * len(p.Shape) {
		f("shape", at, Proof{flipped(p.Shape, at), p.Hashes}, claims)
	}
	for at := range 8 * len(p.Hashes) {
		f("hashes", at, Proof{p.Shape, flipped(p.Hashes, at)}, claims)
	}
	for i := range claims {
		other := slices.Clone(claims)
		other[i].Present = !other[i].Present
		f("presence", i, p, other)
		if !other[i].Present {
			other[i].ValueHash = Empty
			f("presence and value", i, p, other)
		}
		for at := 0; at < 256; at += 5 { // 5 has no common factor with 8
			other = slices.Clone(claims)
			other[i].ValueHash[at>>3] ^= 1 << (7 - at&7)
			f("value hash", at, p, other)
			// Another path is another claim. Of an absent one it may be just as
			// true, and the same proof may well show it.
			if claims[i].Present {
				other = slices.Clone(claims)
				other[i].Path[at>>3] ^= 1 << (7 - at&7)
				f("path", at, p, other)
			}
		}
	}
}

func TestProveManyAndAll(t *testing.T) {
	leaves := numberedLeaves(3000)
	src := newPlainTree(leaves)
	root := RootOfLeaves(leaves)
	var paths []Hash
	for i, l := range leaves {
		paths = append(paths, l.Path, numbered(uint64(i)|1<<40)) // there, and not
	}
	slices.SortFunc(paths, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	claims, p := mustProve(t, src, paths)
	if err := Verify(root, claims, p); err != nil {
		t.Fatal(err)
	}
	for _, l := range leaves[:200] {
		claims, p := mustProve(t, src, []Hash{l.Path})
		if err := Verify(root, claims, p); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := Prove(src, make([]Hash, MaxClaims+1)); !errors.Is(err, ErrPaths) {
		t.Fatalf("too many paths: %v", err)
	}
	for _, bad := range [][]Hash{nil, {paths[1], paths[0]}, {paths[0], paths[0]}} {
		if _, _, _, err := Prove(src, bad); !errors.Is(err, ErrPaths) {
			t.Fatalf("paths %x: %v", bad, err)
		}
	}
}

// loopTree has a branch below every branch.
type loopTree struct{}

func (loopTree) Root() Ref                       { return 1 }
func (loopTree) SideHash(Ref, bool) Hash         { return Hash{1} }
func (loopTree) Leaf(Ref) Leaf                   { return Leaf{} }
func (loopTree) Children(Ref) (l, r Ref, k bool) { return 1, 1, true }

func TestProveBrokenTree(t *testing.T) {
	if _, _, _, err := Prove(loopTree{}, []Hash{{}}); !errors.Is(err, errDeep) {
		t.Fatalf("endless tree: %v", err)
	}
}

// shapeOf packs a shape written as 0 and 1; anything else only parts groups.
func shapeOf(text string) []byte {
	var w prover
	for _, c := range text {
		if c == '0' || c == '1' {
			w.bit(byte(c - '0'))
		}
	}
	return w.shape
}

func TestRefusals(t *testing.T) {
	// Two leaves that part at the first bit, and one place for a third.
	a, b := Leaf{Hash{0x00, 1}, Hash{1}}, Leaf{Hash{0x80, 2}, Hash{2}}
	ha, hb := LeafHash(a.Path, a.ValueHash), LeafHash(b.Path, b.ValueHash)
	isA := []Claim{{a.Path, a.ValueHash, true}}
	isB := []Claim{{b.Path, b.ValueHash, true}}
	none := []Claim{{Path: Hash{0x00, 9}}}
	root := RootOfLeaves([]Leaf{a, b})
	foreignA := append(slices.Clone(a.Path[:]), a.ValueHash[:]...)
	foreignB := append(slices.Clone(b.Path[:]), b.ValueHash[:]...)

	for name, good := range map[string]struct {
		claims []Claim
		p      Proof
	}{
		"a":    {isA, Proof{shapeOf("1 010 1"), hb[:]}},
		"b":    {isB, Proof{shapeOf("1 1 010"), ha[:]}},
		"none": {none, Proof{shapeOf("1 011 1"), append(slices.Clone(foreignA), hb[:]...)}},
	} {
		if err := Verify(root, good.claims, good.p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}

	deep := make([]byte, 0, 1024)
	for range 2000 {
		deep = append(deep, 0xff)
	}
	many := make([]Claim, MaxClaims+1)
	for name, c := range map[string]struct {
		claims []Claim
		p      Proof
		want   error
	}{
		"no claims":            {nil, Proof{shapeOf("000"), nil}, errNoClaims},
		"too many claims":      {many, Proof{shapeOf("000"), nil}, errManyClaims},
		"claim twice":          {append(slices.Clone(isA), isA...), Proof{shapeOf("1 010 1"), hb[:]}, errOrder},
		"claims out of order":  {[]Claim{isB[0], isA[0]}, Proof{shapeOf("1 010 010"), nil}, errOrder},
		"absent with value":    {[]Claim{{Path: none[0].Path, ValueHash: Hash{1}}}, Proof{shapeOf("1 011 1"), append(slices.Clone(foreignA), hb[:]...)}, errAbsentValue},
		"nothing":              {isA, Proof{}, errShapeShort},
		"shape ends in branch": {isA, Proof{deep[:3], bytes.Repeat(hb[:], 40)}, errShapeShort},
		"too deep":             {[]Claim{{Path: Hash{}, Present: true}}, Proof{deep, nil}, errDepth},
		"surplus shape":        {isA, Proof{append(shapeOf("1 010 1"), 0), hb[:]}, errShapeSurplus},
		"filling bits":         {isA, Proof{shapeOf("1 010 1 001"), hb[:]}, errShapePadding},
		"hash missing":         {isA, Proof{shapeOf("1 010 1"), nil}, errHashShort},
		"hash cut":             {isA, Proof{shapeOf("1 010 1"), hb[:31]}, errHashShort},
		"hash left over":       {isA, Proof{shapeOf("1 010 1"), append(slices.Clone(hb[:]), ha[:]...)}, errHashSurplus},
		"zero hash":            {isA, Proof{shapeOf("1 010 1"), Empty[:]}, errZeroHash},
		"terminal 01":          {isA, Proof{shapeOf("1 001 1"), hb[:]}, errTerminal},
		"leaf below a branch":  {isA, Proof{shapeOf("1 010 0"), nil}, errThinBranch},
		"leaf right of empty":  {isB, Proof{shapeOf("1 0 010"), nil}, errThinBranch},
		"empty branch":         {none, Proof{shapeOf("1 000 0"), nil}, errThinBranch},
		"foreign leaf alone":   {none, Proof{shapeOf("1 011 0"), foreignA}, errThinBranch},
		"foreign elsewhere":    {none, Proof{shapeOf("1 011 1"), append(slices.Clone(foreignB), hb[:]...)}, errForeignPlace},
		"own leaf as foreign":  {[]Claim{{Path: a.Path}}, Proof{shapeOf("1 011 1"), append(slices.Clone(foreignA), hb[:]...)}, errForeignClaim},
		"foreign cut":          {none, Proof{shapeOf("1 011 1"), foreignA[:63]}, errHashShort},
		"present at empty":     {isA, Proof{shapeOf("000"), nil}, errShownAbsent},
		"present at foreign":   {[]Claim{{none[0].Path, Hash{7}, true}}, Proof{shapeOf("1 011 1"), append(slices.Clone(foreignA), hb[:]...)}, errShownAbsent},
		"absent at own leaf":   {[]Claim{{Path: a.Path}}, Proof{shapeOf("1 010 1"), hb[:]}, errShownPresent},
		"two in one leaf":      {[]Claim{isA[0], {none[0].Path, Hash{7}, true}}, Proof{shapeOf("1 010 1"), hb[:]}, errTwoPresent},
		"other value":          {[]Claim{{a.Path, Hash{7}, true}}, Proof{shapeOf("1 010 1"), hb[:]}, errRoot},
		"other side":           {isA, Proof{shapeOf("1 010 1"), ha[:]}, errRoot},
		"root is the leaf":     {isA, Proof{shapeOf("010"), nil}, errRoot},
		"empty tree":           {none, Proof{shapeOf("000"), nil}, errRoot},
		"inner node as leaf":   {[]Claim{{ha, hb, true}}, Proof{shapeOf("010"), nil}, errRoot},
	} {
		err := Verify(root, c.claims, c.p)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if errors.Is(err, ErrMalformed) == errors.Is(err, ErrFalse) {
			t.Errorf("%s: %v is not of exactly one class", name, err)
		}
	}
	if err := Verify(Empty, none, Proof{Shape: shapeOf("000")}); !errors.Is(err, errZeroRoot) {
		t.Errorf("zero root: %v", err)
	}
	if got, err := RootOf(none, Proof{Shape: shapeOf("000")}); err != nil || got != Empty {
		t.Errorf("empty tree: %x, %v", got, err)
	}
}

// TestDeepest: two leaves that differ in the last bit alone, and a neighbour of
// both, at the greatest depth there is.
func TestDeepest(t *testing.T) {
	leaves := []Leaf{{Hash{31: 0}, Hash{1}}, {Hash{31: 1}, Hash{2}}}
	src := newPlainTree(leaves)
	paths := []Hash{leaves[0].Path, leaves[1].Path, {31: 2}, {0: 0xff}}
	claims, p := mustProve(t, src, paths)
	if err := Verify(RootOfLeaves(leaves), claims, p); err != nil {
		t.Fatal(err)
	}
	if !claims[0].Present || !claims[1].Present || claims[2].Present || claims[3].Present {
		t.Fatalf("claims %v", claims)
	}
}

func TestNoAllocation(t *testing.T) {
	leaves := numberedLeaves(1 << 12)
	src, root := newPlainTree(leaves), RootOfLeaves(leaves)
	for _, path := range []Hash{leaves[0].Path, PathOf([]byte("nobody"))} {
		claims, p := mustProve(t, src, []Hash{path})
		if n := testing.AllocsPerRun(100, func() {
			if err := Verify(root, claims, p); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Verify allocates %v times", n)
		}
	}
}

// FuzzRootOf looks for a panic, for an error of no class, and for two proofs of
// one set of claims under one root.
func FuzzRootOf(f *testing.F) {
	leaves := numberedLeaves(64)
	src := newPlainTree(leaves)
	root := RootOfLeaves(leaves)
	for n := 1; n <= 5; n++ {
		paths := []Hash{numbered(1 << 40), numbered(1<<40 | 1)} // absent
		for _, l := range leaves[:n] {
			paths = append(paths, l.Path)
		}
		slices.SortFunc(paths, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
		claims, p := mustProve(f, src, paths)
		f.Add(p.Shape, p.Hashes, claimBytes(claims))
	}
	f.Fuzz(func(t *testing.T, shape, hashes, said []byte) {
		claims := claimsOf(said)
		got, err := RootOf(claims, Proof{shape, hashes})
		if err != nil {
			if errors.Is(err, ErrMalformed) == errors.Is(err, ErrFalse) {
				t.Fatalf("%v is not of exactly one class", err)
			}
			return
		}
		if got != root {
			return
		}
		paths := make([]Hash, len(claims))
		for i, c := range claims {
			paths[i] = c.Path
		}
		want, p := mustProve(t, src, paths)
		if !slices.Equal(want, claims) || !bytes.Equal(p.Shape, shape) || !bytes.Equal(p.Hashes, hashes) {
			t.Fatal("accepted, and is not the proof that the tree gives")
		}
	})
}

func claimBytes(claims []Claim) (b []byte) {
	for _, c := range claims {
		b = append(append(b, c.Path[:]...), c.ValueHash[:]...)
		if c.Present {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return b
}

func claimsOf(b []byte) (claims []Claim) {
	for ; len(b) >= 65; b = b[65:] {
		claims = append(claims, Claim{Hash(b[:32]), Hash(b[32:64]), b[64]&1 == 1})
	}
	return claims
}

// BenchmarkVerifyOne compares one proof in a tree of 2^20 leaves with 25 bare
// SHA-256 of the 65 bytes of a node.
func BenchmarkVerifyOne(b *testing.B) {
	leaves := numberedLeaves(1 << 20)
	src := newPlainTree(leaves)
	root := src.hashOf(src.Root())
	claims, p := mustProve(b, src, []Hash{leaves[77].Path})
	const rounds = 20000
	start, h := time.Now(), Hash{}
	for range 25 * rounds {
		h = InnerHash(h, root)
	}
	bare := float64(time.Since(start).Nanoseconds()) / rounds
	b.ReportAllocs()
	for b.Loop() {
		if err := Verify(root, claims, p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/bare, "x25sha256")
	b.ReportMetric(float64(len(p.Shape)+len(p.Hashes)), "B/proof")
	b.ReportMetric(float64(len(p.Hashes)/32+1), "hashes")
}

func BenchmarkVerifyMany(b *testing.B) {
	leaves := numberedLeaves(1 << 18)
	src := newPlainTree(leaves)
	root := src.hashOf(src.Root())
	paths := make([]Hash, 1000)
	for i := range paths {
		paths[i] = leaves[i*100].Path
	}
	slices.SortFunc(paths, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	claims, p := mustProve(b, src, paths)
	b.ReportAllocs()
	for b.Loop() {
		if err := Verify(root, claims, p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(p.Shape)+len(p.Hashes))/float64(len(paths)), "B/claim")
}

// TestSamePrefix: two paths that differ in one bit share the bits before it and no more.
func TestSamePrefix(t *testing.T) {
	a := PathOf([]byte("a"))
	for at := range MaxDepth {
		b := a
		b[at/8] ^= 0x80 >> (at % 8)
		for depth := range MaxDepth + 1 {
			if got := samePrefix(&a, &b, depth); got != (depth <= at) {
				t.Fatalf("bit %d differs, depth %d: %v", at, depth, got)
			}
		}
	}
}
