package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/bench"
)

func benchCmd() *cobra.Command {
	return group("bench", "Measure this machine", benchLoadCmd(), benchVerifyCmd())
}

func benchLoadCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "load",
		Short: "Put a localnet under load: committed records a second, latency to commit",
		Long: `Make a localnet of this program on loopback in a temporary folder, enrol synthetic firms, send synthetic penalties and print
how many a second were committed and how long each took, from before it was sent to its commit. Everything is signed before the
clock runs. The command ends by itself and leaves nothing behind, unless --dir names a folder.

Without --rate it is a closed loop: every sender sends its next transaction when the node has taken the one before, and waits
where the pool is full; latency is then the length of the queue. With --rate latency counts from the moment at which a transaction
was due.

With --inside the one node runs in this process and is handed transactions directly, as the gateway does it; otherwise every node
is a process and takes them over CometBFT's own interface.`,
		Args: cobra.NoArgs,
	}
	o := bench.Options{}
	f := c.Flags()
	f.IntVar(&o.Validators, "validators", 1, "nodes that vote")
	f.IntVar(&o.PerTx, "per-tx", 200, "records a transaction")
	f.Float64Var(&o.Rate, "rate", 0, "transactions a second offered; 0 is a closed loop")
	f.IntVar(&o.Records, "records", 100_000, "records at most")
	seconds := f.Float64("seconds", 0, "nothing is sent after so many seconds; 0 is until all records are sent")
	f.IntVar(&o.Workers, "senders", 16, "transactions on their way at a time")
	f.IntVar(&o.Subjects, "subjects", 0, "synthetic firms; 0 is one for four records")
	f.BoolVar(&o.Inside, "inside", false, "run the one node in this process")
	f.BoolVar(&o.Kill, "kill", false, "afterwards kill a node (SIGKILL) and time its return")
	f.BoolVar(&o.Replay, "replay", false, "afterwards replay the chain as an auditor does")
	f.StringVar(&o.Profile, "cpuprofile", "", "file for a CPU profile of the sending (with --inside)")
	f.StringVar(&o.Dir, "dir", "", "empty folder for the network, left behind for another look")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *seconds < 0 || *seconds > 86400 {
			return usagef("--seconds %g: between 0 and 86400", *seconds)
		}
		o.For = secondsOf(*seconds)
		o.Progress = func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
		r, err := bench.Load(c.Context(), o)
		if errors.Is(err, bench.ErrUsage) {
			return usage(err)
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), r)
		}
		return showLoad(c, r)
	}
	return c
}

func showLoad(c *cobra.Command, r *bench.Report) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	loop := "closed loop"
	if r.Offered > 0 {
		loop = fmt.Sprintf("%g transactions a second offered", r.Offered)
	}
	fmt.Fprintf(w, "network\t%d validators, %d records a transaction, %d firms, %s\n", r.Validators, r.PerTx, r.Subjects, loop)
	fmt.Fprintf(w, "committed\t%.0f records/s (%.0f transactions/s): %d records in %.2f s, %d blocks\n",
		r.RecordsPerSec, r.TxsPerSec, r.Records, r.Seconds, r.Blocks)
	fmt.Fprintf(w, "latency to commit\tp50 %.1f ms, p99 %.1f ms, longest %.1f ms\n", r.P50, r.P99, r.Max)
	fmt.Fprintf(w, "refused, lost, no room\t%d, %d, %d\n", r.Refused, r.Lost, r.Busy)
	if r.FirstRefusal != "" {
		fmt.Fprintf(w, "first refusal\t%s\n", r.FirstRefusal)
	}
	fmt.Fprintf(w, "nodes' processors\t%.1f s in all, %.0f µs a record\n", r.CPUSeconds, r.CPUSeconds*1e6/float64(max(r.Records, 1)))
	fmt.Fprintf(w, "other programs\t%.0f %% of this machine's processors meanwhile\n", 100*r.Others)
	fmt.Fprintf(w, "memory of the largest\t%d MB resident\n", r.RSSMax>>20)
	fmt.Fprintf(w, "disk of one node\tstate %d MB, blocks %d MB\n", r.StateBytes>>20, r.BlockBytes>>20)
	if r.RestartSeconds > 0 {
		fmt.Fprintf(w, "back after SIGKILL\t%.2f s, ready and making blocks\n", r.RestartSeconds)
	}
	if r.Audit != nil {
		fmt.Fprintf(w, "replay\t%.2f times the chain's rate: %.0f records/s of %d; the chain was made at %.0f, its records committed at %.0f\n",
			r.ReplayRatio(), r.ReplayRate, r.Audit.Messages, r.ChainRate, r.RecordsPerSec)
		fmt.Fprintf(w, "replay's processors\t%.1f s in all, %.0f µs a record; other programs took %.0f %%\n",
			r.ReplayCPU, r.ReplayCPU*1e6/float64(max(r.Audit.Messages, 1)), 100*r.ReplayOthers)
	}
	return w.Flush()
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
