package node

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
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
	// againAfter is how long after a peer was told of a transaction it is told again of what still waits: the peer may have had no room, may have been
	// catching up, or may have lost its own pool. A node that does not validate has no other way to a block.
	againAfter = 10 * time.Second
	// inboxMessages of a peer may wait to be checked before no more are read from its connection.
	inboxMessages = 16
	catchUpPause  = 100 * time.Millisecond // the engine's own: between looks at a peer that is behind, or whose queue was full
)

// gossip carries transactions between the mempools of members. It stands in place of the engine's own reactor, speaks the same messages, and differs
// from it in four things. Many transactions share a message. What came from a peer is passed on late (passOnAfter). What arrives is checked beside
// the connection that it came over: the engine checks in the routine that reads the connection, where votes and parts of blocks wait behind every
// signature, and behind the mempool's lock while a block is committed. And what a peer may not have kept is told again (againAfter).
type gossip struct {
	p2p.BaseReactor
	engine *mempool.Reactor
	pool   *mempool.CListMempool
	room   *room
	tell   bool          // mempool.broadcast
	passOn time.Duration // passOnAfter but in tests
	again  time.Duration // againAfter but in tests

	connections atomic.Uint64 // that were ever made
	heard       heard
}

var (
	_ p2p.Reactor        = (*gossip)(nil)
	_ p2p.MsgBytesFilter = (*gossip)(nil)
)

func newGossip(engine *mempool.Reactor, pool *mempool.CListMempool, room *room, tell bool, remember int) *gossip {
	g := &gossip{engine: engine, pool: pool, room: room, tell: tell, passOn: passOnAfter, again: againAfter, heard: newHeard(remember)}
	g.BaseReactor = *p2p.NewBaseReactor("Mempool", g)
	return g
}

// withGossip puts gossip in the place of the engine's reactor.
func withGossip(c *config.MempoolConfig, r *room) cmtnode.Option {
	return func(n *cmtnode.Node) {
		const name = "MEMPOOL"
		reactor, _ := n.Switch().Reactor(name)
		engine, ok := reactor.(*mempool.Reactor)
		pool, same := n.Mempool().(*mempool.CListMempool)
		if !ok || !same {
			panic(fmt.Sprintf("CometBFT's mempool is a %T with a %T: this program does not know how to carry its transactions", n.Mempool(), reactor)) // bug
		}
		r.pool = pool
		g := newGossip(engine, pool, r, c.Broadcast, c.CacheSize)
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

// connection is what this node keeps of a connection to a peer. A peer that comes back has another one: it may have lost what it knew.
type connection struct {
	number uint64
	inbox  chan p2p.Envelope
}

// connectionKey is where a peer keeps its connection.
const connectionKey = "xinlian.connection"

// InitPeer implements p2p.Reactor.
func (g *gossip) InitPeer(peer p2p.Peer) p2p.Peer {
	peer.Set(connectionKey, &connection{number: g.connections.Add(1), inbox: make(chan p2p.Envelope, inboxMessages)})
	return g.engine.InitPeer(peer)
}

// RemovePeer implements p2p.Reactor. What runs for a peer ends when the peer does.
func (g *gossip) RemovePeer(peer p2p.Peer, reason any) { g.engine.RemovePeer(peer, reason) }

// EnableInOutTxs is called by the engine once the node has caught up.
func (g *gossip) EnableInOutTxs() { g.engine.EnableInOutTxs() }

// WaitSync says whether the node still catches up: it neither takes nor tells transactions then.
func (g *gossip) WaitSync() bool { return g.engine.WaitSync() }

// AddPeer implements p2p.Reactor.
func (g *gossip) AddPeer(peer p2p.Peer) {
	c := peer.Get(connectionKey).(*connection)
	go g.check(peer, c)
	if g.tell {
		go g.tellPeer(peer, c)
	}
}

// Receive implements p2p.Reactor. It is called from the one routine that reads the peer's connection.
func (g *gossip) Receive(e p2p.Envelope) {
	if _, ok := e.Message.(*protomem.Txs); !ok || g.WaitSync() {
		g.engine.Receive(e)
		return
	}
	select {
	case e.Src.Get(connectionKey).(*connection).inbox <- e:
	case <-e.Src.Quit():
	case <-g.Quit():
	}
}

// check hands what a peer has sent to the mempool, in the order in which it came: a sender may build on what it sent before. A peer that has ended
// may have been the only one to have what waits here, so that is checked too.
func (g *gossip) check(peer p2p.Peer, c *connection) {
	for {
		select {
		case e := <-c.inbox:
			g.take(e, c)
		case <-g.Quit():
			return
		case <-peer.Quit():
			for {
				select {
				case e := <-c.inbox:
					g.take(e, c)
				default:
					return
				}
			}
		}
	}
}

// take hands the transactions of a message to the mempool. What finds no room is told again by who has it.
func (g *gossip) take(e p2p.Envelope, c *connection) {
	txs := e.Message.(*protomem.Txs).Txs
	if len(txs) == 0 {
		g.engine.Receive(e)
		return
	}
	now := time.Now()
	for i, tx := range txs {
		fits := g.room.take(len(tx))
		g.heard.add(c.number, tx, now)
		if !fits {
			continue
		}
		g.engine.Receive(p2p.Envelope{Src: e.Src, ChannelID: e.ChannelID, Message: &protomem.Txs{Txs: txs[i : i+1 : i+1]}})
		g.room.leave(len(tx))
	}
}

// later is a transaction that a peer is to hear of at a time, if it waits then.
type later struct {
	at *clist.CElement
	tx []byte
	by time.Time
}

// tellPeer sends a peer what waits in the mempool: at once what this node was the first to have, later what came from other peers, and again what it
// was told of and waits long. Each transaction is looked at once when it comes, and is then sent or queued: nothing falls between.
func (g *gossip) tellPeer(peer p2p.Peer, c *connection) {
	state, ok := g.stateOf(peer)
	if !ok {
		return
	}
	var (
		batch [][]byte
		size  int
		late  []later           // nearly in the order of their times: all wait alike
		long  []*clist.CElement // what was there when this was last looked at
		at    *clist.CElement   // the last that was looked at
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
	add := func(e *clist.CElement, tx []byte) bool {
		// A peer that is behind would only have to check again after each block.
		for !e.Removed() && state.GetHeight() < e.Value.(waiting).Height()-1 {
			if !send() || !g.pause(peer, catchUpPause) {
				return false
			}
		}
		if e.Removed() {
			return true
		}
		if size+len(tx) > gatherBytes && !send() {
			return false
		}
		batch, size = append(batch, tx), size+len(tx)
		return true
	}
	again := time.Now().Add(g.again)
	for {
		next := g.pool.TxsFront()
		if at != nil {
			next = at.Next()
		}
		switch {
		case next != nil:
			at = next
			if at.Removed() {
				continue
			}
			tx := bytesOf(at)
			r, second := g.heard.of(tx)
			if second && !r.knows(c.number) {
				late = append(late, later{at, tx, r.at.Add(g.passOn)})
			}
			if !second && !add(at, tx) {
				return
			}
			continue
		case at != nil && at.Removed(): // it was the last: from the front again, as the engine does
			at = nil
			continue
		}

		wake := again
		for len(late) > 0 {
			l := late[0]
			if !l.at.Removed() {
				if time.Now().Before(l.by) {
					wake = earlier(wake, l.by)
					break
				}
				// Others may have told it meanwhile, the peer too.
				if r, _ := g.heard.of(l.tx); !r.knows(c.number) && !add(l.at, l.tx) {
					return
				}
			}
			late = late[1:]
		}
		if len(late) == 0 {
			late = nil
		}
		if !time.Now().Before(again) {
			for _, e := range long {
				if e.Removed() {
					continue
				}
				tx := bytesOf(e)
				if r, _ := g.heard.of(tx); !r.knows(c.number) && !add(e, tx) {
					return
				}
			}
			long = nil
			for e := g.pool.TxsFront(); e != nil; e = e.Next() {
				long = append(long, e)
			}
			again = time.Now().Add(g.again)
			wake = earlier(wake, again)
		}
		more := g.pool.TxsWaitChan()
		if at != nil {
			more = at.NextWaitChan()
		}
		if !send() || !g.await(peer, more, time.Until(wake)) || !g.pause(peer, gatherFor) {
			return
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
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

// await waits for a channel or a time, unless the peer or the node ends first.
func (g *gossip) await(peer p2p.Peer, ch <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ch:
		return true
	case <-t.C:
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
	v := reflect.ValueOf(e.Value).Elem()
	i := txField.Load()
	if i == 0 {
		f, _ := v.Type().FieldByName("tx")
		i = int64(f.Index[0]) + 1
		txField.Store(i)
	}
	return v.Field(int(i) - 1).Bytes()
}

// txField is one more than the place of the bytes in an element; 0: not looked up.
var txField atomic.Int64

// heard remembers which transactions came from peers, in two generations of at most most. What is forgotten is told once too often. Transactions are
// told apart by a hash with a secret of this process, which is less work than SHA-256: nobody can make two that are alike to it.
type heard struct {
	most  int
	seed  maphash.Seed
	mu    sync.Mutex
	young map[uint64]rumour // guarded by mu
	old   map[uint64]rumour // guarded by mu
}

func newHeard(most int) heard {
	return heard{most: max(most, 1), seed: maphash.MakeSeed(), young: map[uint64]rumour{}}
}

// rumour is a transaction that came from peers.
type rumour struct {
	at   time.Time // first
	from []uint64  // numbers of connections
}

func (r rumour) knows(connection uint64) bool { return slices.Contains(r.from, connection) }

func (h *heard) add(connection uint64, tx []byte, now time.Time) {
	key := maphash.Bytes(h.seed, tx)
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.lookup(key)
	if !ok {
		r.at = now
	}
	if r.knows(connection) {
		return
	}
	if len(h.young) >= h.most {
		h.old, h.young = h.young, make(map[uint64]rumour, h.most)
	}
	r.from = append(r.from[:len(r.from):len(r.from)], connection) // of in another goroutine may read the old slice
	h.young[key] = r
}

func (h *heard) of(tx []byte) (rumour, bool) {
	key := maphash.Bytes(h.seed, tx)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lookup(key)
}

func (h *heard) lookup(key uint64) (rumour, bool) {
	r, ok := h.young[key]
	if !ok {
		r, ok = h.old[key]
	}
	return r, ok
}
