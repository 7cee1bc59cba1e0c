package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node"
)

const genesisBytesMax = 64 << 20

func initCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "init --genesis FILE",
		Short: "Make the home folder of a new node",
		Long: `Make the home folder of a new node: its two keys, both configuration files with the reason of each setting, and the genesis.

The node's id and its validator key are printed: other members enter the first under p2p.persistent_peers, and governance puts the
second into the member's row before the node may vote. Without --genesis only the keys and the configuration are made.`,
		Args: cobra.NoArgs,
	}
	home := homeFlag(c)
	asJSON := jsonFlag(c)
	genesis := c.Flags().String("genesis", "", "genesis file of the chain")
	moniker := c.Flags().String("moniker", "", "name that peers see (default: the machine's)")
	peers := c.Flags().String("peers", "", "ID@HOST:PORT of other members' nodes, separated by commas")
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir, err := filepath.Abs(*home)
		if err != nil {
			return err
		}
		rate := int64(1)
		var raw []byte
		if *genesis != "" {
			if raw, err = readFileMax(*genesis, genesisBytesMax); err != nil {
				return fmt.Errorf("genesis: %w", err)
			}
			_, g, err := node.LoadGenesis(*genesis)
			if err != nil {
				return err
			}
			rate = max(1, g.ClockRate)
		}
		cfg := node.Config{Home: dir, Settings: node.DefaultSettings(), Engine: node.EngineDefaults(rate)}
		cfg.Engine.SetRoot(dir)
		cfg.Engine.P2P.PersistentPeers = *peers
		if err := node.CheckPeers(*peers); err != nil {
			return usagef("--peers: %w", err)
		}
		if *moniker != "" {
			cfg.Engine.Moniker = *moniker
		}
		if err := node.CheckMoniker(cfg.Engine.Moniker); err != nil { // a machine's name may be one that peers do not take
			return usagef("--moniker: %w", err)
		}
		if err := node.WriteConfig(cfg, len(raw)); err != nil {
			return err
		}
		id, err := node.InitKeys(cfg)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := node.InstallGenesis(cfg, raw); err != nil {
				return err
			}
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), struct {
				Home string `json:"home"`
				node.Identity
			}{dir, id})
		}
		w := c.OutOrStdout()
		fmt.Fprintf(w, "home           %s\nnode id        %s\nvalidator key  %s\n", dir, id.NodeID, base64.StdEncoding.EncodeToString(id.ValidatorKey))
		if raw == nil {
			fmt.Fprintf(w, "next: copy the chain's genesis file to %s\n", cfg.Engine.GenesisFile())
		} else {
			fmt.Fprintf(w, "next: xinlian start --home %s\n", dir)
		}
		return nil
	}
	return c
}

// readFileMax reads a whole file and refuses one larger than any honest one.
func readFileMax(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return raw, nil
}
