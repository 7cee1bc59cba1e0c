package attest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// family is a way in which a verifier has gone wrong, here or elsewhere. Vectors are names, or beginnings of names that end in *.
type family struct {
	n       int
	what    string
	vectors string
	note    string // where no vector shows it: why, or which test does
}

var families = []family{
	{1, "exactly two thirds", "sig-two-thirds-* pinned-two-of-four sig-half sig-one-of-four", ""},
	{2, "one validator twice", "set-key-twice* sig-copied", ""},
	{3, "a signature under another validator", "sig-swapped sig-copied sig-outsiders sig-other-signers pinned-other-signers", ""},
	{4, "another chain id", "sig-of-another-chain trust-other-* step-of-another-chain pinned-chain-moved known-header-of-other-chain witness-of-another-chain", ""},
	{5, "nil or absent votes counted", "sig-nil-votes sig-prevotes sig-none ok-nil-and-absent-votes", ""},
	{6, "votes for another block, height or round; a tail that nobody checks", "sig-of-* sig-other-round sig-other-parts sig-votes-of-next-height sig-one-too-many sig-bad-one-too-many sig-surplus-signature sig-zero sig-header-time-moved sig-app-version-moved sig-parts-hash-short sig-no-parts sig-negative-round pinned-height-moved pinned-time-moved pinned-step-signature", ""},
	{7, "a set that the header does not name, or that cannot be", "set-* pinned-set-hash-moved pinned-empty-set pinned-unknown-set* known-header-of-unknown-set", ""},
	{8, "the app hash of H taken for that of H-1", "path-app-hash-of-own-height", ""},
	{9, "a header beyond the tip", "future trust-forged-chain known-future", ""},
	{10, "header time skewed; vote times that do not fit", "future* sig-time-* sig-times-swapped sig-other-time step-header-back-in-time witness-before-the-header witness-from-the-future", ""},
	{11, "a retired set, an expired trust", "trust-key-* trust-retired-* trust-ranges-* trust-edge-* trust-text-end-before-1970-in-utc trust-expired trust-set-ended trust-set-not-begun pinned-set-ended", ""},
	{12, "steps skipped, out of order, with another next set", "step-* pinned-step-next pinned-steps-last-set-known trust-set-changed-without-steps", ""},
	{13, "a bitmap that does not fit", "sig-bitmap-* sig-time-missing sig-half-a-signature sig-of-nobody pinned-surplus-bit", ""},
	{14, "part index and proof index", "", "bundles carry no parts of blocks"},
	{15, "an unset root", "trust-anchor-unset path-empty-tree path-zero-hash trust-anchor-short", ""},
	{16, "ed25519 at its edges: small order, encodings that are not canonical, S not reduced", "sig-s-not-reduced zip215-* ok-zip215-*", "`TestSmallOrderKeys`, `TestEdgesAgainstTheEngine` besides"},
	{17, "one bad signature in a batch", "sig-zero sig-wrong-of-one pinned-signature pinned-last-signature", ""},
	{18, "BLS", "", "no BLS"},
	{19, "another suite, another length of key", "set-key-short set-key-surplus trust-key-of-33", "there is one suite and no choice of it"},
	{20, "witnesses and time stamps: strangers counted, one twice, another header, no time", "witness-* trust-witness-* stamp-* trust-stamp-*", ""},
	{21, "an inner node as a leaf", "path-leaf-is-root standing-two-hashes", ""},
	{22, "two children, one of them ignored", "path-hash-surplus path-shape-surplus", ""},
	{23, "bytes that nobody hashes", "parse-trailing-* parse-unknown-* path-byte-surplus known-trailing-byte known-beside-* parse-two-bundles", "`TestEveryBit` besides"},
	{24, "prefixes that overlap a child", "", "nodes have one fixed form, named by a tag"},
	{25, "absence from neighbours that are none", "path-other-absent path-present-as-absent known-present-as-absent", "position is the key: there are no neighbours"},
	{26, "absence by one's own leaf; a leaf that is not on the path", "path-own-leaf-as-foreign path-other-absent path-absent-as-present", ""},
	{27, "the empty node taken for a leaf", "path-zero-hash path-empty-tree", ""},
	{28, "multiproofs: surplus hashes, one index twice", "path-entry-* path-entries-swapped path-hash-surplus path-hash-missing path-hash-moved path-hash-short path-hashes-swapped path-state-of-other-bundle", ""},
	{29, "many proofs for one fact", "path-shape-surplus path-hash-surplus path-thin-branch sig-one-too-many parse-long-varint armor-*", ""},
	{30, "a value of two hashes; doubled odd levels", "standing-two-hashes path-entry-twice", ""},
	{31, "degenerate paths", "path-empty path-no-shape known-no-shape path-no-hashes path-leaf-is-root path-absent-as-present", ""},
	{32, "too deep, too large", "path-too-deep path-very-deep size-* set-too-many trust-ranges-*", ""},
	{33, "input that makes a verifier panic", "parse-* sig-time-out-of-range standing-count-wraps set-power-wraps", "fuzz targets besides"},
	{34, "a proof of something else than was asked", "subject-* standing-of-another-subject path-other-subject known-other-height-given known-not-given-subject", ""},
	{35, "a root that no signature covers", "path-bare-root-as-app-hash sig-app-hash-of-a-forger pinned-app-hash-moved known-hash-moved known-rival-given known-not-given path-*-moved pinned-path-moved pinned-no-* known-*-moved known-log-moved known-none known-empty known-not-given-* known-hash-3* known-height-*", ""},
	{36, "what cannot be decided taken for absent", "no-undecidable path-present-as-absent standing-root-of-nothing", ""},
	{37, "two systems of proof that disagree", "known-rival-given", "there is one proof of the state; `TestDecodersAgree` and `TestForms` hold the ways to it together"},
	{38, "one key in two spellings", "form-subject-* asked-* form-no-subject", ""},
	{39, "a record of another kind in its place", "standing-commitment standing-unknown-field path-log-as-pack", ""},
	{40, "counts that hide what is listed; what is not shown taken for none", "standing-count-* standing-*root* standing-more-breaches path-one-penalty-less path-other-salt path-other-standing", ""},
	{41, "valid and stale", "stale* *-stale trust-younger", ""},
	{42, "replay from a test net, or from a chain made again under its id", "trust-other-net trust-other-anchor* pinned-unknown-set-anchor", ""},
	{43, "traces of goods", "", "no such proofs yet"},
	{44, "an evidence file swapped", "witness-of-another-header", "other evidence travels by its digest inside the standing"},
	{45, "trailing bytes, one field twice, long numbers", "parse-* known-twice known-trailing-byte known-empty-shape trust-field-twice trust-text-* trust-two-objects trust-unknown-field trust-null trust-no-end", ""},
	{46, "versions and extensions", "version-* armor-version-2 parse-unknown-* trust-version-2 trust-text-version-*", ""},
	{47, "armor", "armor-*", ""},
	{48, "a trust file in the bundle, a cache that was tampered with", "parse-trust-embedded known-header-forged known-header-only-named", "`TestHeaderOfAnother` and `TestRemembers` besides"},
	{49, "offline packs", "", "`../packs` (`TestPackVectors`)"},
	{50, "a verifier that speaks to the network", "", "`TestOffline` runs the corpus in a network namespace without one"},
}

func (f *family) has(name string) bool {
	return slices.ContainsFunc(strings.Fields(f.vectors), func(p string) bool {
		switch parts := strings.Split(p, "*"); {
		case len(parts) == 1:
			return p == name
		default:
			rest, ok := strings.CutPrefix(name, parts[0])
			if !ok || !strings.HasSuffix(rest, parts[len(parts)-1]) {
				return false
			}
			return len(parts) == 2 || strings.Contains(rest, parts[1])
		}
	})
}

// corpusReadme gives each vector its families and writes the README of the corpus. A refused vector without one is a mistake.
func corpusReadme(t *testing.T, made []vector) []byte {
	t.Helper()
	count := make(map[int]int)
	for i := range made {
		v := &made[i]
		var in []string
		for j := range families {
			if f := &families[j]; f.has(v.Name) {
				in = append(in, fmt.Sprint(f.n))
				count[f.n]++
			}
		}
		v.Family = strings.Join(in, " ")
		if v.Family == "" {
			if v.Exit != 0 && v.Exit != 6 && !strings.HasPrefix(v.Name, "form-") && !strings.HasPrefix(v.Name, "standing-") {
				t.Errorf("%s belongs to no family", v.Name)
			}
			v.Family = "-"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Vectors

Each file `+"`NAME.xlv`"+` is one bundle with one fault, or with none, and what a verifier must say of it. It is written by
`+"`go test ./x/attest -run TestVectors -update`"+` from valid bundles, and read by every implementation.

A file is the line `+"`%s`"+`, rows `+"`key: value`"+`, an empty line, and then the bundle byte for byte (`+"`sed '1,/^$/d' NAME.xlv`"+` gives it).

| row | meaning |
|---|---|
| `+"`expect`"+` | exit code, then the code of the refusal or verdict; `+"`*`"+` = any code |
| `+"`family`"+` | numbers of the table below; `+"`-`"+` = none |
| `+"`trust`"+` | trust file |
| `+"`header`"+` | a header bundle that is given beside the bundle; may occur several times |
| `+"`witness`"+` | witness file |
| `+"`stamp`"+` | a time stamp; may occur several times |
| `+"`subject`, `claim`, `max-age`, `at`"+` | the policy |

Keys and records are synthetic. %d vectors.

| family | what goes wrong | vectors |
|---|---|---|
`, vectorMark, len(made))
	for i := range families {
		f := &families[i]
		var names []string
		for _, p := range strings.Fields(f.vectors) {
			names = append(names, "`"+p+"`")
		}
		text := strings.Join(names, " ")
		switch n := count[f.n]; {
		case f.vectors != "" && n == 0:
			t.Errorf("family %d has no vector", f.n)
		case n > 0:
			text = fmt.Sprintf("%d: %s", n, text)
		}
		if f.note != "" {
			text = strings.TrimPrefix(text+"; "+f.note, "; ")
		}
		fmt.Fprintf(&b, "| %d | %s | %s |\n", f.n, f.what, text)
	}
	b.WriteString("\nForms (`form-*`) and standings (`standing-*`) without a family hold each field to what it may be.\n")
	return []byte(b.String())
}
