package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/privval"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/node"
)

func rollbackCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "rollback", Short: "Take back the result of the last blocks of a stopped node, so that they run again", Args: cobra.NoArgs,
		Long: `Take back the result of the last blocks of a stopped node, so that they run again at the next start: for a node whose program made a mistake
that is corrected by now. The ledger's state goes back to the height of --to (the one before the last block unless given), CometBFT's own state
by the last block, of which alone the result may change: every earlier result stands in the block after it. No block is removed and nothing
that the validator signed is forgotten: what the chain has decided stays decided. A state that these blocks did not make is left as it is.

A validator that has already voted on the block after the last one has voted on the result that would be taken back. The verb refuses, unless
--as-full-node puts the validator key aside (*.put-aside) and makes a new one that has no vote.

A crash leaves a home that starts; run the verb again. Exit codes: 0 done, 1 refused or damaged, 2 the call was wrong, 3 in use or unreadable.`,
	}
	home, asJSON := homeFlag(c), jsonFlag(c)
	to := c.Flags().Int64("to", 0, "height whose result becomes the newest (default: the one before the last block)")
	full := c.Flags().Bool("as-full-node", false, "put the validator key aside")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *to < 0 {
			return usagef("--to %d: heights begin at 1", *to)
		}
		r, err := rollback(*home, *to, *full)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), r)
		}
		fmt.Fprintf(c.OutOrStdout(), "the ledger's state is at height %d (was %d), CometBFT's at %d; the next start runs blocks %d to %d again\n", r.Height, r.Was, r.Engine, r.Height+1, r.LastBlock)
		if r.PutAside != "" {
			fmt.Fprintf(c.OutOrStdout(), "this home has no vote any more; its validator key is %s\n", r.PutAside)
		}
		return nil
	}
	return c
}

type rollbackReport struct {
	Home      string `json:"home"`
	Was       int64  `json:"was"`    // height of the ledger's state before
	Height    int64  `json:"height"` // and after
	Engine    int64  `json:"engine"` // height of CometBFT's state after
	LastBlock int64  `json:"last_block"`
	PutAside  string `json:"put_aside,omitempty"` // where the validator key is now
}

// rollback does, in this order, what each a crash leaves whole:
//
//  1. the validator key is put aside (--as-full-node): a home without a vote.
//  2. the ledger's state (state.Rollback): a start runs the blocks again and compares the result with CometBFT's state.
//  3. CometBFT's state, by the last block: a start runs that block again and takes the result as it comes. Done twice it changes nothing.
func rollback(home string, to int64, full bool) (r rollbackReport, err error) {
	cfg, chainID, err := loadHome(home)
	if err != nil {
		return r, err
	}
	r.Home = cfg.Home
	defer func() {
		if p := recover(); p != nil {
			err = exitWith(exitDamaged, fmt.Errorf("reading the folder failed: %v", p))
		}
	}()
	engine, err := openEngineStores(cfg.Engine)
	if err != nil {
		return r, err
	}
	defer engine.close()
	st, err := engine.states.Load()
	if err != nil {
		return r, exitWith(exitDamaged, fmt.Errorf("CometBFT's state: %w", err))
	}
	base, last := engine.blocks.Base(), engine.blocks.Height()
	if last < 2 || st.LastBlockHeight < 1 {
		return r, exitWith(exitFailed, fmt.Errorf("the home holds %d blocks: there is nothing to take back", last))
	}
	named := to > 0
	if !named {
		to = last - 1
	}
	switch {
	case to >= last:
		return r, exitWith(exitFailed, fmt.Errorf("--to %d: the last block is %d, so at most %d", to, last, last-1))
	case to < base-1 || to < 1:
		return r, exitWith(exitFailed, fmt.Errorf("--to %d: the blocks begin at %d, so at least %d: what lies before cannot run again", to, base, max(base-1, 1)))
	}
	signed, err := node.LastSigned(cfg.Engine)
	if err != nil {
		return r, exitWith(exitDamaged, err)
	}
	if signed > last && !full {
		return r, exitWith(exitFailed, fmt.Errorf("the validator key of this home has signed a vote at height %d, on the result of block %d that would be taken back, and a vote cannot be: "+
			"wait for the others to go on and restart, or give up its vote with --as-full-node", signed, last))
	}

	s, err := state.Open(state.Options{Dir: filepath.Join(cfg.Home, node.StateDir), ChainID: chainID, Bind: app.Bind})
	if err != nil {
		return r, stateRefusal(err)
	}
	defer s.Close()
	r.Was, r.LastBlock = int64(s.Latest().Height), last
	if floor := s.Floor(); uint64(to) < floor {
		return r, exitWith(exitFailed, fmt.Errorf("--to %d: %w", to, state.ErrPruned{Height: uint64(to), Floor: floor}))
	}
	if r.Was > last && !named {
		return r, exitWith(exitDamaged, fmt.Errorf("the ledger's state is at height %d, the blocks end at %d: one of the two is of another copy of this home; restore both from one copy, "+
			"or name with --to the height that the state is to go back to", r.Was, last))
	}
	if err := ofTheseBlocks(s, engine.blocks, min(to, r.Was)); err != nil {
		return r, err
	}
	if full {
		if r.PutAside, err = putAside(cfg); err != nil {
			return r, exitWith(exitFailed, err)
		}
	}
	// Lower than asked for is as good: every block above runs again.
	if uint64(to) < s.Latest().Height {
		if err := s.Rollback(uint64(to)); err != nil {
			return r, exitWith(exitFailed, err)
		}
	}
	r.Height = int64(s.Latest().Height)
	if r.Engine, _, err = sm.Rollback(engine.blocks, engine.states, false); err != nil {
		return r, exitWith(exitFailed, fmt.Errorf("CometBFT's state: %w; the ledger's is at %d, and a start brings it back to the blocks", err, r.Height))
	}
	return r, nil
}

// ofTheseBlocks holds the ledger's state after a height against the block that comes next: a state that those blocks did not make would be taken back for nothing, since no
// start goes on from it.
func ofTheseBlocks(s *state.Store, blocks *store.BlockStore, height int64) error {
	if base := blocks.Base(); height < base-1 {
		return exitWith(exitDamaged, fmt.Errorf("the ledger is at height %d, the blocks begin at %d: it cannot catch up from them", height, base))
	}
	if height == 0 { // nothing has run yet: openEngineStores has looked at the genesis file
		return nil
	}
	m, err := s.MarkerAt(uint64(height))
	if err != nil {
		return exitWith(exitDamaged, err)
	}
	next := blocks.LoadBlockMeta(height + 1)
	switch {
	case m.Height != uint64(height):
		return exitWith(exitDamaged, fmt.Errorf("the ledger's state has nothing of height %d: run fsck", height))
	case next == nil:
		return exitWith(exitDamaged, fmt.Errorf("block %d is missing", height+1))
	case !bytes.Equal(next.Header.AppHash, m.AppHash[:]):
		return exitWith(exitDamaged, fmt.Errorf("the ledger's state is not of these blocks: after height %d it has app hash %X, block %d carries %X; restore both from one copy, "+
			"or name with --to a height at which they agree", height, m.AppHash, height+1, next.Header.AppHash))
	}
	return nil
}

// putAside gives the home a validator key that nobody gave a vote, and keeps the old one beside it with what that last signed. A crash leaves a home that
// starts, and from which this goes on: copies of both are made first, then the new key takes the old one's place, then an empty record that of the old one's.
// The old key never stands beside an empty record: it might sign twice.
func putAside(cfg node.Config) (string, error) {
	key, signed := cfg.Engine.PrivValidatorKeyFile(), cfg.Engine.PrivValidatorStateFile()
	aside, record := key+putAsideSuffix, signed+putAsideSuffix
	now, err := os.ReadFile(key)
	gone := errors.Is(err, os.ErrNotExist)
	kept, keptErr := os.ReadFile(aside)
	switch {
	case err != nil && !gone:
		return "", fmt.Errorf("put the validator key aside: %w", err)
	case keptErr == nil && !gone && !bytes.Equal(now, kept): // the new key is there, or one was put aside long ago
		newest, err := node.LastSigned(cfg.Engine)
		switch {
		case err != nil:
			return "", err
		case newest == 0:
			return aside, nil
		case !sameFiles(signed, record):
			return "", fmt.Errorf("%s exists already: a key was put aside before", aside)
		}
		return aside, freshRecord(signed)
	case !gone: // what an earlier call has copied may be from before the last vote
		if err := copyKept(signed, record); err != nil {
			return "", fmt.Errorf("put the record of the validator key aside: %w", err)
		}
		if err := copyKept(key, aside); err != nil {
			return "", fmt.Errorf("put the validator key aside: %w", err)
		}
	case keptErr != nil:
		return "", fmt.Errorf("put the validator key aside: %w", err)
	default: // an older program moved the files away, and was cut off
		if _, err := os.Lstat(record); errors.Is(err, os.ErrNotExist) {
			if err := copyKept(signed, record); err != nil && !errors.Is(err, os.ErrNotExist) {
				return "", fmt.Errorf("put the record of the validator key aside: %w", err)
			}
		}
	}
	pv := privval.NewFilePV(ed25519.GenPrivKey(), key, signed)
	pv.Key.Save() // panics where it cannot
	if err := syncDir(filepath.Dir(key)); err != nil {
		return "", fmt.Errorf("put the validator key aside: %w", err)
	}
	return aside, freshRecord(signed)
}

const putAsideSuffix = ".put-aside"

// freshRecord is the record of a key that has signed nothing.
func freshRecord(path string) error {
	pv := privval.NewFilePV(ed25519.GenPrivKey(), "", path)
	pv.LastSignState.Save() // panics where it cannot
	return syncDir(filepath.Dir(path))
}

// copyKept makes a copy of a file that is there whole or not at all.
func copyKept(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	tmp := to + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(raw); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return syncDir(filepath.Dir(to))
}

func sameFiles(a, b string) bool {
	x, errX := os.ReadFile(a)
	y, errY := os.ReadFile(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
