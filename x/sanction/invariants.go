package sanction

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
)

// Check holds INV-08 to INV-10 for every penalty and that the index agrees with the table.
func Check(r x.Reader) (err error) {
	n := 0
	// Once governance has let minor records be published (minor_publish) those that were stay so, also when it takes that back: a change never
	// rewrites past effects (INV-25).
	minors := catalog.EverSet(r, "minor_publish")
	penalties.All(r, func(uscc string, p *pb.Penalty) bool {
		n++
		id := PenaltyID(p.Content.Issuer, p.Content.DocNo, p.Content.Subject)
		switch {
		case p.Content.Subject != uscc || string(id[:]) != string(p.Id):
			err = fmt.Errorf("penalty %x does not have the id of its content", p.Id)
		case CheckRecord(&pb.RecordPenalty{Content: p.Content}) != nil:
			err = fmt.Errorf("penalty %x would not be accepted", p.Id)
		case p.State == pb.RECORD_PUBLISHED && p.Content.NoticeServedOn >= p.Content.DecidedOn:
			err = fmt.Errorf("INV-08: penalty %x is published, its notice was not served before the decision", p.Id)
		case p.Class < pb.SEVERITY_MINOR || p.Class > pb.SEVERITY_SERIOUS || p.MinUntil > p.MaxUntil || p.MinUntil < p.Content.DecidedOn:
			err = fmt.Errorf("INV-09: class and dates of penalty %x", p.Id)
		case p.Class == pb.SEVERITY_MINOR && p.State == pb.RECORD_PUBLISHED && !p.Content.Necessary && !minors:
			err = fmt.Errorf("INV-10: minor penalty %x is published without necessity", p.Id)
		case Public(p) && p.Class == pb.SEVERITY_SERIOUS && !barStands(r, uscc, p.Id):
			err = fmt.Errorf("INV-07: serious penalty %x sets no bar", p.Id)
		case p.State == pb.RECORD_PUBLISHED && calendar.Date(p.PublishedOn) > calendar.Date(p.MaxUntil):
			err = fmt.Errorf("INV-09: penalty %x was published after its term", p.Id)
		}
		if q, ok := Get(r, p.Id); err == nil && (!ok || q.Content.Subject != uscc) {
			err = fmt.Errorf("the index does not know penalty %x", p.Id)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	r.Iterate([]byte{byID.Prefix}, nil, func(_, _ []byte) bool { n--; return true })
	if n != 0 {
		return fmt.Errorf("the index of penalties has %d entries too many", -n)
	}
	return nil
}

func barStands(r x.Reader, uscc string, id []byte) (stands bool) {
	commitment.Bars(r, uscc, func(b *pb.PromiseBar) bool {
		stands = stands || b.LiftedOn == 0 && string(b.CauseId) == string(id)
		return !stands
	})
	return stands
}

// EachTimer gives all timers that follow from penalties.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	All(r, func(p *pb.Penalty) bool {
		for _, t := range TimersOf(p) {
			fn(t)
		}
		return true
	})
}
