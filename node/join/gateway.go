package join

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node/client"
)

// gateways asks one member's gateway after the other, until one has the answer. Each answer is checked by whoever asked.
type gateways []*client.Client

// FromGateways reads headers from members' gateways, with the key that the clients hold: the audit routes are for members.
func FromGateways(clients ...*client.Client) Headers { return gateways(clients) }

func (g gateways) ask(ctx context.Context, what string, into interface{ Unmarshal([]byte) error }) error {
	var errs []error
	for _, c := range g {
		raw, err := c.Audit(ctx, what)
		if err == nil {
			err = into.Unmarshal(raw)
		}
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", c.URL(), err))
	}
	return errors.Join(errs...)
}

func (g gateways) Signed(ctx context.Context, height int64) (*types.SignedHeader, error) {
	var block cmtproto.Block
	if err := g.ask(ctx, fmt.Sprintf("blocks/%d", height), &block); err != nil {
		return nil, err
	}
	header, err := types.HeaderFromProto(&block.Header)
	if err != nil {
		return nil, err
	}
	var c cmtproto.Commit
	if err := g.ask(ctx, fmt.Sprintf("commits/%d", height), &c); err != nil {
		return nil, err
	}
	commit, err := types.CommitFromProto(&c)
	if err != nil {
		return nil, err
	}
	return &types.SignedHeader{Header: &header, Commit: commit}, nil
}

func (g gateways) Validators(ctx context.Context, height int64) (*types.ValidatorSet, error) {
	var p cmtproto.ValidatorSet
	if err := g.ask(ctx, fmt.Sprintf("validators/%d", height), &p); err != nil {
		return nil, err
	}
	return types.ValidatorSetFromProto(&p)
}

// Provider answers the engine's questions while it takes a snapshot from its peers.
type Provider struct {
	Headers Headers
	Genesis *types.GenesisDoc
	Trust   func(height int64) (*Trusted, error) // whose word counts for the header at a height
	Log     *slog.Logger                         // told why a question has no answer; nil: nobody
}

// AppHash implements statesync.StateProvider. It also asks for what State will need: the engine has the app hash checked before it takes a snapshot, and a
// chain that has not come far enough must say so then.
func (p Provider) AppHash(ctx context.Context, height uint64) ([]byte, error) {
	st, err := p.State(ctx, height)
	return st.AppHash, err
}

// Commit implements statesync.StateProvider.
func (p Provider) Commit(ctx context.Context, height uint64) (*types.Commit, error) {
	_, commit, err := p.state(ctx, height)
	return commit, err
}

// State implements statesync.StateProvider.
func (p Provider) State(ctx context.Context, height uint64) (sm.State, error) {
	st, _, err := p.state(ctx, height)
	return st, err
}

func (p Provider) state(ctx context.Context, height uint64) (st sm.State, _ *types.Commit, err error) {
	if p.Log != nil {
		// The engine asks again, and again after that; what was wrong stands in its own log at best.
		defer func() {
			if err != nil {
				p.Log.Warn("a snapshot is not taken: members do not say which app hash its height has", "height", height, "err", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
		}()
	}
	if height == 0 || height > 1<<62 {
		return st, nil, fmt.Errorf("no block has height %d", height)
	}
	trusted, err := p.Trust(int64(height) + 1)
	if err != nil {
		return st, nil, err
	}
	return State(ctx, p.Headers, p.Genesis, trusted, int64(height))
}
