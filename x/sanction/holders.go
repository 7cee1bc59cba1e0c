package sanction

import (
	"fmt"
	"slices"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// What members that keep copies of published records (下游) owe when one of them leaves publicity or changes: to let go of it, and to say so (INV-37,
// H1 art 42). All causes are kept in one place; 已同步 is that nobody is waited for any more.
var propagations = subject.NewRecords[pb.Propagation](0x62, "propagation uscc[18] record[32]")

// DutyAcknowledge is laid on each holder that has not confirmed yet.
var DutyAcknowledge = x.DeclareDuty(5, "acknowledge", "同步确认", "H1 art 42, INV-37")

// PropagationOf reads what holders owe of a record: of the newest time that it left publicity or changed.
func PropagationOf(r x.Reader, uscc string, record []byte) (*pb.Propagation, bool) {
	return propagations.Get(r, uscc, record)
}

// EachPropagation visits what holders owe of a subject's records, by record id.
func EachPropagation(r x.Reader, uscc string, fn func(p *pb.Propagation) (more bool)) {
	propagations.Each(r, uscc, fn)
}

// Synced says whether all who kept a copy have confirmed (已同步).
func Synced(p *pb.Propagation) bool { return len(p.Waiting) == 0 && !p.Cancelled }

// dutiesOfPropagation gives the duties that a propagation lays on holders.
func dutiesOfPropagation(p *pb.Propagation) (out []x.Duty) {
	for _, holder := range p.Waiting {
		out = append(out, x.Duty{
			Owner: holder, Due: calendar.Date(p.Due), Kind: DutyAcknowledge, Subject: p.Subject, Record: p.Record, Alarmed: p.Missed,
		})
	}
	return out
}

func putPropagation(ctx *x.Ctx, p *pb.Propagation) {
	old, ok := propagations.Get(ctx, p.Subject, p.Record)
	if !ok {
		old = &pb.Propagation{}
	}
	x.Assign(ctx, dutiesOfPropagation(old), dutiesOfPropagation(p))
	propagations.PutAside(ctx, p.Subject, p.Record, p)
}

// propagate asks all members that hold copies to let go of a record that left publicity, or that changed in it.
func propagate(ctx *x.Ctx, d *pb.Dishonesty, cause pb.PropagationCause) {
	holders := member.Holders(ctx)
	if len(holders) == 0 {
		return
	}
	limit := "sync_deadline_wd"
	if cause == pb.PROPAGATION_WITHDRAWAL {
		limit = "holder_wd"
	}
	putPropagation(ctx, &pb.Propagation{
		Subject: Of(d).Subject, Record: d.Id, Cause: cause, OpenedOn: int32(ctx.Today),
		Due: int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, limit)))), Waiting: holders,
	})
}

// causeOf says why holders are asked when a record has left publicity; none where they know it from the record itself, whose term has passed, and
// where it may come back any day.
func causeOf(d *pb.Dishonesty) pb.PropagationCause {
	switch d.State {
	case pb.RECORD_REPAIRED:
		return pb.PROPAGATION_REPAIR
	case pb.RECORD_WITHDRAWN:
		return pb.PROPAGATION_WITHDRAWAL
	case pb.RECORD_SHIELDED:
		return pb.PROPAGATION_SHIELD
	}
	return pb.PROPAGATION_UNSET
}

// returned is called in the block in which a record comes back to publicity: nobody has to let go of it any more.
func returned(ctx *x.Ctx, d *pb.Dishonesty) {
	if p, ok := propagations.Get(ctx, Of(d).Subject, d.Id); ok && len(p.Waiting) > 0 {
		p.Waiting, p.Cancelled = nil, true
		putPropagation(ctx, p)
	}
}

// Acknowledge is H1: a holder confirms that it has let go of what it kept of a record.
func Acknowledge(ctx *x.Ctx, m *pb.Acknowledge) (x.Done, error) {
	if err := x.CheckDigest(m.Record, "record", false); err != nil {
		return x.Done{}, err
	}
	done := x.Done{Record: m.Record}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_VERIFY, pb.MANDATE_UNSET); err != nil {
		return done, err
	}
	d, ok := Get(ctx, m.Record)
	if !ok {
		return done, ErrAcknowledge
	}
	p, ok := propagations.Get(ctx, Of(d).Subject, m.Record)
	if !ok {
		return done, ErrAcknowledge
	}
	if slices.ContainsFunc(p.Confirmed, func(c pb.Confirmation) bool { return c.Holder == m.Issuer }) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	i, waits := slices.BinarySearch(p.Waiting, m.Issuer)
	if !waits {
		return done, ErrAcknowledge
	}
	for _, duty := range dutiesOfPropagation(p) { // the clock may not have come to it yet
		if duty.Owner == m.Issuer && ctx.Today > duty.Due {
			subject.RaiseMissed(ctx, duty)
		}
	}
	p.Waiting = slices.Delete(p.Waiting, i, i+1)
	at, _ := slices.BinarySearchFunc(p.Confirmed, m.Issuer, func(c pb.Confirmation, holder string) int { return strings.Compare(c.Holder, holder) })
	p.Confirmed = slices.Insert(p.Confirmed, at, pb.Confirmation{Holder: m.Issuer, On: int32(ctx.Today)})
	putPropagation(ctx, p)
	return done, nil
}

// missedAcknowledgement is what the clock does when the day has passed: an alarm for each that has not confirmed.
func missedAcknowledgement(ctx *x.Ctx, uscc string, record []byte) {
	p, ok := propagations.Get(ctx, uscc, record)
	if !ok || len(p.Waiting) == 0 {
		x.Faultf("a timer speaks of confirmations of record %x, for which nobody is waited", record)
	}
	for _, duty := range dutiesOfPropagation(p) {
		subject.RaiseMissed(ctx, duty)
	}
	p.Missed = true
	putPropagation(ctx, p)
}

// checkPropagations is INV-37 within the chain: who is waited for has confirmed nothing, and nobody is waited for about a record that the public sees, but
// after a correction.
func checkPropagations(r x.Reader) (err error) {
	propagations.All(r, func(uscc string, p *pb.Propagation) bool {
		d, ok := Get(r, p.Record)
		switch {
		case !ok || Of(d).Subject != uscc || p.Subject != uscc:
			err = fmt.Errorf("INV-37: confirmations are asked of record %x, which its subject does not have", p.Record)
		case len(p.Waiting) > 0 && Public(d) && p.Cause != pb.PROPAGATION_CORRECTION:
			err = fmt.Errorf("INV-37: holders are to let go of record %x, which is public", p.Record)
		case !slices.IsSorted(p.Waiting):
			err = fmt.Errorf("INV-37: holders of record %x are not in order", p.Record)
		}
		for _, c := range p.Confirmed {
			if _, waits := slices.BinarySearch(p.Waiting, c.Holder); waits {
				err = fmt.Errorf("INV-37: %s is waited for about record %x and has confirmed", c.Holder, p.Record)
			}
		}
		return err == nil
	})
	return err
}
