package governance

import (
	"encoding/binary"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

var (
	// Proposals (提案), by number; never deleted.
	proposals = x.NewTable[pb.Proposal](0x18, "proposals: id[8]", x.Leaf)
	// Open ones, so that counting them does not read history. Value empty. Follows from proposals (GOV-3).
	open = x.Declare(x.TableInfo{Prefix: 0x19, Layout: "open proposals: id[8]", Binding: x.Derived})
	// The last number given. One row.
	state = x.NewTable[pb.GovernanceState](0x1a, "governance: one row", x.Leaf)
)

// ID is the number of a proposal as a key, a record id and the id of its timers.
func ID(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// Get finds a proposal.
func Get(r x.Reader, number uint64) (*pb.Proposal, bool) { return proposals.Get(r, ID(number)) }

// Each visits the proposals by number.
func Each(r x.Reader, fn func(*pb.Proposal) (more bool)) {
	proposals.Each(r, func(_ []byte, p *pb.Proposal) bool { return fn(p) })
}

// openOf counts the open proposals of a member. The rows are looked at alone: an action may be as long as a transaction, and each is decoded once
// a block, not once a message.
func openOf(r x.Reader, uscc string) (n int) {
	r.Iterate([]byte{open.Prefix}, nil, func(key, _ []byte) bool {
		p, ok := proposals.Look(r, key[1:])
		if !ok {
			x.Faultf("the index of open proposals names %x, which is not there", key[1:])
		}
		if p.Proposer == uscc {
			n++
		}
		return true
	})
	return n
}

// TimersOf gives the timers that a proposal has in its state: what fsck compares and state sync rebuilds (GOV-2).
func TimersOf(p *pb.Proposal) []x.Timer {
	switch p.State {
	case pb.PROPOSAL_OPEN:
		return []x.Timer{{Class: x.Decided, Due: calendar.EndUnix(calendar.Date(p.ClosesOn)), Kind: x.TimerProposalClose, ID: ID(p.Id)}}
	case pb.PROPOSAL_PASSED:
		return []x.Timer{{Class: x.Decided, Due: calendar.StartUnix(calendar.Date(p.EffectiveOn)), Kind: x.TimerProposalEffective, ID: ID(p.Id)}}
	}
	return nil
}

// Timers visits the timers of all proposals.
func Timers(r x.Reader, fn func(x.Timer)) {
	Each(r, func(p *pb.Proposal) bool {
		for _, t := range TimersOf(p) {
			fn(t)
		}
		return true
	})
}

// Derive gives the rows of the open index that follow from the proposals.
func Derive(r x.Reader, emit func(key, value []byte)) {
	Each(r, func(p *pb.Proposal) bool {
		if p.State == pb.PROPOSAL_OPEN {
			emit(x.Key(open.Prefix, ID(p.Id)), []byte{})
		}
		return true
	})
}

// put writes a proposal and keeps its timers and the open index in step. was is the row before, nil for a new one.
func put(ctx *x.Ctx, was, now *pb.Proposal) {
	var old []x.Timer
	if was != nil {
		old = TimersOf(was)
	}
	x.Reschedule(ctx, old, TimersOf(now))
	if now.State == pb.PROPOSAL_OPEN {
		ctx.Set(x.Key(open.Prefix, ID(now.Id)), []byte{})
	} else {
		ctx.Delete(x.Key(open.Prefix, ID(now.Id)))
	}
	proposals.Put(ctx, now, ID(now.Id))
}
