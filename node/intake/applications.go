package intake

import (
	"encoding/hex"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// What firms bring on signed paper, in files of the agency that takes it in: objections (异议) and applications for repair (信用修复申请). A row names its
// target as people do, by kind, agency and number; its words lie with those of the target, and are destroyed with them.

// breach is the kind of a target that is a commitment found broken, by its code. The others are those of records.
const breach = 9

// targetKinds are words for what a row is about.
var targetKinds = words{"行政处罚 (penalty)、严重失信主体名单 (list)、经营异常名录 (abnormal)、其他失信信息 (other)、违诺 (breach)", map[string]uint32{
	"penalty": 1, "行政处罚": 1, "行政处罚信息": 1, "处罚": 1, "list": 2, "严重失信主体名单": 2, "严重失信": 2, "失信名单": 2,
	"abnormal": 3, "经营异常名录": 3, "异常名录": 3, "经营异常": 3, "other": 4, "其他失信信息": 4, "其他": 4, "其他失信": 4,
	"breach": breach, "违诺": breach, "信用承诺": breach, "承诺": breach,
}}

// target reads what a row is about.
func (m *mapper) target(subject string) (id [32]byte, issuer string, kind uint32) {
	kind = m.word("kind", CodeValue, targetKinds)
	issuer = m.uscc("issuer_uscc", false)
	if m.failed() {
		return id, issuer, kind
	}
	if kind == breach {
		code := m.commitmentCode("doc_no", false)
		return commitmentID(issuer, code, subject), issuer, kind
	}
	docNo := m.docNo("doc_no")
	return x.RecordID(kindWords[kind], issuer, docNo, subject), issuer, kind
}

// objection maps a row of a file of objections.
func (m *mapper) objection() {
	subject, no := m.uscc("subject_uscc", false), m.requiredToken("objection_no")
	target, provider, kind := m.target(subject)
	claimant := m.uscc("claimant_uscc", true)
	grounds, paper := m.text("grounds", true), m.text("paper", true)
	if m.failed() {
		return
	}
	of := pb.OBJECTION_RECORD
	if kind == breach {
		of = pb.OBJECTION_BREACH
	}
	m.row.Issuer = m.opts.Issuer
	m.identify(x.RecordID("objection", provider, no, subject+"/"+hex.EncodeToString(target[:])))
	m.row.Messages = []pb.Msg{{Sum: &pb.Msg_FileObjection{FileObjection: &pb.FileObjection{
		Issuer: m.opts.Issuer, Subject: subject, Kind: of, Target: target[:], ObjectionNo: no, Claimant: claimant,
		GroundsDigest: m.keep(target, map[string]string{"grounds": grounds}), PaperDigest: m.keep(target, map[string]string{"paper": paper}),
	}}}}
}

// channels by which an application comes (申请渠道).
var channels = words{"信用中国 (credit_china)、窗口 (window)、跨省推送 (pushed)", map[string]uint32{
	"": 0, "信用中国": 1, "credit_china": 1, "1": 1, "窗口": 2, "window": 2, "2": 2, "跨省推送": 3, "推送": 3, "pushed": 3, "3": 3,
}}

// application maps a row of a file of applications for repair: one over several records is several rows under one number.
func (m *mapper) application() {
	subject, no := m.uscc("subject_uscc", false), m.requiredToken("application_no")
	target, issuer, kind := m.target(subject)
	if f, _ := m.cell("kind"); kind == breach {
		m.refuse(CodeValue, f, "is a commitment: repair is of records alone")
	}
	promise := m.commitmentCode("commitment_code", true)
	done, emergency := m.word("duties_done", CodeValue, yesNo) == 1, m.word("emergency", CodeValue, yesNo) == 1
	channel := m.word("channel", CodeValue, channels)
	materials, paper := m.text("materials", true), m.text("paper", true)
	if m.failed() {
		return
	}
	m.row.Issuer = m.opts.Issuer
	m.identify(x.RecordID("repair", issuer, no, subject+"/"+hex.EncodeToString(target[:])))
	m.row.Messages = []pb.Msg{{Sum: &pb.Msg_ApplyRepair{ApplyRepair: &pb.ApplyRepair{
		Issuer: m.opts.Issuer, Subject: subject, Target: target[:], ApplicationNo: no, Commitment: promise, DutiesDone: done,
		MaterialsDigest: m.keep(target, map[string]string{"materials": materials}), PaperDigest: m.keep(target, map[string]string{"paper": paper}),
		Emergency: emergency, Channel: channel,
	}}}}
}
