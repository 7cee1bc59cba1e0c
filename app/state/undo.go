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
// reads at a height up to the marker's. They are in the way when a block of their height is written.
//
// Badger cannot take a version back, and a second value for a key at the timestamp that it has is not safe for long. Which of two wins is told by the order
// of tables in level 0, and that order is lost when Badger merges tables within this level, which it does when it is busy, and at the next open: it puts the
// merged table where its newest number or its first key belongs. Between levels, and between level 0 and what is in memory, the order stands. So what
// holds is: above the marker the tables of level 0 and what is in memory have at most one value for a key at a timestamp, unless a note (keyBack) says
// otherwise.
//
//   - A block that a crash cut off comes again as it was, nearly always, and writes what stands there already. Commit sees this by comparing (comesAgain).
//   - It may come as another one: CometBFT delivers the block that was decided, but the program may be a newer one, whose refusals are worded otherwise or whose rules
//     are others; and a home may have begun anew with other genesis, or a validator that is alone with an older copy of CometBFT's files. Then Commit
//     does what a rollback does (takeBack), beside its readers, and writes the block on top of that.
//   - Rollback, which is followed by other blocks, and a restore that is given up, which is followed by others, do so before they return (takeBack).
//
// takeBack notes what it is about, gives the leftovers the values of the height that is left, and has Badger merge level 0 into the one below (settle). What
// comes then stands above that. It costs seconds in a large folder, so Open does it only where a crash has cut it off.
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

// makeRoom sees to what is left of a height, the one after the last, before its block is written.
func (s *Store) makeRoom(height uint64, block []entry) error {
	if s.settled {
		return s.clean(height, block)
	}
	again, err := s.comesAgain(height, block)
	if err != nil || again {
		return err
	}
	if s.opts.Logger != nil {
		s.opts.Logger.Warn("what a crash or a rollback has left is taken back before the next block; readers wait", "height", height)
	}
	return s.takeBack(height - 1)
}

// comesAgain says whether all that is left of a height is what its block writes.
func (s *Store) comesAgain(height uint64, block []entry) (bool, error) {
	txn := s.db.NewTransactionAt(height, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{keyRow}, AllVersions: true, SinceTs: height - 1})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		if item.Version() < height { // SinceTs is not applied when it is 0
			continue
		}
		n, same := find(block, item.Key())
		same = same && block[n].delete == item.IsDeletedOrExpired()
		if same && !block[n].delete {
			if err := item.Value(func(left []byte) error { same = bytes.Equal(left, block[n].value); return nil }); err != nil {
				return false, fmt.Errorf("read state: %w", err)
			}
		}
		if !same {
			return false, nil
		}
	}
	return true, nil
}

// clean gives the leftovers of a height, the one after the last, the values of the height before, but for the keys that the block writes itself. They are
// settled: what is written stands above them.
func (s *Store) clean(height uint64, block []entry) error {
	_, err := s.undo(height-1, height, func(key []byte) bool {
		_, writes := find(block, key)
		return writes
	})
	return err
}

// undo gives every row version in (base, top] the value that its key has at base, but for the keys that are left out. Done twice it changes
// nothing, so a crash within needs no care. It says whether it wrote anything.
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
//  1. "back": it is noted that all above `to` goes. A crash before leaves the height before; from here Open does steps 2 to 4, and the folder is at `to`.
//  2. "unmark h", newest first: the markers above `to` are deleted. "undo n": rows above it get its values. A crash leaves some of both.
//  3. "settle": Badger merges what these steps wrote with what stood there. A crash leaves what step 2 leaves, or all of it done. Then step 2 looks
//     again: where Badger has taken an older value for the newer one, both steps are done once more.
//  4. "back done": it is noted that it is over.
//  5. The tree's files: cut back to `to`, or begun anew. A crash leaves some of a later height, which Open removes.
//  6. In memory: the tree of `to`, compared with its marker.
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
	if err := s.takeBack(to); err != nil {
		return s.fail(fmt.Errorf("roll back to %d: %w", to, err))
	}
	m, err := s.loadMarker(math.MaxUint64)
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

// takeBack takes back what stands above a height: steps 1 to 4 of Rollback. Views up to that height may be open.
func (s *Store) takeBack(to uint64) error {
	if err := s.writeNumber("back", keyBack, to+1, &s.backTs); err != nil {
		return err
	}
	return s.endBack(to)
}

// endBack does what follows the note.
func (s *Store) endBack(to uint64) error {
	for settled := false; ; settled = true {
		unmarked, err := s.unmark(to)
		if err != nil {
			return err
		}
		wrote, err := s.undo(to, math.MaxUint64, nil)
		if err != nil {
			return err
		}
		if settled && !unmarked && !wrote {
			break
		}
		if err := s.step("settle", s.settle); err != nil {
			return err
		}
	}
	s.settled = true
	return s.writeNumber("back done", keyBack, 0, &s.backTs)
}

// unmark deletes the markers above a height. It says whether there were any.
func (s *Store) unmark(to uint64) (bool, error) {
	var heights []uint64
	for top := uint64(math.MaxUint64); top > to; top = heights[len(heights)-1] - 1 {
		m, err := s.loadMarker(top)
		if err != nil {
			return false, err
		}
		if m.Height <= to {
			break
		}
		heights = append(heights, m.Height)
	}
	for _, h := range heights {
		if err := s.write(fmt.Sprintf("unmark %d", h), h, []entry{{key: []byte{keyMarker}, delete: true}}); err != nil {
			return false, err
		}
		s.leftovers[h] = true
	}
	return len(heights) > 0, nil
}

// settle has Badger write out what it has in memory and merge all of level 0 into the level below, newest table first. A database that is open does both where
// keys with a prefix are dropped, so there is one such key for that. Readers wait meanwhile.
func (s *Store) settle() error {
	drop := []byte{keyDrop}
	if err := s.set(fixedTs, []entry{{key: drop}}); err != nil {
		return err
	}
	if err := s.db.DropPrefix(drop); err != nil {
		return fmt.Errorf("settle the state folder: %w", err)
	}
	if l := s.db.Levels()[0]; l.NumTables > 0 { // Badger only logs what went wrong
		return fmt.Errorf("settle the state folder: %d tables of level 0 are left", l.NumTables)
	}
	return nil
}
