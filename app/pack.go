package app

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/xinlian-ledger/xinlian/app/state"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/standing"
)

// The offline packs (离线信用包): who has a serious record, and who has any negative one, as two sets that the app hash binds in its `pack` entry.
// What stands there of a set is a digest of its root with a salt that follows from the chain's secret: every bundle shows a hash of the entry, and by the root alone
// whoever has kept one could try, after a repair, who else was in the set then (INV-03).
//
// The root of a set is that of a tree of its own: one leaf a member, at the path of the member's standing, all with one value. It is a function of
// the set alone. When a repair takes a firm out of a set, the root is again that from before, whatever was written meanwhile (INV-03).
//
// The rows below keep the tree so that a block pays for what it changes: the members of one of 65,536 parts, and the four nodes above it. They follow
// from the standings; the app hash binds the root that they give, and fsck makes them anew and compares.
var (
	// Members in a part, by the first 16 bits of their paths: 32 bytes each, ascending. No row: nobody.
	packMembers = x.Declare(x.TableInfo{Prefix: 0x0b, Layout: "pack members set[1] part[2] → paths", Binding: x.Derived})
	// Nodes at depths 12, 8, 4 and 0: the 16 subtrees below each, as kind (1) and, if it has a leaf, hash (32). No row: nobody below.
	packNodes = x.Declare(x.TableInfo{Prefix: 0x0c, Layout: "pack node set[1] depth[1] part[2] → subtrees", Binding: x.Derived})
)

const (
	packDepth = 16                                  // of the parts that hold members
	packStep  = 4                                   // levels of the tree from one node to the next
	packBytes = len(pb.PackSets) * len(tree.Hash{}) // of the entry
)

// packChange is a subject that enters or leaves a set.
type packChange struct {
	path tree.Hash
	in   bool
}

// changePacks brings both sets up to date with the standings that were made.
func changePacks(s x.State, touched []string, made []standing.Made) (left [len(pb.PackSets)]bool) {
	for i, set := range pb.PackSets {
		var changes []packChange
		for k, m := range made {
			if before, after := set.Holds(&m.Before), set.Holds(&m.After); before != after {
				changes = append(changes, packChange{tree.PathOf(standing.LeafKey(touched[k])), after})
				left[i] = left[i] || before
			}
		}
		changePack(s, set, changes)
	}
	return left
}

// subtreeAt is a subtree with the part, shortened to its depth, at which it stands.
type subtreeAt struct {
	at  uint16
	sub state.Subtree
}

// changePack brings one set up to date, and gives its root if anything changed. A subject that enters is not in it, one that leaves is: anything else is a bug or a damaged row.
func changePack(s x.State, set pb.PackSet, changes []packChange) (root tree.Hash) {
	slices.SortFunc(changes, func(a, b packChange) int { return bytes.Compare(a.path[:], b.path[:]) })
	var below []subtreeAt
	for len(changes) > 0 {
		part := partOf(&changes[0].path)
		n := 1
		for n < len(changes) && partOf(&changes[n].path) == part {
			n++
		}
		below = append(below, subtreeAt{part, changePart(s, set, part, changes[:n])})
		changes = changes[n:]
	}
	for depth := packDepth - packStep; depth >= 0; depth -= packStep {
		var here []subtreeAt
		for len(below) > 0 {
			at := below[0].at >> packStep
			key := nodeKey(set, depth, at)
			node, nobody := readNode(s, key), true
			for len(below) > 0 && below[0].at>>packStep == at {
				node[below[0].at%(1<<packStep)] = below[0].sub
				below = below[1:]
			}
			var row []byte
			for _, sub := range node {
				if row = append(row, byte(sub.Kind)); sub.Kind != state.NoLeaf {
					row, nobody = append(row, sub.Hash[:]...), false
				}
			}
			if nobody {
				s.Delete(key)
			} else {
				s.Set(key, row)
			}
			here = append(here, subtreeAt{at, state.JoinSubtrees(node[:])})
		}
		below = here
	}
	if len(below) > 0 {
		root = below[0].sub.Hash
	}
	return root
}

func partOf(path *tree.Hash) uint16 { return uint16(path[0])<<8 | uint16(path[1]) }

func membersKey(set pb.PackSet, part uint16) []byte {
	return []byte{packMembers.Prefix, byte(set), byte(part >> 8), byte(part)}
}

// nodeKey is the key of a node; at is the part, shortened to its depth.
func nodeKey(set pb.PackSet, depth int, at uint16) []byte {
	return []byte{packNodes.Prefix, byte(set), byte(depth), byte(at >> 8), byte(at)}
}

// changePart changes the members of one part, and gives its subtree.
func changePart(s x.State, set pb.PackSet, part uint16, changes []packChange) state.Subtree {
	key := membersKey(set, part)
	old, _ := x.Peek(s, key)
	if len(old)%32 != 0 {
		x.Faultf("part %04x of the pack %q is damaged", part, set.Word())
	}
	row := make([]byte, 0, len(old)+32*len(changes))
	for _, c := range changes {
		for len(old) > 0 && bytes.Compare(old[:32], c.path[:]) < 0 {
			row, old = append(row, old[:32]...), old[32:]
		}
		if was := len(old) > 0 && bytes.Equal(old[:32], c.path[:]); was == c.in {
			x.Faultf("part %04x of the pack %q does not follow from the standings", part, set.Word())
		}
		if c.in {
			row = append(row, c.path[:]...)
		} else {
			old = old[32:]
		}
	}
	if row = append(row, old...); len(row) == 0 {
		s.Delete(key)
		return state.Subtree{}
	}
	s.Set(key, row)
	value := tree.ValueHash(set.Leaf())
	leaves := make([]tree.Leaf, 0, len(row)/32)
	for path := range slices.Chunk(row, 32) {
		leaves = append(leaves, tree.Leaf{Path: tree.Hash(path), ValueHash: value})
	}
	return state.SubtreeOf(leaves, packDepth)
}

func readNode(r x.Reader, key []byte) (node [1 << packStep]state.Subtree) {
	raw, found := x.Peek(r, key)
	if !found {
		return node
	}
	c := cursor{rest: raw}
	for i := range node {
		if node[i].Kind = state.SubtreeKind(c.byte()); node[i].Kind != state.NoLeaf {
			copy(node[i].Hash[:], c.take(32))
		}
	}
	if c.err != nil || len(c.rest) > 0 {
		x.Faultf("node %x of a pack is damaged", key[1:])
	}
	return node
}

// PackRoot is the root of a set: 32 zero bytes where nobody is in it.
func PackRoot(r x.Reader, set pb.PackSet) tree.Hash {
	node := readNode(r, nodeKey(set, 0, 0))
	return state.JoinSubtrees(node[:]).Hash
}

// PackMembers gives the paths of the members of a set, 32 bytes each, ascending. It reads all of them.
func PackMembers(r x.Reader, set pb.PackSet) (members []byte) {
	r.Iterate(x.Key(packMembers.Prefix, []byte{byte(set)}), nil, func(_, row []byte) bool {
		members = append(members, row...)
		return true
	})
	return members
}

// packRoots are the roots of the sets, in their order.
type packRoots [len(pb.PackSets)]tree.Hash

func packRootsOf(r x.Reader) (roots packRoots) {
	for i, set := range pb.PackSets {
		roots[i] = PackRoot(r, set)
	}
	return roots
}

// value is the `pack` entry beside a state tree of this root: the digests of the sets, in their order.
func (p packRoots) value(secret []byte, state tree.Hash) (value []byte) {
	for i, set := range pb.PackSets {
		digest := attest.PackDigest(packSalt(secret, set, state), p[i])
		value = append(value, digest[:]...)
	}
	return value
}

// packSalt is the salt of a set beside a state tree of this root. It is another one after each change of the state, so that the entry does not show whether a set
// changed, and the same as long as nothing changes: an app hash that moved by itself would have an idle chain make blocks without a pause. Of two sets, or two
// states, the salt of one says nothing of the other's: a pack shows that of its own set alone.
func packSalt(secret []byte, set pb.PackSet, state tree.Hash) []byte {
	return x.MAC(nil, secret, []byte(attest.PackDomain), []byte{byte(set)}, state[:])
}

// derivePacks writes the rows of both sets anew, where there are none, and gives their roots. They follow from the standings.
func derivePacks(s x.State) (roots packRoots) {
	var all [len(pb.PackSets)][]packChange
	standing.Each(s, func(uscc string, st *pb.Standing) bool {
		for i, set := range pb.PackSets {
			if set.Holds(&st.Counts) {
				all[i] = append(all[i], packChange{tree.PathOf(standing.LeafKey(uscc)), true})
			}
		}
		return true
	})
	for i, set := range pb.PackSets {
		roots[i] = changePack(s, set, all[i])
	}
	return roots
}

// checkPacks holds that the rows of the packs are those that the standings make.
func checkPacks(r x.Reader) (err error) {
	want := newOverlay(bare{r})
	derivePacks(want)
	for _, t := range []*x.TableInfo{packMembers, packNodes} {
		n := 0
		r.Iterate([]byte{t.Prefix}, nil, func(key, row []byte) bool {
			n++
			if made, ok := want.Get(key); !ok || !bytes.Equal(made, row) {
				err = fmt.Errorf("row %x of the packs does not follow from the standings", key)
			}
			return err == nil
		})
		want.eachOf(int(t.Prefix), int(t.Prefix), func(change) { n-- })
		if err == nil && n != 0 {
			err = fmt.Errorf("a row of the packs is missing: %d less than follow from the standings", -n)
		}
	}
	return err
}

// bare reads a state as if it had no rows of packs.
type bare struct{ r x.Reader }

func (b bare) Get(key []byte) ([]byte, bool) {
	if p := key[0]; p == packMembers.Prefix || p == packNodes.Prefix {
		return nil, false
	}
	return b.r.Get(key)
}

func (b bare) Iterate(prefix, start []byte, fn func(key, value []byte) bool) {
	b.r.Iterate(prefix, start, fn)
}

// PackProof is what a pack file carries of the state of a height.
type PackProof struct {
	Set                 pb.PackSet
	Root                tree.Hash // of the set: its identity
	Salt                []byte    // of the set: with the root it makes the digest in the `pack` entry
	Other               tree.Hash // digest of the other set
	Members             []byte
	Catalog, Log, State tree.Hash // SHA-256 of the values of the other entries of the app hash
}

// ProvePack reads a set at a height that is still in memory, whole.
func (a *App) ProvePack(height int64, set pb.PackSet) (p *PackProof, err error) {
	release, root, ok := a.Tree(height)
	if !ok {
		return nil, fmt.Errorf("height %d is no longer, or not yet, provable from memory", height)
	}
	defer release()
	secret := a.Chain().Secret
	p = &PackProof{Set: set, Salt: packSalt(secret, set, root), State: tree.ValueHash(root[:])}
	return p, a.ReadAt(height, func(r x.Reader) error {
		for _, s := range pb.PackSets {
			if of := PackRoot(r, s); s == set {
				p.Root = of
			} else {
				p.Other = attest.PackDigest(packSalt(secret, s, root), of)
			}
		}
		p.Members = PackMembers(r, set)
		p.Catalog, p.Log = tree.ValueHash(catalogValue(r)), tree.ValueHash(logValue(frontier(r)))
		return nil
	})
}

// PackLeft is the newest height on disk in which somebody left a set: a pack of an older height shows who is in it no more. Of the block that was the newest when this process
// began nobody knows whether somebody left, so that may be meant.
func (a *App) PackLeft(set pb.PackSet) int64 {
	for i, s := range pb.PackSets {
		if s == set {
			return a.left[i].Load()
		}
	}
	return 0
}
