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
	x.Reschedule(ctx, TimersOf(old), TimersOf(c))
	commitments.Put(ctx, c.Content.Subject, key, c)
}

// TimersOf gives the timers that follow from a commitment.
func TimersOf(c *pb.Commitment) []x.Timer {
	if c.State != pb.COMMITMENT_SUPERVISED || c.Content.ValidUntil == 0 {
		return nil
	}
	return []x.Timer{{
		Class: x.Other, Due: calendar.EndUnix(calendar.Date(c.Content.ValidUntil)), Kind: x.TimerCommitmentExpire,
		ID: append([]byte(c.Content.Subject), c.Content.Code...),
	}}
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

func putBar(ctx *x.Ctx, b *pb.PromiseBar) {
	if key := x.Key(standingBars.Prefix, []byte(b.Subject), b.CauseId); b.LiftedOn == 0 {
		ctx.Set(key, []byte{})
	} else {
		ctx.Delete(key)
	}
	bars.Put(ctx, b.Subject, b.CauseId, b)
}
