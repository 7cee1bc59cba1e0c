package apptest

import (
	"fmt"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// TestWorkers: with one, two or seven workers a block that touches many subjects gives the same app hash; Deliver compares.
func TestWorkers(t *testing.T) {
	c := New(t, Options{Apps: 3, Workers: []int{1, 2, 7}, Checks: true})
	const firms = 2000
	all := func(results int) {
		t.Helper()
		if len(c.Results) != results {
			t.Fatalf("%d of %d transactions are in the block", len(c.Results), results)
		}
		for _, r := range c.Results {
			if r.Code != 0 {
				t.Fatal(r.Log)
			}
		}
	}
	var txs [][]byte
	var uscc []string
	for n := 0; n < firms; n += 500 {
		var msgs []pb.Msg
		for i := range 500 {
			code := USCC("91410100", fmt.Sprintf("Y%05d", 20000+n+i))
			uscc = append(uscc, code)
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: code, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
			}}})
		}
		txs = append(txs, c.Sign("registry", msgs...))
	}
	c.Block(txs...)
	all(len(txs))

	issuer, today := c.Actors["zz-scjg"].USCC, int32(c.Today())
	docNo := func(i int) string { return fmt.Sprintf("郑市监处罚〔2026〕%d号", i+1) }
	txs = nil
	for n := 0; n < firms; n += 500 {
		var msgs []pb.Msg
		for i := n; i < n+500; i++ {
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
				Issuer: issuer, Subject: uscc[i], DocNo: docNo(i), Kinds: []uint32{3}, FineFen: 1_000_000, DecidedOn: today, ViolationRegion: "410105",
				Procedure: 2, NoticeServedOn: today - 7, Statement: 1, ServedOn: today, RepairNoticeServed: true, TextDigest: digest("facts"),
			}}}})
		}
		txs = append(txs, c.Sign("zz-scjg", msgs...))
	}
	c.Block(txs...)
	all(len(txs))

	txs = nil
	for n := 0; n < firms; n += 500 {
		var msgs []pb.Msg
		for i := n; i < n+500; i++ {
			id := sanction.PenaltyID(issuer, docNo(i), uscc[i])
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: issuer, Record: id[:]}}})
		}
		txs = append(txs, c.Sign("zz-scjg", msgs...))
	}
	c.Block(txs...)
	all(len(txs))
	c.Read(func(r x.Reader) {
		sanction.All(r, func(p *pb.Dishonesty) bool {
			if !sanction.Public(p) {
				t.Errorf("penalty %x is not public", p.Id)
			}
			return true
		})
	})
}
