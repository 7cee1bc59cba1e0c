package node

import (
	"context"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/prometheus/client_golang/prometheus"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Metrics is every metric of the node; the gateway adds its own to the same registry. Labels carry codes, never an identifier:
// what a metric says stays where a repair cannot reach it.
type Metrics struct {
	Registry *prometheus.Registry

	Height        prometheus.Gauge
	Committed     prometheus.Counter     // messages that took effect
	Refused       *prometheus.CounterVec // by stage (check, block) and code
	TimersBacklog prometheus.Gauge
	Alarms        *prometheus.CounterVec // by kind
	ProofSeconds  prometheus.Histogram
}

func newMetrics(blockAge func() float64) *Metrics {
	m := &Metrics{
		Registry:      prometheus.NewRegistry(),
		Height:        prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinlian_height", Help: "Newest committed height."}),
		Committed:     prometheus.NewCounter(prometheus.CounterOpts{Name: "xinlian_messages_committed_total", Help: "Messages that took effect, since the start of the process."}),
		Refused:       prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xinlian_refused_total", Help: "Transactions refused, by stage and permanent code."}, []string{"stage", "code"}),
		TimersBacklog: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinlian_timers_backlog", Help: "Timers that are due and have not run."}),
		Alarms:        prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xinlian_alarms_total", Help: "Conditions that a person must look at, by kind."}, []string{"kind"}),
		ProofSeconds:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "xinlian_proof_seconds", Help: "Time to build a bundle.", Buckets: prometheus.ExponentialBuckets(50e-6, 2, 14)}),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "xinlian_block_age_seconds", Help: "Local clock minus the newest block's time."}, blockAge)
	m.Registry.MustRegister(m.Height, age, m.Committed, m.Refused, m.TimersBacklog, m.Alarms, m.ProofSeconds)
	return m
}

// gatherer gives our metrics, and with engine those of CometBFT and of the Go runtime, which live in the process-wide registry.
func (m *Metrics) gatherer(engine bool) prometheus.Gatherer {
	if !engine {
		return m.Registry
	}
	return prometheus.Gatherers{m.Registry, prometheus.DefaultGatherer}
}

// metered counts what passes between CometBFT and the application, and changes nothing. What a block did is counted when it is
// committed: FinalizeBlock runs again after a crash.
type metered struct {
	abci.Application
	m         *Metrics
	committed func(height int64)

	staged []*abci.ExecTxResult // owned by the consensus connection
	height int64                // as staged
}

func (a *metered) CheckTx(ctx context.Context, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	resp, err := a.Application.CheckTx(ctx, req)
	if err == nil && resp.Code != 0 && req.Type == abci.CheckTxType_New {
		a.m.Refused.WithLabelValues("check", fmt.Sprint(resp.Code)).Inc()
	}
	return resp, err
}

func (a *metered) FinalizeBlock(ctx context.Context, req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	resp, err := a.Application.FinalizeBlock(ctx, req)
	if err == nil {
		a.staged, a.height = resp.TxResults, req.Height
	}
	return resp, err
}

func (a *metered) Commit(ctx context.Context, req *abci.RequestCommit) (*abci.ResponseCommit, error) {
	resp, err := a.Application.Commit(ctx, req)
	if err != nil {
		return resp, err
	}
	for _, r := range a.staged {
		if r.Code != 0 {
			a.m.Refused.WithLabelValues("block", fmt.Sprint(r.Code)).Inc()
			continue
		}
		var res pb.TxResult
		if pb.Decode(r.Data, &res) == nil {
			a.m.Committed.Add(float64(len(res.Results)))
		}
	}
	a.m.Height.Set(float64(a.height))
	a.committed(a.height)
	a.staged = nil
	return resp, nil
}

func ageOf(t time.Time) float64 {
	if t.IsZero() || t.Unix() <= 0 {
		return 0
	}
	return time.Since(t).Seconds()
}
