package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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

// runKVStore puts CometBFT's kvstore application (in memory, no signature checked) under the load of `xinlian bench load`, with one
// validator, the product's own settings of the engine and the same process layout.
func runKVStore(ctx context.Context, args []string) (any, error) {
	f := flags("kvstore")
	count := f.Int("txs", 50_000, "transactions")
	inside := f.Bool("inside", false, "the node runs in the process of the senders")
	senders := f.Int("senders", 16, "transactions on their way at a time")
	_ = f.Parse(args)
	dir, done, err := temp("")
	if err != nil {
		return nil, err
	}
	defer done()
	rpc, err := kvHome(dir)
	if err != nil {
		return nil, err
	}
	end, pid := bench.Endpoint{RPC: "http://" + rpc}, os.Getpid()
	if *inside {
		n, err := kvNode(dir)
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
		end.Send = func(_ context.Context, tx []byte) error {
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
		cmd := exec.CommandContext(ctx, self, "kvnode", "--home", dir)
		cmd.Stderr = os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		pid = cmd.Process.Pid
		defer func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}()
	}
	if err := firstBlock(ctx, end.RPC); err != nil {
		return nil, err
	}
	txs := make([][]byte, *count)
	for i := range txs {
		tx := fmt.Appendf(make([]byte, 0, txBytes), "key%d=", i)
		for len(tx) < txBytes {
			tx = append(tx, 'v')
		}
		txs[i] = tx
	}
	before, _ := bench.OfProcess(pid)
	var after float64
	r, err := bench.Drive(ctx, []bench.Endpoint{end}, bench.Plan{
		Txs: txs, PerTx: 1, Workers: *senders, Done: func() { after, _ = bench.OfProcess(pid) },
	})
	if err != nil {
		return nil, err
	}
	return kvReport{*r, after - before}, nil
}

// kvReport is what kvstore prints.
type kvReport struct {
	bench.Result
	CPUSeconds float64 `json:"cpu_seconds"` // of the node's process; with --inside the senders' work is in it
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

func kvConfig(home string) *cmtcfg.Config {
	c := node.EngineDefaults(1)
	c.SetRoot(home)
	c.P2P.ListenAddress = "tcp://127.0.0.1:0"
	return c
}

// kvHome makes a home for one validator and gives the address of its interface.
func kvHome(dir string) (string, error) {
	c := kvConfig(dir)
	for _, d := range []string{"config", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return "", err
		}
	}
	pv := privval.LoadOrGenFilePV(c.PrivValidatorKeyFile(), c.PrivValidatorStateFile())
	if _, err := p2p.LoadOrGenNodeKey(c.NodeKeyFile()); err != nil {
		return "", err
	}
	key, err := pv.GetPubKey()
	if err != nil {
		return "", err
	}
	params := cmttypes.DefaultConsensusParams()
	params.Block.MaxBytes = pb.BlockBytesMax
	params.Version.App = kvstore.AppVersion
	doc := &cmttypes.GenesisDoc{
		ChainID: "bench-kvstore", GenesisTime: time.Now().UTC(), InitialHeight: 1, ConsensusParams: params,
		Validators: []cmttypes.GenesisValidator{{PubKey: key, Power: 10}},
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return "", err
	}
	if err := doc.SaveAs(c.GenesisFile()); err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	addr := l.Addr().String()
	return addr, os.WriteFile(filepath.Join(dir, "rpc"), []byte(addr), 0o600)
}

func kvNode(home string) (*cmtnode.Node, error) {
	c := kvConfig(home)
	addr, err := os.ReadFile(filepath.Join(home, "rpc"))
	if err != nil {
		return nil, err
	}
	c.RPC.ListenAddress = "tcp://" + string(addr)
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
