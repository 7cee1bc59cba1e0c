package state

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// wantLine checks that err is one line that contains want.
func wantLine(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %q, want one line with %q", err, want)
	}
}

// raw writes one key of the keyspace behind the store's back.
func raw(t *testing.T, o Options, ts uint64, key, value []byte) {
	t.Helper()
	o, err := o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	db, err := openBadger(o)
	if err != nil {
		t.Fatal(err)
	}
	txn := db.NewTransactionAt(math.MaxUint64, true)
	if err := errors.Join(txn.Set(key, value), txn.CommitAt(ts, nil), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func folderWith(t *testing.T, blocks int) (Options, model) {
	t.Helper()
	o := testOptions(tempDir(t))
	s := mustOpen(t, o)
	m := newModel()
	for range blocks {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o, m
}

func TestOpenRefuses(t *testing.T) {
	open := func(o Options) error {
		s, err := Open(o)
		if err == nil {
			s.Close()
		}
		return err
	}
	t.Run("options", func(t *testing.T) {
		wantLine(t, open(Options{}), "needs a folder")
		wantLine(t, open(Options{InMemory: true, Dir: "x"}), "neither a folder")
		wantLine(t, open(Options{InMemory: true, Window: -1}), "window")
		wantLine(t, open(Options{InMemory: true, ChainID: strings.Repeat("x", 129)}), "chain id of 129 bytes")
	})
	t.Run("in use", func(t *testing.T) {
		o, _ := folderWith(t, 1)
		s := mustOpen(t, o)
		defer s.Close()
		wantLine(t, open(o), "in use by another process")
		o.ReadOnly = true
		wantLine(t, open(o), "in use by another process")
	})
	t.Run("other chain", func(t *testing.T) {
		o, _ := folderWith(t, 1)
		o.ChainID = "sample-2"
		wantLine(t, open(o), `belongs to chain "sample-1", not to "sample-2"`)
		o.ChainID = ""
		if err := open(o); err != nil {
			t.Errorf("no chain id to compare with: %v", err)
		}
	})
	t.Run("newer format", func(t *testing.T) {
		o, _ := folderWith(t, 1)
		raw(t, o, fixedTs, []byte{keyFormat}, []byte{0, 0, 0, 4})
		wantLine(t, open(o), "has format 4, this program knows 3: use a newer program")
	})
	t.Run("older format", func(t *testing.T) {
		o, _ := folderWith(t, 1)
		raw(t, o, fixedTs, []byte{keyFormat}, []byte{0, 0, 0, 1})
		wantLine(t, open(o), "has format 1, this program writes 3: move it away")
	})
	t.Run("format before", func(t *testing.T) { // its floor stands at timestamp 1, the next one above it
		o, m := folderWith(t, 6)
		raw(t, o, fixedTs, []byte{keyFormat}, []byte{0, 0, 0, 2})
		raw(t, o, fixedTs, []byte{keyFloor}, encodeUint64(3))
		o.Retain = 2
		for want := range 2 {
			s := mustOpen(t, o)
			if got := s.Floor(); got != uint64(3+3*want) {
				t.Fatalf("the floor is %d", got)
			}
			if err := commitNext(s, &m); err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
	})
	t.Run("not ours", func(t *testing.T) {
		o := testOptions(tempDir(t))
		raw(t, o, 1, []byte("foo"), []byte("bar"))
		wantLine(t, open(o), "not a state folder")
	})
	t.Run("nothing to read", func(t *testing.T) {
		o := testOptions(filepath.Join(tempDir(t), "absent"))
		o.ReadOnly = true
		wantLine(t, open(o), "no state folder at")
	})
	t.Run("killed, then read only", func(t *testing.T) {
		o, _ := folderWith(t, 1)
		s := mustOpen(t, o)
		m := newModel()
		m.apply(sampleBlock(1, 12))
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
		image := tempDir(t)
		copyFolder(t, o.Dir, image)
		s.Close()
		o.Dir, o.ReadOnly = image, true
		wantLine(t, open(o), "was not closed properly: open it once for writing")
		o.ReadOnly = false
		if err := open(o); err != nil {
			t.Fatal(err)
		}
		o.ReadOnly = true
		if err := open(o); err != nil {
			t.Errorf("closed properly: %v", err)
		}
	})
	t.Run("bound row changed", func(t *testing.T) {
		o, _ := folderWith(t, 3)
		raw(t, o, 3, rowKey(leafRow("x")), []byte("changed"))
		s := mustOpen(t, o) // the tree's files are right
		wantLine(t, s.CheckLeaves(t.Context()), "is damaged (the leaves of height 3 give root")
		s.Close()
		removeTreeFiles(t, o.Dir)
		wantLine(t, open(o), "is damaged (the leaves of height 3 give root")
		wantLine(t, open(o), "run fsck, or restore it")
	})
	t.Run("cannot be bound", func(t *testing.T) {
		o, _ := folderWith(t, 3)
		o.Bind = func(Getter) (Binding, error) { return Binding{}, errors.New("no chain") }
		wantLine(t, open(o), "how rows are bound: no chain")
		o.Bind = func(Getter) (Binding, error) { return Binding{Tables: [][]byte{[]byte("ab"), []byte("a")}}, nil }
		wantLine(t, open(o), "begins with another")
	})
	t.Run("marker moved", func(t *testing.T) {
		o, _ := folderWith(t, 3)
		raw(t, o, 5, []byte{keyMarker}, encodeMarker(Marker{Height: 4}))
		wantLine(t, open(o), "marker of height 4 stands at 5")
	})
	t.Run("marker short", func(t *testing.T) {
		o, _ := folderWith(t, 3)
		raw(t, o, 4, []byte{keyMarker}, []byte{1})
		wantLine(t, open(o), "marker has 1 bytes")
	})
	t.Run("floor above", func(t *testing.T) {
		o, _ := folderWith(t, 3)
		raw(t, o, fixedTs, []byte{keyFloor}, encodeUint64(4))
		wantLine(t, open(o), "the floor is 4, the last block 3")
	})
	t.Run("table file cut", func(t *testing.T) {
		o, _ := folderWith(t, 3)
		tables, _ := filepath.Glob(filepath.Join(o.Dir, "*.sst"))
		if len(tables) == 0 {
			t.Fatal("no table file")
		}
		info, err := os.Stat(tables[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(tables[0], info.Size()/2); err != nil {
			t.Fatal(err)
		}
		wantLine(t, open(o), "table file "+filepath.Base(tables[0])+": checksum is longer than the file")
	})
}

// TestPartOfTable: a process killed while Badger wrote a table leaves a part of the file, which is no damage.
func TestPartOfTable(t *testing.T) {
	o, m := folderWith(t, 3)
	if err := os.WriteFile(filepath.Join(o.Dir, "000007.sst"), bytes.Repeat([]byte{0xee}, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, o)
	defer s.Close()
	if err := m.check(s); err != nil {
		t.Error(err)
	}
}

// TestFlippedByte changes single bytes of a table file: the damage is met when the folder is opened or checked, and
// nothing answers with a wrong value in between.
func TestFlippedByte(t *testing.T) {
	o, m := folderWith(t, 6)
	tables, _ := filepath.Glob(filepath.Join(o.Dir, "*.sst"))
	if len(tables) != 2 { // what says whose folder it is, and the rows
		t.Fatalf("table files %q", tables)
	}
	content, err := os.ReadFile(tables[1])
	if err != nil {
		t.Fatal(err)
	}
	// The first half is blocks of rows; the end is the index, which Badger checks on its own.
	for at := 0; at < len(content)/2; at += len(content)/20 + 1 {
		bad := o
		bad.Dir = tempDir(t)
		copyFolder(t, o.Dir, bad.Dir)
		flipped := bytes.Clone(content)
		flipped[at] ^= 0x40
		if err := os.WriteFile(filepath.Join(bad.Dir, filepath.Base(tables[1])), flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(bad)
		if err != nil {
			continue
		}
		if err := s.CheckFiles(); err == nil {
			if err := m.check(s); err != nil {
				t.Errorf("byte %d of %d: CheckFiles passes, and %v", at, len(content), err)
			}
		}
		s.Close()
	}
}

func TestReadOnly(t *testing.T) {
	o, m := folderWith(t, 4)
	o.ReadOnly = true
	s := mustOpen(t, o)
	defer s.Close()
	second := mustOpen(t, o) // readers do not exclude each other
	defer second.Close()
	if err := m.check(s); err != nil {
		t.Error(err)
	}
	if err := s.CheckFiles(); err != nil {
		t.Error(err)
	}
	_, err := s.Stage(5, NewWriteSet())
	wantLine(t, err, "open for reading only")
	wantLine(t, s.Commit(5, tree.Hash{}, nil), "open for reading only")
	wantLine(t, s.Rollback(1), "open for reading only")

	o.RowsOnly = true
	rows := mustOpen(t, o)
	defer rows.Close()
	v, err := rows.View(4)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	n := 0
	if err := v.Iterate(nil, nil, func(_, _ []byte) bool { n++; return true }); err != nil || n == 0 {
		t.Errorf("%d rows: %v", n, err)
	}
	if _, ok := rows.Version(4); ok {
		t.Error("a store without a tree shows one")
	}
	o.ReadOnly = false
	_, err = Open(o)
	wantLine(t, err, "for reading alone")
}

// TestLargeBlock forces several transactions with the sizes of production, on disk and in memory.
func TestLargeBlock(t *testing.T) {
	var b block
	for i := range 100_000 { // of 300 bytes: 30 MB
		b = append(b, op{key: fmt.Sprintf("row/%06d", i), value: strings.Repeat(string(rune('a'+i%26)), 300)})
		b = append(b, op{leaf: true, key: fmt.Sprintf("leaf/%05d", i%10_000), value: fmt.Sprint(i)})
	}
	for _, n := range []int{maxValueLen, maxValueLen - 1, maxValueLen} { // entries larger than a transaction in memory
		b = append(b, op{key: fmt.Sprintf("big/%d", len(b)), value: strings.Repeat("x", n)})
	}
	b = append(b, op{key: "absent", delete: true}, op{leaf: true, key: "absent", delete: true})
	roots := make(map[tree.Hash]bool)
	for _, o := range []Options{{Dir: tempDir(t), Bind: testBind}, {InMemory: true, Bind: testBind}} {
		steps := 0
		o.testingOnlyFail = func(step string) error {
			if strings.HasPrefix(step, "before rows") {
				steps++
			}
			return nil
		}
		s := mustOpen(t, o)
		m := newModel()
		if err := m.commit(s, b); err != nil {
			t.Fatal(err)
		}
		if steps < 4 {
			t.Errorf("%d transactions before the last", steps)
		}
		if err := s.Commit(2, tree.Hash{}, nil); err == nil {
			t.Error("commit without stage")
		}
		if o.Dir != "" {
			s.Close()
			o.testingOnlyFail = nil
			s = mustOpen(t, o)
		}
		roots[s.Latest().Root] = true
		v, err := s.View(1)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = v.Iterate(nil, nil, func(key, value []byte) bool {
			if m[1].rows[string(key)] != string(value) {
				t.Errorf("row %q is wrong", key)
			}
			n++
			return true
		})
		if err != nil || n != len(m[1].rows) {
			t.Errorf("%d rows of %d: %v", n, len(m[1].rows), err)
		}
		v.Close()
		s.Close()
	}
	if len(roots) != 1 {
		t.Errorf("roots differ: %v", roots)
	}
}

func TestLimits(t *testing.T) {
	s := mustOpen(t, Options{InMemory: true, Bind: func(Getter) (Binding, error) {
		b, err := testBind(nil)
		b.Key = func(key []byte) []byte { return append([]byte("as long"), key...) }
		return b, err
	}})
	defer s.Close()
	stage := func(fill func(*WriteSet)) error {
		w := NewWriteSet()
		fill(w)
		_, err := s.Stage(1, w)
		return err
	}
	long := make([]byte, maxKeyLen+1)
	wantLine(t, stage(func(w *WriteSet) { w.Set(nil, nil) }), "row key of 0 bytes")
	wantLine(t, stage(func(w *WriteSet) { w.Set(long, nil) }), "row key of 1025 bytes, limit is 1 to 1024")
	wantLine(t, stage(func(w *WriteSet) { w.Delete(long) }), "row key of 1025 bytes")
	wantLine(t, stage(func(w *WriteSet) { w.Set(append([]byte(boundTable), long[2:]...), nil) }), "leaf key of 1031 bytes")
	wantLine(t, stage(func(w *WriteSet) { w.Delete(append([]byte(boundTable), long[2:]...)) }), "leaf key of 1031 bytes")
	wantLine(t, stage(func(w *WriteSet) { w.Set(long[1:], make([]byte, maxValueLen+1)) }), "row value of 1048576 bytes, limit is 1048575")
	if err := stage(func(w *WriteSet) {
		w.Set(long[1:], make([]byte, maxValueLen))
	}); err != nil {
		t.Error(err)
	}
	wantLine(t, s.Commit(2, tree.Hash{}, nil), "commit height 2: it is not staged")
	wantLine(t, s.Commit(1, tree.Hash{}, make([]byte, maxMetaLen+1)), "meta of 65537 bytes, limit is 65536")
	if err := s.Commit(1, tree.Hash{}, make([]byte, maxMetaLen)); err != nil {
		t.Error(err)
	}
	_, err := s.Stage(1, NewWriteSet())
	wantLine(t, err, "stage height 1: the last block is 1")
	_, err = s.Stage(3, NewWriteSet())
	wantLine(t, err, "stage height 3: the last block is 1")
}

// TestWriteSet: the last write wins, order of calls and of maps does not matter, and the set keeps copies.
func TestWriteSet(t *testing.T) {
	key, value := []byte("key"), []byte("value")
	w := NewWriteSet()
	w.Delete(key)
	w.Set(key, value)
	w.Set(leafRow("key"), []byte("first"))
	w.Set(leafRow("key"), []byte("second"))
	w.Set([]byte("gone"), value)
	w.Delete([]byte("gone"))
	w.Set(leafRow("gone"), value)
	w.Delete(leafRow("gone"))
	key[0], value[0] = 'X', 'X'
	later := NewWriteSet()
	later.Set([]byte("new"), nil)
	w.Merge(later)
	if w.Len() != 5 {
		t.Errorf("Len is %d", w.Len())
	}
	entries, err := w.freeze()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := testBind(nil)
	changes, err := b.changes(entries)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%x=%q %v", e.key, e.value, e.delete))
	}
	want := []string{
		fmt.Sprintf("72%x=\"\" true", "Lgone"),
		fmt.Sprintf("72%x=\"second\" false", "Lkey"),
		fmt.Sprintf("72%x=\"\" true", "gone"),
		fmt.Sprintf("72%x=\"value\" false", "key"),
		fmt.Sprintf("72%x=\"\" false", "new"),
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("entries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	wantChanges := sortedChanges([]Change{
		{Path: tree.PathOf([]byte("key")), ValueHash: tree.ValueHash([]byte("second"))}, {Path: tree.PathOf([]byte("gone")), Delete: true},
	})
	if !slices.Equal(changes, wantChanges) {
		t.Errorf("changes are %v, want %v", changes, wantChanges)
	}
}

// TestPruning: what is below the floor is refused, and given up when Badger compacts; what is above it, or in sight of an
// open view, stays.
func TestPruning(t *testing.T) {
	for _, retain := range []uint64{0, 1, 3} {
		t.Run(fmt.Sprint(retain), func(t *testing.T) {
			o := testOptions(tempDir(t))
			o.Retain = retain
			var s *Store
			set := func() {
				t.Helper()
				h := s.Latest().Height + 1
				w := NewWriteSet()
				w.Set([]byte("key"), fmt.Append(nil, h))
				if h == 5 {
					w.Set([]byte("gone"), []byte("x"))
				}
				if h == 6 {
					w.Delete([]byte("gone"))
				}
				if _, err := s.Stage(h, w); err != nil {
					t.Fatal(err)
				}
				if err := s.Commit(h, tree.Hash{}, nil); err != nil {
					t.Fatal(err)
				}
			}
			for range 9 { // each Close makes a table of its own
				s = mustOpen(t, o)
				set()
				s.Close()
			}
			s = mustOpen(t, o)
			defer func() { s.Close() }()
			oldest := max(s.Floor(), 1)
			v, err := s.View(oldest)
			if err != nil {
				t.Fatal(err)
			}
			set()
			set()
			if err := s.db.Flatten(1); err != nil {
				t.Fatal(err)
			}
			if value, found, err := v.Get([]byte("key")); err != nil || !found || string(value) != fmt.Sprint(oldest) {
				t.Errorf("open view at %d reads %q %v", oldest, value, err)
			}
			beside, err := s.View(oldest) // what is open keeps its height for others too
			if err != nil {
				t.Fatal(err)
			}
			if value, found, err := beside.Get([]byte("key")); err != nil || !found || string(value) != fmt.Sprint(oldest) {
				t.Errorf("view beside the open one at %d reads %q %v", oldest, value, err)
			}
			beside.Close()
			if retain > 0 {
				if s.discardTs() != oldest || s.Floor() != 11-retain+1 {
					t.Errorf("discard timestamp is %d, floor %d, with a view open at %d", s.discardTs(), s.Floor(), oldest)
				}
				_, err := s.View(s.Floor() - 1)
				wantLine(t, err, fmt.Sprintf("height %d is pruned: this node keeps heights from %d on", s.Floor()-1, s.Floor()))
				wantLine(t, s.Rollback(s.Floor()-1), "is pruned")
			}
			if retain != 1 {
				wantLine(t, s.Rollback(s.Floor()), "views are open")
			}
			v.Close()
			v.Close()
			if _, _, err := v.Get([]byte("key")); err == nil {
				t.Error("closed view answers")
			}
			s.Close()
			o.Retain = 0     // what is gone stays gone
			o.emptyL0 = true // so few tables wait for a compaction otherwise
			s = mustOpen(t, o)
			s.Close()
			s = mustOpen(t, o)
			if err := s.db.Flatten(1); err != nil {
				t.Fatal(err)
			}
			want := 11
			if retain > 0 {
				want = int(retain)
			}
			if got := versions(s, "key"); got != want {
				t.Errorf("%d versions after pruning, want %d", got, want)
			}
			if got := versions(s, "gone"); retain > 0 && got != 0 {
				t.Errorf("%d versions of a deleted row after pruning", got)
			}
			for h := s.Floor(); h <= 11; h++ {
				v, err := s.View(h)
				if err != nil {
					t.Fatal(err)
				}
				if value, found, err := v.Get([]byte("key")); err != nil || found != (h > 0) || found && string(value) != fmt.Sprint(h) {
					t.Errorf("height %d reads %q %v", h, value, err)
				}
				v.Close()
			}
		})
	}
}

func versions(s *Store, key string) int {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewKeyIterator(rowKey([]byte(key)), badger.IteratorOptions{})
	defer it.Close()
	n := 0
	for it.Rewind(); it.Valid(); it.Next() {
		n++
	}
	return n
}

// TestConcurrentReaders reads and closes while blocks are committed; useful with -race.
func TestConcurrentReaders(t *testing.T) {
	s := mustOpen(t, Options{InMemory: true, Bind: testBind, Retain: 3})
	m := newModel()
	if err := commitNext(s, &m); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				v, err := s.View(s.Latest().Height)
				if errors.Is(err, ErrClosed) {
					return
				}
				if errors.As(err, new(ErrPruned)) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n := 0
				err = v.Iterate(nil, nil, func(key, value []byte) bool {
					again, found, err := v.Get(key)
					if err == nil && (!found || !bytes.Equal(again, value)) {
						t.Errorf("row %q is %q and %q", key, value, again)
					}
					n++
					return true
				})
				if err != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				if version, ok := s.Version(v.Height()); ok {
					version.Release()
				}
				v.Close()
			}
		})
	}
	for range 200 {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CheckLeaves(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	readers.Wait()
	if _, err := s.Stage(s.Latest().Height+1, NewWriteSet()); !errors.Is(err, ErrClosed) {
		t.Errorf("Stage after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestReadersWhileACommitIsHeldUp holds a commit up before and after each step of its write. Whoever reads meanwhile, rows, proofs or all of it, is answered from the
// height before: no lock makes a reader wait for the disk.
func TestReadersWhileACommitIsHeldUp(t *testing.T) {
	held, on := make(chan string), make(chan struct{})
	o := testOptions(t.TempDir())
	o.Retain = 2 // the floor moves with the block
	hold := false
	o.testingOnlyFail = func(step string) error {
		if hold {
			held <- step
			<-on
		}
		return nil
	}
	s := mustOpen(t, o)
	defer s.Close()
	m := newModel()
	for range 4 {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	before := slices.Clone(m)
	hold = true
	done := make(chan error, 1)
	go func() { done <- commitNext(s, &m) }()
	var steps []string
	for committing := true; committing; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			committing = false
		case step := <-held:
			steps = append(steps, step)
			answered := make(chan error, 1)
			go func() {
				if h := before.latest(); s.Latest().Height != h {
					answered <- fmt.Errorf("the newest height is %d, want %d", s.Latest().Height, h)
					return
				}
				version, ok := s.Version(before.latest())
				if !ok {
					answered <- errors.New("the height before cannot be proved")
					return
				}
				defer version.Release()
				_, _, _, err := version.Prove([]tree.Hash{{}, tree.PathOf([]byte("1"))})
				answered <- errors.Join(err, before.checkHeight(s, before.latest()), before.checkHeight(s, before.latest()-1), s.CheckLeaves(context.Background()))
			}()
			select {
			case err := <-answered:
				if err != nil {
					t.Errorf("%s: %v", step, err)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("%s: a reader waits for the commit", step)
			}
			on <- struct{}{}
		}
	}
	if len(steps) < 8 || !slices.Contains(steps, "before marker") || !slices.Contains(steps, "after floor") {
		t.Errorf("held up at %v", steps)
	}
	hold = false
	if err := m.checkHeight(s, m.latest()); err != nil {
		t.Error(err)
	}
}

func TestCheckLeavesStops(t *testing.T) {
	s := mustOpen(t, Options{InMemory: true, Bind: testBind})
	defer s.Close()
	var b block
	for i := range 2000 {
		b = append(b, op{leaf: true, key: fmt.Sprint(i)})
	}
	m := newModel()
	if err := m.commit(s, b); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.CheckLeaves(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("CheckLeaves: %v", err)
	}
}

// TestFolderBytes is the dictionary of the folder, byte for byte. A change here is a change of the format: ask for a second
// reader, raise formatVersion, and change FORMAT.md.
func TestFolderBytes(t *testing.T) {
	o := Options{InMemory: true, ChainID: "sample-1", Bind: testBind, Retain: 2}
	s := mustOpen(t, o)
	defer s.Close()
	for h, fill := range []func(w *WriteSet){
		func(w *WriteSet) {
			w.Set([]byte("row"), []byte("one"))
			w.Set(leafRow("leaf"), []byte("v"))
		},
		func(w *WriteSet) { w.Delete([]byte("row")) },
		func(w *WriteSet) { w.Delete(leafRow("leaf")) },
	} {
		w := NewWriteSet()
		fill(w)
		root, err := s.Stage(uint64(h+1), w)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(uint64(h+1), tree.AppHash(sampleEntries(root)), []byte("meta")); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	dump := func() {
		txn := s.db.NewTransactionAt(math.MaxUint64, false)
		defer txn.Discard()
		it := txn.NewIterator(badger.IteratorOptions{AllVersions: true})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			value, err := item.ValueCopy(nil)
			if err != nil {
				t.Fatal(err)
			}
			text := hex.EncodeToString(value)
			if item.IsDeletedOrExpired() {
				text = "deleted"
			}
			fmt.Fprintf(&got, "%x @%d = %s\n", item.Key(), item.Version(), text)
		}
	}
	dump()
	if err := s.Rollback(2); err != nil {
		t.Fatal(err)
	}
	got.WriteString("\nafter a rollback, without what the floor lets go:\n")
	dump()
	golden(t, "testdata/folder.txt", got.String())
}

func sampleEntries(root tree.Hash) []tree.Entry {
	return []tree.Entry{
		{Name: "catalog"}, {Name: "log"}, {Name: "pack"}, {Name: "state", Value: root[:]},
	}
}

// TestFormatVectors holds the vectors of FORMAT.md.
func TestFormatVectors(t *testing.T) {
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	leaf := func(key, value string) tree.Leaf {
		return tree.Leaf{Path: tree.PathOf([]byte(key)), ValueHash: tree.ValueHash([]byte(value))}
	}
	one := tree.RootOfLeaves([]tree.Leaf{leaf("key", "value")})
	leaves := []tree.Leaf{leaf("a", "1"), leaf("b", "2"), leaf("c", "3")}
	sortLeaves(leaves)
	three := tree.RootOfLeaves(leaves)
	for _, line := range []string{
		fmt.Sprintf("* Empty tree: root `%x`.", tree.RootOfLeaves(nil)),
		fmt.Sprintf("* One leaf, `key` → `value`: root `%x`.", one),
		fmt.Sprintf("* `a` → `1`, `b` → `2`, `c` → `3`: root `%x`.", three),
		fmt.Sprintf("* App hash of the empty tree, all other values empty: `%x`.", tree.AppHash(sampleEntries(tree.Hash{}))),
		fmt.Sprintf("* App hash with the root of three leaves, `catalog` = 0000000000000001 ‖ 32 × `11`, `log` = 0000000000000002 ‖ 32 × `22`: `%x`.",
			tree.AppHash([]tree.Entry{
				{Name: "catalog", Value: append(encodeUint64(1), bytes.Repeat([]byte{0x11}, 32)...)},
				{Name: "log", Value: append(encodeUint64(2), bytes.Repeat([]byte{0x22}, 32)...)},
				{Name: "pack"},
				{Name: "state", Value: three[:]},
			})),
	} {
		if !strings.Contains(string(doc), line+"\n") {
			t.Errorf("FORMAT.md lacks:\n%s", line)
		}
	}
}

// TestWindowBytes: with room for nothing but the newest two heights, which always are, no older one can be proven; with much room they can. The same holds
// after a restart.
func TestWindowBytes(t *testing.T) {
	t.Parallel()
	for _, room := range []int64{1, 1 << 20} {
		o := testOptions(tempDir(t))
		o.WindowBytes = room
		s, m := mustOpen(t, o), newModel()
		for round := range 2 {
			for range 6 {
				if err := commitNext(s, &m); err != nil {
					t.Fatal(err)
				}
			}
			latest := m.latest()
			for at := latest - 4; at <= latest; at++ {
				v, ok := s.Version(at)
				if ok {
					v.Release()
				}
				if want := room > 1 || latest-at < alwaysKept; ok != want {
					t.Errorf("round %d, room for %d bytes: height %d of %d can be proven: %v, want %v", round, room, at, latest, ok, want)
				}
			}
			s.Close()
			s = mustOpen(t, o)
		}
		s.Close()
	}
}
