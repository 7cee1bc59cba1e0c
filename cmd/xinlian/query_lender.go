package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// checkQuestion looks a question over that could not be answered.
func checkQuestion(subject, purpose, authorisation string, classes []string) error {
	if err := code.CheckUSCC(subject); err != nil {
		return err
	}
	if !slices.Contains(attest.Purposes[1:], purpose) {
		return ofFlag("purpose", fmt.Errorf("%.40q is none of %s", purpose, strings.Join(attest.Purposes[1:], ", ")))
	}
	if authorisation != "" {
		if _, err := recordID(authorisation); err != nil {
			return ofFlag("authorisation", err)
		}
	}
	for _, c := range classes {
		if !slices.Contains(attest.DataClasses[1:], c) {
			return ofFlag("classes", fmt.Errorf("%.40q is none of %s", c, strings.Join(attest.DataClasses[1:], ", ")))
		}
	}
	return nil
}

// queryAskCmd is for lenders: what a firm has authorised, with the receipt.
func queryAskCmd() *cobra.Command {
	s := &session{}
	cmd := &cobra.Command{
		Use: "ask USCC", Short: "Ask about a firm as a lender (信易贷)", Args: cobra.ExactArgs(1),
		Long: `Ask a lenders' gateway about a firm. What is published is always answered; classes of the restricted section are opened on the firm's
authorisation. Every answer has a receipt, which the firm can read.

--bundle and --opening write the proof and what opens the classes; xinlian-verify check --restricted judges both offline.

Exit codes: 0 answered, 1 none of the classes was opened or the gateway said no, 2 the call was wrong or not with a key that may make it, 3 no answer came.`,
	}
	s.addNode(cmd, queryPatience)
	s.addKey(cmd, true)
	asJSON := jsonFlag(cmd)
	purpose := cmd.Flags().String("purpose", "", "what for: pre_loan, in_loan, post_loan, guarantee, supply_chain, insurance")
	authorisation := cmd.Flags().String("authorisation", "", "id of the firm's authorisation")
	classes := cmd.Flags().StringSlice("classes", nil, "classes of the restricted section: grade, commitments")
	bundle := cmd.Flags().String("bundle", "", "file for the bundle (*.xla)")
	opening := cmd.Flags().String("opening", "", "file for what opens the classes (*.xlr)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *purpose == "" {
			return usage(errors.New("--purpose is missing"))
		}
		// What the gateway would refuse, before a use of the authorisation is spent on it.
		if err := checkQuestion(args[0], *purpose, *authorisation, *classes); err != nil {
			return usage(err)
		}
		// And what could not be kept.
		var proof, opens answerFile
		defer proof.drop()
		defer opens.drop()
		if err := errors.Join(proof.begin(*bundle), opens.begin(*opening)); err != nil {
			return usage(err)
		}
		if proof.f != nil && opens.f != nil && proof.f.Same(opens.f) {
			return usagef("--bundle and --opening are one file: each needs its own")
		}
		c, err := s.open(cmd.Context())
		if err != nil {
			return err
		}
		defer c.Close()
		raw, err := c.Query(cmd.Context(), client.Question{Subject: args[0], Purpose: *purpose, Authorisation: *authorisation, Classes: *classes})
		switch {
		case errors.Is(err, client.ErrUnanswered):
			return exitWith(3, fmt.Errorf("%w; it may have been answered all the same, with a receipt, and a use of the authorisation be spent: see `xinlian query receipts %s` before you ask again", err, args[0]))
		case err != nil:
			return verdictOf(err)
		}
		var v struct {
			Attestation string
			Opening     *string
			Restricted  *struct{}
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		// The answer is shown whether or not it can be written: a use of the authorisation is spent.
		err = proof.finish(v.Attestation)
		if v.Opening != nil {
			err = errors.Join(err, opens.finish(*v.Opening))
		}
		if *asJSON {
			err = errors.Join(indent(cmd, raw), err)
		} else {
			err = errors.Join(showQuery(cmd.OutOrStdout(), raw), err)
			sayf(cmd, cmd.OutOrStdout(), "UNVERIFIED: this is what the gateway says; keep it with --bundle and --opening, and judge it with xinlian-verify check --restricted")
		}
		switch {
		case err != nil:
			return err
		case len(*classes) > 0 && v.Restricted == nil:
			return exitWith(1, errors.New("none of the classes was opened: the answer says why"))
		case *opening != "" && v.Opening == nil:
			return exitWith(1, fmt.Errorf("nothing was opened, and %s is not of this answer: name the classes that you ask for", *opening))
		}
		return nil
	}
	return cmd
}

// answerFile is a part of an answer on its way to a file, if one was named.
type answerFile struct{ f *shell.File }

func (a *answerFile) begin(name string) (err error) {
	if name != "" {
		a.f, err = shell.Begin(name, 0o600)
	}
	return err
}

func (a *answerFile) finish(text string) error {
	if a.f == nil {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("the answer holds no file: %w", err)
	}
	return a.f.Finish(raw)
}

func (a *answerFile) drop() {
	if a.f != nil {
		a.f.Drop()
	}
}

func showQuery(w io.Writer, raw json.RawMessage) error {
	if err := showCheck(w, raw); err != nil { // the standing is shown as to agencies
		return err
	}
	var v struct {
		Restricted *struct {
			Grade *struct {
				Grade      string  `json:"grade"`
				Issuer     string  `json:"issuer"`
				AssessedOn *string `json:"assessed_on"`
				ValidUntil *string `json:"valid_until"`
			} `json:"grade"`
			Commitments *[]struct {
				Code  string `json:"code"`
				State string `json:"state"`
			} `json:"commitments"`
		} `json:"restricted"`
		Refused []struct {
			Class   string
			Refusal client.Problem
		} `json:"refused"`
		Receipt struct{ ID string } `json:"receipt"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	t := newTable()
	if r := v.Restricted; r != nil {
		if g := r.Grade; g != nil {
			t.row("公共信用综合评价等级 grade", fmt.Sprintf("%s (%s, %s – %s)", g.Grade, g.Issuer, dash(g.AssessedOn), dash(g.ValidUntil)))
		}
		if r.Commitments != nil {
			for _, c := range *r.Commitments {
				t.row("特定范围内公开的承诺 commitment", c.Code+" "+both(c.State))
			}
		}
	}
	for _, r := range v.Refused {
		t.row("未开放 refused", r.Class+" "+r.Refusal.Error())
	}
	t.row("查询回执 receipt", v.Receipt.ID)
	fmt.Fprintln(w)
	t.write(w)
	return nil
}

// queryReceiptsCmd is for firms, and for lenders about their own queries.
func queryReceiptsCmd() *cobra.Command {
	var after string
	var limit int
	cmd := ask("receipts USCC", "Show who asked about a firm: to the firm itself, and to a lender its own queries (查询回执)", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			if err := code.CheckUSCC(args[0]); err != nil {
				return nil, usage(err)
			}
			if limit < 1 || limit > 1000 {
				return nil, usagef("--limit is %d: it lies between 1 and 1000", limit)
			}
			return c.Receipts(cmd.Context(), args[0], after, limit)
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Receipts []struct {
					Requester string   `json:"requester"`
					Purpose   string   `json:"purpose"`
					At        string   `json:"at"`
					Opened    []string `json:"opened"`
					Refusal   *string  `json:"refusal"`
					Anchor    *struct {
						Hour   int64  `json:"hour"`
						Height *int64 `json:"height"`
					} `json:"anchor"`
				} `json:"receipts"`
				Next *string `json:"next"`
				asOfLine
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			t := newTable("时间 at", "查询人 requester", "用途 purpose", "开放 opened", "未开放 refused", "存证高度 anchored at")
			for _, r := range v.Receipts {
				at := "-"
				if r.Anchor != nil && r.Anchor.Height != nil {
					at = fmt.Sprint(*r.Anchor.Height)
				}
				t.row(r.At, r.Requester, both(r.Purpose), strings.Join(r.Opened, " "), dash(r.Refusal), at)
			}
			t.write(w)
			if v.Next != nil {
				fmt.Fprintf(w, "more: --after %s\n", *v.Next)
			}
			v.write(w)
			return nil
		})
	cmd.Flags().StringVar(&after, "after", "", "next of the page before")
	cmd.Flags().IntVar(&limit, "limit", 100, "receipts a page, 1 to 1000")
	return cmd
}
