package app_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/app/apptest"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// TestPackEntry: what the app hash has of the packs is another value after each change of the state, whether it is of a set or not, so that a bundle does not even show
// when somebody came or left. As long as nothing changes it stands still, as an idle chain makes its blocks without a pause otherwise. Each set has a salt of its own. A node that
// starts again, or that began with a snapshot, has the same.
func TestPackEntry(t *testing.T) {
	t.Parallel()
	s := apptest.NewScript(t, apptest.Options{Apps: 1, Dirs: []string{t.TempDir()}})
	type entry struct {
		hash, appHash   []byte
		serious, others *app.PackProof // the packs
	}
	of := func(a *app.App) (e entry) {
		t.Helper()
		must(t, a.Settle())
		p, err := a.Prove(s.Height(), []string{apptest.USCC("91410100", "Y00999")})
		must(t, err)
		e.hash, e.appHash = p.Pack, bytes.Clone(s.AppHash)
		e.serious, err = a.ProvePack(s.Height(), pb.PACK_SERIOUS)
		must(t, err)
		e.others, err = a.ProvePack(s.Height(), pb.PACK_NEGATIVE)
		must(t, err)
		return e
	}
	same := func(a, b entry) bool {
		return bytes.Equal(a.hash, b.hash) && bytes.Equal(a.serious.Salt, b.serious.Salt) && bytes.Equal(a.others.Salt, b.others.Salt) &&
			a.serious.Other == b.serious.Other && a.others.Other == b.others.Other
	}
	say(t, s, "enrol firm=F")
	goTo(t, s, "2026-07-20")
	say(t, s, "record by=ops issuer=zz-scjg firm=F no=7 kinds=9")
	say(t, s, "publish by=ops issuer=zz-scjg firm=F no=7")
	shown := of(s.Apps[0])
	if len(shown.serious.Members) != 32 || bytes.Equal(shown.serious.Salt, shown.others.Salt) {
		t.Fatalf("%d bytes of members, salts %x and %x", len(shown.serious.Members), shown.serious.Salt, shown.others.Salt)
	}

	s.Block()
	if idle := of(s.Apps[0]); !same(idle, shown) || !bytes.Equal(idle.appHash, shown.appHash) {
		t.Error("a block that changes nothing has another app hash")
	}

	say(t, s, "enrol firm=G")
	other := of(s.Apps[0])
	switch {
	case other.serious.Root != shown.serious.Root || other.others.Root != shown.others.Root:
		t.Error("a set has another root, though nobody came or left")
	case bytes.Equal(other.hash, shown.hash), bytes.Equal(other.serious.Salt, shown.serious.Salt), bytes.Equal(other.others.Salt, shown.others.Salt),
		other.serious.Other == shown.serious.Other, other.others.Other == shown.others.Other:
		t.Error("the entry, or a part of it, shows that no set changed")
	}

	info, err := s.Apps[0].MakeSnapshotSized(0, t.TempDir(), 4096, 4)
	must(t, err)
	joined := newApp(t, app.Options{Dir: t.TempDir(), ChainID: s.Chain})
	syncFrom(t, joined, info, s.AppHash)
	s.Reopen(0)
	s.Apps = append(s.Apps, joined)
	for i, a := range s.Apps {
		if !same(of(a), other) {
			t.Errorf("application %d has another entry", i)
		}
	}
	say(t, s, "withdraw by=zz-scjg issuer=zz-scjg firm=F no=7")
	left := of(s.Apps[0])
	if len(left.serious.Members) > 0 || !same(of(joined), left) {
		t.Error("who began with a snapshot goes on with other salts")
	}
	for _, a := range s.Apps {
		must(t, a.Fsck(context.Background()))
	}
}
