package sanction

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// The procedure that leads to an entry in a list of serious dishonesty (§11.3): doc.go has its transitions.

var (
	// Listing procedures, subject ‖ listing id.
	listings = subject.NewRecords[pb.Listing](0x68, "listing uscc[18] id[32]")
	// Which subject a listing belongs to. Follows from the listings.
	listingByID = x.Declare(x.TableInfo{Prefix: 0x69, Layout: "listing id[32] → uscc", Binding: x.Derived})
)

// Statements of a subject that has been notified.
const (
	statementObjected = 1 // 陈述、申辩、异议
	statementWaived   = 2 // 放弃
)

// ListingID is the id of a procedure: one notice leads to one procedure.
func ListingID(n *pb.ListingNotice) [32]byte {
	return x.RecordID("listing", n.Issuer, n.List+"/"+n.NoticeNo, n.Subject)
}

// GetListing reads a procedure by its id.
func GetListing(r x.Reader, id []byte) (*pb.Listing, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(listingByID.Prefix, id))
	if !ok {
		return nil, false
	}
	l, ok := listings.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows listing %x, the table does not", id)
	}
	return l, true
}

// EachListing visits a subject's procedures by id.
func EachListing(r x.Reader, uscc string, fn func(l *pb.Listing) (more bool)) {
	listings.Each(r, uscc, fn)
}

// ListingOpen says whether a procedure waits for somebody.
func ListingOpen(l *pb.Listing) bool {
	return l.State >= pb.LISTING_NOTIFIED && l.State <= pb.LISTING_REVIEWING
}

// Duties of the procedure. Numbers 30–39 are its.
var (
	DutyVerifyListing = x.DeclareDuty(30, "verify_listing", "核查列入异议", "G1(8), H1 art 41")
	DutyReviewListing = x.DeclareDuty(31, "review_listing", "复核列入异议", "H1 art 28")
	DutyConsent       = x.DeclareDuty(32, "consent_listing", "上级同意", "N4, INV-35")
)

// Bits of Listing.alarms.
const alarmVerifyListing = 1 << 0

// ListingDuties gives the duties that a procedure lays on agencies.
func ListingDuties(l *pb.Listing) (out []x.Duty) {
	owe := func(owner string, kind x.DutyKind, due int32, alarmed bool) {
		out = append(out, x.Duty{Owner: owner, Due: calendar.Date(due), Kind: kind, Subject: l.Notice.Subject, Record: l.Id, Alarmed: alarmed})
	}
	switch l.State {
	case pb.LISTING_VERIFYING:
		owe(l.Notice.Issuer, DutyVerifyListing, l.VerifyBy, l.Alarms&alarmVerifyListing != 0)
	case pb.LISTING_REVIEWING:
		owe(l.Reviewer, DutyReviewListing, 0, false) // the law sets no day
	}
	if ListingOpen(l) && l.ConsentAskedOf != "" && l.ConsentBy == "" {
		owe(l.ConsentAskedOf, DutyConsent, 0, false) // nor here
	}
	return out
}

// putListing writes a procedure and keeps index and duties in step with it. old is nil for a new one.
func putListing(ctx *x.Ctx, old, l *pb.Listing) {
	if old == nil {
		ctx.Set(x.Key(listingByID.Prefix, l.Id), []byte(l.Notice.Subject))
		old = &pb.Listing{}
	}
	x.Assign(ctx, ListingDuties(old), ListingDuties(l))
	listings.PutAside(ctx, l.Notice.Subject, l.Id, l) // no procedure stands in a standing
}

// noticeFault is E_NOTICE with the rule of lists.
func noticeFault(format string, args ...any) *x.Rejection {
	r := ErrNotice.With(format, args...)
	r.Rule, r.Remedy = "G1(8), H1 art 28, INV-08", "serve a written notice, hear the subject and answer it, then decide"
	return r
}

// CheckNotify refuses what is wrong whatever the state. A notice that does not tell the subject of its rights is none.
func CheckNotify(m *pb.NotifyListing) error {
	n := &m.Notice
	if err := checkParties(&Facts{Issuer: n.Issuer, Subject: n.Subject, DocNo: n.NoticeNo}); err != nil {
		return err
	}
	if err := x.CheckToken(n.List, "list", false); err != nil {
		return err
	}
	if err := x.CheckDate(n.ServedOn, "served_on", false); err != nil {
		return err
	}
	if err := checkMeasureCodes(n.Measures); err != nil {
		return err
	}
	if !n.RightsTold {
		return noticeFault("the notice tells the subject nothing of its rights (陈述、申辩、异议)")
	}
	return x.CheckDigest(n.TextDigest, "text_digest", false)
}

func checkMeasureCodes(codes []string) error {
	if len(codes) > pb.ListCodesMax {
		return x.ErrTooMany.With("%d measures, at most %d", len(codes), pb.ListCodesMax)
	}
	for i, s := range codes {
		if err := x.CheckToken(s, "measures", false); err != nil {
			return err
		}
		if i > 0 && codes[i-1] >= s {
			return x.ErrEnum.With("measures are not ascending, each once")
		}
	}
	return nil
}

// Notify is L1: the written notice was served.
func Notify(ctx *x.Ctx, m *pb.NotifyListing) (x.Done, error) {
	if err := CheckNotify(m); err != nil {
		return x.Done{}, err
	}
	n := m.Notice
	id := ListingID(&n)
	done := x.Done{Record: id[:]}
	if _, err := member.Act(ctx, n.Issuer, pb.ROLE_RECORD, pb.MANDATE_DISHONESTY); err != nil {
		return done, err
	}
	if old, ok := GetListing(ctx, id[:]); ok {
		if bytes.Equal(x.EncodeRow(&old.Notice), x.EncodeRow(&n)) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("notice %s to %s stands with other content", n.NoticeNo, n.Subject)
	}
	if err := subject.Enrolled(ctx, n.Subject); err != nil {
		return done, err
	}
	if _, ok := catalog.ListStandardOn(ctx, n.List, ctx.Today); !ok {
		return done, ErrListUnknown.With("no standard of list %s is in force on %s", n.List, ctx.Today)
	}
	if n.ServedOn > int32(ctx.Today) {
		return done, ErrServed.With("served on %s, which is after today (%s)", calendar.Date(n.ServedOn), ctx.Today)
	}
	if err := subject.Admit(ctx, n.Subject, 1); err != nil {
		return done, err
	}
	putListing(ctx, nil, &pb.Listing{
		Id: id[:], Notice: n, State: pb.LISTING_NOTIFIED, RecordedOn: int32(ctx.Today),
		StatementBy: int32(catalog.Calendar(ctx).AddWorkingDays(calendar.Date(n.ServedOn), int(catalog.Int(ctx, "listing_statement_wd")))),
	})
	return done, nil
}

// State is L2: the subject states its case and objects, or waives that.
func State(ctx *x.Ctx, m *pb.StateListing) (x.Done, error) {
	if m.Statement != statementObjected && m.Statement != statementWaived {
		return x.Done{}, x.ErrEnum.With("statement is 1 objected or 2 waived")
	}
	if err := x.CheckDigest(m.PaperDigest, "paper_digest", false); err != nil {
		return x.Done{}, err
	}
	_, lister := member.ActOn(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_DISHONESTY)
	_, agent := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET)
	if lister != nil && agent != nil {
		return x.Done{}, lister
	}
	old, done, err := findListing(ctx, m.Listing)
	switch {
	case err != nil:
		return done, err
	case m.Issuer == old.Notice.Issuer && lister != nil:
		return done, lister
	case m.Issuer != old.Notice.Issuer && agent != nil:
		return done, listingElsewhere(ctx, old, agent)
	}
	if old.Statement == m.Statement && bytes.Equal(old.StatementDigest, m.PaperDigest) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if old.State != pb.LISTING_NOTIFIED {
		return done, ErrListingState.With("the subject has been heard, or the procedure is over")
	}
	now := *old
	now.Statement, now.StatedOn, now.StatementDigest = m.Statement, int32(ctx.Today), m.PaperDigest
	if m.Issuer != old.Notice.Issuer {
		now.Agent = m.Issuer
	}
	if now.State = pb.LISTING_HEARD; m.Statement == statementObjected {
		now.State = pb.LISTING_VERIFYING
		now.VerifyBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "listing_verify_wd"))))
	}
	putListing(ctx, old, &now)
	return done, nil
}

// Verify is L3: the lister verifies the objection. Where it is founded the procedure ends.
func Verify(ctx *x.Ctx, m *pb.VerifyListing) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	old, done, err := ofLister(ctx, m.Issuer, m.Listing)
	if err != nil {
		return done, err
	}
	if old.State != pb.LISTING_VERIFYING {
		return done, ErrListingState.With("no objection waits for verification")
	}
	now := *old
	if now.VerifiedOn, now.VerifiedDigest = int32(ctx.Today), m.ReasonDigest; ctx.Today > calendar.Date(old.VerifyBy) {
		alarmListing(ctx, &now)
	}
	heard(ctx, &now, m.Founded)
	putListing(ctx, old, &now)
	return done, nil
}

// heard is what an answer to an objection comes to.
func heard(ctx *x.Ctx, l *pb.Listing, founded bool) {
	if l.State = pb.LISTING_HEARD; founded {
		l.State, l.EndedOn = pb.LISTING_DROPPED, int32(ctx.Today)
	}
}

// AskReview is L4: the subject does not accept the verification and asks the credit authority for a review (复核, H1 art 28).
func AskReview(ctx *x.Ctx, m *pb.AskListingReview) (x.Done, error) {
	if err := x.CheckDigest(m.PaperDigest, "paper_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_AGENT, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	old, done, err := findListing(ctx, m.Listing)
	if err != nil {
		return done, err
	}
	if old.State != pb.LISTING_HEARD || old.VerifiedOn == 0 || old.Reviewer != "" {
		return done, ErrListingState.With("a review is asked for once, after an objection was verified and before the decision")
	}
	if reviewer, ok := member.Look(ctx, m.Reviewer); !ok || reviewer.Removed || !reviewer.Authority {
		return done, ErrReviewer.With("%s is no credit authority", m.Reviewer)
	}
	now := *old
	now.State, now.Reviewer, now.ReviewAskedOn, now.Agent = pb.LISTING_REVIEWING, m.Reviewer, int32(ctx.Today), m.Issuer
	putListing(ctx, old, &now)
	return done, nil
}

// Review is L5, by the credit authority that was asked.
func Review(ctx *x.Ctx, m *pb.ReviewListing) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.ActOn(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	old, done, err := findListing(ctx, m.Listing)
	if err != nil {
		return done, err
	}
	if old.State != pb.LISTING_REVIEWING {
		err = ErrListingState.With("no review was asked for")
	} else if old.Reviewer != m.Issuer {
		err = ErrReviewer.With("another authority than %s was asked for the review", m.Issuer)
	}
	switch {
	case err != nil && old.Reviewer != m.Issuer:
		return done, listingElsewhere(ctx, old, err)
	case err != nil:
		return done, err
	}
	now := *old
	now.ReviewedOn, now.ReviewedDigest = int32(ctx.Today), m.ReasonDigest
	heard(ctx, &now, m.Founded)
	putListing(ctx, old, &now)
	return done, nil
}

// AskConsent is L10: the lister asks an agency above it for its consent, which is a duty of that agency from now on. Another may be asked instead.
func AskConsent(ctx *x.Ctx, m *pb.AskConsent) (x.Done, error) {
	old, done, err := ofLister(ctx, m.Issuer, m.Listing)
	if err != nil {
		return done, err
	}
	if old.ConsentAskedOf == m.Upper {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !ListingOpen(old) || old.ConsentBy != "" {
		return done, ErrListingState.With("the procedure is over, or has its consent")
	}
	if err := checkUpper(ctx, m.Upper, m.Issuer); err != nil {
		return done, err
	}
	if old.ConsentAskedOf != "" {
		if err := subject.AdmitOwn(ctx, old.Notice.Subject, 1); err != nil {
			return done, err
		}
	}
	now := *old
	now.ConsentAskedOf, now.ConsentAskedOn = m.Upper, int32(ctx.Today)
	putListing(ctx, old, &now)
	return done, nil
}

// checkUpper refuses an agency that is not above the lister.
func checkUpper(r x.Reader, upper, lister string) error {
	u, known := member.Look(r, upper)
	l, ok := member.Look(r, lister)
	if !known || !ok || !member.Above(u, l, func(region string) []string { return catalog.Ancestors(r, region) }) {
		return ErrUpperConsent.With("%s is not above %s, neither in its line of command nor as credit authority", upper, lister)
	}
	return nil
}

// Consent is L6: an agency above the lister agrees (上级同意). It may do so at any time before the decision.
func Consent(ctx *x.Ctx, m *pb.ConsentListing) (x.Done, error) {
	if err := x.CheckDigest(m.DocumentDigest, "document_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	old, done, err := findListing(ctx, m.Listing)
	if err != nil {
		return done, err
	}
	if err := checkUpper(ctx, m.Issuer, old.Notice.Issuer); err != nil {
		return done, listingElsewhere(ctx, old, err)
	}
	if old.ConsentBy == m.Issuer && bytes.Equal(old.ConsentDigest, m.DocumentDigest) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !ListingOpen(old) || old.ConsentBy != "" {
		return done, ErrListingState.With("the procedure is over, or has its consent")
	}
	now := *old
	now.ConsentBy, now.ConsentOn, now.ConsentDigest = m.Issuer, int32(ctx.Today), m.DocumentDigest
	putListing(ctx, old, &now)
	return done, nil
}

// CheckDecide refuses what is wrong whatever the state.
func CheckDecide(m *pb.DecideListing) error {
	c := &m.Content
	if err := checkDecision(listDecision(c)); err != nil {
		return err
	}
	if err := x.CheckToken(c.List, "list", false); err != nil {
		return err
	}
	if err := checkMeasureCodes(c.Measures); err != nil {
		return err
	}
	if len(c.Basis) > pb.ListCodesMax {
		return x.ErrTooMany.With("the decision rests on %d penalties, at most %d", len(c.Basis), pb.ListCodesMax)
	}
	for i, id := range c.Basis {
		if err := x.CheckDigest(id, "basis", false); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(c.Basis[i-1], id) >= 0 {
			return x.ErrEnum.With("the penalties that it rests on are not ascending, each once")
		}
	}
	if err := x.CheckDigest(c.ConditionsDigest, "conditions_digest", false); err != nil {
		return err
	}
	return x.CheckDigest(c.Listing, "listing", false)
}

func listDecision(c *pb.ListContent) *decision {
	return &decision{
		Facts:  Facts{Issuer: c.Issuer, Subject: c.Subject, DocNo: c.DocNo, DecidedOn: c.DecidedOn, PowerCode: c.PowerCode},
		served: c.ServedOn, twoDocuments: c.RepairNoticeServed, region: c.ViolationRegion, designation: c.Designation, text: c.TextDigest,
	}
}

// Decide is L7 and P1 of the entry: the lister enters the subject in the list (列入决定). The entry is of class 严重; the measures that the decision names
// are called for.
func Decide(ctx *x.Ctx, m *pb.DecideListing) (x.Done, error) {
	if err := CheckDecide(m); err != nil {
		return x.Done{}, err
	}
	c := m.Content
	f := listDecision(&c)
	id := ID(pb.DISHONESTY_LIST, c.Issuer, c.DocNo, c.Subject)
	done := x.Done{Record: id[:]}
	issuer, err := member.Act(ctx, c.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	if old, ok := Get(ctx, id[:]); ok {
		if bytes.Equal(contentOf(old), x.EncodeRow(&c)) {
			done.Note = x.AlreadyRecorded
			return done, nil
		}
		return done, x.ErrDifferently.With("%s against %s stands with other content", c.DocNo, c.Subject)
	}
	if err := subject.Enrolled(ctx, c.Subject); err != nil {
		return done, err
	}
	if err := checkNow(ctx, f); err != nil {
		return done, err
	}
	decided := calendar.Date(c.DecidedOn)
	std, ok := catalog.ListStandardOn(ctx, c.List, decided)
	if !ok {
		return done, ErrListUnknown.With("no standard of list %s is in force on %s", c.List, decided)
	}
	if err := mayList(ctx, issuer, std, &c); err != nil {
		return done, err
	}
	l, err := checkHeard(ctx, &c, decided)
	if err != nil {
		return done, err
	}
	needed := std.Consent && member.Below(issuer) && catalog.Bool(ctx, "list_upper_consent")
	if needed && (l.ConsentBy == "" || l.ConsentOn > c.DecidedOn) {
		return done, ErrUpperConsent.With("list %s needs the consent of the level above %s before the decision", c.List, c.Issuer)
	}
	if err := checkBasis(ctx, std, &c); err != nil {
		return done, err
	}
	d := &pb.Dishonesty{
		Id: id[:], Kind: pb.DISHONESTY_LIST, List: &c, Class: pb.SEVERITY_SERIOUS, State: pb.RECORD_REGISTERED,
		RecordedOn: int32(ctx.Today), Submitter: ctx.Member,
	}
	for _, item := range c.Measures {
		if !slices.Contains(l.Notice.Measures, item) {
			return done, noticeFault("the notice told the subject nothing of measure %s", item)
		}
		if _, err := measure.Suits(ctx, item, ctx.Today, sourceOf(d)); err != nil {
			return done, err
		}
	}
	if standsIn(ctx, c.Subject, c.List) {
		return done, ErrListed.With("%s stands in list %s already", c.Subject, c.List)
	}
	setDates(ctx, d)
	if err := subject.Admit(ctx, c.Subject, 1+len(c.Measures)); err != nil {
		return done, err
	}
	create(ctx, d)
	measure.Call(ctx, sourceOf(d), d.Id, c.Measures)
	now := *l
	now.State, now.EndedOn, now.Record, now.ConsentNeeded, now.Version = pb.LISTING_DECIDED, int32(ctx.Today), d.Id, needed, std.Version
	putListing(ctx, l, &now)
	return done, nil
}

// mayList refuses an agency that is not of the line of command that keeps the list, or was not competent for the place (INV-05).
func mayList(ctx *x.Ctx, issuer *pb.Member, std *pb.ListStandard, c *pb.ListContent) error {
	if std.System != "" && issuer.System != std.System {
		return member.ErrCompetence.With("list %s is kept by agencies of system %s, %s is of %q", std.Code, std.System, issuer.Uscc, issuer.System)
	}
	holds := func(k *pb.Competence) bool { return slices.Contains(k.Lists, std.Code) }
	return member.CompetentFor(issuer, catalog.Ancestors(ctx, c.ViolationRegion), "list "+std.Code, holds, c.PowerCode, calendar.Date(c.DecidedOn), c.Designation)
}

// checkHeard holds what comes before a decision: the written notice to this subject about this list, the subject heard or silent in its window, its
// objection answered (INV-08).
func checkHeard(ctx *x.Ctx, c *pb.ListContent, decided calendar.Date) (*pb.Listing, error) {
	l, ok := GetListing(ctx, c.Listing)
	switch {
	case !ok || l.Notice.Issuer != c.Issuer || l.Notice.Subject != c.Subject || l.Notice.List != c.List:
		return nil, noticeFault("no written notice of this agency to %s about list %s is recorded", c.Subject, c.List)
	case !ListingOpen(l):
		return nil, ErrListingState.With("the procedure is over")
	case c.DecidedOn <= l.Notice.ServedOn:
		return nil, noticeFault("notice served on %s, decided on %s", calendar.Date(l.Notice.ServedOn), decided)
	case l.State == pb.LISTING_NOTIFIED && decided <= calendar.Date(l.StatementBy):
		by := calendar.Date(l.StatementBy)
		return nil, noticeFault("the subject may state its case until %s and has not waived that; decided on %s", by, decided).On(by + 1)
	case l.State == pb.LISTING_VERIFYING:
		return nil, noticeFault("the subject's objection is not verified")
	case l.State == pb.LISTING_REVIEWING:
		return nil, ErrListingState.With("the credit authority reviews the objection")
	case c.DecidedOn < max(l.StatedOn, l.VerifiedOn, l.ReviewedOn):
		return nil, noticeFault("decided on %s, before the subject was heard and answered", decided)
	}
	return l, nil
}

// checkBasis holds the penalties that a decision rests on: they run, and are the subject's. Some lists need one.
func checkBasis(r x.Reader, std *pb.ListStandard, c *pb.ListContent) error {
	if std.NeedsPenalty && len(c.Basis) == 0 {
		return ErrListBasis.With("an entry in list %s rests on a penalty; the decision names none", std.Code)
	}
	for _, id := range c.Basis {
		if d, ok := Get(r, id); !ok || d.Kind != pb.DISHONESTY_PENALTY || Of(d).Subject != c.Subject || !Live(d) {
			return ErrListBasis.With("%x is no penalty of %s that runs", id, c.Subject)
		}
	}
	return nil
}

// standsIn says whether an entry of a subject in a list runs, whoever made it.
func standsIn(r x.Reader, uscc, list string) (stands bool) {
	Each(r, uscc, func(d *pb.Dishonesty) bool {
		stands = d.List != nil && d.List.List == list && Live(d)
		return !stands
	})
	return stands
}

// Drop is L8: the lister does not enter the subject (不予列入).
func Drop(ctx *x.Ctx, m *pb.DropListing) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	old, done, err := ofLister(ctx, m.Issuer, m.Listing)
	if err != nil {
		return done, err
	}
	if old.State == pb.LISTING_DROPPED && bytes.Equal(old.ReasonDigest, m.ReasonDigest) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !ListingOpen(old) {
		return done, ErrListingState.With("the procedure is over")
	}
	now := *old
	now.State, now.EndedOn, now.ReasonDigest = pb.LISTING_DROPPED, int32(ctx.Today), m.ReasonDigest
	putListing(ctx, old, &now)
	return done, nil
}

// RemoveListed is L9: the lister finds that the entry should not have been (纠错移出, H1 art 66): it leaves at once, without the document of another organ.
func RemoveListed(ctx *x.Ctx, m *pb.RemoveListed) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	d, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	switch {
	case d.List == nil:
		return done, ErrState.With("the record is no entry in a list")
	case StateOf(d) == pb.RECORD_WITHDRAWN:
		done.Note = x.AlreadyRecorded
		return done, nil
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	}
	raiseLate(ctx, d, DutyReexamine)
	d.State, d.EndedOn, d.ReasonDigest = pb.RECORD_WITHDRAWN, int32(ctx.Today), m.ReasonDigest
	put(ctx, d)
	return done, nil
}

// unfound lays on the listers of entries that rest on a penalty which was withdrawn to say what becomes of them: taken out (纠错移出, 撤销列入), corrected so
// that they rest on other penalties, or kept with a reason (Release). Until then they stand: only their lister can decide (谁认定、谁负责).
func unfound(ctx *x.Ctx, penalty *pb.Dishonesty) {
	due := int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "withdraw_deadline_wd"))))
	var entries []*pb.Dishonesty
	Each(ctx, Of(penalty).Subject, func(d *pb.Dishonesty) bool {
		if d.List != nil && Live(d) && d.ReexamineBy == 0 && slices.ContainsFunc(d.List.Basis, func(id []byte) bool { return bytes.Equal(id, penalty.Id) }) {
			entries = append(entries, d)
		}
		return true
	})
	for _, d := range entries {
		d.ReexamineBy, d.Alarms = due, d.Alarms&^alarmBit(DutyReexamine)
		put(ctx, d)
	}
}

// listTerms gives the shortest and the longest publicity of an entry in a list, in months: those of its class, within what the list's standard says. Early
// removal follows the national shortest period, or the sector's where governance says so or a court keeps the list (D-2).
func listTerms(r x.Reader, c *pb.ListContent) (lo, hi int64) {
	lo, hi = catalog.Int(r, "serious_min_months"), catalog.Int(r, "serious_max_months")
	std, ok := catalog.ListStandardOn(r, c.List, calendar.Date(c.DecidedOn))
	if l, known := GetListing(r, c.Listing); known && l.Version != 0 { // decided already: under that version, whatever has become of it
		std, ok = catalog.ListStandard(r, c.List, l.Version)
	}
	if !ok {
		return lo, hi
	}
	early, sector := int64(std.EarlyMonths), catalog.Int(r, "serious_min_vs_sector") != 0
	switch {
	case std.Court, sector && early > 0:
		lo = early
	default:
		lo = max(lo, early)
	}
	if std.TermMonths > 0 {
		hi = min(hi, int64(std.TermMonths))
	}
	return min(lo, hi), hi
}

// MissedListing is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func MissedListing(ctx *x.Ctx, _ x.DutyKind, uscc string, id []byte) {
	old, ok := listings.Get(ctx, uscc, id)
	if !ok || old.State != pb.LISTING_VERIFYING {
		x.Faultf("a timer speaks of listing %x, which waits for no verification", id)
	}
	now := *old
	alarmListing(ctx, &now)
	putListing(ctx, old, &now)
}

// alarmListing marks the verification as late and records the alarm, while it is open.
func alarmListing(ctx *x.Ctx, l *pb.Listing) {
	for _, d := range ListingDuties(l) {
		if d.Kind == DutyVerifyListing {
			subject.RaiseMissed(ctx, d)
		}
	}
	l.Alarms |= alarmVerifyListing
}

func findListing(ctx *x.Ctx, id []byte) (*pb.Listing, x.Done, error) {
	if err := x.CheckDigest(id, "listing", false); err != nil {
		return nil, x.Done{}, err
	}
	l, ok := GetListing(ctx, id)
	if !ok {
		return nil, x.Done{Record: id}, listingUnknown(id)
	}
	return l, x.Done{Record: id}, nil
}

func listingUnknown(id []byte) error {
	return ErrListingUnknown.With("no listing procedure has id %x", id)
}

// listingElsewhere is the refusal of a procedure that others have in hand: who may not be told of it gets what an unknown id gets (INV-03). Its lister may
// always; whoever has a duty in it, while it runs.
func listingElsewhere(ctx *x.Ctx, l *pb.Listing, why error) error {
	me, lister := ctx.Member, l.Notice.Issuer
	duty := func() bool {
		return me == l.Agent || me == l.Reviewer || member.Mandated(ctx, lister, me, pb.MANDATE_DISHONESTY) || checkUpper(ctx, me, lister) == nil
	}
	if member.Decides(ctx, lister) || ListingOpen(l) && duty() {
		return why
	}
	return listingUnknown(l.Id)
}

// ofLister finds a procedure that its lister decides on.
func ofLister(ctx *x.Ctx, issuer string, id []byte) (*pb.Listing, x.Done, error) {
	if _, err := member.ActOn(ctx, issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return nil, x.Done{}, err
	}
	l, done, err := findListing(ctx, id)
	if err != nil {
		return nil, done, err
	}
	if l.Notice.Issuer != issuer {
		return nil, done, listingElsewhere(ctx, l, x.ErrNotIssuer.With("the procedure is another agency's than %s", issuer))
	}
	return l, done, nil
}
