package gateway_test

import (
	"bytes"
	"strings"
	"testing"
)

// Who is told of a measure, by its state: nobody of the public in any. js-rsj carries it out, gy-scjg is entitled to follow a call, ops acts for zz-scjg by
// mandate and has no duty in the matter, gov1 may carry out nothing.
func TestAudienceOfMeasures(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("propose by=gov1 param=measures_count_when value=0", "vote by=gov2 proposal=1", "vote by=gov3 proposal=1", "on 2026-08-17",
		"record by=zz-scjg firm=a no=7 fine=120000 decided=2026-08-12", "publish by=zz-scjg issuer=zz-scjg firm=a no=7",
		"announce by=zz-scjg firm=a no=7 item=M12 to=js-rsj", "announce by=zz-scjg firm=a no=7 item=M07")
	var file struct {
		Measures []struct {
			ID      string
			Measure struct {
				Item, State, Basis string
				Implementer        *string
			}
		}
	}
	ids := func() (named, call, own string) {
		t.Helper()
		file.Measures = nil
		w.get("auditor", "/v1/files/"+w.firm("a")).into(t, &file)
		for _, m := range file.Measures {
			switch {
			case m.Measure.Item == "M12":
				named = m.ID
			case m.Measure.Implementer == nil:
				call = m.ID
			default:
				own = m.ID
			}
			if !strings.Contains(m.Measure.Basis, "《河南省社会信用条例》") {
				t.Errorf("measure %s shows basis %q", m.Measure.Item, m.Measure.Basis)
			}
		}
		return named, call, own
	}
	sees := func(id string, readers ...string) {
		t.Helper()
		w.Block()
		w.Block()
		for _, reader := range []string{"", "gov1", "ops", "gy-scjg", "js-rsj", "zz-scjg", "auditor"} {
			want := false
			for _, r := range readers {
				want = want || r == reader
			}
			a := w.get(reader, "/v1/records/"+id)
			none := w.get(reader, "/v1/records/"+strings.Repeat("0", 64))
			switch {
			case want && a.status != 200:
				t.Errorf("%q is not told of the measure: %d", reader, a.status)
			case !want && (a.status != 404 || !bytes.Equal(a.body, none.body)):
				t.Errorf("%q can tell the measure from none:\n%s", reader, a.body)
			}
			if reader == "" {
				continue
			}
			f := w.get(reader, "/v1/files/"+w.firm("a"))
			if strings.Contains(string(f.body), id) != want {
				t.Errorf("%q finds the measure in the file: %v, want %v", reader, !want, want)
			}
		}
	}
	named, call, _ := ids()
	sees(named, "js-rsj", "zz-scjg", "auditor")
	sees(call, "gy-scjg", "js-rsj", "zz-scjg", "auditor")
	if d := w.get("js-rsj", "/v1/duties"); !strings.Contains(string(d.body), "apply_measure") || !strings.Contains(string(d.body), named) {
		t.Errorf("the one that is named is not reminded: %s", d.body)
	}
	w.do("apply-measure by=js-rsj issuer=zz-scjg firm=a no=7 item=M12", "apply-measure by=gy-scjg issuer=zz-scjg firm=a no=7 item=M07")
	_, _, own := ids()
	sees(named, "js-rsj", "zz-scjg", "auditor")
	sees(own, "gy-scjg", "zz-scjg", "auditor")
	if d := w.get("gy-scjg", "/v1/duties"); !strings.Contains(string(d.body), `"measure_feedback"`) || !strings.Contains(string(d.body), "2026-08-31") {
		t.Errorf("feedback is no duty: %s", d.body)
	}

	// Ended: the history of those who carried it out and of the recogniser; a call that is over is the recogniser's alone.
	w.do("withdraw by=zz-scjg issuer=zz-scjg firm=a no=7")
	sees(named, "js-rsj", "zz-scjg", "auditor")
	sees(own, "gy-scjg", "zz-scjg", "auditor")
	sees(call, "zz-scjg", "auditor")
}
