package tidy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestParametersAreRead: a parameter that no rule reads would let governance vote on nothing. Those with a single allowed value state a rule and may
// stand alone.
func TestParametersAreRead(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "x", "catalog", "params.go"))
	if err != nil {
		t.Fatal(err)
	}
	// name, label, default, min, max
	rows := regexp.MustCompile(`(?m)^\t\{"([a-z_]+)", "[^"]*", ([^,]+), ([^,]+), ([^,]+), `).FindAllStringSubmatch(string(raw), -1)
	if len(rows) < 10 {
		t.Fatalf("only %d parameters were found in x/catalog/params.go; has its form changed?", len(rows))
	}
	var source strings.Builder
	for _, dir := range []string{"x", "app"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || d.Name() == "params.go" {
				return err
			}
			raw, err := os.ReadFile(path)
			source.Write(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range rows {
		if r[3] != r[4] && !strings.Contains(source.String(), `"`+r[1]+`"`) {
			t.Errorf("parameter %s is read by no rule; add it together with the rule that reads it", r[1])
		}
	}
}
