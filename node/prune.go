package node

import (
	"context"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/types"
)

// pruneStep is how many blocks one commit may remove. CometBFT removes them before it goes on: a knob that is lowered from "all" to a thousand must
// not stop a validator for minutes.
const pruneStep = 8

// pruner decides which of CometBFT's blocks may go. What others were promised comes before what the operator asks for:
//
//   - blocks that evidence may still speak of, by the chain's own parameters, in number and in time;
//   - blocks that this node's application needs after a crash: those above its durable height;
//   - blocks above the oldest snapshot that it offers: whoever restores that goes on from there.
type pruner struct {
	keep     int64 // blocks, the newest included; 0 = all
	evidence types.EvidenceParams
	blocks   func() blockRange
	durable  func() int64
	// oldestSnapshot is the height of the oldest snapshot that is offered; 0 = none.
	oldestSnapshot func() int64

	aged int64 // a height whose block was older than evidence when last looked: time only adds to that

	snapshot, asked int64 // what oldestSnapshot said, and at which height
}

// snapshotEvery is how many blocks an answer about snapshots is good for. A new one is of a height that no pruning reaches meanwhile, and one that is
// gone only holds blocks back for a little longer.
const snapshotEvery = 64

// blockRange is what the pruner asks of the block store.
type blockRange interface {
	Base() int64
	Header(height int64) *types.Header
}

// retainHeight is the lowest height whose block stays after the block of height; 0 removes nothing.
func (p *pruner) retainHeight(height int64) int64 {
	if p.keep <= 0 {
		return 0
	}
	blocks := p.blocks()
	if blocks == nil {
		return 0 // CometBFT replays before its stores are known here
	}
	base := blocks.Base()
	retain := min(height-p.keep+1, height-p.evidence.MaxAgeNumBlocks, p.durable(), base+pruneStep)
	if retain <= base {
		return 0
	}
	if p.asked == 0 || height-p.asked >= min(snapshotEvery, p.keep) {
		p.snapshot, p.asked = p.oldestSnapshot(), height
	}
	if p.snapshot > 0 {
		retain = min(retain, p.snapshot)
	}
	return max(p.olderThanEvidence(blocks, height, base, retain), 0)
}

// olderThanEvidence lowers retain until the newest block that would go is older than evidence can be.
func (p *pruner) olderThanEvidence(blocks blockRange, height, base, retain int64) int64 {
	now := blocks.Header(height)
	if now == nil {
		return 0
	}
	for ; retain > base && retain-1 > p.aged; retain-- {
		if h := blocks.Header(retain - 1); h != nil && now.Time.Sub(h.Time) > p.evidence.MaxAgeDuration {
			p.aged = retain - 1
			break
		}
	}
	if retain <= base {
		return 0
	}
	return retain
}

// oldestSnapshot asks the application what it offers.
func oldestSnapshot(a abci.Application) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := a.ListSnapshots(ctx, &abci.RequestListSnapshots{})
	if err != nil {
		return 1 // not known: nothing goes
	}
	var oldest int64
	for _, s := range list.Snapshots {
		if h := int64(s.Height); oldest == 0 || h < oldest {
			oldest = h
		}
	}
	return oldest
}
