package receipt_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/receipt"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const firm, other = "91410100Y00100009T", "91410100Y001010019"

var journalKey = bytes.Repeat([]byte{7}, receipt.KeyBytes)

func open(t testing.TB, dir string) *receipt.Journal {
	t.Helper()
	j, err := receipt.Open(dir, journalKey)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func about(t testing.TB, j *receipt.Journal, uscc string, after uint64) (out []*receipt.Entry, proofs []*receipt.Proof) {
	t.Helper()
	for w := (receipt.Wanted{Subject: uscc, Limit: 1000}); ; {
		p, err := j.Page(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range p.Entries {
			if e.Seq > after {
				out, proofs = append(out, e), append(proofs, p.Proofs[i])
			}
		}
		if w.After = p.Next; w.After == "" {
			return out, proofs
		}
	}
}

// opens is a receipt of a query that opened something.
func opens(subject string, authorisation byte) pb.QueryReceipt {
	return pb.QueryReceipt{Subject: subject, Opened: []pb.DataClass{pb.DATA_GRADE}, Authorisation: bytes.Repeat([]byte{authorisation}, 32)}
}

// Many at once never overrun a limit, share writes, and are all there when the file is opened again.
func TestUsesAreCountedOnce(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	const askers, limit = 64, 40
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		recorded int
		refused  int
	)
	for range askers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := j.Record(opens(firm, 1), limit, receipt.Request{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				recorded++
			case errors.Is(err, receipt.ErrUsedUp):
				refused++
			default:
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if recorded != limit || refused != askers-limit {
		t.Errorf("%d were recorded and %d refused; the limit is %d", recorded, refused, limit)
	}
	if j.Writes() >= askers {
		t.Errorf("%d receipts took %d writes", askers, j.Writes())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Record(opens(firm, 2), 0, receipt.Request{}); !errors.Is(err, receipt.ErrClosed) {
		t.Errorf("a closed journal says %v", err)
	}
	j = open(t, dir)
	defer j.Close()
	if n, err := j.Used(opens(firm, 1).Authorisation); err != nil || n != limit {
		t.Errorf("%d uses after a restart, %v", n, err)
	}
	if _, err := j.Record(opens(firm, 1), limit, receipt.Request{}); !errors.Is(err, receipt.ErrUsedUp) {
		t.Errorf("after a restart one more use: %v", err)
	}
	if entries, _ := about(t, j, firm, 0); len(entries) != limit {
		t.Errorf("%d receipts after a restart", len(entries))
	}
}

// An anchor covers all receipts since the one before, is the same whenever it is made, and leads from each receipt to its root; its form is the same whether
// there are none or many.
func TestAnchors(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	if hour, err := j.LastHour(); err != nil || hour != -1 {
		t.Fatal(hour, err)
	}
	empty, err := j.Seal(100)
	if err != nil {
		t.Fatal(err)
	}
	again, err := j.Seal(100)
	if err != nil || again.Root != empty.Root {
		t.Fatalf("sealed twice: %x and %x, %v", empty.Root, again.Root, err)
	}
	for i := range 70 {
		subject := firm
		if i%7 == 0 {
			subject = other
		}
		if _, err := j.Record(opens(subject, byte(i%3)), 100, receipt.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Record(opens(firm, 9), 1, receipt.Request{}); err != nil { // its last use
		t.Fatal(err)
	}
	if _, proofs := about(t, j, firm, 0); proofs[0] != nil {
		t.Error("a receipt has a proof before it is anchored")
	}
	if _, err := j.Seal(99); err == nil {
		t.Error("an hour before the last was sealed")
	}
	a, err := j.Seal(103)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.UsedUp) != 1 || !bytes.Equal(a.UsedUp[0], opens(firm, 9).Authorisation) {
		t.Errorf("used up: %x", a.UsedUp)
	}
	if _, err := j.Record(opens(firm, 4), 0, receipt.Request{}); err != nil {
		t.Fatal(err)
	}
	if again, err := j.Seal(103); err != nil || again.Root != a.Root || len(again.UsedUp) != 1 {
		t.Errorf("sealed again: %+v, %v", again, err)
	}
	entries, proofs := about(t, j, firm, 0)
	for i, e := range entries[:len(entries)-1] {
		p := proofs[i]
		if p == nil || p.Hour != 103 || len(p.Path) != 7 || p.Root != a.Root {
			t.Fatalf("receipt %d: %+v", e.Seq, p)
		}
		leaf := attest.ReceiptLeaf(e.Salt, e.Raw)
		if attest.ReceiptRoot(leaf, p.Place, p.Path) != attest.Hash(a.Root) {
			t.Errorf("receipt %d does not lead to the root", e.Seq)
		}
		if attest.ReceiptRoot(attest.ReceiptLeaf(e.Salt, append(bytes.Clone(e.Raw), 0)), p.Place, p.Path) == attest.Hash(a.Root) {
			t.Error("a changed receipt leads to the root")
		}
	}
	if proofs[len(proofs)-1] != nil {
		t.Error("the newest receipt is anchored already")
	}
	if since, err := j.Waiting(103); err != nil || !since.Equal(time.UnixMilli(entries[len(entries)-1].Receipt.ClockMs)) {
		t.Errorf("the newest receipt waits since %v, %v", since, err)
	}
	if _, err := j.Waiting(104); err == nil {
		t.Error("a journal without the ledger's last anchor says who waits")
	}
	if rest, _ := about(t, j, firm, entries[0].Seq); len(rest) != len(entries)-1 {
		t.Errorf("%d after the first of %d", len(rest), len(entries))
	}
}

// A request has one receipt, also where it comes again at once, after a restart or under a new key. What is remembered of it goes when no gateway takes it any more.
func TestRequestsAreAnsweredOnce(t *testing.T) {
	dir := t.TempDir()
	const at = 1_800_000_000
	request := func(second int64, id string) receipt.Request {
		return receipt.Request{SignedAt: second, ID: []byte(id)}
	}
	j := openSealed(t, dir, "one")
	record := func(clock int64, of receipt.Request) error {
		r := opens(firm, 1)
		r.ClockMs = clock * 1000
		_, err := j.Record(r, 0, of)
		return err
	}
	once := func(when string, of receipt.Request) {
		t.Helper()
		if err := record(at, of); !errors.Is(err, receipt.ErrAnswered) {
			t.Errorf("%s: %v", when, err)
		}
	}
	for _, of := range []receipt.Request{request(at+60, "a"), request(at+60, "b"), request(at+59, "a")} {
		if err := record(at, of); err != nil {
			t.Fatal(err)
		}
		once("at once", of)
	}
	var wg sync.WaitGroup
	var answers atomic.Int64
	for range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if record(at, request(at, "many")) == nil {
				answers.Add(1)
			}
		}()
	}
	if wg.Wait(); answers.Load() != 1 {
		t.Errorf("%d of the same at a time have a receipt", answers.Load())
	}
	if n, err := j.Used(opens(firm, 1).Authorisation); err != nil || n != 4 {
		t.Errorf("%d uses, %v", n, err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(j.Close())
	j = openSealed(t, dir, "one")
	once("after a restart", request(at+60, "a"))
	must(j.Close())
	must(receipt.Rekey(dir, []byte("one"), []byte("two"), nil))
	j = openSealed(t, dir, "two")
	defer j.Close()
	once("under a new key", request(at+60, "b"))
	must(record(at+60+120, request(at+180, "later")))
	once("two minutes after the second that it names", request(at+60, "b"))
	for i := range int64(8) {
		must(record(at+181+i, request(at+181+i, "newest")))
	}
	if n := j.Remembered(); n != 9 {
		t.Errorf("%d requests are remembered, nine may still be taken", n)
	}
}

// crashEnv makes this test's own binary the gateway that is killed.
const crashEnv = "XINLIAN_TEST_RECEIPTS"

// An answer that left has its receipt on disk: a process that tells each receipt once Record has returned is killed at once, and every one that it told is there.
func TestKilledWhileRecording(t *testing.T) {
	if dir := os.Getenv(crashEnv); dir != "" {
		j := open(t, dir)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					e, err := j.Record(opens(firm, byte(w)), 0, receipt.Request{})
					if err != nil {
						return
					}
					fmt.Printf("left %x\n", e.Receipt.Id)
				}
			}()
		}
		wg.Wait()
		return
	}
	for round := range 3 {
		dir := filepath.Join(t.TempDir(), "receipts")
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledWhileRecording$")
		cmd.Env = append(os.Environ(), crashEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var left []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "left "); ok && len(id) == 64 {
				left = append(left, id)
			}
			if len(left) == 100*(round+1) {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed
		if len(left) < 100*(round+1) {
			t.Fatalf("only %d receipts were told", len(left))
		}
		j := open(t, dir)
		entries, _ := about(t, j, firm, 0)
		have := map[string]bool{}
		for _, e := range entries {
			have[hex.EncodeToString(e.Receipt.Id)] = true
		}
		for _, id := range left {
			if !have[id] {
				t.Errorf("round %d: receipt %s left and is not on disk", round, id)
			}
		}
		total := uint64(0)
		for w := range 8 {
			n, err := j.Used(opens(firm, byte(w)).Authorisation)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
		if total != uint64(len(entries)) {
			t.Errorf("round %d: %d uses are counted, %d receipts stand", round, total, len(entries))
		}
		j.Close()
	}
}

func BenchmarkRecord(b *testing.B) {
	j := open(b, b.TempDir())
	defer j.Close()
	b.SetParallelism(128)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := j.Record(opens(firm, 1), 0, receipt.Request{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/float64(j.Writes()), "receipts/write")
}
