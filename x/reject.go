package x

import (
	"errors"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// Rejection is a refusal by a rule. Number and Code are permanent and mean the same for ever; a number that retires is never given
// again. The text is for people and may change: it is not part of consensus.
type Rejection struct {
	Number   uint32        // module × 100 + n; hashed into the block's results
	Code     string        // as in Appendix C of the domain rules
	Rule     string        // source key of the rule
	Text     string        // what is wrong
	Remedy   string        // what to do
	PassesOn calendar.Date // first day on which it would pass; 0 = no such day
}

func (r *Rejection) Error() string {
	s := r.Code + ": " + r.Text
	if r.Rule != "" {
		s += " (rule " + r.Rule + ")"
	}
	if r.PassesOn != 0 {
		s += "; passes on " + r.PassesOn.String()
	}
	if r.Remedy != "" {
		s += "; " + r.Remedy
	}
	return s
}

// Is makes errors.Is compare by number, so that a refusal with details is still the refusal that was declared.
func (r *Rejection) Is(target error) bool {
	var t *Rejection
	return errors.As(target, &t) && t.Number == r.Number
}

// With gives the refusal with a text that speaks of the case at hand.
func (r *Rejection) With(format string, args ...any) *Rejection {
	c := *r
	c.Text = fmt.Sprintf(format, args...)
	return &c
}

// On gives the refusal with the first day on which it would pass.
func (r *Rejection) On(d calendar.Date) *Rejection {
	c := *r
	c.PassesOn = d
	return &c
}

var (
	rejections = map[uint32]*Rejection{}
	rejectCode = map[string]uint32{}
)

// Reject declares a refusal. It is called at package initialisation alone; a number or code declared twice is a bug.
func Reject(number uint32, code, rule, text, remedy string) *Rejection {
	if old, ok := rejections[number]; ok {
		panic(fmt.Sprintf("refusal %d is declared twice: %s and %s", number, old.Code, code))
	}
	if _, ok := rejectCode[code]; ok {
		panic(fmt.Sprintf("refusal %s is declared twice", code))
	}
	r := &Rejection{Number: number, Code: code, Rule: rule, Text: text, Remedy: remedy}
	rejections[number] = r
	rejectCode[code] = number
	return r
}

// ByNumber finds a declared refusal.
func ByNumber(number uint32) (*Rejection, bool) {
	r, ok := rejections[number]
	return r, ok
}

// Refusals lists all that are declared, by number ascending: for documents and for the test that each is reached.
func Refusals() []*Rejection {
	out := make([]*Rejection, 0, len(rejections))
	for n := uint32(0); len(out) < len(rejections); n++ {
		if r, ok := rejections[n]; ok {
			out = append(out, r)
		}
	}
	return out
}

// Refusals that every module shares: module 1 is this package.
var (
	ErrDigest = Reject(101, "E_DIGEST", "WIRE", "a digest is missing or not 32 bytes", "send the SHA-256 digest of the paper that the message rests on")
	ErrToken  = Reject(102, "E_TOKEN", "WIRE", "a short code holds other characters than letters, digits, '_', '.' and '-', or is too long", "correct the field")
	ErrDate   = Reject(103, "E_DATE", "WIRE", "a date is missing or out of range", "correct the date")
	ErrPII    = Reject(104, "E_PII_ON_CHAIN", "INV-17", "a field looks like an ID or telephone number of a person", "leave personal data in the vault")
	ErrUSCC   = Reject(105, "E_USCC_CHECK", "GB 32100", "the unified social credit code is not valid", "correct the code")
	// 106–109 name the other faults of a unified social credit code.
	ErrUSCCLen      = Reject(106, "E_USCC_LEN", "GB 32100", "the unified social credit code has not 18 characters", "correct the code")
	ErrUSCCAlphabet = Reject(107, "E_USCC_ALPHABET", "GB 32100", "the unified social credit code holds a character outside its alphabet", "correct the code")
	ErrUSCCType     = Reject(108, "E_USCC_TYPE", "GB 32100", "the registering department or class of the unified social credit code is not defined", "correct the code")
	ErrUSCCRegion   = Reject(109, "E_USCC_REGION", "GB 32100", "the region part of the unified social credit code is not six digits", "correct the code")
	ErrTooMany      = Reject(110, "E_LIMIT", "WIRE", "a list or text is longer than its limit", "split it or shorten it")
	ErrNotIssuer    = Reject(112, "E_NOT_ISSUER", "谁认定、谁修复", "only the agency that issued the record may do this", "let the issuing agency decide")
	// ErrDifferently is what every kind of record answers to its own key with other content.
	ErrDifferently = Reject(113, "E_RECORDED_DIFFERENTLY", "design/idempotent records", "this stands with other content", "compare with what is recorded; a factual error is corrected, not recorded again")
	// ErrRows is no refusal of the gate: only who executes a block knows what its messages look through.
	ErrRows = Reject(114, "E_ROW_SHARE", "design §4", "the block has looked through as many rows of subjects for the member as its share is", "send the rest after the next blocks")
	ErrEnum = Reject(111, "E_VALUE", "WIRE", "a field holds a value that is not defined", "correct the field")
)
