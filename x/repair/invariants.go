package repair

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Check holds INV-12, INV-32 and REP-1, that a repair in effect and its record and commitment agree (INV-03), and that the index agrees with
// the table.
func Check(r x.Reader) (err error) {
	n := 0
	open := map[string]bool{}
	repairs.All(r, func(uscc string, a *pb.Repair) bool {
		n++
		target, ok := sanction.Get(r, a.Target)
		switch {
		case !ok || a.Subject != uscc || sanction.Of(target).Subject != uscc:
			err = fmt.Errorf("repair %x speaks of a record that its subject does not have", a.Id)
		case Open(a) && open[string(a.Target)]:
			err = fmt.Errorf("REP-1: two applications are open on record %x", a.Target)
		case a.State == pb.REPAIR_EFFECTIVE && (target.State != pb.RECORD_REPAIRED || a.DecidedOn < target.MinUntil):
			err = fmt.Errorf("INV-12: repair %x is in effect, its record is not repaired or was before its time", a.Id)
		case (a.State == pb.REPAIR_REFUSED || a.State == pb.REPAIR_NOT_ACCEPTED || a.State == pb.REPAIR_REVOKED) && len(a.ReasonDigest) != 32:
			err = fmt.Errorf("INV-32: repair %x was refused without a reason", a.Id)
		}
		if Open(a) {
			open[string(a.Target)] = true
			if id, ok := x.Peek(r, x.Key(openOn.Prefix, a.Target)); err == nil && (!ok || string(id) != string(a.Id)) {
				err = fmt.Errorf("REP-1: the index of open applications does not know %x", a.Id)
			}
		}
		if c, ok := commitment.Get(r, a.Commitment); err == nil && (!ok || a.State == pb.REPAIR_EFFECTIVE && commitment.Public(c)) {
			err = fmt.Errorf("INV-03: the commitment of repair %x is still in view", a.Id)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	r.Iterate([]byte{byID.Prefix}, nil, func(_, _ []byte) bool { n--; return true })
	if n != 0 {
		return fmt.Errorf("the index of repairs has %d entries too many", -n)
	}
	n = len(open)
	r.Iterate([]byte{openOn.Prefix}, nil, func(_, _ []byte) bool { n--; return true })
	if n != 0 {
		return fmt.Errorf("the index of open applications has %d entries too many", -n)
	}
	return nil
}

// EachTimer gives all timers that follow from applications.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	repairs.All(r, func(_ string, a *pb.Repair) bool {
		for _, t := range TimersOf(a) {
			fn(t)
		}
		return true
	})
}
