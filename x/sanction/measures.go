package sanction

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/measure"
)

// What package measure is told of a record, and when.

// MeasureSource is what a measure must know of the record that it rests on.
func MeasureSource(r x.Reader, id []byte) (measure.Source, bool) {
	d, ok := Get(r, id)
	if !ok {
		return measure.Source{}, false
	}
	return sourceOf(d), true
}

func sourceOf(d *pb.Dishonesty) measure.Source {
	f := Of(d)
	s := measure.Source{Subject: f.Subject, Recogniser: f.Issuer, Kind: d.Kind, Class: d.Class, Public: Public(d), Final: d.Final}
	if d.List != nil {
		s.List = d.List.List
	}
	return s
}

// carries says whether measures may be called for on a record: it is in publicity, or on its way there.
func carries(d *pb.Dishonesty) bool { return d.State == pb.RECORD_REGISTERED || Public(d) }

// setMeasures keeps the measures that rest on a record in step with it: they end in the very block in which it leaves publicity (INV-02), and are called
// for again when it stands again. A new record carries none.
func setMeasures(ctx *x.Ctx, old, now *pb.Dishonesty) {
	switch was, is := carries(old), carries(now); {
	case was && !is:
		measure.Lift(ctx, now.Id)
	case is && !was:
		measure.Revive(ctx, now.Id)
	}
}

// checkMeasures is INV-02 and INV-36: a measure that runs rests on a record that carries it, of its subject and recogniser, and one that is carried out on
// a final decision, where neither its statute nor governance ever said otherwise.
func checkMeasures(r x.Reader) (err error) {
	onDecision := catalog.EverSet(r, "measures_count_when")
	measure.All(r, func(m *pb.Measure) bool {
		d, ok := Get(r, m.Source)
		item, _ := catalog.MeasureItem(r, m.Item, m.Version)
		switch {
		case !ok || Of(d).Subject != m.Subject || Of(d).Issuer != m.Recogniser:
			err = fmt.Errorf("MSR-1: measure %x rests on no record of its subject and recogniser", m.Id)
		case measure.Running(m) && !carries(d):
			err = fmt.Errorf("INV-02: measure %x runs, its record is %s", m.Id, d.State)
		case m.State == pb.MEASURE_APPLIED && !d.Final && !item.AtOnce && !onDecision:
			err = fmt.Errorf("INV-36: measure %x is carried out on a decision that is not final", m.Id)
		}
		return err == nil
	})
	return err
}
