package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/audit"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
)

func replayCmd() *cobra.Command {
	var (
		home, node, rpc, key, keyDir, report string
		to                                   int64
		asJSON                               bool
	)
	cmd := &cobra.Command{
		Use:   "replay (--home DIR | --node URL --key NAME | --rpc URL)",
		Short: "Re-execute every block from genesis and compare every app hash",
		Long: `Replay reads the blocks of a stopped node's home folder, or of a running node over its gateway or, where the operator lets
one in, over its engine's RPC. It checks every header, every commit signature and every change of validators, executes every transaction into
an empty state of its own, and compares every app hash. Over a home folder it also compares the node's state with its own, row by row.

Rows of the state beyond 1 GiB go to an unnamed temporary file; TMPDIR names a folder with room for a long chain.

Compare genesis_hash in the report with the one that the members published: everything else follows from it.

Exit codes: 0 all agree, 1 a difference (the first one is printed with height, transaction and key), 2 usage, 3 unreadable input.`,
		Example: `  xinlian-audit replay --home ./net/node3
  xinlian-audit replay --node http://127.0.0.1:26680 --key auditor --keys ./net/keys --report report.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sources := 0
			for _, s := range []string{home, node, rpc} {
				if s != "" {
					sources++
				}
			}
			if sources != 1 {
				return errors.New("name one source: --home DIR, --node URL or --rpc URL")
			}
			if to < 0 {
				return errors.New("--to is a height")
			}
			src, err := open(cmd, home, node, rpc, key, keyDir)
			if err != nil {
				return err
			}
			defer src.Close()
			rep, err := audit.Replay(cmd.Context(), src, audit.Options{To: to, Progress: progress()})
			if err != nil {
				return exit{3, err}
			}
			if report != "" {
				if err := shell.WriteFile(report, rep.JSON(), 0o644); err != nil {
					return exit{3, err}
				}
			}
			if asJSON {
				cmd.OutOrStdout().Write(rep.JSON())
			} else {
				print(cmd, rep)
			}
			if rep.Difference != nil {
				return exit{1, rep.Difference}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&home, "home", "", "home folder of a stopped node")
	f.StringVar(&node, "node", "", "URL of a node's gateway")
	f.StringVar(&rpc, "rpc", "", "URL of the RPC of a node's engine; for its operator, no key is asked for")
	f.StringVar(&key, "key", "", "name of the key to ask with (auditor or member)")
	f.StringVar(&keyDir, "keys", "", "folder of key files (default $XINLIAN_HOME/keys)")
	f.Int64Var(&to, "to", 0, "last height (default: the newest)")
	f.StringVar(&report, "report", "", "write the report as JSON to this file")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

func open(cmd *cobra.Command, home, node, rpc, key, keyDir string) (audit.Source, error) {
	if home != "" {
		src, err := audit.OpenHome(home)
		if err != nil {
			return nil, exit{3, err}
		}
		return src, nil
	}
	if rpc != "" {
		src, err := audit.OpenRPC(cmd.Context(), rpc)
		switch {
		case errors.Is(err, audit.ErrAddress):
			return nil, err
		case err != nil:
			return nil, exit{3, err}
		}
		return src, nil
	}
	if key == "" {
		return nil, errors.New("--node needs --key NAME: blocks are for auditors and members")
	}
	if keyDir == "" {
		base := os.Getenv("XINLIAN_HOME")
		if base == "" {
			user, err := os.UserHomeDir()
			if err != nil {
				return nil, exit{2, errors.New("set --keys or XINLIAN_HOME")}
			}
			base = filepath.Join(user, ".xinlian")
		}
		keyDir = filepath.Join(base, "keys")
	}
	pass, err := keys.Passphrase(cmd.Context(), shell.Say(words, shell.Speaks(cmd), "passphrase of "+key))
	if err != nil {
		return nil, exit{2, err}
	}
	k, err := keys.Open(keyDir).Load(key, pass)
	if err != nil {
		return nil, exit{3, err}
	}
	src, err := audit.OpenNode(cmd.Context(), node, k)
	if err != nil {
		return nil, exit{3, err}
	}
	return src, nil
}

// progress shows a bar on a terminal once a replay takes longer than two seconds.
func progress() func(done, of int64) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	began := time.Now()
	var bar *progressbar.ProgressBar
	return func(done, of int64) {
		if bar == nil {
			if time.Since(began) < 2*time.Second {
				return
			}
			bar = progressbar.NewOptions64(of, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("replay"),
				progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(done)
	}
}

func print(cmd *cobra.Command, r *audit.Report) {
	out := cmd.OutOrStdout()
	verdict := "ALL AGREE / 全部一致"
	if !r.Agrees {
		verdict = "DIFFERENCE / 不一致"
	}
	fmt.Fprintln(out, verdict)
	sayf(cmd, out, "chain %s, heights %d to %d", r.ChainID, r.From, r.To)
	sayf(cmd, out, "blocks %d, transactions %d, messages %d, commit signatures %d, state rows compared %d", r.Blocks, r.Transactions, r.Messages, r.Signatures, r.StateRows)
	sayf(cmd, out, "app hash %s", r.AppHash)
	sayf(cmd, out, "genesis hash %s", r.GenesisHash)
	sayf(cmd, out, "%.1f s, %.0f blocks/s", r.Seconds, float64(r.Blocks)/max(r.Seconds, 1e-9))
}

func versionCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary and of the rules it executes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version string `json:"version"`
				Rules   uint64 `json:"rules"`
			}{"devel", app.Version}
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				v.Version = info.Main.Version
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(v)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "xinlian-audit %s, rules version %d\n", v.Version, v.Rules)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
