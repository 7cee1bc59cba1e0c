package henan

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// What sanctions rest on when a Henan network starts. Each row carries a mark for how well its name and its basis, or its terms, were read; what is not
// confirmed is for governance to correct.

//go:embed measures-henan.csv
var measuresCSV string

//go:embed lists-henan.csv
var listsCSV string

//go:embed incentives-henan.csv
var incentivesCSV string

// MeasureItems gives the list of measures (失信惩戒措施清单): the national items M01 to M14 and Henan's supplement, arts 32 and 34 of its regulation.
func MeasureItems() []pb.MeasureItem {
	items, err := parseMeasures(measuresCSV)
	if err != nil {
		panic(fmt.Sprintf("henan: measures-henan.csv: %v", err))
	}
	return items
}

// ListStandards gives the standards of the lists of serious dishonesty (严重失信主体名单认定标准).
func ListStandards() []pb.ListStandard {
	lists, err := parseLists(listsCSV)
	if err != nil {
		panic(fmt.Sprintf("henan: lists-henan.csv: %v", err))
	}
	return lists
}

// IncentiveLists gives the incentive lists (守信激励名单).
func IncentiveLists() []pb.IncentiveList {
	lists, err := parseIncentives(incentivesCSV)
	if err != nil {
		panic(fmt.Sprintf("henan: incentives-henan.csv: %v", err))
	}
	return lists
}

// Words of the tables.
var (
	groups = []string{pb.MEASURE_GROUP_RIGHTS: "A", pb.MEASURE_GROUP_MANAGEMENT: "B", pb.MEASURE_GROUP_MARKET: "C"}
	bases  = []string{
		pb.BASIS_LAW: "law", pb.BASIS_REGULATION: "regulation", pb.BASIS_LOCAL_REGULATION: "local", pb.BASIS_CENTRAL_POLICY: "policy", pb.BASIS_DEPARTMENT_RULE: "rule",
	}
	sources = []string{pb.DISHONESTY_PENALTY: "penalty", pb.DISHONESTY_LIST: "list", pb.DISHONESTY_ABNORMAL: "abnormal", pb.DISHONESTY_OTHER: "other"}
	classes = []string{pb.SEVERITY_MINOR: "minor", pb.SEVERITY_GENERAL: "general", pb.SEVERITY_SERIOUS: "serious"}
	levels  = []string{
		pb.LEVEL_PROVINCE: "province", pb.LEVEL_PREFECTURE: "prefecture", pb.LEVEL_COUNTY: "county", pb.LEVEL_TOWNSHIP: "township",
		pb.LEVEL_VERTICAL: "vertical", pb.LEVEL_ZONE: "zone", pb.LEVEL_OTHER: "other",
	}
	marks = []string{pb.CONFIDENCE_CONFIRMED: "C", pb.CONFIDENCE_PARTLY: "P", pb.CONFIDENCE_MEMORY: "M", pb.CONFIDENCE_DECIDED: "D"}
)

// cells reads the fields of a row one after the other; the first that cannot be read is the row's fault.
type cells struct {
	rest []string
	err  error
}

func (c *cells) text() string {
	s := c.rest[0]
	c.rest = c.rest[1:]
	return s
}

func (c *cells) number() uint32 {
	s := c.text()
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("%q is no number", s)
	}
	return uint32(n)
}

// numbersOf reads a cell that lists numbers.
func numbersOf[N ~int32 | ~uint32](c *cells) (out []N) {
	for _, s := range c.list() {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil && c.err == nil {
			c.err = fmt.Errorf("%q is no number", s)
		}
		out = append(out, N(n))
	}
	return out
}

func (c *cells) flag() bool {
	s := c.text()
	if s != "yes" && s != "no" && c.err == nil {
		c.err = fmt.Errorf("%q is neither yes nor no", s)
	}
	return s == "yes"
}

func (c *cells) list() []string {
	s := c.text()
	if s == "" {
		return nil
	}
	return strings.Split(s, ";")
}

// wordOf reads a cell that holds one of the words, or nothing where that is allowed.
func wordOf[E ~int32](c *cells, words []string, optional bool) E {
	return lookUp[E](c, c.text(), words, optional)
}

func wordsOf[E ~int32](c *cells, words []string) (out []E) {
	for _, s := range c.list() {
		out = append(out, lookUp[E](c, s, words, false))
	}
	return out
}

func lookUp[E ~int32](c *cells, s string, words []string, optional bool) E {
	if s == "" && optional {
		return 0
	}
	for i, w := range words {
		if w == s && w != "" {
			return E(i)
		}
	}
	if c.err == nil {
		c.err = fmt.Errorf("unknown word %q", s)
	}
	return 0
}

func parseMeasures(csv string) ([]pb.MeasureItem, error) {
	rows, err := parseTable(csv, "code,version,group,matter,object,means,body,basis,level,sources,class,lists,categories,levels,systems,at_once,months,elsewhere,name_mark,basis_mark")
	if err != nil {
		return nil, err
	}
	var out []pb.MeasureItem
	for i, f := range rows {
		c := &cells{rest: f}
		m := pb.MeasureItem{
			Code: c.text(), Version: c.number(), Group: wordOf[pb.MeasureGroup](c, groups, false),
			Matter: c.text(), Object: c.text(), Means: c.text(), Body: c.text(), Basis: c.text(), BasisLevel: wordOf[pb.BasisLevel](c, bases, false),
			Sources: wordsOf[pb.DishonestyKind](c, sources), ClassMin: wordOf[pb.Severity](c, classes, true), Lists: c.list(),
		}
		m.Categories = numbersOf[uint32](c)
		m.Levels, m.Systems = wordsOf[pb.Level](c, levels), c.list()
		m.AtOnce, m.MonthsMax, m.Elsewhere = c.flag(), c.number(), c.flag()
		m.NameConfidence, m.BasisConfidence = wordOf[pb.Confidence](c, marks, false), wordOf[pb.Confidence](c, marks, false)
		if c.err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, c.err)
		}
		out = append(out, m)
	}
	return out, nil
}

func parseLists(csv string) ([]pb.ListStandard, error) {
	rows, err := parseTable(csv, "code,version,name,system,basis,level,term,early,court,consent,needs_penalty,name_mark,terms_mark")
	if err != nil {
		return nil, err
	}
	var out []pb.ListStandard
	for i, f := range rows {
		c := &cells{rest: f}
		l := pb.ListStandard{
			Code: c.text(), Version: c.number(), Name: c.text(), System: c.text(), Basis: c.text(), BasisLevel: wordOf[pb.BasisLevel](c, bases, false),
			TermMonths: c.number(), EarlyMonths: c.number(), Court: c.flag(), Consent: c.flag(), NeedsPenalty: c.flag(),
			NameConfidence: wordOf[pb.Confidence](c, marks, false), TermsConfidence: wordOf[pb.Confidence](c, marks, false),
		}
		if c.err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, c.err)
		}
		out = append(out, l)
	}
	return out, nil
}

func parseIncentives(csv string) ([]pb.IncentiveList, error) {
	rows, err := parseTable(csv, "code,version,name,system,basis,level,measures,term,clean_of,name_mark,terms_mark")
	if err != nil {
		return nil, err
	}
	var out []pb.IncentiveList
	for i, f := range rows {
		c := &cells{rest: f}
		l := pb.IncentiveList{
			Code: c.text(), Version: c.number(), Name: c.text(), System: c.text(), Basis: c.text(), BasisLevel: wordOf[pb.BasisLevel](c, bases, false),
			Measures: numbersOf[pb.IncentiveMeasure](c), TermMonths: c.number(), CleanOf: wordOf[pb.Severity](c, classes, true),
			NameConfidence: wordOf[pb.Confidence](c, marks, false), TermsConfidence: wordOf[pb.Confidence](c, marks, false),
		}
		if c.err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, c.err)
		}
		out = append(out, l)
	}
	return out, nil
}
