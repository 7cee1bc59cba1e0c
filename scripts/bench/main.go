package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// verbs print one JSON object each, but for table.
var verbs = map[string]func(ctx context.Context, args []string) (any, error){
	"table":   runTable,
	"state":   runState,
	"iavl":    runIAVL,
	"kvstore": runKVStore,
	"kvnode":  runKVNode, // the process of kvstore
	"open":    runOpen,
	"restart": runRestart,
	"logs":    runLogs, // the first process of restart
	"compact": runCompact,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench table|state|iavl|kvstore|open|restart|compact [--help]")
		os.Exit(2)
	}
	out, err := verbs[os.Args[1]](ctx, os.Args[2:])
	if err == nil && out != nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// flags of a verb.
func flags(name string) *flag.FlagSet { return flag.NewFlagSet("bench "+name, flag.ExitOnError) }

// temp is dir, or a folder that done removes.
func temp(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "xinlian-bench-")
	return dir, func() { os.RemoveAll(dir) }, err
}

// cpu is the processor time that this process has used, all its threads together.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of this process now.
func resident() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// status is a line of /proc/self/status that gives a size; 0 where there is none.
func status(name string) int64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			var kilobytes int64
			if _, err := fmt.Sscan(rest, &kilobytes); err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
