package attest

import (
	"fmt"
	"strings"
)

// usccAlphabet is that of GB 32100, value = index.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// isUSCC tells whether s has the one form of a 统一社会信用代码, check character included. Nothing is mended: a code in
// lower case or full width is another key of the tree, so that its absence would say nothing. Which department may issue which
// class is left to the ledger. The rules have their own, fuller check; this one keeps the verifier free of them.
func isUSCC(s string) bool {
	if len(s) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := 0; i < 17; i++ {
		v := strings.IndexByte(usccAlphabet, s[i])
		if v < 0 {
			return false
		}
		if i >= 2 && i < 8 && v > 9 {
			return false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return s[17] == usccAlphabet[(31-sum%31)%31]
}

// isDigits tells whether s consists of n ASCII digits.
func isDigits(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := 0; i < n; i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// CheckSubject accepts a 统一社会信用代码 in its one form.
func CheckSubject(s string) error {
	if !isUSCC(s) {
		return fmt.Errorf("the subject %.40q is not a 统一社会信用代码: 18 characters, upper case, with the right check character", s)
	}
	return nil
}
