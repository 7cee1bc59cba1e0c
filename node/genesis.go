package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/types"
	"github.com/syndtr/goleveldb/leveldb/opt"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// ConsensusParams are what every new chain starts with.
func ConsensusParams() *types.ConsensusParams {
	p := types.DefaultConsensusParams()
	// CometBFT's default is 53 MiB, more than its own links carry in seconds.
	p.Block.MaxBytes = pb.BlockBytesMax
	p.Block.MaxGas = -1 // work is bounded by the application's own gate
	// Two signed statements of one validator are evidence for as long: two days, and the blocks that two busy days make.
	p.Evidence.MaxAgeDuration = 48 * time.Hour
	p.Evidence.MaxAgeNumBlocks = 500000
	p.Evidence.MaxBytes = 256 << 10
	// The only kind of key with batch verification, and the only one that bundles know.
	p.Validator.PubKeyTypes = []string{types.ABCIPubKeyTypeEd25519}
	// Must equal what the application reports: otherwise a rolled back state can never start again.
	p.Version.App = app.Version
	// Once on they can never be turned off, and nothing here needs them.
	p.ABCI.VoteExtensionsEnableHeight = 0
	return p
}

// GenesisDoc is the first state of a chain in CometBFT's form. Validators come from the members' rows, so there is one list.
func GenesisDoc(chainID string, at time.Time, g *pb.Genesis) (*types.GenesisDoc, error) {
	state, err := app.GenesisJSON(g)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	doc := &types.GenesisDoc{
		ChainID:         chainID,
		GenesisTime:     at.UTC().Round(0).Truncate(time.Second),
		InitialHeight:   1,
		ConsensusParams: ConsensusParams(),
		AppState:        state,
	}
	for i := range g.Members {
		m := &g.Members[i]
		if m.Removed || m.ValidatorPower == 0 || len(m.ValidatorKey) == 0 {
			continue
		}
		if len(m.ValidatorKey) != ed25519.PubKeySize {
			return nil, fmt.Errorf("genesis: the validator key of %s has %d bytes instead of %d", m.Uscc, len(m.ValidatorKey), ed25519.PubKeySize)
		}
		key := ed25519.PubKey(append([]byte(nil), m.ValidatorKey...))
		doc.Validators = append(doc.Validators, types.GenesisValidator{Address: key.Address(), PubKey: key, Power: m.ValidatorPower, Name: m.Uscc})
	}
	if len(doc.Validators) == 0 {
		return nil, fmt.Errorf("genesis: no member runs a validator: give at least one row validator_key and validator_power")
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return doc, nil
}

// LoadGenesis reads a genesis file and checks what a node relies on before it starts with it.
func LoadGenesis(path string) (*types.GenesisDoc, *pb.Genesis, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil, noRight(err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("genesis: %w: copy the file of another member (xinlian export genesis)", err)
	}
	doc, err := types.GenesisDocFromJSON(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("genesis: %s: %w: copy the file of another member (xinlian export genesis)", path, err)
	}
	if got := doc.ConsensusParams.Version.App; got != app.Version {
		return nil, nil, fmt.Errorf("genesis: consensus_params.version.app is %d, this program runs version %d", got, app.Version)
	}
	if n := doc.ConsensusParams.Block.MaxBytes; n <= 0 || n > pb.BlockBytesMax {
		return nil, nil, fmt.Errorf("genesis: consensus_params.block.max_bytes is %d; 1 to %d are allowed", n, pb.BlockBytesMax)
	}
	g, err := app.ParseGenesis(doc.AppState)
	if err != nil {
		return nil, nil, fmt.Errorf("genesis: app_state: %w: copy the file of another member (xinlian export genesis)", err)
	}
	return doc, g, nil
}

// began is where CometBFT's state keeps the genesis that a home began with. From its first start on CometBFT goes by that one and not by the file.
var began = []byte("genesisDoc")

// CheckBegan refuses a genesis file that is not the one that the home began with: members and auditors are given the file, and would be on another chain with it. A home that
// has never started takes any.
func CheckBegan(states dbm.DB, c *cmtcfg.Config) error {
	raw, err := states.Get(began)
	if err != nil || len(raw) == 0 {
		return err
	}
	doc, err := types.GenesisDocFromFile(c.GenesisFile())
	if errors.Is(err, fs.ErrPermission) {
		return noRight(err)
	}
	if err != nil {
		return fmt.Errorf("genesis: %w: copy the file of another member (xinlian export genesis)", err)
	}
	first := new(types.GenesisDoc)
	if err := cmtjson.Unmarshal(raw, first); err != nil {
		return fmt.Errorf("the genesis in CometBFT's state: %w", err)
	}
	if first.ChainID != doc.ChainID {
		return fmt.Errorf("this home belongs to chain %q, not to %q as %s: copy the file of another member (xinlian export genesis)", first.ChainID, doc.ChainID, c.GenesisFile())
	}
	if raw, err = cmtjson.Marshal(first); err != nil {
		return err
	}
	if have, err := cmtjson.Marshal(doc); err != nil || !bytes.Equal(have, raw) {
		return errors.Join(err, fmt.Errorf("%s is not the genesis file that this home began with, of the chain from %s: copy the file of another member (xinlian export genesis)",
			c.GenesisFile(), first.GenesisTime.Format(time.RFC3339)))
	}
	return nil
}

// CheckBeganOf is CheckBegan for a home that others may have open. Where its state cannot be read, the node that has it open has checked it.
func CheckBeganOf(c *cmtcfg.Config) error {
	if !fileExists(filepath.Join(c.DBDir(), "state.db")) {
		return nil
	}
	db, err := dbm.NewGoLevelDBWithOpts("state", c.DBDir(), &opt.Options{ReadOnly: true})
	if err != nil {
		return nil
	}
	defer db.Close()
	return CheckBegan(db, c)
}
