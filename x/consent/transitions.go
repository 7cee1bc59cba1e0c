package consent

import (
	"bytes"
	"errors"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// lastClass is the last of the data classes that there are.
const lastClass = pb.DATA_COMMITMENTS

// CheckContent refuses what is wrong with an authorisation whatever the state.
func CheckContent(c *pb.AuthorisationContent) error {
	for _, f := range []struct{ code, field string }{{c.Subject, "subject"}, {c.Grantee, "grantee"}, {c.Gateway, "gateway"}} {
		if err := x.CheckUSCC(f.code, f.field); err != nil {
			return err
		}
	}
	if c.Purpose < pb.PURPOSE_PRE_LOAN || c.Purpose > pb.PURPOSE_INSURANCE {
		return x.ErrEnum.With("purpose %d is not defined", c.Purpose)
	}
	if len(c.Classes) == 0 || len(c.Classes) > pb.ClassesMax {
		return x.ErrTooMany.With("an authorisation names 1 to %d classes of data, this one %d", pb.ClassesMax, len(c.Classes))
	}
	for i, class := range c.Classes {
		if class < pb.DATA_GRADE || class > lastClass {
			return x.ErrEnum.With("class of data %d is not defined", class)
		}
		if i > 0 && c.Classes[i-1] >= class {
			return x.ErrEnum.With("the classes of data are not ascending")
		}
	}
	if err := x.CheckToken(c.GrantNo, "grant_no", false); err != nil {
		return err
	}
	if err := x.CheckDate(c.GrantedOn, "granted_on", false); err != nil {
		return err
	}
	return x.CheckDate(c.ValidUntil, "valid_until", false)
}

// brings says whether the signer may bring what a firm has signed: an agency that files for firms, a gateway, or a lender.
func brings(ctx *x.Ctx, issuer string) error {
	return member.ActInAny(ctx, issuer, pb.MANDATE_UNSET, pb.ROLE_LENDER, pb.ROLE_GATEWAY, pb.ROLE_AGENT)
}

// Grant is U1.
func Grant(ctx *x.Ctx, m *pb.GrantAuthorisation, signed subject.Signed) (x.Done, error) {
	c := &m.Content
	if err := CheckContent(c); err != nil {
		return x.Done{}, err
	}
	id := ID(c.Subject, c.GrantNo)
	done := x.Done{Record: id[:]}
	if err := brings(ctx, m.Issuer); err != nil {
		return done, err
	}
	// Whose signature it is comes first: who brings none of the firm's learns nothing of what the firm has granted to others.
	if !signed(pb.GrantDigest(ctx.Chain.ID, c), m.Signature, m.Key) {
		return done, ErrSignature
	}
	old, stands := Get(ctx, id[:])
	same := stands && bytes.Equal(x.EncodeRow(&old.Content), x.EncodeRow(c))
	if same && bytes.Equal(old.Key, m.Key) { // the key may have ended since
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if err := subject.Holds(ctx, c.Subject, m.Key); err != nil {
		return done, err
	}
	if same {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if stands {
		return done, x.ErrDifferently.With("authorisation %s of %s stands with other content", c.GrantNo, c.Subject)
	}
	if lender, ok := member.Look(ctx, c.Grantee); !ok || !member.Carries(lender, pb.ROLE_LENDER) {
		return done, ErrParty.With("%s is no member that lends", c.Grantee)
	}
	if gateway, ok := member.Look(ctx, c.Gateway); !ok || !member.Carries(gateway, pb.ROLE_GATEWAY) {
		return done, ErrParty.With("%s is no member that runs a gateway", c.Gateway)
	}
	granted, until := calendar.Date(c.GrantedOn), calendar.Date(c.ValidUntil)
	months := int(catalog.Int(ctx, "auth_max_validity_months"))
	switch {
	case granted > ctx.Today:
		return done, ErrTerm.With("it was signed for %s, today is %s", granted, ctx.Today).On(granted)
	case until < granted || until < ctx.Today:
		return done, ErrTerm.With("its last day is %s, today is %s", until, ctx.Today)
	case until > granted.AddMonths(months):
		return done, ErrTerm.With("signed on %s it lasts until %s at most, %d months", granted, granted.AddMonths(months), months)
	}
	if err := subject.Admit(ctx, c.Subject, 1); err != nil {
		return done, err
	}
	put(ctx, nil, &pb.Authorisation{
		Id: id[:], Content: *c, Key: m.Key, Signature: m.Signature, State: pb.AUTHORISATION_LIVE, RecordedOn: int32(ctx.Today),
	})
	return done, nil
}

// Withdraw is U2.
func Withdraw(ctx *x.Ctx, m *pb.WithdrawAuthorisation, signed subject.Signed) (x.Done, error) {
	if err := brings(ctx, m.Issuer); err != nil {
		return x.Done{}, err
	}
	if len(m.Authorisation) != pb.DigestBytes {
		return x.Done{}, ErrNone.With("the id of an authorisation has %d bytes, not %d", pb.DigestBytes, len(m.Authorisation))
	}
	// Whose signature it is comes first: who brings none of the firm's learns nothing of what the firm has granted to others.
	if !signed(pb.WithdrawDigest(ctx.Chain.ID, m.Authorisation), m.Signature, m.Key) {
		return x.Done{}, ErrSignature
	}
	key, known := subject.Key(ctx, m.Key)
	if !known {
		return x.Done{}, subject.ErrKeyUnknown.With("%x is no key of a firm", m.Key)
	}
	a, ok := Get(ctx, m.Authorisation)
	if !ok || a.Content.Subject != key.Subject {
		return x.Done{}, ErrNone.With("the firm of this key has no authorisation %x: bring the withdrawal again once its grant stands", m.Authorisation)
	}
	done := x.Done{Record: a.Id}
	if err := subject.Holds(ctx, a.Content.Subject, m.Key); err != nil && !errors.Is(err, subject.ErrDeregistered) {
		return done, err
	}
	switch a.State {
	case pb.AUTHORISATION_WITHDRAWN:
		done.Note = x.AlreadyRecorded
		return done, nil
	case pb.AUTHORISATION_LIVE:
		end(ctx, a, pb.AUTHORISATION_WITHDRAWN, m.Signature)
		return done, nil
	}
	return done, ErrEnded
}

// Expire is U3, by timer.
func Expire(ctx *x.Ctx, id []byte) {
	a, ok := Get(ctx, id[18:])
	if !ok || a.State != pb.AUTHORISATION_LIVE {
		x.Faultf("a timer speaks of authorisation %x, which is not live", id)
	}
	end(ctx, a, pb.AUTHORISATION_EXPIRED, nil)
}

// Deregister is U5: the registry has changed the row of a firm. Its authorisations end with it.
func Deregister(ctx *x.Ctx, uscc string) {
	if s, ok := subject.Get(ctx, uscc); !ok || s.Status != pb.SUBJECT_DEREGISTERED {
		return
	}
	var live []*pb.Authorisation
	Each(ctx, uscc, func(a *pb.Authorisation) bool {
		if a.State == pb.AUTHORISATION_LIVE {
			live = append(live, a)
		}
		return true
	})
	for _, a := range live {
		end(ctx, a, pb.AUTHORISATION_DEREGISTERED, nil)
	}
}

// CheckRecordGrade refuses what is wrong whatever the state.
func CheckRecordGrade(m *pb.RecordGrade) error {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if !gradeForm(m.Grade) {
		return ErrGrade.With("a grade is a letter A to E, alone or with + or -")
	}
	if err := x.CheckDate(m.AssessedOn, "assessed_on", false); err != nil {
		return err
	}
	if err := x.CheckDate(m.ValidUntil, "valid_until", false); err != nil {
		return err
	}
	if m.ValidUntil < m.AssessedOn {
		return ErrGrade.With("the grade ends on %s, before it was found on %s", calendar.Date(m.ValidUntil), calendar.Date(m.AssessedOn))
	}
	if err := x.CheckToken(m.SourceNo, "source_no", false); err != nil {
		return err
	}
	return x.CheckDigest(m.BasisDigest, "basis_digest", false)
}

func gradeForm(s string) bool {
	return (len(s) == 1 || len(s) == 2 && (s[1] == '+' || s[1] == '-')) && s[0] >= 'A' && s[0] <= 'E'
}

// RecordGrade is G1. A newer finding takes the place of an older one, whoever made it.
func RecordGrade(ctx *x.Ctx, m *pb.RecordGrade) (x.Done, error) {
	if err := CheckRecordGrade(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_EVALUATE, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	if err := subject.Enrolled(ctx, m.Subject); err != nil {
		return x.Done{}, err
	}
	now := &pb.Grade{
		Subject: m.Subject, Issuer: m.Issuer, Grade: m.Grade, AssessedOn: m.AssessedOn, ValidUntil: m.ValidUntil, SourceNo: m.SourceNo,
		BasisDigest: m.BasisDigest, RecordedOn: int32(ctx.Today),
	}
	if old, ok := grades.Get(ctx, m.Subject, nil); ok {
		same := *old
		same.RecordedOn, same.EndedOn, same.ReasonDigest = now.RecordedOn, 0, nil
		known := bytes.Equal(x.EncodeRow(&same), x.EncodeRow(now))
		switch {
		case known && old.EndedOn == 0:
			return x.Done{Note: x.AlreadyRecorded}, nil
		case known:
			return x.Done{}, ErrGrade.With("this finding was recorded and has ended")
		case m.AssessedOn < old.AssessedOn:
			return x.Done{}, ErrGrade.With("a newer finding of %s was recorded", calendar.Date(old.AssessedOn))
		}
	}
	switch {
	case m.AssessedOn > int32(ctx.Today):
		return x.Done{}, ErrGrade.With("the grade was found on %s, today is %s", calendar.Date(m.AssessedOn), ctx.Today).On(calendar.Date(m.AssessedOn))
	case m.ValidUntil < int32(ctx.Today):
		return x.Done{}, ErrGrade.With("the grade ended on %s, today is %s", calendar.Date(m.ValidUntil), ctx.Today)
	}
	if err := subject.Admit(ctx, m.Subject, 1); err != nil {
		return x.Done{}, err
	}
	putGrade(ctx, now)
	return x.Done{}, nil
}

// WithdrawGrade is G2.
func WithdrawGrade(ctx *x.Ctx, m *pb.WithdrawGrade) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.ActOn(ctx, m.Issuer, pb.ROLE_EVALUATE, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	g, ok := grades.Get(ctx, m.Subject, nil)
	switch {
	case !ok || g.Issuer != m.Issuer:
		return x.Done{}, ErrGradeNone
	case bytes.Equal(g.ReasonDigest, m.ReasonDigest):
		return x.Done{Note: x.AlreadyRecorded}, nil
	case g.EndedOn != 0:
		return x.Done{}, ErrGradeNone
	}
	now := *g
	now.EndedOn, now.ReasonDigest = int32(ctx.Today), m.ReasonDigest
	putGrade(ctx, &now)
	return x.Done{}, nil
}

// ExpireGrade is G2 by timer.
func ExpireGrade(ctx *x.Ctx, id []byte) {
	g, ok := grades.Get(ctx, string(id), nil)
	if !ok || g.EndedOn != 0 {
		x.Faultf("a timer speaks of the grade of %s, which does not stand", id)
	}
	now := *g
	now.EndedOn = int32(ctx.Today)
	putGrade(ctx, &now)
}

// CheckAnchor refuses what is wrong whatever the state.
func CheckAnchor(m *pb.AnchorReceipts) error {
	if err := x.CheckDigest(m.Root, "root", false); err != nil {
		return err
	}
	if len(m.UsedUp) > pb.UsedUpMax {
		return x.ErrTooMany.With("%d authorisations, at most %d", len(m.UsedUp), pb.UsedUpMax)
	}
	for i, id := range m.UsedUp {
		if err := x.CheckDigest(id, "used_up", false); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(m.UsedUp[i-1], id) >= 0 {
			return x.ErrEnum.With("the authorisations are not ascending")
		}
	}
	return nil
}

// Anchor is R1 and U4.
func Anchor(ctx *x.Ctx, m *pb.AnchorReceipts) (x.Done, error) {
	if err := CheckAnchor(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_GATEWAY, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	var over []*pb.Authorisation
	for _, id := range m.UsedUp {
		a, ok := Get(ctx, id)
		switch {
		case !ok || a.Content.Gateway != m.Issuer:
			return x.Done{}, ErrNone.With("this gateway serves no authorisation %x", id)
		case a.Content.MaxUses == 0:
			return x.Done{}, ErrScope.With("authorisation %x has no limit of uses", id)
		case a.State == pb.AUTHORISATION_LIVE: // what has ended otherwise meanwhile stays as it ended
			over = append(over, a)
		}
	}
	if old, ok := AnchorOf(ctx, m.Issuer, m.Hour); ok {
		switch {
		case !bytes.Equal(old.Root, m.Root):
			return x.Done{}, x.ErrDifferently.With("hour %d is anchored with another root", m.Hour)
		case len(over) > 0:
			return x.Done{}, x.ErrDifferently.With("hour %d is anchored, and authorisation %x was not used up with it", m.Hour, over[0].Id)
		}
		return x.Done{Note: x.AlreadyRecorded}, nil
	}
	if m.Hour < 0 || m.Hour >= ctx.LegalTime/3600 {
		return x.Done{}, ErrAnchor.With("hour %d has not ended", m.Hour)
	}
	if last, ok := LastAnchor(ctx, m.Issuer); ok && last.Hour > m.Hour {
		return x.Done{}, ErrAnchor.With("hour %d lies before hour %d, which is anchored", m.Hour, last.Hour)
	}
	for _, a := range over {
		end(ctx, a, pb.AUTHORISATION_USED_UP, nil)
	}
	a := &pb.ReceiptAnchor{Gateway: m.Issuer, Hour: m.Hour, Root: m.Root, Height: ctx.Height}
	anchors.Put(ctx, a, anchorKey(m.Issuer, m.Hour)...)
	newest.Put(ctx, a, []byte(m.Issuer))
	return x.Done{}, nil
}
