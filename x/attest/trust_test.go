package attest_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

func TestTrustRoundTrip(t *testing.T) {
	tr := sample().Trust()
	tr.Validators[0].UntilHeight = 900
	tr.Validators[1].ValidFrom, tr.Validators[1].ValidUntil = Time, Time.Add(time.Hour)
	again := tr.Validators[0]
	again.FromHeight, again.UntilHeight, again.Power = 901, math.MaxInt64, 11
	tr.Validators = append(tr.Validators, again)
	raw := tr.Encode()
	got, err := attest.ParseTrust(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, tr) || !bytes.Equal(got.Encode(), raw) {
		t.Fatalf("%s\n%s", raw, got.Encode())
	}
	if s := got.SetAt(900); len(s.Powers) != 4 || s.Powers[0] != 10 {
		t.Error(s)
	}
	if s := got.SetAt(901); len(s.Powers) != 4 || s.Powers[0] != 11 {
		t.Error(s)
	}
	if s := got.SetAt(0); s != nil {
		t.Error(s)
	}
}

func TestParseTrustRefuses(t *testing.T) {
	good := string(sample().Trust().Encode())
	key := good[strings.Index(good, `"pub_key": "`)+12:][:44]
	for name, c := range map[string]struct{ old, new string }{
		"unknown field":           {`"version"`, `"comment": "", "version"`},
		"unknown anchor field":    {`"height"`, `"hight": 1, "height"`},
		"unknown validator field": {`"power"`, `"name": "a", "power"`},
		"other case":              {`"not_after"`, `"Not_After"`},
		"twice":                   {`"chain_id"`, `"chain_id": "test-attest", "chain_id"`},
		"twice in the anchor":     {`"height"`, `"height": 50, "height"`},
		"twice in a validator":    {`"power"`, `"power": 10, "power"`},
		"escaped twice":           {`"power"`, `"\u0070ower": 10, "power"`},
		"no not_after":            {`"not_after"`, `"not_before"`},
		"null":                    {`"test-attest"`, `null`},
		"null number":             {`"power": 10`, `"power": null`},
		"empty chain id":          {`"test-attest"`, `""`},
		"chain id a number":       {`"test-attest"`, `7`},
		"power a string":          {`"power": 10`, `"power": "10"`},
		"power a fraction":        {`"power": 10`, `"power": 10.5`},
		"power zero":              {`"power": 10`, `"power": 0`},
		"power negative":          {`"power": 10`, `"power": -10`},
		"power too large":         {`"power": 10`, `"power": 9223372036854775808`},
		"powers too large":        {`"power": 10`, `"power": 1152921504606846975`},
		"from zero":               {`"from_height": 1`, `"from_height": 0`},
		"no range":                {`"from_height": 1,`, `"from_height": 5,`},
		"not base64":              {key, "*" + key[1:]},
		"short key":               {key, "AAAA"},
		"long key":                {key, strings.Repeat("A", 48)},
		"loose base64":            {"=", "=\\n"},
		"anchor height":           {`"height": 50`, `"height": 0`},
		"anchor unset":            {`"header_hash": "` + good[strings.Index(good, `"header_hash": "`)+16:][:64], `"header_hash": "` + strings.Repeat("0", 64)},
		"anchor short":            {`"header_hash": "`, `"header_hash": "00`},
		"anchor not hex":          {`"header_hash": "`, `"header_hash": "zz`},
		"time without zone":       {`"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": "2027-11-20T08:00:00"`},
		"time with a comma":       {`"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": "2027-11-20T08:00:00,5Z"`},
		"hour of one digit":       {`"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": "2027-11-20T8:00:00Z"`},
		"ten digits of a second":  {`"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": "2027-11-20T08:00:00.1234567891Z"`},
		"zone of a day":           {`"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": "2027-11-20T08:00:00+24:00"`},
		"not UTF-8":               {`"chain_id": "`, "\"chain_id\": \"\xff"},
		"time empty":              {`"not_after": "2027-11-20T08:00:00.123456789Z"`, `"not_after": ""`},
		"window reversed":         {`"from_height"`, `"valid_from": "2026-01-02T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z", "from_height"`},
		"window empty":            {`"from_height"`, `"valid_from": "", "from_height"`},
		"an array":                {"{", "[{"},
		"trailing":                {"Z\"\n}", "Z\"\n}{}"},
		"no object":               {good, `"trust me"`},
		"empty":                   {good, ""},
		"cut":                     {"Z\"\n}", "Z\""},
		"comma":                   {"Z\"\n}", "Z\",\n}"},
	} {
		raw := strings.Replace(good, c.old, c.new, 1)
		if name == "no range" {
			raw = strings.Replace(raw, `"until_height": 0`, `"until_height": 4`, 1)
		}
		if name == "powers too large" {
			raw = strings.ReplaceAll(good, c.old, c.new)
		}
		if raw == good {
			t.Errorf("%s: changes nothing", name)
		}
		_, err := attest.ParseTrust([]byte(raw))
		if !errors.Is(err, attest.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %q", name, err)
		}
	}
	_, err := attest.ParseTrust([]byte(strings.Replace(good, `"version": 1`, `"version": 2`, 1)))
	wantCode(t, err, attest.ErrVersion, attest.CodeVersion)
	if _, err := attest.ParseTrust(bytes.Repeat([]byte(" "), 2<<20)); !errors.Is(err, attest.ErrUsage) {
		t.Error(err)
	}
	padded := append([]byte(good), bytes.Repeat([]byte(" "), 1<<20-len(good))...)
	if _, err := attest.ParseTrust(padded); err != nil {
		t.Error(err)
	}
	if _, err := attest.ParseTrust(append(padded, ' ')); !errors.Is(err, attest.ErrUsage) {
		t.Error(err)
	}

	twice := sample().Trust()
	twice.Validators = append(twice.Validators, twice.Validators[0])
	if err := twice.Check(); err == nil {
		t.Error("one key twice at one height")
	}
	twice.Validators[4].FromHeight = 1000
	if err := twice.Check(); err == nil {
		t.Error("one key twice above a height")
	}
	twice.Validators[0].UntilHeight = 999
	if err := twice.Check(); err != nil {
		t.Error(err)
	}
}

// TestCheckAnchor: step 5 for who has a block and no bundle.
func TestCheckAnchor(t *testing.T) {
	tr := sample().Trust()
	h, hash := tr.Anchor.Height, tr.Anchor.HeaderHash
	other := hash
	other[0] ^= 1
	for _, err := range []error{
		tr.CheckAnchor(h, hash, nil), tr.CheckAnchor(h+1, other, hash[:]), tr.CheckAnchor(h+2, other, nil), tr.CheckAnchor(h-1, other, nil),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	wantCode(t, tr.CheckAnchor(h, other, nil), attest.ErrInvalid, attest.CodeAnchor)
	wantCode(t, tr.CheckAnchor(h+1, other, other[:]), attest.ErrInvalid, attest.CodeAnchor)
	wantCode(t, tr.CheckAnchor(h+1, other, nil), attest.ErrInvalid, attest.CodeAnchor)
}

// TestVerifierOwnsItsTrust: what a caller does to the trust file afterwards changes nothing.
func TestVerifierOwnsItsTrust(t *testing.T) {
	s := sample()
	tr := s.Trust()
	v, err := attest.NewVerifier(tr)
	if err != nil {
		t.Fatal(err)
	}
	tr.ChainID = "test-other"
	tr.Validators[0].PubKey[0] ^= 1
	tr.Validators = tr.Validators[:1]
	if _, err := v.Verify(s.File(), policy(SubjectClean, attest.NoNegative)); err != nil {
		t.Fatal(err)
	}
}
