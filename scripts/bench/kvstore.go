package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cometbft/cometbft/abci/example/kvstore"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/mempool"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/proxy"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/bench"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// txBytes is the size of a transaction with one penalty, nearly.
const txBytes = 350

// runKVStore puts CometBFT's kvstore application (in memory, no signature checked) under the load of `xinlian bench load`, with the product's own
// settings of the engine and the same process layout.
func runKVStore(ctx context.Context, args []string) (any, error) {
	f := flags("kvstore")
	count := f.Int("txs", 50_000, "transactions")
	inside := f.Bool("inside", false, "the node runs in the process of the senders")
	senders := f.Int("senders", 16, "transactions on their way at a time")
	validators := f.Int("validators", 1, "nodes that vote")
	rate := f.Float64("rate", 0, "transactions a second offered; 0 is a closed loop")
	_ = f.Parse(args)
	if *validators < 1 || *inside && *validators != 1 {
		return nil, errors.New("--validators: at least one, and one with --inside")
	}
	dir, done, err := temp("")
	if err != nil {
		return nil, err
	}
	defer done()
	homes, err := kvHomes(dir, *validators)
	if err != nil {
		return nil, err
	}
	var (
		ends []bench.Endpoint
		pids []int
	)
	for _, h := range homes {
		ends = append(ends, bench.Endpoint{RPC: "http://" + h.RPC})
	}
	if *inside {
		n, err := kvNode(homes[0].Dir)
		if err != nil {
			return nil, err
		}
		if err := n.Start(); err != nil {
			return nil, err
		}
		defer func() {
			_ = n.Stop()
			n.Wait()
		}()
		pids = append(pids, os.Getpid())
		ends[0].Send = func(_ context.Context, tx []byte) error {
			var resp *abci.ResponseCheckTx
			err := n.Mempool().CheckTx(tx, func(r *abci.ResponseCheckTx) { resp = r }, mempool.TxInfo{})
			var full mempool.ErrMempoolIsFull
			switch {
			case errors.As(err, &full), errors.Is(err, mempool.ErrRecheckFull):
				return bench.ErrBusy
			case err == nil && resp != nil && resp.Code != 0:
				return fmt.Errorf("refused with code %d", resp.Code)
			}
			return err
		}
	} else {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		for _, h := range homes {
			cmd := exec.CommandContext(ctx, self, "kvnode", "--home", h.Dir)
			cmd.Stderr = os.Stderr
			cmd.Env = os.Environ()
			if *validators > 1 && os.Getenv("GOMAXPROCS") == "" { // as the product's networks on one machine are run
				cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.NumCPU() / *validators)))
			}
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			if err := cmd.Start(); err != nil {
				return nil, err
			}
			pids = append(pids, cmd.Process.Pid)
			defer func() {
				_ = cmd.Process.Signal(syscall.SIGTERM)
				_ = cmd.Wait()
			}()
		}
	}
	for _, e := range ends {
		if err := firstBlock(ctx, e.RPC); err != nil {
			return nil, err
		}
	}
	used := func() (sum float64) {
		for _, pid := range pids {
			cpu, _ := bench.OfProcess(pid)
			sum += cpu
		}
		return sum
	}
	txs := make([][]byte, *count)
	for i := range txs {
		tx := fmt.Appendf(make([]byte, 0, txBytes), "key%d=", i)
		for len(tx) < txBytes {
			tx = append(tx, 'v')
		}
		txs[i] = tx
	}
	before := used()
	var after float64
	r, err := bench.Drive(ctx, ends, bench.Plan{Txs: txs, PerTx: 1, Rate: *rate, Workers: *senders, Done: func() { after = used() }})
	if err != nil {
		return nil, err
	}
	return kvReport{*r, after - before}, nil
}

// kvReport is what kvstore prints.
type kvReport struct {
	bench.Result
	CPUSeconds float64 `json:"cpu_seconds"` // of the nodes' processes; with --inside the senders' work is in it
}

// runKVNode is the node of kvstore in a process of its own.
func runKVNode(ctx context.Context, args []string) (any, error) {
	f := flags("kvnode")
	home := f.String("home", "", "home folder")
	_ = f.Parse(args)
	n, err := kvNode(*home)
	if err != nil {
		return nil, err
	}
	if err := n.Start(); err != nil {
		return nil, err
	}
	<-ctx.Done()
	err = n.Stop()
	n.Wait()
	return nil, err
}

// kvPlace is what a node of kvstore is told; it stands in a file of its home.
type kvPlace struct {
	Dir, RPC, P2P, Peers string
}

func kvConfig(p kvPlace) *cmtcfg.Config {
	c := node.EngineDefaults(1)
	c.SetRoot(p.Dir)
	c.RPC.ListenAddress = "tcp://" + p.RPC
	c.P2P.ListenAddress = "tcp://" + p.P2P
	c.P2P.PersistentPeers = p.Peers
	c.P2P.AllowDuplicateIP = true
	return c
}

// kvHomes makes the homes of the validators of one chain.
func kvHomes(dir string, n int) ([]kvPlace, error) {
	params := cmttypes.DefaultConsensusParams()
	params.Block.MaxBytes = pb.BlockBytesMax
	params.Version.App = kvstore.AppVersion
	doc := &cmttypes.GenesisDoc{ChainID: "bench-kvstore", GenesisTime: time.Now().UTC(), InitialHeight: 1, ConsensusParams: params}
	homes, ids := make([]kvPlace, n), make([]string, n)
	for i := range homes {
		h := &homes[i]
		h.Dir = filepath.Join(dir, strconv.Itoa(i))
		for _, d := range []string{"config", "data"} {
			if err := os.MkdirAll(filepath.Join(h.Dir, d), 0o700); err != nil {
				return nil, err
			}
		}
		c := kvConfig(*h)
		key, err := privval.LoadOrGenFilePV(c.PrivValidatorKeyFile(), c.PrivValidatorStateFile()).GetPubKey()
		if err != nil {
			return nil, err
		}
		doc.Validators = append(doc.Validators, cmttypes.GenesisValidator{PubKey: key, Power: 10})
		id, err := p2p.LoadOrGenNodeKey(c.NodeKeyFile())
		if err != nil {
			return nil, err
		}
		for _, addr := range []*string{&h.RPC, &h.P2P} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			defer l.Close() // all are open at once, so that none is given twice
			*addr = l.Addr().String()
		}
		ids[i] = string(id.ID()) + "@" + h.P2P
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return nil, err
	}
	for i := range homes {
		h := &homes[i]
		h.Peers = strings.Join(slices.Concat(ids[:i], ids[i+1:]), ",")
		if err := doc.SaveAs(kvConfig(*h).GenesisFile()); err != nil {
			return nil, err
		}
		raw, err := json.Marshal(h)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(h.Dir, "place"), raw, 0o600); err != nil {
			return nil, err
		}
	}
	return homes, nil
}

func kvNode(home string) (*cmtnode.Node, error) {
	raw, err := os.ReadFile(filepath.Join(home, "place"))
	if err != nil {
		return nil, err
	}
	var place kvPlace
	if err := json.Unmarshal(raw, &place); err != nil {
		return nil, err
	}
	c := kvConfig(place)
	key, err := p2p.LoadNodeKey(c.NodeKeyFile())
	if err != nil {
		return nil, err
	}
	return cmtnode.NewNode(c, privval.LoadFilePV(c.PrivValidatorKeyFile(), c.PrivValidatorStateFile()), key,
		proxy.NewConnSyncLocalClientCreator(kvstore.NewInMemoryApplication()), cmtnode.DefaultGenesisDocProviderFunc(c),
		cmtcfg.DefaultDBProvider, cmtnode.DefaultMetricsProvider(c.Instrumentation), log.NewNopLogger())
}

// firstBlock waits until a node answers and has a block.
func firstBlock(ctx context.Context, url string) error {
	c, err := rpchttp.New(url, "/websocket")
	if err != nil {
		return err
	}
	deadline := time.Now().Add(time.Minute)
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		s, err := c.Status(ctx)
		if err == nil && s.SyncInfo.LatestBlockHeight > 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the kvstore node makes no block: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
