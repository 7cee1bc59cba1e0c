package governance

import "github.com/xinlian-ledger/xinlian/x"

// Refusals of module 4. Numbers are permanent.
var (
	ErrUnknown = x.Reject(401, "E_PROPOSAL_UNKNOWN", "INV-25",
		"there is no such proposal", "correct the number")
	ErrClosed = x.Reject(402, "E_PROPOSAL_CLOSED", "INV-25",
		"the proposal is not open to votes", "propose it anew if it is still wanted")
	ErrVoted = x.Reject(403, "E_VOTED", "INV-25",
		"the member has cast its ballot on this proposal", "one member has one ballot and it stands")
	ErrAction = x.Reject(404, "E_ACTION", "WIRE",
		"the proposal holds no action", "name exactly one action")
	ErrTooManyOpen = x.Reject(405, "E_PROPOSALS_OPEN", "WIRE",
		"the member has too many open proposals", "wait until some are decided")
	ErrNotDue = x.Reject(406, "E_PROPOSAL_NOT_DUE", "INV-25",
		"the proposal has not passed, or its notice still runs", "wait for the day on which it takes effect")
)
