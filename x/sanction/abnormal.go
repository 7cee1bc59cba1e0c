package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// CheckAbnormal refuses what is wrong whatever the state.
func CheckAbnormal(m *pb.RecordAbnormal) error {
	if err := x.CheckToken(m.Content.Reason, "reason", false); err != nil {
		return err
	}
	return checkDecision(abnormalDecision(&m.Content))
}

func abnormalDecision(c *pb.AbnormalContent) *decision {
	return &decision{
		Facts:  Facts{Issuer: c.Issuer, Subject: c.Subject, DocNo: c.DocNo, DecidedOn: c.ListedOn, PowerCode: c.PowerCode},
		served: c.ServedOn, twoDocuments: c.RepairNoticeServed, region: c.ViolationRegion, sector: c.Sector, designation: c.Designation, text: c.TextDigest,
	}
}

// RecordAbnormal is P1 for an entry in the list of abnormal operation (列入异常名录). Its class is 一般; it has publicity periods of its own.
func RecordAbnormal(ctx *x.Ctx, m *pb.RecordAbnormal) (x.Done, error) {
	if err := CheckAbnormal(m); err != nil {
		return x.Done{}, err
	}
	c := m.Content
	d, issuer, done, err := begin(ctx, pb.DISHONESTY_ABNORMAL, abnormalDecision(&c), &c, pb.MANDATE_DISHONESTY)
	if d == nil {
		return done, err
	}
	if err := abnormalFits(ctx, issuer, &c); err != nil {
		return done, err
	}
	d.Abnormal, d.Class, d.State = &c, pb.SEVERITY_GENERAL, pb.RECORD_REGISTERED
	setDates(ctx, d)
	if err := subject.Admit(ctx, c.Subject, 1); err != nil {
		return done, err
	}
	create(ctx, d)
	return done, nil
}

// abnormalFits refuses an entry for which the agency is not competent (INV-05).
func abnormalFits(ctx *x.Ctx, issuer *pb.Member, c *pb.AbnormalContent) error {
	names := func(k *pb.Competence) bool { return k.Abnormal }
	return member.CompetentFor(issuer, catalog.Ancestors(ctx, c.ViolationRegion), "entries of abnormal operation (异常名录)", names,
		c.PowerCode, calendar.Date(c.ListedOn), c.Designation)
}

// RemoveAbnormal is P8: the agency that entered the subject has found that what led to it is mended (移出). What was entered by error is withdrawn
// instead.
func RemoveAbnormal(ctx *x.Ctx, m *pb.RemoveAbnormal) (x.Done, error) {
	if err := x.CheckDigest(m.EvidenceDigest, "evidence_digest", false); err != nil {
		return x.Done{}, err
	}
	d, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	switch {
	case d.Kind != pb.DISHONESTY_ABNORMAL:
		return done, ErrState.With("the record is no entry of abnormal operation")
	case StateOf(d) == pb.RECORD_REPAIRED:
		done.Note = x.AlreadyRecorded
		return done, nil
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	}
	if first := calendar.Date(d.MinUntil); ctx.Today < first {
		return done, ErrRemoval.With("the entry stands until %s at least; today is %s", first, ctx.Today).On(first)
	}
	d.State, d.EndedOn, d.ReasonDigest = pb.RECORD_REPAIRED, int32(ctx.Today), m.EvidenceDigest
	put(ctx, d)
	return done, nil
}
