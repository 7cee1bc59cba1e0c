package attest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // crypto.SHA256
	_ "crypto/sha512" // crypto.SHA384, crypto.SHA512
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"
)

// Stamps (时间戳) are RFC 3161 time stamps over header hashes, by authorities (时间戳机构) whose keys the trust file pins: they bound when a header existed, as
// witnesses do, with a service that is there already. The zero value asks for none.
type Stamps struct {
	// Required is how many of Authorities must have stamped the header; 0 = none need have.
	Required int
	// Within bounds how long after the time of the header a stamp may have been made to count, in whole seconds; 0 = any time after.
	Within      time.Duration
	Authorities []Authority
}

// Authority is the key that signs the time stamps of one authority. It is pinned by itself: names, chains and revocation of certificates say nothing here.
type Authority struct {
	Name      string
	PublicKey []byte // DER SubjectPublicKeyInfo: RSA of 2,048 to 8,192 bits, or ECDSA over P-256 or P-384
}

const (
	authoritiesMax = 64
	stampBytesMax  = 64 << 10
	stampsMax      = 64
)

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC            = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidP256          = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384          = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
)

// hashOf gives the hash of a digest algorithm; 0 = not one of ours.
func hashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	switch oid.String() {
	case "2.16.840.1.101.3.4.2.1":
		return crypto.SHA256
	case "2.16.840.1.101.3.4.2.2":
		return crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		return crypto.SHA512
	}
	return 0
}

// signs tells whether a signature algorithm is one for keys of this kind, with this hash.
func signs(oid asn1.ObjectIdentifier, ec bool, h crypto.Hash) bool {
	switch oid.String() {
	case "1.2.840.113549.1.1.1":
		return !ec
	case "1.2.840.113549.1.1.11":
		return !ec && h == crypto.SHA256
	case "1.2.840.113549.1.1.12":
		return !ec && h == crypto.SHA384
	case "1.2.840.113549.1.1.13":
		return !ec && h == crypto.SHA512
	case "1.2.840.10045.4.3.2":
		return ec && h == crypto.SHA256
	case "1.2.840.10045.4.3.3":
		return ec && h == crypto.SHA384
	case "1.2.840.10045.4.3.4":
		return ec && h == crypto.SHA512
	}
	return false
}

type algorithm struct {
	Algorithm  asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

type stampResponse struct {
	Status struct {
		Status int
		Text   asn1.RawValue `asn1:"optional"`
		Why    asn1.RawValue `asn1:"optional"`
	}
	Token struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	} `asn1:"optional"`
}

type signedData struct {
	Version int
	Digests []algorithm `asn1:"set"`
	Content struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue `asn1:"explicit,tag:0"` // []byte would let the length around it be any
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	Revoked      asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version    int
	ID         asn1.RawValue
	Digest     algorithm
	Attributes asn1.RawValue `asn1:"tag:0"`
	Algorithm  algorithm
	Signature  []byte
	Unsigned   asn1.RawValue `asn1:"optional"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

type stampInfo struct {
	Version int
	Policy  asn1.RawValue // an identifier of any size: 2.25 and a UUID is one
	Imprint struct {
		Hash   algorithm
		Digest []byte
	}
	Serial  *big.Int
	GenTime asn1.RawValue
}

// stampTimeForm is that of RFC 3161: in UTC, to the second or finer, without a zero at its end. encoding/asn1 takes the UTCTime of certificates as well, and zones.
var stampTimeForm = regexp.MustCompile(`^\d{14}(\.\d{0,8}[1-9])?Z$`)

func stampTime(v *asn1.RawValue) (time.Time, bool) {
	if v.Class != asn1.ClassUniversal || v.Tag != asn1.TagGeneralizedTime || v.IsCompound || !stampTimeForm.Match(v.Bytes) {
		return time.Time{}, false
	}
	t, err := time.Parse("20060102150405Z", string(v.Bytes)) // which reads a fraction, too
	return t, err == nil && t.Year() >= 1970
}

// stamp is a time stamp that contradicts itself nowhere. Who signed it is asked of keys.
type stamp struct {
	imprint []byte
	at      time.Time
	hash    crypto.Hash
	kind    asn1.ObjectIdentifier
	digest  []byte // of the signed attributes
	sig     []byte
}

// parseStamp reads a TimeStampResp of RFC 3161 in DER: granted, one signer, the content of the token that the signed attributes name.
func parseStamp(raw []byte) (*stamp, error) {
	if len(raw) > stampBytesMax {
		return nil, fmt.Errorf("%d bytes, more than %d", len(raw), stampBytesMax)
	}
	var r stampResponse
	if err := unmarshal(raw, &r, ""); err != nil {
		return nil, errors.New("it is no response of RFC 3161 with a token")
	}
	var d signedData
	switch {
	case r.Status.Status != 0 && r.Status.Status != 1:
		return nil, errors.New("the authority has not granted it")
	case !r.Token.Type.Equal(oidSignedData) || unmarshal(r.Token.Content.Bytes, &d, "") != nil:
		return nil, errors.New("its token is no signed data")
	case !d.Content.Type.Equal(oidTSTInfo):
		return nil, errors.New("its token is of another content")
	case len(d.Signers) != 1:
		return nil, errors.New("it has not one signer")
	}
	for _, v := range []*asn1.RawValue{&d.Certificates, &d.Revoked} {
		if len(v.FullBytes) > 0 && !v.IsCompound {
			return nil, errors.New("its token is no signed data")
		}
	}
	s := &d.Signers[0]
	out := &stamp{hash: hashOf(s.Digest.Algorithm), kind: s.Algorithm.Algorithm, sig: s.Signature}
	if out.hash == 0 {
		return nil, errors.New("its digest is none of SHA-256, SHA-384 and SHA-512")
	}
	var content []byte
	if unmarshal(d.Content.Value.Bytes, &content, "") != nil {
		return nil, errors.New("its token is of another content")
	}
	if len(s.Attributes.FullBytes) == 0 || !s.Attributes.IsCompound {
		return nil, errors.New("it has no signed attributes")
	}
	// What is signed is the set under its own tag.
	set := bytes.Clone(s.Attributes.FullBytes)
	set[0] = 0x31
	var attrs []attribute
	if err := unmarshal(set, &attrs, "set"); err != nil {
		return nil, errors.New("its signed attributes cannot be read")
	}
	kinds, digests := 0, 0
	for _, a := range attrs {
		switch {
		case a.Type.Equal(oidContentType):
			var oid asn1.ObjectIdentifier
			if kinds++; unmarshal(a.Values.Bytes, &oid, "") != nil || !oid.Equal(oidTSTInfo) {
				return nil, errors.New("its signed attributes are of another content")
			}
		case a.Type.Equal(oidMessageDigest):
			var sum []byte
			if digests++; unmarshal(a.Values.Bytes, &sum, "") != nil || !bytes.Equal(sum, digestOf(out.hash, content)) {
				return nil, errors.New("its signed attributes are of other bytes")
			}
		}
	}
	if kinds != 1 || digests != 1 {
		return nil, errors.New("its signed attributes do not name the content once")
	}
	out.digest = digestOf(out.hash, set)
	var info stampInfo
	if err := unmarshal(content, &info, ""); err != nil || info.Version != 1 || hashOf(info.Imprint.Hash.Algorithm) != crypto.SHA256 {
		return nil, errors.New("it is no time stamp of version 1 over a SHA-256")
	}
	if p := &info.Policy; p.Class != asn1.ClassUniversal || p.Tag != asn1.TagOID || p.IsCompound {
		return nil, errors.New("it is no time stamp of version 1 over a SHA-256")
	}
	at, ok := stampTime(&info.GenTime)
	if !ok {
		return nil, errors.New("its time is no time in UTC from 1970 on")
	}
	out.imprint, out.at = info.Imprint.Digest, at
	return out, nil
}

// unmarshal reads one value of DER and nothing behind it.
func unmarshal(raw []byte, into any, params string) error {
	rest, err := asn1.UnmarshalWithParams(raw, into, params)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows")
	}
	return err
}

func digestOf(h crypto.Hash, raw []byte) []byte {
	d := h.New()
	d.Write(raw)
	return d.Sum(nil)
}

// key reads the public key of an authority.
func (a *Authority) key() (crypto.PublicKey, error) {
	var f struct {
		Algorithm algorithm
		Key       asn1.BitString
	}
	if unmarshal(a.PublicKey, &f, "") != nil || f.Key.BitLength%8 != 0 {
		return nil, errors.New("public_key is no SubjectPublicKeyInfo")
	}
	switch {
	case f.Algorithm.Algorithm.Equal(oidRSA):
		var k struct {
			N *big.Int
			E int
		}
		if unmarshal(f.Key.Bytes, &k, "") != nil || k.N.Sign() <= 0 || k.N.BitLen() < 2048 || k.N.BitLen() > 8192 || k.N.Bit(0) == 0 || k.E < 3 || k.E%2 == 0 {
			return nil, errors.New("public_key is no RSA key of 2048 to 8192 bits")
		}
		return &rsa.PublicKey{N: k.N, E: k.E}, nil
	case f.Algorithm.Algorithm.Equal(oidEC):
		var curve asn1.ObjectIdentifier
		if unmarshal(f.Algorithm.Parameters.FullBytes, &curve, "") != nil {
			return nil, errors.New("public_key names no curve")
		}
		var c elliptic.Curve
		switch {
		case curve.Equal(oidP256):
			c = elliptic.P256()
		case curve.Equal(oidP384):
			c = elliptic.P384()
		default:
			return nil, errors.New("public_key is of a curve other than P-256 and P-384")
		}
		k, err := ecdsa.ParseUncompressedPublicKey(c, f.Key.Bytes)
		if err != nil {
			return nil, errors.New("public_key is no point of its curve")
		}
		return k, nil
	}
	return nil, errors.New("public_key is neither RSA nor ECDSA")
}

// by tells whether the stamp is signed with this key.
func (s *stamp) by(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return signs(s.kind, false, s.hash) && rsa.VerifyPKCS1v15(k, s.hash, s.digest, s.sig) == nil
	case *ecdsa.PublicKey:
		return signs(s.kind, true, s.hash) && ecdsa.VerifyASN1(k, s.digest, s.sig)
	}
	return false
}

func (s *Stamps) check() error {
	switch {
	case len(s.Authorities) == 0 && s.Required == 0 && s.Within == 0:
		return nil
	case len(s.Authorities) == 0 || len(s.Authorities) > authoritiesMax:
		return fmt.Errorf("timestamps: 1 to %d authorities are needed", authoritiesMax)
	case s.Required < 0 || s.Required > len(s.Authorities):
		return fmt.Errorf("timestamps: %d are required, %d have keys", s.Required, len(s.Authorities))
	case s.Within < 0 || s.Within%time.Second != 0:
		return errors.New("timestamps: within_seconds is negative")
	}
	keys := make([]crypto.PublicKey, len(s.Authorities))
	for i := range s.Authorities {
		a := &s.Authorities[i]
		if !printable(a.Name) || len(a.Name) > witnessName {
			return fmt.Errorf("authority %d: name has 1 to %d characters of ASCII without blanks and plus", i, witnessName)
		}
		var err error
		if keys[i], err = a.key(); err != nil {
			return fmt.Errorf("authority %d: %w", i, err)
		}
		for j := range i {
			if s.Authorities[j].Name == a.Name || sameKey(keys[j], keys[i]) {
				return fmt.Errorf("authority %d: its name or its key is listed twice", i)
			}
		}
	}
	return nil
}

// sameKey compares keys, not their encodings: one key has several, with parameters and without.
func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// checkStamps is the part of step 11 that concerns time stamps. It gives the names of the authorities that count. One that no key of the trust file has
// signed says nothing: it cannot be told from that of an authority that the file does not know.
func (v *Verifier) checkStamps(stamps [][]byte, blk *block, now time.Time) ([]string, *Error) {
	if len(stamps) > stampsMax {
		return nil, invalid(11, CodeStampForm, "%d time stamps, more than %d", len(stamps), stampsMax)
	}
	var names []string
	for i, raw := range stamps {
		s, err := parseStamp(raw)
		if err != nil {
			return nil, invalid(11, CodeStampForm, "time stamp %d: %v", i, err)
		}
		if !bytes.Equal(s.imprint, blk.hash[:]) {
			return nil, invalid(11, CodeStampOther, "time stamp %d is not of the header of height %d", i, blk.height)
		}
		for j, a := range v.trust.Stamps.Authorities {
			if !s.by(v.stampKeys[j]) {
				continue
			}
			counts, err := evidenceTime(s.at.Unix(), v.trust.Stamps.Within, blk.time, now, func(why string) *Error {
				return invalid(11, CodeStampTime, "the time stamp of %s %s", a.Name, why)
			})
			if err != nil {
				return nil, err
			}
			if counts && !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names, nil
}

func (s *Stamps) parse(raw []byte) error {
	o, err := object(raw, "required", "within_seconds", "authorities")
	if err != nil {
		return fmt.Errorf("timestamps: %w", err)
	}
	var within int64
	var rows []json.RawMessage
	err = errors.Join(
		value(o, "required", &s.Required, true),
		value(o, "within_seconds", &within, false),
		value(o, "authorities", &rows, true),
	)
	if err != nil {
		return fmt.Errorf("timestamps: %w", firstOf(err))
	}
	if within < 0 || within > withinMax {
		return fmt.Errorf("timestamps: within_seconds is negative or more than %d", withinMax)
	}
	s.Within = time.Duration(within) * time.Second
	if len(rows) == 0 || len(rows) > authoritiesMax {
		return fmt.Errorf("timestamps: 1 to %d authorities are needed", authoritiesMax)
	}
	for i, row := range rows {
		o, err := object(row, "name", "public_key")
		if err != nil {
			return fmt.Errorf("authority %d: %w", i, err)
		}
		var a Authority
		var key string
		if err := errors.Join(value(o, "name", &a.Name, true), value(o, "public_key", &key, true)); err != nil {
			return fmt.Errorf("authority %d: %w", i, firstOf(err))
		}
		if a.PublicKey, err = strictBase64("public_key", key); err != nil {
			return fmt.Errorf("authority %d: %w", i, err)
		}
		s.Authorities = append(s.Authorities, a)
	}
	return nil
}

type stampsJSON struct {
	Required      int             `json:"required"`
	WithinSeconds int64           `json:"within_seconds,omitempty"`
	Authorities   []authorityJSON `json:"authorities"`
}

type authorityJSON struct {
	Name      string `json:"name"`
	PublicKey string `json:"public_key"`
}

func (s *Stamps) view() *stampsJSON {
	if len(s.Authorities) == 0 {
		return nil
	}
	out := &stampsJSON{Required: s.Required, WithinSeconds: int64(s.Within / time.Second)}
	for _, a := range s.Authorities {
		out.Authorities = append(out.Authorities, authorityJSON{a.Name, base64.StdEncoding.EncodeToString(a.PublicKey)})
	}
	return out
}
