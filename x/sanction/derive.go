package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the index by record id that follow from the penalties: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	penalties.All(r, func(uscc string, p *pb.Penalty) bool {
		emit(x.Key(byID.Prefix, p.Id), []byte(uscc))
		return true
	})
}
