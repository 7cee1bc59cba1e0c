package measure

import (
	"bytes"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/member"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// Announce is M1: the recogniser of a record in publicity calls for a measure.
func Announce(ctx *x.Ctx, m *pb.AnnounceMeasure, sources Sources) (x.Done, error) {
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	src, err := sourceOf(ctx, m.Source, m.Item, sources)
	if err != nil {
		return x.Done{}, err
	}
	switch foreign := src.Recogniser != m.Issuer; {
	case foreign && !src.Public && !member.Decides(ctx, src.Recogniser):
		return x.Done{}, noSource(m.Source)
	case foreign:
		return x.Done{}, x.ErrNotIssuer.With("the record was issued by another agency than %s", m.Issuer)
	}
	id := ID(src.Recogniser, src.Subject, m.Source, m.Item, m.Implementer)
	done := x.Done{Record: id[:]}
	if old, ok := Get(ctx, id[:]); ok && Running(old) {
		done.Note = x.AlreadyRecorded
		return done, nil
	} else if ok {
		return done, ErrState.With("the measure is %s", old.State)
	}
	if !src.Public {
		return done, ErrSource.With("the record is not in publicity")
	}
	item, err := Suits(ctx, m.Item, ctx.Today, src)
	if err != nil {
		return done, err
	}
	if m.Implementer != "" {
		if err := checkImplementer(ctx, item, m.Implementer); err != nil {
			return done, err
		}
	}
	if err := subject.Admit(ctx, src.Subject, 1); err != nil {
		return done, err
	}
	announce(ctx, src, m.Source, item, m.Implementer)
	return done, nil
}

// Call is M1 by a decision that enters a subject in a list: it calls for the measures that the decision names. The caller has asked Suits.
func Call(ctx *x.Ctx, src Source, record []byte, items []string) {
	for _, named := range items {
		item, ok := catalog.MeasureItemOn(ctx, named, ctx.Today)
		if !ok {
			x.Faultf("a decision calls for measure %s, which is not in force", named)
		}
		announce(ctx, src, record, item, "")
	}
}

func announce(ctx *x.Ctx, src Source, record []byte, item *pb.MeasureItem, implementer string) {
	id := ID(src.Recogniser, src.Subject, record, item.Code, implementer)
	put(ctx, nil, &pb.Measure{
		Id: id[:], Subject: src.Subject, Source: bytes.Clone(record), Recogniser: src.Recogniser, Item: item.Code, Version: item.Version,
		Implementer: implementer, State: pb.MEASURE_ANNOUNCED, AnnouncedOn: int32(ctx.Today),
	})
}

// kinds are the Chinese names of the kinds of records.
var kinds = [...]string{pb.DISHONESTY_PENALTY: "行政处罚信息", pb.DISHONESTY_LIST: "严重失信主体名单信息", pb.DISHONESTY_ABNORMAL: "异常名录信息", pb.DISHONESTY_OTHER: "其他失信信息"}

// Suits refuses an item that may not rest on a record, or may not be applied to its subject, and gives the version in force on a day.
func Suits(r x.Reader, named string, on calendar.Date, src Source) (*pb.MeasureItem, error) {
	item, ok := catalog.MeasureItemOn(r, named, on)
	switch {
	case !ok:
		return nil, catalog.ErrBasis.With("no item %s of the list of measures is in force on %s", named, on)
	case item.Elsewhere:
		return nil, ErrElsewhere.With("item %s (%s) is carried out elsewhere", named, item.Matter)
	case !slices.Contains(item.Sources, src.Kind):
		return nil, ErrSource.With("item %s does not rest on a record of this kind (%s)", named, kinds[src.Kind])
	case src.Class < item.ClassMin:
		return nil, ErrSource.With("item %s rests on a record of class %s at least, this one is %s", named, code.SeverityName(uint32(item.ClassMin)), code.SeverityName(uint32(src.Class)))
	case src.Kind == pb.DISHONESTY_LIST && len(item.Lists) > 0 && !slices.Contains(item.Lists, src.List):
		return nil, ErrSource.With("item %s does not rest on an entry in list %s", named, src.List)
	}
	s, ok := subject.Get(r, src.Subject)
	if !ok {
		x.Faultf("a record is of %s, which is not enrolled", src.Subject)
	}
	if !slices.Contains(item.Categories, s.Category) {
		return nil, ErrScope.With("item %s (%s) is for categories %v, the subject is of category %d", named, item.Object, item.Categories, s.Category)
	}
	return item, nil
}

// Entitled says whether an agency may carry out an item on a day: its competence names it, and it is of the level and line of command that the item asks
// for.
func Entitled(m *pb.Member, item *pb.MeasureItem, on calendar.Date) bool {
	return !m.Removed && member.MayCarryOut(m, item.Code, on) &&
		(len(item.Levels) == 0 || slices.Contains(item.Levels, m.Level)) && (len(item.Systems) == 0 || slices.Contains(item.Systems, m.System))
}

func checkImplementer(ctx *x.Ctx, item *pb.MeasureItem, implementer string) error {
	if m, ok := member.Look(ctx, implementer); !ok || !Entitled(m, item, ctx.Today) {
		return ErrImplementer.With("%s may not carry out item %s (%s)", implementer, item.Code, item.Body)
	}
	return nil
}

// sourceOf finds the record that a message speaks of.
func sourceOf(r x.Reader, record []byte, item string, sources Sources) (Source, error) {
	if err := x.CheckDigest(record, "source", false); err != nil {
		return Source{}, err
	}
	if err := x.CheckToken(item, "item", false); err != nil {
		return Source{}, err
	}
	src, ok := sources(r, record)
	if !ok {
		return Source{}, noSource(record)
	}
	return src, nil
}

// noSource is the refusal of a record that is not there, and of one that the signer may not be told of (INV-03).
func noSource(record []byte) error { return ErrSource.With("no record in publicity has id %x", record) }

// Apply is M2, by the implementer.
func Apply(ctx *x.Ctx, m *pb.ApplyMeasure, sources Sources) (x.Done, error) {
	if err := x.CheckDate(m.Until, "until", true); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	src, err := sourceOf(ctx, m.Source, m.Item, sources)
	if err != nil {
		return x.Done{}, err
	}
	id := ID(src.Recogniser, src.Subject, m.Source, m.Item, m.Issuer)
	own, named := Get(ctx, id[:])
	if carried := named && own.AppliedOn != 0; !src.Public && !carried && !member.Decides(ctx, src.Recogniser) {
		return x.Done{}, noSource(m.Source)
	}
	done := x.Done{Record: id[:]}
	call, called := callOf(ctx, src, m.Source, m.Item)
	switch {
	case named && own.State == pb.MEASURE_ANNOUNCED:
	case named && own.State == pb.MEASURE_APPLIED:
		done.Note = x.AlreadyRecorded
		return done, nil
	case named:
		return done, ErrState.With("the measure is %s", own.State)
	case !called:
		return done, ErrUnannounced.With("item %s is not called for on this record", m.Item)
	}
	item, until, err := mayApply(ctx, m.Item, m.Issuer, m.Until, ctx.Today, src)
	if err != nil {
		return done, err
	}
	now := new(pb.Measure)
	if named {
		*now = *own
	} else {
		if err := subject.AdmitOwn(ctx, src.Subject, 1); err != nil {
			return done, err
		}
		*now = *call
		now.Id, now.Implementer, now.Objections = id[:], m.Issuer, 0
	}
	now.State, now.Version, now.AppliedOn, now.Until = pb.MEASURE_APPLIED, item.Version, int32(ctx.Today), int32(until)
	now.FeedbackBy = int32(catalog.Calendar(ctx).AddWorkingDays(ctx.Today, int(catalog.Int(ctx, "feedback_window_wd"))))
	put(ctx, own, now)
	return done, nil
}

// callOf finds the call on all who are entitled to carry out an item on a record, if it stands.
func callOf(r x.Reader, src Source, record []byte, item string) (*pb.Measure, bool) {
	id := ID(src.Recogniser, src.Subject, record, item, "")
	call, ok := Get(r, id[:])
	return call, ok && call.State == pb.MEASURE_ANNOUNCED
}

// mayApply holds what §11.5 asks for, whoever asks: Apply, or the reader Open on an implementer's behalf.
func mayApply(r x.Reader, named, implementer string, wanted int32, today calendar.Date, src Source) (item *pb.MeasureItem, until calendar.Date, err error) {
	if !src.Public {
		return nil, 0, ErrSource.With("the record is not in publicity")
	}
	if item, err = Suits(r, named, today, src); err != nil {
		return item, 0, err
	}
	if m, ok := member.Look(r, implementer); !ok || !Entitled(m, item, today) {
		return item, 0, ErrImplementer.With("%s may not carry out item %s (%s)", implementer, item.Code, item.Body)
	}
	if !src.Final && !item.AtOnce && catalog.Bool(r, "measures_count_when") {
		return item, 0, ErrNotFinal
	}
	until = calendar.Date(wanted)
	if item.MonthsMax > 0 {
		last := today.AddMonths(int(item.MonthsMax))
		if until == 0 {
			until = last
		}
		if until > last {
			return item, 0, ErrTerm.With("until %s; item %s allows %d months, until %s", until, named, item.MonthsMax, last)
		}
	}
	if until != 0 && until < today {
		return item, 0, ErrTerm.With("until %s, today is %s", until, today)
	}
	return item, until, nil
}

// Feedback is M3, by the implementer. A later report replaces an earlier one.
func Feedback(ctx *x.Ctx, m *pb.FeedbackMeasure) (x.Done, error) {
	if m.Outcome < pb.OUTCOME_DONE || m.Outcome > pb.OUTCOME_NOT_POSSIBLE {
		return x.Done{}, x.ErrEnum.With("outcome is 1 已实施, 2 部分实施 or 3 无法实施")
	}
	if err := x.CheckDigest(m.EvidenceDigest, "evidence_digest", false); err != nil {
		return x.Done{}, err
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_RECORD, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	old, done, err := find(ctx, m.Measure)
	if err != nil {
		return done, err
	}
	if old.Implementer != m.Issuer {
		return done, x.ErrNotIssuer.With("another agency than %s carries the measure out", m.Issuer)
	}
	if old.State != pb.MEASURE_APPLIED {
		return done, ErrState.With("the measure is %s", old.State)
	}
	if old.Outcome == m.Outcome && bytes.Equal(old.EvidenceDigest, m.EvidenceDigest) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if old.ReportedOn != 0 {
		if err := subject.AdmitOwn(ctx, old.Subject, 1); err != nil {
			return done, err
		}
	}
	now := *old
	now.Outcome, now.EvidenceDigest, now.ReportedOn = m.Outcome, m.EvidenceDigest, int32(ctx.Today)
	put(ctx, old, &now)
	return done, nil
}

// Correct is M6, by the implementer or by the recogniser who called for it.
func Correct(ctx *x.Ctx, m *pb.CorrectMeasure) (x.Done, error) {
	if len(m.ReasonDigest) != pb.DigestBytes {
		return x.Done{}, ErrReason
	}
	if _, err := member.Act(ctx, m.Issuer, pb.ROLE_REVIEW, pb.MANDATE_UNSET); err != nil {
		return x.Done{}, err
	}
	old, done, err := find(ctx, m.Measure)
	if err != nil {
		return done, err
	}
	if old.Implementer != m.Issuer && old.Recogniser != m.Issuer {
		return done, x.ErrNotIssuer.With("%s neither carries the measure out nor called for it", m.Issuer)
	}
	if old.State == pb.MEASURE_CORRECTED && bytes.Equal(old.ReasonDigest, m.ReasonDigest) {
		done.Note = x.AlreadyRecorded
		return done, nil
	}
	if !Running(old) {
		return done, ErrState.With("the measure is %s", old.State)
	}
	end(ctx, old, pb.MEASURE_CORRECTED, m.ReasonDigest)
	return done, nil
}

// find reads a measure of which the signer's agency may be told: it called for it, is named to carry it out, or has done so. To others it is as if it were
// not (INV-03).
func find(ctx *x.Ctx, id []byte) (*pb.Measure, x.Done, error) {
	if err := x.CheckDigest(id, "measure", false); err != nil {
		return nil, x.Done{}, err
	}
	m, ok := Get(ctx, id)
	if !ok || !member.Decides(ctx, m.Recogniser) && m.Implementer != ctx.Member {
		return nil, x.Done{}, ErrUnknown.With("no measure has id %x", id)
	}
	return m, x.Done{Record: id}, nil
}

func end(ctx *x.Ctx, old *pb.Measure, to pb.MeasureState, reason []byte) {
	now := *old
	now.State, now.EndedOn, now.ReasonDigest = to, int32(ctx.Today), reason
	put(ctx, old, &now)
}

// Lift is M4: the record leaves publicity in this block, whatever the cause (INV-02).
func Lift(ctx *x.Ctx, record []byte) {
	for _, m := range of(ctx, record, Running) {
		end(ctx, m, pb.MEASURE_LIFTED, nil)
	}
}

// Revive is M7: the record stands again. What was lifted is called for again; nothing is carried out until somebody applies it anew.
func Revive(ctx *x.Ctx, record []byte) {
	for _, m := range of(ctx, record, func(m *pb.Measure) bool { return m.State == pb.MEASURE_LIFTED }) {
		now := *m
		now.State, now.AppliedOn, now.Until, now.FeedbackBy, now.EndedOn = pb.MEASURE_ANNOUNCED, 0, 0, 0, 0
		now.ReportedOn, now.Outcome, now.EvidenceDigest, now.Alarms = 0, pb.OUTCOME_UNSET, nil, 0
		put(ctx, m, &now)
	}
}

func of(r x.Reader, record []byte, which func(*pb.Measure) bool) (out []*pb.Measure) {
	EachOf(r, record, func(m *pb.Measure) bool {
		if which(m) {
			out = append(out, m)
		}
		return true
	})
	return out
}

// Expire is M5, by timer.
func Expire(ctx *x.Ctx, id []byte) {
	m, ok := measures.Get(ctx, string(id[:18]), id[18:])
	if !ok || m.State != pb.MEASURE_APPLIED {
		x.Faultf("a timer speaks of measure %x, which is not carried out", id[18:])
	}
	end(ctx, m, pb.MEASURE_EXPIRED, nil)
}

// Missed is what the clock of a duty does when its day has passed unmet: it raises the alarm.
func Missed(ctx *x.Ctx, kind x.DutyKind, uscc string, id []byte) {
	m, ok := measures.Get(ctx, uscc, id)
	if !ok {
		x.Faultf("a timer speaks of measure %x, which does not stand", id)
	}
	for _, d := range DutiesOf(m) {
		if d.Kind == kind {
			now := *m
			now.Alarms |= alarmFeedback
			subject.RaiseMissed(ctx, d)
			put(ctx, m, &now)
			return
		}
	}
	x.Faultf("a timer speaks of duty %d on measure %x, which is not open", kind, id)
}

// Mark counts an objection (异议) to a measure that is filed (+1) or resolved (-1). The state of the measure does not change.
func Mark(ctx *x.Ctx, id []byte, change int) {
	m, ok := Get(ctx, id)
	if !ok || int(m.Objections)+change < 0 {
		x.Faultf("an objection speaks of measure %x, which is not there or has none open", id)
	}
	now := *m
	now.Objections = uint32(int(m.Objections) + change)
	put(ctx, m, &now)
}

// Opening is what an implementer learns from a check of a subject (信用核查).
type Opening struct {
	Measure *pb.Measure     // its own, or the call on all who are entitled
	Item    *pb.MeasureItem // version that counts: in force today, or under which it was applied; nil: none
	Until   calendar.Date   // last day that it would have, or has; 0 = as long as its record is in publicity
	Why     error           // what stands against applying it today; nil where it may be applied, or is
}

// Open lists what of an implementer's runs against a subject, and what it is called on to do, by measure id. Calls that it has followed are not listed again. Only records in
// publicity are spoken of.
func Open(r x.Reader, uscc, implementer string, today calendar.Date, sources Sources) (out []Opening) {
	Each(r, uscc, func(m *pb.Measure) bool {
		if !Running(m) || m.Implementer != "" && m.Implementer != implementer {
			return true
		}
		src, ok := sources(r, m.Source)
		if !ok {
			x.Faultf("measure %x rests on a record that is not there", m.Id)
		}
		if !src.Public {
			return true
		}
		o := Opening{Measure: m}
		if m.State == pb.MEASURE_APPLIED {
			o.Item, _ = catalog.MeasureItem(r, m.Item, m.Version)
			o.Until = calendar.Date(m.Until)
			out = append(out, o)
			return true
		}
		if m.Implementer == "" {
			id := ID(m.Recogniser, m.Subject, m.Source, m.Item, implementer)
			if _, ok := Get(r, id[:]); ok {
				return true
			}
		}
		if o.Item, o.Until, o.Why = mayApply(r, m.Item, implementer, 0, today, src); m.Implementer == "" && ErrImplementer.Is(o.Why) {
			return true // a call on others
		}
		out = append(out, o)
		return true
	})
	return out
}
