package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	cmttypes "github.com/cometbft/cometbft/types"
)

// Bounds of a run.
const (
	TxsMax     = 4_000_000
	WorkersMax = 1024

	busyPause   = time.Millisecond // between attempts at a node that has no room
	drainWithin = 2 * time.Minute
	drainEvery  = 50 * time.Millisecond
)

// ErrBusy says that the node has no room now; the transaction is sent again.
var ErrBusy = errors.New("no room")

// Endpoint is a node under load.
type Endpoint struct {
	RPC  string                                     // CometBFT's own interface, such as http://127.0.0.1:26657: blocks are followed there
	API  string                                     // the gateway, to which transactions are sent; empty: there is none, they go to RPC
	Send func(ctx context.Context, tx []byte) error // nil: over the network. ErrBusy is no failure
}

// Plan is what is sent.
type Plan struct {
	Txs     [][]byte      // made and signed before
	PerTx   int           // records in each
	Rate    float64       // transactions a second offered; 0: a closed loop, each sender waits for the answer to the one before
	Workers int           // senders; 0: 16
	For     time.Duration // nothing is sent after it; 0: until all are sent
	// Busy says whether a refusal by code means that there is no room; nil: none does.
	Busy func(code uint32) bool
	// Done is called when all is committed, before the blocks are read back; it may be nil.
	Done func()
}

// Result is what was measured.
type Result struct {
	Sent          int     `json:"txs_sent"`
	Committed     int     `json:"txs_committed"` // and not refused
	Refused       int     `json:"txs_refused"`
	Lost          int     `json:"txs_lost"` // sent and in no block
	Records       int     `json:"records_committed"`
	Busy          int64   `json:"busy_answers"`
	Blocks        int64   `json:"blocks"`
	Bytes         int64   `json:"tx_bytes"`
	Seconds       float64 `json:"seconds"` // from the first submission to the last commit
	TxsPerSec     float64 `json:"txs_per_second"`
	RecordsPerSec float64 `json:"records_per_second"`
	P50           float64 `json:"latency_p50_ms"`
	P99           float64 `json:"latency_p99_ms"`
	Max           float64 `json:"latency_max_ms"`
	FirstRefusal  string  `json:"first_refusal,omitempty"`
	First         int64   `json:"first_height"`
	Last          int64   `json:"last_height"`
}

// run is one Drive.
type run struct {
	plan   Plan
	nodes  []*target
	next   atomic.Int64
	busy   atomic.Int64
	sent   []int64 // unix nanoseconds of each submission; 0: not sent. Owned by the worker that took the index
	failed atomic.Pointer[error]

	mu   sync.Mutex
	seen map[int64]time.Time // guarded by mu: when each height was told of
	high int64               // guarded by mu
}

type target struct {
	Endpoint
	wire   wire // as each sender's begins
	client *rpchttp.HTTP
}

// Drive runs a plan against nodes of one network.
func Drive(ctx context.Context, ends []Endpoint, p Plan) (_ *Result, err error) {
	switch {
	case len(ends) == 0:
		return nil, errors.New("no node to send to")
	case len(p.Txs) == 0 || len(p.Txs) > TxsMax:
		return nil, fmt.Errorf("%d transactions: 1 to %d are possible", len(p.Txs), TxsMax)
	case p.Workers < 0 || p.Workers > WorkersMax:
		return nil, fmt.Errorf("%d senders: at most %d are possible", p.Workers, WorkersMax)
	}
	if p.Workers == 0 {
		p.Workers = 16
	}
	r := &run{plan: p, sent: make([]int64, len(p.Txs)), seen: map[int64]time.Time{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, e := range ends {
		n, err := dial(e)
		if err != nil {
			return nil, err
		}
		defer n.client.Stop()
		r.nodes = append(r.nodes, n)
	}
	heights, err := r.nodes[0].client.Subscribe(ctx, "bench", "tm.event='NewBlockHeader'", 1000)
	if err != nil {
		return nil, fmt.Errorf("follow the blocks: %w", err)
	}
	var following sync.WaitGroup
	following.Add(1)
	go func() {
		defer following.Done()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-heights:
				if h, ok := e.Data.(cmttypes.EventDataNewBlockHeader); ok {
					r.tell(h.Header.Height, time.Now())
				}
			}
		}
	}()
	status, err := r.nodes[0].client.Status(ctx)
	if err != nil {
		return nil, err
	}
	from := status.SyncInfo.LatestBlockHeight

	start := time.Now()
	r.send(ctx, start)
	if f := r.failed.Load(); f != nil {
		return nil, *f
	}
	if err := r.drain(ctx); err != nil {
		return nil, err
	}
	if p.Done != nil {
		p.Done()
	}
	res, err := r.collect(ctx, from, start)
	cancel()
	following.Wait()
	return res, err
}

// dial opens a node for what is asked beside sending.
func dial(e Endpoint) (*target, error) {
	var at wire
	for _, a := range []string{e.RPC, e.API} {
		if a == "" {
			continue
		}
		u, err := url.Parse(a)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%q is no address of a node", a)
		}
		at = wire{host: u.Host, gateway: a == e.API}
	}
	c, err := rpchttp.New(e.RPC, "/websocket")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.RPC, err)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", e.RPC, err)
	}
	return &target{Endpoint: e, wire: at, client: c}, nil
}

func (r *run) tell(height int64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[height]; !ok {
		r.seen[height] = at
	}
	r.high = max(r.high, height)
}

// send lets the workers loose and returns when nothing is left to send.
func (r *run) send(ctx context.Context, start time.Time) {
	var all sync.WaitGroup
	for w := range r.plan.Workers {
		all.Add(1)
		go func() {
			defer all.Done()
			wires := make([]*wire, len(r.nodes))
			for i, n := range r.nodes {
				wires[i] = &wire{host: n.wire.host, gateway: n.wire.gateway}
				defer wires[i].close()
			}
			for ctx.Err() == nil && r.failed.Load() == nil {
				i := int(r.next.Add(1)) - 1
				if i >= len(r.plan.Txs) || r.plan.For > 0 && time.Since(start) > r.plan.For {
					return
				}
				if err := r.one(ctx, i, (i+w)%len(r.nodes), wires, start); err != nil {
					r.failed.CompareAndSwap(nil, &err)
					return
				}
			}
		}()
	}
	all.Wait()
}

// one submits a transaction until the node has taken it.
func (r *run) one(ctx context.Context, i, node int, wires []*wire, start time.Time) error {
	due := time.Time{}
	if r.plan.Rate > 0 {
		due = start.Add(time.Duration(float64(i) / r.plan.Rate * float64(time.Second)))
		if err := sleep(ctx, time.Until(due)); err != nil {
			return nil
		}
	}
	for {
		at := time.Now()
		if !due.IsZero() {
			at = due
		}
		r.sent[i] = at.UnixNano()
		err := r.submit(ctx, r.nodes[node], wires[node], r.plan.Txs[i])
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			r.sent[i] = 0
			return nil
		case !errors.Is(err, ErrBusy):
			return fmt.Errorf("transaction %d: %w", i, err)
		}
		r.busy.Add(1)
		if r.plan.For > 0 && time.Since(start) > r.plan.For || sleep(ctx, busyPause) != nil {
			r.sent[i] = 0
			return nil
		}
	}
}

func (r *run) submit(ctx context.Context, n *target, w *wire, tx []byte) error {
	if n.Send != nil {
		return n.Send(ctx, tx)
	}
	code, log, err := w.broadcast(ctx, tx)
	switch {
	case err != nil:
		return err
	case code != 0 && r.plan.Busy != nil && r.plan.Busy(code):
		return ErrBusy
	case code != 0:
		return fmt.Errorf("refused with code %d: %s", code, log)
	}
	return nil
}

// drain waits until no node has a transaction left and every block that they have was told of.
func (r *run) drain(ctx context.Context) error {
	deadline := time.Now().Add(drainWithin)
	for {
		left, height := 0, int64(0)
		for _, n := range r.nodes {
			a, err := n.client.NumUnconfirmedTxs(ctx)
			if err != nil {
				return err
			}
			s, err := n.client.Status(ctx)
			if err != nil {
				return err
			}
			left, height = left+a.Total, max(height, s.SyncInfo.LatestBlockHeight)
		}
		r.mu.Lock()
		high := r.high
		r.mu.Unlock()
		if left == 0 && high >= height {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d transactions are still in the pools %s after the last was sent", left, drainWithin)
		}
		if err := sleep(ctx, drainEvery); err != nil {
			return err
		}
	}
}

// collect reads the blocks back.
func (r *run) collect(ctx context.Context, from int64, start time.Time) (*Result, error) {
	index := make(map[[32]byte]int, len(r.sent))
	res := &Result{Busy: r.busy.Load()}
	for i, at := range r.sent {
		if at != 0 {
			index[sha256.Sum256(r.plan.Txs[i])] = i
			res.Sent++
		}
	}
	r.mu.Lock()
	to := r.high
	r.mu.Unlock()
	var took []float64
	var last time.Time
	for h := from + 1; h <= to; h++ {
		b, err := r.nodes[0].client.Block(ctx, &h)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", h, err)
		}
		if len(b.Block.Txs) == 0 {
			continue
		}
		out, err := r.nodes[0].client.BlockResults(ctx, &h)
		if err != nil {
			return nil, fmt.Errorf("results of block %d: %w", h, err)
		}
		r.mu.Lock()
		at, told := r.seen[h]
		r.mu.Unlock()
		mine := false
		for i, tx := range b.Block.Txs {
			j, ok := index[sha256.Sum256(tx)]
			if !ok {
				continue
			}
			delete(index, sha256.Sum256(tx))
			mine = true
			if o := out.TxsResults[i]; o.Code != 0 {
				res.Refused++
				if res.FirstRefusal == "" {
					res.FirstRefusal = o.Log
				}
				continue
			}
			res.Committed++
			res.Records += r.plan.PerTx
			res.Bytes += int64(len(tx))
			if told {
				took = append(took, float64(at.UnixNano()-r.sent[j])/1e6)
			}
		}
		if mine {
			res.Blocks++
			if res.First == 0 {
				res.First = h
			}
			res.Last = h
			if told && at.After(last) {
				last = at
			}
		}
	}
	res.Lost = len(index)
	if !last.IsZero() {
		res.Seconds = last.Sub(start).Seconds()
		res.TxsPerSec, res.RecordsPerSec = float64(res.Committed)/res.Seconds, float64(res.Records)/res.Seconds
	}
	slices.Sort(took)
	res.P50, res.P99, res.Max = quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1)
	return res, nil
}

// quantile of sorted values, by nearest rank.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted))+0.9999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
