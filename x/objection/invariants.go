package objection

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Check holds INV-34 for records, breaches, repairs and measures (incentive lists count their own), INV-32.
func Check(r x.Reader) (err error) {
	marks := map[string]int{} // kind ‖ id → open objections
	objections.All(r, func(uscc string, o *pb.Objection) bool {
		switch resolved := o.State == pb.OBJECTION_RESOLVED; {
		case o.Subject != uscc:
			err = fmt.Errorf("objection %x lies under another subject", o.Id)
		case resolved && (len(o.ReasonDigest) != 32 || o.Result == pb.OBJECTION_RESULT_UNSET):
			err = fmt.Errorf("INV-32: objection %x was resolved without result or reason", o.Id)
		case !resolved && !Open(o):
			err = fmt.Errorf("objection %x is in no state", o.Id)
		}
		if Open(o) {
			marks[mark(o.Kind, o.Target)]++
			if o.Kind == pb.OBJECTION_REPAIR { // its record carries the mark as well
				if a, ok := repair.Get(r, o.Target); ok {
					marks[mark(pb.OBJECTION_RECORD, a.Target)]++
				}
			}
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	hold := func(kind pb.ObjectionKind, id []byte, count uint32) bool {
		if want := marks[mark(kind, id)]; err == nil && int(count) != want {
			err = fmt.Errorf("INV-34: %x carries %d marks, %d objections to it are open", id, count, want)
		}
		return err == nil
	}
	sanction.All(r, func(d *pb.Dishonesty) bool { return hold(pb.OBJECTION_RECORD, d.Id, d.Objections) })
	commitment.All(r, func(c *pb.Commitment) bool { return hold(pb.OBJECTION_BREACH, commitment.ID(&c.Content), c.Objections) })
	measure.All(r, func(m *pb.Measure) bool { return hold(pb.OBJECTION_MEASURE, m.Id, m.Objections) })
	repair.All(r, func(a *pb.Repair) bool { return hold(pb.OBJECTION_REPAIR, a.Id, a.Objections) })
	return err
}

func mark(kind pb.ObjectionKind, id []byte) string { return string(append([]byte{byte(kind)}, id...)) }

// EachDuty gives all duties that follow from objections.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	objections.All(r, func(_ string, o *pb.Objection) bool {
		for _, d := range DutiesOf(o) {
			fn(d)
		}
		return true
	})
}
