package app

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

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
			s.stage(func(ctx *x.Ctx) { dropSeen(ctx, (n-100)*60, n*60, sweepLeast) })
			s.commit()
		}
		if n != 1000 && n != 10_000 && n != 40_000 {
			continue
		}
		for _, before := range []int64{0, n * 60} {
			b.Run(fmt.Sprintf("minute %d, the block before at %d", n, before), func(b *testing.B) {
				for b.Loop() {
					s.read(func(r x.Reader) { dropSeen(newOverlay(r), before, n*60+1, sweepLeast) })
				}
			})
		}
	}
}

// BenchmarkSweepSeen: what the dearest block takes to execute (without its way to the disk) where 200,000 transactions expire in one minute, if one block
// forgets all of them, if each forgets as many as it may, and where none expire. The blocks have no transactions of their own.
func BenchmarkSweepSeen(b *testing.B) {
	const txs, atATime, minute = 200_000, 20_000, 1000
	worst := func(most int, expire bool) (took time.Duration) {
		s := newTimerStore(b)
		for n := uint64(0); n < txs; n += atATime {
			s.stage(func(ctx *x.Ctx) {
				seen := seenBuckets{}
				for i := n; i < n+atATime; i++ {
					seen.mark(ctx, sha256.Sum256(be64(i)), minute*60)
				}
				seen.put(ctx)
			})
			s.commit()
		}
		at, left := int64(minute*60), true
		if expire {
			at += 60
		}
		for n := int64(0); n < 10 || left; n++ {
			start := time.Now()
			s.stage(func(ctx *x.Ctx) { dropSeen(ctx, at-1, at, most) })
			took = max(took, time.Since(start))
			s.commit()
			s.read(func(r x.Reader) { _, left = r.Get([]byte{unswept.Prefix}) })
		}
		return took
	}
	var plain, bounded, atOnce time.Duration
	for range b.N {
		plain = max(plain, worst(sweepLeast, false))
		bounded = max(bounded, worst(sweepLeast, true))
		atOnce = max(atOnce, worst(txs, true))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(plain.Microseconds())/1000, "ms-none-expire")
	b.ReportMetric(float64(bounded.Microseconds())/1000, "ms-bounded")
	b.ReportMetric(float64(atOnce.Microseconds())/1000, "ms-at-once")
	b.ReportMetric(float64(atOnce)/float64(bounded), "at-once/bounded")
}
