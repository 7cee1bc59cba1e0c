package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// question holds the flags that check, check-many and the verbs of packs share.
type question struct {
	trust, claim, at string
	maxAge           time.Duration
	headers          []string
	witness          string
	stamps           []string
	json             bool
}

func (q *question) flags(cmd *cobra.Command) {
	q.headerFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&q.claim, "claim", "", "claim: "+attest.ClaimForms)
	f.DurationVar(&q.maxAge, "max-age", 0, "oldest header that is accepted, such as 24h")
	for _, name := range []string{"trust", "claim", "max-age"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
}

// headerFlags are those by which a header is judged.
func (q *question) headerFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.trust, "trust", "", "trust file (trust.json)")
	f.StringVar(&q.at, "at", "", "time (RFC 3339) in place of the clock, for age and for the windows of the trust file")
	f.StringVar(&q.witness, "witness", "", "witness file (*.xlw) with cosignatures of the header")
	f.StringArrayVar(&q.stamps, "timestamp", nil, "time stamp (RFC 3161 response) over the header hash; may be given several times")
	f.BoolVar(&q.json, "json", false, "print JSON")
}

// headerFlag is for bundles alone: a pack carries its header.
func (q *question) headerFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&q.headers, "header", nil, "bundle that carries the header which this one only names; may be given several times")
}

// read turns the flags and files into what the library takes. Its errors are of usage, of an unsupported trust file, or of
// a header that is refused; usage goes first, so that the files are judged when nothing is wrong with the call.
func (q *question) read(subject, bundle string, limit int64) (*attest.Verifier, []byte, attest.Policy, error) {
	p := attest.Policy{Subject: subject, MaxAge: q.maxAge, Now: time.Now()}
	var err error
	if p.Claim, err = attest.ParseClaim(q.claim); err != nil {
		return nil, nil, p, usage("%w", err)
	}
	if q.maxAge <= 0 {
		return nil, nil, p, usage("--max-age %s is not positive", q.maxAge)
	}
	if p.Now, err = clock(q.at); err != nil {
		return nil, nil, p, err
	}
	raw, err := readAtMost(bundle, limit)
	if err != nil {
		return nil, nil, p, err
	}
	headers := make([][]byte, len(q.headers))
	for i, name := range q.headers {
		if headers[i], err = readBundle(name); err != nil {
			return nil, nil, p, err
		}
	}
	if err := q.readEvidence(&p); err != nil {
		return nil, nil, p, err
	}
	v, err := q.verifier()
	if err != nil {
		return nil, nil, p, err
	}
	for i, raw := range headers {
		h, err := v.Header(raw)
		if err != nil {
			return nil, nil, p, &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("%s: %w", q.headers[i], err)}
		}
		p.Headers = append(p.Headers, h)
	}
	return v, raw, p, nil
}

// files are those that are read to judge one.
func (q *question) files(judged string) []string {
	return slices.Concat([]string{judged, q.trust, q.witness}, q.headers, q.stamps)
}

// readEvidence reads what stands beside a header: witness file and time stamps.
func (q *question) readEvidence(p *attest.Policy) (err error) {
	if q.witness != "" {
		if p.Witness, err = readAtMost(q.witness, evidenceBytesMax); err != nil {
			return err
		}
		if len(p.Witness) == 0 {
			return usage("%s is empty", q.witness)
		}
	}
	for _, name := range q.stamps {
		stamp, err := readAtMost(name, evidenceBytesMax)
		if err != nil {
			return err
		}
		p.Stamps = append(p.Stamps, stamp)
	}
	return nil
}

// verifier judges by the trust file.
func (q *question) verifier() (*attest.Verifier, error) {
	file, err := readAtMost(q.trust, trustBytesMax)
	if err != nil {
		return nil, err
	}
	trust, err := attest.ParseTrust(file)
	if err != nil {
		return nil, &exit{code: attest.ExitCode(nil, err), err: err}
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		return nil, &exit{code: attest.ExitCode(nil, err), err: err}
	}
	return v, nil
}

// evidenceBytesMax is more than a witness file or a time stamp may have.
const evidenceBytesMax = 64 << 10

// refused shows an error of read as JSON where that was asked for: an unsupported trust file and a header that is refused have a verdict, a wrong call
// has none.
func (q *question) refused(w io.Writer, err error, p attest.Policy, view func(attest.VerdictJSON) any) error {
	if q.json && attest.CodeOf(err) != "" && !errors.Is(err, attest.ErrUsage) {
		if e := printJSON(w, view(attest.VerdictView(nil, err, p))); e != nil {
			return e
		}
	}
	return err
}

// readAtMost reads a file, and of one that is too long just enough to have it refused for its length.
func readAtMost(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("%w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, usage("%w", err) // it names the file
	}
	return raw, nil
}

func readBundle(name string) ([]byte, error) { return readAtMost(name, int64(attest.FileBytesMax)) }

func checkCommand() *cobra.Command {
	var q question
	var subject, restricted string
	cmd := &cobra.Command{
		Use:     "check BUNDLE --trust TRUST.json --subject USCC --claim CLAIM --max-age DURATION",
		Short:   "Judge a bundle: does the claim hold for the subject?",
		Example: "  xinlian-verify check firm.xla --trust trust.json --subject 91410100Y000000160 --claim no-negative --max-age 24h",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := attest.CheckSubject(subject); err != nil {
				return usage("--subject: %w", err)
			}
			var opening []byte
			if restricted != "" {
				var err error
				if opening, err = readBundle(restricted); err != nil {
					return err
				}
			}
			v, raw, p, err := q.read(subject, args[0], int64(attest.FileBytesMax))
			if err != nil {
				return q.refused(cmd.OutOrStdout(), err, p, func(j attest.VerdictJSON) any { return j })
			}
			verdict, err := v.Verify(raw, p)
			var opened *attest.RestrictedJSON
			proven := verdict
			if e := (*attest.Error)(nil); errors.As(err, &e) {
				proven = e.Seen // a stale bundle proves a standing, too, and an opening that is none goes before its age
			}
			if restricted != "" && proven != nil {
				switch o, bad := openRestricted(opening, proven); {
				case bad != nil:
					verdict, err = nil, bad
				case err == nil:
					opened = o
				}
			}
			code := attest.ExitCode(verdict, err)
			if errors.Is(err, attest.ErrUsage) {
				return &exit{code: code, err: err}
			}
			if q.json {
				view := struct {
					attest.VerdictJSON
					Restricted *attest.RestrictedJSON `json:"restricted,omitempty"`
				}{attest.VerdictView(verdict, err, p), opened}
				if err := printJSON(cmd.OutOrStdout(), view); err != nil {
					return err
				}
			} else if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), verdictLine(cmd, verdict))
				showRestricted(cmd.OutOrStdout(), opened)
			}
			switch {
			case err != nil:
				return &exit{code: code, err: err}
			case code != 0:
				return &exit{code: code, err: fmt.Errorf("%s: the claim %s does not hold: %s", verdict.Code, verdict.Claim, verdict.Reason)}
			}
			return nil
		},
	}
	q.flags(cmd)
	q.headerFlag(cmd)
	cmd.Flags().StringVar(&restricted, "restricted", "", "file (*.xlr) that opens what the firm has authorised, judged against the bundle's standing")
	cmd.Flags().StringVar(&subject, "subject", "", "统一社会信用代码 of the firm that is asked about")
	if err := cmd.MarkFlagRequired("subject"); err != nil {
		panic(err)
	}
	return cmd
}

// openRestricted judges a file that opens classes of the restricted section.
func openRestricted(raw []byte, v *attest.Verdict) (*attest.RestrictedJSON, error) {
	opened, err := attest.OpenRestricted(raw, v.Standing)
	if err != nil {
		return nil, err
	}
	return attest.RestrictedView(opened), nil
}

func showRestricted(w io.Writer, r *attest.RestrictedJSON) {
	if r == nil {
		return
	}
	if g := r.Grade; g != nil {
		fmt.Fprintf(w, "公共信用综合评价等级 grade: %s  %s  %s – %s\n", shown(g.Grade), g.Issuer, dash(g.AssessedOn), dash(g.ValidUntil))
	}
	if r.Commitments != nil {
		for _, c := range *r.Commitments {
			fmt.Fprintf(w, "特定范围内公开的承诺 commitment: %s  %s\n", c.Code, c.State)
		}
	}
	fmt.Fprintf(w, "开放 opened: %v  未开放 closed: %v\n", r.Opened, r.Closed)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
