package attest

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// HeaderAheadMax is how far a header may be ahead of the clock.
const HeaderAheadMax = 60 * time.Second

// Policy (策略) is what the caller asks. Subject, Claim, MaxAge and Now are mandatory.
type Policy struct {
	Subject string // 统一社会信用代码; empty in VerifyMany
	Claim   Claim
	MaxAge  time.Duration // of the header, against Now
	Now     time.Time     // the clock; nothing here reads one
	// UnsafeAnyAge takes the place of MaxAge: a bundle of any age passes, although the facts may have changed since.
	UnsafeAnyAge bool
	// Headers for bundles of the form header-known, each given by the same Verifier's Header.
	Headers []*Header
	// Witness is a witness file (见证文件): the checkpoint of the header with cosignatures. Empty = none.
	Witness []byte
	// Stamps are time stamps over the header hash: responses of RFC 3161, in DER.
	Stamps [][]byte
}

// Verdict (结论) is what has been verified. Whether the claim holds is Holds; Code says why it does not.
type Verdict struct {
	Subject  string
	Claim    Claim
	Holds    bool
	Code     string // CodeOK, CodeClaim, CodeNotEnrolled or CodeUndecidable
	Reason   string // one line, empty where the claim holds
	Enrolled bool
	Standing *pb.Standing // nil if not enrolled

	ChainID        string
	Height         int64 // of the state: that of the header less one
	HeaderHeight   int64
	HeaderHash     Hash
	Time           time.Time // of the header
	Age            time.Duration
	SignedPower    int64
	TotalPower     int64
	CatalogVersion uint64
	Witnessed      []string // names of the witnesses of the trust file that count
	Stamped        []string // names of the authorities of the trust file whose time stamps count
}

// Verify judges one bundle for one subject. An error is of one of the classes in errors.go; a verdict whose Holds is false is no
// error.
func Verify(bundle []byte, trust *Trust, policy Policy) (*Verdict, error) {
	v, err := NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	return v.Verify(bundle, policy)
}

// VerifyMany judges every subject of one bundle. Verdicts are sorted by subject.
func VerifyMany(bundle []byte, trust *Trust, policy Policy) ([]*Verdict, error) {
	v, err := NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	return v.VerifyMany(bundle, policy)
}

// Verifier judges bundles by one trust file. It remembers blocks that it has verified, so that the next bundle of the same block
// costs a few microseconds; that skips work and decides nothing. It may be used by many goroutines.
//
// What it remembers cannot be poisoned: nothing enters but what this Verifier has itself verified up to the signatures of a set of its trust file, under the digest
// of all bytes that it verified; the newest 64 blocks stay. The trust file cannot be changed: a new one takes a new Verifier, which remembers nothing, and
// refuses the Headers of another.
type Verifier struct {
	trust  Trust
	epochs []epoch // by height
	// stampKeys are those of the authorities of the trust file.
	stampKeys []crypto.PublicKey

	mu    sync.Mutex
	known map[Hash]*block // guarded by mu; by digest of the bundle's block part, byte for byte
	order []Hash          // guarded by mu; oldest first
}

// knownMax bounds the blocks that a Verifier remembers.
const knownMax = 64

// NewVerifier checks the trust file and copies it.
func NewVerifier(trust *Trust) (*Verifier, error) {
	if err := trust.Check(); err != nil {
		return nil, refusal(ErrUsage, 1, CodeTrust, "trust file: %v", err)
	}
	t := *trust
	t.Validators = slices.Clone(t.Validators)
	for i := range t.Validators {
		t.Validators[i].PubKey = bytes.Clone(t.Validators[i].PubKey)
	}
	t.Witnesses.Keys = slices.Clone(t.Witnesses.Keys)
	for i := range t.Witnesses.Keys {
		t.Witnesses.Keys[i].PubKey = bytes.Clone(t.Witnesses.Keys[i].PubKey)
	}
	v := &Verifier{trust: t, known: make(map[Hash]*block)}
	t.Stamps.Authorities = slices.Clone(t.Stamps.Authorities)
	for i := range t.Stamps.Authorities {
		a := &t.Stamps.Authorities[i]
		a.PublicKey = bytes.Clone(a.PublicKey)
		key, err := a.key()
		if err != nil {
			return nil, refusal(ErrUsage, 1, CodeTrust, "trust file: %v", err)
		}
		v.stampKeys = append(v.stampKeys, key)
	}
	v.epochs = t.ranges()
	return v, nil
}

// Verify judges one bundle for policy.Subject.
func (v *Verifier) Verify(bundle []byte, policy Policy) (*Verdict, error) {
	if err := v.checkPolicy(&policy); err != nil {
		return nil, err
	}
	if err := CheckSubject(policy.Subject); err != nil {
		return nil, refusal(ErrUsage, 1, CodePolicy, "policy: %v", err)
	}
	vs, err := v.run(bundle, policy)
	if err != nil {
		return nil, err
	}
	return vs[0], nil
}

// VerifyMany judges every subject of the bundle; policy.Subject is empty.
func (v *Verifier) VerifyMany(bundle []byte, policy Policy) ([]*Verdict, error) {
	if err := v.checkPolicy(&policy); err != nil {
		return nil, err
	}
	if policy.Subject != "" {
		return nil, refusal(ErrUsage, 1, CodePolicy, "a subject is named where all of the bundle are judged")
	}
	vs, err := v.run(bundle, policy)
	if err != nil {
		return nil, err
	}
	return vs, nil
}

// checkPolicy is step 1, but for the subject.
func (v *Verifier) checkPolicy(p *Policy) error {
	bad := func(why string) error { return refusal(ErrUsage, 1, CodePolicy, "policy: %s", why) }
	switch {
	case p.Claim.kind == claimNone || p.Claim.kind > claimIncentive:
		return bad("no claim; the claims are: " + ClaimForms)
	case p.Now.IsZero():
		return bad("no time to judge age by")
	case p.UnsafeAnyAge && p.MaxAge != 0:
		return bad("a largest age and any age at once")
	case !p.UnsafeAnyAge && p.MaxAge <= 0:
		return bad("no largest age")
	}
	for _, h := range p.Headers {
		if h == nil || h.by != v {
			return bad("a header of another verifier")
		}
	}
	return nil
}

// Header (区块头) is a header that a Verifier has verified by its trust file. Nothing else makes one, so none can be slipped in. It may be
// used by many goroutines.
type Header struct {
	by  *Verifier
	blk *block
}

// Height of the header.
func (h *Header) Height() int64 { return h.blk.height }

// Hash of the header.
func (h *Header) Hash() Hash { return h.blk.hash }

// Header verifies a bundle that carries its header, by steps 2 to 10 of PROOF.md, and gives the header for the Headers of a Policy. Whether the trust
// file reaches it, now, is judged with each bundle that names it.
func (v *Verifier) Header(bundle []byte) (*Header, error) {
	_, blk, _, err := v.facts(bundle, nil)
	switch {
	case err != nil:
		return nil, err
	case blk == nil:
		return nil, invalid(4, CodeForm, "this bundle carries no header; give one that does")
	}
	return &Header{v, blk}, nil
}

// block is the outcome of steps 5 to 8: facts of the bundle's header that hold whatever the clock says.
type block struct {
	chainID       string
	height        int64
	time          time.Time
	hash, appHash Hash
	signed, total int64
	links         []link
	unknownSet    bool // the set that signed the first header is left out and not the trust file's: nothing is said of its signatures
}

// link is one place where the trust file reaches the chain of sets: the header at it was signed by the file's own set.
type link struct {
	height int64
	time   time.Time
}

// facts is the narration of PROOF.md from step 2 to 10: what holds whatever the clock says and whoever asks. The block is nil where the bundle names
// a header that is not among headers.
func (v *Verifier) facts(raw []byte, headers []*Header) (*pb.Bundle, *block, []*pb.Standing, *Error) {
	none := func(err *Error) (*pb.Bundle, *block, []*pb.Standing, *Error) { return nil, nil, nil, err }

	// 2-4. Armor, magic, size, encoding, form of every field.
	raw, err := unarmor(raw)
	if err != nil {
		return none(err)
	}
	cut, err := open(raw)
	if err != nil {
		return none(err)
	}
	b, blk := new(pb.Bundle), (*block)(nil)
	named := cut == len(Magic) // header-known
	var key Hash
	if !named {
		key = Hash(sha256.Sum256(raw[:cut]))
		blk = v.recall(key)
	}
	if blk != nil || named {
		err = decodeState(raw, cut, b)
	} else {
		err = decode(raw, b)
	}
	if err != nil {
		return none(err)
	}

	// 5-8. Chain, anchor, sets, signatures; or the header that is named.
	switch {
	case named:
		if blk, err = given(b.Known, headers); err != nil {
			return none(err)
		}
	case blk == nil:
		if blk, err = v.checkBlock(b); err != nil {
			return none(err)
		}
		if len(blk.links) > 0 {
			v.remember(key, blk)
		}
	}

	// 9. The state part hashes to the header's app hash.
	var appHash *Hash
	if blk != nil {
		appHash = &blk.appHash
	}
	if err := checkState(b, appHash); err != nil {
		return none(err)
	}

	// 10. Every standing is one that a state could hold, of the subject under whose key it stands.
	standings := make([]*pb.Standing, len(b.Entries))
	for i := range b.Entries {
		if standings[i], err = readStanding(&b.Entries[i]); err != nil {
			return none(err)
		}
	}
	return b, blk, standings, nil
}

// given is steps 5 to 8 for a header that is named: it must be one that has passed them. Nil is none.
func given(ref *pb.HeaderRef, headers []*Header) (*block, *Error) {
	hash, other := Hash(ref.Hash), false
	for _, h := range headers {
		at, is := h.blk.height == ref.Height, h.blk.hash == hash
		if at && is {
			return h.blk, nil
		}
		other = other || at || is
	}
	if other {
		return nil, invalid(5, CodeHeader, "the bundle names another header at height %d than the one that was verified", ref.Height)
	}
	return nil, nil
}

// run is PROOF.md from step 2 on. On any error no verdict is returned.
func (v *Verifier) run(raw []byte, p Policy) ([]*Verdict, error) {
	b, blk, standings, err := v.facts(raw, p.Headers)
	if err != nil {
		return nil, err
	}
	asked := slices.IndexFunc(b.Entries, func(e pb.Entry) bool { return e.Subject == p.Subject })
	if p.Subject != "" && asked < 0 {
		return nil, invalid(10, CodeSubject, "the bundle does not speak of %s", p.Subject)
	}
	if blk == nil {
		if err := v.checkExpired(p.Now); err != nil {
			return nil, err
		}
		return nil, refusal(ErrTrust, 12, CodeHeaderUnknown,
			"the bundle only names the header of height %d; give one that carries this header as well", b.Known.Height)
	}

	// 11. Not from the future, nor older or newer than those who have seen it say.
	witnessed, stamped, err := v.checkSeen(blk, &p)
	if err != nil {
		return nil, err
	}

	// 12. The trust file is in force and reaches the bundle, and those whom it asks for have seen the header.
	if err := v.checkTrust(blk, p.Now, witnessed, stamped); err != nil {
		return nil, err
	}

	// 13-14. Age, then the claim.
	age := max(p.Now.Sub(blk.time), 0)
	verdicts := make([]*Verdict, 0, 1)
	for i := range b.Entries {
		if asked >= 0 && i != asked {
			continue
		}
		d := &Verdict{
			Subject: b.Entries[i].Subject, Claim: p.Claim, Enrolled: standings[i] != nil, Standing: standings[i],
			ChainID: blk.chainID, Height: blk.height - 1, HeaderHeight: blk.height, HeaderHash: blk.hash,
			Time: blk.time, Age: age, SignedPower: blk.signed, TotalPower: blk.total,
			CatalogVersion: catalogVersion(b.Catalog), Witnessed: witnessed, Stamped: stamped,
		}
		d.Code, d.Reason = p.Claim.judge(standings[i])
		d.Holds = d.Code == CodeOK
		verdicts = append(verdicts, d)
	}
	slices.SortFunc(verdicts, func(x, y *Verdict) int { return strings.Compare(x.Subject, y.Subject) })
	if !p.UnsafeAnyAge && tooOld(blk.time, p.Now, p.MaxAge) {
		e := refusal(ErrStale, 13, CodeStale, "the header is %s old, more than %s; fetch a newer bundle", age.Round(time.Second), p.MaxAge)
		if asked >= 0 {
			e.Seen = verdicts[0]
		}
		return nil, e
	}
	return verdicts, nil
}

// tooOld compares times and not durations, of which the longest is 292 years.
func tooOld(header, now time.Time, maxAge time.Duration) bool { return now.After(header.Add(maxAge)) }

// checkSeen is step 11. It gives the names of the witnesses and authorities that count.
func (v *Verifier) checkSeen(blk *block, p *Policy) (witnessed, stamped []string, err *Error) {
	if err := blk.checkFuture(p.Now); err != nil {
		return nil, nil, err
	}
	if len(p.Witness) > 0 {
		if witnessed, err = v.checkNote(p.Witness, blk, p.Now); err != nil {
			return nil, nil, err
		}
	}
	if stamped, err = v.checkStamps(p.Stamps, blk, p.Now); err != nil {
		return nil, nil, err
	}
	return witnessed, stamped, nil
}

// checkTrust is step 12.
func (v *Verifier) checkTrust(blk *block, now time.Time, witnessed, stamped []string) *Error {
	if err := v.checkReach(blk, now); err != nil {
		return err
	}
	if n := v.trust.Witnesses.Required; len(witnessed) < n {
		return refusal(ErrTrust, 12, CodeWitnessQuorum, "the trust file asks for %d witnesses, %d have cosigned the header; give a witness file that more have signed", n, len(witnessed))
	}
	if n := v.trust.Stamps.Required; len(stamped) < n {
		return refusal(ErrTrust, 12, CodeStampQuorum, "the trust file asks for time stamps of %d authorities, the header has them of %d; give time stamps by keys that the file names", n, len(stamped))
	}
	return nil
}

// checkFuture is the first of step 11.
func (b *block) checkFuture(now time.Time) *Error {
	if ahead := b.time.Sub(now); ahead > HeaderAheadMax {
		return invalid(11, CodeFuture, "the header is %s ahead of the clock", ahead.Round(time.Second))
	}
	return nil
}

// checkBlock is steps 5 to 8.
func (v *Verifier) checkBlock(b *pb.Bundle) (*block, *Error) {
	blk := &block{
		chainID: b.Header.ChainId, height: b.Header.Height, time: timeOf(b.Header), appHash: Hash(b.Header.AppHash),
	}
	set, setHash := b.Validators, Hash{}
	if set != nil {
		setHash = SetHash(set)
	} else {
		// The header's own word decides whether this is the set that signed it: a changed one cannot be told from a set that the file does not have.
		first := b.Header
		if len(b.Steps) > 0 {
			first = &b.Steps[0].Header
		}
		if set = v.trust.SetAt(first.Height); set != nil {
			setHash = SetHash(set)
		}
		if set == nil || !bytes.Equal(first.ValidatorsHash, setHash[:]) {
			blk.unknownSet, set, setHash = true, nil, Hash(first.ValidatorsHash)
		}
	}
	var last *pb.Header
	for i := 0; i <= len(b.Steps); i++ {
		h, c, next := b.Header, b.Commit, (*pb.ValidatorSet)(nil)
		if i < len(b.Steps) {
			h, c, next = &b.Steps[i].Header, &b.Steps[i].Commit, &b.Steps[i].Next
		}
		hash := HeaderHash(h)

		// 5. The chain that was asked for; the anchor where the header is at it or right above it.
		if h.ChainId != v.trust.ChainID {
			return nil, invalid(5, CodeChain, "the bundle is of chain %q, the trust file of %q", h.ChainId, v.trust.ChainID)
		}
		if err := v.trust.checkAnchor(h.Height, hash, h.LastBlockHash); err != nil {
			return nil, err
		}

		// 6. Forward in height and time.
		if last != nil && (h.Height <= last.Height || !timeOf(h).After(timeOf(last))) {
			return nil, invalid(6, CodeStepOrder, "the block at height %d does not come after that at height %d", h.Height, last.Height)
		}
		if last != nil && h.Height == last.Height+1 {
			if prev := HeaderHash(last); !bytes.Equal(h.LastBlockHash, prev[:]) {
				return nil, invalid(6, CodeStepOrder, "the block at height %d does not follow that at height %d", h.Height, last.Height)
			}
		}

		// 7. Signed by the set in force, which the header names, and on to another where it is a step.
		if !bytes.Equal(h.ValidatorsHash, setHash[:]) {
			return nil, invalid(7, CodeSetHash, "the header at height %d names another validator set", h.Height)
		}

		var nextHash Hash
		if next != nil {
			nextHash = SetHash(next)
			if !bytes.Equal(h.NextValidatorsHash, nextHash[:]) {
				return nil, invalid(7, CodeStepNext, "the header at height %d names another next validator set", h.Height)
			}
			if nextHash == setHash {
				return nil, invalid(7, CodeStepOrder, "the step at height %d changes nothing", h.Height)
			}
		}

		// 8. With more than two thirds of its power.
		var signed, total int64
		if set != nil {
			var err *Error
			if signed, total, err = checkCommit(h, &hash, c, set); err != nil {
				return nil, err
			}
			if v.reaches(h.Height, set) {
				blk.links = append(blk.links, link{h.Height, timeOf(h)})
			}
		}
		if next == nil {
			blk.hash, blk.signed, blk.total = hash, signed, total
			break
		}
		set, setHash, last = next, nextHash, h
	}
	return blk, nil
}

// reaches tells whether the set that signed at a height is the trust file's own. Both are in the one order, so that they are compared without hashing; the
// file's is made only where it has as many validators.
func (v *Verifier) reaches(height int64, set *pb.ValidatorSet) bool {
	i := epochAt(v.epochs, height)
	if height < v.trust.Anchor.Height || i < 0 || v.epochs[i].size != len(set.Powers) {
		return false
	}
	own := v.trust.SetAt(height)
	return bytes.Equal(own.PubKeys, set.PubKeys) && slices.Equal(own.Powers, set.Powers)
}

func (v *Verifier) checkExpired(now time.Time) *Error {
	if now.After(v.trust.NotAfter) {
		return refusal(ErrTrust, 12, CodeTrustExpired, "the trust file ended at %s; get the current one, or judge what was kept as of a time before", formatTime(v.trust.NotAfter))
	}
	return nil
}

// counts tells whether a link says anything of a header: it lies in the newest range of the trust file that begins at or below the header. Whoever holds the keys of a
// set that the file has replaced leads to any set from an old height. Where the file says until when the set signs, steps within lead nowhere.
func (v *Verifier) counts(l link, height int64) bool {
	last := epochAt(v.epochs, height)
	for i := last; i >= 0; i-- {
		if e := v.epochs[i]; e.size > 0 {
			within := i == last && i+1 < len(v.epochs)
			return l.height >= e.from && (!within || l.height == height)
		}
	}
	return false
}

// checkReach is step 12, but for witnesses and time stamps.
func (v *Verifier) checkReach(blk *block, now time.Time) *Error {
	t := &v.trust
	if err := v.checkExpired(now); err != nil {
		return err
	}
	if blk.height < t.Anchor.Height {
		return refusal(ErrTrust, 12, CodeTrustOlder, "the bundle (height %d) is older than the anchor of the trust file (%d); get a newer bundle", blk.height, t.Anchor.Height)
	}
	if len(blk.links) == 0 || blk.unknownSet {
		return refusal(ErrTrust, 12, CodeTrustSet, "no validator set of the bundle is in the trust file; get a bundle with the steps from it, or the current trust file")
	}
	counted := false
	for _, l := range blk.links {
		if !v.counts(l, blk.height) {
			continue
		}
		if counted = true; t.InWindow(l.height, now, l.time) {
			return nil
		}
	}
	if !counted {
		return refusal(ErrTrust, 12, CodeTrustSet, "the bundle leads to height %d past the validator set that the trust file has there; get another bundle, or the current trust file", blk.height)
	}
	return refusal(ErrTrust, 12, CodeTrustWindow, "a validator of the set that signed is outside its window of time in the trust file; get a newer bundle, or the current trust file")
}

// Names of the entries of the app hash, in the order in which they are hashed.
const (
	nameCatalog = "catalog"
	nameLog     = "log"
	namePack    = "pack"
	nameState   = "state"
)

// checkState is step 9; without an app hash, as far as it goes.
func checkState(b *pb.Bundle, appHash *Hash) *Error {
	claims := make([]tree.Claim, len(b.Entries))
	for i := range b.Entries {
		claims[i] = claimOf(&b.Entries[i])
		if i > 0 && bytes.Compare(claims[i-1].Path[:], claims[i].Path[:]) >= 0 {
			return invalid(9, CodeEntryOrder, "the entries are not in ascending order of their paths")
		}
	}
	root, err := tree.RootOf(claims, tree.Proof{Shape: b.Shape, Hashes: b.Hashes})
	if err != nil {
		return invalid(9, CodePath, "%v", err)
	}
	if root == tree.Empty {
		// A running ledger has members and parameters in its tree. Refused like an unset root.
		return invalid(9, CodePath, "the state is empty")
	}
	leaves := [...]Hash{
		tree.AppEntryLeaf(nameCatalog, tree.ValueHash(b.Catalog)),
		tree.AppEntryLeaf(nameLog, Hash(b.Log)),
		tree.AppEntryLeaf(namePack, Hash(b.Pack)),
		tree.AppEntryLeaf(nameState, tree.ValueHash(root[:])),
	}
	if appHash != nil && tree.LogRoot(leaves[:]) != *appHash {
		return invalid(9, CodeAppHash, "entries, path and the other parts of the state do not lead to the app hash of the header")
	}
	return nil
}

func (v *Verifier) recall(key Hash) *block {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.known[key]
}

func (v *Verifier) remember(key Hash, blk *block) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, there := v.known[key]; there {
		return
	}
	if len(v.order) == knownMax {
		delete(v.known, v.order[0])
		v.order = append(v.order[:0], v.order[1:]...)
	}
	v.known[key] = blk
	v.order = append(v.order, key)
}

func timeOf(h *pb.Header) time.Time { return time.Unix(h.TimeSeconds, int64(h.TimeNanos)).UTC() }

func catalogVersion(catalog []byte) (n uint64) {
	for _, c := range catalog[:8] {
		n = n<<8 | uint64(c)
	}
	return n
}

// ExitCode is the exit code that the contract of the command line gives to an outcome.
func ExitCode(v *Verdict, err error) int {
	switch {
	case err == nil && v != nil && v.Holds:
		return 0
	case err == nil:
		return 6
	case errors.Is(err, ErrUsage):
		return 2
	case errors.Is(err, ErrVersion):
		return 5
	case errors.Is(err, ErrTrust):
		return 4
	case errors.Is(err, ErrStale):
		return 3
	default:
		return 1
	}
}

// String is one line for people.
func (v *Verdict) String() string {
	word := "OK"
	if !v.Holds {
		word = "NO"
	}
	line := fmt.Sprintf("%s  %s  %s  height %d  %s (age %s)  power %d/%d",
		word, v.Subject, v.Claim, v.Height, v.Time.Format(time.RFC3339), v.Age.Truncate(time.Second), v.SignedPower, v.TotalPower)
	if !v.Enrolled {
		line += "  not enrolled"
	}
	if v.Reason != "" {
		line += "  (" + v.Reason + ")"
	}
	return line
}
