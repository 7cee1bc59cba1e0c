//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOneWitnessAtATime: while a run is at work no other signs with its file, by whatever name; a run that was broken off stands in nobody's way.
func TestOneWitnessAtATime(t *testing.T) {
	dir := t.TempDir()
	state, link := filepath.Join(dir, "state"), filepath.Join(dir, "link")
	if err := os.Symlink("state", link); err != nil {
		t.Fatal(err)
	}
	other, err := os.OpenFile(state+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	next := cosigned{Height: 7, Hash: []byte{7}, Last: []byte{6}}
	remember := func(name string) error { return (&witnessing{state: name}).remember("test", next) }
	refused := func(when, name string) {
		t.Helper()
		if err := remember(name); err == nil || !strings.Contains(err.Error(), "another run of this witness is at work with "+name) {
			t.Errorf("%s, by %s: %v", when, filepath.Base(name), err)
		}
	}
	refused("before there is a file", state)
	refused("before there is a file", link)
	if err := os.WriteFile(state, []byte(`{"chain_id":"test","height":6,"hash":"Bg==","floor":5,"cosigned":[{"height":6,"hash":"Bg==","last":null}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("beside the file", state)
	refused("beside the file", link)
	if err := other.Close(); err != nil { // as a kill does
		t.Fatal(err)
	}
	for _, name := range []string{state, link} {
		if err := remember(name); err != nil {
			t.Errorf("after a run that was broken off, by %s: %v", filepath.Base(name), err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}
