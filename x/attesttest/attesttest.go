// Package attesttest makes bundles for tests: real ed25519 keys, headers and commits of the engine's own types, state trees of
// any depth. Everything is a function of its input, so that frozen vectors can be made again. Keys and records are synthetic.
//
// Trust: none is deserved. Every key here is derived from a published word.
package attesttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
)

// Synthetic codes: valid by GB 32100, not known to be issued.
const (
	SubjectClean    = "91410100Y000000160"
	SubjectPunished = "92411300Y00000024E"
	SubjectAbsent   = "52419001Y00000040A"
	SubjectMany     = "93411600Y000000AXG"
	Agency          = "11410000Y00000032Q"
)

// Time is when the headers of the samples were made.
var Time = time.Date(2026, 11, 20, 8, 0, 0, 123456789, time.UTC)

// Sum is SHA-256 of the parts, for values that only need to be fixed.
func Sum(parts ...any) []byte {
	h := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return h[:]
}

// Set is a validator set with its private keys.
type Set struct {
	*cmttypes.ValidatorSet
	keys map[string]ed25519.PrivKey // by address
}

// NewSet derives a set from a word, one validator for each power.
func NewSet(word string, powers ...int64) *Set {
	s := &Set{keys: make(map[string]ed25519.PrivKey)}
	var vals []*cmttypes.Validator
	for i, p := range powers {
		k := ed25519.GenPrivKeyFromSecret(Sum("validator", word, i))
		s.keys[string(k.PubKey().Address())] = k
		vals = append(vals, cmttypes.NewValidator(k.PubKey(), p))
	}
	s.ValidatorSet = cmttypes.NewValidatorSet(vals)
	return s
}

// With adds a validator whose private key nobody has.
func (s *Set) With(key ed25519.PubKey, power int64) *Set {
	vals := []*cmttypes.Validator{cmttypes.NewValidator(key, power)}
	for _, v := range s.Validators {
		vals = append(vals, cmttypes.NewValidator(v.PubKey, v.VotingPower))
	}
	return &Set{cmttypes.NewValidatorSet(vals), s.keys}
}

// Equal gives a set of n validators of power 10.
func Equal(word string, n int) *Set { return NewSet(word, slices.Repeat([]int64{10}, n)...) }

// Key is the private key of the validator at an index of the set.
func (s *Set) Key(i int) ed25519.PrivKey { return s.keys[string(s.Validators[i].Address)] }

// PB is the set as a bundle carries it.
func (s *Set) PB() *pb.ValidatorSet {
	out := new(pb.ValidatorSet)
	for _, v := range s.Validators {
		out.PubKeys = append(out.PubKeys, v.PubKey.Bytes()...)
		out.Powers = append(out.Powers, v.VotingPower)
	}
	return out
}

// Trusted lists the set for a trust file.
func (s *Set) Trusted(from, until int64) []attest.TrustedValidator {
	var out []attest.TrustedValidator
	for _, v := range s.Validators {
		out = append(out, attest.TrustedValidator{
			Validator:  attest.Validator{PubKey: v.PubKey.Bytes(), Power: v.VotingPower},
			FromHeight: from, UntilHeight: until,
		})
	}
	return out
}

// Header gives a header of the engine with every field filled.
func Header(chainID string, height int64, at time.Time, set, next *Set, appHash []byte) cmttypes.Header {
	return cmttypes.Header{
		Version: cmtversion.Consensus{Block: 11, App: 1},
		ChainID: chainID,
		Height:  height,
		Time:    at.UTC(),
		LastBlockID: cmttypes.BlockID{
			Hash:          Sum("block", chainID, height-1),
			PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: Sum("parts", chainID, height-1)},
		},
		LastCommitHash:     Sum("last commit", height),
		DataHash:           Sum("data", height),
		ValidatorsHash:     set.Hash(),
		NextValidatorsHash: next.Hash(),
		ConsensusHash:      Sum("consensus params"),
		AppHash:            appHash,
		LastResultsHash:    Sum("results", height),
		EvidenceHash:       Sum(),
		ProposerAddress:    set.Validators[0].Address,
	}
}

// HeaderPB is a header as a bundle carries it.
func HeaderPB(h *cmttypes.Header) pb.Header {
	return pb.Header{
		BlockVersion: h.Version.Block, AppVersion: h.Version.App, ChainId: h.ChainID, Height: h.Height,
		TimeSeconds: h.Time.Unix(), TimeNanos: int32(h.Time.Nanosecond()),
		LastBlockHash: h.LastBlockID.Hash, LastPartsTotal: h.LastBlockID.PartSetHeader.Total, LastPartsHash: h.LastBlockID.PartSetHeader.Hash,
		LastCommitHash: h.LastCommitHash, DataHash: h.DataHash,
		ValidatorsHash: h.ValidatorsHash, NextValidatorsHash: h.NextValidatorsHash, ConsensusHash: h.ConsensusHash,
		AppHash: h.AppHash, LastResultsHash: h.LastResultsHash, EvidenceHash: h.EvidenceHash, Proposer: h.ProposerAddress,
	}
}

// Sign gives the engine's commit of a header: every validator i votes as flag(i) says (nil: all for the block), each at its own
// time.
func (s *Set) Sign(h *cmttypes.Header, round int32, flag func(i int) cmttypes.BlockIDFlag) *cmttypes.Commit {
	id := cmttypes.BlockID{
		Hash: h.Hash(), PartSetHeader: cmttypes.PartSetHeader{Total: 1 + uint32(h.Height%3), Hash: Sum("parts", h.ChainID, h.Height)},
	}
	c := &cmttypes.Commit{Height: h.Height, Round: round, BlockID: id}
	for i, v := range s.Validators {
		f := cmttypes.BlockIDFlagCommit
		if flag != nil {
			f = flag(i)
		}
		if f == cmttypes.BlockIDFlagAbsent {
			c.Signatures = append(c.Signatures, cmttypes.NewCommitSigAbsent())
			continue
		}
		at := h.Time.Add(time.Duration(i+1) * 301003007 * time.Nanosecond)
		vote := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: h.Height, Round: round, Timestamp: at}
		if f == cmttypes.BlockIDFlagCommit {
			vote.BlockID = id.ToProto()
		}
		sig, err := s.Key(i).Sign(cmttypes.VoteSignBytes(h.ChainID, vote))
		if err != nil {
			panic(err)
		}
		c.Signatures = append(c.Signatures, cmttypes.CommitSig{
			BlockIDFlag: f, ValidatorAddress: v.Address, Timestamp: at, Signature: sig,
		})
	}
	return c
}

// Trim turns the engine's commit into that of a bundle.
func (s *Set) Trim(h *cmttypes.Header, c *cmttypes.Commit) (*pb.Commit, error) {
	var votes []attest.Vote
	for i, sig := range c.Signatures {
		if sig.BlockIDFlag == cmttypes.BlockIDFlagCommit {
			votes = append(votes, attest.Vote{
				Index: i, Signature: sig.Signature, TimeSeconds: sig.Timestamp.Unix(), TimeNanos: int32(sig.Timestamp.Nanosecond()),
			})
		}
	}
	ph := HeaderPB(h)
	return attest.TrimCommit(&ph, s.PB(), c.Round, c.BlockID.PartSetHeader.Total, c.BlockID.PartSetHeader.Hash, votes)
}

// Step says where a chain changed its validators.
type Step struct {
	Height int64
	Next   *Set
}

// Spec describes a bundle. Zero fields have defaults.
type Spec struct {
	ChainID   string         // "test-attest"
	Height    int64          // of the header: 101
	Time      time.Time      // of the header: Time
	Round     int32          // of every commit
	Set       *Set           // at the first header that is signed: Equal("a", 4)
	Steps     []Step         // at ascending heights
	Standings []*pb.Standing // in the state
	Asked     []string       // subjects of the bundle: those of Standings
	Noise     int            // other leaves in the state
	Depth     int            // where not 0: a path of this depth with made-up neighbours; for one subject
	Flag      func(i int) cmttypes.BlockIDFlag
	Edit      func(h *cmttypes.Header) // of the header, before it is signed
	Raw       map[string][]byte        // by subject: what stands in the state in place of the encoded standing
}

func (s Spec) withDefaults() Spec {
	if s.ChainID == "" {
		s.ChainID = "test-attest"
	}
	if s.Height == 0 {
		s.Height = 101
	}
	if s.Time.IsZero() {
		s.Time = Time
	}
	if s.Set == nil {
		s.Set = Equal("a", 4)
	}
	if s.Asked == nil {
		for _, st := range s.Standings {
			s.Asked = append(s.Asked, st.Subject)
		}
	}
	return s
}

// LastSet is the set that signs the header.
func (s Spec) LastSet() *Set {
	if n := len(s.Steps); n > 0 {
		return s.Steps[n-1].Next
	}
	return s.withDefaults().Set
}

// Header is the engine's header of the bundle.
func (s Spec) Header() cmttypes.Header {
	s = s.withDefaults()
	st := s.state()
	return Header(s.ChainID, s.Height, s.Time, s.LastSet(), s.LastSet(), st.appHash)
}

type state struct {
	entries       []pb.Entry
	shape, hashes []byte
	appHash       []byte
	catalog       []byte
}

// CatalogValue is the value of the catalog entry of every sample.
func CatalogValue() []byte { return append(binary.BigEndian.AppendUint64(nil, 7), Sum("catalog")...) }

func (s Spec) state() state {
	st := state{catalog: CatalogValue()}
	standings := make(map[string]*pb.Standing)
	var leaves []tree.Leaf
	for _, sd := range s.Standings {
		standings[sd.Subject] = sd
		e := s.entry(sd.Subject, sd)
		v := attest.StandingValue(e.Salt, e.Standing)
		leaves = append(leaves, tree.Leaf{Path: tree.PathOf(attest.StandingKey(sd.Subject)), ValueHash: tree.ValueHash(v[:])})
	}
	for i := range s.Noise + 2 { // the state of a ledger is never a subject alone
		leaves = append(leaves, tree.Leaf{Path: tree.PathOf([]byte(fmt.Sprint("R noise ", i))), ValueHash: tree.ValueHash(Sum("noise", i))})
	}
	var paths []tree.Hash
	for _, uscc := range s.Asked {
		st.entries = append(st.entries, s.entry(uscc, standings[uscc]))
	}
	slices.SortFunc(st.entries, func(a, b pb.Entry) int {
		x, y := tree.PathOf(attest.StandingKey(a.Subject)), tree.PathOf(attest.StandingKey(b.Subject))
		return bytes.Compare(x[:], y[:])
	})
	for _, e := range st.entries {
		paths = append(paths, tree.PathOf(attest.StandingKey(e.Subject)))
	}
	w := newWalker(leaves)
	if s.Depth > 0 {
		w = deepWalker(leaves[0], s.Depth)
		if len(s.Standings) == 0 {
			w = deepWalkerTo(paths[0], s.Depth)
		}
	}
	proof, _, _, err := tree.Prove(w, paths)
	if err != nil {
		panic(err)
	}
	st.shape, st.hashes = proof.Shape, proof.Hashes
	root := w.hash(w.Root())
	st.appHash = AppHash(st.catalog, root)
	return st
}

// AppHash of a state with this tree and the samples' other parts.
func AppHash(catalog []byte, root tree.Hash) []byte {
	h := tree.AppHash([]tree.Entry{
		{Name: "catalog", Value: catalog}, {Name: "log", Value: LogValue()}, {Name: "pack", Value: nil}, {Name: "state", Value: root[:]},
	})
	return h[:]
}

// LogValue is the value of the log entry of every sample.
func LogValue() []byte { return append(binary.BigEndian.AppendUint64(nil, 12345), Sum("log")...) }

// EntryOf gives the entry of a subject; nil for one that is not enrolled.
func EntryOf(uscc string, s *pb.Standing) pb.Entry {
	if s == nil {
		return pb.Entry{Subject: uscc}
	}
	return pb.Entry{Subject: uscc, Standing: pb.Encode(s), Salt: Sum("salt", uscc, s.String())}
}

func (s Spec) entry(uscc string, sd *pb.Standing) pb.Entry {
	e := EntryOf(uscc, sd)
	if raw, ok := s.Raw[uscc]; ok {
		e.Standing = raw
	}
	return e
}

// Bundle makes the bundle.
func (s Spec) Bundle() *pb.Bundle {
	s = s.withDefaults()
	st := s.state()
	log, pack := tree.ValueHash(LogValue()), tree.ValueHash(nil)
	b := &pb.Bundle{
		Validators: s.Set.PB(), Catalog: st.catalog, Log: log[:], Pack: pack[:],
		Entries: st.entries, Shape: st.shape, Hashes: st.hashes,
	}
	set := s.Set
	for i, step := range s.Steps {
		at := s.Time.Add(time.Duration(step.Height-s.Height) * time.Second)
		h := Header(s.ChainID, step.Height, at, set, step.Next, Sum("app", step.Height))
		follow(b, &h)
		c, err := set.Trim(&h, set.Sign(&h, s.Round, nil))
		if err != nil {
			panic(fmt.Sprintf("step %d: %v", i, err))
		}
		b.Steps = append(b.Steps, pb.Step{Header: HeaderPB(&h), Commit: *c, Next: *step.Next.PB()})
		set = step.Next
	}
	h := Header(s.ChainID, s.Height, s.Time, set, set, st.appHash)
	follow(b, &h)
	if s.Edit != nil {
		s.Edit(&h)
	}
	c, err := set.Trim(&h, set.Sign(&h, s.Round, s.Flag))
	if err != nil {
		panic(err)
	}
	ph := HeaderPB(&h)
	b.Header, b.Commit = &ph, c
	return b
}

// follow links a header to the last step where that is the block right below.
func follow(b *pb.Bundle, h *cmttypes.Header) {
	if n := len(b.Steps); n > 0 && b.Steps[n-1].Header.Height == h.Height-1 {
		prev := attest.HeaderHash(&b.Steps[n-1].Header)
		h.LastBlockID.Hash = prev[:]
	}
}

// File is the bundle as a file.
func (s Spec) File() []byte { return attest.EncodeBundle(s.Bundle()) }

// Trust gives the trust file of the first set: anchored at height 50, open upwards, ending a year after Time.
func (s Spec) Trust() *attest.Trust {
	s = s.withDefaults()
	return &attest.Trust{
		ChainID:    s.ChainID,
		Anchor:     attest.Anchor{Height: 50, HeaderHash: attest.Hash(Sum("block", s.ChainID, 50))},
		Validators: s.Set.Trusted(1, 0),
		NotAfter:   Time.AddDate(1, 0, 0),
	}
}

// Clean is the standing of a firm without records.
func Clean(uscc string) *pb.Standing {
	return &pb.Standing{
		Subject: uscc, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE, MayPromise: true, Restricted: Sum("restricted", uscc),
	}
}

// CommitmentCode gives a 承诺编码.
func CommitmentCode(i int) string { return fmt.Sprintf("41010020260401%06d", i) }

// Punished is the standing of a firm with one penalty of each class of severity from 1 to worst, and with a commitment in every
// state.
func Punished(uscc string, worst pb.Severity) *pb.Standing {
	s := Clean(uscc)
	s.MayPromise = false
	for c := pb.SEVERITY_MINOR; c <= worst; c++ {
		s.Penalties = append(s.Penalties, pb.PublicPenalty{
			Record: Sum("penalty", uscc, int(c)), DocNo: fmt.Sprintf("样例罚决〔2026〕%d号", c), Issuer: Agency, Class: c,
			Kinds: []uint32{1, 3}, DecidedOn: 20500, MinUntil: 20592, MaxUntil: 20865, Final: true,
		})
		s.Counts.Penalties++
	}
	slices.SortFunc(s.Penalties, func(a, b pb.PublicPenalty) int { return bytes.Compare(a.Record, b.Record) })
	s.Counts.Minor = 1
	if worst >= pb.SEVERITY_GENERAL {
		s.Counts.General = 1
	}
	if worst >= pb.SEVERITY_SERIOUS {
		s.Counts.Serious = 1
	}
	for st := pb.COMMITMENT_PENDING; st <= pb.COMMITMENT_WITHDRAWN; st++ {
		s.Commitments = append(s.Commitments, pb.PublicCommitment{
			Code: CommitmentCode(int(st)), Type: 1, State: st, MadeOn: 20544, ValidUntil: 20900, Acceptor: Agency,
		})
	}
	s.Counts.Commitments, s.Counts.Breached = 8, 1
	return s
}

// TooMany is a standing whose lists are replaced by their roots.
func TooMany(uscc string) *pb.Standing {
	s := Clean(uscc)
	s.CommitmentsRoot, s.PenaltiesRoot = Sum("commitments root"), Sum("penalties root")
	s.Counts = pb.StandingCounts{Commitments: 900, Breached: 2, Penalties: 700, Minor: 100, General: 600}
	return s
}
