package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/abci/example/kvstore"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtcfg "github.com/cometbft/cometbft/config"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/networks/henan"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// lone makes the home of a chain with one validator. Its legal clock is fast, so that empty blocks come four times a second.
func lone(t *testing.T) Config {
	t.Helper()
	const rate = 86400
	c := Config{Home: t.TempDir(), Settings: DefaultSettings(), Engine: EngineDefaults(rate)}
	c.Engine.SetRoot(c.Home)
	c.Engine.RPC.ListenAddress = ""
	c.Engine.P2P.ListenAddress = "tcp://127.0.0.1:0"
	c.Settings.API.Listen = "127.0.0.1:0"
	c.Settings.Metrics.Listen = ""
	if err := WriteConfig(c, 0); err != nil {
		t.Fatal(err)
	}
	id, err := InitKeys(c)
	if err != nil {
		t.Fatal(err)
	}
	k, err := keys.Generate("gov1")
	if err != nil {
		t.Fatal(err)
	}
	address := k.Address()
	g := &pb.Genesis{Secret: bytes.Repeat([]byte{7}, 32), ClockRate: rate}
	henan.Catalogue(g)
	g.Members = []pb.Member{{
		Uscc: code.CompleteUSCC("11410000", "Y0090001"), Name: "示例机关（合成样例）", Level: pb.LEVEL_PROVINCE, Regions: []string{"410000"},
		Keys:         []*pb.MemberKey{{Address: address[:], Roles: []pb.Role{pb.ROLE_GOVERNOR}, Name: "gov1"}},
		ValidatorKey: id.ValidatorKey, ValidatorPower: 10,
	}}
	doc, err := GenesisDoc("test-lone", time.Now(), g)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := cmtjson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := InstallGenesis(c, raw); err != nil {
		t.Fatal(err)
	}
	return c
}

func startNode(t *testing.T, c Config) *Node {
	t.Helper()
	n, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop() })
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	return n
}

// patience is how long a test waits for what must come. It is for machines on which a node that goes on cannot be told from one that hangs: a disk that others fill takes its time
// over each sync.
const patience = 4 * time.Minute

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came to this: %s", what)
		case <-tick.C:
		}
	}
}

// TestStopWhileChecked: a stop waits for the checks that are under way, and a transaction that comes later finds no room. The engine takes an error of a
// check for a bug and ends the process with a panic.
func TestStopWhileChecked(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	n := startNode(t, lone(t))
	eventually(t, "there is a block", func() bool { return n.Height() > 0 })
	var sending sync.WaitGroup
	stopped := make(chan struct{})
	for range 8 {
		sending.Add(1)
		go func() {
			defer sending.Done()
			for i, more := 0, true; more; i++ {
				select {
				case <-stopped:
					more = false
				default:
				}
				if _, err := n.Submit(context.Background(), fmt.Append(nil, "no transaction ", i)); err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrKnown) {
					t.Errorf("while the node stops: %v", err)
				}
			}
		}()
	}
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
	close(stopped)
	sending.Wait()
	if _, err := n.Submit(t.Context(), []byte("late")); !errors.Is(err, ErrBusy) {
		t.Errorf("after the stop: %v", err)
	}
	if err := n.Fault(); err != nil {
		t.Errorf("a node that was stopped cannot go on: %v", err)
	}
}

// TestChecksSideBySide holds checks up and hands the engine's mempool more transactions meanwhile: their checks begin. All are in the pool in the end.
func TestChecksSideBySide(t *testing.T) {
	t.Parallel()
	const n = 3
	held := &checks{Application: kvstore.NewInMemoryApplication(), held: make(chan struct{}), begun: make(chan string)}
	c, err := sideBySide{app: held, work: new(work)}.NewABCIClient()
	if err != nil {
		t.Fatal(err)
	}
	pool := mempool.NewCListMempool(EngineDefaults(1).Mempool, proxy.NewAppConnMempool(c, proxy.NopMetrics()), 0)
	var sending sync.WaitGroup
	for i := range n {
		tx := fmt.Appendf(nil, "k%d=v", i)
		sending.Go(func() {
			if err := pool.CheckTx(tx, nil, mempool.TxInfo{}); err != nil {
				t.Error(err)
			}
		})
		select {
		case got := <-held.begun:
			if got != string(tx) {
				t.Errorf("the check of %s begins, want %s", got, tx)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("the check of %s waits for those before it", tx)
			go func() {
				for range held.begun {
				}
			}()
		}
	}
	if pool.Size() != 0 || held.n.Load() != 0 {
		t.Errorf("%d are in the pool, %d are checked, and all are held up", pool.Size(), held.n.Load())
	}
	close(held.held)
	sending.Wait()
	if pool.Size() != n {
		t.Errorf("%d of %d are in the pool", pool.Size(), n)
	}
}

// blockOf is an application whose block has these results.
type blockOf struct {
	abci.BaseApplication
	results []*abci.ExecTxResult
}

func (b blockOf) FinalizeBlock(context.Context, *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	return &abci.ResponseFinalizeBlock{TxResults: b.results}, nil
}

// TestWaitsForALaterBlock: what a block had no room to carry out is in the mempool again after the block, in its order, and nothing else of the block is.
func TestWaitsForALaterBlock(t *testing.T) {
	t.Parallel()
	var results []*abci.ExecTxResult
	for _, code := range []uint32{0, app.ErrWork.Number, app.ErrShare.Number, app.ErrWork.Number} {
		results = append(results, &abci.ExecTxResult{Code: code})
	}
	var (
		pool  *mempool.CListMempool
		again sync.WaitGroup
		m     = &Metrics{Refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "refused"}, []string{"stage", "code"})}
	)
	a := &metered{Application: blockOf{results: results}, m: m, retain: func(int64) int64 { return 0 }, risen: func(int64) {}, again: func(txs [][]byte) {
		again.Go(func() { // as Node.again: the mempool is locked meanwhile
			for _, tx := range txs {
				if err := pool.CheckTx(tx, nil, mempool.TxInfo{}); err != nil {
					t.Error(err)
				}
			}
		})
	}}
	c, err := sideBySide{app: a, work: new(work)}.NewABCIClient()
	if err != nil {
		t.Fatal(err)
	}
	pool = mempool.NewCListMempool(EngineDefaults(1).Mempool, proxy.NewAppConnMempool(c, proxy.NopMetrics()), 0)
	txs := types.Txs{[]byte("done"), []byte("waits"), []byte("refused"), []byte("waits too")}
	for _, tx := range txs {
		if err := pool.CheckTx(tx, nil, mempool.TxInfo{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.FinalizeBlock(t.Context(), &abci.RequestFinalizeBlock{Txs: txs.ToSliceOfBytes(), Height: 1}); err != nil {
		t.Fatal(err)
	}
	pool.Lock()
	if _, err := a.Commit(t.Context(), &abci.RequestCommit{}); err != nil {
		t.Fatal(err)
	}
	if err := pool.Update(1, txs, results, nil, nil); err != nil {
		t.Fatal(err)
	}
	pool.Unlock()
	again.Wait()
	if got := pool.ReapMaxTxs(-1); len(got) != 2 || string(got[0]) != "waits" || string(got[1]) != "waits too" {
		t.Errorf("in the mempool are %q", got)
	}
}

// TestWorkStops: stop comes back when all that had begun has ended.
func TestWorkStops(t *testing.T) {
	t.Parallel()
	held := &checks{Application: kvstore.NewInMemoryApplication(), held: make(chan struct{})}
	w := new(work)
	c, err := sideBySide{app: held, work: w}.NewABCIClient()
	if err != nil {
		t.Fatal(err)
	}
	asked, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		if _, err := c.CheckTxAsync(context.Background(), &abci.RequestCheckTx{Tx: []byte("a=b")}); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the check has begun", func() bool { return !w.mu.TryLock() || unlocked(w) })
	go func() { w.stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Fatal("the stop did not wait")
	default:
	}
	close(held.held)
	<-asked
	<-stopped
	r, err := c.CheckTxAsync(context.Background(), &abci.RequestCheckTx{Tx: []byte("c=d")})
	if err != nil || r.Response.GetCheckTx().Code != codeStopping || held.n.Load() != 1 {
		t.Errorf("after the stop: %v %v, %d checks", r, err, held.n.Load())
	}
	for _, err := range []error{
		second(c.OfferSnapshot(t.Context(), &abci.RequestOfferSnapshot{})), second(c.ApplySnapshotChunk(t.Context(), &abci.RequestApplySnapshotChunk{})),
	} {
		if !errors.Is(err, errStopping) {
			t.Errorf("a snapshot after the stop: %v", err)
		}
	}
}

func unlocked(w *work) bool { w.mu.Unlock(); return false }

func second[T any](_ T, err error) error { return err }

func TestNode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	c := lone(t)
	n := startNode(t, c)
	eventually(t, "the node is ready", func() bool { ok, _ := n.Ready(); return ok && n.Height() > 3 })

	// What the stores say fits together.
	b := n.Blocks()
	last := b.Latest()
	for h := int64(1); h <= last; h++ {
		block, commit := b.Block(h), b.Commit(h)
		vals, err := b.Validators(h)
		if err != nil || block == nil || commit == nil {
			t.Fatalf("height %d: block %v commit %v, %v", h, block, commit, err)
		}
		if err := vals.VerifyCommit("test-lone", types.BlockID{Hash: block.Hash(), PartSetHeader: commit.BlockID.PartSetHeader}, h, commit); err != nil {
			t.Errorf("height %d: %v", h, err)
		}
		if !bytes.Equal(b.Header(h).Hash(), block.Hash()) || block.Version.App != 1 {
			t.Errorf("height %d: header %v", h, b.Header(h))
		}
	}
	if b.Block(0) != nil || b.Commit(-1) != nil || b.Header(last+1000) != nil {
		t.Error("a height that is not there has something")
	}

	// What is no transaction is an answer of the gate; what is too large never reaches it.
	if resp, err := n.Submit(t.Context(), []byte("no transaction")); err != nil || resp.Code == 0 {
		t.Errorf("garbage: %+v, %v", resp, err)
	}
	if _, err := n.Submit(t.Context(), make([]byte, pb.TxBytesMax+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	resp, err := http.Get("http://" + n.APIAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	for _, want := range []string{"xinlian_height ", `xinlian_refused_total{code="`, "xinlian_timers_backlog 0", `xinlian_alarm{kind="watchdog"} 0`, "xinlian_calendar_days "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("metrics lack %s", want)
		}
	}

	height := n.Height()
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := n.Stop(); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
	if err := n.Err(); err != nil {
		t.Errorf("a stop is no fault: %v", err)
	}

	n = startNode(t, c)
	if n.Height() < height {
		t.Errorf("came back at height %d, was at %d", n.Height(), height)
	}
	eventually(t, "the chain goes on", func() bool { return n.Height() > height+1 })
}

// TestWatchdogEndsADeadNode: when the votes can no longer be written down, CometBFT's consensus stops and its process stays. Ours ends.
func TestWatchdogEndsADeadNode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	c := lone(t)
	// What it has signed lies in a folder of its own: where all of data went, the engine's consensus log would end the process in one of its ticks.
	data, away := filepath.Join(c.Home, "signed"), filepath.Join(c.Home, "away")
	was := c.Engine.PrivValidatorStateFile()
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	c.Engine.PrivValidatorState = filepath.Join(data, filepath.Base(was))
	if err := os.Rename(was, c.Engine.PrivValidatorState); err != nil {
		t.Fatal(err)
	}
	n := startNode(t, c)
	eventually(t, "the node is ready", func() bool { ok, _ := n.Ready(); return ok })
	if err := os.Rename(data, away); err != nil {
		t.Fatal(err)
	}
	select {
	case <-n.Done():
	case <-time.After(patience):
		t.Fatal("the watchdog did not see it")
	}
	if err := n.Err(); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("reason %v", err)
	}
	if ok, reason := n.Ready(); ok {
		t.Errorf("still ready: %s", reason)
	}
	if err := os.Rename(away, data); err != nil {
		t.Fatal(err)
	}
	n.Stop()
	n = startNode(t, c)
	eventually(t, "it comes back once the folder is there", func() bool { ok, _ := n.Ready(); return ok })
}

// TestRefusedStarts: each with one line that says what to do.
func TestRefusedStarts(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(t *testing.T, c Config)
		want string
	}{
		{"no genesis", func(t *testing.T, c Config) { remove(t, c.Engine.GenesisFile()) }, "genesis"},
		{"no validator key", func(t *testing.T, c Config) { remove(t, c.Engine.PrivValidatorKeyFile()) }, "is missing"},
		{"no node key", func(t *testing.T, c Config) { remove(t, c.Engine.NodeKeyFile()) }, "is missing"},
		{"genesis of other rules", func(t *testing.T, c Config) {
			doc, err := types.GenesisDocFromFile(c.Engine.GenesisFile())
			if err != nil {
				t.Fatal(err)
			}
			doc.ConsensusParams.Version.App = 99
			if err := doc.SaveAs(c.Engine.GenesisFile()); err != nil {
				t.Fatal(err)
			}
		}, "version 1"},
		{"genesis with blocks beyond all bounds", func(t *testing.T, c Config) {
			doc, err := types.GenesisDocFromFile(c.Engine.GenesisFile())
			if err != nil {
				t.Fatal(err)
			}
			doc.ConsensusParams.Block.MaxBytes = 50 << 20
			if err := doc.SaveAs(c.Engine.GenesisFile()); err != nil {
				t.Fatal(err)
			}
		}, "max_bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := lone(t)
			tt.edit(t, c)
			n, err := New(c, Options{})
			if err == nil {
				n.Stop()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("says %q, want one line with %q", err, tt.want)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestStartAfterSnapshot: a home that began with a snapshot and ended before its first block starts again.
func TestStartAfterSnapshot(t *testing.T) {
	c := lone(t)
	n := startNode(t, c)
	eventually(t, "blocks come", func() bool { return n.Height() >= 3 })
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	open := func() (sm.Store, *store.BlockStore, func()) {
		t.Helper()
		var dbs []dbm.DB
		for _, id := range []string{"state", "blockstore"} {
			db, err := OpenEngineStore(&cmtcfg.DBContext{ID: id, Config: c.Engine})
			if err != nil {
				t.Fatal(err)
			}
			dbs = append(dbs, db)
		}
		return sm.NewStore(dbs[0], sm.StoreOptions{}), store.NewBlockStore(dbs[1]), func() {
			for _, db := range dbs {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// What is left is what CometBFT's state sync writes: the state of a height and its commit.
	states, blocks, done := open()
	st, err := states.Load()
	if err != nil {
		t.Fatal(err)
	}
	commit := blocks.LoadSeenCommit(st.LastBlockHeight)
	done()
	for _, name := range []string{"state.db", "blockstore.db", "cs.wal"} {
		if err := os.RemoveAll(filepath.Join(c.Home, "data", name)); err != nil {
			t.Fatal(err)
		}
	}
	states, blocks, done = open()
	if err := errors.Join(blocks.SaveSeenCommit(st.LastBlockHeight, commit), states.Bootstrap(st)); err != nil {
		t.Fatal(err)
	}
	done()

	n = startNode(t, c)
	eventually(t, "the chain goes on", func() bool { return n.Height() > st.LastBlockHeight+1 })
}

// TestStopWaitsForWhatIsBeside: what reads the node's stores beside it has ended before they are closed. CometBFT's panic there.
func TestStopWaitsForWhatIsBeside(t *testing.T) {
	c := lone(t)
	ended := false
	n, err := New(c, Options{Beside: func(ctx context.Context, n *Node) {
		<-ctx.Done()
		for range 50_000 { // longer than the rest of the stop would take
			n.Blocks().Header(1)
		}
		ended = true
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a block comes", func() bool { return n.Height() >= 1 })
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	if !ended {
		t.Error("it was not waited for")
	}
}

// TestShort: what CometBFT says of a block is one line without the block.
func TestShort(t *testing.T) {
	const says = "block.AppHash does not match AppHash after replay. Got A7, expected 02"
	if got := short(says + ". Block: Block{\n  Header{}\n}#89\n"); got != says {
		t.Errorf("%q", got)
	}
	if got := short(says); got != says {
		t.Errorf("%q", got)
	}
}
