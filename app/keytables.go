package app

import (
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/secp256k1"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fp"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fr"
)

// A few keys sign nearly everything: those of the agencies that import. For such a key the multiples that a check needs are computed once, as they
// are for the generator in every library. A check is then some 64 additions of points and no doubling, half of what the recovery of an unknown key
// costs (measured: 32 against 63 µs; without cgo the recovery is three times as slow).
//
// Curve and fields are gnark-crypto's. Only the table, the sum and the comparison at the end are ours.
const (
	windows   = 32  // of a scalar: its bytes
	multiples = 255 // of a window's base: one for each byte but 0
)

// keyTable holds d·256^w·P for each byte d and each place w: half a megabyte.
type keyTable struct {
	at   [windows][multiples]secp256k1.G1Affine
	used atomic.Int64
}

func newKeyTable(p *secp256k1.G1Affine) *keyTable {
	all := make([]secp256k1.G1Jac, 0, windows*multiples)
	var base, sum secp256k1.G1Jac
	base.FromAffine(p)
	for range windows {
		sum.Set(&base)
		for range multiples {
			all = append(all, sum)
			sum.AddAssign(&base)
		}
		base.Set(&sum) // 256 times what it was
	}
	t := new(keyTable)
	for i, a := range secp256k1.BatchJacobianToAffineG1(all) {
		t.at[i/multiples][i%multiples] = a
	}
	return t
}

// add adds k·P to a sum.
func (t *keyTable) add(sum *secp256k1.G1Jac, k *fr.Element) {
	for w, b := range k.Bytes() { // the highest byte first
		if b != 0 {
			sum.AddMixed(&t.at[windows-1-w][b-1])
		}
	}
}

var generator = sync.OnceValue(func() *keyTable {
	_, g := secp256k1.Generators()
	return newKeyTable(&g)
})

// signed says whether a canonical signature r ‖ s ‖ v over a digest e is the key's. Recovery takes the point R whose x is r and whose y has parity v, and
// asks whether (sR − eG)/r is the key P. That is so exactly if R = (e/s)G + (r/s)P, and this is computed here.
func (t *keyTable) signed(digest [32]byte, sig []byte) bool {
	t.used.Add(1)
	var e, r, s, k fr.Element
	e.SetBytes(digest[:])
	r.SetBytes(sig[:32])
	s.SetBytes(sig[32:64])
	s.Inverse(&s)
	var sum secp256k1.G1Jac // infinity
	generator().add(&sum, k.Mul(&e, &s))
	t.add(&sum, k.Mul(&r, &s))
	if sum.Z.IsZero() {
		return false
	}
	// The sum is (X/Z², Y/Z³).
	var z, x, y fp.Element
	x.SetBytes(sig[:32]) // below the order, so below the field's prime
	if !x.Mul(&x, z.Square(&sum.Z)).Equal(&sum.X) {
		return false
	}
	z.Inverse(&sum.Z)
	y.Square(&z)
	y.Mul(&y, &z)
	y.Mul(&y, &sum.Y)
	return byte(y.Bits()[0]&1) == sig[64]
}

// Bounds of keyTables.
const (
	tablesMax  = 64   // half a megabyte each
	countedMax = 4096 // keys whose signatures are counted
	worthwhile = 256  // signatures before a key gets its table, which costs as much as these
)

// keyTables are the tables of the keys that sign most. They are memory of this node alone and only save work.
type keyTables struct {
	mu     sync.RWMutex
	tables map[[20]byte]*keyTable // guarded by mu
	counts map[[20]byte]int       // recoveries of keys without a table; guarded by mu
}

// of gives the table of an address, nil if there is none.
func (k *keyTables) of(address [20]byte) *keyTable {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.tables[address]
}

// learn counts a signature that was recovered to the key of an address, and makes the table when it is worth its work.
func (k *keyTables) learn(address [20]byte, pub [64]byte) {
	if !k.count(address) {
		return
	}
	var p secp256k1.G1Affine
	p.X.SetBytes(pub[:32])
	p.Y.SetBytes(pub[32:])
	t := newKeyTable(&p)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tables == nil {
		k.tables = map[[20]byte]*keyTable{}
	}
	if len(k.tables) >= tablesMax {
		k.dropLocked()
	}
	k.tables[address] = t
}

// count says, once for each table, that a key has signed often enough.
func (k *keyTables) count(address [20]byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counts == nil || len(k.counts) >= countedMax {
		k.counts = map[[20]byte]int{}
	}
	k.counts[address]++
	return k.counts[address] == worthwhile
}

// dropLocked makes room: the table goes that was used least since one went before.
func (k *keyTables) dropLocked() {
	var (
		least   int64
		address [20]byte
		found   bool
	)
	for a, t := range k.tables { // DETERMINISM: memory of this node alone; which of two equal ones goes changes no verdict
		if n := t.used.Swap(0); !found || n < least {
			least, address, found = n, a, true
		}
	}
	delete(k.tables, address)
	delete(k.counts, address)
}
