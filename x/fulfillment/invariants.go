package fulfillment

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
)

// Check is FUL-1: status, texts and state of every commitment agree.
func Check(r x.Reader) (err error) {
	commitment.All(r, func(c *pb.Commitment) bool {
		assessed := c.State == pb.COMMITMENT_FULFILLED || c.State == pb.COMMITMENT_BREACHED || c.State == pb.COMMITMENT_CURED
		breach := c.Fulfilment == 2 || c.Fulfilment == 3
		switch {
		case assessed != (c.Fulfilment != 0) && c.State != pb.COMMITMENT_WITHDRAWN,
			c.State == pb.COMMITMENT_FULFILLED && breach,
			(c.State == pb.COMMITMENT_BREACHED || c.State == pb.COMMITMENT_CURED) && !breach,
			breach != (len(c.UnperformedDigest) == 32 && len(c.ActionDigest) == 32):
			err = fmt.Errorf("FUL-1: assessment of commitment %s is inconsistent", c.Content.Code)
		}
		return err == nil
	})
	return err
}
