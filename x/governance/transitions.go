package governance

import (
	"encoding/binary"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/member"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// openMax bounds the open proposals of one member.
const openMax = 32

// Rules are the parameters that a decision is made by. The catalogue that keeps them stands after this package in the order of
// knowledge, so the caller hands them in (catalog.GovernanceRules).
type Rules struct {
	QuorumPermille       int64 // of governor members, for rules and tables
	MemberQuorumPermille int64 // of governor members, for members
	RuleNoticeDays       int64 // from the day of passing to the first day in force
	TableNoticeDays      int64
	VotingDays           int64 // days to vote after the day of the proposal
}

func (r Rules) quorum(a *pb.Action) int64 {
	q := r.QuorumPermille
	switch a.Sum.(type) {
	case *pb.Action_PutMember, *pb.Action_RemoveMember, *pb.Action_PutSuccessor:
		q = r.MemberQuorumPermille
	}
	if q <= 500 || q > 1000 || r.VotingDays < 0 || r.RuleNoticeDays < 0 || r.TableNoticeDays < 0 {
		panic(fmt.Sprintf("governance rules %+v are not filled in", r))
	}
	return q
}

func (r Rules) notice(a *pb.Action) int {
	switch a.Sum.(type) {
	case *pb.Action_PutMember, *pb.Action_RemoveMember, *pb.Action_PutSuccessor:
		return 0
	case *pb.Action_SetParam, *pb.Action_PutSeverityRule, *pb.Action_PutMeasureItem, *pb.Action_PutListStandard, *pb.Action_PutIncentiveList:
		return int(r.RuleNoticeDays)
	}
	return int(r.TableNoticeDays)
}

// CheckPropose needs no state.
func CheckPropose(m *pb.Propose) error {
	if m.Action.Sum == nil {
		return ErrAction
	}
	return x.CheckDigest(m.ReasonDigest, "reason_digest", false)
}

// Propose is P1, and P2 where one ballot is a quorum. check says whether the action would be accepted today by the module that it
// belongs to: a proposal that cannot take effect should not take the others' time.
func Propose(ctx *x.Ctx, m *pb.Propose, rules Rules, check func(*pb.Action) error) (x.Done, error) {
	if err := CheckPropose(m); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_GOVERNOR, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	if n := openOf(ctx, m.Issuer); n >= openMax {
		return x.Done{}, ErrTooManyOpen.With("%s has %d open proposals, the most there may be", m.Issuer, n)
	}
	if err := check(&m.Action); err != nil {
		return x.Done{}, err
	}
	last, ok := state.Get(ctx)
	if !ok {
		last = &pb.GovernanceState{}
	}
	last.LastProposal++
	state.Put(ctx, last)

	p := &pb.Proposal{
		Id:           last.LastProposal,
		Proposer:     m.Issuer,
		Action:       m.Action,
		ReasonDigest: m.ReasonDigest,
		State:        pb.PROPOSAL_OPEN,
		Ballots:      []pb.Ballot{{Member: m.Issuer, Yes: true}},
		OpenedOn:     int32(ctx.Today),
		ClosesOn:     int32(ctx.Today.AddDays(int(rules.VotingDays))),
	}
	decide(ctx, p, rules)
	put(ctx, nil, p)
	return x.Done{Record: ID(p.Id)}, nil
}

// Vote casts a member's one ballot: P2 or P3 where it decides.
func Vote(ctx *x.Ctx, m *pb.Vote, rules Rules) (x.Done, error) {
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_GOVERNOR, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	was, ok := proposals.Look(ctx, ID(m.Proposal)) // to look at alone: what changes is in now
	if !ok {
		return x.Done{}, ErrUnknown.With("there is no proposal %d", m.Proposal)
	}
	if was.State != pb.PROPOSAL_OPEN {
		return x.Done{}, ErrClosed.With("proposal %d is %s", m.Proposal, stateName(was.State))
	}
	// The timer that closes it may be waiting behind others.
	if int32(ctx.Today) > was.ClosesOn {
		return x.Done{}, ErrClosed.With("votes on proposal %d ended on %s", m.Proposal, calendar.Date(was.ClosesOn))
	}
	now := *was
	now.Ballots = make([]pb.Ballot, 0, len(was.Ballots)+1)
	placed := false
	for _, b := range was.Ballots {
		if b.Member == m.Issuer {
			return x.Done{}, ErrVoted.With("%s has cast its ballot on proposal %d", m.Issuer, m.Proposal)
		}
		if !placed && b.Member > m.Issuer {
			now.Ballots = append(now.Ballots, pb.Ballot{Member: m.Issuer, Yes: m.Yes})
			placed = true
		}
		now.Ballots = append(now.Ballots, b)
	}
	if !placed {
		now.Ballots = append(now.Ballots, pb.Ballot{Member: m.Issuer, Yes: m.Yes})
	}
	decide(ctx, &now, rules)
	put(ctx, was, &now)
	return x.Done{Record: ID(now.Id)}, nil
}

// Close is P4, called for a timer of kind TimerProposalClose with its id.
func Close(ctx *x.Ctx, id []byte) {
	was := ofTimer(ctx, id)
	if was.State != pb.PROPOSAL_OPEN {
		x.Faultf("proposal %d has a closing timer and is %s", was.Id, stateName(was.State))
	}
	now := *was
	now.State = pb.PROPOSAL_LAPSED
	put(ctx, was, &now)
}

// Effective is P5, called for a timer of kind TimerProposalEffective with its id. It gives the action, which the caller applies in
// the same block; where the rules refuse it by now, the caller calls Refuse.
func Effective(ctx *x.Ctx, id []byte) (*pb.Action, error) {
	was := ofTimer(ctx, id)
	if was.State != pb.PROPOSAL_PASSED {
		return nil, ErrNotDue.With("proposal %d is %s", was.Id, stateName(was.State))
	}
	if int32(ctx.Today) < was.EffectiveOn {
		return nil, ErrNotDue.With("proposal %d takes effect on %s", was.Id, calendar.Date(was.EffectiveOn)).On(calendar.Date(was.EffectiveOn))
	}
	now := *was
	now.State = pb.PROPOSAL_EFFECTIVE
	put(ctx, was, &now)
	return &now.Action, nil
}

// Refuse is P6: what passed weeks ago may not be possible today, as when two proposals each remove one of the last two governors.
func Refuse(ctx *x.Ctx, id []byte) {
	was := ofTimer(ctx, id)
	if was.State != pb.PROPOSAL_EFFECTIVE {
		x.Faultf("proposal %d is %s and its effect cannot be refused", was.Id, stateName(was.State))
	}
	now := *was
	now.State = pb.PROPOSAL_REJECTED
	put(ctx, was, &now)
}

// decide is P2 and P3. The quorum is a part of the governor members of today, and so are the ballots that count.
func decide(ctx *x.Ctx, p *pb.Proposal, rules Rules) {
	governors := member.Governors(ctx, ctx.Today)
	yes, no := int64(0), int64(0)
	for _, b := range p.Ballots {
		switch {
		case !contains(governors, b.Member):
		case b.Yes:
			yes++
		default:
			no++
		}
	}
	all := int64(len(governors))
	need := rules.quorum(&p.Action) * all // in thousandths of a ballot
	switch {
	case yes*1000 >= need:
		p.State = pb.PROPOSAL_PASSED
		p.EffectiveOn = int32(ctx.Today.AddDays(rules.notice(&p.Action)))
	case (all-no)*1000 < need:
		p.State = pb.PROPOSAL_REJECTED
	}
}

// ofTimer finds the proposal of a timer. Timers follow from proposals: one without the other is a fault of this machine.
func ofTimer(r x.Reader, id []byte) *pb.Proposal {
	if len(id) == 8 {
		if p, ok := Get(r, binary.BigEndian.Uint64(id)); ok {
			return p
		}
	}
	x.Faultf("a timer names proposal %x, which is not there", id)
	return nil
}

// contains searches a sorted list.
func contains(sorted []string, s string) bool {
	lo, hi := 0, len(sorted)
	for lo < hi {
		mid := (lo + hi) / 2
		if sorted[mid] < s {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(sorted) && sorted[lo] == s
}

func stateName(s pb.ProposalState) string {
	names := [...]string{"?", "open", "passed", "effective", "rejected", "lapsed"}
	if s < 0 || int(s) >= len(names) {
		s = 0
	}
	return names[s]
}
