package subject

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Check holds SUB-1 and SUB-2 for all subjects: every file hashes to its head, and the record tables hold exactly the newest
// version of each record that the files name. No record lies outside the file of an enrolled subject.
func Check(r x.Reader) error {
	rows := map[string]map[[32]byte]rowVersion{}
	var bad error
	for _, t := range x.Tables() {
		if t.Binding != x.File || t.Prefix == 0x32 {
			continue
		}
		r.Iterate([]byte{t.Prefix}, nil, func(key, raw []byte) bool {
			seq, n := binary.Uvarint(raw)
			if len(key) < 19 || n <= 0 {
				bad = fmt.Errorf("SUB-2: a row of table %s is damaged", t.Layout)
				return false
			}
			uscc := string(key[1:19])
			if rows[uscc] == nil {
				rows[uscc] = map[[32]byte]rowVersion{}
			}
			rows[uscc][sha256.Sum256(key)] = rowVersion{seq, sha256.Sum256(raw[n:])}
			return true
		})
		if bad != nil {
			return bad
		}
	}
	checked := 0
	List(r, "", func(s *pb.Subject) bool {
		checked++
		bad = checkFile(r, s.Uscc, rows[s.Uscc])
		return bad == nil
	})
	if bad == nil {
		bad = checkKeys(r)
	}
	if bad == nil && checked != len(rows) {
		bad = fmt.Errorf("SUB-2: records of %d subjects stand, %d subjects are enrolled", len(rows), checked)
	}
	return bad
}

// checkKeys is SUB-4.
func checkKeys(r x.Reader) (err error) {
	n, inForce := 0, map[string]int{}
	keys.All(r, func(uscc string, k *pb.SubjectKey) bool {
		n++
		if k.EndedOn == 0 {
			inForce[uscc]++
		}
		have, ok := Key(r, k.Address)
		switch {
		case k.Subject != uscc || len(k.Address) != pb.AddressBytes || !ok || have.Subject != uscc:
			err = fmt.Errorf("SUB-4: the index does not know key %x of %s", k.Address, uscc)
		case (k.EndedOn == 0) != (k.End == pb.KEY_END_UNSET):
			err = fmt.Errorf("SUB-4: key %x of %s ended for no reason, or has one and stands", k.Address, uscc)
		case inForce[uscc] > pb.SubjectKeys:
			err = fmt.Errorf("SUB-4: %s has %d keys in force", uscc, inForce[uscc])
		}
		return err == nil
	})
	r.Iterate([]byte{byAddress.Prefix}, nil, func(_, _ []byte) bool { n--; return true })
	if err == nil && n != 0 {
		err = fmt.Errorf("SUB-4: the index of keys does not follow from the keys")
	}
	return err
}
