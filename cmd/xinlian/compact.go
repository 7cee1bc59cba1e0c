package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/node"
)

func compactCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "compact", Short: "Give back the disk that pruned history takes, on a stopped node", Args: cobra.NoArgs,
		Long: `Give back the disk that pruned history takes, on a stopped node: the ledger's state below what state.retain keeps, and what CometBFT has
removed from its own stores. Nothing that can be read is lost, and a crash at any moment leaves a whole folder.

The state's new files are written before the old ones are removed: for a while they take up to as much again. Without that much free disk the
verb refuses; --force tries all the same. On a schedule: state.compact_at names a time of day at which a running node stops serving, does this and comes
back when the state has grown to state.compact_ratio times what the last compaction left; without a time, a start does it. Members choose different times.

Exit codes: 0 done, 1 damaged or no room, 2 the call was wrong, 3 in use or unreadable.`,
	}
	home, asJSON := homeFlag(c), jsonFlag(c)
	force := c.Flags().Bool("force", false, "try without enough free disk")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *force { // otherwise there is room for all of it
			defer whileRoom(*home, leastRoom, endNow(c))()
		}
		r, err := compact(c.Context(), *home, *force)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), r)
		}
		for _, f := range r.Folders {
			fmt.Fprintf(c.OutOrStdout(), "%-14s before %s, peak %s, after %s\n", f.Name, megabytes(f.Before), megabytes(f.Peak), megabytes(f.After))
		}
		from := "all heights"
		if r.Floor > 0 {
			from = fmt.Sprintf("heights from %d", r.Floor)
		}
		fmt.Fprintf(c.OutOrStdout(), "height %d; %s can be read\n", r.Height, from)
		return nil
	}
	return c
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

type compactReport struct {
	Home    string          `json:"home"`
	Height  uint64          `json:"height"`
	Floor   uint64          `json:"floor"` // lowest height of the state that can be read; 0 = all
	Folders []compactFolder `json:"folders"`
}

type compactFolder struct {
	Name   string `json:"name"`
	Before int64  `json:"before"`
	Peak   int64  `json:"peak"`
	After  int64  `json:"after"`
}

func compact(ctx context.Context, home string, force bool) (r compactReport, err error) {
	cfg, chainID, err := loadHome(home)
	if err != nil {
		return r, err
	}
	r.Home = cfg.Home
	// CometBFT's stores first: they are taken for as long as this runs, so that no node starts meanwhile.
	engine, err := openEngineStores(cfg.Engine)
	if err != nil {
		return r, err
	}
	defer engine.close()
	dir := filepath.Join(cfg.Home, node.StateDir)
	if _, err := os.Stat(dir); err != nil {
		return r, exitWith(exitUnreadable, fmt.Errorf("the home has no state: %w; the node has never run", err))
	}
	s, err := node.Compact(ctx, cfg, chainID, force)
	if err != nil {
		return r, stateRefusal(err)
	}
	r.Height, r.Floor = s.Height, s.Floor
	r.Folders = append(r.Folders, compactFolder{"state", s.Before, s.Peak, s.After})
	for i, db := range engine.dbs {
		f, err := compactEngine(cfg.Engine, engineIDs[i], db)
		if err != nil {
			return r, exitWith(exitDamaged, err)
		}
		r.Folders = append(r.Folders, f)
	}
	return r, nil
}

// compactEngine makes one of CometBFT's databases let go of what was removed from it. goleveldb works through it in pieces, so the peak is close to the
// larger of both ends.
func compactEngine(cfg *cmtcfg.Config, id string, db dbm.DB) (f compactFolder, err error) {
	path := filepath.Join(cfg.DBDir(), id+".db")
	f.Name = "cometbft " + id
	if f.Before, err = state.DiskUsage(path); err != nil {
		return f, err
	}
	if err := db.Compact(nil, nil); err != nil {
		return f, fmt.Errorf("compact %s: %w", path, err)
	}
	f.After, err = state.DiskUsage(path)
	f.Peak = max(f.Before, f.After)
	return f, err
}

// engineIDs names the databases of engineStores, in its order.
var engineIDs = []string{"blockstore", "state"}

// loadHome reads the settings and the chain of a home folder.
func loadHome(home string) (cfg node.Config, chainID string, err error) {
	if home, err = filepath.Abs(home); err != nil {
		return cfg, "", usage(err)
	}
	if cfg, err = node.LoadConfig(home); err != nil {
		return cfg, "", exitWith(exitUnreadable, err)
	}
	doc, _, err := node.LoadGenesis(cfg.Engine.GenesisFile())
	if err != nil {
		return cfg, "", exitWith(exitUnreadable, err)
	}
	return cfg, doc.ChainID, nil
}

// stateRefusal gives an error of the state folder its exit code.
func stateRefusal(err error) error {
	if inUseOrUnreadable(err) {
		return exitWith(exitUnreadable, err)
	}
	return exitWith(exitDamaged, err)
}

// inUseOrUnreadable says whether it is not the folder that is wrong: another process has it, or this user has no right to it.
func inUseOrUnreadable(err error) bool {
	return errors.Is(err, os.ErrPermission) || strings.Contains(err.Error(), "in use by another process") || strings.Contains(err.Error(), "cannot be written: its disk is read-only")
}
