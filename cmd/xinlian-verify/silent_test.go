package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// TestSilentNode: a node that takes a connection and says nothing is not waited for as long as a transfer may take.
func TestSilentNode(t *testing.T) {
	before := silenceMax
	silenceMax = 50 * time.Millisecond
	defer func() { silenceMax = before }()
	over := make(chan struct{})
	node := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer node.Close()
	defer close(over)
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{
		{"fetch", "--subject", SubjectClean},
		{"fetch", "--subject", SubjectClean + "," + SubjectPunished},
		{"pack", "fetch", "--set", "serious"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(append(args, "--node", node.URL, "--out", out, "--lang", "en"), &stdout, &stderr)
		if code != exitNode || !strings.Contains(stderr.String(), "was not reached: nothing came in time") || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: exit code %d, %s", args, code, stderr.String())
		}
	}
}
