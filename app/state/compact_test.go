package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// churn is a block that overwrites rows and leaves of a fixed set, evenly; of the rows one in sixteen is deleted and comes back in its turn.
func churn(height, keys, perBlock, valueLen int) *WriteSet {
	w := NewWriteSet()
	for i := range perBlock {
		n := (height*7919 + i*104729) % keys
		key := fmt.Appendf(nil, "row/%06d", n)
		if (height+n)%16 == 0 {
			w.Delete(key)
		} else {
			w.Set(key, churnValue(height, n, valueLen))
		}
		w.Set(leafRow(fmt.Sprintf("leaf/%06d", n)), key)
	}
	return w
}

func churnValue(height, n, valueLen int) []byte {
	head := fmt.Sprintf("%d of %d ", n, height)
	return []byte(head + strings.Repeat("x", valueLen-len(head)))
}

// TestHistory reads every retained height against a model, before and after compaction, restarts and a changed knob; below the floor there is
// ErrPruned and nothing else.
func TestHistory(t *testing.T) {
	for _, retain := range []uint64{0, 1, 5, 20} {
		t.Run(fmt.Sprint(retain), func(t *testing.T) {
			o := testOptions(tempDir(t))
			o.Retain = retain
			s := mustOpen(t, o)
			defer func() { s.Close() }()
			m := newModel()
			check := func(when string) {
				t.Helper()
				if err := m.check(s); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				latest, floor := s.Latest().Height, s.Floor()
				if kept := latest - max(floor, 1) + 1; retain > 0 && (kept < min(retain, latest) || kept > retain+max(retain/16, 1)) {
					t.Errorf("%s: %d heights are kept at %d, %d were asked for", when, kept, latest, retain)
				}
				if retain == 0 && floor != 0 {
					t.Errorf("%s: an archive has floor %d", when, floor)
				}
				for h := uint64(1); h < floor; h++ {
					var pruned ErrPruned
					if _, err := s.View(h); !errors.As(err, &pruned) || pruned.Height != h || pruned.Floor != floor {
						t.Fatalf("%s: height %d below floor %d gives %v", when, h, floor, err)
					}
				}
			}
			for h := 1; h <= 40; h++ {
				if err := commitNext(s, &m); err != nil {
					t.Fatal(err)
				}
				if h%10 != 0 {
					continue
				}
				check(fmt.Sprintf("at height %d", h))
				s.Close()
				r, err := Compact(t.Context(), o, false)
				if err != nil {
					t.Fatal(err)
				}
				if r.Height != uint64(h) || r.Before <= 0 || r.After <= 0 {
					t.Errorf("report %+v", r)
				}
				s = mustOpen(t, o)
				check(fmt.Sprintf("compacted at height %d", h))
			}
			// A smaller number prunes with the next compaction, a larger one brings nothing back.
			s.Close()
			o.Retain = 2
			if _, err := Compact(t.Context(), o, false); err != nil {
				t.Fatal(err)
			}
			o.Retain = 0
			s = mustOpen(t, o)
			if got, want := s.Floor(), max(39, 40-retain+1); retain > 0 && got != want || retain == 0 && got != 39 {
				t.Errorf("floor is %d", got)
			}
			if err := m.check(s); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestCompactQuiet: what Badger by itself would keep for ever, versions in its lowest level that no new write meets, goes.
func TestCompactQuiet(t *testing.T) {
	o := testOptions(tempDir(t))
	o.txnEntries = 1000
	const blocks, keys = 12, 400
	s := mustOpen(t, o)
	for h := 1; h <= blocks; h++ {
		mustCommit(t, s, uint64(h), churn(h, keys, keys, 1000))
		if h%3 == 0 { // a table of its own, then all of them into the lowest level
			s.Close()
			s = mustOpen(t, o)
			if err := s.db.Flatten(1); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := allVersions(s)
	root := s.Latest().Root
	s.Close()
	o.Retain = 1
	r, err := Compact(t.Context(), o, false)
	if err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	defer s.Close()
	after := allVersions(s)
	if before < blocks*keys || after > 2*keys+10 {
		t.Errorf("%d versions before, %d after", before, after)
	}
	if r.After*4 > r.Before {
		t.Errorf("report %+v: little came back", r)
	}
	if s.Latest().Root != root {
		t.Error("the root changed")
	}
	if err := s.CheckLeaves(t.Context()); err != nil {
		t.Error(err)
	}
	// A second time finds nothing to do and changes nothing.
	s.Close()
	if _, err := Compact(t.Context(), o, false); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	if got := allVersions(s); got != after {
		t.Errorf("%d versions after another compaction, %d before", got, after)
	}
}

func mustCommit(t testing.TB, s *Store, h uint64, w *WriteSet) {
	t.Helper()
	root, err := s.Stage(h, w)
	if err == nil {
		err = s.Commit(h, appHashOf(h, root), metaOf(h))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func allVersions(s *Store) (n int) {
	txn := s.db.NewTransactionAt(1<<62, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{AllVersions: true})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		n++
	}
	return n
}

// TestCompactCrash stops a compaction before and after each of its steps: the folder that is left holds what it held.
func TestCompactCrash(t *testing.T) {
	stop := errors.New("stopped here")
	for n := 1; ; n++ {
		o := testOptions(tempDir(t))
		s := mustOpen(t, o)
		m := newModel()
		for range 8 {
			if err := commitNext(s, &m); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		image := tempDir(t)
		calls, at := 0, ""
		hooked := o
		hooked.Retain = 3
		hooked.testingOnlyFail = func(step string) error {
			if calls++; calls < n {
				return nil
			}
			if calls == n {
				at = step
				copyFolder(t, o.Dir, image)
			}
			return stop
		}
		_, err := Compact(t.Context(), hooked, false)
		if at == "" {
			if err != nil {
				t.Fatal(err)
			}
			if calls != 8 { // floor, flatten, touch, flatten: before and after each
				t.Errorf("%d stops", calls)
			}
			return
		}
		if !errors.Is(err, stop) {
			t.Fatalf("stopped %s: %v", at, err)
		}
		for _, dir := range []string{o.Dir, image} {
			left := o
			left.Dir = dir
			s := mustOpen(t, left)
			if err := m.check(s); err != nil {
				t.Fatalf("stopped %s: %v", at, err)
			}
			next := m[:len(m):len(m)]
			if err := commitNext(s, &next); err != nil {
				t.Fatalf("stopped %s: %v", at, err)
			}
			if err := next.check(s); err != nil {
				t.Fatalf("stopped %s: %v", at, err)
			}
			s.Close()
			if _, err := Compact(t.Context(), left, false); err != nil {
				t.Fatalf("stopped %s, and again: %v", at, err)
			}
		}
	}
}

// TestCompactAfterCut: a folder in which a rollback, or what comes before another block, was cut off is compacted as any other; one that is opened for reading alone says
// to which height that was.
func TestCompactAfterCut(t *testing.T) {
	t.Parallel()
	for _, st := range stories {
		if !slices.Contains(st.steps, "back") {
			continue
		}
		for _, stop := range both(st.steps) {
			o, full := st.cutAt(t, stop)
			reading := o
			reading.ReadOnly = true
			s := mustOpen(t, reading)
			found := s.Latest().Height
			to, cut := s.Unfinished()
			at := slices.Index(st.steps, strings.TrimPrefix(strings.TrimPrefix(stop, "before "), "after "))
			begun, over := slices.Index(st.steps, "back"), slices.Index(st.steps, "back done")
			within := (at > begun || stop == "after back") && (at < over || stop == "before back done")
			if cut != within || cut && to != found {
				t.Errorf("%s, stopped %s: at height %d it says that what is above %d goes: %v", st.name, stop, found, to, cut)
			}
			s.Close()
			if r, err := Compact(t.Context(), o, true); err != nil || r.Height != found {
				t.Fatalf("%s, stopped %s: %+v %v", st.name, stop, r, err)
			}
			s = mustOpen(t, o)
			if _, cut := s.Unfinished(); cut {
				t.Errorf("%s, stopped %s: it is still said to be cut off", st.name, stop)
			}
			if found < uint64(len(full)) {
				left := full[:found+1]
				if err := left.check(s); err != nil {
					t.Errorf("%s, stopped %s: %v", st.name, stop, err)
				}
			}
			s.Close()
		}
	}
}

func TestCompactRefuses(t *testing.T) {
	_, err := Compact(t.Context(), Options{InMemory: true}, false)
	wantLine(t, err, "needs a folder")
	o := testOptions(tempDir(t))
	r, err := Compact(t.Context(), o, false)
	if err != nil || r.Height != 0 {
		t.Errorf("an empty folder: %+v %v", r, err)
	}
	s := mustOpen(t, o)
	defer s.Close()
	_, err = Compact(t.Context(), o, false)
	wantLine(t, err, "in use by another process")
}

// TestLongDiskCurve prints what a folder takes over 2,000 blocks of overwrites: as an archive, pruned and left alone, pruned and compacted every
// 500 blocks. Without XINLIAN_LONG it walks a short part of that and prints nothing but a failure.
func TestLongDiskCurve(t *testing.T) {
	blocks, perBlock, keys, every := 160, 200, 2000, 40
	o := Options{ChainID: "sample-1", Bind: testBind, memTable: 8 << 20}
	if os.Getenv("XINLIAN_LONG") != "" {
		blocks, perBlock, keys, every = 2000, 1000, 50000, 250
		o.memTable = 0
	}
	const valueLen, retain = 300, 20
	type run struct {
		name    string
		retain  uint64
		compact bool
		sizes   []int64
		last    CompactReport
	}
	runs := []*run{{name: "archive"}, {name: "pruned", retain: retain}, {name: "pruned, compacted", retain: retain, compact: true}}
	var roots []tree.Hash
	for _, r := range runs {
		o := o
		o.Dir, o.Retain = tempDir(t), r.retain
		s := mustOpen(t, o)
		for h := 1; h <= blocks; h++ {
			mustCommit(t, s, uint64(h), churn(h, keys, perBlock, valueLen))
			if h%every != 0 {
				continue
			}
			if r.compact && h%(2*every) == 0 {
				s.Close()
				var err error
				if r.last, err = Compact(t.Context(), o, false); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, o)
			}
			n, err := DiskUsage(o.Dir)
			if err != nil {
				t.Fatal(err)
			}
			r.sizes = append(r.sizes, n)
		}
		roots = append(roots, s.Latest().Root)
		// Live bytes: keys and values of the newest height.
		if r.compact {
			live := int64(0)
			v, err := s.View(s.Latest().Height)
			if err != nil {
				t.Fatal(err)
			}
			err = v.Iterate(nil, nil, func(key, value []byte) bool { live += int64(1 + len(key) + len(value)); return true })
			v.Close()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("compacted: %+v; rows of the newest height: %d bytes, folder / live = %.2f", r.last, live, float64(r.last.After)/float64(live))
		}
		s.Close()
	}
	if roots[0] != roots[1] || roots[0] != roots[2] {
		t.Errorf("roots differ: %x", roots)
	}
	t.Logf("%8s %14s %14s %20s (MB)", "height", runs[0].name, runs[1].name, runs[2].name)
	for i := range runs[0].sizes {
		t.Logf("%8d %14.1f %14.1f %20.1f", (i+1)*every, mb(runs[0].sizes[i]), mb(runs[1].sizes[i]), mb(runs[2].sizes[i]))
	}
	last := len(runs[0].sizes) - 1
	if a, c := runs[0].sizes[last], runs[2].sizes[last]; c*2 > a {
		t.Errorf("the archive takes %d bytes, pruned and compacted it takes %d", a, c)
	}
}

func mb(n int64) float64 { return float64(n) / (1 << 20) }

const compactFolder = "XINLIAN_STATE_TEST_COMPACT_FOLDER"

// TestKillCompact kills a process that compacts a folder, each time when another number of Badger's files has come or gone. What it leaves holds
// what it held, and can be compacted to its end.
func TestKillCompact(t *testing.T) {
	o := testOptions(os.Getenv(compactFolder))
	o.txnEntries = 1000
	o.Retain = 3
	if o.Dir != "" {
		if _, err := Compact(context.Background(), o, false); err != nil {
			t.Fatal(err)
		}
		return
	}
	const blocks = 24
	o.Dir = tempDir(t)
	archive := o
	archive.Retain = 0
	s := mustOpen(t, archive)
	m := newModel()
	for range blocks {
		if err := m.commit(s, paddedBlock(m.latest()+1)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	for changes := 1; changes <= 9; changes += 2 {
		here := o
		here.Dir = tempDir(t)
		copyFolder(t, o.Dir, here.Dir)
		child := exec.Command(os.Args[0], "-test.run=^TestKillCompact$")
		child.Env = append(os.Environ(), compactFolder+"="+here.Dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { child.Wait(); close(ended) }()
		killAfter(t, child, ended, here.Dir, changes)
		left := here
		left.Retain = 0
		s := mustOpen(t, left)
		if err := m.check(s); err != nil {
			t.Fatalf("killed after %d changes: %v", changes, err)
		}
		if err := s.CheckFiles(); err != nil {
			t.Fatalf("killed after %d changes: %v", changes, err)
		}
		s.Close()
		if _, err := Compact(t.Context(), here, false); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, here)
		if err := m.check(s); err != nil {
			t.Fatalf("compacted again after %d changes: %v", changes, err)
		}
		s.Close()
	}
}

// killAfter kills the process when the names of the files in dir have changed so often, unless it has ended before.
func killAfter(t *testing.T, child *exec.Cmd, ended chan struct{}, dir string, changes int) {
	t.Helper()
	names := func() string {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range files {
			b.WriteString(f.Name() + "\n")
		}
		return b.String()
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for before := names(); changes > 0; {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		if now := names(); now != before {
			before = now
			changes--
		}
	}
	child.Process.Kill()
	<-ended
}
