package state

import (
	"encoding/binary"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// The keyspace: this list is the dictionary of the folder on disk. FORMAT.md says the same in words; change both together.
//
//	key            at timestamp   value                                              written
//	'r' ‖ row key  height         row bytes                                          by the block of that height
//	'm'            height         height (8) ‖ app hash (32) ‖ root (32) ‖ meta      last, with the block
//	'v'            1              format version (4)                                 once, before block 1
//	'i'            1              chain id                                           once, before block 1
//	'f'            1, 2, 3, …     floor (8): lowest height that may be read          before the discard timestamp moves
//	'b'            1, 2, 3, …     height + 1 (8) while all above that height is      before and after a rollback, or a block in
//	                              taken back, 0 after it                             place of another one
//	'p'            1, 2, 3, …     progress of a restore: height (8) ‖ length of its  after a part of the restore; deleted when it
//	                              id (1) ‖ id ‖ mark                                 is given up
//	'z'            1              nothing                                            for a moment, see settle (undo.go)
//
// Integers are big-endian. No key gets another value at a timestamp that it has, but for what is taken back (undo.go says why, and how).
const (
	keyRow     = 'r'
	keyMarker  = 'm'
	keyFormat  = 'v'
	keyChain   = 'i'
	keyFloor   = 'f'
	keyBack    = 'b'
	keyPartial = 'p'
	keyDrop    = 'z'

	// formatVersion is raised when an older program could misread a folder written by a newer one. 2: leaves are computed from
	// the rows and not stored. 3: each floor has a timestamp of its own; what a program wrote before is read as it is.
	formatVersion = 3
	// fixedTs is the timestamp of the keys that have no history.
	fixedTs = 1

	hashLen = len(tree.Hash{})
)

func rowKey(key []byte) []byte {
	return append(append(make([]byte, 0, 1+len(key)), keyRow), key...)
}

func encodeMarker(m Marker) []byte {
	b := make([]byte, 0, 8+2*hashLen+len(m.Meta))
	b = binary.BigEndian.AppendUint64(b, m.Height)
	b = append(b, m.AppHash[:]...)
	b = append(b, m.Root[:]...)
	return append(b, m.Meta...)
}

func decodeMarker(b []byte) (Marker, error) {
	if len(b) < 8+2*hashLen {
		return Marker{}, fmt.Errorf("marker has %d bytes", len(b))
	}
	m := Marker{Height: binary.BigEndian.Uint64(b)}
	b = b[8:]
	copy(m.AppHash[:], b)
	copy(m.Root[:], b[hashLen:])
	m.Meta = append([]byte{}, b[2*hashLen:]...)
	return m, nil
}

func encodeUint64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func decodeUint64(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("want 8 bytes, have %d", len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}
