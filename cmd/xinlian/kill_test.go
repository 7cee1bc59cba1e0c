package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/audit"
	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// acknowledged is what the network has said to be recorded: record id to digest of the content that was sent.
type acknowledged struct {
	mu      sync.Mutex
	records map[[32]byte][32]byte
	count   atomic.Int64
	rose    chan struct{} // one element when count rose
}

func (a *acknowledged) add(id, digest [32]byte) {
	a.mu.Lock()
	a.records[id] = digest
	a.mu.Unlock()
	a.count.Add(1)
	select {
	case a.rose <- struct{}{}:
	default:
	}
}

// wait returns when n more records than now are acknowledged.
func (a *acknowledged) wait(t *testing.T, n int64) {
	t.Helper()
	want := a.count.Load() + n
	deadline := time.After(patience())
	for a.count.Load() < want {
		select {
		case <-a.rose:
		case <-deadline:
			t.Fatalf("%d records are acknowledged, and no more for %s", a.count.Load(), patience())
		}
	}
}

// load records penalties through one node, one transaction after the other, until ctx ends. A node that is away is waited for.
func (a *acknowledged) load(ctx context.Context, n *runner.Network, key *keys.Key, issuer, api string, worker int, firms []string) error {
	c, err := client.New(client.Options{URL: api, Key: key, Patience: 10 * time.Minute})
	if err != nil {
		return err
	}
	defer c.Close()
	today := calendar.Of(n.LegalOrigin.Unix())
	text := sha256.Sum256([]byte("synthetic facts"))
	const perTx = 5
	for no := 1; ; no++ {
		var msgs []pb.Msg
		contents := map[[32]byte][32]byte{}
		for i := range perTx {
			content := pb.PenaltyContent{
				Issuer: issuer, Subject: firms[(no*perTx+i)%len(firms)], DocNo: fmt.Sprintf("示例监罚〔2026〕%d号", worker*10_000_000+no*perTx+i), Kinds: []uint32{3},
				FineFen: int64(no), DecidedOn: int32(today), ViolationRegion: "410105", Procedure: 2, NoticeServedOn: int32(today) - 7, Statement: 1,
				ServedOn: int32(today), RepairNoticeServed: true, PowerCode: "SC-MARKET", TextDigest: text[:],
			}
			contents[sanction.PenaltyID(content.Issuer, content.DocNo, content.Subject)] = digestOf(&content)
			msgs = append(msgs, pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: content}}})
		}
		o, err := c.Send(ctx, msgs...)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case o.Refused():
			return fmt.Errorf("refused: %w", o.Err())
		}
		for _, r := range o.Results {
			raw, err := hex.DecodeString(r.Record)
			if err != nil || len(raw) != 32 {
				return fmt.Errorf("record id %q", r.Record)
			}
			digest, ok := contents[[32]byte(raw)]
			if !ok {
				return fmt.Errorf("record %s was never sent", r.Record)
			}
			a.add([32]byte(raw), digest)
		}
	}
}

func digestOf(c *pb.PenaltyContent) [32]byte {
	raw, err := c.Marshal()
	if err != nil {
		panic(err)
	}
	return sha256.Sum256(raw)
}

// TestLongKill ends nodes of a network under load with SIGKILL, at random moments, one, several or all at a time, round after round on the same
// homes. What was acknowledged must be there on every node, unchanged, and every node must have the app hash of a replay that nothing disturbed.
//
// XINLIAN_LONG=1 makes it hundreds of rounds (XINLIAN_ROUNDS: how many); XINLIAN_SEED repeats a run's choices.
func TestLongKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four processes")
	}
	t.Parallel()
	rounds := 4
	if os.Getenv("XINLIAN_LONG") != "" {
		rounds = 300
	}
	rounds = int(envNumber(t, "XINLIAN_ROUNDS", int64(rounds)))
	seed := envNumber(t, "XINLIAN_SEED", time.Now().UnixNano())
	t.Logf("%d rounds, seed %d", rounds, seed)
	rng := rand.New(rand.NewPCG(uint64(seed), 1))

	dir := filepath.Join(t.TempDir(), "net")
	zone := time.FixedZone("UTC+8", 8*3600)
	n, _, err := runner.Up(t.Context(), runner.Options{
		Dir: dir, ChainID: "test-kill", Validators: 4, LegalOrigin: time.Date(2026, 7, 1, 8, 0, 0, 0, zone), Program: os.Args[0],
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { runner.Down(dir) })
	if _, err := n.Enrol(t.Context()); err != nil {
		t.Fatal(err)
	}
	// From its first restart on, one of them prunes its history as it goes.
	settings := filepath.Join(n.Nodes[3].Home, node.ConfigFile)
	raw, err := os.ReadFile(settings)
	if err == nil {
		err = os.WriteFile(settings, bytes.Replace(raw, []byte("\nretain = 0\n"), []byte("\nretain = 3\n"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	key, member, err := n.Key("zz-scjg")
	if err != nil {
		t.Fatal(err)
	}
	var firms []string
	for _, s := range sample.Subjects() {
		firms = append(firms, s.Row.Uscc)
	}

	acks := &acknowledged{records: map[[32]byte][32]byte{}, rose: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var workers sync.WaitGroup
	for i, d := range n.Nodes {
		workers.Add(1)
		go func() {
			defer workers.Done()
			if err := acks.load(ctx, n, key, member.USCC, d.API, i+1, firms); err != nil {
				t.Errorf("load through %s: %v", d.Name, err)
			}
		}()
	}
	kills := 0
	for round := range rounds {
		acks.wait(t, 1+rng.Int64N(40))
		victims := rng.Perm(len(n.Nodes))[:[]int{1, 1, 1, 2, 2, 3, 4, 4}[rng.IntN(8)]]
		if round == rounds-1 {
			victims = rng.Perm(len(n.Nodes)) // every run has all at once
		}
		// The moment within a block is part of what is drawn.
		<-time.After(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
		kills += killNodes(t, dir, victims)
		for _, v := range victims {
			if err := runner.Restart(t.Context(), dir, n.Nodes[v].Name, os.Args[0]); err != nil {
				t.Fatalf("round %d: %v", round+1, err)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	acks.wait(t, 20) // it goes on after the last
	stop()
	workers.Wait()
	// A record is acknowledged when one node has its block. All must have it before they are stopped.
	var newest int64
	all := false // have answered since the load ended
	eventually(t, "all are ready, agree, and have what any of them had when the load ended", func() bool {
		s, err := runner.Inspect(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		ready, top := s.Agree, int64(0)
		for _, d := range s.Nodes {
			ready, top = ready && d.Ready, max(top, d.Height)
		}
		if !all {
			newest, all = max(newest, top), ready
		}
		return ready && s.Common >= newest
	})
	if _, err := runner.Down(dir); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d processes were killed, %d records are acknowledged", kills, acks.count.Load())
	for _, d := range n.Nodes {
		checkSurvivor(t, d, acks)
	}
}

// killNodes sends SIGKILL to the processes of nodes one right after the other.
func killNodes(t *testing.T, dir string, victims []int) int {
	t.Helper()
	now, err := runner.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range victims {
		// Children of this process, which takes note of their end: the number is theirs.
		if err := syscall.Kill(now.Nodes[v].PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	return len(victims)
}

// checkSurvivor compares a stopped home with the records that were acknowledged, checks it, and replays its blocks.
func checkSurvivor(t *testing.T, d runner.Node, acks *acknowledged) {
	t.Helper()
	out, _ := xinlian(t, 0, "fsck", "--home", d.Home)
	a, err := app.New(app.Options{Dir: filepath.Join(d.Home, node.StateDir), ReadOnly: true, ChainID: "test-kill"})
	if err != nil {
		t.Fatal(err)
	}
	lost, changed := 0, 0
	err = a.Read(func(r x.Reader) error {
		for id, digest := range acks.records {
			p, ok := sanction.Get(r, id[:])
			if !ok {
				lost++
			} else if digestOf(p.Penalty) != digest {
				changed++
			}
		}
		return nil
	})
	a.Close()
	if err != nil || lost+changed > 0 {
		t.Errorf("%s: of %d acknowledged records %d are lost and %d changed, %v; fsck says: %s", d.Name, len(acks.records), lost, changed, err, out)
	}
	src, err := audit.OpenHome(d.Home)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	report, err := audit.Replay(t.Context(), src, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Agrees {
		t.Errorf("%s: %v", d.Name, report.Difference)
	}
	if !strings.Contains(out, report.AppHash) {
		t.Errorf("%s: the replay ends with app hash %s, fsck says %s", d.Name, report.AppHash, out)
	}
}

// envNumber is a number from the environment.
func envNumber(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
