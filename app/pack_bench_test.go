package app

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// BenchmarkChangePack: what a block pays for the subjects that enter or leave a set, in sets of different sizes: it follows what changed.
func BenchmarkChangePack(b *testing.B) {
	path := func(n int) tree.Hash { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		base := newOverlay(empty{})
		var all []packChange
		for n := range size {
			all = append(all, packChange{path(n), true})
		}
		changePack(base, pb.PACK_NEGATIVE, all)
		base.settle()
		base.arrange()
		for _, changed := range []int{1, 100, 5000} {
			b.Run(fmt.Sprintf("%d of %d", changed, size), func(b *testing.B) {
				next := size
				for b.Loop() {
					var changes []packChange
					for range changed {
						changes = append(changes, packChange{path(next), true})
						next++
					}
					changePack(newOverlay(base), pb.PACK_NEGATIVE, changes)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*changed), "µs/change")
			})
		}
	}
}
