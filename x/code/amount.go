package code

import "strconv"

// fenPerWan is the number of fen in 万元: a millionth of 万元 is one fen.
const fenPerWan = 1_000_000

// ParseWanYuan reads an amount in 万元 with at most six decimals and gives fen, exactly. It refuses
// signs, separators, exponents (a spreadsheet's 9.14E+17 is a lost number, not an amount) and a
// seventh decimal, even a zero: whoever wrote it meant another unit.
func ParseWanYuan(s string) (fen int64, err error) {
	if s == "" {
		return 0, problem(ErrAmount, "empty amount")
	}
	if len(s) > MaxAmountInput {
		return 0, problem(ErrAmount, "amount longer than "+strconv.Itoa(MaxAmountInput)+" characters")
	}
	decimals, digits := -1, 0 // decimals counts after the point, -1 before it
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.' && decimals < 0 && digits > 0:
			decimals = 0
			continue
		case !isDigit(c):
			return 0, problem(ErrAmount, "an amount is digits with at most one decimal point")
		}
		digits++
		if decimals >= 0 {
			decimals++
			if decimals > 6 {
				return 0, problem(ErrAmount, "more than six decimals of 万元")
			}
		}
		// Cannot overflow: fen is at most MaxFen before each step.
		fen = fen*10 + int64(c-'0')
		if fen > MaxFen {
			return 0, problem(ErrAmount, "amount too large")
		}
	}
	if decimals == 0 {
		return 0, problem(ErrAmount, "no digit after the decimal point")
	}
	for range 6 - max(decimals, 0) {
		fen *= 10
		if fen > MaxFen {
			return 0, problem(ErrAmount, "amount too large")
		}
	}
	return fen, nil
}

// FormatWanYuan writes fen as 万元 without needless zeros; ParseWanYuan gives the same fen back.
// A negative amount cannot stand in a record; it is written with its sign for the reader of a log.
func FormatWanYuan(fen int64) string {
	sign, u := "", uint64(fen)
	if fen < 0 {
		sign, u = "-", -u
	}
	s := sign + strconv.FormatUint(u/fenPerWan, 10)
	rest := u % fenPerWan
	if rest == 0 {
		return s
	}
	frac := strconv.FormatUint(fenPerWan+rest, 10)[1:]
	for frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	return s + "." + frac
}
