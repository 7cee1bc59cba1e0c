package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// TestLenderTwins is INV-03 for a lender that has all a lender may have: a firm's authorisation, a watch on it, the packs from before, and every route that answers
// it. In one world the firm has a serious record that is published and repaired; in the other as many blocks pass. Statuses, headers, sizes, everything that is no
// hash, and the rows that were read are the same in both.
func TestLenderTwins(t *testing.T) {
	const promise = "41010020270719000005"
	told := [2][]string{}
	for i := range 2 {
		l := newLending(t)
		l.enrolAll()
		l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A found=2026-07-01 until=2028-06-30",
			"commit by=zz-scjg firm=a code=41010020260715000001 type=6 public=2 accepted", "commit by=zz-scjg firm=a code=41010020260715000002 type=6 public=1 accepted",
			"record by=zz-scjg firm=b no=8 kinds=9 decided=2026-07-15", "publish by=zz-scjg firm=b no=8")
		l.Block()
		packs, before := map[string]string{}, l.raw("a")
		for _, set := range []string{"serious", "negative"} {
			_, raw := l.opened(set)
			packs[set] = fileName(raw)
		}
		tell := func(what string, a answer) {
			told[i] = append(told[i], what+": "+l.outwardly(a))
		}
		ask := func(by, method, target string, body []byte, header ...string) answer {
			l.work.take()
			a := l.ask(0, by, method, target, body, header...)
			a.work = l.work.take()
			tell(fmt.Sprintf("%q %s %s", by, method, target), a)
			return a
		}
		watched, err := json.Marshal(map[string]any{"id": "p", "subjects": []string{l.firm("a"), l.firm("b")}})
		must(t, err)
		ask("bank", http.MethodPost, "/v1/watches", watched)
		seen := func() {
			a := l.get("bank", "/v1/watches/p/changed")
			if a.status != 200 {
				return
			}
			b, err := attest.DecodeBundle(a.body)
			must(t, err)
			standings := map[string][]byte{}
			for _, e := range b.Entries {
				standings[e.Subject] = e.Standing
			}
			if a := l.post("bank", "/v1/watches/p/ack", seenOf(standings)); a.status != 204 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		seen()
		story := func(lines ...string) { // in the other world as many blocks, without a record
			for _, line := range lines {
				if i == 1 {
					line = "block"
				}
				l.do(line)
			}
		}
		story("record by=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=zz-scjg firm=a no=7")
		l.Block()
		if now := l.raw("a"); bytes.Equal(now.Standing, before.Standing) == (i == 0) {
			t.Fatal("the record shows nowhere: this test sees nothing")
		}
		l.do("on 2027-07-19")
		story("commit by=zz-scjg firm=a code="+promise+" type=4 accepted", "apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment="+promise,
			"accept-repair by=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg firm=a no=7 application=XY-1")
		l.do("grant by=bank firm=a key=k1 no=1 until=2028-06-30")
		l.Block()
		l.Block()
		l.get("bank", "/v1/subjects/"+l.firm("b")+"/attestation") // the first answer of a height makes what all of the height share
		for set := range packs {
			l.get("", "/v1/packs/"+set) // whoever asks first after somebody left waits until the set was looked through
		}
		for _, by := range []string{"", "bank", "bank2"} {
			l.get(by, "/v1/subjects/"+l.firm("b")) // and the first of a reader what it is known by
			for _, pattern := range gateway.Patterns() {
				method, path, _ := strings.Cut(pattern, " ")
				if method != http.MethodGet || path == "/metrics" || strings.Contains(path, "/audit/") {
					continue
				}
				ids := []string{l.penalty("a", "7"), l.penalty("a", "9"), promise, hex.EncodeToString(l.Authorisation("a", "SQ-1")), hex.EncodeToString(l.Authorisation("a", "SQ-2"))}
				if !strings.Contains(path, "{id}") && !strings.Contains(path, "{code}") || strings.Contains(path, "/watches/") {
					ids = []string{"p"}
				}
				for _, id := range ids {
					target := strings.NewReplacer("{height}", "3", "{gateway}", l.Actors["gw"].USCC, "{hour}", "1").Replace(fill(path, l.firm("a"), id))
					a := ask(by, method, target, nil)
					if tag := a.header.Get("ETag"); tag != "" && by == "" {
						ask(by, method, target, nil, "If-None-Match", tag)
					}
				}
			}
			for _, set := range []string{"serious", "negative"} {
				ask(by, http.MethodGet, "/v1/packs/"+set+"/delta?base="+packs[set], nil)
			}
			many, err := json.Marshal(map[string][]string{"subjects": {l.firm("a"), l.firm("b")}})
			must(t, err)
			ask(by, http.MethodPost, "/v1/attestations", many)
			for _, classes := range [][]string{nil, {"grade"}, {"commitments"}, {"grade", "commitments"}} {
				for _, no := range []string{"1", "2"} {
					ask(by, http.MethodPost, "/v1/queries", l.body("a", no, "pre_loan", classes...))
				}
			}
		}
		seen() // nothing of a has changed
		ask("bank", http.MethodGet, "/v1/watches/p/changed", nil)
	}
	if len(told[0]) < 100 || len(told[0]) != len(told[1]) {
		t.Fatalf("%d and %d answers", len(told[0]), len(told[1]))
	}
	for i := range told[0] {
		if told[0][i] != told[1][i] {
			t.Errorf("with a repaired record:\n%s\nwithout:\n%s", told[0][i], told[1][i])
		}
	}
}

// TestAnchorTwins is INV-03 for anchors: a lender asks about a firm before, while and after it has a serious record, hour for hour; in the twin's world the record never
// was. What everybody sees of the anchors, as rows and as proofs from either node, is the same but for hashes: status, headers, size, form of the path, rows read.
func TestAnchorTwins(t *testing.T) {
	told := [2][]string{}
	for i := range 2 {
		l := newLending(t)
		l.enrolAll()
		l.do("register-key by=registry firm=a key=k1", "grade by=pj firm=a is=A found=2026-07-01 until=2028-06-30", "grant by=bank firm=a key=k1 no=1 until=2026-10-15")
		const promise = "41010020261019000005"
		story := func(lines ...string) { // in the other world as many blocks, without a record
			for _, line := range lines {
				if i == 1 {
					line = "block"
				}
				l.do(line)
			}
		}
		var hours []int64
		anchor := func(day string) {
			l.query("bank", "a", "1", "pre_loan", "grade", "commitments")
			l.do("on " + day)
			l.Block()
			must(t, l.anchorer.Step(context.Background()))
			l.Block()
			hour, err := l.journal.LastHour()
			must(t, err)
			l.want(l.public(fmt.Sprintf("/v1/anchors/%s/%d", l.Actors["gw"].USCC, hour)), http.StatusOK, "")
			hours = append(hours, hour)
		}
		asked := func() {
			l.Block()
			l.get("", "/v1/subjects/"+l.firm("b")+"/attestation") // the first answer of a height makes what all of the height share
			l.ask(1, "", http.MethodGet, "/v1/subjects/"+l.firm("b")+"/attestation", nil)
			for node := range 2 {
				for _, hour := range append([]int64{0, hours[0] - 1, hours[len(hours)-1] + 1}, hours...) {
					for _, gw := range []string{"gw", "bank"} {
						for _, kind := range []string{"application/json", attest.AnchorProofMediaType} {
							l.work.take()
							target := fmt.Sprintf("/v1/anchors/%s/%d", l.Actors[gw].USCC, hour)
							a := l.ask(node, "", http.MethodGet, target, nil, "Accept", kind)
							a.work = l.work.take()
							told[i] = append(told[i], fmt.Sprintf("node %d %s %s: %s", node, target, kind, l.outwardly(a)))
						}
					}
				}
			}
		}
		anchor("2026-07-17")
		before := l.raw("a")
		story("record by=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=zz-scjg firm=a no=7")
		l.Block()
		if now := l.raw("a"); bytes.Equal(now.Standing, before.Standing) == (i == 0) {
			t.Fatal("the record shows nowhere: this test sees nothing")
		}
		anchor("2026-07-18")
		// Many at once: what they left behind would show in the form of some path.
		for no := 100; no < 160; no++ {
			story(fmt.Sprintf("record by=zz-scjg firm=a no=%d fine=120000 decided=2026-07-15", no), fmt.Sprintf("publish by=zz-scjg firm=a no=%d", no))
			story(fmt.Sprintf("withdraw by=zz-scjg firm=a no=%d", no))
		}
		for day := 10; day < 22; day++ {
			anchor(fmt.Sprintf("2026-08-%d", day))
		}
		anchor("2027-07-19")
		story("commit by=zz-scjg firm=a code="+promise+" type=4 accepted", "apply by=ops issuer=zz-scjg firm=a no=7 application=XY-1 commitment="+promise,
			"accept-repair by=zz-scjg firm=a no=7 application=XY-1", "approve by=zz-scjg firm=a no=7 application=XY-1")
		l.Block()
		asked()
		anchor("2027-07-20")
		anchor("2027-07-21")
		asked()
	}
	if len(told[0]) < 100 || len(told[0]) != len(told[1]) {
		t.Fatalf("%d and %d answers", len(told[0]), len(told[1]))
	}
	for i := range told[0] {
		if told[0][i] != told[1][i] {
			t.Errorf("with a repaired record:\n%s\nwithout:\n%s", told[0][i], told[1][i])
		}
	}
}

var (
	long64 = regexp.MustCompile(`[A-Za-z0-9+/]{100,}={0,2}`)
	timeIn = regexp.MustCompile(`"(clock|latency_us)":("[^"]*"|\d+)`)
	rawIn  = regexp.MustCompile(`"bytes":"([^"]+)"`)
)

// timeless is an answer in JSON without the clock of this machine: neither what it says of it nor what the bytes of its receipts hold, which are as many as a latency has digits.
func (w *world) timeless(text string) string {
	w.tb.Helper()
	text = rawIn.ReplaceAllStringFunc(text, func(s string) string {
		raw, err := base64.StdEncoding.DecodeString(rawIn.FindStringSubmatch(s)[1])
		must(w.tb, err)
		r := new(pb.QueryReceipt)
		must(w.tb, pb.Decode(raw, r))
		r.ClockMs, r.LatencyUs = 0, 0
		return fmt.Sprintf(`"bytes":"%s"`, base64.StdEncoding.EncodeToString(pb.Encode(r)))
	})
	return timeIn.ReplaceAllString(text, "CLOCK")
}

// outwardly is an answer without hashes, salts and what is drawn at random, and without the clock of this machine.
func (w *world) outwardly(a answer) string {
	w.tb.Helper()
	h := a.header.Clone()
	h.Del("Date")
	text, size := "", len(a.body)
	switch {
	case bytes.HasPrefix(a.body, []byte("XLA1")):
		b, err := attest.DecodeBundle(a.body)
		must(w.tb, err)
		text = fmt.Sprintf("height %d, entries %v, shape %x, %d hashes, %d signatures", b.Header.Height, b.Entries, b.Shape, len(b.Hashes), len(pb.Encode(b.Commit)))
	case bytes.HasPrefix(a.body, []byte(attest.AnchorProofMagic)):
		p := new(pb.AnchorProof)
		must(w.tb, pb.Decode(a.body[4:], p))
		text = fmt.Sprintf("height %d, of %s hour %d block %d, shape %x, %d hashes, %d signatures", p.Header.Height, p.Row.Gateway, p.Row.Hour, p.Row.Height, p.Shape, len(p.Hashes), len(pb.Encode(&p.Commit)))
	case bytes.HasPrefix(a.body, []byte("XLP1")):
		p := new(pb.Pack)
		must(w.tb, pb.Decode(a.body[4:], p))
		text = fmt.Sprintf("members %x", p.Members)
	case bytes.HasPrefix(a.body, []byte("XLD1")):
		d := new(pb.PackDelta)
		must(w.tb, pb.Decode(a.body[4:], d))
		text = fmt.Sprintf("added %x, removed %x", d.Added, d.Removed)
	default:
		if text = w.timeless(string(a.body)); text != string(a.body) {
			size = len(text)
			h.Del("Content-Length")
		}
		text = long64.ReplaceAllStringFunc(hash64.ReplaceAllString(text, "HASH"), func(s string) string { return fmt.Sprint(len(s), " characters") })
	}
	header := hash64.ReplaceAllString(fmt.Sprint(h), "HASH")
	return fmt.Sprintf("%d, %d bytes, rows read: %s\n%s\n%s", a.status, size, a.work, header, text)
}
