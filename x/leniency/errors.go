package leniency

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1101–1149. Numbers are permanent.
var (
	ErrLimb         = x.Reject(1101, "E_NO_PENALTY", "L1 art 33", "the offence does not fit the limb of article 33 that the decision names", "decide by the other limb, or with a penalty")
	ErrFirstOffence = x.Reject(1102, "E_FIRST_OFFENCE", "L1 art 33, first_offence_months", "the offence is not the first under this power within the window", "decide with a penalty, or by the limb that asks for no first offence")
	ErrUnknown      = x.Reject(1103, "E_NO_PENALTY_UNKNOWN", "L1 art 33", "no decision without a penalty has this id", "check the id")
)
