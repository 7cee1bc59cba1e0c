package node

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
)

// Identity is what others need to know of a node: its address on the network, and the key that it votes with.
type Identity struct {
	NodeID       string `json:"node_id"`
	ValidatorKey []byte `json:"validator_key"` // ed25519, 32 bytes
}

// InitKeys makes the node's two keys in a home whose config/ and data/ exist, or reads those that are there. A validator key is
// never made anew over an old one: two keys for one seat look like a fault of the member.
func InitKeys(c Config) (Identity, error) {
	nodeKey, err := p2p.LoadOrGenNodeKey(c.Engine.NodeKeyFile())
	if err != nil {
		return Identity{}, fmt.Errorf("node key: %w", err)
	}
	var pv *privval.FilePV
	if fileExists(c.Engine.PrivValidatorKeyFile()) {
		pv = privval.LoadFilePVEmptyState(c.Engine.PrivValidatorKeyFile(), c.Engine.PrivValidatorStateFile())
	} else {
		pv = privval.NewFilePV(ed25519.GenPrivKey(), c.Engine.PrivValidatorKeyFile(), c.Engine.PrivValidatorStateFile())
		pv.Save()
	}
	pub, err := pv.GetPubKey()
	if err != nil {
		return Identity{}, fmt.Errorf("validator key: %w", err)
	}
	return Identity{NodeID: string(nodeKey.ID()), ValidatorKey: pub.Bytes()}, nil
}

// InstallGenesis copies a genesis file into a home, after the checks that a start would make.
func InstallGenesis(c Config, raw []byte) error {
	path := c.Engine.GenesisFile()
	if fileExists(path) {
		return fmt.Errorf("%s exists already", path)
	}
	tmp := path + ".tmp"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write genesis: %w", err)
	}
	// Members only: the state inside holds the chain's secret.
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("write genesis: %w", err)
	}
	if _, _, err := LoadGenesis(tmp); err != nil {
		os.Remove(tmp)
		return err
	}
	return os.Rename(tmp, path)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
