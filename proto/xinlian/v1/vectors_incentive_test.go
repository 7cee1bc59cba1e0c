package pb_test

import pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"

// incentiveMessages is one of each kind about incentives.
func incentiveMessages(id []byte) map[string]pb.Msg {
	return map[string]pb.Msg{
		"propose/put_incentive_list": {Sum: &pb.Msg_Propose{Propose: &pb.Propose{
			Issuer: agency, ReasonDigest: digest("reason"), Action: pb.Action{Sum: &pb.Action_PutIncentiveList{PutIncentiveList: &pb.IncentiveList{
				Code: "HN28", Version: 1, Name: "河南省守信激励对象名单", Basis: "《河南省社会信用条例》第二十八条", BasisLevel: pb.BASIS_LOCAL_REGULATION,
				Measures: []pb.IncentiveMeasure{pb.INCENTIVE_PRIORITY, pb.INCENTIVE_POINTS}, TermMonths: 24, CleanOf: pb.SEVERITY_GENERAL,
				NameConfidence: pb.CONFIDENCE_CONFIRMED, TermsConfidence: pb.CONFIDENCE_DECIDED,
			}}},
		}}},
		"propose_incentive": {Sum: &pb.Msg_ProposeIncentive{ProposeIncentive: &pb.ProposeIncentive{
			Issuer: agency, Subject: firm, List: "HN28", ProposalNo: "JL-1", GroundsDigest: digest("g"),
		}}},
		"notice_incentive":    {Sum: &pb.Msg_NoticeIncentive{NoticeIncentive: &pb.NoticeIncentive{Issuer: agency, Incentive: id}}},
		"recognise_incentive": {Sum: &pb.Msg_RecogniseIncentive{RecogniseIncentive: &pb.RecogniseIncentive{Issuer: agency, Incentive: id, ValidUntil: 21379}}},
		"decline_incentive":   {Sum: &pb.Msg_DeclineIncentive{DeclineIncentive: &pb.DeclineIncentive{Issuer: agency, Incentive: id, ReasonDigest: digest("r")}}},
		"cancel_incentive": {Sum: &pb.Msg_CancelIncentive{CancelIncentive: &pb.CancelIncentive{
			Issuer: agency, Incentive: id, Cause: pb.CANCEL_DISHONESTY, ReasonDigest: digest("r"),
		}}},
		"use_incentive": {Sum: &pb.Msg_UseIncentive{UseIncentive: &pb.UseIncentive{
			Issuer: agency, Incentive: id, UseNo: "XK-1", Measure: 1, Scene: "licence", ResultDigest: digest("r"),
		}}},
	}
}
