package app_test

import (
	"bytes"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x"
)

// TestSweepSeen has more transactions expire at once than a block forgets, and looks at what the block after leaves: a node that starts again there, one
// that begins with a snapshot of there and one that rolls back to there go on with the others, and in the end no row is left.
func TestSweepSeen(t *testing.T) {
	t.Parallel()
	const txs, atOnce = 1300, 1000
	dir := t.TempDir()
	c := apptest.New(t, apptest.Options{Apps: 3, Dirs: []string{"", "", dir}, Checks: true, InTime: true})
	var all [][]byte
	for n := range txs {
		all = append(all, c.Sign("ops", enrol(c, n))) // refused by a rule, and seen all the same
	}
	if r := c.Block(all...); len(r) != txs {
		t.Fatalf("the block takes %d transactions", len(r))
	}
	left := func(a *app.App) (n int) {
		t.Helper()
		must(t, a.Read(func(r x.Reader) error {
			r.Iterate([]byte{0x02}, nil, func(_, _ []byte) bool { n++; return true })
			return nil
		}))
		must(t, a.Fsck(bg))
		return n
	}
	if n := left(c.Apps[0]); n != txs {
		t.Fatalf("%d rows stand for %d transactions", n, txs)
	}
	c.GoTo(c.Today() + 400)
	expired := all[0]
	all = nil
	for n := range 10 {
		all = append(all, c.Sign("ops", enrol(c, n)))
	}
	c.Block(all...)
	for i, a := range c.Apps {
		if n := left(a); n != txs-atOnce {
			t.Fatalf("application %d has %d rows: a block with %d transactions that forgets %d leaves %d", i, n, len(all), txs, txs-atOnce)
		}
	}
	height, hash := c.Height(), c.AppHash

	// Whether a node has the rows or not, the gate refuses the transaction before it looks.
	info, err := c.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	fresh := newApp(t, app.Options{Dir: t.TempDir(), ChainID: c.Chain})
	must(t, fresh.RestoreSnapshot(bg, info.Dir, hash, c.Apps[0].Status().BlockTime))
	if n := left(fresh); n != len(all) {
		t.Fatalf("who begins with a snapshot has %d rows, %d transactions stand", n, len(all))
	}
	again, err := c.Apps[1].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	if !bytes.Equal(info.Hash, again.Hash) {
		t.Error("two nodes make two snapshots of a height")
	}
	c.Apps = append(c.Apps, fresh)
	for i, a := range c.Apps {
		r, err := a.CheckTx(bg, &abci.RequestCheckTx{Tx: expired})
		must(t, err)
		if r.Codespace != "E_TX_EXPIRED" {
			t.Errorf("application %d: %q", i, r.Log)
		}
	}
	if r := c.Deliver([][]byte{expired})[0]; r.Codespace != "E_TX_EXPIRED" {
		t.Errorf("a block: %q", r.Log)
	}
	for i, a := range c.Apps {
		if n := left(a); n != len(all) {
			t.Errorf("application %d has %d rows, %d transactions stand", i, n, len(all))
		}
	}

	// The same block again, on a node that had executed it.
	last := c.Blocks[height]
	must(t, c.Apps[2].Close())
	s, err := state.Open(state.Options{Dir: dir, ChainID: c.Chain, Bind: app.Bind})
	must(t, err)
	must(t, s.Rollback(uint64(height)))
	must(t, s.Close())
	back := newApp(t, app.Options{Dir: dir, ChainID: c.Chain})
	if n := left(back); n != txs-atOnce {
		t.Fatalf("after a rollback %d rows are there, not %d", n, txs-atOnce)
	}
	resp, err := back.FinalizeBlock(bg, &abci.RequestFinalizeBlock{Txs: [][]byte{expired}, Hash: last.Hash(), Height: last.Height, Time: last.Time})
	must(t, err)
	_, err = back.Commit(bg, &abci.RequestCommit{})
	must(t, err)
	if n := left(back); n != len(all) || !bytes.Equal(resp.AppHash, c.AppHash) {
		t.Errorf("after a rollback and the block again: %d rows, app hash %x, want %x", n, resp.AppHash, c.AppHash)
	}
	c.Apps[2] = back

	c.GoTo(c.Today() + 400)
	c.Block()
	for i, a := range c.Apps {
		if n := left(a); n != 0 {
			t.Errorf("application %d has %d rows at the end", i, n)
		}
		sameRows(t, c.Apps[0], a)
	}
}
