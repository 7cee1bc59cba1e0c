package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// A story is what happens to firm a while nothing happens to firm b. At "= clean" no public answer, and no answer to an agency without a duty in the
// matter, tells the two apart, and the standing of a has again the bytes and the salt that it began with; at "= differs" some do, so that the
// comparison is seen to see.
type story struct {
	name   string
	kind   pb.DishonestyKind
	lines  []string
	issuer string // zz-scjg unless said
}

const twinType4 = "41010020261012000001"

// stories by which a record of each kind comes into publicity and leaves it (INV-01, INV-03, INV-04).
var stories = []story{
	{"a penalty repaired", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "= clean",
		"publish by=ops issuer=zz-scjg firm=a no=7", "= differs",
		"on 2026-10-19", "commit by=zz-scjg firm=a code=" + twinType4 + " type=4 accepted",
		"apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment=" + twinType4, "= differs",
		"accept-repair by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg issuer=zz-scjg firm=a no=7 application=XY-1", "= clean",
		"on 2026-12-01", "= clean",
	}, ""},
	{"a serious penalty that bars, withdrawn", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7", "= differs",
		"withdraw by=zz-scjg issuer=zz-scjg firm=a no=7", "= clean",
	}, ""},
	{"a minor penalty kept out of publicity", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 kinds=1 decided=2026-07-15", "= clean", "on 2026-10-16", "= clean",
	}, ""},
	{"a penalty expired", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7", "= differs",
		"on 2027-07-16", "= clean",
	}, ""},
	{"a penalty with measures, withdrawn", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"announce by=zz-scjg firm=a no=7 item=M12", "announce by=zz-scjg firm=a no=7 item=M07 to=js-rsj", "= differs",
		"withdraw by=zz-scjg issuer=zz-scjg firm=a no=7", "= clean",
	}, ""},
	{"an entry of abnormal operation removed", pb.DISHONESTY_ABNORMAL, []string{
		"abnormal by=zz-scjg firm=a no=7 listed=2026-07-15", "= clean", "publish by=zz-scjg issuer=zz-scjg kind=abnormal firm=a no=7", "= differs",
		"on 2026-08-20", "remove-abnormal by=zz-scjg firm=a no=7", "= clean", "on 2026-12-01", "= clean",
	}, ""},
	{"a serious penalty withdrawn and archived", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"withdraw by=zz-scjg issuer=zz-scjg firm=a no=7", "= clean", "on 2026-10-01", "= clean",
	}, ""},
	{"an entry in a list, with its procedure and measures, removed as wrong", pb.DISHONESTY_LIST, []string{
		"notify-listing by=js-rsj firm=a list=NMG notice=1 measures=M07,M08", "= clean",
		"state-listing by=js-rsj issuer=js-rsj firm=a list=NMG notice=1 waive", "= clean",
		"on 2026-07-27", "decide-listing by=js-rsj firm=a list=NMG notice=1 no=7 region=410105 measures=M07,M08", "= clean",
		"publish by=js-rsj kind=list issuer=js-rsj firm=a no=7", "= differs",
		"remove-listed by=js-rsj firm=a no=7", "= clean",
	}, "js-rsj"},
	{"other dishonesty expired", pb.DISHONESTY_OTHER, []string{
		"other by=zz-scjg firm=a no=7 decided=2026-07-15", "= clean", "publish by=zz-scjg issuer=zz-scjg kind=other firm=a no=7", "= differs",
		"on 2027-07-16", "= clean",
	}, ""},
	{"a penalty that 信用中国 shows no more, and again", pb.DISHONESTY_PENALTY, []string{
		"govern put=ops credit-china", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7", "= differs",
		"on 2026-09-01", "reconcile by=ops firm=a", "= clean", "on 2026-09-10", "= clean", "release by=zz-scjg firm=a no=7", "= differs",
	}, ""},
	{"a penalty that a court's plan shields", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7", "= differs",
		"file-plan by=ops firm=a case=PO-1", "shield by=zz-scjg firm=a no=7 case=PO-1", "= clean", "on 2026-09-10", "end-plan by=ops firm=a case=PO-1", "= clean",
		"end-shield by=zz-scjg firm=a no=7 case=PO-1", "= clean", "on 2026-12-01", "= clean",
	}, ""},
	{"a penalty with an objection, withdrawn, whose copies are confirmed", pb.DISHONESTY_PENALTY, []string{
		"govern put=gov1 holder roles=1,4", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"object by=ops issuer=zz-scjg firm=a no=7 objection=YY-1", "= differs", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=7", "= clean",
		"resolve by=ops issuer=zz-scjg firm=a no=7 objection=YY-1 result=withdrawn", "= clean", "acknowledge by=gov1 of=zz-scjg firm=a no=7", "= clean",
	}, ""},
	{"a minor penalty that was a general one before it was corrected", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7", "= differs",
		"correct by=zz-scjg firm=a no=7 kinds=1 decided=2026-07-15", "= clean", "on 2026-10-01", "= clean",
	}, ""},
	{"a case that is closed, and a decision without a penalty", pb.DISHONESTY_PENALTY, []string{
		"file-case by=zz-scjg firm=a act=smoke", "= clean", "close-case by=zz-scjg firm=a act=smoke", "= clean", "no-penalty by=zz-scjg firm=a no=7", "= clean",
		"withdraw-no-penalty by=zz-scjg firm=a no=7", "= clean",
	}, ""},
	{"attention, until the penalties are withdrawn", pb.DISHONESTY_PENALTY, []string{
		"record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "record by=ops issuer=zz-scjg firm=a no=17 fine=120000 decided=2026-07-15",
		"record by=ops issuer=zz-scjg firm=a no=27 fine=120000 decided=2026-07-15", "= clean", "publish by=ops issuer=zz-scjg firm=a no=7",
		"publish by=ops issuer=zz-scjg firm=a no=17", "publish by=ops issuer=zz-scjg firm=a no=27", "= differs", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=7",
		"withdraw by=zz-scjg issuer=zz-scjg firm=a no=17", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=27", "= clean",
	}, ""},
	{"other dishonesty withdrawn", pb.DISHONESTY_OTHER, []string{
		"other by=zz-scjg firm=a no=7 decided=2026-07-15", "publish by=zz-scjg issuer=zz-scjg kind=other firm=a no=7", "= differs",
		"withdraw by=zz-scjg issuer=zz-scjg kind=other firm=a no=7", "= clean",
	}, ""},
}

func TestStoriesOfTwins(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			logs := new(lines)
			w := newWorld(t, func(o *gateway.Options) {
				o.Logger = slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			w.enrolAll()
			w.do("on 2026-07-20")
			w.Block()
			w.Block()
			issuer := "zz-scjg"
			if s.issuer != "" {
				issuer = s.issuer
			}
			id := sanction.ID(s.kind, w.Actors[issuer].USCC, "郑市监处罚〔2026〕7号", w.firm("a"))
			before, routes := w.raw("a"), w.labels()
			for i, line := range s.lines {
				if !strings.HasPrefix(line, "= ") {
					w.do(line)
					continue
				}
				w.Block()
				w.Block()
				told := w.tellsApart(fmt.Sprintf("%x", id))
				if line == "= differs" {
					if len(told) == 0 {
						t.Fatalf("after %q nothing tells the firms apart: the comparison sees nothing", s.lines[i-1])
					}
					continue
				}
				if len(told) > 0 {
					t.Errorf("after %q these tell the firm from one that never had a record:\n%s", s.lines[i-1], strings.Join(told, "\n"))
				}
				if after := w.raw("a"); !bytes.Equal(before.Standing, after.Standing) || !bytes.Equal(before.Salt, after.Salt) {
					t.Errorf("after %q the standing has not again the bytes and the salt that it began with", s.lines[i-1])
				}
			}
			// Neither a metric nor a line of the log names the firm, the record or its number (INV-04); no metric came with the record.
			metrics := string(w.get("", "/metrics").body)
			for _, secret := range []string{w.firm("a"), fmt.Sprintf("%x", id), "7号"} {
				if strings.Contains(metrics, secret) || strings.Contains(logs.String(), secret) {
					t.Errorf("%q stands in a metric or a line of the log", secret)
				}
			}
			if after := w.labels(); !slices.Equal(routes, after) {
				t.Errorf("metrics came with the record:\n%v\n%v", routes, after)
			}
		})
	}
}

// tellsApart asks every public route, and as an agency without a duty in the matter every route for members, about firm a and about firm b, and gives
// those whose answers differ in more than the firm's own code and digests.
func (w *world) tellsApart(record string) (told []string) {
	w.tb.Helper()
	none := strings.Repeat("0", 64)
	w.get("", "/v1/subjects/"+w.firm("b")+"/attestation") // the first answer of a height makes what all of the height share
	for _, by := range []string{"", "bank", "gy-scjg"} {
		for _, language := range []string{"en", "zh"} {
			for _, p := range gateway.Patterns() {
				method, path, _ := strings.Cut(p, " ")
				name := by + " " + language + " " + p
				ask := func(firm, id string, header ...string) answer {
					target, body := fill(path, w.firm(firm), id), []byte(nil)
					if path == "/v1/attestations" {
						raw, err := json.Marshal(map[string][]string{"subjects": {w.firm(firm)}})
						must(w.tb, err)
						body = raw
					}
					w.work.take()
					a := w.ask(0, by, method, target, body, append(header, "Accept-Language", language)...)
					if by != "gy-scjg" { // agencies hold the state themselves
						a.work = w.work.take()
					}
					return a
				}
				var pairs [][2]string
				switch {
				case strings.Contains(path, "{uscc}") || path == "/v1/attestations":
					pairs = append(pairs, [2]string{w.shape("a", ask("a", none)), w.shape("b", ask("b", none))})
					if strings.Contains(path, "attestation") {
						pairs = append(pairs, [2]string{w.shape("a", ask("a", none, "Accept", "application/json")), w.shape("b", ask("b", none, "Accept", "application/json"))})
					}
				case strings.Contains(path, "{id}"):
					pairs = append(pairs, [2]string{plain(ask("a", record)), plain(ask("a", none))})
				case strings.Contains(path, "{code}"):
					pairs = append(pairs, [2]string{plain(ask("a", twinType4)), plain(ask("a", "41010020261012000009"))})
				case method == http.MethodGet && !strings.Contains(path, "{") && path != "/metrics":
					// The rest speaks of no firm: it must not name this one's record.
					if a := ask("a", none); bytes.Contains(a.body, []byte(record)) || bytes.Contains(a.body, []byte("7号")) {
						told = append(told, name+" names the record")
					}
				}
				for _, pair := range pairs {
					if pair[0] != pair[1] {
						told = append(told, name+"\n"+pair[0]+"\n"+pair[1])
					}
				}
			}
		}
	}
	return told
}

// plain is an answer with the rows that were read for it.
func plain(a answer) string { return string(a.body) + "\nrows read: " + a.work }

// fill puts values into the path of a route.
func fill(path, uscc, id string) string {
	return strings.NewReplacer("{uscc}", uscc, "{id}", id, "{code}", id).Replace(path)
}

var sample = regexp.MustCompile(`(?m)^(xinlian_[^ ]+) `)

// labels are the metrics that stand, with their labels, without those of what the test itself asks.
func (w *world) labels() (out []string) {
	for _, m := range sample.FindAllStringSubmatch(string(w.get("", "/metrics").body), -1) {
		if !strings.Contains(m[1], "requests_total") {
			out = append(out, m[1])
		}
	}
	return out
}

// lines is a log that a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
