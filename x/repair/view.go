package repair

import (
	"maps"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// A type-4 commitment tells everybody who sees it that there was a record to repair. So it is in view no longer than the records that it speaks
// of, and one that no application ever named is not this package's matter.

// named is what the applications that name a commitment say of it.
type named struct{ any, open, effect, public bool }

// hidden says whether the applications that name a commitment take it out of view: none of them is open, and one took effect or no record that
// they speak of is in publicity any more (repaired, at its term, withdrawn, shielded, held back).
func (n *named) hidden() bool { return n.any && !n.open && (n.effect || !n.public) }

// look finds what a subject's applications say of commitments, which are given by code. They are looked through once, however many commitments there are.
func look(r x.Reader, uscc string, of map[string]*named) {
	repairs.Each(r, uscc, func(a *pb.Repair) bool {
		n := of[a.Commitment]
		if n == nil {
			return true
		}
		n.any, n.open, n.effect = true, n.open || Open(a), n.effect || a.State == pb.REPAIR_EFFECTIVE
		target, ok := sanction.Get(r, a.Target)
		if !ok {
			x.Faultf("repair %x speaks of a record that is not there", a.Id)
		}
		n.public = n.public || sanction.Public(target)
		return true
	})
}

// review takes commitments out of view or brings them back.
func review(ctx *x.Ctx, uscc string, codes ...string) {
	of := map[string]*named{}
	for _, code := range codes {
		of[code] = new(named)
	}
	look(ctx, uscc, of)
	for _, code := range slices.Sorted(maps.Keys(of)) {
		c, ok := commitment.Get(ctx, code)
		if !ok {
			x.Faultf("a repair speaks of commitment %s, which is not recorded", code)
		}
		switch hidden := of[code].hidden(); {
		case hidden && !c.Hidden:
			commitment.Hide(ctx, code)
		case !hidden && c.Hidden:
			commitment.Show(ctx, code)
		}
	}
}

// Settle is called at the end of a block for the records that left publicity in it or came back: an application that waits on one on which no
// repair can be decided any more has ended (R10), and commitments leave view or return with the records. The applications of a subject are looked through
// as often for a thousand of its records as for one.
func Settle(ctx *x.Ctx) {
	moved := map[string]map[[32]byte]bool{} // by subject: the records, and whether a repair can be decided on them
	for _, m := range ctx.Moved {
		record, ok := sanction.Get(ctx, m.Record)
		if !ok {
			x.Faultf("record %x has moved and is not there", m.Record)
		}
		if moved[m.Subject] == nil {
			moved[m.Subject] = map[[32]byte]bool{}
		}
		moved[m.Subject][[32]byte(m.Record)] = sanction.Repairable(record)
	}
	for _, uscc := range slices.Sorted(maps.Keys(moved)) {
		var moot []*pb.Repair
		var codes []string
		repairs.Each(ctx, uscc, func(a *pb.Repair) bool {
			if repairable, ok := moved[uscc][[32]byte(a.Target)]; ok {
				codes = append(codes, a.Commitment)
				if Open(a) && !repairable {
					moot = append(moot, a)
				}
			}
			return true
		})
		for _, a := range moot {
			a.State, a.DecidedOn = pb.REPAIR_MOOT, int32(ctx.Today)
			write(ctx, a)
		}
		if len(codes) > 0 {
			review(ctx, uscc, codes...)
		}
	}
}
