package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/peer"
	"github.com/xinlian-ledger/xinlian/node/watch"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// Blocks is what the gateway reads of the engine's stores. nil means: not there.
type Blocks interface {
	Header(height int64) *cmttypes.Header
	Block(height int64) *cmttypes.Block
	// Commit is the canonical commit of a height, or for the newest one the commit that this node has seen.
	Commit(height int64) *cmttypes.Commit
	Validators(height int64) (*cmttypes.ValidatorSet, error)
}

// What Submit returns where the pool, and not the gate, says no.
var (
	ErrPoolFull = errors.New("the pool of transactions is full")
	ErrInPool   = errors.New("the transaction is in the pool already")
)

// Backend is what a gateway needs of its node.
type Backend struct {
	App    *app.App
	Blocks Blocks
	// Submit hands a transaction to the pool and gives the gate's verdict: 0 and the transaction's id, or the number and text of a refusal.
	// ErrPoolFull and ErrInPool are the pool's own.
	Submit func(ctx context.Context, tx []byte) (id [32]byte, code uint32, log string, err error)
	// Ready says whether the node takes part, and why not: "power seen x of y".
	Ready func() (ok bool, reason string)
	// CatchingUp says whether the node fetches blocks that others have; nil: never.
	CatchingUp func() bool
	// Current says whether the node's state is the newest that there is, as far as it can know; nil: always. It must not wait for a block.
	Current func() bool
	// Metrics serves /metrics; nil: no such route.
	Metrics http.Handler
	// GenesisJSON is the genesis file in the engine's form.
	GenesisJSON func() ([]byte, error)
	// Trust is the trust file that the operator has set; nil: made from the chain.
	Trust func() (*attest.Trust, error)
}

// Options of a gateway. Zero fields have defaults.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: metrics are counted and not shown
	Now        func() time.Time      // clock of Authorization headers and rates

	// FreshFor is after how long without a new height an answer calls itself stale: twice the interval of empty blocks (10 s).
	FreshFor time.Duration
	// WaitMax is how long a request may wait for its block (30 s).
	WaitMax time.Duration
	// RequestsMax are at work at a time (256), and as many send their bodies, an eighth of them from one peer that is not on this machine; as many are lenders'
	// queries, an eighth of them one lender's; WaitsMax wait for a block (4096), BatchesMax make bundles for many (2).
	RequestsMax, WaitsMax, BatchesMax int
	// SendingMax is how many bytes of answers are on their way to readers at a time (256 MiB); one peer that is not on this machine has an eighth of it.
	SendingMax int64
	// RatePerSecond and RateBurst bound each peer that is not on this machine (500, 1000). A negative rate is none.
	RatePerSecond, RateBurst float64
	// TrustedProxies say in X-Forwarded-For who asks; of nobody else is it read.
	TrustedProxies peer.Proxies
	// LocalFromAnywhere opens /healthz, /readyz and /metrics to peers of other machines: where the network itself is private.
	LocalFromAnywhere bool
	// ChecksPerSecond is how many bundles a second are verified before they leave; beyond it, under load, they leave unverified. 0: every one is.
	ChecksPerSecond int
	// PackEvery is after how long an offline pack is made anew (1 h); sooner where somebody has left its set or other validators sign.
	PackEvery time.Duration
	// WatchDir keeps what lenders watch; empty: there are no such routes.
	WatchDir string
	// PathFile keeps the steps between validator sets, for when old blocks are pruned; empty: they are made from the blocks alone.
	PathFile string
	// Lending makes it a lenders' gateway; nil: it answers no queries of lenders.
	Lending *Lending
	// Version of the binary, for /v1/status.
	Version string
}

func (o Options) withDefaults() Options {
	def := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	def(&o.RequestsMax, 256)
	def(&o.WaitsMax, 4096)
	def(&o.BatchesMax, 2)
	if o.SendingMax <= 0 {
		o.SendingMax = sendingMax
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.PackEvery <= 0 {
		o.PackEvery = time.Hour
	}
	if o.FreshFor <= 0 {
		o.FreshFor = 10 * time.Second
	}
	if o.WaitMax <= 0 {
		o.WaitMax = 30 * time.Second
	}
	if o.RatePerSecond == 0 {
		o.RatePerSecond = 500
	}
	if o.RateBurst == 0 {
		o.RateBurst = 2 * o.RatePerSecond
	}
	return o
}

// Gateway is the http.Handler. Safe for many goroutines.
type Gateway struct {
	b    Backend
	o    Options
	log  *slog.Logger
	mux  *http.ServeMux
	gzip func(http.Handler) http.HandlerFunc
	met  *metrics

	cur    atomic.Pointer[head]
	headMu sync.Mutex    // one goroutine makes a head
	path   path          // guarded by headMu
	checks *rate.Limiter // of bundles that leave; nil: every one is checked

	packs   [len(pb.PackSets)]packs
	watches *watch.Store

	began time.Time // of this process: what was used before it does not know
	seen  seenHeaders
	rates rates
	slots [slotKinds]chan struct{}

	sending sending
	bodies  shares
	owners  owners
	askers  owners // of receipts
	lenders owners // that ask about firms
}

// New gives the gateway of a node.
func New(b Backend, o Options) *Gateway {
	o = o.withDefaults()
	g := &Gateway{b: b, o: o, began: o.Now(), log: o.Logger, mux: http.NewServeMux(), gzip: compressor(), met: newMetrics(o.Registerer)}
	if o.Lending != nil && o.Registerer != nil {
		g.meterReceipts(o.Registerer)
	}
	g.rates.init(o.RatePerSecond, o.RateBurst)
	g.sending.init(o.SendingMax)
	g.bodies = shares{most: max(1, o.RequestsMax/bodyShares), peers: map[string]int{}}
	g.owners.most, g.askers.most, g.lenders.most = ownerAtWork, ownerAtWork, max(1, o.RequestsMax/lenderShares)
	g.slots = [...]chan struct{}{
		slotRequest: make(chan struct{}, o.RequestsMax), slotWait: make(chan struct{}, o.WaitsMax), slotBatch: make(chan struct{}, o.BatchesMax),
		slotBody: make(chan struct{}, o.RequestsMax), slotPack: make(chan struct{}, packsAtWork), slotWatch: make(chan struct{}, watchesAtWork),
		slotReceipts: make(chan struct{}, receiptsAtWork), slotQuery: make(chan struct{}, o.RequestsMax),
	}
	for i, set := range pb.PackSets {
		g.packs[i].set = set
	}
	if o.WatchDir != "" {
		g.watches = watch.New(o.WatchDir)
	}
	if n := o.ChecksPerSecond; n > 0 {
		g.checks = rate.NewLimiter(rate.Limit(n), max(n/10, 1))
	}
	for _, rt := range routes {
		g.mux.Handle(rt.pattern(), g.serve(rt))
	}
	g.mux.HandleFunc(anyRoute, g.noRoute)
	return g
}

// Server gives an http.Server with the gateway's limits around a handler.
func (g *Gateway) Server() *http.Server {
	return &http.Server{
		Handler: g, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: g.o.WaitMax + writeSlack, MaxHeaderBytes: headerBytesMax,
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug), // broken peers are no news
	}
}

// TurnAway says over a connection for which there is no room that there are too many: of this peer, or of all.
func (g *Gateway) TurnAway(w http.ResponseWriter, r *http.Request, ofPeer bool) {
	g.met.busy.Inc()
	w.Header().Set("Cache-Control", "no-store")
	why := ErrBusy.With("the node has as many connections open as it takes")
	if ofPeer {
		why = ErrBusy.With("this address has as many connections open as one may have")
	}
	refuse(http.StatusServiceUnavailable, why).write(w, r)
}

// ServeHTTP implements http.Handler. What goes before every route stands here.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	if r.Body != nil && r.Body != http.NoBody {
		rec.body = &sent{ReadCloser: r.Body}
		r.Body = rec.body
	}
	defer g.recovered(rec, r)
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-store") // a cache would still tell tomorrow what a repair took back tonight
	h.Set("X-Content-Type-Options", "nosniff")
	reader, err := g.o.TrustedProxies.Reader(r.RemoteAddr, r.Header.Values("X-Forwarded-For"))
	if err != nil {
		refuse(http.StatusBadRequest, ErrRequest.With("the proxy in front of this node names no address of the reader in X-Forwarded-For: %v", err)).write(rec, r)
		return
	}
	r.RemoteAddr = reader // every rate and share is of who asks
	if !g.rates.allow(r.RemoteAddr, g.o.Now()) {
		refuse(http.StatusTooManyRequests, ErrRate).write(rec, r)
		return
	}
	if len(r.RequestURI) > targetBytesMax {
		refuse(http.StatusRequestURITooLong, ErrRequest.With("the request target is longer than %d bytes", targetBytesMax)).write(rec, r)
		return
	}
	if !plainPath(r.URL) {
		refuse(http.StatusNotFound, ErrRoute).write(rec, r)
		return
	}
	g.mux.ServeHTTP(rec, r)
}

// anyRoute is the pattern of what no route takes.
const anyRoute = "/"

// plainPath refuses what the mux would answer with a redirect.
func plainPath(u *url.URL) bool {
	p := u.Path
	return strings.HasPrefix(p, "/") && !strings.Contains(p, "//") && !slices.ContainsFunc(strings.Split(p, "/"), func(s string) bool {
		return s == "." || s == ".."
	})
}

// noRoute answers what no route takes: another method than the path has, or no path at all.
func (g *Gateway) noRoute(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host, RequestURI: r.RequestURI}
		if _, pattern := g.mux.Handler(probe); pattern != anyRoute {
			allow = append(allow, m)
			if m == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
	}
	if len(allow) == 0 || localOnly(r.URL.Path) && !g.local(r) {
		refuse(http.StatusNotFound, ErrRoute).write(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(append(allow, http.MethodOptions), ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(http.StatusMethodNotAllowed, ErrMethod).write(w, r)
}

// recovered is the one place where a panic of a request ends: a disk that fails, or a bug. The node goes on.
func (g *Gateway) recovered(w *recorder, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	g.met.panics.Inc()
	g.log.Error("a request could not be answered", "route", r.Pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if w.status == 0 {
		internal(nil).write(w, r)
		return
	}
	panic(http.ErrAbortHandler) // half an answer is worse than none
}

// sent is the body of a request, and knows whether it was read to its end.
type sent struct {
	io.ReadCloser
	ended bool
}

// Read implements io.Reader.
func (s *sent) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	s.ended = s.ended || err == io.EOF
	return n, err
}

// recorder remembers the status. An answer to a request whose body was not read is the last one over its connection: the server would read on, however slowly the body
// comes, before it sends the answer.
type recorder struct {
	http.ResponseWriter
	status int
	body   *sent // nil: there is none
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		if r.body != nil && !r.body.ended {
			r.Header().Set("Connection", "close")
			bodyIsLeft(r.ResponseWriter)
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

// bodyIsLeft tells net/http that more of the body comes than is read. It then shuts only its own direction after the answer, and the connection half a second later: one that is closed while the
// reader still sends is reset, and the answer is lost on its way. http.MaxBytesReader is the one door to it; it needs a byte beyond its limit to see, and must not wait for one that the
// reader sends.
func bodyIsLeft(w http.ResponseWriter) {
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("more")), 0).Read(make([]byte, 1)) // errs: this is what it is for
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// call is one request that a route has taken.
type call struct {
	g    *Gateway
	w    http.ResponseWriter
	r    *http.Request
	ctx  context.Context
	body []byte
	auth *authHeader // nil: none was sent
	who  *caller     // nil: the public
	form url.Values
	said answer // what the route answers, until it is sent
	owed bool   // something was spent on it: it is sent whether or not there is room
}

// serve wraps a route: who may come in, how many at a time, the body, the key that signed.
func (g *Gateway) serve(rt route) http.Handler {
	answered := g.met.requests.WithLabelValues(rt.pattern(), statusClass(http.StatusOK))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if rec, ok := w.(*recorder); ok && rec.status >= 300 {
				g.met.requests.WithLabelValues(rt.pattern(), statusClass(rec.status)).Inc()
				return
			}
			answered.Inc()
		}()
		if rt.audience == local && !g.local(r) {
			refuse(http.StatusNotFound, ErrRoute).write(w, r) // as if it were not there
			return
		}
		c := &call{g: g, w: w, r: r, ctx: r.Context()}
		err := g.read(rt, c)
		if err == nil {
			err = g.work(rt, c)
		}
		if err == nil {
			err = c.send()
		}
		if err != nil {
			g.fail(w, r, rt, err)
		}
	})
}

// read takes in what was sent. It comes before the request has its place among those at work: a body that comes slowly would hold that place, and a few such
// would shut everybody out. Nobody's body is waited for who will be refused for what stands in the head, and one peer has a share of the places, as of what is
// on its way to readers.
func (g *Gateway) read(rt route, c *call) (err error) {
	if c.form, err = query(c.r.URL.RawQuery, rt.query); err != nil {
		return err
	}
	if c.auth, err = g.authorization(c.r); err == nil && c.auth == nil {
		err = rt.audience.admits(nil, "")
	}
	if err != nil || c.r.Body == http.NoBody {
		return err
	}
	done, ok := g.bodies.begin(c.r.RemoteAddr)
	if !ok {
		g.met.busy.Inc()
		return refuse(http.StatusServiceUnavailable, ErrBusy.With("this address sends as many bodies at a time as one may"))
	}
	defer done()
	leave, ok := g.place(slotBody)
	if !ok {
		g.met.busy.Inc()
		return refuse(http.StatusServiceUnavailable, ErrBusy)
	}
	defer leave()
	c.body, err = readBody(c.w, c.r, rt.body)
	return err
}

// work makes the answer, with a place among those at work. A lender has a share of the places of queries, so it takes one once the node knows who it is.
func (g *Gateway) work(rt route, c *call) (err error) {
	kind := rt.slot
	if kind == slotRequest && c.r.Method == http.MethodPost && c.r.URL.Query().Get("wait") == "commit" {
		kind = slotWait
	}
	if kind != slotQuery {
		switch leave, ok := g.place(kind); {
		case ok:
			defer leave()
		case rt.audience != local: // a node under load still says how it is
			g.met.busy.Inc()
			return refuse(http.StatusServiceUnavailable, ErrBusy)
		}
	}
	if c.who, err = g.authenticate(c.r, c.auth, c.body); err != nil {
		return err
	}
	if err := rt.audience.admits(c.who, c.r.PathValue("uscc")); err != nil {
		return err
	}
	return rt.handle(c)
}

// place takes a place among those of a kind at work, until leave is called; not ok: all are taken.
func (g *Gateway) place(kind slotKind) (leave func(), ok bool) {
	select {
	case g.slots[kind] <- struct{}{}:
		return func() { <-g.slots[kind] }, true
	default:
		return nil, false
	}
}

func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, rt route, err error) {
	var e *refusal
	if !errors.As(err, &e) {
		e = internal(err) // a read that failed
	}
	if e.status == http.StatusServiceUnavailable && e.cause != nil {
		g.log.Warn("a request could not be answered", "route", rt.pattern(), "code", e.why.Code, "err", e.cause)
	}
	e.write(w, r)
}

// query reads the parameters that a route has. Any other is refused: one that is misspelt must not be passed over in silence.
func query(raw string, allowed []string) (url.Values, error) {
	form, err := url.ParseQuery(raw)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, ErrQuery.With("the query is not well formed"))
	}
	for name, values := range form {
		if !slices.Contains(allowed, name) {
			return nil, refuse(http.StatusBadRequest, ErrQuery.With("the route does not have every parameter that was sent; it has: %s", strings.Join(allowed, ", ")))
		}
		if len(values) > 1 {
			return nil, refuse(http.StatusBadRequest, ErrQuery.With("parameter %s stands twice", name))
		}
	}
	return form, nil
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := refuse(http.StatusRequestEntityTooLarge, ErrBodySize.With("the route takes a body of at most %d bytes", limit))
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, refuse(http.StatusBadRequest, ErrRequest.With("the body ended before its end"))
	}
	return body, nil
}

// local says whether the peer is on this machine, and not behind a proxy on it.
func (g *Gateway) local(r *http.Request) bool {
	if g.o.LocalFromAnywhere {
		return true
	}
	for _, name := range proxyMarks {
		if _, set := r.Header[name]; set { // an empty line too: who asks may have sent it, before the one that a proxy has added
			return false
		}
	}
	return peer.Local(r.RemoteAddr)
}

// proxyMarks are the headers by which a request shows that it went through a proxy. None of them opens anything.
var proxyMarks = []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"}

func bodyHash(body []byte) [32]byte { return sha256.Sum256(body) }
