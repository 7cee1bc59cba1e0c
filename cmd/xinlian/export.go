package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node"
)

func exportCmd() *cobra.Command {
	g := &cobra.Command{
		Use:   "genesis",
		Short: "Write the chain's genesis file, as a new member's node needs it",
		Long: `Write the genesis file of a home folder's chain, after checking it. It holds the chain's secret: it is for members and warranted
auditors, not for the public.`,
		Args: cobra.NoArgs,
	}
	home := homeFlag(g)
	out := g.Flags().String("out", "", "file to write; it must not exist (default: standard output)")
	g.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := node.LoadConfig(*home)
		if err != nil {
			return err
		}
		path := cfg.Engine.GenesisFile()
		if _, _, err := node.LoadGenesis(path); err != nil {
			return err
		}
		if err := node.CheckBeganOf(cfg.Engine); err != nil {
			return err
		}
		raw, err := readFileMax(path, genesisBytesMax)
		if err != nil {
			return err
		}
		if *out == "" {
			_, err = c.OutOrStdout().Write(raw)
			return err
		}
		f, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("write the genesis file: %w", err)
		}
		_, err = f.Write(raw)
		if err = errors.Join(err, f.Close()); err != nil { // a part of a genesis would stand in the way of the whole one
			return errors.Join(err, os.Remove(*out))
		}
		return nil
	}
	return group("export", "Write what belongs to the chain as a whole", g)
}
