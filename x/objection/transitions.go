package objection

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// appraisals is the highest number of a kind of test (检验、检测、检疫、鉴定、评审).
const appraisals = 5

// CheckFile refuses what is wrong whatever the state.
func CheckFile(m *pb.FileObjection) error {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if m.Kind < pb.OBJECTION_RECORD || m.Kind > pb.OBJECTION_MEASURE {
		return x.ErrEnum.With("kind is 1 record, 2 breach, 3 repair, 4 incentive or 5 measure")
	}
	if err := x.CheckDigest(m.Target, "target", false); err != nil {
		return err
	}
	if err := x.CheckToken(m.ObjectionNo, "objection_no", false); err != nil {
		return err
	}
	if m.Claimant != "" {
		if err := x.CheckUSCC(m.Claimant, "claimant"); err != nil {
			return err
		}
	}
	if len(m.GroundsDigest) != pb.DigestBytes || len(m.PaperDigest) != pb.DigestBytes {
		return ErrPaper
	}
	return nil
}

// File is O1: through an agent on signed paper, or at the agency that answers for the target. The mark stands in this block (INV-34).
func File(ctx *x.Ctx, m *pb.FileObjection, proposals Proposals) (x.Done, error) {
	if err := CheckFile(m); err != nil {
		return x.Done{}, err
	}
	if err := member.ActInAny(ctx, m.Issuer, pb.MANDATE_UNSET, pb.ROLE_REVIEW, pb.ROLE_AGENT); err != nil {
		return x.Done{}, err
	}
	t, ok := find(ctx, m.Kind, m.Target, proposals)
	ok = ok && t.Subject == m.Subject
	role := pb.ROLE_AGENT
	if ok && t.Provider == m.Issuer {
		role = pb.ROLE_REVIEW
	}
	if _, err := member.Act(ctx, m.Issuer, role, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	if !ok { // in the words of what follows: who files need not know what stands, nor what stood
		return x.Done{}, ErrTarget
	}
	id := ID(t.Provider, m.ObjectionNo, m.Subject, m.Target)
	done := x.Done{Record: id[:]}
	if old, ok := Get(ctx, id[:]); ok {
		if old.Kind == m.Kind && old.Receiver == m.Issuer && old.Claimant == m.Claimant && bytes.Equal(old.GroundsDigest, m.GroundsDigest) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("objection %s stands with other content", m.ObjectionNo)
	}
	if !t.Open || t.Until != 0 && ctx.Today > t.Until {
		return x.Done{}, ErrTarget
	}
	if err := subject.AdmitOwn(ctx, m.Subject, 1); err != nil {
		return done, err
	}
	cal := catalog.Calendar(ctx)
	put(ctx, &pb.Objection{
		Id: id[:], Subject: m.Subject, Kind: m.Kind, Target: m.Target, ObjectionNo: m.ObjectionNo, Claimant: m.Claimant, Receiver: m.Issuer,
		Provider: t.Provider, State: pb.OBJECTION_OWN, ReceivedOn: int32(ctx.Today),
		OwnBy:         int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "objection_own_wd")))),
		ProviderBy:    int32(cal.AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "objection_provider_wd")))),
		GroundsDigest: m.GroundsDigest, PaperDigest: m.PaperDigest, TargetDigest: t.Says,
	})
	t.Mark(+1)
	return done, nil
}

// Forward is O2.
func Forward(ctx *x.Ctx, m *pb.ForwardObjection) (x.Done, error) {
	o, done, err := ofHolder(ctx, m.Issuer, m.Objection)
	switch {
	case err != nil:
		return done, err
	case o.State != pb.OBJECTION_OWN || o.Receiver == o.Provider:
		return done, ErrState.With("the objection lies with the agency that answers for its target already")
	case o.PausedOn != 0:
		return done, ErrClock.With("the clock stands still since %s", calendar.Date(o.PausedOn))
	}
	late(ctx, o)
	o.State, o.ForwardedOn = pb.OBJECTION_PROVIDER, int32(ctx.Today)
	put(ctx, o)
	return done, nil
}

// Pause is O3: a test or an appraisal is under way, and its time does not count.
func Pause(ctx *x.Ctx, m *pb.PauseObjection) (x.Done, error) {
	if m.Appraisal < 1 || m.Appraisal > appraisals {
		return x.Done{}, x.ErrEnum.With("appraisal is 1 检验, 2 检测, 3 检疫, 4 鉴定 or 5 评审")
	}
	if err := x.CheckDigest(m.OrderDigest, "order_digest", false); err != nil {
		return x.Done{}, err
	}
	o, done, err := ofHolder(ctx, m.Issuer, m.Objection)
	if err != nil {
		return done, err
	}
	_, _, due := Holder(o)
	switch {
	case o.PausedOn != 0 && o.Appraisal == m.Appraisal && bytes.Equal(o.OrderDigest, m.OrderDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	case o.PausedOn != 0:
		return done, ErrClock.With("the clock stands still since %s", calendar.Date(o.PausedOn))
	case int32(ctx.Today) > due:
		return done, ErrClock.With("the limit passed on %s", calendar.Date(due))
	}
	if err := subject.AdmitOwn(ctx, o.Subject, 1); err != nil {
		return done, err
	}
	o.PausedOn, o.Appraisal, o.OrderDigest = int32(ctx.Today), m.Appraisal, m.OrderDigest
	put(ctx, o)
	return done, nil
}

// Resume is O3: what was left of each limit is left.
func Resume(ctx *x.Ctx, m *pb.ResumeObjection) (x.Done, error) {
	o, done, err := ofHolder(ctx, m.Issuer, m.Objection)
	if err != nil {
		return done, err
	}
	if o.PausedOn == 0 {
		return done, ErrClock.With("the clock runs")
	}
	resume(ctx, o)
	put(ctx, o)
	return done, nil
}

func resume(ctx *x.Ctx, o *pb.Objection) {
	cal, since := catalog.Calendar(ctx), calendar.Date(o.PausedOn)
	for _, due := range []*int32{&o.OwnBy, &o.ProviderBy, &o.ReviewBy} {
		if *due > o.PausedOn {
			*due = int32(cal.AddWorkingDays(ctx.Today, cal.WorkingDays(since, calendar.Date(*due))))
		} else if *due == o.PausedOn {
			*due = int32(ctx.Today)
		}
	}
	o.PausedDays += uint32(cal.WorkingDays(since, ctx.Today))
	o.PausedOn = 0
}

// Resolve is O4. The result is what happened to the target.
func Resolve(ctx *x.Ctx, m *pb.ResolveObjection, proposals Proposals) (x.Done, error) {
	if m.Result < pb.OBJECTION_UPHELD || m.Result > pb.OBJECTION_UNDETERMINED {
		return x.Done{}, x.ErrEnum.With("result is 1 维持, 2 更正, 3 撤销 or 4 无法认定")
	}
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	o, done, err := ofHolder(ctx, m.Issuer, m.Objection)
	if o != nil && o.State == pb.OBJECTION_RESOLVED && o.Result == m.Result && bytes.Equal(o.ReasonDigest, m.ReasonDigest) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if err != nil {
		return done, err
	}
	if o.State == pb.OBJECTION_REVIEW {
		return done, ErrState.With("the objection is under review")
	}
	t := targetOf(ctx, o, proposals)
	if why := unfit(o, t, m.Result); why != "" {
		return done, ErrResult.With("%s", why)
	}
	late(ctx, o)
	resolve(ctx, o, m.Result, m.ReasonDigest)
	t.Mark(-1)
	return done, nil
}

// unfit says why a result is not what happened to the target.
func unfit(o *pb.Objection, t *Target, result pb.ObjectionResult) string {
	same := bytes.Equal(o.TargetDigest, t.Says)
	switch {
	case result == pb.OBJECTION_WITHDRAWN && !t.Withdrawn:
		return "the target was not withdrawn"
	case result != pb.OBJECTION_WITHDRAWN && t.Withdrawn:
		return "the target was withdrawn: the result is 撤销"
	case result == pb.OBJECTION_CORRECTED && same:
		return "the target says what it said when the objection came"
	case (result == pb.OBJECTION_UPHELD || result == pb.OBJECTION_UNDETERMINED) && !same && !t.Withdrawn:
		return "the target says something else than when the objection came: the result is 更正"
	case result == pb.OBJECTION_UNDETERMINED && o.State == pb.OBJECTION_OWN && o.Receiver != o.Provider:
		return "what the receiver cannot settle goes to the agency that answers for the target"
	case o.Overturned && (result == pb.OBJECTION_UPHELD || result == pb.OBJECTION_UNDETERMINED):
		return "the review has found that the target cannot stay as it is"
	}
	return ""
}

func resolve(ctx *x.Ctx, o *pb.Objection, result pb.ObjectionResult, reason []byte) {
	if o.PausedOn != 0 {
		resume(ctx, o)
	}
	o.State, o.Result, o.ResolvedOn, o.ReasonDigest = pb.OBJECTION_RESOLVED, result, int32(ctx.Today), reason
	put(ctx, o)
}

// Escalate is O5: whoever objected asks the provincial credit authority for a review (复核), through an agent, or the agency that took the objection in
// itself. The mark stands again.
func Escalate(ctx *x.Ctx, m *pb.EscalateObjection, proposals Proposals) (x.Done, error) {
	if len(m.PaperDigest) != pb.DigestBytes {
		return x.Done{}, ErrPaper
	}
	if err := member.ActInAny(ctx, m.Issuer, pb.MANDATE_UNSET, pb.ROLE_REVIEW, pb.ROLE_AGENT); err != nil {
		return x.Done{}, err
	}
	o, ok := Get(ctx, m.Objection)
	if !ok {
		return x.Done{}, unknown(m.Objection)
	}
	role := pb.ROLE_AGENT
	if m.Issuer == o.Provider && o.Receiver == o.Provider { // who took it in itself passes it on
		role = pb.ROLE_REVIEW
	}
	if _, err := member.Act(ctx, m.Issuer, role, pb.MANDATE_UNSET); err != nil {
		if !told(ctx, o) {
			err = unknown(m.Objection)
		}
		return x.Done{}, err
	}
	done := x.Done{Record: m.Objection}
	a, ok := member.Look(ctx, m.Authority)
	if !ok || a.Removed || !a.Authority || a.Level != pb.LEVEL_PROVINCE {
		return done, ErrAuthority.With("%q is no credit authority of the province", m.Authority)
	}
	_, _, due := Holder(o)
	overdue := Open(o) && o.PausedOn == 0 && int32(ctx.Today) > due
	t := targetOf(ctx, o, proposals)
	switch {
	case o.EscalatedOn != 0:
		return done, ErrEscalation.With("a review was asked for on %s already", calendar.Date(o.EscalatedOn))
	case Open(o) && !overdue:
		return done, ErrEscalation.With("the answer is not overdue")
	case !Open(o) && o.Result != pb.OBJECTION_UPHELD && o.Result != pb.OBJECTION_UNDETERMINED:
		return done, ErrEscalation.With("the objection was granted")
	case !t.Open:
		return done, ErrTarget
	}
	marked := Open(o)
	late(ctx, o)
	o.State, o.Authority, o.EscalatedOn = pb.OBJECTION_REVIEW, m.Authority, int32(ctx.Today)
	o.ReviewBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "objection_review_wd"))))
	put(ctx, o)
	if !marked {
		t.Mark(+1)
	}
	return done, nil
}

// Review is O6, by the authority.
func Review(ctx *x.Ctx, m *pb.ReviewObjection, proposals Proposals) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	o, done, err := ofHolder(ctx, m.Issuer, m.Objection)
	if err != nil {
		return done, err
	}
	if o.State != pb.OBJECTION_REVIEW {
		return done, ErrState.With("the objection is not under review")
	}
	late(ctx, o)
	if o.PausedOn != 0 {
		resume(ctx, o)
	}
	o.ReviewedOn, o.ReviewDigest = int32(ctx.Today), m.ReasonDigest
	t := targetOf(ctx, o, proposals)
	same := bytes.Equal(o.TargetDigest, t.Says) && !t.Withdrawn
	if m.Overturn && same {
		o.State, o.Overturned, o.Alarms = pb.OBJECTION_PROVIDER, true, o.Alarms&^alarmBit(DutyProvider)
		o.Result, o.ResolvedOn, o.ReasonDigest = pb.OBJECTION_RESULT_UNSET, 0, nil
		o.ProviderBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "objection_provider_wd"))))
		put(ctx, o)
		return done, nil
	}
	// What was corrected or withdrawn meanwhile is what the review would have asked for.
	result := pb.OBJECTION_UPHELD
	switch {
	case t.Withdrawn:
		result = pb.OBJECTION_WITHDRAWN
	case !same:
		result = pb.OBJECTION_CORRECTED
	case o.Result != pb.OBJECTION_RESULT_UNSET:
		result = o.Result
	}
	resolve(ctx, o, result, m.ReasonDigest)
	t.Mark(-1)
	return done, nil
}

// Missed is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func Missed(ctx *x.Ctx, kind x.DutyKind, uscc string, id []byte) {
	o, ok := objections.Get(ctx, uscc, id)
	if !ok {
		x.Faultf("a timer speaks of objection %x, which does not stand", id)
	}
	for _, d := range DutiesOf(o) {
		if d.Kind == kind {
			raise(ctx, o, d)
			put(ctx, o)
			return
		}
	}
	x.Faultf("a timer speaks of duty %d of objection %x, which is not open", kind, id)
}

// late raises the alarm of a duty whose day has passed and whose clock has not come to it yet, before what was to be done is done.
func late(ctx *x.Ctx, o *pb.Objection) {
	for _, d := range DutiesOf(o) {
		if !d.Alarmed && d.Due != 0 && d.Due < ctx.Today {
			raise(ctx, o, d)
		}
	}
}

// raise marks a duty as missed and records the alarm.
func raise(ctx *x.Ctx, o *pb.Objection, d x.Duty) {
	o.Alarms |= alarmBit(d.Kind)
	subject.RaiseMissed(ctx, d)
}

// targetOf reads what an objection is against.
func targetOf(ctx *x.Ctx, o *pb.Objection, proposals Proposals) *Target {
	t, ok := find(ctx, o.Kind, o.Target, proposals)
	if !ok {
		x.Faultf("objection %x is against something that is not there", o.Id)
	}
	return t
}

// ofHolder finds an open objection that the signer's own agency holds. Who received one for another agency checks with the role of verification;
// who decides in its own matter with that of decision. No mandate reaches it. A role of the two is asked for first: without one nobody learns whether the
// objection stands. Who has no part in it gets what an unknown id gets (INV-03); with another refusal the objection is given too.
func ofHolder(ctx *x.Ctx, issuer string, id []byte) (*pb.Objection, x.Done, error) {
	if err := member.ActInAny(ctx, issuer, pb.MANDATE_UNSET, pb.ROLE_VERIFY, pb.ROLE_REVIEW); err != nil {
		return nil, x.Done{}, err
	}
	o, ok := Get(ctx, id)
	if !ok || !told(ctx, o) {
		return nil, x.Done{}, unknown(id)
	}
	done := x.Done{Record: id}
	holder, _, _ := Holder(o)
	if holder != issuer {
		return o, done, ErrState.With("%s does not hold the objection", issuer)
	}
	role := pb.ROLE_REVIEW
	if o.State == pb.OBJECTION_OWN && o.Receiver != o.Provider {
		role = pb.ROLE_VERIFY
	}
	_, err := member.Act(ctx, issuer, role, pb.MANDATE_UNSET)
	return o, done, err
}

func unknown(id []byte) error { return ErrUnknown.With("no objection has id %x", id) }

// told says whether the signer's agency may be told that an objection stands (INV-01): it answers for the target, took the objection in or reviews it.
func told(ctx *x.Ctx, o *pb.Objection) bool {
	return member.Decides(ctx, o.Provider) || ctx.Member == o.Receiver || o.Authority != "" && ctx.Member == o.Authority
}
