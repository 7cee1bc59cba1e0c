package inspection

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1401–1449. Numbers are permanent.
var (
	ErrForm      = x.Reject(1401, "E_PLAN_FORM", "S0 双随机一公开", "the plan is not well formed", "give four rates of 0 to 1000 permille, not descending, a later day for the draw, a last day for results, and a roster that fills a team")
	ErrUnknown   = x.Reject(1402, "E_PLAN_UNKNOWN", "§10 INSPECTION", "there is no such plan", "check its id")
	ErrState     = x.Reject(1403, "E_PLAN_STATE", "§10 INSPECTION", "the plan's state does not allow this", "look at its state first")
	ErrCandidate = x.Reject(1404, "E_CANDIDATE", "§10 INSPECTION", "candidates have a class of 1 to 4, each stands once", "correct the list")
	ErrNotDrawn  = x.Reject(1405, "E_NOT_DRAWN", "S0 双随机一公开", "the firm was not drawn in this plan", "inspect whom the lot named; other inspections are no random ones")
	ErrResult    = x.Reject(1406, "E_INSPECTION_RESULT", "§10 INSPECTION", "a result is 1 to 6, with its day between the draw and today", "correct the result or its day")
	ErrReason    = x.Reject(1407, "E_PLAN_REASON", "INV-32", "a plan is cancelled with its reason", "add the digest of the written reason")
)
