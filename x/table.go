package x

import (
	"crypto/sha256"
	"fmt"
)

// Binding says how the app hash binds the rows of a table. FinalizeBlock reads no row that is not bound, but to delete it.
type Binding uint8

const (
	// Leaf: each row is a leaf of the state tree.
	Leaf Binding = iota + 1
	// File: each version of a row is a leaf of its subject's file, and the file's root is a leaf of the state tree.
	File
	// Derived: the rows follow from bound tables and can be rebuilt from them.
	Derived
	// Bucket: the rows of a bucket are digested into a row that is a leaf.
	Bucket
	// Own: the package that declares the table gives the leaf of a row (standing, file heads).
	Own
	// Unbound: no rule reads it.
	Unbound
)

func (b Binding) String() string {
	return [...]string{"?", "leaf", "file", "derived", "bucket", "own", "unbound"}[b]
}

// LeafOf gives the leaf of a row whose binding is Own. Key is the key of the leaf, which follows from the key of the row alone; Value is the hash
// of its value.
type LeafOf struct {
	Key   func(secret, key []byte) []byte
	Value func(secret, key, row []byte) [32]byte
}

// TableInfo is what a table declares: one line of the state's dictionary.
type TableInfo struct {
	Prefix  byte
	Layout  string // name and key layout, for people
	Binding Binding
	LeafOf  LeafOf // Own only
}

var tables [256]*TableInfo

// Declare enters a table in the dictionary. A prefix that is taken is a bug.
func Declare(t TableInfo) *TableInfo {
	if t.Prefix == 0 {
		panic("a table needs a prefix")
	}
	if old := tables[t.Prefix]; old != nil {
		panic(fmt.Sprintf("tables %q and %q share prefix %#x", old.Layout, t.Layout, t.Prefix))
	}
	tables[t.Prefix] = &t
	return &t
}

// TableOf finds the table of a key.
func TableOf(key []byte) (*TableInfo, bool) {
	if len(key) == 0 || tables[key[0]] == nil {
		return nil, false
	}
	return tables[key[0]], true
}

// Tables is the whole dictionary, by prefix.
func Tables() []*TableInfo {
	var out []*TableInfo
	for _, t := range tables {
		if t != nil {
			out = append(out, t)
		}
	}
	return out
}

// LeafOfRow gives the leaf that binds a row, if the row's table is bound by leaves.
func LeafOfRow(secret, key, row []byte) (leafKey []byte, valueHash [32]byte, ok bool) {
	t, found := TableOf(key)
	if !found {
		panic(fmt.Sprintf("no table has prefix of key %x", key))
	}
	switch t.Binding {
	case Leaf:
		return LeafKey(secret, key), sha256.Sum256(row), true
	case Own:
		return LeafKey(secret, key), t.LeafOf.Value(secret, key, row), true
	}
	return nil, valueHash, false
}

// LeafKey gives the key of the leaf that binds a row; nil if its table is not bound by leaves.
func LeafKey(secret, key []byte) []byte {
	t, found := TableOf(key)
	if !found {
		panic(fmt.Sprintf("no table has prefix of key %x", key))
	}
	switch t.Binding {
	case Leaf:
		return append(append(make([]byte, 0, 1+len(key)), 'R'), key...)
	case Own:
		return t.LeafOf.Key(secret, key)
	}
	return nil
}

// Row is a generated message that a table can hold.
type Row[T any] interface {
	*T
	Marshal() ([]byte, error)
	MarshalToSizedBuffer([]byte) (int, error)
	Size() int
	Unmarshal([]byte) error
}

// Table is a typed table: prefix ‖ key → message.
type Table[T any, P Row[T]] struct{ info *TableInfo }

// NewTable declares a table. It is called at package initialisation alone.
func NewTable[T any, P Row[T]](prefix byte, layout string, binding Binding) Table[T, P] {
	return Table[T, P]{Declare(TableInfo{Prefix: prefix, Layout: layout, Binding: binding})}
}

// Key is the state key of a row.
func (t Table[T, P]) Key(parts ...[]byte) []byte { return Key(t.info.Prefix, parts...) }

// KeyFor is Key for one call of r, see KeyFor.
func (t Table[T, P]) KeyFor(r Reader, parts ...[]byte) []byte {
	return KeyFor(r, t.info.Prefix, parts...)
}

// Get reads a row.
func (t Table[T, P]) Get(r Reader, parts ...[]byte) (*T, bool) {
	return t.get(r, t.KeyFor(r, parts...))
}

func (t Table[T, P]) get(r Reader, key []byte) (*T, bool) {
	raw, ok := Peek(r, key) // decoding copies
	if !ok {
		return nil, false
	}
	return t.decode(raw), true
}

// Put writes a row.
func (t Table[T, P]) Put(s State, row *T, parts ...[]byte) {
	value := Room(s, P(row).Size())
	EncodeInto(value, P(row))
	Place(s, t.KeyFor(s, parts...), value)
}

// Delete removes a row.
func (t Table[T, P]) Delete(s State, parts ...[]byte) { s.Delete(t.KeyFor(s, parts...)) }

// Each visits the rows whose key begins with the parts, by key. The key given to fn is without the table's prefix.
func (t Table[T, P]) Each(r Reader, fn func(key []byte, row *T) (more bool), parts ...[]byte) {
	r.Iterate(t.Key(parts...), nil, func(key, raw []byte) bool { return fn(key[1:], t.decode(raw)) })
}

func (t Table[T, P]) decode(raw []byte) *T {
	row := new(T) // a fresh message: generated code merges into what it is given
	if err := P(row).Unmarshal(raw); err != nil {
		Faultf("a row of table %s does not decode: %w", t.info.Layout, err)
	}
	return row
}

// EncodeRow gives the bytes of a row.
func EncodeRow(row interface{ Marshal() ([]byte, error) }) []byte {
	raw, err := row.Marshal()
	if err != nil {
		panic(fmt.Sprintf("a row does not encode: %v", err))
	}
	if raw == nil {
		raw = []byte{}
	}
	return raw
}

// EncodeInto puts the bytes of a row into memory of its size.
func EncodeInto(b []byte, row interface{ MarshalToSizedBuffer([]byte) (int, error) }) {
	if n, err := row.MarshalToSizedBuffer(b); err != nil || n != len(b) {
		panic(fmt.Sprintf("a row does not encode: %d bytes of %d, %v", n, len(b), err))
	}
}

// Key joins a prefix and parts.
func Key(prefix byte, parts ...[]byte) []byte {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	return appendKey(make([]byte, 0, n), prefix, parts)
}

func appendKey(k []byte, prefix byte, parts [][]byte) []byte {
	k = append(k, prefix)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

// KeyFor is Key for one call of r: the next key that is made for r takes its place. A record looks for and writes a dozen rows, and a slice for each of their
// keys was one allocation in four.
func KeyFor(r Reader, prefix byte, parts ...[]byte) []byte {
	c, ok := r.(*Ctx)
	if !ok {
		return Key(prefix, parts...)
	}
	c.room = appendKey(c.room[:0], prefix, parts)
	return c.room
}

// RecordID derives the id of a record from who issued it, of which kind, under which number and against whom:
// SHA-256("xinlian/record/v1" ‖ 0 ‖ kind ‖ 0 ‖ issuer ‖ 0 ‖ source key ‖ 0 ‖ subject). One decision may punish several parties, so
// the subject is part of it; recording twice finds the same id.
func RecordID(kind, issuer, sourceKey, subject string) [32]byte {
	var room [256]byte // enough for nearly all: no allocation
	b := append(room[:0], "xinlian/record/v1"...)
	for _, part := range [...]string{kind, issuer, sourceKey, subject} {
		b = append(append(b, 0), part...)
	}
	return sha256.Sum256(b)
}
