package intake

import (
	"errors"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/code"
)

// Refusal says why a row becomes no record: a code of the rule book, one line, the rule's source, and what to do. It never
// repeats what stands in a cell.
type Refusal struct {
	Code   string
	Reason string
	Rule   string
	Remedy string
}

// Error is the one line for people.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %s (rule %s); %s", r.Code, r.Reason, r.Rule, r.Remedy)
}

// Codes of this package, beside those of package code.
const (
	CodeRow           = "E_ROW"             // the row cannot be read as cells
	CodeColumn        = "E_COLUMN"          // the header lacks a column, or has one twice
	CodeFile          = "E_FILE"            // the file cannot be read
	CodeProfile       = "E_PROFILE"         // the profile does not hold
	CodeDate          = "E_DATE"            // a date is missing or is no date
	CodeWindow        = "E_WINDOW"          // a window ends before it begins
	CodeNotice        = "E_NOTICE"          // notice did not come before the decision
	CodeNaturalPerson = "E_NATURAL_PERSON"  // the row speaks of a natural person
	CodeValue         = "E_VALUE"           // a cell holds no value of its table
	CodeText          = "E_TEXT"            // a text is missing or too long
	CodeFulfilment    = "E_FULFILMENT_TEXT" // texts of an assessment do not fit its status
	CodeDigest        = "E_DIGEST"          // a digest is not 64 hexadecimal digits
	CodeIncomplete    = "E_LIST_INCOMPLETE" // the list of 信用中国 of a firm is not whole
)

// remedies by code, where the code alone says what to do.
var remedies = map[string]struct{ rule, remedy string }{
	code.ErrUSCCLen:        {"GB 32100", "copy the code from the licence, as text"},
	code.ErrUSCCAlphabet:   {"GB 32100", "copy the code from the licence, as text"},
	code.ErrUSCCType:       {"GB 32100", "copy the code from the licence, as text"},
	code.ErrUSCCRegion:     {"GB 32100", "copy the code from the licence, as text"},
	code.ErrUSCCCheck:      {"GB 32100", "copy the code from the licence, as text"},
	code.ErrRegion:         {"GB/T 2260", "write the six-digit region code"},
	code.ErrCommitmentCode: {"X1 field 1", "write 20 digits: region of acceptance, date made, serial"},
	code.ErrDocNo:          {"§7.4", "write the number as on the decision, such as 示例罚〔2026〕1号"},
	code.ErrAmount:         {"X2", "write 万元 in digits with at most six decimals"},
	code.ErrPenaltyKind:    {"L1 art 9", "write the kinds by name or number, parted by ;"},
	code.ErrToken:          {"WIRE", "use letters, digits, '_', '.' and '-'"},
	code.ErrPII:            {"INV-17", "leave personal data out of this field"},
	CodeDate:               {"X2", "write YYYY-MM-DD"},
	CodeWindow:             {"§11.2", "correct the dates"},
	CodeNotice:             {"INV-08, L1 art 44", "correct the dates, or withdraw the decision"},
	CodeNaturalPerson:      {"H1 art 13(3), INV-17", "leave the row out: the ledger takes organisations and 个体工商户 only"},
	CodeValue:              {"WIRE", "write one of the values of the field"},
	CodeText:               {"X1", "fill the cell"},
	CodeFulfilment:         {"X1 fields 12-13", "give 未履行的承诺内容 and 违诺责任追究内容 for status 2 or 3, and neither for 1"},
	CodeDigest:             {"WIRE", "write the SHA-256 digest in 64 hexadecimal digits"},
	CodeIncomplete:         {"INV-42", "correct the rows and send the file again: what a list leaves out is held back"},
	CodeRow:                {"import", "save the file again from the spreadsheet"},
}

// refuse makes a refusal with the remedy of its code.
func refuse(code, format string, args ...any) *Refusal {
	known := remedies[code]
	return &Refusal{Code: code, Reason: fmt.Sprintf(format, args...), Rule: known.rule, Remedy: known.remedy}
}

// refusalOf turns a refusal by form into one of a named field.
func refusalOf(err error, field *Field) *Refusal {
	var p *code.Problem
	if !errors.As(err, &p) {
		return refuse(CodeValue, "%s: %v", field.Label(), err)
	}
	c := p.Code
	if c == code.ErrEnum { // the chain's name for the same refusal
		c = CodeValue
	}
	return refuse(c, "%s: %s", field.Label(), p.Detail)
}

// FileError says why a file, or its profile, cannot be taken in at all. It is one line with its code, rule and remedy.
type FileError struct{ Refusal }

func fileError(code, remedy, format string, args ...any) error {
	return &FileError{Refusal{Code: code, Reason: fmt.Sprintf(format, args...), Rule: "import", Remedy: remedy}}
}
