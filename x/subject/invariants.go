package subject

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// CheckFiles holds SUB-1 and SUB-2 for the subjects from one up to another; to may be empty: no end. Every file hashes to its head, and the record tables
// hold exactly the newest version of each record that the files name. No row of a file lies outside that of an enrolled subject.
func CheckFiles(r x.Reader, from, to string) (bad error) {
	files := map[string]*file{}
	for _, t := range x.Tables() {
		if t.Binding != x.File {
			continue
		}
		r.Iterate([]byte{t.Prefix}, x.Key(t.Prefix, []byte(from)), func(key, raw []byte) bool {
			if len(key) < 19 {
				bad = fmt.Errorf("SUB-2: a row of table %s is damaged", t.Layout)
				return false
			}
			uscc := string(key[1:19])
			if to != "" && uscc >= to {
				return false
			}
			f := files[uscc]
			if f == nil {
				f = &file{rows: map[[32]byte]rowVersion{}, newest: map[[32]byte]rowVersion{}}
				files[uscc] = f
			}
			bad = f.add(t, uscc, key, raw)
			return bad == nil
		})
		if bad != nil {
			return bad
		}
	}
	Range(r, from, to, func(s *pb.Subject) bool {
		f := files[s.Uscc]
		if f == nil {
			bad = fmt.Errorf("SUB-2: the row of subject %s stands under another code", s.Uscc)
			return false
		}
		bad = f.check(s.Uscc, Head(r, s.Uscc))
		delete(files, s.Uscc)
		return bad == nil
	})
	if bad == nil && len(files) > 0 {
		// DETERMINISM: the least of the keys is the same in any order.
		bad = fmt.Errorf("SUB-2: records of %s stand, which is not enrolled", slices.Min(slices.Collect(maps.Keys(files))))
	}
	return bad
}

// file is what CheckFiles finds of a subject's file.
type file struct {
	end          tree.Frontier           // of the entries
	rows, newest map[[32]byte]rowVersion // SHA-256(key) → (number, digest): of the rows that stand; of those that the entries name
}

type rowVersion struct {
	seq    uint64
	digest [32]byte
}

func (f *file) add(t *x.TableInfo, uscc string, key, raw []byte) error {
	if t.Prefix != entries.Key()[0] {
		seq, n := binary.Uvarint(raw)
		if n <= 0 {
			return fmt.Errorf("SUB-2: a row of table %s is damaged", t.Layout)
		}
		f.rows[sha256.Sum256(key)] = rowVersion{seq, sha256.Sum256(raw[n:])}
		return nil
	}
	if len(key) != 27 || binary.BigEndian.Uint64(key[19:]) != f.end.Size {
		return fmt.Errorf("SUB-1: the file of %s lacks entry %d", uscc, f.end.Size)
	}
	e := new(pb.FileEntry)
	if pb.Decode(raw, e) != nil || len(e.Key) != 32 || len(e.Digest) != 32 {
		return fmt.Errorf("SUB-1: entry %d of the file of %s is damaged", f.end.Size, uscc)
	}
	f.newest[[32]byte(e.Key)] = rowVersion{f.end.Size, [32]byte(e.Digest)}
	f.end.Append(tree.LogLeaf(raw))
	return nil
}

// check is SUB-1 and SUB-2 for one subject: the entries hash to the head, and each row of a record table is the newest version of its key.
func (f *file) check(uscc string, head tree.Frontier) error {
	if head.Size != f.end.Size || head.Root() != f.end.Root() {
		return fmt.Errorf("SUB-1: the file of %s does not hash to its head", uscc)
	}
	if len(f.newest) != len(f.rows) {
		return fmt.Errorf("SUB-2: the file of %s names %d records, %d stand", uscc, len(f.newest), len(f.rows))
	}
	for k, v := range f.rows { // DETERMINISM: a check; whichever row is wrong, the answer is that one is
		if f.newest[k] != v {
			return fmt.Errorf("SUB-2: a record of %s (key digest %x) is not the newest version in the file", uscc, k)
		}
	}
	return nil
}

// Check is SUB-4, but for the index of keys, which follows from them, and SUB-5.
func Check(r x.Reader) (err error) {
	inForce := map[string]int{}
	keys.All(r, func(uscc string, k *pb.SubjectKey) bool {
		if k.EndedOn == 0 {
			inForce[uscc]++
		}
		switch {
		case k.Subject != uscc || len(k.Address) != pb.AddressBytes:
			err = fmt.Errorf("SUB-4: key %x of %s lies under another subject, or is none", k.Address, uscc)
		case (k.EndedOn == 0) != (k.End == pb.KEY_END_UNSET):
			err = fmt.Errorf("SUB-4: key %x of %s ended for no reason, or has one and stands", k.Address, uscc)
		case inForce[uscc] > pb.SubjectKeys:
			err = fmt.Errorf("SUB-4: %s has %d keys in force", uscc, inForce[uscc])
		}
		return err == nil
	})
	if err == nil {
		err = checkRoom(r)
	}
	return err
}
