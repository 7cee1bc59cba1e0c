package state

import (
	"bytes"
	"errors"
	"slices"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

var (
	errNoLeaf     = errors.New("forest: no leaf under this key")
	errOtherValue = errors.New("forest: the leaf under this key has another value")
)

// ExistenceProof writes the proof that the tree holds value under key in the
// form that stock ICS-23 verifiers check against ics23.SmtSpec and Root.
//
// There is no such form for absence: ICS-23 shows absence by the two
// neighbours with their raw keys and values, which belong to other people.
// Absence is proven by Prove.
func (v *Version) ExistenceProof(key, value []byte) (*ics23.ExistenceProof, error) {
	if v.released.Load() {
		return nil, errReleased
	}
	path := tree.PathOf(key)
	var ops []*ics23.InnerOp
	ref := v.s.ref
	for depth := 0; ref != 0 && !isLeafRef(ref); depth++ {
		b := v.f.branches.at(ref)
		op := &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: []byte{1}}
		if tree.Bit(&path, depth) == 0 {
			op.Suffix, ref = bytes.Clone(b.r.hash[:]), b.l.ref // the slot is another node's when the version is released
		} else {
			op.Prefix, ref = append(op.Prefix, b.l.hash[:]...), b.r.ref
		}
		ops = append(ops, op)
	}
	if ref == 0 {
		return nil, errNoLeaf
	}
	switch leaf := v.f.leaves.at(ref &^ leafBit); {
	case leaf.Path != path:
		return nil, errNoLeaf
	case leaf.ValueHash != tree.ValueHash(value):
		return nil, errOtherValue
	}
	slices.Reverse(ops) // ICS-23 goes from the leaf to the root
	return &ics23.ExistenceProof{
		Key:   key,
		Value: value,
		Leaf: &ics23.LeafOp{
			Hash:         ics23.HashOp_SHA256,
			PrehashKey:   ics23.HashOp_SHA256,
			PrehashValue: ics23.HashOp_SHA256,
			Length:       ics23.LengthOp_NO_PREFIX,
			Prefix:       []byte{0},
		},
		Path: ops,
	}, nil
}
