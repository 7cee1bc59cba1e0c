// Package henan carries the tables a Henan network starts with: its regions (行政区划), the days that
// differ from the Monday-to-Friday rule (工作日历), the list of measures (失信惩戒措施清单) and the
// standards of the lists of serious dishonesty (严重失信主体名单认定标准).
//
// It promises that what it returns is whole and consistent: every parent stands before its
// children, every level under the right one, days ascending and once each. A file that is not
// so fails the tests and stops the program that reads it.
//
// After genesis the chain's own copies count; this package is for those who write the first
// ones.
//
// Trust: whoever can change these tables can, on a network not yet started, invent a region or a
// measure, or move working days; a running network does not read them.
package henan

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// Version of the regions and the calendar together, raised with every change to either. The rows of the
// other two tables have versions of their own.
const Version = 1

// Province is the root of the region table.
const Province = "410000"

// Levels of management, which are not the levels that the digits suggest (济源).
const (
	LevelProvince   = "province"        // 省
	LevelPrefecture = "prefecture"      // 省辖市, 济源示范区
	LevelCounty     = "county"          // 县, 市, 区
	LevelZone       = "functional-zone" // 航空港
)

// Limits.
const (
	maxRows = 8192
	maxName = 64 // characters
)

// Region is one row of the region table. The province has no parent.
type Region struct {
	Code, Name, Level, Parent string
}

// Exception is one day of the calendar table: a holiday, or a make-up working day (Working), of the
// holiday named.
type Exception struct {
	Date    calendar.Date
	Working bool
	Name    string
}

//go:embed regions-henan.csv
var regionsCSV string

//go:embed working-day-calendar.csv
var calendarCSV string

// Regions gives the region table, ascending by code within a level, parents first.
func Regions() []Region {
	regions, err := parseRegions(regionsCSV)
	if err != nil {
		panic(fmt.Sprintf("henan: regions-henan.csv: %v", err))
	}
	return regions
}

// CalendarExceptions gives the calendar table, ascending by date.
func CalendarExceptions() []Exception {
	days, err := parseCalendar(calendarCSV)
	if err != nil {
		panic(fmt.Sprintf("henan: working-day-calendar.csv: %v", err))
	}
	return days
}

// Calendar counts working days by the calendar table, as version Version.
func Calendar() calendar.Calendar {
	var days []calendar.Exception
	for _, e := range CalendarExceptions() {
		days = append(days, calendar.Exception{Date: e.Date, Working: e.Working})
	}
	table, err := calendar.NewTable(days)
	if err != nil {
		panic(fmt.Sprintf("henan: working-day-calendar.csv: %v", err))
	}
	return calendar.New(Version, table)
}

// parents says under which level each level stands.
func parents(level string) (parent string, ok bool) {
	switch level {
	case LevelProvince:
		return "", true
	case LevelPrefecture:
		return LevelProvince, true
	case LevelCounty:
		return LevelPrefecture, true
	case LevelZone:
		// The province addresses the airport zone as it addresses the prefectures.
		return LevelProvince, true
	}
	return "", false
}

func parseRegions(csv string) ([]Region, error) {
	rows, err := parseTable(csv, "code,name,level,parent")
	if err != nil {
		return nil, err
	}
	var out []Region
	levels := make(map[string]string, len(rows)) // looked up only, never ranged over
	for i, f := range rows {
		line := i + 2
		r := Region{Code: f[0], Name: f[1], Level: f[2], Parent: f[3]}
		if err := code.CheckRegion(r.Code); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if err := checkName(r.Name); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		above, ok := parents(r.Level)
		if !ok {
			return nil, fmt.Errorf("line %d: unknown level %q", line, r.Level)
		}
		if levels[r.Code] != "" {
			return nil, fmt.Errorf("line %d: %s stands twice", line, r.Code)
		}
		if levels[r.Parent] != above {
			return nil, fmt.Errorf("line %d: %s needs a parent of level %q before it", line, r.Code, above)
		}
		if r.Level == LevelProvince && (r.Parent != "" || r.Code != Province) {
			return nil, fmt.Errorf("line %d: the province is %s and has no parent", line, Province)
		}
		levels[r.Code] = r.Level
		out = append(out, r)
	}
	return out, nil
}

func parseCalendar(csv string) ([]Exception, error) {
	rows, err := parseTable(csv, "date,kind,name")
	if err != nil {
		return nil, err
	}
	var out []Exception
	for i, f := range rows {
		line := i + 2
		d, err := calendar.ParseDate(f[0])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if len(out) > 0 && out[len(out)-1].Date >= d {
			return nil, fmt.Errorf("line %d: %s is not after the day before it", line, d)
		}
		if f[1] != "holiday" && f[1] != "workday" {
			return nil, fmt.Errorf("line %d: unknown kind %q", line, f[1])
		}
		if err := checkName(f[2]); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		out = append(out, Exception{Date: d, Working: f[1] == "workday", Name: f[2]})
	}
	return out, nil
}

// parseTable reads our own files only: a header, then unquoted rows of as many fields.
func parseTable(csv, header string) ([][]string, error) {
	lines := strings.Split(strings.TrimSuffix(csv, "\n"), "\n")
	if lines[0] != header {
		return nil, fmt.Errorf("line 1: the header is %q", header)
	}
	if len(lines) == 1 {
		return nil, errors.New("no rows")
	}
	if len(lines) > maxRows {
		return nil, fmt.Errorf("more than %d rows", maxRows)
	}
	fields := strings.Count(header, ",") + 1
	var rows [][]string
	for i, l := range lines[1:] {
		if strings.ContainsAny(l, "\"\r") {
			return nil, fmt.Errorf("line %d: quotes and carriage returns have no place here", i+2)
		}
		f := strings.Split(l, ",")
		if len(f) != fields {
			return nil, fmt.Errorf("line %d: %d fields, %d expected", i+2, len(f), fields)
		}
		rows = append(rows, f)
	}
	return rows, nil
}

func checkName(name string) error {
	if name == "" {
		return errors.New("a name is missing")
	}
	return code.CheckText(name, maxName)
}
