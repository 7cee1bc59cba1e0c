package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
	// HeldUp is the share of the requests during which the thread that asks was itself kept from its processor: it shares the machine with what it measures. They count
	// above like all others; P99Rest is what the rest took. Of phases at a rate.
	HeldUp  float64 `json:"requests_held_up_share"`
	P99Rest float64 `json:"latency_p99_rest_ms"`
	// P99Seconds is the 99th percentile of each second of the phase by itself, from the least to the most: a processor that was away once is in one of them, and in P99
	// for all.
	P99Seconds []float64 `json:"latency_p99_ms_of_seconds"`
}

// P99Median is the 99th percentile in the median second.
func (p Phase) P99Median() float64 { return quantile(p.P99Seconds, 0.5) }

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
	// Curve is offered load against latency: attestations between blocks at growing shares of Saturation, for half of the time of a phase; Idle is among them.
	Curve     []Phase `json:"curve_between_blocks"`
	Committed float64 `json:"records_committed_per_second"` // in the busy phases
	// Away is the share of the time in which at least one processor was not to be had for a millisecond or longer, while as many threads as there are processors
	// looked at the clock and the node did next to nothing: what the machine's kernel and its host take. Requests that come meanwhile wait, and at half of
	// saturation those too that come while the queue is worked off.
	Away   float64 `json:"processor_away_share"`
	Others float64 `json:"others_share"` // of the processors, that went to other programs in all of it
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
	// The newest block of a network that was down is as old as that, until it makes another.
	for began := time.Now(); ; {
		rep.BundleBytes, err = checkOne(ctx, network.Nodes[0].API)
		if err == nil {
			break
		}
		if !errors.Is(err, attest.ErrStale) || time.Since(began) > time.Minute {
			return nil, err
		}
		if err := sleep(ctx, drainEvery); err != nil {
			return nil, err
		}
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
	rep.Away = away(o.Seconds)
	o.Progress("%.0f a second at saturation; measuring at %.0f, between blocks", full.Served, half)
	if rep.IdleNoop, err = l.run(ctx, "no-op, between blocks", l.noop, half, o.Seconds); err != nil {
		return nil, err
	}
	for _, percent := range curveAt {
		name, length, load := fmt.Sprintf("attestation, between blocks, at %d %%", percent), o.Seconds/2, rep.Saturation*float64(percent)/100
		if percent == 50 {
			name, length, load = "attestation, between blocks", o.Seconds, half
		}
		p, err := l.run(ctx, name, l.attestation, load, length)
		if err != nil {
			return nil, err
		}
		if percent == 50 {
			rep.Idle = p
		}
		rep.Curve = append(rep.Curve, p)
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

// curveAt is the load of VerifyReport.Curve, percent of saturation.
var curveAt = []int{10, 25, 50, 75, 90}

// awayLeast is how long a processor must be away to count.
const awayLeast = time.Millisecond

// away measures VerifyReport.Away for a time. A gap between two looks at the clock is time in which the thread did not run.
func away(length time.Duration) float64 {
	type gap struct{ from, to time.Duration }
	gaps := make([][]gap, runtime.NumCPU())
	start := time.Now()
	var all sync.WaitGroup
	for cpu := range gaps {
		all.Go(func() {
			runtime.LockOSThread() // and ends with the goroutine
			var only unix.CPUSet
			only.Set(cpu)
			unix.SchedSetaffinity(0, &only) // where this processor may not be used, the thread runs on another
			for last := time.Duration(0); last < length; {
				now := time.Since(start)
				if now-last >= awayLeast {
					gaps[cpu] = append(gaps[cpu], gap{last, now})
				}
				last = now
			}
		})
	}
	all.Wait()
	every := slices.Concat(gaps...)
	slices.SortFunc(every, func(a, b gap) int { return cmp.Compare(a.from, b.from) })
	var sum, end time.Duration
	for _, g := range every {
		sum += max(0, g.to-max(g.from, end))
		end = max(end, g.to)
	}
	return min(1, sum.Seconds()/length.Seconds())
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

// asker is connections to a gateway. Two threads send and read over them at a rate, one in a closed loop: what asks shares the
// processors with what it measures, and a goroutine for each connection, woken for each answer, would take much of them.
type asker struct {
	host  string
	firms int
	conns []*conn
}

// conn is one connection. Its socket is not the runtime's, which would wake a thread of its own for each answer.
type conn struct {
	fd  int
	due int64  // of the request that is under way: nanoseconds after the start of the phase
	in  []byte // of its answer, so far
	out []byte
	oob [64]byte // what the system says of what was read: when it came
}

func newAsker(api string, o VerifyOptions) (*asker, error) {
	u, err := url.Parse(api)
	if err != nil {
		return nil, err
	}
	at, err := netip.ParseAddrPort(u.Host)
	if err != nil || !at.Addr().Is4() {
		return nil, fmt.Errorf("%s: the gateway of a network on this machine is at an address of IPv4 and a port", api)
	}
	l := &asker{host: u.Host, firms: o.Subjects}
	for range o.Connections {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			l.close()
			return nil, err
		}
		l.conns = append(l.conns, &conn{fd: fd})
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
		if err == nil {
			err = errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
				unix.SetNonblock(fd, true))
		}
		if err != nil {
			l.close()
			return nil, fmt.Errorf("connect to %s: %w", u.Host, err)
		}
	}
	return l, nil
}

func (l *asker) close() {
	for _, c := range l.conns {
		unix.Close(c.fd)
	}
}

// attestation asks for the firms in an order that no cache likes.
func (l *asker) attestation(i int64) string {
	return "/v1/subjects/" + firm(int(uint64(i)*2654435761%uint64(l.firms))) + "/attestation"
}

func (l *asker) noop(int64) string { return noopPath }

// run sends requests for a time: at a rate, each due at its moment whether or not the one before is answered and its latency counted from that
// moment; or, where the rate is 0, as fast as the connections go.
func (l *asker) run(ctx context.Context, name string, path func(i int64) string, rate float64, length time.Duration) (Phase, error) {
	runtime.GC()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// In a closed loop, one asks at the least cost: of several, each is woken for an answer or two, and that takes more from the gateway than they ask of it. How long an answer took then says nothing of
	// the gateway: it waited until others were asked for.
	threads := 1
	if rate > 0 {
		threads = openThreads
	}
	parts := make([]part, min(threads, len(l.conns)))
	start := time.Now()
	var all sync.WaitGroup
	for n := range parts {
		p := &parts[n]
		p.asker, p.start, p.rate, p.length, p.path = l, start, rate, length, path
		p.total, p.next, p.first, p.stride = int64(rate*length.Seconds()), int64(n), int64(n), int64(len(parts))
		for i := n; i < len(l.conns); i += len(parts) {
			p.conns = append(p.conns, l.conns[i])
		}
		all.Add(1)
		go func() {
			defer all.Done()
			if err := p.run(ctx); err != nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		}()
	}
	all.Wait()
	asked := max(time.Since(start), length)
	if err := context.Cause(ctx); err != nil {
		return Phase{}, err
	}
	var took, rest []float64
	seconds := make([][]float64, max(1, int(length/time.Second))) // what is left over of the last one is its
	refused := 0
	for _, p := range parts {
		refused += p.refused
		for _, l := range p.took {
			took = append(took, l.took)
			if !l.heldUp {
				rest = append(rest, l.took)
			}
			n := min(int(l.due/int64(time.Second)), len(seconds)-1)
			seconds[n] = append(seconds[n], l.took)
		}
	}
	slices.Sort(took)
	slices.Sort(rest)
	ph := Phase{
		Name: name, Offered: rate, Served: float64(len(took)) / asked.Seconds(), Count: len(took), Refused: refused,
		P50: quantile(took, 0.5), P99: quantile(took, 0.99), P999: quantile(took, 0.999), Max: quantile(took, 1),
		HeldUp: 1 - float64(len(rest))/float64(max(1, len(took))), P99Rest: quantile(rest, 0.99),
	}
	for _, s := range seconds {
		slices.Sort(s)
		ph.P99Seconds = append(ph.P99Seconds, quantile(s, 0.99))
	}
	slices.Sort(ph.P99Seconds)
	return ph, nil
}

// openThreads ask at a rate, in turn, each on a processor of its own: where one is kept from it, the other goes on.
const openThreads = 2

// tick is how often one of the threads that ask at a rate wakes: then it sends its requests that are due, and reads the answers that have come. Requests are due at
// the ticks, a few at once; when an answer came, the system says. Threads that wake for each request and for each answer took a third of both processors.
const tick = 250 * time.Microsecond

// promptly has the kernel run the thread that asks soon after it wakes, on one processor: it stands for a reader on another machine, who does not wait for what is measured to
// leave a processor. What a kernel does not know (slices are Linux 6.12's) or does not allow it leaves as it was. The thread ends with its goroutine, which stays locked to it.
func promptly(cpu int) {
	var only unix.CPUSet
	only.Set(cpu)
	unix.SchedSetaffinity(0, &only)
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)             // nanoseconds; 50 µs otherwise
	unix.SchedSetAttr(0, &unix.SchedAttr{Runtime: 100_000}, 0) // the shortest slice that there is
}

// part is one thread's part of a phase: some connections, and every so many-th request.
type part struct {
	*asker
	conns         []*conn
	start         time.Time
	rate          float64
	length        time.Duration
	path          func(i int64) string
	total, next   int64
	first, stride int64         // of the requests, and of the ticks
	ready         []unix.PollFd // of untilAnswer, for the connections that it was given; empty: it is not known which have an answer

	took    []latency
	refused int
	late    int64 // until when the thread last woke too late
}

// latency of one request.
type latency struct {
	due    int64   // nanoseconds after the start of the phase
	took   float64 // milliseconds
	heldUp bool    // it was due before the thread last woke too late
}

// lateLeast is how much too late the thread that asks must wake to be kept from its processor.
const lateLeast = 500 * time.Microsecond

func (p *part) now() int64        { return time.Since(p.start).Nanoseconds() }
func (p *part) due(i int64) int64 { return p.tickAt(int64(float64(i) / p.rate * 1e9)) }

// tickAt gives the first tick of this thread that is not before a time.
func (p *part) tickAt(t int64) int64 {
	first, every := p.first*int64(tick), p.stride*int64(tick)
	return first + max(0, (t-first+every-1)/every*every)
}

// asked says whether nothing more is to be sent at a time.
func (p *part) asked(t int64) bool {
	if p.rate > 0 {
		return p.next >= p.total
	}
	return t >= int64(p.length)
}

func (p *part) run(ctx context.Context) error {
	runtime.LockOSThread() // it sleeps in the kernel: the runtime's own timers are up to a millisecond late, which would be taken for the gateway's
	p.took = make([]latency, 0, max(p.total/p.stride, 1<<18))
	wait := p.untilAnswer
	if p.rate > 0 {
		wait = p.untilTick
		promptly(int(p.first))
	}
	idle, asking := slices.Clone(p.conns), make([]*conn, 0, len(p.conns))
	for {
		t := p.now()
		for ; len(idle) > 0 && !p.asked(t); p.next += p.stride {
			at := t
			if p.rate > 0 {
				if at = p.due(p.next); at > t {
					break
				}
			}
			c := idle[len(idle)-1]
			idle, asking, c.due = idle[:len(idle)-1], append(asking, c), at
			if err := c.ask(p.host, p.path(p.next)); err != nil {
				return err
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil // it is known why
		case p.asked(t) && len(asking) == 0:
			return nil
		case t > int64(p.length+time.Minute):
			return fmt.Errorf("%d requests had no answer a minute after the last was due", len(asking))
		}
		if err := wait(asking); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		still := asking[:0]
		now := time.Now()
		clock := now.UnixNano() - now.Sub(p.start).Nanoseconds() // the system's clock at the start of the phase, as it runs now; of one look at both clocks
		for i, c := range asking {
			if len(p.ready) > 0 && p.ready[i].Revents == 0 {
				still = append(still, c)
				continue
			}
			status, came, err := c.answer()
			switch {
			case err != nil:
				return err
			case status == 0: // nothing, or a part of it
				still = append(still, c)
				continue
			case status != http.StatusOK:
				p.refused++
			}
			p.took = append(p.took, latency{c.due, float64(came-clock-c.due) / 1e6, c.due <= p.late})
			idle = append(idle, c)
		}
		asking = still
	}
}

// untilTick sleeps until the next tick.
func (p *part) untilTick([]*conn) error {
	t := p.now()
	until := p.tickAt(t + 1)
	left := unix.NsecToTimespec(until - t)
	err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &left, nil)
	if t = p.now(); t >= until+int64(lateLeast) {
		p.late = t
	}
	return err
}

// untilAnswer sleeps until an answer comes on one of the connections, or for a tenth of a second: then who asks looks whether it is to end.
func (p *part) untilAnswer(asking []*conn) error {
	p.ready = p.ready[:0]
	for _, c := range asking {
		p.ready = append(p.ready, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN})
	}
	timeout := unix.NsecToTimespec(int64(100 * time.Millisecond))
	_, err := unix.Ppoll(p.ready, &timeout, nil)
	return err
}

// ask sends one request.
func (c *conn) ask(host, path string) error {
	c.out = append(c.out[:0], "GET "...)
	c.out = append(append(c.out, path...), " HTTP/1.1\r\nHost: "...)
	c.out = append(append(c.out, host...), "\r\n\r\n"...)
	n, err := unix.Write(c.fd, c.out)
	if err == nil && n < len(c.out) {
		err = io.ErrShortWrite
	}
	return err
}

// answer reads what has arrived, and when the last of it did, in nanoseconds of the system's clock; 0: the answer is not whole.
func (c *conn) answer() (status int, came int64, err error) {
	c.in = slices.Grow(c.in, 16<<10)
	n, said, _, _, err := unix.Recvmsg(c.fd, c.in[len(c.in):cap(c.in)], c.oob[:], 0)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, 0, nil
	case err != nil:
		return 0, 0, err
	case n == 0:
		return 0, 0, errors.New("the gateway has closed the connection")
	}
	if came, err = cameAt(c.oob[:said]); err != nil {
		return 0, 0, err
	}
	c.in = c.in[:len(c.in)+n]
	end := bytes.Index(c.in, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, 0, nil
	}
	length := -1
	for first, head := true, c.in[:end+2]; len(head) > 0; first = false {
		line, rest, _ := bytes.Cut(head, []byte("\r\n"))
		head = rest
		if first {
			_, code, ok := bytes.Cut(line, []byte(" "))
			if !ok || len(code) < 3 {
				return 0, 0, errors.New("the answer is not HTTP")
			}
			if status, err = strconv.Atoi(string(code[:3])); err != nil {
				return 0, 0, err
			}
		} else if len(line) > 15 && strings.EqualFold(string(line[:15]), "Content-Length:") {
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[15:]))); err != nil {
				return 0, 0, err
			}
		}
	}
	switch whole := end + 4 + length; {
	case length < 0:
		return 0, 0, errors.New("the answer does not tell its length")
	case len(c.in) < whole:
		return 0, 0, nil
	case len(c.in) > whole:
		return 0, 0, errors.New("more comes than was asked for")
	}
	c.in = c.in[:0]
	return status, came, nil
}

// cameAt gives when what was read had arrived at the socket: who asks looks a tick later, or when it has a processor. Where the system does not say it, it came when it
// was read.
func cameAt(said []byte) (int64, error) {
	all, err := unix.ParseSocketControlMessage(said)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS {
			var at unix.Timespec
			_, err := binary.Decode(m.Data, binary.NativeEndian, &at)
			return at.Nano(), err
		}
	}
	return time.Now().UnixNano(), nil
}
