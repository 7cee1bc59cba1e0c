package app_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
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

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
