package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/inspection"
)

func queryPlanCmd() *cobra.Command {
	return ask("plan ID", "Show a plan of random inspections (抽查计划)", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			return c.InspectionPlan(cmd.Context(), args[0])
		},
		showFields)
}

func queryDrawCmd() *cobra.Command {
	recompute := false
	cmd := ask("draw ID", "Show who was drawn, and with --recompute make the draw again from the chain (抽取结果)", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			raw, err := c.InspectionPlan(cmd.Context(), args[0])
			if err == nil && recompute {
				err = redraw(cmd.Context(), c, raw)
			}
			return raw, err
		},
		showDraw)
	cmd.Flags().BoolVar(&recompute, "recompute", false, "make the draw again from sealed list and block hash; exit code 1 where it differs")
	return cmd
}

// drawView is what of a plan a draw needs.
type drawView struct {
	ID         string   `json:"id"`
	PlanNo     string   `json:"plan_no"`
	State      string   `json:"state"`
	Rates      []uint32 `json:"rates"`
	Inspectors uint32   `json:"inspectors"`
	Team       uint32   `json:"team"`
	ListDigest string   `json:"list_digest"`
	Seed       string   `json:"seed"`
	DrawnAt    int64    `json:"drawn_at"`
	Candidates []struct {
		Subject string `json:"subject"`
		Class   uint32 `json:"class"`
	} `json:"candidates"`
	Inspected []struct {
		Record  string   `json:"record"`
		Subject string   `json:"subject"`
		Class   uint32   `json:"class"`
		Team    []uint32 `json:"team"`
		Result  *string  `json:"result"`
	} `json:"inspected"`
	asOfLine
}

// redraw makes the draw again on this machine: the list has the digest that was sealed, the seed is the hash of the block of the draw, and the lots name
// whom the node names.
func redraw(ctx context.Context, c *client.Client, raw json.RawMessage) error {
	var v drawView
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	if v.Seed == "" {
		return exitWith(1, errors.New("the plan is not drawn yet"))
	}
	if len(v.Candidates) == 0 {
		return exitWith(1, errors.New("the list of the plan is not for this key: the agency that inspects and auditors have it"))
	}
	var list []pb.Candidate
	for _, k := range v.Candidates {
		list = append(list, pb.Candidate{Subject: k.Subject, Class: k.Class})
	}
	if digest := inspection.ListDigest(list); hex.EncodeToString(digest[:]) != v.ListDigest {
		return exitWith(1, fmt.Errorf("the list has digest %x, sealed was %s", digest, v.ListDigest))
	}
	hash, err := c.Header(ctx, v.DrawnAt)
	if err != nil {
		return err
	}
	if hash != v.Seed {
		return exitWith(1, fmt.Errorf("block %d has hash %s, the draw used %s", v.DrawnAt, hash, v.Seed))
	}
	plan, seed := decodeID(v.ID), decodeID(v.Seed)
	drawn := inspection.Draw(seed, plan, v.Rates, v.Inspectors, v.Team, list)
	same := len(drawn) == len(v.Inspected)
	for i := range drawn {
		same = same && drawn[i].Subject == v.Inspected[i].Subject && drawn[i].Class == v.Inspected[i].Class && slices.Equal(drawn[i].Team, v.Inspected[i].Team)
	}
	if !same {
		return exitWith(1, fmt.Errorf("the lots name %d firms, and not those that the node names", len(drawn)))
	}
	return nil
}

// decodeID reads digits that the node wrote; what is none gives nothing, and then no digest agrees.
func decodeID(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}

func showDraw(w io.Writer, raw json.RawMessage) error {
	var v drawView
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	t := newTable()
	t.row("抽查计划 plan", v.PlanNo+" "+v.ID)
	t.row("状态 state", both(v.State))
	t.row("名单摘要 list digest", v.ListDigest)
	t.row("种子 seed", fmt.Sprintf("%s (区块 block %d)", v.Seed, v.DrawnAt))
	t.write(w)
	if len(v.Inspected) > 0 {
		t = newTable("主体 subject", "等级 class", "检查人员 inspectors", "结果 result", "记录 record")
		for _, d := range v.Inspected {
			t.row(d.Subject, fmt.Sprint(d.Class), fmt.Sprint(d.Team), dash(d.Result), d.Record)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	fmt.Fprintln(w)
	v.write(w)
	return nil
}
