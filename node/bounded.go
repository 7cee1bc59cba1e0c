package node

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"

	"github.com/xinlian-ledger/xinlian/node/peer"
)

// bounded is a listener with a bound on its open connections, and on those of one peer (连接数上限). An open connection is a file descriptor and some 30 KB, whether or not anything is
// asked over it; a process without a descriptor left opens no file of its state either. Peers on this machine and trusted proxies are held to no share: behind a proxy, all readers are one such peer.
//
// A connection beyond the bounds is accepted and told so: one answer, 503 E_BUSY, and it ends. If it waited in the system's queue instead, its reader would wait without a word for somebody who
// may keep his connection for minutes; and that a peer has its share is known only of a connection that was accepted. So many as turnedMost are told at a time, by net/http, with its times; those
// beyond are closed at once.
type bounded struct {
	net.Listener
	most, share int
	proxies     peer.Proxies
	count       counted
	from        func(net.Conn) string // whom it is from; a test has peers of other machines

	mu     sync.Mutex
	open   int            // guarded by mu; those that are let in
	turned int            // guarded by mu; those that are being told
	peers  map[string]int // guarded by mu; those let in of each peer that has a share
}

// counted is told of connections: the open ones, and those that were turned away.
type counted struct {
	opened func(by int)
	turned func()
}

const (
	turnedMost   = 64
	operatorMost = 64 // connections of metrics.listen
)

func newBounded(l net.Listener, most, share int, proxies peer.Proxies, count counted) *bounded {
	return &bounded{Listener: l, most: most, share: share, proxies: proxies, count: count, peers: map[string]int{}, from: func(c net.Conn) string { return c.RemoteAddr().String() }}
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp := c.(*net.TCPConn) // a listener of any other network is a bug
		if h := b.admit(tcp, b.from(tcp)); h != nil {
			return h, nil
		}
		tcp.Close()
	}
}

// admit gives a connection its place, or one among those that are told that there is none; nil: there is none of these either.
func (b *bounded) admit(tcp *net.TCPConn, addr string) *held {
	of := ""
	if !peer.Local(addr) && !b.proxies.Has(addr) {
		of = peer.Of(addr)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	h := &held{TCPConn: tcp}
	switch {
	case of != "" && b.peers[of] >= b.share:
		h.why = shareTaken
	case b.open >= b.most:
		h.why = allTaken
	}
	if h.why == letIn {
		b.open++
		b.count.opened(1)
		if of != "" {
			b.peers[of]++
		}
		h.leave = func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.open--
			b.count.opened(-1)
			if of == "" {
				return
			}
			if b.peers[of]--; b.peers[of] == 0 {
				delete(b.peers, of)
			}
		}
		return h
	}
	b.count.turned()
	if b.turned >= turnedMost {
		return nil
	}
	b.turned++
	h.leave = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.turned--
	}
	return h
}

// held is a connection with its place.
type held struct {
	*net.TCPConn
	why   turnedWhy
	once  sync.Once
	leave func()
}

// Close implements net.Conn.
func (h *held) Close() error {
	err := h.TCPConn.Close()
	h.once.Do(h.leave)
	return err
}

// turnedWhy says why a connection is turned away.
type turnedWhy int

const (
	letIn turnedWhy = iota
	shareTaken
	allTaken
)

// turnedAway says whether a connection has no place.
func turnedAway(c net.Conn) bool {
	h, ok := c.(*held)
	return ok && h.why != letIn
}

type turnedKey struct{}

// turnedContext is http.Server.ConnContext: requests over a connection that is turned away know it.
func turnedContext(ctx context.Context, c net.Conn) context.Context {
	if turnedAway(c) {
		return context.WithValue(ctx, turnedKey{}, c.(*held).why)
	}
	return ctx
}

// A TurnAway is a handler that says itself that there is no room for a connection: of all, or of this peer.
type TurnAway interface {
	TurnAway(w http.ResponseWriter, r *http.Request, ofPeer bool)
}

// turning lets a handler answer over connections that are let in; over others it is said that there are too many, and they end.
func turning(h http.Handler) http.Handler {
	say, ok := h.(TurnAway)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		why, turned := r.Context().Value(turnedKey{}).(turnedWhy)
		switch {
		case !turned:
			h.ServeHTTP(w, r)
		case ok:
			w.Header().Set("Connection", "close")
			say.TurnAway(w, r, why == shareTaken)
		default:
			w.Header().Set("Connection", "close")
			http.Error(w, "as many connections are open as may be", http.StatusServiceUnavailable)
		}
	})
}

// filesSpare is room for files that the node opens later: tables of the state, snapshots, what a compaction writes.
const filesSpare = 1024

// checkFiles says once where the process may open fewer files than the settings ask for: it would turn nobody away before its own files cannot be opened. The Go runtime has raised the
// limit to as much as the process may ask for.
func (n *Node) checkFiles() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return // it will show
	}
	own, err := os.ReadDir("/proc/self/fd")
	if err != nil { // not Linux
		own = nil
	}
	e := n.config.Engine
	others := len(own) + filesSpare + turnedMost + operatorMost + e.RPC.MaxOpenConnections + e.P2P.MaxNumInboundPeers + e.P2P.MaxNumOutboundPeers
	if want := uint64(n.config.Settings.API.Connections + others); uint64(limit.Cur) < want {
		n.log.Warn("this process may open fewer files than its settings can ask for: raise the limit (ulimit -n, LimitNOFILE of a unit), or lower api.connections",
			"limit", limit.Cur, "wanted", want, "beside_connections", others)
	}
}
