package receipt

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Reading is done in steps, between which the file is let go and whoever asks may have given up: a file that somebody reads for long cannot grow, and receipts
// wait for that.
const (
	stepEntries = 256  // receipts that are read at a time
	stepLeaves  = 1024 // and of an anchor, of which the leaf alone is kept

	// treesLeaves bounds the leaves of the trees that are kept for the next page.
	treesLeaves = 1 << 17
)

var (
	// pageLeaves bounds the receipts that are read for the proofs of a page: with it the page ends. One anchor is always read whole.
	pageLeaves = 1 << 16
	// pageScan bounds the receipts that a page passes over because they are not to be shown yet.
	pageScan = 1 << 14
)

// ErrPlace: the place after which a page is to begin is none that a page for the same reader has named.
var ErrPlace = errors.New("there is no such place")

// Wanted says which receipts a page shows: those about a firm, in the order in which they were made.
type Wanted struct {
	Subject   string
	Requester string                      // whose queries; empty: everybody's
	After     string                      // Next of the page before; empty: from the first on
	Limit     int                         // how many
	Shows     func(*pb.QueryReceipt) bool // nil: all
}

// Page is some of the receipts. Proofs[i] leads from Entries[i] to its anchor; nil: none covers it yet.
type Page struct {
	Entries []*Entry
	Proofs  []*Proof
	Next    string // empty: there are no more
}

// Page reads the receipts that are wanted, and no others: what others have asked about the firm takes no time from a lender's page.
func (j *Journal) Page(ctx context.Context, w Wanted) (*Page, error) {
	bucket, prefix := bSubjects, j.secrets.name(bSubjects, []byte(w.Subject))
	if w.Requester != "" {
		bucket, prefix = bAsked, j.secrets.name(bAsked, []byte(w.Subject+w.Requester))
	}
	place, err := j.secrets.place(prefix, w.After)
	if err != nil {
		return nil, err
	}
	out := &Page{}
	for read, passed := 0, 0; ; {
		entries, more, err := j.step(ctx, bucket, prefix, place)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			shows := w.Shows == nil || w.Shows(&e.Receipt)
			if len(out.Entries) > 0 && (shows && len(out.Entries) == w.Limit || read >= pageLeaves) || passed >= pageScan {
				out.Next = j.secrets.cursor(prefix, place)
				return out, nil
			}
			if place = e.Seq; !shows {
				passed++
				continue
			}
			p, leaves, err := j.proof(ctx, e.Seq)
			if err != nil {
				return nil, err
			}
			read += leaves
			out.Entries, out.Proofs = append(out.Entries, e), append(out.Proofs, p)
		}
		if !more {
			return out, nil
		}
	}
}

// step reads the next receipts after a place.
func (j *Journal) step(ctx context.Context, bucket, prefix []byte, place uint64) (out []*Entry, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	err = j.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, _ := c.Seek(slices.Concat(prefix, be64(place+1))); bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+8; k, _ = c.Next() {
			if more = len(out) == stepEntries; more {
				return nil
			}
			e, err := j.secrets.entry(tx, binary.BigEndian.Uint64(k[len(prefix):]))
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return nil
	})
	return out, more, err
}

// cursor names a place to one reader: the sequence would tell it how many receipts there are of everybody. It is one block of AES, the place and a part of
// what the reader reads by: another's opens to something else.
func (s secrets) cursor(prefix []byte, place uint64) string {
	block := slices.Concat(be64(place), prefix[:8])
	s.cursorCipher().Encrypt(block, block)
	return hex.EncodeToString(block)
}

func (s secrets) place(prefix []byte, cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	block, err := hex.DecodeString(cursor)
	if err != nil || len(block) != aes.BlockSize || hex.EncodeToString(block) != cursor {
		return 0, ErrPlace
	}
	s.cursorCipher().Decrypt(block, block)
	if !bytes.Equal(block[8:], prefix[:8]) {
		return 0, ErrPlace
	}
	return binary.BigEndian.Uint64(block), nil
}

func (s secrets) cursorCipher() cipher.Block {
	c, err := aes.NewCipher(s.name([]byte("cursor"), nil)) // 32 bytes
	if err != nil {
		panic(err)
	}
	return c
}

// sealing is the tree of an anchor: its levels from the leaves up, and where each receipt stands.
type sealing struct {
	levels [][]attest.Hash
	place  map[uint64]uint64 // seq → place
}

// leaf of a tree.
type leaf struct {
	hash attest.Hash
	seq  uint64 // 0: filling
}

// leaves reads those of the receipts from first on, end not among them.
func (s secrets) leaves(tx *bbolt.Tx, first, end uint64) (out []leaf, err error) {
	for seq := first; seq < end; seq++ {
		e, err := s.entry(tx, seq)
		if err != nil {
			return nil, err
		}
		out = append(out, leaf{attest.ReceiptLeaf(e.Salt, e.Raw), seq})
	}
	return out, nil
}

// tree of the leaves of its receipts, filled up.
func (a *anchorRow) tree(leaves []leaf) *sealing {
	size := leavesMin
	for size < len(leaves) {
		size *= 2
	}
	for i := len(leaves); i < size; i++ { // looks like any other to who does not know the seed
		leaves = append(leaves, leaf{hash: attest.ReceiptLeaf(a.seed, be64(uint64(i)))})
	}
	slices.SortFunc(leaves, func(a, b leaf) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	level := make([]attest.Hash, size)
	t := &sealing{place: map[uint64]uint64{}}
	for i, l := range leaves {
		level[i] = l.hash
		if l.seq != 0 {
			t.place[l.seq] = uint64(i)
		}
	}
	for t.levels = append(t.levels, level); len(level) > 1; t.levels = append(t.levels, level) {
		up := make([]attest.Hash, len(level)/2)
		for i := range up {
			up[i] = tree.LogNode(level[2*i], level[2*i+1])
		}
		level = up
	}
	return t
}

func (t *sealing) root() attest.Hash { return t.levels[len(t.levels)-1][0] }

// path gives the siblings of a place from below.
func (t *sealing) path(place uint64) (path []attest.Hash) {
	for _, level := range t.levels[:len(t.levels)-1] {
		path, place = append(path, level[place^1]), place/2
	}
	return path
}

// trees are those that were made last: an anchor that is sealed does not change, and who reads a page reads the next.
type trees struct {
	turn   chan struct{} // holds one: who makes or finds a tree
	made   map[int64]*sealing
	order  []int64 // the oldest first
	leaves int
}

// proof leads from a receipt to its anchor; nil: none covers it yet. leaves is how many receipts were read for it.
func (j *Journal) proof(ctx context.Context, seq uint64) (p *Proof, leaves int, err error) {
	var row *anchorRow
	var hour int64
	err = j.db.View(func(tx *bbolt.Tx) error {
		k, at := tx.Bucket(bEnds).Cursor().Seek(be64(seq + 1)) // the first that ends after it
		if k == nil {
			return nil
		}
		hour = int64(binary.BigEndian.Uint64(at))
		var err error
		if row, err = j.secrets.anchor(tx, at); err == nil && row == nil {
			err = fmt.Errorf("the journal lacks the anchor of hour %d", hour)
		}
		return err
	})
	if err != nil || row == nil {
		return nil, 0, err
	}
	t, leaves, err := j.treeOf(ctx, hour, row)
	if err != nil {
		return nil, 0, err
	}
	place, ok := t.place[seq]
	if !ok {
		return nil, 0, fmt.Errorf("the anchor of hour %d does not cover receipt %d", hour, seq)
	}
	return &Proof{Hour: hour, Root: t.root(), Place: place, Path: t.path(place)}, leaves, nil
}

// treeOf gives the tree of an anchor: one that is there, or made now, one at a time.
func (j *Journal) treeOf(ctx context.Context, hour int64, row *anchorRow) (*sealing, int, error) {
	c := &j.trees
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	if t := c.made[hour]; t != nil {
		return t, 0, nil
	}
	var leaves []leaf
	for first := row.first; first < row.end; first += stepLeaves {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		err := j.db.View(func(tx *bbolt.Tx) error {
			some, err := j.secrets.leaves(tx, first, min(row.end, first+stepLeaves))
			leaves = append(leaves, some...)
			return err
		})
		if err != nil {
			return nil, 0, err
		}
	}
	read := len(leaves)
	t := row.tree(leaves)
	for size := len(t.levels[0]); len(c.order) > 0 && c.leaves+size > treesLeaves; c.order = c.order[1:] {
		c.leaves -= len(c.made[c.order[0]].levels[0])
		delete(c.made, c.order[0])
	}
	c.made[hour], c.order, c.leaves = t, append(c.order, hour), c.leaves+len(t.levels[0])
	return t, read, nil
}
