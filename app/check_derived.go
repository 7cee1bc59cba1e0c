package app

import (
	"fmt"
	"slices"
	"sync"

	"github.com/xinlian-ledger/xinlian/x"
)

// derived compares the rows of all derived tables with those that the bound tables make: the same writers as after a restore make them (derive). There may
// be tens of millions, in another order than they stand in, so that neither side is kept: of each table only a sum over its rows, which does not depend on
// their order. Only where two sums differ are the rows of that table looked at one by one, to name the first that is wrong.
//
// DETERMINISM: only whether sums agree is told.
type derived struct {
	height int64 // of the block that left the state
	prints Prints
	mu     sync.Mutex  // guards made and stand
	made   [256]RowSum // by table, of the rows that follow
	stand  [256]RowSum // of the rows that stand
}

func newDerived(height int64) *derived { return &derived{height: height, prints: NewPrints()} }

// alike gives what every program writes alike of a derived row. Older ones wrote no moments, and clocks without the first of their duties: x.CheckMoments
// and x.CheckDutyClocks hold those. checkPacks holds the rows of the packs.
func alike(key, value []byte) ([]byte, bool) {
	switch t, ok := x.TableOf(key); {
	case !ok || t.Binding != x.Derived || t == packMembers || t == packNodes || x.IsMoment(key):
		return nil, false
	case x.IsTimer(key):
		return []byte{}, true
	}
	return value, true
}

// adder gives what enters rows into sums of its own, and what joins them to those of all.
func (d *derived) adder(to *[256]RowSum) (add func(key, value []byte), join func()) {
	mine := new([256]RowSum)
	var buf []byte
	add = func(key, value []byte) {
		value, ok := alike(key, value)
		if !ok {
			return
		}
		var p Print
		buf, p = d.prints.Of(buf, key, value)
		mine[key[0]].Add(p)
	}
	return add, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for i, s := range mine {
			to[i].join(s)
		}
	}
}

// jobs are the parts of the work, each for one goroutine.
func (d *derived) jobs() (out []func(r x.Reader) error) {
	for _, derive := range derivers {
		out = append(out, func(r x.Reader) error {
			add, join := d.adder(&d.made)
			derive(r, d.height, add)
			join()
			return nil
		})
	}
	for _, t := range derivedTables() {
		out = append(out, func(r x.Reader) error {
			add, join := d.adder(&d.stand)
			r.Iterate([]byte{t.Prefix}, nil, func(key, value []byte) bool { add(key, value); return true })
			join()
			return nil
		})
	}
	return out
}

func derivedTables() []*x.TableInfo {
	return slices.DeleteFunc(x.Tables(), func(t *x.TableInfo) bool { return t.Binding != x.Derived })
}

// compare tells the first table, by prefix, whose rows are not those that follow, and one of its rows.
func (d *derived) compare(r x.Reader) error {
	for _, t := range derivedTables() {
		if d.made[t.Prefix] != d.stand[t.Prefix] {
			return d.name(r, t)
		}
	}
	return nil
}

// name finds the row of a table that is wrong. It keeps 16 bytes a row.
func (d *derived) name(r x.Reader, t *x.TableInfo) (err error) {
	var buf []byte
	of := func(key, value []byte) (p Print) {
		value, _ = alike(key, value)
		buf, p = d.prints.Of(buf, key, value)
		return p
	}
	compare := func(a, b Print) int { return slices.Compare(a[:], b[:]) }
	var made, stand []Print
	makes := func(fn func(key, value []byte)) {
		for _, derive := range derivers {
			derive(r, d.height, func(key, value []byte) {
				if key[0] == t.Prefix {
					fn(key, value)
				}
			})
		}
	}
	makes(func(key, value []byte) { made = append(made, of(key, value)) })
	slices.SortFunc(made, compare)
	r.Iterate([]byte{t.Prefix}, nil, func(key, value []byte) bool {
		p := of(key, value)
		if _, ok := slices.BinarySearchFunc(made, p, compare); !ok {
			err = fmt.Errorf("row %x of table %q follows from no record", key, t.Layout)
		}
		stand = append(stand, p)
		return err == nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(stand, compare)
	makes(func(key, value []byte) {
		if _, ok := slices.BinarySearchFunc(stand, of(key, value), compare); !ok && err == nil {
			err = fmt.Errorf("row %x of table %q follows from the records and is missing, or another stands in its place", key, t.Layout)
		}
	})
	if err == nil {
		err = fmt.Errorf("%d rows of table %q stand, %d follow from the records", len(stand), t.Layout, len(made))
	}
	return err
}
