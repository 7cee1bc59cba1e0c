package main

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// TestStartAfterJoin: a home that has blocks goes on from them, whatever became of the files and gateways that its first start named: unit files keep their line, and the program
// starts itself again to compact.
func TestStartAfterJoin(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	home, api := oldHome(t)
	ended := &attest.Trust{ChainID: "test-faults", Anchor: attest.Anchor{Height: 1, HeaderHash: attest.Hash{1}}, NotAfter: time.Now().Add(-time.Hour).UTC()}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	ended.Validators = []attest.TrustedValidator{{Validator: attest.Validator{PubKey: key, Power: 10}, FromHeight: 1}}
	trust := filepath.Join(t.TempDir(), "ended.json")
	write(t, trust, string(ended.Encode()))
	goesOn := func(home, trust string) {
		t.Helper()
		p := startWith(t, home, "--join", "http://127.0.0.1:1,http://127.0.0.1:2", "--key", "nobody", "--keys", t.TempDir(), "--trust", trust)
		waitAnswer(t, p, api)
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code, last := p.wait(t); code != 0 {
			t.Errorf("exit code %d: %s", code, last)
		}
	}
	goesOn(home, trust)
	goesOn(home, filepath.Join(t.TempDir(), "gone.json"))
	removeAll(t, filepath.Join(home, node.StateDir)) // the ledger's state is made anew from the blocks
	goesOn(home, trust)
	// An empty home needs them.
	empty(t, home)
	p := startWith(t, home, "--join", "http://127.0.0.1:1", "--key", "nobody", "--keys", t.TempDir(), "--trust", trust)
	if code, last := p.wait(t); code == 0 {
		t.Errorf("an empty home starts: %s", last)
	}
	if _, err := os.Stat(filepath.Join(home, "data/blockstore.db")); err == nil {
		t.Error("a start that was refused has made stores")
	}
}

// Threads are two a processor and long work one, unless the operator has said how many.
func TestSpread(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	for _, tt := range []struct {
		env                       string
		workers, threads, working int
	}{
		{"", 0, 2 * was, was},
		{"", 1, 2 * was, 1},
		{"3", 0, was, 0}, // the runtime has read it
	} {
		runtime.GOMAXPROCS(was)
		t.Setenv("GOMAXPROCS", tt.env)
		var c node.Config
		c.Settings.State.Workers = tt.workers
		spread(&c)
		if n := runtime.GOMAXPROCS(0); n != tt.threads || c.Settings.State.Workers != tt.working {
			t.Errorf("%+v: %d threads, %d workers", tt, n, c.Settings.State.Workers)
		}
	}
}

// A node collects sooner than the runtime would, unless the operator has said when.
func TestCollect(t *testing.T) {
	const own = 100
	was := debug.SetGCPercent(own)
	defer debug.SetGCPercent(was)
	for env, want := range map[string]int{"": garbage, "200": own} { // the runtime has read it
		t.Setenv("GOGC", env)
		debug.SetGCPercent(own)
		collect()
		if got := debug.SetGCPercent(own); got != want {
			t.Errorf("GOGC=%q: %d, want %d", env, got, want)
		}
	}
}
