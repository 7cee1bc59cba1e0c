package app

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// FuzzSnapshotMeta: metadata from a peer is refused or has one form, and never stops the node.
func FuzzSnapshotMeta(f *testing.F) {
	m := &snapshotMeta{
		height: 7, chain: x.EncodeRow(&pb.ChainInfo{ChainId: "test-fuzz", ClockRate: 1, Secret: make([]byte, 32)}), catalog: make([]byte, 40), log: make([]byte, 40), depth: 2,
		groups: []state.Subtree{{}, {Kind: state.OneLeaf, Hash: tree.Hash{1}}, {Kind: state.ManyLeaves, Hash: tree.Hash{2}}, {}}, chunks: []tree.Hash{{3}},
	}
	f.Add(m.encode())
	f.Add([]byte(snapshotMagic))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeSnapshotMeta(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(m.encode(), raw) {
			t.Fatal("a second form of the same metadata is taken")
		}
		hash := m.appHash()
		if _, err := checkSnapshot(raw, hash[:], ""); err == nil {
			if _, _, err := m.parse(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestSnapshotGroupMemory: a group of rows that are as small as can be, and false, takes little more memory than it has bytes.
func TestSnapshotGroupMemory(t *testing.T) { // not parallel: it reads what the process allocates
	const n = 4 << 20
	head := appendBytes(appendBytes(nil, subject.HeadKey("91410100MA0000001A")), make([]byte, 4))
	for name, tiny := range map[string][]byte{"empty": {0, 0}, "of one byte": {1, 0x31, 0}} {
		for _, first := range [][]byte{nil, head} {
			body := binary.AppendUvarint(nil, n)
			body = append(body, first...)
			body = append(body, bytes.Repeat(tiny, n)...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := groupUnits(make([]byte, 32), body, 0, 0, state.Subtree{}, func([]row) error { return nil })
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > uint64(len(body)) {
				t.Errorf("rows %s, %d bytes: %d bytes of memory, %v", name, len(body), took, err)
			}
		}
	}
}

// FuzzSnapshotGroup: rows from a peer, whatever they are, are refused unless they hash to the subtree, and never stop the node.
func FuzzSnapshotGroup(f *testing.F) {
	minute := be64(29_666_667)
	id := bytes.Repeat([]byte{7}, 32)
	bucket := x.EncodeRow(&pb.SeenBucket{Count: 1, Digest: chainDigest(make([]byte, 32), id)})
	f.Add(appendUnit(nil, []row{{buckets.Key(minute), bucket}, {x.Key(seenTable.Prefix, minute, id), be64(0)}}))
	uscc := "91410100Y000000000"
	entry := x.EncodeRow(&pb.FileEntry{Height: 1, Table: 0x30, Key: make([]byte, 32), Digest: make([]byte, 32)})
	leaf := tree.LogLeaf(entry)
	head := x.EncodeRow(&pb.FileHead{Size_: 1, Peaks: [][]byte{leaf[:]}})
	f.Add(appendUnit(nil, []row{{subject.HeadKey(uscc), head}, {x.Key(0x30, []byte(uscc)), []byte{0, 1}}, {x.Key(0x32, []byte(uscc), be64(0)), entry}}))
	f.Add(appendUnit(appendUnit(nil, []row{{x.Key(0x80, []byte(uscc)), []byte("standing")}}), []row{{chainInfo.Key(), nil}}))
	f.Fuzz(func(t *testing.T, body []byte) {
		written := false
		err := groupUnits(make([]byte, 32), body, 0, 0, state.Subtree{Kind: state.ManyLeaves, Hash: tree.Hash{1}}, func([]row) error {
			written = true
			return nil
		})
		if err == nil || written {
			t.Fatal("rows that do not hash to the subtree are taken")
		}
	})
}
