package node

import (
	"context"
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
type sideBySide struct{ app abci.Application }

var _ proxy.ClientCreator = sideBySide{}

// NewABCIClient implements proxy.ClientCreator.
func (s sideBySide) NewABCIClient() (abcicli.Client, error) {
	return &checker{Client: abcicli.NewLocalClient(nil, s.app), app: s.app}, nil
}

type checker struct {
	abcicli.Client
	app      abci.Application
	callback atomic.Pointer[abcicli.Callback]
}

// SetResponseCallback implements abcicli.Client.
func (c *checker) SetResponseCallback(cb abcicli.Callback) {
	c.callback.Store(&cb)
	c.Client.SetResponseCallback(cb)
}

// CheckTxAsync implements abcicli.Client: like the local client's, without its mutex. Rechecks come one after the other from one goroutine.
func (c *checker) CheckTxAsync(ctx context.Context, req *abci.RequestCheckTx) (*abcicli.ReqRes, error) {
	resp, err := c.app.CheckTx(ctx, req)
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
