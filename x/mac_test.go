package x_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/xinlian-ledger/xinlian/x"
)

// TestMAC holds MAC against the standard library's HMAC, under secrets that change, side by side.
func TestMAC(t *testing.T) {
	var all sync.WaitGroup
	for g := range uint64(4) {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(g, 1))
			for range 2000 {
				secret := bytes.Repeat([]byte{byte(rng.IntN(3))}, 32+rng.IntN(2)*100)
				a, b := make([]byte, rng.IntN(70)), make([]byte, rng.IntN(70))
				for i := range a {
					a[i] = byte(rng.Uint32())
				}
				h := hmac.New(sha256.New, secret)
				h.Write(append(bytes.Clone(a), b...))
				if got, want := x.MAC([]byte("F"), secret, a, b), h.Sum([]byte("F")); !bytes.Equal(got, want) {
					t.Errorf("under %x over %x and %x: %x, want %x", secret, a, b, got, want)
				}
			}
		})
	}
	all.Wait()
}
