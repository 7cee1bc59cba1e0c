package apptest

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/objection"
)

// against is what a command objects to: [against=record] issuer= firm= no= [kind=], against=breach code=, against=repair issuer= firm= no= application=,
// against=incentive issuer= firm= proposal=, against=measure issuer= firm= no= item= [to=].
func (s *Script) against(d *datadriven.TestData) (kind pb.ObjectionKind, target []byte, provider string) {
	switch arg(d, "against") {
	case "breach":
		s.Read(func(r x.Reader) {
			if c, ok := commitment.Get(r, arg(d, "code")); ok {
				target, provider = commitment.ID(&c.Content), c.Assessor
			}
		})
		if target == nil {
			target = digest("no such commitment")
		}
		return pb.OBJECTION_BREACH, target, provider
	case "repair":
		return pb.OBJECTION_REPAIR, s.repairID(d), s.issuerOf(d)
	case "incentive": // against=incentive issuer= firm= proposal=
		return pb.OBJECTION_INCENTIVE, s.incentiveID(d), s.issuerOf(d)
	case "measure": // against=measure issuer=RECOGNISER firm= no= item= [to=]
		provider := s.recogniser(d)
		if has(d, "to") {
			provider = s.agency(arg(d, "to"))
		}
		return pb.OBJECTION_MEASURE, s.measureID(d), provider
	case "nothing":
		return 9, s.penaltyID(d), s.issuerOf(d)
	}
	return pb.OBJECTION_RECORD, s.penaltyID(d), s.issuerOf(d)
}

func (s *Script) objectionID(d *datadriven.TestData) []byte {
	_, target, provider := s.against(d)
	id := objection.ID(provider, arg(d, "objection"), s.firm(d), target)
	return id[:]
}

// objectionMessage makes the messages of package objection. The agency that acts is by=; issuer= is whose record it is about.
func (s *Script) objectionMessage(d *datadriven.TestData) *pb.Msg {
	by := s.agency(arg(d, "by"))
	switch d.Cmd {
	case "object": // object by=ops firm= objection=NUMBER [against=…] [claimant=FIRM] [grounds=] [paper=]
		kind, target, _ := s.against(d)
		claimant := arg(d, "claimant")
		if code, ok := s.firms[claimant]; ok {
			claimant = code
		}
		return &pb.Msg{Sum: &pb.Msg_FileObjection{FileObjection: &pb.FileObjection{
			Issuer: by, Subject: s.firm(d), Kind: kind, Target: target, ObjectionNo: arg(d, "objection"), Claimant: claimant,
			GroundsDigest: digestArg(d, "grounds", "grounds"), PaperDigest: digestArg(d, "paper", "paper"),
		}}}
	case "forward": // to the agency that answers for the target
		return &pb.Msg{Sum: &pb.Msg_ForwardObjection{ForwardObjection: &pb.ForwardObjection{Issuer: by, Objection: s.objectionID(d)}}}
	case "pause": // pause … [appraisal=1..5] [proof=]
		return &pb.Msg{Sum: &pb.Msg_PauseObjection{PauseObjection: &pb.PauseObjection{
			Issuer: by, Objection: s.objectionID(d), Appraisal: uint32(number(d, "appraisal", 4)), OrderDigest: digestArg(d, "proof", "order of the appraisal"),
		}}}
	case "resume":
		return &pb.Msg{Sum: &pb.Msg_ResumeObjection{ResumeObjection: &pb.ResumeObjection{Issuer: by, Objection: s.objectionID(d)}}}
	case "resolve": // resolve … result=upheld|corrected|withdrawn|undetermined [reason=]
		return &pb.Msg{Sum: &pb.Msg_ResolveObjection{ResolveObjection: &pb.ResolveObjection{
			Issuer: by, Objection: s.objectionID(d), ReasonDigest: digestArg(d, "reason", "reason"), Result: pb.ObjectionResult(pb.ObjectionResult_value["OBJECTION_"+strings.ToUpper(arg(d, "result"))]),
		}}}
	case "escalate": // escalate … authority=AGENCY
		return &pb.Msg{Sum: &pb.Msg_EscalateObjection{EscalateObjection: &pb.EscalateObjection{
			Issuer: by, Objection: s.objectionID(d), Authority: s.agency(arg(d, "authority")), PaperDigest: digestArg(d, "paper", "request for review"),
		}}}
	case "review": // review … [overturn] [reason=]
		return &pb.Msg{Sum: &pb.Msg_ReviewObjection{ReviewObjection: &pb.ReviewObjection{
			Issuer: by, Objection: s.objectionID(d), Overturn: has(d, "overturn"), ReasonDigest: digestArg(d, "reason", "reason"),
		}}}
	}
	return nil
}

// objectionLine prints an objection with its days.
func (s *Script) objectionLine(d *datadriven.TestData) string {
	var b strings.Builder
	s.Read(func(r x.Reader) {
		o, ok := objection.Get(r, s.objectionID(d))
		if !ok {
			b.WriteString("unknown")
			return
		}
		fmt.Fprintf(&b, "%s received_on=%s own_by=%s provider_by=%s", o.State, calendar.Date(o.ReceivedOn), calendar.Date(o.OwnBy), calendar.Date(o.ProviderBy))
		for _, f := range []struct {
			name string
			on   int32
		}{
			{"forwarded_on", o.ForwardedOn},
			{"paused_on", o.PausedOn},
			{"resolved_on", o.ResolvedOn},
			{"escalated_on", o.EscalatedOn},
			{"review_by", o.ReviewBy},
			{"reviewed_on", o.ReviewedOn},
		} {
			if f.on != 0 {
				fmt.Fprintf(&b, " %s=%s", f.name, calendar.Date(f.on))
			}
		}
		if o.Result != pb.OBJECTION_RESULT_UNSET {
			fmt.Fprintf(&b, " %s", o.Result)
		}
		if o.Overturned {
			b.WriteString(" overturned")
		}
	})
	return b.String()
}
