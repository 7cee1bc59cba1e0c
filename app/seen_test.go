package app

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// looks notes from which bucket of the seen-set on somebody looks, from which of its rows, and which of these go.
type looks struct {
	*overlay
	from, sweep []byte
	gone        [][]byte
}

func (l *looks) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	switch {
	case bytes.Equal(prefix, buckets.Key()):
		l.from = bytes.Clone(start)
	case bytes.Equal(prefix, []byte{seenTable.Prefix}):
		l.sweep = bytes.Clone(start)
	}
	l.overlay.Iterate(prefix, start, fn)
}

func (l *looks) Delete(key []byte) {
	if key[0] == seenTable.Prefix {
		l.gone = append(l.gone, bytes.Clone(key))
	}
	l.overlay.Delete(key)
}

// dropSeenAtOnce is what an older program does: the rows of a bucket go with it.
func dropSeenAtOnce(s x.State, blockTime int64) {
	var old [][]byte
	s.Iterate(buckets.Key(), nil, func(key, _ []byte) bool {
		if passed(key[1:], blockTime) {
			old = append(old, bytes.Clone(key[1:]))
		}
		return true
	})
	for _, m := range old {
		var rows [][]byte
		s.Iterate(x.Key(seenTable.Prefix, m), nil, func(key, _ []byte) bool {
			rows = append(rows, bytes.Clone(key))
			return true
		})
		for _, key := range rows {
			s.Delete(key)
		}
		buckets.Delete(s, m)
	}
}

func rowsIn(r x.Reader, prefix ...byte) (n int) {
	r.Iterate(prefix, nil, func(_, _ []byte) bool { n++; return true })
	return n
}

// rootOver is the root of the leaves that bind the seen-set: what the app hash has of it.
func rootOver(r x.Reader) tree.Hash {
	var leaves []tree.Leaf
	r.Iterate(nil, nil, func(key, value []byte) bool {
		if leaf, hash, ok := x.LeafOfRow(nil, key, value); ok {
			leaves = append(leaves, tree.Leaf{Path: tree.PathOf(leaf), ValueHash: hash})
		}
		return true
	})
	return tree.RootOfLeaves(leaves)
}

// asRestored is the seen-set as who begins with a snapshot has it: buckets and their rows.
func asRestored(r x.Reader) *overlay {
	to := newOverlay(empty{})
	put := func(key, value []byte) bool { to.Set(key, value); return true }
	r.Iterate(buckets.Key(), nil, func(key, value []byte) bool {
		r.Iterate(x.Key(seenTable.Prefix, key[1:]), nil, put)
		return put(key, value)
	})
	return to
}

// TestDropSeen runs blocks at rising times beside an older program that forgets a bucket at once. Between them the process may start again, begin with a
// snapshot, or be an older one for a block. The two have the same leaves; seen are the transactions whose minute has not passed; a block looks past no
// bucket that passed before the block before, and past no row that was deleted; it deletes no more rows than it may; there are never more rows without a
// bucket than stood in the seen-set at once, and blocks without transactions delete them all.
func TestDropSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, old := &looks{overlay: newOverlay(empty{})}, newOverlay(empty{})
		expires := map[[32]byte]int64{}
		now, before := int64(1_800_000_000), int64(0)
		least, stood := rapid.IntRange(1, 5).Draw(t, "least"), 0
		var swept []byte // the last row that was
		block := func(txs int, older bool) {
			rows := rowsIn(s, seenTable.Prefix)
			s.sweep, s.gone = nil, nil
			if older {
				dropSeenAtOnce(s, now)
				stood += txs // it sweeps nothing for these
			} else {
				most := least + txs
				dropSeen(s, before, now, most)
				if want := minute(before); !bytes.Equal(s.from[1:], want) {
					t.Fatalf("after a block at %d it looks from %x on, not from %x", before, s.from[1:], want)
				}
				if s.sweep != nil && bytes.Compare(s.sweep, swept) <= 0 {
					t.Fatalf("it looks for rows from %x on, and they are deleted up to %x", s.sweep, swept)
				}
				if len(s.gone) > most || rows-len(s.gone) != rowsIn(s, seenTable.Prefix) {
					t.Fatalf("a block that may delete %d of %d rows deletes %d and leaves %d", most, rows, len(s.gone), rowsIn(s, seenTable.Prefix))
				}
				if len(s.gone) > 0 {
					swept = s.gone[len(s.gone)-1]
				}
			}
			dropSeenAtOnce(old, now)
			left := rowsIn(s, seenTable.Prefix) - rowsIn(old, seenTable.Prefix)
			if left > stood {
				t.Fatalf("%d rows have no bucket, at most %d stood at once", left, stood)
			}
			a, b := seenBuckets{}, seenBuckets{}
			for range txs {
				id, at := [32]byte{}, now+rapid.OneOf(rapid.Int64Range(0, 3600), rapid.Just(600-now%60)).Draw(t, "expires in")
				binary.BigEndian.PutUint64(id[:], rapid.Uint64().Draw(t, "first bytes"))
				binary.BigEndian.PutUint64(id[8:], uint64(len(expires)))
				a.mark(s, id, at)
				b.mark(old, id, at)
				expires[id] = at
			}
			a.put(s)
			b.put(old)
			stood = max(stood, rowsIn(old, seenTable.Prefix))
			if rootOver(s) != rootOver(old) {
				t.Fatalf("at %d the leaves are others than those of a program that forgets at once", now)
			}
			for id, at := range expires {
				if open := at/60*60+59 >= now; seen(old, id, at) != open || open && !seen(s, id, at) {
					t.Fatalf("at %d, what expires at %d is seen: %v, by an older program: %v", now, at, seen(s, id, at), seen(old, id, at))
				}
			}
			if err := checkSeen(s, now); err != nil {
				t.Fatal(err)
			}
			before = now
		}
		for range rapid.IntRange(1, 30).Draw(t, "blocks") {
			now += rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 200), rapid.Int64Range(0, 9000)).Draw(t, "seconds")
			block(rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 20)).Draw(t, "transactions"), rapid.IntRange(0, 9).Draw(t, "older program") == 0)
			switch rapid.IntRange(0, 9).Draw(t, "then") {
			case 0:
				before = 0 // starts again
			case 1:
				before, s.overlay = 0, asRestored(s)
			}
		}
		for range (rowsIn(s, seenTable.Prefix) + least - 1) / least {
			now += 9000
			block(0, false)
		}
		if n := rowsIn(s, seenTable.Prefix) + rowsIn(s, unswept.Prefix) + rowsIn(s, buckets.Key()...); n != 0 {
			t.Fatalf("%d rows are left", n)
		}
	})
}

// TestCheckSeen: a seen-set that no program left is found out, and one that it left is not.
func TestCheckSeen(t *testing.T) {
	t.Parallel()
	const now = 6_000
	key := func(m uint64, id byte) []byte { return x.Key(seenTable.Prefix, be64(m), bytes.Repeat([]byte{id}, 32)) }
	for _, tc := range []struct {
		name string
		set  map[string][]byte // beside a transaction of minute 100
		want string
	}{
		{"nothing else", nil, ""},
		{"two of a minute that has passed", map[string][]byte{string(key(99, 1)): be64(4), string(key(99, 2)): be64(9), "\x0e": key(99, 1)}, ""},
		{"the second is named", map[string][]byte{string(key(99, 1)): be64(4), string(key(99, 2)): be64(9), "\x0e": key(99, 2)}, "the first row"},
		{"none is named", map[string][]byte{string(key(99, 1)): be64(4)}, "the first row"},
		{"one that is none is named", map[string][]byte{"\x0e": key(99, 1)}, "the first row"},
		{"one of this minute", map[string][]byte{string(key(100, 1)): be64(4), "\x0e": key(100, 1)}, "2 transactions are seen, the buckets count 1"},
		{"one of a minute to come", map[string][]byte{string(key(101, 1)): be64(0), "\x0e": key(101, 1)}, "2 transactions are seen, the buckets count 1"},
		{"a bucket of a minute that has passed", map[string][]byte{string(buckets.Key(be64(99))): {}}, "everything in it has expired"},
		{"a key that is cut", map[string][]byte{string(key(99, 1)[:5]): be64(0)}, "4 bytes instead of 8"},
	} {
		s, b := newOverlay(empty{}), seenBuckets{}
		b.mark(s, [32]byte{7}, 100*60+59)
		b.put(s)
		for k, v := range tc.set {
			s.Set([]byte(k), v)
		}
		err := func() (err error) {
			defer caught(&err)
			return checkSeen(s, now)
		}()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
