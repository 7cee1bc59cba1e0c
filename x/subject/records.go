package subject

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Records is a table whose rows are records of subjects: subject ‖ key → record. The stored value is the number of the row's newest
// entry in the subject's file (uvarint), then the record's bytes.
type Records[T any, P x.Row[T]] struct{ info *x.TableInfo }

// NewRecords declares a table of records. It is called at package initialisation alone.
func NewRecords[T any, P x.Row[T]](prefix byte, layout string) Records[T, P] {
	info := x.Declare(x.TableInfo{Prefix: prefix, Layout: layout, Binding: x.File})
	return Records[T, P]{info}
}

func (t Records[T, P]) key(subject string, key []byte) []byte {
	return x.Key(t.info.Prefix, []byte(subject), key)
}

// Get reads the newest version of a record.
func (t Records[T, P]) Get(r x.Reader, subject string, key []byte) (*T, bool) {
	raw, ok := x.Peek(r, x.KeyFor(r, t.info.Prefix, []byte(subject), key)) // decoding copies
	if !ok {
		return nil, false
	}
	return t.decode(raw), true
}

// Put writes a version of a record: the row, a new entry at the end of the subject's file, and the file's new head. The subject's standing is
// made anew at the end of the block.
func (t Records[T, P]) Put(ctx *x.Ctx, subject string, key []byte, row *T) {
	t.PutAside(ctx, subject, key, row)
	ctx.Touch(subject)
}

// PutAside is Put where neither this version of the record nor the one before it shows in the standing: the standing stays what it is, and is not
// made anew to find that out.
func (t Records[T, P]) PutAside(ctx *x.Ctx, subject string, key []byte, row *T) {
	k, head := t.key(subject, key), x.Key(heads.Prefix, []byte(subject))
	f, size := headAt(ctx, head), P(row).Size()
	value := x.Room(ctx, binary.MaxVarintLen64+size)
	n := binary.PutUvarint(value, f.Size)
	value = value[:n+size]
	x.EncodeInto(value[n:], P(row))
	appendEntry(ctx, f, head, subject, t.info.Prefix, k, value[n:])
	x.Place(ctx, k, value)
}

// Each visits the records of a subject by key.
func (t Records[T, P]) Each(r x.Reader, subject string, fn func(row *T) (more bool)) {
	rows := 0
	r.Iterate(t.key(subject, nil), nil, func(_, raw []byte) bool {
		rows++
		return fn(t.decode(raw))
	})
	x.Looked(r, rows)
}

// All visits the records of all subjects.
func (t Records[T, P]) All(r x.Reader, fn func(subject string, row *T) (more bool)) {
	r.Iterate([]byte{t.info.Prefix}, nil, func(key, raw []byte) bool { return fn(string(key[1:19]), t.decode(raw)) })
}

func (t Records[T, P]) decode(raw []byte) *T {
	_, n := binary.Uvarint(raw)
	if n <= 0 {
		x.Faultf("a row of table %s has no file number", t.info.Layout)
	}
	row := new(T)
	if err := P(row).Unmarshal(raw[n:]); err != nil {
		x.Faultf("a row of table %s does not decode: %w", t.info.Layout, err)
	}
	return row
}

// The file of a subject: its head (frontier) and its entries.
var (
	heads = x.Declare(x.TableInfo{Prefix: 0x31, Layout: "file head uscc[18]", Binding: x.Own, LeafOf: x.LeafOf{Key: headLeafKey, Value: headLeafValue}})
	// File entries, subject ‖ number. Never changed, never deleted (SUB-3).
	entries = x.NewTable[pb.FileEntry](0x32, "file entry uscc[18] seq[8]", x.File)
)

// fileDomain separates the leaf of a file from every other digest.
const fileDomain = "xinlian/file/v1"

// The leaf of a file: key 'F' ‖ HMAC(K, USCC), value SHA-256(domain ‖ size ‖ root).
func headLeafKey(secret, key []byte) []byte { return FileLeafKey(secret, string(key[1:])) }

func headLeafValue(_, _, row []byte) [32]byte {
	f := decodeHead(row)
	v := fileLeafValue(f.Size, f.Root())
	return tree.ValueHash(v[:])
}

// FileLeafKey is the tree key of a subject's file. Without the chain's secret nobody can tell whose it is.
func FileLeafKey(secret []byte, uscc string) []byte {
	return x.MAC(append(make([]byte, 0, 1+sha256.Size), 'F'), secret, []byte(uscc))
}

// FileLeafValue is the value of a file's leaf.
func FileLeafValue(size uint64, root tree.Hash) []byte {
	v := fileLeafValue(size, root)
	return v[:]
}

func fileLeafValue(size uint64, root tree.Hash) [32]byte {
	var room [64]byte
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(append(room[:0], fileDomain...), size), root[:]...))
}

// decodeHead reads the one form that appendHead writes. Every version of a record reads and writes a head: the generated code, which makes a slice of
// each peak, took as long as hashing it did.
func decodeHead(raw []byte) tree.Frontier {
	f, rest := tree.Frontier{}, raw
	if len(rest) > 0 && rest[0] == headSize {
		n := 0
		if f.Size, n = binary.Uvarint(rest[1:]); n > 0 {
			rest = rest[1+n:]
		}
	}
	f.Peaks = make([]tree.Hash, 0, bits.OnesCount64(f.Size))
	for len(rest) >= peakBytes && rest[0] == headPeak && rest[1] == sha256.Size {
		f.Peaks, rest = append(f.Peaks, tree.Hash(rest[2:peakBytes])), rest[peakBytes:]
	}
	if err := f.Check(); err != nil || len(rest) > 0 {
		x.Faultf("a file head is damaged: %w", tree.ErrFrontier)
	}
	return f
}

// The fields of pb.FileHead as they are encoded: a tag each, and the length of a peak, which is one byte.
const (
	headSize  = 0x08 // field 1, a varint
	headPeak  = 0x12 // field 2, bytes
	peakBytes = 2 + sha256.Size
)

// headMax is as many bytes as a head may take.
func headMax(f tree.Frontier) int { return 1 + binary.MaxVarintLen64 + len(f.Peaks)*peakBytes }

func appendHead(b []byte, f tree.Frontier) []byte {
	if f.Size > 0 {
		b = binary.AppendUvarint(append(b, headSize), f.Size)
	}
	for i := range f.Peaks {
		b = append(append(b, headPeak, sha256.Size), f.Peaks[i][:]...)
	}
	return b
}

// Head is the frontier of a subject's file: its size and, through Root, its root.
func Head(r x.Reader, uscc string) tree.Frontier {
	return headAt(r, x.Key(heads.Prefix, []byte(uscc)))
}

func headAt(r x.Reader, key []byte) tree.Frontier {
	raw, ok := x.Peek(r, key) // decoding copies
	if !ok {
		return tree.Frontier{}
	}
	return decodeHead(raw)
}

// RowsOf gives the keys of the rows that every record of a subject reads: its own, and the head of its file.
func RowsOf(uscc string) [2][]byte {
	return [2][]byte{subjects.key(uscc, nil), x.Key(heads.Prefix, []byte(uscc))}
}

// Entries visits the entries of a subject's file in order.
func Entries(r x.Reader, uscc string, fn func(seq uint64, e *pb.FileEntry) (more bool)) {
	entries.Each(r, func(key []byte, e *pb.FileEntry) bool {
		return fn(binary.BigEndian.Uint64(key[18:]), e)
	}, []byte(uscc))
}

// appendEntry adds a version of a row to the subject's file, of which f is the head so far, and to the global log.
func appendEntry(ctx *x.Ctx, f tree.Frontier, head []byte, uscc string, table byte, key, row []byte) {
	k, d := sha256.Sum256(key), sha256.Sum256(row)
	e := pb.FileEntry{Height: ctx.Height, Table: uint32(table), Key: k[:], Digest: d[:]}
	entry := x.Room(ctx, e.Size())
	if n, err := e.MarshalToSizedBuffer(entry); err != nil || n != len(entry) { // EncodeInto would have it and its digests on the heap
		panic(fmt.Sprintf("a file entry does not encode: %v", err))
	}
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], f.Size)
	x.Place(ctx, entries.KeyFor(ctx, []byte(uscc), seq[:]), entry)
	leaf := tree.LogLeaf(entry)
	f.Append(leaf)
	x.Place(ctx, head, appendHead(x.Room(ctx, headMax(f))[:0], f))
	ctx.Log(leaf)
}
