package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// The model: a map of maps over heights. content is the state after one block.
type content struct {
	rows   map[string]string
	leaves map[string]tree.Hash
}

func (c content) clone() content { return content{maps.Clone(c.rows), maps.Clone(c.leaves)} }

func (c content) root() tree.Hash {
	var leaves []tree.Leaf
	for key, valueHash := range c.leaves {
		leaves = append(leaves, tree.Leaf{Path: tree.PathOf([]byte(key)), ValueHash: valueHash})
	}
	sortLeaves(leaves)
	return tree.RootOfLeaves(leaves)
}

// op is one call on a WriteSet: of a row, or of a row with a leaf (see testBind).
type op struct {
	leaf   bool
	key    string
	value  string
	delete bool
}

type block []op

func (b block) writeSet() *WriteSet {
	w := NewWriteSet()
	for _, o := range b {
		switch {
		case o.leaf && o.delete:
			w.Delete(leafRow(o.key))
		case o.leaf:
			w.Set(leafRow(o.key), []byte(o.value))
		case o.delete:
			w.Delete([]byte(o.key))
		default:
			w.Set([]byte(o.key), []byte(o.value))
		}
	}
	return w
}

func (b block) apply(c content) content {
	c = c.clone()
	for _, o := range b {
		switch {
		case o.leaf && o.delete:
			delete(c.leaves, o.key)
			delete(c.rows, string(leafRow(o.key)))
		case o.leaf:
			c.leaves[o.key] = tree.ValueHash([]byte(o.value))
			c.rows[string(leafRow(o.key))] = o.value
		case o.delete:
			delete(c.rows, o.key)
		default:
			c.rows[o.key] = o.value
		}
	}
	return c
}

// model holds the content of every height from 0 on.
type model []content

func newModel() model { return model{{map[string]string{}, map[string]tree.Hash{}}} }

func (m model) latest() uint64 { return uint64(len(m) - 1) }

func (m *model) apply(b block) { *m = append(*m, b.apply((*m)[len(*m)-1])) }

func appHashOf(height uint64, root tree.Hash) tree.Hash {
	return tree.ValueHash(append(encodeUint64(height), root[:]...))
}

func metaOf(height uint64) []byte { return fmt.Appendf(nil, "meta of %d", height) }

// stage and commit b as the next block of s and compare the root with the model's.
func (m *model) commit(s *Store, b block) error {
	h := m.latest() + 1
	root, err := s.Stage(h, b.writeSet())
	if err != nil {
		return err
	}
	if want := b.apply((*m)[h-1]).root(); root != want {
		return fmt.Errorf("root of height %d is %x, want %x", h, root, want)
	}
	if err := s.Commit(h, appHashOf(h, root), metaOf(h)); err != nil {
		return err
	}
	m.apply(b)
	return nil
}

// check compares everything that s answers with the model.
func (m model) check(s *Store) error {
	h := m.latest()
	mark := s.Latest()
	if mark.Height != h {
		return fmt.Errorf("marker is at %d, want %d", mark.Height, h)
	}
	if h > 0 && (mark.Root != m[h].root() || mark.AppHash != appHashOf(h, mark.Root) || !bytes.Equal(mark.Meta, metaOf(h))) {
		return fmt.Errorf("marker of %d is %x", h, encodeMarker(mark))
	}
	for at := uint64(0); at <= h; at++ {
		if err := m.checkHeight(s, at); err != nil {
			return fmt.Errorf("height %d of %d: %w", at, h, err)
		}
	}
	if _, err := s.View(h + 1); err == nil || !strings.Contains(err.Error(), "not committed") {
		return fmt.Errorf("View above the last block: %v", err)
	}
	return s.CheckLeaves(context.Background())
}

func (m model) checkHeight(s *Store, at uint64) error {
	v, err := s.View(at)
	if floor := s.Floor(); at > 0 && at < floor {
		var pruned ErrPruned
		if !errors.As(err, &pruned) || pruned != (ErrPruned{at, floor}) {
			return fmt.Errorf("below the floor: %v", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer v.Close()
	want := m[at].rows
	keys := slices.Sorted(maps.Keys(want))
	for i := range 12 { // the whole universe of row keys, present or not
		key := universe(i)
		value, found, err := v.Get([]byte(key))
		if w, ok := want[key]; err != nil || found != ok || string(value) != w {
			return fmt.Errorf("row %q is %q %v %v, want %q %v", key, value, found, err, w, ok)
		}
	}
	for _, bound := range [][2]string{{"", ""}, {"a", ""}, {"a/", "a/3"}, {"b", "a"}, {"", "b/1"}, {"a", "b"}} {
		var wantKeys, got []string
		for _, key := range keys {
			if strings.HasPrefix(key, bound[0]) && key >= bound[1] {
				wantKeys = append(wantKeys, key)
			}
		}
		err := v.Iterate([]byte(bound[0]), []byte(bound[1]), func(key, value []byte) bool {
			if want[string(key)] != string(value) {
				got = append(got, "wrong value of")
			}
			got = append(got, string(key))
			return true
		})
		if err != nil || !slices.Equal(got, wantKeys) {
			return fmt.Errorf("iterate %q: %q %v, want %q", bound, got, err, wantKeys)
		}
	}
	if version, ok := s.Version(at); ok {
		defer version.Release()
		if version.Root() != m[at].root() || version.Height() != at {
			return fmt.Errorf("version has height %d, root %x", version.Height(), version.Root())
		}
	} else if at == m.latest() {
		return errors.New("the last block has no version")
	}
	return nil
}

func universe(i int) string { return fmt.Sprintf("%c/%d", 'a'+i%2, i/2) }

func drawBlock(t *rapid.T) block {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) op {
		return op{
			leaf:   rapid.Bool().Draw(t, "leaf"),
			key:    universe(rapid.IntRange(0, 11).Draw(t, "key")),
			value:  rapid.StringN(0, 3, 12).Draw(t, "value"),
			delete: rapid.IntRange(0, 3).Draw(t, "delete") == 0,
		}
	}), 0, 10).Draw(t, "block")
}

// testOptions are small enough for many opens in one test.
func testOptions(dir string) Options {
	return Options{Dir: dir, ChainID: "sample-1", Bind: testBind, memTable: 8 << 20, txnEntries: 3, inOrder: 2, imageLeast: 1000}
}

// TestModel drives a folder with random blocks, second runs of a block, blocks and rollbacks that are cut off at some step and followed by the same or another block,
// reopens (after Close, and from the image that a killed process leaves, with the order of level 0 lost), rollbacks and pruning, and compares every
// retained height with the model after each action.
func TestModel(t *testing.T) {
	fewerChecks(t)
	rapid.Check(t, func(t *rapid.T) {
		o := testOptions(tempDir(t))
		watch, stop := new(oneValue), ""
		o.testingOnlyWrote = watch.wrote
		o.testingOnlyFail = func(step string) error {
			if err := watch.step(step); err != nil {
				return err
			}
			return stopAt(stop)(step)
		}
		draw := func() {
			o.Retain = rapid.SampledFrom([]uint64{0, 0, 1, 2, 3, 40}).Draw(t, "retain")
			o.Window = rapid.IntRange(1, 4).Draw(t, "window")
			o.imageLeast = rapid.SampledFrom([]int64{1, 1000, 1 << 20}).Draw(t, "image")
			o.txnEntries = rapid.SampledFrom([]int{1, 2, 3, 1000}).Draw(t, "transaction size")
			o.inOrder = rapid.SampledFrom([]int{1, 2, 1000}).Draw(t, "in order from")
		}
		draw()
		s := mustOpen(t, o)
		defer func() { s.Close() }()
		m := newModel()
		commit := func(t *rapid.T) {
			if rapid.Bool().Draw(t, "run twice") {
				if _, err := s.Stage(m.latest()+1, drawBlock(t).writeSet()); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.commit(s, drawBlock(t)); err != nil {
				t.Fatal(err)
			}
			if floor := s.Floor(); o.Retain > 0 && m.latest() >= o.Retain && floor <= m.latest()-o.Retain {
				t.Fatalf("floor is %d at height %d with %d to retain", floor, m.latest(), o.Retain)
			}
		}
		reopen := func(t *rapid.T) {
			if rapid.Bool().Draw(t, "killed") {
				dir := tempDir(t)
				copyFolder(t, o.Dir, dir)
				o.Dir = dir
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "order lost") {
				loseOrder(t, o.Dir)
			}
			draw()
			s = mustOpen(t, o)
		}
		cut := func(t *rapid.T) {
			stop = rapid.SampledFrom([]string{"before ", "after "}).Draw(t, "stop") +
				rapid.SampledFrom([]string{"tree", "back", "unmark 1", "unmark 2", "undo 1", "undo 2", "settle", "back done", "rows 1", "rows 2", "marker", "floor"}).Draw(t, "at")
			next := drawBlock(t)
			to := m.latest()
			var err error
			if lowest := max(s.Floor(), 1); rapid.IntRange(0, 3).Draw(t, "what") == 0 && to > lowest {
				to = uint64(rapid.IntRange(int(lowest), int(to)-1).Draw(t, "to"))
				if err = s.Rollback(to); err == nil {
					m = m[:to+1]
				}
			} else {
				err = m.commit(s, next)
			}
			at := stop
			stop = ""
			if err == nil {
				return // this step was not among those
			}
			if !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			reopen(t)
			switch found := s.Latest().Height; {
			case to < m.latest() && at == "before back" && found == m.latest(): // nothing was begun
			case to < m.latest() && found == to:
				m = m[:to+1]
			case to < m.latest() || found != to && found != to+1:
				t.Fatalf("cut off %s: at height %d", at, found)
			case found > to:
				m.apply(next)
			case rapid.Bool().Draw(t, "again"):
				if err := m.commit(s, next); err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit":  commit,
			"commit2": commit,
			"commit3": commit,
			"cut":     cut,
			"cut2":    cut,
			"reopen":  reopen,
			"rollback": func(t *rapid.T) {
				to := uint64(rapid.IntRange(0, len(m)-1).Draw(t, "to"))
				err := s.Rollback(to)
				if to < s.Floor() {
					if !errors.As(err, new(ErrPruned)) {
						t.Fatalf("rollback to %d below the floor: %v", to, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				m = m[:to+1]
			},
			"": func(t *rapid.T) {
				if err := errors.Join(m.check(s), watch.twice); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

// TestModelInMemory is the same without a folder.
func TestModelInMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, Options{InMemory: true, Bind: testBind, Retain: rapid.SampledFrom([]uint64{0, 2}).Draw(t, "retain")})
		defer s.Close()
		m := newModel()
		for range rapid.IntRange(1, 8).Draw(t, "blocks") {
			if err := m.commit(s, drawBlock(t)); err != nil {
				t.Fatal(err)
			}
			if err := m.check(s); err != nil {
				t.Fatal(err)
			}
		}
		if to := m.latest() - 1; to >= s.Floor() {
			if err := s.Rollback(to); err != nil {
				t.Fatal(err)
			}
			m = m[:to+1]
			if err := m.check(s); err != nil {
				t.Fatal(err)
			}
		}
	})
}
