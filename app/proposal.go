package app

import (
	"context"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

// proposalGate opens the gate for a block on top of the newest committed one.
func (a *App) proposalGate(blockTime int64) (*gate, func(), error) {
	if a.genesis != nil {
		return newGate(a.genesis.rows, a.genesis.chain, blockTime, a.sigs), func() {}, nil
	}
	c := a.committed.Load()
	s, err := a.At(c.height)
	if err != nil {
		return nil, nil, err
	}
	s.cache = map[string]cached{}
	return newGate(s, c.chain, blockTime, a.sigs), s.Close, nil
}

// PrepareProposal implements abci.Application: it takes from the mempool, in its order, what passes the gate and fits into the block.
func (a *App) PrepareProposal(_ context.Context, req *abci.RequestPrepareProposal) (_ *abci.ResponsePrepareProposal, err error) {
	defer a.halt("prepare proposal", &err)
	g, done, err := a.proposalGate(req.Time.Unix())
	if err != nil {
		return nil, a.report("prepare proposal", err)
	}
	defer done()
	all := parseAll(req.Txs)
	a.sigs.warm(all)
	var (
		txs  [][]byte
		size int64
	)
	for _, p := range all {
		n := cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{p.raw})
		if size+n > req.MaxTxBytes {
			continue
		}
		if _, r := g.pass(p); r != nil {
			continue
		}
		txs = append(txs, p.raw)
		size += n
	}
	return &abci.ResponsePrepareProposal{Txs: txs}, nil
}

// ProcessProposal implements abci.Application: a proposal that holds a transaction that fails the gate is refused.
func (a *App) ProcessProposal(_ context.Context, req *abci.RequestProcessProposal) (_ *abci.ResponseProcessProposal, err error) {
	defer a.halt("process proposal", &err)
	g, done, err := a.proposalGate(req.Time.Unix())
	if err != nil {
		return nil, a.report("process proposal", err)
	}
	defer done()
	all := parseAll(req.Txs)
	a.sigs.warm(all)
	for i, p := range all {
		if _, r := g.pass(p); r != nil {
			a.log.Warn("proposal refused", "height", req.Height, "tx", i, "code", r.Code)
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}
