package consent

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Check holds the invariants of doc.go.
func Check(r x.Reader) (err error) {
	most, _ := catalog.ParamOf("auth_max_validity_months") // the parameter may have been higher
	authorisations.All(r, func(uscc string, a *pb.Authorisation) bool {
		c := &a.Content
		switch {
		case c.Subject != uscc:
			err = fmt.Errorf("authorisation %x lies under another subject", a.Id)
		case a.State < pb.AUTHORISATION_LIVE || a.State > pb.AUTHORISATION_DEREGISTERED:
			err = fmt.Errorf("authorisation %x is in no state", a.Id)
		case (a.State == pb.AUTHORISATION_LIVE) != (a.EndedOn == 0):
			err = fmt.Errorf("AUT-1: authorisation %x is %s and ended on %s", a.Id, a.State, calendar.Date(a.EndedOn))
		case (a.State == pb.AUTHORISATION_WITHDRAWN) != (len(a.Withdrawal) == pb.SignatureBytes) || len(a.Signature) != pb.SignatureBytes:
			err = fmt.Errorf("AUT-1: authorisation %x lacks a signature of the firm, or has one too many", a.Id)
		case len(c.Classes) == 0 || calendar.Date(c.ValidUntil) > calendar.Date(c.GrantedOn).AddMonths(int(most.Max)) || a.RecordedOn < c.GrantedOn:
			err = fmt.Errorf("AUT-2: authorisation %x is longer than any may be, or opens nothing", a.Id)
		}
		if s, ok := subject.Get(r, uscc); err == nil && a.State == pb.AUTHORISATION_LIVE && (!ok || s.Status == pb.SUBJECT_DEREGISTERED) {
			err = fmt.Errorf("AUT-4: authorisation %x is live, its firm is not", a.Id)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	anchors.Each(r, func(_ []byte, a *pb.ReceiptAnchor) bool {
		if have, ok := AnchorOf(r, a.Gateway, a.Hour); !ok || have.Height != a.Height || len(a.Root) != pb.DigestBytes || a.Height < 1 {
			err = fmt.Errorf("AUT-5: the anchor of hour %d of %s does not lie where it belongs", a.Hour, a.Gateway)
		}
		if last, ok := LastAnchor(r, a.Gateway); err == nil && (!ok || last.Hour < a.Hour) {
			err = fmt.Errorf("AUT-5: the newest anchor of %s is not its newest", a.Gateway)
		}
		return err == nil
	})
	return err
}
