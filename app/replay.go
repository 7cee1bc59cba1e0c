package app

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app/state"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Rows is where a replay keeps the rows of the state. Between two calls of Apply many may read.
type Rows interface {
	x.Reader
	x.Peeker
	// Apply writes a row, or deletes it. The slices are the caller's.
	Apply(key, value []byte, deleted bool)
}

// Replay executes a chain again, for an auditor: with the gate, the rules, the log and the tree of a node, and without what a node needs for
// its readers and for a crash: heights, proofs, a folder. A block goes through three steps, each of which may run beside other steps of
// other blocks:
//
//	Decode   in any order
//	Execute  in order of height, one at a time
//	Seal     in order of height, one at a time
type Replay struct {
	rows Rows
	sigs *signatures

	// Owned by Execute.
	chain  *x.Chain
	height int64
	before int64      // time of block height
	spare  []*changes // of blocks that are done with

	// Owned by Seal.
	sealed int64
	tree   *state.Tree
	log    logEnd

	mu   sync.Mutex
	late []change   // guarded by mu: rows that Seal wrote and rows does not have yet. No rule reads them
	done []*changes // guarded by mu: of blocks that are sealed. Nobody looks into them but late
}

// NewReplay begins a replay over rows that hold nothing.
func NewReplay(rows Rows) *Replay {
	return &Replay{rows: rows, sigs: newSignatures(runtime.GOMAXPROCS(0)), tree: state.NewTree()}
}

// Genesis executes genesis and gives its app hash.
func (r *Replay) Genesis(req *abci.RequestInitChain) (hash []byte, err error) {
	defer recovered("genesis", &err)
	g, err := genesisOf(req)
	if err != nil {
		return nil, err
	}
	g.rows.eachAnyhow(func(c change) { r.rows.Apply(c.key, c.value, c.deleted) })
	root, err := r.tree.Apply(leavesOf(g.rows, g.chain.Secret))
	if err != nil {
		return nil, err
	}
	r.chain, r.log = g.chain, endOfLog(g.rows)
	sum := appHash(g.rows, g.chain.Secret, root, r.log.Frontier)
	return sum[:], nil
}

// Decoded are the transactions of a block, decoded, their signatures checked.
type Decoded struct{ txs []*parsed }

// ID of a transaction; zero where the bytes are not one.
func (d *Decoded) ID(i int) [32]byte { return d.txs[i].id }

// Decode is the first step of a block.
func (r *Replay) Decode(txs [][]byte) *Decoded { return &Decoded{r.sigs.decode(txs)} }

// Executed is a block that was executed and not yet sealed.
type Executed struct {
	Results  []*abci.ExecTxResult
	Updates  []abci.ValidatorUpdate
	Messages int // in transactions that passed the gate

	block   *block
	catalog []byte
	packs   packRoots
}

// Execute is the second step of a block, whose header has this hash and time. It errs where the state cannot be read, or the block breaks the
// program.
func (r *Replay) Execute(height int64, hash []byte, at time.Time, d *Decoded) (_ *Executed, err error) {
	defer recovered("execute", &err)
	switch {
	case r.chain == nil:
		return nil, errors.New("block 1 came before genesis")
	case height != r.height+1:
		return nil, fmt.Errorf("block %d came after block %d", height, r.height)
	}
	var spare *changes
	if n := len(r.spare); n > 0 {
		spare, r.spare = r.spare[n-1].again(), r.spare[:n-1]
	}
	b, err := execute(ground{
		spare: spare, chain: r.chain, rows: r.rows, sigs: r.sigs, workers: r.sigs.workers, before: r.before, aside: func() (x.Reader, func()) { return r.rows, func() {} },
	}, heading{height, hash, at}, d.txs)
	if err != nil {
		return nil, err
	}
	e := &Executed{Results: b.results, Updates: b.updates, block: b, catalog: catalogValue(b.rows), packs: packRootsOf(b.rows)}
	for _, o := range b.outcomes {
		if o != nil {
			e.Messages += len(o.Results)
		}
	}
	b.rows.eachAnyhow(func(c change) { r.rows.Apply(c.key, c.value, c.deleted) })
	b.rows.base = empty{} // the rows below move on; Seal reads what the block wrote alone
	r.height, r.before = height, b.info.TimeSeconds
	r.Settle()
	return e, nil
}

// Settle writes the rows of the log that Seal has made and no rule reads. Execute does it too, for the blocks that are sealed by then.
func (r *Replay) Settle() {
	r.mu.Lock()
	late, done := r.late, r.done
	r.late, r.done = nil, nil
	r.mu.Unlock()
	for _, c := range late {
		r.rows.Apply(c.key, c.value, c.deleted)
	}
	r.spare = append(r.spare, done...)
}

// Seal is the third step of a block: the log, the leaves, the tree. It gives the app hash.
func (r *Replay) Seal(e *Executed) (hash []byte, err error) {
	defer recovered("seal", &err)
	b := e.block
	if b.height != r.sealed+1 {
		return nil, fmt.Errorf("block %d came after block %d", b.height, r.sealed)
	}
	r.log = closeLog(b, r.log)
	root, err := r.tree.Apply(leavesOf(b.rows, b.chain.Secret))
	if err != nil {
		return nil, err
	}
	r.sealed = b.height
	sum := tree.AppHash(appEntries(e.catalog, e.packs.value(b.chain.Secret, root), root, r.log.Frontier))
	r.mu.Lock()
	b.rows.eachOf(int(logHead.Key()[0]), int(logLeaves.Prefix), func(c change) { r.late = append(r.late, c) })
	r.done = append(r.done, b.rows.changes)
	r.mu.Unlock()
	e.block = nil // its rows are another block's now
	return sum[:], nil
}

// leavesOf gives the changes of the tree that bind rows, by path.
func leavesOf(rows *overlay, secret []byte) []state.Change {
	out := make([]state.Change, 0, rows.len()/4) // one row in six of a penalty is bound by a leaf
	rows.eachAnyhow(func(c change) {
		if key, hash, ok := x.LeafOfRow(secret, c.key, c.value); ok {
			out = append(out, state.Change{Path: tree.PathOf(key), ValueHash: hash, Delete: c.deleted})
		}
	})
	return byPath(out)
}

// byPath gives changes in the order of their paths. Paths are hashes: nearly all differ in their first bytes.
func byPath(changes []state.Change) []state.Change {
	type place struct {
		first uint64
		n     int
	}
	places := make([]place, len(changes))
	for i := range changes {
		places[i] = place{binary.BigEndian.Uint64(changes[i].Path[:8]), i}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.first != b.first {
			return cmp.Compare(a.first, b.first)
		}
		return bytes.Compare(changes[a.n].Path[:], changes[b.n].Path[:])
	})
	out := make([]state.Change, len(changes))
	for i, p := range places {
		out[i] = changes[p.n]
	}
	return out
}

// recovered makes an error of what execution panicked with.
func recovered(where string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: %w", where, faultOf(p))
	}
}
