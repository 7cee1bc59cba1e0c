package gateway_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
