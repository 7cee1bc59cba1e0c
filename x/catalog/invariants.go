package catalog

import (
	"bytes"
	"fmt"

	"github.com/xinlian-ledger/xinlian/x"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Check holds the state against the invariants of doc.go.
func Check(r x.Reader) error {
	for _, check := range []func(x.Reader) error{checkRows, checkRegions, checkVersion} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// checkRows is CAT-1 for all but the regions.
func checkRows(r x.Reader) error {
	var err error
	row := func(what string, key, want []byte, problem error) bool {
		switch {
		case problem != nil:
			err = fmt.Errorf("CAT-1: %s %x: %w", what, key, problem)
		case !bytes.Equal(key, want):
			err = fmt.Errorf("CAT-1: %s %x stands under %x", what, want, key)
		}
		return err == nil
	}
	params.Each(r, func(key []byte, p *pb.Param) bool {
		return row("parameter", key, []byte(p.Name), checkParam(p))
	})
	if err != nil {
		return err
	}
	severityRules.Each(r, func(key []byte, s *pb.SeverityRule) bool {
		return row("severity rule", key, []byte(s.Sector), checkSeverityRule(s))
	})
	if err != nil {
		return err
	}
	templates.Each(r, func(key []byte, t *pb.CommitmentTemplate) bool {
		return row("template", key, templateKey(t.Type, t.Version), checkTemplate(t))
	})
	if err != nil {
		return err
	}
	years.Each(r, func(key []byte, y *pb.CalendarYear) bool {
		return row("calendar year", key, yearKey(int(y.Year)), checkYear(y))
	})
	if err != nil {
		return err
	}
	businessItems.Each(r, func(key []byte, b *pb.BusinessItem) bool {
		return row("business item", key, []byte(b.Code), checkBusinessItem(b))
	})
	if err != nil {
		return err
	}
	measureItems.Each(r, func(key []byte, m *pb.MeasureItem) bool {
		return row("measure item", key, versionKey(m.Code, m.Version), checkMeasureItem(m))
	})
	if err != nil {
		return err
	}
	incentiveLists.Each(r, func(key []byte, l *pb.IncentiveList) bool {
		return row("incentive list", key, versionKey(l.Code, l.Version), checkIncentiveList(l))
	})
	if err != nil {
		return err
	}
	listStandards.Each(r, func(key []byte, l *pb.ListStandard) bool {
		return row("list standard", key, versionKey(l.Code, l.Version), checkListStandard(l))
	})
	return err
}

// checkRegions is CAT-1 and CAT-2 for the regions.
func checkRegions(r x.Reader) error {
	var all []pb.Region
	var err error
	regions.Each(r, func(key []byte, g *pb.Region) bool {
		if string(key) != g.Code {
			err = fmt.Errorf("CAT-1: region %s stands under %s", g.Code, key)
		}
		all = append(all, *g)
		return err == nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	if err := checkRegionChange(r, all); err != nil {
		return fmt.Errorf("CAT-2: %w", err)
	}
	return nil
}

// checkVersion is CAT-3.
func checkVersion(r x.Reader) error {
	v, ok := version.Get(r)
	if !ok || v.Version == 0 || len(v.Digest) != pb.DigestBytes {
		return fmt.Errorf("CAT-3: the catalogue version is missing or not whole")
	}
	return nil
}
