package bench

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	abcicli "github.com/cometbft/cometbft/abci/client"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/node"
)

// FillOptions of Fill. Zero values are the defaults.
type FillOptions struct {
	Dir      string // empty folder for the network, left behind
	Records  int    // penalties; 0: 1,000,000
	Subjects int    // synthetic firms; 0: one for four records
	PerTx    int    // records a transaction; 200
	PerBlock int    // records a block; 5,000
	Retain   uint64 // heights of history that the home keeps; 0: all
	Keep     int64  // blocks that its block store keeps, as where older ones are pruned; 0: all
	Follows  int    // full nodes whose homes are made beside it and stay empty
	Kills    int    // afterwards: start it, SIGKILL, start again, so many times
	Program  string // the xinlian binary; empty: this process's own

	Progress func(format string, args ...any) // nil: nobody is told
}

// FillReport says what was made, and how quickly it comes back.
type FillReport struct {
	Dir      string `json:"dir"`
	Records  int    `json:"records"`
	Subjects int    `json:"subjects"`
	Height   int64  `json:"height"`

	Seconds       float64 `json:"seconds"`     // for the records, without the firms
	CPUSeconds    float64 `json:"cpu_seconds"` // with the making of transactions and blocks
	RecordsPerSec float64 `json:"records_per_second"`
	StateBytes    int64   `json:"state_folder_bytes"`
	BlockBytes    int64   `json:"block_store_bytes"`

	Starts []StartReport `json:"starts,omitempty"`
}

// StartReport is one start of the node's process.
type StartReport struct {
	After    string  `json:"after"`    // a clean stop, or SIGKILL
	Answer   float64 `json:"answer_s"` // until it answers at all
	Ready    float64 `json:"ready_s"`  // until /readyz says yes
	Block    float64 `json:"block_s"`  // until it has a block that it did not have
	CPU      float64 `json:"cpu_s"`    // of the process, until then
	Resident int64   `json:"resident_bytes"`
	Own      int64   `json:"resident_own_bytes"` // of these, not shared with files
}

func (o *FillOptions) complete() error {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.Records, 1_000_000)
	def(&o.Subjects, max(o.Records/4, 1000))
	def(&o.PerTx, 200)
	def(&o.PerBlock, 5000)
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	switch {
	case o.Dir == "":
		return fmt.Errorf("%w: --dir is missing", ErrUsage)
	case o.Records < 1 || o.Records > 100_000_000:
		return fmt.Errorf("%w: --records %d: between 1 and 100,000,000", ErrUsage, o.Records)
	case o.Subjects < 1 || o.Subjects > SubjectsMax:
		return fmt.Errorf("%w: --subjects %d: between 1 and %d", ErrUsage, o.Subjects, SubjectsMax)
	case o.PerTx < 1 || o.PerBlock < o.PerTx || o.PerBlock > 10_000:
		return fmt.Errorf("%w: --per-tx %d and --per-block %d: at least one record a transaction, and at most 10,000 a block", ErrUsage, o.PerTx, o.PerBlock)
	case o.Keep < 0 || o.Follows < 0 || o.Follows > runner.FullNodesMax:
		return fmt.Errorf("%w: --keep-blocks %d and --full-nodes %d: neither is negative, and at most %d full nodes", ErrUsage, o.Keep, o.Follows, runner.FullNodesMax)
	case o.Kills < 0 || o.Kills > 100:
		return fmt.Errorf("%w: --kills %d: at most 100", ErrUsage, o.Kills)
	}
	return nil
}

// Fill makes the home of a network of one validator with a whole chain: real transactions, through the real application, in blocks that carry the
// validator's signature. What is left out is the pool and the rounds of votes, which is what a chain of one node spends most of its time with. Any
// node program starts from the home as from its own.
func Fill(ctx context.Context, o FillOptions) (*FillReport, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	// The network's own first blocks: keys, homes, genesis, and a program that has shown that it starts from them.
	net, fresh, err := runner.Up(ctx, runner.Options{Dir: o.Dir, ChainID: "test-bench", Validators: 1, FullNodes: o.Follows, Program: o.Program, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	if _, err := runner.Down(o.Dir); err != nil {
		return nil, err
	}
	if !fresh {
		return nil, fmt.Errorf("%w: %s holds a network already; name an empty folder", ErrUsage, o.Dir)
	}
	home := net.Nodes[0].Home
	r := &FillReport{Dir: o.Dir, Records: o.Records, Subjects: o.Subjects}
	if err := fill(ctx, o, net, r); err != nil {
		return nil, err
	}
	r.StateBytes = sizeOf(filepath.Join(home, node.StateDir))
	r.BlockBytes = sizeOf(filepath.Join(home, "data", "blockstore.db")) + sizeOf(filepath.Join(home, "data", "state.db"))
	if o.Kills == 0 {
		return r, nil
	}
	defer runner.Down(o.Dir)
	after := "a clean stop"
	for range o.Kills + 1 {
		o.Progress("starting after %s", after)
		s, err := timeStart(ctx, net, o.Program)
		if err != nil {
			return r, err
		}
		s.After = after
		r.Starts = append(r.Starts, s)
		if err := runner.Kill(o.Dir, net.Nodes[0].Name); err != nil {
			return r, err
		}
		after = "SIGKILL"
	}
	return r, nil
}

// timeStart starts the node and waits for a new block.
func timeStart(ctx context.Context, net *runner.Network, program string) (s StartReport, err error) {
	name := net.Nodes[0].Name
	start := time.Now()
	since := func() float64 { return time.Since(start).Seconds() }
	if err := runner.Restart(ctx, net.Dir(), name, program); err != nil {
		return s, err
	}
	s.Answer = since()
	now, err := runner.Load(net.Dir())
	if err != nil {
		return s, err
	}
	if err := now.WaitReady(ctx, 10*time.Minute, name); err != nil {
		return s, err
	}
	s.Ready = since()
	height := func() int64 {
		st, err := runner.Inspect(ctx, net.Dir())
		if err != nil {
			return 0
		}
		return st.Nodes[0].Height
	}
	for at := height(); height() <= at; {
		if time.Since(start) > 10*time.Minute {
			return s, fmt.Errorf("%s makes no block", name)
		}
		if err := sleep(ctx, drainEvery); err != nil {
			return s, err
		}
	}
	s.Block = since()
	u := usage(now, false)
	s.CPU = u.cpu
	s.Resident, s.Own = residentOf(now.Nodes[0].PID)
	return s, nil
}

// batch is the transactions of a block.
type batch struct {
	txs     []cmttypes.Tx
	records int
}

func fill(ctx context.Context, o FillOptions, net *runner.Network, r *FillReport) error {
	c, err := openChain(net.Nodes[0].Home, o.Retain)
	if err != nil {
		return err
	}
	defer c.close()
	src, err := newSource(net, 1)
	if err != nil {
		return err
	}
	o.Progress("enrolling %d firms", o.Subjects)
	if err := c.blocks(ctx, func(n int) (batch, error) {
		return src.batch(n*o.PerBlock, min((n+1)*o.PerBlock, o.Subjects), func(from, to int) ([][]byte, error) { return src.enrolments(from, to, enrolPerTx) })
	}, o.Progress); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	o.Progress("recording %d penalties", o.Records)
	began, cpu0 := time.Now(), ownCPU()
	if err := c.blocks(ctx, func(n int) (batch, error) {
		return src.batch(n*o.PerBlock, min((n+1)*o.PerBlock, o.Records), func(from, to int) ([][]byte, error) { return src.spread(from, to, o.PerTx, o.Subjects) })
	}, o.Progress); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	r.Seconds, r.CPUSeconds = time.Since(began).Seconds(), ownCPU()-cpu0
	r.RecordsPerSec = float64(o.Records) / r.Seconds
	r.Height = c.state.LastBlockHeight
	if err := c.prune(o.Keep); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return c.close()
}

// prune removes all but the newest blocks, as the engine does at the height that a node names. The node names none that evidence may still speak
// of, and this chain is minutes old: its home is made to look as two days later.
func (c *chain) prune(keep int64) error {
	base, retain := c.store.Base(), c.state.LastBlockHeight-keep+1
	if keep == 0 || retain <= base {
		return nil
	}
	later := c.state.Copy()
	later.LastBlockTime = later.LastBlockTime.Add(2 * later.ConsensusParams.Evidence.MaxAgeDuration)
	later.ConsensusParams.Evidence.MaxAgeNumBlocks = keep
	_, evidence, err := c.store.PruneBlocks(retain, later)
	if err != nil {
		return err
	}
	return c.states.PruneStates(base, retain, evidence)
}

// batch makes the transactions of records from..to; none when there are no more.
func (s *source) batch(from, to int, make1 func(from, to int) ([][]byte, error)) (b batch, err error) {
	if from >= to {
		return b, nil
	}
	txs, err := make1(from, to)
	for _, tx := range txs {
		b.txs = append(b.txs, tx)
	}
	b.records = to - from
	return b, err
}

// chain is a home whose blocks are made here, without consensus.
type chain struct {
	app    *app.App
	conns  proxy.AppConns
	exec   *sm.BlockExecutor
	states sm.Store
	store  *store.BlockStore
	state  sm.State
	key    crypto.PrivKey
	closed bool
}

func openChain(home string, retain uint64) (_ *chain, err error) {
	cfg, err := node.LoadConfig(home)
	if err != nil {
		return nil, err
	}
	doc, _, err := node.LoadGenesis(cfg.Engine.GenesisFile())
	if err != nil {
		return nil, err
	}
	c := new(chain)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.app, err = app.New(app.Options{Dir: filepath.Join(home, node.StateDir), ChainID: doc.ChainID, Retain: retain, Overlap: true, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	blockDB, err := node.OpenEngineStore(&cmtcfg.DBContext{ID: "blockstore", Config: cfg.Engine})
	if err != nil {
		return nil, err
	}
	c.store = store.NewBlockStore(blockDB)
	stateDB, err := node.OpenEngineStore(&cmtcfg.DBContext{ID: "state", Config: cfg.Engine})
	if err != nil {
		return nil, err
	}
	c.states = sm.NewStore(stateDB, sm.StoreOptions{})
	if c.state, err = c.states.Load(); err != nil {
		return nil, err
	}
	if h := c.app.Status().Height; h != c.state.LastBlockHeight || h != c.store.Height() {
		return nil, fmt.Errorf("the home was not stopped properly: its stores are at %d, %d and %d", h, c.state.LastBlockHeight, c.store.Height())
	}
	c.key = privval.LoadFilePV(cfg.Engine.PrivValidatorKeyFile(), cfg.Engine.PrivValidatorStateFile()).Key.PrivKey
	c.conns = proxy.NewAppConns(local{c.app}, proxy.NopMetrics())
	if err := c.conns.Start(); err != nil {
		return nil, err
	}
	c.exec = sm.NewBlockExecutor(c.states, cmtlog.NewNopLogger(), c.conns.Consensus(), &mempool.NopMempool{}, sm.EmptyEvidencePool{}, c.store)
	return c, nil
}

// local calls the application in this process.
type local struct{ app *app.App }

func (l local) NewABCIClient() (abcicli.Client, error) {
	return abcicli.NewLocalClient(nil, l.app), nil
}

// blocks makes blocks of what next gives, until that is empty. The transactions of a block are made while the one before is executed.
func (c *chain) blocks(ctx context.Context, next func(n int) (batch, error), progress func(string, ...any)) error {
	type made struct {
		batch
		err error
	}
	ahead := make(chan made, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(ahead)
		for n := 0; ; n++ {
			b, err := next(n)
			select {
			case ahead <- made{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || len(b.txs) == 0 {
				return
			}
		}
	}()
	told, done := time.Now(), 0
	for b := range ahead {
		if b.err != nil {
			return b.err
		}
		if len(b.txs) == 0 {
			return nil
		}
		if err := c.block(b.txs); err != nil {
			return err
		}
		if done += b.records; time.Since(told) > 10*time.Second {
			told = time.Now()
			progress("height %d, %d of them", c.state.LastBlockHeight, done)
		}
	}
	return ctx.Err()
}

// block makes, signs, stores and executes one block, in the order in which a node does.
func (c *chain) block(txs []cmttypes.Tx) error {
	height := c.state.LastBlockHeight + 1
	address := c.key.PubKey().Address()
	b, err := c.state.MakeBlock(height, txs, c.store.LoadSeenCommit(height-1), nil, address)
	if err != nil {
		return err
	}
	parts, err := b.MakePartSet(cmttypes.BlockPartSizeBytes)
	if err != nil {
		return err
	}
	id := cmttypes.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
	index, _ := c.state.Validators.GetByAddress(address)
	now := time.Now().UTC()
	if !now.After(b.Time) {
		now = b.Time.Add(time.Millisecond)
	}
	vote := &cmttypes.Vote{
		Type: cmtproto.PrecommitType, Height: height, BlockID: id, Timestamp: now, ValidatorAddress: address, ValidatorIndex: index,
	}
	if vote.Signature, err = c.key.Sign(cmttypes.VoteSignBytes(c.state.ChainID, vote.ToProto())); err != nil {
		return err
	}
	c.store.SaveBlock(b, parts, &cmttypes.Commit{Height: height, BlockID: id, Signatures: []cmttypes.CommitSig{vote.CommitSig()}})
	if c.state, err = c.exec.ApplyBlock(c.state, id, b); err != nil {
		return err
	}
	results, err := c.states.LoadFinalizeBlockResponse(height)
	if err != nil {
		return err
	}
	for i, res := range results.TxResults {
		if !res.IsOK() {
			return fmt.Errorf("block %d, transaction %d: %s", height, i, res.Log)
		}
	}
	return nil
}

func (c *chain) close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	var err error
	if c.conns != nil {
		err = c.conns.Stop()
	}
	if c.store != nil {
		err = c.store.Close()
	}
	if c.states != nil {
		if e := c.states.Close(); err == nil {
			err = e
		}
	}
	if c.app != nil {
		if e := c.app.Close(); err == nil {
			err = e
		}
	}
	return err
}
