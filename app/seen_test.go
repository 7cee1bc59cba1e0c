package app

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// looks notes from which bucket of the seen-set on somebody looks.
type looks struct {
	*overlay
	from []byte
}

func (l *looks) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	if bytes.Equal(prefix, buckets.Key()) {
		l.from = bytes.Clone(start)
	}
	l.overlay.Iterate(prefix, start, fn)
}

// TestDropSeen runs blocks at rising times, between which the process may start again: seen are the transactions whose minute has not passed, and a block
// looks past no bucket that passed before the block before.
func TestDropSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &looks{overlay: newOverlay(empty{})}
		expires := map[[32]byte]int64{}
		now, before := int64(1_800_000_000), int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "blocks") {
			now += rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 200), rapid.Int64Range(0, 9000)).Draw(t, "seconds")
			dropSeen(s, before, now)
			if want := minute(before); !bytes.Equal(s.from[1:], want) {
				t.Fatalf("after a block at %d it looks from %x on, not from %x", before, s.from[1:], want)
			}
			seenNow := seenBuckets{}
			for range rapid.IntRange(0, 3).Draw(t, "transactions") {
				id, at := [32]byte{}, now+rapid.Int64Range(0, 3600).Draw(t, "expires in")
				binary.BigEndian.PutUint64(id[:], uint64(len(expires)))
				seenNow.mark(s, id, at)
				expires[id] = at
			}
			seenNow.put(s)
			for id, at := range expires {
				if want := at/60*60+59 >= now; seen(s, id, at) != want {
					t.Fatalf("at %d, what expires at %d is seen: %v", now, at, !want)
				}
			}
			if err := checkSeen(s); err != nil {
				t.Fatal(err)
			}
			if before = now; rapid.IntRange(0, 4).Draw(t, "starts again") == 0 {
				before = 0
			}
		}
	})
}
