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
	if bad == nil && checked != len(rows) {
		bad = fmt.Errorf("SUB-2: records of %d subjects stand, %d subjects are enrolled", len(rows), checked)
	}
	return bad
}
