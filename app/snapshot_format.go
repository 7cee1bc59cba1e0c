package app

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Snapshots (状态快照), format 2: the state of one height in pieces that a node can check one by one against the app hash.
//
//	metadata = "XLS2" ‖ height (8) ‖ bytes(chain row) ‖ bytes(block info) ‖ catalogue entry (40) ‖ log entry (40) ‖ pack entry (64) ‖ depth (1) ‖
//	           2^depth × (kind (1), and if kind > 0: hash (32)) ‖ uvarint chunks ‖ chunks × SHA-256 of the chunk (32)
//	chunk    = piece, piece …       piece = uvarint group ‖ last (1) ‖ bytes(part of the group)
//	group    = unit, unit …         unit  = uvarint rows ‖ rows × (bytes(key) ‖ bytes(value))
//
// bytes(b) is uvarint length ‖ b; fixed integers are big-endian; every uvarint is in its shortest form.
//
// A group is what lies in one subtree of the state tree at depth: units ascend by path. A unit is one leaf with everything that it binds: its own
// row first; for the head of a file the records and entries of the subject; for a bucket of the seen-set its transactions. Groups ascend, empty ones
// are left out, and one that is larger than a chunk is spread over several.
//
// Why this shape: the subtrees of the metadata hash to the tree's root and with the three entries to the app hash, so metadata that is not of this
// chain is refused before a chunk is asked for; and a group hashes to its subtree, so whoever made up a row is found when the group that holds it
// is whole. Rows of derived tables do not travel: they are rebuilt. Nor do rows that nothing binds, and leaves of the event log below its frontier:
// a node that began here answers for neither (E_NOT_HELD). Rows of the seen-set whose bucket is gone are of this kind, and nobody asks for them (sweepSeen).
//
// The same height has the same bytes on every node.
const (
	snapshotFormat = 2
	snapshotMagic  = "XLS2"

	// The engine's limits are 16 MB for a message with a chunk and 4 MB for one with metadata.
	snapshotChunkBytes    = 8 << 20
	snapshotMetaBytesMax  = 3 << 20
	snapshotChunksMax     = 65_536
	snapshotGroupBytesMax = 512 << 20
	// A group holds about this many leaves, unless that needs more subtrees than snapshotDepthMax gives.
	snapshotGroupLeaves = 512
	snapshotDepthMax    = 14
)

// snapshotMeta is the metadata of a snapshot.
type snapshotMeta struct {
	height  uint64
	chain   []byte // the row of chainInfo
	info    []byte // pb.BlockInfo of the height
	catalog []byte // the entries of the app hash
	log     []byte
	pack    []byte
	depth   int
	groups  []state.Subtree
	chunks  []tree.Hash
}

func (m *snapshotMeta) encode() []byte {
	b := append([]byte(nil), snapshotMagic...)
	b = binary.BigEndian.AppendUint64(b, m.height)
	b = appendBytes(b, m.chain)
	b = appendBytes(b, m.info)
	b = append(append(append(b, m.catalog...), m.log...), m.pack...)
	b = append(b, byte(m.depth))
	for _, g := range m.groups {
		if b = append(b, byte(g.Kind)); g.Kind != state.NoLeaf {
			b = append(b, g.Hash[:]...)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(m.chunks)))
	for _, c := range m.chunks {
		b = append(b, c[:]...)
	}
	return b
}

// decodeSnapshotMeta reads metadata from outside, within its bounds and in its one form.
func decodeSnapshotMeta(raw []byte) (*snapshotMeta, error) {
	if len(raw) > snapshotMetaBytesMax {
		return nil, fmt.Errorf("the metadata has %d bytes, limit is %d", len(raw), snapshotMetaBytesMax)
	}
	c := cursor{rest: raw}
	m := new(snapshotMeta)
	if string(c.take(len(snapshotMagic))) != snapshotMagic {
		return nil, errors.New("the metadata is not of a snapshot of this program")
	}
	m.height = c.uint64()
	m.chain, m.info = c.bytes(4096), c.bytes(4096)
	m.catalog, m.log, m.pack = c.take(40), c.take(40), c.take(packBytes)
	m.depth = int(c.byte())
	if m.depth > snapshotDepthMax {
		return nil, fmt.Errorf("the metadata cuts the tree at depth %d, limit is %d", m.depth, snapshotDepthMax)
	}
	for range 1 << m.depth {
		var g state.Subtree
		if g.Kind = state.SubtreeKind(c.byte()); g.Kind > state.ManyLeaves {
			return nil, errors.New("the metadata has a subtree of no known kind")
		}
		if g.Kind != state.NoLeaf {
			copy(g.Hash[:], c.take(32))
		}
		if c.err != nil {
			return nil, c.err
		}
		m.groups = append(m.groups, g)
	}
	n := c.uvarint(snapshotChunksMax)
	for range n {
		var h tree.Hash
		copy(h[:], c.take(32))
		if c.err != nil {
			return nil, c.err
		}
		m.chunks = append(m.chunks, h)
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case !bytes.Equal(m.encode(), raw):
		return nil, errors.New("the metadata is not in its one form")
	case m.height == 0 || m.height > 1<<62 || len(m.chunks) == 0:
		return nil, errors.New("the metadata speaks of no block or of no chunk")
	}
	return m, nil
}

// root of the state tree.
func (m *snapshotMeta) root() tree.Hash { return state.JoinSubtrees(m.groups).Hash }

// appHash is what the metadata stands or falls with.
func (m *snapshotMeta) appHash() tree.Hash {
	root := m.root()
	return tree.AppHash([]tree.Entry{{Name: "catalog", Value: m.catalog}, {Name: "log", Value: m.log}, {Name: "pack", Value: m.pack}, {Name: "state", Value: root[:]}})
}

// parse reads the two messages of the metadata and checks what they say against the rest of it. The app hash does not bind the time of the block: who takes a
// snapshot holds it against the block's header (isOf).
func (m *snapshotMeta) parse() (*x.Chain, *pb.BlockInfo, error) {
	ci, info := new(pb.ChainInfo), new(pb.BlockInfo)
	if pb.Decode(m.chain, ci) != nil || len(ci.Secret) != 32 || ci.ClockRate < 1 {
		return nil, nil, errors.New("the metadata has no readable chain")
	}
	if pb.Decode(m.info, info) != nil {
		return nil, nil, errors.New("the metadata has no readable block")
	}
	chain, hash := chainOf(ci), m.appHash()
	switch {
	case info.Height != int64(m.height):
		return nil, nil, fmt.Errorf("the metadata speaks of block %d and of block %d", m.height, info.Height)
	case !bytes.Equal(info.AppHash, hash[:]):
		return nil, nil, fmt.Errorf("the metadata of block %d gives app hash %x, its block says %x", m.height, hash, info.AppHash)
	case info.TimeSeconds < chain.GenesisTime, info.TimeNanos < 0, info.TimeNanos > 999_999_999, info.LegalTime != chain.LegalTime(info.TimeSeconds),
		info.CatalogVersion != binary.BigEndian.Uint64(m.catalog):
		return nil, nil, fmt.Errorf("what the metadata says of block %d does not fit together", m.height)
	}
	return chain, info, nil
}

// snapshotDepth is where the tree is cut for a number of leaves.
func snapshotDepth(leaves, groupLeaves int) int {
	d := 0
	for d < snapshotDepthMax && leaves>>d > groupLeaves {
		d++
	}
	return d
}

// row of a unit.
type row struct{ key, value []byte }

func appendUnit(b []byte, rows []row) []byte {
	b = binary.AppendUvarint(b, uint64(len(rows)))
	for _, r := range rows {
		b = appendBytes(appendBytes(b, r.key), r.value)
	}
	return b
}

func appendBytes(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// cursor reads bytes from outside. After the first fault it gives zeros.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail() {
	if c.err == nil {
		c.err = errors.New("it is cut short or damaged")
	}
	c.rest = nil
}

// take gives the next n bytes; they belong to what is read.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.fail()
		return make([]byte, max(0, min(n, 64)))
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) byte() byte { return c.take(1)[0] }

func (c *cursor) uint64() uint64 { return binary.BigEndian.Uint64(c.take(8)) }

func (c *cursor) uvarint(limit int) int {
	n, k := binary.Uvarint(c.rest)
	if k <= 0 || n > uint64(limit) || k != len(binary.AppendUvarint(nil, n)) {
		c.fail()
		return 0
	}
	c.rest = c.rest[k:]
	return int(n)
}

func (c *cursor) bytes(limit int) []byte {
	n := c.uvarint(limit)
	if n > len(c.rest) {
		c.fail()
		return nil
	}
	return c.take(n)
}
