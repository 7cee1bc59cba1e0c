package apptest

import (
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs every script under testdata. With -rewrite the answers are written anew: read the difference line by line before it is
// committed.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		t.Parallel()
		RunFile(t, path)
	})
}
