package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/jsonpb"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/fulfillment"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// GenesisJSON writes the app_state of a genesis file.
func GenesisJSON(g *pb.Genesis) ([]byte, error) {
	var out bytes.Buffer
	err := (&jsonpb.Marshaler{Indent: "  ", OrigName: true}).Marshal(&out, g)
	return out.Bytes(), err
}

// ParseGenesis reads the app_state of a genesis file. Unknown fields are refused.
func ParseGenesis(raw []byte) (*pb.Genesis, error) {
	g := new(pb.Genesis)
	if err := (&jsonpb.Unmarshaler{}).Unmarshal(bytes.NewReader(raw), g); err != nil {
		return nil, fmt.Errorf("app_state of the genesis file: %w", err)
	}
	return g, nil
}

// clockChain says whether a chain may run on another legal clock than the real one.
func clockChain(id string) bool {
	return strings.HasPrefix(id, "demo-") || strings.HasPrefix(id, "test-")
}

// chainAt checks what genesis says of the chain itself.
func chainAt(id string, genesisTime int64, g *pb.Genesis) (*pb.ChainInfo, error) {
	c := &pb.ChainInfo{ChainId: id, GenesisTime: genesisTime, LegalOrigin: g.LegalOrigin, ClockRate: g.ClockRate, Secret: g.Secret}
	if c.LegalOrigin == 0 {
		c.LegalOrigin = genesisTime
	}
	if c.ClockRate == 0 {
		c.ClockRate = 1
	}
	switch {
	case id == "" || len(id) > pb.ChainIDMax:
		return nil, errors.New("the chain id is empty or too long")
	case len(c.Secret) != 32:
		return nil, fmt.Errorf("the chain's secret has %d bytes instead of 32", len(c.Secret))
	case (c.LegalOrigin != genesisTime || c.ClockRate != 1) && !clockChain(id):
		return nil, fmt.Errorf("only chains whose id begins with demo- or test- may have a legal clock of their own; %q does not", id)
	case c.ClockRate < 1 || c.ClockRate > 100*86400:
		return nil, fmt.Errorf("clock_rate is %d; it lies between 1 and %d", c.ClockRate, 100*86400)
	case !calendar.Of(c.LegalOrigin).Valid():
		return nil, fmt.Errorf("legal_origin lies outside the legal calendar (1990 to 2100)")
	}
	return c, nil
}

// genesisBlock is the state of genesis, held in memory until block 1 is committed with it.
type genesisBlock struct {
	rows  *overlay
	chain *x.Chain
}

// newGenesis makes the state of genesis.
func newGenesis(chainID string, genesisTime int64, g *pb.Genesis) (gb *genesisBlock, err error) {
	info, err := chainAt(chainID, genesisTime, g)
	if err != nil {
		return nil, err
	}
	rows := newOverlay(empty{})
	chain := chainOf(info)
	ctx := newCtx(rows, chain, 0, genesisTime)
	chainInfo.Put(ctx, info)
	x.KeepMoments(ctx)
	for _, m := range []struct {
		name string
		do   func(*x.Ctx, *pb.Genesis) error
	}{
		{"member", member.Import},
		{"governance", governance.Import},
		{"catalog", catalog.Import},
		{"subject", subject.Import},
		{"commitment", commitment.Import},
		{"fulfillment", fulfillment.Import},
		{"measure", measure.Import},
		{"sanction", sanction.Import},
		{"leniency", leniency.Import},
		{"repair", repair.Import},
		{"objection", objection.Import},
		{"incentive", incentive.Import},
		{"consent", consent.Import},
		{"inspection", inspection.Import},
	} {
		if err := m.do(ctx, g); err != nil {
			return nil, fmt.Errorf("genesis, module %s: %w", m.name, err)
		}
	}
	x.SettleTimers(ctx)
	refresh(ctx, ground{}, rows)
	closeLog(&block{rows: rows, logged: ctx.Logged}, logEnd{})
	rows.settle()
	return &genesisBlock{rows: rows, chain: chain}, nil
}

// root is the tree's root over the genesis state.
func (g *genesisBlock) root() tree.Hash {
	var leaves []tree.Leaf
	g.rows.each(func(c change) {
		if c.deleted {
			return
		}
		if key, hash, ok := x.LeafOfRow(g.chain.Secret, c.key, c.value); ok {
			leaves = append(leaves, tree.Leaf{Path: tree.PathOf(key), ValueHash: hash})
		}
	})
	return tree.RootOfLeaves(leaves)
}

// InitChain implements abci.Application. The state of genesis stays in memory: a crash before block 1 is committed starts here again.
func (a *App) InitChain(_ context.Context, req *abci.RequestInitChain) (_ *abci.ResponseInitChain, err error) {
	defer a.halt("genesis", &err)
	if a.committed.Load().height != 0 {
		return nil, errors.New("the state folder holds blocks already, the engine starts from genesis: the folders belong to different chains")
	}
	gb, err := genesisOf(req)
	if err != nil {
		return nil, err
	}
	a.genesis = gb
	f := frontier(gb.rows)
	hash := appHash(gb.rows, gb.chain.Secret, gb.root(), f)
	return &abci.ResponseInitChain{AppHash: hash[:]}, nil
}

// genesisOf checks what the engine says of genesis, and makes its state.
func genesisOf(req *abci.RequestInitChain) (*genesisBlock, error) {
	if req.InitialHeight > 1 {
		return nil, fmt.Errorf("initial_height is %d; this application starts at 1", req.InitialHeight)
	}
	g, err := ParseGenesis(req.AppStateBytes)
	if err != nil {
		return nil, err
	}
	gb, err := newGenesis(req.ChainId, req.Time.Unix(), g)
	if err != nil {
		return nil, err
	}
	if v := req.ConsensusParams.GetVersion(); v == nil || v.App != Version {
		return nil, fmt.Errorf("genesis has version.app %d, this binary executes %d", v.GetApp(), Version)
	}
	return gb, sameValidators(gb.rows, req.Validators)
}
