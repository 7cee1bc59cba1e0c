package x

import (
	"bytes"
	"encoding/binary"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// Timers are the deadlines that the chain itself acts on. They follow from the records (binding Derived): a module says which
// timers a record has and keeps them in step when it writes the record.
var timerTable = Declare(TableInfo{Prefix: 0x01, Layout: "timer class[1] due[8] kind[1] id → first of the duties of a clock", Binding: Derived})

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

func (t Timer) key() []byte {
	var due [8]byte
	binary.BigEndian.PutUint64(due[:], uint64(t.Due))
	return Key(timerTable.Prefix, []byte{byte(t.Class)}, due[:], []byte{byte(t.Kind)}, t.ID)
}

// Reschedule replaces the timers that a record had by those that it has.
func Reschedule(s State, old, now []Timer) {
	for _, t := range old {
		s.Delete(t.key())
	}
	for _, t := range now {
		s.Set(t.key(), []byte{})
	}
}

// DueTimers returns up to limit timers of a class that are due at legal time now, by (due, kind, id), and whether more are due. For the clock of an
// agency's duties it returns a timer for each duty that runs by it.
func DueTimers(r Reader, class TimerClass, now int64, limit int) (due []Timer, more bool) {
	add := func(t Timer) bool {
		if len(due) == limit {
			more = true
			return false
		}
		due = append(due, t)
		return true
	}
	prefix := Key(timerTable.Prefix, []byte{byte(class)})
	r.Iterate(prefix, nil, func(key, value []byte) bool {
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
