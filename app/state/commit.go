package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Stage computes the root of the tree as it will be after the block of height, which is the one after the last committed.
// Nothing becomes visible. Staging the height again replaces what was staged: CometBFT may run a block twice.
func (s *Store) Stage(height uint64, w *WriteSet) (tree.Hash, error) {
	if err := s.enterWrite(); err != nil {
		return tree.Hash{}, err
	}
	defer s.ops.Done()
	if latest := s.latest.Height; height != latest+1 {
		return tree.Hash{}, fmt.Errorf("stage height %d: the last block is %d", height, latest)
	}
	if s.restoring {
		return tree.Hash{}, fmt.Errorf("stage height %d: the state is being restored from a snapshot", height)
	}
	entries, err := w.freeze()
	if err == nil && height == 1 {
		err = s.bind(getter(entries))
	}
	if err != nil {
		return tree.Hash{}, fmt.Errorf("stage height %d: %w", height, err)
	}
	changes, err := s.binding.changes(entries)
	if err != nil {
		return tree.Hash{}, fmt.Errorf("stage height %d: %w", height, err)
	}
	s.unstage()
	root, err := s.forest.stage(changes)
	if err != nil {
		s.forest.discard()
		return tree.Hash{}, fmt.Errorf("stage height %d: %w", height, err)
	}
	s.staged = &staged{height: height, root: root, entries: entries, changes: changes}
	return root, nil
}

func (s *Store) unstage() {
	if s.staged != nil {
		s.forest.discard()
		s.staged = nil
	}
}

// Commit makes the staged block durable, then visible. The steps, and what a crash right after each leaves:
//
//  1. "tree": the changes of the tree, at the end of its log. Not synced. A crash leaves a record above the marker, or a
//     part of one; Open cuts it off.
//     Before block 1, where a restore was cut off and does not go on: "restore drop", and what it left is taken back.
//  2. Only where a crash or a rollback has left versions of this height (leftovers, undo.go). Left by the same block: nothing. By another one: steps 1 to 4 of
//     Rollback ("back", "undo n", "settle", "back done"); a crash leaves what it leaves there, and the height before. By a rollback: "undo n", those of keys
//     that the block does not write get their values as of the height before; a crash leaves leftovers.
//  3. "format", "settle": only before block 1. Format version and chain id, which go below level 0 (grow). A crash leaves an empty folder of this chain.
//  4. "rows n": groups of rows at timestamp height, all but the last. A crash within or after one leaves leftovers; no reader sees them, CometBFT runs
//     the block again.
//  5. "marker": the last rows and, after them, the marker. A crash within leaves what one in step 4 leaves. From here the block
//     is committed: after a crash the folder answers with this height and CometBFT does not run the block again.
//  6. "floor": only with Retain. The new floor, durable. A crash leaves versions below the floor that nobody may read.
//  7. In memory: the discard timestamp (Open sets it again), the tree, the marker that readers follow.
//  8. Sometimes, beside the blocks that follow: another log and an image of the tree (treefile.go). A crash leaves a part
//     of an image, which Open removes, and the image before with both logs.
//
// An error means that nobody knows which step the disk has: the store refuses everything from then on, the node stops,
// and Open finds out.
func (s *Store) Commit(height uint64, appHash tree.Hash, meta []byte) error {
	if err := s.enterWrite(); err != nil {
		return err
	}
	defer s.ops.Done()
	if s.staged == nil || s.staged.height != height {
		return fmt.Errorf("commit height %d: it is not staged", height)
	}
	if len(meta) > maxMetaLen {
		return fmt.Errorf("commit height %d: meta of %d bytes, limit is %d", height, len(meta), maxMetaLen)
	}
	m := Marker{Height: height, AppHash: appHash, Root: s.staged.root, Meta: append([]byte{}, meta...)}
	floor, err := s.writeBlock(m, s.staged)
	if err != nil {
		s.unstage()
		return s.fail(fmt.Errorf("commit height %d: %w", height, err))
	}
	s.mu.Lock()
	s.latest, s.floor, s.staged = m, floor, nil
	delete(s.leftovers, height)
	s.db.SetDiscardTs(s.discardTs())
	s.forest.publish(height)
	s.mu.Unlock()
	if err := s.makeImage(); err != nil {
		return s.fail(fmt.Errorf("after height %d: %w", height, err))
	}
	return nil
}

// writeBlock does the durable steps of Commit and returns the floor after them.
func (s *Store) writeBlock(m Marker, b *staged) (floor uint64, err error) {
	if s.files != nil {
		if err := s.step("tree", func() error { return s.files.append(m.Height, m.Root, b.changes) }); err != nil {
			return 0, err
		}
	}
	if s.partial != nil {
		if err := s.dropPartial(); err != nil {
			return 0, err
		}
	}
	if s.leftovers[m.Height] {
		if err := s.makeRoom(m.Height, b.entries); err != nil {
			return 0, err
		}
	}
	if err := s.initialise("format"); err != nil {
		return 0, err
	}
	groups := s.split(b.entries)
	last := len(groups) - 1
	for n, group := range groups[:last] {
		if err := s.writeRows(fmt.Sprintf("rows %d", n+1), m.Height, group); err != nil {
			return 0, err
		}
	}
	// A full slice expression: the group is a part of entries.
	tail := append(groups[last][:len(groups[last]):len(groups[last])], entry{key: []byte{keyMarker}, value: encodeMarker(m)})
	if err := s.writeRows("marker", m.Height, tail); err != nil {
		return 0, err
	}
	return s.moveFloor(m.Height)
}

// initialise says whose folder this is, unless it says so already.
func (s *Store) initialise(step string) error {
	if s.initialised {
		return nil
	}
	err := s.write(step, fixedTs, []entry{
		{key: []byte{keyFormat}, value: binary.BigEndian.AppendUint32(nil, formatVersion)},
		{key: []byte{keyChain}, value: []byte(s.opts.ChainID)},
	})
	if err == nil {
		err = s.grow()
	}
	s.initialised = err == nil
	return err
}

// writeRows is a durable step that is atomic by its order and not by a transaction: a crash leaves none, some or all of the entries, and of some the first
// ones. Badger reads its log from the beginning up to the first entry that is not whole, and a step is in one log; so who finds the last entry, the marker,
// finds all. What a crash left above the marker nobody reads, and the block writes the same once more when it comes again.
//
// The reason is time. A transaction of Badger's keeps its entries in a map and writes them in the order of that, which is none. In the memtable, a list in
// memory that is sorted, each entry is then looked for anew among places that lie anywhere; in ascending order it stands near the one before. The loader,
// which serves backups, is the way into Badger that keeps the order. It takes memory for the largest step at once, so a few entries go in a transaction.
func (s *Store) writeRows(step string, ts uint64, entries []entry) error {
	if len(entries) < s.opts.inOrder {
		return s.write(step, ts, entries)
	}
	err := s.step(step, func() error {
		if s.opts.testingOnlyWrote != nil {
			s.opts.testingOnlyWrote(ts, entries)
		}
		size := int64(0)
		for _, e := range entries {
			size += int64(e.size()) + rowOverhead
		}
		if int64(len(entries))+1 >= s.db.MaxBatchCount() || size >= s.db.MaxBatchSize() { // the loader would cut it in two
			return fmt.Errorf("%d entries do not fit one step; the limits of this package are wrong", len(entries))
		}
		l := s.db.NewKVLoader(1)
		kv, mark := pb.KV{Version: ts}, []byte(deleted)
		for _, e := range entries {
			kv.Key, kv.Value, kv.Meta = e.key, e.value, nil
			if e.delete {
				kv.Meta = mark
			}
			if err := l.Set(&kv); err != nil {
				return err
			}
		}
		return l.Finish()
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", step, err)
	}
	return nil
}

// deleted is the mark of a deleted entry, as Badger has it in its files and in backups.
const deleted = "\x01"

// rowOverhead is more than what Badger counts for an entry beside its key and its value.
const rowOverhead = 16

// split cuts entries into groups that fit one write each, with room for the marker. There is at least one group.
func (s *Store) split(entries []entry) [][]entry {
	var groups [][]entry
	from, size := 0, 0
	for i, e := range entries {
		if i > from && (i-from >= s.opts.txnEntries || size+e.size() > s.opts.txnBytes) {
			groups = append(groups, entries[from:i])
			from, size = i, 0
		}
		size += e.size()
	}
	return append(groups, entries[from:])
}

// write is one durable, atomic step: all entries at timestamp ts.
//
// Overwrites are not flagged with Badger's WithDiscard, although Badger starts a compaction of its lowest level for
// flagged keys only. Two reasons. To know what is an overwrite costs one read a key. And Badger counts the surviving
// version of a flagged key as stale as well, so a quiet table would be rewritten every hour for ever. Keys here are
// identities, not heights: new writes fall among old ones, and the compactions that they cause drop old versions on the
// way. What a quiet range keeps, an offline Flatten frees.
func (s *Store) write(step string, ts uint64, entries []entry) error {
	err := s.step(step, func() error {
		if s.opts.testingOnlyWrote != nil {
			s.opts.testingOnlyWrote(ts, entries)
		}
		return s.set(ts, entries)
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", step, err)
	}
	return nil
}

// set is a transaction.
func (s *Store) set(ts uint64, entries []entry) error {
	txn := s.db.NewTransactionAt(math.MaxUint64, true)
	defer txn.Discard()
	for _, e := range entries {
		var err error
		if e.delete {
			err = txn.Delete(e.key)
		} else {
			err = txn.Set(e.key, e.value)
		}
		if errors.Is(err, badger.ErrTxnTooBig) {
			return fmt.Errorf("%d entries do not fit one transaction; the limits of this package are wrong: %w", len(entries), err)
		}
		if err != nil {
			return err
		}
	}
	return txn.CommitAt(ts, nil)
}

// moveFloor persists the floor that Retain asks for. It moves in strides of about 1/16 of Retain, because each move is a
// synced write of its own: history kept is between Retain and Retain plus a stride.
func (s *Store) moveFloor(latest uint64) (uint64, error) {
	retain := s.opts.Retain
	if retain == 0 || latest < retain {
		return s.floor, nil
	}
	want := latest - retain + 1
	stride := min(max(retain/16, 1), maxFloorStride)
	if want < s.floor+stride {
		return s.floor, nil
	}
	return want, s.writeFloor("floor", want)
}

// writeNumber writes a number one timestamp above the one before it: see leftovers (undo.go) for why not in its place.
func (s *Store) writeNumber(step string, key byte, n uint64, ts *uint64) error {
	err := s.write(step, *ts+1, []entry{{key: []byte{key}, value: encodeUint64(n)}})
	if err == nil {
		*ts++
	}
	return err
}

func (s *Store) writeFloor(step string, floor uint64) error {
	return s.writeNumber(step, keyFloor, floor, &s.floorTs)
}

// discardTs is how far Badger may drop what neither the floor nor an open view needs: at the discard timestamp the newest
// version of every key survives, above it all do. The caller holds mu, so no view can open below meanwhile.
func (s *Store) discardTs() uint64 {
	ts := s.floor
	// DETERMINISM: a minimum, the order does not matter; nothing of it reaches the state.
	for height := range s.views {
		ts = min(ts, height)
	}
	return ts
}

// grow has the folder grown before Badger may drop anything: a table below level 0 then has a range with the marker's key in it.
//
// Badger drops the mark of a deletion, with what it hides, where no level below has a table in the range of those that it merges. When it merges tables
// within level 0 it does not ask what else is in level 0. There may be older tables, which another compactor is moving to the level below at this moment, and the row in
// them: then the mark is gone and the deleted row is back. It takes a move that is the first one of the folder and lasts longer than 10 seconds (younger
// tables are not merged), four tables that come meanwhile, and deletions in them that are below the floor already. So it is rare, as
// where a node that keeps little history catches up; but nothing would tell. Overwritten rows are not concerned, as the newer version stays.
//
// Where a table below has the marker's key in its range, Badger keeps the marks of whatever it merges within level 0: that is four tables or more, each block has a
// marker, and no block fills three tables. So that there is one from the beginning, what says whose folder this is goes below at once: the marker's key is between its
// two, which are never deleted. The range stays: new tables are in their level before the old ones leave theirs.
func (s *Store) grow() error {
	if s.grown() {
		return nil
	}
	return s.step("settle", s.settle)
}

// grown says whether a table below level 0 has a range with the marker's key in it.
func (s *Store) grown() bool {
	return slices.ContainsFunc(s.db.Tables(), func(t badger.TableInfo) bool { return t.Level > 0 && t.Left[0] <= keyMarker && keyMarker <= t.Right[0] })
}

func decodeUint32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
