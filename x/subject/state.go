package subject

import (
	"bytes"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

var (
	// Subjects, by code. The row is the subject's first record: its file begins with it.
	subjects = NewRecords[pb.Subject](0x30, "subject uscc[18]")
	// Alarms (告警), subject ‖ record ‖ kind. Read by recognisers and auditors, never part of a standing.
	alarms = NewRecords[pb.Alarm](0x33, "alarm uscc[18] record[32] kind")
)

// Get reads a subject.
func Get(r x.Reader, uscc string) (*pb.Subject, bool) {
	if len(uscc) != 18 {
		return nil, false
	}
	return subjects.Get(r, uscc, nil)
}

// Require refuses a code that is not enrolled.
func Require(r x.Reader, uscc string) (*pb.Subject, error) {
	s, ok := Get(r, uscc)
	if !ok {
		return nil, ErrUnknown.With("subject %s is not enrolled", uscc)
	}
	return s, nil
}

// List visits the enrolled subjects after a code, ascending.
func List(r x.Reader, after string, fn func(s *pb.Subject) (more bool)) {
	prefix := []byte{subjects.info.Prefix}
	start := x.Key(subjects.info.Prefix, []byte(after), []byte{0})
	if after == "" {
		start = nil
	}
	r.Iterate(prefix, start, func(_, raw []byte) bool { return fn(subjects.decode(raw)) })
}

func put(ctx *x.Ctx, s *pb.Subject) { subjects.Put(ctx, s.Uscc, nil, s) }

// Raise records an alarm, once for each record and kind.
func Raise(ctx *x.Ctx, a *pb.Alarm) {
	key := alarmKey(a)
	if _, ok := alarms.Get(ctx, a.Subject, key); ok {
		return
	}
	alarms.PutAside(ctx, a.Subject, key, a)
}

// RaiseMissed records that a duty was not done in time: the alarm's kind is the duty's token with "_overdue".
func RaiseMissed(ctx *x.Ctx, d x.Duty) {
	Raise(ctx, &pb.Alarm{
		Subject: d.Subject, Record: d.Record, Kind: overdue(d), Due: int32(d.Due), Happened: int32(ctx.Today), Issuer: d.Owner,
	})
}

func overdue(d x.Duty) string { return d.Kind.Info().Token + "_overdue" }

// Missed says whether an alarm tells that a duty was not done in time.
func Missed(r x.Reader, d x.Duty) bool {
	a, ok := alarms.Get(r, d.Subject, alarmKey(&pb.Alarm{Record: d.Record, Kind: overdue(d)}))
	return ok && a.Due == int32(d.Due)
}

func alarmKey(a *pb.Alarm) []byte { return append(bytes.Clone(a.Record), a.Kind...) }

// Alarms visits the alarms of a subject.
func Alarms(r x.Reader, uscc string, fn func(a *pb.Alarm) (more bool)) { alarms.Each(r, uscc, fn) }
