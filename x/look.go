package x

// A Reader may offer more than it has to. What it offers only saves work: what is read and written is the same, and a Reader without it serves as well.

// Peeker shows a value without copying it. The value is the reader's: whoever looks at it keeps and changes nothing.
type Peeker interface {
	Peek(key []byte) (value []byte, found bool)
}

// Memo remembers rows in their decoded form, each for as long as its bytes are what the reader gives. A row that is not there is remembered
// as a nil pointer. The reader decides which keys it remembers at all.
type Memo interface {
	Remembered(key []byte) (row any, ok bool)
	Remember(key []byte, row any)
}

// Deriver remembers what follows from the rows of members and catalogue alone, for as long as none of these rows changes. It forgets when it likes.
type Deriver interface {
	Derived(of any) (value any, ok bool)
	Derive(of, value any)
}

// Roomy is a State that gives memory for a value and writes the value where it was made: a row is encoded once and copied no more.
type Roomy interface {
	// Room gives n bytes, whatever they hold.
	Room(n int) []byte
	// Place is Set for a value in such memory. Nobody changes it afterwards.
	Place(key, value []byte)
}

// Room gives n bytes in which a value is made that Place then writes.
func Room(s State, n int) []byte {
	if r, ok := bare(s).(Roomy); ok {
		return r.Room(n)
	}
	return make([]byte, n)
}

// Place writes a value that was made in memory of Room.
func Place(s State, key, value []byte) {
	if r, ok := bare(s).(Roomy); ok {
		r.Place(key, value)
		return
	}
	s.Set(key, value)
}

// bare takes a reader out of the context around it.
func bare(r Reader) Reader {
	if c, ok := r.(*Ctx); ok {
		return c.State
	}
	return r
}

// Peek reads a value for looking at alone: to decode or to compare it.
func Peek(r Reader, key []byte) (value []byte, found bool) {
	r = bare(r)
	if p, ok := r.(Peeker); ok {
		return p.Peek(key)
	}
	return r.Get(key)
}

// Look reads a row for looking at alone. Others may look at the same row: nobody changes it, nor anything that it points to.
func (t Table[T, P]) Look(r Reader, parts ...[]byte) (*T, bool) {
	key := t.KeyFor(r, parts...)
	r = bare(r)
	m, ok := r.(Memo)
	if !ok {
		return t.get(r, key)
	}
	if seen, ok := m.Remembered(key); ok {
		row := seen.(*T)
		return row, row != nil
	}
	row, found := t.get(r, key)
	m.Remember(key, row)
	return row, found
}

// FromTables gives what of stands for, a value of a type that its package keeps for this alone. make finds it out, from the rows of members and catalogue and
// from of, and from nothing else. Others may look at the same value: nobody changes it.
func FromTables[K comparable, V any](r Reader, of K, make func() V) V {
	m, ok := bare(r).(Deriver)
	if !ok {
		return make()
	}
	if v, ok := m.Derived(of); ok {
		return v.(V)
	}
	v := make()
	m.Derive(of, v)
	return v
}
