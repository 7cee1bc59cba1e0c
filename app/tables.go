package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// The application's own tables.
var (
	// Transactions seen, by the minute in which they expire: minute ‖ tx id → number in the bucket.
	seenTable = x.Declare(x.TableInfo{Prefix: 0x02, Layout: "seen minute[8] tx[32] → number", Binding: x.Bucket})
	// The digest of a bucket, bound as a leaf.
	buckets = x.NewTable[pb.SeenBucket](0x03, "seen bucket minute[8]", x.Leaf)
	// The key of the first row of the seen-set whose bucket is gone; no row: there is none. See sweepSeen.
	unswept = x.Declare(x.TableInfo{Prefix: 0x0e, Layout: "first seen row without a bucket", Binding: x.Unbound})
	// The frontier of the global event log. The app hash binds it as the `log` entry.
	logHead = x.NewTable[pb.LogHead](0x04, "log head", x.Leaf)
	// Leaf hashes of the global event log, runs of logRun to a row: the number of the first that is held within its run, then the hashes. A row for each
	// would be one in nine of all rows that recording writes. The frontier binds them.
	logLeaves = x.Declare(x.TableInfo{Prefix: 0x05, Layout: "log leaves run[8]", Binding: x.Bucket})
	// What of genesis the rules need. It never changes.
	chainInfo = x.NewTable[pb.ChainInfo](0x08, "chain", x.Leaf)

	// Outcomes of transactions and facts of blocks, for answers. No rule reads them.
	outcomes   = x.NewTable[pb.TxOutcome](0x06, "outcome tx[32]", x.Unbound)
	blockInfos = x.NewTable[pb.BlockInfo](0x07, "block height[8]", x.Unbound)
)

// Bind says how the tree follows from the rows: as their tables declare. The chain's secret, which some leaves need, is in a row itself. It is for
// state.Options, of whoever opens the folder.
func Bind(get state.Getter) (b state.Binding, err error) {
	row, found, err := get(chainInfo.Key())
	if err == nil && !found {
		err = errors.New("the state holds no chain")
	}
	info := new(pb.ChainInfo)
	if err == nil {
		err = pb.Decode(row, info)
	}
	if err != nil {
		return b, err
	}
	for _, t := range x.Tables() {
		if t.Binding == x.Leaf || t.Binding == x.Own {
			b.Tables = append(b.Tables, []byte{t.Prefix})
		}
	}
	b.Key = func(key []byte) []byte { return x.LeafKey(info.Secret, key) }
	b.Value = func(key, row []byte) (hash tree.Hash, err error) {
		defer caught(&err) // a table's own decoder may find the row damaged
		_, hash, _ = x.LeafOfRow(info.Secret, key, row)
		return hash, nil
	}
	return b, nil
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// minute is the bucket of a transaction: the minute in which it expires.
func minute(expiresAt int64) []byte { return be64(uint64(expiresAt / 60)) }

// seen says whether a transaction stands in the seen-set.
func seen(r x.Reader, id [32]byte, expiresAt int64) bool {
	_, ok := r.Get(x.Key(seenTable.Prefix, minute(expiresAt), id[:]))
	return ok
}

// seenBuckets are the buckets, by minute, that a block enters transactions in.
type seenBuckets map[int64]*pb.SeenBucket

// mark enters a transaction that passed the gate, whatever becomes of it. The buckets are counted in memory until seenBuckets.put: no rule
// reads them.
func (b seenBuckets) mark(s x.State, id [32]byte, expiresAt int64) {
	m := minute(expiresAt)
	n := int64(uint64FromBytes(m))
	row := b[n]
	if row == nil {
		var ok bool
		if row, ok = buckets.Get(s, m); !ok {
			row = &pb.SeenBucket{Digest: make([]byte, 32)}
		}
		b[n] = row
	}
	s.Set(x.Key(seenTable.Prefix, m, id[:]), be64(row.Count))
	row.Count, row.Digest = row.Count+1, chainDigest(row.Digest, id[:])
}

// put writes the buckets.
func (b seenBuckets) put(s x.State) {
	for _, m := range slices.Sorted(maps.Keys(b)) {
		buckets.Put(s, b[m], be64(uint64(m)))
	}
}

// chainDigest is SHA-256(previous ‖ tx id).
func chainDigest(previous, id []byte) []byte {
	sum := sha256.Sum256(append(bytes.Clone(previous), id...))
	return sum[:]
}

func uint64FromBytes(b []byte) uint64 {
	if len(b) != 8 {
		x.Faultf("a number has %d bytes instead of 8", len(b))
	}
	return binary.BigEndian.Uint64(b)
}

// passed says whether a minute lies wholly before block time: nothing that expires in it passes the gate.
func passed(minute []byte, blockTime int64) bool {
	return int64(uint64FromBytes(minute))*60+59 < blockTime
}

// dropSeen forgets the buckets in which everything has expired, and at most so many of their rows: sweepSeen says why the others may wait. before is the
// time of the block before, after which none stood that had expired then; 0: it is not known. From there on the look begins: Badger keeps a deleted row for
// a while, on a node that keeps its history for ever, and a bucket goes each minute.
func dropSeen(s x.State, before, blockTime int64, most int) {
	var old [][]byte
	s.Iterate(buckets.Key(), buckets.Key(minute(before)), func(key, _ []byte) bool {
		m := key[1:]
		if !passed(m, blockTime) {
			return false
		}
		old = append(old, bytes.Clone(m))
		return true
	})
	for _, m := range old {
		buckets.Delete(s, m)
	}
	from, left := s.Get([]byte{unswept.Prefix})
	if !left && len(old) > 0 {
		from = x.Key(seenTable.Prefix, old[0])
	}
	if from != nil {
		sweepSeen(s, from, left, blockTime, most)
	}
}

// sweepLeast is how many rows of buckets that are gone a block deletes beside one for each of its transactions. So there are never more such rows than stood in
// the seen-set at once, and a block pays for them about what it pays to enter its own. A sender chooses when his transactions expire: those of ten
// minutes may do so in one, and a block that deleted all of them took seconds.
const sweepLeast = 1000

// sweepSeen deletes rows whose buckets are gone, the first of them at from, at most so many. left says that blocks before have left some.
//
// Such a row binds nothing and decides nothing. Whatever asks for it, or would be entered among these rows, expires in its minute, and that lies wholly before
// the time of a block that was executed. Time goes on from block to block (the engine looks at that before it asks ProcessProposal, and decides no other
// block; an auditor looks himself), and the mempool's gate goes by the time of the newest block: so the gate refuses what expires then, before it looks into the
// seen-set. A node that has the row and one that has it no more compute the same. Who began with a snapshot never had it.
//
// Where the sweep begins is a row of the state too, there as long as something is left: it stands beside what it speaks of after a crash, a rollback or a restore,
// and nobody passes the deleted rows that Badger keeps. Nodes that executed the same blocks have the same, and nothing follows where they do not:
// it only says which of these rows a block deletes.
func sweepSeen(s x.State, from []byte, left bool, blockTime int64, most int) {
	var gone [][]byte
	var next []byte
	s.Iterate([]byte{seenTable.Prefix}, from, func(key, _ []byte) bool {
		switch {
		case !passed(key[1:9], blockTime):
			return false
		case len(gone) == most:
			next = bytes.Clone(key)
			return false
		}
		gone = append(gone, bytes.Clone(key))
		return true
	})
	for _, key := range gone {
		s.Delete(key)
	}
	switch {
	case next != nil:
		s.Set([]byte{unswept.Prefix}, next)
	case left:
		s.Delete([]byte{unswept.Prefix})
	}
}

// Unswept says whether a row of the state after a block of this time is one of a bucket that is gone, or names the first of them: nodes need not agree on
// these.
func Unswept(key []byte, blockTime int64) bool {
	return key[0] == unswept.Prefix || key[0] == seenTable.Prefix && len(key) == 41 && passed(key[1:9], blockTime)
}

// logRun is how many leaves of the log a row holds. More would make small blocks dear: each writes the open run anew.
const logRun = 16

// logEnd is the end of the global event log: its frontier, and the row of its open run, empty where the next leaf begins one or none before is held.
type logEnd struct {
	tree.Frontier
	open []byte
}

func endOfLog(r x.Reader) logEnd {
	end := logEnd{Frontier: frontier(r)}
	if end.Size%logRun != 0 {
		end.open, _ = r.Get(runKey(end.Size))
	}
	return end
}

// runKey is the key of the row that holds leaf n.
func runKey(n uint64) []byte { return x.Key(logLeaves.Prefix, be64(n/logRun)) }

// appendLog adds leaves to the global event log, and gives its new end.
func appendLog(s x.State, end logEnd, leaves [][32]byte) logEnd {
	if len(leaves) == 0 {
		return end
	}
	open := end.open[:len(end.open):len(end.open)] // the caller's row stays as it is
	size := end.Size
	for i, leaf := range leaves {
		if len(open) == 0 {
			open = []byte{byte(size % logRun)}
		}
		open = append(open, leaf[:]...)
		size++
		if last := i == len(leaves)-1; last || size%logRun == 0 {
			s.Set(runKey(size-1), open)
		}
		if size%logRun == 0 {
			open = nil
		}
	}
	end.AppendAll(leaves)
	end.open = open
	h := &pb.LogHead{Size_: end.Size}
	for _, p := range end.Peaks {
		h.Peaks = append(h.Peaks, bytes.Clone(p[:]))
	}
	logHead.Put(s, h)
	return end
}

// LogLeaf reads a leaf hash of the global event log, where this node holds it.
func LogLeaf(r x.Reader, n uint64) ([]byte, bool) {
	run, ok := r.Get(runKey(n))
	if !ok || len(run) == 0 {
		return nil, false
	}
	i := int(n%logRun) - int(run[0])
	if i < 0 || len(run) < 1+(i+1)*32 {
		return nil, false
	}
	return run[1+i*32 : 1+(i+1)*32], true
}

func frontier(r x.Reader) tree.Frontier {
	h, ok := logHead.Get(r)
	if !ok {
		return tree.Frontier{}
	}
	f, err := tree.FrontierOf(h.Size_, bytes.Join(h.Peaks, nil))
	if err != nil {
		x.Faultf("the head of the event log is damaged: %w", err)
	}
	return f
}

// logged says whether a change of a row is an event of its own in the global log: members, governance, catalogue. Records enter the log
// through their subject's file, in order of execution.
func logged(key []byte) bool { return key[0] >= firstLogged && key[0] <= lastLogged }

const firstLogged, lastLogged = 0x10, 0x2f

// rowLeaf is the log leaf of such a change.
func rowLeaf(height int64, c change) [32]byte {
	e := &pb.FileEntry{Height: height, Table: uint32(c.key[0])}
	k := sha256.Sum256(c.key)
	d := sha256.Sum256(c.value)
	e.Key, e.Digest = k[:], d[:]
	return tree.LogLeaf(x.EncodeRow(e))
}

// AnyRow is the key of a row that is there at every height.
func AnyRow() []byte { return chainInfo.Key() }
