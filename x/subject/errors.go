package subject

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 601–699. Numbers are permanent.
var (
	ErrUnknown  = x.Reject(601, "E_SUBJECT_UNKNOWN", "design/recording never enrols", "the subject is not enrolled", "ask the registry to enrol the firm, then send the record again")
	ErrCategory = x.Reject(602, "E_NATURAL_PERSON", "INV-10, PIPL", "natural persons are not subjects of this ledger", "leave the record out")
	ErrRegion   = x.Reject(603, "E_REGION", "GB/T 2260", "the region is not in the region table", "correct the region code, or have governance add it")
	ErrOrgCheck = x.Reject(605, "E_USCC_ORGCHECK", "GB 11714", "the organisation part of the code (characters 9-17) has a wrong check character", "correct the code, or have governance let such codes in: parameter uscc_inner_check")
	ErrStatus   = x.Reject(604, "E_SUBJECT_STATUS", "WIRE", "the subject's status is not defined", "use active, deregistered or revoked")

	ErrKeyForm      = x.Reject(606, "E_KEY_FORM", "WIRE", "the message about a firm's key is not well formed", "send address, proof and paper as WIRE.md says")
	ErrKeyUsed      = x.Reject(607, "E_KEY_USED", "L8 art 13, [D]", "the address was registered already, or its key has ended: an address serves one firm, once", "make a new key")
	ErrKeyProof     = x.Reject(608, "E_KEY_PROOF", "L8 art 13", "the proof is not the key's own signature for this firm on this chain", "have the firm sign the proof with the key that is to be registered")
	ErrKeyUnknown   = x.Reject(609, "E_KEY_UNKNOWN", "L8 art 13", "the firm has no such key", "have the registry register it")
	ErrKeyEnded     = x.Reject(610, "E_KEY_ENDED", "L8 art 13", "the firm's key has ended", "sign with the firm's key in force")
	ErrDeregistered = x.Reject(611, "E_SUBJECT_DEREGISTERED", "§11.6", "the firm is deregistered and acts no more", "nothing can be done in its name")
)
