package objection

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1301–1349. Numbers are permanent.
var (
	ErrUnknown    = x.Reject(1301, "E_OBJECTION_UNKNOWN", "§11.6", "no objection has this id", "check the id")
	ErrState      = x.Reject(1302, "E_OBJECTION_STATE", "§11.6", "the objection is not where this can be done, or another agency holds it", "look at its state first")
	ErrTarget     = x.Reject(1303, "E_OBJECTION_TARGET", "§11.6, A3-15", "the subject has nothing under this id to which an objection could be made today", "check id and kind; what has left publicity needs no objection")
	ErrPaper      = x.Reject(1304, "E_OBJECTION_PAPER", "design §4", "an objection is filed with the digests of the signed paper and of its grounds, a request for review with that of its paper", "add the digests")
	ErrReason     = x.Reject(1305, "E_OBJECTION_REASON", "INV-32", "a result needs its reason", "add the digest of the written reason")
	ErrResult     = x.Reject(1306, "E_OBJECTION_RESULT", "H1 art 41", "the result is not what happened to the target", "correct or withdraw the target first, or state the result that fits")
	ErrAuthority  = x.Reject(1307, "E_OBJECTION_AUTHORITY", "H1 art 28", "a review is for the provincial credit authority", "name a credit authority of the province")
	ErrEscalation = x.Reject(1308, "E_OBJECTION_ESCALATION", "H1 art 28", "a review is asked for once, of a result that leaves the target as it is or of an answer that is overdue", "wait for the answer, or its limit")
	ErrClock      = x.Reject(1309, "E_OBJECTION_CLOCK", "H1 art 41", "the clock is stopped for a test or an appraisal within the limit, and runs on once", "look at the state of the clock")
)
