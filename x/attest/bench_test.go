package attest_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"

	"github.com/xinlian-ledger/xinlian/x/attest"
	. "github.com/xinlian-ledger/xinlian/x/attesttest"
)

// Each benchmark of a verification prints, beside its own time, the ratio to the primitive work that nobody can avoid, measured in
// the same run. Path of depth 24: a tree of 10^7 leaves.

const benchDepth = 24

// ratio times f against limit in many short alternating rounds and compares the best of each: rounds shorter than a time slice, because
// on a shared machine a long one is always interrupted, and then the quotient says more about the neighbours than about f. What the
// collector does between rounds is left out. (A benchmark cannot run inside a benchmark.)
func ratio(f, limit func()) float64 {
	best := [2]float64{math.Inf(1), math.Inf(1)}
	for range 200 {
		for i, g := range [2]func(){f, limit} {
			n, start := 0, time.Now()
			for time.Since(start) < 2*time.Millisecond {
				g()
				n++
			}
			best[i] = min(best[i], float64(time.Since(start).Nanoseconds())/float64(n))
		}
	}
	return best[0] / best[1]
}

func deep(n int) Spec {
	s := sample()
	s.Set, s.Depth = Equal("bench", n), benchDepth
	return s
}

// BenchmarkKnownHeader: the block is known, because the verifier remembers it or because it is handed over; goal: at most 3 times 25 SHA-256 of 65 bytes.
func BenchmarkKnownHeader(b *testing.B) {
	var in [65]byte
	limit := func() {
		for range benchDepth + 1 {
			h := sha256.Sum256(in[:])
			copy(in[1:], h[:])
		}
	}
	present, absent := deep(4), Spec{Set: Equal("bench", 4), Depth: benchDepth, Asked: []string{SubjectAbsent}}
	for _, c := range []struct {
		name, subject string
		spec          Spec
		form          attest.Form
	}{
		{"presence", SubjectClean, present, attest.SelfContained},
		{"absence", SubjectAbsent, absent, attest.SelfContained},
		{"presence-header-known", SubjectClean, present, attest.HeaderKnown},
		{"absence-header-known", SubjectAbsent, absent, attest.HeaderKnown},
	} {
		b.Run(c.name, func(b *testing.B) {
			v, err := attest.NewVerifier(c.spec.Trust())
			if err != nil {
				b.Fatal(err)
			}
			raw := c.spec.File()
			p := policy(c.subject, attest.NoNegative)
			header, err := v.Header(raw)
			if err != nil {
				b.Fatal(err)
			}
			p.Headers = []*attest.Header{header}
			raw = convert(raw, c.form)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(raw, p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(ratio(func() { v.Verify(raw, p) }, limit), "x-limit")
			b.ReportMetric(float64(len(raw)), "B/bundle")
		})
	}
}

// BenchmarkNothingKnown: every block is new to the verifier. The expanded keys that the batch verifier itself remembers serve the
// limit as well. Goal: at most 1.5 times a batch over the signatures that are needed.
func BenchmarkNothingKnown(b *testing.B) {
	for _, n := range []int{4, 21, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { nothingKnown(b, n, attest.SelfContained) })
		b.Run(fmt.Sprint(n, "-pinned-set"), func(b *testing.B) { nothingKnown(b, n, attest.PinnedSet) })
	}
}

func nothingKnown(b *testing.B, n int, form attest.Form) {
	s := deep(n)
	p := policy(SubjectClean, attest.NoNegative)
	v, err := attest.NewVerifier(s.Trust())
	if err != nil {
		b.Fatal(err)
	}
	var raws [][]byte // more than a verifier remembers, so that each is forgotten when its turn comes again
	for h := range int64(100) {
		s.Height = 200 + h
		raws = append(raws, convert(s.File(), form))
	}
	needed := n*2/3 + 1
	msg := make([]byte, 140)
	limit := func() {
		batch := ed25519.NewBatchVerifier()
		for i := range needed {
			if err := batch.Add(s.Set.Key(i).PubKey(), msg, signatures(s.Set, i, msg)); err != nil {
				b.Fatal(err)
			}
		}
		if ok, _ := batch.Verify(); !ok {
			b.Fatal("batch")
		}
	}
	b.ReportAllocs()
	// One counter for both loops: starting over would meet blocks that are still remembered.
	i := 0
	next := func() {
		if _, err := v.Verify(raws[i%len(raws)], p); err != nil {
			b.Fatal(err)
		}
		i++
	}
	for b.Loop() {
		next()
	}
	b.ReportMetric(ratio(next, limit), "x-limit")
	b.ReportMetric(float64(len(raws[0])), "B/bundle")
}

var signed = map[string][]byte{}

func signatures(s *Set, i int, msg []byte) []byte {
	k := string(s.Validators[i].Address)
	if signed[k] == nil {
		sig, err := s.Key(i).Sign(msg)
		if err != nil {
			panic(err)
		}
		signed[k] = sig
	}
	return signed[k]
}

// BenchmarkMany: one bundle for a thousand subjects.
func BenchmarkMany(b *testing.B) {
	s := Spec{Noise: 100000}
	for _, uscc := range codes(1000) {
		s.Standings = append(s.Standings, Clean(uscc))
	}
	raw, trust := s.File(), s.Trust()
	p := policy("", attest.NoNegative)
	for b.Loop() {
		if _, err := attest.VerifyMany(raw, trust, p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(raw))/1000, "B/subject")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/subject")
}

// codes gives synthetic codes with right check characters.
func codes(n int) []string {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	var out []string
	for i := range n {
		s := fmt.Sprintf("91410100Y%08d", i)
		sum, weight := 0, 1
		for j := range 17 {
			v := 0
			for alphabet[v] != s[j] {
				v++
			}
			sum, weight = sum+v*weight, weight*3%31
		}
		out = append(out, s+string(alphabet[(31-sum%31)%31]))
	}
	return out
}
