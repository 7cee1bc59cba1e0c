package slots_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/xinlian-ledger/xinlian/app/slots"
)

// TestTable holds a table against a map: numbers come, go and come again, some under a hash that others have.
func TestTable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var table slots.Table
	hash := func(n uint32) uint32 {
		if n%3 == 0 {
			return n % 48 // many meet
		}
		return slots.Hash(binary.BigEndian.AppendUint32(nil, n))
	}
	model := map[uint32]bool{}
	for step := range 20_000 {
		if step == 5_000 {
			table.Grow(3_000)
		}
		if step == 12_000 || step == 12_100 { // full, and with room that is not used
			table.Clear()
			clear(model)
		}
		n := rng.Uint32N(2_000)
		switch {
		case !model[n]:
			table.Add(hash(n), n)
			model[n] = true
		case rng.IntN(2) == 0:
			table.Remove(hash(n), n)
			delete(model, n)
		}
		n = rng.Uint32N(2_000)
		found, ok := table.Find(hash(n), func(have uint32) bool { return have == n })
		if ok != model[n] || ok && found != n {
			t.Fatalf("step %d: %d is found %v (%d), it is there %v", step, n, ok, found, model[n])
		}
	}
}
