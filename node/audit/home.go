package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtconfig "github.com/cometbft/cometbft/config"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/syndtr/goleveldb/leveldb/opt"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/x"
)

// home reads a stopped node's folder.
type home struct {
	dir    string
	blocks *store.BlockStore
	states sm.Store
	dbs    []dbm.DB
	app    *app.App
	raw    []byte // of the block that was read last
}

// OpenHome opens a node's home folder for reading. The node must not be running: its databases have one owner.
func OpenHome(dir string) (Source, error) {
	cfg := cmtconfig.DefaultConfig().SetRoot(dir)
	if _, err := os.Stat(cfg.GenesisFile()); errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: give the user who audits a right to it", err)
	} else if err != nil {
		return nil, fmt.Errorf("%s is not a node's home: no genesis file at %s", dir, cfg.GenesisFile())
	}
	h := &home{dir: dir}
	open := func(id string) (dbm.DB, error) {
		if _, err := os.Stat(filepath.Join(cfg.DBDir(), id+".db")); err != nil {
			return nil, fmt.Errorf("%s has no %s database: the node has never run", dir, id)
		}
		db, err := dbm.NewGoLevelDBWithOpts(id, cfg.DBDir(), &opt.Options{ReadOnly: true}) // evidence stays as it is, also on a disk that takes nothing
		switch {
		case err == nil:
		case strings.Contains(err.Error(), "temporarily unavailable"):
			return nil, fmt.Errorf("%s is in use: stop the node, or replay over its gateway (--node)", dir)
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("%w: give the user who audits a right to it", err)
		default:
			return nil, fmt.Errorf("%s of %s cannot be opened: %w", id+".db", dir, err)
		}
		h.dbs = append(h.dbs, db)
		return db, nil
	}
	blocks, err := open("blockstore")
	if err == nil {
		var states dbm.DB
		if states, err = open("state"); err == nil {
			h.blocks, h.states = store.NewBlockStore(blocks), sm.NewStore(states, sm.StoreOptions{})
			return h, nil
		}
	}
	h.Close()
	return nil, err
}

func (h *home) Genesis(context.Context) (*cmttypes.GenesisDoc, error) {
	return cmttypes.GenesisDocFromFile(cmtconfig.DefaultConfig().SetRoot(h.dir).GenesisFile())
}

func (h *home) Range(context.Context) (int64, int64, error) {
	return h.blocks.Base(), h.blocks.Height(), nil
}

func (h *home) Block(_ context.Context, height int64) (*cmttypes.Block, []byte, error) {
	// LoadBlock of the engine, but for its buffer, which is another one for each block and grows part by part, and its panics. What is decoded is a copy.
	meta := h.blocks.LoadBlockMeta(height)
	if meta == nil {
		return nil, nil, errors.New("the folder does not hold this block")
	}
	raw := h.raw[:0]
	for i := range int(meta.BlockID.PartSetHeader.Total) {
		part := h.blocks.LoadBlockPart(height, i)
		if part == nil {
			return nil, nil, errors.New("the folder does not hold this block")
		}
		raw = append(raw, part.Bytes...)
	}
	h.raw = raw
	b := new(cmtproto.Block)
	if err := b.Unmarshal(raw); err != nil {
		return nil, nil, fmt.Errorf("the folder holds a damaged block: %w", err)
	}
	block, err := cmttypes.BlockFromProto(b)
	return block, raw, err
}

func (h *home) Commit(_ context.Context, height int64) (*cmttypes.Commit, error) {
	if c := h.blocks.LoadBlockCommit(height); c != nil {
		return c, nil
	}
	if c := h.blocks.LoadSeenCommit(height); c != nil {
		return c, nil
	}
	return nil, errors.New("the folder does not hold the commit of this block")
}

func (h *home) Results(_ context.Context, height int64) ([]*abci.ExecTxResult, error) {
	resp, err := h.states.LoadFinalizeBlockResponse(height)
	if err != nil {
		return nil, nil // not kept for this height: the app hash of the next header still decides
	}
	return resp.TxResults, nil
}

func (h *home) State(context.Context) (*State, error) {
	if h.app == nil {
		dir := filepath.Join(h.dir, node.StateDir)
		if _, err := os.Stat(dir); err != nil {
			return nil, nil
		}
		a, err := app.New(app.Options{Dir: dir, ReadOnly: true, RowsOnly: true}) // who replays compares every row, and has a tree of his own
		if err != nil {
			return nil, fmt.Errorf("application state: %w", err)
		}
		h.app = a
	}
	newest := h.app.Status()
	return &State{Height: newest.Height, AppHash: newest.AppHash, Open: func() (x.Reader, func(), error) {
		s, err := h.app.At(0)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}}, nil
}

func (h *home) Close() error {
	if h.app != nil {
		h.app.Close()
	}
	for _, db := range h.dbs {
		db.Close()
	}
	return nil
}

// genesisHash is what auditors compare out of band: SHA-256 of the genesis document in the engine's own JSON without blanks, so that the
// layout of the file does not count.
func genesisHash(doc *cmttypes.GenesisDoc) (string, error) {
	d := *doc
	var state bytes.Buffer
	if err := json.Compact(&state, doc.AppState); err != nil {
		return "", err
	}
	d.AppState = state.Bytes()
	raw, err := cmtjson.Marshal(d)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(raw)), nil
}
