package attest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// stampFile reads what OpenSSL made: testdata/stamps/make.sh. Every time stamp vector but those with one change is as it left that program.
func stampFile(name string) []byte {
	raw, err := os.ReadFile(filepath.Join("testdata/stamps", name))
	if err != nil {
		panic(err)
	}
	return raw
}

func authority(name string) attest.Authority {
	return attest.Authority{Name: name + ".example", PublicKey: stampFile(name + ".spki")}
}

func (v *vector) stamped(name string, raw []byte) *vector {
	v.Stamps = append(v.Stamps, name+".tsr")
	v.files[name+".tsr"] = raw
	return v
}

func replaced(raw []byte, i int, b byte) []byte {
	raw = bytes.Clone(raw)
	raw[i] = b
	return raw
}

func (c *corpus) stamps(base Spec) {
	raw := base.File()
	trust := base.Trust()
	trust.Stamps = attest.Stamps{Required: 1, Within: 7 * 24 * time.Hour, Authorities: []attest.Authority{authority("rsa"), authority("ec"), authority("ec384")}}
	three, soon, optional := *trust, *trust, *trust
	three.Stamps.Required, soon.Stamps.Within, optional.Stamps.Required = 3, 24*time.Hour, 0
	add := func(name string, exit int, code string) *vector {
		v := c.add(name, exit, code, base, raw).by("stamps", trust)
		v.At, v.MaxAge = "2026-11-26T06:00:00Z", "240h0m0s"
		return v
	}
	rsa, ec := stampFile("rsa.tsr"), stampFile("ec.tsr")
	add("ok-stamp-rsa", 0, "OK").stamped("stamp-rsa", rsa)
	add("ok-stamp-with-certificate", 0, "OK").stamped("stamp-rsa-with-certificate", stampFile("rsa-with-certificate.tsr"))
	add("ok-stamp-ec", 0, "OK").stamped("stamp-ec", ec)
	add("ok-stamp-three", 0, "OK").by("stamps-three", &three).stamped("stamp-rsa", rsa).stamped("stamp-ec", ec).stamped("stamp-ec384", stampFile("ec384.tsr"))
	add("ok-stamp-not-asked-for", 0, "OK").by("stamps-optional", &optional)

	add("stamp-none", 4, "E_STAMP_QUORUM")
	add("stamp-one-of-three", 4, "E_STAMP_QUORUM").by("stamps-three", &three).stamped("stamp-rsa", rsa)
	add("stamp-twice-counts-once", 4, "E_STAMP_QUORUM").by("stamps-three", &three).stamped("stamp-rsa", rsa).
		stamped("stamp-rsa-with-certificate", stampFile("rsa-with-certificate.tsr")).stamped("stamp-ec", ec)
	add("stamp-too-late", 4, "E_STAMP_QUORUM").by("stamps-soon", &soon).stamped("stamp-rsa", rsa)
	stranger := *trust
	stranger.Stamps.Authorities = trust.Stamps.Authorities[1:]
	add("stamp-of-a-stranger", 4, "E_STAMP_QUORUM").by("stamps-of-others", &stranger).stamped("stamp-rsa", rsa)
	flip := func(raw []byte, i int) []byte {
		raw = bytes.Clone(raw)
		raw[i] ^= 1
		return raw
	}
	add("stamp-signature", 4, "E_STAMP_QUORUM").stamped("stamp-signature", flip(rsa, len(rsa)-9))
	add("stamp-of-another-header", 1, "E_STAMP_OTHER").stamped("stamp-rsa-other", stampFile("rsa-other.tsr"))
	hash := attest.HeaderHash(base.Bundle().Header)
	at := bytes.Index(rsa, hash[:])
	add("stamp-imprint-moved", 1, "E_STAMP_FORM").stamped("stamp-imprint-moved", flip(rsa, at)) // the signed attributes are of other bytes
	digits := bytes.Index(rsa, []byte("20261126"))
	add("stamp-time-moved", 1, "E_STAMP_FORM").stamped("stamp-time-moved", flip(rsa, digits+7))
	add("stamp-refused", 1, "E_STAMP_FORM").stamped("stamp-refused", stampFile("refused.tsr"))
	status := bytes.Index(rsa, []byte{0x30, 3, 2, 1, 0}) // granted
	if status < 0 {
		panic("no status")
	}
	add("stamp-status-2", 1, "E_STAMP_FORM").stamped("stamp-status-2", replaced(rsa, status+4, 2))
	// The signature is right and said to be of another algorithm: SHA-1 with RSA, ECDSA with SHA-384.
	kind := bytes.LastIndex(rsa, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1})
	add("stamp-rsa-other-algorithm", 4, "E_STAMP_QUORUM").stamped("stamp-rsa-other-algorithm", replaced(rsa, kind+8, 5))
	kind = bytes.LastIndex(ec, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2})
	add("stamp-ec-other-algorithm", 4, "E_STAMP_QUORUM").stamped("stamp-ec-other-algorithm", replaced(ec, kind+7, 3))
	add("stamp-cut", 1, "E_STAMP_FORM").stamped("stamp-cut", rsa[:len(rsa)-1])
	add("stamp-trailing-byte", 1, "E_STAMP_FORM").stamped("stamp-trailing-byte", append(bytes.Clone(rsa), 0))
	add("stamp-empty", 1, "E_STAMP_FORM").stamped("stamp-empty", nil)
	add("stamp-text", 1, "E_STAMP_FORM").stamped("stamp-text", []byte(base64.StdEncoding.EncodeToString(rsa)))
	add("stamp-from-the-future", 1, "E_STAMP_TIME").stamped("stamp-rsa", rsa).At = "2026-11-26T04:00:00Z"
	for name, made := range stampForms(hash[:]) {
		exit, code := 1, "E_STAMP_FORM"
		if made.read {
			exit, code = 4, "E_STAMP_QUORUM" // it is read, and says nothing: nobody has signed it
		}
		add("stamp-form-"+name, exit, code).stamped("stamp-form-"+name, made.raw)
	}
	file := string(trust.Encode())
	odd := func(name, old, put string) {
		if !strings.Contains(file, old) {
			panic(name)
		}
		v := c.add("trust-stamp-"+name, 2, "E_TRUST", base, raw).byFile("stamp-"+name, []byte(strings.Replace(file, old, put, 1))).stamped("stamp-rsa", rsa)
		v.At, v.MaxAge = "2026-11-26T06:00:00Z", "240h0m0s"
	}
	key := func(name string) string {
		return fmt.Sprintf(`"public_key": "%s"`, base64.StdEncoding.EncodeToString(stampFile(name+".spki")))
	}
	odd("key-under-two-names", key("ec"), key("rsa"))
	// The key of rsa.example without the parameters that nobody needs.
	spki := stampFile("rsa.spki")
	bare := tlv(0x30, tlv(0x30, rsaID), spki[19:])
	odd("key-in-two-encodings", key("ec"), `"public_key": "`+base64.StdEncoding.EncodeToString(bare)+`"`)
	odd("name-twice", `"ec.example"`, `"rsa.example"`)
	odd("more-than-there-are", `"required": 1`, `"required": 4`)
	odd("key-cut", key("ec"), `"public_key": "`+base64.StdEncoding.EncodeToString(stampFile("ec.spki")[:90])+`"`)
	odd("key-off-its-curve", key("ec"), `"public_key": "`+base64.StdEncoding.EncodeToString(flip(stampFile("ec.spki"), 90))+`"`)
	// The exponent stands behind the modulus, in five bytes.
	odd("rsa-even", key("rsa"), `"public_key": "`+base64.StdEncoding.EncodeToString(replaced(spki, len(spki)-6, spki[len(spki)-6]&^1))+`"`)
	odd("unknown-field", `"required"`, `"policy": 1, "required"`)
}

// tlv is a value of DER.
func tlv(tag byte, parts ...[]byte) []byte {
	content := slices.Concat(parts...)
	switch n := len(content); {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, content...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, content...)
	case n < 0x10000:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, content...)
	default:
		return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, content...)
	}
}

var (
	rsaID       = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1}
	sha256ID    = []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	signedID    = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}
	stampInfoID = []byte{6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4}
	kindID      = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3}
	digestID    = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4}
)

// stampForm is a time stamp that nobody has signed, and whether it is one at all.
type stampForm struct {
	raw  []byte
	read bool
}

// stampForms are time stamps of which readers of DER differ: what one of them takes for a time, a number or a tag, another does not.
func stampForms(imprint []byte) map[string]stampForm {
	one := []byte{2, 1, 1}
	type parts struct {
		status, version, policy, time, certificates, signer, behind []byte
		kind, behindInfo, behindData                                []byte
		attributes                                                  byte // tag
	}
	made := func(read bool, change func(p *parts)) stampForm {
		p := parts{version: one, policy: []byte{6, 2, 0x2a, 3}, time: tlv(0x18, []byte("20261126050000Z")), signer: tlv(0x30), kind: signedID, attributes: 0xa0}
		change(&p)
		info := tlv(0x30, one, p.policy, tlv(0x30, tlv(0x30, sha256ID), tlv(4, imprint)), one, p.time)
		sum := sha256.Sum256(info)
		attributes := tlv(p.attributes, tlv(0x30, kindID, tlv(0x31, stampInfoID)), tlv(0x30, digestID, tlv(0x31, tlv(4, sum[:]))))
		signer := tlv(0x30, one, p.signer, tlv(0x30, sha256ID), attributes, tlv(0x30, rsaID), tlv(4, make([]byte, 256)), p.behind)
		data := tlv(0x30, p.version, tlv(0x31, tlv(0x30, sha256ID)), tlv(0x30, stampInfoID, tlv(0xa0, tlv(4, info), p.behindInfo)), p.certificates, tlv(0x31, signer))
		return stampForm{tlv(0x30, tlv(0x30, []byte{2, 1, 0}, p.status), tlv(0x30, p.kind, tlv(0xa0, data, p.behindData))), read}
	}
	at := func(tag byte, text string) func(p *parts) { return func(p *parts) { p.time = tlv(tag, []byte(text)) } }
	// long is one of so many bytes, all told.
	long := func(bytes int, read bool) stampForm {
		filled := func(n int) stampForm {
			return made(read, func(p *parts) { p.certificates = tlv(0xa0, tlv(4, make([]byte, n))) })
		}
		return filled(bytes - len(filled(bytes-1000).raw) + bytes - 1000)
	}
	return map[string]stampForm{
		"of-64-kib":               long(64<<10, true),
		"of-64-kib-and-one":       long(64<<10+1, false),
		"attributes-plain":        made(false, func(p *parts) { p.attributes = 0x80 }),
		"attributes-of-1":         made(false, func(p *parts) { p.attributes = 0xa1 }),
		"kind-of-another-content": made(false, func(p *parts) { p.kind = kindID }),
		"behind-the-info":         made(false, func(p *parts) { p.behindInfo = one }),
		"behind-the-data":         made(false, func(p *parts) { p.behindData = one }),
		"plain":                   made(true, func(*parts) {}),
		"fraction":                made(true, at(0x18, "20261126050000.25Z")),
		"fraction-zero":           made(false, at(0x18, "20261126050000.50Z")),
		"fraction-of-10":          made(false, at(0x18, "20261126050000.0000000001Z")),
		"zone-of-none":            made(false, at(0x18, "20261126050000+0000")),
		"zone":                    made(false, at(0x18, "20261126060000+0100")),
		"zone-of-a-day":           made(false, at(0x18, "20261127050000+2400")),
		"utc-time":                made(false, at(0x17, "261126050000Z")),
		"before-1970":             made(false, at(0x18, "19691231235959Z")),
		"policy-of-31-bits":       made(true, func(p *parts) { p.policy = []byte{6, 6, 0x2a, 0x87, 0xff, 0xff, 0xff, 0x7f} }),
		"policy-of-32-bits":       made(true, func(p *parts) { p.policy = []byte{6, 6, 0x2a, 0x88, 0x80, 0x80, 0x80, 0} }),
		"policy-a-number":         made(false, func(p *parts) { p.policy = one }),
		"status-words":            made(true, func(p *parts) { p.status = tlv(0x30, tlv(0x0c, []byte("granted"))) }),
		"status-cut":              made(false, func(p *parts) { p.status = []byte{0x30, 9, 1} }),
		"unsigned":                made(true, func(p *parts) { p.behind = tlv(0xa1, one) }),
		"unsigned-cut":            made(false, func(p *parts) { p.behind = []byte{0xa1, 9, 1} }),
		"behind-cut":              made(false, func(p *parts) { p.behind = []byte{0xa2, 9, 1} }),
		"version-of-8-bytes":      made(true, func(p *parts) { p.version = tlv(2, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }),
		"version-of-9-bytes":      made(false, func(p *parts) { p.version = tlv(2, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0}) }),
		"long-tag":                made(true, func(p *parts) { p.signer = []byte{0xbf, 0x1f, 0} }),
		"long-tag-of-a-short":     made(false, func(p *parts) { p.signer = []byte{0xbf, 0x1e, 0} }),
		"certificates":            made(true, func(p *parts) { p.certificates = tlv(0xa0, one) }),
		"certificates-plain":      made(false, func(p *parts) { p.certificates = tlv(0x80, one) }),
	}
}
