package intake

import (
	"slices"
	"strings"

	"github.com/xinlian-ledger/xinlian/x/code"
)

// Kind is what a file holds.
type Kind string

const (
	Subjects     Kind = "subjects"
	Penalties    Kind = "penalties"
	Commitments  Kind = "commitments"
	Fulfillments Kind = "fulfillments"
	Abnormal     Kind = "abnormal"
	Others       Kind = "others"
	Lists        Kind = "lists"
	CreditChina  Kind = "credit-china"
	Objections   Kind = "objections"
	Repairs      Kind = "repairs"
)

// Bare says that a kind of file has no texts: it needs no vault.
func (k Kind) Bare() bool { return k == Subjects || k == CreditChina }

// Own says that one member sends all rows of a kind of file in its own name: their agencies are not its issuers.
func (k Kind) Own() bool { return k.Bare() || k == Objections || k == Repairs }

// Kinds lists the kinds of file, in the order in which they are sent.
func Kinds() []Kind {
	return []Kind{Subjects, Commitments, Fulfillments, Penalties, Abnormal, Others, Lists, CreditChina, Objections, Repairs}
}

// Field is a column that a kind of file knows.
type Field struct {
	Name     string   // field name
	Title    string   // Chinese title
	Aliases  []string // other titles in use
	Required bool     // a file without it is refused, unless the profile declares a value
	Text     bool     // its cell goes to the vault's texts as it is
	key      bool     // says which record the row is: no profile can declare it for all rows
}

// Label names the field to people.
func (f *Field) Label() string { return f.Title + " (" + f.Name + ")" }

// Fields lists the columns of a kind, for documents and for the error that names a missing one.
func Fields(kind Kind) []Field { return slices.Clone(fields[kind]) }

var fields = map[Kind][]Field{
	Subjects: {
		{Name: "uscc", Title: "统一社会信用代码", Aliases: []string{"信用代码", "主体代码"}, Required: true, key: true},
		{Name: "name", Title: "主体名称", Aliases: []string{"名称", "企业名称", "单位名称"}, Required: true},
		{Name: "region", Title: "登记地行政区划", Aliases: []string{"行政区划", "行政区划代码", "登记地", "区划代码"}, Required: true},
		{Name: "category", Title: "主体类别", Aliases: []string{"类别"}, Required: true},
		{Name: "status", Title: "登记状态", Aliases: []string{"状态", "主体状态"}},
	},
	Penalties: {
		{Name: "cf_xdr_mc", Title: "行政相对人名称", Aliases: []string{"当事人名称", "相对人名称"}, Text: true},
		{Name: "cf_xdr_lb", Title: "行政相对人类别", Aliases: []string{"相对人类别"}},
		{Name: "cf_xdr_shxym", Title: "行政相对人代码_1", Aliases: []string{"行政相对人代码_1统一社会信用代码", "代码_1统一社会信用代码", "代码_1", "统一社会信用代码", "行政相对人统一社会信用代码"}, Required: true, key: true},
		{Name: "cf_xdr_gszc", Title: "行政相对人代码_2", Aliases: []string{"行政相对人代码_2工商注册号", "代码_2工商注册号", "工商注册号", "代码_2"}, Text: true},
		{Name: "cf_xdr_zzjg", Title: "行政相对人代码_3", Aliases: []string{"行政相对人代码_3组织机构代码", "代码_3组织机构代码", "组织机构代码", "代码_3"}, Text: true},
		{Name: "cf_xdr_swdj", Title: "行政相对人代码_4", Aliases: []string{"行政相对人代码_4税务登记号", "代码_4税务登记号", "税务登记号", "代码_4"}, Text: true},
		{Name: "cf_xdr_sydw", Title: "行政相对人代码_5", Aliases: []string{"行政相对人代码_5事业单位证书号", "代码_5事业单位证书号", "事业单位证书号", "代码_5"}, Text: true},
		{Name: "cf_xdr_shzz", Title: "行政相对人代码_6", Aliases: []string{"行政相对人代码_6社会组织登记证号", "代码_6社会组织登记证号", "社会组织登记证号", "代码_6"}, Text: true},
		{Name: "cf_wsh", Title: "行政处罚决定书文号", Aliases: []string{"决定书文号", "处罚决定书文号", "文号"}, Required: true, key: true},
		{Name: "cf_wfxw", Title: "违法行为类型", Text: true},
		{Name: "cf_sy", Title: "违法事实", Aliases: []string{"处罚事由"}, Text: true},
		{Name: "cf_yj", Title: "处罚依据", Text: true},
		{Name: "cf_cflb", Title: "处罚类别", Aliases: []string{"处罚种类"}, Required: true},
		{Name: "cf_nr", Title: "处罚内容", Text: true},
		{Name: "cf_nr_fk", Title: "罚款金额", Aliases: []string{"罚款金额万元"}},
		{Name: "cf_nr_wfff", Title: "没收金额", Aliases: []string{"没收金额万元", "没收违法所得、没收非法财物的金额", "没收违法所得没收非法财物的金额"}},
		{Name: "cf_nr_zkdx", Title: "暂扣或吊销证照名称及编号", Text: true},
		{Name: "cf_jdrq", Title: "处罚决定日期", Aliases: []string{"决定日期"}, Required: true},
		{Name: "cf_yxq", Title: "处罚有效期", Aliases: []string{"处罚有效期截止日期"}},
		{Name: "cf_gsjzq", Title: "公示截止期", Aliases: []string{"公示截止日期"}, Text: true},
		{Name: "cf_cfjg", Title: "处罚机关", Text: true},
		{Name: "cf_cfjgdm", Title: "处罚机关统一社会信用代码", Aliases: []string{"处罚机关代码"}, Required: true},
		{Name: "cf_sjly", Title: "数据来源单位", Text: true},
		{Name: "cf_sjlydm", Title: "数据来源单位统一社会信用代码", Aliases: []string{"数据来源单位代码"}, Text: true},
		{Name: "bz", Title: "备注", Text: true},
		{Name: "violation_region", Title: "违法行为发生地", Required: true},
		{Name: "procedure", Title: "处罚程序", Required: true},
		{Name: "notice_served_on", Title: "告知日期", Required: true},
		{Name: "statement", Title: "陈述申辩", Required: true},
		{Name: "hearing", Title: "听证", Required: true},
		{Name: "served_on", Title: "送达日期", Required: true},
		{Name: "repair_notice_served", Title: "两书同达", Required: true},
		{Name: "power_code", Title: "权责清单编码", Aliases: []string{"权利编码", "权力编码", "职权编码"}, Required: true},
		{Name: "sector", Title: "行业领域", Required: true},
		{Name: "severity", Title: "失信严重程度", Required: true},
		{Name: "necessary", Title: "确有必要公示"},
		{Name: "necessity_reason", Title: "必要公示理由"},
		{Name: "breach_of", Title: "违诺承诺编码"},
		{Name: "designation", Title: "指定管辖文书"},
	},
	Commitments: append([]Field{
		{Name: "commitment_code", Title: "承诺编码", Required: true, key: true},
		{Name: "subject_name", Title: "承诺人名称", Required: true, Text: true},
		{Name: "subject_category", Title: "承诺人类别", Required: true},
		{Name: "subject_id", Title: "承诺人代码", Required: true, key: true},
		{Name: "commitment_type", Title: "承诺类型", Required: true},
		{Name: "commitment_type_other", Title: "其他承诺类型", Text: true},
		{Name: "reason", Title: "承诺事由", Required: true, Text: true},
		{Name: "content", Title: "承诺内容", Required: true, Text: true},
		{Name: "breach_liability", Title: "违诺责任", Required: true, Text: true},
		{Name: "made_on", Title: "承诺作出日期", Required: true},
		{Name: "valid_until", Title: "承诺有效期"},
		{Name: "acceptor_name", Title: "承诺受理单位", Required: true, Text: true},
		{Name: "acceptor_uscc", Title: "承诺受理单位代码", Required: true},
		{Name: "publication_type", Title: "公开类型", Required: true},
		{Name: "remarks", Title: "备注", Text: true},
		{Name: "business", Title: "权责清单事项编码"},
		{Name: "template_version", Title: "承诺书模板版本"},
		{Name: "licence", Title: "许可文书号", Aliases: []string{"许可编号"}},
	}, assessment(false)...),
	Fulfillments: append([]Field{
		{Name: "commitment_code", Title: "承诺编码", Required: true, key: true},
	}, assessment(true)...),
	Abnormal: decision("列入决定书文号", "列入日期", "列入机关",
		Field{Name: "reason_code", Title: "列入事由编码", Required: true},
		Field{Name: "reason", Title: "列入事由", Aliases: []string{"列入原因", "列入经营异常名录原因"}, Required: true, Text: true},
		Field{Name: "basis", Title: "列入依据", Text: true},
	),
	Lists: decision("列入决定书文号", "列入日期", "列入机关",
		Field{Name: "list", Title: "名单编码", Required: true, key: true},
		Field{Name: "notice_no", Title: "列入告知书文号", Aliases: []string{"告知书文号"}, Required: true, key: true},
		Field{Name: "notice_served_on", Title: "告知日期", Aliases: []string{"告知送达日期"}, Required: true},
		Field{Name: "rights_told", Title: "权利告知", Required: true},
		Field{Name: "measures", Title: "惩戒措施编码", Required: true},
		Field{Name: "conditions", Title: "移出条件和救济途径", Required: true},
		Field{Name: "penalty_doc_nos", Title: "所依据处罚文号"},
		Field{Name: "reason", Title: "列入事由", Required: true, Text: true},
		Field{Name: "basis", Title: "列入依据", Required: true, Text: true},
	),
	CreditChina: {
		{Name: "subject_uscc", Title: "统一社会信用代码", Aliases: []string{"主体代码", "信用代码", "行政相对人代码_1"}, Required: true, key: true},
		{Name: "subject_category", Title: "主体类别", Aliases: []string{"类别"}},
		{Name: "kind", Title: "信息类别", Aliases: []string{"失信信息类别", "公示信息类别"}, Required: true, key: true},
		{Name: "issuer_uscc", Title: "认定单位统一社会信用代码", Aliases: []string{"认定单位代码", "处罚机关统一社会信用代码", "处罚机关代码"}, Required: true},
		{Name: "doc_no", Title: "文书号", Aliases: []string{"文号", "决定书文号", "行政处罚决定书文号"}, Required: true, key: true},
		{Name: "as_of", Title: "名单日期", Aliases: []string{"核对日期", "数据日期"}, Required: true},
	},
	Objections: application("异议编号", "objection_no",
		Field{Name: "claimant_uscc", Title: "异议申请人统一社会信用代码", Aliases: []string{"异议申请人代码"}},
		Field{Name: "grounds", Title: "异议事由", Aliases: []string{"异议理由"}, Required: true},
		Field{Name: "paper", Title: "异议申请书", Required: true},
	),
	Repairs: application("申请编号", "application_no",
		Field{Name: "commitment_code", Title: "信用修复承诺编码", Aliases: []string{"承诺编码"}},
		Field{Name: "duties_done", Title: "义务履行完毕", Required: true},
		Field{Name: "materials", Title: "证明材料", Required: true},
		Field{Name: "paper", Title: "信用修复申请书", Required: true},
		Field{Name: "channel", Title: "申请渠道"},
		Field{Name: "emergency", Title: "应急修复"},
	),
	Others: decision("认定文书文号", "认定日期", "认定单位",
		Field{Name: "source_code", Title: "失信信息类别编码", Required: true},
		Field{Name: "statute_code", Title: "认定依据编码", Required: true},
		Field{Name: "fact", Title: "失信事实", Aliases: []string{"认定事实", "失信行为"}, Required: true, Text: true},
		Field{Name: "basis", Title: "认定依据", Text: true},
		Field{Name: "severity", Title: "失信严重程度", Required: true},
		Field{Name: "necessary", Title: "确有必要公示"},
		Field{Name: "necessity_reason", Title: "必要公示理由"},
		Field{Name: "breach_of", Title: "违诺承诺编码"},
	),
}

// decision is what the files of abnormal operation and other dishonesty have in common, with their own titles of number, day and agency.
func decision(number, day, agency string, more ...Field) []Field {
	return append([]Field{
		{Name: "subject_name", Title: "主体名称", Aliases: []string{"企业名称", "单位名称", "名称"}, Text: true},
		{Name: "subject_category", Title: "主体类别", Aliases: []string{"类别"}},
		{Name: "subject_uscc", Title: "统一社会信用代码", Aliases: []string{"主体代码", "信用代码"}, Required: true, key: true},
		{Name: "doc_no", Title: number, Aliases: []string{"文号", "决定书文号"}, Required: true, key: true},
		{Name: "decided_on", Title: day, Required: true},
		{Name: "issuer_name", Title: agency, Text: true},
		{Name: "issuer_uscc", Title: agency + "统一社会信用代码", Aliases: []string{agency + "代码"}, Required: true},
		{Name: "served_on", Title: "送达日期", Required: true},
		{Name: "repair_notice_served", Title: "两书同达", Required: true},
		{Name: "violation_region", Title: "事实发生地", Aliases: []string{"违法行为发生地"}, Required: true},
		{Name: "power_code", Title: "权责清单编码", Aliases: []string{"权利编码", "权力编码", "职权编码"}, Required: true},
		{Name: "sector", Title: "行业领域", Required: true},
		{Name: "designation", Title: "指定管辖文书"},
		{Name: "remarks", Title: "备注", Text: true},
	}, more...)
}

// application is what the files of objections and of applications for repair have in common, with their own number.
func application(title, number string, more ...Field) []Field {
	return append([]Field{
		{Name: "subject_uscc", Title: "统一社会信用代码", Aliases: []string{"主体代码", "信用代码"}, Required: true, key: true},
		{Name: number, Title: title, Required: true, key: true},
		{Name: "kind", Title: "信息类别", Aliases: []string{"失信信息类别"}, Required: true, key: true},
		{Name: "issuer_uscc", Title: "认定单位统一社会信用代码", Aliases: []string{"认定单位代码", "受理单位代码"}, Required: true},
		{Name: "doc_no", Title: "文书号", Aliases: []string{"文号", "决定书文号"}, Required: true, key: true},
	}, more...)
}

// assessment is fields 11 to 16 and what the rule on breaches needs beside them.
func assessment(required bool) []Field {
	return []Field{
		{Name: "fulfilment_status", Title: "承诺履行状态", Aliases: []string{"fulfillment_status"}, Required: required},
		{Name: "unperformed_content", Title: "未履行的承诺内容", Required: required},
		{Name: "breach_action", Title: "违诺责任追究内容", Required: required},
		{Name: "assessed_on", Title: "承诺履行状态认定日期", Required: required},
		{Name: "assessor_name", Title: "承诺履行状态认定单位"},
		{Name: "assessor_uscc", Title: "承诺履行状态认定单位代码", Required: required},
		{Name: "evidence_digest", Title: "证据摘要", Aliases: []string{"evidence"}, Required: required},
		{Name: "notice_served_on", Title: "告知日期"},
		{Name: "statement", Title: "陈述申辩"},
	}
}

// column is what becomes of one column of a file.
type column struct {
	field  *Field // known column
	title  string // unknown column: its title, under which its cells go to the vault
	drop   bool   // a natural person's data: never leaves the reader
	person bool   // drop, and a filled cell in it says that the row may speak of a natural person
}

// header says where the fields of a file are.
type header struct {
	columns  []column
	at       map[string]int    // field name → column
	declared map[string]string // field name → value of the profile
	byName   map[string]*Field
	names    []string // of declared, in the order of the kind's fields
}

// readHeader matches titles to fields. Errors name our own fields and column numbers only: a file without a header has persons' data
// where titles should be.
func readHeader(kind Kind, titles []string, profile *Profile) (*header, error) {
	h := &header{at: map[string]int{}, declared: map[string]string{}, byName: map[string]*Field{}}
	known := map[string]*Field{}
	for i := range fields[kind] {
		f := &fields[kind][i]
		h.byName[f.Name] = f
		for _, t := range append([]string{f.Name, f.Title}, f.Aliases...) {
			known[foldTitle(t)] = f
		}
	}
	if len(titles) > ColumnsMax {
		return nil, fileError(CodeColumn, "leave the columns out that are not needed", "the file has %d columns, more than %d", len(titles), ColumnsMax)
	}
	unknown := map[string]int{}
	for i, title := range titles {
		if len(title) > TitleBytesMax {
			return nil, fileError(CodeColumn, "write the titles into the first row", "the title of column %d is longer than %d bytes", i+1, TitleBytesMax)
		}
		c := matchColumn(known, title, profile)
		switch {
		case c.drop:
		case c.field != nil:
			if j, twice := h.at[c.field.Name]; twice {
				return nil, fileError(CodeColumn, "keep one of them", "columns %d and %d are both %s", j+1, i+1, c.field.Label())
			}
			h.at[c.field.Name] = i
		case c.title != "":
			if j, twice := unknown[c.title]; twice {
				return nil, fileError(CodeColumn, "give each column its own title", "columns %d and %d have the same title", j+1, i+1)
			}
			unknown[c.title] = i
		}
		h.columns = append(h.columns, c)
	}
	var missing []string
	for i := range fields[kind] {
		f := &fields[kind][i]
		if _, ok := h.at[f.Name]; ok {
			continue
		}
		if value, ok := profile.value(f.Name); ok {
			h.declared[f.Name] = value
			h.names = append(h.names, f.Name)
			continue
		}
		if f.Required {
			missing = append(missing, f.Label())
		}
	}
	if len(missing) > 0 {
		return nil, fileError(CodeColumn, "add it, or declare a value for all rows in a profile (--profile)", "the file has no column %s", strings.Join(missing, ", "))
	}
	return h, nil
}

// matchColumn finds what a title means: the profile's word first, then field names and titles, also in the spellings
// "cf_wsh 行政处罚决定书文号", "罚款金额（万元）" and with other case, blanks and widths.
func matchColumn(known map[string]*Field, title string, profile *Profile) column {
	line, _ := code.MendLine(title)
	folded := foldTitle(title)
	if name, ok := profile.column(folded); ok {
		if drop, person := personal(name); drop {
			return column{drop: true, person: person}
		}
		return column{field: known[foldTitle(name)]}
	}
	for _, t := range []string{folded, foldTitle(beforeBracket(line)), leadingName(line), bracketedName(line)} {
		if t == "" {
			continue
		}
		if drop, person := personal(t); drop {
			return column{drop: true, person: person}
		}
		if f := known[t]; f != nil {
			return column{field: f}
		}
	}
	return column{title: line}
}

// personal tells whether a column holds data of a natural person that the import drops: the legal representative's name and
// documents, and a natural person's documents. person marks the latter.
func personal(folded string) (drop, person bool) {
	switch {
	case strings.HasPrefix(folded, "cf_frdb"), strings.HasPrefix(folded, "cf_fr_"):
		return true, false
	case strings.HasPrefix(folded, "cf_xdr_zj"):
		return true, true
	}
	document := strings.Contains(folded, "证件类型") || strings.Contains(folded, "证件号") || strings.Contains(folded, "身份证")
	switch {
	case strings.Contains(folded, "法定代表人"), strings.Contains(folded, "法人代表"):
		return true, false
	case document && strings.Contains(folded, "法人"), document && strings.Contains(folded, "负责人"), document && strings.Contains(folded, "经营者"):
		return true, false
	case strings.Contains(folded, "自然人证件"), strings.Contains(folded, "身份证"),
		strings.HasPrefix(folded, "证件类型"), strings.HasPrefix(folded, "证件号"):
		return true, true
	}
	return false, false
}

// foldTitle brings spellings of a title together.
func foldTitle(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\n', '\r', '\u00a0', '\u200b', '\ufeff', '(', ')', '[', ']', '【', '】', ':', '*', '"', '\'', '“', '”', '《', '》':
			return -1
		}
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, code.ToHalfWidth(s))
}

// beforeBracket cuts a remark in brackets off: 罚款金额（万元） is 罚款金额.
func beforeBracket(s string) string {
	if i := strings.IndexAny(code.ToHalfWidth(s), "("); i > 0 {
		return code.ToHalfWidth(s)[:i]
	}
	return ""
}

// leadingName is the field name that a title begins with: "cf_wsh 行政处罚决定书文号".
func leadingName(s string) string {
	s = strings.ToLower(code.ToHalfWidth(s))
	i := 0
	for i < len(s) && (s[i] == '_' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9') {
		i++
	}
	if i == len(s) {
		return ""
	}
	return s[:i]
}

// bracketedName is the field name in the brackets of a title: "行政处罚决定书文号(cf_wsh)".
func bracketedName(s string) string {
	s = strings.ToLower(code.ToHalfWidth(s))
	_, after, ok := strings.Cut(s, "(")
	if !ok {
		return ""
	}
	name, _, ok := strings.Cut(after, ")")
	if !ok || leadingName(name+" ") != name {
		return ""
	}
	return name
}
