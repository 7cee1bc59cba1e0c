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
		BreachOf: c.BreachOf, Designation: c.Designation,
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
