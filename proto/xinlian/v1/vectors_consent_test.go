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
		"end_key": {Sum: &pb.Msg_EndKey{EndKey: &pb.EndKey{
			Issuer: agency, Subject: firm, Address: bytes.Repeat([]byte{7}, pb.AddressBytes), End: pb.KEY_LOST, EvidenceDigest: digest("e"),
		}}},
	}
}
