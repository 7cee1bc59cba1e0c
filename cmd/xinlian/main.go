// Command xinlian is the program of a member agency: it runs a node, keeps keys, imports files, signs and asks; for a developer it
// runs a whole consortium on one machine. One file a verb; root.go lists them.
//
// Trust: whoever runs it with a key's passphrase acts as that member.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is the whole program; tests call it in a process of their own.
func run(args []string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel() // each verb ends in order
		<-signals
		os.Exit(130) // asked twice: end at once
	}()
	return execute(ctx, args)
}
