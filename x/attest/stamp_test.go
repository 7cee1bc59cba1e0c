package attest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// A time stamp authority that says and signs whatever a test wants of it.
type stampAlgorithm struct {
	OID  asn1.ObjectIdentifier
	Null asn1.RawValue `asn1:"optional"`
}

type stampAttribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue
}

type stampSigner struct {
	Version    int
	ID         asn1.RawValue
	Digest     stampAlgorithm
	Attributes asn1.RawValue
	Algorithm  stampAlgorithm
	Signature  []byte
}

type stampPlan struct {
	version     int
	imprint     []byte
	imprintHash asn1.ObjectIdentifier
	at          time.Time
	content     asn1.ObjectIdentifier // of the token
	attributes  func(contentType, digest stampAttribute) []stampAttribute
	named       asn1.ObjectIdentifier // content type in the attributes
	signers     int
}

var (
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidTST    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
)

func der(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func wrap(class, tag int, content []byte) asn1.RawValue {
	return asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content}
}

func (p stampPlan) make(t *testing.T, key *rsa.PrivateKey) []byte {
	t.Helper()
	info := der(t, struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint struct {
			Hash   stampAlgorithm
			Digest []byte
		}
		Serial  *big.Int
		GenTime time.Time `asn1:"generalized"`
	}{p.version, asn1.ObjectIdentifier{1, 2, 3}, struct {
		Hash   stampAlgorithm
		Digest []byte
	}{stampAlgorithm{OID: p.imprintHash}, p.imprint}, big.NewInt(7), p.at.UTC()})
	sum := sha256.Sum256(info)
	attrs := p.attributes(
		stampAttribute{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, wrap(0, asn1.TagSet, der(t, p.named))},
		stampAttribute{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, wrap(0, asn1.TagSet, der(t, sum[:]))},
	)
	var body []byte
	for _, a := range attrs {
		body = append(body, der(t, a)...)
	}
	digest := sha256.Sum256(der(t, wrap(0, asn1.TagSet, body)))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signer := der(t, stampSigner{
		1, wrap(0, asn1.TagSequence, nil),
		stampAlgorithm{OID: oidSHA256},
		wrap(asn1.ClassContextSpecific, 0, body),
		stampAlgorithm{OID: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}},
		sig,
	})
	data := der(t, struct {
		Version int
		Digests asn1.RawValue
		Content struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		Signers asn1.RawValue
	}{3, wrap(0, asn1.TagSet, der(t, stampAlgorithm{OID: oidSHA256})), struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}{p.content, wrap(asn1.ClassContextSpecific, 0, der(t, info))}, wrap(0, asn1.TagSet, slices.Repeat(signer, p.signers))})
	return der(t, struct {
		Status struct{ Status int }
		Token  struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue
		}
	}{Token: struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, wrap(asn1.ClassContextSpecific, 0, data)}})
}

// TestStampsThatContradictThemselves: what an authority signs in one sense is not taken in another, be its signature right.
func TestStampsThatContradictThemselves(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub := der(t, struct {
		N *big.Int
		E int
	}{key.N, key.E})
	spki := der(t, struct {
		Algorithm stampAlgorithm
		Key       asn1.BitString
	}{stampAlgorithm{OID: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}}, asn1.BitString{Bytes: pub, BitLength: 8 * len(pub)}})
	s := sample()
	raw, trust := s.File(), s.Trust()
	trust.Stamps = attest.Stamps{Required: 1, Within: time.Hour, Authorities: []attest.Authority{{Name: "tsa.example", PublicKey: spki}}}
	hash := attest.HeaderHash(s.Bundle().Header)
	for name, c := range map[string]struct {
		code   string // empty = it counts
		change func(p *stampPlan)
	}{
		"whole":                {"", func(*stampPlan) {}},
		"a minute before":      {"", func(p *stampPlan) { p.at = Time.Add(-time.Minute) }},
		"older":                {attest.CodeStampTime, func(p *stampPlan) { p.at = Time.Add(-62 * time.Second) }},
		"from the future":      {attest.CodeStampTime, func(p *stampPlan) { p.at = now().Add(62 * time.Second) }},
		"another header":       {attest.CodeStampOther, func(p *stampPlan) { p.imprint = Sum("x") }},
		"imprint of SHA-512":   {attest.CodeStampForm, func(p *stampPlan) { p.imprintHash = oidSHA512 }},
		"version 2":            {attest.CodeStampForm, func(p *stampPlan) { p.version = 2 }},
		"another content":      {attest.CodeStampForm, func(p *stampPlan) { p.content = oidData }},
		"another content said": {attest.CodeStampForm, func(p *stampPlan) { p.named = oidData }},
		"no signer":            {attest.CodeStampForm, func(p *stampPlan) { p.signers = 0 }},
		"two signers":          {attest.CodeStampForm, func(p *stampPlan) { p.signers = 2 }},
		"no digest": {attest.CodeStampForm, func(p *stampPlan) {
			p.attributes = func(c, _ stampAttribute) []stampAttribute { return []stampAttribute{c} }
		}},
		"no content type": {attest.CodeStampForm, func(p *stampPlan) {
			p.attributes = func(_, d stampAttribute) []stampAttribute { return []stampAttribute{d} }
		}},
		"digest twice": {attest.CodeStampForm, func(p *stampPlan) {
			p.attributes = func(c, d stampAttribute) []stampAttribute { return []stampAttribute{c, d, d} }
		}},
		"no attributes": {attest.CodeStampForm, func(p *stampPlan) { p.attributes = func(_, _ stampAttribute) []stampAttribute { return nil } }},
	} {
		p := stampPlan{
			version: 1, imprint: hash[:], imprintHash: oidSHA256, at: Time.Add(time.Second), content: oidTST, named: oidTST, signers: 1,
			attributes: func(c, d stampAttribute) []stampAttribute { return []stampAttribute{c, d} },
		}
		c.change(&p)
		ask := policy(SubjectClean, attest.NoNegative)
		ask.Stamps = [][]byte{p.make(t, key)}
		v, err := attest.Verify(raw, trust, ask)
		switch {
		case c.code == "" && (err != nil || !slices.Equal(v.Stamped, []string{"tsa.example"})):
			t.Errorf("%s: %v", name, err)
		case c.code != "" && (attest.CodeOf(err) != c.code || !errors.Is(err, attest.ErrInvalid)):
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// TestEvidenceBounds: a trust file asks for nothing that could not be meant.
func TestEvidenceBounds(t *testing.T) {
	spki := func(bits uint, e int) []byte {
		n := new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1)
		pub := der(t, struct {
			N *big.Int
			E int
		}{n, e})
		return der(t, struct {
			Algorithm stampAlgorithm
			Key       asn1.BitString
		}{stampAlgorithm{OID: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}}, asn1.BitString{Bytes: pub, BitLength: 8 * len(pub)}})
	}
	for name, c := range map[string]struct {
		ok     bool
		change func(tr *attest.Trust)
	}{
		"RSA of 2048 bits":        {true, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2048, 65537) }},
		"RSA of 2047 bits":        {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2047, 65537) }},
		"RSA of 8193 bits":        {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(8193, 65537) }},
		"RSA with exponent 1":     {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2048, 1) }},
		"RSA with exponent 4":     {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2048, 4) }},
		"a hundred years":         {true, func(tr *attest.Trust) { tr.Stamps.Within = 100 * 366 * 24 * time.Hour }},
		"more":                    {false, func(tr *attest.Trust) { tr.Stamps.Within = 100*366*24*time.Hour + time.Second }},
		"more, for witnesses":     {false, func(tr *attest.Trust) { tr.Witnesses.Within = 100*366*24*time.Hour + time.Second }},
		"a century for witnesses": {true, func(tr *attest.Trust) { tr.Witnesses.Within = 100 * 366 * 24 * time.Hour }},
	} {
		tr := sample().Trust()
		tr.Stamps = attest.Stamps{Required: 1, Authorities: []attest.Authority{{Name: "tsa.example", PublicKey: spki(2048, 3)}}}
		tr.Witnesses = attest.Witnesses{Required: 1, Keys: []attest.Witness{witnessOf("w1.example/xinlian")}}
		c.change(tr)
		if _, err := attest.ParseTrust(tr.Encode()); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
