package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// TestAnchorProof: what a firm holds of a query is proven under the trust file, by a node that is not the gateway, and nothing of it fits another receipt.
func TestAnchorProof(t *testing.T) {
	l := newLending(t)
	l.enrolAll()
	l.do("register-key by=registry firm=a key=k1", "register-key by=registry firm=b key=k2")
	l.Actors["a"], l.Actors["b"] = l.FirmKey("a", "k1"), l.FirmKey("b", "k2")
	l.Block()
	l.Block()
	l.query("bank", "a", "", "pre_loan")
	l.query("bank", "b", "", "in_loan")
	l.do("on 2026-07-17")
	l.Block()
	must(t, l.anchorer.Step(context.Background()))
	// Recorded, and no header binds it yet: it is told when it can be proven.
	early := l.receipts("a", "a")[0].Anchor
	l.want(l.public(fmt.Sprintf("/v1/anchors/%s/%d", l.Actors["gw"].USCC, early.Hour), "Accept", attest.AnchorProofMediaType), http.StatusNotFound, "E_ANCHOR_NONE")
	if early.Height != nil {
		t.Errorf("an anchor that cannot be proven is told to stand at height %d", *early.Height)
	}
	l.Block()
	a, b := l.receipts("a", "a")[0], l.receipts("b", "b")[0]
	if a.Anchor == nil || a.Anchor.Height == nil || b.Anchor == nil || a.Anchor.Hour != b.Anchor.Hour {
		t.Fatalf("not anchored: %+v %+v", a, b)
	}
	gw := l.Actors["gw"].USCC
	target := fmt.Sprintf("/v1/anchors/%s/%d", gw, a.Anchor.Hour)
	get := func(node int) answer {
		t.Helper()
		return l.want(l.ask(node, "", http.MethodGet, target, nil, "Accept", attest.AnchorProofMediaType), http.StatusOK, "")
	}
	proof := get(1)
	if kind := proof.header.Get("Content-Type"); kind != attest.AnchorProofMediaType {
		t.Error(kind)
	}
	if !bytes.HasPrefix(get(0).body, []byte(attest.AnchorProofMagic)) {
		t.Error("the gateway itself gives none")
	}
	now := attest.Policy{Now: l.blockTime()}
	anchor, err := attest.OpenAnchorProof(proof.body, l.Trust(), now)
	must(t, err)
	if anchor.Gateway != gw || anchor.Hour != a.Anchor.Hour || anchor.BlockHeight != *a.Anchor.Height || anchor.SignedPower*3 <= anchor.TotalPower*2 {
		t.Errorf("%+v", anchor)
	}
	covered := func(r receiptAnswer, path []string) error {
		raw, err := base64.StdEncoding.DecodeString(r.Bytes)
		must(t, err)
		var hashes []attest.Hash
		for _, h := range path {
			hashes = append(hashes, attest.Hash(unhex(h)))
		}
		got, err := anchor.Covers(raw, unhex(r.Salt), r.Anchor.Place, hashes)
		if err == nil && (got.Subject != r.Subject || got.Requester != l.Actors["bank"].USCC) {
			t.Errorf("%+v", got)
		}
		return err
	}
	must(t, covered(a, a.Anchor.Path))
	must(t, covered(b, b.Anchor.Path))
	l.keep(proof.body)
	if err := covered(b, a.Anchor.Path); attest.CodeOf(err) != attest.CodeReceipt {
		t.Error(err)
	}
	// It names nobody: neither firm, nor lender, nor a receipt.
	for _, hidden := range []string{a.Subject, b.Subject, a.Requester, string(unhex(a.ID)), string(unhex(b.Salt))} {
		if bytes.Contains(proof.body, []byte(hidden)) {
			t.Errorf("the proof tells %x", hidden)
		}
	}

	l.want(l.public(target, "Accept", "text/html"), http.StatusNotAcceptable, "E_ACCEPT")
	none := fmt.Sprintf("/v1/anchors/%s/%d", gw, a.Anchor.Hour-1)
	l.want(l.public(none, "Accept", attest.AnchorProofMediaType), http.StatusNotFound, "E_ANCHOR_NONE")
	l.want(l.public("/v1/anchors/"+l.firm("a")+"/0", "Accept", attest.AnchorProofMediaType), http.StatusNotFound, "E_ANCHOR_NONE")
}

// keep writes the receipts of firm a with their proof and trust file into the folder in which the page's tests look for them (scripts/dev browser), beside
// receipts with one that no anchor covers yet.
func (l *lending) keep(proof []byte) {
	dir := os.Getenv("XINLIAN_SECOND")
	if dir == "" {
		return
	}
	write := func(name string, raw []byte) { must(l.tb, os.WriteFile(filepath.Join(dir, name), raw, 0o600)) }
	target := "/v1/subjects/" + l.firm("a") + "/receipts"
	write("receipts.json", l.want(l.get("a", target), http.StatusOK, "").body)
	write("anchor.xln", proof)
	write("anchor-trust.json", l.Trust().Encode())
	write("anchor-at.txt", []byte(l.blockTime().Add(time.Minute).UTC().Format(time.RFC3339Nano)))
	_, asked := l.query("bank", "a", "", "post_loan")
	write("asked.json", asked)
	write("waiting.json", l.want(l.get("a", target), http.StatusOK, "").body)
}

// blockTime is the time of the newest block.
func (w *world) blockTime() time.Time { return w.Apps[0].Status().BlockTime }
