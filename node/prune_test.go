package node

import (
	"os"
	"testing"
	"time"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/types"
)

// fakeBlocks is a chain with a block a second.
type fakeBlocks struct{ base, last int64 }

func (f *fakeBlocks) Base() int64 { return f.base }
func (f *fakeBlocks) Header(h int64) *types.Header {
	if h < f.base || h > f.last {
		return nil
	}
	return &types.Header{Height: h, Time: time.Unix(1_800_000_000+h, 0)}
}

func TestRetainHeight(t *testing.T) {
	const all = 1 << 40
	for _, tt := range []struct {
		name             string
		keep             int64
		blocks           int64 // evidence
		age              time.Duration
		durable          int64
		snapshot         int64
		base, last, want int64
	}{
		{"archive", 0, 10, 10 * time.Second, all, 0, 1, 1000, 0},
		{"young chain", 100, 10, 10 * time.Second, all, 0, 1, 100, 0},
		{"one over", 100, 10, 10 * time.Second, all, 0, 1, 101, 2},
		{"steady", 100, 10, 10 * time.Second, all, 0, 900, 1000, 901},
		{"a few a commit", 100, 10, 10 * time.Second, all, 0, 1, 1000, 1 + pruneStep},
		{"evidence in blocks", 5, 100, 10 * time.Second, all, 0, 899, 1000, 900},
		{"evidence in time", 5, 10, 100 * time.Second, all, 0, 897, 1000, 900},
		{"evidence in time, not yet", 5, 10, 100 * time.Second, all, 0, 900, 1000, 0},
		{"state behind", 5, 10, 10 * time.Second, 950, 0, 948, 1000, 950},
		{"snapshot held", 5, 10, 10 * time.Second, all, 903, 900, 1000, 903},
		{"snapshot below the base", 5, 10, 10 * time.Second, all, 100, 900, 1000, 0},
	} {
		p := &pruner{
			keep: tt.keep, evidence: types.EvidenceParams{MaxAgeNumBlocks: tt.blocks, MaxAgeDuration: tt.age},
			blocks:         func() blockRange { return &fakeBlocks{tt.base, tt.last} },
			durable:        func() int64 { return tt.durable },
			oldestSnapshot: func() int64 { return tt.snapshot },
		}
		if got := p.retainHeight(tt.last); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	p := &pruner{keep: 1, blocks: func() blockRange { return nil }}
	if got := p.retainHeight(9); got != 0 {
		t.Errorf("while CometBFT replays: %d", got)
	}
}

// TestRetainHeightWalks: over a whole chain no block goes that was promised, and after a while exactly the promised ones are left.
func TestRetainHeightWalks(t *testing.T) {
	f := &fakeBlocks{base: 1}
	p := &pruner{
		keep: 20, evidence: types.EvidenceParams{MaxAgeNumBlocks: 30, MaxAgeDuration: 40 * time.Second},
		blocks: func() blockRange { return f }, durable: func() int64 { return f.last }, oldestSnapshot: func() int64 { return 0 },
	}
	for f.last = 1; f.last <= 500; f.last++ {
		before := f.base
		if r := p.retainHeight(f.last); r > 0 {
			f.base = r
		}
		if f.base-before > pruneStep || f.base < before || f.base > max(f.last-40, 1) {
			t.Fatalf("block %d: base goes from %d to %d", f.last, before, f.base)
		}
	}
	if f.base != 500-40 {
		t.Errorf("base is %d at the end", f.base)
	}
}

// TestNodePrunes runs a node on a chain whose evidence lives for a few blocks only: its block store begins where it should, and a restart comes back.
func TestNodePrunes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	c := lone(t)
	doc, err := types.GenesisDocFromFile(c.Engine.GenesisFile())
	if err != nil {
		t.Fatal(err)
	}
	doc.ConsensusParams.Evidence.MaxAgeNumBlocks, doc.ConsensusParams.Evidence.MaxAgeDuration = 3, time.Second
	raw, err := cmtjson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.Engine.GenesisFile(), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Settings.State.RetainBlocks, c.Settings.State.Retain = 5, 5
	n := startNode(t, c)
	eventually(t, "the first blocks are gone", func() bool { return n.Blocks().Base() > 4 })
	look := func() {
		t.Helper()
		for {
			base, last := n.Blocks().Base(), n.Blocks().Latest()
			first, gone := n.Blocks().Block(base), n.Blocks().Block(base-2)
			if n.Blocks().Base() != base {
				continue // a block came and went meanwhile
			}
			if last-base < 3 {
				t.Errorf("blocks %d to %d: fewer than were promised", base, last)
			}
			if first == nil || gone != nil {
				t.Errorf("blocks begin at %d, and the store says otherwise", base)
			}
			return
		}
	}
	look()
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	n = startNode(t, c)
	at := n.Height()
	eventually(t, "it goes on", func() bool { return n.Height() > at+2 })
	look()
}
