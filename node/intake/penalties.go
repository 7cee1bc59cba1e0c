package intake

import (
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// penalty maps a row of a penalties file (双公示 行政处罚). person says that a natural person's document stood in a dropped column.
func (m *mapper) penalty(person bool) {
	if f, s := m.cell("cf_xdr_shxym"); person && s == "" {
		m.refuse(CodeNaturalPerson, f, "is empty and the row names a natural person's document instead")
		return
	}
	category := m.category("cf_xdr_lb", true)
	subject := m.uscc("cf_xdr_shxym", false)
	docNo := m.docNo("cf_wsh")
	issuer := m.uscc("cf_cfjgdm", false)
	if m.failed() {
		return
	}
	m.row.Issuer = issuer
	id := penaltyID(issuer, docNo, subject)
	m.identify(id)

	c := pb.PenaltyContent{Issuer: issuer, Subject: subject, DocNo: docNo}
	c.Kinds = m.kinds("cf_cflb")
	var fineGiven bool
	c.FineFen, fineGiven = m.amount("cf_nr_fk")
	c.ConfiscatedFen, _ = m.amount("cf_nr_wfff")
	if f, _ := m.cell("cf_nr_fk"); !fineGiven && slices.Contains(c.Kinds, 3) {
		m.refuse(code.ErrAmount, f, "is empty although 罚款 is among the kinds")
	}
	decided := m.date("cf_jdrq", false)
	validUntil := m.date("cf_yxq", true)
	notice := m.date("notice_served_on", false)
	served := m.date("served_on", false)
	c.Procedure = m.value("procedure", code.ParseProcedure, code.ProcedureName, false)
	c.Statement = m.word("statement", CodeNotice, statements)
	c.Hearing = m.word("hearing", CodeValue, hearings)
	c.RepairNoticeServed = m.word("repair_notice_served", CodeValue, yesNo) == 1
	c.ViolationRegion = m.region("violation_region")
	c.PowerCode = m.token("power_code")
	c.Sector = m.token("sector")
	c.Severity = pb.Severity(m.value("severity", code.ParseSeverity, code.SeverityName, true))
	c.Necessary = m.word("necessary", CodeValue, yesNo) == 1
	c.BreachOf = m.commitmentCode("breach_of", true)
	c.Designation = m.token("designation")
	m.window("cf_jdrq", decided, "cf_yxq", validUntil)
	m.window("cf_jdrq", decided, "served_on", served)
	// A decision on the spot (简易程序) may come on the day of its notice; every other comes after it.
	if f, _ := m.cell("notice_served_on"); !m.failed() && (notice > decided || notice == decided && c.Procedure != code.ProcedureSimple) {
		m.refuse(CodeNotice, f, "is not before 处罚决定日期")
	}
	texts := m.texts()
	reason := m.text("necessity_reason", c.Necessary)
	if m.failed() {
		return
	}
	c.DecidedOn, c.ValidUntil, c.NoticeServedOn, c.ServedOn = int32(decided), int32(validUntil), int32(notice), int32(served)
	if category != 0 {
		texts["cf_xdr_lb"] = code.SubjectCategoryName(category)
	}
	c.TextDigest = m.keep(id, texts)
	if c.Necessary {
		c.NecessityDigest = m.keep(id, map[string]string{"necessity_reason": reason})
	}
	m.keepNumber(id, "cf_wsh", docNo)
	m.row.Messages = []pb.Msg{{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: c}}}}
}

// keepNumber keeps the number as it stands on paper, where it was mended, beside the record's words: it is no part of their digest, so that the
// same decision sent in another spelling is the same content.
func (m *mapper) keepNumber(id [32]byte, name, docNo string) {
	_, raw := m.cell(name)
	if raw, _ = code.MendText(raw); raw != docNo {
		m.keep(id, map[string]string{name: raw})
	}
}

// kinds reads a 处罚类别 cell.
func (m *mapper) kinds(name string) []uint32 {
	f, s := m.cell(name)
	if m.failed() {
		return nil
	}
	if s == "" {
		m.refuseValue(code.ErrPenaltyKind, f, "is empty", named(code.PenaltyKindName))
		return nil
	}
	kinds, err := code.ParsePenaltyKinds(s)
	if err != nil {
		r := refusalOf(err, f)
		m.fail(&Refusal{Code: r.Code, Reason: r.Reason, Rule: r.Rule, Remedy: "write the kinds by name or number, parted by a semicolon: " + named(code.PenaltyKindName)})
	}
	return kinds
}

// window refuses a date that lies before the one that it follows.
func (m *mapper) window(first string, from calendar.Date, second string, to calendar.Date) {
	f, _ := m.cell(first)
	s, _ := m.cell(second)
	if !m.failed() && from.IsSet() && to.IsSet() && to < from {
		m.refuse(CodeWindow, s, "lies before "+f.Label())
	}
}
