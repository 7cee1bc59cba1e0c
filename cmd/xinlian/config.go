package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node"
)

func configCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the settings of a node with their defaults and reasons",
		Long: `Show the settings in force in a home folder, environment included; with --defaults those of a new node.

Each setting of config/xinlian.toml can be set in the environment as well: api.listen is XINLIAN_API_LISTEN. Settings of CometBFT
(config/config.toml) are XINLIAN_ENGINE_ and the key. Only those are shown whose default is chosen here or that need a reason.`,
		Args: cobra.NoArgs,
	}
	home := homeFlag(c)
	defaults := c.Flags().Bool("defaults", false, "show the settings of a new node")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg := node.Config{Settings: node.DefaultSettings(), Engine: node.EngineDefaults(1)}
		if !*defaults {
			var err error
			if cfg, err = node.LoadConfig(*home); err != nil {
				return fmt.Errorf("%w (--defaults shows those of a new node)", err)
			}
		}
		knobs := cfg.Explain()
		if *asJSON {
			return printJSON(c.OutOrStdout(), knobs)
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		file := ""
		for _, k := range knobs {
			if k.File != file {
				file = k.File
				fmt.Fprintf(w, "# %s\n", file)
			}
			note := ""
			if fmt.Sprint(k.Value) != fmt.Sprint(k.Default) {
				note = fmt.Sprintf(" [default %v]", k.Default)
			}
			fmt.Fprintf(w, "%s\t%v%s\t%s\n", k.Key, k.Value, note, catalog().Text(speaks(c), k.Reason))
		}
		return w.Flush()
	}
	return c
}
