package watch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	lender = "91410100Y00100009T"
	other  = "91410100Y001000101"
)

func firms(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("91410100Y%09d", i))
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFoldersAreOnTheDisk: what the first write for an owner makes above its list is put on the disk with it, once in a run of the program.
func TestFoldersAreOnTheDisk(t *testing.T) {
	at := filepath.Join(t.TempDir(), "around", "watches")
	must(t, os.Mkdir(filepath.Dir(at), 0o700))
	wrote := func(s *Store, owner string) (steps []string) {
		s.OnStep(func(did string) { steps = append(steps, did) })
		_, err := s.Add(owner, "a", firms(0, 1))
		must(t, err)
		must(t, s.Drop(owner, "a"))
		return steps
	}
	s := New(at)
	for _, tt := range []struct {
		what  string
		store *Store
		owner string
		want  bool
	}{
		{"the first of an owner", s, lender, true},
		{"the second", s, lender, false},
		{"the first of another", s, other, true},
		{"the first after a restart", New(at), lender, true},
	} {
		got := wrote(tt.store, tt.owner)
		for dir, want := range map[string]bool{tt.owner: true, "watches": tt.want, "around": tt.want} {
			if slices.Contains(got, "sync of "+dir) != want {
				t.Errorf("%s: %s on the disk %t, want %t: steps %v", tt.what, dir, !want, want, got)
			}
		}
	}
}

// TestStoreIsItsModel: whatever is added, acknowledged, removed and dropped, also over restarts, the store holds what a map would.
func TestStoreIsItsModel(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		at := filepath.Join(dir, fmt.Sprint(run))
		s := New(at)
		type key struct{ owner, id string }
		model := map[key]map[string]*Digest{}
		for range rapid.IntRange(1, 20).Draw(t, "calls") {
			k := key{rapid.SampledFrom([]string{lender, other}).Draw(t, "owner"), rapid.SampledFrom([]string{"a", "ab", "b"}).Draw(t, "id")}
			some := rapid.SliceOfN(rapid.SampledFrom(firms(0, 6)), 0, 6).Draw(t, "firms")
			known := model[k] != nil
			switch rapid.SampledFrom([]string{"add", "remove", "ack", "drop", "restart"}).Draw(t, "call") {
			case "add":
				if !known {
					model[k] = map[string]*Digest{}
				}
				for _, f := range some {
					if _, in := model[k][f]; !in {
						model[k][f] = nil
					}
				}
				if w, err := s.Add(k.owner, k.id, some); err != nil || w.Subjects != len(model[k]) {
					t.Fatal(w, err)
				}
			case "remove":
				for _, f := range some {
					delete(model[k], f)
				}
				if w, err := s.Remove(k.owner, k.id, some); known && (err != nil || w.Subjects != len(model[k])) || !known && !errors.Is(err, ErrUnknown) {
					t.Fatal(w, err)
				}
			case "ack":
				var seen []Seen
				all := true
				for _, f := range some {
					seen = append(seen, Seen{f, sha256.Sum256([]byte(f))})
					_, in := model[k][f]
					all = all && in
				}
				switch err := s.Ack(k.owner, k.id, seen); {
				case !known:
					if !errors.Is(err, ErrUnknown) {
						t.Fatal(err)
					}
				case !all:
					if !errors.Is(err, ErrNotWatched) {
						t.Fatal(err)
					}
				case err != nil:
					t.Fatal(err)
				default:
					for _, a := range seen {
						model[k][a.Subject] = &a.Digest
					}
				}
			case "drop":
				if err := s.Drop(k.owner, k.id); known && err != nil || !known && !errors.Is(err, ErrUnknown) {
					t.Fatal(err)
				}
				delete(model, k)
			case "restart":
				s = New(at)
			}
		}
		for _, owner := range []string{lender, other} {
			list, err := s.List(owner)
			if err != nil {
				t.Fatal(err)
			}
			have := map[string]int{}
			for _, w := range list {
				have[w.ID] = w.Subjects
			}
			want := map[string]int{}
			for k, m := range model {
				if k.owner == owner {
					want[k.id] = len(m)
				}
			}
			if !maps.Equal(have, want) {
				t.Fatalf("%v, want %v", have, want)
			}
		}
		for k, m := range model {
			behind := rapid.SampledFrom(append(firms(0, 6), "")).Draw(t, "behind")
			var got []string
			err := s.Subjects(k.owner, k.id, behind, func(f string, seen *Digest) bool {
				if want := m[f]; (want == nil) != (seen == nil) || want != nil && *want != *seen {
					t.Fatalf("%s: %x, want %x", f, seen, want)
				}
				got = append(got, f)
				return true
			})
			want := slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(f string) bool { return f <= behind })
			if err != nil || !slices.Equal(got, want) {
				t.Fatal(got, want, err)
			}
		}
	})
}

func TestBounds(t *testing.T) {
	s := New(t.TempDir())
	for i := range WatchesMax {
		_, err := s.Add(lender, fmt.Sprint(i), nil)
		must(t, err)
	}
	if _, err := s.Add(lender, "more", nil); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	_, err := s.Add(lender, "0", firms(0, SubjectsMax))
	must(t, err)
	if _, err := s.Add(lender, "1", firms(0, 1)); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if w, err := s.Add(lender, "0", firms(0, 10)); err != nil || w.Subjects != SubjectsMax {
		t.Error("what is there already counts twice", w, err)
	}
	_, err = s.Add(other, "1", firms(0, 1))
	must(t, err)
}

// TestDropped: what is deleted is gone from the disk, and names of lists lead nowhere else.
func TestDropped(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	_, err := s.Add(lender, "portfolio", firms(0, 3))
	must(t, err)
	must(t, s.Ack(lender, "portfolio", []Seen{{firms(1, 2)[0], Digest{9}}}))
	files := func() (n int) {
		must(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		}))
		return n
	}
	if files() != 1 {
		t.Fatal("nothing is on the disk: this test sees nothing")
	}
	must(t, s.Drop(lender, "portfolio"))
	if files() != 0 {
		t.Error("a watch that was deleted is still on the disk")
	}
	for _, id := range []string{"", ".", "..", "../x", "a/b", "a\x00", "名", strings.Repeat("x", IDMax+1)} {
		_, add := s.Add(lender, id, nil)
		_, remove := s.Remove(lender, id, nil)
		for _, err := range []error{add, remove, s.Drop(lender, id), s.Ack(lender, id, nil), s.Subjects(lender, id, "", nil)} {
			if !errors.Is(err, ErrID) {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	// A list that an older program took under such a name takes no room, and hides none.
	must(t, os.WriteFile(s.file(lender, ".."), []byte(firms(0, 1)[0]+" -\n"), 0o600))
	if list, err := s.List(lender); err != nil || len(list) != 0 {
		t.Errorf("%v: %v", list, err)
	}
}

// TestDamaged: a file that somebody has spoilt is named, and nothing is made up for it.
func TestDamaged(t *testing.T) {
	s := New(t.TempDir())
	_, err := s.Add(lender, "a", firms(0, 2))
	must(t, err)
	good, err := os.ReadFile(s.file(lender, "a"))
	must(t, err)
	for _, bad := range []string{string(good[:len(good)-2]), string(good) + string(good), "x\n", strings.ReplaceAll(string(good), "-", "00")} {
		must(t, os.WriteFile(s.file(lender, "a"), []byte(bad), 0o600))
		if err := s.Ack(lender, "a", nil); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
