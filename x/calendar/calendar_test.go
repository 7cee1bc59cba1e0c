package calendar_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/xinlian-ledger/xinlian/x/calendar"
)

// TestScripts runs testdata/*.txt. Two commands:
//
//	calendar version=N     lines "date holiday|workday"; later counts use them; without, Monday-Friday
//	count                  lines "date step…"; steps +7wd +3m +1y -2d roll next ?, applied in order
//	parse                  one date as written on each line
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var c calendar.Calendar
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			var out strings.Builder
			lines := strings.Split(td.Input, "\n")
			switch td.Cmd {
			case "calendar":
				var version uint64
				td.ScanArgs(t, "version", &version)
				var days []calendar.Exception
				for _, line := range lines {
					f := strings.Fields(line)
					d, err := calendar.ParseDate(f[0])
					if err != nil {
						return fmt.Sprintf("error: %v\n", err)
					}
					days = append(days, calendar.Exception{Date: d, Working: f[1] == "workday"})
				}
				table, err := calendar.NewTable(days)
				if err != nil {
					return fmt.Sprintf("error: %v\n", err)
				}
				c = calendar.New(version, table)
				return fmt.Sprintf("version %d, %d days\n", c.Version(), len(days))
			case "parse":
				for _, line := range lines {
					text := strings.ReplaceAll(strings.TrimPrefix(line, "="), "_", " ")
					d, err := calendar.ParseDate(text)
					if err != nil {
						fmt.Fprintf(&out, "%s: %v\n", line, err)
						continue
					}
					fmt.Fprintf(&out, "%s: %s day %d\n", line, d, int32(d))
				}
			case "count":
				for _, line := range lines {
					fmt.Fprintf(&out, "%s\n", count(t, c, line))
				}
			default:
				td.Fatalf(t, "unknown command")
			}
			return out.String()
		})
	})
}

var weekdays = [...]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// count runs one line of the count command; what follows " # " names the result.
func count(t *testing.T, c calendar.Calendar, line string) string {
	t.Helper()
	text, what, _ := strings.Cut(line, " # ")
	f := strings.Fields(text)
	d := calendar.Unset
	if f[0] != "unset" {
		var err error
		if d, err = calendar.ParseDate(f[0]); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	for _, step := range f[1:] {
		switch {
		case step == "roll":
			d = c.Roll(d)
		case step == "next":
			d = c.NextWorkingDay(d)
		case step == "?":
			return fmt.Sprintf("%s: working %v", d, c.IsWorkingDay(d))
		case strings.HasPrefix(step, "until="):
			to, err := calendar.ParseDate(step[6:])
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return fmt.Sprintf("%s until %s: %d working days", d, to, c.WorkingDays(d, to))
		default:
			unit := strings.TrimLeft(step, "+-0123456789")
			n, err := strconv.Atoi(strings.TrimSuffix(step, unit))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			switch unit {
			case "wd":
				d = c.AddWorkingDays(d, n)
			case "d":
				d = d.AddDays(n)
			case "m":
				d = d.AddMonths(n)
			case "y":
				d = d.AddYears(n)
			default:
				t.Fatalf("%s: unknown unit %q", line, unit)
			}
		}
	}
	res := "unset"
	if d.IsSet() {
		res = d.String() + " " + weekdays[d.Weekday()]
	}
	if what != "" {
		return what + ": " + res
	}
	return text + ": " + res
}
