package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

var bg = context.Background()

// say runs a command of the script's language and wants OK.
func say(t testing.TB, s *apptest.Script, line string) {
	t.Helper()
	cmd, args, err := datadriven.ParseLine(line)
	must(t, err)
	if got := strings.TrimSpace(s.Run(&datadriven.TestData{Cmd: cmd, CmdArgs: args})); got != "OK" {
		t.Fatalf("%s: %s", line, got)
	}
}

func goTo(t testing.TB, s *apptest.Script, day string) {
	t.Helper()
	d, err := calendar.ParseDate(day)
	must(t, err)
	s.GoTo(d)
}

// story is a chain with records in every state: live, repaired, with timers, alarms and bars, and transactions in the seen-set. more goes on from there.
func story(t testing.TB, o apptest.Options) (s *apptest.Script, more func()) {
	t.Helper()
	s = apptest.NewScript(t, o)
	for _, f := range []string{"F", "G", "H", "I", "J"} {
		say(t, s, "enrol firm="+f)
	}
	goTo(t, s, "2026-07-20")
	say(t, s, "record by=ops issuer=zz-scjg firm=F no=7 fine=120000 decided=2026-07-15")
	say(t, s, "record by=ops issuer=zz-scjg firm=G no=8 kinds=9")
	say(t, s, "record by=ops issuer=zz-scjg firm=H no=9 fine=120000 decided=2026-07-15")
	say(t, s, "commit by=zz-scjg firm=I code=41010020260720000001 type=2 public=3 accepted")
	say(t, s, "plan by=js-rsj no=P-1 draw=2026-07-24 until=2026-12-31 rates=1000,1000,1000,1000")
	say(t, s, "candidates by=js-rsj no=P-1 firms=I")
	say(t, s, "seal by=js-rsj no=P-1")
	say(t, s, "register-key by=registry firm=J key=k1")
	say(t, s, "register-key by=registry firm=J key=k2 replaces=k1")
	say(t, s, "grant by=bank firm=J key=k2 no=1")
	say(t, s, "grant by=bank firm=J key=k2 no=2")
	say(t, s, "withdraw-authorisation by=bank firm=J key=k2 no=2")
	say(t, s, "grade by=pj firm=J is=A")
	say(t, s, "anchor by=gw")
	say(t, s, "propose-incentive by=zz-scjg firm=J proposal=JL-1")
	say(t, s, "notice-incentive by=zz-scjg firm=J proposal=JL-1")
	goTo(t, s, "2026-07-22")
	say(t, s, "publish by=ops issuer=zz-scjg firm=F no=7")
	say(t, s, "publish by=ops issuer=zz-scjg firm=G no=8")
	say(t, s, "assess by=zz-scjg code=41010020260720000001 status=3 unperformed=u action=a")
	goTo(t, s, "2026-10-12")
	s.Block() // H is overdue: an alarm
	say(t, s, "commit by=zz-scjg firm=F code=41010020261012000001 type=4 accepted")
	goTo(t, s, "2026-10-19")
	say(t, s, "apply by=ops issuer=zz-scjg firm=F no=7 application=XY-1 commitment=41010020261012000001")
	goTo(t, s, "2026-10-21")
	say(t, s, "accept-repair by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1")
	say(t, s, "announce by=zz-scjg firm=F no=7 item=M12 to=js-rsj")
	say(t, s, "notify-listing by=zz-scjg firm=F notice=1")
	say(t, s, "state-listing by=ops issuer=zz-scjg firm=F notice=1")
	if out := line(t, s, "govern put=ops holder"); !strings.HasPrefix(out, "in force from") {
		t.Fatal(out)
	}
	say(t, s, "no-penalty by=zz-scjg firm=G no=61")
	say(t, s, "record by=zz-scjg firm=G no=62 fine=1000 act=smoke")
	say(t, s, "publish by=zz-scjg firm=G no=62")
	say(t, s, "object by=ops issuer=zz-scjg firm=G no=62 objection=YY-1")
	say(t, s, "recognise by=zz-scjg firm=J proposal=JL-1 until=2027-10-21")
	say(t, s, "use by=js-rsj of=zz-scjg firm=J proposal=JL-1 matter=XK-1")
	say(t, s, "file-plan by=ops firm=G case=PO-1")
	say(t, s, "shield by=zz-scjg firm=G no=8 case=PO-1")
	say(t, s, "propose by=gov1 param=minor_publish value=1")
	return s, func() {
		t.Helper()
		say(t, s, "enrol firm=K")
		goTo(t, s, "2026-10-27")
		say(t, s, "approve by=zz-scjg issuer=zz-scjg firm=F no=7 application=XY-1")
		say(t, s, "cure by=zz-scjg code=41010020260720000001")
		goTo(t, s, "2027-07-16")
		s.Block()
		goTo(t, s, "2029-07-23") // the longest term is over: timers of the records that were there
		s.Block()
		s.Block()
	}
}

// files of a snapshot.
func files(t testing.TB, info app.SnapshotInfo) (meta []byte, chunks [][]byte) {
	t.Helper()
	meta, err := os.ReadFile(filepath.Join(info.Dir, "metadata"))
	must(t, err)
	for i := range info.Chunks {
		c, err := os.ReadFile(filepath.Join(info.Dir, fmt.Sprintf("%06d", i)))
		must(t, err)
		chunks = append(chunks, c)
	}
	return meta, chunks
}

func newApp(t testing.TB, o app.Options) *app.App {
	t.Helper()
	a, err := app.New(o)
	must(t, err)
	t.Cleanup(func() { a.Close() })
	return a
}

func offer(t testing.TB, a *app.App, height int64, meta []byte, chunks int, appHash []byte) abci.ResponseOfferSnapshot_Result {
	t.Helper()
	hash := sha256.Sum256(meta)
	r, err := a.OfferSnapshot(bg, &abci.RequestOfferSnapshot{
		Snapshot: &abci.Snapshot{Height: uint64(height), Format: 2, Chunks: uint32(chunks), Hash: hash[:], Metadata: meta}, AppHash: appHash,
	})
	must(t, err)
	return r.Result
}

func apply(t testing.TB, a *app.App, i int, chunk []byte) *abci.ResponseApplySnapshotChunk {
	t.Helper()
	r, err := a.ApplySnapshotChunk(bg, &abci.RequestApplySnapshotChunk{Index: uint32(i), Chunk: chunk, Sender: "peer"})
	must(t, err)
	return r
}

// applyAll applies chunks, all but the last of which are accepted without a word against their sender, and gives the answer to that.
func applyAll(t testing.TB, a *app.App, chunks [][]byte) (last *abci.ResponseApplySnapshotChunk) {
	t.Helper()
	for i, c := range chunks {
		if last != nil && (last.Result != abci.ResponseApplySnapshotChunk_ACCEPT || len(last.RejectSenders) > 0) {
			t.Fatalf("chunk %d: %v, senders %q", i-1, last.Result, last.RejectSenders)
		}
		last = apply(t, a, i, c)
	}
	return last
}

// sync takes a snapshot as the engine would.
func syncFrom(t testing.TB, a *app.App, info app.SnapshotInfo, appHash []byte) {
	t.Helper()
	meta, chunks := files(t, info)
	if r := offer(t, a, info.Height, meta, len(chunks), appHash); r != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("offer: %v", r)
	}
	for i, c := range chunks {
		unseen(t, a)
		if r := apply(t, a, i, c); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
			t.Fatalf("chunk %d: %v", i, r.Result)
		}
	}
}

// unseen holds that nothing of a snapshot shows before its end.
func unseen(t testing.TB, a *app.App) {
	t.Helper()
	info, err := a.Info(bg, &abci.RequestInfo{})
	must(t, err)
	if info.LastBlockHeight != 0 || len(info.LastBlockAppHash) != 0 || a.Status().Height != 0 {
		t.Fatalf("height %d is visible", info.LastBlockHeight)
	}
	if _, err := a.At(0); err == nil {
		t.Fatal("a state is visible")
	}
	if _, err := a.At(1); err == nil {
		t.Fatal("height 1 is visible")
	}
}

// rowsOf are all rows of the tables that are part of the state, or follow from it.
func rowsOf(t testing.TB, a *app.App) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	must(t, a.Read(func(r x.Reader) error {
		for _, tb := range x.Tables() {
			if tb.Binding == x.Unbound || tb.Prefix == 0x05 {
				continue
			}
			r.Iterate([]byte{tb.Prefix}, nil, func(k, v []byte) bool {
				out[tb.Layout] = append(out[tb.Layout], fmt.Sprintf("%x %x", k, v))
				return true
			})
		}
		return nil
	}))
	return out
}

func sameRows(t testing.TB, a, b *app.App) {
	t.Helper()
	want, got := rowsOf(t, a), rowsOf(t, b)
	for _, tb := range x.Tables() {
		if !slices.Equal(want[tb.Layout], got[tb.Layout]) {
			t.Errorf("table %s: %d rows, want %d, or others", tb.Layout, len(got[tb.Layout]), len(want[tb.Layout]))
		}
	}
}

var sizes = []struct{ chunk, leaves int }{{8 << 20, 512}, {4096, 4}, {700, 1}, {97, 2}, {1 << 20, 1}}

// TestSnapshotRestore restores one height from snapshots of several sizes, and lets all of them go on with the chain.
func TestSnapshotRestore(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 2})
	height, hash := s.Height(), s.AppHash
	have := rowsOf(t, s.Apps[0])
	for _, tb := range x.Tables() {
		// A table that is rebuilt and has no row here would be forgotten unseen.
		if tb.Binding == x.Derived && len(have[tb.Layout]) == 0 {
			t.Errorf("table %s has no row: the story must give it one", tb.Layout)
		}
	}
	must(t, s.Apps[1].Settle())
	for i, size := range sizes {
		info, err := s.Apps[i%2].MakeSnapshotSized(0, t.TempDir(), size.chunk, size.leaves)
		must(t, err)
		if info.Height != height || !bytes.Equal(info.AppHash, hash) {
			t.Fatalf("snapshot of height %d with app hash %x", info.Height, info.AppHash)
		}
		a := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain})
		syncFrom(t, a, info, hash)
		if got := a.Status(); got.Height != height || !bytes.Equal(got.AppHash, hash) || !got.BlockTime.Equal(s.Apps[0].Status().BlockTime) ||
			!got.LegalTime.Equal(s.Apps[0].Status().LegalTime) || got.CatalogVersion != s.Apps[0].Status().CatalogVersion {
			t.Fatalf("restored to %+v", got)
		}
		must(t, a.Fsck(bg))
		sameRows(t, s.Apps[0], a)
		if _, err := a.At(height - 1); err == nil {
			t.Error("a height below the snapshot is answered")
		}
		s.Apps = append(s.Apps, a)
		t.Logf("chunks of %d bytes, groups of %d leaves: %d chunks, %d bytes", size.chunk, size.leaves, info.Chunks, info.Bytes)
	}
	more() // every block compares the app hashes
	for i, a := range s.Apps[2:] {
		must(t, a.Fsck(bg))
		sameRows(t, s.Apps[0], a)
		must(t, a.Read(func(r x.Reader) error {
			from := app.LogHeldFrom(r)
			_, below := app.LogLeaf(r, from-1)
			_, at := app.LogLeaf(r, from)
			if from == 0 || below || !at {
				t.Errorf("application %d: event log held from %d, below %v, at %v", i, from, below, at)
			}
			return nil
		}))
		// A node that was restored makes the snapshots that the others make.
		dirA, dirB := t.TempDir(), t.TempDir()
		x, err := s.Apps[0].MakeSnapshot(bg, 0, dirA)
		must(t, err)
		y, err := a.MakeSnapshot(bg, 0, dirB)
		must(t, err)
		if !bytes.Equal(x.Hash, y.Hash) {
			t.Errorf("application %d makes another snapshot", i)
		}
	}
}

// TestSnapshotOfOlderHeight makes a snapshot of a height that the chain has left, and compares it with the one made when it was the newest.
func TestSnapshotOfOlderHeight(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 1})
	height := s.Height()
	first, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 4)
	must(t, err)
	more()
	second, err := s.Apps[0].MakeSnapshotSized(height, t.TempDir(), 4096, 4)
	must(t, err)
	ma, ca := files(t, first)
	mb, cb := files(t, second)
	if !bytes.Equal(ma, mb) || !slices.EqualFunc(ca, cb, bytes.Equal) {
		t.Fatal("the same height gives two snapshots")
	}
}

// TestHeightIsPassed has a node that keeps little history commit blocks between the moment at which a check looks up the newest height and that at which it
// opens it. A check that took this for a fault of the disk would end the node.
func TestHeightIsPassed(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	b := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain, Retain: 2})
	syncFrom(t, b, info, s.AppHash)
	s.Apps = append(s.Apps, b)
	s.Block()
	open := b.Seen()
	for range 4 {
		s.Block()
	}
	if height, err := open(); err != nil || height != s.Height() {
		t.Errorf("height %d was opened: %v, want %d", height, err, s.Height())
	}
}

// TestSnapshotWhileBlocksGoOn makes a snapshot on a node that keeps one height of history, while blocks change what it reads: the height that it began
// with is held until it is done, and no longer.
func TestSnapshotWhileBlocksGoOn(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	b := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain, Retain: 1})
	syncFrom(t, b, info, s.AppHash)
	s.Apps = append(s.Apps, b)
	s.Block()
	height, n := s.Height(), 0
	meta, err := b.ExportWhile(700, 1, func() {
		if n++; n == 3 {
			say(t, s, "withdraw by=zz-scjg issuer=zz-scjg firm=G no=8")
		}
		s.Block()
	})
	must(t, err)
	if n < 20 {
		t.Fatalf("%d chunks only", n)
	}
	if _, err := b.At(height); err == nil {
		t.Error("the height is still held")
	}
	same, err := s.Apps[0].MakeSnapshotSized(height, t.TempDir(), 700, 1)
	must(t, err)
	want, _ := files(t, same)
	if !bytes.Equal(meta, want) {
		t.Error("blocks that came meanwhile are in the snapshot")
	}
}

// TestSnapshotEveryByte flips every byte of every chunk and of the metadata.
func TestSnapshotEveryByte(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 4)
	must(t, err)
	meta, chunks := files(t, info)

	// Few bytes of the metadata can change and leave the app hash as it is: the chain row, which comes again with a chunk, the hash of a chunk, which the
	// true chunk does not have, and the time of the block, which the header binds. Each ends in a refusal.
	at := s.Apps[0].Status().BlockTime
	timed, late := 0, 0
	for i := range meta {
		bad := bytes.Clone(meta)
		bad[i] ^= 1
		if app.CheckSnapshot(bad, s.AppHash, s.Chain) != nil {
			continue
		}
		a, err := app.New(app.Options{InMemory: true, ChainID: s.Chain, BlockTime: func(context.Context, int64) (time.Time, error) { return at, nil }})
		must(t, err)
		if r := offer(t, a, info.Height, bad, len(chunks), s.AppHash); r == abci.ResponseOfferSnapshot_REJECT_SENDER {
			timed++
			must(t, a.Close())
			continue
		} else if r != abci.ResponseOfferSnapshot_ACCEPT {
			t.Fatalf("offer with byte %d flipped: %v", i, r)
		}
		refused := false
		for j, c := range chunks {
			unseen(t, a)
			if r := apply(t, a, j, c); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
				refused = true
				break
			}
		}
		if !refused {
			t.Fatalf("metadata with byte %d flipped is taken", i)
		}
		late++
		unseen(t, a)
		must(t, a.Close())
	}
	t.Logf("of %d bytes of metadata %d are refused at once, %d for the block's time, %d with a chunk", len(meta), len(meta)-late-timed, timed, late)
	if timed == 0 {
		t.Error("no byte is of the block's time")
	}

	a := newApp(t, app.Options{InMemory: true, ChainID: s.Chain})
	if r := offer(t, a, info.Height, meta, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("offer: %v", r)
	}
	for i, c := range chunks {
		for j := range c {
			c[j] ^= 0x40
			r := apply(t, a, i, c)
			c[j] ^= 0x40
			if r.Result != abci.ResponseApplySnapshotChunk_RETRY || len(r.RejectSenders) != 1 || len(r.RefetchChunks) != 1 || r.RefetchChunks[0] != uint32(i) {
				t.Fatalf("chunk %d with byte %d flipped: %+v", i, j, r)
			}
		}
		unseen(t, a)
		if r := apply(t, a, i, c); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
			t.Fatalf("chunk %d: %v", i, r.Result)
		}
	}
	must(t, a.Fsck(bg))

	// The same by a liar who makes the metadata fit: each group is checked against the tree.
	groups, err := app.SnapshotGroups(meta, chunks)
	must(t, err)
	for _, g := range groups {
		must(t, g.Check(g.Body))
		for j := range g.Body {
			for _, bit := range []byte{1, 0x80} {
				bad := bytes.Clone(g.Body)
				bad[j] ^= bit
				if g.Check(bad) == nil {
					t.Fatalf("group %d with byte %d flipped is taken", g.Number, j)
				}
			}
		}
		if g.Check(g.Body[:len(g.Body)-1]) == nil || g.Check(append(bytes.Clone(g.Body), 0)) == nil || g.Check(nil) == nil {
			t.Fatalf("group %d cut or lengthened is taken", g.Number)
		}
		for n, bad := range g.Mutants() {
			if g.Check(bad) == nil {
				t.Fatalf("group %d with rows dropped, doubled or out of place is taken (%d)", g.Number, n)
			}
		}
		// A leaf that is alone rises: its subtree and an empty neighbour can change places without a change of the root.
		g.Number ^= 1
		if g.Check(g.Body) == nil {
			t.Fatalf("group %d is taken in its neighbour's place", g.Number^1)
		}
	}
}

// TestSnapshotLiar offers metadata that promises false chunks: whoever made it is found with the first of them.
func TestSnapshotLiar(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 4)
	must(t, err)
	meta, chunks := files(t, info)
	a := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain})
	for k := 0; k < len(chunks); k += 5 {
		for _, at := range []int{0, 1, len(chunks[k]) / 2, len(chunks[k]) - 1} {
			bad := bytes.Clone(chunks[k])
			bad[at] ^= 4
			if r := offer(t, a, info.Height, app.WithChunk(meta, k, sha256.Sum256(bad)), len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_ACCEPT {
				t.Fatalf("offer: %v", r)
			}
			for i := range chunks {
				c := chunks[i]
				if i == k {
					c = bad
				}
				r := apply(t, a, i, c)
				unseen(t, a)
				if r.Result == abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT && i >= k && len(r.RejectSenders) == 1 {
					break
				}
				// A group that goes on in the next chunk is found false there.
				if r.Result != abci.ResponseApplySnapshotChunk_ACCEPT || i > k+3 {
					t.Fatalf("chunk %d, byte %d false: chunk %d is answered %v", k, at, i, r.Result)
				}
			}
		}
	}
	// Chunks that change nothing: as many as the metadata may promise would lie on the disk of who takes them.
	for name, bad := range map[string][]byte{"no byte": {}, "an empty part": {chunks[0][0], 0, 0}, "many": bytes.Repeat([]byte{chunks[0][0], 0, 0}, 1000)} {
		if r := offer(t, a, info.Height, app.WithChunk(meta, 0, sha256.Sum256(bad)), len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_ACCEPT {
			t.Fatalf("offer: %v", r)
		}
		if r := apply(t, a, 0, bad); r.Result != abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT || len(r.RejectSenders) != 1 {
			t.Errorf("%s: a chunk that changes nothing is answered %v", name, r.Result)
		}
	}
	for name, bad := range map[string][]byte{"cut": meta[:len(meta)-1], "longer": append(bytes.Clone(meta), 0), "none": nil} {
		if r := offer(t, a, info.Height, bad, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
			t.Errorf("%s: %v", name, r)
		}
	}
	// Chunks left out at the end: nothing of it shows.
	if r := offer(t, a, info.Height, app.WithoutLastChunk(meta), len(chunks)-1, s.AppHash); r != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("offer: %v", r)
	}
	for i, c := range chunks[:len(chunks)-1] {
		want := abci.ResponseApplySnapshotChunk_ACCEPT
		if i == len(chunks)-2 {
			want = abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT
		}
		if r := apply(t, a, i, c); r.Result != want {
			t.Fatalf("chunk %d of a snapshot that lacks its last: %v", i, r.Result)
		}
		unseen(t, a)
	}
	other := bytes.Clone(s.AppHash)
	other[3] ^= 1
	if r := offer(t, a, info.Height, meta, len(chunks), other); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
		t.Errorf("another app hash: %v", r)
	}
	if r := offer(t, a, info.Height+1, meta, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
		t.Errorf("another height: %v", r)
	}
	// After all that the true one passes.
	syncFrom(t, a, info, s.AppHash)
	must(t, a.Fsck(bg))
	if r := offer(t, a, info.Height, meta, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_ABORT {
		t.Errorf("a home with blocks: %v", r)
	}
}

// TestSnapshotOfAnotherChain is refused before its first chunk.
func TestSnapshotOfAnotherChain(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	meta, chunks := files(t, info)
	a := newApp(t, app.Options{InMemory: true, ChainID: "test-other"})
	if r := offer(t, a, info.Height, meta, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
		t.Fatalf("%v", r)
	}
}

// TestSnapshotOfAnotherTime: the app hash does not bind the time of the block, its header does.
func TestSnapshotOfAnotherTime(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	meta, chunks := files(t, info)
	at := s.Apps[0].Status().BlockTime
	unknown := errors.New("no header")
	a := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain, BlockTime: func(_ context.Context, height int64) (time.Time, error) {
		if height != info.Height {
			t.Errorf("the time of height %d is asked for", height)
		}
		return at, unknown
	}})
	if r := offer(t, a, info.Height, meta, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_REJECT {
		t.Errorf("no header is known: %v", r)
	}
	unknown = nil
	for _, later := range []time.Duration{time.Nanosecond, time.Second, 40 * 24 * time.Hour} {
		bad := app.WithTime(meta, at.Add(later))
		must(t, app.CheckSnapshot(bad, s.AppHash, s.Chain))
		if r := offer(t, a, info.Height, bad, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
			t.Errorf("%s later: %v", later, r)
		}
		dir := filepath.Join(t.TempDir(), filepath.Base(info.Dir))
		must(t, os.CopyFS(dir, os.DirFS(info.Dir)))
		must(t, os.WriteFile(filepath.Join(dir, "metadata"), bad, 0o600))
		if err := a.RestoreSnapshot(bg, dir, s.AppHash, at); err == nil || !strings.Contains(err.Error(), "its header has") {
			t.Errorf("%s later: %v", later, err)
		}
		unseen(t, a)
	}
	syncFrom(t, a, info, s.AppHash)
	if got := a.Status(); !got.BlockTime.Equal(at) {
		t.Errorf("restored with time %s, want %s", got.BlockTime, at)
	}
}

// TestSnapshotCut stops a restore after each chunk, opens the folder again, and either restores again or begins with genesis.
func TestSnapshotCut(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 16384, 4)
	must(t, err)
	meta, chunks := files(t, info)
	for cut := range chunks {
		dir := t.TempDir()
		a := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
		offer(t, a, info.Height, meta, len(chunks), s.AppHash)
		for i := range cut {
			apply(t, a, i, chunks[i])
		}
		must(t, a.Close())
		b := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
		unseen(t, b)
		if cut%2 == 0 {
			syncFrom(t, b, info, s.AppHash)
		} else {
			replay(t, s, b)
		}
		must(t, b.Fsck(bg))
		sameRows(t, s.Apps[0], b)
		must(t, b.Close())
		c := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
		must(t, c.Fsck(bg))
		sameRows(t, s.Apps[0], c)
		if cut < 2 {
			s.Apps = append(s.Apps, c)
		}
	}
	more()
	for _, a := range s.Apps {
		must(t, a.Fsck(bg))
		sameRows(t, s.Apps[0], a)
	}
}

// TestOutcomesAreNotHeld: a restored node knows that a transaction was executed, and not how it ended; what comes after, it knows.
func TestOutcomesAreNotHeld(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshot(bg, 0, t.TempDir())
	must(t, err)
	a := newApp(t, app.Options{InMemory: true, ChainID: s.Chain})
	syncFrom(t, a, info, s.AppHash)
	ids := func(from int) (ids [][32]byte) {
		for _, b := range s.Blocks[from:] {
			for _, tx := range b.Txs {
				m, _, err := pb.DecodeTx(tx)
				must(t, err)
				ids = append(ids, pb.SignBytes(s.Chain, m.Body))
			}
		}
		return ids
	}
	before := ids(0)
	last := before[len(before)-1]
	for _, who := range []*app.App{s.Apps[0], a} {
		_, held, err := who.Outcome(last)
		must(t, err)
		gone, err := who.NotHeld(last)
		must(t, err)
		if mine := who == a; held == mine || gone != mine {
			t.Errorf("restored %v: held %v, not held %v", mine, held, gone)
		}
		if gone, err := who.NotHeld([32]byte{1}); err != nil || gone {
			t.Error("a transaction that never was is not held")
		}
	}
	s.Apps = append(s.Apps, a)
	height := len(s.Blocks)
	more()
	for _, id := range ids(height) {
		if _, held, err := a.Outcome(id); err != nil || !held {
			t.Errorf("outcome of a later transaction: %v %v", held, err)
		}
	}
}

// replay runs the chain's blocks from genesis.
func replay(t testing.TB, s *apptest.Script, a *app.App) {
	t.Helper()
	doc := s.GenesisDoc()
	params := doc.ConsensusParams.ToProto()
	req := &abci.RequestInitChain{Time: doc.GenesisTime, ChainId: doc.ChainID, InitialHeight: 1, AppStateBytes: doc.AppState, ConsensusParams: &params}
	for _, v := range doc.Validators {
		req.Validators = append(req.Validators, abci.Ed25519ValidatorUpdate(v.PubKey.Bytes(), v.Power))
	}
	_, err := a.InitChain(bg, req)
	must(t, err)
	for _, b := range s.Blocks {
		var txs [][]byte
		for _, tx := range b.Txs {
			txs = append(txs, tx)
		}
		_, err := a.FinalizeBlock(bg, &abci.RequestFinalizeBlock{Txs: txs, Hash: b.Hash(), Height: b.Height, Time: b.Time})
		must(t, err)
		_, err = a.Commit(bg, &abci.RequestCommit{})
		must(t, err)
	}
}

// TestSnapshotsInTheBackground makes them at multiples of a height, keeps two, and serves them.
func TestSnapshotsInTheBackground(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	dir, home := t.TempDir(), filepath.Join(t.TempDir(), "snapshots")
	info, err := s.Apps[0].MakeSnapshot(bg, 0, dir)
	must(t, err)
	server := newApp(t, app.Options{InMemory: true, ChainID: s.Chain, SnapshotDir: home, SnapshotEvery: 3})
	syncFrom(t, server, info, s.AppHash)
	s.Apps = append(s.Apps, server)
	var newest int64
	for range 12 {
		s.Block()
		server.WaitSnapshots()
		if s.Height()%3 == 0 {
			newest = s.Height()
		}
	}
	if s.Height() == newest { // the block after it carries its hash
		s.Block()
		server.WaitSnapshots()
	}
	list, err := server.ListSnapshots(bg, &abci.RequestListSnapshots{})
	must(t, err)
	if len(list.Snapshots) != 2 || list.Snapshots[0].Height != uint64(newest) || list.Snapshots[1].Height != uint64(newest-3) {
		t.Fatalf("offered: %+v", list.Snapshots)
	}
	hash := func(h uint64) []byte { return s.Blocks[h].AppHash } // of h+1
	for _, offered := range list.Snapshots {
		a := newApp(t, app.Options{InMemory: true, ChainID: s.Chain})
		r, err := a.OfferSnapshot(bg, &abci.RequestOfferSnapshot{Snapshot: offered, AppHash: hash(offered.Height)})
		must(t, err)
		if r.Result != abci.ResponseOfferSnapshot_ACCEPT {
			t.Fatalf("offer: %v", r.Result)
		}
		for i := range offered.Chunks {
			c, err := server.LoadSnapshotChunk(bg, &abci.RequestLoadSnapshotChunk{Height: offered.Height, Format: offered.Format, Chunk: i})
			must(t, err)
			if r := apply(t, a, int(i), c.Chunk); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
				t.Fatalf("chunk %d: %v", i, r.Result)
			}
		}
		if got := a.Status(); got.Height != int64(offered.Height) || !bytes.Equal(got.AppHash, hash(offered.Height)) {
			t.Fatalf("restored to %+v", got)
		}
	}
	// What is not there, or damaged, is not served.
	for _, q := range []*abci.RequestLoadSnapshotChunk{
		{Height: 1, Format: 1}, {Height: uint64(newest), Format: 1}, {Height: uint64(newest), Format: 2, Chunk: 1 << 30}, {Height: 1 << 63, Format: 1},
	} {
		if c, err := server.LoadSnapshotChunk(bg, q); err != nil || len(c.Chunk) > 0 {
			t.Errorf("%+v is served", q)
		}
	}
	name := filepath.Join(home, fmt.Sprintf("%012d", newest), "000000")
	raw, err := os.ReadFile(name)
	must(t, err)
	raw[len(raw)/2] ^= 1
	must(t, os.WriteFile(name, raw, 0o600))
	if c, err := server.LoadSnapshotChunk(bg, &abci.RequestLoadSnapshotChunk{Height: uint64(newest), Format: 1}); err != nil || len(c.Chunk) > 0 {
		t.Error("a damaged chunk is served")
	}
}

// TestSnapshotsOffered: who asks is answered from memory until a snapshot comes or goes, and a damaged one hides no other.
func TestSnapshotsOffered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := story(t, apptest.Options{Apps: 1})
	a := newApp(t, app.Options{InMemory: true, ChainID: s.Chain, SnapshotDir: dir})
	offered := func() (heights []uint64) {
		r, err := a.ListSnapshots(bg, &abci.RequestListSnapshots{})
		must(t, err)
		for _, o := range r.Snapshots {
			heights = append(heights, o.Height)
		}
		return heights
	}
	if got := offered(); got != nil {
		t.Fatalf("offered %v of none", got)
	}
	first, err := s.Apps[0].MakeSnapshot(bg, 0, dir)
	must(t, err)
	s.Block()
	second, err := s.Apps[0].MakeSnapshot(bg, 0, dir)
	must(t, err)
	both := []uint64{uint64(second.Height), uint64(first.Height)}
	if got := offered(); !slices.Equal(got, both) {
		t.Fatalf("offered %v, want %v", got, both)
	}
	name := filepath.Join(second.Dir, "metadata")
	st, err := os.Stat(name)
	must(t, err)
	raw, err := os.ReadFile(name)
	must(t, err)
	raw[0] ^= 1
	must(t, os.WriteFile(name, raw, 0o600))
	must(t, os.Chtimes(name, st.ModTime(), st.ModTime()))
	if got := offered(); !slices.Equal(got, both) {
		t.Errorf("offered %v, want %v: it was read again though nothing has come or gone", got, both)
	}
	must(t, os.Chtimes(name, st.ModTime(), st.ModTime().Add(time.Second)))
	if got := offered(); !slices.Equal(got, both[1:]) {
		t.Errorf("offered %v, want %v: the other one is whole", got, both[1:])
	}
}

// TestRestoreFromFolder is what the command does. A damaged chunk is named, and the home stays empty.
func TestRestoreFromFolder(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 1})
	info, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 4)
	must(t, err)
	_, chunks := files(t, info)
	a := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain})
	for i := range chunks {
		name := filepath.Join(info.Dir, fmt.Sprintf("%06d", i))
		bad := bytes.Clone(chunks[i])
		bad[len(bad)/3] ^= 8
		must(t, os.WriteFile(name, bad, 0o600))
		err := a.RestoreSnapshot(bg, info.Dir, s.AppHash, s.Apps[0].Status().BlockTime)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("chunk %d of %d", i, len(chunks))) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("chunk %d: %v", i, err)
		}
		unseen(t, a)
		must(t, os.WriteFile(name, chunks[i], 0o600))
	}
	must(t, a.RestoreSnapshot(bg, info.Dir, s.AppHash, s.Apps[0].Status().BlockTime))
	if err := a.RestoreSnapshot(bg, info.Dir, s.AppHash, s.Apps[0].Status().BlockTime); err == nil {
		t.Fatal("a home with blocks was filled again")
	}
	s.Apps = append(s.Apps, a)
	more()
}
