package calendar

import (
	"fmt"
	"sort"
)

// Limits.
const (
	// MaxExceptions bounds one table: two centuries at forty exceptions a year would fit.
	MaxExceptions = 8192
	// MaxWorkingDays bounds one period. The longest in the rules is under a hundred; a
	// longer one saturates here and not after a scan of a century.
	MaxWorkingDays = 1000
)

// Exceptions says where a day differs from the Monday-to-Friday rule. It is an interface so
// that the rules can count straight from the chain's own table, at the height they run at.
type Exceptions interface {
	// Lookup tells whether the day is listed and, if so, whether it is a working day.
	Lookup(d Date) (working, listed bool)
}

// Exception is one listed day: a holiday (working false) or a make-up working day (调休).
type Exception struct {
	Date    Date
	Working bool
}

// Table is an exception list in memory. The zero Table lists nothing.
type Table struct {
	days []Exception // ascending by Date, never changed after NewTable
}

// NewTable takes exceptions in ascending order without doubles. A listed day that merely
// repeats the Monday-to-Friday rule is allowed: holiday notices name their weekends too.
func NewTable(days []Exception) (Table, error) {
	if len(days) > MaxExceptions {
		return Table{}, fmt.Errorf("calendar: %d exceptions, at most %d", len(days), MaxExceptions)
	}
	for i, e := range days {
		if err := e.Date.Check(); err != nil {
			return Table{}, fmt.Errorf("calendar: exception %d: %w", i+1, err)
		}
		if i > 0 && days[i-1].Date >= e.Date {
			return Table{}, fmt.Errorf("calendar: exception %d (%s) is not after the one before it", i+1, e.Date)
		}
	}
	return Table{days: append([]Exception(nil), days...)}, nil
}

// Lookup implements Exceptions.
func (t Table) Lookup(d Date) (working, listed bool) {
	i := sort.Search(len(t.days), func(i int) bool { return t.days[i].Date >= d })
	if i == len(t.days) || t.days[i].Date != d {
		return false, false
	}
	return t.days[i].Working, true
}

// Calendar counts working days by one version of the exceptions. The zero Calendar is the
// plain Monday-to-Friday rule.
type Calendar struct {
	version    uint64
	exceptions Exceptions
}

// New gives a calendar over the exceptions; version is the catalogue version they stand in,
// carried along so that an answer can name the calendar it was counted by (INV-27).
func New(version uint64, exceptions Exceptions) Calendar {
	return Calendar{version: version, exceptions: exceptions}
}

// Version is the version given to New.
func (c Calendar) Version() uint64 { return c.version }

// IsWorkingDay tells whether the day is a working day (工作日).
func (c Calendar) IsWorkingDay(d Date) bool {
	if c.exceptions != nil {
		if working, listed := c.exceptions.Lookup(d); listed {
			return working
		}
	}
	w := d.Weekday()
	return w != Saturday && w != Sunday
}

// NextWorkingDay is the first working day after d.
func (c Calendar) NextWorkingDay(d Date) Date { return c.AddWorkingDays(d, 1) }

// Roll gives the day on which a period that ends on d really ends: d itself, or the next
// working day if d is a rest day (民法典 203).
func (c Calendar) Roll(d Date) Date {
	if !d.Valid() {
		return d
	}
	// Ends: each step is one day nearer to Max.
	for d < Max && !c.IsWorkingDay(d) {
		d++
	}
	return d
}

// AddWorkingDays is the n-th working day after d; d itself does not count (民法典 201), whether
// it is a working day or not. n = 0 and below give d. A calendar without another working day
// gives Max.
func (c Calendar) AddWorkingDays(d Date, n int) Date {
	if !d.Valid() {
		return d
	}
	n = min(n, MaxWorkingDays)
	// Ends: each step is one day nearer to Max.
	for n > 0 && d < Max {
		d++
		if c.IsWorkingDay(d) {
			n--
		}
	}
	return d
}

// WorkingDays counts the working days after from, up to and including to: how many of a limit
// are used up. It is 0 if to is not after from, and stops at MaxWorkingDays.
func (c Calendar) WorkingDays(from, to Date) int {
	if !from.Valid() || !to.Valid() {
		return 0
	}
	n := 0
	for d := from; d < to && n < MaxWorkingDays; {
		d++
		if c.IsWorkingDay(d) {
			n++
		}
	}
	return n
}
