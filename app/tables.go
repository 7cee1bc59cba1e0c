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

// dropSeen forgets the buckets in which everything has expired: every expires_at in the bucket lies before block time. before is the time of the block
// before, after which none stood that had expired then; 0: it is not known. From there on the look begins: Badger keeps a deleted row for a while, on a
// node that keeps its history for ever, and a bucket goes each minute.
func dropSeen(s x.State, before, blockTime int64) {
	var old [][]byte
	s.Iterate(buckets.Key(), buckets.Key(minute(before)), func(key, _ []byte) bool {
		m := key[1:]
		if int64(uint64FromBytes(m))*60+59 >= blockTime {
			return false
		}
		old = append(old, bytes.Clone(m))
		return true
	})
	for _, m := range old {
		var rows [][]byte
		s.Iterate(x.Key(seenTable.Prefix, m), nil, func(key, _ []byte) bool {
			rows = append(rows, bytes.Clone(key))
			return true
		})
		for _, key := range rows {
			s.Delete(key)
		}
		buckets.Delete(s, m)
	}
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
	for i, leaf := range leaves {
		if len(open) == 0 {
			open = []byte{byte(end.Size % logRun)}
		}
		open = append(open, leaf[:]...)
		end.Append(leaf)
		if last := i == len(leaves)-1; last || end.Size%logRun == 0 {
			s.Set(runKey(end.Size-1), open)
		}
		if end.Size%logRun == 0 {
			open = nil
		}
	}
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
