// Command xinlian-audit is the auditor's tool: it replays a chain and trusts nobody.
//
// Exit codes: 0 all agree · 1 a difference (the first one is printed) · 2 usage · 3 unreadable input.
//
// Trust: the genesis file, whose hash the report names, and this binary. Whoever serves the blocks can at most withhold them.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

func main() { os.Exit(run(os.Args[1:])) }

// exit carries the code that an error ends the program with.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string { return e.err.Error() }
func (e exit) Unwrap() error { return e.err }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l := shell.LanguageOf(args)
	root := rootCmd(l)
	root.SetArgs(args)
	out := shell.NewOutput(os.Stdout)
	root.SetOut(out)
	err, lost := out.After(root.ExecuteContext(ctx))
	if err == nil {
		return 0
	}
	err, interrupted := shell.Interrupted(ctx, err)
	fmt.Fprintln(os.Stderr, "xinlian-audit:", shell.ErrorLine(words, l, err))
	var e exit
	switch {
	case interrupted:
		return shell.ExitInterrupted
	case lost:
		return 3 // as of a report that cannot be written
	case errors.As(err, &e):
		return e.code
	}
	return 2
}

func rootCmd(l lang.Language) *cobra.Command {
	root := &cobra.Command{
		Use:           "xinlian-audit",
		Short:         "Replay a chain, check every signature and every app hash",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(replayCmd(), versionCmd())
	shell.Speak(root, l, words)
	return root
}

//go:embed zh.txt
var ownWords string

// words is what the program can say in Chinese: its own, and what it passes on of the replay.
var words = sync.OnceValue(func() *lang.Catalog {
	own, err := lang.Parse("zh.txt", ownWords)
	if err != nil {
		panic(err) // a test reads it
	}
	return lang.Ledger().With(own)
})

// sayf writes a line to people in the language of the verb.
func sayf(cmd *cobra.Command, w io.Writer, format string, args ...any) {
	shell.Sayf(cmd, words, w, format, args...)
}
