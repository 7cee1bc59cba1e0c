package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/cometbft/cometbft/state"
	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/node"
)

// sound runs fsck and gives what it says.
func sound(t *testing.T, home string) (r fsckReport) {
	t.Helper()
	out, _ := xinlian(t, 0, "fsck", "--home", home, "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// signedAt writes what the validator last signed as if that had been a height without a vote in it.
func signedAt(t *testing.T, home string, height int64) {
	t.Helper()
	file := filepath.Join(home, "data", "priv_validator_state.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, `{"height":"%d","round":0,"step":0}`, height), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRollback(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	home, api := oldHome(t)
	before := sound(t, home)
	last := before.LastBlock
	oneLine := func(code int, want string, args ...string) {
		t.Helper()
		_, stderr := xinlian(t, code, append([]string{"rollback", "--home", home}, args...)...)
		if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("rollback %v says %q, want one line with %q", args, stderr, want)
		}
	}
	rollBack := func(home string, args ...string) (r rollbackReport) {
		t.Helper()
		out, _ := xinlian(t, 0, append([]string{"rollback", "--json", "--home", home}, args...)...)
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	oneLine(1, fmt.Sprintf("the last block is %d", last), "--to", fmt.Sprint(last))
	oneLine(2, "heights begin at 1", "--to", "-1")
	signedAt(t, home, last+1)
	oneLine(1, "--as-full-node")
	if now := sound(t, home); now != before {
		t.Errorf("refusals changed the home: %+v, before %+v", now, before)
	}

	t.Run("last block", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		signedAt(t, h, last)
		if r := rollBack(h); r.Height != last-1 || r.Engine != last-1 || r.Was != last || r.LastBlock != last {
			t.Errorf("report %+v", r)
		}
		if r := rollBack(h); r.Height != last-1 || r.Engine != last-1 { // again: nothing more goes
			t.Errorf("again: %+v", r)
		}
		if r := sound(t, h); r.Height != last-1 || r.LastBlock != last {
			t.Errorf("fsck %+v", r)
		}
		runs(t, api, h)
	})
	t.Run("several blocks, a crash between the two", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		signedAt(t, h, last)
		s, err := state.Open(state.Options{Dir: filepath.Join(h, node.StateDir), ChainID: "test-faults", Bind: app.Bind})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Rollback(uint64(last - 3)); err != nil {
			t.Fatal(err)
		}
		s.Close()
		half := copyHome(t, h, t.TempDir())
		runs(t, api, half) // started as the crash left it
		if r := rollBack(h, "--to", fmt.Sprint(last-3)); r.Height != last-3 || r.Engine != last-1 {
			t.Errorf("run again after a crash: %+v", r)
		}
		runs(t, api, h)
	})
	t.Run("cut off", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		signedAt(t, h, last)
		db, err := badger.OpenManaged(badger.DefaultOptions(filepath.Join(h, node.StateDir)).WithLogger(nil))
		if err != nil {
			t.Fatal(err)
		}
		note := db.NewTransactionAt(math.MaxUint64, true) // app/state/FORMAT.md
		err = note.Set([]byte("b"), binary.BigEndian.AppendUint64(nil, uint64(last-1)))
		if err = errors.Join(err, note.CommitAt(1, nil), db.Close()); err != nil {
			t.Fatal(err)
		}
		says := func(want int) {
			t.Helper()
			_, text := xinlian(t, 0, "fsck", "--home", h)
			if line := fmt.Sprintf("a rollback to height %d was cut off", last-2); strings.Count(text, line) != want || strings.Count(text, "\n") != want {
				t.Errorf("fsck says %q", text)
			}
		}
		says(1)
		if r := sound(t, h); r.Height != last-2 || r.RollbackTo == nil || *r.RollbackTo != last-2 {
			t.Errorf("fsck %+v", r)
		}
		out, _ := xinlian(t, 0, "compact", "--home", h, "--json")
		var r compactReport
		if err := json.Unmarshal([]byte(out), &r); err != nil || r.Height != uint64(last-2) {
			t.Errorf("compact says %s, %v", out, err)
		}
		says(0)
		runs(t, api, h)
	})
	t.Run("a state of other blocks", func(t *testing.T) {
		refusal := func(h string, want ...string) {
			t.Helper()
			_, stderr := xinlian(t, exitDamaged, "rollback", "--home", h)
			for _, w := range append(want, "restore both from one copy") {
				if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, w) {
					t.Errorf("it says %q, want one line with %q", stderr, w)
				}
			}
			s, err := state.Open(state.Options{Dir: filepath.Join(h, node.StateDir), ChainID: "test-faults", Bind: app.Bind})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if now := int64(s.Latest().Height); now != last {
				t.Errorf("the ledger went from height %d to %d", last, now)
			}
		}
		behind := copyHome(t, home, t.TempDir()) // the blocks are those of an older copy
		signedAt(t, behind, last-3)
		cfg, _, err := loadHome(behind)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := openEngineStores(cfg.Engine)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, _, err := sm.Rollback(engine.blocks, engine.states, true); err != nil {
				t.Fatal(err)
			}
		}
		engine.close()
		refusal(behind, fmt.Sprintf("state is at height %d, the blocks end at %d", last, last-3))
		if r := rollBack(behind, "--to", fmt.Sprint(last-4)); r.Height != last-4 || r.Was != last || r.LastBlock != last-3 { // who names the height has thought of it
			t.Errorf("by name: %+v", r)
		}
		runs(t, api, behind)

		other := copyHome(t, home, t.TempDir()) // as of a chain that went another way
		signedAt(t, other, last)
		db, err := badger.OpenManaged(badger.DefaultOptions(filepath.Join(other, node.StateDir)).WithLogger(nil))
		if err != nil {
			t.Fatal(err)
		}
		txn := db.NewTransactionAt(uint64(last-1), true) // app/state/FORMAT.md
		item, err := txn.Get([]byte("m"))
		if err != nil {
			t.Fatal(err)
		}
		marker, err := item.ValueCopy(nil)
		if err != nil {
			t.Fatal(err)
		}
		marker[8] ^= 1
		err = txn.Set([]byte("m"), marker)
		if err = errors.Join(err, txn.CommitAt(uint64(last-1), nil), db.Close()); err != nil {
			t.Fatal(err)
		}
		refusal(other, fmt.Sprintf("after height %d", last-1), fmt.Sprintf("block %d carries", last))
		_, stderr := xinlian(t, exitDamaged, "rollback", "--home", other, "--to", fmt.Sprint(last-1))
		if !strings.Contains(stderr, "not of these blocks") {
			t.Errorf("by name it says %q", stderr)
		}
		if r := rollBack(other, "--to", fmt.Sprint(last-2)); r.Height != last-2 {
			t.Errorf("before they part: %+v", r)
		}
		runs(t, api, other)
	})
	t.Run("as a full node", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		key := filepath.Join(h, "config", "priv_validator_key.json")
		old, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		r := rollBack(h, "--as-full-node")
		aside, err := os.ReadFile(r.PutAside)
		fresh, _ := os.ReadFile(key)
		if err != nil || string(aside) != string(old) || string(fresh) == string(old) || len(fresh) == 0 {
			t.Errorf("the key was put aside as %q, %v", r.PutAside, err)
		}
		// The only vote of this chain is gone: the node comes to the last block and no further.
		p := startProcess(t, h)
		eventually(t, "the block has run again", func() bool {
			var s struct {
				Height int64 `json:"height"`
			}
			body, ok := tryFetch(api + "/v1/status")
			return ok && json.Unmarshal([]byte(body), &s) == nil && s.Height == last
		})
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
		if now := sound(t, h); now.Height != last || now.AppHash != before.AppHash {
			t.Errorf("after the run %+v, before %+v", now, before)
		}
	})
}

// TestPutAside finds what a call that was cut off after each of its steps has left, and goes on from there. The old key never stands beside an empty record.
func TestPutAside(t *testing.T) {
	t.Parallel()
	const key, record = "config/priv_validator_key.json", "data/priv_validator_state.json"
	vote := func(height int) string { return fmt.Sprintf(`{"height":"%d","round":0,"step":3}`, height) }
	home := func(files map[string]string) node.Config {
		c := node.Config{Home: t.TempDir(), Engine: node.EngineDefaults(1)}
		c.Engine.SetRoot(c.Home)
		for _, d := range []string{"config", "data"} {
			if err := os.Mkdir(filepath.Join(c.Home, d), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(c.Home, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	read := func(c node.Config, name string) string {
		raw, err := os.ReadFile(filepath.Join(c.Home, name))
		if err != nil {
			t.Error(err)
		}
		return string(raw)
	}
	fresh := func() string {
		c := home(nil)
		if _, err := node.InitKeys(c); err != nil {
			t.Fatal(err)
		}
		return read(c, key)
	}
	voter, other := fresh(), fresh()
	for name, files := range map[string]map[string]string{
		"at the beginning":               {key: voter, record: vote(7)},
		"its record copied":              {key: voter, record: vote(7), record + ".put-aside": vote(7)},
		"both copied":                    {key: voter, record: vote(7), record + ".put-aside": vote(7), key + ".put-aside": voter},
		"both copied, and it voted on":   {key: voter, record: vote(7), record + ".put-aside": vote(6), key + ".put-aside": voter},
		"the new key beside the record":  {key: other, record: vote(7), record + ".put-aside": vote(7), key + ".put-aside": voter},
		"all of it done":                 {key: other, record: vote(0), record + ".put-aside": vote(7), key + ".put-aside": voter},
		"the key moved by an older call": {record: vote(7), key + ".put-aside": voter},
		"both moved by an older call":    {record + ".put-aside": vote(7), key + ".put-aside": voter},
	} {
		c := home(files)
		for range 2 {
			aside, err := putAside(c)
			if err != nil || aside != filepath.Join(c.Home, key+".put-aside") {
				t.Errorf("%s: %q %v", name, aside, err)
				break
			}
			signed, err := node.LastSigned(c.Engine)
			if now := read(c, key); err != nil || signed != 0 || now == voter || now == "" || files[key] == other && now != other {
				t.Errorf("%s: the home's key has signed %d, %v, or is the old one", name, signed, err)
			}
			if read(c, key+".put-aside") != voter || read(c, record+".put-aside") != vote(7) {
				t.Errorf("%s: what is put aside is not the old key with its newest record", name)
			}
		}
	}
	c := home(map[string]string{key: other, record: vote(9), record + ".put-aside": vote(7), key + ".put-aside": voter})
	if _, err := putAside(c); err == nil || !strings.Contains(err.Error(), "was put aside before") || read(c, key) != other || read(c, record) != vote(9) {
		t.Errorf("a second key that votes: %v", err)
	}
}

// tryFetch asks for something that may not answer yet.
func tryFetch(url string) (string, bool) {
	resp, err := http.Get(url)
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return string(raw), err == nil && resp.StatusCode == http.StatusOK
}

func TestCompactVerb(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	home, api := oldHome(t)
	before := sound(t, home)
	var r compactReport
	compacted := func(env ...string) {
		t.Helper()
		out, _ := xinlianWith(t, env, 0, "compact", "--home", home, "--json")
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
	}
	compacted()
	if r.Floor != 0 || r.Height != uint64(before.Height) || len(r.Folders) != 3 {
		t.Errorf("an archive: %+v", r)
	}
	const retain = "XINLIAN_STATE_RETAIN=2"
	compacted(retain)
	if r.Floor != uint64(before.Height-1) {
		t.Errorf("two heights are kept: %+v", r)
	}
	for _, f := range r.Folders {
		if f.Peak < f.After || f.Peak < f.Before || f.After == 0 {
			t.Errorf("%+v", f)
		}
	}
	now := sound(t, home)
	now.Home = before.Home
	if now != before {
		t.Errorf("fsck says %+v, before %+v", now, before)
	}
	if out, _ := xinlianWith(t, []string{retain}, 0, "compact", "--home", home); !strings.Contains(out, "peak") {
		t.Errorf("it says %s", out)
	}
	runs(t, api, home, retain)
}

// TestCompactAt: at the time of day that the operator names, a node whose state has grown stops serving, compacts and comes back in the same process.
func TestCompactAt(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	home, api := oldHome(t)
	// No start compacts a folder below 256 MB. A file of zeros that nobody owns makes it larger.
	junk, err := os.Create(filepath.Join(home, node.StateDir, "junk"))
	if err == nil {
		err = syscall.Fallocate(int(junk.Fd()), 0, 0, 260<<20)
		junk.Close()
	}
	if err != nil {
		t.Skipf("this file system gives no room ahead: %v", err)
	}
	note := filepath.Join(home, "data", "xinlian.compacted")
	if err := os.WriteFile(note, []byte(`{"height":1,"bytes":1000000000}`), 0o600); err != nil { // the start before the hour leaves it alone
		t.Fatal(err)
	}
	now := time.Now().In(time.FixedZone("", 8*3600)).Format("15:04")
	p := startProcess(t, home, "XINLIAN_STATE_COMPACT_AT="+now, "XINLIAN_STATE_COMPACT_RATIO=1.5", "XINLIAN_STATE_RETAIN=2")
	waitAnswer(t, p, api)
	if err := os.WriteFile(note, []byte(`{"height":1,"bytes":1000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the node says\n%s", p.output())
		}
	})
	// The next look is in the next minute.
	eventually(t, "the state is compacted", func() bool { return strings.Contains(p.output(), "the state is compacted") })
	waitAnswer(t, p, api)
	eventually(t, "it says that it has started again", func() bool { return strings.Count(p.output(), "node started") > 1 })
	if out := p.output(); !strings.Contains(out, "stopping to compact the state") || strings.Count(out, "node started") != 2 {
		t.Errorf("the node says\n%s", out)
	}
	if body, ok := tryFetch(api + "/metrics"); !ok || !strings.Contains(body, `xinlian_compaction_bytes{when="peak"}`) {
		t.Errorf("metrics show no peak: %v", ok)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, last := p.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, last)
	}
	sound(t, home)
}
