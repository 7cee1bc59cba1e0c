package gateway_test

import (
	"fmt"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
)

// duties is the answer of /v1/duties.
type duties struct {
	Agency string
	Duties []duty
	Next   *string
	Until  *string `json:"calendar_until"`
}

type duty struct {
	Kind, Subject, Record string
	Due                   *string
	DaysLeft              *int `json:"days_left"`
	WorkingDaysLeft       *int `json:"working_days_left"`
	Alarmed               bool
	Case                  *struct {
		Kind, ID, State string
		DocNo           string `json:"doc_no"`
		Done            []struct{ Step, On string }
		Left            []struct{ Kind, Owner string }
	}
}

func (w *world) duties(by, query string) (d duties) {
	w.tb.Helper()
	a := w.get(by, "/v1/duties"+query)
	if a.status != 200 {
		w.tb.Fatalf("%s asks for duties%s: %d %s", by, query, a.status, a.body)
	}
	a.into(w.tb, &d)
	return d
}

// An agency that records in December what is due in January is not refused where the calendar of the next year is not there yet, and is told that it is not.
func TestDutiesBeyondTheCalendar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enrolAll()
	status := func() (until *string) {
		t.Helper()
		var s struct {
			Until *string `json:"calendar_until"`
		}
		w.get("", "/v1/status").into(t, &s)
		return s.Until
	}
	w.do("on 2026-12-28", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-12-25")
	d := w.duties("zz-scjg", "")
	if until := status(); d.Until == nil || *d.Until != "2026-12-31" || until == nil || *until != *d.Until {
		t.Errorf("the calendar is known until 2026-12-31: duties say %v, the status says %v", d.Until, until)
	}
	// 1 January is a holiday whatever a calendar says, and counts for a Friday like any other until one says it.
	if len(d.Duties) != 1 || *d.Duties[0].Due != "2027-01-05" {
		t.Errorf("%+v", d.Duties)
	}
	w.do("on 2027-01-02", "record by=ops issuer=zz-scjg firm=a no=8 fine=120000 decided=2026-12-31")
	if d := w.duties("zz-scjg", ""); d.Until != nil || status() != nil {
		t.Errorf("2027 has no calendar: duties say %v, the status says %v", d.Until, status())
	}
}

// An agency learns what it must do by when: days by the legal calendar, the alarm once the day has passed, nothing once it is done.
func TestDuties(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15")
	one := func() duty {
		t.Helper()
		d := w.duties("zz-scjg", "")
		if len(d.Duties) != 1 || d.Next != nil || d.Agency != w.Actors["zz-scjg"].USCC {
			t.Fatalf("%+v", d)
		}
		return d.Duties[0]
	}
	d := one()
	if d.Kind != "publish" || *d.Due != "2026-07-24" || *d.DaysLeft != 4 || *d.WorkingDaysLeft != 4 || d.Alarmed || d.Record != w.penalty("a", "7") || d.Subject != w.firm("a") {
		t.Errorf("%+v", d)
	}
	if d.Case == nil || d.Case.Kind != "penalty" || d.Case.State != "registered" || d.Case.DocNo != "郑市监处罚〔2026〕7号" ||
		fmt.Sprint(d.Case.Done) != "[{decided 2026-07-15} {recorded 2026-07-20}]" || len(d.Case.Left) != 2 || d.Case.Left[0].Kind != "publish" || d.Case.Left[1].Kind != "verify_inbound" {
		t.Errorf("%+v", d.Case)
	}
	w.do("on 2026-07-24", "block")
	if d = one(); *d.DaysLeft != 0 || *d.WorkingDaysLeft != 0 || d.Alarmed {
		t.Errorf("on its last day: %d %d %v", *d.DaysLeft, *d.WorkingDaysLeft, d.Alarmed)
	}
	w.do("on 2026-07-27", "block") // a Monday
	if d = one(); *d.DaysLeft != -3 || *d.WorkingDaysLeft != -1 || !d.Alarmed {
		t.Errorf("after its last day: %d %d %v", *d.DaysLeft, *d.WorkingDaysLeft, d.Alarmed)
	}
	w.do("publish by=ops issuer=zz-scjg firm=a no=7")
	if d := w.duties("zz-scjg", ""); len(d.Duties) != 0 {
		t.Errorf("what was done is still to be done: %+v", d.Duties)
	}
}

// Whose duties a reader is told of.
func TestDutiesAudience(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15")
	of := "?agency=" + w.Actors["zz-scjg"].USCC
	sees := func(by, query string, want int) {
		t.Helper()
		if d := w.duties(by, query); len(d.Duties) != want {
			t.Errorf("%s finds %d duties with %q, want %d", by, len(d.Duties), query, want)
		}
	}
	sees("zz-scjg", "", 1)
	sees("zz-scjg", of, 1)
	sees("auditor", of, 1)
	sees("auditor", "", 0)
	sees("ops", of, 1) // publishes in its name
	sees("ops", "", 1) // took the record in, so it verifies
	sees("gy-scjg", "", 0)
	w.want(w.get("gy-scjg", "/v1/duties"+of), 403, "E_DUTIES_AUDIENCE")
	w.want(w.get("gov1", "/v1/duties"+of), 403, "E_DUTIES_AUDIENCE")
	w.want(w.get("", "/v1/duties"), 401, "E_AUDIENCE")
	// A mandate for something else shows nothing of what it does not cover; none at all is a refusal.
	w.do("mandate by=zz-scjg to=ops kinds=3")
	sees("ops", of, 0)
	w.do("revoke-mandate by=zz-scjg to=ops")
	w.want(w.get("ops", "/v1/duties"+of), 403, "E_DUTIES_AUDIENCE")

	w.want(w.get("zz-scjg", "/v1/duties?agency=1"), 400, "E_USCC_LEN")
	for _, bad := range []string{"?after=", "?after=xyz", "?after=0", "?limit=0", "?limit=1001"} {
		w.want(w.get("zz-scjg", "/v1/duties"+bad), 400, "E_QUERY")
	}
}

// Duties that no record lays on an agency by its state: a case, a court's plan, a copy. Who keeps a copy learns which record it is, and not how it left.
func TestDutiesBesideRecords(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("govern put=gov1 holder roles=1,4", "on 2026-07-20", "file-case by=zz-scjg firm=a act=smoke", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15",
		"publish by=ops issuer=zz-scjg firm=a no=7", "record by=ops issuer=zz-scjg firm=a no=8 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=8",
		"file-plan by=ops firm=a case=PO-1")
	of := func(by, kind string) duty {
		t.Helper()
		for _, d := range w.duties(by, "").Duties {
			if d.Kind == kind && d.Case != nil {
				return d
			}
		}
		t.Fatalf("%s finds no duty %s with its case", by, kind)
		return duty{}
	}
	if d := of("zz-scjg", "decide_case"); d.Case.Kind != "case" || d.Case.State != "open" || d.Case.ID != d.Record || len(d.Case.Left) != 1 {
		t.Errorf("%+v", d.Case)
	}
	if d := of("zz-scjg", "shield"); d.Case.Kind != "court_plan" || d.Case.State != "running" || d.Case.DocNo != "PO-1" || len(d.Case.Left) != 1 {
		t.Errorf("%+v", d.Case)
	}
	w.do("shield by=zz-scjg firm=a no=7 case=PO-1", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=8")
	states := map[string]string{}
	for _, d := range w.duties("gov1", "").Duties {
		if d.Kind == "acknowledge" {
			states[d.Record] = fmt.Sprint(d.Case.State, d.Case.Done, d.Case.Left)
		}
	}
	if a, b := states[w.penalty("a", "7")], states[w.penalty("a", "8")]; a == "" || a != b || a != "left[] []" {
		t.Errorf("shielded: %q, withdrawn: %q", a, b)
	}
}

// Pages together are the list, whatever their length.
func TestDutiesPages(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20")
	for i, firm := range []string{"a", "b", "c", "a", "b"} {
		w.do(fmt.Sprintf("record by=ops issuer=zz-scjg firm=%s no=%d fine=120000 decided=2026-07-1%d", firm, 10+i, 3+i))
	}
	whole := w.duties("zz-scjg", "")
	if len(whole.Duties) != 5 {
		t.Fatalf("%d duties", len(whole.Duties))
	}
	for i := range whole.Duties[1:] {
		if *whole.Duties[i].Due > *whole.Duties[i+1].Due {
			t.Error("a later day comes first")
		}
	}
	for _, limit := range []int{1, 2, 4, 5} {
		var got []duty
		query := fmt.Sprintf("?limit=%d", limit)
		for after := ""; ; {
			page := w.duties("zz-scjg", query+after)
			if len(page.Duties) > limit {
				t.Fatalf("a page of %d", len(page.Duties))
			}
			got = append(got, page.Duties...)
			if page.Next == nil {
				break
			}
			after = "&after=" + *page.Next
		}
		if len(got) != 5 {
			t.Fatalf("pages of %d give %d duties", limit, len(got))
		}
		for i := range got {
			if got[i].Record != whole.Duties[i].Record {
				t.Errorf("pages of %d: place %d differs", limit, i)
			}
		}
	}
}

// Every kind of duty has words for people.
func TestDutyKindsHaveWords(t *testing.T) {
	for _, k := range x.DutyKinds() {
		if i := k.Info(); i.Token == "" || i.Label == "" || i.Rule == "" {
			t.Errorf("duty kind %d: %+v", k, i)
		}
	}
}
