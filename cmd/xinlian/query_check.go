package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

func queryCheckCmd() *cobra.Command {
	return ask("check USCC", "Check a firm before acting on it (信用核查): its standing, and the measures that this agency carries out or is called on to", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			return c.Check(cmd.Context(), args[0])
		},
		showCheck)
}

func showCheck(w io.Writer, raw json.RawMessage) error {
	var v struct {
		Standing attest.StandingJSON `json:"standing"`
		Measures []struct {
			Measure string  `json:"measure"`
			Item    string  `json:"item"`
			Matter  *string `json:"matter"`
			Basis   *string `json:"basis"`
			State   string  `json:"state"`
			Called  bool    `json:"called"`
			Until   *string `json:"until"`
			Source  string  `json:"source"`
			Refusal *struct {
				Code     string  `json:"code"`
				Detail   string  `json:"detail"`
				PassesOn *string `json:"passes_on"`
			} `json:"refusal"`
		} `json:"measures"`
		asOfLine
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	s := v.Standing
	t := newTable()
	t.row("统一社会信用代码 subject", s.Subject)
	t.row("可适用告知承诺 may promise", yes(s.MayPromise))
	t.row("公示中 in publicity", fmt.Sprintf("处罚 penalties %d, 名单 lists %d, 异常 abnormal %d, 其他 others %d",
		s.Counts.Penalties, s.Counts.Lists, s.Counts.Abnormal, len(s.Others)))
	t.write(w)
	if len(v.Measures) > 0 {
		t = newTable("措施 item", "事项 matter", "状态 state", "推送 called", "截止 until", "依据 basis", "记录 record", "今日可实施 today")
		for _, m := range v.Measures {
			may := "是 yes"
			switch {
			case m.State == "applied":
				may = "-"
			case m.Refusal != nil:
				may = m.Refusal.Code + ": " + m.Refusal.Detail
			}
			t.row(m.Item, dash(m.Matter), both(m.State), yes(m.Called), dash(m.Until), dash(m.Basis), m.Source, may)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	fmt.Fprintln(w)
	v.write(w)
	return nil
}

func queryMeasureItemsCmd() *cobra.Command {
	return ask("items", "Show the list of measures (失信惩戒措施清单)", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) (json.RawMessage, error) {
			return c.MeasureItems(cmd.Context())
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Items []struct {
					Code    string   `json:"code"`
					Version uint32   `json:"version"`
					InForce bool     `json:"in_force"`
					Group   string   `json:"group"`
					Matter  string   `json:"matter"`
					Body    string   `json:"body"`
					Basis   string   `json:"basis"`
					Marks   []string `json:"marks"`
				} `json:"items"`
				asOfLine
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			t := newTable("编码 code", "版本 version", "现行 in force", "类别 group", "事项 matter", "主体 body", "依据 basis", "标记 marks")
			for _, i := range v.Items {
				t.row(i.Code, fmt.Sprint(i.Version), yes(i.InForce), both(i.Group), i.Matter, i.Body, i.Basis, strings.Join(i.Marks, " "))
			}
			t.write(w)
			v.write(w)
			return nil
		})
}

func queryListStandardsCmd() *cobra.Command {
	return ask("standards", "Show the standards of lists of serious dishonesty (严重失信主体名单认定标准)", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) (json.RawMessage, error) {
			return c.ListStandards(cmd.Context())
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Lists []struct {
					Code    string   `json:"code"`
					Version uint32   `json:"version"`
					InForce bool     `json:"in_force"`
					Name    string   `json:"name"`
					Basis   string   `json:"basis"`
					Term    uint32   `json:"term_months"`
					Early   uint32   `json:"early_months"`
					Consent bool     `json:"consent"`
					Marks   []string `json:"marks"`
				} `json:"lists"`
				asOfLine
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			t := newTable("编码 code", "版本 version", "现行 in force", "名单 name", "期限(月) term", "提前移出(月) early", "上级同意 consent", "依据 basis", "标记 marks")
			for _, l := range v.Lists {
				t.row(l.Code, fmt.Sprint(l.Version), yes(l.InForce), l.Name, fmt.Sprint(l.Term), fmt.Sprint(l.Early), yes(l.Consent), l.Basis, strings.Join(l.Marks, " "))
			}
			t.write(w)
			v.write(w)
			return nil
		})
}

func queryIncentiveListsCmd() *cobra.Command {
	return ask("lists", "Show the incentive lists (守信激励名单)", cobra.NoArgs,
		func(cmd *cobra.Command, c *client.Client, _ []string) (json.RawMessage, error) {
			return c.IncentiveLists(cmd.Context())
		},
		func(w io.Writer, raw json.RawMessage) error {
			var v struct {
				Lists []struct {
					Code     string   `json:"code"`
					Version  uint32   `json:"version"`
					InForce  bool     `json:"in_force"`
					Name     string   `json:"name"`
					Basis    string   `json:"basis"`
					Measures []string `json:"measures"`
					Term     uint32   `json:"term_months"`
					Marks    []string `json:"marks"`
				} `json:"lists"`
				asOfLine
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				return err
			}
			t := newTable("编码 code", "版本 version", "现行 in force", "名单 name", "期限(月) term", "激励措施 measures", "依据 basis", "标记 marks")
			for _, l := range v.Lists {
				t.row(l.Code, fmt.Sprint(l.Version), yes(l.InForce), l.Name, fmt.Sprint(l.Term), strings.Join(l.Measures, " "), l.Basis, strings.Join(l.Marks, " "))
			}
			t.write(w)
			v.write(w)
			return nil
		})
}

// queryFileCmd shows all that this reader may see of a firm.
func queryFileCmd() *cobra.Command {
	return ask("file USCC", "Show a firm's file (信用档案) as this agency may see it: records, commitments, repairs, measures, alarms", cobra.ExactArgs(1),
		func(cmd *cobra.Command, c *client.Client, args []string) (json.RawMessage, error) {
			return c.File(cmd.Context(), args[0])
		},
		showFile)
}

// showFile has a line for each record of each list of the file.
func showFile(w io.Writer, raw json.RawMessage) error {
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(raw, &lists); err != nil {
		return err
	}
	t := newTable("类别 list", "记录 record", "可见 view", "状态 state", "单位 issuer")
	for _, name := range fileLists {
		var records []json.RawMessage
		if json.Unmarshal(lists[name], &records) != nil {
			continue
		}
		for _, r := range records {
			var v struct {
				ID   string `json:"id"`
				View string `json:"view"`
			}
			if err := json.Unmarshal(r, &v); err != nil {
				return err
			}
			issuer, state := partsOf(r)
			t.row(name, v.ID, v.View, both(state), issuer)
		}
	}
	t.write(w)
	for _, more := range fileMore {
		if err := writeCells(w, lists[more.list], more.cells...); err != nil {
			return err
		}
	}
	return writeAsOf(w, raw)
}

// fileLists are the lists of records in a file, in the order in which they are shown.
var fileLists = []string{
	"penalties", "lists", "abnormal", "others", "commitments", "repairs", "measures", "objections", "incentives", "listings", "inspections", "court_plans", "no_penalties",
}

// fileMore are the lists of what is no record.
var fileMore = []struct {
	list  string
	cells []cell
}{
	{"cases", caseCells},
	{"copies", copyCells},
	{"alarms", []cell{{"告警 alarm", "kind"}, {"期限 due", "due"}, {"发生 happened", "happened"}, {"单位 issuer", "issuer"}, {"记录 record", "record"}}},
	{"bars", []cell{{"告知承诺限制 bar", "cause"}, {"起始 since", "since"}, {"解除 lifted", "lifted_on"}, {"依据 record", "cause_id"}}},
}
