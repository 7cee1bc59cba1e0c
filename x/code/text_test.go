package code

import (
	"testing"
	"unicode"
)

// TestHanRanges: the ranges written down hold every unified ideograph this compiler knows, except the
// twelve that stand among the compatibility ideographs.
func TestHanRanges(t *testing.T) {
	missing := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.Is(unicode.Unified_Ideograph, r) && !isHan(r) {
			if r < 0xF900 || r > 0xFAFF {
				t.Fatalf("%U is no Chinese character", r)
			}
			missing++
		}
		if isHan(r) && (isBlank(r) || isInvisible(r) || isControl(r) || r < 0x3000) {
			t.Fatalf("%U is a Chinese character", r)
		}
		if unicode.IsSpace(r) && !isBlank(r) {
			t.Fatalf("%U is no blank", r)
		}
		if unicode.Is(unicode.Cc, r) && !isControl(r) {
			t.Fatalf("%U is no control character", r)
		}
	}
	if missing != 12 {
		t.Fatalf("%d characters missing", missing)
	}
}

// TestUSCCWeights: the published weighted sums of the synthetic codes, before the check character.
func TestUSCCWeights(t *testing.T) {
	for s, want := range map[string]int{
		"91410100Y000000160": 899, "92411300Y00000024E": 947, "11410000Y00000032Q": 813,
		"52419001Y00000040A": 982, "93411600Y000000AXG": 1968,
	} {
		if got := usccSum(s[:17]); got != want {
			t.Errorf("%s sums to %d, want %d", s, got, want)
		}
	}
}

func TestActDigest(t *testing.T) {
	want := ActDigest("2026-07-01 金水区示例路1号 A座")
	for _, same := range []string{"２０２６－０７－０１ 金水区示例路１号　ａ座", " 2026-07-01\r\n金水区示例路1号a座 "} {
		if ActDigest(same) != want {
			t.Errorf("%q is another act", same)
		}
	}
	if ActDigest("2026-07-02 金水区示例路1号 A座") == want {
		t.Error("another day is the same act")
	}
}
