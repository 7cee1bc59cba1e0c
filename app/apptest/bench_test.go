package apptest

import (
	"fmt"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// BenchmarkBlock executes blocks of 10,000 penalties in transactions of 200, on one application with a disk. It prints records a second.
func BenchmarkBlock(b *testing.B) {
	c := New(b, Options{Apps: 1, Dirs: []string{b.TempDir()}})
	const firms = 1000
	var uscc []string
	for n := 0; n < firms; n += 500 {
		var msgs []pb.Msg
		for i := range 500 {
			code := USCC("91410100", fmt.Sprintf("Y%05d", 10000+n+i))
			uscc = append(uscc, code)
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: code, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
			}}})
		}
		c.Block(c.Sign("registry", msgs...))
	}
	no, records := 0, 0
	for b.Loop() {
		b.StopTimer()
		var txs [][]byte
		for range 50 {
			var msgs []pb.Msg
			for range 200 {
				no++
				today := int32(c.Today())
				msgs = append(msgs, pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
					Issuer: c.Actors["zz-scjg"].USCC, Subject: uscc[no%firms], DocNo: fmt.Sprintf("郑市监处罚〔2026〕%d号", no), Kinds: []uint32{3},
					FineFen: 1_000_000, DecidedOn: today, ViolationRegion: "410105", Procedure: 2, NoticeServedOn: today - 7, Statement: 1,
					ServedOn: today, RepairNoticeServed: true, TextDigest: digest("facts"),
				}}}})
			}
			txs = append(txs, c.Sign("zz-scjg", msgs...))
		}
		b.StartTimer()
		for _, r := range c.Deliver(txs) {
			if r.Code != 0 {
				b.Fatal(r.Log)
			}
		}
		records += 10000
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
