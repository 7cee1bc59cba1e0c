package state

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const killFolder = "XINLIAN_STATE_TEST_KILL_FOLDER"

// paddedBlock is sampleBlock with about 1 MB of rows, so that Badger flushes and compacts all the time.
func paddedBlock(n uint64) block {
	b := sampleBlock(n, 12)
	for i := range 60 {
		b = append(b, op{key: fmt.Sprintf("pad/%02d", (n*7+uint64(i))%90), value: strings.Repeat(fmt.Sprintf("%016d", n), 1024)})
	}
	return b
}

func paddedModel(latest uint64) model {
	m := newModel()
	for m.latest() < latest {
		m.apply(paddedBlock(m.latest() + 1))
	}
	return m
}

// TestKill kills a process that commits block after block, again and again on one folder. What it said to be committed
// must be there, as a whole, with the content of a node that never stopped.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killFolder); dir != "" {
		commitForever(t, dir)
		return
	}
	o := testOptions(tempDir(t))
	o.Retain = 3
	rng := rand.New(rand.NewPCG(1, 2))
	last := uint64(0)
	for range 8 {
		said := last
		killAt(t, o.Dir, 1+rng.IntN(25), func(line string) bool {
			_, err := fmt.Sscanf(line, "committed %d", &said)
			return err == nil
		})
		s := mustOpen(t, o)
		found := s.Latest().Height
		if found < said {
			t.Fatalf("marker is at %d, the process had committed %d", found, said)
		}
		m := paddedModel(found)
		if err := m.check(s); err != nil {
			t.Fatal(err)
		}
		if err := s.CheckFiles(); err != nil {
			t.Fatal(err)
		}
		s.Close()
		last = found
	}
	if last < 20 {
		t.Errorf("only %d blocks were committed", last)
	}
}

// killAt lets a process of the test that asks work on a folder, and kills it at so many lines, each of which is as it should be.
func killAt(t *testing.T, dir string, lines int, right func(line string) bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), killFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for said := bufio.NewScanner(out); lines > 0 && said.Scan(); lines-- {
		if !right(said.Text()) {
			t.Fatalf("the process says %q", said.Text())
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
}

// TestKillRollback kills a process that rolls blocks back and makes them again, most of whose time goes into that: in Badger's merging too. What it leaves is a height between,
// as a whole.
func TestKillRollback(t *testing.T) {
	const heights = 5
	if dir := os.Getenv(killFolder); dir != "" {
		rollBackForever(t, dir, heights)
		return
	}
	o := testOptions(tempDir(t))
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 12 {
		killAt(t, o.Dir, 1+rng.IntN(12), func(line string) bool { return strings.HasPrefix(line, "at ") })
		if round%2 == 1 {
			loseOrder(t, o.Dir)
		}
		s := mustOpen(t, o)
		m := paddedModel(s.Latest().Height)
		if err := m.check(s); err != nil {
			t.Fatal(err)
		}
		for m.latest() < heights { // past what was taken back
			if err := m.commit(s, paddedBlock(m.latest()+1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.check(s); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

func rollBackForever(t *testing.T, dir string, heights uint64) {
	s := mustOpen(t, testOptions(dir))
	rng := rand.New(rand.NewPCG(rand.Uint64(), 5))
	for {
		m := paddedModel(s.Latest().Height)
		for m.latest() < heights {
			if err := m.commit(s, paddedBlock(m.latest()+1)); err != nil {
				t.Fatal(err)
			}
		}
		to := 1 + rng.Uint64N(heights-1)
		if _, err := fmt.Printf("at %d, back to %d\n", heights, to); err != nil {
			os.Exit(1) // nobody listens
		}
		if err := s.Rollback(to); err != nil {
			t.Fatal(err)
		}
	}
}

func commitForever(t *testing.T, dir string) {
	o := testOptions(dir)
	o.Retain = 3
	s := mustOpen(t, o)
	m := paddedModel(s.Latest().Height)
	for {
		if err := m.commit(s, paddedBlock(m.latest()+1)); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Printf("committed %d\n", m.latest()); err != nil {
			os.Exit(1) // nobody listens
		}
	}
}
