// Package governance lets the consortium decide (治理): who is a member, and every parameter, threshold, template, region and
// working day that the rules rest on. Nothing of these changes in another way (INV-25).
//
// A governor member proposes one action; every governor member has one ballot, whatever number of keys it holds; the proposer's
// yes is cast with the proposal. What passes waits for its notice and then takes effect by a timer, so that the day is known to all
// before it comes. A change works forward only: dates that stand in records stay as they were computed.
//
//	P1  none   → open       Propose   role GOVERNOR; the action passes the rules of its module already now
//	P2  open   → passed     Propose, Vote   yes reaches the quorum of governor members
//	P3  open   → rejected   Vote      the quorum cannot be reached any more
//	P4  open   → lapsed     Close     00:00 after the last day to vote
//	P5  passed → effective  Effective 00:00 of the first day in force; package app applies the action in the same block
//	P6  effective → rejected Refuse   same block: the rules refuse the action as things stand by now
//
// The quorum is asked of the governor members of the day of the ballot: a ballot of a member that has left counts no more. A
// proposal that nobody votes on is not looked at again when members leave: it lapses, and can be proposed anew.
//
// Notice: rules (parameters, severity standards) 30 days, tables (regions, calendar, templates) 7 days, members none, because a
// key that was stolen must go at once. The numbers are parameters; this package is given them as Rules.
//
// Invariants: INV-25 as above; GOV-1 ballots ascend by member, one each; GOV-2 a proposal has the timers of its state, and no
// other; GOV-3 the index of open proposals follows from the proposals; GOV-4 a decided proposal never changes again but by P5, P6.
//
// Trust: a quorum of governor members can change everything that this package touches, with the notice that it gives. Fewer can
// at most put proposals in front of the others.
package governance
