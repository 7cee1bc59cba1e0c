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

	// ChainID is the identity of the folder: written before block 1, compared at every open. Empty: not compared.
	ChainID string
	// Window is how many heights, the newest included, can be proved from memory. 0: 8.
	Window int
	// Retain is how many heights of history can be read at least, the newest included. 0: all of them.
	Retain uint64
	// Logger receives what Badger has to say. Nil: nothing.
	Logger *slog.Logger

	// Set by tests only; 0 or nil: as in limits.go.
	memTable             int64
	txnBytes, txnEntries int
	testingOnlyFail      func(step string) error

	emptyL0 bool // set by Compact: closing merges level 0 into the one below it
}

// Marker says which block the folder holds. It is written in the same transaction as the last rows of that block.
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

// ErrClosed answers every call after Close.
var ErrClosed = errors.New("state store is closed")

// Store is the state of one node. One goroutine calls Stage, Commit and Rollback; any number read, and any may close.
type Store struct {
	opts Options
	db   *badger.DB
	ops  sync.WaitGroup // work in progress; Close waits for it

	// Owned by the goroutine that stages and commits.
	staged *staged
	// The highest height of which a rollback may have left versions behind; see undo.go.
	ceiling uint64
	// Whether the format and chain id rows exist.
	initialised bool
	// Whether a restore is under way: blocks are refused.
	restoring bool

	mu     sync.RWMutex // guards what follows
	forest *forest
	latest Marker
	floor  uint64
	views  map[uint64]int // open views by height: the discard timestamp stays at or below them
	broken error          // the first failed write; the store refuses everything after it
	closed bool
}

// staged is a block that was executed and not yet committed.
type staged struct {
	height  uint64
	root    tree.Hash
	entries []entry // ascending by key
}

// Open opens the folder, undoes what a crash left above the marker, rebuilds the tree and compares its root with the
// marker's. What it returns is exactly the state after the marker's block.
func Open(o Options) (_ *Store, err error) {
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	db, err := openBadger(o)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, db: db, views: make(map[uint64]int)}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := s.loadIdentity(); err != nil {
		return nil, err
	}
	if s.latest, err = s.loadMarker(); err != nil {
		return nil, err
	}
	if s.floor, err = s.loadFixed(keyFloor); err != nil {
		return nil, err
	}
	if s.ceiling, err = s.loadFixed(keyCeiling); err != nil {
		return nil, err
	}
	if err := s.cutRestore(); err != nil {
		return nil, err
	}
	if s.floor > s.latest.Height {
		return nil, s.damaged(fmt.Errorf("the floor is %d, the last block %d", s.floor, s.latest.Height))
	}
	// Badger forgets the discard timestamp at every close.
	s.db.SetDiscardTs(s.floor)
	if !o.ReadOnly {
		if err := s.undo(s.latest.Height, math.MaxUint64); err != nil {
			return nil, fmt.Errorf("undo what a crash left above height %d: %w", s.latest.Height, err)
		}
	}
	if s.forest, err = s.rebuild(s.latest); err != nil {
		return nil, err
	}
	return s, nil
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.InMemory && (o.Dir != "" || o.ReadOnly):
		return o, errors.New("state in memory takes neither a folder nor read-only")
	case !o.InMemory && o.Dir == "":
		return o, errors.New("state needs a folder")
	case len(o.ChainID) > maxChainIDLen:
		return o, fmt.Errorf("chain id of %d bytes, limit is %d", len(o.ChainID), maxChainIDLen)
	case o.Window < 0 || o.Window > maxWindow:
		return o, fmt.Errorf("window of %d heights, limit is %d", o.Window, maxWindow)
	}
	if o.Window == 0 {
		o.Window = defaultWindow
	}
	if o.memTable == 0 {
		o.memTable = defaultMemTable
		if o.InMemory {
			o.memTable = defaultMemTableInRAM
		}
	}
	if o.txnBytes == 0 {
		o.txnBytes = defaultTxnBytes
		if o.InMemory {
			o.txnBytes = defaultTxnBytes / 4
		}
	}
	if o.txnEntries == 0 {
		o.txnEntries = defaultTxnEntries
		if o.InMemory {
			o.txnEntries = defaultTxnEntries / 4
		}
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
	if n := decodeUint32(format); n != formatVersion {
		if n > formatVersion {
			return fmt.Errorf("state folder %s has format %d, this program knows %d: use a newer program", s.opts.Dir, n, formatVersion)
		}
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
	s.initialised = true
	return nil
}

// loadMarker finds the newest marker that a rollback has not deleted.
func (s *Store) loadMarker() (Marker, error) {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
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

// loadFixed reads one of the number rows at timestamp 1; absent is 0.
func (s *Store) loadFixed(key byte) (uint64, error) {
	txn := s.db.NewTransactionAt(fixedTs, false)
	defer txn.Discard()
	value, found, err := get(txn, []byte{key})
	if err != nil || !found {
		return 0, err
	}
	n, err := decodeUint64(value)
	if err != nil {
		return 0, s.damaged(fmt.Errorf("row %q: %w", key, err))
	}
	return n, nil
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

// Floor is the lowest height that View accepts, height 0 apart. 0: nothing was pruned.
func (s *Store) Floor() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.floor
}

// Version is the tree after the block of height, for proofs; false: outside the window. The caller releases it.
func (s *Store) Version(height uint64) (*Version, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.usable() != nil {
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

// rebuild makes the tree from the leaf rows of the marker's height and compares roots.
func (s *Store) rebuild(m Marker) (*forest, error) {
	f := newForest()
	f.keep(s.opts.Window)
	rows := s.leafRows(context.Background(), m.Height)
	defer rows.close()
	root, err := f.build(rows.next)
	if err == nil {
		err = rows.err
	}
	if err != nil {
		return nil, s.damaged(err)
	}
	if root != m.Root {
		return nil, s.damaged(fmt.Errorf("the leaves of height %d give root %x, the marker says %x", m.Height, root, m.Root))
	}
	f.publishBuilt(m.Height)
	return f, nil
}
