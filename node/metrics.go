package node

import (
	"context"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
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
	Connections   prometheus.Gauge
	TurnedAway    prometheus.Counter
}

// sources are what is asked when the metrics are read.
type sources struct {
	blockAge func() float64
	backlog  func(x.TimerClass) float64 // timers that are due and have not run
	alarm    func() bool                // the watchdog has decided
	calendar func() float64             // legal days for which the calendar of working days is known

	compacted compacted // the last compaction
}

func newMetrics(from sources) *Metrics {
	m := &Metrics{
		Registry:  prometheus.NewRegistry(),
		Height:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinlian_height", Help: "Newest committed height."}),
		Committed: prometheus.NewCounter(prometheus.CounterOpts{Name: "xinlian_messages_committed_total", Help: "Messages that took effect, since the start of the process."}),
		Refused:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xinlian_refused_total", Help: "Transactions refused, by stage (check, block) and permanent code."}, []string{"stage", "code"}),
	}
	m.Connections = prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinlian_connections", Help: "Open connections of readers and of the operator."})
	m.TurnedAway = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "xinlian_connections_refused_total", Help: "Connections that were told that there are too many, or closed: api.connections, api.peer_connections.",
	})
	gauge := func(name, help string, labels prometheus.Labels, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, f)
	}
	const alarm, alarmHelp = "xinlian_alarm", "1 while a condition stands that a person must look at."
	const compaction, compactionHelp = "xinlian_compaction_bytes", "Disk of the state folder before, at the peak of and after the last compaction; 0: there was none."
	when := func(w string) prometheus.Labels { return prometheus.Labels{"when": w} }
	kind := func(k string) prometheus.Labels { return prometheus.Labels{"kind": k} }
	m.Registry.MustRegister(
		m.Height, m.Committed, m.Refused, m.Connections, m.TurnedAway,
		gauge("xinlian_block_age_seconds", "Local clock minus the newest block's time.", nil, from.blockAge),
		gauge("xinlian_timers_backlog", "Timers that are due and have not run (counted up to 100000 a class).", nil, func() float64 {
			return from.backlog(x.EndsVisibility) + from.backlog(x.Decided) + from.backlog(x.Other)
		}),
		gauge("xinlian_calendar_days", "Legal days from today for which the calendar of working days (holidays) is known; beyond them Monday to Friday count. -1: today's year has none, or there is no block yet.", nil, from.calendar),
		gauge(compaction, compactionHelp, when("before"), func() float64 { return float64(from.compacted.Before) }),
		gauge(compaction, compactionHelp, when("peak"), func() float64 { return float64(from.compacted.Peak) }),
		gauge(compaction, compactionHelp, when("after"), func() float64 { return float64(from.compacted.Bytes) }),
		gauge(alarm, alarmHelp, kind("visibility_backlog"), func() float64 { return one(from.backlog(x.EndsVisibility) > 0) }),
		gauge(alarm, alarmHelp, kind("watchdog"), func() float64 { return one(from.alarm()) }),
	)
	return m
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// gatherer gives our metrics, and with engine those of CometBFT and of the Go runtime, which live in the process-wide registry.
func (m *Metrics) gatherer(engine bool) prometheus.Gatherer {
	if !engine {
		return m.Registry
	}
	return prometheus.Gatherers{m.Registry, prometheus.DefaultGatherer}
}

// metered counts what passes between CometBFT and the application, and adds to a commit which old blocks may go. What a block refused
// is counted when it is committed: FinalizeBlock runs again after a crash. What it did is counted when it is on disk (Node.onDurable).
type metered struct {
	abci.Application
	m      *Metrics
	risen  func(height int64)       // the node is at this height
	retain func(height int64) int64 // lowest height whose block stays
	again  func(txs [][]byte)       // the block had no room to carry these out, and the mempool forgets them with it

	staged []*abci.ExecTxResult // owned by the consensus connection
	waits  [][]byte             // as staged
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
		a.staged, a.height, a.waits = resp.TxResults, req.Height, nil
		for i, r := range resp.TxResults {
			if r.Code == app.ErrWork.Number {
				a.waits = append(a.waits, req.Txs[i])
			}
		}
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
		}
	}
	resp.RetainHeight = a.retain(a.height)
	if len(a.waits) > 0 {
		a.again(a.waits)
	}
	a.staged, a.waits = nil, nil
	return resp, nil
}

func ageOf(t time.Time) float64 {
	if t.IsZero() || t.Unix() <= 0 {
		return 0
	}
	return time.Since(t).Seconds()
}

// calendarDays is how many legal days from today on have holidays in the calendar; -1: none, or there is no block yet.
func (n *Node) calendarDays() float64 {
	s, days := n.app.Status(), -1
	if s.Height == 0 {
		return -1
	}
	today := calendar.Of(s.LegalTime.Unix())
	err := n.app.Read(func(r x.Reader) error {
		if until := catalog.CalendarUntil(r, today); until.IsSet() {
			days = int(until) - int(today)
		}
		return nil
	})
	if err != nil {
		return -1
	}
	return float64(days)
}
