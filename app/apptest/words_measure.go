package apptest

import (
	"fmt"
	"sort"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Words of measures (惩戒措施).

// recogniser is whose record a measure rests on: issuer=, else who signs.
func (s *Script) recogniser(d *datadriven.TestData) string {
	if has(d, "issuer") {
		return s.agency(arg(d, "issuer"))
	}
	return s.agency(arg(d, "by"))
}

// sourceID is the record that a measure rests on: firm= no= issuer= [kind=list].
func (s *Script) sourceID(d *datadriven.TestData) []byte { return s.recordID(d, "penalty") }

// measureID is the measure of an item on a record with an implementer: to=AGENCY; none: the call.
func (s *Script) measureID(d *datadriven.TestData) []byte {
	if has(d, "measure") {
		return digestArg(d, "measure", "")
	}
	to := ""
	if has(d, "to") {
		to = s.agency(arg(d, "to"))
	}
	id := measure.ID(s.recogniser(d), s.firm(d), s.sourceID(d), arg(d, "item"), to)
	return id[:]
}

// measureMessage makes the messages of measures.
func (s *Script) measureMessage(d *datadriven.TestData) (*pb.Msg, string) {
	by := arg(d, "by")
	as := s.agency(by)
	if has(d, "as") { // in whose name, where that is not who signs
		as = s.agency(arg(d, "as"))
	}
	switch d.Cmd {
	case "announce": // announce by= firm= no= [kind=list] item= [to=AGENCY] [issuer=RECOGNISER]
		to := ""
		if has(d, "to") {
			to = s.agency(arg(d, "to"))
		}
		return &pb.Msg{Sum: &pb.Msg_AnnounceMeasure{AnnounceMeasure: &pb.AnnounceMeasure{Issuer: as, Source: s.sourceID(d), Item: arg(d, "item"), Implementer: to}}}, by
	case "apply-measure": // apply-measure by= issuer=RECOGNISER firm= no= [kind=list] item= [until=]
		return &pb.Msg{Sum: &pb.Msg_ApplyMeasure{ApplyMeasure: &pb.ApplyMeasure{Issuer: as, Source: s.sourceID(d), Item: arg(d, "item"), Until: s.date(d, "until")}}}, by
	case "feedback": // feedback by= issuer=RECOGNISER firm= no= [kind=list] item= to= [outcome=1] [evidence=]
		return &pb.Msg{Sum: &pb.Msg_FeedbackMeasure{FeedbackMeasure: &pb.FeedbackMeasure{
			Issuer: as, Measure: s.measureID(d), Outcome: pb.MeasureOutcome(number(d, "outcome", 1)), EvidenceDigest: digestArg(d, "evidence", "evidence"),
		}}}, by
	case "correct-measure": // correct-measure by= issuer=RECOGNISER firm= no= [kind=list] item= [to=] [reason=]
		return &pb.Msg{Sum: &pb.Msg_CorrectMeasure{CorrectMeasure: &pb.CorrectMeasure{
			Issuer: as, Measure: s.measureID(d), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}, by
	}
	return nil, ""
}

// nameOf is the word of the scripts for an agency.
func (s *Script) nameOf(uscc string) string {
	for name, a := range s.Actors {
		if a.USCC == uscc && !strings.Contains(name, "/") {
			return name
		}
	}
	return uscc
}

// lookMeasures answers the commands that read measures.
func (s *Script) lookMeasures(d *datadriven.TestData) (string, bool) {
	var lines []string
	day := func(name string, on int32) string {
		if on == 0 {
			return ""
		}
		return " " + name + "=" + calendar.Date(on).String()
	}
	switch d.Cmd {
	case "measures": // measures firm=: all of a subject's, as an auditor sees them
		s.Read(func(r x.Reader) {
			measure.Each(r, s.firm(d), func(m *pb.Measure) bool {
				who := "(call)"
				if m.Implementer != "" {
					who = s.nameOf(m.Implementer)
				}
				line := fmt.Sprintf("%s %s %s v%d", m.Item, who, m.State, m.Version)
				line += day("announced_on", m.AnnouncedOn) + day("applied_on", m.AppliedOn) + day("until", m.Until) + day("feedback_by", m.FeedbackBy)
				if m.Outcome != 0 {
					line += fmt.Sprintf(" %s%s", m.Outcome, day("reported_on", m.ReportedOn))
				}
				lines = append(lines, line+day("ended_on", m.EndedOn))
				return true
			})
		})
	case "check": // check firm= by=IMPLEMENTER: what of it runs, and what it is called on to do (信用核查)
		s.Read(func(r x.Reader) {
			for _, o := range measure.Open(r, s.firm(d), s.agency(arg(d, "by")), s.Today(), sanction.MeasureSource) {
				line := o.Measure.Item + " "
				switch {
				case o.Measure.State == pb.MEASURE_APPLIED:
					line += "runs"
				case o.Why == nil:
					line += "may be applied"
				default:
					line += "waits: " + o.Why.Error()
				}
				if o.Why == nil {
					line += day("until", int32(o.Until))
				}
				if o.Item != nil {
					line += " by " + o.Item.Basis
				}
				lines = append(lines, line)
			}
		})
	case "item": // item code= on=: the version in force
		s.Read(func(r x.Reader) {
			m, ok := catalog.MeasureItemOn(r, arg(d, "code"), s.Today())
			if !ok {
				lines = []string{"none"}
				return
			}
			lines = []string{fmt.Sprintf("%s v%d %s %s", m.Code, m.Version, m.Matter, m.Basis)}
		})
	default:
		return "", false
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n"), true
}

// measureItem is the item of a proposal: item=CODE [version=] [basis=] [basis-level=] [at-once] [sources=] [class=] [categories=] [months=] [elsewhere] [levels=]
// [systems=] [lists=] [from=] [to=], else as the version in force, else a plain one.
func (s *Script) measureItem(d *datadriven.TestData) *pb.MeasureItem {
	m := &pb.MeasureItem{
		Code: arg(d, "item"), Version: 1, Group: pb.MEASURE_GROUP_MANAGEMENT, Matter: "事项", Object: "单位", Means: "手段", Body: "国家机关",
		Basis: "《某法》第一条", BasisLevel: pb.BASIS_LAW, Sources: []pb.DishonestyKind{1, 2, 3, 4}, Categories: []uint32{1, 4},
		NameConfidence: pb.CONFIDENCE_DECIDED, BasisConfidence: pb.CONFIDENCE_DECIDED,
	}
	s.Read(func(r x.Reader) {
		if old, ok := catalog.MeasureItemOn(r, m.Code, s.Today()); ok {
			m = old
		}
	})
	m.Version = uint32(number(d, "version", int64(m.Version)))
	if has(d, "basis") {
		m.Basis = arg(d, "basis")
	}
	m.BasisLevel = pb.BasisLevel(number(d, "basis-level", int64(m.BasisLevel)))
	m.ClassMin = pb.Severity(number(d, "class", int64(m.ClassMin)))
	m.MonthsMax = uint32(number(d, "months", int64(m.MonthsMax)))
	m.AtOnce = m.AtOnce || has(d, "at-once")
	m.Elsewhere = m.Elsewhere || has(d, "elsewhere")
	if has(d, "sources") {
		m.Sources = nil
		for _, k := range numbers(d, "sources") {
			m.Sources = append(m.Sources, pb.DishonestyKind(k))
		}
	}
	if has(d, "categories") {
		m.Categories = numbers(d, "categories")
	}
	if has(d, "levels") {
		m.Levels = nil
		for _, l := range numbers(d, "levels") {
			m.Levels = append(m.Levels, pb.Level(l))
		}
	}
	if has(d, "systems") {
		m.Systems = strings.Split(arg(d, "systems"), ",")
	}
	if has(d, "lists") {
		m.Lists = strings.Split(arg(d, "lists"), ",")
	}
	m.ValidFrom, m.ValidTo = s.dateOr(d, "from", m.ValidFrom), s.dateOr(d, "to", m.ValidTo)
	return m
}
