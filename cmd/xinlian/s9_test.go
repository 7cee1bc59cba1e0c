package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/client"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// The scenario's three months are thirty days here, and a day passes in a second.
const s9Term = 30

const (
	s9Narrow = "41010020260601000002" // shown in a particular scope only: what the firm may authorise
	s9Public = "41010020260601000001"
	s9DocNo  = "郑市监罚〔2026〕77号"
)

// s9Answer is what a lender is told.
type s9Answer struct {
	Standing    json.RawMessage
	Attestation string
	Opening     *string
	Restricted  *struct {
		Opened, Closed []string
		Grade          *struct{ Grade, Issuer string }
		Commitments    *[]struct{ Code string }
	}
	Refused []struct {
		Class   string
		Refusal struct{ Code string }
	}
	Receipt s9Receipt
}

type s9Receipt struct {
	ID, Requester, Purpose, At, Bytes, Salt string
	Opened                                  []string
	Refusal                                 *string
	AnswerDigest                            string `json:"answer_digest"`
	Anchor                                  *struct {
		Hour   int64
		Height *int64
	}
}

// TestS9 is scenario S9 from its first to its last step over a node of its own, by the two programs: a firm gets its key, authorises a lender, the lender asks, the
// firm sees who asked, and what the lender keeps holds without the node.
func TestS9(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	t.Parallel()
	work := t.TempDir()
	dir := filepath.Join(work, "net")
	verifier := filepath.Join(work, "xinlian-verify")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", verifier, "../xinlian-verify").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { runner.Down(dir) })
	xinlian(t, 0, "localnet", "up", "--dir", dir, "--validators", "1", "--detach", "--chain-id", "test-s9", "--legal-origin", "2026-06-01T09:00:00+08:00", "--clock-rate", "86400")
	n, err := runner.Load(dir)
	must(t, err)
	api := n.Nodes[0].API
	xinlian := programWith("XINLIAN_PASSPHRASE_FILE="+n.PassphrasePath(), "XINLIAN_HOME="+filepath.Join(work, "home"), "XINLIAN_NODE="+api)
	as := func(key string, args ...string) []string { return append(args, "--keys", n.KeysPath(), "--key", key) }
	write := func(name string, content any) string {
		raw, ok := content.([]byte)
		if !ok {
			raw, err = json.Marshal(content)
			must(t, err)
		}
		path := filepath.Join(work, name)
		must(t, os.WriteFile(path, raw, 0o600))
		return path
	}
	members := map[string]string{}
	for _, m := range n.Members {
		members[m.Key] = m.USCC
	}
	files := 0
	// send submits a message and gives the record that it made.
	send := func(key string, content any, verb ...string) string {
		t.Helper()
		files++
		out, _ := xinlian(t, 0, as(key, append(append([]string{"tx"}, verb...), "--json", "--json-file", write(fmt.Sprintf("tx%d.json", files), content))...)...)
		var v struct{ Results []struct{ Record string } }
		must(t, json.Unmarshal([]byte(out), &v))
		return v.Results[0].Record
	}
	reader, err := client.New(client.Options{URL: api})
	must(t, err)
	defer reader.Close()
	today := func() calendar.Date {
		t.Helper()
		s, err := reader.Status(t.Context())
		must(t, err)
		return calendar.Of(s.LegalTime.Unix())
	}

	// Another lender, which nobody has authorised.
	members["bank2"] = code.CompleteUSCC("91410100", "Y0090107")
	added, _ := xinlian(t, 0, "keys", "add", "bank2", "--keys", n.KeysPath(), "--json")
	var k struct{ Address string }
	must(t, json.Unmarshal([]byte(added), &k))
	send("gov1", map[string]any{"reason": "接入", "action": map[string]any{"put_member": map[string]any{
		"uscc": members["bank2"], "name": "另一样例银行（合成样例）", "level": "other", "regions": []string{"410100"},
		"keys": []any{map[string]any{"address": strings.TrimPrefix(k.Address, "0x"), "roles": []string{"lender"}}},
	}}}, "member", "propose")
	for _, gov := range []string{"gov2", "gov3"} {
		send(gov, map[string]any{"proposal": 1, "yes": true}, "member", "vote")
	}

	// The firm's key, registered by the registry on the firm's own proof.
	firm, twin := sample.Reserved()[0], sample.Reserved()[1]
	firmKeys := filepath.Join(work, "firm")
	signed := func(verb string, args ...string) map[string]any {
		t.Helper()
		out, _ := xinlian(t, 0, append([]string{"keys", verb, "firm", "--keys", firmKeys, "--chain-id", "test-s9"}, args...)...)
		var v map[string]any
		must(t, json.Unmarshal([]byte(out), &v))
		return v
	}
	xinlian(t, 0, "keys", "add", "firm", "--keys", firmKeys)
	registration := signed("prove", "--subject", firm)
	registration["evidence"] = "电子营业执照核验记录"
	send("registry", registration, "firm", "register-key")

	// What is not public of it: a grade found elsewhere, a promise shown in a particular scope.
	send("grader", map[string]any{"subject": firm, "grade": "B", "assessed_on": "2026-05-20", "valid_until": "2027-05-19", "source_no": "PJ-2026-1", "basis": "评价依据"}, "consent", "grade")
	promise := func(no string, publication int) {
		send("zz-scjg", map[string]any{"accepted": true, "content": map[string]any{
			"code": no, "subject": firm, "type": 6, "made_on": "2026-06-01", "acceptor": members["zz-scjg"], "publication": publication,
			"text": map[string]any{"reason": "自主承诺", "content": "承诺内容", "breach_liability": "违诺责任"},
		}}, "commitment", "submit")
	}
	promise(s9Narrow, 2)
	// grant has the firm sign, and the bank bring it.
	grant := func(no string, uses int, until calendar.Date, classes ...string) string {
		t.Helper()
		content := write(no+".json", map[string]any{
			"subject": firm, "grantee": members["bank"], "gateway": members[runner.LendingKey], "purpose": "pre_loan", "classes": classes,
			"grant_no": no, "granted_on": "2026-06-01", "valid_until": until.String(), "max_uses": uses,
		})
		return send("bank", signed("authorise", "--json-file", content), "consent", "grant")
	}
	const opened = "opened"
	far := day("2027-05-31")
	once, withdrawn := grant("SQ-2026-2", 1, far, "grade"), grant("SQ-2026-3", 0, far, "commitments")

	asked := 0
	// ask is the lender's question, with the files that it keeps under a name; want is what each class met, in the order of the classes.
	ask := func(by, about, authorisation, purpose string, classes, want []string) (s9Answer, string) {
		t.Helper()
		asked++
		name := filepath.Join(work, fmt.Sprintf("answer%d", asked))
		args := as(by, "query", "ask", about, "--purpose", purpose, "--json", "--bundle", name+".xla", "--classes", strings.Join(classes, ","))
		if authorisation != "" {
			args = append(args, "--authorisation", authorisation)
		}
		exit := 1
		if slices.Contains(want, opened) {
			exit = 0
			args = append(args, "--opening", name+".xlr")
		}
		out, _ := xinlian(t, exit, args...)
		must(t, os.WriteFile(name+".json", []byte(out), 0o600))
		var a s9Answer
		must(t, json.Unmarshal([]byte(out), &a))
		got := make([]string, len(classes))
		for i, c := range classes {
			if a.Restricted != nil && slices.Contains(a.Restricted.Opened, c) {
				got[i] = opened
			}
			for _, r := range a.Refused {
				if r.Class == c {
					got[i] += r.Refusal.Code
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s asks about %v for %s: %v, want %v\n%s", by, classes, purpose, got, want, out)
		}
		if (exit == 1) != (a.Opening == nil) {
			t.Errorf("opening: %s", out)
		}
		return a, name
	}
	both := []string{"grade", "commitments"}
	none := []string{"E_AUTH_NONE", "E_AUTH_NONE"}

	// INV-03: who is not authorised gets, of the firm that has all this, the answer that it gets of one that has none of it.
	hidden, there := ask("bank2", firm, once, "pre_loan", both, none)
	absent, never := ask("bank2", twin, once, "pre_loan", both, none)
	if a, b := s9Shape(t, there, firm), s9Shape(t, never, twin); a != b {
		t.Errorf("with what is not public:\n%s\nwithout:\n%s", a, b)
	}
	// Nor does it learn whether the authorisation that it names is another lender's or nobody's.
	_, nobodys := ask("bank2", firm, strings.Repeat("7", 64), "pre_loan", both, none)
	if a, b := s9Shape(t, there, firm), s9Shape(t, nobodys, firm); a != b {
		t.Errorf("naming another lender's authorisation:\n%s\nnaming one that there is not:\n%s", a, b)
	}
	if a, b := s9Standing(t, hidden.Attestation), s9Standing(t, absent.Attestation); !bytes.Equal(a, b) {
		t.Errorf("the bundles' standings differ in more than the firm and a hash of one length:\n%x\n%x", a, b)
	}
	if _, said := xinlian(t, 2, as("zz-scjg", "query", "ask", firm, "--purpose", "pre_loan")...); !strings.HasPrefix(said, "xinlian: E_LENDERS_ONLY: ") {
		t.Errorf("no lender: %s", said)
	}

	// What is published: a promise and a penalty.
	promise(s9Public, 1)
	penalty := send("zz-scjg", map[string]any{"content": map[string]any{
		"issuer": members["zz-scjg"], "subject": firm, "doc_no": s9DocNo, "kinds": []int{3}, "fine_fen": 12000000, "decided_on": "2026-06-01", "violation_region": "410105",
		"procedure": 2, "notice_served_on": "2026-05-25", "statement": 1, "served_on": "2026-06-01", "repair_notice_served": true, "power_code": "SC-MARKET", "sector": "market",
		"text": map[string]any{"cf_sy": "违法事实", "cf_yj": "处罚依据", "cf_nr": "处罚内容"},
	}}, "sanction", "record")
	xinlian(t, 0, as("zz-scjg", "tx", "sanction", "publish", "--record", penalty)...)

	// The scenario's question.
	until := today() + s9Term
	main := grant("SQ-2026-1", 0, until, both...)
	a, kept := ask("bank", firm, main, "pre_loan", both, []string{opened, opened})
	other, _ := ask("bank", firm, main, "in_loan", both, []string{"E_AUTH_PURPOSE", "E_AUTH_PURPOSE"})
	// The receipts are there although the node is killed once the answers are.
	xinlian(t, 0, "localnet", "kill", "node1", "--dir", dir)
	xinlian(t, 0, "localnet", "restart", "node1", "--dir", dir)
	eventually(t, "the node is back", func() bool {
		resp, err := http.Get(api + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	receipts := func(args ...string) (out []s9Receipt, raw string) {
		t.Helper()
		raw, _ = xinlian(t, 0, append([]string{"query", "receipts", firm, "--json"}, args...)...)
		var v struct{ Receipts []s9Receipt }
		must(t, json.Unmarshal([]byte(raw), &v))
		return v.Receipts, raw
	}
	survived, _ := receipts(as("bank")...)
	if !slices.EqualFunc(survived, []s9Receipt{a.Receipt, other.Receipt}, func(a, b s9Receipt) bool { return a.ID == b.ID && a.Bytes == b.Bytes && a.Salt == b.Salt }) {
		t.Fatalf("after the node was killed the bank has the receipts %+v, want those of its answers, %+v and %+v", survived, a.Receipt, other.Receipt)
	}
	if g, c := a.Restricted.Grade, a.Restricted.Commitments; g == nil || g.Grade != "B" || g.Issuer != members["grader"] || c == nil || len(*c) != 1 || (*c)[0].Code != s9Narrow {
		t.Errorf("opened: %+v", a.Restricted)
	}
	published := func(a s9Answer) {
		t.Helper()
		if !bytes.Contains(a.Standing, []byte(s9DocNo)) || !bytes.Contains(a.Standing, []byte(s9Public)) || bytes.Contains(a.Standing, []byte(s9Narrow)) {
			t.Errorf("published: %s", a.Standing)
		}
	}
	published(a)
	published(other)
	raw, err := os.ReadFile(kept + ".json")
	must(t, err)
	for _, word := range []string{"score", "rating", "recommend", "advice"} { // no opinion of the ledger's own (INV-23)
		if bytes.Contains(raw, []byte(word)) {
			t.Errorf("the answer says %q: %s", word, raw)
		}
	}

	// The same question otherwise: each is refused by its own code, and none opens more than the firm has signed for.
	for _, q := range []struct {
		by, authorisation, purpose string
		classes, want              []string
	}{
		{"bank", "", "pre_loan", both, none},
		{"bank2", main, "pre_loan", both, none},
		{"bank", once, "pre_loan", both, []string{opened, "E_AUTH_SCOPE"}},
		{"bank", once, "pre_loan", []string{"grade"}, []string{"E_AUTH_USED_UP"}},
		{"bank", withdrawn, "pre_loan", []string{"commitments"}, []string{opened}},
	} {
		a, name := ask(q.by, firm, q.authorisation, q.purpose, q.classes, q.want)
		published(a)
		var kept []byte
		for _, ext := range []string{".json", ".xla", ".xlr"} {
			raw, err := os.ReadFile(name + ext)
			if err == nil {
				kept = append(kept, raw...)
			} else if ext != ".xlr" || a.Opening != nil {
				t.Error(err)
			}
		}
		for class, content := range map[string]string{"commitments": s9Narrow, "grade": members["grader"]} {
			i := slices.Index(q.classes, class)
			if told := bytes.Contains(kept, []byte(content)); told != (i >= 0 && q.want[i] == opened) {
				t.Errorf("%+v: that the answer and its files hold what belongs to %s is %v", q, class, told)
			}
		}
	}
	send("bank", signed("withdraw", "--authorisation", withdrawn), "consent", "withdraw")
	a2, _ := ask("bank", firm, withdrawn, "pre_loan", []string{"commitments"}, []string{"E_AUTH_REVOKED"})
	published(a2)

	// The day after the last one.
	eventually(t, "the authorisation has expired", func() bool { return today() > until })
	last, _ := ask("bank", firm, main, "pre_loan", both, []string{"E_AUTH_EXPIRED", "E_AUTH_EXPIRED"})
	published(last)

	// The firm reads who asked, for what, when; a lender what it asked itself; nobody else anything.
	outcome := func(r s9Receipt) string {
		said := r.Purpose + " " + strings.Join(r.Opened, "+")
		if r.Refusal != nil {
			said += " " + *r.Refusal
		}
		return said
	}
	told := func(all []s9Receipt) (out []string) {
		for _, r := range all {
			who := "bank"
			if r.Requester != members["bank"] {
				who = "bank2"
			}
			if _, err := calendar.ParseDate(r.At[:10]); err != nil || r.Requester != members[who] {
				t.Errorf("receipt %+v", r)
			}
			out = append(out, who+" "+outcome(r))
		}
		return out
	}
	want := []string{
		"bank2 pre_loan  E_AUTH_NONE", "bank2 pre_loan  E_AUTH_NONE", "bank pre_loan grade+commitments", "bank in_loan  E_AUTH_PURPOSE", "bank pre_loan  E_AUTH_NONE", "bank2 pre_loan  E_AUTH_NONE",
		"bank pre_loan grade E_AUTH_SCOPE", "bank pre_loan  E_AUTH_USED_UP", "bank pre_loan commitments", "bank pre_loan  E_AUTH_REVOKED", "bank pre_loan  E_AUTH_EXPIRED",
	}
	firmReads := []string{"--keys", firmKeys, "--key", "firm"}
	all, _ := receipts(firmReads...)
	if got := told(all); !slices.Equal(got, want) {
		t.Errorf("the firm reads %q, want %q", got, want)
	}
	for _, by := range []string{"bank", "bank2"} {
		own := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return !strings.HasPrefix(s, by+" ") })
		list, _ := receipts(as(by)...)
		if got := told(list); !slices.Equal(got, own) {
			t.Errorf("%s reads %q, want %q", by, got, own)
		}
	}
	for _, by := range []string{"zz-scjg", "auditor", runner.LendingKey} {
		if out, said := xinlian(t, 2, as(by, "query", "receipts", firm, "--json")...); out != "" || !strings.HasPrefix(said, "xinlian: E_LENDERS_ONLY: ") {
			t.Errorf("%s reads %s%s", by, out, said)
		}
	}
	if code, body := fetch(t, api+"/v1/subjects/"+firm+"/receipts"); code != http.StatusUnauthorized || !strings.Contains(body, `"E_AUDIENCE"`) {
		t.Errorf("the public reads %d %s", code, body)
	}

	// Anchored, the receipts of all; then the node is no longer needed.
	var page string
	eventually(t, "the receipts are anchored", func() bool {
		all, page = receipts(as("bank")...)
		return !slices.ContainsFunc(all, func(r s9Receipt) bool { return r.Anchor == nil || r.Anchor.Height == nil })
	})
	verify := func(code int, args ...string) string {
		t.Helper()
		out, err := exec.Command(verifier, args...).CombinedOutput()
		if exit := exitOf(err); exit != code {
			t.Fatalf("xinlian-verify %s: exit code %d, want %d\n%s", strings.Join(args, " "), exit, code, out)
		}
		return string(out)
	}
	pageFile := write("receipts.json", []byte(page))
	args := []string{"receipt", pageFile, "--trust", n.TrustPath(), "--json"}
	for i, hour := range s9Hours(all) {
		proof := filepath.Join(work, fmt.Sprintf("anchor%d.xln", i))
		verify(0, "fetch", "--node", api, "--anchor", fmt.Sprintf("%s/%d", members[runner.LendingKey], hour), "--out", proof)
		args = append(args, "--proof", proof)
	}
	xinlian(t, 0, "localnet", "down", "--dir", dir)

	var judged []struct {
		ID     string
		Proven bool
		Of     bool `json:"of_answer"`
	}
	must(t, json.Unmarshal([]byte(verify(0, append(args, "--bundle", kept+".xla", "--opening", kept+".xlr")...)), &judged))
	for _, r := range judged {
		if !r.Proven || r.Of != (r.ID == a.Receipt.ID) {
			t.Errorf("judged offline: %+v", r)
		}
	}
	if len(judged) != len(all) {
		t.Errorf("%d of %d receipts were judged", len(judged), len(all))
	}
	check := []string{"check", kept + ".xla", "--trust", n.TrustPath(), "--subject", firm, "--claim", "standing", "--max-age", "1h", "--restricted"}
	if said := verify(0, append(check, kept+".xlr")...); !strings.Contains(said, "grade: B ") || !strings.Contains(said, "commitment: "+s9Narrow) {
		t.Errorf("opened offline: %s", said)
	}
	opening, err := os.ReadFile(kept + ".xlr")
	must(t, err)
	for _, at := range []int{4, len(opening) / 2, len(opening) - 1} {
		forged := bytes.Clone(opening)
		forged[at] ^= 1
		verify(1, append(check, write("forged.xlr", forged))...)
	}
}

// s9Hours are the hours of anchors, each once.
func s9Hours(all []s9Receipt) (hours []int64) {
	for _, r := range all {
		hours = append(hours, r.Anchor.Hour)
	}
	slices.Sort(hours)
	return slices.Compact(hours)
}

func exitOf(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return -1
}

var s9Hash = regexp.MustCompile(`[0-9a-f]{64}`)

// s9Shape is an answer's JSON without what differs between any two answers: the firm's code, hashes, the block and the moment at which it was asked, and bytes that hold
// those, of which the length stays.
func s9Shape(t *testing.T, name, firm string) string {
	t.Helper()
	raw, err := os.ReadFile(name + ".json")
	must(t, err)
	var v map[string]any
	must(t, json.Unmarshal(raw, &v))
	v["as_of"] = "BLOCK"
	bundle, err := attest.DecodeBundle(decode64(t, v["attestation"].(string)))
	must(t, err)
	v["attestation"] = fmt.Sprint("a bundle of ", len(bundle.Entries))
	r := v["receipt"].(map[string]any)
	receipt := new(pb.QueryReceipt)
	must(t, pb.Decode(decode64(t, r["bytes"].(string)), receipt))
	receipt.ClockMs, receipt.LatencyUs, receipt.AtHeight, receipt.AtTime = 0, 0, 0, 0
	r["bytes"] = fmt.Sprint(len(pb.Encode(receipt)), " bytes")
	for _, moment := range []string{"at", "clock", "latency_us", "at_height"} {
		if _, ok := r[moment]; ok {
			r[moment] = "MOMENT"
		}
	}
	out, err := json.MarshalIndent(v, "", " ")
	must(t, err)
	return strings.ReplaceAll(s9Hash.ReplaceAllString(string(out), "HASH"), firm, "FIRM")
}

// s9Standing is what a bundle proves of its firm, without the firm's code and the hash of the section that is not public.
func s9Standing(t *testing.T, attestation string) []byte {
	t.Helper()
	b, err := attest.DecodeBundle(decode64(t, attestation))
	must(t, err)
	s := new(pb.Standing)
	must(t, pb.Decode(b.Entries[0].Standing, s))
	if len(s.Restricted) != 32 {
		t.Errorf("the standing of %s has no section", s.Subject)
	}
	s.Subject, s.Restricted = "", make([]byte, 32)
	return pb.Encode(s)
}

func decode64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	return raw
}
