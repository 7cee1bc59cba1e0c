package gateway_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// A bundle has the one encoding, also where its block was encoded before; and who has the bundle of a height is told so until the next.
func TestBundleIsAskedForAgain(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	target := "/v1/subjects/" + w.firm("a") + "/attestation"
	ask := func(tag string) *httptest.ResponseRecorder {
		r := near(target)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		rec := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(rec, r)
		return rec
	}
	first := ask("")
	b, err := attest.DecodeBundle(first.Body.Bytes())
	must(t, err)
	if !bytes.Equal(attest.EncodeBundle(b), first.Body.Bytes()) {
		t.Error("decoding and encoding a bundle changes it")
	}
	tag := first.Header().Get("ETag")
	if again := ask(tag); tag == "" || again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
		t.Errorf("tag %q: %d, %d bytes, tag %q", tag, again.Code, again.Body.Len(), again.Header().Get("ETag"))
	}
	for asked, status := range map[string]int{
		`"x", ` + tag: http.StatusNotModified, strings.TrimPrefix(tag, "W/") + `,"y"`: http.StatusNotModified, "*": http.StatusNotModified,
		`"x"`: http.StatusOK, "x" + tag: http.StatusOK, "": http.StatusOK,
	} {
		if a := ask(asked); a.Code != status {
			t.Errorf("If-None-Match: %s answers %d, want %d", asked, a.Code, status)
		}
	}
	w.Block()
	if next := ask(tag); next.Code != http.StatusOK || next.Header().Get("ETag") == tag {
		t.Errorf("after a block: %d, tag %q", next.Code, next.Header().Get("ETag"))
	}
}

// A lender that has the set, or the header, asks for the rest alone.
func TestShorterFormsAreServed(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	target := "/v1/subjects/" + w.firm("a") + "/attestation"
	whole := w.get("", target)
	trust, err := attest.ParseTrust(w.get("", "/v1/trust").body)
	must(t, err)
	v, err := attest.NewVerifier(trust)
	must(t, err)
	b, err := attest.DecodeBundle(whole.body)
	must(t, err)
	policy := attest.Policy{Subject: w.firm("a"), Claim: attest.Enrolled, MaxAge: time.Minute, Now: time.Unix(b.Header.TimeSeconds, 0).Add(time.Second)}
	header, err := v.Header(whole.body)
	must(t, err)
	policy.Headers = []*attest.Header{header}
	size := len(whole.body)
	for _, form := range []attest.Form{attest.PinnedSet, attest.HeaderKnown} {
		a := w.get("", target+"?form="+string(form))
		got, err := attest.DecodeBundle(a.body)
		must(t, err)
		if attest.FormOf(got) != form || len(a.body) >= size || a.header.Get("ETag") == whole.header.Get("ETag") {
			t.Errorf("%s: %s of %d bytes, tag %s", form, attest.FormOf(got), len(a.body), a.header.Get("ETag"))
		}
		size = len(a.body)
		if d, err := v.Verify(a.body, policy); err != nil || !d.Holds {
			t.Errorf("%s: %v %v", form, d, err)
		}
	}
	if a := w.get("", target+"?form=short"); a.status != http.StatusBadRequest || a.code() != "E_QUERY" {
		t.Errorf("an unknown form: %d %s", a.status, a.body)
	}
}
