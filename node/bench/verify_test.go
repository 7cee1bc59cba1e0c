package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestAsker: every request that is due is sent once, at a rate and in a closed loop, and what is not served is counted.
func TestAsker(t *testing.T) {
	var served, odd atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := served.Add(1); n%2 == 0 {
			odd.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		w.Write([]byte(strings.Repeat("x", 100)))
	}))
	defer srv.Close()
	a, err := newAsker(srv.URL, VerifyOptions{Subjects: 10, Connections: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	const rate = 2000
	p, err := a.run(context.Background(), "open", a.attestation, rate, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if p.Count != rate/5 || int64(p.Count) != served.Load() || int64(p.Refused) != odd.Load() || p.P50 <= 0 { // sent before it was due: less than no time
		t.Errorf("%+v; the server saw %d", p, served.Load())
	}
	p.Count = 0
	for length := 50 * time.Millisecond; p.Count == 0; length *= 2 { // a busy machine may let none of its threads begin in its time
		before := served.Load()
		if p, err = a.run(context.Background(), "closed", a.noop, 0, length); err != nil {
			t.Fatal(err)
		}
		if p.Count == 0 && length > time.Minute || int64(p.Count) != served.Load()-before {
			t.Fatalf("in %s: %+v; the server saw %d", length, p, served.Load()-before)
		}
	}
	if _, err := Verify(context.Background(), VerifyOptions{Subjects: -1}); !errors.Is(err, ErrUsage) {
		t.Errorf("subjects below none: %v", err)
	}
	if _, err := Verify(context.Background(), VerifyOptions{Filled: t.TempDir()}); !errors.Is(err, ErrUsage) {
		t.Errorf("a folder without a network: %v", err)
	}
	if _, err := Verify(context.Background(), VerifyOptions{Filled: t.TempDir(), Dir: t.TempDir()}); !errors.Is(err, ErrUsage) {
		t.Errorf("a network to make and one to use: %v", err)
	}
}
