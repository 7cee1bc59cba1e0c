package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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

// checks are those of a whole state, each for one goroutine: every numbered invariant of the modules, and that the tables which follow from others do follow
// from them. firsts are subjects, ascending, that cut the files and standings into pieces.
func checks(secret []byte, blockTime int64, d *derived, firsts []string) (out []func(r *asked) error) {
	for _, check := range []func(x.Reader) error{
		member.Check, governance.Check, catalog.Check, sanction.Check, measure.Check, commitment.Check, fulfillment.Check, leniency.Check, repair.Check, objection.Check,
		incentive.Check, inspection.Check, consent.Check, subject.Check, x.CheckDutyClocks,
		func(r x.Reader) error { return x.CheckMoments(r, d.height) },
		func(r x.Reader) error { return checkSeen(r, blockTime) }, checkLog, checkPacks,
	} {
		out = append(out, func(r *asked) error { return check(r) })
	}
	for i, from := range firsts {
		to := ""
		if i+1 < len(firsts) {
			to = firsts[i+1]
		}
		out = append(out, func(r *asked) error {
			p := &piece{asked: r, from: from, to: to}
			if err := subject.CheckFiles(p, from, to); err != nil {
				return err
			}
			return standing.Check(p, secret, from, to)
		})
	}
	for _, job := range d.jobs() {
		out = append(out, func(r *asked) error { return job(r) })
	}
	return out
}

// pieceSubjects is how many subjects a piece of the files and standings has: some megabytes of rows.
const pieceSubjects = 2048

// CheckState holds every numbered invariant of the modules in the newest committed state, and that the tables which follow from others do follow from
// them. It reads the whole state, on all processors. Of several faults it names that of the first check.
//
// DETERMINISM: it reads, and the answer is one error or none.
func (a *App) CheckState(ctx context.Context) error {
	height := a.committed.Load().height
	// Of a check that fails, those before it go on: they may name a fault that comes first.
	failed := atomic.Int64{}
	failed.Store(math.MaxInt64)
	var bug atomic.Value // a panic that is no Fault: the caller's, as if it ran the checks itself
	run := func(i int, check func(r *asked) error) (err error) {
		defer func() {
			switch p := recover().(type) {
			case nil:
			case x.Fault:
				err = p
			default:
				bug.CompareAndSwap(nil, fmt.Sprint(p))
				err = errPassedOver
			}
		}()
		s, err := a.At(height)
		if err != nil {
			return err
		}
		defer s.Close()
		stop := func() error {
			if int64(i) > failed.Load() {
				return errPassedOver
			}
			return ctx.Err()
		}
		if err := stop(); err != nil { // of a small state no check may ever ask
			return err
		}
		return check(&asked{Snapshot: s, stop: stop})
	}
	var secret []byte
	blockTime := int64(0)
	var firsts []string
	d := newDerived(height)
	if err := run(0, func(r *asked) (err error) {
		info, ok := chainInfo.Get(r)
		if !ok {
			return fmt.Errorf("the state holds no chain")
		}
		secret = info.Secret
		if b, ok := BlockInfo(r, height); ok {
			blockTime = b.TimeSeconds
		}
		firsts = subject.Cut(r, pieceSubjects)
		return nil
	}); err != nil {
		if p := bug.Load(); p != nil {
			panic(p)
		}
		return err
	}
	all := checks(secret, blockTime, d, firsts)
	errs := make([]error, len(all))
	next := atomic.Int64{}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) || int64(i) > failed.Load() {
					return
				}
				if errs[i] = run(i, all[i]); errs[i] == nil {
					continue
				}
				for first := failed.Load(); int64(i) < first && !failed.CompareAndSwap(first, int64(i)); first = failed.Load() {
				}
			}
		})
	}
	workers.Wait()
	if p := bug.Load(); p != nil {
		panic(p)
	}
	if i := failed.Load(); i < int64(len(all)) {
		return errs[i]
	}
	return run(0, func(r *asked) error { return d.compare(r) })
}

// errPassedOver ends a check when one before it has found a fault.
var errPassedOver = errors.New("a check before this one has failed")

// asked is a reader that asks, every so many rows, whether to stop.
type asked struct {
	*Snapshot
	stop func() error
	rows int
}

func (r *asked) ask() {
	if r.rows++; r.rows%256 == 0 {
		if err := r.stop(); err != nil {
			panic(x.Fault{Err: err})
		}
	}
}

// Get implements x.Reader.
func (r *asked) Get(key []byte) ([]byte, bool) {
	r.ask()
	return r.Snapshot.Get(key)
}

// Peek implements x.Peeker.
func (r *asked) Peek(key []byte) ([]byte, bool) {
	r.ask()
	return r.Snapshot.Peek(key)
}

// Iterate implements x.Reader.
func (r *asked) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	r.ask()
	r.Snapshot.Iterate(prefix, start, func(key, value []byte) bool {
		r.ask()
		return fn(key, value)
	})
}

// piece reads the files and standings of some subjects, those from the one up to the other, from memory: each table once, when it is first asked
// for. Whoever looks at all subjects one by one would begin millions of iterations.
type piece struct {
	*asked
	from, to string // subjects; to may be empty: no end
	tables   [256][]pieceRow
	held     [256]bool
}

type pieceRow struct{ key, value []byte }

// rows gives the rows of a table from a key on; false: they are not held.
func (p *piece) rows(key []byte) ([]pieceRow, bool) {
	const keyed = 1 + 18 // a table and a subject
	t, ok := x.TableOf(key)
	if !ok || len(key) < keyed || t.Binding != x.File && t.Binding != x.Own || !p.has(key) {
		return nil, false
	}
	if !p.held[t.Prefix] {
		p.held[t.Prefix] = true
		p.asked.Iterate([]byte{t.Prefix}, x.Key(t.Prefix, []byte(p.from)), func(key, value []byte) bool {
			if len(key) < keyed {
				return true // damaged; subject.CheckFiles says so
			}
			if !p.has(key) {
				return false
			}
			p.tables[t.Prefix] = append(p.tables[t.Prefix], pieceRow{key, value})
			return true
		})
	}
	rows := p.tables[t.Prefix]
	i, _ := slices.BinarySearchFunc(rows, key, func(r pieceRow, key []byte) int { return bytes.Compare(r.key, key) })
	return rows[i:], true
}

// has says whether the key of a row is of one of the subjects.
func (p *piece) has(key []byte) bool {
	uscc := string(key[1:19])
	return uscc >= p.from && (p.to == "" || uscc < p.to)
}

// Get implements x.Reader.
func (p *piece) Get(key []byte) ([]byte, bool) {
	value, ok := p.Peek(key)
	return bytes.Clone(value), ok
}

// Peek implements x.Peeker.
func (p *piece) Peek(key []byte) ([]byte, bool) {
	rows, held := p.rows(key)
	switch {
	case !held:
		return p.asked.Peek(key)
	case len(rows) == 0 || !bytes.Equal(rows[0].key, key):
		return nil, false
	}
	return rows[0].value, true
}

// Iterate implements x.Reader.
func (p *piece) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	rows, held := p.rows(prefix)
	if !held {
		p.asked.Iterate(prefix, start, fn)
		return
	}
	for _, r := range rows {
		if !bytes.HasPrefix(r.key, prefix) {
			return
		}
		if bytes.Compare(r.key, start) >= 0 && !fn(bytes.Clone(r.key), bytes.Clone(r.value)) {
			return
		}
	}
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
		ids, n := make(map[uint64][]byte), uint64(0)
		r.Iterate(x.Key(seenTable.Prefix, m), nil, func(key, number []byte) bool {
			if i := uint64FromBytes(number); i < b.Count && ids[i] == nil {
				ids[i] = bytes.Clone(key[9:])
				n++
			}
			return true
		})
		digest := make([]byte, 32)
		for i := range n { // less than the count where one is missing
			digest = chainDigest(digest, ids[i])
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
	// The rows first: what is wrong with one says more than that the app hash is not the marker's.
	if err := a.CheckState(ctx); err != nil {
		return err
	}
	return a.Read(func(r x.Reader) error {
		if hash := appHash(r, a.Chain().Secret, m.Root, frontier(r)); hash != m.AppHash {
			return fmt.Errorf("height %d: the state makes app hash %x, the marker says %x", m.Height, hash, m.AppHash)
		}
		return nil
	})
}
