package measure

import (
	"encoding/hex"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Measures, subject ‖ measure id.
	measures = subject.NewRecords[pb.Measure](0x50, "measure uscc[18] id[32]")
	// Which subject a measure belongs to. Follows from the measures.
	byID = x.Declare(x.TableInfo{Prefix: 0x51, Layout: "measure id[32] → uscc", Binding: x.Derived})
	// The measures that rest on a record. Value empty. Follows from the measures.
	bySource = x.Declare(x.TableInfo{Prefix: 0x52, Layout: "measure of record[32] id[32]", Binding: x.Derived})
)

// Source is what a measure must know of the record that it rests on.
type Source struct {
	Subject    string
	Recogniser string
	Kind       pb.DishonestyKind
	Class      pb.Severity
	List       string // code of the list, where the record is an entry in one
	Public     bool   // 公示中
	Final      bool   // 终局
}

// Sources finds the source of a record id. Package sanction gives it.
type Sources func(r x.Reader, record []byte) (Source, bool)

// ID is the id of a measure: one item on one record has a measure for each implementer, and one for the call on all.
func ID(recogniser, subject string, source []byte, item, implementer string) [32]byte {
	return x.RecordID("measure", recogniser, hex.EncodeToString(source)+"/"+item+"/"+implementer, subject)
}

// Get reads a measure by its id.
func Get(r x.Reader, id []byte) (*pb.Measure, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	m, ok := measures.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows measure %x, the table does not", id)
	}
	return m, true
}

// Each visits a subject's measures by id.
func Each(r x.Reader, uscc string, fn func(m *pb.Measure) (more bool)) { measures.Each(r, uscc, fn) }

// All visits all measures, by subject and id.
func All(r x.Reader, fn func(m *pb.Measure) (more bool)) {
	measures.All(r, func(_ string, m *pb.Measure) bool { return fn(m) })
}

// EachOf visits the measures that rest on a record, by id.
func EachOf(r x.Reader, source []byte, fn func(m *pb.Measure) (more bool)) {
	r.Iterate(x.Key(bySource.Prefix, source), nil, func(key, _ []byte) bool {
		x.Looked(r, 1)
		m, ok := Get(r, key[33:])
		if !ok {
			x.Faultf("the index of record %x names measure %x, which does not stand", source, key[33:])
		}
		return fn(m)
	})
}

// Running says whether a measure is called for or carried out.
func Running(m *pb.Measure) bool {
	return m.State == pb.MEASURE_ANNOUNCED || m.State == pb.MEASURE_APPLIED
}

// Duties that a measure lays on agencies. Numbers 20–29 are this package's.
var (
	DutyApply    = x.DeclareDuty(20, "apply_measure", "实施惩戒措施", "S0 ch.6 §3, §11.5")
	DutyFeedback = x.DeclareDuty(21, "measure_feedback", "反馈实施结果", "S0 ch.6 §3, §11.5")
)

// Bits of Measure.alarms.
const alarmFeedback = 1 << 0

// TimersOf gives the timers that follow from a measure, but for those of its duties.
func TimersOf(m *pb.Measure) []x.Timer {
	if m.State != pb.MEASURE_APPLIED || m.Until == 0 {
		return nil
	}
	return []x.Timer{{Class: x.Other, Due: calendar.EndUnix(calendar.Date(m.Until)), Kind: x.TimerMeasureUntil, ID: append([]byte(m.Subject), m.Id...)}}
}

// DutiesOf gives the duties that a measure lays on agencies. A call lays none: it names nobody.
func DutiesOf(m *pb.Measure) []x.Duty {
	switch {
	case m.State == pb.MEASURE_ANNOUNCED && m.Implementer != "":
		return []x.Duty{{Owner: m.Implementer, Kind: DutyApply, Subject: m.Subject, Record: m.Id}} // the law sets no day
	case m.State == pb.MEASURE_APPLIED && m.ReportedOn == 0:
		return []x.Duty{{
			Owner: m.Implementer, Due: calendar.Date(m.FeedbackBy), Kind: DutyFeedback, Subject: m.Subject, Record: m.Id, Alarmed: m.Alarms&alarmFeedback != 0,
		}}
	}
	return nil
}

// put writes a measure and keeps indexes, timers and duties in step with it. old is nil for a new one.
func put(ctx *x.Ctx, old, m *pb.Measure) {
	if old == nil {
		ctx.Set(x.Key(byID.Prefix, m.Id), []byte(m.Subject))
		ctx.Set(x.Key(bySource.Prefix, m.Source, m.Id), []byte{})
		old = &pb.Measure{}
	}
	x.Reschedule(ctx, TimersOf(old), TimersOf(m))
	x.Assign(ctx, DutiesOf(old), DutiesOf(m))
	measures.PutAside(ctx, m.Subject, m.Id, m) // no measure stands in a standing
}
