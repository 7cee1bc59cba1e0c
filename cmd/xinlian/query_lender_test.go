package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestQueryAskSaysWhatIsSpent: where no answer came to a question that was sent, a use of the authorisation may be spent and a receipt made. Where nothing was opened that
// shows in the exit code, with each remedy.
func TestQueryAskSaysWhatIsSpent(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	word := filepath.Join(work, "word")
	must(t, os.WriteFile(word, []byte("word"), 0o600))
	xinlian := programWith("XINLIAN_PASSPHRASE_FILE="+word, "XINLIAN_HOME="+work)
	xinlian(t, 0, "keys", "add", "bank")
	var answers atomic.Value // func(w http.ResponseWriter); a client that is cut off does not wait for who answers it
	answers.Store(func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/status" {
			fmt.Fprint(w, `{"chain_id":"test-ask","height":7}`)
			return
		}
		answers.Load().(func(w http.ResponseWriter))(w)
	}))
	defer s.Close()
	const firm = "91410100Y00100009T"
	old := filepath.Join(work, "old.xlr")
	must(t, os.WriteFile(old, []byte("of before"), 0o600))
	ask := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		return xinlian(t, code, append([]string{"query", "ask", firm, "--purpose", "pre_loan", "--node", s.URL, "--key", "bank", "--opening", old, "--retry-for", "0s"}, args...)...)
	}
	if _, stderr := ask(3, "--classes", "grade"); !strings.Contains(stderr, "query receipts "+firm) || strings.Contains(stderr, "nothing is lost") {
		t.Errorf("no answer: %s", stderr)
	}
	const said = `{"subject":"91410100Y00100009T","standing":{"subject":"91410100Y00100009T"},"attestation":"","restricted":null,"opening":null,"refused":[%s],"receipt":{"id":"07"},"as_of":{"height":7}}`
	answers.Store(func(w http.ResponseWriter) {
		fmt.Fprintf(w, said, `{"class":"grade","refusal":{"code":"E_AUTH_TERM","number":1,"rule":"INV-22","detail":"it begins later","remedy":"wait for the day","passes_on":"2026-08-01"}}`)
	})
	stdout, stderr := ask(1, "--classes", "grade")
	for _, part := range []string{"UNVERIFIED", "E_AUTH_TERM", "it begins later", "INV-22", "2026-08-01", "wait for the day"} {
		if !strings.Contains(stdout, part) {
			t.Errorf("%s is not shown:\n%s", part, stdout)
		}
	}
	if !strings.Contains(stderr, "none of the classes was opened") {
		t.Errorf("nothing opened: %s", stderr)
	}
	answers.Store(func(w http.ResponseWriter) { fmt.Fprintf(w, said, "") })
	if _, stderr := ask(1); !strings.Contains(stderr, old) {
		t.Errorf("the file of before: %s", stderr)
	}
	answers.Store(func(http.ResponseWriter) { t.Error("a use is spent on an answer that cannot be kept") })
	if _, stderr := ask(2, "--bundle", filepath.Join(work, "..", filepath.Base(work), "old.xlr")); !strings.Contains(stderr, "are one file") {
		t.Errorf("one file twice: %s", stderr)
	}
	s.Close()
	if _, stderr := ask(3, "--classes", "grade"); !strings.Contains(stderr, "nothing is lost") {
		t.Errorf("nobody there: %s", stderr)
	}
}
