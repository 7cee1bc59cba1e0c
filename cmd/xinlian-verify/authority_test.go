package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// issued is a made-up certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (i issued) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
}

// issue makes a certificate; by is nil for a root.
func issue(t *testing.T, by *issued, key crypto.Signer, change func(*x509.Certificate)) issued {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "made-up"}, NotBefore: Time.AddDate(-1, 0, 0), NotAfter: Time.AddDate(1, 0, 0)}
	change(c)
	parent := issued{c, key}
	if by != nil {
		parent = *by
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent.cert, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return issued{cert, key}
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestTrustAuthority: the key of an authority is taken into a trust file where its certificate leads to the root, is valid, and is for time stamps alone.
func TestTrustAuthority(t *testing.T) {
	ca := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = name, true, true, x509.KeyUsageCertSign
		}
	}
	stamps := pkix.Extension{Id: oidExtKeyUsage, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}
	stamper := func(change func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.KeyUsage, c.ExtraExtensions = x509.KeyUsageDigitalSignature, []pkix.Extension{stamps}
			change(c)
		}
	}
	plain := stamper(func(*x509.Certificate) {})
	root := issue(t, nil, ecKey(t), ca("root"))
	other := issue(t, nil, ecKey(t), ca("other root"))
	middle := issue(t, &root, ecKey(t), ca("between"))
	ended := issue(t, &root, ecKey(t), func(c *x509.Certificate) { ca("between")(c); c.NotAfter = Time.AddDate(0, -1, 0) })
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := issue(t, &middle, ecKey(t), plain)
	join := func(list ...issued) (out []byte) {
		for _, i := range list {
			out = append(out, i.pem()...)
		}
		return out
	}
	usageOf := func(last byte) func(*x509.Certificate) {
		return stamper(func(c *x509.Certificate) {
			c.ExtraExtensions[0].Value = bytes.Replace(bytes.Clone(stamps.Value), []byte{7, 3, 8}, []byte{7, 3, last}, 1)
		})
	}
	for name, c := range map[string]struct {
		chain []byte
		code  int
		want  string
	}{
		"a chain of three":     {join(good, middle), 0, "tsa.example may stamp; of 1 authorities 0 are required"},
		"a chain of two":       {join(issue(t, &root, ecKey(t), plain)), 0, "may stamp"},
		"none between":         {join(good), 1, "does not lead to a root"},
		"another root":         {join(issue(t, &other, ecKey(t), plain)), 1, "does not lead to a root"},
		"signed by itself":     {join(issue(t, nil, ecKey(t), plain)), 1, "does not lead to a root"},
		"for servers":          {join(issue(t, &root, ecKey(t), usageOf(1))), 1, "not for time stamps alone"},
		"for signing programs": {join(issue(t, &root, ecKey(t), usageOf(3))), 1, "not for time stamps alone"},
		"not critical": {join(issue(t, &root, ecKey(t), func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
		})), 1, "not for time stamps alone"},
		"for anything":      {join(issue(t, &root, ecKey(t), func(*x509.Certificate) {})), 1, "not for time stamps alone"},
		"ended":             {join(issue(t, &root, ecKey(t), stamper(func(c *x509.Certificate) { c.NotAfter = Time.AddDate(0, 0, -1) }))), 1, "expired"},
		"not begun":         {join(issue(t, &root, ecKey(t), stamper(func(c *x509.Certificate) { c.NotBefore = Time.AddDate(0, 0, 1) }))), 1, "not yet valid"},
		"ended between":     {join(issue(t, &ended, ecKey(t), plain), ended), 1, "expired"},
		"an ed25519 key":    {join(issue(t, &root, ed, plain)), 2, "public_key is neither RSA nor ECDSA"},
		"a key and no more": {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), 2, "certificates alone are read"},
		"no PEM":            {[]byte("no"), 2, "holds no certificate"},
		"bad DER":           {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), 2, "x509"},
	} {
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		for name, raw := range map[string][]byte{"cert.pem": c.chain, "root.pem": root.pem(), "trust.json": Spec{}.Trust().Encode()} {
			if err := os.WriteFile(at(name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var stdout, stderr bytes.Buffer
		code := run([]string{"trust", "authority", at("cert.pem"), "--root", at("root.pem"), "--name", "tsa.example", "--trust", at("trust.json"), "--out", at("new.json"), "--at", Time.Format(time.RFC3339), "--lang", "en"}, &stdout, &stderr)
		said := stdout.String() + stderr.String()
		if code != c.code || !strings.Contains(said, c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %d %s, want %d %q", name, code, said, c.code, c.want)
		}
		raw, err := os.ReadFile(at("new.json"))
		if (err == nil) != (code == 0) {
			t.Errorf("%s: a trust file was written: %v", name, err == nil)
		}
		if err == nil {
			trust, err := attest.ParseTrust(raw)
			if err != nil || len(trust.Stamps.Authorities) != 1 || trust.Stamps.Authorities[0].Name != "tsa.example" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestAuthorityKeepsWhatIsNewer: a key is added in the place of the file that it is added to, and not over a newer one.
func TestAuthorityKeepsWhatIsNewer(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	root := issue(t, nil, ecKey(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	stamper := issue(t, &root, ecKey(t), func(c *x509.Certificate) {
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtraExtensions = []pkix.Extension{{Id: oidExtKeyUsage, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}}
	})
	old, newer := Spec{}.Trust(), Spec{}.Trust()
	newer.NotAfter = newer.NotAfter.AddDate(0, 1, 0)
	for name, raw := range map[string][]byte{
		"cert.pem": stamper.pem(), "root.pem": root.pem(), "trust.json": old.Encode(), "old.json": old.Encode(), "newer.json": newer.Encode(),
	} {
		if err := os.WriteFile(at(name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for out, want := range map[string]int{"trust.json": 0, "newer.json": 1, "new.json": 0} {
		var stdout, stderr bytes.Buffer
		code := run([]string{"trust", "authority", at("cert.pem"), "--root", at("root.pem"), "--name", "tsa.example", "--trust", at("old.json"), "--out", at(out), "--at", Time.Format(time.RFC3339), "--lang", "en"}, &stdout, &stderr)
		if code != want || (want != 0) != strings.Contains(stderr.String(), "stays as it is") {
			t.Errorf("%s: %d %s", out, code, stderr.String())
		}
	}
	if raw, err := os.ReadFile(at("newer.json")); err != nil || !bytes.Equal(raw, newer.Encode()) {
		t.Error(err)
	}
}
