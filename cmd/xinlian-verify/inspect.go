package main

import (
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
			describe(cmd, view, len(raw))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func describe(cmd *cobra.Command, v *attest.BundleJSON, size int) {
	w := cmd.OutOrStdout()
	sayf(cmd, w, "UNVERIFIED: anyone can write such a file; use check")
	sayf(cmd, w, "format      %s, %d bytes, of which the path %d", v.Format, size, v.PathBytes)
	sayf(cmd, w, "form        %s", v.Form)
	if v.Form != string(attest.HeaderKnown) {
		sayf(cmd, w, "chain       %s", v.ChainID)
		sayf(cmd, w, "state       of height %d, proven by header %d (%s)", v.Height, v.HeaderHeight, v.Time)
		sayf(cmd, w, "header      %s", v.HeaderHash)
		sayf(cmd, w, "signatures  %d, round %d; first set of %d validators, %d steps to the set that signed", v.Signatures, v.Round, len(v.Validators), len(v.Steps))
	} else {
		sayf(cmd, w, "state       of height %d, proven by header %d, which is named only", v.Height, v.HeaderHeight)
		sayf(cmd, w, "header      %s", v.HeaderHash)
	}
	sayf(cmd, w, "catalogue   version %d", v.CatalogVersion)
	for _, e := range v.Entries {
		if e.Standing == nil {
			sayf(cmd, w, "subject     %s: not enrolled", e.Subject)
			continue
		}
		s := e.Standing
		sayf(cmd, w, "subject     %s: %s, region %s, may promise: %t", e.Subject, s.Status, s.Region, s.MayPromise)
		sayf(cmd, w, "            %d commitments (%d breached), %d penalties (%d minor, %d general, %d serious), %d lists, %d abnormal, %d others",
			s.Counts.Commitments, s.Counts.Breached, s.Counts.Penalties, s.Counts.Minor, s.Counts.General, s.Counts.Serious,
			s.Counts.Lists, s.Counts.Abnormal, s.Counts.Others)
		for _, c := range s.Commitments {
			sayf(cmd, w, "            commitment %s %s", c.Code, c.State)
		}
		for _, p := range s.Penalties {
			sayf(cmd, w, "            penalty %s %s", p.Class, strings.TrimSpace(p.DocNo))
		}
		for _, e := range s.Lists {
			sayf(cmd, w, "            list entry %s %s", e.List, e.DocNo)
		}
		for _, e := range s.Abnormal {
			sayf(cmd, w, "            abnormal entry %s of %s", e.Reason, dash(e.ListedOn))
		}
		for _, o := range s.Others {
			sayf(cmd, w, "            other record %s %s", o.Class, o.DocNo)
		}
		for _, i := range s.Incentives {
			sayf(cmd, w, "            incentive %s %s until %s", i.List, i.State, dash(i.ValidUntil))
		}
	}
}

func dash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
