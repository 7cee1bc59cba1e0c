package repair

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// channels is the highest number of a channel (申请渠道).
const channels = 3

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
	if m.Channel > channels {
		return x.ErrEnum.With("channel %d is not defined", m.Channel)
	}
	if len(m.PaperDigest) != pb.DigestBytes {
		return ErrPaper
	}
	if !m.DutiesDone {
		return ErrDuties
	}
	return nil
}

// Apply is R1: the subject, through an agent, with its signed paper. An application over several records is a message for each, under one
// application number; each has an outcome of its own.
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
	if m.Emergency && !catalog.Bool(ctx, "emergency_repair") {
		return done, ErrEmergency
	}
	first := firstDay(ctx, target, ctx.Today)
	if err := checkTarget(ctx, target, first); err != nil {
		return done, err
	}
	if err := checkCommitment(ctx, target, m.Commitment); err != nil {
		return done, err
	}
	again, err := checkNewFacts(ctx, m)
	if err != nil {
		return done, err
	}
	if again {
		if err := subject.AdmitOwn(ctx, m.Subject, 1); err != nil {
			return done, err
		}
	}
	a := &pb.Repair{
		Id: id[:], Subject: m.Subject, Target: m.Target, ApplicationNo: m.ApplicationNo, Commitment: m.Commitment,
		AppliedOn: int32(ctx.Today), State: pb.REPAIR_PENDING, MaterialsDigest: m.MaterialsDigest, Issuer: sanction.Of(target).Issuer,
		Agent: m.Issuer, Channel: m.Channel, MinUntil: int32(first), Procedure: pb.REPAIR_ORDINARY,
	}
	switch {
	case m.Emergency:
		a.Procedure = pb.REPAIR_EMERGENCY
	case target.Class == pb.SEVERITY_MINOR && catalog.Int(ctx, "simple_repair_wd") > 0:
		a.Procedure = pb.REPAIR_SIMPLE
	}
	begin(ctx, a)
	put(ctx, a)
	return done, nil
}

// firstDay is the first day on which the rule in force on a day lets a repair of the record be applied for (D-1). The shortest publicity period counts
// from the decision; under the rule before Order 36 it was another one.
func firstDay(ctx *x.Ctx, d *pb.Dishonesty, on calendar.Date) calendar.Date {
	if on < catalog.Order36 {
		return calendar.Date(sanction.Of(d).DecidedOn).AddMonths(int(catalog.Int(ctx, "order58_min_months")))
	}
	return calendar.Date(d.MinUntil)
}

// begin sets the limits of an application that comes in today, for the first time or with its gaps filled.
func begin(ctx *x.Ctx, a *pb.Repair) {
	cal := catalog.Calendar(ctx)
	by := func(params ...string) int32 {
		n := 0
		for _, p := range params {
			n += int(catalog.Int(ctx, p))
		}
		return int32(cal.AddWorkingDays(ctx.Today, n))
	}
	total := by("repair_total_wd")
	switch a.Procedure {
	case pb.REPAIR_SIMPLE:
		a.AcceptBy = by("simple_repair_wd")
		a.DecideBy, total = a.AcceptBy, a.AcceptBy
	case pb.REPAIR_EMERGENCY:
		a.AcceptBy, total = by("emergency_accept_wd"), by("emergency_accept_wd", "emergency_decide_wd")
	default:
		a.AcceptBy = by("repair_accept_wd")
	}
	if a.SupplementedOn == 0 || a.Procedure == pb.REPAIR_SIMPLE {
		a.TotalBy = total
		return
	}
	// The days in which the applicant filled gaps are not the agency's: what was left of the whole limit is left.
	left := cal.WorkingDays(calendar.Date(a.SupplementedOn), calendar.Date(a.TotalBy))
	a.TotalBy = int32(cal.AddWorkingDays(ctx.Today, left))
}

// checkTarget holds the conditions on the record: live, and past its shortest period. Apply and Approve both ask, so a date that moved or a
// clock that was wrong cannot slip through (INV-12).
func checkTarget(ctx *x.Ctx, d *pb.Dishonesty, first calendar.Date) error {
	if !sanction.Repairable(d) {
		return ErrState.With("the record is neither published nor kept unpublished")
	}
	if ctx.Today < first {
		return ErrMinPeriod.With("the record is published until %s at least; today is %s", first, ctx.Today).On(first)
	}
	return nil
}

// checkCommitment holds A3-3(3): a public type-4 commitment of the subject, accepted and in force. It came after the record: what the public saw before
// the record came must not leave with it (INV-03).
func checkCommitment(r x.Reader, target *pb.Dishonesty, code string) error {
	c, ok := commitment.Get(r, code)
	switch {
	case code == "":
		return ErrCommitment.With("the application names no commitment")
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

// checkNewFacts holds that nothing waits on the record, and that after a refusal there is something new to decide on. again: the record was applied for
// before.
func checkNewFacts(r x.Reader, m *pb.ApplyRepair) (again bool, err error) {
	if open, ok := x.Peek(r, x.Key(openOn.Prefix, m.Target)); ok {
		return false, ErrState.With("application %x on this record is open", open)
	}
	repairs.Each(r, m.Subject, func(a *pb.Repair) bool {
		if !bytes.Equal(a.Target, m.Target) {
			return true
		}
		again = true
		refused := a.State == pb.REPAIR_REFUSED || a.State == pb.REPAIR_NOT_ACCEPTED
		if refused && bytes.Equal(a.MaterialsDigest, m.MaterialsDigest) {
			err = ErrSameFacts.With("application %s with the same materials was refused on %s", a.ApplicationNo, calendar.Date(a.DecidedOn))
		}
		return err == nil
	})
	return again, err
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
	late(ctx, a)
	cal, limit := catalog.Calendar(ctx), "repair_decide_wd"
	switch a.Procedure {
	case pb.REPAIR_EMERGENCY:
		limit = "emergency_decide_wd"
	case pb.REPAIR_SIMPLE: // whoever wants to look closer takes the ordinary procedure
		a.Procedure = pb.REPAIR_ORDINARY
		a.TotalBy = int32(cal.AddWorkingDays(calendar.Date(a.AppliedOn), int(catalog.Int(ctx, "repair_total_wd"))))
	}
	a.State, a.AcceptedOn = pb.REPAIR_ACCEPTED, int32(ctx.Today)
	a.DecideBy = int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, limit))))
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
	late(ctx, a)
	a.State, a.Supplemented, a.SupplementedOn, a.GapsDigest = pb.REPAIR_SUPPLEMENT, true, int32(ctx.Today), m.GapsDigest
	a.SupplementBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "supplement_window_wd"))))
	put(ctx, a)
	return done, nil
}

// Refile is R3, by the agent.
func Refile(ctx *x.Ctx, m *pb.RefileRepair) (x.Done, error) {
	if err := x.CheckDigest(m.MaterialsDigest, "materials_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	a, ok := Get(ctx, m.Repair)
	if !ok || a.Agent != m.Issuer && !told(ctx, a) {
		return x.Done{}, ErrUnknown.With("no application has id %x", m.Repair)
	}
	done := x.Done{Record: m.Repair}
	if a.Agent != m.Issuer {
		return done, x.ErrNotIssuer.With("the application was filed by another agent than %s", m.Issuer)
	}
	if a.State != pb.REPAIR_SUPPLEMENT {
		return done, ErrSupplement.With("no gaps are open on this application")
	}
	if int32(ctx.Today) > a.SupplementBy { // the timer has not come to it yet
		return done, ErrSupplement.With("the gaps were to be filled by %s", calendar.Date(a.SupplementBy))
	}
	a.State, a.MaterialsDigest = pb.REPAIR_PENDING, m.MaterialsDigest
	begin(ctx, a)
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

// Extend is R11: the case is complex or needs verification (案情复杂或需进行核查). Once, before the limit has passed.
func Extend(ctx *x.Ctx, m *pb.ExtendRepair) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	longest := catalog.Int(ctx, "repair_extension_wd")
	switch {
	case a.State != pb.REPAIR_ACCEPTED:
		return done, ErrState.With("the application is not accepted")
	case a.ExtendedOn != 0:
		return done, ErrExtension.With("the limit was extended on %s already", calendar.Date(a.ExtendedOn))
	case int32(ctx.Today) > a.DecideBy:
		return done, ErrExtension.With("the limit passed on %s", calendar.Date(a.DecideBy))
	case longest == 0:
		return done, ErrExtension.With("limits are not extended (parameter repair_extension_wd)")
	case m.Days == 0 || int64(m.Days) > longest:
		return done, ErrExtension.With("an extension has 1 to %d working days, not %d", longest, m.Days)
	}
	cal := catalog.Calendar(ctx)
	longer := func(d int32) int32 { return int32(cal.AddWorkingDays(calendar.Date(d), int(m.Days))) }
	a.DecideBy, a.TotalBy = longer(a.DecideBy), longer(a.TotalBy)
	a.ExtendedOn, a.ExtensionDigest = int32(ctx.Today), m.ReasonDigest
	put(ctx, a)
	return done, nil
}

// decidable says whether the application stands where it can be approved: accepted, or in the one step of the simple procedure.
func decidable(a *pb.Repair) bool {
	return a.State == pb.REPAIR_ACCEPTED || a.State == pb.REPAIR_PENDING && a.Procedure == pb.REPAIR_SIMPLE
}

// Approve is R6: the repair takes effect in this block.
func Approve(ctx *x.Ctx, m *pb.ApproveRepair) (x.Done, error) {
	if code.CheckDocNo(m.DecisionNo) != nil {
		if err := x.CheckToken(m.DecisionNo, "decision_no", false); err != nil {
			return x.Done{}, err
		}
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	if a.State == pb.REPAIR_EFFECTIVE {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !decidable(a) {
		return done, ErrState.With("the application is not accepted")
	}
	if !m.DutiesVerified {
		return done, ErrDuties.With("the recogniser has not verified that the duties are done")
	}
	target := targetOf(ctx, a)
	first := firstDay(ctx, target, calendar.Date(a.AppliedOn)) // of the decision as it stands: a correction may have moved it
	if err := checkTarget(ctx, target, first); err != nil {
		return done, err
	}
	if err := checkCommitment(ctx, target, a.Commitment); err != nil {
		return done, err
	}
	late(ctx, a)
	a.State, a.DecidedOn, a.DecisionNo = pb.REPAIR_EFFECTIVE, int32(ctx.Today), m.DecisionNo
	effect(ctx, a, target)
	return done, nil
}

// effect takes the record out of publicity and lays on the recogniser what follows from it.
func effect(ctx *x.Ctx, a *pb.Repair, target *pb.Dishonesty) {
	cal := catalog.Calendar(ctx)
	a.ExecuteBy, a.ExecutedOn = int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "repair_local_execution_wd")))), 0
	if elsewhere(ctx, a) {
		a.PushBy, a.PushedOn, a.PushDigest = int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "cross_province_push_wd")))), 0, nil
	}
	if months := catalog.Int(ctx, "repair_track_months"); months > 0 {
		a.TrackBy, a.TrackedOn, a.TrackResult, a.TrackDigest = int32(ctx.Today.AddMonths(int(months))), 0, 0, nil
	}
	sanction.Repaired(ctx, target)
	put(ctx, a)
}

// elsewhere says whether the firm is registered in another province than the recogniser acts in, by the region table (INV-43).
func elsewhere(ctx *x.Ctx, a *pb.Repair) bool {
	s, ok := subject.Get(ctx, a.Subject)
	issuer, known := member.Look(ctx, a.Issuer)
	if !ok || !known {
		x.Faultf("repair %x speaks of a firm or an agency that is not there", a.Id)
	}
	home := province(ctx, s.Region)
	for _, r := range issuer.Regions {
		if province(ctx, r) == home {
			return false
		}
	}
	return len(issuer.Regions) > 0
}

// province is the region above all others of a region.
func province(r x.Reader, region string) string {
	if up := catalog.Ancestors(r, region); len(up) > 0 {
		return up[len(up)-1]
	}
	return region
}

// Refuse is R5 before acceptance and R7 after it. A dishonest application bars others for a time, after notice (A3-11).
func Refuse(ctx *x.Ctx, m *pb.RefuseRepair) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	if m.Deceit != pb.DECEIT_NONE {
		if err := checkDeceit(m.Deceit, m.NoticeServedOn, m.Statement); err != nil {
			return x.Done{}, err
		}
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	to := pb.REPAIR_REFUSED
	switch a.State {
	case pb.REPAIR_PENDING:
		to = pb.REPAIR_NOT_ACCEPTED
	case pb.REPAIR_ACCEPTED:
	default:
		return done, ErrState.With("the application is neither pending nor accepted")
	}
	if m.Deceit != pb.DECEIT_NONE {
		if err := found(ctx, a, m.Deceit, m.NoticeServedOn, m.Statement, a.AppliedOn); err != nil {
			return done, err
		}
		bar(ctx, a)
	}
	late(ctx, a)
	a.State, a.DecidedOn, a.ReasonDigest = to, int32(ctx.Today), m.ReasonDigest
	put(ctx, a)
	return done, nil
}

// Revoke is R8: the repair was obtained by deceit, or its commitment broken on purpose.
func Revoke(ctx *x.Ctx, m *pb.RevokeRepair) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	if err := checkDeceit(m.Deceit, m.NoticeServedOn, m.Statement); err != nil {
		return x.Done{}, err
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
	if err := found(ctx, a, m.Deceit, m.NoticeServedOn, m.Statement, a.DecidedOn); err != nil {
		return done, err
	}
	late(ctx, a)
	a.State, a.RevokedOn, a.ReasonDigest = pb.REPAIR_REVOKED, int32(ctx.Today), m.ReasonDigest
	// What is in the archive comes back from there; what is destroyed cannot, and the bar alone remains.
	if target := targetOf(ctx, a); target.State == pb.RECORD_REPAIRED || target.State == pb.RECORD_ARCHIVED {
		sanction.Restore(ctx, target)
	}
	bar(ctx, a)
	put(ctx, a)
	return done, nil
}

// Reopen is R15: the recogniser finds an objection to its result founded. A refused application is decided anew, with its limits from today; a repair
// that was revoked takes effect again. A bar that rested on the result is lifted.
func Reopen(ctx *x.Ctx, m *pb.ReopenRepair) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	a, done, err := ofIssuer(ctx, m.Issuer, m.Repair)
	if err != nil {
		return done, err
	}
	target := targetOf(ctx, a)
	_, taken := x.Peek(ctx, x.Key(openOn.Prefix, a.Target))
	switch {
	case a.State != pb.REPAIR_REFUSED && a.State != pb.REPAIR_NOT_ACCEPTED && a.State != pb.REPAIR_REVOKED:
		return done, ErrState.With("the application was neither refused nor revoked")
	case !sanction.Repairable(target):
		return done, ErrState.With("the record is neither published nor kept unpublished")
	case taken:
		return done, ErrState.With("another application on this record is open")
	case a.Objections == 0:
		return done, ErrReopen
	}
	if err := subject.AdmitAgain(ctx, a.Subject, a.ReopenedOn == int32(ctx.Today)); err != nil {
		return done, err
	}
	if b, ok := bars.Get(ctx, a.Subject, a.Id); ok && b.LiftedOn == 0 {
		b.LiftedOn = int32(ctx.Today)
		bars.Put(ctx, a.Subject, a.Id, b)
	}
	revoked := a.State == pb.REPAIR_REVOKED
	a.ReopenedOn, a.ReasonDigest, a.Alarms = int32(ctx.Today), m.ReasonDigest, 0
	a.Deceit, a.NoticeServedOn, a.Statement, a.RevokedOn = pb.DECEIT_NONE, 0, 0, 0
	if revoked {
		a.State = pb.REPAIR_EFFECTIVE
		effect(ctx, a, target)
		return done, nil
	}
	a.State, a.AcceptedOn, a.DecideBy, a.DecidedOn, a.SupplementedOn = pb.REPAIR_PENDING, 0, 0, 0, 0
	begin(ctx, a)
	put(ctx, a)
	return done, nil
}

// checkDeceit refuses what is wrong whatever the state.
func checkDeceit(deceit pb.RepairDeceit, notice int32, statement uint32) error {
	if deceit < pb.DECEIT_MATERIALS || deceit > pb.DECEIT_BREACH {
		return x.ErrEnum.With("deceit is 1 虚假材料, 2 信用承诺严重不实 or 3 故意不履行承诺")
	}
	if err := x.CheckDate(notice, "notice_served_on", false); err != nil {
		return err
	}
	if statement != 1 && statement != 2 {
		return ErrNotice.With("statement (陈述申辩) is heard or waived")
	}
	return nil
}

// found enters a finding of deceit. Its notice came after what it speaks of, and not after today.
func found(ctx *x.Ctx, a *pb.Repair, deceit pb.RepairDeceit, notice int32, statement uint32, after int32) error {
	if notice > int32(ctx.Today) || notice < after {
		return ErrNotice.With("notice served on %s; it is served between %s and today, %s", calendar.Date(notice), calendar.Date(after), ctx.Today)
	}
	a.Deceit, a.NoticeServedOn, a.Statement = deceit, notice, statement
	return nil
}

// bar closes repair to the subject for a time (INV-13).
func bar(ctx *x.Ctx, a *pb.Repair) {
	bars.Put(ctx, a.Subject, a.Id, &pb.RepairBar{
		Subject: a.Subject, Since: int32(ctx.Today), Repair: a.Id,
		Until: int32(ctx.Today.AddMonths(int(catalog.Int(ctx, "repair_false_bar_months")))),
	})
}

// Execute is R12: the recogniser has ended its own publication and use of the record.
func Execute(ctx *x.Ctx, m *pb.ExecuteRepair) (x.Done, error) {
	a, done, err := inEffect(ctx, m.Issuer, m.Repair)
	switch {
	case err != nil:
		return done, err
	case a.ExecutedOn != 0:
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	late(ctx, a)
	a.ExecutedOn = int32(ctx.Today)
	put(ctx, a)
	return done, nil
}

// Push is R13: the firm's place of registration in another province has been told.
func Push(ctx *x.Ctx, m *pb.PushRepair) (x.Done, error) {
	if err := x.CheckDigest(m.ReceiptDigest, "receipt_digest", false); err != nil {
		return x.Done{}, err
	}
	a, done, err := inEffect(ctx, m.Issuer, m.Repair)
	switch {
	case err != nil:
		return done, err
	case a.PushBy == 0:
		return done, ErrPush.With("%s is registered in this province", a.Subject)
	case a.PushedOn != 0:
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	late(ctx, a)
	a.PushedOn, a.PushDigest = int32(ctx.Today), m.ReceiptDigest
	put(ctx, a)
	return done, nil
}

// Track is R14: a look back at the firm some time after its repair. What it finds changes nothing by itself; deceit is revoked by Revoke.
func Track(ctx *x.Ctx, m *pb.TrackRepair) (x.Done, error) {
	if err := x.CheckDigest(m.EvidenceDigest, "evidence_digest", false); err != nil {
		return x.Done{}, err
	}
	if m.Result != 1 && m.Result != 2 {
		return x.Done{}, x.ErrEnum.With("result is 1 未发现问题 or 2 发现问题")
	}
	a, done, err := inEffect(ctx, m.Issuer, m.Repair)
	switch {
	case err != nil:
		return done, err
	case a.TrackedOn != 0 && a.TrackResult == m.Result && bytes.Equal(a.TrackDigest, m.EvidenceDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	case a.TrackedOn != 0:
		return done, x.ErrDifferently.With("the look back of %s stands with another result", calendar.Date(a.TrackedOn))
	}
	late(ctx, a)
	a.TrackedOn, a.TrackResult, a.TrackDigest = int32(ctx.Today), m.Result, m.EvidenceDigest
	put(ctx, a)
	return done, nil
}

// inEffect finds an application whose repair is in effect, for what its recogniser does afterwards.
func inEffect(ctx *x.Ctx, issuer string, id []byte) (*pb.Repair, x.Done, error) {
	a, done, err := ofIssuer(ctx, issuer, id)
	if err == nil && a.State != pb.REPAIR_EFFECTIVE {
		err = ErrState.With("the application is not in effect")
	}
	return a, done, err
}

// Missed is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func Missed(ctx *x.Ctx, kind x.DutyKind, uscc string, id []byte) {
	a, ok := repairs.Get(ctx, uscc, id)
	if !ok {
		x.Faultf("a timer speaks of repair %x, which does not stand", id)
	}
	for _, d := range DutiesOf(a) {
		if d.Kind == kind {
			raise(ctx, a, d)
			put(ctx, a)
			return
		}
	}
	x.Faultf("a timer speaks of duty %d of repair %x, which is not open", kind, id)
}

// late raises the alarms of duties whose day has passed and whose clock has not come to it yet, before what was to be done is done.
func late(ctx *x.Ctx, a *pb.Repair) {
	for _, d := range DutiesOf(a) {
		if !d.Alarmed && d.Due < ctx.Today {
			raise(ctx, a, d)
		}
	}
}

// raise marks a duty as missed and records the alarm.
func raise(ctx *x.Ctx, a *pb.Repair, d x.Duty) {
	a.Alarms |= alarmBit(d.Kind)
	subject.RaiseMissed(ctx, d)
}

// targetOf reads the record that an application speaks of.
func targetOf(r x.Reader, a *pb.Repair) *pb.Dishonesty {
	d, ok := sanction.Get(r, a.Target)
	if !ok {
		x.Faultf("repair %x speaks of a record that is not there", a.Id)
	}
	return d
}

// ofIssuer finds an application on which the signer's own agency decides. No mandate reaches it. The role is asked for first: without it nobody learns
// whether the application stands. Who may not be told of another's gets what an unknown id gets (INV-03).
func ofIssuer(ctx *x.Ctx, issuer string, id []byte) (*pb.Repair, x.Done, error) {
	if _, err := member.ActOn(ctx, issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return nil, x.Done{}, err
	}
	a, ok := Get(ctx, id)
	if !ok || a.Issuer != issuer && !told(ctx, a) {
		return nil, x.Done{}, ErrUnknown.With("no application has id %x", id)
	}
	done := x.Done{Record: id}
	if a.Issuer != issuer {
		return nil, done, x.ErrNotIssuer.With("the record was issued by another agency than %s", issuer)
	}
	return a, done, nil
}

// told says whether the signer's agency may be told that an application stands (INV-01), as its gateway would tell it: the recogniser always, who filed it as
// long as it is open or was refused and its record may be repaired.
func told(ctx *x.Ctx, a *pb.Repair) bool {
	switch a.State {
	case pb.REPAIR_EFFECTIVE, pb.REPAIR_REVOKED, pb.REPAIR_MOOT:
		return member.Decides(ctx, a.Issuer)
	}
	return member.Decides(ctx, a.Issuer) || a.Agent == ctx.Member && sanction.Repairable(targetOf(ctx, a))
}
