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

// Who is told of the procedure that leads to an entry in a list: those who have a part in it while it runs, and nobody of the public ever. The entry itself
// follows the table of records.
func TestAudienceOfListings(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("record by=gy-scjg firm=a no=7 fine=120000 region=410181", "notify-listing by=gy-scjg firm=a notice=1 measures=M07")
	var file struct {
		Listings []struct {
			ID      string
			Listing struct{ State, List string }
		}
		Lists []struct {
			ID, View string
			List     *struct{ List, Listing string }
		}
	}
	read := func() {
		t.Helper()
		file.Listings, file.Lists = nil, nil
		w.Block()
		w.Block()
		w.get("auditor", "/v1/files/"+w.firm("a")).into(t, &file)
	}
	read()
	if len(file.Listings) != 1 || file.Listings[0].Listing.State != "notified" {
		t.Fatalf("%+v", file)
	}
	id := file.Listings[0].ID
	sees := func(readers ...string) {
		t.Helper()
		for _, reader := range []string{"", "gov1", "ops", "js-rsj", "zz-scjg", "gy-scjg", "auditor"} {
			want := false
			for _, r := range readers {
				want = want || r == reader
			}
			a := w.get(reader, "/v1/records/"+id)
			if got := a.status == 200; got != want {
				t.Errorf("%q is told of the procedure: %v, want %v", reader, got, want)
			}
			if none := w.get(reader, "/v1/records/"+strings.Repeat("0", 64)); !want && !bytes.Equal(a.body, none.body) {
				t.Errorf("%q can tell the procedure from none:\n%s", reader, a.body)
			}
		}
	}
	// ops acts for the lister by mandate, zz-scjg is above it and may have to consent.
	sees("gy-scjg", "zz-scjg", "ops", "auditor")
	w.do("state-listing by=ops issuer=gy-scjg firm=a notice=1")
	if d := w.get("gy-scjg", "/v1/duties"); !strings.Contains(string(d.body), "verify_listing") {
		t.Errorf("verification is no duty: %s", d.body)
	}
	w.do("verify-listing by=gy-scjg firm=a notice=1", "consent by=zz-scjg issuer=gy-scjg firm=a notice=1", "on 2026-07-20",
		"decide-listing by=gy-scjg firm=a notice=1 no=L1 basis=7 measures=M07")
	read()
	sees("gy-scjg", "auditor")
	if len(file.Lists) != 1 || file.Lists[0].List == nil || file.Lists[0].List.List != "SC" || file.Lists[0].List.Listing != id {
		t.Fatalf("the entry: %+v", file.Lists)
	}
	entry := file.Lists[0].ID
	var standing struct {
		Lists []struct {
			Record, List string
			DocNo        string `json:"doc_no"`
		}
		Counts struct{ Lists int }
	}
	if w.public("/v1/subjects/"+w.firm("a")).into(t, &standing); len(standing.Lists) != 0 || standing.Counts.Lists != 0 {
		t.Errorf("an entry that is not published shows: %+v", standing)
	}
	if a := w.get("js-rsj", "/v1/records/"+entry); a.status != 404 {
		t.Errorf("another agency is told of it: %s", a.body)
	}
	w.do("publish by=ops issuer=gy-scjg kind=list firm=a no=L1")
	w.Block()
	w.Block()
	if w.public("/v1/subjects/"+w.firm("a")).into(t, &standing); len(standing.Lists) != 1 || standing.Lists[0].List != "SC" || standing.Lists[0].Record != entry || standing.Counts.Lists != 1 {
		t.Errorf("the standing shows %+v", standing)
	}
	var rec struct {
		View string
		List *struct{ List string } `json:"published_list"`
	}
	if w.get("js-rsj", "/v1/records/"+entry).into(t, &rec); rec.View != "published" || rec.List == nil || rec.List.List != "SC" {
		t.Errorf("another agency is told %+v", rec)
	}
}
