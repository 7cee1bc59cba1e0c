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
	return group("bench", "Measure this machine", benchLoadCmd(), benchFillCmd(), benchVerifyCmd())
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

func benchFillCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "fill",
		Short: "Make a home with a long chain, and time its start after SIGKILL",
		Long: `Make the home of a network of one validator in an empty folder and give it a whole chain: synthetic firms and penalties, real transactions,
executed by the real application in blocks that carry the validator's signature. The pool and the rounds of votes are left out, which is why ten million
records take minutes and not hours. The home is left behind; 'localnet up --dir DIR' runs it.

With --kills the node is then started, killed (SIGKILL) and started again, so many times; each start says how long it took until the node answered,
was ready (/readyz) and had made another block, and what memory its process had then.`,
		Args: cobra.NoArgs,
	}
	o := bench.FillOptions{}
	f := c.Flags()
	f.StringVar(&o.Dir, "dir", "", "empty folder for the network")
	f.IntVar(&o.Records, "records", 1_000_000, "penalties")
	f.IntVar(&o.Subjects, "subjects", 0, "synthetic firms; 0 is one for four records")
	f.IntVar(&o.PerTx, "per-tx", 200, "records a transaction")
	f.IntVar(&o.PerBlock, "per-block", 5000, "records a block")
	f.Uint64Var(&o.Retain, "retain", 0, "heights of history to keep; 0 is all")
	f.Int64Var(&o.Keep, "keep-blocks", 0, "blocks that the block store keeps; 0 is all")
	f.IntVar(&o.Follows, "full-nodes", 0, "full nodes whose homes are made beside it and stay empty")
	f.IntVar(&o.Kills, "kills", 0, "afterwards: kill and start again so many times")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Progress = func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
		r, err := bench.Fill(c.Context(), o)
		if errors.Is(err, bench.ErrUsage) {
			return usage(err)
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), r)
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "home\t%s: height %d, %d firms, %d records\n", r.Dir, r.Height, r.Subjects, r.Records)
		fmt.Fprintf(w, "made\t%.0f records/s, %.0f µs of processor time a record\n", r.RecordsPerSec, 1e6*r.CPUSeconds/float64(r.Records))
		fmt.Fprintf(w, "disk\tstate %d MB, blocks %d MB\n", r.StateBytes>>20, r.BlockBytes>>20)
		for _, s := range r.Starts {
			fmt.Fprintf(w, "start after %s\tanswers %.1f s, ready %.1f s, next block %.1f s; %.1f s of processor time, %d MB resident, %d MB of them its own\n",
				s.After, s.Answer, s.Ready, s.Block, s.CPU, s.Resident>>20, s.Own>>20)
		}
		return w.Flush()
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
