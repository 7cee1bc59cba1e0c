package gateway

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/xinlian-ledger/xinlian/node/peer"
	"github.com/xinlian-ledger/xinlian/x"
)

// sending bounds what is on its way to readers (在途应答). An answer is made while its request has a place among those at work, and is sent without one:
// who reads slowly, or not at all, holds up nobody's question. What an answer takes until its reader has it is memory, so the bytes of all together are
// bounded, and those of one peer to a share of them. Peers on this machine are not held to a share: behind a proxy, all readers are one such peer.
type sending struct {
	all   *semaphore.Weighted
	share int64

	mu    sync.Mutex
	peers map[string]int64 // guarded by mu: bytes on their way to each; "" is this machine
}

func (s *sending) init(bytes int64) {
	s.all, s.share, s.peers = semaphore.NewWeighted(bytes), max(1, bytes/sendShares), map[string]int64{}
}

// begin takes room for an answer, until done is called; or says why there is none. One that is larger than a share counts as a share: it is a pack.
// A pack counts for each of its readers: it is in memory once while it is the newest, but who reads slowly keeps one that others have replaced, each reader another.
func (s *sending) begin(addr string, bytes int) (done func(), full *x.Rejection) {
	n, of := min(int64(bytes), s.share), ""
	if !peer.Local(addr) {
		of = peer.Of(addr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case of != "" && s.peers[of]+n > s.share:
		return nil, ErrBusy.With("this address has as many bytes of answers to read as one may have")
	case !s.all.TryAcquire(n):
		return nil, ErrBusy.With("the node has as many bytes of answers on their way as it takes")
	}
	s.peers[of] += n
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all.Release(n)
		if s.peers[of] -= n; s.peers[of] == 0 {
			delete(s.peers, of)
		}
	}, nil
}

// answer is what a route says, before it is sent. Without a body it is said already: 204 and 304.
type answer struct {
	status    int
	mediaType string
	body      []byte
}

// answer notes what is to be sent once the request has given back its place, in as many bytes as it will take on its way.
func (c *call) answer(status int, mediaType string, body []byte) error {
	c.said = answer{status, mediaType, body}
	c.compress(&c.said)
	return nil
}

// send sends the answer. A large one has as long as its size asks for, whatever the server's own limit is.
func (c *call) send() error {
	a := c.said
	if a.body == nil {
		return nil
	}
	if n := len(a.body); n > sendFree {
		done, full := c.g.sending.begin(c.r.RemoteAddr, n)
		if full != nil && c.owed {
			done, full = func() {}, nil // of a lender's query, of which few are at work
		}
		if full != nil {
			c.g.met.busy.Inc()
			for _, of := range []string{"ETag", "Content-Disposition", "Content-Encoding"} { // of what is not sent
				c.w.Header().Del(of)
			}
			return refuse(http.StatusServiceUnavailable, full)
		}
		defer done()
		// Who cannot say it has no deadline: it keeps the answer and sends it itself.
		_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(sendSlack + time.Duration(n)*time.Second/sendRate))
	}
	writeBytes(c.w, a.status, a.mediaType, a.body)
	return nil
}
