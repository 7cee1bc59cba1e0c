package consent

import (
	"encoding/binary"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Authorisations, subject ‖ id, those that ended too.
	authorisations = subject.NewRecords[pb.Authorisation](0xa0, "authorisation uscc[18] id[32]")
	// Which subject an authorisation belongs to. Follows from the authorisations.
	byID = x.Declare(x.TableInfo{Prefix: 0xa1, Layout: "authorisation id[32] → uscc", Binding: x.Derived})
	// Grades, one row a subject: the one that stands, or the last that did.
	grades = subject.NewRecords[pb.Grade](0xa2, "grade uscc[18]")
	// Anchors of receipts, by gateway and hour.
	anchors = x.NewTable[pb.ReceiptAnchor](0xa3, "receipt anchor gateway[18] hour[8]", x.Leaf)
	// The newest anchor of a gateway.
	newest = x.NewTable[pb.ReceiptAnchor](0xa4, "newest receipt anchor gateway[18]", x.Leaf)
)

// ID is the record id of an authorisation: by the firm's own number of it.
func ID(subjectCode, grantNo string) [32]byte {
	return x.RecordID("authorisation", subjectCode, grantNo, subjectCode)
}

// Get reads an authorisation by its id.
func Get(r x.Reader, id []byte) (*pb.Authorisation, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	a, ok := authorisations.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows authorisation %x, the table does not", id)
	}
	return a, true
}

// Each visits a subject's authorisations by id.
func Each(r x.Reader, uscc string, fn func(a *pb.Authorisation) (more bool)) {
	authorisations.Each(r, uscc, fn)
}

// Query is what a lender asks for beyond what is published.
type Query struct {
	Subject, Requester, Gateway string
	Purpose                     pb.Purpose
	Today                       calendar.Date
	Used                        uint64 // how often the gateway has opened something on the authorisation
}

// Allows says whether an authorisation lets a lender be told of a class, and why not. Whoever names another's authorisation learns no more than that it has
// none.
func Allows(r x.Reader, id []byte, q Query, class pb.DataClass) error {
	a, ok := Get(r, id)
	if !ok || a.Content.Subject != q.Subject || a.Content.Grantee != q.Requester {
		return ErrNone
	}
	c := &a.Content
	switch {
	case a.State == pb.AUTHORISATION_WITHDRAWN:
		return ErrRevoked
	case a.State == pb.AUTHORISATION_DEREGISTERED:
		return ErrDeregistered
	case a.State == pb.AUTHORISATION_EXPIRED || q.Today > calendar.Date(c.ValidUntil):
		return ErrExpired.With("the authorisation was valid until %s", calendar.Date(c.ValidUntil))
	case c.Gateway != q.Gateway:
		return ErrGateway.With("the authorisation is served by the gateway of %s", c.Gateway)
	case a.State == pb.AUTHORISATION_USED_UP || c.MaxUses != 0 && q.Used >= uint64(c.MaxUses):
		return ErrUsedUp.With("the firm allowed %d queries", c.MaxUses)
	case c.Purpose != q.Purpose:
		return ErrPurpose
	case !slices.Contains(c.Classes, class):
		return ErrScope
	}
	return nil
}

// GradeOf reads the grade that stands for a subject.
func GradeOf(r x.Reader, uscc string) (*pb.Grade, bool) {
	g, ok := grades.Get(r, uscc, nil)
	return g, ok && g.EndedOn == 0
}

// AnchorOf reads a gateway's anchor of an hour.
func AnchorOf(r x.Reader, gateway string, hour int64) (*pb.ReceiptAnchor, bool) {
	if len(gateway) != 18 || hour < 0 {
		return nil, false
	}
	return anchors.Get(r, anchorKey(gateway, hour)...)
}

// LastAnchor reads a gateway's newest anchor.
func LastAnchor(r x.Reader, gateway string) (*pb.ReceiptAnchor, bool) {
	if len(gateway) != 18 {
		return nil, false
	}
	return newest.Get(r, []byte(gateway))
}

func anchorKey(gateway string, hour int64) [][]byte {
	return [][]byte{[]byte(gateway), binary.BigEndian.AppendUint64(nil, uint64(hour))}
}

// ReadableFrom is the first day on which a firm may read the receipt of a query of a day (INV-24).
func ReadableFrom(r x.Reader, on calendar.Date) calendar.Date {
	return catalog.Calendar(r).AddWorkingDays(on, int(catalog.Int(r, "subject_log_delay")))
}

// TimersOf gives the timers that follow from an authorisation.
func TimersOf(a *pb.Authorisation) []x.Timer {
	if a.State != pb.AUTHORISATION_LIVE {
		return nil
	}
	return []x.Timer{{
		Class: x.EndsVisibility, Due: calendar.EndUnix(calendar.Date(a.Content.ValidUntil)), Kind: x.TimerAuthorisation,
		ID: append([]byte(a.Content.Subject), a.Id...),
	}}
}

// timersOfGrade gives the timers that follow from a grade.
func timersOfGrade(g *pb.Grade) []x.Timer {
	if g == nil || g.EndedOn != 0 {
		return nil
	}
	return []x.Timer{{Class: x.EndsVisibility, Due: calendar.EndUnix(calendar.Date(g.ValidUntil)), Kind: x.TimerGradeUntil, ID: []byte(g.Subject)}}
}

// EachTimer gives all timers that follow from authorisations and grades.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	authorisations.All(r, func(_ string, a *pb.Authorisation) bool {
		for _, t := range TimersOf(a) {
			fn(t)
		}
		return true
	})
	grades.All(r, func(_ string, g *pb.Grade) bool {
		for _, t := range timersOfGrade(g) {
			fn(t)
		}
		return true
	})
}

// put writes an authorisation and keeps index and timers in step with it. No authorisation shows in a standing. old is nil for a new one.
func put(ctx *x.Ctx, old, a *pb.Authorisation) {
	if old == nil {
		ctx.Set(x.Key(byID.Prefix, a.Id), []byte(a.Content.Subject))
		old = &pb.Authorisation{}
	}
	x.Reschedule(ctx, TimersOf(old), TimersOf(a))
	authorisations.PutAside(ctx, a.Content.Subject, a.Id, a)
}

// end ends an authorisation.
func end(ctx *x.Ctx, a *pb.Authorisation, how pb.AuthorisationState, withdrawal []byte) {
	now := *a
	now.State, now.EndedOn, now.Withdrawal = how, int32(ctx.Today), withdrawal
	put(ctx, a, &now)
}

// putGrade writes a grade. It shows in the restricted section of the standing.
func putGrade(ctx *x.Ctx, g *pb.Grade) {
	old, _ := grades.Get(ctx, g.Subject, nil)
	x.Reschedule(ctx, timersOfGrade(old), timersOfGrade(g))
	grades.Put(ctx, g.Subject, nil, g)
}

// Derive gives the rows of the index: what state sync rebuilds.
func Derive(r x.Reader, emit func(key, value []byte)) {
	authorisations.All(r, func(uscc string, a *pb.Authorisation) bool {
		emit(x.Key(byID.Prefix, a.Id), []byte(uscc))
		return true
	})
}
