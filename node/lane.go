package node

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/sys/unix"
)

// lane is the way of short questions through a listener (快速通道). net/http starts a goroutine beside each request which reads on, so that a handler
// learns when its client goes. A question that is answered in some ten microseconds has nothing of that, and starting and stopping that goroutine, with
// the threads that wake for it, is work for nothing. In a lane a few goroutines wait for all connections (poll), and who reads a request answers it, by the same handler as all
// others. A lane takes only what is whole when it arrives, has no body and asks for nothing but an answer. With the first request that it does not
// take, a connection goes to net/http for good, not a byte of that request taken away: whatever is unusual is that library's.
//
// It is the net.Listener of an http.Server, whose parser it uses too. TestLane compares the answers of both ways.
type lane struct {
	*bounded
	handler            http.Handler
	first, idle, write time.Duration // as the server's
	log                *slog.Logger

	open   sync.Once
	others chan accepted // for net/http
	ended  chan struct{} // closed by Close
	shut   sync.Once

	ready   *poll
	hands   sync.WaitGroup // goroutines that wait for connections and answer over them
	atOnce  int32          // so many wait at a time
	waiting atomic.Int32
	turns   atomic.Uint64 // how often one was given a connection

	mu     sync.RWMutex
	conns  map[uint64]*laneConn // guarded by mu
	last   uint64               // guarded by mu; the newest of conns
	closed bool                 // guarded by mu
	served sync.WaitGroup       // connections in the lane
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
	laneLook       = time.Second     // how often it is looked whose time is over, and whether everybody is held up
)

// lanes are the requests that may go through a lane, by how they begin: what lenders ask about firms, and whether the node is there. The receipts of a firm may be
// many: who asks for them and goes must be noticed.
var lanes = [][]byte{[]byte("GET /v1/subjects/"), []byte("GET /healthz ")}

// newLane takes the connections of a listener for a server, whose handler, times and log it uses, from the first Accept on.
func newLane(l *bounded, s *http.Server, log *slog.Logger) (*lane, error) {
	ready, err := newPoll()
	if err != nil {
		return nil, err
	}
	return &lane{
		bounded: l, handler: s.Handler, first: cmp.Or(s.ReadHeaderTimeout, laneFirstWait), idle: s.IdleTimeout, write: s.WriteTimeout, log: log,
		others: make(chan accepted), ended: make(chan struct{}), ready: ready, atOnce: int32(max(2, runtime.GOMAXPROCS(0))), conns: map[uint64]*laneConn{},
	}, nil
}

// start lets connections in. As many goroutines answer as run at a time: who makes an answer waits for nothing but memory, as a rule.
func (a *lane) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	for range a.atOnce {
		a.hands.Go(a.answer)
	}
	go a.look()
	go func() {
		for {
			c, err := a.bounded.Accept()
			if h, ok := c.(*held); ok && err == nil && !turnedAway(c) && a.enter(h, a.first) {
				continue
			}
			if !a.pass(accepted{c, err}) { // errors are the server's: it knows which to wait out
				return
			}
		}
	}()
}

// Accept implements net.Listener: connections that are not for the lane.
func (a *lane) Accept() (net.Conn, error) {
	a.open.Do(a.start)
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
	for _, c := range a.conns {
		c.noMore()
	}
	return a.bounded.Close()
}

// Shutdown closes the lane and waits for its answers; what is not read by the end of ctx is cut off. No handler runs afterwards.
func (a *lane) Shutdown(ctx context.Context) {
	a.shut.Do(func() {
		a.Close() // the listener may be closed already
		stop := context.AfterFunc(ctx, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			for _, c := range a.conns {
				c.cut()
			}
		})
		a.served.Wait()
		stop()
		a.ready.end()
		a.hands.Wait()
		a.ready.close()
	})
}

// enter lets a connection into the lane, which waits so long for a request; false: it stays as it was.
func (a *lane) enter(h *held, wait time.Duration) bool {
	c := &laneConn{held: h, lane: a, remote: h.RemoteAddr().String(), in: make([]byte, laneHeadMax), answer: laneAnswer{header: http.Header{}}}
	c.answer.conn = c
	c.waits(wait)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	socket, err := socketOf(h.TCPConn)
	if err != nil {
		return false
	}
	a.last++
	c.socket, c.id = socket, a.last
	if err := a.ready.add(socket, c.id); err != nil {
		unix.Close(socket)
		return false
	}
	h.TCPConn.Close() // the runtime's descriptor: the socket has the other one, and the connection its place
	a.conns[c.id] = c // whom the poll gives it to waits for mu
	a.served.Add(1)
	return true
}

// socketOf gives a descriptor of a connection's socket which the runtime does not know.
func socketOf(tcp *net.TCPConn) (socket int, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	e := raw.Control(func(fd uintptr) { socket, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	return socket, errors.Join(e, err)
}

// answer answers over connections that have something to say, one at a time, until the lane has ended, or as many others wait as are to, or the connection at hand has left the poll.
func (a *lane) answer() {
	for a.waits() {
		id := a.ready.next()
		a.waiting.Add(-1)
		if id == 0 {
			return
		}
		a.turns.Add(1)
		a.mu.RLock()
		c := a.conns[id]
		a.mu.RUnlock()
		if !c.turn() {
			return
		}
	}
}

// waits counts one more who waits; false: as many wait already as are to.
func (a *lane) waits() bool {
	for {
		n := a.waiting.Load()
		if n >= a.atOnce {
			return false
		}
		if a.waiting.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// look ends connections whose time is over. Where everybody has been held up from one look to the next, by a disk, one more comes: who asks whether the node is there must be answered all the
// same.
func (a *lane) look() {
	every := time.NewTicker(laneLook)
	defer every.Stop()
	for turns := a.turns.Load(); ; {
		select {
		case <-a.ended:
			return
		case <-every.C:
		}
		now, before := time.Now().UnixNano(), turns
		turns = a.turns.Load()
		a.mu.Lock()
		for _, c := range a.conns {
			if c.until.Load() < now {
				c.noMore()
			}
		}
		if !a.closed && a.waiting.Load() == 0 && turns == before {
			a.hands.Go(a.answer)
		}
		a.mu.Unlock()
	}
}

// laneConn is a connection in the lane. Whom the poll has told of it has it alone, until it is armed again.
type laneConn struct {
	*held  // its place; its connection is closed as long as there is a socket
	lane   *lane
	id     uint64
	remote string

	mine   sync.Mutex   // of who has it; nobody ever waits for it, as the poll tells one at a time
	socket int          // written under lane.mu; -1: it has left the poll
	until  atomic.Int64 // when the wait for a request is over, in Unix nanoseconds
	least  int          // bytes of a request; of the first one a single byte is enough to be net/http's

	in     []byte // what has arrived: in[:n]
	n      int
	src    bytes.Reader
	parser *bufio.Reader
	answer laneAnswer
	out    bytes.Buffer
}

// waits says how long a request is waited for; 0: for ever.
func (c *laneConn) waits(d time.Duration) {
	until := int64(math.MaxInt64)
	if d > 0 {
		until = time.Now().Add(d).UnixNano()
	}
	c.until.Store(until)
}

// noMore lets who waits for another request see the end of them; one that has arrived is read. The lane's mu is held.
func (c *laneConn) noMore() {
	if c.socket >= 0 {
		unix.Shutdown(c.socket, unix.SHUT_RD) // an error is a connection that is gone
	}
}

// cut ends a connection, whatever is under way. The lane's mu is held.
func (c *laneConn) cut() {
	if c.socket >= 0 {
		unix.Shutdown(c.socket, unix.SHUT_RDWR)
		return
	}
	c.TCPConn.Close()
}

// leave makes a connection one of the runtime's again: who has it may wait from here on.
func (c *laneConn) leave() error {
	err := c.lane.ready.drop(c.socket)
	f := os.NewFile(uintptr(c.socket), "")
	n, e := net.FileConn(f)
	c.lane.mu.Lock()
	defer c.lane.mu.Unlock()
	f.Close()
	c.socket = -1
	if e != nil {
		return e
	}
	c.TCPConn = n.(*net.TCPConn)
	return err
}

// turn reads what has arrived and answers what is for the lane; false: who has done so had to wait, and is replaced.
func (c *laneConn) turn() (goOn bool) {
	c.mine.Lock()
	a, next := c.lane, c.serve()
	if goOn = c.socket >= 0; goOn && next == again {
		socket := c.socket
		c.mine.Unlock()
		if a.ready.again(socket, c.id) == nil {
			return true // others may have it by now
		}
		next = over
	}
	if next == again && c.n > 0 {
		next = others // a few bytes of another request
	}
	if next == others && goOn && c.leave() != nil {
		next = over
	}
	a.mu.Lock()
	delete(a.conns, c.id)
	a.mu.Unlock()
	if next == others {
		go func() { // a server that has no room waits before it takes another
			defer a.served.Done()
			a.pass(accepted{Conn: &begun{c.held, c.in[:c.n]}})
		}()
		return goOn
	}
	defer a.served.Done()
	if next == over || !a.enter(c.held, a.idle) {
		if c.socket >= 0 {
			unix.Close(c.socket)
		}
		c.Close()
	}
	return goOn
}

// outcome of a turn.
type outcome int

const (
	again  outcome = iota // more is waited for
	over                  // the connection ends
	others                // it is net/http's
)

// serve reads once and answers requests as long as they are for the lane.
func (c *laneConn) serve() (next outcome) {
	defer func() {
		if p := recover(); p != nil { // as net/http does: the connection ends, the node does not
			next = over
			if p != http.ErrAbortHandler {
				c.lane.log.Error("a request could not be answered", "panic", p, "stack", string(debug.Stack()))
			}
		}
	}()
	n, err := unix.Read(c.socket, c.in[c.n:])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return again
	case err != nil, n == 0:
		return over
	}
	c.n += n
	if c.n < c.least {
		return again
	}
	c.until.Store(math.MaxInt64)
	for c.n >= max(c.least, 1) {
		select {
		case <-c.lane.ended:
			return over
		default:
		}
		r, size := c.request()
		if r == nil {
			return others
		}
		if !c.reply(r) {
			return over
		}
		c.n, c.least = copy(c.in, c.in[size:c.n]), laneNextLeast
	}
	c.waits(c.lane.idle)
	return again
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
	w.status, w.body, w.sent, w.err, w.until = 0, w.body[:0], false, nil, time.Time{}
	if d := c.lane.write; d > 0 {
		w.until = time.Now().Add(d)
	}
	c.lane.handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK) // where it has not said otherwise
	if !w.sent {
		c.head(len(w.body))
		c.out.Write(w.body)
		w.err = c.send(c.out.Bytes())
	}
	if c.out.Cap() > laneAnswerKeep {
		c.out, w.body = bytes.Buffer{}, nil
	}
	return w.err == nil && w.header.Get("Connection") != "close"
}

// send sends a part of an answer. As a rule the system takes all of it at once. Where it does not, the connection leaves the poll to wait for its reader, and another takes the place of who sends.
func (c *laneConn) send(b []byte) error {
	for len(b) > 0 && c.socket >= 0 {
		n, err := unix.Write(c.socket, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			c.lane.hands.Go(c.lane.answer)
			if err := c.leave(); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			b = b[n:]
		}
	}
	if len(b) == 0 {
		return nil
	}
	c.TCPConn.SetWriteDeadline(c.answer.until) // an error shows in Write
	_, err := c.TCPConn.Write(b)
	return err
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
	until  time.Time // when it must be sent; zero: there is no such time
	sent   bool      // in one piece with its head: there is no body
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
		if w.err = w.conn.send(w.conn.out.Bytes()); w.err == nil {
			w.err = w.conn.send(b)
		}
		w.sent = true
		return len(b), w.err
	}
	w.body = append(w.body, b...)
	return len(b), nil
}

// SetWriteDeadline is how http.ResponseController says until when an answer may be read.
func (w *laneAnswer) SetWriteDeadline(t time.Time) error {
	w.until = t
	return nil
}

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
func (b *begun) CloseWrite() error { return b.Conn.(*held).CloseWrite() }
