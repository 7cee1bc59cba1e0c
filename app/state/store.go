package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Options of Open. The zero value of every field but Dir is usable.
type Options struct {
	Dir      string
	InMemory bool // the same store without a folder, for tests and replays; gone at Close
	ReadOnly bool // opens a folder that was closed properly, repairs nothing, refuses Stage, Commit and Rollback
	// RowsOnly, with ReadOnly, makes no tree: nothing is proved, and that the rows are the marker's is for the caller to find out.
	RowsOnly bool

	// ChainID is the identity of the folder: written before block 1, compared at every open. Empty: not compared.
	ChainID string
	// Bind says how the tree follows from the rows. It is asked when the folder has rows: when it is opened, with the first block, after a
	// restore. Nil: no row has a leaf, in a folder without a tree.
	Bind func(get Getter) (Binding, error)
	// Window is how many heights, the newest included, can be proved from memory at most. 0: 1,024.
	Window int
	// WindowBytes bounds the memory of what only the older of these heights need; the newest two can be proved in any case. 0: 256 MB.
	WindowBytes int64
	// Retain is how many heights of history can be read at least, the newest included. 0: all of them.
	Retain uint64
	// Logger receives what Badger has to say. Nil: nothing.
	Logger *slog.Logger

	// Set by tests only; 0 or nil: as in limits.go.
	memTable             int64
	txnBytes, txnEntries int
	inOrder              int
	imageLeast           int64
	testingOnlyFail      func(step string) error
	testingOnlyWrote     func(ts uint64, entries []entry)
	testingOnlySaid      func(format string, args []any) // what Badger says of its work, which waits meanwhile

	emptyL0 bool // set by Compact: closing merges level 0 into the one below it
}

// Marker says which block the folder holds. It is written with the last rows of that block, after them.
type Marker struct {
	Height  uint64 // 0: nothing committed yet
	AppHash tree.Hash
	Root    tree.Hash // of the tree over all leaves after the block
	Meta    []byte    // opaque to the store
}

// ErrPruned: the height is below the floor of this node.
type ErrPruned struct{ Height, Floor uint64 }

func (e ErrPruned) Error() string {
	return fmt.Sprintf("height %d is pruned: this node keeps heights from %d on", e.Height, e.Floor)
}

// ErrRoot: the rows of a height make another tree than they must.
type ErrRoot struct {
	Height    uint64
	Got, Want tree.Hash
}

func (e ErrRoot) Error() string {
	return fmt.Sprintf("the leaves of height %d give root %x, the marker says %x", e.Height, e.Got, e.Want)
}

// ErrClosed answers every call after Close.
var ErrClosed = errors.New("state store is closed")

// Store is the state of one node. One goroutine calls Stage, Commit and Rollback; any number read, and any may close.
type Store struct {
	opts Options
	db   *badger.DB
	ops  sync.WaitGroup // work in progress; Close waits for it

	// Owned by the goroutine that stages and commits.
	staged *staged
	// Heights above the marker of which versions are there, and whether Badger has settled what stands there since nobody knows who wrote it; see undo.go.
	leftovers map[uint64]bool
	settled   bool
	// The timestamp of the floor; 0: it was never written.
	floorTs uint64
	// The note that a rollback is under way, as it is in a folder that was opened for reading alone, and its timestamp.
	back   uint64
	backTs uint64
	format []byte // the row, as it was when the folder was opened
	// Whether the format and chain id rows exist.
	initialised bool
	// Whether a restore is under way: blocks are refused.
	restoring bool
	// What another process has left of a restore, or this one of the one under way, and the timestamp of its newest mark.
	partial   *partial
	partialTs uint64

	files *treeFiles // owned by the goroutine that commits; nil in memory

	mu      sync.RWMutex // guards what follows
	forest  *forest
	binding *Binding
	latest  Marker
	floor   uint64
	views   map[uint64]int // open views by height: the discard timestamp stays at or below them
	broken  error          // the first failed write; the store refuses everything after it
	closed  bool
}

// staged is a block that was executed and not yet committed.
type staged struct {
	height  uint64
	root    tree.Hash
	entries []entry  // ascending by key
	changes []Change // ascending by path
}

// Open opens the folder, finds what a crash left above the marker, makes the tree and compares its root with the
// marker's. What it returns is exactly the state after the marker's block.
func Open(o Options) (_ *Store, err error) {
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	db, err := openBadger(o)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, db: db, views: make(map[uint64]int), binding: new(Binding)}
	if !o.InMemory {
		s.files = newTreeFiles(o)
	}
	defer func() {
		if err != nil {
			s.closeFiles()
			err = errors.Join(err, s.db.Close())
		}
	}()
	if err := s.loadIdentity(); err != nil {
		return nil, err
	}
	back, top := uint64(0), uint64(math.MaxUint64)
	if back, s.backTs, err = s.loadNumber(keyBack); err != nil {
		return nil, err
	}
	if back > 0 { // what stands above is on its way out
		top = back - 1
	}
	if s.latest, err = s.loadMarker(top); err != nil {
		return nil, err
	}
	if back > 0 && s.latest.Height != top {
		return nil, s.damaged(fmt.Errorf("a rollback to height %d was cut off, and its marker is missing", top))
	}
	if s.floor, s.floorTs, err = s.loadNumber(keyFloor); err != nil {
		return nil, err
	}
	if err := s.cutRestore(); err != nil {
		return nil, err
	}
	if s.floor > s.latest.Height {
		return nil, s.damaged(fmt.Errorf("the floor is %d, the last block %d", s.floor, s.latest.Height))
	}
	if s.initialised && !o.ReadOnly { // a folder that an older program began, or that a crash left before it was grown
		if err := s.grow(); err != nil {
			return nil, err
		}
	}
	// Badger forgets the discard timestamp at every close.
	s.db.SetDiscardTs(s.floor)
	if s.partial, err = s.loadPartial(); err != nil {
		return nil, err
	}
	if s.leftovers, err = s.findLeftovers(s.latest.Height); err != nil {
		return nil, err
	}
	if back > 0 && o.ReadOnly {
		s.back = back
	}
	if back > 0 && !o.ReadOnly {
		if err := s.endBack(s.latest.Height); err != nil {
			return nil, fmt.Errorf("end the rollback to height %d that was cut off: %w", s.latest.Height, err)
		}
	}
	if s.latest.Height > 0 {
		if err := s.bindAt(s.latest.Height); err != nil {
			return nil, err
		}
	}
	if o.RowsOnly {
		return s, nil
	}
	if s.forest, err = s.rebuild(s.latest); err != nil {
		return nil, err
	}
	return s, s.makeImage()
}

// bindAt asks for the binding, with the rows of a height.
func (s *Store) bindAt(height uint64) error {
	txn := s.db.NewTransactionAt(height, false)
	defer txn.Discard()
	return s.bind(func(key []byte) ([]byte, bool, error) { return get(txn, rowKey(key)) })
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.InMemory && (o.Dir != "" || o.ReadOnly):
		return o, errors.New("state in memory takes neither a folder nor read-only")
	case o.RowsOnly && !o.ReadOnly:
		return o, errors.New("state without a tree is for reading alone")
	case !o.InMemory && o.Dir == "":
		return o, errors.New("state needs a folder")
	case len(o.ChainID) > maxChainIDLen:
		return o, fmt.Errorf("chain id of %d bytes, limit is %d", len(o.ChainID), maxChainIDLen)
	case o.Window < 0 || o.Window > maxWindow || o.WindowBytes < 0:
		return o, fmt.Errorf("window of %d heights and %d bytes, limit is %d heights", o.Window, o.WindowBytes, maxWindow)
	}
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	if o.Window == 0 {
		o.Window = defaultWindow
	}
	def(&o.WindowBytes, defaultWindowBytes)
	def(&o.imageLeast, defaultImageLeast)
	if o.memTable == 0 {
		o.memTable = defaultMemTable
		if o.InMemory {
			o.memTable = defaultMemTableInRAM
		}
	}
	if o.txnBytes == 0 {
		o.txnBytes = defaultTxnBytes
		if o.InMemory {
			o.txnBytes = defaultTxnBytesInRAM
		}
	}
	if o.txnEntries == 0 {
		o.txnEntries = defaultTxnEntries
		if o.InMemory {
			o.txnEntries = defaultTxnEntriesInRAM
		}
	}
	if o.inOrder == 0 {
		o.inOrder = defaultInOrder
	}
	return o, nil
}

// loadIdentity checks that the folder is ours, in a format we know, and of our chain.
func (s *Store) loadIdentity() error {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	format, found, err := get(txn, []byte{keyFormat})
	if err != nil {
		return err
	}
	if !found {
		it := txn.NewIterator(badger.IteratorOptions{AllVersions: true})
		defer it.Close()
		if it.Rewind(); it.Valid() {
			return fmt.Errorf("folder %s is not a state folder: it has keys and no format row", s.opts.Dir)
		}
		return nil
	}
	if len(format) != 4 {
		return s.damaged(fmt.Errorf("format row has %d bytes", len(format)))
	}
	switch n := decodeUint32(format); {
	case n > formatVersion:
		return fmt.Errorf("state folder %s has format %d, this program knows %d: use a newer program", s.opts.Dir, n, formatVersion)
	case n == 2: // an older program would not find the floor that this one writes; there is no way back, and nobody was promised one
	case n == 1:
		return fmt.Errorf("state folder %s has format 1, this program writes %d: move it away, and the next start makes it anew from the blocks, or restore a snapshot", s.opts.Dir, formatVersion)
	case n != formatVersion:
		return s.damaged(fmt.Errorf("format row says %d", n))
	}
	chain, found, err := get(txn, []byte{keyChain})
	if err != nil {
		return err
	}
	if !found {
		return s.damaged(errors.New("chain id row is missing"))
	}
	if s.opts.ChainID != "" && s.opts.ChainID != string(chain) {
		return fmt.Errorf("state folder %s belongs to chain %q, not to %q: give the right folder or genesis file", s.opts.Dir, chain, s.opts.ChainID)
	}
	s.initialised, s.format = true, format
	return nil
}

// loadMarker finds the newest marker that a rollback has not deleted, up to a height.
func (s *Store) loadMarker(top uint64) (Marker, error) {
	txn := s.db.NewTransactionAt(top, false)
	defer txn.Discard()
	it := txn.NewKeyIterator([]byte{keyMarker}, badger.IteratorOptions{})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() { // newest first
		item := it.Item()
		if item.IsDeletedOrExpired() {
			continue
		}
		value, err := item.ValueCopy(nil)
		if err != nil {
			return Marker{}, fmt.Errorf("read the marker: %w", err)
		}
		m, err := decodeMarker(value)
		if err != nil {
			return Marker{}, s.damaged(err)
		}
		if m.Height != item.Version() {
			return Marker{}, s.damaged(fmt.Errorf("marker of height %d stands at %d", m.Height, item.Version()))
		}
		return m, nil
	}
	return Marker{}, nil
}

// loadNumber reads the newest of the numbers under a key, and its timestamp; absent is 0.
func (s *Store) loadNumber(key byte) (n, ts uint64, err error) {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	item, err := txn.Get([]byte{key})
	if errors.Is(err, badger.ErrKeyNotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read state: %w", err)
	}
	value, err := item.ValueCopy(nil)
	if err == nil {
		n, err = decodeUint64(value)
	}
	if err != nil {
		return 0, 0, s.damaged(fmt.Errorf("number row %q: %w", key, err))
	}
	return n, item.Version(), nil
}

func (s *Store) damaged(err error) error {
	return fmt.Errorf("state folder %s is damaged (%w): run fsck, or restore it from a backup or a snapshot", s.opts.Dir, err)
}

// Close waits for work in progress and closes the folder. Views still held answer
// ErrClosed from then on.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.ops.Wait()
	s.closeFiles()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the state folder: %w", err)
	}
	return nil
}

// Latest is the marker of the last committed block.
func (s *Store) Latest() Marker {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := s.latest
	m.Meta = append([]byte{}, m.Meta...)
	return m
}

// MarkerAt is the marker of the last block up to a height that the folder has one of; Height is 0 where it has none.
func (s *Store) MarkerAt(height uint64) (Marker, error) {
	if err := s.enter(); err != nil {
		return Marker{}, err
	}
	defer s.ops.Done()
	return s.loadMarker(height)
}

// Floor is the lowest height that View accepts, height 0 apart. 0: nothing was pruned.
func (s *Store) Floor() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.floor
}

// Unfinished says whether a crash has cut off a rollback, or the like before another block, and to which height it was. Only who opened the folder for reading alone
// finds one: any other open ends it.
func (s *Store) Unfinished() (to uint64, cutOff bool) { return s.back - min(s.back, 1), s.back > 0 }

// Version is the tree after the block of height, for proofs; false: outside the window. The caller releases it.
func (s *Store) Version(height uint64) (*Version, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.usable() != nil || s.opts.RowsOnly {
		return nil, false
	}
	return s.forest.acquire(height)
}

// usable says why the store refuses, or nil. The caller holds mu.
func (s *Store) usable() error {
	if s.closed {
		return ErrClosed
	}
	return s.broken
}

// enter begins a piece of work that Close waits for; ops.Done ends it.
func (s *Store) enter() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(); err != nil {
		return err
	}
	s.ops.Add(1)
	return nil
}

// enterWrite is enter for what changes the state.
func (s *Store) enterWrite() error {
	if s.opts.ReadOnly {
		return errors.New("state is open for reading only")
	}
	return s.enter()
}

// fail makes err the answer to everything: after a failed write nobody knows what the disk holds until it is opened again.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = fmt.Errorf("state store stopped after a failed write: %w", err)
	}
	return s.broken
}

// step runs one write step between two calls of the test hook: a failure before it did not persist, one after it did.
func (s *Store) step(name string, write func() error) error {
	if hook := s.opts.testingOnlyFail; hook != nil {
		if err := hook("before " + name); err != nil {
			return err
		}
		if err := write(); err != nil {
			return err
		}
		return hook("after " + name)
	}
	return write()
}

// rebuild makes the tree of the marker and compares roots: from the tree's own files or, where they do not give it, from the rows.
func (s *Store) rebuild(m Marker) (*forest, error) {
	if s.files != nil {
		before, err := s.loadMarker(max(m.Height, 1) - 1)
		if err != nil {
			before = Marker{} // what is wrong with an older marker fsck says
		}
		f, logs, end, err := s.files.load(m, before, s.opts.Window, s.opts.WindowBytes)
		switch {
		case err == nil && s.opts.ReadOnly:
			return f, nil
		case err == nil:
			return f, s.files.resume(logs, end)
		case m.Height > 0:
			s.files.log.Warn("the tree is computed from the rows, which takes longer than a start from its files", "height", m.Height, "why", err)
		}
	}
	f := newForest()
	f.keep(s.opts.Window, s.opts.WindowBytes)
	var failed error
	root, err := f.build(func(yield func(tree.Leaf) bool) { failed = s.leavesOf(context.Background(), m.Height, yield) })
	if err = errors.Join(failed, err); err != nil {
		return nil, s.damaged(err)
	}
	if root != m.Root {
		return nil, s.damaged(ErrRoot{m.Height, root, m.Root})
	}
	f.publishBuilt(m.Height)
	if s.files != nil && !s.opts.ReadOnly {
		return f, s.files.restart(m.Height)
	}
	return f, nil
}

// makeImage has the tree's files look whether an image is due.
func (s *Store) makeImage() error {
	if s.files == nil || s.opts.ReadOnly {
		return nil
	}
	return s.files.makeImage(s.forest)
}

func (s *Store) closeFiles() {
	if s.files != nil {
		s.files.close()
	}
}
