package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/vault"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

const (
	// A legal day passes in a second, so that the four months of the story take two minutes. Legal time goes by whole seconds of block time: a faster
	// clock would leave days out, and the story's dates with them.
	demoRate   = 86400
	demoOrigin = "2026-07-15T09:00:00+08:00"
	// The nodes start before the first moment of the chain: its clock does not run on while a slow machine starts four processes.
	demoGenesisIn = 3 * time.Second
	demoWithin    = 10 * time.Minute
	demoPoll      = 40 * time.Millisecond
)

func demoCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the whole ledger at work: four validators, files, a repair, proofs, an audit", Args: cobra.NoArgs,
		Long: `Start a consortium of four validators on loopback in a temporary folder, with a legal clock on which a day passes in a second; take in the sample
files; carry a penalty through publication, repair and the revocation of the repair; enter firms in lists, mark an objection, hold back what 信用中国 does
not show; verify bundles offline before and after, and look firms up in offline packs; compare the nodes; and replay the whole chain as an auditor. Everything in it is synthetic.

Exit codes: 0 every step went as expected, 1 one did not (it is named), 2 the call was wrong.`,
	}
	dir := cmd.Flags().String("dir", "", "folder to use; it must be empty, and it stays (default: a temporary one)")
	keep := cmd.Flags().Bool("keep", false, "leave the network running and print its addresses")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return runDemo(cmd.Context(), cmd.OutOrStdout(), *dir, *keep)
	}
	return cmd
}

// demo is one run of the story.
type demo struct {
	ctx   context.Context
	out   io.Writer
	began time.Time
	dir   string

	net      *runner.Network
	vault    *vault.Vault
	clients  map[string]*client.Client
	members  map[string]runner.Member
	trust    *attest.Trust
	enrolled int64 // height at which all firms are enrolled
	expects  int   // outcomes that were held against what the rules say
	verify   []time.Duration
	rows     []importResult
}

func runDemo(ctx context.Context, out io.Writer, dir string, keep bool) (err error) {
	ctx, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	d := &demo{ctx: ctx, out: out, began: time.Now(), clients: map[string]*client.Client{}, members: map[string]runner.Member{}}
	temporary := dir == ""
	if temporary {
		if d.dir, err = os.MkdirTemp("", "xinlian-demo-"); err != nil {
			return err
		}
	} else if d.dir, err = filepath.Abs(dir); err != nil {
		return usage(err)
	}
	defer func() {
		for _, c := range d.clients {
			c.Close()
		}
		if err == nil && keep {
			d.addresses()
			return
		}
		// The folder may hold no network yet; then there is nothing to end.
		if _, e := runner.Down(d.dir); e != nil && !errors.Is(e, runner.ErrNoNetwork) && err == nil {
			err = e
		}
		if temporary {
			if e := os.RemoveAll(d.dir); e != nil && err == nil {
				err = e
			}
		}
	}()
	steps := []struct {
		name string
		do   func() error
	}{
		{"consortium 联盟", d.start},
		{"S3 publication 公示", d.publication},
		{"S6 jurisdiction 管辖", d.jurisdiction},
		{"import 归集", d.importSamples},
		{"S2 breach and bar 违诺与禁用", d.breach},
		{"S7 serious list 严重失信主体名单", d.listed},
		{"abnormal operation, objection, 信用中国 异常名录、异议、公示核对", d.abnormal},
		{"S4 repair 修复", d.repair},
		{"offline pack 离线信用包", d.offline},
		{"S5 false repair 虚假修复", d.falseRepair},
		{"S9 lender 信易贷", d.lender},
		{"four nodes 四节点", d.agreement},
		{"audit 审计", func() error { return d.audit(keep) }},
	}
	for _, s := range steps {
		fmt.Fprintf(out, "\n%s\n", s.name)
		if err := s.do(); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("stopped after %s: %w", time.Since(d.began).Round(time.Second), ctx.Err())
			}
			return exitWith(exitFailed, fmt.Errorf("demo: %s: %w", s.name, err))
		}
	}
	d.summary()
	return nil
}

// say prints a line with the time since the start.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "  %5.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// expect holds an outcome against what must be.
func (d *demo) expect(ok bool, format string, args ...any) error {
	d.expects++
	if ok {
		return nil
	}
	return fmt.Errorf("not as expected: "+format, args...)
}

// start brings the network up and opens a client for each actor.
func (d *demo) start() error {
	origin, err := time.Parse(time.RFC3339, demoOrigin)
	if err != nil {
		return err
	}
	var tag [4]byte
	_, _ = rand.Read(tag[:]) // never fails
	d.net, _, err = runner.Up(d.ctx, runner.Options{
		Dir: d.dir, ChainID: "demo-" + hex.EncodeToString(tag[:]), Validators: 4, LegalOrigin: origin, ClockRate: demoRate, GenesisIn: demoGenesisIn,
	})
	if err != nil {
		return asUsage(err)
	}
	for _, m := range d.net.Members {
		d.members[m.Key] = m
	}
	pass, err := keys.ReadPassphrase(d.net.PassphrasePath())
	if err != nil {
		return err
	}
	for i, name := range []string{"registry", "ops", "zz-scjg", "gy-scjg", "js-rsj", "auditor"} {
		k, _, err := d.net.Key(name)
		if err != nil {
			return err
		}
		// Agencies speak to their own nodes.
		if d.clients[name], err = client.New(client.Options{URL: d.net.Nodes[i%len(d.net.Nodes)].API, Key: k, Patience: 30 * time.Second}); err != nil {
			return err
		}
	}
	if d.vault, err = vault.OpenOrCreate(filepath.Join(d.dir, "vault"), []byte(pass)); err != nil {
		return err
	}
	if _, err := d.net.Enrol(d.ctx); err != nil {
		return err
	}
	// The registry's node has committed it; what the others are asked from here on is of this height or later.
	enrolled, err := d.clients["registry"].Status(d.ctx)
	if err != nil {
		return err
	}
	d.enrolled = enrolled.Height
	raw, err := os.ReadFile(d.net.TrustPath())
	if err != nil {
		return err
	}
	if d.trust, err = attest.ParseTrust(raw); err != nil {
		return err
	}
	today, err := d.today()
	if err != nil {
		return err
	}
	d.say("chain %s: 4 validators on loopback, %d firms enrolled (synthetic); legal clock from %s, a day a second, now %s", d.net.ChainID, len(sample.Subjects()), demoOrigin[:10], today)
	return nil
}

// today is the legal day of the newest block.
func (d *demo) today() (calendar.Date, error) {
	s, err := d.clients["ops"].Status(d.ctx)
	if err != nil {
		return 0, err
	}
	return calendar.Of(s.LegalTime.Unix()), nil
}

// reach waits until a block of a legal day, or of a later one, is there.
func (d *demo) reach(day calendar.Date) (calendar.Date, error) {
	if today, err := d.today(); err != nil || today >= day {
		return today, err
	} else if ahead := int(day - today); ahead > 10 {
		d.say("the legal clock runs from %s to %s: some %d s", today, day, ahead)
	}
	t := time.NewTicker(demoPoll)
	defer t.Stop()
	for {
		today, err := d.today()
		if err != nil || today >= day {
			return today, err
		}
		select {
		case <-d.ctx.Done():
			return 0, d.ctx.Err()
		case <-t.C:
		}
	}
}

func day(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err) // a date of this file
	}
	return d
}

// legalAt is the legal time of a block.
func (d *demo) legalAt(height int64) (int64, error) {
	if err := d.height("ops", height); err != nil { // its node may be a block behind the one that answered
		return 0, err
	}
	var h struct {
		LegalTime time.Time `json:"legal_time"`
	}
	err := d.clients["ops"].Get(d.ctx, fmt.Sprintf("/v1/headers/%d", height), false, &h)
	return h.LegalTime.Unix(), err
}

// dayOf is the legal day of a block.
func (d *demo) dayOf(height int64) (calendar.Date, error) {
	legal, err := d.legalAt(height)
	return calendar.Of(legal), err
}

// height waits until an actor's node has a height.
func (d *demo) height(actor string, height int64) error {
	t := time.NewTicker(demoPoll)
	defer t.Stop()
	for {
		s, err := d.clients[actor].Status(d.ctx)
		if err != nil || s.Height >= height {
			return err
		}
		select {
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-t.C:
		}
	}
}

// done is what became of an accepted message.
type done struct {
	record string
	height int64
	on     calendar.Date
}

// send submits one message of an actor and expects that it passes.
func (d *demo) send(actor string, m pb.Msg) (done, error) {
	o, err := d.clients[actor].Send(d.ctx, m)
	if err != nil {
		return done{}, err
	}
	if err := d.expect(!o.Refused(), "%v", o.Err()); err != nil {
		return done{}, err
	}
	on, err := d.dayOf(o.Height)
	return done{o.Results[0].Record, o.Height, on}, err
}

// refused submits one message of an actor and expects a refusal.
func (d *demo) refused(actor, code string, m pb.Msg) (*client.Result, error) {
	o, err := d.clients[actor].Send(d.ctx, m)
	if err != nil {
		return nil, err
	}
	if err := d.expect(o.Refused() && len(o.Results) == 1 && o.Results[0].Code == code, "%s should be refused with %s, the answer is %s", actor, code, o.Code); err != nil {
		return nil, err
	}
	return &o.Results[0], nil
}

// digest keeps words in the vault and gives what the chain gets of them.
func (d *demo) digest(record [32]byte, name, words string) ([]byte, error) {
	digest, err := d.vault.Put(record, map[string]string{name: words})
	return digest[:], err
}

// proof is a bundle that was fetched, with what x/attest says of it offline.
type proof struct {
	raw      []byte
	standing []byte // the very bytes of the standing that it proves; nil: not enrolled
	salt     []byte
	height   int64
}

// prove fetches a bundle of a subject at a height or later.
func (d *demo) prove(actor, uscc string, from int64) (*proof, error) {
	t := time.NewTicker(demoPoll)
	defer t.Stop()
	for {
		raw, err := d.clients[actor].Attestation(d.ctx, uscc)
		if err != nil {
			return nil, err
		}
		b, err := attest.DecodeBundle(raw)
		if err != nil {
			return nil, err
		}
		if h := b.Header.Height - 1; h >= from {
			p := &proof{raw: raw, height: h}
			if e := b.Entries[0]; len(e.Standing) > 0 {
				p.standing, p.salt = e.Standing, e.Salt
			}
			return p, nil
		}
		select {
		case <-d.ctx.Done():
			return nil, d.ctx.Err()
		case <-t.C:
		}
	}
}

// verdict verifies a bundle offline, as xinlian-verify does, and expects its exit code.
func (d *demo) verdict(p *proof, uscc, claim string, want int) error {
	c, err := attest.ParseClaim(claim)
	if err != nil {
		return err
	}
	began := time.Now()
	v, err := attest.Verify(p.raw, d.trust, attest.Policy{Subject: uscc, Claim: c, MaxAge: time.Hour, Now: time.Now()})
	d.verify = append(d.verify, time.Since(began))
	return d.expect(attest.ExitCode(v, err) == want, "claim %s about %s at height %d gives exit code %d (%v), expected is %d", claim, uscc, p.height, attest.ExitCode(v, err), err, want)
}

// record reads a record as an actor.
func (d *demo) record(actor, id string) (map[string]any, error) {
	raw, err := d.clients[actor].Record(d.ctx, id)
	if err != nil {
		return nil, err
	}
	var v map[string]any
	return v, json.Unmarshal(raw, &v)
}

func (d *demo) addresses() {
	fmt.Fprintf(d.out, "\nthe network goes on in %s\n", d.dir)
	t := newTable()
	for _, n := range d.net.Nodes {
		t.row("  "+n.Name, n.API, n.Home)
	}
	t.row("  trust file", d.net.TrustPath())
	t.row("  keys", d.net.KeysPath())
	t.write(d.out)
	fmt.Fprintf(d.out, "end it with: xinlian localnet down --dir %s\n", d.dir)
}

// mark shortens an id for a line.
func mark(id string) string {
	if len(id) > 12 {
		return id[:12] + "…"
	}
	return id
}

func sameStanding(a, b *proof) bool {
	return len(a.standing) > 0 && bytes.Equal(a.standing, b.standing) && bytes.Equal(a.salt, b.salt)
}

// commitmentCode makes a code from where it was accepted, when it was made, and a serial.
func commitmentCode(region string, made calendar.Date, serial int) string {
	return region + strings.ReplaceAll(made.String(), "-", "") + fmt.Sprintf("%06d", serial)
}
