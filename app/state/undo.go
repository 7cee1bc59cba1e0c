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

// undo gives every row version in (base, top] the value that its key has at base. Badger cannot take a version
// back, but the last write of a key at a timestamp wins. Done twice it changes nothing, so a crash within needs no care.
//
// It serves three callers: Open (all above the marker), Rollback, and Commit of a height that was rolled back: after a
// rollback over several heights the version of a key at base+2 repeats its value at base, and that would hide what the
// new block base+1 writes. So every height up to the ceiling is cleaned once more right before it is written.
func (s *Store) undo(base, top uint64) error {
	old := s.db.NewTransactionAt(base, false)
	defer old.Discard()
	above := s.db.NewTransactionAt(top, false)
	defer above.Discard()
	round := 0
	it := above.NewIterator(badger.IteratorOptions{Prefix: []byte{keyRow}, AllVersions: true, SinceTs: base})
	defer it.Close()
	return s.undoRows(it, old, base, &round)
}

type undoEntry struct {
	entry
	ts uint64
}

func (s *Store) undoRows(it *badger.Iterator, old *badger.Txn, base uint64, round *int) error {
	var batch []undoEntry
	size := 0
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		if item.Version() <= base { // SinceTs is not applied when it is 0; there is no version 0 either
			continue
		}
		e := undoEntry{entry: entry{key: item.KeyCopy(nil)}, ts: item.Version()}
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
//  1. "ceiling": the highest height that will have leftovers. Alone it changes nothing.
//  2. "unmark h", newest first: the markers above `to` are deleted. A crash leaves a rollback to a height in between,
//     whole and valid: run it again.
//  3. "undo n": rows above `to`. A crash leaves versions above the marker; Open undoes them.
//  4. The tree's files: cut back to `to`, or begun anew. A crash leaves some of a later height, which Open removes.
//  5. In memory: the tree of `to`, compared with its marker.
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
	if latest := s.latest.Height; s.ceiling < latest {
		if err := s.write("ceiling", fixedTs, []entry{{key: []byte{keyCeiling}, value: encodeUint64(latest)}}); err != nil {
			return err
		}
		s.ceiling = latest
	}
	for h := s.latest.Height; h > to; h-- {
		if err := s.write(fmt.Sprintf("unmark %d", h), h, []entry{{key: []byte{keyMarker}, delete: true}}); err != nil {
			return err
		}
	}
	return s.undo(to, math.MaxUint64)
}
