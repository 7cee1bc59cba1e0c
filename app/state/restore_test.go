package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// fill restores sample rows and leaves of a height, under the keys that sample blocks write, and more; it marks every five, and goes on from the mark
// that it is given.
func fill(s *Store, height uint64, n int) (err error) {
	r, mark, err := s.Restore(height, fmt.Appendf(nil, "%d keys", n))
	if err != nil {
		return err
	}
	from := 0
	if mark != nil {
		from = int(mark[0])
	}
	var leaves []tree.Leaf
	for i := range n {
		if i >= from && i > 0 && i%5 == 0 {
			if err := r.Mark([]byte{byte(i)}); err != nil {
				return err
			}
		}
		key, hash := []byte(universe(i)), tree.ValueHash(fmt.Appendf(nil, "value %d of %d", i, n))
		if i >= from {
			if err := errors.Join(r.Row(key, hash[:]), r.Row(leafRow(string(key)), hash[:])); err != nil {
				return err
			}
		}
		leaves = append(leaves, tree.Leaf{Path: tree.PathOf(key), ValueHash: tree.ValueHash(hash[:])})
	}
	return r.Finish(tree.Hash{1}, tree.RootOfLeaves(leaves), []byte("meta"))
}

// filled holds that the store is what fill made.
func filled(t *testing.T, s *Store, height uint64, n int) {
	t.Helper()
	if m := s.Latest(); m.Height != height || string(m.Meta) != "meta" || s.Floor() != height {
		t.Fatalf("height %d, floor %d, meta %q", m.Height, s.Floor(), m.Meta)
	}
	if err := s.CheckLeaves(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := 0
	v, err := s.View(height)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.Iterate(nil, nil, func(_, _ []byte) bool { rows++; return true }); err != nil {
		t.Fatal(err)
	}
	if rows != 2*n {
		t.Fatalf("%d rows, want %d", rows, 2*n)
	}
	var last tree.Hash
	bound, err := v.Bound(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	if err := bound.Each(func(key, row []byte, leaf tree.Leaf) error {
		if leaves++; leaves > 1 && string(last[:]) >= string(leaf.Path[:]) || leaf.Path != tree.PathOf(key[1:]) || leaf.ValueHash != tree.ValueHash(row) {
			t.Errorf("leaf %d is out of order", leaves)
		}
		last = leaf.Path
		return nil
	}); err != nil || leaves != n || bound.Len() != n {
		t.Fatalf("%d leaves, want %d: %v", leaves, n, err)
	}
	var pruned ErrPruned
	if _, err := s.View(height - 1); !errors.As(err, &pruned) {
		t.Fatalf("height %d: %v", height-1, err)
	}
}

func nothing(t *testing.T, s *Store) {
	t.Helper()
	if s.Latest().Height != 0 || s.Floor() != 0 {
		t.Fatalf("height %d, floor %d; nothing was finished", s.Latest().Height, s.Floor())
	}
	if _, err := s.View(1); err == nil {
		t.Fatal("height 1 is answered")
	}
}

var restoreSteps = []string{
	"restore begin", "restore rows 1", "restore rows 2", "restore mark 1", "restore rows 3", "restore rows 4", "restore mark 2", "restore rows 5", "restore rows 6",
	"restore mark 3", "restore rows 7", "restore rows 8", "restore floor", "restore marker",
}

// TestRestoreSteps stops the process before and after every write of a restore. What can be read is either nothing or all; on nothing the same restore,
// which goes on from its last mark, or another one, or the first blocks of the chain can follow, of fewer or of more keys.
func TestRestoreSteps(t *testing.T) {
	t.Parallel()
	for i := range restoreSteps {
		for j, at := range []string{"before ", "after "} {
			for _, next := range []string{"blocks", "restore", []string{"higher", "lower"}[(i+j)%2]} {
				stop := at + restoreSteps[i]
				t.Run(stop+", then "+next, func(t *testing.T) {
					watch := new(oneValue)
					o := testOptions(tempDir(t))
					o.txnEntries = 8
					o.testingOnlyWrote, o.testingOnlyFail = watch.wrote, watch.step
					hooked := o
					marks := byte(0)
					hooked.testingOnlyFail = func(step string) error {
						if strings.HasPrefix(step, "after restore mark ") {
							marks++
						}
						return stopAt(stop)(step)
					}
					s := mustOpen(t, hooked)
					if err := fill(s, 7, 20); !errors.Is(err, errStop) {
						t.Fatalf("%v", err)
					}
					if _, err := s.Stage(1, NewWriteSet()); err == nil {
						t.Fatal("a broken store takes blocks")
					}
					s.Close()
					s = mustOpen(t, o)
					if stop == "after restore marker" {
						filled(t, s, 7, 20)
						s.Close()
						return
					}
					nothing(t, s)
					s.Close()
					loseOrder(t, o.Dir)
					s = mustOpen(t, o)
					nothing(t, s)
					height, n := uint64(7), 20
					switch next {
					case "higher":
						height, n = 9, 5
					case "lower":
						height, n = 4, 3
					case "blocks":
						height = 0
					}
					m := newModel()
					if height > 0 {
						if next == "restore" && marks > 0 {
							if p := s.partial; p == nil || p.height != 7 || string(p.mark) != string([]byte{5 * marks}) {
								t.Fatalf("%d marks were set, found is %+v", marks, p)
							}
						}
						if err := fill(s, height, n); err != nil {
							t.Fatal(err)
						}
						filled(t, s, height, n)
						if s.partial != nil {
							t.Fatal("a mark is left")
						}
						// Heights that an earlier restore has touched are cleaned as they are written.
						for h := height + 1; h < 12; h++ {
							if _, err := s.Stage(h, NewWriteSet()); err != nil {
								t.Fatal(err)
							}
							if err := s.Commit(h, tree.Hash{2}, nil); err != nil {
								t.Fatal(err)
							}
						}
						s.Close()
						loseOrder(t, o.Dir)
						s = mustOpen(t, o)
						v, err := s.View(11)
						if err != nil {
							t.Fatal(err)
						}
						rows := 0
						if err := v.Iterate(nil, nil, func(_, _ []byte) bool { rows++; return true }); err != nil || rows != 2*n {
							t.Fatalf("%d rows at height 11, want %d: %v", rows, 2*n, err)
						}
						v.Close()
					} else {
						for range 10 {
							if err := commitNext(s, &m); err != nil {
								t.Fatal(err)
							}
						}
						s.Close()
						loseOrder(t, o.Dir)
						s = mustOpen(t, o)
						if err := m.check(s); err != nil {
							t.Fatal(err)
						}
					}
					s.Close()
					if watch.twice != nil {
						t.Fatal(watch.twice)
					}
				})
			}
		}
	}
}

// TestRestoreGivenUp stops the process before and after every write by which another restore, or a block, removes what one has left that was cut off. The next one
// finds all of it gone, whatever order Badger gives its tables meanwhile.
func TestRestoreGivenUp(t *testing.T) {
	t.Parallel()
	drop := []string{"restore drop", "back", "undo 1", "undo 2", "undo 3", "settle", "back done"}
	for _, what := range []string{"restore", "block"} {
		for _, stop := range append(both(drop), "") {
			t.Run(what+", "+stop, func(t *testing.T) {
				watch, at := new(oneValue), "before restore rows 5"
				var steps []string
				o := testOptions(tempDir(t))
				o.txnEntries = 8
				o.testingOnlyWrote = watch.wrote
				o.testingOnlyFail = func(step string) error {
					if name, ok := strings.CutPrefix(step, "after "); ok {
						steps = append(steps, name)
					}
					watch.step(step)
					return stopAt(at)(step)
				}
				s := mustOpen(t, o)
				if err := fill(s, 7, 20); !errors.Is(err, errStop) {
					t.Fatal(err)
				}
				s.Close()
				s = mustOpen(t, o)
				at, steps = stop, nil
				m := newModel()
				next := func() error {
					if what == "block" {
						return m.commit(s, sampleBlock(1, 12))
					}
					return fill(s, 7, 18) // other values
				}
				err := next()
				if stop == "" {
					steps = slices.DeleteFunc(steps, func(s string) bool { return !slices.Contains(drop, s) })
					if err != nil || !slices.Equal(steps, drop) {
						t.Fatalf("steps %q: %v", steps, err)
					}
				} else if !errors.Is(err, errStop) {
					t.Fatal(err)
				}
				at = ""
				for range 2 {
					s.Close()
					loseOrder(t, o.Dir)
					s = mustOpen(t, o)
				}
				if stop != "" {
					if err := next(); err != nil {
						t.Fatal(err)
					}
					s.Close()
					loseOrder(t, o.Dir)
					s = mustOpen(t, o)
				}
				if what == "restore" {
					filled(t, s, 7, 18)
				} else {
					for range 8 {
						if err := commitNext(s, &m); err != nil {
							t.Fatal(err)
						}
					}
					if err := m.check(s); err != nil {
						t.Fatal(err)
					}
				}
				s.Close()
				if watch.twice != nil {
					t.Fatal(watch.twice)
				}
			})
		}
	}
}

// both are the moments before and after each of these steps.
func both(steps []string) (out []string) {
	for _, step := range steps {
		out = append(out, "before "+step, "after "+step)
	}
	return out
}

// TestRestoreRefuses: a folder with blocks, two at a time, a root that is not that of the leaves, blocks meanwhile.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	o := testOptions(tempDir(t))
	s := mustOpen(t, o)
	defer s.Close()
	r, _, err := s.Restore(5, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Restore(5, nil); err == nil {
		t.Error("two at a time")
	}
	if err := r.Mark(make([]byte, maxMarkLen+1)); err == nil {
		t.Error("a mark above the limit")
	}
	if _, err := s.Stage(1, NewWriteSet()); err == nil {
		t.Error("a block during a restore")
	}
	if err := r.Row(nil, nil); err == nil {
		t.Error("a row without a key")
	}
	if err := r.Row([]byte("a"), make([]byte, maxValueLen+1)); err == nil {
		t.Error("a row above the limit")
	}
	if err := r.Row(leafRow("a"), nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(tree.Hash{}, tree.Hash{9}, nil); err == nil {
		t.Error("another root")
	}
	nothing(t, s)
	if err := r.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := r.Row([]byte("late"), nil); err == nil {
		err = r.flush()
		if err == nil {
			t.Error("a row after the end")
		}
	}
	if err := fill(s, 5, 4); err != nil {
		t.Fatal(err)
	}
	filled(t, s, 5, 4)
	if _, _, err := s.Restore(6, nil); err == nil {
		t.Error("a folder with blocks")
	}
	if _, _, err := s.Restore(0, nil); err == nil {
		t.Error("height 0")
	}
}

// TestSubtrees compares parts joined at every depth with the root from the definition.
func TestSubtrees(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 7, 50} {
		var leaves []tree.Leaf
		for i := range n {
			leaves = append(leaves, tree.Leaf{Path: tree.PathOf(fmt.Appendf(nil, "%d", i)), ValueHash: tree.Hash{byte(i)}})
		}
		sortLeaves(leaves)
		for depth := 0; depth <= MaxSubtreeDepth; depth += 1 + depth/6 {
			by := map[int][]tree.Leaf{}
			for _, l := range leaves {
				by[SubtreeAt(l.Path, depth)] = append(by[SubtreeAt(l.Path, depth)], l)
			}
			parts := make([]Subtree, 1<<depth)
			for i := range parts {
				parts[i] = SubtreeOf(by[i], depth)
			}
			if got := JoinSubtrees(parts).Hash; got != tree.RootOfLeaves(leaves) {
				t.Errorf("%d leaves cut at depth %d: root %x", n, depth, got)
			}
		}
	}
}
