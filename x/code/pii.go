package code

// Kinds of personal number that ScanPII finds.
const (
	PIIIDNumber = "natural person's ID number" // 居民身份证号码, 18 or 15 digits
	PIIMobile   = "mobile phone number"        // 手机号码
)

// ScanPII looks for a natural person's number in text (INV-17): an ID number of GB 11643 (18 with a
// right check character and a possible birthday; 15 in the old form) or a mainland mobile number,
// in half- or full-width digits, standing alone or in the usual groups, never inside a longer
// run of digits. Fields that are codes by type (统一社会信用代码, 承诺编码) are not scanned.
//
// It is a net, not a wall: a number written in words passes. It errs towards finding, because
// what is found is refused and can be sent again, and what is missed stays on chain for good.
func ScanPII(s string) (kind string, found bool) {
	if digitsAtMost(s) < shortestPII {
		return "", false
	}
	text := piiText(s)
	var a, b piiRun // the two runs before; none where no single separator joins them on
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		c := nextRun(text, i)
		if kind := judgeRun(text, c); kind != "" {
			return kind, true
		}
		if !c.joins(text, b) {
			b = piiRun{} // and with it a, which is judged only through b
		}
		if kind := judgeGroups(text, a, b, c); kind != "" {
			return kind, true
		}
		a, b = b, c
		i = c.end
	}
	return "", false
}

// shortestPII is the number of digits of a mobile number: no other has fewer.
const shortestPII = 11

// digitsAtMost counts what may be a digit: a full-width one begins with the byte 0xEF. Nearly all codes and numbers of documents have few, and
// recording scans four texts a record.
func digitsAtMost(s string) (n int) {
	for i := range len(s) {
		if isDigit(s[i]) || s[i] == 0xEF {
			n++
		}
	}
	return n
}

// piiText reduces text to what the scan looks at, one byte for each visible character: digits, X,
// the separators blank - +, and | for all else. A zero-width character must not hide a number.
func piiText(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		r = halfWidth(r)
		switch {
		case isInvisible(r):
		case r >= '0' && r <= '9', r == 'X', r == '-', r == '+':
			out = append(out, byte(r))
		case r == 'x':
			out = append(out, 'X')
		case isBlank(r):
			out = append(out, ' ')
		default:
			out = append(out, '|')
		}
	}
	return out
}

// piiRun is a run of digits text[start:end]. With check set, an X follows that is the last character
// of a number and not the beginning of something else. A run with end 0 is none.
type piiRun struct {
	start, end int
	check      bool
}

func (r piiRun) len() int { return r.end - r.start }

// nextRun reads the run that begins at i.
func nextRun(text []byte, i int) piiRun {
	r := piiRun{start: i}
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	r.end = i
	r.check = i < len(text) && text[i] == 'X' && (i+1 == len(text) || !isDigit(text[i+1]))
	return r
}

// joins tells whether exactly one blank or hyphen stands between before and r.
func (r piiRun) joins(text []byte, before piiRun) bool {
	return before.end > 0 && before.end+1 == r.start && (text[before.end] == ' ' || text[before.end] == '-')
}

// judgeRun names what one run is, or is empty.
func judgeRun(text []byte, r piiRun) string {
	d := text[r.start:r.end]
	switch n := r.len(); {
	case n == 18 && isID18(d),
		n == 17 && r.check && isID18(text[r.start:r.end+1]),
		n == 15 && isID15(d):
		return PIIIDNumber
	case n == 11 && isMobile(d),
		n == 13 && r.start > 0 && text[r.start-1] == '+' && string(d[:2]) == "86" && isMobile(d[2:]),
		n == 15 && string(d[:4]) == "0086" && isMobile(d[4:]):
		return PIIMobile
	}
	return ""
}

// judgeGroups names what three joined runs are together: a mobile number is grouped 3-4-4, an ID
// number 6-8-4.
func judgeGroups(text []byte, a, b, c piiRun) string {
	if a.end == 0 || b.end == 0 || text[a.end] != text[b.end] {
		return ""
	}
	last := text[c.start:c.end]
	if c.check {
		last = text[c.start : c.end+1]
	}
	joined := append(append(append([]byte(nil), text[a.start:a.end]...), text[b.start:b.end]...), last...)
	switch {
	case a.len() == 3 && b.len() == 4 && isMobile(joined):
		return PIIMobile
	case a.len() == 6 && b.len() == 8 && len(joined) == 18 && isID18(joined):
		return PIIIDNumber
	}
	return ""
}

// isID18 judges 17 digits and a digit or X by GB 11643.
func isID18(d []byte) bool {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(d[i]-'0') * w
	}
	if "10X98765432"[sum%11] != d[17] {
		return false
	}
	year := number(string(d[6:10]))
	return year >= 1900 && year <= 2100 && dayExists(year, number(string(d[10:12])), number(string(d[12:14])))
}

// isID15 judges the old form, given out until 1999: region, yymmdd, serial. It has no check
// character, so the province must be a real one. A yy below 30 is not taken for a birthday: its
// bearer would be near a hundred, and offices number documents by region and date of this century.
func isID15(d []byte) bool {
	year := 1900 + number(string(d[6:8]))
	return isProvince(d[0], d[1]) && year >= 1930 && dayExists(year, number(string(d[8:10])), number(string(d[10:12])))
}

// isProvince tells whether two digits begin the region codes of a province.
func isProvince(a, b byte) bool {
	switch a {
	case '1', '6':
		return b >= '1' && b <= '5'
	case '2', '8':
		return b >= '1' && b <= '3'
	case '3':
		return b >= '1' && b <= '7'
	case '4':
		return b >= '1' && b <= '6'
	case '5':
		return b >= '0' && b <= '4'
	case '7':
		return b == '1'
	}
	return false
}

// isMobile judges the digits of a number without its country code.
func isMobile(d []byte) bool {
	return len(d) == 11 && d[0] == '1' && d[1] >= '3' && d[1] <= '9' && d[10] != 'X'
}
