package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// A gateway takes each Authorization header once: every request has one of its own, whoever signs with the key, and nobody waits for a second of his own.
func TestHeadersAreUsedOnce(t *testing.T) {
	seen := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/status" {
			_, _ = w.Write([]byte(`{"chain_id":"test-auth","height":1}`))
			return
		}
		if h := r.Header.Get("Authorization"); seen[h] || h == "" {
			t.Errorf("a header was sent twice: %q", h)
		} else {
			seen[h] = true
		}
		_, _ = w.Write([]byte(`{"uscc":"U"}`))
	}))
	defer srv.Close()
	k, err := keys.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	// Many programs with one key.
	for range 20 {
		c, err := New(Options{URL: srv.URL, Key: k})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if s, err := c.Self(context.Background()); err != nil || s.USCC != "U" {
				t.Fatal(s, err)
			}
		}
		c.Close()
	}
	if len(seen) != 60 {
		t.Errorf("%d headers for 60 questions", len(seen))
	}
}

// What a gateway takes for used is signed anew where it says that this helps, at once and then after a wait; a key that it does not know is asked with once.
func TestSignedAnew(t *testing.T) {
	t.Parallel()
	var helps atomic.Bool
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		switch {
		case helps.Load() && n > 3:
			_, _ = w.Write([]byte(`{"uscc":"U"}`))
			return
		case helps.Load():
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"code":"E_AUTH","detail":"no"}`))
	}))
	defer srv.Close()
	k, err := keys.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{URL: srv.URL, Key: k, ChainID: "test-auth"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err = c.Self(t.Context()); CodeOf(err) != codeAuth || asked.Load() != 1 {
		t.Errorf("a key that the gateway does not know: %v after %d requests", err, asked.Load())
	}
	helps.Store(true)
	if _, err = c.Self(t.Context()); err != nil || asked.Load() != 4 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}

// A query that was sent may be spent where no gateway says otherwise: what a proxy says of it in place of the gateway is no answer.
func TestQueryUnanswered(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body       string
		unanswered bool
	}{
		{http.StatusGatewayTimeout, "", true},
		{http.StatusBadGateway, "<html>502 Bad Gateway</html>", true},
		{http.StatusServiceUnavailable, `{"title":"Service Unavailable"}`, true},
		{http.StatusServiceUnavailable, `{"code":"E_BUSY","title":"the node has as many requests at work as it takes"}`, false},
		{http.StatusRequestEntityTooLarge, "<html>413</html>", false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		}))
		c, err := New(Options{URL: srv.URL, ChainID: "test-auth"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Query(context.Background(), Question{})
		if err == nil || errors.Is(err, ErrUnanswered) != tt.unanswered {
			t.Errorf("%d %s: %v", tt.status, tt.body, err)
		}
		c.Close()
		srv.Close()
	}
}

func TestUnreachable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	url := srv.URL
	srv.Close()
	c, err := New(Options{URL: url, Patience: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	c.firstPause, c.longPause = time.Millisecond, time.Millisecond
	if _, err := c.Status(context.Background()); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	for _, bad := range []string{"", "127.0.0.1:26680", "ftp://x", "http://", "http://x?y"} {
		if _, err := New(Options{URL: bad}); err == nil {
			t.Errorf("%q passes for a URL", bad)
		}
	}
}

// TestSilent: a node that takes a connection and says nothing is not waited for as long as an answer that takes its time.
func TestSilent(t *testing.T) {
	t.Parallel()
	var silence atomic.Int64
	over := make(chan struct{})
	wait := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-over:
		}
	}
	longer := func() time.Duration { return time.Duration(silence.Load()) * 6 / 5 }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/packs/serious":
			wait(longer())
		case "/v1/status": // begins at once, and takes long
			w.(http.Flusher).Flush()
			wait(longer())
			_, _ = w.Write([]byte(`{"chain_id":"test-silent"}`))
		default:
			wait(time.Hour)
		}
	}))
	defer srv.Close()
	defer close(over)
	c, err := New(Options{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	silent := func(err error) bool {
		return errors.Is(err, ErrUnreachable) && strings.Contains(err.Error(), fmt.Sprintf("no answer at %s: nothing came for %s", srv.URL, c.silence))
	}
	for c.silence = 100 * time.Millisecond; ; c.silence *= 2 { // a machine under load takes its time for a first byte
		silence.Store(int64(c.silence))
		s, err := c.Status(t.Context())
		if silent(err) && c.silence < time.Minute {
			continue
		}
		if err != nil || s.ChainID != "test-silent" {
			t.Errorf("an answer that has begun: %v", err)
		}
		break
	}
	if _, err = c.Params(t.Context()); !silent(err) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := c.Pack(t.Context(), "serious", nil); err != nil {
		t.Errorf("a pack: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Params(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	c.http.Timeout = 10 * time.Millisecond
	if _, err := c.Pack(t.Context(), "none", nil); !errors.Is(err, ErrUnreachable) || !strings.HasSuffix(err.Error(), "it did not come whole within 10ms") {
		t.Errorf("a pack that never comes: %v", err)
	}
}

// TestOpen: a transaction that a node may have taken in is named by who lost the answer, or would not wait for it; one that no node was reached with is not.
func TestOpen(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent atomic.Value // func(w http.ResponseWriter): who loses the answer does not wait for who gives it
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			sent.Load().(func(w http.ResponseWriter))(w)
			return
		}
		fmt.Fprintf(w, `{"chain_id":"test-open","height":1,"block_time":%q}`, time.Now().Format(time.RFC3339))
	}))
	defer srv.Close()
	k, err := keys.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{URL: srv.URL, Key: k})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		sent func(w http.ResponseWriter)
		want error
	}{
		{"the answer is lost", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, ErrUnreachable},
		{"nobody waits for it", func(w http.ResponseWriter) { cancel(); <-ctx.Done() }, context.Canceled},
	} {
		sent.Store(tt.sent)
		_, err := c.Send(ctx, probe("U"))
		var o *Open
		if !errors.As(err, &o) || !errors.Is(err, tt.want) || o.ID == [32]byte{} || o.Expires.Before(time.Now()) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	s, err := c.Sign(t.Context(), []pb.Msg{probe("U")})
	if err != nil {
		t.Fatal(err)
	}
	srv.Close()
	c.Close()
	if _, sent, err := c.deliver(t.Context(), s); sent || !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody is there: %v, and it may have been taken in: %v", err, sent)
	}
}

// TestNotHeld: a node that began with a snapshot says to who sends a transaction again that it was executed, and cannot say with which outcome. That is neither a refusal nor a reason to sign
// the same anew.
func TestNotHeld(t *testing.T) {
	l, c := newLedger(t)
	l.trouble = func(_ int, executed bool) (int, string) {
		if executed {
			return http.StatusConflict, "E_NOT_HELD"
		}
		return 0, ""
	}
	if o, err := c.Send(t.Context(), probe("U")); o != nil || CodeOf(err) != "E_NOT_HELD" || l.executed != 1 {
		t.Errorf("%+v, %v, executed %d times", o, err, l.executed)
	}
}

// A refusal is one line that says nothing twice.
func TestOneLine(t *testing.T) {
	full := "E_MIN_PERIOD: too early (rule A3-3); passes on 2026-10-15; apply on or after that day"
	for _, p := range []*Problem{
		{Code: "E_MIN_PERIOD", Detail: "too early", Rule: "A3-3", PassesOn: "2026-10-15", Remedy: "apply on or after that day"},
		{Code: "E_MIN_PERIOD", Detail: full, Rule: "A3-3", PassesOn: "2026-10-15", Remedy: "apply on or after that day"},
	} {
		if p.Error() != full {
			t.Errorf("%q", p.Error())
		}
	}
	reason, remedy := bare("E_MIN_PERIOD", full, "A3-3", "2026-10-15", "")
	if reason != "too early" || remedy != "apply on or after that day" {
		t.Errorf("%q %q", reason, remedy)
	}
	if s := (&Problem{Code: "E_X", Detail: "two\nlines"}).Error(); strings.Contains(s, "\n") {
		t.Errorf("%q", s)
	}
}
