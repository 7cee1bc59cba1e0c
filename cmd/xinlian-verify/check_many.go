package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func checkManyCommand() *cobra.Command {
	var q question
	var out string
	cmd := &cobra.Command{
		Use:   "check-many BUNDLE --trust TRUST.json --claim CLAIM --max-age DURATION [--csv OUT]",
		Short: "Judge every subject of a bundle",
		Long: `check-many judges every subject of a bundle. One proof covers all of them, so the bundle is invalid, stale or
not trusted as a whole; whether the claim holds is said of each. A firm that was asked for and is not in the
bundle has no line: compare the list.

A table that stands in the place of --csv is taken away before anything is judged: none is left of an earlier call where this one fails.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := apart("--csv", out, q.files(args[0])...); err != nil {
				return err
			}
			file, err := beginTable(out)
			if err != nil {
				return err
			}
			defer file.Drop()
			v, raw, p, err := q.read("", args[0], int64(attest.FileBytesMax))
			if err != nil {
				return q.refused(cmd.OutOrStdout(), err, p, func(j attest.VerdictJSON) any { return []attest.VerdictJSON{j} })
			}
			verdicts, err := v.VerifyMany(raw, p)
			if err != nil {
				if q.json && !errors.Is(err, attest.ErrUsage) {
					if err := printJSON(cmd.OutOrStdout(), []attest.VerdictJSON{attest.VerdictView(nil, err, p)}); err != nil {
						return err
					}
				}
				return &exit{code: attest.ExitCode(nil, err), err: err}
			}
			if out != "" {
				if err := file.Finish(table(verdicts)); err != nil {
					return usage("write --csv: %w", err)
				}
			}
			failed := 0
			views := make([]attest.VerdictJSON, 0, len(verdicts))
			for _, d := range verdicts {
				if !d.Holds {
					failed++
				}
				switch {
				case q.json:
					views = append(views, attest.VerdictView(d, nil, p))
				case out == "":
					fmt.Fprintln(cmd.OutOrStdout(), verdictLine(cmd, d))
				}
			}
			if q.json {
				if err := printJSON(cmd.OutOrStdout(), views); err != nil {
					return err
				}
			} else if out != "" {
				sayf(cmd, cmd.OutOrStdout(), "%d subjects, the claim %s holds for %d; table in %s", len(verdicts), p.Claim, len(verdicts)-failed, out)
			}
			if failed > 0 {
				return &exit{code: 6, err: fmt.Errorf("the claim %s does not hold for %d of %d subjects", p.Claim, failed, len(verdicts))}
			}
			return nil
		},
	}
	q.flags(cmd)
	q.headerFlag(cmd)
	cmd.Flags().StringVar(&out, "csv", "", "write one row a subject to this file")
	return cmd
}

// beginTable makes room for the table of --csv, nil where none is asked for, and takes away the one that is there.
func beginTable(out string) (*shell.File, error) {
	if out == "" {
		return nil, nil
	}
	file, err := shell.Begin(out, 0o644)
	if err != nil {
		return nil, usage("write --csv: %w", err)
	}
	if err := file.Clear(); err != nil {
		file.Drop()
		return nil, usage("write --csv: %w", err)
	}
	return file, nil
}

// tableHead names the columns. Whether a subject is enrolled a pack leaves empty.
var tableHead = []string{"subject", "claim", "holds", "code", "reason", "enrolled", "chain_id", "height", "header_height", "time", "age_seconds"}

// table is the CSV of the verdicts: UTF-8 with a byte order mark, so that spreadsheets show Chinese.
func table(verdicts []*attest.Verdict) []byte {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	rows := [][]string{tableHead}
	for _, d := range verdicts {
		rows = append(rows, []string{
			d.Subject, d.Claim.String(), strconv.FormatBool(d.Holds), d.Code, d.Reason, strconv.FormatBool(d.Enrolled), d.ChainID,
			strconv.FormatInt(d.Height, 10), strconv.FormatInt(d.HeaderHeight, 10), d.Time.Format(time.RFC3339Nano),
			strconv.FormatInt(int64(d.Age/time.Second), 10),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		panic(err) // a buffer does not fail
	}
	return b.Bytes()
}
