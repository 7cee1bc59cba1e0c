package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func packCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pack",
		Short: "Offline packs: everybody with a serious, or with any negative, record",
		Long: `An offline pack (离线信用包) is a set of firms that a quorum of the ledger has signed whole: those with a live serious
record, which decides the claim no-serious, or those with any negative one, which decides no-negative. Whoever has a
pack looks firms up without asking anybody. A pack does not say whether a firm that is not in it is enrolled.

Exit codes are those of check; fetch and fetch-delta have those of fetch.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return err
			}
			return usage("a verb is missing")
		},
	}
	cmd.AddCommand(packCheckCommand(), packLookupCommand(), packApplyCommand(), packFetchCommand(), packFetchDeltaCommand())
	return cmd
}

// open reads and judges a pack. Where that fails and JSON was asked for, the verdict is printed.
func (q *question) open(cmd *cobra.Command, name string, change func(raw []byte) ([]byte, error)) (*attest.Pack, []byte, attest.Policy, error) {
	v, raw, p, err := q.read("", name, pb.PackBytesMax)
	if err == nil && change != nil {
		raw, err = change(raw)
	}
	var pack *attest.Pack
	if err == nil {
		pack, err = v.OpenPack(raw, p)
	}
	if err != nil {
		if q.json && attest.CodeOf(err) != "" && !errors.Is(err, attest.ErrUsage) {
			if e := printJSON(cmd.OutOrStdout(), attest.VerdictView(nil, err, p)); e != nil {
				return nil, nil, p, e
			}
		}
		var e *exit
		if !errors.As(err, &e) {
			err = &exit{code: attest.ExitCode(nil, err), err: err}
		}
		return nil, nil, p, err
	}
	return pack, raw, p, nil
}

func packCheckCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:     "check PACK --trust TRUST.json --claim no-serious|no-negative --max-age DURATION",
		Short:   "Judge a pack",
		Example: "  xinlian-verify pack check serious.xlp --trust trust.json --claim no-serious --max-age 24h",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pack, _, p, err := q.open(cmd, args[0], nil)
			if err != nil {
				return err
			}
			if q.json {
				return printJSON(cmd.OutOrStdout(), attest.PackView(pack, p.Now))
			}
			fmt.Fprintln(cmd.OutOrStdout(), packLine(cmd, pack))
			return nil
		},
	}
	q.flags(cmd)
	return cmd
}

// packLine is a pack for people.
func packLine(cmd *cobra.Command, p *attest.Pack) string {
	if shell.Speaks(cmd) == lang.English {
		return p.String()
	}
	return fmt.Sprintf("有效  离线信用包，主体 %d 个  %s  高度 %d  %s  签名权重 %d/%d  根 %x",
		p.Len(), p.Claim, p.Height, p.Time.Format(time.RFC3339), p.SignedPower, p.TotalPower, p.Root)
}

func packLookupCommand() *cobra.Command {
	var q question
	var subjects []string
	var list, out string
	cmd := &cobra.Command{
		Use:   "lookup PACK --trust TRUST.json --claim no-serious|no-negative --max-age DURATION --subject USCC…",
		Short: "Judge a pack and look firms up in it",
		Long: `lookup judges a pack and says of each firm whether it is in the set. Firms are named by --subject, several times if need
be, or stand in the first column of a CSV file (--subjects). A text that is no 统一社会信用代码 is refused and never
taken for a firm that is not in the set. A pack does not say whether a firm is enrolled.

A table that stands in the place of --csv is taken away before anything is judged: none is left of an earlier call where this one fails.`,
		Example: "  xinlian-verify pack lookup serious.xlp --trust trust.json --claim no-serious --max-age 24h --subjects portfolio.csv --csv out.csv",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := apart("--csv", out, append(q.files(args[0]), list)...); err != nil {
				return err
			}
			file, err := beginTable(out)
			if err != nil {
				return err
			}
			defer file.Drop()
			if list != "" {
				more, err := readSubjects(list)
				if err != nil {
					return err
				}
				subjects = append(subjects, more...)
			}
			if len(subjects) == 0 {
				return usage("no firm is named: give --subject or --subjects")
			}
			for _, s := range subjects {
				if err := attest.CheckSubject(s); err != nil {
					return usage("%w", err)
				}
			}
			pack, _, p, err := q.open(cmd, args[0], nil)
			if err != nil {
				return err
			}
			verdicts, in := make([]*attest.PackVerdict, len(subjects)), 0
			for i, s := range subjects {
				if verdicts[i], err = pack.Judge(s, p.Now); err != nil {
					return &exit{code: attest.ExitCode(nil, err), err: err}
				}
				if !verdicts[i].Holds {
					in++
				}
			}
			if out != "" {
				if err := file.Finish(packTable(verdicts, p.Now)); err != nil {
					return usage("write --csv: %w", err)
				}
			}
			switch {
			case q.json:
				views := make([]attest.VerdictJSON, len(verdicts))
				for i, d := range verdicts {
					views[i] = attest.PackVerdictView(d, p.Now)
				}
				if err := printJSON(cmd.OutOrStdout(), views); err != nil {
					return err
				}
			case out != "":
				sayf(cmd, cmd.OutOrStdout(), "%d subjects, the claim %s holds for %d; table in %s", len(verdicts), p.Claim, len(verdicts)-in, out)
			default:
				for _, d := range verdicts {
					fmt.Fprintln(cmd.OutOrStdout(), lookupLine(cmd, d))
				}
			}
			if in > 0 {
				return &exit{code: 6, err: fmt.Errorf("the claim %s does not hold for %d of %d subjects", p.Claim, in, len(verdicts))}
			}
			return nil
		},
	}
	q.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&subjects, "subject", nil, "统一社会信用代码; may be given several times")
	f.StringVar(&list, "subjects", "", "CSV file with codes in its first column")
	f.StringVar(&out, "csv", "", "write one row a subject to this file")
	return cmd
}

// lookupLine is a look-up for people.
func lookupLine(cmd *cobra.Command, d *attest.PackVerdict) string {
	if shell.Speaks(cmd) == lang.English {
		return d.String()
	}
	word := "成立"
	if !d.Holds {
		word = "不成立"
	}
	return fmt.Sprintf("%s  %s  %s  高度 %d  %s（%s）", word, d.Subject, d.Claim, d.Pack.Height, d.Pack.Time.Format(time.RFC3339),
		words().Text(lang.Chinese, d.Reason))
}

// packTable is the CSV of look-ups, in the columns of check-many.
func packTable(verdicts []*attest.PackVerdict, now time.Time) []byte {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	rows := [][]string{tableHead}
	for _, d := range verdicts {
		rows = append(rows, []string{
			d.Subject, d.Claim.String(), strconv.FormatBool(d.Holds), d.Code, d.Reason, "", d.Pack.ChainID,
			strconv.FormatInt(d.Pack.Height, 10), strconv.FormatInt(d.Pack.HeaderHeight, 10), d.Pack.Time.Format(time.RFC3339Nano),
			strconv.FormatInt(int64(d.Pack.Age(now)/time.Second), 10),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		panic(err) // a buffer does not fail
	}
	return b.Bytes()
}

// subjectsBytesMax bounds a list of firms: some ten million codes.
const subjectsBytesMax = 512 << 20

// readSubjects reads the first column of a CSV file. A first row that names the column is passed over.
func readSubjects(name string) ([]string, error) {
	raw, err := readAtMost(name, subjectsBytesMax)
	if err != nil {
		return nil, err
	}
	if len(raw) > subjectsBytesMax {
		return nil, usage("%s is longer than %d bytes", name, subjectsBytesMax)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\uFEFF"))))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	var out []string
	for {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, usage("read %s: %w", name, err)
		}
		cell := strings.TrimSpace(row[0])
		if len(out) == 0 && slices.Contains([]string{"uscc", "subject", "统一社会信用代码"}, cell) {
			continue
		}
		if err := attest.CheckSubject(cell); err != nil {
			line, _ := r.FieldPos(0)
			return nil, usage("%s, line %d: %w", name, line, err)
		}
		out = append(out, strings.Clone(cell))
	}
}

func packApplyCommand() *cobra.Command {
	var q question
	var out string
	cmd := &cobra.Command{
		Use:   "apply-delta PACK DELTA --trust TRUST.json --claim no-serious|no-negative --max-age DURATION --out PACK",
		Short: "Make the newer pack of an older one, and judge it",
		Long: `apply-delta makes the newer pack of an older one and a delta, byte for byte as a gateway serves it. It judges what comes
out as pack check does, and writes it only if it passes. The older pack may be of any age.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			pack, raw, p, err := q.open(cmd, args[0], func(base []byte) ([]byte, error) {
				delta, err := readAtMost(args[1], pb.PackBytesMax)
				if err != nil {
					return nil, err
				}
				return attest.ApplyDelta(base, delta)
			})
			if err != nil {
				return err
			}
			if err := save(out, raw); err != nil {
				return usage("write --out: %w", err)
			}
			if q.json {
				return printJSON(cmd.OutOrStdout(), attest.PackView(pack, p.Now))
			}
			fmt.Fprintln(cmd.OutOrStdout(), packLine(cmd, pack))
			return nil
		},
	}
	q.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

func packFetchCommand() *cobra.Command {
	var node, set, out string
	cmd := &cobra.Command{
		Use:   "fetch --node URL --set serious|negative --out PACK",
		Short: "Get the newest pack from a node; nothing is verified",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if set != pb.PACK_SERIOUS.Word() && set != pb.PACK_NEGATIVE.Word() {
				return usage("--set %.40q is neither serious nor negative", set)
			}
			raw, err := fileFrom(cmd.Context(), node, attest.PackMediaType, pb.PackBytesMax, "v1", "packs", set)
			if err != nil {
				return err
			}
			got, root, err := attest.PackRoot(raw)
			switch {
			case err != nil:
				return &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("the node's answer is no pack: %w", err)}
			case got.Word() != set:
				return unusable("the node's pack is %q", got.Word())
			}
			if err := save(out, raw); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: %d bytes, root %s, UNVERIFIED; use pack check", out, len(raw), hex.EncodeToString(root[:]))
			return nil
		},
	}
	packFetchFlags(cmd, &node, &out)
	cmd.Flags().StringVar(&set, "set", "", "serious or negative")
	if err := cmd.MarkFlagRequired("set"); err != nil {
		panic(err)
	}
	return cmd
}

func packFetchDeltaCommand() *cobra.Command {
	var node, base, out string
	cmd := &cobra.Command{
		Use:   "fetch-delta --node URL --base PACK --out DELTA",
		Short: "Get from a node what leads from a pack to its newest; nothing is verified",
		Long: `fetch-delta gets what leads from a pack of the same node, at most 24 hours old, to its newest one. From an older pack
there is no way on: get the whole pack with fetch.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := apart("--out", out, base); err != nil {
				return err
			}
			old, err := readAtMost(base, pb.PackBytesMax)
			if err != nil {
				return err
			}
			set, _, err := attest.PackRoot(old)
			if err != nil {
				return &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("--base: %w", err)}
			}
			name := sha256.Sum256(old)
			raw, err := fileFrom(cmd.Context(), node, attest.DeltaMediaType, pb.PackBytesMax, "v1", "packs", set.Word(), "delta?base="+hex.EncodeToString(name[:]))
			if err != nil {
				return err
			}
			if _, err := attest.ApplyDelta(old, raw); err != nil {
				return &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("the node's answer does not follow the pack: %w", err)}
			}
			if err := save(out, raw); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: %d bytes, UNVERIFIED; use pack apply-delta", out, len(raw))
			return nil
		},
	}
	packFetchFlags(cmd, &node, &out)
	cmd.Flags().StringVar(&base, "base", "", "the older pack")
	if err := cmd.MarkFlagRequired("base"); err != nil {
		panic(err)
	}
	return cmd
}

func packFetchFlags(cmd *cobra.Command, node, out *string) {
	cmd.Flags().StringVar(node, "node", "", "URL of a node's gateway")
	cmd.Flags().StringVar(out, "out", "", "file to write")
	for _, name := range []string{"node", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
}
