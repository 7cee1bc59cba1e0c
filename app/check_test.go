package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
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

// TestDamagedFiles takes away, changes and adds rows of files and standings, whole and in pieces of one subject: each is found, under the rule that it breaks.
func TestDamagedFiles(t *testing.T) {
	s, _ := story(t, apptest.Options{Apps: 1})
	s.Read(func(r x.Reader) {
		info := new(pb.ChainInfo)
		raw, _ := r.Get(app.AnyRow())
		must(t, pb.Decode(raw, info))
		check := func(r x.Reader, size int) error {
			firsts := append(subject.Cut(r, size), "")
			for i, from := range firsts[:len(firsts)-1] {
				if err := errors.Join(subject.CheckFiles(r, from, firsts[i+1]), standing.Check(r, info.Secret, from, firsts[i+1])); err != nil {
					return err
				}
			}
			return nil
		}
		must(t, check(r, 1))
		must(t, check(r, 1000))
		const head, entry, penalty, shown = 0x31, 0x32, 0x60, 0x80
		changed := func(row []byte) []byte { return append(row[:len(row)-1], row[len(row)-1]^1) }
		gone := func([]byte) []byte { return nil }
		for _, d := range []struct {
			name   string
			table  byte
			change func(row []byte) []byte
			want   string
		}{
			{"entry gone", entry, gone, "lacks entry 0"},
			{"entry changed", entry, changed, "SUB-1"},
			{"entry with a short key", entry, func(row []byte) []byte {
				e := new(pb.FileEntry)
				must(t, pb.Decode(row, e))
				e.Key = e.Key[:31]
				return x.EncodeRow(e)
			}, "is damaged"},
			{"head changed", head, changed, "SUB-1"},
			{"record gone", penalty, gone, "SUB-2"},
			{"record changed", penalty, changed, "SUB-2"},
			{"standing gone", shown, gone, "STD-1"},
			{"standing changed", shown, changed, "STD-1"},
		} {
			key, row := firstRow(t, r, d.table)
			for _, size := range []int{1, 1000} {
				if err := checkCaught(func() error { return check(otherRow{r, key, d.change(bytes.Clone(row))}, size) }); err == nil || !strings.Contains(err.Error(), d.want) {
					t.Errorf("%s, pieces of %d: %v", d.name, size, err)
				}
			}
		}
		key, row := firstRow(t, r, penalty)
		for _, of := range []string{"000000000000000000", "ZZZZZZZZZZZZZZZZZZ"} { // before all subjects, and after them
			copy(key[1:19], of)
			for _, size := range []int{1, 1000} {
				if err := check(otherRow{r, key, row}, size); err == nil || !strings.Contains(err.Error(), "which is not enrolled") {
					t.Errorf("a record of nobody (%s), pieces of %d: %v", of, size, err)
				}
			}
		}
	})
}

// TestDamagedLog: a run of leaves that is gone, shorter, longer or changed, and a head that says something else, are found.
func TestDamagedLog(t *testing.T) {
	s, _ := story(t, apptest.Options{Apps: 1})
	s.Read(func(r x.Reader) {
		must(t, app.CheckLog(r))
		const head, runs = 0x04, 0x05
		last := func(row []byte) []byte { return append(row[:len(row)-1], row[len(row)-1]^1) }
		for _, d := range []struct {
			name   string
			table  byte
			change func(row []byte) []byte
			want   string
		}{
			{"run gone", runs, func([]byte) []byte { return nil }, "is missing"},
			{"leaf gone", runs, func(row []byte) []byte { return row[:len(row)-32] }, "is missing"},
			{"half a leaf", runs, func(row []byte) []byte { return row[:len(row)-16] }, "is missing"},
			{"leaf changed", runs, last, "does not hash to its head"},
			{"begins elsewhere", runs, func(row []byte) []byte { row[0] ^= 1; return row }, "is missing"},
			{"head changed", head, last, "does not hash to its head"},
		} {
			key, row := firstRow(t, r, d.table)
			if err := checkCaught(func() error { return app.CheckLog(otherRow{r, key, d.change(bytes.Clone(row))}) }); err == nil || !strings.Contains(err.Error(), d.want) {
				t.Errorf("%s: %v", d.name, err)
			}
		}
	})
}

// TestMarkerOfAnotherAppHash changes the app hash in the marker and nothing else. The tree is the marker's, every row is sound, and it is found that they make another one.
func TestMarkerOfAnotherAppHash(t *testing.T) {
	dir := t.TempDir()
	s, _ := story(t, apptest.Options{Apps: 1, Dirs: []string{dir}})
	height := uint64(s.Height())
	must(t, s.Apps[0].Close())
	s.Apps = nil
	open := func() *app.App {
		a, err := app.New(app.Options{Dir: dir, ChainID: s.Chain, ReadOnly: true})
		must(t, err)
		return a
	}
	a := open()
	must(t, a.Fsck(bg))
	was := a.Status().AppHash
	must(t, a.Close())

	db, err := badger.OpenManaged(badger.DefaultOptions(dir).WithLogger(nil))
	must(t, err)
	txn := db.NewTransactionAt(height, true)
	defer txn.Discard()
	marker := []byte("m")
	item, err := txn.Get(marker)
	must(t, err)
	value, err := item.ValueCopy(nil)
	must(t, err)
	at := bytes.Index(value, was)
	if at < 0 {
		t.Fatalf("the marker %x has no app hash %x", value, was)
	}
	value[at] ^= 1
	must(t, txn.Set(marker, value))
	must(t, txn.CommitAt(height, nil))
	must(t, db.Close())

	a = open()
	defer a.Close()
	oneLine(t, "Fsck", a.Fsck(bg), fmt.Sprintf("height %d: the state makes app hash %x, the marker says %x", height, was, a.Status().AppHash))
}

// firstRow gives a copy of the first row of a table.
func firstRow(t *testing.T, r x.Reader, table byte) (key, row []byte) {
	t.Helper()
	r.Iterate([]byte{table}, nil, func(k, v []byte) bool {
		key, row = bytes.Clone(k), bytes.Clone(v)
		return false
	})
	if key == nil {
		t.Fatalf("the story has no row in table %02x", table)
	}
	return key, row
}

// checkCaught gives the fault that a damaged row makes as the error that it becomes.
func checkCaught(check func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = p.(x.Fault)
		}
	}()
	return check()
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
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // checks run side by side, and each goes on until it asks: here one does
	must(t, a.CheckState(bg))
	all := reads.Swap(0)
	if err := a.CheckState(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it ends with %v", err)
	}
	if n := reads.Load(); n > 0 {
		t.Errorf("it read %d rows, told to stop before the first", n)
	}
	ctx, cancel = context.WithCancel(bg)
	defer cancel()
	reads.Store(0)
	if err := a.CheckState(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it ends with %v", err)
	}
	if n := reads.Load(); n > 300+256 || n > all/2 { // it asks every 256 rows
		t.Errorf("it read %d rows of %d, told to stop after 300", n, all)
	}
	enough := errors.New("enough")
	for how, rows := range a.ReadUntil(enough) {
		if rows.Read > 256 || !errors.Is(rows.Err, enough) {
			t.Errorf("%s: a check reads %d rows, told to stop from the first on, and ends with %v", how, rows.Read, rows.Err)
		}
	}
}
