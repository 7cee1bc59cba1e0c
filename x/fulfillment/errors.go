package fulfillment

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 801–899. Numbers are permanent.
var (
	ErrText       = x.Reject(801, "E_FULFILMENT_TEXT", "X1 fields 12-13, S2", "a breach needs what was not performed and what follows from it; a full performance has neither", "add both texts, or correct the status")
	ErrStatus     = x.Reject(802, "E_FULFILMENT_STATUS", "X1 field 11", "the fulfilment status is 1 全部履行, 2 部分履行 or 3 全部未履行", "correct the status")
	ErrEvidence   = x.Reject(803, "E_EVIDENCE", "§11.1", "an assessment rests on evidence", "add the digest of the inspection or acceptance paper")
	ErrNotice     = x.Reject(804, "E_BREACH_NOTICE", "§11.1, S2", "a breach is found only after written notice and after the subject was heard", "serve notice first; give notice_served_on before assessed_on and statement heard or waived")
	ErrMend       = x.Reject(806, "E_MEND", "§11.1", "no report of mending (自行补正) waits on the commitment", "look at its state first")
	ErrReason     = x.Reject(807, "E_ASSESSMENT_REASON", "INV-32", "a refusal, or a new assessment in place of another, needs its reason", "add the digest of the written reason")
	ErrPaper      = x.Reject(808, "E_MEND_PAPER", "design §4", "an agent files with the digest of the signed paper", "add paper_digest")
	ErrInspection = x.Reject(809, "E_INSPECTION", "A1-2, S0", "the inspection that the assessment rests on is not one of this subject by the assessor, or not of its time", "name the record id of the inspection, or leave it out")
	ErrWindow     = x.Reject(805, "E_ASSESSED_ON", "X1 field 14", "the assessment lies before the commitment or in the future", "correct assessed_on")
)
