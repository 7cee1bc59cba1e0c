package app

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// timerStore is a state folder that holds timers and nothing else.
type timerStore struct {
	t     testing.TB
	dir   string
	store *state.Store
	older bool // blocks are those of an older program, which knows nothing of moments
}

func newTimerStore(t testing.TB) *timerStore {
	s := &timerStore{t: t, dir: t.TempDir()}
	s.open()
	t.Cleanup(func() { s.store.Close() })
	return s
}

func (s *timerStore) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *timerStore) open() {
	var err error
	s.store, err = state.Open(state.Options{Dir: s.dir})
	s.must(err)
}

// read opens the newest height.
func (s *timerStore) read(fn func(r x.Reader)) {
	s.t.Helper()
	v, err := s.store.View(s.store.Latest().Height)
	s.must(err)
	defer v.Close()
	fn(&Snapshot{view: v})
}

// stage executes a block; commit keeps it.
func (s *timerStore) stage(run func(ctx *x.Ctx)) {
	s.t.Helper()
	s.read(func(r x.Reader) {
		rows := newOverlay(r)
		ctx := newCtx(rows, &x.Chain{}, int64(s.store.Latest().Height)+1, 0)
		x.KeepMoments(ctx)
		run(ctx)
		x.SettleTimers(ctx)
		if s.older { // what moments there were stay
			each := func(r x.Reader, fn func(key, row []byte)) {
				r.Iterate([]byte{0x0d}, nil, func(key, row []byte) bool { fn(slices.Clone(key), slices.Clone(row)); return true })
			}
			var keys [][]byte
			each(rows, func(key, _ []byte) { keys = append(keys, key) })
			for _, key := range keys {
				rows.Delete(key)
			}
			each(r, rows.Set)
		}
		_, err := s.store.Stage(s.store.Latest().Height+1, (&App{}).writeSet(rows))
		s.must(err)
	})
}

func (s *timerStore) commit() {
	s.t.Helper()
	s.must(s.store.Commit(s.store.Latest().Height+1, [32]byte{}, nil))
}

// TestTimersOnDisk runs blocks over a state folder in which timers come, go and fire, among them transactions that are refused and blocks that are
// executed and thrown away; the folder is closed and opened, and some blocks are those of an older program, the first of all and later ones. Due is what
// a list of the timers says.
func TestTimersOnDisk(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	s := newTimerStore(t)
	due := calendar.EndUnix(20_000)
	var stand []x.Timer
	ids := uint32(0)
	run := func(stand *[]x.Timer) func(ctx *x.Ctx) {
		return func(ctx *x.Ctx) {
			limit := 1 + rng.IntN(20)
			found, more := x.DueTimers(ctx, x.EndsVisibility, due, limit)
			var want []string
			for _, tm := range *stand {
				if tm.Due <= due {
					want = append(want, fmt.Sprintf("%d %x", tm.Due, tm.ID))
				}
			}
			slices.Sort(want)
			var have []string
			for _, tm := range found {
				have = append(have, fmt.Sprintf("%d %x", tm.Due, tm.ID))
			}
			if more != (len(want) > limit) || !slices.Equal(have, want[:min(limit, len(want))]) {
				t.Fatalf("height %d: due are %v, more %v; want the first %d of %v", s.store.Latest().Height, have, more, limit, want)
			}
			x.Reschedule(ctx, found, nil)
			*stand = slices.DeleteFunc(*stand, func(tm x.Timer) bool { return slices.Contains(have, fmt.Sprintf("%d %x", tm.Due, tm.ID)) })
			for range rng.IntN(30) {
				ids++
				now := x.Timer{
					Class: x.EndsVisibility, Due: due + int64(rng.IntN(7)-4)*86400, Kind: x.TimerPublicityMax, ID: binary.LittleEndian.AppendUint32(nil, ids*0x9e3779b1),
				}
				mark := ctx.State.(*overlay).mark()
				switch rng.IntN(4) {
				case 0: // it comes, and its transaction is refused
					x.Reschedule(ctx, nil, []x.Timer{now})
					ctx.State.(*overlay).revert(mark)
				case 1: // it takes the place of another
					if n := len(*stand); n > 0 {
						i := rng.IntN(n)
						x.Reschedule(ctx, []x.Timer{(*stand)[i]}, []x.Timer{now})
						(*stand)[i] = now
					}
				default:
					x.Reschedule(ctx, nil, []x.Timer{now})
					*stand = append(*stand, now)
				}
			}
			due += 86400 * int64(rng.IntN(2))
		}
	}
	for n := range 200 {
		if rng.IntN(4) == 0 { // thrown away
			aside, then := slices.Clone(stand), due
			s.stage(run(&aside))
			due = then
		}
		s.older = n < 20 || n/50 == 1 || n > 150 && n%10 < 3
		s.stage(run(&stand))
		s.commit()
		s.read(func(r x.Reader) {
			height, late := int64(s.store.Latest().Height), 0
			s.must(x.CheckMoments(r, height))
			for _, tm := range stand {
				if tm.Due <= due {
					late++
				}
			}
			if n := x.Backlog(r, height, x.EndsVisibility, due, 1<<20); n != late {
				t.Fatalf("height %d: a backlog of %d, want %d", height, n, late)
			}
		})
		if rng.IntN(10) == 0 {
			s.must(s.store.Close())
			s.open()
		}
	}
}
