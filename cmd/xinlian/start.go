package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/gateway"
)

func startCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "start",
		Short: "Run the node of a home folder",
		Long: `Run the node of a home folder until SIGINT or SIGTERM. A second signal ends it at once.

The node ends by itself, with exit code 1 (3 where its folder is in use or cannot be read) and the reason in one line, when its disk fails, when its own consensus routine has
stopped, or when its peers are ahead and it makes no progress (watchdog.behind). A service manager should start it again.

At the time of day that state.compact_at names, a node whose state has grown (state.compact_ratio) stops serving, compacts its state and comes back, in
the same process.

With --join an empty home begins with a snapshot that its peers serve (state.snapshot_every) instead of the first block. Which app hash the
chain has, it asks the gateways of members, with a member's key, and believes only what more than two thirds of the power of the trusted
validators have signed; witnesses and time stamps that a trust file asks for are not asked for. A home that has blocks goes on from them, and looks at none of this.`,
		Args: cobra.NoArgs,
	}
	home := homeFlag(c)
	j := addJoin(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		err := runNode(c.Context(), *home, j)
		var coded *exitError
		if err != nil && !errors.As(err, &coded) && inUseOrUnreadable(err) {
			return exitWith(exitUnreadable, err)
		}
		return err
	}
	return c
}

// spread lets twice as many threads as there are processors run Go code. Where the system takes a processor away from a thread in the midst of a request, the
// requests behind it are taken over by another thread at once, not after the milliseconds that it may be away; and so while a block is executed ('bench verify' shows it in the slowest
// hundredth). Work that keeps processors busy for long (state.workers) stays at one a processor. GOMAXPROCS in the environment wins.
func spread(cfg *node.Config) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	processors := runtime.GOMAXPROCS(0)
	if cfg.Settings.State.Workers == 0 {
		cfg.Settings.State.Workers = processors
	}
	runtime.GOMAXPROCS(2 * processors)
}

// garbage is how much a node lets its heap grow beyond what is in use before it collects, in percent. In use are standings and the tree, as long as they are the newest, and under the load of many
// readers the runtime's own 100 takes as much again as they do (process_resident_memory_bytes of /metrics). GOGC in the environment wins.
const garbage = 75

func collect() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

func runNode(ctx context.Context, home string, j *joining) error {
	home, err := filepath.Abs(home)
	if err != nil {
		return err
	}
	cfg, err := node.LoadConfig(home)
	if err != nil {
		return err
	}
	spread(&cfg)
	collect()
	log := node.NewLogger(os.Stderr, cfg.Settings.Log)
	if lacking := cfg.SayLacking(); lacking != "" {
		log.Warn("the files of this home lack settings, and these are in force instead: an older program wrote them, or lines were lost", "settings", lacking)
	}
	provider, err := j.begin(ctx, cfg, log.With("module", "join"))
	if err != nil {
		return err
	}
	var lend *lender // opened once the home is this process's own
	defer func() { lend.close() }()
	var gw *gateway.Gateway
	n, err := node.New(cfg, node.Options{
		Logger:        log,
		StateProvider: provider,
		EngineMetrics: true,
		Handler: func(n *node.Node) http.Handler {
			gw = newGateway(n, log, lend.options())
			return gw
		},
		// The proven head is made when a block is committed and not when somebody asks; it also keeps the path of validator sets before their blocks
		// are pruned.
		Beside: func(ctx context.Context, n *node.Node) {
			var both sync.WaitGroup
			both.Go(func() { gw.Run(ctx) })
			if lend != nil {
				both.Go(func() { lend.anchor(ctx, n, log) })
			}
			both.Wait()
		},
	})
	if err != nil {
		return err
	}
	if provider != nil { // the home is this process's own now
		// CometBFT v0.40 has a setting for the folder and does not read it.
		dir, err := node.MakeChunksDir(home)
		if err == nil {
			err = os.Setenv("TMPDIR", dir)
		}
		if err != nil {
			n.Stop()
			return err
		}
	}
	if lend, err = openLending(cfg); err != nil {
		n.Stop()
		return err
	}
	if err := n.Start(); err != nil {
		n.Stop()
		return err
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
		if err := n.Stop(); err != nil {
			return err
		}
		log.Info("stopped", "height", n.Height())
		return nil
	case <-n.CompactDue():
		log.Info("stopping to compact the state (state.compact_at)")
		if err := n.Stop(); err != nil {
			return err
		}
		return again()
	case <-n.Done():
	}
	// The stores are left as a crash leaves them, which every start copes with: closing them writes, and a disk that takes no more
	// may be why the process is here.
	return fmt.Errorf("this node must end: %w", n.Err())
}

// again runs this process's program once more, in this process: whoever watches it sees the same one. Locks and files of the first are closed by it.
func again() error {
	self := "/proc/self/exe" // also where the file was replaced meanwhile: a new program is the operator's to start
	if _, err := os.Stat(self); err != nil {
		if self, err = os.Executable(); err != nil {
			return err
		}
	}
	return fmt.Errorf("start again: %w", syscall.Exec(self, os.Args, os.Environ()))
}

// newGateway shows a node to the gateway.
func newGateway(n *node.Node, log *slog.Logger, lend *gateway.Lending) *gateway.Gateway {
	return gateway.New(gateway.Backend{
		App:    n.App(),
		Blocks: n.Blocks(),
		Submit: func(ctx context.Context, tx []byte) (id [32]byte, code uint32, log string, err error) {
			resp, err := n.Submit(ctx, tx)
			switch {
			case errors.Is(err, node.ErrBusy):
				err = gateway.ErrPoolFull
			case errors.Is(err, node.ErrKnown):
				err = gateway.ErrInPool
			}
			copy(id[:], resp.Data)
			return id, resp.Code, resp.Log, err
		},
		Ready:       n.Ready,
		CatchingUp:  n.CatchingUp,
		Current:     n.Current,
		Metrics:     n.MetricsHandler(),
		GenesisJSON: func() ([]byte, error) { return cmtjson.Marshal(n.Genesis()) },
	}, gateway.Options{
		Logger:          log.With("module", "gateway"),
		Registerer:      n.Metrics().Registry,
		FreshFor:        n.FreshFor(),
		PackEvery:       n.Config().Settings.API.PackEvery,
		ChecksPerSecond: n.Config().Settings.API.ChecksPerSecond,
		TrustedProxies:  n.Config().Settings.API.Proxies(),
		Lending:         lend,
		Version:         version(),
		PathFile:        filepath.Join(n.Config().Home, node.PathFile),
		WatchDir:        filepath.Join(n.Config().Home, node.WatchDir),
	})
}
