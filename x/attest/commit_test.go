package attest_test

import (
	"math/rand"
	"testing"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// TestQuorumIsTheEngines compares with the engine's own light verification over random sets and votes: where the engine finds two
// thirds, trimming succeeds, the trimmed commit verifies here and, with the rest absent, by the engine; where it does not, trimming
// fails.
func TestQuorumIsTheEngines(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	yes, no := 0, 0
	for i := range 400 {
		powers := make([]int64, 1+r.Intn(12))
		for j := range powers {
			powers[j] = 1 + r.Int63n([]int64{1, 3, 100}[r.Intn(3)])
		}
		set := NewSet("quorum", powers...)
		spec := sample()
		spec.Set, spec.Round, spec.Height = set, int32(r.Intn(3)), 200+int64(i)
		spec.Flag = func(int) cmttypes.BlockIDFlag {
			return []cmttypes.BlockIDFlag{
				cmttypes.BlockIDFlagCommit, cmttypes.BlockIDFlagCommit, cmttypes.BlockIDFlagCommit, cmttypes.BlockIDFlagCommit,
				cmttypes.BlockIDFlagCommit, cmttypes.BlockIDFlagNil, cmttypes.BlockIDFlagAbsent,
			}[r.Intn(7)]
		}
		h := spec.Header()
		commit := set.Sign(&h, spec.Round, spec.Flag)
		engine := cmttypes.VerifyCommitLight(h.ChainID, set.ValidatorSet, commit.BlockID, h.Height, commit)
		trimmed, err := set.Trim(&h, commit)
		if (engine == nil) != (err == nil) {
			t.Fatalf("powers %v: the engine says %v, trimming %v", powers, engine, err)
		}
		if err != nil {
			no++
			continue
		}
		yes++
		for j := range commit.Signatures {
			if trimmed.Signers[j/8]&(0x80>>(j%8)) == 0 {
				commit.Signatures[j] = cmttypes.NewCommitSigAbsent()
			}
		}
		if err := cmttypes.VerifyCommitLight(h.ChainID, set.ValidatorSet, commit.BlockID, h.Height, commit); err != nil {
			t.Fatalf("the engine refuses the trimmed commit: %v", err)
		}
		full := spec
		full.Flag = nil
		b := full.Bundle()
		b.Commit = trimmed
		v, err := attest.Verify(attest.EncodeBundle(b), spec.Trust(), policy(SubjectClean, attest.NoNegative))
		if err != nil || v.TotalPower != set.TotalVotingPower() {
			t.Fatalf("%+v %v", v, err)
		}
	}
	t.Logf("%d with a quorum, %d without", yes, no)
	if yes < 50 || no < 50 {
		t.Error("one side is hardly tried")
	}
}

func TestTrimCommitRefuses(t *testing.T) {
	s := sample()
	set := Equal("a", 4)
	h := s.Header()
	ph := HeaderPB(&h)
	vote := func(i int) attest.Vote {
		return attest.Vote{Index: i, Signature: make([]byte, 64), TimeSeconds: ph.TimeSeconds}
	}
	parts := Sum("parts")
	for name, votes := range map[string][]attest.Vote{
		"none":         nil,
		"half":         {vote(0), vote(1)},
		"twice":        {vote(0), vote(0), vote(1)},
		"outside":      {vote(0), vote(1), vote(4)},
		"negative":     {vote(-1), vote(0), vote(1), vote(2)},
		"short":        {vote(0), vote(1), {Index: 2, Signature: make([]byte, 63), TimeSeconds: ph.TimeSeconds}},
		"long ago":     {vote(0), vote(1), {Index: 2, Signature: make([]byte, 64), TimeSeconds: -1}},
		"out of range": {vote(0), vote(1), {Index: 2, Signature: make([]byte, 64), TimeSeconds: 1 << 60}},
	} {
		if c, err := attest.TrimCommit(&ph, set.PB(), 0, 1, parts, votes); err == nil {
			t.Errorf("%s: %v", name, c)
		}
	}
	three := []attest.Vote{vote(3), vote(0), vote(2), vote(1)}
	c, err := attest.TrimCommit(&ph, set.PB(), 0, 1, parts, three)
	if err != nil || c.Signers[0] != 0xe0 || len(c.Times) != 3 {
		t.Errorf("four of four: %v %v", c, err)
	}
	if three[0].Index != 3 {
		t.Error("the caller's votes were reordered")
	}
	if _, err := attest.TrimCommit(&ph, set.PB(), 0, 0, parts, three); err == nil {
		t.Error("a block without parts")
	}
	if _, err := attest.TrimCommit(&ph, &pb.ValidatorSet{}, 0, 1, parts, three); err == nil {
		t.Error("an empty set")
	}
}
