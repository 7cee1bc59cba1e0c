package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// A snapshot on disk is a folder named by its height: the file metadata, and a file for each chunk. It is made under another name and takes its own when
// all of it is on disk. It holds the chain's secret, as the state does: it is for members' nodes.
const (
	snapshotMetaFile = "metadata"
	snapshotMaking   = ".making"
)

var snapshotDirName = regexp.MustCompile(`^[0-9]{12}$`)

// SnapshotInfo says what a snapshot on disk holds.
type SnapshotInfo struct {
	Height  int64
	Chunks  int
	Bytes   int64
	Hash    []byte // SHA-256 of the metadata
	AppHash []byte // that the metadata makes; true if the chain has it
	ChainID string
	Dir     string
}

func chunkFile(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("%06d", i)) }

// MakeSnapshot writes a snapshot of a committed height under dir, beside what blocks do meanwhile; 0 is the newest. One that is there already stays.
func (a *App) MakeSnapshot(ctx context.Context, height int64, dir string) (SnapshotInfo, error) {
	s, err := a.At(height)
	if err != nil {
		return SnapshotInfo{}, err
	}
	defer s.Close()
	return a.makeSnapshot(ctx, s, dir, usualSnapshot)
}

func (a *App) makeSnapshot(ctx context.Context, s *Snapshot, dir string, size snapshotSize) (info SnapshotInfo, err error) {
	final := filepath.Join(dir, fmt.Sprintf("%012d", s.Height()))
	if _, err := os.Stat(filepath.Join(final, snapshotMetaFile)); err == nil {
		return readSnapshotInfo(final)
	}
	making := filepath.Join(dir, snapshotMaking)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return info, fmt.Errorf("make a snapshot: %w", err)
	}
	for _, left := range []string{making, final} { // what a crash left of one in the making, or in the removal
		if err := os.RemoveAll(left); err != nil {
			return info, fmt.Errorf("make a snapshot: %w", err)
		}
	}
	if err := os.Mkdir(making, 0o700); err != nil {
		return info, fmt.Errorf("make a snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(making)
		}
	}()
	n := 0
	m, err := export(ctx, s, size, func(chunk []byte) error {
		n++
		return writeSynced(chunkFile(making, n-1), chunk)
	})
	if err != nil {
		return info, err
	}
	raw := m.encode()
	if len(raw) > snapshotMetaBytesMax {
		return info, fmt.Errorf("snapshot of height %d: its metadata has %d bytes, limit is %d", m.height, len(raw), snapshotMetaBytesMax)
	}
	if c := a.committed.Load(); c.height == s.Height() {
		if _, err := checkSnapshot(raw, c.appHash, c.chain.ID); err != nil {
			return info, fmt.Errorf("snapshot of height %d: %w: this node's state is damaged; run fsck", m.height, err)
		}
	}
	if err := writeSynced(filepath.Join(making, snapshotMetaFile), raw); err != nil {
		return info, err
	}
	if err := syncDir(making); err != nil {
		return info, err
	}
	if err := os.Rename(making, final); err != nil {
		return info, fmt.Errorf("make a snapshot: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return info, err
	}
	return readSnapshotInfo(final)
}

// ListSnapshots lists the whole snapshots under dir, the newest first. A folder that is not there holds none.
func ListSnapshots(dir string) ([]SnapshotInfo, error) {
	dirs, err := snapshotDirs(dir)
	if err != nil {
		return nil, err
	}
	var out []SnapshotInfo
	for _, dir := range dirs {
		info, err := readSnapshotInfo(dir)
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

// snapshotDirs are the folders of the snapshots under dir, the newest first.
func snapshotDirs(dir string) (out []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the snapshots: %w", err)
	}
	for _, e := range slices.Backward(entries) {
		if !snapshotDirName.MatchString(e.Name()) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, e.Name(), snapshotMetaFile)); errors.Is(err, fs.ErrNotExist) {
			continue // what a removal left
		}
		out = append(out, filepath.Join(dir, e.Name()))
	}
	return out, nil
}

func readSnapshotInfo(dir string) (SnapshotInfo, error) {
	raw, m, err := readSnapshotMeta(dir)
	if err != nil {
		return SnapshotInfo{}, err
	}
	sum, hash := sha256.Sum256(raw), m.appHash()
	info := SnapshotInfo{Height: int64(m.height), Chunks: len(m.chunks), Bytes: int64(len(raw)), Hash: sum[:], AppHash: hash[:], Dir: dir}
	chain, _, err := m.parse()
	if err != nil {
		return info, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	info.ChainID = chain.ID
	if n, err := strconv.ParseUint(filepath.Base(dir), 10, 64); err == nil && n != m.height {
		return info, fmt.Errorf("snapshot %s holds height %d", dir, m.height)
	}
	for i := range m.chunks {
		st, err := os.Stat(chunkFile(dir, i))
		if err != nil {
			return info, fmt.Errorf("snapshot %s lacks chunk %d: %w", dir, i, err)
		}
		info.Bytes += st.Size()
	}
	return info, nil
}

func readSnapshotMeta(dir string) ([]byte, *snapshotMeta, error) {
	raw, err := readMax(filepath.Join(dir, snapshotMetaFile), snapshotMetaBytesMax)
	if err != nil {
		return nil, nil, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	m, err := decodeSnapshotMeta(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	return raw, m, nil
}

// readChunk reads a chunk and holds it against the metadata: a damaged file is not handed on.
func readChunk(dir string, m *snapshotMeta, i int) ([]byte, error) {
	chunk, err := readMax(chunkFile(dir, i), snapshotChunkBytes)
	if err == nil && tree.Hash(sha256.Sum256(chunk)) != m.chunks[i] {
		err = errChunk
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: chunk %d of %d: %w", dir, i, len(m.chunks), err)
	}
	return chunk, nil
}

// RestoreSnapshot fills an empty state with a snapshot on disk. appHash is that of its height and at the time of the block, from a source that the caller trusts. Nothing is visible
// unless all of it holds. One that was stopped, by a crash or by the caller or by a file that is damaged, goes on from its last whole chunk when it is
// called again; a snapshot that is false leaves nothing.
func (a *App) RestoreSnapshot(ctx context.Context, dir string, appHash []byte, at time.Time) (err error) {
	raw, m, err := readSnapshotMeta(dir)
	if err != nil {
		return err
	}
	r, err := checkSnapshot(raw, appHash, a.opts.ChainID)
	if err == nil {
		err = r.isOf(at)
	}
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", dir, err)
	}
	if err := r.begin(a.store); err != nil {
		return err
	}
	defer func() {
		var made errSnapshot
		var resumed errResumed
		switch {
		case errors.As(err, &resumed):
			a.log.Warn("snapshot begun anew", "err", err)
			if err = r.into.Abort(); err == nil {
				err = a.RestoreSnapshot(ctx, dir, appHash, at) // no mark is left: once
			}
		case errors.As(err, &made):
			err = errors.Join(err, r.into.Abort())
		case err != nil:
			r.into.Leave()
		}
	}()
	r.next = r.have
	for i := r.have; i < len(m.chunks); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk, err := readChunk(dir, m, i)
		if err != nil {
			return err
		}
		if err := r.apply(chunk); err != nil {
			return fmt.Errorf("snapshot %s: chunk %d of %d: %w", dir, i, len(m.chunks), err)
		}
	}
	if err := r.finish(); err != nil {
		return fmt.Errorf("snapshot %s: %w", dir, err)
	}
	a.restored(r)
	return nil
}

// dropSnapshots removes all but the newest snapshots.
func dropSnapshots(dir string, keep int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if snapshotDirName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	for len(names) > keep {
		// The metadata goes first: what is left of a removal that was cut off is no snapshot, and is removed by the next.
		if err := os.Remove(filepath.Join(dir, names[0], snapshotMetaFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.RemoveAll(filepath.Join(dir, names[0])); err != nil {
			return err
		}
		names = names[1:]
	}
	return nil
}

func readMax(path string, limit int64) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, limit is %d", filepath.Base(path), st.Size(), limit)
	}
	return os.ReadFile(path)
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.Write(data)
		if err == nil {
			err = f.Sync()
		}
		if e := f.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("write a snapshot: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err == nil {
		err = d.Sync()
		if e := d.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("write a snapshot: %w", err)
	}
	return nil
}

// ReadSnapshot says what a snapshot in a folder holds, as far as its metadata tells. Its chunks are checked when it is restored.
func ReadSnapshot(dir string) (SnapshotInfo, error) { return readSnapshotInfo(dir) }
