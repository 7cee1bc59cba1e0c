package app

import (
	"context"
	"errors"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Commit implements abci.Application. After store.Commit returns, the block is on disk with its marker; a crash before that leaves the height
// before, and the engine delivers the block again. Memory is changed only afterwards.
func (a *App) Commit(context.Context, *abci.RequestCommit) (_ *abci.ResponseCommit, err error) {
	defer a.halt("commit", &err)
	b := a.next
	if b == nil {
		return nil, a.report("commit", errors.New("no block is executed"))
	}
	if err := a.store.Commit(uint64(b.height), b.appHash, x.EncodeRow(b.info)); err != nil {
		return nil, a.report("commit", err)
	}
	a.next, a.genesis = nil, nil
	a.committed.Store(&committed{height: b.height, info: b.info, chain: b.chain, appHash: b.appHash[:], messages: b.messages, shared: new(sync.Map)})
	a.pool.committed(b.txs, b.ids, b.info.TimeSeconds)
	a.waits.notify(b)
	a.snapshotDue(b.height)
	return &abci.ResponseCommit{}, nil
}

// waiters are those who wait for the outcome of a transaction, or for the next block.
type waiters struct {
	mu     sync.Mutex
	byTx   map[[32]byte][]chan *pb.TxOutcome
	height chan struct{} // closed at each commit
}

func (w *waiters) notify(b *block) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, o := range b.outcomes {
		if o == nil {
			continue
		}
		for _, ch := range w.byTx[b.ids[i]] {
			ch <- o // buffered for one, sent once
		}
		delete(w.byTx, b.ids[i])
	}
	if w.height != nil {
		close(w.height)
		w.height = nil
	}
}

// Wait waits for the outcome of a transaction.
func (a *App) Wait(ctx context.Context, id [32]byte) (*pb.TxOutcome, error) {
	ch := make(chan *pb.TxOutcome, 1)
	a.waits.mu.Lock()
	if a.waits.byTx == nil {
		a.waits.byTx = map[[32]byte][]chan *pb.TxOutcome{}
	}
	a.waits.byTx[id] = append(a.waits.byTx[id], ch)
	a.waits.mu.Unlock()
	defer a.waits.forget(id, ch)
	// It may have been committed before we began to wait.
	if o, ok, err := a.Outcome(id); err != nil || ok {
		return o, err
	}
	select {
	case o := <-ch:
		return o, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *waiters) forget(id [32]byte, ch chan *pb.TxOutcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.byTx[id][:0]
	for _, c := range w.byTx[id] {
		if c != ch {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		delete(w.byTx, id)
	} else {
		w.byTx[id] = left
	}
}

// NextBlock is closed when the next block is committed.
func (a *App) NextBlock() <-chan struct{} {
	a.waits.mu.Lock()
	defer a.waits.mu.Unlock()
	if a.waits.height == nil {
		a.waits.height = make(chan struct{})
	}
	return a.waits.height
}

// Outcome of a transaction that is committed.
func (a *App) Outcome(id [32]byte) (o *pb.TxOutcome, ok bool, err error) {
	if a.committed.Load().height == 0 {
		return nil, false, nil
	}
	err = a.Read(func(r x.Reader) error {
		o, ok = outcomes.Get(r, id[:])
		return nil
	})
	return o, ok, err
}
