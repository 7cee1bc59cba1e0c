package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newHome(t *testing.T) Config {
	t.Helper()
	c := Config{Home: t.TempDir(), Settings: DefaultSettings(), Engine: EngineDefaults(1)}
	c.Engine.SetRoot(c.Home)
	return c
}

// TestConfigRoundTrip: what a new home gets is what a start reads.
func TestConfigRoundTrip(t *testing.T) {
	want := newHome(t)
	want.Settings.API.Listen = "127.0.0.1:1"
	want.Settings.API.TrustedProxies = "127.0.0.1, 2001:db8::/64"
	want.Settings.State.Retain = 123456
	want.Settings.Watchdog.Behind = 90 * time.Second
	want.Settings.Log.Format = "json"
	want.Engine.P2P.PersistentPeers = strings.Repeat("ab", 20) + "@127.0.0.1:2"
	want.Engine.Consensus.CreateEmptyBlocksInterval = 250 * time.Millisecond
	if err := WriteConfig(want, 0); err != nil {
		t.Fatal(err)
	}
	got, err := LoadConfig(want.Home)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.Settings, got.Settings); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
	if d := cmp.Diff(engineValues(want.Engine), engineValues(got.Engine)); d != "" {
		t.Errorf("engine (-want +got):\n%s", d)
	}
	if got.Engine.P2P.PersistentPeers != want.Engine.P2P.PersistentPeers {
		t.Errorf("persistent peers are %q", got.Engine.P2P.PersistentPeers)
	}
	if err := WriteConfig(want, 0); err == nil {
		t.Error("a second WriteConfig overwrote the home")
	}
}

func TestConfigEnvironmentWins(t *testing.T) {
	c := newHome(t)
	if err := WriteConfig(c, 0); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XINLIAN_API_LISTEN", "127.0.0.1:7")
	t.Setenv("XINLIAN_WATCHDOG_BEHIND", "45s")
	t.Setenv("XINLIAN_ENGINE_CONSENSUS_TIMEOUT_COMMIT", "333ms")
	got, err := LoadConfig(c.Home)
	if err != nil {
		t.Fatal(err)
	}
	if got.Settings.API.Listen != "127.0.0.1:7" || got.Settings.Watchdog.Behind != 45*time.Second || got.Engine.Consensus.TimeoutCommit != 333*time.Millisecond {
		t.Errorf("the environment did not win: %+v, timeout_commit %s", got.Settings, got.Engine.Consensus.TimeoutCommit)
	}
}

func TestConfigRefusesStrayVariables(t *testing.T) {
	c := newHome(t)
	if err := WriteConfig(c, 0); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XINLIAN_STATE_RETAIN", "7")
	t.Setenv("XINLIAN_HOME", "elsewhere")
	if _, err := LoadConfig(c.Home); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XINLIAN_STATE_RETIAN", "7")
	if _, err := LoadConfig(c.Home); err == nil || !strings.Contains(err.Error(), "XINLIAN_STATE_RETIAN") {
		t.Errorf("got %v, want an error that names the variable", err)
	}
}

func TestConfigRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"rpc beyond loopback", func(c *Config) { c.Engine.RPC.ListenAddress = "tcp://0.0.0.0:26657" }, "only loopback"},
		{"rpc by name", func(c *Config) { c.Engine.RPC.ListenAddress = "tcp://example.org:26657" }, "only loopback"},
		{"grpc beyond loopback", func(c *Config) { c.Engine.RPC.GRPCListenAddress = "tcp://10.0.0.1:1" }, "only loopback"},
		{"CometBFT's tx index", func(c *Config) { c.Engine.TxIndex.Indexer = "kv" }, "only \"null\""},
		{"no mempool", func(c *Config) { c.Engine.Mempool.Type = "nop" }, "flood"},
		{"no gateway", func(c *Config) { c.Settings.API.Listen = "" }, "api.listen"},
		{"packs never made anew", func(c *Config) { c.Settings.API.PackEvery = 48 * time.Hour }, "api.pack_every"},
		{"a watchdog that bites at once", func(c *Config) { c.Settings.Watchdog.Behind = time.Second }, "watchdog.behind"},
		{"level", func(c *Config) { c.Settings.Log.Level = "loud" }, "log.level"},
		{"standings", func(c *Config) { c.Settings.API.StandingsMB = 31 }, "api.standings_mb"},
		{"no connections", func(c *Config) { c.Settings.API.Connections = 0 }, "api.connections"},
		{"no connections of a peer", func(c *Config) { c.Settings.API.PeerConnections = 0 }, "api.peer_connections"},
		{"more connections of a peer than in all", func(c *Config) { c.Settings.API.Connections = 1000 }, "api.peer_connections"},
		{"a proxy by name", func(c *Config) { c.Settings.API.TrustedProxies = "127.0.0.1, proxy.example.org" }, "api.trusted_proxies"},
		{"everybody a proxy", func(c *Config) { c.Settings.API.TrustedProxies = "::/0" }, "api.trusted_proxies"},
		{"checks", func(c *Config) { c.Settings.API.ChecksPerSecond = -1 }, "api.checks_per_second"},
		{"a name in Chinese", func(c *Config) { c.Engine.Moniker = "节点一" }, "moniker"},
		{"a name that ends its line", func(c *Config) { c.Engine.Moniker = `a"b` }, "moniker"},
		{"a peer without an id", func(c *Config) { c.Engine.P2P.PersistentPeers = "10.0.0.1:26656" }, "ID@HOST:PORT"},
		{"a peer with half an id", func(c *Config) { c.Engine.P2P.PersistentPeers = "aabb@10.0.0.1:26656" }, "ID@HOST:PORT"},
		{"a peer without a port", func(c *Config) { c.Engine.P2P.Seeds = strings.Repeat("ab", 20) + "@10.0.0.1" }, "p2p.seeds"},
		{"a list of peers with a line break", func(c *Config) {
			c.Engine.P2P.PersistentPeers = strings.Repeat("ab", 20) + "@10.0.0.1:1\n0s"
		}, "p2p.persistent_peers"},
		{"an address for peers without a port", func(c *Config) { c.Engine.P2P.ListenAddress = "tcp://10.0.0.1" }, "p2p.laddr"},
		{"another database", func(c *Config) { c.Engine.DBBackend = "rocksdb" }, "db_backend"},
		{"history below zero", func(c *Config) { c.Settings.State.Retain = 1<<64 - 5 }, "state.retain is -5"},
		{"snapshots below zero", func(c *Config) { c.Settings.State.SnapshotEvery = 1<<64 - 1 }, "state.snapshot_every is -1"},
		{"workers below zero", func(c *Config) { c.Settings.State.Workers = -1 }, "state.workers"},
		{"free disk below zero", func(c *Config) { c.Settings.Watchdog.DiskFreeMB = -1 }, "watchdog.disk_free_mb"},
		{"a grace below zero", func(c *Config) { c.Settings.API.StopGrace = -time.Second }, "api.stop_grace"},
		{"format", func(c *Config) { c.Settings.Log.Format = "xml" }, "log.format"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newHome(t)
			tt.edit(&c)
			err := c.Check()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	if err := newHome(t).Check(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	c := newHome(t)
	c.Engine.P2P.PersistentPeers = strings.Repeat("ab", 20) + "@node.example.org:26656, tcp://" + strings.Repeat("cd", 20) + "@[::1]:26656,"
	c.Engine.P2P.ExternalAddress, c.Engine.P2P.ListenAddress = "203.0.113.7:26656", "tcp://127.0.0.1:0"
	if err := c.Check(); err != nil {
		t.Errorf("it is refused: %v", err)
	}
}

func TestConfigRefusesUnknownSettings(t *testing.T) {
	c := newHome(t)
	if err := WriteConfig(c, 0); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.Home, ConfigFile)
	if err := os.WriteFile(path, []byte("[api]\nlissten = \"127.0.0.1:1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadConfig(c.Home)
	if err == nil || !strings.Contains(err.Error(), ": lissten of api is no setting") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that names the setting", err)
	}
}

// TestConfigKinds: a value that is not of its setting's kind is refused with the setting's name, wherever it stands, and never bent into one.
func TestConfigKinds(t *testing.T) {
	home := newHome(t)
	if err := WriteConfig(home, 0); err != nil {
		t.Fatal(err)
	}
	whole := map[string]string{} // what stands in the files of a new home
	for _, file := range []string{ConfigFile, EngineConfig} {
		raw, err := os.ReadFile(filepath.Join(home.Home, file))
		if err != nil {
			t.Fatal(err)
		}
		whole[file] = string(raw)
	}
	load := func(file, line string) error {
		t.Helper()
		text := whole[file]
		if line != "" {
			text = line + "\n"
		}
		if err := os.WriteFile(filepath.Join(home.Home, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadConfig(home.Home)
		return err
	}
	refused := func(err error, where, key, what string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), where+": "+key+": "+what) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s of %s: %v, want one line with %q", what, key, err, where+": "+key+": "+what)
		}
	}
	const number, span, text, truth = "is no whole number", "is no duration", "is no text", "is neither true nor false"
	for _, k := range settingKnobs {
		bad := map[string]string{} // value in the file: what is wrong with it
		switch k.Default.(type) {
		case int, int64, uint64:
			bad = map[string]string{"1.5": number, "2.0": number, "1e3": number, "true": number, `""`: number, `"x"`: number, `"0x10"`: number, "[7]": number, "2026-07-01": number, "inf": number}
		case float64:
			bad = map[string]string{"true": "is no number", `""`: "is no number", `"x"`: "is no number", "[2]": "is no number"}
		case string:
			if _, err := time.ParseDuration(k.Default.(string)); err == nil {
				bad = map[string]string{"10": span, "1.5": span, "true": span, `""`: span, `"10"`: span, `"ten seconds"`: span, "02:30:00": span}
			} else {
				bad = map[string]string{"7": text, "1.5": text, "true": text, `["a"]`: text, "02:30:00": text}
			}
		}
		for value, what := range bad {
			err := load(ConfigFile, k.Key+" = "+value)
			refused(err, ConfigFile, k.Key, "")
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%s = %s: %v, want %q", k.Key, value, err, what)
			}
		}
	}
	load(ConfigFile, "")
	for key, bad := range map[string]map[string]string{
		"mempool.size":                  {"1.5": number, "true": number, `""`: number, `"5000x"`: number},
		"mempool.recheck":               {"1": truth, "1.5": truth, `"yes"`: truth},
		"consensus.timeout_commit":      {"1000": span, "1.5": span, "false": span, `"1000"`: span},
		"p2p.max_num_inbound_peers":     {"40.5": number},
		"statesync.trust_height":        {"1.5": number, "true": number},
		"p2p.laddr":                     {"26656": text},
		"consensus.create_empty_blocks": {"0": truth},
	} {
		for value, what := range bad {
			err := load(EngineConfig, key+" = "+value)
			refused(err, EngineConfig, key, "")
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%s = %s: %v, want %q", key, value, err, what)
			}
		}
	}
	load(EngineConfig, "")
	for name, key := range map[string]string{"XINLIAN_STATE_RETAIN": "state.retain", "XINLIAN_ENGINE_MEMPOOL_SIZE": "mempool.size"} {
		for _, value := range []string{"1.5", "true", "0x10", "10s"} {
			t.Setenv(name, value)
			_, err := LoadConfig(home.Home)
			refused(err, name+" in the environment", key, `"`+value+`" `+number)
		}
		t.Setenv(name, "1000")
		if _, err := LoadConfig(home.Home); err != nil {
			t.Errorf("a good value in %s: %v", name, err)
		}
	}
	t.Setenv("XINLIAN_API_STOP_GRACE", "10")
	_, err := LoadConfig(home.Home)
	refused(err, "XINLIAN_API_STOP_GRACE in the environment", "api.stop_grace", `"10" `+span)
}

func TestConfigOfNoHome(t *testing.T) {
	_, err := LoadConfig(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "xinlian init") {
		t.Errorf("got %v, want the command to run first", err)
	}
}

// TestEmptyBlocksInterval: never more than five seconds nor than a quarter of a legal day.
func TestEmptyBlocksInterval(t *testing.T) {
	for _, tt := range []struct {
		rate int64
		want time.Duration
	}{
		{0, 5 * time.Second},
		{1, 5 * time.Second},
		{3600, 5 * time.Second},
		{8640, 2500 * time.Millisecond},
		{86400, 250 * time.Millisecond},
		{100 * 86400, 10 * time.Millisecond},
	} {
		if got := emptyBlocksInterval(tt.rate); got != tt.want {
			t.Errorf("rate %d: %s, want %s", tt.rate, got, tt.want)
		}
	}
}

// TestEveryKnobHasItsReason: the list that `xinlian config` shows is whole.
func TestEveryKnobHasItsReason(t *testing.T) {
	c := newHome(t)
	for _, k := range c.Explain() {
		if k.Reason == "" || k.Value == nil || k.Default == nil || k.File == "" {
			t.Errorf("%+v lacks something", k)
		}
	}
	values := engineValues(c.Engine)
	for _, k := range engineKnobs {
		if _, ok := values[k.Key]; !ok {
			t.Errorf("%s has a reason and no value", k.Key)
		}
		delete(values, k.Key)
	}
	for k := range values {
		t.Errorf("%s has a value and no reason", k)
	}
}

// TestConfigThatLostLines: a file that is cut between two lines is well formed, and what it lacks is named with what is in force instead; that of a new home
// lacks nothing.
func TestConfigThatLostLines(t *testing.T) {
	c := newHome(t)
	c.Settings.State.Retain = 77
	if err := WriteConfig(c, 0); err != nil {
		t.Fatal(err)
	}
	lacks := func(want string) {
		t.Helper()
		got, err := LoadConfig(c.Home)
		if err != nil {
			t.Fatal(err)
		}
		if s := got.SayLacking(); s != want {
			t.Errorf("it is said to lack %q, want %q", s, want)
		}
	}
	cut := func(file, before string) {
		t.Helper()
		path := filepath.Join(c.Home, file)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, _, found := strings.Cut(string(raw), "\n"+before)
		if !found {
			t.Fatalf("%s has no line %s", file, before)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lacks("")
	cut(ConfigFile, "level =")
	const own = ConfigFile + ": log.level=info log.engine=error log.format=text"
	lacks(own)
	cut(EngineConfig, "[instrumentation]")
	lacks(own + "; " + EngineConfig + ": instrumentation.prometheus=false")
	t.Setenv("XINLIAN_LOG_LEVEL", "warn")
	lacks(strings.Replace(own, "info", "warn", 1) + "; " + EngineConfig + ": instrumentation.prometheus=false")
}
