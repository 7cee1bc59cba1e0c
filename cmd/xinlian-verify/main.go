package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exit carries an exit code to run.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

const (
	exitInvalid = 1
	exitUsage   = 2
	exitNode    = 3 // of fetch: the node was not reached
	// exitUnproven is of receipt: well formed, but no anchor that was given covers it.
	exitUnproven = 6
)

func usage(format string, args ...any) error {
	return &exit{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// run is main without the process.
func run(args []string, stdout, stderr io.Writer) int {
	l := shell.LanguageOf(args)
	root := rootCommand(l)
	root.SetArgs(args)
	out := shell.NewOutput(stdout)
	root.SetOut(out)
	root.SetErr(stderr)

	err, lost := out.After(root.Execute())
	if err == nil {
		return 0
	}
	var e *exit
	switch {
	case lost: // as of a file that an answer was to go into
		e = &exit{exitUsage, err}
	case !errors.As(err, &e):
		// What cobra itself refuses: an unknown verb or flag, too many arguments, a flag that is missing.
		e = &exit{code: exitUsage, err: fmt.Errorf("%w; see xinlian-verify --help", err)}
	}
	fmt.Fprintln(stderr, "xinlian-verify: "+shell.ErrorLine(words, l, e))
	return e.code
}

func rootCommand(l lang.Language) *cobra.Command {
	root := &cobra.Command{
		Use:   "xinlian-verify",
		Short: "Judge proof bundles of the credit ledger, offline",
		Long: `xinlian-verify judges proof bundles (证明包) of the credit ledger. Only fetch uses the network, also that of pack.

Exit codes of check: 0 verified and the claim holds; 1 invalid; 2 usage; 3 stale;
4 the trust file has expired or does not reach the bundle; 5 unsupported version;
6 verified, but the claim does not hold.

JSON and CSV are the same in both languages.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return err
			}
			return usage("a verb is missing")
		},
	}
	root.AddCommand(checkCommand(), checkManyCommand(), inspectCommand(), convertCommand(), qrCommand(), trustCommand(), doctorCommand(), cosignCommand(), packCommand(), receiptCommand(), fetchCommand(), versionCommand())
	shell.Speak(root, l, words)
	return root
}
