package state

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// TestMain lowers rapid's default of 100 runs: a run opens folders. -rapid.checks=N still decides when given.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// fataler is testing.TB or *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

func tempDir(t fataler) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "state-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func mustOpen(t fataler, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// copyFolder copies what a process killed at this moment leaves. Runs of zeros become holes: Badger's files are mapped
// at many times their content.
func copyFolder(t fataler, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := copySparse(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	buf, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	var at int64
	for {
		n, err := io.ReadFull(in, buf)
		if n > 0 && !bytes.Equal(buf[:n], zeros[:n]) {
			if _, err := out.WriteAt(buf[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return out.Truncate(at)
		}
		if err != nil {
			return err
		}
	}
}

var rewrite = flag.Bool("rewrite", false, "write golden files; review the difference like code")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s says\n%s\nand now it is\n%s", path, want, got)
	}
}

func sortLeaves(leaves []tree.Leaf) {
	slices.SortFunc(leaves, func(a, b tree.Leaf) int { return bytes.Compare(a.Path[:], b.Path[:]) })
}
