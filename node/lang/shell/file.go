package shell

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is a file on its way: beside its place until it is whole. What stood in the place stays until then.
type File struct {
	name   string
	f      *os.File // nil: the name stands for a device or a pipe, which is written as it is
	target string   // where a link leads
}

// Begin makes room for a file before that is fetched which it will hold: a folder that takes none is told at once. The caller ends it with Finish or Drop.
func Begin(name string) (*File, error) {
	target := name
	if to, err := filepath.EvalSymlinks(name); err == nil {
		target = to
	}
	if there, err := os.Stat(target); err == nil && there.IsDir() {
		return nil, at(name, syscall.EISDIR)
	} else if err == nil && !there.Mode().IsRegular() {
		return &File{name: name}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".xinlian-*")
	if err != nil {
		return nil, at(name, err)
	}
	return &File{name, f, target}, nil
}

// Finish writes the file, whole and on the disk, or not at all.
func (f *File) Finish(raw []byte, mode fs.FileMode) error {
	if f.f == nil {
		return os.WriteFile(f.name, raw, mode)
	}
	_, err := f.f.Write(raw)
	err = errors.Join(err, f.f.Chmod(mode), f.f.Sync(), f.f.Close())
	if err == nil {
		err = os.Rename(f.f.Name(), f.target)
	}
	if err != nil {
		os.Remove(f.f.Name())
		return at(f.name, err)
	}
	return nil
}

// Drop leaves the place as it is. After Finish it does nothing.
func (f *File) Drop() {
	if f.f != nil && f.f.Close() == nil {
		os.Remove(f.f.Name())
	}
}

// WriteFile writes a file whole and on the disk, or not at all.
func WriteFile(name string, raw []byte, mode fs.FileMode) error {
	f, err := Begin(name)
	if err != nil {
		return err
	}
	return f.Finish(raw, mode)
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
