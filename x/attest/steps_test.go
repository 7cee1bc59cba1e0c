package attest_test

import (
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// engine walks the chain of sets of a bundle with the engine's own types and light verification.
func engine(b *pb.Bundle) (err error) {
	set, err := engineSet(b.Validators)
	if err != nil {
		return err
	}
	for i := 0; i <= len(b.Steps); i++ {
		h, c := b.Header, b.Commit
		if i < len(b.Steps) {
			h, c = &b.Steps[i].Header, &b.Steps[i].Commit
		}
		header := engineHeader(h)
		if string(header.ValidatorsHash) != string(set.Hash()) {
			return errors.New("other validators")
		}
		commit := &cmttypes.Commit{Height: h.Height, Round: c.Round, BlockID: cmttypes.BlockID{
			Hash: header.Hash(), PartSetHeader: cmttypes.PartSetHeader{Total: c.PartsTotal, Hash: c.PartsHash},
		}}
		k := 0
		for j, v := range set.Validators {
			if c.Signers[j/8]&(0x80>>(j%8)) == 0 {
				commit.Signatures = append(commit.Signatures, cmttypes.NewCommitSigAbsent())
				continue
			}
			if k >= len(c.Times) {
				return errors.New("too few signatures")
			}
			commit.Signatures = append(commit.Signatures, cmttypes.CommitSig{
				BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: v.Address,
				Timestamp: header.Time.Add(time.Duration(c.Times[k])), Signature: c.Signatures[64*k : 64*k+64],
			})
			k++
		}
		if err := cmttypes.VerifyCommitLight(h.ChainId, set, commit.BlockID, h.Height, commit); err != nil {
			return err
		}
		if i < len(b.Steps) {
			if set, err = engineSet(&b.Steps[i].Next); err != nil {
				return err
			}
			if string(header.NextValidatorsHash) != string(set.Hash()) {
				return errors.New("other next validators")
			}
		}
	}
	return nil
}

func engineSet(s *pb.ValidatorSet) (set *cmttypes.ValidatorSet, err error) {
	defer func() { // the engine panics on a set that cannot be
		if r := recover(); r != nil {
			err = fmt.Errorf("set: %v", r)
		}
	}()
	var vals []*cmttypes.Validator
	for i, p := range s.Powers {
		vals = append(vals, cmttypes.NewValidator(ed25519.PubKey(s.PubKeys[32*i:32*i+32]), p))
	}
	return cmttypes.NewValidatorSet(vals), nil
}

func engineHeader(h *pb.Header) *cmttypes.Header {
	return &cmttypes.Header{
		Version: cmtversion.Consensus{Block: h.BlockVersion, App: h.AppVersion}, ChainID: h.ChainId, Height: h.Height,
		Time: time.Unix(h.TimeSeconds, int64(h.TimeNanos)).UTC(),
		LastBlockID: cmttypes.BlockID{
			Hash: h.LastBlockHash, PartSetHeader: cmttypes.PartSetHeader{Total: h.LastPartsTotal, Hash: h.LastPartsHash},
		},
		LastCommitHash: h.LastCommitHash, DataHash: h.DataHash, ValidatorsHash: h.ValidatorsHash, NextValidatorsHash: h.NextValidatorsHash,
		ConsensusHash: h.ConsensusHash, AppHash: h.AppHash, LastResultsHash: h.LastResultsHash, EvidenceHash: h.EvidenceHash,
		ProposerAddress: h.Proposer,
	}
}

// TestStepsAgainstTheEngine makes random chains of validator sets, changes most of them in one place, and compares: whatever is
// accepted here, the engine accepts as well; and a chain that nobody changed is accepted by both.
func TestStepsAgainstTheEngine(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	randomSet := func(word string) *Set {
		powers := make([]int64, 1+r.Intn(7))
		for i := range powers {
			powers[i] = 1 + r.Int63n(9)
		}
		return NewSet(word, powers...)
	}
	accepted, refused, stricter := 0, 0, 0
	for i := range 300 {
		s := sample()
		s.Set, s.Height, s.Round = randomSet(fmt.Sprint(i, "first")), 500, int32(r.Intn(2))
		for h := int64(60); len(s.Steps) < r.Intn(4); h += 1 + r.Int63n(90) {
			s.Steps = append(s.Steps, Step{Height: h, Next: randomSet(fmt.Sprint(i, h))})
		}
		b := s.Bundle()
		commit, header, set := b.Commit, b.Header, b.Validators
		if n := len(b.Steps); n > 0 && r.Intn(3) > 0 {
			k := r.Intn(n)
			commit, header, set = &b.Steps[k].Commit, &b.Steps[k].Header, &b.Steps[k].Next
		}
		j := r.Intn(len(set.Powers))
		changed := true
		switch r.Intn(12) {
		case 0:
			commit.Signatures[r.Intn(len(commit.Signatures))] ^= 1 << r.Intn(8)
		case 1:
			commit.Times[r.Intn(len(commit.Times))] += int64(r.Intn(3) - 5)
		case 2:
			set.Powers[j] += int64(1 + r.Intn(3))
		case 3:
			set.PubKeys[32*j+r.Intn(32)] ^= 1
		case 4:
			header.NextValidatorsHash[3] ^= 1
		case 5:
			commit.Round++
		case 6:
			header.Height++
		case 7:
			n := len(commit.Times) - 1
			for k := len(commit.Signers)*8 - 1; k >= 0; k-- {
				if bit := byte(0x80) >> (k % 8); commit.Signers[k/8]&bit != 0 {
					commit.Signers[k/8] ^= bit
					break
				}
			}
			commit.Times, commit.Signatures = commit.Times[:n], commit.Signatures[:64*n]
		case 8:
			if len(b.Steps) > 0 {
				k := r.Intn(len(b.Steps))
				b.Steps = slices.Delete(b.Steps, k, k+1)
			} else {
				changed = false
			}
		default:
			changed = false
		}
		_, err := attest.Verify(attest.EncodeBundle(b), s.Trust(), policy(SubjectClean, attest.NoNegative))
		theirs := engine(b)
		switch {
		case err == nil && theirs != nil:
			t.Fatalf("chain %d: accepted here, by the engine not: %v", i, theirs)
		case !changed && err != nil:
			t.Fatalf("chain %d: %v", i, err)
		case err == nil:
			accepted++
		case theirs == nil:
			stricter++
		default:
			refused++
		}
	}
	t.Logf("%d accepted by both, %d refused by both, %d accepted by the engine alone", accepted, refused, stricter)
	if accepted < 50 || refused < 50 {
		t.Error("one side is hardly tried")
	}
}
