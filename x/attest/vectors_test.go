package attest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

type corpus struct{ vectors []vector }

func (c *corpus) add(name string, exit int, code string, s Spec, raw []byte) *vector {
	subject := SubjectClean
	if len(s.Standings) > 0 {
		subject = s.Standings[0].Subject
	} else if len(s.Asked) > 0 {
		subject = s.Asked[0]
	}
	c.vectors = append(c.vectors, vector{
		Name: name, Trust: "trust.json", Subject: subject, Claim: "no-negative", MaxAge: "1h0m0s", At: now().Format(time.RFC3339Nano),
		Exit: exit, Code: code, Payload: raw, files: map[string][]byte{"trust.json": Spec{}.Trust().Encode()},
	})
	return &c.vectors[len(c.vectors)-1]
}

func (v *vector) by(name string, t *attest.Trust) *vector {
	delete(v.files, v.Trust)
	v.Trust = "trust-" + name + ".json"
	v.files[v.Trust] = t.Encode()
	return v
}

// byFile is by for a trust file that cannot be made from a Trust.
func (v *vector) byFile(name string, raw []byte) *vector {
	delete(v.files, v.Trust)
	v.Trust = "trust-" + name + ".json"
	v.files[v.Trust] = raw
	return v
}

// with names a header bundle that is given beside the bundle.
func (v *vector) with(name string, raw []byte) *vector {
	v.Headers = append(v.Headers, name+".xla")
	v.files[name+".xla"] = raw
	return v
}

// seen names the witness file.
func (v *vector) seen(note []byte) *vector {
	v.Witness = v.Name + ".xlw"
	v.files[v.Witness] = note
	return v
}

// bad adds a bundle that is the spec's but for one change.
func (c *corpus) bad(name, code string, s Spec, change func(b *pb.Bundle)) *vector {
	b := s.Bundle()
	change(b)
	return c.add(name, 1, code, s, attest.EncodeBundle(b))
}

// file is bad for changes of the bytes.
func (c *corpus) file(name string, exit int, code string, raw []byte) *vector {
	return c.add(name, exit, code, sample(), raw)
}

// vectors makes the corpus. Every refused one is a valid bundle with one change.
func vectors() []vector {
	c := new(corpus)
	base := sample()
	base.Noise = 20
	punished := Spec{Standings: []*pb.Standing{Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Noise: 20}
	absent := Spec{Asked: []string{SubjectAbsent}, Noise: 20}
	many := Spec{
		Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_GENERAL)},
		Asked:     []string{SubjectClean, SubjectPunished, SubjectAbsent}, Noise: 40,
	}
	steps := base
	steps.Steps = []Step{{Height: 60, Next: NewSet("b", 40, 30, 20, 10, 5)}, {Height: 100, Next: Equal("c", 7)}}

	c.accepted(base, punished, absent, many, steps)
	c.parsing(base)
	c.forms(base)
	c.signatures(base)
	c.sets(base)
	c.steps(steps)
	c.paths(base, punished, absent, many)
	c.meanings(base, punished)
	c.trusts(base, steps)
	c.ranges(base, steps)
	c.trustTexts(base)
	c.timeEdges(base)
	c.bundleForms(base, steps)
	c.armor(base)
	c.witnesses(base)
	c.stamps(base)
	c.edges(base)
	return c.vectors
}

func (c *corpus) accepted(base, punished, absent, many, steps Spec) {
	ok := func(name string, s Spec) *vector { return c.add(name, 0, "OK", s, s.File()) }
	ok("ok-present", base)
	ok("ok-absent", absent)
	ok("ok-absent-standing", absent).Exit = 6
	c.vectors[len(c.vectors)-1].Claim, c.vectors[len(c.vectors)-1].Code = "standing", "E_NOT_ENROLLED"
	ok("ok-many", many)
	ok("ok-steps", steps)
	deep := base
	deep.Depth, deep.Noise = 24, 0
	ok("ok-depth-24", deep)
	deep.Depth = 256
	ok("ok-depth-256", deep)
	for _, n := range []int{1, 21, 100} {
		s := base
		s.Set = Equal(fmt.Sprint("set of ", n), n)
		ok(fmt.Sprint("ok-validators-", n), s).by(fmt.Sprint("validators-", n), s.Trust())
	}
	uneven := base
	uneven.Set = NewSet("uneven", 50, 30, 30, 7, 7, 3)
	ok("ok-uneven-powers", uneven).by("uneven", uneven.Trust())
	large := base
	large.Set = NewSet("large", math.MaxInt64/8-3, 1, 1, 1)
	ok("ok-largest-power", large).by("largest-power", large.Trust())
	votes := base
	votes.Set = Equal("votes", 9)
	votes.Round = 3
	votes.Flag = func(i int) cmttypes.BlockIDFlag {
		return []cmttypes.BlockIDFlag{cmttypes.BlockIDFlagCommit, cmttypes.BlockIDFlagNil, cmttypes.BlockIDFlagAbsent}[[]int{0, 1, 0, 0, 0, 2, 0, 0, 0}[i]]
	}
	ok("ok-nil-and-absent-votes", votes).by("votes", votes.Trust())
	first := base
	first.Height = 1
	first.Edit = func(h *cmttypes.Header) { h.LastBlockID = cmttypes.BlockID{} }
	atGenesis := first.Trust()
	fb := first.Bundle()
	atGenesis.Anchor = attest.Anchor{Height: 1, HeaderHash: attest.HeaderHash(fb.Header)}
	ok("ok-first-block", first).by("genesis", atGenesis)

	no := func(name string, s Spec, claim, code string) {
		v := c.add("no-"+name, 6, code, s, s.File())
		v.Claim = claim
	}
	code := CommitmentCode
	no("negative", punished, "no-negative", "E_CLAIM")
	no("serious", punished, "no-serious", "E_CLAIM")
	no("promise", punished, "may-promise", "E_CLAIM")
	no("other-state", punished, "commitment:"+code(5)+"=fulfilled", "E_CLAIM")
	no("unknown-commitment", punished, "commitment:"+code(99)+"=fulfilled", "E_CLAIM")
	no("enrolled", absent, "enrolled", "E_NOT_ENROLLED")
	no("commitment-of-nobody", absent, "commitment:"+code(1)+"=pending", "E_NOT_ENROLLED")
	tooMany := Spec{Standings: []*pb.Standing{TooMany(SubjectMany)}, Noise: 5}
	no("undecidable", tooMany, "commitment:"+code(1)+"=pending", "E_CLAIM_UNDECIDABLE")
	ok("ok-roots-for-lists", tooMany).Claim = "no-serious"
	ok("ok-commitment", punished).Claim = "commitment:" + code(4) + "=fulfilled"
}

func (c *corpus) parsing(base Spec) {
	raw := base.File()
	with := func(change func(raw []byte) []byte) []byte { return change(bytes.Clone(raw)) }
	body := raw[4:]
	c.file("parse-empty", 1, "E_MAGIC", nil)
	c.file("parse-magic-alone", 1, "E_ENCODING", []byte("XLA1"))
	c.file("parse-other-magic", 1, "E_MAGIC", append([]byte("XLB1"), body...))
	c.file("parse-lower-case-magic", 1, "E_MAGIC", append([]byte("xla1"), body...))
	c.file("parse-no-magic", 1, "E_MAGIC", body)
	c.file("parse-magic-short", 1, "E_MAGIC", []byte("XLA"))
	c.file("version-2", 5, "E_VERSION", append([]byte("XLA2"), body...))
	c.file("version-0", 5, "E_VERSION", append([]byte("XLA0"), body...))
	c.file("version-9-empty", 5, "E_VERSION", []byte("XLA9"))
	c.file("version-letter", 1, "E_MAGIC", append([]byte("XLAx"), body...))
	view, err := attest.BundleView(base.Bundle())
	if err != nil {
		panic(err)
	}
	js, err := json.Marshal(view)
	if err != nil {
		panic(err)
	}
	c.file("parse-json-view", 1, "E_MAGIC", append([]byte("\n  "), js...))
	c.file("parse-hex", 1, "E_MAGIC", fmt.Appendf(nil, "%x", raw))
	c.file("parse-blank-before", 1, "E_MAGIC", append([]byte(" "), raw...))
	c.file("parse-trailing-byte", 1, "E_ENCODING", append(bytes.Clone(raw), 0))
	c.file("parse-trailing-line", 1, "E_ENCODING", append(bytes.Clone(raw), '\n'))
	c.file("parse-two-bundles", 1, "E_ENCODING", append(bytes.Clone(raw), raw...))
	c.file("parse-truncated", 1, "E_ENCODING", raw[:len(raw)-1])
	c.file("parse-half", 1, "E_ENCODING", raw[:len(raw)/2])
	c.file("parse-unknown-field", 1, "E_ENCODING", append(bytes.Clone(raw), 0x5a, 1, 0))
	c.file("parse-unknown-number", 1, "E_ENCODING", append(bytes.Clone(raw), 0x58, 1))
	own := base.Trust().Encode()
	c.file("parse-trust-embedded", 1, "E_ENCODING", append(binary.AppendUvarint(append(bytes.Clone(raw), 0x62), uint64(len(own))), own...))
	c.file("parse-empty-known-field", 1, "E_ENCODING", append(bytes.Clone(raw), 0x52, 0))
	c.file("parse-entry-at-the-end", 1, "E_ENCODING", append(bytes.Clone(raw), 0x42, 0))
	header := pb.Encode(base.Bundle().Header)
	c.file("parse-header-twice", 1, "E_ENCODING", with(func(raw []byte) []byte {
		field := binary.AppendUvarint([]byte{0x0a}, uint64(len(header)))
		return append(append(append([]byte("XLA1"), field...), header...), raw[4:]...)
	}))
	c.file("parse-long-varint", 1, "E_ENCODING", with(func(raw []byte) []byte {
		size, n := binary.Uvarint(raw[5:])
		long := binary.AppendUvarint(nil, size)
		long[len(long)-1] |= 0x80
		return append(append(append(raw[:5:5], long...), 0), raw[5+n:]...)
	}))
	c.file("parse-length-beyond-end", 1, "E_ENCODING", append([]byte("XLA1\x0a"), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))
	overflow := bytes.Repeat([]byte{0x80}, 10) // the eleventh byte of a number of at most 64 bits
	c.file("parse-tag-overflows", 1, "E_ENCODING", append(append(append(bytes.Clone(raw), overflow...), 1), 0))
	c.file("parse-tag-overflows-at-the-head", 1, "E_ENCODING", append(append([]byte("XLA1"), overflow...), 1, 0))
	c.file("parse-length-overflows", 1, "E_ENCODING", append(append(append(bytes.Clone(raw), 0x52), overflow...), 1))
	c.file("parse-tag-cut", 1, "E_ENCODING", append(bytes.Clone(raw), 0x80))
	// What is counted before anything is decoded comes after what tells block and state apart: a set of far too many numbers behind the state is misplaced first.
	numbered := binary.AppendUvarint([]byte{0x12}, 10*pb.ValidatorsMax+1)
	set := append(numbered, make([]byte, 10*pb.ValidatorsMax+1)...)
	misplaced := append(binary.AppendUvarint([]byte{0x1a}, uint64(len(set))), set...)
	catalog := append([]byte{0x2a, 40}, make([]byte, 40)...)
	c.file("parse-block-behind-the-state", 1, "E_ENCODING", append(append([]byte("XLA1"), catalog...), misplaced...))
	step := append(binary.AppendUvarint([]byte{0x22}, uint64(len(misplaced))), misplaced...)
	c.file("parse-step-behind-the-state", 1, "E_ENCODING", append(bytes.Clone(raw), step...))
	c.file("parse-field-0", 1, "E_ENCODING", append(bytes.Clone(raw), 0x02, 0))
	c.file("parse-group", 1, "E_ENCODING", append(bytes.Clone(raw), 0x0b, 0x0c))
	c.file("size-one-subject", 1, "E_SIZE", attest.EncodeBundle(&pb.Bundle{Header: new(pb.Header), Commit: new(pb.Commit), Validators: new(pb.ValidatorSet), Entries: []pb.Entry{{}}, Hashes: make([]byte, pb.BundleBytesMax)}))
	c.file("size-entries", 1, "E_SIZE", attest.EncodeBundle(&pb.Bundle{Header: new(pb.Header), Commit: new(pb.Commit), Validators: new(pb.ValidatorSet), Entries: make([]pb.Entry, pb.BundleEntriesMax+1)}))
	numbers := func(name string, change func(b *pb.Bundle)) {
		b := base.Bundle()
		change(b)
		b.Entries = append(b.Entries, b.Entries[0]) // two may be larger
		c.file("size-"+name, 1, "E_SIZE", attest.EncodeBundle(b))
	}
	numbers("powers", func(b *pb.Bundle) { b.Validators.Powers = slices.Repeat([]int64{1}, 10*pb.ValidatorsMax+1) })
	numbers("times", func(b *pb.Bundle) { b.Commit.Times = slices.Repeat([]int64{1}, 10*pb.ValidatorsMax+1) })
	numbers("powers-of-a-step", func(b *pb.Bundle) {
		b.Steps = []pb.Step{{Header: *b.Header, Commit: *b.Commit, Next: pb.ValidatorSet{Powers: slices.Repeat([]int64{1}, 10*pb.ValidatorsMax+1)}}}
	})
	large := base.Bundle()
	large.Entries = append(large.Entries, large.Entries[0])
	large.Entries[0].Standing = make([]byte, pb.BundleBytesMax+1)
	c.file("size-standing", 1, "E_SIZE", attest.EncodeBundle(large))
	c.file("size-steps", 1, "E_SIZE", attest.EncodeBundle(&pb.Bundle{Header: new(pb.Header), Commit: new(pb.Commit), Validators: new(pb.ValidatorSet), Entries: make([]pb.Entry, 2), Steps: make([]pb.Step, pb.BundleStepsMax+1)}))
}

func (c *corpus) forms(base Spec) {
	for name, change := range map[string]func(b *pb.Bundle){
		"no-chain-id":        func(b *pb.Bundle) { b.Header.ChainId = "" },
		"long-chain-id":      func(b *pb.Bundle) { b.Header.ChainId = string(make([]byte, 51)) },
		"height-zero":        func(b *pb.Bundle) { b.Header.Height = 0 },
		"height-negative":    func(b *pb.Bundle) { b.Header.Height = -101 },
		"time-negative":      func(b *pb.Bundle) { b.Header.TimeSeconds = -1 },
		"time-after-9999":    func(b *pb.Bundle) { b.Header.TimeSeconds = 253402300800 },
		"nanos-negative":     func(b *pb.Bundle) { b.Header.TimeNanos = -1 },
		"nanos-of-a-second":  func(b *pb.Bundle) { b.Header.TimeNanos = 1e9 },
		"no-app-hash":        func(b *pb.Bundle) { b.Header.AppHash = nil },
		"app-hash-20":        func(b *pb.Bundle) { b.Header.AppHash = b.Header.AppHash[:20] },
		"no-validators-hash": func(b *pb.Bundle) { b.Header.ValidatorsHash = nil },
		"no-next-hash":       func(b *pb.Bundle) { b.Header.NextValidatorsHash = nil },
		"last-block-33":      func(b *pb.Bundle) { b.Header.LastBlockHash = append(b.Header.LastBlockHash, 0) },
		"half-a-block-id":    func(b *pb.Bundle) { b.Header.LastPartsHash = nil },
		"last-parts-zero":    func(b *pb.Bundle) { b.Header.LastPartsTotal = 0 },
		"data-hash-31":       func(b *pb.Bundle) { b.Header.DataHash = b.Header.DataHash[:31] },
		"evidence-hash-1":    func(b *pb.Bundle) { b.Header.EvidenceHash = b.Header.EvidenceHash[:1] },
		"proposer-32":        func(b *pb.Bundle) { b.Header.Proposer = make([]byte, 32) },
		"no-proposer":        func(b *pb.Bundle) { b.Header.Proposer = nil },
		"no-catalog":         func(b *pb.Bundle) { b.Catalog = nil },
		"catalog-39":         func(b *pb.Bundle) { b.Catalog = b.Catalog[:39] },
		"catalog-41":         func(b *pb.Bundle) { b.Catalog = append(b.Catalog, 0) },
		"no-log":             func(b *pb.Bundle) { b.Log = nil },
		"log-31":             func(b *pb.Bundle) { b.Log = b.Log[:31] },
		"pack-33":            func(b *pb.Bundle) { b.Pack = append(b.Pack, 0) },
		"no-entries":         func(b *pb.Bundle) { b.Entries = nil },
		"no-subject":         func(b *pb.Bundle) { b.Entries[0].Subject = "" },
		"subject-lower":      func(b *pb.Bundle) { b.Entries[0].Subject = "91410100y000000160" },
		"subject-check":      func(b *pb.Bundle) { b.Entries[0].Subject = "91410100Y000000161" },
		"no-salt":            func(b *pb.Bundle) { b.Entries[0].Salt = nil },
		"salt-31":            func(b *pb.Bundle) { b.Entries[0].Salt = b.Entries[0].Salt[:31] },
		"salt-takes-standing": func(b *pb.Bundle) {
			e := &b.Entries[0]
			e.Salt, e.Standing = append(e.Salt, e.Standing[0]), e.Standing[1:]
		},
		"salt-alone": func(b *pb.Bundle) { b.Entries[0].Standing = nil },
	} {
		c.bad("form-"+name, "E_FORM", base, change)
	}
}

func (c *corpus) signatures(base Spec) {
	for name, x := range map[string]struct {
		code   string
		change func(b *pb.Bundle)
	}{
		"none":               {"E_SIG_QUORUM", func(b *pb.Bundle) { b.Commit.Signers, b.Commit.Signatures, b.Commit.Times = []byte{0}, nil, nil }},
		"one-of-four":        {"E_SIG_QUORUM", func(b *pb.Bundle) { keep(b, 0x80, 1) }},
		"half":               {"E_SIG_QUORUM", func(b *pb.Bundle) { keep(b, 0xc0, 2) }},
		"bitmap-says-less":   {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signers[0] = 0xc0 }},
		"bitmap-says-more":   {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signers[0] = 0xf0 }},
		"bitmap-surplus-bit": {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signers[0] = 0xe8 }},
		"bitmap-long":        {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signers = append(b.Commit.Signers, 0) }},
		"bitmap-empty":       {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signers = nil }},
		"other-signers":      {"E_SIG", func(b *pb.Bundle) { b.Commit.Signers[0] = 0xd0 }},
		"time-missing":       {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Times = b.Commit.Times[1:] }},
		"half-a-signature":   {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signatures = b.Commit.Signatures[:160] }},
		"surplus-signature":  {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signatures = append(b.Commit.Signatures, b.Commit.Signatures[:64]...) }},
		"copied": {"E_SIG", func(b *pb.Bundle) {
			copy(b.Commit.Signatures[64:128], b.Commit.Signatures)
			b.Commit.Times[1] = b.Commit.Times[0]
		}},
		"swapped":             {"E_SIG", func(b *pb.Bundle) { swap(b, 0, 1) }},
		"zero":                {"E_SIG", func(b *pb.Bundle) { copy(b.Commit.Signatures[128:], make([]byte, 64)) }},
		"s-not-reduced":       {"E_SIG", func(b *pb.Bundle) { addOrder(b.Commit.Signatures[32:64]) }},
		"other-time":          {"E_SIG", func(b *pb.Bundle) { b.Commit.Times[2]++ }},
		"time-out-of-range":   {"E_SIG", func(b *pb.Bundle) { b.Commit.Times[0] = math.MinInt64 }},
		"times-swapped":       {"E_SIG", func(b *pb.Bundle) { t := b.Commit.Times; t[0], t[1] = t[1], t[0] }},
		"other-round":         {"E_SIG", func(b *pb.Bundle) { b.Commit.Round = 1 }},
		"negative-round":      {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Round = -1 }},
		"other-parts":         {"E_SIG", func(b *pb.Bundle) { b.Commit.PartsTotal++ }},
		"no-parts":            {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.PartsTotal = 0 }},
		"parts-hash-short":    {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.PartsHash = b.Commit.PartsHash[:31] }},
		"of-the-block-before": {"E_SIG", func(b *pb.Bundle) { s := base; s.Height = 100; b.Commit = s.Bundle().Commit }},
		"of-another-chain":    {"E_SIG", func(b *pb.Bundle) { s := base; s.ChainID = "test-other"; b.Commit = s.Bundle().Commit }},
		"of-another-header": {"E_SIG", func(b *pb.Bundle) {
			s := base
			s.Edit = func(h *cmttypes.Header) { h.DataHash = Sum("x") }
			b.Commit = s.Bundle().Commit
		}},
		"prevotes":             {"E_SIG", func(b *pb.Bundle) { resign(b, base, func(v *cmtproto.Vote) { v.Type = cmtproto.PrevoteType }) }},
		"nil-votes":            {"E_SIG", func(b *pb.Bundle) { resign(b, base, func(v *cmtproto.Vote) { v.BlockID = cmtproto.BlockID{} }) }},
		"votes-of-next-height": {"E_SIG", func(b *pb.Bundle) { resign(b, base, func(v *cmtproto.Vote) { v.Height++ }) }},
		"outsiders":            {"E_SIG", func(b *pb.Bundle) { s := base; s.Set = Equal("z", 4); b.Commit = s.Bundle().Commit }},
		"header-time-moved":    {"E_SIG", func(b *pb.Bundle) { b.Header.TimeSeconds++ }},
		"app-version-moved":    {"E_SIG", func(b *pb.Bundle) { b.Header.AppVersion++ }},
		"app-hash-of-a-forger": {"E_SIG", func(b *pb.Bundle) {
			s := base
			s.Standings = []*pb.Standing{Punished(SubjectClean, pb.SEVERITY_MINOR)}
			o := s.Bundle()
			h := b.Header
			c := b.Commit
			*b = *o
			b.Header, b.Commit = h, c
			b.Header.AppHash = o.Header.AppHash
		}},
	} {
		c.bad("sig-"+name, x.code, base, x.change)
	}

	c.bad("sig-of-nobody", "E_COMMIT_FORM", base, func(b *pb.Bundle) {
		// A fifth validator of four, with a signature that nobody would check.
		b.Commit.Signers[0] = 0xe8
		b.Commit.Signatures = append(b.Commit.Signatures, make([]byte, 64)...)
		b.Commit.Times = append(b.Commit.Times, 0)
	})

	// Exactly two thirds, by number and by power; one signer more than needed.
	three := base
	three.Set = Equal("three", 3)
	c.bad("sig-two-thirds-of-three", "E_SIG_QUORUM", three, func(b *pb.Bundle) { keep(b, 0xc0, 2) }).by("three", three.Trust())
	one := base
	one.Set = Equal("one", 1)
	c.bad("sig-wrong-of-one", "E_SIG", one, func(b *pb.Bundle) { b.Commit.Signatures[5] ^= 1 }).by("one", one.Trust())
	uneven := base
	uneven.Set = NewSet("two thirds", 40, 20, 20, 10)
	c.bad("sig-two-thirds-of-power", "E_SIG_QUORUM", uneven, func(b *pb.Bundle) {
		full := uneven
		full.Flag = func(i int) cmttypes.BlockIDFlag {
			if i == 1 {
				return cmttypes.BlockIDFlagAbsent
			}
			return cmttypes.BlockIDFlagCommit
		}
		b.Commit = full.Bundle().Commit // 40, 20 and 10 of 90
		keep(b, 0xa0, 2)                // 40 and 20 of 90
	}).by("two-thirds", uneven.Trust())
	c.bad("sig-one-too-many", "E_SIG_EXCESS", base, func(b *pb.Bundle) {
		h := base.Header()
		last := Equal("a", 4).Sign(&h, 0, nil).Signatures[3]
		b.Commit.Signers[0] = 0xf0
		b.Commit.Signatures = append(b.Commit.Signatures, last.Signature...)
		b.Commit.Times = append(b.Commit.Times, int64(last.Timestamp.Sub(Time)))
	})
	c.bad("sig-bad-one-too-many", "E_SIG_EXCESS", base, func(b *pb.Bundle) {
		b.Commit.Signers[0] = 0xf0
		b.Commit.Signatures = append(b.Commit.Signatures, make([]byte, 64)...)
		b.Commit.Times = append(b.Commit.Times, 0)
	})
}

func keep(b *pb.Bundle, bitmap byte, n int) {
	b.Commit.Signers = []byte{bitmap}
	b.Commit.Signatures, b.Commit.Times = b.Commit.Signatures[:64*n], b.Commit.Times[:n]
}

func swap(b *pb.Bundle, i, j int) {
	s := bytes.Clone(b.Commit.Signatures)
	copy(b.Commit.Signatures[64*i:64*i+64], s[64*j:])
	copy(b.Commit.Signatures[64*j:64*j+64], s[64*i:])
	t := b.Commit.Times
	t[i], t[j] = t[j], t[i]
}

// addOrder adds the order of the group to a scalar: the same signature in a second form.
func addOrder(s []byte) {
	order := []byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	}
	carry := 0
	for i := range s {
		carry += int(s[i]) + int(order[i])
		s[i] = byte(carry)
		carry >>= 8
	}
}

// resign makes the validators sign something else than the precommit.
func resign(b *pb.Bundle, s Spec, change func(v *cmtproto.Vote)) {
	h := s.Header()
	set := Equal("a", 4)
	c := set.Sign(&h, 0, nil)
	b.Commit.Signatures = nil
	for i := range 3 {
		v := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: h.Height, BlockID: c.BlockID.ToProto(), Timestamp: c.Signatures[i].Timestamp}
		change(v)
		sig, err := set.Key(i).Sign(cmttypes.VoteSignBytes(h.ChainID, v))
		if err != nil {
			panic(err)
		}
		b.Commit.Signatures = append(b.Commit.Signatures, sig...)
	}
}

func (c *corpus) sets(base Spec) {
	key := func(b *pb.Bundle, i int) []byte { return b.Validators.PubKeys[32*i : 32*i+32] }
	for name, x := range map[string]struct {
		code   string
		change func(b *pb.Bundle)
	}{
		"empty":           {"E_SET_FORM", func(b *pb.Bundle) { b.Validators = &pb.ValidatorSet{} }},
		"power-zero":      {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.Powers[3] = 0 }},
		"power-negative":  {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.Powers[3] = -10 }},
		"power-overflow":  {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.Powers[0] = math.MaxInt64 / 8 }},
		"power-wraps":     {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.Powers[0], b.Validators.Powers[1] = math.MaxInt64, math.MaxInt64 }},
		"key-twice":       {"E_SET_FORM", func(b *pb.Bundle) { copy(key(b, 1), key(b, 0)) }},
		"key-twice-apart": {"E_SET_FORM", func(b *pb.Bundle) { copy(key(b, 3), key(b, 0)); b.Validators.Powers[3] = 1 }},
		"out-of-order":    {"E_SET_FORM", func(b *pb.Bundle) { k := bytes.Clone(key(b, 0)); copy(key(b, 0), key(b, 1)); copy(key(b, 1), k) }},
		"order-of-power":  {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.Powers[3] = 11 }},
		"key-short":       {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.PubKeys = b.Validators.PubKeys[:127] }},
		"key-surplus":     {"E_SET_FORM", func(b *pb.Bundle) { b.Validators.PubKeys = append(b.Validators.PubKeys, key(b, 0)...) }},
		"too-many":        {"E_SET_FORM", func(b *pb.Bundle) { b.Validators = Equal("many", pb.ValidatorsMax+1).PB() }},
		"power-moved":     {"E_SET_HASH", func(b *pb.Bundle) { b.Validators.Powers[0] = 1000 }},
		"other":           {"E_SET_HASH", func(b *pb.Bundle) { b.Validators = Equal("z", 4).PB() }},
		"one-less": {"E_SET_HASH", func(b *pb.Bundle) {
			b.Validators.PubKeys, b.Validators.Powers = b.Validators.PubKeys[:96], b.Validators.Powers[:3]
		}},
		"header-names-other": {"E_SET_HASH", func(b *pb.Bundle) {
			s := base
			s.Edit = func(h *cmttypes.Header) { h.ValidatorsHash = Equal("z", 4).Hash() }
			*b = *s.Bundle()
		}},
	} {
		c.bad("set-"+name, x.code, base, x.change)
	}
}

func (c *corpus) steps(steps Spec) {
	next := steps.Steps
	for name, x := range map[string]struct {
		code   string
		change func(b *pb.Bundle)
	}{
		"swapped":          {"E_SET_HASH", func(b *pb.Bundle) { b.Steps[0], b.Steps[1] = b.Steps[1], b.Steps[0] }},
		"first-missing":    {"E_SET_HASH", func(b *pb.Bundle) { b.Steps = b.Steps[1:] }},
		"last-missing":     {"E_SET_HASH", func(b *pb.Bundle) { b.Steps = b.Steps[:1] }},
		"twice":            {"E_STEP_ORDER", func(b *pb.Bundle) { b.Steps = slices.Insert(b.Steps, 1, b.Steps[0]) }},
		"next-other":       {"E_STEP_NEXT", func(b *pb.Bundle) { b.Steps[1].Next = *Equal("z", 7).PB() }},
		"next-power-moved": {"E_STEP_NEXT", func(b *pb.Bundle) { b.Steps[0].Next.Powers[0]++ }},
		"next-empty":       {"E_SET_FORM", func(b *pb.Bundle) { b.Steps[0].Next = pb.ValidatorSet{} }},
		"next-negative":    {"E_SET_FORM", func(b *pb.Bundle) { b.Steps[0].Next.Powers[4] = -1 }},
		"unsigned":         {"E_SIG_QUORUM", func(b *pb.Bundle) { k := &b.Steps[0].Commit; k.Signers, k.Signatures, k.Times = []byte{0}, nil, nil }},
		"signed-by-next": {"E_SIG", func(b *pb.Bundle) {
			s := steps
			s.Set, s.Steps = Equal("z", 4), nil
			b.Steps[0].Commit = *s.Bundle().Commit
		}},
		"next-other-and-signature": {"E_STEP_NEXT", func(b *pb.Bundle) {
			b.Steps[0].Next.Powers[0]++
			b.Steps[0].Commit.Signatures[3] ^= 1
		}},
		"header-form":    {"E_FORM", func(b *pb.Bundle) { b.Steps[1].Header.Proposer = nil }},
		"commit-form":    {"E_COMMIT_FORM", func(b *pb.Bundle) { b.Steps[1].Commit.PartsTotal = 0 }},
		"app-hash-moved": {"E_SIG", func(b *pb.Bundle) { b.Steps[0].Header.AppHash = Sum("x") }},
		"header-in-place-of-step": {"E_STEP_NEXT", func(b *pb.Bundle) {
			s := steps
			s.Steps = nil
			s.Height = 60
			o := s.Bundle()
			b.Steps[0].Header, b.Steps[0].Commit = *o.Header, *o.Commit
		}},
	} {
		c.bad("step-"+name, x.code, steps, x.change)
	}
	foreign := steps
	foreign.Steps = slices.Clone(next)
	late := foreign
	late.Steps = []Step{{Height: 60, Next: next[0].Next}, {Height: 60, Next: next[1].Next}}
	c.add("step-same-height", 1, "E_STEP_ORDER", late, late.File())
	back := steps
	back.Steps = []Step{{Height: 60, Next: next[0].Next}, {Height: 59, Next: next[1].Next}}
	c.add("step-back", 1, "E_STEP_ORDER", back, back.File())
	above := steps
	above.Steps = []Step{{Height: 60, Next: next[0].Next}, {Height: 101, Next: next[1].Next}}
	c.add("step-at-the-header", 1, "E_STEP_ORDER", above, above.File())
	still := steps
	still.Steps = []Step{{Height: 60, Next: Equal("a", 4)}}
	c.add("step-that-changes-nothing", 1, "E_STEP_ORDER", still, still.File())
	unlinked := steps
	unlinked.Edit = func(h *cmttypes.Header) { h.LastBlockID.Hash = Sum("elsewhere") }
	c.add("step-not-followed", 1, "E_STEP_ORDER", unlinked, unlinked.File())
	early := steps
	early.Edit = func(h *cmttypes.Header) { h.Time = Time.Add(-time.Hour) }
	c.add("step-header-back-in-time", 1, "E_STEP_ORDER", early, early.File())
	below := steps
	below.Steps = []Step{{Height: 150, Next: next[0].Next}}
	below.Edit = func(h *cmttypes.Header) { h.Time = Time.Add(time.Hour) }
	c.add("step-above-the-header", 1, "E_STEP_ORDER", below, below.File())
	other := steps
	other.ChainID = "test-other"
	mixed := steps.Bundle()
	mixed.Steps = other.Bundle().Steps
	c.add("step-of-another-chain", 1, "E_CHAIN", steps, attest.EncodeBundle(mixed))
}

func (c *corpus) paths(base, punished, absent, many Spec) {
	moved := func(b *pb.Bundle, to string) { b.Entries[0].Subject = to }
	for name, x := range map[string]struct {
		code   string
		spec   Spec
		change func(b *pb.Bundle)
	}{
		"no-shape":      {"E_PATH", base, func(b *pb.Bundle) { b.Shape = nil }},
		"no-hashes":     {"E_PATH", base, func(b *pb.Bundle) { b.Hashes = nil }},
		"empty":         {"E_PATH", base, func(b *pb.Bundle) { b.Shape, b.Hashes = nil, nil }},
		"leaf-is-root":  {"E_APP_HASH", base, func(b *pb.Bundle) { b.Shape, b.Hashes = []byte{0b010_00000}, nil }},
		"empty-tree":    {"E_PATH", absent, func(b *pb.Bundle) { b.Shape, b.Hashes = []byte{0}, nil }},
		"hash-missing":  {"E_PATH", base, func(b *pb.Bundle) { b.Hashes = b.Hashes[32:] }},
		"hash-short":    {"E_PATH", base, func(b *pb.Bundle) { b.Hashes = b.Hashes[:len(b.Hashes)-1] }},
		"hash-surplus":  {"E_PATH", base, func(b *pb.Bundle) { b.Hashes = append(b.Hashes, Sum("x")...) }},
		"byte-surplus":  {"E_PATH", base, func(b *pb.Bundle) { b.Hashes = append(b.Hashes, 0) }},
		"shape-surplus": {"E_PATH", base, func(b *pb.Bundle) { b.Shape = append(b.Shape, 0) }},
		"zero-hash":     {"E_PATH", base, func(b *pb.Bundle) { copy(b.Hashes, make([]byte, 32)) }},
		"hash-moved":    {"E_APP_HASH", base, func(b *pb.Bundle) { b.Hashes[5] ^= 1 }},
		"hashes-swapped": {"E_APP_HASH", base, func(b *pb.Bundle) {
			h := bytes.Clone(b.Hashes[:32])
			copy(b.Hashes, b.Hashes[32:64])
			copy(b.Hashes[32:64], h)
		}},
		"too-deep":            {"E_PATH", base, func(b *pb.Bundle) { b.Shape, b.Hashes = deepShape(257), bytes.Repeat(Sum("x"), 257) }},
		"very-deep":           {"E_PATH", base, func(b *pb.Bundle) { b.Shape, b.Hashes = deepShape(400), bytes.Repeat(Sum("x"), 400) }},
		"present-as-absent":   {"E_PATH", base, func(b *pb.Bundle) { b.Entries[0].Standing, b.Entries[0].Salt = nil, nil }},
		"own-leaf-as-foreign": {"E_PATH", base, func(b *pb.Bundle) { ownLeafAsForeign(b) }},
		"absent-as-present":   {"E_PATH", absent, func(b *pb.Bundle) { e := EntryOf(SubjectAbsent, Clean(SubjectAbsent)); b.Entries[0] = e }},
		"other-subject":       {"", base, func(b *pb.Bundle) { moved(b, SubjectMany) }},
		"other-absent":        {"", absent, func(b *pb.Bundle) { moved(b, SubjectMany) }},
		"other-standing":      {"E_APP_HASH", punished, func(b *pb.Bundle) { b.Entries[0] = EntryOf(SubjectPunished, Clean(SubjectPunished)) }},
		"one-penalty-less": {"E_APP_HASH", punished, func(b *pb.Bundle) {
			s := Punished(SubjectPunished, pb.SEVERITY_GENERAL)
			b.Entries[0].Standing = pb.Encode(s)
		}},
		"other-salt":      {"E_APP_HASH", base, func(b *pb.Bundle) { b.Entries[0].Salt[0] ^= 1 }},
		"catalog-moved":   {"E_APP_HASH", base, func(b *pb.Bundle) { b.Catalog[7]++ }},
		"log-moved":       {"E_APP_HASH", base, func(b *pb.Bundle) { b.Log[0]++ }},
		"pack-moved":      {"E_APP_HASH", base, func(b *pb.Bundle) { b.Pack[0]++ }},
		"log-as-pack":     {"E_APP_HASH", base, func(b *pb.Bundle) { b.Log, b.Pack = b.Pack, b.Log }},
		"entries-swapped": {"E_ENTRY_ORDER", many, func(b *pb.Bundle) { b.Entries[0], b.Entries[1] = b.Entries[1], b.Entries[0] }},
		"entry-twice":     {"E_ENTRY_ORDER", many, func(b *pb.Bundle) { b.Entries = slices.Insert(b.Entries, 0, b.Entries[0]) }},
		"entry-missing":   {"", many, func(b *pb.Bundle) { b.Entries = b.Entries[1:] }},
		"entry-of-other-bundle": {"E_APP_HASH", many, func(b *pb.Bundle) {
			for i := range b.Entries {
				if b.Entries[i].Subject == SubjectPunished {
					b.Entries[i] = EntryOf(SubjectPunished, Clean(SubjectPunished))
				}
			}
		}},
		"state-of-other-bundle": {"E_APP_HASH", base, func(b *pb.Bundle) {
			s := base
			s.Noise = 3
			o := s.Bundle()
			b.Entries, b.Shape, b.Hashes = o.Entries, o.Shape, o.Hashes
		}},
		"app-hash-of-own-height": {"E_APP_HASH", base, func(b *pb.Bundle) {
			// The header one below, validly signed: its app hash is of the state before.
			s := base
			s.Height, s.Standings = 100, []*pb.Standing{Punished(SubjectClean, pb.SEVERITY_MINOR)}
			o := s.Bundle()
			b.Header, b.Commit = o.Header, o.Commit
		}},
		"thin-branch": {"E_PATH", base, func(b *pb.Bundle) {
			// A branch above a lone leaf, signed for: a second tree, and a second proof, of one state.
			path := tree.PathOf(attest.StandingKey(SubjectClean))
			v := attest.StandingValue(b.Entries[0].Salt, b.Entries[0].Standing)
			leaf := tree.LeafHash(path, tree.ValueHash(v[:]))
			root := tree.InnerHash(leaf, tree.Empty)
			b.Shape, b.Hashes = []byte{0b1_010_0_000}, nil
			if tree.Bit(&path, 0) == 1 {
				root = tree.InnerHash(tree.Empty, leaf)
				b.Shape = []byte{0b1_0_010_000}
			}
			s := base
			s.Edit = func(h *cmttypes.Header) { h.AppHash = AppHash(b.Catalog, root) }
			o := s.Bundle()
			b.Header, b.Commit = o.Header, o.Commit
		}},
		"bare-root-as-app-hash": {"E_APP_HASH", base, func(b *pb.Bundle) {
			s := base
			s.Edit = func(h *cmttypes.Header) {
				cl := tree.Claim{Path: tree.PathOf(attest.StandingKey(SubjectClean)), Present: true}
				v := attest.StandingValue(b.Entries[0].Salt, b.Entries[0].Standing)
				cl.ValueHash = tree.ValueHash(v[:])
				root, err := tree.RootOf([]tree.Claim{cl}, tree.Proof{Shape: b.Shape, Hashes: b.Hashes})
				if err != nil {
					panic(err)
				}
				h.AppHash = root[:]
			}
			o := s.Bundle()
			b.Header, b.Commit = o.Header, o.Commit
		}},
	} {
		v := c.bad("path-"+name, x.code, x.spec, x.change)
		if x.code == "" {
			v.Code = "*" // which of E_PATH and E_APP_HASH depends on where the paths happen to lie
		}
	}
}

func deepShape(n int) []byte {
	// A branch with a hash beside it, n times over: more bits than any path needs.
	return bytes.Repeat([]byte{0xff}, n/4+8)
}

// ownLeafAsForeign shows the subject's own leaf as that of a stranger and claims absence.
func ownLeafAsForeign(b *pb.Bundle) {
	e := &b.Entries[0]
	path := tree.PathOf(attest.StandingKey(e.Subject))
	v := attest.StandingValue(e.Salt, e.Standing)
	vh := tree.ValueHash(v[:])
	e.Standing, e.Salt = nil, nil
	b.Shape = []byte{0b011_00000}
	b.Hashes = append(append([]byte{}, path[:]...), vh[:]...)
}

func (c *corpus) meanings(base, punished Spec) {
	for name, change := range map[string]func(s *pb.Standing){
		"region":         func(s *pb.Standing) { s.Region = "41010" },
		"region-empty":   func(s *pb.Standing) { s.Region = "" },
		"category-unset": func(s *pb.Standing) { s.Category = 0 },
		"status-unset":   func(s *pb.Standing) { s.Status = 0 },
		"status-unknown": func(s *pb.Standing) { s.Status = 4 },
		"no-restricted":  func(s *pb.Standing) { s.Restricted = nil },
		"count-none": func(s *pb.Standing) {
			s.Counts.Penalties, s.Counts.Minor, s.Counts.General, s.Counts.Serious = 0, 0, 0, 0
		},
		"count-one-less":    func(s *pb.Standing) { s.Counts.Penalties--; s.Counts.Serious-- },
		"count-class-moved": func(s *pb.Standing) { s.Counts.Serious--; s.Counts.Minor++ },
		"count-no-sum":      func(s *pb.Standing) { s.Counts.Serious = 0 },
		"count-wraps": func(s *pb.Standing) {
			s.Penalties, s.PenaltiesRoot = nil, Sum("r")
			s.Counts.Minor, s.Counts.General, s.Counts.Serious = math.MaxUint32, 4, 0 // 3 in 32 bits
		},
		"count-breached":      func(s *pb.Standing) { s.Counts.Breached = 0 },
		"count-commitments":   func(s *pb.Standing) { s.Counts.Commitments = 9 },
		"count-lists":         func(s *pb.Standing) { s.Counts.Lists = 1 },
		"count-abnormal":      func(s *pb.Standing) { s.Counts.Abnormal = 1 },
		"penalties-order":     func(s *pb.Standing) { slices.Reverse(s.Penalties) },
		"penalty-twice":       func(s *pb.Standing) { s.Penalties[1] = s.Penalties[0] },
		"penalty-record":      func(s *pb.Standing) { s.Penalties[0].Record = s.Penalties[0].Record[:31] },
		"penalty-class":       func(s *pb.Standing) { s.Penalties[0].Class = 4 },
		"penalty-class-unset": func(s *pb.Standing) { s.Penalties[0].Class = 0 },
		"penalty-no-kind":     func(s *pb.Standing) { s.Penalties[0].Kinds = nil },
		"penalty-kinds-order": func(s *pb.Standing) { s.Penalties[0].Kinds = []uint32{3, 1} },
		"penalty-date":        func(s *pb.Standing) { s.Penalties[0].DecidedOn = -1 },
		"penalty-issuer":      func(s *pb.Standing) { s.Penalties[0].Issuer = "somebody" },
		"penalty-no-number":   func(s *pb.Standing) { s.Penalties[0].DocNo = "" },
		"commitments-order":   func(s *pb.Standing) { slices.Reverse(s.Commitments) },
		"commitment-twice":    func(s *pb.Standing) { s.Commitments[1].Code = s.Commitments[0].Code },
		"commitment-code":     func(s *pb.Standing) { s.Commitments[0].Code = "1" },
		"commitment-state":    func(s *pb.Standing) { s.Commitments[0].State = 9 },
		"commitment-unset":    func(s *pb.Standing) { s.Commitments[0].State = 0 },
		"commitment-type":     func(s *pb.Standing) { s.Commitments[0].Type = 7 },
		"root-beside-list":    func(s *pb.Standing) { s.PenaltiesRoot = Sum("r") },
		"roots-beside-list":   func(s *pb.Standing) { s.CommitmentsRoot = Sum("r") },
		"root-short":          func(s *pb.Standing) { s.Penalties, s.PenaltiesRoot = nil, []byte{1} },
		"root-of-nothing": func(s *pb.Standing) {
			s.Commitments, s.CommitmentsRoot = nil, Sum("r")
			s.Counts.Commitments, s.Counts.Breached = 0, 0
		},
		"more-breaches": func(s *pb.Standing) { s.Commitments, s.CommitmentsRoot = nil, Sum("r"); s.Counts.Breached = 9 },
		"list-record":   func(s *pb.Standing) { s.Lists, s.Counts.Lists = []pb.PublicListEntry{{List: "a", Issuer: Agency}}, 1 },
		"lists-order": func(s *pb.Standing) {
			e := pb.PublicListEntry{Record: Sum("l"), List: "a", DocNo: "A〔2026〕1号", Issuer: Agency}
			s.Lists, s.Counts.Lists = []pb.PublicListEntry{e, e}, 2
		},
		"list-no-number": func(s *pb.Standing) {
			s.Lists, s.Counts.Lists = []pb.PublicListEntry{{Record: Sum("l"), List: "a", Issuer: Agency}}, 1
		},
		"lists-root": func(s *pb.Standing) { s.ListsRoot = Sum("r") },
		"lists-root-beside-list": func(s *pb.Standing) {
			s.Lists, s.Counts.Lists = []pb.PublicListEntry{{Record: Sum("l"), List: "a", DocNo: "A〔2026〕1号", Issuer: Agency}}, 1
			s.ListsRoot = Sum("r")
		},
		"abnormal-reason": func(s *pb.Standing) {
			s.Abnormal, s.Counts.Abnormal = []pb.PublicAbnormal{{Record: Sum("l"), Issuer: Agency}}, 1
		},
		"abnormal-order": func(s *pb.Standing) {
			e := pb.PublicAbnormal{Record: Sum("l"), Reason: "a", Issuer: Agency}
			s.Abnormal, s.Counts.Abnormal = []pb.PublicAbnormal{e, e}, 2
		},
		"abnormal-root": func(s *pb.Standing) { s.AbnormalRoot = Sum("r") },
		"count-others":  func(s *pb.Standing) { s.Counts.Others, s.Counts.General = 1, 1 },
		"other-source": func(s *pb.Standing) {
			s.Others, s.Counts.Others = []pb.PublicOther{{Record: Sum("o"), DocNo: "A〔2026〕1号", Issuer: Agency, Class: pb.SEVERITY_GENERAL}}, 1
			s.Counts.General++
		},
		"other-class": func(s *pb.Standing) {
			s.Others, s.Counts.Others = []pb.PublicOther{{Record: Sum("o"), Source: "a", DocNo: "A〔2026〕1号", Issuer: Agency, Class: pb.SEVERITY_GENERAL}}, 1
			s.Counts.Minor++
		},
		"others-order": func(s *pb.Standing) {
			e := pb.PublicOther{Record: Sum("o"), Source: "a", DocNo: "A〔2026〕1号", Issuer: Agency, Class: pb.SEVERITY_GENERAL}
			s.Others, s.Counts.Others = []pb.PublicOther{e, e}, 2
			s.Counts.General += 2
		},
		"count-incentives": func(s *pb.Standing) { s.Counts.Incentives = 1 },
		"count-noticed": func(s *pb.Standing) {
			s.Incentives = []pb.PublicIncentive{{Record: Sum("i"), List: "a", Issuer: Agency, State: pb.INCENTIVE_NOTICED}}
			s.Counts.Incentives = 1
		},
		"incentive-state": func(s *pb.Standing) {
			s.Incentives = []pb.PublicIncentive{{Record: Sum("i"), List: "a", Issuer: Agency, State: pb.INCENTIVE_CANCELLED}}
			s.Counts.Noticed = 1
		},
		"incentive-list": func(s *pb.Standing) {
			s.Incentives = []pb.PublicIncentive{{Record: Sum("i"), Issuer: Agency, State: pb.INCENTIVE_RECOGNISED}}
			s.Counts.Incentives = 1
		},
		"incentives-order": func(s *pb.Standing) {
			e := pb.PublicIncentive{Record: Sum("i"), List: "a", Issuer: Agency, State: pb.INCENTIVE_RECOGNISED}
			s.Incentives, s.Counts.Incentives = []pb.PublicIncentive{e, e}, 2
		},
		"incentives-root":        func(s *pb.Standing) { s.IncentivesRoot = Sum("r") },
		"incentives-count-wraps": func(s *pb.Standing) { s.Counts.Incentives, s.Counts.Noticed = math.MaxUint32, 1 },
		"others-root-hides-a-class": func(s *pb.Standing) {
			s.OthersRoot, s.Counts.Others = Sum("r"), 4 // more than enough to add up, and a class is still short
			s.Counts.Serious, s.Counts.Minor = 0, s.Counts.Minor+s.Counts.Serious+4
		},
	} {
		st := Punished(SubjectPunished, pb.SEVERITY_SERIOUS)
		change(st)
		s := punished
		s.Standings = []*pb.Standing{st}
		c.add("standing-"+name, 1, "E_STANDING", s, s.File())
	}
	foreign := base
	foreign.Raw = map[string][]byte{SubjectClean: pb.Encode(Clean(SubjectMany))}
	c.add("standing-of-another-subject", 1, "E_SUBJECT", foreign, foreign.File())
	for name, raw := range map[string][]byte{
		"unknown-field": append(pb.Encode(Clean(SubjectClean)), 0x78, 1),
		"twice":         append(pb.Encode(Clean(SubjectClean)), pb.Encode(Clean(SubjectClean))...),
		"not-proto":     []byte("no negative records, we promise"),
		"two-hashes":    append(Sum("left"), Sum("right")...),
		"commitment":    pb.Encode(&pb.PublicCommitment{Code: CommitmentCode(1), State: 1, Acceptor: Agency}),
	} {
		s := base
		s.Raw = map[string][]byte{SubjectClean: raw}
		v := c.add("standing-"+name, 1, "E_STANDING", s, s.File())
		if name == "commitment" {
			v.Code = "*"
		}
	}
	c.add("subject-other", 1, "E_SUBJECT", base, base.File()).Subject = SubjectMany
	c.add("subject-of-the-neighbour", 1, "E_SUBJECT", base, base.File()).Subject = Agency
}

func (c *corpus) trusts(base, steps Spec) {
	raw := base.File()
	at := func(v *vector, t time.Time) { v.At = t.Format(time.RFC3339Nano) }
	at(c.add("stale", 3, "E_STALE", base, raw), Time.Add(time.Hour+time.Nanosecond))
	at(c.add("stale-not-yet", 0, "OK", base, raw), Time.Add(time.Hour))
	at(c.add("future", 1, "E_HEADER_FUTURE", base, raw), Time.Add(-time.Minute-time.Nanosecond))
	at(c.add("future-within-a-minute", 0, "OK", base, raw), Time.Add(-time.Minute))
	at(c.add("trust-expired", 4, "E_TRUST_EXPIRED", base, raw), Time.AddDate(1, 0, 0).Add(time.Nanosecond))
	punished := Spec{Standings: []*pb.Standing{Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}}
	at(c.add("stale-before-claim", 3, "E_STALE", punished, punished.File()), Time.Add(2*time.Hour))

	changed := func(name string, exit int, code string, change func(t *attest.Trust)) {
		t := base.Trust()
		change(t)
		c.add("trust-"+name, exit, code, base, raw).by(name, t)
	}
	changed("other-chain", 1, "E_CHAIN", func(t *attest.Trust) { t.ChainID = "test-other" })
	changed("younger", 4, "E_TRUST_OLDER", func(t *attest.Trust) { t.Anchor.Height = 102 })
	changed("other-anchor", 1, "E_ANCHOR", func(t *attest.Trust) { t.Anchor.Height = 101 })
	changed("other-anchor-below", 1, "E_ANCHOR", func(t *attest.Trust) { t.Anchor.Height = 100 })
	changed("anchor-below", 0, "OK", func(t *attest.Trust) {
		t.Anchor = attest.Anchor{Height: 100, HeaderHash: attest.Hash(Sum("block", "test-attest", int64(100)))}
	})
	changed("other-set", 4, "E_TRUST_SET", func(t *attest.Trust) { t.Validators = Equal("z", 4).Trusted(1, 0) })
	changed("set-ended", 4, "E_TRUST_SET", func(t *attest.Trust) { t.Validators = Equal("a", 4).Trusted(1, 100) })
	changed("set-not-begun", 4, "E_TRUST_SET", func(t *attest.Trust) { t.Validators = Equal("a", 4).Trusted(102, 0) })
	changed("key-retired", 4, "E_TRUST_WINDOW", func(t *attest.Trust) { t.Validators[0].ValidUntil = Time })
	changed("key-too-young", 4, "E_TRUST_WINDOW", func(t *attest.Trust) { t.Validators[0].ValidFrom = Time.Add(time.Second) })
	c.retired(base, steps)
	forged := base
	forged.Set = Equal("forgers", 4)
	c.add("trust-forged-chain", 4, "E_TRUST_SET", forged, forged.File())
	without := base
	without.Set = steps.LastSet()
	c.add("trust-set-changed-without-steps", 4, "E_TRUST_SET", without, without.File())
	file := string(base.Trust().Encode())
	odd := func(name string, exit int, code, old, put string) {
		if !strings.Contains(file, old) {
			panic(name)
		}
		c.add("trust-"+name, exit, code, base, raw).byFile(name, []byte(strings.Replace(file, old, put, 1)))
	}
	hash := fmt.Sprintf("%x", Sum("block", "test-attest", 50))
	odd("anchor-unset", 2, "E_TRUST", hash, strings.Repeat("0", 64))
	odd("anchor-short", 2, "E_TRUST", hash, hash[2:])
	odd("version-2", 5, "E_VERSION", `"version": 1`, `"version": 2`)
	odd("unknown-field", 2, "E_TRUST", `"not_after"`, `"comment": "",
  "not_after"`)
	odd("field-twice", 2, "E_TRUST", `"not_after"`, `"chain_id": "test-attest",
  "not_after"`)
	odd("other-case", 2, "E_TRUST", `"power"`, `"Power"`)
	odd("null", 2, "E_TRUST", `"test-attest"`, `null`)
	odd("two-objects", 2, "E_TRUST", "Z\"\n}", "Z\"\n}{}")
	key := base64.StdEncoding.EncodeToString(Equal("a", 4).Validators[0].PubKey.Bytes())
	odd("key-of-33", 2, "E_TRUST", key, base64.StdEncoding.EncodeToString(append(Equal("a", 4).Validators[0].PubKey.Bytes(), 0)))
	odd("key-not-base64", 2, "E_TRUST", key, "*"+key[1:])
	odd("key-twice", 2, "E_TRUST", key, base64.StdEncoding.EncodeToString(Equal("a", 4).Validators[1].PubKey.Bytes()))
	odd("no-end", 2, "E_TRUST", `"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": ""`)
	for name, asked := range map[string]string{
		"lower": "91410100y000000160", "full-width": "９1410100Y000000160", "blank": SubjectClean + " ", "check": "91410100Y000000161", "letter-o": "91410100YO00000160",
	} {
		c.add("asked-"+name, 2, "E_POLICY", base, raw).Subject = asked
	}
	replay := base
	replay.ChainID = "test-attest-2"
	c.add("trust-other-net", 1, "E_CHAIN", replay, replay.File())
}

// retired are sets that the trust file has replaced by others, whose keys may be in any hands by now.
func (c *corpus) retired(base, steps Spec) {
	set := func(s *Set, from, until int64, end time.Time) []attest.TrustedValidator {
		vals := s.Trusted(from, until)
		vals[0].ValidUntil = end // of one: with it the whole set ends
		return vals
	}
	add := func(name string, exit int, code string, s Spec, sets ...[]attest.TrustedValidator) {
		t := base.Trust()
		t.Validators = slices.Concat(sets...)
		c.add("trust-retired-"+name, exit, code, s, s.File()).by("retired-"+name, t)
	}
	a, next, past := Equal("a", 4), Equal("next", 4), Time.Add(-time.Hour)
	add("signs-afresh", 4, "E_TRUST_WINDOW", base, set(a, 1, 150, past), set(next, 151, 0, time.Time{}))
	add("signs-in-time", 0, "OK", base, set(a, 1, 150, now()), set(next, 151, 0, time.Time{}))
	add("without-end", 0, "OK", base, set(a, 1, 150, time.Time{}), set(next, 151, 0, time.Time{})) // as old trust files are

	aside := base
	aside.Steps = []Step{{Height: 60, Next: Equal("strangers", 4)}}
	add("leads-aside", 4, "E_TRUST_SET", aside, a.Trusted(1, 90), next.Trusted(91, 0))
	add("leads-aside-within", 4, "E_TRUST_SET", aside, a.Trusted(1, 150), next.Trusted(151, 0))
	add("leads-aside-in-time", 4, "E_TRUST_SET", aside, set(a, 1, 90, now()), next.Trusted(91, 0))
	b := steps.Steps[0].Next
	add("goes-on", 4, "E_TRUST_SET", steps, a.Trusted(1, 60), b.Trusted(61, 90), next.Trusted(91, 0))

	add("each-set-known", 0, "OK", steps, set(a, 1, 60, past), set(b, 61, 100, past), steps.LastSet().Trusted(101, 0))
	add("newest-set-unknown", 0, "OK", steps, set(a, 1, 60, past), b.Trusted(61, 0))
	add("nobody-above", 0, "OK", steps, a.Trusted(1, 60))
	add("nobody-above-ended", 4, "E_TRUST_WINDOW", steps, set(a, 1, 60, past))
}
