package attest_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// FuzzVerify: no input makes the verifier panic, every refusal is of a known class, what decodes encodes to the same bytes, and
// nothing but the frozen bundles themselves is accepted.
func FuzzVerify(f *testing.F) {
	genuine := make(map[string]bool)
	s := sample()
	s.Noise = 20
	v, err := attest.NewVerifier(s.Trust())
	if err != nil {
		f.Fatal(err)
	}
	p := policy("", attest.NoNegative)
	for _, x := range frozen(f) {
		raw := x.Payload
		if _, err := v.VerifyMany(raw, p); err == nil {
			genuine[string(convert(raw, attest.HeaderKnown))] = true
		}
		if len(raw) < 20000 {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := attest.DecodeBundle(raw); err == nil && !bytes.Equal(attest.EncodeBundle(b), raw) && !bytes.Equal(attest.Armor(attest.EncodeBundle(b)), raw) {
			t.Fatal("what was decoded is encoded otherwise")
		}
		_, err := v.VerifyMany(raw, p)
		switch {
		case err == nil:
			if !genuine[string(convert(raw, attest.HeaderKnown))] {
				t.Fatal("a forged bundle was accepted")
			}
		case errors.Is(err, attest.ErrInvalid), errors.Is(err, attest.ErrVersion), errors.Is(err, attest.ErrTrust), errors.Is(err, attest.ErrStale):
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
		default:
			t.Fatalf("no class: %v", err)
		}
	})
}

// FuzzParseTrust: what is read is written and read to the same.
func FuzzParseTrust(f *testing.F) {
	f.Add(sample().Trust().Encode())
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tr, err := attest.ParseTrust(raw)
		if err != nil {
			return
		}
		again, err := attest.ParseTrust(tr.Encode())
		if err != nil || !bytes.Equal(again.Encode(), tr.Encode()) {
			t.Fatalf("%v\n%s", err, tr.Encode())
		}
		if _, err := attest.NewVerifier(tr); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzParseClaim: a claim has one form.
func FuzzParseClaim(f *testing.F) {
	for _, s := range []string{"enrolled", "standing", "commitment:" + CommitmentCode(1) + "=due", "commitment:=", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := attest.ParseClaim(s); err == nil && c.String() != s {
			t.Fatalf("%q was read as %q", s, c)
		}
	})
}
