package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/node/bench"
)

// measured runs a bench command and reads the report that it prints.
func measured(t *testing.T, report any, args ...string) {
	t.Helper()
	out, _ := xinlian(t, 0, append(append([]string{"bench"}, args...), "--json")...)
	if err := json.Unmarshal([]byte(out), report); err != nil {
		t.Fatalf("bench %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestBench: the commands that measure go from their beginning to their end over real nodes, and what they report is of what they were asked to do. How fast it
// was is no matter of a test.
func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nodes and loads them")
	}
	t.Parallel()
	t.Run("load", func(t *testing.T) {
		t.Parallel()
		var r bench.Report
		measured(t, &r, "load", "--records", "1000", "--per-tx", "100", "--subjects", "50", "--kill", "--replay")
		if r.Records != 1000 || r.Committed != 10 || r.Refused+r.Lost != 0 || r.RecordsPerSec <= 0 || r.P50 <= 0 || r.P99 < r.P50 {
			t.Errorf("%+v", r.Result)
		}
		if r.RestartSeconds <= 0 || r.Audit == nil || r.ReplayRate <= 0 || r.ChainRate <= 0 || r.StateBytes <= 0 || r.BlockBytes <= 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("fill and verify", func(t *testing.T) {
		t.Parallel()
		const firms = 200
		dir := filepath.Join(t.TempDir(), "net")
		t.Cleanup(func() { runner.Down(dir) })
		var f bench.FillReport
		measured(t, &f, "fill", "--dir", dir, "--records", "1000", "--subjects", "200", "--kills", "1")
		if f.Records != 1000 || f.Subjects != firms || f.Height <= 0 || len(f.Starts) != 2 || f.Starts[1].After != "SIGKILL" || f.Starts[1].Ready <= 0 {
			t.Errorf("%+v", f)
		}

		var r bench.VerifyReport
		measured(t, &r, "verify", "--filled", dir, "--subjects", "200", "--seconds", "1", "--connections", "8", "--updates", "100")
		if r.Subjects != firms || r.Saturation <= 0 || r.BusySaturation <= 0 || r.BundleBytes <= 0 || r.Committed <= 0 {
			t.Errorf("%+v", r)
		}
		for _, share := range []float64{r.Away, r.Others, r.Idle.HeldUp} {
			if share < 0 || share > 1 {
				t.Errorf("a share of %v", share)
			}
		}
		if len(r.Curve) != 5 || !reflect.DeepEqual(r.Curve[2], r.Idle) {
			t.Fatalf("offered load against latency: %+v", r.Curve)
		}
		at := func(p bench.Phase, load float64) {
			t.Helper()
			if math.Abs(p.Offered-load) > 1e-6*load || p.Count == 0 || p.P50 <= 0 || p.P99 < p.P50 || p.P999 < p.P99 || p.Max < p.P999 || len(p.P99Seconds) != 1 || p.P99Median() != p.P99 {
				t.Errorf("at %.1f/s: %+v", load, p)
			}
		}
		for i, share := range []float64{0.1, 0.25, 0.5, 0.75, 0.9} {
			at(r.Curve[i], share*r.Saturation)
		}
		at(r.IdleNoop, r.Saturation/2)
		at(r.BusyNoop, r.BusySaturation/2)
		at(r.Busy, r.BusySaturation/2)
		at(r.BusyFull, r.Saturation/2)
	})
}
