package app

import (
	"sync"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// sideBySide is how many standings a goroutine is worth.
const sideBySide = 256

// refresh makes the standings of the touched subjects anew, and then the packs. It says which sets somebody has left. A standing depends on its own subject alone, so many are made side by side, over
// rows that nobody writes meanwhile; then they are written by one, in order of the codes.
// DETERMINISM: the goroutines read and compute. Which of them makes a standing, and when, changes nothing in it.
func refresh(ctx *x.Ctx, on ground, rows *overlay) (left [len(pb.PackSets)]bool) {
	touched := standing.Touched(ctx)
	all := make([]standing.Made, len(touched))
	makeStandings(ctx, on, rows, touched, all)
	for i, m := range all {
		if m.Differs {
			standing.Put(ctx, touched[i], m.Raw)
		}
	}
	return changePacks(ctx, touched, all)
}

func makeStandings(ctx *x.Ctx, on ground, rows *overlay, touched []string, all []standing.Made) {
	workers := min(on.workers, len(touched)/sideBySide)
	if on.aside == nil || workers < 2 {
		for i, uscc := range touched {
			all[i] = standing.Make(ctx, ctx.Chain.Secret, uscc)
		}
		return
	}
	broken := make([]any, workers) // what a goroutine panicked with: it is the block's
	rows.arrange()                 // reading changes nothing from here on
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { broken[w] = recover() }()
			base, done := on.aside()
			defer done()
			r := above(base, rows.changes)
			// A run of neighbours each: their rows lie together on the disk.
			for i := w * len(touched) / workers; i < (w+1)*len(touched)/workers; i++ {
				all[i] = standing.Make(r, ctx.Chain.Secret, touched[i])
			}
		}()
	}
	wg.Wait()
	for _, p := range broken {
		if p != nil {
			panic(p)
		}
	}
}

// aside opens a second reader of a height, which knows what the first one has read.
func (a *App) aside(base *Snapshot) (x.Reader, func()) {
	s, err := a.At(base.Height())
	if err != nil {
		panic(x.Fault{Err: err})
	}
	s.known, s.ahead = base.cache, base.ahead
	return s, s.Close
}
