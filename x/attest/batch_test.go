package attest_test

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// TestVerifyAll: many bundles, good and bad, of more blocks than are remembered and in any order, from several goroutines at once, get the answers that
// each gets by itself from a verifier that knows nothing.
func TestVerifyAll(t *testing.T) {
	r := rand.New(rand.NewSource(11))
	var questions []attest.Question
	trust := sample().Trust()
	for h := range int64(70) {
		s := Spec{Standings: []*pb.Standing{Clean(SubjectClean), Punished(SubjectPunished, pb.SEVERITY_SERIOUS)}, Height: 101 + h}
		for i, subject := range []string{SubjectClean, SubjectPunished} {
			one := s
			one.Asked = []string{subject}
			raw := one.File()
			switch (int(h) + i) % 7 {
			case 1:
				raw[len(raw)/2] ^= 1
			case 2:
				raw = attest.Armor(raw)
			case 3:
				raw = convert(raw, attest.PinnedSet)
			case 4:
				raw = convert(raw, attest.HeaderKnown)
			case 5:
				raw = raw[:10]
			}
			questions = append(questions, attest.Question{Bundle: raw, Policy: policy(subject, attest.NoNegative)})
		}
	}
	questions = append(questions, attest.Question{Bundle: questions[0].Bundle}) // without a policy
	r.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	line := func(v *attest.Verdict, err error) string { return fmt.Sprint(v, err) }
	want := make([]string, len(questions))
	for i, q := range questions {
		fresh, err := attest.NewVerifier(trust)
		if err != nil {
			t.Fatal(err)
		}
		want[i] = line(fresh.Verify(q.Bundle, q.Policy))
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, a := range v.VerifyAll(questions) {
				if got := line(a.Verdict, a.Err); got != want[i] {
					t.Errorf("question %d: %s, want %s", i, got, want[i])
				}
			}
		})
	}
	wg.Wait()
	if len(v.VerifyAll(nil)) != 0 {
		t.Error("answers to nothing")
	}
}
