package attest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/cometbft/cometbft/crypto/ed25519"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// maxPower is the engine's bound on the power of a set.
const maxPower = math.MaxInt64 / 8

// Validator is a member of a set in the form in which provers and trust files have it.
type Validator struct {
	PubKey []byte // ed25519
	Power  int64
}

// NewValidatorSet puts validators into the engine's order and checks that they can be a set.
func NewValidatorSet(vals []Validator) (*pb.ValidatorSet, error) {
	type member struct {
		Validator
		at address
	}
	members := make([]member, len(vals))
	for i, v := range vals {
		if len(v.PubKey) != keyBytes {
			return nil, fmt.Errorf("validator %d: an ed25519 key has 32 bytes, not %d", i, len(v.PubKey))
		}
		members[i] = member{v, addressOf(v.PubKey)}
	}
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(b.Power, a.Power), bytes.Compare(a.at[:], b.at[:]))
	})
	s := &pb.ValidatorSet{PubKeys: make([]byte, 0, keyBytes*len(vals)), Powers: make([]int64, len(vals))}
	for i, v := range members {
		s.PubKeys = append(s.PubKeys, v.PubKey...)
		s.Powers[i] = v.Power
	}
	if err := checkSetForm(s); err != nil {
		return nil, err
	}
	return s, nil
}

// address is how the engine names a validator: the first 20 bytes of the SHA-256 of its key.
type address [addressBytes]byte

func addressOf(key []byte) address {
	h := sha256.Sum256(key)
	return address(h[:addressBytes])
}

// Vote (预提交投票) is one validator's precommit for the block that a commit is of; nil and absent votes have no place here.
type Vote struct {
	Index       int // in the set
	Signature   []byte
	TimeSeconds int64
	TimeNanos   int32
}

// TrimCommit keeps the fewest votes that are more than two thirds of the power. The set is ordered by power, so those are the
// first ones in its order. Signatures are not checked: a prover runs Verify on the bundle that it made.
func TrimCommit(h *pb.Header, set *pb.ValidatorSet, round int32, partsTotal uint32, partsHash []byte, votes []Vote) (*pb.Commit, error) {
	if err := checkSetForm(set); err != nil {
		return nil, err
	}
	n := len(set.Powers)
	votes = slices.Clone(votes)
	slices.SortFunc(votes, func(a, b Vote) int { return cmp.Compare(a.Index, b.Index) })
	c := &pb.Commit{Round: round, PartsTotal: partsTotal, PartsHash: partsHash, Signers: make([]byte, (n+7)/8)}
	total, signed := sum(set.Powers), int64(0)
	for i, v := range votes {
		if v.Index < 0 || v.Index >= n || i > 0 && v.Index == votes[i-1].Index {
			return nil, fmt.Errorf("trim commit: validator %d is not in the set, or votes twice", v.Index)
		}
		if len(v.Signature) != sigBytes {
			return nil, fmt.Errorf("trim commit: the signature of validator %d has %d bytes", v.Index, len(v.Signature))
		}
		delta, ok := timeDelta(h, v.TimeSeconds, v.TimeNanos)
		if !ok {
			return nil, fmt.Errorf("trim commit: the vote of validator %d is centuries away from its block", v.Index)
		}
		c.Signers[v.Index/8] |= 0x80 >> (v.Index % 8)
		c.Signatures = append(c.Signatures, v.Signature...)
		c.Times = append(c.Times, delta)
		signed += set.Powers[v.Index]
		if moreThanTwoThirds(signed, total) {
			if err := checkCommitForm(c); err != nil {
				return nil, err
			}
			return c, nil
		}
	}
	return nil, fmt.Errorf("trim commit: the votes hold %d of %d, not more than two thirds", signed, total)
}

// moreThanTwoThirds cannot overflow: total is at most maxPower.
func moreThanTwoThirds(signed, total int64) bool { return 3*signed > 2*total }

func sum(powers []int64) (total int64) {
	for _, p := range powers {
		total += p
	}
	return total
}

func timeDelta(h *pb.Header, seconds int64, nanos int32) (int64, bool) {
	s := seconds - h.TimeSeconds
	if seconds < 0 || seconds > maxSeconds || s > math.MaxInt64/second-1 || s < math.MinInt64/second+1 {
		return 0, false
	}
	return s*second + int64(nanos) - int64(h.TimeNanos), true
}

// voteTime is the reverse of timeDelta.
func voteTime(h *pb.Header, delta int64) (seconds int64, nanos int32, ok bool) {
	s, n := delta/second, delta%second+int64(h.TimeNanos)
	if n < 0 {
		s, n = s-1, n+second
	} else if n >= second {
		s, n = s+1, n-second
	}
	seconds = h.TimeSeconds + s // both below 2^38: no overflow
	return seconds, int32(n), seconds >= 0 && seconds <= maxSeconds
}

// checkCommit is step 8 for one header: the set has precommitted it with more than two thirds of its power, and with no signer
// more than that takes. set has passed checkSetForm and c checkCommitForm.
func checkCommit(h *pb.Header, hash *Hash, c *pb.Commit, set *pb.ValidatorSet) (signed, total int64, err *Error) {
	n := len(set.Powers)
	if len(c.Signers) != (n+7)/8 {
		return 0, 0, invalid(8, CodeCommitForm, "commit at height %d: a bitmap of %d bytes for %d validators", h.Height, len(c.Signers), n)
	}
	if rest := n % 8; rest != 0 && c.Signers[len(c.Signers)-1]<<rest != 0 {
		return 0, 0, invalid(8, CodeCommitForm, "commit at height %d: the bitmap names validators beyond the set", h.Height)
	}
	count := 0
	for _, b := range c.Signers {
		count += bits.OnesCount8(b)
	}
	if count != len(c.Times) {
		return 0, 0, invalid(8, CodeCommitForm, "commit at height %d: %d signers, %d signatures", h.Height, count, len(c.Times))
	}

	total = sum(set.Powers)
	signers, last := make([]int, 0, count), int64(0)
	for i, p := range set.Powers {
		if c.Signers[i/8]&(0x80>>(i%8)) != 0 {
			signers = append(signers, i)
			signed, last = signed+p, p
		}
	}
	if !moreThanTwoThirds(signed, total) {
		return 0, 0, invalid(8, CodeQuorum, "height %d is signed by %d of %d, not more than two thirds", h.Height, signed, total)
	}
	if moreThanTwoThirds(signed-last, total) {
		return 0, 0, invalid(8, CodeCommitExcess, "height %d carries a signature that the two thirds do not need", h.Height)
	}
	if !checkSignatures(h, hash, c, set, signers) {
		return 0, 0, invalid(8, CodeSignature, "a signature at height %d does not verify", h.Height)
	}
	return signed, total, nil
}

// checkSignatures checks all of them in one batch; batch and single verification give the same verdict, since both are ZIP-215.
func checkSignatures(h *pb.Header, hash *Hash, c *pb.Commit, set *pb.ValidatorSet, signers []int) bool {
	batch := ed25519.NewBatchVerifier()
	buf := make([]byte, 0, len(signers)*192)
	for k, i := range signers {
		seconds, nanos, ok := voteTime(h, c.Times[k])
		if !ok {
			return false
		}
		at := len(buf)
		buf = voteBytes(buf, h.ChainId, h.Height, c, hash, seconds, nanos)
		key, msg, sig := ed25519.PubKey(keyAt(set, i)), buf[at:], c.Signatures[k*sigBytes:(k+1)*sigBytes]
		if len(signers) == 1 {
			return key.VerifySignature(msg, sig)
		}
		if err := batch.Add(key, msg, sig); err != nil {
			return false
		}
	}
	ok, _ := batch.Verify()
	return ok
}
