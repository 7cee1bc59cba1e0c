package commitment

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 701–799. Numbers are permanent.
var (
	ErrCode        = x.Reject(701, "E_COMMITMENT_CODE", "X1 field 1", "the commitment code is not region, date and serial", "20 digits: region of acceptance, date made, serial")
	ErrUnknown     = x.Reject(702, "E_COMMITMENT_UNKNOWN", "§11.1", "no commitment has this code", "check the code")
	ErrState       = x.Reject(704, "E_COMMITMENT_STATE", "§11.1", "the commitment's state does not allow this", "look at its state first")
	ErrPromiseBar  = x.Reject(705, "E_PROMISE_BAR", "INV-07, S0 6.1, G3", "the subject may not use commitment in place of proof (告知承诺)", "have the record behind it repaired (信用修复), then submit again")
	ErrWindow      = x.Reject(706, "E_WINDOW", "X1 fields 9-10", "the window ends before it begins, or begins in the future", "correct the dates")
	ErrRegion      = x.Reject(707, "E_ACCEPTOR_REGION", "§11.1, INV-43", "the acceptor does not act in the region of the code", "use the code of the place of acceptance")
	ErrTemplate    = x.Reject(708, "E_TEMPLATE_CLOSED", "§11.1", "the template is not in force", "use the current version of the commitment template")
	ErrPaper       = x.Reject(709, "E_PAPER", "design §4", "an agent files with the digest of the signed paper", "add paper_digest")
	ErrPublication = x.Reject(710, "E_PUBLICATION", "X1 field 19", "publication is 1 public, 2 within a range or 3 not public", "correct the field")
	ErrType        = x.Reject(711, "E_COMMITMENT_TYPE", "X1 field 5", "commitment types are 0 to 6", "correct the field")
	ErrAsked       = x.Reject(713, "E_TEMPLATE_FIELD", "GB/T 46277", "the template in force asks for a field that the commitment has not", "add the field")
	ErrExcluded    = x.Reject(714, "E_EXCLUDED", "A1-5: G3, H2 art 34", "the item of business is closed to commitment in place of proof (告知承诺)", "apply in the ordinary way, with the papers")
	ErrBusiness    = x.Reject(715, "E_BUSINESS", "A1-5: G3", "a commitment in place of proof names the item of business that it is made for", "add business, the code of the item in the list of powers")
	ErrTypeOther   = x.Reject(716, "E_TYPE_OTHER", "X1 field 5", "type 其他 says what it is, and no other type does", "add type_other_digest, or correct the type")
	ErrLicence     = x.Reject(717, "E_LICENCE", "§10 COMMITMENT", "a licence goes with an accepted commitment of type 1 审批替代型, under its number", "correct the type, or give the number of the licence")
	ErrReason      = x.Reject(712, "E_REASON", "INV-32", "a refusal needs its reason", "add the digest of the written reason")
)
