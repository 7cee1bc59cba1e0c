package sanction

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Penalties, subject ‖ record id.
	penalties = subject.NewRecords[pb.Penalty](0x60, "penalty uscc[18] record[32]")
	// Which subject a record id belongs to. Follows from the penalties.
	byID = x.Declare(x.TableInfo{Prefix: 0x61, Layout: "penalty record[32] → uscc", Binding: x.Derived})
)

// PenaltyID is the record id of a penalty: one decision punishes each of its parties by a record of its own.
func PenaltyID(issuer, docNo, uscc string) [32]byte {
	return x.RecordID("penalty", issuer, docNo, uscc)
}

// Get reads a penalty by its record id.
func Get(r x.Reader, id []byte) (*pb.Penalty, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	p, ok := penalties.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows penalty %x, the table does not", id)
	}
	return p, true
}

// Each visits a subject's penalties by record id.
func Each(r x.Reader, uscc string, fn func(p *pb.Penalty) (more bool)) { penalties.Each(r, uscc, fn) }

// All visits all penalties, by subject and record id.
func All(r x.Reader, fn func(p *pb.Penalty) (more bool)) {
	penalties.All(r, func(_ string, p *pb.Penalty) bool { return fn(p) })
}

// Public says whether the record stands in the subject's standing.
func Public(p *pb.Penalty) bool { return p.State == pb.RECORD_PUBLISHED }

// TimersOf gives the timers that follow from a penalty.
func TimersOf(p *pb.Penalty) []x.Timer {
	id := append([]byte(p.Content.Subject), p.Id...)
	switch p.State {
	case pb.RECORD_REGISTERED:
		if p.Overdue {
			return nil
		}
		return []x.Timer{{Class: x.Other, Due: calendar.EndUnix(calendar.Date(p.PublishBy)), Kind: x.TimerPenaltyPublishBy, ID: id}}
	case pb.RECORD_PUBLISHED, pb.RECORD_UNPUBLISHED:
		return []x.Timer{{Class: x.EndsVisibility, Due: calendar.EndUnix(calendar.Date(p.MaxUntil)), Kind: x.TimerPenaltyMax, ID: id}}
	}
	return nil
}

// put writes a penalty and keeps index, timers and bars in step with it: a published one of class 严重 bars, and one that punishes a breach
// holds that breach's bar while it lives.
func put(ctx *x.Ctx, p *pb.Penalty) {
	old, ok := penalties.Get(ctx, p.Content.Subject, p.Id)
	if !ok {
		x.Faultf("penalty %x is changed and does not stand", p.Id)
	}
	write(ctx, old, p)
}

// create writes a penalty that the index does not know: there is no older version to look for.
func create(ctx *x.Ctx, p *pb.Penalty) {
	ctx.Set(x.Key(byID.Prefix, p.Id), []byte(p.Content.Subject))
	write(ctx, &pb.Penalty{}, p)
}

func write(ctx *x.Ctx, old, p *pb.Penalty) {
	x.Reschedule(ctx, TimersOf(old), TimersOf(p))
	penalties.Put(ctx, p.Content.Subject, p.Id, p)
	setBars(ctx, old, p)
}
