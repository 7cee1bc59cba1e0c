package pb_test

import pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"

// objectionMessages is one of each kind about objections.
func objectionMessages(id []byte) map[string]pb.Msg {
	return map[string]pb.Msg{
		"reopen_repair": {Sum: &pb.Msg_ReopenRepair{ReopenRepair: &pb.ReopenRepair{Issuer: agency, Repair: id, ReasonDigest: digest("r")}}},
		"file_objection": {Sum: &pb.Msg_FileObjection{FileObjection: &pb.FileObjection{
			Issuer: operator, Subject: firm, Kind: pb.OBJECTION_RECORD, Target: id, ObjectionNo: "YY-1", Claimant: firm, GroundsDigest: digest("g"), PaperDigest: digest("p"),
		}}},
		"forward_objection":  {Sum: &pb.Msg_ForwardObjection{ForwardObjection: &pb.ForwardObjection{Issuer: operator, Objection: id}}},
		"pause_objection":    {Sum: &pb.Msg_PauseObjection{PauseObjection: &pb.PauseObjection{Issuer: agency, Objection: id, Appraisal: 4, OrderDigest: digest("a")}}},
		"resume_objection":   {Sum: &pb.Msg_ResumeObjection{ResumeObjection: &pb.ResumeObjection{Issuer: agency, Objection: id}}},
		"resolve_objection":  {Sum: &pb.Msg_ResolveObjection{ResolveObjection: &pb.ResolveObjection{Issuer: agency, Objection: id, Result: pb.OBJECTION_UPHELD, ReasonDigest: digest("r")}}},
		"escalate_objection": {Sum: &pb.Msg_EscalateObjection{EscalateObjection: &pb.EscalateObjection{Issuer: operator, Objection: id, Authority: agency, PaperDigest: digest("p")}}},
		"review_objection":   {Sum: &pb.Msg_ReviewObjection{ReviewObjection: &pb.ReviewObjection{Issuer: agency, Objection: id, Overturn: true, ReasonDigest: digest("r")}}},
	}
}
