package catalog

import (
	"sort"

	"github.com/xinlian-ledger/xinlian/x"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Import writes the catalogue of genesis and sets version 1. The order of rows in genesis says nothing: what is written, and its
// digest, go by key.
func Import(ctx *x.Ctx, g *pb.Genesis) error {
	for i := range g.Params {
		p := &g.Params[i]
		if err := checkParam(p); err != nil {
			return err
		}
		if _, ok := params.Get(ctx, []byte(p.Name)); ok {
			return ErrParamRange.With("parameter %s stands twice", p.Name)
		}
		params.Put(ctx, p, []byte(p.Name))
	}
	for i := range g.SeverityRules {
		s := &g.SeverityRules[i]
		if err := checkSeverityRule(s); err != nil {
			return err
		}
		if _, ok := severityRules.Get(ctx, []byte(s.Sector)); ok {
			return ErrSeverityRule.With("sector %s stands twice", s.Sector)
		}
		severityRules.Put(ctx, s, []byte(s.Sector))
	}
	for i := range g.Templates {
		t := &g.Templates[i]
		if err := checkTemplateChange(ctx, t); err != nil {
			return err
		}
		if _, ok := Template(ctx, t.Type, t.Version); ok {
			return ErrTemplate.With("template type %d version %d stands twice", t.Type, t.Version)
		}
		putTemplate(ctx, t)
	}
	for i := range g.Calendar {
		y := &g.Calendar[i]
		if err := checkYear(y); err != nil {
			return err
		}
		if _, ok := years.Get(ctx, yearKey(int(y.Year))); ok {
			return ErrCalendar.With("year %d stands twice", y.Year)
		}
		putYear(ctx, y)
	}
	if len(g.Regions) > 0 {
		sorted := append([]pb.Region(nil), g.Regions...)
		sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Code < sorted[j].Code })
		if err := checkRegionChange(ctx, sorted); err != nil {
			return err
		}
		for i := range sorted {
			putRegion(ctx, &sorted[i])
		}
	}
	for i := range g.MeasureItems {
		m := &g.MeasureItems[i]
		if err := checkMeasureItemChange(ctx, m); err != nil {
			return err
		}
		if _, ok := MeasureItem(ctx, m.Code, m.Version); ok {
			return ErrMeasureItem.With("item %s version %d stands twice", m.Code, m.Version)
		}
		putMeasureItem(ctx, m)
	}
	for i := range g.ListStandards {
		l := &g.ListStandards[i]
		if err := checkListStandardChange(ctx, l); err != nil {
			return err
		}
		if _, ok := ListStandard(ctx, l.Code, l.Version); ok {
			return ErrListStandard.With("list %s version %d stands twice", l.Code, l.Version)
		}
		putListStandard(ctx, l)
	}
	for i := range g.IncentiveLists {
		l := &g.IncentiveLists[i]
		if err := checkIncentiveListChange(ctx, l); err != nil {
			return err
		}
		if _, ok := IncentiveList(ctx, l.Code, l.Version); ok {
			return ErrIncentiveList.With("list %s version %d stands twice", l.Code, l.Version)
		}
		putIncentiveList(ctx, l)
	}
	for i := range g.BusinessItems {
		b := &g.BusinessItems[i]
		if err := checkBusinessItemChange(ctx, b); err != nil {
			return err
		}
		if _, ok := BusinessItem(ctx, b.Code); ok {
			return ErrBusinessItem.With("item %s stands twice", b.Code)
		}
		putBusinessItem(ctx, b)
	}
	version.Put(ctx, &pb.CatalogVersion{Version: 1, Digest: importDigest(ctx)})
	return nil
}

// Export gives what Import needs to write the same rows. The version is not among them: a chain that begins from an export begins
// its own count.
func Export(r x.Reader, g *pb.Genesis) {
	g.Params, g.SeverityRules, g.Templates, g.Calendar, g.Regions = nil, nil, nil, nil, nil
	g.MeasureItems, g.ListStandards, g.BusinessItems = nil, nil, nil
	params.Each(r, func(_ []byte, p *pb.Param) bool {
		g.Params = append(g.Params, *p)
		return true
	})
	EachSeverityRule(r, func(s *pb.SeverityRule) bool {
		g.SeverityRules = append(g.SeverityRules, *s)
		return true
	})
	EachTemplate(r, func(t *pb.CommitmentTemplate) bool {
		g.Templates = append(g.Templates, *t)
		return true
	})
	EachYear(r, func(y *pb.CalendarYear) bool {
		g.Calendar = append(g.Calendar, *y)
		return true
	})
	EachRegion(r, func(row *pb.Region) bool {
		g.Regions = append(g.Regions, *row)
		return true
	})
	EachMeasureItem(r, func(m *pb.MeasureItem) bool {
		g.MeasureItems = append(g.MeasureItems, *m)
		return true
	})
	EachListStandard(r, func(l *pb.ListStandard) bool {
		g.ListStandards = append(g.ListStandards, *l)
		return true
	})
	EachIncentiveList(r, func(l *pb.IncentiveList) bool {
		g.IncentiveLists = append(g.IncentiveLists, *l)
		return true
	})
	EachBusinessItem(r, func(b *pb.BusinessItem) bool {
		g.BusinessItems = append(g.BusinessItems, *b)
		return true
	})
}
