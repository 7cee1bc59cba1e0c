package measure

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
)

// Check holds MSR-1 to MSR-3 and what of INV-36 this package knows. Package sanction holds INV-02, which needs the records.
func Check(r x.Reader) (err error) {
	measures.All(r, func(uscc string, m *pb.Measure) bool {
		id := ID(m.Recogniser, m.Subject, m.Source, m.Item, m.Implementer)
		item, ok := catalog.MeasureItem(r, m.Item, m.Version)
		switch {
		case m.Subject != uscc || string(id[:]) != string(m.Id):
			err = fmt.Errorf("MSR-1: measure %x does not have the id of its facts", m.Id)
		case !ok || item.Basis == "" || item.BasisLevel < pb.BASIS_LAW || item.BasisLevel > pb.BASIS_CENTRAL_POLICY:
			err = fmt.Errorf("INV-36: measure %x rests on no item of the list of measures", m.Id)
		case item.Elsewhere:
			err = fmt.Errorf("MSR-3: measure %x has item %s, which is carried out elsewhere", m.Id, m.Item)
		default:
			err = checkState(m)
		}
		return err == nil
	})
	return err
}

// checkState is MSR-2.
func checkState(m *pb.Measure) error {
	applied, ended := m.AppliedOn != 0, m.EndedOn != 0
	ok := m.AnnouncedOn != 0 && (m.ReportedOn == 0) == (m.Outcome == pb.OUTCOME_UNSET) && (m.ReportedOn == 0 || applied) && (m.Until == 0 || applied)
	switch m.State {
	case pb.MEASURE_ANNOUNCED:
		ok = ok && !applied && !ended
	case pb.MEASURE_APPLIED:
		ok = ok && applied && !ended && m.Implementer != "" && m.FeedbackBy >= m.AppliedOn
	case pb.MEASURE_LIFTED:
		ok = ok && ended
	case pb.MEASURE_EXPIRED:
		ok = ok && applied && ended && m.Until != 0 && m.EndedOn > m.Until
	case pb.MEASURE_CORRECTED:
		ok = ok && ended && len(m.ReasonDigest) == pb.DigestBytes
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("MSR-2: measure %x is %s and lacks the facts of that state", m.Id, m.State)
	}
	return nil
}

// EachTimer gives all timers that follow from measures, but for those of duties.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	All(r, func(m *pb.Measure) bool {
		for _, t := range TimersOf(m) {
			fn(t)
		}
		return true
	})
}

// EachDuty gives all duties that follow from measures.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	All(r, func(m *pb.Measure) bool {
		for _, d := range DutiesOf(m) {
			fn(d)
		}
		return true
	})
}
