package gateway_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// A refusal says the same in both languages: the words differ, code, number, rule, day and status do not.
func TestRefusalsInChinese(t *testing.T) {
	w := newWorld(t)
	w.autoMine = true
	w.enrolAll()
	w.do("on 2026-07-20", "record by=ops issuer=zz-scjg firm=a no=7 fine=120000 decided=2026-07-15")
	both := func(by, method, target string, body []byte, want ...string) {
		t.Helper()
		var docs [2]map[string]any
		var words [2]string
		for i, language := range []string{"en", "zh-CN,zh;q=0.9"} {
			a := w.ask(0, by, method, target, body, "Accept-Language", language)
			if l := a.header.Get("Content-Language"); l != language[:2] || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept-Language") {
				t.Errorf("%s: asked in %s, answered in %q, Vary %q", target, language, l, a.header.Values("Vary"))
			}
			if err := json.Unmarshal(a.body, &docs[i]); err != nil {
				t.Fatalf("%v in %s", err, a.body)
			}
			var b strings.Builder
			for _, word := range []string{"title", "detail", "remedy", "reason"} {
				if s, ok := docs[i][word].(string); ok {
					b.WriteString(s + "\n")
				}
				delete(docs[i], word)
			}
			if results, ok := docs[i]["results"].([]any); ok {
				for _, r := range results {
					delete(r.(map[string]any), "reason")
				}
			}
			delete(docs[i], "as_of") // when it is fresh until
			words[i] = b.String()
		}
		if !reflect.DeepEqual(docs[0], docs[1]) {
			t.Errorf("%s: more than words differs:\n%v\n%v", target, docs[0], docs[1])
		}
		for _, s := range want {
			if !strings.Contains(words[1], s) {
				t.Errorf("%s says in Chinese\n%s without %q", target, words[1], s)
			}
		}
		if words[0] == words[1] {
			t.Errorf("%s says the same in both languages: %s", target, words[0])
		}
	}
	both("", http.MethodGet, "/v1/nothing", nil, "没有这个路径")
	both("", http.MethodGet, "/v1/subjects/"+w.firm("nobody"), nil, "该主体未登记入链", "请登记单位")
	both("", http.MethodGet, "/v1/subjects/91410100Y00000016B", nil, "校验码不符", "更正代码")
	both("gy-scjg", http.MethodGet, "/v1/records/"+w.penalty("a", "7"), nil, "没有可向此查询者提供的该记录")
	both("", http.MethodPost, "/v1/txs", []byte("x"), "交易")
	// Of an executed transaction, with the reason of each message. The second submission of the same bytes gets the first one's outcome.
	raw, _ := w.tx("registry", w.enrol(1), w.enrol(1))
	if a := w.ask(0, "registry", http.MethodPost, "/v1/txs?wait=commit", raw); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	bad := w.enrol(2)
	bad.GetEnrolSubject().Subject.Region = "999999"
	raw, id := w.tx("registry", bad)
	both("registry", http.MethodPost, "/v1/txs?wait=commit", raw, "行政区划", "E_REGION：")
	both("registry", http.MethodGet, "/v1/txs/"+id, nil, "行政区划")

	// Two readers who may not know get the same bytes in Chinese as well (INV-03).
	none := w.get("gy-scjg", "/v1/records/"+strings.Repeat("0", 64), "Accept-Language", "zh")
	if a := w.get("gy-scjg", "/v1/records/"+w.penalty("a", "7"), "Accept-Language", "zh"); !bytes.Equal(a.body, none.body) {
		t.Errorf("a hidden record can be told from none:\n%s%s", a.body, none.body)
	}
}
