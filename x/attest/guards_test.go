package attest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// TestGuardsSay: what is refused is refused for its own reason, where a later step would refuse it as well (`scripts/dev mutate-proof` lists the guards).
func TestGuardsSay(t *testing.T) {
	s := sample()
	file, p := s.File(), policy(SubjectClean, attest.NoNegative)
	members := Members(SubjectPunished, Agency)
	pack := attest.EncodePack(s.Pack(pb.PACK_SERIOUS, members, members))
	delta := attest.EncodeDelta(&pb.PackDelta{Base: bytes.Repeat([]byte{1}, 32), Pack: *s.Pack(pb.PACK_SERIOUS, nil, nil)})
	open := func(raw []byte) error { _, err := attest.DecodeBundle(raw); return err }
	verify := func(raw []byte) error { _, err := attest.Verify(raw, s.Trust(), p); return err }
	openPack := func(raw []byte) error {
		_, err := attest.OpenPack(raw, s.Trust(), policy("", attest.NoSerious))
		return err
	}
	apply := func(base, delta []byte) error { _, err := attest.ApplyDelta(base, delta); return err }
	noTrust := &attest.Trust{ChainID: "test"}
	restricted := func(salt []byte, section []byte) error {
		_, err := attest.OpenRestricted(attest.EncodeRestricted(&pb.RestrictedOpening{Salt: salt, Section: section}), Clean(SubjectClean))
		return err
	}

	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"a bundle of armor that is cut", "armor begins with", open([]byte("-----BEGIN XINLIAN ATTESTATION-----\nAAAA\n"))},
		{"armor without end", "armor begins with", verify(append([]byte("-----BEGIN XINLIAN ATTESTATION-----\n"), "AAAA\n"...))},
		{"armor that is too long", "bytes of text", open(append([]byte("-----"), make([]byte, attest.FileBytesMax)...))},
		{"no bundle", "E_MAGIC", open([]byte("no bundle"))},
		{"a bundle that is cut", "E_", open(file[:len(file)-1])},
		{"a bundle that is too long", "E_SIZE", open(append(bytes.Clone(file), make([]byte, pb.BundleManyBytesMax)...))},
		{"its JSON view", "JSON", open([]byte("  {\"header\": {}}"))},
		{"conversion of no bundle", "E_MAGIC", fail(attest.Convert([]byte("no"), attest.PinnedSet))},
		{"conversion to what is not there", "fetch it again", fail(attest.Convert(must(attest.Convert(file, attest.HeaderKnown)), attest.PinnedSet))},
		{"conversion to no form", "there is no form", fail(attest.Convert(file, "other"))},
		{"no trust file", "trust file", fail(attest.Verify(file, nil, p))},
		{"a trust file without anchor", "anchor.height", fail(attest.VerifyMany(file, noTrust, policy("", attest.NoNegative)))},
		{"the same for a pack", "anchor.height", fail(attest.OpenPack(pack, noTrust, policy("", attest.NoSerious)))},
		{"the same for an anchor proof", "anchor.height", fail(attest.OpenAnchorProof(nil, noTrust, p))},
		{"many, with no claim", "no claim", fail(attest.VerifyMany(file, s.Trust(), attest.Policy{Now: Time, MaxAge: time.Hour}))},
		{"a commitment with no code", "20 digits", fail(attest.CommitmentIs("123", pb.COMMITMENT_FULFILLED))},

		{"a pack for a bundle", "not a bundle but an offline pack", open(pack)},
		{"a delta for a bundle", "not a bundle but the delta", open(delta)},
		{"a proof for a bundle", "not a bundle but the proof of an anchor", open([]byte("XLN1"))},
		{"an opening for a bundle", "not a bundle but an opening", open([]byte("XLR1"))},
		{"nothing for a bundle", "not a bundle but an empty file", open(nil)},
		{"a bundle for a pack", "but a bundle", openPack(file)},
		{"a field that no bundle has", "E_ENCODING", open(append(bytes.Clone(file), 0x7a, 0))},
		{"a set with a short key", "key", fail(attest.NewValidatorSet([]attest.Validator{{PubKey: []byte{1}, Power: 1}}))},

		{"a pack that is a delta", "apply it first", openPack(delta)},
		{"a pack in gzip", "compress", openPack([]byte{0x1f, 0x8b, 8, 0})},
		{"a pack that is too long", "E_SIZE", openPack(append([]byte(attest.PackMagic), make([]byte, pb.PackBytesMax)...))},
		{"a delta that is a pack", "whole", apply(pack, pack)},
		{"a delta that is too long", "E_SIZE", apply(pack, append([]byte(attest.DeltaMagic), make([]byte, pb.PackBytesMax)...))},
		{"a pack of no message", "E_", openPack([]byte(attest.PackMagic + "\xff"))},

		{"a receipt that is too long", "more than 4096", fail(attest.OpenReceipt(make([]byte, 5000), nil))},
		{"an opening with a short salt", "the salt has not 32", restricted([]byte{1}, nil)},
		{"an opening of another section", "another section", restricted(make([]byte, 32), nil)},

		{"a chain id that cannot stand in a checkpoint", "", fail(attest.Checkpoint("a b", 1, attest.Hash{}))},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, c.err, c.want)
		}
	}
}

func fail[T any](_ T, err error) error { return err }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestTrustGuardsSay: each field of a trust file is refused by its name.
func TestTrustGuardsSay(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	spki := base64.StdEncoding.EncodeToString([]byte{0x30, 0})
	witness := fmt.Sprintf(`{"name": "w", "pub_key": %q}`, key)
	authority := fmt.Sprintf(`{"name": "a", "public_key": %q}`, spki)
	many := func(row string, n int) string { return "[" + strings.Repeat(row+",", n-1) + row + "]" }
	with := func(field, value string) string {
		var o map[string]json.RawMessage
		if err := json.Unmarshal(sample().Trust().Encode(), &o); err != nil {
			t.Fatal(err)
		}
		if value == "" {
			delete(o, field)
		} else {
			o[field] = json.RawMessage(value)
		}
		out, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, c := range []struct{ name, file, want string }{
		{"nothing", "", "an empty file"},
		{"a byte order mark", "\uFEFF{}", "byte order mark"},
		{"a bundle", "XLA1", "this is a bundle"},
		{"a list", "[]", "not a JSON object"},
		{"a key that is no text", `{1: 2}`, "trust file: not JSON"},
		{"a value that is none", `{"version": }`, "is not JSON"},
		{"too long", strings.Repeat(" ", 1<<20+1), "bytes, more than"},
		{"no version", with("version", ""), `"version" is missing`},
		{"version of another type", with("version", `"1"`), `"version" has another type`},
		{"a chain id of another type", with("chain_id", "1"), `"chain_id" has another type`},
		{"a chain id that is null", with("chain_id", "null"), `"chain_id" is null`},
		{"no end", with("not_after", ""), `"not_after" is missing`},
		{"an end that is a number", with("not_after", "1"), `"not_after" has another type`},
		{"an anchor that is a number", with("anchor", "1"), "anchor: not a JSON object"},
		{"an anchor without height", with("anchor", `{"header_hash": "00"}`), `anchor: field "height" is missing`},
		{"validators that are a number", with("validators", "[1]"), "validator 0: not a JSON object"},
		{"a validator with a key of another type", with("validators", `[{"pub_key": 1}]`), "validator 0: field"},
		{"no validators", with("validators", "[]"), "validators are needed"},
		{"too many validators", with("validators", many("{}", 4*pb.ValidatorsMax+1)), "validators, more than"},

		{"witnesses that are a list", with("witnesses", "[]"), "witnesses: not a JSON object"},
		{"no witnesses", with("witnesses", `{"required": 0, "keys": []}`), "keys are needed"},
		{"too many witnesses", with("witnesses", `{"required": 0, "keys": `+many(witness, 65)+`}`), "keys are needed"},
		{"a witness that is a text", with("witnesses", `{"required": 0, "keys": ["w"]}`), "witness 0: not a JSON object"},
		{"a witness without key", with("witnesses", `{"required": 0, "keys": [{"name": "w"}]}`), `witness 0: field "pub_key" is missing`},
		{"a witness whose key is no base64", with("witnesses", `{"required": 0, "keys": [{"name": "w", "pub_key": "?"}]}`), "witness 0: pub_key is not base64"},
		{"a witness with a bound before zero", with("witnesses", `{"required": 0, "within_seconds": -1, "keys": [`+witness+`]}`), "within_seconds"},

		{"time stamps that are a list", with("timestamps", "[]"), "timestamps: not a JSON object"},
		{"time stamps without number", with("timestamps", `{"authorities": []}`), `timestamps: field "required" is missing`},
		{"no authorities", with("timestamps", `{"required": 0, "authorities": []}`), "authorities are needed"},
		{"too many authorities", with("timestamps", `{"required": 0, "authorities": `+many(authority, 65)+`}`), "authorities are needed"},
		{"an authority that is a text", with("timestamps", `{"required": 0, "authorities": ["a"]}`), "authority 0: not a JSON object"},
		{"an authority without key", with("timestamps", `{"required": 0, "authorities": [{"name": "a"}]}`), `authority 0: field "public_key" is missing`},
		{"an authority whose key is no base64", with("timestamps", `{"required": 0, "authorities": [{"name": "a", "public_key": "?"}]}`), "authority 0: public_key is not base64"},
		{"an authority with a name of two words", with("timestamps", `{"required": 0, "authorities": [{"name": "a b", "public_key": `+fmt.Sprintf("%q", spki)+`}]}`), "authority 0: name"},
		{"an authority whose key is none", with("timestamps", `{"required": 0, "authorities": [`+authority+`]}`), "no SubjectPublicKeyInfo"},
	} {
		_, err := attest.ParseTrust([]byte(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}

	// What a program may set, and no file can hold.
	for name, change := range map[string]func(*attest.Trust){
		"not_after is not set":  func(t *attest.Trust) { t.NotAfter = time.Time{} },
		"validators are needed": func(t *attest.Trust) { t.Validators = nil },
		"1 to 64 keys":          func(t *attest.Trust) { t.Witnesses.Required = 1 },
		"1 to 64 authorities":   func(t *attest.Trust) { t.Stamps.Required = 1 },
		"timestamps: within_sec": func(t *attest.Trust) {
			t.Stamps = attest.Stamps{Within: -1, Authorities: []attest.Authority{{Name: "a"}}}
		},
		"witnesses: within_sec": func(t *attest.Trust) {
			t.Witnesses = attest.Witnesses{Within: time.Millisecond, Keys: make([]attest.Witness, 1)}
		},
	} {
		trust := sample().Trust()
		change(trust)
		if _, err := attest.NewVerifier(trust); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRotationGuardsSay: each field of a rotation file is refused by its name.
func TestRotationGuardsSay(t *testing.T) {
	trust := base64.StdEncoding.EncodeToString(sample().Trust().Encode())
	from := strings.Repeat("0", 64)
	key, sig := base64.StdEncoding.EncodeToString(make([]byte, 32)), base64.StdEncoding.EncodeToString(make([]byte, 64))
	for _, c := range []struct{ signature, want string }{
		{`1`, "signature 0: not a JSON object"},
		{`{}`, `signature 0: field "pub_key" is missing`},
		{`{"pub_key": "?", "signature": ""}`, "signature 0: pub_key is not base64"},
		{fmt.Sprintf(`{"pub_key": %q, "signature": "?"}`, key), "signature 0: signature is not base64"},
		{fmt.Sprintf(`{"pub_key": %q, "signature": %q}`, sig, key), "a key has 32 bytes"},
	} {
		file := fmt.Sprintf(`{"version": 1, "from": %q, "trust": %q, "signatures": [%s]}`, from, trust, c.signature)
		if _, _, _, err := attest.DecodeRotation([]byte(file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.signature, err, c.want)
		}
	}
}

// TestOpeningGuardsSay: what stands behind a right digest is held to its form as well.
func TestOpeningGuardsSay(t *testing.T) {
	digest := func(domain string, parts ...[]byte) []byte {
		h := sha256.Sum256(bytes.Join(append([][]byte{[]byte(domain)}, parts...), nil))
		return h[:]
	}
	salt := make([]byte, 32)
	short := pb.OpenedClass{Class: pb.DATA_GRADE, Salt: salt[:31]}
	short31 := pb.Encode(&pb.RestrictedSection{Classes: [][]byte{digest("xinlian/class/v1", []byte{1}, short.Salt)}})
	for want, o := range map[string]*pb.RestrictedOpening{
		"restricted section: section: ":        {Salt: salt, Section: []byte{0xff}},
		"the salt of class 1 has not 32 bytes": {Salt: salt, Section: short31, Opened: []pb.OpenedClass{short}},
	} {
		s := Clean(SubjectClean)
		s.Restricted = digest("xinlian/restricted/v1", o.Salt, o.Section)
		if _, err := attest.OpenRestricted(attest.EncodeRestricted(o), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestStandingGuardsSay: a standing that no state could hold is refused by its fault.
func TestStandingGuardsSay(t *testing.T) {
	incentive := func(change func(*pb.PublicIncentive)) func(*pb.Standing) {
		return func(s *pb.Standing) {
			s.Incentives = []pb.PublicIncentive{{Record: Sum("i"), List: "A", Issuer: Agency, State: pb.INCENTIVE_RECOGNISED}}
			s.Counts.Incentives = 1
			change(&s.Incentives[0])
		}
	}
	for _, c := range []struct {
		want   string // empty: nothing is wrong
		change func(*pb.Standing)
	}{
		{"", incentive(func(*pb.PublicIncentive) {})},
		{"an incentive has an impossible field", incentive(func(i *pb.PublicIncentive) { i.Record = i.Record[:31] })},
		{"an incentive has an impossible field", incentive(func(i *pb.PublicIncentive) { i.List = "" })},
		{"an incentive has an impossible field", incentive(func(i *pb.PublicIncentive) { i.Issuer = "1" })},
		{"an incentive has an impossible field", incentive(func(i *pb.PublicIncentive) { i.State = pb.INCENTIVE_RECOGNISED + 1 })},
		{"an incentive has an impossible field", incentive(func(i *pb.PublicIncentive) { i.State = 1 })},
		{"an incentive has an impossible field", incentive(func(i *pb.PublicIncentive) { i.ValidUntil = -1 })},
		{"too many incentives", func(s *pb.Standing) { s.Counts.Incentives, s.Counts.Noticed = 1<<32-1, 1<<32-1 }},
		{"other records", func(s *pb.Standing) { s.Counts.Others = 1 }},
		{"other records", func(s *pb.Standing) { s.OthersRoot = make([]byte, 31) }},
	} {
		s := Clean(SubjectClean)
		c.change(s)
		_, err := attest.Verify(Spec{Standings: []*pb.Standing{s}}.File(), Spec{}.Trust(), policy(SubjectClean, attest.Standing))
		switch {
		case c.want == "" && err != nil:
			t.Error(err)
		case c.want != "" && (attest.CodeOf(err) != attest.CodeStanding || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// TestCodeOfDigits: letters where a code has the digits of its region are refused, though the check character be right.
func TestCodeOfDigits(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	for at, letter := range map[int]byte{2: 'A', 7: 'Y', 9: 'I', 10: 'a'} {
		raw := []byte(SubjectClean)
		raw[at] = letter
		for _, check := range []byte(alphabet) {
			raw[17] = check
			if attest.CheckSubject(string(raw)) == nil {
				t.Errorf("%s is taken for a code", raw)
			}
		}
	}
}

// TestPackBlockForm: the part of a pack and of a delta that speaks of the block is held to the form that it has in a bundle.
func TestPackBlockForm(t *testing.T) {
	members := Members(SubjectPunished)
	for name, change := range map[string]func(*pb.Pack){
		"app hash":  func(p *pb.Pack) { p.Header.AppHash = p.Header.AppHash[:31] },
		"set":       func(p *pb.Pack) { p.Validators = pb.ValidatorSet{} },
		"signature": func(p *pb.Pack) { p.Commit.Signatures = p.Commit.Signatures[1:] },
		"log":       func(p *pb.Pack) { p.Log = p.Log[:31] },
	} {
		p := sample().Pack(pb.PACK_SERIOUS, members, members)
		change(p)
		_, err := attest.OpenPack(attest.EncodePack(p), sample().Trust(), policy("", attest.NoSerious))
		if attest.ExitCode(nil, err) != 1 || !strings.Contains(attest.CodeOf(err), "FORM") {
			t.Errorf("%s of a pack: %v", name, err)
		}
		if _, _, err := attest.PackRoot(attest.EncodePack(p)); err == nil {
			t.Errorf("%s: the pack has a root", name)
		}
		base := attest.EncodePack(sample().Pack(pb.PACK_SERIOUS, members, members))
		root := SetRoot(pb.PACK_SERIOUS, members)
		p.Members = nil
		_, err = attest.ApplyDelta(base, attest.EncodeDelta(&pb.PackDelta{Base: root[:], Pack: *p, Removed: members}))
		if attest.ExitCode(nil, err) != 1 || !strings.Contains(attest.CodeOf(err), "FORM") {
			t.Errorf("%s of a delta: %v", name, err)
		}
	}
}

// TestReceiptClasses: the classes of a receipt ascend and are known.
func TestReceiptClasses(t *testing.T) {
	for _, classes := range [][]pb.DataClass{{2, 1}, {1, 1}, {0}, {3}} {
		raw, _, _, _ := sampleReceipt()
		r := new(pb.QueryReceipt)
		if err := pb.Decode(raw, r); err != nil {
			t.Fatal(err)
		}
		r.Opened = classes
		if _, err := attest.OpenReceipt(pb.Encode(r), Sum("salt")); err == nil || !strings.Contains(err.Error(), "impossible field") {
			t.Errorf("%v: %v", classes, err)
		}
	}
}

// TestTooManyValidators: a set that no bundle can carry is no set of a trust file.
func TestTooManyValidators(t *testing.T) {
	trust := sample().Trust()
	one := trust.Validators[0]
	trust.Validators = nil
	for i := range pb.ValidatorsMax + 1 {
		one.PubKey, one.Power = Sum("validator", i), 1
		trust.Validators = append(trust.Validators, one)
	}
	if err := trust.Check(); err == nil || !strings.Contains(err.Error(), "validators") {
		t.Error(err)
	}
	trust.Validators = trust.Validators[1:]
	if err := trust.Check(); err != nil {
		t.Error(err)
	}
}
