package node

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/xinlian-ledger/xinlian/app/state"
)

// checkDisk says whether there is room to go on. It looks before the disk is full, because afterwards is too late for a clear word: the
// stores write through mapped files, and the system answers a write there that finds no room with a signal that ends the process. That,
// too, leaves a home that starts; it only says nothing.
func (n *Node) checkDisk() error {
	least := n.config.Settings.Watchdog.DiskFreeMB
	if least <= 0 {
		return nil
	}
	for _, dir := range []string{filepath.Join(n.config.Home, StateDir), n.config.Engine.DBDir()} {
		if _, err := os.Stat(dir); err != nil {
			continue // a first start makes it
		}
		free, err := state.FreeDisk(dir)
		if err != nil {
			return err
		}
		if free>>20 < least {
			return fmt.Errorf("the disk of %s has %d MB left and watchdog.disk_free_mb asks for %d: make room (`xinlian compact`, a larger disk), then start again", dir, free>>20, least)
		}
	}
	return nil
}
