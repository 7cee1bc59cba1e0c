package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// pathOf gives paths of which many share a part.
func pathOf(n int) tree.Hash {
	p := tree.Hash(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n))))
	if n%3 != 0 {
		p[0], p[1] = 0x12, byte(n%5)
	}
	return p
}

func rowsOf(o *overlay) map[string]string {
	m := map[string]string{}
	o.each(func(c change) {
		if !c.deleted {
			m[string(c.key)] = string(c.value)
		}
	})
	return m
}

// TestPackIsItsSet: whatever came and went, the root is that of the members from nothing but the definition, and the rows are those of who writes
// the set at once.
func TestPackIsItsSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SampledFrom(pb.PackSets[:]).Draw(t, "set")
		o, model := newOverlay(empty{}), map[int]bool{}
		for range rapid.IntRange(1, 8).Draw(t, "blocks") {
			var changes []packChange
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 60), 0, 40, rapid.ID[int]).Draw(t, "changes") {
				changes = append(changes, packChange{pathOf(n), !model[n]})
				if model[n] = !model[n]; !model[n] {
					delete(model, n)
				}
			}
			if got, want := changePack(o, set, changes), PackRoot(o, set); len(changes) > 0 && got != want {
				t.Fatalf("root %x is given, %x stands", got, want)
			}
		}
		var leaves []tree.Leaf
		var at []packChange
		for _, n := range slices.Sorted(maps.Keys(model)) {
			leaves = append(leaves, tree.Leaf{Path: pathOf(n), ValueHash: tree.ValueHash([]byte("xinlian/pack/" + set.Word() + "/v1"))})
			at = append(at, packChange{pathOf(n), true})
		}
		if got, want := PackRoot(o, set), tree.RootOfLeaves(leaves); got != want {
			t.Fatalf("root %x, want %x", got, want)
		}
		once := newOverlay(empty{})
		changePack(once, set, at)
		if !maps.Equal(rowsOf(o), rowsOf(once)) {
			t.Fatal("the rows show what came and went")
		}
		var members []byte
		for _, c := range at {
			members = append(members, c.path[:]...)
		}
		if !bytes.Equal(PackMembers(o, set), members) {
			t.Fatal("the members that are read are not those that were written")
		}
	})
}

// TestCheckPacks: fsck finds every row of the packs that is gone, changed or made up. The state has no standings.
func TestCheckPacks(t *testing.T) {
	t.Parallel()
	if err := checkPacks(newOverlay(empty{})); err != nil {
		t.Fatal(err)
	}
	o := newOverlay(empty{})
	changePack(o, pb.PACK_SERIOUS, []packChange{{pathOf(1), true}})
	for key := range rowsOf(o) {
		one := newOverlay(empty{})
		one.Set([]byte(key), []byte(rowsOf(o)[key]))
		if err := checkPacks(one); err == nil {
			t.Errorf("row %x, made up, is not found", key)
		}
	}
}

// TestPackRefusesNonsense: who is in cannot enter, who is not cannot leave. Rows that say so are damaged.
func TestPackRefusesNonsense(t *testing.T) {
	t.Parallel()
	o := newOverlay(empty{})
	changePack(o, pb.PACK_SERIOUS, []packChange{{pathOf(1), true}})
	for name, c := range map[string]packChange{"enters twice": {pathOf(1), true}, "leaves and was not in": {pathOf(2), false}} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(faultOf(p).Error(), "does not follow from the standings") {
					t.Errorf("%s: %v", name, p)
				}
			}()
			changePack(o, pb.PACK_SERIOUS, []packChange{c})
		}()
	}
}
