package runner

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

func TestParseStat(t *testing.T) {
	line := func(name, state string, threads ...string) string {
		return "41 (" + name + ") " + state + " 1 41 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 " + strings.Join(append(threads, "9")[:1], "") + " 0 987654 1 2 3"
	}
	for _, tt := range []struct {
		raw   string
		state processState
		start string
	}{
		{line("xinlian", "S"), running, "987654"},
		{line("xinlian", "R"), running, "987654"},
		{line("a) S (b", "T"), paused, "987654"},
		{line("xinlian", "Z", "1"), gone, "987654"},
		{line("xinlian", "Z", "0"), gone, "987654"},
		{line("xinlian", "Z", "3"), running, "987654"}, // it is ending, and still holds its files
		{"", gone, ""},
		{"41 (x) S 1", gone, ""},
	} {
		if state, start := parseStat([]byte(tt.raw)); state != tt.state || start != tt.start {
			t.Errorf("%q: %v %q, want %v %q", tt.raw, state, start, tt.state, tt.start)
		}
	}
}

// TestOnlyOwnProcessesAreSignalled: a number that another process has by now is not the node.
func TestOnlyOwnProcessesAreSignalled(t *testing.T) {
	me := os.Getpid()
	state, started := inspect(me)
	if state != running || started == "" {
		t.Fatalf("this process is %v, started %q", state, started)
	}
	own := Node{Name: "own", PID: me, Started: started}
	if err := own.signal(syscall.Signal(0)); err != nil {
		t.Errorf("own process: %v", err)
	}
	for _, n := range []Node{
		{Name: "another start", PID: me, Started: started + "1"},
		{Name: "start unknown", PID: me},
		{Name: "no process"},
		{Name: "first process", PID: 1, Started: "never"},
		{Name: "group", PID: -me, Started: started},
	} {
		// SIGKILL: were it sent, this test would not go on.
		if err := n.signal(syscall.SIGKILL); err == nil {
			t.Errorf("%s was signalled", n.Name)
		}
	}
}

func TestOptions(t *testing.T) {
	good := Options{Dir: t.TempDir(), Validators: 4, ChainID: "demo-x", ClockRate: 86400, LegalOrigin: time.Unix(1, 0)}
	if err := good.complete(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		edit func(*Options)
	}{
		{"no folder", func(o *Options) { o.Dir = "" }},
		{"no validator", func(o *Options) { o.Validators = 0 }},
		{"too many validators", func(o *Options) { o.Validators = ValidatorsMax + 1 }},
		{"negative full nodes", func(o *Options) { o.FullNodes = -1 }},
		{"clock of its own on a real chain", func(o *Options) { o.ChainID = "henan-1" }},
		{"clock that runs backwards", func(o *Options) { o.ClockRate = -1 }},
		{"clock too fast", func(o *Options) { o.ClockRate = ClockRateMax + 1 }},
		{"chain id with blanks", func(o *Options) { o.ChainID = "demo x" }},
		{"chain id too long", func(o *Options) { o.ChainID = "demo-" + strings.Repeat("x", pb.ChainIDMax) }},
	} {
		o := good
		tt.edit(&o)
		if err := o.complete(); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Networks of one process have ports of their own, also while their nodes are down.
func TestPortsAreGivenOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		ports, err := freePorts(40)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ports {
			if seen[p] {
				t.Fatalf("port %d was given twice", p)
			}
			seen[p] = true
		}
	}
}

func TestFreePortsDiffer(t *testing.T) {
	ports, err := freePorts(32)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ports)
	if len(slices.Compact(ports)) != 32 {
		t.Errorf("ports %v", ports)
	}
}

// TestSeats: codes are well formed and different, and the keys that every network has are there with their roles.
func TestSeats(t *testing.T) {
	roles := map[string]string{}
	codes := map[string]bool{}
	for _, s := range seats(7) {
		if err := code.CheckUSCC(s.row.Uscc); err != nil {
			t.Errorf("%s: %s: %v", s.key, s.row.Uscc, err)
		}
		if codes[s.row.Uscc] || roles[s.key] != "" {
			t.Errorf("%s (%s) stands twice", s.key, s.row.Uscc)
		}
		codes[s.row.Uscc] = true
		for _, r := range s.roles {
			roles[s.key] += roleNames[r] + " "
		}
		if !slices.IsSorted(s.roles) {
			t.Errorf("%s: roles are not ascending", s.key)
		}
	}
	for key, want := range map[string]string{
		"gov1": "governor", "gov2": "governor", "gov3": "governor", "gov4": "governor", "gov7": "governor",
		"registry": "registry", "ops": "record verify agent", "auditor": "auditor",
		"zz-scjg": "record verify review", "gy-scjg": "record verify review",
	} {
		if got := strings.TrimSpace(roles[key]); got != want {
			t.Errorf("%s has the roles %q, want %q", key, got, want)
		}
	}
}

// TestCreate: the folder of a network is as the contract says, and each home is one that a node accepts.
func TestCreate(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "net"), Validators: 2, FullNodes: 1, ChainID: "test-create", ClockRate: 86400, LegalOrigin: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	made, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Load(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Nodes) != 3 || n.Nodes[2].Name != "full1" || n.ChainID != "test-create" || n.ClockRate != 86400 || len(n.Members) != len(made.Members) {
		t.Errorf("network %+v", n)
	}
	var raw map[string]any
	text, _ := os.ReadFile(filepath.Join(o.Dir, NetworkFile))
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	if raw["legal_origin"] != "2026-07-01T08:00:00+08:00" {
		t.Errorf("legal_origin is %v", raw["legal_origin"])
	}
	for list, fields := range map[string][]string{
		"nodes": {"name", "pid", "api", "rpc", "metrics", "home"}, "members": {"uscc", "name", "level", "regions", "roles", "key"},
	} {
		for _, f := range fields {
			if _, ok := raw[list].([]any)[0].(map[string]any)[f]; !ok {
				t.Errorf("%s lack %s", list, f)
			}
		}
	}

	var genesis []byte
	for i, d := range n.Nodes {
		c, err := node.LoadConfig(d.Home)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Engine.Consensus.CreateEmptyBlocksInterval; got != 250*time.Millisecond {
			t.Errorf("%s makes empty blocks every %s: more than a quarter of a legal day", d.Name, got)
		}
		doc, g, err := node.LoadGenesis(c.Engine.GenesisFile())
		if err != nil {
			t.Fatal(err)
		}
		if len(doc.Validators) != 2 || len(g.Mandates) != len(sample.Members()) || len(g.Secret) != 32 {
			t.Errorf("genesis: %d validators, %d mandates", len(doc.Validators), len(g.Mandates))
		}
		this, _ := os.ReadFile(c.Engine.GenesisFile())
		if i > 0 && string(this) != string(genesis) {
			t.Errorf("%s has another genesis", d.Name)
		}
		genesis = this
	}

	word, err := keys.ReadPassphrase(n.PassphrasePath())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range n.Members {
		if _, err := keys.Open(n.KeysPath()).Show(m.Key); err != nil {
			t.Errorf("key of %s: %v", m.Name, err)
		}
	}
	if _, err := keys.Open(n.KeysPath()).Load("ops", word); err != nil {
		t.Error(err)
	}
	if _, err := create(o); err == nil {
		t.Error("a second network was made in the same folder")
	}
}

// TestAChildThatDiesIsNamed: the program is one that writes a line and ends.
func TestAChildThatDiesIsNamed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho first; echo the last words of $1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "net")
	_, _, err := Up(t.Context(), Options{Dir: dir, Validators: 2, ChainID: "test-dies", Program: program})
	if err == nil || !strings.Contains(err.Error(), "has ended; its last line: the last words of start") {
		t.Fatalf("got %v", err)
	}
	n, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range n.Nodes {
		if d.PID != 0 || d.state() != gone {
			t.Errorf("%s still has process %d", d.Name, d.PID)
		}
	}
}

func TestTwoCommandsDoNotMix(t *testing.T) {
	dir := t.TempDir()
	release, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir); err == nil {
		t.Error("the folder was locked twice")
	}
	release()
	release, err = lock(dir)
	if err != nil {
		t.Error(err)
	} else {
		release()
	}
}

// ownNodes is a network of two nodes that are this process, behind one API.
func ownNodes(t *testing.T, api string) *Network {
	t.Helper()
	_, started := inspect(os.Getpid())
	n := &Network{ChainID: "test-own", dir: t.TempDir()}
	for _, name := range []string{"node1", "node2"} {
		n.Nodes = append(n.Nodes, Node{Name: name, PID: os.Getpid(), Started: started, API: api})
	}
	if err := n.save(); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLookLeavesTheLock: who watches a network in which all is well keeps no command from changing it.
func TestLookLeavesTheLock(t *testing.T) {
	n := ownNodes(t, "")
	release, err := lock(n.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if left, err := n.look(); left != 2 || err != nil {
		t.Errorf("%d nodes run, %v: it waits for the lock that a command has", left, err)
	}
	n.Nodes[1].Started += "1"
	if err := n.save(); err != nil {
		t.Fatal(err)
	}
	if left, err := n.look(); left != 1 || err != nil {
		t.Errorf("%d nodes run, %v: the command at work ends one", left, err)
	}
	release()
	if _, err := n.look(); err == nil || !strings.Contains(err.Error(), "node2 has ended") {
		t.Errorf("one has ended by itself: %v", err)
	}
}

// TestSlowMachine: a block that comes after the gateway's patience, and an answer after this program's, are waited for.
func TestSlowMachine(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch first := asked.Add(1) == 1; {
		case r.Method == http.MethodPost && first:
			w.WriteHeader(http.StatusAccepted)
			io.WriteString(w, `{"code":"E_TX_PENDING","detail":"the transaction waits for a block"}`)
		case r.Method == http.MethodPost:
			io.WriteString(w, `{"code":"OK"}`)
		case first:
			<-r.Context().Done() // until nobody waits for it
		default:
			io.WriteString(w, `{"height":1,"hash":"07"}`)
		}
	}))
	defer srv.Close()
	k, err := keys.Generate("registry")
	if err != nil {
		t.Fatal(err)
	}
	n := ownNodes(t, srv.URL)
	if err := n.Submit(t.Context(), k, []pb.Msg{{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{}}}}); err != nil || asked.Load() != 2 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
	asked.Store(0)
	defer func(was time.Duration) { client.Timeout = was }(client.Timeout)
	client.Timeout = 50 * time.Millisecond
	var h header
	if err := n.Nodes[0].insist(t.Context(), "/v1/headers/1", &h); err != nil || h.Hash != "07" {
		t.Errorf("asked %d times: %+v %v", asked.Load(), h, err)
	}
	if err := n.Nodes[0].insist(t.Context(), "%", &h); err == nil {
		t.Error("what is no address answers")
	}
}

func TestSettingsOfOneNodeDoNotReachOthers(t *testing.T) {
	got := environment([]string{"PATH=/bin", "XINLIAN_API_LISTEN=:1", "HOME=/h", "XINLIAN_HOME=/x"}, 1, 8)
	if want := []string{"PATH=/bin", "HOME=/h"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestNodesShareProcessors(t *testing.T) {
	for _, tc := range []struct {
		has               string
		nodes, processors int
		want              string
	}{
		{"", 1, 8, ""}, {"", 4, 8, "GOMAXPROCS=2"}, {"", 4, 2, "GOMAXPROCS=1"}, {"GOMAXPROCS=3", 4, 2, "GOMAXPROCS=3"},
	} {
		got := environment([]string{tc.has}, tc.nodes, tc.processors)
		if last := got[len(got)-1]; last != tc.want || len(got) > 2 {
			t.Errorf("%d nodes on %d processors with %q: %q", tc.nodes, tc.processors, tc.has, got)
		}
	}
}

func TestNoNetwork(t *testing.T) {
	dir := t.TempDir()
	for what, err := range map[string]error{
		"load": second(Load(dir)), "down": second(Down(dir)), "status": second(Inspect(t.Context(), dir)), "kill": Kill(dir, "node1"),
	} {
		if !errors.Is(err, ErrNoNetwork) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Up(t.Context(), Options{Dir: dir, Validators: 1}); err == nil {
		t.Error("a network was made among other files")
	}
}

func second[T any](_ T, err error) error { return err }
