package watch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Bounds of one owner.
const (
	WatchesMax  = 100     // lists
	SubjectsMax = 100_000 // firms, in all lists together
	IDMax       = 64      // bytes of a list's name
)

// Refusals.
var (
	ErrID         = fmt.Errorf("a watch has a name of 1 to %d characters of A-Z a-z 0-9 _ . -, not . or ..", IDMax)
	ErrUnknown    = errors.New("the owner has no such watch")
	ErrNotWatched = errors.New("the firm is not in the watch")
	ErrFull       = fmt.Errorf("an owner has at most %d watches and %d firms in all of them", WatchesMax, SubjectsMax)
)

// Digest of a standing that was acknowledged: SHA-256 of its bytes, of none for a firm that is not enrolled.
type Digest = [sha256.Size]byte

// Seen says which standing of a firm its lender has seen.
type Seen struct {
	Subject string
	Digest  Digest
}

// Watch is a list of firms.
type Watch struct {
	ID       string
	Subjects int
}

// Store is the folder. Many goroutines may use it, one process.
type Store struct {
	mu  sync.RWMutex // held for writing while a list changes
	dir string
	// rooted are the owners whose folder, and the one that it stands in, this process has put on the disk. Guarded by mu.
	rooted map[string]bool

	testingOnlyStep func(did string) // told of each step of a write, so that a test can end the process there
}

// New keeps lists below a folder, which is made with the first of them. What a crash has left of a list being written goes.
func New(dir string) *Store {
	if parts, err := filepath.Glob(filepath.Join(dir, "*", "*"+writing)); err == nil {
		for _, name := range parts {
			_ = os.Remove(name) // the next start tries again
		}
	}
	return &Store{dir: dir, rooted: map[string]bool{}}
}

const (
	ext     = ".watch"
	writing = ".writing"
)

// row is a firm of a list.
type row struct {
	subject string
	seen    *Digest // nil: nothing was acknowledged
}

func byCode(r row, uscc string) int { return strings.Compare(r.subject, uscc) }

// CheckID refuses a name that is none, whoever asks: it becomes the name of a file, and a part of a path, in which . and .. name something else.
func CheckID(id string) error {
	for _, c := range []byte(id) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return ErrID
		}
	}
	if id == "" || id == "." || id == ".." || len(id) > IDMax {
		return ErrID
	}
	return nil
}

func (s *Store) file(owner, id string) string { return filepath.Join(s.dir, owner, id+ext) }

// read gives the firms of a list, by code.
func (s *Store) read(owner, id string) ([]row, error) {
	if err := CheckID(id); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(s.file(owner, id))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrUnknown
	case err != nil:
		return nil, err
	}
	rows := make([]row, 0, bytes.Count(raw, []byte("\n")))
	for line := range strings.Lines(string(raw)) {
		code, digest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		r := row{subject: code}
		if digest != "-" {
			b, err := hex.DecodeString(digest)
			if ok = ok && err == nil && len(b) == len(Digest{}); ok {
				r.seen = (*Digest)(b)
			}
		}
		if !ok || len(rows) > 0 && rows[len(rows)-1].subject >= code {
			return nil, fmt.Errorf("line %d of %s is damaged: mend it or remove the file", len(rows)+1, s.file(owner, id))
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (s *Store) step(did string) {
	if s.testingOnlyStep != nil {
		s.testingOnlyStep(did)
	}
}

// write puts a list in the place of the one before, whole or not at all, and on the disk. A crash before the rename leaves the list as it was, and a file that New
// removes; one after it the new list, which nobody was told of yet.
func (s *Store) write(owner, id string, rows []row) (err error) {
	var b bytes.Buffer
	for _, r := range rows {
		digest := "-"
		if r.seen != nil {
			digest = hex.EncodeToString(r.seen[:])
		}
		b.WriteString(r.subject + " " + digest + "\n")
	}
	dir := filepath.Join(s.dir, owner)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s.step("folder")
	f, err := os.CreateTemp(dir, "*"+writing)
	if err != nil {
		return err
	}
	s.step("file")
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b.Bytes())
	s.step("bytes")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	s.step("sync")
	if err := os.Rename(f.Name(), s.file(owner, id)); err != nil {
		return err
	}
	s.step("rename")
	if err := s.syncDir(dir); err != nil || s.rooted[owner] {
		return err
	}
	// A folder may be young, and is not on the disk before the one that it stands in is.
	if err := errors.Join(s.syncDir(s.dir), s.syncDir(filepath.Dir(s.dir))); err != nil {
		return err
	}
	s.rooted[owner] = true
	return nil
}

func (s *Store) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = errors.Join(d.Sync(), d.Close())
	s.step("sync of " + filepath.Base(dir))
	return err
}

// List gives the watches of an owner, by id.
func (s *Store) List(owner string) ([]Watch, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.list(owner)
}

func (s *Store) list(owner string) (out []Watch, err error) {
	files, err := os.ReadDir(filepath.Join(s.dir, owner))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ext)
		if !ok || CheckID(id) != nil {
			continue // what a crash left of one being written, or an older program took
		}
		rows, err := s.read(owner, id)
		if err != nil {
			return nil, err
		}
		out = append(out, Watch{id, len(rows)})
	}
	slices.SortFunc(out, func(a, b Watch) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Add puts firms into a watch, and makes it where there is none. Those that are in it stay as they are.
func (s *Store) Add(owner, id string, subjects []string) (Watch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.read(owner, id)
	known := err == nil
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Watch{}, err
	}
	before := len(rows)
	var more []row
	for _, uscc := range subjects {
		if _, in := slices.BinarySearchFunc(rows, uscc, byCode); !in {
			more = append(more, row{subject: uscc})
		}
	}
	rows = append(rows, more...)
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.subject, b.subject) })
	rows = slices.CompactFunc(rows, func(a, b row) bool { return a.subject == b.subject })
	if !known || len(rows) > before {
		all, err := s.list(owner)
		if err != nil {
			return Watch{}, err
		}
		total := len(rows) - before
		for _, w := range all {
			total += w.Subjects
		}
		if total > SubjectsMax || !known && len(all) == WatchesMax {
			return Watch{}, ErrFull
		}
		if err := s.write(owner, id, rows); err != nil {
			return Watch{}, err
		}
	}
	return Watch{id, len(rows)}, nil
}

// Remove takes firms out of a watch, with what was acknowledged of them. Those that are not in it are passed over.
func (s *Store) Remove(owner, id string, subjects []string) (Watch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.read(owner, id)
	if err != nil {
		return Watch{}, err
	}
	out := make(map[string]bool, len(subjects))
	for _, uscc := range subjects {
		out[uscc] = true
	}
	before := len(rows)
	if rows = slices.DeleteFunc(rows, func(r row) bool { return out[r.subject] }); len(rows) < before {
		err = s.write(owner, id, rows)
	}
	return Watch{id, len(rows)}, err
}

// Drop deletes a watch, also from the disk.
func (s *Store) Drop(owner, id string) error {
	if err := CheckID(id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.Remove(s.file(owner, id))
	s.step("remove")
	if errors.Is(err, fs.ErrNotExist) {
		return ErrUnknown
	}
	if err == nil {
		err = s.syncDir(filepath.Join(s.dir, owner))
	}
	return err
}

// Subjects visits the firms of a watch behind one, by code, with the digest that was last acknowledged; nil: none was.
func (s *Store) Subjects(owner, id, behind string, fn func(uscc string, seen *Digest) (more bool)) error {
	s.mu.RLock()
	rows, err := s.read(owner, id)
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.subject > behind && !fn(r.subject, r.seen) {
			break
		}
	}
	return nil
}

// Ack notes which standings the owner has seen: all of them, or none where one is of a firm that is not in the watch.
func (s *Store) Ack(owner, id string, seen []Seen) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.read(owner, id)
	if err != nil {
		return err
	}
	for _, a := range seen {
		i, in := slices.BinarySearchFunc(rows, a.Subject, byCode)
		if !in {
			return fmt.Errorf("%w: %s", ErrNotWatched, a.Subject)
		}
		rows[i].seen = &a.Digest
	}
	return s.write(owner, id, rows)
}
