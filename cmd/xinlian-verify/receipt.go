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

// toldAnchor is what a node tells of an anchor (存证), or what is proven of it.
type toldAnchor struct {
	Gateway string
	Hour    int64
	Root    string
	Height  int64
	proof   *attest.AnchoredRoot // nil: a node tells it
}

// receiptVerdict is what becomes of one receipt.
type receiptVerdict struct {
	ID            string   `json:"id"`
	Anchored      bool     `json:"anchored"` // the root is that of an anchor proof or of what nodes tell
	Proven        bool     `json:"proven"`   // of an anchor proof
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
	// Of the header that proves it; null: it is not proven.
	ChainID      *string `json:"chain_id"`
	HeaderHeight *int64  `json:"header_height"`
	Time         *string `json:"time"`
	SignedPower  *int64  `json:"signed_power"`
	TotalPower   *int64  `json:"total_power"`
	says         *pb.QueryReceipt
}

func receiptCommand() *cobra.Command {
	var q question
	var anchors, proofs []string
	var id, bundle, opening string
	cmd := &cobra.Command{
		Use:   "receipt FILE --proof ANCHOR.xln --trust TRUST.json",
		Short: "Judge receipts of queries: are they covered by anchors that the ledger holds?",
		Long: `receipt judges the receipts (查询回执) in an answer of 'query receipts --json' or 'query ask --json'. Each has to lead, with its salt
and its path, to the root of the anchor (存证) of its hour. ANCHOR.xln is the proof that the ledger holds this root, signed by its validators: any node
gives it (fetch --anchor GATEWAY/HOUR), and it is judged by the trust file. It does not grow old; in a file that is kept for years, --at names a
time at which the trust file was in force.

What that proves: by the time of the header the gateway had fixed this receipt, byte for byte, and cannot change or deny it any more. A receipt
does not prove that an answer arrived, and that there is no other receipt nothing proves.

Without a proof, --anchor ANCHOR.json names what a node answers to GET /v1/anchors/GATEWAY/HOUR. That is as good as the nodes that told it:
ask one that is not the gateway's, and best several. All that speak of an hour have to agree.

With --bundle, and --opening where classes were opened, the receipt has to be that of this answer.

Exit codes: 0 all are anchored; 1 one is malformed, or does not lead to its anchor; 2 usage; 4 the trust file has expired or does not reach
a proof; 5 unsupported version; 6 well formed, but one is not anchored yet or its anchor was not given.`,
		Example: "  xinlian-verify receipt receipts.json --proof anchor.xln --trust trust.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(anchors)+len(proofs) == 0:
				return usage("no anchor: give --proof with --trust, or what a node tells (--anchor)")
			case (len(proofs) > 0) != (q.trust != ""):
				return usage("--proof and --trust go together")
			}
			held, err := readReceipts(args[0])
			if err != nil {
				return err
			}
			told, err := readAnchors(anchors)
			if err != nil {
				return err
			}
			if len(proofs) > 0 {
				if err := q.prove(told, proofs); err != nil {
					return err
				}
			}
			if opening != "" && bundle == "" {
				return usage("--opening is given without --bundle")
			}
			var answer, opened []byte
			if bundle != "" {
				if answer, err = readBundle(bundle); err != nil {
					return err
				}
			}
			if opening != "" {
				if opened, err = readBundle(opening); err != nil {
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
				if bundle != "" {
					if err := attest.CheckAnswer(v.says, answer, opened); err != nil {
						return &exit{code: exitInvalid, err: err}
					}
				}
				verdicts = append(verdicts, v)
			}
			if len(verdicts) == 0 {
				return usage("the file has no such receipt")
			}
			return showReceipts(cmd, verdicts, q.json)
		},
	}
	f := cmd.Flags()
	q.headerFlags(cmd)
	f.StringArrayVar(&proofs, "proof", nil, "anchor proof (*.xln); may be given several times")
	f.StringArrayVar(&anchors, "anchor", nil, "what a node tells of an anchor (JSON); may be given several times")
	f.StringVar(&id, "id", "", "judge this receipt of the file alone")
	f.StringVar(&bundle, "bundle", "", "bundle of the answer that the receipt is of")
	f.StringVar(&opening, "opening", "", "file (*.xlr) of that answer that opens classes")
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

// prove judges anchor proofs. Beside one that is proven, what nodes tell of the same hour has to be the same.
func (q *question) prove(told map[anchorKey]*toldAnchor, names []string) error {
	p := attest.Policy{}
	var err error
	if p.Now, err = clock(q.at); err != nil {
		return err
	}
	if err := q.readEvidence(&p); err != nil {
		return err
	}
	files := make([][]byte, len(names))
	for i, name := range names {
		if files[i], err = readAtMost(name, pb.BundleBytesMax); err != nil {
			return err
		}
	}
	v, err := q.verifier()
	if err != nil {
		return err
	}
	for i, raw := range files {
		a, err := v.OpenAnchorProof(raw, p)
		if err != nil {
			return &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("%s: %w", names[i], err)}
		}
		k, t := anchorKey{a.Gateway, a.Hour}, &toldAnchor{a.Gateway, a.Hour, hex.EncodeToString(a.Root[:]), a.BlockHeight, a}
		if b := told[k]; b != nil && (b.Root != t.Root || b.Height != t.Height) {
			return &exit{code: exitInvalid, err: fmt.Errorf("%s: a node tells another anchor of %s for hour %d than is proven; keep both files", attest.CodeReceipt, a.Gateway, a.Hour)}
		}
		told[k] = t
	}
	return nil
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
		At: time.Unix(r.AtTime, 0).UTC().Format(time.RFC3339), AnswerDigest: hex.EncodeToString(r.AnswerDigest), says: r,
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
		switch p := a.proof; {
		case p != nil:
			if _, err := p.Covers(raw, salt[:], h.Anchor.Place, path); err != nil {
				return nil, err
			}
			at := p.Time.Format(time.RFC3339Nano)
			v.Proven, v.ChainID, v.HeaderHeight, v.Time, v.SignedPower, v.TotalPower = true, &p.ChainID, &p.HeaderHeight, &at, &p.SignedPower, &p.TotalPower
		case a.Root != v.Root:
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
			why = fmt.Errorf("the anchor of receipt %s was not given; fetch --anchor %s/%d from a node", v.ID, v.Gateway, *v.Hour)
		case asJSON:
		case v.Proven:
			sayf(cmd, w, "OK  receipt %s: %s asked about %s for %s at %s, height %d; opened %v; anchored in hour %d, block %d; proven by header %d of %s (%s), power %d/%d",
				v.ID, v.Requester, v.Subject, v.Purpose, v.At, v.AtHeight, v.Opened, *v.Hour, *v.AnchorHeight, *v.HeaderHeight, *v.ChainID, *v.Time, *v.SignedPower, *v.TotalPower)
		default:
			sayf(cmd, w, "OK  receipt %s: %s asked about %s for %s at %s, height %d; opened %v; anchored in hour %d, block %d, as a node tells; not proven",
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
