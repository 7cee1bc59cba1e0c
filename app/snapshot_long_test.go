package app_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestLongSnapshot makes and restores a snapshot of many subjects (XINLIAN_SUBJECTS, 20,000 unless given), each with one record, and prints what it costs.
func TestLongSnapshot(t *testing.T) {
	if os.Getenv("XINLIAN_LONG") == "" {
		t.Skip("XINLIAN_LONG is not set")
	}
	n := 20_000
	if v := os.Getenv("XINLIAN_SUBJECTS"); v != "" {
		var err error
		n, err = strconv.Atoi(v)
		must(t, err)
	}
	c := apptest.New(t, apptest.Options{Apps: 1, Dirs: []string{t.TempDir()}})
	const batch = 500
	for from := 0; from < n; from += batch {
		var enrol, record []pb.Msg
		for i := from; i < min(from+batch, n); i++ {
			uscc := apptest.USCC("91410100", fmt.Sprintf("Y%05d", i%100_000)[:6])
			if i >= 100_000 {
				uscc = apptest.USCC(fmt.Sprintf("9141%02d00", 2+i/100_000), fmt.Sprintf("Y%05d", i%100_000))
			}
			enrol = append(enrol, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
				Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: uscc, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
			}}})
			today := int32(c.Today())
			record = append(record, pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
				Issuer: c.Actors["zz-scjg"].USCC, Subject: uscc, DocNo: fmt.Sprintf("郑市监处罚〔2026〕%d号", i+1), Kinds: []uint32{3}, FineFen: 1_000_000,
				DecidedOn: today, ViolationRegion: "410105", Procedure: 2, NoticeServedOn: today - 7, Statement: 1, ServedOn: today,
				RepairNoticeServed: true, TextDigest: make([]byte, 32),
			}}}})
		}
		for _, txs := range [][][]byte{{c.Sign("registry", enrol...)}, {c.Sign("zz-scjg", record...)}} {
			for _, r := range c.Deliver(txs) {
				if r.Code != 0 {
					t.Fatal(r.Log)
				}
			}
		}
	}
	start := time.Now()
	info, err := c.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	t.Logf("%d subjects: %d chunks, %.1f MB, made in %s", n, info.Chunks, float64(info.Bytes)/(1<<20), time.Since(start).Round(time.Millisecond))
	start = time.Now()
	a := newApp(t, app.Options{Dir: t.TempDir(), ChainID: c.Chain})
	must(t, a.RestoreSnapshot(bg, info.Dir, c.AppHash, c.Apps[0].Status().BlockTime))
	t.Logf("restored in %s", time.Since(start).Round(time.Millisecond))
	must(t, a.Fsck(bg))
	c.Apps = append(c.Apps, a)
	c.Block()
	c.Block()
}
