package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/xinlian-ledger/xinlian/x/code"
)

// penaltyColumns with their Chinese titles, in the order of the 双公示 template and then of the rules.
var penaltyColumns = [][2]string{
	{"cf_xdr_mc", "行政相对人名称"},
	{"cf_xdr_lb", "行政相对人类别"},
	{"cf_xdr_shxym", "行政相对人代码_1(统一社会信用代码)"},
	{"cf_xdr_gszc", "行政相对人代码_2(工商注册号)"},
	{"cf_xdr_zzjg", "行政相对人代码_3(组织机构代码)"},
	{"cf_xdr_swdj", "行政相对人代码_4(税务登记号)"},
	{"cf_xdr_sydw", "行政相对人代码_5(事业单位证书号)"},
	{"cf_xdr_shzz", "行政相对人代码_6(社会组织登记证号)"},
	{"cf_frdb", "法定代表人"},
	{"cf_fr_zjlx", "法定代表人证件类型"},
	{"cf_fr_sfzh", "法定代表人证件号码"},
	{"cf_xdr_zjlx", "自然人证件类型"},
	{"cf_xdr_zjhm", "自然人证件号码"},
	{"cf_wsh", "行政处罚决定书文号"},
	{"cf_wfxw", "违法行为类型"},
	{"cf_sy", "违法事实"},
	{"cf_yj", "处罚依据"},
	{"cf_cflb", "处罚类别"},
	{"cf_nr", "处罚内容"},
	{"cf_nr_fk", "罚款金额(万元)"},
	{"cf_nr_wfff", "没收金额(万元)"},
	{"cf_nr_zkdx", "暂扣或吊销证照名称及编号"},
	{"cf_jdrq", "处罚决定日期"},
	{"cf_yxq", "处罚有效期"},
	{"cf_gsjzq", "公示截止期"},
	{"cf_cfjg", "处罚机关"},
	{"cf_cfjgdm", "处罚机关统一社会信用代码"},
	{"cf_sjly", "数据来源单位"},
	{"cf_sjlydm", "数据来源单位统一社会信用代码"},
	{"bz", "备注"},
	{"violation_region", "违法行为发生地"},
	{"procedure", "处罚程序"},
	{"notice_served_on", "告知日期"},
	{"statement", "陈述申辩"},
	{"hearing", "听证"},
	{"served_on", "送达日期"},
	{"repair_notice_served", "两书同达"},
	{"power_code", "权责清单编码"},
	{"sector", "行业领域"},
	{"severity", "失信严重程度"},
}

// row is a row of a file: cells by column, or a raw line where the line itself is what is wrong.
type row struct {
	cells         map[string]string
	raw           func(line string) string // changes the finished CSV line
	outcome, code string                   // "" = recorded, and not listed
	what          string
}

func (r row) with(changes map[string]string) row {
	r.cells = maps.Clone(r.cells)
	maps.Copy(r.cells, changes)
	return r
}

// violation is a kind of offence that the samples know.
type violation struct {
	power, sector, kind, fact string
}

var violations = []violation{
	{"SC-MARKET", "market", "示例计量违法", "经查，当事人使用未经检定的示例计量器具"},
	{"SC-MARKET", "market", "示例广告违法", "经查，当事人发布内容不实的示例广告"},
	{"SC-MARKET", "market", "示例价格违法", "经查，当事人未按规定明码标价"},
	{"SC-MARKET", "market", "示例登记违法", "经查，当事人未按规定办理示例变更登记"},
	{"SC-FOOD", "food", "示例食品违法", "经查，当事人经营标签不合规定的示例食品"},
	{"SC-FOOD", "food", "示例餐饮违法", "经查，当事人未按规定执行示例进货查验"},
	{"SC-LABOUR", "labour", "示例用工违法", "经查，当事人未按规定保存示例用工台账"},
}

// penalty makes a good row.
func (w *world) penalty(f *firm) row {
	d := &w.dice
	region := f.region
	if d.n(8) == 0 {
		region = pick(d, w.counties).Code // the place of the violation decides, not where the firm is registered
	}
	a := w.marketOf(region)
	v := pick(d, violations)
	decided := firstDecision.AddDays(d.n(int(lastDecision-firstDecision) + 1))
	served := min(decided.AddDays(d.n(5)), lastDay)
	notice := decided.AddDays(-d.between(5, 30))
	c := map[string]string{
		"cf_xdr_mc": f.name, "cf_xdr_lb": code.SubjectCategoryName(uint32(f.category)), "cf_xdr_shxym": f.uscc,
		"cf_frdb": fmt.Sprintf("示例代表%03d", d.n(1000)), "cf_fr_zjlx": "示例证件", "cf_fr_sfzh": fmt.Sprintf("SYNTHETIC-%06d", d.n(1_000_000)),
		"cf_wfxw": v.kind, "cf_sy": v.fact, "cf_yj": fmt.Sprintf("《示例条例》第%d条", d.between(10, 60)),
		"cf_jdrq": decided.String(), "cf_cfjg": a.Name, "cf_cfjgdm": a.USCC, "cf_sjly": a.Name, "cf_sjlydm": a.USCC,
		"violation_region": region, "procedure": "普通", "notice_served_on": notice.String(), "statement": pick(d, []string{"heard", "heard", "waived"}),
		"served_on": served.String(), "repair_notice_served": "是", "power_code": v.power, "sector": v.sector,
	}
	w.docNo[a.Key]++
	c["cf_wsh"] = fmt.Sprintf("%s〔2026〕%d号", a.prefix, w.docNo[a.Key])
	switch class := d.n(100); {
	case class < 25 && f.serious: // 严重 by its kind: a licence, or trade stopped
		if v.power == "SC-MARKET" {
			c["cf_cflb"], c["cf_nr"] = "责令停产停业", "责令停产停业三十日"
		} else {
			c["cf_cflb"], c["cf_nr"], c["cf_nr_zkdx"] = "吊销许可证件", "吊销示例许可证", fmt.Sprintf("示例许可证 S%05d", d.n(100000))
		}
		c["procedure"], c["hearing"] = "听证", pick(d, []string{"held", "waived"})
	case class < 50 && f.serious: // 严重 by its amount
		amount := d.between(100, 180)
		c["cf_cflb"], c["cf_nr_fk"], c["cf_nr"] = "罚款", strconv.Itoa(amount), fmt.Sprintf("罚款%d万元", amount)
		c["procedure"], c["hearing"], c["severity"] = "听证", "held", "严重"
	case class < 26: // 轻微
		c["cf_cflb"], c["cf_nr"] = pick(d, []string{"警告", "通报批评"}), "警告"
		if c["cf_cflb"] == "通报批评" {
			c["cf_nr"] = "通报批评"
		}
	case class < 34: // 轻微: on the spot
		c["cf_cflb"], c["cf_nr"], c["cf_nr_fk"], c["procedure"] = "罚款", "罚款0.1万元", "0.1", "简易"
	case class < 44 && v.power != "SC-LABOUR":
		taken, fine := d.between(1, 200), d.between(1, 30)
		c["cf_cflb"] = "没收违法所得；罚款"
		c["cf_nr_fk"], c["cf_nr_wfff"] = strconv.Itoa(fine), code.FormatWanYuan(int64(taken)*12_345)
		c["cf_nr"] = fmt.Sprintf("没收违法所得%s万元，罚款%d万元", c["cf_nr_wfff"], fine)
	case class < 52: // 较大
		fine := d.between(10, 60)
		c["cf_cflb"], c["cf_nr_fk"], c["cf_nr"], c["severity"] = "罚款", strconv.Itoa(fine), fmt.Sprintf("罚款%d万元", fine), "一般"
	default:
		fen := int64(d.between(50, 990)) * 10_000 // 0.5 to 9.9 万元
		c["cf_cflb"], c["cf_nr_fk"] = "罚款", code.FormatWanYuan(fen)
		c["cf_nr"] = "罚款" + c["cf_nr_fk"] + "万元"
		if d.n(6) == 0 {
			c["cf_yxq"] = decided.AddYears(1).String()
		}
	}
	return row{cells: c}
}

// personNumber is an ID number in form only: there is no region 419999, and the birthday is in 1900.
const personNumber = "419999190001010004"

// penaltyRows makes the rows of penalties.csv: good ones, and one of every oddity at places of their own.
func (w *world) penaltyRows() []row {
	d := &w.dice
	owners := w.withRecords()
	var usual []*firm // a tenth stays without penalties
	for i, f := range owners {
		if i%10 != 4 {
			usual = append(usual, f)
		}
	}
	good := func() row { return w.penalty(pick(d, usual)) }
	// fined makes a good row with a plain fine under power SC-MARKET at a place of zz-scjg, for oddities that need to know.
	fined := func() row {
		r := good()
		a := w.agency("zz-scjg")
		w.docNo[a.Key]++
		return r.with(map[string]string{
			"cf_cflb": "罚款", "cf_nr_fk": "2.5", "cf_nr_wfff": "", "cf_nr": "罚款2.5万元", "cf_nr_zkdx": "", "procedure": "普通", "hearing": "", "severity": "", "cf_yxq": "",
			"cf_wfxw": "示例广告违法", "cf_sy": "经查，当事人发布内容不实的示例广告", "power_code": "SC-MARKET", "sector": "market", "violation_region": "410105",
			"cf_cfjg": a.Name, "cf_cfjgdm": a.USCC, "cf_sjly": a.Name, "cf_sjlydm": a.USCC, "cf_wsh": fmt.Sprintf("%s〔2026〕%d号", a.prefix, w.docNo[a.Key]),
		})
	}
	// Groups of odd rows: the rows of a group stand in order, with good rows between them.
	var groups [][]row
	odd := func(what, outcome, code string, changes map[string]string) {
		r := fined().with(changes)
		r.what, r.outcome, r.code = what, outcome, code
		groups = append(groups, []row{r})
	}
	set := func(column, value string) map[string]string { return map[string]string{column: value} }
	const rec, ref = "recorded", "refused"

	odd("wrong check character", ref, "E_USCC_CHECK", set("cf_xdr_shxym", "91410100Y00000016B"))
	odd("two neighbouring characters swapped", ref, "E_USCC_CHECK", set("cf_xdr_shxym", "914101000Y00000160"))
	odd("17 characters", ref, "E_USCC_LEN", set("cf_xdr_shxym", "91410100Y00000016"))
	odd("letter O for zero", ref, "E_USCC_ALPHABET", set("cf_xdr_shxym", "91410100Y00O000160"))
	odd("letter in the region", ref, "E_USCC_REGION", set("cf_xdr_shxym", "9141A100Y000000160"))
	odd("class that department 9 does not have", ref, "E_USCC_TYPE", set("cf_xdr_shxym", "98410100Y00000016A"))
	odd("wrong inner check character: a warning", rec, "", map[string]string{"cf_xdr_shxym": "91410100Y00000011G", "cf_xdr_mc": "示例旧码商贸有限公司（合成）"})
	one := usual[41]
	self := map[string]string{"cf_xdr_mc": one.name, "cf_xdr_lb": code.SubjectCategoryName(uint32(one.category))}
	odd("full-width code", rec, "", merge(self, set("cf_xdr_shxym", wide(one.uscc))))
	odd("lower-case code", rec, "", merge(self, set("cf_xdr_shxym", strings.ToLower(one.uscc))))
	odd("blanks and a hyphen in the code", rec, "", merge(self, set("cf_xdr_shxym", " "+one.uscc[:8]+"-"+one.uscc[8:]+"\u3000")))
	odd("code turned into a number by a spreadsheet", ref, "E_USCC_LEN", set("cf_xdr_shxym", "9.14E+17"))
	odd("code missing", ref, "E_USCC_LEN", set("cf_xdr_shxym", ""))

	odd("serial number for a date", ref, "E_DATE", set("cf_jdrq", "46203"))
	odd("serial number with time for a date", ref, "E_DATE", set("served_on", "46204.625"))
	odd("month first", ref, "E_DATE", set("cf_jdrq", "06/15/2026"))
	odd("30 February", ref, "E_DATE", set("cf_jdrq", "2026-02-30"))
	odd("date missing", ref, "E_DATE", set("cf_jdrq", ""))
	dates := map[string]string{"cf_jdrq": "2026-06-05", "served_on": "2026-06-08", "notice_served_on": "2026-05-12"}
	odd("date with slashes", rec, "", merge(dates, set("cf_jdrq", "2026/6/5")))
	odd("date with points", rec, "", merge(dates, set("cf_jdrq", "2026.6.5")))
	odd("date in Chinese", rec, "", merge(dates, set("cf_jdrq", "2026年6月5日")))
	odd("date without separators", rec, "", merge(dates, set("cf_jdrq", "20260605")))
	odd("date with a time", rec, "", merge(dates, set("served_on", "2026/6/8 0:00:00")))

	odd("decision number missing", ref, "E_DOCNO", set("cf_wsh", ""))
	odd("decision number without a year", ref, "E_DOCNO", set("cf_wsh", "郑样市监罚9001号"))
	odd("square brackets in the number", rec, "", set("cf_wsh", "郑样市监罚[2026]9002号"))
	odd("round brackets and full-width digits in the number", rec, "", set("cf_wsh", "郑样市监罚（２０２６）９００３号"))
	odd("a personal number in the decision number", ref, "E_PII_ON_CHAIN", set("cf_wsh", "郑样市监罚〔2026〕"+personNumber+"号"))

	odd("seven decimals of 万元", ref, "E_AMOUNT", set("cf_nr_fk", "1.2345678"))
	odd("amount turned into a number with an exponent", ref, "E_AMOUNT", set("cf_nr_fk", "1.2E+05"))
	odd("fine without an amount", ref, "E_AMOUNT", set("cf_nr_fk", ""))
	odd("negative amount", ref, "E_AMOUNT", set("cf_nr_fk", "-2.5"))
	odd("full-width amount", rec, "", set("cf_nr_fk", "２．５"))
	odd("amount with separators of thousands", rec, "", map[string]string{"cf_nr_fk": "1,234.56", "cf_nr": "罚款1234.56万元", "severity": "严重", "procedure": "听证", "hearing": "held", "cf_xdr_shxym": w.firms[20].uscc, "cf_xdr_mc": w.firms[20].name, "cf_xdr_lb": "法人及非法人组织"})
	odd("kind of penalty that does not exist", ref, "E_PENALTY_KIND", set("cf_cflb", "示例处罚"))

	odd("kind of penalty that the agency may not decide", ref, "E_COMPETENCE", map[string]string{"cf_cflb": "降低资质等级", "cf_nr_fk": "", "cf_nr": "降低示例资质等级"})
	gy := w.agency("gy-scjg")
	luoyang := usual[0]
	for _, f := range usual {
		if f.uscc[2:6] == "4103" && f.region[:4] == "4103" {
			luoyang = f
			break
		}
	}
	odd("violation outside the agency's place (scenario S6)", ref, "E_JURISDICTION", map[string]string{
		"cf_xdr_shxym": luoyang.uscc, "cf_xdr_mc": luoyang.name, "cf_xdr_lb": code.SubjectCategoryName(uint32(luoyang.category)),
		"cf_cfjgdm": gy.USCC, "cf_cfjg": gy.Name, "violation_region": "410185", "cf_wsh": "巩样市监罚〔2026〕9001号",
	})
	odd("violation in the agency's place, firm registered elsewhere", rec, "", map[string]string{
		"cf_xdr_shxym": luoyang.uscc, "cf_xdr_mc": luoyang.name, "cf_xdr_lb": code.SubjectCategoryName(uint32(luoyang.category)),
		"cf_cfjgdm": gy.USCC, "cf_cfjg": gy.Name, "violation_region": "410181", "cf_wsh": "巩样市监罚〔2026〕9002号",
	})
	odd("issuer is no member", ref, "E_MEMBER_UNKNOWN", set("cf_cfjgdm", mustUSCC("11", "410105", 990)))
	odd("region that does not exist", ref, "E_VIOLATION_REGION", set("violation_region", "410199"))

	odd("natural person by category", ref, "E_NATURAL_PERSON", map[string]string{"cf_xdr_lb": "自然人", "cf_xdr_mc": "示例某人", "cf_xdr_shxym": personNumber})
	odd("natural person by number", ref, "E_NATURAL_PERSON", map[string]string{"cf_xdr_lb": "", "cf_xdr_mc": "示例某人", "cf_xdr_shxym": personNumber})
	odd("natural person by document", ref, "E_NATURAL_PERSON", map[string]string{"cf_xdr_lb": "", "cf_xdr_mc": "示例某人", "cf_xdr_shxym": "", "cf_xdr_zjlx": "示例证件", "cf_xdr_zjhm": "SYNTHETIC-000001"})
	odd("category that means nothing", ref, "E_VALUE", set("cf_xdr_lb", "示例类别"))

	odd("valid until before the decision", ref, "E_WINDOW", merge(dates, set("cf_yxq", "2026-06-04")))
	odd("served before the decision", ref, "E_WINDOW", merge(dates, set("served_on", "2026-06-04")))
	odd("notice after the decision", ref, "E_NOTICE", merge(dates, set("notice_served_on", "2026-06-06")))
	odd("not heard and not waived", ref, "E_NOTICE", set("statement", ""))
	odd("decision and notice of repair not served together", ref, "E_TWO_DOCUMENTS", set("repair_notice_served", "否"))
	odd("stated class below what the kind demands", ref, "E_CLASS", map[string]string{"cf_cflb": "责令停产停业", "cf_nr_fk": "", "cf_nr": "责令停产停业", "procedure": "听证", "hearing": "held", "severity": "轻微"})
	odd("unknown firm", ref, "E_SUBJECT_UNKNOWN", set("cf_xdr_shxym", mustUSCC("91", "410105", 991)))

	odd("quoted line break", rec, "", set("cf_sy", "经查：\n一、当事人发布内容不实的示例广告；\n二、当事人及时改正。"))
	odd("quotes in a text", rec, "", set("cf_sy", `经查，当事人发布"示例第一"的广告`))
	odd("characters outside the basic plane", rec, "", set("cf_sy", "经查，当事人在𠮷祥路与𡋣头街发布示例广告"))

	odd("a cell too few", ref, "E_ROW", nil)
	groups[len(groups)-1][0].raw = func(line string) string { return line[:strings.LastIndexByte(line, ',')] }
	odd("a cell too many", ref, "E_ROW", nil)
	groups[len(groups)-1][0].raw = func(line string) string { return line + ",示例" }
	odd("text after a closing quote", ref, "E_ROW", nil)
	groups[len(groups)-1][0].raw = func(line string) string { return `"` + strings.Replace(line, ",", `"示例,`, 1) }

	// One decision against three parties: a record for each.
	first := fined()
	first.outcome, first.what = rec, "one decision against several parties"
	group := []row{first}
	for _, f := range usual[60:62] {
		group = append(group, first.with(map[string]string{"cf_xdr_mc": f.name, "cf_xdr_shxym": f.uscc, "cf_xdr_lb": code.SubjectCategoryName(uint32(f.category))}))
	}
	groups = append(groups, group)
	// The same row twice.
	first = fined()
	again := first
	again.outcome, again.what = "already recorded", "the same row twice"
	groups = append(groups, []row{first, again})
	first = fined()
	again = first.with(map[string]string{"cf_wsh": strings.NewReplacer("〔", "[", "〕", "]").Replace(first.cells["cf_wsh"])})
	again.outcome, again.what = "already recorded", "the same row twice, the number in another spelling"
	groups = append(groups, []row{first, again})
	// The same row with other content.
	first = fined()
	other := first.with(map[string]string{"cf_nr_fk": "3.5", "cf_nr": "罚款3.5万元"})
	other.outcome, other.code, other.what = ref, "E_RECORDED_DIFFERENTLY", "the same row twice with another amount"
	groups = append(groups, []row{first, other})
	first = fined()
	other = first.with(map[string]string{"cf_sy": "经查，当事人发布内容不实的另一示例广告"})
	other.outcome, other.code, other.what = ref, "E_RECORDED_DIFFERENTLY", "the same row twice with other facts"
	groups = append(groups, []row{first, other})

	return w.spread(groups, penalties, good)
}

// spread puts groups of odd rows among good ones, each row of a group well behind the one before it.
func (w *world) spread(groups [][]row, total int, good func() row) []row {
	out := make([]row, total)
	taken := make([]bool, total)
	step := total / (len(groups) + 1)
	for i, g := range groups {
		at := 5 + i*step
		for _, r := range g {
			for taken[at] {
				at++
			}
			out[at], taken[at] = r, true
			at += 3 + w.dice.n(step/2+1)
		}
	}
	for i := range out {
		if !taken[i] {
			out[i] = good()
		}
	}
	return out
}

func merge(maps ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range maps {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// wide writes ASCII in full width.
func wide(s string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
}
