package x

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// What agencies must do by when (待办). Like timers they follow from the records: a module says which duties a record lays on whom and keeps
// them in step when it writes the record. Of one day those come first that no alarm speaks of yet.
var dutyTable = Declare(TableInfo{Prefix: 0x0a, Layout: "duty owner[18] due[4] alarmed[1] kind[1] subject[18] record", Binding: Derived})

// DutyKind says what is to be done. Numbers are permanent.
type DutyKind byte

// DutyInfo is what people read of a kind of duty. Its token is also the kind of the alarm that is raised when the duty is not done in time.
type DutyInfo struct {
	Kind  DutyKind
	Token string // e.g. publish
	Label string // Chinese
	Rule  string // source key
}

var duties [256]*DutyInfo

// DeclareDuty declares a kind of duty, at package initialisation alone. A number or token declared twice is a bug.
func DeclareDuty(kind DutyKind, token, label, rule string) DutyKind {
	for _, d := range duties {
		if d != nil && (d.Kind == kind || d.Token == token) {
			panic(fmt.Sprintf("duty %d %s is declared twice", kind, token))
		}
	}
	duties[kind] = &DutyInfo{Kind: kind, Token: token, Label: label, Rule: rule}
	return kind
}

// DutyKinds lists the kinds that are declared, by number: for documents and tests.
func DutyKinds() (out []DutyKind) {
	for _, d := range duties {
		if d != nil {
			out = append(out, d.Kind)
		}
	}
	return out
}

// Info gives what people read of the kind.
func (k DutyKind) Info() DutyInfo {
	if d := duties[k]; d != nil {
		return *d
	}
	panic(fmt.Sprintf("duty kind %d is not declared", k))
}

// Duty is what an agency must do by the end of a day.
type Duty struct {
	Owner   string        // the agency that must act
	Due     calendar.Date // last day in time; 0 = the law sets no day
	Kind    DutyKind
	Subject string
	Record  []byte // key of the record that lays it on: a record id, or a commitment's code
	Alarmed bool   // it was not done in time and an alarm says so: the clock has run, the duty stands
}

func (d Duty) key() []byte { return d.appendKey(make([]byte, 0, dutyKeyMin+len(d.Record))) }

func (d Duty) appendKey(b []byte) []byte {
	alarmed := byte(0)
	if d.Alarmed {
		alarmed = 1
	}
	b = append(append(b, dutyTable.Prefix), d.Owner...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(d.Due)), alarmed, byte(d.Kind))
	return append(append(b, d.Subject...), d.Record...)
}

func dueBytes(due calendar.Date) []byte { return binary.BigEndian.AppendUint32(nil, uint32(due)) }

// Timer is the clock of a duty whose day has not passed unmet yet. All such duties of an agency for one day share it: a clock for each would be
// one in four of the rows that recording writes.
func (d Duty) Timer() (t Timer, runs bool) {
	if d.Alarmed || d.Due == 0 {
		return Timer{}, false
	}
	return Timer{Class: Other, Due: calendar.EndUnix(d.Due), Kind: TimerDuty, ID: []byte(d.Owner)}, true
}

// MissedDuty reads the id of a timer of kind TimerDuty that DueTimers gave.
func MissedDuty(id []byte) Duty { return parseDuty(id) }

// Assign replaces the duties that a record laid on agencies by those that it lays on them now, with their clocks.
func Assign(ctx *Ctx, old, now []Duty) {
	for _, d := range old {
		ctx.Delete(d.key())
		if t, runs := d.Timer(); runs {
			if ctx.Eased == nil {
				ctx.Eased = map[string]Duty{}
			}
			ctx.Eased[string(t.key())] = d
		}
	}
	for _, d := range now {
		Enter(ctx, d)
	}
}

// Enter writes a duty with its clock. The row of a clock says which of its duties comes first: who looks for those that run by it does not pass all
// that were done before, which Badger keeps for a while. The row follows from the duties alone, as their order in the list does.
func Enter(s State, d Duty) {
	room := new([]byte)
	if c, ok := s.(*Ctx); ok {
		room = &c.room // as in KeyFor
	}
	key := d.appendKey((*room)[:0])
	*room = key
	s.Set(key, []byte{})
	t, runs := d.Timer()
	if !runs {
		return
	}
	*room = t.appendKey(key)
	clock, place := (*room)[len(key):], key[clockLen:]
	if first, ok := Peek(s, clock); !ok || bytes.Compare(place, first) < 0 {
		schedule(s, clock, place)
	}
}

// place says where a duty stands among those of its clock.
func (d Duty) place() []byte { return d.key()[clockLen:] }

// clocks gives the rows of the clocks of duties, ascending by key.
func clocks(each func(fn func(Duty)), set func(key, value []byte)) {
	first := map[string][]byte{}
	each(func(d Duty) {
		t, runs := d.Timer()
		if !runs {
			return
		}
		key, place := string(t.key()), d.place()
		if f, ok := first[key]; !ok || bytes.Compare(place, f) < 0 {
			first[key] = place
		}
	})
	for _, key := range slices.Sorted(maps.Keys(first)) {
		set([]byte(key), first[key])
	}
}

// CheckDutyClocks holds that each clock names the first of its duties, or none.
func CheckDutyClocks(r Reader) (err error) {
	clocks(func(fn func(Duty)) { EachDuty(r, func(d Duty) bool { fn(d); return true }) }, func(key, place []byte) {
		if have, ok := r.Get(key); err == nil && (!ok || len(have) > 0 && !bytes.Equal(have, place)) {
			err = fmt.Errorf("the clock %x names %x as the first of its duties, which is %x", key, have, place)
		}
	})
	return err
}

// SettleDuties stops, at the end of a block, the clocks that no duty runs by any more, and has the others name their first. To know that takes a look
// into the list of the agency: a block that relieves it of a thousand duties takes one.
func SettleDuties(ctx *Ctx) {
	for _, key := range slices.Sorted(maps.Keys(ctx.Eased)) {
		d, clock := ctx.Eased[key], []byte(key)
		named, ok := ctx.Get(clock)
		if !ok {
			continue // what relieved it of a duty was refused, or had a clock no more
		}
		var first []byte
		eachOnClock(ctx, d.Owner, d.Due, named, func(key []byte) bool {
			first = bytes.Clone(key[clockLen:])
			return false
		})
		switch {
		case first == nil:
			cancel(ctx, clock)
		case !bytes.Equal(first, named):
			ctx.Set(clock, first)
		}
	}
	ctx.Eased = nil
}

// clockLen is the length of what the keys of all duties of one clock begin with.
const clockLen = 1 + 18 + 4 + 1

// eachOnClock visits the keys of the duties that run by a clock, whose row names the first of them or, until the end of the block, one before it. An empty
// row, as older programs wrote it, names none.
func eachOnClock(r Reader, owner string, due calendar.Date, first []byte, fn func(key []byte) (more bool)) {
	prefix := Key(dutyTable.Prefix, []byte(owner), dueBytes(due), []byte{0})
	r.Iterate(prefix, Key(prefix[0], prefix[1:], first), func(key, _ []byte) bool { return fn(key) })
}

// Place says where a duty stands in the list of its owner.
func (d Duty) Place() []byte { return d.key()[19:] }

// Duties visits what an agency must do after a place in its list (nil: from the beginning), the earliest day first; what has no day comes
// before all.
func Duties(r Reader, owner string, after []byte, fn func(d Duty) (more bool)) {
	if len(owner) != 18 {
		return
	}
	prefix := Key(dutyTable.Prefix, []byte(owner))
	var start []byte
	if after != nil {
		start = append(append(start, prefix...), after...)
		start = append(start, 0) // the first key after that one
	}
	r.Iterate(prefix, start, func(key, _ []byte) bool { return fn(parseDuty(key)) })
}

// EachDuty visits the duties of all agencies, for checks.
func EachDuty(r Reader, fn func(d Duty) (more bool)) {
	r.Iterate([]byte{dutyTable.Prefix}, nil, func(key, _ []byte) bool { return fn(parseDuty(key)) })
}

// dutyKeyMin is the length of a duty's key without its record.
const dutyKeyMin = 1 + 18 + 4 + 1 + 1 + 18

func parseDuty(key []byte) Duty {
	if len(key) < dutyKeyMin {
		Faultf("the key of a duty has %d bytes", len(key))
	}
	return Duty{
		Owner: string(key[1:19]), Due: calendar.Date(binary.BigEndian.Uint32(key[19:23])), Alarmed: key[23] == 1, Kind: DutyKind(key[24]),
		Subject: string(key[25:43]), Record: append([]byte(nil), key[43:]...),
	}
}
