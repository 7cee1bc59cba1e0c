package main

import (
	"strings"
	"time"

	"github.com/cometbft/cometbft/statesync"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/join"
)

// joining is what an empty home needs to begin with a snapshot of its peers.
type joining struct {
	session
	gateways []string
	trust    string
}

func addJoin(c *cobra.Command) *joining {
	j := new(joining)
	c.Flags().StringSliceVar(&j.gateways, "join", nil, "URLs of members' gateways: begin an empty home with a snapshot")
	c.Flags().StringVar(&j.trust, "trust", "", "trust file with the validators that are believed (default: those of the genesis file)")
	j.addKey(c, false)
	c.MarkFlagsRequiredTogether("join", "key")
	return j
}

// provider is whom the engine asks; nil without --join.
func (j *joining) provider(cfg node.Config) (statesync.StateProvider, error) {
	if len(j.gateways) == 0 {
		return nil, nil
	}
	doc, _, err := node.LoadGenesis(cfg.Engine.GenesisFile())
	if err != nil {
		return nil, err
	}
	j.patience = 10 * time.Second
	var clients []*client.Client
	for _, url := range j.gateways {
		j.node = strings.TrimSpace(url)
		c, err := j.open()
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	who, err := whoIsTrusted(doc, j.trust)
	if err != nil {
		return nil, err
	}
	return join.Provider{Headers: join.FromGateways(clients...), Genesis: doc, Trust: who}, nil
}
