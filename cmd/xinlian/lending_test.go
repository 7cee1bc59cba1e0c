package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/receipt"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// heldReceipt is a receipt as a lender holds it.
type heldReceipt struct {
	ID     string `json:"id"`
	Bytes  string `json:"bytes"`
	Salt   string `json:"salt"`
	Anchor *struct {
		Hour   int64    `json:"hour"`
		Root   string   `json:"root"`
		Place  uint64   `json:"place"`
		Path   []string `json:"path"`
		Height *int64   `json:"height"`
	} `json:"anchor"`
}

// TestReceiptsRekey changes the key of a gateway that has given receipts: twice, the second time with the passphrase. What it gave before is there and proven, uses go on
// being counted, and what it gives afterwards is under the new key.
func TestReceiptsRekey(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	t.Parallel()
	work := t.TempDir()
	dir := filepath.Join(work, "net")
	t.Cleanup(func() { runner.Down(dir) })
	// An hour of legal time takes four seconds, and an idle chain makes a block twice a second, so that anchors come.
	const often = "XINLIAN_ENGINE_CONSENSUS_CREATE_EMPTY_BLOCKS_INTERVAL=500ms"
	xinlianWith(t, []string{often}, 0, "localnet", "up", "--dir", dir, "--validators", "1", "--detach", "--chain-id", "test-rekey", "--legal-origin", "2026-07-15T09:00:00+08:00", "--clock-rate", "900")
	n, err := runner.Load(dir)
	must(t, err)
	home, api := n.Nodes[0].Home, n.Nodes[0].API
	xinlian := programWith(often, "XINLIAN_PASSPHRASE_FILE="+n.PassphrasePath(), "XINLIAN_HOME="+filepath.Join(work, "home"), "XINLIAN_NODE="+api)
	as := func(key string, args ...string) []string { return append(args, "--keys", n.KeysPath(), "--key", key) }
	write := func(name, text string) string {
		path := filepath.Join(work, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	_, gateway, err := n.Key(runner.LendingKey)
	must(t, err)
	bankKey, bank, err := n.Key("bank")
	must(t, err)
	firm := sample.Subjects()[0].Row.Uscc

	// The firm allows the bank two uses.
	firmKeys := filepath.Join(work, "firm")
	xinlian(t, 0, "keys", "add", "firm", "--keys", firmKeys)
	proof, _ := xinlian(t, 0, "keys", "prove", "firm", "--keys", firmKeys, "--chain-id", "test-rekey", "--subject", firm)
	var p map[string]any
	must(t, json.Unmarshal([]byte(proof), &p))
	p["evidence"] = "电子营业执照核验记录"
	registration, err := json.Marshal(p)
	must(t, err)
	xinlian(t, 0, as("registry", "tx", "firm", "register-key", "--json-file", write("register.json", string(registration)))...)
	content := write("content.json", fmt.Sprintf(`{"subject": %q, "grantee": %q, "gateway": %q, "purpose": "pre_loan", "classes": ["commitments"],
		"grant_no": "SQ-2026-1", "granted_on": "2026-07-15", "valid_until": "2026-12-31", "max_uses": 2}`, firm, bank.USCC, gateway.USCC))
	grant, _ := xinlian(t, 0, "keys", "authorise", "firm", "--keys", firmKeys, "--chain-id", "test-rekey", "--json-file", content)
	granted, _ := xinlian(t, 0, as("bank", "tx", "consent", "grant", "--json", "--json-file", write("grant.json", grant))...)
	var outcome struct {
		Results []struct{ Record string } `json:"results"`
	}
	must(t, json.Unmarshal([]byte(granted), &outcome))
	authorisation := outcome.Results[0].Record

	c, err := client.New(client.Options{URL: api, Key: bankKey})
	must(t, err)
	defer c.Close()
	// query asks, and gives the receipt and why something was not opened.
	query := func(authorisation string, classes ...string) (r heldReceipt, refused string) {
		t.Helper()
		out, err := c.Query(t.Context(), client.Question{Subject: firm, Purpose: "pre_loan", Authorisation: authorisation, Classes: classes})
		must(t, err)
		var v struct {
			Receipt heldReceipt `json:"receipt"`
			Refused []struct {
				Refusal struct{ Code string } `json:"refusal"`
			} `json:"refused"`
		}
		must(t, json.Unmarshal(out, &v))
		for _, x := range v.Refused {
			refused += x.Refusal.Code
		}
		return v.Receipt, refused
	}
	receipts := func() (all []heldReceipt) {
		t.Helper()
		out, err := c.Receipts(t.Context(), firm, "", 100)
		must(t, err)
		var v struct {
			Receipts []heldReceipt `json:"receipts"`
		}
		must(t, json.Unmarshal(out, &v))
		return v.Receipts
	}
	anchored := func(count int) []heldReceipt {
		var all []heldReceipt
		asked := int64(-1)
		eventually(t, "all receipts are anchored", func() bool {
			// Once a block: a key may sign the same request sixty times a minute.
			s, err := c.Status(t.Context())
			must(t, err)
			if s.Height == asked {
				return false
			}
			asked = s.Height
			all = receipts()
			for _, r := range all {
				if r.Anchor == nil || r.Anchor.Height == nil {
					return false
				}
			}
			return true
		})
		if len(all) != count {
			t.Fatalf("%d receipts, want %d", len(all), count)
		}
		return all
	}
	// prove holds that the ledger's anchors cover receipts.
	prove := func(all []heldReceipt) {
		t.Helper()
		raw, err := os.ReadFile(n.TrustPath())
		must(t, err)
		trust, err := attest.ParseTrust(raw)
		must(t, err)
		for _, r := range all {
			req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/v1/anchors/%s/%d", api, gateway.USCC, r.Anchor.Hour), nil)
			must(t, err)
			req.Header.Set("Accept", attest.AnchorProofMediaType)
			resp, err := http.DefaultClient.Do(req)
			must(t, err)
			file, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			must(t, err)
			a, err := attest.OpenAnchorProof(file, trust, attest.Policy{Now: time.Now()})
			must(t, err)
			bytes, err := base64.StdEncoding.DecodeString(r.Bytes)
			must(t, err)
			salt, err := hex.DecodeString(r.Salt)
			must(t, err)
			var path []attest.Hash
			for _, h := range r.Anchor.Path {
				raw, err := hex.DecodeString(h)
				must(t, err)
				path = append(path, attest.Hash(raw))
			}
			if _, err := a.Covers(bytes, salt, r.Anchor.Place, path); err != nil {
				t.Errorf("receipt %s: %v", r.ID, err)
			}
		}
	}
	if _, refused := query(authorisation, "commitments"); refused != "" {
		t.Fatalf("with an authorisation for two uses the first opens nothing: %s", refused)
	}
	query("")
	before := anchored(2)
	prove(before)

	// Not while the node runs.
	rekey := func(code int, want string, args ...string) {
		t.Helper()
		out, stderr := xinlian(t, code, append([]string{"receipts", "rekey", "--home", home}, args...)...)
		if said := out + stderr; strings.Count(said, "\n") != 1 || !strings.Contains(said, want) {
			t.Errorf("it says %q, want one line with %q", said, want)
		}
	}
	rekey(3, "in use by another process: stop the node first")
	rekey(3, "请先停止节点", "--lang", "zh")
	xinlian(t, 0, "localnet", "down", "--dir", dir)

	folder := filepath.Join(home, node.ReceiptsDir)
	oldKey, err := os.ReadFile(filepath.Join(folder, receipt.KeyFileName))
	must(t, err)
	rekey(1, "--was names the file", "--was", write("wrong", "another"))
	rekey(2, "--was", "--was", filepath.Join(work, "nowhere"))
	plain := filepath.Join(work, "plain")
	xinlian(t, 0, "init", "--home", plain, "--genesis", filepath.Join(home, "config", "genesis.json"))
	rekey(2, "lending.member is empty", "--home", plain)
	rekey(0, "under a new key")

	// The passphrase of the gateway's key is changed too.
	word, err := keys.ReadPassphrase(n.PassphrasePath())
	must(t, err)
	config := filepath.Join(home, "config")
	sealed, err := keys.Open(config).Export(runner.LendingKey)
	must(t, err)
	must(t, os.Remove(filepath.Join(config, runner.LendingKey+".json")))
	_, err = keys.Open(config).Import(runner.LendingKey, sealed, word, "another word")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(config, runner.LendingKey+".passphrase"), []byte("another word\n"), 0o600))
	refused(t, "lending.passphrase must be that under which its key was sealed", home)
	rekey(1, "--was names the file")
	rekey(0, "under a new key", "--was", n.PassphrasePath())
	files, err := os.ReadDir(folder)
	must(t, err)
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 || f.Name() != receipt.FileName && f.Name() != receipt.KeyFileName {
			t.Errorf("it leaves %s, %v", f.Name(), info.Mode())
		}
	}

	xinlian(t, 0, "localnet", "up", "--dir", dir, "--detach")
	was, err := json.Marshal(before)
	must(t, err)
	if is, err := json.Marshal(receipts()); err != nil || string(is) != string(was) {
		t.Errorf("the receipts are\n%s\nand were\n%s", is, was)
	}
	prove(before)
	last, refusal := query(authorisation, "commitments")
	if refusal != "" {
		t.Errorf("the second use of two: %s", refusal)
	}
	if _, refusal := query(authorisation, "commitments"); refusal != "E_AUTH_USED_UP" {
		t.Errorf("the third use of two: %q", refusal)
	}
	all := anchored(4)
	prove(all)

	// The firm reads them a page at a time.
	read, after := 0, ""
	for pages := 1; ; pages++ {
		args := []string{"query", "receipts", firm, "--keys", firmKeys, "--key", "firm", "--limit", "3"}
		if after != "" {
			args = append(args, "--after", after)
		}
		out, _ := xinlian(t, 0, args...)
		read += strings.Count(out, " pre_loan ")
		_, more, ok := strings.Cut(out, "more: --after ")
		if !ok || pages == 2 {
			if ok || pages != 2 || read != len(all) {
				t.Errorf("%d receipts on %d pages:\n%s", read, pages, out)
			}
			break
		}
		after, _, _ = strings.Cut(more, "\n")
	}
	xinlian(t, 0, "localnet", "down", "--dir", dir)

	// The new key has the receipts of before and after it, the old one none.
	kept := filepath.Join(work, "kept")
	must(t, os.CopyFS(kept, os.DirFS(folder)))
	j, err := receipt.OpenSealed(kept, []byte("another word"))
	must(t, err)
	found := false
	page, err := j.Page(t.Context(), receipt.Wanted{Subject: firm, Limit: 1000})
	must(t, err)
	for _, e := range page.Entries {
		found = found || base64.StdEncoding.EncodeToString(e.Raw) == last.Bytes
	}
	if count, err := j.Receipts(); err != nil || count != 4 || !found {
		t.Errorf("%d receipts under the new key, the last one among them: %v, %v", count, found, err)
	}
	must(t, j.Close())
	must(t, os.WriteFile(filepath.Join(kept, receipt.KeyFileName), oldKey, 0o600))
	if _, err := receipt.OpenSealed(kept, []byte(word)); err == nil || !strings.Contains(err.Error(), "does not open this journal") {
		t.Errorf("the old key: %v", err)
	}
}
