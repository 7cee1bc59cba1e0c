package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"github.com/cosmos/iavl"
	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// The load that both engines get: keys of 16 bytes, rows of 300, blocks of updates spread evenly over the keys.
const (
	rowBytes  = 300
	loadBlock = 100_000 // keys a block while the keys are put in
)

func keyOf(i int) []byte {
	h := tree.ValueHash(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return h[:16]
}

// row changes with each round and does not compress.
func row(i, round int) []byte {
	out := make([]byte, 0, rowBytes+32)
	h := tree.ValueHash(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(i)), uint64(round)))
	for len(out) < rowBytes {
		out = append(out, h[:]...)
		h = tree.ValueHash(h[:])
	}
	return out[:rowBytes]
}

// blocksReport is what a run of blocks cost.
type blocksReport struct {
	Keys      int     `json:"keys"`
	Updates   int     `json:"updates_per_block"`
	Blocks    int     `json:"blocks"`
	CPU       float64 `json:"cpu_ms_per_block"`  // everything that the process did, compactions too
	CPUMedian float64 `json:"cpu_ms_median"`     // of a block
	Wall      float64 `json:"wall_ms_per_block"` //
	LoadCPU   float64 `json:"load_cpu_s"`        // to put the keys in
	Resident  int64   `json:"resident_bytes"`    // after the blocks
	Payload   int64   `json:"payload_bytes"`     // keys and rows
	Disk      int64   `json:"disk_bytes"`        // of the folder
	Dir       string  `json:"dir,omitempty"`
}

// rest waits until the process does nothing any more: what it still owes for the keys that were put in, or for the blocks, is done.
func rest(ctx context.Context) {
	for idle := 0; idle < 10 && ctx.Err() == nil; {
		before := cpu()
		time.Sleep(100 * time.Millisecond)
		if cpu()-before < 5*time.Millisecond {
			idle++
		} else {
			idle = 0
		}
	}
}

// measure runs the blocks of a load that is in place and at rest, until it is at rest again. What it costs to make the rows is left out.
func measure(ctx context.Context, keys, updates, blocks int, block func(keys, rows [][]byte) error) (*blocksReport, error) {
	r := &blocksReport{Keys: keys, Updates: updates, Blocks: blocks, Payload: int64(keys) * (16 + rowBytes)}
	var each []float64
	var made, wall time.Duration
	rest(ctx)
	if profileTo != "" {
		f, err := os.Create(profileTo)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	cpu0 := cpu()
	for round := 1; round <= blocks; round++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		before := cpu()
		changed, rows := make([][]byte, updates), make([][]byte, updates)
		for i := range changed {
			n := (i*7919 + round*104729*31) % keys
			changed[i], rows[i] = keyOf(n), row(n, round)
		}
		began, start := cpu(), time.Now()
		made += began - before
		if err := block(changed, rows); err != nil {
			return nil, err
		}
		wall += time.Since(start)
		each = append(each, float64((cpu()-began).Microseconds())/1000)
	}
	rest(ctx)
	n := float64(blocks)
	r.CPU, r.Wall = float64((cpu()-cpu0-made).Microseconds())/1000/n, float64(wall.Microseconds())/1000/n
	slices.Sort(each)
	r.CPUMedian, r.Resident = each[len(each)/2], resident()
	return r, nil
}

// profileTo is a file for a CPU profile of the blocks; empty: none.
var profileTo string

func blockFlags(name string, args []string) (keys, updates, blocks int, dir string) {
	f := flags(name)
	f.IntVar(&keys, "keys", 1_000_000, "keys in the state")
	f.IntVar(&updates, "updates", 5000, "updates a block")
	f.IntVar(&blocks, "blocks", 400, "blocks")
	f.StringVar(&profileTo, "cpuprofile", "", "file for a CPU profile of the blocks")
	f.StringVar(&dir, "dir", "", "folder that is left behind; empty: a temporary one")
	_ = f.Parse(args) // ExitOnError
	return max(keys, 1), max(updates, 1), max(blocks, 1), dir
}

// bind gives every row a leaf of its own key. The keys of 16 bytes begin with anything.
func bind(state.Getter) (b state.Binding, err error) {
	for i := range 256 {
		b.Tables = append(b.Tables, []byte{byte(i)})
	}
	b.Key = func(key []byte) []byte { return key }
	b.Value = func(_, row []byte) (tree.Hash, error) { return tree.ValueHash(row), nil }
	return b, nil
}

// runState measures app/state: a row and a leaf for each key.
func runState(ctx context.Context, args []string) (any, error) {
	keys, updates, blocks, keep := blockFlags("state", args)
	dir, done, err := temp(keep)
	if err != nil {
		return nil, err
	}
	defer done()
	s, err := state.Open(state.Options{Dir: dir, Retain: 1, Bind: bind})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	height := s.Latest().Height
	commit := func(w *state.WriteSet) error {
		height++
		if _, err := s.Stage(height, w); err != nil {
			return err
		}
		return s.Commit(height, tree.Hash{}, nil)
	}
	cpu0 := cpu()
	from := 0
	if height > 0 { // a folder that was left behind
		if err := hasKeys(s, keys); err != nil {
			return nil, fmt.Errorf("--dir %s: %w", dir, err)
		}
		from = keys
	}
	for ; from < keys; from += loadBlock {
		w := state.NewWriteSet()
		for i := from; i < min(from+loadBlock, keys); i++ {
			w.Set(keyOf(i), row(i, 0))
		}
		if err := commit(w); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	loaded := (cpu() - cpu0).Seconds()
	r, err := measure(ctx, keys, updates, blocks, func(changed, rows [][]byte) error {
		w := state.NewWriteSet()
		for i := range changed {
			w.Set(changed[i], rows[i])
		}
		return commit(w)
	})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	r.LoadCPU, r.Disk, r.Dir = loaded, diskOf(dir), keep
	return r, nil
}

// hasKeys says whether the newest state has so many keys, no fewer and no more.
func hasKeys(s *state.Store, keys int) error {
	v, err := s.View(s.Latest().Height)
	if err != nil {
		return err
	}
	defer v.Close()
	_, last, err := v.Get(keyOf(keys - 1))
	if err != nil {
		return err
	}
	_, more, err := v.Get(keyOf(keys))
	if err != nil {
		return err
	}
	if !last || more {
		return fmt.Errorf("the state in it was not loaded with %d keys to the end: take another folder", keys)
	}
	return nil
}

// runIAVL measures cosmos/iavl over Badger: fast storage off, which is its cheaper way to write; one version kept back.
func runIAVL(ctx context.Context, args []string) (any, error) {
	keys, updates, blocks, keep := blockFlags("iavl", args)
	dir, done, err := temp(keep)
	if err != nil {
		return nil, err
	}
	defer done()
	db, err := openPeer(dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	t := iavl.NewMutableTree(db, 1_000_000, true, iavl.NewNopLogger(), iavl.SyncOption(true))
	cpu0 := cpu()
	for from := 0; from < keys; from += loadBlock {
		for i := from; i < min(from+loadBlock, keys); i++ {
			if _, err := t.Set(keyOf(i), row(i, 0)); err != nil {
				return nil, err
			}
		}
		if _, _, err := t.SaveVersion(); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	loaded := (cpu() - cpu0).Seconds()
	r, err := measure(ctx, keys, updates, blocks, func(changed, rows [][]byte) error {
		for i := range changed {
			if _, err := t.Set(changed[i], rows[i]); err != nil {
				return err
			}
		}
		_, _, err := t.SaveVersion()
		return err
	})
	if err != nil {
		return nil, err
	}
	r.LoadCPU, r.Disk, r.Dir = loaded, diskOf(dir), keep
	return r, nil
}

// openReport is what a fresh process needs for a state folder.
type openReport struct {
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_s"`
	Resident int64   `json:"resident_bytes"`
	Peak     int64   `json:"peak_bytes"` // resident at most (VmHWM), tables that are mapped with it
	Memory   int64   `json:"anon_bytes"` // of the resident ones, those that are no file's (RssAnon)
	Height   uint64  `json:"height"`
}

func runOpen(_ context.Context, args []string) (any, error) {
	f := flags("open")
	dir := f.String("dir", "", "state folder")
	stay := f.Bool("hold", false, "wait to be killed afterwards")
	_ = f.Parse(args)
	start := time.Now()
	s, err := state.Open(state.Options{Dir: *dir, Bind: bind})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r := &openReport{
		Seconds: time.Since(start).Seconds(), CPU: cpu().Seconds(), Resident: resident(), Peak: status("VmHWM"), Memory: status("RssAnon"), Height: s.Latest().Height,
	}
	if *stay {
		return nil, hold(r)
	}
	return r, nil
}

// compactReport is a folder without history.
type compactReport struct {
	Before int64 `json:"disk_bytes_before"`
	After  int64 `json:"disk_bytes_after"`
	Bytes  int64 `json:"row_and_leaf_bytes"` // keys and values of the newest versions
	Rows   int64 `json:"rows"`
}

// runCompact drops all history of a state folder that is not in use, and says what is left. The product opens it afterwards as before.
func runCompact(_ context.Context, args []string) (any, error) {
	f := flags("compact")
	dir := f.String("dir", "", "state folder")
	_ = f.Parse(args)
	r := &compactReport{Before: diskOf(*dir)}
	db, err := badger.OpenManaged(peerOptions(*dir))
	if err != nil {
		return nil, err
	}
	db.SetDiscardTs(db.MaxVersion())
	if err := db.Flatten(2); err != nil {
		db.Close()
		return nil, err
	}
	txn := db.NewTransactionAt(math.MaxUint64, false)
	it := txn.NewIterator(badger.IteratorOptions{PrefetchValues: false})
	for it.Rewind(); it.Valid(); it.Next() {
		r.Rows++
		r.Bytes += int64(len(it.Item().Key())) + it.Item().ValueSize()
	}
	it.Close()
	txn.Discard()
	if err := db.Close(); err != nil {
		return nil, err
	}
	// A second time: closing has written the memtable, and with it tables that the first pass did not see.
	if db, err = badger.OpenManaged(peerOptions(*dir)); err != nil {
		return nil, err
	}
	db.SetDiscardTs(db.MaxVersion())
	if err := db.Flatten(2); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	r.After = diskOf(*dir)
	return r, nil
}

// peerOptions are the product's own for Badger, as far as they decide cost: synced writes, no compression, the same memory.
func peerOptions(dir string) badger.Options {
	return badger.DefaultOptions(dir).WithSyncWrites(true).WithDetectConflicts(false).WithCompression(options.None).
		WithNumVersionsToKeep(1).WithMemTableSize(32 << 20).WithNumMemtables(3).WithNumCompactors(2).WithBlockCacheSize(64 << 20).
		WithValueThreshold(1 << 20).WithValueLogFileSize(16 << 20).WithMetricsEnabled(false).WithLogger(nil)
}

func diskOf(dir string) (total int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		// Badger maps files that are longer than what they hold.
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			total += s.Blocks * 512
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: size of", dir, err)
	}
	return total
}
