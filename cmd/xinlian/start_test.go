package main

import (
	"runtime"
	"testing"

	"github.com/xinlian-ledger/xinlian/node"
)

// Threads are two a processor and long work one, unless the operator has said how many.
func TestSpread(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	for _, tt := range []struct {
		env                       string
		workers, threads, working int
	}{
		{"", 0, 2 * was, was},
		{"", 1, 2 * was, 1},
		{"3", 0, was, 0}, // the runtime has read it
	} {
		runtime.GOMAXPROCS(was)
		t.Setenv("GOMAXPROCS", tt.env)
		var c node.Config
		c.Settings.State.Workers = tt.workers
		spread(&c)
		if n := runtime.GOMAXPROCS(0); n != tt.threads || c.Settings.State.Workers != tt.working {
			t.Errorf("%+v: %d threads, %d workers", tt, n, c.Settings.State.Workers)
		}
	}
}
