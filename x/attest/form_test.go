package attest_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

func known(t *testing.T, v *attest.Verifier, raw []byte) *attest.Header {
	t.Helper()
	h, err := v.Header(raw)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestForms: the forms of one bundle have one verdict, and each is shorter than the one before.
func TestForms(t *testing.T) {
	steps := sample()
	steps.Steps = []Step{{Height: 60, Next: NewSet("b", 40, 30, 20, 10, 5)}, {Height: 100, Next: Equal("c", 7)}}
	many := Spec{
		Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Noise: 30,
		Asked: []string{SubjectClean, SubjectPunished, SubjectAbsent},
	}
	for name, s := range map[string]Spec{"plain": sample(), "steps": steps, "many": many} {
		full := s.File()
		v, err := attest.NewVerifier(s.Trust())
		if err != nil {
			t.Fatal(err)
		}
		p := policy("", attest.NoNegative)
		want, err := v.VerifyMany(full, p)
		if err != nil {
			t.Fatal(err)
		}
		p.Headers = []*attest.Header{known(t, v, full)}
		last := len(full)
		for _, form := range []attest.Form{attest.PinnedSet, attest.HeaderKnown} {
			raw := convert(full, form)
			if len(raw) >= last {
				t.Errorf("%s %s: %d bytes, the form before has %d", name, form, len(raw), last)
			}
			last = len(raw)
			for _, in := range [][]byte{raw, attest.Armor(raw)} {
				got, err := v.VerifyMany(in, p)
				if err != nil || len(got) != len(want) {
					t.Fatalf("%s %s: %v", name, form, err)
				}
				for i := range got {
					if got[i].String() != want[i].String() || got[i].HeaderHash != want[i].HeaderHash {
						t.Errorf("%s %s: %v, want %v", name, form, got[i], want[i])
					}
				}
			}
			if b, err := attest.DecodeBundle(raw); err != nil || attest.FormOf(b) != form {
				t.Errorf("%s: %s %v", name, form, err)
			}
			if _, err := attest.Convert(raw, attest.SelfContained); err == nil {
				t.Errorf("%s: %s was made self-contained", name, form)
			}
		}
	}
	if _, err := attest.Convert(sample().File(), "short"); err == nil {
		t.Error("converted to a form that there is not")
	}
}

// TestEveryBitOfForms: as TestEveryBit, for the shorter forms and for armor. Only a changed validators hash of a pinned-set bundle is a matter of trust.
func TestEveryBitOfForms(t *testing.T) {
	s := sample()
	s.Noise = 20
	full := s.File()
	b := s.Bundle()
	v, err := attest.NewVerifier(s.Trust())
	if err != nil {
		t.Fatal(err)
	}
	p := policy(SubjectClean, attest.NoNegative)
	p.Headers = []*attest.Header{known(t, v, full)}
	pinned := convert(full, attest.PinnedSet)
	setHash := bytes.Index(pinned, b.Header.ValidatorsHash)
	for name, raw := range map[string][]byte{"pinned-set": pinned, "header-known": convert(full, attest.HeaderKnown), "armor": attest.Armor(full)} {
		trust := 0
		masks := []byte{1, 2, 4, 8, 16, 32, 64, 128}
		if testing.Short() {
			masks = []byte{1, 128}
		}
		raw = bytes.Clone(raw)
		for i := range raw {
			for _, m := range masks {
				raw[i] ^= m
				_, err := v.Verify(raw, p)
				switch {
				case errors.Is(err, attest.ErrInvalid):
				case errors.Is(err, attest.ErrVersion) && (i == 3 || name == "armor"):
				case attest.CodeOf(err) == attest.CodeTrustSet && name == "pinned-set" && i >= setHash && i < setHash+32:
					trust++
				default:
					t.Fatalf("%s, byte %d, mask %02x: %v", name, i, m, err)
				}
				raw[i] ^= m
			}
		}
		if name == "pinned-set" && trust != 32*len(masks) {
			t.Errorf("%d bits of the validators hash are a matter of trust", trust)
		}
		for i := range raw {
			if _, err := v.Verify(raw[:i], p); !errors.Is(err, attest.ErrInvalid) {
				t.Fatalf("%s, first %d bytes: %v", name, i, err)
			}
		}
	}
}

// TestHeaderOfAnother: a header is believed by the verifier that verified it and by no other, be its trust file the same.
func TestHeaderOfAnother(t *testing.T) {
	s := sample()
	full := s.File()
	raw := convert(full, attest.HeaderKnown)
	one, err := attest.NewVerifier(s.Trust())
	if err != nil {
		t.Fatal(err)
	}
	two, err := attest.NewVerifier(s.Trust())
	if err != nil {
		t.Fatal(err)
	}
	p := policy(SubjectClean, attest.NoNegative)
	p.Headers = []*attest.Header{known(t, one, full)}
	if _, err := one.Verify(raw, p); err != nil {
		t.Fatal(err)
	}
	if h := p.Headers[0]; h.Height() != 101 || h.Hash() != attest.HeaderHash(s.Bundle().Header) {
		t.Error(h.Height(), h.Hash())
	}
	_, err = two.Verify(raw, p)
	wantCode(t, err, attest.ErrUsage, attest.CodePolicy)
	p.Headers = []*attest.Header{nil}
	_, err = one.Verify(raw, p)
	wantCode(t, err, attest.ErrUsage, attest.CodePolicy)

	// What the verifier remembers does not stand in for a header that is handed over.
	p.Headers = nil
	if _, err := one.Verify(full, p); err != nil {
		t.Fatal(err)
	}
	_, err = one.Verify(raw, p)
	wantCode(t, err, attest.ErrTrust, attest.CodeHeaderUnknown)

	// Forgers' headers can be made, and reach nothing.
	forged := s
	forged.Set = Equal("forgers", 4)
	p.Headers = []*attest.Header{known(t, one, forged.File())}
	_, err = one.Verify(convert(forged.File(), attest.HeaderKnown), p)
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustSet)
	_, err = one.Verify(raw, p)
	wantCode(t, err, attest.ErrInvalid, attest.CodeHeader)
	if _, err := one.Header(raw); !errors.Is(err, attest.ErrInvalid) {
		t.Error(err)
	}
}

// TestEdgesAgainstTheEngine: at the edges of ed25519 the engine and this package give one verdict.
func TestEdgesAgainstTheEngine(t *testing.T) {
	tried := 0
	for _, x := range frozen(t) {
		if !strings.Contains(x.Name, "zip215") {
			continue
		}
		b, err := attest.DecodeBundle(x.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if err := engine(b); (err == nil) != (x.Exit == 0) {
			t.Errorf("%s: exit code %d, the engine says %v", x.Name, x.Exit, err)
		}
		tried++
	}
	if tried < 12 {
		t.Errorf("only %d vectors", tried)
	}
}
