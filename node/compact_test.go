package node

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCompactStale: a start compacts when the folder has grown, and only then; never an archive.
func TestCompactStale(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	c := lone(t)
	c.Settings.State.Retain = 2
	n := startNode(t, c)
	eventually(t, "some blocks are there", func() bool { return n.Height() > 6 })
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(c.Home, compactedFile)
	compacts := func(retain uint64, ratio float64, least int64) bool {
		t.Helper()
		n.config.Settings.State.Retain, n.config.Settings.State.CompactRatio = retain, ratio
		before, _ := os.ReadFile(note)
		was, _ := os.Stat(note)
		if err := n.compactStale("test-lone", least); err != nil {
			t.Fatal(err)
		}
		is, err := os.Stat(note)
		return err == nil && (was == nil || len(before) == 0 || !os.SameFile(was, is))
	}
	for _, tt := range []struct {
		what   string
		retain uint64
		ratio  float64
		least  int64
		want   bool
	}{
		{"turned off", 2, 0, 0, false},
		{"an archive", 0, 4, 0, false},
		{"a small folder", 2, 4, compactLeast, false},
		{"never compacted", 2, 4, 0, true},
		{"just compacted", 2, 4, 0, false},
	} {
		if got := compacts(tt.retain, tt.ratio, tt.least); got != tt.want {
			t.Errorf("%s: compacts %v, want %v", tt.what, got, tt.want)
		}
	}
	if err := os.WriteFile(note, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !compacts(2, 4, 0) {
		t.Error("a damaged note: no compaction")
	}
	n = startNode(t, c)
	at := n.Height()
	eventually(t, "it goes on", func() bool { return n.Height() > at+1 })
}
