package attest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
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
	odd("name-twice", `"ec.example"`, `"rsa.example"`)
	odd("more-than-there-are", `"required": 1`, `"required": 4`)
	odd("key-cut", key("ec"), `"public_key": "`+base64.StdEncoding.EncodeToString(stampFile("ec.spki")[:90])+`"`)
	odd("key-off-its-curve", key("ec"), `"public_key": "`+base64.StdEncoding.EncodeToString(flip(stampFile("ec.spki"), 90))+`"`)
	odd("unknown-field", `"required"`, `"policy": 1, "required"`)
}
