package watch

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	crashDirEnv  = "XINLIAN_TEST_WATCHES"
	crashStepEnv = "XINLIAN_TEST_WATCHES_STEP" // how many steps this process lives
)

// content is all that a store says.
func content(t *testing.T, s *Store) string {
	t.Helper()
	var out []string
	for _, owner := range []string{lender, other} {
		list, err := s.List(owner)
		must(t, err)
		for _, w := range list {
			out = append(out, fmt.Sprintln(owner, w))
			must(t, s.Subjects(owner, w.ID, "", func(uscc string, seen *Digest) bool {
				if seen != nil {
					out = append(out, fmt.Sprintf("%s %x\n", uscc, *seen))
				} else {
					out = append(out, uscc+"\n")
				}
				return true
			}))
		}
	}
	return strings.Join(out, "")
}

// calls are what a lender does in a life of the store.
var calls = []func(s *Store) error{
	func(s *Store) error { _, err := s.Add(lender, "a", firms(0, 3)); return err },
	func(s *Store) error { return s.Ack(lender, "a", []Seen{{firms(1, 2)[0], sha256.Sum256([]byte("x"))}}) },
	func(s *Store) error { _, err := s.Add(lender, "a", firms(2, 5)); return err },
	func(s *Store) error { _, err := s.Add(other, "b", firms(0, 1)); return err },
	func(s *Store) error { _, err := s.Remove(lender, "a", firms(0, 2)); return err },
	func(s *Store) error { return s.Drop(other, "b") },
	func(s *Store) error { return s.Ack(lender, "a", []Seen{{firms(2, 3)[0], sha256.Sum256([]byte("y"))}}) },
}

// TestKilledAtEachWrite: the process is killed after each step of each write once. What it had answered is there after the restart; what it was about is there
// whole or not at all; nothing else lies in the folder.
func TestKilledAtEachWrite(t *testing.T) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		left, err := strconv.Atoi(os.Getenv(crashStepEnv))
		must(t, err)
		s := New(dir)
		s.OnStep(func(string) {
			if left--; left == 0 {
				self, err := os.FindProcess(os.Getpid())
				must(t, err)
				must(t, self.Kill())
				select {}
			}
		})
		for i, call := range calls {
			must(t, call(s))
			fmt.Println("answered", i)
		}
		return
	}
	var states []string // before the first call and after each
	whole := New(t.TempDir())
	steps := 0
	whole.OnStep(func(string) { steps++ })
	states = append(states, content(t, whole))
	for _, call := range calls {
		must(t, call(whole))
		states = append(states, content(t, whole))
	}
	if steps < 5*(len(calls)-1)+1 {
		t.Fatalf("%d steps: this test sees too little", steps)
	}
	unanswered := 0
	for step := 1; step <= steps; step++ {
		dir := filepath.Join(t.TempDir(), "watches")
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledAtEachWrite$")
		cmd.Env = append(os.Environ(), crashDirEnv+"="+dir, crashStepEnv+"="+strconv.Itoa(step))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		answered := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "answered ") {
				answered++
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("step %d: the process was not killed", step)
		}
		if answered == len(calls) {
			t.Fatalf("step %d: the process died of something else", step)
		}
		got := content(t, New(dir))
		switch i := slices.Index(states, got); {
		case i == answered+1 && got != states[answered]:
			unanswered++
		case got != states[answered]:
			t.Errorf("killed at step %d, after %d answers:\n%s\nbefore it:\n%s\nafter it:\n%s", step, answered, got, states[answered], states[answered+1])
		}
		for _, parts := range partsIn(t, dir) {
			t.Errorf("killed at step %d: %s is left after the restart", step, parts)
		}
	}
	if unanswered == 0 {
		t.Error("no list was written and not answered: this test sees too little")
	}
}

// partsIn are the files of a folder that are no lists.
func partsIn(t *testing.T, dir string) (out []string) {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		return nil // killed before the first
	}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ext {
			out = append(out, path)
		}
		return err
	}))
	return out
}
