package attest

import "fmt"

// usccAlphabet is that of GB 32100, value = index.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// usccValue is the index in the alphabet, and what is not in it; usccWeight the weight of a place.
var usccValue, usccWeight = func() (value [256]uint8, weight [17]uint16) {
	for i := range value {
		value[i] = notInAlphabet
	}
	for i, c := range []byte(usccAlphabet) {
		value[c] = uint8(i)
	}
	w := uint16(1)
	for i := range weight {
		weight[i], w = w, w*3%31
	}
	return value, weight
}()

const notInAlphabet = 0xff

// isUSCC tells whether s has the one form of a 统一社会信用代码, check character included. Nothing is mended: a code in
// lower case or full width is another key of the tree, so that its absence would say nothing. Which department may issue which
// class is left to the ledger. The rules have their own, fuller check; this one keeps the verifier free of them.
func isUSCC(s string) bool {
	if len(s) != 18 {
		return false
	}
	sum := 0
	for i := 0; i < 17; i++ {
		v := usccValue[s[i]]
		if v == notInAlphabet || v > 9 && i >= 2 && i < 8 {
			return false
		}
		sum += int(v) * int(usccWeight[i])
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
