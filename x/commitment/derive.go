package commitment

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the indexes that follow from the commitments and bars: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	commitments.All(r, func(uscc string, c *pb.Commitment) bool {
		emit(x.Key(byCode.Prefix, []byte(c.Content.Code)), []byte(uscc))
		emit(x.Key(byID.Prefix, ID(&c.Content)), []byte(c.Content.Code))
		return true
	})
	bars.All(r, func(uscc string, b *pb.PromiseBar) bool {
		if b.LiftedOn == 0 {
			emit(x.Key(standingBars.Prefix, []byte(uscc), b.CauseId), []byte{})
		}
		return true
	})
}
