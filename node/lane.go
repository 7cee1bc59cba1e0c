package node

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// lane is the way of short questions through a listener (快速通道). net/http starts a goroutine beside each request which reads on, so that a handler
// learns when its client goes. A question that is answered in some ten microseconds has nothing of that, and starting and stopping that goroutine, with
// the threads that wake for it, is work for nothing. In a lane the goroutine that has read a request answers it, by the same handler as all
// others. A lane takes only what is whole when it arrives, has no body and asks for nothing but an answer. With the first request that it does not
// take, a connection goes to net/http for good, not a byte of that request taken away: whatever is unusual is that library's.
//
// It is the net.Listener of an http.Server, whose parser it uses too. TestLane compares the answers of both ways.
type lane struct {
	net.Listener
	handler http.Handler
	log     *slog.Logger

	others chan accepted // for net/http
	ended  chan struct{} // closed by Close

	mu     sync.Mutex
	conns  map[*laneConn]struct{} // guarded by mu
	closed bool                   // guarded by mu
	served sync.WaitGroup         // connections in the lane
}

// tcpConn is a *net.TCPConn, or one with its place.
type tcpConn interface {
	net.Conn
	CloseWrite() error
}

type accepted struct {
	net.Conn
	err error
}

const (
	laneHeadMax    = 4 << 10         // a longer head is not for a lane
	laneFirstWait  = 5 * time.Second // for the first request of a connection, where the server says nothing else
	laneNextLeast  = 4               // bytes of another request on a connection; what ends with fewer has no answer, as with net/http
	laneAnswerKeep = 64 << 10        // a larger buffer is not kept for the next answer
	laneWhole      = 16 << 10        // a larger answer that is whole is not copied
)

// lanes are the requests that may go through a lane, by how they begin: what lenders ask about firms, and whether the node is there. The receipts of a firm may be
// many: who asks for them and goes must be noticed.
var lanes = [][]byte{[]byte("GET /v1/subjects/"), []byte("GET /healthz ")}

// newLane takes the connections of a listener for a server, whose handler, times and log it uses.
func newLane(l net.Listener, s *http.Server, log *slog.Logger) *lane {
	a := &lane{Listener: l, handler: s.Handler, log: log, others: make(chan accepted), ended: make(chan struct{}), conns: map[*laneConn]struct{}{}}
	go func() {
		for {
			c, err := l.Accept()
			if tcp, ok := c.(tcpConn); ok && err == nil && !turnedAway(c) {
				a.enter(tcp, s)
				continue
			}
			if !a.pass(accepted{c, err}) { // errors are the server's: it knows which to wait out
				return
			}
		}
	}()
	return a
}

// Accept implements net.Listener: connections that are not for the lane.
func (a *lane) Accept() (net.Conn, error) {
	select {
	case o := <-a.others:
		return o.Conn, o.err
	case <-a.ended:
		return nil, net.ErrClosed
	}
}

// pass gives a connection, or an error, to net/http; false: there is nobody any more.
func (a *lane) pass(o accepted) bool {
	select {
	case a.others <- o:
		return true
	case <-a.ended:
		if o.Conn != nil {
			o.Close()
		}
		return false
	}
}

// Close implements net.Listener. What is being answered is answered to the end.
func (a *lane) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	close(a.ended)
	for c := range a.conns {
		c.SetReadDeadline(time.Unix(1, 0)) // wakes who waits for a request; an error is a connection that is gone
	}
	return a.Listener.Close()
}

// Shutdown closes the lane and waits for its answers; what is not read by the end of ctx is cut off. No handler runs afterwards.
func (a *lane) Shutdown(ctx context.Context) {
	a.Close() // the listener may be closed already
	stop := context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for c := range a.conns {
			c.Close()
		}
	})
	a.served.Wait()
	stop()
}

// enter lets a connection into the lane.
func (a *lane) enter(tcp tcpConn, s *http.Server) {
	c := &laneConn{
		tcpConn: tcp, lane: a, remote: tcp.RemoteAddr().String(), first: cmp.Or(s.ReadHeaderTimeout, laneFirstWait), idle: s.IdleTimeout, write: s.WriteTimeout, in: make([]byte, laneHeadMax), answer: laneAnswer{header: http.Header{}},
	}
	c.answer.conn = c
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		tcp.Close()
		return
	}
	a.conns[c] = struct{}{}
	a.served.Add(1)
	go func() {
		defer a.served.Done()
		mine := c.serve()
		a.mu.Lock()
		delete(a.conns, c)
		a.mu.Unlock()
		if mine {
			tcp.Close()
			return
		}
		// Its times are net/http's from here on. An error is a connection that is gone, which that finds out.
		tcp.SetDeadline(time.Time{})
		a.pass(accepted{Conn: &begun{tcp, c.in[:c.n]}})
	}()
}

// laneConn is a connection in the lane.
type laneConn struct {
	tcpConn
	lane               *lane
	remote             string
	first, idle, write time.Duration

	in     []byte // what has arrived: in[:n]
	n      int
	src    bytes.Reader
	parser *bufio.Reader
	answer laneAnswer
	out    bytes.Buffer
}

// serve answers requests as long as they are for the lane; false: the next one is not.
func (c *laneConn) serve() (mine bool) {
	defer func() {
		if p := recover(); p != nil { // as net/http does: the connection ends, the node does not
			mine = true
			if p != http.ErrAbortHandler {
				c.lane.log.Error("a request could not be answered", "panic", p, "stack", string(debug.Stack()))
			}
		}
	}()
	wait, least := c.first, 1
	for {
		for c.n < least {
			c.SetReadDeadline(time.Now().Add(wait)) // an error shows in Read
			select {
			case <-c.lane.ended:
				return true
			default:
			}
			n, err := c.Read(c.in[c.n:])
			if n == 0 && err != nil {
				return true
			}
			c.n += n
		}
		r, size := c.request()
		if r == nil {
			return false
		}
		if !c.reply(r) {
			return true
		}
		c.n = copy(c.in, c.in[size:c.n])
		wait, least = c.idle, laneNextLeast
	}
}

// request is the request that has arrived, with its size; nil: there is none that is whole and for the lane.
func (c *laneConn) request() (r *http.Request, size int) {
	in := c.in[:c.n]
	if !begins(in) {
		return nil, 0
	}
	end := bytes.Index(in, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0
	}
	head := in[:end+4]
	c.src.Reset(head)
	if c.parser == nil {
		c.parser = bufio.NewReaderSize(&c.src, laneHeadMax)
	} else {
		c.parser.Reset(&c.src)
	}
	r, err := http.ReadRequest(c.parser)
	if err != nil || c.src.Len()+c.parser.Buffered() > 0 { // it ended before its end: lines are divided otherwise than they seem
		return nil, 0
	}
	if strings.HasSuffix(r.URL.Path, "/receipts") {
		return nil, 0
	}
	if r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || hosts(head) != 1 || !httpguts.ValidHostHeader(r.Host) {
		return nil, 0
	}
	for name, values := range r.Header {
		switch name {
		case "Connection", "Content-Length", "Expect", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			return nil, 0
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(v) {
				return nil, 0
			}
		}
	}
	r.RemoteAddr = c.remote
	return r, len(head)
}

func begins(in []byte) bool {
	for _, p := range lanes {
		if bytes.HasPrefix(in, p) {
			return true
		}
	}
	return false
}

// hosts counts the Host lines of a head: http.ReadRequest keeps the first and is silent about more.
func hosts(head []byte) (n int) {
	const name = "\nhost:"
	for i := range head {
		if head[i] == '\n' && len(head)-i >= len(name) && bytes.EqualFold(head[i:i+len(name)], []byte(name)) {
			n++
		}
	}
	return n
}

// reply lets the handler answer and sends what it says in one piece; false: the connection ends.
func (c *laneConn) reply(r *http.Request) bool {
	w := &c.answer
	clear(w.header)
	w.status, w.body, w.sent, w.err = 0, w.body[:0], false, nil
	c.SetWriteDeadline(time.Now().Add(c.write)) // an error shows in Write
	c.lane.handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK) // where it has not said otherwise
	if !w.sent {
		c.head(len(w.body))
		c.out.Write(w.body)
		_, w.err = c.Write(c.out.Bytes())
	}
	if c.out.Cap() > laneAnswerKeep {
		c.out, w.body = bytes.Buffer{}, nil
	}
	return w.err == nil && w.header.Get("Connection") != "close"
}

// head writes the head of an answer into out.
func (c *laneConn) head(size int) {
	w, h := &c.answer, c.answer.header
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if w.status != http.StatusNoContent && w.status != http.StatusNotModified {
		if h.Get("Content-Type") == "" && len(w.body) > 0 {
			h.Set("Content-Type", http.DetectContentType(w.body))
		}
		h.Set("Content-Length", strconv.Itoa(size))
	}
	c.out.Reset()
	c.out.WriteString("HTTP/1.1 ")
	c.out.WriteString(strconv.Itoa(w.status))
	c.out.WriteByte(' ')
	c.out.WriteString(http.StatusText(w.status))
	c.out.WriteString("\r\n")
	h.Write(&c.out) // to memory: no error
	c.out.WriteString("\r\n")
}

// laneAnswer is the http.ResponseWriter of a lane: it keeps what the handler says.
type laneAnswer struct {
	conn   *laneConn
	header http.Header
	status int
	body   []byte
	sent   bool // in one piece with its head: there is no body
	err    error
}

// Header implements http.ResponseWriter.
func (w *laneAnswer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *laneAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter. A large answer that is whole is sent from where it is, and has been taken when Write returns: a handler that counts
// what is on its way, and says how long that may take, knows when it is through.
func (w *laneAnswer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.sent {
		w.err = http.ErrContentLength
		return 0, w.err
	}
	if len(b) > laneWhole && w.status == http.StatusOK && w.header.Get("Content-Type") != "" && w.header.Get("Content-Length") == strconv.Itoa(len(b)) {
		w.conn.head(len(b))
		_, w.err = (&net.Buffers{w.conn.out.Bytes(), b}).WriteTo(w.conn.tcpConn)
		w.sent = true
		return len(b), w.err
	}
	w.body = append(w.body, b...)
	return len(b), nil
}

// SetWriteDeadline is how http.ResponseController says until when an answer may be read.
func (w *laneAnswer) SetWriteDeadline(t time.Time) error { return w.conn.SetWriteDeadline(t) }

// begun is a connection of which something is read already.
type begun struct {
	net.Conn
	head []byte
}

// Read implements net.Conn.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.head) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.head)
	b.head = b.head[n:]
	return n, nil
}

// CloseWrite lets net/http end its side first, as with a connection of its own.
func (b *begun) CloseWrite() error { return b.Conn.(tcpConn).CloseWrite() }
