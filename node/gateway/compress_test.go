package gateway_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/gateway"
)

// TestLargeAnswersAreCompressed: who takes gzip gets the same bytes in fewer; a bundle of one subject, and whoever does not ask, get them as they are.
func TestLargeAnswersAreCompressed(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	ask := func(method, target, body, encoding string) *httptest.ResponseRecorder {
		r := near(target)
		r.Method, r.Body = method, io.NopCloser(strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if encoding != "" {
			r.Header.Set("Accept-Encoding", encoding)
		}
		rec := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(rec, r)
		return rec
	}
	var subjects []string
	for _, name := range []string{"a", "b"} {
		subjects = append(subjects, w.firm(name))
	}
	many, err := json.Marshal(map[string][]string{"subjects": subjects})
	must(t, err)
	for _, c := range []struct {
		method, target, body string
		large                bool
	}{
		{http.MethodGet, "/openapi.json", "", true},
		{http.MethodGet, "/v1/subjects/" + w.firm("a") + "/attestation", "", false},
		{http.MethodPost, "/v1/attestations", string(many), false},
		{http.MethodGet, "/v1/status", "", false},
	} {
		plain, packed := ask(c.method, c.target, c.body, ""), ask(c.method, c.target, c.body, "gzip")
		if plain.Code != http.StatusOK || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: %d %v", c.target, plain.Code, plain.Header())
		}
		if got := packed.Header().Get("Content-Encoding") == "gzip"; got != c.large {
			t.Errorf("%s of %d bytes is compressed: %v", c.target, plain.Body.Len(), got)
			continue
		}
		if !c.large {
			continue
		}
		if !strings.Contains(packed.Header().Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s does not say that it varies: %v", c.target, packed.Header())
		}
		size := packed.Body.Len()
		z, err := gzip.NewReader(packed.Body)
		must(t, err)
		raw, err := io.ReadAll(z)
		must(t, err)
		if !bytes.Equal(raw, plain.Body.Bytes()) || size >= len(raw) {
			t.Errorf("%s: %d bytes compressed, %d, the same %v", c.target, size, len(raw), bytes.Equal(raw, plain.Body.Bytes()))
		}
	}
}

// A compressed answer is counted for as long as any of it is on its way, and says how long it is, so that who sends it need not copy it first.
func TestCompressedAnswersAreCounted(t *testing.T) {
	w := newWorld(t, func(o *gateway.Options) { o.SendingMax = 1 }) // one answer at a time
	w.Block()
	writes, rec := 0, httptest.NewRecorder()
	r := near("/openapi.json")
	r.Header.Set("Accept-Encoding", "zstd, gzip")
	w.gateways[0].ServeHTTP(&meanwhile{rec, func() {
		writes++
		other := httptest.NewRecorder()
		w.gateways[0].ServeHTTP(other, near("/openapi.json"))
		if other.Code != http.StatusServiceUnavailable {
			t.Errorf("write %d: another answer is sent beside it: %d", writes, other.Code)
		}
	}}, r)
	if h := rec.Header(); writes != 1 || h.Get("Content-Encoding") != "gzip" || h.Get("Content-Length") != fmt.Sprint(rec.Body.Len()) || h.Get("Vary") != "Accept-Encoding" {
		t.Errorf("in %d pieces, %d bytes, %v", writes, rec.Body.Len(), h)
	}
	refused := httptest.NewRecorder()
	w.gateways[0].ServeHTTP(&meanwhile{httptest.NewRecorder(), func() { w.gateways[0].ServeHTTP(refused, r) }}, near("/openapi.json"))
	if refused.Code != http.StatusServiceUnavailable || refused.Header().Get("Content-Encoding") != "" || !strings.Contains(refused.Body.String(), "E_BUSY") {
		t.Errorf("a refusal: %d %v %s", refused.Code, refused.Header(), refused.Body)
	}
	whole := httptest.NewRecorder()
	head := near("/openapi.json")
	head.Method = http.MethodHead
	head.Header.Set("Accept-Encoding", "gzip")
	w.gateways[0].ServeHTTP(whole, head)
	if n := whole.Header().Get("Content-Length"); whole.Code != http.StatusOK || n != fmt.Sprint(len(gateway.OpenAPI)) {
		t.Errorf("HEAD: %d, %s bytes of %d", whole.Code, n, len(gateway.OpenAPI))
	}
}
