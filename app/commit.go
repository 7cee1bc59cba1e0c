package app

import (
	"context"
	"errors"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Commit implements abci.Application. Without Overlap the block is on disk when it returns. With it the block may still be on its way, and the engine
// goes on: the next block is executed on top of it, and is staged when it is there. At most one block is on its way, so a crash loses at most the
// newest one: the application comes back at the height before, and the engine, which has stored the block, delivers it again. Everybody
// but the consensus connection sees a block when it is on disk.
func (a *App) Commit(context.Context, *abci.RequestCommit) (_ *abci.ResponseCommit, err error) {
	defer a.halt("commit", &err)
	b := a.next
	if b == nil {
		return nil, a.report("commit", errors.New("no block is executed"))
	}
	a.next, a.before = nil, b.info.TimeSeconds
	a.pool.committed(b.txs, b.ids, b.info.TimeSeconds)
	a.done.add(b.ids, b.expires, b.info.TimeSeconds)
	if !a.opts.Overlap || a.genesis != nil {
		if err := a.write(b); err != nil {
			return nil, err
		}
		a.genesis = nil
		return &abci.ResponseCommit{}, nil
	}
	w := &writing{block: b, wanted: make(chan struct{}), done: make(chan struct{})}
	a.writing = w
	go func() {
		defer close(w.done)
		defer a.halt("commit", &w.err)
		if a.opts.WriteLate {
			<-w.wanted
		}
		w.err = a.write(b)
	}()
	return &abci.ResponseCommit{}, nil
}

// writing is a block on its way to the disk.
type writing struct {
	block  *block
	wanted chan struct{} // closed when somebody waits for it
	done   chan struct{} // closed when it is there, or cannot be
	err    error         // why not
}

// write brings a block to the disk, then before everybody's eyes. After store.Commit returns, the block is on disk with its marker; a crash before that
// leaves the height before, and the engine delivers the block again. Memory is changed only afterwards.
func (a *App) write(b *block) error {
	if err := a.store.Commit(uint64(b.height), b.appHash, x.EncodeRow(b.info)); err != nil {
		return a.report("commit", err)
	}
	a.standings.enterChanged(b.chain.Secret, b.changes)
	a.committed.Store(&committed{
		height: b.height, info: b.info, chain: b.chain, appHash: b.appHash[:], shared: a.committed.Load().shared.next(b.logs),
	})
	for i, left := range b.left {
		if left {
			a.left[i].Store(b.height)
		}
	}
	a.waits.notify(b)
	a.snapshotDue(b.height)
	if a.opts.OnDurable != nil {
		a.opts.OnDurable(b.height, b.messages)
	}
	return nil
}

// Settle waits until no block is on its way to the disk. For the consensus connection, and for who has stopped it.
func (a *App) Settle() error {
	w := a.writing
	if w == nil {
		return nil
	}
	close(w.wanted)
	<-w.done
	a.writing = nil
	return w.err
}

// newest is the height that the engine committed last, and the chain as it was then.
func (a *App) newest() (height int64, chain *x.Chain) {
	if w := a.writing; w != nil {
		return w.block.height, w.block.chain
	}
	c := a.committed.Load()
	return c.height, c.chain
}

// ground gives the rows that the next block stands on: those of the newest height or, while that is on its way to the disk, its changes on top of the
// height before. base is the part of them that is read from the disk.
func (a *App) ground() (on ground, base *Snapshot, err error) {
	for {
		height, chain := a.newest()
		on = ground{chain: chain, sigs: a.sigs, workers: a.opts.Workers, before: a.before}
		w := a.writing
		if w != nil {
			select {
			case <-w.done:
				if err := a.Settle(); err != nil {
					return on, nil, err
				}
				continue
			default:
				height--
			}
		}
		base, err = a.At(height)
		if pruned := (state.ErrPruned{}); w != nil && errors.As(err, &pruned) { // it is there meanwhile, and the height before is not any more
			if err := a.Settle(); err != nil {
				return on, nil, err
			}
			continue
		}
		if err != nil {
			return on, nil, err
		}
		base.cache = a.proposal.rowsAt(height)
		if w == nil {
			on.rows, on.aside = base, func() (x.Reader, func()) { return a.aside(base) }
			return on, base, nil
		}
		on.rows = above(base, w.block.changes)
		on.aside = func() (x.Reader, func()) {
			r, done := a.aside(base)
			return above(r, w.block.changes), done
		}
		return on, base, nil
	}
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
