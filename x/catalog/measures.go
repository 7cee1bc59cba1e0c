package catalog

import (
	"bytes"
	"strings"

	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// What sanctions rest on: the list of measures (失信惩戒措施清单) and the standards of the lists of serious dishonesty (严重失信主体名单认定标准).
// Nobody adds to either but governance (G1(6)).

// Bounds on the two tables, versions counted.
const (
	measureItemsMax  = 1024
	listStandardsMax = 512
)

var (
	// Items of the list of measures, by code and version.
	measureItems = x.NewTable[pb.MeasureItem](0x26, "measure items: code 00 version[4]", x.Leaf)
	// Standards of lists, by code and version.
	listStandards = x.NewTable[pb.ListStandard](0x27, "list standards: code 00 version[4]", x.Leaf)
)

// versionKey is the key of a version of what has a code. Codes hold no byte 0.
func versionKey(code string, version uint32) []byte {
	return append(append([]byte(code), 0), be32(version)...)
}

// MeasureItem finds a version of an item.
func MeasureItem(r x.Reader, code string, version uint32) (*pb.MeasureItem, bool) {
	return measureItems.Get(r, versionKey(code, version))
}

// MeasureItemOn finds the version of an item that is in force on a day: the highest one that has begun, if it has not ended. An older version never comes
// back because a newer one ends.
func MeasureItemOn(r x.Reader, code string, on calendar.Date) (found *pb.MeasureItem, ok bool) {
	if code == "" {
		return nil, false
	}
	measureItems.Each(r, func(_ []byte, m *pb.MeasureItem) bool {
		if int32(on) >= m.ValidFrom {
			found, ok = m, m.ValidTo == 0 || int32(on) <= m.ValidTo
		}
		return true
	}, []byte(code), []byte{0})
	return found, ok
}

// EachMeasureItem visits all versions of all items, by code and version.
func EachMeasureItem(r x.Reader, fn func(*pb.MeasureItem) (more bool)) {
	measureItems.Each(r, func(_ []byte, m *pb.MeasureItem) bool { return fn(m) })
}

// ListStandard finds a version of a standard.
func ListStandard(r x.Reader, code string, version uint32) (*pb.ListStandard, bool) {
	return listStandards.Get(r, versionKey(code, version))
}

// ListStandardOn finds the version of a standard that is in force on a day, as MeasureItemOn does.
func ListStandardOn(r x.Reader, code string, on calendar.Date) (found *pb.ListStandard, ok bool) {
	if code == "" {
		return nil, false
	}
	listStandards.Each(r, func(_ []byte, l *pb.ListStandard) bool {
		if int32(on) >= l.ValidFrom {
			found, ok = l, l.ValidTo == 0 || int32(on) <= l.ValidTo
		}
		return true
	}, []byte(code), []byte{0})
	return found, ok
}

// EachListStandard visits all versions of all standards, by code and version.
func EachListStandard(r x.Reader, fn func(*pb.ListStandard) (more bool)) {
	listStandards.Each(r, func(_ []byte, l *pb.ListStandard) bool { return fn(l) })
}

// checkMeasureItem is what an item must be whatever stands. An item is the five of 事项, 对象, 手段, 主体 and 依据 (H1 art 29): none is empty.
func checkMeasureItem(m *pb.MeasureItem) error {
	if err := x.CheckToken(m.Code, "measure code", false); err != nil {
		return err
	}
	if m.Version == 0 {
		return ErrMeasureItem.With("item %s has version 0", m.Code)
	}
	if m.Group < pb.MEASURE_GROUP_RIGHTS || m.Group > pb.MEASURE_GROUP_MARKET {
		return x.ErrEnum.With("item %s: the group is 1 减损权益, 2 管理 or 3 市场", m.Code)
	}
	for _, f := range []struct{ text, field string }{{m.Matter, "事项"}, {m.Object, "对象"}, {m.Means, "手段"}, {m.Body, "主体"}} {
		if err := checkLine(f.text, "item "+m.Code+": "+f.field, pb.NameMax, ErrMeasureItem); err != nil {
			return err
		}
	}
	if err := checkBasis("item "+m.Code, m.Basis, m.BasisLevel, pb.BASIS_CENTRAL_POLICY); err != nil {
		return err
	}
	if m.Group == pb.MEASURE_GROUP_MARKET && !m.Elsewhere {
		return ErrMeasureItem.With("item %s is the market's own act (C): it is never carried out through the ledger", m.Code)
	}
	if len(m.Sources) == 0 || !ascending(m.Sources, pb.DISHONESTY_PENALTY, pb.DISHONESTY_OTHER) {
		return ErrMeasureItem.With("item %s: the kinds of record that it rests on are 1 to 4, ascending, at least one", m.Code)
	}
	if m.ClassMin < 0 || m.ClassMin > pb.SEVERITY_SERIOUS {
		return x.ErrEnum.With("item %s: the lowest class is 0 to 3", m.Code)
	}
	if err := checkTokens(m.Lists, "item "+m.Code+": lists", ErrMeasureItem); err != nil {
		return err
	}
	if len(m.Categories) == 0 || !ascending(m.Categories, 1, 4) {
		return ErrMeasureItem.With("item %s: the categories of subjects are 1, 2 or 4, ascending, at least one", m.Code)
	}
	for _, c := range m.Categories {
		if c == 3 {
			return ErrMeasureItem.With("item %s: there is no category 3", m.Code)
		}
	}
	if !ascending(m.Levels, pb.LEVEL_PROVINCE, pb.LEVEL_OTHER) {
		return ErrMeasureItem.With("item %s: the levels of implementers are 1 to 7, ascending", m.Code)
	}
	if err := checkTokens(m.Systems, "item "+m.Code+": systems", ErrMeasureItem); err != nil {
		return err
	}
	if m.MonthsMax > monthsMax {
		return ErrMeasureItem.With("item %s: a term of %d months is longer than %d", m.Code, m.MonthsMax, monthsMax)
	}
	if err := checkConfidence("item "+m.Code, m.NameConfidence, m.BasisConfidence); err != nil {
		return err
	}
	return checkVersionWindow("item "+m.Code, m.ValidFrom, m.ValidTo, ErrMeasureItem)
}

// monthsMax bounds a term that a row states: for life is no term of the ledger.
const monthsMax = 600

func checkListStandard(l *pb.ListStandard) error {
	if err := x.CheckToken(l.Code, "list code", false); err != nil {
		return err
	}
	if l.Version == 0 {
		return ErrListStandard.With("list %s has version 0", l.Code)
	}
	if err := checkLine(l.Name, "list "+l.Code+": name", pb.NameMax, ErrListStandard); err != nil {
		return err
	}
	if err := x.CheckToken(l.System, "system", true); err != nil {
		return err
	}
	if err := checkBasis("list "+l.Code, l.Basis, l.BasisLevel, pb.BASIS_DEPARTMENT_RULE); err != nil {
		return err
	}
	if l.TermMonths > monthsMax || l.TermMonths != 0 && l.EarlyMonths > l.TermMonths || l.EarlyMonths > monthsMax {
		return ErrListStandard.With("list %s: early removal after %d months, a term of %d; both at most %d and ascending", l.Code, l.EarlyMonths, l.TermMonths, monthsMax)
	}
	if err := checkConfidence("list "+l.Code, l.NameConfidence, l.TermsConfidence); err != nil {
		return err
	}
	return checkVersionWindow("list "+l.Code, l.ValidFrom, l.ValidTo, ErrListStandard)
}

// checkMeasureItemChange: the text of a version never changes; its last day may be set.
func checkMeasureItemChange(r x.Reader, m *pb.MeasureItem) error {
	if err := checkMeasureItem(m); err != nil {
		return err
	}
	if old, ok := MeasureItem(r, m.Code, m.Version); ok {
		same := *m
		same.ValidTo = old.ValidTo
		if !bytes.Equal(x.EncodeRow(old), x.EncodeRow(&same)) {
			return ErrMeasureItem.With("item %s version %d stands with another text", m.Code, m.Version)
		}
		return nil
	}
	n := 0
	EachMeasureItem(r, func(*pb.MeasureItem) bool { n++; return true })
	if n >= measureItemsMax {
		return x.ErrTooMany.With("there are %d items of measures, the most there may be", n)
	}
	return nil
}

func checkListStandardChange(r x.Reader, l *pb.ListStandard) error {
	if err := checkListStandard(l); err != nil {
		return err
	}
	if old, ok := ListStandard(r, l.Code, l.Version); ok {
		same := *l
		same.ValidTo = old.ValidTo
		if !bytes.Equal(x.EncodeRow(old), x.EncodeRow(&same)) {
			return ErrListStandard.With("list %s version %d stands with another text", l.Code, l.Version)
		}
		return nil
	}
	n := 0
	EachListStandard(r, func(*pb.ListStandard) bool { n++; return true })
	if n >= listStandardsMax {
		return x.ErrTooMany.With("there are %d standards of lists, the most there may be", n)
	}
	return nil
}

func putMeasureItem(s x.State, m *pb.MeasureItem) {
	measureItems.Put(s, m, versionKey(m.Code, m.Version))
}

func putListStandard(s x.State, l *pb.ListStandard) {
	listStandards.Put(s, l, versionKey(l.Code, l.Version))
}

// checkBasis is INV-36: a basis is a line that names a text, by its title in 《》 or its number 〔year〕, of a level that is enough.
func checkBasis(what, basis string, level, lowest pb.BasisLevel) error {
	if err := checkLine(basis, what+": 依据", pb.BasisMax, ErrBasis); err != nil {
		return err
	}
	title := strings.Contains(basis, "《") && strings.Index(basis, "《") < strings.Index(basis, "》")
	number := strings.Contains(basis, "〔") && strings.Index(basis, "〔") < strings.Index(basis, "〕")
	switch {
	case !title && !number:
		return ErrBasis.With("%s: the basis names no text: neither 《title》 nor 〔year〕", what)
	case level < pb.BASIS_LAW || level > pb.BASIS_DEPARTMENT_RULE:
		return x.ErrEnum.With("%s: the level of the basis is 1 to 5", what)
	case level > lowest:
		return ErrBasis.With("%s: a department's rule (部门规章) is no basis for a measure", what)
	}
	return nil
}

// checkLine refuses what is not one clean line of text without personal numbers.
func checkLine(s, field string, limit int, r *x.Rejection) error {
	switch {
	case s == "":
		return r.With("%s is empty", field)
	case len(s) > limit:
		return x.ErrTooMany.With("%s has %d bytes, at most %d", field, len(s), limit)
	case code.CheckText(s, limit) != nil || strings.Contains(s, "\n"):
		return r.With("%s is not one clean line of text", field)
	}
	return x.CheckPII(s, field)
}

func checkTokens(list []string, field string, r *x.Rejection) error {
	if len(list) > pb.ListCodesMax {
		return x.ErrTooMany.With("%s: %d entries, at most %d", field, len(list), pb.ListCodesMax)
	}
	for i, s := range list {
		if err := x.CheckToken(s, field, false); err != nil {
			return err
		}
		if i > 0 && list[i-1] >= s {
			return r.With("%s are not ascending, each once", field)
		}
	}
	return nil
}

func checkConfidence(what string, marks ...pb.Confidence) error {
	for _, c := range marks {
		if c < pb.CONFIDENCE_CONFIRMED || c > pb.CONFIDENCE_DECIDED {
			return x.ErrEnum.With("%s: a mark is 1 [C], 2 [P], 3 [M] or 4 [D]", what)
		}
	}
	return nil
}

func checkVersionWindow(what string, from, to int32, r *x.Rejection) error {
	if err := x.CheckDate(from, what+": valid_from", true); err != nil {
		return err
	}
	if err := x.CheckDate(to, what+": valid_to", true); err != nil {
		return err
	}
	if to != 0 && to < from {
		return r.With("%s ends on %s, before it begins on %s", what, calendar.Date(to), calendar.Date(from))
	}
	return nil
}

// ascending tells whether the numbers lie within bounds and ascend, each once.
func ascending[N ~int32 | ~uint32](list []N, lo, hi N) bool {
	for i, n := range list {
		if n < lo || n > hi || i > 0 && list[i-1] >= n {
			return false
		}
	}
	return true
}
