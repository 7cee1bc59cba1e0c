package main

import (
	"os"
	"strings"
	"testing"
)

// TestMain lets the test binary be the program: localnet starts its nodes from the running executable.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-test.") {
		os.Exit(run(os.Args[1:]))
	}
	os.Setenv("LC_ALL", "C") // tests read English, whatever the machine speaks
	os.Exit(m.Run())
}
