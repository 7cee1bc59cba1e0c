package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// LogLeaf hashes one entry of an append-only log (RFC 6962 §2.1).
func LogLeaf(data []byte) Hash {
	// One copy into a buffer instead of a running hash: entries are short, and
	// short ones then cost no allocation.
	var short [256]byte
	b := append(append(short[:0], leafByte), data...)
	return sha256.Sum256(b)
}

// LogNode hashes two neighbouring subtrees of a log.
func LogNode(l, r Hash) Hash { return InnerHash(l, r) }

// LogRoot is the root of a log with these leaf hashes.
func LogRoot(leafHashes []Hash) Hash {
	switch n := len(leafHashes); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leafHashes[0]
	default:
		cut := 1 << (bits.Len(uint(n-1)) - 1) // largest power of two below n
		return LogNode(LogRoot(leafHashes[:cut]), LogRoot(leafHashes[cut:]))
	}
}

// Frontier (前沿) is all of a log that is needed to append to it and to know
// its root: the roots of its perfect subtrees, one for each bit set in Size,
// largest first.
type Frontier struct {
	Size  uint64
	Peaks []Hash
}

// ErrFrontier says that the peaks do not fit the size.
var ErrFrontier = errors.New("log frontier: number of peaks does not fit the size")

// FrontierOf reads a frontier whose peaks are stored one after the other.
func FrontierOf(size uint64, peaks []byte) (Frontier, error) {
	if len(peaks) != 32*bits.OnesCount64(size) {
		return Frontier{}, ErrFrontier
	}
	f := Frontier{Size: size}
	for ; len(peaks) > 0; peaks = peaks[32:] {
		f.Peaks = append(f.Peaks, Hash(peaks[:32]))
	}
	return f, nil
}

// PeakBytes is the form that FrontierOf reads; nil for an empty log.
func (f Frontier) PeakBytes() []byte {
	var b []byte
	for i := range f.Peaks {
		b = append(b, f.Peaks[i][:]...)
	}
	return b
}

// Check must pass before a frontier that came from outside is used.
func (f Frontier) Check() error {
	if len(f.Peaks) != bits.OnesCount64(f.Size) {
		return ErrFrontier
	}
	return nil
}

// Append adds a leaf hash. A copy of f taken before does not change. It panics
// on a frontier that does not pass Check, and at 2^64-1 entries.
func (f *Frontier) Append(leafHash Hash) {
	f.mustFit()
	if f.Size == math.MaxUint64 {
		panic(fmt.Sprintf("log frontier: %d entries, no room for another", f.Size))
	}
	// Each low bit that is set is a peak that the new leaf completes.
	joined := bits.TrailingZeros64(^f.Size)
	keep := len(f.Peaks) - joined
	for i := len(f.Peaks) - 1; i >= keep; i-- {
		leafHash = LogNode(f.Peaks[i], leafHash)
	}
	peaks := make([]Hash, keep+1)
	copy(peaks, f.Peaks[:keep])
	peaks[keep] = leafHash
	f.Size, f.Peaks = f.Size+1, peaks
}

// AppendAll is Append for leaf hashes one after the other: a block adds
// thousands, and one new slice of peaks does for all of them.
func (f *Frontier) AppendAll(leafHashes [][32]byte) {
	f.mustFit()
	if uint64(len(leafHashes)) > math.MaxUint64-f.Size {
		panic(fmt.Sprintf("log frontier: %d entries, no room for %d more", f.Size, len(leafHashes)))
	}
	peaks := append(make([]Hash, 0, 64), f.Peaks...) // a size has no more bits
	for _, leaf := range leafHashes {
		h := Hash(leaf)
		for range bits.TrailingZeros64(^f.Size) {
			h = LogNode(peaks[len(peaks)-1], h)
			peaks = peaks[:len(peaks)-1]
		}
		f.Size, peaks = f.Size+1, append(peaks, h)
	}
	f.Peaks = peaks
}

// Root is the root of the log, SHA-256 of nothing if it is empty. It panics on
// a frontier that does not pass Check.
func (f Frontier) Root() Hash {
	f.mustFit()
	if f.Size == 0 {
		return LogRoot(nil)
	}
	root := f.Peaks[len(f.Peaks)-1]
	for i := len(f.Peaks) - 2; i >= 0; i-- {
		root = LogNode(f.Peaks[i], root)
	}
	return root
}

func (f Frontier) mustFit() {
	if err := f.Check(); err != nil {
		panic(err)
	}
}
