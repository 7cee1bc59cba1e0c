// Package measure keeps sanction measures (失信惩戒措施): which item of the list of measures an agency carries out against a subject, on which record it
// rests, and what came of it. A penalty is a fact; a measure is an act of its own, with a basis, an implementer and an end.
//
//	M1 none → announced:               Announce by the record's recogniser, or Call by a decision to enter the subject in a list   待实施
//	M2 announced → applied:            Apply, by the implementer named, or by one entitled that follows a call (its own measure)  实施中
//	M3 applied → applied:              Feedback
//	M4 announced, applied → lifted:    Lift, in the very block in which its record leaves publicity, whatever the cause (called by package sanction)  已解除
//	M5 applied → expired:              timer at 00:00 of the day after until  已届满
//	M6 announced, applied → corrected: Correct, by the implementer or the recogniser  已纠正
//	M7 lifted → announced:             Revive, in the block in which its record stands again (called by package sanction): whoever applied it applies it anew
//
// The loop of 信用核查 → 名单比对 → 措施推送 → 警示提醒 → 结果反馈 → 异议处理: Open answers the check of an implementer, Announce and Call push, a duty without a
// day reminds the implementer that is named, Apply and Feedback close the loop with a duty that has a day, Mark carries an objection and Correct ends
// what an objection finds wrong.
//
// Apply asks, in this order, for: a call; a record in publicity; an item of the list in force today; a record of a kind, class and list that the item
// may rest on; a subject of a category that it may be applied to; an implementer whose competence names it, of the level and line that the item
// asks for; and a final decision, unless the item's statute takes effect at once or governance lets measures rest on decisions (measures_count_when).
//
// Items that are carried out elsewhere (a listing, a publication, what the market does itself) are refused: the ledger never makes such a measure.
// Measures are in no standing and no public answer. Responsible persons are not on the ledger: an item for them alone fits no subject.
//
// This package knows nothing of records: what it must know of one, the caller hands it as a Source.
//
// Invariants: INV-02 (with package sanction, which calls Lift) and INV-36; MSR-1 a measure has the id of its facts and the indexes know it; MSR-2 states carry
// their facts; MSR-3 no measure has an item that is carried out elsewhere.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package measure
