package sanction

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Bankruptcy (破产重整、和解, A3-14, S8). An agent files the court's ruling that approves a plan, once for the subject. Each recogniser then shields its own
// records: 谁认定、谁修复. The plan keeps the board: how many records of each recogniser are still in publicity, and how many are shielded.
var (
	plans = subject.NewRecords[pb.CourtPlan](0x63, "court plan uscc[18] plan[32]")
	// The plan that runs for a subject, and which subject a plan belongs to. Both follow from the plans.
	openPlans = x.Declare(x.TableInfo{Prefix: 0x64, Layout: "court plan that runs uscc[18] → plan[32]", Binding: x.Derived})
	planByID  = x.Declare(x.TableInfo{Prefix: 0x65, Layout: "court plan plan[32] → uscc", Binding: x.Derived})
)

// Duties that a plan lays on recognisers.
var (
	DutyShield    = x.DeclareDuty(4, "shield", "屏蔽", "A3-14, N1")
	DutyEndShield = x.DeclareDuty(6, "end_shield", "结束屏蔽", "A3-14, N1")
)

// PlanID is the id of a court's plan: one for a case (案号) and a subject.
func PlanID(caseNo, uscc string) [32]byte { return x.RecordID("plan", "", caseNo, uscc) }

// GetPlan reads a plan by its id.
func GetPlan(r x.Reader, id []byte) (*pb.CourtPlan, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := x.Peek(r, x.Key(planByID.Prefix, id))
	if !ok {
		return nil, false
	}
	return plans.Get(r, string(uscc), id)
}

// EachPlan visits a subject's plans by id.
func EachPlan(r x.Reader, uscc string, fn func(p *pb.CourtPlan) (more bool)) { plans.Each(r, uscc, fn) }

// Covers says whether a plan speaks of a record: it was decided before the court ruled.
func Covers(p *pb.CourtPlan, d *pb.Dishonesty) bool { return Of(d).DecidedOn <= p.RuledOn }

// DutiesOfPlan gives the duties that a plan lays on recognisers: while it runs, to shield what is in publicity; once the court has ended it, to end the
// shield.
func DutiesOfPlan(p *pb.CourtPlan) (out []x.Duty) {
	for i := range p.Parties {
		party, kind := &p.Parties[i], DutyShield
		switch {
		case p.State == pb.COURT_PLAN_RUNNING && party.Open > 0:
		case p.State != pb.COURT_PLAN_RUNNING && party.Shielded > 0:
			kind = DutyEndShield
		default:
			continue
		}
		out = append(out, x.Duty{Owner: party.Recogniser, Due: calendar.Date(party.Due), Kind: kind, Subject: p.Subject, Record: p.Id, Alarmed: party.Missed})
	}
	return out
}

func putPlan(ctx *x.Ctx, p *pb.CourtPlan) {
	old, ok := plans.Get(ctx, p.Subject, p.Id)
	if !ok {
		ctx.Set(x.Key(planByID.Prefix, p.Id), []byte(p.Subject))
		old = &pb.CourtPlan{}
	}
	// Who has nothing in it any more leaves the board: that it once had would tell the others of a record that has left.
	p.Parties = slices.DeleteFunc(p.Parties, func(q pb.PlanParty) bool { return q.Open+q.Shielded == 0 })
	x.Assign(ctx, DutiesOfPlan(old), DutiesOfPlan(p))
	if key := x.Key(openPlans.Prefix, []byte(p.Subject)); p.State == pb.COURT_PLAN_RUNNING {
		ctx.Set(key, p.Id)
	} else if old.State == pb.COURT_PLAN_RUNNING {
		ctx.Delete(key)
	}
	plans.PutAside(ctx, p.Subject, p.Id, p)
}

// party finds the row of a recogniser on the board, and makes one where there is none.
func party(p *pb.CourtPlan, recogniser string) *pb.PlanParty {
	i, found := slices.BinarySearchFunc(p.Parties, recogniser, func(q pb.PlanParty, r string) int { return strings.Compare(q.Recogniser, r) })
	if !found {
		p.Parties = slices.Insert(p.Parties, i, pb.PlanParty{Recogniser: recogniser})
	}
	return &p.Parties[i]
}

// due is the last day in time for what a plan lays on a recogniser from today on.
func shieldDue(ctx *x.Ctx) int32 {
	return int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "shield_wd"))))
}

// board keeps the plans that a record touches in step with it: that which shields it, and that which runs for its subject. old is nil for a new record.
func board(ctx *x.Ctx, old, now *pb.Dishonesty) {
	was, is := old != nil && old.State == pb.RECORD_SHIELDED, now.State == pb.RECORD_SHIELDED
	switch {
	case was && !is:
		countShielded(ctx, old, -1)
	case is && !was:
		countShielded(ctx, now, 1)
	}
	was, is = old != nil && Public(old), Public(now)
	if was == is && (!is || Of(old).DecidedOn == Of(now).DecidedOn) {
		return
	}
	id, ok := x.Peek(ctx, x.Key(openPlans.Prefix, []byte(Of(now).Subject)))
	if !ok {
		return
	}
	p, _ := plans.Get(ctx, Of(now).Subject, id)
	was, is = was && Covers(p, old), is && Covers(p, now)
	if was == is {
		return
	}
	q := party(p, Of(now).Issuer)
	if !is {
		q.Open--
	} else if q.Open++; q.Open == 1 {
		q.Due, q.Missed = shieldDue(ctx), false
	}
	putPlan(ctx, p)
}

func countShielded(ctx *x.Ctx, d *pb.Dishonesty, change int) {
	p, ok := plans.Get(ctx, Of(d).Subject, d.Plan)
	if !ok {
		x.Faultf("record %x is shielded by plan %x, which is not there", d.Id, d.Plan)
	}
	q := party(p, Of(d).Issuer)
	q.Shielded = uint32(int(q.Shielded) + change)
	putPlan(ctx, p)
}

// FilePlan is B1: an agent files the court's ruling that approves a plan of reorganisation or a settlement.
func FilePlan(ctx *x.Ctx, m *pb.FilePlan) (x.Done, error) {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckToken(m.CaseNo, "case_no", false); err != nil {
		return x.Done{}, err
	}
	if m.Kind != planReorganisation && m.Kind != planSettlement {
		return x.Done{}, x.ErrEnum.With("kind is 1 重整 or 2 和解")
	}
	if err := x.CheckDate(m.RuledOn, "ruled_on", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.RulingDigest, "ruling_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	id := PlanID(m.CaseNo, m.Subject)
	done := x.Done{Record: id[:]}
	if old, ok := GetPlan(ctx, id[:]); ok {
		if old.Kind == m.Kind && old.RuledOn == m.RuledOn && bytes.Equal(old.RulingDigest, m.RulingDigest) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("the plan of case %s stands with other content", m.CaseNo)
	}
	if err := subject.Enrolled(ctx, m.Subject); err != nil {
		return done, err
	}
	if _, runs := x.Peek(ctx, x.Key(openPlans.Prefix, []byte(m.Subject))); runs {
		return done, ErrPlan.With("a plan of %s runs already", m.Subject)
	}
	if m.RuledOn > int32(ctx.Today) {
		return done, ErrWindow.With("ruled on %s, which is after today (%s)", calendar.Date(m.RuledOn), ctx.Today)
	}
	if err := subject.AdmitOwn(ctx, m.Subject, 1); err != nil {
		return done, err
	}
	p := &pb.CourtPlan{
		Id: id[:], Subject: m.Subject, CaseNo: m.CaseNo, Kind: m.Kind, RuledOn: m.RuledOn, RulingDigest: m.RulingDigest,
		State: pb.COURT_PLAN_RUNNING, Agent: m.Issuer, FiledOn: int32(ctx.Today),
	}
	due := shieldDue(ctx)
	Each(ctx, m.Subject, func(d *pb.Dishonesty) bool {
		if Public(d) && Covers(p, d) {
			q := party(p, Of(d).Issuer)
			q.Open, q.Due = q.Open+1, due
		}
		return true
	})
	putPlan(ctx, p)
	return done, nil
}

// Kinds of plans.
const (
	planReorganisation = 1 // 重整
	planSettlement     = 2 // 和解
)

// EndPlan is B2: an agent files the ruling that ends the plan, as carried out or as failed. Each recogniser then ends the shield of its own records.
func EndPlan(ctx *x.Ctx, m *pb.EndPlan) (x.Done, error) {
	if err := x.CheckDigest(m.Plan, "plan", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDate(m.RuledOn, "ruled_on", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.RulingDigest, "ruling_digest", false); err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: m.Plan}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
		return done, err
	}
	p, ok := GetPlan(ctx, m.Plan)
	if !ok {
		return done, ErrPlan.With("no plan has id %x", m.Plan)
	}
	state := pb.COURT_PLAN_FAILED
	if m.Completed {
		state = pb.COURT_PLAN_COMPLETED
	}
	switch {
	case p.State == state && p.EndedOn == m.RuledOn && bytes.Equal(p.OutcomeDigest, m.RulingDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	case p.State != pb.COURT_PLAN_RUNNING:
		return done, ErrPlan.With("the plan has ended: %s", p.State)
	case m.RuledOn < p.RuledOn || m.RuledOn > int32(ctx.Today):
		return done, ErrWindow.With("ended on %s; it was approved on %s, today is %s", calendar.Date(m.RuledOn), calendar.Date(p.RuledOn), ctx.Today)
	}
	p.State, p.EndedOn, p.OutcomeDigest = state, m.RuledOn, m.RulingDigest
	due := shieldDue(ctx)
	for i := range p.Parties {
		p.Parties[i].Open, p.Parties[i].Due, p.Parties[i].Missed = 0, due, false
	}
	putPlan(ctx, p)
	return done, nil
}

// ShieldRecord is P15: the recogniser takes its record out of publicity while the court's plan runs (屏蔽). Its dates stay.
func ShieldRecord(ctx *x.Ctx, m *pb.ShieldRecord) (x.Done, error) {
	d, p, done, err := ofPlan(ctx, m.Issuer, m.Record, m.Plan)
	if err != nil {
		return done, err
	}
	switch {
	case d.State == pb.RECORD_SHIELDED && bytes.Equal(d.Plan, m.Plan):
		done.Note = x.AlreadyRecorded
		return done, nil
	case d.State != pb.RECORD_PUBLISHED:
		return done, ErrState.With("the record is %s", d.State)
	case p.State != pb.COURT_PLAN_RUNNING:
		return done, ErrPlan.With("the plan has ended: %s", p.State)
	}
	d.State, d.Plan = pb.RECORD_SHIELDED, p.Id
	put(ctx, d)
	return done, nil
}

// EndShield is P16: the court has ended the plan. Carried out, the record is repaired; failed, it is back in publicity with the dates that it had, or has
// expired meanwhile. A record that the plan covers and nobody had shielded is repaired by a plan that was carried out as well.
func EndShield(ctx *x.Ctx, m *pb.EndShield) (x.Done, error) {
	d, p, done, err := ofPlan(ctx, m.Issuer, m.Record, m.Plan)
	if err != nil {
		return done, err
	}
	shielded := d.State == pb.RECORD_SHIELDED && bytes.Equal(d.Plan, m.Plan)
	switch {
	case p.State == pb.COURT_PLAN_COMPLETED && StateOf(d) == pb.RECORD_REPAIRED && bytes.Equal(d.Plan, m.Plan),
		p.State == pb.COURT_PLAN_FAILED && d.State == pb.RECORD_PUBLISHED:
		done.Note = x.AlreadyRecorded
		return done, nil
	case p.State == pb.COURT_PLAN_RUNNING:
		return done, ErrPlan.With("the plan runs: its end is filed first")
	case !shielded && !(d.State == pb.RECORD_PUBLISHED && p.State == pb.COURT_PLAN_COMPLETED):
		return done, ErrState.With("the record is %s, and this plan does not shield it", d.State)
	}
	switch {
	case p.State == pb.COURT_PLAN_COMPLETED:
		d.State, d.EndedOn, d.Plan = pb.RECORD_REPAIRED, int32(ctx.Today), p.Id
	case int32(ctx.Today) > d.MaxUntil && !d.Extended:
		d.State, d.EndedOn = pb.RECORD_EXPIRED, int32(ctx.Today)
	default:
		d.State = pb.RECORD_PUBLISHED
	}
	put(ctx, d)
	return done, nil
}

// ofPlan finds a record that its issuer decides on and the plan that covers it.
func ofPlan(ctx *x.Ctx, issuer string, record, plan []byte) (*pb.Dishonesty, *pb.CourtPlan, x.Done, error) {
	d, done, err := ofIssuer(ctx, issuer, record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return nil, nil, done, err
	}
	p, ok := GetPlan(ctx, plan)
	if !ok || p.Subject != Of(d).Subject {
		return nil, nil, done, ErrPlan.With("subject %s has no plan %x", Of(d).Subject, plan)
	}
	if !Covers(p, d) {
		return nil, nil, done, ErrPlan.With("the court ruled on %s, before the decision of %s", calendar.Date(p.RuledOn), calendar.Date(Of(d).DecidedOn))
	}
	return d, p, done, nil
}

// missedShield is what the clock does when the day of what a plan lays on recognisers has passed.
func missedShield(ctx *x.Ctx, kind x.DutyKind, uscc string, id []byte) {
	p, ok := plans.Get(ctx, uscc, id)
	if !ok {
		x.Faultf("a timer speaks of plan %x, which is not there", id)
	}
	missed := 0
	for _, duty := range DutiesOfPlan(p) {
		if duty.Kind == kind && !duty.Alarmed && duty.Due < ctx.Today {
			subject.RaiseMissed(ctx, duty)
			party(p, duty.Owner).Missed = true
			missed++
		}
	}
	if missed == 0 {
		x.Faultf("a timer speaks of duty %d of plan %x, which is not open", kind, id)
	}
	putPlan(ctx, p)
}

// checkPlans holds that each board counts what is there, that one plan at most runs for a subject, and that the indexes follow.
func checkPlans(r x.Reader) (err error) {
	plans.All(r, func(uscc string, p *pb.CourtPlan) bool {
		want := &pb.CourtPlan{}
		Each(r, uscc, func(d *pb.Dishonesty) bool {
			if p.State == pb.COURT_PLAN_RUNNING && Public(d) && Covers(p, d) {
				party(want, Of(d).Issuer).Open++
			}
			if d.State == pb.RECORD_SHIELDED && bytes.Equal(d.Plan, p.Id) {
				party(want, Of(d).Issuer).Shielded++
			}
			return true
		})
		for i := range p.Parties {
			q, have := party(want, p.Parties[i].Recogniser), p.Parties[i]
			if have.Open != q.Open || have.Shielded != q.Shielded {
				err = fmt.Errorf("SHD-1: plan %x counts %d and %d records of %s, there are %d and %d", p.Id, have.Open, have.Shielded, q.Recogniser, q.Open, q.Shielded)
			}
		}
		if err == nil && len(want.Parties) != len(p.Parties) {
			err = fmt.Errorf("SHD-1: plan %x does not name all whose records it touches", p.Id)
		}
		return err == nil
	})
	return err
}
