package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

// receiptsBytesMax is more than the largest page of receipts has, or the answer to a query with its bundle in it.
const receiptsBytesMax = 8 << 20

// heldReceipt is of a receipt (查询回执) what is read: what its gateway says in plain words beside the bytes proves nothing.
type heldReceipt struct {
	Bytes  string
	Salt   string
	Anchor *struct {
		Hour  int64
		Root  string
		Place uint64
		Path  []string
	}
}

// toldAnchor is what a node tells of an anchor (存证).
type toldAnchor struct {
	Gateway string
	Hour    int64
	Root    string
	Height  int64
}

// receiptVerdict is what becomes of one receipt.
type receiptVerdict struct {
	ID            string   `json:"id"`
	Anchored      bool     `json:"anchored"` // the root is that of the anchor files
	Subject       string   `json:"subject"`
	Requester     string   `json:"requester"`
	Gateway       string   `json:"gateway"`
	Authorisation string   `json:"authorisation"`
	Purpose       string   `json:"purpose"`
	Asked         []string `json:"asked"`
	Opened        []string `json:"opened"`
	AtHeight      int64    `json:"at_height"`
	At            string   `json:"at"`
	AnswerDigest  string   `json:"answer_digest"`
	Hour          *int64   `json:"hour"` // null: no anchor covers it yet
	Root          string   `json:"root"`
	AnchorHeight  *int64   `json:"anchor_height"`
}

func receiptCommand() *cobra.Command {
	var anchors []string
	var id, bundle, opening string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "receipt FILE --anchor ANCHOR.json",
		Short: "Judge receipts of queries: are they covered by the anchors that nodes tell?",
		Long: `receipt judges the receipts (查询回执) in an answer of 'query receipts --json' or 'query ask --json'. Each has to lead, with its salt
and its path, to the root of the anchor (存证) of its hour. ANCHOR.json is what a node answers to GET /v1/anchors/GATEWAY/HOUR; take it from
a node that is not the gateway's, and best from several. All that speak of an hour have to agree.

What that proves: the gateway fixed this receipt, byte for byte, in that hour, and cannot change or deny it any more. It is as good as the nodes that
told the anchor: unlike a bundle, an anchor carries no signatures of validators. A receipt does not prove that an answer arrived, and that
there is no other receipt nothing proves.

With --bundle, and --opening where classes were opened, the receipt has to be that of this answer.

Exit codes: 0 all are anchored; 1 one is malformed, or does not lead to what a node tells; 2 usage; 6 well formed, but one is not anchored
yet or its anchor was not given.`,
		Example: "  xinlian-verify receipt receipts.json --anchor anchor.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			held, err := readReceipts(args[0])
			if err != nil {
				return err
			}
			told, err := readAnchors(anchors)
			if err != nil {
				return err
			}
			var answer *attest.Hash
			if opening != "" && bundle == "" {
				return usage("--opening is given without --bundle")
			}
			if bundle != "" {
				if answer, err = answerOf(bundle, opening); err != nil {
					return err
				}
			}
			verdicts := []*receiptVerdict{}
			for i := range held {
				v, err := held[i].judge(told)
				if err != nil {
					return &exit{code: exitInvalid, err: fmt.Errorf("receipt %d of the file: %w", i+1, err)}
				}
				if id != "" && v.ID != id {
					continue
				}
				if answer != nil && v.AnswerDigest != hex.EncodeToString(answer[:]) {
					return &exit{code: exitInvalid, err: fmt.Errorf("%s: receipt %s is of another answer", attest.CodeReceipt, v.ID)}
				}
				verdicts = append(verdicts, v)
			}
			if len(verdicts) == 0 {
				return usage("the file has no such receipt")
			}
			return showReceipts(cmd, verdicts, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&anchors, "anchor", nil, "what a node tells of an anchor (JSON); may be given several times")
	f.StringVar(&id, "id", "", "judge this receipt of the file alone")
	f.StringVar(&bundle, "bundle", "", "bundle of the answer that the receipt is of")
	f.StringVar(&opening, "opening", "", "file (*.xlr) of that answer that opens classes")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	if err := cmd.MarkFlagRequired("anchor"); err != nil {
		panic(err)
	}
	return cmd
}

// readReceipts reads one receipt, the receipt of an answer, or a page of them.
func readReceipts(name string) ([]heldReceipt, error) {
	raw, err := readAtMost(name, receiptsBytesMax)
	if err != nil {
		return nil, err
	}
	var v struct {
		heldReceipt
		Receipt  *heldReceipt
		Receipts []heldReceipt
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, usage("%s is no JSON of receipts: %w", name, err)
	}
	switch {
	case v.Receipts != nil:
		return v.Receipts, nil
	case v.Receipt != nil:
		return []heldReceipt{*v.Receipt}, nil
	}
	return []heldReceipt{v.heldReceipt}, nil
}

type anchorKey struct {
	gateway string
	hour    int64
}

// readAnchors reads what nodes tell. Two that contradict each other are an error: one of the nodes is not to be trusted.
func readAnchors(names []string) (map[anchorKey]*toldAnchor, error) {
	told := map[anchorKey]*toldAnchor{}
	for _, name := range names {
		raw, err := readAtMost(name, evidenceBytesMax)
		if err != nil {
			return nil, err
		}
		a := new(toldAnchor)
		if err := json.Unmarshal(raw, a); err != nil {
			return nil, usage("%s is no JSON of an anchor: %w", name, err)
		}
		if _, err := hashOf(a.Root); err != nil || a.Gateway == "" || a.Height < 1 {
			return nil, usage("%s tells no anchor of a gateway and an hour", name)
		}
		k := anchorKey{a.Gateway, a.Hour}
		if b := told[k]; b != nil && (b.Root != a.Root || b.Height != a.Height) {
			return nil, &exit{code: exitInvalid, err: fmt.Errorf("%s: two nodes tell different anchors of %s for hour %d; keep both files", attest.CodeReceipt, a.Gateway, a.Hour)}
		}
		told[k] = a
	}
	return told, nil
}

func answerOf(bundle, opening string) (*attest.Hash, error) {
	raw, err := readBundle(bundle)
	if err != nil {
		return nil, err
	}
	var opened []byte
	if opening != "" {
		if opened, err = readBundle(opening); err != nil {
			return nil, err
		}
	}
	h := attest.AnswerDigest(raw, opened)
	return &h, nil
}

// hashOf reads 64 hexadecimal digits in lower case.
func hashOf(text string) (h attest.Hash, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) || strings.ToLower(text) != text {
		return h, fmt.Errorf("%.80q is not 64 hexadecimal digits in lower case", text)
	}
	return attest.Hash(raw), nil
}

// judge tells what a receipt says, and whether what nodes tell covers it.
func (h *heldReceipt) judge(told map[anchorKey]*toldAnchor) (*receiptVerdict, error) {
	bad := func(format string, args ...any) (*receiptVerdict, error) {
		return nil, fmt.Errorf("%s: %w", attest.CodeReceipt, fmt.Errorf(format, args...))
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(h.Bytes)
	if err != nil {
		return bad("bytes are no base64")
	}
	salt, err := hashOf(h.Salt)
	if err != nil {
		return bad("salt: %w", err)
	}
	r, err := attest.OpenReceipt(raw, salt[:])
	if err != nil {
		return nil, err
	}
	v := &receiptVerdict{
		ID: hex.EncodeToString(r.Id), Subject: r.Subject, Requester: r.Requester, Gateway: r.Gateway, Authorisation: hex.EncodeToString(r.Authorisation),
		Purpose: attest.Purposes[r.Purpose], Asked: classNames(r.Asked), Opened: classNames(r.Opened), AtHeight: r.AtHeight,
		At: time.Unix(r.AtTime, 0).UTC().Format(time.RFC3339), AnswerDigest: hex.EncodeToString(r.AnswerDigest),
	}
	if h.Anchor == nil {
		return v, nil
	}
	path := make([]attest.Hash, len(h.Anchor.Path))
	for i, text := range h.Anchor.Path {
		if path[i], err = hashOf(text); err != nil {
			return bad("path: %w", err)
		}
	}
	root, err := attest.ReceiptAnchor(raw, salt[:], h.Anchor.Place, path)
	if err != nil {
		return nil, err
	}
	v.Hour, v.Root = &h.Anchor.Hour, hex.EncodeToString(root[:])
	if v.Root != h.Anchor.Root {
		return bad("receipt and path do not lead to the root beside them")
	}
	if a := told[anchorKey{r.Gateway, h.Anchor.Hour}]; a != nil {
		if a.Root != v.Root {
			return bad("a node tells another root of the anchor of hour %d; keep both files", a.Hour)
		}
		v.Anchored, v.AnchorHeight = true, &a.Height
	}
	return v, nil
}

func classNames(classes []pb.DataClass) []string {
	out := []string{}
	for _, c := range classes {
		out = append(out, attest.DataClasses[c])
	}
	return out
}

func showReceipts(cmd *cobra.Command, verdicts []*receiptVerdict, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		if err := printJSON(w, verdicts); err != nil {
			return err
		}
	}
	var first error
	for _, v := range verdicts {
		why := error(nil)
		switch {
		case v.Hour == nil:
			why = fmt.Errorf("receipt %s is not anchored yet; get it again after its hour", v.ID)
		case !v.Anchored:
			why = fmt.Errorf("the anchor of receipt %s was not given; get /v1/anchors/%s/%d of a node", v.ID, v.Gateway, *v.Hour)
		case !asJSON:
			sayf(cmd, w, "OK  receipt %s: %s asked about %s for %s at %s, height %d; opened %v; anchored in hour %d, block %d",
				v.ID, v.Requester, v.Subject, v.Purpose, v.At, v.AtHeight, v.Opened, *v.Hour, *v.AnchorHeight)
		}
		if first == nil {
			first = why
		}
	}
	if first != nil {
		return &exit{code: exitUnproven, err: first}
	}
	return nil
}
