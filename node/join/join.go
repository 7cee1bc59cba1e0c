package join

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	cmtmath "github.com/cometbft/cometbft/libs/math"
	cmtstate "github.com/cometbft/cometbft/proto/tendermint/state"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"

	"github.com/cometbft/cometbft/crypto/ed25519"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// Headers gives signed headers and validator sets. What it gives is believed only after a check.
type Headers interface {
	Signed(ctx context.Context, height int64) (*types.SignedHeader, error)
	Validators(ctx context.Context, height int64) (*types.ValidatorSet, error)
}

// trustLevel is how much of the trusted set's power must have signed.
var trustLevel = cmtmath.Fraction{Numerator: 2, Denominator: 3}

// Trusted is the validator set that everything is held against.
type Trusted struct {
	Set  *types.ValidatorSet
	From string // where it comes from, for people

	file *attest.Trust // that the set is of, with its anchor and windows of time; nil: the genesis file, which has none
}

// TrustGenesis trusts the validators that the genesis file names.
func TrustGenesis(doc *types.GenesisDoc) *Trusted {
	var vals []*types.Validator
	for _, v := range doc.Validators {
		vals = append(vals, types.NewValidator(v.PubKey, v.Power))
	}
	return &Trusted{Set: types.NewValidatorSet(vals), From: "the genesis file"}
}

// replacedGrace is how long after its end a set that was replaced vouches for a state to be joined from. Who was admitted just now finds snapshots from before that change and
// no others; the keys of that set are as old as those of the set that follows it, and what a lender would lose to them, the state of today, nobody joins by.
const replacedGrace = 7 * 24 * time.Hour

// TrustFile trusts the validators that a trust file names for the header at a height, as a verifier does: in their windows of time, which now and the header's time
// are held to, and on the chain of its anchor. Now may be up to replacedGrace after the end of who was replaced.
func TrustFile(t *attest.Trust, height int64, now time.Time) (*Trusted, error) {
	var vals []*types.Validator
	for _, v := range t.Validators {
		if height >= v.FromHeight && (v.UntilHeight == 0 || height <= v.UntilHeight) {
			vals = append(vals, types.NewValidator(ed25519.PubKey(bytes.Clone(v.PubKey)), v.Power))
		}
	}
	if len(vals) == 0 || height < t.Anchor.Height {
		return nil, fmt.Errorf("the trust file names no validators for height %d", height)
	}
	trusted := &Trusted{Set: types.NewValidatorSet(vals), From: "the trust file", file: t}
	longer := *t
	longer.Validators = slices.Clone(t.Validators)
	for i := range longer.Validators {
		if v := &longer.Validators[i]; v.UntilHeight != 0 && !v.ValidUntil.IsZero() {
			v.ValidUntil = v.ValidUntil.Add(replacedGrace)
		}
	}
	if err := checkWindow(&longer, height, now); err != nil {
		return nil, err
	}
	return trusted, nil
}

func checkWindow(t *attest.Trust, height int64, at time.Time) error {
	if !t.InWindow(height, at) {
		return fmt.Errorf("header %d is not believed: %s (step 12): at %s a validator of its set is outside its window of time in the trust file; take a snapshot of a later height, or give the current trust file",
			height, attest.CodeTrustWindow, at.UTC().Format(time.RFC3339))
	}
	return nil
}

// check holds a header that the set has signed to the rest of what the trust file says.
func (t *Trusted) check(h *types.Header) error {
	if t.file == nil {
		return nil
	}
	if err := t.file.CheckAnchor(h.Height, attest.Hash(h.Hash()), h.LastBlockID.Hash); err != nil {
		return fmt.Errorf("header %d is not believed: %w; ask another member for a snapshot and its headers, or compare the trust file with the members again", h.Height, err)
	}
	return checkWindow(t.file, h.Height, h.Time)
}

// light is a header that is proven.
type light struct {
	*types.SignedHeader
	set *types.ValidatorSet
}

// fetch takes a header with its validators and holds that these signed it. It says nothing about who they are.
func fetch(ctx context.Context, src Headers, chainID string, height int64) (*light, error) {
	h, err := src.Signed(ctx, height)
	if err != nil {
		return nil, err
	}
	set, err := src.Validators(ctx, height)
	if err != nil {
		return nil, err
	}
	lb := types.LightBlock{SignedHeader: h, ValidatorSet: set}
	if err := lb.ValidateBasic(chainID); err != nil {
		return nil, fmt.Errorf("header %d is false: %w", height, err)
	}
	if h.Height != height {
		return nil, fmt.Errorf("header %d was asked for, header %d came", height, h.Height)
	}
	// Every signature, not just enough of them: the engine takes the commit apart later, and stops at a false one.
	if err := set.VerifyCommit(chainID, h.Commit.BlockID, height, h.Commit); err != nil {
		return nil, fmt.Errorf("header %d is not signed by its validators: %w", height, err)
	}
	return &light{h, set}, nil
}

// after is the header that follows a height, signed by those who are trusted.
func after(ctx context.Context, src Headers, chainID string, trusted *Trusted, height int64) (*light, error) {
	next, err := fetch(ctx, src, chainID, height+1)
	if err != nil {
		return nil, err
	}
	if err := trusted.Set.VerifyCommitLightTrusting(chainID, next.Commit, trustLevel); err != nil {
		return nil, fmt.Errorf("header %d is not signed by more than two thirds of the power that %s names: %w; if the members have changed, give a newer trust file",
			height+1, trusted.From, err)
	}
	if err := trusted.check(next.Header); err != nil {
		return nil, err
	}
	return next, nil
}

// AppHash is the app hash of a height: that which the next header carries.
func AppHash(ctx context.Context, src Headers, chainID string, trusted *Trusted, height int64) ([]byte, error) {
	next, err := after(ctx, src, chainID, trusted, height)
	if err != nil {
		return nil, err
	}
	return next.AppHash, nil
}

// State is what the engine must know to go on after a height, and the commit of that height.
func State(ctx context.Context, src Headers, doc *types.GenesisDoc, trusted *Trusted, height int64) (st sm.State, _ *types.Commit, err error) {
	next, err := after(ctx, src, doc.ChainID, trusted, height)
	if err != nil {
		return st, nil, err
	}
	last, err := fetch(ctx, src, doc.ChainID, height)
	if err != nil {
		return st, nil, err
	}
	then, err := src.Validators(ctx, height+2)
	if err != nil {
		return st, nil, err
	}
	switch {
	case !bytes.Equal(next.LastBlockID.Hash, last.Hash()):
		return st, nil, fmt.Errorf("header %d does not follow header %d", height+1, height)
	case then.IsNilOrEmpty() || !bytes.Equal(next.NextValidatorsHash, then.Hash()):
		return st, nil, fmt.Errorf("the validators of height %d are not those that header %d announces", height+2, height+1)
	case !bytes.Equal(next.ConsensusHash, doc.ConsensusParams.Hash()):
		return st, nil, fmt.Errorf("header %d has other consensus parameters than the genesis file", height+1)
	}
	st = sm.State{
		ChainID: doc.ChainID, InitialHeight: doc.InitialHeight,
		Version: cmtstate.Version{
			Consensus: cmtversion.Consensus{Block: next.Version.Block, App: next.Version.App}, Software: version.TMCoreSemVer,
		},
		LastBlockHeight: height, LastBlockID: last.Commit.BlockID, LastBlockTime: last.Time,
		LastValidators: last.set, Validators: next.set, NextValidators: then, LastHeightValidatorsChanged: height + 2,
		ConsensusParams: *doc.ConsensusParams, LastHeightConsensusParamsChanged: height + 1,
		LastResultsHash: next.LastResultsHash, AppHash: next.AppHash,
	}
	return st, last.Commit, nil
}

// Prepare writes the engine's stores as they are after a height. It may be called again after a crash, with the same height.
func Prepare(states sm.Store, blocks *store.BlockStore, st sm.State, commit *types.Commit) error {
	have, err := states.Load()
	if err != nil {
		return fmt.Errorf("CometBFT's state: %w", err)
	}
	switch {
	case !blocks.IsEmpty():
		return fmt.Errorf("the home holds blocks up to %d; a snapshot goes into an empty home", blocks.Height())
	case have.LastBlockHeight != 0 && have.LastBlockHeight != st.LastBlockHeight:
		return fmt.Errorf("the home's engine is at height %d, the snapshot at %d: a snapshot goes into an empty home", have.LastBlockHeight, st.LastBlockHeight)
	}
	// The commit first: an engine whose state names a height looks for its commit.
	if err := blocks.SaveSeenCommit(st.LastBlockHeight, commit); err != nil {
		return fmt.Errorf("CometBFT's blocks: %w", err)
	}
	if err := states.SetOfflineStateSyncHeight(st.LastBlockHeight); err != nil {
		return fmt.Errorf("CometBFT's state: %w", err)
	}
	if err := states.Bootstrap(st); err != nil {
		return fmt.Errorf("CometBFT's state: %w", err)
	}
	return nil
}
