package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/viper"

	"github.com/xinlian-ledger/xinlian/node/peer"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// Files of a home folder. config/config.toml is CometBFT's own and its tools read it; config/xinlian.toml is ours.
const (
	ConfigFile   = "config/xinlian.toml"
	StateDir     = "data/xinlian" // the application's store
	SnapshotDir  = "snapshots"    // snapshots of it, for nodes that join
	EngineConfig = "config/config.toml"
	PathFile     = "data/xinlian.path" // the gateway's path between validator sets
	ReceiptsDir  = "data/receipts"     // the journal of a lenders' gateway
	WatchDir     = "data/watches"      // what lenders watch over this gateway
)

const configBytesMax = 1 << 20

// retainLeast is the least history of a node. Answers are proven at the height before the newest, and who has looked up the newest height opens it a moment
// later.
const retainLeast = 2

// connectionsLeast is the least bound on connections: with fewer, the programs of one member keep each other out.
const connectionsLeast = 16

// A Knob is one setting with its default and why it is that.
type Knob struct {
	Key     string `json:"key"`
	File    string `json:"file"`
	Default any    `json:"default"`
	Value   any    `json:"value"` // in force; filled by Explain
	Reason  string `json:"reason"`
}

// Settings are what config/xinlian.toml says. Environment variables XINLIAN_API_LISTEN and so on win over the file.
type Settings struct {
	API      APISettings      `mapstructure:"api"`
	Lending  LendingSettings  `mapstructure:"lending"`
	Metrics  MetricsSettings  `mapstructure:"metrics"`
	State    StateSettings    `mapstructure:"state"`
	Watchdog WatchdogSettings `mapstructure:"watchdog"`
	Log      LogSettings      `mapstructure:"log"`
}

// APISettings are about the gateway's listener.
type APISettings struct {
	Listen    string        `mapstructure:"listen"`
	StopGrace time.Duration `mapstructure:"stop_grace"`
	PackEvery time.Duration `mapstructure:"pack_every"`

	TrustedProxies  string `mapstructure:"trusted_proxies"`
	Connections     int    `mapstructure:"connections"`
	PeerConnections int    `mapstructure:"peer_connections"`

	ChecksPerSecond int   `mapstructure:"checks_per_second"`
	StandingsMB     int64 `mapstructure:"standings_mb"`
}

// Proxies are the trusted proxies, of settings that Check lets pass.
func (s APISettings) Proxies() peer.Proxies {
	p, _ := peer.ParseProxies(s.TrustedProxies) // Check has refused what is none
	return p
}

// LendingSettings make the node's gateway one for lenders.
type LendingSettings struct {
	Member     string `mapstructure:"member"`
	Key        string `mapstructure:"key"`
	Passphrase string `mapstructure:"passphrase"`
}

// MetricsSettings are about the listener for the operator.
type MetricsSettings struct {
	Listen string `mapstructure:"listen"`
}

// StateSettings are about the application's store.
type StateSettings struct {
	Retain       uint64  `mapstructure:"retain"`
	RetainBlocks int64   `mapstructure:"retain_blocks"`
	CompactRatio float64 `mapstructure:"compact_ratio"`
	CompactAt    string  `mapstructure:"compact_at"`
	ProofWindow  int64   `mapstructure:"proof_window_mb"`
	Workers      int     `mapstructure:"workers"`

	SnapshotEvery uint64 `mapstructure:"snapshot_every"`
}

// WatchdogSettings say when the process ends by itself.
type WatchdogSettings struct {
	Behind     time.Duration `mapstructure:"behind"`
	DiskFreeMB int64         `mapstructure:"disk_free_mb"`
}

// LogSettings are about what is written to standard error.
type LogSettings struct {
	Level  string `mapstructure:"level"`
	Engine string `mapstructure:"engine"`
	Format string `mapstructure:"format"`
}

// settingKnobs is the one list of our own settings. Key order is the order in the file.
var settingKnobs = []Knob{
	{Key: "api.listen", Default: "127.0.0.1:26680", Reason: "gateway; loopback until the operator puts TLS in front of it"},
	{Key: "api.stop_grace", Default: "10s", Reason: "how long open requests may take to end when the node stops"},
	{Key: "api.trusted_proxies", Default: "", Reason: "addresses and networks (10.1.2.0/24), divided by commas, of the proxies that end TLS in front of the gateway: what they add to X-Forwarded-For is who asks, and each reader then has its own rate and shares. Whoever can send from there can be anybody: name the proxies alone. Empty = that header says nothing, and a proxy with all its readers is one peer"},
	{Key: "api.connections", Default: 8192, Reason: "connections to the gateway that are open at a time, asking or idle: as many as may wait for a block, and as many more. Each is a file descriptor and some 30 KB; beyond them a connection is told 503 E_BUSY and ends"},
	{Key: "api.peer_connections", Default: 1024, Reason: "of them those of one peer, of IPv6 a network of 64 bits: an eighth, as of the gateway's other places. Peers on this machine and api.trusted_proxies are held to none: they speak for many"},
	{Key: "api.pack_every", Default: "1h0m0s", Reason: "how old an offline pack may grow before it is made anew, at most 24h; sooner where somebody has left its set. Lenders who check by packs want it as fresh as their policy asks"},
	{Key: "api.checks_per_second", Default: 1000, Reason: "so many bundles a second are verified by the gateway itself before they leave; beyond it, under load, they leave unverified. A check costs processor time that answers need then, and what makes one bundle wrong makes many so. 0 = every one is verified"},
	{Key: "api.standings_mb", Default: int64(512), Reason: "memory for the standings of firms, 32 at least: an answer about one of them waits for no disk. It is taken as they are read; where it is too little, those asked for longest ago are read again. 0 = none"},
	{Key: "lending.member", Default: "", Reason: "code of the member whose lenders' gateway (融资信用服务网关) this is: firms' authorisations name it. One node alone of a member: its journal in data/receipts counts the uses, encrypted under a key that receipts.json there seals with lending.passphrase: keep both. Empty = none"},
	{Key: "lending.key", Default: "", Reason: "file of that member's key of role GATEWAY, which anchors the receipts of queries; a path in the home folder or an absolute one"},
	{Key: "lending.passphrase", Default: "", Reason: "file with the passphrase of lending.key. It seals the key of the journal of receipts too: xinlian receipts rekey gives that a new one"},
	{Key: "metrics.listen", Default: "127.0.0.1:26690", Reason: "metrics and health for the operator; empty = no listener"},
	{Key: "state.retain", Default: uint64(0), Reason: "heights of history kept; 0 = all, as an evidence ledger wants of most members"},
	{Key: "state.retain_blocks", Default: int64(0), Reason: "blocks kept at least; 0 = all. Never fewer than evidence, this node's own snapshots and a restart need"},
	{Key: "state.compact_ratio", Default: 0.0, Reason: "compact before a start when the state takes this many times what the last compaction left, such as 4; 0 = never. A start then takes minutes"},
	{Key: "state.compact_at", Default: "", Reason: "time of day (UTC+08:00), such as 02:30, at which a running node looks at state.compact_ratio and, where it says so, stops serving, compacts and comes back; another time on each member's node. Empty = only before a start"},
	{Key: "state.proof_window_mb", Default: int64(256), Reason: "memory for proofs at heights before the newest two, for requests that are on their way; some 80 blocks of 5,000 updates"},
	{Key: "state.workers", Default: 0, Reason: "signatures checked at a time; 0 = one a processor"},
	{Key: "state.snapshot_every", Default: uint64(0), Reason: "heights between snapshots for nodes that join, such as 1000; the same on all nodes that make them; 0 = none"},
	{Key: "watchdog.behind", Default: "2m0s", Reason: "peers ahead and no block for this long ends the process; well above any block sync pause"},
	{Key: "watchdog.disk_free_mb", Default: int64(256), Reason: "less free disk ends the process while it can still say so; what blocks and compactions write between two looks is far less. 0 = no look"},
	{Key: "log.level", Default: "info", Reason: "debug, info, warn or error"},
	{Key: "log.engine", Default: "error", Reason: "CometBFT's own lines; at info it writes a dozen a block"},
	{Key: "log.format", Default: "text", Reason: "text or json"},
}

// emptyBlocksInterval bounds how old the newest block of an idle chain can be, and with it how fresh an answer can be proven.
// On a chain with a fast legal clock it is at most a quarter of a legal day, so that a date is never skipped.
func emptyBlocksInterval(clockRate int64) time.Duration {
	const usual = 5 * time.Second
	if clockRate <= 1 {
		return usual
	}
	quarter := 6 * time.Hour / time.Duration(clockRate)
	return max(min(usual, quarter), 10*time.Millisecond)
}

// EngineDefaults are CometBFT's settings for a new home. engineReasons says why each differs from CometBFT's own default.
// clockRate is the chain's; 1 but on demo- and test- chains.
func EngineDefaults(clockRate int64) *cmtcfg.Config {
	c := cmtcfg.DefaultConfig()
	c.Consensus.TimeoutPropose = time.Second
	c.Consensus.TimeoutProposeDelta = 500 * time.Millisecond
	c.Consensus.TimeoutCommit = 200 * time.Millisecond
	c.Consensus.SkipTimeoutCommit = true
	c.Consensus.PeerGossipSleepDuration = 10 * time.Millisecond
	c.Consensus.CreateEmptyBlocks = true
	c.Consensus.CreateEmptyBlocksInterval = emptyBlocksInterval(clockRate)
	c.Mempool.Type = cmtcfg.MempoolTypeFlood
	c.Mempool.Size = 5000
	c.Mempool.CacheSize = 20000
	c.Mempool.MaxTxBytes = pb.TxBytesMax
	c.Mempool.MaxTxsBytes = 16 * pb.BlockBytesMax
	c.Mempool.Recheck = true
	c.P2P.PexReactor = false
	c.P2P.AddrBookStrict = false
	c.P2P.SendRate = 20 << 20
	c.P2P.RecvRate = 20 << 20
	c.P2P.FlushThrottleTimeout = 2 * time.Millisecond
	c.TxIndex.Indexer = "null"
	c.RPC.ListenAddress = "tcp://127.0.0.1:26657"
	c.RPC.PprofListenAddress = ""
	c.Instrumentation.Prometheus = false
	c.Instrumentation.PrometheusListenAddr = ""
	c.FilterPeers = false
	c.EventBusBufferCapacity = 8192
	return c
}

// engineKnobs says why the engine's settings are what they are.
var engineKnobs = []Knob{
	{Key: "consensus.timeout_propose", Reason: "a dead proposer costs one second, not three"},
	{Key: "consensus.timeout_propose_delta", Reason: "each further round waits this much longer, for slow links"},
	{Key: "consensus.timeout_commit", Reason: "time for the last votes of a slow member; bounds the block rate"},
	{Key: "consensus.skip_timeout_commit", Reason: "with every vote in there is nobody to wait for"},
	{Key: "consensus.peer_gossip_sleep_duration", Reason: "the largest lever on latency with more than one validator"},
	{Key: "consensus.create_empty_blocks", Reason: "without them block time, expiry and freshness of an idle chain go stale"},
	{Key: "consensus.create_empty_blocks_interval", Reason: "freshness has this bound; at most a quarter of a legal day on fast chains"},
	{Key: "consensus.double_sign_check_height", Reason: "set to 10 on a validator that may be started on a second machine"},
	{Key: "mempool.type", Reason: "flood: members' transactions reach every proposer"},
	{Key: "mempool.size", Reason: "beyond it submitters are told to come back, and a member that has as many waiting as there are free places; a longer queue is only latency"},
	{Key: "mempool.cache_size", Reason: "four times the mempool: what was just refused or committed is not checked again"},
	{Key: "mempool.max_tx_bytes", Reason: "the wire format's own limit"},
	{Key: "mempool.max_txs_bytes", Reason: "sixteen full blocks"},
	{Key: "mempool.recheck", Reason: "an expired transaction leaves the mempool after the block that outlived it"},
	{Key: "p2p.laddr", Reason: "other members' nodes. A firewall lets in their addresses alone: until peers are registered on the ledger (filter_peers), every node that knows the chain is a peer"},
	{Key: "p2p.persistent_peers", Reason: "the members' nodes to which this one keeps a connection"},
	{Key: "p2p.pex", Reason: "members are known: no peer is learnt from another"},
	{Key: "p2p.addr_book_strict", Reason: "members' nodes meet on private networks"},
	{Key: "p2p.allow_duplicate_ip", Reason: "true only where several nodes share one machine"},
	{Key: "p2p.send_rate", Reason: "a full block passes in a fraction of a second"},
	{Key: "p2p.recv_rate", Reason: "as send_rate"},
	{Key: "p2p.flush_throttle_timeout", Reason: "a proposal, its parts and each vote wait this long for others to leave with; four waits a block"},
	{Key: "filter_peers", Reason: "true asks the application about each peer; off until peers are registered on the ledger"},
	{Key: "tx_index.indexer", Reason: "CometBFT's index loses rows in a crash and costs most of the throughput; ours is written with the state"},
	{Key: "rpc.laddr", Reason: "loopback only: it has no authentication and answers about the past"},
	{Key: "event_bus_buffer_capacity", Reason: "a block's events and more: with none consensus waits after each transaction until somebody has taken its event"},
	{Key: "instrumentation.prometheus", Reason: "our own listener serves these metrics together with ours"},
	{Key: "db_backend", Reason: "CometBFT's default, so that its own tools open its stores"},
}

// Config of New.
type Config struct {
	Home     string
	Settings Settings
	Engine   *cmtcfg.Config // its RootDir is Home
	// Lacking are the settings that the files of the home do not name, with what is in force instead: an older program wrote them, or lines were lost. A file
	// that is cut between two lines is as well formed as before. LoadConfig fills it.
	Lacking []Knob
}

// DefaultSettings are the settings without file and environment.
func DefaultSettings() Settings {
	var s Settings
	v := settingsViper()
	if err := v.Unmarshal(&s); err != nil {
		panic("node: the defaults do not fit the settings: " + err.Error()) // bug
	}
	return s
}

func settingsViper() *viper.Viper {
	v := viper.New()
	v.SetConfigType("toml")
	v.SetEnvPrefix(ownPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	for _, k := range settingKnobs {
		v.SetDefault(k.Key, k.Default)
	}
	return v
}

// What the variables of both files begin with.
const (
	ownPrefix    = "XINLIAN"
	enginePrefix = "XINLIAN_ENGINE"
)

// variable is the name of the variable that wins over a setting's line.
func variable(prefix, key string) string {
	return prefix + "_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// strayVariable finds a variable that is named as one of our settings and is none, as a file with such a line is refused.
func strayVariable(environ []string) string {
	known, sections := map[string]bool{}, map[string]bool{}
	for _, k := range settingKnobs {
		section, _, _ := strings.Cut(k.Key, ".")
		known[variable(ownPrefix, k.Key)], sections[variable(ownPrefix, section)+"_"] = true, true
	}
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		for section := range sections {
			if strings.HasPrefix(name, section) && !known[name] {
				return name
			}
		}
	}
	return ""
}

// LoadConfig reads both files of a home folder; XINLIAN_… overrides config/xinlian.toml, XINLIAN_ENGINE_… config/config.toml.
func LoadConfig(home string) (Config, error) {
	c := Config{Home: home, Engine: EngineDefaults(1)}

	v := settingsViper()
	v.AutomaticEnv()
	own, err := readBounded(filepath.Join(home, ConfigFile))
	if err != nil {
		return c, missing(home, err)
	}
	if err := v.ReadConfig(bytes.NewReader(own)); err != nil {
		return c, fmt.Errorf("%s: %w", ConfigFile, notTOML(err))
	}
	if err := v.UnmarshalExact(&c.Settings, viper.DecodeHook(asWritten)); err != nil {
		return c, fmt.Errorf("%w; `xinlian config --defaults` shows what each setting is", unfit(ConfigFile, ownPrefix, err))
	}

	if stray := strayVariable(os.Environ()); stray != "" {
		return c, fmt.Errorf("%s in the environment is no setting and would have no effect; `xinlian config --defaults` shows what each setting is", stray)
	}

	e := viper.New()
	e.SetConfigType("toml")
	e.SetEnvPrefix(enginePrefix)
	e.SetEnvKeyReplacer(strings.NewReplacer(".", "_", "-", "_"))
	e.AutomaticEnv()
	engine, err := readBounded(filepath.Join(home, EngineConfig))
	if err != nil {
		return c, missing(home, err)
	}
	if err := e.ReadConfig(bytes.NewReader(engine)); err != nil {
		return c, fmt.Errorf("%s: %w", EngineConfig, notTOML(err))
	}
	if err := e.Unmarshal(c.Engine, viper.DecodeHook(asWritten)); err != nil {
		return c, unfit(EngineConfig, enginePrefix, err)
	}
	c.Engine.SetRoot(home)
	c.Lacking = lacking(c.Explain(), map[string][]byte{ConfigFile: own, EngineConfig: engine})
	return c, c.Check()
}

// lacking are the settings that stand in no file.
func lacking(knobs []Knob, files map[string][]byte) (out []Knob) {
	said := map[string]*viper.Viper{}
	for file, raw := range files {
		v := viper.New() // without defaults and environment
		v.SetConfigType("toml")
		_ = v.ReadConfig(bytes.NewReader(raw)) // it was read before
		said[file] = v
	}
	for _, k := range knobs {
		if !said[k.File].IsSet(k.Key) {
			out = append(out, k)
		}
	}
	return out
}

// SayLacking names in one line what the files lack; empty: nothing.
func (c Config) SayLacking() string {
	var b strings.Builder
	for i, k := range c.Lacking {
		switch {
		case i == 0:
			b.WriteString(k.File + ":")
		case k.File != c.Lacking[i-1].File:
			b.WriteString("; " + k.File + ":")
		}
		fmt.Fprintf(&b, " %s=%v", k.Key, k.Value)
	}
	return b.String()
}

func missing(home string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return noRight(err)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s is no node's home (%w): run `xinlian init --home %s --genesis FILE` first", home, err, home)
	}
	return err
}

// notTOML says where a file of settings cannot be read, and what to do.
func notTOML(err error) error {
	var at *toml.DecodeError
	if errors.As(err, &at) {
		row, _ := at.Position()
		err = fmt.Errorf("line %d: %w", row, at)
	}
	return fmt.Errorf("%w: mend the file, or take the one that `xinlian init` writes into an empty folder", err)
}

// asWritten reads a value as what it is. Viper's own way bends it into its setting's kind: a fraction loses what stands behind the point, true is 1, and a duration
// without a unit is in nanoseconds. A variable is text, and so may a number be in a file: CometBFT writes some so.
func asWritten(from, to reflect.Type, value any) (any, error) {
	text, isText := value.(string)
	shown := strings.Join(strings.Fields(fmt.Sprint(value)), " ")
	whole := from.Kind() >= reflect.Int && from.Kind() <= reflect.Uint64
	switch v := value.(type) {
	case string:
		shown = strconv.Quote(v)
	case float64:
		if shown = strconv.FormatFloat(v, 'f', -1, 64); v == math.Trunc(v) && !math.IsInf(v, 0) {
			shown += ".0" // as it is written
		}
	}
	switch {
	case to == reflect.TypeFor[time.Duration]():
		if d, err := time.ParseDuration(text); err == nil {
			return d, nil
		}
		return nil, fmt.Errorf("%s is no duration, such as 90s or 1h30m", shown)
	case to.Kind() >= reflect.Int && to.Kind() <= reflect.Uint64:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		} else if !whole {
			return nil, fmt.Errorf("%s is no whole number", shown)
		}
	case to.Kind() == reflect.Float64:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f, nil
		} else if !whole && from.Kind() != reflect.Float64 {
			return nil, fmt.Errorf("%s is no number", shown)
		}
	case to.Kind() == reflect.Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b, nil
		} else if from.Kind() != reflect.Bool {
			return nil, fmt.Errorf("%s is neither true nor false", shown)
		}
	case to.Kind() == reflect.String && !isText:
		return nil, fmt.Errorf("%s is no text: it is written between quotation marks", shown)
	case to.Kind() == reflect.Slice && isText: // CometBFT writes some lists as one text
		if text == "" {
			return []string{}, nil
		}
		return strings.Split(text, ","), nil
	}
	return value, nil
}

// unfit says in one line which of the settings cannot be taken, and where it stands.
func unfit(file, prefix string, err error) error {
	var at interface {
		error
		Name() string
		Unwrap() error
	}
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", file, errors.New(strings.Join(strings.Fields(err.Error()), " ")))
	}
	if keys, found := strings.CutPrefix(at.Unwrap().Error(), "has invalid keys: "); found {
		if at.Name() != "" {
			keys += " of " + at.Name()
		}
		return fmt.Errorf("%s: %s is no setting", file, keys)
	}
	if name := variable(prefix, at.Name()); os.Getenv(name) != "" {
		return fmt.Errorf("%s in the environment: %s: %w", name, at.Name(), at.Unwrap())
	}
	return fmt.Errorf("%s: %s: %w", file, at.Name(), at.Unwrap())
}

// Check refuses what cannot work or is not safe.
func (c Config) Check() error {
	if err := c.Engine.ValidateBasic(); err != nil {
		return fmt.Errorf("%s: %w", EngineConfig, err)
	}
	if got := c.Engine.TxIndex.Indexer; got != "null" {
		return fmt.Errorf("%s: tx_index.indexer is %q; only \"null\" is safe: outcomes are indexed by the application", EngineConfig, got)
	}
	if got := c.Engine.Mempool.Type; got != cmtcfg.MempoolTypeFlood {
		return fmt.Errorf("%s: mempool.type is %q; only \"flood\" is supported", EngineConfig, got)
	}
	if c.Engine.P2P.LibP2PEnabled() {
		return fmt.Errorf("%s: p2p.libp2p is not supported: it skips the peer filter", EngineConfig)
	}
	for _, a := range strings.FieldsFunc(c.Engine.RPC.ListenAddress+","+c.Engine.RPC.GRPCListenAddress, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !loopback(a) {
			return fmt.Errorf("%s: rpc listens on %s; it has no authentication and answers about the past, so only loopback is allowed", EngineConfig, a)
		}
	}
	if err := CheckMoniker(c.Engine.Moniker); err != nil {
		return fmt.Errorf("%s: moniker: %w", EngineConfig, err)
	}
	if got := c.Engine.DBBackend; got != string(dbm.GoLevelDBBackend) {
		return fmt.Errorf("%s: db_backend is %q; only %q is supported", EngineConfig, got, dbm.GoLevelDBBackend)
	}
	for _, peers := range []struct{ key, list string }{{"persistent_peers", c.Engine.P2P.PersistentPeers}, {"seeds", c.Engine.P2P.Seeds}} {
		if err := CheckPeers(peers.list); err != nil {
			return fmt.Errorf("%s: p2p.%s: %w", EngineConfig, peers.key, err)
		}
	}
	for _, a := range []struct{ key, addr string }{{"laddr", c.Engine.P2P.ListenAddress}, {"external_address", c.Engine.P2P.ExternalAddress}} {
		if a.key == "external_address" && a.addr == "" {
			continue
		}
		if err := checkAddress(a.addr); err != nil {
			return fmt.Errorf("%s: p2p.%s is %q: %w", EngineConfig, a.key, a.addr, err)
		}
	}
	if c.Settings.API.Listen == "" {
		return fmt.Errorf("%s: api.listen is empty", ConfigFile)
	}
	if g := c.Settings.API.StopGrace; g < 0 {
		return fmt.Errorf("%s: api.stop_grace is %s; 0 cuts open requests off at once", ConfigFile, g)
	}
	if _, err := peer.ParseProxies(c.Settings.API.TrustedProxies); err != nil {
		return fmt.Errorf("%s: api.trusted_proxies: %w", ConfigFile, err)
	}
	if n := c.Settings.API.Connections; n < connectionsLeast || n > 1<<20 {
		return fmt.Errorf("%s: api.connections is %d; between %d and %d", ConfigFile, n, connectionsLeast, 1<<20)
	}
	if n := c.Settings.API.PeerConnections; n < 1 || n > c.Settings.API.Connections {
		return fmt.Errorf("%s: api.peer_connections is %d; between 1 and api.connections", ConfigFile, n)
	}
	if e := c.Settings.API.PackEvery; e < time.Second || e > 24*time.Hour {
		return fmt.Errorf("%s: api.pack_every is %s; between 1s and 24h", ConfigFile, e)
	}
	if m := c.Settings.API.StandingsMB; m != 0 && (m < 32 || m > 1<<20) {
		return fmt.Errorf("%s: api.standings_mb is %d; 0, or between 32 and %d", ConfigFile, m, 1<<20)
	}
	if l := c.Settings.Lending; l.Member != "" && (code.CheckUSCC(l.Member) != nil || l.Key == "" || l.Passphrase == "") {
		return fmt.Errorf("%s: lending.member is a member's code and needs lending.key and lending.passphrase", ConfigFile)
	}
	// A number below zero comes out of the file as a very large one.
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"state.retain", int64(c.Settings.State.Retain)},
		{"state.snapshot_every", int64(c.Settings.State.SnapshotEvery)},
		{"state.workers", int64(c.Settings.State.Workers)},
		{"watchdog.disk_free_mb", c.Settings.Watchdog.DiskFreeMB},
	} {
		if n.value < 0 {
			return fmt.Errorf("%s: %s is %d, which is below 0", ConfigFile, n.key, n.value)
		}
	}
	if r := c.Settings.State.Retain; r != 0 && r < retainLeast {
		return fmt.Errorf("%s: state.retain is %d; 0 keeps all; answers are proven at the height before the newest, so at least %d", ConfigFile, r, retainLeast)
	}
	if r := c.Settings.State.CompactRatio; r != 0 && !(r >= 1.5) {
		return fmt.Errorf("%s: state.compact_ratio is %v; below 1.5 nearly every start would compact", ConfigFile, r)
	}
	if _, err := c.Settings.State.compactMinute(); err != nil {
		return fmt.Errorf("%s: state.compact_at: %w", ConfigFile, err)
	}
	if s := c.Settings.State; s.CompactAt != "" && (s.CompactRatio == 0 || s.Retain == 0) {
		return fmt.Errorf("%s: state.compact_at needs state.compact_ratio and state.retain: without them there is nothing to give back", ConfigFile)
	}
	if c.Settings.State.ProofWindow < 1 || c.Settings.State.ProofWindow > 1<<20 {
		return fmt.Errorf("%s: state.proof_window_mb is %d; between 1 and %d", ConfigFile, c.Settings.State.ProofWindow, 1<<20)
	}
	if c.Settings.State.RetainBlocks < 0 {
		return fmt.Errorf("%s: state.retain_blocks is %d; 0 keeps all", ConfigFile, c.Settings.State.RetainBlocks)
	}
	if c.Settings.Watchdog.Behind < 10*time.Second {
		return fmt.Errorf("%s: watchdog.behind is %s; below 10s it would end nodes that are only slow", ConfigFile, c.Settings.Watchdog.Behind)
	}
	if n := c.Settings.API.ChecksPerSecond; n < 0 {
		return fmt.Errorf("%s: api.checks_per_second is %d; 0 checks every bundle, a larger number so many a second", ConfigFile, n)
	}
	if _, err := parseLevel(c.Settings.Log.Level); err != nil {
		return fmt.Errorf("%s: log.level: %w", ConfigFile, err)
	}
	if _, err := parseLevel(c.Settings.Log.Engine); err != nil {
		return fmt.Errorf("%s: log.engine: %w", ConfigFile, err)
	}
	if f := c.Settings.Log.Format; f != "text" && f != "json" {
		return fmt.Errorf("%s: log.format is %q; text or json are known", ConfigFile, f)
	}
	return nil
}

// CheckMoniker says whether peers take a node's name: CometBFT wants ASCII, and writes it between quotation marks as it is.
func CheckMoniker(name string) error {
	if strings.TrimSpace(name) == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return fmt.Errorf("%q is no name that peers take: letters, digits, blanks and signs of ASCII, without quotation marks and \\", name)
	}
	return nil
}

// CheckPeers says whether a list of other nodes can be read. CometBFT does so after it has opened its stores. Names are not looked up.
func CheckPeers(list string) error {
	for _, entry := range strings.Split(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		id, addr, _ := strings.Cut(entry, "@")
		if _, rest, ok := strings.Cut(id, "://"); ok {
			id = rest
		}
		if raw, err := hex.DecodeString(id); err != nil || len(raw) != p2p.IDByteLength || checkAddress(addr) != nil {
			return fmt.Errorf("%q is not of the form ID@HOST:PORT, where ID has %d hexadecimal digits", entry, 2*p2p.IDByteLength)
		}
	}
	return nil
}

func checkAddress(addr string) error {
	if _, rest, ok := strings.Cut(addr, "://"); ok {
		addr = rest
	}
	host, port, err := net.SplitHostPort(addr)
	if _, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || strings.ContainsAny(host, " \t\r\n\"@/") {
		return errors.New("an address is HOST:PORT, such as tcp://0.0.0.0:26656")
	}
	return nil
}

func loopback(addr string) bool {
	if strings.HasPrefix(addr, "unix://") {
		return true
	}
	if _, rest, ok := strings.Cut(addr, "://"); ok {
		addr = rest
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// WriteConfig writes both files of a new home, if there is room for so many bytes of its genesis too: a home that lacks it would stand in the way of another try.
// Existing files are left alone and reported.
func WriteConfig(c Config, genesis int) error {
	for _, d := range []string{"config", "data"} {
		if err := os.MkdirAll(filepath.Join(c.Home, d), 0o700); err != nil {
			return fmt.Errorf("make the home folder: %w", err)
		}
	}
	engine := filepath.Join(c.Home, EngineConfig)
	if _, err := os.Lstat(engine); err == nil {
		return fmt.Errorf("%s exists already", engine)
	}
	// CometBFT's writers of this file and of the keys end the process where the disk has no room.
	if err := hasRoom(filepath.Join(c.Home, "config"), homeBytes+genesis); err != nil {
		return fmt.Errorf("no room for a home: %w", err)
	}
	cmtcfg.WriteConfigFile(engine, c.Engine)

	f, err := os.OpenFile(filepath.Join(c.Home, ConfigFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.Write(c.Settings.encode())
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// homeBytes is more than a new home takes, without its genesis.
const homeBytes = 256 << 10

// hasRoom writes so many bytes into a folder, and takes them away again.
func hasRoom(dir string, n int) error {
	f, err := os.CreateTemp(dir, "room")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, n))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// encode writes the settings as TOML with the reason of each above it.
func (s Settings) encode() []byte {
	var b bytes.Buffer
	b.WriteString("# Settings of this node. XINLIAN_API_LISTEN and so on in the environment win over this file.\n# CometBFT's own settings are in config.toml beside it.\n")
	section := ""
	for _, k := range s.knobs() {
		name, key, _ := strings.Cut(k.Key, ".")
		if name != section {
			fmt.Fprintf(&b, "\n[%s]\n", name)
			section = name
		}
		fmt.Fprintf(&b, "# %s\n", k.Reason)
		if text, ok := k.Value.(string); ok {
			fmt.Fprintf(&b, "%s = %q\n", key, text)
		} else {
			fmt.Fprintf(&b, "%s = %v\n", key, k.Value)
		}
	}
	return b.Bytes()
}

func (s Settings) knobs() []Knob {
	values := map[string]any{
		"api.listen": s.API.Listen, "api.stop_grace": s.API.StopGrace.String(), "api.pack_every": s.API.PackEvery.String(),
		"api.checks_per_second": s.API.ChecksPerSecond, "api.trusted_proxies": s.API.TrustedProxies,
		"api.connections": s.API.Connections, "api.peer_connections": s.API.PeerConnections,
		"api.standings_mb": s.API.StandingsMB,
		"metrics.listen":   s.Metrics.Listen,
		"state.retain":     s.State.Retain, "state.workers": s.State.Workers, "state.retain_blocks": s.State.RetainBlocks, "state.compact_ratio": s.State.CompactRatio,
		"lending.member": s.Lending.Member, "lending.key": s.Lending.Key, "lending.passphrase": s.Lending.Passphrase,
		"state.compact_at": s.State.CompactAt, "state.proof_window_mb": s.State.ProofWindow,
		"state.snapshot_every": s.State.SnapshotEvery,
		"watchdog.behind":      s.Watchdog.Behind.String(), "watchdog.disk_free_mb": s.Watchdog.DiskFreeMB,
		"log.level": s.Log.Level, "log.engine": s.Log.Engine, "log.format": s.Log.Format,
	}
	out := make([]Knob, len(settingKnobs))
	for i, k := range settingKnobs {
		v, ok := values[k.Key]
		if !ok {
			panic("node: setting " + k.Key + " has no value") // bug: a new knob that Settings does not hold
		}
		k.Value, k.File = v, ConfigFile
		out[i] = k
	}
	return out
}

// Explain lists every setting of ours, and each of CometBFT's whose default we chose, with value, default and reason.
func (c Config) Explain() []Knob {
	out := c.Settings.knobs()
	now, def := engineValues(c.Engine), engineValues(EngineDefaults(1))
	for _, k := range engineKnobs {
		k.File, k.Value, k.Default = EngineConfig, now[k.Key], def[k.Key]
		out = append(out, k)
	}
	return out
}

func engineValues(c *cmtcfg.Config) map[string]any {
	return map[string]any{
		"consensus.timeout_propose":              c.Consensus.TimeoutPropose.String(),
		"consensus.timeout_propose_delta":        c.Consensus.TimeoutProposeDelta.String(),
		"consensus.timeout_commit":               c.Consensus.TimeoutCommit.String(),
		"consensus.skip_timeout_commit":          c.Consensus.SkipTimeoutCommit,
		"consensus.peer_gossip_sleep_duration":   c.Consensus.PeerGossipSleepDuration.String(),
		"consensus.create_empty_blocks":          c.Consensus.CreateEmptyBlocks,
		"consensus.create_empty_blocks_interval": c.Consensus.CreateEmptyBlocksInterval.String(),
		"consensus.double_sign_check_height":     c.Consensus.DoubleSignCheckHeight,
		"mempool.type":                           c.Mempool.Type,
		"mempool.size":                           c.Mempool.Size,
		"mempool.cache_size":                     c.Mempool.CacheSize,
		"mempool.max_tx_bytes":                   c.Mempool.MaxTxBytes,
		"mempool.max_txs_bytes":                  c.Mempool.MaxTxsBytes,
		"mempool.recheck":                        c.Mempool.Recheck,
		"p2p.laddr":                              c.P2P.ListenAddress,
		"p2p.persistent_peers":                   c.P2P.PersistentPeers,
		"p2p.pex":                                c.P2P.PexReactor,
		"p2p.addr_book_strict":                   c.P2P.AddrBookStrict,
		"p2p.allow_duplicate_ip":                 c.P2P.AllowDuplicateIP,
		"p2p.send_rate":                          c.P2P.SendRate,
		"p2p.recv_rate":                          c.P2P.RecvRate,
		"p2p.flush_throttle_timeout":             c.P2P.FlushThrottleTimeout.String(),
		"filter_peers":                           c.FilterPeers,
		"tx_index.indexer":                       c.TxIndex.Indexer,
		"rpc.laddr":                              c.RPC.ListenAddress,
		"event_bus_buffer_capacity":              c.EventBusBufferCapacity,
		"instrumentation.prometheus":             c.Instrumentation.Prometheus,
		"db_backend":                             c.DBBackend,
	}
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > configBytesMax {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, configBytesMax)
	}
	return os.ReadFile(path)
}
