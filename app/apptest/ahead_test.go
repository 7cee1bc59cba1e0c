package apptest

import (
	"fmt"
	"slices"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Blocks that are large enough for rows to be read ahead of them give the same answers and hashes as where one goroutine reads all: firms that are new to
// the chain and such that have records, some twice in one block, some not enrolled, some records there already.
func TestReadAhead(t *testing.T) {
	const firms, perBlock = 400, 1200
	c := New(t, Options{Apps: 3, Workers: []int{1, 4, 3}})
	uscc := make([]string, firms+20) // the last twenty are not enrolled
	var enrol []pb.Msg
	for i := range uscc {
		uscc[i] = USCC("91410100", fmt.Sprintf("Y%05d", 10000+i))
		if i < firms {
			enrol = append(enrol, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: uscc[i], Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
			}}})
		}
	}
	c.Block(c.Sign("registry", enrol...))
	today := int32(c.Today())
	penalty := func(no int) pb.Msg {
		return pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
			Issuer: c.Actors["zz-scjg"].USCC, Subject: uscc[no*7919%len(uscc)], DocNo: fmt.Sprintf("郑市监处罚〔2026〕%d号", no), Kinds: []uint32{3},
			FineFen: 1_000_000, DecidedOn: today, ViolationRegion: "410105", Procedure: 2, NoticeServedOn: today - 7, Statement: 1,
			ServedOn: today, RepairNoticeServed: true, TextDigest: digest("facts"),
		}}}}
	}
	for block := range 3 {
		var txs [][]byte
		for n := range perBlock / 10 { // of ten each: what refuses one refuses its ten
			msgs := make([]pb.Msg, 10)
			for j := range msgs {
				msgs[j] = penalty(1 + block*perBlock/2 + 10*n + j) // half of the numbers come again in the next block
			}
			txs = append(txs, c.Sign("zz-scjg", msgs...))
		}
		codes := map[uint32]int{}
		for _, r := range c.Block(txs...) {
			codes[r.Code]++
		}
		if refused := perBlock/10 - codes[0]; codes[0] == 0 || refused == 0 {
			t.Errorf("block %d: %d transactions took effect, %d were refused: both kinds were wanted", block, codes[0], refused)
		}
		slices.Reverse(uscc[:firms])
	}
}
