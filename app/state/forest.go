package state

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// The forest (森林) is the sparse Merkle tree in memory, in several versions
// that share nearly all nodes. It is an index: everything in it is computed
// from the flat state, and nothing in it is ever written to disk.
//
//   - Nodes lie in arenas of fixed chunks without pointers, so the collector
//     never scans them and a chunk never moves. A leaf takes 64 B and, as paths
//     are hashes, about 1.44 branches of 72 B: 168 B in all. A branch holds the
//     hashes of both its sides, not its own: a walk down a path reads one place
//     a level, where a hash of its own would cost a second, the sibling's, for
//     46 B a leaf less, and the hash of a leaf beside a change would be computed.
//   - A published node never changes. A batch builds new nodes along the
//     changed paths, each hashed once, when both of its sides are there, and
//     notes the nodes it replaced. Up to four goroutines take a part of the
//     tree each and let others run after every few nodes: a reader of the
//     version before does not wait for the batch.
//   - A replaced node was last seen by the version before the batch. Its slot
//     is used again when that version and all older ones are dropped and no
//     reader holds any of them (FOR-1). So a reader that holds one version for
//     very long makes the arenas grow by what every batch replaces; readers
//     take a version for one proof or one pass, not for keeps. Giving each node
//     its version of birth would free more, for 4 B a node, and was not needed.
//
// One writer at a time calls build, stage, publish, discard and keep. acquire
// and everything on Version may be called by anyone at any time: readers take
// no lock and never wait (FOR-2).
//
// How many versions are readable is bounded twice: in heights, and in bytes of
// the nodes that only older versions than the newest need. Two are readable
// whatever they take: the state of a height is proven by the header after it.

// Change sets or deletes one leaf.
type Change struct {
	Path, ValueHash tree.Hash
	Delete          bool
}

var (
	errChangeOrder = errors.New("forest: changes are not in strictly ascending order of path")
	errLeafOrder   = errors.New("forest: leaves are not in strictly ascending order of path")
	errForestFull  = fmt.Errorf("forest: no room for more than %d nodes of a kind", maxChunks*chunkLen)
	errForestUsed  = errors.New("forest: it is not empty, build must come first")
	errNotShown    = errors.New("forest: the tree built is not published yet")
	errReleased    = errors.New("forest: this version was released")
)

// A ref is 0 for no node, else the slot of a branch, or, with leafBit, the slot
// of a leaf.
const leafBit = 1 << 31

func isLeafRef(ref uint32) bool { return ref&leafBit != 0 }

// side is a subtree: its root and the hash of that, tree.Empty for no node.
type side struct {
	hash tree.Hash
	ref  uint32
}

type branch struct{ l, r side }

const (
	chunkBits = 16
	chunkLen  = 1 << chunkBits
	maxChunks = 1 << 12 // 2.7e8 nodes of a kind; refs would reach eight times as far
)

// arena hands out slots of T. The table of chunks has a fixed place and a chunk
// is never replaced: a reader looks only into chunks that were there when its
// version was published, so it needs no lock. Owned by the writer but for at;
// take needs the forest's mutex while a batch runs.
type arena[T any] struct {
	chunks [maxChunks]*[chunkLen]T
	next   uint32   // first slot never used
	limit  uint32   // next never passes it
	free   []uint32 // slots used before
}

func (a *arena[T]) at(slot uint32) *T { return &a.chunks[slot>>chunkBits][slot%chunkLen] }

// take appends up to n slots to into; none when the arena is full.
func (a *arena[T]) take(into []uint32, n int) []uint32 {
	reused := min(n, len(a.free))
	into = append(into, a.free[len(a.free)-reused:]...)
	a.free = a.free[:len(a.free)-reused]
	for ; reused < n && a.next < a.limit; reused++ {
		if a.chunks[a.next>>chunkBits] == nil {
			a.grow(a.next >> chunkBits)
		}
		into = append(into, a.next)
		a.next++
	}
	return into
}

// Chunks from slabFrom on are made slabLen at a time, in one piece of memory for which the system is asked for large pages: a walk through millions of
// nodes that lie anywhere waits less often for the address of a page ('BenchmarkStage' with XINLIAN_LEAVES=4000000). The chunks before are made one by one,
// so that a small tree takes little.
const (
	slabFrom = 8
	slabLen  = 16
)

// grow makes the chunk n, and at times those behind it.
func (a *arena[T]) grow(n uint32) {
	if n < slabFrom {
		a.chunks[n] = new([chunkLen]T)
		return
	}
	slab := make([][chunkLen]T, min(slabLen, maxChunks-n))
	largePages(unsafe.Slice((*byte)(unsafe.Pointer(&slab[0])), unsafe.Sizeof(slab[0])*uintptr(len(slab))))
	for i := range slab {
		a.chunks[n+uint32(i)] = &slab[i]
	}
}

type forest struct {
	mu       sync.Mutex // guards take while a batch runs in several goroutines
	branches arena[branch]
	leaves   arena[tree.Leaf]

	// Owned by the writer.
	live   []*snapshot // oldest first: readable ones, and dropped ones still in use
	staged *draft
	built  *snapshot // between build and publishBuilt
	kept   int       // heights
	room   int64     // bytes of what only older versions than the newest need

	// readable holds the newest versions, oldest first. The slice is replaced,
	// never changed.
	readable atomic.Pointer[[]*snapshot]

	testingOnlyPoison bool // overwrite each slot when it becomes free
}

// snapshot is one published version.
type snapshot struct {
	side
	height  uint64
	len     uint64
	dropped bool     // no longer in readable. Owned by the writer
	retired []uint32 // nodes that the next version replaced. Owned by the writer
	bytes   int64    // that they take. Owned by the writer

	// readers counts those who hold the version; closed is for ever.
	readers atomic.Int64
}

const closed = math.MinInt64

// draft is a version that is not published. Its nodes are its own or those of
// the newest published version.
type draft struct {
	side
	len     uint64
	created []uint32
	retired []uint32
	hashed  int // branches hashed for it; a test compares
}

func newForest() *forest {
	f := &forest{kept: defaultWindow, room: math.MaxInt64}
	f.branches.next = 1 // slot 0 would be the ref of no node
	f.branches.limit = maxChunks * chunkLen
	f.leaves.limit = maxChunks * chunkLen
	f.readable.Store(new([]*snapshot))
	return f
}

// build fills an empty forest with leaves in ascending order of path. The tree
// becomes readable by publishBuilt. After an error the forest must be thrown
// away.
func (f *forest) build(leaves iter.Seq[tree.Leaf]) (tree.Hash, error) {
	if len(f.live) > 0 || f.staged != nil || f.leaves.next > 0 {
		return tree.Hash{}, errForestUsed
	}
	var slots []uint32
	for leaf := range leaves {
		if slots = f.leaves.take(slots[:0], 1); len(slots) == 0 {
			return tree.Hash{}, errForestFull
		}
		if slot := slots[0]; slot > 0 && comparePaths(&f.leaves.at(slot-1).Path, &leaf.Path) >= 0 {
			return tree.Hash{}, errLeafOrder
		}
		*f.leaves.at(slots[0]) = leaf
	}
	// The leaves lie in their slots in order of path, so a subtree is a range
	// of slots.
	p := &part{f: f}
	root := p.buildRange(0, f.leaves.next, 0)
	p.giveBack()
	if p.err != nil {
		return tree.Hash{}, p.err
	}
	f.built = &snapshot{side: root, len: uint64(f.leaves.next)}
	return f.built.hash, nil
}

// buildRange makes the branches over slots [lo,hi).
func (p *part) buildRange(lo, hi uint32, depth int) side {
	switch {
	case p.err != nil || hi == lo:
		return side{}
	case hi == lo+1:
		leaf := p.f.leaves.at(lo)
		return side{tree.LeafHash(leaf.Path, leaf.ValueHash), lo | leafBit}
	}
	cut, end := lo, hi
	for cut < end {
		mid := cut + (end-cut)/2
		if tree.Bit(&p.f.leaves.at(mid).Path, depth) == 0 {
			cut = mid + 1
		} else {
			end = mid
		}
	}
	return p.join(p.both(depth, int(cut-lo), int(hi-cut),
		func(p *part) side { return p.buildRange(lo, cut, depth+1) },
		func(p *part) side { return p.buildRange(cut, hi, depth+1) }))
}

// publishBuilt makes the tree of build readable as height.
func (f *forest) publishBuilt(height uint64) {
	if f.built == nil {
		panic("forest: publishBuilt without build")
	}
	s := f.built
	f.built = nil
	f.show(s, height)
}

// stage computes the version that the changes make of the newest published one
// (of the empty tree if there is none). An earlier staged version is discarded,
// also if there is an error.
// Deleting what is not there and setting what is there already change nothing.
func (f *forest) stage(changes []Change) (tree.Hash, error) {
	f.discard()
	if f.built != nil {
		return tree.Hash{}, errNotShown
	}
	for i := 1; i < len(changes); i++ {
		if comparePaths(&changes[i-1].Path, &changes[i].Path) >= 0 {
			return tree.Hash{}, errChangeOrder
		}
	}
	f.reclaim()
	d := new(draft)
	base := f.newest()
	if base != nil {
		d.side, d.len = base.side, base.len
	}
	p := &part{f: f, created: make([]uint32, 0, nodesAChange*len(changes)), retired: make([]uint32, 0, nodesAChange*len(changes))}
	d.side = p.apply(d.side, changes, 0)
	p.giveBack()
	d.len = uint64(int64(d.len) + p.len)
	d.created, d.retired, d.hashed = p.created, p.retired, p.hashed+p.beside
	f.staged = d
	if p.err != nil {
		f.discard()
		return tree.Hash{}, p.err
	}
	return d.hash, nil
}

// publish makes the staged version readable as height, which must be higher
// than any before.
func (f *forest) publish(height uint64) {
	d := f.staged
	if d == nil {
		panic("forest: publish without stage")
	}
	f.staged = nil
	if base := f.newest(); base != nil {
		base.retired = d.retired
		for _, ref := range d.retired {
			base.bytes += bytesOf(ref)
		}
	}
	f.show(&snapshot{side: d.side, len: d.len}, height)
}

// bytesOf is what a node takes.
func bytesOf(ref uint32) int64 {
	if isLeafRef(ref) {
		return int64(unsafe.Sizeof(tree.Leaf{}))
	}
	return int64(unsafe.Sizeof(branch{}))
}

// discard forgets the staged version, if any.
func (f *forest) discard() {
	if f.staged == nil {
		return
	}
	// Nobody but the writer has seen these nodes.
	f.release(f.staged.created)
	f.staged = nil
}

// alwaysKept is how many of the newest versions are readable whatever they
// take: the state of a height is proven by the header of the next.
const alwaysKept = 2

// keep sets how many of the newest published versions are readable: so many
// heights, and so many bytes of what only the older ones among them need. The
// newest is what the next is built on and stays in any case.
func (f *forest) keep(heights int, room int64) {
	f.kept, f.room = max(heights, 1), room
	f.trim()
}

func (f *forest) newest() *snapshot {
	if len(f.live) == 0 {
		return nil
	}
	return f.live[len(f.live)-1]
}

func (f *forest) show(s *snapshot, height uint64) {
	if last := f.newest(); last != nil && height <= last.height {
		panic(fmt.Sprintf("forest: height %d published after %d", height, last.height))
	}
	s.height = height
	f.live = append(f.live, s)
	f.trim()
}

// trim sets what is readable to the newest kept versions.
func (f *forest) trim() {
	from, taken := len(f.live)-1, int64(0)
	for from > 0 && len(f.live)-from < f.kept {
		// To keep the version before means to keep what the one after it replaced.
		taken += f.live[from-1].bytes
		if taken > f.room && len(f.live)-from >= alwaysKept {
			break
		}
		from--
	}
	readable := make([]*snapshot, 0, len(f.live)-max(from, 0))
	for i, s := range f.live {
		// What was dropped stays dropped, also when keep grows again.
		s.dropped = s.dropped || i < from
		if !s.dropped {
			readable = append(readable, s)
		}
	}
	f.readable.Store(&readable)
}

// reclaim frees what only dropped versions without readers can see (FOR-1). It
// stops at the oldest version in use: nodes retired later may be seen by it.
func (f *forest) reclaim() {
	n := 0
	for _, s := range f.live {
		// A reader that found the version before it was dropped either counted
		// itself before this swap, which then fails, or finds it closed.
		if !s.dropped || !s.readers.CompareAndSwap(0, closed) {
			break
		}
		f.release(s.retired)
		s.retired = nil
		n++
	}
	if n > 0 {
		f.live = append([]*snapshot(nil), f.live[n:]...)
	}
}

func (f *forest) release(refs []uint32) {
	for _, ref := range refs {
		if isLeafRef(ref) {
			slot := ref &^ leafBit
			if f.testingOnlyPoison {
				*f.leaves.at(slot) = tree.Leaf{}
			}
			f.leaves.free = append(f.leaves.free, slot)
		} else {
			if f.testingOnlyPoison {
				*f.branches.at(ref) = branch{}
			}
			f.branches.free = append(f.branches.free, ref)
		}
	}
}

// A part is what one goroutine makes of a new version: the nodes below one
// place of the tree. Parts share no new node.
type part struct {
	f       *forest
	created []uint32
	retired []uint32
	len     int64 // leaves more than before
	err     error

	branches, leaves []uint32 // slots in hand
	hashed           int      // branches
	beside           int      // hashed by the parts that this one waited for
	near             bool     // what the changes will meet has been looked up
	seen             byte     // keeps the looking up in the program
}

const (
	// Down to this depth a side of the tree is a part of its own where at least
	// so much is to be done on both sides.
	splitDepth     = 2
	worthSplitting = 256
	// nodesAChange is about how many nodes are made for a change where many changes share their paths.
	nodesAChange = 4
	// handful is how many slots a part takes at a time.
	handful = 128
	// breath is after how many new branches, some 30 µs, a part lets others run. It does so when it has taken a millisecond: the part of a small block is
	// done before, and with one thread, where nodes share a machine, each breath lets everybody else run first.
	breath      = 128
	inOneBreath = 32 * breath
	// atATime is how many paths are looked up beside each other: what they meet stays in the processor's nearest cache.
	atATime = 64
)

// both makes the two sides below depth, with so much to do on each.
//
// DETERMINISM: the sides share no new node, so the goroutine computes what this
// one would, and decides no order. Which slots it gets is of no matter: no hash
// depends on them.
func (p *part) both(depth, left, right int, l, r func(*part) side) (side, side) {
	if depth >= splitDepth || left < worthSplitting || right < worthSplitting || runtime.GOMAXPROCS(0) == 1 {
		return l(p), r(p)
	}
	other := &part{f: p.f, created: make([]uint32, 0, nodesAChange*left), retired: make([]uint32, 0, nodesAChange*left)}
	var theirs side
	done := make(chan struct{})
	go func() {
		defer close(done)
		theirs = l(other)
		other.giveBack()
	}()
	mine := r(p)
	<-done
	p.created, p.retired = append(p.created, other.created...), append(p.retired, other.retired...)
	p.len += other.len
	p.beside += other.hashed + other.beside
	if p.err == nil {
		p.err = other.err
	}
	return theirs, mine
}

// giveBack returns the slots in hand.
func (p *part) giveBack() {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.f.branches.free, p.f.leaves.free = append(p.f.branches.free, p.branches...), append(p.f.leaves.free, p.leaves...)
	p.branches, p.leaves = nil, nil
}

// slot takes the next of the slots in hand, and more of the arena when there is
// none.
func slot[T any](p *part, a *arena[T], hand *[]uint32, touch func(*T) byte) (uint32, bool) {
	if len(*hand) == 0 {
		p.f.mu.Lock()
		unused := a.next
		*hand = a.take(*hand, handful)
		p.f.mu.Unlock()
		if len(*hand) == 0 {
			p.err = errForestFull
			return 0, false
		}
		// Slots used before lie anywhere, as what lookUp reads does: they are fetched together, and not one at a time when they are written.
		for _, s := range *hand {
			if s < unused {
				p.seen ^= touch(a.at(s))
			}
		}
	}
	s := (*hand)[len(*hand)-1]
	*hand = (*hand)[:len(*hand)-1]
	return s, true
}

// Each reads the two lines of the cache in which a node may lie.
func touchBranch(b *branch) byte     { return b.l.hash[0] ^ byte(b.r.ref) }
func touchLeaf(leaf *tree.Leaf) byte { return leaf.Path[0] ^ leaf.ValueHash[31] }

// apply gives the subtree at depth that changes make of another. It returns the same one if they make no difference.
func (p *part) apply(at side, changes []Change, depth int) side {
	if len(changes) == 0 || p.err != nil {
		return at
	}
	if at.ref == 0 || isLeafRef(at.ref) {
		return p.grow(at, changes, depth)
	}
	if !p.near && len(changes) <= atATime {
		p.lookUp(at.ref, changes, depth)
		p.near = true
		defer func() { p.near = false }()
	}
	old := p.f.branches.at(at.ref) // published: nobody changes it
	l, r := p.sides(&old.l, &old.r, changes, depth)
	if l.ref == old.l.ref && r.ref == old.r.ref {
		return at
	}
	p.retired = append(p.retired, at.ref)
	return p.join(l, r)
}

// lookUp reads what apply will read below ref, the paths of all changes one step at a time. It decides nothing. A tree of millions of nodes lies in no
// cache, and a walk down one path waits for memory at each step; so the processor waits for the steps of many paths at once.
func (p *part) lookUp(ref uint32, changes []Change, depth int) {
	var at [atATime]uint32
	for i := range changes {
		at[i] = ref
	}
	seen := p.seen
	for walking := true; walking && depth < tree.MaxDepth; depth++ {
		walking = false
		for i := range changes {
			switch {
			case at[i] == 0:
				continue
			case isLeafRef(at[i]):
				seen ^= touchLeaf(p.f.leaves.at(at[i] &^ leafBit))
				at[i] = 0
				continue
			}
			b := p.f.branches.at(at[i])
			seen ^= touchBranch(b)
			at[i] = b.r.ref
			if tree.Bit(&changes[i].Path, depth) == 0 {
				at[i] = b.l.ref
			}
			walking = true
		}
	}
	p.seen = seen
}

// sides applies the changes to the two sides below depth.
func (p *part) sides(l, r *side, changes []Change, depth int) (side, side) {
	cut := cutChanges(changes, depth)
	if depth >= splitDepth { // nearly all calls; without closures
		left := p.apply(*l, changes[:cut], depth+1)
		return left, p.apply(*r, changes[cut:], depth+1)
	}
	return p.both(depth, cut, len(changes)-cut,
		func(p *part) side { return p.apply(*l, changes[:cut], depth+1) },
		func(p *part) side { return p.apply(*r, changes[cut:], depth+1) })
}

// grow is apply where there is at most one leaf.
func (p *part) grow(at side, changes []Change, depth int) side {
	// Who is left afterwards? Two are enough to know that it is a branch.
	var old *tree.Leaf
	left, only := 0, -1
	if at.ref != 0 {
		old = p.f.leaves.at(at.ref &^ leafBit)
		left = 1
	}
	for i := range changes {
		if old != nil && changes[i].Path == old.Path {
			left-- // it is counted as a change, or gone
			old = nil
		}
		if !changes[i].Delete {
			left++
			only = i
		}
		if left >= 2 {
			break // join puts it right if the old leaf is deleted further on
		}
	}
	if left >= 2 {
		var l, r side
		if at.ref != 0 && tree.Bit(&p.f.leaves.at(at.ref&^leafBit).Path, depth) == 0 {
			l = at
		} else {
			r = at
		}
		return p.join(p.sides(&l, &r, changes, depth))
	}
	if left == 1 && only < 0 {
		return at
	}
	if left == 1 && at.ref != 0 && *p.f.leaves.at(at.ref &^ leafBit) == (tree.Leaf{Path: changes[only].Path, ValueHash: changes[only].ValueHash}) {
		return at
	}
	if at.ref != 0 {
		p.retired = append(p.retired, at.ref)
		p.len--
	}
	if left == 0 {
		return side{}
	}
	slot, ok := slot(p, &p.f.leaves, &p.leaves, touchLeaf)
	if !ok {
		return side{}
	}
	leaf := p.f.leaves.at(slot)
	*leaf = tree.Leaf{Path: changes[only].Path, ValueHash: changes[only].ValueHash}
	p.created = append(p.created, slot|leafBit)
	p.len++
	return side{tree.LeafHash(leaf.Path, leaf.ValueHash), slot | leafBit}
}

// join makes one subtree of two sides. A lone leaf moves up.
func (p *part) join(l, r side) side {
	switch {
	case l.ref == 0 && (r.ref == 0 || isLeafRef(r.ref)):
		return r
	case r.ref == 0 && isLeafRef(l.ref):
		return l
	case p.err != nil:
		return side{}
	}
	slot, ok := slot(p, &p.f.branches, &p.branches, touchBranch)
	if !ok {
		return side{}
	}
	b := p.f.branches.at(slot)
	b.l, b.r = l, r
	p.created = append(p.created, slot)
	if p.hashed > inOneBreath && p.hashed%breath == 0 {
		runtime.Gosched()
	}
	return side{p.hash(b), slot}
}

// hash is the one place where a batch hashes a branch.
func (p *part) hash(b *branch) tree.Hash {
	p.hashed++
	return tree.InnerHash(b.l.hash, b.r.hash)
}

// cutChanges finds the first change that goes to side 1 below depth.
func cutChanges(changes []Change, depth int) int {
	lo, hi := 0, len(changes)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if tree.Bit(&changes[mid].Path, depth) == 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Version is a reader's hold on one version of the tree. One goroutine uses it
// and calls Release when done; several may hold the same height.
type Version struct {
	f        *forest
	s        *snapshot
	released atomic.Bool
}

// acquire gives the version of a height if it is among the newest kept.
func (f *forest) acquire(height uint64) (*Version, bool) {
	for _, s := range slices.Backward(*f.readable.Load()) {
		if s.height == height {
			for {
				n := s.readers.Load()
				if n < 0 {
					return nil, false // dropped since we loaded the list
				}
				if s.readers.CompareAndSwap(n, n+1) {
					return &Version{f: f, s: s}, true
				}
			}
		}
	}
	return nil, false
}

// Root is the hash that the state entry of the app hash carries.
func (v *Version) Root() tree.Hash { return v.s.hash }

// Height is the block after which the tree looked like this.
func (v *Version) Height() uint64 { return v.s.height }

// Len is the number of leaves.
func (v *Version) Len() uint64 { return v.s.len }

// Prove writes the proof of what is and is not at paths, as tree.Prove.
func (v *Version) Prove(paths []tree.Hash) (tree.Proof, []bool, []tree.Hash, error) {
	if v.released.Load() {
		return tree.Proof{}, nil, nil, errReleased
	}
	return tree.Prove(walker{v}, paths)
}

// leaves visits all leaves in ascending order of path until fn returns an error,
// which it returns. It lets others run, as a batch does.
//
// Parts of the tree of about atATime leaves are read one level after the other,
// for the reason that lookUp gives.
func (v *Version) leaves(fn func(*tree.Leaf) error) error {
	flat := bits.Len64(v.s.len / atATime)
	var level, below []uint32
	var visit func(ref uint32, depth int) error
	visit = func(ref uint32, depth int) error {
		if ref == 0 {
			return nil
		}
		if depth < flat && !isLeafRef(ref) {
			b := v.f.branches.at(ref)
			if err := visit(b.l.ref, depth+1); err != nil {
				return err
			}
			return visit(b.r.ref, depth+1)
		}
		level = append(level[:0], ref)
		for branches := true; branches; level, below = below, level {
			branches, below = false, below[:0]
			for _, ref := range level {
				if isLeafRef(ref) {
					below = append(below, ref)
					continue
				}
				branches = true
				b := v.f.branches.at(ref)
				if b.l.ref != 0 {
					below = append(below, b.l.ref)
				}
				if b.r.ref != 0 {
					below = append(below, b.r.ref)
				}
			}
		}
		for _, ref := range level {
			if err := fn(v.f.leaves.at(ref &^ leafBit)); err != nil {
				return err
			}
		}
		runtime.Gosched()
		return nil
	}
	return visit(v.s.ref, 0)
}

// Release gives the hold up. Further calls do nothing.
func (v *Version) Release() {
	if !v.released.Swap(true) {
		v.s.readers.Add(-1)
	}
}

// walker shows a version to tree.Prove.
type walker struct{ v *Version }

func (w walker) Root() tree.Ref              { return tree.Ref(w.v.s.ref) }
func (w walker) Leaf(ref tree.Ref) tree.Leaf { return *w.v.f.leaves.at(uint32(ref) &^ leafBit) }
func (w walker) Children(ref tree.Ref) (l, r tree.Ref, ok bool) {
	if isLeafRef(uint32(ref)) {
		return 0, 0, false
	}
	b := w.v.f.branches.at(uint32(ref))
	return tree.Ref(b.l.ref), tree.Ref(b.r.ref), true
}

func (w walker) SideHash(ref tree.Ref, right bool) tree.Hash {
	b := w.v.f.branches.at(uint32(ref))
	if right {
		return b.r.hash
	}
	return b.l.hash
}
