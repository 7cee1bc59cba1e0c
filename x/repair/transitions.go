package repair

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// CheckApply refuses what is wrong whatever the state.
func CheckApply(m *pb.ApplyRepair) error {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if err := x.CheckDigest(m.Target, "target", false); err != nil {
		return err
	}
	if err := x.CheckToken(m.ApplicationNo, "application_no", false); err != nil {
		return err
	}
	if err := x.CheckDigest(m.MaterialsDigest, "materials_digest", false); err != nil {
		return err
	}
	if len(m.PaperDigest) != pb.DigestBytes {
		return ErrPaper
	}
	if !m.DutiesDone {
		return ErrDuties
	}
	return nil
}

// Apply is R1: the subject, through an agent, with its signed paper.
func Apply(ctx *x.Ctx, m *pb.ApplyRepair) (x.Done, error) {
	if err := CheckApply(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	target, ok := sanction.Get(ctx, m.Target)
	if !ok || sanction.Of(target).Subject != m.Subject {
		return x.Done{}, sanction.ErrUnknown.With("subject %s has no record %x", m.Subject, m.Target)
	}
	id := ID(sanction.Of(target).Issuer, m.ApplicationNo, m.Subject, m.Target)
	done := x.Done{Record: id[:]}
	if old, ok := Get(ctx, id[:]); ok {
		if old.Commitment == m.Commitment && bytes.Equal(old.MaterialsDigest, m.MaterialsDigest) && old.Agent == m.Issuer {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("application %s stands with other content", m.ApplicationNo)
	}
	if until, barred := Barred(ctx, m.Subject, ctx.Today); barred {
		return done, ErrBar.With("no application of %s is taken until %s", m.Subject, until).On(until.AddDays(1))
	}
	if err := checkTarget(ctx, target); err != nil {
		return done, err
	}
	if err := checkCommitment(ctx, target, m.Commitment); err != nil {
		return done, err
	}
	if open, ok := x.Peek(ctx, x.Key(openOn.Prefix, m.Target)); ok {
		return done, ErrState.With("application %x on this record is open", open)
	}
	cal := catalog.Calendar(ctx)
	put(ctx, &pb.Repair{
		Id: id[:], Subject: m.Subject, Target: m.Target, ApplicationNo: m.ApplicationNo, Commitment: m.Commitment,
		AppliedOn: int32(ctx.Today), State: pb.REPAIR_PENDING, MaterialsDigest: m.MaterialsDigest,
		Issuer: sanction.Of(target).Issuer, Agent: m.Issuer,
		AcceptBy: int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "repair_accept_wd")))),
		TotalBy:  int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "repair_total_wd")))),
	})
	return done, nil
}

// checkTarget holds the conditions on the record: live, and past its shortest period. Apply and Approve both ask, so a date that moved or a
// clock that was wrong cannot slip through (INV-12).
func checkTarget(ctx *x.Ctx, p *pb.Dishonesty) error {
	if p.State != pb.RECORD_PUBLISHED && p.State != pb.RECORD_UNPUBLISHED {
		return ErrState.With("the record is neither published nor kept unpublished")
	}
	if min := calendar.Date(p.MinUntil); ctx.Today < min {
		return ErrMinPeriod.With("the record is published until %s at least; today is %s", min, ctx.Today).On(min)
	}
	return nil
}

// checkCommitment holds A3-3(3): a public type-4 commitment of the subject, accepted and in force. It came after the record: what the public saw before
// the record came must not leave with it (INV-03).
func checkCommitment(r x.Reader, target *pb.Dishonesty, code string) error {
	c, ok := commitment.Get(r, code)
	switch {
	case !ok || c.Content.Subject != sanction.Of(target).Subject:
		return ErrCommitment.With("%s has no commitment %q", sanction.Of(target).Subject, code)
	case c.Content.Type != 4:
		return ErrCommitment.With("commitment %s is of type %d", code, c.Content.Type)
	case !commitment.Public(c):
		return ErrCommitment.With("commitment %s is not public", code)
	case c.State != pb.COMMITMENT_SUPERVISED:
		return ErrCommitment.With("commitment %s is not in force", code)
	case c.Content.MadeOn < sanction.Of(target).DecidedOn || c.RecordedOn < target.RecordedOn:
		return ErrCommitment.With("commitment %s is older than the record", code)
	}
	return nil
}

// Accept is R4.
func Accept(ctx *x.Ctx, m *pb.AcceptRepair) (x.Done, error) {
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	switch a.State {
	case pb.REPAIR_PENDING:
	case pb.REPAIR_ACCEPTED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("the application is not pending")
	}
	a.State, a.AcceptedOn = pb.REPAIR_ACCEPTED, int32(ctx.Today)
	a.DecideBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "repair_decide_wd"))))
	put(ctx, a)
	return done, nil
}

// Supplement is R2: one list of gaps, once.
func Supplement(ctx *x.Ctx, m *pb.SupplementRepair) (x.Done, error) {
	if err := x.CheckDigest(m.GapsDigest, "gaps_digest", false); err != nil {
		return x.Done{}, err
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	if a.State != pb.REPAIR_PENDING || a.Supplemented {
		return done, ErrSupplement.With("gaps are listed once, while the application is pending")
	}
	a.State, a.Supplemented, a.GapsDigest = pb.REPAIR_SUPPLEMENT, true, m.GapsDigest
	a.SupplementBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "supplement_window_wd"))))
	put(ctx, a)
	return done, nil
}

// Refile is R3, by the agent.
func Refile(ctx *x.Ctx, m *pb.RefileRepair) (x.Done, error) {
	if err := x.CheckDigest(m.MaterialsDigest, "materials_digest", false); err != nil {
		return x.Done{}, err
	}
	a, ok := Get(ctx, m.Repair)
	if !ok {
		return x.Done{}, ErrUnknown.With("no application has id %x", m.Repair)
	}
	done := x.Done{Record: m.Repair}
	if a.Agent != m.Issuer {
		return done, x.ErrNotIssuer.With("the application was filed by another agent than %s", m.Issuer)
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
		return done, err
	}
	if a.State != pb.REPAIR_SUPPLEMENT {
		return done, ErrSupplement.With("no gaps are open on this application")
	}
	if int32(ctx.Today) > a.SupplementBy { // the timer has not come to it yet
		return done, ErrSupplement.With("the gaps were to be filled by %s", calendar.Date(a.SupplementBy))
	}
	a.State, a.MaterialsDigest = pb.REPAIR_PENDING, m.MaterialsDigest
	a.AcceptBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "repair_accept_wd"))))
	put(ctx, a)
	return done, nil
}

// RefileMissed is R9, by timer: the gaps were not filled in time.
func RefileMissed(ctx *x.Ctx, id []byte) {
	a, ok := repairs.Get(ctx, string(id[:18]), id[18:])
	if !ok || a.State != pb.REPAIR_SUPPLEMENT {
		x.Faultf("a timer speaks of repair %x, which has no gaps open", id[18:])
	}
	// The list of gaps, told to the applicant, is the reason (INV-32).
	a.State, a.DecidedOn, a.ReasonDigest = pb.REPAIR_NOT_ACCEPTED, int32(ctx.Today), a.GapsDigest
	put(ctx, a)
}

// Approve is R6: the repair takes effect in this block.
func Approve(ctx *x.Ctx, m *pb.ApproveRepair) (x.Done, error) {
	if err := x.CheckToken(m.DecisionNo, "decision_no", true); err != nil {
		return x.Done{}, err
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	switch a.State {
	case pb.REPAIR_ACCEPTED:
	case pb.REPAIR_EFFECTIVE:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("the application is not accepted")
	}
	if !m.DutiesVerified {
		return done, ErrDuties.With("the recogniser has not verified that the duties are done")
	}
	target, ok := sanction.Get(ctx, a.Target)
	if !ok {
		x.Faultf("repair %x speaks of a record that is not there", a.Id)
	}
	if err := checkTarget(ctx, target); err != nil {
		return done, err
	}
	if err := checkCommitment(ctx, target, a.Commitment); err != nil {
		return done, err
	}
	a.State, a.DecidedOn, a.DecisionNo = pb.REPAIR_EFFECTIVE, int32(ctx.Today), m.DecisionNo
	put(ctx, a)
	sanction.Repaired(ctx, target)
	commitment.Hide(ctx, a.Commitment)
	return done, nil
}

// Refuse is R5 before acceptance and R7 after it.
func Refuse(ctx *x.Ctx, m *pb.RefuseRepair) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	switch a.State {
	case pb.REPAIR_PENDING:
		a.State = pb.REPAIR_NOT_ACCEPTED
	case pb.REPAIR_ACCEPTED:
		a.State = pb.REPAIR_REFUSED
	default:
		return done, ErrState.With("the application is neither pending nor accepted")
	}
	a.DecidedOn, a.ReasonDigest = int32(ctx.Today), m.ReasonDigest
	put(ctx, a)
	return done, nil
}

// Revoke is R8: the repair was obtained by deceit.
func Revoke(ctx *x.Ctx, m *pb.RevokeRepair) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	if err := x.CheckDate(m.NoticeServedOn, "notice_served_on", false); err != nil {
		return x.Done{}, err
	}
	if m.Statement != 1 && m.Statement != 2 {
		return x.Done{}, ErrNotice.With("statement (陈述申辩) is heard or waived")
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	switch a.State {
	case pb.REPAIR_EFFECTIVE:
	case pb.REPAIR_REVOKED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("the application is not in effect")
	}
	if m.NoticeServedOn > int32(ctx.Today) || m.NoticeServedOn < a.DecidedOn {
		return done, ErrNotice.With("notice served on %s; the repair took effect on %s, today is %s",
			calendar.Date(m.NoticeServedOn), calendar.Date(a.DecidedOn), ctx.Today)
	}
	target, ok := sanction.Get(ctx, a.Target)
	if !ok || target.State != pb.RECORD_REPAIRED {
		x.Faultf("repair %x is in effect, its record is not repaired", a.Id)
	}
	a.State, a.RevokedOn, a.ReasonDigest = pb.REPAIR_REVOKED, int32(ctx.Today), m.ReasonDigest
	put(ctx, a)
	sanction.Restore(ctx, target)
	commitment.Show(ctx, a.Commitment)
	bars.Put(ctx, a.Subject, a.Id, &pb.RepairBar{
		Subject: a.Subject, Since: int32(ctx.Today), Repair: a.Id,
		Until: int32(ctx.Today.AddMonths(int(catalog.Int(ctx, "repair_false_bar_months")))),
	})
	return done, nil
}

// ofIssuer finds an application on which the signer's own agency decides. No mandate reaches it.
func ofIssuer(ctx *x.Ctx, issuer string, id []byte) (*pb.Repair, x.Done, error) {
	a, ok := Get(ctx, id)
	if !ok {
		return nil, x.Done{}, ErrUnknown.With("no application has id %x", id)
	}
	done := x.Done{Record: id}
	if a.Issuer != issuer {
		return nil, done, x.ErrNotIssuer.With("the record was issued by another agency than %s", issuer)
	}
	_, err := member.ActOn(ctx, issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	return a, done, err
}
