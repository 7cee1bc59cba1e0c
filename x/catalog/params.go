package catalog

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// ParamInfo describes a parameter. Equal Min and Max mean that the law or the design leaves no choice: it stands here to be seen.
type ParamInfo struct {
	Name    string
	Label   string // Chinese
	Default int64
	Min     int64
	Max     int64
	Unit    string // months, wd (working days), days, bool, choice, permille, seconds, bytes, messages, timers, records, classes, subjects
	Source  string // key of the source and how sure it is: [C] full text, [P] quoted, [M] memory, [D] decided here
	Meaning string
}

// Params is every parameter there is, in the order in which people read them. Nobody changes it while the program runs. A parameter stands here once
// a rule reads it (scripts/tidy holds that): what governance votes on has an effect.
//
// Bounds of the publicity periods are those of Order 36 (N1): the shortest periods are fixed, the longest may only become shorter.
var Params = []ParamInfo{
	// Publicity (公示).
	{"minor_publish", "轻微失信信息是否公示", 0, 0, 1, "bool", "N1 [P]", "publish 轻微 records without a stated necessity"},
	{"minor_max_months", "轻微失信信息最长公示期", 3, 0, 3, "months", "N1 [P]", "longest publicity of a 轻微 record that is published"},
	{"general_min_months", "一般失信信息最短公示期", 3, 3, 3, "months", "N1 [P]", "from the decision to the first day on which repair may be applied for"},
	{"general_max_months", "一般失信信息最长公示期", 12, 3, 12, "months", "N1 [P]", "from the decision to the last day shown"},
	{"serious_min_months", "严重失信信息最短公示期", 12, 12, 12, "months", "N1 [P]", "from the decision to the first day on which repair may be applied for"},
	{"serious_max_months", "严重失信信息最长公示期", 36, 12, 36, "months", "N1 [P]", "from the decision to the last day shown"},
	{"abnormal_min_months", "异常名录最短公示期", 0, 0, 12, "months", "§11.2 [M]", "from the entry to the first day on which its lister may take it out; no source names one"},
	{"abnormal_max_months", "异常名录最长公示期", 12, 12, 36, "months", "N1 [P], for 异常名录 [M]", "from the entry to the last day shown"},
	{"local_disclosure_cap_months", "本省失信信息披露期上限", 36, 12, 60, "months", "H1 art 19 [C], N1 [P]", "Henan's own cap; the shorter of it and the class's longest period counts"},
	{"publish_deadline_wd", "公示期限", 7, 1, 20, "wd", "G5 [P], N5 [C]", "from the decision to the last day in time for publication"},
	{"verify_inbound_wd", "入库核验期限", 5, 1, 5, "wd", "H1 art 17 [C]", "from taking in a record to its verification before publication"},
	{"withdraw_deadline_wd", "撤销期限", 3, 1, 3, "wd", "L1 arts 48, 85 [C]", "from the revocation of a decision to the withdrawal of its record"},
	{"appeal_months", "法定救济期", 6, 0, 12, "months", "行政诉讼法 46 [M]", "from the service of a decision until it is final for not having been appealed"},
	{"hold_at_max_penalty", "处罚期满未履行继续公示", 0, 0, 1, "bool", "N1 [P]", "a penalty whose duties are not fulfilled stays beyond its longest period"},
	{"hold_at_max_list", "名单期满未履行继续公示", 1, 0, 1, "bool", "N1 [P]", "the same for entries in lists of serious dishonesty"},
	{"hold_at_max_abnormal", "异常名录期满未履行继续公示", 1, 0, 1, "bool", "N1 [P]", "the same for entries of abnormal operation"},
	{"hold_at_max_other", "其他失信期满未履行继续公示", 0, 0, 1, "bool", "N1 [P]", "the same for other dishonesty"},
	{"holder_wd", "持有方撤除期限", 1, 1, 1, "wd", "H1 art 42 [C]", "from a withdrawal to the confirmation of each member that keeps a copy"},
	{"sync_deadline_wd", "同步期限", 1, 1, 3, "wd", "[D], G2 [P]", "the same from a repair, a correction or a shield"},
	{"shield_wd", "屏蔽期限", 3, 1, 20, "wd", "A3-14 [P], length [D]", "from the filing of a court's plan, or of its end, to what each recogniser does with its records"},
	{"reconcile_wd", "公示差异核对期限", 3, 1, 10, "wd", "[D]", "from a list of 信用中国 that does not show a record to its recogniser's answer"},
	{"case_decide_days", "处罚决定期限", 90, 30, 180, "days", "L1 art 60 [C]", "from the filing of a case to its decision"},
	{"attention_threshold", "积累关注阈值", 3, 1, 10, "records", "[D], S0 gives no number", "published 一般 records within the window that put a subject under attention"},
	{"attention_window_months", "积累关注窗口期", 12, 3, 36, "months", "[D], S0 gives no number", "how long a decision counts towards it"},
	{"attention_effect", "积累关注抽查类别提升", 1, 0, 3, "classes", "[D]", "by how many classes attention raises a candidate for inspection"},
	{"first_offence_months", "初次违法认定窗口期", 24, 12, 60, "months", "L1 art 33 [C], length [M]", "how long an earlier offence under the same power counts against a first one"},
	{"share_after_expiry", "期满后政务共享", 0, 0, 1, "bool", "[D]", "other agencies are told of a record whose publicity has run out (已届满), until it is archived; the public and lenders never are"},
	{"archive_grace_days", "归档等待期", 30, 0, 365, "days", "[D]", "from the end of a record to its archive"},
	{"require_two_documents", "两书同达", 1, 0, 1, "bool", "G2 [P]", "a penalty needs the repair notice (信用修复告知书) served with the decision"},
	{"natural_person_negative_records", "自然人失信信息", 0, 0, 0, "bool", "H1 art 13 [C], L3 [C], [D]", "negative records of natural persons: refused, without a choice"},
	{"publish_counts_from", "公示期起算", 0, 0, 0, "choice", "N1 [P]", "0: from the decision, without a choice"},
	{"answer_shows_finality", "答复载明是否终局", 1, 1, 1, "bool", "D-3 [D]", "every answer says whether the decision is final (终局), without a choice: a change would rewrite every standing at once"},
	{"sync_interval_days", "下游同步频次", 1, 1, 1, "days", "G2 [P]", "who keeps copies follows what is published here daily, without a choice; what has left is let go of by holder_wd and sync_deadline_wd"},
	{"roll_period_end_publicity", "公示期末日遇休息日顺延", 0, 0, 0, "bool", "N1 [P], [D]", "publicity never becomes longer for a holiday, without a choice"},

	// Commitments (信用承诺).
	{"accept_commitment_wd", "承诺受理期限", 1, 0, 3, "wd", "[D]", "from the submission of a commitment to its acceptance or rejection"},
	{"assess_window_months", "承诺评估窗口期", 12, 1, 60, "months", "[D]", "from acceptance to the last day of the check, where the commitment states no end of its own"},
	{"assess_grace_wd", "承诺到期评估期限", 20, 5, 60, "wd", "[D]", "from the end of a commitment's time to its assessment, and from a report of mending (自行补正) to its verification"},
	{"free_list_excludes_health_safety", "涉及健康安全事项不适用告知承诺", 1, 0, 1, "bool", "G3 [P], H2 art 34 [C]", "items of health and of safety of life and property are closed to types 1 and 3; all other excluded fields are closed without a choice"},

	// Inspection (双随机一公开).
	{"k_threshold", "公布数量下限", 10, 1, 1000, "subjects", "[D], INV-39", "counts of inspections below it are not published"},

	// Time (期间).
	{"roll_period_end_procedure", "办理期限末日遇休息日顺延", 1, 0, 1, "bool", "L7 art 203 [C], [D]", "an agency's period of days or months that ends on a rest day ends on the next working day"},

	// Measures (惩戒措施) and lists (严重失信主体名单).
	{"measures_count_when", "惩戒措施适用时点", 1, 0, 1, "choice", "H1 art 20(2) [C], D-3 [D]", "1: a measure rests on a final decision alone, unless its statute takes effect at once; 0: on the decision"},
	{"listing_statement_wd", "列入陈述申辩期限", 5, 3, 20, "wd", "G1(8) [P], number [M]", "from the service of the notice to the last day on which the subject may state its case before a decision"},
	{"listing_verify_wd", "列入异议核查期限", 7, 1, 15, "wd", "G1(8) [P], H1 art 41 [C]", "from the subject's objection to its verification"},
	{"list_upper_consent", "列入须上级同意", 1, 0, 1, "bool", "N4 [P]", "below the province a decision to list needs the consent of the level above, where the list's standard asks for it"},
	{"serious_min_vs_sector", "提前移出最短期限适用", 0, 0, 1, "choice", "D-2 [D], N7 [P]", "0: the national shortest period of class 严重 counts for early removal; 1: the sector's, where it says one"},
	{"feedback_window_wd", "措施反馈期限", 10, 1, 60, "wd", "S0 [C], number [D]", "from the day on which a measure is applied to the implementer's report"},

	// Repair (信用修复).
	{"repair_accept_wd", "修复受理期限", 3, 1, 3, "wd", "G2 [P]", "from application to acceptance"},
	{"repair_decide_wd", "修复决定期限", 7, 1, 10, "wd", "H3, N3 [P]", "from acceptance to decision"},
	{"repair_total_wd", "修复办结期限", 10, 1, 20, "wd", "G2 [P]", "from application to answer"},
	{"supplement_window_wd", "补正期限", 10, 3, 30, "wd", "[D]", "to refile what was missing"},
	{"repair_extension_wd", "修复决定延长期限", 10, 0, 20, "wd", "A3-6 [P], length [M]", "by how much the decision may be put off, once; 0 = not at all"},
	{"simple_repair_wd", "简易修复期限", 3, 0, 7, "wd", "S0 [C], length [D]", "from application to decision of a 轻微 record, in one step; 0 = no simple procedure"},
	{"emergency_repair", "应急修复程序", 0, 0, 1, "bool", "S0 [C], [D]", "applications may ask for the emergency procedure"},
	{"emergency_accept_wd", "应急修复受理期限", 1, 1, 3, "wd", "[D]", "from application to acceptance in the emergency procedure"},
	{"emergency_decide_wd", "应急修复决定期限", 2, 1, 7, "wd", "[D]", "from acceptance to decision in the emergency procedure"},
	{"repair_local_execution_wd", "修复执行期限", 1, 1, 3, "wd", "H1 art 43 [C]", "from the decision to the end of the recogniser's own publication"},
	{"cross_province_push_wd", "跨省推送期限", 3, 1, 10, "wd", "N3 [P]", "from the decision to telling a place of registration in another province"},
	{"repair_track_months", "修复后跟踪期", 6, 0, 24, "months", "S0 [C], length [D]", "from the decision to the look back at the firm; 0 = none"},
	{"order58_min_months", "原办法最短公示期", 3, 0, 12, "months", "N2 [M]", "from the decision to the first day of an application that was filed before Order 36 came into force"},
	{"order58_max_months", "原办法最长公示期", 36, 12, 36, "months", "N2 [M]", "of decisions before Order 36 came into force; the shorter of it and the class's longest period counts"},
	{"repair_false_bar_months", "虚假修复禁止申请期", 36, 12, 60, "months", "N1 [P], length [M]", "no application after a repair was obtained by deceit"},

	// Subjects (信用主体).
	{"uscc_inner_check", "主体代码内嵌校验", 1, 0, 2, "choice", "GB 11714 [C], [D]", "a code whose organisation part has a wrong check character is 0: enrolled, 1: enrolled with a warning, 2: refused; such codes have been issued"},

	{"file_rows_member_max", "单一成员可增档案行数上限", pb.FileMemberRows, 256, 65_536, "records", "[D]", "rows that one member may add to the file of a subject, counted once the file has 1,024 versions; what follows upon a row that stands needs no room"},
	{"file_rows_max", "主体档案可增行数上限", pb.FileRows, 1024, 131_072, "records", "[D]", "rows that all members together may add to the file of a subject, counted in the same way"},

	// Objection (异议).
	{"objection_annotation_wd", "异议标注期限", 0, 0, 0, "wd", "H1 art 41 [C]", "the mark stands in the block that receives the objection, without a choice"},
	{"objection_own_wd", "异议核查期限(单位)", 3, 1, 3, "wd", "H1 art 41 [C]", "from receipt to result, where who received it settles it alone"},
	{"objection_provider_wd", "异议核查期限(提供方)", 7, 3, 7, "wd", "H1 art 41 [C]", "from receipt to result, where the agency that answers for the target has to check"},
	{"objection_review_wd", "异议复核期限", 15, 5, 30, "wd", "H1 art 28 [C], length [D]", "from the request to the decision of the provincial credit authority"},

	// Incentives (守信激励).
	{"incentive_notice_days", "守信激励公示期", 7, 3, 30, "days", "H1 art 28 [C], length [D]", "from the opening of a public notice to the last day on which anybody may object"},
	{"incentive_decide_wd", "守信激励认定期限", 5, 1, 20, "wd", "[D]", "from the end of the notice, or of the last objection, to the decision"},

	// Authorisations (授权) and lenders' queries (信易贷).
	{"auth_max_validity_months", "授权最长有效期", 12, 1, 24, "months", "[D], market practice [P]", "from the day on which a firm signs an authorisation to its last day"},
	{"subject_log_delay", "主体查阅查询记录时限", 0, 0, 1, "wd", "H1 art 40 [C]", "from a query about a firm to the day on which the firm may read its receipt"},
	{"lender_gateway_required", "金融机构经网关查询", 1, 1, 1, "bool", "G6 [P]", "what a firm authorises is answered by the gateway that it names, the one outlet, without a choice"},

	// Governance (治理).
	{"member_admission_quorum_permille", "成员变更表决比例", 667, 666, 1000, "permille", "[D]", "of governor members, to admit, change or remove a member; 666 makes two of three enough"},
	{"param_change_quorum_permille", "规则变更表决比例", 667, 666, 1000, "permille", "[D]", "of governor members, to change anything else"},
	{"param_notice_days", "规则变更公告期", 30, 7, 180, "days", "[D]", "from passing to force: parameters, severity standards, measures, standards of lists, incentive lists"},
	{"table_notice_days", "目录变更公告期", 7, 1, 60, "days", "[D]", "from passing to force: regions, calendar, templates"},
	{"voting_days", "表决期", 14, 1, 90, "days", "[D]", "from proposal to the last day to vote"},

	// Of the machine. No source in law; the bounds keep a valid transaction from becoming impossible and a block bounded.
	{"tx_expiry_max_seconds", "交易最长有效期", pb.ExpiryAheadSeconds, 30, 3600, "seconds", "[D]", "how far ahead of block time a transaction may expire"},
	{"member_bytes_per_block", "每块成员字节上限", 2 << 20, pb.TxBytesMax, pb.BlockBytesMax, "bytes", "[D]", "fair share of one member in a block"},
	{"member_messages_per_block", "每块成员消息上限", 10_000, pb.MessagesMax, pb.BlockMessagesMax, "messages", "[D]", "fair share of one member in a block"},
	{"member_rows_per_block", "每块成员查阅行数上限", pb.MemberRowsPerBlock, 1 << 17, 1 << 24, "records", "[D]", "rows of subjects that a block looks through for the messages of one member, and versions in the files of those whose standings they change"},
	{"rows_per_block", "每块查阅行数上限", pb.RowsPerBlock, 1 << 17, 1 << 24, "records", "[D]", "the same for the messages of all members together; beyond it a transaction waits for a later block, but each member of the block has its part of as many once more"},
	{"visibility_timers_per_block", "每块到期下线处理数", 20_000, 20_000, 1_000_000, "timers", "[D]", "due timers that end public visibility, a block"},
	{"timers_per_block", "每块其他定时处理数", 2_000, 100, 20_000, "timers", "[D]", "other due timers, a block"},
	{"standing_bytes_max", "信用状态文档上限", pb.StandingBytesMax, 16 << 10, 96 << 10, "bytes", "[D]", "longer standings show roots in place of lists"},
}

// Order36 is the first day of 《信用修复管理办法》 (N1). Before it Order 58 was in force (N2, D-1).
var Order36, _ = calendar.FromYMD(2026, 4, 1)

var paramIndex = func() map[string]int { // DETERMINISM: looked up, never ranged over
	index := make(map[string]int, len(Params))
	for i, p := range Params {
		if _, twice := index[p.Name]; twice {
			panic("parameter " + p.Name + " is declared twice")
		}
		index[p.Name] = i
	}
	return index
}()

// ParamOf finds a parameter by name.
func ParamOf(name string) (ParamInfo, bool) {
	i, ok := paramIndex[name]
	if !ok {
		return ParamInfo{}, false
	}
	return Params[i], true
}

func mustParam(name string) ParamInfo {
	p, ok := ParamOf(name)
	if !ok {
		panic(fmt.Sprintf("the rules ask for parameter %q, which does not exist", name))
	}
	return p
}
