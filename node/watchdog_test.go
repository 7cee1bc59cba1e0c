package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/types"
)

// TestJudge: the process ends for three reasons and for nothing else.
func TestJudge(t *testing.T) {
	const behind = 2 * time.Minute
	disk := errors.New("stage: no space left on device")
	for _, tt := range []struct {
		name string
		o    observation
		want string // "" = goes on
	}{
		{"healthy", observation{Height: 9, Moved: true, Idle: time.Second, Peers: 3}, ""},
		{"application fault", observation{Fault: disk}, "no space left"},
		{"consensus routine ended", observation{ConsensusEnded: true, ConsensusReason: "wrong app hash"}, "wrong app hash"},
		{"both: the fault is the cause", observation{Fault: disk, ConsensusEnded: true}, "no space left"},
		{"stopping: the routine ends because it was told to", observation{Stopping: true, ConsensusEnded: true}, ""},
		{"stopping with a fault", observation{Stopping: true, Fault: disk}, ""},

		{"no quorum for an hour, peers stand where we do", observation{Idle: time.Hour, Peers: 3, PowerSeen: 20, PowerTotal: 40}, ""},
		{"no peers for an hour", observation{Idle: time.Hour}, ""},
		{"catching up without peers for an hour", observation{Idle: time.Hour, CatchingUp: true}, ""},

		{"all peers ahead, not for long", observation{Idle: behind - 1, Behind: behind, Peers: 3, PeersAhead: 3}, ""},
		{"all peers ahead for long", observation{Idle: behind, Behind: behind, Peers: 3, PeersAhead: 3}, "3 of 3 peers are ahead"},
		{"the only peer ahead for long", observation{Idle: behind, Behind: behind, Peers: 1, PeersAhead: 1}, "1 of 1"},
		{"one of three says so: it may lie", observation{Idle: time.Hour, Behind: time.Hour, Peers: 3, PeersAhead: 1}, ""},
		{"two of three", observation{Idle: behind, Behind: behind, Peers: 3, PeersAhead: 2}, "2 of 3"},
		{"peers ahead, and blocks come", observation{Idle: time.Second, Behind: time.Hour, CatchingUp: true, Peers: 3, PeersAhead: 3}, ""},
		{"cut off or suspended for an hour, and back: it has the time to catch up", observation{Idle: time.Hour, Behind: behind - 1, Peers: 3, PeersAhead: 3}, ""},
		{"catching up, and nothing comes", observation{Idle: behind, Behind: behind, CatchingUp: true, Peers: 3, PeersAhead: 3}, "peers are ahead"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reason, end := judge(tt.o, behind)
			if end != (tt.want != "") || !strings.Contains(reason, tt.want) {
				t.Errorf("judge = %q, %v; want %q", reason, end, tt.want)
			}
		})
	}
}

// TestLag: the time counts from the first look at which peers are ahead, and anew after one at which they are not.
func TestLag(t *testing.T) {
	now := time.Now()
	var l lag
	for _, tt := range []struct {
		after time.Duration
		ahead bool
		want  time.Duration
	}{{0, false, 0}, {time.Hour, true, 0}, {time.Hour + time.Minute, true, time.Minute}, {2 * time.Hour, false, 0}, {3 * time.Hour, true, 0}} {
		if got := l.look(now.Add(tt.after), tt.ahead); got != tt.want {
			t.Errorf("after %s: %s, want %s", tt.after, got, tt.want)
		}
	}
}

// TestRiseByTheSteadyClock: how long ago a block came is measured by the clock that nobody sets. By the other one a clock that is put forward would end a node
// whose peers are a block ahead, and one that is put back would hide for as long that nothing comes.
func TestRiseByTheSteadyClock(t *testing.T) {
	n := &Node{born: time.Now()}
	n.onHeight(1)
	if at := n.risen(); !strings.Contains(at.String(), " m=") || at.Before(n.born) {
		t.Errorf("the height rose at %s, which follows whoever sets the clock", at)
	}
}

func TestReadiness(t *testing.T) {
	fresh := observation{Height: 7, Moved: true, Idle: time.Second, FreshFor: 13 * time.Second, PowerSeen: 40, PowerTotal: 40}
	for _, tt := range []struct {
		name string
		edit func(*observation)
		ok   bool
		want string
	}{
		{"fresh", func(*observation) {}, true, "height 7"},
		{"fault", func(o *observation) { o.Fault = errors.New("disk") }, false, "disk"},
		{"consensus ended", func(o *observation) { o.ConsensusEnded, o.ConsensusReason = true, "why" }, false, "why"},
		{"stopping", func(o *observation) { o.Stopping, o.ConsensusEnded = true, true }, false, "stopping"},
		{"catching up", func(o *observation) { o.CatchingUp = true }, false, "catching up"},
		{"first block not there", func(o *observation) { o.Height, o.PowerSeen = 0, 10 }, false, "power seen 10 of 40"},
		{"no quorum", func(o *observation) { o.Idle, o.PowerSeen = time.Minute, 20 }, false, "power seen 20 of 40"},
		{"started, and no block since", func(o *observation) { o.Moved = false }, false, "power seen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := fresh
			tt.edit(&o)
			ok, reason := readiness(o)
			if tt.name != "first block not there" && current(o) != tt.ok {
				t.Errorf("current = %v, want %v", !tt.ok, tt.ok)
			}
			if ok != tt.ok || !strings.Contains(reason, tt.want) {
				t.Errorf("readiness = %v %q; want %v with %q", ok, reason, tt.ok, tt.want)
			}
		})
	}
}

// TestCurrent: where a node that was cut off, or whose machine slept, comes back in the same process, blocks come at once and are old ones: nothing is acted on before
// those of now are there. That the clock is put forward is no different; back, and the age says nothing.
func TestCurrent(t *testing.T) {
	const fresh = 13 * time.Second
	for _, tt := range []struct {
		name string
		age  time.Duration
		want bool
	}{
		{"a block of now", time.Second, true},
		{"blocks come, of a time when a proposer or two were down", 2 * fresh, true},
		{"blocks come, of a minute ago", time.Minute, false},
		{"blocks come, of a day ago", 24 * time.Hour, false},
		{"no block at all", time.Since(time.Time{}), false},
		{"this machine's clock is behind", -time.Hour, true},
	} {
		o := observation{Height: 7, Moved: true, Idle: 17 * time.Millisecond, FreshFor: fresh, Age: tt.age}
		if got := current(o); got != tt.want {
			t.Errorf("%s: current = %v", tt.name, got)
		}
	}
	n := startNode(t, lone(t))
	eventually(t, "its state is current", func() bool { return n.currentAt(time.Now()) }) // a block that was late is followed by one that is not
	if n.currentAt(time.Now().Add(time.Hour)) {
		t.Error("a state that is an hour old is current")
	}
}

// TestPowerSeen: only the step that the node is in counts.
func TestPowerSeen(t *testing.T) {
	var vals []*types.Validator
	keys := map[string]ed25519.PrivKey{}
	for range 4 {
		k := ed25519.GenPrivKey()
		vals = append(vals, types.NewValidator(k.PubKey(), 10))
		keys[string(k.PubKey().Address())] = k
	}
	set := types.NewValidatorSet(vals)
	votes := cstypes.NewHeightVoteSet("test-power", 5, set)
	vote := func(i int32, kind byte) {
		v := &types.Vote{
			Type: 1, Height: 5, Timestamp: time.Unix(1, 0).UTC(), ValidatorAddress: set.Validators[i].Address, ValidatorIndex: i,
		}
		if kind == 'c' {
			v.Type = 2
		}
		pv := v.ToProto()
		sig, err := keys[string(v.ValidatorAddress)].Sign(types.VoteSignBytes("test-power", pv))
		if err != nil {
			t.Fatal(err)
		}
		v.Signature = sig
		if _, err := votes.AddVote(v, "", false); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int32(4) {
		vote(i, 'v')
	}
	vote(0, 'c')
	vote(1, 'c')
	for _, tt := range []struct {
		step cstypes.RoundStepType
		want int64
	}{
		{cstypes.RoundStepPrevote, 40},
		{cstypes.RoundStepPrecommit, 20}, // two died after their prevote: the prevotes would hide it
		{cstypes.RoundStepNewHeight, 0},  // no last commit yet
	} {
		seen, total := powerSeen(&cstypes.RoundState{Height: 5, Step: tt.step, Validators: set, Votes: votes})
		if seen != tt.want || total != 40 {
			t.Errorf("step %s: %d of %d, want %d of 40", tt.step, seen, total, tt.want)
		}
	}
	if seen, total := powerSeen(nil); seen != 0 || total != 0 {
		t.Errorf("without a round state: %d of %d", seen, total)
	}
}

// TestEngineLog: CometBFT's last words are caught at any level, through any With, and stay one line.
func TestEngineLog(t *testing.T) {
	var reason string
	var out strings.Builder
	quiet := false
	l := newEngineLog(slog.New(slog.NewTextHandler(&out, nil)), "error", func() bool { return quiet }, func(r string) { reason = r })
	l.With("module", "consensus").Error(consensusFailure, "err", "two\nlines", "stack", "goroutine 1")
	if reason != "two lines" {
		t.Errorf("reason %q", reason)
	}
	if s := out.String(); strings.Contains(s, "goroutine") || strings.Count(s, "\n") != 1 {
		t.Errorf("logged %q", s)
	}
	// Two loggers of one keep apart what was added, and a line has all of it, in order.
	peer := l.With("module", "p2p")
	one, other := peer.With("peer", "one"), peer.With("peer", "other")
	for l, want := range map[cmtlog.Logger]string{one: "module=p2p peer=one err=gone", other: "module=p2p peer=other err=gone", peer: "module=p2p err=gone"} {
		out.Reset()
		if l.Error("failed", "err", "gone"); !strings.HasSuffix(out.String(), want+"\n") {
			t.Errorf("logged %q, want %q", out.String(), want)
		}
	}
	out.Reset()
	l.Info("noise")
	l.Warn("noise")
	quiet = true
	l.Error("Stopping peer for error")
	if out.Len() != 0 {
		t.Errorf("logged %q", out.String())
	}
}
