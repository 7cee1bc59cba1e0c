package gateway

import (
	"sync"
	"time"

	"github.com/xinlian-ledger/xinlian/node/peer"
)

// rates counts the requests of each peer by a bucket that fills at a steady rate. Peers on this machine are not counted: they could as well
// read the disk.
type rates struct {
	perSecond, burst float64
	mu               sync.Mutex
	peers            map[string]*bucket // guarded by mu
}

type bucket struct {
	left float64
	at   time.Time
}

func (l *rates) init(perSecond, burst float64) {
	l.perSecond, l.burst, l.peers = perSecond, burst, map[string]*bucket{}
}

func (l *rates) allow(addr string, now time.Time) bool {
	if l.perSecond < 0 || peer.Local(addr) {
		return true
	}
	host := peer.Of(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.peers[host]
	if !ok {
		if len(l.peers) >= peersMax {
			l.forget(now)
		}
		if len(l.peers) >= peersMax {
			return false // more peers at a time than a node of a consortium has
		}
		b = &bucket{left: l.burst, at: now}
		l.peers[host] = b
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left, b.at = min(l.burst, b.left+passed*l.perSecond), now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// forget drops the peers whose bucket is full again.
func (l *rates) forget(now time.Time) {
	for host, b := range l.peers {
		if b.left+now.Sub(b.at).Seconds()*l.perSecond >= l.burst {
			delete(l.peers, host)
		}
	}
}

// shares count what each peer does at a time. Peers on this machine are not held to a share: behind a proxy, all are one such peer.
type shares struct {
	most  int
	mu    sync.Mutex
	peers map[string]int // guarded by mu
}

// begin takes a part of a peer's share until done is called; not ok: it has none left.
func (s *shares) begin(addr string) (done func(), ok bool) {
	if peer.Local(addr) {
		return func() {}, true
	}
	host := peer.Of(addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[host] >= s.most {
		return nil, false
	}
	s.peers[host]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.peers[host]--; s.peers[host] == 0 {
			delete(s.peers, host)
		}
	}, true
}
