package node

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x"
)

var noSources = sources{
	blockAge: func() float64 { return 0 }, backlog: func(x.TimerClass) float64 { return 0 }, alarm: func() bool { return false }, calendar: func() float64 { return 0 },
}

// telling is a handler that says of connections beyond the bounds whose bound it is.
type telling struct{ http.HandlerFunc }

func (telling) TurnAway(w http.ResponseWriter, _ *http.Request, ofPeer bool) {
	http.Error(w, fmt.Sprint("of the peer: ", ofPeer), http.StatusServiceUnavailable)
}

// served is a node's API with real connections, and no node behind it. Addresses 127.0.1.N of this machine are peers 203.0.113.N of others.
type served struct {
	*Node
	t *testing.T
}

func serveBounded(t *testing.T, edit func(*APISettings)) *served {
	c := newHome(t)
	c.Settings.API.Listen = "127.0.0.1:0"
	edit(&c.Settings.API)
	n := &Node{config: c, log: slog.New(slog.DiscardHandler), metrics: newMetrics(noSources)}
	set := c.Settings.API
	if err := n.listen(set.Listen, telling{tell}, "api.listen", set.Connections, set.PeerConnections); err != nil {
		t.Fatal(err)
	}
	n.listeners[0].(*bounded).from = func(c net.Conn) string {
		return strings.Replace(c.RemoteAddr().String(), "127.0.1.", "203.0.113.", 1)
	}
	n.servers[0].ReadHeaderTimeout = patience // what is silent stays until the test is over
	var err error
	if n.lane, err = newLane(n.listeners[0].(*bounded), n.servers[0], n.log); err != nil {
		t.Fatal(err)
	}
	go n.servers[0].Serve(n.lane)
	t.Cleanup(func() {
		n.servers[0].Close()
		n.lane.Shutdown(t.Context())
	})
	return &served{n, t}
}

// dial connects from an address of this machine, and is answered what is asked, if anything is.
func (s *served) dial(from string) *dialled {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", s.APIAddr())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &dialled{c, bufio.NewReader(c), s.t}
}

type dialled struct {
	net.Conn
	in *bufio.Reader
	t  testing.TB
}

// ask asks over a connection; 0: it has ended.
func (d *dialled) ask(request string) (status int, body string) {
	d.t.Helper()
	io.WriteString(d, request)
	r, err := http.ReadResponse(d.in, nil)
	if err != nil {
		return 0, err.Error()
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if r.StatusCode == http.StatusServiceUnavailable {
		if _, err := d.in.ReadByte(); !r.Close || err != io.EOF {
			d.t.Errorf("the connection goes on, or is broken off: %v", err)
		}
	}
	return r.StatusCode, string(raw)
}

// ended waits for the end of a connection, cut off if what was sent last came after it.
func (d *dialled) ended() {
	d.t.Helper()
	if b, err := d.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		d.t.Fatal("it is still open", b, err)
	}
}

const (
	inLane = get + "\r\n"
	byHTTP = "GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n"
)

func (s *served) want(d *dialled, request string, status int, body string) {
	s.t.Helper()
	if got, said := d.ask(request); got != status || !strings.Contains(said, body) {
		s.t.Fatalf("%q is answered %d %q, want %d %q", request, got, said, status, body)
	}
}

// metric reads one of the node's.
func (s *served) metric(name string) (sum float64) {
	families, err := s.metrics.Registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			sum += f.Metric[0].GetGauge().GetValue() + f.Metric[0].GetCounter().GetValue()
		}
	}
	return sum
}

// settle waits until so many connections are open.
func (s *served) settle(open float64) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%v connections are open", open), func() bool { return s.metric("xinlian_connections") == open })
}

// Connections that wait, are idle or send their heads slowly are bounded; who comes beyond is told so, and the next one after somebody has gone is let in.
func TestConnectionsAreBounded(t *testing.T) {
	const most = connectionsLeast
	s := serveBounded(t, func(a *APISettings) { a.Connections, a.PeerConnections = most, 1 })
	var held []*dialled
	for i := range most {
		d := s.dial("127.0.0.1") // this machine has no share
		held = append(held, d)
		switch i % 4 {
		case 0:
			s.want(d, inLane, 200, "GET")
		case 1:
			s.want(d, byHTTP, 200, "GET")
		case 2:
			io.WriteString(d, get) // half a head
		}
		s.settle(float64(i + 1))
	}
	for _, request := range []string{inLane, byHTTP, "POST /v1/queries HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"} {
		s.want(s.dial("127.0.0.1"), request, 503, "of the peer: false")
	}
	s.want(held[0], inLane, 200, "GET") // those that are let in are served
	s.want(held[1], byHTTP, 200, "GET")
	for i, d := range held[:4] {
		d.Close()
		s.settle(most - 1)
		s.want(s.dial("127.0.0.1"), []string{inLane, byHTTP}[i%2], 200, "GET")
		s.settle(most)
		s.want(s.dial("127.0.0.1"), inLane, 503, "of the peer: false")
	}
	if n := s.metric("xinlian_connections_refused_total"); n != 7 {
		t.Errorf("%v were turned away", n)
	}

	// Who is turned away and says nothing is told nothing, and of those there are only so many.
	silent := make([]*dialled, turnedMost)
	for i := range silent {
		silent[i] = s.dial("127.0.0.1")
	}
	eventually(t, "all are turned away", func() bool { return s.metric("xinlian_connections_refused_total") == 7+turnedMost })
	if _, err := s.dial("127.0.0.1").in.ReadByte(); err == nil {
		t.Error("one more is told something")
	}
	s.want(held[4], inLane, 200, "GET")
	s.want(silent[0], inLane, 503, "of the peer: false")
	b := s.listeners[0].(*bounded)
	eventually(t, "its place is free", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.turned == turnedMost-1 })
	s.want(s.dial("127.0.0.1"), byHTTP, 503, "of the peer: false")
}

// A peer has its share of the connections, and leaves the rest to others. This machine and trusted proxies have none.
func TestConnectionsOfOnePeer(t *testing.T) {
	s := serveBounded(t, func(a *APISettings) {
		a.Connections, a.PeerConnections, a.TrustedProxies = connectionsLeast, 2, "203.0.113.9"
	})
	first := s.dial("127.0.1.1")
	s.want(first, inLane, 200, "GET")
	s.want(s.dial("127.0.1.1"), byHTTP, 200, "GET")
	s.want(s.dial("127.0.1.1"), inLane, 503, "of the peer: true")
	s.want(s.dial("127.0.1.1"), byHTTP, 503, "of the peer: true")
	for range 3 {
		s.want(s.dial("127.0.0.1"), inLane, 200, "GET")
		s.want(s.dial("127.0.1.9"), inLane, 200, "GET")
	}
	s.want(s.dial("127.0.1.2"), inLane, 200, "GET")
	s.settle(9)
	first.Close()
	s.settle(8)
	s.want(s.dial("127.0.1.1"), inLane, 200, "GET")
	s.want(s.dial("127.0.1.1"), inLane, 503, "of the peer: true")
	if err := s.servers[0].Close(); err != nil {
		t.Fatal(err)
	}
	s.lane.Shutdown(t.Context())
	s.settle(0)
	b := s.listeners[0].(*bounded)
	eventually(t, "nothing is remembered", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.open == 0 && b.turned == 0 && len(b.peers) == 0
	})
}

// A handler that does not say it itself is said for.
func TestTurnedAwayWithoutWords(t *testing.T) {
	n := &Node{config: newHome(t), log: slog.New(slog.DiscardHandler), metrics: newMetrics(noSources)}
	if err := n.listen("127.0.0.1:0", http.HandlerFunc(tell), "metrics.listen", 1, 1); err != nil {
		t.Fatal(err)
	}
	go n.servers[0].Serve(n.listeners[0])
	t.Cleanup(func() { n.servers[0].Close() })
	s := &served{n, t}
	s.want(s.dial("127.0.0.1"), byHTTP, 200, "GET")
	s.want(s.dial("127.0.0.1"), byHTTP, 503, "as many connections")
}

// A limit of open files that the settings can reach is said once at the start, in one line.
func TestFilesThatMayBeOpen(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was) })
	if was.Max < 8192 {
		t.Skip("the limit is low already")
	}
	var out bytes.Buffer
	n := &Node{config: newHome(t), log: slog.New(slog.NewTextHandler(&out, nil))}
	limit := was
	limit.Cur = 8192
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n.checkFiles()
	if said := out.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "limit=8192") || !strings.Contains(said, "ulimit -n") {
		t.Errorf("said: %q", said)
	}
	out.Reset()
	n.config.Settings.API.Connections = 2048
	n.checkFiles()
	if out.Len() > 0 {
		t.Errorf("said where there is room: %q", out.String())
	}
}
