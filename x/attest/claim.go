package attest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Claim (断言) is a question about one subject. The zero Claim is none; Verify refuses it.
type Claim struct {
	kind  claimKind
	code  string // of a commitment, or of an incentive list
	state pb.CommitmentState
}

type claimKind uint8

const (
	claimNone claimKind = iota
	claimEnrolled
	claimNoNegative
	claimNoSerious
	claimMayPromise
	claimStanding
	claimCommitment
	claimIncentive
)

// The claims without parameters.
var (
	// Enrolled: the ledger knows the subject.
	Enrolled = Claim{kind: claimEnrolled}
	// NoNegative: no published negative record (penalty, serious list, abnormal list, other dishonesty). A breach of commitment is not one.
	NoNegative = Claim{kind: claimNoNegative}
	// NoSerious: no published record of class 严重 and no entry in a serious list.
	NoSerious = Claim{kind: claimNoSerious}
	// MayPromise: nothing published bars 告知承诺.
	MayPromise = Claim{kind: claimMayPromise}
	// Standing: the document is proven, whatever it says.
	Standing = Claim{kind: claimStanding}
)

var claimNames = []string{
	claimEnrolled: "enrolled", claimNoNegative: "no-negative", claimNoSerious: "no-serious",
	claimMayPromise: "may-promise", claimStanding: "standing",
}

// stateNames are the words for the states of a commitment, by number.
var stateNames = []string{
	pb.COMMITMENT_PENDING: "pending", pb.COMMITMENT_SUPERVISED: "supervised", pb.COMMITMENT_DUE: "due",
	pb.COMMITMENT_FULFILLED: "fulfilled", pb.COMMITMENT_BREACHED: "breached", pb.COMMITMENT_CURED: "cured",
	pb.COMMITMENT_REJECTED: "rejected", pb.COMMITMENT_WITHDRAWN: "withdrawn",
}

// ClaimForms lists the claims as they are written.
const ClaimForms = "enrolled, no-negative, no-serious, may-promise, commitment:CODE=STATE, incentive:LIST, standing"

// CommitmentIs claims that a public commitment is in a state.
func CommitmentIs(code string, state pb.CommitmentState) (Claim, error) {
	switch {
	case !isDigits(code, 20):
		return Claim{}, errors.New("a 承诺编码 has 20 digits")
	case state < pb.COMMITMENT_PENDING || state > pb.COMMITMENT_WITHDRAWN:
		return Claim{}, errors.New("no such state of a commitment")
	}
	return Claim{kind: claimCommitment, code: code, state: state}, nil
}

// HasIncentive claims that the subject is recognised in an incentive list (守信激励名单) and that nothing published takes the effect away.
func HasIncentive(list string) (Claim, error) {
	if !isToken(list) {
		return Claim{}, fmt.Errorf("an incentive list has a code of 1 to %d characters of A-Z a-z 0-9 _ . -", pb.TokenMax)
	}
	return Claim{kind: claimIncentive, code: list}, nil
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return shortText(s)
}

// ParseClaim reads a claim in its one form.
func ParseClaim(s string) (Claim, error) {
	if rest, ok := strings.CutPrefix(s, "commitment:"); ok {
		code, word, ok := strings.Cut(rest, "=")
		state := slices.Index(stateNames, word)
		if !ok || !isDigits(code, 20) || state < 1 {
			return Claim{}, fmt.Errorf("claim %.80q: commitment:CODE=STATE needs a code of 20 digits and a state of: %s",
				s, strings.Join(stateNames[1:], " "))
		}
		return Claim{kind: claimCommitment, code: code, state: pb.CommitmentState(state)}, nil
	}
	if list, ok := strings.CutPrefix(s, "incentive:"); ok {
		c, err := HasIncentive(list)
		if err != nil {
			return Claim{}, fmt.Errorf("claim %.80q: %w", s, err)
		}
		return c, nil
	}
	if i := slices.Index(claimNames, s); i > 0 {
		return Claim{kind: claimKind(i)}, nil
	}
	return Claim{}, fmt.Errorf("unknown claim %.80q; the claims are: %s", s, ClaimForms)
}

// String is the form that ParseClaim reads.
func (c Claim) String() string {
	switch c.kind {
	case claimNone:
		return ""
	case claimCommitment:
		return "commitment:" + c.code + "=" + stateNames[c.state]
	case claimIncentive:
		return "incentive:" + c.code
	default:
		return claimNames[c.kind]
	}
}

// judge is step 14. s is nil for a subject that is not enrolled. It returns the code of the answer and, where the claim does not
// hold, why.
func (c Claim) judge(s *pb.Standing) (code, why string) {
	if s == nil {
		switch c.kind {
		case claimNoNegative, claimNoSerious, claimMayPromise:
			return CodeOK, ""
		default:
			return CodeNotEnrolled, "the subject is not enrolled"
		}
	}
	n := &s.Counts
	switch c.kind {
	case claimEnrolled, claimStanding:
		return CodeOK, ""
	case claimNoNegative:
		if !pb.PACK_NEGATIVE.Holds(n) {
			return CodeOK, ""
		}
		return CodeClaim, fmt.Sprintf("published: %d penalties, %d list entries, %d abnormal entries, %d other records",
			n.Penalties, n.Lists, n.Abnormal, n.Others)
	case claimNoSerious:
		if !pb.PACK_SERIOUS.Holds(n) {
			return CodeOK, ""
		}
		return CodeClaim, fmt.Sprintf("published: %d records of class 严重, %d list entries", n.Serious, n.Lists)
	case claimMayPromise:
		if s.MayPromise {
			return CodeOK, ""
		}
		return CodeClaim, "a published fact bars 告知承诺"
	case claimCommitment:
		if len(s.CommitmentsRoot) != 0 {
			return CodeUndecidable, "the list of commitments is replaced by its root; this bundle cannot decide the claim"
		}
		for i := range s.Commitments {
			if s.Commitments[i].Code == c.code {
				if s.Commitments[i].State == c.state {
					return CodeOK, ""
				}
				return CodeClaim, "the commitment is " + stateNames[s.Commitments[i].State]
			}
		}
		return CodeClaim, "no public commitment has this code"
	case claimIncentive:
		if len(s.IncentivesRoot) != 0 {
			return CodeUndecidable, "the list of incentives is replaced by its root; this bundle cannot decide the claim"
		}
		for i := range s.Incentives {
			if v := &s.Incentives[i]; v.List == c.code && v.State == pb.INCENTIVE_RECOGNISED {
				return CodeOK, ""
			}
		}
		return CodeClaim, "the subject is not recognised in this list"
	}
	return CodeClaim, "no claim"
}
