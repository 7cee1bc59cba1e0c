package app

import "hash/maphash"

// Prints makes fingerprints of rows (行指纹), for sums over them that do not depend on their order. Two sums that agree are of the same rows: the hashes are keyed, by keys
// that are new in every process and that nobody knows, so that no rows are made for their sums to agree.
type Prints [2]maphash.Seed

// Print is the fingerprint of one row.
type Print [2]uint64

// RowSum is the sum over the fingerprints of rows. Sums compare by ==.
type RowSum struct {
	Rows uint64
	of   Print
}

// NewPrints makes keys.
func NewPrints() Prints { return Prints{maphash.MakeSeed(), maphash.MakeSeed()} }

// Of gives the fingerprint of a row. buf is room to use, and comes back for the next.
func (p *Prints) Of(buf, key, value []byte) (next []byte, of Print) {
	buf = append(append(append(buf[:0], byte(len(key)>>8), byte(len(key))), key...), value...)
	return buf, Print{maphash.Bytes(p[0], buf), maphash.Bytes(p[1], buf)}
}

// Add adds a row.
func (s *RowSum) Add(p Print) { s.join(RowSum{1, p}) }

func (s *RowSum) join(o RowSum) {
	s.Rows += o.Rows
	s.of[0] += o.of[0]
	s.of[1] += o.of[1]
}
