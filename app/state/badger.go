package state

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// badgerOptions argues every setting that differs from Badger's own.
func badgerOptions(o Options) badger.Options {
	dir := o.Dir
	if o.InMemory {
		dir = ""
	}
	return badger.DefaultOptions(dir).
		WithInMemory(o.InMemory).
		WithReadOnly(o.ReadOnly).
		// A later Sync would cover the active memtable only: Badger rotates memtables without syncing the old one, so a
		// power cut could keep a marker and lose rows written before it.
		WithSyncWrites(true).
		// At or below the discard timestamp only the newest version stays; above it all stay. A larger number would keep
		// history for ever.
		WithNumVersionsToKeep(1).
		// One writer, and no transaction here both reads and writes.
		WithDetectConflicts(false).
		// Hashes do not compress.
		WithCompression(options.None).
		// A damaged block is an error when it is read, not wrong bytes. Verifying whole tables at open is not used: Badger
		// may answer a bad table by going on without it.
		WithChecksumVerificationMode(options.OnBlockRead).
		WithMemTableSize(o.memTable).
		WithNumMemtables(3).
		WithNumCompactors(2).
		// Most of a commit's processor time goes into compactions, and keys are spread evenly: each level above the lowest is one more time that
		// every row is moved about as often as the level below is larger. One such level, of up to this size, instead of three. A row is moved once with
		// the newest tables, with this level in the ratio of its size to theirs (1 GB), and once more with the lowest in the ratio of their sizes: at
		// 10 GB, two times 1 GB are about the best size. A smaller state has one level. The price is disk: up to so much more than the live rows.
		WithBaseLevelSize(2 << 30).
		// Files of 8 MB at that level and of 16 MB below: a quarter of the files that a start opens.
		WithBaseTableSize(8 << 20).
		// Each compaction into that level moves all of it: it pays three times more rarely. What it costs is a look into a filter for each table more
		// that a read passes. It takes seconds; writers wait for it later.
		WithNumLevelZeroTables(15).
		WithNumLevelZeroTablesStall(30).
		WithCompactL0OnClose(o.emptyL0).
		// No cache of blocks. Tables are mapped and not compressed, so a block is read where it lies, in memory that the system shares
		// between all readers. The cache saved one checksum a read (0.4 µs) and cost a quarter of the processor time of recording: it let
		// in few of the blocks that the rules ask for, and each refusal was work.
		WithBlockCacheSize(0).
		WithValueThreshold(1 << 20).
		// Nothing reaches the value log (maxValueLen); its file is mapped at twice this size all the same.
		WithValueLogFileSize(16 << 20).
		WithMetricsEnabled(false).
		WithLogger(badgerLogger{o.Logger, o.testingOnlySaid})
}

// openBadger opens the database and puts Badger's refusals into one clear line each.
func openBadger(o Options) (*badger.DB, error) {
	if o.InMemory {
		return badger.OpenManaged(badgerOptions(o))
	}
	if _, err := os.Stat(filepath.Join(o.Dir, badger.ManifestFilename)); errors.Is(err, fs.ErrNotExist) {
		// Badger writes the manifest before its first table, and removes every table that the manifest does not name.
		if tables, _ := filepath.Glob(filepath.Join(o.Dir, "*.sst")); len(tables) > 0 {
			return nil, fmt.Errorf("state folder %s is damaged (its MANIFEST is missing, and %d table files are there): restore it from a backup or a snapshot", o.Dir, len(tables))
		}
		if o.ReadOnly {
			return nil, fmt.Errorf("no state folder at %s: start the node once, or give the right folder", o.Dir)
		}
	}
	if err := checkTableEnds(o); err != nil {
		return nil, fmt.Errorf("state folder %s is damaged (%w): restore it from a backup or a snapshot", o.Dir, err)
	}
	db, err := badger.OpenManaged(badgerOptions(o))
	if err != nil && !o.ReadOnly && strings.Contains(err.Error(), unbornLog) {
		if err := removeUnborn(o.Dir); err != nil {
			return nil, err
		}
		db, err = badger.OpenManaged(badgerOptions(o))
	}
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, syscall.EWOULDBLOCK), strings.Contains(err.Error(), "Cannot acquire directory lock"):
		return nil, fmt.Errorf("state folder %s is in use by another process: stop it first", o.Dir)
	case strings.Contains(err.Error(), badger.ErrTruncateNeeded.Error()): // wrapped as text
		return nil, fmt.Errorf("state folder %s was not closed properly: open it once for writing (start the node, or fsck), then read it", o.Dir)
	case strings.Contains(err.Error(), syscall.EROFS.Error()), strings.Contains(err.Error(), syscall.EACCES.Error()): // wrapped as text
		return nil, fmt.Errorf("state folder %s cannot be written: its disk is read-only, or this user has no right to it", o.Dir)
	default:
		return nil, fmt.Errorf("state folder %s cannot be opened: run fsck, or restore it from a backup or a snapshot: %s", o.Dir,
			strings.ReplaceAll(err.Error(), "\n", " "))
	}
}

// checkTableEnds looks at the last bytes of every table file: index ‖ its length (4) ‖ checksum ‖ its length (4). Badger
// checks the rest, but takes these lengths on trust and panics in a goroutine of its own when a file was cut short. Only
// tables that the manifest names count: a process killed while it wrote one leaves a part of it, which Badger removes.
// What is wrong with the manifest itself, or missing, Badger says.
func checkTableEnds(o Options) error {
	f, err := os.Open(filepath.Join(o.Dir, badger.ManifestFilename))
	if err != nil {
		return nil
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badgerOptions(o))
	if err != nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(manifest.Tables)) {
		name := table.NewFilename(id, o.Dir)
		if err := checkTableEnd(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("table file %s: %w", filepath.Base(name), err)
		}
	}
	return nil
}

func checkTableEnd(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var b [4]byte
	for _, part := range []string{"checksum", "index"} {
		if end -= 4; end < 0 {
			return errors.New("cut short")
		}
		if _, err := f.ReadAt(b[:], end); err != nil {
			return err
		}
		if end -= int64(binary.BigEndian.Uint32(b[:])); end < 0 {
			return fmt.Errorf("%s is longer than the file", part)
		}
	}
	return nil
}

// badgerLogger passes on Badger's errors and warnings; its chatter goes to the debug level.
// unbornLog is what Badger's mapped files say where a file that should hold something is empty (z.NewFile of ristretto, wrapped as text).
const unbornLog = "Create a new file"

// removeUnborn removes log files that hold nothing. Badger makes a log file in two steps, an empty file that then gets its size, and refuses to open a
// folder in which a process was killed between the two; the refusal itself gives the file its size. Such a file has no byte that is not zero,
// so nothing was ever written to it. The folder's lock is held meanwhile: it is Badger's own, and free where its open came this far.
func removeUnborn(dir string) error {
	lock, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer lock.Close() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("state folder %s is in use by another process: stop it first", dir)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext != ".mem" && ext != ".vlog" {
			continue
		}
		path := filepath.Join(dir, f.Name())
		if blank, err := onlyZeros(path); err != nil {
			return err
		} else if blank {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return lock.Sync()
}

// onlyZeros says whether a file holds no byte but zeros.
func onlyZeros(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	buf, zeros := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		if !bytes.Equal(buf[:n], zeros[:n]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

type badgerLogger struct {
	log  *slog.Logger
	said func(format string, args []any)
}

func (l badgerLogger) emit(level slog.Level, format string, args []any) {
	if l.log != nil {
		// DETERMINISM: log only; nothing reads it back.
		l.log.Log(context.Background(), level, strings.TrimSpace(fmt.Sprintf(format, args...)), "from", "badger")
	}
}

func (l badgerLogger) Errorf(format string, args ...any)   { l.emit(slog.LevelError, format, args) }
func (l badgerLogger) Warningf(format string, args ...any) { l.emit(slog.LevelWarn, format, args) }
func (l badgerLogger) Infof(format string, args ...any)    { l.emit(slog.LevelDebug, format, args) }
func (l badgerLogger) Debugf(format string, args ...any) {
	if l.said != nil {
		l.said(format, args)
	}
}
