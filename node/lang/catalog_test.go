package lang_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/lang"
)

// Every value of an enumeration on the wire has a Chinese word: refusals name states by them.
func TestEveryStateHasAWord(t *testing.T) {
	files, err := filepath.Glob("../../proto/xinlian/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	value := regexp.MustCompile(`(?m)^  ([A-Z][A-Z_0-9]+) = [1-9]`)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range value.FindAllStringSubmatch(string(raw), -1) {
			if _, known := lang.Ledger().Known(lang.Chinese, m[1]); !known {
				t.Errorf("%s: %s has no Chinese word", filepath.Base(f), m[1])
			}
		}
	}
}

func TestText(t *testing.T) {
	c := lang.Ledger()
	for _, tc := range []struct{ english, chinese string }{
		{"correct the date", "更正日期"},
		{"the record is RECORD_REPAIRED, not registered", "记录的状态为已修复，不是登记"},
		{"11 holds no mandate MANDATE_PUBLISH of 22", "11 没有 22 的核验公示委托"},
		{"fulfilment is not a list", "fulfilment 不是列表"},
		{"kind is not one of OBJECTION_RECORD, OBJECTION_BREACH", "kind 应为以下之一：OBJECTION_RECORD, OBJECTION_BREACH"},
		{
			"E_MIN_PERIOD: the record is published until 2026-10-15 at least; today is 2026-10-12 (rule N1); passes on 2026-10-15; apply on or after that day",
			"E_MIN_PERIOD：该记录至少公示至 2026-10-15；今日为 2026-10-12（依据 N1）；2026-10-15 起可通过；在该日或之后申请",
		},
		// A rule with a bracket of its own, a sentence within a sentence, a value that is one.
		{"E_NATURAL_PERSON: 承诺人代码 (subject_id) is empty (rule H1 art 13(3), INV-17); fill the cell", "E_NATURAL_PERSON：承诺人代码 (subject_id)为空（依据 H1 art 13(3), INV-17）；填写该单元格"},
		{"subject: the check character does not fit", "subject：校验码不符"},
		{"the code in the path: the check character does not fit", "路径中的代码：校验码不符"},
		{"the signature has 0 bytes instead of 65", "签名为 0 字节，应为 65 字节"},
		{"row 7: the vault has no texts of this record", "第 7 行：保管库中没有该记录的文字"},
		// What nobody has written down stays.
		{"some other thing", "some other thing"},
		{"some other thing is not in force", "some other thing is not in force"},
		{"E_NEW: some other thing (rule X); correct the date", "E_NEW：some other thing（依据 X）；更正日期"},
		{"", ""},
	} {
		if got := c.Text(lang.Chinese, tc.english); got != tc.chinese {
			t.Errorf("%q\n is said as %q\n      want %q", tc.english, got, tc.chinese)
		}
		if got := c.Text(lang.English, tc.english); got != tc.english {
			t.Errorf("in English %q became %q", tc.english, got)
		}
	}
}

func TestLanguages(t *testing.T) {
	for header, want := range map[string]lang.Language{
		"": "en", "zh": "zh", "en": "en", "zh-CN,zh;q=0.9,en;q=0.8": "zh", "en-GB, zh;q=0.5": "en", "en;q=0.4, zh-Hans": "zh", "zh-TW": "zh",
		"fr, de": "en", "fr, zh;q=0.2": "zh", "*": "en", "zh;q=0": "en", ";;;": "en", "zh;q=x": "en", strings.Repeat("zh-", 4000): "en",
	} {
		if got := lang.Accept(header); got != want {
			t.Errorf("Accept-Language %.40q: %s, want %s", header, got, want)
		}
	}
	for _, tc := range []struct {
		env  map[string]string
		want lang.Language
	}{
		{nil, "en"},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, "zh"},
		{map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"},
		{map[string]string{"LC_ALL": "C.UTF-8"}, "en"},
		{map[string]string{"LANG": "zh_CN.GB18030@pinyin"}, "zh"},
		{map[string]string{"LANG": "no such"}, "en"},
		{map[string]string{"LC_ALL": "", "LANG": "zh"}, "zh"},
	} {
		if got := lang.Environment(func(k string) string { return tc.env[k] }); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.env, got, tc.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{
		"= a\n= b\n", "~ a\n", "no mark\n", "= a %s\n~ 甲\n", "= a\n~ 甲 %s\n", "= a %s\n~ 甲 %[2]s\n", "= a\n~ 甲\n\n= a\n~ 乙\n", "= a %s\n~ 甲 %s\n\n= a %v\n~ 乙 %v\n", "= %s%s a\n~ %s%s 甲\n",
	} {
		if _, err := lang.Parse("test", bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	c, err := lang.Parse("test", "# note\n= %s of %d%%\n~ %[2]d%% 的 %[1]s\n= two\n= lines\n~ 两\n~ 行\n")
	if err != nil {
		t.Fatal(err)
	}
	for english, chinese := range map[string]string{"half of 50%": "50% 的 half", "half of x%": "half of x%", "two\nlines": "两\n行"} {
		if got := c.Text(lang.Chinese, english); got != chinese {
			t.Errorf("%q is said as %q, want %q", english, got, chinese)
		}
	}
}
