package app

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x"
)

// flat is a state that is only read.
type flat map[string]string

func (m flat) Get(key []byte) ([]byte, bool) {
	v, ok := m[string(key)]
	return []byte(v), ok
}

func (m flat) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(k, string(prefix)) && k >= string(start) && !fn([]byte(k), []byte(m[k])) {
			return
		}
	}
}

type pair struct{ key, value string }

func list(r interface {
	Iterate(prefix, start []byte, fn func(key, value []byte) bool)
}, prefix, start string, limit int,
) (out []pair) {
	var from []byte
	if start != "" {
		from = []byte(start)
	}
	r.Iterate([]byte(prefix), from, func(key, value []byte) bool {
		out = append(out, pair{string(key), string(value)})
		return len(out) < limit
	})
	return out
}

// TestOverlay compares the overlay with a map: writes and deletes over a base, marks and returns to them in any nesting, and reading by key and
// by range after each step.
func TestOverlay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 1, 3, -1)
		base := flat(rapid.MapOfN(key, rapid.StringN(0, 3, -1), 0, 12).Draw(t, "base"))
		o, model := newOverlay(base), maps.Clone(base)
		if rapid.Bool().Draw(t, "used memory") { // of a block that was done with
			for range rapid.IntRange(0, 2*roomChunk).Draw(t, "rows before") {
				o.Set(fmt.Appendf(nil, "c%d", o.len()), []byte("before"))
			}
			if rapid.Bool().Draw(t, "in order") {
				o.arrange()
				o.Delete([]byte("a"))
			}
			used := o.changes.again()
			o = newOverlay(base)
			o.changes = used
		}
		type point struct {
			mark  int
			model flat
		}
		var points []point
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "op") {
			case 0, 1:
				k, v := key.Draw(t, "key"), rapid.StringN(0, 3, -1).Draw(t, "value")
				if rapid.Bool().Draw(t, "in place") {
					room := x.Room(o, len(v))
					copy(room, v)
					x.Place(o, []byte(k), room)
					model[k] = v
					break
				}
				raw := []byte(v)
				o.Set([]byte(k), raw)
				for i := range raw {
					raw[i] = '!' // the caller may use its slice again
				}
				model[k] = v
			case 2:
				k := key.Draw(t, "key")
				o.Delete([]byte(k))
				delete(model, k)
			case 3:
				points = append(points, point{o.mark(), maps.Clone(model)})
			case 4:
				if n := len(points); n > 0 {
					i := rapid.IntRange(0, n-1).Draw(t, "point")
					o.revert(points[i].mark)
					model, points = maps.Clone(points[i].model), points[:i]
				}
			case 5:
				o.settle()
				points = nil
			case 6:
				if v, ok := o.Get([]byte("a")); ok {
					for i := range v {
						v[i] = '!' // the caller owns what it was given
					}
				}
			}
			k := key.Draw(t, "key")
			got, ok := o.Get([]byte(k))
			if want, has := model[k]; ok != has || string(got) != want {
				t.Fatalf("key %q: %q %v, want %q %v", k, got, ok, want, has)
			}
			prefix := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 2, -1).Draw(t, "prefix")
			start := rapid.OneOf(rapid.Just(""), key).Draw(t, "start")
			limit := rapid.IntRange(1, 20).Draw(t, "limit")
			if got, want := list(o, prefix, start, limit), list(flat(model), prefix, start, limit); !slices.Equal(got, want) {
				t.Fatalf("prefix %q from %q, at most %d: %v, want %v", prefix, start, limit, got, want)
			}
		}
		// The changes, laid over the base, are the model.
		merged := maps.Clone(base)
		o.each(func(c change) {
			if c.deleted {
				delete(merged, string(c.key))
			} else {
				merged[string(c.key)] = string(c.value)
			}
		})
		if !maps.Equal(merged, model) {
			t.Fatalf("changes make %v, want %v", merged, model)
		}
	})
}

// An iteration sees the state as it was when it began.
func TestOverlayIterateWhileWriting(t *testing.T) {
	t.Parallel()
	o := newOverlay(flat{"a": "1", "c": "3"})
	o.Set([]byte("b"), []byte("2"))
	var seen []string
	o.Iterate(nil, nil, func(key, _ []byte) bool {
		seen = append(seen, string(key))
		return true
	})
	if !slices.Equal(seen, []string{"a", "b", "c"}) {
		t.Errorf("%v", seen)
	}
}

// TestSortByKey holds the order of many keys that begin alike, that end where others go on with zeros, or that differ late, against their order as strings.
func TestSortByKey(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 300 {
		begins := []string{"\x60", "\x60914101", "\x60914101\x00\x00", "\x60914101" + strings.Repeat("\x00", 40), "\x60914101" + strings.Repeat("7", 40)}
		keys := map[string]bool{}
		for range 1 + rng.IntN(300) {
			key := []byte(begins[rng.IntN(1+round%len(begins))])
			for range rng.IntN(40) {
				key = append(key, []byte{0, 0, 1, 255}[rng.IntN(4)])
			}
			keys[string(key)] = true
		}
		var list []*change
		for key := range keys {
			list = append(list, &change{key: []byte(key)})
		}
		want := slices.Sorted(maps.Keys(keys))
		sortByKey(list, 1)
		for i, c := range list {
			if string(c.key) != want[i] {
				t.Fatalf("round %d: key %d of %d is %x, want %x", round, i, len(list), c.key, want[i])
			}
		}
	}
}

// TestByPath holds changes whose paths begin alike against their order by whole paths.
func TestByPath(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	list := make([]state.Change, 500)
	for i := range list {
		list[i].Path[rng.IntN(3)*8], list[i].Path[20+i%8] = byte(rng.IntN(3)), byte(i)
		list[i].ValueHash[0], list[i].Delete = byte(i), i%3 == 0
	}
	want := slices.Clone(list)
	slices.SortStableFunc(want, func(a, b state.Change) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	got := byPath(slices.Clone(list))
	for i := range want {
		if got[i].Path != want[i].Path {
			t.Fatalf("change %d has path %x, want %x", i, got[i].Path, want[i].Path)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d of %d changes are left", len(got), len(want))
	}
}

// TestFromTables holds that what follows from rows of members and catalogue is found out again when one of them has changed, or a change was undone, and not before.
func TestFromTables(t *testing.T) {
	o := newOverlay(flat{})
	type of struct{ n int }
	fee := func(n int) int {
		return x.FromTables(o, of{n}, func() int {
			raw, _ := o.Get([]byte("\x20fee"))
			return n * len(raw)
		})
	}
	want := func(step string, one, two int) {
		t.Helper()
		if a, b := fee(1), fee(2); a != one || b != two {
			t.Errorf("%s: %d and %d, want %d and %d", step, a, b, one, two)
		}
	}
	o.Set([]byte("\x20fee"), []byte("abc"))
	want("written", 3, 6)
	o.Set([]byte("\x60record"), []byte("abc"))
	if _, ok := o.Derived(of{1}); !ok {
		t.Error("a row of another table makes it forget")
	}
	mark := o.mark()
	o.Set([]byte("\x20fee"), []byte("abcde"))
	want("changed", 5, 10)
	o.Delete([]byte("\x20fee"))
	want("deleted", 0, 0)
	o.revert(mark)
	want("undone", 3, 6)
}
