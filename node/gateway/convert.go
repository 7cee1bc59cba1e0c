package gateway

import (
	"fmt"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// The engine's types, as a bundle carries them. Nothing else in this package knows both forms.

func headerOf(h *cmttypes.Header) pb.Header {
	return pb.Header{
		BlockVersion: h.Version.Block, AppVersion: h.Version.App,
		ChainId: h.ChainID, Height: h.Height,
		TimeSeconds: h.Time.Unix(), TimeNanos: int32(h.Time.Nanosecond()),
		LastBlockHash: h.LastBlockID.Hash, LastPartsTotal: h.LastBlockID.PartSetHeader.Total, LastPartsHash: h.LastBlockID.PartSetHeader.Hash,
		LastCommitHash: h.LastCommitHash, DataHash: h.DataHash,
		ValidatorsHash: h.ValidatorsHash, NextValidatorsHash: h.NextValidatorsHash,
		ConsensusHash: h.ConsensusHash, AppHash: h.AppHash, LastResultsHash: h.LastResultsHash,
		EvidenceHash: h.EvidenceHash, Proposer: h.ProposerAddress,
	}
}

// setOf keeps the engine's order, which is that of a bundle.
func setOf(vs *cmttypes.ValidatorSet) (*pb.ValidatorSet, error) {
	s := &pb.ValidatorSet{}
	for _, v := range vs.Validators {
		key, ok := v.PubKey.(ed25519.PubKey)
		if !ok {
			return nil, fmt.Errorf("validator %s has a key of type %s; only ed25519 can be proven", v.Address, v.PubKey.Type())
		}
		s.PubKeys = append(s.PubKeys, key...)
		s.Powers = append(s.Powers, v.VotingPower)
	}
	return s, nil
}

// commitOf trims the engine's commit to just over two thirds.
func commitOf(h *pb.Header, set *pb.ValidatorSet, c *cmttypes.Commit) (*pb.Commit, error) {
	if c.Height != h.Height || len(c.Signatures) != len(set.Powers) {
		return nil, fmt.Errorf("the commit of height %d does not fit header %d and its %d validators", c.Height, h.Height, len(set.Powers))
	}
	var votes []attest.Vote
	for i := range c.Signatures {
		if s := &c.Signatures[i]; s.BlockIDFlag == cmttypes.BlockIDFlagCommit {
			votes = append(votes, attest.Vote{
				Index: i, Signature: s.Signature, TimeSeconds: s.Timestamp.Unix(), TimeNanos: int32(s.Timestamp.Nanosecond()),
			})
		}
	}
	parts := c.BlockID.PartSetHeader
	return attest.TrimCommit(h, set, c.Round, parts.Total, parts.Hash, votes)
}
