package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/audit"
)

// oldHome makes the home of a chain with one validator, which has run for some blocks and was stopped in order.
func oldHome(t *testing.T) (home, api string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "net")
	n, _, err := runner.Up(t.Context(), runner.Options{
		Dir: dir, ChainID: "test-faults", Validators: 1, ClockRate: 86400, LegalOrigin: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), Program: os.Args[0],
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { runner.Down(dir) })
	if _, err := n.Enrol(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "some blocks are there", func() bool { return status(t, dir).Common > 6 })
	if _, err := runner.Down(dir); err != nil {
		t.Fatal(err)
	}
	return n.Nodes[0].Home, n.Nodes[0].API
}

// copyHome copies a stopped home to dir/home. Holes of files stay holes, since nothing but the content of a stopped node is in them.
func copyHome(t *testing.T, home, dir string) string {
	t.Helper()
	to := filepath.Join(dir, "home")
	if err := os.CopyFS(to, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	return to
}

// process is a node started as a process of its own.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	text  bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func startProcess(t *testing.T, home string, env ...string) *process {
	t.Helper()
	return runProcess(t, env, "start", "--home", home)
}

// startWith starts a node with more flags.
func startWith(t *testing.T, home string, flags ...string) *process {
	t.Helper()
	return runProcess(t, nil, append([]string{"start", "--home", home}, flags...)...)
}

func runProcess(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.Env = append(os.Environ(), env...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.ended })
	return p
}

// wait waits until the process has ended by itself and gives its exit code and the last line that it wrote.
func (p *process) wait(t *testing.T) (code int, last string) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience()):
		t.Fatalf("the node goes on:\n%s", p.output())
	}
	lines := strings.Split(strings.TrimSpace(p.output()), "\n")
	return p.cmd.ProcessState.ExitCode(), lines[len(lines)-1]
}

// refused wants a start that ends by itself, with exit code 1 (3: in use or unreadable), a last line that says want, and no stack trace.
func refused(t *testing.T, want, home string, env ...string) {
	t.Helper()
	p := startProcess(t, home, env...)
	code, last := p.wait(t)
	t.Log(last)
	if code != exitFailed && code != exitUnreadable || !strings.Contains(last, want) || !strings.HasPrefix(last, "xinlian: ") || strings.Contains(p.output(), "goroutine ") {
		t.Errorf("exit code %d, want 1 or 3, and a last line of this program with %q; it says\n%s", code, want, p.output())
	}
}

// runs wants a start that becomes ready, is then stopped in order, and leaves a sound home.
func runs(t *testing.T, api, home string, env ...string) {
	t.Helper()
	p := startProcess(t, home, env...)
	waitAnswer(t, p, api)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, last := p.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, last)
	}
	xinlian(t, 0, "fsck", "--home", home)
}

// waitAnswer waits until a node is ready.
func waitAnswer(t *testing.T, p *process, api string) {
	t.Helper()
	eventually(t, "the node is ready", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the node has ended:\n%s", p.output())
		default:
		}
		resp, err := http.Get(api + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// biggest is the largest file of a folder with a suffix.
func biggest(t *testing.T, dir, suffix string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", suffix, dir, err)
	}
	best, most := "", int64(-1)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.Size() > most {
			best, most = f, info.Size()
		}
	}
	return best
}

// halve cuts a file in the middle.
func halve(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFaults starts nodes on homes that something happened to. Each ends with one clear line; or it goes on, and its home is sound.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	home, api := oldHome(t)
	data := func(h string, parts ...string) string { return filepath.Join(append([]string{h, "data"}, parts...)...) }
	for _, tt := range []struct {
		name string
		harm func(h string)
		want string // "": it runs
	}{
		{"nothing happened", func(string) {}, ""},
		{"folder of another chain", func(h string) {
			file := filepath.Join(h, "config", "genesis.json")
			raw, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, bytes.Replace(raw, []byte(`"test-faults"`), []byte(`"test-others"`), 1), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, `belongs to chain "test-faults", not to "test-others"`},
		{"genesis of another chain of the same name", func(h string) {
			file := filepath.Join(h, "config", "genesis.json")
			doc, err := cmttypes.GenesisDocFromFile(file)
			if err == nil {
				doc.GenesisTime = doc.GenesisTime.Add(time.Hour)
				err = doc.SaveAs(file)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"fsck"}, {"compact"}, {"rollback"}, {"snapshot", "create"}, {"export", "genesis"}} {
				if _, text := xinlian(t, exitDamaged, append(args, "--home", h)...); strings.Count(text, "\n") != 1 || !strings.Contains(text, "that this home began with") {
					t.Errorf("%v says %q", args, text)
				}
			}
		}, "that this home began with"},
		{"folder of a newer format", func(h string) {
			db, err := badger.OpenManaged(badger.DefaultOptions(filepath.Join(h, node.StateDir)).WithLogger(nil))
			if err != nil {
				t.Fatal(err)
			}
			txn := db.NewTransactionAt(1<<62, true)
			err = txn.Set([]byte("v"), binary.BigEndian.AppendUint32(nil, 4))
			if err = errors.Join(err, txn.CommitAt(1, nil), db.Close()); err != nil {
				t.Fatal(err)
			}
		}, "has format 4, this program knows 3: use a newer program"},
		{"state: table file cut", func(h string) { halve(t, biggest(t, filepath.Join(h, node.StateDir), ".sst")) }, "is damaged"},
		{"state: table file missing", func(h string) { remove(t, biggest(t, filepath.Join(h, node.StateDir), ".sst")) }, "restore it from a backup or a snapshot"},
		{"state: manifest emptied", func(h string) {
			if err := os.Truncate(filepath.Join(h, node.StateDir, "MANIFEST"), 0); err != nil {
				t.Fatal(err)
			}
		}, "restore it from a backup or a snapshot"},
		{"state: a file in place of the folder", func(h string) {
			dir := filepath.Join(h, node.StateDir)
			if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "open the state"},
		{"state gone: it comes from the blocks again", func(h string) {
			if err := os.RemoveAll(filepath.Join(h, node.StateDir)); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"consensus log cut", func(h string) { halve(t, data(h, "cs.wal", "wal")) }, ""},
		{"consensus log missing", func(h string) {
			if err := os.RemoveAll(data(h, "cs.wal")); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"block store cut", func(h string) { halve(t, biggest(t, data(h, "blockstore.db"), "")) }, "CometBFT"},
		{"engine state missing", func(h string) { removeAll(t, data(h, "state.db")) }, "state.db is missing, and CometBFT's other store is not"},
		{"blocks missing", func(h string) { removeAll(t, data(h, "blockstore.db")) }, "blockstore.db is missing, and CometBFT's other store is not"},
		{"blocks missing, and the state", func(h string) { removeAll(t, data(h, "blockstore.db"), filepath.Join(h, node.StateDir)) }, "blockstore.db is missing"},
		{"blocks and engine state missing", func(h string) { removeAll(t, data(h, "blockstore.db"), data(h, "state.db")) }, "and no block: run"},
		{"a first start that ended between its stores", func(h string) {
			removeAll(t, data(h, "blockstore.db"), data(h, "state.db"), data(h, "cs.wal"), filepath.Join(h, node.StateDir))
			write(t, data(h, "priv_validator_state.json"), `{"height":"0","round":0,"step":0}`)
			db, err := dbm.NewGoLevelDB("blockstore", data(h))
			if err == nil {
				err = db.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"state: manifest missing", func(h string) { remove(t, filepath.Join(h, node.StateDir, "MANIFEST")) }, "MANIFEST is missing"},
		{"record of votes cut", func(h string) { halve(t, data(h, "priv_validator_state.json")) }, "make a new home, and have governance enter its key"},
		{"record of votes missing", func(h string) { remove(t, data(h, "priv_validator_state.json")) }, "make a new home, and have governance enter its key"},
		{"validator key cut", func(h string) { halve(t, filepath.Join(h, "config", "priv_validator_key.json")) }, "have governance enter its key"},
		{"validator key without a key", func(h string) { write(t, filepath.Join(h, "config", "priv_validator_key.json"), `{"address":""}`) }, "no private key is in it"},
		{"node key without a key", func(h string) { write(t, filepath.Join(h, "config", "node_key.json"), `{}`) }, "no private key is in it"},
		{"history of one height", func(h string) { write(t, filepath.Join(h, node.ConfigFile), "[state]\nretain = 1\n") }, "state.retain is 1"},
		{"engine's settings cut in a word", func(h string) { write(t, filepath.Join(h, node.EngineConfig), "moniker = \"x\"\nfast") }, "line 2: "},
		{"validator key missing", func(h string) { remove(t, filepath.Join(h, "config", "priv_validator_key.json")) }, "priv_validator_key.json"},
		{"node key cut", func(h string) { halve(t, filepath.Join(h, "config", "node_key.json")) }, "restore it from a backup"},
		{"genesis cut", func(h string) { halve(t, filepath.Join(h, "config", "genesis.json")) }, "copy the file of another member"},
		{"genesis missing", func(h string) { remove(t, filepath.Join(h, "config", "genesis.json")) }, "copy the file of another member"},
		{"settings cut in a word", func(h string) { write(t, filepath.Join(h, node.ConfigFile), "[api]\nlisten = \"127.0") }, node.ConfigFile + ": line 2: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := copyHome(t, home, t.TempDir())
			tt.harm(h)
			if tt.want == "" {
				runs(t, api, h)
			} else {
				refused(t, tt.want, h)
			}
		})
	}

	t.Run("settings cut between two lines", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		for file, line := range map[string]string{node.ConfigFile: "behind =", node.EngineConfig: "[instrumentation]"} {
			raw, err := os.ReadFile(filepath.Join(h, file))
			if err != nil {
				t.Fatal(err)
			}
			text, _, found := strings.Cut(string(raw), "\n"+line)
			if !found {
				t.Fatalf("%s has no line %s", file, line)
			}
			write(t, filepath.Join(h, file), text+"\n")
		}
		const want = "config/xinlian.toml: watchdog.behind=2m0s watchdog.disk_free_mb=256 log.level=info log.engine=error log.format=text; config/config.toml: instrumentation.prometheus=false"
		p := startProcess(t, h, "XINLIAN_API_LISTEN="+strings.TrimPrefix(api, "http://"))
		waitAnswer(t, p, api)
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code, _ := p.wait(t); code != 0 || strings.Count(p.output(), want) != 1 {
			t.Errorf("exit code %d, want one line with %q:\n%s", code, want, p.output())
		}
		if _, text := xinlian(t, 0, "fsck", "--home", h); strings.Count(text, "\n") != 1 || !strings.Contains(text, want) {
			t.Errorf("fsck says %q", text)
		}
	})
	t.Run("a store missing, by every verb", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		removeAll(t, data(h, "blockstore.db"))
		for _, verb := range []string{"fsck", "compact", "rollback"} {
			if _, text := xinlian(t, exitDamaged, verb, "--home", h); strings.Count(text, "\n") != 1 || !strings.Contains(text, "blockstore.db is missing") {
				t.Errorf("%s says %q", verb, text)
			}
		}
	})
	t.Run("blocks damaged, by fsck", func(t *testing.T) { damagedBlocks(t, copyHome(t, home, t.TempDir())) })
	t.Run("two processes", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		first := startProcess(t, h)
		waitAnswer(t, first, api)
		refused(t, "in use", h)
		for _, verb := range []string{"fsck", "compact", "rollback"} {
			if _, stderr := xinlian(t, 3, verb, "--home", h); strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "in use") {
				t.Errorf("%s says %q", verb, stderr)
			}
		}
		waitAnswer(t, first, api)
	})
	t.Run("read-only folder", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		dir := data(h)
		if os.Geteuid() == 0 { // modes do not hold root back
			mount(t, "--bind", dir, dir)
			if out, err := exec.Command("mount", "-o", "remount,bind,ro", dir).CombinedOutput(); err != nil {
				t.Skipf("mount: %v %s", err, out)
			}
		} else {
			readOnly(t, dir)
		}
		refused(t, "cannot be written", h)
	})
	t.Run("addresses in use", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		for _, tt := range []struct{ name, key, before string }{
			{"XINLIAN_API_LISTEN", "api.listen", ""},
			{"XINLIAN_METRICS_LISTEN", "metrics.listen", ""},
			{"XINLIAN_ENGINE_P2P_LADDR", "p2p.laddr", "tcp://"},
			{"XINLIAN_ENGINE_RPC_LADDR", "rpc.laddr", "tcp://"},
		} {
			h := copyHome(t, home, t.TempDir())
			refused(t, tt.key+" "+taken.Addr().String(), h, tt.name+"="+tt.before+taken.Addr().String())
			xinlian(t, 0, "fsck", "--home", h)
		}
	})
	t.Run("files of another user", func(t *testing.T) { noRights(t, home) })
	t.Run("no room for a new file", func(t *testing.T) {
		disk := t.TempDir()
		mount(t, "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk)
		filler, file, fresh := filepath.Join(disk, "filler"), filepath.Join(disk, "genesis.json"), filepath.Join(disk, "home")
		made, word, copied := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "word"), filepath.Join(disk, "key.json")
		write(t, word, "a passphrase\n")
		xinlian := programWith("XINLIAN_PASSPHRASE_FILE=" + word)
		xinlian(t, 0, "keys", "add", "gov1", "--keys", made)
		write(t, filler, strings.Repeat("x", 124<<10))
		tight := filepath.Join(disk, "tight") // what is left of the room is taken as well
		write(t, tight, "")
		if f, err := os.OpenFile(tight, os.O_WRONLY|os.O_APPEND, 0); err != nil {
			t.Fatal(err)
		} else {
			for err == nil {
				_, err = f.Write(make([]byte, 4<<10))
			}
			f.Close()
		}
		for _, args := range [][]string{{"keys", "add", "gov1", "--keys", filepath.Join(disk, "keys")}, {"keys", "export", "gov1", "--keys", made, "--out", copied}} {
			if _, text := xinlian(t, exitFailed, args...); strings.Count(text, "\n") != 1 || !strings.Contains(text, "no space left on device") {
				t.Errorf("%v says %q", args, text)
			}
		}
		remove(t, tight)
		for _, args := range [][]string{{"export", "genesis", "--home", home, "--out", file}, {"init", "--home", fresh}} {
			p := runProcess(t, nil, args...)
			if code, last := p.wait(t); code != exitFailed || !strings.HasPrefix(last, "xinlian: ") || !strings.Contains(last, "no space left on device") {
				t.Errorf("%v: exit code %d: %s", args, code, last)
			}
		}
		remove(t, filler)
		if out, err := exec.Command("mount", "-o", "remount,size=8m", disk).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v %s", err, out)
		}
		xinlian(t, 0, "export", "genesis", "--home", home, "--out", file)
		xinlian(t, 0, "init", "--home", fresh)
		xinlian(t, 0, "keys", "export", "gov1", "--keys", made, "--out", copied)
		xinlian(t, 0, "keys", "add", "gov1", "--keys", filepath.Join(disk, "keys"))
	})
	t.Run("an auditor's copy", func(t *testing.T) {
		h := copyHome(t, home, t.TempDir())
		files := func() map[string]string {
			have := map[string]string{}
			for _, id := range []string{"blockstore", "state"} {
				entries, err := os.ReadDir(data(h, id+".db"))
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					raw, err := os.ReadFile(data(h, id+".db", e.Name()))
					if err != nil {
						t.Fatal(err)
					}
					have[id+"/"+e.Name()] = string(raw)
				}
			}
			return have
		}
		before := files()
		src, err := audit.OpenHome(h)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		report, err := audit.Replay(t.Context(), src, audit.Options{})
		if err != nil || !report.Agrees {
			t.Fatalf("%v %v", report, err)
		}
		if !maps.Equal(before, files()) {
			t.Error("the auditor wrote into CometBFT's stores")
		}
	})
	t.Run("no room for a state", func(t *testing.T) {
		snapshot := filepath.Join(t.TempDir(), "snapshots")
		xinlian(t, 0, "snapshot", "create", "--home", home, "--out", snapshot)
		made, err := os.ReadDir(snapshot)
		if err != nil || len(made) != 1 {
			t.Fatalf("the snapshot: %v %v", made, err)
		}
		disk := t.TempDir()
		mount(t, "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk)
		h := filepath.Join(disk, "home")
		xinlian(t, 0, "init", "--home", h, "--genesis", filepath.Join(home, "config", "genesis.json"))
		restore := []string{"snapshot", "restore", "--home", h, "--from", filepath.Join(snapshot, made[0].Name())}
		xinlian(t, 0, "init", "--home", filepath.Join(snapshot, "home"), "--genesis", filepath.Join(home, "config", "genesis.json"))
		if _, text := xinlian(t, exitUsage, "snapshot", "restore", "--home", filepath.Join(snapshot, "home"), "--from", snapshot); !strings.Contains(text, "is no snapshot: --from") {
			t.Errorf("of the folder of all snapshots it says %q", text)
		}
		if _, text := xinlian(t, exitFailed, restore...); strings.Count(text, "\n") != 1 || !strings.Contains(text, "MB left") {
			t.Errorf("it says %q", text)
		}
		if out, err := exec.Command("mount", "-o", "remount,size=256m", disk).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v %s", err, out)
		}
		xinlian(t, 0, restore...)
		if out, err := exec.Command("mount", "-o", "remount,size=32m", disk).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v %s", err, out)
		}
		if _, text := xinlian(t, exitFailed, "compact", "--force", "--home", h); !strings.Contains(text, "MB left") || strings.Contains(text, "goroutine") {
			t.Errorf("compact says %q", text)
		}
		xinlian(t, 0, "fsck", "--home", h)
		f, err := os.Create(filepath.Join(disk, "filler"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4<<10))
		}
		if _, text := xinlian(t, exitUnreadable, "fsck", "--home", h); !strings.Contains(text, "make room") {
			t.Errorf("fsck says %q", text)
		}
	})
	t.Run("full disk", func(t *testing.T) { fullDisk(t, home, api) })
}

// TestFailPoints ends a node at each of the places that CometBFT marks between its writes of a block, as the list in package node has them: the home
// that is left is sound, and starts.
func TestFailPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	const points = 11 // of one block; the next one has the same
	home, api := oldHome(t)
	last := sound(t, home).LastBlock
	for n := range points {
		h := copyHome(t, home, t.TempDir())
		p := startProcess(t, h, fmt.Sprintf("FAIL_TEST_INDEX=%d", n))
		if code, _ := p.wait(t); code != 1 || !strings.Contains(p.output(), "fail-test") {
			t.Fatalf("point %d: exit code %d\n%s", n, code, p.output())
		}
		if n%2 == 0 { // a start right away must do as well
			if r := sound(t, h); r.Height < last || r.LastBlock < last || r.LastBlock > last+2 {
				t.Errorf("point %d: %+v, the blocks ended at %d before", n, r, last)
			}
		}
		runs(t, api, h)
	}
}

func removeAll(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// noRights runs verbs as a user who may not read one file of the home: it is not damaged, so they end with exit code 3 and say what to do.
func noRights(t *testing.T, home string) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	const nobody = 65534
	dir := t.TempDir()
	program, err := os.ReadFile(os.Args[0])
	name := filepath.Join(dir, "program")
	if err = errors.Join(err, os.WriteFile(name, program, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	as := func(args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Env = os.Environ()
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
	if err := as("version").Run(); errors.Is(err, fs.ErrPermission) {
		t.Skipf("another user has no right to the folder for temporary files: %v", err)
	}
	for _, file := range []string{
		node.ConfigFile, node.EngineConfig, "config/genesis.json", "config/node_key.json", "config/priv_validator_key.json", "data/priv_validator_state.json",
		"data/blockstore.db", node.StateDir + "/MANIFEST", "data",
	} {
		h := copyHome(t, home, t.TempDir())
		err := filepath.WalkDir(filepath.Dir(h), func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, nobody, nobody))
		})
		if err = errors.Join(err, os.Chmod(filepath.Dir(filepath.Dir(h)), 0o755), os.Chmod(filepath.Join(h, file), 0)); err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"start", "fsck"} {
			if verb == "fsck" && strings.HasSuffix(file, "_key.json") {
				continue // it does not ask for keys
			}
			cmd := as(verb, "--home", h)
			out, _ := cmd.CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			last := lines[len(lines)-1]
			t.Log(last)
			if code := cmd.ProcessState.ExitCode(); code != exitUnreadable || !strings.HasPrefix(last, "xinlian: ") || !strings.Contains(last, "a right to it") && !strings.Contains(last, "has no right to it") {
				t.Errorf("%s without a right to %s: exit code %d, want 3 and what to do:\n%s", verb, file, code, out)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readOnly(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		t.Cleanup(func() { os.Chmod(path, 0o700) })
		return os.Chmod(path, 0o500)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mount mounts something until the test ends; where that is not allowed the test is skipped. The last argument is the place.
func mount(t *testing.T, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		t.Skipf("mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", args[len(args)-1]).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
}

// fullDisk lets the disk of a running node fill up: the node says so and ends while it can, and goes on when there is room. With the look turned off
// the disk is really full, the process ends in whatever way the system chooses, and the home is whole all the same.
func fullDisk(t *testing.T, home, api string) {
	disk := t.TempDir()
	mount(t, "-t", "tmpfs", "-o", "size=512m", "tmpfs", disk)
	h := copyHome(t, home, disk)
	filler := filepath.Join(disk, "filler")
	// fill leaves about so much room.
	fill := func(leave int64) {
		free, err := state.FreeDisk(disk)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filler, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		chunk := make([]byte, 64<<10)
		for free -= leave; free > 0; free -= int64(len(chunk)) {
			if _, err := f.Write(chunk); err != nil {
				if errors.Is(err, syscall.ENOSPC) {
					return
				}
				t.Fatal(err)
			}
		}
	}
	const least = "XINLIAN_WATCHDOG_DISK_FREE_MB="
	p := startProcess(t, h, least+"100")
	waitAnswer(t, p, api)
	fill(90 << 20)
	code, last := p.wait(t)
	if code != 1 || !strings.Contains(last, "MB left") || !strings.Contains(last, "make room") || strings.Contains(p.output(), "goroutine ") {
		t.Errorf("exit code %d\n%s", code, p.output())
	}
	refused(t, "make room", h, least+"100")
	remove(t, filler)
	runs(t, api, h, least+"100")

	// Another process takes the last byte at once: nobody could have said anything in time.
	p = startProcess(t, h, least+"0")
	waitAnswer(t, p, api)
	fill(0)
	code, last = p.wait(t)
	t.Logf("with no byte left: exit code %d, %.200s", code, last)
	refused(t, "make room", h, least+"100")
	if _, stderr := xinlian(t, 1, "compact", "--home", h); strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "make room") {
		t.Errorf("compact says %q", stderr)
	}
	remove(t, filler)
	runs(t, api, h, least+"100")
}

// damagedBlocks takes entries out of CometBFT's store of blocks and changes a byte in others, one at a time: fsck names each in one line, and is content again when
// it is put back.
func damagedBlocks(t *testing.T, home string) {
	var before fsckReport
	out, _ := xinlian(t, 0, "fsck", "--home", home, "--json")
	if err := json.Unmarshal([]byte(out), &before); err != nil {
		t.Fatal(err)
	}
	last := before.LastBlock
	change := func(key string, to func(was []byte) []byte) (was []byte) {
		t.Helper()
		db, err := dbm.NewGoLevelDB("blockstore", filepath.Join(home, "data"))
		if err != nil {
			t.Fatal(err)
		}
		was, err = db.Get([]byte(key))
		if now := to(bytes.Clone(was)); now == nil {
			err = errors.Join(err, db.DeleteSync([]byte(key)))
		} else {
			err = errors.Join(err, db.SetSync([]byte(key), now))
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		return was
	}
	gone := func([]byte) []byte { return nil }
	cut := func(was []byte) []byte { return was[:len(was)-1] }
	flip := func(part int) func([]byte) []byte { // a byte so many hundredths from the beginning
		return func(was []byte) []byte { was[len(was)*part/100] ^= 1; return was }
	}
	other := func(key string) func([]byte) []byte { // the entry of another height
		var theirs []byte
		change(key, func(was []byte) []byte { theirs = was; return was })
		return func([]byte) []byte { return theirs }
	}
	newest := func(kind string) string { return fmt.Sprintf("%s:%d", kind, last) }
	for _, d := range []struct {
		name, key string
		to        func(was []byte) []byte
		want      string
	}{
		{"the record of a block gone", "H:3", gone, "block 3 is missing"},
		{"of the first one", "H:1", gone, "block 1 is missing"},
		{"a record cut", "H:3", cut, "block 3 cannot be read"},
		{"a header changed in the record", "H:3", flip(70), "block 3"},
		{"another block's record", "H:3", other("H:4"), "block 3"},
		{"a part gone", "P:3:0", gone, "part 0 of block 3 is missing"},
		{"a part cut", "P:3:0", cut, "block 3"},
		{"a byte changed near the beginning of a part", "P:3:0", flip(10), "block 3"},
		{"in its middle", "P:3:0", flip(50), "block 3"},
		{"near its end, where its proof is", "P:3:0", flip(98), "block 3"},
		{"another block's part", "P:3:0", other("P:4:0"), "part 0 of block 3 is not the one"},
		{"a byte changed in the newest block", fmt.Sprintf("P:%d:0", last), flip(50), fmt.Sprintf("block %d", last)},
		{"a commit gone", "C:3", gone, "the commit of block 3 is missing"},
		{"a commit cut", "C:3", cut, "the commit of block 3 cannot be read"},
		{"a signature changed", "C:3", flip(80), "the commit of block 3 is not the one in block 4"},
		{"another block's commit", "C:3", other("C:4"), "the commit of block 3 is not the one in block 4"},
		{"the commit of the newest block gone", newest("SC"), gone, fmt.Sprintf("the commit of block %d is missing", last)},
		{"a signature changed in it", newest("SC"), flip(80), fmt.Sprintf("the commit of block %d", last)},
		{"another block's in its place", newest("SC"), other("SC:3"), fmt.Sprintf("the commit of block %d", last)},
	} {
		was := change(d.key, d.to)
		if len(was) == 0 {
			t.Fatalf("%s: the store has no %s", d.name, d.key)
		}
		if _, text := xinlian(t, exitDamaged, "fsck", "--home", home); strings.Count(text, "\n") != 1 || !strings.Contains(text, d.want) || strings.Contains(text, "reading the folder failed") {
			t.Errorf("%s: %q", d.name, text)
		} else {
			t.Logf("%s: %s", d.name, strings.TrimSpace(text))
		}
		change(d.key, func([]byte) []byte { return was })
	}
	xinlian(t, 0, "fsck", "--home", home)
}
