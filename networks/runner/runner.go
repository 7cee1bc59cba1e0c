package runner

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/node"
	"github.com/xinlian-ledger/xinlian/node/gateway"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const (
	readyWithin = 3 * time.Minute // for two slow cores and twenty nodes
	stopWithin  = time.Minute     // the sync of what it has stored may wait for a disk that others fill
	killWithin  = time.Minute     // and so may the end of a process
	answerBytes = 1 << 20
)

// Up makes a network in an empty folder, or takes one that is there, starts every node that does not run, waits until each
// answers /readyz, and sees to trust.json. The nodes go on when it returns. fresh says that the network was made just now. On an
// error the nodes that this call started are ended again.
func Up(ctx context.Context, o Options) (_ *Network, fresh bool, err error) {
	if err := o.complete(); err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, false, err
	}
	release, err := lock(o.Dir)
	if err != nil {
		return nil, false, err
	}
	defer release()

	n, err := Load(o.Dir)
	switch {
	case errors.Is(err, ErrNoNetwork):
		o.Progress("making %d homes in %s", o.Validators+o.FullNodes, o.Dir)
		if n, err = create(o); err != nil {
			return nil, false, err
		}
		fresh = true
	case err != nil:
		return nil, false, err
	}

	var started []*Node
	defer func() {
		if err != nil {
			end(started)
			n.save()
		}
	}()
	for i := range n.Nodes {
		d := &n.Nodes[i]
		if d.state() != gone {
			continue
		}
		if err = d.start(o.Program, len(n.Nodes)); err != nil {
			return nil, false, err
		}
		started = append(started, d)
		// Recorded one by one: a crash of this process leaves nothing that `down` does not know.
		if err = n.save(); err != nil {
			return nil, false, err
		}
	}
	o.Progress("waiting for %d nodes", len(n.Nodes))
	if err = waitReady(ctx, n.pointers(), readyWithin); err != nil {
		return nil, false, err
	}
	if _, statErr := os.Stat(n.TrustPath()); statErr != nil {
		if err = n.writeTrust(ctx); err != nil {
			return nil, false, err
		}
	}
	return n, fresh, nil
}

func (n *Network) pointers() []*Node {
	out := make([]*Node, len(n.Nodes))
	for i := range n.Nodes {
		out[i] = &n.Nodes[i]
	}
	return out
}

// waitReady returns when every node has answered /readyz with 200 once. A process that ends meanwhile ends the wait.
func waitReady(ctx context.Context, nodes []*Node, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	waiting := append([]*Node(nil), nodes...)
	last := make(map[string]string)
	t := time.NewTicker(2 * pollEvery)
	defer t.Stop()
	for {
		var still []*Node
		for _, d := range waiting {
			if d.state() == gone {
				return fmt.Errorf("%s has ended; its last line: %s", d.Name, orNone(d.lastLog()))
			}
			reason, err := d.ready(ctx)
			if err == nil {
				continue
			}
			last[d.Name] = orElse(reason, err.Error())
			still = append(still, d)
		}
		if waiting = still; len(waiting) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ctx.Err()
			}
			d := waiting[0]
			return fmt.Errorf("%d of %d nodes are not ready after %s; %s says: %s", len(waiting), len(nodes), within, d.Name, last[d.Name])
		case <-t.C:
		}
	}
}

func orNone(s string) string { return orElse(s, "(none)") }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

var client = &http.Client{Timeout: 5 * time.Second}

// get asks a gateway.
func (d *Node) get(ctx context.Context, path string) ([]byte, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.API+path, nil)
	if err != nil {
		return nil, 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	return raw, resp.StatusCode, err
}

func (d *Node) ready(ctx context.Context) (reason string, err error) {
	raw, status, err := d.get(ctx, "/readyz")
	if err != nil {
		return "", err
	}
	reason = oneLine(string(raw))
	var answer struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(raw, &answer) == nil && answer.Detail != "" {
		reason = oneLine(answer.Detail)
	}
	if status != http.StatusOK {
		return reason, fmt.Errorf("/readyz answers %d", status)
	}
	return reason, nil
}

// insist is answer for a node that was ready a moment ago: where the machine is busy it may take its time, and is asked again.
func (d *Node) insist(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := d.answer(ctx, path, into)
		if late := net.Error(nil); !errors.As(err, &late) || !late.Timeout() || ctx.Err() != nil {
			return err
		}
	}
}

func (d *Node) answer(ctx context.Context, path string, into any) error {
	raw, status, err := d.get(ctx, path)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d", d.API+path, status)
	}
	return json.Unmarshal(raw, into)
}

// header is what /v1/headers/{h} says.
type header struct {
	Height       int64  `json:"height"`
	Hash         string `json:"hash"`
	AppHashAfter string `json:"app_hash_after"`
}

// writeTrust makes trust.json: block 1 as every node has it, and the validators of genesis. It is byte for byte what the nodes answer to GET /v1/trust in the month in which the network
// begins; later they name a later end.
func (n *Network) writeTrust(ctx context.Context) error {
	var first header
	for _, d := range n.pointers() {
		var h header
		if err := d.insist(ctx, "/v1/headers/1", &h); err != nil {
			return fmt.Errorf("trust file: %s: %w", d.Name, err)
		}
		if first.Hash == "" {
			first = h
		}
		if h.Hash != first.Hash {
			return fmt.Errorf("trust file: %s has block 1 as %s, %s as %s", n.Nodes[0].Name, first.Hash, d.Name, h.Hash)
		}
	}
	hash, err := hex.DecodeString(first.Hash)
	if err != nil || len(hash) != len(attest.Hash{}) {
		return fmt.Errorf("trust file: %q is not a header's hash", first.Hash)
	}
	c, err := node.LoadConfig(n.Nodes[0].Home)
	if err != nil {
		return err
	}
	doc, _, err := node.LoadGenesis(c.Engine.GenesisFile())
	if err != nil {
		return err
	}
	t := &attest.Trust{
		ChainID:  n.ChainID,
		Anchor:   attest.Anchor{Height: 1, HeaderHash: attest.Hash(hash)},
		NotAfter: gateway.TrustEnds(doc.GenesisTime),
	}
	var set []*cmttypes.Validator
	for _, v := range doc.Validators {
		set = append(set, cmttypes.NewValidator(v.PubKey, v.Power))
	}
	for _, v := range cmttypes.NewValidatorSet(set).Validators { // in the engine's order
		t.Validators = append(t.Validators, attest.TrustedValidator{
			Validator: attest.Validator{PubKey: v.PubKey.Bytes(), Power: v.VotingPower}, FromHeight: 1,
		})
	}
	if err := t.Check(); err != nil {
		return fmt.Errorf("trust file: %w", err)
	}
	return writeFile(n.TrustPath(), t.Encode(), 0o644)
}

// Down ends every node: SIGTERM, and SIGKILL for those that do not end in time.
func Down(dir string) (*Network, error) {
	return change(dir, func(n *Network) error { return end(n.pointers()) })
}

// change loads a network, does something to it under the lock and records the result.
func change(dir string, do func(*Network) error) (*Network, error) {
	n, err := Load(dir)
	if err != nil {
		return nil, err
	}
	release, err := lock(n.dir)
	if err != nil {
		return nil, err
	}
	defer release()
	if n, err = Load(dir); err != nil { // as it is under the lock
		return nil, err
	}
	err = do(n)
	if e := n.save(); err == nil {
		err = e
	}
	return n, err
}

// end stops nodes and waits for each.
func end(nodes []*Node) error {
	var wg sync.WaitGroup
	errs := make([]error, len(nodes))
	for i, d := range nodes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = d.stop()
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (d *Node) stop() error {
	if d.state() == gone {
		d.PID, d.Started = 0, ""
		return nil
	}
	d.signal(syscall.SIGTERM) // it may end by itself between any two steps; what counts is that it is gone
	d.signal(syscall.SIGCONT) // a paused process takes the first signal only when it goes on
	if !d.waitGone(stopWithin) {
		d.signal(syscall.SIGKILL)
		if !d.waitGone(killWithin) {
			return fmt.Errorf("%s (process %d) does not end", d.Name, d.PID)
		}
	}
	d.PID, d.Started = 0, ""
	return nil
}

func (d *Node) waitGone(within time.Duration) bool {
	deadline := time.After(within)
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		if d.state() == gone {
			return true
		}
		select {
		case <-deadline:
			return false
		case <-t.C:
		}
	}
}

func changeNode(dir, name string, do func(*Node) error) error {
	_, err := change(dir, func(n *Network) error {
		d, err := n.Node(name)
		if err != nil {
			return wrongCall{err}
		}
		return do(d)
	})
	return err
}

// Kill ends a node as a power cut would its process (SIGKILL), and waits until it is gone.
func Kill(dir, name string) error {
	return changeNode(dir, name, func(d *Node) error {
		if err := d.signal(syscall.SIGKILL); err != nil {
			return err
		}
		if !d.waitGone(killWithin) {
			return fmt.Errorf("%s (process %d) does not end", d.Name, d.PID)
		}
		d.PID, d.Started = 0, ""
		return nil
	})
}

// Pause stops a node's process where it is (SIGSTOP); its connections stay open and silent.
func Pause(dir, name string) error {
	return changeNode(dir, name, func(d *Node) error { return d.signal(syscall.SIGSTOP) })
}

// Resume lets a paused node go on (SIGCONT).
func Resume(dir, name string) error {
	return changeNode(dir, name, func(d *Node) error { return d.signal(syscall.SIGCONT) })
}

// Restart starts a node again, ending it first if it runs, and returns when it answers at all. It does not wait until the node
// is ready: without a quorum it cannot be.
func Restart(ctx context.Context, dir, name, program string) error {
	o := Options{Dir: dir, Validators: 1, Program: program}
	if err := o.complete(); err != nil {
		return err
	}
	_, err := change(dir, func(n *Network) error {
		d, err := n.Node(name)
		if err != nil {
			return wrongCall{err}
		}
		if err := d.stop(); err != nil {
			return err
		}
		if err := d.start(o.Program, len(n.Nodes)); err != nil {
			return err
		}
		return d.waitAnswer(ctx, readyWithin)
	})
	return err
}

func (d *Node) waitAnswer(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	t := time.NewTicker(2 * pollEvery)
	defer t.Stop()
	for {
		if d.state() == gone {
			return fmt.Errorf("%s has ended; its last line: %s", d.Name, orNone(d.lastLog()))
		}
		if _, _, err := d.get(ctx, "/readyz"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer after %s; its last line: %s", d.Name, within, orNone(d.lastLog()))
		case <-t.C:
		}
	}
}

// WaitReady returns when the named nodes, or all of them, answer /readyz.
func (n *Network) WaitReady(ctx context.Context, within time.Duration, names ...string) error {
	nodes := n.pointers()
	if len(names) > 0 {
		nodes = nil
		for _, name := range names {
			d, err := n.Node(name)
			if err != nil {
				return err
			}
			nodes = append(nodes, d)
		}
	}
	return waitReady(ctx, nodes, within)
}

// WaitEnd returns when a node has ended by itself, with an error; when other commands have ended all of them; or when ctx is done.
func (n *Network) WaitEnd(ctx context.Context) error {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		if left, err := n.look(); err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// look counts the nodes that should run, and says which of them does not. It leaves the lock to commands while all run: one that comes at that moment would be refused.
func (n *Network) look() (left int, err error) {
	if left, err = n.count(); left > 0 && err == nil {
		return left, nil
	}
	release, err := lock(n.dir)
	if err != nil {
		return 1, nil // another command is at work: what ends now, it ends
	}
	defer release()
	return n.count()
}

func (n *Network) count() (left int, err error) {
	now, err := Load(n.dir)
	if err != nil {
		return 0, err
	}
	n.Nodes = now.Nodes
	for i := range n.Nodes {
		d := &n.Nodes[i]
		if d.PID == 0 {
			continue
		}
		left++
		if d.state() == gone {
			return left, fmt.Errorf("%s has ended; its last line: %s", d.Name, orNone(d.lastLog()))
		}
	}
	return left, nil
}

// Status of a network.
type Status struct {
	ChainID string       `json:"chain_id"`
	Nodes   []NodeStatus `json:"nodes"`
	// Common is the newest height that every answering node has; Agree says whether they all have the same app hash there.
	Common int64 `json:"common_height"`
	Agree  bool  `json:"agree"`
}

// NodeStatus is one node's.
type NodeStatus struct {
	Name       string `json:"name"`
	PID        int    `json:"pid"`
	State      string `json:"state"` // running, paused, stopped
	Ready      bool   `json:"ready"`
	Reason     string `json:"reason"`
	Height     int64  `json:"height"`
	AppHash    string `json:"app_hash"`
	CatchingUp bool   `json:"catching_up"`
	API        string `json:"api"`
	RPC        string `json:"rpc"`
}

// Inspect asks every node how it is.
func Inspect(ctx context.Context, dir string) (*Status, error) {
	n, err := Load(dir)
	if err != nil {
		return nil, err
	}
	s := &Status{ChainID: n.ChainID}
	var answering []*Node
	for _, d := range n.pointers() {
		state := d.state()
		st := NodeStatus{Name: d.Name, PID: d.PID, State: state.String(), API: d.API, RPC: d.RPC}
		switch state {
		case gone:
			st.PID, st.Reason = 0, "does not run"
		case paused:
			st.Reason = "paused"
		default:
			reason, err := d.ready(ctx)
			st.Ready, st.Reason = err == nil, reason
			if err != nil && st.Reason == "" {
				st.Reason = err.Error()
			}
			var a struct {
				Height     int64  `json:"height"`
				AppHash    string `json:"app_hash"`
				CatchingUp bool   `json:"catching_up"`
			}
			if err := d.answer(ctx, "/v1/status", &a); err == nil {
				st.Height, st.AppHash, st.CatchingUp = a.Height, a.AppHash, a.CatchingUp
				answering = append(answering, d)
				if s.Common == 0 || a.Height < s.Common {
					s.Common = a.Height
				}
			}
		}
		s.Nodes = append(s.Nodes, st)
	}
	s.Agree = len(answering) > 0
	var want string
	for _, d := range answering {
		var h header
		err := d.answer(ctx, fmt.Sprintf("/v1/headers/%d", s.Common), &h)
		if err != nil || h.AppHashAfter == "" || want != "" && h.AppHashAfter != want {
			s.Agree = false
			break
		}
		want = h.AppHashAfter
	}
	return s, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
