package main

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"

	"github.com/xinlian-ledger/xinlian/node/intake"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// verb is a message that people send one at a time.
type verb struct {
	name, short string
	example     string             // of --json-file
	make        func() any         // an empty message
	keptUnder   func(any) [32]byte // record id under which the vault keeps the message's texts; nil: it has none
}

// verbOf makes the verb of a message. kept may be nil.
func verbOf[T any](name, short, example string, kept func(*T) [32]byte) verb {
	v := verb{name: name, short: short, example: example, make: func() any { return new(T) }}
	if kept != nil {
		v.keptUnder = func(m any) [32]byte { return kept(m.(*T)) }
	}
	return v
}

// actionNames lists what a proposal can hold beside the example.
func actionNames() string {
	var out []string
	for _, w := range new(pb.Action).XXX_OneofWrappers() {
		field := reflect.TypeOf(w).Elem().Field(0)
		for _, part := range strings.Split(field.Tag.Get("protobuf"), ",") {
			if name, ok := strings.CutPrefix(part, "name="); ok && name != "set_param" {
				out = append(out, name)
			}
		}
	}
	return strings.Join(out, ", ")
}

// keyID is the name under which the vault keeps the papers about a firm's key.
func keyID(uscc string, address []byte) [32]byte {
	return x.RecordID("subject_key", "", hex.EncodeToString(address), uscc)
}

// gradeID is the name under which the vault keeps the papers about a firm's grade.
func gradeID(issuer, uscc string) [32]byte { return x.RecordID("grade", issuer, "", uscc) }

func idOf(raw []byte) (id [32]byte) {
	copy(id[:], raw)
	return id
}

// txGroups is every message that has a verb of its own. Firms are enrolled by `import subjects`, and `tx sanction publish` takes many records.
var txGroups = []struct {
	use, short string
	verbs      []verb
}{
	{"sanction", "Dishonesty records (失信信息)", []verb{
		verbOf("record", "Record an administrative penalty (登记)",
			`{"content": {"issuer": "USCC", "subject": "USCC", "doc_no": "示例罚〔2026〕1号", "kinds": [3], "fine_fen": 12000000,
 "decided_on": "2026-07-15", "violation_region": "410105", "procedure": 2, "notice_served_on": "2026-07-08", "statement": 1,
 "served_on": "2026-07-15", "repair_notice_served": true, "power_code": "SC-MARKET", "sector": "market",
 "text": {"cf_sy": "违法事实", "cf_yj": "处罚依据", "cf_nr": "处罚内容"}}}`,
			func(m *pb.RecordPenalty) [32]byte {
				return sanction.PenaltyID(m.Content.Issuer, m.Content.DocNo, m.Content.Subject)
			}),
		verbOf("abnormal", "Enter a firm in the list of abnormal operation (列入异常名录)",
			`{"content": {"issuer": "USCC", "subject": "USCC", "doc_no": "示例异列〔2026〕1号", "reason": "ADDRESS", "listed_on": "2026-07-15",
 "served_on": "2026-07-15", "repair_notice_served": true, "violation_region": "410105", "power_code": "SC-MARKET", "sector": "market",
 "text": {"fact": "列入事实", "basis": "列入依据"}}}`,
			func(m *pb.RecordAbnormal) [32]byte {
				return sanction.ID(pb.DISHONESTY_ABNORMAL, m.Content.Issuer, m.Content.DocNo, m.Content.Subject)
			}),
		verbOf("remove-abnormal", "Take a firm out of the list of abnormal operation (移出异常名录)",
			`{"record": "ID", "evidence": "已依法公示年度报告"}`,
			func(m *pb.RemoveAbnormal) [32]byte { return idOf(m.Record) }),
		verbOf("other", "Record other dishonesty (其他失信信息)",
			`{"content": {"issuer": "USCC", "subject": "USCC", "doc_no": "示例认〔2026〕1号", "source": "JUDGMENT", "statute": "HN-CREDIT-20",
 "decided_on": "2026-07-15", "served_on": "2026-07-15", "repair_notice_served": true, "violation_region": "410105", "power_code": "SC-MARKET",
 "sector": "market", "text": {"fact": "认定事实", "basis": "认定依据"}}}`,
			func(m *pb.RecordOther) [32]byte {
				return sanction.ID(pb.DISHONESTY_OTHER, m.Content.Issuer, m.Content.DocNo, m.Content.Subject)
			}),
		verbOf("withdraw", "Withdraw a record whose decision was revoked or changed (撤销)",
			`{"record": "ID", "reason": "复议决定撤销原处罚", "authority": "示例复议决定书〔2026〕3号"}`,
			func(m *pb.WithdrawRecord) [32]byte { return idOf(m.Record) }),
		verbOf("final", "Say that the decision behind a record is final (终局)", `{"record": "ID", "ground": 2, "final_on": "2026-10-08", "document": "示例复议决定书〔2026〕8号"}`,
			func(m *pb.MarkFinal) [32]byte { return idOf(m.Record) }),
		verbOf("fulfil", "Say that the duties of the decision are fulfilled (义务履行完毕)", `{"record": "ID", "done_on": "2026-08-03", "evidence": "缴款凭证"}`,
			func(m *pb.FulfilDuty) [32]byte { return idOf(m.Record) }),
		verbOf("revoked", "Tell the recogniser that its decision was revoked (撤销通报)",
			`{"record": "ID", "revoked_on": "2026-09-01", "authority": "示例行政判决书〔2026〕5号"}`,
			func(m *pb.ReportRevocation) [32]byte { return idOf(m.Record) }),
		verbOf("release", "Answer that the record stands, with the reason", `{"record": "ID", "reason": "经核实，决定未被撤销"}`,
			func(m *pb.Release) [32]byte { return idOf(m.Record) }),
		verbOf("correct", "Replace what a record states by what is true (更正); issuer, subject and number stay",
			`{"record": "ID", "reason": "列入日期录入有误",
 "abnormal": {"issuer": "USCC", "subject": "USCC", "doc_no": "示例异列〔2026〕1号", "reason": "ADDRESS", "listed_on": "2026-07-14",
 "served_on": "2026-07-15", "repair_notice_served": true, "violation_region": "410105", "power_code": "SC-MARKET", "sector": "market",
 "text": {"fact": "列入事实", "basis": "列入依据"}}}`,
			func(m *pb.CorrectRecord) [32]byte { return idOf(m.Record) }),
		verbOf[pb.Acknowledge]("acknowledge", "Confirm that this agency has let go of its copy of a record, or taken its new version (同步确认)", `{"record": "ID"}`, nil),
		verbOf[pb.Reconcile]("reconcile", "Bring all that 信用中国 shows of a firm (公示核对); an empty list says that it shows nothing",
			`{"subject": "USCC", "as_of": "2026-08-03", "shown": [{"kind": "penalty", "issuer": "USCC", "doc_no": "示例罚〔2026〕1号"}]}`, nil),
	}},
	{"plan", "Court plans: reorganisation and settlement (重整计划、和解协议)", []verb{
		verbOf("file", "File the court's ruling that approves a plan: kind 1 重整, 2 和解",
			`{"subject": "USCC", "case_no": "HN-2026-PO-1", "kind": 1, "ruled_on": "2026-09-01", "ruling": "裁定书"}`,
			func(m *pb.FilePlan) [32]byte { return sanction.PlanID(m.CaseNo, m.Subject) }),
		verbOf[pb.ShieldRecord]("shield", "Take an own record out of publicity while the plan runs (屏蔽)", `{"record": "ID", "plan": "PLAN ID"}`, nil),
		verbOf("end", "File the ruling that ends a plan: completed 执行完毕, else 终止执行",
			`{"plan": "PLAN ID", "completed": true, "ruled_on": "2027-03-01", "ruling": "裁定书"}`,
			func(m *pb.EndPlan) [32]byte { return idOf(m.Plan) }),
		verbOf[pb.EndShield]("end-shield", "Do with an own record what the end of the plan calls for: repaired, or back in publicity (结束屏蔽)",
			`{"record": "ID", "plan": "PLAN ID"}`, nil),
	}},
	{"case", "Cases: who decides on an act (案件)", []verb{
		verbOf[pb.FileCase]("file", "Claim an act: the first to file decides, unless another is designated (立案)",
			`{"subject": "USCC", "act": "2026-07-01 金水区示例路1号 未按规定明码标价", "violation_region": "410105", "power_code": "SC-MARKET"}`, nil),
		verbOf("close", "Give the claim up (撤案、移送)", `{"subject": "USCC", "act": "2026-07-01 金水区示例路1号 未按规定明码标价", "reason": "移送其他机关"}`,
			func(m *pb.CloseCase) [32]byte { return idOf(m.ActDigest) }),
	}},
	{"no-penalty", "Decisions without a penalty (不予行政处罚)", []verb{
		verbOf("record", "Record a decision without a penalty: limb 1 slight and mended, 2 a first offence (免罚)",
			`{"content": {"issuer": "USCC", "subject": "USCC", "doc_no": "示例不罚〔2026〕1号", "limb": 2, "harm": 2, "corrected_on": "2026-07-10",
 "decided_on": "2026-07-15", "item": "ITEM-1", "violation_region": "410105", "power_code": "SC-MARKET", "sector": "market",
 "education": "约谈记录", "text": {"fact": "违法事实", "basis": "不予处罚依据"}}}`,
			func(m *pb.RecordNoPenalty) [32]byte {
				return leniency.ID(m.Content.Issuer, m.Content.DocNo, m.Content.Subject)
			}),
		verbOf("withdraw", "Withdraw a decision without a penalty (撤销)", `{"record": "ID", "reason": "复查发现不符合免罚条件"}`,
			func(m *pb.WithdrawNoPenalty) [32]byte { return idOf(m.Record) }),
	}},
	{"commitment", "Credit commitments (信用承诺)", []verb{
		verbOf("submit", "Take in a commitment, or file one for a firm on its signed paper",
			`{"content": {"code": "41010020261019000001", "subject": "USCC", "type": 4, "made_on": "2026-10-19", "acceptor": "USCC",
 "publication": 1, "text": {"reason": "信用修复", "content": "承诺内容", "breach_liability": "违诺责任"}}, "accepted": true}`,
			func(m *pb.SubmitCommitment) [32]byte { return [32]byte(commitment.ID(&m.Content)) }),
		verbOf[pb.AcceptCommitment]("accept", "Accept a commitment (受理)", `{"code": "41010020261019000001"}`, nil),
		verbOf("reject", "Reject a commitment with its reason (不予受理)", `{"code": "41010020261019000001", "reason": "材料不全"}`,
			func(m *pb.RejectCommitment) [32]byte { return intake.AssessmentID(m.Issuer, m.Code) }),
		verbOf("withdraw", "Withdraw a commitment that was accepted by error (撤回)", `{"code": "41010020261019000001", "reason": "误受理"}`,
			func(m *pb.WithdrawCommitment) [32]byte { return intake.AssessmentID(m.Issuer, m.Code) }),
		verbOf("assess", "Record fulfilment (践诺) or breach (违诺)",
			`{"code": "41010520260603000017", "fulfilment": 3, "assessed_on": "2026-08-03", "notice_served_on": "2026-07-27", "statement": 1,
 "unperformed": "未履行的承诺内容", "action": "违诺责任追究内容", "evidence": "双随机检查记录"}`,
			func(m *pb.AssessCommitment) [32]byte { return intake.AssessmentID(m.Issuer, m.Code) }),
		verbOf("cure", "Record that a breach was mended (补正)", `{"code": "41010520260603000017", "evidence": "复查记录"}`,
			func(m *pb.CureCommitment) [32]byte { return intake.AssessmentID(m.Issuer, m.Code) }),
		verbOf("mend", "Report that the firm has made good by itself (自行补正)",
			`{"code": "41010020261019000001", "evidence": "补交材料", "paper": "补正报告书"}`,
			func(m *pb.MendCommitment) [32]byte { return intake.AssessmentID(m.Issuer, m.Code) }),
		verbOf("refuse-mend", "Find a commitment not made good, with the reason", `{"code": "41010020261019000001", "reason": "补交材料不符合要求"}`,
			func(m *pb.RefuseMend) [32]byte { return intake.AssessmentID(m.Issuer, m.Code) }),
		verbOf[pb.NoteLicence]("licence", "Name the licence that was granted on a commitment (审批替代型)",
			`{"code": "41010520260603000017", "licence": "豫金人服许〔2026〕第0105号"}`, nil),
		verbOf("reassess", "Replace an assessment that was wrong (更正)",
			`{"assessment": {"code": "41010520260603000017", "fulfilment": 1, "assessed_on": "2026-08-20", "evidence": "复核记录"},
 "reason": "原检查地址有误"}`,
			func(m *pb.ReassessCommitment) [32]byte {
				return intake.AssessmentID(m.Assessment.Issuer, m.Assessment.Code)
			}),
	}},
	{"repair", "Credit repair (信用修复)", []verb{
		// The application's words lie with those of the record that it is about, and are destroyed with them.
		verbOf("apply", "File an application for a firm (信用修复申请)",
			`{"subject": "USCC", "target": "RECORD ID", "application_no": "XYZG-2026-001", "commitment": "41010020261019000001",
 "duties_done": true, "materials": "缴款凭证", "paper": "信用修复申请书"}`,
			func(m *pb.ApplyRepair) [32]byte { return idOf(m.Target) }),
		verbOf[pb.AcceptRepair]("accept", "Accept an application (受理)", `{"repair": "APPLICATION ID"}`, nil),
		verbOf[pb.ApproveRepair]("approve", "Approve: the repair takes effect in the same block (准予修复)",
			`{"repair": "APPLICATION ID", "duties_verified": true, "decision_no": "ZZXF-2026-001"}`, nil),
		verbOf("refuse", "Refuse with reason: before acceptance 不予受理, after it 不予修复", `{"repair": "APPLICATION ID", "reason": "罚款未缴清"}`,
			func(m *pb.RefuseRepair) [32]byte { return idOf(m.Repair) }),
		verbOf("revoke", "Revoke a repair obtained by deceit (撤销修复)",
			`{"repair": "APPLICATION ID", "reason": "缴款凭证系伪造", "notice_served_on": "2026-11-09", "statement": 1, "deceit": "materials"}`,
			func(m *pb.RevokeRepair) [32]byte { return idOf(m.Repair) }),
		verbOf("supplement", "Tell the one-time list of gaps (一次性告知补正)", `{"repair": "APPLICATION ID", "gaps": "缺缴款凭证"}`,
			func(m *pb.SupplementRepair) [32]byte { return idOf(m.Repair) }),
		verbOf("refile", "Refile what was missing (补正)", `{"repair": "APPLICATION ID", "materials": "缴款凭证"}`,
			func(m *pb.RefileRepair) [32]byte { return idOf(m.Repair) }),
		verbOf("extend", "Put the decision off, once, with reason (延期)", `{"repair": "APPLICATION ID", "days": 5, "reason": "需进行核查"}`,
			func(m *pb.ExtendRepair) [32]byte { return idOf(m.Repair) }),
		verbOf[pb.ExecuteRepair]("execute", "Say that the agency's own publication of the record has ended (执行修复)", `{"repair": "APPLICATION ID"}`, nil),
		verbOf("push", "Say that the place of registration in another province was told (跨省推送)", `{"repair": "APPLICATION ID", "receipt": "推送回执"}`,
			func(m *pb.PushRepair) [32]byte { return idOf(m.Repair) }),
		verbOf("track", "Record a look back at the firm after its repair (修复后跟踪)", `{"repair": "APPLICATION ID", "result": 1, "evidence": "回访记录"}`,
			func(m *pb.TrackRepair) [32]byte { return idOf(m.Repair) }),
		verbOf("reopen", "Take a refusal or a revocation back, where an objection to it is founded (重新办理)", `{"repair": "APPLICATION ID", "reason": "异议成立"}`,
			func(m *pb.ReopenRepair) [32]byte { return idOf(m.Repair) }),
	}},
	{"objection", "Objections (异议)", []verb{
		// Its words lie with those of what it is against, and are destroyed with them.
		verbOf("file", "File an objection on signed paper (异议申请)",
			`{"subject": "USCC", "kind": "record", "target": "RECORD ID", "objection_no": "YY-2026-31", "grounds": "处罚对象有误", "paper": "异议申请书"}`,
			func(m *pb.FileObjection) [32]byte { return idOf(m.Target) }),
		verbOf[pb.ForwardObjection]("forward", "Pass an objection to the agency that answers for its target (转提供方核查)", `{"objection": "OBJECTION ID"}`, nil),
		verbOf("pause", "Stop the clock for a test or an appraisal (中止计时)", `{"objection": "OBJECTION ID", "appraisal": 4, "order": "鉴定委托书"}`,
			func(m *pb.PauseObjection) [32]byte { return idOf(m.Objection) }),
		verbOf[pb.ResumeObjection]("resume", "Let the clock run on (恢复计时)", `{"objection": "OBJECTION ID"}`, nil),
		verbOf("resolve", "Give the result with its reason (异议处理结果)", `{"objection": "OBJECTION ID", "result": "upheld", "reason": "经核查，记录无误"}`,
			func(m *pb.ResolveObjection) [32]byte { return idOf(m.Objection) }),
		verbOf("escalate", "Ask the provincial credit authority for a review (提请复核)", `{"objection": "OBJECTION ID", "authority": "USCC", "paper": "复核申请书"}`,
			func(m *pb.EscalateObjection) [32]byte { return idOf(m.Objection) }),
		verbOf("review", "Decide a review (复核决定)", `{"objection": "OBJECTION ID", "overturn": true, "reason": "原决定对象有误，应予更正"}`,
			func(m *pb.ReviewObjection) [32]byte { return idOf(m.Objection) }),
	}},
	{"firm", "Keys of firms (主体密钥)", []verb{
		// What its words say of the firm lies in a place of its own: no record's destruction takes it away.
		verbOf("register-key", "Register a firm's key, with its own proof; replaces: the key whose place it takes (登记、更换密钥)",
			`{"subject": "USCC", "address": "ADDRESS", "proof": "SIGNATURE", "evidence": "电子营业执照核验记录"}`,
			func(m *pb.RegisterKey) [32]byte { return keyID(m.Subject, m.Address) }),
		verbOf("end-key", "End a firm's key: lost or returned (终止密钥)", `{"subject": "USCC", "address": "ADDRESS", "end": "lost", "evidence": "遗失声明"}`,
			func(m *pb.EndKey) [32]byte { return keyID(m.Subject, m.Address) }),
	}},
	{"consent", "Authorisations of firms (授权), evaluation grades, anchors of receipts (信易贷)", []verb{
		verbOf[pb.GrantAuthorisation]("grant", "Bring what a firm has signed: 'xinlian keys authorise' prints it (授权)",
			`{"content": {"subject": "USCC", "grantee": "USCC", "gateway": "USCC", "purpose": "pre_loan", "classes": ["grade", "commitments"],
 "grant_no": "SQ-2026-1", "granted_on": "2026-06-01", "valid_until": "2026-09-01", "max_uses": 0}, "key": "ADDRESS", "signature": "SIGNATURE"}`, nil),
		verbOf[pb.WithdrawAuthorisation]("withdraw", "Bring a firm's withdrawal: 'xinlian keys withdraw' prints it (撤回授权)",
			`{"authorisation": "ID", "key": "ADDRESS", "signature": "SIGNATURE"}`, nil),
		verbOf("grade", "Record an evaluation grade that was found elsewhere (公共信用综合评价等级)",
			`{"subject": "USCC", "grade": "A", "assessed_on": "2026-05-20", "valid_until": "2027-05-19", "source_no": "PJ-2026-1", "basis": "评价依据"}`,
			func(m *pb.RecordGrade) [32]byte { return gradeID(m.Issuer, m.Subject) }),
		verbOf("withdraw-grade", "Withdraw a grade that was wrong (撤回评价等级)", `{"subject": "USCC", "reason": "评价依据有误"}`,
			func(m *pb.WithdrawGrade) [32]byte { return gradeID(m.Issuer, m.Subject) }),
		verbOf[pb.AnchorReceipts]("anchor", "Anchor the root of an hour's receipts; a gateway does so by itself (存证查询回执)",
			`{"hour": 494544, "root": "ROOT", "used_up": ["ID"]}`, nil),
	}},
	{"incentive", "Incentives (守信激励)", []verb{
		verbOf("propose", "Propose a firm for an incentive list (拟认定)",
			`{"subject": "USCC", "list": "HN28", "proposal_no": "JL-2026-1", "grounds": "连续三年按期履约"}`,
			func(m *pb.ProposeIncentive) [32]byte { return incentive.ID(m.Issuer, m.ProposalNo, m.Subject) }),
		verbOf[pb.NoticeIncentive]("notice", "Open the public notice, in which anybody may object (公示)", `{"incentive": "INCENTIVE ID"}`, nil),
		verbOf[pb.RecogniseIncentive]("recognise", "Recognise, once the notice has ended without an open objection (认定)", `{"incentive": "INCENTIVE ID", "valid_until": "2028-07-14"}`, nil),
		verbOf("decline", "Decline, with the reason (不认定)", `{"incentive": "INCENTIVE ID", "reason": "异议成立"}`,
			func(m *pb.DeclineIncentive) [32]byte { return idOf(m.Incentive) }),
		verbOf("cancel", "Cancel for cause (取消)", `{"incentive": "INCENTIVE ID", "cause": "dishonesty", "reason": "不再诚实守信"}`,
			func(m *pb.CancelIncentive) [32]byte { return idOf(m.Incentive) }),
		verbOf("use", "Record what was granted for it (激励应用)", `{"incentive": "INCENTIVE ID", "use_no": "XK-1", "measure": 1, "scene": "licence", "result": "优先办理"}`,
			func(m *pb.UseIncentive) [32]byte { return idOf(m.Incentive) }),
	}},
	{"list", "Lists of serious dishonesty (严重失信主体名单)", []verb{
		verbOf("notify", "Serve notice before an entry: facts, basis, measures and rights (列入告知)",
			`{"notice": {"issuer": "USCC", "subject": "USCC", "list": "SC", "notice_no": "示例列告〔2026〕1号", "served_on": "2026-03-02",
 "measures": ["M01", "M07", "M08"], "rights_told": true, "text": {"fact": "列入事由", "basis": "列入依据"}}}`,
			func(m *pb.NotifyListing) [32]byte { return sanction.ListingID(&m.Notice) }),
		verbOf("state", "Take in what the firm states, or that it waives (陈述申辩、异议)", `{"listing": "LISTING ID", "statement": 1, "paper": "陈述申辩书"}`,
			func(m *pb.StateListing) [32]byte { return idOf(m.Listing) }),
		verbOf("verify", "Answer an objection (异议核查)", `{"listing": "LISTING ID", "founded": false, "reason": "核查结果和理由"}`,
			func(m *pb.VerifyListing) [32]byte { return idOf(m.Listing) }),
		verbOf("ask-review", "Ask the credit authority to review the answer (申请复核)", `{"listing": "LISTING ID", "reviewer": "USCC", "paper": "复核申请书"}`,
			func(m *pb.AskListingReview) [32]byte { return idOf(m.Listing) }),
		verbOf("review", "Review, as the credit authority (复核)", `{"listing": "LISTING ID", "founded": false, "reason": "复核意见"}`,
			func(m *pb.ReviewListing) [32]byte { return idOf(m.Listing) }),
		verbOf[pb.AskConsent]("ask-consent", "Ask an agency of the level above for its consent (报请上级同意)", `{"listing": "LISTING ID", "upper": "USCC"}`, nil),
		verbOf("consent", "Consent, as an agency of the level above (上级同意)", `{"listing": "LISTING ID", "document": "示例批复〔2026〕3号"}`,
			func(m *pb.ConsentListing) [32]byte { return idOf(m.Listing) }),
		verbOf("decide", "Enter the firm in the list (列入决定)",
			`{"content": {"issuer": "USCC", "subject": "USCC", "doc_no": "示例列〔2026〕1号", "list": "SC", "decided_on": "2026-03-20", "served_on": "2026-03-20",
 "repair_notice_served": true, "violation_region": "410181", "power_code": "SC-MARKET", "measures": ["M01", "M07", "M08"], "listing": "LISTING ID",
 "conditions": "移出条件和救济途径", "text": {"fact": "列入事由", "basis": "列入依据"}}}`,
			func(m *pb.DecideListing) [32]byte {
				return sanction.ID(pb.DISHONESTY_LIST, m.Content.Issuer, m.Content.DocNo, m.Content.Subject)
			}),
		verbOf("drop", "Enter the firm in no list (不予列入)", `{"listing": "LISTING ID", "reason": "情节不构成列入情形"}`,
			func(m *pb.DropListing) [32]byte { return idOf(m.Listing) }),
		verbOf("remove", "Take out what should not have been entered (纠错移出)", `{"record": "RECORD ID", "reason": "列入所依据事实有误"}`,
			func(m *pb.RemoveListed) [32]byte { return idOf(m.Record) }),
	}},
	{"measure", "Sanction measures (失信惩戒措施)", []verb{
		verbOf[pb.AnnounceMeasure]("announce", "Call for a measure on a record in publicity (措施推送)",
			`{"source": "RECORD ID", "item": "M12", "implementer": "USCC"}`, nil),
		verbOf[pb.ApplyMeasure]("apply", "Carry a measure out (措施实施)", `{"source": "RECORD ID", "item": "M12", "until": "2027-07-15"}`, nil),
		verbOf("feedback", "Report what came of a measure (结果反馈)", `{"measure": "MEASURE ID", "outcome": "done", "evidence": "实施情况"}`,
			func(m *pb.FeedbackMeasure) [32]byte { return idOf(m.Measure) }),
		verbOf("correct", "End a measure that should not have been (纠正)", `{"measure": "MEASURE ID", "reason": "经核查不符合实施条件"}`,
			func(m *pb.CorrectMeasure) [32]byte { return idOf(m.Measure) }),
	}},
	{"inspection", "Random inspections (双随机、一公开)", []verb{
		verbOf("plan", "Make a plan: rates of the four classes, day of the draw, roster (抽查计划)",
			`{"plan_no": "P-2026-1", "rates": [10, 50, 100, 300], "draw_on": "2026-06-10", "until": "2026-07-31", "inspectors": 6, "team": 2,
 "roster": "执法检查人员名录"}`,
			func(m *pb.PlanInspection) [32]byte { return [32]byte(inspection.PlanID(m.Issuer, m.PlanNo)) }),
		verbOf[pb.AddCandidates]("candidates", "Add candidates with their classes (抽查对象)",
			`{"plan": "PLAN ID", "candidates": [{"subject": "USCC", "class": 2}]}`, nil),
		verbOf[pb.SealPlan]("seal", "Seal the list: nobody changes it any more (封存)", `{"plan": "PLAN ID"}`, nil),
		verbOf("cancel", "Cancel a plan that was not drawn (取消)", `{"plan": "PLAN ID", "reason": "抽查事项调整"}`,
			func(m *pb.CancelPlan) [32]byte { return idOf(m.Plan) }),
		verbOf("record", "Record what an inspection found (抽查结果)",
			`{"plan": "PLAN ID", "subject": "USCC", "inspected_on": "2026-06-20", "result": "clean", "findings": "检查记录"}`,
			func(m *pb.RecordInspection) [32]byte { return [32]byte(inspection.ID(m.Issuer, m.Plan, m.Subject)) }),
	}},
	{"member", "Governance and mandates (治理, 委托)", []verb{
		verbOf("propose", "Propose a change of members or rules (提案)",
			`{"action": {"set_param": {"name": "publish_deadline_wd", "value": 5}}, "reason": "示例会议纪要"}
  other actions: `+actionNames(),
			func(m *pb.Propose) [32]byte {
				action := sha256.Sum256(pb.Encode(&m.Action))
				return x.RecordID("proposal", m.Issuer, hex.EncodeToString(action[:]), "")
			}),
		verbOf[pb.Vote]("vote", "Vote on a proposal (表决)", `{"proposal": 1, "yes": true}`, nil),
		verbOf[pb.GrantMandate]("mandate", "Let another agency act in this one's name (委托)",
			`{"mandate": {"submitter": "USCC", "kinds": ["penalty", "publish", "commitment", "fulfillment"], "valid_to": "2027-12-31"}}`, nil),
		verbOf[pb.RevokeMandate]("revoke-mandate", "Take a mandate back", `{"submitter": "USCC"}`, nil),
	}},
}
