package app_test

import (
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// TestSnapshotOfALongFile: a file in which a member has no room left goes through a snapshot, over many chunks, with the counts of its rows; who began with
// the snapshot refuses and takes what the others do.
func TestSnapshotOfALongFile(t *testing.T) {
	t.Parallel()
	s := apptest.NewScript(t, apptest.Options{Apps: 1, Edit: func(g *pb.Genesis) {
		g.Params = append(g.Params, pb.Param{Name: "file_rows_member_max", Value: 256})
	}})
	say(t, s, "enrol firm=A")
	if out := line(t, s, "fill by=zz-scjg firm=A no=1 to=1279"); out != "up to 1279" {
		t.Fatal(out)
	}
	info, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 64<<10, 8)
	must(t, err)
	a := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain})
	syncFrom(t, a, info, s.AppHash)
	must(t, a.Fsck(bg))
	sameRows(t, s.Apps[0], a)
	firm := apptest.USCC("91410100", "Y00100")
	must(t, a.Read(func(r x.Reader) error {
		if n := subject.AddedBy(r, firm, s.Actors["zz-scjg"].USCC); n != 256 || info.Chunks < 8 {
			t.Errorf("%d rows are counted, %d chunks", n, info.Chunks)
		}
		return nil
	}))
	s.Apps = append(s.Apps, a) // every block compares the app hashes
	if out := line(t, s, "record by=zz-scjg firm=A no=1280 fine=1000"); !strings.HasPrefix(out, "E_LIMIT") {
		t.Error(out)
	}
	say(t, s, "record by=js-rsj firm=A no=1 fine=1000")
	say(t, s, "publish by=zz-scjg firm=A no=1279")
	sameRows(t, s.Apps[0], a)
}
