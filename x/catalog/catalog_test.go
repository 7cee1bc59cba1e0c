package catalog_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/catalog"
	"github.com/xinlian-ledger/xinlian/x/xtest"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

type script struct {
	t   *testing.T
	mem *xtest.Memory
	ctx *x.Ctx
}

func newScript(t *testing.T, g *pb.Genesis) *script {
	t.Helper()
	mem := xtest.NewMemory()
	s := &script{t: t, mem: mem, ctx: &x.Ctx{State: mem, Touched: map[string]struct{}{}}}
	if err := catalog.Import(s.ctx, g); err != nil {
		t.Fatal(err)
	}
	return s
}

func day(t *testing.T, s string) calendar.Date {
	t.Helper()
	if s == "" {
		return 0
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return d
}

func result(err error) string {
	if err == nil {
		return "ok\n"
	}
	if _, ok := err.(*x.Rejection); !ok {
		return "not a refusal: " + err.Error() + "\n"
	}
	return err.Error() + "\n"
}

type args map[string][]string

func argsOf(list []datadriven.CmdArg) args {
	a := args{}
	for _, c := range list {
		if len(c.Vals) == 1 && c.Vals[0] == "" { // key=()
			c.Vals = nil
		}
		a[c.Key] = c.Vals
	}
	return a
}

func (a args) one(key string) string {
	if v := a[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (a args) num(key string) int64 {
	n, err := strconv.ParseInt(a.one(key), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (a args) has(key string) bool { _, ok := a[key]; return ok }

// action reads the words of a change.
func (s *script) action(d *datadriven.TestData) *pb.Action {
	a := argsOf(d.CmdArgs)
	switch d.Cmd {
	case "param":
		return &pb.Action{Sum: &pb.Action_SetParam{SetParam: &pb.Param{Name: d.CmdArgs[0].Key, Value: a.num("to")}}}
	case "severity":
		return &pb.Action{Sum: &pb.Action_PutSeverityRule{PutSeverityRule: &pb.SeverityRule{Sector: d.CmdArgs[0].Key, LargeFineFen: a.num("large"), HugeFineFen: a.num("huge")}}}
	case "template":
		digest := sha256.Sum256([]byte(a.one("text")))
		t := &pb.CommitmentTemplate{Type: uint32(a.num("type")), Version: uint32(a.num("version")), TextDigest: digest[:], Closed: a.has("closed")}
		if !a.has("text") {
			t.TextDigest = nil
		}
		t.ValidFrom = int32(day(s.t, a.one("from")))
		for _, k := range kinds(a["asks"]) {
			t.Asks = append(t.Asks, pb.TemplateField(k))
		}
		return &pb.Action{Sum: &pb.Action_PutTemplate{PutTemplate: t}}
	case "business":
		return &pb.Action{Sum: &pb.Action_PutBusiness{PutBusiness: &pb.BusinessItem{
			Code: d.CmdArgs[0].Key, Name: strings.ReplaceAll(a.one("name"), "/", "\n"), Excluded: pb.ExcludedField(a.num("excluded")),
		}}}
	case "year":
		y := &pb.CalendarYear{Year: int32(a.num("of"))}
		for _, line := range strings.Split(d.Input, "\n") {
			f := strings.Fields(line)
			if len(f) == 0 {
				continue
			}
			first, last := day(s.t, f[1]), day(s.t, f[len(f)-1])
			for at := first; at <= last; at++ {
				y.Days = append(y.Days, pb.CalendarDay{Date: int32(at), Working: f[0] == "work"})
			}
		}
		return &pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: y}}
	case "regions":
		c := &pb.RegionChange{}
		for _, line := range strings.Split(d.Input, "\n") {
			_, list, err := datadriven.ParseLine("region " + line)
			if err != nil {
				s.t.Fatal(err)
			}
			if line == "" {
				continue
			}
			b := argsOf(list)
			g := pb.Region{Code: list[0].Key, Name: strings.ReplaceAll(list[1].Key, "_", " "), Level: list[2].Key, Parent: b.one("in")}
			g.ValidFrom, g.ValidTo = int32(day(s.t, b.one("from"))), int32(day(s.t, b.one("to")))
			if g.Name == "-" {
				g.Name = ""
			}
			c.Regions = append(c.Regions, g)
		}
		if n := int(a.num("times")); n > 0 {
			for len(c.Regions) < n {
				c.Regions = append(c.Regions, c.Regions[0])
			}
		}
		return &pb.Action{Sum: &pb.Action_PutRegion{PutRegion: c}}
	case "item":
		return &pb.Action{Sum: &pb.Action_PutMeasureItem{PutMeasureItem: s.item(d.CmdArgs[0].Key, a)}}
	case "list":
		return &pb.Action{Sum: &pb.Action_PutListStandard{PutListStandard: s.list(d.CmdArgs[0].Key, a)}}
	case "incentives":
		l := &pb.IncentiveList{
			Code: d.CmdArgs[0].Key, Version: uint32(a.num("version") + 1), Name: "某守信激励名单", Basis: "《某办法》", BasisLevel: pb.BASIS_DEPARTMENT_RULE,
			Measures: []pb.IncentiveMeasure{1, 4}, TermMonths: uint32(a.num("term")), CleanOf: pb.Severity(a.num("clean")), NameConfidence: 2, TermsConfidence: 4,
		}
		if a.has("measures") {
			l.Measures = nil
			for _, k := range kinds(a["measures"]) {
				l.Measures = append(l.Measures, pb.IncentiveMeasure(k))
			}
		}
		if a.has("name") {
			l.Name = a.one("name")
		}
		l.ValidFrom, l.ValidTo = int32(day(s.t, a.one("from"))), int32(day(s.t, a.one("to")))
		return &pb.Action{Sum: &pb.Action_PutIncentiveList{PutIncentiveList: l}}
	case "remove":
		return &pb.Action{Sum: &pb.Action_RemoveMember{RemoveMember: "x"}}
	}
	return nil
}

// item is a well-formed item of the list of measures with what is named changed; list a well-formed standard of a list.
func (s *script) item(code string, a args) *pb.MeasureItem {
	m := &pb.MeasureItem{
		Code: code, Version: 1, Group: pb.MEASURE_GROUP_MANAGEMENT, Matter: "纳入重点监管范围", Object: "失信单位", Means: "提高检查频次", Body: "国家机关",
		Basis: "《某法》第一条", BasisLevel: pb.BASIS_LAW, Sources: []pb.DishonestyKind{1, 2}, ClassMin: 2, Categories: []uint32{1, 4},
		NameConfidence: 1, BasisConfidence: 1, ValidFrom: int32(day(s.t, a.one("from"))), ValidTo: int32(day(s.t, a.one("to"))), Elsewhere: a.has("elsewhere"),
	}
	for key, field := range map[string]*string{"matter": &m.Matter, "object": &m.Object, "means": &m.Means, "body": &m.Body, "basis": &m.Basis} {
		if a.has(key) {
			*field = strings.ReplaceAll(a.one(key), "/", "\n")
		}
	}
	for key, set := range map[string]func(int64){
		"version": func(n int64) { m.Version = uint32(n) }, "group": func(n int64) { m.Group = pb.MeasureGroup(n) },
		"level": func(n int64) { m.BasisLevel = pb.BasisLevel(n) }, "class": func(n int64) { m.ClassMin = pb.Severity(n) },
		"months": func(n int64) { m.MonthsMax = uint32(n) }, "mark": func(n int64) { m.BasisConfidence = pb.Confidence(n) },
	} {
		if a.has(key) {
			set(a.num(key))
		}
	}
	if a.has("sources") {
		m.Sources = nil
		for _, k := range kinds(a["sources"]) {
			m.Sources = append(m.Sources, pb.DishonestyKind(k))
		}
	}
	if a.has("categories") {
		m.Categories = kinds(a["categories"])
	}
	for _, l := range kinds(a["levels"]) {
		m.Levels = append(m.Levels, pb.Level(l))
	}
	m.Lists, m.Systems = a["lists"], a["systems"]
	for i := range a.num("many") {
		m.Systems = append(m.Systems, fmt.Sprintf("s%03d", i))
	}
	return m
}

func (s *script) list(code string, a args) *pb.ListStandard {
	l := &pb.ListStandard{
		Code: code, Version: 1, Name: "某严重违法失信名单", System: "market", Basis: "《某办法》", BasisLevel: pb.BASIS_DEPARTMENT_RULE,
		TermMonths: 36, EarlyMonths: 12, NameConfidence: 2, TermsConfidence: 3, ValidFrom: int32(day(s.t, a.one("from"))), ValidTo: int32(day(s.t, a.one("to"))),
	}
	for key, field := range map[string]*string{"name": &l.Name, "system": &l.System, "basis": &l.Basis} {
		if a.has(key) {
			*field = a.one(key)
		}
	}
	for key, set := range map[string]func(int64){
		"version": func(n int64) { l.Version = uint32(n) }, "level": func(n int64) { l.BasisLevel = pb.BasisLevel(n) },
		"term": func(n int64) { l.TermMonths = uint32(n) }, "early": func(n int64) { l.EarlyMonths = uint32(n) }, "mark": func(n int64) { l.TermsConfidence = pb.Confidence(n) },
	} {
		if a.has(key) {
			set(a.num(key))
		}
	}
	return l
}

func kinds(names []string) (out []uint32) {
	for _, n := range names {
		i, _ := strconv.Atoi(n)
		out = append(out, uint32(i))
	}
	return out
}

func (s *script) run(d *datadriven.TestData) string {
	if a := s.action(d); a != nil {
		return s.change(d.Pos, a)
	}
	a := argsOf(d.CmdArgs)
	word := ""
	if len(d.CmdArgs) > 0 {
		word = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "int":
		return fmt.Sprintln(catalog.Int(s.mem, word))
	case "version":
		return fmt.Sprintln(catalog.Version(s.mem).Version)
	case "ancestors":
		return fmt.Sprintln(catalog.Ancestors(s.mem, word))
	case "region":
		g, ok := catalog.Region(s.mem, word, day(s.t, a.one("on")))
		if !ok {
			return "not in force\n"
		}
		return fmt.Sprintln(g.Name, g.Level, "in", g.Parent)
	case "classify":
		k := kinds(a["kinds"])
		return fmt.Sprintln(catalog.Classify(s.mem, a.one("sector"), k, uint32(a.num("procedure")), a.num("fine"), a.num("confiscated")),
			"floor", catalog.StatutoryFloor(k))
	case "thresholds":
		r := catalog.SeverityRuleFor(s.mem, word)
		return fmt.Sprintln(r.Sector, r.LargeFineFen, r.HugeFineFen)
	case "template?":
		t, ok := catalog.Template(s.mem, uint32(a.num("type")), uint32(a.num("version")))
		if !ok {
			return "none\n"
		}
		return fmt.Sprintf("closed=%t\n", t.Closed)
	case "template-on?": // template-on? type= on=: the version that a commitment made that day must use
		t, ok := catalog.TemplateOn(s.mem, uint32(a.num("type")), day(s.t, a.one("on")))
		if !ok {
			return "none\n"
		}
		return fmt.Sprintf("version %d, asks for %v\n", t.Version, t.Asks)
	case "excluded?": // excluded? CODE: by which field an item is closed
		b, ok := catalog.BusinessItem(s.mem, word)
		if !ok {
			return fmt.Sprintf("unknown; the catalogue lists items: %t\n", catalog.ListsBusiness(s.mem))
		}
		return fmt.Sprintln(b.Name, catalog.ExcludedBy(s.mem, b))
	case "last-day": // last-day DATE: of a period of an agency
		return fmt.Sprintln(catalog.LastDay(s.mem, day(s.t, word)))
	case "item?": // item? CODE on=DATE: the version in force
		m, ok := catalog.MeasureItemOn(s.mem, word, day(s.t, a.one("on")))
		if !ok {
			return "none\n"
		}
		return fmt.Sprintln("version", m.Version, m.Basis)
	case "list?":
		l, ok := catalog.ListStandardOn(s.mem, word, day(s.t, a.one("on")))
		if !ok {
			return "none\n"
		}
		return fmt.Sprintln("version", l.Version, l.Basis)
	case "add": // add N working days to a day
		c := catalog.Calendar(s.mem)
		return fmt.Sprintln(c.AddWorkingDays(day(s.t, a.one("from")), int(a.num("wd"))), "by version", c.Version())
	}
	s.t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

func (s *script) change(pos string, a *pb.Action) string {
	before := s.mem.Clone()
	v := catalog.Version(s.mem)
	checked := catalog.CheckAction(s.mem, a)
	handled, err := catalog.Apply(s.ctx, a)
	if result(checked) != result(err) {
		s.t.Errorf("%s: CheckAction says %v, Apply %v", pos, checked, err)
	}
	if err := catalog.Check(s.mem); err != nil {
		s.t.Errorf("%s: %v", pos, err)
	}
	if err != nil || !handled {
		if !s.mem.Equal(before) {
			s.t.Errorf("%s: what was not done has written something", pos)
		}
	} else {
		raw, _ := a.Marshal()
		inner := sha256.Sum256(raw)
		want := sha256.Sum256(append(append([]byte(nil), v.Digest...), inner[:]...))
		if now := catalog.Version(s.mem); now.Version != v.Version+1 || string(now.Digest) != string(want[:]) {
			s.t.Errorf("%s: version %d digest %x after %d", pos, now.Version, now.Digest, v.Version)
		}
	}
	if !handled {
		return "not of the catalogue\n"
	}
	return result(err)
}

func TestScripts(t *testing.T) {
	// Not datadriven.Walk: a property that fails leaves its seed in a folder beside the scripts.
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := newScript(t, &pb.Genesis{})
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				s.t = t
				return s.run(d)
			})
		})
	}
}

// Each refusal of this module is reached by a script.
func TestEveryRefusal(t *testing.T) {
	var all strings.Builder
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	n := 0
	for _, r := range x.Refusals() {
		if r.Number/100 == 5 {
			n++
			if !strings.Contains(all.String(), "\n"+r.Code+":") {
				t.Errorf("no script reaches %d %s", r.Number, r.Code)
			}
		}
	}
	if n < 9 {
		t.Errorf("only %d refusals are declared", n)
	}
}

// The table of parameters is whole, and its defaults are values that governance could choose.
func TestParams(t *testing.T) {
	units := map[string]bool{"bool": true, "choice": true, "months": true, "wd": true, "days": true, "permille": true, "seconds": true, "bytes": true, "messages": true, "timers": true, "subjects": true, "records": true, "classes": true}
	s := newScript(t, &pb.Genesis{})
	seen := map[string]bool{}
	for _, p := range catalog.Params {
		if seen[p.Name] {
			t.Errorf("%s stands twice", p.Name)
		}
		seen[p.Name] = true
		if p.Label == "" || p.Source == "" || p.Meaning == "" || !units[p.Unit] {
			t.Errorf("%s is not described", p.Name)
		}
		if p.Unit == "bool" && (p.Min < 0 || p.Max > 1) {
			t.Errorf("%s is a switch with bounds %d to %d", p.Name, p.Min, p.Max)
		}
		if got := catalog.Int(s.mem, p.Name); got != p.Default {
			t.Errorf("%s is %d before anybody sets it, want %d", p.Name, got, p.Default)
		}
		for value, fits := range map[int64]bool{p.Min - 1: false, p.Min: true, p.Default: true, p.Max: true, p.Max + 1: false} {
			err := catalog.CheckAction(s.mem, &pb.Action{Sum: &pb.Action_SetParam{SetParam: &pb.Param{Name: p.Name, Value: value}}})
			if fits != (err == nil) || !fits && !catalog.ErrParamRange.Is(err) {
				t.Errorf("%s = %d: %v", p.Name, value, err)
			}
		}
	}
}

// Whatever governance chooses within the bounds, no shortest period exceeds its longest, and a valid transaction fits a block.
func TestBoundsAgree(t *testing.T) {
	of := func(name string) catalog.ParamInfo {
		p, ok := catalog.ParamOf(name)
		if !ok {
			t.Fatalf("no parameter %s", name)
		}
		return p
	}
	for _, c := range [][2]string{
		{"general_min_months", "general_max_months"},
		{"serious_min_months", "serious_max_months"},
		{"general_min_months", "local_disclosure_cap_months"},
		{"serious_min_months", "local_disclosure_cap_months"},
	} {
		if of(c[0]).Max > of(c[1]).Min {
			t.Errorf("%s may be %d and %s %d", c[0], of(c[0]).Max, c[1], of(c[1]).Min)
		}
	}
	if of("general_max_months").Max > 12 || of("serious_max_months").Max > 36 {
		t.Error("a longest period may exceed the law's")
	}
	if of("member_bytes_per_block").Min < pb.TxBytesMax || of("member_messages_per_block").Min < pb.MessagesMax {
		t.Error("a valid transaction might fit no block")
	}
	if of("standing_bytes_max").Max >= pb.BundleBytesMax {
		t.Error("a standing might fit no bundle")
	}
	if of("visibility_timers_per_block").Min < 20_000 {
		t.Error("what ends visibility might wait too long")
	}
}

func TestUnknownParameterIsABug(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a parameter that does not exist has a value")
		}
	}()
	catalog.Int(xtest.NewMemory(), "general_max_month")
}

func TestGovernanceRules(t *testing.T) {
	s := newScript(t, &pb.Genesis{Params: []pb.Param{{Name: "member_admission_quorum_permille", Value: 800}, {Name: "voting_days", Value: 3}}})
	r := catalog.GovernanceRules(s.mem)
	if r.QuorumPermille != 667 || r.MemberQuorumPermille != 800 || r.RuleNoticeDays != 30 || r.TableNoticeDays != 7 || r.VotingDays != 3 {
		t.Errorf("%+v", r)
	}
}

func genesis() *pb.Genesis {
	one, two := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("two"))
	return &pb.Genesis{
		Params:        []pb.Param{{Name: "voting_days", Value: 5}, {Name: "general_max_months", Value: 6}},
		SeverityRules: []pb.SeverityRule{{Sector: "food", LargeFineFen: 1, HugeFineFen: 2}, {Sector: "*", LargeFineFen: 3, HugeFineFen: 4}},
		Templates:     []pb.CommitmentTemplate{{Type: 4, Version: 1, TextDigest: one[:]}, {Type: 1, Version: 3, TextDigest: two[:], Closed: true}},
		Calendar:      []pb.CalendarYear{{Year: 2026, Days: []pb.CalendarDay{{Date: 20454}, {Date: 20457, Working: true}}}, {Year: 2025, Days: []pb.CalendarDay{{Date: 20089}}}},
		Regions: []pb.Region{
			{Code: "410181", Name: "巩义市", Level: "county", Parent: "410100"},
			{Code: "410100", Name: "郑州市", Level: "prefecture", Parent: "410000"},
			{Code: "410000", Name: "河南省", Level: "province"},
		},
	}
}

func reversed[T any](list []T) (out []T) {
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out
}

func TestGenesisRoundTrip(t *testing.T) {
	s := newScript(t, genesis())
	if err := catalog.Check(s.mem); err != nil {
		t.Fatal(err)
	}
	var g pb.Genesis
	catalog.Export(s.mem, &g)
	if again := newScript(t, &g); !again.mem.Equal(s.mem) {
		t.Error("export and import do not give the same rows")
	}
	// The order of rows says nothing; the content does.
	g.Params, g.SeverityRules, g.Templates, g.Calendar, g.Regions =
		reversed(g.Params), reversed(g.SeverityRules), reversed(g.Templates), reversed(g.Calendar), reversed(g.Regions)
	if again := newScript(t, &g); !again.mem.Equal(s.mem) {
		t.Error("the order of genesis has entered the state")
	}
	g.Params[0].Value++
	if again := newScript(t, &g); reflect.DeepEqual(catalog.Version(again.mem), catalog.Version(s.mem)) {
		t.Error("another catalogue has the same digest")
	}
}

// The digest of genesis is a frozen format: ask for a second reader before updating.
func TestGenesisDigestIsFrozen(t *testing.T) {
	for want, g := range map[string]*pb.Genesis{
		"40921df83c44843dc6b1b5895f3fe584db6f8207c618a15440fc4ed341f112ac": {},
		"6545ec6e6620ba12b0c5432d0e2920d1d5b66fdc1627faf20dea0b1583204979": genesis(),
	} {
		v := catalog.Version(newScript(t, g).mem)
		if got := fmt.Sprintf("%x", v.Digest); v.Version != 1 || got != want {
			t.Errorf("version %d digest %s, want %s", v.Version, got, want)
		}
	}
}

func TestGenesisRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*pb.Genesis)
		want *x.Rejection
	}{
		{"a parameter twice", func(g *pb.Genesis) { g.Params = append(g.Params, g.Params[0]) }, catalog.ErrParamRange},
		{"an unknown parameter", func(g *pb.Genesis) { g.Params[0].Name = "fee" }, catalog.ErrParamUnknown},
		{"a sector twice", func(g *pb.Genesis) { g.SeverityRules[0].Sector = "*" }, catalog.ErrSeverityRule},
		{"a bad sector", func(g *pb.Genesis) { g.SeverityRules[0].Sector = "食品" }, x.ErrToken},
		{"a template twice", func(g *pb.Genesis) { g.Templates = append(g.Templates, g.Templates[0]) }, catalog.ErrTemplate},
		{"a template without text", func(g *pb.Genesis) { g.Templates[0].TextDigest = nil }, x.ErrDigest},
		{"a year twice", func(g *pb.Genesis) { g.Calendar = append(g.Calendar, g.Calendar[0]) }, catalog.ErrCalendar},
		{"a day of another year", func(g *pb.Genesis) { g.Calendar[0].Year = 2027 }, catalog.ErrCalendar},
		{"a region twice", func(g *pb.Genesis) { g.Regions = append(g.Regions, g.Regions[0]) }, catalog.ErrRegionRow},
		{"a region without its parent", func(g *pb.Genesis) { g.Regions = g.Regions[:1] }, catalog.ErrRegionRow},
	} {
		g := genesis()
		c.edit(g)
		err := catalog.Import(&x.Ctx{State: xtest.NewMemory()}, g)
		if r, ok := err.(*x.Rejection); !ok || !c.want.Is(r) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want.Code)
		}
	}
}

func TestCheckFindsDamage(t *testing.T) {
	for name, edit := range map[string]func(*xtest.Memory){
		"no version":                 func(m *xtest.Memory) { m.Delete([]byte{0x25}) },
		"a version without a digest": func(m *xtest.Memory) { m.Set([]byte{0x25}, x.EncodeRow(&pb.CatalogVersion{Version: 1})) },
		"a parameter out of bounds": func(m *xtest.Memory) {
			m.Set(x.Key(0x20, []byte("voting_days")), x.EncodeRow(&pb.Param{Name: "voting_days", Value: 1000}))
		},
		"a parameter under another name": func(m *xtest.Memory) {
			m.Set(x.Key(0x20, []byte("general_max_months")), x.EncodeRow(&pb.Param{Name: "voting_days", Value: 5}))
		},
		"thresholds upside down": func(m *xtest.Memory) {
			m.Set(x.Key(0x21, []byte("food")), x.EncodeRow(&pb.SeverityRule{Sector: "food", LargeFineFen: 2, HugeFineFen: 1}))
		},
		"a template without text": func(m *xtest.Memory) {
			m.Set(x.Key(0x22, []byte{4, 0, 0, 0, 1}), x.EncodeRow(&pb.CommitmentTemplate{Type: 4, Version: 1}))
		},
		"a year upside down": func(m *xtest.Memory) {
			m.Set(x.Key(0x23, []byte{2026 >> 8, 2026 & 0xff}), x.EncodeRow(&pb.CalendarYear{Year: 2026, Days: []pb.CalendarDay{{Date: 20457}, {Date: 20454}}}))
		},
		"a parent is gone": func(m *xtest.Memory) { m.Delete(x.Key(0x24, []byte("410100"))) },
		"a circle": func(m *xtest.Memory) {
			m.Set(x.Key(0x24, []byte("410100")), x.EncodeRow(&pb.Region{Code: "410100", Name: "郑州市", Level: "prefecture", Parent: "410181"}))
		},
		"a region under another code": func(m *xtest.Memory) {
			m.Set(x.Key(0x24, []byte("410182")), x.EncodeRow(&pb.Region{Code: "410181", Name: "巩义市", Level: "county", Parent: "410100"}))
		},
	} {
		s := newScript(t, genesis())
		edit(s.mem)
		if catalog.Check(s.mem) == nil {
			t.Errorf("%s: Check sees nothing", name)
		}
	}
}

// A table that was damaged stops the machine and never sends a rule around in circles.
func TestDamagedRegionsAreAFault(t *testing.T) {
	for name, edit := range map[string]func(*xtest.Memory){
		"a parent is gone": func(m *xtest.Memory) { m.Delete(x.Key(0x24, []byte("410100"))) },
		"a circle": func(m *xtest.Memory) {
			m.Set(x.Key(0x24, []byte("410100")), x.EncodeRow(&pb.Region{Code: "410100", Name: "郑州市", Level: "prefecture", Parent: "410181"}))
		},
	} {
		s := newScript(t, genesis())
		edit(s.mem)
		func() {
			defer func() {
				if _, ok := recover().(x.Fault); !ok {
					t.Errorf("%s: no fault", name)
				}
			}()
			catalog.Ancestors(s.mem, "410181")
		}()
	}
}

// Bounds that no script has the patience for.
func TestBounds(t *testing.T) {
	s := newScript(t, genesis())
	days := make([]pb.CalendarDay, 367)
	for i := range days {
		days[i].Date = 20454 + int32(i)
	}
	region := func(from, to int32) *pb.Action {
		return &pb.Action{Sum: &pb.Action_PutRegion{PutRegion: &pb.RegionChange{Regions: []pb.Region{
			{Code: "410181", Name: "巩义市", Level: "county", Parent: "410100", ValidFrom: from, ValidTo: to},
		}}}}
	}
	long := strings.Repeat("x", 1000)
	for _, c := range []struct {
		name   string
		action *pb.Action
		want   *x.Rejection
	}{
		{"more days than a year has", &pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: &pb.CalendarYear{Year: 2026, Days: days}}}, x.ErrTooMany},
		{"a region from the stone age", region(1, 0), x.ErrDate},
		{"a region until the stone age", region(0, 1), x.ErrDate},
		{"a long name of a parameter", &pb.Action{Sum: &pb.Action_SetParam{SetParam: &pb.Param{Name: long}}}, catalog.ErrParamUnknown},
	} {
		err := catalog.CheckAction(s.mem, c.action)
		if err == nil || !c.want.Is(err) || len(err.Error()) > 400 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	g := genesis()
	for i := 0; len(g.Regions) < 4097; i++ {
		g.Regions = append(g.Regions, pb.Region{Code: fmt.Sprint(500000 + i), Name: "样例", Level: "county", Parent: "410100"})
	}
	if err := catalog.Import(&x.Ctx{State: xtest.NewMemory()}, g); !x.ErrTooMany.Is(err) {
		t.Errorf("4097 regions: %v", err)
	}
	g.Regions = g.Regions[:4096]
	if err := catalog.Import(&x.Ctx{State: xtest.NewMemory()}, g); err != nil {
		t.Errorf("4096 regions: %v", err)
	}
}

// A year whose exceptions are all taken back leaves no row: it is a year that nobody has spoken of.
func TestEmptyYearLeavesNoRow(t *testing.T) {
	s := newScript(t, genesis())
	if _, err := catalog.Apply(s.ctx, &pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: &pb.CalendarYear{Year: 2026}}}); err != nil {
		t.Fatal(err)
	}
	catalog.EachYear(s.mem, func(y *pb.CalendarYear) bool {
		if y.Year == 2026 {
			t.Error("2026 has a row")
		}
		return true
	})
}

// The calendar is known from today's year on as far as no year lacks.
func TestCalendarUntil(t *testing.T) {
	s := newScript(t, genesis())
	put := func(year int) {
		t.Helper()
		first, err := calendar.FromYMD(year, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		a := &pb.Action{Sum: &pb.Action_PutCalendar{PutCalendar: &pb.CalendarYear{Year: int32(year), Days: []pb.CalendarDay{{Date: int32(first)}}}}}
		if _, err := catalog.Apply(s.ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	until := func(today, want string) {
		t.Helper()
		d, err := calendar.ParseDate(today)
		if err != nil {
			t.Fatal(err)
		}
		if got := catalog.CalendarUntil(s.mem, d); got.String() != want {
			t.Errorf("on %s the calendar is known until %q, want %q", today, got, want)
		}
	}
	until("2026-12-15", "2026-12-31")
	until("2027-01-01", "")
	put(2028)
	until("2026-12-15", "2026-12-31")
	until("2027-01-01", "")
	until("2028-06-30", "2028-12-31")
	put(2027)
	until("2026-12-15", "2028-12-31")
	put(2100)
	until("2100-12-31", "2100-12-31")
	if got := catalog.CalendarUntil(s.mem, 0); got != 0 {
		t.Errorf("of no day: %v", got)
	}
}

// What reads a calendar survives any day it is asked for.
func TestCalendarOutsideItsRange(t *testing.T) {
	s := newScript(t, genesis())
	c := catalog.Calendar(s.mem)
	for _, d := range []calendar.Date{0, -1, 1, calendar.Min, calendar.Max, calendar.Max + 1} {
		c.IsWorkingDay(d)
		c.AddWorkingDays(d, 5)
	}
}
