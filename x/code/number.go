package code

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// NormalizeRegion mends a 行政区划代码 cell: half-width, no blanks.
func NormalizeRegion(s string) (out string, changed bool) { return normalizeDigits(s) }

// CheckRegion accepts the syntax of a 行政区划代码: six digits, the first not 0. Whether the region
// exists and what it belongs to is a matter of the region table, never of the digits.
func CheckRegion(s string) error {
	if len(s) != regionLen || !allDigits(s) || s[0] == '0' {
		return problem(ErrRegion, "a region code has six digits, the first not 0")
	}
	return nil
}

// NormalizeCommitmentCode mends a 承诺编码 cell: half-width, no blanks.
func NormalizeCommitmentCode(s string) (out string, changed bool) { return normalizeDigits(s) }

// CommitmentParts is what a 承诺编码 says: the region of acceptance, the day the promise was made and
// a serial number.
type CommitmentParts struct {
	Region           string
	Year, Month, Day int
	Serial           string
}

// CheckCommitmentCode accepts a 承诺编码: region (6), day (8), serial (6), digits throughout. The day
// must exist; that it is the day of the record is for the rule to compare.
func CheckCommitmentCode(s string) error {
	_, err := ParseCommitmentCode(s)
	return err
}

// ParseCommitmentCode checks a 承诺编码 and gives its parts.
func ParseCommitmentCode(s string) (CommitmentParts, error) {
	if len(s) != commitmentCodeLen || !allDigits(s) {
		return CommitmentParts{}, problem(ErrCommitmentCode, "a commitment code has 20 digits: region, yyyymmdd, serial")
	}
	p := CommitmentParts{
		Region: s[:6],
		Year:   number(s[6:10]),
		Month:  number(s[10:12]),
		Day:    number(s[12:14]),
		Serial: s[14:],
	}
	if CheckRegion(p.Region) != nil {
		return CommitmentParts{}, problem(ErrCommitmentCode, "digits 1-6 are not a region code")
	}
	if p.Year < 1990 || p.Year > 2100 || !dayExists(p.Year, p.Month, p.Day) {
		return CommitmentParts{}, problem(ErrCommitmentCode, "digits 7-14 are not a day")
	}
	return p, nil
}

// MakeCommitmentCode joins the parts; the result still has to pass CheckCommitmentCode.
func MakeCommitmentCode(p CommitmentParts) string {
	return p.Region + pad(p.Year, 4) + pad(p.Month, 2) + pad(p.Day, 2) + p.Serial
}

// docNoBrackets are the pairs people write around the year in place of 〔〕.
const (
	docNoOpen  = "〔[(【（［﹝〖{｛"
	docNoClose = "〕])】）］﹞〗}｝"
)

// NormalizeDocNo mends a document number (文号): blanks removed, digits, letters and hyphens
// half-width, the brackets around the year 〔〕, other round brackets full-width. Distinct numbers
// stay distinct: case, leading zeros and 第 are part of the number.
func NormalizeDocNo(s string) (out string, changed bool) {
	if len(s) > MaxIdentifierInput {
		return s, false
	}
	rs := []rune(stripBlanks(s))
	for i, r := range rs {
		switch h := halfWidth(r); {
		case h < utf8.RuneSelf && (isDigit(byte(h)) || isLetter(byte(h))):
			rs[i] = h
		case h == '-', r >= 0x2010 && r <= 0x2015, r == 0x2212:
			rs[i] = '-'
		case h == '(':
			rs[i] = '（'
		case h == ')':
			rs[i] = '）'
		}
	}
	// The last bracketed year is the year; an earlier one belongs to the office's name.
	for i := len(rs) - 6; i >= 0; i-- {
		if strings.ContainsRune(docNoOpen, rs[i]) && strings.ContainsRune(docNoClose, rs[i+5]) && isYear(rs[i+1:i+5]) {
			rs[i], rs[i+5] = '〔', '〕'
			break
		}
	}
	out = string(rs)
	return out, out != s
}

// isYear tells whether four characters are a year 19xx or 20xx.
func isYear(rs []rune) bool {
	for _, r := range rs {
		if r < '0' || r > '9' {
			return false
		}
	}
	return rs[0] == '1' && rs[1] == '9' || rs[0] == '2' && rs[1] == '0'
}

// CheckDocNo accepts a document number in its normal form:
//
//	office (2-40: Chinese characters, digits, letters, brackets, ·) 〔year〕 第? serial (1-24: digits, letters, -) 号
//
// at most MaxDocNo characters in all and without a natural person's number in it (INV-17). What
// NormalizeDocNo would change is refused: one number, one spelling, one key.
func CheckDocNo(s string) error {
	if len(s) > MaxDocNo*utf8.UTFMax || utf8.RuneCountInString(s) > MaxDocNo {
		return problem(ErrDocNo, "longer than "+strconv.Itoa(MaxDocNo)+" characters")
	}
	if !utf8.ValidString(s) {
		return problem(ErrDocNo, "not clean UTF-8")
	}
	rs := []rune(s)
	open := -1
	for i, r := range rs {
		if r == '〔' {
			open = i
			break
		}
	}
	if open < 0 || open+5 >= len(rs) || rs[open+5] != '〕' || !isYear(rs[open+1:open+5]) {
		return problem(ErrDocNo, "no year in 〔〕")
	}
	if open < 2 || open > 40 {
		return problem(ErrDocNo, "the office before the year has 2 to 40 characters")
	}
	for i, r := range rs[:open] {
		ok := isHan(r) || r == '（' || r == '）' || r == '·' ||
			r < utf8.RuneSelf && (isDigit(byte(r)) || isLetter(byte(r)))
		if !ok {
			return problem(ErrDocNo, "character "+strconv.Itoa(i+1)+" may not stand in an office's name")
		}
	}
	tail := rs[open+6:]
	if len(tail) > 0 && tail[0] == '第' {
		tail = tail[1:]
	}
	if len(tail) < 2 || tail[len(tail)-1] != '号' {
		return problem(ErrDocNo, "no serial number and 号 after the year")
	}
	serial := tail[:len(tail)-1]
	if len(serial) > 24 {
		return problem(ErrDocNo, "a serial number has at most 24 characters")
	}
	for _, r := range serial {
		if r >= utf8.RuneSelf || !isDigit(byte(r)) && !isLetter(byte(r)) && r != '-' {
			return problem(ErrDocNo, "a serial number has only digits, letters and -")
		}
	}
	if kind, found := ScanPII(s); found {
		return problem(ErrPII, "the document number holds a "+kind)
	}
	return nil
}

// normalizeDigits mends a cell that should be digits only.
func normalizeDigits(s string) (string, bool) {
	if len(s) > MaxIdentifierInput {
		return s, false
	}
	out := stripBlanks(ToHalfWidth(s))
	return out, out != s
}

// dayExists tells whether a Gregorian day exists. Written again here, in four lines, because this
// package imports nothing of the project.
func dayExists(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	last := [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		last = 29
	}
	return day <= last
}

// pad writes n in at least width digits.
func pad(n, width int) string {
	s := strconv.Itoa(n)
	if len(s) < width {
		s = strings.Repeat("0", width-len(s)) + s
	}
	return s
}
