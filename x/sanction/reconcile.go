package sanction

import (
	"bytes"
	"crypto/sha256"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// What 信用中国 shows of a subject, as it was last brought: one row a subject (INV-42). Where the ledger differs it follows 信用中国.
var reconciliations = subject.NewRecords[pb.Reconciliation](0x6a, "reconciliation uscc[18]")

// DutyAnswerHold is laid on the recogniser of a record that 信用中国 does not show.
var DutyAnswerHold = x.DeclareDuty(8, "answer_hold", "核对公示差异", "INV-42")

// Kinds of alarms that a difference raises at once.
const (
	alarmNotShown     = "not_shown"           // 信用中国 does not show what the ledger published
	alarmNotPublished = "shown_not_published" // 信用中国 shows what the ledger does not publish
)

// LastReconciled reads what 信用中国 was last known to show of a subject.
func LastReconciled(r x.Reader, uscc string) (*pb.Reconciliation, bool) {
	return reconciliations.Get(r, uscc, nil)
}

// CheckReconcile refuses what is wrong whatever the state.
func CheckReconcile(m *pb.Reconcile) error {
	if err := x.CheckUSCC(m.Subject, "subject"); err != nil {
		return err
	}
	if err := x.CheckDate(m.AsOf, "as_of", false); err != nil {
		return err
	}
	if len(m.Shown) > pb.ShownMax {
		return x.ErrTooMany.With("the list has %d entries, at most %d", len(m.Shown), pb.ShownMax)
	}
	for i := range m.Shown {
		e := &m.Shown[i]
		if e.Kind < pb.DISHONESTY_PENALTY || e.Kind > pb.DISHONESTY_OTHER {
			return x.ErrEnum.With("entry %d: kind %d is not defined", i, e.Kind)
		}
		if err := x.CheckUSCC(e.Issuer, "issuer of an entry"); err != nil {
			return err
		}
		if err := code.CheckDocNo(e.DocNo); err != nil {
			return ErrDocNo.With("entry %d: %s", i, x.Why(err))
		}
	}
	return nil
}

// Reconcile is X1: the member that speaks for 信用中国 brings what it shows of a subject. What the ledger publishes and it does not show is held back from
// every answer in this block, until it shows it again or the recogniser acts. What it shows and the ledger does not publish stands in an alarm.
func Reconcile(ctx *x.Ctx, m *pb.Reconcile) (x.Done, error) {
	if err := CheckReconcile(m); err != nil {
		return x.Done{}, err
	}
	speaker, err := member.Act(ctx, m.Issuer, pb.ROLE_VERIFY, pb.MANDATE_UNSET)
	if err != nil {
		return x.Done{}, err
	}
	if !speaker.CreditChina {
		return x.Done{}, ErrCreditChina
	}
	if err := subject.Enrolled(ctx, m.Subject); err != nil {
		return x.Done{}, err
	}
	digest := sha256.Sum256(x.EncodeRow(m))
	if old, ok := reconciliations.Get(ctx, m.Subject, nil); ok {
		if bytes.Equal(old.Digest, digest[:]) {
			return x.Done{Note: x.AlreadyRecorded}, nil
		}
		if m.AsOf < old.AsOf {
			return x.Done{}, ErrOldList.With("the list is of %s, a newer one of %s was brought", calendar.Date(m.AsOf), calendar.Date(old.AsOf))
		}
	}
	if m.AsOf > int32(ctx.Today) {
		return x.Done{}, ErrWindow.With("the list is of %s, which is after today (%s)", calendar.Date(m.AsOf), ctx.Today)
	}
	var unpublished []*pb.Alarm
	shown := make(map[[32]byte]bool, len(m.Shown)) // DETERMINISM: looked up, never ranged over
	for i := range m.Shown {
		e := &m.Shown[i]
		id := ID(e.Kind, e.Issuer, e.DocNo, m.Subject)
		if shown[id] {
			continue
		}
		shown[id] = true
		alarm := &pb.Alarm{Subject: m.Subject, Record: id[:], Kind: alarmNotPublished, Happened: int32(ctx.Today), Issuer: e.Issuer}
		if d, ok := Get(ctx, id[:]); (!ok || d.State != pb.RECORD_PUBLISHED) && !subject.Raised(ctx, alarm) {
			unpublished = append(unpublished, alarm)
		}
	}
	var differ []*pb.Dishonesty
	Each(ctx, m.Subject, func(d *pb.Dishonesty) bool {
		// What was published on the day of the list or later may not be in it yet.
		if here := shown[[32]byte(d.Id)]; d.State == pb.RECORD_PUBLISHED && (here && d.Held || !here && !d.Held && d.PublishedOn < m.AsOf) {
			differ = append(differ, d)
		}
		return true
	})
	// Each list takes room with all that differs: nothing else says how much one may bring.
	if err := subject.AdmitOwn(ctx, m.Subject, 1+len(unpublished)+len(differ)); err != nil {
		return x.Done{}, err
	}
	reconciliations.PutAside(ctx, m.Subject, nil, &pb.Reconciliation{
		Subject: m.Subject, AsOf: m.AsOf, BroughtOn: int32(ctx.Today), Shown: uint32(len(m.Shown)), Digest: digest[:],
	})
	for _, a := range unpublished {
		subject.Raise(ctx, a)
	}
	for _, d := range differ {
		if d.Held {
			unhold(d)
		} else {
			d.Held, d.HeldOn, d.Alarms = true, int32(ctx.Today), d.Alarms&^alarmBit(DutyAnswerHold)
			d.AnswerBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "reconcile_wd"))))
			subject.Raise(ctx, &pb.Alarm{Subject: m.Subject, Record: d.Id, Kind: alarmNotShown, Happened: int32(ctx.Today), Issuer: Of(d).Issuer})
		}
		put(ctx, d)
	}
	return x.Done{}, nil
}

func unhold(d *pb.Dishonesty) { d.Held, d.HeldOn, d.AnswerBy = false, 0, 0 }
