package incentive

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1601–1699. Numbers are permanent.
var (
	ErrUnknown  = x.Reject(1601, "E_INCENTIVE_UNKNOWN", "§11.6", "no incentive has this id", "check the id")
	ErrState    = x.Reject(1602, "E_INCENTIVE_STATE", "§11.6", "the incentive's state does not allow this", "look at its state first")
	ErrNoList   = x.Reject(1603, "E_INCENTIVE_NO_LIST", "H1 art 28", "no incentive list of this code is in force", "nobody may add a list but governance: propose put_incentive_list")
	ErrNotice   = x.Reject(1604, "E_INCENTIVE_NOTICE", "H1 art 28, A4-1", "the public notice (公示) has not ended", "decide once it has")
	ErrObjected = x.Reject(1605, "E_INCENTIVE_OBJECTED", "H1 art 28, A4-1", "an objection to the proposal is open", "have it verified and resolved, or decline")
	ErrExcluded = x.Reject(1606, "E_INCENTIVE_EXCLUDED", "§11.6, INV-29", "a published record of the subject excludes it from the list", "wait until the record has left publicity")
	ErrTerm     = x.Reject(1607, "E_INCENTIVE_TERM", "H1 arts 19, 37", "the last day of validity lies after today and within the list's term", "name a day within it")
	ErrReason   = x.Reject(1608, "E_INCENTIVE_REASON", "INV-32", "a decision against an incentive has its reason, a cancellation its cause as well", "add the digest of the written reason, and the cause")
	ErrMeasure  = x.Reject(1609, "E_INCENTIVE_MEASURE", "H1 art 30", "the list brings no such measure", "grant what the list names")
)
