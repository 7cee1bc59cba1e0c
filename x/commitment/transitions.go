package commitment

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// CheckSubmit refuses what is wrong whatever the state (CMT-1).
func CheckSubmit(m *pb.SubmitCommitment) error {
	c := &m.Content
	parts, err := code.ParseCommitmentCode(c.Code)
	if err != nil {
		return ErrCode.With("%s", x.Why(err))
	}
	if err := x.CheckUSCC(c.Subject, "subject"); err != nil {
		return err
	}
	if err := x.CheckUSCC(c.Acceptor, "acceptor"); err != nil {
		return err
	}
	if c.Type > 6 {
		return ErrType
	}
	if c.Publication < 1 || c.Publication > 3 {
		return ErrPublication
	}
	if err := x.CheckDate(c.MadeOn, "made_on", false); err != nil {
		return err
	}
	if err := x.CheckDate(c.ValidUntil, "valid_until", true); err != nil {
		return err
	}
	if y, m, d := calendar.Date(c.MadeOn).YMD(); parts.Year != y || parts.Month != m || parts.Day != d {
		return ErrCode.With("the code says %04d-%02d-%02d, made_on says %s", parts.Year, parts.Month, parts.Day, calendar.Date(c.MadeOn))
	}
	if c.ValidUntil != 0 && c.ValidUntil < c.MadeOn {
		return ErrWindow.With("valid until %s, made on %s", calendar.Date(c.ValidUntil), calendar.Date(c.MadeOn))
	}
	if err := x.CheckDigest(c.TextDigest, "text_digest", false); err != nil {
		return err
	}
	if err := x.CheckDigest(m.PaperDigest, "paper_digest", true); err != nil {
		return err
	}
	return x.CheckToken(c.Business, "business", true)
}

// Submit is A1 and A2: the acceptor takes a commitment in, or an agent files it on the subject's signed paper.
func Submit(ctx *x.Ctx, m *pb.SubmitCommitment) (x.Done, error) {
	if err := CheckSubmit(m); err != nil {
		return x.Done{}, err
	}
	c := m.Content
	done := x.Done{Record: ID(&c)}
	if m.Issuer == c.Acceptor {
		if _, err := member.Act(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_COMMITMENT); err != nil {
			return done, err
		}
	} else {
		if m.Accepted {
			return done, ErrState.With("only the acceptor records a commitment as accepted")
		}
		if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
			return done, err
		}
		if len(m.PaperDigest) == 0 {
			return done, ErrPaper
		}
	}
	if old, ok := Get(ctx, c.Code); ok {
		if !bytes.Equal(x.EncodeRow(&old.Content), x.EncodeRow(&c)) {
			return done, x.ErrDifferently.With("commitment %s stands with other content", c.Code)
		}
		if m.Accepted && old.State == pb.COMMITMENT_PENDING {
			// An agent filed it; its acceptor now says that it has accepted it: A3.
			return accept(ctx, old, done)
		}
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if _, err := subject.Require(ctx, c.Subject); err != nil {
		return done, err
	}
	if c.MadeOn > int32(ctx.Today) {
		return done, ErrWindow.With("made on %s, which is after today (%s)", calendar.Date(c.MadeOn), ctx.Today)
	}
	acceptor, ok := member.Look(ctx, c.Acceptor)
	if !ok || acceptor.Removed {
		return done, member.ErrUnknown.With("acceptor %s is not a member", c.Acceptor)
	}
	if err := checkRegion(ctx, acceptor, &c); err != nil {
		return done, err
	}
	if c.TemplateVersion != 0 {
		t, ok := catalog.Template(ctx, c.Type, c.TemplateVersion)
		if !ok || t.Closed {
			return done, ErrTemplate.With("version %d of the template for type %d is not in force", c.TemplateVersion, c.Type)
		}
	}
	if err := checkBar(ctx, &c); err != nil {
		return done, err
	}
	row := &pb.Commitment{Content: c, State: pb.COMMITMENT_PENDING, RecordedOn: int32(ctx.Today), PaperDigest: m.PaperDigest}
	if m.Accepted {
		row.State, row.AcceptedOn = pb.COMMITMENT_SUPERVISED, int32(ctx.Today)
	}
	put(ctx, row)
	if m.Accepted {
		accepted(ctx, row)
	}
	return done, nil
}

// checkRegion holds that the acceptor acts where the code says that it accepted. A region covers those below it in the table.
func checkRegion(ctx *x.Ctx, acceptor *pb.Member, c *pb.CommitmentContent) error {
	for _, r := range catalog.Ancestors(ctx, c.Code[:6]) {
		if slices.Contains(acceptor.Regions, r) {
			return nil
		}
	}
	return ErrRegion.With("%s does not act in region %s", c.Acceptor, c.Code[:6])
}

// checkBar is INV-07: types 1 (审批替代型) and 3 (证明事项型) are closed to a barred subject.
func checkBar(ctx *x.Ctx, c *pb.CommitmentContent) error {
	if c.Type != 1 && c.Type != 3 {
		return nil
	}
	bar, barred := Barred(ctx, c.Subject)
	if !barred {
		return nil
	}
	why := "a published record of class 严重"
	if bar.Cause == pb.BAR_BREACH {
		why = "an unrepaired breach of a commitment"
	}
	return ErrPromiseBar.With("since %s %s closes commitment in place of proof to %s", calendar.Date(bar.Since), why, c.Subject)
}

// pending finds a commitment that its acceptor is about to decide on.
func decidable(ctx *x.Ctx, issuer, codeOf string, role pb.Role, kind pb.MandateKind) (*pb.Commitment, error) {
	c, ok := Get(ctx, codeOf)
	if !ok {
		return nil, ErrUnknown.With("no commitment has code %q", codeOf)
	}
	if c.Content.Acceptor != issuer {
		return nil, x.ErrNotIssuer.With("commitment %s is accepted by %s, not by %s", codeOf, c.Content.Acceptor, issuer)
	}
	if _, err := member.ActOn(ctx, issuer, role, kind); err != nil {
		return nil, err
	}
	return c, nil
}

// Accept is A3.
func Accept(ctx *x.Ctx, m *pb.AcceptCommitment) (x.Done, error) {
	c, err := decidable(ctx, m.Issuer, m.Code, pb.ROLE_RECORD, pb.MANDATE_COMMITMENT)
	if err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: ID(&c.Content)}
	switch c.State {
	case pb.COMMITMENT_PENDING:
	case pb.COMMITMENT_SUPERVISED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("commitment %s is not pending", m.Code)
	}
	return accept(ctx, c, done)
}

// accept takes a pending commitment in.
func accept(ctx *x.Ctx, c *pb.Commitment, done x.Done) (x.Done, error) {
	if err := checkBar(ctx, &c.Content); err != nil {
		return done, err
	}
	c.State, c.AcceptedOn = pb.COMMITMENT_SUPERVISED, int32(ctx.Today)
	put(ctx, c)
	accepted(ctx, c)
	return done, nil
}

// accepted does what follows from an acceptance: a public type-4 commitment lifts the bars of breaches that are cured.
func accepted(ctx *x.Ctx, c *pb.Commitment) {
	if c.Content.Type == 4 && c.Content.Publication == 1 {
		liftCured(ctx, c.Content.Subject)
	}
}

// Reject is A4.
func Reject(ctx *x.Ctx, m *pb.RejectCommitment) (x.Done, error) {
	return end(ctx, m.Issuer, m.Code, m.ReasonDigest, pb.ROLE_RECORD, pb.MANDATE_COMMITMENT, pb.COMMITMENT_REJECTED, pb.COMMITMENT_PENDING)
}

// Withdraw is A8: only what was accepted by error.
func Withdraw(ctx *x.Ctx, m *pb.WithdrawCommitment) (x.Done, error) {
	return end(ctx, m.Issuer, m.Code, m.ReasonDigest, pb.ROLE_REVIEW, pb.MANDATE_UNSET, pb.COMMITMENT_WITHDRAWN,
		pb.COMMITMENT_PENDING, pb.COMMITMENT_SUPERVISED, pb.COMMITMENT_DUE)
}

func end(ctx *x.Ctx, issuer, codeOf string, reason []byte, role pb.Role, kind pb.MandateKind, to pb.CommitmentState, from ...pb.CommitmentState) (x.Done, error) {
	if len(reason) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	c, err := decidable(ctx, issuer, codeOf, role, kind)
	if err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: ID(&c.Content)}
	if !slices.Contains(from, c.State) {
		return done, ErrState.With("commitment %s is %s", codeOf, c.State)
	}
	c.State, c.ReasonDigest = to, reason
	put(ctx, c)
	return done, nil
}

// Expire is A5, by timer.
func Expire(ctx *x.Ctx, id []byte) {
	c, ok := commitments.Get(ctx, string(id[:18]), id[18:])
	if !ok || c.State != pb.COMMITMENT_SUPERVISED {
		x.Faultf("a timer speaks of commitment %s, which is not supervised", id[18:])
	}
	c.State = pb.COMMITMENT_DUE
	put(ctx, c)
}

// Assess is A6. The caller has checked the facts (CMT-2). A breach bars types 1 and 3 in the same block.
func Assess(ctx *x.Ctx, c *pb.Commitment) {
	put(ctx, c)
	if c.State == pb.COMMITMENT_BREACHED {
		putBar(ctx, &pb.PromiseBar{
			Subject: c.Content.Subject, CauseId: ID(&c.Content), Cause: pb.BAR_BREACH, Since: int32(ctx.Today), Commitment: c.Content.Code,
		})
	}
}

// Cure is A7. The caller has checked the facts.
func Cure(ctx *x.Ctx, c *pb.Commitment) {
	put(ctx, c)
	liftCured(ctx, c.Content.Subject)
}

// Bar closes types 1 and 3 because of a published record of class 严重.
func Bar(ctx *x.Ctx, uscc string, record []byte) {
	putBar(ctx, &pb.PromiseBar{Subject: uscc, CauseId: record, Cause: pb.BAR_SERIOUS, Since: int32(ctx.Today)})
}

// LiftBar lifts the bar that a record of class 严重 set, if it stands.
func LiftBar(ctx *x.Ctx, uscc string, record []byte) {
	if b, ok := bars.Get(ctx, uscc, record); ok && b.LiftedOn == 0 {
		b.LiftedOn = int32(ctx.Today)
		putBar(ctx, b)
	}
}

// Link says that a live negative record punishes the breach of a commitment: the bar now goes with the record. It stands again if
// it was lifted (a repair that was revoked).
func Link(ctx *x.Ctx, codeOf string, record []byte) {
	b := breachBar(ctx, codeOf)
	if i, found := slices.BinarySearchFunc(b.Linked, record, bytes.Compare); !found {
		b.Linked = slices.Insert(b.Linked, i, bytes.Clone(record))
	}
	b.HadLinked, b.LiftedOn = true, 0
	putBar(ctx, b)
}

// Unlink says that such a record is repaired, at its term or withdrawn. With the last one the bar lifts.
func Unlink(ctx *x.Ctx, codeOf string, record []byte) {
	b := breachBar(ctx, codeOf)
	if i, found := slices.BinarySearchFunc(b.Linked, record, bytes.Compare); found {
		b.Linked = slices.Delete(b.Linked, i, i+1)
	}
	if len(b.Linked) == 0 && b.LiftedOn == 0 {
		b.LiftedOn = int32(ctx.Today)
	}
	putBar(ctx, b)
}

func breachBar(ctx *x.Ctx, codeOf string) *pb.PromiseBar {
	c, ok := Get(ctx, codeOf)
	if !ok {
		x.Faultf("a penalty speaks of commitment %s, which is not recorded", codeOf)
	}
	b, ok := bars.Get(ctx, c.Content.Subject, ID(&c.Content))
	if !ok {
		x.Faultf("breached commitment %s has no bar", codeOf)
	}
	return b
}

// liftCured lifts the bars of breaches that are cured and led to no negative record, once a public type-4 commitment stands that was
// made after the breach was found.
func liftCured(ctx *x.Ctx, uscc string) {
	// Bars first: a firm has few or none, and may have thousands of commitments.
	var waiting []*pb.PromiseBar
	ctx.Iterate(x.Key(standingBars.Prefix, []byte(uscc)), nil, func(key, _ []byte) bool {
		if b, ok := bars.Get(ctx, uscc, key[19:]); ok && b.Cause == pb.BAR_BREACH && !b.HadLinked {
			if c, ok := Get(ctx, b.Commitment); ok && c.State == pb.COMMITMENT_CURED {
				waiting = append(waiting, b)
			}
		}
		return true
	})
	if len(waiting) == 0 {
		return
	}
	var promised int32
	Each(ctx, uscc, func(c *pb.Commitment) bool {
		if c.Content.Type == 4 && Public(c) && c.State == pb.COMMITMENT_SUPERVISED && c.Content.MadeOn > promised {
			promised = c.Content.MadeOn
		}
		return true
	})
	for _, b := range waiting {
		if promised != 0 && promised >= b.Since {
			b.LiftedOn = int32(ctx.Today)
			putBar(ctx, b)
		}
	}
}

// Hide takes a type-4 commitment out of public view: its repair takes effect in this block.
func Hide(ctx *x.Ctx, codeOf string) { setHidden(ctx, codeOf, true) }

// Show brings it back: the repair is revoked.
func Show(ctx *x.Ctx, codeOf string) { setHidden(ctx, codeOf, false) }

func setHidden(ctx *x.Ctx, codeOf string, hidden bool) {
	c, ok := Get(ctx, codeOf)
	if !ok {
		x.Faultf("a repair speaks of commitment %s, which is not recorded", codeOf)
	}
	c.Hidden = hidden
	put(ctx, c)
}
