package gateway_test

import (
	"bytes"
	"strings"
	"testing"
)

// Who is told of an incentive: everybody while its notice runs and while it is in force, and nobody but its recogniser and auditors while a published record
// excludes it, before the notice and after its end.
func TestAudienceOfIncentives(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("propose-incentive by=zz-scjg firm=a proposal=JL-1")
	var file struct {
		Incentives []struct{ ID string }
	}
	w.Block()
	w.Block()
	if w.get("auditor", "/v1/files/"+w.firm("a")).into(t, &file); len(file.Incentives) != 1 {
		t.Fatalf("%+v", file)
	}
	id := file.Incentives[0].ID
	sees := func(view, state string, readers ...string) {
		t.Helper()
		w.Block()
		w.Block()
		for _, reader := range []string{"", "ops", "js-rsj", "zz-scjg", "auditor"} {
			want := "full"
			if reader != "zz-scjg" && reader != "auditor" {
				want = view
			}
			for _, r := range readers {
				if r == reader {
					want = "full"
				}
			}
			a := w.get(reader, "/v1/records/"+id)
			if want == "" {
				if none := w.get(reader, "/v1/records/"+strings.Repeat("0", 64)); !bytes.Equal(a.body, none.body) {
					t.Errorf("%s: %q can tell the incentive from none:\n%s", state, reader, a.body)
				}
				continue
			}
			var rec struct {
				View      string
				Published *struct{ State, List string } `json:"published_incentive"`
				Incentive *struct {
					State string
					Uses  []struct{ User string }
				}
			}
			a.into(t, &rec)
			if rec.View != want || want == "full" && (rec.Incentive == nil || rec.Incentive.State != state) || want == "published" && (rec.Published == nil || rec.Published.State != state) {
				t.Errorf("%s: %q is told %s", state, reader, a.body)
			}
		}
		var standing struct {
			Incentives []struct{ Record, State string }
			Counts     struct{ Incentives, Noticed int }
		}
		w.public("/v1/subjects/"+w.firm("a")).into(t, &standing)
		if shown := len(standing.Incentives) == 1 && standing.Incentives[0].Record == id && standing.Incentives[0].State == state; shown != (view != "") ||
			standing.Counts.Incentives+standing.Counts.Noticed != len(standing.Incentives) {
			t.Errorf("%s: the standing shows %+v", state, standing)
		}
	}
	sees("", "proposed")
	w.do("notice-incentive by=zz-scjg firm=a proposal=JL-1")
	sees("published", "noticed")
	if d := w.get("zz-scjg", "/v1/duties"); !strings.Contains(string(d.body), "decide_incentive") {
		t.Errorf("the decision is no duty: %s", d.body)
	}
	w.do("object by=ops firm=a against=incentive issuer=zz-scjg proposal=JL-1 objection=YY-1", "forward by=ops firm=a against=incentive issuer=zz-scjg proposal=JL-1 objection=YY-1",
		"resolve by=zz-scjg firm=a against=incentive issuer=zz-scjg proposal=JL-1 objection=YY-1 result=upheld")
	sees("published", "checked")
	w.do("on 2026-07-27", "recognise by=zz-scjg firm=a proposal=JL-1 until=2028-07-01", "use by=js-rsj of=zz-scjg firm=a proposal=JL-1 matter=XK-1")
	sees("published", "recognised", "js-rsj") // it has granted something: it sees that
	w.do("record by=zz-scjg firm=a no=7 fine=120000", "publish by=zz-scjg firm=a no=7")
	sees("", "recognised")
	w.do("withdraw by=zz-scjg firm=a no=7")
	sees("published", "recognised", "js-rsj")
	w.do("cancel-incentive by=zz-scjg firm=a proposal=JL-1")
	sees("", "cancelled")
	var lists struct {
		Lists []struct {
			Code     string
			InForce  bool `json:"in_force"`
			Measures []string
		}
	}
	if w.public("/v1/incentive-lists").into(t, &lists); len(lists.Lists) != 3 || !lists.Lists[0].InForce || len(lists.Lists[0].Measures) == 0 {
		t.Errorf("%+v", lists)
	}
}
