package repair

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1001–1099. Numbers are permanent.
var (
	ErrBar        = x.Reject(1001, "E_REPAIR_BAR", "INV-13, A3-11", "after a repair obtained by deceit no application is taken", "apply when the bar has ended")
	ErrState      = x.Reject(1002, "E_REPAIR_STATE", "§11.4", "the record or the application is not in a state that allows this", "look at its state first")
	ErrCommitment = x.Reject(1003, "E_REPAIR_COMMITMENT", "A3-3(3), INV-12", "a repair needs a public commitment of type 4 (信用修复型) of the same subject, in force", "make and have accepted a public type-4 commitment first")
	ErrMinPeriod  = x.Reject(1004, "E_MIN_PERIOD", "A3-3(1), INV-12", "the shortest publicity period has not passed", "apply on or after that day")
	ErrDuties     = x.Reject(1005, "E_DUTIES", "A3-3(2), INV-12", "the duties of the decision are not said to be done", "fulfil them, add the proof, and say so")
	ErrUnknown    = x.Reject(1006, "E_REPAIR_UNKNOWN", "§11.4", "no application has this id", "check the id")
	ErrReason     = x.Reject(1007, "E_REPAIR_REASON", "INV-32", "a refusal, an extension or a revocation needs its reason", "add the digest of the written reason")
	ErrNotice     = x.Reject(1008, "E_REPAIR_NOTICE", "§11.4 fraud_found", "a revocation comes after notice, and after the subject was heard or waived it", "serve notice first")
	ErrSupplement = x.Reject(1009, "E_SUPPLEMENT", "H3", "gaps are listed once, and filled within the window", "decide on what is there")
	ErrSameFacts  = x.Reject(1012, "E_REPAIR_SAME_FACTS", "§11.4 reapply", "after a refusal an application brings new facts", "add what is new to the materials, or object to the refusal")
	ErrExtension  = x.Reject(1013, "E_REPAIR_EXTENSION", "A3-6", "the limit for the decision is extended once, before it has passed, within the parameter", "decide on what is there")
	ErrEmergency  = x.Reject(1014, "E_REPAIR_EMERGENCY", "A3-17 应急状态修复", "governance has not declared the emergency procedure (应急程序)", "apply in the ordinary procedure")
	ErrPush       = x.Reject(1015, "E_REPAIR_PUSH", "A3-9, N3", "there is no other province to tell", "nothing is left to do")
	ErrReopen     = x.Reject(1016, "E_REPAIR_REOPEN", "§11.4 object", "a result is taken back only where an objection to it is open", "have the objection filed first")
	ErrPaper      = x.Reject(1011, "E_REPAIR_PAPER", "design §4", "an agent files with the digest of the signed application", "add paper_digest")
)
