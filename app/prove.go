package app

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// catalogValue is the `catalog` entry of the app hash: version ‖ digest.
func catalogValue(r x.Reader) []byte {
	v := catalog.Version(r)
	return append(be64(v.Version), v.Digest...)
}

// logValue is the `log` entry: size ‖ root.
func logValue(f tree.Frontier) []byte {
	root := f.Root()
	return append(be64(f.Size), root[:]...)
}

// Proof is what a bundle carries of the state of a height: the entries of subjects and their path to the app hash.
type Proof struct {
	Height  int64
	Entries []pb.Entry // by path of the leaf, ascending
	Shape   []byte
	Hashes  []byte
	Catalog []byte
	LogHash []byte
	Pack    []byte
}

// Prove proves the standings of subjects at a height that is still in memory, present or absent. Doubles are proven once.
func (a *App) Prove(height int64, subjects []string) (p *Proof, err error) {
	defer caught(&err)
	v, ok := a.store.Version(uint64(height))
	if !ok {
		return nil, fmt.Errorf("height %d is no longer, or not yet, provable from memory", height)
	}
	defer v.Release()
	s, err := a.At(height)
	if err != nil {
		return nil, err
	}
	defer s.Close()

	type target struct {
		path tree.Hash
		uscc string
	}
	targets := make([]target, len(subjects))
	for i, uscc := range subjects {
		targets[i] = target{tree.PathOf(standing.LeafKey(uscc)), uscc}
	}
	slices.SortFunc(targets, func(a, b target) int { return bytes.Compare(a.path[:], b.path[:]) })
	targets = slices.CompactFunc(targets, func(a, b target) bool { return a.path == b.path })

	paths := make([]tree.Hash, len(targets))
	p = &Proof{Height: height}
	secret := a.committed.Load().chain.Secret
	for i, t := range targets {
		paths[i] = t.path
		e := pb.Entry{Subject: t.uscc}
		if raw, ok := standing.Get(s, t.uscc); ok {
			e.Standing, e.Salt = raw, standing.Salt(secret, t.uscc, raw)
		}
		p.Entries = append(p.Entries, e)
	}
	proof, present, _, err := v.Prove(paths)
	if err != nil {
		return nil, err
	}
	for i := range p.Entries {
		if present[i] != (len(p.Entries[i].Standing) > 0) {
			x.Faultf("the tree and the table of standings disagree about %s at height %d", p.Entries[i].Subject, height)
		}
	}
	p.Shape, p.Hashes = proof.Shape, proof.Hashes
	rest := a.restAt(s, height)
	p.Catalog, p.LogHash, p.Pack = rest.catalog, rest.log, rest.pack
	return p, nil
}

// ProveAnchor gives the part of an anchor proof (存证证明) that speaks of the state, at a height that is still in memory; nil: nothing is anchored for the hour.
func (a *App) ProveAnchor(height int64, gateway string, hour int64) (p *pb.AnchorProof, err error) {
	defer caught(&err)
	v, ok := a.store.Version(uint64(height))
	if !ok {
		return nil, fmt.Errorf("height %d is no longer, or not yet, provable from memory", height)
	}
	defer v.Release()
	s, err := a.At(height)
	if err != nil {
		return nil, err
	}
	defer s.Close()

	row, ok := consent.AnchorOf(s, gateway, hour)
	if !ok {
		return nil, nil
	}
	proof, present, hashes, err := v.Prove([]tree.Hash{tree.PathOf(attest.AnchorKey(gateway, hour))})
	if err != nil {
		return nil, err
	}
	if !present[0] || hashes[0] != tree.ValueHash(x.EncodeRow(row)) {
		x.Faultf("the tree and the table of anchors disagree about hour %d of %s at height %d", hour, gateway, height)
	}
	rest := a.restAt(s, height)
	catalog := tree.ValueHash(rest.catalog)
	return &pb.AnchorProof{Catalog: catalog[:], Log: rest.log, Pack: rest.pack, Row: *row, Shape: proof.Shape, Hashes: proof.Hashes}, nil
}

// rest is what the app hash of a height binds beside the tree. Immutable.
type rest struct {
	height             int64
	catalog, log, pack []byte
}

// restAt reads it once a height: nearly all proofs are of the newest.
func (a *App) restAt(r x.Reader, height int64) *rest {
	if known := a.rest.Load(); known != nil && known.height == height {
		return known
	}
	log, pack := sha256.Sum256(logValue(frontier(r))), sha256.Sum256(packValue(r))
	n := &rest{height: height, catalog: catalogValue(r), log: log[:], pack: pack[:]}
	a.rest.Store(n)
	return n
}

// Tree gives the tree's version at a height that is still in memory; nil otherwise. The caller releases it.
func (a *App) Tree(height int64) (release func(), root tree.Hash, ok bool) {
	v, ok := a.store.Version(uint64(height))
	if !ok {
		return nil, tree.Hash{}, false
	}
	return v.Release, v.Root(), true
}
