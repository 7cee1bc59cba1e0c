package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// head is the newest proven height (最新已证明高度), made once a block and used by all requests. Immutable.
type head struct {
	latest   int64 // committed height that this was made at
	height   int64 // H: the state that is proven; its proof is the header of latest = H+1
	bundle   pb.Bundle
	block    []byte // the part of every bundle that speaks of the block
	asOf     asOf
	trust    *attest.Trust
	verifier *attest.Verifier
}

// errStarting says that nothing is proven yet: header H+1 is what proves the state of H.
var errStarting = errors.New("the second block is not committed yet")

// head gives the newest proven height. The first request after a block makes it, unless Run did; the others wait for that one, some
// hundred microseconds.
func (g *Gateway) head() (*head, error) {
	latest := g.b.App.Status().Height
	if h := g.cur.Load(); h != nil && h.latest == latest {
		return h, nil
	}
	g.headMu.Lock()
	defer g.headMu.Unlock()
	latest = g.b.App.Status().Height
	if h := g.cur.Load(); h != nil && h.latest == latest {
		return h, nil
	}
	h, err := g.makeHead(latest)
	if err != nil {
		e := refuse(http.StatusServiceUnavailable, ErrNotReady)
		e.cause = err
		return nil, e
	}
	g.cur.Store(h)
	g.met.provenHeight.Set(float64(h.height))
	return h, nil
}

func (g *Gateway) makeHead(latest int64) (*head, error) {
	if latest < 2 {
		return nil, errStarting
	}
	header, err := g.header(latest)
	if err != nil {
		return nil, err
	}
	g.loadPath(header.ChainID, latest)
	if err := g.path.extend(g.b.Blocks, header); err != nil {
		return nil, err
	}
	g.savePath(header.ChainID)
	hd := headerOf(header)
	set := g.path.last().set
	commit, err := g.commit(&hd, set)
	if err != nil {
		return nil, err
	}
	h := &head{
		latest: latest, height: latest - 1, trust: g.path.trusted, verifier: g.path.verifier,
		bundle: pb.Bundle{Header: &hd, Commit: commit},
	}
	first := g.path.first()
	h.bundle.Validators, h.bundle.Steps = g.path.epochs[first].set, g.path.steps[first:]
	h.block = attest.EncodeBundle(&h.bundle)
	err = g.b.App.ReadAt(h.height, func(r x.Reader) error {
		info, ok := app.BlockInfo(r, h.height)
		if !ok {
			return fmt.Errorf("the state of height %d does not know its block", h.height)
		}
		h.asOf = g.asOf(info, header.Version.App, header.Time, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (g *Gateway) header(height int64) (*cmttypes.Header, error) { return headerAt(g.b.Blocks, height) }

func headerAt(b Blocks, height int64) (*cmttypes.Header, error) {
	if h := b.Header(height); h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("the node has no header of height %d", height)
}

func (g *Gateway) commit(h *pb.Header, set *pb.ValidatorSet) (*pb.Commit, error) {
	return commitAt(g.b.Blocks, h, set)
}

func commitAt(b Blocks, h *pb.Header, set *pb.ValidatorSet) (*pb.Commit, error) {
	c := b.Commit(h.Height)
	if c == nil {
		return nil, fmt.Errorf("the node has no commit of height %d", h.Height)
	}
	return commitOf(h, set, c)
}

// path leads from the validator set of the first block to that of the newest: what a trust file as old as the chain needs, as far as there is room. Owned by headMu.
// Where the first blocks are pruned it comes from a file (path_file.go), or begins later.
type path struct {
	anchor   attest.Anchor
	epochs   []epoch
	steps    []pb.Step
	verifier *attest.Verifier // of what begins at first()
	trusted  *attest.Trust    // the trust file, made with the verifier; a new set makes both anew
	at       int64            // height up to which the last epoch's set is known to sign

	saved      int64 // at, as in the file; see path_file.go
	savedSteps int
}

// epoch is a set with the first height that it signs on the path.
type epoch struct {
	from int64
	hash []byte
	set  *pb.ValidatorSet
}

func (p *path) last() epoch { return p.epochs[len(p.epochs)-1] }

// firstRoom is what a bundle for one subject leaves for the first set and the steps, beside a standing of the largest size, the path of the tree and the newest header.
const firstRoom = pb.BundleBytesMax - pb.StandingBytesMax - 12<<10

// first is the epoch at which bundles begin: the oldest from which the steps leave room for the rest. The path grows with every change of validators, and a bundle for one
// subject may not. A trust file from before it is refused by the verifier as one that is too old: the current one names every epoch.
func (p *path) first() int {
	room := firstRoom - 80*len(p.last().set.Powers) // signatures of the newest commit
	i := len(p.epochs) - 1
	for ; i > 0; i-- {
		if room -= p.steps[i-1].Size() + 8; room < p.epochs[i-1].set.Size() {
			break
		}
	}
	return i
}

// extend leads the path to a header. A step is a header signed by one set that names another as the next. Between a height that the known
// set signs and one that it does not, halving finds such a header, so that a chain of millions of blocks costs some dozen reads. A set
// that came and went in between may be passed over: the path need not name every change, only hold at each step.
func (p *path) extend(b Blocks, to *cmttypes.Header) error {
	if len(p.epochs) == 0 {
		if err := p.begin(b, to.Height); err != nil {
			return err
		}
	}
	if !bytes.Equal(p.last().hash, to.ValidatorsHash) {
		if err := p.overGap(b, to.Height); err != nil {
			return err
		}
	}
	for !bytes.Equal(p.last().hash, to.ValidatorsHash) {
		lo, hi := p.at, to.Height
		for hi-lo > 1 {
			mid := lo + (hi-lo)/2
			h, err := headerAt(b, mid)
			if err != nil {
				return err
			}
			if bytes.Equal(h.ValidatorsHash, p.last().hash) {
				lo = mid
			} else {
				hi = mid
			}
		}
		if err := p.step(b, lo, hi); err != nil {
			return err
		}
	}
	p.at = to.Height
	if p.verifier == nil {
		v, err := attest.NewVerifier(p.checkTrust(to.ChainID))
		if err != nil {
			return err
		}
		p.verifier, p.trusted = v, p.trust(to.ChainID)
	}
	return nil
}

// step adds the step from the set that signs height lo to the one that signs height hi = lo+1.
func (p *path) step(b Blocks, lo, hi int64) error {
	signed, err := headerAt(b, lo)
	if err != nil {
		return err
	}
	follows, err := headerAt(b, hi)
	if err != nil {
		return err
	}
	next, err := setAt(b, follows)
	if err != nil {
		return err
	}
	h := headerOf(signed)
	c, err := commitAt(b, &h, p.last().set)
	if err != nil {
		return err
	}
	// A head in use shares the steps: append only to a copy.
	p.steps = append(p.steps[:len(p.steps):len(p.steps)], pb.Step{Header: h, Commit: *c, Next: *next})
	p.epochs = append(p.epochs[:len(p.epochs):len(p.epochs)], epoch{hi, follows.ValidatorsHash, next})
	p.at, p.verifier = hi, nil
	return nil
}

func setAt(b Blocks, h *cmttypes.Header) (*pb.ValidatorSet, error) {
	vs, err := b.Validators(h.Height)
	if err != nil {
		return nil, fmt.Errorf("the validators of height %d: %w", h.Height, err)
	}
	if vs == nil || !bytes.Equal(vs.Hash(), h.ValidatorsHash) {
		return nil, fmt.Errorf("the node's validators of height %d are not those that its header names", h.Height)
	}
	return setOf(vs)
}

// trust is the trust file (信任文件): anchored at the first block, with the validators of each epoch of the path. What a set signs is believed until its epoch ends, by
// the time of the last header that it signs and what clocks may differ: with its keys it could go on to sign old heights as of today. The windows of all validators
// of a set have to hold, so one that ends is enough.
func (p *path) trust(chainID string) *attest.Trust {
	t := &attest.Trust{ChainID: chainID, Anchor: p.anchor}
	for i, e := range p.epochs {
		until, end := int64(0), time.Time{}
		if i+1 < len(p.epochs) {
			until, end = p.epochs[i+1].from-1, timeOf(&p.steps[i].Header).Add(attest.HeaderAheadMax)
		}
		cut := i > 0 && !leaves(p.epochs[i-1].set, e.set)
		for k, power := range e.set.Powers {
			key := e.set.PubKeys[32*k : 32*k+32]
			if !goesOn(t.Validators, key, power, e.from, until, end, &cut) {
				t.Validators = append(t.Validators, attest.TrustedValidator{
					Validator: attest.Validator{PubKey: key, Power: power}, FromHeight: e.from, UntilHeight: until, ValidUntil: end,
				})
			}
		}
	}
	return t
}

// leaves tells whether a validator of a set is not in the next with the same power. Its row of the trust file ends the whole set; where there is none, one of the others
// is cut in two.
func leaves(set, next *pb.ValidatorSet) bool {
	type member struct {
		key   [32]byte
		power int64
	}
	stays := make(map[member]bool, len(next.Powers))
	for k, power := range next.Powers {
		stays[member{[32]byte(next.PubKeys[32*k:]), power}] = true
	}
	for k, power := range set.Powers {
		if !stays[member{[32]byte(set.PubKeys[32*k:]), power}] {
			return true
		}
	}
	return false
}

// goesOn lengthens the row of a validator that the epoch before had with the same power, but for the first one where a row is to be cut.
func goesOn(vals []attest.TrustedValidator, key []byte, power, from, until int64, end time.Time, cut *bool) bool {
	for i := range vals {
		if v := &vals[i]; v.UntilHeight == from-1 && from > 1 && v.Power == power && bytes.Equal(v.PubKey, key) {
			if *cut {
				*cut = false
				return false
			}
			v.UntilHeight, v.ValidUntil = until, end
			return true
		}
	}
	return false
}

func timeOf(h *pb.Header) time.Time { return time.Unix(h.TimeSeconds, int64(h.TimeNanos)).UTC() }

// checkTrust is the trust by which the gateway checks what it made itself: the set at which bundles begin, for ever, so that every step counts.
func (p *path) checkTrust(chainID string) *attest.Trust {
	t := &attest.Trust{ChainID: chainID, Anchor: p.anchor, NotAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	set := p.epochs[p.first()].set
	for k, power := range set.Powers {
		t.Validators = append(t.Validators, attest.TrustedValidator{
			Validator: attest.Validator{PubKey: set.PubKeys[32*k : 32*k+32], Power: power}, FromHeight: 1,
		})
	}
	return t
}

// Run keeps the proven head ready, so that no request waits for it. Without Run the first request after each block makes it.
func (g *Gateway) Run(ctx context.Context) {
	for {
		next := g.b.App.NextBlock()
		switch h, err := g.head(); {
		case err == nil:
			g.forgetPacks(h)
		case !errors.Is(err, errStarting):
			g.log.Warn("the newest height cannot be proven", "err", errors.Unwrap(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-next:
		}
	}
}

// prove asks the application for a proof at the newest proven height.
func (g *Gateway) prove(ask func(height int64) error) (*head, error) {
	for attempt := 0; ; attempt++ {
		h, err := g.head()
		if err != nil {
			return nil, err
		}
		if err = ask(h.height); err == nil {
			return h, nil
		}
		// The chain may have moved on beyond the heights that memory holds. A start that has made the tree from the rows, or has restored a snapshot, knows the newest
		// height alone, which is provable with the next block.
		var fault x.Fault
		switch {
		case errors.As(err, &fault):
			return nil, internal(err)
		case attempt < 2 && g.b.App.Status().Height != h.latest:
			continue
		}
		e := refuse(http.StatusServiceUnavailable, ErrNotReady.With("the newest height can be proven once the next block is committed"))
		e.cause = err
		return nil, e
	}
}

// bundle makes the bundle of subjects at the newest proven height, and verifies it before anybody sees it.
func (g *Gateway) bundle(subjects []string) (*head, *pb.Bundle, []byte, error) {
	var p *app.Proof
	h, err := g.prove(func(height int64) (err error) {
		p, err = g.b.App.Prove(height, subjects)
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	b := h.bundle
	b.Entries, b.Shape, b.Hashes = p.Entries, p.Shape, p.Hashes
	b.Catalog, b.Log, b.Pack = p.Catalog, p.LogHash, p.Pack
	raw := encodeBundle(h.block, &b)
	if max := bundleMax(len(p.Entries)); len(raw) > max {
		return nil, nil, nil, refuse(http.StatusUnprocessableEntity, ErrBundleSize.With("the bundle would have %d bytes, at most %d are allowed", len(raw), max))
	}
	if err := g.selfCheck(h, raw, subjects); err != nil {
		g.met.bundlesRefused.Inc()
		g.log.Error("a bundle made here does not verify and was not handed out", "height", h.height, "entries", len(p.Entries), "err", err)
		return nil, nil, nil, internal(err)
	}
	return h, &b, raw, nil
}

// encodeBundle is attest.EncodeBundle where the block's part, fields 1 to 4, is encoded already.
func encodeBundle(block []byte, b *pb.Bundle) []byte {
	size := len(block) + len(b.Catalog) + len(b.Log) + len(b.Pack) + len(b.Shape) + len(b.Hashes) + 32
	for i := range b.Entries {
		size += b.Entries[i].Size() + 8
	}
	raw := append(make([]byte, 0, size), block...)
	field := func(n byte, v []byte) {
		if len(v) > 0 {
			raw = append(binary.AppendUvarint(append(raw, n<<3|2), uint64(len(v))), v...)
		}
	}
	field(5, b.Catalog)
	field(6, b.Log)
	field(7, b.Pack)
	for i := range b.Entries {
		e := &b.Entries[i]
		raw = binary.AppendUvarint(append(raw, 8<<3|2), uint64(e.Size()))
		field(1, []byte(e.Subject))
		field(2, e.Standing)
		field(3, e.Salt)
	}
	field(9, b.Shape)
	field(10, b.Hashes)
	return raw
}

// tag names the height in an ETag. It is weak: two nodes may carry the signatures of different validators.
func (h *head) tag() string { return `W/"` + strconv.FormatInt(h.height, 10) + `"` }

// tagOf names height and form of a bundle.
func (h *head) tagOf(form attest.Form) string {
	if form == attest.SelfContained {
		return h.tag()
	}
	return `W/"` + strconv.FormatInt(h.height, 10) + "-" + string(form) + `"`
}

func bundleMax(entries int) int {
	if entries <= 1 {
		return pb.BundleBytesMax
	}
	return pb.BundleManyBytesMax
}

// checkDue says whether what leaves now is verified first.
func (g *Gateway) checkDue() bool {
	if g.checks != nil && !g.checks.AllowN(g.o.Now(), 1) {
		return false
	}
	g.met.bundlesChecked.Inc()
	return true
}

// selfCheck is the pair assertion: what left must verify. The verifier remembers the block, so that all but the first of a height cost
// some hashes.
func (g *Gateway) selfCheck(h *head, raw []byte, subjects []string) error {
	if !g.checkDue() {
		return nil
	}
	policy := attest.Policy{Claim: attest.Standing, MaxAge: time.Second, Now: timeOf(h.bundle.Header)}
	if len(subjects) == 1 {
		policy.Subject = subjects[0]
		v, err := h.verifier.Verify(raw, policy)
		if err == nil && v.Height != h.height {
			err = fmt.Errorf("it speaks of height %d, not %d", v.Height, h.height)
		}
		return err
	}
	_, err := h.verifier.VerifyMany(raw, policy)
	return err
}
