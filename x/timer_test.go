package x_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/xtest"
)

// TestTimersOfOneMidnight works off many timers of one midnight block by block: none passes those that fired before it.
func TestTimersOfOneMidnight(t *testing.T) {
	const timers, atATime = 2000, 20
	due := calendar.EndUnix(day)
	g := &graves{Memory: xtest.NewMemory(), dead: map[string]bool{}}
	ctx := &x.Ctx{State: g}
	x.KeepMoments(ctx)
	for n := range timers {
		x.Reschedule(ctx, nil, []x.Timer{{Class: x.Other, Due: due, Kind: x.TimerArchive, ID: binary.BigEndian.AppendUint32(nil, uint32(n))}})
	}
	for n := 0; n < timers; n += atATime {
		g.passed = 0
		found, more := x.DueTimers(g, x.Other, due, atATime)
		if len(found) != atATime || more != (n+atATime < timers) || binary.BigEndian.Uint32(found[0].ID) != uint32(n) {
			t.Fatalf("after %d timers: %d due, more %v", n, len(found), more)
		}
		x.Reschedule(ctx, found, nil)
		x.SettleTimers(ctx)
		if g.passed > 2*atATime+10 {
			t.Fatalf("after %d timers a block looks at %d rows", n, g.passed)
		}
	}
	if len(g.Rows) > 1 { // that the moments are kept
		t.Errorf("rows are left: %v", g.Rows)
	}
}

// TestTimersWork: what a block does not need it does not look at.
func TestTimersWork(t *testing.T) {
	const moments, each = 100, 3
	g := &graves{Memory: xtest.NewMemory(), dead: map[string]bool{}}
	ctx := &x.Ctx{State: g}
	x.KeepMoments(ctx)
	timer := func(moment, n int) x.Timer {
		return x.Timer{Class: x.Other, Due: calendar.EndUnix(day + calendar.Date(moment)), Kind: x.TimerArchive, ID: []byte{byte(n)}}
	}
	duty := func(moment int) x.Duty {
		d := dutyOf(moment)
		d.Due = day + calendar.Date(moment)
		return d
	}
	for m := range moments {
		for n := range each {
			x.Reschedule(ctx, nil, []x.Timer{timer(m, n)})
		}
		x.Assign(ctx, nil, []x.Duty{duty(m)})
	}
	for _, c := range []struct {
		name string
		do   func()
		most int
	}{
		{"none is due", func() { x.DueTimers(g, x.Other, calendar.EndUnix(day)-1, 10) }, 1},
		{"one moment is due", func() { x.DueTimers(g, x.Other, calendar.EndUnix(day), 10) }, 2 + each + 2},
		{"all are due, one may fire", func() { x.DueTimers(g, x.Other, calendar.EndUnix(day+moments), 1) }, 1 + 2 + 1},
		{"all are due, two may fire", func() { x.DueTimers(g, x.Other, calendar.EndUnix(day+moments), 2) }, 1 + 3 + 1},
		{"a last timer of each moment went", func() { cancelAll(ctx, moments, func(m int) x.Timer { return timer(m, each-1) }) }, 0},
		{"the block after, in the same state", func() { x.SettleTimers(ctx) }, 0},
	} {
		g.passed = 0
		if c.do(); g.passed > c.most {
			t.Errorf("%s: it looks at %d rows", c.name, g.passed)
		}
	}
	for m := range moments { // from here on the first of a moment is a timer of a record
		x.Assign(ctx, []x.Duty{duty(m)}, nil)
	}
	x.SettleDuties(ctx)
	x.SettleTimers(ctx)
	g.passed = 0
	cancelAll(ctx, moments, func(m int) x.Timer { return timer(m, 0) })
	if g.passed > 2*moments {
		t.Errorf("the first timers went: it looks at %d rows", g.passed)
	}
	g.passed = 0
	x.SettleDuties(ctx)
	if x.SettleTimers(ctx); g.passed > 0 {
		t.Errorf("nothing went: it looks at %d rows", g.passed)
	}
	// What a refused transaction wrote is undone; what it noted is not.
	refused := &x.Ctx{State: g.Memory.Clone()}
	x.Reschedule(refused, nil, []x.Timer{timer(moments, 0)})
	x.Reschedule(refused, []x.Timer{timer(moments, 0)}, nil)
	x.Assign(refused, nil, []x.Duty{duty(moments)})
	x.Assign(refused, []x.Duty{duty(moments)}, nil)
	refused.State, g.written = g, 0
	x.SettleDuties(refused)
	if x.SettleTimers(refused); g.written > 0 {
		t.Errorf("a transaction was refused: %d rows are written", g.written)
	}
	// Agencies that must act by one day.
	for n := range moments {
		d := duty(moments)
		d.Owner = fmt.Sprintf("%018d", n)
		x.Assign(ctx, nil, []x.Duty{d})
	}
	g.passed = 0
	if x.DueTimers(g, x.Other, calendar.EndUnix(day+2*moments), moments*(each-2)+1); g.passed > 4*moments {
		t.Errorf("one of many clocks of a day may fire: it looks at %d rows", g.passed)
	}
}

func cancelAll(ctx *x.Ctx, n int, timer func(n int) x.Timer) {
	for i := range n {
		x.Reschedule(ctx, []x.Timer{timer(i)}, nil)
	}
	x.SettleTimers(ctx)
}

// TestTimersDamaged: a check names a row of a moment or a clock that is wrong, and nobody reads on in a row that cannot be one.
func TestTimersDamaged(t *testing.T) {
	m := &timerModel{duties: []x.Duty{dutyOf(1), dutyOf(2)}}
	for n := range 3 {
		m.timers = append(m.timers, x.Timer{Class: x.EndsVisibility, Due: calendar.EndUnix(day), Kind: x.TimerPublicityMax, ID: []byte{byte(n)}})
	}
	moment := func(class x.TimerClass, day calendar.Date) []byte {
		return binary.BigEndian.AppendUint64([]byte{0x0d, byte(class)}, uint64(calendar.EndUnix(day)))
	}
	clock := append(append(append([]byte{0x01}, moment(x.Other, day)[1:]...), byte(x.TimerDuty)), agency...)
	check := func(r x.Reader) error { return cmp.Or(x.CheckMoments(r, 7), x.CheckDutyClocks(r)) }
	for _, c := range []struct {
		name string
		do   func(s *xtest.Memory)
		want string
	}{
		{"whole", func(*xtest.Memory) {}, ""},
		{"of an older program", func(s *xtest.Memory) {
			for k := range s.Rows {
				if k[0] == 0x0d {
					delete(s.Rows, k)
				}
			}
			s.Rows[string(clock)] = []byte{}
		}, ""},
		{"of an older program, and moments of before", func(s *xtest.Memory) {
			s.Set([]byte{0x0d}, binary.BigEndian.AppendUint64(nil, 6))
			s.Delete(moment(x.EndsVisibility, day))
		}, ""},
		{"of a program that did not say when", func(s *xtest.Memory) { s.Set([]byte{0x0d}, nil); s.Delete(moment(x.EndsVisibility, day)) }, ""},
		{"a moment is lost", func(s *xtest.Memory) { s.Delete(moment(x.EndsVisibility, day)) }, "has no row"},
		{"one moment is lost, another is too many", func(s *xtest.Memory) {
			s.Delete(moment(x.EndsVisibility, day))
			s.Set(moment(x.EndsVisibility, day+1), []byte{1, 0})
		}, "has no timer"},
		{"a moment is too many", func(s *xtest.Memory) { s.Set(moment(x.Decided, day), []byte{4, 0}) }, "has no timer"},
		{"a moment names the second", func(s *xtest.Memory) { s.Set(moment(x.EndsVisibility, day), []byte{1, 1}) }, "names 0101 as the first"},
		{"a clock is lost", func(s *xtest.Memory) { s.Delete(clock); s.Delete(moment(x.Other, day)) }, "names  as the first"},
		{"a clock names the second", func(s *xtest.Memory) { s.Set(clock, s.Rows[string(clock)][1:]) }, "as the first of its duties"},
	} {
		s := m.rows(7)
		c.do(s)
		if err := check(s); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, key := range [][]byte{moment(x.EndsVisibility, day)[:6], append(moment(x.EndsVisibility, day), 0), {0x01, 1, 0, 0}, append([]byte{0x0a}, agency...)} {
		func() {
			defer func() {
				if _, ok := recover().(x.Fault); !ok {
					t.Errorf("a row %x is read", key)
				}
			}()
			s := m.rows(7)
			s.Set(key, []byte{})
			x.DueTimers(s, x.EndsVisibility, calendar.EndUnix(day), 10)
			x.Timers(s, func(x.Timer) bool { return true })
			x.EachDuty(s, func(x.Duty) bool { return true })
		}()
	}
}

// timerModel is what a state with timers and duties must answer, kept as a list.
type timerModel struct {
	timers []x.Timer
	duties []x.Duty
}

func (m *timerModel) clone() *timerModel {
	return &timerModel{slices.Clone(m.timers), slices.Clone(m.duties)}
}

// due gives the timers of a class up to now in order, with one for each duty.
func (m *timerModel) due(class x.TimerClass, now int64) (out []string) {
	var all []x.Timer
	for _, t := range m.timers {
		if t.Class == class && t.Due <= now {
			all = append(all, t)
		}
	}
	for _, d := range m.duties {
		if t, runs := d.Timer(); runs && d.Due != 0 && !d.Alarmed && t.Class == class && t.Due <= now {
			t.ID = dutyKey(d)
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b x.Timer) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.ID, b.ID))
	})
	for _, t := range all {
		out = append(out, fmt.Sprint(t))
	}
	return out
}

// dutyKey is the key of a duty, from its owner and its place.
func dutyKey(d x.Duty) []byte { return append(append([]byte{0x0a}, d.Owner...), d.Place()...) }

// rows are those that follow from the model after a block.
func (m *timerModel) rows(height int64) *xtest.Memory {
	out := xtest.NewMemory()
	x.DeriveTimers(height, func(fn func(x.Timer)) {
		for _, t := range m.timers {
			fn(t)
		}
	}, func(fn func(x.Duty)) {
		for _, d := range m.duties {
			fn(d)
		}
	}, out.Set)
	return out
}

// TestTimersModel runs blocks in which timers and duties come, go, move and fire at random, late ones among them, with transactions that are refused and
// blocks that are executed and thrown away, from nothing or from a state that an older program wrote, which also writes blocks in between and leaves the
// moments as they were. After each block the rows are those that follow from what stands; due is in each block what the model says, and so is the backlog
// after each, whoever wrote it. All blocks together look at no more rows than were written, but for a few a block, and all that stand where the moments
// are made anew.
func TestTimersModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const moments = 6
		g := &graves{Memory: xtest.NewMemory(), dead: map[string]bool{}}
		m := &timerModel{}
		ids, written := uint32(0), 0
		draw := func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(t, what) }
		timer := func() x.Timer {
			ids++
			id := binary.LittleEndian.AppendUint32(nil, ids*0x9e3779b1)
			return x.Timer{
				Class: []x.TimerClass{x.EndsVisibility, x.Other}[draw(2, "class")], Due: calendar.EndUnix(day + calendar.Date(draw(moments, "moment"))),
				Kind: []x.TimerKind{x.TimerPublicityMax, x.TimerArchive}[draw(2, "kind")], ID: id,
			}
		}
		duty := func() x.Duty {
			d := dutyOf(draw(1000, "duty"))
			ids++
			d.Due, d.Record = day+calendar.Date(draw(moments, "day")), binary.BigEndian.AppendUint32(nil, ids)
			if draw(8, "without a day") == 0 {
				d.Due = 0
			}
			return d
		}
		// tx changes the state and the model by a few timers and duties.
		tx := func(ctx *x.Ctx, m *timerModel) {
			for range 1 + draw(8, "changes") {
				switch what := draw(6, "what"); {
				case what < 2:
					now := timer()
					x.Reschedule(ctx, nil, []x.Timer{now})
					m.timers = append(m.timers, now)
				case what == 2:
					d := duty()
					x.Assign(ctx, nil, []x.Duty{d})
					m.duties = append(m.duties, d)
				case what == 3 && len(m.timers) > 0: // cancelled, or moved
					i := draw(len(m.timers), "which")
					old := m.timers[i]
					m.timers = slices.Delete(m.timers, i, i+1)
					var now []x.Timer
					if draw(2, "moved") == 1 {
						now = []x.Timer{timer()}
					}
					x.Reschedule(ctx, []x.Timer{old}, now)
					m.timers = append(m.timers, now...)
				case what == 4 && len(m.timers) > 0: // as it was
					old := m.timers[draw(len(m.timers), "which")]
					x.Reschedule(ctx, []x.Timer{old}, []x.Timer{old})
				case what == 5 && len(m.duties) > 0:
					i := draw(len(m.duties), "which")
					x.Assign(ctx, []x.Duty{m.duties[i]}, nil)
					m.duties = slices.Delete(m.duties, i, i+1)
				}
				written += 4
			}
		}
		// block fires what is due, carries out transactions, and settles.
		block := func(s x.State, height int, m *timerModel, now int64) {
			ctx := &x.Ctx{State: s, Height: int64(height)}
			x.KeepMoments(ctx)
			for _, class := range []x.TimerClass{x.EndsVisibility, x.Other} {
				limit := 1 + draw(8, "limit")
				found, more := x.DueTimers(ctx, class, now, limit)
				want := m.due(class, now)
				if more != (len(want) > limit) {
					t.Fatalf("of %d due timers of class %d it gives %d and more = %v", len(want), class, len(found), more)
				}
				want = want[:min(limit, len(want))]
				var have []string
				for _, f := range found {
					have = append(have, fmt.Sprint(f))
				}
				if !slices.Equal(have, want) {
					t.Fatalf("due of class %d are\n%v, want\n%v", class, have, want)
				}
				for _, f := range found {
					if !x.Scheduled(ctx, f) {
						t.Fatalf("%v is due and is not scheduled", f)
					}
					defer func() {
						if x.Scheduled(ctx, f) {
							t.Errorf("%v fired and is scheduled", f)
						}
					}()
					written += 2
					if f.Kind != x.TimerDuty {
						x.Reschedule(ctx, []x.Timer{f}, nil)
						m.timers = slices.DeleteFunc(m.timers, func(t x.Timer) bool { return fmt.Sprint(t) == fmt.Sprint(f) })
						continue
					}
					d := x.MissedDuty(f.ID)
					alarmed := d
					alarmed.Alarmed = true
					x.Assign(ctx, []x.Duty{d}, []x.Duty{alarmed})
					i := slices.IndexFunc(m.duties, func(o x.Duty) bool { return bytes.Equal(dutyKey(o), f.ID) })
					m.duties[i] = alarmed
				}
			}
			for range draw(4, "transactions") {
				tx(ctx, m)
				if draw(4, "refused") == 0 { // what it wrote is undone, what it noted in the context is not
					rows, kept := ctx.State, m.clone()
					ctx.State = copyOf(rows)
					tx(ctx, kept)
					ctx.State = rows
				}
			}
			x.SettleDuties(ctx)
			x.SettleTimers(ctx)
		}
		if rapid.Bool().Draw(t, "older program") {
			for range draw(20, "before") {
				m.timers = append(m.timers, timer())
			}
			for k, v := range m.rows(0).Rows {
				if k[0] != 0x0d {
					g.Rows[k] = v
				}
			}
		}
		now := calendar.EndUnix(day)
		blocks := 1 + draw(40, "blocks")
		for n := 1; n <= blocks; n++ {
			if rapid.Bool().Draw(t, "day passes") {
				now += 86400
			}
			if draw(4, "thrown away") == 0 {
				block(copyOf(g), n, m.clone(), now)
			}
			older, before := draw(8, "by an older program") == 0, g.Clone()
			if kept, _ := g.Get([]byte{0x0d}); len(kept) == 0 || int(binary.BigEndian.Uint64(kept)) != n-1 {
				written += 2 * (len(m.timers) + len(m.duties) + moments) // to make the moments anew is a look at all
			}
			block(g, n, m, now)
			if older {
				restoreMoments(g.Memory, before)
			} else if want := m.rows(int64(n)); !g.Memory.Equal(want) {
				t.Fatalf("block %d: the rows are\n%x, from what stands follow\n%x", n, g.Rows, want.Rows)
			}
			for class := x.EndsVisibility; class <= x.Other; class++ {
				if have, want := x.Backlog(g.Memory, int64(n), class, now, 1000), len(m.due(class, now)); have != want {
					t.Fatalf("block %d: of class %d %d are due, want %d", n, class, have, want)
				}
			}
			if err := x.CheckMoments(g.Memory, int64(n)); err != nil {
				t.Fatal(err)
			}
		}
		if most := 2*written + blocks*8*moments; g.passed > most {
			t.Fatalf("%d blocks wrote %d rows and looked at %d", blocks, written, g.passed)
		}
	})
}

// restoreMoments leaves the rows of moments as they were before a block: a program that knows nothing of them has written it.
func restoreMoments(s, before *xtest.Memory) {
	for k := range s.Rows {
		if k[0] == 0x0d {
			delete(s.Rows, k)
		}
	}
	for k, v := range before.Rows {
		if k[0] == 0x0d {
			s.Rows[k] = v
		}
	}
}

// copyOf is a state with its graves, for what is thrown away.
func copyOf(s x.State) x.State {
	g := s.(*graves)
	return &graves{Memory: g.Memory.Clone(), dead: maps.Clone(g.dead)}
}
