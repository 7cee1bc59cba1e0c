package node

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	abcicli "github.com/cometbft/cometbft/abci/client"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/proxy"
)

// sideBySide makes the engine's connections to the application. Each has a mutex of its own, as with the engine's own connsync creator (with
// its other one a slow read stops consensus), but for the checks of new transactions: those run side by side. Nearly all of such a check is one
// signature, and behind a mutex every gateway and every peer would wait for one processor. The application's gate only reads, what it remembers
// has locks, and the mempool takes several checks at a time: it holds its own lock alone while a block's transactions leave it and the rest is
// rechecked.
//
// Checks, and what a node that joins is handed of a snapshot, run in routines that the engine does not wait for when it stops: work does.
type sideBySide struct {
	app  abci.Application
	work *work
}

var _ proxy.ClientCreator = sideBySide{}

// NewABCIClient implements proxy.ClientCreator.
func (s sideBySide) NewABCIClient() (abcicli.Client, error) {
	return &checker{Client: abcicli.NewLocalClient(nil, s.app), app: s.app, work: s.work}, nil
}

type checker struct {
	abcicli.Client
	app      abci.Application
	work     *work
	callback atomic.Pointer[abcicli.Callback]
}

// SetResponseCallback implements abcicli.Client.
func (c *checker) SetResponseCallback(cb abcicli.Callback) {
	c.callback.Store(&cb)
	c.Client.SetResponseCallback(cb)
}

// check asks the application, unless the node stops. The mempool takes an error for a bug and panics, so that is an answer.
func (c *checker) check(ctx context.Context, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if !c.work.begin() {
		return &abci.ResponseCheckTx{Code: codeStopping, Log: errStopping.Error()}, nil
	}
	defer c.work.end()
	return c.app.CheckTx(ctx, req)
}

// OfferSnapshot implements abcicli.Client.
func (c *checker) OfferSnapshot(ctx context.Context, req *abci.RequestOfferSnapshot) (*abci.ResponseOfferSnapshot, error) {
	if !c.work.begin() {
		return nil, errStopping
	}
	defer c.work.end()
	return c.Client.OfferSnapshot(ctx, req)
}

// ApplySnapshotChunk implements abcicli.Client.
func (c *checker) ApplySnapshotChunk(ctx context.Context, req *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	if !c.work.begin() {
		return nil, errStopping
	}
	defer c.work.end()
	return c.Client.ApplySnapshotChunk(ctx, req)
}

// CheckTxAsync implements abcicli.Client: like the local client's, without its mutex. Rechecks come one after the other from one goroutine.
func (c *checker) CheckTxAsync(ctx context.Context, req *abci.RequestCheckTx) (*abcicli.ReqRes, error) {
	resp, err := c.check(ctx, req)
	if err != nil {
		return nil, err
	}
	request, response := abci.ToRequestCheckTx(req), abci.ToResponseCheckTx(resp)
	if cb := c.callback.Load(); cb != nil {
		(*cb)(request, response)
	}
	r := abcicli.NewReqRes(request)
	r.Response = response
	r.InvokeCallback() // nobody has set one yet: marks it as answered, so that SetCallback answers at once
	return r, nil
}

// codeStopping answers a check on a node that stops. It never leaves the node: Submit says that there is no room now.
const codeStopping = math.MaxUint32

var errStopping = errors.New("the node is stopping")

// work is what may still be under way in the application when the engine has stopped. The state is closed only after it.
type work struct {
	mu   sync.RWMutex // held for reading by what is under way
	over bool         // guarded by mu
}

// begin says whether work may begin. Who got true ends it.
func (w *work) begin() bool {
	w.mu.RLock()
	if !w.over {
		return true
	}
	w.mu.RUnlock()
	return false
}

func (w *work) end() { w.mu.RUnlock() }

// stop waits for what is under way and lets nothing begin.
func (w *work) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}
