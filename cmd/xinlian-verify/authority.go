package main

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// trustAuthorityCommand pins the key of a time stamping authority (时间戳机构) whose certificate leads to a root that the lender believes. The verifier reads no
// certificate: chains and their validity are looked at once, here, when the key is taken in.
func trustAuthorityCommand() *cobra.Command {
	var root, name, trust, out, at string
	cmd := &cobra.Command{
		Use:   "authority CERT.pem --root ROOT.pem --name NAME --trust OLD.json --out NEW.json",
		Short: "Take the key of a time stamping authority into a trust file",
		Long: `authority reads the certificate of a time stamping authority (时间戳机构), with those between it and its root behind it, and adds its key to a trust
file under NAME. The chain has to lead to a certificate of ROOT.pem, be valid now, or at --at, and be for time stamps alone (RFC 3161: extended key
usage timeStamping, critical).

When the authority takes a new key, add it under another name and keep the old one: stamps that were made with it are judged by it. Where the trust
file asks for the stamps of several authorities, the two keys count as two; then keep the old trust file for old bundles instead.

Exit codes: 0 written; 1 the certificate is not what was asked for; 2 usage; 5 unsupported version.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			now, err := clock(at)
			if err != nil {
				return err
			}
			if err := apart("--out", out, args[0], root); err != nil {
				return err
			}
			chain, err := readCertificates(args[0])
			if err != nil {
				return err
			}
			roots, err := readCertificates(root)
			if err != nil {
				return err
			}
			raw, err := readAtMost(trust, trustBytesMax)
			if err != nil {
				return err
			}
			t, err := attest.ParseTrust(raw)
			if err != nil {
				return &exit{code: attest.ExitCode(nil, err), err: err}
			}
			if err := checkStamper(chain, roots, now); err != nil {
				return &exit{code: exitInvalid, err: fmt.Errorf("%s: %w", args[0], err)}
			}
			t.Stamps.Authorities = append(t.Stamps.Authorities, attest.Authority{Name: name, PublicKey: chain[0].RawSubjectPublicKeyInfo})
			if err := t.Check(); err != nil {
				return usage("%w", err)
			}
			if err := checkHeld(out, raw, t.Encode()); err != nil {
				return err
			}
			if err := save(out, t.Encode()); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: %s may stamp; of %d authorities %d are required. Its certificate ends at %s", out, name, len(t.Stamps.Authorities), t.Stamps.Required,
				chain[0].NotAfter.UTC().Format(time.RFC3339))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&root, "root", "", "certificates of roots that are believed (PEM)")
	f.StringVar(&name, "name", "", "name of the authority in the trust file, such as tsa.example/2026")
	f.StringVar(&trust, "trust", "", "trust file (trust.json)")
	f.StringVar(&out, "out", "", "file to write")
	f.StringVar(&at, "at", "", "time (RFC 3339) in place of the clock")
	for _, name := range []string{"root", "name", "trust", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return cmd
}

// certificatesBytesMax is more than a chain takes.
const certificatesBytesMax = 1 << 20

func readCertificates(name string) ([]*x509.Certificate, error) {
	raw, err := readAtMost(name, certificatesBytesMax)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(raw)
		if block == nil {
			break
		}
		raw = rest
		if block.Type != "CERTIFICATE" {
			return nil, usage("%s holds a PEM of %.40q; certificates alone are read", name, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, usage("%s: %w", name, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, usage("%s holds no certificate in PEM", name)
	}
	return out, nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// checkStamper holds the first certificate of a chain to what RFC 3161 asks of the certificate of an authority, and the chain to the roots.
func checkStamper(chain, roots []*x509.Certificate, now time.Time) error {
	c := chain[0]
	critical := false
	for _, e := range c.Extensions {
		critical = critical || e.Id.Equal(oidExtKeyUsage) && e.Critical
	}
	if !critical || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
		return errors.New("the certificate is not for time stamps alone: its extended key usage has to be timeStamping, critical")
	}
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}
	for _, r := range roots {
		o.Roots.AddCert(r)
	}
	for _, i := range chain[1:] {
		o.Intermediates.AddCert(i)
	}
	if _, err := c.Verify(o); err != nil {
		return fmt.Errorf("the certificate does not lead to a root that is believed: %w", err)
	}
	return nil
}
