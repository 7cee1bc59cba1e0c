package repair

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// A type-4 commitment tells everybody who sees it that there was a record to repair. So it is in view no longer than the records that it speaks
// of, and one that no application ever named is not this package's matter.

// hides says whether the applications that name a commitment take it out of view: none of them is open, and one took effect or no record that
// they speak of is in publicity any more (repaired, at its term, withdrawn, shielded, held back).
func hides(r x.Reader, uscc, code string) bool {
	named, open, effect, public := false, false, false, false
	repairs.Each(r, uscc, func(a *pb.Repair) bool {
		if a.Commitment != code {
			return true
		}
		named, open, effect = true, open || Open(a), effect || a.State == pb.REPAIR_EFFECTIVE
		target, ok := sanction.Get(r, a.Target)
		if !ok {
			x.Faultf("repair %x speaks of a record that is not there", a.Id)
		}
		public = public || sanction.Public(target)
		return true
	})
	return named && !open && (effect || !public)
}

// review takes a commitment out of view or brings it back.
func review(ctx *x.Ctx, uscc, code string) {
	c, ok := commitment.Get(ctx, code)
	if !ok {
		x.Faultf("a repair speaks of commitment %s, which is not recorded", code)
	}
	switch hidden := hides(ctx, uscc, code); {
	case hidden && !c.Hidden:
		commitment.Hide(ctx, code)
	case !hidden && c.Hidden:
		commitment.Show(ctx, code)
	}
}

// Settle is called at the end of a block for the records that left publicity in it or came back: an application that waits on one on which no
// repair can be decided any more has ended (R10), and commitments leave view or return with the records.
func Settle(ctx *x.Ctx) {
	for _, m := range ctx.Moved {
		record, ok := sanction.Get(ctx, m.Record)
		if !ok {
			x.Faultf("record %x has moved and is not there", m.Record)
		}
		var about []*pb.Repair
		repairs.Each(ctx, m.Subject, func(a *pb.Repair) bool {
			if bytes.Equal(a.Target, m.Record) {
				about = append(about, a)
			}
			return true
		})
		for _, a := range about {
			if Open(a) && !sanction.Repairable(record) {
				a.State, a.DecidedOn = pb.REPAIR_MOOT, int32(ctx.Today)
				put(ctx, a)
			} else {
				review(ctx, a.Subject, a.Commitment)
			}
		}
	}
}
