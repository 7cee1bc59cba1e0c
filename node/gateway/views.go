package gateway

import (
	"encoding/hex"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/commitment"
)

// asOf says of which moment an answer speaks (INV-21).
type asOf struct {
	Height         int64  `json:"height"`
	BlockTime      string `json:"block_time"`
	LegalTime      string `json:"legal_time"`
	CatalogVersion uint64 `json:"catalog_version"`
	RuleVersion    uint64 `json:"rule_version"`
	// Proven: the next header with its commit proves this height.
	Proven bool `json:"proven"`
	// FreshUntil is when a newer height is due. An answer that is read later is stale.
	FreshUntil string `json:"fresh_until"`
}

func (g *Gateway) asOf(info *pb.BlockInfo, rules uint64, newest time.Time, proven bool) asOf {
	return asOf{
		Height: info.Height, BlockTime: utc(time.Unix(info.TimeSeconds, int64(info.TimeNanos))), LegalTime: legal(info.LegalTime),
		CatalogVersion: info.CatalogVersion, RuleVersion: rules, Proven: proven, FreshUntil: utc(newest.Add(g.o.FreshFor)),
	}
}

// legalDay is the legal day of the answer.
func (a asOf) legalDay() (calendar.Date, error) {
	t, err := time.Parse(time.RFC3339, a.LegalTime)
	return calendar.Of(t.Unix()), err
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// zone is UTC+08:00, fixed: legal time never asks a time zone database.
var zone = time.FixedZone("UTC+08:00", 8*3600)

func legal(unix int64) string { return time.Unix(unix, 0).In(zone).Format(time.RFC3339) }

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func day(d int32) *string {
	if d == 0 {
		return nil
	}
	s := calendar.Date(d).String()
	return &s
}

type statusJSON struct {
	ChainID      string       `json:"chain_id"`
	Height       int64        `json:"height"`
	BlockTime    *string      `json:"block_time"`
	LegalTime    *string      `json:"legal_time"`
	AppHash      string       `json:"app_hash"`
	ProvenHeight int64        `json:"proven_height"`
	CatchingUp   bool         `json:"catching_up"`
	Versions     versionsJSON `json:"versions"`
	// CalendarUntil is the last day up to which working days are counted by holidays, null where the year has no table: beyond it Monday to Friday count.
	CalendarUntil *string `json:"calendar_until"`
}

type versionsJSON struct {
	Rules   uint64 `json:"rules"`
	Catalog uint64 `json:"catalog"`
	Binary  string `json:"binary"`
}

type headerJSON struct {
	Height       int64  `json:"height"`
	Hash         string `json:"hash"`
	AppHashAfter string `json:"app_hash_after"`
	Time         string `json:"time"`
	LegalTime    string `json:"legal_time"`
}

type subjectsJSON struct {
	Subjects []string `json:"subjects"`
	Next     *string  `json:"next"` // to be sent as after; null at the end
	AsOf     asOf     `json:"as_of"`
}

type standingJSON struct {
	attest.StandingJSON
	AsOf asOf `json:"as_of"`
}

type bundleJSON struct {
	attest.BundleJSON
	AsOf asOf `json:"as_of"`
}

type publicCommitmentJSON struct {
	attest.CommitmentJSON
	Subject string `json:"subject"`
	AsOf    asOf   `json:"as_of"`
}

// recordJSON is an answer about one record. View says which of the forms it carries.
type recordJSON struct {
	Kind                string                 `json:"kind"` // penalty, list, abnormal, other, commitment, repair, measure, listing, objection, incentive, authorisation
	ID                  string                 `json:"id"`
	Subject             string                 `json:"subject"`
	View                string                 `json:"view"` // published, full
	Published           *attest.PenaltyJSON    `json:"published,omitempty"`
	PublishedList       *attest.ListJSON       `json:"published_list,omitempty"`
	PublishedAbnormal   *attest.AbnormalJSON   `json:"published_abnormal,omitempty"`
	PublishedOther      *attest.OtherJSON      `json:"published_other,omitempty"`
	PublishedCommitment *attest.CommitmentJSON `json:"published_commitment,omitempty"`
	Penalty             *penaltyJSON           `json:"penalty,omitempty"`
	List                *listJSON              `json:"list,omitempty"`
	Abnormal            *abnormalJSON          `json:"abnormal,omitempty"`
	Other               *otherJSON             `json:"other,omitempty"`
	Destroyed           *destroyedJSON         `json:"destroyed,omitempty"`
	CourtPlan           *courtPlanJSON         `json:"court_plan,omitempty"`
	NoPenalty           *noPenaltyJSON         `json:"no_penalty,omitempty"`
	Commitment          *commitmentJSON        `json:"commitment,omitempty"`
	Repair              *repairJSON            `json:"repair,omitempty"`
	Measure             *measureJSON           `json:"measure,omitempty"`
	Listing             *listingJSON           `json:"listing,omitempty"`
	Inspection          *inspectionJSON        `json:"inspection,omitempty"`
	Objection           *objectionJSON         `json:"objection,omitempty"`
	PublishedIncentive  *attest.IncentiveJSON  `json:"published_incentive,omitempty"`
	Incentive           *incentiveJSON         `json:"incentive,omitempty"`
	Authorisation       *authorisationJSON     `json:"authorisation,omitempty"`
	AsOf                *asOf                  `json:"as_of,omitempty"`
}

var recordStates = []string{
	pb.RECORD_REGISTERED: "registered", pb.RECORD_PUBLISHED: "published", pb.RECORD_UNPUBLISHED: "unpublished",
	pb.RECORD_REPAIRED: "repaired", pb.RECORD_EXPIRED: "expired", pb.RECORD_WITHDRAWN: "withdrawn",
	pb.RECORD_CORRECTED: "corrected", pb.RECORD_SHIELDED: "shielded", pb.RECORD_ARCHIVED: "archived", pb.RECORD_DESTROYED: "destroyed",
}

var severities = []string{pb.SEVERITY_MINOR: "minor", pb.SEVERITY_GENERAL: "general", pb.SEVERITY_SERIOUS: "serious"}

var repairStates = []string{
	pb.REPAIR_PENDING: "pending", pb.REPAIR_SUPPLEMENT: "supplement", pb.REPAIR_ACCEPTED: "accepted", pb.REPAIR_EFFECTIVE: "effective",
	pb.REPAIR_REFUSED: "refused", pb.REPAIR_NOT_ACCEPTED: "not_accepted", pb.REPAIR_REVOKED: "revoked",
	pb.REPAIR_MOOT: "moot",
}

var (
	repairProcedures = []string{pb.REPAIR_ORDINARY: "ordinary", pb.REPAIR_SIMPLE: "simple", pb.REPAIR_EMERGENCY: "emergency"}
	repairChannels   = []string{1: "credit_china", 2: "window", 3: "pushed"}
	deceits          = []string{pb.DECEIT_MATERIALS: "materials", pb.DECEIT_COMMITMENT: "commitment", pb.DECEIT_BREACH: "breach"}
	trackResults     = []string{1: "sound", 2: "doubtful"}
)

// wordOrNone is word for what may be absent.
func wordOrNone(names []string, i int32) *string {
	if i == 0 {
		return nil
	}
	w := word(names, i)
	return &w
}

func word(names []string, i int32) string {
	if i < 1 || int(i) >= len(names) {
		return "unknown"
	}
	return names[i]
}

func publicCommitment(c *pb.Commitment) *attest.CommitmentJSON {
	v := attest.CommitmentView(&pb.PublicCommitment{
		Code: c.Content.Code, Type: c.Content.Type, State: c.State,
		MadeOn: c.Content.MadeOn, ValidUntil: c.Content.ValidUntil, Acceptor: c.Content.Acceptor,
		Objection: c.Objections > 0,
	})
	return &v
}

type commitmentJSON struct {
	attest.CommitmentJSON
	Publication       uint32  `json:"publication"`
	TemplateVersion   uint32  `json:"template_version"`
	Business          string  `json:"business"`
	TextDigest        string  `json:"text_digest"`
	RecordedOn        *string `json:"recorded_on"`
	AcceptedOn        *string `json:"accepted_on"`
	Fulfilment        uint32  `json:"fulfilment"`
	AssessedOn        *string `json:"assessed_on"`
	Assessor          string  `json:"assessor"`
	UnperformedDigest string  `json:"unperformed_digest"`
	ActionDigest      string  `json:"action_digest"`
	EvidenceDigest    string  `json:"evidence_digest"`
	NoticeServedOn    *string `json:"notice_served_on"`
	Statement         uint32  `json:"statement"`
	CuredOn           *string `json:"cured_on"`
	CureEvidence      string  `json:"cure_evidence_digest"`
	ReasonDigest      string  `json:"reason_digest"`
	PaperDigest       string  `json:"paper_digest"`
	OutOfView         bool    `json:"out_of_view"`
	Supervision       uint32  `json:"supervision"` // 承诺监管状态: 0 监管中, 2 监管完成
	Submitter         string  `json:"submitter"`
	Licence           string  `json:"licence"`
	TypeOtherDigest   string  `json:"type_other_digest"`
	AcceptBy          *string `json:"accept_by"`
	CheckBy           *string `json:"check_by"`
	AssessBy          *string `json:"assess_by"`
	MendedOn          *string `json:"mended_on"` // 自行补正 waits for verification
	MendBy            *string `json:"mend_by"`
	MendEvidence      string  `json:"mend_evidence_digest"`
	MendPaper         string  `json:"mend_paper_digest"`
	CorrectionDigest  string  `json:"correction_digest"`
	Overdue           bool    `json:"overdue"`
}

func fullCommitment(c *pb.Commitment) *commitmentJSON {
	return &commitmentJSON{
		CommitmentJSON: *publicCommitment(c), Publication: c.Content.Publication, TemplateVersion: c.Content.TemplateVersion,
		Business: c.Content.Business, TextDigest: hexOf(c.Content.TextDigest),
		RecordedOn: day(c.RecordedOn), AcceptedOn: day(c.AcceptedOn), Fulfilment: c.Fulfilment, AssessedOn: day(c.AssessedOn), Assessor: c.Assessor,
		UnperformedDigest: hexOf(c.UnperformedDigest), ActionDigest: hexOf(c.ActionDigest), EvidenceDigest: hexOf(c.EvidenceDigest),
		NoticeServedOn: day(c.NoticeServedOn), Statement: c.Statement, CuredOn: day(c.CuredOn), CureEvidence: hexOf(c.CureEvidenceDigest),
		ReasonDigest: hexOf(c.ReasonDigest), PaperDigest: hexOf(c.PaperDigest), OutOfView: c.Hidden,
		Supervision: commitment.Supervision(c), Submitter: c.Submitter, Licence: c.Licence, TypeOtherDigest: hexOf(c.Content.TypeOtherDigest),
		AcceptBy: day(c.AcceptBy), CheckBy: day(c.CheckBy), AssessBy: day(c.AssessBy),
		MendedOn: day(c.MendedOn), MendBy: day(c.MendBy), MendEvidence: hexOf(c.MendEvidenceDigest), MendPaper: hexOf(c.MendPaperDigest),
		CorrectionDigest: hexOf(c.CorrectionDigest), Overdue: c.Alarms != 0,
	}
}

type repairJSON struct {
	Target          string  `json:"target"`
	ApplicationNo   string  `json:"application_no"`
	Commitment      string  `json:"commitment"`
	State           string  `json:"state"`
	Issuer          string  `json:"issuer"`
	Agent           string  `json:"agent"`
	AppliedOn       *string `json:"applied_on"`
	AcceptBy        *string `json:"accept_by"`
	DecideBy        *string `json:"decide_by"`
	TotalBy         *string `json:"total_by"`
	AcceptedOn      *string `json:"accepted_on"`
	DecidedOn       *string `json:"decided_on"`
	DecisionNo      string  `json:"decision_no"`
	MaterialsDigest string  `json:"materials_digest"`
	ReasonDigest    string  `json:"reason_digest"`
	Supplemented    bool    `json:"supplemented"`
	SupplementBy    *string `json:"supplement_by"`
	GapsDigest      string  `json:"gaps_digest"`
	RevokedOn       *string `json:"revoked_on"`
	Procedure       string  `json:"procedure"`
	Channel         *string `json:"channel"`
	MinUntil        *string `json:"min_until"`
	SupplementedOn  *string `json:"supplemented_on"`
	ExtendedOn      *string `json:"extended_on"`
	ExtensionDigest string  `json:"extension_digest"`
	Deceit          *string `json:"deceit"`
	NoticeServedOn  *string `json:"notice_served_on"`
	Statement       uint32  `json:"statement"`
	ExecuteBy       *string `json:"execute_by"`
	ExecutedOn      *string `json:"executed_on"`
	PushBy          *string `json:"push_by"`
	PushedOn        *string `json:"pushed_on"`
	PushDigest      string  `json:"push_digest"`
	TrackBy         *string `json:"track_by"`
	TrackedOn       *string `json:"tracked_on"`
	TrackResult     *string `json:"track_result"`
	TrackDigest     string  `json:"track_digest"`
	Overdue         bool    `json:"overdue"`
	Objections      uint32  `json:"objections"`
	ReopenedOn      *string `json:"reopened_on"`
}

func fullRepair(a *pb.Repair) *repairJSON {
	return &repairJSON{
		Target: hexOf(a.Target), ApplicationNo: a.ApplicationNo, Commitment: a.Commitment, State: word(repairStates, int32(a.State)),
		Issuer: a.Issuer, Agent: a.Agent, AppliedOn: day(a.AppliedOn), AcceptBy: day(a.AcceptBy), DecideBy: day(a.DecideBy), TotalBy: day(a.TotalBy),
		AcceptedOn: day(a.AcceptedOn), DecidedOn: day(a.DecidedOn), DecisionNo: a.DecisionNo,
		MaterialsDigest: hexOf(a.MaterialsDigest), ReasonDigest: hexOf(a.ReasonDigest), Supplemented: a.Supplemented,
		SupplementBy: day(a.SupplementBy), GapsDigest: hexOf(a.GapsDigest), RevokedOn: day(a.RevokedOn),
		Procedure: word(repairProcedures, int32(a.Procedure)), Channel: wordOrNone(repairChannels, int32(a.Channel)), MinUntil: day(a.MinUntil),
		SupplementedOn: day(a.SupplementedOn), ExtendedOn: day(a.ExtendedOn), ExtensionDigest: hexOf(a.ExtensionDigest),
		Deceit: wordOrNone(deceits, int32(a.Deceit)), NoticeServedOn: day(a.NoticeServedOn), Statement: a.Statement,
		ExecuteBy: day(a.ExecuteBy), ExecutedOn: day(a.ExecutedOn), PushBy: day(a.PushBy), PushedOn: day(a.PushedOn), PushDigest: hexOf(a.PushDigest),
		TrackBy: day(a.TrackBy), TrackedOn: day(a.TrackedOn), TrackResult: wordOrNone(trackResults, int32(a.TrackResult)),
		TrackDigest: hexOf(a.TrackDigest), Overdue: a.Alarms != 0, Objections: a.Objections, ReopenedOn: day(a.ReopenedOn),
	}
}

type alarmJSON struct {
	Record   string  `json:"record"`
	Kind     string  `json:"kind"`
	Due      *string `json:"due"`
	Happened *string `json:"happened"`
	Issuer   string  `json:"issuer"`
}

type barJSON struct {
	Cause      string  `json:"cause"` // serious, breach
	CauseID    string  `json:"cause_id"`
	Commitment string  `json:"commitment"`
	Since      *string `json:"since"`
	LiftedOn   *string `json:"lifted_on"`
}

func fullBar(b *pb.PromiseBar) *barJSON {
	causes := []string{pb.BAR_SERIOUS: "serious", pb.BAR_BREACH: "breach"}
	return &barJSON{
		Cause: word(causes, int32(b.Cause)), CauseID: hexOf(b.CauseId), Commitment: b.Commitment, Since: day(b.Since), LiftedOn: day(b.LiftedOn),
	}
}

// keyJSON is a firm's key (主体密钥).
type keyJSON struct {
	Address        string  `json:"address"`
	EvidenceDigest string  `json:"evidence_digest"`
	RegisteredOn   *string `json:"registered_on"`
	EndedOn        *string `json:"ended_on"`
	End            *string `json:"end"`
}

func fullKey(k *pb.SubjectKey) *keyJSON {
	ends := []string{pb.KEY_ROTATED: "rotated", pb.KEY_LOST: "lost", pb.KEY_RETURNED: "returned"}
	return &keyJSON{
		Address: "0x" + hexOf(k.Address), EvidenceDigest: hexOf(k.EvidenceDigest), RegisteredOn: day(k.RegisteredOn), EndedOn: day(k.EndedOn),
		End: wordOrNone(ends, int32(k.End)),
	}
}

// fileJSON is the answer about a subject's file: what the reader may see of it.
type fileJSON struct {
	Subject        string              `json:"subject"`
	Region         string              `json:"region"`
	Category       uint32              `json:"category"`
	Status         string              `json:"status"`
	Penalties      []*recordJSON       `json:"penalties"`
	Lists          []*recordJSON       `json:"lists"`
	Abnormal       []*recordJSON       `json:"abnormal"`
	Others         []*recordJSON       `json:"others"`
	CourtPlans     []*recordJSON       `json:"court_plans"`
	Copies         []*propagationJSON  `json:"copies"`
	Cases          []*actJSON          `json:"cases"`
	NoPenalties    []*recordJSON       `json:"no_penalties"`
	Attention      *attentionJSON      `json:"attention,omitempty"`
	Reconciliation *reconciliationJSON `json:"reconciliation,omitempty"`
	Commitments    []*recordJSON       `json:"commitments"`
	Repairs        []*recordJSON       `json:"repairs"`
	Measures       []*recordJSON       `json:"measures"`
	Listings       []*recordJSON       `json:"listings"`
	Inspections    []*recordJSON       `json:"inspections"`
	Objections     []*recordJSON       `json:"objections"`
	Incentives     []*recordJSON       `json:"incentives"`
	Authorisations []*recordJSON       `json:"authorisations"`
	Grade          *gradeJSON          `json:"grade,omitempty"`
	Keys           []*keyJSON          `json:"keys"`
	Alarms         []*alarmJSON        `json:"alarms"`
	Bars           []*barJSON          `json:"bars"`
	Truncated      bool                `json:"truncated"` // a list was cut at its limit
	File           *logJSON            `json:"file,omitempty"`
	AsOf           asOf                `json:"as_of"`
}

// logJSON is the append-only log of a subject's file, for auditors.
type logJSON struct {
	Size    uint64       `json:"size"`
	Root    string       `json:"root"`
	Entries []*entryJSON `json:"entries"`
}

type entryJSON struct {
	Seq    uint64 `json:"seq"`
	Height int64  `json:"height"`
	Table  uint32 `json:"table"`
	Key    string `json:"key"`
	Digest string `json:"digest"`
}

// txJSON is the outcome of a transaction.
type txJSON struct {
	ID       string         `json:"id"`
	Code     string         `json:"code"`
	Number   uint32         `json:"number"`
	Reason   string         `json:"reason"`
	Rule     string         `json:"rule"`
	PassesOn *string        `json:"passes_on"`
	Height   int64          `json:"height"` // 0 = in no block
	Results  []txResultJSON `json:"results"`
}

type txResultJSON struct {
	Index    uint32  `json:"index"`
	Record   string  `json:"record"`
	Code     string  `json:"code"`
	Number   uint32  `json:"number"`
	Note     string  `json:"note"`
	Reason   string  `json:"reason"`
	Rule     string  `json:"rule"`
	PassesOn *string `json:"passes_on"`
}
