package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	sm "github.com/cometbft/cometbft/state"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Source is where a replay reads a chain from.
type Source interface {
	// Genesis of the chain.
	Genesis(context.Context) (*cmttypes.GenesisDoc, error)
	// Range of the heights that it holds.
	Range(context.Context) (first, last int64, err error)
	// Block of a height.
	Block(ctx context.Context, height int64) (*cmttypes.Block, error)
	// Commit that decided a height; asked for the newest height alone, every other commit stands in the block after it.
	Commit(ctx context.Context, height int64) (*cmttypes.Commit, error)
	// Results of a height as the source executed it, where it kept them; nil otherwise.
	Results(ctx context.Context, height int64) ([]*abci.ExecTxResult, error)
	// State that the source holds, and its height; nil where it shows none.
	State(context.Context) (r x.Reader, height int64, err error)
	Close() error
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
	Dir      string // folder for the replay's own state; empty = in memory
	Progress func(done, of int64)
}

// Replay replays a chain from its genesis. The error says that the source could not be read; what does not agree is in the report.
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
	a, err := app.New(app.Options{Dir: o.Dir, InMemory: o.Dir == "", ChainID: doc.ChainID})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	hash, err := genesisHash(doc)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	r := &replay{app: a, src: src, doc: doc, report: &Report{
		ChainID: doc.ChainID, GenesisHash: hash, From: doc.InitialHeight, To: last,
	}}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	for h := doc.InitialHeight; h <= last; h++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		diff, err := r.step(ctx, h)
		if err != nil {
			return nil, fmt.Errorf("height %d: %w", h, err)
		}
		if diff != nil {
			r.report.Difference, r.report.To = diff, h
			break
		}
		if o.Progress != nil {
			o.Progress(h-doc.InitialHeight+1, last-doc.InitialHeight+1)
		}
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
	app    *app.App
	src    Source
	doc    *cmttypes.GenesisDoc
	report *Report

	lastVals, vals, nextVals *cmttypes.ValidatorSet
	params                   cmttypes.ConsensusParams
	appHash, resultsHash     []byte
	lastID                   cmttypes.BlockID
	lastTime                 time.Time
}

// begin executes genesis.
func (r *replay) begin(ctx context.Context) error {
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
	resp, err := r.app.InitChain(ctx, &abci.RequestInitChain{
		Time: r.doc.GenesisTime, ChainId: r.doc.ChainID, ConsensusParams: &params, Validators: updates,
		AppStateBytes: r.doc.AppState, InitialHeight: r.doc.InitialHeight,
	})
	if err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	r.appHash, r.resultsHash = resp.AppHash, cmttypes.NewResults(nil).Hash()
	return nil
}

// step checks a block against what came before it, executes it and keeps what the next block must say.
func (r *replay) step(ctx context.Context, height int64) (*Difference, error) {
	b, err := r.src.Block(ctx, height)
	if err != nil {
		return nil, err
	}
	if d := r.checkHeader(b); d != nil {
		return d, nil
	}
	if d := r.checkCommit(b); d != nil {
		return d, nil
	}
	parts, err := b.MakePartSet(cmttypes.BlockPartSizeBytes)
	if err != nil {
		return nil, err
	}
	resp, err := r.app.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{
		Txs: b.Txs.ToSliceOfBytes(), Hash: b.Hash(), Height: height, Time: b.Time, NextValidatorsHash: b.NextValidatorsHash, ProposerAddress: b.ProposerAddress,
	})
	if err != nil {
		return nil, err
	}
	if d, err := r.compareResults(ctx, b, resp.TxResults); d != nil || err != nil {
		return d, err
	}
	if _, err := r.app.Commit(ctx, &abci.RequestCommit{}); err != nil {
		return nil, err
	}
	r.lastID = cmttypes.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
	r.lastTime, r.appHash, r.resultsHash = b.Time, resp.AppHash, cmttypes.NewResults(resp.TxResults).Hash()
	if err := r.rotate(resp.ValidatorUpdates); err != nil {
		return nil, err
	}
	r.report.Blocks++
	r.report.Transactions += int64(len(b.Txs))
	for _, res := range resp.TxResults {
		var t pb.TxResult
		if pb.Decode(res.Data, &t) == nil {
			r.report.Messages += int64(len(t.Results))
		}
	}
	return nil, nil
}

func differ(height int64, where string, have, want any) *Difference {
	return &Difference{Height: height, Where: where, Tx: -1, Have: fmt.Sprint(have), Want: fmt.Sprint(want)}
}

// checkHeader holds every field of a header that follows from what came before.
func (r *replay) checkHeader(b *cmttypes.Block) *Difference {
	h := b.Height
	if err := b.ValidateBasic(); err != nil {
		return differ(h, "block", err, "a block that is whole")
	}
	hex := func(b []byte) string { return fmt.Sprintf("%X", b) }
	for _, f := range []struct {
		where      string
		have, want string
	}{
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
func (r *replay) compareResults(ctx context.Context, b *cmttypes.Block, mine []*abci.ExecTxResult) (*Difference, error) {
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
	theirs, height, err := r.src.State(ctx)
	if err != nil || theirs == nil || height != last {
		return nil, err
	}
	var diff *Difference
	err = r.app.Read(func(mine x.Reader) error {
		diff = r.compareState(last, theirs, mine)
		return nil
	})
	return diff, err
}

// compareState finds the first row that differs, table by table.
func (r *replay) compareState(height int64, theirs, mine x.Reader) *Difference {
	for _, t := range x.Tables() {
		var rows []row
		mine.Iterate([]byte{t.Prefix}, nil, func(key, value []byte) bool {
			rows = append(rows, row{bytes.Clone(key), bytes.Clone(value)})
			return true
		})
		i := 0
		var diff *Difference
		report := func(key []byte, have, want string) {
			diff = differ(height, "state", have, want)
			diff.Key, diff.Table = fmt.Sprintf("%x", key), t.Layout
		}
		theirs.Iterate([]byte{t.Prefix}, nil, func(key, value []byte) bool {
			r.report.StateRows++
			switch {
			case i == len(rows) || bytes.Compare(key, rows[i].key) < 0:
				report(key, "a row", "none")
			case !bytes.Equal(key, rows[i].key):
				report(rows[i].key, "none", "a row")
			case !bytes.Equal(value, rows[i].value):
				report(key, fmt.Sprintf("%x", value), fmt.Sprintf("%x", rows[i].value))
			default:
				i++
				return true
			}
			return false
		})
		if diff == nil && i < len(rows) {
			report(rows[i].key, "none", "a row")
		}
		if diff != nil {
			return diff
		}
	}
	return nil
}

type row struct{ key, value []byte }
