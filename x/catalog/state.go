package catalog

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/governance"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Bounds on the tables; those on a single row stand in pb.
const (
	regionsMax     = 4096
	regionDepthMax = 8 // steps from a region to its root
)

// Thresholds where neither the sector nor "*" has a rule. No source gives a number for all sectors [D]: 10万元 and 100万元.
const (
	defaultLargeFen = 100_000_00
	defaultHugeFen  = 1_000_000_00
)

// 行政处罚法 51: what may be decided on the spot against an organisation, 3000元.
const simpleFineMaxFen = 3_000_00

// The procedures and kinds that classification asks for, by the code tables of the field.
const (
	procedureSimple = 1 // 简易程序
	kindWarning     = 1 // 警告
	kindCriticism   = 2 // 通报批评
	kindFine        = 3 // 罚款
	kindSeriousMin  = 6 // 暂扣许可证件 …
	kindSeriousMax  = 12
)

var (
	// Parameters that were ever set, by name; the others have their default.
	params = x.NewTable[pb.Param](0x20, "parameters: name", x.Leaf)
	// Severity thresholds, by sector; "*" for all others.
	severityRules = x.NewTable[pb.SeverityRule](0x21, "severity rules: sector", x.Leaf)
	// Exceptions from Monday to Friday, a year a row: a period of some days reads one row or two, and a year is replaced whole.
	years = x.NewTable[pb.CalendarYear](0x23, "calendar: year[2]", x.Leaf)
	// Regions, by code.
	regions = x.NewTable[pb.Region](0x24, "regions: code[6]", x.Leaf)
	// The catalogue's version. One row.
	version = x.NewTable[pb.CatalogVersion](0x25, "catalogue version: one row", x.Leaf)
)

// catalogued are the tables that the digest of genesis covers.
var catalogued = [...]byte{0x20, 0x21, 0x22, 0x23, 0x24, 0x26, 0x27, 0x28, 0x29}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func yearKey(year int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(year)) }

// Int is the value of a parameter in force. A name that does not exist is a bug.
func Int(r x.Reader, name string) int64 {
	info := mustParam(name)
	if p, ok := params.Look(r, []byte(name)); ok {
		return p.Value
	}
	return info.Default
}

// EverSet says whether a parameter was ever set, to its default or to another value.
func EverSet(r x.Reader, name string) bool {
	mustParam(name)
	_, ok := params.Look(r, []byte(name))
	return ok
}

// Bool is the value of a parameter that is a switch.
func Bool(r x.Reader, name string) bool { return Int(r, name) != 0 }

// GovernanceRules are the parameters that governance decides by.
func GovernanceRules(r x.Reader) governance.Rules {
	return governance.Rules{
		QuorumPermille:       Int(r, "param_change_quorum_permille"),
		MemberQuorumPermille: Int(r, "member_admission_quorum_permille"),
		RuleNoticeDays:       Int(r, "param_notice_days"),
		TableNoticeDays:      Int(r, "table_notice_days"),
		VotingDays:           Int(r, "voting_days"),
	}
}

// Version is the catalogue's version, to look at alone. It stands from genesis on.
func Version(r x.Reader) *pb.CatalogVersion {
	v, ok := version.Look(r)
	if !ok {
		x.Faultf("the catalogue version is missing")
	}
	return v
}

// Calendar counts working days by the table in state, as it stands (INV-27). It reads a year once and remembers it: take a new one
// for each transition, and keep none across a change.
func Calendar(r x.Reader) calendar.Calendar {
	return calendar.New(Version(r).Version, &exceptions{r: r})
}

// LastDay gives the last day of a period of an agency that is counted in days or months and ends on d: the next working day where d rests (民法典 203).
// Periods in working days never need it, and publicity never moves for a holiday.
func LastDay(r x.Reader, d calendar.Date) calendar.Date {
	if !Bool(r, "roll_period_end_procedure") {
		return d
	}
	return Calendar(r).Roll(d)
}

// exceptions reads the calendar table. The two years last read are kept: periods cross at most one turn of the year.
type exceptions struct {
	r    x.Reader
	kept [2]struct {
		year        int
		first, last calendar.Date // of the year; a day between them needs no look at its date
		days        []pb.CalendarDay
	}
}

// Lookup implements calendar.Exceptions.
func (e *exceptions) Lookup(d calendar.Date) (working, listed bool) {
	days := e.year(d)
	lo, hi := 0, len(days)
	for lo < hi {
		mid := (lo + hi) / 2
		if days[mid].Date < int32(d) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(days) || days[lo].Date != int32(d) {
		return false, false
	}
	return days[lo].Working, true
}

func (e *exceptions) year(d calendar.Date) []pb.CalendarDay {
	for i := range e.kept {
		if k := &e.kept[i]; k.year != 0 && k.first <= d && d <= k.last {
			return k.days
		}
	}
	y, _, _ := d.YMD()
	slot := &e.kept[y%2]
	if y == 0 {
		return nil // outside the legal calendar
	}
	if slot.year != y {
		slot.year, slot.days = y, nil
		slot.first, _ = calendar.FromYMD(y, 1, 1) // a year of the legal calendar has both days
		slot.last, _ = calendar.FromYMD(y, 12, 31)
		if row, ok := years.Look(e.r, yearKey(y)); ok {
			slot.days = row.Days
		}
	}
	return slot.days
}

// CalendarUntil is the last day, from today's year on, up to which the calendar of working days is known; 0: that year has no table. Beyond it Monday to Friday
// count, and days that were counted so stay what they are when the table comes.
func CalendarUntil(r x.Reader, today calendar.Date) (until calendar.Date) {
	for y, _, _ := today.YMD(); y != 0; y++ {
		if _, ok := years.Look(r, yearKey(y)); !ok {
			break
		}
		end, err := calendar.FromYMD(y, 12, 31)
		if err != nil {
			break // the end of the legal calendar
		}
		until = end
	}
	return until
}

// EachYear visits the calendar's years, ascending.
func EachYear(r x.Reader, fn func(*pb.CalendarYear) (more bool)) {
	years.Each(r, func(_ []byte, y *pb.CalendarYear) bool { return fn(y) })
}

// Region finds a region that is in force on a day, to look at alone; on 0 asks for no day.
func Region(r x.Reader, code string, on calendar.Date) (*pb.Region, bool) {
	if len(code) != 6 {
		return nil, false
	}
	g, ok := regions.Look(r, []byte(code))
	if !ok || on != 0 && (int32(on) < g.ValidFrom || g.ValidTo != 0 && int32(on) > g.ValidTo) {
		return nil, false
	}
	return g, true
}

// EachRegion visits the regions by code.
func EachRegion(r x.Reader, fn func(*pb.Region) (more bool)) {
	regions.Each(r, func(_ []byte, g *pb.Region) bool { return fn(g) })
}

// Ancestors gives a region and those above it, nearest first, by parent rows alone; nothing for a code that is not in the table.
// Windows are not asked: a region that was merged away keeps its place above and below, since old violations lie in it.
func Ancestors(r x.Reader, code string) []string {
	return x.FromTables(r, lineOf(code), func() (out []string) { // to look at alone: all records of a place ask for the same
		for code != "" {
			g, ok := Region(r, code, 0)
			if !ok {
				if len(out) > 0 {
					x.Faultf("region %s has a parent %s that is not there", out[len(out)-1], code)
				}
				return nil
			}
			if len(out) > regionDepthMax {
				x.Faultf("region %s has no root within %d steps", out[0], regionDepthMax)
			}
			out = append(out, code)
			code = g.Parent
		}
		return out
	})
}

// lineOf is what Ancestors is remembered by.
type lineOf string

// SeverityRuleFor gives a sector's thresholds, to look at alone: its own, else those of "*", else the built-in.
func SeverityRuleFor(r x.Reader, sector string) *pb.SeverityRule {
	if sector != "" {
		if rule, ok := severityRules.Look(r, []byte(sector)); ok {
			return rule
		}
	}
	if rule, ok := severityRules.Look(r, []byte("*")); ok {
		return rule
	}
	return &pb.SeverityRule{Sector: "*", LargeFineFen: defaultLargeFen, HugeFineFen: defaultHugeFen}
}

// EachSeverityRule visits the rules by sector.
func EachSeverityRule(r x.Reader, fn func(*pb.SeverityRule) (more bool)) {
	severityRules.Each(r, func(_ []byte, s *pb.SeverityRule) bool { return fn(s) })
}

// Classify gives the severity of a penalty by the catalogue (失信严重程度).
//
// Serious: a kind that touches licence, trade or office (6–12), or a fine that is huge in its sector. Minor: a warning or public
// criticism and nothing else, or the simple procedure. General: all between, a large fine and confiscation among it.
//
// The simple procedure makes a record minor only within what 行政处罚法 51 lets it decide: a mark on the form must not keep a heavy
// penalty from the public.
func Classify(r x.Reader, sector string, kinds []uint32, procedure uint32, fineFen, confiscatedFen int64) pb.Severity {
	if StatutoryFloor(kinds) == pb.SEVERITY_SERIOUS || fineFen >= SeverityRuleFor(r, sector).HugeFineFen {
		return pb.SEVERITY_SERIOUS
	}
	if len(kinds) == 0 || confiscatedFen > 0 {
		return pb.SEVERITY_GENERAL
	}
	words := fineFen == 0
	simple := procedure == procedureSimple && fineFen <= simpleFineMaxFen
	for _, k := range kinds {
		words = words && (k == kindWarning || k == kindCriticism)
		simple = simple && (k == kindWarning || k == kindCriticism || k == kindFine)
	}
	if words || simple {
		return pb.SEVERITY_MINOR
	}
	return pb.SEVERITY_GENERAL
}

// ClassifyOther gives the class of other dishonesty by the sector's standard (行业主管部门的分类标准).
func ClassifyOther(r x.Reader, sector string) pb.Severity {
	if class := pb.Severity(SeverityRuleFor(r, sector).OtherClass); class != pb.SEVERITY_UNSET {
		return class
	}
	return pb.SEVERITY_GENERAL
}

// StatutoryFloor is the lowest class that a stated severity may give to a penalty of these kinds (N1): 6–12 are serious by the rule
// itself, whatever a sector says.
func StatutoryFloor(kinds []uint32) pb.Severity {
	for _, k := range kinds {
		if k >= kindSeriousMin && k <= kindSeriousMax {
			return pb.SEVERITY_SERIOUS
		}
	}
	return pb.SEVERITY_MINOR
}

// importDigest covers all rows of the catalogue, by key.
func importDigest(r x.Reader) []byte {
	h := sha256.New()
	h.Write([]byte("xinlian/catalog/v1\x00"))
	for _, prefix := range catalogued {
		r.Iterate([]byte{prefix}, nil, func(key, row []byte) bool {
			for _, part := range [][]byte{key, row} {
				h.Write(be32(uint32(len(part))))
				h.Write(part)
			}
			return true
		})
	}
	return h.Sum(nil)
}

// bump is the mark that an effective change leaves.
func bump(s x.State, a *pb.Action) {
	v := Version(s)
	action := sha256.Sum256(pb.Encode(a))
	digest := sha256.Sum256(append(append([]byte(nil), v.Digest...), action[:]...))
	version.Put(s, &pb.CatalogVersion{Version: v.Version + 1, Digest: digest[:]})
}
