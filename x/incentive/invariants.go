package incentive

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/objection"
)

// Check holds the invariants of doc.go.
func Check(r x.Reader) (err error) {
	open := map[string]uint32{} // incentive → objections that are open
	objection.All(r, func(o *pb.Objection) bool {
		if o.Kind == pb.OBJECTION_INCENTIVE && objection.Open(o) {
			open[string(o.Target)]++
		}
		return true
	})
	granted := map[string]uint32{}
	uses.All(r, func(uscc string, u *pb.IncentiveUse) bool {
		granted[string(u.Incentive)]++
		if i, ok := Get(r, u.Incentive); !ok || u.Subject != uscc || i.Subject != uscc || u.UsedOn < i.DecidedOn || i.EndedOn != 0 && u.UsedOn > i.EndedOn {
			err = fmt.Errorf("INV-29: use %x rests on no incentive in force", u.Id)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	incentives.All(r, func(uscc string, i *pb.Incentive) bool {
		list := listOf(r, i)
		recognised := i.State == pb.INCENTIVE_RECOGNISED || i.State == pb.INCENTIVE_EXPIRED || i.State == pb.INCENTIVE_CANCELLED
		against := i.State == pb.INCENTIVE_DECLINED || i.State == pb.INCENTIVE_CANCELLED
		switch {
		case i.Subject != uscc:
			err = fmt.Errorf("incentive %x lies under another subject", i.Id)
		case i.State < pb.INCENTIVE_PROPOSED || i.State > pb.INCENTIVE_CANCELLED:
			err = fmt.Errorf("incentive %x is in no state", i.Id)
		case recognised && (i.NoticedOn == 0 || i.DecidedOn <= i.NoticeUntil):
			err = fmt.Errorf("NTV-1: incentive %x was recognised before its notice had ended", i.Id)
		case recognised && (i.ValidUntil <= i.DecidedOn || list.TermMonths != 0 && calendar.Date(i.ValidUntil) > calendar.Date(i.DecidedOn).AddMonths(int(list.TermMonths))):
			err = fmt.Errorf("NTV-1: incentive %x stands for longer than its list allows, or not at all", i.Id)
		case i.State == pb.INCENTIVE_RECOGNISED && i.Objections != 0:
			err = fmt.Errorf("NTV-1: incentive %x was recognised over an objection", i.Id)
		case against && len(i.ReasonDigest) != pb.DigestBytes:
			err = fmt.Errorf("INV-32: the decision against incentive %x has no reason", i.Id)
		case open[string(i.Id)] != i.Objections:
			err = fmt.Errorf("INV-34: incentive %x counts %d objections, %d are open", i.Id, i.Objections, open[string(i.Id)])
		case granted[string(i.Id)] != i.Uses:
			err = fmt.Errorf("incentive %x counts %d uses, %d stand", i.Id, i.Uses, granted[string(i.Id)])
		}
		return err == nil
	})
	return err
}
