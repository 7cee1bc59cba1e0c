package measure

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the indexes that follow from the measures: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	All(r, func(m *pb.Measure) bool {
		emit(x.Key(byID.Prefix, m.Id), []byte(m.Subject))
		emit(x.Key(bySource.Prefix, m.Source, m.Id), []byte{})
		return true
	})
}
