package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app/apptest"
	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const lender = "gov1" // any member may watch

func (w *world) post(by, target string, body any) answer {
	w.tb.Helper()
	raw, err := json.Marshal(body)
	must(w.tb, err)
	return w.ask(0, by, http.MethodPost, target, raw)
}

func (w *world) watch(id string, firms ...string) answer {
	w.tb.Helper()
	return w.post(lender, "/v1/watches", map[string]any{"id": id, "subjects": firms})
}

// changed gets the bundle of a watch, verifies it as a lender would, and gives the standings; nil: nothing differs.
func (w *world) changed(id string) map[string][]byte {
	w.tb.Helper()
	a := w.get(lender, "/v1/watches/"+id+"/changed")
	if a.status == 204 && len(a.body) == 0 {
		return nil
	}
	if a.status != 200 {
		w.tb.Fatalf("%d %s", a.status, a.body)
	}
	at := w.blocks.Header(w.Height()).Time
	_, err := attest.VerifyMany(a.body, w.Trust(), attest.Policy{Claim: attest.Standing, MaxAge: time.Hour, Now: at})
	must(w.tb, err)
	b, err := attest.DecodeBundle(a.body)
	must(w.tb, err)
	out := map[string][]byte{}
	for _, e := range b.Entries {
		out[e.Subject] = e.Standing
	}
	return out
}

func seenOf(standings map[string][]byte) map[string]any {
	var seen []map[string]string
	for uscc, raw := range standings {
		d := sha256.Sum256(raw)
		seen = append(seen, map[string]string{"subject": uscc, "digest": hex.EncodeToString(d[:])})
	}
	return map[string]any{"seen": seen}
}

func (w *world) ack(id string, standings map[string][]byte) {
	w.tb.Helper()
	if a := w.post(lender, "/v1/watches/"+id+"/ack", seenOf(standings)); a.status != 204 {
		w.tb.Fatalf("%d %s", a.status, a.body)
	}
}

// A lender is told of each firm whose standing is another than it last acknowledged, by the current bundle, until it has acknowledged that.
func TestWatches(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, func(o *gateway.Options) { o.WatchDir = dir })
	w.enrolAll()
	w.Block()
	a, b, nobody := w.firm("a"), w.firm("b"), w.firm("nobody")
	for range 2 { // the same again changes nothing
		w.want(w.watch("portfolio", a, b, nobody, a), 200, "")
	}
	got := w.changed("portfolio")
	if len(got) != 3 || len(got[a]) == 0 || len(got[nobody]) != 0 {
		t.Fatalf("at first all firms differ: %d", len(got))
	}
	w.ack("portfolio", got)
	if got := w.changed("portfolio"); got != nil {
		t.Fatalf("%d firms differ from what was just acknowledged", len(got))
	}

	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7")
	w.Block()
	for range 2 { // until it is acknowledged
		if got = w.changed("portfolio"); len(got) != 1 || len(got[a]) == 0 {
			t.Fatalf("%d firms differ", len(got))
		}
	}
	// One that comes to be enrolled differs as well. What is acknowledged is what was seen, not what there is.
	w.do("enrol firm=nobody uscc=" + nobody)
	w.Block()
	w.ack("portfolio", got)
	if got = w.changed("portfolio"); len(got) != 1 || len(got[nobody]) == 0 {
		t.Fatalf("%d firms differ", len(got))
	}

	// Another watch, another member, another process.
	w.want(w.watch("other", a), 200, "")
	w.want(w.post("zz-scjg", "/v1/watches", map[string]any{"id": "portfolio", "subjects": []string{b}}), 200, "")
	var list struct{ Watches []struct{ ID string } }
	w.get(lender, "/v1/watches").into(t, &list)
	if len(list.Watches) != 2 || list.Watches[0].ID != "other" {
		t.Errorf("%v", list)
	}
	var page struct {
		Subjects []string
		Next     *string
	}
	w.get(lender, "/v1/watches/portfolio?limit=2").into(t, &page)
	all := []string{a, b, nobody}
	slices.Sort(all)
	if !slices.Equal(page.Subjects, all[:2]) || page.Next == nil {
		t.Errorf("%v", page)
	}
	w.get(lender, "/v1/watches/portfolio?after="+*page.Next).into(t, &page)
	if !slices.Equal(page.Subjects, all[2:]) || page.Next != nil {
		t.Errorf("%v", page)
	}
	w.gateways[0].Restarted(dir)
	if got = w.changed("portfolio"); len(got) != 1 || len(got[nobody]) == 0 {
		t.Fatalf("after a restart %d firms differ", len(got))
	}
	w.want(w.post(lender, "/v1/watches/portfolio/remove", map[string]any{"subjects": []string{nobody, nobody}}), 200, "")
	if got := w.changed("portfolio"); got != nil {
		t.Fatalf("%d firms differ", len(got))
	}
	if a := w.ask(0, lender, http.MethodDelete, "/v1/watches/portfolio", nil); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.want(w.get(lender, "/v1/watches/portfolio/changed"), 404, "E_WATCH_UNKNOWN")
	w.want(w.ask(0, lender, http.MethodDelete, "/v1/watches/portfolio", nil), 404, "E_WATCH_UNKNOWN")
	if got := w.ask(0, "zz-scjg", http.MethodGet, "/v1/watches/portfolio/changed", nil); got.status != 200 {
		t.Error("the watch of another went with it")
	}
}

func TestWatchRefusals(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	a, b := w.firm("a"), w.firm("b")
	w.want(w.watch("p", a), 200, "")
	for _, p := range []string{"GET /v1/watches", "GET /v1/watches/p", "GET /v1/watches/p/changed", "DELETE /v1/watches/p", "POST /v1/watches/p/ack"} {
		method, target, _ := strings.Cut(p, " ")
		w.want(w.ask(0, "", method, target, nil), 401, "E_AUDIENCE")
	}
	w.want(w.watch("", a), 400, "E_WATCH_ID")
	w.want(w.watch("../p", a), 400, "E_WATCH_ID")
	w.want(w.watch("..", a), 400, "E_WATCH_ID") // no path of a request names it: it could not be shown, polled or deleted
	w.want(w.watch("p"), 422, "E_BATCH")
	w.want(w.watch("p", "123"), 400, "E_USCC_LEN")
	w.want(w.watch("p", slices.Repeat([]string{a}, 10001)...), 422, "E_BATCH")
	w.want(w.ask(0, lender, http.MethodPost, "/v1/watches", []byte(`{"id":"p","subjects":["`+a+`"],"since":1}`)), 400, "E_BODY")
	w.want(w.ask(0, lender, http.MethodPost, "/v1/watches", []byte(`{"id":"p","subjects":["`+a+`"]}{}`)), 400, "E_BODY")
	w.want(w.get(lender, "/v1/watches/nothing"), 404, "E_WATCH_UNKNOWN")
	w.want(w.get(lender, "/v1/watches/p/changed?limit=0"), 400, "E_QUERY")
	w.want(w.get(lender, "/v1/watches/p/changed", "Accept", "application/json"), 406, "E_ACCEPT")
	w.want(w.post(lender, "/v1/watches/p/ack", seenOf(map[string][]byte{a: nil, b: nil})), 422, "E_NOT_WATCHED")
	if got := w.changed("p"); len(got) != 1 {
		t.Error("half of an acknowledgement was noted")
	}
	w.want(w.ask(0, lender, http.MethodPost, "/v1/watches/p/ack", []byte(`{"seen":[{"subject":"`+a+`","digest":"00"}]}`)), 400, "E_BODY")
	w.want(w.ask(0, lender, "PUT", "/v1/watches/p", nil), 405, "E_METHOD")

	// Many firms: as many in a bundle as are asked for.
	var many []string
	for i := range 120 {
		many = append(many, apptest.USCC("91410100", fmt.Sprintf("Y2%04d", i)))
	}
	w.want(w.watch("many", many...), 200, "")
	seen := map[string]bool{}
	for range 3 {
		got := w.get(lender, "/v1/watches/many/changed?limit=50")
		bundle, err := attest.DecodeBundle(got.body)
		must(t, err)
		part := map[string][]byte{}
		for _, e := range bundle.Entries {
			part[e.Subject], seen[e.Subject] = e.Standing, true
		}
		w.ack("many", part)
	}
	if got := w.changed("many"); got != nil || len(seen) != 120 {
		t.Errorf("%d of 120 firms came, %d are left", len(seen), len(got))
	}
}

// TestWatchTwins is INV-03: in one world a record of firm a comes and goes between two looks, in the other nothing does. Every answer that a lender gets is the
// same, byte for byte; of the bundle of another firm that changed, all but the parts that every block changes.
func TestWatchTwins(t *testing.T) {
	var told [2][]string
	for i := range 2 {
		w := newWorld(t)
		w.enrolAll()
		w.do("on 2026-07-20")
		w.Block()
		w.watch("p", w.firm("a"), w.firm("b"))
		w.ack("p", w.changed("p"))
		tell := func(a answer) {
			a.header.Del("Date")
			told[i] = append(told[i], fmt.Sprint(a.status, a.header, string(a.body)))
		}
		look := func() {
			for _, target := range []string{"/v1/watches", "/v1/watches/p", "/v1/watches/p/changed"} {
				tell(w.get(lender, target))
			}
		}
		look()
		if i == 0 {
			w.do("record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7", "on 2026-07-22")
			w.Block()
			if len(w.changed("p")) != 1 {
				t.Fatal("the record shows nowhere: this test sees nothing")
			}
			w.do("withdraw by=zz-scjg issuer=zz-scjg firm=a no=7")
		} else {
			w.Block()
			w.Block()
			w.do("on 2026-07-22")
			w.Block()
			w.Block()
		}
		w.Block()
		look()
		w.do("on 2026-07-23", "record by=ops issuer=zz-scjg firm=b no=8 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=b no=8")
		w.Block()
		got := w.get(lender, "/v1/watches/p/changed")
		b, err := attest.DecodeBundle(got.body)
		must(t, err)
		told[i] = append(told[i], fmt.Sprint(got.status, b.Header.Height, len(b.Entries), b.Entries[0], len(got.body), b.Shape))
		w.ack("p", map[string][]byte{b.Entries[0].Subject: b.Entries[0].Standing})
		look()
	}
	if !slices.Equal(told[0], told[1]) {
		for i := range told[0] {
			if told[0][i] != told[1][i] {
				t.Errorf("answer %d:\n%s\n%s", i, told[0][i], told[1][i])
			}
		}
	}
}
