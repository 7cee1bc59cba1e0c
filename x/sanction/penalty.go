package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// amountMax bounds a fine: 10^15 fen. Sums of two stay within 64 bits.
const amountMax = 1_000_000_000_000_000

// CheckRecord refuses what is wrong whatever the state.
func CheckRecord(m *pb.RecordPenalty) error {
	c := &m.Content
	d := penaltyDecision(c)
	if err := checkParties(&d.Facts); err != nil {
		return err
	}
	if err := checkKinds(c); err != nil {
		return err
	}
	for _, on := range []struct {
		date     int32
		field    string
		optional bool
	}{
		{c.DecidedOn, "decided_on", false},
		{c.ValidUntil, "valid_until", true},
		{c.NoticeServedOn, "notice_served_on", true},
		{c.ServedOn, "served_on", false},
	} {
		if err := x.CheckDate(on.date, on.field, on.optional); err != nil {
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
	if err := checkSeverity(c.Severity, c.Necessary, c.NecessityDigest); err != nil {
		return err
	}
	if err := x.CheckDigest(c.ActDigest, "act_digest", true); err != nil {
		return err
	}
	if err := x.CheckDigest(c.Replaces, "replaces", true); err != nil {
		return err
	}
	return checkPlace(d)
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

// Record is P1 and P2 for a penalty.
func Record(ctx *x.Ctx, m *pb.RecordPenalty) (x.Done, error) {
	if ctx.Sound != m {
		if err := CheckRecord(m); err != nil {
			return x.Done{}, err
		}
	}
	c := &m.Content // the message stays as it is: nobody changes what a record says
	d, issuer, done, err := begin(ctx, pb.DISHONESTY_PENALTY, penaltyDecision(c), c, pb.MANDATE_PENALTY)
	if d == nil {
		return done, err
	}
	class, err := penaltyFits(ctx, issuer, c, "", d.Id)
	if err != nil {
		return done, err
	}
	d.Penalty, d.Class = c, class
	classified(ctx, d, c.Necessary)
	if err := subject.Admit(ctx, c.Subject, 1); err != nil {
		return done, err
	}
	create(ctx, d)
	decided(ctx, c, d.Id)
	return done, nil
}

// penaltyFits refuses a penalty for which the agency is not competent (INV-05), or that may not be (INV-06), and gives its class. breach is the one
// that the record is known to punish already.
func penaltyFits(ctx *x.Ctx, issuer *pb.Member, c *pb.PenaltyContent, breach string, id []byte) (pb.Severity, error) {
	if err := member.Competent(issuer, catalog.Ancestors(ctx, c.ViolationRegion), c.Kinds, c.PowerCode, calendar.Date(c.DecidedOn), c.Designation); err != nil {
		return 0, err
	}
	if err := checkBreachOf(ctx, c.BreachOf, c.Subject, breach); err != nil {
		return 0, err
	}
	if err := checkAct(ctx, c, id); err != nil {
		return 0, err
	}
	return classify(ctx, c)
}

func penaltyFacts(c *pb.PenaltyContent) Facts {
	return Facts{Issuer: c.Issuer, Subject: c.Subject, DocNo: c.DocNo, DecidedOn: c.DecidedOn, BreachOf: c.BreachOf, PowerCode: c.PowerCode}
}

func penaltyDecision(c *pb.PenaltyContent) *decision {
	return &decision{
		Facts:  penaltyFacts(c),
		served: c.ServedOn, twoDocuments: c.RepairNoticeServed, region: c.ViolationRegion, sector: c.Sector, designation: c.Designation, text: c.TextDigest,
	}
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

// setDates sets the dates of publicity, which follow from the decision (INV-09). Publicity is never lengthened by a holiday.
func setDates(ctx *x.Ctx, p *pb.Dishonesty) {
	of := dated{kind: p.Kind, class: p.Class, decided: calendar.Date(Of(p).DecidedOn), recorded: calendar.Date(p.RecordedOn)}
	var d dates
	if p.Kind == pb.DISHONESTY_LIST {
		lo, hi := listTerms(ctx, p.List)
		d = datesOf(ctx, of, lo, hi)
	} else {
		d = x.FromTables(ctx, of, func() dates { // many records of a day have the same
			lo, hi := terms(ctx, of)
			return datesOf(ctx, of, lo, hi)
		})
	}
	p.PublishBy, p.VerifyBy, p.MinUntil, p.MaxUntil = d.publishBy, d.verifyBy, d.minUntil, d.maxUntil
}

// dated is what the dates of publicity depend on, where no list has terms of its own.
type dated struct {
	kind              pb.DishonestyKind
	class             pb.Severity
	decided, recorded calendar.Date
}

type dates struct{ publishBy, verifyBy, minUntil, maxUntil int32 }

// terms gives the shortest and the longest publicity in months.
func terms(r x.Reader, of dated) (lo, hi int64) {
	switch {
	case of.kind == pb.DISHONESTY_ABNORMAL:
		return catalog.Int(r, "abnormal_min_months"), catalog.Int(r, "abnormal_max_months")
	case of.class == pb.SEVERITY_GENERAL:
		return catalog.Int(r, "general_min_months"), catalog.Int(r, "general_max_months")
	case of.class == pb.SEVERITY_SERIOUS:
		return catalog.Int(r, "serious_min_months"), catalog.Int(r, "serious_max_months")
	}
	return 0, catalog.Int(r, "minor_max_months")
}

func datesOf(r x.Reader, of dated, lo, hi int64) dates {
	cal := catalog.Calendar(r)
	hi = min(hi, catalog.Int(r, "local_disclosure_cap_months"))
	if of.decided < catalog.Order36 { // D-1: decided under another rule, the shorter of the longest periods counts
		hi = min(hi, catalog.Int(r, "order58_max_months"))
	}
	return dates{
		publishBy: int32(cal.AddWorkingDays(of.decided, int(catalog.Int(r, "publish_deadline_wd")))),
		verifyBy:  int32(cal.AddWorkingDays(of.recorded, int(catalog.Int(r, "verify_inbound_wd")))),
		minUntil:  int32(of.decided.AddMonths(int(lo))), maxUntil: int32(of.decided.AddMonths(int(hi))),
	}
}
