package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"github.com/dgraph-io/badger/v4"
)

// CompactReport says what a compaction did to the folder. Bytes are what the file system has given to it, holes apart.
type CompactReport struct {
	Height uint64 `json:"height"`
	Floor  uint64 `json:"floor"`  // lowest height that can be read afterwards; 0: all
	Before int64  `json:"before"` // bytes
	After  int64  `json:"after"`
}

// ErrNoRoom: a compaction writes the new files before it removes the old ones.
type ErrNoRoom struct{ Need, Free int64 }

func (e ErrNoRoom) Error() string {
	return fmt.Sprintf("compaction may take up to %d MB more for a while, the disk has %d MB left: make room, or try all the same (--force): it takes no more than what stays", e.Need>>20, e.Free>>20)
}

// Compact gives back what history below the floor takes. The folder must not be in use. Badger never looks again at a quiet range of its
// lowest level (see write in commit.go), so this makes it: flatten all tables into one level, write two fixed rows again as they are,
// the lowest and the highest of the keyspace, so that one small table spans everything, and flatten again: all of the lowest
// level overlaps with it and is written anew, without what the floor allows to drop.
//
// The steps, and what a crash right after each leaves:
//
//  1. "floor": as in Commit, where Retain asks for a higher one.
//  2. Flatten. Badger writes new table files, then one line of its manifest, then removes old files: before the line the
//     folder is the old one (parts of files are removed at the next open), after it the new one.
//  3. "touch": floor and format version at the floor's timestamp with the values that they have. It changes nothing.
//  4. Close, which makes a table of the touched rows and merges level 0 into the one below it (Flatten alone leaves a folder as it is
//     that has tables in level 0 only), open, and flatten again. As 2.
//  5. Value-log files without a live value are removed. None of ours has one.
//
// Before it the state is checked as by every Open, and after it again: the same marker, the same root.
func Compact(ctx context.Context, o Options, force bool) (r CompactReport, err error) {
	if o.InMemory || o.ReadOnly {
		return r, errors.New("compact: it needs a folder, open for writing")
	}
	if r.Before, err = DiskUsage(o.Dir); err != nil {
		return r, fmt.Errorf("measure the state folder: %w", err)
	}
	// Before anything is opened: Badger writes through mapped files, and a full disk ends the process there.
	if free, err := FreeDisk(o.Dir); err == nil && free < r.Before && !force {
		return r, ErrNoRoom{Need: r.Before, Free: free}
	}
	check := o
	check.ReadOnly = true
	o.emptyL0 = true
	s, err := Open(o)
	if err != nil {
		return r, err
	}
	defer func() { s.Close() }()
	m := s.latest
	r.Height = m.Height
	r.After, r.Floor = r.Before, s.floor
	if m.Height == 0 {
		return r, nil
	}
	if s.floor, err = s.moveFloor(m.Height); err != nil {
		return r, err
	}
	r.Floor = s.floor
	s.db.SetDiscardTs(s.floor)
	if err := s.flatten(ctx, s.db); err != nil {
		return r, err
	}
	err = s.write("touch", max(s.floorTs, fixedTs), []entry{
		{key: []byte{keyFloor}, value: encodeUint64(s.floor)},
		{key: []byte{keyFormat}, value: s.format},
	})
	if err != nil {
		return r, err
	}
	if err := s.Close(); err != nil {
		return r, err
	}
	if err := s.flattenAgain(ctx); err != nil {
		return r, err
	}
	again, err := Open(check)
	if err != nil {
		return r, fmt.Errorf("after the compaction: %w", err)
	}
	defer again.Close()
	if got := again.latest; got.Height != m.Height || got.Root != m.Root || got.AppHash != m.AppHash {
		return r, again.damaged(fmt.Errorf("after the compaction it is at height %d with root %x, before at %d with %x", got.Height, got.Root, m.Height, m.Root))
	}
	r.After, err = DiskUsage(o.Dir)
	return r, err
}

func (s *Store) flatten(ctx context.Context, db *badger.DB) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.step("flatten", func() error {
		if err := db.Flatten(1); err != nil {
			return fmt.Errorf("flatten the state folder: %w", err)
		}
		return nil
	})
}

// flattenAgain works on the bare database: the state was checked before and will be after.
func (s *Store) flattenAgain(ctx context.Context) (err error) {
	db, err := openBadger(s.opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetDiscardTs(s.floor)
	if err := s.flatten(ctx, db); err != nil {
		return err
	}
	for {
		switch err := db.RunValueLogGC(0.5); {
		case err == nil:
		case errors.Is(err, badger.ErrNoRewrite), errors.Is(err, badger.ErrRejected):
			return nil
		default:
			return fmt.Errorf("clean the value log: %w", err)
		}
	}
}

// DiskUsage is what the file system has given to the files in dir. Badger maps some of its files at many times their content; those holes cost
// nothing.
func DiskUsage(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				sum += allocated(info)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		return err
	})
	return sum, err
}

func allocated(info os.FileInfo) int64 {
	const sector = 512 // of st_blocks, whatever the file system's own
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * sector
	}
	return info.Size()
}

// FreeDisk is how much may still be written where dir lies.
func FreeDisk(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask for free disk at %s: %w", dir, err)
	}
	free := uint64(st.Bavail) * uint64(st.Bsize)
	return int64(min(free, math.MaxInt64)), nil
}
