package main

import (
	"bytes"
	"slices"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// offlinePack is an offline pack (离线信用包) as a lender holds it.
type offlinePack struct {
	raw    []byte
	pack   *attest.Pack
	opened time.Duration // what it took to judge it
}

// fetchPack fetches the pack that decides a claim, whole or as what changed since an older one, and judges it offline. Its height is from or later.
func (d *demo) fetchPack(actor, set string, claim attest.Claim, base *offlinePack, from int64) (*offlinePack, error) {
	if err := d.height(actor, from+1); err != nil {
		return nil, err
	}
	var older []byte
	if base != nil {
		older = base.raw
	}
	raw, err := d.clients[actor].Pack(d.ctx, set, older)
	if err != nil {
		return nil, err
	}
	if base != nil {
		if raw, err = attest.ApplyDelta(base.raw, raw); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	p, err := attest.OpenPack(raw, d.trust, attest.Policy{Claim: claim, MaxAge: time.Hour, Now: time.Now()})
	took := time.Since(began)
	if err != nil {
		return nil, err
	}
	return &offlinePack{raw, p, took}, d.expect(p.Height >= from, "the pack is of height %d, which is older than %d", p.Height, from)
}

// packHolds looks a firm up and expects that the pack's claim holds of it, or does not.
func (d *demo) packHolds(p *offlinePack, firm string, want bool) error {
	v, err := p.pack.Judge(firm, time.Now())
	if err != nil {
		return err
	}
	return d.expect(v.Holds == want, "by the pack of height %d the claim %s about %s gives %s", p.pack.Height, p.pack.Claim, firm, v.Code)
}

// offline is a lender that asks nobody about whom: it looks firms up in packs that it has fetched whole and judged once.
func (d *demo) offline() error {
	before := story.pack
	began := time.Now()
	in, firms := 0, sample.Subjects()
	for _, s := range firms {
		v, err := before.pack.Judge(s.Row.Uscc, time.Now())
		if err != nil {
			return err
		}
		if !v.Holds {
			in++
		}
	}
	each := time.Since(began) / time.Duration(len(firms))
	if err := d.expect(in == before.pack.Len(), "%d firms are in the pack, it has %d members", in, before.pack.Len()); err != nil {
		return err
	}
	_, err := before.pack.Judge("91410105", time.Now())
	if err := d.expect(err != nil, "a text that is no code is looked up as if it were one"); err != nil {
		return err
	}
	d.say("pack no-negative of height %d: %d bytes, verified offline in %s; %d firms looked up, %s each, %d of them in it: every member is one of them",
		before.pack.Height, len(before.raw), before.opened.Round(time.Microsecond), len(firms), each, in)

	after, err := d.fetchPack("ops", "negative", attest.NoNegative, before, story.repaired)
	if err != nil {
		return err
	}
	whole, err := d.fetchPack("ops", "negative", attest.NoNegative, nil, story.repaired)
	if err != nil {
		return err
	}
	if err := d.expect(bytes.Equal(after.raw, whole.raw), "the older pack with its delta is not the newer pack"); err != nil {
		return err
	}
	for _, look := range []struct {
		pack *offlinePack
		firm string
		want bool
	}{{before, storyFirm, false}, {before, twinFirm, true}, {after, storyFirm, true}, {after, twinFirm, true}, {after, gongyi, false}} {
		if err := d.packHolds(look.pack, look.firm, look.want); err != nil {
			return err
		}
	}
	d.say("%s before its repair: in the pack; in the newer one, fetched as a delta: not, as %s, which never had a record", storyFirm, twinFirm)

	serious, err := d.fetchPack("zz-scjg", "serious", attest.NoSerious, nil, story.repaired)
	if err != nil {
		return err
	}
	forged := slices.Clone(serious.raw)
	forged[len(forged)-1] ^= 1
	_, err = attest.OpenPack(forged, d.trust, attest.Policy{Claim: attest.NoSerious, MaxAge: time.Hour, Now: time.Now()})
	if err := d.expect(attest.ExitCode(nil, err) == 1, "a pack with a changed member gives %v", err); err != nil {
		return err
	}
	if err := d.packHolds(serious, gongyi, false); err != nil {
		return err
	}
	if err := d.packHolds(serious, storyFirm, true); err != nil {
		return err
	}
	d.say("pack no-serious: %d firms, %s among them; with one member changed it is refused", serious.pack.Len(), gongyi)
	return nil
}
