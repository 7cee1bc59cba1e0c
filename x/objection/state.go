package objection

import (
	"encoding/hex"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Objections with their results, subject ‖ id.
	objections = subject.NewRecords[pb.Objection](0x78, "objection uscc[18] id[32]")
	// Which subject an objection belongs to. Follows from the objections.
	byID = x.Declare(x.TableInfo{Prefix: 0x79, Layout: "objection id[32] → uscc", Binding: x.Derived})
)

// ID is the record id of an objection.
func ID(provider, objectionNo, uscc string, target []byte) [32]byte {
	return x.RecordID("objection", provider, objectionNo, uscc+"/"+hex.EncodeToString(target))
}

// Get reads an objection by its id.
func Get(r x.Reader, id []byte) (*pb.Objection, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	o, ok := objections.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows objection %x, the table does not", id)
	}
	return o, true
}

// Each visits a subject's objections by id.
func Each(r x.Reader, uscc string, fn func(o *pb.Objection) (more bool)) {
	objections.Each(r, uscc, fn)
}

// All visits all objections, by subject and id.
func All(r x.Reader, fn func(o *pb.Objection) (more bool)) {
	objections.All(r, func(_ string, o *pb.Objection) bool { return fn(o) })
}

// Open says whether the objection waits for a result: its target carries the mark.
func Open(o *pb.Objection) bool {
	return o.State == pb.OBJECTION_OWN || o.State == pb.OBJECTION_PROVIDER || o.State == pb.OBJECTION_REVIEW
}

// Holder is the agency that must act on an open objection, with the duty that it has and the last day for it.
func Holder(o *pb.Objection) (agency string, duty x.DutyKind, due int32) {
	switch o.State {
	case pb.OBJECTION_OWN:
		return o.Receiver, DutyOwn, o.OwnBy
	case pb.OBJECTION_PROVIDER:
		return o.Provider, DutyProvider, o.ProviderBy
	case pb.OBJECTION_REVIEW:
		return o.Authority, DutyReview, o.ReviewBy
	}
	return "", 0, 0
}

// Duties that an objection lays on agencies. Numbers 46–49 are this package's.
var (
	DutyOwn      = x.DeclareDuty(46, "objection_own", "异议核查(单位)", "H1 art 41")
	DutyProvider = x.DeclareDuty(47, "objection_provider", "异议核查(提供方)", "H1 art 41")
	DutyReview   = x.DeclareDuty(48, "objection_review", "异议复核", "H1 art 28")
)

// alarmBit is the bit of Objection.alarms that says that a duty was missed.
func alarmBit(k x.DutyKind) uint32 { return 1 << (k - DutyOwn) }

// DutiesOf gives the duties that an objection lays on agencies. While the clock stands still there is no last day.
func DutiesOf(o *pb.Objection) []x.Duty {
	agency, kind, due := Holder(o)
	if agency == "" {
		return nil
	}
	if o.PausedOn != 0 {
		due = 0
	}
	return []x.Duty{{
		Owner: agency, Due: calendar.Date(due), Kind: kind, Subject: o.Subject, Record: o.Id, Alarmed: o.Alarms&alarmBit(kind) != 0,
	}}
}

// put writes an objection and keeps index and duties in step with it.
func put(ctx *x.Ctx, o *pb.Objection) {
	old, ok := objections.Get(ctx, o.Subject, o.Id)
	if !ok {
		ctx.Set(x.Key(byID.Prefix, o.Id), []byte(o.Subject))
		old = &pb.Objection{}
	}
	x.Assign(ctx, DutiesOf(old), DutiesOf(o))
	objections.Put(ctx, o.Subject, o.Id, o)
}
