package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Files of a network's folder.
const (
	NetworkFile    = "localnet.json"
	TrustFile      = "trust.json"
	KeysDir        = "keys"
	PassphraseFile = "passphrase" // inside KeysDir
	logFile        = "node.log"   // inside a node's home
	lockFile       = "localnet.lock"
)

const networkBytesMax = 4 << 20

// Network is localnet.json.
type Network struct {
	ChainID     string    `json:"chain_id"`
	LegalOrigin time.Time `json:"legal_origin"`
	ClockRate   int64     `json:"clock_rate"`
	Nodes       []Node    `json:"nodes"`
	Members     []Member  `json:"members"`

	dir string
}

// Node is one process of the network. PID is 0 while it does not run.
type Node struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	API     string `json:"api"`     // gateway URL
	RPC     string `json:"rpc"`     // CometBFT's own
	Metrics string `json:"metrics"` // URL of the metrics
	Home    string `json:"home"`

	// Started tells this process from a later one with the same number. It is what the system says of it, compared as it is.
	Started string `json:"started,omitempty"`
}

// Member is one agency of the network, with the name of its key.
type Member struct {
	USCC    string   `json:"uscc"`
	Name    string   `json:"name"`
	Level   string   `json:"level"`
	Regions []string `json:"regions"`
	Roles   []string `json:"roles"`
	Key     string   `json:"key"`
}

// Dir is the network's folder.
func (n *Network) Dir() string { return n.dir }

// KeysPath is the folder with every member's key.
func (n *Network) KeysPath() string { return filepath.Join(n.dir, KeysDir) }

// PassphrasePath is the file with the passphrase of all of them.
func (n *Network) PassphrasePath() string { return filepath.Join(n.dir, KeysDir, PassphraseFile) }

// TrustPath is the trust file.
func (n *Network) TrustPath() string { return filepath.Join(n.dir, TrustFile) }

// LogPath is what a node has written.
func (n *Network) LogPath(node string) string {
	for i := range n.Nodes {
		if n.Nodes[i].Name == node {
			return filepath.Join(n.Nodes[i].Home, logFile)
		}
	}
	return ""
}

// Node finds a node by name.
func (n *Network) Node(name string) (*Node, error) {
	var names []string
	for i := range n.Nodes {
		if n.Nodes[i].Name == name {
			return &n.Nodes[i], nil
		}
		names = append(names, n.Nodes[i].Name)
	}
	return nil, fmt.Errorf("there is no node %q; the nodes are %v", name, names)
}

// ErrNoNetwork says that the folder holds no network.
var ErrNoNetwork = errors.New("no localnet is there")

// Load reads the description of a network.
func Load(dir string) (*Network, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, NetworkFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist; make one with `xinlian localnet up --dir %s`", ErrNoNetwork, path, dir)
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > networkBytesMax {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, networkBytesMax)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := &Network{dir: dir}
	if err := json.Unmarshal(raw, n); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// save replaces the description in one step: a reader sees the old one or the new one.
func (n *Network) save() error {
	raw, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(n.dir, NetworkFile), append(raw, '\n'), 0o644)
}

func writeFile(path string, raw []byte, mode fs.FileMode) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, raw, mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
