package intake

import (
	"bytes"
	"slices"
	"strings"

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
		Severity:  pb.Severity(m.value("severity", code.ParseSeverity, code.SeverityName, true)),
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

// listed maps a row of a file of entries in lists of serious dishonesty (严重失信主体名单): the notice that led to the entry, and the decision. What the firm
// stated is recorded as it comes, by `tx list state`; a firm that is silent in its window has been heard by then. A row without a decision's number is
// the notice alone.
func (m *mapper) listed(person bool) {
	_, number := m.cell("doc_no")
	if strings.TrimSpace(number) == "" {
		m.noticeAlone()
		return
	}
	d, ok := m.decision(person, listID)
	if !ok {
		return
	}
	n := m.notice(d.issuer, d.subject, d.texts)
	conditions := m.text("conditions", true)
	basis := m.penaltiesOf("penalty_doc_nos", d.issuer, d.subject)
	if m.failed() {
		return
	}
	listing := listingID(n.Issuer, n.List, n.NoticeNo, n.Subject)
	digest := m.keep(d.id, map[string]string{"conditions": conditions})
	r := &pb.DecideListing{Content: pb.ListContent{
		Issuer: d.issuer, Subject: d.subject, DocNo: d.docNo, List: n.List, DecidedOn: d.on, ServedOn: d.servedOn, RepairNoticeServed: d.twoDocuments,
		ViolationRegion: d.region, PowerCode: d.power, Designation: d.designate, Measures: n.Measures, Basis: basis, ConditionsDigest: digest, Listing: listing[:],
	}}
	m.send(d, &r.Content.TextDigest, pb.Msg{Sum: &pb.Msg_DecideListing{DecideListing: r}})
	m.row.Messages = append([]pb.Msg{{Sum: &pb.Msg_NotifyListing{NotifyListing: &pb.NotifyListing{Notice: *n}}}}, m.row.Messages...)
}

// noticeAlone maps a row of a notice whose decision has not been made.
func (m *mapper) noticeAlone() {
	m.category("subject_category", true)
	subject, issuer := m.uscc("subject_uscc", false), m.uscc("issuer_uscc", false)
	texts := m.texts()
	n := m.notice(issuer, subject, texts)
	if m.failed() {
		return
	}
	m.row.Issuer = issuer
	m.identify(listingID(issuer, n.List, n.NoticeNo, subject))
	m.row.Messages = []pb.Msg{{Sum: &pb.Msg_NotifyListing{NotifyListing: &pb.NotifyListing{Notice: *n}}}}
}

// notice reads the columns of the notice.
func (m *mapper) notice(issuer, subject string, texts map[string]string) *pb.ListingNotice {
	n := &pb.ListingNotice{
		Issuer: issuer, Subject: subject, List: m.requiredToken("list"), NoticeNo: m.docNo("notice_no"), ServedOn: int32(m.date("notice_served_on", false)),
		Measures: m.tokens("measures"), RightsTold: m.word("rights_told", CodeValue, yesNo) == 1,
	}
	if m.failed() {
		return n
	}
	n.TextDigest = m.keep(listingID(issuer, n.List, n.NoticeNo, subject), texts)
	return n
}

// parts takes a cell of several values apart.
func parts(s string) []string {
	return strings.FieldsFunc(code.ToHalfWidth(s), func(r rune) bool { return strings.ContainsRune(";,、 \n", r) })
}

// tokens reads a cell of several short codes: ascending, each once.
func (m *mapper) tokens(name string) (out []string) {
	f, s := m.cell(name)
	for _, t := range parts(s) {
		if err := code.CheckCodeToken(t, tokenMax); err != nil {
			m.fail(refusalOf(err, f))
			return nil
		}
		out = append(out, t)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// penaltiesOf reads the numbers of penalties of the same agency against the same firm, and gives their record ids, ascending.
func (m *mapper) penaltiesOf(name, issuer, subject string) (out [][]byte) {
	f, s := m.cell(name)
	for _, number := range parts(s) {
		docNo, _ := code.NormalizeDocNo(number)
		if err := code.CheckDocNo(docNo); err != nil {
			m.fail(refusalOf(err, f))
			return nil
		}
		id := penaltyID(issuer, docNo, subject)
		out = append(out, id[:])
	}
	slices.SortFunc(out, bytes.Compare)
	return slices.CompactFunc(out, bytes.Equal)
}

// requiredToken is a token that may not be empty.
func (m *mapper) requiredToken(name string) string {
	s := m.token(name)
	if f, _ := m.cell(name); s == "" && !m.failed() {
		m.refuse(code.ErrToken, f, "is empty")
	}
	return s
}
