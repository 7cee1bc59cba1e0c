package apptest

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// recordKinds are the words for the kinds of dishonesty records. Commands that speak of one take kind=WORD; without it they speak of a penalty.
var recordKinds = map[string]pb.DishonestyKind{
	"": pb.DISHONESTY_PENALTY, "penalty": pb.DISHONESTY_PENALTY, "list": pb.DISHONESTY_LIST, "abnormal": pb.DISHONESTY_ABNORMAL, "other": pb.DISHONESTY_OTHER,
}

// recordID is the id of the record that a command speaks of: [kind=] issuer= firm= no=, or record=WORD for one that is not there.
func (s *Script) recordID(d *datadriven.TestData, kind string) []byte {
	if has(d, "record") {
		return digestArg(d, "record", "")
	}
	if has(d, "kind") {
		kind = arg(d, "kind")
	}
	id := sanction.ID(recordKinds[kind], s.issuerOf(d), docNo(arg(d, "no")), s.firm(d))
	return id[:]
}

// sanctionMessage makes the messages of package sanction beyond those of penalties.
func (s *Script) sanctionMessage(d *datadriven.TestData, issuer string, today int32) *pb.Msg {
	region := "410105"
	if has(d, "region") {
		region = arg(d, "region")
	}
	two := number(d, "two-documents", 1) == 1
	switch d.Cmd {
	case "abnormal": // abnormal by= firm= no= [reason=] [listed=] [served=] [region=] …
		c := pb.AbnormalContent{
			Issuer: issuer, Subject: s.firm(d), DocNo: docNo(arg(d, "no")), Reason: "address", ListedOn: s.dateOr(d, "listed", today),
			RepairNoticeServed: two, ViolationRegion: region, PowerCode: arg(d, "power"), Sector: arg(d, "sector"),
			Designation: arg(d, "designation"), TextDigest: digestArg(d, "text", "facts"),
		}
		if has(d, "reason") {
			c.Reason = arg(d, "reason")
		}
		c.ServedOn = s.dateOr(d, "served", c.ListedOn)
		return &pb.Msg{Sum: &pb.Msg_RecordAbnormal{RecordAbnormal: &pb.RecordAbnormal{Content: c}}}
	case "remove-abnormal": // remove-abnormal by= firm= no= [evidence=]
		return &pb.Msg{Sum: &pb.Msg_RemoveAbnormal{RemoveAbnormal: &pb.RemoveAbnormal{
			Issuer: issuer, Record: s.recordID(d, "abnormal"), EvidenceDigest: digestArg(d, "evidence", "evidence"),
		}}}
	case "other": // other by= firm= no= [source=] [statute=] [decided=] [class=] [necessary=] [breach-of=] …
		c := pb.OtherContent{
			Issuer: issuer, Subject: s.firm(d), DocNo: docNo(arg(d, "no")), Source: "contract", Statute: "HN-20", DecidedOn: s.dateOr(d, "decided", today),
			RepairNoticeServed: two, ViolationRegion: region, PowerCode: arg(d, "power"), Sector: arg(d, "sector"), Severity: pb.Severity(number(d, "class", 0)),
			Necessary: has(d, "necessary"), NecessityDigest: digestArg(d, "necessary", ""), BreachOf: arg(d, "breach-of"),
			Designation: arg(d, "designation"), TextDigest: digestArg(d, "text", "facts"),
		}
		if has(d, "source") {
			c.Source = arg(d, "source")
		}
		if has(d, "statute") {
			c.Statute = arg(d, "statute")
		}
		c.ServedOn = s.dateOr(d, "served", c.DecidedOn)
		return &pb.Msg{Sum: &pb.Msg_RecordOther{RecordOther: &pb.RecordOther{Content: c}}}
	case "final": // final by= firm= no= [ground=1|2] [on=] [document=]
		return &pb.Msg{Sum: &pb.Msg_MarkFinal{MarkFinal: &pb.MarkFinal{
			Issuer: issuer, Record: s.recordID(d, ""), Ground: uint32(number(d, "ground", 1)), FinalOn: s.dateOr(d, "on", today), DocumentDigest: digestArg(d, "document", ""),
		}}}
	case "fulfil": // fulfil by= firm= no= [on=] [evidence=]: the duties of the decision are fulfilled
		return &pb.Msg{Sum: &pb.Msg_FulfilDuty{FulfilDuty: &pb.FulfilDuty{
			Issuer: issuer, Record: s.recordID(d, ""), DoneOn: s.dateOr(d, "on", today), EvidenceDigest: digestArg(d, "evidence", "evidence"),
		}}}
	case "report-revoked": // report-revoked by= of=RECOGNISER firm= no= [on=] [authority=]
		return &pb.Msg{Sum: &pb.Msg_ReportRevocation{ReportRevocation: &pb.ReportRevocation{
			Issuer: issuer, Record: s.recordID(d, ""), RevokedOn: s.dateOr(d, "on", today), AuthorityDigest: digestArg(d, "authority", "authority"),
		}}}
	case "release": // release by= firm= no= [reason=]
		return &pb.Msg{Sum: &pb.Msg_Release{Release: &pb.Release{
			Issuer: issuer, Record: s.recordID(d, ""), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	}
	return nil
}

// otherLines prints what the public sees beside commitments and penalties; nothing where there is nothing.
func otherLines(st *pb.Standing) string {
	var b strings.Builder
	mark := func(objection bool) string {
		if objection {
			return " objection"
		}
		return ""
	}
	for _, l := range st.Lists {
		fmt.Fprintf(&b, "list %s %s %s..%s%s\n", l.List, l.DocNo, calendar.Date(l.MinUntil), calendar.Date(l.MaxUntil), mark(l.Objection))
	}
	for _, a := range st.Abnormal {
		fmt.Fprintf(&b, "abnormal %s listed_on=%s%s\n", a.Reason, calendar.Date(a.ListedOn), mark(a.Objection))
	}
	for _, o := range st.Others {
		fmt.Fprintf(&b, "other %s %s %s %s..%s%s\n", o.Source, o.DocNo, o.Class, calendar.Date(o.MinUntil), calendar.Date(o.MaxUntil), mark(o.Objection))
	}
	return b.String()
}

// courseOf prints what a record has beside state, class and dates; nothing where it has none of it.
func courseOf(d *pb.Dishonesty) string {
	var b strings.Builder
	if d.State == pb.RECORD_ARCHIVED || d.State == pb.RECORD_DESTROYED {
		fmt.Fprintf(&b, " archived_as=%s", d.ArchivedAs)
	}
	if d.Extended {
		b.WriteString(" extended")
	}
	if d.DutyDoneOn != 0 {
		fmt.Fprintf(&b, " duty_done_on=%s", calendar.Date(d.DutyDoneOn))
	}
	if d.Final {
		fmt.Fprintf(&b, " final_on=%s ground=%d", calendar.Date(d.FinalOn), d.FinalGround)
	}
	if d.WithdrawBy != 0 && sanction.Live(d) {
		fmt.Fprintf(&b, " revoked_on=%s withdraw_by=%s", calendar.Date(d.RevokedOn), calendar.Date(d.WithdrawBy))
	}
	return b.String()
}
