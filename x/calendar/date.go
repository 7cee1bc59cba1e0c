package calendar

import (
	"errors"
	"fmt"
)

// Date is a civil day in China: days since 1970-01-01. Zero means unset; 1970-01-01
// itself lies outside the valid range, so nothing is lost by that.
type Date int32

// The valid range. Records older than Min are outside the credit system altogether, and a
// date beyond Max is a typing error rather than a plan.
const (
	Unset Date = 0
	Min   Date = 7305  // 1990-01-01
	Max   Date = 47846 // 2100-12-31

	minYear = 1990
	maxYear = 2100
)

const (
	secondsPerDay = 86_400
	// China has kept one zone and no summer time since 1991. A fixed offset also for the
	// summers of 1990 and 1991 is a choice: a day must not depend on a zone database.
	zoneSeconds = 8 * 3600
)

// Weekday counts from Sunday = 0, as package time does.
type Weekday int

// The two days that rest unless a make-up working day says otherwise.
const (
	Sunday   Weekday = 0
	Saturday Weekday = 6
)

// Errors of this package. The caller gives them their place in the rule book.
var (
	ErrSyntax = errors.New("a date is written YYYY-MM-DD")
	ErrNoDay  = errors.New("no such day in the calendar")
	ErrRange  = errors.New("a date lies between 1990-01-01 and 2100-12-31")
)

// ParseDate reads YYYY-MM-DD exactly: ten ASCII characters, a day that exists, in range.
// It does not guess: a spreadsheet's serial number or a slash is refused.
func ParseDate(s string) (Date, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return Unset, ErrSyntax
	}
	y, ok1 := digits(s[0:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 {
		return Unset, ErrSyntax
	}
	return FromYMD(y, m, d)
}

// FromYMD gives the day of a year, month (1–12) and day of month.
func FromYMD(year, month, day int) (Date, error) {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return Unset, ErrNoDay
	}
	// The range comes before the month's length so that the arithmetic below never sees
	// a year it was not tested for.
	if year < minYear || year > maxYear {
		return Unset, ErrRange
	}
	if day > daysIn(year, month) {
		return Unset, ErrNoDay
	}
	return fromCivil(year, month, day), nil
}

// Of gives the day at an instant (unix seconds) in China. An instant before Min is unset,
// one after Max is Max.
func Of(unixSeconds int64) Date {
	if unixSeconds < StartUnix(Min) {
		return Unset
	}
	if unixSeconds >= EndUnix(Max) {
		return Max
	}
	return Date((unixSeconds + zoneSeconds) / secondsPerDay)
}

// StartUnix is the instant (unix seconds) at which the day begins in China.
func StartUnix(d Date) int64 { return int64(d)*secondsPerDay - zoneSeconds }

// EndUnix is the first instant after the day: a period ends at 24:00 of its last day (民法典 203).
func EndUnix(d Date) int64 { return StartUnix(d) + secondsPerDay }

// IsSet tells whether the date is given at all.
func (d Date) IsSet() bool { return d != Unset }

// Valid tells whether the date is set and in range. Unset is not valid: a field that may be
// left out is tested with IsSet first.
func (d Date) Valid() bool { return d >= Min && d <= Max }

// Check refuses what may not stand in a record. Unset is refused too.
func (d Date) Check() error {
	if !d.Valid() {
		return ErrRange
	}
	return nil
}

// String writes YYYY-MM-DD, nothing for an unset date, and the bare number for a value that
// no valid record can hold.
func (d Date) String() string {
	if d == Unset {
		return ""
	}
	if !d.Valid() {
		return fmt.Sprintf("day(%d)", int32(d))
	}
	y, m, day := d.YMD()
	b := [10]byte{4: '-', 7: '-'}
	putDigits(b[0:4], y)
	putDigits(b[5:7], m)
	putDigits(b[8:10], day)
	return string(b[:])
}

// YMD gives year, month (1–12) and day of month; zeros for a date that is not valid.
func (d Date) YMD() (year, month, day int) {
	if !d.Valid() {
		return 0, 0, 0
	}
	return civil(d)
}

// Weekday gives the day of the week. 1970-01-01 was a Thursday.
func (d Date) Weekday() Weekday {
	w := (int64(d) + 4) % 7
	if w < 0 {
		w += 7
	}
	return Weekday(w)
}

// AddDays moves by n days; the first day does not count (民法典 201), so the day after a
// decision is one day later. n may be negative.
func (d Date) AddDays(n int) Date {
	if d == Unset {
		return Unset
	}
	// n is cut first: no sum below can overflow.
	n = clamp(n, -spanDays, spanDays)
	return saturate(int64(d) + int64(n))
}

// AddMonths moves by n months to the corresponding day, or to the month's end where the
// month has no such day (民法典 202). n may be negative. The day of the starting date is what
// counts: 01-31 and two months is 03-31, never by way of 02-28.
func (d Date) AddMonths(n int) Date {
	if d == Unset {
		return Unset
	}
	if !d.Valid() {
		return saturate(int64(d))
	}
	n = clamp(n, -spanMonths, spanMonths)
	y, m, day := civil(d)
	months := y*12 + (m - 1) + n
	y, m = months/12, months%12+1
	switch {
	case y < minYear:
		return Min
	case y > maxYear:
		return Max
	}
	return fromCivil(y, m, min(day, daysIn(y, m)))
}

// AddYears moves by n years; 02-29 becomes 02-28 where the year has no leap day (民法典 202).
func (d Date) AddYears(n int) Date {
	return d.AddMonths(clamp(n, -spanMonths, spanMonths) * 12)
}

// No movement inside the valid range is longer than these; anything longer saturates.
const (
	spanDays   = int(Max) + 1
	spanMonths = (maxYear - minYear + 1) * 12
)

// clamp keeps n in [lo, hi].
func clamp(n, lo, hi int) int { return min(max(n, lo), hi) }

// saturate keeps a day count in the valid range.
func saturate(days int64) Date {
	return Date(min(max(days, int64(Min)), int64(Max)))
}

// IsLeap tells whether a Gregorian year has 366 days.
func IsLeap(year int) bool {
	return year%4 == 0 && (year%100 != 0 || year%400 == 0)
}

// daysIn gives the length of a month.
func daysIn(year, month int) int {
	switch month {
	case 2:
		if IsLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// fromCivil counts days to a civil date of the valid range. Years are counted from March, so
// that the leap day is the last of its year and month lengths follow one formula.
func fromCivil(year, month, day int) Date {
	if month <= 2 {
		year--
		month += 12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1
	return Date(days - epochDays)
}

// epochDays is the number of days from 0000-03-01 to 1970-01-01.
const epochDays = 719_468

// civil is the inverse of fromCivil.
func civil(d Date) (year, month, day int) {
	const (
		days400 = 146_097
		days100 = 36_524
		days4   = 1_461
	)
	n := int(d) + epochDays
	era, n := n/days400, n%days400
	// The last day of a cycle (02-29) would open a fifth century or a fifth year: it is
	// kept in the fourth.
	century := min(n/days100, 3)
	n -= century * days100
	quad := n / days4
	n -= quad * days4
	single := min(n/365, 3)
	n -= single * 365
	year = era*400 + century*100 + quad*4 + single
	m := (5*n + 2) / 153
	day = n - (153*m+2)/5 + 1
	month = m + 3
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// digits reads a run of ASCII digits.
func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// putDigits writes n in as many digits as b has.
func putDigits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}
