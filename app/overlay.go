package app

import (
	"bytes"
	"sync"

	"github.com/google/btree"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// change is a row that a block writes. deleted rows shadow those below.
type change struct {
	key     []byte
	value   []byte
	deleted bool
}

// overlay is the state that rules see: the changes of a block on top of what was committed. It keeps a journal, so that what a refused
// transaction wrote is undone.
type overlay struct {
	base    x.Reader
	changes map[string]*change     // by key
	order   *btree.BTreeG[*change] // the same, by key in order
	journal []undo
	memo    map[string]any // decoded rows of members and catalogue, as they are now
}

type undo struct {
	c   *change
	old change
	had bool
}

func newOverlay(base x.Reader) *overlay {
	return &overlay{
		base: base, changes: map[string]*change{}, memo: map[string]any{},
		order: btree.NewG(32, func(a, b *change) bool { return bytes.Compare(a.key, b.key) < 0 }),
	}
}

// rowsPerMessage is about how many rows a message writes.
const rowsPerMessage = 8

// grow makes room for what the transactions will write, so that the map need not be moved while it fills.
func (o *overlay) grow(txs []*parsed) {
	n := 0
	for _, p := range txs {
		if p.err == nil {
			n += len(p.body.Messages)
		}
	}
	o.changes = make(map[string]*change, min(n, pb.BlockMessagesMax)*rowsPerMessage)
}

func (o *overlay) Get(key []byte) ([]byte, bool) {
	if c, ok := o.changes[string(key)]; ok {
		if c.deleted {
			return nil, false
		}
		return bytes.Clone(c.value), true
	}
	return o.base.Get(key)
}

// Peek implements x.Peeker. A value is never changed in its place: a write brings a new one.
func (o *overlay) Peek(key []byte) ([]byte, bool) {
	if c, ok := o.changes[string(key)]; ok {
		return c.value, !c.deleted
	}
	return x.Peek(o.base, key)
}

// Remembered implements x.Memo, for the few rows that every transaction asks for.
func (o *overlay) Remembered(key []byte) (row any, ok bool) {
	row, ok = o.memo[string(key)]
	return row, ok
}

// Remember implements x.Memo.
func (o *overlay) Remember(key []byte, row any) {
	if logged(key) {
		o.memo[string(key)] = row
	}
}

func (o *overlay) Set(key, value []byte) {
	o.put(change{key: bytes.Clone(key), value: append([]byte{}, value...)})
}

func (o *overlay) Delete(key []byte) { o.put(change{key: bytes.Clone(key), deleted: true}) }

func (o *overlay) put(c change) {
	o.forget(c.key)
	if old, ok := o.changes[string(c.key)]; ok {
		o.journal = append(o.journal, undo{c: old, old: *old, had: true})
		old.value, old.deleted = c.value, c.deleted
		return
	}
	o.changes[string(c.key)] = &c
	o.order.ReplaceOrInsert(&c)
	o.journal = append(o.journal, undo{c: &c})
}

// forget drops what was remembered of a row that changes.
func (o *overlay) forget(key []byte) {
	if logged(key) {
		delete(o.memo, string(key))
	}
}

// mark is a point to come back to.
func (o *overlay) mark() int { return len(o.journal) }

// revert undoes everything that was written since the mark.
func (o *overlay) revert(mark int) {
	for i := len(o.journal) - 1; i >= mark; i-- {
		u := o.journal[i]
		o.forget(u.c.key)
		if u.had {
			*u.c = u.old
		} else {
			delete(o.changes, string(u.c.key))
			o.order.Delete(u.c)
		}
	}
	o.journal = o.journal[:mark]
}

// settle forgets the journal: what was written stays.
func (o *overlay) settle() { o.journal = o.journal[:0] }

// Iterate merges the changes into the rows below. It takes the changes of the range first, so that fn sees the state as it was when the
// iteration began.
func (o *overlay) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	from := prefix
	if bytes.Compare(start, prefix) > 0 {
		from = start
	}
	var mine []change
	o.order.AscendGreaterOrEqual(&change{key: from}, func(c *change) bool {
		if !bytes.HasPrefix(c.key, prefix) {
			return false
		}
		mine = append(mine, *c)
		return true
	})
	stopped := false
	emit := func(until []byte) { // changes before a key of the base
		for len(mine) > 0 && !stopped && (until == nil || bytes.Compare(mine[0].key, until) < 0) {
			c := mine[0]
			mine = mine[1:]
			if !c.deleted {
				stopped = !fn(c.key, c.value)
			}
		}
	}
	o.base.Iterate(prefix, start, func(key, value []byte) bool {
		emit(key)
		if stopped {
			return false
		}
		if len(mine) > 0 && bytes.Equal(mine[0].key, key) {
			c := mine[0]
			mine = mine[1:]
			if c.deleted {
				return true
			}
			key, value = c.key, c.value
		}
		stopped = !fn(key, value)
		return !stopped
	})
	if !stopped {
		emit(nil)
	}
}

// each visits all changes by key.
func (o *overlay) each(fn func(c change)) {
	o.order.Ascend(func(c *change) bool { fn(*c); return true })
}

// Snapshot is the committed state at a height, as a Reader. A disk that fails makes it panic with x.Fault; the gateway turns that into
// 503, FinalizeBlock into a halt. One goroutine at a time.
type Snapshot struct {
	view   *state.View
	cache  map[string]cached // rows read once are read again without the disk; nil: no cache
	known  map[string]cached // such rows of another snapshot of this height, which nobody adds to meanwhile
	shared *sync.Map         // the same for members and catalogue, by all readers of the newest height: string → cached
}

type cached struct {
	value []byte
	found bool
}

// Get implements x.Reader.
func (s *Snapshot) Get(key []byte) ([]byte, bool) {
	value, found := s.Peek(key)
	if s.cache == nil && s.known == nil && (s.shared == nil || !logged(key)) {
		return value, found // nobody else has it
	}
	return bytes.Clone(value), found
}

// Peek implements x.Peeker.
func (s *Snapshot) Peek(key []byte) ([]byte, bool) {
	if c, ok := s.cache[string(key)]; ok {
		return c.value, c.found
	}
	if c, ok := s.known[string(key)]; ok {
		return c.value, c.found
	}
	share := s.shared != nil && logged(key) // few rows, asked for by every transaction
	if share {
		if c, ok := s.shared.Load(string(key)); ok {
			return c.(cached).value, c.(cached).found
		}
	}
	value, found, err := s.view.Get(key)
	if err != nil {
		panic(x.Fault{Err: err})
	}
	switch {
	case share:
		s.shared.Store(string(key), cached{value, found})
	case s.cache != nil:
		s.cache[string(key)] = cached{value, found}
	}
	return value, found
}

// decoded is the mark of a decoded row among the shared ones: no key of a row begins with it.
const decoded = "\x00"

// Remembered implements x.Memo for the newest height.
func (s *Snapshot) Remembered(key []byte) (row any, ok bool) {
	if s.shared == nil || !logged(key) {
		return nil, false
	}
	return s.shared.Load(decoded + string(key))
}

// Remember implements x.Memo.
func (s *Snapshot) Remember(key []byte, row any) {
	if s.shared != nil && logged(key) {
		s.shared.Store(decoded+string(key), row)
	}
}

// Iterate implements x.Reader.
func (s *Snapshot) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	if err := s.view.Iterate(prefix, start, fn); err != nil {
		panic(x.Fault{Err: err})
	}
}

// Height of the snapshot.
func (s *Snapshot) Height() int64 { return int64(s.view.Height()) }

// Close ends the snapshot.
func (s *Snapshot) Close() { s.view.Close() }

// empty is the state before genesis.
type empty struct{}

func (empty) Get([]byte) ([]byte, bool)                           { return nil, false }
func (empty) Iterate(_, _ []byte, _ func(key, value []byte) bool) {}
