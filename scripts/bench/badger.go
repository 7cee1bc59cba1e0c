package main

import (
	"errors"

	idb "github.com/cosmos/iavl/db"
	"github.com/dgraph-io/badger/v4"
)

// peer is Badger as cosmos/iavl wants its database: what the product itself would need to stand on iavl.
type peer struct{ db *badger.DB }

func openPeer(dir string) (*peer, error) {
	db, err := badger.Open(peerOptions(dir))
	if err != nil {
		return nil, err
	}
	return &peer{db}, nil
}

func (p *peer) Get(key []byte) (value []byte, err error) {
	err = p.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err == nil {
			value, err = item.ValueCopy([]byte{})
		}
		return err
	})
	return value, err
}

func (p *peer) Has(key []byte) (bool, error) {
	v, err := p.Get(key)
	return v != nil, err
}

func (p *peer) Close() error                                     { return p.db.Close() }
func (p *peer) NewBatch() idb.Batch                              { return &batch{p: p, w: p.db.NewWriteBatch()} }
func (p *peer) NewBatchWithSize(int) idb.Batch                   { return p.NewBatch() }
func (p *peer) Iterator(start, end []byte) (idb.Iterator, error) { return p.iterate(start, end, false) }

func (p *peer) ReverseIterator(start, end []byte) (idb.Iterator, error) {
	return p.iterate(start, end, true)
}

func (p *peer) iterate(start, end []byte, reverse bool) (idb.Iterator, error) {
	txn := p.db.NewTransaction(false)
	it := &iterator{txn: txn, it: txn.NewIterator(badger.IteratorOptions{Reverse: reverse}), start: start, end: end, reverse: reverse}
	switch {
	case reverse && end != nil:
		it.it.Seek(end)
		if it.it.Valid() && string(it.it.Item().Key()) == string(end) { // the end does not count
			it.it.Next()
		}
	case reverse:
		it.it.Rewind()
	default:
		it.it.Seek(start)
	}
	return it, nil
}

type iterator struct {
	txn        *badger.Txn
	it         *badger.Iterator
	start, end []byte
	reverse    bool
	err        error
}

func (i *iterator) Domain() (start, end []byte) { return i.start, i.end }

func (i *iterator) Valid() bool {
	if i.err != nil || !i.it.Valid() {
		return false
	}
	k := i.it.Item().Key()
	if i.reverse {
		return i.start == nil || string(k) >= string(i.start)
	}
	return i.end == nil || string(k) < string(i.end)
}
func (i *iterator) Next()       { i.it.Next() }
func (i *iterator) Key() []byte { return i.it.Item().KeyCopy(nil) }
func (i *iterator) Value() []byte {
	v, err := i.it.Item().ValueCopy([]byte{})
	if err != nil {
		i.err = err
	}
	return v
}
func (i *iterator) Error() error { return i.err }
func (i *iterator) Close() error {
	i.it.Close()
	i.txn.Discard()
	return i.err
}

type batch struct {
	p    *peer
	w    *badger.WriteBatch
	size int
}

func (b *batch) Set(key, value []byte) error {
	b.size += len(key) + len(value)
	return b.w.Set(append([]byte(nil), key...), append([]byte{}, value...))
}

func (b *batch) Delete(key []byte) error {
	b.size += len(key)
	return b.w.Delete(append([]byte(nil), key...))
}
func (b *batch) Write() error              { return b.w.Flush() }
func (b *batch) WriteSync() error          { return b.w.Flush() } // writes are synced by an option of the database
func (b *batch) Close() error              { b.w.Cancel(); return nil }
func (b *batch) GetByteSize() (int, error) { return b.size, nil }
