package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/receipt"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/consent"
)

// lending is a world whose first gateway serves lenders, for the member gw; the second serves nobody but knows the ledger.
type lending struct {
	*world
	dir      string
	journal  *receipt.Journal
	anchorer *receipt.Anchorer
}

func newLending(t testing.TB) *lending {
	t.Helper()
	l := &lending{dir: t.TempDir()}
	j, err := receipt.Open(l.dir, make([]byte, receipt.KeyBytes))
	must(t, err)
	t.Cleanup(func() { j.Close() })
	l.journal = j
	first := true
	l.world = newWorld(t, func(o *gateway.Options) {
		if first {
			o.Lending = &gateway.Lending{Member: "12410000Y00001107Y", Journal: j}
			first = false
		}
	})
	if gw := l.Actors["gw"].USCC; gw != "12410000Y00001107Y" {
		t.Fatalf("the gateway's member is %s", gw)
	}
	key, err := keys.FromSecret("gw", crypto.FromECDSA(l.Actors["gw"].Key))
	must(t, err)
	l.autoMine = true
	submit := func(ctx context.Context, tx []byte) (uint32, string, error) {
		_, number, log, err := l.submit(ctx, tx)
		return number, log, err
	}
	l.anchorer = &receipt.Anchorer{Journal: j, App: l.Apps[0], Key: key, Member: l.Actors["gw"].USCC, Submit: submit}
	return l
}

// queryAnswer is the answer of POST /v1/queries.
type queryAnswer struct {
	Subject     string
	Standing    json.RawMessage
	Attestation string
	Restricted  *struct {
		Opened, Closed []string
		Grade          *struct{ Grade, Issuer string }
		Commitments    *[]struct{ Code string }
	}
	Opening *string
	Refused []struct {
		Class   string
		Refusal struct {
			Code     string
			PassesOn *string `json:"passes_on"`
		}
	}
	Receipt receiptAnswer
	AsOf    struct {
		Height int64
	} `json:"as_of"`
}

type receiptAnswer struct {
	ID, Subject, Requester, Purpose, At, Salt, Bytes string
	Asked, Opened                                    []string
	Refusal                                          *string
	AnswerDigest                                     string `json:"answer_digest"`
	Anchor                                           *struct {
		Hour   int64
		Root   string
		Place  uint64
		Path   []string
		Height *int64
	}
}

func (l *lending) body(firm, no, purpose string, classes ...string) []byte {
	q := map[string]any{"subject": l.firm(firm), "purpose": purpose, "classes": classes}
	if no != "" {
		q["authorisation"] = hex.EncodeToString(l.Authorisation(firm, "SQ-"+no))
	}
	if classes == nil {
		delete(q, "classes")
	}
	raw, err := json.Marshal(q)
	must(l.tb, err)
	return raw
}

func (l *lending) query(by, firm, no, purpose string, classes ...string) (q queryAnswer, raw []byte) {
	l.tb.Helper()
	a := l.want(l.ask(0, by, http.MethodPost, "/v1/queries", l.body(firm, no, purpose, classes...)), http.StatusOK, "")
	a.into(l.tb, &q)
	return q, a.body
}

func (l *lending) receipts(by, firm string) (out []receiptAnswer) {
	l.tb.Helper()
	var v struct{ Receipts []receiptAnswer }
	l.want(l.get(by, "/v1/subjects/"+l.firm(firm)+"/receipts"), http.StatusOK, "").into(l.tb, &v)
	return v.Receipts
}

// TestS9 is the scenario at the gateway: bank B asks for 贷前 on 2026-07-16 with what the firm has granted for three months; the firm sees who asked, what for
// and when; once it is over the authorised classes are refused and the published ones answer.
func TestS9(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do(
		"register-key by=registry firm=a key=k1",
		"commit by=zz-scjg firm=a code=41010020260715000001 type=6 public=1 accepted",
		"commit by=zz-scjg firm=a code=41010020260715000002 type=6 public=2 accepted",
		"record by=zz-scjg firm=a no=7 fine=120000", "publish by=zz-scjg firm=a no=7",
		"grade by=pj firm=a is=B found=2026-07-01 until=2027-06-30",
		"grant by=bank firm=a key=k1 no=1 until=2026-10-15",
	)
	l.Actors["a"] = l.FirmKey("a", "k1")
	l.do("on 2026-07-16")
	l.Block()
	l.Block()
	q, raw := l.query("bank", "a", "1", "pre_loan", "grade", "commitments")
	if q.Restricted == nil || q.Restricted.Grade == nil || q.Restricted.Grade.Grade != "B" || q.Restricted.Grade.Issuer != l.Actors["pj"].USCC ||
		len(*q.Restricted.Commitments) != 1 || (*q.Restricted.Commitments)[0].Code != "41010020260715000002" || len(q.Restricted.Closed) != 0 || len(q.Refused) != 0 {
		t.Fatalf("%s", raw)
	}
	// No opinion of the ledger's own, and no advice (INV-23): whatever speaks of a grade stands in what the evaluating body recorded.
	for _, word := range []string{"score", "rating", "recommend", "decision\"", "advice", "limit\""} {
		if bytes.Contains(raw, []byte(word)) {
			t.Errorf("the answer says %q: %s", word, raw)
		}
	}
	// Verified offline: the bundle by Verify, the opening against the standing that it proves.
	bundle, err := base64.StdEncoding.DecodeString(q.Attestation)
	must(t, err)
	verdict, err := l.Verify(bundle, l.firm("a"), "standing")
	must(t, err)
	opening, err := base64.StdEncoding.DecodeString(*q.Opening)
	must(t, err)
	proven, err := attest.OpenRestricted(opening, verdict.Standing)
	must(t, err)
	if proven.Grade.Grade != "B" || len(proven.Commitments) != 1 || verdict.Standing.Counts.Penalties != 1 {
		t.Errorf("proven: %+v", proven)
	}
	if d := attest.AnswerDigest(bundle, opening); hex.EncodeToString(d[:]) != q.Receipt.AnswerDigest {
		t.Error("the receipt is of another answer")
	}
	// The firm sees bank, purpose and time; the bank its own; nobody else anything.
	for _, reader := range []string{"a", "bank"} {
		list := l.receipts(reader, "a")
		if len(list) != 1 || list[0].Requester != l.Actors["bank"].USCC || list[0].Purpose != "pre_loan" || !strings.HasPrefix(list[0].At, "2026-07-16T") || list[0].ID != q.Receipt.ID {
			t.Fatalf("%s reads %+v", reader, list)
		}
	}
	if list := l.receipts("bank2", "a"); len(list) != 0 {
		t.Errorf("another bank reads %+v", list)
	}
	for _, reader := range []string{"auditor", "ops", "zz-scjg", "gw"} {
		l.want(l.get(reader, "/v1/subjects/"+l.firm("a")+"/receipts"), http.StatusForbidden, "E_LENDERS_ONLY")
	}
	l.want(l.get("", "/v1/subjects/"+l.firm("a")+"/receipts"), http.StatusUnauthorized, "E_AUDIENCE")

	// Anchored, and proven to be: against the root that any other node gives.
	l.do("on 2026-07-17")
	l.Block()
	must(t, l.anchorer.Step(context.Background()))
	l.Block()
	r := l.receipts("a", "a")[0]
	if r.Anchor == nil || r.Anchor.Height == nil {
		t.Fatalf("not anchored: %+v", r)
	}
	var root struct{ Root string }
	l.want(l.ask(1, "", http.MethodGet, fmt.Sprintf("/v1/anchors/%s/%d", l.Actors["gw"].USCC, r.Anchor.Hour), nil), http.StatusOK, "").into(t, &root)
	bytesOf, err := base64.StdEncoding.DecodeString(r.Bytes)
	must(t, err)
	var path []attest.Hash
	for _, h := range r.Anchor.Path {
		path = append(path, attest.Hash(unhex(h)))
	}
	rec, err := attest.OpenReceipt(bytesOf, unhex(r.Salt))
	must(t, err)
	got, err := attest.ReceiptAnchor(bytesOf, unhex(r.Salt), r.Anchor.Place, path)
	must(t, err)
	if hex.EncodeToString(got[:]) != root.Root {
		t.Error("the receipt does not lead to the anchored root")
	}
	if rec.Subject != l.firm("a") || rec.Requester != l.Actors["bank"].USCC || rec.Purpose != pb.PURPOSE_PRE_LOAN || rec.AtHeight != q.AsOf.Height || len(rec.Opened) != 2 {
		t.Errorf("the receipt says %+v", rec)
	}

	// The day after the last day.
	l.do("on 2026-10-16")
	l.Block()
	l.Block()
	q, raw = l.query("bank", "a", "1", "pre_loan", "grade", "commitments")
	if q.Restricted != nil || q.Opening != nil || len(q.Refused) != 2 || q.Refused[0].Refusal.Code != "E_AUTH_EXPIRED" || q.Refused[1].Refusal.Code != "E_AUTH_EXPIRED" {
		t.Errorf("%s", raw)
	}
	if !bytes.Contains(q.Standing, []byte("郑市监处罚〔2026〕7号")) {
		t.Errorf("published classes do not answer: %s", q.Standing)
	}
	if list := l.receipts("a", "a"); len(list) != 2 || list[1].Refusal == nil || *list[1].Refusal != "E_AUTH_EXPIRED" || len(list[1].Opened) != 0 {
		t.Errorf("the firm reads %+v", list)
	}
}

// TestReceiptMetrics: how many receipts there are and how long the oldest has waited for its anchor, and nothing of whom they are about.
func TestReceiptMetrics(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.Block()
	l.Block()
	values := func(want map[string]float64) {
		t.Helper()
		families, err := l.registry.Gather()
		must(t, err)
		got := map[string]float64{}
		for _, f := range families {
			if !strings.HasPrefix(f.GetName(), "xinlian_receipts_") {
				continue
			}
			for _, m := range f.GetMetric() {
				if len(m.GetLabel()) != 0 {
					t.Errorf("%s has labels: %v", f.GetName(), m.GetLabel())
				}
				got[strings.TrimPrefix(f.GetName(), "xinlian_receipts_")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	values(map[string]float64{"total": 0, "writes_total": 0, "unanchored_age_seconds": 0})
	l.query("bank", "a", "", "pre_loan")
	made := l.clockOf()
	later := made
	l.now = func() time.Time { return later }
	later = made.Add(30 * time.Second)
	l.query("bank", "b", "", "pre_loan") // the oldest counts
	later = made.Add(2 * time.Minute)
	values(map[string]float64{"total": 2, "writes_total": 2, "unanchored_age_seconds": 120})
	must(t, l.anchorer.Step(context.Background()))
	l.Block()
	values(map[string]float64{"total": 2, "writes_total": 2, "unanchored_age_seconds": 0})
	later = made.Add(40 * time.Second)
	l.query("bank", "a", "", "pre_loan")
	// Sealed is not anchored.
	if _, err := l.journal.Seal(1 << 40); err != nil {
		t.Fatal(err)
	}
	later = later.Add(5 * time.Second)
	values(map[string]float64{"total": 3, "writes_total": 3, "unanchored_age_seconds": 5})
}

// clockOf is the gateway's clock in the first receipt about firm a.
func (l *lending) clockOf() time.Time {
	p, err := l.journal.Page(context.Background(), receipt.Wanted{Subject: l.firm("a"), Limit: 1})
	must(l.tb, err)
	return time.UnixMilli(p.Entries[0].Receipt.ClockMs)
}

// A gateway whose node is behind opens nothing: what was withdrawn since, it does not know. What is published stays answered.
func TestQueryOfAStaleNode(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A", "grant by=bank firm=a key=k1 no=1 uses=1")
	l.Block()
	l.Block()
	l.behind = true
	l.want(l.ask(0, "bank", http.MethodPost, "/v1/queries", l.body("a", "1", "pre_loan", "grade")), http.StatusServiceUnavailable, "E_STALE")
	if q, _ := l.query("bank", "a", "1", "pre_loan"); len(q.Standing) == 0 || q.Receipt.ID == "" {
		t.Errorf("what is published: %+v", q)
	}
	l.behind = false
	if q, _ := l.query("bank", "a", "1", "pre_loan", "grade"); q.Restricted == nil { // its one use was not spent
		t.Errorf("%+v", q.Refused)
	}
}

// askAt asks with a header of another time.
func (l *lending) askAt(at time.Time, by, method, target string, body []byte) answer {
	key, err := keys.FromSecret(by, crypto.FromECDSA(l.Actors[by].Key))
	must(l.tb, err)
	h, err := key.AuthHeader(method, target, body, at, l.Chain)
	must(l.tb, err)
	r, err := http.NewRequest(method, l.servers[0].URL+target, bytes.NewReader(body))
	must(l.tb, err)
	r.Header.Set("Authorization", h)
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(l.tb, err)
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: raw}
}

// A journal whose anchor of the ledger's newest hour is another than the ledger's has lost receipts: it opens nothing and is anchored no more, and its receipts count
// as covered by none. Where no receipt comes to the ledger for a day nothing is opened either.
func TestQueryByAnotherJournal(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A", "grant by=bank firm=a key=k1 no=1")
	l.Block()
	l.Block()
	opens := func() {
		t.Helper()
		if q, _ := l.query("bank", "a", "1", "pre_loan", "grade"); q.Restricted == nil {
			t.Errorf("%+v", q.Refused)
		}
	}
	opens()
	must(t, l.anchorer.Step(context.Background()))
	l.Block()
	opens()
	late := time.Now().Add(25 * time.Hour) // since the last query
	l.now = func() time.Time { return late }
	l.want(l.askAt(late, "bank", http.MethodPost, "/v1/queries", l.body("a", "1", "pre_loan", "grade")), http.StatusServiceUnavailable, "E_RECEIPTS_UNANCHORED")
	l.now = nil
	// Another journal of this gateway has anchored an hour; this one, an older copy, seals that hour after it.
	l.do("on 2026-07-19", "anchor by=gw")
	var last *pb.ReceiptAnchor
	l.Read(func(r x.Reader) { last, _ = consent.LastAnchor(r, l.Actors["gw"].USCC) })
	if mine, err := l.journal.Seal(last.Hour); err != nil || bytes.Equal(mine.Root[:], last.Root) {
		t.Fatal(mine, err)
	}
	l.want(l.ask(0, "bank", http.MethodPost, "/v1/queries", l.body("a", "1", "pre_loan", "grade")), http.StatusServiceUnavailable, "E_RECEIPT_JOURNAL")
	if q, _ := l.query("bank", "a", "1", "pre_loan"); q.Receipt.ID == "" {
		t.Error("what is published is not answered")
	}
	if err := l.anchorer.Step(context.Background()); err == nil || !strings.Contains(err.Error(), "another anchor") {
		t.Errorf("the anchorer says %v", err)
	}
	// A node that is behind seals nothing: the ledger may hold the hour.
	l.do("on 2026-07-20")
	sealed, err := l.journal.LastHour()
	must(t, err)
	l.anchorer.Current = func() bool { return false }
	must(t, l.anchorer.Step(context.Background()))
	if now, err := l.journal.LastHour(); err != nil || now != sealed {
		t.Errorf("sealed %d after %d, %v", now, sealed, err)
	}
}

// What a lender is refused, and that it learns no more by it.
func TestQueryRefusals(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do(
		"register-key by=registry firm=a key=k1", "register-key by=registry firm=b key=k2",
		"grade by=pj firm=a is=A", "grade by=pj firm=b is=C",
		"grant by=bank firm=a key=k1 no=1 purpose=1 classes=1",
		"grant by=bank2 firm=a key=k1 no=2 to=bank2",
		"grant by=bank firm=a key=k1 no=3 via=gw2",
		"grant by=bank firm=a key=k1 no=4 uses=2",
	)
	l.Block()
	l.Block()
	code := func(by, firm, no, purpose string, classes ...string) string {
		t.Helper()
		q, _ := l.query(by, firm, no, purpose, classes...)
		out := ""
		for _, r := range q.Refused {
			out += r.Class + "=" + r.Refusal.Code + " "
		}
		if q.Restricted != nil {
			out += fmt.Sprint(q.Restricted.Opened)
		}
		return strings.TrimSpace(out)
	}
	for _, c := range []struct {
		by, firm, no, purpose string
		classes               []string
		want                  string
	}{
		{"bank", "a", "", "pre_loan", nil, ""},
		{"bank", "a", "1", "pre_loan", nil, ""},
		{"bank", "a", "", "pre_loan", []string{"grade"}, "grade=E_AUTH_NONE"},
		{"bank", "a", "2", "pre_loan", []string{"grade"}, "grade=E_AUTH_NONE"},
		{"bank", "a", "9", "pre_loan", []string{"grade"}, "grade=E_AUTH_NONE"},
		{"bank", "b", "1", "pre_loan", []string{"grade"}, "grade=E_AUTH_NONE"},
		{"bank", "a", "1", "post_loan", []string{"grade"}, "grade=E_AUTH_PURPOSE"},
		{"bank", "a", "1", "pre_loan", []string{"commitments", "grade"}, "commitments=E_AUTH_SCOPE [grade]"},
		{"bank", "a", "3", "pre_loan", []string{"grade"}, "grade=E_AUTH_GATEWAY"},
		{"bank2", "a", "2", "pre_loan", []string{"grade", "commitments"}, "[grade commitments]"},
		{"bank", "a", "4", "pre_loan", []string{"grade"}, "[grade]"},
		{"bank", "a", "4", "pre_loan", []string{"commitments"}, "[commitments]"},
		{"bank", "a", "4", "pre_loan", []string{"grade"}, "grade=E_AUTH_USED_UP"},
	} {
		if got := code(c.by, c.firm, c.no, c.purpose, c.classes...); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	// The ledger is told of the last use, and not of any other.
	l.do("on 2026-07-17")
	l.Block()
	must(t, l.anchorer.Step(context.Background()))
	l.Block()
	if out := l.run("authorisation firm=a no=4"); !strings.HasPrefix(out, "AUTHORISATION_USED_UP") {
		t.Error(out)
	}
	if out := l.run("authorisation firm=a no=1"); !strings.HasPrefix(out, "AUTHORISATION_LIVE") {
		t.Error(out)
	}
	// A withdrawal counts in the block that holds it.
	l.do("withdraw-authorisation by=ops firm=a key=k1 no=1")
	if got := code("bank", "a", "1", "pre_loan", "grade"); got != "grade=E_AUTH_REVOKED" {
		t.Error(got)
	}
	// Who may ask, and how.
	for _, by := range []string{"ops", "zz-scjg", "auditor", "gw"} {
		l.want(l.ask(0, by, http.MethodPost, "/v1/queries", l.body("a", "", "pre_loan")), http.StatusForbidden, "E_LENDERS_ONLY")
	}
	l.want(l.ask(0, "", http.MethodPost, "/v1/queries", l.body("a", "", "pre_loan")), http.StatusUnauthorized, "E_AUDIENCE")
	l.want(l.ask(1, "bank", http.MethodPost, "/v1/queries", l.body("a", "", "pre_loan")), http.StatusNotFound, "E_NO_LENDING")
	l.want(l.ask(0, "bank", http.MethodPost, "/v1/queries", l.body("nobody", "", "pre_loan")), http.StatusNotFound, "E_SUBJECT_UNKNOWN")
	for _, body := range []string{
		``, `[]`, `{"subject":"` + l.firm("a") + `"}`, `{"subject":"` + l.firm("a") + `","purpose":"curiosity"}`, `{"subject":"` + l.firm("a") + `","purpose":"pre_loan"} x`,
		`{"subject":"` + l.firm("a") + `","purpose":"pre_loan","more":1}`, `{"subject":"` + l.firm("a") + `","purpose":"pre_loan","classes":["penalties"]}`,
		`{"subject":"` + l.firm("a") + `","purpose":"pre_loan","classes":["grade","grade"]}`, `{"subject":"` + l.firm("a") + `","purpose":"pre_loan","authorisation":"12"}`,
	} {
		l.want(l.ask(0, "bank", http.MethodPost, "/v1/queries", []byte(body)), http.StatusBadRequest, "E_BODY")
	}
	// A lender is the public everywhere else: nothing that only agencies are told.
	for _, target := range []string{"/v1/duties", "/v1/audit/genesis", "/v1/audit/blocks/1", "/v1/checks/" + l.firm("a"), "/v1/files/" + l.firm("a")} {
		l.want(l.get("bank", target), http.StatusForbidden, "E_LENDER_AUDIENCE")
	}
	// Its own authorisation it may read, another's not.
	l.want(l.get("bank", "/v1/records/"+hex.EncodeToString(l.Authorisation("a", "SQ-1"))), http.StatusOK, "")
	l.want(l.get("bank2", "/v1/records/"+hex.EncodeToString(l.Authorisation("a", "SQ-1"))), http.StatusNotFound, "E_RECORD_UNKNOWN")

	// A journal that lacks what the ledger has anchored opens nothing; what is published is answered.
	l.do("on 2026-07-19")
	l.do("anchor by=gw")
	q, _ := l.query("bank2", "a", "", "pre_loan")
	if q.Receipt.ID == "" {
		t.Error("no receipt")
	}
	l.want(l.ask(0, "bank2", http.MethodPost, "/v1/queries", l.body("a", "2", "pre_loan", "grade")), http.StatusServiceUnavailable, "E_RECEIPT_JOURNAL")
	if err := l.anchorer.Step(context.Background()); err == nil {
		t.Error("the gateway goes on anchoring from a journal that is not whole")
	}
}

// Many queries at once never open more often than the firm allowed, and each answer that left has its receipt on disk.
func TestQueriesAtOnce(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A", "grant by=bank firm=a key=k1 no=1 uses=5")
	l.Block()
	l.Block()
	const askers = 24
	signer := gateway.NewSigner(l.Actors["bank"].Key, l.Chain)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		opened int
		ids    []string
	)
	for range askers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			body := l.body("a", "1", "pre_loan", "grade")
			r, err := http.NewRequest(http.MethodPost, l.servers[0].URL+"/v1/queries", bytes.NewReader(body))
			if err == nil {
				err = signer.Sign(r, body)
			}
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			var q queryAnswer
			if err := json.NewDecoder(resp.Body).Decode(&q); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%d %v", resp.StatusCode, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if q.Restricted != nil {
				opened++
			}
			ids = append(ids, q.Receipt.ID)
		}()
	}
	wg.Wait()
	if opened != 5 {
		t.Errorf("%d queries opened something; the firm allowed 5", opened)
	}
	must(t, l.journal.Close())
	j, err := receipt.Open(l.dir, make([]byte, receipt.KeyBytes))
	must(t, err)
	defer j.Close()
	have := map[string]bool{}
	p, err := j.Page(t.Context(), receipt.Wanted{Subject: l.firm("a"), Limit: 1000})
	must(t, err)
	for _, e := range p.Entries {
		have[hex.EncodeToString(e.Receipt.Id)] = true
	}
	for _, id := range ids {
		if !have[id] {
			t.Errorf("receipt %s left and is not on disk", id)
		}
	}
}

// INV-03 over the lenders' routes: a firm whose penalty was repaired is answered as its twin that never had one, byte for byte but for what is drawn at
// random for each receipt.
func TestQueriesTellNothingOfARepair(t *testing.T) {
	worlds := [2]*lending{newLending(t), newLending(t)}
	answers := func(l *lending, had bool) string {
		l.enrolAll()
		l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A found=2026-07-01 until=2027-06-30",
			"commit by=zz-scjg firm=a code=41010020260715000001 type=6 public=2 accepted", "grant by=bank firm=a key=k1 no=1 until=2027-07-01")
		l.Actors["a"] = l.FirmKey("a", "k1")
		story := func(lines ...string) { // in the twin's world as many blocks, without a record
			for _, line := range lines {
				if !had {
					line = "block"
				}
				l.do(line)
			}
		}
		story("record by=zz-scjg firm=a no=7 fine=120000", "publish by=zz-scjg firm=a no=7")
		l.do("on 2026-10-19")
		story("commit by=zz-scjg firm=a code=41010020261019000005 type=4 public=1 accepted",
			"apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment=41010020261019000005",
			"accept-repair by=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg firm=a no=7 application=XY-1")
		l.Block()
		l.Block()
		var out []string
		for _, classes := range [][]string{nil, {"grade"}, {"commitments"}, {"grade", "commitments"}} {
			_, raw := l.query("bank", "a", "1", "pre_loan", classes...)
			var v map[string]json.RawMessage
			must(t, json.Unmarshal(raw, &v))
			delete(v, "receipt") // drawn at random, and of the bundle's digest
			delete(v, "attestation")
			raw, err := json.Marshal(v)
			must(t, err)
			out = append(out, string(raw))
		}
		for _, reader := range []string{"a", "bank"} {
			for _, r := range l.receipts(reader, "a") {
				r.ID, r.Salt, r.Bytes, r.AnswerDigest = "", "", "", ""
				out = append(out, fmt.Sprintf("%+v", r))
			}
		}
		return strings.Join(out, "\n")
	}
	with, without := answers(worlds[0], true), answers(worlds[1], false)
	if with != without {
		t.Errorf("with a repaired record:\n%s\nwithout:\n%s", with, without)
	}
}

// What a process has not seen it cannot know to be used: a query signed before it began is not taken, so that none is answered twice over a restart.
func TestQuerySignedBeforeTheStart(t *testing.T) {
	before := time.Now().Add(-2 * time.Second)
	l := newLending(t)
	l.enrolAll()
	l.Block()
	target, body := "/v1/queries", l.body("a", "", "pre_loan")
	header := func(at time.Time) string {
		a, u, s := sign(t, l.Actors["bank"].Key, http.MethodPost, target, body, at, l.Chain)
		return fmt.Sprintf("Xinlian %s:%s:%x", a, u, s)
	}
	if a := l.want(l.ask(0, "", http.MethodPost, target, body, "Authorization", header(before)), http.StatusUnauthorized, "E_AUTH"); !bytes.Contains(a.body, []byte("before this node started")) {
		t.Errorf("%s", a.body)
	}
	l.want(l.ask(0, "", http.MethodPost, target, body, "Authorization", header(time.Now())), http.StatusOK, "")
}

// TestQueryOverARestart: a query that was signed ahead of the gateway's clock is answered once, also where the gateway starts anew in between.
func TestQueryOverARestart(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A", "grant by=bank firm=a key=k1 no=1 uses=2")
	l.Block()
	l.Block()
	body := l.body("a", "1", "pre_loan", "grade")
	process := func() *gateway.Gateway {
		return gateway.New(gateway.Backend{App: l.Apps[0], Blocks: l.blocks, Submit: l.submit, Ready: func() (bool, string) { return true, "" }},
			gateway.Options{Lending: &gateway.Lending{Member: l.Actors["gw"].USCC, Journal: l.journal}})
	}
	ask := func(g *gateway.Gateway, header string) *httptest.ResponseRecorder {
		r, rec := near("/v1/queries"), httptest.NewRecorder()
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Authorization", header)
		g.ServeHTTP(rec, r)
		return rec
	}
	header := func(by string, at time.Time) string {
		a, u, s := sign(t, l.Actors[by].Key, http.MethodPost, "/v1/queries", body, at, l.Chain)
		return fmt.Sprintf("Xinlian %s:%s:%x", a, u, s)
	}
	ahead := time.Now().Add(20 * time.Second)
	same := header("bank", ahead)
	if a := ask(process(), same); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), `"opened":["grade"]`) {
		t.Fatalf("%d %.300s", a.Code, a.Body)
	}
	g := process()
	if a := ask(g, same); a.Code != http.StatusUnauthorized || !strings.Contains(a.Body.String(), "it was used already") {
		t.Errorf("by the process after it: %d %.300s", a.Code, a.Body)
	}
	if n, err := l.journal.Used(l.Authorisation("a", "SQ-1")); err != nil || n != 1 {
		t.Errorf("%d uses, %v", n, err)
	}
	for _, other := range []string{header("bank", ahead.Add(time.Second)), header("bank2", ahead)} {
		if a := ask(g, other); a.Code != http.StatusOK {
			t.Errorf("another request: %d %.300s", a.Code, a.Body)
		}
	}
}

// meanwhile is a reader that does something before it takes what it is given.
type meanwhile struct {
	*httptest.ResponseRecorder
	do func()
}

func (w *meanwhile) Write(b []byte) (int, error) {
	w.do()
	return w.ResponseRecorder.Write(b)
}

// An answer on which a use was spent is sent whether or not there is room for answers that nobody reads.
func TestQueryIsSentWithoutRoom(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A", "grant by=bank firm=a key=k1 no=1 uses=1")
	for i := range 250 {
		l.do(fmt.Sprintf("commit by=zz-scjg firm=a code=41010020260715%06d type=6 public=1 accepted", i+1))
	}
	l.Block()
	l.Block()
	g := gateway.New(gateway.Backend{App: l.Apps[0], Blocks: l.blocks, Submit: l.submit, Ready: func() (bool, string) { return true, "" }},
		gateway.Options{Lending: &gateway.Lending{Member: l.Actors["gw"].USCC, Journal: l.journal}, SendingMax: 1})
	asked := false
	large := near("/v1/subjects/" + l.firm("a") + "/attestation")
	large.Header.Set("Accept", "application/json")
	g.ServeHTTP(&meanwhile{httptest.NewRecorder(), func() { // all room is taken
		asked = true
		body := l.body("a", "1", "pre_loan", "grade")
		a, u, s := sign(t, l.Actors["bank"].Key, http.MethodPost, "/v1/queries", body, time.Now(), l.Chain)
		r, rec := near("/v1/queries"), httptest.NewRecorder()
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Authorization", fmt.Sprintf("Xinlian %s:%s:%x", a, u, s))
		g.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"opened":["grade"]`) {
			t.Errorf("%d %.300s", rec.Code, rec.Body)
		}
	}}, large)
	if !asked {
		t.Error("nothing was sent")
	}
}

// A lender whose queries wait takes neither the places of other lenders nor those of who asks for what is published.
func TestQueriesOfOneLender(t *testing.T) {
	const most = 2 // one part in eight
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A", "grant by=bank firm=a key=k1 no=1 uses=5")
	l.Block()
	inside, leave := make(chan struct{}), make(chan struct{})
	g := gateway.New(gateway.Backend{
		App: l.Apps[0], Blocks: l.blocks, Submit: l.submit, Ready: func() (bool, string) { return true, "" },
		Current: func() bool { // of queries for classes alone
			select {
			case inside <- struct{}{}:
				<-leave
			case <-leave:
			}
			return true
		},
	}, gateway.Options{Lending: &gateway.Lending{Member: l.Actors["gw"].USCC, Journal: l.journal}, RequestsMax: 8 * most})
	signer := map[string]*gateway.Signer{"bank": gateway.NewSigner(l.Actors["bank"].Key, l.Chain), "bank2": gateway.NewSigner(l.Actors["bank2"].Key, l.Chain)}
	ask := func(by string, classes ...string) *httptest.ResponseRecorder {
		body := l.body("a", "1", "pre_loan", classes...)
		r, rec := near("/v1/queries"), httptest.NewRecorder()
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(bytes.NewReader(body)), int64(len(body))
		h, err := signer[by].Header(r.Method, "/v1/queries", body)
		must(t, err)
		r.Header.Set("Authorization", h)
		g.ServeHTTP(rec, r)
		return rec
	}
	var asked sync.WaitGroup
	for range most {
		asked.Add(1)
		go func() {
			defer asked.Done()
			if rec := ask("bank", "grade"); rec.Code != http.StatusOK {
				t.Errorf("a query that waited: %d %s", rec.Code, rec.Body)
			}
		}()
		<-inside
	}
	rec := ask("bank")
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "E_BUSY") || rec.Header().Get("Retry-After") != "1" {
		t.Errorf("another query of the lender: %d, Retry-After %q, %s", rec.Code, rec.Header().Get("Retry-After"), rec.Body)
	}
	if rec := ask("bank2"); rec.Code != http.StatusOK {
		t.Errorf("a query of another lender: %d %s", rec.Code, rec.Body)
	}
	close(leave)
	asked.Wait()
	if rec := ask("bank", "grade"); rec.Code != http.StatusOK {
		t.Errorf("a query after the others: %d %s", rec.Code, rec.Body)
	}
	if n, err := l.journal.Receipts(); err != nil || n != most+2 {
		t.Errorf("%d receipts, %v: what is refused has none", n, err)
	}
}
