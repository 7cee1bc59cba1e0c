package repair

import (
	"encoding/hex"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Applications with their decisions, subject ‖ id.
	repairs = subject.NewRecords[pb.Repair](0x70, "repair uscc[18] id[32]")
	// Which subject an application belongs to. Follows from the applications.
	byID = x.Declare(x.TableInfo{Prefix: 0x71, Layout: "repair id[32] → uscc", Binding: x.Derived})
	// The application that waits on a record, so that nobody reads all of a subject's to find it. Follows from the applications (REP-1).
	openOn = x.Declare(x.TableInfo{Prefix: 0x73, Layout: "open repair record[32] → repair[32]", Binding: x.Derived})
	// Bars after deceit, subject ‖ application.
	bars = subject.NewRecords[pb.RepairBar](0x72, "repair bar uscc[18] repair[32]")
)

// ID is the record id of an application.
func ID(issuer, applicationNo, uscc string, target []byte) [32]byte {
	return x.RecordID("repair", issuer, applicationNo, uscc+"/"+hex.EncodeToString(target))
}

// Get reads an application by its id.
func Get(r x.Reader, id []byte) (*pb.Repair, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	a, ok := repairs.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows repair %x, the table does not", id)
	}
	return a, true
}

// Each visits a subject's applications by id.
func Each(r x.Reader, uscc string, fn func(a *pb.Repair) (more bool)) { repairs.Each(r, uscc, fn) }

// All visits all applications, by subject and id.
func All(r x.Reader, fn func(a *pb.Repair) (more bool)) {
	repairs.All(r, func(_ string, a *pb.Repair) bool { return fn(a) })
}

// Mark counts an objection (异议) to the result of an application that is filed (+1) or resolved (-1).
func Mark(ctx *x.Ctx, id []byte, change int) {
	a, ok := Get(ctx, id)
	if !ok || int(a.Objections)+change < 0 {
		x.Faultf("an objection speaks of repair %x, which is not there or has none open", id)
	}
	a.Objections = uint32(int(a.Objections) + change)
	put(ctx, a)
}

// Barred finds the last day of a bar that runs on a day.
func Barred(r x.Reader, uscc string, on calendar.Date) (until calendar.Date, barred bool) {
	bars.Each(r, uscc, func(b *pb.RepairBar) bool {
		if b.LiftedOn == 0 && calendar.Date(b.Until) >= on && calendar.Date(b.Until) > until {
			until, barred = calendar.Date(b.Until), true
		}
		return true
	})
	return until, barred
}

// Open says whether the application waits for somebody.
func Open(a *pb.Repair) bool {
	return a.State == pb.REPAIR_PENDING || a.State == pb.REPAIR_SUPPLEMENT || a.State == pb.REPAIR_ACCEPTED
}

// Duties that an application lays on agencies. Numbers 40–45 are this package's.
var (
	DutyAccept  = x.DeclareDuty(40, "repair_accept", "修复受理", "G2, H3")
	DutyDecide  = x.DeclareDuty(41, "repair_decide", "修复决定", "H3, N3")
	DutyAnswer  = x.DeclareDuty(42, "repair_answer", "修复办结反馈", "G2")
	DutyExecute = x.DeclareDuty(43, "repair_execute", "执行修复", "H1 art 43")
	DutyPush    = x.DeclareDuty(44, "repair_push", "跨省推送", "N3")
	DutyTrack   = x.DeclareDuty(45, "repair_track", "修复后跟踪", "S0 ch.3 §6")
)

// alarmBit is the bit of Repair.alarms that says that a duty was missed.
func alarmBit(k x.DutyKind) uint32 { return 1 << (k - DutyAccept) }

// DutiesOf gives the duties that an application lays on agencies: on the recogniser, and for the answer to the applicant on the agency that filed
// it. While gaps are open the clocks stand still.
func DutiesOf(a *pb.Repair) (out []x.Duty) {
	add := func(kind x.DutyKind, owner string, due int32) {
		if due != 0 {
			out = append(out, x.Duty{
				Owner: owner, Due: calendar.Date(due), Kind: kind, Subject: a.Subject, Record: a.Id, Alarmed: a.Alarms&alarmBit(kind) != 0,
			})
		}
	}
	switch a.State {
	case pb.REPAIR_PENDING:
		if a.Procedure == pb.REPAIR_SIMPLE {
			add(DutyDecide, a.Issuer, a.DecideBy)
		} else {
			add(DutyAccept, a.Issuer, a.AcceptBy)
		}
		add(DutyAnswer, a.Agent, a.TotalBy)
	case pb.REPAIR_ACCEPTED:
		add(DutyDecide, a.Issuer, a.DecideBy)
		add(DutyAnswer, a.Agent, a.TotalBy)
	case pb.REPAIR_EFFECTIVE:
		if a.ExecutedOn == 0 {
			add(DutyExecute, a.Issuer, a.ExecuteBy)
		}
		if a.PushedOn == 0 {
			add(DutyPush, a.Issuer, a.PushBy)
		}
		if a.TrackedOn == 0 {
			add(DutyTrack, a.Issuer, a.TrackBy)
		}
	}
	return out
}

// TimersOf gives the timers that follow from an application, but for those of its duties.
func TimersOf(a *pb.Repair) []x.Timer {
	if a.State != pb.REPAIR_SUPPLEMENT {
		return nil
	}
	return []x.Timer{{
		Class: x.Other, Due: calendar.EndUnix(calendar.Date(a.SupplementBy)), Kind: x.TimerRepairRefile, ID: append([]byte(a.Subject), a.Id...),
	}}
}

// put writes an application and keeps the view of its commitment in step with it.
func put(ctx *x.Ctx, a *pb.Repair) {
	if old := write(ctx, a); old.State != a.State {
		review(ctx, a.Subject, a.Commitment)
	}
}

// write writes an application, keeps indexes, timers and duties in step with it, and gives what stood.
func write(ctx *x.Ctx, a *pb.Repair) (before *pb.Repair) {
	old, ok := repairs.Get(ctx, a.Subject, a.Id)
	if !ok {
		ctx.Set(x.Key(byID.Prefix, a.Id), []byte(a.Subject))
		old = &pb.Repair{}
	}
	switch was, is := Open(old), Open(a); {
	case is && !was:
		ctx.Set(x.Key(openOn.Prefix, a.Target), a.Id)
	case was && !is:
		ctx.Delete(x.Key(openOn.Prefix, a.Target))
	}
	for _, d := range DutiesOf(a) { // a duty whose day moved has a clock of its own: what was missed before says nothing of it
		if !slices.ContainsFunc(DutiesOf(old), func(o x.Duty) bool { return o.Kind == d.Kind && o.Due == d.Due }) {
			a.Alarms &^= alarmBit(d.Kind)
		}
	}
	x.Reschedule(ctx, TimersOf(old), TimersOf(a))
	x.Assign(ctx, DutiesOf(old), DutiesOf(a))
	repairs.Put(ctx, a.Subject, a.Id, a)
	return old
}
