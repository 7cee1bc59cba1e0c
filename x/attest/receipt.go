package attest

import (
	"bytes"
	"crypto/sha256"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// ReceiptLeaf is the leaf of a query's receipt (查询回执) among those that a gateway anchors: H(00 ‖ salt ‖ receipt). Who holds neither salt nor receipt learns
// nothing from it.
func ReceiptLeaf(salt, receipt []byte) Hash {
	return tree.LogLeaf(append(append(make([]byte, 0, len(salt)+len(receipt)), salt...), receipt...))
}

// ReceiptRoot leads from a leaf to the root that the ledger holds of an anchor: place is the leaf's among them, from 0, path its siblings from below. A
// receipt is anchored if the root is that of the ledger's row: AnchoredRoot.Covers, by a proof.
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

// CodeReceipt refuses a receipt: malformed, or not what its anchor covers.
const CodeReceipt = "E_RECEIPT"

const (
	// receiptPathMin and Max bound a path: a gateway fills an anchor up to at least 64 leaves.
	receiptPathMin, receiptPathMax = 6, 40
	receiptBytesMax                = 4 << 10
)

// OpenReceipt reads a receipt that is held with its salt: step Q1 of PROOF.md. Alone it proves nothing: anybody can write one. Errors are ErrInvalid with
// CodeReceipt.
func OpenReceipt(receipt, salt []byte) (*pb.QueryReceipt, error) {
	r := new(pb.QueryReceipt)
	if len(receipt) > receiptBytesMax {
		return nil, invalid(0, CodeReceipt, "the receipt has more than %d bytes", receiptBytesMax)
	}
	if err := pb.Decode(receipt, r); err != nil {
		return nil, invalid(0, CodeReceipt, "the bytes are no receipt in its one encoding: %v", err)
	}
	known := r.Purpose >= pb.PURPOSE_PRE_LOAN && int(r.Purpose) < len(Purposes)
	if len(salt) != saltBytes || len(r.Id) != hashBytes || len(r.AnswerDigest) != hashBytes || len(r.Authorisation) != 0 && len(r.Authorisation) != hashBytes ||
		!isUSCC(r.Subject) || !isUSCC(r.Requester) || !isUSCC(r.Gateway) || !known || r.AtHeight < 1 || r.AtTime < 0 || r.AtTime > maxSeconds ||
		!areClasses(r.Asked) || !areClasses(r.Opened) {
		return nil, invalid(0, CodeReceipt, "the receipt has an impossible field")
	}
	return r, nil
}

// ReceiptAnchor gives the root to which a receipt leads with its salt and path: step Q2 of PROOF.md. The receipt is anchored (存证) if that is the root of the
// ledger's row of its gateway and hour, which an anchor proof shows; without one the caller has to learn it from nodes that it believes. Errors are ErrInvalid with
// CodeReceipt.
func ReceiptAnchor(receipt, salt []byte, place uint64, path []Hash) (Hash, error) {
	if len(path) < receiptPathMin || len(path) > receiptPathMax || place>>len(path) != 0 {
		return Hash{}, invalid(0, CodeReceipt, "the path has not %d to %d hashes, or the place does not lie in it", receiptPathMin, receiptPathMax)
	}
	return ReceiptRoot(ReceiptLeaf(salt, receipt), place, path), nil
}

// areClasses says whether classes of the restricted section ascend strictly and are known.
func areClasses(list []pb.DataClass) bool {
	for i, c := range list {
		if c < pb.DATA_GRADE || int(c) >= len(DataClasses) || i > 0 && list[i-1] >= c {
			return false
		}
	}
	return true
}

// Purposes are the names of what a lender asks for (查询用途).
var Purposes = []string{
	pb.PURPOSE_PRE_LOAN: "pre_loan", pb.PURPOSE_IN_LOAN: "in_loan", pb.PURPOSE_POST_LOAN: "post_loan",
	pb.PURPOSE_GUARANTEE: "guarantee", pb.PURPOSE_SUPPLY_CHAIN: "supply_chain", pb.PURPOSE_INSURANCE: "insurance",
}

// AnswerDigest is what a receipt says of an answer: SHA-256(SHA-256(bundle) ‖ SHA-256(opening)); an answer that opens nothing has an opening of no bytes.
func AnswerDigest(bundle, opening []byte) Hash {
	b, o := sha256.Sum256(bundle), sha256.Sum256(opening)
	return sha256.Sum256(append(b[:], o[:]...))
}

// CheckAnswer holds that a receipt is of an answer: step Q3 of PROOF.md. An answer that opens nothing has an opening of no bytes. Errors are ErrInvalid with
// CodeReceipt.
func CheckAnswer(r *pb.QueryReceipt, bundle, opening []byte) error {
	if d := AnswerDigest(bundle, opening); !bytes.Equal(r.AnswerDigest, d[:]) {
		return invalid(0, CodeReceipt, "receipt %x is of another answer", r.Id)
	}
	return nil
}
