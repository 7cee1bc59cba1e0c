package attest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// AnchorProofMagic is what every anchor proof of this version begins with.
const AnchorProofMagic = "XLN1"

// AnchorProofMediaType of an anchor proof over HTTP.
const AnchorProofMediaType = "application/vnd.xinlian.anchor.v1"

// AnchoredRoot (存证) is the ledger's row of what a gateway has fixed of its receipts in an hour, verified: a quorum has signed that the row stands. Such a row
// never changes and never goes, so an anchor does not grow old. It says nothing of any receipt to who does not hold it, nor whether there is one.
type AnchoredRoot struct {
	Gateway     string
	Hour        int64 // legal time in hours since 1970-01-01T00:00:00Z
	Root        Hash  // of the salted receipts
	BlockHeight int64 // of the block that holds it

	ChainID      string
	Height       int64 // of the state: that of the header less one
	HeaderHeight int64
	HeaderHash   Hash
	Time         time.Time // of the header
	SignedPower  int64
	TotalPower   int64
	Witnessed    []string // names of the witnesses of the trust file that count
	Stamped      []string // names of its authorities whose time stamps count
}

// EncodeAnchorProof gives the file of an anchor proof. It does not judge it.
func EncodeAnchorProof(p *pb.AnchorProof) []byte {
	return append([]byte(AnchorProofMagic), pb.Encode(p)...)
}

// AnchorKey is the key of the leaf that binds the row of an anchor, in the state tree.
func AnchorKey(gateway string, hour int64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{'R', anchorTable}, gateway...), uint64(hour))
}

const (
	// anchorTable is the prefix of the table of anchors, which its binding as leaves makes a part of what is proven.
	anchorTable = 0xa3
	// hourMax is the hour of the latest time that a header may have.
	hourMax = maxSeconds / 3600
)

// OpenAnchorProof judges an anchor proof. Of the policy it takes Now, Witness and Stamps; the others stay unset.
func OpenAnchorProof(raw []byte, trust *Trust, policy Policy) (*AnchoredRoot, error) {
	v, err := NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	return v.OpenAnchorProof(raw, policy)
}

// OpenAnchorProof is the narration of PROOF.md, section "Anchor proof".
func (v *Verifier) OpenAnchorProof(raw []byte, policy Policy) (*AnchoredRoot, error) {
	// 1. The policy.
	switch {
	case policy.Now.IsZero():
		return nil, refusal(ErrUsage, 1, CodePolicy, "policy: no time to judge by")
	case policy.Subject != "" || policy.Claim != Claim{} || policy.MaxAge != 0 || policy.UnsafeAnyAge || len(policy.Headers) > 0:
		return nil, refusal(ErrUsage, 1, CodePolicy, "policy: an anchor decides no claim about anybody and does not grow old; name a time alone")
	}

	// 2-4. Magic, size, encoding, form of every field.
	p, err := DecodeAnchorProof(raw)
	if err != nil {
		return nil, err
	}

	// 5-8. Chain, anchor of the trust file, sets, signatures.
	blk, bad := v.checkBlock(anchorBlock(p))
	if bad != nil {
		return nil, bad
	}

	// 9. The row is in the tree, which with the rest of the state hashes to the header's app hash.
	if err := checkAnchorState(p, &blk.appHash); err != nil {
		return nil, err
	}

	// 10. The row could stand in this state.
	row := &p.Row
	if row.Height > blk.height-1 {
		return nil, invalid(10, CodeAnchorRow, "the row is of block %d, the state of height %d", row.Height, blk.height-1)
	}

	// 11-12. Not from the future, the trust file in force and reaching it, its witnesses and authorities.
	a := &AnchoredRoot{
		Gateway: row.Gateway, Hour: row.Hour, Root: Hash(row.Root), BlockHeight: row.Height,
		ChainID: blk.chainID, Height: blk.height - 1, HeaderHeight: blk.height, HeaderHash: blk.hash,
		Time: blk.time, SignedPower: blk.signed, TotalPower: blk.total,
	}
	if a.Witnessed, a.Stamped, bad = v.checkSeen(blk, &policy); bad != nil {
		return nil, bad
	}
	if bad := v.checkTrust(blk, policy.Now, a.Witnessed, a.Stamped); bad != nil {
		return nil, bad
	}
	return a, nil
}

// Covers says whether a receipt is anchored here (存证): step Q4 of PROOF.md, after Q1 and Q2. Errors are ErrInvalid with CodeReceipt.
func (a *AnchoredRoot) Covers(receipt, salt []byte, place uint64, path []Hash) (*pb.QueryReceipt, error) {
	r, err := OpenReceipt(receipt, salt)
	if err != nil {
		return nil, err
	}
	root, err := ReceiptAnchor(receipt, salt, place, path)
	switch {
	case err != nil:
		return nil, err
	case r.Gateway != a.Gateway:
		return nil, invalid(0, CodeReceipt, "the receipt is of the gateway of %s, the anchor of that of %s", r.Gateway, a.Gateway)
	case root != a.Root:
		return nil, invalid(0, CodeReceipt, "receipt and path do not lead to the root that the ledger holds of hour %d", a.Hour)
	case r.AtHeight >= a.BlockHeight:
		return nil, invalid(0, CodeReceipt, "the receipt speaks of height %d, its anchor stands since block %d", r.AtHeight, a.BlockHeight)
	}
	return r, nil
}

// String is one line for people.
func (a *AnchoredRoot) String() string {
	return fmt.Sprintf("OK  anchor of %s, hour %d, block %d  root %x  height %d  %s  power %d/%d",
		a.Gateway, a.Hour, a.BlockHeight, a.Root, a.Height, a.Time.Format(time.RFC3339), a.SignedPower, a.TotalPower)
}

// DecodeAnchorProof reads an anchor proof: steps 2 to 4. What it returns is well formed and UNVERIFIED.
func DecodeAnchorProof(raw []byte) (*pb.AnchorProof, error) {
	if err := packMagic(raw, AnchorProofMagic); err != nil {
		return nil, err
	}
	if len(raw) > pb.BundleBytesMax {
		return nil, invalid(3, CodeSize, "%d bytes, more than %d", len(raw), pb.BundleBytesMax)
	}
	body := raw[len(AnchorProofMagic):]
	if err := boundBlock(body); err != nil {
		return nil, err
	}
	p := new(pb.AnchorProof)
	if err := pb.Decode(body, p); err != nil {
		return nil, invalid(3, CodeEncoding, "anchor proof: %v", err)
	}
	if err := checkBlockForm(anchorBlock(p)); err != nil {
		return nil, err
	}
	switch r := &p.Row; {
	case len(p.Catalog) != hashBytes || len(p.Log) != hashBytes || len(p.Pack) != hashBytes:
		return nil, invalid(4, CodeForm, "catalog, log and pack have 32 bytes each")
	case !isUSCC(r.Gateway) || r.Hour < 0 || r.Hour > hourMax || len(r.Root) != hashBytes || r.Height < 1:
		return nil, invalid(4, CodeForm, "the row has an impossible field")
	}
	return p, nil
}

// anchorBlock gives the part of an anchor proof that speaks of the block, as a bundle of the form self-contained has it.
func anchorBlock(p *pb.AnchorProof) *pb.Bundle {
	return &pb.Bundle{Header: &p.Header, Commit: &p.Commit, Validators: &p.Validators, Steps: p.Steps}
}

// checkAnchorState is step 9 for an anchor proof.
func checkAnchorState(p *pb.AnchorProof, appHash *Hash) *Error {
	claim := tree.Claim{Path: tree.PathOf(AnchorKey(p.Row.Gateway, p.Row.Hour)), ValueHash: tree.ValueHash(pb.Encode(&p.Row)), Present: true}
	root, err := tree.RootOf([]tree.Claim{claim}, tree.Proof{Shape: p.Shape, Hashes: p.Hashes})
	if err != nil {
		return invalid(9, CodePath, "%v", err)
	}
	leaves := [...]Hash{
		tree.AppEntryLeaf(nameCatalog, Hash(p.Catalog)), tree.AppEntryLeaf(nameLog, Hash(p.Log)),
		tree.AppEntryLeaf(namePack, Hash(p.Pack)), tree.AppEntryLeaf(nameState, tree.ValueHash(root[:])),
	}
	if got := tree.LogRoot(leaves[:]); !bytes.Equal(got[:], appHash[:]) {
		return invalid(9, CodeAppHash, "row, path and the other parts of the state do not lead to the app hash of the header")
	}
	return nil
}
