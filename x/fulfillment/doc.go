// Package fulfillment assesses commitments: fulfilment (践诺) and breach (违诺), and the cure of a breach.
//
//	F1 supervised, due → fulfilled:  Assess with status 1 全部履行
//	F2 supervised, due → breached:   Assess with status 2 部分履行 or 3 全部未履行
//	F3 breached → cured:             Cure
//
// A breach carries what was not performed and what follows from it, both as digests of texts in the assessor's vault, and the evidence that holds
// the written notice and the subject's statement; where the day of the notice is given, it lies before the assessment.
// The original breach stays in the subject's file (INV-20).
//
// Invariants: FUL-1 status, texts and state agree.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package fulfillment
