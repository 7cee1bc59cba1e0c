package intake

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// decided is what a row of abnormal operation or other dishonesty says of its decision.
type decided struct {
	id                               [32]byte
	issuer, subject, docNo           string
	on, servedOn                     int32
	twoDocuments                     bool
	region, power, sector, designate string
	texts                            map[string]string
}

// decision reads the fields that both kinds of file have; ok is false for a refused row.
func (m *mapper) decision(person bool, idOf func(issuer, docNo, subject string) [32]byte) (d decided, ok bool) {
	if f, s := m.cell("subject_uscc"); person && s == "" {
		m.refuse(CodeNaturalPerson, f, "is empty and the row names a natural person's document instead")
		return d, false
	}
	category := m.category("subject_category", true)
	d.subject = m.uscc("subject_uscc", false)
	d.docNo = m.docNo("doc_no")
	d.issuer = m.uscc("issuer_uscc", false)
	if m.failed() {
		return d, false
	}
	m.row.Issuer = d.issuer
	d.id = idOf(d.issuer, d.docNo, d.subject)
	m.identify(d.id)

	on, served := m.date("decided_on", false), m.date("served_on", false)
	d.on, d.servedOn = int32(on), int32(served)
	d.twoDocuments = m.word("repair_notice_served", CodeValue, yesNo) == 1
	d.region = m.region("violation_region")
	d.power, d.sector, d.designate = m.token("power_code"), m.token("sector"), m.token("designation")
	m.window("decided_on", on, "served_on", served)
	d.texts = m.texts()
	if category != 0 {
		d.texts["subject_category"] = code.SubjectCategoryName(category)
	}
	return d, !m.failed()
}

// send puts the message of a row together with what the vault keeps of it. The message points to the digest of the texts.
func (m *mapper) send(d decided, digest *[]byte, msg pb.Msg) {
	*digest = m.keep(d.id, d.texts)
	m.keepNumber(d.id, "doc_no", d.docNo)
	m.row.Messages = []pb.Msg{msg}
}

// abnormal maps a row of a file of entries of abnormal operation (异常名录).
func (m *mapper) abnormal(person bool) {
	d, ok := m.decision(person, abnormalID)
	if !ok {
		return
	}
	reason := m.requiredToken("reason_code")
	if m.failed() {
		return
	}
	r := &pb.RecordAbnormal{Content: pb.AbnormalContent{
		Issuer: d.issuer, Subject: d.subject, DocNo: d.docNo, Reason: reason, ListedOn: d.on, ServedOn: d.servedOn, RepairNoticeServed: d.twoDocuments,
		ViolationRegion: d.region, PowerCode: d.power, Sector: d.sector, Designation: d.designate,
	}}
	m.send(d, &r.Content.TextDigest, pb.Msg{Sum: &pb.Msg_RecordAbnormal{RecordAbnormal: r}})
}

// other maps a row of a file of other dishonesty (其他失信信息).
func (m *mapper) other(person bool) {
	d, ok := m.decision(person, otherID)
	if !ok {
		return
	}
	c := pb.OtherContent{
		Issuer: d.issuer, Subject: d.subject, DocNo: d.docNo, DecidedOn: d.on, ServedOn: d.servedOn, RepairNoticeServed: d.twoDocuments,
		ViolationRegion: d.region, PowerCode: d.power, Sector: d.sector, Designation: d.designate,
		Source: m.requiredToken("source_code"), Statute: m.requiredToken("statute_code"),
		Severity:  pb.Severity(m.value("severity", code.ParseSeverity, true)),
		Necessary: m.word("necessary", CodeValue, yesNo) == 1,
		BreachOf:  m.commitmentCode("breach_of", true),
	}
	reason := m.text("necessity_reason", c.Necessary)
	if m.failed() {
		return
	}
	if c.Necessary {
		c.NecessityDigest = m.keep(d.id, map[string]string{"necessity_reason": reason})
	}
	r := &pb.RecordOther{Content: c}
	m.send(d, &r.Content.TextDigest, pb.Msg{Sum: &pb.Msg_RecordOther{RecordOther: r}})
}

// requiredToken is a token that may not be empty.
func (m *mapper) requiredToken(name string) string {
	s := m.token(name)
	if f, _ := m.cell(name); s == "" && !m.failed() {
		m.refuse(code.ErrToken, f, "is empty")
	}
	return s
}
