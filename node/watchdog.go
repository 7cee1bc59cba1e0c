package node

import (
	"fmt"
	"time"
)

// observation is what the node sees of itself and of its peers at one moment. judge and readiness decide on nothing else, so that
// each case is a row of a table test.
type observation struct {
	Stopping bool  // asked to stop: nothing is a fault any more
	Fault    error // the application cannot go on

	ConsensusEnded  bool   // CometBFT's consensus routine has returned
	ConsensusReason string // what it logged

	CatchingUp bool
	Height     int64
	Idle       time.Duration // since the height last rose (since the start, if it has not)
	Moved      bool          // the height rose since the start, or this is a chain's first start and its first block is there

	Peers      int
	PeersAhead int // peers that say they are at a later height than the one we work on

	Behind time.Duration // for how long more than a third of them have been, at every look

	PowerSeen, PowerTotal int64 // votes of the running round

	FreshFor time.Duration // a block is fresh for this long
	Age      time.Duration // of the newest block, by its own time and the clock of this machine
}

// ahead says whether more peers are ahead than may lie.
func (o observation) ahead() bool { return o.PeersAhead*3 > o.Peers }

// lag tells for how long peers have been ahead, look by look.
type lag struct{ since time.Time }

func (l *lag) look(now time.Time, ahead bool) time.Duration {
	if !ahead {
		l.since = time.Time{}
		return 0
	}
	if l.since.IsZero() {
		l.since = now
	}
	return now.Sub(l.since)
}

// judge says whether the process must end, and why. There are three reasons and no fourth: (a) the application reported a fault;
// (b) the node's own consensus routine has stopped, which CometBFT survives as a process that answers and never votes again; (c)
// peers are ahead and nothing has come for a while. No quorum is none of them: ending would only lose this node's vote as well.
//
// (c) asks for more than a third of the peers: fewer than that may lie, and one must not be able to end another. And it counts from when they were first seen ahead: a
// node that was cut off, or stood still with its machine, for longer than behind is behind when it is back, and needs the time to catch up.
func judge(o observation, behind time.Duration) (reason string, end bool) {
	switch {
	case o.Stopping:
		return "", false
	case o.Fault != nil:
		return "the application cannot go on: " + o.Fault.Error(), true
	case o.ConsensusEnded:
		return "the consensus routine has stopped: " + o.ConsensusReason, true
	case min(o.Idle, o.Behind) >= behind && o.ahead():
		return fmt.Sprintf("no block for %s at height %d while %d of %d peers are ahead", o.Idle.Round(time.Second), o.Height, o.PeersAhead, o.Peers), true
	}
	return "", false
}

// readiness says whether answers of this node are current, and why not.
func readiness(o observation) (ok bool, reason string) {
	power := fmt.Sprintf("power seen %d of %d", o.PowerSeen, o.PowerTotal)
	switch {
	case o.Fault != nil:
		return false, "the application cannot go on: " + o.Fault.Error()
	case o.ConsensusEnded && !o.Stopping:
		return false, "the consensus routine has stopped: " + o.ConsensusReason
	case o.Stopping:
		return false, "stopping"
	case o.CatchingUp:
		return false, fmt.Sprintf("catching up at height %d with %d peers; %s", o.Height, o.Peers, power)
	case o.Height == 0:
		return false, "no block yet; " + power
	case o.Idle > o.FreshFor || !o.Moved:
		return false, fmt.Sprintf("no new block for %s at height %d; %s", o.Idle.Round(time.Millisecond), o.Height, power)
	}
	return true, fmt.Sprintf("height %d", o.Height)
}

// current says whether a state may be acted on in others' names. It is more patient than readiness: a proposer or two may be down. That blocks come says little: in a process
// that was cut off for a while, or on a machine that slept, they come one after the other by consensus gossip, and CatchingUp is of a start alone. So the newest must be of now;
// its time is that of the votes on the block before it, hence one such wait more.
func current(o observation) bool {
	return o.Fault == nil && !o.ConsensusEnded && !o.Stopping && !o.CatchingUp && o.Moved && o.Idle <= 2*o.FreshFor && o.Age <= 3*o.FreshFor
}
