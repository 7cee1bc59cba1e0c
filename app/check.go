package app

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/fulfillment"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// CheckState holds every numbered invariant of the modules, and that the tables which follow from others do follow from them. It reads the
// whole state: for tests, fsck and auditors.
func CheckState(r x.Reader) error {
	info, ok := chainInfo.Get(r)
	if !ok {
		return fmt.Errorf("the state holds no chain")
	}
	newest := new(pb.BlockInfo)
	blockInfos.Each(r, func(_ []byte, b *pb.BlockInfo) bool {
		newest = b
		return true
	})
	for _, check := range []func(x.Reader) error{
		member.Check, governance.Check, catalog.Check, subject.Check, commitment.Check, fulfillment.Check, measure.Check, sanction.Check, leniency.Check, repair.Check,
		objection.Check, incentive.Check, inspection.Check, consent.Check,
		func(r x.Reader) error { return standing.Check(r, info.Secret) },
		checkTimers, x.CheckDutyClocks,
		// The moments follow from the timers, if the block that left this state says that it kept them.
		func(r x.Reader) error { return x.CheckMoments(r, newest.Height) },
		func(r x.Reader) error { return checkSeen(r, newest.TimeSeconds) },
		checkLog, checkPacks,
	} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// checkTimers holds that the timers and duties are exactly those that follow from the records.
func checkTimers(r x.Reader) error {
	want, owed := map[string]bool{}, map[string]bool{}
	add := func(t x.Timer) { want[fmt.Sprint(t)] = true }
	eachDuty(r, func(d x.Duty) {
		if t, runs := d.Timer(); runs {
			add(t)
		}
		owed[fmt.Sprint(d)] = true
	})
	eachTimer(r, add)
	n := 0
	var err error
	x.Timers(r, func(t x.Timer) bool {
		n++
		if !want[fmt.Sprint(t)] {
			err = fmt.Errorf("timer of kind %d, due %d, follows from no record", t.Kind, t.Due)
		}
		return err == nil
	})
	if err == nil && n != len(want) {
		err = fmt.Errorf("%d timers stand, %d follow from the records", n, len(want))
	}
	if err != nil {
		return err
	}
	n = 0
	x.EachDuty(r, func(d x.Duty) bool {
		n++
		if !owed[fmt.Sprint(d)] {
			err = fmt.Errorf("duty %s of %s, due %s, follows from no record", d.Kind.Info().Token, d.Owner, d.Due)
		}
		return err == nil
	})
	if err == nil && n != len(owed) {
		err = fmt.Errorf("%d duties stand, %d follow from the records", n, len(owed))
	}
	return err
}

// eachTimer gives the timers of all modules, but for the clocks of duties.
func eachTimer(r x.Reader, fn func(x.Timer)) {
	governance.Timers(r, fn)
	measure.EachTimer(r, fn)
	sanction.EachTimer(r, fn)
	repair.EachTimer(r, fn)
	inspection.EachTimer(r, fn)
	incentive.EachTimer(r, fn)
	consent.EachTimer(r, fn)
}

// eachDuty gives the duties of all modules.
func eachDuty(r x.Reader, fn func(x.Duty)) {
	commitment.EachDuty(r, fn)
	measure.EachDuty(r, fn)
	sanction.EachDuty(r, fn)
	repair.EachDuty(r, fn)
	inspection.EachDuty(r, fn)
	objection.EachDuty(r, fn)
	incentive.EachDuty(r, fn)
}

// checkSeen holds, after a block of this time, that no bucket stands whose minute has passed, that each bucket's digest is that of its transactions in their
// order, and that the rows without a bucket are of minutes that have passed and will be found by who sweeps them.
func checkSeen(r x.Reader, blockTime int64) (err error) {
	total := uint64(0)
	buckets.Each(r, func(m []byte, b *pb.SeenBucket) bool {
		if passed(m, blockTime) {
			err = fmt.Errorf("the bucket of minute %x of the seen-set stands, and everything in it has expired", m)
			return false
		}
		ids := make([][]byte, b.Count)
		n := uint64(0)
		r.Iterate(x.Key(seenTable.Prefix, m), nil, func(key, number []byte) bool {
			if i := uint64FromBytes(number); i < b.Count && ids[i] == nil {
				ids[i] = bytes.Clone(key[9:])
				n++
			}
			return true
		})
		digest := make([]byte, 32)
		for _, id := range ids {
			digest = chainDigest(digest, id)
		}
		if n != b.Count || !bytes.Equal(digest, b.Digest) {
			err = fmt.Errorf("the seen-set of minute %x does not have its bucket's digest", m)
		}
		total += n
		return err == nil
	})
	if err != nil {
		return err
	}
	rows := uint64(0)
	var left []byte
	r.Iterate([]byte{seenTable.Prefix}, nil, func(key, _ []byte) bool {
		switch {
		case !passed(key[1:min(9, len(key))], blockTime):
			rows++
		case left == nil:
			left = bytes.Clone(key)
		}
		return true
	})
	if rows != total {
		return fmt.Errorf("%d transactions are seen, the buckets count %d", rows, total)
	}
	if first, _ := r.Get([]byte{unswept.Prefix}); !bytes.Equal(first, left) {
		return fmt.Errorf("the first row of the seen-set without a bucket is %x, the state names %x", left, first)
	}
	return nil
}

// checkLog holds that the leaves of the global log hash to its head: all of them, or, on a node that began with a snapshot, those after the frontier
// that it brought.
func checkLog(r x.Reader) error {
	want := frontier(r)
	f, err := heldFrom(r)
	if err != nil {
		return err
	}
	r.Iterate([]byte{logLeaves.Prefix}, nil, func(key, run []byte) bool {
		if uint64FromBytes(key[1:]) != f.Size/logRun || len(run) <= 1 || len(run)%32 != 1 || uint64(run[0]) != f.Size%logRun {
			err = fmt.Errorf("leaf %d of the event log is missing", f.Size)
			return false
		}
		for leaf := range slices.Chunk(run[1:], 32) {
			f.Append(tree.Hash(leaf))
		}
		if f.Size%logRun != 0 && f.Size < want.Size {
			err = fmt.Errorf("leaf %d of the event log is missing", f.Size)
		}
		return err == nil
	})
	if err == nil && (f.Size != want.Size || f.Root() != want.Root()) {
		err = fmt.Errorf("the event log does not hash to its head")
	}
	return err
}

// Fsck proves that the newest committed state is whole: every row is bound as its table declares, the leaves hash to the root, the root to the app
// hash in the marker, and every invariant holds. The first fault is named.
func (a *App) Fsck(ctx context.Context) (err error) {
	defer caught(&err)
	m := a.store.Latest()
	if m.Height == 0 {
		return nil
	}
	if err := a.store.CheckLeaves(ctx); err != nil {
		return err
	}
	return a.Read(func(r x.Reader) error {
		// The rows first: what is wrong with one says more than that the app hash is not the marker's.
		if err := CheckState(r); err != nil {
			return err
		}
		if hash := appHash(r, m.Root, frontier(r)); hash != m.AppHash {
			return fmt.Errorf("height %d: the state makes app hash %x, the marker says %x", m.Height, hash, m.AppHash)
		}
		return nil
	})
}
