package gateway_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

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
	w.Block()
	if next := ask(tag); next.Code != http.StatusOK || next.Header().Get("ETag") == tag {
		t.Errorf("after a block: %d, tag %q", next.Code, next.Header().Get("ETag"))
	}
}
