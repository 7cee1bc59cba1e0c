package incentive

import (
	"crypto/sha256"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Incentives from the proposal on, subject ‖ id.
	incentives = subject.NewRecords[pb.Incentive](0x7c, "incentive uscc[18] id[32]")
	// Which subject an incentive belongs to. Follows from the incentives.
	byID = x.Declare(x.TableInfo{Prefix: 0x7d, Layout: "incentive id[32] → uscc", Binding: x.Derived})
	// Subjects that have an incentive. Value empty. Follows from the incentives: most subjects have none, and one look says so.
	holders = x.Declare(x.TableInfo{Prefix: 0x7e, Layout: "subject with incentives uscc[18]", Binding: x.Derived})
	// What agencies granted for standing in a list, subject ‖ incentive ‖ id.
	uses = subject.NewRecords[pb.IncentiveUse](0x7f, "incentive use uscc[18] incentive[32] id[32]")
)

// ID is the record id of an incentive.
func ID(issuer, proposalNo, uscc string) [32]byte {
	return x.RecordID("incentive", issuer, proposalNo, uscc)
}

// UseID is the id of a use.
func UseID(user, useNo, uscc string) [32]byte {
	return x.RecordID("incentive_use", user, useNo, uscc)
}

// Get reads an incentive by its id.
func Get(r x.Reader, id []byte) (*pb.Incentive, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	i, ok := incentives.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows incentive %x, the table does not", id)
	}
	return i, true
}

// Each visits a subject's incentives by id.
func Each(r x.Reader, uscc string, fn func(i *pb.Incentive) (more bool)) {
	if _, any := x.Peek(r, x.Key(holders.Prefix, []byte(uscc))); any {
		incentives.Each(r, uscc, fn)
	}
}

// All visits all incentives, by subject and id.
func All(r x.Reader, fn func(i *pb.Incentive) (more bool)) {
	incentives.All(r, func(_ string, i *pb.Incentive) bool { return fn(i) })
}

// EachUse visits what agencies granted a subject, by incentive and id.
func EachUse(r x.Reader, uscc string, fn func(u *pb.IncentiveUse) (more bool)) {
	if _, any := x.Peek(r, x.Key(holders.Prefix, []byte(uscc))); any {
		uses.Each(r, uscc, fn)
	}
}

// Public visits the incentives of a subject that the public sees now, by id: under notice or recognised, and excluded by nothing published.
func Public(r x.Reader, uscc string, fn func(i *pb.Incentive)) {
	var facts *published
	Each(r, uscc, func(i *pb.Incentive) bool {
		if Visible(i) {
			if facts == nil {
				facts = publishedOf(r, uscc)
			}
			if !facts.exclude(listOf(r, i)) {
				fn(i)
			}
		}
		return true
	})
}

// Visible says whether the state of an incentive is one that people are told of, as far as nothing excludes it.
func Visible(i *pb.Incentive) bool {
	return i.State == pb.INCENTIVE_NOTICED || i.State == pb.INCENTIVE_CHECKED || i.State == pb.INCENTIVE_RECOGNISED
}

// Suspended says whether something published excludes an incentive now (INV-29).
func Suspended(r x.Reader, i *pb.Incentive) bool {
	return publishedOf(r, i.Subject).exclude(listOf(r, i))
}

// published is what of a subject's published records decides about incentives.
type published struct {
	listed bool        // stands in a list of serious dishonesty
	worst  pb.Severity // highest class
}

func publishedOf(r x.Reader, uscc string) *published {
	p := new(published)
	sanction.Each(r, uscc, func(d *pb.Dishonesty) bool {
		if sanction.Public(d) {
			p.listed = p.listed || d.List != nil
			p.worst = max(p.worst, d.Class)
		}
		return true
	})
	return p
}

func (p *published) exclude(l *pb.IncentiveList) bool {
	return p.listed || l.CleanOf != 0 && p.worst >= l.CleanOf
}

// listOf is the version of the list that an incentive was proposed under. Versions are never deleted.
func listOf(r x.Reader, i *pb.Incentive) *pb.IncentiveList {
	l, ok := catalog.IncentiveList(r, i.List, i.Version)
	if !ok {
		x.Faultf("incentive %x was proposed under version %d of list %s, which is not there", i.Id, i.Version, i.List)
	}
	return l
}

// undecided says whether the recogniser has a proposal under notice to decide on.
func undecided(i *pb.Incentive) bool {
	return i.State == pb.INCENTIVE_NOTICED || i.State == pb.INCENTIVE_CHECKED
}

// Proposal is what an objection to a proposal must know of it: an objection comes while the notice runs, and a review may be asked for until the
// recogniser has decided.
func Proposal(ctx *x.Ctx, id []byte) (*objection.Target, bool) {
	i, ok := Get(ctx, id)
	if !ok {
		return nil, false
	}
	says := sha256.Sum256(x.EncodeRow(&pb.Incentive{Subject: i.Subject, Issuer: i.Issuer, List: i.List, Version: i.Version, ProposalNo: i.ProposalNo, GroundsDigest: i.GroundsDigest}))
	return &objection.Target{
		Subject: i.Subject, Provider: i.Issuer, Says: says[:], Open: undecided(i), Until: calendar.Date(i.NoticeUntil),
		Withdrawn: i.State == pb.INCENTIVE_DECLINED, Mark: func(change int) { mark(ctx, id, change) },
	}, true
}

// mark is N3: it counts an objection that is filed (+1) or resolved (-1). The clock of the decision waits for the last one.
func mark(ctx *x.Ctx, id []byte, change int) {
	i, ok := Get(ctx, id)
	if !ok || int(i.Objections)+change < 0 {
		x.Faultf("an objection speaks of incentive %x, which is not there or has none open", id)
	}
	old := *i
	i.Objections = uint32(int(i.Objections) + change)
	if undecided(i) {
		i.State = pb.INCENTIVE_CHECKED
		i.DecideBy, i.Alarms = 0, i.Alarms&^alarmDecide
		if i.Objections == 0 {
			i.DecideBy = decideBy(ctx, max(ctx.Today, calendar.Date(i.NoticeUntil)))
		}
	}
	put(ctx, &old, i)
}

func decideBy(ctx *x.Ctx, from calendar.Date) int32 {
	return int32(catalog.Calendar(ctx).AddWorkingDays(from, int(catalog.Int(ctx, "incentive_decide_wd"))))
}

// DutyDecide is the decision on a proposal. Numbers 50–59 are this package's.
var DutyDecide = x.DeclareDuty(50, "decide_incentive", "守信激励认定", "H1 art 28, A4-1")

// Bits of Incentive.alarms.
const alarmDecide = 1 << 0

// DutiesOf gives the duties that an incentive lays on agencies.
func DutiesOf(i *pb.Incentive) []x.Duty {
	if !undecided(i) {
		return nil
	}
	return []x.Duty{{
		Owner: i.Issuer, Due: calendar.Date(i.DecideBy), Kind: DutyDecide, Subject: i.Subject, Record: i.Id, Alarmed: i.Alarms&alarmDecide != 0,
	}}
}

// TimersOf gives the timers that follow from an incentive, but for those of its duties.
func TimersOf(i *pb.Incentive) []x.Timer {
	if i.State != pb.INCENTIVE_RECOGNISED {
		return nil
	}
	return []x.Timer{{
		Class: x.EndsVisibility, Due: calendar.EndUnix(calendar.Date(i.ValidUntil)), Kind: x.TimerIncentiveUntil, ID: append([]byte(i.Subject), i.Id...),
	}}
}

// EachTimer gives all timers that follow from incentives.
func EachTimer(r x.Reader, fn func(x.Timer)) {
	All(r, func(i *pb.Incentive) bool {
		for _, t := range TimersOf(i) {
			fn(t)
		}
		return true
	})
}

// EachDuty gives all duties that follow from incentives.
func EachDuty(r x.Reader, fn func(x.Duty)) {
	All(r, func(i *pb.Incentive) bool {
		for _, d := range DutiesOf(i) {
			fn(d)
		}
		return true
	})
}

// put writes an incentive and keeps indexes, timers and duties in step with it. old is nil for a new one.
func put(ctx *x.Ctx, old, i *pb.Incentive) {
	if old == nil {
		ctx.Set(x.Key(byID.Prefix, i.Id), []byte(i.Subject))
		ctx.Set(x.Key(holders.Prefix, []byte(i.Subject)), []byte{})
		old = &pb.Incentive{}
	}
	x.Reschedule(ctx, TimersOf(old), TimersOf(i))
	x.Assign(ctx, DutiesOf(old), DutiesOf(i))
	incentives.Put(ctx, i.Subject, i.Id, i)
}
