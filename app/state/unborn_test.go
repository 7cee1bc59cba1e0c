package state

import (
	"os"
	"path/filepath"
	"testing"
)

// TestUnbornLogs opens folders in which a process was killed between the making of a log file and its sizing: Badger alone would refuse them.
func TestUnbornLogs(t *testing.T) {
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(tempDir(t))
			s := mustOpen(t, o)
			m := newModel()
			for range 3 {
				if err := m.commit(s, paddedBlock(m.latest()+1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(o.Dir, name)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s = mustOpen(t, o)
				if err := m.check(s); err != nil {
					t.Fatal(err)
				}
				if err := m.commit(s, paddedBlock(m.latest()+1)); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
