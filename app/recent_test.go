package app

import (
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"
)

// TestRecent: what a block has executed is never ruled out before it expires, nor anything that expires with what stood when the process began; and
// nearly everything else is.
func TestRecent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := recent{before: rapid.Int64Range(8, 14).Draw(t, "before")}
		type tx struct {
			id      [32]byte
			expires int64
		}
		executed := map[tx]bool{}
		now := int64(600)
		pick := func() tx {
			n := byte(rapid.IntRange(0, 20).Draw(t, "tx"))
			return tx{sha256.Sum256([]byte{n}), now + rapid.Int64Range(0, 300).Draw(t, "ahead")}
		}
		for range rapid.IntRange(1, 30).Draw(t, "blocks") {
			var ids [][32]byte
			var expires []int64
			for range rapid.IntRange(0, 5).Draw(t, "size") {
				p := pick()
				executed[p] = true
				ids, expires = append(ids, p.id), append(expires, p.expires)
			}
			ids, expires = append(ids, [32]byte{}), append(expires, 0) // did not pass the gate
			c.add(ids, expires, now)
			for p := range executed {
				if p.expires >= now && c.rulesOut(p.id, p.expires) {
					t.Fatalf("%v was executed, and is ruled out at %d", p, now)
				}
			}
			p := pick()
			if p.expires/60 < c.before && c.rulesOut(p.id, p.expires) {
				t.Fatalf("%v may have been executed before this process began", p)
			}
			p.id = sha256.Sum256([]byte("in no block"))
			if p.expires/60 >= c.before && !c.rulesOut(p.id, p.expires) {
				t.Fatalf("%v is in no block, and is not ruled out", p)
			}
			if n := len(c.minutes); n > 7 {
				t.Fatalf("%d minutes are kept", n)
			}
			now += rapid.Int64Range(0, 90).Draw(t, "later")
		}
	})
	if (*recent)(nil).rulesOut([32]byte{}, 1) {
		t.Error("no memory rules something out")
	}
}
