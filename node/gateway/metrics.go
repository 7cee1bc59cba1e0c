package gateway

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the gateway. Labels are patterns of routes and classes of status: never a subject, a record or a state (INV-04).
type metrics struct {
	requests       *prometheus.CounterVec
	panics         prometheus.Counter
	busy           prometheus.Counter
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
		bundlesRefused: prometheus.NewCounter(prometheus.CounterOpts(name("bundles_refused_total", "Bundles made here that did not verify and were not handed out. Anything but 0 is an alarm."))),
		provenHeight:   prometheus.NewGauge(prometheus.GaugeOpts(name("proven_height", "Newest height whose state the gateway can prove."))),
	}
	if r != nil {
		r.MustRegister(m.requests, m.panics, m.busy, m.bundlesRefused, m.provenHeight)
	}
	return m
}

func statusClass(status int) string { return strconv.Itoa(status/100) + "xx" }
