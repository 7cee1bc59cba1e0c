package governance

import (
	"bytes"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Check holds the state against the invariants of doc.go.
func Check(r x.Reader) error {
	for _, check := range []func(x.Reader) error{checkRows, checkOpen, checkTimers} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// checkRows is GOV-1, and that numbers run without a gap.
func checkRows(r x.Reader) error {
	var err error
	n := uint64(0)
	proposals.Each(r, func(key []byte, p *pb.Proposal) bool {
		n++
		switch {
		case !bytes.Equal(key, ID(p.Id)) || p.Id != n:
			err = fmt.Errorf("proposal %d stands under %x, as the %dth", p.Id, key, n)
		case p.State < pb.PROPOSAL_OPEN || p.State > pb.PROPOSAL_LAPSED:
			err = fmt.Errorf("proposal %d is in no state", p.Id)
		case p.Action.Sum == nil || len(p.ReasonDigest) != pb.DigestBytes || p.OpenedOn == 0 || p.ClosesOn < p.OpenedOn:
			err = fmt.Errorf("proposal %d is not whole", p.Id)
		case p.EffectiveOn != 0 && p.EffectiveOn < p.OpenedOn:
			err = fmt.Errorf("INV-25: proposal %d takes effect before it was opened", p.Id)
		}
		for i := 1; i < len(p.Ballots) && err == nil; i++ {
			if p.Ballots[i-1].Member >= p.Ballots[i].Member {
				err = fmt.Errorf("GOV-1: ballots of proposal %d do not ascend", p.Id)
			}
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	last, ok := state.Get(r)
	if ok && last.LastProposal != n || !ok && n != 0 {
		return fmt.Errorf("%d proposals stand, %d numbers were given", n, last.GetLastProposal())
	}
	return nil
}

// checkOpen is GOV-3.
func checkOpen(r x.Reader) error {
	var err error
	want, have := 0, 0
	Derive(r, func(key, _ []byte) {
		want++
		if _, ok := r.Get(key); !ok && err == nil {
			err = fmt.Errorf("GOV-3: open proposal %x is not indexed", key[1:])
		}
	})
	r.Iterate([]byte{open.Prefix}, nil, func(_, _ []byte) bool { have++; return true })
	if err == nil && have != want {
		err = fmt.Errorf("GOV-3: %d proposals are indexed as open, %d are", have, want)
	}
	return err
}

// checkTimers is GOV-2.
func checkTimers(r x.Reader) error {
	name := func(t x.Timer) string { return fmt.Sprintf("%d/%d/%d/%x", t.Class, t.Due, t.Kind, t.ID) }
	have := map[string]bool{}
	x.Timers(r, func(t x.Timer) bool {
		if t.Kind == x.TimerProposalClose || t.Kind == x.TimerProposalEffective {
			have[name(t)] = true
		}
		return true
	})
	var err error
	want := 0
	Timers(r, func(t x.Timer) {
		want++
		if !have[name(t)] && err == nil {
			err = fmt.Errorf("GOV-2: proposal %x lacks its timer", t.ID)
		}
	})
	if err == nil && len(have) != want {
		err = fmt.Errorf("GOV-2: proposals have %d timers and need %d", len(have), want)
	}
	return err
}
