package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
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
	if _, err := p2p.LoadOrGenNodeKey(c.Engine.NodeKeyFile()); err != nil && !fileExists(c.Engine.NodeKeyFile()) {
		return Identity{}, fmt.Errorf("node key: %w", err)
	}
	nodeKey, err := loadNodeKey(c.Engine)
	if err != nil {
		return Identity{}, err
	}
	var pv *privval.FilePV
	if fileExists(c.Engine.PrivValidatorKeyFile()) {
		if err := checkValidatorKey(c.Engine); err != nil {
			return Identity{}, err
		}
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

// noRight says what to do about a file that this user may not read.
func noRight(err error) error {
	return fmt.Errorf("%w: give the user who runs the node a right to it", err)
}

// loadNodeKey reads the key that is the node's address.
func loadNodeKey(c *cmtcfg.Config) (*p2p.NodeKey, error) {
	k, err := p2p.LoadNodeKey(c.NodeKeyFile())
	if err == nil && k.PrivKey == nil {
		err = errors.New("no private key is in it")
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, noRight(err)
	}
	if err != nil {
		return nil, fmt.Errorf("node key %s cannot be read: %w: restore it from a backup; without one a new home gets a new address, which other members enter under p2p.persistent_peers",
			c.NodeKeyFile(), err)
	}
	return k, nil
}

// loadValidator reads the key that votes, and what it last signed. CometBFT's own loader ends the process at a file that it cannot read, and panics at one without
// a key; both files are looked at first.
func loadValidator(c *cmtcfg.Config) (*privval.FilePV, error) {
	if err := checkValidatorKey(c); err != nil {
		return nil, err
	}
	if _, err := LastSigned(c); err != nil {
		return nil, err
	}
	return privval.LoadFilePV(c.PrivValidatorKeyFile(), c.PrivValidatorStateFile()), nil
}

func checkValidatorKey(c *cmtcfg.Config) error {
	var k privval.FilePVKey
	raw, err := os.ReadFile(c.PrivValidatorKeyFile())
	if err == nil {
		err = cmtjson.Unmarshal(raw, &k)
	}
	if err == nil && k.PrivKey == nil {
		err = errors.New("no private key is in it")
	}
	if errors.Is(err, fs.ErrPermission) {
		return noRight(err)
	}
	if err != nil {
		return fmt.Errorf("validator key %s cannot be read: %w: restore it from a backup, or make a new home and have governance enter its key", c.PrivValidatorKeyFile(), err)
	}
	return nil
}

// LastSigned is the newest height at which the validator key of a home has signed; 0 where there is neither a key nor a record. A key without
// its record may have signed anything.
func LastSigned(c *cmtcfg.Config) (int64, error) {
	var signed privval.FilePVLastSignState
	raw, err := os.ReadFile(c.PrivValidatorStateFile())
	if errors.Is(err, os.ErrNotExist) && !fileExists(c.PrivValidatorKeyFile()) {
		return 0, nil
	}
	if err == nil {
		err = cmtjson.Unmarshal(raw, &signed)
	}
	if errors.Is(err, fs.ErrPermission) {
		return 0, noRight(err)
	}
	if err != nil {
		return 0, fmt.Errorf("what the validator last signed (%s) cannot be read, and without it it might sign twice: %w: never take the file of an older backup; make a new home, and have governance enter its key",
			c.PrivValidatorStateFile(), err)
	}
	return signed.Height, nil
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
		os.Remove(tmp)
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
