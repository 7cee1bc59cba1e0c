package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// View reads the rows as they were after the block of one height. For one goroutine. Close it: an open view holds back
// pruning.
type View struct {
	s      *Store
	txn    *badger.Txn
	height uint64
	closed bool
}

// View opens a height: 0 (empty), any from the floor to the last committed one, or one below that is open already.
func (s *Store) View(height uint64) (*View, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	if height > s.latest.Height {
		return nil, fmt.Errorf("height %d is not committed: the last block is %d", height, s.latest.Height)
	}
	if height > 0 && height < s.floor && s.views[height] == 0 {
		return nil, ErrPruned{Height: height, Floor: s.floor}
	}
	s.views[height]++
	return &View{s: s, txn: s.db.NewTransactionAt(height, false), height: height}, nil
}

// Height of the view.
func (v *View) Height() uint64 { return v.height }

// Close ends the view; a second call does nothing.
func (v *View) Close() {
	if v.closed {
		return
	}
	v.closed = true
	v.txn.Discard()
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if v.s.views[v.height]--; v.s.views[v.height] == 0 {
		delete(v.s.views, v.height)
	}
}

// Get returns a copy of a row's value.
func (v *View) Get(key []byte) (value []byte, found bool, err error) {
	if err := v.enter(); err != nil {
		return nil, false, err
	}
	defer v.s.ops.Done()
	return get(v.txn, rowKey(key))
}

// pieceMax bounds what a copy that somebody keeps holds in memory beside it.
const pieceMax = 32 << 10

// Iterate calls fn for the rows under prefix in ascending key order, beginning with the first key at or after start (nil:
// with the first), until fn returns false. Key and value are copies. fn may read the view.
func (v *View) Iterate(prefix, start []byte, fn func(key, value []byte) (more bool)) error {
	if err := v.enter(); err != nil {
		return err
	}
	defer v.s.ops.Done()
	from := rowKey(prefix)
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: from})
	defer it.Close()
	if bytes.Compare(start, prefix) > 0 {
		from = rowKey(start)
	}
	var room []byte // the copies lie in pieces, each larger than the one before: one allocation for many rows
	keep := func(b []byte) []byte {
		if cap(room)-len(room) < len(b) {
			room = make([]byte, 0, max(len(b), min(2*cap(room), pieceMax)))
		}
		room = append(room, b...)
		return room[len(room)-len(b) : len(room) : len(room)]
	}
	for it.Seek(from); it.Valid(); it.Next() {
		item := it.Item()
		key := keep(item.Key()[1:])
		var value []byte
		if err := item.Value(func(v []byte) error {
			value = keep(v)
			return nil
		}); err != nil {
			return fmt.Errorf("read row: %w", err)
		}
		if !fn(key, value) {
			return nil
		}
	}
	return nil
}

// enter begins a read, which Close of the store waits for.
func (v *View) enter() error {
	if v.closed {
		return errors.New("view is closed")
	}
	return v.s.enter()
}

// get reads one key of the keyspace; the value is a copy and never nil when found.
func get(txn *badger.Txn, key []byte) (value []byte, found bool, err error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read state: %w", err)
	}
	value, err = item.ValueCopy([]byte{})
	if err != nil {
		return nil, false, fmt.Errorf("read state: %w", err)
	}
	if value == nil {
		value = []byte{}
	}
	return value, true, nil
}
