package sanction

import (
	"bytes"
	"slices"
	"strconv"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// versionID is the id of an older version of a record: nobody who sees the record can tell from its own id that there is one.
func versionID(d *pb.Dishonesty) [32]byte { return versionOf(d, d.Version) }

func versionOf(d *pb.Dishonesty, number uint32) [32]byte {
	f := Of(d)
	return ID(d.Kind, f.Issuer, f.DocNo+"#v"+strconv.FormatUint(uint64(number), 10), f.Subject)
}

// stoodOnce says whether a record stood with a content before it was corrected.
func stoodOnce(r x.Reader, d *pb.Dishonesty, content []byte) bool {
	for n := uint32(1); n <= d.Version && d.State != pb.RECORD_DESTROYED; n++ {
		x.Looked(r, 1)
		id := versionOf(d, n)
		if old, ok := Get(r, id[:]); ok && bytes.Equal(contentOf(old), content) {
			return true
		}
	}
	return false
}

// correctedOn is the day of the newest correction of a record; 0: it was never corrected.
func correctedOn(r x.Reader, d *pb.Dishonesty) int32 {
	id := versionID(d)
	if before, ok := Get(r, id[:]); ok && d.Version > 0 {
		return before.EndedOn
	}
	return 0
}

// withContent gives a record with the content of a correction in place of its own. Content of another kind, or of more than one, gives nothing.
func withContent(d *pb.Dishonesty, m *pb.CorrectRecord) (*pb.Dishonesty, bool) {
	next := *d
	given := 0
	for _, g := range []bool{m.Penalty != nil, m.List != nil, m.Abnormal != nil, m.Other != nil} {
		if g {
			given++
		}
	}
	next.Penalty, next.List, next.Abnormal, next.Other = m.Penalty, m.List, m.Abnormal, m.Other
	fits := map[pb.DishonestyKind]bool{ // DETERMINISM: looked up, never ranged over
		pb.DISHONESTY_PENALTY: m.Penalty != nil, pb.DISHONESTY_LIST: m.List != nil, pb.DISHONESTY_ABNORMAL: m.Abnormal != nil, pb.DISHONESTY_OTHER: m.Other != nil,
	}
	return &next, given == 1 && fits[d.Kind]
}

// keptOut says whether a record is kept out of publicity by its class (INV-10).
func keptOut(r x.Reader, d *pb.Dishonesty) bool {
	return d.Class == pb.SEVERITY_MINOR && !necessary(d) && !catalog.Bool(r, "minor_publish")
}

// Correct is P17: what the record states was not true, and is replaced (更正). The record keeps its id and the state of its publicity; its dates run from the
// decision. The version that stood moves to an id of its own. Issuer, subject and number stay: where these are wrong the record is withdrawn.
func Correct(ctx *x.Ctx, m *pb.CorrectRecord) (x.Done, error) {
	if err := x.CheckDigest(m.ReasonDigest, "reason_digest", false); err != nil {
		return x.Done{}, err
	}
	d, done, err := ofIssuer(ctx, m.Issuer, m.Record, pb.ROLE_REVIEW, pb.MANDATE_UNSET)
	if err != nil {
		return done, err
	}
	next, fits := withContent(d, m)
	if !fits {
		return done, ErrCorrection.With("a correction holds one content, that of the kind of the record")
	}
	if err := checkContent(next); err != nil {
		return done, err
	}
	switch was, is := Of(d), Of(next); {
	case was.Issuer != is.Issuer || was.Subject != is.Subject || was.DocNo != is.DocNo:
		return done, ErrCorrection.With("issuer, subject and number cannot be corrected")
	case bytes.Equal(contentOf(d), contentOf(next)):
		done.Note = x.AlreadyRecorded
		return done, nil
	case !Live(d):
		return done, ErrState.With("the record is %s", d.State)
	}
	if err := correctable(ctx, d, next); err != nil {
		return done, err
	}
	if err := subject.AdmitAgain(ctx, Of(d).Subject, correctedOn(ctx, d) == int32(ctx.Today)); err != nil {
		return done, err
	}

	before := *d
	before.Version, before.Of, before.State, before.EndedOn, before.ReasonDigest = d.Version+1, d.Id, pb.RECORD_CORRECTED, int32(ctx.Today), m.ReasonDigest
	unhold(&before)
	before.Alarms, before.Objections, before.Plan, before.RevokedOn, before.WithdrawBy, before.ReexamineBy = 0, 0, nil, 0, 0, 0
	id := versionID(&before)
	before.Id = id[:]
	create(ctx, &before)

	next.Version++
	setDates(ctx, next)
	if next.PublishBy != d.PublishBy { // the clock of the other day begins
		next.Alarms &^= alarmBit(DutyPublish)
	}
	switch {
	case keptOut(ctx, next):
		next.State = pb.RECORD_UNPUBLISHED
	case d.State == pb.RECORD_UNPUBLISHED:
		next.State = pb.RECORD_REGISTERED
	}
	next.Extended = false
	unhold(next) // the recogniser has acted
	if int32(ctx.Today) > next.MaxUntil && next.State != pb.RECORD_REGISTERED {
		if holds(ctx, next) {
			next.Extended = true
		} else {
			next.State, next.EndedOn = pb.RECORD_EXPIRED, int32(ctx.Today)
		}
	}
	if d.List != nil && !slices.EqualFunc(d.List.Basis, next.List.Basis, bytes.Equal) {
		raiseLate(ctx, next, DutyReexamine)
		next.ReexamineBy = 0 // it rests on what runs
	}
	put(ctx, next)
	if Public(d) { // who keeps a copy takes the new version, or lets go of it
		propagate(ctx, next, pb.PROPAGATION_CORRECTION)
	}
	return done, nil
}

// correctable holds the new content against all that a new record is held against, and sets its class.
func correctable(ctx *x.Ctx, d, next *pb.Dishonesty) error {
	f := decisionOf(next)
	if err := checkNow(ctx, f); err != nil {
		return err
	}
	issuer, ok := member.Look(ctx, f.Issuer)
	if !ok {
		x.Faultf("the issuer %s of record %x is no member", f.Issuer, d.Id)
	}
	var err error
	switch {
	case next.Penalty != nil:
		next.Class, err = penaltyFits(ctx, issuer, next.Penalty, Of(d).BreachOf, d.Id)
		if err == nil && Public(d) && next.Penalty.NoticeServedOn >= next.Penalty.DecidedOn {
			err = ErrNotice.With("a decision on the day of its notice is not published")
		}
	case next.List != nil:
		err = listFits(ctx, issuer, d.List, next.List)
	case next.Abnormal != nil:
		err = abnormalFits(ctx, issuer, next.Abnormal)
	case next.Other != nil:
		next.Class, err = otherFits(ctx, issuer, next.Other, Of(d).BreachOf)
	}
	return err
}

// listFits holds the corrected content of an entry in a list against the standard of its day. List, procedure and measures stay: the subject was told of
// these and heard on them.
func listFits(ctx *x.Ctx, issuer *pb.Member, was, is *pb.ListContent) error {
	if was.List != is.List || !bytes.Equal(was.Listing, is.Listing) || !slices.Equal(was.Measures, is.Measures) {
		return ErrCorrection.With("list, procedure and measures of an entry cannot be corrected")
	}
	l, ok := GetListing(ctx, is.Listing)
	if !ok {
		x.Faultf("an entry rests on procedure %x, which is not there", is.Listing)
	}
	decided := calendar.Date(is.DecidedOn)
	if is.DecidedOn <= max(l.Notice.ServedOn, l.StatedOn, l.VerifiedOn, l.ReviewedOn) && is.DecidedOn != was.DecidedOn {
		return ErrNotice.With("decided on %s, before the subject was heard and answered", decided)
	}
	std, ok := catalog.ListStandardOn(ctx, is.List, decided)
	if !ok {
		return ErrListUnknown.With("no standard of list %s is in force on %s", is.List, decided)
	}
	if err := mayList(ctx, issuer, std, is); err != nil {
		return err
	}
	if slices.EqualFunc(was.Basis, is.Basis, bytes.Equal) {
		return nil
	}
	return checkBasis(ctx, std, is)
}
