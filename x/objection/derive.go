package objection

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the index by id that follow from the objections: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	objections.All(r, func(uscc string, o *pb.Objection) bool {
		emit(x.Key(byID.Prefix, o.Id), []byte(uscc))
		return true
	})
}
