package fulfillment

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// An assessment is part of the commitment's own row, so that a proof of the row proves both; this package has no table.

// same says whether a commitment was assessed with just this content already.
func same(c *pb.Commitment, m *pb.AssessCommitment) bool {
	return c.Fulfilment == m.Fulfilment && c.AssessedOn == m.AssessedOn &&
		bytes.Equal(c.UnperformedDigest, m.UnperformedDigest) && bytes.Equal(c.ActionDigest, m.ActionDigest) &&
		bytes.Equal(c.EvidenceDigest, m.EvidenceDigest) && bytes.Equal(c.Inspection, m.Inspection) && c.NoticeServedOn == m.NoticeServedOn && c.Statement == m.Statement
}
