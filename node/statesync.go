package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	ssproto "github.com/cometbft/cometbft/proto/tendermint/statesync"
)

// ApplySnapshotChunk counts as progress: a node that takes a large snapshot makes no block for a while, and the watchdog must not end it. With the last
// chunk the node is at the snapshot's height.
func (a *metered) ApplySnapshotChunk(ctx context.Context, req *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	resp, err := a.Application.ApplySnapshotChunk(ctx, req)
	if err != nil || resp.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
		return resp, err
	}
	info, err := a.Application.Info(ctx, &abci.RequestInfo{})
	if err != nil {
		return nil, err
	}
	a.risen(info.LastBlockHeight)
	a.m.Height.Set(float64(info.LastBlockHeight))
	return resp, nil
}

// ChunksDir is where the chunks of a snapshot wait that a node takes from its peers: on the disk that is watched and has room for the state. The system's own
// folder for such files may be small, or be memory. A process that was killed leaves its chunks there, and nobody takes them up: every start removes it.
const ChunksDir = "data/chunks"

// MakeChunksDir makes it anew.
func MakeChunksDir(home string) (string, error) {
	dir := filepath.Join(home, ChunksDir)
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("chunks of a snapshot: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("chunks of a snapshot: %w", err)
	}
	return dir, nil
}

// chunksAsked stands before the engine's reactor for snapshots and lets through the chunks that its sender was asked for. The engine takes a chunk from anybody,
// the first that comes: a peer whose false chunk was refused, and who is asked for none any more, could put a false one before every true one for ever.
type chunksAsked struct {
	p2p.Reactor
	mu  sync.Mutex
	now map[p2p.ID]map[chunkName]struct{} // guarded by mu; asked for and not answered
}

type chunkName struct {
	height        uint64
	format, index uint32
}

// withChunksAsked puts it there.
func withChunksAsked(n *cmtnode.Node) {
	const name = "STATESYNC"
	engine, ok := n.Switch().Reactor(name)
	if !ok {
		panic("CometBFT has no reactor " + name) // bug
	}
	cmtnode.CustomReactors(map[string]p2p.Reactor{name: &chunksAsked{Reactor: engine, now: map[p2p.ID]map[chunkName]struct{}{}}})(n)
}

// Receive implements p2p.Reactor. Who offers a snapshot is who is asked for its chunks: the engine keeps him as he is named here.
func (c *chunksAsked) Receive(e p2p.Envelope) {
	switch m := e.Message.(type) {
	case *ssproto.SnapshotsResponse:
		e.Src = offering{e.Src, c}
	case *ssproto.ChunkResponse:
		if !c.answered(e.Src.ID(), chunkName{m.Height, m.Format, m.Index}) {
			return
		}
	}
	c.Reactor.Receive(e)
}

// RemovePeer implements p2p.Reactor.
func (c *chunksAsked) RemovePeer(peer p2p.Peer, reason any) {
	c.mu.Lock()
	delete(c.now, peer.ID())
	c.mu.Unlock()
	c.Reactor.RemovePeer(peer, reason)
}

// answered says whether a peer was asked for a chunk. One answer is all that it has.
func (c *chunksAsked) answered(peer p2p.ID, name chunkName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.now[peer][name]
	delete(c.now[peer], name)
	return ok
}

func (c *chunksAsked) asks(peer p2p.ID, name chunkName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[peer] == nil {
		c.now[peer] = map[chunkName]struct{}{}
	}
	c.now[peer][name] = struct{}{}
}

// offering is a peer that has offered a snapshot: what it is asked for is noted.
type offering struct {
	p2p.Peer
	c *chunksAsked
}

// Send implements p2p.Peer.
func (o offering) Send(e p2p.Envelope) bool {
	if m, ok := e.Message.(*ssproto.ChunkRequest); ok {
		o.c.asks(o.ID(), chunkName{m.Height, m.Format, m.Index})
	}
	return o.Peer.Send(e)
}
