package apptest

import (
	"fmt"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
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

// TestTimersOfAllClasses: on a day on which timers of all classes are due, more of records than a block works off, a block fires of each class as many as
// it may and no more, so that none waits for another.
func TestTimersOfAllClasses(t *testing.T) {
	t.Parallel()
	firms, each, limit := 25, 20, 100
	s := NewScript(t, Options{Apps: 1, Checks: true, Edit: func(g *pb.Genesis) {
		g.Params = append(g.Params, pb.Param{Name: "timers_per_block", Value: int64(limit)})
	}})
	ok := func(format string, args ...any) {
		t.Helper()
		if line := fmt.Sprintf(format, args...); s.line(t, line) != "OK" {
			t.Fatal(line)
		}
	}
	for f := range firms {
		ok("enrol firm=F%d", f)
		s.line(t, "tx by=zz-scjg")
		for n := range each {
			s.line(t, fmt.Sprintf("record by=zz-scjg issuer=zz-scjg firm=F%d no=%d fine=120000 decided=2026-07-15", f, n))
			if n%2 == 0 {
				s.line(t, fmt.Sprintf("publish by=zz-scjg issuer=zz-scjg firm=F%d no=%d", f, n))
			}
		}
		if out, want := s.line(t, "send"), fmt.Sprintf("0 to %d: OK", each*3/2-1); out != want {
			t.Fatal(out)
		}
	}
	for p := 1; p <= 3; p++ {
		ok("propose by=gov1 param=general_max_months value=%d", 5+p)
	}
	day := mustDate(t, "2029-07-17")
	due := func(class x.TimerClass) (n int) {
		s.Read(func(r x.Reader) {
			all, _ := x.DueTimers(r, class, calendar.StartUnix(day), 1<<20)
			n = len(all)
		})
		return n
	}
	s.GoTo(day)
	for block := 0; ; block++ {
		ends, decided, other := due(x.EndsVisibility), due(x.Decided), due(x.Other)
		if block == 0 && (ends < limit || decided == 0 || other < 2*limit) {
			t.Fatalf("due are %d, %d and %d: the test shows nothing", ends, decided, other)
		}
		if ends+decided+other == 0 {
			break
		}
		s.Block()
		// The expiry of its records ends the attention to a firm, and with it a timer that did not fire.
		cancelled := 0
		if ends > 0 {
			cancelled = firms
		}
		if due(x.EndsVisibility) != 0 || due(x.Decided) != 0 || due(x.Other) != max(0, other-limit-cancelled) {
			t.Fatalf("of %d, %d and %d that were due %d, %d and %d wait", ends, decided, other, due(x.EndsVisibility), due(x.Decided), due(x.Other))
		}
	}
}
