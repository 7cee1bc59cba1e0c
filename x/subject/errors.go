package subject

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 601–699. Numbers are permanent.
var (
	ErrUnknown  = x.Reject(601, "E_SUBJECT_UNKNOWN", "design/recording never enrols", "the subject is not enrolled", "ask the registry to enrol the firm, then send the record again")
	ErrCategory = x.Reject(602, "E_NATURAL_PERSON", "INV-10, PIPL", "natural persons are not subjects of this ledger", "leave the record out")
	ErrRegion   = x.Reject(603, "E_REGION", "GB/T 2260", "the region is not in the region table", "correct the region code, or have governance add it")
	ErrOrgCheck = x.Reject(605, "E_USCC_ORGCHECK", "GB 11714", "the organisation part of the code (characters 9-17) has a wrong check character", "correct the code, or have governance let such codes in: parameter uscc_inner_check")
	ErrStatus   = x.Reject(604, "E_SUBJECT_STATUS", "WIRE", "the subject's status is not defined", "use active, deregistered or revoked")
)
