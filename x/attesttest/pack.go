package attesttest

import (
	"bytes"
	"crypto/sha256"
	"slices"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Members gives the members of a set as a pack carries them.
func Members(codes ...string) []byte {
	var paths [][]byte
	for _, uscc := range codes {
		p := tree.PathOf(attest.StandingKey(uscc))
		paths = append(paths, p[:])
	}
	slices.SortFunc(paths, bytes.Compare)
	return bytes.Join(paths, nil)
}

// SetRoot is the root of a set from nothing but the definition.
func SetRoot(set pb.PackSet, members []byte) tree.Hash {
	var leaves []tree.Leaf
	for p := range slices.Chunk(members, 32) {
		leaves = append(leaves, tree.Leaf{Path: tree.Hash(p), ValueHash: tree.ValueHash(set.Leaf())})
	}
	return tree.RootOfLeaves(leaves)
}

// SetSalt is the salt of a set at a height.
func SetSalt(set pb.PackSet, height int64) []byte { return Sum("salt of a set", set.Word(), height) }

// SetDigest is what the app hash binds of a set, from nothing but the definition.
func SetDigest(set pb.PackSet, height int64, members []byte) []byte {
	root := SetRoot(set, members)
	sum := sha256.Sum256(slices.Concat([]byte("xinlian/pack/v1"), SetSalt(set, height), root[:]))
	return sum[:]
}

// Pack makes the pack of a set in a state whose sets have these members.
func (s Spec) Pack(set pb.PackSet, serious, negative []byte) *pb.Pack {
	s = s.withDefaults()
	digests := [...][]byte{SetDigest(pb.PACK_SERIOUS, s.Height, serious), SetDigest(pb.PACK_NEGATIVE, s.Height, negative)}
	members, other := serious, digests[1]
	if set == pb.PACK_NEGATIVE {
		members, other = negative, digests[0]
	}
	state := Sum("root of the tree")
	app := tree.AppHash([]tree.Entry{
		{Name: "catalog", Value: CatalogValue()},
		{Name: "log", Value: LogValue()},
		{Name: "pack", Value: slices.Concat(digests[:]...)},
		{Name: "state", Value: state},
	})
	edit := s.Edit
	s.Edit = func(h *cmttypes.Header) {
		h.AppHash = app[:]
		if edit != nil {
			edit(h)
		}
	}
	s.Standings, s.Asked = nil, []string{SubjectAbsent}
	b := s.Bundle()
	catalog, log, root := tree.ValueHash(CatalogValue()), tree.ValueHash(LogValue()), tree.ValueHash(state)
	return &pb.Pack{
		Header: *b.Header, Commit: *b.Commit, Validators: *b.Validators, Steps: b.Steps,
		Catalog: catalog[:], Log: log[:], State: root[:], Set: set, Other: other, Salt: SetSalt(set, s.Height), Members: members,
	}
}
