package intake

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

var subjectStates = words{"存续 (active)、注销 (deregistered)、吊销 (revoked)", map[string]uint32{
	"": 1, "存续": 1, "在业": 1, "开业": 1, "active": 1, "1": 1,
	"注销": 2, "deregistered": 2, "2": 2,
	"吊销": 3, "revoked": 3, "3": 3,
}}

// subject maps a row of a subjects file. The name stays with the agency: none stands on chain.
func (m *mapper) subject() {
	category := m.category("category", false)
	uscc := m.uscc("uscc", false)
	region := m.region("region")
	status := m.word("status", CodeValue, subjectStates)
	if m.failed() {
		return
	}
	m.row.Key = uscc
	m.row.Issuer = m.opts.Issuer
	m.row.Messages = []pb.Msg{{Sum: &pb.Msg_EnrolSubject{EnrolSubject: &pb.EnrolSubject{
		Issuer: m.opts.Issuer,
		Subject: pb.Subject{
			Uscc: uscc, Region: region, Category: category, Status: pb.SubjectStatus(status),
		},
	}}}}
}
