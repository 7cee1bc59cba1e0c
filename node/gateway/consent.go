package gateway

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// showAuthorisation is the answer about an authorisation; nil: no trace.
func showAuthorisation(who *caller, a *pb.Authorisation) *recordJSON {
	column := columnOf(who, a.Content.Subject, "", func() bool { return a.Content.Gateway == who.member.Uscc })
	if column == aLender && a.Content.Grantee != who.member.Uscc || authorisationView[column] != full {
		return nil
	}
	return &recordJSON{Kind: "authorisation", ID: hexOf(a.Id), Subject: a.Content.Subject, View: "full", Authorisation: fullAuthorisation(a)}
}

// showGrade is the answer about a grade to the firm and who recorded it; nil: no trace. Lenders get it opened, against the standing's own digest.
func showGrade(who *caller, g *pb.Grade) *gradeJSON {
	if gradeView[columnOf(who, g.Subject, g.Issuer, nil)] != full {
		return nil
	}
	return &gradeJSON{
		Grade: g.Grade, Issuer: g.Issuer, AssessedOn: day(g.AssessedOn), ValidUntil: day(g.ValidUntil), SourceNo: g.SourceNo,
		BasisDigest: hexOf(g.BasisDigest), RecordedOn: day(g.RecordedOn),
	}
}

// authorisationJSON is an authorisation (授权).
type authorisationJSON struct {
	Grantee    string   `json:"grantee"`
	Gateway    string   `json:"gateway"`
	Purpose    string   `json:"purpose"`
	Classes    []string `json:"classes"`
	GrantNo    string   `json:"grant_no"`
	GrantedOn  *string  `json:"granted_on"`
	ValidUntil *string  `json:"valid_until"`
	MaxUses    uint32   `json:"max_uses"` // 0: no limit
	Key        string   `json:"key"`
	Signature  string   `json:"signature"`
	State      string   `json:"state"`
	RecordedOn *string  `json:"recorded_on"`
	EndedOn    *string  `json:"ended_on"`
	Withdrawal string   `json:"withdrawal"` // the firm's signature over it; empty: not withdrawn
}

// gradeJSON is an evaluation grade (公共信用综合评价等级), found elsewhere.
type gradeJSON struct {
	Grade       string  `json:"grade"`
	Issuer      string  `json:"issuer"`
	AssessedOn  *string `json:"assessed_on"`
	ValidUntil  *string `json:"valid_until"`
	SourceNo    string  `json:"source_no"`
	BasisDigest string  `json:"basis_digest"`
	RecordedOn  *string `json:"recorded_on"`
}

var (
	purposes            = attest.Purposes
	authorisationStates = []string{
		pb.AUTHORISATION_LIVE: "live", pb.AUTHORISATION_USED_UP: "used_up", pb.AUTHORISATION_EXPIRED: "expired",
		pb.AUTHORISATION_WITHDRAWN: "withdrawn", pb.AUTHORISATION_DEREGISTERED: "deregistered",
	}
)

func classNames(classes []pb.DataClass) []string {
	out := []string{}
	for _, c := range classes {
		out = append(out, word(attest.DataClasses, int32(c)))
	}
	return out
}

func fullAuthorisation(a *pb.Authorisation) *authorisationJSON {
	c := &a.Content
	return &authorisationJSON{
		Grantee: c.Grantee, Gateway: c.Gateway, Purpose: word(purposes, int32(c.Purpose)), Classes: classNames(c.Classes), GrantNo: c.GrantNo,
		GrantedOn: day(c.GrantedOn), ValidUntil: day(c.ValidUntil), MaxUses: c.MaxUses, Key: "0x" + hexOf(a.Key), Signature: hexOf(a.Signature),
		State: word(authorisationStates, int32(a.State)), RecordedOn: day(a.RecordedOn), EndedOn: day(a.EndedOn), Withdrawal: hexOf(a.Withdrawal),
	}
}
