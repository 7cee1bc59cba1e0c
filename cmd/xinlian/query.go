package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/code"
)

const queryPatience = 5 * time.Second

func queryCmd() *cobra.Command {
	cmd := group("query", "Ask a node",
		group("subject", "Firms (信用主体)", querySubjectListCmd(), querySubjectShowCmd()),
		group("list", "Lists of serious dishonesty (严重失信主体名单)", queryListStandardsCmd()),
		group("incentive", "Incentives (守信激励)", queryIncentiveListsCmd(), queryIncentivesCmd()),
		group("inspection", "Random inspections (双随机、一公开)", queryPlanCmd(), queryDrawCmd()),
		group("measure", "Sanction measures (失信惩戒措施)", queryMeasureItemsCmd()),
		queryRecordCmd(), queryTxCmd(), queryFileCmd(), queryCommitmentCmd(), queryCheckCmd(), queryDutiesCmd(), queryParamsCmd(),
		queryCourtPlanCmd(), queryCasesCmd(), queryCopiesCmd(), queryReconciliationCmd(), queryAttentionCmd(), queryNoPenaltiesCmd(), queryObjectionsCmd(),
		queryAskCmd(), queryReceiptsCmd())
	cmd.Long = `Ask a node. Without --key the answer is the public's; with it, the member's. An answer of a node is its word: what must hold up is a bundle, which
xinlian-verify checks offline.

Exit codes: 0 answered, 1 there is no such thing for this reader, 2 the call was wrong, 3 the node was not reached.`
	return cmd
}

// ask makes a verb that reads one route and shows it.
func ask(use, short string, args cobra.PositionalArgs, read func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error), show func(io.Writer, json.RawMessage) error) *cobra.Command {
	s := &session{}
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	s.addNode(cmd, queryPatience)
	s.addKey(cmd, false)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := s.open(cmd.Context())
		if err != nil {
			return err
		}
		defer c.Close()
		raw, err := read(cmd, c, args)
		if err != nil {
			return verdictOf(err)
		}
		if *asJSON {
			return indent(cmd, raw)
		}
		return show(cmd.OutOrStdout(), raw)
	}
	return cmd
}

// asOfLine says of which moment an answer speaks.
type asOfLine struct {
	AsOf *struct {
		Height    int64  `json:"height"`
		LegalTime string `json:"legal_time"`
		BlockTime string `json:"block_time"`
		Fresh     string `json:"fresh_until"`
		Proven    bool   `json:"proven"`
	} `json:"as_of"`
}

func (a *asOfLine) write(w io.Writer) {
	if a.AsOf == nil {
		return
	}
	proven := ""
	if !a.AsOf.Proven {
		proven = ", not yet proven by the next block"
	}
	fmt.Fprintf(w, "as of height %d, legal time 法定时间 %s, block time %s%s; fresh until %s\n", a.AsOf.Height, a.AsOf.LegalTime, a.AsOf.BlockTime, proven, a.AsOf.Fresh)
}

func querySubjectListCmd() *cobra.Command {
	var (
		after string
		limit int
	)
	cmd := ask("list", "List enrolled codes; being enrolled says nothing", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) (json.RawMessage, error) {
			if limit < 1 {
				return nil, usagef("--limit is %d: it lies between 1 and 1000", limit)
			}
			return c.Subjects(cmd.Context(), after, limit)
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Subjects []string `json:"subjects"`
				Next     *string  `json:"next"`
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			for _, s := range v.Subjects {
				fmt.Fprintln(w, s)
			}
			if v.Next != nil {
				fmt.Fprintf(w, "more: --after %s\n", *v.Next)
			}
			return nil
		})
	cmd.Flags().StringVar(&after, "after", "", "code after which the list begins")
	cmd.Flags().IntVar(&limit, "limit", 100, "codes a page, 1 to 1000")
	return cmd
}

func querySubjectShowCmd() *cobra.Command {
	return ask("show USCC", "Show a firm's standing (信用状况)", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			return c.Subject(cmd.Context(), args[0])
		},
		showStanding)
}

// words of the JSON views, as people here read them.
var stateWords = map[string]string{
	"active": "存续", "deregistered": "注销", "revoked": "吊销",
	"pending": "待受理", "supervised": "监管中", "due": "待评估到期", "fulfilled": "已履行", "breached": "未履行", "cured": "已履行(补正)",
	"rejected": "已拒绝", "withdrawn": "已撤回",
	"registered": "登记", "published": "公示中", "unpublished": "不公示", "repaired": "已修复", "expired": "已届满",
	"minor": "轻微", "general": "一般", "serious": "严重",
	"announced": "待实施", "applied": "实施中", "lifted": "已解除", "corrected": "已更正", "shielded": "屏蔽中", "archived": "已归档", "destroyed": "密钥销毁",
	"rights": "减损权益", "management": "管理", "market": "市场",
	"running": "执行中", "completed": "执行完毕", "failed": "终止执行", "open": "立案", "penalty": "行政处罚", "no_penalty": "不予处罚", "closed": "已撤案", "left": "已退出公示",
	"list": "严重失信主体名单", "abnormal": "经营异常名录", "other": "其他失信信息", "record": "记录", "breach": "违诺", "repair": "修复", "incentive": "激励",
	"own": "平台核查中", "provider": "提供方核查中", "review": "复核中", "resolved": "已处理", "upheld": "维持", "undetermined": "无法核实",
	"withdrawal": "撤销", "correction": "更正", "shield": "屏蔽", "not_shown": "信用中国未公示", "shown_not_published": "信用中国公示而账本未公示",
	"supplement": "待补正", "accepted": "已受理", "effective": "已生效", "refused": "不予修复", "not_accepted": "不予受理",
}

func both(s string) string {
	zh := stateWords[s]
	if token, late := strings.CutSuffix(s, "_overdue"); late { // the alarm of a duty
		for _, k := range x.DutyKinds() {
			if info := k.Info(); info.Token == token {
				zh = info.Label + "逾期"
			}
		}
	}
	if zh != "" {
		return zh + " " + s
	}
	return s
}

func dash(s *string) string {
	if s == nil || *s == "" {
		return "-"
	}
	return *s
}

func yes(b bool) string {
	if b {
		return "是 yes"
	}
	return "否 no"
}

func kindsOf(kinds []uint32) string {
	var out []string
	for _, k := range kinds {
		out = append(out, code.PenaltyKindName(k))
	}
	return strings.Join(out, "、")
}

func showStanding(w io.Writer, raw json.RawMessage) error {
	var v struct {
		attest.StandingJSON
		asOfLine
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	t := newTable()
	t.row("统一社会信用代码 subject", v.Subject)
	t.row("登记地 region", v.Region)
	t.row("主体类别 category", code.SubjectCategoryName(v.Category))
	t.row("登记状态 status", both(v.Status))
	t.row("可适用告知承诺 may promise", yes(v.MayPromise))
	t.row("信用承诺 commitments", fmt.Sprintf("%d (未履行 breached %d)", v.Counts.Commitments, v.Counts.Breached))
	t.row("行政处罚 penalties", fmt.Sprintf("%d (轻微 %d, 一般 %d, 严重 %d)", v.Counts.Penalties, v.Counts.Minor, v.Counts.General, v.Counts.Serious))
	t.row("严重失信名单 lists, 异常名录 abnormal, 其他失信信息 others", fmt.Sprintf("%d, %d, %d", v.Counts.Lists, v.Counts.Abnormal, v.Counts.Others))
	t.write(w)
	if len(v.Commitments) > 0 {
		t = newTable("", "承诺编码 code", "类型 type", "状态 state", "作出 made", "有效期 until", "受理单位 acceptor")
		for _, c := range v.Commitments {
			t.row("", c.Code, code.CommitmentTypeName(c.Type), both(c.State), dash(c.MadeOn), dash(c.ValidUntil), c.Acceptor)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	if len(v.Penalties) > 0 {
		t = newTable("", "文号 number", "程度 class", "类别 kinds", "决定 decided", "最短 min", "最长 max", "异议 objection", "机关 issuer", "记录 record")
		for _, p := range v.Penalties {
			t.row("", p.DocNo, both(p.Class), kindsOf(p.Kinds), dash(p.DecidedOn), dash(p.MinUntil), dash(p.MaxUntil), yes(p.Objection), p.Issuer, p.Record)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	if len(v.Lists) > 0 {
		t = newTable("", "名单 list", "文号 number", "决定 decided", "最短 min", "最长 max", "异议 objection", "机关 issuer", "记录 record")
		for _, e := range v.Lists {
			t.row("", e.List, e.DocNo, dash(e.DecidedOn), dash(e.MinUntil), dash(e.MaxUntil), yes(e.Objection), e.Issuer, e.Record)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	if len(v.Abnormal) > 0 {
		t = newTable("", "异常名录事由 abnormal", "列入 listed", "异议 objection", "机关 issuer", "记录 record")
		for _, e := range v.Abnormal {
			t.row("", e.Reason, dash(e.ListedOn), yes(e.Objection), e.Issuer, e.Record)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	if len(v.Others) > 0 {
		t = newTable("", "其他失信信息 other", "文号 number", "程度 class", "决定 decided", "最长 max", "异议 objection", "机关 issuer", "记录 record")
		for _, o := range v.Others {
			t.row("", o.Source, o.DocNo, both(o.Class), dash(o.DecidedOn), dash(o.MaxUntil), yes(o.Objection), o.Issuer, o.Record)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	if len(v.Incentives) > 0 {
		t = newTable("", "守信激励名单 incentive list", "状态 state", "公示至 notice", "有效期 until", "异议 objection", "机关 issuer", "记录 record")
		for _, i := range v.Incentives {
			t.row("", i.List, both(i.State), dash(i.NoticeUntil), dash(i.ValidUntil), yes(i.Objection), i.Issuer, i.Record)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	fmt.Fprintln(w)
	v.write(w)
	return nil
}

func queryRecordCmd() *cobra.Command {
	return ask("record ID", "Show a record as this reader may see it; ID is a record id or the code of a commitment", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			id := strings.ToLower(strings.TrimPrefix(args[0], "0x"))
			return c.Record(cmd.Context(), id)
		},
		showFields)
}

func queryTxCmd() *cobra.Command {
	return ask("tx ID", "Show the outcome of a transaction to its signer", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			return c.Tx(cmd.Context(), strings.ToLower(strings.TrimPrefix(args[0], "0x")))
		},
		showFields)
}

func queryCommitmentCmd() *cobra.Command {
	return ask("commitment CODE", "Look a public commitment up (承诺公示查询)", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			return c.Commitment(cmd.Context(), args[0])
		},
		showFields)
}

// showFields shows an answer of any form: a line for each field, in the gateway's order, records in it with their names before them.
func showFields(w io.Writer, raw json.RawMessage) error {
	t := newTable()
	var walk func(prefix string, raw json.RawMessage) error
	walk = func(prefix string, raw json.RawMessage) error {
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		if t, err := dec.Token(); err != nil || t != json.Delim('{') {
			return fmt.Errorf("the node's answer is no JSON object")
		}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			var value json.RawMessage
			if err := dec.Decode(&value); err != nil {
				return err
			}
			key := fmt.Sprint(name)
			var s string
			switch {
			case key == "as_of", string(value) == "null", string(value) == `""`:
			case value[0] == '{':
				if err := walk(prefix+key+".", value); err != nil {
					return err
				}
			case json.Unmarshal(value, &s) == nil:
				if key == "state" || key == "class" || key == "status" {
					s = both(s)
				}
				t.row(prefix+key, s)
			default:
				t.row(prefix+key, string(value))
			}
		}
		return nil
	}
	if err := walk("", raw); err != nil {
		return err
	}
	t.write(w)
	var as asOfLine
	if err := json.Unmarshal(raw, &as); err == nil {
		as.write(w)
	}
	return nil
}

func queryDutiesCmd() *cobra.Command {
	var (
		agency, after string
		limit         int
	)
	cmd := ask("duties", "List what an agency must do by when (待办), with the progress of each case", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) (json.RawMessage, error) {
			if limit < 1 || limit > 1000 {
				return nil, usagef("--limit is %d: it lies between 1 and 1000", limit)
			}
			return c.Duties(cmd.Context(), agency, after, limit)
		},
		showDuties)
	cmd.Flags().StringVar(&agency, "agency", "", "code of another agency: one that gave a mandate, or for auditors any (default: the key's own)")
	cmd.Flags().StringVar(&after, "after", "", "next of the page before")
	cmd.Flags().IntVar(&limit, "limit", 100, "duties a page, 1 to 1000")
	return cmd
}

func showDuties(w io.Writer, raw json.RawMessage) error {
	var v struct {
		Duties []*client.Duty `json:"duties"`
		Next   *string        `json:"next"`
		Until  *string        `json:"calendar_until"`
		asOfLine
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	beyond := false
	if len(v.Duties) > 0 {
		t := newTable("期限 due", "剩余工作日 working days left", "事项 duty", "告警 alarm", "进度 state", "文号 number", "主体 subject", "记录 record")
		for _, d := range v.Duties {
			left, state, number := "-", "-", "-"
			if d.WorkingDays != nil {
				left = strconv.Itoa(*d.WorkingDays)
			}
			if d.Case != nil {
				state, number = both(d.Case.State), d.Case.DocNo
			}
			t.row(dash(d.Due), left, d.Label+" "+d.Kind, yes(d.Alarmed), state, number, d.Subject, d.Record)
			beyond = beyond || d.Due != nil && (v.Until == nil || *d.Due > *v.Until)
		}
		t.write(w)
	}
	if beyond {
		known := "this year has no calendar of working days 工作日历"
		if v.Until != nil {
			known = "the calendar of working days 工作日历 is known until " + *v.Until
		}
		fmt.Fprintf(w, "%s; what is due beyond it was counted Monday to Friday, without holidays\n", known)
	}
	if v.Next != nil {
		fmt.Fprintf(w, "more: --after %s\n", *v.Next)
	}
	v.write(w)
	return nil
}

func queryParamsCmd() *cobra.Command {
	return ask("params", "List the parameters in force (参数), with default, bounds and source", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) (json.RawMessage, error) {
			return c.Params(cmd.Context())
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Params []client.Param `json:"params"`
				asOfLine
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			n := func(i int64) string { return strconv.FormatInt(i, 10) }
			t := newTable("参数 name", "含义 label", "值 value", "默认 default", "范围 bounds", "单位 unit", "来源 source")
			for _, p := range v.Params {
				bounds := n(p.Min) + "–" + n(p.Max)
				if p.Min == p.Max {
					bounds = "固定 fixed"
				}
				t.row(p.Name, p.Label, n(p.Value), n(p.Default), bounds, p.Unit, p.Source)
			}
			t.write(w)
			v.write(w)
			return nil
		})
}
