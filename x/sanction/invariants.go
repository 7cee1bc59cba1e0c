package sanction

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
)

// Check holds INV-08 to INV-10 for every record and what the other tables of the package promise.
func Check(r x.Reader) (err error) {
	// Once governance has let minor records be published (minor_publish) those that were stay so, also when it takes that back: a change never
	// rewrites past effects (INV-25).
	minors := catalog.EverSet(r, "minor_publish")
	records.All(r, func(uscc string, d *pb.Dishonesty) bool {
		if d.State == pb.RECORD_DESTROYED {
			err = checkDestroyed(d)
			return err == nil
		}
		f := Of(d)
		id := ID(d.Kind, f.Issuer, f.DocNo, f.Subject)
		if len(d.Of) != 0 {
			id = versionID(d)
		}
		switch {
		case f.Subject != uscc || string(id[:]) != string(d.Id):
			err = fmt.Errorf("record %x does not have the id of its content", d.Id)
		case d.Class < pb.SEVERITY_MINOR || d.Class > pb.SEVERITY_SERIOUS || d.MinUntil > d.MaxUntil || d.MinUntil < f.DecidedOn:
			err = fmt.Errorf("INV-09: class and dates of record %x", d.Id)
		case Public(d) && d.Class == pb.SEVERITY_SERIOUS && !barStands(r, uscc, d.Id):
			err = fmt.Errorf("INV-07: serious record %x sets no bar", d.Id)
		case d.Held && d.State != pb.RECORD_PUBLISHED:
			err = fmt.Errorf("INV-42: record %x is held back and is %s", d.Id, d.State)
		case d.Extended && d.State != pb.RECORD_PUBLISHED && d.State != pb.RECORD_SHIELDED:
			err = fmt.Errorf("record %x stays beyond its term and is %s", d.Id, d.State)
		case (StateOf(d) == pb.RECORD_CORRECTED) != (len(d.Of) != 0):
			err = fmt.Errorf("INV-20: record %x is %s, and of record %x", d.Id, d.State, d.Of)
		case d.State == pb.RECORD_PUBLISHED && !d.Extended && calendar.Date(d.PublishedOn) > calendar.Date(d.MaxUntil):
			err = fmt.Errorf("INV-09: record %x was published after its term", d.Id)
		case d.State == pb.RECORD_PUBLISHED && d.Class == pb.SEVERITY_MINOR && !minors && !necessary(d):
			err = fmt.Errorf("INV-10: minor record %x is published without necessity", d.Id)
		case d.State == pb.RECORD_PUBLISHED && d.Penalty != nil && d.Penalty.NoticeServedOn >= d.Penalty.DecidedOn:
			err = fmt.Errorf("INV-08: penalty %x is published, its notice was not served before the decision", d.Id)
		default:
			if err = checkContent(d); err != nil {
				err = fmt.Errorf("record %x would not be accepted: %w", d.Id, err)
			}
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	for _, check := range []func(x.Reader) error{checkListings, checkMeasures, checkPropagations, checkPlans, checkCases, checkAttention} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// checkContent holds that the content would be taken in as it stands.
func checkContent(d *pb.Dishonesty) error {
	switch {
	case d.Penalty != nil:
		return CheckRecord(&pb.RecordPenalty{Content: *d.Penalty})
	case d.List != nil:
		return CheckDecide(&pb.DecideListing{Content: *d.List})
	case d.Abnormal != nil:
		return CheckAbnormal(&pb.RecordAbnormal{Content: *d.Abnormal})
	}
	return CheckOther(&pb.RecordOther{Content: *d.Other})
}

// necessary says whether the issuer stated that a minor record must be published.
func necessary(d *pb.Dishonesty) bool {
	return d.Penalty != nil && d.Penalty.Necessary || d.Other != nil && d.Other.Necessary
}

func barStands(r x.Reader, uscc string, id []byte) (stands bool) {
	commitment.Bars(r, uscc, func(b *pb.PromiseBar) bool {
		stands = stands || b.LiftedOn == 0 && string(b.CauseId) == string(id)
		return !stands
	})
	return stands
}

// checkListings holds the procedures: INV-35 the consent that a decision needed came before it; an entry and the procedure that led to it know of each other; a
// procedure that ended without one has its reason (INV-32).
func checkListings(r x.Reader) (err error) {
	listings.All(r, func(uscc string, l *pb.Listing) bool {
		id := ListingID(&l.Notice)
		d, known := Get(r, l.Record)
		switch {
		case l.Notice.Subject != uscc || string(id[:]) != string(l.Id) || CheckNotify(&pb.NotifyListing{Notice: l.Notice}) != nil:
			err = fmt.Errorf("listing %x is not that of its notice", l.Id)
		case (l.State == pb.LISTING_DECIDED) != known, known && d.State != pb.RECORD_DESTROYED && (d.List == nil || string(d.List.Listing) != string(l.Id) || Of(d).Subject != uscc):
			err = fmt.Errorf("listing %x and its entry do not know of each other", l.Id)
		case l.ConsentNeeded && l.ConsentBy == "":
			err = fmt.Errorf("INV-35: entry %x was decided without the consent of the level above", l.Record)
		case l.State == pb.LISTING_DROPPED && len(l.ReasonDigest)+len(l.VerifiedDigest) == 0:
			err = fmt.Errorf("INV-32: listing %x was dropped without a reason", l.Id)
		case ListingOpen(l) != (l.EndedOn == 0), (l.State == pb.LISTING_VERIFYING) && l.VerifyBy == 0, (l.State == pb.LISTING_REVIEWING) && l.Reviewer == "":
			err = fmt.Errorf("listing %x is %s and lacks the facts of that state", l.Id, l.State)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	All(r, func(d *pb.Dishonesty) bool {
		if d.List == nil || len(d.Of) != 0 {
			return true
		}
		if l, ok := GetListing(r, d.List.Listing); !ok || string(l.Record) != string(d.Id) {
			err = fmt.Errorf("INV-08: entry %x stands without its procedure", d.Id)
		}
		return err == nil
	})
	return err
}

// EachTimer gives all timers that follow from records and attentions, but for those of duties.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	attentions.All(r, func(_ string, a *pb.Attention) bool {
		for _, t := range timersOfAttention(a) {
			fn(t)
		}
		return true
	})
	All(r, func(d *pb.Dishonesty) bool {
		for _, t := range TimersOf(d) {
			fn(t)
		}
		return true
	})
}

// EachDuty gives all duties that follow from records, propagations and plans.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	each := func(duties []x.Duty) bool {
		for _, duty := range duties {
			fn(duty)
		}
		return true
	}
	All(r, func(d *pb.Dishonesty) bool { return each(DutiesOf(d)) })
	propagations.All(r, func(_ string, p *pb.Propagation) bool { return each(dutiesOfPropagation(p)) })
	plans.All(r, func(_ string, p *pb.CourtPlan) bool { return each(DutiesOfPlan(p)) })
	cases.All(r, func(_ string, c *pb.Case) bool { return each(DutiesOfCase(c)) })
	listings.All(r, func(_ string, l *pb.Listing) bool {
		for _, duty := range ListingDuties(l) {
			fn(duty)
		}
		return true
	})
}
