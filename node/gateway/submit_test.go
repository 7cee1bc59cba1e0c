package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

type txAnswer struct {
	ID, Code, Reason, Rule string
	Number                 uint32
	Height                 int64
	Results                []struct {
		Index        int
		Record, Code string
		Note         string
	}
}

func TestSubmit(t *testing.T) {
	w := newWorld(t, func(o *gateway.Options) { o.WaitMax = 50 * time.Millisecond })
	w.Block()
	post := func(by, wait string, tx []byte) answer {
		t.Helper()
		return w.ask(0, by, http.MethodPost, "/v1/txs"+wait, tx)
	}
	decode := func(a answer) (o txAnswer) {
		t.Helper()
		a.into(t, &o)
		return o
	}

	// Taken in.
	raw, id := w.tx("registry", w.enrol(1))
	for _, wait := range []string{"", "?wait=check", "?wait=none"} {
		a := post("", wait, raw)
		if o := decode(a); a.status != 202 || o.ID != id || o.Code != "OK" || o.Height != 0 {
			t.Fatalf("wait %q: %d %s", wait, a.status, a.body)
		}
	}
	// No block comes: the wait ends.
	a := w.want(post("", "?wait=commit", raw), 202, "E_TX_PENDING")
	if o := decode(a); o.ID != id {
		t.Fatalf("%s", a.body)
	}
	w.want(w.get("registry", "/v1/txs/"+id), 404, "E_TX_UNKNOWN")

	// Executed.
	w.autoMine = true
	a = post("registry", "?wait=commit", raw)
	if o := decode(a); a.status != 200 || o.Code != "OK" || o.Height != w.Height() || len(o.Results) != 1 || o.Results[0].Code != "OK" {
		t.Fatalf("%d %s", a.status, a.body)
	}

	// Seen: the signer learns the outcome, whoever else sends the bytes does not, from the gate as from the pool.
	for _, pool := range []error{nil, gateway.ErrInPool} {
		w.poolErr = pool
		if a := post("registry", "?wait=commit", raw); a.status != 200 || decode(a).Height == 0 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, by := range []string{"", "ops"} {
			if a := w.want(post(by, "?wait=commit", raw), 409, "E_TX_SEEN"); decode(a).Height != 0 {
				t.Fatalf("%s", a.body)
			}
		}
	}
	w.poolErr = nil

	// Its signer and auditors look it up.
	for by, status := range map[string]int{"registry": 200, "auditor": 200, "ops": 404, "zz-scjg": 404} {
		if a := w.get(by, "/v1/txs/"+id); a.status != status {
			t.Errorf("%s: %d %s", by, a.status, a.body)
		}
	}
	if a, b := w.get("ops", "/v1/txs/"+id), w.get("ops", "/v1/txs/"+strings.Repeat("0", 64)); !bytes.Equal(a.body, b.body) {
		t.Error("another's transaction can be told from an unknown one")
	}

	// Executed and refused: every message has its result.
	bad := w.enrol(3)
	bad.GetEnrolSubject().Subject.Region = "999999"
	raw, id = w.tx("registry", w.enrol(2), bad, w.enrol(1))
	a = post("", "?wait=commit", raw)
	o := decode(a)
	if a.status != 422 || o.ID != id || o.Code != "E_REGION" || o.Number == 0 || o.Height != w.Height() || len(o.Results) != 3 ||
		o.Results[0].Code != "OK" || o.Results[1].Code != "E_REGION" || o.Results[2].Note != "ALREADY_RECORDED" || o.Rule == "" || !strings.HasPrefix(o.Reason, "E_REGION: ") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var p struct{ Type, Title, Detail, Remedy string }
	a.into(t, &p)
	if p.Type == "" || p.Title == "" || p.Remedy == "" || strings.Contains(p.Detail, "(rule") || strings.HasPrefix(p.Detail, "E_") {
		t.Fatalf("%+v", p)
	}
	if a := w.get("registry", "/v1/txs/"+id); a.status != 200 || decode(a).Code != "E_REGION" {
		t.Fatalf("%d %s", a.status, a.body)
	}

	// A refusal that names the day on which it would pass.
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7")
	apply := pb.Msg{Sum: &pb.Msg_ApplyRepair{ApplyRepair: &pb.ApplyRepair{
		Issuer: w.Actors["ops"].USCC, Subject: w.firm("a"), Target: unhex(w.penalty("a", "7")), ApplicationNo: "XY-1", Commitment: "41010020261012000001",
		DutiesDone: true, MaterialsDigest: bytes.Repeat([]byte{1}, 32), PaperDigest: bytes.Repeat([]byte{2}, 32),
	}}}
	raw, _ = w.tx("ops", apply)
	a = w.want(post("ops", "?wait=commit", raw), 422, "E_MIN_PERIOD")
	var on struct {
		PassesOn string `json:"passes_on"`
	}
	if a.into(t, &on); on.PassesOn != "2026-10-15" {
		t.Fatalf("%s", a.body)
	}

	// The gate.
	raw, id = w.tx("registry", w.enrol(4))
	forged := bytes.Clone(raw)
	forged[len(forged)-3] ^= 1
	if a := post("", "", forged); a.status != 403 || a.code() != "E_SIGNATURE" || decode(a).ID != id {
		t.Errorf("%d %s", a.status, a.body)
	}
	w.want(post("", "", nil), 400, "E_TX_MALFORMED")
	w.want(post("", "", append(bytes.Clone(raw), 0)), 400, "E_TX_MALFORMED")
	w.want(post("", "?wait=long", raw), 400, "E_QUERY")
	w.want(post("", "", make([]byte, pb.TxBytesMax+1)), 413, "E_BODY_SIZE")
	// A body that does not say how long it is.
	r, err := http.NewRequest(http.MethodPost, w.servers[0].URL+"/v1/txs", io.LimitReader(zeros{}, pb.TxBytesMax+1))
	must(t, err)
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	resp.Body.Close()
	if r.ContentLength > 0 || resp.StatusCode != 413 {
		t.Errorf("chunked: %s", resp.Status)
	}
	w.poolErr = gateway.ErrPoolFull
	if a := w.want(post("", "", raw), 503, "E_POOL_FULL"); a.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	w.poolErr = errors.New("the disk is full of secrets")
	if a := w.want(post("", "", raw), 503, "E_INTERNAL"); bytes.Contains(a.body, []byte("secrets")) {
		t.Error("an inner error left")
	}
}

// A member above its share of the pool waits.
func TestShare(t *testing.T) {
	w := newWorld(t)
	w.Block()
	var msgs []pb.Msg
	for i := range 1000 {
		msgs = append(msgs, w.enrol(i))
	}
	for range 200 {
		raw, _ := w.tx("registry", msgs...)
		a := w.ask(0, "", http.MethodPost, "/v1/txs", raw)
		if a.status == 202 {
			continue
		}
		if w.want(a, 429, "E_SHARE"); a.header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
		return
	}
	t.Fatal("one member filled the pool")
}

func TestAuditRoutes(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	for _, by := range []string{"auditor", "ops"} {
		for _, target := range []string{"blocks", "commits", "validators"} {
			a := w.get(by, "/v1/audit/"+target+"/2")
			if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/x-protobuf") {
				t.Fatalf("%s: %d %s", target, a.status, a.header.Get("Content-Type"))
			}
			if a := w.get(by, "/v1/audit/"+target+"/2", "Accept", "application/json"); a.status != 200 || !json.Valid(a.body) {
				t.Fatalf("%s: %d %s", target, a.status, a.body)
			}
			w.want(w.get(by, "/v1/audit/"+target+"/99"), 404, "E_HEIGHT")
			w.want(w.get(by, "/v1/audit/"+target+"/0"), 400, "E_HEIGHT")
		}
		checkBlock(t, w, w.get(by, "/v1/audit/blocks/2").body)
		if a := w.get(by, "/v1/audit/genesis"); a.status != 200 || !json.Valid(a.body) {
			t.Fatalf("%d", a.status)
		}
	}
}

// A block that was pruned is another thing than one that never was.
func TestPrunedBlocks(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.blocks.pruned = 2
	for _, target := range []string{"blocks", "commits", "validators"} {
		w.want(w.get("auditor", "/v1/audit/"+target+"/2"), 404, "E_NOT_HELD")
		w.want(w.get("auditor", "/v1/audit/"+target+"/99"), 404, "E_HEIGHT")
	}
	w.want(w.public("/v1/headers/2"), 404, "E_NOT_HELD")
	w.want(w.public("/v1/trust"), 200, "")
}

// TestOutcomesAreNotHeld: a node that began with a snapshot says of a transaction from before that it does not hold its outcome, to auditors and to who sends it again with the key
// that signed it; of one that never was, that it is unknown; and of those that come after, what became of them. The node that has all blocks says all of it. Whoever may not know
// what became of a transaction gets the same bytes from both, of all three.
func TestOutcomesAreNotHeld(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	old, before := w.tx("registry", w.enrol(1))
	w.Block(old)
	made, err := w.Apps[0].MakeSnapshot(t.Context(), 0, t.TempDir())
	must(t, err)
	a, err := app.New(app.Options{InMemory: true, ChainID: w.Chain})
	must(t, err)
	t.Cleanup(func() { a.Close() })
	must(t, a.RestoreSnapshot(t.Context(), made.Dir, w.AppHash, w.Apps[0].Status().BlockTime))
	w.Apps = append(w.Apps, a)
	w.serve(a, gateway.Options{Version: "test", WatchDir: t.TempDir()})
	raw, after := w.tx("registry", w.enrol(2))
	w.Block(raw)
	restored := len(w.servers) - 1
	for _, q := range []struct {
		on         int
		by, id     string
		wantStatus int
		wantCode   string
	}{
		{0, "registry", before, 200, ""},
		{0, "auditor", before, 200, ""},
		{0, "ops", before, 404, "E_TX_UNKNOWN"},
		{restored, "ops", before, 404, "E_TX_UNKNOWN"},
		{restored, "registry", before, 404, "E_TX_UNKNOWN"}, // the node does not know who signed it
		{restored, "auditor", before, 404, "E_NOT_HELD"},
		{restored, "registry", strings.Repeat("0", 64), 404, "E_TX_UNKNOWN"},
		{restored, "registry", after, 200, ""},
		{restored, "auditor", after, 200, ""},
		{restored, "ops", after, 404, "E_TX_UNKNOWN"},
	} {
		a := w.ask(q.on, q.by, http.MethodGet, "/v1/txs/"+q.id, nil)
		if a.status != q.wantStatus || a.status != 200 && a.code() != q.wantCode {
			t.Errorf("node %d, %s asks for %.8s: %d %s, want %d %s", q.on, q.by, q.id, a.status, a.body, q.wantStatus, q.wantCode)
		}
		if q.wantCode == "E_NOT_HELD" && !bytes.Contains(a.body, []byte("began with a later snapshot")) {
			t.Errorf("it does not say why: %s", a.body)
		}
	}
	unknown := w.get("ops", "/v1/txs/"+strings.Repeat("0", 64))
	for _, on := range []int{0, restored} {
		for _, id := range []string{before, after} {
			if a := w.ask(on, "ops", http.MethodGet, "/v1/txs/"+id, nil); !bytes.Equal(a.body, unknown.body) {
				t.Errorf("node %d tells of %.8s\n%s\nwhere it tells of one that never was\n%s", on, id, a.body, unknown.body)
			}
		}
	}
	if a := w.ask(restored, "registry", http.MethodPost, "/v1/txs?wait=commit", old); a.status != 409 || a.code() != "E_NOT_HELD" || !bytes.Contains(a.body, []byte(before)) {
		t.Errorf("sent again: %d %s", a.status, a.body)
	}
	full, late := w.ask(0, "ops", http.MethodPost, "/v1/txs?wait=commit", old), w.ask(restored, "ops", http.MethodPost, "/v1/txs?wait=commit", old)
	if full.code() != "E_TX_SEEN" || !bytes.Equal(full.body, late.body) {
		t.Errorf("sent again by somebody else: %s\n%s", full.body, late.body)
	}
}

// zeros is a reader without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
