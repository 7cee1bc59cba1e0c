package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/keys"
)

// patience is how long a replay asks a node that cannot be reached again.
const patience = 30 * time.Second

// gateway reads a running node over its audit routes, with an auditor's or a member's key.
type gateway struct {
	client *client.Client
	last   int64
}

// OpenNode reads a chain from a node's gateway. The blocks stand until the height that the gateway names now: a replay has an end.
func OpenNode(ctx context.Context, url string, key *keys.Key) (Source, error) {
	c, err := client.New(client.Options{URL: url, Key: key, Patience: patience})
	if err != nil {
		return nil, err
	}
	s, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	return &gateway{client: c, last: s.Height}, nil
}

func (g *gateway) Genesis(ctx context.Context) (*cmttypes.GenesisDoc, error) {
	raw, err := g.client.Audit(ctx, "genesis")
	if err != nil {
		return nil, err
	}
	return cmttypes.GenesisDocFromJSON(raw)
}

func (g *gateway) Range(context.Context) (int64, int64, error) { return 1, g.last, nil }

func (g *gateway) Block(ctx context.Context, height int64) (*cmttypes.Block, []byte, error) {
	raw, err := g.client.Audit(ctx, fmt.Sprintf("blocks/%d", height))
	if err != nil {
		return nil, nil, err
	}
	b := new(cmtproto.Block)
	if err := b.Unmarshal(raw); err != nil {
		return nil, nil, errors.New("the answer is no block")
	}
	block, err := cmttypes.BlockFromProto(b)
	return block, raw, err
}

func (g *gateway) Commit(ctx context.Context, height int64) (*cmttypes.Commit, error) {
	raw, err := g.client.Audit(ctx, fmt.Sprintf("commits/%d", height))
	if err != nil {
		return nil, err
	}
	c := new(cmtproto.Commit)
	if err := c.Unmarshal(raw); err != nil {
		return nil, errors.New("the answer is no commit")
	}
	return cmttypes.CommitFromProto(c)
}

// Results: a gateway hands out none; the next header's hash decides.
func (g *gateway) Results(context.Context, int64) ([]*abci.ExecTxResult, error) { return nil, nil }

// State: a gateway shows none; the app hash decides.
func (g *gateway) State(context.Context) (*State, error) { return nil, nil }

func (g *gateway) Close() error { g.client.Close(); return nil }
