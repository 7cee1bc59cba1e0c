package app

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Bounds of a row in a snapshot; the store's own.
const (
	snapshotKeyMax   = 1024
	snapshotValueMax = 1<<20 - 1
)

// unitLeaf checks a unit and gives the leaf that binds it: whoever has the leaf's hash from a source that he trusts then knows that every byte of the
// rows is as the chain wrote it, and that none is missing. The rows may come from anyone.
func unitLeaf(secret []byte, rows []row) (leaf tree.Leaf, err error) {
	defer caught(&err) // a table's own decoder may find the row damaged
	if len(rows) == 0 {
		return leaf, errors.New("a unit without rows")
	}
	first, rest := rows[0], rows[1:]
	t, ok := x.TableOf(first.key)
	if !ok || t.Binding != x.Leaf && t.Binding != x.Own {
		return leaf, fmt.Errorf("row %x is none that a leaf binds", first.key)
	}
	if uscc, ok := subject.OfHead(first.key); ok {
		list := make([]subject.Row, len(rest))
		for i, r := range rest {
			list[i] = subject.Row{Key: r.key, Value: r.value}
		}
		if err := subject.CheckFileRows(uscc, first.value, list); err != nil {
			return leaf, err
		}
	} else if first.key[0] == buckets.Key()[0] {
		if err := checkBucket(first, rest); err != nil {
			return leaf, err
		}
	} else if len(rest) > 0 {
		return leaf, fmt.Errorf("row %x binds no others", first.key)
	}
	leafKey, valueHash, _ := x.LeafOfRow(secret, first.key, first.value)
	return tree.Leaf{Path: tree.PathOf(leafKey), ValueHash: valueHash}, nil
}

// checkBucket holds that the transactions are those that the bucket digests, in their order.
func checkBucket(bucket row, rows []row) error {
	b := new(pb.SeenBucket)
	minute := bucket.key[1:]
	if pb.Decode(bucket.value, b) != nil || len(minute) != 8 || b.Count != uint64(len(rows)) {
		return fmt.Errorf("the bucket of minute %x of the seen-set does not count its transactions", minute)
	}
	prefix := x.Key(seenTable.Prefix, minute)
	ids := make([][]byte, len(rows))
	for i, r := range rows {
		if len(r.key) != 41 || !bytes.HasPrefix(r.key, prefix) || len(r.value) != 8 || i > 0 && bytes.Compare(rows[i-1].key, r.key) >= 0 {
			return fmt.Errorf("row %x does not belong to the bucket of minute %x", r.key, minute)
		}
		n := uint64FromBytes(r.value)
		if n >= b.Count || ids[n] != nil {
			return fmt.Errorf("row %x of the seen-set has a number that is taken", r.key)
		}
		ids[n] = r.key[9:]
	}
	digest := make([]byte, 32)
	for _, id := range ids {
		digest = chainDigest(digest, id)
	}
	if !bytes.Equal(digest, b.Digest) {
		return fmt.Errorf("the seen-set of minute %x does not have its bucket's digest", minute)
	}
	return nil
}

// belongs says whether a row may stand in the unit that begins with first. It is asked before the row is kept: a group of tiny rows that belong nowhere would
// take many times its size in memory before it is found false.
func belongs(first row, key []byte) bool {
	if uscc, ok := subject.OfHead(first.key); ok {
		return len(key) >= 19 && string(key[1:19]) == uscc
	}
	return first.key[0] == buckets.Key()[0] && len(key) == 41
}

// eachUnit reads the units of a group. fn does not keep the rows.
func eachUnit(body []byte, fn func(rows []row) error) error {
	var rows []row
	for c := (cursor{rest: body}); len(c.rest) > 0; {
		rows = rows[:0]
		for range c.uvarint(len(c.rest)) {
			r := row{c.bytes(snapshotKeyMax), c.bytes(snapshotValueMax)}
			switch {
			case c.err != nil:
				return c.err
			case len(r.key) == 0:
				return errors.New("a row without a key")
			case len(rows) > 0 && !belongs(rows[0], r.key):
				return fmt.Errorf("row %x does not belong to the unit of row %x", r.key, rows[0].key)
			}
			rows = append(rows, r)
		}
		if c.err != nil {
			return c.err
		}
		if err := fn(rows); err != nil {
			return err
		}
	}
	return nil
}

// groupUnits reads a group and checks it against its subtree. Only when all of it holds are the units handed out, which it reads for that a second time.
func groupUnits(secret, body []byte, depth, number int, want state.Subtree, fn func(rows []row) error) error {
	var leaves []tree.Leaf
	err := eachUnit(body, func(rows []row) error {
		leaf, err := unitLeaf(secret, rows)
		if err != nil {
			return err
		}
		if n := len(leaves); n > 0 && bytes.Compare(leaves[n-1].Path[:], leaf.Path[:]) >= 0 {
			return fmt.Errorf("row %x is out of order", rows[0].key)
		}
		if state.SubtreeAt(leaf.Path, depth) != number {
			return fmt.Errorf("row %x does not belong here", rows[0].key)
		}
		leaves = append(leaves, leaf)
		return nil
	})
	if err != nil {
		return err
	}
	if got := state.SubtreeOf(leaves, depth); got != want {
		return errors.New("its rows do not hash to the subtree that the metadata names")
	}
	return eachUnit(body, fn)
}
