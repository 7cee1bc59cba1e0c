package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// State sync (状态同步): the engine asks one node for snapshots and their chunks, and hands them to another. The engine guarantees the app hash of the
// height, through its state provider; everything else comes from strangers.

// keepSnapshots is how many snapshots a node keeps by itself.
const keepSnapshots = 2

// listedMax is how many snapshots a node offers: the engine takes no more.
const listedMax = 10

// making is the one snapshot that may be in the making.
type making struct {
	mu     sync.Mutex
	busy   bool
	closed bool
	work   sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
}

func newMaking() *making {
	m := new(making)
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// take reserves the one place.
func (m *making) take() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy || m.closed {
		return false
	}
	m.busy = true
	m.work.Add(1)
	return true
}

func (m *making) give() {
	m.mu.Lock()
	m.busy = false
	m.mu.Unlock()
	m.work.Done()
}

// stop ends what is in the making and waits for it.
func (m *making) stop() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.work.Wait()
}

// snapshotDue makes a snapshot of the newest height beside the blocks that follow, if one is due. It opens the height before it returns, so that pruning
// waits. What fails is logged: the chain does not depend on it.
func (a *App) snapshotDue(height int64) {
	if a.opts.SnapshotDir == "" || a.opts.SnapshotEvery == 0 || uint64(height)%a.opts.SnapshotEvery != 0 || a.opts.ReadOnly {
		return
	}
	if !a.making.take() {
		a.log.Warn("snapshot left out: the one before is still in the making", "height", height)
		return
	}
	s, err := a.At(height)
	if err != nil {
		a.making.give()
		a.log.Error("snapshot failed", "height", height, "err", err)
		return
	}
	go func() {
		defer a.making.give()
		defer s.Close()
		info, err := a.makeSnapshot(a.making.ctx, s, a.opts.SnapshotDir, usualSnapshot)
		if err == nil {
			err = dropSnapshots(a.opts.SnapshotDir, keepSnapshots)
		}
		switch {
		case errors.Is(err, context.Canceled):
		case err != nil:
			a.log.Error("snapshot failed", "height", height, "err", err)
		default:
			a.log.Info("snapshot made", "height", height, "chunks", info.Chunks, "bytes", info.Bytes)
		}
	}()
}

// offers is what this node answers who asks for its snapshots. A question is a few bytes from anybody, and an answer takes reading metadata and looking for
// every chunk: it is kept until a snapshot comes or goes.
type offers struct {
	mu   sync.Mutex
	of   string           // guarded by mu; the snapshots that were there
	list []*abci.Snapshot // guarded by mu; what of them is offered. The engine sorts the list that it is given
}

// ListSnapshots implements abci.Application. One that is damaged is left out.
func (a *App) ListSnapshots(context.Context, *abci.RequestListSnapshots) (*abci.ResponseListSnapshots, error) {
	if a.opts.SnapshotDir == "" {
		return new(abci.ResponseListSnapshots), nil
	}
	dirs, err := snapshotDirs(a.opts.SnapshotDir)
	if err != nil {
		a.log.Error("snapshots cannot be offered", "err", err)
		return new(abci.ResponseListSnapshots), nil
	}
	dirs = dirs[:min(len(dirs), listedMax)]
	of := ""
	for _, dir := range dirs {
		if st, err := os.Stat(filepath.Join(dir, snapshotMetaFile)); err == nil {
			of += fmt.Sprintln(dir, st.Size(), st.ModTime().UnixNano())
		}
	}
	a.offers.mu.Lock()
	defer a.offers.mu.Unlock()
	if a.offers.of == of {
		return &abci.ResponseListSnapshots{Snapshots: slices.Clone(a.offers.list)}, nil
	}
	var list []*abci.Snapshot
	for _, dir := range dirs {
		info, err := readSnapshotInfo(dir)
		var raw []byte
		var m *snapshotMeta
		if err == nil {
			raw, m, err = readSnapshotMeta(dir)
		}
		if err != nil {
			a.log.Error("snapshot cannot be offered", "err", err)
			continue
		}
		list = append(list, &abci.Snapshot{
			Height: m.height, Format: snapshotFormat, Chunks: uint32(len(m.chunks)), Hash: info.Hash, Metadata: raw,
		})
	}
	a.offers.of, a.offers.list = of, list
	return &abci.ResponseListSnapshots{Snapshots: slices.Clone(list)}, nil
}

// LoadSnapshotChunk implements abci.Application. No chunk is an answer: the snapshot may have been replaced by a newer one.
func (a *App) LoadSnapshotChunk(_ context.Context, req *abci.RequestLoadSnapshotChunk) (*abci.ResponseLoadSnapshotChunk, error) {
	resp := new(abci.ResponseLoadSnapshotChunk)
	if a.opts.SnapshotDir == "" || req.Format != snapshotFormat || req.Height > 999_999_999_999 {
		return resp, nil
	}
	dir := filepath.Join(a.opts.SnapshotDir, fmt.Sprintf("%012d", req.Height))
	_, m, err := readSnapshotMeta(dir)
	if err == nil && uint64(req.Chunk) < uint64(len(m.chunks)) {
		resp.Chunk, err = readChunk(dir, m, int(req.Chunk))
	}
	if err != nil {
		a.log.Warn("chunk not served", "err", err)
	}
	return resp, nil
}

// OfferSnapshot implements abci.Application. The metadata must hash to the app hash before the first chunk is asked for.
func (a *App) OfferSnapshot(ctx context.Context, req *abci.RequestOfferSnapshot) (_ *abci.ResponseOfferSnapshot, err error) {
	defer a.halt("offer of a snapshot", &err)
	if a.restore != nil { // an earlier offer; if this is the same snapshot, it goes on
		a.restore.into.Leave()
		a.restore = nil
	}
	answer := func(r abci.ResponseOfferSnapshot_Result, why error) (*abci.ResponseOfferSnapshot, error) {
		a.log.Warn("snapshot refused", "answer", r, "err", why)
		return &abci.ResponseOfferSnapshot{Result: r}, nil
	}
	s := req.Snapshot
	switch {
	case s == nil:
		return answer(abci.ResponseOfferSnapshot_REJECT, errors.New("no snapshot"))
	case a.committed.Load().height != 0:
		return answer(abci.ResponseOfferSnapshot_ABORT, errors.New("this node has blocks already; a snapshot goes into an empty home only"))
	case s.Format != snapshotFormat:
		return answer(abci.ResponseOfferSnapshot_REJECT_FORMAT, fmt.Errorf("format %d; this program knows %d", s.Format, snapshotFormat))
	}
	r, err := checkSnapshot(s.Metadata, req.AppHash, a.opts.ChainID)
	if err == nil && (r.meta.height != s.Height || len(r.meta.chunks) != int(s.Chunks)) {
		err = fmt.Errorf("offered as height %d in %d chunks, the metadata says height %d in %d", s.Height, s.Chunks, r.meta.height, len(r.meta.chunks))
	}
	if err == nil && a.opts.BlockTime != nil {
		at, unknown := a.opts.BlockTime(ctx, int64(s.Height))
		if unknown != nil {
			return answer(abci.ResponseOfferSnapshot_REJECT, unknown)
		}
		err = r.isOf(at)
	}
	if err != nil {
		return answer(abci.ResponseOfferSnapshot_REJECT_SENDER, err)
	}
	if err := r.begin(a.store); err != nil {
		return nil, a.report("offer of a snapshot", err)
	}
	a.restore = r
	a.log.Info("snapshot accepted", "height", r.meta.height, "chunks", len(r.meta.chunks), "applied_before", r.have)
	return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ACCEPT}, nil
}

// dropRestore takes back what has been applied of a snapshot that is false.
func (a *App) dropRestore() error {
	r := a.restore
	if r == nil {
		return nil
	}
	a.restore = nil
	return r.into.Abort()
}

// ApplySnapshotChunk implements abci.Application. A chunk that is not the one that was promised comes from a liar: he is dropped and it is fetched from
// another. A chunk that is the one that was promised and still false shows that the snapshot is. Nothing is visible before the last chunk. What makes no state with what
// an earlier process had applied is offered and applied once more from the beginning.
func (a *App) ApplySnapshotChunk(_ context.Context, req *abci.RequestApplySnapshotChunk) (_ *abci.ResponseApplySnapshotChunk, err error) {
	defer a.halt("chunk of a snapshot", &err)
	r := a.restore
	if r == nil || int(req.Index) != r.next {
		a.log.Warn("chunk refused: none is expected, or another", "chunk", req.Index)
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, nil
	}
	var senders []string
	if req.Sender != "" {
		senders = []string{req.Sender}
	}
	err = r.apply(req.Chunk)
	if err == nil && r.done() {
		err = r.finish()
	}
	var made errSnapshot
	var resumed errResumed
	switch {
	case errors.As(err, &resumed):
		a.log.Warn("snapshot begun anew", "chunk", req.Index, "err", err)
		if err := a.dropRestore(); err != nil {
			return nil, a.report("chunk of a snapshot", err)
		}
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_RETRY_SNAPSHOT}, nil
	case errors.Is(err, errChunk):
		a.log.Warn("chunk refused", "chunk", req.Index, "sender", req.Sender, "err", err)
		return &abci.ResponseApplySnapshotChunk{
			Result: abci.ResponseApplySnapshotChunk_RETRY, RefetchChunks: []uint32{req.Index}, RejectSenders: senders,
		}, nil
	case errors.As(err, &made):
		a.log.Warn("snapshot refused", "chunk", req.Index, "sender", req.Sender, "err", err)
		if err := a.dropRestore(); err != nil {
			return nil, a.report("chunk of a snapshot", err)
		}
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT, RejectSenders: senders}, nil
	case err != nil:
		return nil, a.report("chunk of a snapshot", err)
	}
	if r.done() {
		a.restore = nil
		a.restored(r)
		a.log.Info("snapshot restored", "height", r.meta.height)
	}
	return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, nil
}

// NotHeld says whether the chain has executed a transaction of which this node has no outcome, because it began with a snapshot of a later height. It is sure
// as long as the transaction stands in the seen-set; after that nobody here can tell it from one that never was.
func (a *App) NotHeld(id [32]byte) (gone bool, err error) {
	if a.committed.Load().height == 0 {
		return false, nil
	}
	err = a.Read(func(r x.Reader) error {
		if _, ok := outcomes.Get(r, id[:]); ok {
			return nil
		}
		buckets.Each(r, func(minute []byte, _ *pb.SeenBucket) bool {
			_, gone = r.Get(x.Key(seenTable.Prefix, minute, id[:]))
			return !gone
		})
		return nil
	})
	return gone, err
}
