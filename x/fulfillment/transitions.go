package fulfillment

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/member"
)

// CheckAssess refuses what is wrong whatever the state.
func CheckAssess(m *pb.AssessCommitment) error {
	if m.Fulfilment < 1 || m.Fulfilment > 3 {
		return ErrStatus
	}
	if err := x.CheckDate(m.AssessedOn, "assessed_on", false); err != nil {
		return err
	}
	if err := x.CheckDate(m.NoticeServedOn, "notice_served_on", true); err != nil {
		return err
	}
	if len(m.EvidenceDigest) != pb.DigestBytes {
		return ErrEvidence
	}
	if m.Fulfilment == 1 {
		if len(m.UnperformedDigest) != 0 || len(m.ActionDigest) != 0 {
			return ErrText.With("status 全部履行 goes with neither 未履行的承诺内容 nor 违诺责任追究内容")
		}
		return nil
	}
	if len(m.UnperformedDigest) != pb.DigestBytes {
		return ErrText.With("未履行的承诺内容 is missing")
	}
	if len(m.ActionDigest) != pb.DigestBytes {
		return ErrText.With("违诺责任追究内容 is missing")
	}
	// The evidence holds the papers of notice and statement; what is stated beside it must agree with the rule.
	if m.Statement > 2 || (m.NoticeServedOn == 0) != (m.Statement == 0) {
		return ErrNotice.With("notice_served_on and statement go together; statement is heard or waived")
	}
	if m.NoticeServedOn != 0 && m.NoticeServedOn >= m.AssessedOn {
		return ErrNotice.With("notice served on %s, assessed on %s", calendar.Date(m.NoticeServedOn), calendar.Date(m.AssessedOn))
	}
	return nil
}

// Assess is F1 and F2, by the acceptor.
func Assess(ctx *x.Ctx, m *pb.AssessCommitment) (x.Done, error) {
	if err := CheckAssess(m); err != nil {
		return x.Done{}, err
	}
	c, done, err := ofAcceptor(ctx, m.Issuer, m.Code)
	if err != nil {
		return done, err
	}
	switch c.State {
	case pb.COMMITMENT_SUPERVISED, pb.COMMITMENT_DUE:
	case pb.COMMITMENT_FULFILLED, pb.COMMITMENT_BREACHED, pb.COMMITMENT_CURED:
		if same(c, m) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("commitment %s was assessed on %s with another result", m.Code, calendar.Date(c.AssessedOn))
	default:
		return done, commitment.ErrState.With("commitment %s is %s", m.Code, c.State)
	}
	if m.AssessedOn < c.Content.MadeOn || m.AssessedOn > int32(ctx.Today) {
		return done, ErrWindow.With("assessed on %s; made on %s, today is %s", calendar.Date(m.AssessedOn), calendar.Date(c.Content.MadeOn), ctx.Today)
	}
	c.Fulfilment, c.AssessedOn, c.Assessor = m.Fulfilment, m.AssessedOn, m.Issuer
	c.UnperformedDigest, c.ActionDigest, c.EvidenceDigest = m.UnperformedDigest, m.ActionDigest, m.EvidenceDigest
	c.NoticeServedOn, c.Statement = m.NoticeServedOn, m.Statement
	c.State = pb.COMMITMENT_FULFILLED
	if m.Fulfilment != 1 {
		c.State = pb.COMMITMENT_BREACHED
	}
	commitment.Assess(ctx, c)
	return done, nil
}

// Cure is F3: the breach was mended. The bar lifts by the rules of package commitment.
func Cure(ctx *x.Ctx, m *pb.CureCommitment) (x.Done, error) {
	if len(m.EvidenceDigest) != pb.DigestBytes {
		return x.Done{}, ErrEvidence
	}
	c, done, err := ofAcceptor(ctx, m.Issuer, m.Code)
	if err != nil {
		return done, err
	}
	switch c.State {
	case pb.COMMITMENT_BREACHED:
	case pb.COMMITMENT_CURED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, commitment.ErrState.With("commitment %s is %s, not breached", m.Code, c.State)
	}
	c.State, c.CuredOn, c.CureEvidenceDigest = pb.COMMITMENT_CURED, int32(ctx.Today), m.EvidenceDigest
	commitment.Cure(ctx, c)
	return done, nil
}

// ofAcceptor finds a commitment that its acceptor assesses, itself or through a mandated submitter.
func ofAcceptor(ctx *x.Ctx, issuer, code string) (*pb.Commitment, x.Done, error) {
	c, ok := commitment.Get(ctx, code)
	if !ok {
		return nil, x.Done{}, commitment.ErrUnknown.With("no commitment has code %q", code)
	}
	done := x.Done{Record: commitment.ID(&c.Content)}
	if c.Content.Acceptor != issuer {
		return nil, done, x.ErrNotIssuer.With("commitment %s is accepted by %s, not by %s", code, c.Content.Acceptor, issuer)
	}
	_, err := member.ActOn(ctx, issuer, pb.ROLE_RECORD, pb.MANDATE_FULFILLMENT)
	return c, done, err
}
