package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Wrk is what wrk, a load generator that others wrote, sees of the same route: requests as fast as its connections go.
type Wrk struct {
	PerSecond float64 `json:"requests_per_second"`
	P50       float64 `json:"latency_p50_ms"`
	P99       float64 `json:"latency_p99_ms"`
	Refused   int     `json:"requests_refused"` // any answer but 200
}

// wrkFirms is how many firms wrk asks for in turn.
const wrkFirms = 10_000

// ErrNoWrk says that wrk is not installed.
var ErrNoWrk = errors.New("wrk is not installed (Debian package wrk)")

// runWrk asks the gateway for attestations of firms spread over all.
func (l *asker) runWrk(ctx context.Context, length time.Duration) (*Wrk, error) {
	program, err := exec.LookPath("wrk")
	if err != nil {
		return nil, ErrNoWrk
	}
	dir, err := os.MkdirTemp("", "xinlian-wrk-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var lua bytes.Buffer
	lua.WriteString("paths = {\n")
	for i := range int64(min(wrkFirms, l.firms)) {
		fmt.Fprintf(&lua, "%q,\n", l.attestation(i))
	}
	lua.WriteString("}\nn = 0\nrequest = function()\n n = n % #paths + 1\n return wrk.format(\"GET\", paths[n])\nend\n")
	script := filepath.Join(dir, "paths.lua")
	if err := os.WriteFile(script, lua.Bytes(), 0o600); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, program, "-t1", "-c"+strconv.Itoa(len(l.conns)), fmt.Sprintf("-d%ds", max(1, int(length.Seconds()))), "--latency", "-s", script,
		"http://"+l.host).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("wrk: %w: %s", err, bytes.TrimSpace(out))
	}
	return parseWrk(out)
}

var (
	wrkRate    = regexp.MustCompile(`(?m)^Requests/sec:\s+([0-9.]+)`)
	wrkRefused = regexp.MustCompile(`(?m)^\s*Non-2xx or 3xx responses: ([0-9]+)`)
	wrkAt      = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([0-9.]+)(us|ms|s)\s*$`)
)

func parseWrk(out []byte) (*Wrk, error) {
	w := new(Wrk)
	rate := wrkRate.FindSubmatch(out)
	at := wrkAt.FindAllSubmatch(out, -1)
	if rate == nil || len(at) != 2 {
		return nil, fmt.Errorf("wrk said something else than was expected: %q", out)
	}
	var err error
	if w.PerSecond, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return nil, err
	}
	for i, p := range []*float64{&w.P50, &w.P99} {
		if *p, err = strconv.ParseFloat(string(at[i][2]), 64); err != nil {
			return nil, err
		}
		*p *= map[string]float64{"us": 1e-3, "ms": 1, "s": 1e3}[string(at[i][3])]
	}
	if m := wrkRefused.FindSubmatch(out); m != nil {
		w.Refused, err = strconv.Atoi(string(m[1]))
	}
	return w, err
}
