package node

import (
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
)

// Blocks reads CometBFT's own stores. It never writes. CometBFT panics where its disk fails; the gateway's one recover answers 503.
type Blocks struct {
	blocks *store.BlockStore
	state  sm.Store
}

// Latest is the newest stored height, 0 before the first block.
func (b *Blocks) Latest() int64 { return b.blocks.Height() }

// Base is the oldest stored height.
func (b *Blocks) Base() int64 { return b.blocks.Base() }

// Block at a height, nil where there is none.
func (b *Blocks) Block(height int64) *types.Block {
	if height <= 0 {
		return nil
	}
	return b.blocks.LoadBlock(height)
}

// Header at a height, nil where there is none. It reads no transactions.
func (b *Blocks) Header(height int64) *types.Header {
	if height <= 0 {
		return nil
	}
	meta := b.blocks.LoadBlockMeta(height)
	if meta == nil {
		return nil
	}
	return &meta.Header
}

// Commit for a height: the one inside the next block, which is the same on every node, and for the newest height the one that
// this node saw, which is as valid and may hold other signatures elsewhere. nil where there is none.
func (b *Blocks) Commit(height int64) *types.Commit {
	if height <= 0 {
		return nil
	}
	if c := b.blocks.LoadBlockCommit(height); c != nil {
		return c
	}
	return b.blocks.LoadSeenCommit(height)
}

// Validators that sign at a height.
func (b *Blocks) Validators(height int64) (*types.ValidatorSet, error) {
	return b.state.LoadValidators(height)
}
