package sanction

import (
	"bytes"
	"fmt"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// One act, no two fines (一事不二罚款, L1 art 29, INV-06), and who decides where several could (L1 art 25). An act is known by a digest on which the agencies
// agree (违法行为标识); a record need not name one. An agency may claim an act by filing its case (立案): the first to file decides, unless another is
// designated (指定管辖).
var (
	// Cases, subject ‖ act.
	cases = subject.NewRecords[pb.Case](0x66, "case uscc[18] act[32]")
	// The penalty with a fine for an act. One that was repaired or has expired counts: its fine was imposed. Follows from the records.
	fines = x.Declare(x.TableInfo{Prefix: 0x67, Layout: "fine uscc[18] act[32] → dishonesty record[32]", Binding: x.Derived})
)

// DutyDecide is laid on the agency that filed a case.
var DutyDecide = x.DeclareDuty(7, "decide_case", "作出处罚决定", "L1 art 60")

// CaseOf reads the case of an act.
func CaseOf(r x.Reader, uscc string, act []byte) (*pb.Case, bool) { return cases.Get(r, uscc, act) }

// EachCase visits a subject's cases by act.
func EachCase(r x.Reader, uscc string, fn func(c *pb.Case) (more bool)) { cases.Each(r, uscc, fn) }

// Fined says whether a fine for an act of a subject stands, other than that of a record.
func Fined(r x.Reader, uscc string, act, but []byte) bool {
	id, ok := x.Peek(r, x.Key(fines.Prefix, []byte(uscc), act))
	return ok && !bytes.Equal(id, but)
}

// finedAct is the act for which a record imposes a fine; nil where it imposes none or names no act, and where its decision is gone.
func finedAct(d *pb.Dishonesty) []byte {
	if d == nil || d.Penalty == nil || len(d.Of) != 0 || StateOf(d) == pb.RECORD_WITHDRAWN {
		return nil
	}
	if c := d.Penalty; len(c.ActDigest) != 0 && (c.FineFen > 0 || slices.Contains(c.Kinds, 3)) {
		return c.ActDigest
	}
	return nil
}

// setFines keeps the index of fines in step with a record, and closes the case of a decision that is gone. old is nil for a new record.
func setFines(ctx *x.Ctx, old, now *pb.Dishonesty) {
	uscc := []byte(Of(now).Subject)
	if was, is := finedAct(old), finedAct(now); !bytes.Equal(was, is) {
		if was != nil {
			ctx.Delete(x.Key(fines.Prefix, uscc, was))
		}
		if is != nil {
			ctx.Set(x.Key(fines.Prefix, uscc, is), now.Id)
		}
	}
	if old == nil || old.State == now.State || now.State != pb.RECORD_WITHDRAWN || now.Penalty == nil || len(now.Penalty.ActDigest) == 0 {
		return
	}
	if c, ok := cases.Get(ctx, string(uscc), now.Penalty.ActDigest); ok && c.State == pb.CASE_PENALTY && bytes.Equal(c.Record, now.Id) {
		c.State = pb.CASE_CLOSED
		putCase(ctx, c)
	}
}

// DutiesOfCase gives the duty that a case lays on the agency that filed it: to decide.
func DutiesOfCase(c *pb.Case) []x.Duty {
	if c.State != pb.CASE_OPEN {
		return nil
	}
	return []x.Duty{{Owner: c.Issuer, Due: calendar.Date(c.DecideBy), Kind: DutyDecide, Subject: c.Subject, Record: c.ActDigest, Alarmed: c.Missed}}
}

func putCase(ctx *x.Ctx, c *pb.Case) {
	var before []x.Duty
	if old, ok := cases.Get(ctx, c.Subject, c.ActDigest); ok {
		before = DutiesOfCase(old)
	}
	x.Assign(ctx, before, DutiesOfCase(c))
	cases.PutAside(ctx, c.Subject, c.ActDigest, c)
}

// FileCase is C1: an agency claims an act. Where another has claimed it, only a designation takes the case over.
func FileCase(ctx *x.Ctx, m *pb.FileCase) (x.Done, error) {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.ActDigest, "act_digest", false); err != nil {
		return x.Done{}, err
	}
	if err := code.CheckRegion(m.ViolationRegion); err != nil {
		return x.Done{}, ErrRegion.With("%s", x.Why(err))
	}
	for _, t := range []struct{ s, field string }{{m.PowerCode, "power_code"}, {m.Designation, "designation"}} {
		if err := x.CheckToken(t.s, t.field, true); err != nil {
			return x.Done{}, err
		}
	}
	done := x.Done{Record: m.ActDigest}
	issuer, err := member.Act(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_PENALTY)
	if err != nil {
		return done, err
	}
	if err := subject.Enrolled(ctx, m.Subject); err != nil {
		return done, err
	}
	if _, ok := catalog.Region(ctx, m.ViolationRegion, ctx.Today); !ok {
		return done, ErrRegion.With("region %s is not in the region table on %s", m.ViolationRegion, ctx.Today)
	}
	if err := member.Competent(issuer, catalog.Ancestors(ctx, m.ViolationRegion), nil, m.PowerCode, ctx.Today, m.Designation); err != nil {
		return done, err
	}
	if old, ok := cases.Get(ctx, m.Subject, m.ActDigest); ok {
		if old.State == pb.CASE_OPEN && old.Issuer == m.Issuer {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		if err := checkClaim(old, m.Issuer, m.Designation); err != nil {
			return done, err
		}
		if old.State == pb.CASE_PENALTY {
			return done, ErrCase.With("the act was decided on %s", calendar.Date(old.EndedOn))
		}
	}
	if Fined(ctx, m.Subject, m.ActDigest, nil) {
		return done, ErrDoubleFine
	}
	if err := subject.Admit(ctx, m.Subject, 1); err != nil {
		return done, err
	}
	putCase(ctx, &pb.Case{
		Subject: m.Subject, ActDigest: m.ActDigest, Issuer: m.Issuer, FiledOn: int32(ctx.Today), ViolationRegion: m.ViolationRegion, PowerCode: m.PowerCode,
		Designation: m.Designation, State: pb.CASE_OPEN,
		DecideBy: int32(catalog.Calendar(ctx).Roll(ctx.Today.AddDays(int(catalog.Int(ctx, "case_decide_days"))))),
	})
	return done, nil
}

// checkClaim refuses an act that another agency has claimed, or that was decided without a penalty. Who is designated decides all the same.
func checkClaim(c *pb.Case, issuer, designation string) error {
	switch {
	case c.State == pb.CASE_OPEN && c.Issuer != issuer && designation == "":
		return ErrCase.With("%s filed the case on %s", c.Issuer, calendar.Date(c.FiledOn))
	case c.State == pb.CASE_NO_PENALTY:
		return ErrCase.With("the act was decided without a penalty on %s", calendar.Date(c.EndedOn))
	}
	return nil
}

// CloseCase is C3: no decision comes of a case (撤案, 移送).
func CloseCase(ctx *x.Ctx, m *pb.CloseCase) (x.Done, error) {
	if err := x.CheckDigest(m.ActDigest, "act_digest", false); err != nil {
		return x.Done{}, err
	}
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: m.ActDigest}
	if _, err := member.ActOn(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return done, err
	}
	c, ok := cases.Get(ctx, m.Subject, m.ActDigest)
	if len(m.Subject) != 18 || !ok || c.Issuer != m.Issuer && !member.Decides(ctx, c.Issuer) { // another agency's case is told to nobody (INV-03)
		return done, ErrCase.With("%s has filed no case of this act of %q", m.Issuer, m.Subject)
	}
	if c.Issuer != m.Issuer {
		return done, x.ErrNotIssuer.With("the case was filed by another agency than %s", m.Issuer)
	}
	switch c.State {
	case pb.CASE_OPEN:
	case pb.CASE_CLOSED:
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrCase.With("the case is %s", c.State)
	}
	c.State, c.EndedOn, c.ReasonDigest = pb.CASE_CLOSED, int32(ctx.Today), m.ReasonDigest
	putCase(ctx, c)
	return done, nil
}

// checkAct refuses a second fine for an act (INV-06), a decision on an act that another agency has claimed, and one that replaces a decision that stands.
func checkAct(ctx *x.Ctx, c *pb.PenaltyContent, id []byte) error {
	if len(c.Replaces) != 0 {
		old, ok := Get(ctx, c.Replaces)
		if !ok || old.Kind != pb.DISHONESTY_PENALTY || Of(old).Subject != c.Subject || StateOf(old) != pb.RECORD_WITHDRAWN {
			return ErrReplaces.With("%x is no withdrawn penalty of %s", c.Replaces, c.Subject)
		}
	}
	if len(c.ActDigest) == 0 {
		return nil
	}
	if finedAct(&pb.Dishonesty{Penalty: c}) != nil && Fined(ctx, c.Subject, c.ActDigest, id) {
		return ErrDoubleFine
	}
	if open, ok := cases.Get(ctx, c.Subject, c.ActDigest); ok {
		return checkClaim(open, c.Issuer, c.Designation)
	}
	return nil
}

// decided is C2: the decision on a case is recorded.
func decided(ctx *x.Ctx, c *pb.PenaltyContent, id []byte) {
	if len(c.ActDigest) == 0 {
		return
	}
	if open, ok := cases.Get(ctx, c.Subject, c.ActDigest); ok && open.State == pb.CASE_OPEN {
		open.State, open.EndedOn, open.Record, open.Issuer = pb.CASE_PENALTY, int32(ctx.Today), id, c.Issuer
		putCase(ctx, open)
	}
}

// CheckSpared refuses to decide without a penalty (不予处罚) on an act for which a fine stands, or that another agency has claimed.
func CheckSpared(r x.Reader, uscc string, act []byte, issuer, designation string) error {
	if Fined(r, uscc, act, nil) {
		return ErrDoubleFine.With("a fine for this act stands: it was decided")
	}
	if c, ok := cases.Get(r, uscc, act); ok {
		return checkClaim(c, issuer, designation)
	}
	return nil
}

// Spare is C4: an act is decided without a penalty, by the record of package leniency. Unspare takes that back.
func Spare(ctx *x.Ctx, uscc string, act []byte, issuer string, record []byte) {
	c, ok := cases.Get(ctx, uscc, act)
	if !ok {
		c = &pb.Case{Subject: uscc, ActDigest: act, FiledOn: int32(ctx.Today)}
	}
	c.Issuer, c.State, c.EndedOn, c.Record = issuer, pb.CASE_NO_PENALTY, int32(ctx.Today), record
	putCase(ctx, c)
}

// Unspare opens an act again to a case: the decision without a penalty was withdrawn.
func Unspare(ctx *x.Ctx, uscc string, act, record []byte) {
	if c, ok := cases.Get(ctx, uscc, act); ok && c.State == pb.CASE_NO_PENALTY && bytes.Equal(c.Record, record) {
		c.State = pb.CASE_CLOSED
		putCase(ctx, c)
	}
}

// missedDecision is what the clock does when no decision came in time.
func missedDecision(ctx *x.Ctx, uscc string, act []byte) {
	c, ok := cases.Get(ctx, uscc, act)
	if !ok || c.State != pb.CASE_OPEN {
		x.Faultf("a timer speaks of case %x, which is not open", act)
	}
	for _, duty := range DutiesOfCase(c) {
		subject.RaiseMissed(ctx, duty)
	}
	c.Missed = true
	putCase(ctx, c)
}

// checkCases is CAS-1. INV-06 is that the index of fines follows from the records: two fines for one act would make one row of it.
func checkCases(r x.Reader) (err error) {
	cases.All(r, func(uscc string, c *pb.Case) bool {
		if c.Subject != uscc || (c.State == pb.CASE_OPEN) != (c.EndedOn == 0) || (c.State == pb.CASE_PENALTY || c.State == pb.CASE_NO_PENALTY) && len(c.Record) == 0 {
			err = fmt.Errorf("CAS-1: case %x of %s is %s and lacks the facts of that state", c.ActDigest, uscc, c.State)
		}
		return err == nil
	})
	return err
}
