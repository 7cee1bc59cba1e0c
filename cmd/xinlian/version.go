package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	cmtversion "github.com/cometbft/cometbft/version"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app"
)

// release is the version of this program.
const release = "0.1.0-dev"

// version is the release, with the commit where the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}

// engineVersion is CometBFT's as the build has it; its own constant lags behind.
func engineVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/cometbft/cometbft" {
				return d.Version
			}
		}
	}
	return cmtversion.TMCoreSemVer
}

func versionCmd() *cobra.Command {
	c := &cobra.Command{Use: "version", Short: "Show the versions of program, rules, engine and wire", Args: cobra.NoArgs}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		v := struct {
			Program string `json:"program"`
			Rules   uint64 `json:"rules"` // version.app of every header
			Engine  string `json:"engine"`
			Block   uint64 `json:"block_protocol"`
			P2P     uint64 `json:"p2p_protocol"`
			Go      string `json:"go"`
		}{version(), app.Version, engineVersion(), cmtversion.BlockProtocol, cmtversion.P2PProtocol, runtime.Version()}
		if *asJSON {
			return printJSON(c.OutOrStdout(), v)
		}
		fmt.Fprintf(c.OutOrStdout(), "xinlian %s\nrules %d, CometBFT %s (block %d, p2p %d), %s\n", v.Program, v.Rules, v.Engine, v.Block, v.P2P, v.Go)
		return nil
	}
	return c
}
