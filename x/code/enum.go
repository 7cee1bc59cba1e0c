package code

import (
	"slices"
	"strconv"
	"strings"
)

// value is one row of a code table: its number, its name in the source, and what else people write.
// A name in names[0] is the one shown.
type value struct {
	number uint32
	names  []string
}

// The code tables. Numbers are those of the national collection templates and never change;
// a spelling may be added.
var (
	penaltyKinds = []value{
		{1, []string{"警告"}},
		{2, []string{"通报批评"}},
		{3, []string{"罚款"}},
		{4, []string{"没收违法所得", "没收非法所得"}},
		{5, []string{"没收非法财物", "没收违法财物", "没收财物"}},
		{6, []string{"暂扣许可证件", "暂扣许可证", "暂扣执照", "暂扣证照", "暂扣营业执照"}},
		{7, []string{"降低资质等级", "降低资质"}},
		{8, []string{"吊销许可证件", "吊销许可证", "吊销执照", "吊销证照", "吊销营业执照"}},
		{9, []string{"限制开展生产经营活动", "限制开展生产经营", "限制生产经营活动", "限制生产经营"}},
		{10, []string{"责令停产停业", "停产停业"}},
		{11, []string{"责令关闭"}},
		{12, []string{"限制从业"}},
		{13, []string{"行政拘留"}},
		{99, []string{"其他", "其它", "其他行政处罚", "法律、行政法规规定的其他行政处罚"}},
	}
	commitmentTypes = []value{
		{0, []string{"其他", "其它"}},
		{1, []string{"审批替代型", "审批替代"}},
		{2, []string{"容缺受理型", "容缺受理"}},
		{3, []string{"证明事项型", "证明事项告知型", "证明事项", "证明事项告知"}},
		{4, []string{"信用修复型", "信用修复"}},
		{5, []string{"行业自律型", "行业自律"}},
		{6, []string{"主动型", "主动公示型", "主动公示"}},
	}
	subjectCategories = []value{
		{1, []string{"法人及非法人组织", "法人和非法人组织", "法人", "非法人组织"}},
		{2, []string{"自然人"}},
		{4, []string{"个体工商户", "个体户"}},
	}
	fulfilmentStatuses = []value{
		{1, []string{"全部履行"}},
		{2, []string{"部分履行"}},
		{3, []string{"全部未履行"}},
	}
	publicationTypes = []value{
		{1, []string{"可向社会公开", "社会公开"}},
		{2, []string{"特定范围内公开", "特定范围公开"}},
		{3, []string{"不可公开", "不公开"}},
	}
	severities = []value{
		{1, []string{"轻微"}},
		{2, []string{"一般"}},
		{3, []string{"严重"}},
	}
	procedures = []value{
		{1, []string{"简易", "简易程序"}},
		{2, []string{"普通", "普通程序", "一般程序"}},
		{3, []string{"听证", "听证程序"}},
	}
)

// Numbers that rules and importers name. The rest are reached by name through the tables.
const (
	PenaltyOther uint32 = 99

	CategoryOrganisation  uint32 = 1
	CategoryNaturalPerson uint32 = 2
	CategorySelfEmployed  uint32 = 4 // 个体工商户

	CommitmentOther          uint32 = 0
	CommitmentApproval       uint32 = 1 // 审批替代型
	CommitmentDeferredPapers uint32 = 2 // 容缺受理型
	CommitmentCertificate    uint32 = 3 // 证明事项型
	CommitmentRepair         uint32 = 4 // 信用修复型
	CommitmentSelfRegulation uint32 = 5 // 行业自律型
	CommitmentVoluntary      uint32 = 6 // 主动型
	FulfilledFully           uint32 = 1
	FulfilledPartly          uint32 = 2
	FulfilledNot             uint32 = 3
	PublicToAll              uint32 = 1
	PublicWithin             uint32 = 2 // 特定范围内公开
	PublicToNone             uint32 = 3
	SeverityMinor            uint32 = 1 // 轻微
	SeverityGeneral          uint32 = 2 // 一般
	SeveritySerious          uint32 = 3 // 严重
	ProcedureSimple          uint32 = 1 // 简易
	ProcedureOrdinary        uint32 = 2 // 普通
	ProcedureHearing         uint32 = 3 // 听证
)

// PenaltyKindName is the Chinese name of a penalty kind, empty for a number outside the table.
func PenaltyKindName(n uint32) string { return nameOf(penaltyKinds, n) }

// CommitmentTypeName, and the functions below, do the same for their tables.
func CommitmentTypeName(n uint32) string { return nameOf(commitmentTypes, n) }

// SubjectCategoryName names a subject category (承诺人类别, 行政相对人类别).
func SubjectCategoryName(n uint32) string { return nameOf(subjectCategories, n) }

// FulfilmentStatusName names a fulfilment status (承诺履行状态).
func FulfilmentStatusName(n uint32) string { return nameOf(fulfilmentStatuses, n) }

// PublicationTypeName names a publication type (公开类型).
func PublicationTypeName(n uint32) string { return nameOf(publicationTypes, n) }

// SeverityName names a severity class (失信严重程度).
func SeverityName(n uint32) string { return nameOf(severities, n) }

// ProcedureName names a penalty procedure (处罚程序).
func ProcedureName(n uint32) string { return nameOf(procedures, n) }

// PenaltyKinds lists the numbers of the table, ascending.
func PenaltyKinds() []uint32 {
	out := make([]uint32, 0, len(penaltyKinds))
	for _, v := range penaltyKinds {
		out = append(out, v.number)
	}
	return out
}

// ParseCommitmentType reads a commitment type (承诺类型) by name, usual variant or number.
func ParseCommitmentType(s string) (uint32, error) {
	return parseValue(commitmentTypes, s, "承诺类型")
}

// ParseSubjectCategory reads a subject category (类别).
func ParseSubjectCategory(s string) (uint32, error) {
	return parseValue(subjectCategories, s, "主体类别")
}

// ParseFulfilmentStatus reads a fulfilment status (承诺履行状态).
func ParseFulfilmentStatus(s string) (uint32, error) {
	return parseValue(fulfilmentStatuses, s, "承诺履行状态")
}

// ParsePublicationType reads a publication type (公开类型).
func ParsePublicationType(s string) (uint32, error) {
	return parseValue(publicationTypes, s, "公开类型")
}

// ParseSeverity reads a severity class (失信严重程度).
func ParseSeverity(s string) (uint32, error) { return parseValue(severities, s, "失信严重程度") }

// ParseProcedure reads a penalty procedure (处罚程序).
func ParseProcedure(s string) (uint32, error) { return parseValue(procedures, s, "处罚程序") }

// ParsePenaltyKinds reads a 处罚类别 cell: one or several kinds by name, usual variant or number, parted
// by ; ； 、 , or ，. It gives them ascending and once each. "其他-…", the template's way of naming
// another kind, is 99; its words run to the next semicolon. A word that is not in the table is
// refused, and so is the old pair "暂扣或者吊销…", which does not say which of the two was done.
func ParsePenaltyKinds(text string) ([]uint32, error) {
	if len(text) > MaxKindsInput {
		return nil, problem(ErrPenaltyKind, "处罚类别 longer than "+strconv.Itoa(MaxKindsInput)+" bytes")
	}
	text = stripBlanks(ToHalfWidth(text)) // ；and ， become ; and ,
	var out []uint32
	for i, part := range strings.Split(text, ";") {
		if n, ok := otherKind(part); ok {
			out = append(out, n)
			continue
		}
		for _, word := range strings.FieldsFunc(part, func(r rune) bool { return r == '、' || r == ',' }) {
			n, ok := find(penaltyKinds, word)
			if !ok {
				return nil, problem(ErrPenaltyKind, "group "+strconv.Itoa(i+1)+" of 处罚类别 holds a word that is no kind of penalty")
			}
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, problem(ErrPenaltyKind, "no kind of penalty")
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// otherKind tells whether a whole group, separators included, names another kind.
func otherKind(part string) (uint32, bool) {
	for _, p := range []string{"其他-", "其它-", "其他—", "其他:"} {
		if strings.HasPrefix(part, p) {
			return PenaltyOther, true
		}
	}
	n, ok := find(penaltyKinds, part)
	return n, ok && n == PenaltyOther
}

// nameOf finds the name to show.
func nameOf(table []value, n uint32) string {
	for _, v := range table {
		if v.number == n {
			return v.names[0]
		}
	}
	return ""
}

// parseValue reads one cell.
func parseValue(table []value, s, title string) (uint32, error) {
	if len(s) <= MaxIdentifierInput {
		if n, ok := find(table, stripBlanks(ToHalfWidth(s))); ok {
			return n, nil
		}
	}
	return 0, problem(ErrEnum, "not a value of "+title)
}

// find looks a mended word up by name or number.
func find(table []value, word string) (uint32, bool) {
	for _, v := range table {
		if slices.Contains(v.names, word) {
			return v.number, true
		}
	}
	if word == "" || len(word) > 2 || !allDigits(word) {
		return 0, false
	}
	n := uint32(number(word))
	return n, nameOf(table, n) != ""
}
