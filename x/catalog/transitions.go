package catalog

import (
	"strings"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Apply lets an action of the catalogue take effect: C1 to C7. It answers handled = false, and does nothing, for an action that
// belongs to another module. It checks all before it writes.
func Apply(ctx *x.Ctx, a *pb.Action) (handled bool, err error) {
	if err := CheckAction(ctx, a); err != nil {
		return true, err
	}
	switch sum := a.Sum.(type) {
	case *pb.Action_SetParam:
		params.Put(ctx, sum.SetParam, []byte(sum.SetParam.Name))
	case *pb.Action_PutSeverityRule:
		severityRules.Put(ctx, sum.PutSeverityRule, []byte(sum.PutSeverityRule.Sector))
	case *pb.Action_PutTemplate:
		putTemplate(ctx, sum.PutTemplate)
	case *pb.Action_PutBusiness:
		putBusinessItem(ctx, sum.PutBusiness)
	case *pb.Action_PutCalendar:
		putYear(ctx, sum.PutCalendar)
	case *pb.Action_PutRegion:
		for i := range sum.PutRegion.Regions {
			putRegion(ctx, &sum.PutRegion.Regions[i])
		}
	case *pb.Action_PutMeasureItem:
		putMeasureItem(ctx, sum.PutMeasureItem)
	case *pb.Action_PutListStandard:
		putListStandard(ctx, sum.PutListStandard)
	case *pb.Action_PutIncentiveList:
		putIncentiveList(ctx, sum.PutIncentiveList)
	default:
		return false, nil
	}
	bump(ctx, a)
	return true, nil
}

// CheckAction refuses what Apply would refuse as things stand. It has nothing to say of another module's actions.
func CheckAction(r x.Reader, a *pb.Action) error {
	switch sum := a.Sum.(type) {
	case *pb.Action_SetParam:
		return checkParam(sum.SetParam)
	case *pb.Action_PutSeverityRule:
		return checkSeverityRule(sum.PutSeverityRule)
	case *pb.Action_PutTemplate:
		return checkTemplateChange(r, sum.PutTemplate)
	case *pb.Action_PutBusiness:
		return checkBusinessItemChange(r, sum.PutBusiness)
	case *pb.Action_PutCalendar:
		return checkYear(sum.PutCalendar)
	case *pb.Action_PutRegion:
		if len(sum.PutRegion.Regions) > pb.RegionsMax {
			return x.ErrTooMany.With("%d regions in one change, at most %d", len(sum.PutRegion.Regions), pb.RegionsMax)
		}
		return checkRegionChange(r, sum.PutRegion.Regions)
	case *pb.Action_PutMeasureItem:
		return checkMeasureItemChange(r, sum.PutMeasureItem)
	case *pb.Action_PutListStandard:
		return checkListStandardChange(r, sum.PutListStandard)
	case *pb.Action_PutIncentiveList:
		return checkIncentiveListChange(r, sum.PutIncentiveList)
	}
	return nil
}

// checkParam: the bounds are such that no pair of values within them contradicts another (shortest ≤ longest).
func checkParam(p *pb.Param) error {
	info, ok := ParamOf(p.Name)
	if !ok {
		return ErrParamUnknown.With("there is no parameter %q", clip(p.Name))
	}
	switch {
	case info.Min == info.Max && p.Value != info.Min:
		return ErrParamRange.With("%s is fixed at %d (%s)", p.Name, info.Min, info.Source)
	case p.Value < info.Min || p.Value > info.Max:
		return ErrParamRange.With("%s = %d is not between %d and %d %s (%s)", p.Name, p.Value, info.Min, info.Max, info.Unit, info.Source)
	}
	return nil
}

func checkSeverityRule(s *pb.SeverityRule) error {
	if s.Sector != "*" {
		if err := x.CheckToken(s.Sector, "sector", false); err != nil {
			return err
		}
	}
	if s.LargeFineFen <= 0 || s.LargeFineFen > s.HugeFineFen || s.HugeFineFen > code.MaxFen {
		return ErrSeverityRule.With("sector %s: large %d and huge %d fen are not positive and ascending up to %d", s.Sector, s.LargeFineFen, s.HugeFineFen, code.MaxFen)
	}
	if s.OtherClass > uint32(pb.SEVERITY_SERIOUS) {
		return ErrSeverityRule.With("sector %s: class %d of other dishonesty is not defined", s.Sector, s.OtherClass)
	}
	return nil
}

// workingDaysMin keeps a year from becoming one holiday, in which no deadline would ever end.
const workingDaysMin = 200

func checkYear(y *pb.CalendarYear) error {
	begin, err := calendar.FromYMD(int(y.Year), 1, 1)
	if err != nil {
		return ErrCalendar.With("year %d is outside 1990–2100", y.Year)
	}
	if len(y.Days) > pb.CalendarMax {
		return x.ErrTooMany.With("%d exceptions in a year, at most %d", len(y.Days), pb.CalendarMax)
	}
	list := make([]calendar.Exception, 0, len(y.Days))
	for _, d := range y.Days {
		if year, _, _ := calendar.Date(d.Date).YMD(); year != int(y.Year) {
			return ErrCalendar.With("a day listed for %d is not in that year", y.Year)
		}
		list = append(list, calendar.Exception{Date: calendar.Date(d.Date), Working: d.Working})
	}
	table, err := calendar.NewTable(list)
	if err != nil {
		return ErrCalendar.With("year %d: the days are not ascending, each once", y.Year)
	}
	n, counted := 0, calendar.New(0, table)
	for d := begin; ; d++ {
		if year, _, _ := d.YMD(); year != int(y.Year) {
			break
		}
		if counted.IsWorkingDay(d) {
			n++
		}
	}
	if n < workingDaysMin {
		return ErrCalendar.With("year %d would have %d working days; less than %d is no calendar", y.Year, n, workingDaysMin)
	}
	return nil
}

func checkRegion(g *pb.Region) error {
	if code.CheckRegion(g.Code) != nil {
		return ErrRegionRow.With("%q is not a region code", clip(g.Code))
	}
	if g.Name == "" || strings.Contains(g.Name, "\n") || code.CheckText(g.Name, pb.TokenMax) != nil {
		return ErrRegionRow.With("region %s: the name is not one clean line of at most %d characters", g.Code, pb.TokenMax)
	}
	if err := x.CheckPII(g.Name, "region name"); err != nil {
		return err
	}
	switch g.Level {
	case "province":
		if g.Parent != "" {
			return ErrRegionRow.With("region %s: a province has no parent", g.Code)
		}
	case "prefecture", "county", "township", "functional-zone":
		if code.CheckRegion(g.Parent) != nil {
			return ErrRegionRow.With("region %s: a %s needs the code of its parent", g.Code, g.Level)
		}
	default:
		return ErrRegionRow.With("region %s: level %q is not province, prefecture, county, township or functional-zone", g.Code, clip(g.Level))
	}
	if err := x.CheckDate(g.ValidFrom, "region valid_from", true); err != nil {
		return err
	}
	if err := x.CheckDate(g.ValidTo, "region valid_to", true); err != nil {
		return err
	}
	if g.ValidTo != 0 && g.ValidTo < g.ValidFrom {
		return ErrRegionRow.With("region %s ends before it begins", g.Code)
	}
	return nil
}

// checkRegionChange looks at the table as it would be: each row well formed, each parent there, no circle, no chain that is too
// long. A new parent in the middle lengthens the chains below it, so all rows are walked.
func checkRegionChange(r x.Reader, change []pb.Region) error {
	if len(change) == 0 {
		return ErrRegionRow.With("the change holds no region")
	}
	parents := map[string]string{} // DETERMINISM: looked up, never ranged over
	var codes []string
	EachRegion(r, func(g *pb.Region) bool {
		parents[g.Code] = g.Parent
		codes = append(codes, g.Code)
		return true
	})
	for i := range change {
		g := &change[i]
		if err := checkRegion(g); err != nil {
			return err
		}
		if i > 0 && change[i-1].Code >= g.Code {
			return ErrRegionRow.With("regions are not ascending by code, each once, at %s", g.Code)
		}
		if _, ok := parents[g.Code]; !ok {
			codes = append(codes, g.Code)
		}
		parents[g.Code] = g.Parent
	}
	if len(codes) > regionsMax {
		return x.ErrTooMany.With("there would be %d regions, at most %d", len(codes), regionsMax)
	}
	for _, start := range codes {
		steps, at := 0, start
		for parents[at] != "" {
			parent := parents[at]
			if _, ok := parents[parent]; !ok {
				return ErrRegionRow.With("region %s has a parent %s that is not in the table", at, parent)
			}
			if steps++; steps > regionDepthMax {
				return ErrRegionRow.With("region %s has no root within %d steps: its parents lead in a circle or are too many", start, regionDepthMax)
			}
			at = parent
		}
	}
	return nil
}

// putYear writes a year. One without exceptions has no row: nothing tells it from a year that nobody has spoken of.
func putYear(s x.State, y *pb.CalendarYear) {
	if len(y.Days) == 0 {
		years.Delete(s, yearKey(int(y.Year)))
		return
	}
	years.Put(s, y, yearKey(int(y.Year)))
}

func putRegion(s x.State, g *pb.Region) { regions.Put(s, g, []byte(g.Code)) }

// clip keeps what came from outside from filling a refusal.
func clip(s string) string {
	if len(s) > pb.TokenMax {
		return s[:pb.TokenMax] + "…"
	}
	return s
}
