package main

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func inspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a bundle, an offline pack or an anchor proof says, UNVERIFIED",
		Long: `inspect shows what a bundle, an offline pack or an anchor proof says; which it is show its first bytes. Nothing is verified.

Who wants a time stamp of a file asks an authority for one of its header (RFC 3161), whose hash is shown:
openssl ts -query -digest HEADERHASH -sha256 -out query.tsq`,
		Example: "  xinlian-verify inspect serious.xlp --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readAtMost(args[0], pb.PackBytesMax)
			if err != nil {
				return err
			}
			view, show, err := inspected(cmd, raw)
			switch {
			case err != nil:
				return &exit{code: attest.ExitCode(nil, err), err: err}
			case asJSON:
				return printJSON(cmd.OutOrStdout(), view)
			}
			show()
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// inspected reads a file of whichever kind, and gives its view and what shows that to people.
func inspected(cmd *cobra.Command, raw []byte) (view any, show func(), err error) {
	switch {
	case bytes.HasPrefix(raw, []byte(attest.PackMagic[:3])):
		f, err := attest.DecodePack(raw)
		if err != nil {
			return nil, nil, err
		}
		v := attest.PackFileView(f)
		return v, func() { describePack(cmd, v, len(raw)) }, nil
	case bytes.HasPrefix(raw, []byte(attest.AnchorProofMagic[:3])):
		p, err := attest.DecodeAnchorProof(raw)
		if err != nil {
			return nil, nil, err
		}
		v := attest.AnchorProofView(p)
		return v, func() { describeAnchor(cmd, v, len(raw)) }, nil
	}
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		return nil, nil, err
	}
	v, err := attest.BundleView(b)
	return v, func() { describe(cmd, v, len(raw)) }, err
}

func describePack(cmd *cobra.Command, v *attest.PackFileJSON, size int) {
	w := cmd.OutOrStdout()
	sayf(cmd, w, "UNVERIFIED: anyone can write such a file; use pack check")
	sayf(cmd, w, "format      %s, %d bytes", v.Format, size)
	describeBlock(cmd, &v.BlockJSON)
	sayf(cmd, w, "set         %s, %d members, root %s", v.Set, v.Members, v.Root)
}

func describeAnchor(cmd *cobra.Command, v *attest.AnchorProofJSON, size int) {
	w := cmd.OutOrStdout()
	sayf(cmd, w, "UNVERIFIED: anyone can write such a file; use receipt, with the receipts that it is of")
	sayf(cmd, w, "format      %s, %d bytes", v.Format, size)
	describeBlock(cmd, &v.BlockJSON)
	sayf(cmd, w, "anchor      of %s, hour %d, block %d, root %s", v.Gateway, v.Hour, v.AnchorHeight, v.Root)
}

func describeBlock(cmd *cobra.Command, v *attest.BlockJSON) {
	w := cmd.OutOrStdout()
	sayf(cmd, w, "chain       %s", v.ChainID)
	sayf(cmd, w, "state       of height %d, proven by header %d (%s)", v.Height, v.HeaderHeight, v.Time)
	sayf(cmd, w, "header      %s", v.HeaderHash)
	sayf(cmd, w, "signatures  %d, round %d; first set of %d validators, %d steps to the set that signed", v.Signatures, v.Round, len(v.Validators), len(v.Steps))
}

func describe(cmd *cobra.Command, v *attest.BundleJSON, size int) {
	w := cmd.OutOrStdout()
	sayf(cmd, w, "UNVERIFIED: anyone can write such a file; use check")
	sayf(cmd, w, "format      %s, %d bytes, of which the path %d", v.Format, size, v.PathBytes)
	sayf(cmd, w, "form        %s", v.Form)
	if v.Form != string(attest.HeaderKnown) {
		describeBlock(cmd, &v.BlockJSON)
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
