package sanction

import (
	"crypto/sha256"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Dishonesty records of all kinds, subject ‖ record id.
	records = subject.NewRecords[pb.Dishonesty](0x60, "dishonesty uscc[18] record[32]")
	// Which subject a record id belongs to. Follows from the records.
	byID = x.Declare(x.TableInfo{Prefix: 0x61, Layout: "dishonesty record[32] → uscc", Binding: x.Derived})
)

// Facts are what every kind of record states in its content.
type Facts struct {
	Issuer    string // recogniser (认定单位)
	Subject   string
	DocNo     string
	DecidedOn int32
	BreachOf  string // commitment whose breach it punishes; may be empty
	PowerCode string // 权责清单编码; may be empty
}

// Of gives the facts of a record, of whichever kind it is.
func Of(d *pb.Dishonesty) Facts {
	if d.Destroyed != nil {
		return Facts{Issuer: d.Destroyed.Issuer, Subject: d.Destroyed.Subject}
	}
	if d.Penalty != nil { // nearly every record, and asked for many times while one is written
		return penaltyFacts(d.Penalty)
	}
	return decisionOf(d).Facts
}

// decisionOf gives the decision behind a record that was not destroyed.
func decisionOf(d *pb.Dishonesty) *decision {
	switch {
	case d.Penalty != nil:
		return penaltyDecision(d.Penalty)
	case d.List != nil:
		return listDecision(d.List)
	case d.Abnormal != nil:
		return abnormalDecision(d.Abnormal)
	case d.Other != nil:
		return otherDecision(d.Other)
	}
	x.Faultf("dishonesty record %x has no content", d.Id)
	return nil
}

// contentOf encodes what the agency stated, of whichever kind the record is.
func contentOf(d *pb.Dishonesty) []byte {
	switch {
	case d.Penalty != nil:
		return x.EncodeRow(d.Penalty)
	case d.List != nil:
		return x.EncodeRow(d.List)
	case d.Abnormal != nil:
		return x.EncodeRow(d.Abnormal)
	case d.Other != nil:
		return x.EncodeRow(d.Other)
	}
	return nil
}

// Says digests what a record tells people: its content, class and dates. It stays the same while the record goes from state to state.
func Says(d *pb.Dishonesty) []byte {
	sum := sha256.Sum256(append(contentOf(d), x.EncodeRow(&pb.Dishonesty{Kind: d.Kind, Class: d.Class, MinUntil: d.MinUntil, MaxUntil: d.MaxUntil})...))
	return sum[:]
}

// kindWords name the kinds in record ids. They are permanent.
var kindWords = [...]string{pb.DISHONESTY_PENALTY: "penalty", pb.DISHONESTY_LIST: "list", pb.DISHONESTY_ABNORMAL: "abnormal", pb.DISHONESTY_OTHER: "other"}

// ID is the id of a dishonesty record: one decision has a record of its own for each of its parties.
func ID(kind pb.DishonestyKind, issuer, docNo, uscc string) [32]byte {
	return x.RecordID(kindWords[kind], issuer, docNo, uscc)
}

// PenaltyID is ID for records.
func PenaltyID(issuer, docNo, uscc string) [32]byte {
	return ID(pb.DISHONESTY_PENALTY, issuer, docNo, uscc)
}

// IndexKey is the key of the row that says whether a record stands.
func IndexKey(id []byte) []byte { return x.Key(byID.Prefix, id) }

// Get reads a record by its id.
func Get(r x.Reader, id []byte) (*pb.Dishonesty, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	uscc, ok := x.Peek(r, x.KeyFor(r, byID.Prefix, id))
	if !ok {
		return nil, false
	}
	d, ok := records.Get(r, string(uscc), id)
	if !ok {
		x.Faultf("the index knows dishonesty record %x, the table does not", id)
	}
	return d, true
}

// Each visits a subject's records by id.
func Each(r x.Reader, uscc string, fn func(d *pb.Dishonesty) (more bool)) { records.Each(r, uscc, fn) }

// All visits all records, by subject and id.
func All(r x.Reader, fn func(d *pb.Dishonesty) (more bool)) {
	records.All(r, func(_ string, d *pb.Dishonesty) bool { return fn(d) })
}

// Listed says whether an entry in a list of serious dishonesty (严重失信主体名单) stands in the subject's standing.
func Listed(r x.Reader, uscc string) (listed bool) {
	Each(r, uscc, func(d *pb.Dishonesty) bool {
		listed = d.Kind == pb.DISHONESTY_LIST && Public(d)
		return !listed
	})
	return listed
}

// Mark counts an objection (异议) to a record that is filed (+1) or resolved (-1). While one is open the record carries the mark, whoever is answered
// (INV-34). The state of the record does not change.
func Mark(ctx *x.Ctx, id []byte, change int) {
	d, ok := Get(ctx, id)
	if !ok || int(d.Objections)+change < 0 {
		x.Faultf("an objection speaks of dishonesty record %x, which is not there or has none open", id)
	}
	d.Objections = uint32(int(d.Objections) + change)
	put(ctx, d)
}

// Public says whether the record stands in the subject's standing.
func Public(d *pb.Dishonesty) bool { return d.State == pb.RECORD_PUBLISHED && !d.Held }

// Shared says whether other agencies are told of a record that the public is not told of any more: its publicity has run out, and governance has it so
// (share_after_expiry).
func Shared(r x.Reader, d *pb.Dishonesty) bool {
	return d.State == pb.RECORD_EXPIRED && catalog.Bool(r, "share_after_expiry")
}

// Live says whether the record still runs: it is registered, in publicity, kept out of it by its class, or shielded.
func Live(d *pb.Dishonesty) bool {
	switch d.State {
	case pb.RECORD_REGISTERED, pb.RECORD_PUBLISHED, pb.RECORD_UNPUBLISHED, pb.RECORD_SHIELDED:
		return true
	}
	return false
}

// StateOf is the state of a record, whether it has gone to the archive since or not.
func StateOf(d *pb.Dishonesty) pb.RecordState {
	if d.State == pb.RECORD_ARCHIVED || d.State == pb.RECORD_DESTROYED {
		return d.ArchivedAs
	}
	return d.State
}

// Repairable says whether a repair may be decided on the record: it is in publicity, or kept out of it by its class.
func Repairable(d *pb.Dishonesty) bool {
	return d.State == pb.RECORD_PUBLISHED || d.State == pb.RECORD_UNPUBLISHED
}

// Duties that a record lays on agencies. Numbers 1–19 are this package's.
var (
	DutyPublish  = x.DeclareDuty(1, "publish", "公示", "G5, INV-11")
	DutyVerify   = x.DeclareDuty(2, "verify_inbound", "核验入库", "H1 art 17")
	DutyWithdraw = x.DeclareDuty(3, "withdraw", "撤销公示", "L1 arts 48, 85")
	// What becomes of an entry in a list after a penalty that it rests on was withdrawn.
	DutyReexamine = x.DeclareDuty(9, "reexamine_listing", "复查列入依据", "H1 art 66, L1 arts 48, 85")
)

// alarmBit is the bit of Dishonesty.alarms that says that a duty was not done in time.
func alarmBit(k x.DutyKind) uint32 { return 1 << (k - 1) }

// TimersOf gives the timers that follow from a record, but for those of its duties.
func TimersOf(d *pb.Dishonesty) []x.Timer {
	switch d.State {
	case pb.RECORD_PUBLISHED, pb.RECORD_UNPUBLISHED, pb.RECORD_SHIELDED:
		if d.Extended {
			return nil
		}
		return []x.Timer{{Class: x.EndsVisibility, Due: calendar.EndUnix(calendar.Date(d.MaxUntil)), Kind: x.TimerPublicityMax, ID: timerID(d)}}
	case pb.RECORD_REPAIRED, pb.RECORD_EXPIRED, pb.RECORD_WITHDRAWN, pb.RECORD_CORRECTED:
		return []x.Timer{{Class: x.Other, Due: calendar.EndUnix(calendar.Date(d.ArchiveOn)), Kind: x.TimerArchive, ID: timerID(d)}}
	}
	return nil
}

func timerID(d *pb.Dishonesty) []byte { return append([]byte(Of(d).Subject), d.Id...) }

// DutiesOf gives the duties that a record lays on agencies.
func DutiesOf(d *pb.Dishonesty) (out []x.Duty) {
	f := Of(d)
	owe := func(owner string, kind x.DutyKind, due int32) {
		if out == nil {
			out = make([]x.Duty, 0, 2) // those of a record that is registered
		}
		out = append(out, x.Duty{Owner: owner, Due: calendar.Date(due), Kind: kind, Subject: f.Subject, Record: d.Id, Alarmed: d.Alarms&alarmBit(kind) != 0})
	}
	if d.State == pb.RECORD_REGISTERED {
		owe(f.Issuer, DutyPublish, d.PublishBy)
		owe(d.Verifier, DutyVerify, d.VerifyBy)
	}
	if d.WithdrawBy != 0 && Live(d) {
		owe(f.Issuer, DutyWithdraw, d.WithdrawBy)
	}
	if d.ReexamineBy != 0 && Live(d) {
		owe(f.Issuer, DutyReexamine, d.ReexamineBy)
	}
	if d.Held {
		owe(f.Issuer, DutyAnswerHold, d.AnswerBy)
	}
	return out
}

// put writes a record and keeps index, timers, duties and bars in step with it: a published one of class 严重 bars, and one that punishes a
// breach holds that breach's bar while it lives.
func put(ctx *x.Ctx, d *pb.Dishonesty) {
	old, ok := records.Get(ctx, Of(d).Subject, d.Id)
	if !ok {
		x.Faultf("dishonesty record %x is changed and does not stand", d.Id)
	}
	write(ctx, old, d)
}

// create writes a record that the index does not know: there is no older version to look for.
func create(ctx *x.Ctx, d *pb.Dishonesty) {
	if d.Verifier == "" {
		d.Verifier = Of(d).Issuer
	}
	ctx.Set(x.KeyFor(ctx, byID.Prefix, d.Id), []byte(Of(d).Subject))
	write(ctx, nil, d)
}

func write(ctx *x.Ctx, old, d *pb.Dishonesty) {
	settle(ctx, d)
	if old == nil {
		x.Reschedule(ctx, nil, TimersOf(d))
		x.Assign(ctx, nil, DutiesOf(d))
	} else {
		x.Reschedule(ctx, TimersOf(old), TimersOf(d))
		x.Assign(ctx, DutiesOf(old), DutiesOf(d))
	}
	if Public(d) || old != nil && Public(old) {
		records.Put(ctx, Of(d).Subject, d.Id, d)
	} else {
		records.PutAside(ctx, Of(d).Subject, d.Id, d)
	}
	setBars(ctx, old, d)
	board(ctx, old, d)
	setFines(ctx, old, d)
	weigh(ctx, old, d)
	if old == nil {
		return
	}
	setMeasures(ctx, old, d)
	switch was, is := Public(old), Public(d); {
	case was && !is:
		left(ctx, d)
	case is && !was:
		returned(ctx, d)
	}
	// No application speaks of a record that is registered for the first time.
	if (old.State != pb.RECORD_REGISTERED || d.Version > 0) && (Public(old) != Public(d) || Repairable(old) != Repairable(d)) {
		ctx.Moved = append(ctx.Moved, x.Moved{Subject: Of(d).Subject, Record: d.Id})
	}
}

// settle sets what follows from the state of a record: one that has ended stays beyond no term, and goes to the archive on a day, by the parameter of
// the day on which it ended.
func settle(ctx *x.Ctx, d *pb.Dishonesty) {
	if d.State != pb.RECORD_PUBLISHED {
		unhold(d)
	}
	if Live(d) {
		d.ArchiveOn, d.ArchivedAs = 0, pb.RECORD_UNSET
		return
	}
	d.Extended = false
	if d.ArchiveOn == 0 {
		d.ArchiveOn = int32(ctx.Today.AddDays(int(catalog.Int(ctx, "archive_grace_days"))))
	}
}

// left is called in the block in which a record leaves publicity, whatever the cause, when the record has been written (INV-02). It may read the
// record and must not write it.
func left(ctx *x.Ctx, d *pb.Dishonesty) {
	if cause := causeOf(d); cause != pb.PROPAGATION_UNSET {
		propagate(ctx, d, cause)
	}
}

// setBars keeps the bars of package commitment in step with a record. old is nil for a new one.
func setBars(ctx *x.Ctx, old, now *pb.Dishonesty) {
	f := Of(now)
	bars := func(d *pb.Dishonesty) bool { return d != nil && Public(d) && d.Class == pb.SEVERITY_SERIOUS }
	switch was, is := bars(old), bars(now); {
	case is && !was:
		commitment.Bar(ctx, f.Subject, now.Id)
	case was && !is:
		commitment.LiftBar(ctx, f.Subject, now.Id)
	}
	was, is := "", "" // the breach that the record punishes while it lives; a correction may change it
	if old != nil && Live(old) {
		was = Of(old).BreachOf
	}
	if Live(now) {
		is = f.BreachOf
	}
	if was == is {
		return
	}
	if is != "" {
		commitment.Link(ctx, is, now.Id)
	}
	if was != "" {
		commitment.Unlink(ctx, was, now.Id)
	}
}
