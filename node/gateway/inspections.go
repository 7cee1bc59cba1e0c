package gateway

import (
	"net/http"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/inspection"
)

// inspectionView is the table for inspections (双随机检查): nobody is told who was drawn but the agency that inspects and auditors; that a firm is on no
// such list must not be told either. The firm itself has no key yet.
var inspectionView = [audiences]view{aRecogniser: full, aSubject: full, aAuditor: full}

// showInspection is the answer about an inspection; nil: no trace.
func showInspection(who *caller, i *pb.Inspection) *recordJSON {
	if inspectionView[columnOf(who, i.Subject, i.Issuer, nil)] != full {
		return nil
	}
	return &recordJSON{Kind: "inspection", ID: hexOf(i.Id), Subject: i.Subject, View: "full", Inspection: &inspectionJSON{
		Plan: hexOf(i.Plan), Issuer: i.Issuer, Class: i.Class, Team: append([]uint32{}, i.Team...), DrawnOn: day(i.DrawnOn), Until: day(i.Until),
		Result: resultOf(i.Result), InspectedOn: day(i.InspectedOn), FindingsDigest: hexOf(i.FindingsDigest), Overdue: i.Alarms != 0,
	}}
}

type inspectionJSON struct {
	Plan           string   `json:"plan"`
	Issuer         string   `json:"issuer"`
	Class          uint32   `json:"class"`
	Team           []uint32 `json:"team"` // numbers in the roster
	DrawnOn        *string  `json:"drawn_on"`
	Until          *string  `json:"until"`
	Result         *string  `json:"result"`
	InspectedOn    *string  `json:"inspected_on"`
	FindingsDigest string   `json:"findings_digest"`
	Overdue        bool     `json:"overdue"`
}

var (
	inspectionResults = []string{
		pb.INSPECTION_CLEAN: "clean", pb.INSPECTION_CORRECTED: "corrected", pb.INSPECTION_FOLLOW_UP: "follow_up",
		pb.INSPECTION_UNREACHABLE: "unreachable", pb.INSPECTION_OBSTRUCTED: "obstructed", pb.INSPECTION_NO_ACTIVITY: "no_activity",
	}
	planStates = []string{
		pb.PLAN_OPEN: "open", pb.PLAN_SEALED: "sealed", pb.PLAN_DRAWN: "drawn", pb.PLAN_COMPLETED: "completed", pb.PLAN_CANCELLED: "cancelled",
	}
)

func resultOf(r pb.InspectionResult) *string {
	if r == pb.INSPECTION_UNSET {
		return nil
	}
	s := word(inspectionResults, int32(r))
	return &s
}

func caseOfInspection(r x.Reader, i *pb.Inspection) *caseJSON {
	v := &caseJSON{Kind: "inspection", ID: hexOf(i.Id), State: "drawn", DocNo: ""}
	if p, ok := inspection.GetPlan(r, i.Plan); ok {
		v.DocNo = p.PlanNo
	}
	if i.Result != pb.INSPECTION_UNSET {
		v.State = word(inspectionResults, int32(i.Result))
	}
	v.done(step{"drawn", i.DrawnOn}, step{"inspected", i.InspectedOn})
	v.left(r, inspection.DutiesOf(i))
	return v
}

// planJSON is a plan of random inspections (抽查计划). Everybody sees how it was made and what binds it: rates, days, the digest of the sealed list, the
// seed with the height of its block. Once it is completed, counts come with it, none of fewer than the parameter k_threshold. The list and who was drawn
// go to the agency that inspects and to auditors alone: with them and the seed anybody makes the draw again (DRAW.md).
type planJSON struct {
	ID           string             `json:"id"`
	Issuer       string             `json:"issuer"`
	PlanNo       string             `json:"plan_no"`
	State        string             `json:"state"`
	Rates        []uint32           `json:"rates"` // permille of class 1 to 4
	DrawOn       *string            `json:"draw_on"`
	Until        *string            `json:"until"`
	Inspectors   uint32             `json:"inspectors"`
	Team         uint32             `json:"team"`
	RosterDigest string             `json:"roster_digest"`
	ListDigest   string             `json:"list_digest"`
	Seed         string             `json:"seed"`     // hash of the block of the draw; empty before it
	DrawnAt      int64              `json:"drawn_at"` // its height
	Drawn        *int64             `json:"drawn"`    // -1: fewer than k_threshold
	Results      []resultCountJSON  `json:"results,omitempty"`
	Candidates   []candidateJSON    `json:"candidates,omitempty"`
	Inspected    []*drawnRecordJSON `json:"inspected,omitempty"`
	AsOf         asOf               `json:"as_of"`
}

type resultCountJSON struct {
	Result string `json:"result"`
	Count  int64  `json:"count"` // -1: fewer than k_threshold
}

type candidateJSON struct {
	Subject string `json:"subject"`
	Class   uint32 `json:"class"`
}

// drawnRecordJSON is one of those who were drawn, in the order of their lots.
type drawnRecordJSON struct {
	Record  string   `json:"record"`
	Subject string   `json:"subject"`
	Class   uint32   `json:"class"`
	Team    []uint32 `json:"team"`
	Result  *string  `json:"result"`
}

// inspectionPlan answers about a plan.
func (c *call) inspectionPlan() error {
	id, err := c.digest("id")
	if err != nil {
		return err
	}
	var v *planJSON
	err = c.newest(func(r x.Reader, as asOf) error {
		p, ok := inspection.GetPlan(r, id)
		if !ok {
			return refuse(http.StatusNotFound, ErrPlanUnknown).at(as)
		}
		v = showPlan(r, c.who, p)
		v.AsOf = as
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// showPlan is the answer about a plan.
func showPlan(r x.Reader, who *caller, p *pb.InspectionPlan) *planJSON {
	v := &planJSON{
		ID: hexOf(p.Id), Issuer: p.Issuer, PlanNo: p.PlanNo, State: word(planStates, int32(p.State)), Rates: append([]uint32{}, p.Rates...),
		DrawOn: day(p.DrawOn), Until: day(p.Until), Inspectors: p.Inspectors, Team: p.Team, RosterDigest: hexOf(p.RosterDigest),
		ListDigest: hexOf(p.ListDigest), Seed: hexOf(p.Seed), DrawnAt: p.DrawnAt,
	}
	if n, ok := inspection.Published(r, p); ok {
		v.Drawn = &n.Drawn
		for i, count := range n.Results {
			v.Results = append(v.Results, resultCountJSON{word(inspectionResults, int32(i+1)), count})
		}
	}
	if inspectionView[columnOf(who, "", p.Issuer, nil)] != full {
		return v
	}
	for _, c := range inspection.Candidates(r, p.Id) {
		v.Candidates = append(v.Candidates, candidateJSON{c.Subject, c.Class})
	}
	if p.State != pb.PLAN_DRAWN && p.State != pb.PLAN_COMPLETED {
		return v
	}
	for _, d := range inspection.Redraw(r, p) {
		j := &drawnRecordJSON{Record: hexOf(inspection.ID(p.Issuer, p.Id, d.Subject)), Subject: d.Subject, Class: d.Class, Team: append([]uint32{}, d.Team...)}
		if i, ok := inspection.Find(r, inspection.ID(p.Issuer, p.Id, d.Subject)); ok {
			j.Result = resultOf(i.Result)
		}
		v.Inspected = append(v.Inspected, j)
	}
	return v
}
