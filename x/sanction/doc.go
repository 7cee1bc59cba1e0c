// Package sanction keeps dishonesty records (失信信息) of all kinds: administrative penalties (行政处罚), entries in lists of abnormal operation (异常名录),
// other dishonesty (其他失信信息).
//
//	P1 none → registered:              Record, RecordAbnormal, RecordOther  登记
//	P2 none → unpublished:             a minor record that need not be published (same block)  不公示
//	P3 registered → published:         Publish, after the platform's verification  公示中
//	P4 published, unpublished → expired: timer at 00:00 of the day after max_until  已届满
//	P5 registered, published, unpublished → withdrawn: Withdraw  已撤销
//	P6 published, unpublished → repaired: Repaired (called by package repair)  已修复
//	P8 registered, published, unpublished → repaired: RemoveAbnormal, for entries of abnormal operation alone  移出
//	P7 repaired → published or unpublished, or expired if the term has passed: Restore (called by package repair)
//
// Who may see a record in which state is the table of package gateway; this package says only Public: it stands in the standing.
//
// Dates run from the decision: min_until is the first day on which repair may be applied for and approved, max_until the last day shown. Publication
// after publish_by raises an alarm with both dates; so does a record that is still registered when publish_by has passed.
//
// Invariants: INV-05 competence at the place of the violation; INV-08 notice and statement; INV-09 and INV-10 class and dates; INV-11 overdue
// publication leaves an alarm; INV-43 nothing is derived from the digits of a code.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package sanction
