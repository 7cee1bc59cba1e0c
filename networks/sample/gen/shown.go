package main

import "fmt"

// shownColumns are those of the list of 信用中国.
var shownColumns = [][2]string{
	{"subject_uscc", "统一社会信用代码"}, {"subject_category", "主体类别"}, {"kind", "信息类别"}, {"issuer_uscc", "认定单位代码"}, {"doc_no", "文书号"}, {"as_of", "名单日期"},
}

// Firms of the list, beside the odd rows: with what is shown of them, and with nothing.
const (
	shownFirms = 60
	emptyFirms = 5
)

// shownRows is the list of 信用中国 on the last day of the sample. All rows of a firm in the files of penalties and abnormal entries stand in it but those of
// class 轻微, of which nobody shows any.
func (w *world) shownRows(punished, entered []row) (rows []row) {
	day := lastDay.String()
	one := func(subject, kind, issuer, docNo string) row {
		return row{cells: map[string]string{
			"subject_uscc": subject, "subject_category": "法人及非法人组织", "kind": kind, "issuer_uscc": issuer, "doc_no": docNo, "as_of": day,
		}}
	}
	firms := map[string]bool{}
	var named []string
	add := func(r row, subject, kind, issuer, docNo string) {
		f := r.cells[subject]
		if r.outcome != "" || r.cells["cf_cflb"] == "警告" || r.cells["cf_cflb"] == "通报批评" || r.cells["procedure"] == "简易" {
			return
		}
		if !firms[f] {
			if len(named) == shownFirms {
				return
			}
			firms[f] = true
			named = append(named, f)
		}
		rows = append(rows, one(f, kind, r.cells[issuer], r.cells[docNo]))
	}
	for _, r := range punished {
		add(r, "cf_xdr_shxym", "行政处罚", "cf_cfjgdm", "cf_wsh")
	}
	for _, r := range entered {
		add(r, "subject_uscc", "经营异常名录", "issuer_uscc", "doc_no")
	}
	var others []string // firms with records that the list does not name yet
	for _, f := range w.withRecords() {
		if !firms[f.uscc] {
			others = append(others, f.uscc)
		}
	}
	for _, f := range others[:emptyFirms] {
		rows = append(rows, one(f, "", "", ""))
	}
	others = others[emptyFirms:]

	agency := w.agency("zz-scjg").USCC
	plain := func(i, n int) row {
		return one(others[i], "行政处罚", agency, fmt.Sprintf("示例市监罚〔2026〕9%03d号", n))
	}
	expect := func(r row, what, outcome, refusal string, changes map[string]string) {
		r = r.with(changes)
		r.what, r.outcome, r.code = what, outcome, refusal
		rows = append(rows, r)
	}
	const whole = "E_LIST_INCOMPLETE"
	expect(plain(0, 1), "a natural person", "refused", "E_NATURAL_PERSON", map[string]string{"subject_category": "自然人"})
	expect(plain(1, 2), "no number", "refused", "E_DOCNO", map[string]string{"doc_no": ""})
	expect(plain(1, 3), "another row of the firm is refused", "refused", whole, nil)
	expect(plain(2, 4), "a row of the firm is of another day", "refused", whole, nil)
	expect(plain(2, 5), "of another day than the rows of the firm before it", "refused", whole, map[string]string{"as_of": lastDay.AddDays(-1).String()})
	expect(plain(3, 6), "a row of the firm says that nothing is shown", "refused", whole, nil)
	expect(one(others[3], "", "", ""), "nothing is shown, and a row of the firm says what is", "refused", whole, nil)
	expect(plain(4, 7), "unknown kind", "refused", "E_VALUE", map[string]string{"kind": "示例类别"})
	expect(plain(5, 8), "unknown firm", "refused", "E_SUBJECT_UNKNOWN", map[string]string{"subject_uscc": mustUSCC("91", "410100", 9999)})
	expect(plain(6, 9), "square brackets around the year", "recorded", "", map[string]string{"doc_no": "示例市监罚[2026]9009号"})
	expect(plain(6, 9), "the same row again", "recorded", "", nil)
	return rows
}
