package gateway_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/node/peer"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func TestRoutesAndMethods(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	for _, target := range []string{"/", "/v1", "/v2/status", "/v1/status/", "/v1//status", "/v1/./status", "/v1/x/../status", "/v1/subjects/", "/v1/records/", "/favicon.ico", "/v1/duty"} {
		w.want(w.get("", target), 404, "E_ROUTE")
	}
	for _, c := range [][3]string{
		{"POST", "/v1/status", "GET, HEAD, OPTIONS"}, {"DELETE", "/v1/records/x", "GET, HEAD, OPTIONS"}, {"GET", "/v1/txs", "POST, OPTIONS"}, {"PUT", "/v1/attestations", "POST, OPTIONS"}, {"BREW", "/v1/status", "GET, HEAD, OPTIONS"},
	} {
		if a := w.want(w.ask(0, "", c[0], c[1], nil), 405, "E_METHOD"); a.header.Get("Allow") != c[2] {
			t.Errorf("%v: Allow %q", c, a.header.Get("Allow"))
		}
	}
	if a := w.ask(0, "", "OPTIONS", "/v1/txs", nil); a.status != 204 || a.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("OPTIONS: %d %v", a.status, a.header)
	}
	if a := w.ask(0, "", "HEAD", "/v1/subjects/"+w.firm("a"), nil); a.status != 200 || len(a.body) != 0 || a.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d %q %v", a.status, a.body, a.header)
	}
	w.want(w.ask(0, "", "GET", "/v1/status", []byte("a body")), 413, "E_BODY_SIZE")
	w.want(w.get("", "/v1/subjects/"+strings.Repeat("9", 4000)), 414, "E_REQUEST")
	if a := w.get("", "/v1/status"); a.header.Get("Cache-Control") != "no-store" {
		t.Error("an answer may be cached")
	}
}

// /openapi.json has every route, and no other.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	spec := loadSpec(t)
	have := map[string]bool{}
	for path, item := range spec.Paths.Map() {
		for method := range item.Operations() {
			have[method+" "+path] = true
		}
	}
	for _, p := range gateway.Patterns() {
		if !have[p] {
			t.Errorf("%s is not described", p)
		}
		delete(have, p)
	}
	for p := range have {
		t.Errorf("%s is described and does not exist", p)
	}
	w := newWorld(t)
	if a := w.get("", "/openapi.json"); !bytes.Equal(a.body, gateway.OpenAPI) {
		t.Error("/openapi.json is not the committed file")
	}
}

func TestLocalRoutes(t *testing.T) {
	w := newWorld(t)
	w.Block()
	for _, target := range []string{"/healthz", "/readyz", "/metrics"} {
		if a := w.get("", target); a.status != 200 {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
		// Behind a proxy, or from elsewhere: as if it were not there.
		w.want(w.get("", target, "X-Forwarded-For", "203.0.113.1"), 404, "E_ROUTE")
		for _, h := range []http.Header{
			{"X-Forwarded-For": {"", "203.0.113.1"}}, // the first line is the reader's own, and a proxy has added another
			{"X-Forwarded-For": {""}},
			{"Forwarded": {"", "for=203.0.113.1"}},
			{"X-Real-Ip": {"203.0.113.1"}},
			{"X-Forwarded-Proto": {"https"}},
			{"X-Forwarded-Host": {"node.example.org"}},
			{"Via": {"1.1 proxy"}},
		} {
			r, rec := httptest.NewRequest("GET", target, nil), httptest.NewRecorder()
			r.RemoteAddr, r.Header = "127.0.0.1:5", h
			if w.gateways[0].ServeHTTP(rec, r); rec.Code != 404 {
				t.Errorf("%s over a proxy that adds %v: %d", target, h, rec.Code)
			}
		}
		for remote, status := range map[string]int{"203.0.113.1:5": 404, "127.0.0.1:5": 200, "[::1]:5": 200, "pipe": 404} {
			for _, method := range []string{"GET", "POST"} {
				r := httptest.NewRequest(method, target, nil)
				r.RemoteAddr = remote
				rec := httptest.NewRecorder()
				w.gateways[0].ServeHTTP(rec, r)
				want := status
				if method == "POST" && status == 200 {
					want = 405
				}
				if rec.Code != want {
					t.Errorf("%s %s from %s: %d, want %d", method, target, remote, rec.Code, want)
				}
			}
		}
	}
	w.ready = false
	if a := w.want(w.get("", "/readyz"), 503, "E_NOT_READY"); !bytes.Contains(a.body, []byte("power seen 20 of 40")) {
		t.Errorf("%s", a.body)
	}
	open := newWorld(t, func(o *gateway.Options) { o.LocalFromAnywhere = true })
	if a := open.get("", "/healthz", "X-Forwarded-For", "203.0.113.1"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

func TestRate(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := newWorld(t, func(o *gateway.Options) { o.RatePerSecond, o.RateBurst = 1, 3 })
	w.now = func() time.Time { return now }
	from := func(remote string) int {
		r := httptest.NewRequest("GET", "/v1/status", nil)
		r.RemoteAddr = remote
		rec := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(rec, r)
		return rec.Code
	}
	for i, want := range []int{200, 200, 200, 429, 429} {
		if got := from("203.0.113.1:1"); got != want {
			t.Errorf("request %d: %d", i, got)
		}
	}
	if from("203.0.113.2:1") != 200 || from("127.0.0.1:1") != 200 {
		t.Error("one peer's haste falls on another")
	}
	now = now.Add(time.Second)
	if from("203.0.113.1:1") != 200 || from("203.0.113.1:1") != 429 {
		t.Error("the bucket does not fill as it should")
	}
}

// Too many at work: 503 at once, while the node still says how it is.
func TestBackPressure(t *testing.T) {
	w := newWorld(t, func(o *gateway.Options) { o.RequestsMax = 1 })
	w.Block()
	w.Block()
	w.slow.Lock()
	inside, done := make(chan struct{}), make(chan struct{})
	w.reached = func() { close(inside) }
	go func() {
		defer close(done)
		w.gateways[0].ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v1/txs", strings.NewReader("tx")))
	}()
	<-inside
	if a := w.want(w.get("", "/v1/status"), 503, "E_BUSY"); a.header.Get("Retry-After") != "1" {
		t.Error("503 without Retry-After")
	}
	if a := w.get("", "/healthz"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	w.slow.Unlock()
	<-done
	if a := w.get("", "/v1/status"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

// Who sends a body slowly holds up others that send one, and nobody else: neither who asks nor who is at work.
func TestSlowBody(t *testing.T) {
	w := newWorld(t, func(o *gateway.Options) { o.RequestsMax, o.BatchesMax = 1, 1 })
	w.Block()
	w.Block()
	for _, target := range []string{"/v1/txs", "/v1/attestations", "/v1/txs?wait=commit"} {
		inside, leave := make(chan struct{}), make(chan struct{})
		slow := &body{read: func() { close(inside); <-leave }}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.gateways[0].ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", target, slow))
		}()
		<-inside
		if a := w.get("", "/v1/status"); a.status != 200 {
			t.Errorf("%s: a question is answered %d %s", target, a.status, a.body)
		}
		rec := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(rec, httptest.NewRequest("POST", target, strings.NewReader("x")))
		if rec.Code != 503 {
			t.Errorf("%s: another body is answered %d %s", target, rec.Code, rec.Body)
		}
		close(leave)
		<-done
	}
}

// One address that sends many bodies slowly leaves places to others, and nobody's body is taken in who has not said who he is where that is asked for.
func TestSlowBodiesOfOnePeer(t *testing.T) {
	w := newWorld(t, func(o *gateway.Options) { o.RequestsMax = 16 })
	w.Block()
	w.Block()
	send := func(remote, target string, body io.Reader) int {
		r := httptest.NewRequest("POST", target, body)
		r.RemoteAddr = remote
		rec := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(rec, r)
		return rec.Code
	}
	leave := make(chan struct{})
	var sent sync.WaitGroup
	for range 2 {
		inside := make(chan struct{})
		sent.Add(1)
		go func() {
			defer sent.Done()
			send("203.0.113.1:5", "/v1/attestations", &body{read: func() { close(inside); <-leave }})
		}()
		<-inside
	}
	if code := send("203.0.113.1:6", "/v1/attestations", strings.NewReader("x")); code != 503 {
		t.Errorf("a third body of one peer: %d", code)
	}
	for _, other := range []string{"203.0.113.2:5", "127.0.0.1:5"} {
		if code := send(other, "/v1/attestations", strings.NewReader("x")); code != 400 {
			t.Errorf("another peer's body: %d", code)
		}
	}
	close(leave)
	sent.Wait()
	if code := send("203.0.113.1:6", "/v1/attestations", strings.NewReader("x")); code != 400 {
		t.Errorf("a body after the others: %d", code)
	}
	if code := send("203.0.113.1:6", "/v1/queries", &body{read: func() { t.Error("a stranger's body is read") }}); code != 401 {
		t.Errorf("a stranger's question: %d", code)
	}
}

// Whoever will be refused for what the head of the request says is told so before its body is there: a public route takes a body from all, no other does.
func TestRefusedBeforeTheBody(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	now := time.Now()
	w.now = func() time.Time { return now }
	addr, unix, sig := sign(t, w.Actors["gov1"].Key, "POST", "/v1/watches", nil, now.Add(-time.Hour), w.Chain)
	for _, tt := range []struct {
		target, auth string
		code         string // empty: the body is read
	}{
		{"/v1/queries", "", "E_AUDIENCE"},
		{"/v1/watches", "", "E_AUDIENCE"},
		{"/v1/watches/a/remove", "", "E_AUDIENCE"},
		{"/v1/watches/a/ack", "Xinlian a:b:c", "E_AUTH"},
		{"/v1/watches", fmt.Sprintf("Xinlian %s:%s:%x", addr, unix, sig), "E_AUTH"}, // an hour old
		{"/v1/watches", fmt.Sprintf("Xinlian %s:%d:%x", addr, now.Unix(), sig), ""}, // what it signs is not known yet
		{"/v1/txs", "Basic YTpi", "E_AUTH"},
		{"/v1/txs", "", ""},
		{"/v1/attestations", "", ""},
	} {
		read := false
		r := httptest.NewRequest("POST", tt.target, &body{read: func() { read = true }})
		if tt.auth != "" {
			r.Header.Set("Authorization", tt.auth)
		}
		rec := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(rec, r)
		if read != (tt.code == "") {
			t.Errorf("%s, %q: the body is read: %v", tt.target, tt.auth, read)
		}
		if tt.code != "" && (rec.Code != 401 || !strings.Contains(rec.Body.String(), tt.code) || rec.Header().Get("WWW-Authenticate") != "Xinlian") {
			t.Errorf("%s, %q: %d %s", tt.target, tt.auth, rec.Code, rec.Body)
		}
	}
}

// Over a connection every answer to a request whose body is not read comes while that does not, and is the last one. Where the body is read the connection goes on.
func TestUnreadBodyEndsTheConnection(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	proxies, err := peer.ParseProxies("127.0.0.1")
	must(t, err)
	limited := gateway.New(gateway.Backend{App: w.Apps[0], Blocks: w.blocks, Submit: w.submit, Ready: func() (bool, string) { return true, "" }},
		gateway.Options{RatePerSecond: 1e-9, RateBurst: 1, TrustedProxies: proxies})
	limited.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/status", nil)) // what the address has
	for _, tt := range []struct {
		g          *gateway.Gateway
		head, body string
		status     int
		goesOn     bool
	}{
		{w.gateways[0], "POST /v1/queries", "", 401, false},
		{w.gateways[0], "POST /v1/txs?bogus=1", "", 400, false},
		{w.gateways[0], "PUT /v1/txs", "", 405, false},
		{w.gateways[0], "OPTIONS /v1/txs", "", 204, false},
		{w.gateways[0], "POST /v1/nothing", "", 404, false},
		{w.gateways[0], "POST //v1/txs", "", 404, false},
		{w.gateways[0], "GET /v1/status", "", 413, false},
		{limited, "POST /v1/txs", "", 429, false},
		{w.gateways[0], "POST /v1/txs", strings.Repeat("x", 100), 400, true},
		{w.gateways[0], "POST /v1/attestations", strings.Repeat("x", 100), 400, true},
	} {
		server := httptest.NewUnstartedServer(tt.g)
		server.Config = tt.g.Server()
		server.Start()
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = io.WriteString(c, tt.head+" HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 100\r\n\r\n"+tt.body)
		must(t, err)
		if a, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Errorf("%s: no answer: %v", tt.head, err)
		} else {
			a.Body.Close()
			if a.StatusCode != tt.status || a.Close == tt.goesOn {
				t.Errorf("%s: %s, and the connection goes on: %v", tt.head, a.Status, !a.Close)
			}
		}
		c.Close()
		server.Close()
	}
}

// body blocks its reader once.
type body struct{ read func() }

func (b *body) Read([]byte) (int, error) {
	if b.read != nil {
		b.read()
		b.read = nil
	}
	return 0, io.EOF
}

// Over a connection for which there is no room it is said that there are too many, as everything else that the gateway has no room for.
func TestTurnAway(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		ofPeer   bool
		language string
		want     string
	}{
		{false, "en", "the node has as many connections"},
		{true, "en", "this address has as many connections"},
		{true, "zh-CN", "该地址打开的连接已达上限"},
	} {
		r, rec := near("/v1/status"), httptest.NewRecorder()
		r.Header.Set("Accept-Language", tt.language)
		w.gateways[0].TurnAway(rec, r, tt.ofPeer)
		a := answer{rec.Code, rec.Header(), rec.Body.Bytes(), ""}
		w.want(a, 503, "E_BUSY")
		if !bytes.Contains(a.body, []byte(tt.want)) || a.header.Get("Retry-After") != "1" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
}

// A panic is one request's end, not the node's.
func TestPanic(t *testing.T) {
	w := newWorld(t)
	w.Block()
	w.Block()
	w.blocks.broken = true
	w.want(w.get("", "/v1/headers/1"), 503, "E_INTERNAL")
	w.blocks.broken = false
	if a := w.get("", "/v1/headers/1"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	if n := w.metric("xinlian_gateway_panics_total"); n != 1 {
		t.Errorf("%v panics", n)
	}
}

// Malformed and oversized bytes on the port: an answer or a closed connection, and the next request is served.
func TestRawBytes(t *testing.T) {
	w := newWorld(t)
	w.Block()
	w.Block()
	addr := strings.TrimPrefix(w.servers[0].URL, "http://")
	head := "Host: x\r\n"
	for _, raw := range []string{
		"", "\x00\xff\xfe\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\n" + head + "\r\n", "GET * HTTP/1.1\r\n" + head + "\r\n", "CONNECT x:1 HTTP/1.1\r\n" + head + "\r\n",
		"GET http://elsewhere/v1/status HTTP/1.1\r\n" + head + "\r\n",
		"GET /v1/subjects/%ff%00%zz HTTP/1.1\r\n" + head + "\r\n", "GET /v1/subjects/%ff%fe HTTP/1.1\r\n" + head + "\r\n", "GET /v1/subjects/a%2f..%2fb HTTP/1.1\r\n" + head + "\r\n",
		"GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\n" + head + "\r\n",
		"GET /v1/status HTTP/1.1\r\n" + head + "X: " + strings.Repeat("a", 1<<20) + "\r\n\r\n",
		"POST /v1/txs HTTP/1.1\r\n" + head + "Content-Length: 99999999999\r\n\r\n",
		"POST /v1/txs HTTP/1.1\r\n" + head + "Content-Length: -1\r\n\r\n",
		"POST /v1/txs HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"POST /v1/txs HTTP/1.1\r\n" + head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /v1/txs HTTP/1.1\r\n" + head + "Content-Length: 10\r\n\r\nabc",
		"GET /v1/files/x HTTP/1.1\r\n" + head + "Authorization: Xinlian " + strings.Repeat(":", 10000) + "\r\n\r\n",
	} {
		c, err := net.Dial("tcp", addr)
		must(t, err)
		_, _ = c.Write([]byte(raw)) // the server may close while we write
		must(t, c.(*net.TCPConn).CloseWrite())
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			if resp.StatusCode >= 500 && resp.StatusCode != http.StatusHTTPVersionNotSupported && resp.StatusCode != http.StatusNotImplemented {
				t.Errorf("%.60q: %s", raw, resp.Status)
			}
			resp.Body.Close()
		}
		c.Close()
		if a := w.get("", "/v1/status"); a.status != 200 {
			t.Fatalf("after %.60q: %d", raw, a.status)
		}
	}
	if n := w.metric("xinlian_gateway_panics_total"); n != 0 {
		t.Errorf("%v panics", n)
	}
}

// quiet is a fuzz test that its target may use: testing.F forbids Helper there.
type quiet struct{ testing.TB }

func (quiet) Helper() {}

// seeds of requests that are then bent.
var seeds = []struct{ method, target, auth, accept, body string }{
	{"GET", "/v1/subjects/91410100Y00100009T", "", "application/json", ""},
	{"GET", "/v1/subjects/91410100Y00100009T/attestation", "", ";;q=", ""},
	{"POST", "/v1/txs?wait=check", "Xinlian a:1:b", "", "\n\x00"},
	{"POST", "/v1/attestations", "", "*/*", `{"subjects":["91410100Y00100009T"]}`},
	{"GET", "/v1/records/" + strings.Repeat("0", 64), "", "", ""},
	{"GET", "/v1/headers/9223372036854775807", "", attest.MediaType, ""},
	{"GET", "/v1/audit/blocks/1", "Xinlian " + strings.Repeat("0", 40) + ":1:" + strings.Repeat("0", 130), "", ""},
	{"HEAD", "/v1/commitments/41010020260720000001", "", ";;q=", "x"},
	{"GET", "/v1/subjects?after=91410100Y00100009T&limit=5", "", "", ""},
	{"GET", "/v1/packs/serious", "", attest.PackMediaType, ""},
	{"GET", "/v1/packs/negative/delta?base=" + strings.Repeat("0", 64), "", "", ""},
	{"POST", "/v1/watches", "Xinlian a:1:b", "", `{"id":"p","subjects":["91410100Y00100009T"]}`},
	{"DELETE", "/v1/watches/p", "", "", ""},
}

// holdsUp holds that an answer is no fault of the node, whatever was asked.
func holdsUp(t *testing.T, g http.Handler, method, target, auth, accept string, in []byte) {
	t.Helper()
	r, err := http.NewRequest(method, "http://x/", bytes.NewReader(in))
	if err != nil || !strings.HasPrefix(target, "/") {
		return
	}
	u, err := r.URL.Parse(target)
	if err != nil || u.Host != "x" {
		return
	}
	r.URL, r.RequestURI, r.RemoteAddr = u, u.RequestURI(), "127.0.0.1:1"
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	r.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	g.ServeHTTP(rec, r)
	if rec.Code >= 500 || rec.Code < 200 || rec.Code >= 300 && rec.Code < 400 {
		t.Fatalf("%s %q auth %q accept %q body %q: %d %s", method, target, auth, accept, in, rec.Code, rec.Body)
	}
}

// Whatever stands in path, query, header and body: never a 5xx, never a redirect, never a panic (which is 503).
func FuzzRequest(f *testing.F) {
	for _, s := range seeds {
		f.Add(s.method, s.target, s.auth, s.accept, []byte(s.body))
	}
	w := newWorld(quiet{f})
	w.enrolAll()
	w.Block()
	f.Fuzz(func(t *testing.T, method, target, auth, accept string, in []byte) {
		holdsUp(t, w.gateways[0], method, target, auth, accept, in)
	})
}

// The same without a fuzzer: the seeds bent at random, from a fixed seed.
func TestBentRequests(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	rnd := rand.New(rand.NewPCG(1, 2))
	bend := func(s string) string {
		b := []byte(s)
		for range rnd.IntN(4) {
			bits := []string{"/", "%2f", "..", "\x00", "é", "?", "&", "=", "{", "\"", ":", "9", "%", "\xff", ";", ",", "*"}
			at, piece := rnd.IntN(len(b)+1), bits[rnd.IntN(len(bits))]
			end := min(len(b), at+rnd.IntN(3))
			b = append(append(bytes.Clone(b[:at]), piece...), b[end:]...)
		}
		return string(b)
	}
	n := 20000
	if testing.Short() {
		n = 2000
	}
	for range n {
		s := seeds[rnd.IntN(len(seeds))]
		holdsUp(t, w.gateways[0], s.method, bend(s.target), bend(s.auth), bend(s.accept), []byte(bend(s.body)))
	}
	if p := w.metric("xinlian_gateway_panics_total"); p != 0 {
		t.Errorf("%v panics", p)
	}
}

// A peer of IPv6 has all addresses of its network: it is one peer by whichever of them it asks. An address of IPv4 is one however it is written.
func TestRatesOfIPv6(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := newWorld(t, func(o *gateway.Options) { o.RatePerSecond, o.RateBurst = 1, 1 })
	w.now = func() time.Time { return now }
	ask := func(addr string) int {
		r, rec := near("/v1/status"), httptest.NewRecorder()
		r.RemoteAddr = addr
		w.gateways[0].ServeHTTP(rec, r)
		return rec.Code
	}
	for _, c := range []struct {
		addr string
		want int
	}{
		{"[2001:db8::1]:1", 200},
		{"[2001:db8::2]:1", 429},
		{"[2001:db8:0:0:ffff::1]:7", 429},
		{"[2001:db8:0:1::1]:1", 200},
		{"203.0.113.1:1", 200},
		{"[::ffff:203.0.113.1]:2", 429},
		{"203.0.113.2:1", 200},
	} {
		if got := ask(c.addr); got != c.want {
			t.Errorf("%s: %d, want %d", c.addr, got, c.want)
		}
	}
}

// Who asks for what takes long, packs, watches and queries that wait for a disk, takes no place of those who ask for an attestation.
func TestPoolsOfTheirOwn(t *testing.T) {
	for _, pattern := range gateway.SharedPool() {
		if strings.Contains(pattern, "/packs/") || strings.Contains(pattern, "/watches") || strings.Contains(pattern, "/receipts") || strings.Contains(pattern, "/queries") {
			t.Errorf("%s takes a place of everybody's", pattern)
		}
	}
}

// Behind a trusted proxy each reader is a peer of its own, by what the proxy has added to X-Forwarded-For; what anybody else says there is not heard.
func TestTrustedProxies(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := newWorld(t, func(o *gateway.Options) {
		o.RatePerSecond, o.RateBurst, o.RequestsMax = 1, 1, 8 // a body at a time of each
		var err error
		o.TrustedProxies, err = peer.ParseProxies("127.0.0.1, 10.0.0.0/24, 2001:db8:ffff::/48")
		must(t, err)
	})
	w.Block()
	w.Block()
	w.now = func() time.Time { return now }
	ask := func(method, target string, body io.Reader, addr string, forwarded ...string) *httptest.ResponseRecorder {
		r, rec := httptest.NewRequest(method, target, body), httptest.NewRecorder()
		r.RemoteAddr, r.Header["X-Forwarded-For"] = addr, forwarded
		w.gateways[0].ServeHTTP(rec, r)
		return rec
	}
	for _, c := range []struct {
		name, addr string
		forwarded  []string
		want       int
	}{
		{"a reader", "127.0.0.1:5", []string{"203.0.113.1"}, 200},
		{"again", "127.0.0.1:5", []string{"203.0.113.1"}, 429},
		{"again, with another address before it", "127.0.0.1:5", []string{"198.51.100.1, 203.0.113.1"}, 429},
		{"again, in two lines", "127.0.0.1:5", []string{"198.51.100.2", "203.0.113.1"}, 429},
		{"again, over two proxies", "127.0.0.1:5", []string{"127.0.0.1, 203.0.113.1, 10.0.0.7"}, 429},
		{"again, over another proxy", "[2001:db8:ffff::7]:5", []string{"203.0.113.1"}, 429},
		{"again, over none", "203.0.113.1:5", nil, 429},
		{"another reader", "127.0.0.1:5", []string{"203.0.113.2"}, 200},
		{"whoever is no proxy", "203.0.113.3:5", []string{"203.0.113.4"}, 200},
		{"again, as another", "203.0.113.3:5", []string{"203.0.113.5"}, 429},
		{"again, with a header that is none", "203.0.113.3:5", []string{"unknown"}, 429},
		{"one whom nobody but himself has named", "127.0.0.1:5", []string{"203.0.113.4"}, 200},
		{"IPv6", "10.0.0.7:5", []string{"2001:db8::1"}, 200},
		{"the same network", "10.0.0.7:5", []string{"2001:db8::2"}, 429},
		{"what is no address", "127.0.0.1:5", []string{"unknown"}, 400},
		{"a proxy itself", "10.0.0.7:5", nil, 200},
		{"on whose machine somebody asks", "10.0.0.7:5", []string{"127.0.0.1"}, 429},
		{"it, over one of this machine", "127.0.0.1:5", []string{"10.0.0.7"}, 429},
		{"another one, over that of this machine", "127.0.0.1:5", []string{"10.0.0.8"}, 200},
		{"again", "127.0.0.1:5", []string{"10.0.0.8"}, 429},
		{"somebody on this machine, over its proxy", "127.0.0.1:5", []string{"127.0.0.1"}, 200},
		{"again", "127.0.0.1:5", []string{"::1"}, 429},
		{"whom no proxy has brought", "127.0.0.1:5", nil, 200},
		{"again", "127.0.0.1:5", nil, 200},
	} {
		rec := ask("GET", "/v1/status", nil, c.addr, c.forwarded...)
		if rec.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, rec.Code, c.want, rec.Body)
		}
		if c.want == 400 && !strings.Contains(rec.Body.String(), "E_REQUEST") {
			t.Errorf("%s: %s", c.name, rec.Body)
		}
	}
	for _, said := range []string{"127.0.0.1", "::1", "10.0.0.7"} { // as if it were not there
		now = now.Add(time.Hour)
		if rec := ask("GET", "/healthz", nil, "127.0.0.1:5", said); rec.Code != 404 {
			t.Errorf("/healthz over a proxy of this machine that names %s: %d", said, rec.Code)
		}
	}

	// A reader who sends his body slowly takes his own share, not that of the proxy.
	now = now.Add(time.Hour)
	inside, leave, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ask("POST", "/v1/attestations", &body{read: func() { close(inside); <-leave }}, "10.0.0.7:5", "203.0.113.1")
	}()
	<-inside
	now = now.Add(time.Hour)
	if rec := ask("POST", "/v1/attestations", strings.NewReader("x"), "10.0.0.7:5", "203.0.113.1"); rec.Code != 503 {
		t.Errorf("another body of the reader: %d %s", rec.Code, rec.Body)
	}
	if rec := ask("POST", "/v1/attestations", strings.NewReader("x"), "10.0.0.7:5", "203.0.113.2"); rec.Code != 400 {
		t.Errorf("a body of another reader: %d %s", rec.Code, rec.Body)
	}
	close(leave)
	<-done
}
