package inspection

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// CheckPlan refuses what is wrong whatever the state.
func CheckPlan(m *pb.PlanInspection) error {
	if err := x.CheckUSCC(m.Issuer, "issuer"); err != nil {
		return err
	}
	if err := x.CheckToken(m.PlanNo, "plan_no", false); err != nil {
		return err
	}
	if len(m.Rates) != classes || !slices.IsSorted(m.Rates) || m.Rates[classes-1] > 1000 || m.Rates[classes-1] == 0 {
		return ErrForm.With("the rates of classes 1 to 4 are four, not descending, of 0 to 1000 permille, and not all 0")
	}
	if m.Team < 1 || m.Team > teamMax || m.Inspectors < m.Team || m.Inspectors > inspectorsMax {
		return ErrForm.With("a team has 1 to %d inspectors, and a roster of at most %d fills it", teamMax, inspectorsMax)
	}
	if err := x.CheckDate(m.DrawOn, "draw_on", false); err != nil {
		return err
	}
	if err := x.CheckDate(m.Until, "until", false); err != nil {
		return err
	}
	if m.Until < m.DrawOn {
		return ErrForm.With("results until %s, drawn on %s", calendar.Date(m.Until), calendar.Date(m.DrawOn))
	}
	return x.CheckDigest(m.RosterDigest, "roster_digest", false)
}

// Plan is I1.
func Plan(ctx *x.Ctx, m *pb.PlanInspection) (x.Done, error) {
	if err := CheckPlan(m); err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: PlanID(m.Issuer, m.PlanNo)}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return done, err
	}
	p := &pb.InspectionPlan{
		Id: done.Record, Issuer: m.Issuer, PlanNo: m.PlanNo, Rates: m.Rates, DrawOn: m.DrawOn, Until: m.Until, Inspectors: m.Inspectors, Team: m.Team,
		RosterDigest: m.RosterDigest, State: pb.PLAN_OPEN,
	}
	if old, ok := GetPlan(ctx, p.Id); ok {
		if slices.Equal(old.Rates, p.Rates) && old.DrawOn == p.DrawOn && old.Until == p.Until && old.Inspectors == p.Inspectors && old.Team == p.Team &&
			bytes.Equal(old.RosterDigest, p.RosterDigest) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("plan %s of %s stands with other content", m.PlanNo, m.Issuer)
	}
	if m.DrawOn <= int32(ctx.Today) {
		return done, ErrForm.With("the draw is on %s, which is not after today (%s)", calendar.Date(m.DrawOn), ctx.Today)
	}
	putPlan(ctx, p)
	return done, nil
}

// ofIssuer finds a plan that its agency works on.
func ofIssuer(ctx *x.Ctx, issuer string, id []byte, role pb.Role) (*pb.InspectionPlan, x.Done, error) {
	done := x.Done{Record: id}
	p, ok := GetPlan(ctx, id)
	if !ok {
		return nil, x.Done{}, ErrUnknown
	}
	if p.Issuer != issuer {
		return nil, done, x.ErrNotIssuer.With("the plan is of another agency than %s", issuer)
	}
	_, err := member.ActOn(ctx, issuer, role, pb.MANDATE_UNSET)
	return p, done, err
}

// Add is I2. A candidate that stands with its class already is passed over.
func Add(ctx *x.Ctx, m *pb.AddCandidates) (x.Done, error) {
	if len(m.Candidates) == 0 || len(m.Candidates) > pb.CandidatesMax {
		return x.Done{}, x.ErrTooMany.With("%d candidates in a message, 1 to %d are allowed", len(m.Candidates), pb.CandidatesMax)
	}
	p, done, err := ofIssuer(ctx, m.Issuer, m.Plan, pb.ROLE_RECORD)
	if err != nil {
		return done, err
	}
	if p.State != pb.PLAN_OPEN {
		return done, ErrState.With("the plan is %s: nobody changes its list any more", p.State)
	}
	before := p.Candidates
	for i := range m.Candidates {
		c := &m.Candidates[i]
		if c.Class < 1 || c.Class > classes {
			return done, ErrCandidate.With("candidate %d has class %d", i, c.Class)
		}
		if err := subject.Enrolled(ctx, c.Subject); err != nil {
			return done, err
		}
		if old, ok := candidates.Get(ctx, p.Id, []byte(c.Subject)); ok {
			if old.Class != c.Class && old.Class != classOf(ctx, c) {
				return done, ErrCandidate.With("candidate %s stands with class %d", c.Subject, old.Class)
			}
			continue
		}
		if err := subject.HasRoom(ctx, c.Subject, p.Issuer); err != nil {
			return done, err
		}
		row := *c
		row.Class = classOf(ctx, c)
		candidates.Put(ctx, &row, p.Id, []byte(c.Subject))
		p.Candidates++
	}
	if p.Candidates > candidatesMax {
		return done, x.ErrTooMany.With("the plan would have %d candidates, at most %d", p.Candidates, candidatesMax)
	}
	if p.Candidates == before {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	putPlan(ctx, p)
	return done, nil
}

// classOf is the class in which a candidate stands: that which the agency names, raised while the subject is under attention (积累关注). What draws it is
// recorded with the list, so that anybody can draw again.
func classOf(ctx *x.Ctx, c *pb.Candidate) uint32 {
	if !sanction.UnderAttention(ctx, c.Subject) {
		return c.Class
	}
	return min(classes, c.Class+uint32(catalog.Int(ctx, "attention_effect")))
}

// Seal is I3.
func Seal(ctx *x.Ctx, m *pb.SealPlan) (x.Done, error) {
	p, done, err := ofIssuer(ctx, m.Issuer, m.Plan, pb.ROLE_REVIEW)
	if err != nil {
		return done, err
	}
	switch {
	case p.State == pb.PLAN_SEALED:
		done.Note = x.AlreadyRecorded
		return done, nil
	case p.State != pb.PLAN_OPEN:
		return done, ErrState.With("the plan is %s", p.State)
	case p.Candidates == 0:
		return done, ErrState.With("the plan has no candidates")
	case p.DrawOn <= int32(ctx.Today):
		return done, ErrState.With("the day of the draw, %s, is not after today (%s): what is sealed now could be drawn in the same block", calendar.Date(p.DrawOn), ctx.Today)
	}
	digest := ListDigest(Candidates(ctx, p.Id))
	p.State, p.ListDigest = pb.PLAN_SEALED, digest[:]
	putPlan(ctx, p)
	return done, nil
}

// Lot is I4, by timer: the draw, with the hash of this block as its seed.
func Lot(ctx *x.Ctx, id []byte) {
	p, ok := GetPlan(ctx, id)
	if !ok || p.State != pb.PLAN_SEALED {
		x.Faultf("a timer speaks of inspection plan %x, which is not sealed", id)
	}
	p.Seed, p.DrawnAt = bytes.Clone(ctx.BlockHash), ctx.Height
	drawn := Redraw(ctx, p)
	p.State, p.Drawn, p.Results = pb.PLAN_DRAWN, uint32(len(drawn)), make([]uint32, resultsCount)
	if len(drawn) == 0 {
		p.State = pb.PLAN_COMPLETED
	}
	for _, d := range drawn {
		subject.Added(ctx, d.Subject, p.Issuer, 1)
		put(ctx, &pb.Inspection{
			Id: ID(p.Issuer, p.Id, d.Subject), Plan: p.Id, Subject: d.Subject, Issuer: p.Issuer, Class: d.Class, Team: d.Team,
			DrawnOn: int32(ctx.Today), Until: p.Until,
		})
	}
	putPlan(ctx, p)
}

// Cancel is I5.
func Cancel(ctx *x.Ctx, m *pb.CancelPlan) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	p, done, err := ofIssuer(ctx, m.Issuer, m.Plan, pb.ROLE_REVIEW)
	if err != nil {
		return done, err
	}
	switch p.State {
	case pb.PLAN_OPEN, pb.PLAN_SEALED:
	case pb.PLAN_CANCELLED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("the plan is %s: what was drawn is inspected", p.State)
	}
	p.State, p.ReasonDigest = pb.PLAN_CANCELLED, m.ReasonDigest
	putPlan(ctx, p)
	return done, nil
}

// Record is I6.
func Record(ctx *x.Ctx, m *pb.RecordInspection) (x.Done, error) {
	if m.Result < pb.INSPECTION_CLEAN || int(m.Result) > resultsCount {
		return x.Done{}, ErrResult.With("result %d is not defined", m.Result)
	}
	if err := x.CheckDate(m.InspectedOn, "inspected_on", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.FindingsDigest, "findings_digest", false); err != nil {
		return x.Done{}, err
	}
	p, done, err := ofIssuer(ctx, m.Issuer, m.Plan, pb.ROLE_RECORD)
	if err != nil {
		return done, err
	}
	if p.State != pb.PLAN_DRAWN && p.State != pb.PLAN_COMPLETED {
		return done, ErrState.With("the plan is %s", p.State)
	}
	id := ID(p.Issuer, p.Id, m.Subject)
	i, ok := Find(ctx, id)
	if !ok {
		return done, ErrNotDrawn
	}
	done.Record = id
	if i.Result != pb.INSPECTION_UNSET {
		if i.Result == m.Result && i.InspectedOn == m.InspectedOn && bytes.Equal(i.FindingsDigest, m.FindingsDigest) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("the inspection stands with another result")
	}
	if m.InspectedOn < i.DrawnOn || m.InspectedOn > int32(ctx.Today) {
		return done, ErrResult.With("inspected on %s; drawn on %s, today is %s", calendar.Date(m.InspectedOn), calendar.Date(i.DrawnOn), ctx.Today)
	}
	i.Result, i.InspectedOn, i.FindingsDigest = m.Result, m.InspectedOn, m.FindingsDigest
	put(ctx, i)
	p.Results[m.Result-1]++
	reported := uint32(0)
	for _, n := range p.Results {
		reported += n
	}
	if reported == p.Drawn {
		p.State = pb.PLAN_COMPLETED
	}
	putPlan(ctx, p)
	return done, nil
}

// Missed is what the clock of an inspection does when its last day has passed: it raises the alarm.
func Missed(ctx *x.Ctx, uscc string, id []byte) {
	i, ok := inspections.Get(ctx, uscc, id)
	if !ok || len(DutiesOf(i)) == 0 {
		x.Faultf("a timer speaks of inspection %x, which is not open", id)
	}
	subject.RaiseMissed(ctx, DutiesOf(i)[0])
	i.Alarms |= alarmInspect
	put(ctx, i)
}
