package app

import (
	"context"
	"crypto/sha256"

	abci "github.com/cometbft/cometbft/abci/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// CheckTx implements abci.Application: the gate, against the newest committed state.
func (a *App) CheckTx(_ context.Context, req *abci.RequestCheckTx) (resp *abci.ResponseCheckTx, err error) {
	defer a.halt("check", &err)
	c := a.committed.Load()
	if c.chain == nil {
		return refused(ErrChain.With("no block is committed yet; try again")), nil
	}
	again := req.Type == abci.CheckTxType_Recheck
	if again && a.pool.alive(sha256.Sum256(req.Tx), c.info.TimeSeconds) {
		return &abci.ResponseCheckTx{Code: abci.CodeTypeOK}, nil
	}
	p := parse(req.Tx)
	c, s, err := a.atOrAfter(c)
	if err != nil {
		return nil, a.report("check", err)
	}
	defer s.Close()
	if again {
		// Not known to live. What was let in stays unless it died meanwhile; its signature cannot have changed.
		if p.err == nil && p.body.ExpiresAt >= c.info.TimeSeconds && !a.pool.justExecuted(p.id) && !seen(s, p.id, p.body.ExpiresAt) {
			return &abci.ResponseCheckTx{Code: abci.CodeTypeOK}, nil
		}
		a.pool.drop(p.hash)
		return refused(ErrExpired), nil
	}
	l := c.limitsFor(s)
	g := newGate(s, c.chain, c.info.TimeSeconds, l, a.sigs)
	g.done = &a.done
	uscc, r := g.pass(p)
	if r != nil {
		return refused(r), nil
	}
	if a.pool.justExecuted(p.id) {
		return refused(ErrSeen.With("transaction %x was executed already", p.id)), nil
	}
	if !a.pool.add(p, uscc, pendingBlocks*l.memberBytes) {
		return refused(ErrShare.With("%s has its share waiting in this node's pool", uscc)), nil
	}
	return &abci.ResponseCheckTx{Code: abci.CodeTypeOK, Data: p.id[:]}, nil
}

func refused(r *x.Rejection) *abci.ResponseCheckTx {
	return &abci.ResponseCheckTx{Code: r.Number, Log: r.Error(), Codespace: r.Code}
}

// TxID is the id of a transaction: its sign-bytes hash. It fails where the bytes are not a transaction.
func TxID(raw []byte) ([32]byte, error) {
	tx, body, err := pb.DecodeTx(raw)
	if err != nil {
		return [32]byte{}, err
	}
	return pb.SignBytes(body.ChainId, tx.Body), nil
}
