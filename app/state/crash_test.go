package state

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

var errStop = errors.New("the process stops here")

// sampleBlock writes and deletes rows and leaves; n varies what, size how much.
func sampleBlock(n uint64, size int) block {
	rng := rand.New(rand.NewPCG(n, 1))
	var b block
	for range size {
		b = append(b, op{
			leaf:   rng.IntN(2) == 0,
			key:    universe(rng.IntN(12)),
			value:  fmt.Sprintf("%d", rng.Uint32()),
			delete: rng.IntN(4) == 0,
		})
	}
	return b
}

// story is a folder and the thing done to it that the process does not survive.
type story struct {
	name    string
	blocks  uint64 // committed before
	retain  uint64
	txn     int   // entries a transaction; 0: 3
	cut     block // of the height after those, in a process that died before its marker
	prepare func(s *Store, m *model) error
	act     func(s *Store, m *model) error // m is changed only if act returns nil
	steps   []string                       // golden: the write steps of act, in order
}

func commitNext(s *Store, m *model) error { return m.commit(s, sampleBlock(m.latest()+1, 12)) }

func rollbackTo(to uint64) func(*Store, *model) error {
	return func(s *Store, m *model) error {
		if err := s.Rollback(to); err != nil {
			return err
		}
		*m = (*m)[:to+1]
		return nil
	}
}

var stories = []story{
	{
		name: "first block", act: commitNext,
		steps: []string{"tree", "format", "settle", "rows 1", "rows 2", "marker"},
	},
	{
		name: "block", blocks: 3, act: commitNext,
		steps: []string{"tree", "rows 1", "rows 2", "rows 3", "marker"},
	},
	{
		name: "empty block", blocks: 3, steps: []string{"tree", "marker"},
		act: func(s *Store, m *model) error { return m.commit(s, nil) },
	},
	{
		name: "pruning block", blocks: 3, retain: 2, act: commitNext,
		steps: []string{"tree", "rows 1", "rows 2", "rows 3", "marker", "floor"},
	},
	{
		name: "rollback", blocks: 5, txn: 10, act: rollbackTo(2),
		steps: []string{
			"back", "unmark 5", "unmark 4", "unmark 3",
			"undo 1", "undo 2", "undo 3", "settle", "back done",
		},
	},
	{
		name: "the block that a crash cut off", blocks: 3, cut: sampleBlock(4, 12), act: commitNext,
		steps: []string{"tree", "rows 1", "rows 2", "rows 3", "marker"},
	},
	{
		name: "other block than the one that a crash cut off", blocks: 3, cut: sampleBlock(104, 12), act: commitNext,
		steps: []string{"tree", "back", "undo 1", "undo 2", "undo 3", "settle", "back done", "rows 1", "rows 2", "rows 3", "marker"},
	},
	{
		name: "other first block than the one that a crash cut off", cut: sampleBlock(101, 12), act: commitNext,
		steps: []string{"tree", "back", "undo 1", "undo 2", "settle", "back done", "rows 1", "rows 2", "marker"},
	},
	{
		name: "rollback to nothing", blocks: 2, act: rollbackTo(0),
		steps: []string{"back", "unmark 2", "unmark 1", "undo 1", "undo 2", "undo 3", "undo 4", "settle", "back done"},
	},
	{
		name: "other block after a rollback", blocks: 5,
		prepare: func(s *Store, m *model) error {
			if err := rollbackTo(2)(s, m); err != nil {
				return err
			}
			return m.commit(s, sampleBlock(103, 12)) // height 3 differs from the first run, so 4 needs cleaning
		},
		act:   func(s *Store, m *model) error { return m.commit(s, sampleBlock(104, 3)) },
		steps: []string{"tree", "undo 1", "marker"},
	},
}

// run makes a folder and does what comes before act; the hook is not called before that. wrote, if there is one, is told of all.
func (st story) run(t *testing.T, watch *oneValue, hook func(string) error) (Options, *Store, *model) {
	o := testOptions(tempDir(t))
	o.Retain = st.retain
	if st.txn > 0 {
		o.txnEntries = st.txn
	}
	if watch != nil {
		o.testingOnlyWrote, o.testingOnlyFail = watch.wrote, watch.step
	}
	hooked, begun := o, func(string) error { return nil }
	hooked.testingOnlyFail = func(step string) error {
		if watch != nil {
			watch.step(step)
		}
		return begun(step)
	}
	s := mustOpen(t, hooked)
	m := st.before(t, s)
	if st.cut != nil {
		begun = stopAt("before marker")
		if err := m.commit(s, st.cut); !errors.Is(err, errStop) {
			t.Fatalf("the block to cut off: %v", err)
		}
		s.Close()
		s = mustOpen(t, hooked)
	}
	begun = hook
	return o, s, &m
}

func stopAt(stop string) func(step string) error {
	return func(step string) error {
		if step == stop {
			return errStop
		}
		return nil
	}
}

func (st story) before(t *testing.T, s *Store) model {
	m := newModel()
	for range st.blocks {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	if st.prepare != nil {
		if err := st.prepare(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestCrash stops the process before and after each write step: before means that the step did not persist, after that it
// did and nobody was told. What must hold, for each: the store refuses everything; opened again it stands at a whole
// height, with the content of that height and all below; the block runs again, or another one in its place, and the
// chain goes on with the roots of a node that never stopped.
func TestCrash(t *testing.T) {
	for _, st := range stories {
		t.Run(strings.ReplaceAll(st.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			var steps []string
			_, s, m := st.run(t, nil, func(step string) error {
				if name, ok := strings.CutPrefix(step, "after "); ok {
					steps = append(steps, name)
				}
				return nil
			})
			before := m.latest()
			if err := st.act(s, m); err != nil {
				t.Fatal(err)
			}
			after := m.latest()
			s.Close()
			if !slices.Equal(steps, st.steps) {
				t.Fatalf("write steps are %q, want %q", steps, st.steps)
			}
			for _, name := range steps {
				for _, stop := range []string{"before " + name, "after " + name} {
					t.Run(strings.ReplaceAll(stop, " ", "-"), func(t *testing.T) {
						for _, how := range []string{"closed", "killed", "other block", "order lost"} {
							st.crash(t, stop, how, before, after)
						}
					})
				}
			}
		})
	}
}

// cutAt ends a story at one of its steps: the folder, closed, and what it held before that.
func (st story) cutAt(t *testing.T, stop string) (o Options, full model) {
	t.Helper()
	o, s, m := st.run(t, nil, stopAt(stop))
	full = slices.Clone(*m)
	if err := st.act(s, m); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	s.Close()
	return o, full
}

func (st story) crash(t *testing.T, stop, how string, before, after uint64) {
	t.Helper()
	o, s, m := st.run(t, nil, stopAt(stop))
	full := slices.Clone(*m)
	if err := st.act(s, m); !errors.Is(err, errStop) {
		t.Fatalf("act: %v", err)
	}
	refusesAll(t, s)
	if how == "killed" {
		image := tempDir(t)
		copyFolder(t, o.Dir, image)
		o.Dir = image
	}
	s.Close()
	if how == "order lost" {
		loseOrder(t, o.Dir)
	}

	s = mustOpen(t, o)
	defer func() { s.Close() }()
	found := s.Latest().Height
	switch low, high := min(before, after), max(before, after); {
	case found < low || found > high:
		t.Fatalf("%s: marker is at %d", how, found)
	case after > before && (found == after) != (stop == "after marker" || strings.HasSuffix(stop, " floor")):
		t.Fatalf("%s: marker is at %d", how, found)
	}
	if found >= uint64(len(full)) { // the block is there after all; the twin that never stopped knows its content
		twin := mustOpen(t, Options{InMemory: true, Bind: testBind})
		defer twin.Close()
		full = st.before(t, twin)
		if err := st.act(twin, &full); err != nil {
			t.Fatal(err)
		}
	}
	*m = slices.Clone(full[:found+1])
	if err := m.check(s); err != nil {
		t.Fatalf("%s: after the crash: %v", how, err)
	}
	if how == "other block" || how == "order lost" && before < after {
		if err := m.commit(s, sampleBlock(1000+found, 2)); err != nil {
			t.Fatal(err)
		}
	} else if found != after {
		if err := st.act(s, m); err != nil {
			t.Fatalf("%s: again: %v", how, err)
		}
	}
	for n := range 4 { // past every height with leftovers
		if err := m.check(s); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if err := m.commit(s, sampleBlock(2000+m.latest(), 2)); err != nil { // compares roots with the model
			t.Fatal(err)
		}
		if how == "order lost" && n < 2 {
			s.Close()
			loseOrder(t, o.Dir)
			s = mustOpen(t, o)
		}
	}
	if err := m.check(s); err != nil {
		t.Fatalf("%s: at the end: %v", how, err)
	}
}

// loseOrder turns the order of the tables of level 0 around in a folder that is closed: Badger merges some of them beside others, and gives what comes of it a place
// that does not tell its age.
func loseOrder(t fataler, dir string) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	var ids []uint64
	for id, table := range manifest.Tables {
		if table.Level == 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	name := func(id uint64) string { return table.NewFilename(id, dir) }
	for i, j := 0, len(ids)-1; i < j; i, j = i+1, j-1 {
		for _, move := range [][2]string{{name(ids[i]), dir + "/aside"}, {name(ids[j]), name(ids[i])}, {dir + "/aside", name(ids[j])}} {
			if err := os.Rename(move[0], move[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// refusesAll checks that nothing can be had from a store whose write failed.
func refusesAll(t *testing.T, s *Store) {
	t.Helper()
	h := s.Latest().Height
	if _, err := s.Stage(h+1, NewWriteSet()); !errors.Is(err, errStop) {
		t.Errorf("Stage: %v", err)
	}
	if err := s.Commit(h+1, appHashOf(0, [32]byte{}), nil); !errors.Is(err, errStop) {
		t.Errorf("Commit: %v", err)
	}
	if _, err := s.View(h); !errors.Is(err, errStop) {
		t.Errorf("View: %v", err)
	}
	if err := s.Rollback(h); !errors.Is(err, errStop) {
		t.Errorf("Rollback: %v", err)
	}
	if err := s.CheckLeaves(t.Context()); !errors.Is(err, errStop) {
		t.Errorf("CheckLeaves: %v", err)
	}
	if _, ok := s.Version(h); ok {
		t.Error("Version answers")
	}
}

// TestReadOnlyInRollback: who opens a folder for reading alone in which a rollback was cut off sees the height that it was about, or the one before if nothing was begun.
func TestReadOnlyInRollback(t *testing.T) {
	for _, st := range stories {
		if st.name != "rollback" {
			continue
		}
		for _, stop := range both(st.steps) {
			o, full := st.cutAt(t, stop)
			o.ReadOnly = true
			s := mustOpen(t, o)
			want := full[:3]
			if stop == "before back" {
				want = full
			}
			if err := want.check(s); err != nil {
				t.Errorf("stopped %s: %v", stop, err)
			}
			s.Close()
		}
	}
}

// TestCrashInClean stops the process while a block other than the one that a crash cut off cleans what that has left.
func TestCrashInClean(t *testing.T) {
	st := story{blocks: 3}
	for n := 1; n <= 3; n++ {
		for _, stop := range []string{fmt.Sprintf("before undo %d", n), fmt.Sprintf("after undo %d", n)} {
			o, s, m := st.run(t, nil, stopAt("before marker"))
			if err := m.commit(s, sampleBlock(4, 12)); !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			s.Close()
			hooked := o
			hooked.testingOnlyFail = stopAt(stop)
			s = mustOpen(t, hooked)
			if err := m.commit(s, sampleBlock(104, 1)); !errors.Is(err, errStop) {
				t.Fatalf("%s: %v", stop, err)
			}
			s.Close()
			s = mustOpen(t, o)
			if err := m.check(s); err != nil {
				t.Fatalf("%s: %v", stop, err)
			}
			if err := m.commit(s, sampleBlock(104, 3)); err != nil {
				t.Fatal(err)
			}
			if err := m.check(s); err != nil {
				t.Fatalf("%s: %v", stop, err)
			}
			s.Close()
		}
	}
}

// oneValue watches what is written to a folder, through crashes: no key is given another value at a timestamp that it has, unless it is noted that something is taken
// back. What Badger has merged then is out of the way.
type oneValue struct {
	seen  map[string]string
	noted bool
	twice error
}

func (v *oneValue) step(name string) error {
	switch name {
	case "after back":
		v.noted = true
	case "after settle":
		clear(v.seen)
	case "after back done":
		v.noted = false
	}
	return nil
}

func (v *oneValue) wrote(ts uint64, entries []entry) {
	if v.seen == nil {
		v.seen = map[string]string{}
	}
	for _, e := range entries {
		at, value := fmt.Sprintf("%x @%d", e.key, ts), fmt.Sprintf("%x %v", e.value, e.delete)
		if had, ok := v.seen[at]; ok && had != value && !v.noted && v.twice == nil {
			v.twice = fmt.Errorf("%s was %s and is %s", at, had, value)
		}
		v.seen[at] = value
	}
}

// TestOneValueAtATimestamp: that holds while blocks are made with their floors, and rolled back, and cut off by crashes at every step and run again, or other blocks in
// their place.
func TestOneValueAtATimestamp(t *testing.T) {
	for _, st := range stories {
		t.Run(strings.ReplaceAll(st.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			for _, step := range st.steps {
				for _, stop := range []string{"before " + step, "after " + step} {
					for _, again := range []bool{true, false} {
						watch := new(oneValue)
						o, s, m := st.run(t, watch, stopAt(stop))
						if err := st.act(s, m); !errors.Is(err, errStop) {
							t.Fatal(err)
						}
						s.Close()
						s = mustOpen(t, o)
						for n := range uint64(4) {
							h, block := s.Latest().Height+1, sampleBlock(1000+n, 12)
							if again {
								block = sampleBlock(h, 12)
							}
							if _, err := s.Stage(h, block.writeSet()); err != nil {
								t.Fatal(err)
							}
							if err := s.Commit(h, tree.Hash{}, nil); err != nil {
								t.Fatal(err)
							}
						}
						s.Close()
						if watch.twice != nil {
							t.Fatalf("stopped %s, the same block again: %v: %v", stop, again, watch.twice)
						}
					}
				}
			}
		})
	}
}

// TestTornLog cuts the write-ahead log of a killed process at many places, as a disk does that loses the end of a file.
// Whatever the cut, Open finds a whole block with its content, and the blocks after it run again with the same roots.
func TestTornLog(t *testing.T) {
	o := testOptions(tempDir(t))
	s := mustOpen(t, o)
	defer s.Close()
	m := newModel()
	for range 6 {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	image := tempDir(t)
	copyFolder(t, o.Dir, image)
	logs, err := filepath.Glob(filepath.Join(image, "*.mem"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %q: %v", logs, err)
	}
	content, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	end := int64(len(content))
	for end > 0 && content[end-1] == 0 {
		end--
	}
	seen := make(map[uint64]bool)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		torn := o
		torn.Dir = tempDir(t)
		copyFolder(t, image, torn.Dir)
		const header = 20 // of Badger's log files
		cut := header + rng.Int64N(end-header)
		if err := os.Truncate(filepath.Join(torn.Dir, filepath.Base(logs[0])), cut); err != nil {
			t.Fatal(err)
		}
		r, err := Open(torn)
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, end, err)
		}
		found := r.Latest().Height
		seen[found] = true
		short := slices.Clone(m[:found+1])
		if err := short.check(r); err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, end, err)
		}
		for short.latest() < m.latest() {
			if err := commitNext(r, &short); err != nil {
				t.Fatalf("cut at %d of %d: %v", cut, end, err)
			}
		}
		if err := short.check(r); err != nil {
			t.Fatalf("cut at %d of %d: run again: %v", cut, end, err)
		}
		r.Close()
	}
	if len(seen) < 5 {
		t.Errorf("the cuts met %d heights only; cut more", len(seen))
	}
}

// TestOtherBlockBesideReaders has a block come in place of the one that a crash cut off while a view is read.
func TestOtherBlockBesideReaders(t *testing.T) {
	st := story{blocks: 3, cut: sampleBlock(104, 12)}
	_, s, m := st.run(t, nil, func(string) error { return nil })
	defer s.Close()
	v, err := s.View(3)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	want := (*m)[3].rows
	read := func() int {
		n := 0
		if err := v.Iterate(nil, nil, func(key, value []byte) bool {
			if n++; n == 2 && m.latest() == 3 {
				if err := commitNext(s, m); err != nil {
					t.Fatal(err)
				}
			}
			if again, found, err := v.Get(key); err != nil || !found || string(value) != want[string(key)] || string(again) != string(value) {
				t.Errorf("row %q is %q, then %q %v", key, value, again, err)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		if n := read(); n != len(want) || n < 3 {
			t.Errorf("%d rows, want %d", n, len(want))
		}
	}
	if err := m.check(s); err != nil {
		t.Fatal(err)
	}
}

// TestSettle merges all of level 0, also tables that have no key between them, and what is in memory.
func TestSettle(t *testing.T) {
	for _, what := range []string{"on disk", "in memory"} {
		o := testOptions(tempDir(t))
		if what == "in memory" {
			o.Dir, o.InMemory = "", true
		}
		s := mustOpen(t, o)
		for _, key := range []string{"d", "c", "b", "a"} {
			if err := s.write("rows", 1, []entry{{key: rowKey([]byte(key)), value: []byte(key)}}); err != nil {
				t.Fatal(err)
			}
			if what == "on disk" && key != "a" { // each Close makes a table of its own
				err := s.db.Close()
				if err == nil {
					s.db, err = openBadger(s.opts)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.settle(); err != nil {
			t.Fatal(err)
		}
		tables := 0
		for _, table := range s.db.Tables() {
			if table.Level == 0 {
				t.Errorf("%s: a table of level 0 from %q to %q is left", what, table.Left, table.Right)
			}
			tables++
		}
		if tables == 0 {
			t.Errorf("%s: there are no tables", what)
		}
		for _, key := range []string{"a", "b", "c", "d"} {
			if n := versions(s, key); n != 1 {
				t.Errorf("%s: %d versions of %q", what, n, key)
			}
		}
		txn := s.db.NewTransactionAt(math.MaxUint64, false)
		if _, found, err := get(txn, []byte{keyDrop}); found || err != nil {
			t.Errorf("%s: the key to drop is there: %v", what, err)
		}
		txn.Discard()
		s.db.Close()
	}
}
