package apptest

import (
	"fmt"
	"strings"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestFloodDoesNotHoldOffGovernance: an agency whose records make more timers than a block works off, all due before everything else, does not
// keep its own removal from taking effect on its day.
func TestFloodDoesNotHoldOffGovernance(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1, Edit: func(g *pb.Genesis) { g.Params = append(g.Params, pb.Param{Name: "timers_per_block", Value: 100}) }})
	for _, line := range []string{"enrol firm=A", "propose by=gov1 param=general_max_months value=6", "vote by=gov2 proposal=1", "vote by=gov3 proposal=1"} {
		if out := s.line(t, line); out != "OK" {
			t.Fatal(out)
		}
	}
	n := 0
	flood := func() {
		s.line(t, "tx by=zz-scjg")
		for range 250 {
			n++
			s.line(t, fmt.Sprintf("record by=zz-scjg issuer=zz-scjg firm=A no=%d fine=1000 decided=2026-01-05", n))
		}
		s.line(t, "send")
	}
	flood()
	s.GoTo(mustDate(t, "2026-08-14"))
	flood()
	if out := s.line(t, "proposal id=1"); !strings.HasPrefix(out, "PROPOSAL_EFFECTIVE") {
		t.Fatalf("on its day the proposal is %s", out)
	}
}

// TestRefusalsAreShort: what a sender puts into a field does not come back a thousandfold in outcomes and logs.
func TestRefusalsAreShort(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1})
	long := strings.Repeat("\x01", 100_000)
	tx := s.Sign("zz-scjg", pb.Msg{Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{Issuer: s.agency("zz-scjg"), Code: long}}})
	r := s.Block(tx)
	if len(r) != 1 || r[0].Codespace != "E_COMMITMENT_UNKNOWN" || len(r[0].Log) > 2048 {
		t.Fatalf("%d results, %s, a log of %d bytes", len(r), r[0].Codespace, len(r[0].Log))
	}
}
