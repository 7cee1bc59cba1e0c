//go:build !unix

package main

import (
	"errors"
	"os"
)

// lock takes a lock file for this process, or says that there is one. A run that was broken off leaves it, and somebody has to remove it.
func lock(name string) (release func() error, taken bool, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, errors.Is(err, os.ErrExist), err
	}
	return func() error { return errors.Join(f.Close(), os.Remove(name)) }, false, nil
}
