package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// enrolSample enters the sample firms into a network that has just been made. It is a variable so that the importer can take its
// place.
var enrolSample = func(ctx context.Context, n *runner.Network) error {
	_, err := n.Enrol(ctx)
	return err
}

func localnetCmd() *cobra.Command {
	perturb := func(use, short string, do func(c *cobra.Command, dir, name string) error) *cobra.Command {
		c := &cobra.Command{Use: use + " NODE", Short: short, Args: cobra.ExactArgs(1)}
		dir := dirFlag(c)
		c.RunE = func(c *cobra.Command, args []string) error {
			if *dir == "" {
				return usagef("--dir is missing")
			}
			return asUsage(do(c, *dir, args[0]))
		}
		return c
	}
	return group("localnet", "Run a whole consortium on this machine",
		localnetUpCmd(), localnetDownCmd(), localnetStatusCmd(),
		perturb("kill", "End a node as a power cut would (SIGKILL)", func(_ *cobra.Command, dir, name string) error { return runner.Kill(dir, name) }),
		perturb("pause", "Stop a node where it is (SIGSTOP)", func(_ *cobra.Command, dir, name string) error { return runner.Pause(dir, name) }),
		perturb("resume", "Let a paused node go on (SIGCONT)", func(_ *cobra.Command, dir, name string) error { return runner.Resume(dir, name) }),
		perturb("restart", "Start a node again, ending it first if it runs", func(c *cobra.Command, dir, name string) error {
			return runner.Restart(c.Context(), dir, name, "")
		}),
	)
}

func dirFlag(c *cobra.Command) *string {
	return c.Flags().String("dir", "", "the network's folder")
}

func asUsage(err error) error {
	if errors.Is(err, runner.ErrUsage) {
		return usage(err)
	}
	return err
}

func localnetUpCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Make a network, or start one that is there",
		Long: `Make a network of validators on loopback in an empty folder, with keys of every sample member, and enrol the sample firms; or
start again the network that the folder holds. With --detach the command returns when every node answers /readyz, and the nodes
go on; otherwise it stays, and Ctrl-C takes them all down.

DIR/localnet.json lists the nodes and members, DIR/trust.json is the trust file for xinlian-verify, DIR/keys/NAME.json are the keys
and DIR/keys/passphrase opens them. All agencies and firms are synthetic.`,
		Args: cobra.NoArgs,
	}
	dir := dirFlag(c)
	o := runner.Options{}
	c.Flags().IntVar(&o.Validators, "validators", 4, "nodes that vote")
	c.Flags().IntVar(&o.FullNodes, "full-nodes", 0, "nodes that follow")
	c.Flags().StringVar(&o.ChainID, "chain-id", "demo-local", "name of the chain; demo-… and test-… may have a legal clock of their own")
	origin := c.Flags().String("legal-origin", "", "legal time at genesis, RFC 3339 (default: the time of genesis)")
	c.Flags().Int64Var(&o.ClockRate, "clock-rate", 1, "seconds of legal time a second")
	detach := c.Flags().Bool("detach", false, "return when every node is ready")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *dir == "" {
			return usagef("--dir is missing")
		}
		if *origin != "" {
			t, err := time.Parse(time.RFC3339, *origin)
			switch {
			case err != nil:
				return usagef("--legal-origin %q: a time such as 2026-07-01T08:00:00+08:00 is expected", *origin)
			case t.Year() < 1990 || t.Year() > 2100: // no calendar reaches further
				return usagef("--legal-origin %q: between 1990 and 2100", *origin)
			}
			o.LegalOrigin = t
		}
		switch { // what is left out has a default, what is empty is wrong
		case o.ChainID == "":
			return usagef("--chain-id %q: small letters, digits and -, at most %d", o.ChainID, pb.ChainIDMax)
		case o.ClockRate == 0:
			return usagef("--clock-rate %d: between 1 and %d", o.ClockRate, runner.ClockRateMax)
		}
		o.Dir = *dir
		if err := sameNetwork(c, o); err != nil {
			return err
		}
		o.Progress = func(format string, args ...any) {
			if term.IsTerminal(int(os.Stderr.Fd())) {
				fmt.Fprintf(os.Stderr, format+"\n", args...)
			}
		}
		n, fresh, err := runner.Up(c.Context(), o)
		if err != nil {
			return asUsage(err)
		}
		if fresh {
			o.Progress("enrolling the sample firms")
			if err := enrolSample(c.Context(), n); err != nil {
				runner.Down(n.Dir())
				return err
			}
		}
		w := c.OutOrStdout()
		if *asJSON {
			err = printJSON(w, n)
		} else {
			err = showNetwork(c, n)
		}
		if err != nil || *detach {
			return err
		}
		o.Progress("running; Ctrl-C takes the network down")
		ended := n.WaitEnd(c.Context())
		if _, err := runner.Down(n.Dir()); err != nil {
			return err
		}
		return ended
	}
	return c
}

// sameNetwork refuses flags that ask for another network than the one that the folder holds: to pass over them would show a network that nobody
// asked for.
func sameNetwork(c *cobra.Command, o runner.Options) error {
	n, err := runner.Load(o.Dir)
	if err != nil {
		return nil // none is there, or Up says what is wrong with it
	}
	followers := 0
	for _, d := range n.Nodes {
		if strings.HasPrefix(d.Name, "full") {
			followers++
		}
	}
	for _, f := range []struct {
		flag string
		same bool
		has  any
	}{
		{"validators", o.Validators == len(n.Nodes)-followers, len(n.Nodes) - followers},
		{"full-nodes", o.FullNodes == followers, followers},
		{"chain-id", o.ChainID == n.ChainID, n.ChainID},
		{"legal-origin", o.LegalOrigin.Equal(n.LegalOrigin), n.LegalOrigin.Format(time.RFC3339)},
		{"clock-rate", o.ClockRate == n.ClockRate, n.ClockRate},
	} {
		if c.Flags().Changed(f.flag) && !f.same {
			return usagef("%s holds a network with --%s %v, which stays as it is: leave the flag out, or choose another --dir", o.Dir, f.flag, f.has)
		}
	}
	return nil
}

func showNetwork(c *cobra.Command, n *runner.Network) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "chain\t%s\ntrust file\t%s\nkeys\t%s\n", n.ChainID, n.TrustPath(), n.KeysPath())
	for _, d := range n.Nodes {
		fmt.Fprintf(w, "%s\t%s\t(process %d)\n", d.Name, d.API, d.PID)
	}
	return w.Flush()
}

func localnetDownCmd() *cobra.Command {
	c := &cobra.Command{Use: "down --dir DIR", Short: "End every node of a network; its folder stays", Args: cobra.NoArgs}
	dir := dirFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *dir == "" {
			return usagef("--dir is missing")
		}
		_, err := runner.Down(*dir)
		return err
	}
	return c
}

func localnetStatusCmd() *cobra.Command {
	c := &cobra.Command{Use: "status --dir DIR", Short: "Show heights, app hashes and processes", Args: cobra.NoArgs}
	dir, asJSON := dirFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *dir == "" {
			return usagef("--dir is missing")
		}
		s, err := runner.Inspect(c.Context(), *dir)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), s)
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "node\tprocess\tstate\theight\tapp hash\tready")
		for _, d := range s.Nodes {
			fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%.16s\t%s\n", d.Name, d.PID, d.State, d.Height, d.AppHash, catalog().Text(speaks(c), d.Reason))
		}
		if s.Common > 0 {
			word := "do NOT agree"
			if s.Agree {
				word = "agree"
			}
			fmt.Fprintf(w, "at height %d the answering nodes %s\n", s.Common, word)
		}
		return w.Flush()
	}
	return c
}
