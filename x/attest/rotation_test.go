package attest_test

import (
	"bytes"
	stded25519 "crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// rotation is an old trust file of four validators, a new one that follows, and all signatures.
type rotation struct {
	set      *Set
	old, new *attest.Trust
}

func newRotation() rotation {
	s := sample()
	r := rotation{set: Equal("a", 4), old: s.Trust(), new: s.Trust()}
	r.new.NotAfter = r.new.NotAfter.AddDate(1, 0, 0)
	r.new.Validators = append(Equal("a", 4).Trusted(1, 500), Equal("b", 7).Trusted(501, 0)...)
	r.new.Witnesses = attest.Witnesses{Required: 1, Keys: []attest.Witness{witnessOf("w1.example/xinlian")}}
	return r
}

func (r rotation) sign(who ...int) []attest.RotationSignature {
	var out []attest.RotationSignature
	for _, i := range who {
		out = append(out, attest.SignRotation(r.old.Encode(), r.new.Encode(), stded25519.PrivateKey(r.set.Key(i))))
	}
	return out
}

func (r rotation) file(signatures []attest.RotationSignature) []byte {
	return attest.EncodeRotation(r.old.Encode(), r.new.Encode(), signatures)
}

func TestRotate(t *testing.T) {
	r := newRotation()
	for _, who := range [][]int{{0, 1, 2}, {3, 1, 0}, {0, 1, 2, 3}} {
		got, err := attest.Rotate(r.old.Encode(), r.file(r.sign(who...)), now())
		if err != nil || !bytes.Equal(got, r.new.Encode()) {
			t.Fatalf("%v: %v", who, err)
		}
	}
	// What the old file could not reach, the new one does, and no bundle of the old set is lost.
	raw := sample()
	raw.Height, raw.Set = 600, Equal("b", 7)
	if _, err := attest.Verify(raw.File(), r.old, policy(SubjectClean, attest.NoNegative)); attest.CodeOf(err) != attest.CodeTrustSet {
		t.Fatal(err)
	}
	next := *r.new
	next.Witnesses = attest.Witnesses{}
	if _, err := attest.Verify(raw.File(), &next, policy(SubjectClean, attest.NoNegative)); err != nil {
		t.Fatal(err)
	}
}

var past = Time.Add(-time.Hour)

// ended are two sets of which the first signs up to a height and a time.
func ended(until int64, end time.Time) []attest.TrustedValidator {
	vals := Equal("a", 4).Trusted(1, until)
	vals[0].ValidUntil = end
	return append(vals, Equal("b", 7).Trusted(until+1, 0)...)
}

// afterReplaced begins a rotation at a file whose first set has been replaced and has ended.
func afterReplaced(change func(r *rotation)) func(r *rotation) (old, rotation []byte) {
	return func(r *rotation) ([]byte, []byte) {
		r.set, r.old.Validators, r.new.Validators = Equal("b", 7), ended(100, past), ended(100, past)
		change(r)
		return r.old.Encode(), r.file(r.sign(0, 1, 2, 3, 4))
	}
}

// rotationChange is a rotation with one fault.
type rotationChange struct {
	class  error
	code   string
	change func(r *rotation) (old, rotation []byte)
}

func rotationChanges() map[string]rotationChange {
	good := newRotation()
	file := string(good.file(good.sign(0, 1, 2)))
	return map[string]rotationChange{
		"two of four": {attest.ErrTrust, attest.CodeRotationQuorum, func(r *rotation) ([]byte, []byte) { return r.old.Encode(), r.file(r.sign(0, 1)) }},
		"nobody":      {attest.ErrTrust, attest.CodeRotationQuorum, func(r *rotation) ([]byte, []byte) { return r.old.Encode(), r.file(nil) }},
		"one twice":   {attest.ErrInvalid, attest.CodeRotationSig, func(r *rotation) ([]byte, []byte) { return r.old.Encode(), r.file(r.sign(0, 1, 1)) }},
		"one more, bad": {attest.ErrInvalid, attest.CodeRotationSig, func(r *rotation) ([]byte, []byte) {
			s := r.sign(0, 1, 2, 3)
			s[3].Signature[5] ^= 1
			return r.old.Encode(), r.file(s)
		}},
		"a stranger": {attest.ErrInvalid, attest.CodeRotationSig, func(r *rotation) ([]byte, []byte) {
			key := stded25519.PrivateKey(Equal("z", 1).Key(0))
			return r.old.Encode(), r.file(append(r.sign(0, 1, 2), attest.SignRotation(r.old.Encode(), r.new.Encode(), key)))
		}},
		"signed by the new set": {attest.ErrInvalid, attest.CodeRotationSig, func(r *rotation) ([]byte, []byte) {
			r.set = Equal("b", 7)
			return r.old.Encode(), r.file(r.sign(0, 1, 2, 3, 4))
		}},
		"signatures of another new file": {attest.ErrInvalid, attest.CodeRotationSig, func(r *rotation) ([]byte, []byte) {
			s := r.sign(0, 1, 2)
			r.new.NotAfter = r.new.NotAfter.AddDate(1, 0, 0)
			return r.old.Encode(), r.file(s)
		}},
		"from another old file": {attest.ErrInvalid, attest.CodeRotationFrom, func(r *rotation) ([]byte, []byte) {
			raw := r.file(r.sign(0, 1, 2))
			r.old.NotAfter = r.old.NotAfter.Add(time.Second)
			return r.old.Encode(), raw
		}},
		"a retired set of the old file": {attest.ErrInvalid, attest.CodeRotationSig, func(r *rotation) ([]byte, []byte) {
			r.old.Validators = append(Equal("a", 4).Trusted(1, 100), Equal("c", 4).Trusted(101, 0)...)
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"outside a window": {attest.ErrTrust, attest.CodeTrustWindow, func(r *rotation) ([]byte, []byte) {
			r.old.Validators[3].ValidUntil = now().Add(-1)
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"old file ended": {attest.ErrTrust, attest.CodeTrustExpired, func(r *rotation) ([]byte, []byte) {
			r.old.NotAfter = now().Add(-1)
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"new file ended": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.NotAfter = now().Add(-1)
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"ends earlier": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.NotAfter = r.old.NotAfter.Add(-1)
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"no newer": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.NotAfter, r.new.Validators = r.old.NotAfter, r.old.Validators // only witnesses have come
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"back to a replaced set":    {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) { r.new.Validators = Equal("a", 4).Trusted(1, 0) })},
		"newest set begins earlier": {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) { r.new.Validators = ended(99, past) })},
		"back to a replaced set without end": {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) {
			r.old.Validators, r.new.Validators = ended(100, time.Time{}), Equal("a", 4).Trusted(1, 0)
		})},
		"newest set of no end begins earlier": {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) {
			r.old.Validators, r.new.Validators = ended(100, time.Time{}), ended(99, time.Time{})
		})},
		"end taken away": {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) { r.new.Validators = ended(100, time.Time{}) })},
		"end put off":    {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) { r.new.Validators = ended(100, past.Add(1)) })},
		"end of a part taken away": {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) {
			vals := ended(100, past)
			vals[0].UntilHeight = 99
			vals = append(vals, vals[0])
			vals[len(vals)-1].FromHeight, vals[len(vals)-1].UntilHeight, vals[len(vals)-1].ValidUntil = 100, 100, time.Time{}
			r.new.Validators = vals
		})},
		"end taken away of another set": {attest.ErrInvalid, attest.CodeRotationTrust, afterReplaced(func(r *rotation) {
			r.new.Validators = append(Equal("c", 4).Trusted(60, 70), Equal("b", 7).Trusted(101, 0)...)
		})},
		"another chain": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.ChainID = "test-other"
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"older anchor": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.Anchor.Height = 49
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"other anchor": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.Anchor.HeaderHash[0] ^= 1
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"unusable new file": {attest.ErrInvalid, attest.CodeRotationTrust, func(r *rotation) ([]byte, []byte) {
			r.new.Validators = nil
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"unusable old file": {attest.ErrUsage, attest.CodeTrust, func(r *rotation) ([]byte, []byte) {
			r.old.Validators = nil
			return r.old.Encode(), r.file(r.sign(0, 1, 2))
		}},
		"version": {attest.ErrVersion, attest.CodeVersion, func(r *rotation) ([]byte, []byte) {
			return r.old.Encode(), []byte(strings.Replace(file, `"version": 1`, `"version": 2`, 1))
		}},
		"new file of version 2": {attest.ErrVersion, attest.CodeVersion, func(r *rotation) ([]byte, []byte) {
			next := bytes.Replace(r.new.Encode(), []byte(`"version": 1`), []byte(`"version": 2`), 1)
			return r.old.Encode(), attest.EncodeRotation(r.old.Encode(), next, nil)
		}},
	}
}

// rotationForms are faults of the form: what stands in the file, and what in its place.
func rotationForms() map[string][2]string {
	return map[string][2]string{
		"unknown field":   {`"from"`, `"comment": "", "from"`},
		"twice":           {`"version": 1,`, `"version": 1, "version": 1,`},
		"no from":         {`"from"`, `"form"`},
		"short from":      {`"from": "`, `"from": "00`},
		"null":            {`"signatures": [`, `"signatures": null, "x": [`},
		"no base64":       {`"trust": "`, `"trust": "*`},
		"short signature": {`"signature": "`, `"signature": "AAAA`},
		"short key":       {`"pub_key": "` + base64.StdEncoding.EncodeToString(Equal("a", 4).Key(0).PubKey().Bytes()), `"pub_key": "AAAA`},
		"two objects":     {"]\n}", "]\n}{}"},
		"no list":         {`"signatures": [`, `"signatures": {}, "x": [`},
		"fraction":        {`"version": 1,`, `"version": 1.0,`},
	}
}

func TestRotateRefuses(t *testing.T) {
	good := newRotation()
	file := string(good.file(good.sign(0, 1, 2)))
	for name, c := range rotationChanges() {
		r := newRotation()
		old, raw := c.change(&r)
		got, err := attest.Rotate(old, raw, now())
		if !errors.Is(err, c.class) || attest.CodeOf(err) != c.code || got != nil {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	_, err := attest.Rotate(good.old.Encode(), []byte(file), time.Time{})
	wantCode(t, err, attest.ErrUsage, attest.CodePolicy)
	for name, put := range rotationForms() {
		if !strings.Contains(file, put[0]) {
			t.Fatal(name)
		}
		_, err := attest.Rotate(good.old.Encode(), []byte(strings.Replace(file, put[0], put[1], 1)), now())
		if attest.CodeOf(err) != attest.CodeRotationForm || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCheckNext: what a rotation is held to, for who has two files and no rotation.
func TestCheckNext(t *testing.T) {
	r := newRotation()
	if err := r.old.CheckNext(r.new); err != nil {
		t.Error(err)
	}
	wantCode(t, r.new.CheckNext(r.old), attest.ErrInvalid, attest.CodeRotationTrust)
	wantCode(t, r.old.CheckNext(r.old), attest.ErrInvalid, attest.CodeRotationTrust)
}

// FuzzRotate: nothing but the genuine new file ever comes out, and every refusal has a class and a code.
func FuzzRotate(f *testing.F) {
	r := newRotation()
	f.Add(r.file(r.sign(0, 1, 2)))
	f.Add(r.file(r.sign(0, 1)))
	f.Add([]byte(`{"version":1}`))
	old, want := r.old.Encode(), r.new.Encode()
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := attest.Rotate(old, raw, now())
		if err == nil && !bytes.Equal(got, want) {
			t.Fatal("a forged trust file was accepted")
		}
		if err != nil && attest.CodeOf(err) == "" {
			t.Fatalf("no code: %v", err)
		}
	})
}

func TestExamine(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		change   func(t *attest.Trust)
		unusable bool
		want     string // in a line; empty = nothing to say
	}{
		"sound":         {func(*attest.Trust) {}, false, ""},
		"ended":         {func(t *attest.Trust) { t.NotAfter = now().Add(-1) }, true, "the trust file ended at"},
		"ends soon":     {func(t *attest.Trust) { t.NotAfter = now().Add(5 * day) }, false, "in 5 days"},
		"ends not soon": {func(t *attest.Trust) { t.NotAfter = now().Add(31 * day) }, false, ""},
		"no set on top": {func(t *attest.Trust) { t.Validators = Equal("a", 4).Trusted(1, 900) }, true, "no validator above height 900"},
		"gap": {func(t *attest.Trust) {
			t.Validators = append(Equal("a", 4).Trusted(1, 99), Equal("b", 4).Trusted(201, 0)...)
			t.Validators[3].ValidUntil = now()
		}, false, "heights 100 to 200"},
		"retired": {func(t *attest.Trust) {
			t.Validators = append(Equal("z", 4).Trusted(1, 60), Equal("a", 4).Trusted(61, 0)...)
		}, false, "the set of the heights 1 to 60 has been replaced and has no valid_until"},
		"anchor without": {func(t *attest.Trust) { t.Validators = Equal("a", 4).Trusted(60, 0) }, false, "at the height of the anchor (50)"},
		"window ended":   {func(t *attest.Trust) { t.Validators[1].ValidUntil = now().Add(-1) }, true, "validator 1 is outside"},
		"window to come": {func(t *attest.Trust) { t.Validators[1].ValidFrom = now().Add(1) }, true, "validator 1 is outside"},
		"window ends":    {func(t *attest.Trust) { t.Validators[2].ValidUntil = now().Add(3 * day) }, false, "the window of validator 2 ends"},
		"retired window": {func(t *attest.Trust) {
			old := Equal("z", 4).Trusted(1, 60)
			old[0].ValidUntil = now().Add(-day)
			t.Validators = append(old, Equal("a", 4).Trusted(61, 0)...)
		}, false, ""},
		"one alone":  {func(t *attest.Trust) { t.Validators[0].Power = 100 }, false, "one validator alone"},
		"two alone":  {func(t *attest.Trust) { t.Validators[0].Power, t.Validators[1].Power = 30, 30 }, false, "two validators together"},
		"three":      {func(t *attest.Trust) { t.Validators = t.Validators[:3] }, false, "has 3 validators"},
		"none asked": {func(t *attest.Trust) { t.Witnesses = attest.Witnesses{Within: time.Hour, Keys: witnessKeys(3)} }, false, "none is required"},
		"two halves": {func(t *attest.Trust) {
			t.Witnesses = attest.Witnesses{Required: 2, Within: time.Hour, Keys: witnessKeys(4)}
		}, false, "2 of 4 witnesses"},
		"majority": {func(t *attest.Trust) {
			t.Witnesses = attest.Witnesses{Required: 3, Within: time.Hour, Keys: witnessKeys(4)}
		}, false, ""},
		"any time": {func(t *attest.Trust) { t.Witnesses = attest.Witnesses{Required: 3, Keys: witnessKeys(4)} }, false, "without within_seconds"},
		"validator": {func(t *attest.Trust) {
			t.Witnesses = attest.Witnesses{Required: 1, Within: time.Hour, Keys: []attest.Witness{{Name: "v", PubKey: t.Validators[0].PubKey}}}
		}, false, "has the key of a validator"},
		"stamp never": {func(t *attest.Trust) { t.Stamps = attest.Stamps{Authorities: []attest.Authority{authority("rsa")}} }, false, "time stamps are named"},
		"stamp late": {func(t *attest.Trust) {
			t.Stamps = attest.Stamps{Required: 1, Authorities: []attest.Authority{authority("rsa")}}
		}, false, "old date can still be stamped"},
	} {
		tr := sample().Trust()
		c.change(tr)
		if err := tr.Check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := attest.Examine(tr, now())
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %v", name, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Text, c.want) || got[0].Unusable != c.unusable):
			t.Errorf("%s: %v, want %q", name, got, c.want)
		}
	}
}

func witnessKeys(n int) (out []attest.Witness) {
	for i := range n {
		out = append(out, witnessOf(fmt.Sprint("w", i)))
	}
	return out
}

// TestEveryBitOfRotation changes a rotation file at every bit: what comes out is the genuine new trust file or nothing.
func TestEveryBitOfRotation(t *testing.T) {
	r := newRotation()
	raw, want, same := r.file(r.sign(0, 1, 2)), r.new.Encode(), 0
	for i := range raw {
		for _, bit := range []int{0, 5, 7} {
			raw[i] ^= 1 << bit
			got, err := attest.Rotate(r.old.Encode(), raw, now())
			if err == nil && !bytes.Equal(got, want) {
				t.Fatalf("byte %d, bit %d: another trust file comes out", i, bit)
			}
			if err == nil {
				same++ // blanks of JSON, and digits of from in the other case
			}
			raw[i] ^= 1 << bit
		}
	}
	if same > len(raw)/10 {
		t.Errorf("%d of %d changes are not seen", same, 3*len(raw))
	}
}

// TestEveryBitOfWitnessFile changes a witness file at every bit: it is refused, or fewer witnesses count.
func TestEveryBitOfWitnessFile(t *testing.T) {
	s := sample()
	bundle, trust := s.File(), s.Trust()
	point, err := attest.Checkpoint("test-attest", 101, attest.HeaderHash(s.Bundle().Header))
	if err != nil {
		t.Fatal(err)
	}
	note := append(bytes.Clone(point), '\n')
	for _, name := range []string{"w1.example/xinlian", "w2.example/xinlian"} {
		trust.Witnesses.Keys = append(trust.Witnesses.Keys, witnessOf(name))
		note = append(note, attest.Cosign(point, name, witnessKey(name), Time)...)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	p := policy(SubjectClean, attest.NoNegative)
	p.Witness = note
	if d, err := v.Verify(bundle, p); err != nil || len(d.Witnessed) != 2 {
		t.Fatal(d, err)
	}
	for i := range note {
		for bit := range 8 {
			note[i] ^= 1 << bit
			if d, err := v.Verify(bundle, p); err == nil && len(d.Witnessed) > 1 || err != nil && !errors.Is(err, attest.ErrInvalid) {
				t.Fatalf("byte %d, bit %d: %v %v", i, bit, d, err)
			}
			note[i] ^= 1 << bit
		}
	}
}
