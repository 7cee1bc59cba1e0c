package main

import (
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/code"
)

// decisionColumns are what the files of abnormal operation and other dishonesty have in common, under their Chinese titles where a file has those.
var decisionColumns = [][2]string{
	{"subject_name", "主体名称"},
	{"subject_category", "主体类别"},
	{"subject_uscc", "统一社会信用代码"},
	{"doc_no", "文号"},
	{"decided_on", "决定日期"},
	{"issuer_name", "单位"},
	{"issuer_uscc", "单位代码"},
	{"served_on", "送达日期"},
	{"repair_notice_served", "两书同达"},
	{"violation_region", "事实发生地"},
	{"power_code", "权责清单编码"},
	{"sector", "行业领域"},
}

var (
	abnormalColumns = append(decisionColumns[:len(decisionColumns):len(decisionColumns)], [][2]string{
		{"reason_code", "列入事由编码"}, {"reason", "列入事由"}, {"basis", "列入依据"},
	}...)
	otherColumns = append(decisionColumns[:len(decisionColumns):len(decisionColumns)], [][2]string{
		{"source_code", "失信信息类别编码"}, {"statute_code", "认定依据编码"}, {"fact", "失信事实"}, {"basis", "认定依据"}, {"severity", "失信严重程度"},
	}...)
)

// decision makes what both kinds of row have in common.
func (w *world) decision(f *firm, prefix string) row {
	d := &w.dice
	a := w.marketOf(f.region)
	decided := firstDecision.AddDays(d.n(int(lastDecision-firstDecision) + 1))
	w.docNo[prefix+a.Key]++
	return row{cells: map[string]string{
		"subject_name": f.name, "subject_category": code.SubjectCategoryName(uint32(f.category)), "subject_uscc": f.uscc,
		"doc_no": fmt.Sprintf("%s%s〔2026〕%d号", a.prefix[:len(a.prefix)-len("罚")], prefix, w.docNo[prefix+a.Key]), "decided_on": decided.String(),
		"issuer_name": a.Name, "issuer_uscc": a.USCC, "served_on": min(decided.AddDays(d.n(5)), lastDay).String(), "repair_notice_served": "是",
		"violation_region": f.region, "power_code": "SC-MARKET", "sector": "market",
	}}
}

// Numbers of rows of the two files, beside the odd ones.
const (
	abnormals = 60
	others    = 40
)

func (w *world) abnormalRows() (rows []row) {
	reasons := [][2]string{{"ANNUAL-REPORT", "未按规定公示示例年度报告"}, {"ADDRESS", "通过登记的示例住所无法联系"}, {"FALSE-REPORT", "公示的示例信息不实"}}
	all := w.withRecords()
	for i := range abnormals {
		r := w.decision(all[i*5%len(all)], "异列")
		reason := pick(&w.dice, reasons)
		rows = append(rows, r.with(map[string]string{"reason_code": reason[0], "reason": reason[1], "basis": "《示例公示条例》第十七条"}))
	}
	rows = append(rows,
		row{what: "the same entry again", outcome: "already recorded", cells: rows[3].cells},
		odd(rows[7], "wrong check character", "E_USCC_CHECK", map[string]string{"subject_uscc": "91410100Y00000016B"}),
		odd(rows[8], "no reason code", "E_TOKEN", map[string]string{"reason_code": ""}),
		odd(rows[9], "a natural person", "E_NATURAL_PERSON", map[string]string{"subject_category": "自然人"}),
		odd(rows[10], "the same number and firm with another reason", "E_RECORDED_DIFFERENTLY", map[string]string{"reason_code": "OTHER"}),
		odd(rows[11], "issuer not competent for the place", "E_JURISDICTION", map[string]string{"issuer_uscc": w.agency("hkg-scjg").USCC, "violation_region": "410105"}),
		row{what: "square brackets around the year", outcome: "already recorded", cells: rows[12].with(map[string]string{"doc_no": squared(rows[12].cells["doc_no"])}).cells},
	)
	return rows
}

func (w *world) otherRows() (rows []row) {
	all := w.withRecords()
	for i := range others {
		r := w.decision(all[i*7%len(all)], "认")
		rows = append(rows, r.with(map[string]string{
			"source_code": pick(&w.dice, []string{"BENEFIT-BY-DECEIT", "REFUSED-EXECUTION"}), "statute_code": "HN-CREDIT-20",
			"fact": "经认定，当事人存在示例失信行为", "basis": "《示例信用条例》第二十条", "severity": pick(&w.dice, []string{"", "一般"}),
		}))
	}
	rows = append(rows,
		odd(rows[2], "a date as a serial number", "E_DATE", map[string]string{"decided_on": "46204"}),
		odd(rows[3], "no statute", "E_TOKEN", map[string]string{"statute_code": ""}),
		odd(rows[4], "unknown firm", "E_SUBJECT_UNKNOWN", map[string]string{"subject_uscc": mustUSCC("91", "410100", 9999)}),
		row{what: "the same record again", outcome: "already recorded", cells: rows[5].cells},
	)
	return rows
}

// odd is a good row with a change for which it is refused.
func odd(r row, what, refusal string, changes map[string]string) row {
	r = r.with(changes)
	r.what, r.outcome, r.code = what, "refused", refusal
	return r
}

// squared writes the year of a number in square brackets.
func squared(s string) string {
	out := []rune(s)
	for i, c := range out {
		switch c {
		case '〔':
			out[i] = '['
		case '〕':
			out[i] = ']'
		}
	}
	return string(out)
}
