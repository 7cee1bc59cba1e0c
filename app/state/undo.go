package state

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// undoBatchBytes bounds the memory of one round of undo.
const undoBatchBytes = 8 << 20

// Leftovers are versions of rows above the marker, of blocks that a crash has cut off or a rollback has taken back. Nobody reads them, as every reader
// reads at a height up to the marker's. They are in the way when a block of their height is written: Commit cleans that height then.
//
// Why not at once: Badger cannot take a version back, and another value for a key at the timestamp that it has is not safe for long. Which of two wins
// is told by the order of tables in level 0, and that order is lost when Badger merges tables within this level. A block that a crash cut off comes again
// as it was, in general, and writes what stands there already: nothing is written twice with two values. Rollback, which is followed by other blocks, and
// a restore that is given up, which is followed by others, have Badger make one of both before they return (settle).
//
// findLeftovers gives their heights.
func (s *Store) findLeftovers(marker uint64) (map[uint64]bool, error) {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{keyRow}, AllVersions: true, SinceTs: marker})
	defer it.Close()
	heights := map[uint64]bool{}
	for it.Rewind(); it.Valid(); it.Next() {
		if v := it.Item().Version(); v > marker { // SinceTs is not applied when it is 0
			heights[v] = true
		}
	}
	return heights, nil
}

// clean gives the leftovers of a height, the one after the last, the values of the height before, but for the keys that the block writes itself.
func (s *Store) clean(height uint64, block []entry) error {
	_, err := s.undo(height-1, height, func(key []byte) bool {
		_, writes := slices.BinarySearchFunc(block, key, func(e entry, key []byte) int { return bytes.Compare(e.key, key) })
		return writes
	})
	return err
}

// undo gives every row version in (base, top] the value that its key has at base, but for the keys that are left out. The last write of a key at a
// timestamp wins; see above. Done twice it changes nothing, so a crash within needs no care. It says whether it wrote anything.
//
// After a rollback over several heights the version of a key at base+2 repeats its value at base, and that would hide what the
// new block base+1 writes. So every height with leftovers is cleaned once more right before it is written.
func (s *Store) undo(base, top uint64, leftOut func(key []byte) bool) (wrote bool, err error) {
	old := s.db.NewTransactionAt(base, false)
	defer old.Discard()
	above := s.db.NewTransactionAt(top, false)
	defer above.Discard()
	round := 0
	it := above.NewIterator(badger.IteratorOptions{Prefix: []byte{keyRow}, AllVersions: true, SinceTs: base})
	defer it.Close()
	err = s.undoRows(it, old, base, leftOut, &round)
	return round > 0, err
}

type undoEntry struct {
	entry
	ts uint64
}

func (s *Store) undoRows(it *badger.Iterator, old *badger.Txn, base uint64, leftOut func([]byte) bool, round *int) error {
	var batch []undoEntry
	size := 0
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		if item.Version() <= base { // SinceTs is not applied when it is 0; there is no version 0 either
			continue
		}
		e := undoEntry{entry: entry{key: item.KeyCopy(nil)}, ts: item.Version()}
		if leftOut != nil && leftOut(e.key) {
			continue
		}
		value, found, err := get(old, e.key)
		if err != nil {
			return err
		}
		e.value, e.delete = value, !found
		same := item.IsDeletedOrExpired() == e.delete
		if same && found {
			if err := item.Value(func(now []byte) error { same = bytes.Equal(now, value); return nil }); err != nil {
				return fmt.Errorf("read state: %w", err)
			}
		}
		if same {
			continue
		}
		batch = append(batch, e)
		if size += e.size(); size >= undoBatchBytes {
			if err := s.writeUndo(batch, round); err != nil {
				return err
			}
			batch, size = nil, 0
		}
	}
	return s.writeUndo(batch, round)
}

func (s *Store) writeUndo(batch []undoEntry, round *int) error {
	slices.SortStableFunc(batch, func(a, b undoEntry) int {
		switch {
		case a.ts < b.ts:
			return -1
		case a.ts > b.ts:
			return 1
		}
		return 0
	})
	for len(batch) > 0 {
		ts := batch[0].ts
		n := 0
		var entries []entry
		for n < len(batch) && batch[n].ts == ts {
			entries = append(entries, batch[n].entry)
			n++
		}
		batch = batch[n:]
		for _, group := range s.split(entries) {
			*round++
			if err := s.write(fmt.Sprintf("undo %d", *round), ts, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rollback makes the state after block `to` the current one again. The steps, and what a crash right after each leaves:
//
//  1. "back": it is noted that a rollback is under way. A crash leaves the height before; the next Open does steps 3 to 5, which change nothing then.
//  2. "unmark h", newest first: the markers above `to` are deleted. A crash leaves a rollback to a height in between, whole and valid, once
//     Open has done steps 3 to 5.
//  3. "undo n": rows above the marker get its values. A crash leaves leftovers, some of them with these values; Open does the rest.
//  4. "settle": Badger merges what these steps wrote with what stood there. A crash leaves what step 3 leaves, or less.
//  5. "back done": it is noted that it is over.
//  6. The tree's files: cut back to `to`, or begun anew. A crash leaves some of a later height, which Open removes.
//  7. In memory: the tree of `to`, compared with its marker.
//
// No view may be open. The caller rolls CometBFT back as well; the store only knows its own part.
func (s *Store) Rollback(to uint64) error {
	if err := s.enterWrite(); err != nil {
		return err
	}
	defer s.ops.Done()
	latest, floor := s.latest.Height, s.floor
	switch {
	case to > latest:
		return fmt.Errorf("roll back to %d: the last block is %d", to, latest)
	case to < floor:
		return fmt.Errorf("roll back to %d: %w", to, ErrPruned{Height: to, Floor: floor})
	case to == latest:
		s.unstage()
		return nil
	}
	s.mu.RLock()
	open := len(s.views)
	s.mu.RUnlock()
	if open > 0 {
		return errors.New("roll back: views are open; close them first")
	}
	s.unstage()
	if err := s.writeRollback(to); err != nil {
		return s.fail(fmt.Errorf("roll back to %d: %w", to, err))
	}
	m, err := s.loadMarker()
	if err == nil && m.Height != to {
		err = s.damaged(fmt.Errorf("the marker after the rollback says %d", m.Height))
	}
	if err != nil {
		return s.fail(err)
	}
	s.closeFiles() // an image of a height that is gone may be in the making
	f, err := s.rebuild(m)
	if err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest, s.forest = m, f
	return nil
}

func (s *Store) writeRollback(to uint64) error {
	if err := s.writeBack("back", 1); err != nil {
		return err
	}
	for h := s.latest.Height; h > to; h-- {
		if err := s.write(fmt.Sprintf("unmark %d", h), h, []entry{{key: []byte{keyMarker}, delete: true}}); err != nil {
			return err
		}
		s.leftovers[h] = true
	}
	return s.endRollback(to)
}

// endRollback does what is left of a rollback when the markers above a height are deleted.
func (s *Store) endRollback(to uint64) error {
	if _, err := s.undo(to, math.MaxUint64, nil); err != nil {
		return err
	}
	if err := s.step("settle", s.settle); err != nil {
		return err
	}
	return s.writeBack("back done", 0)
}

// writeBack notes whether a rollback is under way.
func (s *Store) writeBack(step string, underWay uint64) error {
	return s.writeNumber(step, keyBack, underWay, &s.backTs)
}

// settle closes the database in such a way that its level 0 is merged into the one below, newest table first, and opens it again. No view is open, and none is opened meanwhile.
func (s *Store) settle() error {
	if s.opts.InMemory {
		return nil // it ends with the process
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.views) > 0 {
		return errors.New("settle: views are open; close them first")
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the state folder: %w", err)
	}
	o := s.opts
	for _, o.emptyL0 = range []bool{true, s.opts.emptyL0} {
		db, err := openBadger(o)
		if err != nil {
			return err
		}
		if s.db = db; o.emptyL0 && !s.opts.emptyL0 {
			if err := db.Close(); err != nil {
				return fmt.Errorf("close the state folder: %w", err)
			}
		}
	}
	s.db.SetDiscardTs(s.floor)
	return nil
}
