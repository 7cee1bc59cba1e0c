package gateway

import (
	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/x"
)

// evenly is a reader behind an answer that must not tell what is hidden from what is unknown (INV-03). The bytes of the two are the same; the work
// was not: an id that nobody knows is looked for in every index, one whose record is hidden is found in one of them and read. Whoever has the number
// of a decision and its firm can make the id, and would have read off the time of a refusal whether there is such a record.
type evenly struct {
	x.Reader
	there, absent int // rows asked for
}

// Rows of a refusal: at least as many as any way to one reads. A test compares the ways.
const (
	evenThere  = 4
	evenAbsent = 16
)

func (e *evenly) Get(key []byte) ([]byte, bool) {
	value, found := e.Reader.Get(key)
	if found {
		e.there++
	} else {
		e.absent++
	}
	return value, found
}

// Iterate counts what a scan gives as well.
func (e *evenly) Iterate(prefix, start []byte, fn func(key, value []byte) (more bool)) {
	e.absent++
	e.Reader.Iterate(prefix, start, func(key, value []byte) bool {
		e.there++
		return fn(key, value)
	})
}

// evenScan is the least number of rows of a scan that passes over what is not shown.
const evenScan = 32

// fillScan asks for rows until they are evenScan, twice that, or twice again. A scan over all that a firm has reads what is shown and what is not: a promise that a
// repair took out of view costs as much as any.
func (e *evenly) fillScan() {
	want := evenScan
	for want < e.there {
		want *= 2
	}
	for e.there < want {
		if _, found := e.Get(app.AnyRow()); !found {
			break
		}
	}
}

// fill asks for rows until they are as many as for every refusal. id is what was asked for: the rows that are not there are looked for at a place as
// arbitrary as its own.
func (e *evenly) fill(id []byte) {
	for e.there < evenThere {
		if _, found := e.Get(app.AnyRow()); !found {
			break
		}
	}
	for n := byte(0); e.absent < evenAbsent; n++ {
		e.Get(x.Key(noTable, id, []byte{n}))
	}
}

// noTable is the first byte of no row.
const noTable = 0xfe
