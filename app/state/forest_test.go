package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"

	ics23 "github.com/cosmos/ics23/go"
	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// forestPath draws from a small crowded set, so that batches meet earlier
// leaves, long shared prefixes and each other.
func forestPath(t *rapid.T) tree.Hash {
	var h tree.Hash
	n := rapid.ByteRange(0, 23).Draw(t, "path")
	switch rapid.IntRange(0, 2).Draw(t, "place") {
	case 0:
		return tree.PathOf([]byte{n})
	case 1:
		h[31] = n
	case 2:
		h[0] = n << 3
	}
	return h
}

func sortedChanges(changes []Change) []Change {
	slices.SortFunc(changes, func(a, b Change) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	return slices.CompactFunc(changes, func(a, b Change) bool { return a.Path == b.Path })
}

type leafMap map[tree.Hash]tree.Hash

func (m leafMap) with(changes []Change) leafMap {
	out := leafMap{}
	for p, v := range m {
		out[p] = v
	}
	for _, c := range changes {
		if c.Delete {
			delete(out, c.Path)
		} else {
			out[c.Path] = c.ValueHash
		}
	}
	return out
}

func (m leafMap) leaves() []tree.Leaf {
	var out []tree.Leaf
	for p, v := range m {
		out = append(out, tree.Leaf{Path: p, ValueHash: v})
	}
	slices.SortFunc(out, func(a, b tree.Leaf) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	return out
}

func (m leafMap) root() tree.Hash { return tree.RootOfLeaves(m.leaves()) }

// checkVersion holds every path of the map, and others, against the version.
func checkVersion(t interface {
	Helper()
	Fatalf(string, ...any)
}, v *Version, want leafMap, others ...tree.Hash,
) {
	t.Helper()
	if v.Root() != want.root() || v.Len() != uint64(len(want)) {
		t.Fatalf("height %d: root %x, %d leaves; want %x, %d", v.Height(), v.Root(), v.Len(), want.root(), len(want))
	}
	paths := slices.Clone(others)
	for p := range want {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b tree.Hash) int { return bytes.Compare(a[:], b[:]) })
	paths = slices.Compact(paths)
	p, present, values, err := v.Prove(paths)
	if err != nil {
		t.Fatalf("height %d: %v", v.Height(), err)
	}
	claims := tree.Claims(paths, present, values)
	for _, c := range claims {
		if value, ok := want[c.Path]; ok != c.Present || value != c.ValueHash {
			t.Fatalf("height %d: %x is %v %x, want %v %x", v.Height(), c.Path, c.Present, c.ValueHash, ok, value)
		}
	}
	if root, err := tree.RootOf(claims, p); err != nil || root != v.Root() {
		t.Fatalf("height %d: proof leads to %x, %v; root is %x", v.Height(), root, err, v.Root())
	}
}

// checkSlots says that no slot is lost or used twice: what the versions still in
// the writer's list hold or retired, and the free slots, are all there is.
func checkSlots(t *rapid.T, f *forest) {
	seen := map[uint32]bool{}
	var visit func(ref uint32)
	visit = func(ref uint32) {
		if ref == 0 || seen[ref] {
			return
		}
		seen[ref] = true
		if !isLeafRef(ref) {
			b := f.branches.at(ref)
			visit(b.l.ref)
			visit(b.r.ref)
		}
	}
	for _, s := range f.live {
		visit(s.ref)
	}
	if f.staged != nil {
		visit(f.staged.ref)
	}
	for _, s := range f.live {
		for _, ref := range s.retired {
			seen[ref] = true
		}
	}
	for _, slot := range f.branches.free {
		if seen[slot] {
			t.Fatalf("branch %d is free and in use, or free twice", slot)
		}
		seen[slot] = true
	}
	for _, slot := range f.leaves.free {
		if seen[slot|leafBit] {
			t.Fatalf("leaf %d is free and in use, or free twice", slot)
		}
		seen[slot|leafBit] = true
	}
	if want := int(f.branches.next) - 1 + int(f.leaves.next); len(seen) != want {
		t.Fatalf("%d slots handed out, %d found", want, len(seen))
	}
}

// TestForestAgainstDefinition drives a forest and a map side by side: batches
// with deletes and with changes that change nothing, restaging, discarding,
// fewer and more versions kept, readers that outlive their version.
func TestForestAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newForest()
		f.testingOnlyPoison = true
		height := uint64(rapid.IntRange(1, 5).Draw(t, "first height"))
		contents := map[uint64]leafMap{}
		current := leafMap{}
		held := map[*Version]leafMap{}
		kept, room := defaultWindow, int64(math.MaxInt64)

		if rapid.Bool().Draw(t, "built") {
			for range rapid.IntRange(0, 20).Draw(t, "initial") {
				p := forestPath(t)
				current[p] = tree.ValueHash(p[:])
			}
			if got, err := f.build(slices.Values(current.leaves())); err != nil || got != current.root() {
				t.Fatalf("build: %x, %v; want %x", got, err, current.root())
			}
			if _, err := f.stage(nil); !errors.Is(err, errNotShown) {
				t.Fatalf("stage before publishBuilt: %v", err)
			}
			f.publishBuilt(height)
			contents[height] = current
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			var changes []Change
			for range rapid.IntRange(0, 10).Draw(t, "changes") {
				c := Change{Path: forestPath(t), Delete: rapid.Bool().Draw(t, "delete")}
				if !c.Delete {
					c.ValueHash = tree.ValueHash([]byte{rapid.ByteRange(0, 2).Draw(t, "value")})
				}
				changes = append(changes, c)
			}
			changes = sortedChanges(changes)
			next := current.with(changes)
			got, err := f.stage(changes)
			if err != nil || got != next.root() {
				t.Fatalf("stage on height %d: %x, %v; want %x", height, got, err, next.root())
			}
			checkSlots(t, f)
			checkHashed(t, f)
			switch rapid.IntRange(0, 9).Draw(t, "then") {
			case 0:
				f.discard()
			case 1: // restage in the next step
			default:
				height++
				f.publish(height)
				current = next
				contents[height] = current
			}
			switch rapid.IntRange(0, 5).Draw(t, "also") {
			case 0:
				if v, ok := f.acquire(height); ok {
					held[v] = current
				}
			case 1:
				for v := range held {
					v.Release()
					v.Release()
					if _, _, _, err := v.Prove([]tree.Hash{{}}); !errors.Is(err, errReleased) {
						t.Fatalf("Prove after Release: %v", err)
					}
				}
				clear(held)
			case 2:
				kept, room = rapid.IntRange(0, 10).Draw(t, "keep"), rapid.SampledFrom([]int64{0, 500, 5000, math.MaxInt64}).Draw(t, "room")
				f.keep(kept, room)
			}
			checkSlots(t, f)
			for h := range contents {
				v, ok := f.acquire(h)
				if !ok {
					// Once dropped it never comes back, and with it all older.
					for older := range contents {
						if older <= h {
							delete(contents, older)
						}
					}
					continue
				}
				checkVersion(t, v, contents[h], tree.Hash{}, tree.Hash{31: 1}, forestPath(t))
				v.Release()
			}
			if _, ok := f.acquire(height); !ok && len(f.live) > 0 {
				t.Fatal("the newest version is not readable")
			}
			if n := len(*f.readable.Load()); n > max(kept, 1) {
				t.Fatalf("%d versions readable, %d kept", n, kept)
			} else if taken := olderBytes(f); n > alwaysKept && taken > room {
				t.Fatalf("%d versions readable, the older ones need %d bytes, %d were given", n, taken, room)
			}
			for v, want := range held {
				checkVersion(t, v, want, tree.Hash{})
			}
		}
	})
}

// checkHashed says that the staged version hashed each branch that the newest one has not, once, and no other.
func checkHashed(t fataler, f *forest) {
	t.Helper()
	old, made := map[uint32]bool{}, 0
	var visit func(ref uint32, at func(ref uint32) (deeper bool))
	visit = func(ref uint32, at func(ref uint32) bool) {
		if ref == 0 || isLeafRef(ref) || !at(ref) {
			return
		}
		b := f.branches.at(ref)
		visit(b.l.ref, at)
		visit(b.r.ref, at)
	}
	if s := f.newest(); s != nil {
		visit(s.ref, func(ref uint32) bool { old[ref] = true; return true })
	}
	visit(f.staged.ref, func(ref uint32) bool {
		if !old[ref] {
			made++
		}
		return !old[ref]
	})
	if f.staged.hashed != made {
		t.Fatalf("%d branches are hashed for the batch, %d are new", f.staged.hashed, made)
	}
}

// TestEachBranchHashedOnce changes many leaves at a time, in one goroutine and in several: on the paths that are changed each branch is hashed once for all the changes
// below it. (What batches of a few do is TestForestAgainstDefinition's.)
func TestEachBranchHashedOnce(t *testing.T) {
	const n = 20_000
	f := newForest()
	if _, err := f.build(slices.Values(numberedLeaves(n))); err != nil {
		t.Fatal(err)
	}
	f.publishBuilt(1)
	for i, size := range []int{1, 2, 100, 2 * worthSplitting, 5000, n} {
		var changes []Change
		for k, leaf := range numberedLeaves(n + size/2) { // some are new
			switch {
			case k%(n/size) != 0:
			case k%7 == 3:
				changes = append(changes, Change{Path: leaf.Path, Delete: true})
			default:
				changes = append(changes, Change{Path: leaf.Path, ValueHash: tree.ValueHash(encodeUint64(uint64(i)))})
			}
		}
		if _, err := f.stage(changes); err != nil {
			t.Fatal(err)
		}
		checkHashed(t, f)
		alone := 0 // had each change hashed its own path
		for _, c := range changes {
			for ref, depth := f.staged.ref, 0; ref != 0 && !isLeafRef(ref); depth++ {
				alone++
				if b := f.branches.at(ref); tree.Bit(&c.Path, depth) == 0 {
					ref = b.l.ref
				} else {
					ref = b.r.ref
				}
			}
		}
		if t.Logf("%d changes: %d branches hashed, %d on their paths one by one", len(changes), f.staged.hashed, alone); f.staged.hashed > alone {
			t.Error("more than the paths have")
		}
		f.publish(uint64(i + 2))
	}
}

// olderBytes is what the readable versions but the newest need for themselves.
func olderBytes(f *forest) (sum int64) {
	readable := *f.readable.Load()
	for _, s := range readable[:max(len(readable)-1, 0)] {
		for _, ref := range s.retired {
			if isLeafRef(ref) {
				sum += 64
			} else {
				sum += 40
			}
		}
	}
	return sum
}

func numberedLeaves(n int) []tree.Leaf {
	leaves := make([]tree.Leaf, n)
	for i := range leaves {
		leaves[i] = tree.Leaf{Path: numberedPath(uint64(i)), ValueHash: tree.Hash{1}}
	}
	slices.SortFunc(leaves, func(a, b tree.Leaf) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	return leaves
}

func numberedPath(n uint64) tree.Hash {
	return tree.PathOf(binary.BigEndian.AppendUint64(nil, n))
}

// overwrites is a batch of n new values for leaves among the first of total.
func overwrites(n, total int, round uint64) []Change {
	changes := make([]Change, n)
	for i := range changes {
		changes[i].Path = numberedPath((uint64(i)*7919 + round*104729) % uint64(total))
		binary.BigEndian.PutUint64(changes[i].ValueHash[:], round+2)
	}
	return sortedChanges(changes)
}

func mustStage(t testing.TB, f *forest, changes []Change) tree.Hash {
	t.Helper()
	root, err := f.stage(changes)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func mustAcquire(t testing.TB, f *forest, height uint64) *Version {
	t.Helper()
	v, ok := f.acquire(height)
	if !ok {
		t.Fatalf("height %d is not readable", height)
	}
	return v
}

func mustBuild(t testing.TB, f *forest, leaves []tree.Leaf) tree.Hash {
	t.Helper()
	root, err := f.build(slices.Values(leaves))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestForestLargeBatches goes over the size from which two cores hash.
func TestForestLargeBatches(t *testing.T) {
	leaves := numberedLeaves(20000)
	f, m := newForest(), leafMap{}
	if got, want := mustBuild(t, f, leaves), tree.RootOfLeaves(leaves); got != want {
		t.Fatalf("built %x, want %x", got, want)
	}
	f.publishBuilt(1)
	for _, l := range leaves {
		m[l.Path] = l.ValueHash
	}
	for round := range uint64(3) {
		changes := overwrites(3000, 30000, round)
		for i := range changes {
			changes[i].Delete = i%3 == 0
		}
		m = m.with(changes)
		if got := mustStage(t, f, changes); got != m.root() {
			t.Fatalf("round %d: %x, want %x", round, got, m.root())
		}
		f.publish(2 + round)
	}
	// From nothing by one batch, and back to nothing by another.
	g := newForest()
	var set, del []Change
	for _, l := range leaves {
		set = append(set, Change{Path: l.Path, ValueHash: l.ValueHash})
		del = append(del, Change{Path: l.Path, Delete: true})
	}
	if got := mustStage(t, g, set); got != tree.RootOfLeaves(leaves) {
		t.Fatalf("staged from nothing %x", got)
	}
	g.publish(1)
	if got := mustStage(t, g, del); got != tree.Empty {
		t.Fatalf("all deleted, root %x", got)
	}
	g.publish(2)
	if v := mustAcquire(t, g, 2); v.Len() != 0 {
		t.Fatalf("all deleted, %d leaves", v.Len())
	}
}

// TestForestReusesSlots (FOR-1): overwriting for ever needs no more room than
// the versions kept, a reader stops reuse, and its release lets it go on.
func TestForestReusesSlots(t *testing.T) {
	const total = 5000
	f := newForest()
	f.keep(4, math.MaxInt64)
	mustBuild(t, f, numberedLeaves(total))
	f.publishBuilt(1)
	height := uint64(1)
	batches := func(n int) (branches, leaves uint32) {
		for range n {
			mustStage(t, f, overwrites(200, total, height))
			height++
			f.publish(height)
		}
		return f.branches.next, f.leaves.next
	}
	warm, warmLeaves := batches(20)
	// Batches differ a little in the nodes they touch, hence the tenth.
	if b, l := batches(300); b > warm+warm/10 || l > warmLeaves+warmLeaves/10 {
		t.Fatalf("arenas grew from %d, %d to %d, %d", warm, warmLeaves, b, l)
	}
	v := mustAcquire(t, f, height)
	root := v.Root()
	before, _ := batches(1)
	grown, _ := batches(20)
	if grown <= before {
		t.Fatal("a version in use did not keep its nodes")
	}
	path := numberedPath(1)
	p, present, values, err := v.Prove([]tree.Hash{path})
	if err != nil || tree.Verify(root, tree.Claims([]tree.Hash{path}, present, values), p) != nil {
		t.Fatalf("the version held does not prove any more: %v", err)
	}
	v.Release()
	if after, _ := batches(100); after > grown {
		t.Fatalf("grew from %d to %d after the reader left", grown, after)
	}
}

// TestForestReaders (FOR-2): readers prove from whatever is readable while the
// writer stages, publishes and drops. Meant for the race detector.
func TestForestReaders(t *testing.T) {
	const total, rounds = 2000, 60
	f := newForest()
	f.testingOnlyPoison = true
	f.keep(2, math.MaxInt64)
	mustBuild(t, f, numberedLeaves(total))
	f.publishBuilt(1)
	done := make(chan struct{})
	var wg sync.WaitGroup
	var proofs [3]int
	for r := range proofs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := uint64(0); ; n++ {
				select {
				case <-done:
					if proofs[r] > 0 {
						return
					}
				default:
				}
				readable := *f.readable.Load()
				v, ok := f.acquire(readable[n%uint64(len(readable))].height)
				if !ok {
					continue
				}
				path := numberedPath(n % (2 * total))
				p, present, values, err := v.Prove([]tree.Hash{path})
				if err == nil {
					err = tree.Verify(v.Root(), tree.Claims([]tree.Hash{path}, present, values), p)
				}
				if err != nil || present[0] != (n%(2*total) < total) {
					t.Errorf("height %d, leaf %d: present %v, %v", v.Height(), n, present, err)
					v.Release()
					return
				}
				v.Release()
				proofs[r]++
			}
		}()
	}
	for h := uint64(2); h < rounds; h++ {
		mustStage(t, f, overwrites(300, total, h+1000))
		mustStage(t, f, overwrites(300, total, h))
		f.publish(h)
	}
	close(done)
	wg.Wait()
}

func TestForestRefuses(t *testing.T) {
	a, b := tree.Hash{1}, tree.Hash{2}
	f := newForest()
	for _, bad := range [][]Change{{{Path: b}, {Path: a}}, {{Path: a}, {Path: a}}} {
		if _, err := f.stage(bad); !errors.Is(err, errChangeOrder) {
			t.Errorf("stage out of order: %v", err)
		}
	}
	for _, bad := range [][]tree.Leaf{{{Path: b}, {Path: a}}, {{Path: a}, {Path: a}}} {
		if _, err := newForest().build(slices.Values(bad)); !errors.Is(err, errLeafOrder) {
			t.Errorf("build out of order: %v", err)
		}
	}
	mustPanic(t, "publish without stage", func() { f.publish(1) })
	mustPanic(t, "publishBuilt without build", func() { f.publishBuilt(1) })
	mustStage(t, f, []Change{{Path: a}})
	f.publish(5)
	if _, err := f.build(slices.Values([]tree.Leaf(nil))); !errors.Is(err, errForestUsed) {
		t.Errorf("build on a forest in use: %v", err)
	}
	mustStage(t, f, nil)
	mustPanic(t, "height twice", func() { f.publish(5) })
	for _, h := range []uint64{0, 4, 6} {
		if _, ok := f.acquire(h); ok {
			t.Errorf("height %d is readable", h)
		}
	}
}

// TestForestFull: no room is an error, and leaves the published tree alone.
func TestForestFull(t *testing.T) {
	leaves := numberedLeaves(100)
	for _, limit := range []func(f *forest){
		func(f *forest) { f.branches.limit = 20 },
		func(f *forest) { f.leaves.limit = 20 },
	} {
		f := newForest()
		limit(f)
		if _, err := f.build(slices.Values(leaves)); !errors.Is(err, errForestFull) {
			t.Fatalf("build: %v", err)
		}
		f = newForest()
		mustBuild(t, f, leaves[:5])
		f.publishBuilt(1)
		limit(f)
		var changes []Change
		for _, l := range leaves {
			changes = append(changes, Change{Path: l.Path, ValueHash: tree.Hash{9}})
		}
		free := len(f.branches.free) + len(f.leaves.free)
		if _, err := f.stage(changes); !errors.Is(err, errForestFull) {
			t.Fatalf("stage: %v", err)
		}
		if len(f.branches.free)+len(f.leaves.free) <= free {
			t.Fatal("the failed batch kept its slots")
		}
		v := mustAcquire(t, f, 1)
		m := leafMap{}
		for _, l := range leaves[:5] {
			m[l.Path] = l.ValueHash
		}
		checkVersion(t, v, m, leaves[50].Path)
		if got := mustStage(t, f, []Change{{Path: leaves[0].Path, Delete: true}}); got != tree.RootOfLeaves(leaves[1:5]) {
			t.Fatalf("stage after a failure: %x", got)
		}
	}
}

func TestForestICS23(t *testing.T) {
	const n = 400
	key := func(i int) []byte { return fmt.Appendf(nil, "key %d", i) }
	value := func(i int) []byte { return fmt.Appendf(nil, "value %d", i) }
	f := newForest()
	var changes []Change
	for i := range n {
		changes = append(changes, Change{Path: tree.PathOf(key(i)), ValueHash: tree.ValueHash(value(i))})
	}
	root := mustStage(t, f, sortedChanges(changes))
	f.publish(1)
	v := mustAcquire(t, f, 1)
	for i := range n {
		ep, err := v.ExistenceProof(key(i), value(i))
		if err != nil {
			t.Fatal(err)
		}
		cp := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: ep}}
		if !ics23.VerifyMembership(ics23.SmtSpec, root[:], cp, key(i), value(i)) {
			t.Fatalf("stock verifier refuses %q", key(i))
		}
		if ics23.VerifyMembership(ics23.SmtSpec, root[:], cp, key(i), value(i+1)) {
			t.Fatalf("stock verifier accepts another value of %q", key(i))
		}
		if _, err := v.ExistenceProof(key(i), value(i+1)); !errors.Is(err, errOtherValue) {
			t.Fatalf("other value: %v", err)
		}
		if _, err := v.ExistenceProof(key(i+n), value(i)); !errors.Is(err, errNoLeaf) {
			t.Fatalf("no such key: %v", err)
		}
	}
	v.Release()
	if _, err := v.ExistenceProof(key(0), value(0)); !errors.Is(err, errReleased) {
		t.Fatalf("after Release: %v", err)
	}
}

// BenchmarkForestStage is one block of 5,000 updates over 10^6 leaves.
func BenchmarkForestStage(b *testing.B) {
	const total = 1_000_000
	f := newForest()
	mustBuild(b, f, numberedLeaves(total))
	f.publishBuilt(1)
	height := uint64(1)
	batches := make([][]Change, 16)
	for i := range batches {
		batches[i] = overwrites(5000, total, uint64(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		batch := batches[height%16]
		for i := range batch { // never the value that is there
			binary.BigEndian.PutUint64(batch[i].ValueHash[8:], height)
		}
		mustStage(b, f, batch)
		height++
		f.publish(height)
	}
	b.ReportMetric(float64(len(f.newest().retired)+len(f.live[len(f.live)-2].retired))/5000, "nodes/update")
	b.ReportMetric((float64(f.branches.next)*40+float64(f.leaves.next)*64)/total, "B/leaf")
}

func BenchmarkForestProve(b *testing.B) {
	const total = 1_000_000
	f := newForest()
	mustBuild(b, f, numberedLeaves(total))
	f.publishBuilt(1)
	v := mustAcquire(b, f, 1)
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n += 7919
		if _, _, _, err := v.Prove([]tree.Hash{numberedPath(n % total)}); err != nil {
			b.Fatal(err)
		}
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// Every slot is a place of its own, in single chunks, in slabs of them and where the last slab is cut short.
func TestArena(t *testing.T) {
	var a arena[uint32]
	a.limit = (slabFrom + 2*slabLen + 3) * chunkLen
	var slots []uint32
	for n := len(slots); ; n = len(slots) {
		if slots = a.take(slots, 1000); len(slots) == n {
			break
		}
	}
	if len(slots) != int(a.limit) {
		t.Fatalf("%d slots of %d", len(slots), a.limit)
	}
	for _, slot := range slots {
		*a.at(slot) = slot
	}
	for i, slot := range slots {
		if *a.at(slot) != uint32(i) {
			t.Fatalf("slot %d holds %d", i, *a.at(slot))
		}
	}
	var last arena[uint32]
	last.next, last.limit = (maxChunks-2)*chunkLen, maxChunks*chunkLen
	for len(last.take(nil, chunkLen)) > 0 {
	}
	if *last.at(maxChunks*chunkLen - 1) = 1; last.next != last.limit {
		t.Errorf("%d slots were taken of %d", last.next, last.limit)
	}
}

// TestNodesHoldNoPointers: a collector that looked through the tree of a province would look at twenty million nodes.
func TestNodesHoldNoPointers(t *testing.T) {
	var plain func(reflect.Type) bool
	plain = func(of reflect.Type) bool {
		switch of.Kind() {
		case reflect.Struct:
			for i := range of.NumField() {
				if !plain(of.Field(i).Type) {
					return false
				}
			}
			return true
		case reflect.Array:
			return plain(of.Elem())
		}
		return of.Kind() <= reflect.Complex128 && of.Kind() != reflect.Uintptr
	}
	for _, of := range []reflect.Type{reflect.TypeFor[branch](), reflect.TypeFor[tree.Leaf]()} {
		if !plain(of) {
			t.Errorf("%v holds a pointer", of)
		}
	}
}
