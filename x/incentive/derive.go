package incentive

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the indexes that follow from the incentives: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	last := ""
	incentives.All(r, func(uscc string, i *pb.Incentive) bool {
		emit(x.Key(byID.Prefix, i.Id), []byte(i.Subject))
		if uscc != last { // those of a subject come one after the other
			emit(x.Key(holders.Prefix, []byte(uscc)), []byte{})
		}
		last = uscc
		return true
	})
}
