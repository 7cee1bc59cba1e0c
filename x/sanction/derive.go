package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Derive gives the rows of the index by record id that follow from the records: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	records.All(r, func(uscc string, d *pb.Dishonesty) bool {
		emit(x.Key(byID.Prefix, d.Id), []byte(uscc))
		return true
	})
	listings.All(r, func(uscc string, l *pb.Listing) bool {
		emit(x.Key(listingByID.Prefix, l.Id), []byte(uscc))
		return true
	})
}
