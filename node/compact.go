package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/xinlian-ledger/xinlian/app/state"
)

const (
	// compactedFile remembers what the last compaction left. It is a hint: without it the next start compacts once for nothing.
	compactedFile = "data/xinlian.compacted"
	// compactLeast is a folder that no start compacts, whatever the ratio: there is little to win.
	compactLeast = 256 << 20
)

type compacted struct {
	Height uint64 `json:"height"`
	Bytes  int64  `json:"bytes"`
}

// CompactReport says what a compaction did, and what the folder took at most meanwhile, as far as was seen.
type CompactReport struct {
	state.CompactReport
	Peak int64 `json:"peak"`
}

// Compact gives back what pruned history takes in the state folder of a node that does not run. force: without enough free disk, too.
func Compact(ctx context.Context, c Config, chainID string, force bool) (r CompactReport, err error) {
	dir := filepath.Join(c.Home, StateDir)
	peak := watchUsage(dir)
	r.CompactReport, err = state.Compact(ctx, state.Options{Dir: dir, ChainID: chainID, Retain: c.Settings.State.Retain}, force)
	r.Peak = max(peak(), r.Before, r.After)
	if err != nil {
		return r, err
	}
	raw, err := json.Marshal(compacted{r.Height, r.After})
	if err == nil {
		// In one step, so that no start reads a part of it.
		path := filepath.Join(c.Home, compactedFile)
		if err = os.WriteFile(path+".tmp", raw, 0o600); err == nil {
			err = os.Rename(path+".tmp", path)
		}
	}
	if err != nil {
		return r, fmt.Errorf("the state is compacted; note it: %w", err)
	}
	return r, nil
}

// compactStale compacts before the start where the operator wants that (state.compact_ratio) and the folder has grown to so many times what the last
// compaction left. A node that keeps all of its history has nothing to give back.
func (n *Node) compactStale(chainID string, least int64) error {
	s := n.config.Settings.State
	if s.Retain == 0 || s.CompactRatio == 0 {
		return nil
	}
	dir := filepath.Join(n.config.Home, StateDir)
	if !fileExists(dir) {
		return nil // a first start
	}
	size, err := state.DiskUsage(dir)
	if err != nil {
		return fmt.Errorf("measure the state folder: %w", err)
	}
	var last compacted
	if raw, err := readBounded(filepath.Join(n.config.Home, compactedFile)); err == nil && json.Unmarshal(raw, &last) != nil {
		last = compacted{}
	}
	if size < least || float64(size) < s.CompactRatio*float64(last.Bytes) {
		return nil
	}
	n.log.Info("compacting the state before the start", "bytes", size, "after_the_last", last.Bytes)
	r, err := Compact(context.Background(), n.config, chainID, false)
	var room state.ErrNoRoom
	if errors.As(err, &room) {
		n.log.Warn("no compaction", "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	n.log.Info("the state is compacted", "before", r.Before, "peak", r.Peak, "after", r.After, "floor", r.Floor)
	return nil
}

// compactLook is how often the folder is measured for the peak.
const compactLook = 20 * time.Millisecond

// watchUsage measures dir until the function that it returns is called, which gives the most that was seen.
func watchUsage(dir string) (stop func() int64) {
	quit, result := make(chan struct{}), make(chan int64, 1)
	go func() {
		t := time.NewTicker(compactLook)
		defer t.Stop()
		var most int64
		for {
			if n, err := state.DiskUsage(dir); err == nil {
				most = max(most, n)
			}
			select {
			case <-quit:
				result <- most
				return
			case <-t.C:
			}
		}
	}()
	return func() int64 { close(quit); return <-result }
}
