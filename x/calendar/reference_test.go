package calendar_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// utc is the same civil day in package time, the reference here.
func utc(d calendar.Date) time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// TestEveryDay walks the whole range against package time.
func TestEveryDay(t *testing.T) {
	n := 0
	for d := calendar.Min; d <= calendar.Max; d++ {
		ref := utc(d)
		if got, want := d.String(), ref.Format("2006-01-02"); got != want {
			t.Fatalf("day %d is written %s, want %s", int32(d), got, want)
		}
		back, err := calendar.ParseDate(d.String())
		if err != nil || back != d {
			t.Fatalf("%s reads as %d (%v)", d, int32(back), err)
		}
		y, m, day := d.YMD()
		if made, err := calendar.FromYMD(y, m, day); err != nil || made != d {
			t.Fatalf("%s made from its parts is %d (%v)", d, int32(made), err)
		}
		if int(d.Weekday()) != int(ref.Weekday()) {
			t.Fatalf("%s is weekday %d, want %v", d, d.Weekday(), ref.Weekday())
		}
		if calendar.Of(calendar.StartUnix(d)) != d || calendar.Of(calendar.EndUnix(d)-1) != d {
			t.Fatalf("%s does not hold its own first and last second", d)
		}
		n++
	}
	if n != 40542 { // 111 years with 27 leap days
		t.Fatalf("walked %d days", n)
	}
}

// addMonths is the reference: package time overflows into the next month, the law does not.
func addMonths(d calendar.Date, n int) calendar.Date {
	t := utc(d)
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1)
	day := min(t.Day(), last.Day())
	return calendar.Date(first.AddDate(0, 0, day-1).Unix() / 86400)
}

func anyDate() *rapid.Generator[calendar.Date] {
	return rapid.Map(rapid.Int32Range(int32(calendar.Min), int32(calendar.Max)), func(n int32) calendar.Date {
		return calendar.Date(n)
	})
}

func TestMonthsAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDate().Draw(t, "date")
		n := rapid.IntRange(-1400, 1400).Draw(t, "months")
		want := min(max(addMonths(d, n), calendar.Min), calendar.Max)
		if got := d.AddMonths(n); got != want {
			t.Fatalf("%s and %d months is %s, want %s", d, n, got, want)
		}
		if y := rapid.IntRange(-120, 120).Draw(t, "years"); d.AddYears(y) != d.AddMonths(12*y) {
			t.Fatalf("%s: %d years are not %d months", d, y, 12*y)
		}
	})
}

// TestArithmeticIsMonotonic: an earlier start or a shorter period never ends later.
func TestArithmeticIsMonotonic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		a := anyDate().Draw(t, "a")
		b := a.AddDays(rapid.IntRange(0, 500).Draw(t, "later"))
		n := rapid.IntRange(-100, 100).Draw(t, "n")
		k := n + rapid.IntRange(0, 50).Draw(t, "longer")
		for _, f := range []struct {
			name string
			add  func(calendar.Date, int) calendar.Date
		}{
			{"days", calendar.Date.AddDays},
			{"months", calendar.Date.AddMonths},
			{"years", calendar.Date.AddYears},
			{"working days", c.AddWorkingDays},
		} {
			if f.add(a, n) > f.add(b, n) {
				t.Fatalf("%s: %s+%d ends after %s+%d", f.name, a, n, b, n)
			}
			if f.add(a, n) > f.add(a, k) {
				t.Fatalf("%s: %s+%d ends after %s+%d", f.name, a, n, a, k)
			}
			if !f.add(a, n).Valid() {
				t.Fatalf("%s: %s+%d leaves the range", f.name, a, n)
			}
		}
		if c.Roll(a) > c.Roll(b) {
			t.Fatalf("roll: %s ends after %s", a, b)
		}
	})
}

// anyCalendar lists about a sixth of the days of some years, at random.
func anyCalendar(t *rapid.T) calendar.Calendar {
	d := anyDate().Draw(t, "first exception")
	var days []calendar.Exception
	for range rapid.IntRange(0, 60).Draw(t, "exceptions") {
		next := d.AddDays(rapid.IntRange(1, 12).Draw(t, "gap"))
		if next == d {
			break
		}
		d = next
		days = append(days, calendar.Exception{Date: d, Working: rapid.Bool().Draw(t, "working")})
	}
	table, err := calendar.NewTable(days)
	if err != nil {
		t.Fatal(err)
	}
	return calendar.New(1, table)
}

// TestWorkingDayLaws: what the n-th working day is, by counting one day at a time.
func TestWorkingDayLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		d := anyDate().Draw(t, "date")
		n := rapid.IntRange(1, 60).Draw(t, "n")
		end := c.AddWorkingDays(d, n)
		counted := 0
		for x := d + 1; x <= end; x++ {
			if c.IsWorkingDay(x) {
				counted++
			}
		}
		if end < calendar.Max && (counted != n || !c.IsWorkingDay(end)) {
			t.Fatalf("%s+%d = %s holds %d working days", d, n, end, counted)
		}
		if c.WorkingDays(d, end) != counted {
			t.Fatalf("WorkingDays(%s, %s) = %d, counted %d", d, end, c.WorkingDays(d, end), counted)
		}
		if c.NextWorkingDay(d) != c.AddWorkingDays(d, 1) {
			t.Fatalf("the next working day of %s is not the first", d)
		}
		rolled := c.Roll(d)
		if rolled < d || rolled < calendar.Max && !c.IsWorkingDay(rolled) || c.Roll(rolled) != rolled {
			t.Fatalf("%s rolls to %s", d, rolled)
		}
		for x := d; x < rolled; x++ {
			if c.IsWorkingDay(x) {
				t.Fatalf("%s rolls past the working day %s", d, x)
			}
		}
	})
}

func TestOf(t *testing.T) {
	day := func(s string) calendar.Date {
		d, err := calendar.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	at := func(s string) int64 {
		i, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return i.Unix()
	}
	for _, c := range []struct {
		unix int64
		want calendar.Date
	}{
		{at("2026-07-15T00:00:00+08:00"), day("2026-07-15")},
		{at("2026-07-14T23:59:59+08:00"), day("2026-07-14")},
		{at("2026-07-14T16:00:00Z"), day("2026-07-15")},
		{at("2026-07-15T23:59:59+08:00"), day("2026-07-15")},
		{at("1990-07-15T00:00:00+08:00"), day("1990-07-15")}, // no summer time
		{at("1989-12-31T23:59:59+08:00"), calendar.Unset},
		{at("2101-01-01T00:00:00+08:00"), calendar.Max},
		{0, calendar.Unset},
		{math.MinInt64, calendar.Unset},
		{math.MaxInt64, calendar.Max},
	} {
		if got := calendar.Of(c.unix); got != c.want {
			t.Errorf("Of(%d) = %s, want %s", c.unix, got, c.want)
		}
	}
	if got, want := calendar.StartUnix(day("2026-07-15")), at("2026-07-15T00:00:00+08:00"); got != want {
		t.Errorf("the day starts at %d, want %d", got, want)
	}
	if got, want := calendar.EndUnix(day("2026-07-15")), at("2026-07-16T00:00:00+08:00"); got != want {
		t.Errorf("the day ends at %d, want %d", got, want)
	}
}

// TestOutOfRange: a value no record can hold is told apart, and arithmetic on it stays harmless.
func TestOutOfRange(t *testing.T) {
	for _, d := range []calendar.Date{calendar.Unset, 1, -1, calendar.Min - 1, calendar.Max + 1, math.MinInt32, math.MaxInt32} {
		if d.Valid() || d.Check() == nil {
			t.Errorf("%d is taken for a date", int32(d))
		}
		if y, m, day := d.YMD(); y|m|day != 0 {
			t.Errorf("%d has a year, month or day", int32(d))
		}
		if w := d.Weekday(); w < 0 || w > 6 {
			t.Errorf("%d has weekday %d", int32(d), w)
		}
		for _, r := range []calendar.Date{d.AddDays(3), d.AddMonths(3), d.AddYears(3)} {
			if r.IsSet() != d.IsSet() || r.IsSet() && !r.Valid() {
				t.Errorf("arithmetic on %d gives %d", int32(d), int32(r))
			}
		}
		var c calendar.Calendar
		if c.Roll(d) != d || c.AddWorkingDays(d, 5) != d || c.WorkingDays(d, calendar.Max) != 0 {
			t.Errorf("working days count from %d", int32(d))
		}
	}
	if s := calendar.Date(5).String(); s != "day(5)" {
		t.Errorf("an invalid date is written %q", s)
	}
}

func TestTableLimit(t *testing.T) {
	days := make([]calendar.Exception, calendar.MaxExceptions+1)
	for i := range days {
		days[i].Date = calendar.Min + calendar.Date(i)
	}
	if _, err := calendar.NewTable(days); err == nil {
		t.Error("a table beyond the limit is accepted")
	}
	table, err := calendar.NewTable(days[:calendar.MaxExceptions])
	if err != nil {
		t.Fatal(err)
	}
	// The table is its own copy, and a calendar without working days ends.
	days[0].Working = true
	if working, listed := table.Lookup(calendar.Min); working || !listed {
		t.Error("the table changes with the caller's slice")
	}
	if _, err := calendar.NewTable([]calendar.Exception{{Date: calendar.Unset}}); err == nil {
		t.Error("an unset exception is accepted")
	}
	if got := calendar.New(1, never{}).AddWorkingDays(calendar.Min, 1); got != calendar.Max {
		t.Errorf("without working days the first is %s", got)
	}
	if got := calendar.New(1, never{}).Roll(calendar.Min); got != calendar.Max {
		t.Errorf("without working days a rest day rolls to %s", got)
	}
}

type never struct{}

func (never) Lookup(calendar.Date) (bool, bool) { return false, true }

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-07-15", "2024-02-29", "2026-02-30", "46218", "2026-07-15 ", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := calendar.ParseDate(s)
		ref, refErr := time.Parse("2006-01-02", s)
		inRange := refErr == nil && ref.Year() >= 1990 && ref.Year() <= 2100
		if (err == nil) != inRange {
			t.Fatalf("%q: %v, reference %v", s, err, refErr)
		}
		if err == nil && (d.String() != s || !d.Valid()) {
			t.Fatalf("%q is written back as %q", s, d)
		}
	})
}
