package x

import (
	"errors"

	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// Checks of single fields that every module uses. They need no state.

// CheckDigest refuses what is not a SHA-256 digest. An empty one passes where it is optional.
func CheckDigest(d []byte, field string, optional bool) error {
	if optional && len(d) == 0 {
		return nil
	}
	if len(d) != 32 {
		return ErrDigest.With("%s has %d bytes instead of 32", field, len(d))
	}
	return nil
}

// CheckToken refuses what is not a short closed code. Every token is scanned for personal numbers (INV-17).
func CheckToken(s, field string, optional bool) error {
	if optional && s == "" {
		return nil
	}
	if err := code.CheckCodeToken(s, 64); err != nil {
		return ErrToken.With("%s: %s", field, Why(err))
	}
	return CheckPII(s, field)
}

// CheckPII refuses text that holds an ID or mobile number (INV-17).
func CheckPII(s, field string) error {
	if kind, found := code.ScanPII(s); found {
		return ErrPII.With("%s holds what looks like %s", field, kind)
	}
	return nil
}

// CheckDate refuses a date outside the legal calendar. 0 passes where it is optional.
func CheckDate(d int32, field string, optional bool) error {
	if d == 0 {
		if optional {
			return nil
		}
		return ErrDate.With("%s is missing", field)
	}
	if !calendar.Date(d).Valid() {
		return ErrDate.With("%s is outside 1990–2100", field)
	}
	return nil
}

// CheckUSCC refuses what is not a unified social credit code, with the refusal that names its fault.
func CheckUSCC(s, field string) error {
	err := code.CheckUSCC(s)
	if err == nil {
		return nil
	}
	var p *code.Problem
	if errors.As(err, &p) {
		for _, r := range []*Rejection{ErrUSCC, ErrUSCCLen, ErrUSCCAlphabet, ErrUSCCType, ErrUSCCRegion} {
			if r.Code == p.Code {
				return r.With("%s: %s", field, p.Detail)
			}
		}
	}
	return ErrUSCC.With("%s: %s", field, Why(err))
}

// Why gives what is wrong without the code that the edge would print: the refusal has its own.
func Why(err error) string {
	var p *code.Problem
	if errors.As(err, &p) {
		return p.Detail
	}
	return err.Error()
}
