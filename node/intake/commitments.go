package intake

import (
	"strconv"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// commitment maps a row of a commitments file (信用承诺归集): a commitment that its acceptor has taken in already, and its
// assessment where field 11 is filled.
func (m *mapper) commitment(person bool) {
	if f, s := m.cell("subject_id"); person && s == "" {
		m.refuse(CodeNaturalPerson, f, "is empty and the row names a natural person's document instead")
		return
	}
	m.category("subject_category", false)
	subject := m.uscc("subject_id", false)
	promise := m.commitmentCode("commitment_code", false)
	acceptor := m.uscc("acceptor_uscc", false)
	if m.failed() {
		return
	}
	m.row.Issuer = acceptor
	id := commitmentID(acceptor, promise, subject)
	m.identify(id)

	kind := m.value("commitment_type", code.ParseCommitmentType, code.CommitmentTypeName, false)
	made := m.date("made_on", false)
	validUntil := m.date("valid_until", true)
	publication := m.value("publication_type", code.ParsePublicationType, code.PublicationTypeName, false)
	business := m.token("business")
	template := m.value("template_version", parseVersion, nil, true)
	licence := m.licence("licence")
	texts := m.texts()
	for _, name := range []string{"reason", "content", "breach_liability"} {
		if f, _ := m.cell(name); texts[name] == "" {
			m.refuse(CodeText, f, "is empty")
		}
	}
	// The template has this column beside its twenty fields; a file of the twenty alone cannot fill it.
	if f, _ := m.cell("commitment_type_other"); kind == code.CommitmentOther && m.has("commitment_type_other") && texts["commitment_type_other"] == "" {
		m.refuse(CodeText, f, "is empty although 承诺类型 is 其他")
	}
	if f, _ := m.cell("made_on"); !m.failed() && promise[6:14] != strings.ReplaceAll(made.String(), "-", "") {
		m.refuse(code.ErrCommitmentCode, f, "is not the day in digits 7-14 of 承诺编码")
	}
	m.window("made_on", made, "valid_until", validUntil)
	if m.failed() {
		return
	}
	var other []byte
	if kind == code.CommitmentOther {
		what := texts["commitment_type_other"]
		if what == "" { // no such column: the reason of the commitment says what it is
			what = texts["reason"]
		}
		other = m.keep(id, map[string]string{"commitment_type_other": what})
	}
	messages := []pb.Msg{{Sum: &pb.Msg_SubmitCommitment{SubmitCommitment: &pb.SubmitCommitment{
		Issuer: acceptor,
		Content: pb.CommitmentContent{
			Code: promise, Subject: subject, Type: kind, MadeOn: int32(made), ValidUntil: int32(validUntil),
			Acceptor: acceptor, Publication: publication, TextDigest: m.keep(id, texts), Business: business,
			TemplateVersion: template, TypeOtherDigest: other,
		},
		Accepted: true, Licence: licence,
	}}}}
	if _, s := m.cell("fulfilment_status"); strings.TrimSpace(s) != "" {
		if assess := m.assessment(promise, acceptor, made, true); assess != nil {
			messages = append(messages, pb.Msg{Sum: &pb.Msg_AssessCommitment{AssessCommitment: assess}})
		}
	} else {
		for _, name := range []string{"unperformed_content", "breach_action"} {
			if f, s := m.cell(name); strings.TrimSpace(s) != "" {
				m.refuse(CodeFulfilment, f, "is filled although 承诺履行状态 is empty")
			}
		}
	}
	m.row.Messages = messages
}

// parseVersion reads the number of a template's version.
func parseVersion(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 {
		return 0, &code.Problem{Code: CodeValue, Detail: "a version of a template is a whole number from 1 on"}
	}
	return uint32(n), nil
}

// licence reads the number of a licence: of the decision that grants it, or its own.
func (m *mapper) licence(name string) string {
	_, s := m.trimmed(name)
	if m.failed() || s == "" || code.CheckCodeToken(s, tokenMax) == nil {
		return m.token(name)
	}
	return m.docNo(name)
}

// fulfillment maps a row of a fulfillments file (践诺).
func (m *mapper) fulfillment() {
	promise := m.commitmentCode("commitment_code", false)
	if m.failed() {
		return
	}
	if assess := m.assessment(promise, "", calendar.Unset, false); assess != nil {
		m.row.Issuer = assess.Issuer
		m.row.Key = promise
		m.row.Messages = []pb.Msg{{Sum: &pb.Msg_AssessCommitment{AssessCommitment: assess}}}
	}
}

// assessment reads fields 11 to 16. acceptor stands in where no assessor is named. fromCollection says that the row of the
// collection file is itself the evidence where it names none.
func (m *mapper) assessment(promise, acceptor string, made calendar.Date, fromCollection bool) *pb.AssessCommitment {
	status := m.value("fulfilment_status", code.ParseFulfilmentStatus, code.FulfilmentStatusName, false)
	assessed := m.date("assessed_on", false)
	assessor := m.uscc("assessor_uscc", acceptor != "")
	notice := m.date("notice_served_on", true)
	var statement uint32
	if _, s := m.cell("statement"); strings.TrimSpace(s) != "" {
		statement = m.word("statement", CodeNotice, statements)
	}
	evidence := m.digest("evidence_digest")
	unperformed := m.text("unperformed_content", false)
	action := m.text("breach_action", false)
	name := m.text("assessor_name", false)
	for _, t := range []struct{ name, text string }{{"unperformed_content", unperformed}, {"breach_action", action}} {
		switch f, _ := m.cell(t.name); {
		case status == code.FulfilledFully && t.text != "":
			m.refuse(CodeFulfilment, f, "is filled although the commitment was performed in full")
		case status != code.FulfilledFully && t.text == "":
			m.refuse(CodeFulfilment, f, "is empty although the commitment was not performed in full")
		}
	}
	if made.IsSet() {
		m.window("made_on", made, "assessed_on", assessed)
	}
	if f, _ := m.cell("notice_served_on"); !m.failed() && status != code.FulfilledFully {
		switch {
		case notice.IsSet() != (statement != 0):
			m.refuse(CodeNotice, f, "goes together with 陈述申辩")
		case notice.IsSet() && notice >= assessed:
			m.refuse(CodeNotice, f, "is not before 承诺履行状态认定日期")
		}
	}
	if f, _ := m.cell("evidence_digest"); evidence == nil && !fromCollection {
		m.refuse(CodeDigest, f, "is empty")
	}
	if m.failed() {
		return nil
	}
	if assessor == "" {
		assessor = acceptor
	}
	id := AssessmentID(assessor, promise)
	out := &pb.AssessCommitment{
		Issuer: assessor, Code: promise, Fulfilment: status, AssessedOn: int32(assessed), EvidenceDigest: evidence,
	}
	if status != code.FulfilledFully {
		out.NoticeServedOn, out.Statement = int32(notice), statement
		out.UnperformedDigest = m.keep(id, map[string]string{"unperformed_content": unperformed})
		out.ActionDigest = m.keep(id, map[string]string{"breach_action": action})
	}
	if evidence == nil {
		out.EvidenceDigest = m.keep(id, map[string]string{
			"commitment_code": promise, "fulfilment_status": code.FulfilmentStatusName(status), "assessed_on": assessed.String(),
			"assessor_name": name, "assessor_uscc": assessor,
		})
	}
	return out
}
