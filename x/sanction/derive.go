package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the index by record id that follow from the records: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	records.All(r, func(uscc string, d *pb.Dishonesty) bool {
		emit(x.Key(byID.Prefix, d.Id), []byte(uscc))
		if act := finedAct(d); act != nil {
			emit(x.Key(fines.Prefix, []byte(uscc), act), d.Id)
		}
		if Public(d) && d.Class == pb.SEVERITY_GENERAL {
			emit(generalKey(d), []byte{})
		}
		return true
	})
	plans.All(r, func(uscc string, p *pb.CourtPlan) bool {
		emit(x.Key(planByID.Prefix, p.Id), []byte(uscc))
		if p.State == pb.COURT_PLAN_RUNNING {
			emit(x.Key(openPlans.Prefix, []byte(uscc)), p.Id)
		}
		return true
	})
	listings.All(r, func(uscc string, l *pb.Listing) bool {
		emit(x.Key(listingByID.Prefix, l.Id), []byte(uscc))
		return true
	})
}
