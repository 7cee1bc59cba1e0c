package join

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node/client"
)

// gateway asks a member's gateway. Each answer is checked by whoever asked.
type gateway struct{ *client.Client }

// FromGateway reads headers from a member's gateway, with the key that the client holds: the audit routes are for members.
func FromGateway(c *client.Client) Headers { return gateway{c} }

func (g gateway) ask(ctx context.Context, what string, into interface{ Unmarshal([]byte) error }) error {
	raw, err := g.Audit(ctx, what)
	if err == nil {
		err = into.Unmarshal(raw)
	}
	return err
}

func (g gateway) Signed(ctx context.Context, height int64) (*types.SignedHeader, error) {
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

func (g gateway) Validators(ctx context.Context, height int64) (*types.ValidatorSet, error) {
	var p cmtproto.ValidatorSet
	if err := g.ask(ctx, fmt.Sprintf("validators/%d", height), &p); err != nil {
		return nil, err
	}
	return types.ValidatorSetFromProto(&p)
}

// Source is somebody who may be asked for headers.
type Source struct {
	Name    string // for people
	Headers Headers
}

// askFor bounds how long one source may take over all questions about a height.
const askFor = 30 * time.Second

// Provider answers the engine's questions while it takes a snapshot from its peers. One source is asked after the other, each for all that must be known of a
// height, until one has answers that hold; who had none, or false ones, is asked last from then on. The engine gives up after half a minute: what is left of
// that is divided among those who have not been asked.
type Provider struct {
	Sources []Source // guarded by mu: their order changes
	Genesis *types.GenesisDoc
	Trust   func(height int64) (*Trusted, error) // whose word counts for the header at a height
	Log     *slog.Logger                         // told why a question has no answer; nil: nobody

	mu     sync.Mutex
	height int64         // guarded by mu; what was found last is of this height, 0: nothing yet
	found  sm.State      // guarded by mu
	commit *types.Commit // guarded by mu
}

// AppHash implements statesync.StateProvider. It also asks for what State will need: the engine has the app hash checked before it takes a snapshot, and a
// chain that has not come far enough must say so then.
func (p *Provider) AppHash(ctx context.Context, height uint64) ([]byte, error) {
	st, err := p.State(ctx, height)
	return st.AppHash, err
}

// Commit implements statesync.StateProvider.
func (p *Provider) Commit(ctx context.Context, height uint64) (*types.Commit, error) {
	_, commit, err := p.state(ctx, height)
	return commit, err
}

// State implements statesync.StateProvider.
func (p *Provider) State(ctx context.Context, height uint64) (sm.State, error) {
	st, _, err := p.state(ctx, height)
	return st, err
}

func (p *Provider) state(ctx context.Context, height uint64) (st sm.State, _ *types.Commit, err error) {
	if p.Log != nil {
		// The engine asks again, and again after that; what was wrong stands in its own log at best.
		defer func() {
			if err != nil {
				p.Log.Warn("a snapshot is not taken: members do not say which app hash its height has", "height", height, "err", inLine(err))
			}
		}()
	}
	if height == 0 || height > 1<<62 {
		return st, nil, fmt.Errorf("no block has height %d", height)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.height == int64(height) {
		return p.found.Copy(), p.commit.Clone(), nil
	}
	trusted, err := p.Trust(int64(height) + 1)
	if err != nil {
		return st, nil, err
	}
	var errs []error
	for left := len(p.Sources); left > 0 && ctx.Err() == nil; left-- {
		src := p.Sources[0]
		st, commit, err := p.from(ctx, src, left, trusted, int64(height))
		if err == nil {
			if p.height, p.found, p.commit = int64(height), st, commit; len(errs) > 0 && p.Log != nil {
				p.Log.Warn("members' gateways were passed over and are asked last from now on", "height", height, "answered", src.Name, "err", inLine(errors.Join(errs...)))
			}
			return p.found.Copy(), p.commit.Clone(), nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", src.Name, err))
		p.Sources = append(slices.Clone(p.Sources[1:]), src)
	}
	if len(errs) == 0 {
		return st, nil, errors.Join(errors.New("nobody was asked"), ctx.Err())
	}
	return st, nil, errors.Join(errs...)
}

// from asks one source, which has its share of the time that is left to so many.
func (p *Provider) from(ctx context.Context, src Source, left int, trusted *Trusted, height int64) (sm.State, *types.Commit, error) {
	most := askFor
	if end, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(end)/time.Duration(left))
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return State(ctx, src.Headers, p.Genesis, trusted, height)
}

func inLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
