package app

import (
	"crypto/ecdsa"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/secp256k1"
	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"
)

var order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// pairOf makes a key from a number, with its table.
func pairOf(t testing.TB, secret *big.Int) (*ecdsa.PrivateKey, *keyTable) {
	t.Helper()
	k, err := crypto.ToECDSA(secret.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	var p secp256k1.G1Affine
	p.X.SetBigInt(k.X)
	p.Y.SetBigInt(k.Y)
	return k, newKeyTable(&p)
}

// canonical says whether the gate would look at a signature at all.
func canonical(sig []byte) bool {
	return crypto.ValidateSignatureValues(sig[64], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64]), true)
}

// byRecovery is what the table must agree with.
func byRecovery(k *ecdsa.PrivateKey, digest [32]byte, sig []byte) bool {
	_, err := recoverKey(digest, sig, crypto.PubkeyToAddress(k.PublicKey))
	return err == nil
}

// TestKeyTable compares the tables with recovery through libsecp256k1: signatures that are good, that are another key's or another digest's, with
// bits flipped, with small and large numbers put in.
func TestKeyTable(t *testing.T) {
	t.Parallel()
	type pair struct {
		key   *ecdsa.PrivateKey
		table *keyTable
	}
	var pairs []pair
	for _, secret := range []*big.Int{ // 1: the key is the generator; −1: its mirror
		big.NewInt(1), big.NewInt(2), new(big.Int).Sub(order, big.NewInt(1)), new(big.Int).SetBytes(crypto.Keccak256([]byte("a member"))),
	} {
		k, table := pairOf(t, secret)
		pairs = append(pairs, pair{k, table})
	}
	numbers := []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(255), big.NewInt(256), new(big.Int).Rsh(order, 1), new(big.Int).Sub(order, big.NewInt(1))}
	good, bad := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		by := rapid.SampledFrom(pairs).Draw(rt, "signer")
		asked := rapid.SampledFrom(pairs).Draw(rt, "asked")
		digest := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "digest"))
		switch rapid.IntRange(0, 4).Draw(rt, "digest kind") {
		case 0:
			digest = [32]byte{}
		case 1: // the order itself counts as zero
			digest = [32]byte(order.FillBytes(make([]byte, 32)))
		}
		sig, err := crypto.Sign(digest[:], by.key)
		if err != nil {
			rt.Fatal(err)
		}
		switch rapid.IntRange(0, 5).Draw(rt, "change") {
		case 0:
			sig[rapid.IntRange(0, 64).Draw(rt, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		case 1:
			digest[rapid.IntRange(0, 31).Draw(rt, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		case 2:
			rapid.SampledFrom(numbers).Draw(rt, "r").FillBytes(sig[:32])
		case 3:
			rapid.SampledFrom(numbers).Draw(rt, "s").FillBytes(sig[32:64])
		}
		if !canonical(sig) {
			return // refused before
		}
		want := byRecovery(asked.key, digest, sig)
		if got := asked.table.signed(digest, sig); got != want {
			rt.Fatalf("signature %x over %x: the table says %v, recovery says %v", sig, digest, got, want)
		}
		if want {
			good++
		} else {
			bad++
		}
	})
	if good == 0 || bad == 0 {
		t.Errorf("%d good and %d bad signatures: the test compares nothing", good, bad)
	}
}

// TestKeyTableInfinity: a digest that makes the sum vanish, e = −r·d, is signed by nobody.
func TestKeyTableInfinity(t *testing.T) {
	t.Parallel()
	secret := big.NewInt(77)
	k, table := pairOf(t, secret)
	sig, err := crypto.Sign(make([]byte, 32), k)
	if err != nil {
		t.Fatal(err)
	}
	e := new(big.Int).Mul(new(big.Int).SetBytes(sig[:32]), secret)
	e.Mod(e.Neg(e), order)
	digest := [32]byte(e.FillBytes(make([]byte, 32)))
	if table.signed(digest, sig) || byRecovery(k, digest, sig) {
		t.Error("found good")
	}
}

// TestKeyTables: a key gets its table after so many signatures, and the least used one makes room.
func TestKeyTables(t *testing.T) {
	t.Parallel()
	var k keyTables
	address := func(n int) [20]byte { return [20]byte{byte(n), byte(n >> 8)} }
	_, g := secp256k1.Generators()
	x, y := g.X.Bytes(), g.Y.Bytes()
	pub := [64]byte(append(x[:], y[:]...))
	for n := range worthwhile {
		if k.of(address(0)) != nil {
			t.Fatalf("a table after %d signatures", n)
		}
		k.learn(address(0), pub)
	}
	if k.of(address(0)) == nil {
		t.Fatal("no table")
	}
	shared := k.of(address(0))
	for n := 1; n < tablesMax; n++ { // not computed again for the test
		k.tables[address(n)] = &keyTable{at: shared.at}
		k.tables[address(n)].used.Store(int64(n))
	}
	shared.used.Store(tablesMax)
	for range worthwhile {
		k.learn(address(tablesMax), pub)
	}
	if len(k.tables) != tablesMax || k.of(address(1)) != nil || k.of(address(tablesMax)) == nil || k.of(address(0)) == nil {
		t.Errorf("%d tables; the least used one is there: %v", len(k.tables), k.of(address(1)) != nil)
	}
}

// BenchmarkSignature checks a signature of an unknown and of a known key.
func BenchmarkSignature(b *testing.B) {
	k, table := pairOf(b, big.NewInt(12345))
	digest := [32]byte(crypto.Keccak256([]byte("a transaction")))
	sig, err := crypto.Sign(digest[:], k)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("recovery", func(b *testing.B) {
		for b.Loop() {
			if !byRecovery(k, digest, sig) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !table.signed(digest, sig) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("making a table", func(b *testing.B) {
		for b.Loop() {
			pairOf(b, big.NewInt(12345))
		}
	})
}
