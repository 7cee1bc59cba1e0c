package app

import (
	"context"
	"crypto/sha256"
	"math/bits"

	abci "github.com/cometbft/cometbft/abci/types"
)

// proposal is what proposing or checking a block has found out already, so that executing it does not ask again: a proposer looks at each
// transaction three times, everyone else twice. It skips work and decides nothing: a transaction decodes to the same thing every time, and rows
// of a committed height do not change.
type proposal struct {
	height int64                // a height on disk below the block
	rows   map[string]cached    // read at that height
	txs    map[[32]byte]*parsed // of the block, by SHA-256
}

// rowsAt gives the rows that were read at a height.
func (p *proposal) rowsAt(height int64) map[string]cached {
	if p.rows == nil || p.height != height {
		p.height, p.rows = height, map[string]cached{}
	}
	return p.rows
}

// parse decodes the transactions of a block, but for those that are known from the time before, or from the mempool.
func (p *proposal) parse(raw [][]byte, pool *pending) []*parsed {
	out, txs := make([]*parsed, len(raw)), make(map[[32]byte]*parsed, len(raw))
	for i := range raw {
		h := sha256.Sum256(raw[i])
		known := p.txs[h]
		if known == nil {
			known = pool.decoded(h)
		}
		if known == nil {
			known = parse(raw[i])
		}
		out[i], txs[h] = known, known
	}
	p.txs = txs
	return out
}

// proposalGate opens the gate for a block on top of the newest committed one.
func (a *App) proposalGate(blockTime int64) (*gate, func(), error) {
	if a.genesis != nil {
		return newBlockGate(a.genesis.rows, a.genesis.chain, blockTime, a.sigs), func() {}, nil
	}
	on, base, err := a.ground()
	if err != nil {
		return nil, nil, err
	}
	return newBlockGate(on.rows, on.chain, blockTime, a.sigs), base.Close, nil
}

// PrepareProposal implements abci.Application: it takes from the mempool, in its order, what passes the gate and fits into the block.
func (a *App) PrepareProposal(_ context.Context, req *abci.RequestPrepareProposal) (_ *abci.ResponsePrepareProposal, err error) {
	defer a.halt("prepare proposal", &err)
	g, done, err := a.proposalGate(req.Time.Unix())
	if err != nil {
		return nil, a.report("prepare proposal", err)
	}
	defer done()
	all := a.proposal.parse(req.Txs, a.pool)
	a.sigs.warm(all)
	var (
		txs  [][]byte
		size int64
	)
	for _, p := range all {
		n := protoSize(p.raw)
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

// protoSize is what a transaction takes in the engine's block: one byte of tag, its length, itself.
func protoSize(tx []byte) int64 { return int64(2 + (bits.Len(uint(len(tx))|1)-1)/7 + len(tx)) }

// ProcessProposal implements abci.Application: a proposal that holds a transaction that fails the gate is refused.
func (a *App) ProcessProposal(_ context.Context, req *abci.RequestProcessProposal) (_ *abci.ResponseProcessProposal, err error) {
	defer a.halt("process proposal", &err)
	g, done, err := a.proposalGate(req.Time.Unix())
	if err != nil {
		return nil, a.report("process proposal", err)
	}
	defer done()
	all := a.proposal.parse(req.Txs, a.pool)
	a.sigs.warm(all)
	for i, p := range all {
		if _, r := g.pass(p); r != nil {
			a.log.Warn("proposal refused", "height", req.Height, "tx", i, "code", r.Code)
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}
