package state

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// fewerChecks lowers rapid's default of 100 runs for tests that open folders. -rapid.checks=N still decides when given.
func fewerChecks(t *testing.T) {
	const byDefault = "100"
	if f := flag.Lookup("rapid.checks"); f.Value.String() == byDefault {
		if err := flag.Set(f.Name, "25"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { flag.Set(f.Name, byDefault) })
	}
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

// copyFolder copies what a process killed at this moment leaves. Badger writes and removes files in the background, so a
// copy counts only if the folder was the same before and after. Runs of zeros become holes: Badger's files are mapped at
// many times their content.
func copyFolder(t fataler, from, to string) {
	t.Helper()
	for {
		before := listing(t, from)
		for name := range strings.Lines(before) {
			name = strings.TrimSuffix(name, "\n")
			if name == "" {
				break
			}
			if err := copySparse(filepath.Join(from, name), filepath.Join(to, name)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if listing(t, from) == before {
			return
		}
		files, err := os.ReadDir(to)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.Remove(filepath.Join(to, f.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// listing is the names of the files in dir, one a line, an empty line, and the content of the manifest.
func listing(t fataler, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range files {
		b.WriteString(f.Name() + "\n")
	}
	manifest, err := os.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n" + string(manifest)
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

// removeTreeFiles leaves a folder from which the tree must be computed.
func removeTreeFiles(t fataler, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tree-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// boundTable is the prefix of the rows that have a leaf in these tests: leafRow(key) is bound by the leaf of key, whose value
// has the hash of the row.
const boundTable = "L"

func leafRow(key string) []byte { return []byte(boundTable + key) }

func testBind(Getter) (Binding, error) {
	return Binding{
		Tables: [][]byte{[]byte(boundTable)},
		Key:    func(key []byte) []byte { return bytes.Clone(key[len(boundTable):]) },
		Value:  func(_, row []byte) (tree.Hash, error) { return tree.ValueHash(row), nil },
	}, nil
}

func sortLeaves(leaves []tree.Leaf) {
	slices.SortFunc(leaves, func(a, b tree.Leaf) int { return bytes.Compare(a.Path[:], b.Path[:]) })
}
