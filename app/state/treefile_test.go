package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// counted is a store that says how many leaves it has computed from rows since it was opened.
func counted(t *testing.T, o Options) (*Store, *atomic.Int64) {
	t.Helper()
	n := new(atomic.Int64)
	o.Bind = func(get Getter) (Binding, error) {
		b, err := testBind(get)
		value := b.Value
		b.Value = func(key, row []byte) (tree.Hash, error) { n.Add(1); return value(key, row) }
		return b, err
	}
	return mustOpen(t, o), n
}

func treeFilesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tree-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

// imageMade waits until no image is in the making and one is there.
func imageMade(t *testing.T, s *Store) uint64 {
	t.Helper()
	f := s.files
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.making {
		f.ended.Wait()
	}
	return f.image
}

// TestTreeFiles: a start takes the tree from its own files, whatever the blocks were, after a close and after a kill; images replace each other
// and only what is needed stays.
func TestTreeFiles(t *testing.T) {
	o := testOptions(tempDir(t))
	o.imageLeast = 2500
	m := newModel()
	images := map[uint64]bool{}
	for n := range 24 {
		s, computed := counted(t, o)
		if got := computed.Load(); got != 0 {
			t.Fatalf("open %d computed %d leaves from rows", n, got)
		}
		if err := m.check(s); err != nil {
			t.Fatal(err)
		}
		for range 1 + n%5 {
			if err := commitNext(s, &m); err != nil {
				t.Fatal(err)
			}
		}
		if n%3 == 0 { // else an image may be cut off
			images[imageMade(t, s)] = true
		}
		if n%2 == 0 {
			image := tempDir(t)
			copyFolder(t, o.Dir, image)
			o.Dir = image
		}
		s.Close()
		if names := treeFilesOf(t, o.Dir); len(names) > 4 { // an image, one in the making, two logs
			t.Fatalf("files %q", names)
		}
	}
	if delete(images, 0); len(images) < 4 {
		t.Errorf("images of %d heights only", len(images))
	}
}

// TestTreeFilesDamaged changes, cuts, removes and swaps the tree's files: the state is the same, and the next start has sound files again.
func TestTreeFilesDamaged(t *testing.T) {
	o := testOptions(tempDir(t))
	o.imageLeast = 1500
	m := newModel()
	s := mustOpen(t, o)
	older := ""
	for m.latest() < 30 {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
		imageMade(t, s)
		if m.latest() == 20 {
			older = tempDir(t)
			copyFolder(t, o.Dir, older)
		}
	}
	s.Close()
	names := treeFilesOf(t, o.Dir)
	if len(names) != 2 || !strings.HasSuffix(names[0], ".image") && !strings.HasSuffix(names[1], ".image") {
		t.Fatalf("files %q, want an image and a log", names)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const slow, quick, either = 1, 2, 3 // whether the tree is computed from the rows
	type damage struct {
		name string
		do   func(dir string) error
		how  int
	}
	damages := []damage{
		{"none", func(string) error { return nil }, quick},
		{"all gone", func(dir string) error { removeTreeFiles(t, dir); return nil }, slow},
		{"others' beside them", func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, "tree-00000000000000000099.image"), []byte("XLTI"), 0o600),
				os.WriteFile(filepath.Join(dir, "tree-00000000000000000099.log"), nil, 0o600), os.WriteFile(filepath.Join(dir, "tree-7.log"), nil, 0o600))
		}, quick},
		{"a part of an image", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "tree-00000000000000000030.image.making"), []byte("XLTI"), 0o600)
		}, quick},
		{"those of an older height", func(dir string) error {
			removeTreeFiles(t, dir)
			for _, name := range treeFilesOf(t, older) {
				if err := copySparse(filepath.Join(older, name), filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return nil
		}, slow},
		{"more at the end of the log", func(dir string) error {
			f, err := os.OpenFile(filepath.Join(dir, last(names, ".log")), os.O_WRONLY|os.O_APPEND, 0)
			if err == nil {
				_, err = f.Write(bytes.Repeat([]byte{7}, 500))
				f.Close()
			}
			return err
		}, quick},
	}
	for _, name := range names {
		damages = append(damages, damage{"no " + name, func(dir string) error { return os.Remove(filepath.Join(dir, name)) }, slow})
		content, err := os.ReadFile(filepath.Join(o.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			at, flip := rng.IntN(len(content)), rng.IntN(2) == 0
			if strings.HasSuffix(name, ".image") && at >= len(imageMagic) && at < imageHeadLen-8 {
				continue // height and root in the head are for people
			}
			how := slow
			if flip && strings.HasSuffix(name, ".image") {
				how = either // the log may change that leaf again
			}
			damages = append(damages, damage{fmt.Sprintf("%s at %d, flip %v", name, at, flip), func(dir string) error {
				b := bytes.Clone(content)
				if flip {
					b[at] ^= 0x10
				} else {
					b = b[:at]
				}
				return os.WriteFile(filepath.Join(dir, name), b, 0o600)
			}, how})
		}
	}
	for _, d := range damages {
		bad := o
		bad.Dir = tempDir(t)
		copyFolder(t, o.Dir, bad.Dir)
		if err := d.do(bad.Dir); err != nil {
			t.Fatal(err)
		}
		bad.ReadOnly = true
		s := mustOpen(t, bad)
		if err := m.check(s); err != nil {
			t.Errorf("%s, read only: %v", d.name, err)
		}
		s.Close()
		bad.ReadOnly = false
		s, computed := counted(t, bad)
		if n := computed.Load(); n > 0 && d.how == quick || n == 0 && d.how == slow {
			t.Errorf("%s: %d leaves were computed from rows", d.name, computed.Load())
		}
		full := m[:len(m):len(m)]
		if err := full.check(s); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		imageMade(t, s) // where the files began anew
		for range 3 {
			if err := commitNext(s, &full); err != nil {
				t.Fatalf("%s: %v", d.name, err)
			}
		}
		s.Close()
		s, computed = counted(t, bad)
		if n := computed.Load(); n > 0 {
			t.Errorf("%s: %d leaves were computed from rows again", d.name, n)
		}
		if err := full.check(s); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		s.Close()
	}
}

// TestTwoHeightsAfterOpen: a start has the tree of the newest height and of the one below, which the newest header proves: after a close, a kill and a rollback, and beside an
// image of the height below.
func TestTwoHeightsAfterOpen(t *testing.T) {
	for _, least := range []int64{1, 1 << 20} {
		o := testOptions(tempDir(t))
		o.imageLeast = least
		m := newModel()
		s := mustOpen(t, o)
		provable := func(how string) {
			t.Helper()
			for at, want := range map[uint64]bool{m.latest() - 2: false, m.latest() - 1: true, m.latest(): true} {
				v, ok := s.Version(at)
				if ok != want {
					t.Errorf("images from %d bytes on, %s: height %d of %d is provable: %v", least, how, at, m.latest(), ok)
				}
				if ok {
					if v.Root() != m[at].root() {
						t.Errorf("%s: height %d has root %x", how, at, v.Root())
					}
					v.Release()
				}
			}
			if err := m.check(s); err != nil {
				t.Error(err)
			}
		}
		commit := func(n int) {
			t.Helper()
			for range n {
				if err := commitNext(s, &m); err != nil {
					t.Fatal(err)
				}
				imageMade(t, s)
			}
		}
		// An image of the newest height knows one height: a block after it is on the disk with the next.
		aside := func() {
			t.Helper()
			for s.files.image == m.latest() {
				s.files.least = 1 << 20
				commit(1)
			}
		}
		commit(6)
		aside()
		image := tempDir(t)
		copyFolder(t, o.Dir, image)
		s.Close()
		s = mustOpen(t, o)
		provable("closed")
		s.Close()
		o.Dir = image
		s = mustOpen(t, o)
		provable("killed")
		imageMade(t, s)
		commit(3)
		aside()
		if err := rollbackTo(m.latest()-1)(s, &m); err != nil {
			t.Fatal(err)
		}
		if s.files.image < m.latest() {
			provable("rolled back")
		}
		s.Close()
	}
}

func last(names []string, suffix string) (found string) {
	for _, n := range names {
		if strings.HasSuffix(n, suffix) {
			found = n
		}
	}
	return found
}

// TestTreeLogTooLong: a record that says of itself that it is longer than its file takes no memory.
func TestTreeLogTooLong(t *testing.T) {
	o := testOptions(tempDir(t))
	s := mustOpen(t, o)
	m := newModel()
	for range 2 {
		if err := commitNext(s, &m); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	name := filepath.Join(o.Dir, last(treeFilesOf(t, o.Dir), logSuffix))
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(content[logHeadLen+recordHead-4:], 1<<24)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	mark := s.Latest()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, _, err := newTreeFiles(o).load(mark, Marker{}, 1, 0); !errors.Is(err, errNoTree) {
		t.Errorf("load: %v", err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("it took %d MB", took>>20)
	}
	s = mustOpen(t, o)
	defer s.Close()
	if err := m.check(s); err != nil {
		t.Fatal(err)
	}
}

// TestTreeFilesOfAnotherPast: files of blocks that a rollback has undone are not taken for those of the blocks that came in their place.
func TestTreeFilesOfAnotherPast(t *testing.T) {
	for _, least := range []int64{1, 1 << 20} {
		o := testOptions(tempDir(t))
		o.imageLeast = least
		m := newModel()
		s := mustOpen(t, o)
		for range 9 {
			if err := commitNext(s, &m); err != nil {
				t.Fatal(err)
			}
		}
		imageMade(t, s)
		past := tempDir(t)
		copyFolder(t, o.Dir, past)
		if err := rollbackTo(5)(s, &m); err != nil {
			t.Fatal(err)
		}
		for m.latest() < 9 {
			if err := m.commit(s, sampleBlock(500+m.latest(), 12)); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		s, computed := counted(t, o)
		if n := computed.Load(); n > 0 {
			t.Errorf("%d leaves were computed from rows", n)
		}
		if err := m.check(s); err != nil {
			t.Fatal(err)
		}
		s.Close()
		// Even where somebody puts them there: the root tells.
		removeTreeFiles(t, o.Dir)
		for _, name := range treeFilesOf(t, past) {
			if err := copySparse(filepath.Join(past, name), filepath.Join(o.Dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		s = mustOpen(t, o)
		if err := m.check(s); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}
