package intake

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/xinlian-ledger/xinlian/node/vault"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// All codes and names below are synthetic.
const (
	firm     = "91410100Y000000160"
	firm2    = "92411300Y00000024E"
	agency   = "11410000Y00000032Q"
	personID = "410105198001011239" // right by GB 11643; made up
)

// table is a file in the making: a header and rows of typed cells (string, float64, time.Time).
type table struct {
	header []string
	rows   [][]any
}

func penaltyRow() map[string]any {
	return map[string]any{
		"cf_xdr_mc": "示例食品有限公司（合成）", "cf_xdr_lb": "法人及非法人组织", "cf_xdr_shxym": firm, "cf_wsh": "示例市监罚〔2026〕1号",
		"cf_wfxw": "示例违法行为", "cf_sy": "示例违法事实", "cf_yj": "示例依据", "cf_cflb": "罚款", "cf_nr": "示例罚款", "cf_nr_fk": "12",
		"cf_nr_wfff": "", "cf_jdrq": "2026-07-01", "cf_yxq": "", "cf_cfjg": "示例局", "cf_cfjgdm": agency,
		"violation_region": "410105", "procedure": "普通", "notice_served_on": "2026-06-20", "statement": "heard", "hearing": "",
		"served_on": "2026-07-02", "repair_notice_served": "是", "power_code": "P-001", "sector": "market", "severity": "",
	}
}

func commitmentRow() map[string]any {
	return map[string]any{
		"commitment_code": "41010520260603000017", "subject_name": "示例人力有限公司（合成）", "subject_category": "1", "subject_id": firm,
		"commitment_type": "审批替代型", "reason": "申请办理示例许可", "content": "示例承诺", "breach_liability": "示例责任",
		"made_on": "2026-06-03", "valid_until": "2027-06-03", "fulfilment_status": "", "unperformed_content": "", "breach_action": "",
		"assessed_on": "", "assessor_name": "", "assessor_uscc": "", "acceptor_name": "示例局", "acceptor_uscc": agency,
		"publication_type": "可向社会公开", "remarks": "",
	}
}

func fulfillmentRow() map[string]any {
	return map[string]any{
		"commitment_code": "41010520260603000017", "fulfilment_status": "全部履行", "unperformed_content": "", "breach_action": "",
		"assessed_on": "2026-07-01", "assessor_name": "示例局", "assessor_uscc": agency, "evidence_digest": strings.Repeat("ab", 32),
	}
}

func subjectRow() map[string]any {
	return map[string]any{"uscc": firm, "name": "示例食品有限公司（合成）", "region": "410105", "category": "1"}
}

func abnormalRow() map[string]any {
	return map[string]any{
		"subject_name": "示例食品有限公司（合成）", "subject_uscc": firm, "doc_no": "示例异列〔2026〕1号", "decided_on": "2026-07-01", "issuer_name": "示例局",
		"issuer_uscc": agency, "served_on": "2026-07-02", "repair_notice_served": "是", "violation_region": "410105", "power_code": "P-001",
		"sector": "market", "reason_code": "ANNUAL-REPORT", "reason": "示例事由", "basis": "示例依据",
	}
}

func otherRow() map[string]any {
	return map[string]any{
		"subject_name": "示例食品有限公司（合成）", "subject_uscc": firm, "doc_no": "示例认〔2026〕1号", "decided_on": "2026-07-01", "issuer_name": "示例局",
		"issuer_uscc": agency, "served_on": "2026-07-02", "repair_notice_served": "是", "violation_region": "410105", "power_code": "P-001",
		"sector": "market", "source_code": "JUDGMENT", "statute_code": "HN-CREDIT-20", "fact": "示例事实", "basis": "示例依据", "severity": "",
	}
}

func listRow() map[string]any {
	return map[string]any{
		"subject_name": "示例食品有限公司（合成）", "subject_uscc": firm, "doc_no": "示例列〔2026〕1号", "decided_on": "2026-07-01", "issuer_name": "示例局",
		"issuer_uscc": agency, "served_on": "2026-07-02", "repair_notice_served": "是", "violation_region": "410105", "power_code": "P-001", "sector": "market",
		"list": "SC", "notice_no": "示例列告〔2026〕1号", "notice_served_on": "2026-06-01", "rights_told": "是", "measures": "M08;M01、M07", "conditions": "示例条件",
		"penalty_doc_nos": "示例市监罚〔2026〕1号", "reason": "示例事由", "basis": "示例依据",
	}
}

func shownRow() map[string]any {
	return map[string]any{"subject_uscc": firm, "kind": "行政处罚", "issuer_uscc": agency, "doc_no": "示例市监罚〔2026〕1号", "as_of": "2026-07-01"}
}

func objectionRow() map[string]any {
	return map[string]any{
		"subject_uscc": firm, "objection_no": "YY-1", "kind": "行政处罚", "issuer_uscc": agency, "doc_no": "示例市监罚〔2026〕1号", "grounds": "示例事由", "paper": "示例申请书",
	}
}

func repairRow() map[string]any {
	return map[string]any{
		"subject_uscc": firm, "application_no": "XYZG-1", "kind": "经营异常名录", "issuer_uscc": agency, "doc_no": "示例异列〔2026〕1号",
		"commitment_code": "41010020261019000001", "duties_done": "是", "materials": "示例材料", "paper": "示例申请书", "channel": "信用中国",
	}
}

func base(kind Kind) map[string]any {
	switch kind {
	case Objections:
		return objectionRow()
	case Repairs:
		return repairRow()
	case CreditChina:
		return shownRow()
	case Lists:
		return listRow()
	case Abnormal:
		return abnormalRow()
	case Others:
		return otherRow()
	case Penalties:
		return penaltyRow()
	case Commitments:
		return commitmentRow()
	case Fulfillments:
		return fulfillmentRow()
	}
	return subjectRow()
}

// tableOf makes a file of the base row with changes; a nil value takes the column out.
func tableOf(kind Kind, changes ...map[string]any) table {
	row := base(kind)
	for _, c := range changes {
		for k, v := range c {
			if v == nil {
				delete(row, k)
			} else {
				row[k] = v
			}
		}
	}
	t := table{header: sortedKeys(row)}
	var cells []any
	for _, name := range t.header {
		cells = append(cells, row[name])
	}
	t.rows = append(t.rows, cells)
	return t
}

func cellText(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.Format("2006-01-02")
	case float64:
		return number(v)
	}
	return v.(string)
}

func (t table) csvBytes() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(t.header)
	for _, r := range t.rows {
		var cells []string
		for _, c := range r {
			cells = append(cells, cellText(c))
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return b.Bytes()
}

func (t table) xlsxBytes(tb testing.TB) []byte {
	tb.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, h := range t.header {
		name, _ := excelize.CoordinatesToCellName(i+1, 1)
		if err := f.SetCellStr("Sheet1", name, h); err != nil {
			tb.Fatal(err)
		}
	}
	for r, row := range t.rows {
		for i, v := range row {
			name, _ := excelize.CoordinatesToCellName(i+1, r+2)
			if s, ok := v.(string); ok {
				if s == "" {
					continue
				}
				if err := f.SetCellStr("Sheet1", name, s); err != nil {
					tb.Fatal(err)
				}
			} else if err := f.SetCellValue("Sheet1", name, v); err != nil { // a time gets a date format
				tb.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gb18030(tb testing.TB, utf8 []byte) []byte {
	tb.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().Bytes(utf8)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

var testVault = vault.Ephemeral()

func options() Options {
	return Options{Vault: testVault, Issuer: agency}
}

func write(tb testing.TB, raw []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "file")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func readAll(tb testing.TB, raw []byte, kind Kind, opts Options) ([]Row, error) {
	tb.Helper()
	r, err := Open(write(tb, raw), kind, opts)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var rows []Row
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

// forms gives a file in every form in which agencies send it.
func forms(tb testing.TB, t table) map[string][]byte {
	utf8 := t.csvBytes()
	return map[string][]byte{
		"csv":         utf8,
		"csv bom":     append([]byte("\ufeff"), utf8...),
		"csv gb18030": gb18030(tb, utf8),
		"xlsx":        t.xlsxBytes(tb),
	}
}

// wide writes ASCII in full width, as Chinese input methods do.
func wide(s string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
}

// The outcome of each kind of bad or odd cell, in every form of file. code "" means recorded; note is part of a note then.
var cases = []struct {
	name    string
	kind    Kind
	changes map[string]any
	code    string
	note    string
}{
	{"plain", Penalties, nil, "", ""},
	{"full-width code", Penalties, map[string]any{"cf_xdr_shxym": wide(firm)}, "", "行政相对人代码_1 (cf_xdr_shxym) was mended"},
	{"lower case code", Penalties, map[string]any{"cf_xdr_shxym": "91410100y000000160"}, "", "was mended"},
	{"blanks in code", Penalties, map[string]any{"cf_xdr_shxym": " 9141 0100-Y000000160\u3000"}, "", "was mended"},
	{"quoted line break", Penalties, map[string]any{"cf_sy": "第一行\n第二行"}, "", "违法事实 (cf_sy): its line breaks are kept"},
	{"outside the basic plane", Penalties, map[string]any{"cf_xdr_mc": "示例𠮷𡘙商行（合成）"}, "", "outside the basic plane"},
	{"square brackets", Penalties, map[string]any{"cf_wsh": "示例市监罚[2026]1号"}, "", "行政处罚决定书文号 (cf_wsh) was mended"},
	{"round brackets", Penalties, map[string]any{"cf_wsh": "示例市监罚（2026）１号"}, "", "was mended"},
	{"wrong inner check", Penalties, map[string]any{"cf_xdr_shxym": "91410100Y00000011G"}, "", "W_USCC_ORGCHECK"},
	{"slashes in a date", Penalties, map[string]any{"cf_jdrq": "2026/7/1"}, "", "is read as 2026-07-01"},
	{"points in a date", Penalties, map[string]any{"cf_jdrq": "2026.7.1"}, "", "is read as 2026-07-01"},
	{"Chinese date", Penalties, map[string]any{"cf_jdrq": "2026年7月1日"}, "", "is read as 2026-07-01"},
	{"date without separators", Penalties, map[string]any{"cf_jdrq": "20260701"}, "", "is read as 2026-07-01"},
	{"date in full width", Penalties, map[string]any{"cf_jdrq": "２０２６－０７－０１"}, "", "is read as 2026-07-01"},
	{"date with a time", Penalties, map[string]any{"cf_jdrq": "2026/7/1 0:00:00"}, "", "is read as 2026-07-01"},
	{"six decimals", Penalties, map[string]any{"cf_nr_fk": "12.345678"}, "", ""},
	{"separators of thousands", Penalties, map[string]any{"cf_nr_fk": "1,234.5"}, "", "罚款金额 (cf_nr_fk) was mended"},
	{"unit in the amount", Penalties, map[string]any{"cf_nr_fk": "１２ 万元"}, "", "罚款金额 (cf_nr_fk) was mended"},
	{"self-employed", Penalties, map[string]any{"cf_xdr_shxym": firm2, "cf_xdr_lb": "个体工商户"}, "", ""},
	{"minor and necessary", Penalties, map[string]any{"cf_cflb": "警告", "cf_nr_fk": "", "necessary": "是", "necessity_reason": "示例理由"}, "", ""},
	{"kinds by number", Penalties, map[string]any{"cf_cflb": "4;3"}, "", ""},
	{"simple procedure on the spot", Penalties, map[string]any{"procedure": "简易程序", "notice_served_on": "2026-07-01"}, "", ""},
	{"unknown column", Penalties, map[string]any{"归集部门": "示例部门"}, "", ""},

	{"wrong check character", Penalties, map[string]any{"cf_xdr_shxym": "91410100Y00000016B"}, "E_USCC_CHECK", ""},
	{"short code", Penalties, map[string]any{"cf_xdr_shxym": "91410100Y00000016"}, "E_USCC_LEN", ""},
	{"letter O", Penalties, map[string]any{"cf_xdr_shxym": "91410100Y00O000160"}, "E_USCC_ALPHABET", ""},
	{"undefined class", Penalties, map[string]any{"cf_xdr_shxym": "98410100Y00000016A"}, "E_USCC_TYPE", ""},
	{"letter in the region", Penalties, map[string]any{"cf_xdr_shxym": "9141A100Y000000160"}, "E_USCC_REGION", ""},
	{"empty code", Penalties, map[string]any{"cf_xdr_shxym": ""}, "E_USCC_LEN", ""},
	{"code as a number", Penalties, map[string]any{"cf_xdr_shxym": "9.14E+17"}, "E_USCC_LEN", ""},
	{"issuer with a wrong check character", Penalties, map[string]any{"cf_cfjgdm": "11410000Y00000032A"}, "E_USCC_CHECK", ""},
	{"serial number for a date", Penalties, map[string]any{"cf_jdrq": "45123"}, "E_DATE", ""},
	{"serial number with time", Penalties, map[string]any{"cf_jdrq": "45123.5"}, "E_DATE", ""},
	{"date with an exponent", Penalties, map[string]any{"cf_jdrq": "4.5E+04"}, "E_DATE", ""},
	{"month first", Penalties, map[string]any{"cf_jdrq": "07/15/2026"}, "E_DATE", ""},
	{"year of two digits", Penalties, map[string]any{"cf_jdrq": "26-07-15"}, "E_DATE", ""},
	{"no such day", Penalties, map[string]any{"cf_jdrq": "2026-02-30"}, "E_DATE", ""},
	{"year out of range", Penalties, map[string]any{"cf_jdrq": "1899-12-30"}, "E_DATE", ""},
	{"no date", Penalties, map[string]any{"cf_jdrq": ""}, "E_DATE", ""},
	{"missing number", Penalties, map[string]any{"cf_wsh": ""}, "E_DOCNO", ""},
	{"number without a year", Penalties, map[string]any{"cf_wsh": "示例市监罚1号"}, "E_DOCNO", ""},
	{"ID number in the number", Penalties, map[string]any{"cf_wsh": "示例市监罚〔2026〕" + personID + "号"}, "E_PII_ON_CHAIN", ""},
	{"seven decimals", Penalties, map[string]any{"cf_nr_fk": "1.2345678"}, "E_AMOUNT", ""},
	{"negative amount", Penalties, map[string]any{"cf_nr_fk": "-1"}, "E_AMOUNT", ""},
	{"amount with an exponent", Penalties, map[string]any{"cf_nr_fk": "1.2E+05"}, "E_AMOUNT", ""},
	{"amount in words", Penalties, map[string]any{"cf_nr_fk": "拾贰万"}, "E_AMOUNT", ""},
	{"fine without an amount", Penalties, map[string]any{"cf_nr_fk": ""}, "E_AMOUNT", ""},
	{"unknown kind", Penalties, map[string]any{"cf_cflb": "打手心"}, "E_PENALTY_KIND", ""},
	{"no kind", Penalties, map[string]any{"cf_cflb": ""}, "E_PENALTY_KIND", ""},
	{"natural person by number", Penalties, map[string]any{"cf_xdr_shxym": personID}, "E_NATURAL_PERSON", ""},
	{"natural person by number, mistyped", Penalties, map[string]any{"cf_xdr_shxym": "410105198001011233"}, "E_NATURAL_PERSON", ""},
	{"natural person by number, a code by chance", Penalties, map[string]any{"cf_xdr_shxym": "410105198001100653"}, "E_NATURAL_PERSON", ""},
	{"natural person by number, mistyped and a code by chance", Penalties, map[string]any{"cf_xdr_shxym": "41010519800101123X"}, "E_NATURAL_PERSON", ""},
	{"natural person by category", Penalties, map[string]any{"cf_xdr_lb": "自然人"}, "E_NATURAL_PERSON", ""},
	{"natural person by category number", Penalties, map[string]any{"cf_xdr_lb": "2"}, "E_NATURAL_PERSON", ""},
	{"natural person by document", Penalties, map[string]any{"cf_xdr_shxym": "", "cf_xdr_zjhm": personID, "cf_xdr_zjlx": "身份证"}, "E_NATURAL_PERSON", ""},
	{"unknown category", Penalties, map[string]any{"cf_xdr_lb": "乡亲"}, "E_VALUE", ""},
	{"valid until before decision", Penalties, map[string]any{"cf_yxq": "2026-06-30"}, "E_WINDOW", ""},
	{"served before decision", Penalties, map[string]any{"served_on": "2026-06-30"}, "E_WINDOW", ""},
	{"notice after decision", Penalties, map[string]any{"notice_served_on": "2026-07-02"}, "E_NOTICE", ""},
	{"notice on the day of decision", Penalties, map[string]any{"notice_served_on": "2026-07-01"}, "E_NOTICE", ""},
	{"not heard", Penalties, map[string]any{"statement": ""}, "E_NOTICE", ""},
	{"unknown procedure", Penalties, map[string]any{"procedure": "特别"}, "E_VALUE", ""},
	{"unknown severity", Penalties, map[string]any{"severity": "很严重"}, "E_VALUE", ""},
	{"bad region", Penalties, map[string]any{"violation_region": "4101"}, "E_REGION", ""},
	{"Chinese power code", Penalties, map[string]any{"power_code": "市监一号"}, "E_TOKEN", ""},
	{"mobile number as power code", Penalties, map[string]any{"power_code": "13800000000"}, "E_PII_ON_CHAIN", ""},
	{"necessary without a reason", Penalties, map[string]any{"necessary": "是", "necessity_reason": ""}, "E_TEXT", ""},
	{"control character", Penalties, map[string]any{"cf_sy": "示例\x01事实"}, "E_ROW", ""},
	{"oversized cell", Penalties, map[string]any{"cf_sy": strings.Repeat("长", 32*1024/3*2+9)}, "E_ROW", ""},

	{"plain", Abnormal, nil, "", ""},
	{"full-width code", Abnormal, map[string]any{"subject_uscc": wide(firm)}, "", "统一社会信用代码 (subject_uscc) was mended"},
	{"square brackets", Abnormal, map[string]any{"doc_no": "示例异列[2026]1号"}, "", "列入决定书文号 (doc_no) was mended"},
	{"without a reason code", Abnormal, map[string]any{"reason_code": ""}, "E_TOKEN", ""},
	{"natural person", Abnormal, map[string]any{"subject_uscc": personID}, "E_NATURAL_PERSON", ""},
	{"natural person by category", Abnormal, map[string]any{"subject_category": "自然人"}, "E_NATURAL_PERSON", ""},
	{"natural person by document", Abnormal, map[string]any{"subject_uscc": "", "自然人证件号码": personID}, "E_NATURAL_PERSON", ""},
	{"served before decision", Abnormal, map[string]any{"served_on": "2026-06-30"}, "E_WINDOW", ""},
	{"missing number", Abnormal, map[string]any{"doc_no": ""}, "E_DOCNO", ""},
	{"wrong check character", Abnormal, map[string]any{"issuer_uscc": "11410000Y00000032A"}, "E_USCC_CHECK", ""},
	{"serial number for a date", Abnormal, map[string]any{"decided_on": "45123"}, "E_DATE", ""},

	{"plain", Lists, nil, "", ""},
	{"a notice alone", Lists, map[string]any{"doc_no": "", "decided_on": "", "served_on": "", "conditions": ""}, "", ""},
	{"without a list", Lists, map[string]any{"list": ""}, "E_TOKEN", ""},
	{"without the notice's number", Lists, map[string]any{"notice_no": ""}, "E_DOCNO", ""},
	{"without conditions", Lists, map[string]any{"conditions": ""}, "E_TEXT", ""},
	{"measures in words", Lists, map[string]any{"measures": "限制准入"}, "E_TOKEN", ""},
	{"bad number of a penalty", Lists, map[string]any{"penalty_doc_nos": "一号"}, "E_DOCNO", ""},
	{"natural person", Lists, map[string]any{"subject_uscc": personID}, "E_NATURAL_PERSON", ""},

	{"plain", Others, nil, "", ""},
	{"minor and necessary", Others, map[string]any{"severity": "轻微", "necessary": "是", "necessity_reason": "示例理由"}, "", ""},
	{"necessary without a reason", Others, map[string]any{"necessary": "是", "necessity_reason": ""}, "E_TEXT", ""},
	{"without a source", Others, map[string]any{"source_code": ""}, "E_TOKEN", ""},
	{"without a statute", Others, map[string]any{"statute_code": ""}, "E_TOKEN", ""},
	{"unknown severity", Others, map[string]any{"severity": "很严重"}, "E_VALUE", ""},
	{"bad commitment", Others, map[string]any{"breach_of": "41"}, "E_COMMITMENT_CODE", ""},
	{"natural person", Others, map[string]any{"subject_uscc": personID}, "E_NATURAL_PERSON", ""},

	{"plain", Commitments, nil, "", ""},
	{"assessed in full", Commitments, map[string]any{"fulfilment_status": "1", "assessed_on": "2026-06-30"}, "", ""},
	{"breach", Commitments, map[string]any{
		"fulfilment_status": "全部未履行", "assessed_on": "2026-06-30", "unperformed_content": "示例", "breach_action": "示例",
		"notice_served_on": "2026-06-20", "statement": "waived",
	}, "", ""},
	{"full-width commitment code", Commitments, map[string]any{"commitment_code": wide("41010520260603000017")}, "", "承诺编码 (commitment_code) was mended"},
	{"commitment code as a number", Commitments, map[string]any{"commitment_code": "4.10105E+19"}, "E_COMMITMENT_CODE", ""},
	{"code of another day", Commitments, map[string]any{"made_on": "2026-06-04"}, "E_COMMITMENT_CODE", ""},
	{"reversed window", Commitments, map[string]any{"valid_until": "2026-06-02"}, "E_WINDOW", ""},
	{"assessed before made", Commitments, map[string]any{"fulfilment_status": "1", "assessed_on": "2026-06-02"}, "E_WINDOW", ""},
	{"breach without texts", Commitments, map[string]any{"fulfilment_status": "2", "assessed_on": "2026-06-30"}, "E_FULFILMENT_TEXT", ""},
	{"texts without breach", Commitments, map[string]any{"fulfilment_status": "1", "assessed_on": "2026-06-30", "breach_action": "示例"}, "E_FULFILMENT_TEXT", ""},
	{"texts without assessment", Commitments, map[string]any{"unperformed_content": "示例"}, "E_FULFILMENT_TEXT", ""},
	{"notice without statement", Commitments, map[string]any{
		"fulfilment_status": "2", "assessed_on": "2026-06-30", "unperformed_content": "示例", "breach_action": "示例", "notice_served_on": "2026-06-20",
	}, "E_NOTICE", ""},
	{"unknown type", Commitments, map[string]any{"commitment_type": "9"}, "E_VALUE", ""},
	{"other type without words", Commitments, map[string]any{"commitment_type": "其他", "commitment_type_other": ""}, "E_TEXT", ""},
	{"other type without the column", Commitments, map[string]any{"commitment_type": "其他"}, "", ""},
	{"licence by its number", Commitments, map[string]any{"commitment_type": "1", "licence": "JY14101050000001", "template_version": "3"}, "", ""},
	{"licence by its decision", Commitments, map[string]any{"commitment_type": "1", "licence": "豫郑人服许[2026]第0105号"}, "", "许可文书号 (licence) was mended"},
	{"licence by words", Commitments, map[string]any{"commitment_type": "1", "licence": "营业执照"}, "E_DOCNO", ""},
	{"version by words", Commitments, map[string]any{"template_version": "三"}, "E_VALUE", ""},
	{"no content", Commitments, map[string]any{"content": ""}, "E_TEXT", ""},
	{"natural person", Commitments, map[string]any{"subject_category": "2", "subject_id": personID}, "E_NATURAL_PERSON", ""},
	{"wrong check character", Commitments, map[string]any{"subject_id": "91410100Y00000016B"}, "E_USCC_CHECK", ""},

	{"plain", Fulfillments, nil, "", ""},
	{"breach", Fulfillments, map[string]any{
		"fulfilment_status": "2", "unperformed_content": "示例", "breach_action": "示例", "notice_served_on": "2026-06-20", "statement": "heard",
	}, "", ""},
	{"breach without texts", Fulfillments, map[string]any{"fulfilment_status": "3"}, "E_FULFILMENT_TEXT", ""},
	{"no evidence", Fulfillments, map[string]any{"evidence_digest": ""}, "E_DIGEST", ""},
	{"bad evidence", Fulfillments, map[string]any{"evidence_digest": "abc"}, "E_DIGEST", ""},
	{"no date", Fulfillments, map[string]any{"assessed_on": ""}, "E_DATE", ""},
	{"no assessor", Fulfillments, map[string]any{"assessor_uscc": ""}, "E_USCC_LEN", ""},

	{"plain", CreditChina, nil, "", ""},
	{"nothing is shown", CreditChina, map[string]any{"kind": "", "issuer_uscc": "", "doc_no": ""}, "", ""},
	{"a number without a kind", CreditChina, map[string]any{"kind": ""}, "E_VALUE", ""},
	{"a kind without a number", CreditChina, map[string]any{"doc_no": ""}, "E_DOCNO", ""},
	{"unknown kind", CreditChina, map[string]any{"kind": "示例"}, "E_VALUE", ""},
	{"no day", CreditChina, map[string]any{"as_of": ""}, "E_DATE", ""},
	{"natural person", CreditChina, map[string]any{"subject_category": "自然人"}, "E_NATURAL_PERSON", ""},
	{"ID number", CreditChina, map[string]any{"subject_uscc": personID}, "E_NATURAL_PERSON", ""},
	{"square brackets", CreditChina, map[string]any{"doc_no": "示例市监罚[2026]1号"}, "", "was mended"},

	{"plain", Objections, nil, "", ""},
	{"of a breach", Objections, map[string]any{"kind": "违诺", "doc_no": "41010020261019000001"}, "", ""},
	{"of a breach by another number", Objections, map[string]any{"kind": "违诺"}, "E_COMMITMENT_CODE", ""},
	{"without grounds", Objections, map[string]any{"grounds": ""}, "E_TEXT", ""},
	{"without paper", Objections, map[string]any{"paper": " "}, "E_TEXT", ""},
	{"without a number", Objections, map[string]any{"objection_no": ""}, "E_TOKEN", ""},
	{"against a natural person", Objections, map[string]any{"subject_uscc": personID}, "E_NATURAL_PERSON", ""},
	{"by an organisation", Objections, map[string]any{"claimant_uscc": wide(firm2)}, "", "was mended"},

	{"plain", Repairs, nil, "", ""},
	{"without a promise", Repairs, map[string]any{"commitment_code": ""}, "", ""},
	{"of a promise", Repairs, map[string]any{"kind": "承诺", "doc_no": "41010020261019000001"}, "E_VALUE", ""},
	{"of no kind", Repairs, map[string]any{"kind": ""}, "E_VALUE", ""},
	{"by an unknown channel", Repairs, map[string]any{"channel": "电话"}, "E_VALUE", ""},
	{"without material", Repairs, map[string]any{"materials": ""}, "E_TEXT", ""},

	{"plain", Subjects, nil, "", ""},
	{"self-employed", Subjects, map[string]any{"uscc": firm2, "category": "个体工商户", "status": "注销"}, "", ""},
	{"natural person", Subjects, map[string]any{"category": "2"}, "E_NATURAL_PERSON", ""},
	{"ID number", Subjects, map[string]any{"uscc": personID}, "E_NATURAL_PERSON", ""},
	{"no category", Subjects, map[string]any{"category": ""}, "E_VALUE", ""},
	{"bad region", Subjects, map[string]any{"region": "郑州"}, "E_REGION", ""},
	{"unknown status", Subjects, map[string]any{"status": "睡眠"}, "E_VALUE", ""},
}

func TestCases(t *testing.T) {
	for _, c := range cases {
		for form, raw := range forms(t, tableOf(c.kind, c.changes)) {
			name := string(c.kind) + "/" + c.name + "/" + form
			if form == "xlsx" && (c.name == "control character" || c.name == "oversized cell") {
				continue // excelize writes neither
			}
			rows, err := readAll(t, raw, c.kind, options())
			if err != nil || len(rows) != 1 {
				t.Errorf("%s: %d rows, %v", name, len(rows), err)
				continue
			}
			checkRow(t, name, rows[0], c.code, c.note)
		}
	}
}

func checkRow(t *testing.T, name string, row Row, code, note string) {
	t.Helper()
	if code == "" {
		if row.Refusal != nil {
			t.Errorf("%s: refused: %v", name, row.Refusal)
			return
		}
		if len(row.Messages) == 0 || row.Key == "" || row.Issuer == "" {
			t.Errorf("%s: nothing to send: %+v", name, row)
		}
		if notes := strings.Join(row.Notes, "; "); note == "" && notes != "" || !strings.Contains(notes, note) {
			t.Errorf("%s: notes %q, want %q among them", name, notes, note)
		}
		for _, m := range row.Messages {
			if _, err := m.Marshal(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		return
	}
	if row.Refusal == nil {
		t.Errorf("%s: recorded, want %s", name, code)
		return
	}
	r := row.Refusal
	if r.Code != code {
		t.Errorf("%s: %v, want %s", name, r, code)
	}
	if r.Reason == "" || r.Rule == "" || r.Remedy == "" || strings.ContainsAny(r.Error(), "\n\r") {
		t.Errorf("%s: not one line with code, rule and remedy: %+v", name, r)
	}
	if len(row.Messages) != 0 || len(row.Texts) != 0 {
		t.Errorf("%s: refused, and yet something to send", name)
	}
}

// The same row in every form and spelling is the same record with the same words.
func TestOneRecordInEveryForm(t *testing.T) {
	want := ""
	plain := tableOf(Penalties, map[string]any{"cf_nr_fk": 12.0, "cf_jdrq": time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)})
	odd := tableOf(Penalties, map[string]any{
		"cf_xdr_shxym": "91410100y000000160", "cf_wsh": "示例市监罚[2026]1号", "cf_jdrq": "2026/7/1", "cf_nr_fk": "12.000000", "cf_xdr_lb": "1", "cf_cflb": "3",
	})
	for _, tab := range []table{plain, odd} {
		for form, raw := range forms(t, tab) {
			rows, err := readAll(t, raw, Penalties, options())
			if err != nil || len(rows) != 1 || rows[0].Refusal != nil {
				t.Fatalf("%s: %v %v", form, rows, err)
			}
			raw, err := rows[0].Messages[0].Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(raw); want == "" {
				want = got
			} else if got != want {
				t.Errorf("%s: another message:\n%s\n%s", form, got, want)
			}
		}
	}
}

func TestPenaltyMessage(t *testing.T) {
	rows, err := readAll(t, tableOf(Penalties, map[string]any{
		"cf_cflb": "没收违法所得；罚款", "cf_nr_wfff": "0.5", "cf_yxq": "2027-07-01", "hearing": "held", "procedure": "听证", "severity": "一般",
		"归集部门": "示例部门", "cf_frdb": "某人", "cf_wsh": "示例市监罚[2026]1号",
	}).csvBytes(), Penalties, options())
	if err != nil || len(rows) != 1 || rows[0].Refusal != nil {
		t.Fatalf("%+v %v", rows, err)
	}
	day := func(s string) int32 {
		d, err := calendar.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return int32(d)
	}
	row := rows[0]
	id := penaltyID(agency, "示例市监罚〔2026〕1号", firm)
	texts := map[string]string{
		"cf_xdr_mc": "示例食品有限公司（合成）", "cf_xdr_lb": "法人及非法人组织", "cf_wfxw": "示例违法行为", "cf_sy": "示例违法事实", "cf_yj": "示例依据",
		"cf_nr": "示例罚款", "cf_cfjg": "示例局", "归集部门": "示例部门",
	}
	digest := testVault.Digest(id, texts)
	original := map[string]string{"cf_wsh": "示例市监罚[2026]1号"}
	want := Row{
		Number: 2, Key: string(id[:]), Record: id[:], Issuer: agency,
		Messages: []pb.Msg{{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: pb.PenaltyContent{
			Issuer: agency, Subject: firm, DocNo: "示例市监罚〔2026〕1号", Kinds: []uint32{3, 4}, FineFen: 12_000_000, ConfiscatedFen: 500_000,
			DecidedOn: day("2026-07-01"), ValidUntil: day("2027-07-01"), ViolationRegion: "410105", Procedure: 3,
			NoticeServedOn: day("2026-06-20"), Statement: 1, Hearing: 1, ServedOn: day("2026-07-02"), RepairNoticeServed: true,
			PowerCode: "P-001", Sector: "market", Severity: pb.SEVERITY_GENERAL, TextDigest: digest[:],
		}}}}},
		Texts: []Text{
			{Record: id, Digest: digest, Fields: texts},
			{Record: id, Digest: testVault.Digest(id, original), Fields: original},
		},
		Notes: row.Notes,
	}
	if d := cmp.Diff(want, row); d != "" {
		t.Error(d)
	}
}

func TestCommitmentMessages(t *testing.T) {
	rows, err := readAll(t, tableOf(Commitments, map[string]any{
		"fulfilment_status": "全部未履行", "assessed_on": "2026-06-30", "unperformed_content": "示例未履行", "breach_action": "示例追究",
		"assessor_uscc": agency, "notice_served_on": "2026-06-20", "statement": "已听取",
	}).csvBytes(), Commitments, options())
	if err != nil || len(rows) != 1 || rows[0].Refusal != nil {
		t.Fatalf("%+v %v", rows, err)
	}
	row := rows[0]
	if len(row.Messages) != 2 || len(row.Texts) != 4 {
		t.Fatalf("%d messages, %d texts", len(row.Messages), len(row.Texts))
	}
	submit, assess := row.Messages[0].GetSubmitCommitment(), row.Messages[1].GetAssessCommitment()
	id := commitmentID(agency, "41010520260603000017", firm)
	if submit == nil || !submit.Accepted || submit.Issuer != agency || submit.Content.Subject != firm || submit.Content.Type != 1 ||
		submit.Content.Publication != 1 || row.Texts[0].Record != id {
		t.Errorf("submit %+v", submit)
	}
	if assess == nil || assess.Fulfilment != 3 || assess.Statement != 1 || assess.Issuer != agency || len(assess.EvidenceDigest) != 32 ||
		bytes.Equal(assess.UnperformedDigest, assess.ActionDigest) {
		t.Errorf("assess %+v", assess)
	}
	for _, text := range row.Texts {
		if text.Digest != testVault.Digest(text.Record, text.Fields) {
			t.Error("a text and its digest differ")
		}
	}
}

// Nothing about a natural person reaches a message, the texts, a note or the report.
func TestNoPersonLeaks(t *testing.T) {
	const secretName, secretDoc = "机密姓名", "机密证件"
	person := []map[string]any{
		{"cf_xdr_lb": "自然人", "cf_xdr_shxym": personID, "cf_xdr_mc": secretName},
		{"cf_xdr_shxym": "", "cf_xdr_zjlx": secretDoc, "cf_xdr_zjhm": personID, "cf_xdr_mc": secretName},
		{"cf_xdr_shxym": personID[:17] + "X", "cf_xdr_mc": secretName},
		{"cf_frdb": secretName, "cf_fr_zjlx": secretDoc, "cf_fr_sfzh": personID, "cf_fr_zjhm": personID},
		{"法定代表人": secretName, "法定代表人身份证号": personID, "经营者证件号码": personID},
		{"法定代表人（姓名）": secretName, "CF_FR_SFZH 法人证件号码": personID},
		{"经办": "证件 " + personID},
		{"cf_jdrq": personID},
		{"cf_wsh": personID},
		{"cf_nr_fk": personID},
		{"procedure": personID},
		{"power_code": personID},
		{"cf_cfjgdm": personID},
		{"violation_region": personID},
		{"statement": personID},
		{"cf_cflb": personID},
		{"sector": "13800000000"},
		{"cf_xdr_lb": secretName},
	}
	for i, changes := range person {
		for form, raw := range forms(t, tableOf(Penalties, changes)) {
			rows, err := readAll(t, raw, Penalties, options())
			if err != nil || len(rows) != 1 {
				t.Fatalf("%d %s: %v", i, form, err)
			}
			var report bytes.Buffer
			w, err := NewReport(&report)
			if err != nil {
				t.Fatal(err)
			}
			if rows[0].Refusal != nil {
				err = w.Write(RefusedRow(rows[0]))
			} else {
				err = w.Write(OutcomeRow(rows[0], Recorded, nil, nil))
			}
			if err := errors.Join(err, w.Flush()); err != nil {
				t.Fatal(err)
			}
			all := fmt.Sprintf("%+v %s", rows[0], report.String())
			for _, m := range rows[0].Messages {
				all += m.String()
			}
			for _, secret := range []string{secretName, secretDoc, personID, personID[:17], "13800000000"} {
				if strings.Contains(all, secret) {
					t.Errorf("%d %s: %q leaks: %.300s", i, form, secret, all)
				}
			}
		}
	}
	// A file without a header has data where titles should be: the error must not repeat them.
	_, err := readAll(t, []byte(secretName+","+personID+"\n"+secretName+","+personID+"\n"), Penalties, options())
	if err == nil || strings.Contains(err.Error(), secretName) || strings.Contains(err.Error(), personID) {
		t.Errorf("file without a header: %v", err)
	}
	_, err = readAll(t, []byte(secretName+","+secretName+"\n"), Penalties, options())
	if err == nil || strings.Contains(err.Error(), secretName) {
		t.Errorf("double title: %v", err)
	}
}

func TestTypedCells(t *testing.T) {
	tab := tableOf(Penalties, map[string]any{
		"cf_jdrq": time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), "served_on": time.Date(2026, 7, 2, 15, 30, 0, 0, time.UTC),
		"cf_nr_fk": 1.1, "cf_cflb": 3.0, "violation_region": 410105.0,
	})
	rows, err := readAll(t, tab.xlsxBytes(t), Penalties, options())
	if err != nil || len(rows) != 1 || rows[0].Refusal != nil {
		t.Fatalf("%+v %v", rows, err)
	}
	c := rows[0].Messages[0].GetRecordPenalty().Content
	if got := calendar.Date(c.DecidedOn).String(); got != "2026-07-01" {
		t.Errorf("typed date: %s", got)
	}
	if got := calendar.Date(c.ServedOn).String(); got != "2026-07-02" || !strings.Contains(strings.Join(rows[0].Notes, ""), "served_on") {
		t.Errorf("typed date with a time: %s, %v", got, rows[0].Notes)
	}
	if c.FineFen != 1_100_000 || c.Kinds[0] != 3 || c.ViolationRegion != "410105" {
		t.Errorf("numbers: %+v", c)
	}
	for name, bad := range map[string]struct {
		cell any
		code string
		col  string
	}{
		"serial number without a date format": {45123.0, "E_DATE", "cf_jdrq"},
		"code as a number":                    {914101000000000160.0, "E_USCC_LEN", "cf_xdr_shxym"},
		"seven decimals":                      {1.2345678, "E_AMOUNT", "cf_nr_fk"},
	} {
		rows, err := readAll(t, tableOf(Penalties, map[string]any{bad.col: bad.cell}).xlsxBytes(t), Penalties, options())
		if err != nil || len(rows) != 1 {
			t.Fatal(err)
		}
		checkRow(t, name, rows[0], bad.code, "")
	}
	for f, want := range map[float64]string{
		1.1000000000000001: "1.1", 0.1 + 0.2: "0.3", 12: "12", 123456789012345: "123456789012345", 9.14e17: "9.14E+17", 0.000001: "0.000001", -3: "-3",
	} {
		if got := number(f); got != want {
			t.Errorf("number(%v) = %s, want %s", f, got, want)
		}
	}
	for format, want := range map[string]bool{
		"yyyy-mm-dd": true, `yyyy"年"m"月"d"日"`: true, "[$-804]yyyy/m/d;@": true, "0.00": false, `"day" 0`: false, "[Red]0": false, "h:mm": false, "General": false, `\d0`: false,
	} {
		if got := showsDate(format); got != want {
			t.Errorf("showsDate(%q) = %v", format, got)
		}
	}
}

func TestColumns(t *testing.T) {
	titles := tableOf(Penalties)
	for i, name := range titles.header {
		for _, f := range Fields(Penalties) {
			if f.Name == name {
				titles.header[i] = f.Title
			}
		}
	}
	shouting := tableOf(Penalties)
	for i, name := range shouting.header {
		shouting.header[i] = " " + strings.ToUpper(name) + " "
	}
	both := tableOf(Penalties)
	for i, name := range both.header {
		for _, f := range Fields(Penalties) {
			if f.Name == name {
				both.header[i] = name + " " + f.Title
			}
		}
	}
	remarks := tableOf(Penalties)
	for i, name := range remarks.header {
		switch name {
		case "cf_nr_fk":
			remarks.header[i] = "罚款金额（万元）"
		case "cf_xdr_shxym":
			remarks.header[i] = "行政相对人代码_1(统一社会信用代码)"
		case "cf_wsh":
			remarks.header[i] = "文书编号（cf_wsh）"
		}
	}
	var want []byte
	for name, tab := range map[string]table{"titles": titles, "upper case": shouting, "both": both, "remarks": remarks} {
		for form, raw := range forms(t, tab) {
			rows, err := readAll(t, raw, Penalties, options())
			if err != nil || len(rows) != 1 || rows[0].Refusal != nil {
				t.Errorf("%s %s: %+v %v", name, form, rows, err)
				continue
			}
			got, _ := rows[0].Messages[0].Marshal()
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s %s: another message", name, form)
			}
		}
	}
	for _, kind := range Kinds() {
		for _, f := range Fields(kind) {
			if !f.Required {
				continue
			}
			_, err := readAll(t, tableOf(kind, map[string]any{f.Name: nil}).csvBytes(), kind, options())
			if err == nil || !IsFile(err) || !strings.HasPrefix(err.Error(), CodeColumn) || !strings.Contains(err.Error(), f.Label()) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s without %s: %v", kind, f.Name, err)
			}
		}
	}
	twice := tableOf(Penalties, map[string]any{"文号": "示例市监罚〔2026〕1号"})
	if _, err := readAll(t, twice.csvBytes(), Penalties, options()); err == nil || !strings.Contains(err.Error(), "行政处罚决定书文号 (cf_wsh)") {
		t.Errorf("double column: %v", err)
	}
}

// The titles and aliases of a kind mean one field each.
func TestTitlesAreDistinct(t *testing.T) {
	for _, kind := range Kinds() {
		seen := map[string]string{}
		for _, f := range Fields(kind) {
			for _, title := range append([]string{f.Name, f.Title}, f.Aliases...) {
				folded := foldTitle(title)
				if other := seen[folded]; other != "" && other != f.Name {
					t.Errorf("%s: %q means %s and %s", kind, title, other, f.Name)
				}
				seen[folded] = f.Name
				if drop, _ := personal(folded); drop {
					t.Errorf("%s: %q is dropped as a person's data", kind, title)
				}
			}
		}
	}
}

func TestProfile(t *testing.T) {
	profile, err := ParseProfile([]byte("[defaults]\nstatement = \"waived\"\nsector = \"food\"\nhearing = \"\"\n[columns]\n\"案件文号\" = \"cf_wsh\"\n\"老板\" = \"cf_frdb\"\n"), Penalties)
	if err != nil {
		t.Fatal(err)
	}
	opts := options()
	opts.Profile = profile
	tab := tableOf(Penalties, map[string]any{"statement": nil, "hearing": nil, "cf_wsh": nil, "案件文号": "示例市监罚〔2026〕1号", "老板": "机密姓名"})
	path := write(t, tab.csvBytes())
	r, err := Open(path, Penalties, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	row, err := r.Next()
	if err != nil || row.Refusal != nil {
		t.Fatalf("%+v %v", row, err)
	}
	c := row.Messages[0].GetRecordPenalty().Content
	if c.Statement != 2 || c.Hearing != 0 || c.Sector != "market" {
		t.Errorf("declared values: %+v; a column that the file has wins", c)
	}
	if d := cmp.Diff([]string{"听证 (hearing) = ", "陈述申辩 (statement) = waived"}, sorted(r.Declared())); d != "" {
		t.Error(d)
	}
	if !strings.Contains(strings.Join(row.Notes, "\n"), `陈述申辩 (statement) = "waived" is declared by the profile`) {
		t.Errorf("the row does not say what was declared: %v", row.Notes)
	}
	if strings.Contains(fmt.Sprintf("%+v", row), "机密姓名") {
		t.Error("a column mapped to a dropped one leaks")
	}
	for name, text := range map[string]string{
		"unknown section":      "[other]\na = \"b\"\n",
		"unknown key on top":   "statement = \"heard\"\n",
		"unknown field":        "[defaults]\nstatemend = \"heard\"\n",
		"unknown target":       "[columns]\n\"文号\" = \"cf_wshh\"\n",
		"same key for all":     "[defaults]\ncf_wsh = \"示例市监罚〔2026〕1号\"\n",
		"not a string":         "[defaults]\nstatement = 1\n",
		"no TOML":              "[defaults\n",
		"same title twice":     "[columns]\n\"文 号\" = \"cf_wsh\"\n\"文号\" = \"cf_wsh\"\n",
		"a dropped as default": "[defaults]\ncf_frdb = \"x\"\n",
		"too long":             strings.Repeat("#", profileBytesMax+1),
	} {
		if _, err := ParseProfile([]byte(text), Penalties); err == nil || !strings.HasPrefix(err.Error(), CodeProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sorted(s []string) []string {
	m := map[string]int{}
	for _, v := range s {
		m[v] = 1
	}
	return sortedKeys(m)
}

// Bad rows never stop the others, and row numbers are those that a spreadsheet shows.
func TestRaggedRows(t *testing.T) {
	head := "uscc,name,region,category\n"
	good := firm + ",示例,410105,1\n"
	type line struct {
		number int
		code   string
	}
	damaged := []line{{2, ""}, {3, "E_ROW"}}
	for i := range 20 {
		damaged = append(damaged, line{4 + i, ""})
	}
	for _, c := range []struct {
		name string
		text string
		want []line
	}{
		{"blank lines count", head + "\n" + good + ",,,\n" + good, []line{{3, ""}, {5, ""}}},
		{"short and long rows", head + firm + ",示例\n" + good + firm + ",示例,410105,1,x\n" + good, []line{{2, "E_ROW"}, {3, ""}, {4, "E_ROW"}, {5, ""}}},
		{"blank cells too many", head + firm + ",示例,410105,1,,\n", []line{{2, ""}}},
		{"a row over several lines is one row", head + firm + ",\"示\n例\",410105,1\n" + good, []line{{2, ""}, {3, ""}}},
		{"quotes in a cell", head + firm + ",\"示\"\"例\"\"\",410105,1\n", []line{{2, ""}}},
		{"a quote inside a plain cell", head + firm + ",示\"例,410105,1\n" + good, []line{{2, ""}, {3, ""}}},
		{"text after a quote", head + firm + ",\"示\"例,410105,1\n" + good, []line{{2, "E_ROW"}, {3, ""}}},
		{"text after the last quote", head + firm + ",示例,410105,\"1\"x\n" + good, []line{{2, "E_ROW"}, {3, ""}}},
		{"a quote that never closes", head + firm + ",\"示例,410105,1\n" + good + good, []line{{2, "E_ROW"}, {3, ""}, {4, ""}}},
		{"windows line ends, no last one", strings.ReplaceAll(head+good+firm+",示例,410105,1", "\n", "\r\n"), []line{{2, ""}, {3, ""}}},
		{"tabs", strings.ReplaceAll(head+good, ",", "\t"), []line{{2, ""}}},
		{"semicolons", strings.ReplaceAll(head+good, ",", ";"), []line{{2, ""}}},
		{"blank lines above the header", "\n\n" + head + good, []line{{4, ""}}},
		{"damaged characters", head + firm + ",示例,410105,1\n" + firm + ",示\xff例,410105,1\n" + strings.Repeat(good, 20), damaged},
		{"too many columns", head + strings.Repeat(",", 300) + "x\n" + good, []line{{2, "E_ROW"}, {3, ""}}},
		{"a row over the limit", head + firm + "," + strings.Repeat("x", RowBytesMax) + ",410105,1\n" + good, []line{{2, "E_ROW"}, {3, ""}}},
		{"a cell over the limit", head + firm + "," + strings.Repeat("x", CellBytesMax+1) + ",410105,1\n" + good, []line{{2, "E_ROW"}, {3, ""}}},
	} {
		rows, err := readAll(t, []byte(c.text), Subjects, options())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []line
		for _, r := range rows {
			l := line{number: r.Number}
			if r.Refusal != nil {
				l.code = r.Refusal.Code
			}
			got = append(got, l)
		}
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(line{})); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// A row of cells that are each within their bound may still be over its own.
func TestRowOverItsBound(t *testing.T) {
	changes := map[string]any{}
	for i := range 18 {
		changes[fmt.Sprintf("示例列%d", i)] = "x\n" + strings.Repeat("x", CellBytesMax-16)
	}
	for form, raw := range forms(t, tableOf(Penalties, changes)) {
		if form == "xlsx" {
			continue // excelize cuts a cell at 32,767 characters
		}
		rows, err := readAll(t, raw, Penalties, options())
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: %v", form, err)
		}
		checkRow(t, form, rows[0], CodeRow, "")
	}
}

// A damaged byte in a UTF-8 file costs its row, and does not turn all others into other characters.
func TestDamagedUTF8(t *testing.T) {
	tab := tableOf(Penalties)
	for range 20 {
		tab.rows = append(tab.rows, tab.rows[0])
	}
	raw := bytes.Replace(tab.csvBytes(), []byte("示例违法事实"), []byte("示例\xff违法事实"), 1)
	rows, err := readAll(t, raw, Penalties, options())
	if err != nil || len(rows) != 21 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	checkRow(t, "damaged", rows[0], CodeRow, "")
	for _, row := range rows[1:] {
		if row.Refusal != nil || row.Texts[0].Fields["cf_sy"] != "示例违法事实" {
			t.Fatalf("row %d: %v", row.Number, row.Refusal)
		}
	}
}

func TestFilesThatAreNotTakenIn(t *testing.T) {
	xlsx := tableOf(Subjects).xlsxBytes(t)
	for name, raw := range map[string][]byte{
		"empty":              nil,
		"blank":              []byte("\n\n,,\n"),
		"UTF-16":             []byte("\xff\xfea\x00"),
		"old xls":            []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
		"torn xlsx":          xlsx[:len(xlsx)/2],
		"zip of something":   []byte("PK\x03\x04nonsense"),
		"header only binary": {0, 1, 2, 3},
	} {
		_, err := readAll(t, raw, Subjects, options())
		if err == nil || !IsFile(err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), Subjects, options()); !IsFile(err) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(t.TempDir(), Subjects, options()); !IsFile(err) {
		t.Errorf("folder: %v", err)
	}
	if _, err := Open("x", "tales", options()); err == nil {
		t.Error("unknown kind")
	}
	if _, err := Open("x", Penalties, Options{}); err == nil {
		t.Error("no vault")
	}
	if _, err := Open("x", Subjects, Options{}); err == nil {
		t.Error("no registry")
	}
}

func TestReport(t *testing.T) {
	var b bytes.Buffer
	r, err := NewReport(&b)
	if err != nil {
		t.Fatal(err)
	}
	row := Row{Number: 2, Record: bytes.Repeat([]byte{0xab}, 32), Notes: []string{"=1+1 起", "二"}}
	for _, line := range []ReportRow{
		OutcomeRow(row, Recorded, nil, nil),
		OutcomeRow(row, AlreadyRecorded, bytes.Repeat([]byte{0xcd}, 32), nil),
		OutcomeRow(Row{Number: 4}, Refused, nil, refuse(CodeDate, "送达日期 is empty")),
	} {
		if err := r.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffrow,outcome,record,code,reason,note\r\n" +
		"2,recorded," + strings.Repeat("ab", 32) + ",,,'=1+1 起; 二\r\n" +
		"2,already recorded," + strings.Repeat("cd", 32) + ",,,'=1+1 起; 二\r\n" +
		"4,refused,,E_DATE,送达日期 is empty (rule X2); write YYYY-MM-DD,\r\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	if r.Count(Recorded) != 1 || r.Count(AlreadyRecorded) != 1 || r.Count(Refused) != 1 {
		t.Error("counts")
	}
}

func FuzzCSV(f *testing.F) {
	for _, kind := range Kinds() {
		for _, c := range cases {
			if c.kind == kind {
				f.Add(tableOf(kind, c.changes).csvBytes(), string(kind))
			}
		}
	}
	f.Add([]byte("uscc,name\n\"a\nb,\"\"\n"), "subjects")
	f.Add(gb18030(f, tableOf(Penalties).csvBytes()), "penalties")
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, raw []byte, kind string) {
		if fields[Kind(kind)] == nil || len(raw) > 1<<16 {
			return
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, Kind(kind), options())
		if err != nil {
			return
		}
		defer r.Close()
		last := 0
		for {
			row, err := r.Next()
			if err != nil {
				return
			}
			if row.Number <= last {
				t.Fatalf("row %d after row %d", row.Number, last)
			}
			last = row.Number
			if (row.Refusal == nil) == (len(row.Messages) == 0 && row.Of == 0) {
				t.Fatalf("row %d is neither sent nor refused, or both", row.Number)
			}
			for _, m := range row.Messages {
				enc, err := m.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				if err := pb.Decode(enc, new(pb.Msg)); err != nil {
					t.Fatalf("row %d: %v", row.Number, err)
				}
			}
		}
	})
}

// Who writes a value that a field does not have is told which it has, in a word that the field takes.
func TestValuesAreNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind        Kind
		field, text string
		want        string
	}{
		{Commitments, "commitment_type", "自愿型", "0 其他、1 审批替代型、"},
		{Commitments, "publication_type", "", "1 可向社会公开、2 特定范围内公开、3 不可公开"},
		{Penalties, "cf_xdr_lb", "乡亲", "1 法人及非法人组织、4 个体工商户"},
		{Penalties, "cf_cflb", "打手心", "3 罚款、"},
		{Penalties, "cf_cflb", "", "3 罚款、"},
		{Penalties, "statement", "", "已听取 (heard)、放弃 (waived)"},
		{Penalties, "hearing", "也许", "无 (none)、已听证 (held)、放弃 (waived)"},
		{Penalties, "severity", "很严重", "1 轻微、2 一般、3 严重"},
		{Subjects, "status", "睡眠", "存续 (active)"},
		{Repairs, "channel", "电话", "窗口 (window)"},
		{CreditChina, "kind", "示例", "行政处罚 (penalty)"},
	} {
		rows, err := readAll(t, tableOf(tc.kind, map[string]any{tc.field: tc.text}).csvBytes(), tc.kind, options())
		if err != nil || len(rows) != 1 {
			t.Fatal(err, rows)
		}
		if row := rows[0]; row.Refusal == nil || !strings.Contains(row.Refusal.Remedy, tc.want) {
			t.Errorf("%s %q: %v", tc.field, tc.text, rows[0].Refusal)
		}
	}
	for _, w := range []words{yesNo, statements, hearings, targetKinds, channels, shownKinds, subjectStates} {
		usual := map[uint32]bool{}
		for _, text := range strings.FieldsFunc(w.usual, func(r rune) bool { return strings.ContainsRune("、 ()", r) }) {
			n, ok := w.numbers[text]
			if !ok {
				t.Errorf("%s: the field does not take %q", w.usual, text)
			}
			usual[n] = true
		}
		for text, n := range w.numbers {
			if !usual[n] && text != "" {
				t.Errorf("%s: it does not name what %q is", w.usual, text)
			}
		}
	}
}
