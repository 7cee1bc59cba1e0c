package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// commitmentColumns are the collection template's, with its Chinese titles.
var commitmentColumns = [][2]string{
	{"commitment_code", "承诺编码"},
	{"subject_name", "承诺人名称"},
	{"subject_category", "承诺人类别"},
	{"subject_id", "承诺人代码"},
	{"commitment_type", "承诺类型"},
	{"commitment_type_other", "其他承诺类型"},
	{"reason", "承诺事由"},
	{"content", "承诺内容"},
	{"breach_liability", "违诺责任"},
	{"made_on", "承诺作出日期"},
	{"valid_until", "承诺有效期"},
	{"fulfilment_status", "承诺履行状态"},
	{"unperformed_content", "未履行的承诺内容"},
	{"breach_action", "违诺责任追究内容"},
	{"assessed_on", "承诺履行状态认定日期"},
	{"assessor_name", "承诺履行状态认定单位"},
	{"assessor_uscc", "承诺履行状态认定单位代码"},
	{"acceptor_name", "承诺受理单位"},
	{"acceptor_uscc", "承诺受理单位代码"},
	{"publication_type", "公开类型"},
	{"remarks", "备注"},
}

var fulfillmentColumns = [][2]string{
	{"commitment_code", "承诺编码"},
	{"fulfilment_status", "承诺履行状态"},
	{"unperformed_content", "未履行的承诺内容"},
	{"breach_action", "违诺责任追究内容"},
	{"assessed_on", "承诺履行状态认定日期"},
	{"assessor_name", "承诺履行状态认定单位"},
	{"assessor_uscc", "承诺履行状态认定单位代码"},
	{"evidence_digest", "证据摘要"},
	{"notice_served_on", "告知日期"},
	{"statement", "陈述申辩"},
}

// promise makes a good row of a type for a firm.
func (w *world) promise(f *firm, kind uint32) row {
	d := &w.dice
	region := f.region
	a := w.marketOf(region)
	switch {
	case region == "410105" && d.n(2) == 0:
		a = w.agency("js-rsj")
	case d.n(12) == 0:
		a = w.agency("hn-rst")
	}
	made := firstDecision.AddDays(d.n(int(lastDecision-firstDecision) + 1))
	day := strings.ReplaceAll(made.String(), "-", "")
	w.serial[region+day]++
	c := map[string]string{
		"commitment_code": fmt.Sprintf("%s%s%06d", region, day, w.serial[region+day]), "subject_name": f.name,
		"subject_category": code.SubjectCategoryName(uint32(f.category)), "subject_id": f.uscc, "commitment_type": code.CommitmentTypeName(kind),
		"reason": reasons[kind], "content": "本单位承诺：所提供的示例材料真实、合法、有效，并按期履行示例义务。", "breach_liability": "愿意承担违反示例承诺的责任。",
		"made_on": made.String(), "valid_until": made.AddMonths(d.between(6, 24)).String(),
		"acceptor_name": a.Name, "acceptor_uscc": a.USCC,
		"publication_type": code.PublicationTypeName(pick(d, []uint32{1, 1, 1, 1, 1, 1, 1, 2, 3})),
	}
	if kind == code.CommitmentOther {
		c["commitment_type_other"] = "示例自愿承诺"
	}
	if kind == code.CommitmentRepair {
		c["publication_type"] = code.PublicationTypeName(code.PublicToAll)
	}
	if d.n(10) == 0 {
		c["valid_until"] = ""
	}
	return row{cells: c}
}

var reasons = map[uint32]string{
	0: "示例其他事项", 1: "申请办理示例许可证", 2: "容缺受理示例登记", 3: "以承诺替代示例证明", 4: "申请示例信用修复", 5: "遵守示例行业公约", 6: "主动公示示例承诺",
}

// assess fills fields 11 to 16.
func (w *world) assess(r row, status uint32) row {
	made := mustDate(r.cells["made_on"])
	assessed := min(made.AddDays(w.dice.between(20, 60)), lastDay)
	c := map[string]string{
		"fulfilment_status": code.FulfilmentStatusName(status), "assessed_on": assessed.String(),
		"assessor_name": r.cells["acceptor_name"], "assessor_uscc": r.cells["acceptor_uscc"],
	}
	if status != code.FulfilledFully {
		c["unperformed_content"] = "未按承诺期限履行示例义务。"
		c["breach_action"] = "责令改正，按示例规定追究违诺责任。"
	}
	return r.with(c)
}

// commitmentRows makes the rows of commitments.csv and, by the firm that breaks it, those that fulfillments.csv assesses.
func (w *world) commitmentRows() (rows []row, open []row) {
	d := &w.dice
	owners := w.withRecords()
	broken := map[*firm]bool{}
	// kindFor keeps every row right whatever was imported before it: a firm with a serious penalty or a breach promises nothing that
	// stands in place of proof, except the one promise that it breaks.
	kindFor := func(f *firm) uint32 {
		for {
			k := uint32(d.n(7))
			if k != 1 && k != 3 || !f.serious && !f.breach {
				return k
			}
		}
	}
	good := func() row {
		f := pick(d, owners)
		if f.breach && !broken[f] && d.n(3) == 0 {
			broken[f] = true
			r := w.promise(f, pick(d, []uint32{1, 3}))
			if d.n(2) == 0 {
				return w.assess(r, pick(d, []uint32{2, 3}))
			}
			r.cells["publication_type"] = code.PublicationTypeName(code.PublicToAll)
			open = append(open, w.assess(r, pick(d, []uint32{2, 3})))
			return r
		}
		r := w.promise(f, kindFor(f))
		switch d.n(20) {
		case 0, 1:
			return w.assess(r, code.FulfilledFully)
		case 2:
			open = append(open, w.assess(r, code.FulfilledFully))
		}
		return r
	}
	plain := func() row {
		for {
			f := pick(d, owners)
			if !f.serious && !f.breach {
				return w.promise(f, uint32(6))
			}
		}
	}
	var groups [][]row
	odd := func(what, outcome, code string, changes map[string]string) {
		r := plain().with(changes)
		r.what, r.outcome, r.code = what, outcome, code
		groups = append(groups, []row{r})
	}
	set := func(column, value string) map[string]string { return map[string]string{column: value} }
	const rec, ref = "recorded", "refused"
	odd("wrong check character", ref, "E_USCC_CHECK", set("subject_id", "91410100Y00000016B"))
	odd("commitment code turned into a number by a spreadsheet", ref, "E_COMMITMENT_CODE", set("commitment_code", "4.10105E+19"))
	odd("commitment code of another day", ref, "E_COMMITMENT_CODE", set("commitment_code", "41010520260331900001"))
	odd("valid until before it was made", ref, "E_WINDOW", set("valid_until", "2026-03-31"))
	odd("natural person", ref, "E_NATURAL_PERSON", map[string]string{"subject_category": "自然人", "subject_name": "示例某人", "subject_id": personNumber})
	odd("unknown firm", ref, "E_SUBJECT_UNKNOWN", set("subject_id", mustUSCC("91", "410105", 991)))
	odd("breach without its texts", ref, "E_FULFILMENT_TEXT", map[string]string{"fulfilment_status": "部分履行", "assessed_on": "2026-07-14"})
	ly := w.agency("ly-scjg")
	r := w.promise(owners[2], 6)
	for w.regions[r.cells["commitment_code"][:6]].Parent == "410300" {
		r = w.promise(pick(d, owners), 6)
	}
	r = r.with(map[string]string{"acceptor_uscc": ly.USCC, "acceptor_name": ly.Name})
	r.what, r.outcome, r.code = "acceptor does not act in the region of the code", ref, "E_ACCEPTOR_REGION"
	groups = append(groups, []row{r})
	wideRow := plain()
	odd("full-width codes and a date with slashes", rec, "", map[string]string{
		"commitment_code": wide(wideRow.cells["commitment_code"]), "subject_id": wide(wideRow.cells["subject_id"]), "subject_name": wideRow.cells["subject_name"],
		"subject_category": wideRow.cells["subject_category"], "acceptor_uscc": wideRow.cells["acceptor_uscc"], "acceptor_name": wideRow.cells["acceptor_name"],
		"made_on": strings.ReplaceAll(wideRow.cells["made_on"], "-", "/"), "valid_until": "",
	})
	odd("quoted line break and characters outside the basic plane", rec, "", set("content", "本单位承诺：\n一、在𠮷祥路诚信经营；\n二、接受监督。"))
	first := plain()
	again := first
	again.what, again.outcome = "the same row twice", "already recorded"
	groups = append(groups, []row{first, again})
	first = plain()
	other := first.with(set("content", "本单位作出另一示例承诺。"))
	other.what, other.outcome, other.code = "the same code with other content", ref, "E_RECORDED_DIFFERENTLY"
	groups = append(groups, []row{first, other})

	rows = w.spread(groups, commitments, good)
	return rows, open
}

// fulfillmentRows makes the rows of fulfillments.csv from commitments that wait for their assessment.
func (w *world) fulfillmentRows(open []row) []row {
	var rows []row
	breach, full := -1, -1
	for i, r := range open {
		digest := sha256.Sum256([]byte("synthetic evidence " + r.cells["commitment_code"]))
		r = r.with(map[string]string{"evidence_digest": hex.EncodeToString(digest[:])})
		if r.cells["breach_action"] != "" {
			assessed := mustDate(r.cells["assessed_on"])
			r.cells["notice_served_on"], r.cells["statement"] = max(assessed.AddDays(-7), mustDate(r.cells["made_on"])).String(), pick(&w.dice, []string{"heard", "waived"})
			breach = i
		} else {
			full = i
		}
		rows = append(rows, r)
	}
	odd := func(what, outcome, code string, from row, changes map[string]string) {
		r := from.with(changes)
		r.what, r.outcome, r.code = what, outcome, code
		rows = append(rows, r)
	}
	set := func(column, value string) map[string]string { return map[string]string{column: value} }
	const ref = "refused"
	odd("the same row twice", "already recorded", "", rows[full], nil)
	odd("another result for the same commitment", ref, "E_RECORDED_DIFFERENTLY", rows[full], set("evidence_digest", strings.Repeat("0f", 32)))
	odd("commitment that nobody knows", ref, "E_COMMITMENT_UNKNOWN", rows[full], set("commitment_code", "41010520260601999999"))
	odd("breach without its texts", ref, "E_FULFILMENT_TEXT", rows[breach], set("unperformed_content", ""))
	odd("texts although performed in full", ref, "E_FULFILMENT_TEXT", rows[full], set("unperformed_content", "示例"))
	odd("no evidence", ref, "E_DIGEST", rows[full], set("evidence_digest", ""))
	odd("notice after the assessment", ref, "E_NOTICE", rows[breach], set("notice_served_on", lastDay.AddDays(1).String()))
	odd("serial number for a date", ref, "E_DATE", rows[full], set("assessed_on", "46203"))
	js, other := w.agency("js-rsj").USCC, w.agency("zz-scjg").USCC
	if rows[full].cells["assessor_uscc"] == js {
		js = other
	}
	odd("assessor is not the acceptor", ref, "E_NOT_ISSUER", rows[full], set("assessor_uscc", js))
	return rows
}

func (w *world) subjectRows() []row {
	var rows []row
	for _, f := range w.firms {
		rows = append(rows, row{cells: map[string]string{"uscc": f.uscc, "name": f.name, "region": f.region, "category": strconv.Itoa(f.category)}})
	}
	return rows
}

var subjectColumns = [][2]string{{"uscc", "统一社会信用代码"}, {"name", "主体名称"}, {"region", "登记地行政区划"}, {"category", "主体类别"}}

// serial is the number that a spreadsheet stores for a day.
func serial(d calendar.Date) float64 { return float64(int(d) + 25569) }
