package apptest

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// BenchmarkWritePath takes penalties from the mempool's gate to the disk, on one application: the check of a new transaction, its recheck, proposal,
// processing, execution and commit, with 1 and with 200 messages a transaction. It reports the processor time a record, all threads
// together, and the time that each stop takes; the engine's own work is not in it.
func BenchmarkWritePath(b *testing.B) {
	for _, perTx := range []int{1, 200} {
		b.Run(fmt.Sprint(perTx), func(b *testing.B) { writePath(b, perTx) })
	}
}

func writePath(b *testing.B, perTx int) {
	const firms, perBlock = 20_000, 4000
	ctx := context.Background()
	c := New(b, Options{Apps: 1, Dirs: []string{b.TempDir()}})
	a := c.Apps[0]
	uscc := make([]string, firms)
	for n := 0; n < firms; n += 500 {
		msgs := make([]pb.Msg, 500)
		for i := range msgs {
			uscc[n+i] = USCC("91410100", fmt.Sprintf("Y%05d", 10000+n+i))
			msgs[i] = pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: uscc[n+i], Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
			}}}
		}
		c.Block(c.Sign("registry", msgs...))
	}
	names := []string{"check", "recheck", "prepare", "process", "finalize", "commit"}
	took := make([]time.Duration, len(names))
	var used time.Duration
	no := 0
	for b.Loop() {
		b.StopTimer()
		txs := make([][]byte, perBlock/perTx)
		for i := range txs {
			msgs := make([]pb.Msg, perTx)
			for j := range msgs {
				no++
				today := int32(c.Today())
				msgs[j] = pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
					Issuer: c.Actors["zz-scjg"].USCC, Subject: uscc[no*7919%firms], DocNo: fmt.Sprintf("郑市监处罚〔2026〕%d号", no), Kinds: []uint32{3},
					FineFen: 1_000_000, DecidedOn: today, ViolationRegion: "410105", Procedure: 2, NoticeServedOn: today - 7, Statement: 1,
					ServedOn: today, RepairNoticeServed: true, TextDigest: digest("facts"),
				}}}}
			}
			txs[i] = c.Sign("zz-scjg", msgs...)
		}
		stage, before, start := 0, processor(), time.Now()
		next := func(err error) {
			must(b, err)
			took[stage] += time.Since(start)
			stage, start = stage+1, time.Now()
		}
		b.StartTimer()
		check := func(kind abci.CheckTxType) error {
			for _, tx := range txs {
				if r, err := a.CheckTx(ctx, &abci.RequestCheckTx{Tx: tx, Type: kind}); err != nil || r.Code != 0 {
					return fmt.Errorf("check: %v, %w", r, err)
				}
			}
			return nil
		}
		next(check(abci.CheckTxType_New))
		next(check(abci.CheckTxType_Recheck))
		height := c.height + 1
		prep, err := a.PrepareProposal(ctx, &abci.RequestPrepareProposal{Txs: txs, MaxTxBytes: pb.BlockBytesMax, Height: height, Time: c.now})
		next(err)
		if len(prep.Txs) != len(txs) {
			b.Fatalf("%d of %d transactions are in the block", len(prep.Txs), len(txs))
		}
		_, err = a.ProcessProposal(ctx, &abci.RequestProcessProposal{Txs: prep.Txs, Height: height, Time: c.now})
		next(err)
		done, err := a.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{Txs: prep.Txs, Height: height, Hash: make([]byte, 32), Time: c.now})
		next(err)
		_, err = a.Commit(ctx, &abci.RequestCommit{})
		next(err)
		b.StopTimer()
		used += processor() - before
		for _, r := range done.TxResults {
			if r.Code != 0 {
				b.Fatal(r.Log)
			}
		}
		c.height, c.AppHash, c.Results = height, done.AppHash, done.TxResults
		c.lastID = cmttypes.BlockID{}
		c.now = c.now.Add(10 * time.Millisecond)
		b.StartTimer()
	}
	for i, n := range names {
		b.ReportMetric(took[i].Seconds()*1e6/float64(no), n+"-µs/record")
	}
	b.ReportMetric(used.Seconds()*1e6/float64(no), "cpu-µs/record")
	b.ReportMetric(0, "ns/op") // a block; the lines above say more
}

// processor is the time that this process has used, all its threads together.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
