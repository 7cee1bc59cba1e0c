package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

// processors is what a process of this machine begins with; go test -cpu gives tests more or less.
var processors = runtime.GOMAXPROCS(0)

// TestMain lets the test binary be the program: localnet starts its nodes from the running executable.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-test.") {
		os.Exit(run(os.Args[1:]))
	}
	os.Setenv("LC_ALL", "C") // tests read English, whatever the machine speaks
	// Tests wait for nodes more than they compute: one more than there are processors run side by side, unless -parallel says how many.
	if err := flag.Set("test.parallel", strconv.Itoa(processors+1)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestInterruptedVerb: a verb that a signal ends has no verdict. The exit code 1 of fsck says that a home is damaged.
func TestInterruptedVerb(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := [][]string{{"query", "params", "--node", "http://127.0.0.1:1"}}
	if !testing.Short() { // starts a process
		calls = append(calls, []string{"localnet", "up", "--dir", filepath.Join(t.TempDir(), "net"), "--validators", "1"})
	}
	for _, args := range calls {
		if code := execute(ctx, args); code != shell.ExitInterrupted {
			t.Errorf("%v: exit code %d, want %d", args, code, shell.ExitInterrupted)
		}
	}
}
