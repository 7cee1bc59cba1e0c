package app

import (
	"crypto/sha256"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// TestLogRuns appends leaves to the event log in pieces of every length up to three runs, from its beginning and from the frontier of a snapshot, and
// reads each back: those that are held are the ones that were appended, those before are not held.
func TestLogRuns(t *testing.T) {
	for _, from := range []uint64{0, 1, logRun - 1, logRun, logRun + 5} {
		for piece := 1; piece <= 3*logRun; piece++ {
			rows := newOverlay(empty{})
			var f tree.Frontier
			leaf := func(n uint64) [32]byte { return sha256.Sum256(be64(n)) }
			for n := range from {
				f.Append(leaf(n))
			}
			end := logEnd{Frontier: f}
			for range 4 {
				var leaves [][32]byte
				for i := range piece {
					leaves = append(leaves, leaf(end.Size+uint64(i)))
				}
				end = appendLog(rows, end, leaves)
				if again := endOfLog(rows); again.Size != end.Size || string(again.open) != string(end.open) {
					t.Fatalf("from %d in pieces of %d: the end that is read is not the one that was written", from, piece)
				}
			}
			for n := range end.Size + 2*logRun {
				got, held := LogLeaf(rows, n)
				want := leaf(n)
				if held != (n >= from && n < end.Size) || held && string(got) != string(want[:]) {
					t.Fatalf("from %d in pieces of %d: leaf %d: held %v, %x", from, piece, n, held, got)
				}
			}
		}
	}
}
