package repair

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Check holds INV-12, INV-13, INV-32, REP-1 and REP-2, and that commitments are in view as long as their applications let them (INV-03).
func Check(r x.Reader) (err error) {
	open := map[string]bool{}
	// Of the subject at hand: what its applications say of commitments, and its bars. They are looked through once for all of its applications.
	var at string
	var views map[string]*named
	var barred []*pb.RepairBar
	repairs.All(r, func(uscc string, a *pb.Repair) bool {
		if uscc != at {
			at, views, barred = uscc, nil, nil
			bars.Each(r, uscc, func(b *pb.RepairBar) bool { barred = append(barred, b); return true })
		}
		target, ok := sanction.Get(r, a.Target)
		switch {
		case !ok || a.Subject != uscc || sanction.Of(target).Subject != uscc:
			err = fmt.Errorf("repair %x speaks of a record that its subject does not have", a.Id)
		case Open(a) && open[string(a.Target)]:
			err = fmt.Errorf("REP-1: two applications are open on record %x", a.Target)
		case a.State == pb.REPAIR_EFFECTIVE && (!gone(target.State) || a.AppliedOn < a.MinUntil || a.DecidedOn < a.AppliedOn):
			err = fmt.Errorf("INV-12: repair %x is in effect, its record is not repaired or was before its time", a.Id)
		case a.State == pb.REPAIR_EFFECTIVE && a.DecisionNo == "":
			err = fmt.Errorf("REP-2: repair %x is in effect without the number of its decision", a.Id)
		case Open(a) && !sanction.Repairable(target):
			err = fmt.Errorf("REP-2: application %x waits on a record on which nothing can be decided", a.Id)
		case (a.State == pb.REPAIR_REFUSED || a.State == pb.REPAIR_NOT_ACCEPTED || a.State == pb.REPAIR_REVOKED) && len(a.ReasonDigest) != 32:
			err = fmt.Errorf("INV-32: repair %x was refused without a reason", a.Id)
		}
		if Open(a) {
			open[string(a.Target)] = true
		}
		if err == nil && views == nil {
			views = map[string]*named{}
			repairs.Each(r, uscc, func(a *pb.Repair) bool { views[a.Commitment] = new(named); return true })
			look(r, uscc, views)
		}
		if c, ok := commitment.Get(r, a.Commitment); err == nil && (!ok || c.Hidden != views[a.Commitment].hidden()) {
			err = fmt.Errorf("INV-03: the commitment of repair %x is in view or out of it against the rule", a.Id)
		}
		for _, b := range barred {
			if err == nil && a.AppliedOn > b.Since && a.AppliedOn <= b.Until && (b.LiftedOn == 0 || a.AppliedOn < b.LiftedOn) {
				err = fmt.Errorf("INV-13: application %x was taken during a bar", a.Id)
			}
		}
		return err == nil
	})
	return err
}

// gone says whether a record is repaired, or was and has gone to the archive since.
func gone(s pb.RecordState) bool {
	return s == pb.RECORD_REPAIRED || s == pb.RECORD_ARCHIVED || s == pb.RECORD_DESTROYED
}

// EachTimer gives all timers that follow from applications, but for those of their duties.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	repairs.All(r, func(_ string, a *pb.Repair) bool {
		for _, t := range TimersOf(a) {
			fn(t)
		}
		return true
	})
}

// EachDuty gives all duties that follow from applications.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	repairs.All(r, func(_ string, a *pb.Repair) bool {
		for _, d := range DutiesOf(a) {
			fn(d)
		}
		return true
	})
}
