package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func watchCmd() *cobra.Command {
	cmd := group("watch", "Firms whose standing is watched (组合监测)", watchAddCmd(), watchListCmd(), watchPollCmd(), watchAckCmd(), watchRemoveCmd())
	cmd.Long = `A watch is a list of firms that a gateway keeps for its owner. poll gets the current bundle of each firm whose standing
differs from the one that was last acknowledged; ack acknowledges what a bundle shows, once it is verified. There is no
list of events: what came and went in between is not told.

Exit codes: 0 done, 1 refused or not verified, 2 the call was wrong, 3 the node was not reached.`
	return cmd
}

// watching makes a verb that speaks to a gateway with a key.
func watching(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *client.Client, args []string) error) *cobra.Command {
	s := &session{}
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	s.addNode(cmd, queryPatience)
	s.addKey(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := s.open(cmd.Context())
		if err != nil {
			return err
		}
		defer c.Close()
		return run(cmd, c, args)
	}
	return cmd
}

// firmsBytesMax bounds a file with codes.
const firmsBytesMax = 64 << 20

// firmsOf gives the codes among the arguments and in the first column of a file.
func firmsOf(args []string, file string) ([]string, error) {
	out := args
	if file != "" {
		raw, err := readInput(file, firmsBytesMax)
		if err != nil {
			return nil, usage(err)
		}
		n := 0
		for line := range strings.Lines(string(bytes.TrimPrefix(raw, []byte("\uFEFF")))) {
			n++
			cell, _, _ := strings.Cut(strings.TrimSpace(line), ",")
			if cell = strings.Trim(cell, `" `); cell == "" || n == 1 && (cell == "uscc" || cell == "subject" || cell == "统一社会信用代码") {
				continue
			}
			if err := attest.CheckSubject(cell); err != nil {
				return nil, usagef("%s, line %d: %w", file, n, err)
			}
			out = append(out, cell)
		}
	}
	for _, uscc := range out {
		if err := attest.CheckSubject(uscc); err != nil {
			return nil, usage(err)
		}
	}
	if len(out) == 0 {
		return nil, usagef("no firm is named: give codes, or --file")
	}
	return out, nil
}

// watchView is a watch as a gateway shows it.
type watchView struct {
	ID       string `json:"id"`
	Subjects int    `json:"subjects"`
}

func showWatch(w io.Writer, raw json.RawMessage) error {
	var v watchView
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s\t%d\n", v.ID, v.Subjects)
	return err
}

func watchAddCmd() *cobra.Command {
	var file string
	cmd := watching("add ID [USCC…]", "Put firms into a watch; the same again changes nothing", cobra.MinimumNArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			subjects, err := firmsOf(args[1:], file)
			if err != nil {
				return err
			}
			raw, err := c.WatchAdd(cmd.Context(), args[0], subjects)
			if err != nil {
				return verdictOf(err)
			}
			return showWatch(cmd.OutOrStdout(), raw)
		})
	cmd.Flags().StringVar(&file, "file", "", "CSV file with codes in its first column")
	return cmd
}

func watchRemoveCmd() *cobra.Command {
	var file string
	var all bool
	cmd := watching("remove ID [USCC…]", "Take firms out of a watch, or delete it", cobra.MinimumNArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			if all {
				if len(args) > 1 || file != "" {
					return usagef("--all and firms at once")
				}
				return verdictOf(c.WatchDrop(cmd.Context(), args[0]))
			}
			subjects, err := firmsOf(args[1:], file)
			if err != nil {
				return err
			}
			raw, err := c.WatchRemove(cmd.Context(), args[0], subjects)
			if err != nil {
				return verdictOf(err)
			}
			return showWatch(cmd.OutOrStdout(), raw)
		})
	cmd.Flags().StringVar(&file, "file", "", "CSV file with codes in its first column")
	cmd.Flags().BoolVar(&all, "all", false, "delete the watch")
	return cmd
}

func watchListCmd() *cobra.Command {
	var asJSON *bool
	var after string
	cmd := watching("list [ID]", "List the watches, or the firms of one", cobra.MaximumNArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			var raw json.RawMessage
			var err error
			if len(args) == 0 {
				raw, err = c.Watches(cmd.Context())
			} else {
				raw, err = c.Watch(cmd.Context(), args[0], after, 1000)
			}
			if err != nil {
				return verdictOf(err)
			}
			if *asJSON {
				return indent(cmd, raw)
			}
			if len(args) == 0 {
				var v struct {
					Watches []watchView `json:"watches"`
				}
				if err := json.Unmarshal(raw, &v); err != nil {
					return err
				}
				for _, w := range v.Watches {
					fmt.Fprintf(cmd.OutOrStdout(), "%s\t%d\n", w.ID, w.Subjects)
				}
				return nil
			}
			var v struct {
				Subjects []string `json:"subjects"`
				Next     *string  `json:"next"`
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			for _, s := range v.Subjects {
				fmt.Fprintln(cmd.OutOrStdout(), s)
			}
			if v.Next != nil {
				fmt.Fprintf(cmd.OutOrStdout(), "more: --after %s\n", *v.Next)
			}
			return nil
		})
	asJSON = jsonFlag(cmd)
	cmd.Flags().StringVar(&after, "after", "", "code after which the list begins")
	return cmd
}

func watchPollCmd() *cobra.Command {
	var out string
	var limit int
	cmd := watching("poll ID --out BUNDLE", "Get the current bundle of the firms whose standing differs; nothing is verified", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			if limit < 1 || limit > pb.BundleEntriesMax {
				return usagef("--limit is %d: it lies between 1 and %d", limit, pb.BundleEntriesMax)
			}
			file, err := shell.Begin(out, 0o644)
			if err != nil {
				return usage(err)
			}
			defer file.Drop()
			raw, err := c.WatchChanged(cmd.Context(), args[0], limit)
			if err != nil {
				return verdictOf(err)
			}
			if raw == nil {
				sayf(cmd, cmd.OutOrStdout(), "no standing differs from the one that was last acknowledged")
				return nil
			}
			b, err := attest.DecodeBundle(raw)
			if err != nil {
				return exitWith(1, fmt.Errorf("the node's answer is no bundle: %w", err))
			}
			if err := file.Finish(raw); err != nil {
				return usage(err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: %d firms, UNVERIFIED; verify it, then use watch ack, then poll again", out, len(b.Entries))
			return nil
		})
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	cmd.Flags().IntVar(&limit, "limit", 1000, "firms at most")
	_ = cmd.MarkFlagRequired("out") // fails only for a flag that does not exist
	return cmd
}

// evidenceBytesMax is what a witness file or a time stamp may have.
const evidenceBytesMax = 64 << 10

func watchAckCmd() *cobra.Command {
	var trust, witness string
	var stamps []string
	var maxAge time.Duration
	cmd := watching("ack ID BUNDLE --trust TRUST.json --max-age DURATION", "Verify a bundle and acknowledge the standings that it proves", cobra.ExactArgs(2),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			raw, err := readInput(args[1], pb.BundleManyBytesMax)
			if err != nil {
				return usage(err)
			}
			file, err := readInput(trust, pb.BundleManyBytesMax)
			if err != nil {
				return usage(err)
			}
			t, err := attest.ParseTrust(file)
			if err != nil {
				return usage(err)
			}
			p := attest.Policy{Claim: attest.Standing, MaxAge: maxAge, Now: time.Now()}
			if witness != "" {
				if p.Witness, err = readInput(witness, evidenceBytesMax); err != nil {
					return usage(err)
				}
			}
			for _, name := range stamps {
				stamp, err := readInput(name, evidenceBytesMax)
				if err != nil {
					return usage(err)
				}
				p.Stamps = append(p.Stamps, stamp)
			}
			switch _, err := attest.VerifyMany(raw, t, p); {
			case errors.Is(err, attest.ErrUsage):
				return usage(err)
			case err != nil:
				return exitWith(1, fmt.Errorf("nothing is acknowledged: %w", err))
			}
			b, err := attest.DecodeBundle(raw)
			if err != nil {
				return err
			}
			if err := c.WatchAck(cmd.Context(), args[0], b.Entries); err != nil {
				return verdictOf(err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%d standings acknowledged", len(b.Entries))
			return nil
		})
	cmd.Flags().StringVar(&trust, "trust", "", "trust file (trust.json)")
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "oldest header that is accepted, such as 24h")
	cmd.Flags().StringVar(&witness, "witness", "", "witness file (*.xlw) with cosignatures of the header, where the trust file asks for witnesses")
	cmd.Flags().StringArrayVar(&stamps, "timestamp", nil, "time stamp (RFC 3161 response) over the header hash, where the trust file asks for them; may be given several times")
	for _, name := range []string{"trust", "max-age"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}
