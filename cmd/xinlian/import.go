package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/intake"
	"github.com/xinlian-ledger/xinlian/node/vault"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// refusedShown is how many refused rows are shown where no report was asked for.
const refusedShown = 50

// importPatience is how long an import waits for a node that went away.
const importPatience = 2 * time.Minute

func importCmd() *cobra.Command {
	var kinds []*cobra.Command
	for _, kind := range intake.Kinds() {
		kinds = append(kinds, importKindCmd(kind))
	}
	cmd := group("import", "Send a file of records: CSV (UTF-8 or GB18030) or XLSX", kinds...)
	cmd.Long = `Send a file of records: CSV (UTF-8 or GB18030) or XLSX, columns in any order under field names or Chinese titles.

Every row ends as recorded, already recorded or refused; a bad row never stops the others. The same import again records nothing twice, and an
interrupted one goes on where it ended. The words of the rows (facts, basis, names) go to the vault, their digests to the ledger.

Exit codes: 0 no row was refused, 1 some were, 2 the call was wrong, 3 the node was not reached (nothing is lost: run it again).`
	return cmd
}

type importFlags struct {
	session
	batch         int
	report        string
	vault         string
	profile       string
	dryRun, whole bool
	all           bool // credit-china: the file is the whole list
	json          bool
}

func importKindCmd(kind intake.Kind) *cobra.Command {
	f := &importFlags{}
	about := map[intake.Kind]string{
		intake.Subjects:     "Enrol firms (信用主体): uscc, name, region, category",
		intake.Penalties:    "Record administrative penalties (行政处罚, 双公示)",
		intake.Commitments:  "Record credit commitments (信用承诺)",
		intake.Fulfillments: "Record fulfilment and breach of commitments (践诺)",
		intake.Abnormal:     "Record entries of abnormal operation (异常名录)",
		intake.Others:       "Record other dishonesty (其他失信信息)",
		intake.Objections:   "File objections on signed paper (异议申请)",
		intake.Repairs:      "File applications for repair on signed paper (信用修复申请); one over several records is a row for each",
		intake.CreditChina:  "Bring the current list of 信用中国 (公示核对): what it does not show is held back from every answer",
		intake.Lists:        "Record entries in lists of serious dishonesty (严重失信主体名单), after the notices that led to them",
	}
	more := map[intake.Kind]string{
		intake.CreditChina: `Bring the current list of 信用中国 (公示核对). Columns: subject_uscc 统一社会信用代码, kind 信息类别 (行政处罚, 严重失信主体名单, 经营异常名录,
其他失信信息), issuer_uscc 认定单位统一社会信用代码, doc_no 文书号, as_of 名单日期.

All rows of a firm are one list, and a firm of which nothing is shown has one row with kind, agency and number empty; a firm that the file does not name
stays as it is, unless the file is the whole list (--whole). What the ledger published before the day of the list and the list does not hold is held back from every answer in the same block.
So a list is sent whole or not at all: one row that cannot be read refuses all rows of its firm, and one whose firm cannot be read all rows of the file.`,
	}
	example := fmt.Sprintf("  xinlian import %s FILE --node %s --key ops --report out.csv", kind, defaultGateway)
	if kind == intake.Subjects {
		example = fmt.Sprintf("  xinlian import subjects FILE --node %s --key registry", defaultGateway)
	}
	cmd := &cobra.Command{
		Use: string(kind) + " FILE", Short: about[kind], Long: more[kind], Example: example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runImport(cmd, kind, args[0], f) },
	}
	f.addNode(cmd, importPatience)
	f.addKey(cmd, false)
	fl := cmd.Flags()
	fl.IntVar(&f.batch, "batch", client.BatchDefault, "rows a transaction, 1 to 1000")
	fl.StringVar(&f.report, "report", "", "write the outcome of every row to this CSV file")
	fl.StringVar(&f.profile, "profile", "", "TOML file with values and column titles for this file")
	fl.BoolVar(&f.dryRun, "dry-run", false, "read and check the file, send nothing")
	fl.BoolVar(&f.whole, "all-or-nothing", false, "send nothing unless every row passes (one transaction where it fits, else checked first)")
	fl.BoolVar(&f.json, "json", false, "answer as JSON")
	if kind.Own() {
		f.addIssuer(cmd)
	}
	if kind == intake.CreditChina {
		fl.BoolVar(&f.all, "whole", false, "the file is the whole list: of a firm that it does not name nothing is shown")
		cmd.MarkFlagsMutuallyExclusive("whole", "dry-run")
	}
	if !kind.Bare() {
		fl.StringVar(&f.vault, "vault", "", "folder of the vault (default $XINLIAN_HOME/vault)")
	}
	return cmd
}

func runImport(cmd *cobra.Command, kind intake.Kind, path string, f *importFlags) (err error) {
	if f.batch < 1 || f.batch > 1000 {
		return usage(fmt.Errorf("--batch is %d: it lies between 1 and 1000", f.batch))
	}
	if f.key == "" && !f.dryRun {
		return usage(errors.New("no key to sign with: name one with --key"))
	}
	ctx := cmd.Context()

	opts := intake.Options{}
	if f.profile != "" {
		if opts.Profile, err = intake.LoadProfile(f.profile, kind); err != nil {
			return usage(err)
		}
	}
	im := &client.Import{Batch: f.batch, AllOrNothing: f.whole, DryRun: f.dryRun}
	if f.dryRun {
		opts.Issuer = f.issuer
		if opts.Issuer == "" {
			opts.Issuer = dryIssuer
		}
		opts.Vault = vault.Ephemeral()
	} else {
		c, err := f.open(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		im.Client = c
		if kind.Own() {
			if opts.Issuer, err = f.member(ctx, c); err != nil {
				return verdictOf(err)
			}
		}
		if !kind.Bare() {
			if im.Vault, err = f.session.vault(ctx, f.vault); err != nil {
				return err
			}
			opts.Vault = im.Vault
		}
	}
	if im.Rows, err = intake.Open(path, kind, opts); err != nil {
		return usage(err)
	}
	defer im.Rows.Close()
	for _, d := range im.Rows.Declared() {
		sayf(cmd, cmd.ErrOrStderr(), "declared by the profile for all rows: %s", d)
	}

	sink, err := newReportSink(cmd, f.report)
	if err != nil {
		return usage(err)
	}
	im.Report = sink.write
	var would int
	im.Would = func(intake.Row) error { would++; return nil }
	bar := newProgress("rows", im.Rows.Total)
	im.Progress = bar.at

	sum, err := im.Run(ctx)
	bar.done()
	var rest *client.Rest
	if err == nil && f.all {
		rest, err = sayRest(cmd, im, opts.Issuer)
	}
	if e := sink.close(); e != nil && err == nil {
		err = e
	}
	if f.json {
		_ = printJSON(cmd.OutOrStdout(), importSummary{
			File: path, Format: im.Rows.Format(), Rows: sum.Rows, Recorded: sum.Recorded, AlreadyRecorded: sum.Already, Refused: sum.Refused,
			Unknown: sum.Rows - sum.Recorded - sum.Already - sum.Refused - would, WouldSend: would, Transactions: sum.Transactions, Report: f.report,
			Rest: restOf(rest),
		})
	} else {
		printSummary(cmd, path, im.Rows.Format(), sum, would, f)
	}
	switch {
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, context.Canceled):
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted after %d of the rows", sum.Recorded+sum.Already+sum.Refused)
		}
		return exitWith(3, fmt.Errorf("%w; nothing is lost: run the same import again, it goes on where this one ended", err))
	case intake.IsFile(err), err != nil:
		return usage(err)
	case sum.Refused > 0, rest != nil && rest.Refused > 0:
		return exitWith(1, nil)
	}
	return nil
}

// sayRest has the firms that a whole list does not name held back.
func sayRest(cmd *cobra.Command, im *client.Import, issuer string) (*client.Rest, error) {
	named, asOf := im.Rows.Scope()
	if asOf == 0 {
		return nil, errors.New("the list is not of one day, or the firm of a row cannot be read: of the firms that it does not name nothing was said")
	}
	rest, err := im.Client.SayRest(cmd.Context(), issuer, named, asOf)
	if rest == nil {
		return nil, err
	}
	for i, r := range rest.Refusals {
		if i < refusedShown {
			sayf(cmd, cmd.ErrOrStderr(), "%s: %s", r.Subject, r.Reason)
		}
	}
	sayf(cmd, cmd.ErrOrStderr(), "the list does not name %d firms with records in publicity: of %d nothing is shown, %d refused", rest.Firms, rest.Said, rest.Refused)
	return rest, err
}

// restSummary is what became of the firms that a whole list does not name.
type restSummary struct {
	Firms   int `json:"firms"`
	Said    int `json:"said"`
	Refused int `json:"refused"`
}

func restOf(r *client.Rest) *restSummary {
	if r == nil {
		return nil
	}
	return &restSummary{r.Firms, r.Said, r.Refused}
}

// dryIssuer stands in for the sender of a dry run: a code of the right form that no message carries anywhere.
var dryIssuer = code.CompleteUSCC("12410000", "Y0000000")

type importSummary struct {
	File            string `json:"file"`
	Format          string `json:"format"`
	Rows            int    `json:"rows"`
	Recorded        int    `json:"recorded"`
	AlreadyRecorded int    `json:"already_recorded"`
	Refused         int    `json:"refused"`
	Unknown         int    `json:"unknown"`    // not sent, or the outcome is not known: run it again
	WouldSend       int    `json:"would_send"` // dry run
	Transactions    int    `json:"transactions"`
	Report          string `json:"report,omitempty"`

	Rest *restSummary `json:"not_named,omitempty"` // credit-china --whole
}

func printSummary(cmd *cobra.Command, path, format string, sum client.Summary, would int, f *importFlags) {
	w := cmd.OutOrStdout()
	if f.dryRun {
		sayf(cmd, w, "%s (%s): %d rows: %d would be sent, %d refused; nothing was sent", path, format, sum.Rows, would, sum.Refused)
		return
	}
	sayf(cmd, w, "%s (%s): %d rows in %d transactions: %d recorded, %d already recorded, %d refused", path, format, sum.Rows, sum.Transactions, sum.Recorded, sum.Already, sum.Refused)
	if left := sum.Rows - sum.Recorded - sum.Already - sum.Refused; left > 0 {
		sayf(cmd, w, "of %d rows the outcome is not known: run it again", left)
	}
	if f.report != "" {
		sayf(cmd, w, "report: %s", f.report)
	}
}

// reportSink is where the lines of the report go: a file, or the terminal for the refused ones.
type reportSink struct {
	cmd    *cobra.Command
	file   *os.File
	report *intake.Report
	shown  int
}

func newReportSink(cmd *cobra.Command, path string) (*reportSink, error) {
	s := &reportSink{cmd: cmd}
	if path == "" {
		return s, nil
	}
	var err error
	// 0600: the report says which firms were punished before that is public.
	if s.file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("the report cannot be written: %w", err)
	}
	s.report, err = intake.NewReport(s.file)
	return s, err
}

func (s *reportSink) write(line intake.ReportRow) error {
	say := func(words string) string { return catalog().Text(speaks(s.cmd), words) }
	line.Reason, line.Note = say(line.Reason), say(line.Note)
	if s.report != nil {
		return s.report.Write(line)
	}
	if line.Outcome != intake.Refused {
		return nil
	}
	if s.shown++; s.shown <= refusedShown {
		sayf(s.cmd, s.cmd.ErrOrStderr(), "row %d: %s: %s", line.Row, line.Code, line.Reason)
	}
	return nil
}

func (s *reportSink) close() error {
	if s.report == nil {
		if more := s.shown - refusedShown; more > 0 {
			sayf(s.cmd, s.cmd.ErrOrStderr(), "%d more rows were refused: --report OUT.csv lists all", more)
		}
		return nil
	}
	return errors.Join(s.report.Flush(), s.file.Close())
}

// progress is a bar on standard error: on a terminal only, and only for what takes longer than two seconds.
type progress struct {
	bar   *progressbar.ProgressBar
	what  string
	total func() int
	began time.Time
	show  bool
}

func newProgress(what string, total func() int) *progress {
	return &progress{what: what, total: total, began: time.Now(), show: term.IsTerminal(int(os.Stderr.Fd()))}
}

func (p *progress) at(n int) {
	if !p.show || time.Since(p.began) < 2*time.Second {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(max(p.total(), 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(min(n, max(p.total(), 1))) // a bar that cannot be drawn is no reason to stop
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
