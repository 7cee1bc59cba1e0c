package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

// What a verb that fills a disk leaves of it, and how often it looks. The state is written through mapped files: where such a write finds no room the system ends the process with a
// signal, and the program says nothing but where it stood. Half of what is left lets the home be opened again, which takes away what the verb had begun.
const (
	leastRoom = 64 << 20
	roomLook  = 5 * time.Millisecond
)

// whileRoom looks after the disk of dir until the function that it returns is called, and calls end where less than least is left. A verb that must not be cut off there ends the
// process: any moment leaves a whole folder.
func whileRoom(dir string, least int64, end func(error)) (stop func()) {
	quit := make(chan struct{})
	look := func() bool {
		free, err := state.FreeDisk(dir)
		if err != nil || free >= least {
			return true
		}
		end(fmt.Errorf("the disk of %s has %d MB left: stopped before it is full; nothing is lost: make room, then run it again", dir, free>>20))
		return false
	}
	if !look() {
		return func() {}
	}
	go func() {
		t := time.NewTicker(roomLook)
		defer t.Stop()
		for {
			select {
			case <-quit:
				return
			case <-t.C:
				if !look() {
					return
				}
			}
		}
	}()
	return func() { close(quit) }
}

// endNow ends the program with an error.
func endNow(c *cobra.Command) func(error) {
	return func(err error) {
		fmt.Fprintln(os.Stderr, "xinlian: "+shell.ErrorLine(catalog, shell.Speaks(c), err))
		os.Exit(exitFailed)
	}
}
