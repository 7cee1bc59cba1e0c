// Package sanction keeps dishonesty records (失信信息) of all kinds: administrative penalties (行政处罚), entries in lists of serious dishonesty
// (严重失信主体名单) with the procedure that leads to one, entries in lists of abnormal operation (异常名录), other dishonesty (其他失信信息).
//
//	P1  none → registered:              Record, RecordAbnormal, RecordOther  登记
//	P2  none → unpublished:             a minor record that need not be published (same block)  不公示
//	P3  registered → published:         Publish, after the platform's verification  公示中
//	P4  published, unpublished, shielded → expired: timer at 00:00 of the day after max_until; or it stays (extended) until FulfilDuty  已届满
//	P5  live → withdrawn:               Withdraw, by the recogniser or an agency above it  已撤销
//	P6  published, unpublished → repaired: Repaired (called by package repair)  已修复
//	P7  repaired, also archived → published or unpublished, as its class is now, or expired if the term has passed: Restore (called by package repair)
//	P8  live → repaired:                RemoveAbnormal, for entries of abnormal operation alone  移出
//	P9  live → live:                    FulfilDuty, the duties of the decision are fulfilled  义务履行完毕
//	P10 live → live:                    MarkFinal  终局
//	P11 live → live:                    ReportRevocation; the clock of the withdrawal starts  撤销通报
//	P12 live → live:                    Release, the recogniser answers that the record stands
//	P13 repaired, expired, withdrawn, corrected → archived: timer after archive_grace_days  已归档
//	P14 archived → destroyed:           Destroy, by governance, while no objection waits  密钥销毁
//	P15 published → shielded:           ShieldRecord, while a court's plan runs  屏蔽中
//	P16 shielded → repaired, published, expired: EndShield, as the plan ended
//	P17 live → live, expired:           Correct; the version that stood becomes a record of its own, corrected  已更正
//
// Live are registered, published, unpublished and shielded.
//
// Beside the records stand:
//
//	B1, B2  a court's plan (重整、和解) is filed and ended; its board counts what each recogniser has still to do
//	H1      Acknowledge: members that keep copies confirm that they have let go of what left publicity (同步)
//	C1–C4   cases: FileCase claims an act, a recorded decision or one without a penalty ends it, CloseCase gives it up (立案)
//	X1      Reconcile: what 信用中国 does not show is held back from every answer; the state of the record does not change
//	A1, A2  attention (积累关注) begins and ends with published records of class 一般, and by timer as they grow old
//
// An entry in a list has a procedure of its own (列入程序); nothing of it is public:
//
//	L1 none → notified:               Notify: the written notice was served, with facts, basis, measures and rights  已告知
//	L2 notified → verifying, heard:   State: the subject objects, or waives that  核查中, 可决定
//	L3 verifying → heard, dropped:    Verify; an objection that is founded ends it
//	L4 heard → reviewing:             AskReview of a credit authority, once, after a verification  复核中
//	L5 reviewing → heard, dropped:    Review, by that authority
//	L10 (any that is open):           AskConsent of an agency above the lister, whose duty it is from then on  报请上级同意
//	L6 (any that is open):            Consent, by an agency above the lister  上级同意
//	L7 heard, or notified once the window is over → decided: Decide; the entry is registered (P1), its measures are called for  已列入
//	L8 (any that is open) → dropped:  Drop  不予列入
//	L9 the entry, running → withdrawn: RemoveListed, what was wrong (纠错移出); Withdraw, what another organ revoked (撤销列入)
//
// It leaves at its term (期满移出, P4), early by repair (提前移出, P6), and comes back with its clock run on where that was obtained by deceit (P7). Responsible
// persons (法定代表人 …) are not on the ledger.
//
// Where a penalty that an entry rests on is withdrawn, its lister has as long as for a withdrawal to say what becomes of the entry: taken out, corrected, or
// kept with a reason (P12); a missed day raises an alarm. Until then it stands (谁认定、谁负责).
//
// Measures rest on records (package measure): they end in the block in which their record leaves publicity, and are called for again when it stands again.
//
// Who may see a record in which state is the table of package gateway; this package says only Public: it stands in the standing.
//
// Dates run from the decision: min_until is the first day on which repair may be applied for and approved, max_until the last day shown. Publication
// after publish_by raises an alarm with both dates; so does a record that is still registered when publish_by has passed.
//
// Invariants: INV-05 competence at the place of the violation; INV-08 notice and statement; INV-09 and INV-10 class and dates; INV-11 overdue
// publication leaves an alarm; INV-02 no measure runs on a record that has left publicity; INV-35 consent of the level above where a list asks for it; INV-43
// nothing is derived from the digits of a code; INV-06 no two fines for one act; INV-19 nothing is left of what was destroyed; INV-20 a correction changes
// no older version; INV-37 confirmations are asked and missed ones stand in alarms; INV-42 what is held back is in no standing; SHD-1 and SHD-2 boards
// count what is there; CAS-1; ATT-1 and ATT-2.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package sanction
