package attest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

const anchorDir = "testdata/anchors"

// sampleReceipt is a receipt with its salt, and where it stands among the leaves of its anchor.
func sampleReceipt() (raw, salt []byte, place uint64, path []attest.Hash) {
	r := &pb.QueryReceipt{
		Id: Sum("receipt"), Subject: SubjectClean, Requester: SubjectMany, Gateway: Agency, Authorisation: Sum("authorisation"), Purpose: pb.PURPOSE_PRE_LOAN,
		Asked: []pb.DataClass{pb.DATA_GRADE}, AtHeight: 88, AtTime: Time.Unix() - 3600, ClockMs: Time.UnixMilli(), AnswerDigest: Sum("answer"),
	}
	for i := range 6 {
		path = append(path, attest.Hash(Sum("sibling", i)))
	}
	return pb.Encode(r), Sum("salt of the receipt"), 37, path
}

func sampleHour() int64 { return Time.Unix()/3600 - 1 }

// sampleRow is the row that holds the sample receipt.
func sampleRow() pb.ReceiptAnchor {
	raw, salt, place, path := sampleReceipt()
	root := attest.ReceiptRoot(attest.ReceiptLeaf(salt, raw), place, path)
	return pb.ReceiptAnchor{Gateway: Agency, Hour: sampleHour(), Root: root[:], Height: 95}
}

// anchorOf is the proof of a row in a state that holds it, and those of the hour before and after.
func anchorOf(s Spec, row pb.ReceiptAnchor) *pb.AnchorProof {
	before, after := row, row
	before.Hour, after.Hour = before.Hour-1, after.Hour+1
	return s.AnchorProof(row, AnchorRows(row, before, after), attest.AnchorKey(row.Gateway, row.Hour))
}

func anchorSpec() Spec { return Spec{Noise: 40} }

func sampleAnchor() *pb.AnchorProof { return anchorOf(anchorSpec(), sampleRow()) }

// anchorVector is one file of testdata/anchors: rows that say what is expected, an empty line, an anchor proof. With a receipt, it is to be covered;
// with an answer, it is to be of that.
type anchorVector struct {
	Name, Trust, At string
	Exit            int
	Code            string
	Receipt, Salt   []byte
	Place           uint64
	Path            []attest.Hash
	Bundle, Opening string // files of an answer, that the receipt is to be of
	Payload         []byte
}

const anchorMark = "xinlian anchor vector 1"

func (v *anchorVector) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nexpect: %d %s\ntrust: %s\nat: %s\n", anchorMark, v.Exit, v.Code, v.Trust, v.At)
	if v.Receipt != nil {
		fmt.Fprintf(&b, "receipt: %x\nsalt: %x\nplace: %d\n", v.Receipt, v.Salt, v.Place)
		for _, h := range v.Path {
			fmt.Fprintf(&b, "path: %x\n", h)
		}
	}
	if v.Bundle != "" {
		fmt.Fprintf(&b, "bundle: %s\n", v.Bundle)
	}
	if v.Opening != "" {
		fmt.Fprintf(&b, "opening: %s\n", v.Opening)
	}
	b.WriteByte('\n')
	return append(b.Bytes(), v.Payload...)
}

func readAnchorVector(t *testing.T, name string) (v anchorVector) {
	t.Helper()
	head, payload, ok := bytes.Cut(readFile(t, filepath.Join(anchorDir, name+vectorExt)), []byte("\n\n"))
	rows := strings.Split(string(head), "\n")
	if !ok || rows[0] != anchorMark {
		t.Fatalf("%s is no vector", name)
	}
	v.Name, v.Payload = name, payload
	for _, r := range rows[1:] {
		key, value, _ := strings.Cut(r, ": ")
		var err error
		var raw []byte
		switch key {
		case "expect":
			_, err = fmt.Sscan(value, &v.Exit, &v.Code)
		case "trust":
			v.Trust = value
		case "at":
			v.At = value
		case "receipt":
			v.Receipt, err = hex.DecodeString(value)
		case "salt":
			v.Salt, err = hex.DecodeString(value)
		case "place":
			v.Place, err = strconv.ParseUint(value, 10, 64)
		case "path":
			if raw, err = hex.DecodeString(value); err == nil {
				v.Path = append(v.Path, attest.Hash(raw))
			}
		case "bundle":
			v.Bundle = value
		case "opening":
			v.Opening = value
		default:
			err = fmt.Errorf("unknown row %q", r)
		}
		if err != nil {
			t.Fatal(name, err)
		}
	}
	return v
}

type anchorCorpus struct{ vectors []anchorVector }

func (c *anchorCorpus) add(name string, exit int, code string, raw []byte) *anchorVector {
	c.vectors = append(c.vectors, anchorVector{
		Name: name, Trust: "trust.json", At: now().Format(time.RFC3339Nano), Exit: exit, Code: code, Payload: raw,
	})
	return &c.vectors[len(c.vectors)-1]
}

// bad adds a proof that is the sample but for one change.
func (c *anchorCorpus) bad(name, code string, change func(p *pb.AnchorProof)) {
	p := sampleAnchor()
	change(p)
	c.add(name, 1, code, attest.EncodeAnchorProof(p))
}

// held adds a receipt that is the sample, of the sample's anchor, but for one change.
func (c *anchorCorpus) held(name, code string, change func(v *anchorVector)) *anchorVector {
	exit := 1
	if code == "OK" {
		exit = 0
	}
	v := c.add(name, exit, code, attest.EncodeAnchorProof(sampleAnchor()))
	v.Receipt, v.Salt, v.Place, v.Path = sampleReceipt()
	change(v)
	return v
}

func anchorVectors() []anchorVector {
	c := new(anchorCorpus)
	good := sampleAnchor()
	file := attest.EncodeAnchorProof(good)
	row, s := sampleRow(), anchorSpec()

	// Accepted.
	c.add("ok", 0, "OK", file)
	c.add("ok-much-later", 0, "OK", file).At = Time.AddDate(0, 11, 0).Format(time.RFC3339Nano)
	first := row
	first.Hour = 0
	c.add("ok-hour-0", 0, "OK", attest.EncodeAnchorProof(anchorOf(s, first)))
	of := row
	of.Height = 100
	c.add("ok-of-this-height", 0, "OK", attest.EncodeAnchorProof(anchorOf(s, of)))
	steps := s
	steps.Steps = []Step{{Height: 60, Next: NewSet("b", 40, 30, 20, 10, 5)}, {Height: 100, Next: Equal("c", 7)}}
	c.add("ok-steps", 0, "OK", attest.EncodeAnchorProof(anchorOf(steps, row)))

	// Bytes.
	c.add("nothing", 1, "E_MAGIC", nil)
	c.add("cut-to-magic", 1, "E_ENCODING", file[:4])
	c.add("cut-byte", 1, "E_ENCODING", file[:len(file)-1])
	c.add("trailing-byte", 1, "E_ENCODING", append(slices.Clone(file), 0))
	c.add("trailing-field", 1, "E_ENCODING", append(slices.Clone(file), 0x5a, 1, 0))
	c.add("version-2", 5, "E_VERSION", append([]byte("XLN2"), file[4:]...))
	c.add("bundle", 1, "E_MAGIC", sample().File())
	c.add("pack", 1, "E_MAGIC", attest.EncodePack(samplePack(pb.PACK_SERIOUS)))
	c.add("gzip", 1, "E_MAGIC", gzipped(file))
	c.add("steps-1025", 1, "E_SIZE", append([]byte("XLN1"), bytes.Repeat([]byte{0x22, 0}, 1025)...))
	c.add("too-large", 1, "E_SIZE", append(slices.Clone(file), make([]byte, 128<<10)...))
	c.add("row-twice", 1, "E_ENCODING", twice(file, 0x42, pb.Encode(&row)))
	c.add("length-not-shortest", 1, "E_ENCODING", bytes.Replace(file, append([]byte{0x2a, 32}, good.Catalog...), append([]byte{0x2a, 0xa0, 0}, good.Catalog...), 1))

	// The row.
	c.bad("root-changed", "E_APP_HASH", func(p *pb.AnchorProof) { p.Row.Root[31]++ })
	c.bad("hour-moved", "E_PATH", func(p *pb.AnchorProof) { p.Row.Hour++ })
	c.bad("gateway-changed", "E_PATH", func(p *pb.AnchorProof) { p.Row.Gateway = SubjectMany })
	c.bad("block-moved", "E_APP_HASH", func(p *pb.AnchorProof) { p.Row.Height-- })
	c.bad("gateway-no-code", "E_FORM", func(p *pb.AnchorProof) { p.Row.Gateway = strings.ToLower(Agency) })
	c.bad("gateway-none", "E_FORM", func(p *pb.AnchorProof) { p.Row.Gateway = "" })
	c.bad("hour-negative", "E_FORM", func(p *pb.AnchorProof) { p.Row.Hour = -1 })
	c.bad("hour-beyond", "E_FORM", func(p *pb.AnchorProof) { p.Row.Hour = 253402300800 / 3600 })
	c.bad("root-31", "E_FORM", func(p *pb.AnchorProof) { p.Row.Root = p.Row.Root[:31] })
	c.bad("root-none", "E_FORM", func(p *pb.AnchorProof) { p.Row.Root = nil })
	c.bad("block-0", "E_FORM", func(p *pb.AnchorProof) { p.Row.Height = 0 })
	c.bad("row-none", "E_FORM", func(p *pb.AnchorProof) { p.Row = pb.ReceiptAnchor{} })
	late := row
	late.Height = 101
	c.add("of-a-later-block", 1, "E_ANCHOR_ROW", attest.EncodeAnchorProof(anchorOf(s, late)))

	// The path. One of another key does not even have this one's bits.
	newest := append([]byte{'R', 0xa4}, row.Gateway...)
	c.add("newest-as-hour", 1, "E_PATH", attest.EncodeAnchorProof(s.AnchorProof(row, map[string]pb.ReceiptAnchor{string(newest): row}, newest)))
	standing := attest.StandingKey(row.Gateway)
	c.add("standing-as-anchor", 1, "E_PATH", attest.EncodeAnchorProof(s.AnchorProof(row, map[string]pb.ReceiptAnchor{string(standing): row}, standing)))
	other := row
	other.Hour--
	c.add("of-another-hour", 1, "E_PATH", attest.EncodeAnchorProof(s.AnchorProof(row, AnchorRows(other), attest.AnchorKey(other.Gateway, other.Hour))))
	c.add("absent", 1, "E_PATH", attest.EncodeAnchorProof(s.AnchorProof(row, AnchorRows(other), attest.AnchorKey(row.Gateway, row.Hour))))
	c.bad("no-shape", "E_PATH", func(p *pb.AnchorProof) { p.Shape = nil })
	c.bad("no-hashes", "E_PATH", func(p *pb.AnchorProof) { p.Hashes = nil })
	c.bad("no-path", "E_PATH", func(p *pb.AnchorProof) { p.Shape, p.Hashes = nil, nil })
	c.bad("shape-surplus", "E_PATH", func(p *pb.AnchorProof) { p.Shape = append(p.Shape, 0) })
	c.bad("hash-surplus", "E_PATH", func(p *pb.AnchorProof) { p.Hashes = append(p.Hashes, Sum("surplus")...) })
	c.bad("hash-short", "E_PATH", func(p *pb.AnchorProof) { p.Hashes = p.Hashes[:len(p.Hashes)-1] })
	c.bad("hash-changed", "E_APP_HASH", func(p *pb.AnchorProof) { p.Hashes[0]++ })

	// The other parts of the state.
	c.bad("catalog-changed", "E_APP_HASH", func(p *pb.AnchorProof) { p.Catalog[3]++ })
	c.bad("catalog-value", "E_FORM", func(p *pb.AnchorProof) { p.Catalog = CatalogValue() })
	c.bad("log-none", "E_FORM", func(p *pb.AnchorProof) { p.Log = nil })
	c.bad("log-as-pack", "E_APP_HASH", func(p *pb.AnchorProof) { p.Log, p.Pack = p.Pack, p.Log })
	c.bad("pack-31", "E_FORM", func(p *pb.AnchorProof) { p.Pack = p.Pack[:31] })

	// Block, trust, clock.
	c.bad("header-app-hash", "E_SIG", func(p *pb.AnchorProof) { p.Header.AppHash[0]++ })
	c.bad("signature", "E_SIG", func(p *pb.AnchorProof) { p.Commit.Signatures[7]++ })
	c.bad("two-signers-of-four", "E_SIG_QUORUM", func(p *pb.AnchorProof) {
		p.Commit.Signers[0], p.Commit.Signatures, p.Commit.Times = 0xc0, p.Commit.Signatures[:128], p.Commit.Times[:2]
	})
	c.bad("no-validators", "E_SET_FORM", func(p *pb.AnchorProof) { p.Validators = pb.ValidatorSet{} })
	spec := func(name string, exit int, code string, change func(s *Spec)) {
		s := anchorSpec()
		change(&s)
		c.add(name, exit, code, attest.EncodeAnchorProof(anchorOf(s, row)))
	}
	spec("app-hash-of-another-state", 1, "E_APP_HASH", func(s *Spec) { s.Edit = func(h *cmttypes.Header) { h.AppHash = Sum("other") } })
	spec("strangers", 4, "E_TRUST_SET", func(s *Spec) { s.Set = Equal("stranger", 4) })
	spec("another-chain", 1, "E_CHAIN", func(s *Spec) { s.ChainID = "test-other" })
	early := row
	early.Height = 20
	s.Height = 40
	c.add("below-the-anchor", 4, "E_TRUST_OLDER", attest.EncodeAnchorProof(anchorOf(s, early)))
	c.add("without-the-witness", 4, "E_WITNESS_QUORUM", file).Trust = "trust-witness.json"
	c.add("future", 1, "E_HEADER_FUTURE", file).At = Time.Add(-time.Minute - time.Second).Format(time.RFC3339Nano)
	c.add("trust-ended", 4, "E_TRUST_EXPIRED", file).At = Time.AddDate(1, 0, 1).Format(time.RFC3339Nano)

	// Receipts.
	edit := func(v *anchorVector, change func(r *pb.QueryReceipt)) {
		r := new(pb.QueryReceipt)
		if err := pb.Decode(v.Receipt, r); err != nil {
			panic(err)
		}
		change(r)
		v.Receipt = pb.Encode(r)
	}
	// anchored gives a receipt an anchor of its own, so that the path leads there.
	anchored := func(v *anchorVector, row pb.ReceiptAnchor) {
		root := attest.ReceiptRoot(attest.ReceiptLeaf(v.Salt, v.Receipt), v.Place, v.Path)
		row.Root = root[:]
		v.Payload = attest.EncodeAnchorProof(anchorOf(anchorSpec(), row))
	}
	c.held("receipt-ok", "OK", func(*anchorVector) {})
	c.held("receipt-changed", "E_RECEIPT", func(v *anchorVector) { edit(v, func(r *pb.QueryReceipt) { r.Purpose = pb.PURPOSE_POST_LOAN }) })
	c.held("receipt-other-salt", "E_RECEIPT", func(v *anchorVector) { v.Salt[0]++ })
	c.held("receipt-salt-31", "E_RECEIPT", func(v *anchorVector) { v.Salt = v.Salt[:31] })
	c.held("receipt-moved", "E_RECEIPT", func(v *anchorVector) { v.Place ^= 1 })
	c.held("receipt-place-beyond", "E_RECEIPT", func(v *anchorVector) { v.Place += 64 })
	c.held("receipt-path-changed", "E_RECEIPT", func(v *anchorVector) { v.Path[5][0]++ })
	c.held("receipt-path-5", "E_RECEIPT", func(v *anchorVector) { v.Path = v.Path[:5]; v.Place = 5; anchored(v, row) })
	c.held("receipt-path-41", "E_RECEIPT", func(v *anchorVector) { v.Path = slices.Repeat(v.Path, 7)[:41]; anchored(v, row) })
	c.held("receipt-ok-path-40", "OK", func(v *anchorVector) { v.Path = slices.Repeat(v.Path, 7)[:40]; anchored(v, row) })
	c.held("receipt-node-as-leaf", "E_RECEIPT", func(v *anchorVector) { v.Receipt = slices.Concat(v.Path[0][:], v.Path[1][:])[32:]; anchored(v, row) })
	c.held("receipt-of-another-gateway", "E_RECEIPT", func(v *anchorVector) {
		edit(v, func(r *pb.QueryReceipt) { r.Gateway = SubjectMany })
		anchored(v, row)
	})
	c.held("receipt-ok-of-the-block-before", "OK", func(v *anchorVector) {
		edit(v, func(r *pb.QueryReceipt) { r.AtHeight = row.Height - 1 })
		anchored(v, row)
	})
	c.held("receipt-after-its-anchor", "E_RECEIPT", func(v *anchorVector) {
		edit(v, func(r *pb.QueryReceipt) { r.AtHeight = row.Height })
		anchored(v, row)
	})
	c.held("receipt-no-purpose", "E_RECEIPT", func(v *anchorVector) {
		edit(v, func(r *pb.QueryReceipt) { r.Purpose = 0 })
		anchored(v, row)
	})
	c.held("receipt-trailing-byte", "E_RECEIPT", func(v *anchorVector) { v.Receipt = append(v.Receipt, 0); anchored(v, row) })
	c.held("receipt-of-a-forged-anchor", "E_APP_HASH", func(v *anchorVector) {
		edit(v, func(r *pb.QueryReceipt) { r.Purpose = pb.PURPOSE_POST_LOAN })
		root := attest.ReceiptRoot(attest.ReceiptLeaf(v.Salt, v.Receipt), v.Place, v.Path)
		p := sampleAnchor()
		p.Row.Root = root[:]
		v.Payload = attest.EncodeAnchorProof(p)
	})

	// Answers.
	answered := func(name, code, bundle, opening string, digest attest.Hash) {
		c.held(name, code, func(v *anchorVector) {
			edit(v, func(r *pb.QueryReceipt) { r.AnswerDigest = digest[:] })
			anchored(v, row)
			v.Bundle, v.Opening = bundle, opening
		})
	}
	a := answerFiles()
	bundle, opening := a["answer.xla"], a["answer.xlr"]
	whole, alone := attest.AnswerDigest(bundle, opening), attest.AnswerDigest(bundle, nil)
	answered("receipt-answer-ok", "OK", "answer.xla", "answer.xlr", whole)
	answered("receipt-answer-ok-nothing-opened", "OK", "answer.xla", "", alone)
	answered("receipt-answer-other", "E_RECEIPT", "other.xla", "answer.xlr", whole)
	answered("receipt-answer-other-nothing-opened", "E_RECEIPT", "other.xla", "", alone)
	answered("receipt-answer-other-opening", "E_RECEIPT", "answer.xla", "other.xlr", whole)
	answered("receipt-answer-without-its-opening", "E_RECEIPT", "answer.xla", "", whole)
	answered("receipt-answer-opening-surplus", "E_RECEIPT", "answer.xla", "answer.xlr", alone)
	answered("receipt-answer-swapped", "E_RECEIPT", "answer.xlr", "answer.xla", whole)
	answered("receipt-answer-digest-of-the-bundle", "E_RECEIPT", "answer.xla", "", sha256.Sum256(bundle))
	answered("receipt-answer-digest-of-both-in-a-row", "E_RECEIPT", "answer.xla", "answer.xlr", sha256.Sum256(slices.Concat(bundle, opening)))
	return c.vectors
}

// answerFiles are an answer and others that differ from it in a bit.
func answerFiles() map[string][]byte {
	bundle := sample().File()
	opening := attest.EncodeRestricted(&pb.RestrictedOpening{Salt: Sum("salt of the section"), Section: []byte("section"), Opened: []pb.OpenedClass{{Class: pb.DATA_GRADE, Salt: Sum("salt of the class")}}})
	changed := func(b []byte) []byte { b = slices.Clone(b); b[len(b)/2] ^= 1; return b }
	return map[string][]byte{"answer.xla": bundle, "answer.xlr": opening, "other.xla": changed(bundle), "other.xlr": changed(opening)}
}

// twice writes a field behind its like.
func twice(file []byte, tag byte, v []byte) []byte {
	f := append(binary.AppendUvarint([]byte{tag}, uint64(len(v))), v...)
	return bytes.Replace(file, f, slices.Concat(f, f), 1)
}

// judge gives the exit code and code of a vector, by its files.
func (v *anchorVector) judge(t *testing.T) (int, string) {
	t.Helper()
	trust, err := attest.ParseTrust(readFile(t, filepath.Join(anchorDir, v.Trust)))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, v.At)
	if err != nil {
		t.Fatal(err)
	}
	a, err := attest.OpenAnchorProof(v.Payload, trust, attest.Policy{Now: at})
	if (a == nil) == (err == nil) {
		t.Fatalf("%s: %v beside %v", v.Name, a, err)
	}
	if err == nil && v.Receipt != nil {
		r, e := a.Covers(v.Receipt, v.Salt, v.Place, v.Path)
		if (r == nil) == (e == nil) {
			t.Fatalf("%s: %v beside %v", v.Name, r, e)
		}
		err = e
		if err == nil && v.Bundle != "" {
			var opening []byte
			if v.Opening != "" {
				opening = readFile(t, filepath.Join(anchorDir, v.Opening))
			}
			err = attest.CheckAnswer(r, readFile(t, filepath.Join(anchorDir, v.Bundle)), opening)
		}
	}
	if err != nil {
		return attest.ExitCode(nil, err), attest.CodeOf(err)
	}
	return 0, "OK"
}

// TestAnchorVectors: the corpus of anchor proofs, as files.
func TestAnchorVectors(t *testing.T) {
	made := anchorVectors()
	if *update {
		files := map[string][]byte{"trust.json": Spec{}.Trust().Encode(), "trust-witness.json": witnessTrust().Encode()}
		maps.Copy(files, answerFiles())
		for _, v := range made {
			files[v.Name+vectorExt] = v.encode()
		}
		if err := os.RemoveAll(anchorDir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(anchorDir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, raw := range files {
			if err := os.WriteFile(filepath.Join(anchorDir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(anchorDir, "*"+vectorExt))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, name := range names {
		v := readAnchorVector(t, strings.TrimSuffix(filepath.Base(name), vectorExt))
		if exit, code := v.judge(t); exit != v.Exit || code != v.Code {
			t.Errorf("%s: exit code %d %s, want %d %s", v.Name, exit, code, v.Exit, v.Code)
		}
		if v.Exit != 0 {
			refused++
		}
	}
	t.Logf("%d vectors, %d of them not accepted", len(names), refused)
	if len(names) != len(made) {
		t.Errorf("%d vectors are frozen, the corpus makes %d; run with -update", len(names), len(made))
	}
	for _, v := range made {
		if !bytes.Equal(readFile(t, filepath.Join(anchorDir, v.Name+vectorExt)), v.encode()) {
			t.Errorf("%s: the corpus makes other bytes than are frozen", v.Name)
		}
	}
}

// TestAnchorEveryBit: no bit of an anchor proof may be another.
func TestAnchorEveryBit(t *testing.T) {
	t.Parallel()
	v, err := attest.NewVerifier(Spec{}.Trust())
	if err != nil {
		t.Fatal(err)
	}
	file := attest.EncodeAnchorProof(sampleAnchor())
	if _, err := v.OpenAnchorProof(file, attest.Policy{Now: now()}); err != nil {
		t.Fatal(err)
	}
	for i := range file {
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[i] ^= 1 << bit
			if _, err := v.OpenAnchorProof(bad, attest.Policy{Now: now()}); err == nil {
				t.Fatalf("byte %d with bit %d flipped is accepted", i, bit)
			}
		}
	}
}

// TestAnchorPolicy: an anchor is asked for by the time alone.
func TestAnchorPolicy(t *testing.T) {
	t.Parallel()
	file := attest.EncodeAnchorProof(sampleAnchor())
	for name, p := range map[string]attest.Policy{
		"no time": {}, "a subject": {Now: now(), Subject: SubjectClean}, "a claim": {Now: now(), Claim: attest.Enrolled},
		"an age": {Now: now(), MaxAge: time.Hour}, "any age": {Now: now(), UnsafeAnyAge: true},
	} {
		a, err := attest.OpenAnchorProof(file, Spec{}.Trust(), p)
		if a != nil {
			t.Error(name)
		}
		wantCode(t, err, attest.ErrUsage, "E_POLICY")
	}
	w := attest.Policy{Now: now()}
	point, err := attest.Checkpoint("test-attest", 101, attest.HeaderHash(&sampleAnchor().Header))
	if err != nil {
		t.Fatal(err)
	}
	w.Witness = slices.Concat(point, []byte("\n"), attest.Cosign(point, packWitness, witnessKey(packWitness), Time.Add(time.Second)))
	a, err := attest.OpenAnchorProof(file, witnessTrust(), w)
	if err != nil || !slices.Equal(a.Witnessed, []string{packWitness}) {
		t.Fatal(a, err)
	}
}

// FuzzAnchorProof: no input makes OpenAnchorProof panic, and nothing but the frozen proofs is accepted.
func FuzzAnchorProof(f *testing.F) {
	genuine := map[string]bool{}
	for _, v := range anchorVectors() {
		if len(v.Payload) < 20000 {
			f.Add(v.Payload)
			if v.Exit == 0 || v.Receipt != nil && v.Code == "E_RECEIPT" {
				genuine[string(v.Payload)] = true
			}
		}
	}
	v, err := attest.NewVerifier(Spec{}.Trust())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := v.OpenAnchorProof(raw, attest.Policy{Now: now()})
		if (a == nil) == (err == nil) || err != nil && attest.CodeOf(err) == "" {
			t.Fatal(a, err)
		}
		if err == nil && !genuine[string(raw)] {
			t.Fatal("a forged anchor proof is accepted")
		}
	})
}
