package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// Offline packs (离线信用包). A gateway has the newest pack of each set, in memory alone, and makes it when somebody asks and it is due: PackEvery after the one
// before, and at once where a subject that it shows has left the set since or other validators sign, whom alone the trust file then believes. So no answer shows who is in a set no more (INV-03), and nothing of an older set ever
// lies on a disk. Who came and left between two packs moves neither: a pack made early would tell that there was somebody.
//
// Of older packs it remembers, for a day, what changed from one to the next: enough for a delta from any of them to the newest, in which what came and
// went in between does not show. The older pack is named by the SHA-256 of its file, signatures and all, and not by its root: whoever puts a firm into the newest set has the root
// of a set that may have been, and a delta from there would tell that it was one.

// deltaAge is how old a pack may be that a delta leads on from (design.md §7).
const deltaAge = 24 * time.Hour

// Bounds of what is remembered for deltas of one set.
const (
	packStepsMax  = 4096
	packStepBytes = 64 << 20
	packsMadeMax  = 1 << 16
)

// packs of one set.
type packs struct {
	set pb.PackSet

	mu    sync.Mutex // held while a pack is made
	cur   *pack      // guarded by mu
	shows int64      // guarded by mu; height in which all that cur shows were seen to be in the set
	steps []packStep // guarded by mu; oldest first, the last one leads to cur
	made  []madePack // guarded by mu; oldest first, the last one is cur
}

// madePack is a pack that was served within the last day: what is asked for by name, and which set it had.
type madePack struct {
	name, root attest.Hash
	time       time.Time // of the header
}

// pack is the newest pack of a set. Immutable.
type pack struct {
	height  int64
	time    time.Time   // of the header
	name    attest.Hash // SHA-256 of the file
	root    attest.Hash
	members []byte
	file    *pb.Pack // without its members
	raw     []byte
	tag     string
}

// packStep leads from an older set to the one after it.
type packStep struct {
	root           attest.Hash // of the older set
	time           time.Time   // of the newest header that had it in a pack
	added, removed []byte
}

func (s *packStep) bytes() int { return len(s.added) + len(s.removed) }

// newest gives the newest pack of a set, and the steps that lead to it.
func (g *Gateway) newestPack(p *packs) (*pack, []packStep, error) {
	h, err := g.head()
	if err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := headTime(h)
	due := p.cur == nil || h.height > p.cur.height && (now.Sub(p.cur.time) >= g.o.PackEvery || p.cur.otherSet(h))
	if due || h.height > p.shows && g.b.App.PackLeft(p.set) > p.shows {
		next, err := g.makePack(h, p.set)
		if err != nil {
			return nil, nil, err
		}
		p.shows = next.height
		if due || p.cur.showsOther(next) {
			p.follow(next)
		}
	}
	p.forget(now)
	return p.cur, p.steps, nil
}

// otherSet says whether other validators sign the header of a head than signed the pack: anybody sees that, so a pack made then tells of no subject.
func (c *pack) otherSet(h *head) bool {
	return !bytes.Equal(c.file.Header.ValidatorsHash, h.bundle.Header.ValidatorsHash)
}

// showsOther says whether a pack shows somebody who is not in the next.
func (c *pack) showsOther(next *pack) bool {
	_, removed := attest.DiffMembers(c.members, next.members)
	return len(removed) > 0
}

func headTime(h *head) time.Time {
	return time.Unix(h.bundle.Header.TimeSeconds, int64(h.bundle.Header.TimeNanos))
}

// follow puts a newer pack in the place of the one before.
func (p *packs) follow(next *pack) {
	if c := p.cur; c != nil && c.root != next.root {
		s := packStep{root: c.root, time: c.time}
		s.added, s.removed = attest.DiffMembers(c.members, next.members)
		p.steps = append(p.steps[:len(p.steps):len(p.steps)], s) // a reader may have the older slice
	}
	p.cur = next
	p.made = append(p.made, madePack{next.name, next.root, next.time})
}

// rootOf gives the set of a pack of the last day.
func (p *packs) rootOf(name attest.Hash) (root attest.Hash, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.made, func(m madePack) bool { return m.name == name })
	if i < 0 {
		return root, false
	}
	return p.made[i].root, true
}

// forget drops what is older than a day, and what is too much.
func (p *packs) forget(now time.Time) {
	keep, size := len(p.steps), 0
	for keep > 0 && len(p.steps)-keep < packStepsMax {
		s := &p.steps[keep-1]
		if size += s.bytes(); size > packStepBytes || now.Sub(s.time) > deltaAge {
			break
		}
		keep--
	}
	if keep > 0 {
		p.steps = slices.Clone(p.steps[keep:])
	}
	old := max(0, len(p.made)-packsMadeMax)
	for old < len(p.made) && now.Sub(p.made[old].time) > deltaAge {
		old++
	}
	if old > 0 {
		p.made = slices.Clone(p.made[old:])
	}
	if p.cur != nil && now.Sub(p.cur.time) > deltaAge {
		p.cur, p.steps, p.made = nil, nil, nil // nobody has asked for a day
	}
}

// makePack makes the pack of a set at the newest proven height, and verifies it before anybody sees it.
func (g *Gateway) makePack(h *head, set pb.PackSet) (*pack, error) {
	proof, err := g.b.App.ProvePack(h.height, set)
	if err != nil {
		var fault x.Fault
		if errors.As(err, &fault) {
			return nil, internal(err)
		}
		e := refuse(http.StatusServiceUnavailable, ErrNotReady.With("the newest height can be proven once the next block is committed"))
		e.cause = err
		return nil, e
	}
	b := &h.bundle
	f := &pb.Pack{
		Header: *b.Header, Commit: *b.Commit, Validators: *b.Validators, Steps: b.Steps,
		Catalog: proof.Catalog[:], Log: proof.Log[:], State: proof.State[:], Set: set, Other: proof.Other[:], Salt: proof.Salt, Members: proof.Members,
	}
	p := &pack{height: h.height, time: headTime(h), root: proof.Root, file: f, raw: attest.EncodePack(f), tag: h.tag()}
	p.name = sha256.Sum256(p.raw)
	p.members = p.raw[len(p.raw)-len(proof.Members):] // the last field: not twice in memory
	opened, err := h.verifier.OpenPack(p.raw, attest.Policy{Claim: packClaims[set], MaxAge: time.Second, Now: p.time})
	if err == nil && opened.Height != h.height {
		err = fmt.Errorf("it speaks of height %d, not %d", opened.Height, h.height)
	}
	if err != nil {
		g.met.bundlesRefused.Inc()
		g.log.Error("a pack made here does not verify and was not handed out", "height", h.height, "err", err)
		return nil, internal(err)
	}
	f.Members = nil
	return p, nil
}

// packClaims says which claim a set decides.
var packClaims = map[pb.PackSet]attest.Claim{pb.PACK_SERIOUS: attest.NoSerious, pb.PACK_NEGATIVE: attest.NoNegative}

// forgetPacks lets go of what has grown old, asked or not.
func (g *Gateway) forgetPacks(h *head) {
	for i := range g.packs {
		p := &g.packs[i]
		if p.mu.TryLock() { // held: whoever makes a pack forgets as well
			p.forget(headTime(h))
			p.mu.Unlock()
		}
	}
}

// delta leads from an older set to the newest pack. What came and went in between does not show.
func (c *pack) delta(base attest.Hash, steps []packStep) (*pb.PackDelta, bool) {
	at := len(steps)
	if base != c.root {
		for at--; at >= 0 && steps[at].root != base; at-- {
		}
		if at < 0 {
			return nil, false
		}
	}
	d := &pb.PackDelta{Base: base[:], Pack: *c.file}
	// A member enters and leaves in turn: what it did last is the difference where it did so an odd number of times.
	moved := map[attest.Hash]bool{} // true: it is added
	for _, s := range steps[at:] {
		for _, list := range [...]struct {
			members []byte
			in      bool
		}{{s.added, true}, {s.removed, false}} {
			for m := range slices.Chunk(list.members, len(attest.Hash{})) {
				if _, there := moved[attest.Hash(m)]; there {
					delete(moved, attest.Hash(m))
				} else {
					moved[attest.Hash(m)] = list.in
				}
			}
		}
	}
	for _, m := range slices.SortedFunc(maps.Keys(moved), func(a, b attest.Hash) int { return bytes.Compare(a[:], b[:]) }) {
		if moved[m] {
			d.Added = append(d.Added, m[:]...)
		} else {
			d.Removed = append(d.Removed, m[:]...)
		}
	}
	return d, true
}

// packOf answers GET /v1/packs/…: the newest pack of a set.
func packOf(set pb.PackSet) func(*call) error {
	return func(c *call) error {
		if _, err := c.accepts(attest.PackMediaType); err != nil {
			return err
		}
		p, _, err := c.g.newestPack(c.g.packsOf(set))
		if err != nil {
			return err
		}
		c.w.Header().Set("ETag", p.tag)
		if c.has(p.tag) {
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
		c.w.Header().Set("Content-Disposition", `attachment; filename="`+set.Word()+`.xlp"`)
		return c.answer(http.StatusOK, attest.PackMediaType, p.raw)
	}
}

// deltaOf answers GET /v1/packs/…/delta?base=SHA256.
func deltaOf(set pb.PackSet) func(*call) error {
	return func(c *call) error {
		base, err := hex.DecodeString(c.form.Get("base"))
		if err != nil || len(base) != len(attest.Hash{}) {
			return refuse(http.StatusBadRequest, ErrID.With("base is the SHA-256 of the pack file that you have: 64 hexadecimal digits"))
		}
		if _, err := c.accepts(attest.DeltaMediaType); err != nil {
			return err
		}
		packs := c.g.packsOf(set)
		p, steps, err := c.g.newestPack(packs)
		if err != nil {
			return err
		}
		root, ok := packs.rootOf(attest.Hash(base))
		if !ok {
			return refuse(http.StatusGone, ErrPackBase)
		}
		d, ok := p.delta(root, steps)
		if !ok {
			return refuse(http.StatusGone, ErrPackBase)
		}
		c.w.Header().Set("Content-Disposition", `attachment; filename="`+set.Word()+`.xld"`)
		return c.answer(http.StatusOK, attest.DeltaMediaType, attest.EncodeDelta(d))
	}
}

func (g *Gateway) packsOf(set pb.PackSet) *packs {
	return &g.packs[slices.Index(pb.PackSets[:], set)]
}
