package apptest

import (
	"fmt"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
)

// TestTimerBacklog: more falls due on a day than a block works off. The rest follows block by block, in order, and what waits can still be acted
// on; nothing is done twice.
func TestTimerBacklog(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Checks: true, Edit: func(g *pb.Genesis) { g.Params = append(g.Params, pb.Param{Name: "timers_per_block", Value: 100}) }})
	s.line(t, "enrol firm=A")
	s.line(t, "tx by=zz-scjg")
	code := func(i int) string { return fmt.Sprintf("41010020260715%06d", i) }
	for i := range 250 {
		s.line(t, "commit by=zz-scjg firm=A type=2 accepted until=2026-07-16 code="+code(i))
	}
	s.line(t, "send")
	states := func() (n map[pb.CommitmentState]int) {
		n = map[pb.CommitmentState]int{}
		s.Read(func(r x.Reader) {
			commitment.Each(r, s.firms["A"], func(c *pb.Commitment) bool { n[c.State]++; return true })
		})
		return n
	}
	s.GoTo(mustDate(t, "2026-07-17"))
	s.Block()
	if n := states(); n[pb.COMMITMENT_DUE] != 100 {
		t.Fatalf("after a block %v", n)
	}
	// One that still waits is assessed; one that was worked off as well.
	for _, i := range []int{0, 249} {
		if out := s.line(t, "assess by=zz-scjg status=1 code="+code(i)); out != "OK" {
			t.Fatal(out)
		}
	}
	s.Block()
	if n := states(); n[pb.COMMITMENT_DUE] != 248 || n[pb.COMMITMENT_FULFILLED] != 2 {
		t.Fatalf("at the end %v", n)
	}
}
