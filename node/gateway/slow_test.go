package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/node/gateway"
)

// narrow is a listener whose connections hold little that their reader has not taken, and whose peers have the addresses that a test gives them.
type narrow struct {
	net.Listener
	mu   sync.Mutex
	from string // guarded by mu: the address of the next peer; empty: its own
}

type narrowConn struct {
	net.Conn
	from string
}

func (l *narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return &narrowConn{c, l.from}, c.(*net.TCPConn).SetWriteBuffer(4 << 10)
}

func (c *narrowConn) RemoteAddr() net.Addr {
	if c.from == "" {
		return c.Conn.RemoteAddr()
	}
	return &net.TCPAddr{IP: net.ParseIP(c.from), Port: 5}
}

// slowly is a world whose first gateway is asked over narrow connections.
type slowly struct {
	*world
	l    *narrow
	many string // the body of a request for a large bundle
}

func newSlowly(t *testing.T, edit ...func(*gateway.Options)) *slowly {
	w := newWorld(t, edit...)
	w.enrolAll()
	w.Block()
	var in struct {
		Subjects []string `json:"subjects"`
	}
	for i := range 5000 {
		in.Subjects = append(in.Subjects, apptest.USCC("91410100", fmt.Sprintf("Y1%04d", i)))
	}
	many, err := json.Marshal(in)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &slowly{world: w, l: &narrow{Listener: l}, many: string(many)}
	server := httptest.NewUnstartedServer(w.gateways[0])
	server.Config, server.Listener = w.gateways[0].Server(), s.l
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// ask sends a request for a large bundle as a peer, and reads the head of the answer and no more: it is being sent. The answer is read when rest is called.
func (s *slowly) ask(from string) (status int, rest func() error, c net.Conn) {
	s.tb.Helper()
	s.l.mu.Lock()
	s.l.from = from
	s.l.mu.Unlock()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
	}}
	c, err := d.Dial("tcp", s.l.Addr().String())
	must(s.tb, err)
	s.tb.Cleanup(func() { c.Close() })
	_, err = fmt.Fprintf(c, "POST /v1/attestations HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(s.many), s.many)
	must(s.tb, err)
	r, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	must(s.tb, err)
	return r.StatusCode, func() error {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil && n != r.ContentLength {
			err = io.ErrUnexpectedEOF
		}
		return err
	}, c
}

// timed is a reader whose deadline a test sees.
type timed struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (w *timed) SetWriteDeadline(t time.Time) error {
	w.until = t
	return nil
}

// large is the answer that ask asks for, read at once.
func (s *slowly) large() *timed {
	r := near("/v1/attestations")
	r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(s.many))
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	s.gateways[0].ServeHTTP(w, r)
	if w.Code != 200 || w.Body.Len() < 64<<10 {
		s.tb.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
	return w
}

// Who reads a large answer slowly keeps nobody out: neither who asks for such an answer, nor who asks for another.
func TestSlowReader(t *testing.T) {
	s := newSlowly(t, func(o *gateway.Options) { o.BatchesMax, o.RequestsMax = 1, 2 })
	var rests []func() error
	for i := range 4 {
		status, rest, _ := s.ask("")
		if status != 200 {
			t.Fatalf("reader %d, after %d that do not read: %d", i, i, status)
		}
		rests = append(rests, rest)
	}
	if a := s.get("", "/v1/status"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for i, rest := range rests { // and each is read to its end, however late
		if err := rest(); err != nil {
			t.Errorf("reader %d: %v", i, err)
		}
	}
}

// What is on its way is bounded: for each peer that is not on this machine, and for all together; who has read makes room.
func TestSlowReadersAreBounded(t *testing.T) {
	size := newSlowly(t).large().Body.Len()
	s := newSlowly(t, func(o *gateway.Options) { o.SendingMax = int64(8*size + size/2) })
	busy := func(from string) {
		t.Helper()
		status, rest, _ := s.ask(from)
		if status != 503 {
			t.Errorf("another answer for %q: %d", from, status)
		}
		must(t, rest())
	}
	_, first, _ := s.ask("203.0.113.1")
	busy("203.0.113.1")
	if n := s.metric("xinlian_gateway_busy_total"); n != 1 {
		t.Errorf("%v were told that the node is busy", n)
	}
	_, _, gone := s.ask("203.0.113.2") // another peer
	for range 6 {                      // a proxy's readers are one peer
		if status, _, _ := s.ask(""); status != 200 {
			t.Fatalf("%d", status)
		}
	}
	busy("203.0.113.3") // no room at all
	if a := s.get("", "/v1/status"); a.status != 200 {
		t.Errorf("a small answer: %d %s", a.status, a.body)
	}
	must(t, first())
	gone.Close()
	for _, from := range []string{"203.0.113.1", "203.0.113.2"} {
		for status, rest, _ := s.ask(from); status != 200; status, rest, _ = s.ask(from) { // until the node has noticed
			must(t, rest())
		}
	}
}

// How long a large answer may take to be read follows its size; a small one has the server's own limit.
func TestSlowReaderHasTime(t *testing.T) {
	s := newSlowly(t)
	before := time.Now()
	w := s.large()
	least := 10*time.Second + time.Duration(w.Body.Len())*time.Second/(256<<10)
	if w.until.Before(before.Add(least)) || w.until.After(time.Now().Add(least)) {
		t.Errorf("%d bytes have %s, not %s", w.Body.Len(), w.until.Sub(before), least)
	}
	small := &timed{ResponseRecorder: httptest.NewRecorder()}
	s.gateways[0].ServeHTTP(small, near("/v1/subjects/"+s.firm("a")+"/attestation"))
	if small.Code != 200 || !small.until.IsZero() {
		t.Errorf("%d bytes: %d, a limit of its own %v", small.Body.Len(), small.Code, small.until)
	}
}
