package attest

import (
	"errors"
	"fmt"
)

// The classes of refusal. Every error of Verify, VerifyMany and DecodeBundle is one of them (errors.Is); which one is returned
// where several apply is fixed by the order of the steps: usage, version, invalid, trust, stale.
var (
	// ErrUsage: the policy or the trust file that the caller passed cannot be used.
	ErrUsage = errors.New("usage")
	// ErrVersion: a bundle of a version that this package does not read.
	ErrVersion = errors.New("unsupported version")
	// ErrInvalid: the bundle is malformed, contradicts itself, or speaks of something else than was asked.
	ErrInvalid = errors.New("invalid")
	// ErrTrust: nothing is wrong with the bundle, but the trust file has expired or does not reach it.
	ErrTrust = errors.New("not trusted")
	// ErrStale: verified, but older than the policy allows.
	ErrStale = errors.New("stale")
)

// Codes of refusals. They are permanent: a code keeps its meaning and a retired one is not used again.
const (
	CodeOK = "OK" // verified and the claim holds

	CodePolicy = "E_POLICY" // usage: subject, claim, age or time of the policy
	CodeTrust  = "E_TRUST"  // usage: no trust file, or one that is not well formed

	CodeVersion = "E_VERSION"

	CodeMagic    = "E_MAGIC"    // not a bundle
	CodeSize     = "E_SIZE"     // larger than allowed
	CodeEncoding = "E_ENCODING" // not the one encoding of a bundle
	CodeForm     = "E_FORM"     // a field has no permitted value

	CodeArmor        = "E_ARMOR"         // armor that is not its one form
	CodeHeader       = "E_HEADER"        // names another header than was verified at the height
	CodeChain        = "E_CHAIN"         // another chain id than the trust file's
	CodeAnchor       = "E_ANCHOR"        // contradicts the anchor of the trust file
	CodeSetForm      = "E_SET_FORM"      // a validator set that the engine could not have
	CodeSetHash      = "E_SET_HASH"      // a validator set that its header does not name
	CodeStepOrder    = "E_STEP_ORDER"    // steps not ascending, or one that changes nothing
	CodeStepNext     = "E_STEP_NEXT"     // a step's header does not name the next set
	CodeCommitForm   = "E_COMMIT_FORM"   // bitmap, signatures and times do not fit
	CodeQuorum       = "E_SIG_QUORUM"    // signers hold two thirds of the power or less
	CodeCommitExcess = "E_SIG_EXCESS"    // the last signer is not needed
	CodeSignature    = "E_SIG"           // a signature that does not verify
	CodeAppHash      = "E_APP_HASH"      // the parts do not hash to the header's app hash
	CodePath         = "E_PATH"          // the tree proof is not well formed
	CodeEntryOrder   = "E_ENTRY_ORDER"   // entries not in ascending order of path
	CodeStanding     = "E_STANDING"      // a standing that no state could hold
	CodeSubject      = "E_SUBJECT"       // speaks of other subjects
	CodeFuture       = "E_HEADER_FUTURE" // header ahead of the clock

	CodePackSet     = "E_PACK_SET"     // a pack that does not decide the claim
	CodePackMembers = "E_PACK_MEMBERS" // members cut, unsorted or twice
	CodeDeltaBase   = "E_DELTA_BASE"   // a delta that follows another set
	CodeDelta       = "E_DELTA"        // a delta that adds who is there or removes who is not

	CodeAnchorRow = "E_ANCHOR_ROW" // a row of an anchor that the state of its proof could not hold

	CodeWitnessForm  = "E_WITNESS_FORM"  // a witness file that is not well formed
	CodeWitnessOther = "E_WITNESS_OTHER" // a witness file of another header
	CodeWitnessSig   = "E_WITNESS_SIG"   // a cosignature of a known witness that does not verify
	CodeWitnessTime  = "E_WITNESS_TIME"  // a cosignature without time, from the future, or older than its header

	CodeStampForm  = "E_STAMP_FORM"  // a time stamp that is not well formed, or contradicts itself
	CodeStampOther = "E_STAMP_OTHER" // a time stamp of another header
	CodeStampTime  = "E_STAMP_TIME"  // a time stamp from the future, or older than its header

	CodeTrustExpired  = "E_TRUST_EXPIRED"  // past not_after
	CodeTrustOlder    = "E_TRUST_OLDER"    // the bundle is older than the anchor
	CodeTrustSet      = "E_TRUST_SET"      // no set that signed is in the trust file
	CodeTrustWindow   = "E_TRUST_WINDOW"   // a validator outside its window of time
	CodeHeaderUnknown = "E_HEADER_UNKNOWN" // names a header that was not given

	CodeWitnessQuorum = "E_WITNESS_QUORUM" // fewer witnesses than the trust file asks for
	CodeStampQuorum   = "E_STAMP_QUORUM"   // fewer time stamps than the trust file asks for

	// Of rotations, with their own steps.
	CodeRotationForm   = "E_ROTATION_FORM"   // a rotation file that is not well formed
	CodeRotationFrom   = "E_ROTATION_FROM"   // begins at another trust file
	CodeRotationTrust  = "E_ROTATION_TRUST"  // leads to a trust file that cannot be used, or that does not follow
	CodeRotationSig    = "E_ROTATION_SIG"    // a signature that does not verify, or of a key that has no say or has had it
	CodeRotationQuorum = "E_ROTATION_QUORUM" // signers hold two thirds of the power or less

	CodeStale = "E_STALE"

	CodeClaim       = "E_CLAIM"             // verified, the claim does not hold
	CodeNotEnrolled = "E_NOT_ENROLLED"      // the same, because the subject is not enrolled
	CodeUndecidable = "E_CLAIM_UNDECIDABLE" // the same, because its list is replaced by its root
)

// Error is a refusal.
type Error struct {
	Class error  // one of the Err… values
	Code  string // one of the Code… values
	Step  int    // of PROOF.md; 0: of what has no numbered steps, as receipts and openings
	Text  string // one line
	// Seen is set for ErrStale alone: all that was verified before the age was judged.
	Seen *Verdict
}

func (e *Error) Error() string {
	if e.Step == 0 {
		return fmt.Sprintf("%s: %s", e.Code, e.Text)
	}
	return fmt.Sprintf("%s (step %d): %s", e.Code, e.Step, e.Text)
}

func (e *Error) Unwrap() error { return e.Class }

// CodeOf gives the code of a refusal, empty for any other error.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func refusal(class error, step int, code, format string, args ...any) *Error {
	return &Error{Class: class, Code: code, Step: step, Text: fmt.Sprintf(format, args...)}
}

func invalid(step int, code, format string, args ...any) *Error {
	return refusal(ErrInvalid, step, code, format, args...)
}
