package audit

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// TestRows compares the rows of a replay with a map: versions, deletions, reading by key and by range, with and without memory to spare, and with
// indexes that are there from the first row or made over what was written.
func TestRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRows("", int64(rapid.SampledFrom([]int{0, 1 << 18, 1 << 30}).Draw(t, "memory")))
		defer r.Close()
		model := map[string]string{}
		// Keys of three kinds: longer than a group, as long, shorter. Few of each, so that groups fill.
		subject := rapid.SampledFrom([]string{"914101000000000001", "914101000000000002", "914101000000000003"})
		key := rapid.Custom(func(t *rapid.T) string {
			prefix := rapid.SampledFrom([]string{"\x60", "\x61"}).Draw(t, "table")
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				return prefix + subject.Draw(t, "subject") + rapid.StringOfN(rapid.RuneFrom([]rune("abcdef")), 1, 2, -1).Draw(t, "record")
			case 1:
				return prefix + subject.Draw(t, "subject")
			default:
				return prefix + rapid.StringOfN(rapid.RuneFrom([]rune("19")), 0, 3, -1).Draw(t, "short")
			}
		})
		value := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.StringN(0, 2, 4).Draw(t, "unit"), rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 10_000, 100_000}).Draw(t, "times"))
		})
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			k := key.Draw(t, "key")
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0, 1, 2:
				v := value.Draw(t, "value")
				r.Apply([]byte(k), []byte(v), false)
				model[k] = v
			case 3:
				r.Apply([]byte(k), nil, true)
				delete(model, k)
			case 4:
				r.warm(k[0], []found{{[]byte(k), []byte(model[k])}, {[]byte(key.Draw(t, "beside")), nil}})
				got, ok := r.Get([]byte(k))
				if want, has := model[k]; ok != has || string(got) != want {
					t.Fatalf("key %x: %d bytes, %v; want %d bytes, %v", k, len(got), ok, len(want), has)
				}
			case 5:
				prefix := k[:rapid.IntRange(0, len(k)).Draw(t, "cut")]
				start := rapid.OneOf(rapid.Just(""), key).Draw(t, "start")
				limit := rapid.IntRange(1, 8).Draw(t, "limit")
				got, want := walk(r, prefix, start, limit), list(model, prefix, start, limit)
				if !slices.Equal(got, want) {
					t.Fatalf("prefix %x from %x: %q, want %q", prefix, start, got, want)
				}
			}
		}
		for _, table := range []byte{0x60, 0x61} {
			n := 0
			r.each(table, func(key []byte) bool { n++; return true })
			want := len(list(model, string(table), "", 1<<20))
			if n != want || r.len(table) != want {
				t.Fatalf("table %x: %d rows are visited, %d counted, %d stand", table, n, r.len(table), want)
			}
		}
	})
}

func walk(r *rows, prefix, start string, limit int) (out []string) {
	var from []byte
	if start != "" {
		from = []byte(start)
	}
	r.Iterate([]byte(prefix), from, func(key, value []byte) bool {
		out = append(out, fmt.Sprintf("%x=%d", key, len(value)))
		return len(out) < limit
	})
	return out
}

func list(model map[string]string, prefix, start string, limit int) (out []string) {
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if strings.HasPrefix(k, prefix) && k >= start && len(out) < limit {
			out = append(out, fmt.Sprintf("%x=%d", k, len(model[k])))
		}
	}
	return out
}

// TestRowsAreSpilled: what does not fit into memory is read back from the file, by many at a time.
func TestRowsAreSpilled(t *testing.T) {
	t.Parallel()
	const n, size = 3000, 4 << 10
	r := newRows(t.TempDir(), 1<<20)
	defer r.Close()
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, size+i) }
	key := func(i int) []byte { return fmt.Appendf(nil, "\x60%018d%04d", i%7, i) }
	for i := range n {
		r.Apply(key(i), value(i), false)
	}
	if r.held > 1<<20+pieceMax || r.end < n*size/2 {
		t.Fatalf("%d bytes in memory, %d in the file", r.held, r.end)
	}
	var readers sync.WaitGroup
	for w := range 4 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for i := w; i < n; i += 4 {
				if got, ok := r.Get(key(i)); !ok || !bytes.Equal(got, value(i)) {
					t.Errorf("row %d is not what was written", i)
					return
				}
			}
			seen := 0
			r.Iterate(fmt.Appendf(nil, "\x60%018d", w), nil, func(_, _ []byte) bool { seen++; return true })
			if want := (n - w + 6) / 7; seen != want {
				t.Errorf("group %d: %d rows, want %d", w, seen, want)
			}
		}()
	}
	readers.Wait()
}
