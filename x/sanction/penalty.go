package sanction

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// amountMax bounds a fine: 10^15 fen. Sums of two stay within 64 bits.
const amountMax = 1_000_000_000_000_000

// CheckRecord refuses what is wrong whatever the state.
func CheckRecord(m *pb.RecordPenalty) error {
	c := &m.Content
	if err := x.CheckUSCC(c.Issuer, "issuer"); err != nil {
		return err
	}
	if err := x.CheckUSCC(c.Subject, "subject"); err != nil {
		return err
	}
	if err := code.CheckDocNo(c.DocNo); err != nil {
		return ErrDocNo.With("%s", x.Why(err))
	}
	if err := checkKinds(c); err != nil {
		return err
	}
	for _, d := range []struct {
		date     int32
		field    string
		optional bool
	}{
		{c.DecidedOn, "decided_on", false},
		{c.ValidUntil, "valid_until", true},
		{c.NoticeServedOn, "notice_served_on", true},
		{c.ServedOn, "served_on", false},
	} {
		if err := x.CheckDate(d.date, d.field, d.optional); err != nil {
			return err
		}
	}
	if c.ValidUntil != 0 && c.ValidUntil < c.DecidedOn {
		return ErrWindow.With("valid until %s, decided on %s", calendar.Date(c.ValidUntil), calendar.Date(c.DecidedOn))
	}
	if c.ServedOn < c.DecidedOn {
		return ErrServed.With("served on %s, decided on %s", calendar.Date(c.ServedOn), calendar.Date(c.DecidedOn))
	}
	if c.Procedure < 1 || c.Procedure > 3 {
		return ErrProcedure
	}
	if err := checkNotice(c); err != nil {
		return err
	}
	if err := code.CheckRegion(c.ViolationRegion); err != nil {
		return ErrRegion.With("%s", x.Why(err))
	}
	for _, t := range []struct{ s, field string }{
		{c.PowerCode, "power_code"}, {c.Sector, "sector"}, {c.Designation, "designation"},
	} {
		if err := x.CheckToken(t.s, t.field, true); err != nil {
			return err
		}
	}
	if c.BreachOf != "" {
		if err := code.CheckCommitmentCode(c.BreachOf); err != nil {
			return ErrBreachOf.With("%s", x.Why(err))
		}
	}
	if c.Severity < 0 || c.Severity > pb.SEVERITY_SERIOUS {
		return ErrClass.With("severity is 1 轻微, 2 一般 or 3 严重")
	}
	if err := x.CheckDigest(c.NecessityDigest, "necessity_digest", !c.Necessary); err != nil {
		return err
	}
	return x.CheckDigest(c.TextDigest, "text_digest", false)
}

func checkKinds(c *pb.PenaltyContent) error {
	if len(c.Kinds) == 0 || len(c.Kinds) > pb.KindsMax {
		return ErrKinds
	}
	fine, taken := false, false
	for i, k := range c.Kinds {
		if (k < 1 || k > 13) && k != 99 || i > 0 && c.Kinds[i-1] >= k {
			return ErrKinds
		}
		fine = fine || k == 3 || k == 99
		taken = taken || k == 4 || k == 5 || k == 99
	}
	switch {
	case c.FineFen < 0 || c.FineFen > amountMax || c.ConfiscatedFen < 0 || c.ConfiscatedFen > amountMax:
		return ErrAmount.With("an amount is outside 0 to %d fen", int64(amountMax))
	case c.FineFen > 0 && !fine:
		return ErrAmount.With("a fine (罚款金额) goes with kind 罚款")
	case c.ConfiscatedFen > 0 && !taken:
		return ErrAmount.With("a confiscated amount (没收金额) goes with kind 没收")
	}
	return nil
}

// checkNotice is INV-08. A decision on the spot (简易程序) may come on the day of its notice; every other comes after it.
func checkNotice(c *pb.PenaltyContent) error {
	switch {
	case c.NoticeServedOn == 0:
		return ErrNotice.With("notice_served_on (告知日期) is missing")
	case c.NoticeServedOn > c.DecidedOn, c.NoticeServedOn == c.DecidedOn && c.Procedure != 1:
		return ErrNotice.With("notice served on %s, decided on %s", calendar.Date(c.NoticeServedOn), calendar.Date(c.DecidedOn))
	case c.Statement != 1 && c.Statement != 2:
		return ErrNotice.With("statement (陈述申辩) is heard or waived")
	case c.Hearing > 2, c.Procedure == 3 && c.Hearing == 0:
		return ErrNotice.With("the hearing procedure (听证) needs a hearing that was held or waived")
	}
	return nil
}

// Record is P1 and P2.
func Record(ctx *x.Ctx, m *pb.RecordPenalty) (x.Done, error) {
	if err := CheckRecord(m); err != nil {
		return x.Done{}, err
	}
	c := m.Content
	id := PenaltyID(c.Issuer, c.DocNo, c.Subject)
	done := x.Done{Record: id[:]}
	issuer, err := member.Act(ctx, c.Issuer, pb.ROLE_RECORD, pb.MANDATE_PENALTY)
	if err != nil {
		return done, err
	}
	if old, ok := Get(ctx, id[:]); ok {
		if bytes.Equal(x.EncodeRow(old.Penalty), x.EncodeRow(&c)) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("%s against %s stands with other content", c.DocNo, c.Subject)
	}
	if _, err := subject.Require(ctx, c.Subject); err != nil {
		return done, err
	}
	if c.DecidedOn > int32(ctx.Today) {
		return done, ErrWindow.With("decided on %s, which is after today (%s)", calendar.Date(c.DecidedOn), ctx.Today)
	}
	if c.ServedOn > int32(ctx.Today) {
		return done, ErrServed.With("served on %s, which is after today (%s)", calendar.Date(c.ServedOn), ctx.Today)
	}
	if !c.RepairNoticeServed && catalog.Int(ctx, "require_two_documents") != 0 {
		return done, ErrTwoDocuments
	}
	// INV-05: the place of the violation decides, on the day of the decision; never where the firm is registered (INV-43).
	decided := calendar.Date(c.DecidedOn)
	if _, ok := catalog.Region(ctx, c.ViolationRegion, decided); !ok {
		return done, ErrRegion.With("region %s is not in the region table on %s", c.ViolationRegion, decided)
	}
	if err := member.Competent(issuer, catalog.Ancestors(ctx, c.ViolationRegion), c.Kinds, c.PowerCode, decided, c.Designation); err != nil {
		return done, err
	}
	if c.BreachOf != "" {
		b, ok := commitment.Get(ctx, c.BreachOf)
		if !ok || b.Content.Subject != c.Subject || (b.State != pb.COMMITMENT_BREACHED && b.State != pb.COMMITMENT_CURED) {
			return done, ErrBreachOf.With("commitment %s is not a breached one of %s", c.BreachOf, c.Subject)
		}
		if commitment.LinkedTo(ctx, b) >= pb.LinkedMax {
			return done, x.ErrTooMany.With("%d records punish the breach of commitment %s already", pb.LinkedMax, c.BreachOf)
		}
	}
	class, err := classify(ctx, &c)
	if err != nil {
		return done, err
	}
	p := &pb.Dishonesty{
		Id: id[:], Kind: pb.DISHONESTY_PENALTY, Penalty: &c, Class: class, State: pb.RECORD_REGISTERED, RecordedOn: int32(ctx.Today), Submitter: ctx.Member,
	}
	setDates(ctx, p)
	if class == pb.SEVERITY_MINOR && !c.Necessary && catalog.Int(ctx, "minor_publish") == 0 {
		p.State = pb.RECORD_UNPUBLISHED
	}
	create(ctx, p)
	return done, nil
}

// classify gives the class in force: the stated one within what the law leaves open, else the catalogue's (INV-09, INV-10).
func classify(ctx *x.Ctx, c *pb.PenaltyContent) (pb.Severity, error) {
	computed := catalog.Classify(ctx, c.Sector, c.Kinds, c.Procedure, c.FineFen, c.ConfiscatedFen)
	class := c.Severity
	switch {
	case class == pb.SEVERITY_UNSET:
		class = computed
	case class < catalog.StatutoryFloor(c.Kinds):
		return 0, ErrClass.With("these kinds of penalty are 严重 by law, stated is %s", code.SeverityName(uint32(class)))
	case class == pb.SEVERITY_MINOR && computed == pb.SEVERITY_SERIOUS:
		return 0, ErrClass.With("the catalogue finds 严重, stated is 轻微")
	}
	if c.Necessary && class != pb.SEVERITY_MINOR {
		return 0, ErrClass.With("only a 轻微 record is published by necessity; this one is %s", code.SeverityName(uint32(class)))
	}
	return class, nil
}

// setDates computes the dates of publicity from the decision (INV-09). Publicity is never lengthened by a holiday.
func setDates(ctx *x.Ctx, p *pb.Dishonesty) {
	decided := calendar.Date(Of(p).DecidedOn)
	p.PublishBy = int32(catalog.Calendar(ctx).AddWorkingDays(decided, int(catalog.Int(ctx, "publish_deadline_wd"))))
	lo, hi := int64(0), catalog.Int(ctx, "minor_max_months")
	switch p.Class {
	case pb.SEVERITY_GENERAL:
		lo, hi = catalog.Int(ctx, "general_min_months"), catalog.Int(ctx, "general_max_months")
	case pb.SEVERITY_SERIOUS:
		lo, hi = catalog.Int(ctx, "serious_min_months"), catalog.Int(ctx, "serious_max_months")
	}
	hi = min(hi, catalog.Int(ctx, "local_disclosure_cap_months"))
	p.MinUntil, p.MaxUntil = int32(decided.AddMonths(int(lo))), int32(decided.AddMonths(int(hi)))
}
