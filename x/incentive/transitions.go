package incentive

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// CheckPropose refuses what is wrong whatever the state.
func CheckPropose(m *pb.ProposeIncentive) error {
	if err := x.CheckUSCC(m.Issuer, "issuer"); err != nil {
		return err
	}
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if err := x.CheckToken(m.List, "list", false); err != nil {
		return err
	}
	if err := x.CheckToken(m.ProposalNo, "proposal_no", false); err != nil {
		return err
	}
	return x.CheckDigest(m.GroundsDigest, "grounds_digest", false)
}

// Propose is N1.
func Propose(ctx *x.Ctx, m *pb.ProposeIncentive) (x.Done, error) {
	if err := CheckPropose(m); err != nil {
		return x.Done{}, err
	}
	id := ID(m.Issuer, m.ProposalNo, m.Subject)
	done := x.Done{Record: id[:]}
	issuer, err := member.Act(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	if old, ok := Get(ctx, id[:]); ok {
		if old.List == m.List && bytes.Equal(old.GroundsDigest, m.GroundsDigest) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("proposal %s for %s stands with other content", m.ProposalNo, m.Subject)
	}
	s, err := subject.Require(ctx, m.Subject)
	if err != nil {
		return done, err
	}
	list, ok := catalog.IncentiveListOn(ctx, m.List, ctx.Today)
	if !ok {
		return done, ErrNoList.With("list %s is not in force on %s", m.List, ctx.Today)
	}
	if list.System != "" && issuer.System != list.System {
		return done, member.ErrCompetence.With("list %s is kept by agencies of system %s, %s is of %q", list.Code, list.System, issuer.Uscc, issuer.System)
	}
	holds := func(c *pb.Competence) bool { return slices.Contains(c.Incentives, list.Code) }
	if err := member.CompetentFor(issuer, catalog.Ancestors(ctx, s.Region), "incentive list "+list.Code, holds, "", ctx.Today, ""); err != nil {
		return done, err
	}
	i := &pb.Incentive{
		Id: id[:], Subject: m.Subject, Issuer: m.Issuer, List: list.Code, Version: list.Version, ProposalNo: m.ProposalNo,
		GroundsDigest: m.GroundsDigest, State: pb.INCENTIVE_PROPOSED, ProposedOn: int32(ctx.Today),
	}
	if Suspended(ctx, i) {
		return done, ErrExcluded
	}
	if err := subject.Admit(ctx, m.Subject, 1); err != nil {
		return done, err
	}
	put(ctx, nil, i)
	return done, nil
}

// ofIssuer finds an incentive that its recogniser decides on, itself or through the agency that carries on its powers.
func ofIssuer(ctx *x.Ctx, issuer string, id []byte) (*pb.Incentive, x.Done, error) {
	if _, err := member.ActOn(ctx, issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return nil, x.Done{}, err
	}
	i, ok := Get(ctx, id)
	if !ok || i.Issuer != issuer && !member.Decides(ctx, i.Issuer) && !(Visible(i) && !Suspended(ctx, i)) { // not told of: as if it were not (INV-03)
		return nil, x.Done{}, ErrUnknown.With("no incentive has id %x", id)
	}
	done := x.Done{Record: id}
	if i.Issuer != issuer {
		return nil, done, x.ErrNotIssuer.With("the incentive is another agency's than %s", issuer)
	}
	return i, done, nil
}

// Notice is N2.
func Notice(ctx *x.Ctx, m *pb.NoticeIncentive) (x.Done, error) {
	i, done, err := ofIssuer(ctx, m.Issuer, m.Incentive)
	switch {
	case err != nil:
		return done, err
	case undecided(i):
		done.Note = x.AlreadyRecorded
		return done, nil
	case i.State != pb.INCENTIVE_PROPOSED:
		return done, ErrState
	case Suspended(ctx, i):
		return done, ErrExcluded
	}
	now := *i
	until := catalog.LastDay(ctx, ctx.Today.AddDays(int(catalog.Int(ctx, "incentive_notice_days"))))
	now.State, now.NoticedOn, now.NoticeUntil, now.DecideBy = pb.INCENTIVE_NOTICED, int32(ctx.Today), int32(until), decideBy(ctx, until)
	put(ctx, i, &now)
	return done, nil
}

// Recognise is N4.
func Recognise(ctx *x.Ctx, m *pb.RecogniseIncentive) (x.Done, error) {
	if err := x.CheckDate(m.ValidUntil, "valid_until", false); err != nil {
		return x.Done{}, err
	}
	i, done, err := ofIssuer(ctx, m.Issuer, m.Incentive)
	if err != nil {
		return done, err
	}
	if i.State == pb.INCENTIVE_RECOGNISED && i.ValidUntil == m.ValidUntil {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !undecided(i) {
		return done, ErrState
	}
	list := listOf(ctx, i)
	switch until := calendar.Date(i.NoticeUntil); {
	case ctx.Today <= until:
		return done, ErrNotice.With("the public notice runs until %s", until).On(until + 1)
	case i.Objections > 0:
		return done, ErrObjected
	case Suspended(ctx, i):
		return done, ErrExcluded
	case m.ValidUntil <= int32(ctx.Today):
		return done, ErrTerm.With("valid until %s, recognised on %s", calendar.Date(m.ValidUntil), ctx.Today)
	case list.TermMonths != 0 && calendar.Date(m.ValidUntil) > ctx.Today.AddMonths(int(list.TermMonths)):
		return done, ErrTerm.With("valid until %s; list %s lets it stand for %d months, until %s", calendar.Date(m.ValidUntil), list.Code, list.TermMonths, ctx.Today.AddMonths(int(list.TermMonths)))
	}
	late(ctx, i)
	now := *i
	now.State, now.DecidedOn, now.ValidUntil, now.DecideBy = pb.INCENTIVE_RECOGNISED, int32(ctx.Today), m.ValidUntil, 0
	put(ctx, i, &now)
	return done, nil
}

// Decline is N5. An objection that is open is resolved by it: what it is against is withdrawn.
func Decline(ctx *x.Ctx, m *pb.DeclineIncentive) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	i, done, err := ofIssuer(ctx, m.Issuer, m.Incentive)
	switch {
	case err != nil:
		return done, err
	case i.State == pb.INCENTIVE_DECLINED && bytes.Equal(i.ReasonDigest, m.ReasonDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	case i.State != pb.INCENTIVE_PROPOSED && !undecided(i):
		return done, ErrState
	}
	late(ctx, i)
	now := *i
	now.State, now.DecidedOn, now.DecideBy, now.ReasonDigest = pb.INCENTIVE_DECLINED, int32(ctx.Today), 0, m.ReasonDigest
	put(ctx, i, &now)
	return done, nil
}

// Expire is N6, by timer.
func Expire(ctx *x.Ctx, id []byte) {
	i, ok := Get(ctx, id[18:])
	if !ok || i.State != pb.INCENTIVE_RECOGNISED {
		x.Faultf("a timer speaks of incentive %x, which does not stand", id)
	}
	now := *i
	now.State, now.EndedOn = pb.INCENTIVE_EXPIRED, int32(ctx.Today)
	put(ctx, i, &now)
}

// Cancel is N7.
func Cancel(ctx *x.Ctx, m *pb.CancelIncentive) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes || m.Cause < pb.CANCEL_DISHONESTY || m.Cause > pb.CANCEL_ERROR {
		return x.Done{}, ErrReason
	}
	i, done, err := ofIssuer(ctx, m.Issuer, m.Incentive)
	switch {
	case err != nil:
		return done, err
	case i.State == pb.INCENTIVE_CANCELLED && i.Cause == m.Cause && bytes.Equal(i.ReasonDigest, m.ReasonDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	case i.State != pb.INCENTIVE_RECOGNISED:
		return done, ErrState
	}
	now := *i
	now.State, now.EndedOn, now.Cause, now.ReasonDigest = pb.INCENTIVE_CANCELLED, int32(ctx.Today), m.Cause, m.ReasonDigest
	put(ctx, i, &now)
	return done, nil
}

// Use is N8. Who does not recognise the subject learns of an incentive that does not show no more than that there is none.
func Use(ctx *x.Ctx, m *pb.UseIncentive) (x.Done, error) {
	for _, t := range []struct{ s, field string }{{m.UseNo, "use_no"}, {m.Scene, "scene"}} {
		if err := x.CheckToken(t.s, t.field, false); err != nil {
			return x.Done{}, err
		}
	}
	if err := x.CheckDigest(m.ResultDigest, "result_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	i, ok := Get(ctx, m.Incentive)
	if !ok {
		return x.Done{}, ErrUnknown.With("no incentive that is in force has id %x", m.Incentive)
	}
	id := UseID(m.Issuer, m.UseNo, i.Subject)
	done := x.Done{Record: i.Id}
	use := &pb.IncentiveUse{
		Id: id[:], Incentive: i.Id, Subject: i.Subject, User: m.Issuer, UseNo: m.UseNo, Measure: m.Measure, Scene: m.Scene, ResultDigest: m.ResultDigest,
		UsedOn: int32(ctx.Today),
	}
	key := append(bytes.Clone(i.Id), id[:]...)
	if old, ok := uses.Get(ctx, i.Subject, key); ok {
		if old.Measure == use.Measure && old.Scene == use.Scene && bytes.Equal(old.ResultDigest, use.ResultDigest) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("use %s stands with other content", m.UseNo)
	}
	switch {
	case i.State != pb.INCENTIVE_RECOGNISED || Suspended(ctx, i):
		return x.Done{}, ErrUnknown.With("no incentive that is in force has id %x", m.Incentive)
	case !slices.Contains(listOf(ctx, i).Measures, pb.IncentiveMeasure(m.Measure)):
		return done, ErrMeasure.With("list %s does not bring measure %d", i.List, m.Measure)
	}
	if err := subject.Admit(ctx, i.Subject, 1); err != nil {
		return done, err
	}
	uses.PutAside(ctx, i.Subject, key, use)
	now := *i
	now.Uses++
	put(ctx, i, &now)
	return done, nil
}

// Missed is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func Missed(ctx *x.Ctx, uscc string, id []byte) {
	i, ok := incentives.Get(ctx, uscc, id)
	if !ok || len(DutiesOf(i)) == 0 {
		x.Faultf("a timer speaks of incentive %x, on which nothing is to be decided", id)
	}
	old := *i
	subject.RaiseMissed(ctx, DutiesOf(i)[0])
	i.Alarms |= alarmDecide
	put(ctx, &old, i)
}

// late raises the alarm of a decision whose day has passed and whose clock has not come to it yet, before it is made.
func late(ctx *x.Ctx, i *pb.Incentive) {
	for _, d := range DutiesOf(i) {
		if !d.Alarmed && d.Due != 0 && d.Due < ctx.Today {
			subject.RaiseMissed(ctx, d)
		}
	}
}
