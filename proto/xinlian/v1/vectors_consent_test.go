package pb_test

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// consentMessages is one of each kind about keys of firms and what they sign.
func consentMessages() map[string]pb.Msg {
	return map[string]pb.Msg{
		"register_key": {Sum: &pb.Msg_RegisterKey{RegisterKey: &pb.RegisterKey{
			Issuer: agency, Subject: firm, Address: bytes.Repeat([]byte{7}, pb.AddressBytes), Proof: bytes.Repeat([]byte{1}, pb.SignatureBytes),
			EvidenceDigest: digest("e"), Replaces: bytes.Repeat([]byte{6}, pb.AddressBytes),
		}}},
		"grant_authorisation": {Sum: &pb.Msg_GrantAuthorisation{GrantAuthorisation: &pb.GrantAuthorisation{
			Issuer: operator, Key: bytes.Repeat([]byte{7}, pb.AddressBytes), Signature: bytes.Repeat([]byte{1}, pb.SignatureBytes),
			Content: pb.AuthorisationContent{
				Subject: firm, Grantee: operator, Gateway: agency, Purpose: pb.PURPOSE_PRE_LOAN, Classes: []pb.DataClass{pb.DATA_GRADE, pb.DATA_COMMITMENTS},
				GrantNo: "SQ-1", GrantedOn: 20605, ValidUntil: 20697, MaxUses: 3,
			},
		}}},
		"withdraw_authorisation": {Sum: &pb.Msg_WithdrawAuthorisation{WithdrawAuthorisation: &pb.WithdrawAuthorisation{
			Issuer: operator, Authorisation: digest("a"), Key: bytes.Repeat([]byte{7}, pb.AddressBytes), Signature: bytes.Repeat([]byte{1}, pb.SignatureBytes),
		}}},
		"record_grade": {Sum: &pb.Msg_RecordGrade{RecordGrade: &pb.RecordGrade{
			Issuer: agency, Subject: firm, Grade: "A", AssessedOn: 20600, ValidUntil: 20965, SourceNo: "PJ-1", BasisDigest: digest("b"),
		}}},
		"withdraw_grade": {Sum: &pb.Msg_WithdrawGrade{WithdrawGrade: &pb.WithdrawGrade{Issuer: agency, Subject: firm, ReasonDigest: digest("r")}}},
		"anchor_receipts": {Sum: &pb.Msg_AnchorReceipts{AnchorReceipts: &pb.AnchorReceipts{
			Issuer: agency, Hour: 494544, Root: digest("root"), UsedUp: [][]byte{digest("u")},
		}}},
		"end_key": {Sum: &pb.Msg_EndKey{EndKey: &pb.EndKey{
			Issuer: agency, Subject: firm, Address: bytes.Repeat([]byte{7}, pb.AddressBytes), End: pb.KEY_LOST, EvidenceDigest: digest("e"),
		}}},
	}
}
