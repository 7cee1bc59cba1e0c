package gateway

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// measureView is the table for measures. They are never public: that one exists tells of its record, also when that one is hidden again.
var measureView = map[pb.MeasureState][audiences]view{
	//                       public  lender  agency  duty    recogniser  subject  auditor
	pb.MEASURE_ANNOUNCED: {hidden, hidden, hidden, full, full, full, full},
	pb.MEASURE_APPLIED:   {hidden, hidden, hidden, full, full, full, full},
	pb.MEASURE_LIFTED:    {hidden, hidden, hidden, hidden, full, full, full},
	pb.MEASURE_EXPIRED:   {hidden, hidden, hidden, hidden, full, full, full},
	pb.MEASURE_CORRECTED: {hidden, hidden, hidden, hidden, full, full, full},
}

// showMeasure is the answer about a measure; nil: no trace. Its owners (认定单位) are the recogniser of its record, and the agency that carries or carried it
// out, whose own act it is. A duty in the matter has whom it names and, of a call, whoever is entitled, while the record is in publicity.
func showMeasure(r x.Reader, who *caller, m *pb.Measure) *recordJSON {
	owner := m.Recogniser
	if who != nil && m.AppliedOn != 0 && m.Implementer == who.member.Uscc {
		owner = m.Implementer
	}
	column := columnOf(who, m.Subject, owner, func() bool {
		src, ok := sanction.MeasureSource(r, m.Source)
		return ok && src.Public && calledOn(r, who, m)
	})
	if measureView[m.State][column] != full {
		return nil
	}
	return &recordJSON{Kind: "measure", ID: hexOf(m.Id), Subject: m.Subject, View: "full", Measure: fullMeasure(r, m)}
}

// calledOn says whether the reader is the one named, or entitled to follow a call.
func calledOn(r x.Reader, who *caller, m *pb.Measure) bool {
	if m.Implementer != "" {
		return m.Implementer == who.member.Uscc
	}
	item, ok := catalog.MeasureItemOn(r, m.Item, who.today)
	row, known := member.Look(r, who.member.Uscc)
	return ok && known && measure.Entitled(row, item, who.today)
}

type measureJSON struct {
	Source         string  `json:"source"`
	Recogniser     string  `json:"recogniser"`
	Item           string  `json:"item"`
	Version        uint32  `json:"version"`
	Matter         string  `json:"matter"`
	Basis          string  `json:"basis"`
	Implementer    *string `json:"implementer"` // null: a call on all who are entitled
	State          string  `json:"state"`
	AnnouncedOn    *string `json:"announced_on"`
	AppliedOn      *string `json:"applied_on"`
	Until          *string `json:"until"` // null: as long as its record is in publicity
	FeedbackBy     *string `json:"feedback_by"`
	ReportedOn     *string `json:"reported_on"`
	Outcome        *string `json:"outcome"`
	EvidenceDigest string  `json:"evidence_digest"`
	EndedOn        *string `json:"ended_on"`
	ReasonDigest   string  `json:"reason_digest"`
	Objection      bool    `json:"objection"`
	Overdue        bool    `json:"overdue"`
}

var (
	measureStates = []string{
		pb.MEASURE_ANNOUNCED: "announced", pb.MEASURE_APPLIED: "applied", pb.MEASURE_LIFTED: "lifted", pb.MEASURE_EXPIRED: "expired", pb.MEASURE_CORRECTED: "corrected",
	}
	outcomes = []string{pb.OUTCOME_DONE: "done", pb.OUTCOME_PARTLY: "partly", pb.OUTCOME_NOT_POSSIBLE: "not_possible"}
)

func fullMeasure(r x.Reader, m *pb.Measure) *measureJSON {
	item, ok := catalog.MeasureItem(r, m.Item, m.Version)
	if !ok {
		x.Faultf("measure %x names item %s version %d, which is not there", m.Id, m.Item, m.Version)
	}
	v := &measureJSON{
		Source: hexOf(m.Source), Recogniser: m.Recogniser, Item: m.Item, Version: m.Version, Matter: item.Matter, Basis: item.Basis,
		State: word(measureStates, int32(m.State)), AnnouncedOn: day(m.AnnouncedOn), AppliedOn: day(m.AppliedOn), Until: day(m.Until),
		FeedbackBy: day(m.FeedbackBy), ReportedOn: day(m.ReportedOn), EvidenceDigest: hexOf(m.EvidenceDigest), EndedOn: day(m.EndedOn),
		ReasonDigest: hexOf(m.ReasonDigest), Objection: m.Objections > 0, Overdue: m.Alarms != 0,
	}
	if m.Implementer != "" {
		v.Implementer = &m.Implementer
	}
	if m.Outcome != pb.OUTCOME_UNSET {
		s := word(outcomes, int32(m.Outcome))
		v.Outcome = &s
	}
	return v
}

func caseOfMeasure(r x.Reader, m *pb.Measure) *caseJSON {
	v := &caseJSON{Kind: "measure", ID: hexOf(m.Id), State: word(measureStates, int32(m.State)), DocNo: m.Item}
	v.done(step{"announced", m.AnnouncedOn}, step{"applied", m.AppliedOn}, step{"reported", m.ReportedOn}, step{"ended", m.EndedOn})
	v.left(r, measure.DutiesOf(m))
	return v
}
