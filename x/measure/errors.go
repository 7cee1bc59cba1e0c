package measure

import "github.com/xinlian-ledger/xinlian/x"

// Refusals 1201–1249. Numbers are permanent. E_BASIS is package catalog's.
var (
	ErrUnknown     = x.Reject(1201, "E_MEASURE_UNKNOWN", "§11.5", "no measure has this id", "check the id")
	ErrState       = x.Reject(1202, "E_MEASURE_STATE", "§11.5", "the measure's state does not allow this", "look at its state first")
	ErrUnannounced = x.Reject(1203, "E_MEASURE_UNANNOUNCED", "§11.5, H1 art 28", "the recogniser has not called for this measure", "ask the recogniser of the record to announce it")
	ErrSource      = x.Reject(1204, "E_MEASURE_SOURCE", "§11.5, INV-01", "no record in publicity carries this measure", "a measure rests on a record that is in publicity, of a kind, class and list that its item names")
	ErrScope       = x.Reject(1205, "E_MEASURE_SCOPE", "H1 art 29 实施对象", "the measure may not be applied to a subject of this category", "responsible persons are not on the ledger; choose an item for organisations")
	ErrImplementer = x.Reject(1206, "E_MEASURE_IMPLEMENTER", "H1 art 29 实施主体, INV-05", "the agency may not carry out this measure", "governance gives an agency the competence for an item: propose put_member")
	ErrElsewhere   = x.Reject(1207, "E_MEASURE_ELSEWHERE", "G1, §11.5", "this item is not carried out as a measure of the ledger", "a listing or a publication has its own procedure; what the market does is its own decision")
	ErrNotFinal    = x.Reject(1208, "E_NOT_FINAL", "H1 art 20(2), D-3, INV-36", "the decision that the measure rests on is not final", "wait until it is not appealed in time, or upheld, and its recogniser has marked it final")
	ErrTerm        = x.Reject(1209, "E_MEASURE_TERM", "G1 过惩相当", "the measure's last day lies in the past or beyond what its item allows", "correct until")
	ErrReason      = x.Reject(1210, "E_MEASURE_REASON", "INV-32", "a correction needs its reason", "add the digest of the written reason")
)
