package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// world is a chain of real blocks with a gateway over each of two applications. Every answer is held to /openapi.json, and every public one
// is asked of both gateways and must have the same bytes.
type world struct {
	work *work
	*apptest.Script
	tb       testing.TB
	gateways []*gateway.Gateway
	servers  []*httptest.Server
	blocks   *blocks
	registry *prometheus.Registry
	signers  map[string]*gateway.Signer
	spec     *openapi3.T

	// Submit of the first gateway: what the pool says, and whether a block is made at once.
	slow     sync.Mutex // held by a test: the pool takes its time
	reached  func()     // called when a transaction has come to the pool; nil: nobody waits for it
	mu       sync.Mutex
	poolErr  error
	autoMine bool
	ready    bool
	behind   bool // the node's state is not current
	now      func() time.Time
}

// blocks is the engine's stores.
type blocks struct {
	mu     sync.RWMutex // held for writing while a block is made beside requests
	c      *apptest.Cluster
	set    *cmttypes.ValidatorSet
	mangle func(h *cmttypes.Header) // of a copy
	broken bool
	pruned int64 // heights up to it are gone
}

func (b *blocks) Block(height int64) *cmttypes.Block {
	if b.broken {
		panic("the disk is gone")
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if height <= b.pruned || height < 1 || height > b.c.Height() {
		return nil
	}
	return b.c.Blocks[height-1]
}

func (b *blocks) Header(height int64) *cmttypes.Header {
	blk := b.Block(height)
	if blk == nil {
		return nil
	}
	h := blk.Header
	if b.mangle != nil {
		b.mangle(&h)
	}
	return &h
}

func (b *blocks) Commit(height int64) *cmttypes.Commit {
	b.mu.RLock()
	defer b.mu.RUnlock()
	switch {
	case height <= b.pruned, height < 1, height > b.c.Height():
		return nil
	case height == b.c.Height():
		return b.c.Commit()
	}
	return b.c.Blocks[height].LastCommit
}

func (b *blocks) Validators(height int64) (*cmttypes.ValidatorSet, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if height <= b.pruned || height < 1 || height > b.c.Height()+1 {
		return nil, errors.New("no validators of this height")
	}
	return b.set, nil
}

func newWorld(tb testing.TB, edit ...func(*gateway.Options)) *world {
	return newWorldIn(tb, nil, edit...)
}

// newWorldIn is newWorld with the state of the applications in folders; an empty one is none.
func newWorldIn(tb testing.TB, dirs []string, edit ...func(*gateway.Options)) *world {
	work := new(work)
	w := &world{
		Script: apptest.NewScript(tb, apptest.Options{InTime: true, Known: true, OnRead: work.read, Dirs: dirs}), tb: tb, work: work, registry: prometheus.NewRegistry(),
		signers: map[string]*gateway.Signer{}, ready: true, spec: loadSpec(tb),
	}
	var vals []*cmttypes.Validator
	for _, v := range w.GenesisDoc().Validators {
		vals = append(vals, cmttypes.NewValidator(v.PubKey, v.Power))
	}
	w.blocks = &blocks{c: w.Cluster, set: cmttypes.NewValidatorSet(vals)}
	for i, a := range w.Apps {
		o := gateway.Options{Version: "test", WatchDir: tb.TempDir()}
		if i == 0 {
			o.Registerer = w.registry
		}
		w.serve(a, o, edit...)
	}
	return w
}

// serve puts a gateway over an application.
func (w *world) serve(a *app.App, o gateway.Options, edit ...func(*gateway.Options)) {
	o.Now = func() time.Time {
		if w.now != nil {
			return w.now()
		}
		return time.Now()
	}
	for _, e := range edit {
		e(&o)
	}
	g := gateway.New(gateway.Backend{
		App: a, Blocks: w.blocks, Submit: w.submit,
		Ready: func() (bool, string) {
			if w.ready {
				return true, "power seen 40 of 40"
			}
			return false, "power seen 20 of 40"
		},
		Current:     func() bool { return !w.behind },
		Metrics:     promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{}),
		GenesisJSON: func() ([]byte, error) { return cmtjson.Marshal(w.GenesisDoc()) },
	}, o)
	s := httptest.NewUnstartedServer(g)
	s.Config = g.Server()
	s.Start()
	w.tb.Cleanup(s.Close)
	w.gateways, w.servers = append(w.gateways, g), append(w.servers, s)
}

// restart closes the first application, opens its folder again and puts a new gateway over it.
func (w *world) restart() {
	w.Reopen(0)
	w.serve(w.Apps[0], gateway.Options{Version: "test", WatchDir: w.tb.TempDir()})
	last := len(w.servers) - 1
	w.gateways[0], w.servers[0] = w.gateways[last], w.servers[last]
	w.gateways, w.servers = w.gateways[:last], w.servers[:last]
}

func loadSpec(tb testing.TB) *openapi3.T {
	spec, err := openapi3.NewLoader().LoadFromData(gateway.OpenAPI)
	must(tb, err)
	must(tb, spec.Validate(context.Background()))
	return spec
}

// submit is the pool: the gate of the first application, then a block where one is asked for.
func (w *world) submit(ctx context.Context, tx []byte) (id [32]byte, code uint32, log string, err error) {
	if w.reached != nil {
		w.reached()
	}
	w.slow.Lock()
	defer w.slow.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.poolErr != nil {
		return id, 0, "", w.poolErr
	}
	r, err := w.Apps[0].CheckTx(ctx, &abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
	if err != nil || r.Code != 0 {
		return id, r.GetCode(), r.GetLog(), err
	}
	if w.autoMine {
		w.Block(tx)
	}
	return [32]byte(r.Data), 0, "", nil
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// do runs commands in domain words; each must succeed.
func (w *world) do(lines ...string) {
	w.tb.Helper()
	for _, line := range lines {
		cmd, args, err := datadriven.ParseLine(line)
		must(w.tb, err)
		out := strings.TrimSpace(w.Run(&datadriven.TestData{Cmd: cmd, CmdArgs: args}))
		if out != "" && out != "OK" && !strings.HasPrefix(out, "in force from ") {
			w.tb.Fatalf("%s: %s", line, out)
		}
	}
}

// run gives what a command answers.
func (w *world) run(line string) string {
	w.tb.Helper()
	cmd, args, err := datadriven.ParseLine(line)
	must(w.tb, err)
	return strings.TrimSpace(w.Run(&datadriven.TestData{Cmd: cmd, CmdArgs: args}))
}

// firms of the tests, by alias. Codes are synthetic.
var firms = map[string]string{
	"a": apptest.USCC("91410100", "Y00100"), "b": apptest.USCC("91410100", "Y00101"), "c": apptest.USCC("91410100", "Y00102"),
	"nobody": apptest.USCC("91410100", "Y00999"),
}

func (w *world) firm(name string) string { return firms[name] }

// enrolAll enrols the firms a, b and c.
func (w *world) enrolAll() {
	w.tb.Helper()
	for _, name := range []string{"a", "b", "c"} {
		w.do("enrol firm=" + name + " uscc=" + firms[name])
	}
}

func (w *world) penalty(firm, no string) string {
	id := sanction.PenaltyID(w.Actors["zz-scjg"].USCC, "郑市监处罚〔2026〕"+no+"号", w.firm(firm))
	return fmt.Sprintf("%x", id)
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	work   string // rows read for it, where the test counts them
}

func (a answer) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

func (a answer) into(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		tb.Fatalf("%v in %s", err, a.body)
	}
}

// ask sends a request to one gateway. by "" is the public.
func (w *world) ask(i int, by, method, target string, body []byte, header ...string) answer {
	w.tb.Helper()
	r, err := http.NewRequest(method, w.servers[i].URL+target, bytes.NewReader(body))
	must(w.tb, err)
	for k := 0; k < len(header); k += 2 {
		r.Header.Set(header[k], header[k+1])
	}
	if by != "" {
		s := w.signers[by]
		if s == nil {
			s = gateway.NewSigner(w.Actors[by].Key, w.Chain)
			w.signers[by] = s
		}
		must(w.tb, s.Sign(r, body))
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(w.tb, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(w.tb, err)
	a := answer{resp.StatusCode, resp.Header, raw, ""}
	w.conforms(r, a)
	return a
}

// get asks the first gateway.
func (w *world) get(by, target string, header ...string) answer {
	w.tb.Helper()
	return w.ask(0, by, http.MethodGet, target, nil, header...)
}

// public asks both gateways as the public and holds that they say the same.
func (w *world) public(target string, header ...string) answer {
	w.tb.Helper()
	a, b := w.ask(0, "", http.MethodGet, target, nil, header...), w.ask(1, "", http.MethodGet, target, nil, header...)
	if a.status != b.status || !bytes.Equal(a.body, b.body) {
		w.tb.Fatalf("%s: two nodes at one height answer differently:\n%d %s\n%d %s", target, a.status, a.body, b.status, b.body)
	}
	return a
}

func (w *world) want(a answer, status int, code string) answer {
	w.tb.Helper()
	if a.status != status || a.code() != code {
		w.tb.Fatalf("answer is %d %s, want %d %s:\n%.600s", a.status, a.code(), status, code, a.body)
	}
	return a
}

// conforms holds an answer to the description of the API.
func (w *world) conforms(r *http.Request, a answer) {
	w.tb.Helper()
	if a.status >= 400 {
		if got := a.header.Get("Content-Type"); got != "application/problem+json" {
			w.tb.Fatalf("%s %s: %d comes as %s: %s", r.Method, r.URL, a.status, got, a.body)
		}
	}
	path, item, params := findPath(w.spec, r.URL.Path)
	if item == nil {
		return
	}
	method := r.Method
	op := item.GetOperation(method)
	if op == nil {
		return
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params,
			Route: &routers.Route{Spec: w.spec, Path: path, PathItem: item, Method: method, Operation: op},
		},
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		w.tb.Fatalf("%s %s: %d is not what /openapi.json describes: %v\n%s", r.Method, r.URL, a.status, err, a.body)
	}
}

func findPath(spec *openapi3.T, path string) (string, *openapi3.PathItem, map[string]string) {
	have := strings.Split(path, "/")
	for _, template := range spec.Paths.InMatchingOrder() {
		want := strings.Split(template, "/")
		params := map[string]string{}
		if len(want) != len(have) {
			continue
		}
		fits := true
		for k, s := range want {
			if strings.HasPrefix(s, "{") {
				params[strings.Trim(s, "{}")] = have[k]
			} else {
				fits = fits && s == have[k]
			}
		}
		if fits {
			return template, spec.Paths.Value(template), params
		}
	}
	return "", nil, nil
}

func init() {
	raw := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		b, err := io.ReadAll(body)
		return string(b), err
	}
	for _, t := range []string{attest.MediaType, attest.PackMediaType, attest.DeltaMediaType, attest.AnchorProofMediaType, "application/x-protobuf", "text/plain", "text/html"} {
		openapi3filter.RegisterBodyDecoder(t, raw)
	}
}

// tx makes a transaction and its id.
func (w *world) tx(by string, msgs ...pb.Msg) ([]byte, string) {
	w.tb.Helper()
	raw := w.Sign(by, msgs...)
	id, err := app.TxID(raw)
	must(w.tb, err)
	return raw, fmt.Sprintf("%x", id)
}

// enrol is a message that enrols a synthetic firm.
func (w *world) enrol(n int) pb.Msg {
	return pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{Issuer: w.Actors["registry"].USCC, Subject: pb.Subject{
		Uscc: apptest.USCC("91410100", fmt.Sprintf("Y9%04d", n)), Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE,
	}}}}
}

// metric reads a counter of the first gateway.
func (w *world) metric(name string) (sum float64) {
	w.tb.Helper()
	families, err := w.registry.Gather()
	must(w.tb, err)
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.Metric {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func mangleAppHash(h *cmttypes.Header) { h.AppHash = bytes.Repeat([]byte{7}, 32) }

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// checkBlock holds that a block came over the wire as it was.
func checkBlock(t *testing.T, w *world, raw []byte) {
	t.Helper()
	p := new(cmtproto.Block)
	must(t, p.Unmarshal(raw))
	b, err := cmttypes.BlockFromProto(p)
	must(t, err)
	if !bytes.Equal(b.Hash(), w.Cluster.Blocks[b.Height-1].Hash()) || len(b.Txs) != len(w.Cluster.Blocks[b.Height-1].Txs) {
		t.Fatal("another block")
	}
}

// work counts the rows that answers ask the state for: whoever may not see what an answer is made of must not learn it from how long the answer
// takes.
type work struct {
	mu            sync.Mutex
	there, absent int // guarded by mu
}

func (w *work) read(_ []byte, found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if found {
		w.there++
	} else {
		w.absent++
	}
}

// take gives what was counted since the last time.
func (w *work) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.there, w.absent = 0, 0 }()
	return fmt.Sprintf("%d that are there, %d that are not", w.there, w.absent)
}
