package gateway_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/inspection"
)

type plan struct {
	ID, State  string
	ListDigest string `json:"list_digest"`
	Seed       string
	DrawnAt    int64 `json:"drawn_at"`
	Rates      []uint32
	Inspectors uint32
	Team       uint32
	Drawn      *int64
	Candidates []struct {
		Subject string
		Class   uint32
	}
	Inspected []struct {
		Record, Subject string
		Result          *string
	}
}

// Everybody sees what binds a draw, the list and the drawn go to the agency that inspects and to auditors, and these can make the draw again. Of a firm
// that was drawn nobody else learns more than of one that was not.
func TestInspectionPlan(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20", "plan by=js-rsj no=P-1 draw=2026-07-27 until=2026-08-31 rates=0,0,0,1000",
		"candidates by=js-rsj no=P-1 firms=a class=4", "candidates by=js-rsj no=P-1 firms=b,c class=1", "seal by=js-rsj no=P-1")
	id := hex.EncodeToString(inspection.PlanID(w.Actors["js-rsj"].USCC, "P-1"))
	ask := func(by string) (p plan) {
		t.Helper()
		a := w.get(by, "/v1/inspections/"+id)
		if a.status != 200 {
			t.Fatalf("%q: %d %s", by, a.status, a.body)
		}
		a.into(t, &p)
		return p
	}
	w.Block()
	w.Block()
	if p := ask(""); p.State != "sealed" || p.ListDigest == "" || p.Seed != "" || len(p.Candidates)+len(p.Inspected) != 0 {
		t.Errorf("%+v", p)
	}
	w.do("on 2026-07-27", "block", "block", "block")
	for _, by := range []string{"", "gy-scjg", "gov1"} {
		if p := ask(by); p.State != "drawn" || p.Seed == "" || len(p.Candidates)+len(p.Inspected) != 0 || p.Drawn != nil {
			t.Errorf("%q is told %+v", by, p)
		}
	}
	for _, by := range []string{"js-rsj", "auditor"} {
		p := ask(by)
		if len(p.Candidates) != 3 || len(p.Inspected) != 1 || p.Inspected[0].Subject != w.firm("a") {
			t.Fatalf("%s is told %+v", by, p)
		}
		var list []pb.Candidate
		for _, c := range p.Candidates {
			list = append(list, pb.Candidate{Subject: c.Subject, Class: c.Class})
		}
		if digest := inspection.ListDigest(list); hex.EncodeToString(digest[:]) != p.ListDigest {
			t.Error("the list has not the digest that was sealed")
		}
		var h struct{ Hash string }
		w.get("", fmt.Sprintf("/v1/headers/%d", p.DrawnAt)).into(t, &h)
		if h.Hash != p.Seed {
			t.Errorf("the seed is %s, the block has %s", p.Seed, h.Hash)
		}
		if drawn := inspection.Draw(unhex(p.Seed), unhex(p.ID), p.Rates, p.Inspectors, p.Team, list); len(drawn) != 1 || drawn[0].Subject != w.firm("a") {
			t.Errorf("drawn anew: %+v", drawn)
		}
	}
	// The duty to inspect, with its case; the record for nobody else.
	d := w.duties("js-rsj", "")
	if len(d.Duties) != 1 || d.Duties[0].Kind != "inspect" || d.Duties[0].Case == nil || d.Duties[0].Case.DocNo != "P-1" {
		t.Fatalf("%+v", d.Duties)
	}
	record := d.Duties[0].Record
	for by, want := range map[string]bool{"": false, "gy-scjg": false, "ops": false, "js-rsj": true, "auditor": true} {
		a, none := w.get(by, "/v1/records/"+record), w.get(by, "/v1/records/"+strings.Repeat("0", 64))
		if want != (a.status == 200) || !want && !bytes.Equal(a.body, none.body) {
			t.Errorf("%q: %d %s", by, a.status, a.body)
		}
	}
	if told := w.tellsApart(record); len(told) > 0 {
		t.Errorf("these tell a firm that was drawn from one that was not:\n%s", strings.Join(told, "\n"))
	}
	w.want(w.get("", "/v1/inspections/"+strings.Repeat("0", 64)), 404, "E_INSPECTION_PLAN_UNKNOWN")
}
