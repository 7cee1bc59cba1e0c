package standing

import "github.com/xinlian-ledger/xinlian/x"

// RowOf gives the key of the row that a leaf key of a standing speaks of.
func RowOf(leafKey []byte) (key []byte, ok bool) {
	if len(leafKey) != 19 || leafKey[0] != 'S' {
		return nil, false
	}
	return x.Key(standings.Prefix, leafKey[1:]), true
}
