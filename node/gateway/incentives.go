package gateway

import (
	"net/http"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// incentiveView is the table for incentives. What a published record excludes is hidden from all who have no more to do with it, as INV-29 has it: the
// reader learns of the record, and of no incentive beside it.
var incentiveView = map[pb.IncentiveState][audiences]view{
	//                        public     lender     agency     duty  recogniser  subject  auditor
	pb.INCENTIVE_PROPOSED:   {hidden, hidden, hidden, hidden, full, full, full},
	pb.INCENTIVE_NOTICED:    {published, published, published, full, full, full, full}, // duty: has granted something for it
	pb.INCENTIVE_CHECKED:    {published, published, published, full, full, full, full},
	pb.INCENTIVE_RECOGNISED: {published, published, published, full, full, full, full},
	pb.INCENTIVE_DECLINED:   {hidden, hidden, hidden, hidden, full, full, full},
	pb.INCENTIVE_EXPIRED:    {hidden, hidden, hidden, hidden, full, full, full},
	pb.INCENTIVE_CANCELLED:  {hidden, hidden, hidden, hidden, full, full, full},
}

// showIncentive is the answer about an incentive; nil: no trace.
func showIncentive(r x.Reader, who *caller, i *pb.Incentive) *recordJSON {
	table := incentiveView[i.State]
	if incentive.Visible(i) && incentive.Suspended(r, i) {
		table = incentiveView[pb.INCENTIVE_EXPIRED]
	}
	column := columnOf(who, i.Subject, i.Issuer, func() (used bool) {
		incentive.EachUse(r, i.Subject, func(u *pb.IncentiveUse) bool {
			used = string(u.Incentive) == string(i.Id) && u.User == who.member.Uscc
			return !used
		})
		return used
	})
	switch table[column] {
	case published:
		v := attest.StandingView(&pb.Standing{Incentives: []pb.PublicIncentive{standing.PublicIncentive(i)}}).Incentives[0]
		return &recordJSON{Kind: "incentive", ID: hexOf(i.Id), Subject: i.Subject, View: "published", PublishedIncentive: &v}
	case full:
		return &recordJSON{Kind: "incentive", ID: hexOf(i.Id), Subject: i.Subject, View: "full", Incentive: fullIncentive(r, who, i)}
	}
	return nil
}

type incentiveJSON struct {
	Issuer        string         `json:"issuer"`
	List          string         `json:"list"`
	Version       uint32         `json:"version"`
	ProposalNo    string         `json:"proposal_no"`
	GroundsDigest string         `json:"grounds_digest"`
	State         string         `json:"state"`
	Suspended     bool           `json:"suspended"` // a published record excludes it now
	ProposedOn    *string        `json:"proposed_on"`
	NoticedOn     *string        `json:"noticed_on"`
	NoticeUntil   *string        `json:"notice_until"`
	DecideBy      *string        `json:"decide_by"`
	DecidedOn     *string        `json:"decided_on"`
	ValidUntil    *string        `json:"valid_until"`
	EndedOn       *string        `json:"ended_on"`
	Cause         *string        `json:"cause"`
	ReasonDigest  string         `json:"reason_digest"`
	Objections    uint32         `json:"objections"`
	Overdue       bool           `json:"overdue"`
	Uses          []incentiveUse `json:"uses"` // all for the recogniser, the subject and auditors; for an agency its own
}

type incentiveUse struct {
	User         string  `json:"user"`
	UseNo        string  `json:"use_no"`
	Measure      string  `json:"measure"`
	Scene        string  `json:"scene"`
	ResultDigest string  `json:"result_digest"`
	UsedOn       *string `json:"used_on"`
}

var (
	incentiveStates = []string{
		pb.INCENTIVE_PROPOSED: "proposed", pb.INCENTIVE_NOTICED: "noticed", pb.INCENTIVE_CHECKED: "checked", pb.INCENTIVE_RECOGNISED: "recognised",
		pb.INCENTIVE_DECLINED: "declined", pb.INCENTIVE_EXPIRED: "expired", pb.INCENTIVE_CANCELLED: "cancelled",
	}
	cancelCauses = []string{
		pb.CANCEL_DISHONESTY: "dishonesty", pb.CANCEL_OBTAINED: "obtained", pb.CANCEL_CONDITIONS: "conditions", pb.CANCEL_ERROR: "error",
	}
	incentiveMeasures = []string{
		pb.INCENTIVE_PRIORITY: "priority", pb.INCENTIVE_SIMPLER: "simpler", pb.INCENTIVE_FUNDS: "funds", pb.INCENTIVE_POINTS: "points",
		pb.INCENTIVE_INSPECTIONS: "inspections", pb.INCENTIVE_SERVICES: "services", pb.INCENTIVE_HONOURS: "honours", pb.INCENTIVE_RECOMMENDATION: "recommendation",
	}
)

func fullIncentive(r x.Reader, who *caller, i *pb.Incentive) *incentiveJSON {
	v := &incentiveJSON{
		Issuer: i.Issuer, List: i.List, Version: i.Version, ProposalNo: i.ProposalNo, GroundsDigest: hexOf(i.GroundsDigest),
		State: word(incentiveStates, int32(i.State)), Suspended: incentive.Visible(i) && incentive.Suspended(r, i),
		ProposedOn: day(i.ProposedOn), NoticedOn: day(i.NoticedOn), NoticeUntil: day(i.NoticeUntil), DecideBy: day(i.DecideBy), DecidedOn: day(i.DecidedOn),
		ValidUntil: day(i.ValidUntil), EndedOn: day(i.EndedOn), Cause: wordOrNone(cancelCauses, int32(i.Cause)), ReasonDigest: hexOf(i.ReasonDigest),
		Objections: i.Objections, Overdue: i.Alarms != 0, Uses: []incentiveUse{},
	}
	all := who.auditor || who.firm == i.Subject || who.recognises(i.Issuer)
	incentive.EachUse(r, i.Subject, func(u *pb.IncentiveUse) bool {
		if string(u.Incentive) == string(i.Id) && (all || u.User == who.member.Uscc) {
			v.Uses = append(v.Uses, incentiveUse{
				User: u.User, UseNo: u.UseNo, Measure: word(incentiveMeasures, int32(u.Measure)), Scene: u.Scene, ResultDigest: hexOf(u.ResultDigest), UsedOn: day(u.UsedOn),
			})
		}
		return len(v.Uses) < fileMax
	})
	return v
}

func caseOfIncentive(r x.Reader, i *pb.Incentive) *caseJSON {
	v := &caseJSON{Kind: "incentive", ID: hexOf(i.Id), State: word(incentiveStates, int32(i.State)), DocNo: i.ProposalNo}
	v.done(step{"proposed", i.ProposedOn}, step{"noticed", i.NoticedOn}, step{"decided", i.DecidedOn}, step{"ended", i.EndedOn})
	v.left(r, incentive.DutiesOf(i))
	return v
}

type incentiveListJSON struct {
	Code       string   `json:"code"`
	Version    uint32   `json:"version"`
	InForce    bool     `json:"in_force"`
	Name       string   `json:"name"`
	System     string   `json:"system"`
	Basis      string   `json:"basis"`
	BasisLevel string   `json:"basis_level"`
	Measures   []string `json:"measures"`
	TermMonths uint32   `json:"term_months"`
	CleanOf    *string  `json:"clean_of"`
	Marks      []string `json:"marks"` // name, terms
	ValidFrom  *string  `json:"valid_from"`
	ValidTo    *string  `json:"valid_to"`
}

// incentiveLists lists the incentive lists, by code and version.
func (c *call) incentiveLists() error {
	v := struct {
		Lists []incentiveListJSON `json:"lists"`
		AsOf  asOf                `json:"as_of"`
	}{Lists: []incentiveListJSON{}}
	err := c.proven(func(r x.Reader, as asOf) error {
		v.AsOf = as
		today, err := as.legalDay()
		catalog.EachIncentiveList(r, func(l *pb.IncentiveList) bool {
			now, ok := catalog.IncentiveListOn(r, l.Code, today)
			j := incentiveListJSON{
				Code: l.Code, Version: l.Version, InForce: ok && now.Version == l.Version, Name: l.Name, System: l.System,
				Basis: l.Basis, BasisLevel: word(basisLevels, int32(l.BasisLevel)), Measures: []string{}, TermMonths: l.TermMonths, CleanOf: stated(l.CleanOf),
				Marks:     []string{word(marks, int32(l.NameConfidence)), word(marks, int32(l.TermsConfidence))},
				ValidFrom: day(l.ValidFrom), ValidTo: day(l.ValidTo),
			}
			for _, m := range l.Measures {
				j.Measures = append(j.Measures, word(incentiveMeasures, int32(m)))
			}
			v.Lists = append(v.Lists, j)
			return true
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}
