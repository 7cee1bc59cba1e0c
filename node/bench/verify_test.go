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

	"golang.org/x/sys/unix"
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
	if len(p.P99Seconds) != 1 || p.P99Seconds[0] != p.P99 || p.P99Median() != p.P99 {
		t.Errorf("a phase within a second: %+v", p)
	}
	if p, err = a.run(context.Background(), "open", a.noop, rate, 2500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if n := len(p.P99Seconds); n != 2 || p.P99Seconds[0] > p.P99 || p.P99Seconds[1] < p.P99 || p.P99Median() != p.P99Seconds[0] {
		t.Errorf("a phase of two seconds and a half: %+v", p)
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

// TestCameAt: an answer came when the system had it, however late who asks looks.
func TestCameAt(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("x")) }))
	defer srv.Close()
	a, err := newAsker(srv.URL, VerifyOptions{Subjects: 1, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	c, began := a.conns[0], time.Now()
	for time.Since(began) < time.Minute { // the system begins with it a little after it was asked to
		asked := time.Now()
		if err := c.ask(a.host, noopPath); err != nil {
			t.Fatal(err)
		}
		for status := 0; status == 0; {
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, -1); err != nil && !errors.Is(err, unix.EINTR) {
				t.Fatal(err)
			}
			looked := time.Now()
			var came int64
			if status, came, err = c.answer(); err != nil {
				t.Fatal(err)
			}
			if at := time.Unix(0, came); status != 0 && !at.Before(asked) && !at.After(looked) {
				return
			}
		}
	}
	t.Error("no answer came before it was looked at")
}

// TestDue: a request is due at the first tick of its thread that is not before its moment, and threads have ticks of their own.
func TestDue(t *testing.T) {
	const rate = 3000.0
	of := map[int64]int64{}
	for n := range int64(openThreads) {
		p := &part{rate: rate, first: n, stride: openThreads}
		for i := n; i < 1000; i += openThreads {
			at, moment := p.due(i), int64(float64(i)/rate*1e9)
			if at < moment || at >= moment+openThreads*int64(tick) && at != n*int64(tick) || p.tickAt(at) != at {
				t.Fatalf("request %d, of %d ns, is due at %d", i, moment, at)
			}
			if who, taken := of[at]; taken && who != n {
				t.Fatalf("%d is a tick of threads %d and %d", at, who, n)
			}
			of[at] = n
		}
	}
}
