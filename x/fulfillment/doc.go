// Package fulfillment assesses commitments: fulfilment (践诺) and breach (违诺), and the cure of a breach.
//
//	F1 supervised, due → fulfilled:  Assess with status 1 全部履行
//	F2 supervised, due → breached:   Assess with status 2 部分履行 or 3 全部未履行
//	F3 breached → cured:             Cure
//	F4 supervised, due, breached:    Mend: the subject says that it has made good by itself (自行补正), or supplied the papers that were missing (容缺受理)
//	F5 the same:                     RefuseMend, with the reason; F1 to F3 decide a report of mending as well
//	F6 fulfilled, breached, cured → fulfilled, breached: Reassess, the assessment was wrong (更正)
//
// 部分履行 is a breach as 全部未履行 is: what was not performed and what follows from it are stated, and it bars alike.
//
// A breach carries what was not performed and what follows from it, both as digests of texts in the assessor's vault, and the evidence that holds
// the written notice and the subject's statement; where the day of the notice is given, it lies before the assessment.
// The original breach stays in the subject's file (INV-20).
//
// Invariants: FUL-1 status, texts and state agree.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package fulfillment
