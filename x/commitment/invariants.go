package commitment

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Check holds CMT-1 and CMT-2 and that index and bars agree with the commitments.
func Check(r x.Reader) (err error) {
	commitments.All(r, func(uscc string, c *pb.Commitment) bool {
		switch {
		case c.Content.Subject != uscc:
			err = fmt.Errorf("commitment %s lies under another subject", c.Content.Code)
		case CheckSubmit(&pb.SubmitCommitment{Content: c.Content}) != nil:
			err = fmt.Errorf("CMT-1: commitment %s would not be accepted", c.Content.Code)
		case c.AcceptBy == 0, (c.AcceptedOn != 0) != (c.CheckBy != 0), c.State == pb.COMMITMENT_DUE && c.AssessBy == 0,
			c.State == pb.COMMITMENT_SUPERVISED && c.CheckBy == 0, (c.MendedOn != 0) != (c.MendBy != 0):
			err = fmt.Errorf("CMT-3: a clock of commitment %s is not set", c.Content.Code)
		case c.MendedOn != 0 && c.State != pb.COMMITMENT_SUPERVISED && c.State != pb.COMMITMENT_DUE && c.State != pb.COMMITMENT_BREACHED:
			err = fmt.Errorf("CMT-4: a report of mending waits on commitment %s, which is %s", c.Content.Code, c.State)
		case c.Licence != "" && (c.Content.Type != 1 || c.AcceptedOn == 0):
			err = fmt.Errorf("CMT-5: commitment %s led to a licence and is no accepted one of type 1", c.Content.Code)
		case c.State == pb.COMMITMENT_BREACHED && (len(c.UnperformedDigest) != 32 || len(c.ActionDigest) != 32):
			err = fmt.Errorf("CMT-2: breach of commitment %s lacks its texts", c.Content.Code)
		case c.State == pb.COMMITMENT_BREACHED:
			if _, ok := bars.Get(r, uscc, ID(&c.Content)); !ok {
				err = fmt.Errorf("INV-07: breach of commitment %s set no bar", c.Content.Code)
			}
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	bars.All(r, func(uscc string, b *pb.PromiseBar) bool {
		if b.LiftedOn == 0 {
			if c, ok := Get(r, b.Commitment); b.Cause == pb.BAR_BREACH && (!ok || !InForce(c) && len(b.Linked) == 0) {
				err = fmt.Errorf("CMT-6: a bar stands for commitment %s, in which no breach is left and which no record punishes", b.Commitment)
			}
		}
		return err == nil
	})
	return err
}

// EachDuty gives all duties that follow from commitments.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	commitments.All(r, func(_ string, c *pb.Commitment) bool {
		for _, d := range DutiesOf(c) {
			fn(d)
		}
		return true
	})
}
