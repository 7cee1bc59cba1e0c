package attest

import (
	"crypto/sha256"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// ReceiptLeaf is the leaf of a query's receipt (查询回执) among those that a gateway anchors: H(00 ‖ salt ‖ receipt). Who holds neither salt nor receipt learns
// nothing from it.
func ReceiptLeaf(salt, receipt []byte) Hash {
	return tree.LogLeaf(append(append(make([]byte, 0, len(salt)+len(receipt)), salt...), receipt...))
}

// ReceiptRoot leads from a leaf to the root that the ledger holds of an anchor: place is the leaf's among them, from 0, path its siblings from below. A
// receipt is anchored if the root is that of the ledger's row (GET /v1/anchors, at any node).
func ReceiptRoot(leaf Hash, place uint64, path []Hash) Hash {
	for _, sibling := range path {
		if place&1 == 0 {
			leaf = tree.LogNode(leaf, sibling)
		} else {
			leaf = tree.LogNode(sibling, leaf)
		}
		place >>= 1
	}
	return leaf
}

// AnswerDigest is what a receipt says of an answer: SHA-256(SHA-256(bundle) ‖ SHA-256(opening)); an answer that opens nothing has an opening of no bytes.
func AnswerDigest(bundle, opening []byte) Hash {
	b, o := sha256.Sum256(bundle), sha256.Sum256(opening)
	return sha256.Sum256(append(b[:], o[:]...))
}
