package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// TestLedger takes a file from import to an offline verdict through the program itself, over one validator.
func TestLedger(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	t.Parallel()
	work := t.TempDir()
	dir := filepath.Join(work, "net")
	n := network(t, runner.Options{Dir: dir, ChainID: "test-ledger", Validators: 1, LegalOrigin: chinaTime(2026, 7, 15, 9)})
	xinlian := programWith("XINLIAN_PASSPHRASE_FILE="+n.PassphrasePath(), "XINLIAN_HOME="+filepath.Join(work, "home"), "XINLIAN_NODE="+n.Nodes[0].API)
	as := func(key string, args ...string) []string { return append(args, "--keys", n.KeysPath(), "--key", key) }

	if os.Getenv("GOMAXPROCS") == "" { // see spread
		threads := fmt.Sprintf("\ngo_sched_gomaxprocs_threads %d\n", 2*processors)
		if metrics, ok := tryFetch(n.Nodes[0].API + "/metrics"); !ok || !strings.Contains(metrics, threads) {
			t.Errorf("the node's metrics lack %q", threads)
		}
	}

	// Import: each row as expected.csv has it; the same again records nothing twice.
	file, report := filepath.Join(work, "penalties.csv"), filepath.Join(work, "out.csv")
	const rows = 200
	lines := bytes.SplitAfterN(sample.File(sample.PenaltiesCSV), []byte("\n"), rows+2)
	if err := os.WriteFile(file, bytes.Join(lines[:rows+1], nil), 0o600); err != nil {
		t.Fatal(err)
	}
	xinlian(t, 1, as("ops", "import", "penalties", file, "--report", report, "--batch", "50")...)
	recorded := checkReport(t, report, "recorded")
	xinlian(t, 1, as("ops", "import", "penalties", file, "--report", report)...)
	if again := checkReport(t, report, "already recorded"); len(again) != len(recorded) {
		t.Errorf("%d rows recorded, %d already recorded on the second run", len(recorded), len(again))
	}
	// An agency's own key sends its own rows only.
	xinlian(t, 1, as("gy-scjg", "import", "penalties", file)...)

	// What is to be done: the platform finds the record among the duties of its issuer, until it is published.
	var (
		full struct {
			Penalty struct{ Issuer, State string }
		}
		waiting string
		stdout  string
	)
	for _, waiting = range recorded { // a minor one is not published
		stdout, _ = xinlian(t, 0, as("ops", "query", "record", waiting, "--json")...)
		if err := json.Unmarshal([]byte(stdout), &full); err != nil {
			t.Fatalf("%v %s", err, stdout)
		}
		if full.Penalty.State == "registered" {
			break
		}
	}
	todo := as("ops", "query", "duties", "--agency", full.Penalty.Issuer, "--limit", "1000")
	if stdout, _ = xinlian(t, 0, todo...); !strings.Contains(stdout, waiting) || !strings.Contains(stdout, "公示 publish") {
		t.Errorf("duties:\n%s", stdout)
	}

	// The other kinds of record have files of their own.
	for _, f := range []struct{ kind, name string }{{"abnormal", sample.AbnormalCSV}, {"others", sample.OthersCSV}} {
		more := filepath.Join(work, f.name)
		if err := os.WriteFile(more, sample.File(f.name), 0o600); err != nil {
			t.Fatal(err)
		}
		xinlian(t, 1, as("ops", "import", f.kind, more, "--report", filepath.Join(work, f.kind+".csv"))...)
		checkReportOf(t, f.name, filepath.Join(work, f.kind+".csv"), "recorded")
		if stdout, _ := xinlian(t, 0, as("ops", "tx", "sanction", "publish", "--from-report", filepath.Join(work, f.kind+".csv"), "--json")...); !strings.Contains(stdout, `"refused": 0`) {
			t.Errorf("publish %s: %s", f.kind, stdout)
		}
	}

	// Publish: by report, then nothing is left for --all-verified.
	var out published
	stdout, _ = xinlian(t, 0, as("ops", "tx", "sanction", "publish", "--from-report", report, "--json")...)
	if err := json.Unmarshal([]byte(stdout), &out); err != nil || out.Published == 0 || out.Refused != 0 {
		t.Fatalf("%v %s", err, stdout)
	}
	stdout, _ = xinlian(t, 0, as("ops", "tx", "sanction", "publish", "--all-verified", "--json")...)
	var rest published
	if err := json.Unmarshal([]byte(stdout), &rest); err != nil || rest.Published != 0 || rest.Already != 0 {
		t.Errorf("%v %s", err, stdout)
	}

	if stdout, _ = xinlian(t, 0, todo...); strings.Contains(stdout, waiting) {
		t.Errorf("published, and still among the duties:\n%s", stdout)
	}

	// Query: one of the records, as the public, its issuer and an agency see it.
	var record string
	for _, r := range out.Results {
		record = r.Record
	}
	var v struct {
		Subject   string              `json:"subject"`
		Published *attest.PenaltyJSON `json:"published"`
	}
	stdout, _ = xinlian(t, 0, "query", "record", record, "--json")
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || v.Published == nil {
		t.Fatalf("%v %s", err, stdout)
	}
	if stdout, _ = xinlian(t, 0, "query", "subject", "show", v.Subject); !strings.Contains(stdout, record) {
		t.Errorf("the standing does not name the record:\n%s", stdout)
	}
	if stdout, _ = xinlian(t, 0, as("ops", "query", "record", record)...); !strings.Contains(stdout, "penalty.text_digest") {
		t.Errorf("the platform by mandate does not see the whole record:\n%s", stdout)
	}
	xinlian(t, 1, "query", "record", strings.Repeat("0", 64))
	if stdout, _ = xinlian(t, 0, "query", "params"); !strings.Contains(stdout, "publish_deadline_wd") {
		t.Errorf("params:\n%s", stdout)
	}
	if stdout, _ = xinlian(t, 0, "vault", "show", record); !strings.Contains(stdout, "cf_sy") {
		t.Errorf("the vault has not the words of the record:\n%s", stdout)
	}

	// The loop of check and compare, the file, and the lists that the rules rest on.
	if stdout, _ = xinlian(t, 0, as("zz-scjg", "query", "check", v.Subject)...); !strings.Contains(stdout, "公示中 in publicity") {
		t.Errorf("check:\n%s", stdout)
	}
	if stdout, _ = xinlian(t, 0, as("auditor", "query", "file", v.Subject)...); !strings.Contains(stdout, record) || !strings.Contains(stdout, "公示中 published") {
		t.Errorf("file:\n%s", stdout)
	}
	if stdout, _ = xinlian(t, 0, "query", "measure", "items"); !strings.Contains(stdout, "M12") {
		t.Errorf("measure items:\n%s", stdout)
	}
	if stdout, _ = xinlian(t, 0, "query", "list", "standards"); !strings.Contains(stdout, "名单") {
		t.Errorf("list standards:\n%s", stdout)
	}

	// What stands beside the records: the list of 信用中国, a case, a court's plan, an objection.
	list := filepath.Join(work, "credit-china.csv")
	listed := fmt.Sprintf("统一社会信用代码,信息类别,认定单位代码,文书号,名单日期\n%s,行政处罚,%s,%s,2026-07-15\n%[1]s,行政处罚,%[2]s,示例市监罚〔2026〕9999号,2026-07-15\n",
		v.Subject, v.Published.Issuer, v.Published.DocNo)
	if err := os.WriteFile(list, []byte(listed), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr := xinlian(t, 1, as("zz-scjg", "import", "credit-china", list)...); !strings.Contains(stderr, "E_CREDIT_CHINA") {
		t.Errorf("an agency speaks for 信用中国: %q", stderr)
	}
	xinlian(t, 0, as("ops", "import", "credit-china", list)...)
	var summary importSummary
	stdout, _ = xinlian(t, 0, as("ops", "import", "credit-china", list, "--whole", "--json")...)
	if err := json.Unmarshal([]byte(stdout), &summary); err != nil || summary.AlreadyRecorded != 2 || summary.Rest == nil || summary.Rest.Firms < 50 || summary.Rest.Said != summary.Rest.Firms {
		t.Errorf("the whole list: %v %s", err, stdout)
	}
	if stdout, _ = xinlian(t, 0, as("auditor", "query", "reconciliation", v.Subject)...); !strings.Contains(stdout, "信用中国公示而账本未公示") || strings.Contains(stdout, record) {
		t.Errorf("reconciliation:\n%s", stdout)
	}
	xinlian(t, 0, as("zz-scjg", "tx", "case", "file", "--subject", v.Subject, "--act", "2026-07-14 示例路1号", "--violation-region", "410105", "--power-code", "SC-MARKET")...)
	if stdout, _ = xinlian(t, 0, as("zz-scjg", "query", "cases", v.Subject)...); !strings.Contains(stdout, "立案 open") {
		t.Errorf("cases:\n%s", stdout)
	}
	if stdout, _ = xinlian(t, 0, as("zz-scjg", "query", "duties")...); !strings.Contains(stdout, "decide_case") {
		t.Errorf("duties of a case:\n%s", stdout)
	}
	var done client.Outcome
	stdout, _ = xinlian(t, 0, as("ops", "tx", "plan", "file", "--subject", v.Subject, "--case-no", "PO-1", "--kind", "1", "--ruled-on", "2026-07-15", "--ruling", "示例裁定", "--json")...)
	if err := json.Unmarshal([]byte(stdout), &done); err != nil || len(done.Results) != 1 {
		t.Fatalf("%v %s", err, stdout)
	}
	if stdout, _ = xinlian(t, 0, as("ops", "query", "plan", done.Results[0].Record)...); !strings.Contains(stdout, "执行中 running") || !strings.Contains(stdout, v.Published.Issuer) {
		t.Errorf("plan:\n%s", stdout)
	}
	xinlian(t, 1, "query", "plan", record)
	xinlian(t, 0, as("ops", "tx", "objection", "file", "--subject", v.Subject, "--kind", "record", "--target", record, "--objection-no", "YY-1", "--grounds", "示例", "--paper", "示例")...)
	if stdout, _ = xinlian(t, 0, as("ops", "query", "objections", v.Subject)...); !strings.Contains(stdout, "YY-1") || !strings.Contains(stdout, "平台核查中 own") {
		t.Errorf("objections:\n%s", stdout)
	}
	papers := filepath.Join(work, "objections.csv")
	if err := os.WriteFile(papers, []byte(fmt.Sprintf("统一社会信用代码,异议编号,信息类别,认定单位代码,文书号,异议事由,异议申请书\n%s,YY-2,行政处罚,%s,%s,示例事由,示例申请书\n",
		v.Subject, v.Published.Issuer, v.Published.DocNo)), 0o600); err != nil {
		t.Fatal(err)
	}
	xinlian(t, 0, as("ops", "import", "objections", papers)...)
	if stdout, _ = xinlian(t, 0, as("ops", "query", "objections", v.Subject, "--json")...); !strings.Contains(stdout, `"YY-2"`) {
		t.Errorf("objections:\n%s", stdout)
	}
	for _, verb := range []string{"copies", "attention", "no-penalties"} { // nothing of these
		if stdout, _ = xinlian(t, 0, as("auditor", "query", verb, v.Subject)...); !strings.Contains(stdout, "as of height") {
			t.Errorf("%s:\n%s", verb, stdout)
		}
	}
	if stdout, _ = xinlian(t, 0, as("auditor", "query", "file", v.Subject)...); !strings.Contains(stdout, "court_plans") || !strings.Contains(stdout, "立案 open") || !strings.Contains(stdout, "shown_not_published") {
		t.Errorf("file:\n%s", stdout)
	}

	// A refusal is one line with code and rule.
	_, stderr := xinlian(t, 1, as("gy-scjg", "tx", "sanction", "withdraw", "--record", record, "--reason", "x", "--authority", "y")...)
	if !strings.Contains(stderr, "E_NOT_ISSUER") || !strings.Contains(stderr, "(rule ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("%q", stderr)
	}

	// Fetch and verify offline.
	trustFile, err := os.ReadFile(n.TrustPath())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.ParseTrust(trustFile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Options{URL: n.Nodes[0].API, Patience: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	bundle, err := c.Attestation(t.Context(), v.Subject)
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := attest.Verify(bundle, trust, attest.Policy{Subject: v.Subject, Claim: attest.NoNegative, MaxAge: time.Hour, Now: time.Now()})
	if attest.ExitCode(verdict, err) != 6 {
		t.Errorf("%v %v", verdict, err)
	}

	// The folder of the stopped node is sound; one flipped byte of a table is found.
	xinlian(t, 3, "fsck", "--home", n.Nodes[0].Home)
	xinlian(t, 0, "localnet", "down", "--dir", dir)
	if stdout, _ = xinlian(t, 0, "fsck", "--home", n.Nodes[0].Home); !strings.HasPrefix(stdout, "sound: chain test-ledger") {
		t.Errorf("%q", stdout)
	}
	tables, err := filepath.Glob(filepath.Join(n.Nodes[0].Home, "data", "xinlian", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal("no table file in the state folder", err)
	}
	raw, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/3] ^= 1
	if err := os.WriteFile(tables[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr = xinlian(t, 1, "fsck", "--home", n.Nodes[0].Home); strings.Count(stderr, "\n") != 1 {
		t.Errorf("%q", stderr)
	}
}

// checkReport is checkReportOf for penalties.
func checkReport(t *testing.T, path, usual string) (records []string) {
	t.Helper()
	return checkReportOf(t, sample.PenaltiesCSV, path, usual)
}

// checkReportOf holds a report against expected.csv and gives the records of the rows that are not listed there.
func checkReportOf(t *testing.T, name, path, usual string) (records []string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	odd := map[int]sample.Expected{}
	for _, e := range sample.Expectations() {
		if e.File == name {
			odd[e.Row] = e
		}
	}
	for i, l := range lines[1:] {
		row, err := strconv.Atoi(l[0])
		if err != nil || row < i+2 {
			t.Fatalf("line %d: %v", i+2, l)
		}
		want, wantCode := usual, ""
		if e, ok := odd[row]; ok && e.Outcome != "recorded" {
			want, wantCode = e.Outcome, e.Code
		}
		if want != "refused" {
			records = append(records, l[2])
		}
		if l[1] != want || l[3] != wantCode {
			t.Errorf("row %d: %s %s, want %s %s", row, l[1], l[3], want, wantCode)
		}
	}
	return records
}
