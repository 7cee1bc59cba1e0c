package x_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/xtest"
)

// graves is a state in which a deleted row is passed by who iterates, as in a store that has not dropped it yet.
type graves struct {
	*xtest.Memory
	dead            map[string]bool
	passed, written int
}

func (g *graves) Delete(key []byte) {
	g.written++
	if _, ok := g.Rows[string(key)]; ok {
		g.dead[string(key)] = true
	}
	g.Memory.Delete(key)
}

func (g *graves) Set(key, value []byte) {
	g.written++
	delete(g.dead, string(key))
	g.Memory.Set(key, value)
}

func (g *graves) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	last := append(bytes.Clone(prefix), 0xff) // where fn ends it
	g.Memory.Iterate(prefix, start, func(key, value []byte) bool {
		g.passed++
		if !fn(key, value) {
			last = bytes.Clone(key)
			return false
		}
		return true
	})
	for k := range g.dead {
		if bytes.HasPrefix([]byte(k), prefix) && k >= string(start) && k < string(last) {
			g.passed++
		}
	}
}

const (
	agency = "11410000005184611X"
	day    = calendar.Date(20_000)
)

func dutyOf(n int) x.Duty {
	return x.Duty{Owner: agency, Due: day, Kind: 1, Subject: fmt.Sprintf("%018d", n), Record: []byte{byte(n)}}
}

// TestDutiesDoneInOrder has an agency do its duties of one day block by block, in the order of its list: no block looks past all that was done before it.
func TestDutiesDoneInOrder(t *testing.T) {
	const duties, atATime = 2000, 20
	g := &graves{Memory: xtest.NewMemory(), dead: map[string]bool{}}
	ctx := &x.Ctx{State: g}
	x.KeepMoments(ctx)
	for n := range duties {
		x.Enter(ctx, dutyOf(n))
	}
	for n := 0; n < duties; n += atATime {
		for i := n; i < n+atATime; i++ {
			x.Assign(ctx, []x.Duty{dutyOf(i)}, nil)
		}
		g.passed = 0
		x.SettleDuties(ctx)
		x.SettleTimers(ctx)
		if due, _ := x.DueTimers(g, x.Other, calendar.EndUnix(day), 1); len(due) > 1 || len(due) == 0 && n+atATime < duties {
			t.Fatalf("after %d duties: due %v", n+atATime, due)
		}
		if g.passed > 2*atATime {
			t.Fatalf("after %d duties a block looks at %d rows", n, g.passed)
		}
		g.passed = 0
		if x.SettleDuties(ctx); g.passed > 0 {
			t.Fatalf("after %d duties a block without any looks at %d rows", n, g.passed)
		}
		if err := x.CheckDutyClocks(g); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.Rows) > 1 { // that the moments are kept
		t.Errorf("rows are left: %v", g.Rows)
	}
}

// TestClocksFollowFromDuties has duties come and go in any order, in blocks: the rows are those that are derived from the duties that stand, and due are
// just these.
func TestClocksFollowFromDuties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := xtest.NewMemory()
	ctx := &x.Ctx{State: m}
	x.KeepMoments(ctx)
	stands := map[int]bool{}
	for block := range 400 {
		for range 1 + rng.IntN(4) {
			if n := rng.IntN(12); stands[n] {
				x.Assign(ctx, []x.Duty{dutyOf(n)}, nil)
				stands[n] = false
			} else {
				x.Assign(ctx, nil, []x.Duty{dutyOf(n)})
				stands[n] = true
			}
		}
		x.SettleDuties(ctx)
		x.SettleTimers(ctx)
		want := xtest.NewMemory()
		x.DeriveTimers(0, func(func(x.Timer)) {}, func(fn func(x.Duty)) {
			for n, yes := range stands {
				if yes {
					fn(dutyOf(n))
				}
			}
		}, want.Set)
		if fmt.Sprint(m.Rows) != fmt.Sprint(want.Rows) {
			t.Fatalf("block %d: the rows are\n%x, from the duties follow\n%x", block, m.Rows, want.Rows)
		}
		var have, due []string
		for n, yes := range stands {
			if yes {
				have = append(have, dutyOf(n).Subject)
			}
		}
		timers, _ := x.DueTimers(m, x.Other, calendar.EndUnix(day), 100)
		for _, timer := range timers {
			due = append(due, x.MissedDuty(timer.ID).Subject)
		}
		slices.Sort(have)
		if !slices.Equal(have, due) {
			t.Fatalf("block %d: due are %v, stand %v", block, due, have)
		}
		if err := x.CheckDutyClocks(m); err != nil {
			t.Fatal(err)
		}
	}
}
