package attest_test

import (
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// TestSubjectForm: whatever the ledger may enrol, the verifier can be asked about; what it refuses, the ledger refuses.
func TestSubjectForm(t *testing.T) {
	n := 0
	for _, first := range []string{"91410100", "92411300", "11410000", "52419001", "93411600", "A1410100", "N3410181", "Y1410000"} {
		for _, body := range []string{"Y0000001", "MA3X1Y2Z", "00000000", "K7654321", "99999999"} {
			s := code.CompleteUSCC(first, body)
			if s == "" {
				continue
			}
			n++
			if err := attest.CheckSubject(s); err != nil {
				t.Errorf("%s: %v", s, err)
			}
			for i := range s {
				for _, c := range []byte("0A9IOSVZa -") {
					x := s[:i] + string(c) + s[i+1:]
					if attest.CheckSubject(x) != nil && code.CheckUSCC(x) == nil {
						t.Errorf("%s is refused here and not by the ledger", x)
					}
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d codes were tried", n)
	}
	for _, s := range []string{
		"91410100Y00000016B", "914101000Y00000160", "91410100Y00O000160", "91410100Y00000016", "9141A100Y000000160", "91410100y000000160",
	} {
		if attest.CheckSubject(s) == nil {
			t.Errorf("%s is accepted", s)
		}
	}
}
