package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Restore fills an empty store with the state of one height, as it comes in a snapshot. Nothing of it is visible before
// Finish. The steps, and what a crash right after each leaves:
//
//  1. "restore begin": format version, chain id and, as before a rollback, the ceiling: height. A crash leaves an empty folder
//     of this chain.
//  2. "restore rows n": rows and leaves at timestamp height. A crash leaves versions above the marker, which is none; Open
//     undoes them, and another restore or the chain's first block may follow: Commit cleans every height up to the ceiling.
//  3. "restore floor": the floor is height. A crash leaves a floor above the marker; Open takes it back.
//  4. "restore marker": from here the state is that of height.
//  5. In memory: the discard timestamp, the tree, the marker that readers follow.
//
// What was written is complete when the tree of its leaves has the root that Finish is given; whether rows agree with their
// leaves is the caller's to check, before it hands them over. For one goroutine, the one that stages and commits.
type Restore struct {
	s      *Store
	height uint64
	batch  []entry
	size   int
	steps  int
	done   bool
}

// Restore begins. The store must be empty: what an earlier, abandoned restore left is removed.
func (s *Store) Restore(height uint64) (*Restore, error) {
	if err := s.enterWrite(); err != nil {
		return nil, err
	}
	defer s.ops.Done()
	switch {
	case height == 0:
		return nil, errors.New("restore: height 0 is not stored")
	case s.latest.Height != 0:
		return nil, fmt.Errorf("restore height %d: the folder holds blocks up to %d; only an empty one can be filled", height, s.latest.Height)
	case s.restoring:
		return nil, errors.New("restore: another one is under way")
	}
	s.unstage()
	if s.initialised {
		if err := s.undo(0, math.MaxUint64); err != nil {
			return nil, s.fail(fmt.Errorf("restore height %d: %w", height, err))
		}
	}
	ceiling := max(s.ceiling, height)
	err := s.write("restore begin", fixedTs, []entry{
		{key: []byte{keyFormat}, value: binary.BigEndian.AppendUint32(nil, formatVersion)},
		{key: []byte{keyChain}, value: []byte(s.opts.ChainID)},
		{key: []byte{keyFloor}, value: encodeUint64(0)},
		{key: []byte{keyCeiling}, value: encodeUint64(ceiling)},
	})
	if err != nil {
		return nil, s.fail(fmt.Errorf("restore height %d: %w", height, err))
	}
	s.initialised, s.ceiling, s.restoring = true, ceiling, true
	return &Restore{s: s, height: height}, nil
}

// Row writes a row.
func (r *Restore) Row(key, value []byte) error {
	if len(key) == 0 || len(key) > maxKeyLen || len(value) > maxValueLen {
		return fmt.Errorf("restore height %d: a row has a key of %d bytes and a value of %d, limits are %d and %d", r.height, len(key), len(value),
			maxKeyLen, maxValueLen)
	}
	return r.add(entry{key: rowKey(key), value: append([]byte{}, value...)})
}

func (r *Restore) add(e entry) error {
	if len(r.batch) >= r.s.opts.txnEntries || r.size+e.size() > r.s.opts.txnBytes {
		if err := r.flush(); err != nil {
			return err
		}
	}
	r.batch, r.size = append(r.batch, e), r.size+e.size()
	return nil
}

// flush writes what is waiting.
func (r *Restore) flush() error {
	if r.done {
		return errors.New("restore: it is over")
	}
	if err := r.s.enterWrite(); err != nil {
		return err
	}
	defer r.s.ops.Done()
	if len(r.batch) == 0 {
		return nil
	}
	r.steps++
	if err := r.s.write(fmt.Sprintf("restore rows %d", r.steps), r.height, r.batch); err != nil {
		return r.s.fail(fmt.Errorf("restore height %d: %w", r.height, err))
	}
	r.batch, r.size = r.batch[:0], 0
	return nil
}

// View shows what was written so far. The caller closes it before Finish or Abort.
func (r *Restore) View() (*View, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.views[r.height]++
	return &View{s: s, txn: s.db.NewTransactionAt(r.height, false), height: r.height}, nil
}

// Finish compares the tree with its root and makes the state the current one. After an error of the comparison the caller
// aborts.
func (r *Restore) Finish(appHash, root tree.Hash, meta []byte) error {
	if len(meta) > maxMetaLen {
		return fmt.Errorf("restore height %d: meta of %d bytes, limit is %d", r.height, len(meta), maxMetaLen)
	}
	if err := r.flush(); err != nil {
		return err
	}
	s := r.s
	if err := s.enterWrite(); err != nil {
		return err
	}
	defer s.ops.Done()
	m := Marker{Height: r.height, AppHash: appHash, Root: root, Meta: append([]byte{}, meta...)}
	err := s.bindAt(r.height)
	var f *forest
	if err == nil {
		f, err = s.rebuild(m)
	}
	if err != nil {
		return fmt.Errorf("restore height %d: %w", r.height, err)
	}
	err = s.write("restore floor", fixedTs, []entry{{key: []byte{keyFloor}, value: encodeUint64(r.height)}})
	if err == nil {
		err = s.write("restore marker", r.height, []entry{{key: []byte{keyMarker}, value: encodeMarker(m)}})
	}
	if err != nil {
		return s.fail(fmt.Errorf("restore height %d: %w", r.height, err))
	}
	r.done = true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest, s.floor, s.forest, s.restoring = m, r.height, f, false
	s.db.SetDiscardTs(s.discardTs())
	return nil
}

// Abort takes back what was written. The store is empty again. After Finish, and a second time, it does nothing.
func (r *Restore) Abort() error {
	if r.done {
		return nil
	}
	s := r.s
	if err := s.enterWrite(); err != nil {
		return err
	}
	defer s.ops.Done()
	r.done, r.batch = true, nil
	if err := s.undo(0, math.MaxUint64); err != nil {
		return s.fail(fmt.Errorf("abort the restore of height %d: %w", r.height, err))
	}
	s.restoring = false
	return nil
}

// cutRestore is what Open does about a restore that a crash cut off after its floor was written: there is no marker, and the
// floor is 0 again. The rows are undone as those of any block without a marker.
func (s *Store) cutRestore() error {
	if s.latest.Height != 0 || s.floor == 0 || s.ceiling < s.floor {
		return nil
	}
	if !s.opts.ReadOnly {
		if err := s.write("restore cut", fixedTs, []entry{{key: []byte{keyFloor}, value: encodeUint64(0)}}); err != nil {
			return err
		}
	}
	s.floor = 0
	return nil
}
