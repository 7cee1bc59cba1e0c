package app

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/xinlian-ledger/xinlian/app/slots"
	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// change is a row that a block writes. deleted rows shadow those below. A change that was undone is void: as if it had never been.
type change struct {
	key     []byte
	value   []byte
	deleted bool
	void    bool
}

// overlay is the state that rules see: the changes of a block on top of what was committed. It keeps a journal, so that what a refused
// transaction wrote is undone.
type overlay struct {
	base x.Reader
	*changes
	journal []undo
	memo    map[string]any // decoded rows of members and catalogue, as they are now
	derived map[any]any    // what follows from these rows alone, as they are now; nil: nothing
}

type undo struct {
	c   *change
	old change
}

// changes are the rows that a block writes. Their order is made when somebody asks for it: most tables are written and never iterated over
// within a block, and a tree that is kept in order cost more than the rules themselves.
type changes struct {
	numbers slots.Table // key → number of the change, counted as they came
	chunks  [][]change  // all changes, roomChunk to a piece: a change never moves
	n       int         // how many there are, those that were undone included
	tables  [256]table  // by the first byte of the key
	pieces  [][]byte    // of keys and values, memoryChunk each
	memory  []byte      // of the last piece, what is not in use yet
}

// again empties changes that nobody looks at any more, nor at the keys and values in them, for another block. Who executes one block after the other gives its
// memory back and forth: new memory would have to be cleared, and lies far from the processor.
func (c *changes) again() *changes {
	c.numbers.Clear()
	for i := range c.tables {
		t := &c.tables[i]
		t.inOrder, t.late = nil, append(t.inOrder, t.late...)[:0]
	}
	c.chunks, c.n, c.pieces, c.memory = c.chunks[:0], 0, c.pieces[:0], nil
	return c
}

// another adds a piece: one that was there before the pieces were used again, or a new one.
func another[T any](pieces [][]T, size int) [][]T {
	if n := len(pieces); n < cap(pieces) && pieces[:n+1][n] != nil {
		return pieces[:n+1]
	}
	return append(pieces, make([]T, size))
}

// table is the changes of one table: those in order of their keys, and some that came afterwards.
type table struct{ inOrder, late []*change }

// lateMax is how many changes stand outside the order before an iteration puts them in: so that whoever writes and iterates in turn pays for
// neither with the size of the block.
const lateMax = 64

const (
	roomChunk   = 512       // changes
	memoryChunk = 128 << 10 // bytes
)

func newOverlay(base x.Reader) *overlay {
	return &overlay{base: base, changes: &changes{}, memo: map[string]any{}}
}

// above reads a block's changes, which are in order and change no more, on top of what was there before.
func above(base x.Reader, c *changes) *overlay {
	return &overlay{base: base, changes: c, memo: map[string]any{}}
}

// rowsPerMessage is about how many rows a message writes.
const rowsPerMessage = 8

// grow makes room for what the transactions will write, so that the table of numbers need not be moved while it fills.
func (o *overlay) grow(txs []*parsed) {
	n := 0
	for _, p := range txs {
		if p.err == nil {
			n += len(p.body.Messages)
		}
	}
	o.numbers.Grow(min(n, pb.BlockMessagesMax) * rowsPerMessage)
}

func (o *overlay) Get(key []byte) ([]byte, bool) {
	if c := o.find(slots.Hash(key), key); c != nil && !c.void {
		if c.deleted {
			return nil, false
		}
		return bytes.Clone(c.value), true
	}
	return o.base.Get(key)
}

// Peek implements x.Peeker. A value is never changed in its place: a write brings a new one.
func (o *overlay) Peek(key []byte) ([]byte, bool) {
	if c := o.find(slots.Hash(key), key); c != nil && !c.void {
		return c.value, !c.deleted
	}
	return x.Peek(o.base, key)
}

// Remembered implements x.Memo, for the few rows that every transaction asks for.
func (o *overlay) Remembered(key []byte) (row any, ok bool) {
	if row, ok = o.memo[string(key)]; ok {
		return row, true
	}
	if below := o.below(key); below != nil {
		if row, ok = below.Remembered(key); ok {
			o.memo[string(key)] = row // the next look is not handed down
		}
		return row, ok
	}
	return nil, false
}

// Remember implements x.Memo.
func (o *overlay) Remember(key []byte, row any) {
	if !logged(key) {
		return
	}
	if below := o.below(key); below != nil {
		below.Remember(key, row)
	}
	o.memo[string(key)] = row
}

// Derived implements x.Deriver.
func (o *overlay) Derived(of any) (value any, ok bool) {
	value, ok = o.derived[of]
	return value, ok
}

// Derive implements x.Deriver.
func (o *overlay) Derive(of, value any) {
	if o.derived == nil {
		o.derived = map[any]any{}
	}
	o.derived[of] = value
}

// below is what remembers a row that was not changed here, from one block to the next; nil: nobody does.
func (o *overlay) below(key []byte) x.Memo {
	if c := o.find(slots.Hash(key), key); c != nil && !c.void {
		return nil
	}
	m, _ := o.base.(x.Memo)
	return m
}

func (o *overlay) Set(key, value []byte) { o.put(key, o.keep(value), false) }

// Place implements x.Roomy.
func (o *overlay) Place(key, value []byte) { o.put(key, value, false) }

func (o *overlay) Delete(key []byte) { o.put(key, nil, true) }

func (o *overlay) put(key, value []byte, deleted bool) {
	o.forget(key)
	h := slots.Hash(key)
	c := o.find(h, key)
	if c == nil {
		c = o.add(h, key)
	}
	o.journal = append(o.journal, undo{c, *c})
	c.value, c.deleted, c.void = value, deleted, false
}

// find gives the change of a key, which may be void; nil: there is none.
func (c *changes) find(h uint32, key []byte) *change {
	var found *change
	c.numbers.Find(h, func(n uint32) bool {
		if ch := &c.chunks[n/roomChunk][n%roomChunk]; bytes.Equal(ch.key, key) {
			found = ch
		}
		return found != nil
	})
	return found
}

// add makes a change of a key that the block has not written. It is void until somebody fills it.
func (c *changes) add(h uint32, key []byte) *change {
	n := c.n
	if n%roomChunk == 0 {
		c.chunks = another(c.chunks, roomChunk)
	}
	c.n++
	added := &c.chunks[n/roomChunk][n%roomChunk]
	*added = change{key: c.keep(key), void: true}
	c.numbers.Add(h, uint32(n))
	t := &c.tables[key[0]]
	t.late = append(t.late, added)
	return added
}

// keep copies bytes to where they stay.
func (c *changes) keep(b []byte) []byte {
	kept := c.Room(len(b))
	copy(kept, b)
	return kept
}

// Room implements x.Roomy.
func (c *changes) Room(n int) []byte {
	if n > memoryChunk/8 {
		return make([]byte, n)
	}
	if n > len(c.memory) {
		c.pieces = another(c.pieces, memoryChunk)
		c.memory = c.pieces[len(c.pieces)-1]
	}
	room := c.memory[:n:n]
	c.memory = c.memory[n:]
	return room
}

// len is how many rows changed, those that were undone included.
func (c *changes) len() int { return c.n }

// wrote says whether a row of a table changed.
func (c *changes) wrote(prefix byte) bool {
	for _, list := range [...][]*change{c.tables[prefix].inOrder, c.tables[prefix].late} {
		if slices.ContainsFunc(list, func(ch *change) bool { return !ch.void }) {
			return true
		}
	}
	return false
}

// forget drops what was remembered of a row that changes, and all that may follow from it.
func (o *overlay) forget(key []byte) {
	if logged(key) {
		delete(o.memo, string(key))
		o.derived = nil
	}
}

// mark is a point to come back to.
func (o *overlay) mark() int { return len(o.journal) }

// revert undoes everything that was written since the mark.
func (o *overlay) revert(mark int) {
	for i := len(o.journal) - 1; i >= mark; i-- {
		u := o.journal[i]
		o.forget(u.c.key)
		*u.c = u.old
	}
	o.journal = o.journal[:mark]
}

// settle forgets the journal: what was written stays.
func (o *overlay) settle() { o.journal = o.journal[:0] }

func byKey(a, b *change) int { return bytes.Compare(a.key, b.key) }

// sortFew is how many changes are sorted by their whole keys.
const sortFew = 24

// sortByKey puts changes of different keys in order, all of which begin with the same bytes, at least so many of them. The keys of a table begin alike, and they
// lie all over the memory: the bytes in which they begin to differ are taken out once, and only those are compared that have
// these bytes in common.
func sortByKey(list []*change, alike int) {
	if len(list) <= sortFew {
		slices.SortFunc(list, byKey)
		return
	}
	first := list[0].key
	same := len(first)
	for _, c := range list[1:] {
		n, most := alike, min(same, len(c.key))
		for n < most && first[n] == c.key[n] {
			n++
		}
		same = n
	}
	type place struct {
		first, second uint64 // bytes of the key, zeros where it has ended
		c             *change
	}
	places := make([]place, len(list))
	for i, c := range list {
		var b [16]byte
		copy(b[:], c.key[same:])
		places[i] = place{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), c}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.first != b.first {
			return cmp.Compare(a.first, b.first)
		}
		return cmp.Compare(a.second, b.second)
	})
	for i := range places {
		list[i] = places[i].c
	}
	for from := 0; from < len(places); {
		to := from + 1
		for to < len(places) && places[to].first == places[from].first && places[to].second == places[from].second {
			to++
		}
		switch {
		case to-from == len(list): // a key ends where the others have zeros
			slices.SortFunc(list, byKey)
		case to-from > 1:
			sortByKey(list[from:to], same)
		}
		from = to
	}
}

// arrange puts all changes of a table in order.
func (t *table) arrange() {
	if len(t.late) == 0 {
		return
	}
	sortByKey(t.late, 1)
	if len(t.inOrder) == 0 {
		t.inOrder, t.late = t.late, nil
		return
	}
	merged := make([]*change, 0, len(t.inOrder)+len(t.late))
	old, late := t.inOrder, t.late
	for len(old) > 0 && len(late) > 0 {
		if byKey(old[0], late[0]) < 0 {
			merged, old = append(merged, old[0]), old[1:]
		} else {
			merged, late = append(merged, late[0]), late[1:]
		}
	}
	t.inOrder, t.late = append(append(merged, old...), late...), nil
}

// within gives the changes whose keys begin with prefix, from a key on, in order.
func (t *table) within(prefix, from []byte) (out []change) {
	if len(t.late) > lateMax {
		t.arrange()
	}
	i, _ := slices.BinarySearchFunc(t.inOrder, from, func(c *change, k []byte) int { return bytes.Compare(c.key, k) })
	for _, c := range t.inOrder[i:] {
		if !bytes.HasPrefix(c.key, prefix) {
			break
		}
		if !c.void {
			out = append(out, *c)
		}
	}
	n := len(out)
	for _, c := range t.late {
		if !c.void && bytes.HasPrefix(c.key, prefix) && bytes.Compare(c.key, from) >= 0 {
			out = append(out, *c)
		}
	}
	if len(out) > n {
		slices.SortFunc(out, func(a, b change) int { return bytes.Compare(a.key, b.key) })
	}
	return out
}

// arrange puts all changes in order. Until the next write, many may read side by side.
func (c *changes) arrange() {
	for i := range c.tables {
		c.tables[i].arrange()
	}
}

// each visits all changes by key.
func (c *changes) each(fn func(c change)) { c.eachOf(0, 255, fn) }

// eachOf visits the changes of some tables, the first to the last, by key.
func (c *changes) eachOf(first, last int, fn func(c change)) {
	for i := first; i <= last; i++ {
		c.tables[i].arrange()
		for _, ch := range c.tables[i].inOrder {
			if !ch.void {
				fn(*ch)
			}
		}
	}
}

// eachAnyhow visits all changes in no particular order.
func (c *changes) eachAnyhow(fn func(c change)) {
	for i := range c.n { // as they came, which is how they lie in the memory
		if ch := &c.chunks[i/roomChunk][i%roomChunk]; !ch.void {
			fn(*ch)
		}
	}
}

// Iterate merges the changes into the rows below. It takes the changes of the range first, so that fn sees the state as it was when the
// iteration began.
func (o *overlay) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	from := prefix
	if bytes.Compare(start, prefix) > 0 {
		from = start
	}
	var mine []change
	if len(prefix) > 0 {
		mine = o.tables[prefix[0]].within(prefix, from)
	} else {
		for i := range o.tables {
			mine = append(mine, o.tables[i].within(prefix, from)...)
		}
	}
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

// Snapshot is the committed state at a height, as a Reader. A disk that fails makes it panic with x.Fault; the gateway turns that into
// 503, FinalizeBlock into a halt. One goroutine at a time.
type Snapshot struct {
	view   *state.View
	ahead  *readRows                    // rows that were read before anybody asked; nil: none
	cache  map[string]cached            // rows read once are read again without the disk; nil: no cache
	known  map[string]cached            // such rows of another snapshot of this height, which nobody adds to meanwhile
	shared *sharedRows                  // the same for members and catalogue, by all readers of the newest height
	onRead func(key []byte, found bool) // Options.OnRead
}

type cached struct {
	value []byte
	found bool
}

// sharedRows are rows of members and catalogue: string → cached, and decoded + string → row. Heights between which none of these rows changed share
// them.
type sharedRows struct {
	sync.Map
	stored atomic.Int64
}

// sharedMost bounds them: a row that is not there is remembered too, and anybody may ask for such rows.
const sharedMost = 1 << 14

func (s *sharedRows) store(key string, value any) {
	if s.stored.Add(1) <= sharedMost {
		s.Store(key, value)
	}
}

// next are the shared rows of the height after.
func (s *sharedRows) next(changed bool) *sharedRows {
	if changed || s.stored.Load() >= sharedMost {
		return new(sharedRows)
	}
	return s
}

// Get implements x.Reader.
func (s *Snapshot) Get(key []byte) ([]byte, bool) {
	value, found := s.Peek(key)
	if s.ahead == nil && s.cache == nil && s.known == nil && (s.shared == nil || !logged(key)) {
		return value, found // nobody else has it
	}
	return bytes.Clone(value), found
}

// Peek implements x.Peeker.
func (s *Snapshot) Peek(key []byte) ([]byte, bool) {
	value, found := s.peek(key)
	if s.onRead != nil {
		s.onRead(key, found)
	}
	return value, found
}

func (s *Snapshot) peek(key []byte) ([]byte, bool) {
	share := s.shared != nil && logged(key) // few rows, asked for by every transaction
	if share {
		if c, ok := s.shared.Load(string(key)); ok {
			return c.(cached).value, c.(cached).found
		}
	} else {
		if c := s.ahead.find(slots.Hash(key), key); c != nil {
			return c.value, c.found
		}
		if c, ok := s.cache[string(key)]; ok {
			return c.value, c.found
		}
		if c, ok := s.known[string(key)]; ok {
			return c.value, c.found
		}
	}
	value, found, err := s.view.Get(key)
	if err != nil {
		panic(x.Fault{Err: err})
	}
	switch {
	case share:
		s.shared.store(string(key), cached{value, found})
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
		s.shared.store(decoded+string(key), row)
	}
}

// Iterate implements x.Reader.
func (s *Snapshot) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	if s.onRead != nil {
		s.onRead(prefix, false)
		given := fn
		fn = func(key, value []byte) bool {
			s.onRead(key, true)
			return given(key, value)
		}
	}
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
