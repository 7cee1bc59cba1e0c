package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
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
	if int32(ctx.Today) > p.PublishBy {
		raise(ctx, p, DutiesOf(p)[0])
	}
	p.State, p.PublishedOn = pb.RECORD_PUBLISHED, int32(ctx.Today)
	put(ctx, p)
	return done, nil
}

// Missed is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func Missed(ctx *x.Ctx, kind x.DutyKind, uscc string, record []byte) {
	d, ok := records.Get(ctx, uscc, record)
	if !ok {
		x.Faultf("a timer speaks of dishonesty record %x, which does not stand", record)
	}
	for _, duty := range DutiesOf(d) {
		if duty.Kind == kind {
			raise(ctx, d, duty)
			put(ctx, d)
			return
		}
	}
	x.Faultf("a timer speaks of duty %d on record %x, which is not open", kind, record)
}

// raise marks a duty as missed and records the alarm.
func raise(ctx *x.Ctx, d *pb.Dishonesty, duty x.Duty) {
	switch duty.Kind {
	case DutyPublish:
		d.Alarms |= alarmPublish
	}
	subject.RaiseMissed(ctx, duty)
}

// MaxReached is P4, by timer: nobody has to act.
func MaxReached(ctx *x.Ctx, id []byte) {
	p, ok := records.Get(ctx, string(id[:18]), id[18:])
	if !ok || (p.State != pb.RECORD_PUBLISHED && p.State != pb.RECORD_UNPUBLISHED) {
		x.Faultf("a timer speaks of dishonesty record %x, which is neither published nor unpublished", id[18:])
	}
	p.State, p.EndedOn = pb.RECORD_EXPIRED, int32(ctx.Today)
	put(ctx, p)
}

// Withdraw is P5: the decision was revoked, changed, declared illegal or void.
func Withdraw(ctx *x.Ctx, m *pb.WithdrawRecord) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes || len(m.AuthorityDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	p, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	switch p.State {
	case pb.RECORD_REGISTERED, pb.RECORD_PUBLISHED, pb.RECORD_UNPUBLISHED:
	case pb.RECORD_WITHDRAWN:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("the record is %s", p.State)
	}
	p.State, p.EndedOn = pb.RECORD_WITHDRAWN, int32(ctx.Today)
	p.ReasonDigest, p.AuthorityDigest = m.ReasonDigest, m.AuthorityDigest
	put(ctx, p)
	return done, nil
}

// Repaired is P6. The caller has decided the repair.
func Repaired(ctx *x.Ctx, p *pb.Dishonesty) {
	p.State, p.EndedOn = pb.RECORD_REPAIRED, int32(ctx.Today)
	put(ctx, p)
}

// Restore is P7: the repair was obtained by deceit. The period is neither lengthened nor shortened.
func Restore(ctx *x.Ctx, p *pb.Dishonesty) {
	switch {
	case int32(ctx.Today) > p.MaxUntil:
		p.State = pb.RECORD_EXPIRED
	case p.PublishedOn != 0:
		p.State, p.EndedOn = pb.RECORD_PUBLISHED, 0
	default:
		p.State, p.EndedOn = pb.RECORD_UNPUBLISHED, 0
	}
	put(ctx, p)
}

// ofIssuer finds a penalty that its issuer decides on, itself or through a mandated submitter.
func ofIssuer(ctx *x.Ctx, issuer string, id []byte, role pb.Role, kind pb.MandateKind) (*pb.Dishonesty, x.Done, error) {
	if len(id) != pb.DigestBytes {
		return nil, x.Done{}, x.ErrDigest.With("the record id has %d bytes instead of 32", len(id))
	}
	done := x.Done{Record: id}
	p, ok := Get(ctx, id)
	if !ok {
		return nil, done, ErrUnknown.With("no record has id %x", id)
	}
	if Of(p).Issuer != issuer {
		return nil, done, x.ErrNotIssuer.With("the record was issued by another agency than %s", issuer)
	}
	_, err := member.ActOn(ctx, issuer, role, kind)
	return p, done, err
}
