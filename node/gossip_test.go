package node

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cometbft/cometbft/abci/example/kvstore"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	protomem "github.com/cometbft/cometbft/proto/tendermint/mempool"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"
)

// checks is CometBFT's kvstore; it counts checks, and holds them up while held is open.
type checks struct {
	*kvstore.Application
	n     atomic.Int64
	held  chan struct{} // nil: not held up
	begun chan string   // takes each transaction at the beginning of its check; nil: nobody asks
}

func (a *checks) CheckTx(ctx context.Context, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if a.begun != nil {
		a.begun <- string(req.Tx)
	}
	if a.held != nil {
		<-a.held
	}
	a.n.Add(1)
	return a.Application.CheckTx(ctx, req)
}

// aside is a reactor of another channel.
type aside struct {
	p2p.BaseReactor
	got atomic.Int64
}

const asideChannel = byte(0x70)

func (r *aside) GetChannels() []*p2p.ChannelDescriptor {
	return []*p2p.ChannelDescriptor{{ID: asideChannel, Priority: 1, MessageType: &protomem.Message{}}}
}
func (r *aside) Receive(p2p.Envelope) { r.got.Add(1) }

// carrier is a node as far as it carries transactions.
type carrier struct {
	app      *checks
	pool     *mempool.CListMempool
	sw       *p2p.Switch
	gossip   *gossip // nil: the engine's own
	aside    *aside
	messages atomic.Int64 // received
	txs      atomic.Int64 // in them
}

// tap counts what a reactor receives.
type tap struct {
	p2p.Reactor
	c *carrier
}

func (t tap) Receive(e p2p.Envelope) {
	t.c.messages.Add(1)
	t.c.txs.Add(int64(len(e.Message.(*protomem.Txs).Txs)))
	t.Reactor.Receive(e)
}

type atHeight struct{}

func (atHeight) GetHeight() int64 { return 1 }

// firstLogger makes the logger that all switches of CometBFT's tests share: it is made by whoever asks first, without a lock.
var firstLogger = sync.OnceFunc(func() { log.TestingLogger() })

// carriers connects nodes as joined says. plain nodes have the engine's own reactor.
func carriers(t *testing.T, n int, passOn, again time.Duration, plain func(i int) bool, joined func(i, j int) bool) []*carrier {
	t.Helper()
	firstLogger()
	cfg := cmtcfg.TestConfig()
	all := make([]*carrier, n)
	switches := p2p.MakeConnectedSwitches(cfg.P2P, n, func(i int, sw *p2p.Switch) *p2p.Switch {
		c := &carrier{app: &checks{Application: kvstore.NewInMemoryApplication()}, sw: sw, aside: &aside{}}
		client, err := proxy.NewLocalClientCreator(c.app).NewABCIClient()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		c.pool = mempool.NewCListMempool(cfg.Mempool, proxy.NewAppConnMempool(client, proxy.NopMetrics()), 0)
		engine := mempool.NewReactor(cfg.Mempool, c.pool, false)
		engine.SetLogger(log.NewNopLogger())
		var r p2p.Reactor = engine
		if !plain(i) {
			g := newGossip(engine, c.pool, &room{pool: c.pool, txs: int64(cfg.Mempool.Size), bytes: cfg.Mempool.MaxTxsBytes}, true, 10_000)
			g.passOn, g.again = passOn, again
			c.gossip = g
			r = g
		}
		sw.AddReactor("MEMPOOL", tap{r, c})
		c.aside.BaseReactor = *p2p.NewBaseReactor("ASIDE", c.aside)
		sw.AddReactor("ASIDE", c.aside)
		all[i] = c
		return sw
	}, func(sw []*p2p.Switch, i, j int) {
		if joined(i, j) {
			p2p.Connect2Switches(sw, i, j)
		}
	})
	for _, sw := range switches {
		sw.SetLogger(log.NewNopLogger())
		t.Cleanup(func() { _ = sw.Stop() })
		for _, p := range sw.Peers().Copy() {
			p.Set(types.PeerStateKey, atHeight{})
		}
	}
	return all
}

func nobody(int) bool          { return false }
func neighbours(i, j int) bool { return j == i+1 }
func everybody(int, int) bool  { return true }

func (c *carrier) submit(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := c.pool.CheckTx(kvstore.NewTxFromID(i), nil, mempool.TxInfo{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGossip: transactions reach all nodes in the order in which they were submitted, also nodes that are not connected to the first, and nodes with
// the engine's own reactor among them.
func TestGossip(t *testing.T) {
	t.Parallel()
	for _, plain := range []int{-1, 0, 1, 2} {
		t.Run(fmt.Sprintf("plain=%d", plain), func(t *testing.T) {
			t.Parallel()
			all := carriers(t, 3, time.Millisecond, time.Hour, func(i int) bool { return i == plain }, neighbours)
			const n = 50
			all[0].submit(t, 0, n)
			for i, c := range all {
				eventually(t, fmt.Sprintf("node %d has all transactions", i), func() bool { return c.pool.Size() == n })
				for k, tx := range c.pool.ReapMaxTxs(-1) {
					if !bytes.Equal(tx, kvstore.NewTxFromID(k)) {
						t.Fatalf("node %d has %q at place %d", i, tx, k)
					}
				}
			}
		})
	}
}

// TestGossipOnce: where all are connected each node is told of a transaction once, many in a message; with the engine's reactor it is told by each of
// its peers.
func TestGossipOnce(t *testing.T) {
	t.Parallel()
	all := carriers(t, 4, time.Hour, time.Hour, nobody, everybody)
	const n = 200
	for i, c := range all {
		c.submit(t, i*n, (i+1)*n)
	}
	for i, c := range all {
		eventually(t, fmt.Sprintf("node %d has all transactions", i), func() bool { return c.pool.Size() == 4*n })
		if got := c.txs.Load(); got != 3*n {
			t.Errorf("node %d was told of %d transactions: %d are not its own", i, got, 3*n)
		}
		if m := c.messages.Load(); m > 3*n/2 {
			t.Errorf("node %d got %d messages for %d transactions", i, m, 3*n)
		}
	}
}

// TestGossipLate: a node that comes when transactions wait already learns of those that others brought, too.
func TestGossipLate(t *testing.T) {
	t.Parallel()
	all := carriers(t, 3, time.Millisecond, time.Hour, nobody, func(i, j int) bool { return i == 0 && j == 1 })
	all[0].submit(t, 0, 10)
	eventually(t, "the second has them", func() bool { return all[1].pool.Size() == 10 })
	p2p.Connect2Switches([]*p2p.Switch{all[1].sw, all[2].sw}, 0, 1)
	meet(all[1])
	eventually(t, "the third has them", func() bool { return all[2].pool.Size() == 10 })
}

// TestGossipBeside: what comes over the same connection does not wait for checks.
func TestGossipBeside(t *testing.T) {
	t.Parallel()
	all := carriers(t, 2, time.Hour, time.Hour, nobody, everybody)
	all[1].app.held = make(chan struct{})
	all[0].submit(t, 0, 5)
	eventually(t, "a message has come", func() bool { return all[1].messages.Load() > 0 })
	for _, p := range all[0].sw.Peers().Copy() {
		p.Send(p2p.Envelope{ChannelID: asideChannel, Message: &protomem.Txs{Txs: [][]byte{{1}}}})
	}
	eventually(t, "another channel's message has come", func() bool { return all[1].aside.got.Load() == 1 })
	if n := all[1].app.n.Load(); n != 0 {
		t.Fatalf("%d transactions are checked while checks are held up", n)
	}
	close(all[1].app.held)
	eventually(t, "all are checked", func() bool { return all[1].pool.Size() == 5 })
}

// meet lets the switches' peers know at which height each other is.
func meet(all ...*carrier) {
	for _, c := range all {
		for _, p := range c.sw.Peers().Copy() {
			p.Set(types.PeerStateKey, atHeight{})
		}
	}
}

// TestGossipAgain: who had no room for a transaction is told of it again when it has waited long.
func TestGossipAgain(t *testing.T) {
	t.Parallel()
	all := carriers(t, 2, time.Hour, 20*time.Millisecond, nobody, everybody)
	const full, n = 5, 3
	all[1].gossip.room.txs = full
	all[1].submit(t, 0, full)
	eventually(t, "the first has what the second has", func() bool { return all[0].pool.Size() == full })
	all[0].submit(t, full, full+n)
	eventually(t, "the second was told and had no room", func() bool {
		_, ok := all[1].gossip.heard.of(kvstore.NewTxFromID(full + n - 1))
		return ok
	})
	if got := all[1].pool.Size(); got != full {
		t.Fatalf("the second has %d transactions, it has room for %d", got, full)
	}
	all[1].pool.Flush()
	eventually(t, "the second has what it had no room for", func() bool { return all[1].pool.Size() == n })
}

// TestGossipReturn: a peer that comes back is told what it told before: it may have lost it.
func TestGossipReturn(t *testing.T) {
	t.Parallel()
	all := carriers(t, 2, time.Millisecond, time.Hour, nobody, everybody)
	const n = 5
	all[0].submit(t, 0, n)
	eventually(t, "the second has them", func() bool { return all[1].pool.Size() == n })
	for _, c := range all {
		for _, p := range c.sw.Peers().Copy() {
			c.sw.StopPeerGracefully(p)
		}
	}
	eventually(t, "they are apart", func() bool { return all[0].sw.Peers().Size()+all[1].sw.Peers().Size() == 0 })
	all[0].pool.Flush()
	p2p.Connect2Switches([]*p2p.Switch{all[0].sw, all[1].sw}, 0, 1)
	meet(all...)
	eventually(t, "the first has them again", func() bool { return all[0].pool.Size() == n })
}

// TestGossipLast: what a peer has sent is checked although the peer has ended meanwhile.
func TestGossipLast(t *testing.T) {
	t.Parallel()
	all := carriers(t, 2, time.Hour, time.Hour, nobody, everybody)
	all[1].app.held = make(chan struct{})
	for i := range 3 {
		all[0].submit(t, i, i+1)
		eventually(t, "a message has come", func() bool { return all[1].messages.Load() == int64(i)+1 })
	}
	for _, p := range all[1].sw.Peers().Copy() {
		all[1].sw.StopPeerGracefully(p)
	}
	close(all[1].app.held)
	eventually(t, "all are checked", func() bool { return all[1].pool.Size() == 3 })
}

// TestRoom: what is being checked has its room, and no more than there is is ever given.
func TestRoom(t *testing.T) {
	t.Parallel()
	all := carriers(t, 1, time.Hour, time.Hour, nobody, everybody)
	r := &room{pool: all[0].pool, txs: 10, bytes: 1000}
	all[0].submit(t, 0, 4)
	for i := range 6 {
		if !r.take(10) {
			t.Fatalf("no room for transaction %d", 4+i)
		}
	}
	if r.take(10) {
		t.Fatal("room for eleven of ten")
	}
	r.leave(10)
	if r.take(1000) {
		t.Fatal("room for more bytes than there are")
	}
	if !r.take(10) {
		t.Fatal("no room where one has left")
	}
}

// TestHeard: what is remembered of peers, and that it is bounded.
func TestHeard(t *testing.T) {
	t.Parallel()
	h := newHeard(2)
	at := time.Unix(1, 0)
	h.add(1, []byte{1}, at)
	h.add(2, []byte{1}, at.Add(time.Second))
	r, ok := h.of([]byte{1})
	if !ok || !r.at.Equal(at) || !r.knows(1) || !r.knows(2) || r.knows(3) {
		t.Fatalf("%v %v", r, ok)
	}
	for i := byte(2); i < 100; i++ {
		h.add(1, []byte{i}, at)
		if _, ok := h.of([]byte{i}); !ok || len(h.young)+len(h.old) > 2*h.most {
			t.Fatalf("after %d: known %v, %d and %d are remembered", i, ok, len(h.young), len(h.old))
		}
	}
	if _, ok := h.of([]byte{1}); ok {
		t.Error("nothing is forgotten")
	}
}
