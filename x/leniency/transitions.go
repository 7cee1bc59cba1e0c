package leniency

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Limbs of L1 art 33(1), and what the act led to.
const (
	limbSlight = 1 // 违法行为轻微并及时改正，没有造成危害后果: there is no penalty
	limbFirst  = 2 // 初次违法且危害后果轻微并及时改正: there may be none

	harmNone   = 1 // 没有危害后果
	harmSlight = 2 // 危害后果轻微
)

// CheckRecord refuses what is wrong whatever the state.
func CheckRecord(m *pb.RecordNoPenalty) error {
	c := &m.Content
	if err := x.CheckUSCC(c.Issuer, "issuer"); err != nil {
		return err
	}
	if err := x.CheckUSCC(c.Subject, "subject"); err != nil {
		return err
	}
	if err := code.CheckDocNo(c.DocNo); err != nil {
		return sanction.ErrDocNo.With("%s", x.Why(err))
	}
	switch {
	case c.Limb != limbSlight && c.Limb != limbFirst:
		return ErrLimb.With("limb is 1 轻微并及时改正、没有危害后果, or 2 初次违法、危害后果轻微并及时改正")
	case c.Harm != harmNone && c.Harm != harmSlight:
		return ErrLimb.With("harm is 1 none or 2 slight: what did more harm is punished")
	case c.Limb == limbSlight && c.Harm != harmNone:
		return ErrLimb.With("the first limb asks that no harm was done")
	}
	for _, on := range []struct {
		date  int32
		field string
	}{{c.CorrectedOn, "corrected_on"}, {c.DecidedOn, "decided_on"}} {
		if err := x.CheckDate(on.date, on.field, false); err != nil {
			return err
		}
	}
	if c.CorrectedOn > c.DecidedOn {
		return ErrLimb.With("mended on %s, decided on %s: what is not mended is punished", calendar.Date(c.CorrectedOn), calendar.Date(c.DecidedOn))
	}
	if err := code.CheckRegion(c.ViolationRegion); err != nil {
		return sanction.ErrRegion.With("%s", x.Why(err))
	}
	for _, t := range []struct {
		s, field string
		optional bool
	}{{c.PowerCode, "power_code", false}, {c.Item, "item", true}, {c.Sector, "sector", true}, {c.Designation, "designation", true}} {
		if err := x.CheckToken(t.s, t.field, t.optional); err != nil {
			return err
		}
	}
	if err := x.CheckDigest(c.ActDigest, "act_digest", true); err != nil {
		return err
	}
	if err := x.CheckDigest(c.EducationDigest, "education_digest", false); err != nil {
		return err
	}
	return x.CheckDigest(c.TextDigest, "text_digest", false)
}

// Record is N1.
func Record(ctx *x.Ctx, m *pb.RecordNoPenalty) (x.Done, error) {
	if err := CheckRecord(m); err != nil {
		return x.Done{}, err
	}
	c := m.Content
	id := ID(c.Issuer, c.DocNo, c.Subject)
	done := x.Done{Record: id[:]}
	issuer, err := member.Act(ctx, c.Issuer, pb.ROLE_RECORD, pb.MANDATE_PENALTY)
	if err != nil {
		return done, err
	}
	if old, ok := Get(ctx, id[:]); ok {
		if bytes.Equal(x.EncodeRow(&old.Content), x.EncodeRow(&c)) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("%s against %s stands with other content", c.DocNo, c.Subject)
	}
	if err := subject.Enrolled(ctx, c.Subject); err != nil {
		return done, err
	}
	decided := calendar.Date(c.DecidedOn)
	if decided > ctx.Today {
		return done, sanction.ErrWindow.With("decided on %s, which is after today (%s)", decided, ctx.Today)
	}
	if _, ok := catalog.Region(ctx, c.ViolationRegion, decided); !ok {
		return done, sanction.ErrRegion.With("region %s is not in the region table on %s", c.ViolationRegion, decided)
	}
	if err := member.Competent(issuer, catalog.Ancestors(ctx, c.ViolationRegion), nil, c.PowerCode, decided, c.Designation); err != nil {
		return done, err
	}
	if c.Limb == limbFirst {
		if err := checkFirst(ctx, &c); err != nil {
			return done, err
		}
	}
	if len(c.ActDigest) != 0 {
		if err := sanction.CheckSpared(ctx, c.Subject, c.ActDigest, c.Issuer, c.Designation); err != nil {
			return done, err
		}
	}
	rows := 1
	if len(c.ActDigest) != 0 {
		rows++ // the case of the act
	}
	if err := subject.Admit(ctx, c.Subject, rows); err != nil {
		return done, err
	}
	ctx.Set(x.Key(byID.Prefix, id[:]), []byte(c.Subject))
	put(ctx, &pb.NoPenalty{Id: id[:], Content: c, RecordedOn: int32(ctx.Today), Submitter: ctx.Member})
	if len(c.ActDigest) != 0 {
		sanction.Spare(ctx, c.Subject, c.ActDigest, c.Issuer, id[:])
	}
	return done, nil
}

// checkFirst refuses an offence that is not the first under its power within the window before the decision.
func checkFirst(r x.Reader, c *pb.NoPenaltyContent) error {
	window := int(catalog.Int(r, "first_offence_months"))
	var last calendar.Date // the newest earlier one
	count := func(on int32) {
		if d := calendar.Date(on); on <= c.DecidedOn && d.AddMonths(window) >= calendar.Date(c.DecidedOn) && d > last {
			last = d
		}
	}
	Each(r, c.Subject, func(n *pb.NoPenalty) bool {
		if Stands(n) && n.Content.PowerCode == c.PowerCode {
			count(n.Content.DecidedOn)
		}
		return true
	})
	sanction.Each(r, c.Subject, func(d *pb.Dishonesty) bool {
		if f := sanction.Of(d); d.Penalty != nil && sanction.Live(d) && f.PowerCode == c.PowerCode {
			count(f.DecidedOn)
		}
		return true
	})
	if last == 0 {
		return nil
	}
	free := last.AddMonths(window).AddDays(1)
	return ErrFirstOffence.With("an offence under power %s was decided on within %d months before %s", c.PowerCode, window, calendar.Date(c.DecidedOn)).On(free)
}

// Withdraw is N2: the act is open to a decision again.
func Withdraw(ctx *x.Ctx, m *pb.WithdrawNoPenalty) (x.Done, error) {
	if err := x.CheckDigest(m.Record, "record", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: m.Record}
	if _, err := member.ActOn(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return done, err
	}
	n, ok := Get(ctx, m.Record)
	if !ok || n.Content.Issuer != m.Issuer && !told(ctx, n) { // who may not be told of it gets what an unknown id gets (INV-03)
		return done, ErrUnknown.With("no decision without a penalty has id %x", m.Record)
	}
	if n.Content.Issuer != m.Issuer {
		return done, x.ErrNotIssuer.With("the decision was made by another agency than %s", m.Issuer)
	}
	if !Stands(n) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	n.WithdrawnOn, n.ReasonDigest = int32(ctx.Today), m.ReasonDigest
	put(ctx, n)
	if act := n.Content.ActDigest; len(act) != 0 {
		sanction.Unspare(ctx, n.Content.Subject, act, n.Id)
	}
	return done, nil
}

// told says whether the signer's agency may be told of a decision without a penalty (INV-01), as its gateway would tell it: who made it always, who decides
// under the same power while it stands.
func told(ctx *x.Ctx, n *pb.NoPenalty) bool {
	if member.Decides(ctx, n.Content.Issuer) {
		return true
	}
	m, ok := member.Look(ctx, ctx.Member)
	return ok && Stands(n) && slices.ContainsFunc(m.Competences, func(c *pb.Competence) bool {
		return len(c.PenaltyKinds) > 0 && c.PowerCode == n.Content.PowerCode && member.InWindow(ctx.Today, c.ValidFrom, c.ValidTo)
	})
}
