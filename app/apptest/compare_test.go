package apptest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// The ledger's names for the states of the model's tables.
var (
	stateOfRecord = map[string]pb.RecordState{
		"registered": pb.RECORD_REGISTERED, "published": pb.RECORD_PUBLISHED, "unpublished": pb.RECORD_UNPUBLISHED, "shielded": pb.RECORD_SHIELDED,
		"repaired": pb.RECORD_REPAIRED, "expired": pb.RECORD_EXPIRED, "withdrawn": pb.RECORD_WITHDRAWN, "corrected": pb.RECORD_CORRECTED,
	}
	stateOfCommitment = map[string]pb.CommitmentState{
		"pending": pb.COMMITMENT_PENDING, "supervised": pb.COMMITMENT_SUPERVISED, "due": pb.COMMITMENT_DUE, "fulfilled": pb.COMMITMENT_FULFILLED,
		"breached": pb.COMMITMENT_BREACHED, "cured": pb.COMMITMENT_CURED, "rejected": pb.COMMITMENT_REJECTED, "withdrawn": pb.COMMITMENT_WITHDRAWN,
	}
	stateOfRepair = map[string]pb.RepairState{
		"pending": pb.REPAIR_PENDING, "supplement": pb.REPAIR_SUPPLEMENT, "accepted": pb.REPAIR_ACCEPTED, "effective": pb.REPAIR_EFFECTIVE,
		"refused": pb.REPAIR_REFUSED, "not accepted": pb.REPAIR_NOT_ACCEPTED, "revoked": pb.REPAIR_REVOKED, "moot": pb.REPAIR_MOOT,
	}
	stateOfMeasure = map[string]pb.MeasureState{
		"announced": pb.MEASURE_ANNOUNCED, "applied": pb.MEASURE_APPLIED, "lifted": pb.MEASURE_LIFTED, "expired": pb.MEASURE_EXPIRED, "corrected": pb.MEASURE_CORRECTED,
	}
	stateOfListing = map[string]pb.ListingState{
		"notified": pb.LISTING_NOTIFIED, "verifying": pb.LISTING_VERIFYING, "heard": pb.LISTING_HEARD, "dropped": pb.LISTING_DROPPED, "decided": pb.LISTING_DECIDED,
	}
	stateOfObjection = map[string]pb.ObjectionState{
		"own": pb.OBJECTION_OWN, "provider": pb.OBJECTION_PROVIDER, "review": pb.OBJECTION_REVIEW, "resolved": pb.OBJECTION_RESOLVED,
	}
	resultOfObjection = map[string]pb.ObjectionResult{
		"": pb.OBJECTION_RESULT_UNSET, "upheld": pb.OBJECTION_UPHELD, "corrected": pb.OBJECTION_CORRECTED, "withdrawn": pb.OBJECTION_WITHDRAWN,
		"undetermined": pb.OBJECTION_UNDETERMINED,
	}
	stateOfPlan = map[string]pb.CourtPlanState{
		"running": pb.COURT_PLAN_RUNNING, "completed": pb.COURT_PLAN_COMPLETED, "failed": pb.COURT_PLAN_FAILED,
	}
	stateOfCase = map[string]pb.CaseState{"open": pb.CASE_OPEN, "penalty": pb.CASE_PENALTY, "closed": pb.CASE_CLOSED}
)

// record is the id of a record of the model, or of an older version of one.
func (s *sim) record(key string) []byte {
	base, version, _ := strings.Cut(key, "#")
	of, no, firm := splitKey(base)
	no = docNo(no)
	if version != "" {
		no += "#" + version
	}
	id := sanction.ID(recordKinds[s.m.records[key].kind], s.agency(of), no, s.firms[firm])
	return id[:]
}

// compare holds the ledger against the model: every row, what the public sees, and who is barred.
func (s *sim) compare() {
	t, m := s.t, s.m
	s.Read(func(r x.Reader) {
		for code, c := range m.commitments {
			got, found := commitment.Get(r, code)
			if !found || got.State != stateOfCommitment[c.state] || commitment.Public(got) != c.visible() || got.Content.Subject != s.firms[c.firm] || int(got.Objections) != c.marks {
				t.Errorf("commitment %s: %v, model %+v", code, got, c)
			}
		}
		for key, p := range m.records {
			s.compareRecord(r, key, p)
		}
		for name, a := range m.repairs {
			app, key, _ := strings.Cut(name, "/")
			issuer, _, firm := splitKey(key)
			id := repair.ID(s.agency(issuer), app, s.firms[firm], s.record(key))
			if got, found := repair.Get(r, id[:]); !found || got.State != stateOfRepair[a.state] || int(got.AcceptBy) != a.acceptBy ||
				int(got.DecideBy) != a.decideBy || int(got.TotalBy) != a.totalBy || int(got.ExecuteBy) != a.executeBy || int(got.TrackBy) != a.trackBy {
				t.Errorf("repair %s: %v, model %+v", name, got, a)
			}
		}
		for name, want := range m.measures {
			f := strings.Split(name, "|")
			issuer, _, firm := splitKey(f[0])
			to := f[2]
			if to != "" {
				to = s.agency(to)
			}
			id := measure.ID(s.agency(issuer), s.firms[firm], s.record(f[0]), f[1], to)
			got, found := measure.Get(r, id[:])
			if !found || got.State != stateOfMeasure[want.state] || int(got.Until) != want.until || int(got.FeedbackBy) != want.feedbackBy || int(got.Outcome) != want.outcome {
				t.Errorf("measure %s: %v, model %+v", name, got, want)
			}
		}
		for name, l := range m.listings {
			issuer, no, firm := splitKey(name)
			id := sanction.ListingID(&pb.ListingNotice{Issuer: s.agency(issuer), Subject: s.firms[firm], List: l.list, NoticeNo: noticeNo(no)})
			if got, found := sanction.GetListing(r, id[:]); !found || got.State != stateOfListing[l.state] || int(got.StatementBy) != l.statementBy || int(got.VerifyBy) != l.verifyBy {
				t.Errorf("listing %s: %v, model %+v", name, got, l)
			}
		}
		for name, o := range m.objections {
			no, target, _ := strings.Cut(name, "/")
			id := []byte(nil)
			if o.breach {
				c, _ := commitment.Get(r, target)
				id = commitment.ID(&c.Content)
			} else {
				id = s.record(target)
			}
			oid := objection.ID(s.agency(o.provider), no, s.firms[o.firm], id)
			if got, found := objection.Get(r, oid[:]); !found || got.State != stateOfObjection[o.state] || int(got.OwnBy) != o.ownBy || int(got.ProviderBy) != o.providerBy ||
				int(got.ReviewBy) != o.reviewBy || int(got.PausedOn) != o.paused || got.Result != resultOfObjection[o.result] {
				t.Errorf("objection %s: %v, model %+v", name, got, o)
			}
		}
		for name, plan := range m.plans {
			firm, no, _ := cut3(name)
			id := sanction.PlanID(no, s.firms[firm])
			got, found := sanction.GetPlan(r, id[:])
			if !found || got.State != stateOfPlan[plan.state] {
				t.Errorf("plan %s: %v, model %+v", name, got, plan)
				continue
			}
			open, shielded := m.counts(name)
			for i := range got.Parties {
				q, who := &got.Parties[i], s.nameOf(got.Parties[i].Recogniser)
				if int(q.Open) != open[who] || int(q.Shielded) != shielded[who] || plan.state == "running" && q.Open > 0 && int(q.Due) != plan.due[who] {
					t.Errorf("plan %s, %s: %v, model %d open and %d shielded by %v", name, who, q, open[who], shielded[who], plan.due)
				}
			}
		}
		for name, want := range m.cases {
			firm, act, _ := cut3(name)
			if got, found := sanction.CaseOf(r, s.firms[firm], digest(act)); !found || got.State != stateOfCase[want.state] || got.Issuer != s.agency(want.issuer) || int(got.DecideBy) != want.decideBy {
				t.Errorf("case %s: %v, model %+v", name, got, want)
			}
		}
		var owed []string
		x.EachDuty(r, func(d x.Duty) bool {
			owed = append(owed, s.nameOf(d.Owner)+" "+d.Kind.Info().Token+" "+dateArg(int(d.Due)))
			return true
		})
		slices.Sort(owed)
		if want := m.duties(); !slices.Equal(owed, want) {
			t.Errorf("duties: the ledger alone %q, the model alone %q", without(owed, want), without(want, owed))
		}
		s.compareConsent(r)
		var have, want [6]int
		for firm := range m.firms {
			uscc := s.firms[firm]
			s.compareStanding(r, firm)
			if _, barred := commitment.Barred(r, uscc); barred != m.barred(firm) {
				t.Errorf("%s: barred %v, model %v", firm, barred, m.barred(firm))
			}
			until, barred := repair.Barred(r, uscc, calendar.Date(m.today))
			if want := m.repairBars[firm]; barred != (want >= m.today) || barred && int(until) != want {
				t.Errorf("%s: barred from repair until %s, model %s", firm, until, dateArg(want))
			}
			if got := sanction.UnderAttention(r, uscc); got != m.attention(firm) {
				t.Errorf("%s: under attention %v, model %v", firm, got, !got)
			}
			commitment.Each(r, uscc, func(*pb.Commitment) bool { have[0]++; return true })
			sanction.Each(r, uscc, func(*pb.Dishonesty) bool { have[1]++; return true })
			subject.Alarms(r, uscc, func(*pb.Alarm) bool { have[2]++; return true })
			measure.Each(r, uscc, func(*pb.Measure) bool { have[3]++; return true })
			sanction.EachListing(r, uscc, func(*pb.Listing) bool { have[4]++; return true })
			objection.Each(r, uscc, func(*pb.Objection) bool { have[5]++; return true })
		}
		want = [6]int{len(m.commitments), len(m.records), len(m.alarms), len(m.measures), len(m.listings), len(m.objections)}
		if have != want {
			t.Errorf("commitments, records, alarms, measures, listings, objections: %v; model %v", have, want)
			s.alarmsApart(r)
		}
	})
}

// duties are what each agency must do by when (query duties), from the model's tables.
func (m *model) duties() (out []string) {
	owe := func(owner, what string, due int) { out = append(out, owner+" "+what+" "+dateArg(due)) }
	for _, p := range m.records {
		if p.state == "registered" {
			owe(p.issuer, "publish", p.publishBy)
			owe(p.verifier, "verify_inbound", plusWorking(p.recorded, 5))
		}
		if live(p.state) && p.leaveBy != 0 {
			owe(p.issuer, "withdraw", p.leaveBy)
		}
		if live(p.state) && p.lookBy != 0 {
			owe(p.issuer, "reexamine_listing", p.lookBy)
		}
		if p.held {
			owe(p.issuer, "answer_hold", p.answerBy)
		}
	}
	for name, plan := range m.plans {
		open, shielded := m.counts(name)
		for who := range open {
			owe(who, "shield", plan.due[who])
		}
		for who := range shielded {
			if plan.state != "running" {
				owe(who, "end_shield", plan.due[who])
			}
		}
	}
	for _, c := range m.copies {
		if c.waiting {
			owe("ops", "acknowledge", c.due)
		}
	}
	for _, c := range m.cases {
		if c.state == "open" {
			owe(c.issuer, "decide_case", c.decideBy)
		}
	}
	for _, l := range m.listings {
		if l.state == "verifying" {
			owe(l.issuer, "verify_listing", l.verifyBy)
		}
	}
	for _, o := range m.objections {
		if who, due := o.holder(); who != "" {
			if o.paused != 0 {
				due = 0
			}
			owe(who, "objection_"+o.state, due)
		}
	}
	for name, v := range m.measures {
		switch to := name[strings.LastIndex(name, "|")+1:]; {
		case v.state == "announced" && to != "":
			owe(to, "apply_measure", 0)
		case v.state == "applied" && v.outcome == 0:
			owe(to, "measure_feedback", v.feedbackBy)
		}
	}
	for _, c := range m.commitments {
		switch c.state {
		case "pending":
			owe(c.acceptor, "accept_commitment", c.acceptBy)
		case "supervised":
			owe(c.acceptor, "check_commitment", c.checkBy)
		case "due":
			owe(c.acceptor, "assess_commitment", c.assessBy)
		}
		if c.mendBy != 0 {
			owe(c.acceptor, "verify_mend", c.mendBy)
		}
	}
	for name, a := range m.repairs {
		_, key, _ := strings.Cut(name, "/")
		for what, by := range a.limits() {
			owner := m.records[key].issuer
			if what == "answer" {
				owner = "ops"
			}
			owe(owner, "repair_"+what, by)
		}
	}
	slices.Sort(out)
	return out
}

// alarmsApart says on which days one has other alarms than the other.
func (s *sim) alarmsApart(r x.Reader) {
	have, want := map[string][]string{}, map[string][]string{}
	for firm := range s.m.firms {
		subject.Alarms(r, s.firms[firm], func(a *pb.Alarm) bool {
			day := dateArg(int(a.Due))
			have[day] = append(have[day], firm+" "+a.Kind+" "+s.nameOf(a.Issuer))
			return true
		})
	}
	for name := range s.m.alarms {
		day := name[strings.LastIndex(name, "|")+1:]
		if len(day) != 10 {
			day = "none"
		}
		want[day] = append(want[day], name)
	}
	for day := range have {
		if len(have[day]) != len(want[day]) {
			s.t.Errorf("alarms of %s: %q, model %q", day, have[day], want[day])
		}
	}
	for day := range want {
		if len(have[day]) == 0 {
			s.t.Errorf("alarms of %s: none, model %q", day, want[day])
		}
	}
}

func (s *sim) compareRecord(r x.Reader, key string, p mRecord) {
	got, found := sanction.Get(r, s.record(key))
	switch {
	case !found || sanction.StateOf(got) != stateOfRecord[p.state] || (got.State == pb.RECORD_DESTROYED) != p.destroyed ||
		(got.State == pb.RECORD_ARCHIVED) != (p.archived(s.m.today) && !p.destroyed):
	case p.destroyed:
		return
	case int(got.Class) != p.class || int(got.PublishBy) != p.publishBy || int(got.MinUntil) != p.min || int(got.MaxUntil) != p.max || int(got.PublishedOn) != p.published ||
		int(got.EndedOn) != p.ended || got.Held != p.held || int(got.AnswerBy) != p.answerBy || int(got.RevokedOn) != p.revokedOn || int(got.WithdrawBy) != p.leaveBy ||
		int(got.DutyDoneOn) != p.doneOn || got.Extended != p.extended || int(got.FinalOn) != p.finalOn || int(got.Version) != p.version || int(got.Objections) != p.marks:
	default:
		return
	}
	s.t.Errorf("record %s: %v, model %+v", key, got, p)
}

// compareStanding: the bytes of what the public sees are those of the model's public facts and of nothing else. Whatever a firm once had that the table
// hides leaves no trace in them (INV-03, INV-04).
func (s *sim) compareStanding(r x.Reader, firm string) {
	t, m, uscc := s.t, s.m, s.firms[firm]
	raw, found := standing.Get(r, uscc)
	if !found {
		t.Errorf("%s has no standing", firm)
		return
	}
	got := new(pb.Standing)
	must(t, pb.Decode(raw, got))
	enrolled, _ := subject.Get(r, uscc)
	want := &pb.Standing{
		Subject: uscc, Region: enrolled.Region, Category: enrolled.Category, Status: pb.SubjectStatus(m.status[firm]), MayPromise: m.mayPromise(firm), Restricted: s.restricted(r, firm),
	}
	for code, c := range m.commitments {
		if c.firm != firm || !c.visible() {
			continue
		}
		want.Commitments = append(want.Commitments, s.publicCommitment(r, code, c))
		if want.Counts.Commitments++; c.state == "breached" {
			want.Counts.Breached++
		}
	}
	slices.SortFunc(want.Commitments, func(a, b pb.PublicCommitment) int { return strings.Compare(a.Code, b.Code) })
	for key, p := range m.records {
		if p.firm != firm || !p.public() {
			continue
		}
		id, no := s.record(key), docNo(p.no)
		var class *uint32
		if n := &want.Counts; p.kind == "penalty" || p.kind == "other" {
			class = [...]*uint32{1: &n.Minor, 2: &n.General, 3: &n.Serious}[p.class]
			*class++
		}
		switch p.kind {
		case "penalty":
			want.Counts.Penalties++
			want.Penalties = append(want.Penalties, pb.PublicPenalty{
				Record: id, DocNo: no, Issuer: s.agency(p.issuer), Class: pb.Severity(p.class), Kinds: p.kinds, DecidedOn: int32(p.decided),
				MinUntil: int32(p.min), MaxUntil: int32(p.max), Final: p.finalOn != 0, Objection: p.marks > 0,
			})
		case "list":
			want.Counts.Lists++
			want.Lists = append(want.Lists, pb.PublicListEntry{
				Record: id, List: p.list, DocNo: no, Issuer: s.agency(p.issuer), DecidedOn: int32(p.decided),
				MinUntil: int32(p.min), MaxUntil: int32(p.max), Final: p.finalOn != 0, Objection: p.marks > 0,
			})
		case "abnormal":
			want.Counts.Abnormal++
			want.Abnormal = append(want.Abnormal, pb.PublicAbnormal{Record: id, Reason: "address", Issuer: s.agency(p.issuer), ListedOn: int32(p.decided), Objection: p.marks > 0})
		case "other":
			want.Counts.Others++
			want.Others = append(want.Others, pb.PublicOther{
				Record: id, Source: "contract", DocNo: no, Issuer: s.agency(p.issuer), Class: pb.Severity(p.class), DecidedOn: int32(p.decided),
				MinUntil: int32(p.min), MaxUntil: int32(p.max), Final: p.finalOn != 0, Objection: p.marks > 0,
			})
		}
	}
	slices.SortFunc(want.Penalties, func(a, b pb.PublicPenalty) int { return bytes.Compare(a.Record, b.Record) })
	slices.SortFunc(want.Lists, func(a, b pb.PublicListEntry) int { return bytes.Compare(a.Record, b.Record) })
	slices.SortFunc(want.Abnormal, func(a, b pb.PublicAbnormal) int { return bytes.Compare(a.Record, b.Record) })
	slices.SortFunc(want.Others, func(a, b pb.PublicOther) int { return bytes.Compare(a.Record, b.Record) })
	if !bytes.Equal(raw, pb.Encode(want)) {
		t.Errorf("%s: the public sees\n%s,\nthe model\n%s", firm, fmt.Sprint(got), fmt.Sprint(want))
	}
}

// without gives the lines of a that b does not have as often.
func without(a, b []string) (out []string) {
	left := map[string]int{}
	for _, s := range b {
		left[s]++
	}
	for _, s := range a {
		if left[s]--; left[s] < 0 {
			out = append(out, s)
		}
	}
	return out
}
