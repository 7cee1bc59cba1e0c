package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// heldLog is where the event log of this node begins: the frontier at the height of the snapshot that it was made from. No row: at its beginning. Nothing
// binds it but the head: leaves that follow it hash to the head only if it is true.
var heldLog = x.NewTable[pb.LogHead](0x09, "log held from", x.Unbound)

// LogHeldFrom is the number of the first leaf of the event log that this node holds.
func LogHeldFrom(r x.Reader) uint64 {
	h, ok := heldLog.Get(r)
	if !ok {
		return 0
	}
	return h.Size_
}

// errChunk says that a chunk is not the one that the metadata names: whoever sent it is wrong, the snapshot may be right.
var errChunk = errors.New("its hash is not the one that the metadata names")

// errSnapshot says that the snapshot itself is false: its metadata names a chunk that does not hold what it must.
type errSnapshot struct{ err error }

func (e errSnapshot) Error() string { return "the snapshot is false: " + e.err.Error() }
func (e errSnapshot) Unwrap() error { return e.err }

// errResumed says that what an earlier process had applied and what came now make no state together. The folder may lack what its mark says that it has, or the snapshot be
// false; who begins anew finds out.
type errResumed struct{ err error }

func (e errResumed) Error() string { return "what was applied before does not fit: " + e.err.Error() }
func (e errResumed) Unwrap() error { return e.err }

// restoring is a snapshot on its way into the store. Chunks come in order.
type restoring struct {
	meta  *snapshotMeta
	id    []byte // SHA-256 of the metadata
	chain *x.Chain
	info  *pb.BlockInfo
	into  *state.Restore
	have  int    // chunks before this one were applied by an earlier process: they are checked and left aside
	next  int    // chunk
	group int    // the first group that is not whole
	body  []byte // what of it is here
}

// checkSnapshot reads metadata and holds it against what is known: the app hash of its height and, unless empty, the chain.
func checkSnapshot(raw, appHash []byte, chainID string) (*restoring, error) {
	m, err := decodeSnapshotMeta(raw)
	if err != nil {
		return nil, err
	}
	if got := m.appHash(); !bytes.Equal(got[:], appHash) {
		return nil, fmt.Errorf("the metadata makes app hash %x, the chain has %x at height %d", got, appHash, m.height)
	}
	chain, info, err := m.parse()
	if err != nil {
		return nil, err
	}
	if chainID != "" && chain.ID != chainID {
		return nil, fmt.Errorf("the snapshot is of chain %q, not of %q", chain.ID, chainID)
	}
	id := sha256.Sum256(raw)
	return &restoring{meta: m, id: id[:], chain: chain, info: info}, nil
}

// isOf holds the time that the metadata gives the block against that of its header, which no hash of the state binds. Until the next block comes it decides which
// transactions have expired, and what the legal day is; after that it stands in the answers about this height.
func (r *restoring) isOf(at time.Time) error {
	if r.info.TimeSeconds != at.Unix() || int(r.info.TimeNanos) != at.Nanosecond() {
		return fmt.Errorf("the metadata gives block %d the time %s, its header has %s", r.meta.height,
			time.Unix(r.info.TimeSeconds, int64(r.info.TimeNanos)).UTC().Format(time.RFC3339Nano), at.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// begin makes the store ready. It must be empty, or hold what a process that was stopped has applied of this very snapshot: that goes on.
func (r *restoring) begin(s *state.Store) error {
	into, mark, err := s.Restore(r.meta.height, r.id)
	if err != nil {
		return err
	}
	r.into = into
	if mark != nil {
		c := cursor{rest: mark}
		r.have, r.group = c.uvarint(len(r.meta.chunks)), c.uvarint(len(r.meta.groups))
		if c.err != nil || len(c.rest) > 0 {
			return errors.Join(errors.New("how far the restore had come cannot be read"), into.Abort())
		}
	}
	return nil
}

// mark notes after a chunk with whose end a group ends how far this is.
func (r *restoring) mark() error {
	if len(r.body) > 0 {
		return nil
	}
	return r.into.Mark(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(r.next)), uint64(r.group)))
}

// apply checks a chunk, and writes the groups that it makes whole. Every group is checked before a row of it is written.
func (r *restoring) apply(chunk []byte) error {
	if sha256.Sum256(chunk) != r.meta.chunks[r.next] {
		return errChunk
	}
	if len(chunk) == 0 || len(chunk) > snapshotChunkBytes {
		return errSnapshot{fmt.Errorf("chunk %d has %d bytes, 1 to %d are possible", r.next, len(chunk), snapshotChunkBytes)}
	}
	if r.next < r.have {
		r.next++
		return nil
	}
	for c := (cursor{rest: chunk}); len(c.rest) > 0; {
		number, last, part := c.uvarint(len(r.meta.groups)-1), c.byte(), c.bytes(len(c.rest))
		for r.group < len(r.meta.groups) && r.meta.groups[r.group].Kind == state.NoLeaf {
			r.group++
		}
		switch {
		case c.err != nil:
			return errSnapshot{c.err}
		case len(part) == 0: // whoever may send nothing may do so for ever
			return errSnapshot{fmt.Errorf("a part of group %d is empty", number)}
		case last > 1 || number != r.group:
			return errSnapshot{fmt.Errorf("group %d comes where group %d must", number, r.group)}
		case len(r.body)+len(part) > snapshotGroupBytesMax:
			return errSnapshot{fmt.Errorf("group %d has more than %d bytes", number, snapshotGroupBytesMax)}
		}
		if r.body = append(r.body, part...); last == 0 {
			continue
		}
		var disk error
		err := groupUnits(r.chain.Secret, r.body, r.meta.depth, number, r.meta.groups[number], func(rows []row) error {
			for _, row := range rows {
				if disk = r.into.Row(row.key, row.value); disk != nil {
					return disk
				}
			}
			return nil
		})
		if disk != nil {
			return disk
		}
		if err != nil {
			return errSnapshot{fmt.Errorf("group %d: %w", number, err)}
		}
		r.body, r.group = r.body[:0], r.group+1
	}
	r.next++
	return r.mark()
}

// done says whether all chunks are there.
func (r *restoring) done() bool { return r.next == len(r.meta.chunks) }

// finish rebuilds what follows from the rows, checks what no single chunk shows, and makes the state visible.
func (r *restoring) finish() error {
	err := r.rebuild()
	if err == nil {
		err = r.into.Finish(r.meta.appHash(), r.meta.root(), x.EncodeRow(r.info))
	}
	var root state.ErrRoot
	switch {
	case err != nil && r.have > 0:
		return errResumed{err}
	case errors.As(err, &root):
		return errSnapshot{root}
	}
	return err
}

// rebuild writes what follows from the rows. A stop in here, or after it, leaves some of that beside the mark: the next try writes the same again, and reads
// none of it.
func (r *restoring) rebuild() (err error) {
	defer caught(&err)
	for i := r.group; i < len(r.meta.groups); i++ {
		if r.meta.groups[i].Kind != state.NoLeaf {
			return errSnapshot{fmt.Errorf("group %d is missing", i)}
		}
	}
	v, err := r.into.View()
	if err != nil {
		return err
	}
	s := &Snapshot{view: v}
	defer s.Close()
	f := frontier(s)
	chainRow, _ := s.Get(chainInfo.Key())
	switch {
	case !bytes.Equal(chainRow, r.meta.chain):
		return errSnapshot{errors.New("its rows are of another chain than its metadata says")}
	case !bytes.Equal(catalogValue(s), r.meta.catalog):
		return errSnapshot{errors.New("its rows have another catalogue than its metadata says")}
	case !bytes.Equal(logValue(f), r.meta.log):
		return errSnapshot{errors.New("its rows have another event log than its metadata says")}
	}
	w := restoreWriter{bare{s}, r.into}
	for _, derive := range derivers {
		derive(w, int64(r.meta.height), w.Set)
	}
	if pack := derivePacks(w).value(r.chain.Secret, r.meta.root()); !bytes.Equal(pack, r.meta.pack) {
		return errSnapshot{errors.New("its rows make other packs than its metadata says")}
	}
	if f.Size > 0 {
		h, _ := logHead.Get(s)
		heldLog.Put(w, h)
	}
	info := *r.info
	info.AppHash = nil // as FinalizeBlock writes it
	blockInfos.Put(w, &info, be64(r.meta.height))
	return nil
}

// derivers give the rows of all derived tables but the packs as they are after a block, each row once: they follow from bound ones.
var derivers = []func(r x.Reader, height int64, emit func(key, value []byte)){
	func(r x.Reader, height int64, emit func(key, value []byte)) {
		x.DeriveTimers(height, func(fn func(x.Timer)) { eachTimer(r, fn) }, func(fn func(x.Duty)) { eachDuty(r, fn) }, emit)
	},
	atAnyHeight(sanction.Derive), atAnyHeight(measure.Derive), atAnyHeight(commitment.Derive), atAnyHeight(repair.Derive), atAnyHeight(objection.Derive),
	atAnyHeight(incentive.Derive), atAnyHeight(inspection.Derive), atAnyHeight(consent.Derive), atAnyHeight(leniency.Derive), atAnyHeight(subject.Derive),
	atAnyHeight(member.Derive), atAnyHeight(governance.Derive),
}

func atAnyHeight(derive func(x.Reader, func(key, value []byte))) func(x.Reader, int64, func(key, value []byte)) {
	return func(r x.Reader, _ int64, emit func(key, value []byte)) { derive(r, emit) }
}

// restoreWriter writes rows of a snapshot's state while it reads others. What fails is a Fault, as for every writer of state.
type restoreWriter struct {
	x.Reader
	into *state.Restore
}

func (w restoreWriter) Set(key, value []byte) {
	if err := w.into.Row(key, value); err != nil {
		panic(x.Fault{Err: err})
	}
}

func (w restoreWriter) Delete(key []byte) {
	x.Faultf("a restore deletes nothing, and was asked to delete %x", key)
}

// restored shows the restored state to everybody.
func (a *App) restored(r *restoring) {
	hash := r.meta.appHash()
	a.next, a.genesis, a.before = nil, nil, 0
	a.committed.Store(&committed{height: int64(r.meta.height), info: r.info, chain: r.chain, appHash: hash[:], shared: new(sharedRows)})
	if err := a.done.begin(a); err != nil {
		a.report("restore", err)
	}
}

// heldFrom is the frontier at which the event log of this node begins.
func heldFrom(r x.Reader) (tree.Frontier, error) {
	h, ok := heldLog.Get(r)
	if !ok {
		return tree.Frontier{}, nil
	}
	f, err := tree.FrontierOf(h.Size_, bytes.Join(h.Peaks, nil))
	if err != nil {
		return f, fmt.Errorf("where the event log of this node begins is damaged: %w", err)
	}
	return f, nil
}
