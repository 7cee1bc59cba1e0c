package apptest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/leniency"
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
	case "correct": // correct by= firm= no= [kind=] [reason=] and what the record states now
		m := &pb.CorrectRecord{Issuer: issuer, Record: s.recordID(d, ""), ReasonDigest: digestArg(d, "why", "why")}
		verb := *d
		if has(d, "now-no") { // another number, which a correction cannot give
			verb.CmdArgs = slices.Clone(d.CmdArgs)
			for i := range verb.CmdArgs {
				if verb.CmdArgs[i].Key == "no" {
					verb.CmdArgs[i].Vals = []string{arg(d, "now-no")}
				}
			}
		}
		verb.Cmd = map[pb.DishonestyKind]string{
			pb.DISHONESTY_PENALTY: "record", pb.DISHONESTY_ABNORMAL: "abnormal", pb.DISHONESTY_OTHER: "other", pb.DISHONESTY_LIST: "decide-listing",
		}[recordKinds[arg(d, "as")+arg(d, "kind")]]
		made, _ := s.message(&verb)
		if verb.Cmd == "decide-listing" {
			made, _ = s.listingMessage(&verb)
		}
		switch c := made.Sum.(type) {
		case *pb.Msg_RecordPenalty:
			m.Penalty = &c.RecordPenalty.Content
		case *pb.Msg_RecordAbnormal:
			m.Abnormal = &c.RecordAbnormal.Content
		case *pb.Msg_RecordOther:
			m.Other = &c.RecordOther.Content
		case *pb.Msg_DecideListing:
			m.List = &c.DecideListing.Content
		}
		return &pb.Msg{Sum: &pb.Msg_CorrectRecord{CorrectRecord: m}}
	case "acknowledge": // acknowledge by=HOLDER of=RECOGNISER firm= no=
		return &pb.Msg{Sum: &pb.Msg_Acknowledge{Acknowledge: &pb.Acknowledge{Issuer: issuer, Record: s.recordID(d, "")}}}
	case "file-case": // file-case by= firm= act= [region=] [power=] [designation=]
		return &pb.Msg{Sum: &pb.Msg_FileCase{FileCase: &pb.FileCase{
			Issuer: issuer, Subject: s.firm(d), ActDigest: digestArg(d, "act", ""), ViolationRegion: region, PowerCode: arg(d, "power"), Designation: arg(d, "designation"),
		}}}
	case "close-case": // close-case by= firm= act= [reason=]
		return &pb.Msg{Sum: &pb.Msg_CloseCase{CloseCase: &pb.CloseCase{
			Issuer: issuer, Subject: s.firm(d), ActDigest: digestArg(d, "act", ""), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	case "no-penalty": // no-penalty by= firm= no= [limb=1|2] [harm=1|2] [corrected=] [decided=] [power=] [item=] [act=] [region=] [designation=]
		c := pb.NoPenaltyContent{
			Issuer: issuer, Subject: s.firm(d), DocNo: docNo(arg(d, "no")), Limb: uint32(number(d, "limb", 1)), Harm: uint32(number(d, "harm", 1)),
			DecidedOn: s.dateOr(d, "decided", today), Item: arg(d, "item"), ViolationRegion: region, PowerCode: "P-1", Sector: arg(d, "sector"),
			Designation: arg(d, "designation"), ActDigest: digestArg(d, "act", ""), EducationDigest: digestArg(d, "education", "talk"), TextDigest: digestArg(d, "text", "facts"),
		}
		if has(d, "power") {
			c.PowerCode = arg(d, "power")
		}
		c.CorrectedOn = s.dateOr(d, "corrected", c.DecidedOn)
		return &pb.Msg{Sum: &pb.Msg_RecordNoPenalty{RecordNoPenalty: &pb.RecordNoPenalty{Content: c}}}
	case "withdraw-no-penalty": // withdraw-no-penalty by= [of=] firm= no= [reason=]
		id := leniency.ID(s.issuerOf(d), docNo(arg(d, "no")), s.firm(d))
		record := id[:]
		if has(d, "record") {
			record = digestArg(d, "record", "")
		}
		return &pb.Msg{Sum: &pb.Msg_WithdrawNoPenalty{WithdrawNoPenalty: &pb.WithdrawNoPenalty{Issuer: issuer, Record: record, ReasonDigest: digestArg(d, "reason", "reason")}}}
	case "reconcile": // reconcile by= firm= [as-of=] [shown=KIND:AGENCY:NO,…] [entries=N]
		m := &pb.Reconcile{Issuer: issuer, Subject: s.firm(d), AsOf: s.dateOr(d, "as-of", today)}
		for _, w := range strings.Split(arg(d, "shown"), ",") {
			if f := strings.Split(strings.TrimSpace(w), ":"); len(f) == 3 {
				m.Shown = append(m.Shown, pb.ShownRecord{Kind: recordKinds[f[0]], Issuer: s.agency(f[1]), DocNo: docNo(f[2])})
			}
		}
		for range number(d, "entries", 0) {
			m.Shown = append(m.Shown, pb.ShownRecord{Kind: pb.DISHONESTY_PENALTY, Issuer: issuer, DocNo: docNo("1")})
		}
		return &pb.Msg{Sum: &pb.Msg_Reconcile{Reconcile: m}}
	case "file-plan": // file-plan by= firm= case= [ruled=] [type=1|2] [ruling=]
		return &pb.Msg{Sum: &pb.Msg_FilePlan{FilePlan: &pb.FilePlan{
			Issuer: issuer, Subject: s.firm(d), CaseNo: arg(d, "case"), Kind: uint32(number(d, "type", 1)), RuledOn: s.dateOr(d, "ruled", today),
			RulingDigest: digestArg(d, "ruling", "ruling"),
		}}}
	case "end-plan": // end-plan by= firm= case= [failed] [ruled=] [ruling=]
		return &pb.Msg{Sum: &pb.Msg_EndPlan{EndPlan: &pb.EndPlan{
			Issuer: issuer, Plan: s.courtPlanID(d), Completed: !has(d, "failed"), RuledOn: s.dateOr(d, "ruled", today), RulingDigest: digestArg(d, "ruling", "outcome"),
		}}}
	case "shield": // shield by= firm= no= case=
		return &pb.Msg{Sum: &pb.Msg_ShieldRecord{ShieldRecord: &pb.ShieldRecord{Issuer: issuer, Record: s.recordID(d, ""), Plan: s.courtPlanID(d)}}}
	case "end-shield": // end-shield by= firm= no= case=
		return &pb.Msg{Sum: &pb.Msg_EndShield{EndShield: &pb.EndShield{Issuer: issuer, Record: s.recordID(d, ""), Plan: s.courtPlanID(d)}}}
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
	for _, n := range st.Incentives {
		fmt.Fprintf(&b, "incentive %s %s notice_until=%s", n.List, n.State, calendar.Date(n.NoticeUntil))
		if n.State == pb.INCENTIVE_RECOGNISED {
			fmt.Fprintf(&b, " valid_until=%s", calendar.Date(n.ValidUntil))
		}
		b.WriteString(mark(n.Objection) + "\n")
	}
	return b.String()
}

// courtPlanID is the id of a court's plan: case= firm=.
func (s *Script) courtPlanID(d *datadriven.TestData) []byte {
	if has(d, "plan") {
		return digestArg(d, "plan", "")
	}
	id := sanction.PlanID(arg(d, "case"), s.firm(d))
	return id[:]
}

// sanctionLook answers the commands that read what package sanction keeps beside records.
func (s *Script) sanctionLook(d *datadriven.TestData) (string, bool) {
	var b strings.Builder
	switch d.Cmd {
	case "court-plan": // court-plan firm= case=: the board of a court's plan
		s.Read(func(r x.Reader) {
			p, ok := sanction.GetPlan(r, s.courtPlanID(d))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s\n", p.State)
			for _, q := range p.Parties {
				fmt.Fprintf(&b, "%s open=%d shielded=%d due=%s\n", s.name(q.Recogniser), q.Open, q.Shielded, calendar.Date(q.Due))
			}
		})
		return b.String(), true
	case "case": // case firm= act=
		s.Read(func(r x.Reader) {
			c, ok := sanction.CaseOf(r, s.firm(d), digestArg(d, "act", ""))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s %s filed_on=%s", c.State, s.name(c.Issuer), calendar.Date(c.FiledOn))
			if c.State == pb.CASE_OPEN {
				fmt.Fprintf(&b, " decide_by=%s", calendar.Date(c.DecideBy))
			} else {
				fmt.Fprintf(&b, " ended_on=%s", calendar.Date(c.EndedOn))
			}
		})
		return b.String(), true
	case "attention": // attention firm=
		s.Read(func(r x.Reader) {
			a, ok := sanction.AttentionOf(r, s.firm(d))
			if !ok {
				b.WriteString("none")
				return
			}
			fmt.Fprintf(&b, "since=%s threshold=%d", calendar.Date(a.Since), a.Threshold)
			if a.EndedOn != 0 {
				fmt.Fprintf(&b, " ended_on=%s", calendar.Date(a.EndedOn))
			} else {
				fmt.Fprintf(&b, " window=%d until=%s triggers=%d", a.WindowMonths, calendar.Date(a.CheckOn), len(a.Triggers))
			}
		})
		return b.String(), true
	case "copies": // copies of=RECOGNISER firm= no=: who has confirmed that it let go of a record, and who has not
		s.Read(func(r x.Reader) {
			p, ok := sanction.PropagationOf(r, s.firm(d), s.recordID(d, ""))
			if !ok {
				b.WriteString("nobody was asked")
				return
			}
			fmt.Fprintf(&b, "%s due=%s", p.Cause, calendar.Date(p.Due))
			if p.Cancelled {
				b.WriteString(" cancelled")
			}
			if sanction.Synced(p) {
				b.WriteString(" synced")
			}
			b.WriteString("\n")
			for _, c := range p.Confirmed {
				fmt.Fprintf(&b, "%s %s\n", s.name(c.Holder), calendar.Date(c.On))
			}
			for _, h := range p.Waiting {
				fmt.Fprintf(&b, "%s waits\n", s.name(h))
			}
		})
		return b.String(), true
	}
	return "", false
}

// name is what scripts call an agency.
func (s *Script) name(uscc string) string {
	for _, name := range slices.Sorted(maps.Keys(s.Actors)) {
		if s.Actors[name].USCC == uscc {
			return name
		}
	}
	return uscc
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
	if d.Held {
		fmt.Fprintf(&b, " held answer_by=%s", calendar.Date(d.AnswerBy))
	}
	if d.ReexamineBy != 0 {
		fmt.Fprintf(&b, " reexamine_by=%s", calendar.Date(d.ReexamineBy))
	}
	if d.Version != 0 {
		fmt.Fprintf(&b, " version=%d", d.Version)
	}
	if d.WithdrawBy != 0 && sanction.Live(d) {
		fmt.Fprintf(&b, " revoked_on=%s withdraw_by=%s", calendar.Date(d.RevokedOn), calendar.Date(d.WithdrawBy))
	}
	return b.String()
}
