package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// While blocks are made as fast as they can be, every bundle still verifies, and speaks of a height that does not fall.
func TestBundlesWhileBlocksAreMade(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.Block()
	trust, err := attest.ParseTrust(w.public("/v1/trust").body)
	must(t, err)
	v, err := attest.NewVerifier(trust)
	must(t, err)
	target, policy := "/v1/subjects/"+w.firm("a")+"/attestation", attest.Policy{
		Subject: w.firm("a"), Claim: attest.Enrolled, MaxAge: time.Hour, Now: w.Cluster.Blocks[0].Time.Add(time.Minute),
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run := make(chan struct{})
	go func() { defer close(run); w.gateways[0].Run(ctx) }()
	var readers sync.WaitGroup
	for range 4 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			last := int64(0)
			for range 150 {
				rec := httptest.NewRecorder()
				w.gateways[0].ServeHTTP(rec, near(target))
				d, err := v.Verify(rec.Body.Bytes(), policy)
				if rec.Code == http.StatusServiceUnavailable {
					continue // the window of heights in memory has passed; try again
				}
				if err != nil || !d.Holds || d.Height < last {
					t.Errorf("%d %v %+v", rec.Code, err, d)
					return
				}
				last = d.Height
			}
		}()
	}
	for range 40 {
		w.blocks.mu.Lock()
		w.Block()
		w.blocks.mu.Unlock()
	}
	readers.Wait()
	cancel()
	<-run
	if a := w.get("", target); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// What a bundle costs at the handler, beside the same handler with nothing to prove.
func BenchmarkAttestation(b *testing.B) {
	w := newWorld(b)
	w.enrolAll()
	w.Block()
	for name, target := range map[string]string{"attestation": "/v1/subjects/" + w.firm("a") + "/attestation", "standing": "/v1/subjects/" + w.firm("a"), "status": "/v1/status"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rec := &discard{header: http.Header{}}
				w.gateways[0].ServeHTTP(rec, near(target))
				if rec.status != 200 {
					b.Fatal(rec.status)
				}
			}
		})
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d *discard) WriteHeader(status int)      { d.status = status }

// near is a request of a peer on this machine, whose rate is not bounded.
func near(target string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	r.RemoteAddr = "127.0.0.1:1"
	return r
}

// So many bundles a second are verified before they leave; those beyond leave as well.
func TestChecksPerSecond(t *testing.T) {
	const asked = 5
	for _, tt := range []struct{ perSecond, want int }{{0, asked}, {1, 1}, {30, 3}} { // a tenth of a second's may come at once
		w := newWorld(t, func(o *gateway.Options) { o.ChecksPerSecond = tt.perSecond })
		w.enrolAll()
		w.Block()
		noon := time.Date(2026, 10, 12, 12, 0, 0, 0, time.UTC)
		w.now = func() time.Time { return noon }
		before := int(w.metric("xinlian_gateway_bundles_checked_total"))
		for range asked {
			if a := w.get("", "/v1/subjects/"+w.firm("a")+"/attestation"); a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		if n := int(w.metric("xinlian_gateway_bundles_checked_total")) - before; n != tt.want {
			t.Errorf("%d a second: of %d bundles at one moment %d were checked, not %d", tt.perSecond, asked, n, tt.want)
		}
	}
}
