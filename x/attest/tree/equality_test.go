package tree

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	cmtmerkle "github.com/cometbft/cometbft/crypto/merkle"
	ics23 "github.com/cosmos/ics23/go"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"
)

// existence reads ICS-23's form of a proof of presence off a tree.
func existence(t *testing.T, src Walker, key, value []byte) *ics23.ExistenceProof {
	path := PathOf(key)
	ep := &ics23.ExistenceProof{Key: key, Value: value, Leaf: ics23.SmtSpec.LeafSpec}
	ref := src.Root()
	for depth := 0; ; depth++ {
		if ref == NoRef {
			t.Fatal("the key leads to an empty subtree")
		}
		l, r, ok := src.Children(ref)
		if !ok {
			break
		}
		op := &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: []byte{innerByte}}
		if Bit(&path, depth) == 0 {
			h := Empty
			if r != NoRef {
				h = src.SideHash(ref, true)
			}
			op.Suffix, ref = h[:], l
		} else {
			h := Empty
			if l != NoRef {
				h = src.SideHash(ref, false)
			}
			op.Prefix, ref = append(op.Prefix, h[:]...), r
		}
		ep.Path = append(ep.Path, op)
	}
	if src.Leaf(ref).Path != path {
		t.Fatal("the key leads to another leaf")
	}
	slices.Reverse(ep.Path)
	return ep
}

func TestEqualsICS23(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 500} {
		type entry struct {
			path       Hash
			key, value []byte
		}
		var entries []entry
		var leaves []Leaf
		for i := range n {
			key, value := fmt.Appendf(nil, "key %d", i), fmt.Appendf(nil, "value %d", i)
			entries = append(entries, entry{PathOf(key), key, value})
			leaves = append(leaves, Leaf{PathOf(key), ValueHash(value)})
		}
		slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.path[:], b.path[:]) })
		src, root := newPlainTree(leaves), RootOfLeaves(leaves)
		proofs := make([]*ics23.ExistenceProof, n)
		for i, e := range entries {
			proofs[i] = existence(t, src, e.key, e.value)
			cp := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: proofs[i]}}
			if !ics23.VerifyMembership(ics23.SmtSpec, root[:], cp, e.key, e.value) {
				t.Fatalf("%d leaves: stock verifier refuses key %q", n, e.key)
			}
			if ics23.VerifyMembership(ics23.SmtSpec, root[:], cp, e.key, []byte("other")) {
				t.Fatal("stock verifier accepts another value")
			}
		}
		for i := range 100 {
			key := fmt.Appendf(nil, "absent %d", i)
			path := PathOf(key)
			at, _ := slices.BinarySearchFunc(entries, path, func(e entry, p Hash) int { return bytes.Compare(e.path[:], p[:]) })
			np := &ics23.NonExistenceProof{Key: key}
			if at > 0 {
				np.Left = proofs[at-1]
			}
			if at < n {
				np.Right = proofs[at]
			}
			cp := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: np}}
			if !ics23.VerifyNonMembership(ics23.SmtSpec, root[:], cp, key) {
				t.Fatalf("%d leaves: stock verifier refuses absence of %q", n, key)
			}
			claims, p := mustProve(t, src, []Hash{path})
			if err := Verify(root, claims, p); err != nil || claims[0].Present {
				t.Fatalf("%d leaves: absence of %q: %v, present %v", n, key, err, claims[0].Present)
			}
		}
	}
}

func TestLogEqualsTransparencyDev(t *testing.T) {
	h := rfc6962.DefaultHasher
	factory := compact.RangeFactory{Hash: h.HashChildren}
	stock := factory.NewEmptyRange(0)
	var f Frontier
	var leaves []Hash
	for i := range 300 {
		if root := f.Root(); root != LogRoot(leaves) {
			t.Fatalf("size %d: frontier and LogRoot differ", i)
		} else if want, err := stock.GetRootHash(nil); err != nil {
			t.Fatal(err)
		} else if i == 0 && !bytes.Equal(root[:], h.EmptyRoot()) || i > 0 && !bytes.Equal(root[:], want) {
			t.Fatalf("size %d: root %x, stock %x", i, root, want)
		}
		if err := f.Check(); err != nil || f.Size != uint64(i) {
			t.Fatalf("size %d: %d, %v", i, f.Size, err)
		}
		back, err := FrontierOf(f.Size, f.PeakBytes())
		if err != nil || back.Size != f.Size || !slices.Equal(back.Peaks, f.Peaks) {
			t.Fatalf("size %d: frontier does not survive its bytes: %v", i, err)
		}
		data := bytes.Repeat([]byte{byte(i)}, i*3)
		leaf := LogLeaf(data)
		if !bytes.Equal(leaf[:], h.HashLeaf(data)) {
			t.Fatalf("leaf %d differs", i)
		}
		before, copied := f.Root(), f
		f.Append(leaf)
		if copied.Root() != before {
			t.Fatal("Append changed a copy")
		}
		leaves = append(leaves, leaf)
		if err := stock.Append(leaf[:], nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFrontierRefuses(t *testing.T) {
	for _, f := range []Frontier{{Size: 1}, {Peaks: make([]Hash, 1)}, {Size: 3, Peaks: make([]Hash, 3)}} {
		if err := f.Check(); !errors.Is(err, ErrFrontier) {
			t.Errorf("%d peaks for size %d: %v", len(f.Peaks), f.Size, err)
		}
		if _, err := FrontierOf(f.Size, f.PeakBytes()); !errors.Is(err, ErrFrontier) {
			t.Errorf("%d peaks for size %d from bytes: %v", len(f.Peaks), f.Size, err)
		}
		mustPanic(t, func() { f.Append(Hash{}) })
		mustPanic(t, func() { f.AppendAll(nil) })
		mustPanic(t, func() { f.Root() })
	}
	if _, err := FrontierOf(1, make([]byte, 31)); !errors.Is(err, ErrFrontier) {
		t.Error("accepted a peak of 31 bytes")
	}
	full := Frontier{Size: 1<<64 - 1, Peaks: make([]Hash, 64)}
	mustPanic(t, func() { full.Append(Hash{}) })
	mustPanic(t, func() { full.AppendAll(make([][32]byte, 1)) })
}

// TestAppendAll: many leaves at a time leave the frontier that one after the other leave, and no trace in a copy of the one before.
func TestAppendAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var one, many Frontier
		for range rapid.IntRange(1, 5).Draw(t, "blocks") {
			leaves := make([][32]byte, rapid.IntRange(0, 40).Draw(t, "leaves"))
			before, root := many, many.Root()
			for i := range leaves {
				leaves[i] = ValueHash(binary.BigEndian.AppendUint64(nil, one.Size))
				one.Append(leaves[i])
			}
			many.AppendAll(leaves)
			if many.Size != one.Size || !slices.Equal(many.Peaks, one.Peaks) || before.Root() != root {
				t.Fatalf("%d leaves: %d peaks, one after the other %d", one.Size, len(many.Peaks), len(one.Peaks))
			}
		}
	})
}

func TestAppHashEqualsCometBFT(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(0, -1, 200), 0, 8, rapid.ID).Draw(t, "names")
		slices.Sort(names)
		var entries []Entry
		var stock [][]byte
		var leaves []Hash
		for _, name := range names {
			e := Entry{name, rapid.SliceOf(rapid.Byte()).Draw(t, "value")}
			entries = append(entries, e)
			v := ValueHash(e.Value)
			data := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
			stock = append(stock, append(append(data, 32), v[:]...))
			leaves = append(leaves, AppEntryLeaf(name, v))
		}
		got := AppHash(entries)
		if want := cmtmerkle.HashFromByteSlices(stock); !bytes.Equal(got[:], want) {
			t.Fatalf("app hash %x, CometBFT %x", got, want)
		}
		if LogRoot(leaves) != got {
			t.Fatal("root from value hashes differs")
		}
	})
	mustPanic(t, func() { AppHash([]Entry{{Name: "b"}, {Name: "a"}}) })
	mustPanic(t, func() { AppHash([]Entry{{Name: "a"}, {Name: "a"}}) })
	mustPanic(t, func() { RootOfLeaves([]Leaf{{Path: Hash{1}}, {}, {}}) })
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("did not panic")
		}
	}()
	f()
}
