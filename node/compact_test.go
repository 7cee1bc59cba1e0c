package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDaily: once a minute, in the window after the moment, by the day of UTC+08:00.
func TestDaily(t *testing.T) {
	at := func(clock string) time.Time {
		v, err := time.Parse("2006-01-02 15:04:05 -0700", "2026-11-26 "+clock+" +0800")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		moment, now string
		want        bool
	}{
		{"02:30", "02:29:59", false},
		{"02:30", "02:30:00", true},
		{"02:30", "02:59:59", true},
		{"02:30", "03:00:00", false},
		{"02:30", "14:30:00", false},
		{"00:00", "00:00:00", true},
		{"00:00", "23:59:59", false},
		{"23:50", "00:10:00", true},
		{"23:50", "00:20:00", false},
	} {
		minute, err := StateSettings{CompactAt: tt.moment}.compactMinute()
		if err != nil {
			t.Fatal(err)
		}
		d := &daily{minute: minute}
		if got := d.due(at(tt.now)); got != tt.want {
			t.Errorf("%s at %s: %v", tt.moment, tt.now, got)
		}
		if d.due(at(tt.now)) {
			t.Errorf("%s at %s: twice", tt.moment, tt.now)
		}
		if tt.want && (!d.firstWarning() || d.firstWarning()) {
			t.Errorf("%s at %s: warned not once", tt.moment, tt.now)
		}
	}
	if (*daily)(nil).due(at("02:30:00")) {
		t.Error("no moment is due")
	}
}

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
