package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/bench"
)

func benchVerifyCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Put a gateway under load: attestations a second, latency beside a handler that does nothing",
		Long: `Make a localnet of one validator on loopback in a temporary folder, enrol synthetic firms, find out how many attestations a
second its gateway serves at most, and measure latency at half of that rate, and for half as long at a tenth, a quarter, three quarters and nine tenths; then at half
again while records are committed, beside the rate found before. Every
request has a moment at which it is due; latency counts from that moment, whether or not the one before is answered. Beside it, at the
same rate, a route of the same server is asked that answers at once; and where wrk is installed, saturation is measured by it too. The command ends by itself and leaves nothing behind, unless
--dir names a folder.`,
		Args: cobra.NoArgs,
	}
	o := bench.VerifyOptions{}
	f := c.Flags()
	f.IntVar(&o.Subjects, "subjects", 100_000, "synthetic firms")
	seconds := f.Float64("seconds", 10, "length of a phase")
	f.IntVar(&o.Connections, "connections", 32, "connections to the gateway")
	f.IntVar(&o.Updates, "updates", 1000, "records a second committed in the second half")
	f.StringVar(&o.Dir, "dir", "", "empty folder for the network, left behind for another look")
	f.StringVar(&o.Filled, "filled", "", "folder of 'bench fill' to use instead of a new network; --subjects says how many of its firms are asked for")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *seconds < 1 || *seconds > 600 {
			return usagef("--seconds %g: between 1 and 600", *seconds)
		}
		o.Seconds = secondsOf(*seconds)
		o.Progress = func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
		r, err := bench.Verify(c.Context(), o)
		if errors.Is(err, bench.ErrUsage) {
			return usage(err)
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), r)
		}
		return showVerify(c, r)
	}
	return c
}

func showVerify(c *cobra.Command, r *bench.VerifyReport) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "gateway\t%d firms, enrolled in %.0f s; bundles of %d bytes; %d connections\n", r.Subjects, r.EnrolSecs, r.BundleBytes, r.Connections)
	fmt.Fprintf(w, "saturation\t%.0f attestations/s\n", r.Saturation)
	if r.Wrk != nil {
		fmt.Fprintf(w, "the same by wrk\t%.0f attestations/s, p50 %.2f ms, p99 %.2f, %d refused\n", r.Wrk.PerSecond, r.Wrk.P50, r.Wrk.P99, r.Wrk.Refused)
	}
	fmt.Fprintf(w, "saturation, while committing\t%.0f attestations/s\n", r.BusySaturation)
	for _, p := range slices.Concat([]bench.Phase{r.IdleNoop}, r.Curve, []bench.Phase{r.BusyNoop, r.Busy, r.BusyFull}) {
		fmt.Fprintf(w, "%s\tp50 %.2f ms, p99 %.2f (in the median second %.2f; %.2f without the %.2f %% during which the asker was kept from its processor), p99.9 %.2f, longest %.1f; %.0f of %.0f/s, %d refused\n",
			p.Name, p.P50, p.P99, p.P99Median(), p.P99Rest, 100*p.HeldUp, p.P999, p.Max, p.Served, p.Offered, p.Refused)
	}
	fmt.Fprintf(w, "committed meanwhile\t%.0f records/s\n", r.Committed)
	fmt.Fprintf(w, "other programs\t%.0f %% of this machine's processors meanwhile\n", 100*r.Others)
	fmt.Fprintf(w, "processors away\t%.2f %% of the time one of them was not to be had for a millisecond or more, with nothing else to do\n", 100*r.Away)
	return w.Flush()
}
