package attest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"strings"
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
	// What the test of contradictions changes beside; zero = as it should be.
	hash       crypto.Hash // of the signer
	hashID     asn1.ObjectIdentifier
	signatures asn1.ObjectIdentifier
	key        crypto.Signer
	token      asn1.ObjectIdentifier
	value      []byte // in place of the TSTInfo in its octets
	set        *asn1.RawValue
}

var (
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
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
	if p.hash == 0 {
		p.hash, p.hashID, p.signatures = crypto.SHA256, oidSHA256, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	}
	if p.token == nil {
		p.token = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	}
	if p.value == nil {
		p.value = der(t, info)
	}
	digestOf := func(raw []byte) []byte {
		h := p.hash.New()
		h.Write(raw)
		return h.Sum(nil)
	}
	attrs := p.attributes(
		stampAttribute{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, wrap(0, asn1.TagSet, der(t, p.named))},
		stampAttribute{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, wrap(0, asn1.TagSet, der(t, digestOf(info)))},
	)
	var body []byte
	for _, a := range attrs {
		body = append(body, der(t, a)...)
	}
	if p.key == nil {
		p.key = key
	}
	sig, err := p.key.Sign(rand.Reader, digestOf(der(t, wrap(0, asn1.TagSet, body))), p.hash)
	if err != nil {
		t.Fatal(err)
	}
	set := wrap(asn1.ClassContextSpecific, 0, body)
	if p.set != nil {
		set = *p.set
	}
	signer := der(t, stampSigner{1, wrap(0, asn1.TagSequence, nil), stampAlgorithm{OID: p.hashID}, set, stampAlgorithm{OID: p.signatures}, sig})
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
	}{p.content, wrap(asn1.ClassContextSpecific, 0, p.value)}, wrap(0, asn1.TagSet, slices.Repeat(signer, p.signers))})
	return der(t, struct {
		Status struct{ Status int }
		Token  struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue
		}
	}{Token: struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{p.token, wrap(asn1.ClassContextSpecific, 0, data)}})
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
	ec, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := x509.MarshalPKIXPublicKey(ec.Public())
	if err != nil {
		t.Fatal(err)
	}
	trust.Stamps = attest.Stamps{Required: 1, Within: time.Hour, Authorities: []attest.Authority{{Name: "tsa.example", PublicKey: spki}, {Name: "ec.example", PublicKey: ecKey}}}
	signedBy := func(h crypto.Hash, id asn1.ObjectIdentifier, key crypto.Signer, kind ...int) func(*stampPlan) {
		return func(p *stampPlan) { p.hash, p.hashID, p.key, p.signatures = h, id, key, kind }
	}
	nobody := attest.CodeStampQuorum
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
		"RSA with SHA-384":            {"", signedBy(crypto.SHA384, oidSHA384, nil, 1, 2, 840, 113549, 1, 1, 12)},
		"RSA with SHA-512":            {"", signedBy(crypto.SHA512, oidSHA512, nil, 1, 2, 840, 113549, 1, 1, 13)},
		"plain RSA with SHA-512":      {"", signedBy(crypto.SHA512, oidSHA512, nil, 1, 2, 840, 113549, 1, 1, 1)},
		"RSA, SHA-384 said":           {nobody, signedBy(crypto.SHA512, oidSHA512, nil, 1, 2, 840, 113549, 1, 1, 12)},
		"RSA, SHA-512 said":           {nobody, signedBy(crypto.SHA384, oidSHA384, nil, 1, 2, 840, 113549, 1, 1, 13)},
		"ECDSA with SHA-512":          {"", signedBy(crypto.SHA512, oidSHA512, ec, 1, 2, 840, 10045, 4, 3, 4)},
		"ECDSA, SHA-512 said":         {nobody, signedBy(crypto.SHA384, oidSHA384, ec, 1, 2, 840, 10045, 4, 3, 4)},
		"SHA-1":                       {attest.CodeStampForm, signedBy(crypto.SHA256, asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, nil, 1, 2, 840, 113549, 1, 1, 11)},
		"no signed data":              {attest.CodeStampForm, func(p *stampPlan) { p.token = oidData }},
		"a content that is no octets": {attest.CodeStampForm, func(p *stampPlan) { p.value = der(t, 7) }},
		"attributes in one piece": {attest.CodeStampForm, func(p *stampPlan) {
			p.set = &asn1.RawValue{Class: asn1.ClassContextSpecific, Bytes: []byte{1}}
		}},
		"attributes of nothing": {attest.CodeStampForm, func(p *stampPlan) {
			v := wrap(asn1.ClassContextSpecific, 0, []byte{1, 1, 1})
			p.set = &v
		}},
		"too long":      {attest.CodeStampForm, func(p *stampPlan) { p.value = der(t, make([]byte, 65<<10)) }},
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
		case c.code == "" && (err != nil || len(v.Stamped) != 1):
			t.Errorf("%s: %v", name, err)
		case c.code != "" && (attest.CodeOf(err) != c.code || c.code != nobody && !errors.Is(err, attest.ErrInvalid)):
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// TestTooManyStamps: more time stamps than 64 are refused unread.
func TestTooManyStamps(t *testing.T) {
	ask := policy(SubjectClean, attest.NoNegative)
	ask.Stamps = make([][]byte, 65)
	_, err := attest.Verify(sample().File(), sample().Trust(), ask)
	wantCode(t, err, attest.ErrInvalid, attest.CodeStampForm)
	if !strings.Contains(err.Error(), "65 time stamps") {
		t.Error(err)
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
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := x509.MarshalPKIXPublicKey(small.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ok     bool
		change func(tr *attest.Trust)
	}{
		"RSA of 2048 bits":    {true, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2048, 65537) }},
		"RSA of 2047 bits":    {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2047, 65537) }},
		"RSA of 8193 bits":    {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(8193, 65537) }},
		"RSA with exponent 1": {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2048, 1) }},
		"RSA with exponent 4": {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = spki(2048, 4) }},
		"no key":              {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = der(t, 7) }},
		"EC without a curve": {false, func(tr *attest.Trust) {
			tr.Stamps.Authorities[0].PublicKey = der(t, struct {
				Algorithm stampAlgorithm
				Key       asn1.BitString
			}{stampAlgorithm{OID: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}}, asn1.BitString{Bytes: []byte{4}, BitLength: 8}})
		}},
		"EC over P-224":           {false, func(tr *attest.Trust) { tr.Stamps.Authorities[0].PublicKey = p224 }},
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
