package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/audit"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Options of Load. Zero values are the defaults.
type Options struct {
	Validators int           // 1
	PerTx      int           // penalties a transaction; 200
	Rate       float64       // transactions a second offered; 0: a closed loop
	Records    int           // penalties made before the clock runs; 0: 100,000
	For        time.Duration // 0: until all are sent
	Workers    int           // senders
	Subjects   int           // synthetic firms enrolled before; 0: one for four records

	Inside  bool   // the one node runs in this process and is handed transactions directly
	Kill    bool   // afterwards: SIGKILL, start again, time until it is ready and makes blocks
	Replay  bool   // afterwards: replay the chain as an auditor does
	Profile string // file for a CPU profile of this process while transactions are sent; with Inside
	Dir     string // empty folder for the network, left behind; empty: a temporary one, removed
	Program string // the xinlian binary; empty: this process's own

	Progress func(format string, args ...any) // nil: nobody is told
}

// Report of Load.
type Report struct {
	Validators int     `json:"validators"`
	PerTx      int     `json:"records_per_tx"`
	Offered    float64 `json:"txs_per_second_offered"` // 0: closed loop
	Inside     bool    `json:"one_process"`
	Subjects   int     `json:"subjects"`
	Result

	// Of the nodes' processes, while the load ran.
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`
	RSSMax     int64   `json:"rss_bytes_max,omitempty"` // of the largest one
	// Others is the share of the machine's processors that went to other programs meanwhile: what is measured in time suffers from it.
	Others float64 `json:"others_share"`

	StateBytes int64 `json:"state_folder_bytes"` // of one node, as it lies there
	BlockBytes int64 `json:"block_store_bytes"`

	RestartSeconds float64       `json:"restart_seconds,omitempty"` // from the start after SIGKILL to ready with a new block
	Audit          *audit.Report `json:"replay,omitempty"`
	// ReplayRate is records a second of the replay, over all of the chain; ChainRate is how fast the chain was made, enrolments included.
	ReplayRate float64 `json:"replay_records_per_second,omitempty"`
	ChainRate  float64 `json:"chain_records_per_second,omitempty"`
	// ReplayCPU is the processor time of the replay in seconds, ReplayOthers what Others is, while it ran.
	ReplayCPU    float64 `json:"replay_cpu_seconds,omitempty"`
	ReplayOthers float64 `json:"replay_others_share,omitempty"`
}

// ReplayRatio is how many times faster a replay is than making the chain: than the rate over all of it, enrolments too, or than the
// rate at which records alone were committed, whichever is faster.
func (r *Report) ReplayRatio() float64 {
	if made := max(r.ChainRate, r.RecordsPerSec); made > 0 {
		return r.ReplayRate / made
	}
	return 0
}

// ErrUsage marks options that cannot be.
var ErrUsage = errors.New("usage")

func (o *Options) complete() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(format, args...))
	}
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.Validators, 1)
	def(&o.PerTx, 200)
	def(&o.Records, 100_000)
	def(&o.Workers, 16)
	def(&o.Subjects, max(o.Records/4, 1000))
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	switch {
	case o.Validators < 1 || o.Validators > runner.ValidatorsMax:
		return bad("--validators %d: between 1 and %d", o.Validators, runner.ValidatorsMax)
	case o.PerTx < 1 || o.PerTx > pb.MessagesMax:
		return bad("--per-tx %d: between 1 and %d", o.PerTx, pb.MessagesMax)
	case o.Records < 1 || o.Records/o.PerTx > TxsMax:
		return bad("--records %d: at least 1, and at most %d transactions", o.Records, TxsMax)
	case o.Workers < 1 || o.Workers > WorkersMax:
		return bad("--senders %d: between 1 and %d", o.Workers, WorkersMax)
	case o.Subjects < 1 || o.Subjects > SubjectsMax:
		return bad("--subjects %d: between 1 and %d", o.Subjects, SubjectsMax)
	case o.Rate < 0 || o.For < 0:
		return bad("a rate and a time are not negative")
	case o.Inside && o.Validators != 1:
		return bad("--inside runs one validator")
	case o.Inside && o.Kill:
		return bad("--kill needs a node in a process of its own")
	case o.Profile != "" && !o.Inside:
		return bad("--cpuprofile needs --inside: it profiles this process")
	}
	return nil
}

// enrolPerTx is how many firms a transaction enrols.
const enrolPerTx = 500

// Load makes a network, puts it under load and takes it away again.
func Load(ctx context.Context, o Options) (_ *Report, err error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "xinlian-bench-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	net, _, err := runner.Up(ctx, runner.Options{Dir: dir, ChainID: "test-bench", Validators: o.Validators, Program: o.Program, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	defer func() {
		if _, e := runner.Down(dir); err == nil {
			err = e
		}
	}()
	var ends []Endpoint
	for _, d := range net.Nodes {
		ends = append(ends, Endpoint{RPC: d.RPC, API: d.API})
	}
	if o.Inside {
		if _, err := runner.Down(dir); err != nil {
			return nil, err
		}
		n, err := inside(net.Nodes[0].Home)
		if err != nil {
			return nil, err
		}
		defer func() {
			if n != nil {
				n.Stop()
			}
		}()
		ends[0].Send = sender(n)
		rep, err := load(ctx, o, net, ends)
		if err != nil {
			return nil, err
		}
		err = n.Stop()
		n = nil
		if err != nil {
			return nil, err
		}
		return rep, after(ctx, o, net, rep)
	}
	rep, err := load(ctx, o, net, ends)
	if err != nil {
		return nil, err
	}
	if o.Kill {
		if rep.RestartSeconds, err = restart(ctx, o, net); err != nil {
			return nil, err
		}
	}
	if _, err := runner.Down(dir); err != nil {
		return nil, err
	}
	return rep, after(ctx, o, net, rep)
}

// inside starts a node of a home in this process.
func inside(home string) (*node.Node, error) {
	cfg, err := node.LoadConfig(home)
	if err != nil {
		return nil, err
	}
	n, err := node.New(cfg, node.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := n.Start(); err != nil {
		n.Stop()
		return nil, err
	}
	return n, nil
}

func sender(n *node.Node) func(context.Context, []byte) error {
	return func(ctx context.Context, tx []byte) error {
		resp, err := n.Submit(ctx, tx)
		switch {
		case errors.Is(err, node.ErrBusy), err == nil && noRoom(resp.Code):
			return ErrBusy
		case err == nil && resp.Code != abci.CodeTypeOK:
			return fmt.Errorf("refused with code %d: %s", resp.Code, resp.Log)
		}
		return err
	}
}

// noRoom: the member's share of the pool is waiting already.
func noRoom(code uint32) bool { return code == app.ErrShare.Number }

func load(ctx context.Context, o Options, net *runner.Network, ends []Endpoint) (*Report, error) {
	run, err := runNumber()
	if err != nil {
		return nil, err
	}
	src, err := newSource(net, run)
	if err != nil {
		return nil, err
	}
	o.Progress("enrolling %d firms", o.Subjects)
	began := time.Now()
	const slice = 1_000_000 // of the transactions that wait signed in memory
	enrolled := 0
	for from := 0; from < o.Subjects; from += slice {
		to := min(from+slice, o.Subjects)
		txs, err := src.enrolments(from, to, enrolPerTx)
		if err != nil {
			return nil, err
		}
		r, err := Drive(ctx, ends, Plan{Txs: txs, PerTx: enrolPerTx, Workers: 4, Busy: noRoom})
		if err != nil {
			return nil, fmt.Errorf("enrol: %w", err)
		}
		if r.Committed != len(txs) {
			return nil, fmt.Errorf("enrol: %d of %d transactions took effect; %s", r.Committed, len(txs), r.FirstRefusal)
		}
		enrolled += to - from
	}
	enrolling := time.Since(began)

	txs := (o.Records + o.PerTx - 1) / o.PerTx
	o.Progress("signing %d transactions", txs)
	signed, err := src.penalties(txs, o.PerTx, o.Subjects)
	if err != nil {
		return nil, err
	}
	o.Progress("sending")
	if o.Profile != "" {
		f, err := os.Create(o.Profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
	}
	before, now, start, length := usage(net, o.Inside), used{}, time.Now(), time.Duration(0)
	r, err := Drive(ctx, ends, Plan{
		Txs: signed, PerTx: o.PerTx, Rate: o.Rate, Workers: o.Workers, For: o.For, Busy: noRoom,
		Done: func() {
			now, length = usage(net, o.Inside), time.Since(start)
			pprof.StopCPUProfile() // no profile, nothing happens
		},
	})
	if err != nil {
		return nil, err
	}
	rep := &Report{
		Validators: o.Validators, PerTx: o.PerTx, Offered: o.Rate, Inside: o.Inside, Subjects: o.Subjects, Result: *r,
		CPUSeconds: now.cpu - before.cpu, RSSMax: now.rss,
	}
	if t := length.Seconds() * float64(runtime.NumCPU()); t > 0 {
		rep.Others = max(0, (now.others-before.others)/t)
	}
	if t := enrolling.Seconds() + r.Seconds; t > 0 {
		rep.ChainRate = float64(enrolled+r.Records) / t
	}
	if r.Committed == 0 {
		return nil, fmt.Errorf("nothing took effect; %s", orNone(r.FirstRefusal))
	}
	return rep, nil
}

func orNone(s string) string {
	if s == "" {
		return "no refusal was given"
	}
	return s
}

// restart kills the first node and times it from its start until it is ready and has a block that it did not have.
func restart(ctx context.Context, o Options, net *runner.Network) (float64, error) {
	name := net.Nodes[0].Name
	height := func() int64 {
		s, err := runner.Inspect(ctx, net.Dir())
		if err != nil {
			return 0
		}
		return s.Nodes[0].Height
	}
	was := height()
	o.Progress("SIGKILL of %s at height %d", name, was)
	if err := runner.Kill(net.Dir(), name); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := runner.Restart(ctx, net.Dir(), name, o.Program); err != nil {
		return 0, err
	}
	now, err := runner.Load(net.Dir())
	if err != nil {
		return 0, err
	}
	if err := now.WaitReady(ctx, 5*time.Minute, name); err != nil {
		return 0, err
	}
	for height() <= was {
		if time.Since(start) > 5*time.Minute {
			return 0, fmt.Errorf("%s makes no block", name)
		}
		if err := sleep(ctx, drainEvery); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds(), nil
}

// after measures what a stopped network has left.
func after(ctx context.Context, o Options, net *runner.Network, rep *Report) error {
	home := net.Nodes[0].Home
	rep.StateBytes = sizeOf(filepath.Join(home, node.StateDir))
	rep.BlockBytes = sizeOf(filepath.Join(home, "data", "blockstore.db")) + sizeOf(filepath.Join(home, "data", "state.db"))
	if !o.Replay {
		return nil
	}
	o.Progress("replaying")
	src, err := audit.OpenHome(home)
	if err != nil {
		return err
	}
	defer src.Close()
	before, start := usage(net, true), time.Now()
	a, err := audit.Replay(ctx, src, audit.Options{})
	if err != nil {
		return err
	}
	now := usage(net, true)
	rep.ReplayCPU = now.cpu - before.cpu
	if t := time.Since(start).Seconds() * float64(runtime.NumCPU()); t > 0 {
		rep.ReplayOthers = max(0, (now.others-before.others)/t)
	}
	if !a.Agrees {
		return fmt.Errorf("the replay finds a difference: %v", a.Difference)
	}
	rep.Audit, rep.ReplayRate = a, float64(a.Messages)/a.Seconds
	return nil
}

func sizeOf(dir string) (total int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a file that is gone meanwhile has no size
		}
		if info, err := d.Info(); err == nil {
			total += onDisk(info)
		}
		return nil
	})
	return total
}

// used is what processes have taken.
type used struct {
	cpu    float64 // seconds
	rss    int64   // bytes, of the largest
	others float64 // seconds of all processes but those and this one
}

// usage of the nodes' processes, or of this one; zero on systems without /proc.
func usage(net *runner.Network, inside bool) (u used) {
	pids := []int{os.Getpid()}
	if !inside {
		pids = nil
		for _, d := range net.Nodes {
			pids = append(pids, d.PID)
		}
	}
	if raw, err := os.ReadFile("/proc/stat"); err == nil {
		line, _, _ := strings.Cut(string(raw), "\n")
		for i, f := range strings.Fields(line) {
			if n, err := strconv.ParseFloat(f, 64); err == nil && (i <= 3 || i == 6 || i == 7) { // user, nice, system, interrupts
				u.others += n / ticks
			}
		}
	}
	for _, pid := range pids {
		cpu, rss := OfProcess(pid)
		u.cpu, u.rss = u.cpu+cpu, max(u.rss, rss)
	}
	u.others -= u.cpu
	if !inside {
		cpu, _ := OfProcess(os.Getpid())
		u.others -= cpu
	}
	return u
}

const ticks = 100 // of processor time a second, on every Linux that Go runs on

// OfProcess gives the processor time that a process has taken, in seconds, and its resident memory in bytes; zero on systems without /proc.
func OfProcess(pid int) (cpu float64, resident int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(fields) < 22 {
		return 0, 0
	}
	for _, f := range fields[11:13] {
		if n, err := strconv.ParseFloat(f, 64); err == nil {
			cpu += n / ticks
		}
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return cpu, 0
	}
	return cpu, pages * int64(os.Getpagesize())
}
