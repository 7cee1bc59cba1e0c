package app

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// BenchmarkDueTimers: what the look for due timers costs a block when 100,000 of one midnight are worked off, 200 a block, on a node that keeps its
// history. It is the same in the first block as in the last.
func BenchmarkDueTimers(b *testing.B) {
	const timers, atATime = 100_000, 200
	s := newTimerStore(b)
	due := calendar.EndUnix(20_000)
	s.stage(func(ctx *x.Ctx) {
		for n := range timers {
			id := binary.BigEndian.AppendUint64(make([]byte, 42), uint64(n)*0x9e3779b97f4a7c15)
			x.Reschedule(ctx, nil, []x.Timer{{Class: x.EndsVisibility, Due: due, Kind: x.TimerPublicityMax, ID: id}})
		}
	})
	s.commit()
	for n := 1; n <= 400; n++ {
		if n == 1 || n == 100 || n == 400 {
			b.Run(fmt.Sprintf("block %d", n), func(b *testing.B) {
				for b.Loop() {
					s.read(func(r x.Reader) {
						if found, _ := x.DueTimers(r, x.EndsVisibility, due, atATime); len(found) != atATime {
							b.Fatal(len(found))
						}
					})
				}
			})
		}
		s.stage(func(ctx *x.Ctx) {
			found, _ := x.DueTimers(ctx, x.EndsVisibility, due, atATime)
			x.Reschedule(ctx, found, nil)
		})
		s.commit()
	}
}

// BenchmarkDropSeen: what the look for transactions that can no longer come costs a block when a transaction has come in each of the minutes before, on a
// node that keeps its history.
func BenchmarkDropSeen(b *testing.B) {
	s := newTimerStore(b)
	for n := int64(1); n <= 40_000; n++ {
		if n%100 == 0 { // 100 minutes a block: the rows are the same
			s.stage(func(ctx *x.Ctx) {
				for m := n - 99; m <= n; m++ {
					seen := seenBuckets{}
					seen.mark(ctx, [32]byte{}, m*60)
					seen.put(ctx)
				}
			})
			s.commit()
			s.stage(func(ctx *x.Ctx) { dropSeen(ctx, (n-100)*60, n*60) })
			s.commit()
		}
		if n != 1000 && n != 10_000 && n != 40_000 {
			continue
		}
		for _, before := range []int64{0, n * 60} {
			b.Run(fmt.Sprintf("minute %d, the block before at %d", n, before), func(b *testing.B) {
				for b.Loop() {
					s.read(func(r x.Reader) { dropSeen(newOverlay(r), before, n*60+1) })
				}
			})
		}
	}
}
