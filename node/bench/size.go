package bench

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// onDisk is what a file takes on the disk: Badger maps files that are longer than what they hold.
func onDisk(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}

// residentOf is the memory of a process: all of it, and what it does not share with files. Zero on systems without /proc.
func residentOf(pid int) (all, own int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range bytes.Lines(raw) {
		var kb int64
		if n, _ := fmt.Sscanf(string(line), "VmRSS: %d kB", &kb); n == 1 {
			all = kb << 10
		}
		if n, _ := fmt.Sscanf(string(line), "RssAnon: %d kB", &kb); n == 1 {
			own = kb << 10
		}
	}
	return all, own
}

// ownCPU is the processor time of this process so far, in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
