package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/xinlian-ledger/xinlian/node/bench"
)

// entry is one line of the table.
type entry struct {
	figure, goal, measured, verdict, command string
}

// table gathers the lines and runs the commands behind them.
type table struct {
	ctx     context.Context
	root    string // of the repository
	program string // xinlian
	self    string
	lines   []entry
	log     io.Writer
}

// runTable prints every figure with its goal and its command. What fails does not hide the rest.
func runTable(ctx context.Context, args []string) (any, error) {
	f := flags("table")
	keys := f.Int("keys", 1_000_000, "keys of the state engine and of its peer")
	records := f.Int("records", 200_000, "records of the runs with 200 a transaction")
	subjects := f.Int("subjects", 2_500_000, "subjects behind the gateway")
	filled := f.String("filled", "", "folder of 'xinlian bench fill' for the gateway instead of a new network")
	program := f.String("program", ".tools/xinlian", "the xinlian program")
	root := f.String("root", ".", "the repository")
	only := f.String("only", "", "only groups that this names: verify,state,one,bulk,latency,gateway (default: all)")
	_ = f.Parse(args)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &table{ctx: ctx, root: *root, self: self, log: os.Stderr}
	if t.program, err = filepath.Abs(*program); err != nil {
		return nil, err
	}
	began := time.Now()
	for _, g := range []struct {
		name string
		run  func()
	}{
		{"verify", t.verify},
		{"state", func() { t.state(*keys) }},
		{"one", func() { t.one(*records / 4) }},
		{"bulk", func() { t.bulk(*records) }},
		{"latency", t.latency},
		{"gateway", func() { t.gateway(*subjects, *filled) }},
	} {
		if *only == "" || strings.Contains(","+*only+",", ","+g.name+",") {
			g.run()
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	t.print(os.Stdout, time.Since(began))
	return nil, nil
}

func (t *table) add(figure, goal, measured, verdict, command string) {
	t.lines = append(t.lines, entry{figure, goal, measured, verdict, command})
	fmt.Fprintf(t.log, "%s: %s %s\n", figure, measured, verdict) // a table that is cut off has shown what it had
}

// skip says why lines could not be measured.
func (t *table) skip(err error, command string, figures ...string) {
	for _, f := range figures {
		t.add(f, "", "", "not measured: "+strings.Join(strings.Fields(err.Error()), " "), command)
	}
}

func (t *table) print(w io.Writer, took time.Duration) {
	host := "unknown processor"
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(raw); m != nil {
			host = fmt.Sprintf("%d × %s", bytes.Count(raw, []byte("processor\t")), m[1])
		}
	}
	load, _ := os.ReadFile("/proc/loadavg") // empty on systems without it
	fmt.Fprintf(w, "figures of %s on %s, load average %.14s, %s\n\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"), host, load, took.Round(time.Second))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "figure\tgoal\tmeasured\tverdict")
	for _, e := range t.lines {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", e.figure, e.goal, e.measured, e.verdict)
	}
	tw.Flush()
	fmt.Fprintln(w, "\ncommands")
	last := ""
	for _, e := range t.lines {
		if e.command != "" && e.command != last {
			fmt.Fprintf(w, "  %-50s %s\n", e.figure, e.command)
		}
		last = e.command
	}
}

func verdict(ok bool) string {
	if ok {
		return "reached"
	}
	return "NOT reached"
}

// run runs a command and gives its standard output and how people would type it.
func (t *table) run(name string, args ...string) ([]byte, error) {
	fmt.Fprintln(t.log, "--", typed(name, args))
	cmd := exec.CommandContext(t.ctx, name, args...)
	cmd.Dir = t.root
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(problems.String()), "\n")
		return out.Bytes(), fmt.Errorf("%s: %w: %s", shown(name), err, lines[len(lines)-1])
	}
	return out.Bytes(), nil
}

func shown(name string) string { return filepath.Base(name) }

// typed is a command as people would type it.
func typed(name string, args []string) string {
	line := shown(name)
	for _, a := range args {
		if strings.ContainsAny(a, "|^$ *") {
			a = "'" + a + "'"
		}
		line += " " + a
	}
	return line
}

func (t *table) json(into any, name string, args ...string) (command string, err error) {
	command = typed(name, args)
	raw, err := t.run(name, args...)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	return command, err
}

func (t *table) load(args ...string) (*bench.Report, string, error) {
	r := new(bench.Report)
	args = append([]string{"bench", "load"}, args...)
	command, err := t.json(r, t.program, append(args, "--json")...)
	return r, strings.TrimSuffix(command, " --json"), err
}

var benchLine = regexp.MustCompile(`(?m)^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// metrics reads the output of `go test -bench`: benchmark → unit → value.
func metrics(out []byte) map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	for _, m := range benchLine.FindAllSubmatch(out, -1) {
		fields := strings.Fields(string(m[2]))
		units := map[string]float64{}
		for i := 0; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				units[fields[i+1]] = v
			}
		}
		all[string(m[1])] = units
	}
	return all
}

func (t *table) verify() {
	args := []string{"test", "-run", "^$", "-bench", "BenchmarkKnownHeader|BenchmarkNothingKnown|BenchmarkPackContains", "-benchmem", "./x/attest"}
	command := typed("go", args)
	out, err := t.run("go", args...)
	if err != nil {
		t.skip(err, command, "verify, header known", "verify, nothing known", "bundle")
		return
	}
	m := metrics(out)
	present, absent := m["BenchmarkKnownHeader/presence"], m["BenchmarkKnownHeader/absence"]
	t.add("verify, header known, path of 10^7 keys", "≤ 3 × 25 SHA-256 of 65 B", fmt.Sprintf("%.2f × (%.1f µs)", present["x-limit"], present["ns/op"]/1000),
		verdict(present["x-limit"] <= 3 && present["x-limit"] > 0), command)
	t.add("absence against presence", "≤ 1.1 ×", fmt.Sprintf("%.2f ×", absent["x-limit"]/present["x-limit"]), verdict(absent["x-limit"] <= 1.1*present["x-limit"]), command)
	for _, n := range []string{"4", "21", "100"} {
		v := m["BenchmarkNothingKnown/"+n]
		t.add("verify, nothing known, "+n+" validators", "≤ 1.5 × an ed25519 batch", fmt.Sprintf("%.2f × (%.0f µs)", v["x-limit"], v["ns/op"]/1000), verdict(v["x-limit"] <= 1.5 && v["x-limit"] > 0), command)
	}
	for _, members := range []string{"100000", "1000000"} { // firms with a live serious record, and as many as half of a province
		p := m["BenchmarkPackContains/"+members]
		goal, judged := "< 0.2 µs", verdict(p["ns/op"] > 0 && p["ns/op"] < 200)
		if members != "100000" {
			goal, judged = "", ""
		}
		t.add("look-up in an open pack of "+members+" firms", goal, fmt.Sprintf("%.3f µs, %.2f × a SHA-256 of 65 B", p["ns/op"]/1000, p["x-limit"]), judged, command)
	}
	for i, n := range []string{"4", "21", "100"} {
		goal := []float64{2000, 3500, 10000}[i]
		b := m["BenchmarkNothingKnown/"+n]["B/bundle"]
		t.add("bundle, "+n+" validators, path of 10^7 keys", fmt.Sprintf("≤ %.1f KB", goal/1000), fmt.Sprintf("%.0f B", b), verdict(b > 0 && b <= goal), command)
	}
}

func (t *table) state(keys int) {
	dir, done, err := temp("")
	if err != nil {
		t.skip(err, "", "state commit", "state on disk", "memory")
		return
	}
	defer done()
	n := strconv.Itoa(keys)
	var mine, peer blocksReport
	command, err := t.json(&mine, t.self, "state", "--keys", n, "--dir", dir)
	command = strings.ReplaceAll(command, dir, "DIR")
	if err != nil {
		t.skip(err, command, "state commit", "state on disk", "memory")
		return
	}
	t.add(fmt.Sprintf("state commit, 5,000 updates over %d keys", keys), "≤ 100 ms CPU at 10^7",
		fmt.Sprintf("%.0f ms CPU, median %.0f (%.0f ms wall)", mine.CPU, mine.CPUMedian, mine.Wall), verdict(mine.CPU <= 100), command)
	var opened openReport
	command, err = t.json(&opened, t.self, "open", "--dir", dir)
	command = strings.ReplaceAll(command, dir, "DIR")
	if err != nil {
		t.skip(err, command, "memory")
	} else {
		t.add(fmt.Sprintf("memory of the state at %d leaves and rows", keys), "≤ 3 GB at 2.5·10^6 subjects, 10^7 records",
			fmt.Sprintf("%d MB resident, opened in %.1f s", opened.Resident>>20, opened.Seconds), "of the state alone", command)
	}
	var small compactReport
	command, err = t.json(&small, t.self, "compact", "--dir", dir)
	command = strings.ReplaceAll(command, dir, "DIR")
	if err != nil {
		t.skip(err, command, "state on disk")
	} else {
		x := float64(small.After) / float64(mine.Payload)
		t.add("state on disk, no history, compacted", "≤ 3 × the records' bytes",
			fmt.Sprintf("%.2f ×: %d B a record of %d (%d before)", x, small.After/int64(keys), mine.Payload/int64(keys), small.Before/int64(keys)), verdict(x <= 3), command)
	}
	const figure = "state commit against cosmos/iavl over Badger"
	if keys > peerKeys {
		n = strconv.Itoa(peerKeys)
		if command, err = t.json(&mine, t.self, "state", "--keys", n); err != nil {
			t.skip(err, command, figure)
			return
		}
	}
	command, err = t.json(&peer, t.self, "iavl", "--keys", n, "--blocks", "40")
	if err != nil {
		t.skip(err, command, figure)
		return
	}
	t.add(figure, "≥ 10 × at 10^6 keys", fmt.Sprintf("%.1f × at %s keys (iavl %.0f ms CPU, median %.0f; ours %.0f)", peer.CPU/mine.CPU, n, peer.CPU, peer.CPUMedian, mine.CPU),
		verdict(peer.CPU >= 10*mine.CPU), command)
}

// peerKeys is the most that the peer of the state engine gets: the goal is for so many, and each key more costs the peer more.
const peerKeys = 1_000_000

// rounds of what is compared in time: other programs of a machine that is not free disturb the one and the other by turns.
const rounds = 3

// one is the write path with a signature for each record, beside an application that checks none.
func (t *table) one(records int) {
	for _, inside := range []bool{true, false} {
		layout, more := "one process", []string{"--inside"}
		if !inside {
			layout, more = "a process each, over RPC", nil
		}
		figure := "one message a tx, " + layout
		var (
			command, peer    string
			times, processor []float64
			mine, theirs     []float64
			r                *bench.Report
			err              error
		)
		for range rounds {
			if r, command, err = t.load(append([]string{"--per-tx", "1", "--records", strconv.Itoa(records)}, more...)...); err != nil {
				break
			}
			var kv kvReport
			if peer, err = t.json(&kv, t.self, append([]string{"kvstore", "--txs", strconv.Itoa(records)}, more...)...); err != nil {
				break
			}
			times = append(times, r.RecordsPerSec/kv.TxsPerSec)
			processor = append(processor, kv.CPUSeconds/float64(kv.Committed)/(r.CPUSeconds/float64(r.Records)))
			mine, theirs = append(mine, r.RecordsPerSec), append(theirs, kv.TxsPerSec)
		}
		if err != nil {
			t.skip(err, command+"; "+peer, figure)
			continue
		}
		x := median(times)
		t.add(figure, "≥ 0.35 × kvstore", fmt.Sprintf("%.2f × (median of %d rounds, %.2f to %.2f; %.2f × by processor time): %.0f records/s, kvstore %.0f tx/s",
			x, rounds, slices.Min(times), slices.Max(times), median(processor), median(mine), median(theirs))+others(r), verdict(x >= 0.35), command+"; "+peer)
	}
}

func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}

// others warns of a machine that was not free: times are then worth little, while processor time a record still counts.
func others(r *bench.Report) string { return othersOf(r.Others) }

func othersOf(share float64) string {
	if share < 0.1 {
		return ""
	}
	return fmt.Sprintf(" [others took %.0f %% of the machine]", 100*share)
}

// replayRounds is how many chains of one validator are made and replayed: of rounds that follow one upon the other within minutes one may see a quarter more than another.
const replayRounds = 5

func (t *table) bulk(records int) {
	var (
		all     []*bench.Report
		command string
		err     error
	)
	for range replayRounds {
		var r *bench.Report
		if r, command, err = t.load("--per-tx", "200", "--records", strconv.Itoa(records), "--kill", "--replay"); err != nil {
			break
		}
		all = append(all, r)
	}
	if err != nil {
		t.skip(err, command, "200 messages a tx, one validator", "restart after SIGKILL", "replay by the auditor, chain of one validator")
	} else {
		slices.SortFunc(all, func(a, b *bench.Report) int { return cmp.Compare(a.RecordsPerSec, b.RecordsPerSec) })
		r := all[len(all)/2]
		t.add("200 messages a tx, one validator", "≥ 20,000 records/s", fmt.Sprintf("%.0f records/s (median of %d rounds), %.0f µs CPU a record", r.RecordsPerSec, len(all), 1e6*r.CPUSeconds/float64(r.Records))+others(r), verdict(r.RecordsPerSec >= 20_000), command)
		t.add(fmt.Sprintf("restart after SIGKILL, %d records, %d firms", r.Records, r.Subjects), "< 30 s at 10^7 records", fmt.Sprintf("%.2f s", r.RestartSeconds), verdict(r.RestartSeconds < 30), command)
		t.replay("replay by the auditor, chain of one validator", all, command)
		t.add("node under this load", "", fmt.Sprintf("%d MB resident, state %d MB, blocks %d MB", r.RSSMax>>20, r.StateBytes>>20, r.BlockBytes>>20), "", command)
	}
	r, command, err := t.load("--per-tx", "200", "--validators", "4", "--records", strconv.Itoa(records/2), "--replay")
	if err != nil {
		t.skip(err, command, "200 messages a tx, four validators", "replay by the auditor, chain of four validators")
		return
	}
	t.add("200 messages a tx, four validators", "≥ 5,000 records/s", fmt.Sprintf("%.0f records/s, %.0f µs CPU a record", r.RecordsPerSec, 1e6*r.CPUSeconds/float64(r.Records))+others(r), verdict(r.RecordsPerSec >= 5000), command)
	t.replay("replay by the auditor, chain of four validators", []*bench.Report{r}, command)
}

// replay says how fast an auditor is beside the chain that he replays. One validator that has the machine to itself makes a chain several times as fast as a
// consortium does, and each saving in making it lowers the ratio: both chains stand in the table.
//
// A chain is made before it is replayed, and a machine that is not free is not equally fast at both times: so replayRounds are made.
func (t *table) replay(name string, all []*bench.Report, command string) {
	slices.SortFunc(all, func(a, b *bench.Report) int { return cmp.Compare(a.ReplayRatio(), b.ReplayRatio()) })
	least, r, most := all[0], all[len(all)/2], all[len(all)-1]
	x := fmt.Sprintf("%.2f ×", r.ReplayRatio())
	if len(all) > 1 {
		x += fmt.Sprintf(" (median of %d rounds, %.2f to %.2f)", len(all), least.ReplayRatio(), most.ReplayRatio())
	}
	t.add(name, "≥ 3 × the chain's rate", fmt.Sprintf("%s: %.0f records/s, %.0f µs CPU a record; the chain was made at %.0f, its records at %.0f",
		x, r.ReplayRate, 1e6*r.ReplayCPU/float64(r.Audit.Messages), r.ChainRate, r.RecordsPerSec)+othersOf(r.ReplayOthers), verdict(r.ReplayRatio() >= 3), command)
}

func (t *table) latency() {
	r, command, err := t.load("--per-tx", "1", "--validators", "4", "--rate", "1000", "--seconds", "30", "--records", "15000", "--senders", "64")
	if err != nil {
		t.skip(err, command, "latency, four validators, 1,000 tx/s")
		return
	}
	t.add("latency, four validators, 1,000 tx/s", "p50 ≤ 120 ms, p99 ≤ 300 ms", fmt.Sprintf("p50 %.0f ms, p99 %.0f ms at %.0f tx/s", r.P50, r.P99, r.TxsPerSec)+others(r),
		verdict(r.P50 <= 120 && r.P99 <= 300), command)
	kv := new(kvReport)
	command, err = t.json(kv, t.self, "kvstore", "--txs", "15000", "--validators", "4", "--rate", "1000", "--senders", "64")
	if err != nil {
		t.skip(err, command, "the same of kvstore")
		return
	}
	t.add("the same of kvstore, over JSON-RPC (ours through the gateway)", "", fmt.Sprintf("p50 %.0f ms, p99 %.0f ms at %.0f tx/s; %.2f ms of processor time a transaction over four nodes, ours %.2f",
		kv.P50, kv.P99, kv.TxsPerSec, 1e3*kv.CPUSeconds/float64(kv.Committed), 1e3*r.CPUSeconds/float64(r.Committed)), "", command)
}

// gateway asks for attestations at half of saturation, beside a handler that does nothing.
func (t *table) gateway(subjects int, filled string) {
	const quiet, busy = "gateway attestation between commits, p99", "gateway attestation while 1,000 records/s are committed, p99"
	r := new(bench.VerifyReport)
	args := []string{"bench", "verify", "--subjects", strconv.Itoa(subjects), "--updates", "1000", "--json"}
	if filled != "" {
		args = append(args, "--filled", filled)
	}
	command, err := t.json(r, t.program, args...)
	command = strings.TrimSuffix(command, " --json")
	if err != nil {
		t.skip(err, command, quiet, busy)
		return
	}
	row := func(p, noop bench.Phase, saturation float64) string {
		least, most := p.P99Seconds[0], p.P99Seconds[len(p.P99Seconds)-1]
		return fmt.Sprintf("%.2f ms (no-op %.2f) in all, %.2f (%.2f) in the median second (%.2f–%.2f); p50 %.2f (%.2f), p99.9 %.2f (%.2f), at %.0f/s of %.0f; %d firms; p99 %.2f (%.2f) without the %.2f %% during which the asker was kept from its processor",
			p.P99, noop.P99, p.P99Median(), noop.P99Median(), least, most, p.P50, noop.P50, p.P999, noop.P999, p.Served, saturation, r.Subjects, p.P99Rest, noop.P99Rest, 100*p.HeldUp) +
			fmt.Sprintf("; a processor of the idle machine was away ≥ 1 ms in %.2f %% of the time", 100*r.Away) + othersOf(r.Others)
	}
	sound := func(p bench.Phase) bool { return p.Refused == 0 && p.Served >= 0.95*p.Offered }
	within := func(p bench.Phase, goal float64, and bool) string {
		if and = and && sound(p); and && p.P99 > goal && p.P99Median() <= goal {
			return "reached in the median second, not in all together"
		}
		return verdict(and && p.P99 <= goal)
	}
	t.add(quiet, "≤ 1 ms", row(r.Idle, r.IdleNoop, r.Saturation), within(r.Idle, 1, true), command)
	loads, most, held := make([]string, 0, len(r.Curve)), 0.0, true
	for _, p := range r.Curve { // from the least load to the most: one that holds above one that does not is luck
		loads = append(loads, fmt.Sprintf("%.0f/s %.2f/%.2f/%.2f", p.Offered, p.P50, p.P99, p.P999))
		if held = held && p.P99 <= 1 && sound(p); held {
			most = p.Served
		}
	}
	t.add("the same over offered load, p50/p99/p99.9 ms", "", fmt.Sprintf("%s; p99 ≤ 1 ms up to %.0f/s", strings.Join(loads, "; "), most), "", command)
	if r.Wrk != nil {
		t.add("gateway at saturation, by wrk", "", fmt.Sprintf("%.0f/s (%.0f by our own), p50 %.2f ms, p99 %.2f", r.Wrk.PerSecond, r.Saturation, r.Wrk.P50, r.Wrk.P99), "", command)
	}
	defer t.immudb(r)
	t.add(busy, "≤ 5 ms", row(r.Busy, r.BusyNoop, r.BusySaturation), within(r.Busy, 5, r.Committed >= 950), command)
	t.add("the same at half of what it serves between commits", "", fmt.Sprintf("%.2f ms, p50 %.2f, at %.0f of %.0f/s", r.BusyFull.P99, r.BusyFull.P50, r.BusyFull.Served, r.BusyFull.Offered), "", command)
}

// immudb asks a server of the peer on this machine for verified reads, where its program was built (scripts/dev bench-table does).
func (t *table) immudb(ours *bench.VerifyReport) {
	const figure = "attestations/s at saturation, against verified reads of immudb"
	r := new(struct {
		Version    string  `json:"version"`
		Keys       int     `json:"keys"`
		Saturation float64 `json:"verified_reads_per_second_at_saturation"`
		P50        float64 `json:"latency_p50_ms"`
		P99        float64 `json:"latency_p99_ms"`
	})
	command, err := t.json(r, filepath.Join(filepath.Dir(t.self), "immudb"), "-keys", "200000")
	if err != nil {
		t.skip(err, command, figure)
		return
	}
	t.add(figure, "", fmt.Sprintf("%.1f × (immudb %s: %.0f/s, one client p50 %.2f ms, p99 %.2f; %d keys; its clients verify in the same process, no bundle to keep, no absence)",
		ours.Saturation/r.Saturation, r.Version, r.Saturation, r.P50, r.P99, r.Keys), "", command)
}
