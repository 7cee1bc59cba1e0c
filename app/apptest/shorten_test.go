package apptest

import (
	"fmt"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// TestLongStanding gives a firm more penalties than its standing may list: roots take the place of the lists, the counts stay, and a lender's
// verifier still answers what can be answered.
func TestLongStanding(t *testing.T) {
	c := New(t, Options{Apps: 1, Checks: true, Edit: func(g *pb.Genesis) {
		g.Params = append(g.Params, pb.Param{Name: "standing_bytes_max", Value: 16 << 10})
	}})
	firm := USCC("91410100", "Y0000700")
	c.Block(c.Sign("registry", pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
		Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: firm, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
	}}}))
	today := int32(c.Today())
	var record, publish []pb.Msg
	for i := range 200 {
		p := pb.PenaltyContent{
			Issuer: c.Actors["zz-scjg"].USCC, Subject: firm, DocNo: fmt.Sprintf("郑市监处罚〔2026〕%d号", i), Kinds: []uint32{3}, FineFen: 1_000_000,
			DecidedOn: today, ViolationRegion: "410105", Procedure: 2, NoticeServedOn: today - 7, Statement: 1, ServedOn: today,
			RepairNoticeServed: true, TextDigest: digest("facts"),
		}
		record = append(record, pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: p}}})
		id := x.RecordID("penalty", p.Issuer, p.DocNo, p.Subject)
		publish = append(publish, pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: p.Issuer, Record: id[:]}}})
	}
	for _, msgs := range [][]pb.Msg{record, publish} {
		if r := c.Block(c.Sign("zz-scjg", msgs...)); r[0].Code != 0 {
			t.Fatal(r[0].Log)
		}
	}
	c.Read(func(r x.Reader) {
		raw, _ := standing.Get(r, firm)
		st := new(pb.Standing)
		must(t, pb.Decode(raw, st))
		if len(raw) > 16<<10 || len(st.PenaltiesRoot) != 32 || len(st.CommitmentsRoot) != 0 || st.Counts.Penalties != 200 {
			t.Fatalf("%d bytes, roots %x %x, counts %v", len(raw), st.PenaltiesRoot, st.CommitmentsRoot, st.Counts)
		}
	})
	c.Block()
	for claim, holds := range map[string]bool{"no-negative": false, "no-serious": true, "standing": true} {
		v, err := c.Verify(c.Bundle(firm), firm, claim)
		must(t, err)
		if v.Holds != holds {
			t.Errorf("%s: holds is %v", claim, v.Holds)
		}
	}
}
