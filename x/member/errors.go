package member

import "github.com/xinlian-ledger/xinlian/x"

// Refusals of module 3. Numbers are permanent.
var (
	ErrUnknown = x.Reject(301, "E_MEMBER_UNKNOWN", "INV-15",
		"no member of the consortium has this code or key", "governance admits members and their keys: propose put_member")
	ErrRemoved = x.Reject(302, "E_MEMBER_REMOVED", "INV-33",
		"the member has left the consortium and its write rights have ended", "governance can admit it again: propose put_member")
	ErrKeyWindow = x.Reject(303, "E_KEY_WINDOW", "INV-15",
		"the key is not in force today", "sign with a key that is in force, or have governance replace it: propose put_member")
	ErrRole = x.Reject(304, "E_ROLE", "INV-15",
		"the key has not the role that this message needs", "sign with a key of that role, or have governance give it: propose put_member")
	ErrMandate = x.Reject(305, "E_MANDATE", "design/issuer and signer",
		"the signer's agency holds no mandate of the issuer for this", "the issuer grants one with grant_mandate, signed by its REVIEW key")
	ErrJurisdiction = x.Reject(306, "E_JURISDICTION", "L1 art 22, INV-05",
		"the agency has no competence for the place of the violation", "the agency of the place decides, or a designation (指定管辖, L1 art 25) is entered by governance")
	ErrCompetence = x.Reject(307, "E_COMPETENCE", "L1 arts 17–20, INV-05",
		"the agency is competent for the place but not for this kind of penalty", "correct the kinds or the power code, or have governance enter the competence")
	ErrDelegation = x.Reject(308, "E_DELEGATION", "L1 arts 24–25, INV-05",
		"the delegation or designation is unknown or was not in force on the day of the decision", "have governance enter the document with its window")
	ErrLastGovernor = x.Reject(309, "E_LAST_GOVERNOR", "INV-25",
		"no governor key would be in force any more, so that nothing could ever be decided again", "give another member a governor key first")
	ErrLastValidator = x.Reject(310, "E_LAST_VALIDATOR", "INV-26",
		"no validator would remain and the chain would stand still", "give another member a validator first")
	ErrForm = x.Reject(311, "E_MEMBER_FORM", "WIRE",
		"the member's row is not well formed", "correct the proposal")
	ErrKeyTaken = x.Reject(312, "E_KEY_TAKEN", "INV-15",
		"the key belongs to another member", "make a key of its own for each member")
	ErrMandateForm = x.Reject(313, "E_MANDATE_FORM", "WIRE",
		"the mandate is not well formed", "correct the message")
	ErrNoSuccessor = x.Reject(315, "E_NO_SUCCESSOR", "INV-33, 谁认定、谁修复",
		"the agency has left the consortium and nobody carries on its powers", "governance names who does: propose put_successor")
	ErrMandateNone = x.Reject(314, "E_MANDATE_NONE", "design/issuer and signer",
		"there is no such mandate", "nothing is left to revoke")
)
