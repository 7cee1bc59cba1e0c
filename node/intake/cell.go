package intake

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// mapper turns one row into messages. The first refusal sticks: what is read afterwards is not looked at any more, so that the
// mapping reads as a list of fields.
type mapper struct {
	h     *header
	cells []string
	row   *Row
	opts  *Options
}

func (m *mapper) failed() bool { return m.row.Refusal != nil }

func (m *mapper) fail(r *Refusal) {
	if m.row.Refusal == nil {
		m.row.Refusal = r
	}
}

func (m *mapper) refuse(code string, f *Field, what string) {
	m.fail(refuse(code, "%s %s", f.Label(), what))
}

func (m *mapper) note(f *Field, what string) {
	m.row.Notes = append(m.row.Notes, f.Label()+" "+what)
}

// cell gives a field and what stands in it; empty where the file has no such column.
func (m *mapper) cell(name string) (*Field, string) {
	f := m.h.byName[name]
	if i, ok := m.h.at[name]; ok {
		return f, m.cells[i]
	}
	return f, m.h.declared[name]
}

// has tells whether the file has a column for a field.
func (m *mapper) has(name string) bool {
	_, ok := m.h.at[name]
	return ok
}

// trimmed is a cell in half-width letters and digits without blanks around it.
func (m *mapper) trimmed(name string) (*Field, string) {
	f, s := m.cell(name)
	s, _ = code.MendLine(code.ToHalfWidth(s))
	return f, s
}

const mendedWidth = "was mended: full-width or lower-case characters, blanks or hyphens"

// uscc reads a 统一社会信用代码. An ID number in its place makes the row one of a natural person.
func (m *mapper) uscc(name string, optional bool) string {
	f, s := m.cell(name)
	if m.failed() {
		return ""
	}
	out, changed := code.NormalizeUSCC(s)
	if out == "" {
		if !optional {
			m.refuse(code.ErrUSCCLen, f, "is empty")
		}
		return ""
	}
	err := code.CheckUSCC(out)
	if idNumber(out, err == nil) {
		m.refuse(CodeNaturalPerson, f, "holds a natural person's number")
		return ""
	}
	if err != nil {
		switch {
		case lostDigits(out):
			m.fail(&Refusal{
				Code: code.ErrUSCCLen, Reason: f.Label() + " is a number with an exponent: the spreadsheet has lost its last digits",
				Rule: "GB 32100", Remedy: "format the column as text and enter the code again",
			})
		default:
			m.fail(refusalOf(err, f))
		}
		return ""
	}
	if changed {
		m.note(f, mendedWidth)
	}
	if !code.OrgCheckOK(out) {
		m.note(f, "has a wrong inner check character (W_USCC_ORGCHECK)")
	}
	return out
}

// idNumber tells whether a code looks like a person's ID number. One ID number in thirty-one passes for a 统一社会信用代码 by chance
// (those of Henan begin like codes of department 4, class 1), so that a code that checks is looked at as well: it is a person's if
// it checks as an ID number too, or if it has a birthday in it and no province where a code has its region. A code that does not
// check is judged by its birthday alone: an ID number with a wrong check character is somebody's, mistyped.
func idNumber(s string, checks bool) bool {
	if _, found := code.ScanPII(s); found {
		return true
	}
	if len(s) != 18 || !digitsOnly(s[:17]) || !digitsOnly(s[17:]) && s[17] != 'X' || s[0] < '1' || s[0] > '8' {
		return false
	}
	// The year is moved into the calendar's range: leap years repeat.
	_, err := calendar.ParseDate("20" + s[8:10] + "-" + s[10:12] + "-" + s[12:14])
	century := s[6:8]
	birthday := (century == "19" || century == "20") && err == nil
	return birthday && (!checks || s[2] < '1' || s[2] > '8' || s[3] == '0' || s[3] > '7')
}

// lostDigits tells whether a spreadsheet wrote a long number with an exponent.
func lostDigits(s string) bool {
	mantissa, exponent, ok := strings.Cut(s, "E")
	if !ok || mantissa == "" || !digitsOnly(strings.Replace(mantissa, ".", "", 1)) {
		return false
	}
	exponent = strings.TrimPrefix(exponent, "+")
	return exponent != "" && digitsOnly(exponent)
}

func digitsOnly(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// date reads a day. Spellings that leave no doubt are mended.
func (m *mapper) date(name string, optional bool) calendar.Date {
	f, s := m.trimmed(name)
	if m.failed() {
		return calendar.Unset
	}
	if s == "" {
		if !optional {
			m.refuse(CodeDate, f, "is empty")
		}
		return calendar.Unset
	}
	d, mended, problem := parseDate(s)
	if problem != "" {
		m.refuse(CodeDate, f, problem)
		return calendar.Unset
	}
	if _, raw := m.cell(name); mended || raw != s {
		m.note(f, "was written another way and is read as "+d.String())
	}
	return d
}

// parseDate reads YYYY-MM-DD, and 2026/7/15, 2026.7.15, 2026-7-15, 2026年7月15日, 20260715, each also with a time of day.
func parseDate(s string) (d calendar.Date, mended bool, problem string) {
	if d, err := calendar.ParseDate(s); err == nil {
		return d, false, ""
	}
	day := s
	if i := strings.IndexAny(s, " T"); i > 0 {
		if !timeOfDay(strings.TrimSpace(s[i+1:])) {
			return 0, false, "is no date"
		}
		day = s[:i]
	}
	var parts []string
	switch {
	case digitsOnly(day) && len(day) == 8:
		parts = []string{day[:4], day[4:6], day[6:]}
	case digitsOnly(day), pointed(day), lostDigits(day):
		return 0, false, "is a bare number: a spreadsheet's serial number is no date"
	case strings.Contains(day, "年"):
		year, rest, _ := strings.Cut(day, "年")
		month, rest, ok := strings.Cut(rest, "月")
		dayOf := strings.TrimSuffix(rest, "日")
		if !ok {
			return 0, false, "is no date"
		}
		parts = []string{year, month, dayOf}
	default:
		for _, sep := range []string{"-", "/", "."} {
			if parts = strings.Split(day, sep); len(parts) == 3 {
				break
			}
		}
	}
	if len(parts) != 3 {
		return 0, false, "is no date"
	}
	var n [3]int
	for i, p := range parts {
		p = strings.TrimSpace(p)
		if !digitsOnly(p) || i == 0 && len(p) != 4 || len(p) > 4 || i > 0 && len(p) > 2 {
			return 0, false, "is no date with a year of four digits first"
		}
		for _, c := range []byte(p) {
			n[i] = n[i]*10 + int(c-'0')
		}
	}
	d, err := calendar.FromYMD(n[0], n[1], n[2])
	switch {
	case errors.Is(err, calendar.ErrRange):
		return 0, false, "lies outside 1990 to 2100"
	case err != nil:
		return 0, false, "is no day of the calendar"
	}
	return d, true, ""
}

// pointed tells whether s is digits with one point among them: the serial number of a day with its time, or a year with a month.
func pointed(s string) bool {
	whole, part, ok := strings.Cut(s, ".")
	return ok && digitsOnly(whole) && digitsOnly(part)
}

func timeOfDay(s string) bool {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	for i, p := range parts {
		if i == 2 {
			p, _, _ = strings.Cut(p, ".")
		}
		if !digitsOnly(p) || len(p) > 2 {
			return false
		}
	}
	return true
}

// amount reads 万元 as fen.
func (m *mapper) amount(name string) (fen int64, given bool) {
	f, s := m.trimmed(name)
	if m.failed() || s == "" {
		return 0, false
	}
	out := strings.ReplaceAll(s, " ", "")
	out = strings.TrimSuffix(out, "万元")
	out, grouped := ungroup(out)
	fen, err := code.ParseWanYuan(out)
	if err != nil {
		if lostDigits(strings.ToUpper(out)) {
			m.refuse(code.ErrAmount, f, "is a number with an exponent: the spreadsheet has lost its digits")
		} else {
			m.fail(refusalOf(err, f))
		}
		return 0, false
	}
	if _, raw := m.cell(name); out != raw || grouped {
		m.note(f, "was mended: full-width characters, blanks, separators of thousands or the unit")
	}
	return fen, true
}

// ungroup takes the separators of thousands out where they stand as they should: 1,234,567.8
func ungroup(s string) (string, bool) {
	whole, frac, point := strings.Cut(s, ".")
	groups := strings.Split(whole, ",")
	if len(groups) < 2 {
		return s, false
	}
	for i, g := range groups {
		if !digitsOnly(g) || i > 0 && len(g) != 3 || i == 0 && len(g) > 3 {
			return s, false
		}
	}
	out := strings.Join(groups, "")
	if point {
		out += "." + frac
	}
	return out, true
}

// region reads a region code. That it exists is for the chain's region table to say.
func (m *mapper) region(name string) string {
	return m.coded(name, code.NormalizeRegion, code.CheckRegion, code.ErrRegion, false)
}

func (m *mapper) commitmentCode(name string, optional bool) string {
	return m.coded(name, code.NormalizeCommitmentCode, code.CheckCommitmentCode, code.ErrCommitmentCode, optional)
}

func (m *mapper) docNo(name string) string {
	return m.coded(name, code.NormalizeDocNo, code.CheckDocNo, code.ErrDocNo, false)
}

func (m *mapper) coded(name string, normalize func(string) (string, bool), check func(string) error, empty string, optional bool) string {
	f, s := m.cell(name)
	if m.failed() {
		return ""
	}
	out, changed := normalize(s)
	if out == "" {
		if !optional {
			m.refuse(empty, f, "is empty")
		}
		return ""
	}
	if err := check(out); err != nil {
		if lostDigits(out) {
			m.refuse(empty, f, "is a number with an exponent: the spreadsheet has lost its last digits")
			m.row.Refusal.Remedy = "format the column as text and enter the number again"
		} else {
			m.fail(refusalOf(err, f))
		}
		return ""
	}
	if changed {
		m.note(f, "was mended to its standard spelling")
	}
	return out
}

// token reads a short code.
func (m *mapper) token(name string) string {
	f, s := m.trimmed(name)
	if m.failed() || s == "" {
		return ""
	}
	out := strings.ReplaceAll(s, " ", "")
	if err := code.CheckCodeToken(out, tokenMax); err != nil {
		m.fail(refusalOf(err, f))
		return ""
	}
	if kind, found := code.ScanPII(out); found {
		m.refuse(code.ErrPII, f, "holds what looks like a "+kind)
		return ""
	}
	if _, raw := m.cell(name); out != raw {
		m.note(f, mendedWidth)
	}
	return out
}

// refuseValue refuses a cell that holds none of its values, and says which they are.
func (m *mapper) refuseValue(code string, f *Field, what, values string) {
	m.fail(&Refusal{Code: code, Reason: f.Label() + " " + what, Rule: remedies[code].rule, Remedy: "write one of the values: " + values})
}

// named lists the values of a code table.
func named(name func(uint32) string) string {
	var out []string
	for n := range code.PenaltyOther + 1 {
		if s := name(n); s != "" {
			out = append(out, fmt.Sprint(n, " ", s))
		}
	}
	return strings.Join(out, "、")
}

// value reads a cell by a code table, with the names in it; nil where it has none, and then it may be empty.
func (m *mapper) value(name string, parse func(string) (uint32, error), nameOf func(uint32) string, optional bool) uint32 {
	f, s := m.trimmed(name)
	if m.failed() {
		return 0
	}
	if s == "" {
		if !optional {
			m.refuseValue(CodeValue, f, "is empty", named(nameOf))
		}
		return 0
	}
	n, err := parse(s)
	switch {
	case err == nil:
	case nameOf == nil:
		m.fail(refusalOf(err, f))
	default:
		m.refuseValue(CodeValue, f, "is none of the values of the field", named(nameOf))
	}
	return n
}

// words are what people write into a cell that is no code table's.
type words struct {
	usual   string // one for each number
	numbers map[string]uint32
}

// word reads a cell by a list of words.
func (m *mapper) word(name, emptyCode string, w words) uint32 {
	f, s := m.trimmed(name)
	if m.failed() {
		return 0
	}
	n, ok := w.numbers[strings.ToLower(strings.ReplaceAll(s, " ", ""))]
	switch {
	case ok:
		return n
	case s == "":
		m.refuseValue(emptyCode, f, "is empty", w.usual)
	default:
		m.refuseValue(CodeValue, f, "is none of the values of the field", w.usual)
	}
	return 0
}

var (
	yesNo = words{"是 (yes)、否 (no)", map[string]uint32{
		"": 0, "是": 1, "否": 0, "有": 1, "无": 0, "yes": 1, "no": 0, "y": 1, "n": 0, "true": 1, "false": 0, "1": 1, "0": 0,
		"已同达": 1, "同达": 1, "两书同达": 1, "未同达": 0,
	}}
	statements = words{"已听取 (heard)、放弃 (waived)", map[string]uint32{
		"heard": 1, "1": 1, "已听取": 1, "听取": 1, "已陈述申辩": 1, "陈述申辩": 1, "已听取陈述申辩": 1,
		"waived": 2, "2": 2, "放弃": 2, "已放弃": 2, "视为放弃": 2, "放弃陈述申辩": 2, "未陈述申辩": 2,
	}}
	hearings = words{"无 (none)、已听证 (held)、放弃 (waived)", map[string]uint32{
		"": 0, "none": 0, "0": 0, "无": 0, "未听证": 0, "不适用": 0,
		"held": 1, "1": 1, "已听证": 1, "已举行": 1, "举行": 1,
		"waived": 2, "2": 2, "放弃": 2, "已放弃": 2, "视为放弃": 2, "放弃听证": 2,
	}}
	// otherCategories are words for organisations beside those of the code table.
	otherCategories = map[string]uint32{
		"企业": 1, "企业法人": 1, "机关": 1, "事业单位": 1, "社会组织": 1, "社会团体": 1, "其他组织": 1, "农民专业合作社": 1,
		"个人": 2, "公民": 2, "个体": 4, "个体工商户经营者": 4,
	}
)

// organisationName names the categories that the ledger takes.
func organisationName(n uint32) string {
	if n == code.CategoryNaturalPerson {
		return ""
	}
	return code.SubjectCategoryName(n)
}

// category reads a 类别 and refuses natural persons. An unknown word is refused too: it might be one for a person.
func (m *mapper) category(name string, optional bool) uint32 {
	f, _ := m.cell(name)
	n := m.value(name, func(s string) (uint32, error) {
		if n, ok := otherCategories[strings.ReplaceAll(s, " ", "")]; ok {
			return n, nil
		}
		return code.ParseSubjectCategory(s)
	}, organisationName, optional)
	if n == code.CategoryNaturalPerson {
		m.refuse(CodeNaturalPerson, f, "says that the row is about a natural person")
	}
	return n
}

// digest reads 64 hexadecimal digits.
func (m *mapper) digest(name string) []byte {
	f, s := m.trimmed(name)
	if m.failed() || s == "" {
		return nil
	}
	s = strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(s, " ", "")), "sha256:")
	out, err := hex.DecodeString(s)
	if err != nil || len(out) != 32 {
		m.refuse(CodeDigest, f, "is no SHA-256 digest")
		return nil
	}
	return out
}

// text reads a cell for the vault.
func (m *mapper) text(name string, required bool) string {
	f, s := m.cell(name)
	if m.failed() {
		return ""
	}
	out := m.mendText(f.Label(), s)
	if out == "" && required {
		m.refuse(CodeText, f, "is empty")
	}
	return out
}

// mendText keeps words, line breaks and rare characters, and notes what a reader may want to compare with the file.
func (m *mapper) mendText(label, s string) string {
	out, changed := code.MendText(s)
	var what []string
	if changed {
		what = append(what, "blanks or line ends were mended")
	}
	if strings.Contains(out, "\n") {
		what = append(what, "its line breaks are kept")
	}
	if strings.ContainsFunc(out, func(r rune) bool { return r > 0xFFFF }) {
		what = append(what, "its characters outside the basic plane are kept")
	}
	if len(what) > 0 {
		m.row.Notes = append(m.row.Notes, label+": "+strings.Join(what, ", "))
	}
	return out
}

// texts collects the cells that go to the vault as they are: text fields, and columns that no field knows.
func (m *mapper) texts() map[string]string {
	out := map[string]string{}
	for i, c := range m.h.columns {
		if c.field != nil || c.title == "" || c.drop {
			continue
		}
		label := "column " + itoa(i+1)
		if kind, found := code.ScanPII(m.cells[i]); found && kind == code.PIIIDNumber {
			// A column of persons' numbers under a title that nobody foresaw.
			m.row.Notes = append(m.row.Notes, label+" holds a natural person's number and was dropped")
			continue
		}
		if t := m.mendText(label, m.cells[i]); t != "" {
			out[c.title] = t
		}
	}
	for _, name := range m.h.order() {
		if f := m.h.byName[name]; f.Text {
			if t := m.text(name, false); t != "" {
				out[name] = t
			}
		}
	}
	return out
}

// order gives the fields that have a column or a declared value, by name.
func (h *header) order() []string {
	names := sortedKeys(h.declared)
	names = append(names, sortedKeys(h.at)...)
	slices.Sort(names)
	return names
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func newReader(raw []byte) io.Reader { return bytes.NewReader(raw) }
