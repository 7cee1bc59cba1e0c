package app_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// TestDiskFaultHalts takes the disk away under a running application: the block fails, the node is told once, and nothing that was committed
// is lost.
func TestDiskFaultHalts(t *testing.T) {
	dir := t.TempDir()
	c := apptest.New(t, apptest.Options{Apps: 1, Dirs: []string{dir}})
	c.Block()
	c.Block()
	before := c.Apps[0].Status()
	must(t, c.Apps[0].Close()) // the folder is Badger's no longer

	var told atomic.Int32
	a, err := app.New(app.Options{Dir: dir, ChainID: c.Chain, OnFault: func(error) { told.Add(1) }})
	must(t, err)
	must(t, a.Close())
	_, err = a.FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{Hash: make([]byte, 32), Height: before.Height + 1, Time: time.Unix(1_780_000_100, 0)})
	if err == nil || told.Load() != 1 || a.Fault() == nil {
		t.Fatalf("error %v, told %d times, fault %v", err, told.Load(), a.Fault())
	}
	if strings.Count(err.Error(), "\n") != 0 {
		t.Fatalf("more than a line: %q", err)
	}
	if _, err := a.CheckTx(context.Background(), &abci.RequestCheckTx{Tx: []byte("x")}); err == nil || told.Load() != 1 {
		t.Fatalf("error %v, told %d times", err, told.Load())
	}

	b, err := app.New(app.Options{Dir: dir, ChainID: c.Chain})
	must(t, err)
	defer b.Close()
	if after := b.Status(); after.Height != before.Height || string(after.AppHash) != string(before.AppHash) {
		t.Fatalf("came back at %d, was at %d", after.Height, before.Height)
	}
	must(t, b.Fsck(context.Background()))
	c.Apps = nil
}

// TestOtherChainRefused opens a folder as another chain's.
func TestOtherChainRefused(t *testing.T) {
	dir := t.TempDir()
	c := apptest.New(t, apptest.Options{Apps: 1, Dirs: []string{dir}})
	c.Block()
	must(t, c.Apps[0].Close())
	c.Apps = nil
	if _, err := app.New(app.Options{Dir: dir, ChainID: "test-other"}); err == nil || errors.Is(err, context.Canceled) {
		t.Fatal("a folder of another chain was opened")
	}
}

// published is a chain on disk on which one penalty is public, with a copy of its folder and where it stood then.
func published(t *testing.T) (s *apptest.Script, kept string, at app.Status) {
	t.Helper()
	dir := t.TempDir()
	s = apptest.NewScript(t, apptest.Options{Apps: 1, Dirs: []string{dir}})
	for _, text := range []string{"enrol firm=a by=registry", "record by=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=zz-scjg firm=a no=7"} {
		if out := line(t, s, text); !strings.Contains(out, "OK") {
			t.Fatalf("%s: %s", text, out)
		}
	}
	at = s.Apps[0].Status()
	must(t, s.Apps[0].Close())
	kept = t.TempDir()
	must(t, os.CopyFS(kept, os.DirFS(dir)))
	s.Reopen(0)
	return s, kept, at
}

// TestDamagedPackRows damages each kind of row of the offline packs on disk. Fsck names the row, or the node, in one line; a block that takes a firm out of the sets
// either halts the node with one line, told once, or, where the row could stand there and the block replaces it whole, makes the chain's app hash.
func TestDamagedPackRows(t *testing.T) {
	s, kept, before := published(t)
	line(t, s, "withdraw by=zz-scjg firm=a no=7")
	after := s.Apps[0].Status().AppHash
	block := s.Blocks[before.Height]
	next := &abci.RequestFinalizeBlock{Hash: block.Hash(), Height: block.Height, Time: block.Time}
	for _, tx := range block.Txs {
		next.Txs = append(next.Txs, tx)
	}

	const members, node0, node12 = "0b01", "0c0100", "0c010c" // prefixes of keys: of the first set
	gone := func([]byte) []byte { return nil }
	cut := func(row []byte) []byte { return row[:len(row)-1] }
	longer := func(row []byte) []byte { return append(row, 0) }
	moved := func(row []byte) []byte { row[len(row)-1]++; return row }
	turned := func(row []byte) []byte { // the hash of the one subtree
		at := bytes.IndexFunc(row, func(r rune) bool { return r != 0 })
		row[at+1]++
		return row
	}
	for _, d := range []struct {
		name, row string
		change    func([]byte) []byte
		halts     string // "": the block replaces the row
		fsck      string
	}{
		{"members gone", members, gone, "does not follow from the standings", "a row of the packs is missing: 1 less than follow from the standings"},
		{"members cut", members, cut, "is damaged", "of the packs does not follow from the standings"},
		{"members longer", members, longer, "is damaged", "of the packs does not follow from the standings"},
		{"another member", members, moved, "does not follow from the standings", "of the packs does not follow from the standings"},
		{"node cut", node12, cut, "of a pack is damaged", "of the packs does not follow from the standings"},
		{"node longer", node12, longer, "of a pack is damaged", "of the packs does not follow from the standings"},
		{"node gone", node12, gone, "", "a row of the packs is missing: 1 less than follow from the standings"},
		{"root cut", node0, cut, "of a pack is damaged", "of the packs does not follow from the standings"},
		{"another root", node0, turned, "", "of the packs does not follow from the standings"},
		{"root gone", node0, gone, "", "a row of the packs is missing: 1 less than follow from the standings"},
	} {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(kept)))
			damageRow(t, dir, uint64(before.Height), d.row, d.change)
			var told atomic.Int32
			a, err := app.New(app.Options{Dir: dir, ChainID: s.Chain, OnFault: func(error) { told.Add(1) }})
			must(t, err)
			defer a.Close()
			oneLine(t, "fsck", a.Fsck(context.Background()), d.fsck)
			r, err := a.FinalizeBlock(context.Background(), next)
			if d.halts == "" {
				must(t, err)
				if !bytes.Equal(r.AppHash, after) || told.Load() != 0 {
					t.Errorf("app hash %x, want %x; told %d times", r.AppHash, after, told.Load())
				}
				return
			}
			oneLine(t, "block", err, d.halts)
			if told.Load() != 1 || a.Fault() == nil {
				t.Errorf("told %d times, fault %v", told.Load(), a.Fault())
			}
		})
	}
}

// TestDamagedMoments damages the rows of moments on disk: fsck names the row in one line. A home without any, as an older program wrote it, is whole: the next
// block makes them, and the chain's app hash.
func TestDamagedMoments(t *testing.T) {
	s, kept, before := published(t)
	moments := 0
	s.Read(func(r x.Reader) { r.Iterate([]byte{0x0d}, nil, func(_, _ []byte) bool { moments++; return true }) })
	s.GoTo(calendar.Max) // every timer fires
	s.Block()
	block := s.Blocks[before.Height]

	const one = "0d01" // of what ends visibility
	for _, d := range []struct {
		name, row string
		change    func([]byte) []byte
		times     int
		fsck      string
	}{
		{"gone", one, func([]byte) []byte { return nil }, 1, "at which a timer stands, has no row"},
		{"later", one, func(row []byte) []byte { row[len(row)-1]++; return row }, 1, "as the first of its timers, which is"},
		{"earlier", one, func(row []byte) []byte { row[len(row)-1]--; return row }, 1, "as the first of its timers, which is"},
		{"not kept", "0d", func([]byte) []byte { return nil }, 1, ""}, // the next block makes them anew
		{"kept by the block before last", "0d", func(row []byte) []byte { row[len(row)-1]--; return row }, 1, ""},
		{"of an older program", "0d", func([]byte) []byte { return nil }, moments, ""},
	} {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(kept)))
			for range d.times {
				damageRow(t, dir, uint64(before.Height), d.row, d.change)
			}
			a, err := app.New(app.Options{Dir: dir, ChainID: s.Chain})
			must(t, err)
			defer a.Close()
			if d.fsck != "" {
				oneLine(t, "fsck", a.Fsck(bg), d.fsck)
				return
			}
			must(t, a.Fsck(bg))
			r, err := a.FinalizeBlock(bg, &abci.RequestFinalizeBlock{Hash: block.Hash(), Height: block.Height, Time: block.Time})
			must(t, err)
			if !bytes.Equal(r.AppHash, s.AppHash) {
				t.Errorf("app hash %x, want %x", r.AppHash, s.AppHash)
			}
			_, err = a.Commit(bg, &abci.RequestCommit{})
			must(t, err)
			must(t, a.Fsck(bg))
			must(t, a.Read(func(r x.Reader) error {
				if _, ok := r.Get([]byte{0x0d}); !ok {
					t.Error("the block made no rows of moments")
				}
				return nil
			}))
		})
	}
}

func oneLine(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v, want one line with %q", what, err, want)
	}
}

// damageRow changes the first row under a prefix of its key, in hex, as if the disk had done it at a height; nil takes it away.
func damageRow(t *testing.T, dir string, height uint64, prefix string, change func([]byte) []byte) {
	t.Helper()
	db, err := badger.OpenManaged(badger.DefaultOptions(dir).WithLogger(nil))
	must(t, err)
	defer func() { must(t, db.Close()) }()
	under, err := hex.DecodeString(prefix)
	must(t, err)
	txn := db.NewTransactionAt(height, true)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: append([]byte("r"), under...)})
	it.Rewind()
	if !it.Valid() {
		t.Fatalf("no row under %s", prefix)
	}
	key := it.Item().KeyCopy(nil)
	row, err := it.Item().ValueCopy(nil)
	must(t, err)
	it.Close()
	if row = change(row); row == nil {
		err = txn.Delete(key)
	} else {
		err = txn.Set(key, row)
	}
	must(t, err)
	must(t, txn.CommitAt(height, nil))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
