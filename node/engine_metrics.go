package node

import (
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/proxy"
	"github.com/go-kit/kit/metrics"
	"github.com/go-kit/kit/metrics/discard"
	"github.com/prometheus/client_golang/prometheus"
)

// engineNamespace begins the names of CometBFT's metrics.
const engineNamespace = "cometbft"

// The engine's metrics look their labels up, with a map of their own, each time that something is counted. What is counted for every
// transaction is made here, under the engine's names, with their labels found once.

type engineGauge struct{ prometheus.Gauge }

func (g engineGauge) With(...string) metrics.Gauge { return g }

type engineCounter struct{ prometheus.Counter }

func (c engineCounter) With(...string) metrics.Counter { return c }

type engineHistogram struct{ prometheus.Observer }

func (h engineHistogram) With(...string) metrics.Histogram { return h }

// poolMetrics are the mempool's. Sizes and batches of transactions are not counted.
func poolMetrics(r prometheus.Registerer, chainID string) *mempool.Metrics {
	labels := prometheus.Labels{"chain_id": chainID}
	gauge := func(name, help string) metrics.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: engineNamespace, Subsystem: mempool.MetricsSubsystem, Name: name, Help: help, ConstLabels: labels})
		r.MustRegister(g)
		return engineGauge{g}
	}
	counter := func(name, help string) metrics.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: engineNamespace, Subsystem: mempool.MetricsSubsystem, Name: name, Help: help, ConstLabels: labels})
		r.MustRegister(c)
		return engineCounter{c}
	}
	return &mempool.Metrics{
		Size:               gauge("size", "Number of uncommitted transactions in the mempool."),
		SizeBytes:          gauge("size_bytes", "Total size of the mempool in bytes."),
		FailedTxs:          counter("failed_txs", "Transactions that the gate refused."),
		RejectedTxs:        counter("rejected_txs", "Transactions that found no room."),
		EvictedTxs:         counter("evicted_txs", "Transactions that were let in and died before a block took them."),
		RecheckTimes:       counter("recheck_times", "Transactions that were checked again after a block."),
		AlreadyReceivedTxs: counter("already_received_txs", "Transactions that came once more."),
		ReapedTxs:          counter("reaped_txs", "Transactions that were taken for a block."),

		TxSizeBytes: discard.NewHistogram(), BatchSize: discard.NewHistogram(),
		ActiveOutboundConnections: discard.NewGauge(),
	}
}

// calls is the engine's histogram of what calls of the application take, by method.
type calls struct {
	of   *prometheus.HistogramVec
	made map[[2]string]engineHistogram // of the methods that each transaction calls; read only
}

// callMetrics are those of the engine's connections to the application.
func callMetrics(r prometheus.Registerer, chainID string) *proxy.Metrics {
	c := calls{
		of: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: engineNamespace, Subsystem: proxy.MetricsSubsystem, Name: "method_timing_seconds", Help: "Timing for each ABCI method.",
			ConstLabels: prometheus.Labels{"chain_id": chainID}, Buckets: []float64{.0001, .0004, .002, .009, .02, .1, .65, 2, 6, 25},
		}, []string{"method", "type"}),
		made: map[[2]string]engineHistogram{},
	}
	r.MustRegister(c.of)
	for _, kind := range []string{"sync", "async"} {
		c.made[[2]string{"check_tx", kind}] = engineHistogram{c.of.WithLabelValues("check_tx", kind)}
	}
	return &proxy.Metrics{MethodTimingSeconds: c}
}

// With gives the histogram of one method: the engine calls it with "method", M, "type", T.
func (c calls) With(labels ...string) metrics.Histogram {
	if len(labels) != 4 || labels[0] != "method" || labels[2] != "type" {
		return discard.NewHistogram() // of another version of the engine
	}
	if h, ok := c.made[[2]string{labels[1], labels[3]}]; ok {
		return h
	}
	return engineHistogram{c.of.WithLabelValues(labels[1], labels[3])}
}

// Observe without a method counts nothing.
func (c calls) Observe(float64) {}
