package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// The path is made from headers and commits of old blocks, and those may be pruned by the next start. So it is kept in a file. Nothing depends on the
// file but old steps: without it the path begins at the oldest header that the node has.

const (
	pathBytesMax = 16 << 20
	// pathSaveEvery is how many blocks the path may have gone on without a step before it is saved again: far fewer than a node keeps.
	pathSaveEvery = 1000
)

// pathFile is the file. Steps and the first set are in the encoding of a bundle.
type pathFile struct {
	ChainID string        `json:"chain_id"`
	Anchor  attest.Anchor `json:"anchor"`
	At      int64         `json:"at"`
	Epochs  []epochFile   `json:"epochs"`
	Bundle  []byte        `json:"bundle"`
}

type epochFile struct {
	From int64  `json:"from"`
	Hash []byte `json:"hash"`
}

// encode gives the bytes of the file.
func (p *path) encode(chainID string) []byte {
	f := pathFile{
		ChainID: chainID, Anchor: p.anchor, At: p.at,
		Bundle: pb.Encode(&pb.Bundle{Validators: p.epochs[0].set, Steps: p.steps}),
	}
	for _, e := range p.epochs {
		f.Epochs = append(f.Epochs, epochFile{e.from, e.hash})
	}
	raw, err := json.Marshal(f)
	if err != nil {
		panic(err) // numbers and bytes cannot fail: a bug
	}
	return raw
}

// decodePath reads the bytes of the file. What it says is this node's own word; each bundle is checked before it leaves.
func decodePath(raw []byte, chainID string, latest int64) (*path, error) {
	var f pathFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	var b pb.Bundle
	if err := pb.Decode(f.Bundle, &b); err != nil {
		return nil, err
	}
	switch {
	case f.ChainID != chainID:
		return nil, fmt.Errorf("it is of chain %q", f.ChainID)
	case b.Validators == nil:
		return nil, errors.New("it has no first set")
	case f.At > latest:
		return nil, fmt.Errorf("it leads to height %d, the newest is %d", f.At, latest)
	case len(f.Epochs) == 0 || len(f.Epochs) != len(b.Steps)+1 || f.Anchor.Height < 1 || f.Anchor.Height != f.Epochs[0].From:
		return nil, fmt.Errorf("%d epochs and %d steps do not fit", len(f.Epochs), len(b.Steps))
	}
	p := &path{anchor: f.Anchor, at: f.At, steps: b.Steps, saved: f.At, savedSteps: len(b.Steps)}
	for i, e := range f.Epochs {
		set := b.Validators
		if i > 0 {
			set = &b.Steps[i-1].Next
		}
		if i > 0 && (e.From <= f.Epochs[i-1].From || b.Steps[i-1].Header.Height != e.From-1) || e.From > f.At {
			return nil, fmt.Errorf("epoch %d begins at height %d", i, e.From)
		}
		p.epochs = append(p.epochs, epoch{e.From, e.Hash, set})
	}
	return p, nil
}

// loadPath takes the path of an earlier run, where there is one. The caller holds headMu.
func (g *Gateway) loadPath(chainID string, latest int64) {
	if g.o.PathFile == "" || len(g.path.epochs) > 0 {
		return
	}
	file, err := os.Open(g.o.PathFile)
	if os.IsNotExist(err) {
		return
	}
	var raw []byte
	if err == nil {
		raw, err = io.ReadAll(io.LimitReader(file, pathBytesMax))
		file.Close()
	}
	var p *path
	if err == nil {
		p, err = decodePath(raw, chainID, latest)
	}
	if err != nil {
		g.log.Warn("the saved path of validator sets is not used: it is made from the blocks that are there", "file", g.o.PathFile, "err", err)
		return
	}
	g.path = *p
}

// savePath keeps the path when it has a new step, or has gone on for long. A failure is only told: the blocks are still there. The caller holds headMu.
func (g *Gateway) savePath(chainID string) {
	p := &g.path
	if g.o.PathFile == "" || p.saved > 0 && len(p.steps) == p.savedSteps && p.at-p.saved < pathSaveEvery {
		return
	}
	p.saved, p.savedSteps = p.at, len(p.steps)
	tmp := g.o.PathFile + ".tmp"
	err := os.WriteFile(tmp, p.encode(chainID), 0o600)
	if err == nil {
		err = os.Rename(tmp, g.o.PathFile)
	}
	if err != nil {
		g.log.Warn("the path of validator sets is not saved", "err", err)
	}
}

// oldest finds the oldest header that the store has, by halving: below it there is none, above it all are.
func oldest(b Blocks, latest int64) int64 {
	lo, hi := int64(0), latest // none at lo, one at hi
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if b.Header(mid) != nil {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// begin starts a path at the first header, or at the oldest one that is there: bundles of a node that began with a snapshot lead no further back.
func (p *path) begin(b Blocks, latest int64) error {
	from := int64(1)
	if b.Header(from) == nil {
		from = oldest(b, latest)
	}
	first, err := headerAt(b, from)
	if err != nil {
		return err
	}
	set, err := setAt(b, first)
	if err != nil {
		return err
	}
	p.anchor = attest.Anchor{Height: from, HeaderHash: attest.Hash(first.Hash())}
	p.epochs, p.at = []epoch{{from, first.ValidatorsHash, set}}, from
	return nil
}

// overGap leads a path whose newest height was pruned to the oldest header that is there, if the same set signs it. Otherwise a change went with the
// blocks, and the path begins anew.
func (p *path) overGap(b Blocks, latest int64) error {
	if p.at >= latest || b.Header(p.at) != nil {
		return nil
	}
	at := oldest(b, latest)
	if h := b.Header(at); h != nil && at > p.at && string(h.ValidatorsHash) == string(p.last().hash) {
		p.at = at
		return nil
	}
	*p = path{}
	return p.begin(b, latest)
}
