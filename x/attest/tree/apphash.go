package tree

import "encoding/binary"

// Entry is one named part of the application's state.
type Entry struct {
	Name  string
	Value []byte
}

// AppHash is the hash that the next block header carries: the RFC 6962 root
// over the leaves of AppEntryLeaf, which is also CometBFT's merkle root of a
// simple map. Names must ascend strictly; anything else is a bug and panics,
// because two orders would be two hashes of one state.
func AppHash(entries []Entry) Hash {
	leaves := make([]Hash, len(entries))
	for i, e := range entries {
		if i > 0 && entries[i-1].Name >= e.Name {
			panic("app hash: names are not in strictly ascending order: " + e.Name)
		}
		leaves[i] = AppEntryLeaf(e.Name, ValueHash(e.Value))
	}
	return LogRoot(leaves)
}

// AppEntryLeaf is the leaf hash of one entry of which only SHA-256(value) need
// be known. LogRoot over these leaves, in order of name, is the app hash.
func AppEntryLeaf(name string, valueHash Hash) Hash {
	b := make([]byte, 0, 2*binary.MaxVarintLen64+len(name)+len(valueHash))
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = append(b, name...)
	b = binary.AppendUvarint(b, uint64(len(valueHash)))
	b = append(b, valueHash[:]...)
	return LogLeaf(b)
}
