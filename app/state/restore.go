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
//  1. "restore begin", "settle": format version and chain id, which go below level 0 (grow). A crash leaves an empty folder of this chain.
//  2. "restore rows n": rows at timestamp height. A crash leaves leftovers (undo.go). "restore mark n": the caller's mark of how far this is.
//     From here a crash leaves rows for the restore that goes on from the newest mark; what was written after it is written again. Any other
//     restore, and the chain's first block, remove the mark ("restore drop") and take the rows back first (takeBack).
//  3. "restore floor": the floor is height. A crash leaves a floor above the marker; Open takes it back.
//  4. "restore marker": from here the state is that of height, and the mark says nothing any more.
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
		mark = p.mark
	} else {
		err := s.dropPartial()
		if err == nil {
			err = s.initialise("restore begin")
		}
		if err != nil {
			return nil, nil, s.fail(fmt.Errorf("restore height %d: %w", height, err))
		}
	}
	s.restoring = true
	s.leftovers[height], s.settled = true, false // until it ends
	return r, mark, nil
}

// loadPartial finds a restore that a crash has cut off.
func (s *Store) loadPartial() (*partial, error) {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewKeyIterator([]byte{keyPartial}, badger.IteratorOptions{})
	defer it.Close()
	if it.Rewind(); !it.Valid() {
		return nil, nil
	}
	item := it.Item() // the newest
	s.partialTs = item.Version()
	if item.IsDeletedOrExpired() || s.latest.Height != 0 {
		return nil, nil
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	const head = 8 + 1
	if len(value) < head || len(value) < head+int(value[head-1]) {
		return &partial{}, nil // of an older program: no restore goes on from it
	}
	id := value[head : head+int(value[head-1])]
	return &partial{height: binary.BigEndian.Uint64(value), id: id, mark: value[head+len(id):]}, nil
}

// dropPartial removes what a restore has left that will not go on. The mark goes first: without it, what else is left is taken back by whoever finds it.
func (s *Store) dropPartial() error {
	if s.partial != nil {
		if err := s.writePartial("restore drop", entry{delete: true}); err != nil {
			return err
		}
		s.partial = nil
	}
	if len(s.leftovers) == 0 || s.settled {
		return nil
	}
	return s.takeBack(0)
}

// writePartial writes what is under the key of marks, one timestamp above what was there: see leftovers (undo.go) for why not in its place.
func (s *Store) writePartial(step string, e entry) error {
	e.key = []byte{keyPartial}
	err := s.write(step, s.partialTs+1, []entry{e})
	if err == nil {
		s.partialTs++
	}
	return err
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
	err := r.write(func(s *Store) error { return s.write(fmt.Sprintf("restore rows %d", r.steps), r.height, r.batch) })
	if err == nil {
		r.batch, r.size = r.batch[:0], 0
	}
	return err
}

// maxMarkLen bounds a mark.
const maxMarkLen = 1024

// Mark makes durable what was written so far, then how far that is: after a crash, Restore gives the newest mark.
func (r *Restore) Mark(mark []byte) error {
	if len(mark) > maxMarkLen {
		return fmt.Errorf("restore height %d: a mark of %d bytes, limit is %d", r.height, len(mark), maxMarkLen)
	}
	if err := r.flush(); err != nil {
		return err
	}
	value := append(binary.BigEndian.AppendUint64(nil, r.height), byte(len(r.id)))
	value = append(append(value, r.id...), mark...)
	r.marks++
	err := r.write(func(s *Store) error {
		return s.writePartial(fmt.Sprintf("restore mark %d", r.marks), entry{value: value})
	})
	if err != nil {
		return err
	}
	r.s.partial = &partial{height: r.height, id: r.id, mark: bytes.Clone(mark)}
	return nil
}

func (r *Restore) write(write func(s *Store) error) error {
	if r.done {
		return errors.New("restore: it is over")
	}
	if err := r.s.enterWrite(); err != nil {
		return err
	}
	defer r.s.ops.Done()
	if err := write(r.s); err != nil {
		return r.s.fail(fmt.Errorf("restore height %d: %w", r.height, err))
	}
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

// Finish compares the tree with its root (ErrRoot) and makes the state the current one. After an error of the comparison the caller aborts: a restore that goes on
// from its mark would end here again.
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
		err = s.write("restore marker", r.height, []entry{{key: []byte{keyMarker}, value: encodeMarker(m)}})
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
