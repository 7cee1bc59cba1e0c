package attest_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

func now() time.Time { return Time.Add(42 * time.Second) }

func policy(subject string, c attest.Claim) attest.Policy {
	return attest.Policy{Subject: subject, Claim: c, MaxAge: time.Hour, Now: now()}
}

func sample() Spec {
	return Spec{Standings: []*pb.Standing{Clean(SubjectClean)}}
}

func wantCode(t *testing.T, err, class error, code string) {
	t.Helper()
	if !errors.Is(err, class) || attest.CodeOf(err) != code {
		t.Fatalf("got %v, want %s (%v)", err, code, class)
	}
}

func TestVerify(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 21, 100} {
		s := sample()
		s.Set = Equal("n", n)
		raw := s.File()
		v, err := attest.Verify(raw, s.Trust(), policy(SubjectClean, attest.NoNegative))
		if err != nil {
			t.Fatalf("%d validators: %v", n, err)
		}
		if !v.Holds || !v.Enrolled || v.Code != attest.CodeOK || v.Height != 100 || v.HeaderHeight != 101 || v.ChainID != "test-attest" ||
			!v.Time.Equal(Time) || v.Age != 42*time.Second || v.TotalPower != int64(10*n) || 3*v.SignedPower <= 2*v.TotalPower ||
			v.Standing.Subject != SubjectClean || v.CatalogVersion != 7 {
			t.Fatalf("%d validators: %+v", n, v)
		}
	}
}

func TestVerifyAbsent(t *testing.T) {
	s := Spec{Asked: []string{SubjectAbsent}, Noise: 40}
	raw := s.File()
	for claim, want := range map[attest.Claim]string{
		attest.NoNegative: attest.CodeOK, attest.NoSerious: attest.CodeOK, attest.MayPromise: attest.CodeOK,
		attest.Enrolled: attest.CodeNotEnrolled, attest.Standing: attest.CodeNotEnrolled,
		mustClaim("commitment:" + CommitmentCode(1) + "=pending"): attest.CodeNotEnrolled,
	} {
		v, err := attest.Verify(raw, s.Trust(), policy(SubjectAbsent, claim))
		if err != nil {
			t.Fatal(err)
		}
		if v.Enrolled || v.Standing != nil || v.Code != want || v.Holds != (want == attest.CodeOK) {
			t.Fatalf("%s: %+v", claim, v)
		}
	}
}

func mustClaim(s string) attest.Claim {
	c, err := attest.ParseClaim(s)
	if err != nil {
		panic(err)
	}
	return c
}

func TestClaims(t *testing.T) {
	s := Spec{Standings: []*pb.Standing{
		Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_SERIOUS), Punished(Agency, pb.SEVERITY_GENERAL), TooMany(SubjectMany),
	}, Noise: 9}
	raw := s.File()
	listed := Clean(SubjectAbsent)
	listed.Lists = []pb.PublicListEntry{{Record: Sum("list"), List: "tax", DocNo: "A〔2026〕1号", Issuer: Agency, DecidedOn: 20500, MaxUntil: 21000}}
	listed.Abnormal = []pb.PublicAbnormal{{Record: Sum("abnormal"), Reason: "address", Issuer: Agency, ListedOn: 20500}}
	listed.Counts.Lists, listed.Counts.Abnormal = 1, 1
	listed.Incentives = []pb.PublicIncentive{
		{Record: Sum("i", 1), List: "HN28", Issuer: Agency, State: pb.INCENTIVE_RECOGNISED, NoticeUntil: 20480, DecidedOn: 20500, ValidUntil: 21000},
		{Record: Sum("i", 2), List: "NSA", Issuer: Agency, State: pb.INCENTIVE_CHECKED, NoticeUntil: 20480, Objection: true},
	}
	slices.SortFunc(listed.Incentives, func(a, b pb.PublicIncentive) int { return bytes.Compare(a.Record, b.Record) })
	listed.Counts.Incentives, listed.Counts.Noticed = 1, 1
	other := Spec{Standings: []*pb.Standing{listed}}
	otherRaw := other.File()
	for _, c := range []struct{ subject, claim, code string }{
		{SubjectClean, "enrolled", "OK"},
		{SubjectClean, "no-negative", "OK"},
		{SubjectClean, "no-serious", "OK"},
		{SubjectClean, "may-promise", "OK"},
		{SubjectClean, "standing", "OK"},
		{SubjectClean, "commitment:" + CommitmentCode(1) + "=pending", "E_CLAIM"},
		{SubjectPunished, "enrolled", "OK"},
		{SubjectPunished, "standing", "OK"},
		{SubjectPunished, "no-negative", "E_CLAIM"},
		{SubjectPunished, "no-serious", "E_CLAIM"},
		{SubjectPunished, "may-promise", "E_CLAIM"},
		{SubjectPunished, "commitment:" + CommitmentCode(1) + "=pending", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(2) + "=supervised", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(3) + "=due", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(4) + "=fulfilled", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(5) + "=breached", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(6) + "=cured", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(7) + "=rejected", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(8) + "=withdrawn", "OK"},
		{SubjectPunished, "commitment:" + CommitmentCode(4) + "=cured", "E_CLAIM"},
		{SubjectPunished, "commitment:" + CommitmentCode(9) + "=cured", "E_CLAIM"},
		{Agency, "no-negative", "E_CLAIM"},
		{Agency, "no-serious", "OK"},
		{SubjectMany, "no-negative", "E_CLAIM"},
		{SubjectMany, "no-serious", "OK"},
		{SubjectMany, "commitment:" + CommitmentCode(1) + "=pending", "E_CLAIM_UNDECIDABLE"},
		{SubjectAbsent, "no-negative", "E_CLAIM"},
		{SubjectAbsent, "no-serious", "E_CLAIM"},
		{SubjectAbsent, "may-promise", "OK"},
		{SubjectAbsent, "incentive:HN28", "OK"},
		{SubjectAbsent, "incentive:NSA", "E_CLAIM"}, // under notice, not recognised
		{SubjectAbsent, "incentive:AEO", "E_CLAIM"},
		{SubjectMany, "incentive:HN28", "E_CLAIM"},
	} {
		in, trust := raw, s.Trust()
		if c.subject == SubjectAbsent {
			in, trust = otherRaw, other.Trust()
		}
		v, err := attest.Verify(in, trust, policy(c.subject, mustClaim(c.claim)))
		if err != nil {
			t.Errorf("%s %s: %v", c.subject, c.claim, err)
			continue
		}
		if v.Code != c.code || v.Holds != (c.code == "OK") || v.Holds != (v.Reason == "") {
			t.Errorf("%s %s: %s %q, want %s", c.subject, c.claim, v.Code, v.Reason, c.code)
		}
	}
}

// TestNegativeKinds keeps each of the kinds of negative record apart from the others.
func TestNegativeKinds(t *testing.T) {
	for name, set := range map[string]func(s *pb.Standing){
		"list": func(s *pb.Standing) {
			s.Lists = []pb.PublicListEntry{{Record: Sum("l"), List: "tax", DocNo: "A〔2026〕1号", Issuer: Agency, DecidedOn: 1, MaxUntil: 2}}
			s.Counts.Lists = 1
		},
		"abnormal": func(s *pb.Standing) {
			s.Abnormal = []pb.PublicAbnormal{{Record: Sum("a"), Reason: "address", Issuer: Agency, ListedOn: 1}}
			s.Counts.Abnormal = 1
		},
		"other": func(s *pb.Standing) {
			s.Others = []pb.PublicOther{{Record: Sum("o"), Source: "contract", DocNo: "A〔2026〕1号", Issuer: Agency, Class: pb.SEVERITY_GENERAL, DecidedOn: 1}}
			s.Counts.Others, s.Counts.General = 1, 1
		},
		"serious other": func(s *pb.Standing) {
			s.OthersRoot = Sum("o")
			s.Counts.Others, s.Counts.Serious = 1, 1
		},
		"breach": func(s *pb.Standing) {
			s.Commitments = []pb.PublicCommitment{{Code: CommitmentCode(1), State: pb.COMMITMENT_BREACHED, MadeOn: 1, Acceptor: Agency}}
			s.Counts.Commitments, s.Counts.Breached = 1, 1
		},
	} {
		st := Clean(SubjectClean)
		set(st)
		s := Spec{Standings: []*pb.Standing{st}}
		raw := s.File()
		for claim, holds := range map[attest.Claim]bool{
			attest.NoNegative: name == "breach", attest.NoSerious: name != "list" && name != "serious other",
		} {
			v, err := attest.Verify(raw, s.Trust(), policy(SubjectClean, claim))
			if err != nil {
				t.Fatal(err)
			}
			if v.Holds != holds {
				t.Errorf("%s, %s: %v", name, claim, v.Holds)
			}
		}
	}
}

// TestIncentivesBehindRoot: what a root stands for is not decided.
func TestIncentivesBehindRoot(t *testing.T) {
	st := Clean(SubjectClean)
	st.IncentivesRoot, st.Counts.Incentives = Sum("incentives"), 2
	s := Spec{Standings: []*pb.Standing{st}}
	v, err := attest.Verify(s.File(), s.Trust(), policy(SubjectClean, mustClaim("incentive:HN28")))
	if err != nil || v.Holds || v.Code != attest.CodeUndecidable {
		t.Errorf("%+v %v", v, err)
	}
}

func TestParseClaim(t *testing.T) {
	code := CommitmentCode(1)
	for _, s := range []string{
		"enrolled", "no-negative", "no-serious", "may-promise", "standing",
		"commitment:" + code + "=pending", "commitment:" + code + "=withdrawn", "incentive:HN28", "incentive:a_b.c-D",
	} {
		c, err := attest.ParseClaim(s)
		if err != nil || c.String() != s {
			t.Errorf("%q: %q %v", s, c, err)
		}
	}
	for _, s := range []string{
		"", " ", "Enrolled", "enrolled ", "none", "no_negative", "commitment", "commitment:", "commitment:" + code, "commitment:" + code + "=",
		"commitment:" + code + "=Pending", "commitment:" + code + "=unset", "commitment:" + code + "=pending ", "commitment:" + code[1:] + "=pending",
		"commitment:" + code + "1=pending", "commitment:x" + code[1:] + "=pending", "commitment: " + code + "=pending", "commitment:" + code + "==pending",
		"commitment:" + "１" + code[1:] + "=pending", "commitment:" + code + "=unknown",
		"incentive", "incentive:", "incentive: HN28", "incentive:HN28 ", "incentive:HN28=", "incentive:名单", "incentive:" + strings.Repeat("a", 65), "Incentive:HN28",
	} {
		if c, err := attest.ParseClaim(s); err == nil {
			t.Errorf("%q was read as %q", s, c)
		}
	}
	if _, err := attest.CommitmentIs(code, pb.COMMITMENT_UNSET); err == nil {
		t.Error("unset state accepted")
	}
	if c, err := attest.CommitmentIs(code, pb.COMMITMENT_CURED); err != nil || c.String() != "commitment:"+code+"=cured" {
		t.Error(c, err)
	}
}

func TestPolicyIsMandatory(t *testing.T) {
	s := sample()
	raw, trust := s.File(), s.Trust()
	for name, p := range map[string]attest.Policy{
		"zero":           {},
		"no subject":     {Claim: attest.Enrolled, MaxAge: time.Hour, Now: now()},
		"no claim":       {Subject: SubjectClean, MaxAge: time.Hour, Now: now()},
		"no age":         {Subject: SubjectClean, Claim: attest.Enrolled, Now: now()},
		"negative age":   {Subject: SubjectClean, Claim: attest.Enrolled, MaxAge: -1, Now: now()},
		"no clock":       {Subject: SubjectClean, Claim: attest.Enrolled, MaxAge: time.Hour},
		"age twice":      {Subject: SubjectClean, Claim: attest.Enrolled, MaxAge: time.Hour, UnsafeAnyAge: true, Now: now()},
		"lower case":     policy("91410100y000000160", attest.Enrolled),
		"full width":     policy("９1410100Y000000160", attest.Enrolled),
		"blank":          policy(SubjectClean+" ", attest.Enrolled),
		"check":          policy("91410100Y000000161", attest.Enrolled),
		"region letters": policy("9141A100Y000000160", attest.Enrolled),
		"alphabet":       policy("91410100YO00000160", attest.Enrolled),
	} {
		_, err := attest.Verify(raw, trust, p)
		if !errors.Is(err, attest.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
		// A policy that cannot be used is said first, whatever the bundle is.
		if _, err := attest.Verify([]byte("XLA9"), trust, p); !errors.Is(err, attest.ErrUsage) {
			t.Errorf("%s, other version: %v", name, err)
		}
	}
	if _, err := attest.Verify(raw, nil, policy(SubjectClean, attest.Enrolled)); !errors.Is(err, attest.ErrUsage) {
		t.Errorf("no trust: %v", err)
	}
	if _, err := attest.VerifyMany(raw, trust, policy(SubjectClean, attest.Enrolled)); !errors.Is(err, attest.ErrUsage) {
		t.Errorf("many with a subject: %v", err)
	}
	zero := s.Trust()
	zero.Anchor.HeaderHash = attest.Hash{}
	if _, err := attest.Verify(raw, zero, policy(SubjectClean, attest.Enrolled)); !errors.Is(err, attest.ErrUsage) {
		t.Errorf("anchor not set: %v", err)
	}
}

// TestEveryBit changes a valid bundle at every bit (every byte of a large one) and expects it refused as invalid: never an answer,
// never a matter of trust or age. The version byte is the one exception.
func TestEveryBit(t *testing.T) {
	small := sample()
	small.Noise = 30
	absent := Spec{Asked: []string{SubjectAbsent}, Noise: 30}
	stepped := Spec{Standings: []*pb.Standing{Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Steps: []Step{{Height: 60, Next: Equal("b", 4)}, {Height: 61, Next: Equal("c", 5)}}}
	many := Spec{Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Asked: []string{SubjectClean, SubjectPunished, SubjectAbsent}, Noise: 20}
	for name, c := range map[string]struct {
		spec    Spec
		subject string
		masks   []byte
	}{
		"present": {small, SubjectClean, []byte{1, 2, 4, 8, 16, 32, 64, 128}},
		"absent":  {absent, SubjectAbsent, []byte{1, 128, 255}},
		"steps":   {stepped, SubjectPunished, []byte{1, 16}},
		"many":    {many, SubjectClean, []byte{1, 64}},
	} {
		t.Run(name, func(t *testing.T) {
			raw := c.spec.File()
			v, err := attest.NewVerifier(c.spec.Trust())
			if err != nil {
				t.Fatal(err)
			}
			p := policy(c.subject, attest.NoNegative)
			if _, err := v.Verify(raw, p); err != nil {
				t.Fatal(err)
			}
			masks := c.masks
			if testing.Short() {
				masks = masks[:1]
			}
			for i := range raw {
				for _, m := range masks {
					raw[i] ^= m
					// The verifier that has seen the valid bundle must not be kinder than one that has not.
					_, err := v.Verify(raw, p)
					if !errors.Is(err, attest.ErrInvalid) && !(i == 3 && errors.Is(err, attest.ErrVersion)) {
						t.Fatalf("byte %d of %d, mask %02x: %v", i, len(raw), m, err)
					}
					raw[i] ^= m
				}
			}
			for i := range raw {
				if _, err := v.Verify(raw[:i], p); !errors.Is(err, attest.ErrInvalid) {
					t.Fatalf("first %d bytes: %v", i, err)
				}
			}
			if _, err := v.Verify(append(raw[:len(raw):len(raw)], 0), p); !errors.Is(err, attest.ErrInvalid) {
				t.Fatalf("trailing byte: %v", err)
			}
		})
	}
}

func TestOrderOfVerdicts(t *testing.T) {
	s := sample()
	raw, trust := s.File(), s.Trust()
	ended := s.Trust()
	ended.NotAfter = Time.Add(-time.Hour)
	late := func(p attest.Policy) attest.Policy { p.Now = Time.Add(48 * time.Hour); return p }
	p := policy(SubjectClean, mustClaim("commitment:"+CommitmentCode(1)+"=pending"))
	broken := append([]byte(nil), raw...)
	broken[len(broken)/2] ^= 1

	_, err := attest.Verify(append([]byte("XLA2"), broken[4:]...), ended, late(p))
	wantCode(t, err, attest.ErrVersion, attest.CodeVersion)
	_, err = attest.Verify(broken, ended, late(p))
	if !errors.Is(err, attest.ErrInvalid) {
		t.Fatal(err)
	}
	_, err = attest.Verify(raw, ended, late(p))
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustExpired)
	_, err = attest.Verify(raw, trust, late(p))
	wantCode(t, err, attest.ErrStale, attest.CodeStale)
	var e *attest.Error
	if !errors.As(err, &e) || e.Seen == nil || e.Seen.Height != 100 {
		t.Fatalf("a stale bundle shows what it proves: %+v", e)
	}
	v, err := attest.Verify(raw, trust, p)
	if err != nil || v.Holds {
		t.Fatal(v, err)
	}
	for i, c := range []struct {
		v    *attest.Verdict
		err  error
		want int
	}{
		{&attest.Verdict{Holds: true}, nil, 0},
		{nil, &attest.Error{Class: attest.ErrInvalid}, 1},
		{nil, &attest.Error{Class: attest.ErrUsage}, 2},
		{nil, &attest.Error{Class: attest.ErrStale}, 3},
		{nil, &attest.Error{Class: attest.ErrTrust}, 4},
		{nil, &attest.Error{Class: attest.ErrVersion}, 5},
		{&attest.Verdict{}, nil, 6},
	} {
		if got := attest.ExitCode(c.v, c.err); got != c.want {
			t.Errorf("%d: exit code %d, want %d", i, got, c.want)
		}
	}
}

func TestAgeAndClock(t *testing.T) {
	s := sample()
	raw, trust := s.File(), s.Trust()
	at := func(d time.Duration) error {
		p := policy(SubjectClean, attest.NoNegative)
		p.Now = Time.Add(d)
		_, err := attest.Verify(raw, trust, p)
		return err
	}
	for _, d := range []time.Duration{-time.Minute, 0, time.Hour} {
		if err := at(d); err != nil {
			t.Errorf("%s: %v", d, err)
		}
	}
	wantCode(t, at(-time.Minute-1), attest.ErrInvalid, attest.CodeFuture)
	wantCode(t, at(time.Hour+1), attest.ErrStale, attest.CodeStale)

	p := policy(SubjectClean, attest.NoNegative)
	p.MaxAge, p.UnsafeAnyAge, p.Now = 0, true, Time.Add(300*24*time.Hour)
	if _, err := attest.Verify(raw, trust, p); err != nil {
		t.Errorf("any age: %v", err)
	}
}

func TestTrustReach(t *testing.T) {
	s := sample()
	raw := s.File()
	try := func(change func(*attest.Trust)) error {
		tr := s.Trust()
		change(tr)
		_, err := attest.Verify(raw, tr, policy(SubjectClean, attest.NoNegative))
		return err
	}
	b := s.Bundle()
	hash := attest.HeaderHash(b.Header)
	for name, c := range map[string]struct {
		change func(*attest.Trust)
		class  error
		code   string
	}{
		"other chain":           {func(t *attest.Trust) { t.ChainID = "test-other" }, attest.ErrInvalid, attest.CodeChain},
		"older than the anchor": {func(t *attest.Trust) { t.Anchor.Height = 102 }, attest.ErrTrust, attest.CodeTrustOlder},
		"at the anchor":         {func(t *attest.Trust) { t.Anchor.Height, t.Anchor.HeaderHash = 101, hash }, nil, ""},
		"another anchor":        {func(t *attest.Trust) { t.Anchor.Height = 101 }, attest.ErrInvalid, attest.CodeAnchor},
		"after the anchor":      {func(t *attest.Trust) { t.Anchor.Height, t.Anchor.HeaderHash = 100, attest.Hash(b.Header.LastBlockHash) }, nil, ""},
		"after another anchor":  {func(t *attest.Trust) { t.Anchor.Height = 100 }, attest.ErrInvalid, attest.CodeAnchor},
		"other set":             {func(t *attest.Trust) { t.Validators = Equal("z", 4).Trusted(1, 0) }, attest.ErrTrust, attest.CodeTrustSet},
		"one key other":         {func(t *attest.Trust) { t.Validators[2].PubKey = Equal("z", 4).Validators[0].PubKey.Bytes() }, attest.ErrTrust, attest.CodeTrustSet},
		"one power other":       {func(t *attest.Trust) { t.Validators[0].Power++ }, attest.ErrTrust, attest.CodeTrustSet},
		"one more":              {func(t *attest.Trust) { t.Validators = append(t.Validators, Equal("z", 1).Trusted(1, 0)...) }, attest.ErrTrust, attest.CodeTrustSet},
		"one more, later":       {func(t *attest.Trust) { t.Validators = append(t.Validators, Equal("z", 1).Trusted(102, 0)...) }, nil, ""},
		"one more, earlier":     {func(t *attest.Trust) { t.Validators = append(t.Validators, Equal("z", 1).Trusted(1, 100)...) }, nil, ""},
		"one less":              {func(t *attest.Trust) { t.Validators = t.Validators[1:] }, attest.ErrTrust, attest.CodeTrustSet},
		"set ended": {func(t *attest.Trust) {
			for i := range t.Validators {
				t.Validators[i].UntilHeight = 100
			}
		}, attest.ErrTrust, attest.CodeTrustSet},
		"set ends here": {func(t *attest.Trust) {
			for i := range t.Validators {
				t.Validators[i].UntilHeight = 101
			}
		}, nil, ""},
		"set begins here": {func(t *attest.Trust) {
			for i := range t.Validators {
				t.Validators[i].FromHeight = 101
			}
		}, nil, ""},
		"set not begun": {func(t *attest.Trust) {
			for i := range t.Validators {
				t.Validators[i].FromHeight = 102
			}
		}, attest.ErrTrust, attest.CodeTrustSet},
		"expired":                 {func(t *attest.Trust) { t.NotAfter = now().Add(-1) }, attest.ErrTrust, attest.CodeTrustExpired},
		"last moment":             {func(t *attest.Trust) { t.NotAfter = now() }, nil, ""},
		"key retired by clock":    {func(t *attest.Trust) { t.Validators[3].ValidUntil = now().Add(-1) }, attest.ErrTrust, attest.CodeTrustWindow},
		"key in force to the end": {func(t *attest.Trust) { t.Validators[3].ValidUntil = now() }, nil, ""},
		"key younger than header": {func(t *attest.Trust) { t.Validators[0].ValidFrom = Time.Add(1) }, attest.ErrTrust, attest.CodeTrustWindow},
		"key as old as header":    {func(t *attest.Trust) { t.Validators[0].ValidFrom = Time }, nil, ""},
	} {
		err := try(c.change)
		if c.class == nil && err != nil || c.class != nil && (!errors.Is(err, c.class) || attest.CodeOf(err) != c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestSteps(t *testing.T) {
	a, b, c := Equal("a", 4), NewSet("b", 40, 30, 20, 10, 5), Equal("c", 7)
	s := Spec{Set: a, Steps: []Step{{Height: 60, Next: b}, {Height: 70, Next: c}}, Standings: []*pb.Standing{Clean(SubjectClean)}}
	raw := s.File()
	p := policy(SubjectClean, attest.NoNegative)
	trustOf := func(set *Set, anchor int64) *attest.Trust {
		tr := s.Trust()
		tr.Validators = set.Trusted(1, 0)
		tr.Anchor.Height = anchor
		tr.Anchor.HeaderHash = attest.Hash(Sum("anchor"))
		return tr
	}
	ok := func(name string, tr *attest.Trust) {
		t.Helper()
		v, err := attest.Verify(raw, tr, p)
		if err != nil || v.TotalPower != 70 {
			t.Errorf("%s: %+v %v", name, v, err)
		}
	}
	ok("from the first set", trustOf(a, 50))
	ok("from the middle", trustOf(b, 65))
	ok("from the last", trustOf(c, 80))
	ok("from the last, anchored before the steps", trustOf(c, 2))
	_, err := attest.Verify(raw, trustOf(a, 61), p)
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustSet) // the step signed by a is older than the anchor
	_, err = attest.Verify(raw, trustOf(b, 71), p)
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustSet)
	_, err = attest.Verify(raw, trustOf(Equal("d", 4), 50), p)
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustSet)
	_, err = attest.Verify(raw, trustOf(a, 60), p)
	wantCode(t, err, attest.ErrInvalid, attest.CodeAnchor) // a step at the anchor's height must be the anchor

	without := s
	without.Steps, without.Set = nil, c
	_, err = attest.Verify(without.File(), trustOf(a, 50), p)
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustSet)

	// A window that has ended for the old set does not matter where the new one is in the file as well.
	tr := trustOf(a, 50)
	for i := range tr.Validators {
		tr.Validators[i].UntilHeight, tr.Validators[i].ValidUntil = 60, Time.Add(-time.Minute)
	}
	_, err = attest.Verify(raw, tr, p)
	wantCode(t, err, attest.ErrTrust, attest.CodeTrustWindow)
	tr.Validators = append(tr.Validators, c.Trusted(71, 0)...)
	ok("both", tr)

	// Steps in neighbouring blocks.
	near := Spec{Set: a, Steps: []Step{{Height: 99, Next: b}, {Height: 100, Next: c}}, Standings: []*pb.Standing{Clean(SubjectClean)}}
	if _, err := attest.Verify(near.File(), near.Trust(), p); err != nil {
		t.Errorf("steps in neighbouring blocks: %v", err)
	}
}

func TestVerifyMany(t *testing.T) {
	subjects := []string{SubjectPunished, SubjectClean, SubjectAbsent}
	s := Spec{Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_GENERAL)}, Asked: subjects, Noise: 60}
	raw := s.File()
	vs, err := attest.VerifyMany(raw, s.Trust(), policy("", attest.NoNegative))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		subject         string
		holds, enrolled bool
	}{{SubjectAbsent, true, false}, {SubjectClean, true, true}, {SubjectPunished, false, true}}
	if len(vs) != 3 {
		t.Fatal(len(vs))
	}
	for i, w := range want {
		if vs[i].Subject != w.subject || vs[i].Holds != w.holds || vs[i].Enrolled != w.enrolled {
			t.Errorf("%d: %+v", i, vs[i])
		}
	}
	v, err := attest.Verify(raw, s.Trust(), policy(SubjectPunished, attest.NoNegative))
	if err != nil || v.Subject != SubjectPunished || v.Holds {
		t.Error(v, err)
	}
	_, err = attest.Verify(raw, s.Trust(), policy(SubjectMany, attest.NoNegative))
	wantCode(t, err, attest.ErrInvalid, attest.CodeSubject)
}

// TestConcurrent is for the race detector; without it, it shows that one Verifier forgets nothing and mixes nothing up.
func TestConcurrent(t *testing.T) {
	var specs []Spec
	for h := int64(101); h < 101+80; h++ { // more blocks than a Verifier remembers
		s := sample()
		s.Height = h
		specs = append(specs, s)
	}
	v, err := attest.NewVerifier(specs[0].Trust())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range specs {
				s := specs[(i*(g+1))%len(specs)]
				got, err := v.Verify(s.File(), policy(SubjectClean, attest.NoNegative))
				if err != nil || got.HeaderHeight != s.Height || !got.Holds {
					t.Errorf("height %d: %+v %v", s.Height, got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSizes(t *testing.T) {
	// A QR code holds 2,953 bytes.
	for _, c := range []struct{ n, goal, pinned int }{{4, 2000, 2953}, {17, 2953, 2953}, {21, 3500, 2953}, {31, 5000, 2953}, {100, 10000, 10000}} {
		s := sample()
		s.Set, s.Depth, s.ChainID, s.Height = Equal("n", c.n), 24, "henan-credit-1", 12345678
		n := len(s.File())
		t.Logf("%3d validators, path of 24, small standing: %d bytes (goal %d)", c.n, n, c.goal)
		pinned, named := len(convert(s.File(), attest.PinnedSet)), len(convert(s.File(), attest.HeaderKnown))
		t.Logf("pinned-set %d, header-known %d", pinned, named)
		if pinned > c.pinned || named > 1100 {
			t.Errorf("%d validators: pinned-set %d bytes, header-known %d", c.n, pinned, named)
		}
		if n > c.goal {
			t.Errorf("%d validators: %d bytes, goal %d", c.n, n, c.goal)
		}
		if _, err := attest.Verify(s.File(), s.Trust(), policy(SubjectClean, attest.NoNegative)); err != nil {
			t.Error(err)
		}
	}
}

// TestRemembers: what is not signed by validators of the trust file takes no room in the memory of a Verifier.
func TestRemembers(t *testing.T) {
	s := sample()
	v, err := attest.NewVerifier(s.Trust())
	if err != nil {
		t.Fatal(err)
	}
	forged := s
	forged.Set = Equal("forgers", 4)
	if _, err := v.Verify(forged.File(), policy(SubjectClean, attest.NoNegative)); !errors.Is(err, attest.ErrTrust) {
		t.Fatal(err)
	}
	if n := v.Remembered(); n != 0 {
		t.Errorf("%d blocks of forgers are remembered", n)
	}
	for h := range int64(100) {
		s.Height = 101 + h
		if _, err := v.Verify(s.File(), policy(SubjectClean, attest.NoNegative)); err != nil {
			t.Fatal(err)
		}
	}
	if n := v.Remembered(); n != 64 {
		t.Errorf("%d blocks are remembered, want 64", n)
	}
}
