package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cometbft/cometbft/statesync"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node"
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
func (j *joining) provider(ctx context.Context, cfg node.Config, log *slog.Logger) (statesync.StateProvider, error) {
	if len(j.gateways) == 0 {
		return nil, nil
	}
	doc, _, err := node.LoadGenesis(cfg.Engine.GenesisFile())
	if err != nil {
		return nil, err
	}
	j.patience = 5 * time.Second // another gateway may answer, and the engine waits for half a minute
	var sources []join.Source
	for _, url := range j.gateways {
		j.node = strings.TrimSpace(url)
		c, err := j.open(ctx)
		if err != nil {
			return nil, err
		}
		sources = append(sources, join.Source{Name: c.URL(), Headers: join.FromGateway(c)})
	}
	who, err := whoIsTrusted(doc, j.trust, func(witnesses, stamps int) {
		if log != nil {
			log.Warn("the trust file asks for witnesses or time stamps of a header: a node that joins asks for neither", "witnesses", witnesses, "authorities", stamps)
		}
	})
	if err != nil {
		return nil, err
	}
	return &join.Provider{Sources: sources, Genesis: doc, Trust: who, Log: log}, nil
}

// begin gives whom the engine of an empty home asks. A home that has blocks goes on from them, and nothing of the line is looked at: trust files end and keys go, while unit
// files keep their line.
func (j *joining) begin(ctx context.Context, cfg node.Config, log *slog.Logger) (statesync.StateProvider, error) {
	empty, err := j.finish(ctx, cfg)
	if err != nil || !empty {
		return nil, err
	}
	return j.provider(ctx, cfg, log)
}

// finish ends a join that a crash cut off in its last step: the ledger's state is there, CometBFT's stores do not know of it. It asks for the headers of the
// state's height and writes what the engine would have written. Any other home is left alone. It says whether the home is empty.
func (j *joining) finish(ctx context.Context, cfg node.Config) (empty bool, err error) {
	dir := filepath.Join(cfg.Home, node.StateDir)
	_, noState := os.Stat(dir)
	if _, err := os.Stat(filepath.Join(cfg.Engine.DBDir(), "blockstore.db")); err != nil && noState != nil {
		return true, nil
	}
	states, blocks, done, err := newEngineStores(cfg.Engine)
	if err != nil {
		return false, err
	}
	defer done()
	have, err := states.Load()
	if err != nil {
		return false, fmt.Errorf("CometBFT's state: %w", err)
	}
	switch {
	case !blocks.IsEmpty() || have.LastBlockHeight != 0 && blocks.LoadSeenCommit(have.LastBlockHeight) != nil:
		return false, nil
	case noState != nil:
		return true, nil
	}
	a, err := app.New(app.Options{Dir: dir})
	if err != nil {
		return false, stateRefusal(err)
	}
	height, appHash := a.Status().Height, a.Status().AppHash
	if err := a.Close(); err != nil || height == 0 {
		return true, err
	}
	if len(j.gateways) == 0 {
		return false, fmt.Errorf("%s holds the ledger's state of height %d and no block: run `snapshot restore` again, or start with --join", cfg.Home, height)
	}
	p, err := j.provider(ctx, cfg, nil) // the error is the last line of the program
	if err != nil {
		return false, err
	}
	st, err := p.State(ctx, uint64(height))
	if err != nil {
		return false, fmt.Errorf("the home holds a snapshot of height %d and nothing else: %w", height, err)
	}
	if !bytes.Equal(st.AppHash, appHash) {
		return false, fmt.Errorf("the home holds a snapshot of height %d with app hash %x, the chain has %x: make the home anew", height, appHash, st.AppHash)
	}
	commit, err := p.Commit(ctx, uint64(height))
	if err != nil {
		return false, err
	}
	return false, join.Prepare(states, blocks, st, commit)
}
