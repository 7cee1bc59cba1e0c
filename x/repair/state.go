package repair

import (
	"encoding/hex"

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

// Barred finds the last day of a bar that runs on a day.
func Barred(r x.Reader, uscc string, on calendar.Date) (until calendar.Date, barred bool) {
	bars.Each(r, uscc, func(b *pb.RepairBar) bool {
		if calendar.Date(b.Until) >= on && calendar.Date(b.Until) > until {
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

// TimersOf gives the timers that follow from an application.
func TimersOf(a *pb.Repair) []x.Timer {
	if a.State != pb.REPAIR_SUPPLEMENT {
		return nil
	}
	return []x.Timer{{
		Class: x.Other, Due: calendar.EndUnix(calendar.Date(a.SupplementBy)), Kind: x.TimerRepairRefile, ID: append([]byte(a.Subject), a.Id...),
	}}
}

// put writes an application and keeps index and timers in step with it.
func put(ctx *x.Ctx, a *pb.Repair) {
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
	x.Reschedule(ctx, TimersOf(old), TimersOf(a))
	repairs.Put(ctx, a.Subject, a.Id, a)
}
