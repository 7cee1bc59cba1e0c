package attest

import (
	"bytes"
	"math/rand"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

func randomHash(r *rand.Rand, n int, empty bool) []byte {
	if empty && r.Intn(4) == 0 {
		return nil
	}
	b := make([]byte, n)
	r.Read(b)
	return b
}

func randomTime(r *rand.Rand) time.Time {
	nanos := r.Int63n(second)
	if r.Intn(4) == 0 {
		nanos = 0
	}
	return time.Unix(r.Int63n(4e9), nanos).UTC()
}

func randomHeader(r *rand.Rand) cmttypes.Header {
	const letters = "abcdefghijklmnopqrstuvwxyz-0123456789"
	id := make([]byte, 1+r.Intn(pb.ChainIDMax))
	for i := range id {
		id[i] = letters[r.Intn(len(letters))]
	}
	h := cmttypes.Header{
		Version: cmtversion.Consensus{Block: 11, App: uint64(r.Intn(3))}, ChainID: string(id), Height: 1 + r.Int63(), Time: randomTime(r),
		LastCommitHash: randomHash(r, 32, true), DataHash: randomHash(r, 32, true),
		ValidatorsHash: randomHash(r, 32, false), NextValidatorsHash: randomHash(r, 32, false), ConsensusHash: randomHash(r, 32, true),
		AppHash: randomHash(r, 32, false), LastResultsHash: randomHash(r, 32, true), EvidenceHash: randomHash(r, 32, true),
		ProposerAddress: randomHash(r, 20, false),
	}
	if r.Intn(5) > 0 {
		h.LastBlockID = cmttypes.BlockID{
			Hash:          randomHash(r, 32, false),
			PartSetHeader: cmttypes.PartSetHeader{Total: 1 + uint32(r.Int31()), Hash: randomHash(r, 32, false)},
		}
	}
	return h
}

func headerPB(h *cmttypes.Header) *pb.Header {
	return &pb.Header{
		BlockVersion: h.Version.Block, AppVersion: h.Version.App, ChainId: h.ChainID, Height: h.Height,
		TimeSeconds: h.Time.Unix(), TimeNanos: int32(h.Time.Nanosecond()),
		LastBlockHash: h.LastBlockID.Hash, LastPartsTotal: h.LastBlockID.PartSetHeader.Total, LastPartsHash: h.LastBlockID.PartSetHeader.Hash,
		LastCommitHash: h.LastCommitHash, DataHash: h.DataHash,
		ValidatorsHash: h.ValidatorsHash, NextValidatorsHash: h.NextValidatorsHash, ConsensusHash: h.ConsensusHash,
		AppHash: h.AppHash, LastResultsHash: h.LastResultsHash, EvidenceHash: h.EvidenceHash, Proposer: h.ProposerAddress,
	}
}

func TestHeaderHashIsTheEngines(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for i := range 3000 {
		h := randomHeader(r)
		if got := HeaderHash(headerPB(&h)); !bytes.Equal(got[:], h.Hash()) {
			t.Fatalf("header %d: %x, the engine has %x\n%+v", i, got, h.Hash(), h)
		}
	}
}

func TestVoteBytesAreTheEngines(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for i := range 3000 {
		h := randomHeader(r)
		hash := HeaderHash(headerPB(&h))
		round := int32(r.Intn(3))
		if r.Intn(9) == 0 {
			round = r.Int31()
		}
		c := &pb.Commit{Round: round, PartsTotal: 1 + uint32(r.Intn(200)), PartsHash: randomHash(r, 32, false)}
		at := h.Time.Add(time.Duration(r.Int63n(1e13) - 1e12))
		if at.Unix() < 0 {
			continue
		}
		ph := headerPB(&h)
		delta, ok := timeDelta(ph, at.Unix(), int32(at.Nanosecond()))
		s, n, back := voteTime(ph, delta)
		if !ok || !back || s != at.Unix() || int(n) != at.Nanosecond() {
			t.Fatalf("vote time %s after %s is read back as %d.%09d", at, h.Time, s, n)
		}
		want := cmttypes.VoteSignBytes(h.ChainID, &cmtproto.Vote{
			Type: cmtproto.PrecommitType, Height: h.Height, Round: round, Timestamp: at,
			BlockID: cmtproto.BlockID{Hash: hash[:], PartSetHeader: cmtproto.PartSetHeader{Total: c.PartsTotal, Hash: c.PartsHash}},
		})
		if got := voteBytes([]byte("before"), h.ChainID, h.Height, c, &hash, s, n); !bytes.Equal(got[6:], want) {
			t.Fatalf("vote %d:\n%x\n%x", i, got[6:], want)
		}
	}
}

func TestSetHashIsTheEngines(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for i := range 150 {
		n := 1 + r.Intn(40)
		var theirs []*cmttypes.Validator
		var ours []Validator
		for range n {
			k := ed25519.GenPrivKeyFromSecret(randomHash(r, 16, false)).PubKey()
			power := 1 + r.Int63n(3)
			if r.Intn(2) == 0 {
				power = 1 + r.Int63n(1<<40)
			}
			theirs = append(theirs, cmttypes.NewValidator(k, power))
			ours = append(ours, Validator{k.Bytes(), power})
		}
		set, err := NewValidatorSet(ours)
		if err != nil {
			t.Fatal(err)
		}
		want := cmttypes.NewValidatorSet(theirs)
		if got := SetHash(set); !bytes.Equal(got[:], want.Hash()) {
			t.Fatalf("set %d of %d: %x, the engine has %x", i, n, got, want.Hash())
		}
		for j, v := range want.Validators {
			if !bytes.Equal(keyAt(set, j), v.PubKey.Bytes()) || set.Powers[j] != v.VotingPower {
				t.Fatalf("set %d: validator %d stands elsewhere", i, j)
			}
		}
	}
}

func TestVoteTimeBounds(t *testing.T) {
	h := &pb.Header{TimeSeconds: 10, TimeNanos: 5}
	for _, d := range []int64{-1 << 63, 1<<63 - 1, -10*second - 6, 0} {
		s, n, ok := voteTime(h, d)
		if ok != (s >= 0 && s <= maxSeconds) || n < 0 || n >= second {
			t.Errorf("delta %d: %d.%09d %v", d, s, n, ok)
		}
	}
	if _, ok := timeDelta(h, maxSeconds, 0); ok {
		t.Error("a vote eight thousand years after its block was encoded")
	}
	if _, ok := timeDelta(h, -1, 0); ok {
		t.Error("a vote before 1970 was encoded")
	}
}
