package gateway

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"pgregory.net/rapid"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// TestDeltasOfADay: from every set of the last day, and from no older one, a delta leads to the newest, and is the bare difference of the two.
func TestDeltasOfADay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := packs{set: pb.PACK_SERIOUS}, time.Unix(1_800_000_000, 0)
		at, sets := map[attest.Hash]time.Time{}, map[attest.Hash][]byte{}
		files := map[attest.Hash]*pack{} // by name
		for range rapid.IntRange(1, 12).Draw(t, "packs") {
			now = now.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "hours")) * time.Hour)
			var members []byte
			for i := range 6 { // few: a set comes back
				if rapid.Bool().Draw(t, "in") {
					members = append(members, bytes.Repeat([]byte{byte(i)}, 32)...)
				}
			}
			root := attest.Hash(sha256.Sum256(members))
			name := attest.Hash(sha256.Sum256([]byte(now.String())))
			files[name] = &pack{time: now, name: name, root: root, members: members, file: &pb.Pack{Set: p.set}}
			p.follow(files[name])
			p.forget(now)
			for name, f := range files {
				if root, ok := p.rootOf(name); ok != (now.Sub(f.time) <= deltaAge) || ok && root != f.root {
					t.Fatalf("a pack of %s ago is known: %v, by the set %x", now.Sub(f.time), ok, root)
				}
			}
			at[root], sets[root] = now, members
			for old, when := range at {
				d, ok := p.cur.delta(old, p.steps)
				if want := now.Sub(when) <= deltaAge; ok != want {
					t.Fatalf("a delta from a set of %s ago: %v", now.Sub(when), ok)
				}
				if !ok {
					continue
				}
				added, removed := attest.DiffMembers(sets[old], members)
				if !bytes.Equal(d.Added, added) || !bytes.Equal(d.Removed, removed) {
					t.Fatalf("added %x removed %x, want %x %x", d.Added, d.Removed, added, removed)
				}
			}
		}
		p.forget(now.Add(deltaAge + 1))
		if p.cur != nil || p.steps != nil || p.made != nil {
			t.Fatal("a pack that nobody asks for stays for more than a day")
		}
	})
}
