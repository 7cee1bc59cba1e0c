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
	if len(c.TypeOtherDigest) != 0 && c.Type != 0 || len(c.TypeOtherDigest) == 0 && c.Type == 0 {
		return ErrTypeOther
	}
	if err := x.CheckDigest(c.TypeOtherDigest, "type_other_digest", true); err != nil {
		return err
	}
	if m.Licence != "" {
		if !m.Accepted {
			return ErrLicence.With("a licence goes with the acceptance")
		}
		if err := checkLicence(c, m.Licence); err != nil {
			return err
		}
	}
	return x.CheckToken(c.Business, "business", true)
}

// checkLicence: the number is that of a decision (许可文书号) or of the licence itself (许可编号).
func checkLicence(c *pb.CommitmentContent, licence string) error {
	if c.Type != 1 {
		return ErrLicence.With("a commitment of type %d leads to no licence", c.Type)
	}
	if code.CheckCodeToken(licence, pb.TokenMax) != nil && code.CheckDocNo(licence) != nil {
		return ErrLicence.With("the licence is neither a number 机关代字〔年份〕序号号 nor a short code")
	}
	return x.CheckPII(licence, "licence")
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
	// Who may not be told that a commitment stands is refused first for whatever else is wrong: nobody finds out so which codes of another region stand (INV-03). That
	// a code of its own region is taken it learns, since there are no two of one code.
	old, stands := Get(ctx, c.Code)
	if stands && (old.Submitter == ctx.Member || Told(ctx, old)) {
		return submitAgain(ctx, old, m, done)
	}
	if err := subject.Enrolled(ctx, c.Subject); err != nil {
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
	if err := checkTemplate(ctx, &c); err != nil {
		return done, err
	}
	if stands {
		return submitAgain(ctx, old, m, done)
	}
	row := &pb.Commitment{
		Content: c, State: pb.COMMITMENT_PENDING, RecordedOn: int32(ctx.Today), PaperDigest: m.PaperDigest, Submitter: ctx.Member,
		AcceptBy: int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "accept_commitment_wd")))),
	}
	if !m.Accepted {
		if err := checkOpen(ctx, &c); err != nil {
			return done, err
		}
	}
	room := subject.Admit
	if c.Type == 4 { // without it there is no repair
		room = subject.AdmitOwn
	}
	if err := room(ctx, c.Subject, 1); err != nil {
		return done, err
	}
	if m.Accepted {
		return accept(ctx, row, m.Licence, done)
	}
	put(ctx, row)
	return done, nil
}

// submitAgain says of a commitment whose code stands whether it is the one that stands.
func submitAgain(ctx *x.Ctx, old *pb.Commitment, m *pb.SubmitCommitment, done x.Done) (x.Done, error) {
	if !bytes.Equal(x.EncodeRow(&old.Content), x.EncodeRow(&m.Content)) {
		return done, x.ErrDifferently.With("commitment %s stands with other content", m.Content.Code)
	}
	if m.Accepted && old.State == pb.COMMITMENT_PENDING {
		// An agent filed it; its acceptor now says that it has accepted it: A3.
		return accept(ctx, old, m.Licence, done)
	}
	done.Note = x.AlreadyRecorded
	return done, nil
}

// checkTemplate holds a commitment against the template of the day on which it was made. Where the consortium has none, the acceptor's own serves.
func checkTemplate(ctx *x.Ctx, c *pb.CommitmentContent) error {
	made := calendar.Date(c.MadeOn)
	t, ok := catalog.TemplateOn(ctx, c.Type, made)
	switch {
	case !ok && c.TemplateVersion == 0:
		return nil
	case !ok:
		return ErrTemplate.With("no template for type %d is in force on %s; version %d was named", c.Type, made, c.TemplateVersion)
	case c.TemplateVersion != t.Version:
		return ErrTemplate.With("version %d of the template for type %d is in force on %s; version %d was named", t.Version, c.Type, made, c.TemplateVersion)
	case c.ValidUntil == 0 && catalog.Asks(t, pb.FIELD_VALID_UNTIL):
		return ErrAsked.With("template type %d version %d asks for valid_until (承诺有效期)", t.Type, t.Version)
	case c.Business == "" && catalog.Asks(t, pb.FIELD_BUSINESS):
		return ErrAsked.With("template type %d version %d asks for business (业务事项)", t.Type, t.Version)
	}
	return nil
}

// checkRegion holds that the acceptor acts where the code says that it accepted. A region covers those below it in the table.
func checkRegion(ctx *x.Ctx, acceptor *pb.Member, c *pb.CommitmentContent) error {
	// A code names the region as it was when the commitment was made: after a merger old codes stay and new ones name the new region.
	if made := calendar.Date(c.MadeOn); !inForce(ctx, c.Code[:6], made) {
		return ErrRegion.With("region %s is not in the region table on %s", c.Code[:6], made)
	}
	for _, r := range catalog.Ancestors(ctx, c.Code[:6]) {
		if slices.Contains(acceptor.Regions, r) {
			return nil
		}
	}
	return ErrRegion.With("%s does not act in region %s", c.Acceptor, c.Code[:6])
}

func inForce(ctx *x.Ctx, region string, on calendar.Date) bool {
	_, ok := catalog.Region(ctx, region, on)
	return ok
}

// checkOpen holds what types 1 (审批替代型) and 3 (证明事项型) are closed by: the field that the item of business lies in (A1-5), and a bar against the
// subject (INV-07).
func checkOpen(ctx *x.Ctx, c *pb.CommitmentContent) error {
	if c.Type != 1 && c.Type != 3 {
		return nil
	}
	item, listed := catalog.BusinessItem(ctx, c.Business)
	switch {
	case listed && catalog.ExcludedBy(ctx, item) != pb.EXCLUDED_NONE:
		return ErrExcluded.With("%s %s lies in a field that is closed to commitment in place of proof: %s", item.Code, item.Name, excludedNames[catalog.ExcludedBy(ctx, item)])
	case c.Business == "" && catalog.ListsBusiness(ctx):
		return ErrBusiness
	}
	return checkBar(ctx, c)
}

var excludedNames = [...]string{
	pb.EXCLUDED_NATIONAL_SECURITY: "国家安全", pb.EXCLUDED_STATE_SECRETS: "国家秘密", pb.EXCLUDED_PUBLIC_SAFETY: "公共安全", pb.EXCLUDED_PRUDENTIAL: "金融审慎监管",
	pb.EXCLUDED_ENVIRONMENT: "生态环境", pb.EXCLUDED_HEALTH_SAFETY: "人身健康、生命财产安全", pb.EXCLUDED_FOREIGN: "重要涉外",
}

// checkBar is INV-07.
func checkBar(ctx *x.Ctx, c *pb.CommitmentContent) error {
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

// Of finds a commitment of an acceptor. The caller has asked for the role: without it nobody learns whether the commitment stands. Who may not be told of
// another's gets what an unknown code gets (INV-03).
func Of(ctx *x.Ctx, acceptor, codeOf string) (*pb.Commitment, error) {
	c, ok := Get(ctx, codeOf)
	switch {
	case !ok, c.Content.Acceptor != acceptor && !Told(ctx, c):
		return nil, ErrUnknown.With("no commitment has code %q", codeOf)
	case c.Content.Acceptor != acceptor:
		return nil, x.ErrNotIssuer.With("commitment %s is accepted by %s, not by %s", codeOf, c.Content.Acceptor, acceptor)
	}
	return c, nil
}

// Told says whether the signer's agency may be told that a commitment stands (INV-01), as its gateway would tell it: its acceptor always, everybody while it is
// public, by mandate unless its repair has taken it out of view.
func Told(ctx *x.Ctx, c *pb.Commitment) bool {
	by := func(kind pb.MandateKind) bool { return member.Mandated(ctx, c.Content.Acceptor, ctx.Member, kind) }
	return Public(c) || member.Decides(ctx, c.Content.Acceptor) || !c.Hidden && (by(pb.MANDATE_COMMITMENT) || by(pb.MANDATE_FULFILLMENT))
}

// decidable finds a commitment that its acceptor is about to decide on.
func decidable(ctx *x.Ctx, issuer, codeOf string, role pb.Role, kind pb.MandateKind) (*pb.Commitment, error) {
	if _, err := member.ActOn(ctx, issuer, role, kind); err != nil {
		return nil, err
	}
	return Of(ctx, issuer, codeOf)
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
		if m.Licence != c.Licence {
			return done, x.ErrDifferently.With("commitment %s was accepted with licence %q", m.Code, c.Licence)
		}
		done.Note = x.AlreadyRecorded
		return done, nil
	default:
		return done, ErrState.With("commitment %s is not pending", m.Code)
	}
	return accept(ctx, c, m.Licence, done)
}

// accept takes a commitment in, from pending or at once, and opens the time in which it is to be checked.
func accept(ctx *x.Ctx, c *pb.Commitment, licence string, done x.Done) (x.Done, error) {
	if err := checkOpen(ctx, &c.Content); err != nil {
		return done, err
	}
	if licence != "" {
		if err := checkLicence(&c.Content, licence); err != nil {
			return done, err
		}
	} else if t, ok := catalog.Template(ctx, c.Content.Type, c.Content.TemplateVersion); ok && catalog.Asks(t, pb.FIELD_LICENCE) {
		return done, ErrAsked.With("template type %d version %d asks for the licence (许可文书号) with the acceptance", t.Type, t.Version)
	}
	c.State, c.AcceptedOn, c.Licence = pb.COMMITMENT_SUPERVISED, int32(ctx.Today), licence
	if c.CheckBy = c.Content.ValidUntil; c.CheckBy == 0 {
		c.CheckBy = int32(catalog.LastDay(ctx, ctx.Today.AddMonths(int(catalog.Int(ctx, "assess_window_months")))))
	}
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

// Withdraw is A8: only what was accepted by error. A breach that was found in it counts no more.
func Withdraw(ctx *x.Ctx, m *pb.WithdrawCommitment) (x.Done, error) {
	return end(ctx, m.Issuer, m.Code, m.ReasonDigest, pb.ROLE_REVIEW, pb.MANDATE_UNSET, pb.COMMITMENT_WITHDRAWN,
		pb.COMMITMENT_PENDING, pb.COMMITMENT_SUPERVISED, pb.COMMITMENT_DUE, pb.COMMITMENT_FULFILLED, pb.COMMITMENT_BREACHED, pb.COMMITMENT_CURED)
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
	if c.State == to {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !slices.Contains(from, c.State) {
		return done, ErrState.With("commitment %s is %s", codeOf, c.State)
	}
	c.State, c.ReasonDigest = to, reason
	ClearMend(c)
	settleBar(ctx, c)
	put(ctx, c)
	return done, nil
}

// NoteLicence is A9: the licence that was granted on a commitment in place of proof.
func NoteLicence(ctx *x.Ctx, m *pb.NoteLicence) (x.Done, error) {
	c, err := decidable(ctx, m.Issuer, m.Code, pb.ROLE_RECORD, pb.MANDATE_COMMITMENT)
	if err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: ID(&c.Content)}
	if m.Licence == "" {
		return done, ErrLicence.With("the number of the licence is missing")
	}
	if err := checkLicence(&c.Content, m.Licence); err != nil {
		return done, err
	}
	switch {
	case c.AcceptedOn == 0 || c.State == pb.COMMITMENT_WITHDRAWN:
		return done, ErrState.With("commitment %s is %s", m.Code, c.State)
	case c.Licence == m.Licence:
		done.Note = x.AlreadyRecorded
		return done, nil
	case c.Licence != "":
		return done, x.ErrDifferently.With("commitment %s led to licence %s", m.Code, c.Licence)
	}
	c.Licence = m.Licence
	put(ctx, c)
	return done, nil
}

// Missed is what the clock of a duty does when its day has passed unmet. The end of the time for the check is A5: nobody is late yet, the assessment
// falls due. All others raise an alarm.
func Missed(ctx *x.Ctx, kind x.DutyKind, uscc string, codeOf []byte) {
	c, ok := commitments.Get(ctx, uscc, codeOf)
	if !ok {
		x.Faultf("a timer speaks of commitment %s, which does not stand", codeOf)
	}
	for _, d := range DutiesOf(c) {
		if d.Kind != kind {
			continue
		}
		if kind == DutyCheck {
			c.State = pb.COMMITMENT_DUE
			from := calendar.Date(max(c.CheckBy, c.AcceptedOn)) // one that was recorded after its time is not late at once
			c.AssessBy = int32(catalog.Calendar(ctx).AddWorkingDays(from, int(catalog.Int(ctx, "assess_grace_wd"))))
		} else {
			raise(ctx, c, d)
		}
		put(ctx, c)
		return
	}
	x.Faultf("a timer speaks of duty %d on commitment %s, which is not open", kind, codeOf)
}

// raise marks a duty as missed and records the alarm.
func raise(ctx *x.Ctx, c *pb.Commitment, d x.Duty) {
	c.Alarms |= alarmBits[d.Kind]
	subject.RaiseMissed(ctx, d)
}

// Assess is A6. The caller has checked the facts (CMT-2). A breach bars types 1 and 3 in the same block; an assessment that takes the place of another
// (A11) lifts that bar where no breach is left.
func Assess(ctx *x.Ctx, c *pb.Commitment) {
	ClearMend(c)
	settleBar(ctx, c)
	put(ctx, c)
}

// settleBar keeps the bar of a breach in step with its commitment, which is about to be written. A bar that live records hold (Link) goes with them.
func settleBar(ctx *x.Ctx, c *pb.Commitment) {
	id, was := ID(&c.Content), &pb.Commitment{}
	if old, ok := Get(ctx, c.Content.Code); ok {
		was = old
	}
	bar, stands := bars.Get(ctx, c.Content.Subject, id)
	if !stands {
		bar = &pb.PromiseBar{Subject: c.Content.Subject, CauseId: id, Cause: pb.BAR_BREACH, Commitment: c.Content.Code}
	}
	inForce, found := stands && bar.LiftedOn == 0, c.State == pb.COMMITMENT_BREACHED
	switch {
	case inForce && found:
	case found && !InForce(was), found && was.State == pb.COMMITMENT_CURED && !bar.HadLinked: // a breach, or one whose cure was none
		bar.Since, bar.LiftedOn, bar.HadLinked = int32(ctx.Today), 0, len(bar.Linked) > 0
		putBar(ctx, bar)
	case inForce && !InForce(c) && len(bar.Linked) == 0:
		bar.LiftedOn = int32(ctx.Today)
		putBar(ctx, bar)
	}
}

// Mended writes that the subject says that it has made good by itself (自行补正), A10. The caller has checked the facts.
func Mended(ctx *x.Ctx, c *pb.Commitment, evidence, paper []byte) {
	c.MendedOn, c.MendEvidenceDigest, c.MendPaperDigest = int32(ctx.Today), evidence, paper
	c.MendBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "assess_grace_wd"))))
	c.Alarms &^= alarmMend
	put(ctx, c)
}

// NotMended writes that the acceptor did not find it so, for a reason.
func NotMended(ctx *x.Ctx, c *pb.Commitment, reason []byte) {
	ClearMend(c)
	c.ReasonDigest = reason
	put(ctx, c)
}

// ClearMend takes a report of mending off a commitment: it is decided. The file keeps it.
func ClearMend(c *pb.Commitment) {
	c.MendedOn, c.MendBy, c.MendEvidenceDigest, c.MendPaperDigest = 0, 0, nil, nil
}

// Cure is A7. The caller has checked the facts.
func Cure(ctx *x.Ctx, c *pb.Commitment) {
	ClearMend(c)
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
		x.Looked(ctx, 1)
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
		if c.Content.Type == 4 && Public(c) && kept(c) && c.Content.MadeOn > promised {
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

// kept says whether a commitment is accepted and nothing speaks against it. That its acceptor has not assessed it in time does not.
func kept(c *pb.Commitment) bool {
	return c.State == pb.COMMITMENT_SUPERVISED || c.State == pb.COMMITMENT_DUE || c.State == pb.COMMITMENT_FULFILLED
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
