package attest

import (
	stded25519 "crypto/ed25519"
	"encoding/hex"
	"testing"

	"github.com/cometbft/cometbft/crypto/ed25519"
)

// EdgePoints are of small order in canonical and other encodings, the last one is no point of the curve. EdgeScalars: the last one is not reduced.
var (
	EdgePoints = []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0200000000000000000000000000000000000000000000000000000000000000", // no point of the curve
	}
	EdgeScalars = []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", // the order: not reduced
	}
)

// TestSmallOrderKeys: for keys and nonces of small order, in canonical and other encodings, and for scalars that are not reduced, the
// batch gives the verdict of the single check, as the engine's own rules (ZIP-215) have it; otherwise two verifiers of one commit could
// differ. A verifier that goes by RFC 8032 would refuse commits that the chain has.
func TestSmallOrderKeys(t *testing.T) {
	good := ed25519.GenPrivKeyFromSecret([]byte("good"))
	msg := []byte("a vote")
	goodSig, err := good.Sign(msg)
	if err != nil {
		t.Fatal(err)
	}
	accepted, refused, differ := 0, 0, 0
	for _, a := range EdgePoints {
		for _, r := range EdgePoints {
			for _, s := range EdgeScalars {
				key, sig := ed25519.PubKey(unhex(t, a)), append(unhex(t, r), unhex(t, s)...)
				single := key.VerifySignature(msg, sig)
				batch := ed25519.NewBatchVerifier()
				for _, e := range []struct {
					k    ed25519.PubKey
					m, s []byte
				}{{good.PubKey().(ed25519.PubKey), msg, goodSig}, {key, msg, sig}} {
					if err := batch.Add(e.k, e.m, e.s); err != nil {
						t.Fatal(err)
					}
				}
				if ok, _ := batch.Verify(); ok != single {
					t.Errorf("key %s, signature %s %s: single %v, batch %v", a, r, s, single, ok)
				}
				if single {
					accepted++
				} else {
					refused++
				}
				// RFC 8032 without the cofactor, as the standard library has it: it accepts less, never more.
				switch rfc := stded25519.Verify(unhex(t, a), msg, sig); {
				case rfc && !single:
					t.Errorf("key %s, signature %s %s: RFC 8032 accepts it, ZIP-215 does not", a, r, s)
				case rfc != single:
					differ++
				}
				if single && s == EdgeScalars[2] {
					t.Errorf("key %s: a scalar that is not reduced was accepted", a)
				}
			}
		}
	}
	t.Logf("%d accepted, %d refused, alike in both; %d of the accepted are none by RFC 8032", accepted, refused, differ)
	if accepted == 0 || refused == 0 || differ == 0 {
		t.Error("one side was not tried")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
