package sanction

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

// Publish is P3: the platform, or the issuer, has verified the record.
func Publish(ctx *x.Ctx, m *pb.PublishRecord) (x.Done, error) {
	p, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_VERIFY, pb.MANDATE_PUBLISH)
	if err != nil {
		return done, err
	}
	switch p.State {
	case pb.RECORD_REGISTERED:
	case pb.RECORD_PUBLISHED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("the record is %s, not registered", p.State)
	}
	if p.Penalty != nil && p.Penalty.NoticeServedOn >= p.Penalty.DecidedOn {
		return done, ErrNotice.With("a decision on the day of its notice is not published")
	}
	if int32(ctx.Today) > p.MaxUntil {
		return done, ErrTermPassed.With("the last day of publicity was %s", calendar.Date(p.MaxUntil))
	}
	raiseLate(ctx, p, DutyPublish, DutyVerify)
	p.State, p.PublishedOn = pb.RECORD_PUBLISHED, int32(ctx.Today)
	put(ctx, p)
	return done, nil
}

// Missed is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func Missed(ctx *x.Ctx, kind x.DutyKind, uscc string, record []byte) {
	switch kind {
	case DutyAcknowledge:
		missedAcknowledgement(ctx, uscc, record)
		return
	case DutyDecide:
		missedDecision(ctx, uscc, record)
		return
	case DutyShield, DutyEndShield:
		missedShield(ctx, kind, uscc, record)
		return
	}
	d, ok := records.Get(ctx, uscc, record)
	if !ok {
		x.Faultf("a timer speaks of dishonesty record %x, which does not stand", record)
	}
	if !raise(ctx, d, kind) {
		x.Faultf("a timer speaks of duty %d on record %x, which is not open", kind, record)
	}
	put(ctx, d)
}

// raise marks a duty as missed and records the alarm. It says whether the record lays that duty on anybody.
func raise(ctx *x.Ctx, d *pb.Dishonesty, kind x.DutyKind) (open bool) {
	for _, duty := range DutiesOf(d) {
		if duty.Kind == kind {
			d.Alarms |= alarmBit(kind)
			subject.RaiseMissed(ctx, duty)
			open = true
		}
	}
	return open
}

// raiseLate raises the alarms of what is done only now, after its last day: the clock may not have come to it yet.
func raiseLate(ctx *x.Ctx, d *pb.Dishonesty, kinds ...x.DutyKind) {
	for _, duty := range DutiesOf(d) {
		if slices.Contains(kinds, duty.Kind) && ctx.Today > duty.Due {
			raise(ctx, d, duty.Kind)
		}
	}
}

// holds says whether a record stays beyond its longest period while its duties are not fulfilled (hold_at_max_if_unfulfilled).
func holds(ctx *x.Ctx, d *pb.Dishonesty) bool {
	name := [...]string{
		pb.DISHONESTY_PENALTY: "hold_at_max_penalty", pb.DISHONESTY_LIST: "hold_at_max_list",
		pb.DISHONESTY_ABNORMAL: "hold_at_max_abnormal", pb.DISHONESTY_OTHER: "hold_at_max_other",
	}[d.Kind]
	return d.State != pb.RECORD_UNPUBLISHED && d.DutyDoneOn == 0 && catalog.Bool(ctx, name)
}

// MaxReached is P4, by timer: nobody has to act. Where the kind's rule holds the record until its duties are fulfilled it stays as it is.
func MaxReached(ctx *x.Ctx, id []byte) {
	d := timed(ctx, id, pb.RECORD_PUBLISHED, pb.RECORD_UNPUBLISHED, pb.RECORD_SHIELDED)
	if holds(ctx, d) {
		d.Extended = true
	} else {
		d.State, d.EndedOn = pb.RECORD_EXPIRED, int32(ctx.Today)
	}
	put(ctx, d)
}

// FulfilDuty is P9: the duties of the decision are fulfilled. A record that stayed beyond its term for them leaves in this block.
func FulfilDuty(ctx *x.Ctx, m *pb.FulfilDuty) (x.Done, error) {
	if err := x.CheckDigest(m.EvidenceDigest, "evidence_digest", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDate(m.DoneOn, "done_on", false); err != nil {
		return x.Done{}, err
	}
	d, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	switch decided := calendar.Date(Of(d).DecidedOn); {
	case d.DutyDoneOn == m.DoneOn:
		done.Note = x.AlreadyRecorded
		return done, nil
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	case calendar.Date(m.DoneOn) < decided || m.DoneOn > int32(ctx.Today):
		return done, ErrWindow.With("fulfilled on %s; decided on %s, today is %s", calendar.Date(m.DoneOn), decided, ctx.Today)
	}
	if d.DutyDoneOn != 0 {
		if err := subject.AdmitOwn(ctx, Of(d).Subject, 1); err != nil {
			return done, err
		}
	}
	d.DutyDoneOn = m.DoneOn
	if d.Extended {
		d.State, d.EndedOn = pb.RECORD_EXPIRED, int32(ctx.Today)
	}
	put(ctx, d)
	return done, nil
}

// MarkFinal is P10: the decision is final (终局). It changes nothing but the mark, and what may rest on it (INV-36).
func MarkFinal(ctx *x.Ctx, m *pb.MarkFinal) (x.Done, error) {
	if m.Ground != finalNotAppealed && m.Ground != finalUpheld {
		return x.Done{}, ErrFinality.With("ground is 1 not appealed in time, or 2 upheld")
	}
	if err := x.CheckDate(m.FinalOn, "final_on", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.DocumentDigest, "document_digest", m.Ground == finalNotAppealed); err != nil {
		return x.Done{}, err
	}
	d, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	switch {
	case d.Final && d.FinalOn == m.FinalOn && d.FinalGround == m.Ground:
		done.Note = x.AlreadyRecorded
		return done, nil
	case d.Final:
		return done, ErrState.With("the record is marked final since %s", calendar.Date(d.FinalOn))
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	}
	served := calendar.Date(decisionOf(d).served)
	if m.FinalOn < int32(served) || m.FinalOn > int32(ctx.Today) {
		return done, ErrWindow.With("final on %s; served on %s, today is %s", calendar.Date(m.FinalOn), served, ctx.Today)
	}
	if m.Ground == finalNotAppealed {
		if first := served.AddMonths(int(catalog.Int(ctx, "appeal_months"))).AddDays(1); calendar.Date(m.FinalOn) < first {
			return done, ErrFinality.With("the decision was served on %s and may be appealed until %s", served, first.AddDays(-1)).On(first)
		}
	}
	d.Final, d.FinalOn, d.FinalGround = true, m.FinalOn, m.Ground
	put(ctx, d)
	return done, nil
}

// Grounds of finality.
const (
	finalNotAppealed = 1
	finalUpheld      = 2
)

// ReportRevocation is P11: the decision was revoked, and the clock of its withdrawal starts. The recogniser says so, who is above it, or an agent for
// the subject on the ruling that it brings. The record itself stays as it is: only its recogniser, or who is above it, withdraws.
func ReportRevocation(ctx *x.Ctx, m *pb.ReportRevocation) (x.Done, error) {
	if err := x.CheckDate(m.RevokedOn, "revoked_on", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.AuthorityDigest, "authority_digest", false); err != nil {
		return x.Done{}, err
	}
	if err := member.ActInAny(ctx, m.Issuer, pb.MANDATE_UNSET, pb.ROLE_REVIEW, pb.ROLE_AGENT); err != nil {
		return x.Done{}, err
	}
	d, done, err := find(ctx, m.Record)
	if err != nil {
		return done, err
	}
	role := pb.ROLE_AGENT
	if m.Issuer == Of(d).Issuer || above(ctx, m.Issuer, d) {
		role = pb.ROLE_REVIEW
	}
	if _, err := member.Act(ctx, m.Issuer, role, pb.MANDATE_UNSET); err != nil {
		return done, elsewhere(ctx, d, err)
	}
	switch decided := calendar.Date(Of(d).DecidedOn); {
	case d.RevokedOn == m.RevokedOn && bytes.Equal(d.AuthorityDigest, m.AuthorityDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	case d.RevokedOn != 0:
		return done, ErrState.With("its revocation is reported already, of %s", calendar.Date(d.RevokedOn))
	case calendar.Date(m.RevokedOn) < decided || m.RevokedOn > int32(ctx.Today):
		return done, ErrWindow.With("revoked on %s; decided on %s, today is %s", calendar.Date(m.RevokedOn), decided, ctx.Today)
	}
	if err := subject.AdmitOwn(ctx, Of(d).Subject, 1); err != nil {
		return done, err
	}
	revoked(ctx, d, m.RevokedOn)
	d.AuthorityDigest = m.AuthorityDigest
	put(ctx, d)
	return done, nil
}

// revoked sets the day of revocation and the last day of the withdrawal that follows from it.
func revoked(ctx *x.Ctx, d *pb.Dishonesty, on int32) {
	d.RevokedOn, d.Alarms = on, d.Alarms&^alarmBit(DutyWithdraw)
	d.WithdrawBy = int32(catalog.Calendar(ctx).AddWorkingDays(calendar.Date(on), int(catalog.Int(ctx, "withdraw_deadline_wd"))))
}

// Release is P12: the recogniser answers, with its reason, that the record stands, whether its revocation was reported, a penalty that it rests on was withdrawn or 信用中国 does not show
// it. The next list that does not show it holds it back again.
func Release(ctx *x.Ctx, m *pb.Release) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	d, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	if !Live(d) || d.RevokedOn == 0 && !d.Held && d.ReexamineBy == 0 {
		return done, ErrState.With("nothing about the record waits for an answer")
	}
	raiseLate(ctx, d, DutyWithdraw, DutyAnswerHold, DutyReexamine)
	unhold(d)
	d.RevokedOn, d.WithdrawBy, d.ReexamineBy, d.AuthorityDigest, d.ReasonDigest = 0, 0, 0, nil, m.ReasonDigest
	put(ctx, d)
	return done, nil
}

// above says whether a member is above the recogniser of a record: in the same line of command, or as credit authority. Nobody is where the record is about
// itself.
func above(r x.Reader, upper string, d *pb.Dishonesty) bool {
	f := Of(d)
	u, ok := member.Look(r, upper)
	l, known := member.Look(r, f.Issuer)
	return ok && known && upper != f.Subject && member.Above(u, l, func(region string) []string { return catalog.Ancestors(r, region) })
}

// Withdraw is P5: the decision was revoked, changed, declared illegal or void.
func Withdraw(ctx *x.Ctx, m *pb.WithdrawRecord) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes || len(m.AuthorityDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	if err := x.CheckDate(m.RevokedOn, "revoked_on", true); err != nil {
		return x.Done{}, err
	}
	if _, err := member.ActOn(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	d, done, err := find(ctx, m.Record)
	if err != nil {
		return done, err
	}
	// Who revoked the decision may withdraw its record itself: an agency above the recogniser does so in its own name.
	if m.Issuer != Of(d).Issuer && !above(ctx, m.Issuer, d) {
		return done, elsewhere(ctx, d, x.ErrNotIssuer.With("the record was issued by another agency than %s, which is not above that one, or is the subject itself", m.Issuer))
	}
	switch decided := calendar.Date(Of(d).DecidedOn); {
	case StateOf(d) == pb.RECORD_WITHDRAWN:
		done.Note = x.AlreadyRecorded
		return done, nil
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	case m.RevokedOn != 0 && (calendar.Date(m.RevokedOn) < decided || m.RevokedOn > int32(ctx.Today)):
		return done, ErrWindow.With("revoked on %s; decided on %s, today is %s", calendar.Date(m.RevokedOn), decided, ctx.Today)
	}
	switch {
	case d.RevokedOn != 0: // as it was reported
	case m.RevokedOn != 0:
		revoked(ctx, d, m.RevokedOn)
	default:
		revoked(ctx, d, int32(ctx.Today))
	}
	raiseLate(ctx, d, DutyWithdraw, DutyReexamine)
	d.State, d.EndedOn = pb.RECORD_WITHDRAWN, int32(ctx.Today)
	d.ReasonDigest, d.AuthorityDigest = m.ReasonDigest, m.AuthorityDigest
	put(ctx, d)
	if d.Penalty != nil {
		unfound(ctx, d)
	}
	return done, nil
}

// Repaired is P6. The caller has decided the repair.
func Repaired(ctx *x.Ctx, d *pb.Dishonesty) {
	d.State, d.EndedOn = pb.RECORD_REPAIRED, int32(ctx.Today)
	put(ctx, d)
}

// Restore is P7: the repair was obtained by deceit. The period is neither lengthened nor shortened, and the duties count as not fulfilled. What was
// archived comes back from the archive; what was destroyed does not.
func Restore(ctx *x.Ctx, d *pb.Dishonesty) {
	if d.State == pb.RECORD_DESTROYED {
		return
	}
	d.DutyDoneOn = 0
	switch {
	case int32(ctx.Today) > d.MaxUntil && d.State == pb.RECORD_ARCHIVED:
		d.ArchivedAs = pb.RECORD_EXPIRED
	case int32(ctx.Today) > d.MaxUntil:
		d.State = pb.RECORD_EXPIRED
	case d.PublishedOn != 0 && !keptOut(ctx, d): // one that was corrected after its publication may not go back to it (INV-10)
		d.State, d.EndedOn = pb.RECORD_PUBLISHED, 0
	default:
		d.State, d.EndedOn = pb.RECORD_UNPUBLISHED, 0
	}
	put(ctx, d)
}

// find reads the record that a message speaks of.
func find(ctx *x.Ctx, id []byte) (*pb.Dishonesty, x.Done, error) {
	if len(id) != pb.DigestBytes {
		return nil, x.Done{}, x.ErrDigest.With("the record id has %d bytes instead of 32", len(id))
	}
	d, ok := Get(ctx, id)
	if !ok {
		return nil, x.Done{Record: id}, unknown(id)
	}
	return d, x.Done{Record: id}, nil
}

func unknown(id []byte) error { return ErrUnknown.With("no record has id %x", id) }

// elsewhere is the refusal of what another agency decides on: who may not be told of that record gets what an unknown id gets (INV-03).
func elsewhere(ctx *x.Ctx, d *pb.Dishonesty, why error) error {
	if told(ctx, d) {
		return why
	}
	return unknown(d.Id)
}

// told says whether the signer's agency may be told that a record stands (INV-01), as its gateway would tell it: the recogniser always, all agencies while it
// is in publicity, by mandate while it lives, and of a shield who has a part in its plan.
func told(ctx *x.Ctx, d *pb.Dishonesty) bool {
	issuer := Of(d).Issuer
	switch {
	case member.Decides(ctx, issuer), Public(d), Shared(ctx, d):
		return true
	case d.State == pb.RECORD_SHIELDED:
		p, ok := plans.Get(ctx, Of(d).Subject, d.Plan)
		return ok && (p.Agent == ctx.Member || slices.ContainsFunc(p.Parties, func(q pb.PlanParty) bool { return q.Recogniser == ctx.Member }))
	}
	recorder := pb.MANDATE_DISHONESTY
	if d.Kind == pb.DISHONESTY_PENALTY {
		recorder = pb.MANDATE_PENALTY
	}
	return Live(d) && (member.Mandated(ctx, issuer, ctx.Member, recorder) || member.Mandated(ctx, issuer, ctx.Member, pb.MANDATE_PUBLISH))
}

// ofIssuer finds a record that its issuer decides on, itself or through a mandated submitter. The role is asked for first: without it nobody learns whether
// the record stands.
func ofIssuer(ctx *x.Ctx, issuer string, id []byte, role pb.Role, kind pb.MandateKind) (*pb.Dishonesty, x.Done, error) {
	if _, err := member.ActOn(ctx, issuer, role, kind); err != nil {
		return nil, x.Done{}, err
	}
	d, done, err := find(ctx, id)
	if err != nil {
		return nil, done, err
	}
	if Of(d).Issuer != issuer {
		return nil, done, elsewhere(ctx, d, x.ErrNotIssuer.With("the record was issued by another agency than %s", issuer))
	}
	return d, done, nil
}

// timed reads the record that a timer speaks of, which is in one of the states.
func timed(ctx *x.Ctx, id []byte, states ...pb.RecordState) *pb.Dishonesty {
	d, ok := records.Get(ctx, string(id[:18]), id[18:])
	if !ok || !slices.Contains(states, d.State) {
		x.Faultf("a timer speaks of dishonesty record %x, which is in no state that has it", id[18:])
	}
	return d
}
