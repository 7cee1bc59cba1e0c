package tree

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew; a changed line is a changed format")

// vectors is testdata/vectors.json: what a second implementation must agree
// with, byte for byte. All content is made up.
type vectors struct {
	Note   string        `json:"note"`
	Trees  []treeVector  `json:"trees"`
	Proofs []proofVector `json:"proofs"`
	Logs   []logVector   `json:"logs"`
	Apps   []appVector   `json:"app_hashes"`
}

type treeVector struct {
	Entries [][2]string `json:"entries"` // key, value: text
	Root    string      `json:"root"`
}

type proofVector struct {
	Name   string        `json:"name"`
	Expect string        `json:"expect"` // "valid", "malformed" or "false"
	Root   string        `json:"root"`
	Claims []claimVector `json:"claims"`
	Shape  string        `json:"shape"`
	Hashes string        `json:"hashes"`
}

type claimVector struct {
	Path      string `json:"path"`
	Present   bool   `json:"present"`
	ValueHash string `json:"value_hash"`
}

type logVector struct {
	Entries []string `json:"entries"` // text
	Peaks   []string `json:"peaks"`
	Root    string   `json:"root"`
}

type appVector struct {
	Entries [][2]string `json:"entries"` // name, value: text
	Hash    string      `json:"hash"`
}

func TestVectors(t *testing.T) {
	file := filepath.Join("testdata", "vectors.json")
	want := makeVectors(t).text(t)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what this code computes; a deployed ledger cannot change it", file)
	}
	// The file itself is then held against the verifier, as another
	// implementation would do it.
	var v vectors
	if err := json.Unmarshal(got, &v); err != nil {
		t.Fatal(err)
	}
	for _, p := range v.Proofs {
		claims := make([]Claim, len(p.Claims))
		for i, c := range p.Claims {
			claims[i] = Claim{hashText(t, c.Path), hashText(t, c.ValueHash), c.Present}
		}
		err := Verify(hashText(t, p.Root), claims, Proof{bytesText(t, p.Shape), bytesText(t, p.Hashes)})
		verdict := "valid"
		switch {
		case errors.Is(err, ErrMalformed):
			verdict = "malformed"
		case err != nil:
			verdict = "false"
		}
		if verdict != p.Expect {
			t.Errorf("proof %q: %s (%v), want %s", p.Name, verdict, err, p.Expect)
		}
	}
}

// text is the file: JSON with one vector a line, so that a diff names vectors.
func (v vectors) text(t *testing.T) []byte {
	one := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var lists []string
	list := func(name string, lines []string) {
		lists = append(lists, fmt.Sprintf("%q: [\n %s\n]", name, strings.Join(lines, ",\n ")))
	}
	lists = append(lists, fmt.Sprintf("%q: %s", "note", one(v.Note)))
	list("trees", each(v.Trees, one))
	list("proofs", each(v.Proofs, one))
	list("logs", each(v.Logs, one))
	list("app_hashes", each(v.Apps, one))
	return []byte("{\n" + strings.Join(lists, ",\n") + "\n}\n")
}

func each[T any](list []T, f func(any) string) (out []string) {
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func makeVectors(t *testing.T) vectors {
	v := vectors{Note: "Made-up samples. Hashes and byte strings are hex; keys, values and log entries are text."}
	entries := make([][2]string, 12)
	for i := range entries {
		entries[i] = [2]string{fmt.Sprintf("key %d", i), fmt.Sprintf("value %d", i)}
	}
	leavesOf := func(entries [][2]string) (leaves []Leaf) {
		for _, e := range entries {
			leaves = append(leaves, Leaf{PathOf([]byte(e[0])), ValueHash([]byte(e[1]))})
		}
		return leaves
	}
	for _, n := range []int{0, 1, 2, 3, 12} {
		v.Trees = append(v.Trees, treeVector{entries[:n:n], hexText(RootOfLeaves(leavesOf(entries[:n])))})
	}

	leaves := leavesOf(entries)
	src, root := newPlainTree(leaves), RootOfLeaves(leaves)
	add := func(name, expect string, root Hash, claims []Claim, p Proof) {
		out := proofVector{Name: name, Expect: expect, Root: hexText(root), Claims: []claimVector{}, Shape: hex.EncodeToString(p.Shape), Hashes: hex.EncodeToString(p.Hashes)}
		for _, c := range claims {
			out.Claims = append(out.Claims, claimVector{hexText(c.Path), c.Present, hexText(c.ValueHash)})
		}
		v.Proofs = append(v.Proofs, out)
	}
	sorted := func(keys ...string) (paths []Hash) {
		for _, k := range keys {
			paths = append(paths, PathOf([]byte(k)))
		}
		slices.SortFunc(paths, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
		return paths
	}
	one, oneProof := mustProve(t, src, sorted("key 3"))
	// The first absent key of each sort of ending.
	var empty, foreign string
	for i := 0; empty == "" || foreign == ""; i++ {
		key := fmt.Sprintf("absent %d", i)
		if endOf(src, PathOf([]byte(key))) == NoRef {
			empty = cmp.Or(empty, key)
		} else {
			foreign = cmp.Or(foreign, key)
		}
	}
	add("one present", "valid", root, one, oneProof)
	for _, k := range []struct{ name, key string }{{"one absent, empty place", empty}, {"one absent, another leaf's place", foreign}} {
		claims, p := mustProve(t, src, sorted(k.key))
		add(k.name, "valid", root, claims, p)
		said := slices.Clone(claims)
		said[0].Present = true
		add(k.name+", said to be present", "false", root, said, p)
	}
	mixed, mixedProof := mustProve(t, src, sorted("key 0", "key 5", "key 11", empty, foreign))
	add("mixed", "valid", root, mixed, mixedProof)
	var all []string
	for _, e := range entries {
		all = append(all, e[0])
	}
	allClaims, allProof := mustProve(t, src, sorted(all...))
	add("all leaves", "valid", root, allClaims, allProof)
	single := newPlainTree(leaves[:1])
	lone, loneProof := mustProve(t, single, sorted("key 0"))
	add("tree of one leaf", "valid", single.hashOf(single.Root()), lone, loneProof)
	twins := []Leaf{{Hash{31: 0}, Hash{1}}, {Hash{31: 1}, Hash{2}}}
	deep, deepProof := mustProve(t, newPlainTree(twins), []Hash{{31: 1}})
	add("depth 256", "valid", RootOfLeaves(twins), deep, deepProof)

	absent := []Claim{{Path: one[0].Path}}
	add("present, said to be absent", "false", root, absent, oneProof)
	other := slices.Clone(one)
	other[0].ValueHash = ValueHash([]byte("other"))
	add("another value", "false", root, other, oneProof)
	add("another root", "false", RootOfLeaves(leaves[:11]), one, oneProof)
	add("zero root", "false", Empty, []Claim{{Path: one[0].Path}}, Proof{Shape: shapeOf("000")})
	add("own leaf as a foreign one", "false", root, absent, ownAsForeign(oneProof, leaves[3]))
	add("no claims", "malformed", root, nil, oneProof)
	add("a claim twice", "malformed", root, []Claim{one[0], one[0]}, oneProof)
	add("claims out of order", "malformed", root, []Claim{mixed[1], mixed[0], mixed[2], mixed[3], mixed[4]}, mixedProof)
	valued := slices.Clone(absent)
	valued[0].ValueHash = one[0].ValueHash
	add("absent claim with a value hash", "malformed", root, valued, oneProof)
	add("surplus shape byte", "malformed", root, one, Proof{append(slices.Clone(oneProof.Shape), 0), oneProof.Hashes})
	filled := slices.Clone(oneProof.Shape)
	filled[len(filled)-1] |= 1
	add("filling bit set", "malformed", root, one, Proof{filled, oneProof.Hashes})
	add("shape cut", "malformed", root, one, Proof{oneProof.Shape[:len(oneProof.Shape)-1], oneProof.Hashes})
	add("surplus hash", "malformed", root, one, Proof{oneProof.Shape, append(slices.Clone(oneProof.Hashes), make([]byte, 32)...)})
	add("hash cut", "malformed", root, one, Proof{oneProof.Shape, oneProof.Hashes[:len(oneProof.Hashes)-1]})
	zeroed := slices.Clone(oneProof.Hashes)
	clear(zeroed[:32])
	add("empty side given as a hash", "malformed", root, one, Proof{oneProof.Shape, zeroed})
	add("terminal 01", "malformed", root, one, Proof{Shape: shapeOf("001")})
	add("branch over a lone leaf", "malformed", root, []Claim{{Hash{}, Hash{1}, true}}, Proof{Shape: shapeOf("1 010 0")})
	add("branch over nothing", "malformed", root, []Claim{{}}, Proof{Shape: shapeOf("1 000 0")})
	outside := Hash{0x80}
	add("foreign leaf outside its subtree", "malformed", root, []Claim{{}},
		Proof{shapeOf("1 011 1"), slices.Concat(outside[:], outside[:], outside[:])})
	add("too deep", "malformed", root, []Claim{{}}, Proof{Shape: bytes.Repeat([]byte{0xff}, 40)})

	for _, n := range []int{0, 1, 2, 3, 7, 8} {
		var f Frontier
		lv := logVector{Entries: []string{}, Peaks: []string{}}
		for i := range n {
			text := fmt.Sprintf("record %d", i)
			lv.Entries = append(lv.Entries, text)
			f.Append(LogLeaf([]byte(text)))
		}
		for _, p := range f.Peaks {
			lv.Peaks = append(lv.Peaks, hexText(p))
		}
		lv.Root = hexText(f.Root())
		v.Logs = append(v.Logs, lv)
	}
	for _, pairs := range [][][2]string{{}, {{"state", "one"}}, {{"catalog", "c"}, {"log", "l"}, {"pack", ""}, {"state", "s"}}} {
		var list []Entry
		for _, p := range pairs {
			list = append(list, Entry{p[0], []byte(p[1])})
		}
		v.Apps = append(v.Apps, appVector{pairs, hexText(AppHash(list))})
	}
	return v
}

// endOf is where the way to path ends: at a leaf or at NoRef.
func endOf(src *plainTree, path Hash) Ref {
	ref := src.Root()
	for depth := 0; ref != NoRef; depth++ {
		l, r, ok := src.Children(ref)
		if !ok {
			break
		}
		if ref = l; Bit(&path, depth) == 1 {
			ref = r
		}
	}
	return ref
}

// ownAsForeign turns the proof that a leaf is there into one that presents the
// same leaf as a foreign one.
func ownAsForeign(p Proof, leaf Leaf) Proof {
	// Read the shape as text, find the terminal, and put the leaf at its place
	// among the hashes: after those of the 0 sides that were passed.
	var w prover
	in := walk{shape: p.Shape}
	at := 0
	for depth := 0; ; depth++ {
		branch, _ := in.bit()
		if !branch {
			break
		}
		w.bit(1)
		if Bit(&leaf.Path, depth) == 1 {
			given, _ := in.bit()
			if given {
				w.bit(1)
				at += 32
			} else {
				w.bit(0)
			}
		}
	}
	in.bits += 2 // 10 becomes 11
	w.bit(0, 1, 1)
	for in.bits < 8*len(p.Shape) {
		if set, _ := in.bit(); set {
			w.bit(1)
		} else {
			w.bit(0) // also the filling, so that the length stays the same
		}
	}
	hashes := slices.Concat(p.Hashes[:at], leaf.Path[:], leaf.ValueHash[:], p.Hashes[at:])
	return Proof{w.shape, hashes}
}

func hexText(h Hash) string { return hex.EncodeToString(h[:]) }

func bytesText(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hashText(t *testing.T, s string) Hash {
	t.Helper()
	b := bytesText(t, s)
	if len(b) != 32 {
		t.Fatalf("%q is not 32 bytes", s)
	}
	return Hash(b)
}
