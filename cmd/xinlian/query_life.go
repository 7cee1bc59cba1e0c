package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
)

// What stands beside the records of a firm. All of it comes from the firm's file, so that a reader finds what its audience may see and nothing else.

// cell is a column of a table: its title, and where in the JSON of a line it stands.
type cell struct{ title, at string }

// partCmd makes a verb that shows some lists of a firm's file.
func partCmd(use, short string, parts []string, show func(io.Writer, json.RawMessage) error) *cobra.Command {
	return ask(use+" USCC", short, cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			raw, err := c.File(cmd.Context(), args[0])
			if err != nil {
				return nil, err
			}
			return partOf(raw, parts...)
		},
		show)
}

// partOf keeps some fields of a file, and what says of whom and of when it speaks.
func partOf(file json.RawMessage, parts ...string) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(file, &fields); err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, name := range append([]string{"subject", "truncated", "as_of"}, parts...) {
		if raw, ok := fields[name]; ok {
			out[name] = raw
		}
	}
	return json.Marshal(out)
}

// listCmd makes a verb that shows one list of a firm's file, a line for each of its things.
func listCmd(use, short, list string, cells ...cell) *cobra.Command {
	return partCmd(use, short, []string{list}, func(w io.Writer, raw json.RawMessage) error {
		var lists map[string]json.RawMessage
		if err := json.Unmarshal(raw, &lists); err != nil {
			return err
		}
		if err := writeCells(w, lists[list], cells...); err != nil {
			return err
		}
		return writeAsOf(w, raw)
	})
}

// writeCells writes a table of a JSON list; nothing where it is empty.
func writeCells(w io.Writer, list json.RawMessage, cells ...cell) error {
	var lines []map[string]any
	if len(list) > 0 {
		if err := json.Unmarshal(list, &lines); err != nil {
			return err
		}
	}
	if len(lines) == 0 {
		return nil
	}
	var titles []string
	for _, c := range cells {
		titles = append(titles, c.title)
	}
	t := newTable(titles...)
	for _, line := range lines {
		var row []string
		for _, c := range cells {
			row = append(row, textAt(line, c.at))
		}
		t.row(row...)
	}
	t.write(w)
	return nil
}

// textAt is what stands at a path of a JSON object, as people read it.
func textAt(line map[string]any, path string) string {
	var v any = line
	for _, name := range strings.Split(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return "-"
		}
		v = object[name]
	}
	return textOf(v)
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return "-"
		}
		return both(v)
	case bool:
		return yes(v)
	case float64:
		return fmt.Sprint(int64(v))
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, textOf(item))
		}
		if len(parts) > 0 {
			return strings.Join(parts, "、")
		}
	case map[string]any: // who confirmed, and when
		return textAt(v, "holder") + " " + textAt(v, "on")
	}
	return "-"
}

func writeAsOf(w io.Writer, raw json.RawMessage) error {
	var as struct {
		Truncated bool `json:"truncated"`
		asOfLine
	}
	if err := json.Unmarshal(raw, &as); err != nil {
		return err
	}
	if as.Truncated {
		fmt.Fprintln(w, "名单过长，已截断 a list was cut at its limit")
	}
	as.write(w)
	return nil
}

// queryCourtPlanCmd shows a court's plan with its board.
func queryCourtPlanCmd() *cobra.Command {
	return ask("plan ID", "Show a court's plan with its board (重整计划): which recognisers have still to shield their records, or to end the shield", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			raw, err := c.Record(cmd.Context(), strings.ToLower(args[0]))
			if err != nil {
				return nil, err
			}
			var v struct {
				Kind string `json:"kind"`
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return nil, err
			}
			if v.Kind != "court_plan" {
				return nil, exitWith(1, errors.New("the id is that of another kind of record: `xinlian query record` shows it"))
			}
			return raw, nil
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Subject string         `json:"subject"`
				Plan    map[string]any `json:"court_plan"`
			}
			var board struct {
				Plan struct {
					Board json.RawMessage `json:"board"`
				} `json:"court_plan"`
			}
			if err := errors.Join(json.Unmarshal(raw, &v), json.Unmarshal(raw, &board)); err != nil {
				return err
			}
			t := newTable()
			t.row("统一社会信用代码 subject", v.Subject)
			for _, c := range []cell{
				{"案号 case", "case_no"}, {"状态 state", "state"}, {"裁定 ruled", "ruled_on"}, {"提交 filed", "filed_on"}, {"提交单位 agent", "agent"}, {"终结 ended", "ended_on"},
			} {
				t.row(c.title, textAt(v.Plan, c.at))
			}
			t.write(w)
			if err := writeCells(w, board.Plan.Board, cell{"认定单位 recogniser", "recogniser"}, cell{"待屏蔽 to shield", "open"}, cell{"屏蔽中 shielded", "shielded"},
				cell{"期限 due", "due"}, cell{"逾期 overdue", "overdue"}); err != nil {
				return err
			}
			return writeAsOf(w, raw)
		})
}

var caseCells = []cell{
	{"违法行为标识 act", "act_digest"},
	{"状态 state", "state"},
	{"立案 filed", "filed_on"},
	{"期限 due", "decide_by"},
	{"逾期 overdue", "overdue"},
	{"单位 issuer", "issuer"},
	{"决定 decision", "record"},
}

func queryCasesCmd() *cobra.Command {
	return listCmd("cases", "Show which acts of a firm this agency has claimed (立案)", "cases", caseCells...)
}

var copyCells = []cell{
	{"副本 copies of", "record"},
	{"原因 cause", "cause"},
	{"期限 due", "due"},
	{"已同步 synced", "synced"},
	{"逾期 overdue", "overdue"},
	{"待确认 waiting", "waiting"},
	{"已确认 confirmed", "confirmed"},
}

func queryCopiesCmd() *cobra.Command {
	return listCmd("copies", "Show who keeps copies of a firm's records and has not confirmed yet that it let go of them (同步)", "copies", copyCells...)
}

func queryNoPenaltiesCmd() *cobra.Command {
	return listCmd("no-penalties", "Show decisions without a penalty (不予行政处罚)", "no_penalties",
		cell{"文号 number", "no_penalty.doc_no"}, cell{"条款 limb", "no_penalty.limb"}, cell{"决定 decided", "no_penalty.decided_on"}, cell{"撤销 withdrawn", "no_penalty.withdrawn_on"},
		cell{"单位 issuer", "no_penalty.issuer"}, cell{"记录 record", "id"})
}

func queryObjectionsCmd() *cobra.Command {
	return listCmd("objections", "Show objections (异议) with their progress", "objections",
		cell{"编号 number", "objection.objection_no"}, cell{"状态 state", "objection.state"}, cell{"针对 against", "objection.against"}, cell{"收到 received", "objection.received_on"},
		cell{"平台期限 own", "objection.own_by"}, cell{"提供方期限 provider", "objection.provider_by"}, cell{"结果 result", "objection.result"}, cell{"逾期 overdue", "objection.overdue"},
		cell{"提供方 provider", "objection.provider"}, cell{"对象 target", "objection.target"}, cell{"异议 objection", "id"})
}

func queryIncentivesCmd() *cobra.Command {
	return listCmd("firm", "Show a firm's incentives (守信激励) with their progress", "incentives",
		cell{"编号 number", "incentive.proposal_no"}, cell{"名单 list", "incentive.list"}, cell{"状态 state", "incentive.state"}, cell{"公示至 notice", "incentive.notice_until"},
		cell{"认定期限 decide", "incentive.decide_by"}, cell{"有效期至 until", "incentive.valid_until"}, cell{"暂停 suspended", "incentive.suspended"}, cell{"异议 objections", "incentive.objections"},
		cell{"单位 issuer", "incentive.issuer"}, cell{"守信激励 incentive", "id"})
}

func queryAttentionCmd() *cobra.Command {
	return partCmd("attention", "Show whether a firm is watched more closely (积累关注), and why", []string{"attention"}, func(w io.Writer, raw json.RawMessage) error {
		var v struct {
			Attention map[string]any `json:"attention"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		if v.Attention == nil {
			fmt.Fprintln(w, "未列入积累关注 none")
		} else {
			t := newTable()
			for _, c := range []cell{
				{"起始 since", "since"}, {"终止 ended", "ended_on"}, {"阈值 threshold", "threshold"}, {"窗口(月) window", "window_months"}, {"复核日 check", "check_on"}, {"依据 triggers", "triggers"},
			} {
				t.row(c.title, textAt(v.Attention, c.at))
			}
			t.write(w)
		}
		return writeAsOf(w, raw)
	})
}

// kindsOfDifference are the alarms of a reconciliation.
var kindsOfDifference = []string{"not_shown", "shown_not_published"}

// queryReconciliationCmd shows what 信用中国 was last known to show, what is held back for it, and the differences that were found.
func queryReconciliationCmd() *cobra.Command {
	return ask("reconciliation USCC", "Show how the ledger and 信用中国 agree on a firm (公示核对): the last list, what is held back, the differences", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			raw, err := c.File(cmd.Context(), args[0])
			if err != nil {
				return nil, err
			}
			return reconciled(raw)
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Last        map[string]any  `json:"reconciliation"`
				Held        json.RawMessage `json:"held"`
				Differences json.RawMessage `json:"differences"`
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			t := newTable()
			t.row("名单日期 list of", textAt(v.Last, "as_of"))
			t.row("提交 brought", textAt(v.Last, "brought_on"))
			t.row("公示条数 shown", textAt(v.Last, "shown"))
			t.write(w)
			if err := writeCells(w, v.Held, cell{"暂停对外 held", "record"}, cell{"类别 kind", "kind"}, cell{"文号 number", "doc_no"}, cell{"自 since", "held_on"},
				cell{"答复期限 answer by", "answer_by"}, cell{"单位 issuer", "issuer"}); err != nil {
				return err
			}
			if err := writeCells(w, v.Differences, cell{"差异 difference", "kind"}, cell{"发现 found", "happened"}, cell{"单位 issuer", "issuer"}, cell{"记录 record", "record"}); err != nil {
				return err
			}
			return writeAsOf(w, raw)
		})
}

// heldRecord is a record that 信用中国 does not show.
type heldRecord struct {
	Record   string  `json:"record"`
	Kind     string  `json:"kind"`
	Issuer   string  `json:"issuer"`
	DocNo    string  `json:"doc_no"`
	HeldOn   *string `json:"held_on"`
	AnswerBy *string `json:"answer_by"`
}

// reconciled picks out of a file what a reconciliation left in it.
func reconciled(file json.RawMessage) (json.RawMessage, error) {
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(file, &lists); err != nil {
		return nil, err
	}
	held := []heldRecord{}
	for _, name := range []string{"penalties", "lists", "abnormal", "others"} {
		var records []map[string]json.RawMessage
		if err := json.Unmarshal(lists[name], &records); err != nil {
			return nil, err
		}
		for _, r := range records {
			var v struct {
				Held bool `json:"held"`
				heldRecord
			}
			var id, kind string
			if json.Unmarshal(r["id"], &id) != nil || json.Unmarshal(r["kind"], &kind) != nil || r[kind] == nil {
				continue // another form than the whole record: it is not held
			}
			if err := json.Unmarshal(r[kind], &v); err != nil {
				return nil, err
			}
			if v.Held {
				v.Record, v.Kind = id, kind
				held = append(held, v.heldRecord)
			}
		}
	}
	differences := []json.RawMessage{}
	var alarms []json.RawMessage
	if err := json.Unmarshal(lists["alarms"], &alarms); err != nil {
		return nil, err
	}
	for _, a := range alarms {
		var v struct {
			Kind string `json:"kind"`
		}
		if json.Unmarshal(a, &v) == nil && slices.Contains(kindsOfDifference, v.Kind) {
			differences = append(differences, a)
		}
	}
	return json.Marshal(struct {
		Subject     json.RawMessage   `json:"subject"`
		Last        json.RawMessage   `json:"reconciliation,omitempty"`
		Held        []heldRecord      `json:"held"`
		Differences []json.RawMessage `json:"differences"`
		Truncated   json.RawMessage   `json:"truncated"`
		AsOf        json.RawMessage   `json:"as_of"`
	}{lists["subject"], lists["reconciliation"], held, differences, lists["truncated"], lists["as_of"]})
}
