package henan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/xtest"
)

func TestRegions(t *testing.T) {
	regions := Regions()
	count := map[string]int{}
	byCode := map[string]Region{}
	for i, r := range regions {
		count[r.Level]++
		byCode[r.Code] = r
		if i > 0 && regions[i-1].Level == r.Level && regions[i-1].Code >= r.Code {
			t.Errorf("%s stands after %s", r.Code, regions[i-1].Code)
		}
	}
	for level, want := range map[string]int{LevelProvince: 1, LevelPrefecture: 18, LevelCounty: 156, LevelZone: 1} {
		if count[level] != want {
			t.Errorf("%d regions of level %s, want %d", count[level], level, want)
		}
	}
	if len(regions) != 176 {
		t.Errorf("%d regions, want 176", len(regions))
	}
	for _, want := range []Region{
		{"410000", "河南省", LevelProvince, ""},
		{"410100", "郑州市", LevelPrefecture, "410000"},
		{"410105", "金水区", LevelCounty, "410100"},
		{"410181", "巩义市", LevelCounty, "410100"},
		// Two that the digits would place wrongly.
		{"419001", "济源市", LevelPrefecture, "410000"},
		{"410173", "郑州航空港经济综合实验区", LevelZone, "410000"},
	} {
		if got := byCode[want.Code]; got != want {
			t.Errorf("region is %v, want %v", got, want)
		}
	}
	// Counties of each prefecture, from the province's own list.
	counties := map[string]int{}
	for _, r := range regions {
		if r.Level == LevelCounty {
			counties[r.Parent]++
		}
	}
	for parent, want := range map[string]int{
		"410100": 12, "410200": 9, "410300": 14, "410400": 10, "410500": 9, "410600": 5, "410700": 12, "410800": 10, "410900": 6,
		"411000": 6, "411100": 5, "411200": 6, "411300": 13, "411400": 9, "411500": 10, "411600": 10, "411700": 10, "419001": 0,
	} {
		if counties[parent] != want {
			t.Errorf("%s has %d counties, want %d", parent, counties[parent], want)
		}
	}
	// The caller's slice is its own.
	regions[0].Name = "x"
	if Regions()[0].Name == "x" {
		t.Error("the table changes with the caller's slice")
	}
}

func TestCalendarExceptions(t *testing.T) {
	days := CalendarExceptions()
	if len(days) != 141 {
		t.Errorf("%d exceptions, want 141", len(days))
	}
	type count struct{ holidays, workdays int }
	years := map[int]count{}
	for _, e := range days {
		y, _, _ := e.Date.YMD()
		c := years[y]
		if e.Working {
			c.workdays++
			// A make-up working day is a weekend by its nature.
			if w := e.Date.Weekday(); w != calendar.Saturday && w != calendar.Sunday {
				t.Errorf("%s is made up on a working day", e.Date)
			}
		} else {
			c.holidays++
		}
		years[y] = c
	}
	for y, want := range map[int]count{2023: {26, 7}, 2024: {28, 8}, 2025: {28, 5}, 2026: {33, 6}} {
		if years[y] != want {
			t.Errorf("%d: %+v, want %+v", y, years[y], want)
		}
	}
	if len(years) != 4 {
		t.Errorf("%d years", len(years))
	}
}

// TestWorkingDays counts a few limits of the legal record through the shipped table.
func TestWorkingDays(t *testing.T) {
	c := Calendar()
	if c.Version() != Version {
		t.Errorf("calendar version %d", c.Version())
	}
	for _, v := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-07-15", 7, "2026-07-24"},
		{"2026-10-19", 3, "2026-10-22"},
		{"2026-10-21", 7, "2026-10-30"},
		{"2026-10-19", 10, "2026-11-02"},
		{"2026-09-30", 3, "2026-10-10"}, // over the National Day holiday, to a make-up Saturday
		{"2026-02-13", 2, "2026-02-24"}, // over Spring Festival
		{"2025-09-30", 1, "2025-10-09"},
		{"2024-02-09", 1, "2024-02-18"},
		{"2023-09-28", 1, "2023-10-07"},
	} {
		from, err := calendar.ParseDate(v.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.AddWorkingDays(from, v.n).String(); got != v.want {
			t.Errorf("%s and %d working days is %s, want %s", v.from, v.n, got, v.want)
		}
	}
}

// TestBrokenTables: each guard of the two readers refuses.
func TestBrokenTables(t *testing.T) {
	const (
		rh   = "code,name,level,parent\n"
		root = "410000,河南省,province,\n"
		city = "410100,郑州市,prefecture,410000\n"
		ch   = "date,kind,name\n"
	)
	regions := func(s string) error { _, err := parseRegions(s); return err }
	days := func(s string) error { _, err := parseCalendar(s); return err }
	if err := regions(rh + root + city); err != nil {
		t.Fatal(err)
	}
	if err := days(ch + "2026-10-01,holiday,国庆节\n2026-10-10,workday,国庆节\n"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		parse func(string) error
		csv   string
		want  string
	}{
		{regions, "", "header"},
		{regions, "code,name\n" + root, "header"},
		{regions, rh, "no rows"},
		{regions, rh + "410000,河南省,province\n", "3 fields"},
		{regions, rh + "\"410000\",河南省,province,\n", "quotes"},
		{regions, rh + "410000,河南省,province,\r\n", "carriage"},
		{regions, rh + "41000,河南省,province,\n", "E_REGION"},
		{regions, rh + "410000,,province,\n", "name is missing"},
		{regions, rh + "410000, 河南省,province,\n", "E_TEXT"},
		{regions, rh + "410000,河南省,country,\n", "unknown level"},
		{regions, rh + root + city + city, "stands twice"},
		{regions, rh + city + root, "needs a parent"},
		{regions, rh + root + "410105,金水区,county,410000\n", "needs a parent"},
		{regions, rh + root + city + "410105,金水区,county,410100\n410106,上街区,county,410105\n", "needs a parent"},
		{regions, rh + root + "410173,航空港,functional-zone,\n", "needs a parent"},
		{regions, rh + "420000,湖北省,province,\n", "the province is 410000"},
		{regions, rh + strings.Repeat(root, maxRows), "more than"},
		{days, "date,kind\n", "header"},
		{days, ch + "2026-10-1,holiday,国庆节\n", "YYYY-MM-DD"},
		{days, ch + "2026-10-01,rest,国庆节\n", "unknown kind"},
		{days, ch + "2026-10-01,holiday,\n", "name is missing"},
		{days, ch + "2026-10-02,holiday,国庆节\n2026-10-01,holiday,国庆节\n", "not after"},
		{days, ch + "2026-10-01,holiday,国庆节\n2026-10-01,workday,国庆节\n", "not after"},
	} {
		err := c.parse(c.csv)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.csv, err, c.want)
		}
	}
}

// TestNoHierarchyByDigits keeps the reason for the table visible: digits place these wrongly.
func TestNoHierarchyByDigits(t *testing.T) {
	var wrong []string
	for _, r := range Regions() {
		byDigits := Province
		if r.Code[4:] != "00" {
			byDigits = r.Code[:4] + "00"
		}
		if r.Level != LevelProvince && r.Parent != byDigits {
			wrong = append(wrong, r.Code)
		}
	}
	slices.Sort(wrong)
	if !slices.Equal(wrong, []string{"410173", "419001"}) {
		t.Errorf("digits place %v wrongly", wrong)
	}
}

// TestMeasures holds the list of measures and the standards of lists against what a chain accepts, and what of them is known.
func TestMeasures(t *testing.T) {
	items, lists := MeasureItems(), ListStandards()
	byCode := map[string]pb.MeasureItem{}
	for _, m := range items {
		byCode[m.Code] = m
	}
	for i := 1; i <= 14; i++ {
		if _, ok := byCode[fmt.Sprintf("M%02d", i)]; !ok {
			t.Errorf("M%02d is missing", i)
		}
	}
	elsewhere := 0
	for _, m := range items {
		if m.Group == pb.MEASURE_GROUP_MARKET && !m.Elsewhere {
			t.Errorf("%s is the market's own act", m.Code)
		}
		if m.Elsewhere {
			elsewhere++
		}
	}
	if len(items) != 28 || elsewhere != 5 || len(lists) != 12 {
		t.Errorf("%d items, %d of them carried out elsewhere, %d lists", len(items), elsewhere, len(lists))
	}
	if m := byCode["M12"]; m.Basis != "《河南省社会信用条例》第三十二条第五项" || m.BasisConfidence != pb.CONFIDENCE_CONFIRMED || m.ClassMin != pb.SEVERITY_GENERAL {
		t.Errorf("M12 is %v", m)
	}
	// The catalogue of a chain takes them.
	g := &pb.Genesis{}
	Catalogue(g)
	if err := catalog.Import(&x.Ctx{State: xtest.NewMemory()}, g); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "code\n", measuresCSV + "M99,1,A\n", strings.Replace(measuresCSV, ",law,", ",laws,", 1), strings.Replace(measuresCSV, ",1;4,", ",1;x,", 1), strings.Replace(measuresCSV, ",no,36,", ",no,x,", 1)} {
		if _, err := parseMeasures(bad); err == nil {
			t.Errorf("accepted: %.80s", bad)
		}
	}
	if lists := IncentiveLists(); len(lists) != 3 || lists[0].Code != "HN28" || len(lists[0].Measures) != 8 || lists[0].CleanOf != pb.SEVERITY_GENERAL || len(g.IncentiveLists) != 3 {
		t.Errorf("incentive lists: %v", lists)
	}
	for _, bad := range []string{strings.Replace(incentivesCSV, "1;2;3;4", "1;x;3;4", 1), strings.Replace(incentivesCSV, ",general,", ",most,", 1), incentivesCSV + "X,1\n"} {
		if _, err := parseIncentives(bad); err == nil {
			t.Errorf("accepted: %.80s", bad)
		}
	}
	if _, err := parseLists(strings.Replace(listsCSV, ",yes,", ",perhaps,", 1)); err == nil {
		t.Error("accepted: neither yes nor no")
	}
}
