package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Restore fills an empty store with the state of one height, as it comes in a snapshot. Nothing of it is visible before
// Finish. The steps, and what a crash right after each leaves:
//
//  1. "restore begin": format version and chain id. A crash leaves an empty folder of this chain.
//  2. "restore rows n": rows at timestamp height. A crash leaves leftovers (undo.go). "restore mark n": the same, with the caller's mark of how far
//     this is. From here a crash leaves rows for the restore that goes on from the newest mark; what was written after it is written again. Any other
//     restore, and the chain's first block, undo them first.
//  3. "restore floor": the floor is height. A crash leaves a floor above the marker; Open takes it back.
//  4. "restore marker": from here the state is that of height, and the mark is gone.
//  5. In memory: the discard timestamp, the tree, the marker that readers follow; the tree's files begin anew.
//
// What was written is complete when the tree of its leaves has the root that Finish is given; whether the rows that no leaf
// binds are right is the caller's to check, before it hands them over. For one goroutine, the one that stages and commits.
type Restore struct {
	s      *Store
	height uint64
	id     []byte
	batch  []entry
	size   int
	steps  int
	marks  int
	done   bool
}

// partial is a restore that has begun and not ended, as Open finds it.
type partial struct {
	height   uint64
	id, mark []byte
}

// Restore begins, or goes on: id, of at most 255 bytes, names what is restored, and the mark is the newest one of a restore of the same height
// and id that was cut off; nil when it begins. The store must be empty: what another restore left is removed.
func (s *Store) Restore(height uint64, id []byte) (_ *Restore, mark []byte, err error) {
	if err := s.enterWrite(); err != nil {
		return nil, nil, err
	}
	defer s.ops.Done()
	switch {
	case height == 0:
		return nil, nil, errors.New("restore: height 0 is not stored")
	case len(id) > 255:
		return nil, nil, fmt.Errorf("restore: an id of %d bytes, limit is 255", len(id))
	case s.latest.Height != 0:
		return nil, nil, fmt.Errorf("restore height %d: the folder holds blocks up to %d; only an empty one can be filled", height, s.latest.Height)
	case s.restoring:
		return nil, nil, errors.New("restore: another one is under way")
	}
	s.unstage()
	r := &Restore{s: s, height: height, id: bytes.Clone(id)}
	if p := s.partial; p != nil && p.height == height && bytes.Equal(p.id, id) {
		s.restoring = true
		return r, p.mark, nil
	}
	if err := s.dropPartial(); err != nil {
		return nil, nil, s.fail(fmt.Errorf("restore height %d: %w", height, err))
	}
	err = s.write("restore begin", fixedTs, []entry{
		{key: []byte{keyFormat}, value: binary.BigEndian.AppendUint32(nil, formatVersion)},
		{key: []byte{keyChain}, value: []byte(s.opts.ChainID)},
	})
	if err != nil {
		return nil, nil, s.fail(fmt.Errorf("restore height %d: %w", height, err))
	}
	s.initialised, s.restoring = true, true
	s.leftovers[height] = true // until it ends
	return r, nil, nil
}

// loadPartial finds a restore that a crash has cut off.
func (s *Store) loadPartial() (*partial, error) {
	if s.latest.Height != 0 {
		return nil, nil
	}
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewKeyIterator([]byte{keyPartial}, badger.IteratorOptions{})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		if item.IsDeletedOrExpired() {
			continue // of a restore of another height, which was dropped before this one began
		}
		value, err := item.ValueCopy(nil)
		if err != nil {
			return nil, fmt.Errorf("read state: %w", err)
		}
		if len(value) == 0 || len(value) < 1+int(value[0]) {
			return nil, s.damaged(errors.New("the mark of a restore is cut short"))
		}
		return &partial{height: item.Version(), id: value[1 : 1+value[0]], mark: value[1+value[0]:]}, nil
	}
	return nil, nil
}

// dropPartial removes what a restore has left that will not go on. The mark goes last: cut off before, this is done again.
func (s *Store) dropPartial() error {
	if s.initialised {
		wrote, err := s.undo(0, math.MaxUint64, nil)
		if err == nil && wrote { // another restore of this height may come
			err = s.step("settle", s.settle)
		}
		if err != nil {
			return err
		}
	}
	if s.partial == nil {
		return nil
	}
	if err := s.write("restore drop", s.partial.height, []entry{{key: []byte{keyPartial}, delete: true}}); err != nil {
		return err
	}
	s.partial = nil
	return nil
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
	if len(r.batch) == 0 && !r.done {
		return nil
	}
	r.steps++
	return r.write(fmt.Sprintf("restore rows %d", r.steps))
}

// maxMarkLen bounds a mark.
const maxMarkLen = 1024

// Mark makes durable what was written so far, together with how far that is: after a crash, Restore gives the newest mark.
func (r *Restore) Mark(mark []byte) error {
	if len(mark) > maxMarkLen {
		return fmt.Errorf("restore height %d: a mark of %d bytes, limit is %d", r.height, len(mark), maxMarkLen)
	}
	value := append(append([]byte{byte(len(r.id))}, r.id...), mark...)
	r.batch = append(r.batch, entry{key: []byte{keyPartial}, value: value})
	r.marks++
	if err := r.write(fmt.Sprintf("restore mark %d", r.marks)); err != nil {
		return err
	}
	r.s.partial = &partial{height: r.height, id: r.id, mark: bytes.Clone(mark)}
	return nil
}

func (r *Restore) write(step string) error {
	if r.done {
		return errors.New("restore: it is over")
	}
	if err := r.s.enterWrite(); err != nil {
		return err
	}
	defer r.s.ops.Done()
	if err := r.s.write(step, r.height, r.batch); err != nil {
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
	err = s.writeFloor("restore floor", r.height)
	if err == nil {
		err = s.write("restore marker", r.height, []entry{{key: []byte{keyMarker}, value: encodeMarker(m)}, {key: []byte{keyPartial}, delete: true}})
	}
	if err != nil {
		return s.fail(fmt.Errorf("restore height %d: %w", r.height, err))
	}
	r.done = true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest, s.floor, s.forest, s.restoring, s.partial = m, r.height, f, false, nil
	delete(s.leftovers, r.height)
	s.db.SetDiscardTs(s.discardTs())
	return nil
}

// Leave ends this restore where it stands: the next one of the same id goes on from the newest mark. After Finish and Abort it does nothing.
func (r *Restore) Leave() {
	if !r.done {
		r.done, r.batch, r.s.restoring = true, nil, false
	}
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
	if err := s.dropPartial(); err != nil {
		return s.fail(fmt.Errorf("abort the restore of height %d: %w", r.height, err))
	}
	s.restoring = false
	return nil
}

// cutRestore is what Open does about a restore that a crash cut off after its floor was written: there is no marker, and the
// floor is 0 again. The rows are leftovers, as those of any block without a marker.
func (s *Store) cutRestore() error {
	if s.latest.Height != 0 || s.floor == 0 {
		return nil
	}
	if !s.opts.ReadOnly {
		if err := s.writeFloor("restore cut", 0); err != nil {
			return err
		}
	}
	s.floor = 0
	return nil
}
