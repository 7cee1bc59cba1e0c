// Package commitment keeps credit commitments (信用承诺) of all seven kinds and the bar on commitment in place of proof (禁用告知承诺).
//
//	A1 none → pending:          Submit               待受理
//	A2 none → supervised:       Submit, accepted     监管中 (the acceptor records what it has accepted already)
//	A3 pending → supervised:    Accept
//	A4 pending → rejected:      Reject               已拒绝
//	A5 supervised → due:        the day after its time has ended (check_by)  待评估到期
//	A6 supervised, due → fulfilled, breached: Assess (called by package fulfillment)  已履行, 未履行
//	A7 breached → cured:        Cure (called by package fulfillment)  已履行(补正)
//	A8 any but rejected → withdrawn: Withdraw, accepted by error  已撤回
//	A9 accepted, type 1:        NoteLicence, the licence that was granted on it (许可)
//	A10 supervised, due, breached: Mended, the subject says that it has made good by itself (自行补正); the acceptor cures, assesses or refuses
//	A11 fulfilled, breached, cured → fulfilled, breached: Assess anew, the assessment was wrong (更正)
//
// What stands in view: a public commitment enters the standing in the block that records it and follows its state by itself (自动公示).
//
// Its clocks, each a duty of the acceptor: accept_by, accept_commitment_wd after it was recorded; check_by, its valid_until, or where it states none
// assess_window_months after acceptance; assess_by, assess_grace_wd after check_by; mend_by, assess_grace_wd after a report of mending. Passing check_by
// raises no alarm: it is A5. All are computed once, by the catalogue of their day (INV-25).
//
// What types 1 and 3, commitment in place of proof (告知承诺), are closed by: the item of business lies in an excluded field (A1-5); the bar.
//
// A commitment of type 4 (信用修复型) leaves public view in the block in which its repair takes effect (Hide) and comes back if the repair
// is revoked (Show).
//
// The bar: a published record of class 严重, or a breach, closes types 1 and 3 to the subject, at every agency (INV-07). Each cause has a
// bar of its own. A breach's bar goes when every negative record that punishes the breach is repaired, at its term or withdrawn; where
// the breach led to no such record, when it is cured and a public commitment of type 4 stands, or when no breach is left: the commitment was
// withdrawn or assessed anew.
//
// Invariants: INV-07; CMT-1 the code begins with the region of acceptance and the date made; CMT-2 assessment states carry their facts; CMT-3 each
// clock that runs has its day; CMT-4 a report of mending waits only where it can be decided; CMT-5 only accepted commitments of type 1 lead to a
// licence; CMT-6 a bar stands only while a breach is left or a live record punishes it.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package commitment
