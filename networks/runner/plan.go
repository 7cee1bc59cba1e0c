package runner

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	cmtjson "github.com/cometbft/cometbft/libs/json"

	"github.com/xinlian-ledger/xinlian/node"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Bounds of a network on one machine.
const (
	ValidatorsMax = 20
	FullNodesMax  = 20
	ClockRateMax  = 100 * 86400
)

// Options of Up.
type Options struct {
	Dir         string
	ChainID     string
	Validators  int
	FullNodes   int
	LegalOrigin time.Time // zero: the moment of genesis
	ClockRate   int64
	Program     string // the xinlian binary; empty: this process's own
	// GenesisIn puts the moment of genesis ahead: the nodes wait for it, so that a fast legal clock has not run on while they start.
	GenesisIn time.Duration

	// Progress is told each step; nil: nobody is.
	Progress func(format string, args ...any)
}

// ErrUsage marks options that cannot be. It says nothing itself.
var ErrUsage = errors.New("usage")

// wrongCall is an error that ErrUsage marks.
type wrongCall struct{ error }

func (wrongCall) Is(target error) bool { return target == ErrUsage }
func (e wrongCall) Unwrap() error      { return e.error }

var chainIDForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (o *Options) complete() error {
	bad := func(format string, args ...any) error {
		return wrongCall{fmt.Errorf(format, args...)}
	}
	if o.Dir == "" {
		return bad("--dir is missing")
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if o.Program == "" {
		if o.Program, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
	}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	if o.ChainID == "" {
		o.ChainID = "demo-local"
	}
	if o.ClockRate == 0 {
		o.ClockRate = 1
	}
	own := strings.HasPrefix(o.ChainID, "demo-") || strings.HasPrefix(o.ChainID, "test-")
	switch {
	case !chainIDForm.MatchString(o.ChainID) || len(o.ChainID) > pb.ChainIDMax:
		return bad("--chain-id %q: small letters, digits and -, at most %d", o.ChainID, pb.ChainIDMax)
	case o.Validators < 1 || o.Validators > ValidatorsMax:
		return bad("--validators %d: between 1 and %d", o.Validators, ValidatorsMax)
	case o.FullNodes < 0 || o.FullNodes > FullNodesMax:
		return bad("--full-nodes %d: between 0 and %d", o.FullNodes, FullNodesMax)
	case o.ClockRate < 1 || o.ClockRate > ClockRateMax:
		return bad("--clock-rate %d: between 1 and %d", o.ClockRate, ClockRateMax)
	case !own && (o.ClockRate != 1 || !o.LegalOrigin.IsZero()):
		return bad("only a chain id that begins with demo- or test- may have a legal clock of its own; %q does not", o.ChainID)
	}
	return nil
}

// create writes the whole network: keys, genesis, a home for each node. localnet.json comes last: a folder without it is no
// network, and a crash before it leaves nothing that would be started.
func create(o Options) (*Network, error) {
	if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 && !onlyLock(entries) {
		return nil, fmt.Errorf("%s is not empty and holds no localnet: choose another --dir", o.Dir)
	}
	genesis := time.Now().Add(o.GenesisIn).UTC().Truncate(time.Second)
	origin := o.LegalOrigin
	if origin.IsZero() {
		origin = genesis
	}
	zone := time.FixedZone("UTC+8", 8*3600)
	n := &Network{dir: o.Dir, ChainID: o.ChainID, LegalOrigin: origin.In(zone), ClockRate: o.ClockRate}

	count := o.Validators + o.FullNodes
	ports, err := freePorts(4 * count)
	if err != nil {
		return nil, err
	}
	configs := make([]node.Config, count)
	ids := make([]node.Identity, count)
	for i := range configs {
		name := fmt.Sprintf("node%d", i+1)
		if i >= o.Validators {
			name = fmt.Sprintf("full%d", i+1-o.Validators)
		}
		p := ports[4*i : 4*i+4]
		at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
		c := node.Config{Home: filepath.Join(o.Dir, name), Settings: node.DefaultSettings(), Engine: node.EngineDefaults(o.ClockRate)}
		c.Settings.API.Listen = at(p[0])
		c.Settings.Metrics.Listen = at(p[1])
		c.Engine.SetRoot(c.Home)
		c.Engine.Moniker = name
		c.Engine.RPC.ListenAddress = "tcp://" + at(p[2])
		c.Engine.P2P.ListenAddress = "tcp://" + at(p[3])
		c.Engine.P2P.AllowDuplicateIP = true
		for _, d := range []string{"config", "data"} {
			if err := os.MkdirAll(filepath.Join(c.Home, d), 0o700); err != nil {
				return nil, err
			}
		}
		if ids[i], err = node.InitKeys(c); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		configs[i] = c
		n.Nodes = append(n.Nodes, Node{
			Name: name, API: "http://" + at(p[0]), Metrics: "http://" + at(p[1]) + "/metrics", RPC: "http://" + at(p[2]), Home: c.Home,
		})
	}

	var validators [][]byte
	for _, id := range ids[:o.Validators] {
		validators = append(validators, id.ValidatorKey)
	}
	g, members, err := makeMembers(o.Dir, max(governorsMin, o.Validators), validators)
	if err != nil {
		return nil, err
	}
	n.Members = members
	for _, m := range members {
		if m.Key == LendingKey { // the first node is the lenders' gateway of the network
			// The files lie in its home: a home that is moved or copied still starts.
			s := node.LendingSettings{Member: m.USCC, Key: "config/" + LendingKey + ".json", Passphrase: "config/" + LendingKey + ".passphrase"}
			for from, to := range map[string]string{LendingKey + ".json": s.Key, PassphraseFile: s.Passphrase} {
				raw, err := os.ReadFile(filepath.Join(o.Dir, KeysDir, from))
				if err != nil {
					return nil, err
				}
				if err := writeFile(filepath.Join(configs[0].Home, to), raw, 0o600); err != nil {
					return nil, err
				}
			}
			configs[0].Settings.Lending = s
		}
	}
	g.ClockRate = o.ClockRate
	g.LegalOrigin = origin.Unix()
	doc, err := node.GenesisDoc(o.ChainID, genesis, g)
	if err != nil {
		return nil, err
	}
	raw, err := cmtjson.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write genesis: %w", err)
	}
	for i, c := range configs {
		var peers, friends []string
		for j, id := range ids {
			if i != j {
				peers = append(peers, id.NodeID+"@"+strings.TrimPrefix(configs[j].Engine.P2P.ListenAddress, "tcp://"))
				friends = append(friends, id.NodeID)
			}
		}
		c.Engine.P2P.PersistentPeers = strings.Join(peers, ",")
		c.Engine.P2P.UnconditionalPeerIDs = strings.Join(friends, ",")
		if err := node.WriteConfig(c, len(raw)); err != nil {
			return nil, err
		}
		if err := node.InstallGenesis(c, raw); err != nil {
			return nil, err
		}
	}
	return n, n.save()
}

func onlyLock(entries []os.DirEntry) bool { return len(entries) == 1 && entries[0].Name() == lockFile }

// freePorts finds ports that are free now, all at once so that no two are the same. They lie below those that systems give to outgoing connections and
// to listeners that name none, so that a node which was down for a while finds its own free when it comes back; and none is one that this process has given to another
// network, whose node may be down.
func freePorts(count int) ([]int, error) {
	const from, to, triesEach = 20000, 32000, 50
	given.Lock()
	defer given.Unlock()
	var out []int
	var last error
	for range count * triesEach {
		if len(out) == count {
			break
		}
		port := from + rand.IntN(to-from)
		if given.ports[port] {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		defer l.Close()
		out = append(out, port)
	}
	if len(out) < count {
		return nil, fmt.Errorf("find a free port: %w", last)
	}
	for _, port := range out {
		given.ports[port] = true
	}
	return out, nil
}

// given are the ports of the networks that this process has made.
var given = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}
