package node

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/peer"
)

// ways serves a handler twice: through a lane and by net/http alone.
type ways struct {
	lane, plain string
	a           *lane
	server      *http.Server

	mu    sync.Mutex
	taken int // guarded by mu: requests that a lane has answered
}

func newWays(t testing.TB, more http.HandlerFunc, edits ...func(*http.Server)) *ways {
	w := new(ways)
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Context().Value(http.ServerContextKey) == nil {
			w.mu.Lock()
			w.taken++
			w.mu.Unlock()
		}
		more(rw, r)
	})
	serve := func(in bool) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: handler, IdleTimeout: time.Minute, WriteTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		for _, edit := range edits {
			edit(s)
		}
		addr := l.Addr().String()
		if in {
			bound := newBounded(l, 1000, 1000, peer.Proxies{}, counted{func(int) {}, func() {}})
			if w.a, err = newLane(bound, s, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			w.server, l = s, w.a
		}
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
		return addr
	}
	w.lane, w.plain = serve(true), serve(false)
	t.Cleanup(func() { w.a.Shutdown(t.Context()) })
	return w
}

// answered tells how many requests a lane has answered.
func (w *ways) answered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken
}

// left tells how many connections of the lane have left the poll.
func (w *ways) left() (n int) {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	for _, c := range w.a.conns {
		if c.socket < 0 {
			n++
		}
	}
	return n
}

func (w *ways) dial(t testing.TB) *dialled {
	t.Helper()
	c, err := net.Dial("tcp", w.lane)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &dialled{c, bufio.NewReader(c), t}
}

// say sends bytes, says that no more come, and gives the answers up to the end of the connection, in a form that can be compared.
func say(t testing.TB, addr string, pieces ...string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			break // refused before its end
		}
	}
	c.(*net.TCPConn).CloseWrite()
	raw, _ := io.ReadAll(c)
	var out strings.Builder
	in := bufio.NewReader(bytes.NewReader(raw))
	for {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			rest, _ := io.ReadAll(in)
			return fmt.Sprintf("%s%q", &out, rest)
		}
		body, err := io.ReadAll(r.Body)
		if r.Header.Get("Date") != "" {
			r.Header.Set("Date", "a date")
		}
		fmt.Fprintf(&out, "%s %s %d close %v %q %v\n", r.Proto, r.Status, r.ContentLength, r.Close, body, err)
		for _, k := range slices.Sorted(maps.Keys(r.Header)) {
			fmt.Fprintf(&out, "  %s: %q\n", k, r.Header[k])
		}
	}
}

// tell answers with what it was asked, in one of several manners.
func tell(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/subjects/none":
		w.Header().Set("ETag", `W/"7"`)
		w.WriteHeader(http.StatusNotModified)
		return
	case "/v1/subjects/refused":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
	case "/v1/subjects/last":
		w.Header().Set("Connection", "close")
	case "/v1/subjects/large":
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", strconv.Itoa(2*laneWhole))
		w.Write(bytes.Repeat([]byte("x"), 2*laneWhole))
		_, err := w.Write([]byte("x")) // too late
		if !errors.Is(err, http.ErrContentLength) {
			panic(err)
		}
		return
	case "/v1/subjects/empty":
		return
	case "/v1/subjects/panic":
		panic("a bug")
	case "/v1/subjects/abort":
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	r.Header.Del("X-Long")
	fmt.Fprintf(w, "%s %s %s %s %q %v %q %v %v %d", r.Method, r.URL, r.Proto, r.Host, r.Header, len(r.RemoteAddr) > 5, body, err, r.TransferEncoding, r.ContentLength)
}

const get = "GET /v1/subjects/x HTTP/1.1\r\nHost: h\r\n"

// What a lane answers is what net/http answers, and what it does not take is net/http's.
func TestLane(t *testing.T) {
	w := newWays(t, tell)
	say(t, w.lane, get+"\r\n")
	say(t, w.plain, get+"\r\n")
	before := descriptors(t)
	defer eventually(t, "no descriptor and no place is kept", func() bool {
		w.a.bounded.mu.Lock()
		defer w.a.bounded.mu.Unlock()
		return w.a.bounded.open == 0 && descriptors(t) <= before
	})
	path := func(p string) string { return "GET /v1/subjects/" + p + " HTTP/1.1\r\nHost: h\r\n\r\n" }
	for name, tt := range map[string]struct {
		pieces []string
		lane   int // requests that a lane answers
	}{
		"one":                       {[]string{get + "\r\n"}, 1},
		"as clients ask":            {[]string{get + "User-Agent: curl/8\r\nAccept: */*\r\naccept: a/b\r\nIf-None-Match: W/\"1\"\r\n\r\n"}, 1},
		"three at once":             {[]string{strings.Repeat(get+"\r\n", 3)}, 3},
		"alive":                     {[]string{"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"}, 1},
		"a query":                   {[]string{path("x?form=pinned-set&a=%20b")}, 1},
		"no change":                 {[]string{path("none") + path("x")}, 2},
		"a refusal":                 {[]string{path("refused") + path("x")}, 2},
		"nothing to say":            {[]string{path("empty") + path("x")}, 2},
		"the handler ends it":       {[]string{path("last") + path("x")}, 1},
		"a panic":                   {[]string{path("panic") + path("x")}, 1},
		"a large one":               {[]string{path("large") + path("x")}, 1},
		"an abort":                  {[]string{path("abort")}, 1},
		"then another path":         {[]string{get + "\r\nGET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n" + get + "\r\n"}, 1},
		"then a body":               {[]string{get + "\r\n" + get + "Content-Length: 3\r\n\r\nabc" + get + "\r\n"}, 1},
		"a body in pieces":          {[]string{get + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get + "\r\n"}, 0},
		"both lengths":              {[]string{get + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}, 0},
		"no length":                 {[]string{get + "Content-Length: 0\r\n\r\n" + get + "\r\n"}, 0},
		"HEAD":                      {[]string{"HEAD /v1/subjects/x HTTP/1.1\r\nHost: h\r\n\r\n"}, 0},
		"POST":                      {[]string{"POST /v1/subjects/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na"}, 0},
		"HTTP/1.0":                  {[]string{"GET /v1/subjects/x HTTP/1.0\r\nHost: h\r\n\r\n" + get + "\r\n"}, 0},
		"HTTP/2.0":                  {[]string{"GET /v1/subjects/x HTTP/2.0\r\nHost: h\r\n\r\n"}, 0},
		"its last":                  {[]string{get + "Connection: close\r\n\r\n" + get + "\r\n"}, 0},
		"kept alive":                {[]string{get + "Connection: keep-alive\r\n\r\n" + get + "\r\n"}, 0},
		"waits for 100":             {[]string{get + "Expect: 100-continue\r\n\r\n"}, 0},
		"another protocol":          {[]string{get + "Upgrade: h2c\r\n\r\n"}, 0},
		"no host":                   {[]string{"GET /v1/subjects/x HTTP/1.1\r\n\r\n"}, 0},
		"two hosts":                 {[]string{get + "HOST: i\r\n\r\n"}, 0},
		"a host that is none":       {[]string{"GET /v1/subjects/x HTTP/1.1\r\nHost: a b\r\n\r\n"}, 0},
		"receipts":                  {[]string{path("x/receipts?limit=1")}, 0},
		"an empty host":             {[]string{"GET /v1/subjects/x HTTP/1.1\r\nHost:\r\n\r\n"}, 1},
		"a line without a name":     {[]string{get + ": v\r\n\r\n"}, 0},
		"a name with a blank":       {[]string{get + "A : v\r\n\r\n"}, 0},
		"a folded line":             {[]string{get + "A: v\r\n  w\r\n\r\n"}, 1},
		"a value that is none":      {[]string{get + "A: \x01\r\n\r\n"}, 0},
		"newlines alone":            {[]string{"GET /v1/subjects/x HTTP/1.1\nHost: h\n\n" + get + "\r\n"}, 0},
		"newlines alone, then more": {[]string{"GET /v1/subjects/x HTTP/1.1\nHost: h\n\nX: y\r\n\r\n"}, 0},
		"a long head":               {[]string{get + "X-Long: " + strings.Repeat("a", laneHeadMax) + "\r\n\r\n" + get + "\r\n"}, 0},
		"half a head":               {[]string{get}, 0},
		"no HTTP":                   {[]string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}, 0},
		"then a few bytes":          {[]string{get + "\r\n00"}, 1},
		"a few bytes":               {[]string{"00"}, 0},
		"nothing":                   {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.answered()
			got, want := say(t, w.lane, tt.pieces...), say(t, w.plain, tt.pieces...)
			if got != want {
				t.Errorf("through the lane:\n%s\nby net/http:\n%s", got, want)
			}
			if n := w.answered() - before; n != tt.lane {
				t.Errorf("the lane answered %d, not %d", n, tt.lane)
			}
		})
	}
	// In how many pieces a request arrives decides the way alone, never the answer.
	whole := get + "A: b\r\n\r\n"
	want := say(t, w.plain, whole+whole)
	for i := range len(whole) + 1 {
		if got := say(t, w.lane, whole[:i], whole[i:]+whole); got != want {
			t.Fatalf("cut at %d:\n%s\nnot:\n%s", i, got, want)
		}
	}
}

// descriptors counts the sockets that the process has open.
func descriptors(t *testing.T) (n int) {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// A lane ends as http.Server.Shutdown does: connections that wait are closed, answers under way are given to the end, nothing is answered afterwards.
func TestLaneEnds(t *testing.T) {
	under, finish := make(chan struct{}), make(chan struct{})
	var finished atomic.Bool
	w := newWays(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/subjects/slow" {
			close(under)
			<-finish
			defer finished.Store(true)
		}
		tell(rw, r)
	})
	dial := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", w.lane)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(time.Minute))
		return c, bufio.NewReader(c)
	}
	waits, in := dial()
	io.WriteString(waits, get+"\r\n")
	if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 200 {
		t.Fatal(r, err)
	} else if _, err := io.ReadAll(r.Body); err != nil {
		t.Fatal(err)
	}
	slow, answer := dial()
	io.WriteString(slow, "GET /v1/subjects/slow HTTP/1.1\r\nHost: h\r\n\r\n"+get+"\r\n")
	<-under
	if err := w.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, err := in.ReadByte(); err != io.EOF {
		t.Fatal("a connection that waits is open", b, err)
	}
	down := make(chan bool)
	ctx := &asked{Context: t.Context(), asked: make(chan struct{})}
	go func() {
		w.a.Shutdown(ctx)
		down <- finished.Load()
	}()
	<-ctx.asked
	close(finish)
	if !<-down {
		t.Error("it did not wait for an answer under way")
	}
	if r, err := http.ReadResponse(answer, nil); err != nil || r.StatusCode != 200 {
		t.Fatal(r, err)
	}
	if c, err := net.Dial("tcp", w.lane); err == nil {
		c.Close()
		t.Error("it still listens")
	}

	// Who does not read is cut off when there is no more time.
	w = newWays(t, func(rw http.ResponseWriter, _ *http.Request) { rw.Write(make([]byte, 64<<20)) })
	stuck, err := net.Dial("tcp", w.lane)
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	io.WriteString(stuck, get+"\r\n")
	if _, err := io.ReadFull(stuck, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	now, cancel := context.WithCancel(t.Context())
	cancel()
	w.a.Shutdown(now)
}

// A handler that writes a large answer learns when it is through, and says until when it may be read. Others are answered meanwhile, and the connection goes on in the lane.
func TestLaneSlowReader(t *testing.T) {
	const size = 16 << 20 // more than the system takes before anybody reads
	through := make(chan error, 1)
	w := newWays(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			if r.Method != http.MethodGet {
				rw.WriteHeader(http.StatusBadRequest)
			}
			return
		}
		rw.Header().Set("Content-Type", "text/plain")
		rw.Header().Set("Content-Length", strconv.Itoa(size))
		if r.URL.Path == "/v1/subjects/late" {
			http.NewResponseController(rw).SetWriteDeadline(time.Unix(1, 0))
		}
		_, err := rw.Write(make([]byte, size))
		through <- err
	})
	var slow []*dialled
	then := map[int]string{1: "GE", 2: "GET /v1/status HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"} // comes with the first request
	for i := range 2*int(w.a.atOnce) + 1 {
		d := w.dial(t)
		slow = append(slow, d)
		io.WriteString(d, get+"\r\n"+then[i])
	}
	eventually(t, "all wait for their readers", func() bool { return w.left() == len(slow) })
	if status, _ := w.dial(t).ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); status != http.StatusOK {
		t.Error("others are not answered")
	}
	for i, d := range slow {
		select {
		case err := <-through:
			t.Fatal("nobody has read it, and the handler is through", err)
		default:
		}
		r, err := http.ReadResponse(d.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
			t.Fatal(n, err)
		}
		if err := <-through; err != nil {
			t.Error(err)
		}
		switch i {
		case 0:
			before := w.answered()
			if status, _ := d.ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); status != http.StatusOK || w.answered() != before+1 {
				t.Error("the next request is not the lane's", status)
			}
		case 1:
			if status, _ := d.ask("T /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); status != http.StatusOK {
				t.Error("the next request has lost its beginning", status)
			}
		case 2:
			if r, err := http.ReadResponse(d.in, nil); err != nil || r.StatusCode != http.StatusOK {
				t.Error("a request for net/http was lost", err)
			} else if _, err := io.Copy(io.Discard, r.Body); err != nil || <-through != nil {
				t.Error(err)
			}
		}
	}
	io.WriteString(slow[0], "GET /v1/subjects/late HTTP/1.1\r\nHost: h\r\n\r\n")
	if err := <-through; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after its time: %v", err)
	}
}

// Who says nothing is let go when his time is over, whatever he has said before.
func TestLaneWaits(t *testing.T) {
	w := newWays(t, tell, func(s *http.Server) { s.ReadHeaderTimeout, s.IdleTimeout = time.Minute, time.Millisecond })
	stays, idle, begun := w.dial(t), w.dial(t), w.dial(t)
	for _, d := range []*dialled{idle, begun} {
		if status, body := d.ask(get + "\r\n"); status != http.StatusOK {
			t.Fatal(body)
		}
	}
	io.WriteString(begun, "GE")
	for _, d := range []*dialled{idle, begun} {
		d.ended()
	}
	if status, body := stays.ask(get + "\r\n"); status != http.StatusOK {
		t.Error("who had time left was let go:", body)
	}
}

// Who is being answered is not let go, however long ago he was answered before.
func TestLaneWaitsForNobodyWhoIsAnswered(t *testing.T) {
	under, finish := make(chan struct{}), make(chan struct{})
	w := newWays(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/subjects/slow" {
			close(under)
			<-finish
		}
		tell(rw, r)
	})
	slow, idle := w.dial(t), w.dial(t)
	for _, d := range []*dialled{slow, idle} {
		if status, body := d.ask(get + "\r\n"); status != http.StatusOK {
			t.Fatal(body)
		}
	}
	io.WriteString(slow, "GET /v1/subjects/slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-under
	eventually(t, "the other waits", func() bool {
		w.a.mu.Lock()
		defer w.a.mu.Unlock()
		n := 0
		for _, c := range w.a.conns {
			if c.until.Load() == math.MaxInt64 {
				n++
			}
		}
		return n <= 1
	})
	w.a.mu.Lock()
	for _, c := range w.a.conns { // a minute has passed
		if until := c.until.Load(); until != math.MaxInt64 {
			c.until.Store(until - time.Minute.Nanoseconds())
		}
	}
	w.a.mu.Unlock()
	idle.ended()
	close(finish)
	if r, err := http.ReadResponse(slow.in, nil); err != nil || r.StatusCode != http.StatusOK {
		t.Error("his answer is lost", err)
	} else if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Error(err)
	}
	if status, body := slow.ask(get + "\r\n"); status != http.StatusOK {
		t.Error("he was let go:", body)
	}
}

// Where a disk holds up everybody who answers, whether the node is there is answered all the same, and when it is over no more wait than before.
func TestLaneHeldUp(t *testing.T) {
	finish := make(chan struct{})
	w := newWays(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			<-finish
		}
	})
	for range w.a.atOnce {
		io.WriteString(w.dial(t), get+"\r\n")
	}
	eventually(t, "everybody is held up", func() bool { return w.a.waiting.Load() == 0 })
	if status, body := w.dial(t).ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); status != http.StatusOK {
		t.Error(body)
	}
	close(finish)
	eventually(t, "as many answer as before", func() bool {
		all := make([]byte, 1<<20)
		all = all[:runtime.Stack(all, true)]
		return w.answered() == int(w.a.atOnce)+1 && bytes.Count(all, []byte("node.(*lane).answer(")) == int(w.a.atOnce)
	})
}

// asked is a context that tells when somebody waits for it.
type asked struct {
	context.Context
	once  sync.Once
	asked chan struct{}
}

func (a *asked) Done() <-chan struct{} {
	a.once.Do(func() { close(a.asked) })
	return a.Context.Done()
}

// Whatever arrives, a lane answers as net/http does.
func FuzzLane(f *testing.F) {
	f.Add([]byte(get + "\r\n" + get + "A: b\r\n\r\n"))
	f.Add([]byte("GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na" + get))
	f.Add([]byte("GET /v1/subjects/last HTTP/1.1\r\nhost: h\nA: b\r\n\r\n\r\n" + get + "\r\n"))
	w := newWays(f, tell)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, want := say(t, w.lane, string(raw)), say(t, w.plain, string(raw)); got != want {
			t.Errorf("through the lane:\n%s\nby net/http:\n%s", got, want)
		}
	})
}
