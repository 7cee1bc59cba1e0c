package incentive

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the indexes that follow from the incentives: what state sync rebuilds. A subject comes once for each of its incentives.
func Derive(r x.Reader, emit func(key, value []byte)) {
	All(r, func(i *pb.Incentive) bool {
		emit(x.Key(byID.Prefix, i.Id), []byte(i.Subject))
		emit(x.Key(holders.Prefix, []byte(i.Subject)), []byte{})
		return true
	})
}
