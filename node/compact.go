package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/xinlian-ledger/xinlian/app"
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
	Before int64  `json:"before"`
	Peak   int64  `json:"peak"`
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
	r.CompactReport, err = state.Compact(ctx, state.Options{Dir: dir, ChainID: chainID, Bind: app.Bind, Retain: c.Settings.State.Retain}, force)
	r.Peak = max(peak(), r.Before, r.After)
	if err != nil {
		return r, err
	}
	raw, err := json.Marshal(compacted{r.Height, r.After, r.Before, r.Peak})
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

// lastCompaction is what the last one left; zero without one.
func (n *Node) lastCompaction() (last compacted) {
	if raw, err := readBounded(filepath.Join(n.config.Home, compactedFile)); err == nil && json.Unmarshal(raw, &last) != nil {
		last = compacted{}
	}
	return last
}

// grown says whether the state folder has grown to so many times what the last compaction left as the operator has set (state.compact_ratio). A node that
// keeps all of its history has nothing to give back.
func (n *Node) grown(least int64) (size int64, yes bool, err error) {
	s := n.config.Settings.State
	dir := filepath.Join(n.config.Home, StateDir)
	if s.Retain == 0 || s.CompactRatio == 0 || !fileExists(dir) { // no folder: a first start
		return 0, false, nil
	}
	if size, err = state.DiskUsage(dir); err != nil {
		return 0, false, fmt.Errorf("measure the state folder: %w", err)
	}
	return size, size >= least && float64(size) >= s.CompactRatio*float64(n.lastCompaction().Bytes), nil
}

// compactStale compacts before the start where the folder has grown.
func (n *Node) compactStale(chainID string, least int64) error {
	size, yes, err := n.grown(least)
	if err != nil || !yes {
		return err
	}
	n.log.Info("compacting the state before the start", "bytes", size, "after_the_last", n.lastCompaction().Bytes)
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

// lookAtState is the daily look of a running node: whether it should stop now, so that its start compacts the state. That start has the room for it.
func (n *Node) lookAtState(d *daily) bool {
	if !d.due(time.Now()) {
		return false
	}
	size, yes, err := n.grown(compactLeast)
	if err == nil && !yes {
		return false
	}
	if err == nil {
		var free int64
		if free, err = state.FreeDisk(filepath.Join(n.config.Home, StateDir)); err == nil && free < size {
			err = state.ErrNoRoom{Need: size, Free: free}
		}
	}
	if err == nil {
		if ok, reason := n.Ready(); !ok { // the others may need this node, or it them
			err = errors.New("not ready: " + reason)
		}
	}
	if err != nil && d.firstWarning() {
		n.log.Warn("no compaction yet (state.compact_at)", "err", err)
	}
	return err == nil
}

// daily is a moment of each day, and some minutes after it.
type daily struct {
	minute int   // of the day, UTC+08:00
	looked int64 // minute since 1970
	warned int64 // day
}

// dailyWindow is for how many minutes after its moment a day's turn may still be taken. A node that starts later waits for the next day.
const dailyWindow = 30

func (n *Node) daily() *daily {
	if minute, err := n.config.Settings.State.compactMinute(); err == nil && minute >= 0 {
		return &daily{minute: minute}
	}
	return nil
}

// due says once a minute that the moment is there.
func (d *daily) due(now time.Time) bool {
	if d == nil {
		return false
	}
	minute := now.Unix() / 60
	past := (minute + 8*60 - int64(d.minute)) % (24 * 60)
	if minute == d.looked || past >= dailyWindow {
		return false
	}
	d.looked = minute
	return true
}

// firstWarning says whether this is the first one of a window.
func (d *daily) firstWarning() bool {
	first := d.looked-d.warned >= dailyWindow
	d.warned = d.looked
	return first
}

// compactMinute is the minute of the day that compact_at names; -1: none.
func (s StateSettings) compactMinute() (int, error) {
	if s.CompactAt == "" {
		return -1, nil
	}
	t, err := time.Parse("15:04", s.CompactAt)
	if err != nil {
		return -1, fmt.Errorf("%q is no time of day such as 02:30", s.CompactAt)
	}
	return t.Hour()*60 + t.Minute(), nil
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
