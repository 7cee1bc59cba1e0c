package subject

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Row is a row of state, outside of it.
type Row struct{ Key, Value []byte }

// HeadKey is the key of the row that holds the head of a subject's file.
func HeadKey(uscc string) []byte { return x.Key(heads.Prefix, []byte(uscc)) }

// OfHead says whose head a key is.
func OfHead(key []byte) (uscc string, ok bool) {
	if len(key) != 19 || key[0] != heads.Prefix {
		return "", false
	}
	return string(key[1:]), true
}

// EachFileRow visits everything that the head of a subject's file binds: its entries and the records of all tables, by key.
func EachFileRow(r x.Reader, uscc string, fn func(key, value []byte) (more bool)) {
	more := true
	for _, t := range x.Tables() {
		if !more {
			return
		}
		if t.Binding != x.File {
			continue
		}
		r.Iterate(x.Key(t.Prefix, []byte(uscc)), nil, func(key, value []byte) bool {
			more = fn(key, value)
			return more
		})
	}
}

// CheckFileRows holds SUB-1 and SUB-2 for rows that come from outside, and that each is in the one form that this program writes:
// a head that the tree binds then binds every byte of them. The rows ascend by key; row and head may be anything.
func CheckFileRows(uscc string, head []byte, rows []Row) error {
	h, err := headOf(head)
	if err != nil {
		return err
	}
	// Entries first: the records are then held against them one by one, and what is kept meanwhile is no more than the entries pay for.
	var f tree.Frontier
	newest := map[[32]byte]rowVersion{}
	records := 0
	for i, row := range rows {
		t, ok := x.TableOf(row.Key)
		switch {
		case !ok || t.Binding != x.File || len(row.Key) < 19 || string(row.Key[1:19]) != uscc:
			return fmt.Errorf("row %x does not belong to the file of %s", row.Key, uscc)
		case i > 0 && bytes.Compare(rows[i-1].Key, row.Key) >= 0:
			return fmt.Errorf("row %x of the file of %s is out of order", row.Key, uscc)
		case row.Key[0] != entries.Key()[0]:
			records++
			continue
		}
		e := new(pb.FileEntry)
		switch {
		case len(row.Key) != 27 || binary.BigEndian.Uint64(row.Key[19:]) != f.Size:
			return fmt.Errorf("SUB-1: the file of %s lacks entry %d", uscc, f.Size)
		case pb.Decode(row.Value, e) != nil || len(e.Key) != 32 || len(e.Digest) != 32:
			return fmt.Errorf("entry %d of the file of %s is damaged", f.Size, uscc)
		}
		newest[[32]byte(e.Key)] = rowVersion{f.Size, [32]byte(e.Digest)}
		f.Append(tree.LogLeaf(row.Value))
	}
	if f.Size != h.Size || f.Root() != h.Root() {
		return fmt.Errorf("SUB-1: the file of %s does not hash to its head", uscc)
	}
	if records != len(newest) {
		return fmt.Errorf("SUB-2: the file of %s names %d records, %d stand", uscc, len(newest), records)
	}
	for _, row := range rows {
		if row.Key[0] == entries.Key()[0] {
			continue
		}
		seq, n := binary.Uvarint(row.Value)
		if n <= 0 || !bytes.Equal(binary.AppendUvarint(nil, seq), row.Value[:n]) {
			return fmt.Errorf("row %x of the file of %s has no file number", row.Key, uscc)
		}
		if v, ok := newest[sha256.Sum256(row.Key)]; !ok || v != (rowVersion{seq, sha256.Sum256(row.Value[n:])}) {
			return fmt.Errorf("SUB-2: a record of %s is not the newest version in the file", uscc)
		}
	}
	return nil
}

// headOf reads a head that comes from outside. Only the form that appendHead writes passes.
func headOf(raw []byte) (f tree.Frontier, err error) {
	h := new(pb.FileHead)
	if err := pb.Decode(raw, h); err != nil {
		return f, errors.New("a file head is damaged")
	}
	for _, p := range h.Peaks {
		if len(p) != 32 {
			return f, errors.New("a file head is damaged")
		}
	}
	return tree.FrontierOf(h.Size_, bytes.Join(h.Peaks, nil))
}
