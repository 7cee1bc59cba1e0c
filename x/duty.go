package x

import (
	"encoding/binary"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// What agencies must do by when (待办). Like timers they follow from the records: a module says which duties a record lays on whom and keeps
// them in step when it writes the record.
var dutyTable = Declare(TableInfo{Prefix: 0x0a, Layout: "duty owner[18] due[4] kind[1] subject[18] record", Binding: Derived})

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

func (d Duty) key() []byte {
	var due [4]byte
	binary.BigEndian.PutUint32(due[:], uint32(d.Due))
	return Key(dutyTable.Prefix, []byte(d.Owner), due[:], []byte{byte(d.Kind)}, []byte(d.Subject), d.Record)
}

// Timer is the clock of a duty whose day has not passed unmet yet.
func (d Duty) Timer() (t Timer, runs bool) {
	if d.Alarmed || d.Due == 0 {
		return Timer{}, false
	}
	return Timer{Class: Other, Due: calendar.EndUnix(d.Due), Kind: TimerDuty, ID: Key(byte(d.Kind), []byte(d.Subject), d.Record)}, true
}

// MissedDuty reads the id of a timer of kind TimerDuty.
func MissedDuty(id []byte) (kind DutyKind, subject string, record []byte) {
	if len(id) < 19 {
		Faultf("the timer of a duty has an id of %d bytes", len(id))
	}
	return DutyKind(id[0]), string(id[1:19]), id[19:]
}

// Assign replaces the duties that a record laid on agencies by those that it lays on them now, with their clocks.
func Assign(s State, old, now []Duty) {
	for _, d := range old {
		s.Delete(d.key())
		if t, runs := d.Timer(); runs {
			s.Delete(t.key())
		}
	}
	for _, d := range now {
		s.Set(d.key(), []byte{})
		if t, runs := d.Timer(); runs {
			s.Set(t.key(), []byte{})
		}
	}
}

// Place says where a duty stands in the list of its owner.
func (d Duty) Place() []byte { return d.key()[19:] }

// Duties visits what an agency must do after a place in its list (nil: from the beginning), the earliest day first; what has no day comes
// before all. Alarmed is not set.
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

func parseDuty(key []byte) Duty {
	if len(key) < 42 {
		Faultf("the key of a duty has %d bytes", len(key))
	}
	return Duty{
		Owner: string(key[1:19]), Due: calendar.Date(binary.BigEndian.Uint32(key[19:23])), Kind: DutyKind(key[23]),
		Subject: string(key[24:42]), Record: append([]byte(nil), key[42:]...),
	}
}
