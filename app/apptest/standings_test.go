package apptest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// TestStandingsInMemory: application 1 keeps standings in memory. It proves the same as application 0 at every height that can be proven, without a look
// at a row: of what blocks have changed, and after a restart of what it was told to remember.
func TestStandingsInMemory(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	c := New(t, Options{Apps: 2, InTime: true, Dirs: []string{"", t.TempDir()}, OnRead: func(key []byte, _ bool) {
		if key[0] == standing.Prefix() {
			looks.Add(1)
		}
	}})
	const firms = 1100 // more than two runs of Remember
	uscc := make([]string, firms)
	var enrol []pb.Msg
	for i := range uscc {
		uscc[i] = USCC("91410100", fmt.Sprintf("Y%05d", 10000+i))
		enrol = append(enrol, pb.Msg{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
			Issuer: c.Actors["registry"].USCC, Subject: pb.Subject{Uscc: uscc[i], Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE},
		}}})
	}
	asked := append(uscc[:firms:firms], USCC("91410100", "Y99999")) // nobody has enrolled the last
	same := func(height, want int64) {
		t.Helper()
		before := looks.Load()
		got, err := c.Apps[1].Prove(height, asked)
		must(t, err)
		if n := looks.Load() - before; n != want {
			t.Errorf("height %d was proven with %d looks at rows of standings, want %d", height, n, want)
		}
		rows, err := c.Apps[0].Prove(height, asked)
		must(t, err)
		if d := cmp.Diff(rows, got); d != "" {
			t.Errorf("height %d is proven otherwise from memory: %s", height, d)
		}
	}
	c.Block(c.Sign("registry", enrol[:600]...), c.Sign("registry", enrol[600:]...))
	enrolled := c.height
	c.Block()
	same(enrolled, 0)

	today := int32(c.Today())
	c.Block(c.Sign("zz-scjg", pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
		Issuer: c.Actors["zz-scjg"].USCC, Subject: uscc[7], DocNo: "郑市监处罚〔2026〕7号", Kinds: []uint32{3}, FineFen: 1_000_000, DecidedOn: today,
		ViolationRegion: "410105", Procedure: 2, NoticeServedOn: today - 7, Statement: 1, ServedOn: today, RepairNoticeServed: true, TextDigest: digest("facts"),
	}}}}))
	punished := c.height
	c.Block()
	same(punished, 0)
	same(enrolled, 0) // the standing before is still known

	c.Reopen(1)
	runs, all := 0, 0
	for from, more := "", true; more; more = from != "" {
		var n int
		from, n = c.Apps[1].Remember(from)
		runs, all = runs+1, all+n
	}
	if runs != 3 || all != firms {
		t.Errorf("the standings of %d of %d firms were read in %d runs, want 3", all, firms, runs)
	}
	c.Block()
	same(c.height-1, 0)

	c.Reopen(1)
	c.Block()
	same(c.height-1, firms) // nothing is remembered; who asks reads, and has it from then on
	same(c.height-1, 0)
}
