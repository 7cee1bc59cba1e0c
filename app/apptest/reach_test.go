package apptest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
)

// TestEveryRefusalIsReached holds that each refusal that a block can answer stands in an answer of some script, here or at its module, or in a Go
// test of this package. A refusal that nothing reaches is a rule that nobody has seen.
func TestEveryRefusalIsReached(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`\bE_[A-Z0-9_]+`)
	seen := map[string]bool{}
	for _, root := range []string{"testdata/scripts", "../../x"} {
		must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(filepath.ToSlash(path), "testdata/") {
				return err
			}
			raw, err := os.ReadFile(path)
			for _, c := range code.FindAllString(string(raw), -1) {
				seen[c] = true
			}
			return err
		}))
	}
	files, err := filepath.Glob("*_test.go")
	must(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		must(t, err)
		for _, c := range code.FindAllString(string(raw), -1) {
			seen[c] = true
		}
	}
	n := 0
	for _, r := range x.Refusals() {
		if r.Number >= 9000 {
			continue // the gateway's own
		}
		n++
		if !seen[r.Code] {
			t.Errorf("no script or test reaches %d %s: %s", r.Number, r.Code, r.Text)
		}
	}
	if n < 90 {
		t.Errorf("only %d refusals are declared: a package is missing from this test's imports", n)
	}
}
