package main

import (
	"fmt"

	"github.com/xinlian-ledger/xinlian/networks/henan"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// Sizes of the samples.
const (
	firms       = 500
	reserved    = 10 // kept free of records, for the demo's story and its clean twins
	penalties   = 2000
	commitments = 1000
	slice       = 200 // rows of the XLSX and GB18030 files
)

// Everything lies before 2026-07-15, where the demo's legal clock begins.
var (
	firstDecision = mustDate("2026-04-01")
	lastDecision  = mustDate("2026-07-10")
	lastDay       = mustDate("2026-07-14")
)

// dice is splitmix64: its stream is fixed by its definition, which that of a library is not.
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n gives 0 to n-1. The bias of the modulus does not matter here.
func (d *dice) n(n int) int { return int(d.next() % uint64(n)) }

func (d *dice) between(lo, hi int) int { return lo + d.n(hi-lo+1) }

func pick[T any](d *dice, from []T) T { return from[d.n(len(from))] }

// firm is a synthetic subject.
type firm struct {
	uscc, name, region string
	category           int
	serious            bool // may have penalties of class 严重, and then promises nothing of types 1 and 3
	breach             bool // breaks one commitment
	reserved           bool // has no records
}

// The forms of members.json and expected.csv. Package sample reads them; it cannot be used here, since it embeds what this program
// writes.
type (
	member struct {
		Key         string       `json:"key"`
		USCC        string       `json:"uscc"`
		Name        string       `json:"name"`
		Level       string       `json:"level"`
		Regions     []string     `json:"regions"`
		System      string       `json:"system,omitempty"`
		Competences []competence `json:"competences,omitempty"`
	}
	competence struct {
		PowerCode    string   `json:"power_code"`
		PenaltyKinds []uint32 `json:"penalty_kinds"`
		Regions      []string `json:"regions"`
		Lists        []string `json:"lists,omitempty"`
		Measures     []string `json:"measures,omitempty"`
		Incentives   []string `json:"incentives,omitempty"`
		Abnormal     bool     `json:"abnormal,omitempty"`
		Other        bool     `json:"other,omitempty"`
	}
	expectation struct {
		file    string
		row     int
		outcome string
		code    string
		what    string
	}
)

// agency is a synthetic member.
type agency struct {
	member
	prefix string // of its decision numbers
	market bool   // makes penalties
}

type world struct {
	dice     dice
	regions  map[string]henan.Region
	counties []henan.Region
	firms    []firm
	agencies []agency
	docNo    map[string]int // last number of each agency
	serial   map[string]int // last serial of each region and day
	expected []expectation
}

func newWorld() *world {
	w := &world{dice: dice{state: 20260715}, regions: map[string]henan.Region{}, docNo: map[string]int{}, serial: map[string]int{}}
	for _, r := range henan.Regions() {
		w.regions[r.Code] = r
		if r.Level == henan.LevelCounty || r.Level == henan.LevelZone || r.Code == jiyuan {
			w.counties = append(w.counties, r)
		}
	}
	w.makeAgencies()
	w.makeFirms()
	return w
}

// jiyuan (济源) is a prefecture by management and has no county below it.
const jiyuan = "419001"

// body is an organisation code without its check character. Codes beginning Y0 are not known to be issued.
func body(n int) string { return fmt.Sprintf("Y%07d", n) }

func mustUSCC(kind, region string, n int) string {
	s := code.CompleteUSCC(kind+region, body(n))
	if s == "" {
		panic(fmt.Sprintf("no code for %s %s %d", kind, region, n))
	}
	return s
}

func mustDate(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Powers (权责清单编码) of the sample agencies, with the penalty kinds that each may decide.
var powers = []competence{
	{
		PowerCode: "SC-MARKET", PenaltyKinds: []uint32{1, 2, 3, 4, 5, 9, 10}, Lists: []string{"HN33", "SC"}, Measures: []string{"M01", "M07", "M08", "M12"}, Incentives: []string{"HN28"},
		Abnormal: true, Other: true,
	},
	{PowerCode: "SC-FOOD", PenaltyKinds: []uint32{1, 2, 3, 4, 5, 6, 8, 10, 11}},
	{PowerCode: "SC-LABOUR", PenaltyKinds: []uint32{1, 2, 3, 8}},
}

// labour is what the agencies do that decide no penalties: a list of their own, and measures that others call for.
var labour = competence{PowerCode: "RS-LABOUR", Lists: []string{"NMG"}, Measures: []string{"M07", "M08", "M12"}}

func (w *world) makeAgencies() {
	add := func(key, first8, name, level, region, prefix string, market bool) {
		m := member{
			Key: key, USCC: code.CompleteUSCC(first8, body(101+len(w.agencies))), Name: name + "（合成样例）", Level: level, Regions: []string{region},
		}
		if m.USCC == "" {
			panic("no code for " + key)
		}
		switch {
		case market:
			m.System = "market"
			for _, p := range powers {
				p.Regions = []string{region}
				m.Competences = append(m.Competences, p)
			}
		case key == "hn-scjg": // consents to what its line of command decides
			m.System = "market"
		default:
			m.System = "labour"
			p := labour
			p.Regions = []string{region}
			m.Competences = append(m.Competences, p)
		}
		w.agencies = append(w.agencies, agency{member: m, prefix: prefix, market: market})
	}
	prefectures := []struct{ code, key, short string }{
		{"410100", "zz", "郑"},
		{"410200", "kf", "汴"},
		{"410300", "ly", "洛"},
		{"410400", "pds", "平"},
		{"410500", "ay", "安"},
		{"410600", "hb", "鹤"},
		{"410700", "xx", "新"},
		{"410800", "jz", "焦"},
		{"410900", "py", "濮"},
		{"411000", "xc", "许"},
		{"411100", "lh", "漯"},
		{"411200", "smx", "三"},
		{"411300", "ny", "宛"},
		{"411400", "sq", "商"},
		{"411500", "xy", "信"},
		{"411600", "zk", "周"},
		{"411700", "zmd", "驻"},
		{jiyuan, "jy", "济"},
	}
	for _, p := range prefectures {
		add(p.key+"-scjg", "11"+p.code, w.regions[p.code].Name+"市场监督管理局", "prefecture", p.code, p.short+"样市监罚", true)
	}
	add("gy-scjg", "11410181", "巩义市市场监督管理局", "county", "410181", "巩样市监罚", true)
	add("hkg-scjg", "11410173", "郑州航空港经济综合实验区市场监督管理局", "zone", "410173", "航样市监罚", true)
	add("js-rsj", "11410105", "金水区人力资源和社会保障局", "county", "410105", "", false)
	add("hn-rst", "11410000", "河南省人力资源和社会保障厅", "province", "410000", "", false)
	add("hn-scjg", "11410000", "河南省市场监督管理局", "province", "410000", "", false)
}

func (w *world) agency(key string) *agency {
	for i := range w.agencies {
		if w.agencies[i].Key == key {
			return &w.agencies[i]
		}
	}
	panic("no agency " + key)
}

// marketOf is the agency that decides penalties for a place.
func (w *world) marketOf(region string) *agency {
	if region == "410181" && w.dice.n(2) == 0 {
		return w.agency("gy-scjg")
	}
	for r := region; r != ""; r = w.regions[r].Parent {
		for i := range w.agencies {
			a := &w.agencies[i]
			if a.market && a.Level != "county" && a.Regions[0] == r {
				return a
			}
		}
	}
	panic("no agency for " + region)
}

var (
	trades = []string{"食品", "商贸", "餐饮", "建材", "机械", "物流", "农业", "医药", "电器", "服饰", "纺织", "包装", "化工", "家具", "印刷"}
	heads  = []string{"晨光", "新禾", "远山", "明德", "立信", "同舟", "惠民", "永盛", "和顺", "东篱", "青禾", "金穗", "长风", "安和", "广源"}
)

func (w *world) makeFirms() {
	// The firm of scenarios S1 to S5.
	w.firms = append(w.firms, firm{uscc: "91410100Y000000160", name: "豫才服务有限公司（合成）", region: "410105", category: 1, reserved: true})
	for i := range reserved {
		w.firms = append(w.firms, firm{
			uscc: mustUSCC("91", "410100", 900+i), name: fmt.Sprintf("示例演示企业%02d有限公司（合成）", i+1), region: "410105", category: 1, reserved: true,
		})
	}
	// A code whose inner check character is wrong: such codes have been issued, and are taken in with a warning.
	w.firms = append(w.firms, firm{uscc: "91410100Y00000011G", name: "示例旧码商贸有限公司（合成）", region: "410102", category: 1})
	for i := len(w.firms); i < firms; i++ {
		region := w.counties[i*7%len(w.counties)] // 7 is no divisor of their number: every one is met
		f := firm{region: region.Code, category: 1}
		registered := region.Code
		if i%20 == 3 {
			registered = pick(&w.dice, w.counties).Code // it moved: the digits of a code say where it was registered first
		}
		name := fmt.Sprintf("示例%s%s%03d", pick(&w.dice, heads), pick(&w.dice, trades), i)
		switch {
		case i%11 == 5:
			f.category, f.uscc, f.name = 4, mustUSCC("92", registered, 1000+i), name+"商行（合成）"
		case i%37 == 6:
			f.uscc, f.name = mustUSCC("93", registered, 1000+i), name+"农民专业合作社（合成）"
		case i%37 == 7:
			f.uscc, f.name = mustUSCC("51", registered, 1000+i), name+"协会（合成）"
		default:
			f.uscc, f.name = mustUSCC("91", registered, 1000+i), name+"有限公司（合成）"
		}
		f.serious = i%10 == 0
		f.breach = i%10 == 1
		w.firms = append(w.firms, f)
	}
}

// withRecords lists the firms that may have records.
func (w *world) withRecords() []*firm {
	var out []*firm
	for i := range w.firms {
		if !w.firms[i].reserved {
			out = append(out, &w.firms[i])
		}
	}
	return out
}

func (w *world) expect(file string, row int, outcome, code, what string) {
	w.expected = append(w.expected, expectation{file, row, outcome, code, what})
}
