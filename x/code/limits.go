package code

// Limits on input. Check functions refuse beyond them; Normalize functions hand longer input
// back untouched, for the check to refuse.
const (
	usccLen           = 18
	regionLen         = 6
	commitmentCodeLen = 20

	// MaxDocNo bounds a document number, in characters.
	MaxDocNo = 64
	// MaxIdentifierInput bounds what Normalize functions for identifiers look at, in bytes.
	MaxIdentifierInput = 1024
	// MaxKindsInput bounds a penalty kinds cell, in bytes.
	MaxKindsInput = 2048
	// MaxAmountInput bounds an amount cell, in bytes.
	MaxAmountInput = 32
	// MaxFen bounds one amount: ten trillion yuan. Thousands of them still add up in an int64.
	MaxFen int64 = 1_000_000_000_000_000
)
