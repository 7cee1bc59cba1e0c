package app

import (
	"context"
	"math/big"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

func bigOf(b [32]byte) *big.Int { return new(big.Int).SetBytes(b[:]) }

// pendingBlocks is how many blocks' worth of its share a member may have waiting in this node's mempool.
const pendingBlocks = 4

// pending counts what each member has waiting in this node's mempool, so that one importer cannot fill it.
type pending struct {
	mu    sync.Mutex
	txs   map[[32]byte]waiting // by SHA-256 of the transaction
	bytes map[string]int64     // by member
}

type waiting struct {
	member    string
	bytes     int64
	expiresAt int64
}

func newPending() *pending {
	return &pending{txs: map[[32]byte]waiting{}, bytes: map[string]int64{}}
}

// add counts a transaction unless the member's share is full.
func (p *pending) add(h [32]byte, w waiting, limit int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.txs[h]; ok {
		return true
	}
	if p.bytes[w.member]+w.bytes > limit {
		return false
	}
	p.txs[h] = w
	p.bytes[w.member] += w.bytes
	return true
}

func (p *pending) drop(h [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropLocked(h)
}

func (p *pending) dropLocked(h [32]byte) {
	if w, ok := p.txs[h]; ok {
		delete(p.txs, h)
		if p.bytes[w.member] -= w.bytes; p.bytes[w.member] <= 0 {
			delete(p.bytes, w.member)
		}
	}
}

// committed drops the transactions of a block, and what expired meanwhile.
func (p *pending) committed(txs [][32]byte, blockTime int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range txs {
		p.dropLocked(h)
	}
	for h, w := range p.txs { // DETERMINISM: memory of this node alone, order does not matter
		if w.expiresAt < blockTime {
			p.dropLocked(h)
		}
	}
}

// CheckTx implements abci.Application: the gate, against the newest committed state.
func (a *App) CheckTx(_ context.Context, req *abci.RequestCheckTx) (resp *abci.ResponseCheckTx, err error) {
	defer a.halt("check", &err)
	c := a.committed.Load()
	if c.chain == nil {
		return refused(ErrChain.With("no block is committed yet; try again")), nil
	}
	p := parse(req.Tx)
	h := p.hash
	s, err := a.At(c.height)
	if err != nil {
		return nil, a.report("check", err)
	}
	defer s.Close()
	if req.Type == abci.CheckTxType_Recheck {
		// What was let in stays unless it died meanwhile; its signature cannot have changed.
		if p.err == nil && p.body.ExpiresAt >= c.info.TimeSeconds && !seen(s, p.id, p.body.ExpiresAt) {
			return &abci.ResponseCheckTx{Code: abci.CodeTypeOK}, nil
		}
		a.pool.drop(h)
		return refused(ErrExpired), nil
	}
	g := newGate(s, c.chain, c.info.TimeSeconds, a.sigs)
	uscc, r := g.pass(p)
	if r != nil {
		return refused(r), nil
	}
	w := waiting{member: uscc, bytes: int64(len(req.Tx)), expiresAt: p.body.ExpiresAt}
	if !a.pool.add(h, w, pendingBlocks*g.memberBytes) {
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
