package node

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/clist"
	"github.com/cometbft/cometbft/mempool"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	protomem "github.com/cometbft/cometbft/proto/tendermint/mempool"
	"github.com/cometbft/cometbft/types"
)

const (
	// gatherFor is how long a transaction waits for others to share a message with: each message of a peer costs its system calls, its seals and a
	// wakeup at both ends. It is well below what a block takes.
	gatherFor = 5 * time.Millisecond
	// gatherBytes ends a message. Every peer takes messages of one transaction of pb.TxBytesMax, so of this size too.
	gatherBytes = 64 << 10
	// passOnAfter is how long a transaction that came from a peer waits before it is passed on. Who took it from its sender tells all of its peers; where
	// members' nodes are all connected, passing it on would carry it twice more to each. What still waits after this long is passed on, so that it
	// also reaches nodes that have no connection to the first.
	passOnAfter = 500 * time.Millisecond
	// inboxMessages of a peer may wait to be checked before no more are read from its connection.
	inboxMessages = 16
	catchUpPause  = 100 * time.Millisecond // the engine's own: between looks at a peer that is behind, or whose queue was full
)

// gossip carries transactions between the mempools of members. It stands in place of the engine's own reactor, speaks the same messages, and differs
// from it in three things. Many transactions share a message. What came from a peer is passed on late (passOnAfter). And what arrives is checked beside
// the connection that it came over: the engine checks in the routine that reads the connection, where votes and parts of blocks wait behind every
// signature, and behind the mempool's lock while a block is committed.
type gossip struct {
	p2p.BaseReactor
	engine *mempool.Reactor
	pool   *mempool.CListMempool
	tell   bool          // mempool.broadcast
	passOn time.Duration // passOnAfter but in tests

	heard heard
}

var (
	_ p2p.Reactor        = (*gossip)(nil)
	_ p2p.MsgBytesFilter = (*gossip)(nil)
)

func newGossip(engine *mempool.Reactor, pool *mempool.CListMempool, tell bool, remember int) *gossip {
	g := &gossip{engine: engine, pool: pool, tell: tell, passOn: passOnAfter, heard: heard{most: max(remember, 1), young: map[[32]byte]rumour{}}}
	g.BaseReactor = *p2p.NewBaseReactor("Mempool", g)
	return g
}

// withGossip puts gossip in the place of the engine's reactor.
func withGossip(c *config.MempoolConfig) cmtnode.Option {
	return func(n *cmtnode.Node) {
		const name = "MEMPOOL"
		r, _ := n.Switch().Reactor(name)
		engine, ok := r.(*mempool.Reactor)
		pool, same := n.Mempool().(*mempool.CListMempool)
		if !ok || !same {
			panic(fmt.Sprintf("CometBFT's mempool is a %T with a %T: this program does not know how to carry its transactions", n.Mempool(), r)) // bug
		}
		g := newGossip(engine, pool, c.Broadcast, c.CacheSize)
		g.SetLogger(engine.Logger)
		cmtnode.CustomReactors(map[string]p2p.Reactor{name: g})(n)
	}
}

// SetSwitch implements p2p.Reactor.
func (g *gossip) SetSwitch(sw p2p.Switcher) {
	g.BaseReactor.SetSwitch(sw)
	g.engine.SetSwitch(sw)
}

// GetChannels implements p2p.Reactor.
func (g *gossip) GetChannels() []*p2p.ChannelDescriptor { return g.engine.GetChannels() }

// FilterMsgBytes implements p2p.MsgBytesFilter.
func (g *gossip) FilterMsgBytes(ch byte, from p2p.Peer, raw []byte) error {
	return g.engine.FilterMsgBytes(ch, from, raw)
}

// InitPeer implements p2p.Reactor.
func (g *gossip) InitPeer(peer p2p.Peer) p2p.Peer { return g.engine.InitPeer(peer) }

// RemovePeer implements p2p.Reactor. What runs for a peer ends when the peer does.
func (g *gossip) RemovePeer(peer p2p.Peer, reason any) { g.engine.RemovePeer(peer, reason) }

// EnableInOutTxs is called by the engine once the node has caught up.
func (g *gossip) EnableInOutTxs() { g.engine.EnableInOutTxs() }

// WaitSync says whether the node still catches up: it neither takes nor tells transactions then.
func (g *gossip) WaitSync() bool { return g.engine.WaitSync() }

// AddPeer implements p2p.Reactor.
func (g *gossip) AddPeer(peer p2p.Peer) {
	if g.tell {
		go g.tellPeer(peer, false)
		go g.tellPeer(peer, true)
	}
}

// inboxKey is where a peer keeps its inbox.
const inboxKey = "xinlian.inbox"

// Receive implements p2p.Reactor. It is called from the one routine that reads the peer's connection.
func (g *gossip) Receive(e p2p.Envelope) {
	if _, ok := e.Message.(*protomem.Txs); !ok || g.WaitSync() {
		g.engine.Receive(e)
		return
	}
	inbox, ok := e.Src.Get(inboxKey).(chan p2p.Envelope)
	if !ok {
		inbox = make(chan p2p.Envelope, inboxMessages)
		e.Src.Set(inboxKey, inbox)
		go g.check(e.Src, inbox)
	}
	select {
	case inbox <- e:
	case <-e.Src.Quit():
	case <-g.Quit():
	}
}

// check hands what a peer has sent to the mempool, in the order in which it came: a sender may build on what it sent before.
func (g *gossip) check(peer p2p.Peer, inbox <-chan p2p.Envelope) {
	for {
		select {
		case e := <-inbox:
			g.heard.add(peer.ID(), e.Message.(*protomem.Txs).Txs, time.Now())
			g.engine.Receive(e)
		case <-peer.Quit():
			return
		case <-g.Quit():
			return
		}
	}
}

// tellPeer sends a peer what waits in the mempool: at once what this node was the first to have, or, with late, what came from other peers.
func (g *gossip) tellPeer(peer p2p.Peer, late bool) {
	state, ok := g.stateOf(peer)
	if !ok {
		return
	}
	var (
		batch [][]byte
		size  int
	)
	send := func() bool {
		for len(batch) > 0 {
			if peer.Send(p2p.Envelope{ChannelID: mempool.MempoolChannel, Message: &protomem.Txs{Txs: batch}}) {
				batch, size = nil, 0
				return true
			}
			if !g.pause(peer, catchUpPause) {
				return false
			}
		}
		return true
	}
	at := g.pool.TxsFront()
	for {
		if at == nil {
			if !send() || !g.await(peer, g.pool.TxsWaitChan()) || !g.pause(peer, gatherFor) {
				return
			}
			at = g.pool.TxsFront()
			continue
		}
		// A peer that is behind would only have to check again after each block.
		for state.GetHeight() < at.Value.(waiting).Height()-1 {
			if !send() || !g.pause(peer, catchUpPause) {
				return
			}
		}
		tx := bytesOf(at)
		r, second := g.heard.of(tx)
		if late && second {
			if wait := time.Until(r.at.Add(g.passOn)); wait > 0 {
				if !send() || !g.pause(peer, wait) {
					return
				}
				r, second = g.heard.of(tx) // who else has sent it meanwhile
			}
		}
		if second == late && !at.Removed() && !r.knows(peer.ID()) {
			if size+len(tx) > gatherBytes && !send() {
				return
			}
			batch, size = append(batch, tx), size+len(tx)
		}
		next := at.Next()
		if next == nil {
			if !send() || !g.await(peer, at.NextWaitChan()) || !g.pause(peer, gatherFor) {
				return
			}
			next = at.Next() // nil: it was the last and is gone; from the front again, as the engine does
		}
		at = next
	}
}

// stateOf waits until the node has caught up and the engine knows at which height a peer is.
func (g *gossip) stateOf(peer p2p.Peer) (mempool.PeerState, bool) {
	for {
		if s, ok := peer.Get(types.PeerStateKey).(mempool.PeerState); ok && !g.WaitSync() {
			return s, true
		}
		if !g.pause(peer, catchUpPause) {
			return nil, false
		}
	}
}

// await waits for a channel, unless the peer or the node ends first.
func (g *gossip) await(peer p2p.Peer, ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	case <-peer.Quit():
	case <-g.Quit():
	}
	return false
}

// pause waits for a time, unless the peer or the node ends first.
func (g *gossip) pause(peer p2p.Peer, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-peer.Quit():
	case <-g.Quit():
	}
	return false
}

// waiting is what the mempool shows of a transaction in its list: the height at which it was checked.
type waiting interface{ Height() int64 }

// bytesOf reads a transaction out of the mempool's list. The engine gives no other way to follow the list, and keeps the type of its elements to
// itself; TestGossip fails where it has changed.
func bytesOf(e *clist.CElement) []byte {
	return reflect.ValueOf(e.Value).Elem().FieldByName("tx").Bytes()
}

// heard remembers which transactions came from peers, in two generations of at most most. What is forgotten is told once too often.
type heard struct {
	most  int
	mu    sync.Mutex
	young map[[32]byte]rumour // guarded by mu
	old   map[[32]byte]rumour // guarded by mu
}

// rumour is a transaction that came from peers.
type rumour struct {
	at   time.Time // first
	from []p2p.ID
}

func (r rumour) knows(peer p2p.ID) bool {
	for _, p := range r.from {
		if p == peer {
			return true
		}
	}
	return false
}

func (h *heard) add(peer p2p.ID, txs [][]byte, now time.Time) {
	for _, tx := range txs {
		key := sha256.Sum256(tx)
		h.mu.Lock()
		r, ok := h.lookup(key)
		if !ok {
			r.at = now
		}
		if !r.knows(peer) {
			if len(h.young) >= h.most {
				h.old, h.young = h.young, make(map[[32]byte]rumour, h.most)
			}
			r.from = append(r.from[:len(r.from):len(r.from)], peer) // of in another goroutine may read the old slice
			h.young[key] = r
		}
		h.mu.Unlock()
	}
}

func (h *heard) of(tx []byte) (rumour, bool) {
	key := sha256.Sum256(tx)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lookup(key)
}

func (h *heard) lookup(key [32]byte) (rumour, bool) {
	r, ok := h.young[key]
	if !ok {
		r, ok = h.old[key]
	}
	return r, ok
}
