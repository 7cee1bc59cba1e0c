package gateway

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attesttest"
)

// chain is a chain of headers whose validators change.
type chain struct {
	spec    attesttest.Spec
	headers []cmttypes.Header // by height - 1
	sets    []*attesttest.Set
	reads   int
	pruned  int64 // heights up to it are gone
}

// newChain makes a chain of n headers on which a set signs from the heights given on.
func newChain(t *testing.T, n int64, changes map[int64]*attesttest.Set) *chain {
	t.Helper()
	c := &chain{}
	set := changes[1]
	for h := int64(1); h <= n; h++ {
		if s := changes[h]; s != nil {
			set = s
		}
		c.sets = append(c.sets, set)
	}
	for h := int64(1); h <= n; h++ {
		next := c.sets[min(h, n-1)]
		hd := attesttest.Header("test-attest", h, attesttest.Time.Add(time.Duration(h)*time.Second), c.sets[h-1], next, attesttest.Sum("app", h))
		if h > 1 {
			hd.LastBlockID.Hash = c.headers[h-2].Hash()
		}
		c.headers = append(c.headers, hd)
	}
	c.spec = attesttest.Spec{Height: n, Standings: []*pb.Standing{attesttest.Clean(attesttest.SubjectClean)}}
	last := &c.headers[n-1]
	specHeader := c.spec.Header()
	last.AppHash = specHeader.AppHash
	return c
}

func (c *chain) Block(int64) *cmttypes.Block { return nil }

func (c *chain) Header(h int64) *cmttypes.Header {
	c.reads++
	if h <= c.pruned || h < 1 || h > int64(len(c.headers)) {
		return nil
	}
	hd := c.headers[h-1]
	return &hd
}

func (c *chain) Commit(h int64) *cmttypes.Commit { return c.sets[h-1].Sign(c.Header(h), 0, nil) }

func (c *chain) Validators(h int64) (*cmttypes.ValidatorSet, error) {
	return c.sets[h-1].ValidatorSet, nil
}

// bundle is what the gateway would make at a height.
func (c *chain) bundle(t *testing.T, p *path) []byte {
	t.Helper()
	h := headerOf(&c.headers[len(c.headers)-1])
	commit, err := commitAt(c, &h, p.last().set)
	if err != nil {
		t.Fatal(err)
	}
	b := c.spec.Bundle()
	first := p.first()
	b.Header, b.Commit, b.Validators, b.Steps = &h, commit, p.epochs[first].set, p.steps[first:]
	return attest.EncodeBundle(b)
}

// The path leads from the first set to the newest, whatever changed in between, and verifies by a trust file as old as the chain and by the newest.
func TestPath(t *testing.T) {
	a, b, c, d := attesttest.Equal("a", 4), attesttest.Equal("b", 4), attesttest.NewSet("c", 10, 20, 30, 1), attesttest.Equal("d", 7)
	for name, changes := range map[string]map[int64]*attesttest.Set{
		"none":             {1: a},
		"one":              {1: a, 100: b},
		"at the second":    {1: a, 2: b},
		"at the last":      {1: a, 300: b},
		"one after other":  {1: a, 50: b, 51: c, 52: d},
		"there and back":   {1: a, 50: b, 60: a},
		"back and on":      {1: a, 50: b, 60: a, 200: c},
		"many":             {1: a, 20: b, 40: c, 60: d, 80: a, 100: b, 120: c, 299: d},
		"partly the same":  {1: a, 150: attesttest.NewSet("a", 10, 10, 10, 10, 10)},
		"same, more power": {1: a, 150: attesttest.NewSet("a", 10, 10, 10, 30)},
	} {
		t.Run(name, func(t *testing.T) {
			ch := newChain(t, 300, changes)
			var p path
			// In two goes, as the chain grows.
			for _, h := range []int64{2, 120, 121, 300} {
				if err := p.extend(ch, ch.Header(h)); err != nil {
					t.Fatal(err)
				}
			}
			if ch.reads > 200 {
				t.Errorf("%d headers read for %d steps", ch.reads, len(p.steps))
			}
			raw := ch.bundle(t, &p)
			now := attesttest.Time.Add(301 * time.Second)
			policy := attest.Policy{Subject: attesttest.SubjectClean, Claim: attest.NoNegative, MaxAge: time.Minute, Now: now}
			trust := p.trust("test-attest")
			trust.NotAfter = now.AddDate(1, 0, 0)
			if err := trust.Check(); err != nil {
				t.Fatal(err)
			}
			old := *trust
			old.Validators = a.Trusted(1, 0)
			for _, f := range attest.Examine(trust, now) {
				if strings.Contains(f.Text, "replaced") {
					t.Error(f.Text)
				}
			}
			// Whoever has the keys of a set that was replaced signs its last height as of today.
			late, later := policy, now.Add(time.Minute)
			late.Now = later
			for i := range p.steps {
				forged := attesttest.Spec{Set: ch.sets[p.epochs[i].from-1], Height: p.epochs[i+1].from - 1, Standings: ch.spec.Standings}
				forged.Time = later
				if forged.Height < 3 {
					continue // of the anchor
				}
				if _, err := attest.Verify(forged.File(), trust, late); attest.CodeOf(err) != attest.CodeTrustWindow {
					t.Errorf("the set that was replaced at height %d: %v", forged.Height+1, err)
				}
			}
			for which, tr := range map[string]*attest.Trust{"newest": trust, "oldest": &old, "own": p.checkTrust("test-attest")} {
				v, err := attest.Verify(raw, tr, policy)
				if err != nil || !v.Holds || v.Height != 299 {
					t.Errorf("by the %s trust file, %d steps: %+v %v", which, len(p.steps), v, err)
				}
			}
		})
	}
}

// The trust file is made when the validators change, and not for every block: it has a row for each of them that there ever was.
func TestTrustIsMadeOnceASet(t *testing.T) {
	ch := newChain(t, 300, map[int64]*attesttest.Set{1: attesttest.Equal("a", 4), 100: attesttest.Equal("b", 4)})
	var p path
	made := map[*attest.Trust]bool{}
	for _, h := range []int64{2, 3, 99, 100, 101, 300} {
		if err := p.extend(ch, ch.Header(h)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(p.trusted, p.trust("test-attest")) {
			t.Errorf("at height %d the trust file is that of another path", h)
		}
		made[p.trusted] = true
	}
	if len(made) != 2 {
		t.Errorf("%d trust files are made for two sets", len(made))
	}
}

// TestPathOfManyChanges: a bundle for one subject stays one, and the trust file one that can be read, however often the validators change.
func TestPathOfManyChanges(t *testing.T) {
	changes := map[int64]*attesttest.Set{}
	for i := range int64(70) { // one joins, or all give way to others
		changes[1+4*i] = attesttest.Equal(fmt.Sprint("set ", i/10), 21+int(i%10))
	}
	joins := map[int64]*attesttest.Set{}
	for i := range int64(97) {
		joins[1+2*i] = attesttest.Equal("joins", 4+int(i))
	}
	for name, changes := range map[string]map[int64]*attesttest.Set{"changes": changes, "joins": joins} {
		ch := newChain(t, 300, changes)
		var p path
		if err := p.extend(ch, ch.Header(300)); err != nil {
			t.Fatal(err)
		}
		raw := ch.bundle(t, &p)
		if len(p.steps) != len(changes)-1 || len(raw) > pb.BundleBytesMax-pb.StandingBytesMax || p.first() == len(p.steps) {
			t.Errorf("%s: %d bytes from epoch %d of %d", name, len(raw), p.first(), len(p.epochs))
		}
		now := attesttest.Time.Add(301 * time.Second)
		trust := p.trust("test-attest")
		trust.NotAfter = now.AddDate(1, 0, 0)
		trust, err := attest.ParseTrust(trust.Encode())
		if err != nil {
			t.Fatal(name, err)
		}
		if most := 21 + 7*30 + 70; name == "changes" && len(trust.Validators) > most || name == "joins" && len(trust.Validators) > 2*len(joins)+4 {
			t.Errorf("%s: %d rows", name, len(trust.Validators))
		}
		for _, f := range attest.Examine(trust, now) {
			if strings.Contains(f.Text, "replaced") {
				t.Error(name, f.Text)
			}
		}
		policy := attest.Policy{Subject: attesttest.SubjectClean, Claim: attest.NoNegative, MaxAge: time.Minute, Now: now}
		for which, tr := range map[string]*attest.Trust{"newest": trust, "own": p.checkTrust("test-attest")} {
			if v, err := attest.Verify(raw, tr, policy); err != nil || !v.Holds {
				t.Errorf("%s, by the %s trust file: %v", name, which, err)
			}
		}
		// One from the first block is told to be renewed.
		oldest := *trust
		oldest.Validators = changes[1].Trusted(1, 0)
		if _, err := attest.Verify(raw, &oldest, policy); attest.CodeOf(err) != attest.CodeTrustSet || !strings.Contains(err.Error(), "the current trust file") {
			t.Errorf("%s, by a trust file of the first block: %v", name, err)
		}
	}
}

// TestPathOverPrunedBlocks: what was learnt before a restart is kept, and a node that never had the first blocks begins with those it has.
func TestPathOverPrunedBlocks(t *testing.T) {
	a, b, c := attesttest.Equal("a", 4), attesttest.Equal("b", 4), attesttest.Equal("c", 5)
	ch := newChain(t, 300, map[int64]*attesttest.Set{1: a, 100: b, 200: c})
	now := attesttest.Time.Add(301 * time.Second)
	policy := attest.Policy{Subject: attesttest.SubjectClean, Claim: attest.NoNegative, MaxAge: time.Minute, Now: now}
	verify := func(p *path, trust *attest.Trust) error {
		trust.NotAfter = now.AddDate(1, 0, 0)
		_, err := attest.Verify(ch.bundle(t, p), trust, policy)
		return err
	}
	extended := func(p *path, h int64) *path {
		t.Helper()
		if err := p.extend(ch, ch.Header(h)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	full := extended(new(path), 300)
	old := func() *attest.Trust {
		trust := *full.trust("test-attest")
		trust.Validators = a.Trusted(1, 0)
		return &trust
	}

	for _, stop := range []int64{2, 120, 300} {
		ch.pruned = 0
		raw := extended(new(path), stop).encode("test-attest")
		ch.pruned = stop - 1 // all that was behind it is gone
		p, err := decodePath(raw, "test-attest", 300)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(extended(p, 300), old()); err != nil {
			t.Errorf("restart at %d: by a trust file as old as the chain: %v", stop, err)
		}
		if p.anchor != full.anchor {
			t.Errorf("restart at %d: anchor %v", stop, p.anchor)
		}
	}

	// Pruned beyond the last saved height while the same set signed.
	ch.pruned = 0
	raw := extended(new(path), 120).encode("test-attest")
	ch.pruned = 180
	p, err := decodePath(raw, "test-attest", 300)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(extended(p, 300), old()); err != nil {
		t.Errorf("over a gap: %v", err)
	}
	// A change that went with the blocks, and a node that began with a snapshot: the path begins with the oldest header.
	ch.pruned = 250
	if p, err = decodePath(raw, "test-attest", 300); err != nil {
		t.Fatal(err)
	}
	for which, p := range map[string]*path{"gap with a change": p, "snapshot": new(path)} {
		extended(p, 300)
		if p.anchor.Height != 251 || len(p.steps) != 0 {
			t.Errorf("%s: begins at %d with %d steps", which, p.anchor.Height, len(p.steps))
		}
		if err := verify(p, p.trust("test-attest")); err != nil {
			t.Errorf("%s: by its own trust file: %v", which, err)
		}
		if err := verify(p, full.trust("test-attest")); err != nil {
			t.Errorf("%s: by an archive's trust file: %v", which, err)
		}
	}

	for what, raw := range map[string][]byte{"cut": raw[:len(raw)/2], "empty": nil, "no path": []byte("{}")} {
		if _, err := decodePath(raw, "test-attest", 300); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if _, err := decodePath(raw, "test-other", 300); err == nil {
		t.Error("another chain's is taken")
	}
	if _, err := decodePath(raw, "test-attest", 119); err == nil {
		t.Error("one that leads beyond the newest block is taken")
	}
}

// A header that names another set than the store has is refused here, not at the lender.
func TestPathRefusesFalseStore(t *testing.T) {
	a, b := attesttest.Equal("a", 4), attesttest.Equal("b", 4)
	ch := newChain(t, 20, map[int64]*attesttest.Set{1: a, 10: b})
	ch.sets[9] = a
	var p path
	if err := p.extend(ch, ch.Header(20)); err == nil {
		t.Fatal("a step to a set that no header names")
	}
	ch = newChain(t, 20, map[int64]*attesttest.Set{1: a, 10: b})
	ch.headers[0].ValidatorsHash = b.Hash()
	if err := new(path).extend(ch, ch.Header(20)); err == nil {
		t.Fatal("a first set that its header does not name")
	}
}

// Memory of used headers is bounded, and full means no, never forget. One key that fills its share leaves the rest to others.
func TestSeenHeadersBounded(t *testing.T) {
	var s seenHeaders
	now := time.Unix(1_800_000_000, 0)
	digest := func(i int) (d [32]byte) { copy(d[:], fmt.Sprint(i)); return d }
	keys := authSeenMax / authSeenOne
	for key := range keys {
		for i := range authSeenOne {
			if s.first(now.Unix(), [20]byte{byte(key)}, digest(i), now) != seenFirst {
				t.Fatal(key, i)
			}
		}
		if s.first(now.Unix(), [20]byte{byte(key)}, digest(0), now) != seenBefore || s.first(now.Unix(), [20]byte{byte(key)}, digest(-1), now) != seenFull {
			t.Fatal("full")
		}
	}
	if s.count != authSeenMax || s.first(now.Unix(), [20]byte{byte(keys)}, digest(0), now) != seenFull {
		t.Fatal("full for another", s.count)
	}
	now = now.Add(2 * authAge)
	if s.first(now.Unix(), [20]byte{}, digest(0), now) != seenFirst || s.count != 1 || len(s.of) != 1 {
		t.Fatal("what can pass no more is not forgotten")
	}
}

// Every state of every record has a row in its table, and none of the rows that end visibility shows anything to the public, lenders or other
// agencies. Lenders see just what the public sees.
func TestTablesAreWhole(t *testing.T) {
	for s := range pb.RecordState_name {
		if _, ok := dishonestyView[pb.RecordState(s)]; !ok && s != int32(pb.RECORD_UNSET) {
			t.Errorf("%s has no row", pb.RecordState(s))
		}
	}
	for s := range pb.RepairState_name {
		row, ok := repairView[pb.RepairState(s)]
		if !ok && s != int32(pb.REPAIR_UNSET) {
			t.Errorf("%s has no row", pb.RepairState(s))
		}
		if row[aPublic] != hidden || row[aLender] != hidden || row[aAgency] != hidden {
			t.Errorf("%s shows", pb.RepairState(s))
		}
	}
	for s, row := range dishonestyView {
		public := hidden
		if s == pb.RECORD_PUBLISHED {
			public = published
		}
		if row[aPublic] != public || row[aLender] != public || row[aAgency] != public {
			t.Errorf("%s: %v", s, row)
		}
		if row[aRecogniser] != full || row[aAuditor] != full || row[aSubject] != full {
			t.Errorf("%s: %v", s, row)
		}
	}
	if dishonestyView[pb.RECORD_UNSET] != ([audiences]view{}) {
		t.Error("a state without a row shows")
	}
}
