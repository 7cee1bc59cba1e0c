package gateway

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
)

// objectionView is the table for objections. They are never public: what people see of one is the mark on its target.
var objectionView = map[pb.ObjectionState][audiences]view{
	//                      public  lender  agency  duty  recogniser  subject  auditor
	pb.OBJECTION_OWN:      {hidden, hidden, hidden, full, full, full, full},
	pb.OBJECTION_PROVIDER: {hidden, hidden, hidden, full, full, full, full},
	pb.OBJECTION_REVIEW:   {hidden, hidden, hidden, full, full, full, full},
	pb.OBJECTION_RESOLVED: {hidden, hidden, hidden, full, full, full, full},
}

// showObjection is the answer about an objection; nil: no trace. Who received it or reviews it knows of it while it must act, and afterwards as long
// as of what it is against.
func showObjection(r x.Reader, who *caller, o *pb.Objection) *recordJSON {
	column := columnOf(who, o.Subject, o.Provider, func() bool {
		holder, _, _ := objection.Holder(o)
		me := who.member.Uscc
		return me == holder || (me == o.Receiver || me == o.Authority) && targetShown(r, who, o)
	})
	if objectionView[o.State][column] != full {
		return nil
	}
	return &recordJSON{Kind: "objection", ID: hexOf(o.Id), Subject: o.Subject, View: "full", Objection: fullObjection(o)}
}

// targetShown says whether the reader may be told of what an objection is against; of the result of a repair, by its record.
func targetShown(r x.Reader, who *caller, o *pb.Objection) bool {
	id := o.Target
	if a, ok := repair.Get(r, id); ok {
		id = a.Target
	}
	return showRecord(r, who, id) != nil
}

type objectionJSON struct {
	Against       string  `json:"against"` // record, breach, repair, incentive, measure
	Target        string  `json:"target"`
	ObjectionNo   string  `json:"objection_no"`
	Claimant      string  `json:"claimant"`
	Receiver      string  `json:"receiver"`
	Provider      string  `json:"provider"`
	Authority     string  `json:"authority"`
	State         string  `json:"state"`
	ReceivedOn    *string `json:"received_on"`
	OwnBy         *string `json:"own_by"`
	ProviderBy    *string `json:"provider_by"`
	ForwardedOn   *string `json:"forwarded_on"`
	PausedOn      *string `json:"paused_on"`
	Appraisal     *string `json:"appraisal"`
	OrderDigest   string  `json:"order_digest"`
	PausedDays    uint32  `json:"paused_days"`
	Result        *string `json:"result"`
	ResolvedOn    *string `json:"resolved_on"`
	ReasonDigest  string  `json:"reason_digest"`
	GroundsDigest string  `json:"grounds_digest"`
	PaperDigest   string  `json:"paper_digest"`
	EscalatedOn   *string `json:"escalated_on"`
	ReviewBy      *string `json:"review_by"`
	ReviewedOn    *string `json:"reviewed_on"`
	Overturned    bool    `json:"overturned"`
	ReviewDigest  string  `json:"review_digest"`
	Overdue       bool    `json:"overdue"`
}

var (
	objectionKinds   = []string{pb.OBJECTION_RECORD: "record", pb.OBJECTION_BREACH: "breach", pb.OBJECTION_REPAIR: "repair", pb.OBJECTION_INCENTIVE: "incentive", pb.OBJECTION_MEASURE: "measure"}
	objectionStates  = []string{pb.OBJECTION_OWN: "own", pb.OBJECTION_PROVIDER: "provider", pb.OBJECTION_REVIEW: "review", pb.OBJECTION_RESOLVED: "resolved"}
	objectionResults = []string{
		pb.OBJECTION_UPHELD: "upheld", pb.OBJECTION_CORRECTED: "corrected", pb.OBJECTION_WITHDRAWN: "withdrawn", pb.OBJECTION_UNDETERMINED: "undetermined",
	}
	appraisals = []string{1: "inspection", 2: "test", 3: "quarantine", 4: "appraisal", 5: "review"}
)

func fullObjection(o *pb.Objection) *objectionJSON {
	return &objectionJSON{
		Against: word(objectionKinds, int32(o.Kind)), Target: hexOf(o.Target), ObjectionNo: o.ObjectionNo, Claimant: o.Claimant,
		Receiver: o.Receiver, Provider: o.Provider, Authority: o.Authority, State: word(objectionStates, int32(o.State)),
		ReceivedOn: day(o.ReceivedOn), OwnBy: day(o.OwnBy), ProviderBy: day(o.ProviderBy), ForwardedOn: day(o.ForwardedOn),
		PausedOn: day(o.PausedOn), Appraisal: wordOrNone(appraisals, int32(o.Appraisal)), OrderDigest: hexOf(o.OrderDigest), PausedDays: o.PausedDays,
		Result: wordOrNone(objectionResults, int32(o.Result)), ResolvedOn: day(o.ResolvedOn), ReasonDigest: hexOf(o.ReasonDigest),
		GroundsDigest: hexOf(o.GroundsDigest), PaperDigest: hexOf(o.PaperDigest),
		EscalatedOn: day(o.EscalatedOn), ReviewBy: day(o.ReviewBy), ReviewedOn: day(o.ReviewedOn), Overturned: o.Overturned,
		ReviewDigest: hexOf(o.ReviewDigest), Overdue: o.Alarms != 0,
	}
}

func caseOfObjection(r x.Reader, o *pb.Objection) *caseJSON {
	v := &caseJSON{Kind: "objection", ID: hexOf(o.Id), State: word(objectionStates, int32(o.State)), DocNo: o.ObjectionNo}
	v.done(step{"received", o.ReceivedOn}, step{"forwarded", o.ForwardedOn}, step{"paused", o.PausedOn}, step{"resolved", o.ResolvedOn},
		step{"escalated", o.EscalatedOn}, step{"reviewed", o.ReviewedOn})
	v.left(r, objection.DutiesOf(o))
	return v
}
