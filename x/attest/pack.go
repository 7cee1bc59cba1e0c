package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"sort"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// PackMagic and DeltaMagic are what every pack and every delta of this version begins with.
const (
	PackMagic  = "XLP1"
	DeltaMagic = "XLD1"
)

// Media types over HTTP.
const (
	PackMediaType  = "application/vnd.xinlian.pack.v1"
	DeltaMediaType = "application/vnd.xinlian.pack-delta.v1"
)

// PackDomain separates the digests of sets, and their salts, from every other.
const PackDomain = "xinlian/pack/v1"

// PackDigest is what the `pack` entry of the app hash holds of a set. Without the salt nobody can test a guess of who is in it.
func PackDigest(salt []byte, root Hash) Hash {
	h := sha256.New()
	h.Write([]byte(PackDomain))
	h.Write(salt)
	h.Write(root[:])
	return Hash(h.Sum(nil))
}

// memberBytes is the size of a member: the path of its standing in the state tree.
const memberBytes = len(Hash{})

// EncodePack gives the file of a pack. It does not judge it.
func EncodePack(p *pb.Pack) []byte { return append([]byte(PackMagic), pb.Encode(p)...) }

// EncodeDelta gives the file of a delta. It does not judge it.
func EncodeDelta(d *pb.PackDelta) []byte { return append([]byte(DeltaMagic), pb.Encode(d)...) }

// Pack (离线信用包) is a set of subjects that a quorum has signed whole, verified: everybody who has a live serious record, or any negative one. A look-up
// asks nobody, and says of each code for certain whether it is in the set; of one that is not, it does not say whether the ledger knows it. A Pack
// does not change; many goroutines may use it. OpenPack gives one; the zero value decides nothing.
type Pack struct {
	Claim Claim // that holds of everybody who is not in the set: NoSerious or NoNegative
	Root  Hash  // identity of the set: what a delta names as its base

	ChainID      string
	Height       int64 // of the state: that of the header less one
	HeaderHeight int64
	HeaderHash   Hash
	Time         time.Time // of the header
	SignedPower  int64
	TotalPower   int64
	Witnessed    []string // names of the witnesses of the trust file that count
	Stamped      []string // names of its authorities whose time stamps count

	v       *Verifier
	blk     *block
	policy  Policy
	members []byte   // paths, ascending
	starts  []uint32 // by the first bits of a path: the first member from there on
	tags    []uint16 // of each member, the bits that follow these
	shift   uint     // 64 less the number of first bits
}

// OpenPack judges a pack. The policy names the claim, NoSerious or NoNegative, and no subject.
func OpenPack(raw []byte, trust *Trust, policy Policy) (*Pack, error) {
	v, err := NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	return v.OpenPack(raw, policy)
}

// OpenPack is the narration of PROOF.md, section "Pack". The bytes are not kept.
func (v *Verifier) OpenPack(raw []byte, policy Policy) (*Pack, error) {
	// 1. The policy.
	if err := v.checkPolicy(&policy); err != nil {
		return nil, err
	}
	set, err := setOf(policy.Claim)
	if err != nil {
		return nil, err
	}
	if policy.Subject != "" {
		return nil, refusal(ErrUsage, 1, CodePolicy, "policy: a subject is named; a pack is opened once and then asked about many")
	}

	// 2-4. Magic, size, encoding, form of every field.
	f, err := DecodePack(raw)
	if err != nil {
		return nil, err
	}

	// 5-8. Chain, anchor, sets, signatures.
	blk, bad := v.checkBlock(blockOf(f))
	if bad != nil {
		return nil, bad
	}

	// 9. The set hashes, with the rest of the state, to the header's app hash.
	root := setRoot(f.Members, f.Set)
	if err := checkPackState(f, &root, &blk.appHash); err != nil {
		return nil, err
	}

	// 10. It is the set that decides the claim.
	if f.Set != set {
		return nil, invalid(10, CodePackSet, "this is the pack %q; the claim %s is decided by the pack %q", f.Set.Word(), policy.Claim, set.Word())
	}

	// 11-13. Not from the future, the trust file in force and reaching it, its witnesses and authorities, age.
	p := &Pack{
		Claim: policy.Claim, Root: root, ChainID: blk.chainID, Height: blk.height - 1, HeaderHeight: blk.height, HeaderHash: blk.hash,
		Time: blk.time, SignedPower: blk.signed, TotalPower: blk.total, v: v, blk: blk, policy: policy, members: f.Members,
	}
	if p.Witnessed, p.Stamped, bad = v.checkSeen(blk, &policy); bad != nil {
		return nil, bad
	}
	if err := p.CheckAt(policy.Now); err != nil {
		return nil, err
	}
	p.index()
	return p, nil
}

// blockOf gives the part of a pack that speaks of the block, as a bundle of the form self-contained has it.
func blockOf(f *pb.Pack) *pb.Bundle {
	return &pb.Bundle{Header: &f.Header, Commit: &f.Commit, Validators: &f.Validators, Steps: f.Steps}
}

// setOf gives the set that decides a claim.
func setOf(c Claim) (pb.PackSet, error) {
	switch c {
	case NoSerious:
		return pb.PACK_SERIOUS, nil
	case NoNegative:
		return pb.PACK_NEGATIVE, nil
	}
	return 0, refusal(ErrUsage, 1, CodePolicy, "policy: no pack decides the claim %s; packs decide no-serious and no-negative", c)
}

// CheckAt judges again, at another time than that of the policy, what depends on the clock: steps 11 to 13. Judge does so each time; a program that asks
// Contains of a pack that it keeps open asks this from time to time.
func (p *Pack) CheckAt(now time.Time) error {
	if p.blk == nil {
		return errNotOpened
	}
	if now.IsZero() {
		return refusal(ErrUsage, 1, CodePolicy, "policy: no time to judge by")
	}
	if err := p.blk.checkFuture(now); err != nil {
		return err
	}
	if err := p.v.checkTrust(p.blk, now, p.Witnessed, p.Stamped); err != nil {
		return err
	}
	if age := p.Age(now); !p.policy.UnsafeAnyAge && tooOld(p.Time, now, p.policy.MaxAge) {
		return refusal(ErrStale, 13, CodeStale, "the header is %s old, more than %s; fetch a newer pack", age.Round(time.Second), p.policy.MaxAge)
	}
	return nil
}

// Age of the pack's header.
func (p *Pack) Age(now time.Time) time.Duration { return max(now.Sub(p.Time), 0) }

// Len is how many subjects are in the set.
func (p *Pack) Len() int { return len(p.members) / memberBytes }

// errNotOpened is for a Pack that is not one of OpenPack's: it holds no set, and says of nobody that he is not in it.
var errNotOpened = refusal(ErrUsage, 1, CodePolicy, "the pack was not opened: OpenPack gives one")

// index notes where the members with the same first bits begin, a few in each place, and the two bytes that follow these bits of each member: three
// bytes a member, which stay in a processor's cache where the members do not. A member itself is read where the two bytes agree.
func (p *Pack) index() {
	n := p.Len()
	width := max(bits.Len(uint(n))-2, 1)
	p.shift = uint(64 - width)
	p.tags, p.starts = make([]uint16, n), make([]uint32, 1<<width+1)
	for i := range n {
		place, tag := p.place(p.members[i*memberBytes:])
		p.tags[i] = tag
		p.starts[place+1]++
	}
	for i := 1; i < len(p.starts); i++ {
		p.starts[i] += p.starts[i-1]
	}
}

func (p *Pack) place(path []byte) (place uint64, tag uint16) {
	head := binary.BigEndian.Uint64(path)
	return head >> p.shift, uint16(head >> (p.shift - 16))
}

// Contains says whether a subject is in the set, however old the pack has grown: CheckAt says that. A text that is no 统一社会信用代码 in its one form is an error and never an absence.
func (p *Pack) Contains(uscc string) (bool, error) {
	if p.blk == nil {
		return false, errNotOpened
	}
	if !isUSCC(uscc) {
		return false, CheckSubject(uscc)
	}
	var key [1 + 18]byte // StandingKey, without a place of its own in memory
	key[0] = 'S'
	copy(key[1:], uscc)
	path := sha256.Sum256(key[:])
	place, tag := p.place(path[:])
	lo, hi := int(p.starts[place]), int(p.starts[place+1])
	for n := hi - lo; n > 8; n = hi - lo { // whoever could choose codes could make one place long: halving bounds that
		if mid := lo + n/2; p.tags[mid] < tag {
			lo = mid + 1
		} else {
			hi = mid + 1
		}
	}
	for ; lo < int(p.starts[place+1]) && p.tags[lo] <= tag; lo++ {
		if p.tags[lo] == tag && bytes.Equal(p.members[lo*memberBytes:(lo+1)*memberBytes], path[:]) {
			return true, nil
		}
	}
	return false, nil
}

// PackVerdict (结论) is what a pack says of one subject.
type PackVerdict struct {
	Subject string
	Claim   Claim
	Holds   bool   // the subject is not in the set
	Code    string // CodeOK or CodeClaim
	Reason  string // one line
	Pack    *Pack
}

// Judge says of one subject whether the claim holds, at a time: steps 11 to 14. A pack that is kept open grows old.
func (p *Pack) Judge(uscc string, now time.Time) (*PackVerdict, error) {
	if err := p.CheckAt(now); err != nil {
		return nil, err
	}
	in, err := p.Contains(uscc)
	if err != nil {
		return nil, refusal(ErrUsage, 1, CodePolicy, "policy: %v", err)
	}
	d := &PackVerdict{Subject: uscc, Claim: p.Claim, Holds: !in, Pack: p}
	d.Code, d.Reason = judge(in)
	return d, nil
}

// judge is step 14 for a pack.
func judge(in bool) (code, why string) {
	if in {
		return CodeClaim, "the subject is in the set"
	}
	return CodeOK, "the subject is not in the set; whether it is enrolled a pack does not say"
}

// String is one line for people.
func (d *PackVerdict) String() string {
	word := "OK"
	if !d.Holds {
		word = "NO"
	}
	return fmt.Sprintf("%s  %s  %s  height %d  %s  (%s)", word, d.Subject, d.Claim, d.Pack.Height, d.Pack.Time.Format(time.RFC3339), d.Reason)
}

// String is one line for people.
func (p *Pack) String() string {
	return fmt.Sprintf("OK  pack of %d subjects  %s  height %d  %s  power %d/%d  root %x",
		p.Len(), p.Claim, p.Height, p.Time.Format(time.RFC3339), p.SignedPower, p.TotalPower, p.Root)
}

// setRoot is the root of the tree of a set, from its members in ascending order.
func setRoot(members []byte, set pb.PackSet) Hash {
	leaf := tree.ValueHash(set.Leaf())
	return rootBelow(members, 0, &leaf)
}

func rootBelow(members []byte, depth int, leaf *Hash) Hash {
	n := len(members) / memberBytes
	switch n {
	case 0:
		return tree.Empty
	case 1:
		return tree.LeafHash(Hash(members), *leaf)
	}
	cut := sort.Search(n, func(i int) bool { return tree.Bit((*Hash)(members[i*memberBytes:]), depth) == 1 }) * memberBytes
	return tree.InnerHash(rootBelow(members[:cut], depth+1, leaf), rootBelow(members[cut:], depth+1, leaf))
}

// checkPackState is step 9 for a pack.
func checkPackState(f *pb.Pack, root, appHash *Hash) *Error {
	var value []byte
	for _, set := range pb.PackSets {
		if set == f.Set {
			digest := PackDigest(f.Salt, *root)
			value = append(value, digest[:]...)
		} else {
			value = append(value, f.Other...)
		}
	}
	leaves := [...]Hash{
		tree.AppEntryLeaf(nameCatalog, Hash(f.Catalog)), tree.AppEntryLeaf(nameLog, Hash(f.Log)),
		tree.AppEntryLeaf(namePack, tree.ValueHash(value)), tree.AppEntryLeaf(nameState, Hash(f.State)),
	}
	if tree.LogRoot(leaves[:]) != *appHash {
		return invalid(9, CodeAppHash, "the set and the other parts of the state do not lead to the app hash of the header")
	}
	return nil
}

// DecodePack reads a pack: steps 2 to 4. What it returns is well formed and UNVERIFIED.
func DecodePack(raw []byte) (*pb.Pack, error) {
	if bytes.HasPrefix(raw, []byte(DeltaMagic)) {
		return nil, invalid(2, CodeMagic, "this is a delta: apply it first to the pack that it follows")
	}
	if err := packMagic(raw, PackMagic); err != nil {
		return nil, err
	}
	if len(raw) > pb.PackBytesMax {
		return nil, invalid(3, CodeSize, "%d bytes, more than %d", len(raw), pb.PackBytesMax)
	}
	f := new(pb.Pack)
	if err := boundBlock(raw[len(PackMagic):]); err != nil {
		return nil, err
	}
	if err := pb.Decode(raw[len(PackMagic):], f); err != nil {
		return nil, invalid(3, CodeEncoding, "pack: %v", err)
	}
	if err := checkPackForm(f); err != nil {
		return nil, err
	}
	return f, nil
}

// packMagic is step 2 for packs and deltas.
func packMagic(raw []byte, magic string) error {
	switch {
	case bytes.HasPrefix(raw, []byte(magic)):
		return nil
	case len(raw) >= 4 && string(raw[:3]) == magic[:3] && raw[3] >= '0' && raw[3] <= '9':
		return refusal(ErrVersion, 2, CodeVersion, "a file %s of version %c; this program reads version %c", magic[:3], raw[3], magic[3])
	case len(raw) >= 2 && raw[0] == 0x1f && raw[1] == 0x8b:
		return invalid(2, CodeMagic, "this is compressed with gzip; nothing compressed is read here")
	}
	if what := kindFault(raw); what != "" {
		return invalid(2, CodeMagic, "not the file that is asked for, which begins with %s, but %s", magic, what)
	}
	return invalid(2, CodeMagic, "not the file that is asked for: it does not begin with %s", magic)
}

// boundBlock bounds the steps of an encoded pack, and the lists of numbers of its block part, before they are decoded, which takes far more room. It does not judge
// the encoding.
func boundBlock(raw []byte) *Error {
	steps := 0
	err := walk(raw, func(field uint64, _ []byte, _ bool) *Error {
		if field == 4 {
			steps++
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case steps > pb.BundleStepsMax:
		return invalid(3, CodeSize, "%d steps, more than %d", steps, pb.BundleStepsMax)
	}
	return blockLists.bound(raw)
}

// walk passes the fields at the top of a message: numbers, and bytes within it.
func walk(raw []byte, each func(field uint64, v []byte, number bool) *Error) *Error {
	for at := 0; at < len(raw); {
		tag, n := binary.Uvarint(raw[at:])
		if n <= 0 {
			return invalid(3, CodeEncoding, "byte %d begins no field", at)
		}
		size, m := binary.Uvarint(raw[at+n:])
		switch {
		case m <= 0 || tag&7 != 0 && tag&7 != 2:
			return invalid(3, CodeEncoding, "byte %d begins no field", at)
		case tag&7 == 0:
			size = 0
		case size > uint64(len(raw)-at-n-m):
			return invalid(3, CodeEncoding, "the field at byte %d reaches beyond the end", at)
		}
		from := at + n + m
		at = from + int(size)
		if err := each(tag>>3, raw[from:at], tag&7 == 0); err != nil {
			return err
		}
	}
	return nil
}

// numbersMax bounds a list of numbers, in bytes: a set and a commit have one number a validator, of ten bytes at most.
const numbersMax = 10 * pb.ValidatorsMax

// lists says where in a message lists of numbers stand.
type lists struct {
	numbers uint64            // the field that is one; 0 = none
	within  map[uint64]*lists // the messages that have some
	many    uint64            // that of them which may occur more than once
}

var (
	commitLists = &lists{numbers: 6}
	setLists    = &lists{numbers: 2}
	stepLists   = &lists{within: map[uint64]*lists{2: commitLists, 3: setLists}}
	blockLists  = &lists{within: map[uint64]*lists{2: commitLists, 3: setLists, 4: stepLists}, many: 4}
)

// bound bounds the lists of numbers of a message before they are decoded, which takes eight times their room. A decoder would join what occurs more than once.
func (l *lists) bound(raw []byte) *Error {
	seen := make(map[uint64]bool)
	return walk(raw, func(field uint64, v []byte, number bool) *Error {
		inner := l.within[field]
		switch {
		case inner == nil && (field != l.numbers || field == 0):
			return nil
		case number, seen[field] && field != l.many:
			return invalid(3, CodeEncoding, "%v", pb.ErrNotCanonical)
		}
		seen[field] = true
		switch {
		case inner != nil:
			return inner.bound(v)
		case len(v) > numbersMax:
			return invalid(3, CodeSize, "a list of numbers of %d bytes, more than %d", len(v), numbersMax)
		}
		return nil
	})
}

// checkPackForm is step 4 for a pack.
func checkPackForm(f *pb.Pack) *Error {
	if err := checkBlockForm(blockOf(f)); err != nil {
		return err
	}
	switch {
	case len(f.Catalog) != hashBytes || len(f.Log) != hashBytes || len(f.State) != hashBytes || len(f.Other) != hashBytes || len(f.Salt) != saltBytes:
		return invalid(4, CodeForm, "catalog, log, state, the digest of the other set and the salt have 32 bytes each")
	case f.Set.Word() == "":
		return invalid(4, CodeForm, "no set has number %d", f.Set)
	}
	return checkMembers(f.Members)
}

// checkMembers holds members to their one order. Where they ascend strictly, none stands twice.
func checkMembers(members []byte) *Error {
	if len(members)%memberBytes != 0 {
		return invalid(4, CodePackMembers, "the members have %d bytes, which is no multiple of %d: the set is cut", len(members), memberBytes)
	}
	if n := len(members) / memberBytes; n > pb.PackMembersMax {
		return invalid(4, CodeSize, "%d members, more than %d", n, pb.PackMembersMax)
	}
	nodes, last := 0, -1
	for i := memberBytes; i < len(members); i += memberBytes {
		shared, ascend := sharedBits(members[i-memberBytes:i], members[i:i+memberBytes])
		if !ascend {
			return invalid(4, CodePackMembers, "member %d does not come after the one before it", i/memberBytes)
		}
		nodes, last = nodes+max(shared-last, 0), shared // a node for each beginning that two share, and that the two before do not
	}
	if n := len(members) / memberBytes; nodes > packNodesMax(n) {
		return invalid(4, CodePackMembers, "the tree of %d members has %d inner nodes, more than %d: no paths are so alike", n, nodes, packNodesMax(n))
	}
	return nil
}

// packNodesMax bounds the inner nodes of the tree of n members, and so the work for its root, which is done before anybody's signature is looked at. Paths are hashes, of
// which n make 1.44 n nodes.
func packNodesMax(n int) int { return 4*n + 16384 }

// sharedBits tells how many bits two paths begin with alike, and whether they ascend.
func sharedBits(a, b []byte) (n int, ascend bool) {
	for at := 0; at < memberBytes; at += 8 {
		x, y := binary.BigEndian.Uint64(a[at:]), binary.BigEndian.Uint64(b[at:])
		if x != y {
			return 8*at + bits.LeadingZeros64(x^y), x < y
		}
	}
	return 8 * memberBytes, false
}

// ApplyDelta makes the newer pack of an older one: the very bytes that a gateway serves. Neither is judged as to who signed it, and what comes out
// is UNVERIFIED: OpenPack judges it. A delta that does not begin where the pack ends is refused.
func ApplyDelta(base, delta []byte) ([]byte, error) {
	if bytes.HasPrefix(delta, []byte(PackMagic)) {
		return nil, invalid(2, CodeMagic, "this is a pack, whole; it needs no older one")
	}
	if err := packMagic(delta, DeltaMagic); err != nil {
		return nil, err
	}
	old, err := DecodePack(base)
	if err != nil {
		return nil, fmt.Errorf("the older pack: %w", err)
	}
	d, err := decodeDelta(delta)
	if err != nil {
		return nil, err
	}
	if d.Pack.Set != old.Set {
		return nil, invalid(4, CodeDeltaBase, "the delta is of the pack %q, the older pack is %q", d.Pack.Set.Word(), old.Set.Word())
	}
	if root := setRoot(old.Members, old.Set); !bytes.Equal(d.Base, root[:]) {
		return nil, invalid(4, CodeDeltaBase, "the delta follows the set %x, the older pack holds %x; fetch the whole pack", d.Base, root)
	}
	members, bad := merge(old.Members, d.Added, d.Removed)
	if bad != nil {
		return nil, bad
	}
	d.Pack.Members = members
	if err := checkPackForm(&d.Pack); err != nil {
		return nil, err
	}
	return EncodePack(&d.Pack), nil
}

// decodeDelta is steps 2 to 4 for a delta whose magic has been read.
func decodeDelta(raw []byte) (*pb.PackDelta, error) {
	if len(raw) > pb.PackBytesMax {
		return nil, invalid(3, CodeSize, "%d bytes, more than %d", len(raw), pb.PackBytesMax)
	}
	body := raw[len(DeltaMagic):]
	// A decoder would join packs that occur more than once.
	seen := false
	bad := walk(body, func(field uint64, v []byte, number bool) *Error {
		if field != 2 {
			return nil
		}
		if number || seen {
			return invalid(3, CodeEncoding, "delta: %v", pb.ErrNotCanonical)
		}
		seen = true
		return boundBlock(v)
	})
	if bad != nil {
		return nil, bad
	}
	d := new(pb.PackDelta)
	if err := pb.Decode(body, d); err != nil {
		return nil, invalid(3, CodeEncoding, "delta: %v", err)
	}
	if len(d.Base) != hashBytes || len(d.Pack.Members) != 0 {
		return nil, invalid(4, CodeForm, "a delta names the set that it follows by 32 bytes, and carries no set of its own")
	}
	for _, members := range [][]byte{d.Added, d.Removed} {
		if err := checkMembers(members); err != nil {
			return nil, err
		}
	}
	if err := checkPackForm(&d.Pack); err != nil {
		return nil, err
	}
	return d, nil
}

// merge gives old without removed and with added. All three ascend. Who is added was not there, who is removed was.
func merge(old, added, removed []byte) ([]byte, *Error) {
	out := make([]byte, 0, len(old)+len(added))
	first := func(list []byte) []byte { return list[:memberBytes] }
	for len(added) > 0 || len(removed) > 0 {
		next, in := added, true
		if len(added) == 0 || len(removed) > 0 && bytes.Compare(first(removed), first(added)) < 0 {
			next, in = removed, false
		}
		at := sort.Search(len(old)/memberBytes, func(i int) bool { return bytes.Compare(first(old[i*memberBytes:]), first(next)) >= 0 }) * memberBytes
		out, old = append(out, old[:at]...), old[at:]
		was := len(old) > 0 && bytes.Equal(first(old), first(next))
		switch {
		case in && was, in && len(removed) > 0 && bytes.Equal(first(removed), first(added)):
			return nil, invalid(4, CodeDelta, "the delta adds a member that the older pack has")
		case !in && !was:
			return nil, invalid(4, CodeDelta, "the delta removes a member that the older pack does not have")
		case in:
			out, added = append(out, first(added)...), added[memberBytes:]
		default:
			old, removed = old[memberBytes:], removed[memberBytes:]
		}
	}
	return append(out, old...), nil
}

// DiffMembers gives who is in next and not in old, and who is in old and not in next. Both ascend.
func DiffMembers(old, next []byte) (added, removed []byte) {
	for len(old) > 0 || len(next) > 0 {
		c := 0
		switch {
		case len(old) == 0:
			c = 1
		case len(next) == 0:
			c = -1
		default:
			c = bytes.Compare(old[:memberBytes], next[:memberBytes])
		}
		if c < 0 {
			removed = append(removed, old[:memberBytes]...)
		}
		if c > 0 {
			added = append(added, next[:memberBytes]...)
		}
		if c <= 0 {
			old = old[memberBytes:]
		}
		if c >= 0 {
			next = next[memberBytes:]
		}
	}
	return added, removed
}

// PackRoot reads the identity of a pack's set from its file. Nothing is verified.
func PackRoot(raw []byte) (set pb.PackSet, root Hash, err error) {
	f, err := DecodePack(raw)
	if err != nil {
		return 0, root, err
	}
	return f.Set, setRoot(f.Members, f.Set), nil
}

// PackJSON is the view of a pack that has been judged. It proves nothing.
type PackJSON struct {
	Verdict      string `json:"verdict"`
	Code         string `json:"code"`
	Claim        string `json:"claim"`
	Set          string `json:"set"`
	Root         string `json:"root"`
	Members      int    `json:"members"`
	ChainID      string `json:"chain_id"`
	Height       int64  `json:"height"`
	HeaderHeight int64  `json:"header_height"`
	Time         string `json:"time"`
	AgeSeconds   int64  `json:"age_seconds"`
	SignedPower  int64  `json:"signed_power"`
	TotalPower   int64  `json:"total_power"`
}

// PackView gives the view of a pack.
func PackView(p *Pack, now time.Time) PackJSON {
	set, _ := setOf(p.Claim)
	return PackJSON{
		Verdict: "holds", Code: CodeOK, Claim: p.Claim.String(), Set: set.Word(), Root: hex.EncodeToString(p.Root[:]), Members: p.Len(),
		ChainID: p.ChainID, Height: p.Height, HeaderHeight: p.HeaderHeight, Time: p.Time.Format(time.RFC3339Nano),
		AgeSeconds: int64(p.Age(now) / time.Second), SignedPower: p.SignedPower, TotalPower: p.TotalPower,
	}
}

// PackVerdictView gives the view of a look-up. Whether the subject is enrolled, and its standing, are null: a pack does not say.
func PackVerdictView(d *PackVerdict, now time.Time) VerdictJSON {
	p := d.Pack
	at, age := p.Time.Format(time.RFC3339Nano), int64(p.Age(now)/time.Second)
	j := VerdictJSON{
		Verdict: "holds", Code: d.Code, Reason: d.Reason, Subject: d.Subject, Claim: d.Claim.String(), Holds: d.Holds, ChainID: &p.ChainID,
		Height: &p.Height, HeaderHeight: &p.HeaderHeight, Time: &at, AgeSeconds: &age, SignedPower: &p.SignedPower, TotalPower: &p.TotalPower,
	}
	if !d.Holds {
		j.Verdict = "does-not-hold"
	}
	return j
}
