package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/merkle"
	sm "github.com/cometbft/cometbft/state"
	cmttypes "github.com/cometbft/cometbft/types"
	"golang.org/x/sync/errgroup"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/x"
)

// Source is where a replay reads a chain from. Block is asked for beside the others.
type Source interface {
	// Genesis of the chain.
	Genesis(context.Context) (*cmttypes.GenesisDoc, error)
	// Range of the heights that it holds.
	Range(context.Context) (first, last int64, err error)
	// Block of a height, and its bytes as the proposer cut them into parts: they stand until the next call; nil where the source does not have them.
	Block(ctx context.Context, height int64) (b *cmttypes.Block, raw []byte, err error)
	// Commit that decided a height; asked for the newest height alone, every other commit stands in the block after it.
	Commit(ctx context.Context, height int64) (*cmttypes.Commit, error)
	// Results of a height as the source executed it, where it kept them; nil otherwise.
	Results(ctx context.Context, height int64) ([]*abci.ExecTxResult, error)
	// State that the source holds; nil where it shows none.
	State(context.Context) (*State, error)
	Close() error
}

// State is what a source holds after its newest block.
type State struct {
	Height  int64
	AppHash []byte                                      // as the source has noted it; the header that binds it is not made yet
	Open    func() (r x.Reader, done func(), err error) // the rows; what one call gives is for one goroutine
}

// Difference is what does not agree. Where is a short token, for programs.
type Difference struct {
	Height int64  `json:"height"`
	Where  string `json:"where"`
	Tx     int    `json:"tx"` // index in the block; -1 where it is no transaction's
	TxID   string `json:"tx_id,omitempty"`
	Key    string `json:"key,omitempty"` // first differing key of the state, hex
	Table  string `json:"table,omitempty"`
	Have   string `json:"have"`
	Want   string `json:"want"`
}

func (d *Difference) Error() string {
	s := fmt.Sprintf("height %d: %s: the chain has %s, the replay finds %s", d.Height, d.Where, d.Have, d.Want)
	if d.Tx >= 0 {
		s += fmt.Sprintf("; transaction %d (%s)", d.Tx, d.TxID)
	}
	if d.Key != "" {
		s += fmt.Sprintf("; first differing key %s (table %s)", d.Key, d.Table)
	}
	return s
}

// Report is what a replay found.
type Report struct {
	ChainID      string      `json:"chain_id"`
	GenesisHash  string      `json:"genesis_hash"` // SHA-256 of the genesis document, blanks aside
	From         int64       `json:"from"`
	To           int64       `json:"to"`
	AppHash      string      `json:"app_hash"` // after the last height
	Blocks       int64       `json:"blocks"`
	Transactions int64       `json:"transactions"`
	Messages     int64       `json:"messages"`
	Signatures   int64       `json:"commit_signatures"`
	StateRows    int64       `json:"state_rows_compared"`
	Seconds      float64     `json:"seconds"`
	Agrees       bool        `json:"agrees"`
	Difference   *Difference `json:"difference,omitempty"`
}

// JSON of the report.
func (r *Report) JSON() []byte {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(raw, '\n')
}

// Options of Replay.
type Options struct {
	To       int64  // last height; 0 = the newest
	Dir      string // folder for what the state takes beyond Memory; empty = the system's for temporary files
	Memory   int64  // bytes of rows in memory; 0 = 1 GiB. The tree, the indexes of rows and what waits to be collected come on top
	Progress func(done, of int64)
}

const (
	memoryDefault = 1 << 30
	aheadMax      = 12 << 20 // bytes of transactions read and not yet judged
	waitMost      = 64       // blocks before each step; most are small or empty, and two large ones may lie far apart
)

// Replay replays a chain from its genesis. The error says that the source could not be read; what does not agree is in the report.
//
// Three goroutines pass the blocks on: one reads and decodes them and recovers the signatures of transactions, one executes, one judges: headers,
// commits, results, and the tree whose root the next header must bind. What is judged is judged in order of height, and nothing of a block
// that fails its checks has a consequence for those before it.
func Replay(ctx context.Context, src Source, o Options) (*Report, error) {
	began := time.Now()
	doc, err := src.Genesis(ctx)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	first, last, err := src.Range(ctx)
	if err != nil {
		return nil, err
	}
	if first > doc.InitialHeight {
		return nil, fmt.Errorf("the source begins at height %d; a replay needs every block from %d", first, doc.InitialHeight)
	}
	if last < doc.InitialHeight {
		return nil, fmt.Errorf("the source holds no block yet")
	}
	switch {
	case o.To > last: // an agreement about fewer heights than were asked for would be read as one about all of them
		return nil, fmt.Errorf("the source ends at height %d, before %d", last, o.To)
	case o.To > 0:
		last = o.To
	}
	if o.Memory <= 0 {
		o.Memory = memoryDefault
	}
	hash, err := genesisHash(doc)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	rows := newRows(o.Dir, o.Memory)
	defer rows.Close()
	ctx, cancel := context.WithCancel(ctx)
	theirs, err := newTheirs(ctx, src, last)
	if err != nil { // said before an hour of work, and not after it
		cancel()
		return nil, err
	}
	defer theirs.all.Wait() // an error, where it counts, was asked for before
	defer cancel()
	r := &replay{theirs: theirs, app: app.NewReplay(rows), rows: rows, src: src, doc: doc, ahead: newBudget(aheadMax), report: &Report{
		ChainID: doc.ChainID, GenesisHash: hash, From: doc.InitialHeight, To: last,
	}}
	if err := r.begin(); err != nil {
		return nil, err
	}
	easeCollector()
	defer hastenCollector()
	if err := r.run(ctx, last, o.Progress); err != nil {
		return nil, err
	}
	if r.report.Difference == nil {
		diff, err := r.finish(ctx, last)
		if err != nil {
			return nil, err
		}
		r.report.Difference = diff
	}
	r.report.Agrees = r.report.Difference == nil
	r.report.AppHash = fmt.Sprintf("%x", r.appHash)
	r.report.Seconds = time.Since(began).Seconds()
	return r.report, nil
}

// replay is the state of one.
type replay struct {
	app    *app.Replay
	rows   *rows
	src    Source
	doc    *cmttypes.GenesisDoc
	report *Report
	ahead  *budget
	theirs *theirs // the state that the source holds

	// What a block is judged by; owned by judge.
	lastVals, vals, nextVals *cmttypes.ValidatorSet
	params                   cmttypes.ConsensusParams
	appHash, resultsHash     []byte
	lastID                   cmttypes.BlockID
	lastTime                 time.Time
}

// passed is a block on its way. Whoever has sent it on looks at it no more.
type passed struct {
	height  int64
	block   *cmttypes.Block
	id      cmttypes.BlockID
	invalid error // what the block says of itself does not agree
	decoded *app.Decoded
	done    *app.Executed
	err     error // nothing comes after it
	bytes   int64
}

// run lets the blocks through.
func (r *replay) run(ctx context.Context, last int64, progress func(done, of int64)) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	defer r.ahead.close()
	read, executed := make(chan *passed, waitMost), make(chan *passed, waitMost)
	all.Add(2)
	go func() {
		defer all.Done()
		defer close(read)
		for h := r.doc.InitialHeight; h <= last; h++ {
			p := r.read(ctx, h)
			ends := p.err != nil
			if !ends && h == last { // nothing is left to do here while the last blocks are executed
				r.theirs.begin(p.block.Time.Unix())
			}
			if !send(ctx, read, p) || ends {
				return
			}
		}
	}()
	go func() {
		defer all.Done()
		defer close(executed)
		for p := range read {
			if p.err == nil {
				p.done, p.err = r.app.Execute(p.height, p.id.Hash, p.block.Time, p.decoded)
				p.decoded = nil
			}
			ends := p.err != nil
			if !send(ctx, executed, p) || ends {
				return
			}
		}
	}()
	for p := range executed {
		diff, err := r.judge(ctx, p)
		if err != nil {
			return fmt.Errorf("height %d: %w", p.height, err)
		}
		if diff != nil {
			r.report.Difference, r.report.To = diff, p.height
			return nil
		}
		r.ahead.give(p.bytes)
		easeCollector()
		if progress != nil {
			progress(p.height-r.doc.InitialHeight+1, last-r.doc.InitialHeight+1)
		}
	}
	return ctx.Err()
}

func send(ctx context.Context, to chan<- *passed, p *passed) bool {
	select {
	case to <- p:
		return true
	case <-ctx.Done():
		return false
	}
}

// read fetches a block and does what needs no other: its hashes, its transactions.
func (r *replay) read(ctx context.Context, height int64) *passed {
	p := &passed{height: height}
	if p.err = ctx.Err(); p.err != nil {
		return p
	}
	var raw []byte
	if p.block, raw, p.err = r.src.Block(ctx, height); p.err != nil {
		return p
	}
	for _, tx := range p.block.Txs {
		p.bytes += int64(len(tx))
	}
	r.ahead.take(p.bytes)
	p.invalid = p.block.ValidateBasic()
	parts, err := partsOf(p.block, raw)
	if err != nil {
		p.err = err
		return p
	}
	p.id = cmttypes.BlockID{Hash: p.block.Hash(), PartSetHeader: parts}
	p.decoded = r.app.Decode(p.block.Txs.ToSliceOfBytes())
	return p
}

// partsOf says how a block is cut into parts, which its votes name.
func partsOf(b *cmttypes.Block, raw []byte) (cmttypes.PartSetHeader, error) {
	if raw == nil {
		parts, err := b.MakePartSet(cmttypes.BlockPartSizeBytes)
		if err != nil {
			return cmttypes.PartSetHeader{}, err
		}
		return parts.Header(), nil
	}
	parts := slices.Collect(slices.Chunk(raw, int(cmttypes.BlockPartSizeBytes)))
	return cmttypes.PartSetHeader{Total: uint32(len(parts)), Hash: merkle.HashFromByteSlices(parts)}, nil
}

// garbageLeast is how much garbage is worth a collection (垃圾回收), however little is in use. A replay makes some six kilobytes of it for each record, and what is in use grows
// from nothing: it would be looked through a dozen times in the first seconds. That is memory besides what Options.Memory bounds.
const garbageLeast = 512 << 20

// easeCollector has the collector wait for so much garbage, where the environment (GOGC) says nothing else. hastenCollector takes that back.
func easeCollector() {
	if os.Getenv("GOGC") == "" {
		inUse := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(inUse)
		debug.SetGCPercent(int(max(100, 100*garbageLeast/max(inUse[0].Value.Uint64(), 1<<20))))
	}
}

func hastenCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100)
	}
}

// budget bounds what is under way. One piece is always let through.
type budget struct {
	mu     sync.Mutex
	freed  *sync.Cond
	bound  int64
	taken  int64 // guarded by mu
	closed bool  // guarded by mu
}

func newBudget(bound int64) *budget {
	b := &budget{bound: bound}
	b.freed = sync.NewCond(&b.mu)
	return b
}

func (b *budget) take(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.taken > 0 && b.taken+n > b.bound && !b.closed {
		b.freed.Wait()
	}
	b.taken += n
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
	b.freed.Broadcast()
}

// close lets everybody through: the replay ends.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.freed.Broadcast()
}

// begin executes genesis.
func (r *replay) begin() error {
	var vals []*cmttypes.Validator
	var updates []abci.ValidatorUpdate
	for _, v := range r.doc.Validators {
		vals = append(vals, cmttypes.NewValidator(v.PubKey, v.Power))
	}
	r.vals = cmttypes.NewValidatorSet(vals)
	updates = cmttypes.TM2PB.ValidatorUpdates(r.vals)
	r.nextVals = r.vals.CopyIncrementProposerPriority(1)
	r.lastVals = cmttypes.NewValidatorSet(nil)
	r.params = *r.doc.ConsensusParams
	params := r.params.ToProto()
	hash, err := r.app.Genesis(&abci.RequestInitChain{
		Time: r.doc.GenesisTime, ChainId: r.doc.ChainID, ConsensusParams: &params, Validators: updates,
		AppStateBytes: r.doc.AppState, InitialHeight: r.doc.InitialHeight,
	})
	if err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	r.appHash, r.resultsHash = hash, cmttypes.NewResults(nil).Hash()
	return nil
}

// judge checks a block against what came before it, and keeps what the next block must say.
func (r *replay) judge(ctx context.Context, p *passed) (*Difference, error) {
	if p.block == nil {
		return nil, p.err
	}
	if d := r.checkHeader(p); d != nil {
		return d, nil
	}
	if d := r.checkCommit(p.block); d != nil {
		return d, nil
	}
	if p.err != nil {
		return nil, p.err
	}
	if d, err := r.compareResults(ctx, p); d != nil || err != nil {
		return d, err
	}
	hash, err := r.app.Seal(p.done)
	if err != nil {
		return nil, err
	}
	r.lastID, r.lastTime = p.id, p.block.Time
	r.appHash, r.resultsHash = hash, cmttypes.NewResults(p.done.Results).Hash()
	if err := r.rotate(p.done.Updates); err != nil {
		return nil, err
	}
	r.report.Blocks++
	r.report.Transactions += int64(len(p.block.Txs))
	r.report.Messages += int64(p.done.Messages)
	return nil, nil
}

func differ(height int64, where string, have, want any) *Difference {
	return &Difference{Height: height, Where: where, Tx: -1, Have: fmt.Sprint(have), Want: fmt.Sprint(want)}
}

// checkHeader holds every field of a header that follows from what came before.
func (r *replay) checkHeader(p *passed) *Difference {
	b, h := p.block, p.height
	if p.invalid != nil {
		return differ(h, "block", p.invalid, "a block that is whole")
	}
	hex := func(b []byte) string { return fmt.Sprintf("%X", b) }
	for _, f := range []struct {
		where      string
		have, want string
	}{
		{"height", fmt.Sprint(b.Height), fmt.Sprint(h)},
		{"chain_id", b.ChainID, r.doc.ChainID},
		{"version.app", fmt.Sprint(b.Version.App), fmt.Sprint(app.Version)},
		{"last_block_id", b.LastBlockID.String(), r.lastID.String()},
		{"validators_hash", hex(b.ValidatorsHash), hex(r.vals.Hash())},
		{"next_validators_hash", hex(b.NextValidatorsHash), hex(r.nextVals.Hash())},
		{"consensus_hash", hex(b.ConsensusHash), hex(r.params.Hash())},
		{"app_hash", hex(b.AppHash), hex(r.appHash)},
		{"last_results_hash", hex(b.LastResultsHash), hex(r.resultsHash)},
	} {
		if f.have != f.want {
			return differ(h, f.where, f.have, f.want)
		}
	}
	if !r.vals.HasAddress(b.ProposerAddress) {
		return differ(h, "proposer", hex(b.ProposerAddress), "a validator of the set in force")
	}
	if h == r.doc.InitialHeight {
		if !b.Time.Equal(r.doc.GenesisTime) {
			return differ(h, "time", b.Time, r.doc.GenesisTime)
		}
		return nil
	}
	if !b.Time.After(r.lastTime) {
		return differ(h, "time", b.Time, "later than "+r.lastTime.String())
	}
	// Block time is the median of the votes, not what the proposer likes.
	median, err := sm.MedianTime(b.LastCommit, r.lastVals)
	if err != nil {
		return differ(h, "time", err, "the median time of the last commit")
	}
	if !b.Time.Equal(median) {
		return differ(h, "time", b.Time, median)
	}
	return nil
}

// checkCommit checks all signatures of the commit for the block before.
func (r *replay) checkCommit(b *cmttypes.Block) *Difference {
	if b.Height == r.doc.InitialHeight {
		if len(b.LastCommit.Signatures) != 0 {
			return differ(b.Height, "last_commit", len(b.LastCommit.Signatures), "no signature in the first block")
		}
		return nil
	}
	return r.verify(b.Height-1, b.LastCommit, r.lastVals)
}

func (r *replay) verify(height int64, c *cmttypes.Commit, vals *cmttypes.ValidatorSet) *Difference {
	if err := vals.VerifyCommit(r.doc.ChainID, r.lastID, height, c); err != nil {
		return differ(height, "commit", err, "more than two thirds of the power, every signature good")
	}
	for _, s := range c.Signatures {
		if s.BlockIDFlag != cmttypes.BlockIDFlagAbsent {
			r.report.Signatures++
		}
	}
	return nil
}

// rotate moves the validator sets on as the engine does: an update of height H validates from H+2.
func (r *replay) rotate(updates []abci.ValidatorUpdate) error {
	next := r.nextVals.Copy()
	if len(updates) > 0 {
		changes, err := cmttypes.PB2TM.ValidatorUpdates(updates)
		if err != nil {
			return err
		}
		if err := next.UpdateWithChangeSet(changes); err != nil {
			return err
		}
	}
	next.IncrementProposerPriority(1)
	r.lastVals, r.vals, r.nextVals = r.vals, r.nextVals, next
	return nil
}

// compareResults names the first transaction whose result is not what the source kept.
func (r *replay) compareResults(ctx context.Context, p *passed) (*Difference, error) {
	b, mine := p.block, p.done.Results
	theirs, err := r.src.Results(ctx, b.Height)
	if err != nil || theirs == nil {
		return nil, err
	}
	if len(theirs) != len(mine) {
		return differ(b.Height, "results", len(theirs), len(mine)), nil
	}
	for i := range mine {
		if mine[i].Code == theirs[i].Code && bytes.Equal(mine[i].Data, theirs[i].Data) {
			continue
		}
		d := differ(b.Height, "tx_result", fmt.Sprintf("code %d", theirs[i].Code), fmt.Sprintf("code %d %s", mine[i].Code, mine[i].Log))
		d.Tx = i
		if id, err := app.TxID(b.Txs[i]); err == nil {
			d.TxID = fmt.Sprintf("%x", id)
		}
		return d, nil
	}
	return nil, nil
}

// finish checks the commit of the newest block and, where the source shows its state at just this height, every row of it.
func (r *replay) finish(ctx context.Context, last int64) (*Difference, error) {
	c, err := r.src.Commit(ctx, last)
	if err != nil {
		return nil, fmt.Errorf("commit of height %d: %w", last, err)
	}
	if d := r.verify(last, c, r.lastVals); d != nil {
		return d, nil
	}
	r.app.Settle()
	r.app = nil // its tree is not needed any more
	return r.compareState(last)
}

// theirs is the state that the source holds, of which sums are made table by table: beside the last blocks, as soon as all are read, and then on all processors.
type theirs struct {
	ctx    context.Context
	prints app.Prints
	tables []*x.TableInfo
	at     int64        // time of the last block
	state  *State       // nil: the source shows none of the last height
	sums   []app.RowSum // by table
	next   atomic.Int64 // table that nobody has begun
	all    errgroup.Group
}

func newTheirs(ctx context.Context, src Source, last int64) (*theirs, error) {
	state, err := src.State(ctx)
	if err != nil {
		return nil, err
	}
	if state != nil && state.Height != last {
		state = nil
	}
	tables := x.Tables()
	return &theirs{ctx: ctx, prints: app.NewPrints(), tables: tables, state: state, sums: make([]app.RowSum, len(tables))}, nil
}

// begin makes the first sums: every block is read, the last of them at this time.
func (s *theirs) begin(at int64) {
	if s.state != nil {
		s.at = at
		s.all.Go(s.work)
	}
}

// work makes sums until no table is left.
func (s *theirs) work() (err error) {
	defer caught(&err)
	r, done, err := s.state.Open()
	if err != nil {
		return err
	}
	defer done()
	for i := s.take(&s.next); i < len(s.tables); i = s.take(&s.next) {
		add := s.adder(&s.sums[i])
		n := 0
		r.Iterate([]byte{s.tables[i].Prefix}, nil, func(key, value []byte) bool {
			add(key, value)
			n++
			return n%1024 != 0 || s.ctx.Err() == nil
		})
		if err := s.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// take gives who asks something to do: the next number.
func (s *theirs) take(next *atomic.Int64) int { return int(next.Add(1)) - 1 }

// adder gives what adds rows to a sum, but those that nodes need not agree on.
func (s *theirs) adder(to *app.RowSum) func(key, value []byte) {
	var buf []byte
	return func(key, value []byte) {
		if app.Unswept(key, s.at) {
			return
		}
		var p app.Print
		buf, p = s.prints.Of(buf, key, value)
		to.Add(p)
	}
}

// compareState finds the first row that differs, and whether the source has noted the app hash that these rows make. Tables are compared by sums, side by side: nothing is looked up. Of a table whose sums differ, or cannot be made to agree, the
// rows are compared one by one.
func (r *replay) compareState(height int64) (*Difference, error) {
	s := r.theirs
	if s.state == nil {
		return nil, nil
	}
	for range runtime.GOMAXPROCS(0) - 1 { // one has begun
		s.all.Go(s.work)
	}
	if err := s.all.Wait(); err != nil {
		return nil, err
	}
	var (
		diffs = make([]*Difference, len(s.tables))
		next  atomic.Int64
		all   errgroup.Group
	)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() (err error) {
			defer caught(&err)
			theirs, done, err := s.state.Open()
			if err != nil {
				return err
			}
			defer done()
			for i := s.take(&next); i < len(s.tables); i = s.take(&next) {
				t, mine := s.tables[i], app.RowSum{}
				r.rows.written(t.Prefix, s.adder(&mine))
				if mine == s.sums[i] {
					atomic.AddInt64(&r.report.StateRows, int64(mine.Rows))
				} else {
					diffs[i] = r.compareTable(height, t, theirs)
				}
				r.rows.drop(t.Prefix)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	for _, d := range diffs {
		if d != nil {
			return d, nil
		}
	}
	if !bytes.Equal(s.state.AppHash, r.appHash) {
		return differ(height, "state_app_hash", fmt.Sprintf("%X", s.state.AppHash), fmt.Sprintf("%X", r.appHash)), nil
	}
	return nil, nil
}

// caught makes an error of a state that cannot be read, the source's or this replay's own.
func caught(err *error) {
	switch p := recover().(type) {
	case nil:
	case x.Fault:
		*err = p.Err
	default:
		panic(p)
	}
}

// compareRun is how many rows are compared at a time, compareBytes how many bytes of them at least.
const (
	compareRun   = 64
	compareBytes = 64 << 10
)

func (r *replay) compareTable(height int64, t *x.TableInfo, theirs x.Reader) (diff *Difference) {
	report := func(key []byte, have, want string) {
		diff = differ(height, "state", have, want)
		diff.Key, diff.Table = fmt.Sprintf("%x", key), t.Layout
	}
	var at []byte // of diff
	same, seen := 0, int64(0)
	defer func() { atomic.AddInt64(&r.report.StateRows, seen) }()
	var (
		some []found
		room []byte // what they consist of
	)
	compare := func() (agree bool) {
		r.rows.warm(t.Prefix, some)
		for _, row := range some {
			seen++
			mine, ok := r.rows.Peek(row.key)
			switch {
			case !ok:
				report(row.key, "a row", "none")
			case !bytes.Equal(row.value, mine):
				report(row.key, fmt.Sprintf("%x", row.value), fmt.Sprintf("%x", mine))
			default:
				same++
				continue
			}
			at = row.key
			return false
		}
		some, room = some[:0], room[:0]
		return true
	}
	theirs.Iterate([]byte{t.Prefix}, nil, func(key, value []byte) bool {
		if app.Unswept(key, r.theirs.at) {
			return true
		}
		n := len(room)
		room = append(append(room, key...), value...)
		some = append(some, found{room[n : n+len(key)], room[n+len(key):]})
		return len(some) < compareRun && len(room) < compareBytes || compare()
	})
	if diff == nil {
		compare()
	}
	if diff == nil && same == r.rows.len(t.Prefix) {
		return nil
	}
	// The source lacks a row, perhaps one before the row that differs.
	var lacks []byte
	r.rows.each(t.Prefix, func(key []byte) bool {
		if !app.Unswept(key, r.theirs.at) && (at == nil || bytes.Compare(key, at) < 0) && (lacks == nil || bytes.Compare(key, lacks) < 0) {
			if _, ok := theirs.Get(key); !ok {
				lacks = bytes.Clone(key)
			}
		}
		return true
	})
	if lacks != nil {
		report(lacks, "none", "a row")
	}
	return diff
}
