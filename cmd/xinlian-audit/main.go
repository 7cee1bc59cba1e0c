// Command xinlian-audit is the auditor's tool: it replays a chain and trusts nobody.
//
// Exit codes: 0 all agree · 1 a difference (the first one is printed) · 2 usage · 3 unreadable input.
//
// Trust: the genesis file, whose hash the report names, and this binary. Whoever serves the blocks can at most withhold them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
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
	root := &cobra.Command{
		Use:           "xinlian-audit",
		Short:         "replay a chain, check every signature and every app hash / 审计：重放全链，逐块核验签名与状态",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(replayCmd(), versionCmd())
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "xinlian-audit:", err)
	var e exit
	if errors.As(err, &e) {
		return e.code
	}
	return 2
}
