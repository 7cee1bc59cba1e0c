package attest

import (
	"bytes"
	"crypto/sha256"
	"math"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

const (
	saltBytes      = 32
	standingDomain = "xinlian/standing/v1"
	// maxDate is 9999-12-31 in days since 1970-01-01.
	maxDate = 2932896
)

// StandingKey is the key of a subject's standing in the state tree.
func StandingKey(uscc string) []byte { return append([]byte{'S'}, uscc...) }

// StandingValue is the value of that leaf: SHA-256(domain ‖ salt ‖ standing). The salt has a fixed length, so nothing of the
// standing can pass for salt.
func StandingValue(salt, standing []byte) Hash {
	b := make([]byte, 0, len(standingDomain)+len(salt)+len(standing))
	b = append(append(append(b, standingDomain...), salt...), standing...)
	return sha256.Sum256(b)
}

// claimOf is what an entry says about the tree.
func claimOf(e *pb.Entry) tree.Claim {
	c := tree.Claim{Path: tree.PathOf(StandingKey(e.Subject))}
	if len(e.Standing) != 0 {
		v := StandingValue(e.Salt, e.Standing)
		c.Present, c.ValueHash = true, tree.ValueHash(v[:])
	}
	return c
}

// readStanding is step 10 for one entry; nil means not enrolled.
func readStanding(e *pb.Entry) (*pb.Standing, *Error) {
	if len(e.Standing) == 0 {
		return nil, nil
	}
	s := new(pb.Standing)
	if err := pb.Decode(e.Standing, s); err != nil {
		return nil, invalid(10, CodeStanding, "standing of %s: %v", e.Subject, err)
	}
	if s.Subject != e.Subject {
		return nil, invalid(10, CodeSubject, "the standing under %s is that of another subject", e.Subject)
	}
	if why := standingFault(s); why != "" {
		return nil, invalid(10, CodeStanding, "standing of %s: %s", e.Subject, why)
	}
	return s, nil
}

// standingFault tells what no state could have written. The leaf is signed for, so this guards a reader against a faulty ledger
// and not against a forger: counts that contradict lists would let two readers of one proof answer differently.
func standingFault(s *pb.Standing) string {
	n := &s.Counts
	switch {
	case !isDigits(s.Region, 6):
		return "the region has not six digits"
	case s.Category == 0 || s.Category > 99:
		return "unknown category"
	case s.Status < pb.SUBJECT_ACTIVE || s.Status > pb.SUBJECT_REVOKED:
		return "unknown status"
	case len(s.Restricted) != hashBytes:
		return "the digest of the restricted section has not 32 bytes"
	case uint64(n.Minor)+uint64(n.General)+uint64(n.Serious) != uint64(n.Penalties)+uint64(n.Others):
		return "the classes do not add up to penalties and other records"
	case n.Breached > n.Commitments:
		return "more breaches than commitments"
	}
	for _, fault := range []func(*pb.Standing) string{commitmentsFault, penaltiesFault, othersFault, classesFault, abnormalFault, listsFault, incentivesFault} {
		if why := fault(s); why != "" {
			return why
		}
	}
	return ""
}

func listsFault(s *pb.Standing) string {
	if why := listFault(s.ListsRoot, len(s.Lists), s.Counts.Lists, "list entries"); why != "" {
		return why
	}
	for i := range s.Lists {
		l := &s.Lists[i]
		if len(l.Record) != hashBytes || !shortText(l.List) || l.DocNo == "" || len(l.DocNo) > pb.DocNoMax || !isUSCC(l.Issuer) ||
			!isDate(l.DecidedOn) || !isDate(l.MinUntil) || !isDate(l.MaxUntil) {
			return "an entry of a list has an impossible field"
		}
		if i > 0 && bytes.Compare(s.Lists[i-1].Record, l.Record) >= 0 {
			return "the lists are not in order"
		}
	}
	return ""
}

// listFault holds a list of n entries, or the root in its place, against its count. A root stands for a list, never for none.
func listFault(root []byte, n int, count uint32, what string) string {
	switch {
	case len(root) != 0 && (len(root) != hashBytes || n != 0 || count == 0):
		return "the root of the " + what + " does not stand for a list"
	case len(root) == 0 && n != int(count):
		return "the number of " + what + " differs from their count"
	}
	return ""
}

func commitmentsFault(s *pb.Standing) string {
	if why := listFault(s.CommitmentsRoot, len(s.Commitments), s.Counts.Commitments, "commitments"); why != "" || len(s.CommitmentsRoot) != 0 {
		return why
	}
	breached := uint32(0)
	for i := range s.Commitments {
		c := &s.Commitments[i]
		if why := commitmentFault(c); why != "" {
			return why
		}
		switch {
		case i > 0 && s.Commitments[i-1].Code >= c.Code:
			return "the commitments are not in order"
		}
		if c.State == pb.COMMITMENT_BREACHED {
			breached++
		}
	}
	if breached != s.Counts.Breached {
		return "the number of breaches differs from their count"
	}
	return ""
}

func commitmentFault(c *pb.PublicCommitment) string {
	if !isDigits(c.Code, 20) || c.Type > 6 || c.State < pb.COMMITMENT_PENDING || c.State > pb.COMMITMENT_WITHDRAWN ||
		!isDate(c.MadeOn) || !isDate(c.ValidUntil) || !isUSCC(c.Acceptor) {
		return "a commitment has an impossible field"
	}
	return ""
}

func penaltiesFault(s *pb.Standing) string {
	if why := listFault(s.PenaltiesRoot, len(s.Penalties), s.Counts.Penalties, "penalties"); why != "" {
		return why
	}
	for i := range s.Penalties {
		p := &s.Penalties[i]
		switch {
		case len(p.Record) != hashBytes, p.DocNo == "" || len(p.DocNo) > pb.DocNoMax, !isUSCC(p.Issuer), !isClass(p.Class),
			len(p.Kinds) == 0 || len(p.Kinds) > pb.KindsMax,
			!isDate(p.DecidedOn), !isDate(p.MinUntil), !isDate(p.MaxUntil):
			return "a penalty has an impossible field"
		case i > 0 && bytes.Compare(s.Penalties[i-1].Record, p.Record) >= 0:
			return "the penalties are not in order"
		}
		for k, kind := range p.Kinds {
			if kind == 0 || kind > 99 || k > 0 && p.Kinds[k-1] >= kind {
				return "the kinds of a penalty are not in order"
			}
		}
	}
	return ""
}

func othersFault(s *pb.Standing) string {
	if why := listFault(s.OthersRoot, len(s.Others), s.Counts.Others, "other records"); why != "" {
		return why
	}
	for i := range s.Others {
		o := &s.Others[i]
		switch {
		case len(o.Record) != hashBytes, !shortText(o.Source), o.DocNo == "" || len(o.DocNo) > pb.DocNoMax, !isUSCC(o.Issuer), !isClass(o.Class),
			!isDate(o.DecidedOn), !isDate(o.MinUntil), !isDate(o.MaxUntil):
			return "an other record has an impossible field"
		case i > 0 && bytes.Compare(s.Others[i-1].Record, o.Record) >= 0:
			return "the other records are not in order"
		}
	}
	return ""
}

// classesFault counts the classes of what is listed: exactly where both lists stand, as a lower bound where a root stands for one.
func classesFault(s *pb.Standing) string {
	var byClass [4]uint32
	for i := range s.Penalties {
		byClass[s.Penalties[i].Class]++
	}
	for i := range s.Others {
		byClass[s.Others[i].Class]++
	}
	n := &s.Counts
	whole := len(s.PenaltiesRoot) == 0 && len(s.OthersRoot) == 0
	if byClass[1] > n.Minor || byClass[2] > n.General || byClass[3] > n.Serious ||
		whole && (byClass[1] != n.Minor || byClass[2] != n.General || byClass[3] != n.Serious) {
		return "the records of a class differ from their count"
	}
	return ""
}

func abnormalFault(s *pb.Standing) string {
	if why := listFault(s.AbnormalRoot, len(s.Abnormal), s.Counts.Abnormal, "abnormal entries"); why != "" {
		return why
	}
	for i := range s.Abnormal {
		a := &s.Abnormal[i]
		if len(a.Record) != hashBytes || !shortText(a.Reason) || !isUSCC(a.Issuer) || !isDate(a.ListedOn) {
			return "an abnormal entry has an impossible field"
		}
		if i > 0 && bytes.Compare(s.Abnormal[i-1].Record, a.Record) >= 0 {
			return "the abnormal entries are not in order"
		}
	}
	return ""
}

// incentivesFault holds the incentives, in force and under notice, against their two counts.
func incentivesFault(s *pb.Standing) string {
	n := &s.Counts
	sum := uint64(n.Incentives) + uint64(n.Noticed)
	if sum > math.MaxUint32 {
		return "there are too many incentives"
	}
	if why := listFault(s.IncentivesRoot, len(s.Incentives), uint32(sum), "incentives"); why != "" || len(s.IncentivesRoot) != 0 {
		return why
	}
	recognised := uint32(0)
	for i := range s.Incentives {
		v := &s.Incentives[i]
		switch {
		case len(v.Record) != hashBytes, !shortText(v.List), !isUSCC(v.Issuer), v.State < pb.INCENTIVE_NOTICED, v.State > pb.INCENTIVE_RECOGNISED,
			!isDate(v.NoticeUntil), !isDate(v.DecidedOn), !isDate(v.ValidUntil):
			return "an incentive has an impossible field"
		case i > 0 && bytes.Compare(s.Incentives[i-1].Record, v.Record) >= 0:
			return "the incentives are not in order"
		}
		if v.State == pb.INCENTIVE_RECOGNISED {
			recognised++
		}
	}
	if recognised != n.Incentives {
		return "the number of recognised incentives differs from their count"
	}
	return ""
}

func isClass(c pb.Severity) bool { return c >= pb.SEVERITY_MINOR && c <= pb.SEVERITY_SERIOUS }

func isDate(d int32) bool { return d >= 0 && d <= maxDate }

func shortText(s string) bool { return s != "" && len(s) <= pb.TokenMax }
