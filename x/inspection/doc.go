// Package inspection keeps random inspections (双随机、一公开): whom an agency inspects, and which of its inspectors, is drawn by lot.
//
//	I1 none → open:            Plan        拟定: rates of the four classes, day of the draw, roster of inspectors
//	I2 open → open:            Add         candidates (抽查对象), each with its class, raised while it is under attention (积累关注)
//	I3 open → sealed:          Seal        已封存: from now on the list cannot change; its digest stands in the plan
//	I4 sealed → drawn:         timer, in the first block of the day of the draw  已抽取
//	I5 open, sealed → cancelled: Cancel    已取消, with its reason
//	I6 drawn → drawn, completed: Record    a result with its day; completed with the last one  已完成
//
// The draw is a pure function of the sealed list and of a seed that nobody knew when it was sealed: the hash of the block in which the draw is made,
// which lies on a later legal day. DRAW.md says how anybody recomputes it; Draw is that function and testdata/draw.json its vectors. What the
// proposer of just that block could do is to choose among the blocks that it might propose: the list, the rates and the day are out of its reach.
//
// Nobody is told who was drawn but the agency that inspects, auditors, and the firm once it was inspected. What is published of a plan are counts,
// once it is completed, and none of fewer than k_threshold (INV-39). Names of inspectors are not on chain: the draw gives numbers in a roster whose
// digest stands in the plan (INV-17).
//
// An assessment of a commitment may rest on an inspection; package app hands Find to package fulfillment, which stands before this one.
//
// Invariants: INV-39; INS-1 candidates of a plan are as many as it counts, and their digest is the sealed one; INS-2 inspections of a drawn plan are
// just those that Draw gives for its list and seed; INS-3 its counts are those of its inspections.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package inspection
