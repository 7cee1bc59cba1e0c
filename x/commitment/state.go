package commitment

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

var (
	// Commitments, subject ‖ code.
	commitments = subject.NewRecords[pb.Commitment](0x40, "commitment uscc[18] code[20]")
	// Which subject a code belongs to: code → uscc. Follows from the commitments.
	byCode = x.Declare(x.TableInfo{Prefix: 0x41, Layout: "commitment code[20] → uscc", Binding: x.Derived})
	// Which code a record id belongs to. Follows from the commitments.
	byID = x.Declare(x.TableInfo{Prefix: 0x43, Layout: "commitment record[32] → code", Binding: x.Derived})
	// Bars, subject ‖ cause.
	bars = subject.NewRecords[pb.PromiseBar](0x42, "promise bar uscc[18] cause[32]")
	// Those in force: lifted ones stay in the file for ever, and nobody should read them to find one that stands. Value empty. Follows from the bars.
	standingBars = x.Declare(x.TableInfo{Prefix: 0x44, Layout: "bar in force uscc[18] cause[32]", Binding: x.Derived})
)

// Get reads a commitment by its code.
func Get(r x.Reader, code string) (*pb.Commitment, bool) {
	uscc, ok := r.Get(x.Key(byCode.Prefix, []byte(code)))
	if !ok {
		return nil, false
	}
	c, ok := commitments.Get(r, string(uscc), []byte(code))
	if !ok {
		x.Faultf("the index knows commitment %s, the table does not", code)
	}
	return c, true
}

// GetByID reads a commitment by its record id.
func GetByID(r x.Reader, id []byte) (*pb.Commitment, bool) {
	if len(id) != pb.DigestBytes {
		return nil, false
	}
	code, ok := r.Get(x.Key(byID.Prefix, id))
	if !ok {
		return nil, false
	}
	return Get(r, string(code))
}

// Each visits a subject's commitments by code.
func Each(r x.Reader, uscc string, fn func(c *pb.Commitment) (more bool)) {
	commitments.Each(r, uscc, fn)
}

// All visits all commitments, by subject and code.
func All(r x.Reader, fn func(c *pb.Commitment) (more bool)) {
	commitments.All(r, func(_ string, c *pb.Commitment) bool { return fn(c) })
}

// Mark counts an objection (异议) to a finding of breach that is filed (+1) or resolved (-1). While one is open the commitment carries the mark,
// whoever is answered (INV-34).
func Mark(ctx *x.Ctx, code string, change int) {
	c, ok := Get(ctx, code)
	if !ok || int(c.Objections)+change < 0 {
		x.Faultf("an objection speaks of commitment %s, which is not there or has none open", code)
	}
	c.Objections = uint32(int(c.Objections) + change)
	put(ctx, c)
}

// ID is the record id of a commitment.
func ID(c *pb.CommitmentContent) []byte {
	id := x.RecordID("commitment", c.Acceptor, c.Code, c.Subject)
	return id[:]
}

// Public says whether the commitment stands in the subject's standing: its acceptor made it public, and no repair has taken it out.
func Public(c *pb.Commitment) bool { return c.Content.Publication == 1 && !c.Hidden }

// put writes a commitment and keeps index and timers in step with it.
func put(ctx *x.Ctx, c *pb.Commitment) {
	key := []byte(c.Content.Code)
	old, ok := commitments.Get(ctx, c.Content.Subject, key)
	if !ok {
		ctx.Set(x.Key(byCode.Prefix, key), []byte(c.Content.Subject))
		ctx.Set(x.Key(byID.Prefix, ID(&c.Content)), key)
		old = &pb.Commitment{}
	}
	for _, d := range DutiesOf(old) { // done after its day, before its clock had its turn
		if d.Kind != DutyCheck && c.Alarms&alarmBits[d.Kind] == 0 && int32(ctx.Today) > int32(d.Due) {
			raise(ctx, c, d)
		}
	}
	x.Assign(ctx, DutiesOf(old), DutiesOf(c))
	commitments.Put(ctx, c.Content.Subject, key, c)
}

// What agencies must do about commitments.
var (
	DutyAccept = x.DeclareDuty(60, "accept_commitment", "受理信用承诺", "§11.1")
	// DutyCheck is the time in which each commitment is checked at least once. When it ends unassessed nobody is late yet: the assessment falls due.
	DutyCheck  = x.DeclareDuty(61, "check_commitment", "监管承诺履行", "A1-2, §11.1")
	DutyAssess = x.DeclareDuty(62, "assess_commitment", "评估承诺履行", "§11.1")
	DutyMend   = x.DeclareDuty(63, "verify_mend", "核实自行补正", "§11.1")
)

// Bits of Commitment.alarms.
const (
	alarmAccept = 1 << iota
	alarmAssess
	alarmMend
)

var alarmBits = map[x.DutyKind]uint32{DutyAccept: alarmAccept, DutyAssess: alarmAssess, DutyMend: alarmMend} // DETERMINISM: looked up, never ranged over

// DutiesOf gives the duties that a commitment lays on its acceptor.
func DutiesOf(c *pb.Commitment) (out []x.Duty) {
	add := func(kind x.DutyKind, due int32) {
		out = append(out, x.Duty{
			Owner: c.Content.Acceptor, Due: calendar.Date(due), Kind: kind, Subject: c.Content.Subject, Record: []byte(c.Content.Code),
			Alarmed: c.Alarms&alarmBits[kind] != 0,
		})
	}
	switch c.State {
	case pb.COMMITMENT_PENDING:
		add(DutyAccept, c.AcceptBy)
	case pb.COMMITMENT_SUPERVISED:
		add(DutyCheck, c.CheckBy)
	case pb.COMMITMENT_DUE:
		add(DutyAssess, c.AssessBy)
	}
	if c.MendedOn != 0 {
		add(DutyMend, c.MendBy)
	}
	return out
}

// Barred finds a bar in force against a subject, if there is one: the first by cause.
func Barred(r x.Reader, uscc string) (bar *pb.PromiseBar, barred bool) {
	r.Iterate(x.Key(standingBars.Prefix, []byte(uscc)), nil, func(key, _ []byte) bool {
		bar, barred = bars.Get(r, uscc, key[19:])
		if !barred {
			x.Faultf("the index names bar %x of %s, the table does not", key[19:], uscc)
		}
		return false
	})
	return bar, barred
}

// LinkedTo counts the live records that punish the breach of a commitment.
func LinkedTo(r x.Reader, c *pb.Commitment) int {
	b, ok := bars.Get(r, c.Content.Subject, ID(&c.Content))
	if !ok {
		return 0
	}
	return len(b.Linked)
}

// Bars visits all bars of a subject, lifted ones too.
func Bars(r x.Reader, uscc string, fn func(b *pb.PromiseBar) (more bool)) { bars.Each(r, uscc, fn) }

// Supervision is 承诺监管状态 of the collection template: 0 while the commitment is supervised or waits for it, 2 once that is over.
func Supervision(c *pb.Commitment) uint32 {
	switch c.State {
	case pb.COMMITMENT_PENDING, pb.COMMITMENT_SUPERVISED, pb.COMMITMENT_DUE, pb.COMMITMENT_BREACHED:
		return 0
	}
	return 2
}

// InForce says whether a breach still counts against the subject: it is found and neither withdrawn nor assessed anew as fulfilled.
func InForce(c *pb.Commitment) bool {
	return c.State == pb.COMMITMENT_BREACHED || c.State == pb.COMMITMENT_CURED
}

func putBar(ctx *x.Ctx, b *pb.PromiseBar) {
	if key := x.Key(standingBars.Prefix, []byte(b.Subject), b.CauseId); b.LiftedOn == 0 {
		ctx.Set(key, []byte{})
	} else {
		ctx.Delete(key)
	}
	bars.Put(ctx, b.Subject, b.CauseId, b)
}
