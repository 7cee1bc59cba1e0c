package gateway

import (
	"context"
	"math"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the gateway. Labels are patterns of routes and classes of status: never a subject, a record or a state (INV-04).
type metrics struct {
	requests       *prometheus.CounterVec
	panics         prometheus.Counter
	busy           prometheus.Counter
	bundlesChecked prometheus.Counter
	bundlesRefused prometheus.Counter
	provenHeight   prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	name := func(n, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "xinlian", Subsystem: "gateway", Name: n, Help: help}
	}
	m := &metrics{
		requests:       prometheus.NewCounterVec(prometheus.CounterOpts(name("requests_total", "Requests by route and class of status.")), []string{"route", "status"}),
		panics:         prometheus.NewCounter(prometheus.CounterOpts(name("panics_total", "Requests that a panic ended: a failing disk or a bug."))),
		busy:           prometheus.NewCounter(prometheus.CounterOpts(name("busy_total", "Requests refused because too many were at work."))),
		bundlesChecked: prometheus.NewCounter(prometheus.CounterOpts(name("bundles_checked_total", "Bundles made here that were verified before they left."))),
		bundlesRefused: prometheus.NewCounter(prometheus.CounterOpts(name("bundles_refused_total", "Bundles made here that did not verify and were not handed out. Anything but 0 is an alarm."))),
		provenHeight:   prometheus.NewGauge(prometheus.GaugeOpts(name("proven_height", "Newest height whose state the gateway can prove."))),
	}
	if r != nil {
		r.MustRegister(m.requests, m.panics, m.busy, m.bundlesChecked, m.bundlesRefused, m.provenHeight)
	}
	return m
}

// meterReceipts adds the metrics of a lenders' gateway: of its journal as a whole, without a label, so that they name neither firm nor lender. They are for
// who runs it and has the journal; what others see of it, the anchors, tells no number. NaN: the journal cannot be read, or lacks what the ledger holds.
func (g *Gateway) meterReceipts(r prometheus.Registerer) {
	opts := func(n, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "xinlian", Subsystem: "receipts", Name: n, Help: help}
	}
	j := g.o.Lending.Journal
	r.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts(opts("total", "Receipts in the journal.")), func() float64 {
			n, err := j.Receipts()
			if err != nil {
				return math.NaN()
			}
			return float64(n)
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts(opts("writes_total", "Writes of the journal to disk, since the start of the process; receipts that wait together share one.")), func() float64 {
			return float64(j.Writes())
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("unanchored_age_seconds", "Age of the oldest receipt that no anchor on the ledger covers; 0: all are covered. More than two hours: anchors do not arrive.")), g.unanchoredAge),
	)
}

func (g *Gateway) unanchoredAge() float64 {
	last, whole, err := g.anchored(context.Background())
	if err != nil {
		return math.NaN()
	}
	if !whole {
		last = -1 // it covers none of this journal's
	}
	since, err := g.o.Lending.Journal.Waiting(last)
	switch {
	case err != nil:
		return math.NaN()
	case since.IsZero():
		return 0
	}
	return max(0, g.o.Now().Sub(since).Seconds())
}

func statusClass(status int) string { return strconv.Itoa(status/100) + "xx" }
