package fulfillment

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
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
	if err := x.CheckDigest(m.Inspection, "inspection", true); err != nil {
		return err
	}
	if m.Fulfilment == 1 {
		if len(m.UnperformedDigest) != 0 || len(m.ActionDigest) != 0 {
			r := ErrText.With("status 全部履行 goes with neither 未履行的承诺内容 nor 违诺责任追究内容")
			r.Remedy = "leave both texts out, or correct the status"
			return r
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
func Assess(ctx *x.Ctx, m *pb.AssessCommitment, found Inspected) (x.Done, error) {
	if err := CheckAssess(m); err != nil {
		return x.Done{}, err
	}
	c, by, done, err := ofAcceptor(ctx, m.Issuer, m.Code, pb.ROLE_RECORD, pb.MANDATE_FULFILLMENT)
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
	case pb.COMMITMENT_PENDING:
		r := commitment.ErrState.With("commitment %s is %s", m.Code, c.State)
		r.Remedy = "accept it first"
		return done, r
	default:
		return done, commitment.ErrState.With("commitment %s is %s", m.Code, c.State)
	}
	if err := checkFacts(ctx, c, m, by, found); err != nil {
		return done, err
	}
	assess(c, m, by)
	commitment.Assess(ctx, c)
	return done, nil
}

// assess writes the facts of an assessment into a commitment.
func assess(c *pb.Commitment, m *pb.AssessCommitment, by string) {
	c.Fulfilment, c.AssessedOn, c.Assessor = m.Fulfilment, m.AssessedOn, by
	c.UnperformedDigest, c.ActionDigest, c.EvidenceDigest = m.UnperformedDigest, m.ActionDigest, m.EvidenceDigest
	c.NoticeServedOn, c.Statement, c.Inspection = m.NoticeServedOn, m.Statement, m.Inspection
	c.CuredOn, c.CureEvidenceDigest = 0, nil
	c.State = pb.COMMITMENT_FULFILLED
	if m.Fulfilment != 1 {
		c.State = pb.COMMITMENT_BREACHED
	}
}

// Reassess is F6: the assessment was wrong, as the acceptor found itself or upon an objection. What it replaces stays in the subject's file.
func Reassess(ctx *x.Ctx, m *pb.ReassessCommitment, found Inspected) (x.Done, error) {
	a := &m.Assessment
	if err := CheckAssess(a); err != nil {
		return x.Done{}, err
	}
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	c, by, done, err := ofAcceptor(ctx, a.Issuer, a.Code, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	switch c.State {
	case pb.COMMITMENT_FULFILLED, pb.COMMITMENT_BREACHED, pb.COMMITMENT_CURED:
	default:
		return done, commitment.ErrState.With("commitment %s is %s: it has no assessment to replace", a.Code, c.State)
	}
	if same(c, a) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if err := checkFacts(ctx, c, a, by, found); err != nil {
		return done, err
	}
	// What is assessed on a later day than before was not assessed today already.
	if err := subject.AdmitAgain(ctx, c.Content.Subject, a.AssessedOn <= c.AssessedOn); err != nil {
		return done, err
	}
	assess(c, a, by)
	c.CorrectionDigest = m.ReasonDigest
	commitment.Assess(ctx, c)
	return done, nil
}

// Inspected finds an inspection (双随机一公开) by its record id: whom it was of, which agency made it, on which day. Inspections stand after this package in
// the order of knowledge, so the caller hands them in.
type Inspected func(r x.Reader, id []byte) (uscc, by string, on int32, ok bool)

// checkFacts: an assessment lies between the commitment and today, and an inspection that it rests on is the assessor's own, of this subject, made
// between the commitment and the assessment.
func checkFacts(ctx *x.Ctx, c *pb.Commitment, m *pb.AssessCommitment, by string, found Inspected) error {
	if m.AssessedOn < c.Content.MadeOn || m.AssessedOn > int32(ctx.Today) {
		return ErrWindow.With("assessed on %s; made on %s, today is %s", calendar.Date(m.AssessedOn), calendar.Date(c.Content.MadeOn), ctx.Today)
	}
	if len(m.Inspection) == 0 {
		return nil
	}
	uscc, agency, on, ok := found(ctx, m.Inspection)
	switch {
	case !ok || uscc != c.Content.Subject || agency != c.Content.Acceptor && agency != by:
		return ErrInspection.With("the assessor has made no such inspection of this subject")
	case on < c.Content.MadeOn || on > m.AssessedOn:
		return ErrInspection.With("inspected on %s; made on %s, assessed on %s", calendar.Date(on), calendar.Date(c.Content.MadeOn), calendar.Date(m.AssessedOn))
	}
	return nil
}

// Mend is F4: the subject says that it has made good by itself (自行补正). Its acceptor takes that in, or an agent files it on the signed paper.
func Mend(ctx *x.Ctx, m *pb.MendCommitment) (x.Done, error) {
	if len(m.EvidenceDigest) != pb.DigestBytes {
		return x.Done{}, ErrEvidence
	}
	if err := x.CheckDigest(m.PaperDigest, "paper_digest", true); err != nil {
		return x.Done{}, err
	}
	_, acceptor := member.ActOn(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_FULFILLMENT)
	_, agent := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET)
	if acceptor != nil && agent != nil {
		return x.Done{}, acceptor
	}
	c, ok := commitment.Get(ctx, m.Code)
	if !ok || m.Issuer != c.Content.Acceptor && agent != nil && !commitment.Told(ctx, c) {
		return x.Done{}, commitment.ErrUnknown.With("no commitment has code %q", m.Code)
	}
	done := x.Done{Record: commitment.ID(&c.Content)}
	switch mine := m.Issuer == c.Content.Acceptor; {
	case mine && acceptor != nil:
		return done, acceptor
	case !mine && agent != nil:
		return done, agent
	case !mine && len(m.PaperDigest) == 0:
		return done, ErrPaper
	}
	switch c.State {
	case pb.COMMITMENT_SUPERVISED, pb.COMMITMENT_DUE, pb.COMMITMENT_BREACHED:
	default:
		return done, commitment.ErrState.With("commitment %s is %s: there is nothing to make good", m.Code, c.State)
	}
	switch {
	case c.MendedOn == 0:
	case bytes.Equal(c.MendEvidenceDigest, m.EvidenceDigest):
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, x.ErrDifferently.With("a report of mending of %s waits on commitment %s with other evidence", calendar.Date(c.MendedOn), m.Code)
	}
	if err := subject.AdmitOwn(ctx, c.Content.Subject, 1); err != nil {
		return done, err
	}
	commitment.Mended(ctx, c, m.EvidenceDigest, m.PaperDigest)
	return done, nil
}

// RefuseMend is F5: the acceptor did not find it made good.
func RefuseMend(ctx *x.Ctx, m *pb.RefuseMend) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	c, _, done, err := ofAcceptor(ctx, m.Issuer, m.Code, pb.ROLE_RECORD, pb.MANDATE_FULFILLMENT)
	if err != nil {
		return done, err
	}
	if c.MendedOn == 0 {
		return done, ErrMend.With("no report of mending waits on commitment %s", m.Code)
	}
	commitment.NotMended(ctx, c, m.ReasonDigest)
	return done, nil
}

// Cure is F3: the breach was mended. The bar lifts by the rules of package commitment.
func Cure(ctx *x.Ctx, m *pb.CureCommitment) (x.Done, error) {
	if len(m.EvidenceDigest) != pb.DigestBytes {
		return x.Done{}, ErrEvidence
	}
	c, _, done, err := ofAcceptor(ctx, m.Issuer, m.Code, pb.ROLE_RECORD, pb.MANDATE_FULFILLMENT)
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

// ofAcceptor finds a commitment that its acceptor decides on, itself or through a mandated submitter, and says which agency decides: the acceptor, or
// where that has left the one that carries on its powers.
func ofAcceptor(ctx *x.Ctx, issuer, code string, role pb.Role, kind pb.MandateKind) (c *pb.Commitment, by string, done x.Done, err error) {
	m, err := member.ActOn(ctx, issuer, role, kind)
	if err != nil {
		return nil, "", done, err
	}
	if c, err = commitment.Of(ctx, issuer, code); err != nil {
		return nil, "", done, err
	}
	return c, m.Uscc, x.Done{Record: commitment.ID(&c.Content)}, nil
}
