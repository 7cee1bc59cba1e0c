package attest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
)

// Question is one bundle of many, with what is asked of it.
type Question struct {
	Bundle []byte
	Policy Policy // with a subject
}

// Answer is what Verify says of one Question: a verdict or an error.
type Answer struct {
	Verdict *Verdict
	Err     error
}

// VerifyAll judges many bundles, each for itself: one that is refused says nothing of the others. Answers are in the order of the questions and are those that
// Verify gives. The signatures of a block are checked once, however many bundles stand on it and in whatever order they come. It uses the goroutine of the
// caller alone; several callers may share one Verifier.
func (v *Verifier) VerifyAll(questions []Question) []Answer {
	type place struct {
		i     int
		block Hash
	}
	order := make([]place, len(questions))
	for i := range questions {
		order[i] = place{i, blockKey(questions[i].Bundle)}
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(bytes.Compare(a.block[:], b.block[:]), cmp.Compare(a.i, b.i))
	})
	answers := make([]Answer, len(questions))
	for _, o := range order {
		q := &questions[o.i]
		answers[o.i].Verdict, answers[o.i].Err = v.Verify(q.Bundle, q.Policy)
	}
	return answers
}

// blockKey brings bundles of one block together; of what is no bundle it says nothing.
func blockKey(raw []byte) Hash {
	raw, err := unarmor(raw)
	if err != nil {
		return Hash{}
	}
	cut, err := open(raw)
	if err != nil {
		return Hash{}
	}
	return sha256.Sum256(raw[:cut])
}
