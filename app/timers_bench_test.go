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
