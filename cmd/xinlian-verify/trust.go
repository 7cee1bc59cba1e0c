package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const trustBytesMax = 1 << 20

// clock is --at, or the clock.
func clock(at string) (time.Time, error) {
	if at == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return t, usage("--at %.40q is not a time like 2026-11-23T08:00:00+08:00", at)
	}
	return t, nil
}

func trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Renew a trust file",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return err
			}
			return usage("a verb is missing")
		},
	}
	cmd.AddCommand(trustUpdateCommand(), trustAuthorityCommand())
	return cmd
}

func trustUpdateCommand() *cobra.Command {
	var out, at string
	cmd := &cobra.Command{
		Use:   "update TRUST.json ROTATION --out NEW.json",
		Short: "Take the newer trust file that the set in force has signed",
		Long: `update takes the newer trust file out of a rotation file, where validators that hold more than two thirds of the
set in force in the old trust file have signed it. It writes a plain trust file; keep the old one for old bundles.
What would lead back is refused: a new file that ends earlier than the old one, or names a set that was replaced, and a file --out that is newer.

Exit codes: 0 written; 1 invalid; 2 usage; 4 too few have signed, or a trust file has ended; 5 unsupported version.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			now, err := clock(at)
			if err != nil {
				return err
			}
			if err := apart("--out", out, args[1]); err != nil {
				return err
			}
			old, err := readAtMost(args[0], trustBytesMax)
			if err != nil {
				return err
			}
			rotation, err := readAtMost(args[1], 4<<20)
			if err != nil {
				return err
			}
			next, err := attest.Rotate(old, rotation, now)
			if err != nil {
				return &exit{code: attest.ExitCode(nil, err), err: err}
			}
			if err := checkHeld(out, old, next); err != nil {
				return err
			}
			if err := save(out, next); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: the trust file that follows, SHA-256 %x", out, sha256.Sum256(next))
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	cmd.Flags().StringVar(&at, "at", "", "time (RFC 3339) in place of the clock")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

// checkHeld refuses to write a trust file over one that it does not come after, but for that which it was made from: whoever takes an old rotation once more keeps what
// is newer.
func checkHeld(out string, from, file []byte) error {
	raw, err := readAtMost(out, trustBytesMax)
	if err != nil || bytes.Equal(raw, from) || bytes.Equal(raw, file) {
		return nil // nothing is there, or saving says what is the matter
	}
	held, err := attest.ParseTrust(raw)
	if err == nil {
		var next *attest.Trust
		if next, err = attest.ParseTrust(file); err == nil {
			err = held.CheckNext(next)
		}
	} else if !errors.Is(err, attest.ErrVersion) {
		return nil // no trust file
	}
	if err != nil {
		return &exit{code: exitInvalid, err: fmt.Errorf("%s holds a trust file that this one does not follow, and stays as it is; write to another file: %w", out, err)}
	}
	return nil
}

// doctorJSON is what doctor finds, for programs.
type doctorJSON struct {
	ChainID  string        `json:"chain_id"`
	SHA256   string        `json:"sha256"` // of the file, byte for byte
	Findings []findingJSON `json:"findings"`
}

// findingJSON is an attest.Finding.
type findingJSON struct {
	Unusable bool   `json:"unusable"`
	Text     string `json:"text"`
}

func doctorCommand() *cobra.Command {
	var file, at string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor --trust TRUST.json",
		Short: "Look a trust file over",
		Long: `doctor says in one line each what is the matter with a trust file, or soon will be: its end, windows of validators, sets that
were replaced and have none, heights without a set, sets in which a few decide, witnesses that prove little.

Exit codes: 0 nothing to say; 1 something to say; 2 the file cannot be read; 4 nothing verifies by it now; 5 unsupported version.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now, err := clock(at)
			if err != nil {
				return err
			}
			raw, err := readAtMost(file, trustBytesMax)
			if err != nil {
				return err
			}
			trust, err := attest.ParseTrust(raw)
			if err != nil {
				return &exit{code: attest.ExitCode(nil, err), err: err}
			}
			w, sum := cmd.OutOrStdout(), sha256.Sum256(raw)
			v, code := doctorJSON{ChainID: trust.ChainID, SHA256: hex.EncodeToString(sum[:]), Findings: []findingJSON{}}, 0
			for _, f := range attest.Examine(trust, now) {
				if code = max(code, exitInvalid); f.Unusable {
					code = 4
				}
				v.Findings = append(v.Findings, findingJSON(f))
			}
			if asJSON {
				if err := printJSON(w, v); err != nil {
					return err
				}
			} else {
				sayf(cmd, w, "%s: chain %s, SHA-256 %s", file, v.ChainID, v.SHA256)
				for _, f := range v.Findings {
					fmt.Fprintln(w, words().Text(shell.Speaks(cmd), f.Text))
				}
				if code == 0 {
					sayf(cmd, w, "nothing to say")
				}
			}
			if code != 0 {
				return &exit{code: code, err: errors.New("the trust file wants looking after")}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "trust", "", "trust file (trust.json)")
	cmd.Flags().StringVar(&at, "at", "", "time (RFC 3339) in place of the clock")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	if err := cmd.MarkFlagRequired("trust"); err != nil {
		panic(err)
	}
	return cmd
}
