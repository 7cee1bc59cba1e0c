package code

// Problem is a refusal by form: Code is a permanent reason code, Detail one line for a person.
type Problem struct {
	Code   string
	Detail string
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Reason codes of this package. The rules give them their permanent numbers.
const (
	ErrUSCCLen      = "E_USCC_LEN"
	ErrUSCCAlphabet = "E_USCC_ALPHABET"
	ErrUSCCType     = "E_USCC_TYPE"
	ErrUSCCRegion   = "E_USCC_REGION"
	ErrUSCCCheck    = "E_USCC_CHECK"
	// WarnUSCCOrgCheck is a warning: old codes exist whose inner check character is wrong.
	WarnUSCCOrgCheck = "W_USCC_ORGCHECK"

	ErrRegion         = "E_REGION"
	ErrCommitmentCode = "E_COMMITMENT_CODE"
	ErrDocNo          = "E_DOCNO"
	ErrAmount         = "E_AMOUNT"
	ErrEnum           = "E_ENUM"
	ErrPenaltyKind    = "E_PENALTY_KIND"
	ErrToken          = "E_TOKEN"
	ErrText           = "E_TEXT"
	ErrPII            = "E_PII_ON_CHAIN"
)

// problem keeps the refusals below on one line each.
func problem(code, detail string) error { return &Problem{Code: code, Detail: detail} }
