package attest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
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
