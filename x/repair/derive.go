package repair

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the indexes by id and by record that follow from the applications: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	repairs.All(r, func(uscc string, a *pb.Repair) bool {
		emit(x.Key(byID.Prefix, a.Id), []byte(uscc))
		if Open(a) {
			emit(x.Key(openOn.Prefix, a.Target), a.Id)
		}
		return true
	})
}
