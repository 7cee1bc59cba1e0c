package apptest

import (
	"fmt"
	"slices"
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

// TestGovernanceWeighs: a message of governance takes a hundred times the share of another, so that one agency cannot fill a block with the dearest
// work there is. Proposals that are open are counted without reading them.
func TestGovernanceWeighs(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 2})
	s.Block()
	votes := func(n int) []pb.Msg {
		return slices.Repeat([]pb.Msg{{Sum: &pb.Msg_Vote{Vote: &pb.Vote{Issuer: s.agency("gov1"), Proposal: 7}}}}, n)
	}
	if r := s.Block(s.Sign("gov1", votes(101)...)); len(r) != 0 {
		t.Fatalf("101 votes in a block: %s", r[0].Codespace)
	}
	if r := s.Block(s.Sign("gov1", votes(100)...)); len(r) != 1 || r[0].Codespace != "E_PROPOSAL_UNKNOWN" {
		t.Fatalf("100 votes in a block: %v", r)
	}
}

// TestLinksAreBounded: the records that punish a breach stand in one row, which every further one writes anew.
func TestLinksAreBounded(t *testing.T) {
	t.Parallel()
	s := NewScript(t, Options{Apps: 1, Checks: true})
	for _, line := range []string{
		"enrol firm=A", "commit by=zz-scjg firm=A code=41010020260715000001 type=2 accepted",
		"assess by=zz-scjg code=41010020260715000001 status=3 unperformed=u action=a",
	} {
		if out := s.line(t, line); out != "OK" {
			t.Fatal(out)
		}
	}
	record := func(n int) {
		s.line(t, fmt.Sprintf("record by=zz-scjg issuer=zz-scjg firm=A no=%d fine=1000 breach-of=41010020260715000001", n))
	}
	s.line(t, "tx by=zz-scjg")
	for n := range pb.LinkedMax {
		record(n + 1)
	}
	s.line(t, "send")
	s.line(t, "tx by=zz-scjg")
	record(pb.LinkedMax + 1)
	if out := s.line(t, "send"); !strings.HasPrefix(out, "E_LIMIT") {
		t.Fatal(out)
	}
	s.line(t, "withdraw by=zz-scjg issuer=zz-scjg firm=A no=1")
	s.line(t, "tx by=zz-scjg")
	record(pb.LinkedMax + 1)
	if out := s.line(t, "send"); out != "OK" {
		t.Fatal(out)
	}
}
