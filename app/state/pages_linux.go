package state

import (
	"syscall"
	"unsafe"
)

// largePage is the size of a large page (大页) on the processors that the node runs on.
const largePage = 2 << 20

// largePages asks the system to put memory that holds only zeros into large pages. It may refuse, or do it later: nothing depends on it but time.
//
// The memory of a process that has run for a while was used before and lies in small pages, which stay what they are. So it is given back first: what is
// read there afterwards are zeros in new pages.
func largePages(b []byte) {
	skip := int(-uintptr(unsafe.Pointer(&b[0])) % largePage)
	if n := (len(b) - skip) &^ (largePage - 1); n > 0 {
		_ = syscall.Madvise(b[skip:skip+n], syscall.MADV_DONTNEED)
		_ = syscall.Madvise(b[skip:skip+n], syscall.MADV_HUGEPAGE)
	}
}
