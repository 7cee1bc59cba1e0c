package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attesttest"
)

// opened gets a pack and judges it as a lender would.
func (w *world) opened(set string) (*attest.Pack, []byte) {
	w.tb.Helper()
	a := w.public("/v1/packs/" + set)
	if a.status != 200 || a.header.Get("Content-Type") != attest.PackMediaType {
		w.tb.Fatalf("%d %s %s", a.status, a.header, a.body)
	}
	return w.judged(set, a.body), a.body
}

func (w *world) judged(set string, raw []byte) *attest.Pack {
	w.tb.Helper()
	claim, err := attest.ParseClaim("no-" + set)
	must(w.tb, err)
	at := w.blocks.Header(w.Height()).Time
	p, err := attest.OpenPack(raw, w.Trust(), attest.Policy{Claim: claim, MaxAge: time.Hour, Now: at})
	must(w.tb, err)
	return p
}

func (w *world) in(p *attest.Pack, firm string) bool {
	w.tb.Helper()
	in, err := p.Contains(w.firm(firm))
	must(w.tb, err)
	return in
}

// Who is in a pack is who its claim does not hold of, at its height; a pack is made anew when it is due, and at once when somebody has left.
func TestPacks(t *testing.T) {
	w := newWorld(t)
	w.want(w.get("", "/v1/packs/serious"), 503, "E_NOT_READY")
	w.enrolAll()
	w.do("on 2026-07-20",
		"record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"record by=ops issuer=zz-scjg firm=b no=8 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=b no=8")
	w.Block()
	serious, first := w.opened("serious")
	negative, _ := w.opened("negative")
	for _, want := range []struct {
		firm              string
		serious, negative bool
	}{{"a", true, true}, {"b", false, true}, {"c", false, false}, {"nobody", false, false}} {
		if w.in(serious, want.firm) != want.serious || w.in(negative, want.firm) != want.negative {
			t.Errorf("firm %s is in the wrong packs", want.firm)
		}
	}
	if serious.Len() != 1 || negative.Len() != 2 || serious.Height != w.Height()-1 {
		t.Errorf("%d and %d subjects at height %d", serious.Len(), negative.Len(), serious.Height)
	}
	a := w.get("", "/v1/packs/serious")
	if again := w.get("", "/v1/packs/serious", "If-None-Match", a.header.Get("ETag")); again.status != 304 || len(again.body) != 0 {
		t.Errorf("%d, %d bytes", again.status, len(again.body))
	}
	w.want(w.get("", "/v1/packs/serious", "Accept", "application/json"), 406, "E_ACCEPT")
	w.want(w.get("", "/v1/packs/minor"), 404, "E_ROUTE")

	// Who enters waits for the next pack, who leaves does not.
	w.do("record by=ops issuer=zz-scjg firm=c no=9 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=c no=9")
	w.Block()
	if _, raw := w.opened("serious"); !bytes.Equal(raw, first) {
		t.Error("the pack is made anew within its time")
	}
	w.do("withdraw by=zz-scjg issuer=zz-scjg firm=a no=7")
	if _, raw := w.opened("serious"); !bytes.Equal(raw, first) {
		t.Error("the pack is made anew before it is proven that somebody has left")
	}
	w.Block()
	second, raw := w.opened("serious")
	if w.in(second, "a") || !w.in(second, "c") || second.Height != w.Height()-1 {
		t.Error("a pack shows who has left its set")
	}

	// The delta gives the second pack of the first.
	d := w.public("/v1/packs/serious/delta?base=" + fileName(first))
	made, err := attest.ApplyDelta(first, d.body)
	if err != nil || !bytes.Equal(made, raw) || d.header.Get("Content-Type") != attest.DeltaMediaType {
		t.Error("the delta does not give the pack that is served", err)
	}
	d = w.public("/v1/packs/serious/delta?base=" + fileName(raw))
	if made, err := attest.ApplyDelta(raw, d.body); err != nil || !bytes.Equal(made, raw) {
		t.Error("the delta from the newest set is none", err)
	}
	w.want(w.get("", "/v1/packs/serious/delta?base="+strings.Repeat("0", 64)), 410, "E_PACK_BASE")
	w.want(w.get("", "/v1/packs/negative/delta?base="+fileName(first)), 410, "E_PACK_BASE")
	for _, bad := range []string{"", "?base=", "?base=00", "?base=" + strings.Repeat("g", 64)} {
		w.want(w.get("", "/v1/packs/serious/delta"+bad), 400, "E_ID")
	}
}

// A node that was restarted proves at once what it proved before: bundles and packs do not wait for the next block. Who has left a set in the newest block is shown until that
// is proven, as by a node that was not restarted, and no longer.
func TestProofsAfterRestart(t *testing.T) {
	w := newWorldIn(t, []string{t.TempDir(), ""})
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"withdraw by=zz-scjg issuer=zz-scjg firm=a no=7") // in the newest block
	w.restart()
	if a := w.public("/v1/subjects/" + w.firm("a") + "/attestation"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	first, raw := w.opened("serious")
	if first.Height != w.Height()-1 || !w.in(first, "a") {
		t.Error("the pack is not that of the newest proven height")
	}
	w.Block()
	second, made := w.opened("serious")
	if second.Height != w.Height()-1 || w.in(second, "a") {
		t.Error("a pack shows who has left its set before the restart")
	}
	if d := w.get("", "/v1/packs/serious/delta?base="+fileName(raw)); d.status != 200 {
		t.Errorf("%d %s", d.status, d.body)
	} else if again, err := attest.ApplyDelta(raw, d.body); err != nil || !bytes.Equal(again, made) {
		t.Error(err)
	}
}

// fileName is what a delta's base is named by.
func fileName(pack []byte) string {
	h := sha256.Sum256(pack)
	return hex.EncodeToString(h[:])
}

// TestDeltaOfGuess is INV-03: a reader has nothing from when a firm's record was public. It puts the firm into the newest set and asks for the delta from there. Whether the
// firm was in a pack of the last day it does not learn, neither by the root of that set nor by a file with the newest signatures.
func TestDeltaOfGuess(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7")
	w.Block()
	shown, old := w.opened("serious") // of somebody else
	w.do("on 2026-07-22", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=7")
	w.Block()
	_, raw := w.opened("serious")

	f := new(pb.Pack)
	must(t, pb.Decode(raw[4:], f))
	member := sha256.Sum256([]byte("S" + w.firm("a")))
	f.Members = member[:]
	guess := attest.EncodePack(f)
	_, root, err := attest.PackRoot(guess)
	must(t, err)
	if root != shown.Root {
		t.Fatal("the guess is not the set that was")
	}
	w.want(w.get("", "/v1/packs/serious/delta?base="+hex.EncodeToString(root[:])), 410, "E_PACK_BASE")
	w.want(w.get("", "/v1/packs/serious/delta?base="+fileName(guess)), 410, "E_PACK_BASE")
	d := w.public("/v1/packs/serious/delta?base=" + fileName(old)) // whoever has the pack goes on from it
	if made, err := attest.ApplyDelta(old, d.body); err != nil || !bytes.Equal(made, raw) {
		t.Error("the delta does not give the pack that is served", err)
	}
}

// TestEntryOfGuess is INV-03: a reader keeps a bundle of somebody else, which shows a hash of what the app hash binds of both sets, and a pack of one set, which shows
// what it binds of the other. Then firms leave the sets. The reader puts them back into the newest sets, with every salt that it was ever given and without any, and compares:
// whether they were in it does not learn.
func TestEntryOfGuess(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	bundle := func() *pb.Bundle {
		t.Helper()
		b, err := attest.DecodeBundle(w.public("/v1/subjects/" + w.firm("c") + "/attestation").body)
		must(t, err)
		return b
	}
	pack := func(set string) *pb.Pack {
		t.Helper()
		_, raw := w.opened(set)
		f := new(pb.Pack)
		must(t, pb.Decode(raw[4:], f))
		return f
	}
	w.do("on 2026-07-20",
		"record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
		"record by=ops issuer=zz-scjg firm=b no=8 fine=120000 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=b no=8")
	w.Block()
	kept, old := bundle(), pack("serious")
	w.do("on 2026-07-22", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=7", "withdraw by=zz-scjg issuer=zz-scjg firm=b no=8")
	w.Block()
	newest, serious, negative := bundle(), pack("serious"), pack("negative")
	if len(serious.Members)+len(negative.Members) > 0 {
		t.Fatal("somebody is still in a set")
	}

	salts := [][]byte{nil, make([]byte, 32), old.Salt, serious.Salt, negative.Salt}
	digest := func(set pb.PackSet, salt []byte, firms ...string) []byte {
		var codes []string
		for _, f := range firms {
			codes = append(codes, w.firm(f))
		}
		root := attesttest.SetRoot(set, attesttest.Members(codes...))
		if salt == nil {
			return root[:]
		}
		d := attest.PackDigest(salt, root)
		return d[:]
	}
	told := func(entry []byte, serious, negative []string) bool {
		for _, a := range salts {
			for _, b := range salts {
				sum := sha256.Sum256(append(digest(pb.PACK_SERIOUS, a, serious...), digest(pb.PACK_NEGATIVE, b, negative...)...))
				if bytes.Equal(sum[:], entry) {
					return true
				}
			}
		}
		return false
	}
	if !told(newest.Pack, nil, nil) {
		t.Error("whoever has both packs of a height does not find them in its bundle: the guess is made wrong")
	}
	if told(kept.Pack, []string{"a"}, []string{"a", "b"}) {
		t.Error("a kept bundle tells who was in the sets")
	}
	for i, salt := range salts {
		if bytes.Equal(digest(pb.PACK_NEGATIVE, salt, "a", "b"), old.Other) {
			t.Errorf("a kept pack of the one set tells who was in the other, with salt %d", i)
		}
	}
}

// A pack grows no older than the operator says.
func TestPacksAreMadeAnew(t *testing.T) {
	w := newWorld(t, func(o *gateway.Options) { o.PackEvery = 1 })
	w.enrolAll()
	w.Block()
	first, _ := w.opened("negative")
	w.Block()
	if second, _ := w.opened("negative"); second.Height != first.Height+1 || second.Root != first.Root {
		t.Errorf("the pack is of height %d, then of height %d", first.Height, second.Height)
	}
}

// resigned is a chain of the same states whose validators give way to others after a height.
type resigned struct {
	*blocks
	until int64
	sets  [2]*attesttest.Set // up to until, and after it
}

func (b *resigned) setAt(height int64) *attesttest.Set {
	if height <= b.until {
		return b.sets[0]
	}
	return b.sets[1]
}

func (b *resigned) Header(height int64) *cmttypes.Header {
	h := b.blocks.Header(height)
	if h != nil {
		h.ValidatorsHash, h.NextValidatorsHash = b.setAt(height).Hash(), b.setAt(height+1).Hash()
		if before := b.Header(height - 1); before != nil {
			h.LastBlockID.Hash = before.Hash()
		}
	}
	return h
}

func (b *resigned) Commit(height int64) *cmttypes.Commit {
	h := b.Header(height)
	if h == nil {
		return nil
	}
	return b.setAt(height).Sign(h, 0, nil)
}

func (b *resigned) Validators(height int64) (*cmttypes.ValidatorSet, error) {
	return b.setAt(height).ValidatorSet, nil
}

// A trust file ends a set that was replaced, so a pack that the old set signs is made anew: whoever fetches both can look a firm up.
func TestPacksOverAChangeOfValidators(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	b := &resigned{blocks: w.blocks, until: w.Height(), sets: [2]*attesttest.Set{attesttest.Equal("old", 4), attesttest.Equal("new", 4)}}
	g := gateway.New(gateway.Backend{App: w.Apps[0], Blocks: b, Submit: w.submit, Ready: func() (bool, string) { return true, "" }}, gateway.Options{})
	get := func(target string) []byte {
		t.Helper()
		rec := httptest.NewRecorder()
		g.ServeHTTP(rec, near(target))
		if rec.Code != 200 {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
		return rec.Body.Bytes()
	}
	first := get("/v1/packs/negative")
	w.do("on 2026-10-01") // 78 s of block time
	w.Block()
	trust, err := attest.ParseTrust(get("/v1/trust"))
	must(t, err)
	policy := attest.Policy{Claim: attest.NoNegative, MaxAge: time.Hour, Now: w.blocks.Header(w.Height()).Time}
	if _, err := attest.OpenPack(first, trust, policy); attest.CodeOf(err) != attest.CodeTrustWindow {
		t.Fatalf("by the trust file from after the change a pack from before it: %v", err)
	}
	second := get("/v1/packs/negative")
	if _, err := attest.OpenPack(second, trust, policy); err != nil {
		t.Errorf("the pack that is served is not taken by the trust file that is served: %v", err)
	}
	if w.Block(); !bytes.Equal(get("/v1/packs/negative"), second) {
		t.Error("the pack is made anew though its validators still sign")
	}
}

// TestPackTwins is INV-03: in one world a record comes and goes between two packs, in the other nothing does. The sets, the delta and the sizes are the same.
func TestPackTwins(t *testing.T) {
	var members, added, removed, roots [2][]byte
	var sizes, deltas [2]int
	var tags [2]string
	for i := range 2 {
		w := newWorld(t)
		w.enrolAll()
		w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=b no=8 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=b no=8")
		w.Block()
		_, first := w.opened("serious")
		if i == 0 {
			w.do("record by=ops issuer=zz-scjg firm=a no=7 kinds=9 decided=2026-07-15", "publish by=ops issuer=zz-scjg firm=a no=7",
				"on 2026-07-22", "withdraw by=zz-scjg issuer=zz-scjg firm=a no=7")
		} else {
			w.Block()
			w.Block()
			w.do("on 2026-07-22")
			w.Block()
		}
		w.do("on 2026-07-23", "withdraw by=zz-scjg issuer=zz-scjg firm=b no=8") // both make a pack anew
		w.Block()
		second, raw := w.opened("serious")
		f := new(pb.Pack)
		must(t, pb.Decode(raw[4:], f))
		d, delta := w.public("/v1/packs/serious/delta?base="+fileName(first)), new(pb.PackDelta)
		must(t, pb.Decode(d.body[4:], delta))
		members[i], added[i], removed[i], roots[i] = f.Members, delta.Added, delta.Removed, second.Root[:]
		sizes[i], deltas[i], tags[i] = len(raw), len(d.body), w.get("", "/v1/packs/serious").header.Get("ETag")
	}
	for _, pair := range [][2][]byte{members, added, removed, roots} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Error("the packs of two worlds differ by a record that nobody may know of")
		}
	}
	if sizes[0] != sizes[1] || deltas[0] != deltas[1] || tags[0] != tags[1] {
		t.Errorf("packs of %v bytes, deltas of %v, tags %v", sizes, deltas, tags)
	}
	if len(removed[0]) != 32 || len(added[0]) != 0 {
		t.Errorf("the delta adds %x and removes %x", added[0], removed[0])
	}
}
