package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// MakeSnapshotSized makes a snapshot with chunks and groups of other sizes than a network uses.
func (a *App) MakeSnapshotSized(height int64, dir string, chunkBytes, groupLeaves int) (SnapshotInfo, error) {
	s, err := a.At(height)
	if err != nil {
		return SnapshotInfo{}, err
	}
	defer s.Close()
	return a.makeSnapshot(context.Background(), s, dir, snapshotSize{chunkBytes, groupLeaves})
}

// WaitSnapshots waits for what is in the making.
func (a *App) WaitSnapshots() { a.making.work.Wait() }

// SnapshotGroup is a group of a snapshot with what it is checked against.
type SnapshotGroup struct {
	Secret []byte
	Depth  int
	Number int
	Want   state.Subtree
	Body   []byte
}

// Check is what a node does with the group.
func (g SnapshotGroup) Check(body []byte) error {
	return groupUnits(g.Secret, body, g.Depth, g.Number, g.Want, func([]row) error { return nil })
}

// SnapshotGroups takes the groups out of a snapshot.
func SnapshotGroups(meta []byte, chunks [][]byte) (out []SnapshotGroup, err error) {
	m, err := decodeSnapshotMeta(meta)
	if err != nil {
		return nil, err
	}
	chain, _, err := m.parse()
	if err != nil {
		return nil, err
	}
	var body []byte
	for _, chunk := range chunks {
		for c := (cursor{rest: chunk}); len(c.rest) > 0; {
			n, last, part := c.uvarint(1<<20), c.byte(), c.bytes(1<<30)
			if c.err != nil {
				return nil, c.err
			}
			if body = append(body, part...); last == 1 {
				out = append(out, SnapshotGroup{chain.Secret, m.depth, n, m.groups[n], body})
				body = nil
			}
		}
	}
	if body != nil {
		return nil, fmt.Errorf("a group is open")
	}
	return out, nil
}

// WithChunk gives metadata that promises another chunk.
func WithChunk(meta []byte, i int, hash [32]byte) []byte {
	m, err := decodeSnapshotMeta(meta)
	if err != nil {
		panic(err)
	}
	m.chunks[i] = hash
	return m.encode()
}

// WithTime gives metadata that gives the block another time.
func WithTime(meta []byte, at time.Time) []byte {
	m, err := decodeSnapshotMeta(meta)
	if err != nil {
		panic(err)
	}
	chain, info, err := m.parse()
	if err != nil {
		panic(err)
	}
	info.TimeSeconds, info.TimeNanos, info.LegalTime = at.Unix(), int32(at.Nanosecond()), chain.LegalTime(at.Unix())
	m.info = x.EncodeRow(info)
	return m.encode()
}

// WithoutLastChunk gives metadata that promises a chunk less.
func WithoutLastChunk(meta []byte) []byte {
	m, err := decodeSnapshotMeta(meta)
	if err != nil {
		panic(err)
	}
	m.chunks = m.chunks[:len(m.chunks)-1]
	return m.encode()
}

// CheckSnapshot is what a node does with metadata that it is offered.
func CheckSnapshot(meta, appHash []byte, chainID string) error {
	_, err := checkSnapshot(meta, appHash, chainID)
	return err
}

// Mutants gives the group with one row dropped, doubled, or in the place of its neighbour, and with one unit dropped or doubled: each way once.
func (g SnapshotGroup) Mutants() (out [][]byte) {
	var units [][]row
	for c := (cursor{rest: g.Body}); len(c.rest) > 0; {
		var rows []row
		for range c.uvarint(len(c.rest)) {
			rows = append(rows, row{c.bytes(snapshotKeyMax), c.bytes(snapshotValueMax)})
		}
		units = append(units, rows)
	}
	add := func(n int, rows ...[]row) {
		var b []byte
		for i, u := range units {
			if i != n {
				b = appendUnit(b, u)
				continue
			}
			for _, r := range rows {
				b = appendUnit(b, r)
			}
		}
		out = append(out, b)
	}
	for n, u := range units {
		add(n)
		add(n, u, u)
		for i := range u {
			add(n, slices.Delete(slices.Clone(u), i, i+1))
			add(n, slices.Insert(slices.Clone(u), i, u[i]))
			if i > 0 {
				swapped := slices.Clone(u)
				swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
				add(n, swapped)
			}
		}
	}
	return out
}

// ExportWhile makes a snapshot of the newest height and calls each after every chunk. It gives the metadata, which names all chunks.
func (a *App) ExportWhile(chunkBytes, groupLeaves int, each func()) ([]byte, error) {
	s, err := a.At(0)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m, err := export(context.Background(), s, snapshotSize{chunkBytes, groupLeaves}, func([]byte) error { each(); return nil })
	if err != nil {
		return nil, err
	}
	return m.encode(), nil
}

// AppliedBefore is how many chunks of the snapshot under way another process has applied.
func (a *App) AppliedBefore() int { return a.restore.have }

// LeaveRestore leaves the snapshot under way as it is.
func (a *App) LeaveRestore() {
	a.restore.into.Leave()
	a.restore = nil
}

// StopInRebuild applies the last chunk and stops when all that follows from the rows is on disk and the end of the restore is not.
func (a *App) StopInRebuild(last []byte) error {
	r := a.restore
	if err := r.apply(last); err != nil {
		return err
	}
	if err := r.rebuild(); err != nil {
		return err
	}
	v, err := r.into.View() // has everything written
	if err != nil {
		return err
	}
	v.Close()
	a.LeaveRestore()
	return nil
}

// OtherRow writes a row that the snapshot under way does not have.
func (a *App) OtherRow() error {
	return a.restore.into.Row(buckets.Key(be64(1)), x.EncodeRow(new(pb.SeenBucket)))
}
