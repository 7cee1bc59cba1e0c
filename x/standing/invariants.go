package standing

import (
	"bytes"
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Check is STD-1 for the subjects from one up to another; to may be empty: no end.
func Check(r x.Reader, secret []byte, from, to string) (err error) {
	subject.Range(r, from, to, func(s *pb.Subject) bool {
		raw, ok := Get(r, s.Uscc)
		if !ok || !bytes.Equal(raw, x.EncodeRow(Build(r, secret, s))) {
			err = fmt.Errorf("STD-1: the standing of %s is not what its records make", s.Uscc)
		}
		return err == nil
	})
	return err
}
