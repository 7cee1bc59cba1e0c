// Package commitment keeps credit commitments (信用承诺) of all seven kinds and the bar on commitment in place of proof (禁用告知承诺).
//
//	A1 none → pending:          Submit               待受理
//	A2 none → supervised:       Submit, accepted     监管中 (the acceptor records what it has accepted already)
//	A3 pending → supervised:    Accept
//	A4 pending → rejected:      Reject               已拒绝
//	A5 supervised → due:        timer, the day after valid_until  待评估到期
//	A6 supervised, due → fulfilled, breached: Assess (called by package fulfillment)  已履行, 未履行
//	A7 breached → cured:        Cure (called by package fulfillment)  已履行(补正)
//	A8 pending, supervised, due → withdrawn: Withdraw  已撤回
//
// A commitment of type 4 (信用修复型) leaves public view in the block in which its repair takes effect (Hide) and comes back if the repair
// is revoked (Show).
//
// The bar: a published record of class 严重, or a breach, closes types 1 and 3 to the subject, at every agency (INV-07). Each cause has a
// bar of its own. A breach's bar goes when every negative record that punishes the breach is repaired, at its term or withdrawn; where
// the breach led to no such record, when it is cured and a public commitment of type 4 stands.
//
// Invariants: INV-07; CMT-1 the code begins with the region of acceptance and the date made; CMT-2 assessment states carry their facts.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package commitment
