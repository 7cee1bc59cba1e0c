package standing_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/attest/tree"
	"github.com/xinlian-ledger/xinlian/x/standing"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew; a changed line is a changed format: ask for a second reader")

// vectors is testdata/vectors.json: inputs, and what FORMAT.md makes of them. All content is made up.
type vectors struct {
	Note       string             `json:"note"`
	Secret     string             `json:"secret"`
	Standings  []standingVector   `json:"standings"`
	Restricted []restrictedVector `json:"restricted"`
	Files      []fileVector       `json:"files"`
	Rows       []rowVector        `json:"rows"`
	Buckets    []bucketVector     `json:"buckets"`
	Log        []logVector        `json:"log_entries"`
	Catalog    []catalogVector    `json:"catalog"`
	Packs      []packVector       `json:"packs"`
}

type standingVector struct {
	Name      string `json:"name"`
	Subject   string `json:"subject"`
	Standing  string `json:"standing"`
	Salt      string `json:"salt"`
	Key       string `json:"key"`
	Path      string `json:"path"`
	Value     string `json:"value"`
	ValueHash string `json:"value_hash"`
}

type classVector struct {
	Content string `json:"content"`
	Salt    string `json:"salt"`
	Digest  string `json:"digest"`
}

type restrictedVector struct {
	Name    string        `json:"name"`
	Subject string        `json:"subject"`
	Classes []classVector `json:"classes"`
	Section string        `json:"section"`
	Salt    string        `json:"salt"`
	Digest  string        `json:"digest"`
}

type fileVector struct {
	Subject string   `json:"subject"`
	Entries []string `json:"entries"`
	Leaves  []string `json:"leaves"`
	Root    string   `json:"root"`
	Key     string   `json:"key"`
	Value   string   `json:"value"`
}

type rowVector struct {
	Name      string `json:"name"`
	RowKey    string `json:"row_key"`
	Row       string `json:"row"`
	Key       string `json:"key"`
	Path      string `json:"path"`
	ValueHash string `json:"value_hash"`
}

type bucketVector struct {
	ExpiresAt    int64    `json:"expires_at"`
	Transactions []string `json:"transactions"`
	RowKey       string   `json:"row_key"`
	Row          string   `json:"row"`
}

type logVector struct {
	Size  uint64 `json:"size"`
	Root  string `json:"root"`
	Value string `json:"value"`
}

// catalogVector: the digest of a catalogue without rows, and after a change of it.
type catalogVector struct {
	Version uint64 `json:"version"`
	Before  string `json:"before"`
	Action  string `json:"action"`
	Digest  string `json:"digest"`
	Value   string `json:"value"`
}

// packVector: the codes of the members of both sets, beside a state tree of a root.
type packVector struct {
	State    string   `json:"state"`
	Serious  []string `json:"serious"`
	Negative []string `json:"negative"`
	Roots    []string `json:"roots"`
	Salts    []string `json:"salts"`
	Value    string   `json:"value"`
}

const (
	firm   = "91410100Y00100009T"
	agency = "11410100Y00001078U"
)

func sum(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

var hexa = hex.EncodeToString

// makeVectors follows FORMAT.md with SHA-256 and HMAC alone, and holds what the packages make against it.
func makeVectors(t *testing.T) vectors {
	secret := sum([]byte("a secret for samples"))
	v := vectors{
		Note:   "Made-up samples. Byte strings are hex; codes are synthetic; the secret is SHA-256 of published words.",
		Secret: hexa(secret),
	}
	section := func(name, uscc string, grade, commitments []byte) []byte {
		v0 := restrictedVector{Name: name, Subject: uscc}
		s := new(pb.RestrictedSection)
		for i, content := range [][]byte{grade, commitments} {
			class := []byte{byte(i + 1)}
			salt := mac(secret, []byte("xinlian/class/v1"), []byte(uscc), class, sum(content))
			digest := sum([]byte("xinlian/class/v1"), class, salt, content)
			if c := pb.DataClass(i + 1); hexa(standing.ClassSalt(secret, uscc, c, content)) != hexa(salt) || hexa(standing.ClassDigest(c, salt, content)) != hexa(digest) {
				t.Errorf("class %d of restricted section %s is not as FORMAT.md says", i+1, name)
			}
			s.Classes = append(s.Classes, digest)
			v0.Classes = append(v0.Classes, classVector{hexa(content), hexa(salt), hexa(digest)})
		}
		raw := pb.Encode(s)
		salt := mac(secret, []byte("xinlian/restricted/v1"), []byte(uscc), sum(raw))
		digest := sum([]byte("xinlian/restricted/v1"), salt, raw)
		if hexa(standing.RestrictedSalt(secret, uscc, raw)) != hexa(salt) || hexa(standing.RestrictedDigest(salt, raw)) != hexa(digest) {
			t.Errorf("restricted section %s is not as FORMAT.md says", name)
		}
		v0.Section, v0.Salt, v0.Digest = hexa(raw), hexa(salt), hexa(digest)
		v.Restricted = append(v.Restricted, v0)
		return digest
	}
	none := section("empty", firm, nil, nil)
	promise := pb.PublicCommitment{Code: "41010020260715000001", Type: 1, State: pb.COMMITMENT_SUPERVISED, MadeOn: 20649, Acceptor: agency}
	some := section("a grade and one commitment", firm,
		pb.Encode(&pb.RestrictedGrade{Grade: "A", Issuer: agency, AssessedOn: 20600, ValidUntil: 20965}),
		pb.Encode(&pb.RestrictedCommitments{Commitments: []pb.PublicCommitment{promise}}))
	id := x.RecordID("penalty", agency, "郑市监处罚〔2026〕7号", firm)
	for _, s := range []struct {
		name string
		st   *pb.Standing
	}{
		{"clean", &pb.Standing{Restricted: none, MayPromise: true}},
		{"one commitment, one in a range", &pb.Standing{
			Restricted: some, MayPromise: true, Commitments: []pb.PublicCommitment{promise}, Counts: pb.StandingCounts{Commitments: 1},
		}},
		{"a serious penalty", &pb.Standing{
			Restricted: none, Counts: pb.StandingCounts{Penalties: 1, Serious: 1},
			Penalties: []pb.PublicPenalty{{
				Record: id[:], DocNo: "郑市监处罚〔2026〕7号", Issuer: agency, Class: pb.SEVERITY_SERIOUS, Kinds: []uint32{3, 9},
				DecidedOn: 20649, MinUntil: 21014, MaxUntil: 21745,
			}},
		}},
		{"an incentive, another under notice", &pb.Standing{
			Restricted: none, MayPromise: true, Counts: pb.StandingCounts{Incentives: 1, Noticed: 1},
			Incentives: []pb.PublicIncentive{
				{Record: id[:], List: "HN28", Issuer: agency, State: pb.INCENTIVE_RECOGNISED, NoticeUntil: 20656, DecidedOn: 20658, ValidUntil: 21388},
				{Record: sum([]byte("later")), List: "NSA", Issuer: agency, State: pb.INCENTIVE_CHECKED, NoticeUntil: 20656, Objection: true},
			},
		}},
		{"lists behind roots", &pb.Standing{
			Restricted: none, MayPromise: true, Counts: pb.StandingCounts{Commitments: 700},
			CommitmentsRoot: sum([]byte{0}, pb.Encode(&promise)),
		}},
	} {
		s.st.Subject, s.st.Region, s.st.Category, s.st.Status = firm, "410100", 1, pb.SUBJECT_ACTIVE
		raw := pb.Encode(s.st)
		salt := mac(secret, []byte(firm), sum(raw))
		value := sum([]byte("xinlian/standing/v1"), salt, raw)
		key := append([]byte("S"), firm...)
		made := standing.LeafValue(standing.Salt(secret, firm, raw), raw)
		rowKey, hash, ok := x.LeafOfRow(secret, append([]byte{0x80}, firm...), raw)
		if hexa(made[:]) != hexa(value) || hexa(standing.LeafKey(firm)) != hexa(key) || !ok || hexa(rowKey) != hexa(key) || hexa(hash[:]) != hexa(sum(value)) {
			t.Errorf("standing %q is not as FORMAT.md says", s.name)
		}
		v.Standings = append(v.Standings, standingVector{s.name, firm, hexa(raw), hexa(salt), hexa(key), hexa(sum(key)), hexa(value), hexa(sum(value))})
	}

	// A file of three entries: two versions of a penalty after the subject.
	f := fileVector{Subject: firm}
	var leaves [][]byte
	var frontier tree.Frontier
	for i, row := range [][]byte{pb.Encode(&pb.Subject{Uscc: firm, Region: "410100", Category: 1, Status: 1}), []byte("version 1"), []byte("version 2")} {
		key := append([]byte{0x30}, firm...)
		if i > 0 {
			key = append(append([]byte{0x60}, firm...), id[:]...)
		}
		e := pb.Encode(&pb.FileEntry{Height: int64(i + 1), Table: uint32(key[0]), Key: sum(key), Digest: sum(row)})
		leaf := sum([]byte{0}, e)
		leaves = append(leaves, leaf)
		frontier.Append(tree.LogLeaf(e))
		f.Entries, f.Leaves = append(f.Entries, hexa(e)), append(f.Leaves, hexa(leaf))
	}
	root := sum([]byte{1}, sum([]byte{1}, leaves[0], leaves[1]), leaves[2])
	value := sum([]byte("xinlian/file/v1"), be64(3), root)
	key := append([]byte("F"), mac(secret, []byte(firm))...)
	r := frontier.Root()
	if hexa(r[:]) != hexa(root) || hexa(subject.FileLeafValue(3, r)) != hexa(value) || hexa(subject.FileLeafKey(secret, firm)) != hexa(key) {
		t.Error("the file is not as FORMAT.md says")
	}
	head := pb.Encode(&pb.FileHead{Size_: frontier.Size, Peaks: [][]byte{frontier.Peaks[0][:], frontier.Peaks[1][:]}})
	if k, hash, ok := x.LeafOfRow(secret, append([]byte{0x31}, firm...), head); !ok || hexa(k) != hexa(key) || hexa(hash[:]) != hexa(sum(value)) {
		t.Error("the leaf of a file head is not as FORMAT.md says")
	}
	f.Root, f.Key, f.Value = hexa(root), hexa(key), hexa(value)
	v.Files = append(v.Files, f)
	v.Log = append(v.Log,
		logVector{0, hexa(sum()), hexa(append(be64(0), sum()...))},
		logVector{3, hexa(root), hexa(append(be64(3), root...))})

	for _, row := range []struct {
		name string
		key  []byte
		row  []byte
	}{
		{"member", append([]byte{0x10}, agency...), pb.Encode(&pb.Member{Uscc: agency, Level: pb.LEVEL_PREFECTURE, Regions: []string{"410100"}, Name: "示例机关"})},
		{"parameter", append([]byte{0x20}, "minor_publish"...), pb.Encode(&pb.Param{Name: "minor_publish", Value: 1})},
		{"proposal", append([]byte{0x18}, be64(1)...), pb.Encode(&pb.Proposal{Id: 1, Proposer: agency, State: pb.PROPOSAL_OPEN})},
	} {
		leafKey := append([]byte("R"), row.key...)
		if k, hash, ok := x.LeafOfRow(secret, row.key, row.row); !ok || hexa(k) != hexa(leafKey) || hexa(hash[:]) != hexa(sum(row.row)) {
			t.Errorf("row %s is not as FORMAT.md says", row.name)
		}
		v.Rows = append(v.Rows, rowVector{row.name, hexa(row.key), hexa(row.row), hexa(leafKey), hexa(sum(leafKey)), hexa(sum(row.row))})
	}

	b := bucketVector{ExpiresAt: 1_790_000_000}
	digest := make([]byte, 32)
	for _, word := range []string{"first", "second"} {
		tx := sum([]byte(word))
		digest = sum(digest, tx)
		b.Transactions = append(b.Transactions, hexa(tx))
	}
	b.RowKey, b.Row = hexa(append([]byte{3}, be64(uint64(b.ExpiresAt/60))...)), hexa(pb.Encode(&pb.SeenBucket{Count: 2, Digest: digest}))
	v.Buckets = append(v.Buckets, b)

	before := sum([]byte("xinlian/catalog/v1\x00"))
	action := pb.Encode(&pb.Action{Sum: &pb.Action_SetParam{SetParam: &pb.Param{Name: "minor_publish", Value: 1}}})
	after := sum(before, sum(action))
	v.Catalog = append(v.Catalog,
		catalogVector{Version: 1, Digest: hexa(before), Value: hexa(append(be64(1), before...))},
		catalogVector{2, hexa(before), hexa(action), hexa(after), hexa(append(be64(2), after...))})

	for _, p := range []packVector{{}, {Negative: []string{firm}}, {Serious: []string{firm}, Negative: []string{agency, firm}}, {Negative: []string{firm}}} {
		var value []byte
		state := sum([]byte("state tree "), []byte{byte(len(v.Packs))})
		p.State = hexa(state)
		for i, codes := range [][]string{p.Serious, p.Negative} {
			leaf := sum([]byte("xinlian/pack/" + []string{"serious", "negative"}[i] + "/v1"))
			var paths [][]byte
			for _, code := range codes {
				paths = append(paths, sum(append([]byte("S"), code...)))
			}
			root := packRoot(paths, leaf, 0)
			domain := []byte("xinlian/pack/v1")
			salt := mac(secret, domain, []byte{byte(i + 1)}, state)
			p.Roots, p.Salts, value = append(p.Roots, hexa(root)), append(p.Salts, hexa(salt)), append(value, sum(domain, salt, root)...)
		}
		p.Value = hexa(value)
		v.Packs = append(v.Packs, p)
	}
	return v
}

// packRoot is the hash of the tree below a depth.
func packRoot(paths [][]byte, leaf []byte, depth int) []byte {
	switch len(paths) {
	case 0:
		return make([]byte, 32)
	case 1:
		return sum([]byte{0}, paths[0], leaf)
	}
	var sides [2][][]byte
	for _, p := range paths {
		bit := p[depth/8] >> (7 - depth%8) & 1
		sides[bit] = append(sides[bit], p)
	}
	return sum([]byte{1}, packRoot(sides[0], leaf, depth+1), packRoot(sides[1], leaf, depth+1))
}

// TestFormatVectors holds the vectors of FORMAT.md.
func TestFormatVectors(t *testing.T) {
	const path = "testdata/vectors.json"
	made := makeVectors(t)
	if *update {
		raw, err := json.MarshalIndent(made, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var have vectors
	if err := json.Unmarshal(raw, &have); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(have, made) {
		t.Errorf("%s is not what the test makes: a format has changed", path)
	}
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{"xinlian/standing/v1", "xinlian/restricted/v1", "xinlian/class/v1", "xinlian/file/v1", "xinlian/catalog/v1"} {
		if !strings.Contains(string(doc), `"`+domain+`"`) {
			t.Errorf("FORMAT.md does not name the domain %s", domain)
		}
	}
}
