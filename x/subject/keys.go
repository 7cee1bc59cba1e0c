package subject

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/member"
)

// Keys of firms (主体密钥). They sign what a firm does itself, and open its own file to it. What they sign stays when they end.

var (
	// Keys of firms, subject ‖ address, those that ended too.
	keys = NewRecords[pb.SubjectKey](0x34, "subject key uscc[18] address[20]")
	// Whose an address is, also when the key has ended. Follows from the keys (SUB-4).
	byAddress = x.Declare(x.TableInfo{Prefix: 0x35, Layout: "subject key address[20] → uscc", Binding: x.Derived})
)

// Signed says whether a signature over a digest is canonical and that of an address. Package app gives it: rules link no curve.
type Signed func(digest [32]byte, signature, address []byte) bool

// Key finds the firm's key that has an address, in force or not.
func Key(r x.Reader, address []byte) (*pb.SubjectKey, bool) {
	if len(address) != pb.AddressBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byAddress.Prefix, address))
	if !ok {
		return nil, false
	}
	k, ok := keys.Get(r, string(uscc), address)
	if !ok {
		x.Faultf("the index gives %s a key that the table does not know", uscc)
	}
	return k, true
}

// Keys visits a firm's keys by address, those that ended too.
func Keys(r x.Reader, uscc string, fn func(k *pb.SubjectKey) (more bool)) { keys.Each(r, uscc, fn) }

// Holds says whether an address is a key in force of a firm, and why not. A firm that was deregistered (注销) acts no more.
func Holds(r x.Reader, uscc string, address []byte) error {
	s, err := Require(r, uscc)
	if err != nil {
		return err
	}
	k, ok := Key(r, address)
	switch {
	case !ok || k.Subject != uscc:
		return ErrKeyUnknown.With("%x is no key of %s", address, uscc)
	case k.EndedOn != 0:
		return ErrKeyEnded.With("the key %x ended", address)
	case s.Status == pb.SUBJECT_DEREGISTERED:
		return ErrDeregistered.With("subject %s is deregistered", uscc)
	}
	return nil
}

// CheckRegisterKey refuses what is wrong whatever the state.
func CheckRegisterKey(m *pb.RegisterKey) error {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if len(m.Address) != pb.AddressBytes || len(m.Replaces) != 0 && len(m.Replaces) != pb.AddressBytes {
		return ErrKeyForm.With("an address has %d bytes", pb.AddressBytes)
	}
	if len(m.Proof) != pb.SignatureBytes {
		return ErrKeyForm.With("the key's own signature has %d bytes instead of %d", len(m.Proof), pb.SignatureBytes)
	}
	return x.CheckDigest(m.EvidenceDigest, "evidence_digest", false)
}

// RegisterKey is K1, and with replaces K2. Registry only. An address serves one firm, once: a key that ended does not come back.
func RegisterKey(ctx *x.Ctx, m *pb.RegisterKey, signed Signed) (x.Done, error) {
	if err := CheckRegisterKey(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REGISTRY, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	s, err := Require(ctx, m.Subject)
	if err != nil {
		return x.Done{}, err
	}
	if old, ok := Key(ctx, m.Address); ok {
		if old.Subject == m.Subject && old.EndedOn == 0 && bytes.Equal(old.EvidenceDigest, m.EvidenceDigest) && rotated(ctx, m) {
			return x.Done{Note: x.AlreadyRecorded}, nil
		}
		return x.Done{}, ErrKeyUsed
	}
	if _, _, ok := member.ByAddress(ctx, m.Address); ok {
		return x.Done{}, ErrKeyUsed.With("the key is a member's")
	}
	if s.Status == pb.SUBJECT_DEREGISTERED {
		return x.Done{}, ErrDeregistered.With("subject %s is deregistered", m.Subject)
	}
	if !signed(pb.KeyProof(ctx.Chain.ID, m.Subject), m.Proof, m.Address) {
		return x.Done{}, ErrKeyProof
	}
	inForce := 0
	Keys(ctx, m.Subject, func(k *pb.SubjectKey) bool {
		if k.EndedOn == 0 && !bytes.Equal(k.Address, m.Replaces) {
			inForce++
		}
		return true
	})
	if inForce >= pb.SubjectKeys {
		return x.Done{}, x.ErrTooMany.With("%s has %d keys in force, the most there may be", m.Subject, inForce)
	}
	if err := AdmitOwn(ctx, m.Subject, 1); err != nil {
		return x.Done{}, err
	}
	if len(m.Replaces) != 0 {
		old, err := keyInForce(ctx, m.Subject, m.Replaces)
		if err != nil {
			return x.Done{}, err
		}
		endKey(ctx, old, pb.KEY_ROTATED, m.EvidenceDigest)
	}
	putKey(ctx, &pb.SubjectKey{Subject: m.Subject, Address: m.Address, EvidenceDigest: m.EvidenceDigest, RegisteredOn: int32(ctx.Today)})
	return x.Done{}, nil
}

// rotated says whether the key that a registration replaces, if any, ended by it.
func rotated(r x.Reader, m *pb.RegisterKey) bool {
	k, ok := Key(r, m.Replaces)
	return len(m.Replaces) == 0 || ok && k.Subject == m.Subject && k.End == pb.KEY_ROTATED && bytes.Equal(k.EndDigest, m.EvidenceDigest)
}

// CheckEndKey refuses what is wrong whatever the state.
func CheckEndKey(m *pb.EndKey) error {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if m.End != pb.KEY_LOST && m.End != pb.KEY_RETURNED {
		return ErrKeyForm.With("a key ends for being lost or returned; one that is rotated ends when its successor is registered")
	}
	return x.CheckDigest(m.EvidenceDigest, "evidence_digest", false)
}

// EndKey is K3. Registry only.
func EndKey(ctx *x.Ctx, m *pb.EndKey) (x.Done, error) {
	if err := CheckEndKey(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REGISTRY, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	if k, ok := Key(ctx, m.Address); ok && k.Subject == m.Subject && k.End == m.End && bytes.Equal(k.EndDigest, m.EvidenceDigest) {
		return x.Done{Note: x.AlreadyRecorded}, nil
	}
	k, err := keyInForce(ctx, m.Subject, m.Address)
	if err != nil {
		return x.Done{}, err
	}
	endKey(ctx, k, m.End, m.EvidenceDigest)
	return x.Done{}, nil
}

// keyInForce finds a key of a firm that has not ended. That the firm is deregistered keeps no key from ending.
func keyInForce(r x.Reader, uscc string, address []byte) (*pb.SubjectKey, error) {
	k, ok := Key(r, address)
	switch {
	case !ok || k.Subject != uscc:
		return nil, ErrKeyUnknown.With("%x is no key of %s", clip(address), uscc)
	case k.EndedOn != 0:
		return nil, ErrKeyEnded.With("the key %x ended", address)
	}
	return k, nil
}

func clip(b []byte) []byte { return b[:min(len(b), pb.AddressBytes)] }

func endKey(ctx *x.Ctx, k *pb.SubjectKey, why pb.KeyEnd, paper []byte) {
	now := *k
	now.EndedOn, now.End, now.EndDigest = int32(ctx.Today), why, paper
	putKey(ctx, &now)
}

func putKey(ctx *x.Ctx, k *pb.SubjectKey) {
	ctx.Set(x.Key(byAddress.Prefix, k.Address), []byte(k.Subject))
	keys.PutAside(ctx, k.Subject, k.Address, k)
}

// Derive gives the rows of the index of keys: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	keys.All(r, func(uscc string, k *pb.SubjectKey) bool {
		emit(x.Key(byAddress.Prefix, k.Address), []byte(uscc))
		return true
	})
}
