package sanction

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 901–999, and 1501–1549 of the procedure of listing. Numbers are permanent. E_JURISDICTION, E_COMPETENCE and E_DELEGATION are package member's.
var (
	ErrDocNo        = x.Reject(901, "E_DOCNO", "§7.4", "the decision number has not the form 机关代字〔年份〕序号号", "correct the number")
	ErrKinds        = x.Reject(902, "E_PENALTY_KIND", "行政处罚法 9", "penalty kinds are 1 to 13 or 99, ascending, each once", "correct the kinds")
	ErrAmount       = x.Reject(903, "E_AMOUNT", "§2.4", "an amount is negative, too large, or goes with no kind of penalty that has one", "correct amount or kinds")
	ErrNotice       = x.Reject(904, "E_NOTICE", "行政处罚法 44/45/62, INV-08", "the decision was not preceded by notice, or the subject was not heard and did not waive it", "without notice before the decision there is no valid penalty")
	ErrTwoDocuments = x.Reject(905, "E_TWO_DOCUMENTS", "G2 两书同达", "decision and notice of repair (信用修复告知书) were not served together", "serve the notice of repair and record it")
	ErrWindow       = x.Reject(906, "E_PENALTY_WINDOW", "§2.4", "a date lies before the one that it follows, or in the future", "correct the dates")
	ErrClass        = x.Reject(907, "E_CLASS", "§2.2, INV-09/10", "the stated class does not fit the penalty", "leave severity empty to have the catalogue decide")
	ErrRegion       = x.Reject(908, "E_VIOLATION_REGION", "行政处罚法 22", "the place of the violation is not in the region table on the day of the decision", "correct the region code")
	ErrUnknown      = x.Reject(910, "E_RECORD_UNKNOWN", "§11.2", "no record has this id", "check the record id")
	ErrState        = x.Reject(911, "E_RECORD_STATE", "§11.2", "the record's state does not allow this", "look at its state first")
	ErrTermPassed   = x.Reject(912, "E_TERM_PASSED", "N1", "the longest publicity period has passed", "the record is no longer published")
	ErrReason       = x.Reject(913, "E_WITHDRAW_REASON", "行政处罚法 48, INV-32", "a withdrawal needs its reason and the document that revoked the decision", "add both digests")
	ErrBreachOf     = x.Reject(914, "E_BREACH_OF", "S2", "the penalty names a commitment that is not a breached one of this subject", "record the breach first, or correct the code")
	ErrProcedure    = x.Reject(915, "E_PROCEDURE", "行政处罚法 51/57/63", "procedure is 1 简易, 2 普通 or 3 听证", "correct the field")
	ErrServed       = x.Reject(916, "E_SERVED_ON", "行政处罚法 61", "the decision was served before it was made, or in the future", "correct served_on")
	ErrRemoval      = x.Reject(917, "E_REMOVAL", "§11.2, abnormal_min_months", "the entry of abnormal operation stands for a shortest time", "take it out on or after that day")
	ErrFinality     = x.Reject(918, "E_FINALITY", "H1 art 20(2), D-3", "the decision is not final on this ground", "mark it when the time to appeal has passed, or with the document that upheld it")

	ErrListingUnknown = x.Reject(1501, "E_LISTING_UNKNOWN", "§11.3", "no listing procedure has this id", "check the id")
	ErrListingState   = x.Reject(1502, "E_LISTING_STATE", "§11.3", "the procedure's state does not allow this", "look at its state first")
	ErrUpperConsent   = x.Reject(1503, "E_UPPER_CONSENT", "N4, INV-35", "an entry in this list needs the consent of the level above (上级同意)", "have an agency above, in the line of command or the credit authority, consent before the decision")
	ErrListUnknown    = x.Reject(1504, "E_LIST_UNKNOWN", "G1(6)", "no standard of this list is in force", "nobody may add a list but governance: propose put_list_standard")
	ErrListBasis      = x.Reject(1505, "E_LIST_BASIS", "§2.5", "the decision does not rest on a penalty of the subject that runs", "name the penalties that it rests on, by record id")
	ErrListed         = x.Reject(1506, "E_LISTED", "§2.5", "the subject stands in this list already", "one entry at a time; correct the one that stands")
	ErrReviewer       = x.Reject(1507, "E_REVIEWER", "H1 art 28", "a review (复核) is the credit authority's that was asked", "ask a member that is a credit authority")
)
