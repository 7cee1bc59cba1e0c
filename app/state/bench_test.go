package state

import (
	"encoding/binary"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

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

// BenchmarkStage is the tree's part of a block: 5,000 leaves changed in a tree that has grown block by block, so that its nodes lie anywhere.
// XINLIAN_LEAVES is the number of leaves.
func BenchmarkStage(b *testing.B) {
	leaves := 1_000_000
	if s := os.Getenv("XINLIAN_LEAVES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		leaves = n
	}
	f := newForest()
	f.keep(16, math.MaxInt64)
	height := uint64(0)
	batch := func(from, n int, round uint64) []Change {
		out := make([]Change, n)
		for i := range out {
			id := binary.BigEndian.AppendUint64(nil, uint64((from+i*7919)%leaves))
			out[i] = Change{Path: tree.PathOf(id), ValueHash: tree.ValueHash(binary.BigEndian.AppendUint64(id, round))}
		}
		slices.SortFunc(out, func(a, b Change) int { return comparePaths(&a.Path, &b.Path) })
		return slices.CompactFunc(out, func(a, b Change) bool { return a.Path == b.Path })
	}
	apply := func(changes []Change) {
		if _, err := f.stage(changes); err != nil {
			b.Fatal(err)
		}
		height++
		f.publish(height)
	}
	for n := range (leaves + 99_999) / 100_000 {
		apply(batch(n*100_000*7919%leaves, min(100_000, leaves), 0))
	}
	for round := range uint64(20) {
		apply(batch(int(round)*104729*31, 5000, 1+round))
	}
	var cpu time.Duration
	round := uint64(100)
	for b.Loop() {
		b.StopTimer()
		round++
		changes := batch(int(round)*104729*31, 5000, round)
		b.StartTimer()
		before := cpuTime()
		apply(changes)
		cpu += cpuTime() - before
	}
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(f.newest().len), "leaves")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
