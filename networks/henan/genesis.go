package henan

import (
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Catalogue writes the region table, the calendar, the list of measures, the standards of lists and the incentive lists into a genesis. Years without exceptions
// follow Monday to Friday until governance loads them.
func Catalogue(g *pb.Genesis) {
	for _, r := range Regions() {
		g.Regions = append(g.Regions, pb.Region{Code: r.Code, Name: r.Name, Level: r.Level, Parent: r.Parent})
	}
	for _, e := range CalendarExceptions() {
		y, _, _ := e.Date.YMD()
		if n := len(g.Calendar); n == 0 || g.Calendar[n-1].Year != int32(y) {
			g.Calendar = append(g.Calendar, pb.CalendarYear{Year: int32(y)})
		}
		last := &g.Calendar[len(g.Calendar)-1]
		last.Days = append(last.Days, pb.CalendarDay{Date: int32(e.Date), Working: e.Working})
	}
	g.MeasureItems = append(g.MeasureItems, MeasureItems()...)
	g.ListStandards = append(g.ListStandards, ListStandards()...)
	g.IncentiveLists = append(g.IncentiveLists, IncentiveLists()...)
}
