package leniency

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Check holds LEN-1 and LEN-2.
func Check(r x.Reader) (err error) {
	rows.All(r, func(uscc string, row *pb.NoPenalty) bool {
		c := &row.Content
		id := ID(c.Issuer, c.DocNo, c.Subject)
		switch {
		case c.Subject != uscc || string(id[:]) != string(row.Id):
			err = fmt.Errorf("LEN-2: decision %x does not have the id of its content", row.Id)
		case CheckRecord(&pb.RecordNoPenalty{Content: *c}) != nil:
			err = fmt.Errorf("LEN-1: decision %x does not fit its limb", row.Id)
		case Stands(row) != (len(row.ReasonDigest) == 0):
			err = fmt.Errorf("INV-32: decision %x was withdrawn without a reason", row.Id)
		}
		return err == nil
	})
	return err
}
