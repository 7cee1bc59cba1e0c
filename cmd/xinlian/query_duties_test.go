package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestDutiesBeyondTheCalendar: a list with a day beyond the known calendar says so, whether the year has a calendar or not; one without says nothing.
func TestDutiesBeyondTheCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ due, until, want string }{
		{`"2026-12-31"`, `"2026-12-31"`, ""},
		{`"2027-01-05"`, `"2026-12-31"`, "is known until 2026-12-31; what is due beyond it was counted Monday to Friday, without holidays"},
		{`"2027-01-05"`, "null", "this year has no calendar of working days"},
		{"null", "null", ""}, // nothing is due
	} {
		var w strings.Builder
		raw := `{"duties":[{"kind":"publish","label":"公示","due":` + c.due + `}],"next":null,"calendar_until":` + c.until + `,"as_of":{}}`
		if err := showDuties(&w, json.RawMessage(raw)); err != nil {
			t.Fatal(err)
		}
		if got := w.String(); !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "calendar") {
			t.Errorf("due %s, known until %s:\n%s", c.due, c.until, got)
		}
	}
}
