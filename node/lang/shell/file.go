package shell

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is a file on its way: beside its place until it is whole. What stood in the place stays until then.
type File struct {
	name   string
	f      *os.File // nil: the name stands for a device or a pipe, which is written as it is
	target string   // where links lead
}

// linksMost is how many links a name may lead over, as on Linux.
const linksMost = 40

// Target follows the links of a name, also to a file that is not there yet. Its folder is there.
func Target(name string) (string, error) {
	for range linksMost {
		dir, err := filepath.EvalSymlinks(filepath.Dir(name))
		if err == nil {
			dir, err = filepath.Abs(dir)
		}
		if err != nil {
			return "", err
		}
		name = filepath.Join(dir, filepath.Base(name))
		to, err := os.Readlink(name)
		if err != nil { // no link
			return name, nil
		}
		if name = to; !filepath.IsAbs(to) {
			name = filepath.Join(dir, to)
		}
	}
	return "", syscall.ELOOP
}

// Begin makes room for a file before that is fetched which it will hold: a folder that takes none, and a file that may not be written, are told at once. A new file has
// the mode, less what the umask takes away; one that is there keeps its own, but of what its owner alone may read nobody else gets anything. The caller ends it with Finish
// or Drop.
func Begin(name string, mode fs.FileMode) (*File, error) {
	there, err := os.Stat(name)
	keeps := err == nil
	switch {
	case keeps && there.IsDir():
		return nil, at(name, syscall.EISDIR)
	case keeps && !there.Mode().IsRegular():
		return &File{name: name}, nil
	}
	target, err := Target(name)
	made, kept := mode, mode
	if err == nil && keeps {
		if made, kept = 0o600, there.Mode().Perm(); mode&0o077 == 0 {
			kept &= 0o700
		}
		err = writable(target, there)
	}
	if err != nil {
		return nil, at(name, err)
	}
	f, err := beside(target, made)
	if err == nil && keeps {
		if err = f.Chmod(kept); err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}
	if err != nil {
		return nil, at(name, err)
	}
	return &File{name, f, target}, nil
}

// writable says what stands against writing a file that is there: it is replaced, which asks nobody.
func writable(name string, there fs.FileInfo) error {
	if there.Mode()&0o200 == 0 {
		return syscall.EACCES
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// beside makes an empty file beside another, as the umask has it.
func beside(name string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(filepath.Join(filepath.Dir(name), ".xinlian-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// Same says whether two files have one place: the second would take the place of the first.
func (f *File) Same(other *File) bool {
	return f.f != nil && other.f != nil && f.target == other.target
}

// Clear takes away what stands in the place, so that nobody takes it for what this file will hold. A mount of its own is emptied.
func (f *File) Clear() error {
	if f.f == nil {
		return nil
	}
	err := os.Remove(f.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.EBUSY):
		err = os.Truncate(f.target, 0)
	}
	if err != nil {
		return at(f.name, err)
	}
	return nil
}

// Finish writes the file, whole and on the disk, or not at all; but see over.
func (f *File) Finish(raw []byte) error {
	if f.f == nil {
		return os.WriteFile(f.name, raw, 0o600)
	}
	_, err := f.f.Write(raw)
	err = errors.Join(err, f.f.Sync(), f.f.Close())
	if err == nil {
		err = os.Rename(f.f.Name(), f.target)
		if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) {
			return f.over(raw)
		}
	}
	if err != nil {
		os.Remove(f.f.Name())
		return at(f.name, err)
	}
	if folder, err := os.Open(filepath.Dir(f.target)); err == nil {
		_ = folder.Sync() // the new name is on the disk, where a system can do that
		_ = folder.Close()
	}
	return nil
}

// over writes the file into its place, where another cannot take that: it is a mount of its own, as single files in containers are. Meanwhile the place holds a part; what is whole
// stays beside it until that is over, and after a crash or where there was no room.
func (f *File) over(raw []byte) error {
	to, err := os.OpenFile(f.target, os.O_WRONLY|os.O_TRUNC, 0)
	if err == nil {
		_, err = to.Write(raw)
		err = errors.Join(err, to.Sync(), to.Close())
	}
	if err != nil {
		return fmt.Errorf("%w; it is whole in %s", at(f.name, err), f.f.Name())
	}
	return os.Remove(f.f.Name())
}

// Drop leaves the place as it is. After Finish it does nothing, nor of no file.
func (f *File) Drop() {
	if f != nil && f.f != nil && f.f.Close() == nil {
		os.Remove(f.f.Name())
	}
}

// WriteFile writes a file whole and on the disk, or not at all.
func WriteFile(name string, raw []byte, mode fs.FileMode) error {
	f, err := Begin(name, mode)
	if err != nil {
		return err
	}
	return f.Finish(raw)
}

// at names the file that was asked for: the one beside it is nobody's concern.
func at(name string, err error) error {
	var path *fs.PathError
	var moved *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &moved):
		err = moved.Err
	}
	return &fs.PathError{Op: "write", Path: name, Err: err}
}
