package node

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/p2p"
	ssproto "github.com/cometbft/cometbft/proto/tendermint/statesync"
	"github.com/cometbft/cometbft/statesync"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/join"
)

// beside makes an empty home for the chain of another.
func beside(t *testing.T, other Config) Config {
	t.Helper()
	c := Config{Home: t.TempDir(), Settings: other.Settings, Engine: EngineDefaults(86400)}
	c.Engine.SetRoot(c.Home)
	c.Engine.RPC.ListenAddress = ""
	if err := WriteConfig(c, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := InitKeys(c); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(other.Engine.GenesisFile())
	if err == nil {
		err = InstallGenesis(c, raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// freeAddr is an address that nobody listens on, below those that systems give to outgoing connections.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no address is free")
	return ""
}

// said is a log that is read while it is written.
type said struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// lines are those that hold every one of some texts.
func (s *said) lines(texts ...string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
lines:
	for line := range strings.Lines(s.all.String()) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue lines
			}
		}
		found = append(found, line)
	}
	return found
}

// headers are what a node that runs has of its chain.
type headers struct{ *Node }

func (h headers) Signed(_ context.Context, height int64) (*types.SignedHeader, error) {
	header, commit := h.blocks.Header(height), h.blocks.Commit(height)
	if header == nil || commit == nil {
		return nil, fmt.Errorf("no header %d", height)
	}
	return &types.SignedHeader{Header: header, Commit: commit}, nil
}

func (h headers) Validators(_ context.Context, height int64) (*types.ValidatorSet, error) {
	return h.blocks.Validators(height)
}

// liar is a peer that offers a true snapshot and sends false chunks of it. It has no home and no chain: what it offers, it has from an honest node.
type liar struct {
	p2p.BaseReactor
	from    *app.App
	sw      *p2p.Switch
	victim  chan p2p.Peer
	asked   chan *ssproto.ChunkRequest
	answers chan *ssproto.ChunkResponse // of the victim
}

func newLiar(t *testing.T, chainID string, from *app.App) *liar {
	t.Helper()
	l := &liar{
		from: from, victim: make(chan p2p.Peer, 1),
		asked: make(chan *ssproto.ChunkRequest, 100), answers: make(chan *ssproto.ChunkResponse, 100),
	}
	l.BaseReactor = *p2p.NewBaseReactor("StateSync", l)
	key := p2p.NodeKey{PrivKey: ed25519.GenPrivKey()}
	info := p2p.DefaultNodeInfo{
		ProtocolVersion: p2p.NewProtocolVersion(version.P2PProtocol, version.BlockProtocol, 0),
		DefaultNodeID:   key.ID(), ListenAddr: "127.0.0.1:0", Network: chainID, Version: version.TMCoreSemVer, Moniker: "liar",
		Channels: []byte{statesync.SnapshotChannel, statesync.ChunkChannel},
	}
	cfg := EngineDefaults(86400).P2P
	l.sw = p2p.NewSwitch(cfg, p2p.NewMultiplexTransport(info, key, p2p.MConnConfig(cfg)))
	l.sw.SetLogger(log.NewNopLogger())
	l.sw.SetNodeKey(&key)
	l.sw.SetNodeInfo(info)
	l.sw.AddReactor("STATESYNC", l)
	if err := l.sw.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.sw.Stop() })
	return l
}

// GetChannels implements p2p.Reactor: those of the engine's.
func (l *liar) GetChannels() []*p2p.ChannelDescriptor { return new(statesync.Reactor).GetChannels() }

// AddPeer implements p2p.Reactor.
func (l *liar) AddPeer(p p2p.Peer) { l.victim <- p }

// Receive implements p2p.Reactor.
func (l *liar) Receive(e p2p.Envelope) {
	switch m := e.Message.(type) {
	case *ssproto.SnapshotsRequest:
		l.offer(e.Src)
	case *ssproto.ChunkRequest:
		l.asked <- m
		l.lie(e.Src, m)
	case *ssproto.ChunkResponse:
		l.answers <- m
	}
}

func (l *liar) offer(to p2p.Peer) bool {
	list, err := l.from.ListSnapshots(context.Background(), nil)
	if err != nil || len(list.Snapshots) != 1 {
		return false
	}
	s := list.Snapshots[0]
	return to.Send(p2p.Envelope{ChannelID: statesync.SnapshotChannel, Message: &ssproto.SnapshotsResponse{
		Height: s.Height, Format: s.Format, Chunks: s.Chunks, Hash: s.Hash, Metadata: s.Metadata,
	}})
}

// lie sends a chunk with one bit that is not the true one's.
func (l *liar) lie(to p2p.Peer, m *ssproto.ChunkRequest) bool {
	resp, err := l.from.LoadSnapshotChunk(context.Background(), &abci.RequestLoadSnapshotChunk{Height: m.Height, Format: m.Format, Chunk: m.Index})
	if err != nil || len(resp.Chunk) == 0 {
		return false
	}
	forged := bytes.Clone(resp.Chunk)
	forged[len(forged)/2] ^= 1
	return to.Send(p2p.Envelope{ChannelID: statesync.ChunkChannel, Message: &ssproto.ChunkResponse{Height: m.Height, Format: m.Format, Index: m.Index, Chunk: forged}})
}

// TestLyingPeer: over connections between real nodes, an empty home takes a snapshot of which its first peer sends a false chunk. It refuses the chunk, asks that peer no
// more, takes nothing that he sends or offers afterwards, and finishes with the chunk of an honest peer, at the chain's own app hash.
func TestLyingPeer(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the engine's own timeouts")
	}
	t.Parallel()
	home := lone(t)
	honest := startNode(t, home)
	eventually(t, "blocks come", func() bool { return honest.Height() >= 3 })
	made, err := honest.App().MakeSnapshot(t.Context(), honest.App().Status().Height, filepath.Join(home.Home, SnapshotDir))
	if err != nil {
		t.Fatal(err)
	}
	height := int64(made.Height)
	eventually(t, "later headers prove it", func() bool { return honest.Blocks().Latest() > height+2 })

	c := beside(t, home)
	c.Engine.P2P.ListenAddress = "tcp://" + freeAddr(t)
	c.Engine.P2P.AllowDuplicateIP = true // both peers are of this machine
	c.Engine.StateSync.ChunkRequestTimeout = 5 * time.Second
	doc, log := honest.Genesis(), new(said)
	joiner, err := New(c, Options{
		Logger: slog.New(slog.NewTextHandler(log, nil)),
		StateProvider: &join.Provider{
			Sources: []join.Source{{Name: "honest", Headers: headers{honest}}}, Genesis: doc,
			Trust: func(int64) (*join.Trusted, error) { return join.TrustGenesis(doc), nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { joiner.Stop() })
	if err := joiner.Start(); err != nil {
		t.Fatal(err)
	}
	at, err := p2p.NewNetAddressString(p2p.IDAddressString(joiner.engine.NodeInfo().ID(), c.Engine.P2P.ListenAddress))
	if err != nil {
		t.Fatal(err)
	}

	// The liar is the only peer at first, so that it is the one who is asked.
	l := newLiar(t, doc.ChainID, honest.App())
	if err := l.sw.DialPeerWithAddress(at); err != nil {
		t.Fatal(err)
	}
	victim := <-l.victim
	refused := func() int { return len(log.lines("chunk refused", "sender="+string(l.sw.NodeInfo().ID()))) }
	eventually(t, "its chunk is refused, and nobody is left to be asked", func() bool {
		if len(l.asked) > 1 {
			t.Fatal("the liar is asked again")
		}
		return refused() > 0 && len(log.lines("No valid peers found for snapshot")) > 0
	})

	// It offers again, and sends the chunk that is waited for again, before anybody else can. The answer to its question says that this chunk has arrived.
	asked := <-l.asked
	if !l.offer(victim) || !l.lie(victim, asked) || !victim.Send(p2p.Envelope{ChannelID: statesync.ChunkChannel, Message: asked}) {
		t.Fatal("not sent")
	}
	select {
	case answer := <-l.answers:
		if !answer.Missing {
			t.Error("who joins has a snapshot to give")
		}
	case <-time.After(patience):
		t.Fatal("who joins does not answer")
	}

	if err := honest.engine.Switch().(*p2p.Switch).DialPeerWithAddress(at); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it follows the chain", func() bool { return joiner.Height() > height+2 })
	if n := refused(); n != 1 || len(l.asked) > 0 {
		t.Errorf("the liar sent a false chunk when it was asked, and one when not: %d were looked at, and it was asked %d more times", n, len(l.asked))
	}
	if restored := log.lines("snapshot restored", fmt.Sprintf("height=%d", height)); len(restored) != 1 {
		t.Errorf("it did not begin with the snapshot: %q", restored)
	}
	if base := joiner.Blocks().Base(); base != height+1 {
		t.Errorf("its first block is %d, the snapshot is of %d", base, height)
	}
	for h := height + 1; h <= height+2; h++ {
		if mine, theirs := joiner.Blocks().Header(h), honest.Blocks().Header(h); mine == nil || !bytes.Equal(mine.AppHash, theirs.AppHash) {
			t.Errorf("header %d: %v, and of the honest node %v", h, mine, theirs)
		}
	}
	own := joiner.App().Status()
	eventually(t, "the honest node has the header after that height", func() bool { return honest.Blocks().Header(own.Height+1) != nil })
	if theirs := honest.Blocks().Header(own.Height + 1).AppHash; !bytes.Equal(own.AppHash, theirs) {
		t.Errorf("at height %d it computed the app hash %x, the chain has %x", own.Height, own.AppHash, theirs)
	}
}
