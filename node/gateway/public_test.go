package gateway_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// Before header 2 nothing is proven.
func TestNothingProvenYet(t *testing.T) {
	w := newWorld(t)
	a := w.want(w.get("", "/v1/subjects"), 503, "E_NOT_READY")
	if a.header.Get("Retry-After") != "1" {
		t.Fatal("503 without Retry-After")
	}
	if a := w.get("", "/v1/status"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.want(w.ask(0, "", http.MethodPost, "/v1/txs", []byte("x")), 400, "E_TX_MALFORMED")
	w.Block()
	w.want(w.get("", "/v1/subjects/"+w.firm("a")), 503, "E_NOT_READY")
	w.want(w.get("", "/v1/trust"), 503, "E_NOT_READY")
	w.Block()
	w.want(w.public("/v1/subjects/"+w.firm("a")), 404, "E_SUBJECT_UNKNOWN")
}

func TestPublicRoutes(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20",
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15",
		"publish by=ops issuer=zz-scjg firm=a no=7",
		"commit by=zz-scjg firm=a code=41010020260720000001 type=1 accepted")
	var behind struct {
		Counts struct{ Commitments int }
	}
	w.public("/v1/subjects/"+w.firm("a")).into(t, &behind)
	if behind.Counts.Commitments != 0 {
		t.Fatal("a public answer speaks of a height that is not proven")
	}
	w.want(w.public("/v1/records/41010020260720000001"), 404, "E_RECORD_UNKNOWN")
	w.Block()

	var status struct {
		Height       int64
		ProvenHeight int64  `json:"proven_height"`
		AppHash      string `json:"app_hash"`
		ChainID      string `json:"chain_id"`
	}
	w.public("/v1/status").into(t, &status)
	if status.Height != w.Height() || status.ProvenHeight != w.Height()-1 || status.AppHash != hex.EncodeToString(w.AppHash) || status.ChainID != w.Chain {
		t.Fatalf("status %+v", status)
	}

	var h struct {
		Height       int64
		Hash         string
		AppHashAfter string `json:"app_hash_after"`
		LegalTime    string `json:"legal_time"`
	}
	for n := int64(1); n <= w.Height(); n++ {
		w.public(fmt.Sprintf("/v1/headers/%d", n)).into(t, &h)
		want := hex.EncodeToString(w.AppHash)
		if n < w.Height() {
			want = hex.EncodeToString(w.Cluster.Blocks[n].AppHash)
		}
		if h.Height != n || h.AppHashAfter != want || h.Hash != hex.EncodeToString(w.Cluster.Blocks[n-1].Hash()) || !strings.HasSuffix(h.LegalTime, "+08:00") {
			t.Fatalf("header %d: %+v, want app hash %s", n, h, want)
		}
	}
	w.want(w.public(fmt.Sprintf("/v1/headers/%d", w.Height()+1)), 404, "E_HEIGHT")
	for _, bad := range []string{"0", "-1", "01", "x", "99999999999999999999", "1.0"} {
		w.want(w.public("/v1/headers/"+bad), 400, "E_HEIGHT")
	}

	// Pages.
	var got []string
	for after := ""; ; {
		var page struct {
			Subjects []string
			Next     *string
		}
		target := "/v1/subjects?limit=2"
		if after != "" {
			target += "&after=" + after
		}
		w.public(target).into(t, &page)
		got = append(got, page.Subjects...)
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if want := []string{w.firm("a"), w.firm("b"), w.firm("c")}; !slices.Equal(got, want) && len(got) != 3 {
		t.Fatalf("subjects %v, want %v", got, want)
	}

	var s struct {
		Subject   string
		Penalties []struct{ Record, Class string }
		Counts    struct{ Penalties, Commitments int }
		AsOf      struct {
			Height      int64
			Proven      bool
			BlockTime   time.Time `json:"block_time"`
			FreshUntil  time.Time `json:"fresh_until"`
			RuleVersion uint64    `json:"rule_version"`
		} `json:"as_of"`
	}
	w.public("/v1/subjects/"+w.firm("a")).into(t, &s)
	if s.Subject != w.firm("a") || s.Counts.Penalties != 1 || s.Counts.Commitments != 1 || s.Penalties[0].Record != w.penalty("a", "7") {
		t.Fatalf("standing %+v", s)
	}
	if s.AsOf.Height != w.Height()-1 || !s.AsOf.Proven || s.AsOf.RuleVersion != 1 || !s.AsOf.FreshUntil.After(s.AsOf.BlockTime) {
		t.Fatalf("as of %+v", s.AsOf)
	}

	// The published record by its id is what the standing holds.
	rec := w.public("/v1/records/" + w.penalty("a", "7"))
	if rec.status != 200 || !bytes.Contains(rec.body, []byte(`"view":"published"`)) || bytes.Contains(rec.body, []byte(`"state"`)) {
		t.Fatalf("record %s", rec.body)
	}
	if a := w.public("/v1/commitments/41010020260720000001"); a.status != 200 || !bytes.Contains(a.body, []byte(w.firm("a"))) {
		t.Fatalf("commitment %s", a.body)
	}

	w.want(w.public("/v1/subjects/"+w.firm("nobody")), 404, "E_SUBJECT_UNKNOWN")
	w.want(w.public("/v1/subjects/91410100Y00100"), 400, "E_USCC_LEN")
	w.want(w.public("/v1/commitments/123"), 400, "E_COMMITMENT_CODE")
	w.want(w.public("/v1/subjects?limit=0"), 400, "E_QUERY")
	w.want(w.public("/v1/subjects?limit=1001"), 400, "E_QUERY")
	w.want(w.public("/v1/subjects?limit=1&limit=2"), 400, "E_QUERY")
	w.want(w.public("/v1/subjects/"+w.firm("a")+"?height=2"), 400, "E_QUERY") // the past is not public
	w.want(w.public("/v1/subjects?after=x"), 400, "E_USCC_LEN")
	w.want(w.public("/v1/subjects?%zz"), 400, "E_QUERY")
}

// A bundle verifies with the trust file of the same gateway, present and absent.
func TestAttestation(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20",
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15",
		"publish by=ops issuer=zz-scjg firm=a no=7")
	w.Block()
	trust, err := attest.ParseTrust(w.public("/v1/trust").body)
	must(t, err)
	now := w.Cluster.Blocks[w.Height()-1].Time.Add(time.Second)
	for _, c := range []struct {
		firm, claim string
		enrolled    bool
		holds       bool
	}{
		{"a", "no-negative", true, false},
		{"a", "enrolled", true, true},
		{"b", "no-negative", true, true},
		{"nobody", "enrolled", false, false},
		{"nobody", "no-negative", false, true},
	} {
		a := w.public("/v1/subjects/" + w.firm(c.firm) + "/attestation")
		if a.status != 200 || a.header.Get("Content-Type") != attest.MediaType || !bytes.HasPrefix(a.body, []byte("XLA1")) {
			t.Fatalf("%d %s %.300s", a.status, a.header.Get("Content-Type"), a.body)
		}
		claim, err := attest.ParseClaim(c.claim)
		must(t, err)
		v, err := attest.Verify(a.body, trust, attest.Policy{Subject: w.firm(c.firm), Claim: claim, MaxAge: time.Minute, Now: now})
		must(t, err)
		if v.Enrolled != c.enrolled || v.Holds != c.holds || v.Height != w.Height()-1 || 3*v.SignedPower <= 2*v.TotalPower || v.SignedPower == v.TotalPower {
			t.Fatalf("%s %s: %+v", c.firm, c.claim, v)
		}
		if d, err := attest.DecodeBundle(a.body); err != nil || len(d.Steps) != 0 {
			t.Fatal(err)
		}
	}

	for accept, want := range map[string]string{
		"application/json": "application/json", "*/*": attest.MediaType, attest.MediaType: attest.MediaType,
		"application/json;q=0.5, " + attest.MediaType: attest.MediaType, "application/*": attest.MediaType, "text/html, application/json;q=0.9, */*;q=0.1": "application/json",
	} {
		if a := w.public("/v1/subjects/"+w.firm("a")+"/attestation", "Accept", accept); a.header.Get("Content-Type") != want {
			t.Errorf("Accept %q gets %q, want %q", accept, a.header.Get("Content-Type"), want)
		}
	}
	w.want(w.public("/v1/subjects/"+w.firm("a")+"/attestation", "Accept", "text/html"), 406, "E_ACCEPT")

	// Many at a time, doubles once, absent ones too.
	body := fmt.Sprintf(`{"subjects":[%q,%q,%q,%q]}`, w.firm("a"), w.firm("nobody"), w.firm("b"), w.firm("a"))
	many := w.ask(0, "", http.MethodPost, "/v1/attestations", []byte(body))
	vs, err := attest.VerifyMany(many.body, trust, attest.Policy{Claim: attest.NoNegative, MaxAge: time.Minute, Now: now})
	must(t, err)
	if len(vs) != 3 {
		t.Fatalf("%d verdicts", len(vs))
	}
	w.ask(0, "", http.MethodPost, "/v1/attestations", []byte(body), "Accept", "application/json")
	post := func(body string) answer {
		t.Helper()
		return w.ask(0, "", http.MethodPost, "/v1/attestations", []byte(body))
	}
	w.want(post(`{"subjects":[]}`), 422, "E_BATCH")
	w.want(post(`{}`), 422, "E_BATCH")
	w.want(post(`{"subjects":["x"]}`), 400, "E_USCC_LEN")
	w.want(post(`{"subject":[]}`), 400, "E_BODY")
	w.want(post(body+`{}`), 400, "E_BODY")
	w.want(post(``), 400, "E_BODY")
	w.want(post(`{"subjects":[`+strings.TrimSuffix(strings.Repeat(`"`+w.firm("a")+`",`, 10001), ",")+`]}`), 422, "E_BATCH")
	for range 20 { // an answer that comes before the body is sent reaches who sends it
		w.want(post(strings.Repeat(" ", 8<<20)), 413, "E_BODY_SIZE")
	}
}

// TestLargestBatch: as many subjects as are taken at once, of which few are enrolled, come as one bundle that verifies for each of them, compressed or not.
func TestLargestBatch(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	subjects := []string{w.firm("a"), w.firm("b")}
	for i := range pb.BundleEntriesMax - len(subjects) {
		subjects = append(subjects, apptest.USCC("91410100", fmt.Sprintf("Y9%06d", i)))
	}
	body, err := json.Marshal(map[string]any{"subjects": subjects})
	must(t, err)
	many := w.ask(0, "", http.MethodPost, "/v1/attestations", body)
	trust, err := attest.ParseTrust(w.public("/v1/trust").body)
	must(t, err)
	vs, err := attest.VerifyMany(many.body, trust, attest.Policy{Claim: attest.Enrolled, MaxAge: time.Minute, Now: w.Cluster.Blocks[w.Height()-1].Time.Add(time.Second)})
	must(t, err)
	of := map[string]bool{}
	for _, v := range vs {
		of[v.Subject] = v.Enrolled
	}
	if len(vs) != pb.BundleEntriesMax || len(of) != len(vs) || !of[subjects[0]] || !of[subjects[1]] || of[subjects[2]] || of[subjects[len(subjects)-1]] {
		t.Fatalf("%d verdicts on %d subjects", len(vs), len(of))
	}
	packed := w.ask(0, "", http.MethodPost, "/v1/attestations", body, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(bytes.NewReader(packed.body))
	must(t, err)
	plain, err := io.ReadAll(z)
	must(t, err)
	if packed.header.Get("Content-Encoding") != "gzip" || !bytes.Equal(plain, many.body) || len(packed.body) >= len(plain) {
		t.Fatalf("%d bytes of %d, %q", len(packed.body), len(plain), packed.header.Get("Content-Encoding"))
	}
}

// What this gateway made and what does not verify never leaves (pair assertion).
func TestBadBundleNeverLeaves(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	if a := w.get("", "/v1/subjects/"+w.firm("a")+"/attestation"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.Block()
	w.blocks.mangle = mangleAppHash
	a := w.want(w.get("", "/v1/subjects/"+w.firm("a")+"/attestation"), 503, "E_INTERNAL")
	if bytes.Contains(a.body, []byte("XLA1")) {
		t.Fatal("the bundle left")
	}
	if n := w.metric("xinlian_gateway_bundles_refused_total"); n != 1 {
		t.Fatalf("refused %v bundles", n)
	}
	w.blocks.mangle = nil
	w.Block()
	if a := w.get("", "/v1/subjects/"+w.firm("a")+"/attestation"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

// hash64 is what may differ between twins: digests, and ids that are digests.
var hash64 = regexp.MustCompile(`[0-9a-f]{64}`)

// A repaired subject and a clean twin get the same answers on every public route, at every height outside publicity (INV-03, issue 2 "shown by" 3).
func TestTwin(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20")
	w.do("commit by=zz-scjg firm=a code=41010020260720000001 type=1 accepted", "commit by=zz-scjg firm=b code=41010020260720000002 type=1 accepted")
	w.Block()
	const type4 = "41010020261012000001"
	unknown := func() string { return string(w.public("/v1/commitments/41010020261012000009").body) }
	before := w.raw("a")

	// seen says in which of the routes the twins differ.
	seen := func() (differ []string) {
		for _, target := range []string{"/v1/subjects/%s", "/v1/subjects/%s/attestation", "/v1/subjects/%s/attestation json"} {
			var accept []string
			route := target
			if strings.HasSuffix(target, " json") {
				route, accept = strings.TrimSuffix(target, " json"), []string{"Accept", "application/json"}
			}
			a, b := w.public(fmt.Sprintf(route, w.firm("a")), accept...), w.public(fmt.Sprintf(route, w.firm("b")), accept...)
			if a.status != b.status || w.shape("a", a) != w.shape("b", b) {
				differ = append(differ, target)
			}
		}
		if a := w.public("/v1/records/" + w.penalty("a", "7")); !bytes.Equal(a.body, w.public("/v1/records/"+strings.Repeat("0", 64)).body) {
			differ = append(differ, "/v1/records")
		}
		if a := w.public("/v1/commitments/" + type4); string(a.body) != unknown() {
			differ = append(differ, "/v1/commitments")
		}
		// A member that has no duty here learns no more than the public.
		if a := w.get("gy-scjg", "/v1/records/"+w.penalty("a", "7")); !bytes.Equal(a.body, w.get("gy-scjg", "/v1/records/"+strings.Repeat("0", 64)).body) {
			differ = append(differ, "/v1/records of a member")
		}
		if a, b := w.get("gy-scjg", "/v1/files/"+w.firm("a")), w.get("gy-scjg", "/v1/files/"+w.firm("b")); w.shape("a", a) != w.shape("b", b) {
			differ = append(differ, "/v1/files of a member")
		}
		return differ
	}
	clean := func(when string) {
		t.Helper()
		w.Block()
		if d := seen(); len(d) > 0 {
			t.Fatalf("%s the twins differ in %v", when, d)
		}
	}
	differs := func(when string, n int) {
		t.Helper()
		w.Block()
		if d := seen(); len(d) < n {
			t.Fatalf("%s the twins differ only in %v: the comparison sees nothing", when, d)
		}
	}

	clean("before the record")
	w.do("record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15")
	clean("while the record is registered")
	w.do("publish by=ops issuer=zz-scjg firm=a no=7")
	differs("while the record is published", 6)
	w.do("on 2026-10-19", "commit by=zz-scjg firm=a code="+type4+" type=4 accepted",
		"apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment="+type4)
	differs("while the application waits", 7)
	w.do("accept-repair by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1")
	clean("after the repair")
	if after := w.raw("a"); !bytes.Equal(before.Standing, after.Standing) || !bytes.Equal(before.Salt, after.Salt) {
		t.Fatal("the standing has not again the bytes and the salt from before the record")
	}
	w.do("on 2026-12-01")
	clean("long after the repair")
	w.do("revoke by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1 notice=2026-11-20")
	differs("after the repair was revoked", 6)
	w.do("on 2027-07-16")
	w.Block() // expires
	w.Block() // and proves it
	if a := w.public("/v1/records/" + w.penalty("a", "7")); a.status != 404 {
		t.Fatal("an expired record is shown")
	}
}

// raw is a subject's entry in its bundle.
func (w *world) raw(firm string) pb.Entry {
	w.tb.Helper()
	b, err := attest.DecodeBundle(w.public("/v1/subjects/" + w.firm(firm) + "/attestation").body)
	must(w.tb, err)
	return b.Entries[0]
}

// shape is an answer without identity, salt and hashes.
func (w *world) shape(firm string, a answer) string {
	w.tb.Helper()
	if bytes.HasPrefix(a.body, []byte("XLA1")) {
		b, err := attest.DecodeBundle(a.body)
		must(w.tb, err)
		b.Shape, b.Hashes = nil, nil // neighbours in the tree
		e := &b.Entries[0]
		s := new(pb.Standing)
		must(w.tb, pb.Decode(e.Standing, s))
		size := len(e.Standing)
		s.Subject, s.Restricted, e.Subject, e.Salt, e.Standing = "", nil, "", nil, nil
		s.Commitments = scrub(s.Commitments)
		return fmt.Sprintf("%v %v %d rows read: %s", b, s, size, a.work)
	}
	body := strings.ReplaceAll(string(a.body), w.firm(firm), "FIRM")
	body = hash64.ReplaceAllString(body, "HASH")
	body = regexp.MustCompile(`"path_bytes":\d+`).ReplaceAllString(body, "PATH")
	return regexp.MustCompile(`4101002026072000000[12]`).ReplaceAllString(body, "CODE") + "\nrows read: " + a.work // each twin has a commitment of its own
}

func scrub(cs []pb.PublicCommitment) []pb.PublicCommitment {
	cs = slices.Clone(cs)
	for i := range cs {
		cs[i].Code = strings.TrimRight(cs[i].Code, "12")
	}
	return cs
}
