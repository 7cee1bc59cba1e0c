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
	for i, t := range targets {
		paths[i] = t.path
	}
	proof, present, values, err := v.Prove(paths)
	if err != nil {
		return nil, err
	}
	rows := lateRows{app: a, height: height, root: v.Root()}
	defer rows.close()
	p = &Proof{Height: height, Shape: proof.Shape, Hashes: proof.Hashes, Entries: make([]pb.Entry, len(targets))}
	for i, t := range targets {
		e := &p.Entries[i]
		e.Subject = t.uscc
		if !present[i] {
			continue // the tree says so, and it is what the validators agreed on
		}
		if e.Salt, e.Standing, err = a.standingOf(&rows, t.uscc, values[i]); err != nil {
			return nil, err
		}
	}
	rest, err := a.restAt(&rows)
	if err != nil {
		return nil, err
	}
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
	rows := lateRows{app: a, height: height, root: v.Root()}
	defer rows.close()

	r, err := rows.open()
	if err != nil {
		return nil, err
	}
	row, ok := consent.AnchorOf(r, gateway, hour)
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
	rest, err := a.restAt(&rows)
	if err != nil {
		return nil, err
	}
	catalog := tree.ValueHash(rest.catalog)
	return &pb.AnchorProof{Catalog: catalog[:], Log: rest.log, Pack: rest.pack, Row: *row, Shape: proof.Shape, Hashes: proof.Hashes}, nil
}

// standingOf gives a subject's salt and standing, whose leaf has a value of this hash at the height of rows.
func (a *App) standingOf(rows *lateRows, uscc string, value tree.Hash) (salt, raw []byte, err error) {
	salt, raw, ok := a.standings.find(value)
	if ok {
		return salt, raw, nil
	}
	r, err := rows.open()
	if err != nil {
		return nil, nil, err
	}
	if raw, ok = standing.Get(r, uscc); ok {
		var of tree.Hash
		if salt, of = a.standings.enter(a.committed.Load().chain.Secret, uscc, raw); of == value {
			return salt, raw, nil
		}
	}
	x.Faultf("the tree and the table of standings disagree about %s at height %d", uscc, rows.height)
	return nil, nil, nil
}

// lateRows are the rows of a height for who may not need them: they are opened when they are asked for.
type lateRows struct {
	app    *App
	height int64
	root   tree.Hash // of the tree at this height
	rows   *Snapshot
}

func (r *lateRows) open() (x.Reader, error) {
	if r.rows == nil {
		rows, err := r.app.At(r.height)
		if err != nil {
			return nil, err
		}
		r.rows = rows
	}
	return r.rows, nil
}

func (r *lateRows) close() {
	if r.rows != nil {
		r.rows.Close()
	}
}

// rest is what the app hash of a height binds beside the tree. Immutable.
type rest struct {
	height             int64
	catalog, log, pack []byte
}

// restAt reads it once a height: nearly all proofs are of the newest.
func (a *App) restAt(rows *lateRows) (*rest, error) {
	if known := a.rest.Load(); known != nil && known.height == rows.height {
		return known, nil
	}
	r, err := rows.open()
	if err != nil {
		return nil, err
	}
	log, pack := sha256.Sum256(logValue(frontier(r))), sha256.Sum256(packRootsOf(r).value(a.Chain().Secret, rows.root))
	n := &rest{height: rows.height, catalog: catalogValue(r), log: log[:], pack: pack[:]}
	a.rest.Store(n)
	return n, nil
}

// Tree gives the tree's version at a height that is still in memory; nil otherwise. The caller releases it.
func (a *App) Tree(height int64) (release func(), root tree.Hash, ok bool) {
	v, ok := a.store.Version(uint64(height))
	if !ok {
		return nil, tree.Hash{}, false
	}
	return v.Release, v.Root(), true
}
