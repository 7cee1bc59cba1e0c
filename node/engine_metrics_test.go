package node

import (
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestEngineMetrics: the engine finds every metric of its mempool, and what it counts comes out under its own names.
func TestEngineMetrics(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	pool, app := poolMetrics(r, "test-1"), callMetrics(r, "test-1")
	v := reflect.ValueOf(*pool)
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			t.Errorf("%s is missing", v.Type().Field(i).Name)
		}
	}
	pool.Size.Set(3)
	pool.EvictedTxs.Add(2)
	app.MethodTimingSeconds.With("method", "check_tx", "type", "async").Observe(0.001)
	app.MethodTimingSeconds.With("method", "commit", "type", "sync").Observe(0.001)
	app.MethodTimingSeconds.With("method", "commit", "type", "sync").Observe(0.001)
	app.MethodTimingSeconds.With("another").Observe(1)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name, chain := f.GetName(), ""
			for _, l := range m.Label {
				switch l.GetName() {
				case "chain_id":
					chain = l.GetValue()
				case "method":
					name += "/" + l.GetValue()
				}
			}
			if chain != "test-1" {
				t.Errorf("%s is of chain %q", name, chain)
			}
			got[name] += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"cometbft_mempool_size": 3, "cometbft_mempool_evicted_txs": 2,
		"cometbft_abci_connection_method_timing_seconds/check_tx": 1, "cometbft_abci_connection_method_timing_seconds/commit": 2,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v; there are %v", name, got[name], want, got)
		}
	}
}
