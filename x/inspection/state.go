package inspection

import (
	"bytes"
	"encoding/hex"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

const (
	classes       = 4
	candidatesMax = 20_000 // of a plan: all of them are hashed in one block
	inspectorsMax = 1_000
	teamMax       = 8
	resultsCount  = int(pb.INSPECTION_NO_ACTIVITY)
)

var (
	// Plans, by id.
	plans = x.NewTable[pb.InspectionPlan](0x90, "inspection plan: id[32]", x.Leaf)
	// Candidates of a plan, by code. They are nobody's record: being one says nothing.
	candidates = x.NewTable[pb.Candidate](0x91, "inspection candidate: plan[32] uscc[18]", x.Leaf)
	// Inspections of those who were drawn, subject ‖ record id.
	inspections = subject.NewRecords[pb.Inspection](0x92, "inspection uscc[18] record[32]")
	// Which subject an inspection belongs to. Follows from the inspections.
	byID = x.Declare(x.TableInfo{Prefix: 0x93, Layout: "inspection record[32] → uscc", Binding: x.Derived})
)

// What is drawn in a plan on its day: id = plan.
const timerDraw = x.TimerInspectionDraw

// DutyInspect: whom the lot named is inspected in time.
var DutyInspect = x.DeclareDuty(70, "inspect", "双随机检查", "A4-6, S0")

const alarmInspect = 1 << 0

// PlanID is the id of a plan.
func PlanID(issuer, planNo string) []byte {
	id := x.RecordID("inspection-plan", issuer, planNo, "")
	return id[:]
}

// ID is the record id of an inspection.
func ID(issuer string, plan []byte, uscc string) []byte {
	id := x.RecordID("inspection", issuer, hex.EncodeToString(plan), uscc)
	return id[:]
}

// GetPlan reads a plan.
func GetPlan(r x.Reader, id []byte) (*pb.InspectionPlan, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	return plans.Get(r, id)
}

// Candidates gives the list of a plan, by code.
func Candidates(r x.Reader, plan []byte) (out []pb.Candidate) {
	candidates.Each(r, func(_ []byte, c *pb.Candidate) bool { out = append(out, *c); return true }, plan)
	return out
}

// Find reads an inspection by its record id.
func Find(r x.Reader, id []byte) (*pb.Inspection, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	i, ok := inspections.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows inspection %x, the table does not", id)
	}
	return i, true
}

// Each visits a subject's inspections by record id.
func Each(r x.Reader, uscc string, fn func(i *pb.Inspection) (more bool)) {
	inspections.Each(r, uscc, fn)
}

// Redraw makes the draw of a plan again from what stands on chain.
func Redraw(r x.Reader, p *pb.InspectionPlan) []Drawn {
	return Draw(p.Seed, p.Id, p.Rates, p.Inspectors, p.Team, Candidates(r, p.Id))
}

// Counts is what the public may know of a plan (INV-39).
type Counts struct {
	Drawn   int64   // -1 = fewer than k_threshold
	Results []int64 // by result, from 1 on; -1 = fewer than k_threshold
}

// Published gives the counts of a plan once it is completed. Small ones are held back, none among them.
func Published(r x.Reader, p *pb.InspectionPlan) (c Counts, ok bool) {
	if p.State != pb.PLAN_COMPLETED {
		return c, false
	}
	hold := func(n uint32) int64 {
		if int64(n) < catalog.Int(r, "k_threshold") {
			return -1
		}
		return int64(n)
	}
	c.Drawn = hold(p.Drawn)
	for _, n := range p.Results {
		c.Results = append(c.Results, hold(n))
	}
	return c, true
}

// TimersOf gives the timers that follow from a plan.
func TimersOf(p *pb.InspectionPlan) []x.Timer {
	if p.State != pb.PLAN_SEALED {
		return nil
	}
	return []x.Timer{{Class: x.Other, Due: calendar.StartUnix(calendar.Date(p.DrawOn)), Kind: timerDraw, ID: p.Id}}
}

// DutiesOf gives the duties that an inspection lays on its agency.
func DutiesOf(i *pb.Inspection) []x.Duty {
	if i.Id == nil || i.Result != pb.INSPECTION_UNSET {
		return nil
	}
	return []x.Duty{{
		Owner: i.Issuer, Due: calendar.Date(i.Until), Kind: DutyInspect, Subject: i.Subject, Record: i.Id, Alarmed: i.Alarms&alarmInspect != 0,
	}}
}

func putPlan(ctx *x.Ctx, p *pb.InspectionPlan) {
	old, ok := plans.Get(ctx, p.Id)
	if !ok {
		old = &pb.InspectionPlan{}
	}
	x.Reschedule(ctx, TimersOf(old), TimersOf(p))
	plans.Put(ctx, p, p.Id)
}

// put writes an inspection and keeps index and duties in step. No standing shows one.
func put(ctx *x.Ctx, i *pb.Inspection) {
	old, ok := inspections.Get(ctx, i.Subject, i.Id)
	if !ok {
		ctx.Set(x.Key(byID.Prefix, i.Id), []byte(i.Subject))
		old = &pb.Inspection{}
	}
	x.Assign(ctx, DutiesOf(old), DutiesOf(i))
	inspections.PutAside(ctx, i.Subject, bytes.Clone(i.Id), i)
}

// Derive gives the rows of the index that follow from the inspections.
func Derive(r x.Reader, emit func(key, value []byte)) {
	inspections.All(r, func(uscc string, i *pb.Inspection) bool {
		emit(x.Key(byID.Prefix, i.Id), []byte(uscc))
		return true
	})
}

// EachTimer gives all timers that follow from plans.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	plans.Each(r, func(_ []byte, p *pb.InspectionPlan) bool {
		for _, t := range TimersOf(p) {
			fn(t)
		}
		return true
	})
}

// EachDuty gives all duties that follow from inspections.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	inspections.All(r, func(_ string, i *pb.Inspection) bool {
		for _, d := range DutiesOf(i) {
			fn(d)
		}
		return true
	})
}
