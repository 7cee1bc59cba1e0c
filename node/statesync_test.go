package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cometbft/cometbft/p2p"
	p2pmock "github.com/cometbft/cometbft/p2p/mock"
	ssproto "github.com/cometbft/cometbft/proto/tendermint/statesync"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
)

// syncing is the engine's reactor as far as chunks go: it keeps who offers a snapshot, and takes every chunk.
type syncing struct {
	p2p.BaseReactor
	offers []p2p.Peer
	chunks []p2p.ID
}

func (s *syncing) Receive(e p2p.Envelope) {
	switch e.Message.(type) {
	case *ssproto.SnapshotsResponse:
		s.offers = append(s.offers, e.Src)
	case *ssproto.ChunkResponse:
		s.chunks = append(s.chunks, e.Src.ID())
	}
}

// TestChunksAsked: a chunk passes once, from whoever was asked for it.
func TestChunksAsked(t *testing.T) {
	t.Parallel()
	engine := &syncing{}
	engine.BaseReactor = *p2p.NewBaseReactor("StateSync", engine)
	c := &chunksAsked{Reactor: engine, now: map[p2p.ID]map[chunkName]struct{}{}}
	honest, liar := p2pmock.NewPeer(nil), p2pmock.NewPeer(nil)
	chunk := func(from p2p.Peer, height uint64, index uint32) (taken bool) {
		before := len(engine.chunks)
		c.Receive(p2p.Envelope{Src: from, Message: &ssproto.ChunkResponse{Height: height, Format: 2, Index: index, Chunk: []byte{1}}})
		return len(engine.chunks) > before
	}
	for _, p := range []p2p.Peer{honest, liar} {
		c.Receive(p2p.Envelope{Src: p, Message: &ssproto.SnapshotsResponse{Height: 9, Format: 2, Chunks: 3}})
	}
	if chunk(liar, 9, 0) {
		t.Error("a chunk that nobody asked for is taken")
	}
	ask := func(i int, index uint32) {
		if !engine.offers[i].Send(p2p.Envelope{Message: &ssproto.ChunkRequest{Height: 9, Format: 2, Index: index}}) {
			t.Error("not sent")
		}
	}
	ask(1, 0)
	if chunk(liar, 9, 1) || chunk(liar, 8, 0) || chunk(honest, 9, 0) || !chunk(liar, 9, 0) {
		t.Error("the liar was asked for chunk 0 of height 9 alone")
	}
	// Its chunk is false, and the honest one is asked: the liar's next try comes first.
	ask(0, 0)
	if chunk(liar, 9, 0) || !chunk(honest, 9, 0) || chunk(honest, 9, 0) {
		t.Error("the honest one was asked for chunk 0")
	}
	ask(0, 1)
	c.RemovePeer(honest, nil)
	if chunk(honest, 9, 1) || len(c.now) != 1 {
		t.Error("a peer that has left is remembered")
	}
}

// slowProvider answers when its caller has enough of it.
type slowProvider struct {
	statesync.StateProvider
	asked chan struct{}
}

func (p slowProvider) State(ctx context.Context, _ uint64) (sm.State, error) {
	close(p.asked)
	<-ctx.Done()
	return sm.State{}, ctx.Err()
}

// TestStopWhileBlockTimeIsAsked: a stop does not wait for gateways that are asked about a snapshot.
func TestStopWhileBlockTimeIsAsked(t *testing.T) {
	t.Parallel()
	p := slowProvider{asked: make(chan struct{})}
	n, err := New(lone(t), Options{StateProvider: p})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		if n.work.begin() { // as an offer of a snapshot
			defer n.work.end()
		}
		_, err := n.blockTime(context.Background(), 7)
		ended <- err
	}()
	<-p.asked
	stopped := make(chan error)
	go func() { stopped <- n.Stop() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it knows the time")
		}
	case <-time.After(patience):
		t.Fatal("the gateways are still asked")
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestChunksLeft: any start removes the chunks that a join has left which was killed.
func TestChunksLeft(t *testing.T) {
	c := lone(t)
	dir, err := MakeChunksDir(c.Home)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "left"), make([]byte, 1000), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	startNode(t, c)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("they are there: %v", err)
	}
}

// TestChunksDir: the chunks of a snapshot lie in the home, and those that a killed process has left are gone.
func TestChunksDir(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for range 2 {
		dir, err := MakeChunksDir(home)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 || filepath.Dir(dir) != filepath.Join(home, "data") {
			t.Errorf("%s: %v %v", dir, left, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "left"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
