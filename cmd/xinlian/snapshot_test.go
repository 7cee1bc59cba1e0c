package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// empty takes from a stopped home all that a new one does not have: what CometBFT and the ledger have stored.
func empty(t *testing.T, home string) {
	t.Helper()
	for _, name := range []string{"data/blockstore.db", "data/state.db", "data/evidence.db", "data/cs.wal", node.StateDir} {
		if err := os.RemoveAll(filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func snapshots(t *testing.T, home string) (list []snapshotView) {
	t.Helper()
	out, _ := xinlian(t, 0, "snapshot", "list", "--home", home, "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSnapshots: nodes make snapshots while blocks go on; an empty home begins with one of them and follows the chain; and one that was made of a stopped
// node goes into an empty home without any node's help.
func TestSnapshots(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three processes")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "net")
	n := network(t, runner.Options{Dir: dir, ChainID: "test-join", Validators: 2, FullNodes: 1, LegalOrigin: chinaTime(2026, 7, 1, 8), ClockRate: 86400})
	xinlian(t, 0, "localnet", "down", "--dir", dir)
	for _, d := range n.Nodes[:2] {
		name := filepath.Join(d.Home, node.ConfigFile)
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(raw), "snapshot_every = 0", "snapshot_every = 40", 1)
		if text == string(raw) {
			t.Fatal("the setting is not in the file")
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	xinlian(t, 0, "localnet", "up", "--dir", dir, "--detach")
	n, err := runner.Load(dir) // its processes are others now
	if err != nil {
		t.Fatal(err)
	}
	full := n.Nodes[2]
	firms, err := n.Enrol(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	enrolled := status(t, dir).Common
	eventually(t, "both make a snapshot of one height, with the same bytes", func() bool {
		a, b := snapshots(t, n.Nodes[0].Home), snapshots(t, n.Nodes[1].Home)
		return len(a) > 0 && len(b) > 0 && a[0].Height > enrolled && a[0].Height == b[0].Height && a[0].Hash == b[0].Hash
	})
	if _, text := xinlian(t, exitUnreadable, "snapshot", "create", "--home", n.Nodes[0].Home); !strings.Contains(text, "stop the node first") {
		t.Errorf("of a running node: %s", text)
	}

	// A home without a past joins.
	xinlian(t, 0, "localnet", "kill", full.Name, "--dir", dir)
	empty(t, full.Home)
	join := func() *process {
		t.Helper()
		// The first gateway is down, and there is no folder for temporary files.
		p := runProcess(t, []string{"TMPDIR=" + filepath.Join(dir, "nowhere"), "XINLIAN_PASSPHRASE_FILE=" + filepath.Join(dir, "keys", "passphrase")}, "start", "--home", full.Home,
			"--join", "http://127.0.0.1:1,"+n.Nodes[0].API+","+n.Nodes[1].API, "--key", "gov1", "--keys", filepath.Join(dir, "keys"), "--trust", n.TrustPath())
		waitAnswer(t, p, full.API)
		eventually(t, "it agrees with the others", func() bool { return status(t, dir).Agree })
		eventually(t, "it has read the standings", func() bool { return strings.Contains(p.output(), "standings are in memory") })
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code, last := p.wait(t); code != 0 {
			t.Fatalf("exit code %d: %s", code, last)
		}
		return p
	}
	if p, want := join(), fmt.Sprintf(`"standings are in memory" subjects=%d `, firms); !strings.Contains(p.output(), want) {
		t.Errorf("want a line with %s:\n%s", want, p.output())
	}
	joined := sound(t, full.Home)
	if left, err := os.ReadDir(filepath.Join(full.Home, node.ChunksDir)); err != nil || len(left) > 0 {
		t.Errorf("the chunks of the snapshot: %v %v", left, err)
	}
	if joined.FirstBlock <= 1 {
		t.Errorf("it has blocks from %d: it did not begin with a snapshot", joined.FirstBlock)
	}
	// One of CometBFT's stores is lost: it is said in one line, and what that says helps.
	removeAll(t, filepath.Join(full.Home, "data/blockstore.db"))
	refused(t, "cs.wal too, nothing else, and start with --join", full.Home)
	removeAll(t, filepath.Join(full.Home, "data/state.db"), filepath.Join(full.Home, "data/cs.wal"))
	join()
	sound(t, full.Home)
	xinlian(t, 0, "localnet", "down", "--dir", dir)

	// What a crash between the last chunk and the engine's own stores leaves is said in one line.
	for _, name := range []string{"data/blockstore.db", "data/state.db", "data/cs.wal"} {
		if err := os.RemoveAll(filepath.Join(full.Home, name)); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "or start with --join", full.Home)

	// From a stopped node's snapshot, without the help of any node.
	out := t.TempDir()
	xinlian(t, 0, "snapshot", "create", "--home", n.Nodes[0].Home, "--out", out)
	made, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%v %v", made, err)
	}
	empty(t, full.Home)
	chunk := filepath.Join(made[0], "000000")
	raw, err := os.ReadFile(chunk)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(chunk, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, text := xinlian(t, exitFailed, "snapshot", "restore", "--home", full.Home, "--from", made[0]); !strings.Contains(text, "chunk 0 of 1") || strings.Count(text, "\n") != 1 {
		t.Errorf("a tampered chunk: %s", text)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(chunk, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time as after a crash at the end
		xinlian(t, 0, "snapshot", "restore", "--home", full.Home, "--from", made[0], "--trust", n.TrustPath())
	}
	restored, source := sound(t, full.Home), sound(t, n.Nodes[0].Home)
	if restored.Height != source.Height-1 && restored.Height != source.Height {
		t.Errorf("restored to height %d, the source is at %d", restored.Height, source.Height)
	}
	if _, text := xinlian(t, exitFailed, "snapshot", "restore", "--home", n.Nodes[1].Home, "--from", made[0]); !strings.Contains(text, "empty home") {
		t.Errorf("into a home with blocks: %s", text)
	}
	// The whole network with it.
	xinlian(t, 0, "localnet", "up", "--dir", dir, "--detach")
	eventually(t, "all agree", func() bool { s := status(t, dir); return s.Agree && s.Common > source.Height+2 })
}

// TestJoinKilled kills (SIGKILL) a node that joins between two chunks of its snapshot. Started again in the same way it goes on from what it had applied, and follows the chain.
func TestJoinKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "net")
	t.Cleanup(func() { runner.Down(dir) })
	xinlian(t, 0, "bench", "fill", "--dir", dir, "--records", "30000", "--full-nodes", "1")
	n, err := runner.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	source, full := n.Nodes[0], n.Nodes[1]
	xinlian(t, 0, "snapshot", "create", "--home", source.Home)
	made := snapshots(t, source.Home)[0]
	if made.Chunks < 2 {
		t.Fatalf("%d chunks: there is nothing between them", made.Chunks)
	}
	const often = "XINLIAN_ENGINE_CONSENSUS_CREATE_EMPTY_BLOCKS_INTERVAL=500ms" // the headers after the snapshot prove it
	xinlianWith(t, []string{often}, 0, "localnet", "restart", source.Name, "--dir", dir)
	empty(t, full.Home)
	join := func() *process {
		return runProcess(t, []string{"XINLIAN_LOG_ENGINE=info", often, "XINLIAN_PASSPHRASE_FILE=" + filepath.Join(dir, "keys", "passphrase")}, "start", "--home", full.Home, "--join", source.API, "--key", "gov1", "--keys", filepath.Join(dir, "keys"), "--trust", n.TrustPath())
	}
	// A chunk whose file is damaged is not served: the second comes only afterwards.
	second := filepath.Join(made.Dir, "000001")
	chunk, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	chunk[0] ^= 1
	write(t, second, string(chunk))
	p := join()
	eventually(t, "the first chunk is applied", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the node has ended:\n%s", p.output())
		default:
		}
		return strings.Contains(p.output(), "Applied snapshot chunk")
	})
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	chunk[0] ^= 1
	write(t, second, string(chunk))
	p = join()
	waitAnswer(t, p, full.API)
	if want := fmt.Sprintf("chunks=%d applied_before=1", made.Chunks); !strings.Contains(p.output(), want) {
		t.Errorf("want a line with %s:\n%s", want, p.output())
	}
	eventually(t, "it agrees and follows", func() bool { return follows(t, source.API, full.API, int64(made.Height)+2) })
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, last := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, last)
	}
	if joined := sound(t, full.Home); joined.FirstBlock <= 1 {
		t.Errorf("it has blocks from %d: it did not begin with a snapshot", joined.FirstBlock)
	}
	if left, err := os.ReadDir(filepath.Join(full.Home, node.ChunksDir)); err != nil || len(left) > 0 {
		t.Errorf("the chunks of the snapshot: %v %v", left, err)
	}
}

// follows says whether a node that the test has started itself, of which localnet status knows nothing, is above a height and has there what another has.
func follows(t *testing.T, of, api string, above int64) bool {
	t.Helper()
	var at struct {
		Height int64 `json:"height"`
	}
	answer := func(api, path string, v any) bool {
		status, body := fetch(t, api+path)
		return status == http.StatusOK && json.Unmarshal([]byte(body), v) == nil
	}
	if !answer(api, "/v1/status", &at) || at.Height <= above {
		return false
	}
	var own, other struct {
		AppHashAfter string `json:"app_hash_after"`
	}
	path := fmt.Sprintf("/v1/headers/%d", at.Height)
	if !answer(api, path, &own) || !answer(of, path, &other) {
		return false
	}
	if own != other || own.AppHashAfter == "" {
		t.Fatalf("%s: %s here, %s there", path, own.AppHashAfter, other.AppHashAfter)
	}
	return true
}

// TestRestoreWithoutWitnesses: what a trust file asks for beside the validators is not asked for here, and that is said.
func TestRestoreWithoutWitnesses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	home, _ := oldHome(t)
	n, err := runner.Load(filepath.Dir(home))
	if err != nil {
		t.Fatal(err)
	}
	xinlian(t, 0, "snapshot", "create", "--home", home)
	empty(t, home)
	if _, text := xinlian(t, 0, "snapshot", "restore", "--home", home, "--trust", n.TrustPath()); text != "" {
		t.Errorf("a trust file that asks for nobody else: %s", text)
	}
	raw, err := os.ReadFile(n.TrustPath())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.ParseTrust(raw)
	if err != nil {
		t.Fatal(err)
	}
	trust.Witnesses = attest.Witnesses{Required: 1, Keys: []attest.Witness{{Name: "witness.example", PubKey: make([]byte, 32)}}}
	file := filepath.Join(t.TempDir(), "trust.json")
	write(t, file, string(trust.Encode()))
	_, text := xinlian(t, 0, "snapshot", "restore", "--home", home, "--trust", file) // as after a crash at its end
	if strings.Count(text, "\n") != 1 || !strings.Contains(text, "asks for 1 witnesses and time stamps of 0 authorities") {
		t.Errorf("it says %q", text)
	}
}

// TestSnapshotsOfNoHome: a folder that is not there is no home without snapshots.
func TestSnapshotsOfNoHome(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	if out, text := xinlian(t, exitUnreadable, "snapshot", "list", "--home", none); out != "" || strings.Count(text, "\n") != 1 || !strings.Contains(text, none+" is no node's home") {
		t.Errorf("it says %q and %q", out, text)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("it made the folder")
	}
}

// TestLongJoin lets an empty home join a network of 1,000,000 records (XINLIAN_RECORDS) with pruned blocks behind it, while the chain goes on, and prints
// what that takes. XINLIAN_LONG=1 runs it.
func TestLongJoin(t *testing.T) {
	if os.Getenv("XINLIAN_LONG") == "" {
		t.Skip("XINLIAN_LONG is not set")
	}
	records := envNumber(t, "XINLIAN_RECORDS", 1_000_000)
	dir := filepath.Join(t.TempDir(), "net")
	t.Cleanup(func() { runner.Down(dir) })
	xinlian(t, 0, "bench", "fill", "--dir", dir, "--records", strconv.FormatInt(records, 10), "--retain", "100", "--keep-blocks", "5", "--full-nodes", "1")
	n, err := runner.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	source, full := n.Nodes[0], n.Nodes[1]
	name := filepath.Join(source.Home, node.ConfigFile)
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "snapshot_every = 0", "snapshot_every = 5", 1)
	if text == string(raw) {
		t.Fatal("the setting is not in the file")
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := sound(t, source.Home)
	if before.FirstBlock <= 1 {
		t.Fatalf("the source has blocks from %d: none is pruned", before.FirstBlock)
	}
	if err := runner.Restart(t.Context(), dir, source.Name, os.Args[0]); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	eventually(t, "a snapshot is made", func() bool { return len(snapshots(t, source.Home)) > 0 })
	made := snapshots(t, source.Home)[0]
	t.Logf("%d records: the snapshot of height %d is there %s after the start of the node", records, made.Height, time.Since(started).Round(time.Second))
	empty(t, full.Home)
	t.Setenv("XINLIAN_PASSPHRASE_FILE", filepath.Join(dir, "keys", "passphrase"))
	started = time.Now()
	p := startWith(t, full.Home, "--join", source.API, "--key", "gov1", "--keys", filepath.Join(dir, "keys"), "--trust", n.TrustPath())
	waitAnswer(t, p, full.API)
	t.Logf("joined and ready after %s", time.Since(started).Round(time.Second))
	eventually(t, "it agrees and follows", func() bool { return follows(t, source.API, full.API, int64(made.Height)+2) })
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, last := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, last)
	}
	joined := sound(t, full.Home)
	if joined.FirstBlock <= before.FirstBlock {
		t.Errorf("it has blocks from %d, the source from %d: it did not begin with a snapshot", joined.FirstBlock, before.FirstBlock)
	}
	t.Logf("blocks from %d, at the source from %d", joined.FirstBlock, before.FirstBlock)
}
