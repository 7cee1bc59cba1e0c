package app_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/x"
)

// otherRow shows a state with one row changed, gone or more.
type otherRow struct {
	x.Reader
	key, value []byte // nil: no such row
}

func (o otherRow) Get(key []byte) ([]byte, bool) {
	if bytes.Equal(key, o.key) {
		return o.value, o.value != nil
	}
	return o.Reader.Get(key)
}

func (o otherRow) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	due := o.value != nil && bytes.HasPrefix(o.key, prefix) && bytes.Compare(o.key, start) >= 0
	more := true
	o.Reader.Iterate(prefix, start, func(key, value []byte) bool {
		if due && bytes.Compare(key, o.key) >= 0 {
			due = false
			more = fn(o.key, o.value)
		}
		if more && !bytes.Equal(key, o.key) {
			more = fn(key, value)
		}
		return more
	})
	if due && more {
		fn(o.key, o.value)
	}
}

// TestDerivedRows takes the first row of each derived table away, gives it another value, and puts another one beside it: each is found and named. The rows of
// moments and packs have tests of their own (TestDamagedMoments, TestDamagedPackRows), as have the clocks among the timers.
func TestDerivedRows(t *testing.T) {
	s, _ := story(t, apptest.Options{Apps: 1})
	must(t, s.Apps[0].CheckState(bg))
	s.Read(func(r x.Reader) {
		height := int64(len(s.Blocks))
		must(t, app.CheckDerived(r, height))
		tables := 0
		for _, table := range x.Tables() {
			if table.Binding != x.Derived || strings.HasPrefix(table.Layout, "pack ") || strings.HasPrefix(table.Layout, "moment ") {
				continue
			}
			var first, value []byte
			r.Iterate([]byte{table.Prefix}, nil, func(key, row []byte) bool {
				first, value = bytes.Clone(key), bytes.Clone(row)
				return false
			})
			if first == nil {
				t.Errorf("the story leaves no row in table %q", table.Layout)
				continue
			}
			tables++
			more := bytes.Clone(first)
			more[len(more)-1]++
			damages := map[string]otherRow{
				"and is missing":         {r, first, nil},
				"follows from no record": {r, more, value},
			}
			if !strings.HasPrefix(table.Layout, "timer ") {
				damages["follows from no record "] = otherRow{r, first, append(bytes.Clone(value), 0)}
			}
			for want, damaged := range damages {
				err := app.CheckDerived(damaged, height)
				if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) || !strings.Contains(err.Error(), table.Layout) {
					t.Errorf("table %q, wants %q: %v", table.Layout, want, err)
				}
			}
		}
		t.Logf("%d tables", tables)
	})
}

// TestCheckStops takes the word back in the middle of a check: it ends with that, at once.
func TestCheckStops(t *testing.T) {
	var reads atomic.Int64
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	dir := t.TempDir()
	s, _ := story(t, apptest.Options{Apps: 1, Dirs: []string{dir}})
	must(t, s.Apps[0].Close())
	s.Apps = nil
	a := newApp(t, app.Options{Dir: dir, ChainID: s.Chain, ReadOnly: true, OnRead: func([]byte, bool) {
		if reads.Add(1) == 300 {
			cancel()
		}
	}})
	must(t, a.CheckState(bg))
	all := reads.Swap(0)
	if err := a.CheckState(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it ends with %v", err)
	}
	if n := reads.Load(); n > all/2 {
		t.Errorf("it read %d rows of %d, told to stop before the first", n, all)
	}
	ctx, cancel = context.WithCancel(bg)
	defer cancel()
	reads.Store(0)
	if err := a.CheckState(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it ends with %v", err)
	}
	if n := reads.Load(); n > all/2 {
		t.Errorf("it read %d rows of %d, told to stop after 300", n, all)
	}
}
