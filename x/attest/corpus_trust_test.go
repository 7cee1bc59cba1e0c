package attest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// validatorRange is a row of a trust file for a key that signs nothing.
func validatorRange(key int, power, from, until int64) attest.TrustedValidator {
	k := make([]byte, 32)
	binary.BigEndian.PutUint32(k, uint32(key))
	return attest.TrustedValidator{Validator: attest.Validator{PubKey: k, Power: power}, FromHeight: from, UntilHeight: until}
}

// manyRanges is a trust file of as many rows as one may have: from height 1000 on, far above the bundles of the corpus, 1,000 validators stay, and at each
// second height another comes and goes, so that there are more than six thousand sets.
func manyRanges(base Spec) *attest.Trust {
	t := base.Trust()
	for i := range 1000 {
		t.Validators = append(t.Validators, validatorRange(1+i, 1, 1000, 0))
	}
	for i := 0; len(t.Validators) < 4*pb.ValidatorsMax; i++ {
		t.Validators = append(t.Validators, validatorRange(5000+i, 1, int64(1001+2*i), int64(1001+2*i)))
	}
	return t
}

// ranges are trust files at the bounds of how many validators, how much power and how many ranges there may be.
func (c *corpus) ranges(base, steps Spec) {
	raw := base.File()
	// The rows are written short: there are thousands.
	add := func(name string, exit int, code string, s Spec, bundle []byte, t *attest.Trust) {
		rows, first := t.Validators, *t
		first.Validators = rows[:1]
		file := first.Encode()
		from, to := bytes.IndexByte(file, '['), bytes.IndexByte(file, ']')
		out := append(bytes.Clone(file[:from]), '[')
		for i, v := range rows {
			if i > 0 {
				out = append(out, ',')
			}
			out = fmt.Appendf(out, "\n{\"pub_key\":%q,\"power\":%d,\"from_height\":%d", base64.StdEncoding.EncodeToString(v.PubKey), v.Power, v.FromHeight)
			if v.UntilHeight != 0 {
				out = fmt.Appendf(out, ",\"until_height\":%d", v.UntilHeight)
			}
			out = append(out, '}')
		}
		c.add("trust-ranges-"+name, exit, code, s, bundle).byFile("ranges-"+name, append(out, file[to:]...))
	}
	with := func(rows ...attest.TrustedValidator) *attest.Trust {
		t := base.Trust()
		t.Validators = append(t.Validators, rows...)
		return t
	}
	many := manyRanges(base)
	add("most", 0, "OK", base, raw, many)
	more := *many
	more.Validators = append(more.Validators, validatorRange(9999, 1, 9000, 9000))
	add("one-too-many", 2, "E_TRUST", base, raw, &more)

	full := base.Trust() // 1,024 validators from height 1000 on
	for i := range pb.ValidatorsMax - 5 {
		full.Validators = append(full.Validators, validatorRange(1+i, 1, 1000, 0))
	}
	one := *full
	one.Validators = append(one.Validators, validatorRange(5000, 1, 1000, 2000), validatorRange(5001, 1, 2001, 0))
	add("one-goes-one-comes", 0, "OK", base, raw, &one)
	one.Validators = append(full.Validators, validatorRange(5000, 1, 1000, 2001), validatorRange(5001, 1, 2001, 0))
	add("1025-at-a-height", 2, "E_TRUST", base, raw, &one)

	large := int64(math.MaxInt64/8 - 40) // with the four of the base, all that there may be
	add("most-power", 0, "OK", base, raw, with(validatorRange(1, large, 1000, 2000), validatorRange(2, large, 2001, 0)))
	add("too-much-power", 2, "E_TRUST", base, raw, with(validatorRange(1, large, 1000, 2000), validatorRange(2, 1, 2000, 0)))
	add("too-much-power-of-many", 2, "E_TRUST", base, raw, func() *attest.Trust { // whose sum passes 2⁶⁴
		t := base.Trust()
		for i := range 16 {
			t.Validators = append(t.Validators, validatorRange(1+i, math.MaxInt64/8, 1000, 0))
		}
		return t
	}())

	add("key-again", 0, "OK", base, raw, with(validatorRange(1, 1, 2001, 0), validatorRange(1, 2, 1000, 2000)))
	add("key-again-to-the-end", 0, "OK", base, raw, with(validatorRange(1, 1, math.MaxInt64, 0), validatorRange(1, 2, 1000, math.MaxInt64-1)))
	add("key-meets", 2, "E_TRUST", base, raw, with(validatorRange(1, 1, 2000, 0), validatorRange(1, 2, 1000, 2000)))
	add("key-meets-at-the-end", 2, "E_TRUST", base, raw, with(validatorRange(1, 1, math.MaxInt64, 0), validatorRange(1, 2, 1000, math.MaxInt64)))
	add("key-within", 2, "E_TRUST", base, raw, with(validatorRange(1, 1, 1000, 0), validatorRange(2, 1, 1000, 0), validatorRange(1, 2, 1500, 1500)))
	add("key-meets-beyond-another", 2, "E_TRUST", base, raw, with(validatorRange(1, 1, 1000, 3000), validatorRange(1, 1, 5000, 6000), validatorRange(1, 1, 3000, 4000)))

	// A range ends where an entry does, also where the next names the same validators again.
	again := func(first, last int64) *attest.Trust {
		t := base.Trust()
		t.Validators = append(Equal("a", 4).Trusted(1, first), Equal("a", 4).Trusted(last, 0)...)
		return t
	}
	add("same-set-before-the-step", 0, "OK", steps, steps.File(), again(59, 60))
	add("same-set-after-the-step", 4, "E_TRUST_SET", steps, steps.File(), again(60, 61))
	add("same-set-after-a-gap", 0, "OK", steps, steps.File(), again(60, 200))
}

// trustTexts are trust files at the edges of their text: what two readers of JSON, numbers and times might take differently.
func (c *corpus) trustTexts(base Spec) {
	raw := base.File()
	file := string(base.Trust().Encode())
	add := func(name string, exit int, code, text string) {
		c.add("trust-text-"+name, exit, code, base, raw).byFile("text-"+name, []byte(text))
	}
	put := func(name string, exit int, code string, pairs ...string) {
		text := file
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				panic(name)
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		add(name, exit, code, text)
	}
	const version, two = `"version": 1`, `"version": 2`
	deep := func(n int) string { return `, "x": ` + strings.Repeat("[", n) + strings.Repeat("]", n) }

	// The version is looked at first: a file of another one has other fields.
	put("version-2-with-another-field", 5, "E_VERSION", version, two+`, "serial": 7`)
	put("version-2-without-fields", 5, "E_VERSION", file, `{"version": 2}`)
	put("version-2-twice-within", 5, "E_VERSION", version, two, `"power"`, `"power": 10, "power"`)
	put("version-2-null", 5, "E_VERSION", version, two, `"test-attest"`, `null`)
	put("version-2-twice", 2, "E_TRUST", version, two+`, "chain_id": "test-attest"`)
	put("version-twice", 2, "E_TRUST", version, two+", "+version)
	put("version-2-64-deep", 5, "E_VERSION", version, two+deep(63))
	put("version-2-65-deep", 2, "E_TRUST", version, two+deep(64))
	put("version-2-brackets-in-a-text", 5, "E_VERSION", version, two+`, "x": "\\\"`+strings.Repeat("[", 65)+`"`)
	put("version-2-cut", 2, "E_TRUST", version, two, "Z\"\n}", "Z\"")
	put("version-0", 5, "E_VERSION", version, `"version": 0`)
	put("version-minus-zero", 5, "E_VERSION", version, `"version": -0`)
	put("version-minus-1", 5, "E_VERSION", version, `"version": -1`)
	put("version-largest", 5, "E_VERSION", version, `"version": 9223372036854775807`)
	put("version-too-large", 2, "E_TRUST", version, `"version": 9223372036854775808`)
	put("version-of-many-digits", 2, "E_TRUST", version, `"version": 1`+strings.Repeat("0", 1000))
	put("version-fraction", 2, "E_TRUST", version, `"version": 1.0`)
	put("version-exponent", 2, "E_TRUST", version, `"version": 1e0`)
	put("version-a-text", 2, "E_TRUST", version, `"version": "1"`)
	put("version-leading-zero", 2, "E_TRUST", version, `"version": 01`)
	put("version-plus", 2, "E_TRUST", version, `"version": +1`)
	put("version-none", 2, "E_TRUST", version+",", ``)

	put("escapes", 0, "OK", `"version"`, `"\u0076ersion"`, `"test-attest"`, `"\u0074est\u002dattest"`, `Z"`, `\u005A"`)
	put("escaped-key-twice", 2, "E_TRUST", `"power"`, `"\u0070ower": 10, "power"`)
	put("lone-surrogate", 1, "E_CHAIN", `"test-attest"`, `"\ud800\ud800"`)
	put("nul-in-a-text", 1, "E_CHAIN", `"test-attest"`, `"test-attest\u0000"`)
	put("chain-of-50-bytes", 1, "E_CHAIN", `"test-attest"`, `"`+strings.Repeat("链", 16)+`ab"`)
	put("chain-of-51-bytes", 2, "E_TRUST", `"test-attest"`, `"`+strings.Repeat("链", 17)+`"`)
	put("control-in-a-text", 2, "E_TRUST", `"test-attest"`, "\"test-attest\x01\"")
	put("unknown-escape", 2, "E_TRUST", `"test-attest"`, `"\x74est-attest"`)
	put("surrogate-in-utf-8", 2, "E_TRUST", `"test-attest"`, "\"\xed\xa0\x80\"")
	put("overlong-utf-8", 2, "E_TRUST", `"test-attest"`, "\"test\xc0\xadattest\"")
	add("blanks-around", 0, "OK", " \t\r\n"+file+" \t\r\n")
	add("byte-order-mark", 2, "E_TRUST", "\ufeff"+file)
	add("no-break-space-behind", 2, "E_TRUST", file+"\u00a0")
	add("nul-behind", 2, "E_TRUST", file+"\x00")
	add("empty", 2, "E_TRUST", "")
	put("comment", 2, "E_TRUST", version, version+" /* one */")
	put("comma-behind-the-last", 2, "E_TRUST", "Z\"\n}", "Z\",\n}")
	put("two-commas", 2, "E_TRUST", version+",", version+",,")
	put("bracket-for-brace", 2, "E_TRUST", "Z\"\n}", "Z\"\n]")

	const power, until = `"power": 10`, `"until_height": 0`
	put("until-minus-zero", 0, "OK", until, `"until_height": -0`)
	put("until-exponent", 2, "E_TRUST", until, `"until_height": 0e0`)
	put("until-null", 2, "E_TRUST", until, `"until_height": null`)
	put("until-largest", 0, "OK", until, `"until_height": 9223372036854775807`)
	put("until-too-large", 2, "E_TRUST", until, `"until_height": 9223372036854775808`)
	put("power-exponent", 2, "E_TRUST", power, `"power": 1e1`)
	put("power-null", 2, "E_TRUST", power, `"power": null`)
	put("validator-null", 2, "E_TRUST", `"validators": [`, `"validators": [null,`)
	put("validators-an-object", 2, "E_TRUST", `"validators": [`, `"validators": {}, "x": [`)
	put("witnesses-null", 2, "E_TRUST", version, version+`, "witnesses": null`)

	const end, whole = `"2027-11-20T08:00:00.123456789Z"`, `"not_after": `
	put("end-with-a-zone", 0, "OK", whole+end, whole+`"2026-11-20T23:59:59.000000001+14:00"`)
	put("end-in-utc-of-minus-zero", 0, "OK", whole+end, whole+`"2027-11-20T08:00:00-00:00"`)
	put("end-beyond-the-year-9999", 0, "OK", whole+end, whole+`"9999-12-31T23:59:59.999999999-23:59"`)
	put("end-before-1970-in-utc", 4, "E_TRUST_EXPIRED", whole+end, whole+`"1970-01-01T00:00:00+23:59"`)
	put("end-of-1969", 2, "E_TRUST", whole+end, whole+`"1969-12-31T23:59:59Z"`)
	put("end-year-of-five-digits", 2, "E_TRUST", whole+end, whole+`"10000-01-01T00:00:00Z"`)
	put("end-leap-second", 2, "E_TRUST", whole+end, whole+`"2026-12-31T23:59:60Z"`)
	put("end-hour-24", 2, "E_TRUST", whole+end, whole+`"2026-12-31T24:00:00Z"`)
	put("end-29-february", 2, "E_TRUST", whole+end, whole+`"2027-02-29T00:00:00Z"`)
	put("end-29-february-of-a-leap-year", 0, "OK", whole+end, whole+`"2028-02-29T00:00:00Z"`)
	put("end-month-0", 2, "E_TRUST", whole+end, whole+`"2027-00-10T00:00:00Z"`)
	put("end-lower-case", 2, "E_TRUST", whole+end, whole+`"2027-11-20t08:00:00z"`)
	put("end-blank-for-t", 2, "E_TRUST", whole+end, whole+`"2027-11-20 08:00:00Z"`)
	put("end-point-without-digits", 2, "E_TRUST", whole+end, whole+`"2027-11-20T08:00:00.Z"`)
	put("end-zone-without-colon", 2, "E_TRUST", whole+end, whole+`"2027-11-20T08:00:00+0800"`)
	put("end-zone-of-60-minutes", 2, "E_TRUST", whole+end, whole+`"2027-11-20T08:00:00+08:60"`)
	put("end-wide-digits", 2, "E_TRUST", whole+end, whole+`"２０２７-11-20T08:00:00Z"`)
	put("end-line-feed-behind", 2, "E_TRUST", whole+end, whole+`"2027-11-20T08:00:00Z\n"`)
}

// timeEdges are times at both ends of windows, and one nanosecond beyond.
func (c *corpus) timeEdges(base Spec) {
	raw := base.File()
	add := func(name string, exit int, code string, change func(t *attest.Trust)) {
		t := base.Trust()
		change(t)
		c.add("trust-edge-"+name, exit, code, base, raw).by("edge-"+name, t)
	}
	const window = "E_TRUST_WINDOW"
	h := base.Bundle().Header
	header := time.Unix(h.TimeSeconds, int64(h.TimeNanos)).UTC()
	add("end-now", 0, "OK", func(t *attest.Trust) { t.NotAfter = now() })
	add("end-just-before", 4, "E_TRUST_EXPIRED", func(t *attest.Trust) { t.NotAfter = now().Add(-1) })
	add("key-ends-now", 0, "OK", func(t *attest.Trust) { t.Validators[0].ValidUntil = now() })
	add("key-ended-just-before", 4, window, func(t *attest.Trust) { t.Validators[0].ValidUntil = now().Add(-1) })
	add("key-begins-with-the-header", 0, "OK", func(t *attest.Trust) { t.Validators[0].ValidFrom = header })
	add("key-begins-just-after", 4, window, func(t *attest.Trust) { t.Validators[0].ValidFrom = header.Add(1) })
	add("key-of-one-moment", 4, window, func(t *attest.Trust) { t.Validators[0].ValidFrom, t.Validators[0].ValidUntil = now(), now() })

	old := base.Trust()
	old.NotAfter = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	v := c.add("stale-beyond-all-durations", 3, "E_STALE", base, raw).by("edge-for-ever", old)
	v.MaxAge, v.At = time.Duration(math.MaxInt64).String(), "2400-01-01T00:00:00Z"
}

// TestManyRanges: what a trust file of thousands of ranges costs is reading it. Sets are made where one is asked for: made all at once, they took a hundred
// times as long.
func TestManyRanges(t *testing.T) {
	base := sample()
	trust := manyRanges(base)
	file, raw := trust.Encode(), base.File()
	best := func(f func()) time.Duration {
		shortest := time.Duration(math.MaxInt64)
		for range 3 {
			start := time.Now()
			f()
			shortest = min(shortest, time.Since(start))
		}
		return shortest
	}
	reading := best(func() {
		if _, err := attest.ParseTrust(file); err != nil {
			t.Fatal(err)
		}
	})
	judging := best(func() {
		if _, err := attest.Verify(raw, trust, policy(SubjectClean, attest.NoNegative)); err != nil {
			t.Fatal(err)
		}
		if n := len(attest.Examine(trust, now())); n < 6000 {
			t.Fatalf("%d findings", n)
		}
	})
	t.Logf("reading %v, judging and looking over %v", reading, judging)
	if judging > 20*reading {
		t.Errorf("a trust file of %d ranges is read in %v, and used in %v", len(trust.Validators), reading, judging)
	}
}
