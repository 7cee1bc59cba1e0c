package pb_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

var update = flag.Bool("update", false, "write testdata/vectors again; a changed line is a changed format: ask for a second reader")

const note = "Made-up samples: keys come from published words, codes are synthetic. Byte strings are hex."

// file compares what this test makes with a file of vectors, or writes the file anew.
func file[T any](t *testing.T, name string, made []T) []T {
	t.Helper()
	type vectors struct {
		Note    string `json:"note"`
		Vectors []T    `json:"vectors"`
	}
	path := filepath.Join("testdata", "vectors", name)
	if *update {
		raw, err := json.MarshalIndent(vectors{note, made}, "", " ")
		must(t, err)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, append(raw, '\n'), 0o644))
	}
	raw, err := os.ReadFile(path)
	must(t, err)
	var have vectors
	must(t, json.Unmarshal(raw, &have))
	if len(have.Vectors) != len(made) {
		t.Fatalf("%s holds %d vectors, the test makes %d", name, len(have.Vectors), len(made))
	}
	for i := range made {
		if !reflect.DeepEqual(have.Vectors[i], made[i]) {
			t.Errorf("%s, vector %d: %+v\nthe test makes %+v", name, i, have.Vectors[i], made[i])
		}
	}
	return have.Vectors
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	must(t, err)
	return b
}

// Synthetic codes of the samples.
const (
	agency   = "11410100Y00001078U"
	operator = "12410000Y00001051U"
	firm     = "91410100Y00100009T"
	chainID  = "xinlian-sample-1"
)

func digest(word string) []byte {
	h := sha256.Sum256([]byte(word))
	return h[:]
}

func keyOf(t *testing.T, word string) *ecdsa.PrivateKey {
	t.Helper()
	k, err := crypto.ToECDSA(digest(word))
	must(t, err)
	return k
}

func penalty() pb.PenaltyContent {
	return pb.PenaltyContent{
		Issuer: agency, Subject: firm, DocNo: "郑市监处罚〔2026〕7号", Kinds: []uint32{3, 4}, FineFen: 12_000_000, ConfiscatedFen: 50_000,
		DecidedOn: 20649, ViolationRegion: "410105", Procedure: 2, NoticeServedOn: 20642, Statement: 1, ServedOn: 20649, RepairNoticeServed: true,
		PowerCode: "P-1", Sector: "FOOD", TextDigest: digest("facts"),
	}
}

// messages is one of each kind that the chain accepts.
func messages() map[string]pb.Msg {
	content := pb.CommitmentContent{
		Code: "41010020260715000001", Subject: firm, Type: 1, MadeOn: 20649, ValidUntil: 21014, Acceptor: agency, Publication: 1,
		TemplateVersion: 1, TextDigest: digest("text"), Business: "B-1",
	}
	id := digest("record")
	corrected := penalty()
	corrected.ActDigest, corrected.Replaces = digest("act"), digest("replaced")
	member := pb.Member{
		Uscc: operator, Level: pb.LEVEL_PROVINCE, Regions: []string{"410000"}, Name: "示例机关",
		Competences: []*pb.Competence{{PowerCode: "P-1", PenaltyKinds: []uint32{1, 3}, Regions: []string{"410100"}, ValidFrom: 20454, Delegation: "WT-1"}},
		Keys:        []*pb.MemberKey{{Address: bytes.Repeat([]byte{7}, 20), Roles: []pb.Role{pb.ROLE_RECORD, pb.ROLE_REVIEW}, Name: "k1"}},
	}
	action := func(a pb.Action) pb.Msg {
		return pb.Msg{Sum: &pb.Msg_Propose{Propose: &pb.Propose{Issuer: agency, Action: a, ReasonDigest: digest("reason")}}}
	}
	notice := pb.ListingNotice{
		Issuer: agency, Subject: firm, List: "SC", NoticeNo: "郑市监告〔2026〕7号", ServedOn: 20649, Measures: []string{"M01"}, RightsTold: true, TextDigest: digest("n"),
	}
	all := map[string]pb.Msg{
		"propose/set_param":         action(pb.Action{Sum: &pb.Action_SetParam{SetParam: &pb.Param{Name: "publish_deadline_wd", Value: 10}}}),
		"propose/put_member":        action(pb.Action{Sum: &pb.Action_PutMember{PutMember: &member}}),
		"propose/remove_member":     action(pb.Action{Sum: &pb.Action_RemoveMember{RemoveMember: operator}}),
		"propose/put_successor":     action(pb.Action{Sum: &pb.Action_PutSuccessor{PutSuccessor: &pb.Succession{Member: operator, Successor: agency}}}),
		"propose/put_severity_rule": action(pb.Action{Sum: &pb.Action_PutSeverityRule{PutSeverityRule: &pb.SeverityRule{Sector: "*", LargeFineFen: 1, HugeFineFen: 2}}}),
		"propose/put_template":      action(pb.Action{Sum: &pb.Action_PutTemplate{PutTemplate: &pb.CommitmentTemplate{Type: 1, Version: 2, TextDigest: digest("t"), ValidFrom: 20649, Asks: []pb.TemplateField{1, 3}}}}),
		"propose/put_business":      action(pb.Action{Sum: &pb.Action_PutBusiness{PutBusiness: &pb.BusinessItem{Code: "YJ-HAZ-01", Name: "危险化学品经营许可", Excluded: 3}}}),
		"propose/put_calendar":      action(pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: &pb.CalendarYear{Year: 2027, Days: []pb.CalendarDay{{Date: 20819}, {Date: 20820, Working: true}}}}}),
		"propose/put_region":        action(pb.Action{Sum: &pb.Action_PutRegion{PutRegion: &pb.RegionChange{Regions: []pb.Region{{Code: "410199", Name: "某县", Level: "county", Parent: "410100"}}}}}),
		"propose/put_measure_item": action(pb.Action{Sum: &pb.Action_PutMeasureItem{PutMeasureItem: &pb.MeasureItem{
			Code: "M12", Version: 1, Group: pb.MEASURE_GROUP_MANAGEMENT, Matter: "纳入重点监管范围", Object: "失信单位", Means: "提高检查频次", Body: "国家机关",
			Basis: "《河南省社会信用条例》第三十二条第五项", BasisLevel: pb.BASIS_LOCAL_REGULATION, Sources: []pb.DishonestyKind{1, 2}, ClassMin: pb.SEVERITY_GENERAL,
			Lists: []string{"SC"}, Categories: []uint32{1, 4}, Levels: []pb.Level{1, 2}, Systems: []string{"market"}, MonthsMax: 12,
			NameConfidence: pb.CONFIDENCE_MEMORY, BasisConfidence: pb.CONFIDENCE_CONFIRMED, ValidFrom: 20454,
		}}}),
		"propose/put_list_standard": action(pb.Action{Sum: &pb.Action_PutListStandard{PutListStandard: &pb.ListStandard{
			Code: "SC", Version: 1, Name: "市场监管严重违法失信名单", System: "market", Basis: "《市场监督管理严重违法失信名单管理办法》", BasisLevel: pb.BASIS_DEPARTMENT_RULE,
			TermMonths: 36, EarlyMonths: 12, Consent: true, NeedsPenalty: true, NameConfidence: pb.CONFIDENCE_PARTLY, TermsConfidence: pb.CONFIDENCE_MEMORY,
		}}}),
		"vote/yes":            {Sum: &pb.Msg_Vote{Vote: &pb.Vote{Issuer: agency, Proposal: 1, Yes: true}}},
		"vote/no":             {Sum: &pb.Msg_Vote{Vote: &pb.Vote{Issuer: agency, Proposal: 300}}},
		"grant_mandate":       {Sum: &pb.Msg_GrantMandate{GrantMandate: &pb.GrantMandate{Mandate: pb.Mandate{Issuer: agency, Submitter: operator, Kinds: []pb.MandateKind{1, 2}}}}},
		"revoke_mandate":      {Sum: &pb.Msg_RevokeMandate{RevokeMandate: &pb.RevokeMandate{Issuer: agency, Submitter: operator}}},
		"enrol_subject":       {Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{Issuer: operator, Subject: pb.Subject{Uscc: firm, Region: "410100", Category: 1, Status: pb.SUBJECT_ACTIVE}}}},
		"submit_commitment":   {Sum: &pb.Msg_SubmitCommitment{SubmitCommitment: &pb.SubmitCommitment{Issuer: agency, Content: content, Accepted: true, PaperDigest: digest("paper")}}},
		"accept_commitment":   {Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{Issuer: agency, Code: content.Code}}},
		"reject_commitment":   {Sum: &pb.Msg_RejectCommitment{RejectCommitment: &pb.RejectCommitment{Issuer: agency, Code: content.Code, ReasonDigest: digest("reason")}}},
		"withdraw_commitment": {Sum: &pb.Msg_WithdrawCommitment{WithdrawCommitment: &pb.WithdrawCommitment{Issuer: agency, Code: content.Code, ReasonDigest: digest("reason")}}},
		"assess_commitment": {Sum: &pb.Msg_AssessCommitment{AssessCommitment: &pb.AssessCommitment{
			Issuer: agency, Code: content.Code, Fulfilment: 3, AssessedOn: 20700, UnperformedDigest: digest("u"), ActionDigest: digest("a"),
			EvidenceDigest: digest("e"), NoticeServedOn: 20690, Statement: 2,
		}}},
		"cure_commitment": {Sum: &pb.Msg_CureCommitment{CureCommitment: &pb.CureCommitment{Issuer: agency, Code: content.Code, EvidenceDigest: digest("e")}}},
		"plan_inspection": {Sum: &pb.Msg_PlanInspection{PlanInspection: &pb.PlanInspection{
			Issuer: agency, PlanNo: "SJ-1", Rates: []uint32{10, 50, 100, 300}, DrawOn: 20660, Until: 20700, Inspectors: 6, Team: 2, RosterDigest: digest("roster"),
		}}},
		"add_candidates": {Sum: &pb.Msg_AddCandidates{AddCandidates: &pb.AddCandidates{Issuer: agency, Plan: id, Candidates: []pb.Candidate{{Subject: firm, Class: 3}}}}},
		"seal_plan":      {Sum: &pb.Msg_SealPlan{SealPlan: &pb.SealPlan{Issuer: agency, Plan: id}}},
		"cancel_plan":    {Sum: &pb.Msg_CancelPlan{CancelPlan: &pb.CancelPlan{Issuer: agency, Plan: id, ReasonDigest: digest("r")}}},
		"record_inspection": {Sum: &pb.Msg_RecordInspection{RecordInspection: &pb.RecordInspection{
			Issuer: agency, Plan: id, Subject: firm, InspectedOn: 20670, Result: pb.INSPECTION_CORRECTED, FindingsDigest: digest("f"),
		}}},
		"mend_commitment": {Sum: &pb.Msg_MendCommitment{MendCommitment: &pb.MendCommitment{Issuer: operator, Code: content.Code, EvidenceDigest: digest("e"), PaperDigest: digest("p")}}},
		"refuse_mend":     {Sum: &pb.Msg_RefuseMend{RefuseMend: &pb.RefuseMend{Issuer: agency, Code: content.Code, ReasonDigest: digest("r")}}},
		"note_licence":    {Sum: &pb.Msg_NoteLicence{NoteLicence: &pb.NoteLicence{Issuer: agency, Code: content.Code, Licence: "JY14101050000001"}}},
		"reassess_commitment": {Sum: &pb.Msg_ReassessCommitment{ReassessCommitment: &pb.ReassessCommitment{
			Assessment: pb.AssessCommitment{Issuer: agency, Code: content.Code, Fulfilment: 1, AssessedOn: 20700, EvidenceDigest: digest("e")}, ReasonDigest: digest("r"),
		}}},
		"record_penalty": {Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: penalty()}}},
		"record_abnormal": {Sum: &pb.Msg_RecordAbnormal{RecordAbnormal: &pb.RecordAbnormal{Content: pb.AbnormalContent{
			Issuer: agency, Subject: firm, DocNo: "郑市监异列〔2026〕7号", Reason: "address", ListedOn: 20649, ServedOn: 20650, RepairNoticeServed: true,
			ViolationRegion: "410105", PowerCode: "P-1", Sector: "FOOD", Designation: "ZD-1", TextDigest: digest("facts"),
		}}}},
		"remove_abnormal": {Sum: &pb.Msg_RemoveAbnormal{RemoveAbnormal: &pb.RemoveAbnormal{Issuer: agency, Record: id, EvidenceDigest: digest("e")}}},
		"record_other": {Sum: &pb.Msg_RecordOther{RecordOther: &pb.RecordOther{Content: pb.OtherContent{
			Issuer: agency, Subject: firm, DocNo: "郑市监认〔2026〕7号", Source: "contract", Statute: "HN-20", DecidedOn: 20649, ServedOn: 20650, RepairNoticeServed: true,
			ViolationRegion: "410105", PowerCode: "P-1", Sector: "FOOD", Severity: pb.SEVERITY_MINOR, Necessary: true, NecessityDigest: digest("n"),
			BreachOf: content.Code, Designation: "ZD-1", TextDigest: digest("facts"),
		}}}},
		"correct_record/penalty": {Sum: &pb.Msg_CorrectRecord{CorrectRecord: &pb.CorrectRecord{Issuer: agency, Record: id, ReasonDigest: digest("r"), Penalty: &corrected}}},
		"correct_record/other":   {Sum: &pb.Msg_CorrectRecord{CorrectRecord: &pb.CorrectRecord{Issuer: agency, Record: id, ReasonDigest: digest("r"), Other: &pb.OtherContent{}}}},
		"file_case": {Sum: &pb.Msg_FileCase{FileCase: &pb.FileCase{
			Issuer: agency, Subject: firm, ActDigest: digest("act"), ViolationRegion: "410105", PowerCode: "P-1", Designation: "ZD-1",
		}}},
		"close_case": {Sum: &pb.Msg_CloseCase{CloseCase: &pb.CloseCase{Issuer: agency, Subject: firm, ActDigest: digest("act"), ReasonDigest: digest("r")}}},
		"reconcile": {Sum: &pb.Msg_Reconcile{Reconcile: &pb.Reconcile{Issuer: operator, Subject: firm, AsOf: 20700, Shown: []pb.ShownRecord{
			{Kind: pb.DISHONESTY_PENALTY, Issuer: agency, DocNo: "郑市监处罚〔2026〕7号"}, {Kind: pb.DISHONESTY_LIST, Issuer: agency, DocNo: "郑市监列〔2026〕7号"},
		}}}},
		"record_no_penalty": {Sum: &pb.Msg_RecordNoPenalty{RecordNoPenalty: &pb.RecordNoPenalty{Content: pb.NoPenaltyContent{
			Issuer: agency, Subject: firm, DocNo: "郑市监不罚〔2026〕7号", Limb: 2, Harm: 2, CorrectedOn: 20640, DecidedOn: 20649, Item: "HN-1", ViolationRegion: "410105",
			PowerCode: "P-1", Sector: "FOOD", Designation: "ZD-1", ActDigest: digest("act"), EducationDigest: digest("e"), TextDigest: digest("t"),
		}}}},
		"withdraw_no_penalty": {Sum: &pb.Msg_WithdrawNoPenalty{WithdrawNoPenalty: &pb.WithdrawNoPenalty{Issuer: agency, Record: id, ReasonDigest: digest("r")}}},
		"acknowledge":         {Sum: &pb.Msg_Acknowledge{Acknowledge: &pb.Acknowledge{Issuer: operator, Record: id}}},
		"file_plan": {Sum: &pb.Msg_FilePlan{FilePlan: &pb.FilePlan{
			Issuer: operator, Subject: firm, CaseNo: "PO-1", Kind: 1, RuledOn: 20700, RulingDigest: digest("r"),
		}}},
		"end_plan":      {Sum: &pb.Msg_EndPlan{EndPlan: &pb.EndPlan{Issuer: operator, Plan: id, Completed: true, RuledOn: 20900, RulingDigest: digest("o")}}},
		"shield_record": {Sum: &pb.Msg_ShieldRecord{ShieldRecord: &pb.ShieldRecord{Issuer: agency, Record: id, Plan: digest("plan")}}},
		"end_shield":    {Sum: &pb.Msg_EndShield{EndShield: &pb.EndShield{Issuer: agency, Record: id, Plan: digest("plan")}}},
		"mark_final":    {Sum: &pb.Msg_MarkFinal{MarkFinal: &pb.MarkFinal{Issuer: agency, Record: id, Ground: 2, FinalOn: 20700, DocumentDigest: digest("d")}}},
		"fulfil_duty":   {Sum: &pb.Msg_FulfilDuty{FulfilDuty: &pb.FulfilDuty{Issuer: agency, Record: id, DoneOn: 20700, EvidenceDigest: digest("e")}}},
		"report_revocation": {Sum: &pb.Msg_ReportRevocation{ReportRevocation: &pb.ReportRevocation{
			Issuer: operator, Record: id, RevokedOn: 20700, AuthorityDigest: digest("a"),
		}}},
		"release":                {Sum: &pb.Msg_Release{Release: &pb.Release{Issuer: agency, Record: id, ReasonDigest: digest("r")}}},
		"propose/destroy_record": action(pb.Action{Sum: &pb.Action_DestroyRecord{DestroyRecord: &pb.DestroyRecord{Record: id}}}),
		"publish_record":         {Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: agency, Record: id}}},
		"withdraw_record":        {Sum: &pb.Msg_WithdrawRecord{WithdrawRecord: &pb.WithdrawRecord{Issuer: agency, Record: id, ReasonDigest: digest("r"), AuthorityDigest: digest("a"), RevokedOn: 20700}}},
		"apply_repair": {Sum: &pb.Msg_ApplyRepair{ApplyRepair: &pb.ApplyRepair{
			Issuer: operator, Subject: firm, Target: id, ApplicationNo: "XY-1", Commitment: content.Code, DutiesDone: true,
			MaterialsDigest: digest("m"), PaperDigest: digest("p"),
		}}},
		"accept_repair":      {Sum: &pb.Msg_AcceptRepair{AcceptRepair: &pb.AcceptRepair{Issuer: agency, Repair: id}}},
		"approve_repair":     {Sum: &pb.Msg_ApproveRepair{ApproveRepair: &pb.ApproveRepair{Issuer: agency, Repair: id, DutiesVerified: true, DecisionNo: "D-1"}}},
		"refuse_repair":      {Sum: &pb.Msg_RefuseRepair{RefuseRepair: &pb.RefuseRepair{Issuer: agency, Repair: id, ReasonDigest: digest("r")}}},
		"revoke_repair":      {Sum: &pb.Msg_RevokeRepair{RevokeRepair: &pb.RevokeRepair{Issuer: agency, Repair: id, ReasonDigest: digest("r"), NoticeServedOn: 20700, Statement: 1, Deceit: pb.DECEIT_MATERIALS}}},
		"supplement_repair":  {Sum: &pb.Msg_SupplementRepair{SupplementRepair: &pb.SupplementRepair{Issuer: agency, Repair: id, GapsDigest: digest("g")}}},
		"extend_repair":      {Sum: &pb.Msg_ExtendRepair{ExtendRepair: &pb.ExtendRepair{Issuer: agency, Repair: id, Days: 5, ReasonDigest: digest("r")}}},
		"execute_repair":     {Sum: &pb.Msg_ExecuteRepair{ExecuteRepair: &pb.ExecuteRepair{Issuer: agency, Repair: id}}},
		"push_repair":        {Sum: &pb.Msg_PushRepair{PushRepair: &pb.PushRepair{Issuer: agency, Repair: id, ReceiptDigest: digest("r")}}},
		"track_repair":       {Sum: &pb.Msg_TrackRepair{TrackRepair: &pb.TrackRepair{Issuer: agency, Repair: id, Result: 1, EvidenceDigest: digest("e")}}},
		"announce_measure":   {Sum: &pb.Msg_AnnounceMeasure{AnnounceMeasure: &pb.AnnounceMeasure{Issuer: agency, Source: id, Item: "M12", Implementer: operator}}},
		"apply_measure":      {Sum: &pb.Msg_ApplyMeasure{ApplyMeasure: &pb.ApplyMeasure{Issuer: operator, Source: id, Item: "M12", Until: 21014}}},
		"feedback_measure":   {Sum: &pb.Msg_FeedbackMeasure{FeedbackMeasure: &pb.FeedbackMeasure{Issuer: operator, Measure: id, Outcome: pb.OUTCOME_DONE, EvidenceDigest: digest("e")}}},
		"correct_measure":    {Sum: &pb.Msg_CorrectMeasure{CorrectMeasure: &pb.CorrectMeasure{Issuer: agency, Measure: id, ReasonDigest: digest("r")}}},
		"notify_listing":     {Sum: &pb.Msg_NotifyListing{NotifyListing: &pb.NotifyListing{Notice: notice}}},
		"state_listing":      {Sum: &pb.Msg_StateListing{StateListing: &pb.StateListing{Issuer: operator, Listing: id, Statement: 1, PaperDigest: digest("p")}}},
		"verify_listing":     {Sum: &pb.Msg_VerifyListing{VerifyListing: &pb.VerifyListing{Issuer: agency, Listing: id, Founded: true, ReasonDigest: digest("r")}}},
		"ask_listing_review": {Sum: &pb.Msg_AskListingReview{AskListingReview: &pb.AskListingReview{Issuer: operator, Listing: id, Reviewer: agency, PaperDigest: digest("p")}}},
		"review_listing":     {Sum: &pb.Msg_ReviewListing{ReviewListing: &pb.ReviewListing{Issuer: agency, Listing: id, ReasonDigest: digest("r")}}},
		"ask_consent":        {Sum: &pb.Msg_AskConsent{AskConsent: &pb.AskConsent{Issuer: agency, Listing: id, Upper: operator}}},
		"consent_listing":    {Sum: &pb.Msg_ConsentListing{ConsentListing: &pb.ConsentListing{Issuer: agency, Listing: id, DocumentDigest: digest("d")}}},
		"decide_listing": {Sum: &pb.Msg_DecideListing{DecideListing: &pb.DecideListing{Content: pb.ListContent{
			Issuer: agency, Subject: firm, DocNo: "郑市监列〔2026〕7号", List: "SC", DecidedOn: 20660, ServedOn: 20661, RepairNoticeServed: true,
			ViolationRegion: "410105", PowerCode: "P-1", Measures: []string{"M01", "M07"}, Basis: [][]byte{id}, ConditionsDigest: digest("c"), TextDigest: digest("facts"),
			Listing: digest("listing"),
		}}}},
		"drop_listing":  {Sum: &pb.Msg_DropListing{DropListing: &pb.DropListing{Issuer: agency, Listing: id, ReasonDigest: digest("r")}}},
		"remove_listed": {Sum: &pb.Msg_RemoveListed{RemoveListed: &pb.RemoveListed{Issuer: agency, Record: id, ReasonDigest: digest("r")}}},
		"refile_repair": {Sum: &pb.Msg_RefileRepair{RefileRepair: &pb.RefileRepair{Issuer: operator, Repair: id, MaterialsDigest: digest("m")}}},
	}
	maps.Copy(all, objectionMessages(id))
	maps.Copy(all, incentiveMessages(id))
	maps.Copy(all, consentMessages())
	return all
}

func names[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

type txVector struct {
	Name      string `json:"name"`
	KeyWord   string `json:"key_is_sha256_of"`
	Address   string `json:"address"`
	ChainID   string `json:"chain_id"`
	ExpiresAt int64  `json:"expires_at"`
	Nonce     uint64 `json:"nonce"`
	Messages  string `json:"messages"` // each as in the body: length and bytes, one after the other, without field numbers
	Body      string `json:"body"`
	Digest    string `json:"sign_bytes_digest"` // and transaction id
	Signature string `json:"signature"`
	Tx        string `json:"tx"`
}

func makeTx(t *testing.T, name string, nonce uint64, msgs ...pb.Msg) txVector {
	t.Helper()
	word := "xinlian vector " + name
	key := keyOf(t, word)
	addr := crypto.PubkeyToAddress(key.PublicKey)
	b := &pb.Body{ChainId: chainID, Signer: addr[:], Suite: pb.SuiteSecp256k1, ExpiresAt: 1_790_000_000, Nonce: nonce, Messages: msgs}
	body := pb.Encode(b)
	d := pb.SignBytes(chainID, body)
	sig, err := crypto.Sign(d[:], key)
	must(t, err)
	var list []byte
	for i := range msgs {
		list = append(list, lenBytes(pb.Encode(&msgs[i]))...)
	}
	return txVector{
		Name: name, KeyWord: word, Address: hex.EncodeToString(addr[:]), ChainID: chainID, ExpiresAt: b.ExpiresAt, Nonce: nonce,
		Messages: hex.EncodeToString(list), Body: hex.EncodeToString(body), Digest: hex.EncodeToString(d[:]),
		Signature: hex.EncodeToString(sig), Tx: hex.EncodeToString(pb.Encode(&pb.Tx{Body: body, Signature: sig})),
	}
}

// TestTransactionVectors holds the transactions of WIRE.md: each is decoded, encoded to itself, built a second time by hand from its parts, and
// its signature recovers to its address.
func TestTransactionVectors(t *testing.T) {
	var made []txVector
	all := messages()
	for i, name := range names(all) {
		made = append(made, makeTx(t, name, uint64(i), all[name]))
	}
	made = append(made, makeTx(t, "three messages, a large nonce", 1<<63, all["enrol_subject"], all["record_penalty"], all["record_penalty"]))
	made = append(made, makeTx(t, "a string that is not UTF-8", 7, pb.Msg{Sum: &pb.Msg_AcceptCommitment{AcceptCommitment: &pb.AcceptCommitment{Issuer: agency, Code: "\xff\xfe"}}}))
	for _, v := range file(t, "transactions.json", made) {
		raw := unhex(t, v.Tx)
		tx, body, err := pb.DecodeTx(raw)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if !bytes.Equal(pb.Encode(tx), raw) || !bytes.Equal(tx.Body, unhex(t, v.Body)) || !bytes.Equal(pb.Encode(body), tx.Body) {
			t.Errorf("%s does not encode to itself", v.Name)
		}
		// The body once more, by hand, as WIRE.md says.
		var hand []byte
		hand = append(hand, field(1, []byte(v.ChainID))...)
		hand = append(hand, field(2, unhex(t, v.Address))...)
		hand = append(hand, number(3, 1)...)
		hand = append(hand, number(4, uint64(v.ExpiresAt))...)
		if v.Nonce != 0 {
			hand = append(hand, number(5, v.Nonce)...)
		}
		for rest := unhex(t, v.Messages); len(rest) > 0; {
			n, k := binary.Uvarint(rest)
			hand = append(append(hand, 6<<3|2), rest[:k+int(n)]...)
			rest = rest[k+int(n):]
		}
		if !bytes.Equal(hand, tx.Body) {
			t.Errorf("%s: the body by hand is %x", v.Name, hand)
		}
		if whole := append(field(1, hand), field(2, unhex(t, v.Signature))...); !bytes.Equal(whole, raw) {
			t.Errorf("%s: the transaction by hand is %x", v.Name, whole)
		}
		d := crypto.Keccak256([]byte("xinlian/tx/v1\x00"+v.ChainID+"\x00"), tx.Body)
		if hex.EncodeToString(d) != v.Digest {
			t.Errorf("%s: digest %x", v.Name, d)
		}
		pub, err := crypto.SigToPub(d, tx.Signature)
		must(t, err)
		if a := crypto.PubkeyToAddress(*pub); hex.EncodeToString(a[:]) != v.Address || !bytes.Equal(a[:], body.Signer) {
			t.Errorf("%s: recovers to %s", v.Name, a)
		}
	}
}

// Encoding by hand, for bytes that the generated code would not write.

func varint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func lenBytes(b []byte) []byte { return append(varint(uint64(len(b))), b...) }

func field(n int, b []byte) []byte { return append(varint(uint64(n<<3|2)), lenBytes(b)...) }

func number(n int, v uint64) []byte { return append(varint(uint64(n<<3)), varint(v)...) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

type refusedVector struct {
	Name  string `json:"name"`
	As    string `json:"as"`    // Tx (with its body and its limits), or a message of the .proto files
	Good  string `json:"good"`  // the nearest encoding that is accepted
	Bytes string `json:"bytes"` // must be refused
}

// decodeAs decodes strictly as what a vector names.
func decodeAs(as string, raw []byte) error {
	switch as {
	case "Tx":
		_, _, err := pb.DecodeTx(raw)
		return err
	case "PenaltyContent":
		return pb.Decode(raw, new(pb.PenaltyContent))
	case "RecordPenalty":
		return pb.Decode(raw, new(pb.RecordPenalty))
	case "Vote":
		return pb.Decode(raw, new(pb.Vote))
	case "Msg":
		return pb.Decode(raw, new(pb.Msg))
	case "Action":
		return pb.Decode(raw, new(pb.Action))
	}
	return nil
}

// TestRefusedVectors holds the encodings that must be refused. Each has one fault beside an encoding that is accepted.
func TestRefusedVectors(t *testing.T) {
	good := makeTx(t, "vote/yes", 1, messages()["vote/yes"])
	tx, body, sig := unhex(t, good.Tx), unhex(t, good.Body), unhex(t, good.Signature)
	addr := unhex(t, good.Address)
	vote := field(1, []byte(agency))
	vote = join(vote, number(2, 1), number(3, 1))
	msg := field(2, vote)
	head := join(field(1, []byte(chainID)), field(2, addr), number(3, 1), number(4, 1_790_000_000))
	if !bytes.Equal(join(head, number(5, 1), field(6, msg)), body) {
		t.Fatal("the body by hand is not the body")
	}
	withBody := func(b []byte) []byte { return join(field(1, b), field(2, sig)) }
	long := func(b []byte, at int) []byte { // the varint byte at a place, in one byte more than it needs
		return join(b[:at], []byte{b[at] | 0x80, 0x00}, b[at+1:])
	}
	pc := penalty()
	content := pb.Encode(&pc)
	before, kinds := join(field(1, []byte(agency)), field(2, []byte(firm)), field(3, []byte(pc.DocNo))), field(4, []byte{3, 4})
	after := content[len(before)+len(kinds):]
	if !bytes.Equal(join(before, kinds, after), content) {
		t.Fatal("the content by hand is not the content")
	}
	var made []refusedVector
	add := func(as, name string, good, bad []byte) {
		made = append(made, refusedVector{Name: name, As: as, Good: hex.EncodeToString(good), Bytes: hex.EncodeToString(bad)})
	}
	add("Tx", "no bytes at all", tx, nil)
	add("Tx", "cut short by a byte", tx, tx[:len(tx)-1])
	add("Tx", "trailing byte", tx, join(tx, []byte{0}))
	add("Tx", "unknown field 3, empty", tx, join(tx, field(3, nil)))
	add("Tx", "unknown field 3 of number 0", tx, join(tx, number(3, 0)))
	add("Tx", "signature before body", tx, join(field(2, sig), field(1, body)))
	add("Tx", "body twice", tx, join(field(1, body), field(1, body), field(2, sig)))
	add("Tx", "another body before the body", tx, join(field(1, head), tx))
	add("Tx", "no signature", tx, field(1, body))
	add("Tx", "empty signature written out", tx, join(field(1, body), field(2, nil)))
	add("Tx", "signature of 64 bytes", tx, join(field(1, body), field(2, sig[:64])))
	add("Tx", "signature of 66 bytes", tx, join(field(1, body), field(2, join(sig, []byte{0}))))
	add("Tx", "no body", tx, field(2, sig))
	add("Tx", "overlong tag", tx, long(tx, 0))
	add("Tx", "overlong length of the signature", tx, join(field(1, body), []byte{2<<3 | 2, 65 | 0x80, 0x00}, sig))
	add("Tx", "length of ten bytes and more", tx, join([]byte{1<<3 | 2}, bytes.Repeat([]byte{0xff}, 10), []byte{1}, tx))
	add("Tx", "field number 0", tx, join([]byte{0<<3 | 2, 0}, tx))
	add("Tx", "body as a number", tx, join(number(1, 7), field(2, sig)))
	add("Tx", "group", tx, join(tx, []byte{3<<3 | 3, 3<<3 | 4}))
	add("Tx", "body: unknown field 7", tx, withBody(join(body, number(7, 1))))
	add("Tx", "body: trailing byte", tx, withBody(join(body, []byte{0})))
	add("Tx", "body: nonce before expiry", tx, withBody(join(field(1, []byte(chainID)), field(2, addr), number(3, 1), number(5, 1), number(4, 1_790_000_000), field(6, msg))))
	add("Tx", "body: suite twice", tx, withBody(join(field(1, []byte(chainID)), field(2, addr), number(3, 1), number(3, 1), number(4, 1_790_000_000), number(5, 1), field(6, msg))))
	add("Tx", "body: nonce 0 written out", tx, withBody(join(head, number(5, 0), field(6, msg))))
	add("Tx", "body: overlong nonce", tx, withBody(join(head, []byte{5 << 3, 0x81, 0x00}, field(6, msg))))
	add("Tx", "body: suite above 32 bits", tx, withBody(join(field(1, []byte(chainID)), field(2, addr), number(3, 1<<32|1), number(4, 1_790_000_000), number(5, 1), field(6, msg))))
	add("Tx", "body: no chain id", tx, withBody(join(field(2, addr), number(3, 1), number(4, 1_790_000_000), number(5, 1), field(6, msg))))
	add("Tx", "body: chain id of 51 bytes", tx, withBody(join(field(1, bytes.Repeat([]byte{'x'}, 51)), field(2, addr), number(3, 1), number(4, 1_790_000_000), number(5, 1), field(6, msg))))
	add("Tx", "body: signer of 19 bytes", tx, withBody(join(field(1, []byte(chainID)), field(2, addr[1:]), number(3, 1), number(4, 1_790_000_000), number(5, 1), field(6, msg))))
	add("Tx", "body: signer of 21 bytes", tx, withBody(join(field(1, []byte(chainID)), field(2, join(addr, []byte{0})), number(3, 1), number(4, 1_790_000_000), number(5, 1), field(6, msg))))
	add("Tx", "body: no message", tx, withBody(join(head, number(5, 1))))
	add("Tx", "body: message that is empty", tx, withBody(join(head, number(5, 1), field(6, nil))))
	add("Tx", "body: message of a kind that is not known", tx, withBody(join(head, number(5, 1), field(6, field(99, vote)))))
	add("Tx", "body: the second message is empty", tx, withBody(join(body, field(6, nil))))
	add("Msg", "two kinds in one message", msg, join(msg, field(21, nil)))
	add("Msg", "the same kind twice", msg, join(msg, msg))
	add("Msg", "an unknown kind beside a known one", msg, join(msg, field(99, nil)))
	add("Action", "two actions in one proposal", field(2, []byte(operator)), join(field(2, []byte(operator)), field(3, nil)))
	add("Vote", "true as 2", vote, join(field(1, []byte(agency)), number(2, 1), number(3, 2)))
	add("Vote", "false written out", join(field(1, []byte(agency)), number(2, 1)), join(field(1, []byte(agency)), number(2, 1), number(3, 0)))
	add("PenaltyContent", "packed list left unpacked", content, join(before, number(4, 3), number(4, 4), after))
	add("PenaltyContent", "packed list in two parts", content, join(before, field(4, []byte{3}), field(4, []byte{4}), after))
	add("PenaltyContent", "empty packed list written out", join(before, after), join(before, field(4, nil), after))
	add("PenaltyContent", "overlong number in a packed list", content, join(before, field(4, []byte{0x83, 0x00, 4}), after))
	add("PenaltyContent", "packed list cut within a number", content, join(before, field(4, []byte{3, 0x84}), after))
	add("PenaltyContent", "amount of 0 written out", join(before, kinds), join(before, kinds, number(5, 0)))
	minus := uint64(1<<64 - 1)
	add("PenaltyContent", "date -1 in five bytes", join(before, kinds, number(7, minus)), join(before, kinds, number(7, 1<<32-1)))
	add("PenaltyContent", "date above 32 bits", join(before, kinds, number(7, 1)), join(before, kinds, number(7, 1<<32|1)))
	add("PenaltyContent", "fixed64 in place of a varint", join(before, kinds, number(5, 1)), join(before, kinds, []byte{5<<3 | 1, 1, 0, 0, 0, 0, 0, 0, 0}))
	add("RecordPenalty", "embedded message left out", field(1, nil), nil)
	add("RecordPenalty", "embedded message twice", field(1, content), join(field(1, content), field(1, nil)))
	add("RecordPenalty", "unknown field within", field(1, content), field(1, join(content, number(30, 1))))

	seen := map[string]bool{}
	for _, v := range file(t, "refused.json", made) {
		if seen[v.As+v.Name] {
			t.Errorf("%s stands twice", v.Name)
		}
		seen[v.As+v.Name] = true
		if err := decodeAs(v.As, unhex(t, v.Good)); err != nil {
			t.Errorf("%s, %s: the good encoding is refused: %v", v.As, v.Name, err)
		}
		if decodeAs(v.As, unhex(t, v.Bytes)) == nil {
			t.Errorf("%s, %s: accepted", v.As, v.Name)
		}
	}
	// Limits that need too many bytes for a file.
	many := func(n int) []byte {
		return withBody(join(head, number(5, 1), bytes.Repeat(field(6, field(21, nil)), n)))
	}
	if decodeAs("Tx", many(pb.MessagesMax)) != nil || decodeAs("Tx", many(pb.MessagesMax+1)) == nil {
		t.Errorf("the limit of messages is not %d", pb.MessagesMax)
	}
	wide := func(n int) []byte {
		return withBody(join(head, number(5, 1), field(6, field(21, field(2, bytes.Repeat([]byte{'9'}, n))))))
	}
	over := len(wide(pb.TxBytesMax)) - pb.TxBytesMax
	if exact := wide(pb.TxBytesMax - over); len(exact) != pb.TxBytesMax || decodeAs("Tx", exact) != nil || decodeAs("Tx", wide(pb.TxBytesMax-over+1)) == nil {
		t.Errorf("the limit of a transaction is not %d bytes", pb.TxBytesMax)
	}
}

type digestVector struct {
	Name string   `json:"name"`
	What []string `json:"of"`
	Hash string   `json:"digest"`
}

// TestDigestVectors: record ids, and what a member signs to be heard by a gateway.
func TestDigestVectors(t *testing.T) {
	id := func(kind, issuer, key, subject string) digestVector {
		h := x.RecordID(kind, issuer, key, subject)
		again := sha256.Sum256([]byte("xinlian/record/v1\x00" + kind + "\x00" + issuer + "\x00" + key + "\x00" + subject))
		if h != again {
			t.Errorf("record id of %s is not as WIRE.md says", kind)
		}
		return digestVector{"record id", []string{kind, issuer, key, subject}, hex.EncodeToString(h[:])}
	}
	p := x.RecordID("penalty", agency, penalty().DocNo, firm)
	made := []digestVector{
		id("penalty", agency, penalty().DocNo, firm),
		id("commitment", agency, "41010020260715000001", firm),
		id("repair", agency, "XY-1", firm+"/"+hex.EncodeToString(p[:])),
	}
	made = append(made, id("list", agency, "郑市监列〔2026〕7号", firm), id("listing", agency, "SC/郑市监告〔2026〕7号", firm))
	made = append(made, id("measure", agency, hex.EncodeToString(p[:])+"/M12/"+operator, firm), id("measure", agency, hex.EncodeToString(p[:])+"/M12/", firm))
	body := []byte(`{"subjects":["` + firm + `"]}`)
	h := pb.HTTPDigest("POST", "/v1/attestations?claim=no-serious", sha256.Sum256(body), "1790000000", chainID)
	made = append(made, digestVector{"http digest", []string{"POST", "/v1/attestations?claim=no-serious", string(body), "1790000000", chainID}, hex.EncodeToString(h[:])})
	h = pb.HTTPDigest("POST", "/v1/attestations?claim=no-serious", sha256.Sum256(body), "1790000000:000102030405060708090a0b0c0d0e0f", chainID)
	made = append(made, digestVector{"http digest", []string{"POST", "/v1/attestations?claim=no-serious", string(body), "1790000000:000102030405060708090a0b0c0d0e0f", chainID}, hex.EncodeToString(h[:])})
	k := pb.KeyProof(chainID, firm)
	made = append(made, digestVector{"key proof", []string{chainID, firm}, hex.EncodeToString(k[:])})
	grant := consentMessages()["grant_authorisation"].Sum.(*pb.Msg_GrantAuthorisation).GrantAuthorisation.Content
	k = pb.GrantDigest(chainID, &grant)
	made = append(made, digestVector{"grant", []string{chainID, hex.EncodeToString(pb.Encode(&grant))}, hex.EncodeToString(k[:])})
	k = pb.WithdrawDigest(chainID, p[:])
	made = append(made, digestVector{"withdrawal", []string{chainID, hex.EncodeToString(p[:])}, hex.EncodeToString(k[:])})
	made = append(made, id("authorisation", firm, "SQ-1", firm))
	file(t, "digests.json", made)
}

type resultVector struct {
	Name string `json:"name"`
	Code uint32 `json:"code"`
	Data string `json:"data"`
}

// TestResultVectors: the data of results, which are hashed into the next header.
func TestResultVectors(t *testing.T) {
	enc := func(r ...pb.MsgResult) string { return hex.EncodeToString(pb.Encode(&pb.TxResult{Results: r})) }
	file(t, "results.json", []resultVector{
		{"one message that speaks of no record", 0, enc(pb.MsgResult{})},
		{"a record", 0, enc(pb.MsgResult{Record: digest("record")})},
		{"recorded already", 0, enc(pb.MsgResult{Record: digest("record"), Note: "ALREADY_RECORDED"})},
		{"the second of three is refused", 601, enc(pb.MsgResult{Record: digest("1")}, pb.MsgResult{Index: 1, Record: digest("2"), Code: 601}, pb.MsgResult{Index: 2, Record: digest("3")})},
		{"refused by the gate", 207, ""},
	})
}
