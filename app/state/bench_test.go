package state

import (
	"encoding/binary"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

const benchKeys = 200_000

// benchSet changes the rows, each with a leaf, of n subjects, spread evenly.
func benchSet(n int, round uint64) *WriteSet {
	w := NewWriteSet()
	value := make([]byte, 300)
	for i := range n {
		var key [16]byte
		id := tree.ValueHash(binary.BigEndian.AppendUint64(nil, (uint64(i)*7919+round*104729)%benchKeys))
		copy(key[:], id[:])
		binary.BigEndian.PutUint64(value, round)
		w.Set(leafRow(string(key[:])), value)
	}
	return w
}

func benchStore(b *testing.B) (Options, *Store) {
	o := Options{Dir: tempDir(b), Bind: testBind}
	s := mustOpen(b, o)
	benchCommit(b, s, benchSet(benchKeys, 0))
	return o, s
}

func benchCommit(b *testing.B, s *Store, w *WriteSet) {
	h := s.Latest().Height + 1
	if _, err := s.Stage(h, w); err != nil {
		b.Fatal(err)
	}
	if err := s.Commit(h, tree.Hash{}, nil); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCommit5000 is a block of 5,000 updated rows of 300 bytes, each with a leaf.
func BenchmarkCommit5000(b *testing.B) {
	_, s := benchStore(b)
	defer s.Close()
	round := uint64(0)
	for b.Loop() {
		round++
		benchCommit(b, s, benchSet(5000, round))
	}
}

// BenchmarkOpen includes the tree of 200,000 leaves, from its own files and from the rows.
func BenchmarkOpen(b *testing.B) {
	o, s := benchStore(b)
	s.Close()
	b.Run("files", func(b *testing.B) {
		for b.Loop() {
			mustOpen(b, o).Close()
		}
	})
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			removeTreeFiles(b, o.Dir)
			b.StartTimer()
			mustOpen(b, o).Close()
		}
	})
}
