package bench

import (
	"io/fs"
	"syscall"
)

// onDisk is what a file takes on the disk: Badger maps files that are longer than what they hold.
func onDisk(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}
