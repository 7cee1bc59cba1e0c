package apptest

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
)

// assessment is what `assess` and `reassess` say of a commitment.
func (s *Script) assessment(d *datadriven.TestData, issuer string) *pb.AssessCommitment {
	return &pb.AssessCommitment{
		Issuer: issuer, Code: arg(d, "code"), Fulfilment: uint32(number(d, "status", 1)), AssessedOn: s.dateOr(d, "on", int32(s.Today())),
		EvidenceDigest: digestArg(d, "evidence", "evidence"), UnperformedDigest: digestArg(d, "unperformed", ""),
		ActionDigest: digestArg(d, "action", ""), NoticeServedOn: s.date(d, "notice"), Statement: uint32(number(d, "statement", 0)),
	}
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
	}
	return nil
}

// lookPromise answers what only reads.
func (s *Script) lookPromise(d *datadriven.TestData) (string, bool) {
	var b strings.Builder
	switch d.Cmd {
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
