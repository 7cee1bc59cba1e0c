package attest_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
	"github.com/xinlian-ledger/xinlian/x/code"
)

const packDir = "testdata/packs"

// uscc gives the n-th synthetic code.
func uscc(n int) string { return code.CompleteUSCC("91410100", fmt.Sprintf("Y%07d", n)) }

func usccs(from, to int) (out []string) {
	for n := from; n < to; n++ {
		out = append(out, uscc(n))
	}
	return out
}

// samplePack is a pack of 12 of 20 firms with negative records; the first seven of them have serious ones.
func samplePack(set pb.PackSet) *pb.Pack {
	return Spec{}.Pack(set, Members(usccs(0, 7)...), Members(usccs(0, 12)...))
}

func packPolicy(c attest.Claim) attest.Policy { return policy("", c) }

// packVector is one file of testdata/packs: rows that say what is expected, an empty line, the payload. With a base it is a delta on the payload of that
// vector.
type packVector struct {
	Name, Base, Trust, Claim, MaxAge, At string
	Exit                                 int
	Code                                 string
	Payload                              []byte
}

const packMark = "xinlian pack vector 1"

func (v *packVector) encode() []byte {
	rows := fmt.Sprintf("%s\nexpect: %d %s\n", packMark, v.Exit, v.Code)
	if v.Base != "" {
		rows += "base: " + v.Base + "\n"
	}
	return append([]byte(rows+"trust: "+v.Trust+"\nclaim: "+v.Claim+"\nmax-age: "+v.MaxAge+"\nat: "+v.At+"\n\n"), v.Payload...)
}

func readPackVector(t *testing.T, name string) (v packVector) {
	t.Helper()
	head, payload, ok := bytes.Cut(readFile(t, filepath.Join(packDir, name+vectorExt)), []byte("\n\n"))
	rows := strings.Split(string(head), "\n")
	if !ok || rows[0] != packMark {
		t.Fatalf("%s is no vector", name)
	}
	v.Name, v.Payload = name, payload
	for _, r := range rows[1:] {
		key, value, _ := strings.Cut(r, ": ")
		switch key {
		case "expect":
			if _, err := fmt.Sscan(value, &v.Exit, &v.Code); err != nil {
				t.Fatal(name, err)
			}
		case "base":
			v.Base = value
		case "trust":
			v.Trust = value
		case "claim":
			v.Claim = value
		case "max-age":
			v.MaxAge = value
		case "at":
			v.At = value
		default:
			t.Fatalf("%s: unknown row %q", name, r)
		}
	}
	return v
}

type packCorpus struct{ vectors []packVector }

func (c *packCorpus) add(name string, exit int, code string, raw []byte) *packVector {
	c.vectors = append(c.vectors, packVector{
		Name: name, Trust: "trust.json", Claim: "no-serious", MaxAge: "1h0m0s", At: now().Format(time.RFC3339Nano), Exit: exit, Code: code,
		Payload: raw,
	})
	return &c.vectors[len(c.vectors)-1]
}

// bad adds a pack that is the sample but for one change.
func (c *packCorpus) bad(name, code string, change func(p *pb.Pack)) *packVector {
	p := samplePack(pb.PACK_SERIOUS)
	change(p)
	return c.add(name, 1, code, attest.EncodePack(p))
}

func gzipped(raw []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(raw)
	w.Close()
	return b.Bytes()
}

// alike are n pairs of members that differ in the last bit alone, as no paths do.
func alike(n int) []byte {
	var all [][]byte
	for i := range n {
		path := Sum("alike", i)
		for bit := range byte(2) {
			path[31] = path[31]&^1 | bit
			all = append(all, bytes.Clone(path))
		}
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.Concat(all...)
}

func packVectors() []packVector {
	c := new(packCorpus)
	serious, negative := samplePack(pb.PACK_SERIOUS), samplePack(pb.PACK_NEGATIVE)
	file := attest.EncodePack(serious)
	empty := Spec{}.Pack(pb.PACK_SERIOUS, nil, nil)

	// Accepted.
	c.add("ok-serious", 0, "OK", file)
	c.add("ok-negative", 0, "OK", attest.EncodePack(negative)).Claim = "no-negative"
	c.add("ok-empty", 0, "OK", attest.EncodePack(empty))
	c.add("ok-one", 0, "OK", attest.EncodePack(Spec{}.Pack(pb.PACK_SERIOUS, Members(uscc(3)), Members(uscc(3), uscc(4)))))
	steps := Spec{Steps: []Step{{Height: 60, Next: NewSet("b", 40, 30, 20, 10, 5)}, {Height: 100, Next: Equal("c", 7)}}}
	c.add("ok-steps", 0, "OK", attest.EncodePack(steps.Pack(pb.PACK_SERIOUS, Members(usccs(0, 7)...), Members(usccs(0, 12)...))))

	// Bytes.
	c.add("cut-byte", 1, "E_ENCODING", file[:len(file)-1])
	c.add("cut-member", 1, "E_ENCODING", file[:len(file)-32])
	c.add("cut-to-magic", 1, "E_ENCODING", file[:4])
	c.add("nothing", 1, "E_MAGIC", nil)
	c.add("trailing-byte", 1, "E_ENCODING", append(slices.Clone(file), 0))
	c.add("trailing-field", 1, "E_ENCODING", append(slices.Clone(file), 0x62, 1, 0))
	c.add("version-2", 5, "E_VERSION", append([]byte("XLP2"), file[4:]...))
	c.add("gzip", 1, "E_MAGIC", gzipped(file))
	c.add("gzip-bomb", 1, "E_MAGIC", gzipped(make([]byte, 64<<20)))
	c.add("bundle", 1, "E_MAGIC", sample().File())
	c.add("members-twice", 1, "E_ENCODING", append(slices.Clone(file), append(binary.AppendUvarint([]byte{0x5a}, 32), Members(uscc(0))...)...))
	c.add("salt-twice", 1, "E_ENCODING", bytes.Replace(file, append([]byte{0x52, 32}, serious.Salt...), bytes.Repeat(append([]byte{0x52, 32}, serious.Salt...), 2), 1))
	c.add("length-not-shortest", 1, "E_ENCODING", bytes.Replace(file, append([]byte{0x2a, 32}, serious.Catalog...), append([]byte{0x2a, 0xa0, 0}, serious.Catalog...), 1))
	c.add("steps-1025", 1, "E_SIZE", append([]byte("XLP1"), bytes.Repeat([]byte{0x22, 0}, 1025)...))
	many := slices.Repeat([]int64{1}, 10*pb.ValidatorsMax+1)
	c.bad("powers-10241", "E_SIZE", func(p *pb.Pack) { p.Validators.Powers = many })
	c.bad("times-10241", "E_SIZE", func(p *pb.Pack) { p.Commit.Times = many })
	c.bad("step-powers-10241", "E_SIZE", func(p *pb.Pack) {
		p.Steps = []pb.Step{{Header: p.Header, Commit: p.Commit, Next: pb.ValidatorSet{Powers: many}}}
	})

	// Members.
	swap := func(i, j int) func(p *pb.Pack) {
		return func(p *pb.Pack) {
			m := p.Members
			x := slices.Clone(m[32*i : 32*i+32])
			copy(m[32*i:], m[32*j:32*j+32])
			copy(m[32*j:], x)
		}
	}
	c.bad("unsorted", "E_PACK_MEMBERS", swap(2, 5))
	c.bad("unsorted-last", "E_PACK_MEMBERS", swap(5, 6))
	c.bad("duplicate", "E_PACK_MEMBERS", func(p *pb.Pack) { p.Members = slices.Concat(p.Members[:64], p.Members[32:]) })
	c.add("ok-alike", 0, "OK", attest.EncodePack(Spec{}.Pack(pb.PACK_SERIOUS, alike(40), negative.Members)))
	c.bad("members-alike", "E_PACK_MEMBERS", func(p *pb.Pack) { p.Members = alike(90) })
	c.bad("member-31", "E_PACK_MEMBERS", func(p *pb.Pack) { p.Members = p.Members[:len(p.Members)-1] })
	c.bad("member-left-out", "E_APP_HASH", func(p *pb.Pack) { p.Members = slices.Concat(p.Members[:64], p.Members[96:]) })
	c.bad("last-left-out", "E_APP_HASH", func(p *pb.Pack) { p.Members = p.Members[:len(p.Members)-32] })
	c.bad("all-left-out", "E_APP_HASH", func(p *pb.Pack) { p.Members = nil })
	c.bad("member-added", "E_APP_HASH", func(p *pb.Pack) { p.Members = Members(usccs(0, 8)...) })
	c.bad("member-replaced", "E_APP_HASH", func(p *pb.Pack) { p.Members = Members(usccs(1, 8)...) })
	c.bad("one-member-as-root", "E_APP_HASH", func(p *pb.Pack) { r := SetRoot(p.Set, p.Members); p.Members = r[:] })

	// Parts of the state.
	c.bad("set-renamed", "E_APP_HASH", func(p *pb.Pack) { p.Set = pb.PACK_NEGATIVE }).Claim = "no-negative"
	c.bad("set-swapped", "E_APP_HASH", func(p *pb.Pack) { p.Members = negative.Members })
	c.bad("set-0", "E_FORM", func(p *pb.Pack) { p.Set = 0 })
	c.bad("set-3", "E_FORM", func(p *pb.Pack) { p.Set = 3 })
	c.bad("other-changed", "E_APP_HASH", func(p *pb.Pack) { p.Other[0]++ })
	c.bad("other-31", "E_FORM", func(p *pb.Pack) { p.Other = p.Other[:31] })
	c.bad("other-none", "E_FORM", func(p *pb.Pack) { p.Other = nil })
	c.bad("other-as-root", "E_APP_HASH", func(p *pb.Pack) { r := SetRoot(pb.PACK_NEGATIVE, negative.Members); p.Other = r[:] })
	c.bad("salt-none", "E_FORM", func(p *pb.Pack) { p.Salt = nil })
	c.bad("salt-31", "E_FORM", func(p *pb.Pack) { p.Salt = p.Salt[:31] })
	c.bad("salt-33", "E_FORM", func(p *pb.Pack) { p.Salt = append(p.Salt, 0) })
	c.bad("salt-zero", "E_APP_HASH", func(p *pb.Pack) { p.Salt = make([]byte, 32) })
	c.bad("salt-changed", "E_APP_HASH", func(p *pb.Pack) { p.Salt[31]++ })
	c.bad("salt-of-another-height", "E_APP_HASH", func(p *pb.Pack) { p.Salt = SetSalt(p.Set, 140) })
	c.bad("salt-of-the-other-set", "E_APP_HASH", func(p *pb.Pack) { p.Salt = negative.Salt })
	before := func(p *pb.Pack) { p.Salt, p.Members = p.Members, nil } // a pack from before there were salts had its members there
	c.bad("before-salts", "E_FORM", before)
	c.bad("before-salts-one-member", "E_APP_HASH", func(p *pb.Pack) { p.Members = Members(uscc(3)); before(p) })
	c.bad("catalog-changed", "E_APP_HASH", func(p *pb.Pack) { p.Catalog[3]++ })
	c.bad("catalog-value", "E_FORM", func(p *pb.Pack) { p.Catalog = CatalogValue() })
	c.bad("log-as-state", "E_APP_HASH", func(p *pb.Pack) { p.Log, p.State = p.State, p.Log })
	c.bad("state-none", "E_FORM", func(p *pb.Pack) { p.State = nil })

	// Block.
	c.bad("header-app-hash", "E_SIG", func(p *pb.Pack) { p.Header.AppHash[0]++ })
	c.bad("signature", "E_SIG", func(p *pb.Pack) { p.Commit.Signatures[7]++ })
	c.bad("two-signers-of-four", "E_SIG_QUORUM", func(p *pb.Pack) {
		p.Commit.Signers[0], p.Commit.Signatures, p.Commit.Times = 0xc0, p.Commit.Signatures[:128], p.Commit.Times[:2]
	})
	stranger := Spec{Set: Equal("stranger", 4)}
	c.add("strangers", 4, "E_TRUST_SET", attest.EncodePack(stranger.Pack(pb.PACK_SERIOUS, serious.Members, negative.Members)))
	c.add("without-the-witness", 4, "E_WITNESS_QUORUM", file).Trust = "trust-witness.json"
	c.add("another-chain", 1, "E_CHAIN", attest.EncodePack(Spec{ChainID: "test-other"}.Pack(pb.PACK_SERIOUS, serious.Members, negative.Members)))
	c.add("below-the-anchor", 4, "E_TRUST_OLDER", attest.EncodePack(Spec{Height: 40}.Pack(pb.PACK_SERIOUS, serious.Members, negative.Members)))
	c.add("app-hash-of-another-state", 1, "E_APP_HASH", attest.EncodePack(Spec{Edit: func(h *cmttypes.Header) { h.AppHash = Sum("other") }}.
		Pack(pb.PACK_SERIOUS, serious.Members, negative.Members)))

	// Policy and clock.
	c.add("stale", 3, "E_STALE", file).At = Time.Add(time.Hour + time.Second).Format(time.RFC3339Nano)
	c.add("future", 1, "E_HEADER_FUTURE", file).At = Time.Add(-time.Minute - time.Second).Format(time.RFC3339Nano)
	c.add("trust-ended", 4, "E_TRUST_EXPIRED", file).At = Time.AddDate(1, 0, 1).Format(time.RFC3339Nano)
	c.add("wrong-set-for-the-claim", 1, "E_PACK_SET", file).Claim = "no-negative"
	c.add("negative-for-no-serious", 1, "E_PACK_SET", attest.EncodePack(negative))
	c.add("claim-of-no-pack", 2, "E_POLICY", file).Claim = "may-promise"

	// Deltas: from firms 0 to 6 to firms 2 to 8.
	next := Spec{Height: 140}.Pack(pb.PACK_SERIOUS, Members(usccs(2, 9)...), negative.Members)
	delta := func() *pb.PackDelta {
		p := *next
		p.Members = nil
		root := SetRoot(pb.PACK_SERIOUS, serious.Members)
		return &pb.PackDelta{Base: root[:], Pack: p, Added: Members(uscc(7), uscc(8)), Removed: Members(uscc(0), uscc(1))}
	}
	on := func(base, name string, exit int, code string, raw []byte) *packVector {
		v := c.add(name, exit, code, raw)
		v.Base = base
		return v
	}
	bad := func(name, code string, change func(d *pb.PackDelta)) {
		d := delta()
		change(d)
		on("ok-serious", name, 1, code, attest.EncodeDelta(d))
	}
	good := attest.EncodeDelta(delta())
	on("ok-serious", "delta-ok", 0, "OK", good)
	bad("delta-of-nothing", "E_APP_HASH", func(d *pb.PackDelta) { d.Added, d.Removed = nil, nil })
	same := delta()
	same.Added, same.Removed, same.Pack = nil, nil, *Spec{Height: 140}.Pack(pb.PACK_SERIOUS, serious.Members, negative.Members)
	same.Pack.Members = nil
	on("ok-serious", "delta-ok-same", 0, "OK", attest.EncodeDelta(same))
	from := delta()
	from.Base, from.Added, from.Removed = make([]byte, 32), next.Members, nil
	on("ok-empty", "delta-ok-from-empty", 0, "OK", attest.EncodeDelta(from))
	to := delta()
	to.Added, to.Removed, to.Pack = nil, serious.Members, *empty
	on("ok-serious", "delta-ok-to-empty", 0, "OK", attest.EncodeDelta(to))
	on("ok-empty", "delta-wrong-base", 1, "E_DELTA_BASE", good)
	on("ok-one", "delta-wrong-base-one", 1, "E_DELTA_BASE", good)
	on("ok-negative", "delta-of-another-set", 1, "E_DELTA_BASE", good)
	on("unsorted", "delta-on-unsorted", 1, "E_PACK_MEMBERS", good)
	bad("delta-base-changed", "E_DELTA_BASE", func(d *pb.PackDelta) { d.Base[31]++ })
	bad("delta-base-31", "E_FORM", func(d *pb.PackDelta) { d.Base = d.Base[:31] })
	bad("delta-base-none", "E_FORM", func(d *pb.PackDelta) { d.Base = nil })
	bad("delta-adds-who-is-there", "E_DELTA", func(d *pb.PackDelta) { d.Added = Members(uscc(7), uscc(8), uscc(3)) })
	bad("delta-removes-who-is-not", "E_DELTA", func(d *pb.PackDelta) { d.Removed = Members(uscc(0), uscc(1), uscc(9)) })
	bad("delta-removes-what-it-adds", "E_DELTA", func(d *pb.PackDelta) { d.Removed = Members(uscc(0), uscc(1), uscc(8)) })
	bad("delta-adds-what-it-removes", "E_DELTA", func(d *pb.PackDelta) { d.Added = Members(uscc(7), uscc(8), uscc(1)) })
	bad("delta-addition-left-out", "E_APP_HASH", func(d *pb.PackDelta) { d.Added = d.Added[:32] })
	bad("delta-removal-left-out", "E_APP_HASH", func(d *pb.PackDelta) { d.Removed = d.Removed[32:] })
	bad("delta-unsorted", "E_PACK_MEMBERS", func(d *pb.PackDelta) { d.Added = slices.Concat(d.Added[32:], d.Added[:32]) })
	bad("delta-duplicate", "E_PACK_MEMBERS", func(d *pb.PackDelta) { d.Removed = slices.Concat(d.Removed, d.Removed[32:]) })
	bad("delta-added-31", "E_PACK_MEMBERS", func(d *pb.PackDelta) { d.Added = d.Added[:31] })
	bad("delta-with-a-set", "E_FORM", func(d *pb.PackDelta) { d.Pack.Members = next.Members })
	bad("delta-salt-none", "E_FORM", func(d *pb.PackDelta) { d.Pack.Salt = nil })
	bad("delta-salt-31", "E_FORM", func(d *pb.PackDelta) { d.Pack.Salt = d.Pack.Salt[1:] })
	bad("delta-salt-of-the-older-pack", "E_APP_HASH", func(d *pb.PackDelta) { d.Pack.Salt = serious.Salt })
	bad("delta-set-renamed", "E_DELTA_BASE", func(d *pb.PackDelta) { d.Pack.Set = pb.PACK_NEGATIVE })
	on("ok-serious", "delta-cut", 1, "E_ENCODING", good[:len(good)-1])
	on("ok-serious", "delta-cut-member", 1, "E_ENCODING", good[:len(good)-32])
	on("ok-serious", "delta-trailing", 1, "E_ENCODING", append(slices.Clone(good), 0))
	overflow := append(bytes.Repeat([]byte{0x80}, 10), 1, 0) // a tag of eleven bytes, of at most 64 bits
	on("ok-serious", "delta-tag-overflows", 1, "E_ENCODING", append(slices.Clone(good), overflow...))
	on("ok-serious", "delta-tag-overflows-at-the-head", 1, "E_ENCODING", append([]byte("XLD1"), overflow...))
	c.add("pack-tag-overflows", 1, "E_ENCODING", append(slices.Clone(file), overflow...))
	c.add("pack-tag-overflows-at-the-head", 1, "E_ENCODING", append([]byte("XLP1"), overflow...))
	c.add("pack-length-overflows-at-the-head", 1, "E_ENCODING", append(append([]byte("XLP1\x0a"), overflow...), 1))
	on("ok-serious", "delta-unknown-field", 1, "E_ENCODING", append(slices.Clone(good), 0x2a, 1, 0))
	on("ok-serious", "delta-unknown-number", 1, "E_ENCODING", append(slices.Clone(good), 0x28, 1))
	packed := delta()
	packed.Base, packed.Added, packed.Removed = nil, nil, nil
	again := attest.EncodeDelta(packed)[4:] // its pack alone
	on("ok-serious", "delta-pack-twice", 1, "E_ENCODING", append(slices.Clone(good), again...))
	crowded := delta()
	crowded.Pack.Steps = make([]pb.Step, pb.BundleStepsMax+1)
	crowded.Base, crowded.Added, crowded.Removed = nil, nil, nil
	tooMany := attest.EncodeDelta(crowded)[4:]
	on("ok-serious", "delta-steps-in-a-second-pack", 1, "E_ENCODING", append(slices.Clone(good), tooMany...))
	// The steps are counted before encodings are looked at: a base whose length is not in its shortest form.
	long := append([]byte("XLD1\x0a\xa0\x00"), delta().Base...)
	on("ok-serious", "delta-steps-behind-a-long-length", 1, "E_SIZE", append(long, tooMany...))
	on("ok-serious", "delta-long-length", 1, "E_ENCODING", append(slices.Clone(long), again...))
	on("ok-serious", "delta-version-2", 5, "E_VERSION", append([]byte("XLD2"), good[4:]...))
	on("ok-serious", "delta-gzip", 1, "E_MAGIC", gzipped(good))
	on("ok-serious", "delta-is-a-pack", 1, "E_MAGIC", file)
	c.add("pack-is-a-delta", 1, "E_MAGIC", good)
	far := delta()
	far.Pack.Steps = make([]pb.Step, 1025)
	on("ok-serious", "delta-steps-1025", 1, "E_SIZE", attest.EncodeDelta(far))
	return c.vectors
}

// judge gives the exit code and code of a vector, by its files.
func (v *packVector) judge(t *testing.T) (int, string) {
	t.Helper()
	trust, err := attest.ParseTrust(readFile(t, filepath.Join(packDir, v.Trust)))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, v.At)
	if err != nil {
		t.Fatal(err)
	}
	age, err := time.ParseDuration(v.MaxAge)
	if err != nil {
		t.Fatal(err)
	}
	raw := v.Payload
	if v.Base != "" {
		base := readPackVector(t, v.Base)
		raw, err = attest.ApplyDelta(base.Payload, raw)
	}
	if err == nil {
		var p *attest.Pack
		if p, err = attest.OpenPack(raw, trust, attest.Policy{Claim: mustClaim(v.Claim), MaxAge: age, Now: at}); err == nil {
			return 0, "OK"
		}
		if p != nil {
			t.Errorf("%s: a pack beside an error", v.Name)
		}
	}
	return attest.ExitCode(nil, err), attest.CodeOf(err)
}

// TestPackVectors: family 49 of the corpus, as files.
func TestPackVectors(t *testing.T) {
	made := packVectors()
	trusts := map[string]*attest.Trust{"trust.json": Spec{}.Trust(), "trust-witness.json": witnessTrust()}
	if *update {
		if err := os.RemoveAll(packDir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(packDir, 0o755); err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		for _, v := range made {
			files[v.Name+vectorExt] = v.encode()
		}
		for name, trust := range trusts {
			files[name] = trust.Encode()
		}
		for name, raw := range files {
			if err := os.WriteFile(filepath.Join(packDir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(packDir, "*"+vectorExt))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, name := range names {
		v := readPackVector(t, strings.TrimSuffix(filepath.Base(name), vectorExt))
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
		if !bytes.Equal(readFile(t, filepath.Join(packDir, v.Name+vectorExt)), v.encode()) {
			t.Errorf("%s: the corpus makes other bytes than are frozen", v.Name)
		}
	}
}

const packWitness = "w1.example/xinlian"

// witnessTrust is the trust file of a lender that asks for one witness.
func witnessTrust() *attest.Trust {
	t := Spec{}.Trust()
	t.Witnesses = attest.Witnesses{Required: 1, Within: time.Hour, Keys: []attest.Witness{witnessOf(packWitness)}}
	return t
}

// TestPackEveryBit: no bit of a pack or of a delta may be another.
func TestPackEveryBit(t *testing.T) {
	t.Parallel()
	v, err := attest.NewVerifier(Spec{}.Trust())
	if err != nil {
		t.Fatal(err)
	}
	pack := attest.EncodePack(samplePack(pb.PACK_SERIOUS))
	if _, err := v.OpenPack(pack, packPolicy(attest.NoSerious)); err != nil {
		t.Fatal(err)
	}
	var delta []byte
	for _, x := range packVectors() {
		if x.Name == "delta-ok" {
			delta = x.Payload
		}
	}
	flip := func(raw []byte, open func([]byte) error) {
		for i := range raw {
			for bit := range 8 {
				bad := bytes.Clone(raw)
				bad[i] ^= 1 << bit
				if open(bad) == nil {
					t.Fatalf("byte %d with bit %d flipped is accepted", i, bit)
				}
			}
		}
	}
	flip(pack, func(raw []byte) error { _, err := v.OpenPack(raw, packPolicy(attest.NoSerious)); return err })
	flip(delta, func(raw []byte) error {
		made, err := attest.ApplyDelta(pack, raw)
		if err == nil {
			_, err = v.OpenPack(made, packPolicy(attest.NoSerious))
		}
		return err
	})
}

// TestPackContains: a look-up says what the set says, for sets of many sizes, from many goroutines; what is no code is no absence.
func TestPackContains(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 7, 64, 1000, 5000} {
		raw := attest.EncodePack(Spec{}.Pack(pb.PACK_NEGATIVE, nil, Members(usccs(0, n)...)))
		p, err := attest.OpenPack(raw, Spec{}.Trust(), packPolicy(attest.NoNegative))
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			raw[i] = 0 // the pack keeps nothing of it
		}
		if p.Len() != n {
			t.Errorf("%d members of %d", p.Len(), n)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 2*n + 20 {
					in, err := p.Contains(uscc(i))
					if err != nil || in != (i < n) {
						t.Errorf("of %d, firm %d: %v %v", n, i, in, err)
						return
					}
				}
			})
		}
		wg.Wait()
		d, err := p.Judge(uscc(n), now())
		if err != nil || !d.Holds || d.Code != attest.CodeOK || !strings.Contains(d.Reason, "whether it is enrolled a pack does not say") {
			t.Errorf("of %d: %+v %v", n, d, err)
		}
		if n > 0 {
			if d, err := p.Judge(uscc(0), now()); err != nil || d.Holds || d.Code != attest.CodeClaim {
				t.Errorf("of %d: %+v %v", n, d, err)
			}
		}
		for _, bad := range []string{"", uscc(n)[:17], uscc(n) + " ", strings.ToLower(uscc(n)), "９" + uscc(n)[1:], uscc(n)[:17] + "!", "91410100Y00000999X"} {
			if in, err := p.Contains(bad); err == nil || in {
				t.Errorf("%q: %v %v", bad, in, err)
			}
			if d, err := p.Judge(bad, now()); !errors.Is(err, attest.ErrUsage) || d != nil {
				t.Errorf("%q: %v %v", bad, d, err)
			}
		}
	}
}

// TestPackPolicy: a pack is opened for a claim, and for nobody.
func TestPackPolicy(t *testing.T) {
	t.Parallel()
	raw := attest.EncodePack(samplePack(pb.PACK_SERIOUS))
	for name, p := range map[string]attest.Policy{
		"a subject": policy(SubjectClean, attest.NoSerious), "no claim": packPolicy(attest.Claim{}), "another claim": packPolicy(attest.Enrolled),
		"no age": {Claim: attest.NoSerious, Now: now()}, "no time": {Claim: attest.NoSerious, MaxAge: time.Hour},
	} {
		if pack, err := attest.OpenPack(raw, Spec{}.Trust(), p); !errors.Is(err, attest.ErrUsage) || pack != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPackCheckAt: a pack that is kept open grows old, and its trust file ends.
func TestPackCheckAt(t *testing.T) {
	t.Parallel()
	p, err := attest.OpenPack(attest.EncodePack(samplePack(pb.PACK_SERIOUS)), Spec{}.Trust(), packPolicy(attest.NoSerious))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckAt(Time.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	wantCode(t, p.CheckAt(Time.Add(time.Hour+1)), attest.ErrStale, "E_STALE")
	wantCode(t, p.CheckAt(Time.AddDate(1, 0, 1)), attest.ErrTrust, "E_TRUST_EXPIRED")
	wantCode(t, p.CheckAt(Time.Add(-2*time.Minute)), attest.ErrInvalid, "E_HEADER_FUTURE")
	wantCode(t, p.CheckAt(time.Time{}), attest.ErrUsage, "E_POLICY")
	_, err = p.Judge(uscc(0), Time.Add(time.Hour+1))
	wantCode(t, err, attest.ErrStale, "E_STALE")

	// Step 11: the future comes before what a witness file says.
	early := packPolicy(attest.NoSerious)
	early.Now, early.Witness = Time.Add(-2*time.Minute), []byte("no witness file")
	_, err = attest.OpenPack(attest.EncodePack(samplePack(pb.PACK_SERIOUS)), Spec{}.Trust(), early)
	wantCode(t, err, attest.ErrInvalid, "E_HEADER_FUTURE")
}

// TestPackWitness: a pack is as good as its witnesses, where the trust file asks for some.
func TestPackWitness(t *testing.T) {
	t.Parallel()
	f := samplePack(pb.PACK_SERIOUS)
	point, err := attest.Checkpoint("test-attest", 101, attest.HeaderHash(&f.Header))
	if err != nil {
		t.Fatal(err)
	}
	p := packPolicy(attest.NoSerious)
	_, err = attest.OpenPack(attest.EncodePack(f), witnessTrust(), p)
	wantCode(t, err, attest.ErrTrust, "E_WITNESS_QUORUM")
	p.Witness = slices.Concat(point, []byte("\n"), attest.Cosign(point, packWitness, witnessKey(packWitness), Time.Add(time.Second)))
	pack, err := attest.OpenPack(attest.EncodePack(f), witnessTrust(), p)
	if err != nil || !slices.Equal(pack.Witnessed, []string{packWitness}) {
		t.Fatal(pack, err)
	}
	p.Witness[0]++
	if _, err = attest.OpenPack(attest.EncodePack(f), witnessTrust(), p); !errors.Is(err, attest.ErrInvalid) {
		t.Error(err)
	}
}

// TestDelta: between any two sets a delta gives the newer pack, byte for byte.
func TestDelta(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	some := func() []byte {
		var codes []string
		for i := range 40 {
			if rnd.IntN(3) > 0 {
				codes = append(codes, uscc(i))
			}
		}
		return Members(codes[:rnd.IntN(len(codes)+1)]...)
	}
	for range 50 {
		old, next := Spec{}.Pack(pb.PACK_SERIOUS, some(), nil), Spec{Height: 130}.Pack(pb.PACK_SERIOUS, some(), nil)
		set, root, err := attest.PackRoot(attest.EncodePack(old))
		if err != nil || set != pb.PACK_SERIOUS || root != SetRoot(set, old.Members) {
			t.Fatal(set, root, err)
		}
		d := &pb.PackDelta{Base: root[:], Pack: *next}
		d.Pack.Members = nil
		d.Added, d.Removed = attest.DiffMembers(old.Members, next.Members)
		got, err := attest.ApplyDelta(attest.EncodePack(old), attest.EncodeDelta(d))
		if err != nil || !bytes.Equal(got, attest.EncodePack(next)) {
			t.Fatal("the delta does not give the newer pack", err)
		}
	}
}

// FuzzPack: no input makes OpenPack panic, and nothing but the frozen packs is accepted.
func FuzzPack(f *testing.F) {
	genuine := map[string]bool{}
	for _, v := range packVectors() {
		if v.Base == "" && len(v.Payload) < 20000 {
			f.Add(v.Payload)
			genuine[string(v.Payload)] = genuine[string(v.Payload)] || strings.HasPrefix(v.Name, "ok-")
		}
	}
	v, err := attest.NewVerifier(Spec{}.Trust())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, c := range []attest.Claim{attest.NoSerious, attest.NoNegative} {
			p, err := v.OpenPack(raw, packPolicy(c))
			if (p == nil) == (err == nil) || err != nil && attest.CodeOf(err) == "" {
				t.Fatal(p, err)
			}
			if err == nil && !genuine[string(raw)] {
				t.Fatal("a forged pack is accepted")
			}
		}
	})
}

// FuzzDelta: no input makes ApplyDelta panic; what it makes is a well-formed pack.
func FuzzDelta(f *testing.F) {
	base := attest.EncodePack(samplePack(pb.PACK_SERIOUS))
	for _, v := range packVectors() {
		if v.Base != "" && len(v.Payload) < 20000 {
			f.Add(base, v.Payload)
		}
	}
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		made, err := attest.ApplyDelta(base, delta)
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		if _, _, err := attest.PackRoot(made); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkPackContains: goal 0.2 µs, no allocation. x-limit is the ratio to one SHA-256 of 65 bytes in the same run.
func BenchmarkPackContains(b *testing.B) {
	var in [65]byte
	limit := func() {
		h := sha256.Sum256(in[:])
		copy(in[1:], h[:])
	}
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			raw := attest.EncodePack(Spec{}.Pack(pb.PACK_SERIOUS, Members(usccs(0, n)...), nil))
			p, err := attest.OpenPack(raw, Spec{}.Trust(), packPolicy(attest.NoSerious))
			if err != nil {
				b.Fatal(err)
			}
			codes := usccs(n-4096, n+4096) // half of them in the set
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(codes), func(i, j int) { codes[i], codes[j] = codes[j], codes[i] })
			i := 0
			look := func() {
				i = (i + 1) % len(codes)
				if _, err := p.Contains(codes[i]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				look()
			}
			b.ReportMetric(ratio(look, limit), "x-limit")
		})
	}
}

// BenchmarkOpenPack: a pack of 10^5. x-limit is the ratio to two SHA-256 of 65 bytes a member.
func BenchmarkOpenPack(b *testing.B) {
	const n = 100_000
	raw := attest.EncodePack(Spec{}.Pack(pb.PACK_SERIOUS, Members(usccs(0, n)...), nil))
	v, err := attest.NewVerifier(Spec{}.Trust())
	if err != nil {
		b.Fatal(err)
	}
	var in [65]byte
	open := func() {
		if _, err := v.OpenPack(raw, packPolicy(attest.NoSerious)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		open()
	}
	start := time.Now()
	for range 2 * n {
		h := sha256.Sum256(in[:])
		copy(in[1:], h[:])
	}
	limit := time.Since(start)
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(limit), "x-limit")
}

// TestFileViews: what is shown of a pack and of an anchor proof that nobody has verified is what is proven of them where they are judged, above all the hash that is stamped.
func TestFileViews(t *testing.T) {
	raw := attest.EncodePack(samplePack(pb.PACK_SERIOUS))
	f, err := attest.DecodePack(raw)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := attest.OpenPack(raw, Spec{}.Trust(), packPolicy(attest.NoSerious))
	if err != nil {
		t.Fatal(err)
	}
	v := attest.PackFileView(f)
	if v.HeaderHash != fmt.Sprintf("%x", pack.HeaderHash) || v.HeaderHeight != pack.HeaderHeight || v.Height != pack.Height || v.ChainID != pack.ChainID ||
		v.Root != fmt.Sprintf("%x", pack.Root) || v.Members != pack.Len() || v.Set != "serious" || !v.Unverified {
		t.Errorf("%+v", v)
	}
	raw = attest.EncodeAnchorProof(sampleAnchor())
	p, err := attest.DecodeAnchorProof(raw)
	if err != nil {
		t.Fatal(err)
	}
	row, err := attest.OpenAnchorProof(raw, anchorSpec().Trust(), attest.Policy{Now: Time})
	if err != nil {
		t.Fatal(err)
	}
	a := attest.AnchorProofView(p)
	if a.HeaderHash != fmt.Sprintf("%x", row.HeaderHash) || a.HeaderHeight != row.HeaderHeight || a.Height != row.Height || a.ChainID != row.ChainID ||
		a.Root != fmt.Sprintf("%x", row.Root) || a.AnchorHeight != row.BlockHeight || a.Hour != row.Hour || a.Gateway != row.Gateway || !a.Unverified {
		t.Errorf("%+v", a)
	}
}

// TestPackNotOpened: a Pack that OpenPack has not given is an error, whatever it is asked, and never an absence.
func TestPackNotOpened(t *testing.T) {
	var p attest.Pack
	for _, firm := range []string{SubjectClean, "no code"} {
		if in, err := p.Contains(firm); in || !errors.Is(err, attest.ErrUsage) {
			t.Errorf("Contains: %v %v", in, err)
		}
		if v, err := p.Judge(firm, Time); v != nil || !errors.Is(err, attest.ErrUsage) {
			t.Errorf("Judge: %v %v", v, err)
		}
	}
	if err := p.CheckAt(Time); !errors.Is(err, attest.ErrUsage) {
		t.Errorf("CheckAt: %v", err)
	}
}
