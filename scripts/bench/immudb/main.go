// Command immudb measures immudb's verified read over loopback, to stand beside an attestation from the gateway: the nearest thing that a lender could
// use today. It is a module of its own, so that nothing of immudb, whose licence is not a free one, comes near the product.
//
// Trust: whoever can change this can at most make the peer look better or worse than it is.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codenotary/immudb/embedded/logger"
	"github.com/codenotary/immudb/pkg/api/schema"
	"github.com/codenotary/immudb/pkg/client"
	"github.com/codenotary/immudb/pkg/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type report struct {
	Version     string  `json:"version"`
	Keys        int     `json:"keys"`
	PerTx       int     `json:"keys_per_transaction"`
	Connections int     `json:"connections"`
	Saturation  float64 `json:"verified_reads_per_second_at_saturation"`
	P50         float64 `json:"latency_p50_ms"` // of one client that asks for one key after the other
	P99         float64 `json:"latency_p99_ms"`
}

func main() {
	keys := flag.Int("keys", 200_000, "keys")
	perTx := flag.Int("per-tx", 1, "keys a transaction: a verified read of immudb carries the digests of all entries of the key's transaction")
	connections := flag.Int("connections", 8, "clients at saturation")
	seconds := flag.Float64("seconds", 10, "length of each of the two phases")
	flag.Parse()
	out := os.Stdout
	os.Stdout = os.Stderr // the server greets there
	r, err := run(*keys, *perTx, *connections, time.Duration(*seconds*float64(time.Second)))
	if err == nil {
		err = json.NewEncoder(out).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "immudb:", err)
		os.Exit(1)
	}
}

func run(keys, perTx, connections int, length time.Duration) (*report, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "xinlian-immudb-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := server.DefaultServer()
	s.WithOptions(server.DefaultOptions().WithDir(dir).WithAddress("127.0.0.1").WithPort(port).WithMetricsServer(false).WithWebServer(false).WithPgsqlServer(false).
		WithLogfile(dir + "/log"))
	s.WithLogger(logger.NewSimpleLoggerWithLevel("immudb", os.Stderr, logger.LogError))
	if err := s.Initialize(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	defer s.Stop()

	open := func(n int) (client.ImmuClient, error) {
		state := fmt.Sprintf("%s/client%d", dir, n)
		if err := os.MkdirAll(state, 0o700); err != nil {
			return nil, err
		}
		o := client.DefaultOptions().WithAddress("127.0.0.1").WithPort(port).WithDir(state).
			WithDialOptions([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20))})
		c := client.NewClient().WithOptions(o)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := c.OpenSession(ctx, []byte("immudb"), []byte("immudb"), "defaultdb")
			if err == nil {
				return c, nil
			}
			select {
			case e := <-ended:
				return nil, errors.Join(err, e)
			default:
			}
			if time.Now().After(deadline) {
				return nil, err
			}
		}
	}
	c, err := open(0)
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, c, keys, perTx); err != nil {
		return nil, err
	}
	r := &report{Version: "v1.9.6", Keys: keys, PerTx: perTx, Connections: connections}
	var took []float64
	for i, end := uint64(0), time.Now().Add(length); time.Now().Before(end); i++ {
		at := time.Now()
		if _, err := c.VerifiedGet(ctx, keyOf(i*2654435761%uint64(keys))); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(at))/1e6)
	}
	slices.Sort(took)
	r.P50, r.P99 = took[len(took)/2], took[len(took)*99/100]

	var (
		all    sync.WaitGroup
		next   atomic.Uint64
		served atomic.Int64
		failed atomic.Pointer[error]
	)
	clients := []client.ImmuClient{c}
	for n := 1; n < connections; n++ {
		c, err := open(n)
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	start := time.Now()
	for _, c := range clients {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Since(start) < length {
				if _, err := c.VerifiedGet(ctx, keyOf(next.Add(1)*2654435761%uint64(keys))); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				served.Add(1)
			}
		}()
	}
	all.Wait()
	r.Saturation = float64(served.Load()) / time.Since(start).Seconds()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return r, nil
}

// fill writes the keys, each with a value of the size of a small standing.
func fill(ctx context.Context, c client.ImmuClient, keys, perTx int) error {
	value := make([]byte, 200)
	var (
		all    sync.WaitGroup
		next   atomic.Int64
		failed atomic.Pointer[error]
	)
	for range 16 { // immudb writes the transactions of many clients with one sync, and takes no more than 30
		all.Add(1)
		go func() {
			defer all.Done()
			for failed.Load() == nil {
				from := int(next.Add(int64(perTx))) - perTx
				if from >= keys {
					return
				}
				req := &schema.SetRequest{}
				for i := from; i < min(from+perTx, keys); i++ {
					req.KVs = append(req.KVs, &schema.KeyValue{Key: keyOf(uint64(i)), Value: value})
				}
				if _, err := c.SetAll(ctx, req); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
			}
		}()
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return fmt.Errorf("fill: %w", *err)
	}
	return nil
}

func keyOf(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte("firm"), n) }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
