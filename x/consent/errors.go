package consent

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1701–1799. Numbers are permanent.
var (
	ErrNone         = x.Reject(1701, "E_AUTH_NONE", "H1 arts 18, 22, INV-22", "no authorisation of the firm for this lender is named", "ask the firm for its authorisation; what is published needs none")
	ErrExpired      = x.Reject(1702, "E_AUTH_EXPIRED", "INV-22, §11.6", "the authorisation has expired", "ask the firm for a new one")
	ErrRevoked      = x.Reject(1703, "E_AUTH_REVOKED", "INV-22, §11.6", "the firm has withdrawn the authorisation", "ask the firm for a new one")
	ErrUsedUp       = x.Reject(1704, "E_AUTH_USED_UP", "INV-22, §11.6", "the authorisation has been used as often as the firm allowed", "ask the firm for a new one")
	ErrPurpose      = x.Reject(1705, "E_AUTH_PURPOSE", "H1 art 18, A6-5", "the authorisation is for another purpose", "ask for the purpose that the firm has agreed to")
	ErrScope        = x.Reject(1706, "E_AUTH_SCOPE", "H1 art 18, A6-5", "the authorisation does not name this class of data", "ask for the classes that the firm has agreed to")
	ErrGateway      = x.Reject(1707, "E_AUTH_GATEWAY", "G6, A6-4", "the authorisation is served by another gateway", "ask the gateway that it names")
	ErrDeregistered = x.Reject(1708, "E_AUTH_DEREGISTERED", "§11.6", "the firm is deregistered, its authorisations have ended", "nothing can be opened any more")
	ErrSignature    = x.Reject(1709, "E_AUTH_SIGNATURE", "L8 art 13, A6-5", "the signature is not that of the firm's key over this content on this chain", "have the firm sign it")
	ErrTerm         = x.Reject(1710, "E_AUTH_TERM", "§13 auth_max_validity_months", "the days of the authorisation do not fit", "have the firm sign one whose days do")
	ErrParty        = x.Reject(1711, "E_AUTH_PARTY", "A6-4", "an authorisation names a member that lends, and one that runs a gateway", "correct grantee or gateway")
	ErrEnded        = x.Reject(1712, "E_AUTH_ENDED", "§11.6", "the authorisation has ended already", "nothing is left to do")
	ErrAnchor       = x.Reject(1713, "E_ANCHOR_HOUR", "INV-22, INV-40", "an anchor is for an hour that has ended and lies after the gateway's last one", "anchor the hours in their order, once they have ended")
	ErrGrade        = x.Reject(1714, "E_GRADE", "T3", "the grade or its days are not well formed", "send the grade as the evaluating body gave it")
	ErrGradeNone    = x.Reject(1715, "E_GRADE_NONE", "A6-14", "no grade of this body stands for the firm", "look at what stands first")
)
