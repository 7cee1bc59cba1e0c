package gateway

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// listingView is the table for procedures that lead to an entry in a list, or do not. They are never public; who had a duty in one knows of it no more
// when it is over.
var listingView = map[pb.ListingState][audiences]view{
	//                       public  lender  agency  duty    recogniser  subject  auditor
	pb.LISTING_NOTIFIED:  {hidden, hidden, hidden, full, full, full, full},
	pb.LISTING_VERIFYING: {hidden, hidden, hidden, full, full, full, full},
	pb.LISTING_HEARD:     {hidden, hidden, hidden, full, full, full, full},
	pb.LISTING_REVIEWING: {hidden, hidden, hidden, full, full, full, full},
	pb.LISTING_DECIDED:   {hidden, hidden, hidden, hidden, full, full, full},
	pb.LISTING_DROPPED:   {hidden, hidden, hidden, hidden, full, full, full},
}

// showListing is the answer about a procedure; nil: no trace. A duty in the matter have the agency that filed the subject's statement, the authority that was
// asked for a review, and those above the lister, whose consent it may need.
func showListing(r x.Reader, who *caller, l *pb.Listing) *recordJSON {
	column := columnOf(who, l.Notice.Subject, l.Notice.Issuer, func() bool {
		me := who.member.Uscc
		if me == l.Agent || me == l.Reviewer || mandated(r, who, l.Notice.Issuer, pb.MANDATE_DISHONESTY) {
			return true
		}
		lister, ok := member.Look(r, l.Notice.Issuer)
		row, known := member.Look(r, me)
		return ok && known && member.Above(row, lister, func(region string) []string { return catalog.Ancestors(r, region) })
	})
	if listingView[l.State][column] != full {
		return nil
	}
	return &recordJSON{Kind: "listing", ID: hexOf(l.Id), Subject: l.Notice.Subject, View: "full", Listing: fullListing(l)}
}

type listingJSON struct {
	Issuer          string   `json:"issuer"`
	List            string   `json:"list"`
	NoticeNo        string   `json:"notice_no"`
	ServedOn        *string  `json:"served_on"`
	Measures        []string `json:"measures"`
	TextDigest      string   `json:"text_digest"`
	State           string   `json:"state"`
	RecordedOn      *string  `json:"recorded_on"`
	StatementBy     *string  `json:"statement_by"`
	Statement       uint32   `json:"statement"`
	StatedOn        *string  `json:"stated_on"`
	StatementDigest string   `json:"statement_digest"`
	VerifyBy        *string  `json:"verify_by"`
	VerifiedOn      *string  `json:"verified_on"`
	VerifiedDigest  string   `json:"verified_digest"`
	Reviewer        string   `json:"reviewer"`
	ReviewAskedOn   *string  `json:"review_asked_on"`
	ReviewedOn      *string  `json:"reviewed_on"`
	ReviewedDigest  string   `json:"reviewed_digest"`
	ConsentAskedOf  string   `json:"consent_asked_of"`
	ConsentAskedOn  *string  `json:"consent_asked_on"`
	ConsentBy       string   `json:"consent_by"`
	ConsentOn       *string  `json:"consent_on"`
	ConsentDigest   string   `json:"consent_digest"`
	Record          string   `json:"record"`
	EndedOn         *string  `json:"ended_on"`
	ReasonDigest    string   `json:"reason_digest"`
	Overdue         bool     `json:"overdue"`
}

var listingStates = []string{
	pb.LISTING_NOTIFIED: "notified", pb.LISTING_VERIFYING: "verifying", pb.LISTING_HEARD: "heard", pb.LISTING_REVIEWING: "reviewing",
	pb.LISTING_DECIDED: "decided", pb.LISTING_DROPPED: "dropped",
}

func fullListing(l *pb.Listing) *listingJSON {
	n := &l.Notice
	return &listingJSON{
		Issuer: n.Issuer, List: n.List, NoticeNo: n.NoticeNo, ServedOn: day(n.ServedOn), Measures: append([]string{}, n.Measures...), TextDigest: hexOf(n.TextDigest),
		State: word(listingStates, int32(l.State)), RecordedOn: day(l.RecordedOn), StatementBy: day(l.StatementBy),
		Statement: l.Statement, StatedOn: day(l.StatedOn), StatementDigest: hexOf(l.StatementDigest),
		VerifyBy: day(l.VerifyBy), VerifiedOn: day(l.VerifiedOn), VerifiedDigest: hexOf(l.VerifiedDigest),
		Reviewer: l.Reviewer, ReviewAskedOn: day(l.ReviewAskedOn), ReviewedOn: day(l.ReviewedOn), ReviewedDigest: hexOf(l.ReviewedDigest),
		ConsentAskedOf: l.ConsentAskedOf, ConsentAskedOn: day(l.ConsentAskedOn), ConsentBy: l.ConsentBy, ConsentOn: day(l.ConsentOn), ConsentDigest: hexOf(l.ConsentDigest),
		Record: hexOf(l.Record), EndedOn: day(l.EndedOn), ReasonDigest: hexOf(l.ReasonDigest), Overdue: l.Alarms != 0,
	}
}

func caseOfListing(r x.Reader, l *pb.Listing) *caseJSON {
	v := &caseJSON{Kind: "listing", ID: hexOf(l.Id), State: word(listingStates, int32(l.State)), DocNo: l.Notice.NoticeNo}
	v.done(step{"notified", l.Notice.ServedOn}, step{"stated", l.StatedOn}, step{"verified", l.VerifiedOn}, step{"reviewed", l.ReviewedOn}, step{"consent_asked", l.ConsentAskedOn}, step{"consented", l.ConsentOn}, step{"ended", l.EndedOn})
	v.left(r, sanction.ListingDuties(l))
	return v
}

// listJSON is an entry in a list of serious dishonesty.
type listJSON struct {
	courseJSON
	Issuer             string   `json:"issuer"`
	DocNo              string   `json:"doc_no"`
	List               string   `json:"list"`
	DecidedOn          *string  `json:"decided_on"`
	ServedOn           *string  `json:"served_on"`
	RepairNoticeServed bool     `json:"repair_notice_served"`
	ViolationRegion    string   `json:"violation_region"`
	PowerCode          string   `json:"power_code"`
	Designation        string   `json:"designation"`
	Measures           []string `json:"measures"`
	Basis              []string `json:"basis"`
	ConditionsDigest   string   `json:"conditions_digest"`
	TextDigest         string   `json:"text_digest"`
	Listing            string   `json:"listing"`
}

func fullList(d *pb.Dishonesty) *listJSON {
	c := d.List
	v := &listJSON{
		courseJSON: courseOf(d), Issuer: c.Issuer, DocNo: c.DocNo, List: c.List, DecidedOn: day(c.DecidedOn), ServedOn: day(c.ServedOn),
		RepairNoticeServed: c.RepairNoticeServed, ViolationRegion: c.ViolationRegion, PowerCode: c.PowerCode, Designation: c.Designation,
		Measures: append([]string{}, c.Measures...), Basis: []string{}, ConditionsDigest: hexOf(c.ConditionsDigest), TextDigest: hexOf(c.TextDigest),
		Listing: hexOf(c.Listing),
	}
	for _, id := range c.Basis {
		v.Basis = append(v.Basis, hexOf(id))
	}
	return v
}
