package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// VerifyOptions of Verify. Zero values are the defaults.
type VerifyOptions struct {
	Subjects    int           // enrolled before the clock runs; 100,000
	Seconds     time.Duration // of each phase; 10 s
	Connections int           // to the gateway; 32
	Updates     int           // records a second committed in the second half; 1,000
	Dir         string        // empty folder for the network, left behind; empty: a temporary one, removed
	Filled      string        // folder of a network that Fill made with at least so many subjects: it is used instead, and has more records afterwards
	Program     string        // the xinlian binary; empty: this process's own

	Progress func(format string, args ...any) // nil: nobody is told
}

// Phase is what one kind of request saw in one phase.
type Phase struct {
	Name    string  `json:"name"`
	Offered float64 `json:"requests_per_second_offered"`
	Served  float64 `json:"requests_per_second_served"`
	Count   int     `json:"requests"`
	Refused int     `json:"requests_refused"` // any answer but 200
	P50     float64 `json:"latency_p50_ms"`
	P99     float64 `json:"latency_p99_ms"`
	P999    float64 `json:"latency_p999_ms"`
	Max     float64 `json:"latency_max_ms"`
}

// VerifyReport of Verify.
type VerifyReport struct {
	Subjects    int     `json:"subjects"`
	Connections int     `json:"connections"`
	EnrolSecs   float64 `json:"enrol_seconds"`
	Saturation  float64 `json:"requests_per_second_at_saturation"`
	Wrk         *Wrk    `json:"wrk,omitempty"` // the same by wrk, where that is installed
	BundleBytes int     `json:"bundle_bytes"`
	// BusySaturation is saturation while records are committed, which takes processor time from the gateway.
	BusySaturation float64 `json:"requests_per_second_at_saturation_while_committing"`
	// Idle: between blocks, at half of Saturation; Busy: while records are committed, at half of BusySaturation. Noop is a handler of the same server that
	// answers at once, at the same rate. BusyFull: while records are committed, at half of Saturation all the same.
	Idle, IdleNoop, Busy, BusyNoop, BusyFull Phase
	Committed                                float64 `json:"records_committed_per_second"` // in the busy phases
	Others                                   float64 `json:"others_share"`                 // of the processors, that went to other programs in all of it
}

// ConnectionsMax bounds the connections of a run.
const ConnectionsMax = 1024

func (o *VerifyOptions) complete() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrUsage}, args...)...)
	}
	def := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	def(&o.Subjects, 100_000)
	def(&o.Connections, 32)
	def(&o.Updates, 1000)
	if o.Seconds == 0 {
		o.Seconds = 10 * time.Second
	}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	switch {
	case o.Subjects < 1 || o.Subjects > SubjectsMax:
		return bad("--subjects %d: between 1 and %d", o.Subjects, SubjectsMax)
	case o.Filled != "" && o.Dir != "":
		return bad("--dir makes a network, --filled uses one: give one of them")
	case o.Connections < 1 || o.Connections > ConnectionsMax:
		return bad("--connections %d: between 1 and %d", o.Connections, ConnectionsMax)
	case o.Updates < updatesPerTx || o.Updates > 100_000:
		return bad("--updates %d: between %d and 100000", o.Updates, updatesPerTx)
	case o.Seconds < time.Second || o.Seconds > 10*time.Minute:
		return bad("--seconds: between 1 and 600")
	}
	return nil
}

// updatesPerTx is how many records the transactions of the busy phases carry.
const updatesPerTx = 100

// noopPath is a route of the gateway that only says that it is there.
const noopPath = "/healthz"

// Verify makes a network of one validator, enrols firms, finds out how many attestations a second its gateway serves at most, and measures the
// latency at half of that, beside a handler that does nothing: between blocks, and the same again while records are committed.
func Verify(ctx context.Context, o VerifyOptions) (_ *VerifyReport, err error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	dir := o.Dir
	if o.Filled != "" {
		if dir = o.Filled; !filled(dir) {
			return nil, fmt.Errorf("%w: --filled %s: no network of 'bench fill' is there", ErrUsage, dir)
		}
	} else if dir == "" {
		if dir, err = os.MkdirTemp("", "xinlian-bench-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	network, _, err := runner.Up(ctx, runner.Options{Dir: dir, ChainID: "test-bench", Validators: 1, Program: o.Program, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	defer func() {
		if _, e := runner.Down(dir); err == nil {
			err = e
		}
	}()
	run, err := runNumber()
	if err != nil {
		return nil, err
	}
	src, err := newSource(network, run)
	if err != nil {
		return nil, err
	}
	ends := []Endpoint{{RPC: network.Nodes[0].RPC}}
	rep := &VerifyReport{Subjects: o.Subjects, Connections: o.Connections}
	if o.Filled == "" {
		o.Progress("enrolling %d firms", o.Subjects)
		start := time.Now()
		if err := enrol(ctx, src, ends, o.Subjects); err != nil {
			return nil, err
		}
		rep.EnrolSecs = time.Since(start).Seconds()
	}

	l, err := newAsker(network.Nodes[0].API, o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if rep.BundleBytes, err = checkOne(ctx, network.Nodes[0].API); err != nil {
		return nil, err
	}
	// What asks must not disturb what it measures: this process collects its garbage between the phases, and within one only above a gigabyte.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * runtime.NumCPU())) // as the node does, for the same reason
	before, began := usage(network, false), time.Now()
	o.Progress("looking for saturation")
	if _, err := l.run(ctx, "warm", l.attestation, 0, o.Seconds/4); err != nil {
		return nil, err
	}
	full, err := l.run(ctx, "saturation", l.attestation, 0, o.Seconds)
	if err != nil {
		return nil, err
	}
	rep.Saturation = full.Served
	if rep.Wrk, err = l.runWrk(ctx, o.Seconds); errors.Is(err, ErrNoWrk) {
		o.Progress("%v: nothing stands beside saturation", err)
	} else if err != nil {
		return nil, err
	}
	half := full.Served / 2
	o.Progress("%.0f a second at saturation; measuring at %.0f, between blocks", full.Served, half)
	if rep.IdleNoop, err = l.run(ctx, "no-op, between blocks", l.noop, half, o.Seconds); err != nil {
		return nil, err
	}
	if rep.Idle, err = l.run(ctx, "attestation, between blocks", l.attestation, half, o.Seconds); err != nil {
		return nil, err
	}

	o.Progress("measuring while %d records a second are committed", o.Updates)
	txs, err := src.penalties(int(4*o.Seconds.Seconds()+12)*o.Updates/updatesPerTx, updatesPerTx, o.Subjects)
	if err != nil {
		return nil, err
	}
	type outcome struct {
		r   *Result
		err error
	}
	busy := make(chan outcome, 1)
	go func() {
		r, err := Drive(ctx, ends, Plan{Txs: txs, PerTx: updatesPerTx, Rate: float64(o.Updates) / updatesPerTx, Workers: 8, Busy: noRoom})
		busy <- outcome{r, err}
	}()
	// The first blocks are under way before the clock runs.
	if err := sleep(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		name string
		path func(int64) string
		rate func() float64
		to   *Phase
	}{
		{"saturation, while committing", l.attestation, func() float64 { return 0 }, &full},
		{"no-op, while committing", l.noop, func() float64 { return full.Served / 2 }, &rep.BusyNoop},
		{"attestation, while committing", l.attestation, func() float64 { return full.Served / 2 }, &rep.Busy},
		{"attestation, while committing, at half of saturation between blocks", l.attestation, func() float64 { return half }, &rep.BusyFull},
	} {
		if err != nil {
			break
		}
		*p.to, err = l.run(ctx, p.name, p.path, p.rate(), o.Seconds)
		if e := sleep(ctx, time.Second); err == nil { // what waits for its block is recorded before the next one
			err = e
		}
	}
	rep.BusySaturation = full.Served
	done := <-busy
	if err = errors.Join(err, done.err); err != nil {
		return nil, err
	}
	rep.Committed = done.r.RecordsPerSec
	now := usage(network, false)
	if t := time.Since(began).Seconds() * float64(runtime.NumCPU()); t > 0 {
		rep.Others = max(0, (now.others-before.others)/t)
	}
	return rep, nil
}

// filled says whether a folder holds a network.
func filled(dir string) bool {
	_, err := runner.Load(dir)
	return err == nil
}

// enrol enrols firms 0..n.
func enrol(ctx context.Context, src *source, ends []Endpoint, n int) error {
	const slice = 1_000_000 // of the transactions that wait signed in memory
	for from := 0; from < n; from += slice {
		txs, err := src.enrolments(from, min(from+slice, n), enrolPerTx)
		if err != nil {
			return err
		}
		r, err := Drive(ctx, ends, Plan{Txs: txs, PerTx: enrolPerTx, Workers: 4, Busy: noRoom})
		if err != nil {
			return fmt.Errorf("enrol: %w", err)
		}
		if r.Committed != len(txs) {
			return fmt.Errorf("enrol: %d of %d transactions took effect; %s", r.Committed, len(txs), orNone(r.FirstRefusal))
		}
	}
	return nil
}

// checkOne verifies a bundle as a lender does, so that what is measured is what it should be.
func checkOne(ctx context.Context, api string) (size int, err error) {
	get := func(path string) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, api+path, nil)
		if err != nil {
			return nil, err
		}
		a, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer a.Body.Close()
		if a.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s answers %s", path, a.Status)
		}
		return io.ReadAll(io.LimitReader(a.Body, 1<<20))
	}
	raw, err := get("/v1/trust")
	if err != nil {
		return 0, err
	}
	trust, err := attest.ParseTrust(raw)
	if err != nil {
		return 0, err
	}
	bundle, err := get("/v1/subjects/" + firm(0) + "/attestation")
	if err != nil {
		return 0, err
	}
	v, err := attest.Verify(bundle, trust, attest.Policy{Subject: firm(0), Claim: attest.Enrolled, MaxAge: time.Hour, Now: time.Now()})
	if err == nil && !v.Holds {
		err = errors.New("a firm that was enrolled is not")
	}
	return len(bundle), err
}

// asker is connections to a gateway.
type asker struct {
	host  string
	firms int
	conns []*conn
}

type conn struct {
	net.Conn
	in  *bufio.Reader
	out []byte
	due atomic.Int64 // unix nanoseconds: when the request that is under way was due
}

func newAsker(api string, o VerifyOptions) (*asker, error) {
	u, err := url.Parse(api)
	if err != nil {
		return nil, err
	}
	l := &asker{host: u.Host, firms: o.Subjects}
	for range o.Connections {
		c, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
		if err != nil {
			l.close()
			return nil, err
		}
		l.conns = append(l.conns, &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10)})
	}
	return l, nil
}

func (l *asker) close() {
	for _, c := range l.conns {
		c.Close()
	}
}

// attestation asks for the firms in an order that no cache likes.
func (l *asker) attestation(i int64) string {
	return "/v1/subjects/" + firm(int(uint64(i)*2654435761%uint64(l.firms))) + "/attestation"
}

func (l *asker) noop(int64) string { return noopPath }

// run sends requests for a time: at a rate, each due at its moment whether or not the one before is answered and its latency counted from that
// moment; or, where the rate is 0, as fast as the connections go.
func (l *asker) run(whole context.Context, name string, path func(i int64) string, rate float64, length time.Duration) (Phase, error) {
	ctx, cancel := context.WithCancel(whole)
	defer cancel()
	runtime.GC()
	var (
		start   = time.Now()
		end     = start.Add(length)
		next    atomic.Int64
		refused atomic.Int64
		failed  atomic.Pointer[error]
		took    = make([][]float64, len(l.conns))
		all     sync.WaitGroup
	)
	fail := func(err error) {
		failed.CompareAndSwap(nil, &err)
		cancel()
	}
	for _, c := range l.conns {
		if err := c.SetDeadline(end.Add(time.Minute)); err != nil {
			return Phase{}, err
		}
	}
	answer := func(n int, c *conn) bool {
		status, err := c.answer()
		if err != nil {
			if ctx.Err() == nil {
				fail(err)
			}
			return false
		}
		if status != http.StatusOK {
			refused.Add(1)
		}
		took[n] = append(took[n], float64(time.Now().UnixNano()-c.due.Load())/1e6)
		return true
	}
	idle := make(chan *conn, len(l.conns))
	for n, c := range l.conns {
		idle <- c
		all.Add(1)
		go func() {
			defer all.Done()
			if rate > 0 { // what is due is sent by one goroutine, over whichever connection is idle; this one waits for the answers
				for answer(n, c) {
					idle <- c
				}
				return
			}
			for ctx.Err() == nil {
				at := time.Now()
				if at.After(end) {
					return
				}
				c.due.Store(at.UnixNano())
				if err := c.ask(l.host, path(next.Add(1))); err != nil {
					fail(err)
					return
				}
				if !answer(n, c) {
					return
				}
			}
		}()
	}
	if rate > 0 {
		err := pace(ctx, start, rate, int64(rate*length.Seconds()), func(i int64, due time.Time) error {
			select {
			case c := <-idle:
				c.due.Store(due.UnixNano())
				return c.ask(l.host, path(i))
			case <-ctx.Done():
				return nil
			}
		})
		if err != nil {
			fail(err)
		}
		for range l.conns { // until all is answered
			select {
			case <-idle:
			case <-ctx.Done():
			}
		}
		cancel()
		for _, c := range l.conns { // nothing more comes: wake who waits
			if err := c.SetReadDeadline(start); err != nil {
				return Phase{}, err
			}
		}
	}
	asked := time.Since(start)
	all.Wait()
	if err := failed.Load(); err != nil {
		return Phase{}, fmt.Errorf("%s: %w", name, *err)
	}
	if err := context.Cause(whole); err != nil {
		return Phase{}, err
	}
	lat := slices.Concat(took...)
	slices.Sort(lat)
	return Phase{
		Name: name, Offered: rate, Served: float64(len(lat)) / max(asked, length).Seconds(), Count: len(lat), Refused: int(refused.Load()),
		P50: quantile(lat, 0.5), P99: quantile(lat, 0.99), P999: quantile(lat, 0.999), Max: quantile(lat, 1),
	}, nil
}

// pace sends each request when it is due. It sleeps in the kernel: the runtime's own timers are a millisecond late on a process that has nothing else
// to do, which would be taken for the gateway's.
func pace(ctx context.Context, start time.Time, rate float64, total int64, send func(i int64, due time.Time) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := int64(0); i < total && ctx.Err() == nil; {
		passed := time.Since(start).Seconds()
		for ; i < total && float64(i)/rate <= passed; i++ {
			if err := send(i, start.Add(time.Duration(float64(i)/rate*1e9))); err != nil {
				return err
			}
		}
		if wait := time.Duration((float64(i)/rate - time.Since(start).Seconds()) * 1e9); wait > 0 {
			t := syscall.NsecToTimespec(int64(max(wait, 50*time.Microsecond)))
			_ = syscall.Nanosleep(&t, nil) // a signal wakes it: it looks again
		}
	}
	return nil
}

// ask sends one request.
func (c *conn) ask(host, path string) error {
	c.out = append(c.out[:0], "GET "...)
	c.out = append(append(c.out, path...), " HTTP/1.1\r\nHost: "...)
	c.out = append(append(c.out, host...), "\r\n\r\n"...)
	_, err := c.Write(c.out)
	return err
}

// answer reads the answer to the end.
func (c *conn) answer() (status int, err error) {
	length := -1
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			_, rest, ok := bytes.Cut(line, []byte(" "))
			if !ok || len(rest) < 3 {
				return 0, errors.New("the answer is not HTTP")
			}
			if status, err = strconv.Atoi(string(rest[:3])); err != nil {
				return 0, err
			}
		case len(line) == 0:
			if length < 0 {
				return 0, errors.New("the answer does not tell its length")
			}
			_, err := c.in.Discard(length)
			return status, err
		case len(line) > 15 && strings.EqualFold(string(line[:15]), "Content-Length:"):
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[15:]))); err != nil {
				return 0, err
			}
		}
	}
}
