// Package repair carries credit repair (信用修复) from application to effect.
//
//	R1 none → pending:              Apply                   待受理
//	R2 pending → supplement:        Supplement, once        待补正
//	R3 supplement → pending:        Refile, within its window
//	R4 pending → accepted:          Accept                  已受理
//	R5 pending → not accepted:      Refuse                  不予受理
//	R6 accepted → effective:        Approve                 准予修复, in force in the same block
//	R7 accepted → refused:          Refuse                  不予修复
//	R8 effective → revoked:         Revoke, for deceit      已撤销修复
//	R9 supplement → not accepted:   timer, the window has passed
//
// In the block of R6 the record is repaired, the bars that rest on it are lifted and the public type-4 commitment of the application leaves view:
// the subject's standing has again the bytes that it had before the record came (INV-03). R8 brings record and commitment back with their
// dates unchanged and bars further applications for a time (INV-13).
//
// The type-4 commitment of an application is younger than the record, so that nothing which the public saw before the record came leaves with it.
//
// Only the agency that issued a record decides on its repair (谁认定、谁修复); a mandate does not reach that far.
//
// Invariants: INV-12 no approval before min_until, without duties verified or without a public type-4 commitment; INV-13; INV-32 a refusal has
// its reason; REP-1 at most one application is open on a record.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package repair
