// Package repair carries credit repair (信用修复) of dishonesty records of any kind from application to effect and beyond.
//
//	R1 none → pending:              Apply                   待受理
//	R2 pending → supplement:        Supplement, once        待补正
//	R3 supplement → pending:        Refile, within its window
//	R4 pending → accepted:          Accept                  已受理
//	R5 pending → not accepted:      Refuse                  不予受理
//	R6 accepted → effective:        Approve                 准予修复, in force in the same block; of a 轻微 record also from pending (简易程序)
//	R7 accepted → refused:          Refuse                  不予修复
//	R8 effective → revoked:         Revoke, for deceit      已撤销修复
//	R9 supplement → not accepted:   timer, the window has passed
//	R10 open → moot:                the record left publicity otherwise (Settle, in the same block)  已终结
//	R11 accepted → accepted:        Extend, once            延期
//	R12–R14 effective → effective:  Execute, Push, Track: the recogniser has ended its own publication (执行), told the firm's place of registration in
//	                                another province (推送), looked back at the firm (修复后跟踪)
//	R15 refused, not accepted → pending, revoked → effective: Reopen, where the recogniser finds an objection to the result founded
//
// One application number may stand for several records; each has a row, and an outcome, of its own. After a refusal another application, with
// another number, brings new facts.
//
// In the block of R6 the record is repaired and the bars that rest on it are lifted. The public type-4 commitment leaves view when no open application
// names it and one of them took effect, or no record that they speak of is in publicity any more: the subject's standing has again the bytes that it
// had before the record came (INV-03). R8 brings record and commitment back with their dates unchanged and bars further applications for a
// time (INV-13); so does a refusal for deceit. Where the term of the record has passed meanwhile, neither comes back and the bar alone remains.
//
// The type-4 commitment of an application is younger than the record, so that nothing which the public saw before the record came leaves with it.
//
// Which law applies in time (D-1): the rule in force on the day of the application says from when on it may be filed; publicity follows the rule in force at
// the decision, and the shorter of the longest periods counts (package sanction).
//
// Limits are duties of the recogniser (acceptance, decision, execution, push, look back) and of the agency that filed the application (the answer to
// the applicant); one that passes unmet raises an alarm. While the applicant fills gaps the clocks stand still. 轻微 records have the short limit of
// the simple procedure; while governance has declared an emergency an application may ask for the limits of the emergency procedure (应急程序).
//
// Only the agency that issued a record decides on its repair (谁认定、谁修复); a mandate does not reach that far.
//
// Invariants: INV-12 no approval before min_until, without duties verified or without a public type-4 commitment; INV-13; INV-32 a refusal has
// its reason; REP-1 at most one application is open on a record; REP-2 an open one waits on a record that can be repaired, and one in effect has the
// number of its decision (信用修复决定书).
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package repair
