package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

func inspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect BUNDLE",
		Short: "Show what a bundle says, UNVERIFIED",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readBundle(args[0])
			if err != nil {
				return err
			}
			b, err := attest.DecodeBundle(raw)
			if err != nil {
				return &exit{code: attest.ExitCode(nil, err), err: err}
			}
			view, err := attest.BundleView(b)
			if err != nil {
				return &exit{code: exitInvalid, err: err}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), view)
			}
			describe(cmd.OutOrStdout(), view, len(raw))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func describe(w io.Writer, v *attest.BundleJSON, size int) {
	fmt.Fprintln(w, "UNVERIFIED: anyone can write such a file; use check")
	fmt.Fprintf(w, "format      %s, %d bytes, of which the path %d\n", v.Format, size, v.PathBytes)
	fmt.Fprintf(w, "chain       %s\n", v.ChainID)
	fmt.Fprintf(w, "state       of height %d, proven by header %d (%s)\n", v.Height, v.HeaderHeight, v.Time)
	fmt.Fprintf(w, "header      %s\n", v.HeaderHash)
	fmt.Fprintf(w, "signatures  %d, round %d; first set of %d validators, %d steps to the set that signed\n", v.Signatures, v.Round, len(v.Validators), len(v.Steps))
	fmt.Fprintf(w, "catalogue   version %d\n", v.CatalogVersion)
	for _, e := range v.Entries {
		if e.Standing == nil {
			fmt.Fprintf(w, "subject     %s: not enrolled\n", e.Subject)
			continue
		}
		s := e.Standing
		fmt.Fprintf(w, "subject     %s: %s, region %s, may promise: %t\n", e.Subject, s.Status, s.Region, s.MayPromise)
		fmt.Fprintf(w, "            %d commitments (%d breached), %d penalties (%d minor, %d general, %d serious), %d lists, %d abnormal, %d others\n",
			s.Counts.Commitments, s.Counts.Breached, s.Counts.Penalties, s.Counts.Minor, s.Counts.General, s.Counts.Serious,
			s.Counts.Lists, s.Counts.Abnormal, s.Counts.Others)
		for _, c := range s.Commitments {
			fmt.Fprintf(w, "            commitment %s %s\n", c.Code, c.State)
		}
		for _, p := range s.Penalties {
			fmt.Fprintf(w, "            penalty %s %s\n", p.Class, strings.TrimSpace(p.DocNo))
		}
	}
}
