package catalog_test

import (
	"fmt"
	"reflect"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/xtest"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Random changes to a region table against a plain model: what is accepted is exactly what keeps every chain of parents inside the
// table, free of circles and at most eight long; ancestors follow the model whatever the digits are.
func TestRegionsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := xtest.NewMemory()
		ctx := &x.Ctx{State: mem}
		if err := catalog.Import(ctx, &pb.Genesis{}); err != nil {
			t.Fatal(err)
		}
		model := map[string]string{}
		code := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("41%04d", rapid.IntRange(0, 13).Draw(t, "code")) })
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			drawn := rapid.MapOfN(code, rapid.OneOf(rapid.Just(""), code), 1, 6).Draw(t, "rows")
			next := map[string]string{}
			for k, v := range model {
				next[k] = v
			}
			change := &pb.RegionChange{}
			for c, parent := range drawn {
				level := "county"
				if parent == "" {
					level = "province"
				}
				change.Regions = append(change.Regions, pb.Region{Code: c, Name: "样例", Level: level, Parent: parent})
				next[c] = parent
			}
			sort.Slice(change.Regions, func(i, j int) bool { return change.Regions[i].Code < change.Regions[j].Code })
			sound := true
			for c := range next {
				sound = sound && chain(next, c) != nil
			}
			_, err := catalog.Apply(ctx, &pb.Action{Sum: &pb.Action_PutRegion{PutRegion: change}})
			if sound != (err == nil) {
				t.Fatalf("change %v on %v: %v", drawn, model, err)
			}
			if sound {
				model = next
			}
			for i := range 14 {
				c := fmt.Sprintf("41%04d", i)
				var want []string
				if _, ok := model[c]; ok {
					want = chain(model, c)
				}
				if got := catalog.Ancestors(mem, c); !reflect.DeepEqual(got, want) {
					t.Fatalf("ancestors of %s: %v, want %v", c, got, want)
				}
			}
		}
		if err := catalog.Check(mem); err != nil {
			t.Fatal(err)
		}
	})
}

// chain walks a model; nil where a parent is missing or the chain is longer than eight steps.
func chain(parents map[string]string, c string) []string {
	out := []string{c}
	for parents[c] != "" {
		c = parents[c]
		if _, ok := parents[c]; !ok || len(out) > 8 {
			return nil
		}
		out = append(out, c)
	}
	return out
}

// Counting by the table in state is counting by the same table in memory (INV-27), whatever order the years came in and however
// often they were replaced.
func TestCalendarAgainstTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := xtest.NewMemory()
		ctx := &x.Ctx{State: mem}
		if err := catalog.Import(ctx, &pb.Genesis{}); err != nil {
			t.Fatal(err)
		}
		model := map[int][]calendar.Exception{}
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			year := rapid.IntRange(2024, 2027).Draw(t, "year")
			begin, _ := calendar.FromYMD(year, 1, 1)
			drawn := rapid.MapOfN(rapid.IntRange(0, 364), rapid.Bool(), 0, 40).Draw(t, "days")
			var offsets []int
			for o := range drawn {
				offsets = append(offsets, o)
			}
			sort.Ints(offsets)
			y := &pb.CalendarYear{Year: int32(year)}
			model[year] = nil
			for _, o := range offsets {
				d := begin.AddDays(o)
				y.Days = append(y.Days, pb.CalendarDay{Date: int32(d), Working: drawn[o]})
				model[year] = append(model[year], calendar.Exception{Date: d, Working: drawn[o]})
			}
			if _, err := catalog.Apply(ctx, &pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: y}}); err != nil {
				t.Fatal(err)
			}
		}
		var all []calendar.Exception
		for year := 2024; year <= 2027; year++ {
			all = append(all, model[year]...)
		}
		table, err := calendar.NewTable(all)
		if err != nil {
			t.Fatal(err)
		}
		want, got := calendar.New(0, table), catalog.Calendar(mem)
		first, _ := calendar.FromYMD(2023, 12, 1)
		for range 20 { // one calendar for many questions: it remembers years
			d := first.AddDays(rapid.IntRange(0, 1600).Draw(t, "from"))
			n := rapid.IntRange(0, 60).Draw(t, "wd")
			if w, g := want.AddWorkingDays(d, n), got.AddWorkingDays(d, n); w != g {
				t.Fatalf("%s and %d working days: %s, want %s", d, n, g, w)
			}
			if w, g := want.Roll(d), got.Roll(d); w != g {
				t.Fatalf("%s rolls to %s, want %s", d, g, w)
			}
		}
		if err := catalog.Check(mem); err != nil {
			t.Fatal(err)
		}
	})
}
