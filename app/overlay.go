package app

import (
	"bytes"
	"sync"

	"github.com/google/btree"

	"github.com/xinlian-ledger/xinlian/app/state"
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
	changes *btree.BTreeG[change]
	journal []undo
}

type undo struct {
	key []byte
	old change
	had bool
}

func newOverlay(base x.Reader) *overlay {
	return &overlay{base: base, changes: btree.NewG(32, func(a, b change) bool { return bytes.Compare(a.key, b.key) < 0 })}
}

func (o *overlay) Get(key []byte) ([]byte, bool) {
	if c, ok := o.changes.Get(change{key: key}); ok {
		if c.deleted {
			return nil, false
		}
		return bytes.Clone(c.value), true
	}
	return o.base.Get(key)
}

func (o *overlay) Set(key, value []byte) {
	o.put(change{key: bytes.Clone(key), value: append([]byte{}, value...)})
}

func (o *overlay) Delete(key []byte) { o.put(change{key: bytes.Clone(key), deleted: true}) }

func (o *overlay) put(c change) {
	old, had := o.changes.ReplaceOrInsert(c)
	o.journal = append(o.journal, undo{key: c.key, old: old, had: had})
}

// mark is a point to come back to.
func (o *overlay) mark() int { return len(o.journal) }

// revert undoes everything that was written since the mark.
func (o *overlay) revert(mark int) {
	for i := len(o.journal) - 1; i >= mark; i-- {
		if u := o.journal[i]; u.had {
			o.changes.ReplaceOrInsert(u.old)
		} else {
			o.changes.Delete(change{key: u.key})
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
	o.changes.AscendGreaterOrEqual(change{key: from}, func(c change) bool {
		if !bytes.HasPrefix(c.key, prefix) {
			return false
		}
		mine = append(mine, c)
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
	o.changes.Ascend(func(c change) bool { fn(c); return true })
}

// Snapshot is the committed state at a height, as a Reader. A disk that fails makes it panic with x.Fault; the gateway turns that into
// 503, FinalizeBlock into a halt. One goroutine at a time.
type Snapshot struct {
	view   *state.View
	cache  map[string]cached // rows read once are read again without the disk; nil: no cache
	shared *sync.Map         // the same for members and catalogue, by all readers of the newest height: string → cached
}

type cached struct {
	value []byte
	found bool
}

// Get implements x.Reader.
func (s *Snapshot) Get(key []byte) ([]byte, bool) {
	if c, ok := s.cache[string(key)]; ok {
		return bytes.Clone(c.value), c.found
	}
	share := s.shared != nil && logged(key) // few rows, asked for by every transaction
	if share {
		if c, ok := s.shared.Load(string(key)); ok {
			return bytes.Clone(c.(cached).value), c.(cached).found
		}
	}
	value, found, err := s.view.Get(key)
	if err != nil {
		panic(x.Fault{Err: err})
	}
	if share {
		s.shared.Store(string(key), cached{bytes.Clone(value), found})
	}
	if s.cache != nil {
		s.cache[string(key)] = cached{value, found}
		value = bytes.Clone(value)
	}
	return value, found
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
