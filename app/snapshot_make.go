package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// snapshotSize is what decides where a snapshot is cut. All nodes of a network use the same: only then are their snapshots one.
type snapshotSize struct{ chunkBytes, groupLeaves int }

var usualSnapshot = snapshotSize{snapshotChunkBytes, snapshotGroupLeaves}

// exporter writes the state of a height as chunks. It reads through a view, which holds back pruning, and blocks go on beside it.
type exporter struct {
	s     *Snapshot
	size  snapshotSize
	emit  func(chunk []byte) error
	meta  *snapshotMeta
	chain *x.Chain
	heads []headRef // by path
	chunk []byte

	group  int
	leaves []tree.Leaf
	body   []byte
}

// headRef finds whose file a leaf is: its key is a keyed hash. The first bytes of the path are enough to find it and cost little memory.
type headRef struct {
	path [8]byte
	uscc [18]byte
}

// export writes all chunks of a snapshot and then gives its metadata.
func export(ctx context.Context, s *Snapshot, size snapshotSize, emit func(chunk []byte) error) (_ *snapshotMeta, err error) {
	defer caught(&err)
	height := s.view.Height()
	info, ok := blockInfos.Get(s, be64(height))
	chainRow, known := s.Get(chainInfo.Key())
	if !ok || !known {
		return nil, fmt.Errorf("height %d is not held by this node", height)
	}
	ci, _ := chainInfo.Get(s)
	e := &exporter{s: s, size: size, emit: emit, chain: chainOf(ci)}
	e.meta = &snapshotMeta{height: height, chain: chainRow, catalog: catalogValue(s), log: logValue(frontier(s))}

	leaves := 0
	if err := s.view.Leaves(func(_, _ tree.Hash, _ []byte) bool { leaves++; return leaves%4096 != 0 || ctx.Err() == nil }); err != nil {
		return nil, err
	}
	e.meta.depth = snapshotDepth(leaves, size.groupLeaves)
	e.meta.groups = make([]state.Subtree, 1<<e.meta.depth)
	subject.EachHead(s, func(uscc string) bool {
		path := tree.PathOf(subject.FileLeafKey(e.chain.Secret, uscc))
		e.heads = append(e.heads, headRef{[8]byte(path[:8]), [18]byte([]byte(uscc))})
		return true
	})
	slices.SortFunc(e.heads, func(a, b headRef) int { return bytes.Compare(a.path[:], b.path[:]) })

	var failed error
	err = s.view.Leaves(func(path, valueHash tree.Hash, leafKey []byte) bool {
		if failed = ctx.Err(); failed == nil {
			failed = e.leaf(path, valueHash, leafKey)
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = e.closeGroup()
	}
	if err == nil {
		err = e.flush()
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot of height %d: %w", height, err)
	}
	hash := e.meta.appHash()
	info.AppHash = hash[:]
	e.meta.info = x.EncodeRow(info)
	return e.meta, nil
}

// leaf adds the unit of a leaf.
func (e *exporter) leaf(path, valueHash tree.Hash, leafKey []byte) error {
	if g := state.SubtreeAt(path, e.meta.depth); g != e.group {
		if err := e.closeGroup(); err != nil {
			return err
		}
		e.group = g
	}
	rows, err := e.unit(path, leafKey)
	if err != nil {
		return err
	}
	// What leaves this node is checked as what comes to another is: a disk that has changed a row is found here.
	_, leaf, err := unitLeaf(e.chain.Secret, rows)
	if err == nil && (leaf.Path != path || leaf.ValueHash != valueHash) {
		err = fmt.Errorf("row %x does not have its leaf's hash", rows[0].key)
	}
	if err != nil {
		return fmt.Errorf("%w: this node's state is damaged; run fsck", err)
	}
	e.leaves, e.body = append(e.leaves, leaf), appendUnit(e.body, rows)
	if len(e.body) > snapshotGroupBytesMax {
		return fmt.Errorf("group %d has more than %d bytes", e.group, snapshotGroupBytesMax)
	}
	return nil
}

// unit gathers the rows that a leaf binds.
func (e *exporter) unit(path tree.Hash, leafKey []byte) ([]row, error) {
	var key []byte
	var uscc string
	switch leafKey[0] {
	case 'R':
		key = leafKey[1:]
	case 'S':
		key, _ = standing.RowOf(leafKey)
	case 'F':
		i, _ := slices.BinarySearchFunc(e.heads, [8]byte(path[:8]), func(h headRef, p [8]byte) int { return bytes.Compare(h.path[:], p[:]) })
		for ; i < len(e.heads) && e.heads[i].path == [8]byte(path[:8]); i++ {
			if u := string(e.heads[i].uscc[:]); bytes.Equal(subject.FileLeafKey(e.chain.Secret, u), leafKey) {
				uscc, key = u, subject.HeadKey(u)
			}
		}
	}
	value, ok := []byte(nil), false
	if len(key) > 0 {
		value, ok = e.s.Get(key)
	}
	if !ok {
		return nil, fmt.Errorf("leaf %x has no row: this node's state is damaged; run fsck", leafKey)
	}
	rows := []row{{key, value}}
	add := func(k, v []byte) bool { rows = append(rows, row{k, v}); return true }
	switch {
	case uscc != "":
		subject.EachFileRow(e.s, uscc, add)
	case key[0] == buckets.Key()[0]:
		e.s.Iterate(x.Key(seenTable.Prefix, key[1:]), nil, add)
	}
	return rows, nil
}

// closeGroup puts the group into chunks: whole if it fits beside what is there, or alone, and else in parts.
func (e *exporter) closeGroup() error {
	if len(e.leaves) == 0 {
		return nil
	}
	e.meta.groups[e.group] = state.SubtreeOf(e.leaves, e.meta.depth)
	const frame = 2*binary.MaxVarintLen64 + 1
	body := e.body
	for {
		if room := e.size.chunkBytes - len(e.chunk); len(e.chunk) > 0 && len(body)+frame > room {
			if err := e.flush(); err != nil {
				return err
			}
		}
		part := body[:min(len(body), e.size.chunkBytes-frame)]
		body = body[len(part):]
		last := byte(0)
		if len(body) == 0 {
			last = 1
		}
		e.chunk = append(binary.AppendUvarint(e.chunk, uint64(e.group)), last)
		e.chunk = appendBytes(e.chunk, part)
		if last == 1 {
			break
		}
	}
	e.leaves, e.body = e.leaves[:0], e.body[:0]
	return nil
}

func (e *exporter) flush() error {
	if len(e.chunk) == 0 {
		return nil
	}
	if len(e.meta.chunks) == snapshotChunksMax {
		return fmt.Errorf("more than %d chunks", snapshotChunksMax)
	}
	e.meta.chunks = append(e.meta.chunks, sha256.Sum256(e.chunk))
	err := e.emit(e.chunk)
	e.chunk = nil
	return err
}
