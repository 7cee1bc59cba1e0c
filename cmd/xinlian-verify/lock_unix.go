//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// lock takes a lock file for this process, or says that another has it. It ends with the process, however that ends; the file stays.
func lock(name string) (release func() error, taken bool, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.Is(err, syscall.EWOULDBLOCK), err
	}
	return f.Close, false, nil
}
