package gateway_test

import (
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/gateway"
)

// twinWorlds are two ledgers of one height: in the first a firm's penalty was published and repaired, in the second as many blocks passed.
func twinWorlds(tb testing.TB) (ws [2]*world, routes []string) {
	tb.Helper()
	for i := range ws {
		w := newWorld(tb)
		w.enrolAll()
		w.do("on 2026-07-20")
		for _, line := range stories[0].lines {
			switch {
			case strings.HasPrefix(line, "= "):
				w.Block()
			case i == 0 || strings.HasPrefix(line, "on "):
				w.do(line)
			default:
				w.do("block")
			}
		}
		w.Block()
		w.Block()
		ws[i] = w
	}
	if a, b := ws[0].Height(), ws[1].Height(); a != b {
		tb.Fatalf("the twins are %d and %d blocks high", a, b)
	}
	for _, p := range gateway.Patterns() {
		method, path, _ := strings.Cut(p, " ")
		if method != http.MethodGet || path == "/metrics" || strings.Contains(path, "/audit/") || strings.HasPrefix(path, "/v1/txs/") {
			continue // of transactions, which the second ledger has fewer of, only who signed them is told
		}
		for _, id := range []string{ws[0].penalty("a", "7"), twinType4} {
			if target := fill(path, ws[0].firm("a"), id); target != path && !slices.Contains(routes, target) {
				routes = append(routes, target)
			}
		}
	}
	return ws, routes
}

// A refusal of what is hidden has read and decoded a row, and one of what is unknown a row like it. By so much they differ, as records do in size.
const (
	refusalCount = 4
	refusalBytes = 600
)

// TestTwinsAllocate is INV-03 for what an answer costs beside the rows that it reads: the allocations of one answer, and their bytes, are those that the same question
// costs where the record never was. Time is not compared here, as no test measures it; BenchmarkTwins does.
func TestTwinsAllocate(t *testing.T) {
	ws, routes := twinWorlds(t)
	if len(routes) < 12 {
		t.Fatalf("%d routes: %v", len(routes), routes)
	}
	for _, target := range routes {
		a, b := ws[0].cost(target), ws[1].cost(target)
		var count, size int
		if a.status == http.StatusNotFound && (strings.Contains(target, "/records/") || strings.Contains(target, "/commitments/")) {
			count, size = refusalCount, refusalBytes
		}
		if a.status != b.status || max(a.count-b.count, b.count-a.count) > count || max(a.bytes-b.bytes, b.bytes-a.bytes) > size {
			t.Errorf("%s: with a repaired record %+v, without %+v", target, a, b)
		}
	}
}

// cost is what an answer allocates.
type cost struct{ status, count, bytes int }

// cost of an answer to the public is the least of some times, as maps and pools allocate now and then. What a member signs is noted, which allocates as the clock has it.
func (w *world) cost(target string) cost {
	w.tb.Helper()
	c := cost{count: math.MaxInt, bytes: math.MaxInt}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 24 {
		r, rec := near(target), &discard{header: http.Header{}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.gateways[0].ServeHTTP(rec, r)
		runtime.ReadMemStats(&after)
		c = cost{rec.status, min(c.count, int(after.Mallocs-before.Mallocs)), min(c.bytes, int(after.TotalAlloc-before.TotalAlloc))}
	}
	if c.status == http.StatusTooManyRequests || c.status == http.StatusServiceUnavailable || c.status == 0 {
		w.tb.Fatalf("%s: status %d, which answers nothing", target, c.status)
	}
	return c
}

// BenchmarkTwins shows how much longer an answer about a firm with a repaired record takes than the same one where the record never was: the median of the ratios of
// pairs asked one after the other, and the ratios between which nine tenths of them lie.
func BenchmarkTwins(b *testing.B) {
	ws, _ := twinWorlds(b)
	for name, target := range map[string]string{
		"attestation": "/v1/subjects/" + ws[0].firm("a") + "/attestation", "standing": "/v1/subjects/" + ws[0].firm("a"),
		"record": "/v1/records/" + ws[0].penalty("a", "7"), "commitment": "/v1/commitments/" + twinType4,
	} {
		b.Run(name, func(b *testing.B) {
			const many = 16 // answers a sample
			once := func(w *world) time.Duration {
				r := near(target)
				began := time.Now()
				for range many {
					w.gateways[0].ServeHTTP(&discard{header: http.Header{}}, r)
				}
				return time.Since(began)
			}
			once(ws[0])
			once(ws[1])
			var ratios []float64
			for n := 0; b.Loop(); n++ {
				var took [2]time.Duration
				for k := range 2 { // each goes first as often as the other
					i := (n + k) % 2
					took[i] = once(ws[i])
				}
				ratios = append(ratios, float64(took[0])/float64(took[1]))
			}
			slices.Sort(ratios)
			at := func(share float64) float64 { return ratios[int(share*float64(len(ratios)-1))] }
			b.ReportMetric(at(0.5), "ratio")
			b.ReportMetric(at(0.05), "ratio-5%")
			b.ReportMetric(at(0.95), "ratio-95%")
		})
	}
}
