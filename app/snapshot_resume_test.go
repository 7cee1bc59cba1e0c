package app_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

const resumeChild = "XINLIAN_APP_TEST_RESUME"

// TestSnapshotResume kills a process (SIGKILL) after each chunk that it has applied. The next one goes on from there: it needs the chunks before no more
// where they are files, and applies them no more where the engine brings all of them again; a false one is still its sender's end.
func TestSnapshotResume(t *testing.T) {
	if at := os.Getenv(resumeChild); at != "" {
		applyForever(t, strings.Split(at, "\n"))
		return
	}
	// Not beside others: until a new process runs its own program it has all files of this one, and a folder that another test closes meanwhile stays locked.
	s, more := story(t, apptest.Options{Apps: 1})
	made, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 2)
	must(t, err)
	meta, chunks := files(t, made)
	if len(chunks) < 8 {
		t.Fatalf("%d chunks: too few to stop at", len(chunks))
	}
	for k := 0; k <= len(chunks); k++ { // with the last one the state is there
		dir := t.TempDir()
		killAfterChunk(t, dir, made.Dir, s, k)
		a := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
		if k < len(chunks) {
			unseen(t, a)
			if r := offer(t, a, made.Height, meta, len(chunks), s.AppHash); r != abci.ResponseOfferSnapshot_ACCEPT {
				t.Fatalf("offer: %v", r)
			}
			// A group that goes on in the next chunk is not whole yet; here none is longer than a few.
			have := a.AppliedBefore()
			if have > k || have < k-3 {
				t.Fatalf("killed after %d chunks, found %d", k, have)
			}
			if k%2 == 0 {
				a.LeaveRestore()
				without := t.TempDir()
				must(t, os.CopyFS(without, os.DirFS(made.Dir)))
				for i := range have {
					must(t, os.Remove(filepath.Join(without, fmt.Sprintf("%06d", i))))
				}
				must(t, a.RestoreSnapshot(bg, without, s.AppHash, s.Apps[0].Status().BlockTime))
			} else {
				for i, c := range chunks {
					bad := bytes.Clone(c)
					bad[len(bad)/2] ^= 1
					if r := apply(t, a, i, bad); r.Result != abci.ResponseApplySnapshotChunk_RETRY || len(r.RejectSenders) != 1 {
						t.Fatalf("a false chunk %d, %d are there: %v", i, have, r.Result)
					}
					unseen(t, a)
					if r := apply(t, a, i, c); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
						t.Fatalf("chunk %d, %d are there: %v", i, have, r.Result)
					}
				}
			}
		}
		if got := a.Status(); got.Height != made.Height || !bytes.Equal(got.AppHash, s.AppHash) {
			t.Fatalf("killed after %d chunks: restored to %+v", k, got)
		}
		must(t, a.Fsck(bg))
		sameRows(t, s.Apps[0], a)
		if k%7 == 3 {
			s.Apps = append(s.Apps, a)
		}
	}
	more()
	for _, a := range s.Apps {
		must(t, a.Fsck(bg))
		sameRows(t, s.Apps[0], a)
	}
}

// TestSnapshotStoppedAtItsEnd stops a restore between the rows that follow from others and its end. It goes on, from files or from the engine.
func TestSnapshotStoppedAtItsEnd(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 1})
	if members(t, s.Apps[0]) == 0 {
		t.Fatal("nobody is in a pack: nothing of one would be left behind")
	}
	made, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 1<<20, 512)
	must(t, err)
	meta, chunks := files(t, made)
	for _, engine := range []bool{false, true} {
		dir := t.TempDir()
		a := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
		offer(t, a, made.Height, meta, len(chunks), s.AppHash)
		for i, c := range chunks[:len(chunks)-1] {
			apply(t, a, i, c)
		}
		must(t, a.StopInRebuild(chunks[len(chunks)-1]))
		must(t, a.Close())
		b := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
		unseen(t, b)
		if engine {
			syncFrom(t, b, made, s.AppHash)
		} else {
			must(t, b.RestoreSnapshot(bg, made.Dir, s.AppHash, s.Apps[0].Status().BlockTime))
		}
		must(t, b.Fsck(bg))
		sameRows(t, s.Apps[0], b)
		s.Apps = append(s.Apps, b)
	}
	more()
	for _, a := range s.Apps {
		must(t, a.Fsck(bg))
		sameRows(t, s.Apps[0], a)
	}
}

// TestSnapshotOverLostRows: a folder says how far a restore had come and has not the rows. That is found at the end, where nobody can tell whose fault it is: the restore
// begins anew, nobody is accused of it, and the folder is not stuck.
func TestSnapshotOverLostRows(t *testing.T) {
	t.Parallel()
	s, more := story(t, apptest.Options{Apps: 1})
	made, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 2)
	must(t, err)
	meta, chunks := files(t, made)
	for _, k := range []int{2, len(chunks) / 2, len(chunks) - 2} {
		for _, part := range []int{1, 2, 7} { // all rows are lost, or every second, or every seventh
			for _, engine := range []bool{false, true} {
				dir := t.TempDir()
				a := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
				offer(t, a, made.Height, meta, len(chunks), s.AppHash)
				for i := range k {
					apply(t, a, i, chunks[i])
				}
				a.LeaveRestore()
				must(t, a.Close())
				loseRows(t, dir, made.Height, part)
				b := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
				if engine {
					offer(t, b, made.Height, meta, len(chunks), s.AppHash)
					if b.AppliedBefore() == 0 {
						t.Fatal("the restore does not go on")
					}
					if r := applyAll(t, b, chunks); r.Result != abci.ResponseApplySnapshotChunk_RETRY_SNAPSHOT || len(r.RejectSenders) > 0 {
						t.Fatalf("%d applied before, at the end: %v, senders %q", k, r.Result, r.RejectSenders)
					}
					syncFrom(t, b, made, s.AppHash)
				} else {
					must(t, b.RestoreSnapshot(bg, made.Dir, s.AppHash, s.Apps[0].Status().BlockTime))
				}
				must(t, b.Fsck(bg))
				sameRows(t, s.Apps[0], b)
				if part == 7 {
					s.Apps = append(s.Apps, b)
				}
			}
		}
	}
	more()
	for _, a := range s.Apps {
		must(t, a.Fsck(bg))
	}
}

// loseRows deletes every nth of the ledger's rows at a height from a closed folder.
func loseRows(t *testing.T, dir string, height int64, nth int) {
	t.Helper()
	db, err := badger.OpenManaged(badger.DefaultOptions(dir).WithLogger(nil))
	must(t, err)
	txn := db.NewTransactionAt(math.MaxUint64, true)
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte("r")})
	var keys [][]byte
	for it.Rewind(); it.Valid(); it.Next() {
		keys = append(keys, it.Item().KeyCopy(nil))
	}
	it.Close()
	for i, key := range keys {
		if i%nth == 0 {
			must(t, txn.Delete(key))
		}
	}
	must(t, txn.CommitAt(uint64(height), nil))
	must(t, db.Close())
}

// TestSnapshotOfAnotherRoot: all chunks hold, and the rows have another root: whoever made the snapshot is believed no more, and the home is empty again.
func TestSnapshotOfAnotherRoot(t *testing.T) {
	t.Parallel()
	s, _ := story(t, apptest.Options{Apps: 1})
	made, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 2)
	must(t, err)
	meta, chunks := files(t, made)
	dir := t.TempDir()
	a := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
	offer(t, a, made.Height, meta, len(chunks), s.AppHash)
	must(t, a.OtherRow())
	if r := applyAll(t, a, chunks); r.Result != abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT {
		t.Fatalf("at the end: %v", r.Result)
	}
	unseen(t, a)
	must(t, a.Close())
	b := newApp(t, app.Options{Dir: dir, ChainID: s.Chain})
	must(t, b.RestoreSnapshot(bg, made.Dir, s.AppHash, s.Apps[0].Status().BlockTime))
	sameRows(t, s.Apps[0], b)
}

// members counts those who are in a pack.
func members(t *testing.T, a *app.App) (n int) {
	t.Helper()
	must(t, a.Read(func(r x.Reader) error {
		for _, set := range pb.PackSets {
			n += len(app.PackMembers(r, set)) / 32
		}
		return nil
	}))
	return n
}

// killAfterChunk lets a process take a snapshot into dir and kills it after so many chunks.
func killAfterChunk(t *testing.T, dir, from string, s *apptest.Script, k int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestSnapshotResume$")
	child.Env = append(os.Environ(), resumeChild+"="+strings.Join([]string{dir, from, s.Chain, fmt.Sprintf("%x", s.AppHash)}, "\n"))
	out, err := child.StdoutPipe()
	must(t, err)
	in, err := child.StdinPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if got := lines.Text(); got != fmt.Sprintf("applied %d", n) {
			t.Fatalf("the process says %q", got)
		}
		if n == k {
			break
		}
		fmt.Fprintln(in)
	}
	must(t, child.Process.Kill())
	child.Wait()
}

// applyForever applies one chunk for each line that it is sent.
func applyForever(t *testing.T, at []string) {
	info, err := app.ReadSnapshot(at[1])
	must(t, err)
	var hash []byte
	_, err = fmt.Sscanf(at[3], "%x", &hash)
	must(t, err)
	meta, chunks := files(t, info)
	a := newApp(t, app.Options{Dir: at[0], ChainID: at[2]})
	if r := offer(t, a, info.Height, meta, len(chunks), hash); r != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("offer: %v", r)
	}
	in := bufio.NewScanner(os.Stdin)
	for i := 0; ; i++ {
		fmt.Printf("applied %d\n", i)
		if !in.Scan() {
			return // nobody listens
		}
		if r := apply(t, a, i, chunks[i]); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
			t.Fatalf("chunk %d: %v", i, r.Result)
		}
	}
}
