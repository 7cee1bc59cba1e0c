package code_test

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x/code"
)

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

func anyUSCC(t *rapid.T) string {
	first := rapid.SampledFrom([]string{"91", "92", "93", "11", "12", "51", "52", "A1", "N3", "Y1"}).Draw(t, "type") +
		rapid.StringMatching(`[0-9]{6}`).Draw(t, "region")
	body := rapid.StringMatching(`[`+alphabet+`]{8}`).Draw(t, "body")
	return code.CompleteUSCC(first, body)
}

// TestUSCCFindsEverySlip: one wrong character, or two neighbours exchanged, is always refused.
func TestUSCCFindsEverySlip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyUSCC(t)
		if err := code.CheckUSCC(s); err != nil || !code.OrgCheckOK(s) {
			t.Fatalf("%q made here is refused: %v", s, err)
		}
		if out, changed := code.NormalizeUSCC(strings.ToLower(s[:9]) + "-" + s[9:] + " "); out != s || !changed {
			t.Fatalf("%q is mended to %q", s, out)
		}
		i := rapid.IntRange(0, 17).Draw(t, "position")
		c := rapid.SampledFrom([]byte(alphabet)).Draw(t, "character")
		if wrong := s[:i] + string(c) + s[i+1:]; wrong != s && code.CheckUSCC(wrong) == nil {
			t.Fatalf("%q passes for %q", wrong, s)
		}
		if i < 17 {
			if wrong := s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]; wrong != s && code.CheckUSCC(wrong) == nil {
				t.Fatalf("%q passes for %q", wrong, s)
			}
		}
	})
}

// docNoSyntax is the published form of a document number; what is checked by hand must agree with it.
var docNoSyntax = regexp.MustCompile(`^[\p{Han}0-9A-Za-z（）·]{2,40}〔(?:19|20)\d{2}〕第?[0-9A-Za-z\-]{1,24}号$`)

func TestDocNoAgainstSyntax(t *testing.T) {
	part := rapid.SampledFrom([]string{
		"豫", "市监处罚", "〔2024〕", "[2024]", "（2024）", "〔", "〕", "〔1899〕", "第", "号", "12", "0135", "-", "A", "ａ", "１",
		" ", "·", "（", "(", "）", "𠮷", "\u200b", "，", "一二三四五六七八九十", "123456789012", "〇", "々",
	})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(part, 0, 9).Draw(t, "parts"), "")
		if rapid.Bool().Draw(t, "whole") {
			s = "豫市" + s + "〔2024〕12" + s + "号"
		}
		out, _ := code.NormalizeDocNo(s)
		if again, changed := code.NormalizeDocNo(out); changed || again != out {
			t.Fatalf("%q is mended twice: %q, %q", s, out, again)
		}
		for _, s := range []string{s, out} {
			err := code.CheckDocNo(s)
			_, pii := code.ScanPII(s)
			want := docNoSyntax.MatchString(s) && utf8.RuneCountInString(s) <= code.MaxDocNo && !pii
			if (err == nil) != want {
				t.Fatalf("%q: %v, by the syntax %v", s, err, want)
			}
			if err == nil {
				if _, changed := code.NormalizeDocNo(s); changed {
					t.Fatalf("%q is accepted and not in normal form", s)
				}
			}
		}
	})
}

func TestWanYuanExact(t *testing.T) {
	syntax := regexp.MustCompile(`^[0-9]+(?:\.[0-9]{1,6})?$`)
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64Range(0, code.MaxFen).Draw(t, "fen")
		if back, err := code.ParseWanYuan(code.FormatWanYuan(fen)); err != nil || back != fen {
			t.Fatalf("%d is written %s and read %d (%v)", fen, code.FormatWanYuan(fen), back, err)
		}
		s := rapid.StringMatching(`[0-9]{0,12}\.?[0-9]{0,8}`).Draw(t, "text")
		got, err := code.ParseWanYuan(s)
		ref, ok := new(big.Rat).SetString(s)
		want := int64(-1)
		if ok && syntax.MatchString(s) {
			ref.Mul(ref, big.NewRat(1_000_000, 1))
			if ref.IsInt() && ref.Num().IsInt64() && ref.Num().Int64() <= code.MaxFen {
				want = ref.Num().Int64()
			}
		}
		if (err == nil) != (want >= 0) || err == nil && got != want {
			t.Fatalf("%q is %d (%v), want %d", s, got, err, want)
		}
	})
	for fen, want := range map[int64]string{-1: "-0.000001", -9223372036854775808: "-9223372036854.775808"} {
		if got := code.FormatWanYuan(fen); got != want {
			t.Errorf("%d is written %s, want %s", fen, got, want)
		}
	}
}

// TestScanPIIFindsAnywhere plants numbers in text that holds none.
func TestScanPIIFindsAnywhere(t *testing.T) {
	plain := rapid.StringMatching(`[豫市监，。A-Wa-w ]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		before, after := plain.Draw(t, "before"), plain.Draw(t, "after")
		if kind, found := code.ScanPII(before + after); found {
			t.Fatalf("%q holds a %s", before+after, kind)
		}
		planted := rapid.SampledFrom([]string{
			"410105199003070018", "41010519900307000X", "410105900307001",
		}).Draw(t, "id")
		want := code.PIIIDNumber
		if rapid.Bool().Draw(t, "mobile") {
			planted, want = rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "number"), code.PIIMobile
		}
		wide := strings.Map(func(r rune) rune {
			if rapid.Bool().Draw(t, "wide") {
				return r + 0xFEE0
			}
			return r
		}, planted)
		if kind, _ := code.ScanPII(before + wide + after); kind != want {
			t.Fatalf("%q in %q is %q", wide, before+wide+after, kind)
		}
		if kind, found := code.ScanPII(before + "9" + planted[:11] + "9" + after); found {
			t.Fatalf("a part of a longer run is a %s", kind)
		}
	})
}

func TestMendedTextPasses(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"豫", "A", " ", "\u3000", "\u00a0", "\n", "\r", "\r\n", "\t", "\v", "\x00", "\x7f", "\u0085", "\u2028", "\u200b", "\ufeff", "𠮷", "，", "1", "\u202e",
	})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), "")
		for _, f := range []func(string) (string, bool){code.MendText, code.MendLine} {
			out, changed := f(s)
			if changed != (out != s) {
				t.Fatalf("%q to %q: changed %v", s, out, changed)
			}
			if again, twice := f(out); twice {
				t.Fatalf("%q is mended twice: %q, %q", s, out, again)
			}
			if err := code.CheckText(out, 1000); err != nil {
				t.Fatalf("%q is mended to %q: %v", s, out, err)
			}
		}
		if out, _ := code.MendLine(s); strings.ContainsAny(out, "\n\r") {
			t.Fatalf("%q is not one line", out)
		}
	})
}

// TestLongInput: nothing grows with input beyond its limit, and nothing is mended into a pass.
func TestLongInput(t *testing.T) {
	long := strings.Repeat(" ", code.MaxIdentifierInput) + "91410100Y000000160"
	for name, f := range map[string]func(string) (string, bool){
		"uscc": code.NormalizeUSCC, "docno": code.NormalizeDocNo, "region": code.NormalizeRegion,
		"commitment": code.NormalizeCommitmentCode,
	} {
		if out, changed := f(long); changed || out != long {
			t.Errorf("%s: %d bytes are mended", name, len(long))
		}
	}
	if _, err := code.ParsePenaltyKinds(strings.Repeat("罚款;", code.MaxKindsInput)); err == nil {
		t.Error("a kinds cell beyond the limit is read")
	}
	if _, err := code.ParseSeverity(long); err == nil {
		t.Error("a value cell beyond the limit is read")
	}
	if _, err := code.ParseSeverity(strings.Repeat(" ", code.MaxIdentifierInput) + "一般"); err == nil {
		t.Error("a value cell beyond the limit is read")
	}
}

func TestCommitmentCodeParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`4[0-9]{5}20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{6}`).Draw(t, "code")
		p, err := code.ParseCommitmentCode(s)
		if err != nil || code.MakeCommitmentCode(p) != s {
			t.Fatalf("%s: %+v (%v)", s, p, err)
		}
	})
}

// TestRefusalsDoNotRepeatInput: the text of a refusal must not carry what was refused.
func TestRefusalsDoNotRepeatInput(t *testing.T) {
	secret := "张三410105199003070018"
	_, e1 := code.ParsePenaltyKinds(secret)
	_, e2 := code.ParseWanYuan(secret)
	_, e3 := code.ParseSeverity(secret)
	_, e4 := code.ParseCommitmentCode(secret)
	for _, err := range []error{
		e1, e2, e3, e4, code.CheckUSCC(secret), code.CheckRegion(secret), code.CheckDocNo(secret),
		code.CheckDocNo("豫罚〔2024〕410105199003070018号"), code.CheckCodeToken(secret, 40), code.CheckText(secret+" ", 40),
	} {
		var p *code.Problem
		if !errors.As(err, &p) {
			t.Fatalf("%v is no Problem", err)
		}
		if strings.Contains(err.Error(), "张三") || strings.Contains(err.Error(), "41010519") {
			t.Errorf("%v repeats its input", err)
		}
	}
}

func FuzzIdentifiers(f *testing.F) {
	for _, s := range []string{"91410100Y000000160", "豫市监处罚[2024]12号", "41010520260603000017", "12.5", "罚款；1", "138 1234 5678", "\xff", "41010519900307000X"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range []func(string) (string, bool){
			code.NormalizeUSCC, code.NormalizeRegion, code.NormalizeCommitmentCode, code.NormalizeDocNo, code.MendText, code.MendLine,
		} {
			out, changed := n(s)
			if changed != (out != s) {
				t.Fatalf("%q to %q: changed %v", s, out, changed)
			}
			if again, twice := n(out); twice {
				t.Fatalf("%q is mended twice: %q, %q", s, out, again)
			}
		}
		if code.CheckUSCC(s) == nil {
			if out, changed := code.NormalizeUSCC(s); changed {
				t.Fatalf("%q is accepted and mended to %q", s, out)
			}
		}
		if code.CheckDocNo(s) == nil {
			if out, changed := code.NormalizeDocNo(s); changed {
				t.Fatalf("%q is accepted and mended to %q", s, out)
			}
		}
		if fen, err := code.ParseWanYuan(s); err == nil && (fen < 0 || fen > code.MaxFen) {
			t.Fatalf("%q is %d fen", s, fen)
		}
		if kinds, err := code.ParsePenaltyKinds(s); err == nil {
			for i, k := range kinds {
				if code.PenaltyKindName(k) == "" || i > 0 && kinds[i-1] >= k {
					t.Fatalf("%q is %v", s, kinds)
				}
			}
		}
		code.ScanPII(s)
		code.OrgCheckOK(s)
	})
}
