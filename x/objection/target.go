package objection

import (
	"crypto/sha256"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// Target is what an objection is against, as it stands now.
type Target struct {
	Subject   string
	Provider  string           // agency that answers for it (提供方)
	Says      []byte           // digest of what it says: another one means that it was corrected
	Open      bool             // an objection can be made to it
	Until     calendar.Date    // last day on which one can be filed; 0 = as long as it is open
	Withdrawn bool             // it was withdrawn
	Mark      func(change int) // counts an objection that is filed (+1) or resolved (-1)
}

// Proposals finds a proposal for an incentive list by its id.
type Proposals func(ctx *x.Ctx, id []byte) (*Target, bool)

// find finds what an objection is against.
func find(ctx *x.Ctx, kind pb.ObjectionKind, id []byte, proposals Proposals) (*Target, bool) {
	switch kind {
	case pb.OBJECTION_RECORD:
		return record(ctx, id)
	case pb.OBJECTION_BREACH:
		return breach(ctx, id)
	case pb.OBJECTION_REPAIR:
		return repaired(ctx, id)
	case pb.OBJECTION_INCENTIVE:
		return proposals(ctx, id)
	case pb.OBJECTION_MEASURE:
		return carriedOut(ctx, id)
	}
	return nil, false
}

// record is a dishonesty record: its content, class and dates can be objected to as long as it runs.
func record(ctx *x.Ctx, id []byte) (*Target, bool) {
	d, ok := sanction.Get(ctx, id)
	if !ok {
		return nil, false
	}
	f := sanction.Of(d)
	return &Target{
		Subject: f.Subject, Provider: f.Issuer, Says: sanction.Says(d), Open: sanction.Live(d),
		Withdrawn: sanction.StateOf(d) == pb.RECORD_WITHDRAWN, Mark: func(change int) { sanction.Mark(ctx, id, change) },
	}, true
}

// breach is a finding that a commitment was broken. A cure is no correction: it says that the finding was right.
func breach(ctx *x.Ctx, id []byte) (*Target, bool) {
	c, ok := commitment.GetByID(ctx, id)
	if !ok {
		return nil, false
	}
	provider := c.Assessor
	if provider == "" {
		provider = c.Content.Acceptor
	}
	found := c.State == pb.COMMITMENT_BREACHED || c.State == pb.COMMITMENT_CURED
	says := sha256.Sum256(x.EncodeRow(&pb.Commitment{
		Fulfilment: c.Fulfilment, AssessedOn: c.AssessedOn, UnperformedDigest: c.UnperformedDigest, ActionDigest: c.ActionDigest, EvidenceDigest: c.EvidenceDigest,
	}))
	return &Target{
		Subject: c.Content.Subject, Provider: provider, Says: says[:], Open: found, Withdrawn: c.State == pb.COMMITMENT_WITHDRAWN,
		Mark: func(change int) { commitment.Mark(ctx, c.Content.Code, change) },
	}, true
}

// carriedOut is a measure: who carries it out answers for it, for a call who made it. What should not have been is corrected (已纠正), which withdraws it;
// that its record leaves publicity meanwhile says nothing of the objection.
func carriedOut(ctx *x.Ctx, id []byte) (*Target, bool) {
	m, ok := measure.Get(ctx, id)
	if !ok {
		return nil, false
	}
	provider := m.Implementer
	if provider == "" {
		provider = m.Recogniser
	}
	says := sha256.Sum256(x.EncodeRow(&pb.Measure{Source: m.Source, Item: m.Item, Implementer: m.Implementer}))
	return &Target{
		Subject: m.Subject, Provider: provider, Says: says[:], Open: measure.Running(m), Withdrawn: m.State == pb.MEASURE_CORRECTED,
		Mark: func(change int) { measure.Mark(ctx, id, change) },
	}, true
}

// repaired is the result of a repair. Its record carries the mark as well: it is what people are told of.
func repaired(ctx *x.Ctx, id []byte) (*Target, bool) {
	a, ok := repair.Get(ctx, id)
	if !ok {
		return nil, false
	}
	d, ok := sanction.Get(ctx, a.Target)
	if !ok {
		x.Faultf("repair %x speaks of a record that is not there", id)
	}
	says := sha256.Sum256(x.EncodeRow(&pb.Repair{State: a.State, ReasonDigest: a.ReasonDigest, Deceit: a.Deceit, ReopenedOn: a.ReopenedOn}))
	denied := a.State == pb.REPAIR_REFUSED || a.State == pb.REPAIR_NOT_ACCEPTED || a.State == pb.REPAIR_REVOKED
	return &Target{
		Subject: a.Subject, Provider: a.Issuer, Says: says[:], Open: denied && sanction.Repairable(d),
		Mark: func(change int) {
			repair.Mark(ctx, id, change)
			sanction.Mark(ctx, a.Target, change)
		},
	}, true
}
