package commitment

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Check holds CMT-1 and CMT-2 and that index and bars agree with the commitments.
func Check(r x.Reader) (err error) {
	n := 0
	commitments.All(r, func(uscc string, c *pb.Commitment) bool {
		n++
		switch {
		case c.Content.Subject != uscc:
			err = fmt.Errorf("commitment %s lies under another subject", c.Content.Code)
		case CheckSubmit(&pb.SubmitCommitment{Content: c.Content}) != nil:
			err = fmt.Errorf("CMT-1: commitment %s would not be accepted", c.Content.Code)
		case c.State == pb.COMMITMENT_BREACHED && (len(c.UnperformedDigest) != 32 || len(c.ActionDigest) != 32):
			err = fmt.Errorf("CMT-2: breach of commitment %s lacks its texts", c.Content.Code)
		case c.State == pb.COMMITMENT_BREACHED:
			if _, ok := bars.Get(r, uscc, ID(&c.Content)); !ok {
				err = fmt.Errorf("INV-07: breach of commitment %s set no bar", c.Content.Code)
			}
		}
		if got, ok := GetByID(r, ID(&c.Content)); err == nil && (!ok || got.Content.Subject != uscc) {
			err = fmt.Errorf("the indexes do not know commitment %s", c.Content.Code)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	for _, index := range []*x.TableInfo{byCode, byID} {
		left := n
		r.Iterate([]byte{index.Prefix}, nil, func(_, _ []byte) bool { left--; return true })
		if left != 0 {
			return fmt.Errorf("table %s has %d entries too many", index.Layout, -left)
		}
	}
	left := 0
	bars.All(r, func(uscc string, b *pb.PromiseBar) bool {
		if b.LiftedOn == 0 {
			left++
			if _, ok := r.Get(x.Key(standingBars.Prefix, []byte(uscc), b.CauseId)); !ok {
				err = fmt.Errorf("INV-07: the index of bars in force does not know %x of %s", b.CauseId, uscc)
			}
		}
		return err == nil
	})
	r.Iterate([]byte{standingBars.Prefix}, nil, func(_, _ []byte) bool { left--; return true })
	if err == nil && left != 0 {
		err = fmt.Errorf("the index of bars in force has %d entries too many", -left)
	}
	return err
}

// EachTimer gives all timers that follow from commitments.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	commitments.All(r, func(_ string, c *pb.Commitment) bool {
		for _, t := range TimersOf(c) {
			fn(t)
		}
		return true
	})
}
