package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/blocksync"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/mempool"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/x"
)

// watchEvery is how often the watchdog looks. It only bounds how late a stopped process is noticed.
const watchEvery = time.Second

// Options of New that are not settings.
type Options struct {
	Logger *slog.Logger

	// Handler makes the gateway's handler once the node can be asked; nil serves health and metrics only. It is a function so
	// that node knows nothing of the gateway. It may be a TurnAway.
	Handler func(*Node) http.Handler

	// EngineMetrics registers CometBFT's metrics in the process-wide registry, where a second node of the same process would
	// collide with the first. The program sets it; tests with several nodes do not.
	EngineMetrics bool

	// StateProvider is whom an empty home believes about the chain while it takes a snapshot from its peers; nil: it begins with the first block.
	StateProvider statesync.StateProvider

	// Beside is work that goes on beside the node, from the end of Start until its context ends. It reads what the node keeps, so Stop waits for it before it closes
	// anything. May be nil.
	Beside func(ctx context.Context, n *Node)
}

// Node is one running member node.
type Node struct {
	config Config
	opts   Options
	log    *slog.Logger

	app     *app.App
	engine  *cmtnode.Node
	state   *consensus.State
	blocks  *Blocks
	metrics *Metrics

	servers   []*http.Server
	listeners []net.Listener
	lane      *lane // through listeners[0], that of the API; nil before it serves

	started    time.Time
	startedAt  int64        // height at start
	height     atomic.Int64 // newest committed
	room       room
	work       work
	born       time.Time    // when this Node was made
	lastRise   atomic.Int64 // nanoseconds from then to the rise to it; 0 = none. A clock that is set meanwhile changes neither
	fault      atomic.Pointer[error]
	failReason atomic.Pointer[string]
	csEnded    atomic.Bool
	stopping   atomic.Bool

	stopOnce sync.Once
	stopErr  error
	quit     chan struct{} // closed by Stop: ends the watchdog
	wake     chan struct{} // something happened that the watchdog should look at now
	done     chan struct{} // closed when the process must end
	doneErr  error         // set before done is closed
	compact  chan struct{} // closed when the hour has come and the state is worth a compaction
	watched  sync.WaitGroup
	beside   sync.WaitGroup // Options.Beside
}

// New opens the stores of a home folder and replays what a crash left half done. It starts nothing.
func New(c Config, o Options) (_ *Node, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	doc, _, err := LoadGenesis(c.Engine.GenesisFile())
	if err != nil {
		return nil, err
	}
	n := &Node{
		config: c, opts: o, log: o.Logger, born: time.Now(),
		quit: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}), compact: make(chan struct{}),
	}
	if err := n.checkDisk(); err != nil {
		return nil, err
	}
	if err := n.compactStale(doc.ChainID, compactLeast); err != nil {
		return nil, fmt.Errorf("compact the state: %w", err)
	}
	n.room.txs, n.room.bytes = int64(c.Engine.Mempool.Size), c.Engine.Mempool.MaxTxsBytes
	var blockTime func(context.Context, int64) (time.Time, error)
	if o.StateProvider != nil {
		blockTime = n.blockTime
	}
	n.app, err = app.New(app.Options{
		Dir:     filepath.Join(c.Home, StateDir),
		ChainID: doc.ChainID,
		Retain:  c.Settings.State.Retain,
		Workers: c.Settings.State.Workers,
		PoolTxs: c.Engine.Mempool.Size,

		WindowBytes:    c.Settings.State.ProofWindow << 20,
		StandingsBytes: int(c.Settings.API.StandingsMB << 20),

		SnapshotDir:   filepath.Join(c.Home, SnapshotDir),
		SnapshotEvery: c.Settings.State.SnapshotEvery,
		BlockTime:     blockTime,

		Overlap: true, OnDurable: n.onDurable,
		Logger:  o.Logger.With("module", "app"),
		OnFault: n.onFault,
	})
	if err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	defer func() {
		if err != nil {
			n.app.Close()
		}
	}()
	// The home is this process's own now.
	if err := os.RemoveAll(filepath.Join(c.Home, ChunksDir)); err != nil {
		n.log.Warn("chunks of a snapshot are left of a start before", "err", err)
	}
	n.height.Store(n.app.Status().Height)
	n.startedAt = n.height.Load()
	n.metrics = newMetrics(sources{
		blockAge: func() float64 { return ageOf(n.app.Status().BlockTime) },
		backlog:  n.backlog,
		alarm:    func() bool { return n.Err() != nil },
		calendar: n.calendarDays,

		compacted: n.lastCompaction(),
	})
	n.metrics.Height.Set(float64(n.startedAt))

	if err := n.openEngine(doc.ConsensusParams.Evidence); err != nil {
		return nil, err
	}
	return n, nil
}

// blockTime asks those whom an empty home believes for the time of a block.
func (n *Node) blockTime(ctx context.Context, height int64) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // as long as the engine waits for the rest
	defer cancel()
	go n.endWithNode(ctx, cancel) // Stop waits for whoever asks
	st, err := n.opts.StateProvider.State(ctx, uint64(height))
	return st.LastBlockTime, err
}

// endWithNode ends a context when the node is asked to stop.
func (n *Node) endWithNode(ctx context.Context, cancel context.CancelFunc) {
	select {
	case <-n.quit:
		cancel()
	case <-ctx.Done():
	}
}

// engineRemedy is what helps where CometBFT's stores are damaged.
const engineRemedy = "run fsck, then restore the home from a backup, or begin a new one from the blocks of others"

// short is what CometBFT says without the whole block that it says it of.
func short(text string) string {
	text, _, _ = strings.Cut(text, " Block: Block{")
	return strings.TrimRight(text, ". \n")
}

// wrongGenesis is a file beside whole stores, which need no remedy.
type wrongGenesis struct{ error }

// openEngine makes CometBFT's node. CometBFT panics on some damage of its stores while it replays; here that becomes an error.
func (n *Node) openEngine(evidence types.EvidenceParams) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("CometBFT cannot start from this home: %v; %s", short(fmt.Sprint(p)), engineRemedy)
		}
	}()
	cfg := n.config.Engine
	if err := CheckEngineStores(cfg); err != nil {
		return err
	}
	if !fileExists(cfg.PrivValidatorKeyFile()) || !fileExists(cfg.NodeKeyFile()) {
		// Making new keys here would start a validator that nobody knows.
		return fmt.Errorf("%s or %s is missing: restore it, or make a new home with `xinlian init`", cfg.PrivValidatorKeyFile(), cfg.NodeKeyFile())
	}
	nodeKey, err := loadNodeKey(cfg)
	if err != nil {
		return err
	}
	validator, err := loadValidator(cfg)
	if err != nil {
		return err
	}

	prune := &pruner{
		keep: n.config.Settings.State.RetainBlocks, evidence: evidence,
		blocks: func() blockRange {
			if n.blocks == nil {
				return nil
			}
			return n.blocks
		},
		durable:        func() int64 { return n.app.Status().Height },
		oldestSnapshot: func() int64 { return oldestSnapshot(n.app) },
	}
	var stateDB, blockDB dbm.DB
	dbs := func(ctx *cmtcfg.DBContext) (dbm.DB, error) {
		db, err := OpenEngineStore(ctx)
		if err != nil {
			return nil, fmt.Errorf("open CometBFT's %s store (is another process using this home?): %w", ctx.ID, err)
		}
		switch ctx.ID {
		case "blockstore":
			blockDB = db
		case "state":
			stateDB = db
		}
		if ctx.ID == "state" {
			if err := CheckBegan(db, cfg); err != nil {
				return nil, wrongGenesis{err}
			}
		}
		if stateDB != nil && blockDB != nil {
			if err := beginAfterSnapshot(sm.NewStore(stateDB, sm.StoreOptions{}), store.NewBlockStore(blockDB)); err != nil {
				return nil, err
			}
		}
		return db, nil
	}
	options := []cmtnode.Option{withGossip(cfg.Mempool, &n.room)}
	if n.opts.StateProvider != nil {
		// The engine's own provider and its settings are not used.
		cfg.StateSync.Enable = true
		cfg.StateSync.DiscoveryTime = 5 * time.Second // peers are members and few; the least that the engine allows
		options = append(options, cmtnode.StateProvider(n.opts.StateProvider), withChunksAsked)
	}
	engine, err := cmtnode.NewNode(
		cfg,
		validator,
		nodeKey,
		sideBySide{work: &n.work, app: &metered{
			Application: n.app, m: n.metrics, risen: n.onHeight, retain: prune.retainHeight, again: n.again,
		}},
		cmtnode.DefaultGenesisDocProviderFunc(cfg),
		dbs,
		n.engineMetrics(),
		newEngineLog(n.log.With("by", "cometbft"), n.config.Settings.Log.Engine, n.stopping.Load, n.onConsensusFailure),
		options...,
	)
	if err != nil {
		if f := n.app.Fault(); f != nil {
			return f
		}
		if w := (wrongGenesis{}); errors.As(err, &w) {
			return w
		}
		return fmt.Errorf("CometBFT cannot start from this home: %w; %s", err, engineRemedy)
	}
	n.engine = engine
	n.blocks = &Blocks{blocks: engine.BlockStore(), state: sm.NewStore(stateDB, sm.StoreOptions{})}

	env, err := engine.ConfigureRPC()
	if err != nil {
		return err
	}
	state, ok := env.ConsensusState.(*consensus.State)
	if !ok {
		return fmt.Errorf("CometBFT's consensus state is a %T: this program does not know how to watch it", env.ConsensusState) // bug
	}
	n.state = state
	return nil
}

func (n *Node) engineMetrics() cmtnode.MetricsProvider {
	if n.opts.EngineMetrics {
		return func(chainID string) (*consensus.Metrics, *p2p.Metrics, *mempool.Metrics, *sm.Metrics, *proxy.Metrics, *blocksync.Metrics, *statesync.Metrics) {
			const label = "chain_id"
			// Of the peers only how many there are and what waits for them: bytes and messages are counted by label for every message of every
			// peer, which took a fifteenth of a validator's processor time under load (measured with four validators).
			peers, few := p2p.PrometheusMetrics(engineNamespace, label, chainID), p2p.NopMetrics()
			few.Peers, few.PeerSendQueueSize = peers.Peers, peers.PeerSendQueueSize
			return consensus.PrometheusMetrics(engineNamespace, label, chainID), few, poolMetrics(prometheus.DefaultRegisterer, chainID),
				sm.PrometheusMetrics(engineNamespace, label, chainID), callMetrics(prometheus.DefaultRegisterer, chainID),
				blocksync.PrometheusMetrics(engineNamespace, label, chainID), statesync.PrometheusMetrics(engineNamespace, label, chainID)
		}
	}
	return func(string) (*consensus.Metrics, *p2p.Metrics, *mempool.Metrics, *sm.Metrics, *proxy.Metrics, *blocksync.Metrics, *statesync.Metrics) {
		return consensus.NopMetrics(), p2p.NopMetrics(), mempool.NopMetrics(), sm.NopMetrics(), proxy.NopMetrics(), blocksync.NopMetrics(), statesync.NopMetrics()
	}
}

// Start brings the node up: the engine first, then its listeners. Addresses are taken before, so that one in use stops nothing
// that is already running.
func (n *Node) Start() error {
	operator := n.operatorRoutes()
	api := operator
	if n.opts.Handler != nil {
		api = n.opts.Handler(n)
	}
	n.checkFiles()
	set := n.config.Settings.API
	if err := n.listen(set.Listen, api, "api.listen", set.Connections, set.PeerConnections); err != nil {
		return err
	}
	if a := n.config.Settings.Metrics.Listen; a != "" {
		if err := n.listen(a, operator, "metrics.listen", operatorMost, operatorMost); err != nil {
			n.closeListeners()
			return err
		}
	}
	for _, a := range []struct{ key, addr string }{{"p2p.laddr", n.config.Engine.P2P.ListenAddress}, {"rpc.laddr", n.config.Engine.RPC.ListenAddress}} {
		if err := canListen(a.key, a.addr); err != nil {
			n.closeListeners()
			return err
		}
	}
	switch l, err := newLane(n.listeners[0].(*bounded), n.servers[0], n.log); {
	case err == nil:
		n.lane, n.listeners[0] = l, l
	case !errors.Is(err, errors.ErrUnsupported): // elsewhere than on Linux, all is net/http's
		n.closeListeners()
		return err
	}
	n.started = time.Now()
	if err := n.engine.Start(); err != nil {
		n.closeListeners()
		return fmt.Errorf("start CometBFT: %w", err)
	}
	for i, s := range n.servers {
		go s.Serve(n.listeners[i]) // ends with ErrServerClosed; a broken listener shows as unreachable health
	}
	n.watched.Add(2)
	go n.watch()
	go n.remember()
	go func() {
		n.state.Wait() // returns when the consensus routine has ended, for whatever reason
		n.csEnded.Store(true)
		n.look()
	}()
	if beside := n.opts.Beside; beside != nil {
		ctx, cancel := context.WithCancel(context.Background())
		go n.endWithNode(ctx, cancel)
		n.beside.Go(func() { beside(ctx, n) })
	}
	n.log.Info("node started", "chain", n.engine.GenesisDoc().ChainID, "height", n.startedAt,
		"api", n.APIAddr(), "p2p", n.config.Engine.P2P.ListenAddress, "id", string(n.engine.NodeInfo().ID()))
	return nil
}

// remember reads the standings that stand in the state into memory, once there is one: a node that joins has none before it has taken a snapshot. It goes at
// full speed: until it is through, those who ask wait for the disk.
func (n *Node) remember() {
	defer n.watched.Done()
	for {
		next := n.app.NextBlock()
		if n.app.Chain() != nil {
			break
		}
		select {
		case <-n.quit:
			return
		case <-next:
		}
	}
	start, subjects := time.Now(), 0
	for from, more := "", true; more; more = from != "" {
		var read int
		from, read = n.app.Remember(from)
		subjects += read
		select {
		case <-n.quit:
			return
		default:
			runtime.Gosched()
		}
	}
	debug.FreeOSMemory() // what the start and this have left behind would stay for as long as nothing else needs room
	n.log.Info("standings are in memory", "subjects", subjects, "took", time.Since(start))
}

// listen takes an address for a handler, for so many connections in all and of one peer.
func (n *Node) listen(addr string, h http.Handler, key string, most, ofPeer int) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		n.closeListeners()
		return unlistened(key, addr, ConfigFile, err)
	}
	count := counted{opened: func(by int) { n.metrics.Connections.Add(float64(by)) }, turned: n.metrics.TurnedAway.Inc}
	n.listeners = append(n.listeners, newBounded(l, most, ofPeer, n.config.Settings.API.Proxies(), count))
	n.servers = append(n.servers, &http.Server{
		Handler:           turning(h),
		ConnContext:       turnedContext,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // a submitter may wait for its block
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	})
	return nil
}

// canListen looks at an address of the engine's before the engine starts: it does not say which of its settings names one that is taken, and has begun to serve
// another by then.
func canListen(key, addr string) error {
	where, ok := strings.CutPrefix(addr, "tcp://")
	if !ok {
		return nil // none, or a socket of the file system
	}
	l, err := net.Listen("tcp", where)
	if err != nil {
		return unlistened(key, where, EngineConfig, err)
	}
	return l.Close()
}

// unlistened says what to do where an address cannot be listened on.
func unlistened(key, addr, file string, err error) error {
	return fmt.Errorf("%s %s: %w: end what listens there, or set another address in %s", key, addr, err, file)
}

func (n *Node) closeListeners() {
	for _, l := range n.listeners {
		l.Close()
	}
}

// operatorRoutes are for whoever runs the node; the gateway has its own form of them for callers of the same machine.
func (n *Node) operatorRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := n.Fault(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ok, reason := n.Ready()
		if !ok {
			http.Error(w, reason, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, reason)
	})
	mux.Handle("GET /metrics", n.MetricsHandler())
	return mux
}

// MetricsHandler serves our metrics and, where they are registered, the engine's.
func (n *Node) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(n.metrics.gatherer(n.opts.EngineMetrics), promhttp.HandlerOpts{})
}

// FreshFor is after how long without a new height this node calls itself stale: two empty-block intervals, and three seconds for
// a proposer that is down.
func (n *Node) FreshFor() time.Duration {
	return 2*n.config.Engine.Consensus.CreateEmptyBlocksInterval + 3*time.Second
}

// Stop ends the node in the reverse order: no answer is given from a store that is closed. It may be called more than once, and
// for a node that never started.
func (n *Node) Stop() error {
	n.stopOnce.Do(func() {
		n.stopping.Store(true)
		close(n.quit)
		ctx, cancel := context.WithTimeout(context.Background(), n.config.Settings.API.StopGrace)
		defer cancel()
		var errs []error
		for _, s := range n.servers {
			if err := s.Shutdown(ctx); err != nil {
				s.Close() // what is still open after the grace is cut
			}
		}
		n.closeListeners() // those that were never served
		if n.lane != nil {
			n.lane.Shutdown(ctx)
		}
		n.beside.Wait()
		if n.engine.IsRunning() {
			if err := n.engine.Stop(); err != nil {
				errs = append(errs, fmt.Errorf("stop CometBFT: %w", err))
			}
			n.engine.Wait()
		}
		n.watched.Wait()
		n.work.stop() // peers' and callers' transactions are checked in routines of their own
		if err := n.app.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the state: %w", err))
		}
		n.stopErr = errors.Join(errs...)
	})
	return n.stopErr
}

// Done is closed when the watchdog has decided that the process must end; Err then says why.
func (n *Node) Done() <-chan struct{} { return n.done }

// CompactDue is closed when the process should stop, and start again: the start compacts the state (state.compact_at).
func (n *Node) CompactDue() <-chan struct{} { return n.compact }

// Err is why the process must end; nil before Done is closed.
func (n *Node) Err() error {
	select {
	case <-n.done:
		return n.doneErr
	default:
		return nil
	}
}

func (n *Node) onFault(err error) {
	n.fault.CompareAndSwap(nil, &err)
	n.look()
}

func (n *Node) onConsensusFailure(reason string) {
	n.failReason.CompareAndSwap(nil, &reason)
	n.look()
}

func (n *Node) onDurable(height int64, messages int) {
	n.metrics.Committed.Add(float64(messages))
	n.metrics.Height.Set(float64(height))
	n.onHeight(height)
}

func (n *Node) onHeight(height int64) {
	n.height.Store(height)
	n.lastRise.Store(int64(time.Since(n.born)))
	if err := n.checkDisk(); err != nil {
		n.onFault(err)
	}
}

// risen is when the height rose, by the clock that nobody sets.
func (n *Node) risen() time.Time { return n.born.Add(time.Duration(n.lastRise.Load())) }

func (n *Node) look() {
	select {
	case n.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// watch is the watchdog's routine: it observes and judges, and closes done at most once.
func (n *Node) watch() {
	defer n.watched.Done()
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	daily := n.daily()
	var peers lag
	for {
		if n.lookAtState(daily) {
			close(n.compact)
			daily = nil
		}
		o := n.observe()
		o.Behind = peers.look(time.Now(), o.ahead())
		if reason, end := judge(o, n.config.Settings.Watchdog.Behind); end {
			n.doneErr = errors.New(reason)
			close(n.done)
			return
		}
		select {
		case <-n.quit:
			return
		case <-n.wake:
		case <-t.C:
		}
	}
}

func (n *Node) observe() observation {
	o := observation{
		Stopping:       n.stopping.Load(),
		Fault:          n.Fault(),
		ConsensusEnded: n.csEnded.Load(),
		Height:         n.height.Load(),
		CatchingUp:     n.CatchingUp(),
		FreshFor:       n.FreshFor(),
	}
	if r := n.failReason.Load(); r != nil {
		o.ConsensusReason = *r
	}
	o.Idle, o.Moved = n.idle()
	for _, p := range n.Peers() {
		o.Peers++
		if p.Height > o.Height+1 {
			o.PeersAhead++
		}
	}
	o.PowerSeen, o.PowerTotal = powerSeen(n.state.GetRoundState())
	return o
}

// powerSeen is the voting power that has spoken in the step that the node is in. What was said in earlier steps does not count:
// a validator that died after its prevote would hide that the precommits cannot come together.
func powerSeen(rs *cstypes.RoundState) (seen, total int64) {
	if rs == nil || rs.Validators == nil {
		return 0, 0
	}
	total = rs.Validators.TotalVotingPower()
	var votes *types.VoteSet
	validators := rs.Validators
	switch {
	case rs.Votes != nil && rs.Step >= cstypes.RoundStepPrecommit:
		votes = rs.Votes.Precommits(rs.Round)
	case rs.Votes != nil && rs.Step >= cstypes.RoundStepPrevote:
		votes = rs.Votes.Prevotes(rs.Round)
	default:
		votes, validators = rs.LastCommit, rs.LastValidators
	}
	if votes == nil || validators == nil {
		return 0, total
	}
	bits := votes.BitArray()
	for i, v := range validators.Validators {
		if bits.GetIndex(i) {
			seen += v.VotingPower
		}
	}
	return seen, total
}

// idle is how long ago the newest block came, and whether one has since Start: the engine replays before that.
func (n *Node) idle() (since time.Duration, moved bool) {
	from := n.started
	if at := n.risen(); at.After(from) {
		from, moved = at, true
	}
	return time.Since(from), moved
}

// Current says whether the state of this node is the newest that there is, as far as it can know. Unlike Ready it asks nothing that a block holds up: every
// query of a lender may ask.
func (n *Node) Current() bool { return n.currentAt(time.Now()) }

func (n *Node) currentAt(now time.Time) bool {
	o := observation{Stopping: n.stopping.Load(), Fault: n.Fault(), ConsensusEnded: n.csEnded.Load(), CatchingUp: n.CatchingUp(), FreshFor: n.FreshFor()}
	o.Idle, o.Moved = n.idle()
	o.Age = now.Sub(n.app.Status().BlockTime)
	return current(o)
}

// Ready says whether this node's answers are current: caught up, a fresh block, and a healthy application. Otherwise the reason
// says what is missing; without a quorum it names the power that the node sees.
func (n *Node) Ready() (ok bool, reason string) { return readiness(n.observe()) }

// Fault is why the application cannot go on, or nil.
func (n *Node) Fault() error {
	if p := n.fault.Load(); p != nil {
		return *p
	}
	return n.app.Fault()
}

// CatchingUp says whether the node still fetches old blocks.
func (n *Node) CatchingUp() bool { return n.engine.ConsensusReactor().WaitSync() }

// Peer is a node that this one is connected to.
type Peer struct {
	ID      string `json:"id"`
	Moniker string `json:"moniker"`
	Address string `json:"address"`
	Height  int64  `json:"height"` // the height that it says it works on
}

// Peers that are connected now.
func (n *Node) Peers() []Peer {
	list := n.engine.Switch().Peers().Copy()
	out := make([]Peer, 0, len(list))
	for _, p := range list {
		peer := Peer{ID: string(p.ID()), Address: p.SocketAddr().String()}
		if info, ok := p.NodeInfo().(p2p.DefaultNodeInfo); ok {
			peer.Moniker = info.Moniker
		}
		if ps, ok := p.Get(types.PeerStateKey).(*consensus.PeerState); ok {
			peer.Height = ps.GetHeight()
		}
		out = append(out, peer)
	}
	return out
}

// App is the application: states, proofs, outcomes.
func (n *Node) App() *app.App { return n.app }

// Blocks reads CometBFT's block and state stores.
func (n *Node) Blocks() *Blocks { return n.blocks }

// Genesis is the chain's genesis in CometBFT's form.
func (n *Node) Genesis() *types.GenesisDoc { return n.engine.GenesisDoc() }

// Metrics of this node.
func (n *Node) Metrics() *Metrics { return n.metrics }

// Config in force.
func (n *Node) Config() Config { return n.config }

// APIAddr is where the gateway listens; it differs from the setting where that asks for port 0.
func (n *Node) APIAddr() string {
	if len(n.listeners) == 0 {
		return n.config.Settings.API.Listen
	}
	return n.listeners[0].Addr().String()
}

// Height is the newest committed height.
func (n *Node) Height() int64 { return n.height.Load() }

// backlog counts the timers of a class that were due at the newest block and have not run.
func (n *Node) backlog(class x.TimerClass) float64 {
	const countMax = 100000
	due := 0
	st := n.app.Status()
	if st.Height == 0 {
		return 0
	}
	err := n.app.Read(func(r x.Reader) error {
		due = x.Backlog(r, st.Height, class, st.LegalTime.Unix(), countMax)
		return nil
	})
	if err != nil {
		return 0 // the disk's failure is reported elsewhere
	}
	return float64(due)
}
