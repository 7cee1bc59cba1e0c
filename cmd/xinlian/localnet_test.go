package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// xinlian runs the program as a process of its own and gives what it wrote.
func xinlian(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	return xinlianWith(t, nil, code, args...)
}

// xinlianWith runs the program with variables beside those of the test.
func xinlianWith(t *testing.T, env []string, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = &out, &errs
	c.Run()
	if got := c.ProcessState.ExitCode(); got != code {
		t.Fatalf("xinlian %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// programWith is xinlian with variables, where a test has them for all that it starts.
func programWith(env ...string) func(t *testing.T, code int, args ...string) (stdout, stderr string) {
	return func(t *testing.T, code int, args ...string) (stdout, stderr string) {
		t.Helper()
		return xinlianWith(t, env, code, args...)
	}
}

// network makes a network with the sample firms in it, as localnet up does. This process makes it, so that it and those of tests beside it have ports of their own, also while
// nodes are down.
func network(t *testing.T, o runner.Options) *runner.Network {
	t.Helper()
	o.Program = os.Args[0]
	t.Cleanup(func() { runner.Down(o.Dir) })
	n, _, err := runner.Up(t.Context(), o)
	if err == nil {
		err = enrolSample(t.Context(), n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// chinaTime is a time of legal clocks.
func chinaTime(year int, month time.Month, day, hour int) time.Time {
	return time.Date(year, month, day, hour, 0, 0, 0, time.FixedZone("UTC+8", 8*3600))
}

func status(t *testing.T, dir string) runner.Status {
	t.Helper()
	out, _ := xinlian(t, 0, "localnet", "status", "--dir", dir, "--json")
	var s runner.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// patience is how long a test waits for what must come.
func patience() time.Duration {
	if os.Getenv("XINLIAN_LONG") != "" {
		return 30 * time.Minute
	}
	return 4 * time.Minute // a disk that others fill takes its time over each sync
}

// eventually looks until a condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience())
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came to this: %s", what)
		case <-tick.C:
		}
	}
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// rotateTrust has the nodes' validators sign a trust file that follows, one after the other, until there are enough.
func rotateTrust(t *testing.T, n *runner.Network, old []byte, trust *attest.Trust) {
	t.Helper()
	dir := t.TempDir()
	newer := *trust
	newer.NotAfter = trust.NotAfter.Add(24 * time.Hour)
	next, out := filepath.Join(dir, "next.json"), filepath.Join(dir, "rotation.json")
	if err := os.WriteFile(next, newer.Encode(), 0o644); err != nil {
		t.Fatal(err)
	}
	rotate := func() error {
		rotation, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := attest.Rotate(old, rotation, time.Now())
		if err == nil && !bytes.Equal(got, newer.Encode()) {
			t.Error("another trust file comes out")
		}
		return err
	}
	for i, want := range []string{"1 have signed, more are needed", "2 have signed", "enough have signed"} {
		for range 2 { // a second time adds nothing
			said, _ := xinlian(t, 0, "trust", "sign", n.TrustPath(), next, "--home", n.Nodes[i].Home, "--out", out)
			if !strings.Contains(said, want) {
				t.Errorf("validator %d: %s", i, said)
			}
		}
		if err := rotate(); (err == nil) != (i == 2) {
			t.Errorf("after %d signatures: %v", i+1, err)
		}
	}
	if _, said := xinlian(t, 1, "trust", "sign", next, n.TrustPath(), "--home", n.Nodes[3].Home, "--out", out); !strings.Contains(said, "another trust file") {
		t.Error(said)
	}
	xinlian(t, 2, "trust", "sign", next, "--out", out)
	xinlian(t, 2, "trust", "sign", out, next, "--home", n.Nodes[3].Home, "--out", out)
	xinlian(t, 3, "trust", "sign", n.TrustPath(), next, "--home", dir, "--out", out)
}

// TestLocalnet walks a network of real processes through all that localnet can do to it.
func TestLocalnet(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four processes")
	}
	dir := filepath.Join(t.TempDir(), "net")
	t.Cleanup(func() { runner.Down(dir) })
	xinlian(t, 0, "localnet", "up", "--dir", dir, "--detach", "--chain-id", "test-localnet", "--legal-origin", "2026-07-01T08:00:00+08:00", "--clock-rate", "86400")
	if _, said := xinlian(t, 2, "localnet", "up", "--dir", dir, "--detach", "--validators", "3"); !strings.Contains(said, "--validators 4") {
		t.Fatalf("a folder with another network was taken: %s", said)
	}

	n, err := runner.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(n.TrustPath())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.ParseTrust(raw)
	if err != nil || trust.ChainID != "test-localnet" || trust.Anchor.Height != 1 || len(trust.Validators) != 4 {
		t.Errorf("trust file %+v, %v", trust, err)
	}
	for _, d := range n.Nodes { // the nodes' file can be compared with this one, byte for byte; in the next month it ends later
		if code, said := fetch(t, d.API+"/v1/trust"); code != http.StatusOK || said != string(raw) && gateway.TrustEnds(time.Now()).Equal(trust.NotAfter) {
			t.Errorf("%s has another trust file: %d %s\n%s", d.Name, code, said, raw)
		}
	}
	rotateTrust(t, n, raw, trust)
	api := n.Nodes[0].API
	if code, body := fetch(t, api+"/v1/subjects?limit=5"); code != http.StatusOK || !strings.Contains(body, `"next":"`) {
		t.Errorf("the sample firms are not enrolled: %d %s", code, body)
	}
	if code, body := fetch(t, n.Nodes[0].Metrics); code != http.StatusOK || !strings.Contains(body, "xinlian_height") || !strings.Contains(body, "cometbft_consensus_height") {
		t.Errorf("metrics: %d", code)
	}

	// One of four dies and comes back.
	before := status(t, dir).Common
	xinlian(t, 0, "localnet", "kill", "node2", "--dir", dir)
	eventually(t, "three of four go on", func() bool { return status(t, dir).Common > before+2 })
	xinlian(t, 0, "localnet", "restart", "node2", "--dir", dir)
	eventually(t, "the fourth is back and agrees", func() bool {
		s := status(t, dir)
		return s.Nodes[1].Ready && s.Agree
	})

	// Without a quorum the nodes stay, and say what they see.
	xinlian(t, 0, "localnet", "kill", "node3", "--dir", dir)
	xinlian(t, 0, "localnet", "pause", "node4", "--dir", dir)
	eventually(t, "readyz says what power it sees", func() bool {
		code, body := fetch(t, api+"/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "power seen 20 of 40")
	})
	if s := status(t, dir); s.Nodes[0].State != "running" || s.Nodes[2].State != "stopped" || s.Nodes[3].State != "paused" {
		t.Errorf("status %+v", s)
	}
	xinlian(t, 0, "localnet", "resume", "node4", "--dir", dir)
	xinlian(t, 0, "localnet", "restart", "node3", "--dir", dir)
	eventually(t, "all four are ready and agree", func() bool {
		s := status(t, dir)
		for _, d := range s.Nodes {
			if !d.Ready {
				return false
			}
		}
		return s.Agree
	})

	// A paused node is ended as well; the network starts again where it stood.
	xinlian(t, 0, "localnet", "pause", "node4", "--dir", dir)
	height := status(t, dir).Common
	xinlian(t, 0, "localnet", "down", "--dir", dir)
	for _, d := range status(t, dir).Nodes {
		if d.State != "stopped" {
			t.Errorf("%s is %s after down", d.Name, d.State)
		}
	}
	xinlian(t, 0, "localnet", "up", "--dir", dir, "--detach")
	eventually(t, "after down and up all agree, and go on", func() bool {
		s := status(t, dir)
		return s.Agree && s.Common > height
	})
	for _, d := range n.Nodes {
		log, err := os.ReadFile(n.LogPath(d.Name))
		if err != nil || bytes.Contains(log, []byte("goroutine ")) {
			t.Errorf("%s: %v, or a stack trace in its log", d.Name, err)
		}
	}
	xinlian(t, 0, "localnet", "down", "--dir", dir)
}

// TestHome: a home from nothing, and what faults of it and of the command line look like: one line each.
func TestHome(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	out, _ := xinlian(t, 0, "init", "--home", home, "--json")
	var id struct {
		NodeID string `json:"node_id"`
		Key    []byte `json:"validator_key"`
	}
	if err := json.Unmarshal([]byte(out), &id); err != nil || len(id.NodeID) != 40 || len(id.Key) != 32 {
		t.Errorf("init says %s", out)
	}
	oneLine := func(code int, want string, args ...string) {
		t.Helper()
		_, stderr := xinlian(t, code, args...)
		if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("xinlian %s says %q, want one line with %q", strings.Join(args, " "), stderr, want)
		}
	}
	oneLine(1, "exists already", "init", "--home", home)
	oneLine(1, "genesis", "start", "--home", home)
	oneLine(1, "xinlian init", "start", "--home", filepath.Join(dir, "none"))
	oneLine(2, "unknown flag", "start", "--nonsense")
	oneLine(2, "unknown command", "nonsense")
	oneLine(2, "no verb", "keys", "nonsense")
	oneLine(2, "--dir", "localnet", "up")
	oneLine(2, "--validators", "localnet", "up", "--dir", dir, "--validators", "0")
	oneLine(2, "--legal-origin", "localnet", "up", "--dir", dir, "--legal-origin", "yesterday")
	oneLine(2, "arg", "keys", "show")
	if out, _ := xinlian(t, 0, "config", "--home", home); !strings.Contains(out, "api.listen") || !strings.Contains(out, "timeout_commit") {
		t.Errorf("config says %s", out)
	}
	if out, _ := xinlian(t, 0, "version", "--json"); !json.Valid([]byte(out)) {
		t.Errorf("version says %s", out)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	word := filepath.Join(dir, "word")
	if err := os.WriteFile(word, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	xinlian := programWith("XINLIAN_PASSPHRASE_FILE=" + word)
	folder := filepath.Join(dir, "keys")
	added, _ := xinlian(t, 0, "keys", "add", "ops", "--keys", folder, "--json")
	var k struct{ Address string }
	if err := json.Unmarshal([]byte(added), &k); err != nil || !strings.HasPrefix(k.Address, "0x") {
		t.Fatalf("add says %s", added)
	}
	xinlian(t, 1, "keys", "add", "ops", "--keys", folder)
	copied := filepath.Join(dir, "copy.json")
	xinlian(t, 0, "keys", "export", "ops", "--keys", folder, "--out", copied)
	shown, _ := xinlian(t, 0, "keys", "import", "again", copied, "--keys", folder)
	if !strings.Contains(shown, k.Address) {
		t.Errorf("import says %s, want %s", shown, k.Address)
	}
	rotated, _ := xinlian(t, 0, "keys", "rotate", "ops", "--keys", folder)
	if !strings.Contains(rotated, "put_member") || !strings.Contains(rotated, k.Address) {
		t.Errorf("rotate says %s", rotated)
	}
	xinlian(t, 0, "keys", "rotate", "ops", "--finish", "--keys", folder)
	if list, _ := xinlian(t, 0, "keys", "list", "--keys", folder); strings.Count(list, "\n") != 3 {
		t.Errorf("list says %s", list)
	}
}
