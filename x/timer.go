package x

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// Timers are the deadlines that the chain itself acts on. They follow from the records (binding Derived): a module says which
// timers a record has and keeps them in step when it writes the record.
var timerTable = Declare(TableInfo{Prefix: 0x01, Layout: "timer class[1] due[8] kind[1] id → first of the duties of a clock", Binding: Derived})

// The moments at which timers of a class stand, each with the first of its timers. Badger keeps a deleted row for a while, on a node that keeps its
// history for ever, and an iteration passes it: who looked for due timers from the beginning of their class would pass all that ever fired. There is one
// moment a day. A moment whose timers went leaves its row by the end of the block (SettleTimers), so that the rows follow from the timers alone.
//
// The row without a moment says after which block the others follow from the timers: each block writes its height there. Where it says another, or is
// missing, a program that knows nothing of moments has written the last blocks, and the next block of one that does makes them anew (KeepMoments).
var momentTable = Declare(TableInfo{Prefix: 0x0d, Layout: "moment class[1] due[8] → the first of its timers; without a moment: the block after which these rows are right, height[8]", Binding: Derived})

// TimerClass orders the work of a block: what ends visibility goes first.
type TimerClass byte

const (
	// EndsVisibility timers take something out of public view; a block works off at least 20,000.
	EndsVisibility TimerClass = 1
	// Other timers are bounded by the parameter timers_per_block.
	Other TimerClass = 2
	// Decided timers are those of governance. They stand in no line with what members record, so that nobody can hold off a decision about
	// itself. There are few: each takes a proposal.
	Decided TimerClass = 3
)

// TimerKind says whose timer it is. Numbers are permanent.
type TimerKind byte

const (
	TimerPublicityMax TimerKind = 1 // 公示期届满: id = subject ‖ record
	TimerDuty         TimerKind = 2 // the last day of duties of an agency has passed: id = agency, value = the first of them; as DueTimers gives it, of one duty: id = its key
	// 3 was the end of a commitment's time, which is the day of a duty now.
	TimerProposalClose     TimerKind = 4 // id = proposal
	TimerProposalEffective TimerKind = 5
	TimerRepairRefile      TimerKind = 6  // 补正期限: id = subject ‖ repair
	TimerIncentiveUntil    TimerKind = 30 // 守信激励到期: id = subject ‖ incentive
	TimerAuthorisation     TimerKind = 50 // 授权到期: id = subject ‖ authorisation
	TimerGradeUntil        TimerKind = 51 // 评价等级到期: id = subject
	TimerMeasureUntil      TimerKind = 20 // 措施届满: id = subject ‖ measure
	TimerArchive           TimerKind = 10 // 归档: id = subject ‖ record
	TimerAttention         TimerKind = 11 // 积累关注 is looked at again: id = subject
	TimerInspectionDraw    TimerKind = 40 // 抽取日: id = plan
)

// Timer is due when legal time reaches Due (unix seconds).
type Timer struct {
	Class TimerClass
	Due   int64
	Kind  TimerKind
	ID    []byte
}

func (t Timer) key() []byte { return t.appendKey(make([]byte, 0, 1+momentLen+1+len(t.ID))) }

func (t Timer) appendKey(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, timerTable.Prefix, byte(t.Class)), uint64(t.Due))
	return append(append(b, byte(t.Kind)), t.ID...)
}

// momentLen is the length of what the keys of all timers of one moment begin with, without their table.
const momentLen = 1 + 8

// momentKey is the key of the moment at which a timer stands.
func momentKey(timer []byte) []byte { return Key(momentTable.Prefix, timer[1:1+momentLen]) }

// place says where a timer stands among those of its moment.
func place(timer []byte) []byte { return timer[1+momentLen:] }

// momentsKept says whether the rows of moments follow from the timers in the state after a block, or within it.
func momentsKept(r Reader, height int64) bool {
	kept, _ := Peek(r, []byte{momentTable.Prefix})
	return len(kept) == 8 && int64(binary.BigEndian.Uint64(kept)) == height
}

// KeepMoments begins a block: nothing schedules, cancels or looks for timers before it. Where the program that wrote the block before did not keep the
// moments, they are made anew, which reads all timers. Nothing that the app hash binds follows from when that happens.
func KeepMoments(ctx *Ctx) {
	if !momentsKept(ctx, ctx.Height-1) {
		want := momentsOf(ctx)
		var stale [][]byte
		ctx.Iterate([]byte{momentTable.Prefix}, nil, func(key, _ []byte) bool {
			if _, ok := want[string(key)]; !ok {
				stale = append(stale, bytes.Clone(key))
			}
			return true
		})
		for _, key := range stale {
			ctx.Delete(key)
		}
		for _, m := range slices.Sorted(maps.Keys(want)) {
			ctx.Set([]byte(m), want[m])
		}
	}
	ctx.Set([]byte{momentTable.Prefix}, keptAfter(ctx.Height))
}

// keptAfter is the row that says after which block the moments are right.
func keptAfter(height int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(height)) }

// Reschedule replaces the timers that a record had by those that it has.
func Reschedule(ctx *Ctx, old, now []Timer) {
	for _, t := range old {
		cancel(ctx, t.key())
	}
	for _, t := range now {
		schedule(ctx, t.key(), []byte{})
	}
}

// schedule writes the row of a timer. Its moment names it if it comes before the others.
func schedule(s State, timer, value []byte) {
	s.Set(timer, value)
	m := momentKey(timer)
	if first, ok := Peek(s, m); !ok || bytes.Compare(place(timer), first) < 0 {
		s.Set(m, place(timer))
	}
}

// cancel deletes the row of a timer. If its moment names it, the moment names one that is no more until the end of the block: to find the next one is a
// look past all that the block has deleted, and a block that deletes twenty thousand takes one.
func cancel(ctx *Ctx, timer []byte) {
	ctx.Delete(timer)
	m := momentKey(timer)
	if first, ok := Peek(ctx, m); ok && bytes.Equal(first, place(timer)) {
		if ctx.Passed == nil {
			ctx.Passed = map[string]struct{}{}
		}
		ctx.Passed[string(m)] = struct{}{}
	}
}

// SettleTimers has, at the end of a block, the moments name their first timers again whose first was deleted; those that have none go.
func SettleTimers(ctx *Ctx) {
	for _, key := range slices.Sorted(maps.Keys(ctx.Passed)) {
		m := []byte(key)
		named, ok := Peek(ctx, m)
		if !ok {
			continue // what scheduled the first of its timers was refused
		}
		var first []byte
		eachAt(ctx, m, named, func(timer, _ []byte) bool {
			first = bytes.Clone(place(timer))
			return false
		})
		switch {
		case first == nil:
			ctx.Delete(m)
		case !bytes.Equal(first, named):
			ctx.Set(m, first)
		}
	}
	ctx.Passed = nil
}

// eachAt visits the timers of a moment, whose row names the first of them or, until the end of the block, one before it.
func eachAt(r Reader, moment, first []byte, fn func(timer, value []byte) (more bool)) {
	prefix := Key(timerTable.Prefix, moment[1:])
	r.Iterate(prefix, Key(prefix[0], prefix[1:], first), fn)
}

// firsts has, by the keys of moments, the first timer of each.
type firsts map[string][]byte

func (f firsts) add(timer []byte) {
	m := string(momentKey(timer))
	if first, ok := f[m]; !ok || bytes.Compare(place(timer), first) < 0 {
		f[m] = bytes.Clone(place(timer))
	}
}

// momentsOf gives the rows of moments that follow from the timers, but for the one without a moment.
func momentsOf(r Reader) firsts {
	f := firsts{}
	Timers(r, func(t Timer) bool { f.add(t.key()); return true })
	return f
}

// DeriveTimers gives, for the state after a block, the rows of timers and of duties that are visited in any order, each once, with those of clocks and
// moments.
func DeriveTimers(height int64, timers func(fn func(Timer)), duties func(fn func(Duty)), set func(key, value []byte)) {
	f := firsts{}
	timers(func(t Timer) {
		set(t.key(), []byte{})
		f.add(t.key())
	})
	duties(func(d Duty) { set(d.key(), []byte{}) })
	clocks(duties, func(clock, first []byte) {
		set(clock, first)
		f.add(clock)
	})
	set([]byte{momentTable.Prefix}, keptAfter(height))
	for _, m := range slices.Sorted(maps.Keys(f)) {
		set([]byte(m), f[m])
	}
}

// CheckMoments holds that the rows of moments after a block are those that follow from the timers. What a program that knows nothing of moments left is no
// fault: the next block makes them anew.
func CheckMoments(r Reader, height int64) (err error) {
	if !momentsKept(r, height) {
		return nil
	}
	want := momentsOf(r)
	want[string([]byte{momentTable.Prefix})] = keptAfter(height)
	r.Iterate([]byte{momentTable.Prefix}, nil, func(key, first []byte) bool {
		f, ok := want[string(key)]
		switch {
		case !ok:
			err = fmt.Errorf("the moment %x has no timer", key[1:])
		case !bytes.Equal(f, first):
			err = fmt.Errorf("the moment %x names %x as the first of its timers, which is %x", key[1:], first, f)
		}
		delete(want, string(key))
		return err == nil
	})
	if err == nil && len(want) > 0 {
		err = fmt.Errorf("the moment %x, at which a timer stands, has no row", slices.Sorted(maps.Keys(want))[0][1:])
	}
	return err
}

// DueTimers returns up to limit timers of a class that are due at legal time now, by (due, kind, id), and whether more are due. For the clock of an
// agency's duties it returns a timer for each duty that runs by it. It is for blocks, which keep the moments.
func DueTimers(r Reader, class TimerClass, now int64, limit int) (due []Timer, more bool) {
	return dueTimers(r, true, class, now, limit)
}

// Backlog counts what DueTimers would give in the state after a block, whichever program wrote it.
func Backlog(r Reader, height int64, class TimerClass, now int64, limit int) int {
	due, _ := dueTimers(r, momentsKept(r, height), class, now, limit)
	return len(due)
}

func dueTimers(r Reader, kept bool, class TimerClass, now int64, limit int) (due []Timer, more bool) {
	add := func(t Timer) bool {
		if len(due) == limit {
			more = true
			return false
		}
		due = append(due, t)
		return true
	}
	look := func(key, value []byte) bool {
		t := parseTimer(key)
		if t.Due > now {
			return false
		}
		if t.Kind != TimerDuty {
			return add(t)
		}
		eachOnClock(r, string(t.ID), calendar.Of(t.Due-1), value, func(key []byte) bool {
			return add(Timer{t.Class, t.Due, t.Kind, bytes.Clone(key)})
		})
		return !more
	}
	if !kept {
		r.Iterate(Key(timerTable.Prefix, []byte{byte(class)}), nil, look)
		return due, more
	}
	r.Iterate(Key(momentTable.Prefix, []byte{byte(class)}), nil, func(key, first []byte) bool {
		if len(key) != 1+momentLen {
			Faultf("the key of a moment has %d bytes", len(key))
		}
		if int64(binary.BigEndian.Uint64(key[2:])) > now {
			return false
		}
		eachAt(r, key, first, look)
		return !more
	})
	return due, more
}

// Scheduled says whether a timer that DueTimers gave still stands: one that fired before it in the same block may have cancelled it.
func Scheduled(r Reader, t Timer) bool {
	key := t.ID // of a duty
	if t.Kind != TimerDuty {
		key = t.key()
	}
	_, ok := r.Get(key)
	return ok
}

// IsTimer and IsMoment say which of the derived rows a key is of: what their values hold, CheckDutyClocks and CheckMoments know.
func IsTimer(key []byte) bool { return len(key) > 0 && key[0] == timerTable.Prefix }

// IsMoment: see IsTimer.
func IsMoment(key []byte) bool { return len(key) > 0 && key[0] == momentTable.Prefix }

// Timers visits all timers, for checks.
func Timers(r Reader, fn func(Timer) (more bool)) {
	r.Iterate([]byte{timerTable.Prefix}, nil, func(key, _ []byte) bool { return fn(parseTimer(key)) })
}

func parseTimer(key []byte) Timer {
	if len(key) < 11 {
		Faultf("a timer key has %d bytes", len(key))
	}
	return Timer{
		Class: TimerClass(key[1]),
		Due:   int64(binary.BigEndian.Uint64(key[2:10])),
		Kind:  TimerKind(key[10]),
		ID:    append([]byte(nil), key[11:]...),
	}
}
