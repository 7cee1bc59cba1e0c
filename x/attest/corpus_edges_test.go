package attest_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"math/bits"
	"slices"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// Points of small order, in the encodings that ZIP-215 reads. RFC 8032 and most libraries refuse some of them.
const (
	pointIdentity  = "0100000000000000000000000000000000000000000000000000000000000000"
	pointIdentity2 = "0100000000000000000000000000000000000000000000000000000000000080" // x = 0 with its sign set: not canonical
	pointOrder2    = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
	pointOrder4    = "0000000000000000000000000000000000000000000000000000000000000000"
	pointOrder4p   = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" // y = p: not canonical
	pointOrder8    = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
	pointNone      = "0200000000000000000000000000000000000000000000000000000000000000" // not on the curve
)

func point(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// edges are bundles in which one validator of four signs at the edges of ed25519. The rules are those of ZIP-215, which the engine follows: the
// equation is multiplied by the cofactor, points may be of small order and written in a form that is not canonical, scalars must be reduced.
func (c *corpus) edges(base Spec) {
	zero := make([]byte, 32)
	// signs puts a signature of the validator with this key in the place of that of another.
	signs := func(key ed25519.PubKey, set *Set, sign func(msg []byte) []byte) (Spec, []byte) {
		s := base
		s.Set = set
		at := slices.IndexFunc(set.Validators, func(v *cmttypes.Validator) bool { return bytes.Equal(v.PubKey.Bytes(), key) })
		s.Flag = func(i int) cmttypes.BlockIDFlag {
			if i == at {
				return cmttypes.BlockIDFlagAbsent
			}
			return cmttypes.BlockIDFlagCommit
		}
		h := s.Header()
		commit := set.Sign(&h, 0, s.Flag)
		out := (at + 1) % 4 // who gives up the place
		when := h.Time.Add(5e9)
		vote := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: h.Height, BlockID: commit.BlockID.ToProto(), Timestamp: when}
		commit.Signatures[at] = cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: set.Validators[at].Address, Timestamp: when,
			Signature: sign(cmttypes.VoteSignBytes(h.ChainID, vote)),
		}
		commit.Signatures[out] = cmttypes.NewCommitSigAbsent()
		trimmed, err := set.Trim(&h, commit)
		if err != nil {
			panic(err)
		}
		return s, changed(s.File(), func(b *pb.Bundle) { b.Commit = trimmed })
	}
	three := Equal("a", 3)
	with := func(name string, exit int, code, key string, sig []byte) {
		k := ed25519.PubKey(point(key))
		s, raw := signs(k, three.With(k, 10), func([]byte) []byte { return sig })
		c.add(name, exit, code, s, raw).by(name, s.Trust())
	}
	with("ok-zip215-key-identity", 0, "OK", pointIdentity, append(point(pointIdentity), zero...))
	with("ok-zip215-key-order-2", 0, "OK", pointOrder2, append(point(pointIdentity), zero...))
	with("ok-zip215-key-order-8", 0, "OK", pointOrder8, append(point(pointOrder8), zero...))
	with("ok-zip215-key-not-canonical", 0, "OK", pointOrder4p, append(point(pointIdentity), zero...))
	with("ok-zip215-key-sign-of-zero", 0, "OK", pointIdentity2, append(point(pointOrder4), zero...))
	with("zip215-key-off-the-curve", 1, "E_SIG", pointNone, append(point(pointIdentity), zero...))
	with("zip215-nonce-off-the-curve", 1, "E_SIG", pointIdentity, append(point(pointNone), zero...))
	one := append(point(pointIdentity), append([]byte{1}, zero[1:]...)...)
	with("zip215-small-order-scalar-one", 1, "E_SIG", pointOrder8, one)
	order := make([]byte, 32)
	addOrder(order)
	with("zip215-scalar-is-the-order", 1, "E_SIG", pointIdentity, append(point(pointIdentity), order...))

	// A vote whose time is none of the ledger's, signed for as the engine would: what is before 1970 is no time here.
	whole := Equal("a", 4)
	for name, when := range map[string]time.Time{"ok-sig-time-1970": time.Unix(0, 0).UTC(), "sig-time-1969": time.Unix(-1, 999_999_999).UTC()} {
		s := base
		s.Set = whole
		h := s.Header()
		id := whole.Sign(&h, 0, nil).BlockID.ToProto()
		first := bits.LeadingZeros8(s.Bundle().Commit.Signers[0])
		sig, err := whole.Key(first).Sign(cmttypes.VoteSignBytes(h.ChainID, &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: h.Height, BlockID: id, Timestamp: when}))
		if err != nil {
			panic(err)
		}
		raw := changed(s.File(), func(b *pb.Bundle) {
			copy(b.Commit.Signatures, sig)
			b.Commit.Times[0] = when.Sub(h.Time).Nanoseconds()
		})
		if when.Before(time.Unix(0, 0)) {
			c.add(name, 1, "E_SIG", s, raw)
		} else {
			c.add(name, 0, "OK", s, raw)
		}
	}

	// A real key with a nonce of small order: S = k·a, which anyone who holds the key can make.
	four := Equal("a", 4)
	for name, r := range map[string]string{
		"ok-zip215-nonce-identity": pointIdentity, "ok-zip215-nonce-order-8": pointOrder8, "ok-zip215-nonce-not-canonical": pointOrder4p,
	} {
		k := four.Key(1)
		s, raw := signs(k.PubKey().(ed25519.PubKey), four, func(msg []byte) []byte { return signWithNonce(k, point(r), msg) })
		c.add(name, 0, "OK", s, raw).by(name, s.Trust())
	}
	k := four.Key(1)
	s, raw := signs(k.PubKey().(ed25519.PubKey), four, func(msg []byte) []byte {
		sig := signWithNonce(k, point(pointOrder8), msg)
		sig[0] ^= 1 // another point, or none
		return sig
	})
	c.add("zip215-nonce-moved", 1, "E_SIG", s, raw).by("zip215-nonce-moved", s.Trust())
}

// signWithNonce makes the signature whose nonce is a point of small order.
func signWithNonce(k ed25519.PrivKey, r, msg []byte) []byte {
	seed := sha512.Sum512(k[:32])
	seed[0] &= 248
	seed[31] = seed[31]&127 | 64
	h := sha512.Sum512(slices.Concat(r, k.PubKey().Bytes(), msg))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	sc := new(big.Int).Mul(little(h[:]), little(seed[:32]))
	sc.Mod(sc, order)
	out := sc.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return append(slices.Clone(r), out...)
}

func little(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}
