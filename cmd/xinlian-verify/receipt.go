package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

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
	OfAnswer      *bool    `json:"of_answer"` // null: no answer is here
	Hour          *int64   `json:"hour"`      // null: no anchor covers it yet
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
	var f receiptFiles
	var id string
	cmd := &cobra.Command{
		Use:   "receipt FILE... --trust TRUST.json",
		Short: "Judge receipts of queries: are they covered by anchors that the ledger holds?",
		Long: `receipt judges the receipts (查询回执) in an answer of 'query receipts --json' or 'query ask --json'. Each has to lead, with its salt
and its path, to the root of the anchor (存证) of its hour. ANCHOR.xln is the proof that the ledger holds this root, signed by its validators: any node
gives it (fetch --anchor GATEWAY/HOUR), and it is judged by the trust file. It does not grow old; in a file that is kept for years, --at names a
time at which the trust file was in force.

The files may be given in any order; what each is shows by its bytes: receipts (JSON), proofs of anchors (*.xln), and the bundle (*.xla) and
the opening (*.xlr) of an answer. --proof, --bundle and --opening name the same.

What that proves: by the time of the header the gateway had fixed this receipt, byte for byte, and cannot change or deny it any more. A receipt
does not prove that an answer arrived, and that there is no other receipt nothing proves.

Without a proof, --anchor ANCHOR.json names what a node answers to GET /v1/anchors/GATEWAY/HOUR. That is as good as the nodes that told it:
ask one that is not the gateway's, and best several. All that speak of an hour have to agree.

The receipt in an answer of 'query ask --json' has to be that of the answer. So has one of the receipts, where a bundle is here, and the opening where
classes were opened. Whether the answer itself is true, check tells.

Exit codes: 0 all are anchored; 1 one is malformed, does not lead to its anchor, or is of another answer; 2 usage; 4 the trust file has expired or
does not reach a proof; 5 unsupported version; 6 well formed, but one is not anchored yet or its anchor was not given.`,
		Example: "  xinlian-verify receipt receipts.json anchor.xln --trust trust.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := f.take(name); err != nil {
					return err
				}
			}
			switch {
			case f.receipts == "":
				return usage("no receipts: give a file of them (JSON)")
			case len(f.proofs) > 0 && q.trust == "":
				return usage("a proof is judged by a trust file: give --trust")
			case len(f.proofs) == 0 && len(f.anchors) > 0 && q.trust != "": // which does not judge what nodes tell
				return usage("--trust is given without a proof (*.xln)")
			case f.opening != "" && f.bundle == "":
				return usage("an opening is half an answer; give its bundle, too")
			}
			held, err := readReceipts(f.receipts)
			if err != nil {
				return err
			}
			answer, err := f.answer()
			if err != nil {
				return err
			}
			told, err := readAnchors(f.anchors)
			if err != nil {
				return err
			}
			if len(f.proofs) > 0 {
				if err := q.prove(told, f.proofs); err != nil {
					return err
				}
			}
			verdicts, err := judgeReceipts(held, answer, id, told)
			if err != nil {
				return err
			}
			return showReceipts(cmd, verdicts, q.json)
		},
	}
	flags := cmd.Flags()
	q.headerFlags(cmd)
	flags.StringArrayVar(&f.proofs, "proof", nil, "anchor proof (*.xln); may be given several times")
	flags.StringArrayVar(&f.anchors, "anchor", nil, "what a node tells of an anchor (JSON); may be given several times")
	flags.StringVar(&id, "id", "", "judge this receipt of the file alone")
	flags.StringVar(&f.bundle, "bundle", "", "bundle of the answer that the receipt is of")
	flags.StringVar(&f.opening, "opening", "", "file (*.xlr) of that answer that opens classes")
	return cmd
}

// judgeReceipts judges the receipts of a file, or the one that id names, all before one is shown: a file with a forged receipt in it is refused whole. So is one of
// which no receipt is of the answer beside it (Q3); of a page one is enough.
func judgeReceipts(held []heldReceipt, a *answer, id string, told map[anchorKey]*toldAnchor) ([]*receiptVerdict, error) {
	verdicts, of := []*receiptVerdict{}, false
	for i := range held {
		v, err := held[i].judge(told)
		if err == nil && held[i].within != nil {
			err = held[i].within.check(v)
		}
		if err != nil {
			return nil, &exit{code: exitInvalid, err: fmt.Errorf("receipt %d of the file: %w", i+1, err)}
		}
		if id != "" && v.ID != id {
			continue
		}
		if a != nil {
			err = a.check(v)
			of = of || err == nil
		}
		verdicts = append(verdicts, v)
	}
	switch {
	case len(verdicts) == 0:
		return nil, usage("the file has no such receipt")
	case a == nil || of:
		return verdicts, nil
	case len(verdicts) == 1:
		return nil, &exit{code: exitInvalid, err: a.check(verdicts[0])}
	}
	return nil, &exit{code: exitInvalid, err: fmt.Errorf("%s: none of the receipts is of this answer", attest.CodeReceipt)}
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

// judge tells what a receipt says, and whether what nodes tell covers it.
func (h *heldReceipt) judge(told map[anchorKey]*toldAnchor) (*receiptVerdict, error) {
	bad := func(format string, args ...any) (*receiptVerdict, error) {
		return nil, fmt.Errorf("%s: %w", attest.CodeReceipt, fmt.Errorf(format, args...))
	}
	r, err := attest.OpenReceipt(h.receipt, h.salt)
	if err != nil {
		return nil, err
	}
	v := &receiptVerdict{
		ID: hex.EncodeToString(r.Id), Subject: r.Subject, Requester: r.Requester, Gateway: r.Gateway, Authorisation: hex.EncodeToString(r.Authorisation),
		Purpose: attest.Purposes[r.Purpose], Asked: classNames(r.Asked), Opened: classNames(r.Opened), AtHeight: r.AtHeight,
		At: time.Unix(r.AtTime, 0).UTC().Format(time.RFC3339), AnswerDigest: hex.EncodeToString(r.AnswerDigest), says: r,
	}
	at := h.anchor
	if at == nil {
		return v, nil
	}
	root, err := attest.ReceiptAnchor(h.receipt, h.salt, at.place, at.path)
	if err != nil {
		return nil, err
	}
	v.Hour, v.Root = &at.hour, hex.EncodeToString(root[:])
	if root != at.root {
		return bad("receipt and path do not lead to the root beside them")
	}
	if a := told[anchorKey{r.Gateway, at.hour}]; a != nil {
		switch p := a.proof; {
		case p != nil:
			if _, err := p.Covers(h.receipt, h.salt, at.place, at.path); err != nil {
				return nil, err
			}
			when := p.Time.Format(time.RFC3339Nano)
			v.Proven, v.ChainID, v.HeaderHeight, v.Time, v.SignedPower, v.TotalPower = true, &p.ChainID, &p.HeaderHeight, &when, &p.SignedPower, &p.TotalPower
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
		switch {
		case why != nil || asJSON || v.OfAnswer == nil:
		case *v.OfAnswer:
			sayf(cmd, w, "    it is the receipt of the answer that is here")
		default:
			sayf(cmd, w, "    it is the receipt of another answer than the one that is here")
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
