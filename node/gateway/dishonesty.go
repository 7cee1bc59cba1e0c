package gateway

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// courseJSON is how a dishonesty record of any kind has fared.
type courseJSON struct {
	State           string  `json:"state"`
	Class           string  `json:"class"`
	RecordedOn      *string `json:"recorded_on"`
	PublishBy       *string `json:"publish_by"`
	MinUntil        *string `json:"min_until"`
	MaxUntil        *string `json:"max_until"`
	PublishedOn     *string `json:"published_on"`
	EndedOn         *string `json:"ended_on"`
	ReasonDigest    string  `json:"reason_digest"`
	AuthorityDigest string  `json:"authority_digest"`
	Final           bool    `json:"final"`
	FinalOn         *string `json:"final_on"`
	FinalGround     uint32  `json:"final_ground"` // 1 not appealed in time, 2 upheld
	DutyDoneOn      *string `json:"duty_done_on"`
	Extended        bool    `json:"extended"` // it stays beyond max_until, since its duties are not fulfilled
	RevokedOn       *string `json:"revoked_on"`
	WithdrawBy      *string `json:"withdraw_by"`
	Verifier        string  `json:"verifier"`
	VerifyBy        *string `json:"verify_by"`
	ArchivedAs      *string `json:"archived_as"`
	Held            bool    `json:"held"` // 信用中国 does not show it: held back from every public answer
	HeldOn          *string `json:"held_on"`
	AnswerBy        *string `json:"answer_by"`
	ReexamineBy     *string `json:"reexamine_by"`
	Plan            string  `json:"plan"`         // court plan that shields it, or that repaired it
	Version         uint32  `json:"version"`      // how often it was corrected
	CorrectedBy     string  `json:"corrected_by"` // of an older version: the record that stands in its place
	Objections      uint32  `json:"objections"`
	Submitter       string  `json:"submitter"`
	Overdue         bool    `json:"overdue"`
}

func courseOf(d *pb.Dishonesty) courseJSON {
	v := courseJSON{
		State: word(recordStates, int32(d.State)), Class: word(severities, int32(d.Class)),
		RecordedOn: day(d.RecordedOn), PublishBy: day(d.PublishBy), MinUntil: day(d.MinUntil), MaxUntil: day(d.MaxUntil),
		PublishedOn: day(d.PublishedOn), EndedOn: day(d.EndedOn),
		ReasonDigest: hexOf(d.ReasonDigest), AuthorityDigest: hexOf(d.AuthorityDigest), Final: d.Final,
		FinalOn: day(d.FinalOn), FinalGround: d.FinalGround, DutyDoneOn: day(d.DutyDoneOn), Extended: d.Extended,
		RevokedOn: day(d.RevokedOn), WithdrawBy: day(d.WithdrawBy), Verifier: d.Verifier, VerifyBy: day(d.VerifyBy),
		Held: d.Held, HeldOn: day(d.HeldOn), AnswerBy: day(d.AnswerBy), ReexamineBy: day(d.ReexamineBy), Plan: hexOf(d.Plan), Version: d.Version, CorrectedBy: hexOf(d.Of),
		Objections: d.Objections, Submitter: d.Submitter, Overdue: d.Alarms != 0,
	}
	if d.ArchivedAs != pb.RECORD_UNSET {
		s := word(recordStates, int32(d.ArchivedAs))
		v.ArchivedAs = &s
	}
	return v
}

type penaltyJSON struct {
	courseJSON
	Issuer             string   `json:"issuer"`
	DocNo              string   `json:"doc_no"`
	Kinds              []uint32 `json:"kinds"`
	FineFen            int64    `json:"fine_fen"`
	ConfiscatedFen     int64    `json:"confiscated_fen"`
	DecidedOn          *string  `json:"decided_on"`
	ValidUntil         *string  `json:"valid_until"`
	ViolationRegion    string   `json:"violation_region"`
	Procedure          uint32   `json:"procedure"`
	NoticeServedOn     *string  `json:"notice_served_on"`
	Statement          uint32   `json:"statement"`
	Hearing            uint32   `json:"hearing"`
	ServedOn           *string  `json:"served_on"`
	RepairNoticeServed bool     `json:"repair_notice_served"`
	PowerCode          string   `json:"power_code"`
	Sector             string   `json:"sector"`
	SeverityStated     *string  `json:"severity_stated"`
	Necessary          bool     `json:"necessary"`
	NecessityDigest    string   `json:"necessity_digest"`
	TextDigest         string   `json:"text_digest"`
	BreachOf           string   `json:"breach_of"`
	Designation        string   `json:"designation"`
	ActDigest          string   `json:"act_digest"`
	Replaces           string   `json:"replaces"`
}

func fullPenalty(d *pb.Dishonesty) *penaltyJSON {
	c := d.Penalty
	return &penaltyJSON{
		courseJSON: courseOf(d), Issuer: c.Issuer, DocNo: c.DocNo,
		Kinds: append([]uint32{}, c.Kinds...), FineFen: c.FineFen, ConfiscatedFen: c.ConfiscatedFen,
		DecidedOn: day(c.DecidedOn), ValidUntil: day(c.ValidUntil), ViolationRegion: c.ViolationRegion, Procedure: c.Procedure,
		NoticeServedOn: day(c.NoticeServedOn), Statement: c.Statement, Hearing: c.Hearing, ServedOn: day(c.ServedOn),
		RepairNoticeServed: c.RepairNoticeServed, PowerCode: c.PowerCode, Sector: c.Sector, SeverityStated: stated(c.Severity),
		Necessary: c.Necessary, NecessityDigest: hexOf(c.NecessityDigest), TextDigest: hexOf(c.TextDigest),
		BreachOf: c.BreachOf, Designation: c.Designation, ActDigest: hexOf(c.ActDigest), Replaces: hexOf(c.Replaces),
	}
}

type abnormalJSON struct {
	courseJSON
	Issuer             string  `json:"issuer"`
	DocNo              string  `json:"doc_no"`
	Reason             string  `json:"reason"`
	ListedOn           *string `json:"listed_on"`
	ServedOn           *string `json:"served_on"`
	RepairNoticeServed bool    `json:"repair_notice_served"`
	ViolationRegion    string  `json:"violation_region"`
	PowerCode          string  `json:"power_code"`
	Sector             string  `json:"sector"`
	Designation        string  `json:"designation"`
	TextDigest         string  `json:"text_digest"`
}

func fullAbnormal(d *pb.Dishonesty) *abnormalJSON {
	c := d.Abnormal
	return &abnormalJSON{
		courseJSON: courseOf(d), Issuer: c.Issuer, DocNo: c.DocNo, Reason: c.Reason, ListedOn: day(c.ListedOn), ServedOn: day(c.ServedOn),
		RepairNoticeServed: c.RepairNoticeServed, ViolationRegion: c.ViolationRegion, PowerCode: c.PowerCode, Sector: c.Sector,
		Designation: c.Designation, TextDigest: hexOf(c.TextDigest),
	}
}

type otherJSON struct {
	courseJSON
	Issuer             string  `json:"issuer"`
	DocNo              string  `json:"doc_no"`
	Source             string  `json:"source"`
	Statute            string  `json:"statute"`
	DecidedOn          *string `json:"decided_on"`
	ServedOn           *string `json:"served_on"`
	RepairNoticeServed bool    `json:"repair_notice_served"`
	ViolationRegion    string  `json:"violation_region"`
	PowerCode          string  `json:"power_code"`
	Sector             string  `json:"sector"`
	SeverityStated     *string `json:"severity_stated"`
	Necessary          bool    `json:"necessary"`
	NecessityDigest    string  `json:"necessity_digest"`
	TextDigest         string  `json:"text_digest"`
	BreachOf           string  `json:"breach_of"`
	Designation        string  `json:"designation"`
}

func fullOther(d *pb.Dishonesty) *otherJSON {
	c := d.Other
	return &otherJSON{
		courseJSON: courseOf(d), Issuer: c.Issuer, DocNo: c.DocNo, Source: c.Source, Statute: c.Statute, DecidedOn: day(c.DecidedOn), ServedOn: day(c.ServedOn),
		RepairNoticeServed: c.RepairNoticeServed, ViolationRegion: c.ViolationRegion, PowerCode: c.PowerCode, Sector: c.Sector,
		SeverityStated: stated(c.Severity), Necessary: c.Necessary, NecessityDigest: hexOf(c.NecessityDigest), TextDigest: hexOf(c.TextDigest),
		BreachOf: c.BreachOf, Designation: c.Designation,
	}
}

// destroyedJSON is all that is left of a record that was destroyed.
type destroyedJSON struct {
	State      string `json:"state"`
	ArchivedAs string `json:"archived_as"`
	Issuer     string `json:"issuer"`
}

// stated is the class that the issuer stated, null where it left that to the catalogue.
func stated(class pb.Severity) *string {
	if class == pb.SEVERITY_UNSET {
		return nil
	}
	s := word(severities, int32(class))
	return &s
}

// dishonestyKinds names the kinds of dishonesty records.
var dishonestyKinds = []string{pb.DISHONESTY_PENALTY: "penalty", pb.DISHONESTY_LIST: "list", pb.DISHONESTY_ABNORMAL: "abnormal", pb.DISHONESTY_OTHER: "other"}

// publishedForm is the form in which a record stands in the standing.
func publishedForm(d *pb.Dishonesty) *recordJSON {
	v := newRecord(d, "published")
	switch {
	case d.Penalty != nil:
		v.Published = &attest.StandingView(&pb.Standing{Penalties: []pb.PublicPenalty{standing.PublicPenalty(d)}}).Penalties[0]
	case d.List != nil:
		v.PublishedList = &attest.StandingView(&pb.Standing{Lists: []pb.PublicListEntry{standing.PublicListEntry(d)}}).Lists[0]
	case d.Abnormal != nil:
		v.PublishedAbnormal = &attest.StandingView(&pb.Standing{Abnormal: []pb.PublicAbnormal{standing.PublicAbnormal(d)}}).Abnormal[0]
	case d.Other != nil:
		v.PublishedOther = &attest.StandingView(&pb.Standing{Others: []pb.PublicOther{standing.PublicOther(d)}}).Others[0]
	}
	return v
}

// fullForm is the whole record.
func fullForm(d *pb.Dishonesty) *recordJSON {
	v := newRecord(d, "full")
	switch {
	case d.Penalty != nil:
		v.Penalty = fullPenalty(d)
	case d.List != nil:
		v.List = fullList(d)
	case d.Abnormal != nil:
		v.Abnormal = fullAbnormal(d)
	case d.Other != nil:
		v.Other = fullOther(d)
	case d.Destroyed != nil:
		v.Destroyed = &destroyedJSON{State: word(recordStates, int32(d.State)), ArchivedAs: word(recordStates, int32(d.ArchivedAs)), Issuer: d.Destroyed.Issuer}
	}
	return v
}

func newRecord(d *pb.Dishonesty, view string) *recordJSON {
	return &recordJSON{Kind: word(dishonestyKinds, int32(d.Kind)), ID: hexOf(d.Id), Subject: sanction.Of(d).Subject, View: view}
}

// courtPlanJSON is a court's plan with the board of what each recogniser has done.
type courtPlanJSON struct {
	CaseNo        string      `json:"case_no"`
	Type          uint32      `json:"type"` // 1 重整, 2 和解
	State         string      `json:"state"`
	RuledOn       *string     `json:"ruled_on"`
	RulingDigest  string      `json:"ruling_digest"`
	Agent         string      `json:"agent"`
	FiledOn       *string     `json:"filed_on"`
	EndedOn       *string     `json:"ended_on"`
	OutcomeDigest string      `json:"outcome_digest"`
	Board         []partyJSON `json:"board"`
}

type partyJSON struct {
	Recogniser string  `json:"recogniser"`
	Open       uint32  `json:"open"`
	Shielded   uint32  `json:"shielded"`
	Due        *string `json:"due"`
	Overdue    bool    `json:"overdue"`
}

var courtPlanStates = []string{pb.COURT_PLAN_RUNNING: "running", pb.COURT_PLAN_COMPLETED: "completed", pb.COURT_PLAN_FAILED: "failed"}

func fullCourtPlan(p *pb.CourtPlan) *courtPlanJSON {
	v := &courtPlanJSON{
		CaseNo: p.CaseNo, Type: p.Kind, State: word(courtPlanStates, int32(p.State)), RuledOn: day(p.RuledOn), RulingDigest: hexOf(p.RulingDigest), Agent: p.Agent,
		FiledOn: day(p.FiledOn), EndedOn: day(p.EndedOn), OutcomeDigest: hexOf(p.OutcomeDigest), Board: []partyJSON{},
	}
	for _, q := range p.Parties {
		v.Board = append(v.Board, partyJSON{Recogniser: q.Recogniser, Open: q.Open, Shielded: q.Shielded, Due: day(q.Due), Overdue: q.Missed})
	}
	return v
}

// propagationJSON is what members that keep copies owe about a record.
type propagationJSON struct {
	Record    string             `json:"record"`
	Cause     string             `json:"cause"`
	OpenedOn  *string            `json:"opened_on"`
	Due       *string            `json:"due"`
	Waiting   []string           `json:"waiting"`
	Confirmed []confirmationJSON `json:"confirmed"`
	Synced    bool               `json:"synced"` // 已同步
	Cancelled bool               `json:"cancelled"`
	Overdue   bool               `json:"overdue"`
}

type confirmationJSON struct {
	Holder string  `json:"holder"`
	On     *string `json:"on"`
}

var propagationCauses = []string{
	pb.PROPAGATION_REPAIR: "repair", pb.PROPAGATION_WITHDRAWAL: "withdrawal", pb.PROPAGATION_CORRECTION: "correction", pb.PROPAGATION_SHIELD: "shield",
}

func fullPropagation(p *pb.Propagation) *propagationJSON {
	v := &propagationJSON{
		Record: hexOf(p.Record), Cause: word(propagationCauses, int32(p.Cause)), OpenedOn: day(p.OpenedOn), Due: day(p.Due),
		Waiting: append([]string{}, p.Waiting...), Confirmed: []confirmationJSON{}, Synced: sanction.Synced(p), Cancelled: p.Cancelled, Overdue: p.Missed,
	}
	for _, c := range p.Confirmed {
		v.Confirmed = append(v.Confirmed, confirmationJSON{c.Holder, day(c.On)})
	}
	return v
}

// actJSON is an agency's claim to decide on an act (案件).
type actJSON struct {
	ActDigest       string  `json:"act_digest"`
	Issuer          string  `json:"issuer"`
	State           string  `json:"state"`
	FiledOn         *string `json:"filed_on"`
	DecideBy        *string `json:"decide_by"`
	EndedOn         *string `json:"ended_on"`
	ViolationRegion string  `json:"violation_region"`
	PowerCode       string  `json:"power_code"`
	Designation     string  `json:"designation"`
	Record          string  `json:"record"`
	ReasonDigest    string  `json:"reason_digest"`
	Overdue         bool    `json:"overdue"`
}

var caseStates = []string{pb.CASE_OPEN: "open", pb.CASE_PENALTY: "penalty", pb.CASE_NO_PENALTY: "no_penalty", pb.CASE_CLOSED: "closed"}

func fullAct(c *pb.Case) *actJSON {
	return &actJSON{
		ActDigest: hexOf(c.ActDigest), Issuer: c.Issuer, State: word(caseStates, int32(c.State)), FiledOn: day(c.FiledOn), DecideBy: day(c.DecideBy),
		EndedOn: day(c.EndedOn), ViolationRegion: c.ViolationRegion, PowerCode: c.PowerCode, Designation: c.Designation, Record: hexOf(c.Record),
		ReasonDigest: hexOf(c.ReasonDigest), Overdue: c.Missed,
	}
}

// attentionJSON is that a subject is watched more closely (积累关注).
type attentionJSON struct {
	Since        *string  `json:"since"`
	Threshold    uint32   `json:"threshold"`
	WindowMonths uint32   `json:"window_months"`
	CheckOn      *string  `json:"check_on"`
	Triggers     []string `json:"triggers"`
	EndedOn      *string  `json:"ended_on"`
}

func fullAttention(a *pb.Attention) *attentionJSON {
	v := &attentionJSON{
		Since: day(a.Since), Threshold: a.Threshold, WindowMonths: a.WindowMonths, CheckOn: day(a.CheckOn), Triggers: []string{}, EndedOn: day(a.EndedOn),
	}
	for _, id := range a.Triggers {
		v.Triggers = append(v.Triggers, hexOf(id))
	}
	return v
}

// reconciliationJSON is what 信用中国 was last known to show of a subject.
type reconciliationJSON struct {
	AsOf      *string `json:"as_of"`
	BroughtOn *string `json:"brought_on"`
	Shown     uint32  `json:"shown"`
	Digest    string  `json:"digest"`
}

func fullReconciliation(c *pb.Reconciliation) *reconciliationJSON {
	return &reconciliationJSON{AsOf: day(c.AsOf), BroughtOn: day(c.BroughtOn), Shown: c.Shown, Digest: hexOf(c.Digest)}
}

// noPenaltyJSON is a decision without a penalty (免罚).
type noPenaltyJSON struct {
	Issuer          string  `json:"issuer"`
	DocNo           string  `json:"doc_no"`
	Limb            uint32  `json:"limb"`
	Harm            uint32  `json:"harm"`
	CorrectedOn     *string `json:"corrected_on"`
	DecidedOn       *string `json:"decided_on"`
	Item            string  `json:"item"`
	ViolationRegion string  `json:"violation_region"`
	PowerCode       string  `json:"power_code"`
	Sector          string  `json:"sector"`
	Designation     string  `json:"designation"`
	ActDigest       string  `json:"act_digest"`
	EducationDigest string  `json:"education_digest"`
	TextDigest      string  `json:"text_digest"`
	RecordedOn      *string `json:"recorded_on"`
	Submitter       string  `json:"submitter"`
	WithdrawnOn     *string `json:"withdrawn_on"`
	ReasonDigest    string  `json:"reason_digest"`
}

func fullNoPenalty(n *pb.NoPenalty) *noPenaltyJSON {
	c := &n.Content
	return &noPenaltyJSON{
		Issuer: c.Issuer, DocNo: c.DocNo, Limb: c.Limb, Harm: c.Harm, CorrectedOn: day(c.CorrectedOn), DecidedOn: day(c.DecidedOn), Item: c.Item,
		ViolationRegion: c.ViolationRegion, PowerCode: c.PowerCode, Sector: c.Sector, Designation: c.Designation, ActDigest: hexOf(c.ActDigest),
		EducationDigest: hexOf(c.EducationDigest), TextDigest: hexOf(c.TextDigest), RecordedOn: day(n.RecordedOn), Submitter: n.Submitter,
		WithdrawnOn: day(n.WithdrawnOn), ReasonDigest: hexOf(n.ReasonDigest),
	}
}
