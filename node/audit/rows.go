package audit

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/btree"

	"github.com/xinlian-ledger/xinlian/app/slots"
	"github.com/xinlian-ledger/xinlian/x"
)

// rows is the state of a replay: the newest value of every row, nothing older, nothing that outlives the process. It serves an auditor who
// executes many blocks as fast as he can and asks for one height only, at the end.
//
//   - Rows are written one after the other into pieces of memory, table by table, and never change; a new version of a row is written
//     anew. Beyond a bound the oldest pieces go to a temporary file that has no name.
//   - A table costs what the rules ask of it. One that nobody reads (entries of files, leaves of the log, outcomes) is its pieces and
//     nothing else. The first Get gives it an index by key: 12 to 24 bytes a row. The first Iterate gives it groups: rows
//     that begin with the same nineteen bytes, a table and a subject, hang together; and the first Iterate over less than a group puts the groups in order.
//   - Nothing in an index is a pointer, so the collector has nothing to look through.
//
// Apply is called by one goroutine while nobody reads. Between its calls many may read: an index that is missing is then made by one of them
// while the others wait.
type rows struct {
	tables [256]*rowTable

	held, bound int64    // bytes in pieces in memory; more than bound are spilled
	full        []*piece // in memory and written full, oldest first
	dir         string   // for the temporary file; empty: the system's
	file        *os.File // nil until something is spilled
	end         int64    // of the file
}

// piece is a run of rows: key length + 1 (uvarint; 0 never), value length + 1 (uvarint; 0: the row is deleted), key, value.
type piece struct {
	data []byte // nil: spilled
	at   int64  // in the file
	size int
}

const (
	pieceMin = 1 << 16
	pieceMax = 1 << pieceBits // a row that is longer has a piece of its own
	// A place is the number of a piece of the table and where in it a row begins.
	pieceBits = 22

	groupBytes = 19 // a table's prefix and a subject's code
	noRow      = 1<<32 - 1
)

// rowTable is the rows of one table.
type rowTable struct {
	rows   *rows
	pieces []*piece
	wrote  int // versions of rows

	mu      sync.Mutex  // taken to make what is missing
	indexed atomic.Bool // slots, places and live are in use
	grouped atomic.Bool // groups and next are in use
	ordered atomic.Bool // order is in use

	slots  slots.Table // key → id
	places []uint64    // by id; 0 stands for none, so places are counted from 1
	free   []uint32    // ids that may be used again
	live   int

	groupSlots slots.Table // name → number of the group
	groups     []group
	freeGroups []uint32
	next       []uint32 // by id: the next of its group, or noRow
	order      *btree.BTreeG[numbered]
}

// group is the rows whose keys begin with the same bytes, or are these.
type group struct {
	name       name
	first      uint32 // id, or noRow
	live, dead uint32 // rows that hang together; dead ones are passed over
	least      uint32 // id of the first one by key, or noRow where it is not known; atomic, as readers find it out
}

// name of a group: the first bytes of its keys.
type name struct {
	b   [groupBytes]byte
	len uint8
}

func nameOf(key []byte) (n name) {
	n.len = uint8(copy(n.b[:], key))
	return n
}

func (n *name) bytes() []byte { return n.b[:n.len] }

// numbered is a group in the order of names.
type numbered struct {
	name name
	n    uint32
}

func newRows(dir string, bound int64) *rows {
	return &rows{dir: dir, bound: bound}
}

// Close gives up the temporary file.
func (r *rows) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Apply implements app.Rows.
func (r *rows) Apply(key, value []byte, deleted bool) {
	t := r.tables[key[0]]
	if t == nil {
		t = &rowTable{rows: r}
		r.tables[key[0]] = t
	}
	switch {
	case !t.indexed.Load():
		t.write(key, value, deleted)
	case deleted:
		t.delete(key)
	default:
		t.set(key, t.write(key, value, false))
	}
}

// write puts a version of a row behind the others.
func (t *rowTable) write(key, value []byte, deleted bool) (place uint64) {
	n := len(key) + len(value) + 2*binary.MaxVarintLen32
	var p *piece
	if len(t.pieces) > 0 {
		p = t.pieces[len(t.pieces)-1]
	}
	if p == nil || p.data == nil || cap(p.data)-len(p.data) < n {
		if p != nil && p.data != nil {
			t.rows.full = append(t.rows.full, p)
		}
		size := pieceMin
		if p != nil {
			size = min(2*p.size, pieceMax)
		}
		p = &piece{size: max(size, n)}
		p.data = make([]byte, 0, p.size)
		t.pieces = append(t.pieces, p)
		t.rows.hold(int64(p.size))
	}
	t.wrote++
	place = uint64(len(t.pieces)-1)<<pieceBits | uint64(len(p.data))
	p.data = binary.AppendUvarint(p.data, uint64(len(key))+1)
	if deleted {
		p.data = append(append(p.data, 0), key...)
		return place
	}
	p.data = binary.AppendUvarint(p.data, uint64(len(value))+1)
	p.data = append(append(p.data, key...), value...)
	return place
}

// hold counts memory, and spills the oldest pieces where there is too much of it.
func (r *rows) hold(more int64) {
	r.held += more
	for r.held > r.bound && len(r.full) > 0 {
		p := r.full[0]
		r.full = r.full[1:]
		if r.file == nil {
			f, err := os.CreateTemp(r.dir, "xinlian-audit-*")
			if err == nil {
				err = os.Remove(f.Name()) // it goes away with the process
			}
			if err != nil {
				x.Faultf("a file for the state of the replay: %w; TMPDIR names a folder with room", err)
			}
			r.file = f
		}
		if _, err := r.file.WriteAt(p.data, r.end); err != nil {
			x.Faultf("write the state of the replay: %w; TMPDIR names a folder with room", err)
		}
		p.at, r.end = r.end, r.end+int64(len(p.data))
		r.held -= int64(p.size)
		p.size, p.data = len(p.data), nil
	}
}

// readAhead is how much of a spilled row is read at a time: most are shorter.
const readAhead = 1 << 10

// at reads the row at a place.
func (t *rowTable) at(place uint64) (key, value []byte, deleted bool) {
	p, from := t.pieces[place>>pieceBits], int(place&(pieceMax-1))
	if p.data != nil {
		key, value, deleted, _ = decodeRow(p.data[from:])
		return key, value, deleted
	}
	for n := min(readAhead, p.size-from); ; n = min(64*n, p.size-from) {
		buf := make([]byte, n)
		if _, err := t.rows.file.ReadAt(buf, p.at+int64(from)); err != nil && err != io.EOF {
			x.Faultf("read the state of the replay: %w", err)
		}
		if key, value, deleted, size := decodeRow(buf); size > 0 {
			return key, value, deleted
		}
		if n == p.size-from {
			x.Faultf("the file of the replay's state has changed")
		}
	}
}

// decodeRow reads a row; size 0 says that it goes on beyond the bytes.
func decodeRow(b []byte) (key, value []byte, deleted bool, size int) {
	k, n := binary.Uvarint(b)
	v, m := binary.Uvarint(b[max(n, 0):])
	if n <= 0 || m <= 0 {
		return nil, nil, false, 0
	}
	deleted = v == 0
	keyLen, valueLen := int(k)-1, max(int(v)-1, 0)
	size = n + m + keyLen + valueLen
	if size > len(b) {
		return nil, nil, false, 0
	}
	key = b[n+m : n+m+keyLen : n+m+keyLen]
	return key, b[n+m+keyLen : size : size], deleted, size
}

func (t *rowTable) keyOf(id uint32) []byte {
	key, _, _ := t.at(t.places[id] - 1)
	return key
}

func (t *rowTable) find(key []byte) (id uint32, ok bool) {
	return t.slots.Find(slots.Hash(key), func(id uint32) bool { return bytes.Equal(t.keyOf(id), key) })
}

// set makes a place the newest version of a row.
func (t *rowTable) set(key []byte, place uint64) {
	if id, ok := t.find(key); ok {
		t.places[id] = place + 1
		return
	}
	id := uint32(len(t.places))
	if n := len(t.free); n > 0 {
		id, t.free = t.free[n-1], t.free[:n-1]
	} else {
		t.places = append(t.places, 0)
		if t.grouped.Load() {
			t.next = append(t.next, noRow)
		}
	}
	t.places[id] = place + 1
	t.slots.Add(slots.Hash(key), id)
	t.live++
	if t.grouped.Load() {
		t.join(key, id)
	}
}

func (t *rowTable) delete(key []byte) {
	id, ok := t.find(key)
	if !ok {
		return
	}
	t.slots.Remove(slots.Hash(key), id)
	t.places[id] = 0
	t.live--
	if t.grouped.Load() {
		t.leave(key, id)
	} else {
		t.free = append(t.free, id)
	}
}

func (t *rowTable) findGroup(g name) (n uint32, ok bool) {
	return t.groupSlots.Find(slots.Hash(g.bytes()), func(n uint32) bool { return t.groups[n].name == g })
}

// join hangs a row into its group.
func (t *rowTable) join(key []byte, id uint32) {
	of := nameOf(key)
	n, ok := t.findGroup(of)
	if !ok {
		if k := len(t.freeGroups); k > 0 {
			n, t.freeGroups = t.freeGroups[k-1], t.freeGroups[:k-1]
		} else {
			n = uint32(len(t.groups))
			t.groups = append(t.groups, group{})
		}
		t.groups[n] = group{name: of, first: noRow, least: id}
		t.groupSlots.Add(slots.Hash(of.bytes()), n)
		if t.ordered.Load() {
			t.order.ReplaceOrInsert(numbered{of, n})
		}
	}
	g := &t.groups[n]
	t.next[id], g.first = g.first, id
	g.live++
	if least := g.least; least != noRow && least != id && bytes.Compare(key, t.keyOf(least)) < 0 {
		g.least = id
	}
}

// leave counts a row of a group as gone. It hangs there until the group is tidied.
func (t *rowTable) leave(key []byte, id uint32) {
	of := nameOf(key)
	n, _ := t.findGroup(of)
	g := &t.groups[n]
	g.live--
	g.dead++
	if g.least == id {
		g.least = noRow
	}
	if g.dead > g.live {
		t.tidy(g)
	}
	if g.live == 0 {
		t.groupSlots.Remove(slots.Hash(of.bytes()), n)
		t.freeGroups = append(t.freeGroups, n)
		if t.ordered.Load() {
			t.order.Delete(numbered{of, n})
		}
	}
}

// tidy takes dead rows out of a group, whose ids can then be used again.
func (t *rowTable) tidy(g *group) {
	link := &g.first
	for *link != noRow {
		id := *link
		if t.places[id] != 0 {
			link = &t.next[id]
			continue
		}
		*link = t.next[id]
		t.free = append(t.free, id)
	}
	g.dead = 0
}

// need makes what a reader of the table asks for and is not there.
func (t *rowTable) need(have *atomic.Bool, build func()) {
	if have.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !have.Load() {
		build()
		have.Store(true)
	}
}

// index goes through everything that was written.
func (t *rowTable) index() {
	t.slots.Grow(t.wrote)
	t.places = make([]uint64, 0, t.wrote)
	t.versions(func(key, _ []byte, deleted bool, place uint64) {
		if deleted {
			t.delete(key)
		} else {
			t.set(key, place)
		}
	})
}

// versions visits all that was written, in that order.
func (t *rowTable) versions(fn func(key, value []byte, deleted bool, place uint64)) {
	for n, p := range t.pieces {
		data := p.data
		if data == nil {
			data = make([]byte, p.size)
			if _, err := t.rows.file.ReadAt(data, p.at); err != nil {
				x.Faultf("read the state of the replay: %w", err)
			}
		}
		for at := 0; at < len(data); {
			key, value, deleted, size := decodeRow(data[at:])
			fn(key, value, deleted, uint64(n)<<pieceBits|uint64(at))
			at += size
		}
	}
}

func (t *rowTable) group() {
	t.next = make([]uint32, len(t.places), max(len(t.places), 64))
	t.free = nil // ids of rows that are gone stay unused: they hang nowhere
	for id, place := range t.places {
		if place != 0 {
			t.join(t.keyOf(uint32(id)), uint32(id))
		}
	}
}

func (t *rowTable) arrange() {
	t.order = btree.NewG(32, func(a, b numbered) bool { return bytes.Compare(a.name.bytes(), b.name.bytes()) < 0 })
	for n := range t.groups {
		if t.groups[n].live > 0 {
			t.order.ReplaceOrInsert(numbered{t.groups[n].name, uint32(n)})
		}
	}
}

// Peek implements x.Peeker.
func (r *rows) Peek(key []byte) ([]byte, bool) {
	t := r.tables[key[0]]
	if t == nil {
		return nil, false
	}
	t.need(&t.indexed, t.index)
	id, ok := t.find(key)
	if !ok {
		return nil, false
	}
	_, value, _ := t.at(t.places[id] - 1)
	return value, true
}

// warm brings what Peek will look at for some rows of a table near to the processor; of is about what stands there, or nothing. Rows lie all over the
// memory. Who peeks at one after the other waits three times for each; here the processor waits for many at a time.
//
//go:noinline // what it gives says nothing: the compiler must not find that out and leave the work undone
func (r *rows) warm(prefix byte, of []found) (nothing byte) {
	t := r.tables[prefix]
	if t == nil {
		return 0
	}
	t.need(&t.indexed, t.index)
	places := make([]uint64, len(of)) // ids at first
	for i := range of {
		if id, ok := t.slots.Find(slots.Hash(of[i].key), func(uint32) bool { return true }); ok {
			places[i] = uint64(id) + 1
		}
	}
	for i, id := range places {
		if id != 0 {
			places[i] = t.places[id-1]
		}
	}
	for i, place := range places {
		if place == 0 {
			continue
		}
		p, from := t.pieces[(place-1)>>pieceBits], int((place-1)&(pieceMax-1))
		for at := from; at < min(from+len(of[i].key)+len(of[i].value), len(p.data)); at += 64 { // a line of memory
			nothing += p.data[at]
		}
	}
	return nothing
}

// Get implements x.Reader.
func (r *rows) Get(key []byte) ([]byte, bool) {
	value, ok := r.Peek(key)
	return bytes.Clone(value), ok
}

// Iterate implements x.Reader.
func (r *rows) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	if len(prefix) == 0 {
		for i := range r.tables {
			more := true
			r.Iterate([]byte{byte(i)}, start, func(key, value []byte) bool {
				more = fn(key, value)
				return more
			})
			if !more {
				return
			}
		}
		return
	}
	t := r.tables[prefix[0]]
	if t == nil {
		return
	}
	t.need(&t.indexed, t.index)
	t.need(&t.grouped, t.group)
	from := prefix
	if bytes.Compare(start, prefix) > 0 {
		from = start
	}
	if len(prefix) >= groupBytes {
		if n, ok := t.findGroup(nameOf(prefix)); ok {
			t.eachOf(n, prefix, from, fn)
		}
		return
	}
	t.need(&t.ordered, t.arrange)
	t.order.AscendGreaterOrEqual(numbered{name: nameOf(from)}, func(g numbered) bool {
		return bytes.HasPrefix(g.name.bytes(), prefix) && t.eachOf(g.n, prefix, from, fn)
	})
}

type found struct{ key, value []byte }

// few is how many rows of a group are put in order without a thought.
const few = 16

// eachOf visits the rows of a group by key, and says whether to go on. Who looks at the first row alone, as for the next timer that is due, does
// not pay for the others.
func (t *rowTable) eachOf(n uint32, prefix, from []byte, fn func(key, value []byte) bool) bool {
	g := &t.groups[n]
	if g.live > few {
		key, value, _ := t.at(t.places[t.least(g)] - 1)
		if bytes.Compare(key, from) >= 0 {
			if bytes.HasPrefix(key, prefix) && !fn(key, value) {
				return false
			}
			from = append(bytes.Clone(key), 0)
		}
	}
	var room [few]found
	list := room[:0]
	for id := g.first; id != noRow; id = t.next[id] {
		place := t.places[id]
		if place == 0 {
			continue
		}
		key, value, _ := t.at(place - 1)
		if bytes.HasPrefix(key, prefix) && bytes.Compare(key, from) >= 0 {
			list = append(list, found{key, value})
		}
	}
	slices.SortFunc(list, func(a, b found) int { return bytes.Compare(a.key, b.key) })
	for _, f := range list {
		if !fn(f.key, f.value) {
			return false
		}
	}
	return true
}

// least finds the first row of a group that has one.
func (t *rowTable) least(g *group) uint32 {
	if id := atomic.LoadUint32(&g.least); id != noRow {
		return id
	}
	best := uint32(noRow)
	var least []byte
	for id := g.first; id != noRow; id = t.next[id] {
		if t.places[id] == 0 {
			continue
		}
		if key := t.keyOf(id); best == noRow || bytes.Compare(key, least) < 0 {
			best, least = id, key
		}
	}
	atomic.StoreUint32(&g.least, best)
	return best
}

// len is how many rows a table holds.
func (r *rows) len(prefix byte) int {
	t := r.tables[prefix]
	if t == nil {
		return 0
	}
	t.need(&t.indexed, t.index)
	return t.live
}

// each visits the rows of a table in no particular order.
func (r *rows) each(prefix byte, fn func(key []byte) bool) {
	t := r.tables[prefix]
	if t == nil {
		return
	}
	t.need(&t.indexed, t.index)
	for id := range t.places {
		if t.places[id] != 0 && !fn(t.keyOf(uint32(id))) {
			return
		}
	}
}

// written visits what was written to a table: the rows that stand and, where nobody has asked the table for a row yet, what they were before, too; one that was
// deleted has no value then. It goes through the memory as it lies, or nearly so.
func (r *rows) written(prefix byte, fn func(key, value []byte)) {
	t := r.tables[prefix]
	switch {
	case t == nil:
	case t.indexed.Load():
		for _, place := range t.places {
			if place != 0 {
				key, value, _ := t.at(place - 1)
				fn(key, value)
			}
		}
	default:
		t.versions(func(key, value []byte, _ bool, _ uint64) { fn(key, value) })
	}
}

// drop forgets a table. Nothing is applied any more.
func (r *rows) drop(prefix byte) {
	if t := r.tables[prefix]; t != nil {
		for _, p := range t.pieces {
			p.data = nil
		}
		r.tables[prefix] = nil
	}
}
