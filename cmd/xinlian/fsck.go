package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/node"
)

const (
	exitDamaged    = 1
	exitUnreadable = 3
)

func fsckCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "fsck", Short: "Check a stopped node's home folder", Args: cobra.NoArgs,
		Long: `Check a stopped node's home folder: every table file has its checksum, every row of the ledger's state is bound as its table declares, the tree hashes to the
app hash of the newest block, every invariant of the rules holds; every block of CometBFT's store has all its parts, its hash and its commit and follows the one before it, and
both stores agree on height and app hash. A folder that a crash left open is first brought to its last whole block, as a start would.

Exit codes: 0 sound, 1 damaged (the first fault is named), 2 the call was wrong, 3 in use or unreadable, or interrupted.`,
	}
	home, asJSON := homeFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		progress := cmd.ErrOrStderr()
		if *asJSON {
			progress = io.Discard
		}
		r, err := fsck(cmd, *home, progress)
		if err != nil && cmd.Context().Err() != nil {
			err = exitWith(exitUnreadable, errors.New("interrupted: the folder is not judged; run fsck again"))
		}
		if *asJSON {
			if err != nil {
				r.Fault = err.Error()
			}
			if e := printJSON(cmd.OutOrStdout(), r); e != nil {
				return e
			}
		}
		if err != nil {
			return err
		}
		if !*asJSON {
			fmt.Fprintf(cmd.OutOrStdout(), "sound: chain %s, height %d, app hash %s, blocks %d to %d\n", r.ChainID, r.Height, r.AppHash, r.FirstBlock, r.LastBlock)
			if r.RollbackTo != nil {
				sayf(cmd, cmd.ErrOrStderr(), "a rollback to height %d was cut off: the ledger is at that height, and the next start ends it", *r.RollbackTo)
			}
			if r.Lacking != "" {
				sayf(cmd, cmd.ErrOrStderr(), "the files of this home lack settings, and these are in force instead: %s", r.Lacking)
			}
		}
		return nil
	}
	return cmd
}

type fsckReport struct {
	Home       string `json:"home"`
	ChainID    string `json:"chain_id,omitempty"`
	Height     int64  `json:"height"`
	AppHash    string `json:"app_hash,omitempty"`
	FirstBlock int64  `json:"first_block"`
	LastBlock  int64  `json:"last_block"`
	Lacking    string `json:"lacking,omitempty"`     // settings that the files do not name, with what is in force instead
	RollbackTo *int64 `json:"rollback_to,omitempty"` // what was above this height is being taken back, and that was cut off
	Fault      string `json:"fault,omitempty"`
}

// fsckPatience is after how long fsck says what it is at: a large home takes minutes.
const fsckPatience = 10 * time.Second

func fsck(cmd *cobra.Command, home string, progress io.Writer) (r fsckReport, err error) {
	var stage *time.Timer
	at := func(say func()) {
		if stage != nil {
			stage.Stop()
		}
		stage = time.AfterFunc(fsckPatience, say)
	}
	defer func() {
		if stage != nil {
			stage.Stop()
		}
	}()
	r.Home = home
	if r.Home, err = filepath.Abs(home); err != nil {
		return r, usage(err)
	}
	cfg, err := node.LoadConfig(r.Home)
	if err != nil {
		return r, exitWith(exitUnreadable, err)
	}
	r.Lacking = cfg.SayLacking()
	doc, _, err := node.LoadGenesis(cfg.Engine.GenesisFile())
	if err != nil {
		return r, exitWith(exitUnreadable, err)
	}
	r.ChainID = doc.ChainID
	// A store that is damaged enough panics in its own code; that is a fault of the folder, too.
	defer func() {
		if p := recover(); p != nil {
			err = exitWith(exitDamaged, fmt.Errorf("reading the folder failed: %v", p))
		}
	}()
	engine, err := openEngineStores(cfg.Engine)
	if err != nil && strings.Contains(err.Error(), "is full: make room") {
		return r, exitWith(exitUnreadable, err) // it is the disk, and nothing is judged
	} else if err != nil {
		return r, err
	}
	defer engine.close()
	at(func() { sayf(cmd, progress, "checking the table files of the state") })
	if r.RollbackTo, err = checkStateFiles(filepath.Join(r.Home, node.StateDir), doc.ChainID); err != nil {
		return r, err
	}
	a, err := app.New(app.Options{Dir: filepath.Join(r.Home, node.StateDir), ReadOnly: true, ChainID: doc.ChainID})
	if err != nil {
		return r, exitWith(exitDamaged, err)
	}
	defer a.Close()
	s := a.Status()
	at(func() { sayf(cmd, progress, "checking the tree, and every row by the rules") })
	r.Height, r.AppHash = s.Height, fmt.Sprintf("%x", s.AppHash)
	if err := a.Fsck(cmd.Context()); err != nil {
		return r, exitWith(exitDamaged, err)
	}
	at(func() { sayf(cmd, progress, "checking the blocks") })
	if err := engine.check(cmd.Context(), &r, a); err != nil {
		return r, stateRefusal(err)
	}
	return r, nil
}

// checkStateFiles checks every table file of the state folder. A folder that a crash left open is opened for writing once, which repairs what a start would. It gives the
// height of a rollback that was cut off.
func checkStateFiles(dir, chainID string) (back *int64, err error) {
	open := func(readOnly bool) (*state.Store, error) {
		return state.Open(state.Options{Dir: dir, ChainID: chainID, Bind: app.Bind, ReadOnly: readOnly})
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, exitWith(exitUnreadable, fmt.Errorf("the home has no state: %w; the node has never run", err))
	}
	s, err := open(true)
	if err != nil && strings.Contains(err.Error(), "was not closed properly") {
		if s, err = open(false); err == nil {
			if err = s.Close(); err == nil {
				s, err = open(true)
			}
		}
	}
	if err != nil {
		return nil, stateRefusal(err)
	}
	if to, cutOff := s.Unfinished(); cutOff {
		height := int64(to)
		back = &height
	}
	if err := s.CheckFiles(); err != nil {
		s.Close()
		return back, exitWith(exitDamaged, err)
	}
	if err := s.Close(); err != nil {
		return back, exitWith(exitDamaged, err)
	}
	return back, nil
}

// engineStores are CometBFT's own databases of a stopped node.
type engineStores struct {
	cfg    *cmtcfg.Config
	blocks *store.BlockStore
	states sm.Store
	dbs    []dbm.DB
}

func openEngineStores(cfg *cmtcfg.Config) (e *engineStores, err error) {
	e = &engineStores{cfg: cfg}
	if err := node.CheckEngineStores(cfg); err != nil {
		return e, exitWith(exitDamaged, err)
	}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	open := func(id string) (dbm.DB, error) {
		path := filepath.Join(cfg.DBDir(), id+".db")
		if _, err := os.Stat(path); errors.Is(err, os.ErrPermission) {
			return nil, exitWith(exitUnreadable, fmt.Errorf("%w: give the user who runs the node a right to it", err))
		} else if err != nil {
			return nil, exitWith(exitUnreadable, fmt.Errorf("%w: the node has never run, or this is not its home", err))
		}
		db, err := cmtcfg.DefaultDBProvider(&cmtcfg.DBContext{ID: id, Config: cfg})
		switch {
		case err == nil:
			e.dbs = append(e.dbs, db)
			return db, nil
		case strings.Contains(err.Error(), "temporarily unavailable"):
			return nil, exitWith(exitUnreadable, fmt.Errorf("%s is in use: stop the node first", cfg.RootDir))
		case errors.Is(err, os.ErrPermission), strings.Contains(err.Error(), syscall.EROFS.Error()), strings.Contains(err.Error(), syscall.EACCES.Error()):
			return nil, exitWith(exitUnreadable, fmt.Errorf("%s cannot be written: its disk is read-only, or this user has no right to it", path))
		case strings.Contains(err.Error(), syscall.ENOSPC.Error()):
			return nil, exitWith(exitFailed, fmt.Errorf("the disk of %s is full: make room, then start again", path))
		}
		return nil, exitWith(exitDamaged, fmt.Errorf("%s: %w: restore the home from a backup, or begin a new one from the blocks of others", path, err))
	}
	blocks, err := open("blockstore")
	if err != nil {
		return e, err
	}
	states, err := open("state")
	if err != nil {
		return e, err
	}
	if err := node.CheckBegan(states, cfg); err != nil {
		return e, stateRefusal(err)
	}
	e.blocks, e.states = store.NewBlockStore(blocks), sm.NewStore(states, sm.StoreOptions{})
	return e, nil
}

func (e *engineStores) close() {
	for _, db := range e.dbs {
		db.Close()
	}
	e.dbs = nil
}

// check walks the blocks: each has all its parts, hashes to what its record says, follows the one before it and has its commit; and compares heights and app hash with
// the ledger's.
func (e *engineStores) check(ctx context.Context, r *fsckReport, a *app.App) error {
	r.FirstBlock, r.LastBlock = e.blocks.Base(), e.blocks.Height()
	st, err := e.states.Load()
	if err != nil {
		return fmt.Errorf("CometBFT's state: %w", err)
	}
	// A home that was made from a snapshot and has not run since has the commit of its height and no block.
	fresh := e.blocks.IsEmpty() && r.Height > 0 && st.LastBlockHeight == r.Height && e.blocks.LoadSeenCommit(r.Height) != nil
	switch {
	case fresh:
	case st.LastBlockHeight > r.LastBlock || r.LastBlock > st.LastBlockHeight+1:
		return fmt.Errorf("CometBFT's state is at height %d, its blocks end at %d", st.LastBlockHeight, r.LastBlock)
	case r.Height > r.LastBlock:
		return fmt.Errorf("the ledger is at height %d, the blocks end at %d", r.Height, r.LastBlock)
	case r.Height < r.FirstBlock-1:
		return fmt.Errorf("the ledger is at height %d, the blocks begin at %d: it cannot catch up from them", r.Height, r.FirstBlock)
	}
	// The ledger's app hash is what the engine was told, and what the next block carries.
	hash := a.Status().AppHash
	if st.LastBlockHeight == r.Height && !bytes.Equal(st.AppHash, hash) {
		return fmt.Errorf("height %d: CometBFT was told app hash %X, the ledger has %X", r.Height, st.AppHash, hash)
	}
	if fresh {
		return e.checkSigned(r.Height)
	}
	var before cmttypes.BlockID
	for h := r.FirstBlock; h <= r.LastBlock && h > 0; h++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, id, err := e.block(h)
		switch {
		case err != nil:
			return err
		case h > r.FirstBlock && !b.LastBlockID.Equals(before):
			return fmt.Errorf("block %d does not follow block %d", h, h-1)
		case h == r.Height+1 && !bytes.Equal(b.AppHash, hash):
			return fmt.Errorf("block %d carries app hash %X, the ledger has %X after height %d", h, b.AppHash, hash, r.Height)
		case h > r.FirstBlock:
			if err := e.checkCommit(h-1, b.LastCommit); err != nil {
				return err
			}
		}
		before = id
	}
	if r.LastBlock > 0 {
		if err := e.checkSeenCommit(r.ChainID, r.LastBlock, before); err != nil {
			return err
		}
	}
	return e.checkSigned(r.LastBlock)
}

// block reads a block from its parts, each of which must be in the root that the block's record names, and holds it to its hash. What CometBFT cannot decode it panics at.
func (e *engineStores) block(height int64) (b *cmttypes.Block, id cmttypes.BlockID, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("block %d cannot be read: %v", height, p)
		}
	}()
	meta := e.blocks.LoadBlockMeta(height)
	if meta == nil {
		return nil, id, fmt.Errorf("block %d is missing", height)
	}
	if err := meta.ValidateBasic(); err != nil {
		return nil, id, fmt.Errorf("the record of block %d: %w", height, err)
	}
	id = meta.BlockID
	parts := cmttypes.NewPartSetFromHeader(id.PartSetHeader)
	for i := range int(id.PartSetHeader.Total) {
		part := e.blocks.LoadBlockPart(height, i)
		if part == nil {
			return nil, id, fmt.Errorf("part %d of block %d is missing", i, height)
		}
		if added, err := parts.AddPart(part); err != nil || !added {
			return nil, id, fmt.Errorf("part %d of block %d is not the one that its record names", i, height)
		}
	}
	raw, err := io.ReadAll(parts.GetReader())
	if err != nil {
		return nil, id, fmt.Errorf("block %d: %w", height, err)
	}
	var pb cmtproto.Block
	if err = pb.Unmarshal(raw); err == nil {
		b, err = cmttypes.BlockFromProto(&pb) // with everything in it that the header hashes
	}
	if err != nil {
		return nil, id, fmt.Errorf("block %d: %w", height, err)
	}
	if b.Height != height || !bytes.Equal(b.Hash(), id.Hash) {
		return nil, id, fmt.Errorf("block %d is one of height %d with hash %X, its record says %X", height, b.Height, b.Hash(), id.Hash)
	}
	return b, id, nil
}

// unreadableCommit gives what CometBFT's store panics at as the fault that it is.
func unreadableCommit(err *error, height int64) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the commit of block %d cannot be read: %v", height, p)
	}
}

// checkCommit holds the commit of a block, which is kept beside it, to the one in the block after it.
func (e *engineStores) checkCommit(height int64, want *cmttypes.Commit) (err error) {
	defer unreadableCommit(&err, height)
	c := e.blocks.LoadBlockCommit(height)
	switch {
	case c == nil:
		return fmt.Errorf("the commit of block %d is missing", height)
	case c.Height != want.Height || c.Round != want.Round || !c.BlockID.Equals(want.BlockID) || !bytes.Equal(c.Hash(), want.Hash()):
		return fmt.Errorf("the commit of block %d is not the one in block %d", height, height+1)
	}
	return nil
}

// checkSeenCommit holds the commit of the newest block to its validators. A start needs it, and no block has it yet.
func (e *engineStores) checkSeenCommit(chain string, height int64, id cmttypes.BlockID) (err error) {
	defer unreadableCommit(&err, height)
	c := e.blocks.LoadSeenCommit(height)
	if c == nil {
		return fmt.Errorf("the commit of block %d is missing", height)
	}
	vals, err := e.states.LoadValidators(height)
	if err != nil {
		return fmt.Errorf("the validators of height %d: %w", height, err)
	}
	if err := vals.VerifyCommitLight(chain, id, height, c); err != nil {
		return fmt.Errorf("the commit of block %d: %w", height, err)
	}
	return nil
}

// checkSigned compares the blocks with what the validator last signed.
func (e *engineStores) checkSigned(last int64) error {
	signed, err := node.LastSigned(e.cfg)
	if err != nil {
		return err
	}
	if signed > last+1 {
		return fmt.Errorf("the validator has signed height %d, the blocks end at %d: blocks were lost", signed, last)
	}
	return nil
}
