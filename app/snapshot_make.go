package app

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
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
	chunk []byte

	group  int
	leaves []tree.Leaf
	body   []byte
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

	bound, err := s.view.Bound(ctx)
	if err != nil {
		return nil, err
	}
	e.meta.depth = snapshotDepth(bound.Len(), size.groupLeaves)
	e.meta.groups = make([]state.Subtree, 1<<e.meta.depth)

	err = bound.Each(func(key, value []byte, leaf tree.Leaf) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return e.leaf(row{key, value}, leaf)
	})
	if err == nil {
		err = e.closeGroup()
	}
	if err == nil {
		err = e.flush()
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot of height %d: %w", height, err)
	}
	e.meta.pack = packRootsOf(s).value(e.chain.Secret, e.meta.root())
	hash := e.meta.appHash()
	info.AppHash = hash[:]
	e.meta.info = x.EncodeRow(info)
	return e.meta, nil
}

// leaf adds the unit of a leaf, whose own row is first.
func (e *exporter) leaf(first row, leaf tree.Leaf) error {
	if g := state.SubtreeAt(leaf.Path, e.meta.depth); g != e.group {
		if err := e.closeGroup(); err != nil {
			return err
		}
		e.group = g
	}
	rows := e.unit(first)
	// What leaves this node is checked as what comes to another is: a disk that has changed a row is found here.
	if got, err := unitLeaf(e.chain.Secret, rows); err != nil || got != leaf {
		return fmt.Errorf("row %x does not bind what it must (%v): this node's state is damaged; run fsck", first.key, err)
	}
	e.leaves, e.body = append(e.leaves, leaf), appendUnit(e.body, rows)
	if len(e.body) > snapshotGroupBytesMax {
		return fmt.Errorf("group %d has more than %d bytes", e.group, snapshotGroupBytesMax)
	}
	return nil
}

// unit gathers the rows that a leaf binds.
func (e *exporter) unit(first row) []row {
	rows := []row{first}
	add := func(k, v []byte) bool { rows = append(rows, row{k, v}); return true }
	if uscc, ok := subject.OfHead(first.key); ok {
		subject.EachFileRow(e.s, uscc, add)
	} else if first.key[0] == buckets.Key()[0] {
		e.s.Iterate(x.Key(seenTable.Prefix, first.key[1:]), nil, add)
	}
	return rows
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
