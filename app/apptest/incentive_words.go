package apptest

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/incentive"
)

// incentiveID is an incentive: [of=RECOGNISER] firm= proposal=, or incentive=WORD for one that is not there.
func (s *Script) incentiveID(d *datadriven.TestData) []byte {
	if has(d, "incentive") {
		return digestArg(d, "incentive", "")
	}
	id := incentive.ID(s.issuerOf(d), arg(d, "proposal"), s.firm(d))
	return id[:]
}

// incentiveMessage makes the messages of package incentive.
func (s *Script) incentiveMessage(d *datadriven.TestData, issuer string) *pb.Msg {
	switch d.Cmd {
	case "propose-incentive": // propose-incentive by= firm= proposal= [list=HN28] [grounds=]
		list := "HN28"
		if has(d, "list") {
			list = arg(d, "list")
		}
		return &pb.Msg{Sum: &pb.Msg_ProposeIncentive{ProposeIncentive: &pb.ProposeIncentive{
			Issuer: issuer, Subject: s.firm(d), List: list, ProposalNo: arg(d, "proposal"), GroundsDigest: digestArg(d, "grounds", "grounds"),
		}}}
	case "notice-incentive": // notice-incentive by= firm= proposal=
		return &pb.Msg{Sum: &pb.Msg_NoticeIncentive{NoticeIncentive: &pb.NoticeIncentive{Issuer: issuer, Incentive: s.incentiveID(d)}}}
	case "recognise": // recognise by= firm= proposal= until=
		return &pb.Msg{Sum: &pb.Msg_RecogniseIncentive{RecogniseIncentive: &pb.RecogniseIncentive{
			Issuer: issuer, Incentive: s.incentiveID(d), ValidUntil: s.date(d, "until"),
		}}}
	case "decline": // decline by= firm= proposal= [reason=]
		return &pb.Msg{Sum: &pb.Msg_DeclineIncentive{DeclineIncentive: &pb.DeclineIncentive{
			Issuer: issuer, Incentive: s.incentiveID(d), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	case "cancel-incentive": // cancel-incentive by= firm= proposal= [cause=1..4] [reason=]
		return &pb.Msg{Sum: &pb.Msg_CancelIncentive{CancelIncentive: &pb.CancelIncentive{
			Issuer: issuer, Incentive: s.incentiveID(d), Cause: pb.CancelCause(number(d, "cause", 1)), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	case "use": // use by=AGENCY of=RECOGNISER firm= proposal= matter= measure= [scene=] [result=]
		scene := "licence"
		if has(d, "scene") {
			scene = arg(d, "scene")
		}
		return &pb.Msg{Sum: &pb.Msg_UseIncentive{UseIncentive: &pb.UseIncentive{
			Issuer: issuer, Incentive: s.incentiveID(d), UseNo: arg(d, "matter"), Measure: uint32(number(d, "measure", 1)), Scene: scene,
			ResultDigest: digestArg(d, "result", "result"),
		}}}
	}
	return nil
}

// lookIncentive answers the commands that read incentives.
func (s *Script) lookIncentive(d *datadriven.TestData) (string, bool) {
	if d.Cmd != "incentive" { // incentive issuer= firm= proposal=
		return "", false
	}
	var b strings.Builder
	s.Read(func(r x.Reader) {
		i, ok := incentive.Get(r, s.incentiveID(d))
		if !ok {
			b.WriteString("unknown")
			return
		}
		b.WriteString(i.State.String())
		for _, f := range []struct {
			name string
			on   int32
		}{
			{"proposed_on", i.ProposedOn},
			{"noticed_on", i.NoticedOn},
			{"notice_until", i.NoticeUntil},
			{"decide_by", i.DecideBy},
			{"decided_on", i.DecidedOn},
			{"valid_until", i.ValidUntil},
			{"ended_on", i.EndedOn},
		} {
			if f.on != 0 {
				fmt.Fprintf(&b, " %s=%s", f.name, calendar.Date(f.on))
			}
		}
		if i.Cause != pb.CANCEL_UNSET {
			fmt.Fprintf(&b, " %s", i.Cause)
		}
		if i.Objections != 0 {
			fmt.Fprintf(&b, " objections=%d", i.Objections)
		}
		if i.Uses != 0 {
			fmt.Fprintf(&b, " uses=%d", i.Uses)
		}
		if incentive.Visible(i) && incentive.Suspended(r, i) {
			b.WriteString(" suspended")
		}
	})
	return b.String(), true
}

// incentiveList is the list of a proposal: incentives=CODE [version=] [system=] [brings=1,2] [term=] [clean=CLASS] [basis=] [from=] [to=], else as the version in
// force, else a plain one.
func (s *Script) incentiveList(d *datadriven.TestData) *pb.IncentiveList {
	l := &pb.IncentiveList{
		Code: arg(d, "incentives"), Version: 1, Name: "某守信激励名单", Basis: "《某办法》", BasisLevel: pb.BASIS_DEPARTMENT_RULE,
		Measures: []pb.IncentiveMeasure{1}, NameConfidence: pb.CONFIDENCE_DECIDED, TermsConfidence: pb.CONFIDENCE_DECIDED,
	}
	s.Read(func(r x.Reader) {
		if old, ok := catalog.IncentiveListOn(r, l.Code, s.Today()); ok {
			l = old
		}
	})
	l.Version = uint32(number(d, "version", int64(l.Version)))
	l.TermMonths, l.CleanOf = uint32(number(d, "term", int64(l.TermMonths))), pb.Severity(number(d, "clean", int64(l.CleanOf)))
	if has(d, "brings") {
		l.Measures = nil
		for _, n := range numbers(d, "brings") {
			l.Measures = append(l.Measures, pb.IncentiveMeasure(n))
		}
	}
	if has(d, "basis") {
		l.Basis = arg(d, "basis")
	}
	if has(d, "system") {
		l.System = arg(d, "system")
	}
	l.ValidFrom, l.ValidTo = s.dateOr(d, "from", l.ValidFrom), s.dateOr(d, "to", l.ValidTo)
	return l
}
