package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	sm "github.com/cometbft/cometbft/state"
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
that the validator signed is forgotten: what the chain has decided stays decided.

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
	if to == 0 {
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

// putAside moves the validator key and what it last signed away, together, and makes a key that nobody gave a vote.
func putAside(cfg node.Config) (string, error) {
	key, signed := cfg.Engine.PrivValidatorKeyFile(), cfg.Engine.PrivValidatorStateFile()
	aside := key + ".put-aside"
	if _, err := os.Lstat(aside); err == nil {
		return "", fmt.Errorf("%s exists already: a key was put aside before", aside)
	}
	// The key first: a record without its key signs nothing.
	if err := os.Rename(key, aside); err != nil {
		return "", fmt.Errorf("put the validator key aside: %w", err)
	}
	if err := os.Rename(signed, signed+".put-aside"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("put the record of the validator key aside: %w", err)
	}
	if _, err := node.InitKeys(cfg); err != nil {
		return "", err
	}
	return aside, nil
}
