package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/intake"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// ledger is a gateway with a ledger of subjects behind it that is as trustworthy as needed and as unreliable as asked for.
type ledger struct {
	t        *testing.T
	mu       sync.Mutex
	subjects map[string]pb.Subject
	outcomes map[string][]byte
	lists    map[string]*pb.Reconcile
	most     int // messages of a transaction; 0 = as many as there are
	posts    int
	executed int
	// trouble is asked before (executed = false) and after a transaction is executed; true: the connection breaks, or the answer given is sent.
	trouble func(post int, executed bool) (status int, code string)
}

const badRegion = "410999"

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	switch {
	case r.URL.Path == "/v1/status":
		answer(200, map[string]any{"chain_id": "test-fake", "height": l.executed + 1, "block_time": time.Now()})
	case r.Method == http.MethodPost && r.URL.Path == "/v1/txs":
		l.posts++
		if l.stumbles(w, false) {
			return
		}
		raw, _ := io.ReadAll(r.Body)
		tx, body, err := pb.DecodeTx(raw)
		if err != nil {
			l.t.Error(err)
			answer(400, map[string]any{"code": "E_TX_MALFORMED", "detail": err.Error()})
			return
		}
		if l.most > 0 && len(body.Messages) > l.most {
			answer(422, map[string]any{"code": "E_TX_SIZE", "detail": "too large"})
			return
		}
		id := pb.SignBytes(body.ChainId, tx.Body)
		key := hex.EncodeToString(id[:])
		if _, seen := l.outcomes[key]; seen {
			answer(409, map[string]any{"code": "E_TX_SEEN", "detail": "seen"})
			return
		}
		l.execute(key, body)
		if l.stumbles(w, true) {
			return
		}
		_, _ = w.Write(l.outcomes[key])
	case r.URL.Path == "/v1/subjects": // two a page
		var all, page []string
		for s := range l.subjects {
			all = append(all, s)
		}
		slices.Sort(all)
		for _, s := range all {
			if s > r.URL.Query().Get("after") {
				page = append(page, s)
			}
		}
		v := map[string]any{"subjects": page}
		if len(page) > 2 {
			v["subjects"], v["next"] = page[:2], page[1]
		}
		answer(200, v)
	case strings.HasPrefix(r.URL.Path, "/v1/subjects/"): // the category says how many abnormal entries stand
		answer(200, map[string]any{"counts": map[string]any{"abnormal": l.subjects[strings.TrimPrefix(r.URL.Path, "/v1/subjects/")].Category}})
	case strings.HasPrefix(r.URL.Path, "/v1/txs/"):
		if o, ok := l.outcomes[strings.TrimPrefix(r.URL.Path, "/v1/txs/")]; ok {
			_, _ = w.Write(o)
			return
		}
		answer(404, map[string]any{"code": "E_TX_UNKNOWN", "detail": "unknown"})
	default:
		answer(404, map[string]any{"code": "E_ROUTE"})
	}
}

func (l *ledger) stumbles(w http.ResponseWriter, executed bool) bool {
	if l.trouble == nil {
		return false
	}
	status, code := l.trouble(l.posts, executed)
	switch {
	case status == 0:
		return false
	case status < 0:
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%q,"detail":"busy"}`, code)
	return true
}

func (l *ledger) execute(id string, body *pb.Body) {
	l.executed++
	o := Outcome{ID: id, Code: OK, Height: int64(l.executed)}
	next := map[string]pb.Subject{}
	for i := range body.Messages {
		res := Result{Index: uint32(i), Code: OK}
		switch m := body.Messages[i].Sum.(type) {
		case *pb.Msg_EnrolSubject:
			s := m.EnrolSubject.Subject
			old, known := l.subjects[s.Uscc]
			if n, ok := next[s.Uscc]; ok {
				old, known = n, true
			}
			switch {
			case s.Region == badRegion:
				res.Code, res.Reason, res.Rule = "E_REGION", "E_REGION: no such region (rule R); correct it", "R"
			case known && old == s:
				res.Note = "ALREADY_RECORDED"
			default:
				next[s.Uscc] = s
			}
		case *pb.Msg_Reconcile:
			if m.Reconcile.Subject == uscc(0) {
				res.Code, res.Reason = "E_SUBJECT_UNKNOWN", "no such subject"
			} else {
				l.lists[m.Reconcile.Subject] = m.Reconcile
			}
		default:
			res.Code, res.Reason = "E_RECORD_UNKNOWN", "no record"
		}
		if res.Refused() && !o.Refused() {
			o.Code, o.Reason = res.Code, res.Reason
		}
		o.Results = append(o.Results, res)
	}
	if !o.Refused() {
		for k, s := range next {
			l.subjects[k] = s
		}
	}
	l.outcomes[id], _ = json.Marshal(o)
}

func newLedger(t *testing.T) (*ledger, *Client) {
	l := &ledger{t: t, subjects: map[string]pb.Subject{}, outcomes: map[string][]byte{}, lists: map[string]*pb.Reconcile{}}
	srv := httptest.NewUnstartedServer(l)
	srv.Config.ErrorLog = nil
	srv.Start()
	t.Cleanup(srv.Close)
	k, err := keys.Generate("registry")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{URL: srv.URL, Key: k, Patience: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.firstPause, c.longPause = time.Millisecond, 10*time.Millisecond
	return l, c
}

func uscc(n int) string { return code.CompleteUSCC("91410100", fmt.Sprintf("Y%07d", n)) }

// subjectsFile writes n rows, of which those in bad have a region that the ledger refuses.
func subjectsFile(t *testing.T, n int, bad ...int) string {
	var b strings.Builder
	b.WriteString("uscc,name,region,category\n")
	for i := range n {
		region := "410100"
		if slices.Contains(bad, i+2) {
			region = badRegion
		}
		fmt.Fprintf(&b, "%s,示例,%s,1\n", uscc(i), region)
	}
	return writeFile(t, b.String())
}

func writeFile(t *testing.T, s string) string {
	path := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func importFile(t *testing.T, c *Client, path string, change func(*Import)) (Summary, []intake.ReportRow, error) {
	t.Helper()
	return importKind(t, c, path, intake.Subjects, change)
}

func importKind(t *testing.T, c *Client, path string, kind intake.Kind, change func(*Import)) (Summary, []intake.ReportRow, error) {
	t.Helper()
	r, err := intake.Open(path, kind, intake.Options{Issuer: uscc(9999)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var lines []intake.ReportRow
	im := &Import{Client: c, Rows: r, Batch: 7, Report: func(l intake.ReportRow) error { lines = append(lines, l); return nil }}
	if change != nil {
		change(im)
	}
	sum, err := im.Run(context.Background())
	return sum, lines, err
}

// checkLines holds that the report has each row once, in order, with the outcome that want gives to those not recorded.
func checkLines(t *testing.T, lines []intake.ReportRow, rows int, other intake.Outcome, want map[int]intake.Outcome) {
	t.Helper()
	if len(lines) != rows {
		t.Fatalf("%d lines for %d rows", len(lines), rows)
	}
	for i, l := range lines {
		w, ok := want[i+2]
		if !ok {
			w = other
		}
		if l.Row != i+2 || l.Outcome != w {
			t.Errorf("line %d: row %d %s (%s), want %s", i, l.Row, l.Outcome, l.Code, w)
		}
	}
}

func TestImport(t *testing.T) {
	l, c := newLedger(t)
	path := subjectsFile(t, 60, 5, 6, 33, 61)
	refused := map[int]intake.Outcome{5: intake.Refused, 6: intake.Refused, 33: intake.Refused, 61: intake.Refused}
	sum, lines, err := importFile(t, c, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, lines, 60, intake.Recorded, refused)
	if sum.Rows != 60 || sum.Recorded != 56 || sum.Refused != 4 || len(l.subjects) != 56 {
		t.Errorf("%+v, %d subjects", sum, len(l.subjects))
	}
	if l := lines[3]; l.Code != "E_REGION" || l.Reason != "no such region (rule R); correct it" {
		t.Errorf("%q %q", l.Code, l.Reason)
	}
	sum, lines, err = importFile(t, c, path, nil)
	if err != nil || sum.Already != 56 || sum.Recorded != 0 {
		t.Errorf("again: %+v %v", sum, err)
	}
	checkLines(t, lines, 60, intake.AlreadyRecorded, refused)
}

// The same thing twice in a file keeps its order, whatever is on its way at the same time.
func TestImportOrder(t *testing.T) {
	var b strings.Builder
	b.WriteString("uscc,name,region,category\n")
	for i := range 50 {
		fmt.Fprintf(&b, "%s,示例,410%d00,1\n", uscc(i%5), 1+i/5%9)
	}
	l, c := newLedger(t)
	if _, _, err := importFile(t, c, writeFile(t, b.String()), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if got := l.subjects[uscc(i)].Region; got != "410100" { // the 46th to 50th row
			t.Errorf("subject %d ended in region %s", i, got)
		}
	}
}

func TestImportOverBadLines(t *testing.T) {
	l, c := newLedger(t)
	l.trouble = func(post int, executed bool) (int, string) {
		switch {
		case post%5 == 1 && !executed:
			return -1, "" // lost before
		case post%5 == 2 && executed:
			return -1, "" // lost after
		case post%5 == 3 && !executed:
			return http.StatusTooManyRequests, "E_SHARE"
		case post%7 == 4 && !executed:
			return http.StatusServiceUnavailable, "E_POOL_FULL"
		case post%7 == 5 && executed:
			return http.StatusAccepted, "E_TX_PENDING"
		}
		return 0, ""
	}
	sum, lines, err := importFile(t, c, subjectsFile(t, 80, 9, 10, 50), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, lines, 80, intake.Recorded, map[int]intake.Outcome{9: intake.Refused, 10: intake.Refused, 50: intake.Refused})
	if sum.Recorded != 77 {
		t.Errorf("%+v", sum)
	}
}

// A node that stays away ends the import; what is known is reported, and the same import goes on later.
func TestImportLost(t *testing.T) {
	l, c := newLedger(t)
	l.trouble = func(post int, executed bool) (int, string) {
		if post > 3 {
			return -1, ""
		}
		return 0, ""
	}
	c.opts.Patience = 300 * time.Millisecond
	path := subjectsFile(t, 60)
	sum, lines, err := importFile(t, c, path, nil)
	if !errors.Is(err, ErrUnreachable) {
		t.Fatal(err)
	}
	if sum.Recorded != len(lines) || len(lines) == 0 || len(lines) == 60 {
		t.Errorf("%+v, %d lines", sum, len(lines))
	}
	l.mu.Lock() // a request that the client waits for no longer may still be answered
	l.trouble = nil
	l.mu.Unlock()
	c.opts.Patience = 5 * time.Second
	again, _, err := importFile(t, c, path, nil)
	if err != nil || again.Recorded+again.Already != 60 || len(l.subjects) != 60 {
		t.Errorf("%+v %v", again, err)
	}
}

func TestAllOrNothing(t *testing.T) {
	whole := func(im *Import) { im.AllOrNothing = true }
	l, c := newLedger(t)
	sum, lines, err := importFile(t, c, subjectsFile(t, 20, 8), whole)
	if err != nil || sum.Refused != 20 || len(l.subjects) != 0 || lines[6].Code != "E_REGION" || lines[7].Code != codeAllOrNothing {
		t.Errorf("%+v %v, %d subjects, %v", sum, err, len(l.subjects), lines[6:8])
	}
	checkLines(t, lines, 20, intake.Refused, nil)
	if sum, _, err = importFile(t, c, subjectsFile(t, 20), whole); err != nil || sum.Recorded != 20 || sum.Transactions != 1 {
		t.Errorf("%+v %v", sum, err)
	}

	// More than one transaction holds.
	l, c = newLedger(t)
	if sum, _, err = importFile(t, c, subjectsFile(t, 1200, 1100), whole); err != nil || sum.Refused != 1200 || len(l.subjects) != 0 {
		t.Errorf("%+v %v, %d subjects", sum, err, len(l.subjects))
	}
	if sum, lines, err = importFile(t, c, subjectsFile(t, 1200), whole); err != nil || sum.Recorded != 1200 || len(l.subjects) != 1200 {
		t.Errorf("%+v %v, %d subjects", sum, err, len(l.subjects))
	}
	checkLines(t, lines, 1200, intake.Recorded, nil)

	// A row that cannot even be read: nothing is sent.
	l, c = newLedger(t)
	path := writeFile(t, "uscc,name,region,category\n"+uscc(1)+",示例,410100,1\nnonsense,示例,410100,1\n")
	if sum, _, err = importFile(t, c, path, whole); err != nil || sum.Refused != 2 || l.posts != 0 {
		t.Errorf("%+v %v, %d posts", sum, err, l.posts)
	}
}

// The rows of a firm in a list of 信用中国 end as the one message does that says them, whichever of the two is known first.
func TestImportOfLists(t *testing.T) {
	const firms, each = 9, 4
	var b strings.Builder
	b.WriteString("subject_uscc,kind,issuer_uscc,doc_no,as_of\n")
	refused := map[int]intake.Outcome{}
	for n := range each {
		for f := range firms {
			fmt.Fprintf(&b, "%s,行政处罚,%s,示例罚〔2026〕%d号,2026-07-01\n", uscc(f), uscc(5000), n+1)
			if f == 0 {
				refused[2+n*firms] = intake.Refused
			}
		}
	}
	path := writeFile(t, b.String())
	for name, change := range map[string]func(*Import){
		"at once": nil, "firm by firm": func(im *Import) { im.Batch, im.Flight = 1, 1 }, "whole": func(im *Import) { im.AllOrNothing = true },
	} {
		l, c := newLedger(t)
		l.most = 3
		sum, lines, err := importKind(t, c, path, intake.CreditChina, change)
		if err != nil || sum.Rows != firms*each {
			t.Fatalf("%s: %+v %v", name, sum, err)
		}
		if name == "whole" {
			checkLines(t, lines, firms*each, intake.Refused, nil)
			continue
		}
		checkLines(t, lines, firms*each, intake.Recorded, refused)
		if sum.Recorded != (firms-1)*each || sum.Refused != each || len(l.lists) != firms-1 || len(l.lists[uscc(1)].Shown) != each {
			t.Errorf("%s: %+v, %d lists", name, sum, len(l.lists))
		}
		if lines[firms].Code != "E_SUBJECT_UNKNOWN" || lines[1].Record == nil || string(lines[1].Record) == string(lines[firms+1].Record) {
			t.Errorf("%s: %+v", name, lines[firms])
		}
	}
}

// Of the firms that a whole list does not name those with something in publicity are said to be shown no more, and no others.
func TestSayRest(t *testing.T) {
	l, c := newLedger(t)
	for i := range 9 { // even ones have an entry; 0 is refused
		l.subjects[uscc(i)] = pb.Subject{Uscc: uscc(i), Category: uint32(1 - i%2)}
	}
	l.most = 1
	rest, err := c.SayRest(t.Context(), uscc(9999), map[string]bool{uscc(2): true, uscc(3): true}, 20000)
	if err != nil || rest.Firms != 4 || rest.Said != 3 || rest.Refused != 1 || rest.Refusals[0].Subject != uscc(0) {
		t.Fatalf("%+v %v", rest, err)
	}
	for i := range 9 {
		m, said := l.lists[uscc(i)]
		if said != (i == 4 || i == 6 || i == 8) || said && (len(m.Shown) != 0 || m.AsOf != 20000) {
			t.Errorf("firm %d: %v %+v", i, said, m)
		}
	}
}

func TestDryRun(t *testing.T) {
	l, c := newLedger(t)
	var would []int
	sum, lines, err := importFile(t, c, writeFile(t, "uscc,name,region,category\n"+uscc(1)+",示例,410100,1\nnonsense,示例,410100,1\n"), func(im *Import) {
		im.DryRun, im.Would = true, func(r intake.Row) error { would = append(would, r.Number); return nil }
	})
	if err != nil || sum.Rows != 2 || sum.Refused != 1 || len(lines) != 1 || !slices.Equal(would, []int{2}) || l.posts != 0 {
		t.Errorf("%+v %v %v %v", sum, lines, would, err)
	}
}
