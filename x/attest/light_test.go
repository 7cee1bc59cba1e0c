package attest_test

import (
	"context"
	"fmt"
	"math/rand"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	"github.com/cometbft/cometbft/light/store/db"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// lightChain is a chain as the engine's light client gets it, and as a bundle tells it.
type lightChain struct {
	spec    Spec
	headers []cmttypes.Header // of height i+1
	sets    []*Set            // that signs it
	commits []*cmttypes.Commit
}

// newLightChain makes n blocks whose validators change now and then; damage may change any header before it is signed, and say who signs it.
func newLightChain(r *rand.Rand, word string, n int, damage func(c *lightChain, h *cmttypes.Header, signer *Set) *Set) *lightChain {
	c := &lightChain{spec: Spec{Standings: []*pb.Standing{Clean(SubjectClean)}}}
	c.spec.Height = int64(n)
	randomSet := func(i int) *Set {
		powers := make([]int64, 1+r.Intn(6))
		for j := range powers {
			powers[j] = 1 + r.Int63n(9)
		}
		return NewSet(fmt.Sprint(word, i), powers...)
	}
	set := randomSet(0)
	for i := range n {
		next := set
		if i < n-1 && r.Intn(4) == 0 {
			next = randomSet(i + 1)
		}
		app := Sum("app", i)
		if i == n-1 {
			h := c.spec.Header()
			app = h.AppHash
		}
		h := Header("test-attest", int64(i+1), Time.Add(time.Duration(i-n)*time.Second), set, next, app)
		if i > 0 {
			h.LastBlockID.Hash = c.headers[i-1].Hash()
		}
		signer := set
		if damage != nil {
			signer = damage(c, &h, set)
		}
		c.headers, c.sets = append(c.headers, h), append(c.sets, signer)
		c.commits = append(c.commits, signer.Sign(&h, int32(r.Intn(2)), nil))
		set = next
	}
	return c
}

// ChainID, LightBlock and ReportEvidence make it a provider of the engine's light client.
func (c *lightChain) ChainID() string { return "test-attest" }

func (c *lightChain) LightBlock(_ context.Context, height int64) (*cmttypes.LightBlock, error) {
	if height == 0 {
		height = int64(len(c.headers))
	}
	if height > int64(len(c.headers)) {
		return nil, provider.ErrHeightTooHigh
	}
	i := height - 1
	b := &cmttypes.LightBlock{SignedHeader: &cmttypes.SignedHeader{Header: &c.headers[i], Commit: c.commits[i]}, ValidatorSet: c.sets[i].ValidatorSet}
	if err := b.ValidateBasic("test-attest"); err != nil {
		return nil, provider.ErrBadLightBlock{Reason: err}
	}
	return b, nil
}

func (c *lightChain) ReportEvidence(context.Context, cmttypes.Evidence) error { return nil }

// light asks the engine's light client for the last block, from the first.
func (c *lightChain) light(t *testing.T, option light.Option) error {
	t.Helper()
	client, err := light.NewClient(context.Background(), "test-attest",
		light.TrustOptions{Period: 1000 * time.Hour, Height: 1, Hash: c.headers[0].Hash()},
		c, []provider.Provider{c},
		db.New(dbm.NewMemDB(), "test"), option, light.Logger(log.NewNopLogger()), light.MaxRetryAttempts(1),
		light.MaxClockDrift(time.Millisecond), light.MaxBlockLag(time.Millisecond)) // how long a lagging witness is waited for
	if err != nil {
		return err
	}
	_, err = client.VerifyLightBlockAtHeight(context.Background(), int64(len(c.headers)), now())
	return err
}

// bundle leads from the first set to the last block, as a prover would that believes what it has. Nil where the votes are too few for one.
func (c *lightChain) bundle() []byte {
	b := c.spec.Bundle()
	b.Validators, b.Steps = c.sets[0].PB(), nil
	n := len(c.headers)
	for i := range c.headers {
		last := i == n-1
		if !last && string(c.sets[i+1].Hash()) == string(c.sets[i].Hash()) {
			continue
		}
		commit, err := c.sets[i].Trim(&c.headers[i], c.commits[i])
		if err != nil {
			return nil
		}
		h := HeaderPB(&c.headers[i])
		if last {
			b.Header, b.Commit = &h, commit
			break
		}
		b.Steps = append(b.Steps, pb.Step{Header: h, Commit: *commit, Next: *c.sets[i+1].PB()})
	}
	return attest.EncodeBundle(b)
}

// verify asks this package, by a trust file that has the first block and its set alone.
func (c *lightChain) verify() error {
	trust := &attest.Trust{
		ChainID: "test-attest", Anchor: attest.Anchor{Height: 1, HeaderHash: attest.Hash(c.headers[0].Hash())},
		Validators: c.sets[0].Trusted(1, 0), NotAfter: Time.AddDate(1, 0, 0),
	}
	raw := c.bundle()
	if raw == nil {
		return fmt.Errorf("no bundle can be made")
	}
	_, err := attest.Verify(raw, trust, policy(SubjectClean, attest.NoNegative))
	return err
}

// TestAgainstTheLightClient: on chains with changing validators, whole and damaged in one place, the engine's own light client, going from the
// first block to the last one after the other, and a bundle with its steps come to one verdict, but for damage to blocks that the bundle does not show.
func TestAgainstTheLightClient(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	rounds := 200
	if testing.Short() {
		rounds = 40
	}
	accepted, refused := 0, map[string]int{}
	for i := range rounds {
		n := 3 + r.Intn(12)
		at := int64(2 + r.Intn(n-1))
		stranger := NewSet(fmt.Sprint("stranger", i), 5, 4, 3)
		kinds := []string{"", "", "another set signs", "another set is named and signs", "another next set", "another chain", "time stands still", "signature", "too few"}
		kind := kinds[r.Intn(len(kinds))]
		c := newLightChain(r, fmt.Sprint(i, "-"), n, func(c *lightChain, h *cmttypes.Header, signer *Set) *Set {
			if h.Height != at {
				return signer
			}
			switch kind {
			case "another set signs":
				return stranger
			case "another set is named and signs":
				h.ValidatorsHash, h.ProposerAddress = stranger.Hash(), stranger.Validators[0].Address
				return stranger
			case "another next set":
				h.NextValidatorsHash = stranger.Hash()
			case "another chain":
				h.ChainID = "test-other"
			case "time stands still":
				h.Time = c.headers[0].Time
			}
			return signer
		})
		switch commit := c.commits[at-1]; kind {
		case "signature":
			commit.Signatures[0].Signature[3] ^= 1
		case "too few":
			for j := range commit.Signatures {
				if j > 0 || len(commit.Signatures) == 1 || 3*c.sets[at-1].Validators[0].VotingPower > 2*c.sets[at-1].TotalVotingPower() {
					commit.Signatures[j] = cmttypes.NewCommitSigAbsent()
				}
			}
		}
		sequential, ours := c.light(t, light.SequentialVerification()), c.verify()
		// A bundle shows the headers at which sets change and the last: damage to another one is not in it, and changes nothing of what it proves.
		shows := func(h int64) bool {
			return h == int64(n) || string(c.sets[h].Hash()) != string(c.sets[h-1].Hash())
		}
		before := false
		for h := int64(1); h < at; h++ {
			before = before || shows(h)
		}
		hidden := !shows(at) || kind == "time stands still" && !before
		switch {
		case kind == "" && (sequential != nil || ours != nil):
			t.Fatalf("chain %d, whole: the light client says %v, the verifier %v", i, sequential, ours)
		case ours == nil && sequential != nil && !hidden:
			t.Fatalf("chain %d, %s at %d of %d: the light client says %v, the verifier accepts", i, kind, at, n, sequential)
		case sequential == nil && ours != nil:
			t.Fatalf("chain %d, %s at %d of %d: the light client accepts, the verifier says %v", i, kind, at, n, ours)
		case kind == "":
			accepted++
			if err := c.light(t, light.SkippingVerification(light.DefaultTrustLevel)); err != nil {
				t.Fatalf("chain %d, whole: the light client skips to %v", i, err)
			}
		case ours != nil:
			refused[kind]++
		}
	}
	t.Logf("%d whole chains accepted by both; refused by both: %v", accepted, refused)
	if accepted < rounds/20 || len(refused) < 7 && !testing.Short() {
		t.Error("one side is hardly tried")
	}
}
