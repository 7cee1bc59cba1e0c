package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

// verbs is every verb of the program, one file each, in the order of the help.
var verbs = []func() *cobra.Command{
	demoCmd,
	localnetCmd,
	importCmd,
	txCmd,
	queryCmd,
	watchCmd,
	vaultCmd,
	initCmd,
	startCmd,
	fsckCmd,
	compactCmd,
	rollbackCmd,
	snapshotCmd,
	receiptsCmd,
	keysCmd,
	configCmd,
	exportCmd,
	trustCmd,
	benchCmd,
	versionCmd,
}

// Exit codes that every verb shares. A verb's own are in its help.
const (
	exitFailed = 1
	exitUsage  = 2
)

// exitError carries the exit code of a refusal. One without text ends the program in silence: the verb has said all.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }

// exitWith ends the program with an exit code. err may be nil.
func exitWith(code int, err error) error { return &exitError{code, err} }

// usage says that the command line is wrong.
func usage(err error) error { return exitWith(exitUsage, err) }

// usagef is usage with a text.
func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// execute runs one command line and gives its exit code. Errors are one line on standard error.
func execute(ctx context.Context, args []string) int {
	ran := false // what fails before a verb runs is a fault of the command line
	l := shell.LanguageOf(args)
	root := rootCmd(&ran, l)
	root.SetArgs(args)
	out := shell.NewOutput(os.Stdout)
	root.SetOut(out)
	err, lost := out.After(root.ExecuteContext(ctx))
	if err == nil {
		return 0
	}
	code := exitFailed
	var e *exitError
	err, interrupted := shell.Interrupted(ctx, err)
	switch {
	case interrupted:
		code = shell.ExitInterrupted
	case lost: // whatever the verb did is done
	case errors.As(err, &e):
		code = e.code
	case !ran, strings.HasPrefix(err.Error(), "required flag(s)"), strings.HasPrefix(err.Error(), "if any flags in the group"), strings.HasPrefix(err.Error(), "at least one of the flags"):
		code = exitUsage
	}
	if text := shell.ErrorLine(catalog, l, err); text != "" {
		fmt.Fprintln(os.Stderr, "xinlian: "+text)
	}
	return code
}

func rootCmd(ran *bool, l lang.Language) *cobra.Command {
	root := &cobra.Command{
		Use:   "xinlian",
		Short: "Permissioned ledger of credit commitments, sanctions and repairs (信链)",
		Long: `xinlian runs a node of a permissioned credit ledger, keeps a member's keys, imports files, signs and asks.

To see all of it at work:      xinlian demo
To run a consortium here:      xinlian localnet up --dir DIR --detach`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          showHelp,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			*ran = true
			return noEmpty(c)
		},
		DisableAutoGenTag: true,
	}
	for _, verb := range verbs {
		root.AddCommand(verb())
	}
	shell.Speak(root, l, catalog)
	return root
}

// noEmpty refuses an empty value where one stands for where things are kept or who asks: it comes from a variable that was not set, and would mean the folder
// in which one stands, or the public.
func noEmpty(c *cobra.Command) error {
	for _, name := range []string{"home", "keys", "key", "vault"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return usagef("--%s is empty: give it a value, or leave it out", name)
		}
	}
	return nil
}

// group is a verb that only holds others.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: showHelp, Args: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("%s has no verb %q: see `%s --help`", c.CommandPath(), args[0], c.CommandPath())
		}
		return nil
	}}
	c.AddCommand(verbs...)
	return c
}

func showHelp(c *cobra.Command, _ []string) error { return c.Help() }

// homeDir is $XINLIAN_HOME, or .xinlian in the user's folder.
func homeDir() string {
	if h := os.Getenv("XINLIAN_HOME"); h != "" {
		return h
	}
	h, err := os.UserHomeDir()
	if err != nil {
		return ".xinlian"
	}
	return filepath.Join(h, ".xinlian")
}

// homeFlag adds --home.
func homeFlag(c *cobra.Command) *string {
	return c.Flags().String("home", homeDir(), "the node's folder ($XINLIAN_HOME)")
}

// jsonFlag adds --json.
func jsonFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("json", false, "answer as JSON")
}

// printJSON writes a value for programs, Chinese as it is.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
