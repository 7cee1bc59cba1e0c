package app

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/fulfillment"
	"github.com/xinlian-ledger/xinlian/x/governance"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Dispatch carries out a message: everything that the chain accepts, in one place.
func Dispatch(ctx *x.Ctx, m *pb.Msg) (x.Done, error) {
	switch m := m.Sum.(type) {
	case *pb.Msg_Propose:
		return governance.Propose(ctx, m.Propose, catalog.GovernanceRules(ctx), func(a *pb.Action) error { return checkAction(ctx, a) })
	case *pb.Msg_Vote:
		return governance.Vote(ctx, m.Vote, catalog.GovernanceRules(ctx))
	case *pb.Msg_GrantMandate:
		return member.GrantMandate(ctx, m.GrantMandate)
	case *pb.Msg_RevokeMandate:
		return member.RevokeMandate(ctx, m.RevokeMandate)
	case *pb.Msg_EnrolSubject:
		done, err := subject.Enrol(ctx, m.EnrolSubject)
		if err == nil {
			consent.Deregister(ctx, m.EnrolSubject.Subject.Uscc)
		}
		return done, err
	case *pb.Msg_RegisterKey:
		return subject.RegisterKey(ctx, m.RegisterKey, signed)
	case *pb.Msg_EndKey:
		return subject.EndKey(ctx, m.EndKey)
	case *pb.Msg_SubmitCommitment:
		return commitment.Submit(ctx, m.SubmitCommitment)
	case *pb.Msg_AcceptCommitment:
		return commitment.Accept(ctx, m.AcceptCommitment)
	case *pb.Msg_RejectCommitment:
		return commitment.Reject(ctx, m.RejectCommitment)
	case *pb.Msg_WithdrawCommitment:
		return commitment.Withdraw(ctx, m.WithdrawCommitment)
	case *pb.Msg_AssessCommitment:
		return fulfillment.Assess(ctx, m.AssessCommitment, inspected)
	case *pb.Msg_CureCommitment:
		return fulfillment.Cure(ctx, m.CureCommitment)
	case *pb.Msg_MendCommitment:
		return fulfillment.Mend(ctx, m.MendCommitment)
	case *pb.Msg_RefuseMend:
		return fulfillment.RefuseMend(ctx, m.RefuseMend)
	case *pb.Msg_NoteLicence:
		return commitment.NoteLicence(ctx, m.NoteLicence)
	case *pb.Msg_ReassessCommitment:
		return fulfillment.Reassess(ctx, m.ReassessCommitment, inspected)
	case *pb.Msg_GrantAuthorisation:
		return consent.Grant(ctx, m.GrantAuthorisation, signed)
	case *pb.Msg_WithdrawAuthorisation:
		return consent.Withdraw(ctx, m.WithdrawAuthorisation, signed)
	case *pb.Msg_RecordGrade:
		return consent.RecordGrade(ctx, m.RecordGrade)
	case *pb.Msg_WithdrawGrade:
		return consent.WithdrawGrade(ctx, m.WithdrawGrade)
	case *pb.Msg_AnchorReceipts:
		return consent.Anchor(ctx, m.AnchorReceipts)
	case *pb.Msg_PlanInspection:
		return inspection.Plan(ctx, m.PlanInspection)
	case *pb.Msg_AddCandidates:
		return inspection.Add(ctx, m.AddCandidates)
	case *pb.Msg_SealPlan:
		return inspection.Seal(ctx, m.SealPlan)
	case *pb.Msg_CancelPlan:
		return inspection.Cancel(ctx, m.CancelPlan)
	case *pb.Msg_RecordInspection:
		return inspection.Record(ctx, m.RecordInspection)
	case *pb.Msg_RecordPenalty:
		return sanction.Record(ctx, m.RecordPenalty)
	case *pb.Msg_PublishRecord:
		return sanction.Publish(ctx, m.PublishRecord)
	case *pb.Msg_RecordAbnormal:
		return sanction.RecordAbnormal(ctx, m.RecordAbnormal)
	case *pb.Msg_RemoveAbnormal:
		return sanction.RemoveAbnormal(ctx, m.RemoveAbnormal)
	case *pb.Msg_RecordOther:
		return sanction.RecordOther(ctx, m.RecordOther)
	case *pb.Msg_WithdrawRecord:
		return sanction.Withdraw(ctx, m.WithdrawRecord)
	case *pb.Msg_AnnounceMeasure:
		return measure.Announce(ctx, m.AnnounceMeasure, sanction.MeasureSource)
	case *pb.Msg_ApplyMeasure:
		return measure.Apply(ctx, m.ApplyMeasure, sanction.MeasureSource)
	case *pb.Msg_FeedbackMeasure:
		return measure.Feedback(ctx, m.FeedbackMeasure)
	case *pb.Msg_CorrectMeasure:
		return measure.Correct(ctx, m.CorrectMeasure)
	case *pb.Msg_NotifyListing:
		return sanction.Notify(ctx, m.NotifyListing)
	case *pb.Msg_StateListing:
		return sanction.State(ctx, m.StateListing)
	case *pb.Msg_VerifyListing:
		return sanction.Verify(ctx, m.VerifyListing)
	case *pb.Msg_AskListingReview:
		return sanction.AskReview(ctx, m.AskListingReview)
	case *pb.Msg_ReviewListing:
		return sanction.Review(ctx, m.ReviewListing)
	case *pb.Msg_AskConsent:
		return sanction.AskConsent(ctx, m.AskConsent)
	case *pb.Msg_ConsentListing:
		return sanction.Consent(ctx, m.ConsentListing)
	case *pb.Msg_DecideListing:
		return sanction.Decide(ctx, m.DecideListing)
	case *pb.Msg_DropListing:
		return sanction.Drop(ctx, m.DropListing)
	case *pb.Msg_RemoveListed:
		return sanction.RemoveListed(ctx, m.RemoveListed)
	case *pb.Msg_RecordNoPenalty:
		return leniency.Record(ctx, m.RecordNoPenalty)
	case *pb.Msg_WithdrawNoPenalty:
		return leniency.Withdraw(ctx, m.WithdrawNoPenalty)
	case *pb.Msg_FileCase:
		return sanction.FileCase(ctx, m.FileCase)
	case *pb.Msg_CloseCase:
		return sanction.CloseCase(ctx, m.CloseCase)
	case *pb.Msg_Reconcile:
		return sanction.Reconcile(ctx, m.Reconcile)
	case *pb.Msg_CorrectRecord:
		return sanction.Correct(ctx, m.CorrectRecord)
	case *pb.Msg_FilePlan:
		return sanction.FilePlan(ctx, m.FilePlan)
	case *pb.Msg_EndPlan:
		return sanction.EndPlan(ctx, m.EndPlan)
	case *pb.Msg_ShieldRecord:
		return sanction.ShieldRecord(ctx, m.ShieldRecord)
	case *pb.Msg_EndShield:
		return sanction.EndShield(ctx, m.EndShield)
	case *pb.Msg_Acknowledge:
		return sanction.Acknowledge(ctx, m.Acknowledge)
	case *pb.Msg_MarkFinal:
		return sanction.MarkFinal(ctx, m.MarkFinal)
	case *pb.Msg_FulfilDuty:
		return sanction.FulfilDuty(ctx, m.FulfilDuty)
	case *pb.Msg_ReportRevocation:
		return sanction.ReportRevocation(ctx, m.ReportRevocation)
	case *pb.Msg_Release:
		return sanction.Release(ctx, m.Release)
	case *pb.Msg_ApplyRepair:
		return repair.Apply(ctx, m.ApplyRepair)
	case *pb.Msg_AcceptRepair:
		return repair.Accept(ctx, m.AcceptRepair)
	case *pb.Msg_ApproveRepair:
		return repair.Approve(ctx, m.ApproveRepair)
	case *pb.Msg_RefuseRepair:
		return repair.Refuse(ctx, m.RefuseRepair)
	case *pb.Msg_RevokeRepair:
		return repair.Revoke(ctx, m.RevokeRepair)
	case *pb.Msg_SupplementRepair:
		return repair.Supplement(ctx, m.SupplementRepair)
	case *pb.Msg_RefileRepair:
		return repair.Refile(ctx, m.RefileRepair)
	case *pb.Msg_ExtendRepair:
		return repair.Extend(ctx, m.ExtendRepair)
	case *pb.Msg_ExecuteRepair:
		return repair.Execute(ctx, m.ExecuteRepair)
	case *pb.Msg_PushRepair:
		return repair.Push(ctx, m.PushRepair)
	case *pb.Msg_TrackRepair:
		return repair.Track(ctx, m.TrackRepair)
	case *pb.Msg_ReopenRepair:
		return repair.Reopen(ctx, m.ReopenRepair)
	case *pb.Msg_FileObjection:
		return objection.File(ctx, m.FileObjection, incentive.Proposal)
	case *pb.Msg_ForwardObjection:
		return objection.Forward(ctx, m.ForwardObjection)
	case *pb.Msg_PauseObjection:
		return objection.Pause(ctx, m.PauseObjection)
	case *pb.Msg_ResumeObjection:
		return objection.Resume(ctx, m.ResumeObjection)
	case *pb.Msg_ResolveObjection:
		return objection.Resolve(ctx, m.ResolveObjection, incentive.Proposal)
	case *pb.Msg_EscalateObjection:
		return objection.Escalate(ctx, m.EscalateObjection, incentive.Proposal)
	case *pb.Msg_ReviewObjection:
		return objection.Review(ctx, m.ReviewObjection, incentive.Proposal)
	case *pb.Msg_ProposeIncentive:
		return incentive.Propose(ctx, m.ProposeIncentive)
	case *pb.Msg_NoticeIncentive:
		return incentive.Notice(ctx, m.NoticeIncentive)
	case *pb.Msg_RecogniseIncentive:
		return incentive.Recognise(ctx, m.RecogniseIncentive)
	case *pb.Msg_DeclineIncentive:
		return incentive.Decline(ctx, m.DeclineIncentive)
	case *pb.Msg_CancelIncentive:
		return incentive.Cancel(ctx, m.CancelIncentive)
	case *pb.Msg_UseIncentive:
		return incentive.Use(ctx, m.UseIncentive)
	}
	// The wire refuses messages that it does not know, so this is a message without a transition.
	panic(fmt.Sprintf("message %T has no transition", m.Sum))
}

// inspected finds what an assessment of a commitment rests on: package fulfillment stands before the one that keeps inspections.
func inspected(r x.Reader, id []byte) (uscc, by string, on int32, ok bool) {
	i, ok := inspection.Find(r, id)
	if !ok || i.Result == pb.INSPECTION_UNSET {
		return "", "", 0, false
	}
	return i.Subject, i.Issuer, i.InspectedOn, true
}

// checkAction says whether an action of governance would be accepted today by the module that it belongs to.
func checkAction(ctx *x.Ctx, a *pb.Action) error {
	switch m := a.Sum.(type) {
	case *pb.Action_PutMember:
		return member.CheckPut(ctx, ctx.Today, m.PutMember)
	case *pb.Action_RemoveMember:
		return member.CheckRemove(ctx, ctx.Today, m.RemoveMember)
	case *pb.Action_DestroyRecord:
		return sanction.CheckDestroy(ctx, m.DestroyRecord)
	case *pb.Action_PutSuccessor:
		return member.CheckPutSuccessor(ctx, m.PutSuccessor)
	}
	return catalog.CheckAction(ctx, a)
}

// applyAction carries out what governance decided. A refusal now (the state moved since the vote) is the proposal's end, not the block's.
func applyAction(ctx *x.Ctx, a *pb.Action) error {
	switch m := a.Sum.(type) {
	case *pb.Action_PutMember:
		return member.Put(ctx, m.PutMember)
	case *pb.Action_RemoveMember:
		return member.Remove(ctx, m.RemoveMember)
	case *pb.Action_DestroyRecord:
		return sanction.Destroy(ctx, m.DestroyRecord)
	case *pb.Action_PutSuccessor:
		return member.PutSuccessor(ctx, m.PutSuccessor)
	}
	handled, err := catalog.Apply(ctx, a)
	if err == nil && !handled {
		panic(fmt.Sprintf("action %T has no module", a.Sum))
	}
	return err
}

// runTimers fires what is due: what ends visibility first and without a bound that a day could reach, then what governance decided, the rest by
// parameter. It says whether work that ends visibility is left over.
func runTimers(ctx *x.Ctx) (backlog bool) {
	due, backlog := x.DueTimers(ctx, x.EndsVisibility, ctx.LegalTime, int(catalog.Int(ctx, "visibility_timers_per_block")))
	for _, t := range due {
		fire(ctx, t)
	}
	for _, class := range []x.TimerClass{x.Decided, x.Other} {
		due, _ = x.DueTimers(ctx, class, ctx.LegalTime, int(catalog.Int(ctx, "timers_per_block")))
		for _, t := range due {
			fire(ctx, t)
		}
	}
	return backlog
}

func fire(ctx *x.Ctx, t x.Timer) {
	if !x.Scheduled(ctx, t) {
		return
	}
	switch t.Kind {
	case x.TimerPublicityMax:
		sanction.MaxReached(ctx, t.ID)
	case x.TimerAttention:
		sanction.AttentionDue(ctx, t.ID)
	case x.TimerArchive:
		sanction.Archive(ctx, t.ID)
	case x.TimerDuty:
		missed(ctx, t.ID)
	case x.TimerInspectionDraw:
		inspection.Lot(ctx, t.ID)
	case x.TimerProposalClose:
		governance.Close(ctx, t.ID)
	case x.TimerProposalEffective:
		action, err := governance.Effective(ctx, t.ID)
		if err == nil {
			err = applyAction(ctx, action)
		}
		if err != nil {
			rejection(err)
			governance.Refuse(ctx, t.ID)
		}
	case x.TimerRepairRefile:
		repair.RefileMissed(ctx, t.ID)
	case x.TimerIncentiveUntil:
		incentive.Expire(ctx, t.ID)
	case x.TimerAuthorisation:
		consent.Expire(ctx, t.ID)
	case x.TimerGradeUntil:
		consent.ExpireGrade(ctx, t.ID)
	case x.TimerMeasureUntil:
		measure.Expire(ctx, t.ID)
	default:
		panic(fmt.Sprintf("timer kind %d has no module", t.Kind))
	}
}

// missed tells the module of a duty that its day has passed unmet.
func missed(ctx *x.Ctx, id []byte) {
	d := x.MissedDuty(id)
	kind, uscc, record := d.Kind, d.Subject, d.Record
	switch {
	case kind < 20:
		sanction.Missed(ctx, kind, uscc, record)
	case kind >= 20 && kind < 30:
		measure.Missed(ctx, kind, uscc, record)
	case kind >= 30 && kind < 40:
		sanction.MissedListing(ctx, kind, uscc, record)
	case kind >= 40 && kind < 46:
		repair.Missed(ctx, kind, uscc, record)
	case kind >= 60 && kind < 70:
		commitment.Missed(ctx, kind, uscc, record)
	case kind == inspection.DutyInspect:
		inspection.Missed(ctx, uscc, record)
	case kind >= 46 && kind < 50:
		objection.Missed(ctx, kind, uscc, record)
	case kind == incentive.DutyDecide:
		incentive.Missed(ctx, uscc, record)
	default:
		panic(fmt.Sprintf("duty kind %d has no module", kind))
	}
}
