package attesttest

import (
	"fmt"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// AnchorProof makes the proof of a row in a state that holds these rows of anchors, by their key, with other leaves around them. asked is the key whose
// path is given: that of the row, where nothing is to be wrong.
func (s Spec) AnchorProof(row pb.ReceiptAnchor, rows map[string]pb.ReceiptAnchor, asked []byte) *pb.AnchorProof {
	s = s.withDefaults()
	var leaves []tree.Leaf
	for key, r := range rows {
		leaves = append(leaves, tree.Leaf{Path: tree.PathOf([]byte(key)), ValueHash: tree.ValueHash(pb.Encode(&r))})
	}
	for i := range s.Noise + 2 {
		leaves = append(leaves, tree.Leaf{Path: tree.PathOf([]byte(fmt.Sprint("R noise ", i))), ValueHash: tree.ValueHash(Sum("noise", i))})
	}
	w := newWalker(leaves)
	proof, _, _, err := tree.Prove(w, []tree.Hash{tree.PathOf(asked)})
	if err != nil {
		panic(err)
	}
	app := AppHash(CatalogValue(), w.hash(w.Root()))
	edit := s.Edit
	s.Edit = func(h *cmttypes.Header) {
		h.AppHash = app
		if edit != nil {
			edit(h)
		}
	}
	s.Standings, s.Asked = nil, []string{SubjectAbsent}
	b := s.Bundle()
	catalog, log, pack := tree.ValueHash(CatalogValue()), tree.ValueHash(LogValue()), tree.ValueHash(nil)
	return &pb.AnchorProof{
		Header: *b.Header, Commit: *b.Commit, Validators: *b.Validators, Steps: b.Steps,
		Catalog: catalog[:], Log: log[:], Pack: pack[:], Row: row, Shape: proof.Shape, Hashes: proof.Hashes,
	}
}

// AnchorRows gives rows the keys under which a state holds them.
func AnchorRows(rows ...pb.ReceiptAnchor) map[string]pb.ReceiptAnchor {
	out := make(map[string]pb.ReceiptAnchor)
	for _, r := range rows {
		out[string(attest.AnchorKey(r.Gateway, r.Hour))] = r
	}
	return out
}
