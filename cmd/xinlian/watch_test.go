package main

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// TestWatch follows a portfolio over a node of its own, over a restart of it, beside the offline pack that speaks of the same firms.
func TestWatch(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	t.Parallel()
	work := t.TempDir()
	dir := filepath.Join(work, "net")
	n := network(t, runner.Options{Dir: dir, ChainID: "test-watch", Validators: 1, LegalOrigin: chinaTime(2026, 7, 15, 9)})
	xinlian := programWith("XINLIAN_PASSPHRASE_FILE="+n.PassphrasePath(), "XINLIAN_HOME="+filepath.Join(work, "home"), "XINLIAN_NODE="+n.Nodes[0].API)
	as := func(key string, args ...string) []string { return append(args, "--keys", n.KeysPath(), "--key", key) }
	write := func(name string, raw []byte) string {
		path := filepath.Join(work, name)
		must(t, os.WriteFile(path, raw, 0o600))
		return path
	}
	poll := func() (said string, firms map[string]bool) {
		out := filepath.Join(work, "changed.xla")
		_ = os.Remove(out)
		said, _ = xinlian(t, 0, as("gov1", "watch", "poll", "portfolio", "--out", out, "--limit", "10000")...)
		raw, err := os.ReadFile(out)
		if err != nil {
			return said, nil
		}
		b, err := attest.DecodeBundle(raw)
		must(t, err)
		firms = map[string]bool{}
		for i := range b.Entries {
			firms[b.Entries[i].Subject] = true
		}
		return said, firms
	}
	ack := func(code int, more ...string) (string, string) {
		return xinlian(t, code, as("gov1", append([]string{"watch", "ack", "portfolio", filepath.Join(work, "changed.xla"), "--max-age", "1h"}, more...)...)...)
	}

	// A portfolio, twice; then its standings, which are acknowledged once a bundle of them is verified.
	firms := write("firms.csv", sample.File(sample.SubjectsCSV))
	first, _ := xinlian(t, 0, as("gov1", "watch", "add", "portfolio", "--file", firms)...)
	if again, _ := xinlian(t, 0, as("gov1", "watch", "add", "portfolio", "--file", firms)...); again != first || !strings.HasPrefix(first, "portfolio\t") {
		t.Errorf("%q, then %q", first, again)
	}
	said, all := poll()
	if len(all) < 100 || !strings.Contains(said, "UNVERIFIED") {
		t.Fatalf("%d firms: %s", len(all), said)
	}
	raw, err := os.ReadFile(n.TrustPath())
	must(t, err)
	other := write("other.json", bytes.ReplaceAll(raw, []byte("test-watch"), []byte("test-other")))
	if _, said := ack(1, "--trust", other); !strings.Contains(said, "nothing is acknowledged") {
		t.Error(said)
	}
	if _, again := poll(); len(again) != len(all) {
		t.Errorf("%d of %d firms differ after a bundle that was not verified", len(again), len(all))
	}
	xinlian(t, 2, as("gov1", "watch", "ack", "portfolio", filepath.Join(work, "changed.xla"), "--max-age", "0s", "--trust", n.TrustPath())...)
	// A trust file that asks for a witness, whose cosignature the lender has.
	trust, err := attest.ParseTrust(raw)
	must(t, err)
	const name = "w1.example/xinlian"
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	trust.Witnesses = attest.Witnesses{Required: 1, Keys: []attest.Witness{{Name: name, PubKey: key.Public().(ed25519.PublicKey)}}}
	asking := write("asking.json", trust.Encode())
	if _, said := ack(1, "--trust", asking); !strings.Contains(said, attest.CodeWitnessQuorum) {
		t.Error(said)
	}
	file, err := os.ReadFile(filepath.Join(work, "changed.xla"))
	must(t, err)
	b, err := attest.DecodeBundle(file)
	must(t, err)
	point, err := attest.Checkpoint(b.Header.ChainId, b.Header.Height, attest.HeaderHash(b.Header))
	must(t, err)
	ack(0, "--trust", asking, "--witness", write("changed.xlw", append(append(bytes.Clone(point), '\n'), attest.Cosign(point, name, key, time.Now())...)))
	if said, left := poll(); left != nil || !strings.Contains(said, "no standing differs") {
		t.Errorf("%d firms differ: %s", len(left), said)
	}

	// Penalties are published. The watch outlives the process of the gateway.
	lines := bytes.SplitAfterN(sample.File(sample.PenaltiesCSV), []byte("\n"), 62)
	report := filepath.Join(work, "out.csv")
	xinlian(t, 1, as("ops", "import", "penalties", write("penalties.csv", bytes.Join(lines[:61], nil)), "--report", report)...)
	xinlian(t, 0, as("ops", "tx", "sanction", "publish", "--from-report", report)...)
	xinlian(t, 0, "localnet", "down", "--dir", dir)
	xinlian(t, 0, "localnet", "up", "--dir", dir, "--detach")
	var changed map[string]bool
	eventually(t, "the firms that were punished differ", func() bool {
		_, changed = poll()
		return len(changed) > 5
	})
	if len(changed) >= len(all) {
		t.Errorf("%d of %d firms differ", len(changed), len(all))
	}
	must(t, err)
	var pack *attest.Pack
	eventually(t, "the pack is there", func() bool {
		code, body := fetch(t, n.Nodes[0].API+"/v1/packs/negative")
		if code != http.StatusOK {
			return false
		}
		trust, err := attest.ParseTrust(raw)
		must(t, err)
		pack, err = attest.OpenPack([]byte(body), trust, attest.Policy{Claim: attest.NoNegative, MaxAge: time.Hour, Now: time.Now()})
		must(t, err)
		return true
	})
	for uscc := range all {
		in, err := pack.Contains(uscc)
		must(t, err)
		if in != changed[uscc] {
			t.Errorf("%s: in the pack %v, told of by the watch %v", uscc, in, changed[uscc])
		}
	}
	ack(0, "--trust", n.TrustPath())
	if _, left := poll(); left != nil {
		t.Errorf("%d firms differ", len(left))
	}

	xinlian(t, 0, as("gov1", "watch", "list")...)
	if shown, _ := xinlian(t, 0, as("gov1", "watch", "list", "portfolio")...); strings.Count(shown, "\n") < 100 {
		t.Error(shown)
	}
	xinlian(t, 2, as("gov1", "watch", "add", "portfolio", "123")...)
	xinlian(t, 2, as("gov1", "watch", "add", "portfolio")...)
	for uscc := range changed {
		xinlian(t, 0, as("gov1", "watch", "remove", "portfolio", uscc)...)
		break
	}
	xinlian(t, 0, as("gov1", "watch", "remove", "portfolio", "--all")...)
	xinlian(t, 1, as("gov1", "watch", "list", "portfolio")...)
	xinlian(t, 0, "localnet", "down", "--dir", dir)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
