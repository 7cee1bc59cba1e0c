package intake

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

func TestObjectionMessage(t *testing.T) {
	row := one(t, Objections, map[string]any{"claimant_uscc": firm2})
	target := sanction.PenaltyID(agency, "示例市监罚〔2026〕1号", firm)
	grounds, paper := testVault.Digest(target, map[string]string{"grounds": "示例事由"}), testVault.Digest(target, map[string]string{"paper": "示例申请书"})
	want := &pb.FileObjection{
		Issuer: agency, Subject: firm, Kind: pb.OBJECTION_RECORD, Target: target[:], ObjectionNo: "YY-1", Claimant: firm2, GroundsDigest: grounds[:], PaperDigest: paper[:],
	}
	if diff := cmp.Diff(want, row.Messages[0].GetFileObjection()); diff != "" {
		t.Error(diff)
	}
	if err := objection.CheckFile(want); err != nil {
		t.Error(err)
	}
	if id := objection.ID(agency, "YY-1", firm, target[:]); string(id[:]) != string(row.Record) {
		t.Errorf("record %x", row.Record)
	}

	row = one(t, Objections, map[string]any{"kind": "违诺", "doc_no": "41010020261019000001"})
	id := commitment.ID(&pb.CommitmentContent{Acceptor: agency, Code: "41010020261019000001", Subject: firm})
	if m := row.Messages[0].GetFileObjection(); m.Kind != pb.OBJECTION_BREACH || string(m.Target) != string(id) {
		t.Errorf("%+v", m)
	}
}

func TestApplicationMessage(t *testing.T) {
	row := one(t, Repairs)
	target := sanction.ID(pb.DISHONESTY_ABNORMAL, agency, "示例异列〔2026〕1号", firm)
	materials, paper := testVault.Digest(target, map[string]string{"materials": "示例材料"}), testVault.Digest(target, map[string]string{"paper": "示例申请书"})
	want := &pb.ApplyRepair{
		Issuer: agency, Subject: firm, Target: target[:], ApplicationNo: "XYZG-1", Commitment: "41010020261019000001", DutiesDone: true,
		MaterialsDigest: materials[:], PaperDigest: paper[:], Channel: 1,
	}
	if diff := cmp.Diff(want, row.Messages[0].GetApplyRepair()); diff != "" {
		t.Error(diff)
	}
	if err := repair.CheckApply(want); err != nil {
		t.Error(err)
	}
	if id := repair.ID(agency, "XYZG-1", firm, target[:]); string(id[:]) != string(row.Record) {
		t.Errorf("record %x", row.Record)
	}
}
