package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Version is the version of the rules: version.app of every header, and what `/v1/status` calls the rule version.
const Version uint64 = 1

// Options of New.
type Options struct {
	Dir      string // state folder
	InMemory bool   // no folder: tests and replays
	ReadOnly bool   // a folder that was closed properly, for reading alone
	RowsOnly bool   // with ReadOnly: without its tree, so that nothing can be proved and the rows are not checked
	ChainID  string // a folder of another chain is refused; empty: not checked
	Retain   uint64 // heights of history kept; 0 = all
	Window   int    // heights that can be proven from memory at most; 0 = default of app/state
	// WindowBytes bounds what the older of these heights take; 0 = default of app/state.
	WindowBytes int64
	// StandingsBytes is memory for standings, which are then proven without the disk; at least 32 MB where there is any; 0 = none.
	StandingsBytes int
	Workers        int // signature checks at a time; 0 = one a processor
	PoolTxs        int // transactions in the mempool that members share; 0 = no bound

	SnapshotDir   string // snapshots are offered from here; empty: none
	SnapshotEvery uint64 // a snapshot is made at every multiple of this height; 0 = none

	// BlockTime gives the time of a block from a source that is trusted, for the snapshot that this node takes from its peers; nil: what they say is not checked.
	BlockTime func(ctx context.Context, height int64) (time.Time, error)

	// Overlap lets a block be written while the next one is executed. Commit then returns before the block is on disk.
	Overlap bool
	// WriteLate, for tests, has a block written only when somebody waits for that: as late as Overlap may make it.
	WriteLate bool
	// OnDurable is called for each block when it is on disk, in their order, with how many messages took effect in it.
	OnDurable func(height int64, messages int)

	// OnRead, for tests, is told of every row that readers of committed heights ask for, and whether it is there: what the work of an answer depends on.
	OnRead func(key []byte, found bool)

	Logger *slog.Logger
	// OnFault is called once when this machine cannot go on. The process must end.
	OnFault func(error)
}

// App is the application. See the package comment for who owns what.
type App struct {
	store *state.Store
	log   *slog.Logger
	opts  Options
	sigs  *signatures
	pool  *pending
	done  recent

	standings *standings

	committed atomic.Pointer[committed]
	rest      atomic.Pointer[rest] // of the height that was proven last
	proposal  proposal             // of the block that is being agreed on; owned by the consensus connection
	next      *block               // staged by FinalizeBlock, written by Commit; owned by the consensus connection
	before    int64                // time of the newest block that this process has committed, 0: none; owned by the consensus connection
	writing   *writing             // the block on its way to the disk, if there may be one; owned by the consensus connection

	genesis *genesisBlock // set by InitChain until block 1 is committed; owned by the consensus connection

	waits waiters
	left  [len(pb.PackSets)]atomic.Int64 // the newest height at which somebody left a set of the packs; see PackLeft

	making  *making
	offers  offers
	restore *restoring // owned by the snapshot connection

	faultOnce sync.Once
	fault     atomic.Pointer[error]
}

var _ abci.Application = (*App)(nil)

// committed is what the newest block on disk left: immutable.
type committed struct {
	height  int64
	info    *pb.BlockInfo
	chain   *x.Chain
	appHash []byte
	shared  *sharedRows

	limits atomic.Pointer[limits] // what the gate asks for, read once
}

// limitsFor gives the gate's parameters at this height. r reads it.
func (c *committed) limitsFor(r x.Reader) limits {
	if l := c.limits.Load(); l != nil {
		return *l
	}
	l := limitsOf(r)
	c.limits.Store(&l)
	return l
}

// New opens the state folder and the application over it.
func New(o Options) (*App, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	store, err := state.Open(state.Options{
		Dir: o.Dir, InMemory: o.InMemory, ReadOnly: o.ReadOnly, RowsOnly: o.RowsOnly, ChainID: o.ChainID, Retain: o.Retain, Window: o.Window, WindowBytes: o.WindowBytes,
		Bind: Bind, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	a := &App{store: store, log: o.Logger, opts: o, sigs: newSignatures(o.Workers), pool: newPending(o.PoolTxs), making: newMaking(), standings: newStandings(o.StandingsBytes)}
	c := &committed{shared: new(sharedRows)}
	if m := store.Latest(); m.Height > 0 {
		c.height, c.appHash = int64(m.Height), append([]byte(nil), m.AppHash[:]...)
		c.info = new(pb.BlockInfo)
		if err := pb.Decode(m.Meta, c.info); err != nil {
			store.Close()
			return nil, fmt.Errorf("the marker of the state folder is damaged: %w; run fsck", err)
		}
		if c.chain, err = a.loadChain(m.Height); err != nil {
			store.Close()
			return nil, err
		}
	}
	a.committed.Store(c)
	if c.height > 0 {
		if err := a.done.begin(a); err != nil {
			store.Close()
			return nil, err
		}
		for i := range a.left {
			a.left[i].Store(c.height)
		}
	}
	return a, nil
}

func (a *App) loadChain(height uint64) (_ *x.Chain, err error) {
	defer caught(&err)
	v, err := a.store.View(height)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{view: v, onRead: a.opts.OnRead}
	defer s.Close()
	info, ok := chainInfo.Get(s)
	if !ok {
		return nil, fmt.Errorf("the state folder holds blocks and no chain; run fsck")
	}
	return chainOf(info), nil
}

func chainOf(c *pb.ChainInfo) *x.Chain {
	return &x.Chain{ID: c.ChainId, GenesisTime: c.GenesisTime, LegalOrigin: c.LegalOrigin, ClockRate: c.ClockRate, Secret: c.Secret}
}

// Close closes the state folder. The caller has stopped everything that uses the application.
func (a *App) Close() error {
	err := a.Settle() // was reported where it happened
	a.making.stop()
	a.standings.close()
	return errors.Join(err, a.store.Close())
}

// Status is what the newest committed block left.
type Status struct {
	ChainID        string
	Height         int64
	BlockTime      time.Time
	LegalTime      time.Time
	AppHash        []byte // result of executing Height
	CatalogVersion uint64
	AppVersion     uint64
}

// Status of the application. Before the first block everything but the versions is zero.
func (a *App) Status() Status {
	c := a.committed.Load()
	s := Status{Height: c.height, AppHash: c.appHash, AppVersion: Version}
	if c.chain != nil {
		s.ChainID = c.chain.ID
	}
	if c.info != nil {
		s.BlockTime = time.Unix(c.info.TimeSeconds, int64(c.info.TimeNanos)).UTC()
		s.LegalTime = time.Unix(c.info.LegalTime, 0).UTC()
		s.CatalogVersion = c.info.CatalogVersion
	}
	return s
}

// Chain is what of genesis the rules need; nil before the first block.
func (a *App) Chain() *x.Chain { return a.committed.Load().chain }

// Fault is why this machine cannot go on, or nil.
func (a *App) Fault() error {
	if p := a.fault.Load(); p != nil {
		return *p
	}
	return nil
}

// atOrAfter opens the state that somebody has seen as the newest. A node that keeps little history may have passed it before it is opened, while this
// goroutine waited for a processor: then the newest is another one.
func (a *App) atOrAfter(c *committed) (*committed, *Snapshot, error) {
	for {
		s, err := a.At(c.height)
		now := a.committed.Load()
		if pruned := (state.ErrPruned{}); now == c || !errors.As(err, &pruned) {
			return c, s, err
		}
		c = now
	}
}

// At opens the committed state at a height; 0 is the newest.
func (a *App) At(height int64) (*Snapshot, error) {
	newest := a.committed.Load()
	switch {
	case height <= 0 && newest.height == 0 || height < 0:
		return nil, fmt.Errorf("no block is committed yet")
	case height == 0:
		_, s, err := a.atOrAfter(newest)
		return s, err
	}
	v, err := a.store.View(uint64(height))
	if err != nil {
		return nil, err
	}
	s := &Snapshot{view: v, onRead: a.opts.OnRead}
	if height == newest.height {
		s.shared = newest.shared
	}
	return s, nil
}

// BlockInfo of a committed height.
func BlockInfo(r x.Reader, height int64) (*pb.BlockInfo, bool) {
	return blockInfos.Get(r, be64(uint64(height)))
}

// halt is the one place where a Fault ends. A rule that panics otherwise has a bug: that ends the node as well, and is not dressed up.
func (a *App) halt(where string, err *error) {
	if p := recover(); p != nil {
		*err = a.report(where, faultOf(p))
	}
}

// faultOf makes an error of a panic.
func faultOf(p any) error {
	switch p := p.(type) {
	case x.Fault:
		return p
	case error:
		return fmt.Errorf("bug: %w", p)
	default:
		return fmt.Errorf("bug: %v", p)
	}
}

func (a *App) report(where string, cause error) error {
	err := fmt.Errorf("%s: %w", where, cause)
	a.fault.CompareAndSwap(nil, &err)
	a.faultOnce.Do(func() {
		a.log.Error("this node cannot go on", "where", where, "err", cause, "do", "look at the disk, then run fsck and start again")
		if a.opts.OnFault != nil {
			a.opts.OnFault(err)
		}
	})
	return err
}

// caught turns a Fault of a read for an answer into an error: the answer fails, the node goes on.
func caught(err *error) {
	switch p := recover().(type) {
	case nil:
	case x.Fault:
		*err = p
	default:
		panic(p)
	}
}

// Read runs fn over the newest committed state. A disk that fails becomes its error.
func (a *App) Read(fn func(r x.Reader) error) error { return a.ReadAt(0, fn) }

// ReadAt runs fn over the committed state at a height; 0 is the newest.
func (a *App) ReadAt(height int64, fn func(r x.Reader) error) (err error) {
	defer caught(&err)
	s, err := a.At(height)
	if err != nil {
		return err
	}
	defer s.Close()
	return fn(s)
}

// Info implements abci.Application.
func (a *App) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	c := a.committed.Load()
	return &abci.ResponseInfo{
		Data: "xinlian", AppVersion: Version, LastBlockHeight: c.height, LastBlockAppHash: c.appHash,
	}, nil
}

// appHash binds the whole state of a height. secret is the chain's.
func appHash(r x.Reader, secret []byte, root tree.Hash, f tree.Frontier) tree.Hash {
	return tree.AppHash(appEntries(catalogValue(r), packRootsOf(r).value(secret, root), root, f))
}

func appEntries(catalog, pack []byte, root tree.Hash, f tree.Frontier) []tree.Entry {
	return []tree.Entry{
		{Name: "catalog", Value: catalog},
		{Name: "log", Value: logValue(f)},
		{Name: "pack", Value: pack},
		{Name: "state", Value: root[:]},
	}
}
