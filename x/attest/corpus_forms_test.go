package attest_test

import (
	"bytes"
	stded25519 "crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

func convert(raw []byte, to attest.Form) []byte {
	out, err := attest.Convert(raw, to)
	if err != nil {
		panic(err)
	}
	return out
}

// changed is a bundle file with one change of what it decodes to.
func changed(raw []byte, change func(b *pb.Bundle)) []byte {
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		panic(err)
	}
	change(b)
	return attest.EncodeBundle(b)
}

func (c *corpus) bundleForms(base, steps Spec) {
	full := base.File()
	pinned, named := convert(full, attest.PinnedSet), convert(full, attest.HeaderKnown)
	late := Time.Add(48 * time.Hour).Format(time.RFC3339Nano)

	// Pinned-set.
	c.add("ok-pinned", 0, "OK", base, pinned)
	c.add("ok-pinned-steps", 0, "OK", steps, convert(steps.File(), attest.PinnedSet))
	twentyOne := base
	twentyOne.Set, twentyOne.Depth, twentyOne.Noise = Equal("set of 21", 21), 24, 0
	c.add("ok-pinned-21", 0, "OK", twentyOne, convert(twentyOne.File(), attest.PinnedSet)).by("validators-21", twentyOne.Trust())
	pin := func(name, code string, change func(b *pb.Bundle)) *vector {
		return c.add("pinned-"+name, 1, code, base, changed(pinned, change))
	}
	pin("signature", "E_SIG", func(b *pb.Bundle) { b.Commit.Signatures[70] ^= 1 })
	pin("other-signers", "E_SIG", func(b *pb.Bundle) { b.Commit.Signers[0] = 0xd0 })
	pin("two-of-four", "E_SIG_QUORUM", func(b *pb.Bundle) { keep(b, 0xc0, 2) })
	pin("surplus-bit", "E_COMMIT_FORM", func(b *pb.Bundle) { b.Commit.Signers[0] = 0xe8 })
	pin("time-moved", "E_SIG", func(b *pb.Bundle) { b.Header.TimeSeconds++ })
	pin("app-hash-moved", "E_SIG", func(b *pb.Bundle) { b.Header.AppHash[0] ^= 1 })
	pin("height-moved", "E_SIG", func(b *pb.Bundle) { b.Header.Height++ })
	pin("chain-moved", "E_CHAIN", func(b *pb.Bundle) { b.Header.ChainId = "test-attesu" })
	pin("path-moved", "E_APP_HASH", func(b *pb.Bundle) { b.Hashes[5] ^= 1 })
	pin("no-commit", "E_FORM", func(b *pb.Bundle) { b.Commit = nil })
	pin("no-header", "E_FORM", func(b *pb.Bundle) { b.Header = nil })
	pin("empty-set", "E_SET_FORM", func(b *pb.Bundle) { b.Validators = new(pb.ValidatorSet) })
	// What the form cannot tell from a set that the trust file does not have.
	pin("set-hash-moved", "E_TRUST_SET", func(b *pb.Bundle) { b.Header.ValidatorsHash[0] ^= 1 }).Exit = 4
	other := base
	other.Set = Equal("z", 4)
	c.add("pinned-unknown-set", 4, "E_TRUST_SET", base, convert(other.File(), attest.PinnedSet))
	// … and even then what can be found wrong is said first.
	c.add("pinned-unknown-set-path", 1, "E_APP_HASH", base, changed(convert(other.File(), attest.PinnedSet), func(b *pb.Bundle) { b.Hashes[5] ^= 1 }))
	c.add("pinned-unknown-set-anchor", 1, "E_ANCHOR", base, convert(other.File(), attest.PinnedSet)).by("anchor-at-header", func() *attest.Trust {
		t := base.Trust()
		t.Anchor.Height = 101
		return t
	}())
	ended := base.Trust()
	ended.Validators = Equal("a", 4).Trusted(1, 100)
	c.add("pinned-set-ended", 4, "E_TRUST_SET", base, pinned).by("set-ended", ended)
	// The set of the last header does not do: the first would be signed by nobody who is known.
	last := steps.Trust()
	last.Validators = steps.LastSet().Trusted(1, 0)
	c.add("pinned-steps-last-set-known", 4, "E_TRUST_SET", steps, convert(steps.File(), attest.PinnedSet)).by("last-set", last)
	stepped := convert(steps.File(), attest.PinnedSet)
	c.add("pinned-step-signature", 1, "E_SIG", steps, changed(stepped, func(b *pb.Bundle) { b.Steps[0].Commit.Signatures[3] ^= 1 }))
	c.add("pinned-step-next", 1, "E_STEP_NEXT", steps, changed(stepped, func(b *pb.Bundle) { b.Steps[0].Next.Powers[0]++ }))
	c.add("pinned-last-signature", 1, "E_SIG", steps, changed(stepped, func(b *pb.Bundle) { b.Commit.Signatures[3] ^= 1 }))
	c.add("pinned-stale", 3, "E_STALE", base, pinned).At = late

	// Header-known.
	head := func(v *vector) *vector { return v.with("header-101", full) }
	head(c.add("ok-known", 0, "OK", base, named))
	c.add("ok-known-from-pinned", 0, "OK", base, named).with("header-101-pinned", pinned)
	second := base
	second.Height = 102
	head(c.add("ok-known-of-two", 0, "OK", base, named).with("header-102", second.File()))
	absent := Spec{Asked: []string{SubjectAbsent}, Noise: 20}
	c.add("ok-known-absent", 0, "OK", absent, convert(absent.File(), attest.HeaderKnown)).with("header-absent", absent.File())
	// One header serves every subject of its state.
	many := Spec{
		Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_GENERAL)},
		Asked:     []string{SubjectClean}, Noise: 40,
	}
	one := many
	one.Asked = []string{SubjectPunished}
	c.add("no-known-negative", 6, "E_CLAIM", many, convert(one.File(), attest.HeaderKnown)).with("header-many", many.File()).Subject = SubjectPunished
	know := func(name, code string, change func(b *pb.Bundle)) *vector {
		return head(c.add("known-"+name, 1, code, base, changed(named, change)))
	}
	know("hash-moved", "E_HEADER", func(b *pb.Bundle) { b.Known.Hash[0] ^= 1 })
	know("height-moved", "E_HEADER", func(b *pb.Bundle) { b.Known.Height++ })
	know("height-zero", "E_FORM", func(b *pb.Bundle) { b.Known.Height = 0 })
	know("height-negative", "E_FORM", func(b *pb.Bundle) { b.Known.Height = -101 })
	know("hash-31", "E_FORM", func(b *pb.Bundle) { b.Known.Hash = b.Known.Hash[:31] })
	know("hash-33", "E_FORM", func(b *pb.Bundle) { b.Known.Hash = append(b.Known.Hash, 0) })
	know("empty", "E_FORM", func(b *pb.Bundle) { b.Known = new(pb.HeaderRef) })
	know("none", "E_FORM", func(b *pb.Bundle) { b.Known = nil })
	know("beside-a-set", "E_FORM", func(b *pb.Bundle) { b.Validators = Equal("a", 4).PB() })
	know("path-moved", "E_APP_HASH", func(b *pb.Bundle) { b.Hashes[5] ^= 1 })
	know("salt-moved", "E_APP_HASH", func(b *pb.Bundle) { b.Entries[0].Salt[0] ^= 1 })
	know("log-moved", "E_APP_HASH", func(b *pb.Bundle) { b.Log[0] ^= 1 })
	know("present-as-absent", "E_PATH", func(b *pb.Bundle) { b.Entries[0].Standing, b.Entries[0].Salt = nil, nil })
	head(c.add("known-beside-a-header", 1, "E_FORM", base, changed(full, func(b *pb.Bundle) {
		b.Known = &pb.HeaderRef{Height: 101, Hash: Sum("x")}
	})))
	head(c.add("known-trailing-byte", 1, "E_ENCODING", base, append(bytes.Clone(named), 0)))
	head(c.add("known-twice", 1, "E_ENCODING", base, append(bytes.Clone(named), named[bytes.LastIndexByte(named[:len(named)-35], 0x5a):]...)))
	// A field that is there and empty is no encoding, whatever a path without it would lead to.
	shapeless := changed(named, func(b *pb.Bundle) { b.Shape = nil })
	behind := len(attest.EncodeBundle(&pb.Bundle{Hashes: base.Bundle().Hashes, Known: &pb.HeaderRef{Height: 101, Hash: make([]byte, 32)}})) - 4
	head(c.add("known-no-shape", 1, "E_PATH", base, shapeless))
	at := len(shapeless) - behind
	head(c.add("known-empty-shape", 1, "E_ENCODING", base, slices.Concat(shapeless[:at], []byte{0x4a, 0}, shapeless[at:])))
	// The header of another state, of another height, of forgers; none.
	c.add("known-not-given", 4, "E_HEADER_UNKNOWN", base, named)
	c.add("known-other-height-given", 4, "E_HEADER_UNKNOWN", base, named).with("header-102", second.File())
	c.add("known-not-given-path", 1, "E_PATH", base, changed(named, func(b *pb.Bundle) { b.Hashes = b.Hashes[:len(b.Hashes)-1] }))
	c.add("known-not-given-standing", 1, "E_STANDING", base, changed(named, func(b *pb.Bundle) { b.Entries[0].Standing = []byte("x") }))
	c.add("known-not-given-subject", 1, "E_SUBJECT", base, named).Subject = SubjectMany
	c.add("known-not-given-expired", 4, "E_TRUST_EXPIRED", base, named).At = Time.AddDate(2, 0, 0).Format(time.RFC3339Nano)
	rival := base
	rival.Edit = func(h *cmttypes.Header) { h.DataHash = Sum("x") }
	c.add("known-rival-given", 1, "E_HEADER", base, named).with("header-101-rival", rival.File())
	c.add("known-header-forged", 1, "E_SIG", base, named).with("header-101-forged", changed(full, func(b *pb.Bundle) { b.Commit.Signatures[0] ^= 1 }))
	c.add("known-header-of-other-chain", 1, "E_CHAIN", base, named).with("header-other-chain", func() []byte { s := base; s.ChainID = "test-other"; return s.File() }())
	c.add("known-header-only-named", 1, "E_FORM", base, named).with("header-named", named)
	c.add("known-header-of-unknown-set", 4, "E_TRUST_SET", base, convert(other.File(), attest.HeaderKnown)).with("header-z", other.File())
	head(c.add("known-stale", 3, "E_STALE", base, named)).At = late
	head(c.add("known-future", 1, "E_HEADER_FUTURE", base, named)).At = Time.Add(-2 * time.Minute).Format(time.RFC3339Nano)
}

func (c *corpus) armor(base Spec) {
	raw := base.File()
	text := string(attest.Armor(raw))
	c.file("ok-armor", 0, "OK", []byte(text))
	c.file("ok-armor-pinned", 0, "OK", attest.Armor(convert(raw, attest.PinnedSet)))
	c.file("armor-version-2", 5, "E_VERSION", attest.Armor(append([]byte("XLA2"), raw[4:]...)))
	c.file("armor-of-a-forgery", 1, "E_SIG", attest.Armor(changed(raw, func(b *pb.Bundle) { b.Commit.Signatures[3] ^= 1 })))
	c.file("armor-of-nothing", 1, "E_MAGIC", attest.Armor(nil))
	c.file("armor-of-armor", 1, "E_MAGIC", attest.Armor([]byte(text)))
	lines := strings.SplitAfter(text, "\n")
	at := len(lines[0]) // first character of the body
	line := func(i int, s string) string {
		l := slices.Clone(lines)
		l[i] = s
		return strings.Join(l, "")
	}
	lastBody := len(lines) - 3
	for name, s := range map[string]string{
		"crlf":             strings.ReplaceAll(text, "\n", "\r\n"),
		"one-cr":           strings.Replace(text, "\n", "\r\n", 1),
		"two":              text + text,
		"blank-line":       line(1, "\n"+lines[1]),
		"blank-at-the-end": text + "\n",
		"space-behind":     line(1, strings.TrimSuffix(lines[1], "\n")+" \n"),
		"space-within":     text[:at+10] + " " + text[at+10:],
		"tab-before":       line(1, "\t"+lines[1]),
		"no-last-line":     strings.Join(lines[:len(lines)-2], ""),
		"no-last-feed":     strings.TrimSuffix(text, "\n"),
		"wide":             line(1, strings.TrimSuffix(lines[1], "\n")+lines[2][:1]+"\n") + "",
		"width-76":         rewrap(lines[0], text, lines[len(lines)-2], 76),
		"one-line":         rewrap(lines[0], text, lines[len(lines)-2], 1<<20),
		"header-field":     line(0, lines[0]+"Version: 1\n\n"),
		"other-label":      strings.ReplaceAll(text, "ATTESTATION", "CERTIFICATE"),
		"end-of-another":   line(len(lines)-2, "-----END XINLIAN PACK-----\n"),
		"before-the-end":   strings.Replace(text, "-----END", "AAAA-----END", 1),
		"lower-case":       strings.ToLower(lines[0]) + strings.Join(lines[1:], ""),
		"four-dashes":      "-" + text,
		"url-alphabet":     line(1, "_"+lines[1][1:]),
		"not-base64":       line(1, "*"+lines[1][1:]),
		"padding-within":   line(1, "===="+lines[1][4:]),
		"stray-bits":       strayBits(lines, lastBody),
		"no-padding":       strings.Replace(text, "=\n", "\n", 1),
		"line-missing":     line(len(lines)-3, "")[:0] + strings.Join(slices.Concat(lines[:2], []string{lines[2][:60] + "\n"}, lines[3:]), ""),
	} {
		if s == text {
			panic("armor-" + name + " changes nothing")
		}
		c.file("armor-"+name, 1, "E_ARMOR", []byte(s))
	}
	c.file("armor-space-before", 1, "E_MAGIC", []byte(" "+text))
	c.file("armor-feed-before", 1, "E_MAGIC", []byte("\n"+text))
	c.file("armor-mark-of-bytes", 1, "E_MAGIC", []byte("\xef\xbb\xbf"+text))
}

func rewrap(first, text, last string, width int) string {
	body := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(text, first), last), "\n", "")
	out := first
	for len(body) > 0 {
		n := min(width, len(body))
		out, body = out+body[:n]+"\n", body[n:]
	}
	return out + last
}

// strayBits sets bits that the last character of base64 carries and that say nothing.
func strayBits(lines []string, last int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	l := slices.Clone(lines)
	body := strings.TrimRight(l[last], "=\n")
	if len(l[last])-len(body) < 2 {
		panic("the sample's armor has no padding")
	}
	i := strings.IndexByte(alphabet, body[len(body)-1])
	l[last] = body[:len(body)-1] + string(alphabet[i+1]) + l[last][len(body):]
	return strings.Join(l, "")
}

// witnessKey derives a witness from its name.
func witnessKey(name string) stded25519.PrivateKey {
	return stded25519.NewKeyFromSeed(Sum("witness", name))
}

func witnessOf(name string) attest.Witness {
	return attest.Witness{Name: name, PubKey: witnessKey(name).Public().(stded25519.PublicKey)}
}

func (c *corpus) witnesses(base Spec) {
	const w1, w2, w3 = "w1.example/xinlian", "w2.example/xinlian", "w3.example/xinlian"
	raw := base.File()
	hash := attest.HeaderHash(base.Bundle().Header)
	point := func(chain string, height int64, hash attest.Hash) []byte {
		p, err := attest.Checkpoint(chain, height, hash)
		if err != nil {
			panic(err)
		}
		return p
	}
	body := point("test-attest", 101, hash)
	sign := func(name string, at time.Time) []byte { return attest.Cosign(body, name, witnessKey(name), at) }
	note := func(body []byte, lines ...[]byte) []byte {
		return slices.Concat(body, []byte("\n"), slices.Concat(lines...))
	}
	soon := Time.Add(30 * time.Second)
	trust := base.Trust()
	trust.Witnesses = attest.Witnesses{Required: 2, Within: time.Hour, Keys: []attest.Witness{witnessOf(w1), witnessOf(w2), witnessOf(w3)}}
	optional := base.Trust()
	optional.Witnesses = attest.Witnesses{Keys: trust.Witnesses.Keys}
	add := func(name string, exit int, code string, n []byte) *vector {
		v := c.add(name, exit, code, base, raw).by("witnesses", trust)
		if n != nil {
			v.seen(n)
		}
		return v
	}
	two := note(body, sign(w1, soon), sign(w2, soon))
	add("ok-witnesses", 0, "OK", two)
	add("ok-witnesses-three", 0, "OK", note(body, sign(w1, soon), sign(w2, soon), sign(w3, soon)))
	add("ok-witnesses-and-strangers", 0, "OK", note(body, attest.Cosign(body, "log.example", witnessKey("x"), soon), sign(w3, soon), sign(w1, soon), []byte("— other.example AAAAAAE=\n")))
	add("ok-witnesses-not-asked-for", 0, "OK", two).by("witnesses-optional", optional)
	add("ok-witnesses-none-asked-for", 0, "OK", nil).by("witnesses-optional", optional)
	c.add("ok-witnesses-of-nobody", 0, "OK", base, raw).seen(two)
	add("ok-witness-of-the-second-before", 0, "OK", note(body, sign(w1, Time.Add(-time.Minute)), sign(w2, soon)))

	add("witness-none", 4, "E_WITNESS_QUORUM", nil)
	add("witness-one", 4, "E_WITNESS_QUORUM", note(body, sign(w1, soon)))
	add("witness-unknown-counted", 4, "E_WITNESS_QUORUM", note(body, sign(w1, soon), sign("w4.example/xinlian", soon)))
	add("witness-known-name-other-key", 4, "E_WITNESS_QUORUM", note(body, sign(w1, soon), attest.Cosign(body, w2, witnessKey("x"), soon)))
	add("witness-other-name-known-key", 4, "E_WITNESS_QUORUM", note(body, sign(w1, soon), attest.Cosign(body, "w9.example/xinlian", witnessKey(w1), soon)))
	late := add("witness-too-late", 4, "E_WITNESS_QUORUM", note(body, sign(w1, soon), sign(w2, Time.Add(2*time.Hour))))
	late.At, late.MaxAge = Time.Add(3*time.Hour).Format(time.RFC3339Nano), "24h0m0s"

	add("witness-twice", 1, "E_WITNESS_FORM", note(body, sign(w1, soon), sign(w1, soon)))
	add("witness-twice-two-times", 1, "E_WITNESS_FORM", note(body, sign(w1, soon), sign(w1, soon.Add(time.Second))))
	flip := func(n []byte) []byte { // a bit of the first signature
		i := bytes.LastIndex(n, []byte("— "+w2)) + len("— "+w2+" ") + 40
		n = bytes.Clone(n)
		if n[i] == 'A' {
			n[i] = 'B'
		} else {
			n[i] = 'A'
		}
		return n
	}
	add("witness-signature", 1, "E_WITNESS_SIG", flip(two))
	add("witness-not-asked-for-signature", 1, "E_WITNESS_SIG", flip(two)).by("witnesses-optional", optional)
	other := point("test-attest", 101, attest.Hash(Sum("x")))
	add("witness-of-another-header", 1, "E_WITNESS_OTHER", note(other, attest.Cosign(other, w1, witnessKey(w1), soon), attest.Cosign(other, w2, witnessKey(w2), soon)))
	other = point("test-attest", 102, hash)
	add("witness-of-another-height", 1, "E_WITNESS_OTHER", note(other, attest.Cosign(other, w1, witnessKey(w1), soon), attest.Cosign(other, w2, witnessKey(w2), soon)))
	other = point("test-other", 101, hash)
	add("witness-of-another-chain", 1, "E_WITNESS_OTHER", note(other, attest.Cosign(other, w1, witnessKey(w1), soon), attest.Cosign(other, w2, witnessKey(w2), soon)))
	add("witness-signs-another-header", 1, "E_WITNESS_SIG", note(body, attest.Cosign(other, w1, witnessKey(w1), soon), sign(w2, soon)))
	add("witness-time-zero", 1, "E_WITNESS_TIME", note(body, sign(w1, time.Unix(0, 0)), sign(w2, soon)))
	add("witness-time-negative", 1, "E_WITNESS_TIME", note(body, sign(w1, time.Unix(-1, 0)), sign(w2, soon)))
	add("witness-from-the-future", 1, "E_WITNESS_TIME", note(body, sign(w1, soon), sign(w2, now().Add(62*time.Second))))
	add("witness-before-the-header", 1, "E_WITNESS_TIME", note(body, sign(w1, soon), sign(w2, Time.Add(-62*time.Second))))
	moved := sign(w2, soon)
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(moved[len("— "+w2+" "):])))
	if err != nil {
		panic(err)
	}
	line := func(sig []byte) []byte {
		return fmt.Appendf(nil, "— %s %s\n", w2, base64.StdEncoding.EncodeToString(sig))
	}
	later := bytes.Clone(sig)
	later[11]++
	add("witness-time-moved", 1, "E_WITNESS_SIG", note(body, sign(w1, soon), line(later)))
	add("witness-signature-short", 1, "E_WITNESS_FORM", note(body, sign(w1, soon), line(sig[:len(sig)-1])))
	add("witness-signature-long", 1, "E_WITNESS_FORM", note(body, sign(w1, soon), line(append(sig, 0))))
	for name, n := range map[string]string{
		"empty-lines":    string(body) + "\n",
		"no-empty-line":  string(body) + string(sign(w1, soon)),
		"crlf":           strings.ReplaceAll(string(two), "\n", "\r\n"),
		"no-last-feed":   strings.TrimSuffix(string(two), "\n"),
		"extension":      string(body) + "more\n\n" + string(sign(w1, soon)),
		"feed-behind":    string(two) + "\n",
		"hyphen":         strings.ReplaceAll(string(two), "— ", "- "),
		"two-blanks":     strings.Replace(string(two), "— "+w1+" ", "— "+w1+"  ", 1),
		"short-line":     string(two) + "— other.example AAAAAA==\n",
		"stray-bits":     string(two) + "— other.example AAAAAAF=\n",
		"name-with-plus": string(two) + "— other+example AAAAAAE=\n",
		"many-lines":     string(two) + strings.Repeat("— other.example AAAAAAE=\n", 63),
		"long":           string(two) + "— other.example " + strings.Repeat("AAAA", 16<<10) + "\n",
	} {
		add("witness-form-"+name, 1, "E_WITNESS_FORM", []byte(n))
	}
	broken := note(other, attest.Cosign(other, w1, witnessKey(w1), soon), []byte("— other.example\n"))
	add("witness-form-before-the-header", 1, "E_WITNESS_FORM", broken)
	add("witness-form-before-signatures", 1, "E_WITNESS_FORM", append(flip(two), "— other.example\n"...))
	padded := strings.Replace(string(two), "\n101\n", "\n0101\n", 1)
	add("witness-form-height-padded", 1, "E_WITNESS_OTHER", []byte(padded))
	// The trust file itself.
	file := string(trust.Encode())
	odd := func(name, old, put string) {
		if !strings.Contains(file, old) {
			panic(name)
		}
		c.add("trust-witness-"+name, 2, "E_TRUST", base, raw).byFile("witness-"+name, []byte(strings.Replace(file, old, put, 1))).seen(two)
	}
	key := func(name string) string { return base64.StdEncoding.EncodeToString(witnessOf(name).PubKey) }
	odd("key-under-two-names", key(w2), key(w1))
	odd("name-twice", w2, w1)
	odd("more-than-there-are", `"required": 2`, `"required": 4`)
	odd("negative", `"required": 2`, `"required": -1`)
	odd("no-required", `"required": 2,`, "")
	odd("name-with-blank", w2, "w2 example")
	odd("key-short", key(w2), key(w2)[4:])
	odd("within-negative", `"within_seconds": 3600`, `"within_seconds": -1`)
	odd("unknown-field", `"required"`, `"threshold": 1, "required"`)
	odd("chain-with-blank", `"test-attest"`, `"test attest"`)
	blank := base
	blank.ChainID = "test attest" // which no checkpoint can hold
	c.add("witness-form-chain-with-blank", 1, "E_WITNESS_FORM", blank, blank.File()).by("chain-with-blank", blank.Trust()).seen(two)
	// A chain of the first minute of 1970: a cosignature of time 0 is not older than its header, and has no time all the same.
	early := base
	early.Time = time.Unix(30, 0).UTC()
	first := point("test-attest", 101, attest.HeaderHash(early.Bundle().Header))
	for name, at := range map[string]int64{"ok-witness-time-1": 1, "witness-time-0": 0} {
		exit, code := 0, "OK"
		if at == 0 {
			exit, code = 1, "E_WITNESS_TIME"
		}
		v := c.add(name, exit, code, early, early.File()).by("witnesses", trust).
			seen(note(first, attest.Cosign(first, w1, witnessKey(w1), time.Unix(at, 0)), attest.Cosign(first, w2, witnessKey(w2), time.Unix(1, 0))))
		v.At = "1970-01-01T00:00:40Z"
	}
	stale := add("witness-and-stale", 3, "E_STALE", two)
	stale.At = Time.Add(48 * time.Hour).Format(time.RFC3339Nano)
}
