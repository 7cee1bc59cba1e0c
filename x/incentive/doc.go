// Package incentive keeps the subjects of incentive lists (守信激励对象): who proposes them, the public notice in which anybody may object, and what
// standing in a list has brought them.
//
//	N1 none → proposed:                     Propose    拟认定
//	N2 proposed → noticed:                  Notice     公示: until the last day of the notice anybody may object
//	N3 noticed → checked:                   Mark, by package objection, when an objection comes  核查
//	N4 noticed, checked → recognised:       Recognise  认定: after the notice, with no objection open
//	N5 proposed, noticed, checked → declined: Decline  不认定, with its reason
//	N6 recognised → expired:                timer, when its last day has passed  到期
//	N7 recognised → cancelled:              Cancel     取消, with cause and reason
//	N8 recognised → recognised:             Use        应用: an agency grants one of the list's measures
//
// An incentive shows and serves while nothing published excludes it: an entry of the subject in a list of serious dishonesty always does, and a record of
// the class that the incentive list names, or a higher one. This is derived by the reader, from published facts alone. So no incentive and no such record
// are ever shown or used side by side (INV-29), and when the record leaves publicity the subject's standing has the very bytes of one that never had it
// (INV-03). domain.md §11.6 has an entry in such a list cancel for ever; that would be a trace of a record which was repaired. What ends an incentive
// for good is its recogniser's decision.
//
// The decision is a duty with its last day (incentive_decide_wd), which waits while an objection is open; a missed one raises an alarm.
//
// Invariants: INV-29 as above; INV-32 a decision against an incentive has its reason; INV-34 an incentive counts as many objections as are open to it;
// NTV-1 what is recognised was under public notice for its whole length, and ends within the list's term; NTV-2 the indexes follow from the rows.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package incentive
