package member_test

import (
	"testing"

	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/member"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// above is a small region table: 济源 (419001) is a prefecture, the zone 410173 lies under the province, whatever their digits say.
func above(region string) []string {
	return map[string][]string{
		"410181": {"410181", "410100", "410000"}, "410100": {"410100", "410000"}, "410300": {"410300", "410000"},
		"419001": {"419001", "410000"}, "410173": {"410173", "410000"}, "410000": {"410000"},
	}[region]
}

func TestAbove(t *testing.T) {
	agency := func(uscc string, level pb.Level, system string, regions ...string) *pb.Member {
		return &pb.Member{Uscc: uscc, Level: level, System: system, Regions: regions}
	}
	county := agency("county", pb.LEVEL_COUNTY, "market", "410181")
	city := agency("city", pb.LEVEL_PREFECTURE, "market", "410100")
	province := agency("province", pb.LEVEL_PROVINCE, "market", "410000")
	authority := agency("authority", pb.LEVEL_PREFECTURE, "reform", "410100")
	authority.Authority = true
	gone := agency("gone", pb.LEVEL_PREFECTURE, "market", "410100")
	gone.Removed = true
	for _, c := range []struct {
		name string
		m    *pb.Member
		of   *pb.Member
		want bool
	}{
		{"its city bureau", city, county, true},
		{"its provincial bureau", province, county, true},
		{"a city's provincial bureau", province, city, true},
		{"the credit authority of its city", authority, county, true},
		{"a credit authority of the same level", authority, city, false},
		{"the city bureau of another city", agency("other", pb.LEVEL_PREFECTURE, "market", "410300"), county, false},
		{"a city bureau of another line", agency("tax", pb.LEVEL_PREFECTURE, "tax", "410100"), county, false},
		{"one without a line", agency("none", pb.LEVEL_PREFECTURE, "", "410100"), agency("k", pb.LEVEL_COUNTY, "", "410181"), false},
		{"another county bureau", agency("k2", pb.LEVEL_COUNTY, "market", "410100"), county, false},
		{"one from below", county, city, false},
		{"itself", city, city, false},
		{"one that has left", gone, county, false},
		{"nobody is above the province", province, province, false},
		{"a vertical body stands in no order", agency("v", pb.LEVEL_VERTICAL, "market", "410000"), county, false},
		{"over one of two regions", city, agency("two", pb.LEVEL_COUNTY, "market", "410181", "410300"), false},
		{"济源 is a prefecture", agency("jy", pb.LEVEL_PREFECTURE, "market", "419001"), agency("t", pb.LEVEL_TOWNSHIP, "market", "419001"), true},
		{"the zone answers to the province", city, agency("zone", pb.LEVEL_ZONE, "market", "410173"), false},
		{"the zone answers to the province, really", province, agency("zone", pb.LEVEL_ZONE, "market", "410173"), true},
		{"one that acts nowhere", city, agency("nowhere", pb.LEVEL_COUNTY, "market"), false},
	} {
		if got := member.Above(c.m, c.of, above); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestMayListAndCarryOut(t *testing.T) {
	on, _ := calendar.FromYMD(2026, 7, 15)
	m := &pb.Member{Uscc: "m", Competences: []*pb.Competence{
		{Regions: []string{"410100"}, Lists: []string{"SC"}, Measures: []string{"M07"}},
		{Regions: []string{"410300"}, PenaltyKinds: []uint32{3}},
		{Regions: []string{"410300"}, Lists: []string{"AJ"}, Measures: []string{"M01"}, ValidTo: int32(on) - 1},
	}}
	for _, c := range []struct {
		list, region string
		want         error
	}{
		{"SC", "410181", nil},
		{"SC", "410300", member.ErrCompetence},   // competent there, for other things
		{"SC", "419001", member.ErrJurisdiction}, // may list, not there
		{"AJ", "410300", member.ErrCompetence},   // no more
		{"AJ", "410100", member.ErrCompetence},
		{"XX", "419001", member.ErrCompetence},
	} {
		err := member.MayList(m, above(c.region), c.list, on)
		if c.want == nil && err != nil || c.want != nil && !c.want.(interface{ Is(error) bool }).Is(err) {
			t.Errorf("list %s in %s: %v", c.list, c.region, err)
		}
	}
	if !member.MayCarryOut(m, "M07", on) || member.MayCarryOut(m, "M01", on) || !member.MayCarryOut(m, "M01", on-1) || member.MayCarryOut(m, "M02", on) {
		t.Error("who may carry out what")
	}
}
