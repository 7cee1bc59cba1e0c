package sanction

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// 积累关注 (A4-8): a subject with as many published records of class 一般 within a window as the threshold says is watched more closely. It is no sanction, and
// no public answer knows of it; it raises the class of inspections. It follows from published facts alone, so that it ends with them.
var (
	attentions = subject.NewRecords[pb.Attention](0x6b, "attention uscc[18]")
	// Records of class 一般 in publicity by the day of their decision. Value empty. Follows from the records.
	general = x.Declare(x.TableInfo{Prefix: 0x6c, Layout: "general in publicity uscc[18] decided[4] dishonesty record[32]", Binding: x.Derived})
)

// AttentionOf reads the attention that a subject is, or was, under.
func AttentionOf(r x.Reader, uscc string) (*pb.Attention, bool) { return attentions.Get(r, uscc, nil) }

// UnderAttention says whether a subject is watched more closely.
func UnderAttention(r x.Reader, uscc string) bool {
	a, ok := AttentionOf(r, uscc)
	return ok && a.EndedOn == 0
}

func generalKey(d *pb.Dishonesty) []byte {
	f := Of(d)
	return x.Key(general.Prefix, []byte(f.Subject), binary.BigEndian.AppendUint32(nil, uint32(f.DecidedOn)), d.Id)
}

// weigh keeps the index and the attention of a subject in step with a record. old is nil for a new one.
func weigh(ctx *x.Ctx, old, now *pb.Dishonesty) {
	counts := func(d *pb.Dishonesty) bool { return d != nil && Public(d) && d.Class == pb.SEVERITY_GENERAL }
	was, is := counts(old), counts(now)
	if !was && !is || was && is && Of(old).DecidedOn == Of(now).DecidedOn {
		return
	}
	if was {
		ctx.Delete(generalKey(old))
	}
	if is {
		ctx.Set(generalKey(now), []byte{})
	}
	attend(ctx, Of(now).Subject)
}

// attend makes the attention of a subject anew. The threshold-many oldest records within the window are its triggers: the day on which the first of them
// is too old is the next on which somebody has to look.
func attend(ctx *x.Ctx, uscc string) {
	threshold, window := int(catalog.Int(ctx, "attention_threshold")), int(catalog.Int(ctx, "attention_window_months"))
	var triggers [][]byte
	var until calendar.Date
	prefix := x.Key(general.Prefix, []byte(uscc))
	from := ctx.Today.AddMonths(-window).AddDays(-4) // month ends: what the window lets through is asked of each
	ctx.Iterate(prefix, x.Key(general.Prefix, []byte(uscc), binary.BigEndian.AppendUint32(nil, uint32(from))), func(key, _ []byte) bool {
		last := calendar.Date(binary.BigEndian.Uint32(key[19:23])).AddMonths(window)
		if last < ctx.Today {
			return true
		}
		if len(triggers) == 0 {
			until = last
		}
		triggers = append(triggers, bytes.Clone(key[23:]))
		return len(triggers) < threshold
	})
	old, ok := AttentionOf(ctx, uscc)
	runs := ok && old.EndedOn == 0
	switch reached := len(triggers) >= threshold; {
	case !reached && !runs:
		return
	case !reached:
		ended := *old
		ended.EndedOn, ended.CheckOn, ended.Triggers = int32(ctx.Today), 0, nil
		putAttention(ctx, old, &ended)
		return
	case runs && old.CheckOn == int32(until) && slices.EqualFunc(old.Triggers, triggers, bytes.Equal):
		return
	}
	now := &pb.Attention{
		Subject: uscc, Since: int32(ctx.Today), Threshold: uint32(threshold), WindowMonths: uint32(window), CheckOn: int32(until), Triggers: triggers,
	}
	if runs {
		now.Since = old.Since
	}
	putAttention(ctx, old, now)
}

func timersOfAttention(a *pb.Attention) []x.Timer {
	if a == nil || a.EndedOn != 0 {
		return nil
	}
	return []x.Timer{{Class: x.Other, Due: calendar.EndUnix(calendar.Date(a.CheckOn)), Kind: x.TimerAttention, ID: []byte(a.Subject)}}
}

func putAttention(ctx *x.Ctx, old, now *pb.Attention) {
	x.Reschedule(ctx, timersOfAttention(old), timersOfAttention(now))
	attentions.PutAside(ctx, now.Subject, nil, now)
}

// AttentionDue is A2, by timer: a record has grown too old to count.
func AttentionDue(ctx *x.Ctx, id []byte) {
	if !UnderAttention(ctx, string(id)) {
		x.Faultf("a timer speaks of the attention of %s, which does not run", id)
	}
	attend(ctx, string(id))
}

// checkAttention holds that each attention that runs rests on as many records as it says.
func checkAttention(r x.Reader) (err error) {
	attentions.All(r, func(uscc string, a *pb.Attention) bool {
		if a.EndedOn == 0 && len(a.Triggers) != int(a.Threshold) {
			err = fmt.Errorf("ATT-2: attention of %s rests on %d records, its threshold is %d", uscc, len(a.Triggers), a.Threshold)
		}
		for _, id := range a.Triggers {
			if d, ok := Get(r, id); !ok || Of(d).Subject != uscc || !Public(d) || d.Class != pb.SEVERITY_GENERAL {
				err = fmt.Errorf("ATT-2: attention of %s rests on record %x, which does not count", uscc, id)
			}
		}
		return err == nil
	})
	return err
}
