package attest

import (
	"encoding/binary"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Hash is a SHA-256 output.
type Hash = tree.Hash

const (
	hashBytes    = 32
	keyBytes     = 32
	sigBytes     = 64
	addressBytes = 20

	// maxSeconds is the last second of the year 9999, where the engine's encoding of times ends.
	maxSeconds = 253402300799
	second     = 1_000_000_000
)

// HeaderHash is the block hash (区块哈希) of a header: the RFC 6962 root over its fourteen fields, each wrapped as the engine
// wraps it. An empty field is an empty leaf.
func HeaderHash(h *pb.Header) Hash {
	var leaves [14]Hash
	var buf [160]byte
	leaf := func(i int, b []byte) { leaves[i] = tree.LogLeaf(b) }

	leaf(0, uintField(uintField(buf[:0], 1, h.BlockVersion), 2, h.AppVersion))
	leaf(1, stringField(buf[:0], 1, h.ChainId))
	leaf(2, uintField(buf[:0], 1, uint64(h.Height)))
	leaf(3, appendTime(buf[:0], h.TimeSeconds, h.TimeNanos))
	leaf(4, appendBlockID(buf[:0], h.LastBlockHash, h.LastPartsTotal, h.LastPartsHash))
	for i, f := range [...][]byte{
		h.LastCommitHash, h.DataHash, h.ValidatorsHash, h.NextValidatorsHash, h.ConsensusHash,
		h.AppHash, h.LastResultsHash, h.EvidenceHash, h.Proposer,
	} {
		leaf(5+i, bytesField(buf[:0], 1, f))
	}
	return tree.LogRoot(leaves[:])
}

// voteBytes appends the bytes that a validator signs to precommit the block: the engine's canonical vote, led by its length.
func voteBytes(out []byte, chainID string, height int64, c *pb.Commit, block *Hash, seconds int64, nanos int32) []byte {
	var body, part [256]byte
	b := uintField(body[:0], 1, 2) // precommit
	b = fixedField(b, 2, uint64(height))
	b = fixedField(b, 3, uint64(int64(c.Round)))
	b = messageField(b, 4, appendBlockID(part[:0], block[:], c.PartsTotal, c.PartsHash))
	b = messageField(b, 5, appendTime(part[:0], seconds, nanos))
	b = stringField(b, 6, chainID)
	out = binary.AppendUvarint(out, uint64(len(b)))
	return append(out, b...)
}

// SetHash is the hash by which a header names a validator set: the RFC 6962 root over key and power of each, in order.
func SetHash(s *pb.ValidatorSet) Hash {
	leaves := make([]Hash, len(s.Powers))
	var buf, key [64]byte
	for i, power := range s.Powers {
		b := messageField(buf[:0], 1, bytesField(key[:0], 1, keyAt(s, i)))
		leaves[i] = tree.LogLeaf(uintField(b, 2, uint64(power)))
	}
	return tree.LogRoot(leaves)
}

func keyAt(s *pb.ValidatorSet, i int) []byte { return s.PubKeys[i*keyBytes : (i+1)*keyBytes] }

// The writers below omit a field of value zero, as proto3 does; messageField, for fields that are always there, does not.

func uintField(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = append(b, byte(field<<3))
	return binary.AppendUvarint(b, v)
}

func fixedField(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = append(b, byte(field<<3|1))
	return binary.LittleEndian.AppendUint64(b, v)
}

func bytesField(b []byte, field int, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return messageField(b, field, v)
}

func stringField(b []byte, field int, v string) []byte {
	if v == "" {
		return b
	}
	b = append(b, byte(field<<3|2))
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func messageField(b []byte, field int, v []byte) []byte {
	b = append(b, byte(field<<3|2))
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendTime(b []byte, seconds int64, nanos int32) []byte {
	return uintField(uintField(b, 1, uint64(seconds)), 2, uint64(int64(nanos)))
}

func appendBlockID(b, hash []byte, partsTotal uint32, partsHash []byte) []byte {
	var parts [48]byte
	b = bytesField(b, 1, hash)
	return messageField(b, 2, bytesField(uintField(parts[:0], 1, uint64(partsTotal)), 2, partsHash))
}
