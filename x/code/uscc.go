package code

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// usccAlphabet is that of GB 32100: no I O S V Z. A character's value is its index.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// usccTypes lists the registration departments with the classes each may issue.
var usccTypes = [...]struct {
	department byte
	classes    string
}{
	{'1', "1239"}, // 机构编制: 机关, 事业单位, 群众团体, 其他
	{'2', "19"},   // 外交
	{'3', "123459"},
	{'4', "19"},   // 文化
	{'5', "1239"}, // 民政: 社会团体, 民办非企业单位, 基金会, 其他
	{'6', "129"},  // 旅游
	{'7', "129"},  // 宗教
	{'8', "19"},   // 工会
	{'9', "1239"}, // 市场监管: 企业, 个体工商户, 农民专业合作社, 其他
	{'A', "19"},   // 军队
	{'N', "1239"}, // 农业: 组级, 村级, 乡镇级集体经济组织, 其他
	{'Y', "1"},    // 其他
}

// NormalizeUSCC mends a 统一社会信用代码 as written by people: full-width to half-width, upper case,
// blanks and hyphens removed.
func NormalizeUSCC(s string) (out string, changed bool) {
	if len(s) > MaxIdentifierInput {
		return s, false
	}
	out = strings.Map(func(r rune) rune {
		r = halfWidth(r)
		switch {
		case r == '-' || isBlank(r) || isInvisible(r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
	return out, out != s
}

// CheckUSCC accepts a 统一社会信用代码 by GB 32100: length, alphabet, type, region digits, check
// character, in this order. The inner check is OrgCheckOK.
func CheckUSCC(s string) error {
	if len(s) != usccLen {
		if len(s) > MaxIdentifierInput || utf8.RuneCountInString(s) != usccLen {
			return problem(ErrUSCCLen, "a 统一社会信用代码 has 18 characters")
		}
		return problem(ErrUSCCAlphabet, "a character outside ASCII")
	}
	for i := 0; i < usccLen; i++ {
		if usccValue(s[i]) < 0 {
			return problem(ErrUSCCAlphabet, "character "+strconv.Itoa(i+1)+" is not of the alphabet "+usccAlphabet)
		}
	}
	if !usccTypeKnown(s[0], s[1]) {
		return problem(ErrUSCCType, "no such department and class in characters 1-2")
	}
	if !allDigits(s[2:8]) {
		return problem(ErrUSCCRegion, "characters 3-8 are not six digits")
	}
	if s[17] != usccCheckChar(s[:17]) {
		return problem(ErrUSCCCheck, "the check character does not fit")
	}
	return nil
}

// OrgCheckOK tells whether characters 9-17, the organisation code of GB 11714, carry their own
// right check character. A wrong one is a warning (WarnUSCCOrgCheck) by default, since such
// codes have been issued.
func OrgCheckOK(s string) bool {
	if len(s) != usccLen {
		return false
	}
	c, ok := orgCheckChar(s[8:16])
	return ok && s[16] == c
}

// CompleteUSCC makes a whole code from its first eight characters (department, class, region) and
// the eight of the organisation code without its check character; empty if they cannot be one.
// It is for samples and tests: nobody assigns codes here.
func CompleteUSCC(first8, body8 string) string {
	if len(first8) != 8 || len(body8) != 8 {
		return ""
	}
	inner, ok := orgCheckChar(body8)
	if !ok {
		return ""
	}
	s := first8 + body8 + string(inner)
	for i := 0; i < len(s); i++ {
		if usccValue(s[i]) < 0 {
			return ""
		}
	}
	s += string(usccCheckChar(s))
	if CheckUSCC(s) != nil {
		return ""
	}
	return s
}

// usccValues are the values of all bytes: codes are checked with every record, a character at a time.
var usccValues = func() (v [256]int8) {
	for c := range v {
		v[c] = int8(strings.IndexByte(usccAlphabet, byte(c)))
	}
	return v
}()

// usccValue is the value of a character, -1 outside the alphabet.
func usccValue(c byte) int { return int(usccValues[c]) }

// usccTypeKnown tells whether a department issues that class.
func usccTypeKnown(department, class byte) bool {
	for _, t := range usccTypes {
		if t.department == department {
			return strings.IndexByte(t.classes, class) >= 0
		}
	}
	return false
}

// usccSum is the weighted sum of the first 17 characters; weights are the powers of 3 modulo 31.
func usccSum(s17 string) int {
	sum, weight := 0, 1
	for i := 0; i < len(s17); i++ {
		sum += usccValue(s17[i]) * weight
		weight = weight * 3 % 31
	}
	return sum
}

// usccCheckChar is the 18th character for 17 characters of the alphabet.
func usccCheckChar(s17 string) byte {
	// The outer modulo matters: a sum divisible by 31 has the check character 0, not index 31.
	return usccAlphabet[(31-usccSum(s17)%31)%31]
}

// orgCheckChar is the check character of GB 11714 over eight characters 0-9 A-Z.
func orgCheckChar(body8 string) (c byte, ok bool) {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i := 0; i < 8; i++ {
		switch c := body8[i]; {
		case isDigit(c):
			sum += int(c-'0') * weights[i]
		case c >= 'A' && c <= 'Z':
			sum += int(c-'A'+10) * weights[i]
		default:
			return 0, false
		}
	}
	switch v := 11 - sum%11; v {
	case 10:
		return 'X', true
	case 11:
		return '0', true
	default:
		return byte('0' + v), true
	}
}
