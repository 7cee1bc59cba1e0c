package subject

import (
	"bytes"
	"encoding/binary"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

var (
	// Subjects, by code. The row is the subject's first record: its file begins with it.
	subjects = NewRecords[pb.Subject](0x30, "subject uscc[18]")
	// Alarms (告警), subject ‖ record ‖ kind ‖ day ‖ owner. Read by recognisers and auditors, never part of a standing.
	alarms = NewRecords[pb.Alarm](0x33, "alarm uscc[18] record kind due[4] owner[18]")
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

// Enrolled is Require for who does not look at the subject: nothing is decoded.
func Enrolled(r x.Reader, uscc string) error {
	if len(uscc) == 18 {
		if _, ok := x.Peek(r, x.KeyFor(r, subjects.info.Prefix, []byte(uscc))); ok {
			return nil
		}
	}
	return ErrUnknown.With("subject %s is not enrolled", uscc)
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

// Range visits the enrolled subjects from a code up to another, ascending; to may be empty: no end.
func Range(r x.Reader, from, to string, fn func(s *pb.Subject) (more bool)) {
	r.Iterate([]byte{subjects.info.Prefix}, x.Key(subjects.info.Prefix, []byte(from)), func(_, raw []byte) bool {
		s := subjects.decode(raw)
		return (to == "" || s.Uscc < to) && fn(s)
	})
}

// Cut gives codes, the first of them empty, that cut the subjects into pieces of some size: each piece is what lies from one code up to the next.
func Cut(r x.Reader, size int) []string {
	firsts, n := []string{""}, 0
	r.Iterate([]byte{subjects.info.Prefix}, nil, func(key, _ []byte) bool {
		if n++; n > size {
			firsts, n = append(firsts, string(key[1:])), 1
		}
		return true
	})
	return firsts
}

func put(ctx *x.Ctx, s *pb.Subject) { subjects.Put(ctx, s.Uscc, nil, s) }

// Raised says whether an alarm stands.
func Raised(r x.Reader, a *pb.Alarm) bool {
	_, ok := alarms.Get(r, a.Subject, alarmKey(a))
	return ok
}

// Raise records an alarm, once for each record, kind, last day in time and agency.
func Raise(ctx *x.Ctx, a *pb.Alarm) {
	if !Raised(ctx, a) {
		alarms.PutAside(ctx, a.Subject, alarmKey(a), a)
	}
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
	_, ok := alarms.Get(r, d.Subject, alarmKey(&pb.Alarm{Record: d.Record, Kind: overdue(d), Due: int32(d.Due), Issuer: d.Owner}))
	return ok
}

// alarmKey is record ‖ kind ‖ last day in time ‖ whose duty it was: several agencies may owe the same of one record, and one may owe it again.
func alarmKey(a *pb.Alarm) []byte {
	key := binary.BigEndian.AppendUint32(append(bytes.Clone(a.Record), a.Kind...), uint32(a.Due))
	return append(key, a.Issuer...)
}

// Alarms visits the alarms of a subject.
func Alarms(r x.Reader, uscc string, fn func(a *pb.Alarm) (more bool)) { alarms.Each(r, uscc, fn) }
