package apptest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/inspection"
)

// assessment is what `assess` and `reassess` say of a commitment.
func (s *Script) assessment(d *datadriven.TestData, issuer string) *pb.AssessCommitment {
	return &pb.AssessCommitment{
		Issuer: issuer, Code: arg(d, "code"), Fulfilment: uint32(number(d, "status", 1)), AssessedOn: s.dateOr(d, "on", int32(s.Today())),
		EvidenceDigest: digestArg(d, "evidence", "evidence"), UnperformedDigest: digestArg(d, "unperformed", ""),
		ActionDigest: digestArg(d, "action", ""), NoticeServedOn: s.date(d, "notice"), Statement: uint32(number(d, "statement", 0)),
		Inspection: s.inspectionArg(d, issuer),
	}
}

// inspectionArg is the inspection that an assessment rests on: plan=NUMBER firm=NAME [inspector=AGENCY].
func (s *Script) inspectionArg(d *datadriven.TestData, issuer string) []byte {
	if arg(d, "inspection") == "short" {
		return digest("short")[:31]
	}
	if !has(d, "inspection") {
		return nil
	}
	if has(d, "inspector") {
		issuer = s.agency(arg(d, "inspector"))
	}
	return inspection.ID(issuer, inspection.PlanID(issuer, arg(d, "inspection")), s.firm(d))
}

// promise makes the other messages about commitments; nil: it is none.
func (s *Script) promise(d *datadriven.TestData, by, issuer string) *pb.Msg {
	switch d.Cmd {
	case "mend": // mend by= code= [issuer=AGENT] [evidence=] [paper=]: the firm says that it has made good
		return &pb.Msg{Sum: &pb.Msg_MendCommitment{MendCommitment: &pb.MendCommitment{
			Issuer: issuer, Code: arg(d, "code"), EvidenceDigest: digestArg(d, "evidence", "mended"), PaperDigest: digestArg(d, "paper", ""),
		}}}
	case "refuse-mend":
		return &pb.Msg{Sum: &pb.Msg_RefuseMend{RefuseMend: &pb.RefuseMend{Issuer: issuer, Code: arg(d, "code"), ReasonDigest: digestArg(d, "reason", "reason")}}}
	case "licence": // licence by= code= no=
		return &pb.Msg{Sum: &pb.Msg_NoteLicence{NoteLicence: &pb.NoteLicence{Issuer: issuer, Code: arg(d, "code"), Licence: arg(d, "no")}}}
	case "reassess": // reassess by= code= status= … [reason=]
		return &pb.Msg{Sum: &pb.Msg_ReassessCommitment{ReassessCommitment: &pb.ReassessCommitment{
			Assessment: *s.assessment(d, issuer), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	case "plan": // plan by= no= draw= until= [rates=10,50,100,300] [inspectors=6] [team=2]
		rates := numbers(d, "rates")
		if rates == nil {
			rates = []uint32{10, 50, 100, 300}
		}
		return &pb.Msg{Sum: &pb.Msg_PlanInspection{PlanInspection: &pb.PlanInspection{
			Issuer: issuer, PlanNo: arg(d, "no"), Rates: rates, DrawOn: s.date(d, "draw"), Until: s.date(d, "until"),
			Inspectors: uint32(number(d, "inspectors", 6)), Team: uint32(number(d, "team", 2)), RosterDigest: digestArg(d, "roster", "roster"),
		}}}
	case "candidates": // candidates by= no= firms=A,B [class=1] [of=AGENCY]
		m := &pb.AddCandidates{Issuer: issuer, Plan: s.planID(d)}
		for _, name := range strings.Split(arg(d, "firms"), ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			uscc, ok := s.firms[name]
			if !ok {
				uscc = name
			}
			m.Candidates = append(m.Candidates, pb.Candidate{Subject: uscc, Class: uint32(number(d, "class", 1))})
		}
		return &pb.Msg{Sum: &pb.Msg_AddCandidates{AddCandidates: m}}
	case "seal":
		return &pb.Msg{Sum: &pb.Msg_SealPlan{SealPlan: &pb.SealPlan{Issuer: issuer, Plan: s.planID(d)}}}
	case "cancel-plan":
		return &pb.Msg{Sum: &pb.Msg_CancelPlan{CancelPlan: &pb.CancelPlan{Issuer: issuer, Plan: s.planID(d), ReasonDigest: digestArg(d, "reason", "reason")}}}
	case "inspected": // inspected by= no= firm= result=1..6 [on=]
		return &pb.Msg{Sum: &pb.Msg_RecordInspection{RecordInspection: &pb.RecordInspection{
			Issuer: issuer, Plan: s.planID(d), Subject: s.firm(d), InspectedOn: s.dateOr(d, "on", int32(s.Today())),
			Result: pb.InspectionResult(number(d, "result", 1)), FindingsDigest: digestArg(d, "findings", "findings"),
		}}}
	}
	return nil
}

// planID is the plan that a command speaks of: no=, of the issuer or of=AGENCY.
func (s *Script) planID(d *datadriven.TestData) []byte {
	if has(d, "plan") {
		return digestArg(d, "plan", "")
	}
	of := arg(d, "by")
	for _, key := range []string{"issuer", "of"} {
		if has(d, key) {
			of = arg(d, key)
		}
	}
	return inspection.PlanID(s.agency(of), arg(d, "no"))
}

// lookPromise answers what only reads.
func (s *Script) lookPromise(d *datadriven.TestData) (string, bool) {
	var b strings.Builder
	switch d.Cmd {
	case "plan?": // plan? of=AGENCY no=: how far a plan has come, who was drawn, and what the public may know of it
		s.Read(func(r x.Reader) {
			p, ok := inspection.GetPlan(r, s.planID(d))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s candidates=%d drawn=%d results=%v\n", p.State, p.Candidates, p.Drawn, p.Results)
			if p.Seed != nil && !bytes.Equal(p.Seed, s.Blocks[p.DrawnAt-1].Hash()) {
				b.WriteString("the seed is not the hash of the block\n")
			}
			if p.Seed != nil && has(d, "all") {
				n := 0
				for name, uscc := range s.firms {
					if _, drawn := inspection.Find(r, inspection.ID(p.Issuer, p.Id, uscc)); drawn && name != "" {
						n++
					}
				}
				fmt.Fprintf(&b, "%d firms of this script are drawn\n", n)
			}
			if c, ok := inspection.Published(r, p); ok {
				fmt.Fprintf(&b, "published: drawn=%d results=%v\n", c.Drawn, c.Results)
			}
		})
		return b.String(), true
	case "clocks": // clocks code=: the days of a commitment
		s.Read(func(r x.Reader) {
			c, ok := commitment.Get(r, arg(d, "code"))
			if !ok {
				b.WriteString("unknown")
				return
			}
			fmt.Fprintf(&b, "%s accept_by=%s", c.State, calendar.Date(c.AcceptBy))
			for _, day := range []struct {
				name string
				on   int32
			}{{"check_by", c.CheckBy}, {"assess_by", c.AssessBy}, {"mend_by", c.MendBy}} {
				if day.on != 0 {
					fmt.Fprintf(&b, " %s=%s", day.name, calendar.Date(day.on))
				}
			}
			if c.Licence != "" {
				fmt.Fprintf(&b, " licence=%s", c.Licence)
			}
		})
		return b.String(), true
	}
	return "", false
}
